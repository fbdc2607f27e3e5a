//! The time of the world. Needs nothing granted; in a rehearsal it is the rehearsal's.
//!
//! ```no_run
//! use campanile_plugin::clock;
//!
//! let now = clock::now();
//! let school_is_open = (7..18).contains(&clock::local(now).hour);
//! let yesterday = now - clock::DAY;
//! ```

pub use crate::bindings::campanile::plugin::clock::{LocalTime, local, now};
use crate::values::Time;

/// A second in the unit of [`Time`], which is the microsecond.
pub const SECOND: Time = 1_000_000;
/// A minute.
pub const MINUTE: Time = 60 * SECOND;
/// An hour.
pub const HOUR: Time = 60 * MINUTE;
/// A day of 24 hours.
pub const DAY: Time = 24 * HOUR;
