//! The flood: its state, and how a step of any length is made of steps that the waves allow.

use std::sync::Arc;

use rayon::prelude::*;

use crate::balance::{Balance, Ledger, Sum};
use crate::check;
use crate::exchange;
use crate::flux::{self, Flux, STILL_M, Side, velocity};
use crate::input::{Change, Edge, Face, Field, FloodInput, Series};
use crate::{ChangeError, InputError};

/// Share of the time in which a wave crosses a cell that a step may take: with it and the flux of Harten, Lax and van
/// Leer no depth falls below zero (Audusse et al. 2004) where both directions are taken at once.
const COURANT: f64 = 0.25;
/// No step is longer, s: rooms, drains and rain change meanwhile.
const LONGEST_S: f64 = 1.0;
/// Ground counts as reached by water of this depth, m.
pub const ARRIVED_M: f64 = 0.05;
/// So many cells are worth a second thread.
const WORTH_A_THREAD: usize = 4_000;

/// How a face between two cells differs from open ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Gate {
    /// How high above the higher ground of the two it holds water back, m; 0 is open, infinite a wall.
    pub height_m: f64,
}

/// What never changes.
#[derive(Debug)]
pub(crate) struct Ground {
    pub input: FloodInput,
    pub manning: Vec<f64>,
    pub blocked: Vec<bool>,
    /// Cells that take rain.
    pub rained: u64,
}

/// A flood. See the crate's page.
#[derive(Clone, Debug)]
pub struct Flood {
    pub(crate) ground: Arc<Ground>,
    pub(crate) h: Vec<f64>,
    /// Discharge a metre, east and north, m²/s.
    pub(crate) q: Vec<[f64; 2]>,
    pub(crate) max_h: Vec<f64>,
    pub(crate) max_hazard: Vec<f64>,
    pub(crate) arrival_s: Vec<f64>,
    /// Water in rooms, m³.
    pub(crate) rooms_m3: Vec<f64>,
    /// Of each barrier whether it is up; of each link the share open; of each pump whether it runs; of each drain the
    /// share free.
    pub(crate) up: Vec<bool>,
    pub(crate) open: Vec<f64>,
    pub(crate) on: Vec<bool>,
    pub(crate) free: Vec<f64>,
    /// What replaced the series of rain, and of each stage.
    pub(crate) rain_m_s: Option<f64>,
    pub(crate) level_m: Vec<Option<f64>>,
    /// Of each drain what passes its outlet now, and of each pump what it moves, m³/s.
    pub(crate) outlet_m3_s: Vec<f64>,
    pub(crate) pumped_m3_s: Vec<f64>,
    pub(crate) ledger: Ledger,
    pub(crate) time_s: f64,
    pub(crate) steps: u64,
    pub(crate) updates: u64,
    /// Faces to the east and north of each cell; made from `up`.
    pub(crate) gates: Arc<[Vec<Gate>; 2]>,
    scratch: Scratch,
}

/// Room to work in; no part of the state.
#[derive(Clone, Debug, Default)]
struct Scratch {
    east: Vec<Flux>,
    north: Vec<Flux>,
    rim: Vec<[f64; 2]>,
}

/// A room as it is now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomState {
    /// The depth of water, m.
    pub depth_m: f64,
    /// Its level above datum, m.
    pub level_m: f64,
    /// Its volume, m³.
    pub volume_m3: f64,
}

pub(crate) fn series_at(series: &Series, seconds: f64) -> f64 {
    let corners = &series.corners;
    let after = corners.partition_point(|(t, _)| *t <= seconds);
    match (after.checked_sub(1).and_then(|i| corners.get(i)), corners.get(after)) {
        (Some((t0, y0)), Some((t1, y1))) if t1 > t0 => y0 + (y1 - y0) * (seconds - t0) / (t1 - t0),
        (Some((_, y)), _) | (None, Some((_, y))) => *y,
        (None, None) => 0.0,
    }
}

fn cells(field: &Field, n: usize) -> Vec<f64> {
    match field {
        Field::Uniform(x) => vec![*x; n],
        Field::Cells(all) => all.clone(),
    }
}

impl Flood {
    /// A flood at its start.
    ///
    /// # Errors
    /// [`InputError`] names the field that is wrong, what is wrong with it and how to mend it.
    pub fn new(input: FloodInput) -> Result<Self, InputError> {
        check::check(&input)?;
        let n = input.nx * input.ny;
        let blocked = if input.blocked.is_empty() { vec![false; n] } else { input.blocked.clone() };
        let levels = cells(&input.stage_m, n);
        let beds = input.bed_m.iter().zip(&levels).zip(&blocked);
        let mut h: Vec<f64> =
            beds.map(|((z, stage), b)| if *b { 0.0 } else { (stage - z).max(0.0) }).collect();
        for stage in &input.stages {
            let level = series_at(&stage.level_m, 0.0);
            for cell in &stage.cells {
                let cell = *cell as usize;
                h[cell] = (level - input.bed_m[cell]).max(0.0);
            }
        }
        let rained = blocked.iter().filter(|b| !**b).count() as u64;
        let manning = cells(&input.manning, n);
        let area = input.cell_m * input.cell_m;
        let mut ledger = Ledger::default();
        h.iter().for_each(|h| ledger.initial.add(h * area));
        let mut flood = Self {
            q: vec![[0.0; 2]; n],
            max_h: h.clone(),
            max_hazard: vec![0.0; n],
            arrival_s: h.iter().map(|h| if *h >= ARRIVED_M { 0.0 } else { f64::INFINITY }).collect(),
            rooms_m3: vec![0.0; input.rooms.len()],
            up: input.barriers.iter().map(|b| b.up).collect(),
            open: input.links.iter().map(|l| l.open).collect(),
            on: input.pumps.iter().map(|p| p.on).collect(),
            free: vec![1.0; input.drains.len()],
            rain_m_s: None,
            level_m: vec![None; input.stages.len()],
            outlet_m3_s: vec![0.0; input.drains.len()],
            pumped_m3_s: vec![0.0; input.pumps.len()],
            ledger,
            time_s: 0.0,
            steps: 0,
            updates: 0,
            gates: Arc::new([Vec::new(), Vec::new()]),
            scratch: Scratch::default(),
            h,
            ground: Arc::new(Ground { manning, blocked, rained, input }),
        };
        flood.make_gates();
        Ok(flood)
    }

    /// The faces as barriers make them.
    pub(crate) fn make_gates(&mut self) {
        let n = self.h.len();
        let mut gates = [vec![Gate::default(); n], vec![Gate::default(); n]];
        for (barrier, up) in self.ground.input.barriers.iter().zip(&self.up) {
            for face in barrier.faces.iter().filter(|_| *up) {
                let gate = match face {
                    Face::East(cell) => &mut gates[0][*cell as usize],
                    Face::North(cell) => &mut gates[1][*cell as usize],
                };
                gate.height_m = gate.height_m.max(barrier.height_m);
            }
        }
        self.gates = Arc::new(gates);
    }

    /// Changes something from now on.
    ///
    /// # Errors
    /// [`ChangeError`] where there is no such thing, or the number is out of range; then nothing has changed.
    pub fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        let input = &self.ground.input;
        let find = |kind: &'static str, id: &String, found: Option<usize>| {
            found.ok_or_else(|| ChangeError::Unknown { kind, id: id.clone() })
        };
        let range = |what: &'static str, x: f64, low: f64, high: f64| {
            if (low..=high).contains(&x) {
                Ok(())
            } else {
                Err(ChangeError::Range { what, got: x, low, high })
            }
        };
        match change {
            Change::Rain(m_s) => {
                range("rain, m/s", *m_s, 0.0, 1.0)?;
                self.rain_m_s = Some(*m_s);
            }
            Change::Stage { id, level_m } => {
                range("level, m", *level_m, -12_000.0, 9_000.0)?;
                let index = find("stage", id, input.stages.iter().position(|s| &s.id == id))?;
                self.level_m[index] = Some(*level_m);
            }
            Change::Barrier { id, up } => {
                let index = find("barrier", id, input.barriers.iter().position(|b| &b.id == id))?;
                if self.up[index] != *up {
                    self.up[index] = *up;
                    self.make_gates();
                }
            }
            Change::Pump { id, on } => {
                let index = find("pump", id, input.pumps.iter().position(|p| &p.id == id))?;
                self.on[index] = *on;
            }
            Change::Drain { id, free } => {
                range("free share", *free, 0.0, 1.0)?;
                let index = find("drain", id, input.drains.iter().position(|d| &d.id == id))?;
                self.free[index] = *free;
            }
            Change::Link { id, open } => {
                range("open share", *open, 0.0, 1.0)?;
                let index = find("link", id, input.links.iter().position(|l| &l.id == id))?;
                self.open[index] = *open;
            }
        }
        Ok(())
    }

    /// Goes on by so many seconds, in as many steps as the waves ask for. The result does not depend on the number of
    /// threads.
    pub fn step(&mut self, dt_s: f64, threads: usize) {
        if !(dt_s > 0.0 && dt_s.is_finite()) {
            return;
        }
        let threads = threads.clamp(1, (self.h.len() / WORTH_A_THREAD).max(1));
        let end_s = self.time_s + dt_s;
        let run = |flood: &mut Self| {
            while flood.time_s < end_s {
                flood.one(end_s, threads);
            }
        };
        match crate::pool::of(threads) {
            Some(pool) => pool.install(|| run(self)),
            None => run(self),
        }
    }

    /// One step that the waves allow, at most to `end_s`.
    fn one(&mut self, end_s: f64, threads: usize) {
        let input = &self.ground.input;
        let (nx, ny, dx) = (input.nx, input.ny, input.cell_m);
        let rows = ny.div_ceil(threads * 2).max(1);
        let fastest = self.fastest(rows);
        let left_s = end_s - self.time_s;
        let mut dt = if fastest > 0.0 { COURANT * dx / fastest } else { LONGEST_S };
        dt = dt.min(LONGEST_S);
        // Two like steps are better than one whole and a sliver.
        let last = dt >= left_s;
        if last {
            dt = left_s;
        } else if dt > 0.5 * left_s {
            dt = 0.5 * left_s;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.east.resize(nx * ny, Flux::default());
        scratch.north.resize(nx * ny, Flux::default());
        scratch.rim.resize(ny, [0.0; 2]);
        self.fluxes(&mut scratch, rows, dt / dx);
        let rain = self.rain_m_s.unwrap_or_else(|| series_at(&self.ground.input.rain_m_s, self.time_s)) * dt;
        self.update(&mut scratch, rows, dt, rain);
        let area = dx * dx;
        // Row by row in order, so that the sum is the same however rows were shared out.
        scratch.rim.iter().for_each(|[out, _]| self.ledger.edges.add(out * area));
        self.ledger.rain.add(rain * area * self.ground.rained as f64);
        self.scratch = scratch;
        self.roofs(rain);
        exchange::run(self, dt);
        self.impose();
        self.watch(rows);
        self.time_s = if last { end_s } else { self.time_s + dt };
        self.steps += 1;
        self.updates += self.ground.rained;
    }

    /// The fastest wave, m/s.
    fn fastest(&self, rows: usize) -> f64 {
        let nx = self.ground.input.nx;
        let chunk = nx * rows;
        let of = |(h, q): (&[f64], &[[f64; 2]])| {
            h.iter().zip(q).fold(0.0f64, |most, (h, [qx, qy])| {
                if *h <= STILL_M {
                    return most;
                }
                most.max((qx.abs().max(qy.abs())) / h + (flux::G * h).sqrt())
            })
        };
        // The greatest of numbers does not depend on their order.
        self.h.par_chunks(chunk).zip(self.q.par_chunks(chunk)).map(of).reduce(|| 0.0, f64::max)
    }

    fn side(&self, cell: usize, axis: usize) -> Side {
        let h = self.h[cell];
        let q = self.q[cell];
        Side { h, u: velocity(q[axis], h), v: velocity(q[1 - axis], h), z: self.ground.input.bed_m[cell] }
    }

    fn fluxes(&self, scratch: &mut Scratch, rows: usize, dt_over_dx: f64) {
        let ground = &*self.ground;
        let (nx, ny) = (ground.input.nx, ground.input.ny);
        let between = |axis: usize, a: usize, b: usize| {
            if self.h[a] <= 0.0 && self.h[b] <= 0.0 {
                return Flux::default();
            }
            let (l, r) = (self.side(a, axis), self.side(b, axis));
            match (ground.blocked[a], ground.blocked[b]) {
                (true, true) => Flux::default(),
                (true, false) => Flux { right: flux::wall(r.h, r.u, -1.0), ..Flux::default() },
                (false, true) => Flux { left: flux::wall(l.h, l.u, 1.0), ..Flux::default() },
                (false, false) => match self.gates[axis][a].height_m {
                    height if height <= 0.0 => flux::open(l, r),
                    height => flux::over(l, r, l.z.max(r.z) + height, dt_over_dx),
                },
            }
        };
        let chunk = nx * rows;
        scratch.east.par_chunks_mut(chunk).zip(scratch.north.par_chunks_mut(chunk)).enumerate().for_each(
            |(band, (east, north))| {
                for (k, (east, north)) in east.iter_mut().zip(north).enumerate() {
                    let cell = band * chunk + k;
                    let (i, j) = (cell % nx, cell / nx);
                    *east = if i + 1 < nx { between(0, cell, cell + 1) } else { Flux::default() };
                    *north = if j + 1 < ny { between(1, cell, cell + nx) } else { Flux::default() };
                }
            },
        );
    }

    /// What leaves over an open edge, and how the edge pushes: `outward` is 1 at east and north.
    fn rim(&self, edge: Edge, side: Side, outward: f64) -> (f64, f64) {
        match edge {
            Edge::Wall => (0.0, flux::wall(side.h, side.u, outward)),
            Edge::Open if side.h > 0.0 => {
                // Beyond lies the same water: it runs out, and none comes in.
                let out = (side.u * outward).max(0.0);
                (side.h * out * outward, side.h * out * out)
            }
            Edge::Open => (0.0, 0.0),
        }
    }

    fn update(&mut self, scratch: &mut Scratch, rows: usize, dt: f64, rain: f64) {
        let ground = self.ground.clone();
        let input = &ground.input;
        let (nx, ny) = (input.nx, input.ny);
        let ratio = dt / input.cell_m;
        let (east, north) = (&scratch.east, &scratch.north);
        // What leaves over the edges is taken from the state before anything moves.
        let before = &*self;
        let edge_flux = |edge: usize, cell: usize| {
            let axis = edge / 2;
            let outward = if edge % 2 == 1 { 1.0 } else { -1.0 };
            before.rim(input.edges[edge], before.side(cell, axis), outward)
        };
        let mut sides: Vec<[(f64, f64); 2]> = Vec::with_capacity(ny);
        for j in 0..ny {
            sides.push([edge_flux(0, j * nx), edge_flux(1, j * nx + nx - 1)]);
        }
        let ends: Vec<[(f64, f64); 2]> =
            (0..nx).map(|i| [edge_flux(2, i), edge_flux(3, (ny - 1) * nx + i)]).collect();
        let chunk = nx * rows;
        let bands = self.h.par_chunks_mut(chunk).zip(self.q.par_chunks_mut(chunk));
        bands.zip(scratch.rim.par_chunks_mut(rows)).enumerate().for_each(|(band, ((h, q), rim))| {
            rim.fill([0.0; 2]);
            for (k, (h, q)) in h.iter_mut().zip(q).enumerate() {
                let cell = band * chunk + k;
                let (i, j) = (cell % nx, cell / nx);
                if ground.blocked[cell] {
                    continue;
                }
                let e = if i + 1 < nx { east[cell] } else { rim_east(sides[j][1]) };
                let w = if i > 0 { east[cell - 1] } else { rim_west(sides[j][0]) };
                let n = if j + 1 < ny { north[cell] } else { rim_east(ends[i][1]) };
                let s = if j > 0 { north[cell - nx] } else { rim_west(ends[i][0]) };
                let out = |at_edge: bool, water: f64| if at_edge { water } else { 0.0 };
                rim[k / nx][0] += ratio
                    * ((out(i + 1 == nx, e.water) - out(i == 0, w.water))
                        + (out(j + 1 == ny, n.water) - out(j == 0, s.water)));
                let wet = (*h - ratio * ((e.water - w.water) + (n.water - s.water))).max(0.0) + rain;
                let qx = q[0] - ratio * ((e.left - w.right) + (n.along - s.along));
                let qy = q[1] - ratio * ((n.left - s.right) + (e.along - w.along));
                *h = wet;
                *q = if wet > STILL_M { friction([qx, qy], wet, ground.manning[cell], dt) } else { [0.0; 2] };
            }
        });
    }

    /// Rain on roofs comes down at once.
    fn roofs(&mut self, rain: f64) {
        if rain <= 0.0 {
            return;
        }
        let ground = self.ground.clone();
        let area = ground.input.cell_m * ground.input.cell_m;
        for roof in &ground.input.roofs {
            let m3 = rain * roof.area_m2;
            self.h[roof.to as usize] += m3 / area;
            self.ledger.roofs.add(m3);
        }
    }

    /// Cells whose level is imposed are filled or emptied to it.
    fn impose(&mut self) {
        let ground = self.ground.clone();
        let area = ground.input.cell_m * ground.input.cell_m;
        for (index, stage) in ground.input.stages.iter().enumerate() {
            let level = self.stage_level_m(index);
            for cell in &stage.cells {
                let cell = *cell as usize;
                let wanted = (level - ground.input.bed_m[cell]).max(0.0);
                self.ledger.stage((wanted - self.h[cell]) * area);
                self.h[cell] = wanted;
                self.q[cell] = [0.0; 2];
            }
        }
    }

    pub(crate) fn stage_level_m(&self, index: usize) -> f64 {
        let series =
            || self.ground.input.stages.get(index).map_or(0.0, |s| series_at(&s.level_m, self.time_s));
        self.level_m.get(index).copied().flatten().unwrap_or_else(series)
    }

    /// The greatest depth and hazard so far, and when water came.
    fn watch(&mut self, rows: usize) {
        let chunk = self.ground.input.nx * rows;
        let time_s = self.time_s;
        let (h, q) = (&self.h, &self.q);
        let bands = self.max_h.par_chunks_mut(chunk).zip(self.max_hazard.par_chunks_mut(chunk));
        bands.zip(self.arrival_s.par_chunks_mut(chunk)).enumerate().for_each(
            |(band, ((max, hazard), arrival))| {
                for (k, ((max, hazard), arrival)) in max.iter_mut().zip(hazard).zip(arrival).enumerate() {
                    let cell = band * chunk + k;
                    let h = h[cell];
                    if h <= STILL_M {
                        continue;
                    }
                    *max = max.max(h);
                    *hazard = hazard.max(hazard_of(h, q[cell]));
                    if h >= ARRIVED_M && *arrival == f64::INFINITY {
                        *arrival = time_s;
                    }
                }
            },
        );
    }

    /// Seconds since the start.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    /// Where everything lies.
    pub fn input(&self) -> &FloodInput {
        &self.ground.input
    }

    /// Depth by cell, m.
    pub fn depth_m(&self) -> &[f64] {
        &self.h
    }

    /// Velocity in a cell, east and north, m/s; still where there is no such cell.
    pub fn velocity_m_s(&self, cell: usize) -> [f64; 2] {
        match (self.h.get(cell), self.q.get(cell)) {
            (Some(h), Some([qx, qy])) => [velocity(*qx, *h), velocity(*qy, *h)],
            _ => [0.0; 2],
        }
    }

    /// Speed in a cell, m/s.
    pub fn speed_m_s(&self, cell: usize) -> f64 {
        let [u, v] = self.velocity_m_s(cell);
        (u * u + v * v).sqrt()
    }

    /// The cell at a place of the plan; nothing outside the grid.
    pub fn cell_at(&self, x_m: f64, y_m: f64) -> Option<usize> {
        let input = &self.ground.input;
        let (i, j) = ((x_m - input.origin_m[0]) / input.cell_m, (y_m - input.origin_m[1]) / input.cell_m);
        let within = i >= 0.0 && j >= 0.0 && i < input.nx as f64 && j < input.ny as f64;
        within.then(|| j as usize * input.nx + i as usize)
    }

    /// The greatest depth of each cell so far, m.
    pub fn max_depth_m(&self) -> &[f64] {
        &self.max_h
    }

    /// The greatest hazard to people of each cell so far: depth × (speed + 0.5) (DEFRA FD2320, without debris), m²/s.
    pub fn max_hazard(&self) -> &[f64] {
        &self.max_hazard
    }

    /// When water of [`ARRIVED_M`] first stood in each cell, s; infinite where it never did.
    pub fn arrival_s(&self) -> &[f64] {
        &self.arrival_s
    }

    /// The rooms, in the order of the input.
    pub fn rooms(&self) -> impl ExactSizeIterator<Item = RoomState> + '_ {
        self.ground.input.rooms.iter().zip(&self.rooms_m3).map(|(room, volume_m3)| {
            let depth_m = volume_m3 / room.area_m2;
            RoomState { depth_m, level_m: room.floor_m + depth_m, volume_m3: *volume_m3 }
        })
    }

    /// What passes the outlet of each drain now, m³/s; negative where water comes back.
    pub fn outlets_m3_s(&self) -> &[f64] {
        &self.outlet_m3_s
    }

    /// What each pump moves now, m³/s.
    pub fn pumps_m3_s(&self) -> &[f64] {
        &self.pumped_m3_s
    }

    /// Which barriers are up, in the order of the input.
    pub fn barriers_up(&self) -> &[bool] {
        &self.up
    }

    /// Where the water came from, where it went and where it is.
    pub fn balance(&self) -> Balance {
        let area = self.ground.input.cell_m * self.ground.input.cell_m;
        let mut rooms = Sum::default();
        self.rooms_m3.iter().for_each(|m3| rooms.add(*m3));
        let mut now = rooms;
        self.h.iter().for_each(|h| now.add(h * area));
        let l = &self.ledger;
        Balance {
            initial_m3: l.initial.value(),
            rain_m3: l.rain.value(),
            roofs_m3: l.roofs.value(),
            stages_in_m3: l.stages_in.value(),
            stages_out_m3: l.stages_out.value(),
            edges_m3: l.edges.value(),
            drains_m3: l.drains.value(),
            pumps_m3: l.pumps.value(),
            rooms_m3: rooms.value(),
            now_m3: now.value(),
        }
    }

    /// Steps that the waves asked for so far, and cells updated in them.
    pub fn counts(&self) -> (u64, u64) {
        (self.steps, self.updates)
    }
}

/// An edge at the right end of a row or column, as the cell before it feels it.
fn rim_east((water, momentum): (f64, f64)) -> Flux {
    Flux { water, left: momentum, ..Flux::default() }
}

/// An edge at the left end, as the cell behind it feels it.
fn rim_west((water, momentum): (f64, f64)) -> Flux {
    Flux { water, right: momentum, ..Flux::default() }
}

/// Manning's friction, semi-implicit: it slows thin water to a stop and never turns it back.
fn friction(q: [f64; 2], h: f64, manning: f64, dt: f64) -> [f64; 2] {
    let discharge = (q[0] * q[0] + q[1] * q[1]).sqrt();
    if discharge == 0.0 || manning == 0.0 {
        return q;
    }
    let drag = dt * flux::G * manning * manning * discharge / (h * h * libm::cbrt(h));
    let left = 1.0 / (1.0 + drag);
    [q[0] * left, q[1] * left]
}

fn hazard_of(h: f64, [qx, qy]: [f64; 2]) -> f64 {
    (qx * qx + qy * qy).sqrt() + 0.5 * h
}
