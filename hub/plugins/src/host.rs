//! What the host does when a plugin calls: each capability, checked against the grants, gathered in the [`Turn`].

use std::sync::Arc;

use campanile_model::{Actor, Glob, Intent, Names, PointId, Priority, Quality, Timestamp, Value, ValueType};
use campanile_world::{Reading, Refusal, World};
use wasmtime::{Result, StoreLimits, bail};

use crate::bindings::rule::campanile::plugin as wit;
use crate::grants::Grants;
use crate::manifest::FieldType;
use crate::pace::Pace;
use crate::turn::{AlarmChange, LogLevel, LogLine, Turn};
use wit::types::{Denial, Sample as WitSample, Value as WitValue};

/// The most points of one call.
const MOST_POINTS: usize = 10_000;
/// The most commands of one call.
const MOST_COMMANDS: usize = 1000;
/// The longest reason, as people's.
const MOST_REASON: usize = 500;
/// The longest line of the log that is kept.
const MOST_LINE: usize = 1000;
/// The longest body of a record.
const MOST_RECORD: usize = 16 * 1024;
/// The longest key of the store.
const MOST_KEY: usize = 128;
/// The longest words of an alarm in one language.
const MOST_WORDS: usize = 1000;
/// Alarms of a plugin that may stand.
const MOST_STANDING: usize = 200;
/// Nodes of a panel, and bytes of its texts.
const MOST_NODES: usize = 500;
const MOST_PANEL: usize = 64 * 1024;

const COMMANDS: Pace = Pace { burst: 1000.0, per_s: 10.0 };
const ALARMS: Pace = Pace { burst: 60.0, per_s: 1.0 };
const RECORDS: Pace = Pace { burst: 200.0, per_s: 1.0 };
const LOG: Pace = Pace { burst: 200.0, per_s: 1.0 };
const HISTORY: Pace = Pace { burst: 10.0, per_s: 10.0 };
const PANELS: Pace = Pace { burst: 8.0, per_s: 4.0 };

/// The data of an instance: whose it is, and the call that it is in.
pub(crate) struct HostState {
    /// What it may do.
    pub grants: Arc<Grants>,
    /// The call; none between calls.
    pub turn: Option<Turn>,
    /// Memory, tables and instances.
    pub limits: StoreLimits,
}

type Answer<T> = Result<std::result::Result<T, Denial>>;

fn invalid<T>(what: impl Into<String>) -> std::result::Result<T, Denial> {
    Err(Denial::Invalid(what.into()))
}

/// What a refusal of the world is to a plugin.
fn denial(why: Refusal) -> Denial {
    match why {
        Refusal::UnknownPoint => Denial::UnknownPoint,
        Refusal::OutOfLimits { low, high, .. } => Denial::OutOfLimits((low, high)),
        Refusal::TooSoon { wait_s } => Denial::TooSoon(wait_s),
        Refusal::Interlocked { id, .. } => Denial::Interlocked(id.to_string()),
        other => Denial::Invalid(other.to_string()),
    }
}

fn quality_out(quality: Quality) -> wit::types::Quality {
    match quality {
        Quality::Good => wit::types::Quality::Good,
        Quality::Uncertain => wit::types::Quality::Uncertain,
        Quality::Bad => wit::types::Quality::Bad,
        Quality::Stale => wit::types::Quality::Stale,
    }
}

fn quality_in(quality: wit::types::Quality) -> Quality {
    match quality {
        wit::types::Quality::Good => Quality::Good,
        wit::types::Quality::Uncertain => Quality::Uncertain,
        wit::types::Quality::Bad => Quality::Bad,
        wit::types::Quality::Stale => Quality::Stale,
    }
}

pub(crate) fn value_out(value: &Value) -> WitValue {
    match value {
        Value::Number(x) => WitValue::Number(*x),
        Value::Bool(b) => WitValue::Boolean(*b),
        Value::Choice(c) => WitValue::Choice(*c),
        Value::Text(t) => WitValue::Text(t.to_string()),
    }
}

fn value_in(value: WitValue) -> std::result::Result<Value, Denial> {
    Ok(match value {
        WitValue::Number(x) if x.is_finite() => Value::Number(x),
        WitValue::Number(x) => return invalid(format!("{x} is not a finite number")),
        WitValue::Boolean(b) => Value::Bool(b),
        WitValue::Choice(c) => Value::Choice(c),
        WitValue::Text(t) if t.len() <= Value::MAX_TEXT => Value::Text(t.into()),
        WitValue::Text(t) => {
            return invalid(format!("the text has {} bytes, at most {} may be", t.len(), Value::MAX_TEXT));
        }
    })
}

pub(crate) fn sample_out(handle: u32, time: Timestamp, value: &Value, quality: Quality) -> WitSample {
    WitSample { point: handle, time: time.0, quality: quality_out(quality), value: value_out(value) }
}

fn names_in(words: &wit::types::Words, most: usize) -> std::result::Result<Names, Denial> {
    for (language, text) in [("zh-cn", &words.zh_cn), ("en", &words.en)] {
        if text.is_empty() || text.len() > most {
            return invalid(format!("the words in {language} have {} bytes, 1 to {most} may be", text.len()));
        }
    }
    Ok(Names::new(&words.zh_cn, &words.en))
}

fn words_out(names: &Names) -> wit::types::Words {
    wit::types::Words { zh_cn: names.zh.clone(), en: names.en.clone() }
}

impl HostState {
    /// The call that the plugin is in. It counts as one call of the host; what goes on for ever ends here.
    fn turn(&mut self) -> Result<(&mut Turn, &Arc<Grants>)> {
        let Some(turn) = &mut self.turn else { bail!("the host was called outside of a call") };
        if turn.calls_left == 0 {
            bail!("{}", crate::seat::TOO_MANY_CALLS);
        }
        turn.calls_left -= 1;
        Ok((turn, &self.grants))
    }
}

impl Turn {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// The world with what has been commanded in this call.
    fn seen(&self) -> &World {
        self.ahead.as_ref().unwrap_or(&self.world)
    }

    fn ahead(&mut self) -> &mut World {
        let world = &self.world;
        self.ahead.get_or_insert_with(|| world.fork())
    }

    fn reading(&self, point: PointId) -> Option<Reading> {
        self.world.reading(point)
    }
}

impl wit::types::Host for HostState {}

impl wit::clock::Host for HostState {
    fn now(&mut self) -> Result<i64> {
        Ok(self.turn()?.0.now().0)
    }

    fn local(&mut self, at: i64) -> Result<wit::clock::LocalTime> {
        let (_, grants) = self.turn()?;
        let zone = jiff::tz::TimeZone::get(&grants.campus.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        // What lies beyond the calendar is shown as its edge.
        let edge = if at < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let moment = jiff::Timestamp::from_microsecond(at).unwrap_or(edge);
        let offset = zone.to_offset(moment);
        let local = offset.to_datetime(moment);
        Ok(wit::clock::LocalTime {
            year: local.year(),
            month: local.month().unsigned_abs(),
            day: local.day().unsigned_abs(),
            weekday: local.weekday().to_monday_one_offset().unsigned_abs(),
            hour: local.hour().unsigned_abs(),
            minute: local.minute().unsigned_abs(),
            second: local.second().unsigned_abs(),
            offset_s: offset.seconds(),
        })
    }
}

impl wit::log::Host for HostState {
    fn write(&mut self, level: wit::log::Level, mut message: String) -> Result<()> {
        let (turn, _) = self.turn()?;
        let level = match level {
            wit::log::Level::Debug => LogLevel::Debug,
            wit::log::Level::Info => LogLevel::Info,
            wit::log::Level::Warn => LogLevel::Warn,
            wit::log::Level::Error => LogLevel::Error,
        };
        let time = turn.now();
        if turn.memory.paces.log.take(LOG, 1, time).is_err() {
            turn.unlogged += 1;
            return Ok(());
        }
        if message.len() > MOST_LINE {
            let end = (0..=MOST_LINE).rev().find(|i| message.is_char_boundary(*i)).unwrap_or(0);
            message.truncate(end);
            message.push('…');
        }
        turn.log.push(LogLine { time, level, text: message });
        Ok(())
    }
}

fn info(grants: &Grants, handle: u32, point: PointId) -> wit::points::Info {
    let spec = grants.campus.point(point);
    let shape = match spec.value_type {
        ValueType::Number => {
            wit::points::Shape::Number(if spec.unit == "1" { String::new() } else { spec.unit.clone() })
        }
        ValueType::Bool => wit::points::Shape::Boolean,
        ValueType::Choice => {
            wit::points::Shape::Choice(spec.choices.iter().map(|choice| choice.id.clone()).collect())
        }
        ValueType::Text => wit::points::Shape::Text,
    };
    wit::points::Info {
        point: handle,
        path: spec.path.as_str().to_owned(),
        kind: spec.quantity.clone(),
        names: words_out(&spec.names),
        shape,
        commandable: grants.commandable(handle),
    }
}

impl wit::points::Host for HostState {
    fn find(&mut self, glob: String) -> Answer<Vec<wit::points::Info>> {
        let (_, grants) = self.turn()?;
        let glob = match Glob::new(&glob) {
            Ok(glob) => glob,
            Err(why) => return Ok(invalid(why.to_string())),
        };
        let mut found = Vec::new();
        for handle in 0..grants.count() as u32 {
            let Some(point) = grants.point(handle) else { continue };
            if glob.matches(grants.campus.point(point).path.as_str()) {
                if found.len() == MOST_POINTS {
                    return Ok(Err(Denial::Quota(MOST_POINTS as u64)));
                }
                found.push(info(grants, handle, point));
            }
        }
        Ok(Ok(found))
    }

    fn by_path(&mut self, path: String) -> Answer<wit::points::Info> {
        let (_, grants) = self.turn()?;
        let found = grants.campus.point_id(&path).and_then(|point| Some((grants.handle(point)?, point)));
        Ok(found.map(|(handle, point)| info(grants, handle, point)).ok_or(Denial::UnknownPoint))
    }

    fn read(&mut self, points: Vec<u32>) -> Answer<Vec<Option<WitSample>>> {
        let (turn, grants) = self.turn()?;
        if points.len() > MOST_POINTS {
            return Ok(Err(Denial::Quota(MOST_POINTS as u64)));
        }
        let mut read = Vec::with_capacity(points.len());
        for handle in points {
            let Some(point) = grants.point(handle) else { return Ok(Err(Denial::UnknownPoint)) };
            let reading = turn.reading(point);
            read.push(reading.map(|r| sample_out(handle, r.time, &r.value, r.quality)));
        }
        Ok(Ok(read))
    }

    fn publish(&mut self, values: Vec<wit::points::Derived>) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        if values.len() > MOST_POINTS {
            return Ok(Err(Denial::Quota(MOST_POINTS as u64)));
        }
        let mut derived = Vec::with_capacity(values.len());
        for value in values {
            let specs = &grants.manifest.derived;
            let Some(index) = specs.iter().position(|spec| spec.id == value.id) else {
                return Ok(Err(Denial::NotGranted(format!("[[derived]] with the id '{}'", value.id))));
            };
            match value_in(value.value) {
                Ok(Value::Number(x)) => {
                    derived.push((index as u16, Value::Number(x), quality_in(value.quality)));
                }
                Ok(_) => return Ok(invalid("a derived point is a number")),
                Err(why) => return Ok(Err(why)),
            }
        }
        turn.effects.derived.extend(derived);
        Ok(Ok(()))
    }
}

impl wit::history::Host for HostState {
    fn range(&mut self, point: u32, start: i64, end: i64, limit: u32) -> Answer<Vec<WitSample>> {
        let (turn, grants) = self.turn()?;
        let found = match past(turn, grants, point) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let limit = (limit as usize).min(MOST_POINTS);
        // What is to come is not told, in a rehearsal of the past either.
        let end = Timestamp(end.min(turn.now().0));
        let read = turn.past.range(found, Timestamp(start), end, limit);
        Ok(match read {
            Ok(read) => Ok(read.iter().map(|(time, value, q)| sample_out(point, *time, value, *q)).collect()),
            Err(why) => Err(Denial::Unavailable(why)),
        })
    }

    fn buckets(
        &mut self,
        point: u32,
        start: i64,
        end: i64,
        width_s: f64,
    ) -> Answer<Vec<wit::history::Bucket>> {
        let (turn, grants) = self.turn()?;
        let found = match past(turn, grants, point) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if !(60.0..=31_536_000.0).contains(&width_s) {
            return Ok(invalid(format!("stretches of {width_s} s: 60 s to a year may be")));
        }
        let end = end.min(turn.now().0);
        let width_us = (width_s * 1e6) as i64;
        if (end.saturating_sub(start)) / width_us > MOST_POINTS as i64 {
            return Ok(Err(Denial::Quota(MOST_POINTS as u64)));
        }
        let read = turn.past.buckets(found, Timestamp(start), Timestamp(end), width_us);
        let out = |b: &crate::turn::PastBucket| wit::history::Bucket {
            start: b.start.0,
            count: b.count,
            min: b.min,
            mean: b.mean,
            max: b.max,
            sum: b.sum,
        };
        Ok(read.map(|read| read.iter().map(out).collect()).map_err(Denial::Unavailable))
    }
}

/// The point whose past is asked for.
fn past(turn: &mut Turn, grants: &Grants, handle: u32) -> std::result::Result<PointId, Denial> {
    if !grants.history {
        return Err(Denial::NotGranted("capability.history".to_owned()));
    }
    let point = grants.point(handle).ok_or(Denial::UnknownPoint)?;
    let now = turn.now();
    turn.memory.paces.history.take(HISTORY, 1, now).map_err(Denial::TooSoon)?;
    Ok(point)
}

/// Asks the world for a command, and keeps it with what the call does.
fn command(
    turn: &mut Turn,
    grants: &Grants,
    command: wit::commands::Command,
) -> std::result::Result<(), Denial> {
    let Some((strongest, weakest)) = grants.band else {
        return Err(Denial::NotGranted("capability.command".to_owned()));
    };
    let point = grants.point(command.point).ok_or(Denial::UnknownPoint)?;
    if !grants.commandable(command.point) {
        let path = grants.campus.point(point).path.as_str();
        return Err(Denial::NotGranted(format!("capability.command.points for '{path}'")));
    }
    let Some(priority) = Priority::new(command.priority) else {
        return invalid(format!("priority {} is not from 1 to 16", command.priority));
    };
    if priority < strongest {
        return Err(Denial::TooStrong(strongest.get()));
    }
    if priority > weakest {
        return invalid(format!(
            "priority {} is weaker than the band, which ends at {}",
            priority.get(),
            weakest.get()
        ));
    }
    if !(command.expires_s > 0.0 && command.expires_s <= 86_400.0) {
        return invalid(format!(
            "it expires in {} s: more than 0 and at most a day may be",
            command.expires_s
        ));
    }
    let reason = command.reason.trim();
    if reason.is_empty() || reason.len() > MOST_REASON {
        return invalid(format!("the reason has {} bytes, 1 to {MOST_REASON} may be", reason.len()));
    }
    let value = value_in(command.value)?;
    let now = turn.now();
    turn.memory.paces.commands.take(COMMANDS, 1, now).map_err(Denial::TooSoon)?;
    let intent = Intent {
        point,
        priority,
        value: Some(value),
        expires: Some(now.plus_micros((command.expires_s * 1e6) as i64)),
        actor: actor(grants),
        reason: reason.into(),
    };
    turn.ahead().intend(&intent, &mut Vec::new()).map_err(denial)?;
    turn.effects.intents.push(intent);
    Ok(())
}

fn actor(grants: &Grants) -> Actor {
    Actor::Plugin(grants.manifest.id.as_str().into())
}

impl wit::commands::Host for HostState {
    fn write(
        &mut self,
        commands: Vec<wit::commands::Command>,
    ) -> Result<Vec<std::result::Result<(), Denial>>> {
        let (turn, grants) = self.turn()?;
        if commands.len() > MOST_COMMANDS {
            return Ok(vec![Err(Denial::Quota(MOST_COMMANDS as u64)); commands.len()]);
        }
        Ok(commands.into_iter().map(|one| command(turn, grants, one)).collect())
    }

    fn relinquish(&mut self, points: Vec<u32>) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        let mut found = Vec::with_capacity(points.len().min(MOST_POINTS));
        for handle in points {
            let Some(point) = grants.point(handle) else { return Ok(Err(Denial::UnknownPoint)) };
            found.push(point);
        }
        for intent in letting_go(turn.seen(), grants, &found) {
            if let Err(why) = turn.ahead().intend(&intent, &mut Vec::new()) {
                return Ok(Err(denial(why)));
            }
            turn.effects.intents.push(intent);
        }
        Ok(Ok(()))
    }

    fn holds(&mut self, point: u32) -> Answer<Option<wit::commands::Holding>> {
        let (turn, grants) = self.turn()?;
        let Some(found) = grants.point(point) else { return Ok(Err(Denial::UnknownPoint)) };
        let world = turn.seen();
        let Some(array) = world.array(found) else { return Ok(Ok(None)) };
        let strongest = array.strongest();
        let holding = world.effective(found).map(|value| wit::commands::Holding {
            value: value_out(&value),
            priority: strongest.map(|(priority, _)| priority.get()),
            mine: strongest.is_some_and(|(_, slot)| slot.actor == actor(grants)),
        });
        Ok(Ok(holding))
    }
}

/// What lets go of all slots that a plugin holds at points.
pub(crate) fn letting_go(world: &World, grants: &Grants, points: &[PointId]) -> Vec<Intent> {
    let mine = actor(grants);
    let mut intents = Vec::new();
    for point in points {
        for (priority, slot) in world.array(*point).into_iter().flat_map(|array| array.filled()) {
            if slot.actor == mine {
                intents.push(Intent {
                    point: *point,
                    priority,
                    value: None,
                    expires: None,
                    actor: mine.clone(),
                    reason: "let go".into(),
                });
            }
        }
    }
    intents
}

impl wit::alarms::Host for HostState {
    fn raise(&mut self, id: String, entity: String, detail: wit::types::Words) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        Ok(names_in(&detail, MOST_WORDS).and_then(|detail| alarm(turn, grants, &id, &entity, Some(detail))))
    }

    fn clear(&mut self, id: String, entity: String) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        Ok(alarm(turn, grants, &id, &entity, None))
    }
}

fn alarm(
    turn: &mut Turn,
    grants: &Grants,
    id: &str,
    entity: &str,
    raised: Option<Names>,
) -> std::result::Result<(), Denial> {
    let Some(index) = grants.manifest.alarm.iter().position(|spec| spec.id == id) else {
        return Err(Denial::NotGranted(format!("[[alarm]] with the id '{id}'")));
    };
    if !entity.is_empty() && grants.campus.entity(entity).is_none() {
        return invalid(format!("the campus has no entity '{entity}'"));
    }
    let (index, entity): (u16, Arc<str>) = (index as u16, entity.into());
    let key = (index, entity.clone());
    let later = turn.effects.alarms.iter().rev().find(|c| c.alarm == index && c.entity == entity);
    let stands = later.map_or_else(|| turn.memory.standing.contains(&key), |c| c.raised.is_some());
    if raised.is_none() && !stands {
        return Ok(());
    }
    if raised.is_some() && !stands {
        let more = turn.effects.alarms.iter().filter(|c| c.raised.is_some()).count();
        if turn.memory.standing.len() + more >= MOST_STANDING {
            return Err(Denial::Quota(MOST_STANDING as u64));
        }
    }
    let now = turn.now();
    turn.memory.paces.alarms.take(ALARMS, 1, now).map_err(Denial::TooSoon)?;
    turn.effects.alarms.push(AlarmChange { alarm: index, entity, raised });
    Ok(())
}

impl wit::records::Host for HostState {
    fn append(&mut self, kind: String, body: String) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        let Some(index) = grants.manifest.record.iter().position(|spec| spec.id == kind) else {
            return Ok(Err(Denial::NotGranted(format!("[[record]] with the id '{kind}'"))));
        };
        if body.len() > MOST_RECORD {
            return Ok(invalid(format!("the record has {} bytes, at most {MOST_RECORD} may be", body.len())));
        }
        let read: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(&body) {
            Ok(read) => read,
            Err(why) => return Ok(invalid(format!("the record is no JSON object: {why}"))),
        };
        let fields = &grants.manifest.record[index].fields;
        for (name, wanted) in fields {
            let fits = read.get(name).is_some_and(|value| match wanted {
                FieldType::Number => value.is_number(),
                FieldType::Text => value.is_string(),
                FieldType::Bool => value.is_boolean(),
            });
            if !fits {
                return Ok(invalid(format!("the field '{name}' has to be a {wanted:?}").to_lowercase()));
            }
        }
        if let Some(name) = read.keys().find(|name| !fields.contains_key(*name)) {
            return Ok(invalid(format!("the record has no field '{name}'")));
        }
        let now = turn.now();
        if let Err(wait_s) = turn.memory.paces.records.take(RECORDS, 1, now) {
            return Ok(Err(Denial::TooSoon(wait_s)));
        }
        turn.effects.records.push((index as u16, body.into()));
        Ok(Ok(()))
    }

    fn newest(&mut self, kind: String, limit: u32) -> Answer<Vec<wit::records::Kept>> {
        let (turn, grants) = self.turn()?;
        let Some(index) = grants.manifest.record.iter().position(|spec| spec.id == kind) else {
            return Ok(Err(Denial::NotGranted(format!("[[record]] with the id '{kind}'"))));
        };
        let now = turn.now();
        if let Err(wait_s) = turn.memory.paces.history.take(HISTORY, 1, now) {
            return Ok(Err(Denial::TooSoon(wait_s)));
        }
        let limit = (limit as usize).min(1000);
        let own = turn.effects.records.iter().rev().filter(|(of, _)| usize::from(*of) == index);
        let mut kept: Vec<wit::records::Kept> =
            own.map(|(_, body)| wit::records::Kept { time: now.0, body: body.to_string() }).collect();
        match turn.past.records(&grants.manifest.id, &kind, limit) {
            Ok(before) => {
                kept.extend(before.into_iter().map(|(t, body)| wit::records::Kept { time: t.0, body }));
            }
            Err(why) => return Ok(Err(Denial::Unavailable(why))),
        }
        kept.truncate(limit);
        Ok(Ok(kept))
    }
}

impl wit::store::Host for HostState {
    fn get(&mut self, key: String) -> Answer<Option<Vec<u8>>> {
        let (turn, _) = self.turn()?;
        let changed = turn.effects.store.get(key.as_str());
        let value = match changed {
            Some(changed) => changed.as_ref(),
            None => turn.memory.store.get(key.as_str()),
        };
        Ok(Ok(value.map(|value| value.to_vec())))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        if key.is_empty() || key.len() > MOST_KEY {
            return Ok(invalid(format!("the key has {} bytes, 1 to {MOST_KEY} may be", key.len())));
        }
        let quota = grants.manifest.limits.store_kib as usize * 1024;
        let mut bytes = turn.memory.stored_bytes() + key.len() + value.len();
        let before = |key: &str| turn.memory.store.get(key).map_or(0, |value| key.len() + value.len());
        for (other, value) in turn.effects.store.iter().filter(|(other, _)| ***other != *key) {
            bytes += value.as_ref().map_or(0, |value| other.len() + value.len());
            bytes -= before(other);
        }
        bytes -= before(&key);
        if bytes > quota {
            return Ok(Err(Denial::Quota(quota as u64)));
        }
        turn.effects.store.insert(key.into(), Some(value.into()));
        Ok(Ok(()))
    }

    fn delete(&mut self, key: String) -> Answer<()> {
        let (turn, _) = self.turn()?;
        if turn.memory.store.contains_key(key.as_str()) {
            turn.effects.store.insert(key.into(), None);
        } else {
            turn.effects.store.remove(key.as_str());
        }
        Ok(Ok(()))
    }

    fn keys(&mut self, prefix: String) -> Answer<Vec<String>> {
        let (turn, _) = self.turn()?;
        let kept = turn.memory.store.keys().filter(|key| !turn.effects.store.contains_key(*key));
        let new = turn.effects.store.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key);
        let mut keys: Vec<String> =
            kept.chain(new).filter(|key| key.starts_with(&prefix)).map(|key| key.to_string()).collect();
        keys.sort_unstable();
        keys.truncate(1000);
        Ok(Ok(keys))
    }
}

impl wit::panels::Host for HostState {
    fn show(&mut self, panel: String, nodes: Vec<wit::panels::Node>) -> Answer<()> {
        let (turn, grants) = self.turn()?;
        let Some(index) = grants.manifest.panel.iter().position(|spec| spec.id == panel) else {
            return Ok(Err(Denial::NotGranted(format!("[[panel]] with the id '{panel}'"))));
        };
        if let Err(why) = check_panel(grants, &nodes) {
            return Ok(invalid(why));
        }
        let now = turn.now();
        if let Err(wait_s) = turn.memory.paces.panels.take(PANELS, 1, now) {
            return Ok(Err(Denial::TooSoon(wait_s)));
        }
        turn.effects.panels.insert(index as u16, nodes.into());
        Ok(Ok(()))
    }
}

/// Whether a tree can be drawn: one root, parents before children, finite numbers, points that may be seen.
fn check_panel(grants: &Grants, nodes: &[wit::panels::Node]) -> std::result::Result<(), String> {
    use wit::panels::{Content, FieldKind};
    if nodes.is_empty() || nodes.len() > MOST_NODES {
        return Err(format!("the panel has {} nodes, 1 to {MOST_NODES} may be", nodes.len()));
    }
    let mut bytes = 0;
    let mut text = |text: &str| {
        bytes += text.len();
        if bytes > MOST_PANEL {
            Err(format!("the panel has more than {MOST_PANEL} bytes of text"))
        } else {
            Ok(())
        }
    };
    let finite = |x: f64| if x.is_finite() { Ok(()) } else { Err(format!("{x} is not a finite number")) };
    let mut ids = std::collections::BTreeSet::new();
    for (i, node) in nodes.iter().enumerate() {
        let at = |why: String| format!("node {i} ('{}'): {why}", node.id);
        if node.id.is_empty() || node.id.len() > 64 || !ids.insert(node.id.as_str()) {
            return Err(at("its id is empty, too long or there twice".to_owned()));
        }
        let parent = node.parent.map(|parent| nodes.get(parent as usize).filter(|_| (parent as usize) < i));
        match (i, parent) {
            (0, None) => {}
            (0, Some(_)) => return Err(at("the first node has no parent".to_owned())),
            (_, Some(Some(parent))) if matches!(parent.content, Content::Column | Content::Row) => {}
            _ => return Err(at("its parent has to be an earlier column or row".to_owned())),
        }
        let mut words = |words: &wit::types::Words| text(&words.zh_cn).and_then(|()| text(&words.en));
        let checked = match &node.content {
            Content::Column | Content::Row => Ok(()),
            Content::Text((said, _)) | Content::Button((said, _)) => words(said),
            Content::Value(point) => match grants.point(*point) {
                Some(_) => Ok(()),
                None => Err("there is no such point".to_owned()),
            },
            Content::Gauge((said, value, low, high, unit)) => words(said)
                .and_then(|()| text(unit))
                .and_then(|()| [*value, *low, *high].into_iter().try_for_each(finite)),
            Content::Chart((lines, unit)) => {
                let dots: usize = lines.iter().map(|line| line.dots.len()).sum();
                if dots > MOST_POINTS {
                    Err(format!("the chart has {dots} dots, at most {MOST_POINTS} may be"))
                } else {
                    lines
                        .iter()
                        .try_for_each(|line| {
                            words(&line.names)?;
                            line.dots.iter().try_for_each(|(_, y)| finite(*y))
                        })
                        .and_then(|()| text(unit))
                }
            }
            Content::Table((head, rows)) => head.iter().try_for_each(&mut words).and_then(|()| {
                if rows.iter().any(|row| row.len() != head.len()) {
                    return Err("each row has as many cells as the head".to_owned());
                }
                rows.iter().flatten().try_for_each(|cell| text(cell))
            }),
            Content::Form((fields, said)) => fields
                .iter()
                .try_for_each(|field| {
                    words(&field.names)?;
                    match &field.kind {
                        FieldKind::Number((low, high, first)) => {
                            [*low, *high, *first].into_iter().try_for_each(finite)
                        }
                        FieldKind::Choice(choices) => choices.iter().try_for_each(&mut words),
                        FieldKind::Text(_) | FieldKind::Toggle(_) => Ok(()),
                    }
                })
                .and_then(|()| words(said)),
            Content::MapLayer(marks) => marks.iter().try_for_each(|(path, _, said)| {
                words(said)?;
                match grants.campus.entity(path) {
                    Some(_) => Ok(()),
                    None => Err(format!("the campus has no entity '{path}'")),
                }
            }),
            Content::Quiz((question, answers)) => {
                words(question).and_then(|()| answers.iter().try_for_each(&mut words))
            }
        };
        checked.map_err(at)?;
    }
    Ok(())
}
