//! The interpreter of Rhai as a plugin, built with the public SDK: whatever a script does, the sandbox of every other
//! plugin holds it.
//!
//! The hub gives the script in the settings `script` (its text) and `script-file` (its name, for messages). A script
//! defines the functions that it needs, of these:
//!
//! ```rhai
//! const LIMIT_PPM = 1000.0;
//!
//! fn start(settings) {             // before anything else in each new instance
//!     this.co2 = points::find("**/co2");
//! }
//! fn on_samples(samples) {         // new values
//!     for s in samples {
//!         if s.number != () && s.number > LIMIT_PPM { log::info(`${s.path}: ${s.number} ppm`); }
//!     }
//! }
//! fn on_tick(now) {}               // the time has come
//! fn on_alarms(changes) {}         // alarms have changed
//! fn on_panel(event) {}            // somebody used a panel
//! fn on_outcome(outcome) {}        // activities: what became of a proposal
//! fn on_decision(decision) {}      // drills: what trainees decided
//! ```
//!
//! Functions see the script's constants, their own variables, and `this`: a map that lives as long as the instance, for
//! handles that were looked up. What must last is in the [`store`](capabilities).
//!
//! What the hub denies is thrown, and can be caught and looked at (`err.kind`). A `throw` that nobody catches ends the call
//! with an error, and what it did stands, as with `Err` in Rust; a fault of the script (an index that is not there, types
//! that don't go together, `panic`) undoes the call, as a panic does. Either is logged with file, line and column.

mod capabilities;
mod check;
mod fault;
mod json;
mod panels;
mod samples;
mod script;
mod values;

#[cfg(feature = "activity")]
campanile_plugin::export_activity!(script::Script);
#[cfg(feature = "drill")]
campanile_plugin::export_drill!(script::Script);
#[cfg(feature = "rule")]
campanile_plugin::export_rule!(script::Script);
