//! A log that people read with `campanile plugin logs`. Needs nothing granted. At most 1,000 bytes of a line are kept, and
//! 60 lines a minute.
//!
//! ```no_run
//! use campanile_plugin::{info, warn};
//!
//! let (rooms, hottest_c) = (12, 31.5);
//! info!("{rooms} rooms are cooled");
//! warn!("the hottest has {hottest_c} °C");
//! ```

pub use crate::bindings::campanile::plugin::log::{Level, write};

/// Writes a line for who looks for a fault; takes what `format!` takes.
#[macro_export]
macro_rules! debug {
    ($($words:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($words)*)) };
}

/// Writes a line on what the plugin does; takes what `format!` takes.
#[macro_export]
macro_rules! info {
    ($($words:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($words)*)) };
}

/// Writes a line that somebody should look at some day; takes what `format!` takes.
#[macro_export]
macro_rules! warn {
    ($($words:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($words)*)) };
}

/// Writes a line that somebody should look at now; takes what `format!` takes.
#[macro_export]
macro_rules! error {
    ($($words:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($words)*)) };
}
