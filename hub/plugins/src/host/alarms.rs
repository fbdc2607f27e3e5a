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

#[cfg(test)]
mod tests {
    use campanile_model::Campus;

    use super::*;
    use crate::grants::Approval;
    use crate::manifest::{AlarmSpec, Manifest};
    use crate::turn::{Around, Memory};

    fn grants() -> Grants {
        let text = "format = \"campanile-plugin/1\"\nid = \"loud\"\nversion = \"1.0.0\"\napi = \"0.1.0\"\nkind = \"rule\"\n\
                    zh-CN = \"响\"\nen = \"Loud\"\nsummary = { zh-CN = \"响\", en = \"Loud\" }\nvendor = \"T\"\n";
        let mut manifest = Manifest::read(std::path::Path::new("plugin.toml"), text).unwrap();
        let spec = |n: usize| AlarmSpec {
            id: format!("a{n}"),
            zh: String::new(),
            en: String::new(),
            priority: campanile_model::AlarmPriority::Low,
        };
        manifest.alarm = (0..=MOST_STANDING).map(spec).collect();
        let approval = Approval {
            plugin: "loud".into(),
            version: "1.0.0".into(),
            package: String::new(),
            capability: manifest.capability.clone(),
            settings: Default::default(),
            by: "test".into(),
        };
        Grants::new(Arc::new(Campus::default()), manifest.into(), &approval)
    }

    /// What stands and is raised anew takes no further place; what was cleared gives its place back.
    #[test]
    fn an_alarm_that_stands_takes_one_place() {
        let grants = grants();
        let world = campanile_world::World::new(
            Arc::new(campanile_world::Schema::of(&grants.campus)),
            campanile_model::Timestamp(0),
        );
        let standing = (0..MOST_STANDING as u16 - 1).map(|alarm| (alarm, "".into())).collect();
        let memory = Memory { standing, ..Memory::default() };
        let mut turn = Turn::new(&Around::of(Arc::new(world)), memory, false);
        let mut raise = |alarm: usize| {
            change(&mut turn, &grants, &format!("a{alarm}"), "", Some(Names::new("响", "Loud")))
        };
        for alarm in 0..20 {
            assert_eq!(raise(alarm), Ok(()), "renewed");
        }
        assert_eq!(raise(MOST_STANDING - 1), Ok(()), "the last place");
        assert_eq!(raise(MOST_STANDING), Err(Denial::Quota(MOST_STANDING as u64)));
        assert_eq!(raise(MOST_STANDING - 1), Ok(()), "and renewed");
        assert_eq!(change(&mut turn, &grants, "a0", "", None), Ok(()));
        let mut raise = |alarm: usize| {
            change(&mut turn, &grants, &format!("a{alarm}"), "", Some(Names::new("响", "Loud")))
        };
        assert_eq!(raise(MOST_STANDING), Ok(()), "in the place of the first");
        assert_eq!(raise(0), Err(Denial::Quota(MOST_STANDING as u64)));
    }
}
