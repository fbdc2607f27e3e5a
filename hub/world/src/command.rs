//! Commands: a BACnet priority array a point.

use campanile_model::{Actor, Intent, PointId, Priority, Timestamp, Value, ValueType};
use serde::{Deserialize, Serialize};

use crate::schema::{Commandable, PointSpec};

/// One filled slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// What it asks for.
    pub value: Value,
    /// Who filled it.
    pub actor: Actor,
    /// Why.
    pub reason: std::sync::Arc<str>,
    /// When it was filled.
    pub since: Timestamp,
    /// When it empties by itself.
    pub expires: Option<Timestamp>,
}

/// Whether the field did what it was told, by read-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmation {
    /// Not yet read back.
    Pending,
    /// Read back.
    Confirmed,
    /// Not read back in time.
    Unconfirmed,
}

/// The commands of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Array {
    /// Slots 1 to 16.
    pub slots: [Option<Slot>; 16],
    /// When the value in force changed last.
    pub changed: Timestamp,
    /// When it was last asked for: readings from then on can confirm it.
    pub sent: Timestamp,
    /// Whether the field confirmed it.
    pub confirmation: Confirmation,
    /// A value that stays in force though its slot is empty, because the least interval is not yet over.
    #[serde(default)]
    pub held: Option<Held>,
}

/// A value that stays in force until the least interval is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The value.
    pub value: Value,
    /// Until when.
    pub until: Timestamp,
}

impl Array {
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self {
            slots: Default::default(),
            changed: now,
            sent: now,
            confirmation: Confirmation::Pending,
            held: None,
        }
    }

    /// The strongest filled slot.
    pub fn strongest(&self) -> Option<(Priority, &Slot)> {
        self.filled().next()
    }

    /// The filled slots, the strongest first.
    pub fn filled(&self) -> impl Iterator<Item = (Priority, &Slot)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(i, slot)| Some((Priority::new(i as u8 + 1)?, slot.as_ref()?)))
    }
}

/// Why an intent was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The campus has no such point.
    #[error("the campus has no such point")]
    UnknownPoint,
    /// The point can't be commanded.
    #[error("the point can't be commanded: it has no command limits in campus.toml")]
    NotCommandable,
    /// The value is of another type, not finite, or not among the choices.
    #[error("the value has to be {wanted}")]
    WrongType {
        /// What the point takes.
        wanted: &'static str,
    },
    /// The number is outside the limits.
    #[error("{value} is outside the limits {low} to {high}")]
    OutOfLimits {
        /// The value.
        value: f64,
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// The value in force changed too recently.
    #[error("the last change is too recent: wait {wait_s:.0} s")]
    TooSoon {
        /// How long to wait, seconds.
        wait_s: f64,
    },
    /// The slot is weaker than the point allows.
    #[error("slot {priority} is weaker than slot {weakest}, the weakest that may command this point")]
    TooWeak {
        /// The slot asked for.
        priority: u8,
        /// The weakest allowed.
        weakest: u8,
    },
    /// An interlock forbids it.
    #[error("the interlock '{id}' forbids it{}: {zh} / {en}", if *unknown { ", as its condition can't be known" } else { "" })]
    Interlocked {
        /// Its id.
        id: std::sync::Arc<str>,
        /// What it means, in Simplified Chinese.
        zh: String,
        /// What it means, in English.
        en: String,
        /// Whether its condition can't be known, rather than holds.
        unknown: bool,
    },
    /// The expiry is not in the future.
    #[error("the expiry is not in the future")]
    Expired,
    /// No reason was given, or a too long one.
    #[error("a reason of 1 to 500 bytes has to be given")]
    Reason,
    /// The slot is empty already.
    #[error("slot {0} is empty: there is nothing to relinquish")]
    NothingThere(u8),
}

/// The longest reason in bytes.
pub const MAX_REASON: usize = 500;

/// Checks an intent against its point and the commands in force.
pub(crate) fn check(
    intent: &Intent,
    spec: &PointSpec,
    array: Option<&Array>,
    effective: &Value,
    now: Timestamp,
) -> Result<(), Refusal> {
    let command = spec.command.as_ref().ok_or(Refusal::NotCommandable)?;
    let (slot, weakest) = (intent.priority.get(), command.weakest.get());
    if slot > weakest {
        return Err(Refusal::TooWeak { priority: slot, weakest });
    }
    if intent.reason.chars().all(char::is_whitespace) || intent.reason.len() > MAX_REASON {
        return Err(Refusal::Reason);
    }
    match &intent.value {
        None => {
            let filled = array.and_then(|a| a.slots.get(usize::from(slot) - 1)).is_some_and(Option::is_some);
            return if filled { Ok(()) } else { Err(Refusal::NothingThere(slot)) };
        }
        Some(value) => check_value(value, spec, command)?,
    }
    if intent.expires.is_some_and(|at| at <= now) {
        return Err(Refusal::Expired);
    }
    // Life safety never waits.
    if intent.priority > Priority::AUTOMATIC_LIFE_SAFETY
        && let Some(array) = array
    {
        let wait = array.changed.plus_micros(command.min_interval_us).0.saturating_sub(now.0);
        let would_change = array.strongest().is_none_or(|(p, _)| intent.priority <= p)
            && intent.value.as_ref() != Some(effective);
        if wait > 0 && would_change {
            return Err(Refusal::TooSoon { wait_s: wait as f64 / 1e6 });
        }
    }
    Ok(())
}

fn check_value(value: &Value, spec: &PointSpec, command: &Commandable) -> Result<(), Refusal> {
    match (spec.value_type, value) {
        (ValueType::Number, Value::Number(x)) if x.is_finite() => match command.limits {
            Some([low, high]) if *x < low || *x > high => Err(Refusal::OutOfLimits { value: *x, low, high }),
            _ => Ok(()),
        },
        (ValueType::Number, _) => Err(Refusal::WrongType { wanted: "a finite number" }),
        (ValueType::Bool, Value::Bool(_)) => Ok(()),
        (ValueType::Bool, _) => Err(Refusal::WrongType { wanted: "true or false" }),
        (ValueType::Choice, Value::Choice(c)) if *c < spec.choices => Ok(()),
        (ValueType::Choice, _) => Err(Refusal::WrongType { wanted: "one of the point's choices" }),
        (ValueType::Text, Value::Text(t)) if t.len() <= Value::MAX_TEXT => Ok(()),
        (ValueType::Text, _) => Err(Refusal::WrongType { wanted: "a text of at most 1,024 bytes" }),
    }
}

/// Whether a reading shows that the device did what it was told.
pub(crate) fn confirms(wanted: &Value, read: &Value, resolution: Option<f64>) -> bool {
    match (wanted, read) {
        (Value::Number(a), Value::Number(b)) => {
            let step = resolution.unwrap_or(0.0).max(1e-9 * a.abs());
            (a - b).abs() <= step / 2.0
        }
        // A setpoint of a switch may be read back by a number: a running motor.
        (a, b) => a == b,
    }
}

/// Names a point's array in a map that is ordered, so that the hash is.
pub(crate) type Arrays = std::collections::BTreeMap<PointId, Array>;
