//! One call of a plugin: what it sees of the world, and what it does to it. All that it does is gathered here and taken
//! over when the call has ended well; a call that breaks off has done nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_model::{Glob, Intent, Names, PointId, Quality, Timestamp, Value};
use campanile_world::{Refusal, World};
use serde::{Deserialize, Serialize};

use crate::pace::Bucket;

/// Panels by the index of their `[[panel]]` and for whom; none is for all.
pub type Panels = BTreeMap<(u16, Option<Arc<str>>), Arc<[PanelNode]>>;

/// Points that were earned, by mission and person.
pub type Awards = BTreeMap<(Arc<str>, Arc<str>), u32>;

/// What a plugin does to its world in a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Commands and what it lets go of, in order. The world has been asked for each.
    pub intents: Vec<Intent>,
    /// Alarms that it raises or clears, in order.
    pub alarms: Vec<AlarmChange>,
    /// Values of derived points, by the index of their `[[derived]]` and the entity (see [`crate::Grants::derived`]).
    pub derived: Vec<(u16, Arc<str>, Value, Quality)>,
    /// Records that it keeps, by the index of their `[[record]]`.
    pub records: Vec<(u16, Arc<str>)>,
    /// What it remembers anew; none: what it forgets.
    pub store: BTreeMap<Arc<str>, Option<Arc<[u8]>>>,
    /// Panels that it shows anew, by the index of their `[[panel]]`. One for all ends what single persons were shown
    /// before this call; then those for one person, who without nodes sees what all see.
    pub panels: Panels,
    /// Of activities: the missions that it offers anew.
    pub missions: Option<Arc<[Mission]>>,
    /// Of activities: points that it gives.
    pub awards: Vec<Award>,
    /// Of activities: what is to be tried.
    pub proposals: Vec<Proposal>,
    /// Of drills: what trainees are told, in order.
    pub told: Vec<Told>,
    /// Of drills: actions that it begins, by their ids in the drill.
    pub begun: Vec<Arc<str>>,
    /// Of drills: what trainees are asked.
    pub asked: Vec<Question>,
}

impl Effects {
    /// Whether nothing was done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An alarm that a plugin raises or clears.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmChange {
    /// The index of its `[[alarm]]`.
    pub alarm: u16,
    /// The path of the entity that it is for; empty: the campus.
    pub entity: Arc<str>,
    /// What people have to know; none: it is over.
    pub raised: Option<Names>,
}

/// A node of a panel, as the contract has it.
pub type PanelNode = crate::bindings::panels::Node;

/// What learners do, while an activity offers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mission {
    /// Its id, unique among those on offer.
    pub id: Arc<str>,
    /// Its names.
    pub names: Names,
    /// What is to be done.
    pub task: Names,
    /// What it earns at most.
    pub points: u32,
}

/// Points that a person has earned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Award {
    /// The mission.
    pub mission: Arc<str>,
    /// Who: `NAME` of an account, `CLASS/NICKNAME` of a student.
    pub person: Arc<str>,
    /// How many.
    pub points: u32,
}

/// Changes that are to be tried in a rehearsal, beside the same days without them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id, which its outcome has too.
    pub id: Arc<str>,
    /// Its names.
    pub names: Names,
    /// What is changed.
    pub changes: Vec<Change>,
    /// For how many days, 1 to 7.
    pub days: u8,
}

/// A change of setpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which points: a glob over their paths. It matches at least one setpoint that the plugin sees.
    pub glob: String,
    /// What they are set to, in their unit.
    pub value: f64,
    /// From which hour of the day, 0 to 24.
    pub from_h: f64,
    /// To which, greater.
    pub to_h: f64,
}

/// What the trainees of a drill are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// From whom.
    pub from: Names,
    /// What.
    pub message: Names,
}

/// What the trainees of a drill are asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Its id, which the decision has too.
    pub id: Arc<str>,
    /// The question.
    pub question: Names,
    /// What may be answered, by index.
    pub answers: Vec<Names>,
}

/// How a drill stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Situation {
    /// Seconds since it began.
    pub at_s: f64,
    /// The rain of the last hour, mm.
    pub rain_1h_mm: f64,
    /// The rain of the last six hours, mm.
    pub rain_6h_mm: f64,
    /// The level of the water whose level is imposed, m above datum.
    pub river_m: Option<f64>,
    /// The strongest level of warning that was issued.
    pub warned: Option<Arc<str>>,
}

/// How far an action of a drill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has begun it.
    NotBegun,
    /// It is under way.
    Begun,
    /// It has had its effect.
    Done,
}

/// The drill that runs in a world.
pub trait Stage: Send + Sync {
    /// How it stands.
    fn situation(&self) -> Situation;
    /// The greatest depth of water in the spaces whose paths a glob matches, m.
    fn depth_m(&self, glob: &Glob) -> f64;
    /// How far an action is; none where the drill has no such action.
    fn progress(&self, action: &str) -> Option<Progress>;
}

/// What is around a call: the world as it was when the call began, what was, and the drill that runs there.
#[derive(Clone)]
pub struct Around {
    /// The world.
    pub world: Arc<World>,
    /// What was.
    pub past: Arc<dyn Past>,
    /// The drill; none in the living campus and in a rehearsal without one.
    pub stage: Option<Arc<dyn Stage>>,
}

impl Around {
    /// A world without a past and without a drill.
    pub fn of(world: Arc<World>) -> Self {
        Self { world, past: Arc::new(NoPast), stage: None }
    }
}

/// A line of a plugin's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, in the world's time.
    pub time: Timestamp,
    /// How bad it is.
    pub level: LogLevel,
    /// What.
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For who looks for a fault.
    Debug,
    /// As wished.
    Info,
    /// To be looked at.
    Warn,
    /// Something does not work.
    Error,
}

/// What a plugin remembers and has used up: its whole state in a world. Instances have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The store.
    pub store: Arc<BTreeMap<Arc<str>, Arc<[u8]>>>,
    /// The alarms that stand, by index and entity.
    pub standing: BTreeSet<(u16, Arc<str>)>,
    /// The missions on offer.
    pub missions: Arc<[Mission]>,
    /// Points by mission and person.
    #[serde(with = "awards")]
    pub awards: Arc<Awards>,
    /// Proposals whose outcome is not known yet.
    pub proposals: Vec<Proposal>,
    /// What is left of each pace.
    pub paces: Paces,
}

/// Keys of text formats are texts, so awards are kept as a list.
mod awards {
    use super::{Arc, Award, Awards};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(awards: &Arc<Awards>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(awards.iter().map(|((mission, person), points)| Award {
            mission: mission.clone(),
            person: person.clone(),
            points: *points,
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Awards>, D::Error> {
        let awards = Vec::<Award>::deserialize(from)?.into_iter();
        Ok(Arc::new(awards.map(|award| ((award.mission, award.person), award.points)).collect()))
    }
}

/// What is left of each pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paces {
    /// Commands.
    pub commands: Bucket,
    /// Changes of alarms.
    pub alarms: Bucket,
    /// Records.
    pub records: Bucket,
    /// Lines of the log.
    pub log: Bucket,
    /// Readings of history.
    pub history: Bucket,
    /// Panels shown to all.
    pub panels: Bucket,
    /// Panels shown to one person.
    pub own_panels: Bucket,
    /// Proposals.
    pub proposals: Bucket,
    /// What trainees are told and asked.
    pub told: Bucket,
}

/// The group of those whose name has none.
pub const STAFF: &str = "staff";

/// The group of a person: the class of `CLASS/NICKNAME`; people without one are [`STAFF`].
pub fn group(person: &str) -> &str {
    person.split_once('/').map_or(STAFF, |(class, _)| class)
}

/// The groups by points, the first first; those of as many points by name.
pub(crate) fn league<'a>(awards: impl Iterator<Item = (&'a str, u32)>) -> Vec<(String, u32)> {
    let mut sums: BTreeMap<&str, u32> = BTreeMap::new();
    for (person, points) in awards {
        let sum = sums.entry(group(person)).or_default();
        *sum = sum.saturating_add(points);
    }
    let mut league: Vec<_> = sums.into_iter().map(|(group, points)| (group.to_owned(), points)).collect();
    league.sort_by_key(|(_, points)| std::cmp::Reverse(*points));
    league
}

impl Memory {
    /// The bytes of all keys and values.
    pub fn stored_bytes(&self) -> usize {
        self.store.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    /// The groups by points, the first first: see [`group`].
    pub fn league(&self) -> Vec<(String, u32)> {
        league(self.awards.iter().map(|((_, person), points)| (&**person, *points)))
    }

    /// Takes over what a call did.
    pub fn take(&mut self, effects: &Effects) {
        if !effects.store.is_empty() {
            let store = Arc::make_mut(&mut self.store);
            for (key, value) in &effects.store {
                match value {
                    Some(value) => store.insert(key.clone(), value.clone()),
                    None => store.remove(key),
                };
            }
        }
        for change in &effects.alarms {
            let key = (change.alarm, change.entity.clone());
            match change.raised {
                Some(_) => self.standing.insert(key),
                None => self.standing.remove(&key),
            };
        }
        if let Some(missions) = &effects.missions {
            self.missions = missions.clone();
        }
        if !effects.awards.is_empty() {
            let new = effects.awards.iter().map(|a| ((a.mission.clone(), a.person.clone()), a.points));
            Arc::make_mut(&mut self.awards).extend(new);
        }
        self.proposals.extend(effects.proposals.iter().cloned());
    }
}

/// Reads what was. Blocks; called from the plugin's own thread.
pub trait Past: Send + Sync {
    /// Samples from `from` to before `to`, oldest first.
    ///
    /// # Errors
    /// Why it can't be read, for people.
    fn range(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>, String>;
    /// Count, min, mean, max and sum by stretches of `width_us`.
    ///
    /// # Errors
    /// Why it can't be read, for people.
    fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width_us: i64,
    ) -> Result<Vec<PastBucket>, String>;
    /// The newest records of a plugin, newest first.
    ///
    /// # Errors
    /// Why it can't be read, for people.
    fn records(&self, plugin: &str, kind: &str, limit: usize) -> Result<Vec<(Timestamp, String)>, String>;
}

/// What lay in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PastBucket {
    /// Its beginning.
    pub start: Timestamp,
    /// How many good or uncertain samples.
    pub count: u64,
    /// The least.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
    /// Their sum.
    pub sum: f64,
}

/// No past: in a rehearsal of a scene, and in tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPast;

impl Past for NoPast {
    fn range(
        &self,
        _: PointId,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>, String> {
        Ok(Vec::new())
    }

    fn buckets(&self, _: PointId, _: Timestamp, _: Timestamp, _: i64) -> Result<Vec<PastBucket>, String> {
        Ok(Vec::new())
    }

    fn records(&self, _: &str, _: &str, _: usize) -> Result<Vec<(Timestamp, String)>, String> {
        Ok(Vec::new())
    }
}

/// What a call asked the host for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// How often each function of the contract was called, such as `points.read`.
    pub used: BTreeMap<&'static str, u32>,
    /// The points that it read, of now or of the past, or showed.
    pub points: BTreeSet<PointId>,
    /// What was denied, in order.
    pub denied: Vec<Denied>,
}

/// What was denied.
#[derive(Clone, Debug, PartialEq)]
pub struct Denied {
    /// The function of the contract.
    pub call: &'static str,
    /// The denial as the contract spells it, with what it says: `not-granted: capability.history`.
    pub denial: String,
}

/// Calls of the host in one call of the plugin.
const HOST_CALLS: u32 = 100_000;

/// What a call sees and gathers.
pub(crate) struct Turn {
    /// What is around it.
    pub around: Around,
    /// The world with what the call has commanded so far, and how many of its intents that has heard: made where a call
    /// comes back to a point that it has commanded, which is rare.
    ahead: Option<(World, usize)>,
    /// The points that it has commanded so far, a bit each.
    commanded: Vec<u64>,
    /// What was done so far.
    pub effects: Effects,
    /// What the plugin remembers, as it was before the call; paces are drawn from it at once.
    pub memory: Memory,
    /// How many alarms stand, with what the call has raised and cleared so far.
    pub standing: usize,
    /// The bytes of the store, with what the call has set so far; none until somebody asks.
    pub stored_bytes: Option<usize>,
    /// Lines of the log: kept whatever becomes of the call.
    pub log: Vec<LogLine>,
    /// Lines that were too many.
    pub unlogged: u32,
    /// Calls of the host that are left.
    pub calls_left: u32,
    /// What was asked for, where somebody watches.
    pub trace: Option<Trace>,
}

impl Turn {
    /// A call begins.
    pub fn new(around: &Around, memory: Memory, watched: bool) -> Self {
        Self {
            around: around.clone(),
            ahead: None,
            commanded: Vec::new(),
            effects: Effects::default(),
            standing: memory.standing.len(),
            stored_bytes: None,
            memory,
            log: Vec::new(),
            unlogged: 0,
            calls_left: HOST_CALLS,
            trace: watched.then(Trace::default),
        }
    }

    /// The time of the world.
    pub fn now(&self) -> Timestamp {
        self.around.world.now()
    }

    /// The world with what has been commanded in this call, as far as a point is concerned.
    pub fn seen(&mut self, point: PointId) -> &World {
        if self.commanded.get(point.index() / 64).is_none_or(|bits| bits >> (point.index() % 64) & 1 == 0) {
            return &self.around.world;
        }
        let (world, heard) = self.ahead.get_or_insert_with(|| (self.around.world.fork(), 0));
        for intent in &self.effects.intents[*heard..] {
            // It was asked before: it takes each.
            let _ = world.intend(intent, &mut Vec::new());
        }
        *heard = self.effects.intents.len();
        world
    }

    /// A reason as it is kept: many commands of a call have the same.
    pub fn reason(&self, reason: &str) -> Arc<str> {
        let last = self.effects.intents.last().filter(|last| *last.reason == *reason);
        last.map_or_else(|| reason.into(), |last| last.reason.clone())
    }

    /// Asks the world for a command, and keeps it with what the call does.
    ///
    /// # Errors
    /// Why the world refuses it.
    pub fn intend(&mut self, intent: Intent) -> Result<(), Refusal> {
        self.seen(intent.point).may_intend(&intent)?;
        let index = intent.point.index();
        if self.commanded.len() <= index / 64 {
            self.commanded.resize(index / 64 + 1, 0);
        }
        self.commanded[index / 64] |= 1 << (index % 64);
        self.effects.intents.push(intent);
        Ok(())
    }
}
