//! One running campus as a pure state machine.
//!
//! A [`World`] takes samples, intents, acknowledgements and ticks, and gives [`Event`]s. It does no I/O, reads no
//! clock and draws no random number: equal inputs give equal states, bit for bit, and [`World::hash`] proves it.
//! Its readings lie in pages of 1,024 points behind `Arc`, so that a [`Snapshot`] or a fork of a million points
//! takes microseconds and copies only the pages written afterwards.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alarm;
pub mod bench;
mod command;
mod notice;
mod page;
mod record;
mod schema;
#[cfg(test)]
mod tests;
mod world;

pub use alarm::{Alarm, State as AlarmState, Suppression};
pub use command::{Array, Confirmation, Held, MAX_REASON, Refusal, Slot};
pub use notice::{Notice, Notification};
pub use page::{PAGE_POINTS, Reading};
pub use record::{Checkpoint, Input, RecordError, Recorder, Replayed, replay};
pub use schema::{
    Commandable, Condition, LockSpec, PointSpec, RuleSpec, STALE_PERIODS, Schema, SuppressSpec,
};
pub use world::{Counts, Event, Saved, Snapshot, World};
