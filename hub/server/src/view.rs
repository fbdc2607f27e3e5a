//! The state at a moment, for readers, and in the words of the protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_model::{
    Actor, AlarmCondition, AlarmPriority, Campus, Names, Path, PointId, PointKind, Timestamp, Value,
};
use campanile_protocol::{AlarmInfo, AlarmState, CommandState, FrameSample, JsonValue, RejectReason, Slot};
use campanile_world::{Confirmation, Refusal, Snapshot, World};

/// The state at a moment, for readers.
pub struct View {
    /// The world's time.
    pub time: Timestamp,
    snapshot: Snapshot,
    /// The alarms that are not normal, the most urgent first.
    pub alarms: Arc<[AlarmInfo]>,
    /// The commands in force by point.
    pub commands: Arc<BTreeMap<PointId, CommandState>>,
    /// How many points have a reading that is not stale.
    pub live_points: u32,
    /// How many points should have one. What a plugin derives and has not derived yet is not among them: it may be due
    /// tonight.
    pub stale_points: u32,
    /// The world's state hash as of the newest second.
    pub hash: [u8; 32],
}

impl View {
    /// A point's newest reading.
    pub fn sample(&self, point: PointId) -> Option<FrameSample> {
        let r = self.snapshot.reading(point)?;
        Some(FrameSample { point, time: r.time, value: r.value, quality: r.quality })
    }
}

/// The view of a world as it is.
pub fn view(campus: &Campus, world: &mut World) -> View {
    let [live_points, stale_points] = count(campus, world);
    View {
        time: world.now(),
        snapshot: world.snapshot(),
        alarms: alarms(campus, world),
        commands: Arc::new(commands(campus, world)),
        live_points,
        stale_points,
        hash: world.hash(),
    }
}

/// The next view; alarms and commands are written anew only where an event told of one, counts and hash once a second.
pub fn view_of(campus: &Campus, world: &mut World, last: &View, events: bool) -> View {
    let second = world.now().0.div_euclid(Timestamp::SECOND) != last.time.0.div_euclid(Timestamp::SECOND);
    let [live_points, stale_points] =
        if second { count(campus, world) } else { [last.live_points, last.stale_points] };
    View {
        time: world.now(),
        snapshot: world.snapshot(),
        alarms: if events { alarms(campus, world) } else { last.alarms.clone() },
        commands: if events { Arc::new(commands(campus, world)) } else { last.commands.clone() },
        live_points,
        stale_points,
        hash: if second { world.hash() } else { last.hash },
    }
}

/// How many points have a value, and how many should.
fn count(campus: &Campus, world: &World) -> [u32; 2] {
    let live = world.live_points();
    // What plugins derive stands behind the campus' own points.
    let derived =
        campus.points.iter().rev().take_while(|p| p.kind == PointKind::Derived && p.binding.is_none());
    let due = derived.filter(|point| world.reading(point.id).is_none()).count();
    [live as u32, campus.points.len().saturating_sub(live + due) as u32]
}

fn alarms(campus: &Campus, world: &World) -> Arc<[AlarmInfo]> {
    let mut found: Vec<AlarmInfo> = world
        .all_alarms()
        .filter(|(_, alarm)| alarm.state != campanile_world::AlarmState::Normal)
        .filter_map(|(number, _)| alarm_info(campus, world, number))
        .collect();
    // Unacknowledged first, then by urgency, then the newest.
    found.sort_by_key(|a| (!a.state.needs_acknowledgement(), a.priority, std::cmp::Reverse(a.changed_us)));
    found.into()
}

/// What is told of an alarm whatever raised it.
struct Told {
    id: String,
    point: Path,
    entity: Path,
    rule: String,
    names: Names,
    detail: Option<Names>,
    priority: AlarmPriority,
    limit: Option<f64>,
}

/// Of an alarm of the campus' rules.
fn of_rule(campus: &Campus, world: &World, rule: u32) -> Option<Told> {
    let spec = world.schema().rules().get(rule as usize)?;
    let point = campus.get_point(spec.point)?;
    let described = point.alarms.get(spec.index)?;
    Some(Told {
        id: spec.id.to_string(),
        point: point.path.clone(),
        entity: campus.entities.get(point.entity)?.path.clone(),
        rule: described.id.clone(),
        names: described.names.clone(),
        detail: None,
        priority: spec.priority,
        limit: match &spec.condition {
            AlarmCondition::High { limit }
            | AlarmCondition::Low { limit }
            | AlarmCondition::Deviation { limit, .. } => Some(*limit),
            AlarmCondition::Rises(change) | AlarmCondition::Falls(change) => Some(change.by),
            AlarmCondition::Is { .. } | AlarmCondition::Stale | AlarmCondition::Quality { .. } => None,
        },
    })
}

/// Of an alarm of a plugin.
fn of_plugin(campus: &Campus, world: &World, number: u32) -> Option<Told> {
    let notice = world.notice(number)?;
    let said = &notice.said;
    // What is for no place is for the campus.
    let entity = campus.entity(&said.entity).or(campus.entities.first())?;
    Some(Told {
        id: notice.id.to_string(),
        point: Path::new(format!("plugin/{}/{}", said.plugin, said.alarm)).ok()?,
        entity: entity.path.clone(),
        rule: said.alarm.to_string(),
        names: said.names.clone(),
        detail: said.detail.clone(),
        priority: said.priority,
        limit: None,
    })
}

/// An alarm in the words of the protocol, by its number.
pub fn alarm_info(campus: &Campus, world: &World, number: u32) -> Option<AlarmInfo> {
    let alarm = world.alarm(number)?;
    let told = of_rule(campus, world, number).or_else(|| of_plugin(campus, world, number))?;
    let choices = campus.point_id(told.point.as_str()).map_or(&[][..], |id| &campus.point(id).choices);
    let choices = || choices.iter().map(|c| c.id.as_str());
    use campanile_world::AlarmState as S;
    let hidden = match alarm.state {
        S::Shelved => alarm.shelved.as_ref(),
        S::OutOfService => alarm.out_of_service.as_ref(),
        _ => None,
    };
    Some(AlarmInfo {
        id: told.id,
        point: told.point,
        entity: told.entity,
        rule: told.rule,
        names: told.names,
        detail: told.detail,
        priority: told.priority,
        state: match alarm.state {
            S::Normal => AlarmState::Normal,
            S::Unacknowledged => AlarmState::Unacknowledged,
            S::Acknowledged => AlarmState::Acknowledged,
            S::ReturnedUnacknowledged => AlarmState::ReturnedUnacknowledged,
            S::Shelved => AlarmState::Shelved,
            S::Suppressed => AlarmState::Suppressed,
            S::OutOfService => AlarmState::OutOfService,
        },
        raised_us: alarm.raised.0,
        changed_us: alarm.changed.0,
        value: alarm.value.as_ref().map(|v| JsonValue::from_value(v, choices())),
        limit: told.limit,
        acknowledged_by: alarm.acknowledged.as_ref().map(|(by, _)| by.to_string()),
        comment: alarm
            .acknowledged
            .as_ref()
            .map(|(_, comment)| comment.to_string())
            .filter(|c| !c.is_empty()),
        hidden_until_us: match alarm.state {
            S::Shelved => alarm.shelved_until.map(|t| t.0),
            S::Suppressed => alarm.suppression.as_ref().and_then(|s| s.until).map(|t| t.0),
            _ => None,
        },
        hidden_by: match alarm.state {
            S::Suppressed => alarm.suppression.as_ref().map(|s| s.by.to_string()),
            _ => hidden.map(|(by, _)| by.to_string()),
        },
        hidden_reason: hidden.map(|(_, why)| why.to_string()),
    })
}

fn commands(campus: &Campus, world: &World) -> BTreeMap<PointId, CommandState> {
    world.arrays().filter_map(|(point, _)| Some((point, command_state(campus, world, point)?))).collect()
}

/// What holds a point, in the words of the protocol.
pub fn command_state(campus: &Campus, world: &World, id: PointId) -> Option<CommandState> {
    let point = campus.get_point(id)?;
    let json = |v: &Value| JsonValue::from_value(v, point.choices.iter().map(|c| c.id.as_str()));
    let array = world.array(id)?;
    let actor = |a: &Actor| match a {
        Actor::Person(id) => format!("person:{id}"),
        Actor::Plugin(id) => format!("plugin:{id}"),
        Actor::Engine(id) => format!("engine:{id}"),
        Actor::System => "system".to_owned(),
    };
    Some(CommandState {
        point: point.path.clone(),
        slots: array
            .filled()
            .map(|(priority, slot)| Slot {
                priority: priority.get(),
                value: json(&slot.value),
                actor: actor(&slot.actor),
                reason: slot.reason.to_string(),
                since_us: slot.since.0,
                expires_us: slot.expires.map(|t| t.0),
            })
            .collect(),
        effective: json(&world.effective(id)?),
        confirmed: Some(array.confirmation == Confirmation::Confirmed),
        held_until_us: array.held.as_ref().map(|held| held.until.0),
    })
}

/// A refusal of the world in the words of the protocol.
pub fn reject_reason(why: &Refusal) -> RejectReason {
    match why {
        Refusal::UnknownPoint => RejectReason::NotFound,
        Refusal::NotCommandable => RejectReason::NotCommandable,
        Refusal::WrongType { .. } => RejectReason::WrongType,
        Refusal::OutOfLimits { .. } => RejectReason::OutOfLimits,
        Refusal::TooSoon { .. } => RejectReason::TooSoon,
        Refusal::TooWeak { .. } => RejectReason::Priority,
        Refusal::Interlocked { .. } => RejectReason::Interlock,
        Refusal::Expired => RejectReason::Expiry,
        Refusal::Reason => RejectReason::Reason,
        _ => RejectReason::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use campanile_model::{Quality, Sample};
    use campanile_plugins::{Manifest, extended};
    use campanile_world::{Input, Schema};

    use super::*;

    const WATCH: &str = r#"
format = "campanile-plugin/1"
id = "watch"
version = "1.0.0"
api = "0.1.0"
kind = "rule"
zh-CN = "看"
en = "Watch"
summary = { zh-CN = "看。", en = "Watches." }
vendor = "Tinglan"
[[derived]]
id = "all"
zh-CN = "合计"
en = "All"
"#;

    /// What a plugin derives counts from its first value on.
    #[test]
    fn what_is_yet_to_be_derived_is_not_stale() {
        let scene = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
        let own = campanile_model::open(&scene).unwrap();
        let manifest = Manifest::read(std::path::Path::new("plugin.toml"), WATCH).unwrap();
        let campus = extended(&own, [&manifest]);
        let mut world = World::new(Arc::new(Schema::of(&campus)), Timestamp(0));
        let points = own.points.len() as u32;
        assert_eq!(count(&campus, &world), [0, points]);
        let sample = |quality| Sample {
            point: campus.point_id("plugin/watch/all").unwrap(),
            time: Timestamp(0),
            value: Value::Number(1.0),
            quality,
        };
        for (quality, counted) in [(Quality::Good, [1, points]), (Quality::Stale, [0, points + 1])] {
            let samples = vec![Sample { time: Timestamp(counted[1].into()), ..sample(quality) }];
            world.apply(&Input::Samples { samples }, &mut Vec::new()).unwrap();
            assert_eq!(count(&campus, &world), counted, "{quality:?}");
        }
    }
}
