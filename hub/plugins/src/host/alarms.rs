//! Alarms of the plugin's own.

use std::sync::Arc;

use campanile_model::Names;

use super::{Answer, Given, HostState, declared, invalid, words_in};
use crate::bindings::alarms::Host;
use crate::bindings::types::{Denial, Words};
use crate::grants::Grants;
use crate::pace::Pace;
use crate::turn::{AlarmChange, Turn};

/// Alarms of a plugin that may stand.
const MOST_STANDING: usize = 200;
const PACE: Pace = Pace { burst: 60.0, per_s: 1.0 };

impl Host for HostState {
    fn raise(&mut self, id: String, entity: String, detail: Words) -> Answer<()> {
        self.asked("alarms.raise", 0, |turn, grants| {
            let detail = words_in(&detail)?;
            change(turn, grants, &id, &entity, Some(detail))
        })
    }

    fn clear(&mut self, id: String, entity: String) -> Answer<()> {
        self.asked("alarms.clear", 0, |turn, grants| change(turn, grants, &id, &entity, None))
    }
}

fn change(turn: &mut Turn, grants: &Grants, id: &str, entity: &str, raised: Option<Names>) -> Given<()> {
    let alarm = declared("alarm", grants.manifest.alarm.iter().map(|spec| spec.id.as_str()), id)?;
    if !entity.is_empty() && grants.campus.entity(entity).is_none() {
        return invalid(format!("the campus has no entity '{entity}'"));
    }
    let entity: Arc<str> = entity.into();
    let key = (alarm, entity.clone());
    let later = turn.effects.alarms.iter().rev().find(|c| c.alarm == alarm && c.entity == entity);
    let stands = later.map_or_else(|| turn.memory.standing.contains(&key), |c| c.raised.is_some());
    if !stands && raised.is_none() {
        return Ok(());
    }
    if !stands && turn.standing >= MOST_STANDING {
        return Err(Denial::Quota(MOST_STANDING as u64));
    }
    let now = turn.now();
    turn.memory.paces.alarms.take(PACE, 1, now).map_err(Denial::TooSoon)?;
    match (stands, raised.is_some()) {
        (false, true) => turn.standing += 1,
        (true, false) => turn.standing -= 1,
        _ => {}
    }
    turn.effects.alarms.push(AlarmChange { alarm, entity, raised });
    Ok(())
}
