//! What a campus is: buildings, storeys, spaces, openings, equipment, networks, points and units.
//!
//! Two files describe a campus, `plan.json` (geometry, [`Plan`]) and `campus.toml`
//! (everything else, [`CampusFile`]). [`load`] reads both, checks them, reports *all* problems
//! ([`Problem`]) and resolves them into one [`Campus`], which every other crate reads.
//!
//! The crate also has the small types that everything shares: [`PointId`], [`Sample`],
//! [`Value`], [`Quality`], [`Intent`], [`Timestamp`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod campus;
mod campus_file;
mod file;
mod glob;
mod ids;
mod plan;
mod sample;

pub use campus::*;
pub use campus_file::*;
pub use file::*;
pub use glob::*;
pub use ids::*;
pub use plan::*;
pub use sample::*;
