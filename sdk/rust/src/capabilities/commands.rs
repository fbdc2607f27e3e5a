//! Commands to the field. `capability.command` grants globs of points and a band of the priority array.
//!
//! ```no_run
//! use campanile_plugin::commands::{self, Command};
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! # let (setpoint, lamps) = (1, vec![2, 3]);
//! // One, for a quarter of an hour.
//! commands::one(Command::new(setpoint, 26.0, "nobody is in").priority(12).expires_s(900.0))?;
//! // Many, in one call; an answer each.
//! let off: Vec<_> = lamps.iter().map(|&lamp| Command::new(lamp, false, "it is night")).collect();
//! let refused = commands::write(&off).into_iter().filter(Result::is_err).count();
//! // And gone again.
//! commands::relinquish(&[setpoint])
//! # }
//! ```

pub use crate::bindings::campanile::plugin::commands::{Command, Holding, holds, relinquish, write};
use crate::{
    denial::Denial,
    values::{Point, Value},
};

impl Command {
    /// A command at the weakest priority, 16, that expires after a quarter of an hour. The reason is for people.
    pub fn new(point: Point, value: impl Into<Value>, reason: impl Into<String>) -> Self {
        Self { point, value: value.into(), priority: 16, expires_s: 900.0, reason: reason.into() }
    }

    /// In this slot of the priority array, 1 (strongest) to 16, within the band that is granted.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Lets go by itself after so many seconds, more than 0 and at most a day.
    #[must_use]
    pub fn expires_s(mut self, expires_s: f64) -> Self {
        self.expires_s = expires_s;
        self
    }
}

/// Writes one command. Many go faster in one [`write`].
pub fn one(command: Command) -> Result<(), Denial> {
    let unanswered = || Err(Denial::Unavailable("the hub gave no answer".into()));
    write(&[command]).into_iter().next().unwrap_or_else(unanswered)
}

/// Holds a point for as long as this is called: each call, `every_s` seconds apart, lets the command live for three of
/// them. A plugin that falls silent, or no longer calls, has so let go after the third.
///
/// ```no_run
/// use campanile_plugin::commands::{self, Command};
///
/// # fn main() -> Result<(), campanile_plugin::Denial> {
/// # let fan = 1;
/// // In `on_tick`, with `tick_s = 60`.
/// commands::hold(60.0, Command::new(fan, true, "the air is stale").priority(12))
/// # }
/// ```
pub fn hold(every_s: f64, command: Command) -> Result<(), Denial> {
    one(command.expires_s((3.0 * every_s).min(86_400.0)))
}
