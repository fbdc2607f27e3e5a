use std::fmt;

/// Why the hub did not do it. Nothing has changed then.
///
/// ```
/// use campanile_plugin::Denial;
///
/// assert_eq!(Denial::OutOfLimits((16.0, 30.0)).to_string(), "outside the limits of the point, 16 to 30");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Denial {
    /// Neither manifest nor approval grant it; says what would have to be granted.
    NotGranted(String),
    /// There is no such point, or it is not this plugin's to see.
    UnknownPoint,
    /// What was given can't be used: says which and why.
    Invalid(String),
    /// The number is outside the limits of the point: the lowest and the highest, in the unit of the point.
    OutOfLimits((f64, f64)),
    /// The slot of the priority array is stronger than the plugin's band: the strongest that is granted.
    TooStrong(u8),
    /// The last change is too recent, or too much was asked of the hub lately: wait so many seconds.
    TooSoon(f64),
    /// An interlock of the campus forbids it: its id.
    Interlocked(String),
    /// It would take more than the quota: how many there may be.
    Quota(u64),
    /// It can't be told now; says why.
    Unavailable(String),
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(what) => write!(f, "not granted: {what}"),
            Self::UnknownPoint => write!(f, "no such point, or not one that this plugin may see"),
            Self::Invalid(why) => write!(f, "cannot be used: {why}"),
            Self::OutOfLimits((low, high)) => write!(f, "outside the limits of the point, {low} to {high}"),
            Self::TooStrong(granted) => write!(f, "priority too strong; the strongest granted is {granted}"),
            Self::TooSoon(wait_s) => write!(f, "too soon; wait {wait_s} s"),
            Self::Interlocked(id) => write!(f, "forbidden by the interlock {id}"),
            Self::Quota(most) => write!(f, "more than the quota of {most}"),
            Self::Unavailable(why) => write!(f, "not available now: {why}"),
        }
    }
}

impl std::error::Error for Denial {}

/// Why a handler gives up: a line for the log. Anything that can be shown becomes one, so `?` works on a [`Denial`] and
/// on the errors of parsers.
///
/// ```
/// use campanile_plugin::{Denial, Result};
///
/// fn all_is_well() -> Result {
///     Err(Denial::UnknownPoint)?
/// }
/// assert!(all_is_well().is_err());
/// ```
// Not `Display` itself: that is what lets the conversion below be this wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Failure {
    /// Its words.
    pub fn into_message(self) -> String {
        self.0
    }
}

/// What handlers return.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;
