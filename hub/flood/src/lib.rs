//! Shallow water on a regular grid, with rooms, drains, pumps and barriers.
//!
//! A [`FloodInput`] has the ground and what stands on it; a [`Flood`] is made from it, told what changes ([`Change`]) and
//! stepped:
//!
//! ```
//! use campanile_flood::*;
//! # fn main() -> Result<(), InputError> {
//! let mut flood = Flood::new(FloodInput { rain_m_s: Series { corners: vec![(0.0, 1e-5)] }, ..FloodInput::flat(20, 10, 2.0) })?;
//! flood.step(60.0, 1);
//! let balance = flood.balance();
//! assert!((balance.rain_m3 - 20.0 * 10.0 * 4.0 * 1e-5 * 60.0).abs() < 1e-9);
//! assert!(balance.error().abs() < 1e-13);
//! # Ok(())
//! # }
//! ```
//!
//! First order in space and time: hydrostatic reconstruction with the flux of Harten, Lax and van Leer, semi-implicit
//! friction after Manning. Still water stays still to the last digit, water is neither made nor lost, no depth is ever
//! negative, and the result is the same bit for bit whatever the number of threads ([`Flood::hash`]). Equations, sources
//! and limits: `docs/engine-flood.md`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod balance;
mod check;
mod error;
mod exchange;
mod flood;
mod flux;
mod input;
mod pool;
mod save;

pub use balance::Balance;
pub use error::{ChangeError, InputError, RestoreError};
pub use flood::{ARRIVED_M, Flood, RoomState};
pub use input::*;
