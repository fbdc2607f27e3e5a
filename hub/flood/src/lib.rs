//! Shallow water on a regular grid, with rooms, drains, pumps and barriers.

mod input;

pub use input::*;
