//! A regular grid of numbers over the plan.

/// The largest number of cells that a reader accepts: 64 Mi cells are 256 MiB of `f32`.
pub const MAX_CELLS: usize = 64 * 1024 * 1024;

/// A north-up grid of `f32` values, such as ground heights.
///
/// The first row is the northernmost. Values belong to cell centres.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Number of columns, west to east.
    pub cols: usize,
    /// Number of rows, north to south.
    pub rows: usize,
    /// Width (x) and height (y) of a cell, metres, both positive.
    pub cell_m: (f64, f64),
    /// The outer corner of the north-western cell: `(x_min, y_max)`, metres.
    pub origin: (f64, f64),
    /// The value that marks a cell without data.
    pub nodata: Option<f32>,
    /// `rows × cols` values, row by row from the north.
    pub values: Vec<f32>,
}

/// What can be wrong with a grid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// A dimension is zero, or there are more cells than [`MAX_CELLS`].
    #[error(
        "a grid of {cols} × {rows} cells is outside the limits: make it 1 to {MAX_CELLS} cells, by cropping it or by a coarser cell"
    )]
    Size {
        /// Columns as given.
        cols: u64,
        /// Rows as given.
        rows: u64,
    },
    /// The number of values doesn't fit the dimensions.
    #[error("a grid of {cols} × {rows} cells needs {} values but has {found}: give one value a cell", cols * rows)]
    Count {
        /// Columns of the grid.
        cols: usize,
        /// Rows of the grid.
        rows: usize,
        /// Values found.
        found: usize,
    },
    /// A cell size isn't a positive number, or the origin isn't finite.
    #[error("the grid's cell ({}, {}) m or origin ({}, {}) m isn't usable: cells are finite and positive, north up", cell_m.0, cell_m.1, origin.0, origin.1)]
    Geometry {
        /// Cell size as given.
        cell_m: (f64, f64),
        /// Origin as given.
        origin: (f64, f64),
    },
}

impl Grid {
    /// Checks dimensions, count of values and geometry.
    ///
    /// # Errors
    /// The first [`GridError`] that applies.
    pub fn check(&self) -> Result<(), GridError> {
        check_size(self.cols as u64, self.rows as u64)?;
        if self.values.len() != self.cols * self.rows {
            return Err(GridError::Count { cols: self.cols, rows: self.rows, found: self.values.len() });
        }
        check_geometry(self.cell_m, self.origin)
    }

    /// The value of a cell, or `None` outside the grid or where there is no data.
    #[must_use]
    pub fn get(&self, col: usize, row: usize) -> Option<f32> {
        if col >= self.cols || row >= self.rows {
            return None;
        }
        let value = *self.values.get(row * self.cols + col)?;
        if value.is_nan() || self.nodata == Some(value) { None } else { Some(value) }
    }

    /// The value at `(x, y)` metres, bilinear between the four nearest cell centres.
    ///
    /// Within half a cell of the edge the outermost centres extend outwards. Gives `None` outside
    /// the grid, and where a cell that would take part has no data: a guess across a hole would
    /// look like a measurement.
    #[must_use]
    pub fn sample_bilinear(&self, x: f64, y: f64) -> Option<f32> {
        let u = (x - self.origin.0) / self.cell_m.0;
        let v = (self.origin.1 - y) / self.cell_m.1;
        if !(u >= 0.0 && v >= 0.0 && u <= self.cols as f64 && v <= self.rows as f64) {
            return None;
        }
        let (col, fx) = split(u - 0.5, self.cols);
        let (row, fy) = split(v - 0.5, self.rows);
        let mut sum = 0.0;
        for (c, r, weight) in [
            (col, row, (1.0 - fx) * (1.0 - fy)),
            (col + 1, row, fx * (1.0 - fy)),
            (col, row + 1, (1.0 - fx) * fy),
            (col + 1, row + 1, fx * fy),
        ] {
            if weight > 0.0 {
                sum += weight * f64::from(self.get(c, r)?);
            }
        }
        Some(sum as f32)
    }
}

/// The index of the centre at or before `t` and the fraction towards the next, clamped to `0..len`.
fn split(t: f64, len: usize) -> (usize, f64) {
    let t = t.clamp(0.0, (len - 1) as f64);
    let index = t.floor();
    (index as usize, t - index)
}

/// Checks dimensions against [`MAX_CELLS`] before anything is allocated.
pub(crate) fn check_size(cols: u64, rows: u64) -> Result<(), GridError> {
    match cols.checked_mul(rows) {
        Some(cells) if cells > 0 && cells <= MAX_CELLS as u64 => Ok(()),
        _ => Err(GridError::Size { cols, rows }),
    }
}

/// Checks cell size and origin.
pub(crate) fn check_geometry(cell_m: (f64, f64), origin: (f64, f64)) -> Result<(), GridError> {
    let positive = |v: f64| v.is_finite() && v > 0.0;
    if positive(cell_m.0) && positive(cell_m.1) && origin.0.is_finite() && origin.1.is_finite() {
        Ok(())
    } else {
        Err(GridError::Geometry { cell_m, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plane z = 10 + x + 2 y on a 4 × 3 grid of 2 m × 1 m cells.
    fn plane() -> Grid {
        let mut values = Vec::new();
        for row in 0..3 {
            for col in 0..4 {
                let (x, y) = (100.0 + 2.0 * (f64::from(col) + 0.5), 53.0 - (f64::from(row) + 0.5));
                values.push((10.0 + x + 2.0 * y) as f32);
            }
        }
        Grid { cols: 4, rows: 3, cell_m: (2.0, 1.0), origin: (100.0, 53.0), nodata: Some(-9999.0), values }
    }

    #[test]
    fn a_plane_is_sampled_exactly_between_centres() {
        let grid = plane();
        grid.check().unwrap();
        for (x, y) in [(101.0, 52.5), (103.3, 51.2), (107.0, 50.5), (104.0, 51.0)] {
            let got = grid.sample_bilinear(x, y).unwrap();
            assert!((f64::from(got) - (10.0 + x + 2.0 * y)).abs() < 1e-4, "at {x},{y}: {got}");
        }
    }

    #[test]
    fn edges_extend_half_a_cell_and_no_further() {
        let grid = plane();
        assert_eq!(grid.sample_bilinear(100.0, 53.0), grid.get(0, 0));
        assert_eq!(grid.sample_bilinear(108.0, 50.0), grid.get(3, 2));
        assert_eq!(grid.sample_bilinear(99.99, 52.0), None);
        assert_eq!(grid.sample_bilinear(104.0, f64::NAN), None);
    }

    #[test]
    fn a_hole_is_never_bridged() {
        let mut grid = plane();
        grid.values[5] = -9999.0;
        assert_eq!(grid.get(1, 1), None);
        assert_eq!(grid.sample_bilinear(103.5, 51.5), None);
        // exactly on a centre beside the hole no weight falls into it
        assert!(grid.sample_bilinear(101.0, 51.5).is_some());
    }

    #[test]
    fn impossible_grids_are_refused() {
        let mut grid = plane();
        grid.values.pop();
        assert!(matches!(grid.check(), Err(GridError::Count { found: 11, .. })));
        assert!(check_size(0, 5).is_err());
        assert!(check_size(u64::MAX, 2).is_err());
        assert!(check_geometry((1.0, -1.0), (0.0, 0.0)).is_err());
    }
}
