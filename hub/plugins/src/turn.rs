//! One call of a plugin: what it sees of the world, and what it does to it. All that it does is gathered here and taken
//! over when the call has ended well; a call that breaks off has done nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_model::{Intent, Names, PointId, Quality, Timestamp, Value};
use campanile_world::World;
use serde::{Deserialize, Serialize};

use crate::pace::Bucket;

/// What a plugin does to its world in a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Commands and what it lets go of, in order. The world has been asked for each.
    pub intents: Vec<Intent>,
    /// Alarms that it raises or clears, in order.
    pub alarms: Vec<AlarmChange>,
    /// Values of derived points, by the index of their `[[derived]]`.
    pub derived: Vec<(u16, Value, Quality)>,
    /// Records that it keeps, by the index of their `[[record]]`.
    pub records: Vec<(u16, Arc<str>)>,
    /// What it remembers anew; none: what it forgets.
    pub store: BTreeMap<Arc<str>, Option<Arc<[u8]>>>,
    /// Panels that it shows anew, by the index of their `[[panel]]`.
    pub panels: BTreeMap<u16, Arc<[PanelNode]>>,
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
pub type PanelNode = crate::bindings::rule::campanile::plugin::panels::Node;

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
pub struct Memory {
    /// The store.
    pub store: Arc<BTreeMap<Arc<str>, Arc<[u8]>>>,
    /// The alarms that stand, by index and entity.
    pub standing: std::collections::BTreeSet<(u16, Arc<str>)>,
    /// What is left of each pace.
    pub paces: Paces,
}

/// What is left of each pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Panels shown.
    pub panels: Bucket,
}

impl Memory {
    /// The bytes of all keys and values.
    pub fn stored_bytes(&self) -> usize {
        self.store.iter().map(|(key, value)| key.len() + value.len()).sum()
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

/// What a call sees and gathers.
pub(crate) struct Turn {
    /// The world as it was when the call began.
    pub world: Arc<World>,
    /// What was.
    pub past: Arc<dyn Past>,
    /// The world with what the call has commanded so far: made at the first command.
    pub ahead: Option<World>,
    /// What was done so far.
    pub effects: Effects,
    /// What the plugin remembers, as it was before the call; paces are drawn from it at once.
    pub memory: Memory,
    /// Lines of the log: kept whatever becomes of the call.
    pub log: Vec<LogLine>,
    /// Lines that were too many.
    pub unlogged: u32,
    /// Calls of the host that are left.
    pub calls_left: u32,
}
