//! The points of the campus. `capability.read` grants globs over their paths; derived points need a `[[derived]]`.
//!
//! ```no_run
//! use campanile_plugin::points;
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! // Once, in `start`: find and keep the handles.
//! let co2: Vec<_> = points::find("teaching-a/**/co2")?.into_iter().map(|info| info.point).collect();
//! // Then in batches.
//! let ppm: Vec<f64> = points::read(&co2)?.iter().flatten().filter_map(|sample| sample.number()).collect();
//! let mean_ppm = ppm.iter().sum::<f64>() / ppm.len().max(1) as f64;
//! points::publish(&[points::Derived::good("mean-co2", mean_ppm)])
//! # }
//! ```

pub use crate::bindings::campanile::plugin::points::{Derived, Info, Shape, by_path, find, publish, read};
use crate::values::{Quality, Value};

impl Derived {
    /// A value of good quality of the `[[derived]]` with this id.
    pub fn good(id: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::for_entity(id, "", value)
    }

    /// The same for one of the entities that its `each` names.
    pub fn for_entity(id: impl Into<String>, entity: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { id: id.into(), entity: entity.into(), value: value.into(), quality: Quality::Good }
    }
}
