//! What the plugin remembers: instances come and go between any two calls, and what is not here is forgotten. All of it
//! together may have `limits.store_kib` of the manifest. A call that traps sets nothing.
//!
//! ```no_run
//! # #[cfg(feature = "json")]
//! # fn main() -> campanile_plugin::Result {
//! use campanile_plugin::store;
//!
//! let ticks: u64 = store::load("ticks")?.unwrap_or_default();
//! store::save("ticks", &(ticks + 1))?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "json"))] fn main() {}
//! ```

#[cfg(feature = "json")]
use crate::Result;
pub use crate::bindings::campanile::plugin::store::{delete, get, keys, set};

/// The value of a key, none where it was never saved. It is kept as JSON: a field that an upgrade adds needs
/// `#[serde(default)]`.
#[cfg(feature = "json")]
pub fn load<T: serde::de::DeserializeOwned>(key: &str) -> Result<Option<T>> {
    Ok(get(key)?.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
}

/// Saves a value under a key of at most 128 bytes.
#[cfg(feature = "json")]
pub fn save<T: serde::Serialize>(key: &str, value: &T) -> Result {
    Ok(set(key, &serde_json::to_vec(value)?)?)
}
