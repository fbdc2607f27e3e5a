//! Plugins for the campus hub Campanile, in Rust.
//!
//! A plugin is a WebAssembly component that the hub calls with what has happened (new values, a tick, an alarm, somebody
//! at a panel) and that answers by calling the hub (commands, alarms, derived points, records, panels). It sees the
//! campus through what its `plugin.toml` asks for and a person has approved, and through nothing else: no file, no
//! socket, no clock of the machine, no random number. What is not granted is answered by a [`Denial`].
//!
//! ```
//! use campanile_plugin::{Plugin, Result, Sample, Settings, info};
//!
//! struct Stuffy {
//!     limit_ppm: f64,
//! }
//!
//! impl Plugin for Stuffy {
//!     fn start(settings: &Settings) -> Result<Self> {
//!         Ok(Self { limit_ppm: settings.parse("limit_ppm", 1_000.0)? })
//!     }
//!
//!     fn on_samples(&mut self, samples: &[Sample]) -> Result {
//!         let stuffy = samples.iter().filter(|s| s.number().is_some_and(|ppm| ppm > self.limit_ppm)).count();
//!         info!("{stuffy} of {} readings are stuffy", samples.len());
//!         Ok(())
//!     }
//! }
//!
//! # #[cfg(feature = "rule")]
//! campanile_plugin::export_rule!(Stuffy);
//! # fn main() {}
//! ```
//!
//! **Worlds.** A feature of this crate chooses what a plugin is: `rule` (automation, [`export_rule!`]), `activity`
//! (eco-education, [`export_activity!`]) or `drill` (the director of a drill, [`export_drill!`]). Only what that world
//! has can be called.
//!
//! **Batches.** Calls take lists: one call for a hundred commands costs a tenth of a hundred calls.
//!
//! **Instances come and go.** What a plugin's struct holds is for speed: handles of points, settings. What must last is
//! kept in the [`store`].
//!
//! **Failure.** A handler that returns an error has it written into the log, and what it did stands. A panic undoes the
//! whole call and costs the instance; its message and place are logged.

#[cfg(not(any(feature = "rule", feature = "activity", feature = "drill")))]
compile_error!(
    "choose the world of the plugin by a feature of campanile-plugin: \"rule\", \"activity\" or \"drill\""
);

#[doc(hidden)]
pub mod bindings;
mod capabilities;
mod denial;
mod guest;
mod settings;
mod values;

pub use capabilities::*;
pub use denial::{Denial, Failure, Result};
#[cfg(feature = "activity")]
pub use guest::Activity;
#[doc(hidden)]
pub use guest::Component;
#[cfg(feature = "drill")]
pub use guest::Drill;
pub use guest::Plugin;
pub use settings::Settings;
pub use values::{AlarmChange, Point, Quality, Sample, Time, Value, Words};
