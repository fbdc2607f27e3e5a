//! What is to be kept for years. Each kind is declared by a `[[record]]` of the manifest with the fields of its body.
//! A record is never changed. At most 16 KiB each and 60 a minute.
//!
//! ```no_run
//! # #[cfg(feature = "json")]
//! # fn main() -> campanile_plugin::Result {
//! use campanile_plugin::records;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Saving {
//!     energy_kwh: f64,
//! }
//!
//! records::keep("saving", &Saving { energy_kwh: 12.5 })?;
//! let of_the_month: f64 = records::last::<Saving>("saving", 30)?.iter().map(|(_, saving)| saving.energy_kwh).sum();
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "json"))] fn main() {}
//! ```

pub use crate::bindings::campanile::plugin::records::{Kept, append, newest};
#[cfg(feature = "json")]
use crate::{Result, Time};

/// Keeps a record of any type that can be JSON.
#[cfg(feature = "json")]
pub fn keep<T: serde::Serialize>(kind: &str, body: &T) -> Result {
    Ok(append(kind, &serde_json::to_string(body)?)?)
}

/// The newest records of a kind with when they were kept, newest first; at most 1,000.
#[cfg(feature = "json")]
pub fn last<T: serde::de::DeserializeOwned>(kind: &str, limit: u32) -> Result<Vec<(Time, T)>> {
    newest(kind, limit)?.into_iter().map(|kept| Ok((kept.time, serde_json::from_str(&kept.body)?))).collect()
}
