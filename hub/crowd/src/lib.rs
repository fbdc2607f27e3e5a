//! Pedestrians in continuous space over several storeys.
//!
//! A [`CrowdInput`] has the spaces of a campus (rooms, corridors, the outside, stairs unrolled), the doors
//! between
//! them, goals and groups of people. A [`Crowd`] is made from it, told what changes ([`Change`]) and stepped:
//!
//! ```
//! use campanile_crowd::*;
//! # fn main() -> Result<(), InputError> {
//! let room = Shape::Level {
//!     outline: vec![[0.0, 0.0], [40.0, 0.0], [40.0, 2.0], [0.0, 2.0]],
//!     holes: vec![],
//!     z_m: 0.0,
//! };
//! let end = vec![[39.5, 0.0], [40.0, 0.0], [40.0, 2.0], [39.5, 2.0]];
//! let mut crowd = Crowd::new(CrowdInput {
//!     spaces: vec![Space { id: "corridor".into(), shape: room }],
//!     goals: vec![Goal { id: "end".into(), space: 0, area: end, leaves: true }],
//!     profiles: vec![Profile {
//!         id: "adult".into(),
//!         speed_m_s: [1.33, 0.0, 1.33, 1.33],
//!         radius_m: 0.2,
//!         stairs: [0.5, 0.6],
//!     }],
//!     groups: vec![Group { id: "one".into(), space: 0, people: vec![(0, 1)], premovement_s: [0.0, 0.0] }],
//!     ..CrowdInput::default()
//! })?;
//! crowd.apply(&Change::Send { group: "one".into(), goals: vec!["end".into()] })?;
//! crowd.step(60.0, 1);
//! assert_eq!(crowd.groups()[0].left, 1);
//! # Ok(())
//! # }
//! ```
//!
//! The engine is deterministic: the same input and changes give the same state bit for bit, whatever the
//! number of
//! threads; [`Crowd::hash`] proves it. The model, its sources and its limits are in `docs/engine-crowd.md`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
mod cells;
mod check;
mod crowd;
mod door;
mod draw;
mod error;
mod field;
mod geometry;
mod ground;
mod input;
mod motion;
mod people;
mod place;
mod plan;
mod raster;
mod route;
mod save;
mod sight;
mod slow;
mod speed;
mod step;
mod view;

pub use crowd::Crowd;
pub use error::{InputError, RestoreError};
pub use input::*;
pub use view::{DoorCount, GroupCount, Person, State};
