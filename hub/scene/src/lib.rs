//! One plan for every eye: from a checked campus to glTF.
//!
//! [`build`] turns the plan of a [`Campus`] and its terrain into a binary glTF 2.0 file ([`Glb`]):
//! Y up, metres, x east along the plan's x, z south. Every entity of the plan is a node whose
//! `extras` carry `path`, `kind` and, inside buildings, `storey` (the storey's path); parts of an
//! entity (a door's leaf, furniture) have no path of their own. [`views`] names camera positions,
//! which the file carries in the `extras` of its root. [`topology`] tells what lies on each side of
//! a wall and how large a space is, for the engines.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod build;
mod buildings;
mod document;
mod furniture;
mod ground;
mod mesh;
mod objects;
mod openings;
mod outdoors;
mod plane;
mod roofs;
mod stairs;
mod surfaces;
mod terrain;
pub mod topology;
mod views;
mod walls;

use campanile_model::Campus;

pub use build::build;
pub use document::{Glb, Stats};
pub use views::{View, views};

/// Why no scene can be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// A ring, line, wall or opening names a vertex that isn't in its table.
    #[error("{place} names vertex {index}, which doesn't exist: run `campanile check` and mend the plan")]
    Vertex {
        /// The path of the entity.
        place: String,
        /// The index as given.
        index: u32,
    },
    /// An opening stands on an edge without a wall.
    #[error("{place} stands on an edge without a wall: run `campanile check` and mend the plan")]
    NoWall {
        /// The path of the opening.
        place: String,
    },
    /// A stair has more steps or a roof more panels than any building.
    #[error("{place} has more {what} than {limit}: run `campanile check` and mend the plan")]
    Excess {
        /// The path of the entity.
        place: String,
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A coordinate came out as infinite or not a number.
    #[error("a coordinate is not a finite number: check the plan's sizes, and the terrain for values far out of range")]
    NotFinite,
    /// The scene is larger than the twin can draw.
    #[error("the scene has more {what} than {limit}: simplify the plan or use coarser terrain")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The JSON of the file can't be written.
    #[error("the glTF document can't be written as JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// The file can't be written.
    #[error("can't write {file}: {source}; name a file that can be written")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Builds the scene of a campus and writes it to a file.
///
/// # Errors
/// Those of [`build`], and [`SceneError::Write`].
pub fn write(
    campus: &Campus,
    terrain: Option<&campanile_formats::Grid>,
    file: &std::path::Path,
) -> Result<Stats, SceneError> {
    let glb = build(campus, terrain)?;
    std::fs::write(file, &glb.bytes)
        .map_err(|source| SceneError::Write { file: file.display().to_string(), source })?;
    Ok(glb.stats)
}
