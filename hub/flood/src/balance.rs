//! Where water comes from and goes to.

use serde::{Deserialize, Serialize};

/// A sum that keeps what rounding would lose (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds a number.
    pub fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    /// What it is.
    pub fn value(&self) -> f64 {
        self.sum + self.lost
    }

    pub(crate) fn parts(&self) -> [f64; 2] {
        [self.sum, self.lost]
    }

    pub(crate) fn of_parts([sum, lost]: [f64; 2]) -> Self {
        Self { sum, lost }
    }
}

/// What has come and gone since the start, m³.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    pub initial: Sum,
    pub rain: Sum,
    pub roofs: Sum,
    pub stages_in: Sum,
    pub stages_out: Sum,
    pub edges: Sum,
    pub drains: Sum,
    pub pumps: Sum,
}

impl Ledger {
    pub fn sums(&self) -> [&Sum; 8] {
        let Self { initial, rain, roofs, stages_in, stages_out, edges, drains, pumps } = self;
        [initial, rain, roofs, stages_in, stages_out, edges, drains, pumps]
    }

    pub fn of(sums: [Sum; 8]) -> Self {
        let [initial, rain, roofs, stages_in, stages_out, edges, drains, pumps] = sums;
        Self { initial, rain, roofs, stages_in, stages_out, edges, drains, pumps }
    }

    /// What an imposed level has given or taken.
    pub fn stage(&mut self, m3: f64) {
        if m3 >= 0.0 {
            self.stages_in.add(m3);
        } else {
            self.stages_out.add(-m3);
        }
    }
}

/// The water of a flood: where it came from, where it went and where it is, m³.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// There at the start.
    pub initial_m3: f64,
    /// Rain on the ground.
    pub rain_m3: f64,
    /// Rain on roofs, come down.
    pub roofs_m3: f64,
    /// From waters whose level is imposed.
    pub stages_in_m3: f64,
    /// To waters whose level is imposed.
    pub stages_out_m3: f64,
    /// Out over open edges.
    pub edges_m3: f64,
    /// Out by drains, less what came back by them.
    pub drains_m3: f64,
    /// Out by pumps that lead off the grid.
    pub pumps_m3: f64,
    /// In rooms now.
    pub rooms_m3: f64,
    /// On the ground and in rooms now.
    pub now_m3: f64,
}

impl Balance {
    /// What can't be accounted for, m³.
    pub fn error_m3(&self) -> f64 {
        let came = self.initial_m3 + self.rain_m3 + self.roofs_m3 + self.stages_in_m3;
        let went = self.stages_out_m3 + self.edges_m3 + self.drains_m3 + self.pumps_m3;
        self.now_m3 - (came - went)
    }

    /// The same as a share of all water that was ever there.
    pub fn error(&self) -> f64 {
        let all = self.initial_m3 + self.rain_m3 + self.roofs_m3 + self.stages_in_m3;
        if all > 0.0 { self.error_m3() / all } else { self.error_m3() }
    }

    /// All terms by name, m³.
    pub fn terms(&self) -> impl Iterator<Item = (&'static str, f64)> {
        [
            ("initial", self.initial_m3),
            ("rain", self.rain_m3),
            ("roofs", self.roofs_m3),
            ("stages-in", self.stages_in_m3),
            ("stages-out", self.stages_out_m3),
            ("edges", self.edges_m3),
            ("drains", self.drains_m3),
            ("pumps", self.pumps_m3),
            ("rooms", self.rooms_m3),
            ("now", self.now_m3),
            ("error", self.error_m3()),
        ]
        .into_iter()
    }
}
