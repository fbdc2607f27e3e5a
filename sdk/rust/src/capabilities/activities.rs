//! Learning: missions, scores, and proposals that are tried in a rehearsal. `capability.activities` grants it.
//!
//! ```no_run
//! use campanile_plugin::{Words, activities::{self, Change, Mission}};
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! activities::offer(&[Mission {
//!     id: "lights".into(),
//!     names: Words::new("随手关灯", "Lights out"),
//!     task: Words::new("离开教室前关灯", "Switch the lights off before you leave"),
//!     points: 10,
//! }])?;
//! activities::award("lights", "person-7", 10)?;
//! // Would 26 °C do in the afternoon? Three days are tried, with and without.
//! let change = Change { glob: "teaching-a/**/ac/setpoint".into(), value: 26.0, from_h: 12.0, to_h: 17.0 };
//! activities::propose("warmer", &Words::new("调高空调", "Warmer rooms"), &[change], 3)
//! # }
//! ```

pub use crate::bindings::campanile::plugin::activities::{
    Change, Mission, Standing, award, league, offer, propose,
};
pub use crate::bindings::campanile::plugin::types::Outcome;
