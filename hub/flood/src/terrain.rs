//! The ground and what never changes about a cell.

use crate::{Field, FloodInput, quantum};

pub(crate) const G: f64 = 9.81;

impl Field {
    /// The value of a cell.
    pub fn at(&self, cell: usize) -> f64 {
        match self {
            Self::Uniform(value) => *value,
            Self::Cells(values) => values[cell],
        }
    }
}

/// The grid's ground. Levels inside the engine are above `datum_m`, so that they are exact in quanta.
#[derive(Debug)]
pub(crate) struct Terrain {
    pub(crate) nx: usize,
    pub(crate) ny: usize,
    pub(crate) cell_m: f64,
    pub(crate) datum_m: f64,
    /// Above the datum, in whole quanta; zero where blocked.
    pub(crate) bed: Vec<f64>,
    /// g n², of Manning's n; negative where blocked, where no rain falls either.
    pub(crate) drag: Vec<f64>,
}

impl Terrain {
    /// For a checked input.
    pub(crate) fn new(input: &FloodInput) -> Self {
        let blocked = |cell: usize| input.blocked.get(cell).copied().unwrap_or(false);
        let datum_m = lowest_ground_m(input).floor();
        let cells = 0..input.nx * input.ny;
        let bed = |cell| if blocked(cell) { 0.0 } else { quantum::round(input.bed_m[cell] - datum_m) };
        let drag =
            |cell| if blocked(cell) { -1.0 } else { G * input.manning.at(cell) * input.manning.at(cell) };
        Self {
            nx: input.nx,
            ny: input.ny,
            cell_m: input.cell_m,
            datum_m,
            bed: cells.clone().map(bed).collect(),
            drag: cells.map(drag).collect(),
        }
    }

    pub(crate) fn cells(&self) -> usize {
        self.bed.len()
    }

    pub(crate) fn area_m2(&self) -> f64 {
        self.cell_m * self.cell_m
    }

    /// The volume of a quantum over one cell.
    pub(crate) fn quantum_m3(&self) -> f64 {
        quantum::DEPTH_M * self.area_m2()
    }

    pub(crate) fn blocked(&self, cell: usize) -> bool {
        self.drag[cell] < 0.0
    }
}

/// The lowest ground where water may stand; zero when there is none.
pub(crate) fn lowest_ground_m(input: &FloodInput) -> f64 {
    let open = |cell: &usize| !input.blocked.get(*cell).copied().unwrap_or(false);
    let lowest =
        (0..input.bed_m.len()).filter(open).map(|cell| input.bed_m[cell]).fold(f64::INFINITY, f64::min);
    if lowest.is_finite() { lowest } else { 0.0 }
}
