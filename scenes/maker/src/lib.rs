//! Makes a campus and its typical weather year from a readable description.
//!
//! [`read`] takes `school.toml` ([`School`]: buildings as rows of rooms, the site, the terrain, drains)
//! and the `systems.toml` beside it (kinds of points, equipment, networks); [`make`] gives [`Files`]:
//! `plan.json`, `campus.toml` and `terrain.tif`. [`synthesize`] makes the weather from [`Normals`].
//! The same description and seed give the same bytes on every machine.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod building;
mod campus;
mod description;
mod drains;
mod error;
mod layout;
mod make;
mod openings;
mod site;
mod stairs;
mod terrain;
mod weather;

pub use description::{
    AssemblySpec, AtM, Barrier, BuildingSpec, BumpSpec, DikeSpec, DrainLineSpec, DrainSpec, LineSpec,
    ObjectSpec, OutsideSpec, PairSpec, RoofSpec, RowSpec, School, ShapeSpec, SiteSpec, StoreySpec,
    TerrainSpec, TrackSpec, TreesSpec, UseSpec, WaterSpec,
};
pub use error::MakeError;
pub use make::{Files, make, read};
pub use weather::{Monthly, Normals, NormalsError, Place, PlumRain, Storm, mean_cos_zenith, synthesize};
