//! Where every drop came from and went.

/// Counts in quanta since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) initial: i128,
    pub(crate) rain: i128,
    pub(crate) roofs: i128,
    pub(crate) stages_in: i128,
    pub(crate) stages_out: i128,
    pub(crate) edges_out: i128,
    pub(crate) drains_out: i128,
    pub(crate) drains_back: i128,
    pub(crate) pumps_out: i128,
}

impl Ledger {
    /// What should be there now.
    pub(crate) fn due(&self) -> i128 {
        self.came() - self.stages_out - self.edges_out - self.drains_out - self.pumps_out
    }

    fn came(&self) -> i128 {
        self.initial + self.rain + self.roofs + self.stages_in + self.drains_back
    }

    /// In m³, against what is there.
    pub(crate) fn balance(&self, cells: i128, rooms: i128, quantum_m3: f64) -> Balance {
        let m3 = |quanta: i128| quanta as f64 * quantum_m3;
        let error_m3 = m3(cells + rooms - self.due());
        let came_m3 = m3(self.came());
        Balance {
            initial_m3: m3(self.initial),
            rain_m3: m3(self.rain),
            roofs_m3: m3(self.roofs),
            stages_in_m3: m3(self.stages_in),
            stages_out_m3: m3(self.stages_out),
            edges_out_m3: m3(self.edges_out),
            drains_out_m3: m3(self.drains_out),
            drains_back_m3: m3(self.drains_back),
            pumps_out_m3: m3(self.pumps_out),
            cells_m3: m3(cells),
            rooms_m3: m3(rooms),
            error_m3,
            error_relative: if came_m3 > 0.0 { error_m3 / came_m3 } else { error_m3 },
        }
    }
}

/// The water balance since the start, m³.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Balance {
    /// On the grid at the start.
    pub initial_m3: f64,
    /// Fell on cells that aren't blocked.
    pub rain_m3: f64,
    /// Fell on roofs and came down.
    pub roofs_m3: f64,
    /// Entered where levels are imposed.
    pub stages_in_m3: f64,
    /// Left where levels are imposed.
    pub stages_out_m3: f64,
    /// Left over open edges.
    pub edges_out_m3: f64,
    /// Left by drains and their pumps.
    pub drains_out_m3: f64,
    /// Came back up through drains.
    pub drains_back_m3: f64,
    /// Left by pumps that put it off the grid.
    pub pumps_out_m3: f64,
    /// On the grid now.
    pub cells_m3: f64,
    /// In rooms now.
    pub rooms_m3: f64,
    /// What is there, less what should be.
    pub error_m3: f64,
    /// The error by all that came.
    pub error_relative: f64,
}

impl Balance {
    /// All terms by name, m³; `drains` less what came back by them, `now` on the grid and in rooms.
    pub fn terms(&self) -> impl Iterator<Item = (&'static str, f64)> {
        [
            ("initial", self.initial_m3),
            ("rain", self.rain_m3),
            ("roofs", self.roofs_m3),
            ("stages-in", self.stages_in_m3),
            ("stages-out", self.stages_out_m3),
            ("edges", self.edges_out_m3),
            ("drains", self.drains_out_m3 - self.drains_back_m3),
            ("pumps", self.pumps_out_m3),
            ("rooms", self.rooms_m3),
            ("now", self.cells_m3 + self.rooms_m3),
            ("error", self.error_m3),
        ]
        .into_iter()
    }
}
