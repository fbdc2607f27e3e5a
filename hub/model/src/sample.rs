//! What a point says, and what somebody wants it to do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Path, PointId};

/// A moment: microseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// One second in the unit of [`Timestamp`].
    pub const SECOND: i64 = 1_000_000;

    /// From whole seconds since the epoch.
    pub fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(Self::SECOND))
    }

    /// Seconds since the epoch.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / Self::SECOND as f64
    }

    /// This moment moved by `micros`, saturating.
    pub fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

/// A value of a point. Numbers are in the point's UCUM unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A finite number; a reader that meets NaN or an infinity reports bad quality instead.
    Number(f64),
    /// On or off, open or shut, alarm or none.
    Bool(bool),
    /// The index of one of the point's labelled choices.
    Choice(u16),
    /// A short text, at most [`Value::MAX_TEXT`] bytes.
    Text(Arc<str>),
}

impl Value {
    /// The longest text value in bytes.
    pub const MAX_TEXT: usize = 1024;

    /// The value as a number where that has a meaning: bool as 0 and 1, a choice as its index.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(x) => Some(*x),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Choice(c) => Some(f64::from(*c)),
            Value::Text(_) => None,
        }
    }

    /// Which type of value this is.
    pub fn value_type(&self) -> ValueType {
        match self {
            Value::Number(_) => ValueType::Number,
            Value::Bool(_) => ValueType::Bool,
            Value::Choice(_) => ValueType::Choice,
            Value::Text(_) => ValueType::Text,
        }
    }
}

/// The type of value that a point holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// [`Value::Number`].
    #[default]
    Number,
    /// [`Value::Bool`].
    Bool,
    /// [`Value::Choice`].
    Choice,
    /// [`Value::Text`].
    Text,
}

/// How far a value can be trusted, after OPC UA's severity of a status code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Quality {
    /// Measured as intended.
    #[default]
    Good = 0,
    /// Usable with care: estimated, clamped, or outside the valid range.
    Uncertain = 1,
    /// Not usable: the device reports a fault or the payload could not be read.
    Bad = 2,
    /// Older than the point's expected period allows, or its source is gone.
    Stale = 3,
}

impl Quality {
    /// From the number that [`Quality`] is written as.
    pub fn from_u8(n: u8) -> Option<Self> {
        Some(match n {
            0 => Self::Good,
            1 => Self::Uncertain,
            2 => Self::Bad,
            3 => Self::Stale,
            _ => return None,
        })
    }
}

/// One reading of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which point.
    pub point: PointId,
    /// When it was measured.
    pub time: Timestamp,
    /// What was measured.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
}

/// Slot of a BACnet priority array: 1 (manual life safety) … 16 (lowest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// A person acting for life safety.
    pub const MANUAL_LIFE_SAFETY: Priority = Priority(1);
    /// A system acting for life safety.
    pub const AUTOMATIC_LIFE_SAFETY: Priority = Priority(2);
    /// Protection of equipment.
    pub const CRITICAL_EQUIPMENT: Priority = Priority(5);
    /// A person operating the campus.
    pub const MANUAL_OPERATOR: Priority = Priority(8);

    /// A priority from 1 to 16.
    pub fn new(n: u8) -> Option<Self> {
        (1..=16).contains(&n).then_some(Self(n))
    }

    /// The number, 1 to 16.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = String;
    fn try_from(n: u8) -> Result<Self, String> {
        Self::new(n).ok_or_else(|| format!("priority {n} is not from 1 to 16"))
    }
}

impl From<Priority> for u8 {
    fn from(p: Priority) -> u8 {
        p.0
    }
}

/// Who acts: shown in the priority array and kept in the audit record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Actor {
    /// A person by account name.
    Person(Arc<str>),
    /// A plugin by id.
    Plugin(Arc<str>),
    /// An engine of a rehearsal by id.
    Engine(Arc<str>),
    /// The hub itself.
    System,
}

/// A wish to change what a point is commanded to. The world decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Which point to command.
    pub point: PointId,
    /// Which slot to write or empty.
    pub priority: Priority,
    /// The value to write, or `None` to relinquish the slot.
    pub value: Option<Value>,
    /// When the slot empties by itself; `None` holds until relinquished.
    pub expires: Option<Timestamp>,
    /// Who wishes it.
    pub actor: Actor,
    /// Why, in the actor's words; at most 500 bytes.
    pub reason: Arc<str>,
}

/// A [`Sample`] named by path, for what is stored or sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedSample {
    /// The point's path.
    pub point: Path,
    /// When it was measured.
    pub time: Timestamp,
    /// What was measured.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
}
