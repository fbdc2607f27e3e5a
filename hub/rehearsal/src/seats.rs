//! The plugins of a rehearsal: the seats of the live world's, or those that are on trial.
//!
//! At each barrier, after people and the drill and before the engines, each plugin is called in the order of ids with what
//! has happened since the barrier before: alarms, uses of panels, samples, the tick. What it does enters the world before
//! the next is called. Work is limited by instructions, not by time, so that it is the same on every machine.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use campanile_model::{PointId, Quality, Sample, Timestamp, Value};
use campanile_plugins::{AlarmNews, Budget, Call, Grants, NoPast, Outcome, Past, PastBucket, Seat};
use serde::{Deserialize, Serialize};

/// Values of a point that are remembered for plugins to look back at.
const MOST_REMEMBERED: usize = 20_000;
/// Records of a plugin that are remembered.
const MOST_RECORDS: usize = 10_000;

/// What came of a call of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct SeatOutcome {
    /// Which seat, in the order of ids.
    pub seat: usize,
    /// When, in the rehearsal's time.
    pub time: Timestamp,
    /// Why it was called.
    pub call: Call,
    /// What came of it.
    pub outcome: Outcome,
}

/// A record that a plugin has kept in a rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptRecord {
    /// The plugin.
    pub plugin: Arc<str>,
    /// The kind of record.
    pub kind: Arc<str>,
    /// When.
    pub time: Timestamp,
    /// JSON.
    pub body: Arc<str>,
}

/// What a rehearsal remembers for its plugins, behind what was before it began.
#[derive(Clone)]
pub(crate) struct Remembered {
    before: Arc<dyn Past>,
    measured: BTreeMap<PointId, VecDeque<(Timestamp, Value, Quality)>>,
    records: VecDeque<KeptRecord>,
}

/// What a point had at a moment.
type Reading = (Timestamp, Value, Quality);

/// An alarm as it was when plugins last heard of it: id, entity, whether it holds, whether it is acknowledged, since when.
type HeardAlarm = (Arc<str>, Arc<str>, bool, bool, Timestamp);

/// [`Remembered`] as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memories {
    measured: Vec<(PointId, Vec<Reading>)>,
    records: Vec<KeptRecord>,
}

impl Remembered {
    fn memories(&self) -> Memories {
        Memories {
            measured: self.measured.iter().map(|(p, v)| (*p, v.iter().cloned().collect())).collect(),
            records: self.records.iter().cloned().collect(),
        }
    }

    fn take(&mut self, memories: Memories) {
        self.measured = memories.measured.into_iter().map(|(p, v)| (p, v.into())).collect();
        self.records = memories.records.into();
    }

    /// Where the rehearsal's own values of a point begin; before that the past is asked.
    fn began(&self, point: PointId) -> Timestamp {
        let own = self.measured.get(&point).and_then(|values| values.front());
        own.map_or(Timestamp(i64::MAX), |(time, ..)| *time)
    }

    fn own(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &(Timestamp, Value, Quality)> {
        let values = self.measured.get(&point).into_iter().flatten();
        values.skip_while(move |(time, ..)| *time < from).take_while(move |(time, ..)| *time < to)
    }
}

impl Past for Remembered {
    fn range(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>, String> {
        let began = self.began(point);
        let mut found =
            if from < began { self.before.range(point, from, to.min(began), limit)? } else { Vec::new() };
        let room = limit.saturating_sub(found.len());
        found.extend(self.own(point, from, to).take(room).cloned());
        Ok(found)
    }

    fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width_us: i64,
    ) -> Result<Vec<PastBucket>, String> {
        let began = self.began(point);
        let mut buckets: BTreeMap<i64, PastBucket> = BTreeMap::new();
        if from < began {
            let before = self.before.buckets(point, from, to.min(began), width_us)?;
            buckets.extend(before.into_iter().map(|bucket| (bucket.start.0, bucket)));
        }
        for (time, value, quality) in self.own(point, from, to) {
            let (Some(x), Quality::Good | Quality::Uncertain) = (value.as_f64(), quality) else { continue };
            let start = from.0 + (time.0 - from.0).div_euclid(width_us.max(1)) * width_us;
            let fresh = PastBucket { start: Timestamp(start), min: x, max: x, ..PastBucket::default() };
            let bucket = buckets.entry(start).or_insert(fresh);
            bucket.count += 1;
            bucket.min = bucket.min.min(x);
            bucket.max = bucket.max.max(x);
            bucket.sum += x;
            bucket.mean = bucket.sum / bucket.count as f64;
        }
        Ok(buckets.into_values().collect())
    }

    fn records(&self, plugin: &str, kind: &str, limit: usize) -> Result<Vec<(Timestamp, String)>, String> {
        let own = self.records.iter().rev().filter(|r| &*r.plugin == plugin && &*r.kind == kind);
        let mut found: Vec<_> = own.take(limit).map(|r| (r.time, r.body.to_string())).collect();
        let room = limit - found.len();
        if room > 0 {
            found.extend(self.before.records(plugin, kind, room)?);
        }
        Ok(found)
    }
}

/// The seats of a rehearsal.
pub(crate) struct Seats {
    pub list: Vec<Seat>,
    past: Arc<Remembered>,
    /// Samples since the barrier before.
    pub heard: Vec<Sample>,
    /// Alarms since the barrier before.
    pub alarms: Vec<AlarmNews>,
    /// What people did at panels, and what else a seat alone is told.
    pub told: Vec<(usize, Call)>,
    /// What came of calls, until somebody takes it.
    pub outcomes: Vec<SeatOutcome>,
}

impl Default for Seats {
    fn default() -> Self {
        Self::new(Vec::new(), Arc::new(NoPast))
    }
}

/// Instances are not copied: a branch makes its own.
impl Clone for Seats {
    fn clone(&self) -> Self {
        Self {
            list: self.list.iter().map(|seat| seat.fork(Budget::Fuel)).collect(),
            past: self.past.clone(),
            heard: self.heard.clone(),
            alarms: self.alarms.clone(),
            told: self.told.clone(),
            outcomes: Vec::new(),
        }
    }
}

/// A seat as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptSeat {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// All that there is of it.
    pub saved: campanile_plugins::Saved,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptSeats {
    pub seats: Vec<KeptSeat>,
    memories: Memories,
    heard: Vec<Sample>,
    alarms: Vec<HeardAlarm>,
}

impl Seats {
    pub fn new(mut list: Vec<Seat>, before: Arc<dyn Past>) -> Self {
        list.sort_by(|a, b| a.grants().manifest.id.cmp(&b.grants().manifest.id));
        let past = Remembered { before, measured: BTreeMap::new(), records: VecDeque::new() };
        let past = Arc::new(past);
        let (heard, alarms, told, outcomes) = Default::default();
        Self { list, past, heard, alarms, told, outcomes }
    }

    pub fn past(&self) -> Arc<dyn Past> {
        self.past.clone()
    }

    /// Takes up samples for the next barrier, and for those who may look back.
    pub fn hear(&mut self, samples: &[Sample]) {
        if self.list.is_empty() {
            return;
        }
        let wanted = |point: PointId| self.list.iter().any(|s| s.grants().subscribed(point).is_some());
        self.heard.extend(samples.iter().filter(|sample| wanted(sample.point)).cloned());
        let looks_back: Vec<&Arc<Grants>> =
            self.list.iter().map(Seat::grants).filter(|grants| grants.history).collect();
        if looks_back.is_empty() {
            return;
        }
        let past = Arc::make_mut(&mut self.past);
        for sample in samples {
            if looks_back.iter().any(|grants| grants.handle(sample.point).is_some()) {
                let values = past.measured.entry(sample.point).or_default();
                if values.len() == MOST_REMEMBERED {
                    values.pop_front();
                }
                values.push_back((sample.time, sample.value.clone(), sample.quality));
            }
        }
    }

    /// Keeps the records of a call.
    pub fn keep(&mut self, seat: usize, time: Timestamp, outcome: &Outcome) {
        let Some(grants) = self.list.get(seat).map(|seat| seat.grants().clone()) else { return };
        if outcome.effects.records.is_empty() {
            return;
        }
        let past = Arc::make_mut(&mut self.past);
        for (kind, body) in &outcome.effects.records {
            let Some(spec) = grants.manifest.record.get(usize::from(*kind)) else { continue };
            let (plugin, kind) = (grants.manifest.id.as_str().into(), spec.id.as_str().into());
            if past.records.len() == MOST_RECORDS {
                past.records.pop_front();
            }
            past.records.push_back(KeptRecord { plugin, kind, time, body: body.clone() });
        }
    }

    pub fn records(&self) -> impl Iterator<Item = &KeptRecord> {
        self.past.records.iter()
    }

    pub fn kept(&self) -> KeptSeats {
        let seat = |seat: &Seat| {
            let manifest = &seat.grants().manifest;
            let (plugin, version) = (manifest.id.clone(), manifest.version.clone());
            KeptSeat { plugin, version, saved: seat.saved().clone() }
        };
        let news = |a: &AlarmNews| (a.id.clone(), a.entity.clone(), a.active, a.acknowledged, a.at);
        KeptSeats {
            seats: self.list.iter().map(seat).collect(),
            memories: self.past.memories(),
            heard: self.heard.clone(),
            alarms: self.alarms.iter().map(news).collect(),
        }
    }

    /// The seats as they were kept.
    pub fn taken_up(list: Vec<Seat>, before: Arc<dyn Past>, kept: KeptSeats) -> Self {
        let mut seats = Self::new(list, before);
        Arc::make_mut(&mut seats.past).take(kept.memories);
        seats.heard = kept.heard;
        let news =
            |(id, entity, active, acknowledged, at)| AlarmNews { id, entity, active, acknowledged, at };
        seats.alarms = kept.alarms.into_iter().map(news).collect();
        seats
    }
}

/// What a call is about, in a word.
pub fn name_of(call: &Call) -> &'static str {
    match call {
        Call::Samples(_) => "samples",
        Call::Tick => "tick",
        Call::Alarms(_) => "alarms",
        Call::Panel(_) => "panel",
        Call::Trial(_) => "trial",
        Call::Decision(_) => "decision",
    }
}
