//! Alarms by ISA-18.2: the condition, the delays, and who has seen it.

use std::sync::Arc;

use campanile_model::{AlarmCondition, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::schema::RuleSpec;

/// The states of ANSI/ISA-18.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The condition is gone and was acknowledged.
    #[default]
    Normal,
    /// The condition holds; nobody has acknowledged it.
    Unacknowledged,
    /// The condition holds; somebody has acknowledged it.
    Acknowledged,
    /// The condition is gone; nobody has acknowledged it.
    ReturnedUnacknowledged,
    /// Hidden by a person until a time.
    Shelved,
    /// Hidden by the campus' logic.
    Suppressed,
    /// Hidden for maintenance.
    OutOfService,
}

/// An alarm's state and history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its state.
    pub state: State,
    /// When the state changed last.
    pub changed: Timestamp,
    /// When the condition was raised.
    pub raised: Timestamp,
    /// The value that raised it.
    pub value: Option<Value>,
    /// Who acknowledged it, and what they said.
    pub acknowledged: Option<(Arc<str>, Arc<str>)>,
    /// Until when it is shelved.
    pub shelved_until: Option<Timestamp>,
    /// Whether the condition holds now, after the delays.
    pub active: bool,
    /// Since when the condition has been about to change.
    pub turning: Option<Timestamp>,
}

/// What the rule's point says now.
pub(crate) struct Seen<'a> {
    pub value: Option<&'a Value>,
    /// The value to compare with, of a deviation.
    pub other: Option<f64>,
    pub stale: bool,
}

/// Whether the condition holds, given whether it held: the deadband is on the way back.
pub(crate) fn holds(rule: &RuleSpec, active: bool, seen: &Seen<'_>) -> bool {
    let back = if active { rule.deadband } else { 0.0 };
    let number = seen.value.and_then(Value::as_f64);
    match &rule.condition {
        AlarmCondition::Stale => seen.stale,
        // A value that can't be trusted neither raises nor clears.
        _ if seen.stale => active,
        AlarmCondition::High { limit } => number.is_some_and(|x| x > limit - back),
        AlarmCondition::Low { limit } => number.is_some_and(|x| x < limit + back),
        AlarmCondition::Is { value } => seen.value == Some(value),
        AlarmCondition::Deviation { limit, .. } => {
            number.zip(seen.other).is_some_and(|(a, b)| (a - b).abs() > limit - back)
        }
    }
}

impl Alarm {
    /// Moves on with the condition as it is now; true where the state changed.
    pub(crate) fn observe(
        &mut self,
        rule: &RuleSpec,
        holds: bool,
        value: Option<&Value>,
        now: Timestamp,
    ) -> bool {
        if holds == self.active {
            self.turning = None;
            return false;
        }
        let since = *self.turning.get_or_insert(now);
        let delay = if holds { rule.on_delay_us } else { rule.off_delay_us };
        if now.0.saturating_sub(since.0) < delay {
            return false;
        }
        self.turning = None;
        self.active = holds;
        if holds {
            self.raised = now;
            self.value = value.cloned();
        }
        let next = match (self.state, holds) {
            (State::Normal | State::ReturnedUnacknowledged, true) => State::Unacknowledged,
            (State::Unacknowledged, false) => State::ReturnedUnacknowledged,
            (State::Acknowledged, false) => State::Normal,
            (other, _) => other,
        };
        if next == State::Unacknowledged {
            self.acknowledged = None;
        }
        self.enter(next, now)
    }

    /// Acknowledges; false where there is nothing to acknowledge.
    pub(crate) fn acknowledge(&mut self, by: &str, comment: &str, now: Timestamp) -> bool {
        let next = match self.state {
            State::Unacknowledged => State::Acknowledged,
            State::ReturnedUnacknowledged => State::Normal,
            _ => return false,
        };
        self.acknowledged = Some((by.into(), comment.into()));
        self.enter(next, now)
    }

    /// Hides the alarm until a time.
    pub(crate) fn shelve(&mut self, until: Timestamp, now: Timestamp) -> bool {
        self.shelved_until = Some(until);
        self.enter(State::Shelved, now)
    }

    /// Comes back from the shelf when its time is over.
    pub(crate) fn unshelve(&mut self, now: Timestamp) -> bool {
        if self.state != State::Shelved || self.shelved_until.is_none_or(|until| until > now) {
            return false;
        }
        self.shelved_until = None;
        self.enter(if self.active { State::Unacknowledged } else { State::Normal }, now)
    }

    fn enter(&mut self, state: State, now: Timestamp) -> bool {
        let changed = self.state != state;
        if changed {
            self.state = state;
            self.changed = now;
        }
        changed
    }
}
