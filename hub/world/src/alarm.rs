//! Alarms by ISA-18.2: the condition, the delays, and who has seen it.

use std::sync::Arc;

use std::collections::VecDeque;

use campanile_model::{AlarmCondition, Change, Quality, Timestamp, Value};
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
    /// Who shelved it, and why.
    #[serde(default)]
    pub shelved: Option<(Arc<str>, Arc<str>)>,
    /// What suppresses it.
    #[serde(default)]
    pub suppression: Option<Suppression>,
    /// Who took it out of service, and why.
    #[serde(default)]
    pub out_of_service: Option<(Arc<str>, Arc<str>)>,
    /// Whether the condition holds now, after the delays.
    pub active: bool,
    /// Since when the condition has been about to change.
    pub turning: Option<Timestamp>,
}

/// Why an alarm is suppressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    /// The path of the point whose value suppresses it, or the id of the alarm that it follows from.
    pub by: Arc<str>,
    /// When it ends, if that is known.
    pub until: Option<Timestamp>,
    /// Whether it only follows from the loss of the source of its point, which another alarm tells.
    pub lost: bool,
}

/// The values of a time, as far as its lowest or highest needs them: those that no later one goes past.
pub(crate) type Window = VecDeque<(i64, f64)>;

/// More values in a window are not kept: with one a second that is more than an hour.
const WINDOW_VALUES: usize = 4096;

/// How far back a change looks, microseconds.
pub(crate) fn within_us(change: Change) -> i64 {
    (change.within_s * 1e6) as i64
}

/// Takes up a value, and forgets what is older than the change's time or can be the extreme no more.
pub(crate) fn slide(window: &mut Window, change: Change, rises: bool, time: i64, x: f64) {
    let sign = if rises { 1.0 } else { -1.0 };
    while window.back().is_some_and(|(_, y)| sign * y >= sign * x) {
        window.pop_back();
    }
    window.push_back((time, x));
    let oldest = time.saturating_sub(within_us(change));
    while window.front().is_some_and(|(at, _)| *at < oldest) || window.len() > WINDOW_VALUES {
        window.pop_front();
    }
}

/// What the rule's point says now.
pub(crate) struct Seen<'a> {
    pub value: Option<&'a Value>,
    /// The value to compare with, of a deviation.
    pub other: Option<f64>,
    pub stale: bool,
    pub quality: Option<Quality>,
    /// The lowest, of a rise, or the highest, of a fall, of the rule's time.
    pub extreme: Option<f64>,
}

/// Whether the condition holds, given whether it held: the deadband is on the way back.
pub(crate) fn holds(rule: &RuleSpec, active: bool, seen: &Seen<'_>) -> bool {
    let back = if active { rule.deadband } else { 0.0 };
    let number = seen.value.and_then(Value::as_f64);
    match &rule.condition {
        AlarmCondition::Stale => seen.stale,
        AlarmCondition::Quality { worst } => match seen.quality {
            Some(Quality::Bad) => true,
            Some(Quality::Uncertain) => *worst == Quality::Uncertain,
            Some(Quality::Good) => false,
            Some(Quality::Stale) | None => active,
        },
        // A value that can't be trusted neither raises nor clears.
        _ if seen.stale => active,
        AlarmCondition::High { limit } => number.is_some_and(|x| x > limit - back),
        AlarmCondition::Low { limit } => number.is_some_and(|x| x < limit + back),
        AlarmCondition::Is { value } => seen.value == Some(value),
        AlarmCondition::Deviation { limit, .. } => {
            number.zip(seen.other).is_some_and(|(a, b)| (a - b).abs() > limit - back)
        }
        AlarmCondition::Rises(change) => {
            number.zip(seen.extreme).is_some_and(|(x, lowest)| x - lowest > change.by - back)
        }
        AlarmCondition::Falls(change) => {
            number.zip(seen.extreme).is_some_and(|(x, highest)| highest - x > change.by - back)
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
        if holds {
            self.value = value.cloned();
        }
        self.turn(holds, now)
    }

    /// Its condition holds from now on, or no longer does; true where the state changed.
    pub(crate) fn turn(&mut self, holds: bool, now: Timestamp) -> bool {
        self.active = holds;
        if holds {
            self.raised = now;
        }
        if self.hidden().is_some() {
            return false;
        }
        let next = match (self.state, holds) {
            (State::Normal | State::ReturnedUnacknowledged, true) => State::Unacknowledged,
            (State::Unacknowledged, false) => State::ReturnedUnacknowledged,
            (State::Acknowledged, false) => State::Normal,
            (other, _) => other,
        };
        self.enter(next, now)
    }

    /// What hides it, the strongest first.
    fn hidden(&self) -> Option<State> {
        if self.out_of_service.is_some() {
            Some(State::OutOfService)
        } else if self.suppression.is_some() {
            Some(State::Suppressed)
        } else {
            self.shelved_until.map(|_| State::Shelved)
        }
    }

    /// Goes where it belongs after something began or ceased to hide it. What comes out of hiding while its condition
    /// holds is as new: nobody has acknowledged it as it is now.
    fn settle(&mut self, now: Timestamp) -> bool {
        let next = self.hidden().unwrap_or(if self.active { State::Unacknowledged } else { State::Normal });
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

    /// Hides the alarm until a time; true where that is new.
    pub(crate) fn shelve(&mut self, until: Timestamp, by: &str, reason: &str, now: Timestamp) -> bool {
        let before = (self.shelved_until.replace(until), self.shelved.replace((by.into(), reason.into())));
        self.settle(now) || before != (self.shelved_until, self.shelved.clone())
    }

    /// Takes it from the shelf; false where it was not there.
    pub(crate) fn unshelve(&mut self, now: Timestamp) -> bool {
        let was = self.shelved_until.take().is_some();
        self.shelved = None;
        if was {
            self.settle(now);
        }
        was
    }

    /// Takes it out of service, or, with nobody, back into it; true where that is new.
    pub(crate) fn set_out_of_service(&mut self, who: Option<(Arc<str>, Arc<str>)>, now: Timestamp) -> bool {
        let before = std::mem::replace(&mut self.out_of_service, who);
        if before.is_some() != self.out_of_service.is_some() {
            self.settle(now);
        }
        before != self.out_of_service
    }

    /// Suppresses it, or, with nothing, no longer does; true where that is new.
    pub(crate) fn set_suppression(&mut self, why: Option<Suppression>, now: Timestamp) -> bool {
        let before = std::mem::replace(&mut self.suppression, why);
        if before.is_some() != self.suppression.is_some() {
            self.settle(now);
        }
        before != self.suppression
    }

    /// Ends what has had its time; true where something ended.
    pub(crate) fn expire(&mut self, now: Timestamp) -> bool {
        let shelf = self.shelved_until.is_some_and(|until| until <= now) && self.unshelve(now);
        let over = self.suppression.as_ref().and_then(|s| s.until).is_some_and(|until| until <= now);
        shelf | (over && self.set_suppression(None, now))
    }

    /// Whether a tick has to look at it.
    pub(crate) fn waits(&self) -> bool {
        self.turning.is_some()
            || self.shelved_until.is_some()
            || self.suppression.as_ref().is_some_and(|s| s.until.is_some())
    }

    fn enter(&mut self, state: State, now: Timestamp) -> bool {
        let changed = self.state != state;
        if changed {
            if state == State::Unacknowledged {
                self.acknowledged = None;
            }
            self.state = state;
            self.changed = now;
        }
        changed
    }
}
