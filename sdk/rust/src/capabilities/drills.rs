//! A drill that runs in a rehearsal. `capability.drill` grants it; there is none in the living campus.
//!
//! ```no_run
//! use campanile_plugin::{Words, drills::{self, Stage}};
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! if drills::depth("garage/**")? > 0.15 && drills::progress("close-garage")? == Stage::NotBegun {
//!     drills::tell(&Words::new("保安", "Guard"), &Words::new("车库进水了", "There is water in the garage"))?;
//! }
//! # Ok(())
//! # }
//! ```

pub use crate::bindings::campanile::plugin::drills::{
    Situation, Stage, ask, begin, depth, now, progress, tell,
};
pub use crate::bindings::campanile::plugin::types::Decision;
