//! What schools have, as a campus: OpenStreetMap extracts and lists of points.
//!
//! - [`osm::import`] makes a whole campus of an extract: [`osm::Imported`] has the plan, the text of `campus.toml`, a
//!   flat terrain, and [`Findings`]: everything in the source that was broken or had to be guessed.
//! - [`points::add`] adds points and bindings from a list (CSV) to the text of a `campus.toml`, which keeps its comments.
//!
//! The crate reads bytes that it is handed and gives back text and arrays; reading and writing files is the command's.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod findings;
pub mod osm;
pub mod points;
mod polygon;

pub use findings::{ElementKind, Finding, Findings, OsmId};
