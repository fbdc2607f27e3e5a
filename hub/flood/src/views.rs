//! What may be seen of a flood.

use crate::faces::sides;
use crate::survey::{ARRIVED_M, FILM_M};
use crate::water::DRY_M;
use crate::{Balance, Counters, Flood, FloodInput, PumpFrom};

/// A room.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct RoomView<'a> {
    /// Its name.
    pub id: &'a str,
    /// Its level above datum, m; the floor when dry.
    pub level_m: f64,
    /// Above its floor, m.
    pub depth_m: f64,
    /// What it holds, m³.
    pub volume_m3: f64,
    /// What came in, less what went, in the mean over the last step, m³/s.
    pub inflow_m3_s: f64,
}

/// A drain; flows are means over the last step.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DrainView<'a> {
    /// Its name.
    pub id: &'a str,
    /// The share of its inlets that is free.
    pub free: f64,
    /// What it carries off, with its pumps, m³/s.
    pub out_m3_s: f64,
    /// What its pumps do of this, m³/s.
    pub pumped_m3_s: f64,
    /// What comes back up, m³/s.
    pub back_m3_s: f64,
    /// What its outlet lets pass by gravity as levels stand, m³/s.
    pub capacity_m3_s: f64,
    /// Carried off since the start, m³.
    pub out_m3: f64,
    /// Came back since the start, m³.
    pub back_m3: f64,
}

/// A barrier.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct BarrierView<'a> {
    /// Its name.
    pub id: &'a str,
    /// Whether it is up.
    pub up: bool,
    /// The least height of its crest, were it up, above the higher water or ground beside it, m; negative
    /// where water stands higher; infinite for a wall, or without faces.
    pub freeboard_m: f64,
}

/// A pump.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct PumpView<'a> {
    /// Its name.
    pub id: &'a str,
    /// Whether it runs.
    pub on: bool,
    /// What it moved in the mean over the last step, m³/s; of a drain's pumps, by their share of the
    /// capacity.
    pub flow_m3_s: f64,
    /// What it moved since the start, m³; zero for a drain's pump, see the drain.
    pub moved_m3: f64,
}

/// A link.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct LinkView<'a> {
    /// Its name.
    pub id: &'a str,
    /// The share of its width that lets water pass.
    pub open: f64,
    /// From `a` to `b` in the mean over the last step, m³/s.
    pub flow_m3_s: f64,
}

/// An imposed level.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct StageView<'a> {
    /// Its name.
    pub id: &'a str,
    /// Its level above datum now, m.
    pub level_m: f64,
}

impl Flood {
    /// Seconds since the start.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    /// What it was made from.
    pub fn input(&self) -> &FloodInput {
        &self.setup.input
    }

    /// The depth of every cell, m.
    pub fn depth_m(&self) -> &[f64] {
        &self.water.depth
    }

    /// The cell at a place of the plan; nothing outside the grid.
    pub fn cell_at(&self, x_m: f64, y_m: f64) -> Option<usize> {
        let FloodInput { origin_m, cell_m, nx, ny, .. } = &self.setup.input;
        let (i, j) = ((x_m - origin_m[0]) / cell_m, (y_m - origin_m[1]) / cell_m);
        let within = i >= 0.0 && j >= 0.0 && i < *nx as f64 && j < *ny as f64;
        within.then(|| j as usize * nx + i as usize)
    }

    /// East and north, m/s; zero beyond the grid.
    pub fn velocity_m_s(&self, cell: usize) -> [f64; 2] {
        let of = |all: &[f64]| all.get(cell).copied().unwrap_or(0.0);
        [of(&self.water.u), of(&self.water.v)]
    }

    /// The speed of a cell, m/s; zero beyond the grid.
    pub fn speed_m_s(&self, cell: usize) -> f64 {
        if cell < self.water.u.len() { self.water.speed(cell) } else { 0.0 }
    }

    /// The water level of a cell above datum, m; none where it is dry.
    pub fn stage_m(&self, cell: usize) -> Option<f64> {
        let depth = self.water.depth.get(cell).copied().filter(|&depth| depth > DRY_M)?;
        Some(self.setup.terrain.datum_m + (self.setup.terrain.bed[cell] + depth))
    }

    /// The greatest depth that each cell has seen at the end of a sub-step, m.
    pub fn max_depth_m(&self) -> &[f64] {
        &self.peaks.depth
    }

    /// The greatest speed that each cell has seen while it was at least [`Flood::FILM_M`] deep, m/s.
    pub fn max_speed_m_s(&self) -> &[f64] {
        &self.peaks.speed
    }

    /// The greatest hazard d (v + 0.5) that each cell has seen (DEFRA FD2320, without debris), m²/s. Below
    /// [`Flood::FILM_M`] the speed counts as zero.
    pub fn max_hazard_m2_s(&self) -> &[f64] {
        &self.peaks.hazard
    }

    /// When each cell was first [`Flood::ARRIVED_M`] deep, s; infinite where it never was.
    pub fn arrival_s(&self) -> &[f64] {
        &self.peaks.arrival
    }

    /// From this depth on water has arrived, m.
    pub const ARRIVED_M: f64 = ARRIVED_M;

    /// From this depth on speed counts, m.
    pub const FILM_M: f64 = FILM_M;

    /// The rooms, in the input's order.
    pub fn rooms(&self) -> Vec<RoomView<'_>> {
        let quantum_m3 = self.setup.terrain.quantum_m3();
        let rooms = self.setup.input.rooms.iter().zip(&self.rooms);
        rooms
            .map(|(room, state)| {
                let volume_m3 = state.holds as f64 * quantum_m3;
                let depth_m = volume_m3 / room.area_m2;
                let level_m = room.floor_m + depth_m;
                RoomView { id: &room.id, level_m, depth_m, volume_m3, inflow_m3_s: self.rate(state.inflow) }
            })
            .collect()
    }

    /// The links, in the input's order.
    pub fn links(&self) -> Vec<LinkView<'_>> {
        let links = self.setup.input.links.iter().zip(&self.links);
        links
            .map(|(link, state)| LinkView {
                id: &link.id,
                open: state.open,
                flow_m3_s: self.rate(state.passed),
            })
            .collect()
    }

    /// The drains, in the input's order.
    pub fn drains(&self) -> Vec<DrainView<'_>> {
        let quantum_m3 = self.setup.terrain.quantum_m3();
        let drains = self.setup.input.drains.iter().zip(&self.drains);
        drains
            .map(|(drain, state)| DrainView {
                id: &drain.id,
                free: state.free,
                out_m3_s: self.rate(state.out),
                pumped_m3_s: self.rate(state.pumped),
                back_m3_s: self.rate(state.back),
                capacity_m3_s: state.capacity_m3_s,
                out_m3: state.all_out as f64 * quantum_m3,
                back_m3: state.all_back as f64 * quantum_m3,
            })
            .collect()
    }

    /// The barriers, in the input's order.
    pub fn barriers(&self) -> Vec<BarrierView<'_>> {
        let terrain = &self.setup.terrain;
        let freeboard = |barrier: &crate::Barrier| {
            let over = barrier.faces.iter().map(|&face| {
                let (low, high) = sides(face, terrain.nx);
                let level = |cell: usize| terrain.bed[cell] + self.water.depth[cell];
                let ground = terrain.bed[low].max(terrain.bed[high]);
                (ground + barrier.height_m) - level(low).max(level(high))
            });
            over.fold(f64::INFINITY, f64::min)
        };
        let barriers = self.setup.input.barriers.iter().zip(&self.barriers_up);
        barriers.map(|(b, &up)| BarrierView { id: &b.id, up, freeboard_m: freeboard(b) }).collect()
    }

    /// The pumps, in the input's order.
    pub fn pumps(&self) -> Vec<PumpView<'_>> {
        let pumps = || self.setup.input.pumps.iter().zip(&self.pumps);
        let on_drain = |drain: u32| {
            let of_it = pumps().filter(move |(p, state)| state.on && p.from == PumpFrom::Drain(drain));
            of_it.map(|(p, _)| p.capacity_m3_s).sum::<f64>()
        };
        pumps()
            .map(|(pump, state)| {
                let flow_m3_s = match pump.from {
                    PumpFrom::End(_) => self.rate(state.moved),
                    PumpFrom::Drain(drain) if state.on && pump.capacity_m3_s > 0.0 => {
                        self.rate(self.drains[drain as usize].pumped) * (pump.capacity_m3_s / on_drain(drain))
                    }
                    PumpFrom::Drain(_) => 0.0,
                };
                let moved_m3 = state.all as f64 * self.setup.terrain.quantum_m3();
                PumpView { id: &pump.id, on: state.on, flow_m3_s, moved_m3 }
            })
            .collect()
    }

    /// The stages, in the input's order.
    pub fn stages(&self) -> Vec<StageView<'_>> {
        let stages = self.setup.input.stages.iter().enumerate();
        stages
            .map(|(i, stage)| StageView { id: &stage.id, level_m: self.stage_level(i, self.time_s) })
            .collect()
    }

    /// Where every drop came from and went.
    pub fn balance(&self) -> Balance {
        let rooms = self.rooms.iter().map(|room| i128::from(room.holds)).sum();
        self.ledger.balance(self.cells_hold(), rooms, self.setup.terrain.quantum_m3())
    }

    /// How much was done.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Quanta over the last step as a mean flow, m³/s.
    fn rate(&self, quanta: i64) -> f64 {
        if self.step_s > 0.0 { quanta as f64 * self.setup.terrain.quantum_m3() / self.step_s } else { 0.0 }
    }
}
