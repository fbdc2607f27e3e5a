//! ESRI ASCII grids (`.asc`): a header of names and numbers, then the values row by row from the north.
//!
//! Reads `ncols`, `nrows`, `xllcorner` or `xllcenter`, `yllcorner` or `yllcenter`, `cellsize` (or `dx`
//! and `dy`, which GDAL writes for oblong cells) and `NODATA_value`, names in any case.

use crate::grid::{self, Grid, GridError};

/// What can be wrong with an ESRI ASCII grid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EsriAsciiError {
    /// A header entry that every grid needs is missing.
    #[error("the header has no `{name}`: add a line `{name} NUMBER` above the values")]
    Missing {
        /// Name of the entry.
        name: &'static str,
    },
    /// A word isn't a number.
    #[error("line {line}, word {column}: `{found}` isn't a number; give {wanted}")]
    Number {
        /// Line, from 1.
        line: usize,
        /// Word in the line, from 1.
        column: usize,
        /// The word, shortened.
        found: String,
        /// What belongs there.
        wanted: &'static str,
    },
    /// More or fewer values than cells, wrong size or geometry.
    #[error(transparent)]
    Grid(#[from] GridError),
}

/// Header names; anything else starts the values.
const NAMES: [&str; 10] = [
    "ncols",
    "nrows",
    "xllcorner",
    "xllcenter",
    "yllcorner",
    "yllcenter",
    "cellsize",
    "dx",
    "dy",
    "nodata_value",
];

/// Reads a grid.
///
/// # Errors
/// [`EsriAsciiError`] for a missing header entry, a word that is no number, or a size beyond the limits.
pub fn read(text: &str) -> Result<Grid, EsriAsciiError> {
    let mut header: [Option<f64>; NAMES.len()] = [None; NAMES.len()];
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.peek().copied() {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else {
            lines.next();
            continue;
        };
        let Some(at) = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known)) else { break };
        let word = words.next().unwrap_or("");
        let value = word.parse::<f64>().map_err(|_| number(index, 1, word, "the entry's value"))?;
        header[at] = Some(value);
        lines.next();
    }
    let need = |at: usize| header[at].ok_or(EsriAsciiError::Missing { name: NAMES[at] });
    let (cols, rows) = (count(need(0)?), count(need(1)?));
    grid::check_size(cols, rows)?;
    let (cols, rows) = (cols as usize, rows as usize);
    let (dx, dy) = match header[6] {
        Some(size) => (size, size),
        None => (need(7).map_err(|_| EsriAsciiError::Missing { name: "cellsize" })?, need(8)?),
    };
    let x_min = match (header[2], header[3]) {
        (Some(corner), _) => corner,
        (None, Some(centre)) => centre - 0.5 * dx,
        (None, None) => return Err(EsriAsciiError::Missing { name: "xllcorner" }),
    };
    let y_min = match (header[4], header[5]) {
        (Some(corner), _) => corner,
        (None, Some(centre)) => centre - 0.5 * dy,
        (None, None) => return Err(EsriAsciiError::Missing { name: "yllcorner" }),
    };
    let origin = (x_min, y_min + rows as f64 * dy);
    grid::check_geometry((dx, dy), origin)?;
    let mut values = Vec::with_capacity(cols * rows);
    for (index, line) in lines {
        for (column, word) in line.split_whitespace().enumerate() {
            let value = word.parse::<f32>().map_err(|_| number(index, column, word, "the cell's value"))?;
            if values.len() == cols * rows {
                return Err(GridError::Count { cols, rows, found: values.len() + 1 }.into());
            }
            values.push(value);
        }
    }
    let grid = Grid { cols, rows, cell_m: (dx, dy), origin, nodata: header[9].map(|v| v as f32), values };
    grid.check()?;
    Ok(grid)
}

/// Writes a grid; every value reads back to the same `f32`.
///
/// # Errors
/// [`GridError`] if the grid is inconsistent.
pub fn write(grid: &Grid) -> Result<String, GridError> {
    use std::fmt::Write as _;
    grid.check()?;
    let mut out = String::with_capacity(grid.values.len() * 8 + 200);
    let y_min = grid.origin.1 - grid.rows as f64 * grid.cell_m.1;
    // Writing to a String can't fail, so the results are of no interest.
    let _ = writeln!(
        out,
        "ncols {}\nnrows {}\nxllcorner {}\nyllcorner {y_min}",
        grid.cols, grid.rows, grid.origin.0
    );
    let _ = if grid.cell_m.0 == grid.cell_m.1 {
        writeln!(out, "cellsize {}", grid.cell_m.0)
    } else {
        writeln!(out, "dx {}\ndy {}", grid.cell_m.0, grid.cell_m.1)
    };
    if let Some(nodata) = grid.nodata {
        let _ = writeln!(out, "NODATA_value {nodata}");
    }
    for row in grid.values.chunks(grid.cols) {
        for (col, value) in row.iter().enumerate() {
            let _ = write!(out, "{}{value}", if col == 0 { "" } else { " " });
        }
        out.push('\n');
    }
    Ok(out)
}

fn number(index: usize, column: usize, word: &str, wanted: &'static str) -> EsriAsciiError {
    EsriAsciiError::Number {
        line: index + 1,
        column: column + 1,
        found: word.chars().take(40).collect(),
        wanted,
    }
}

/// A header number as a count; anything that is no whole number becomes 0, which the size check refuses.
fn count(value: f64) -> u64 {
    if value >= 1.0 && value.fract() == 0.0 && value < 1e15 { value as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "NCOLS 3\nnrows 2\nxllcenter 10.5\nyllcorner 20\ncellsize 1\nNODATA_value -9999\n1 2 3\n4 -9999 6.5\n";

    #[test]
    fn reads_centres_corners_and_holes() {
        let grid = read(SMALL).unwrap();
        assert_eq!(grid.origin, (10.0, 22.0));
        assert_eq!(grid.get(2, 1), Some(6.5));
        assert_eq!(grid.get(1, 1), None);
    }

    #[test]
    fn round_trips_square_and_oblong() {
        let mut grid = read(SMALL).unwrap();
        grid.values[0] = 0.1 + 0.2;
        assert_eq!(read(&write(&grid).unwrap()).unwrap(), grid);
        grid.cell_m = (0.5, 0.25);
        grid.origin = (10.0, 20.5);
        grid.nodata = None;
        assert_eq!(read(&write(&grid).unwrap()).unwrap(), grid);
    }

    #[test]
    fn faults_name_their_place() {
        for (text, says) in [
            (SMALL.replace("4 -9999", "4 x"), "line 8, word 2: `x`"),
            (SMALL.replace("xllcenter 10.5\n", ""), "no `xllcorner`"),
            (SMALL.replace("cellsize 1\n", ""), "no `cellsize`"),
            (SMALL.replace("cellsize 1", "cellsize -1"), "cell (-1, -1)"),
            (SMALL.replace(" 6.5", ""), "needs 6 values but has 5"),
            (SMALL.replace(" 6.5", " 6.5 7"), "needs 6 values but has 7"),
            (SMALL.replace("NCOLS 3", "NCOLS 3000000000"), "outside the limits"),
            (SMALL.replace("NCOLS 3", "NCOLS 2.5"), "outside the limits"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{error} should say {says}");
        }
    }
}
