//! A flood that runs.

use std::fmt::Write;
use std::sync::Arc;

use crate::advance::{Advance, Outcome, Scratch};
use crate::balance::Ledger;
use crate::check::check;
use crate::drains::{self, DrainState};
use crate::faces::Faces;
use crate::quantum::{self, Carry};
use crate::rooms::{Basins, LinkState, RoomState};
use crate::survey::{Found, Peaks, survey};
use crate::terrain::Terrain;
use crate::threads::Threads;
use crate::water::Water;
use crate::{FloodInput, InputError, PumpFrom, Roof};

/// Of the time in which waves from all four sides would cross a cell.
const COURANT: f64 = 0.9;

/// No sub-step is longer, s, so that rain and drains follow each other closely.
const LONGEST_S: f64 = 1.0;

/// What never changes.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) input: FloodInput,
    pub(crate) terrain: Terrain,
    /// Tells inputs apart, for [`Flood::restore`].
    pub(crate) digest: [u8; 32],
    /// Cells that aren't blocked.
    pub(crate) open_cells: i64,
}

/// A pump as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PumpState {
    pub(crate) on: bool,
    /// Over the last step, in quanta; not of the pumps of drains.
    pub(crate) moved: i64,
    /// Since the start, in quanta.
    pub(crate) all: i128,
}

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Sub-steps.
    pub sub_steps: u64,
    /// Sub-steps done again at half the length, because a cell would have given more than it had.
    pub retries: u64,
    /// Cells reckoned, over all sub-steps.
    pub cell_updates: u64,
    /// Cells with water now.
    pub wet_cells: u64,
}

/// A flood: its water, its works and its clock. A clone is a fork that shares what never changes.
#[derive(Clone)]
pub struct Flood {
    pub(crate) setup: Arc<Setup>,
    pub(crate) faces: Arc<Faces>,
    pub(crate) time_s: f64,
    /// The length of the last step, s.
    pub(crate) step_s: f64,
    pub(crate) water: Water,
    pub(crate) peaks: Peaks,
    pub(crate) found: Found,
    pub(crate) rain_now: Option<f64>,
    pub(crate) rain_carry: Carry,
    pub(crate) roof_carries: Vec<Carry>,
    /// In place of the stages' series.
    pub(crate) stages_now: Vec<Option<f64>>,
    pub(crate) barriers_up: Vec<bool>,
    pub(crate) rooms: Vec<RoomState>,
    pub(crate) links: Vec<LinkState>,
    pub(crate) drains: Vec<DrainState>,
    pub(crate) pumps: Vec<PumpState>,
    pub(crate) ledger: Ledger,
    pub(crate) counters: Counters,
    /// The water of the sub-step before, to be written over. Not part of the state.
    next: Water,
    scratch: Vec<Scratch>,
}

impl Flood {
    /// A flood at time zero.
    ///
    /// # Errors
    /// When a field cannot be computed: which, why, and how to mend it.
    pub fn new(input: FloodInput) -> Result<Self, InputError> {
        check(&input)?;
        let terrain = Terrain::new(&input);
        let mut water = Water::dry(terrain.nx, terrain.ny);
        let open = (0..terrain.cells()).filter(|&cell| !terrain.blocked(cell));
        for cell in open.clone() {
            let level = quantum::round((input.stage_m.at(cell) - terrain.datum_m).max(-1.0));
            if level > terrain.bed[cell] {
                water.set_depth(cell, level - terrain.bed[cell]);
            }
        }
        let barriers_up: Vec<bool> = input.barriers.iter().map(|b| b.up).collect();
        let drain = |_| DrainState { free: 1.0, ..DrainState::default() };
        let mut flood = Self {
            faces: Arc::new(Faces::new(&input, &terrain, &barriers_up)),
            time_s: 0.0,
            step_s: 0.0,
            next: Water::dry(terrain.nx, terrain.ny),
            peaks: Peaks::none(terrain.cells()),
            found: Found::default(),
            rain_now: None,
            rain_carry: Carry::default(),
            roof_carries: vec![Carry::default(); input.roofs.len()],
            stages_now: vec![None; input.stages.len()],
            barriers_up,
            rooms: vec![RoomState::default(); input.rooms.len()],
            links: input.links.iter().map(|l| LinkState { open: l.open, passed: 0 }).collect(),
            drains: input.drains.iter().map(drain).collect(),
            pumps: input.pumps.iter().map(|p| PumpState { on: p.on, moved: 0, all: 0 }).collect(),
            ledger: Ledger::default(),
            counters: Counters::default(),
            scratch: Scratch::for_bands(&terrain),
            setup: Arc::new(Setup {
                open_cells: open.count() as i64,
                digest: digest(&input),
                input,
                terrain,
            }),
            water,
        };
        flood.impose_stages();
        flood.ledger = Ledger { initial: flood.cells_hold(), ..Ledger::default() };
        flood.survey(&Threads::one());
        Ok(flood)
    }

    /// Runs on by `dt_s`, in as many sub-steps as the waves ask for. Nothing happens unless `dt_s` is finite
    /// and above zero.
    pub fn step(&mut self, dt_s: f64, threads: &Threads) {
        if !(dt_s.is_finite() && dt_s > 0.0) {
            return;
        }
        let (begun_s, mut done_s) = (self.time_s, 0.0);
        self.step_s = dt_s;
        self.rooms.iter_mut().for_each(|r| r.inflow = 0);
        self.links.iter_mut().for_each(|l| l.passed = 0);
        self.pumps.iter_mut().for_each(|p| p.moved = 0);
        for drain in &mut self.drains {
            (drain.out, drain.back, drain.pumped) = (0, 0, 0);
        }
        while done_s < dt_s {
            let left = dt_s - done_s;
            let longest = LONGEST_S.min(COURANT * self.setup.terrain.cell_m / self.found.waves);
            let parts = (left / longest).ceil().max(1.0);
            let done = self.sub_step(left / parts, threads);
            done_s = if done >= left { dt_s } else { done_s + done };
            self.time_s = begun_s + done_s;
            self.impose_stages();
            self.survey(threads);
        }
    }

    /// The water on the grid first, then what is put and taken. Gives the length that it could do, s.
    fn sub_step(&mut self, wanted_s: f64, threads: &Threads) -> f64 {
        let mut dt_s = wanted_s;
        loop {
            let mut carry = self.rain_carry;
            let rain = carry.pay(self.rain_m(dt_s) / quantum::DEPTH_M);
            let outcome = self.advance(dt_s, quantum::depth_m(rain), threads);
            // Halving ends: what passes a face in a short enough time rounds to nothing.
            if outcome.overdrawn {
                self.counters.retries += 1;
                dt_s *= 0.5;
                continue;
            }
            self.rain_carry = carry;
            self.ledger.rain += i128::from(rain) * i128::from(self.setup.open_cells);
            self.ledger.edges_out += i128::from(outcome.edges);
            self.counters.sub_steps += 1;
            self.counters.cell_updates += outcome.updates;
            break;
        }
        std::mem::swap(&mut self.water, &mut self.next);
        self.run_works(dt_s);
        dt_s
    }

    fn advance(&mut self, dt_s: f64, rain: f64, threads: &Threads) -> Outcome {
        let (terrain, faces) = (&self.setup.terrain, &self.faces);
        Advance { terrain, faces, now: &self.water, dt_s, rain }.run(
            &mut self.next,
            &mut self.scratch,
            threads,
        )
    }

    /// Roofs, links, drains and pumps, in this order and each in the input's.
    fn run_works(&mut self, dt_s: f64) {
        let (time_s, rain_m) = (self.time_s, self.rain_m(dt_s));
        let setup = Arc::clone(&self.setup);
        let levels: Vec<f64> =
            (0..setup.input.stages.len()).map(|i| self.stage_level(i, time_s + dt_s)).collect();
        let (terrain, input) = (&setup.terrain, &setup.input);
        let mut basins =
            Basins { terrain, water: &mut self.water, rooms: &input.rooms, states: &mut self.rooms };

        for (Roof { area_m2, to, .. }, carry) in input.roofs.iter().zip(&mut self.roof_carries) {
            let quanta = carry.pay(area_m2 * rain_m / terrain.quantum_m3());
            if quanta > 0 {
                basins.add(crate::End::Cell(*to), quanta);
                self.ledger.roofs += i128::from(quanta);
            }
        }
        for (link, state) in input.links.iter().zip(&mut self.links) {
            basins.pass(link, state, dt_s);
        }
        for (i, (drain, state)) in input.drains.iter().zip(&mut self.drains).enumerate() {
            let of_drain = |p: &crate::Pump| matches!(p.from, PumpFrom::Drain(d) if d as usize == i);
            let running =
                input.pumps.iter().zip(&self.pumps).filter(|(pump, state)| state.on && of_drain(pump));
            let pumps_m3_s: f64 = running.map(|(pump, _)| pump.capacity_m3_s).sum();
            let outside = drain.outside.map(|stage| levels[stage as usize] - terrain.datum_m);
            let (out, back) = (state.all_out, state.all_back);
            drains::run(drain, state, &mut basins, outside, pumps_m3_s, dt_s);
            self.ledger.drains_out += state.all_out - out;
            self.ledger.drains_back += state.all_back - back;
        }
        for (pump, state) in input.pumps.iter().zip(&mut self.pumps).filter(|(_, state)| state.on) {
            let PumpFrom::End(from) = pump.from else { continue };
            let space = pump.to.map_or(i64::MAX, |to| basins.space(to));
            let quanta = basins.quanta(pump.capacity_m3_s * dt_s).min(basins.holds(from)).min(space);
            if quanta == 0 {
                continue;
            }
            basins.add(from, -quanta);
            match pump.to {
                Some(to) => basins.add(to, quanta),
                None => self.ledger.pumps_out += i128::from(quanta),
            }
            state.moved += quanta;
            state.all += i128::from(quanta);
        }
    }

    /// The rain of the sub-step that begins now, m.
    fn rain_m(&self, dt_s: f64) -> f64 {
        match self.rain_now {
            Some(rate) => rate * dt_s,
            None => self.setup.input.rain_m_s.integral(self.time_s, self.time_s + dt_s),
        }
    }

    /// The level of a stage above the input's datum, m.
    pub(crate) fn stage_level(&self, stage: usize, time_s: f64) -> f64 {
        self.stages_now[stage].unwrap_or_else(|| self.setup.input.stages[stage].level_m.at(time_s))
    }

    /// Sets the cells of the stages to their levels. They keep their speed, as open water does.
    pub(crate) fn impose_stages(&mut self) {
        let setup = Arc::clone(&self.setup);
        for (at, stage) in setup.input.stages.iter().enumerate() {
            let level = quantum::round(self.stage_level(at, self.time_s) - setup.terrain.datum_m);
            for &cell in &stage.cells {
                let cell = cell as usize;
                let depth = (level - setup.terrain.bed[cell]).max(0.0);
                let added = quantum::count(depth) - quantum::count(self.water.depth[cell]);
                if added == 0 {
                    continue;
                }
                let (u, v) = (self.water.u[cell], self.water.v[cell]);
                self.water.set_depth(cell, depth);
                if depth > crate::water::DRY_M {
                    (self.water.u[cell], self.water.v[cell]) = (u, v);
                }
                let side = if added > 0 { &mut self.ledger.stages_in } else { &mut self.ledger.stages_out };
                *side += i128::from(added.abs());
            }
        }
    }

    pub(crate) fn survey(&mut self, threads: &Threads) {
        self.found = survey(&self.setup.terrain, &self.water, &mut self.peaks, self.time_s, threads);
        self.counters.wet_cells = self.found.wet;
        debug_assert!(!self.found.unsound, "{}", self.first_unsound());
    }

    /// Where something that is no number came up, for whoever looks for the cause.
    fn first_unsound(&self) -> String {
        let Water { depth, u, v, .. } = &self.water;
        let sound = |cell: &usize| depth[*cell].is_finite() && u[*cell].is_finite() && v[*cell].is_finite();
        let Some(cell) = (0..depth.len()).find(|cell| !sound(cell)) else { return "none".to_owned() };
        let (nx, bed) = (self.setup.terrain.nx, self.setup.terrain.bed[cell]);
        format!(
            "cell {cell} ({}, {}) at {} s: depth {}, velocity ({}, {}), bed {bed} above the datum",
            cell % nx,
            cell / nx,
            self.time_s,
            depth[cell],
            u[cell],
            v[cell],
        )
    }

    /// What the cells hold, in quanta.
    pub(crate) fn cells_hold(&self) -> i128 {
        self.water.depth.iter().map(|&depth| i128::from(quantum::count(depth))).sum()
    }

    /// A flood of a setup, before its state is read.
    pub(crate) fn blank(&self) -> Self {
        let terrain = &self.setup.terrain;
        let (nx, ny) = (terrain.nx, terrain.ny);
        Self {
            water: Water::dry(nx, ny),
            next: Water::dry(nx, ny),
            peaks: Peaks::none(terrain.cells()),
            ..self.clone()
        }
    }
}

/// Equal digests are equal inputs: `Debug` prints every field, and of a number the shortest text that reads
/// back to the same bits.
fn digest(input: &FloodInput) -> [u8; 32] {
    struct Sink(blake3::Hasher);
    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let mut sink = Sink(blake3::Hasher::new());
    // The sink takes everything.
    let _ = write!(sink, "{input:?}");
    *sink.0.finalize().as_bytes()
}
