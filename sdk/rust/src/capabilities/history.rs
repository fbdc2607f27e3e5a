//! What was. `capability.history` grants it for the points that may be read. Live it reads the disk, about 1 ms; at most
//! 10 calls a second.
//!
//! ```no_run
//! use campanile_plugin::{Denial, Point, clock, history};
//!
//! /// The energy of the last day in kWh, from a counter.
//! fn day_kwh(meter: Point) -> Result<f64, Denial> {
//!     let now = clock::now();
//!     let hours = history::buckets(meter, now - clock::DAY, now, 3_600.0)?;
//!     let counted = || hours.iter().filter(|hour| hour.count > 0);
//!     Ok(match (counted().next(), counted().last()) {
//!         (Some(first), Some(last)) => last.max - first.min,
//!         _ => 0.0,
//!     })
//! }
//! ```

pub use crate::bindings::campanile::plugin::history::{Bucket, buckets, range};
