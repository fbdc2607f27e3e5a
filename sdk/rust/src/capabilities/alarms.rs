//! Alarms of the plugin's own, each declared by an `[[alarm]]` of the manifest. Raising one again renews its words;
//! clearing one that does not stand does nothing. At most 60 changes a minute.
//!
//! ```no_run
//! use campanile_plugin::{Words, alarms};
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! alarms::raise("stuffy", "teaching-a/2f/203", &Words::new("CO₂ 1800 ppm", "CO₂ 1,800 ppm"))?;
//! alarms::clear("stuffy", "teaching-a/2f/203")
//! # }
//! ```

pub use crate::bindings::campanile::plugin::alarms::{clear, raise};
