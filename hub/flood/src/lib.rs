//! Shallow water on a regular grid, with rooms, drains, pumps and barriers.
//!
//! Numbers in, numbers out: [`FloodInput`] → [`Flood::new`] → [`Flood::step`] and its views. The equations,
//! their sources and the limits are in `docs/engine-flood.md`. The same input and changes at the same steps
//! give the same bits on every machine and any number of threads; [`Flood::hash`] proves it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advance;
mod balance;
pub mod bench;
mod change;
mod check;
mod drains;
mod faces;
mod flood;
mod flux;
mod input;
mod opening;
mod quantum;
mod rooms;
mod save;
mod series;
mod survey;
mod terrain;
mod threads;
mod views;
mod water;

pub use balance::Balance;
pub use change::ChangeError;
pub use check::{InputError, MAX_CELLS, MAX_SPAN_M};
pub use flood::{Counters, Flood};
pub use input::*;
pub use save::RestoreError;
pub use threads::{Threads, ThreadsError};
pub use views::{BarrierView, DrainView, LinkView, PumpView, RoomView, StageView};
