//! One module a capability: the calls of the contract as they are, and what makes them short to use.

#[cfg(feature = "activity")]
pub mod activities;
#[cfg(feature = "rule")]
pub mod alarms;
pub mod clock;
#[cfg(feature = "rule")]
pub mod commands;
#[cfg(feature = "drill")]
pub mod drills;
#[cfg(any(feature = "rule", feature = "activity"))]
pub mod history;
pub mod log;
#[cfg(any(feature = "rule", feature = "activity"))]
pub mod networks;
pub mod panels;
pub mod points;
#[cfg(any(feature = "rule", feature = "activity"))]
pub mod records;
pub mod store;
