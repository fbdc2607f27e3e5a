//! Bytes to arrays and back: EPW, GeoTIFF, ESRI ASCII grids, CSV with local time.
//!
//! This crate knows how a file is written, never what its numbers mean for a campus. Each format is
//! one flat module of plain functions over plain data:
//!
//! - [`epw`]: [`Epw`], a year of hourly weather, with [`Epw::at`] for any moment of the year;
//! - [`geotiff`] and [`esri_ascii`]: a [`Grid`] of `f32`, north up, with an optional "no data" value;
//! - [`csv_series`]: [`LocalCsv`], rows of a CSV whose time column is in local time.
//!
//! Everything read here comes from outside, so every reader has a limit on size and every error
//! says where the fault lies and how to mend it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod csv_series;
pub mod epw;
pub mod esri_ascii;
pub mod geotiff;
mod grid;

pub use csv_series::{CsvConfig, CsvSeriesError, LocalCsv};
pub use epw::{Epw, EpwError, EpwHour, EpwLocation};
pub use grid::{Grid, GridError, MAX_CELLS};
