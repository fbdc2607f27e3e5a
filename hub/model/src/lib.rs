//! What a campus is: buildings, storeys, spaces, openings, equipment, networks, points and units.
//!
//! Two files describe a campus, `plan.json` (geometry, [`Plan`]) and `campus.toml`
//! (everything else, [`CampusFile`]). [`load`] reads both, checks them, reports *all* problems
//! ([`Problem`]) and resolves them into one [`Campus`], which every other crate reads.
//!
//! The crate also has the small types that everything shares: [`PointId`], [`Sample`],
//! [`Value`], [`Quality`], [`Intent`], [`Timestamp`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bindings;
mod campus;
mod campus_file;
mod check_building;
mod check_site;
mod entities;
mod file;
mod geometry;
mod glob;
mod ids;
mod networks;
mod plan;
mod points;
mod problem;
mod resolve;
mod sample;
mod schema;
mod shape;
mod suggest;
mod tables;
mod template;
mod toml_doc;

pub use campus::*;
pub use campus_file::*;
pub use file::*;
pub use glob::*;
pub use ids::*;
pub use plan::*;
pub use problem::{Place, Problem, Problems, Severity};
pub use sample::*;
pub use schema::*;
pub use suggest::did_you_mean;
pub use tables::is_ucum_unit;
