//! The world: state, inputs, events.

use std::collections::BTreeSet;
use std::sync::Arc;

use campanile_model::{Actor, Intent, Path, PointId, Quality, Sample, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::alarm::{self, Alarm, Seen, State};
use crate::command::{self, Array, Arrays, Confirmation, Refusal, Slot};
use crate::page::{PAGE_POINTS, Page, Reading};
use crate::schema::Schema;

/// The shortest time that a command is given to be read back, microseconds.
const CONFIRM_WITHIN_US: i64 = 10_000_000;

/// Samples that are looked at together: few enough that what was read is still at hand when it is written.
const BLOCK: usize = 64;

/// What happened: for the audit, for clients and for the gateway.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The slots of a point changed.
    Command {
        /// The point.
        point: PointId,
        /// The value in force now.
        effective: Value,
        /// Whether it has to go out to the field: it is another than before, or somebody has written it anew (the
        /// device may have lost it, or never have been told).
        send: bool,
        /// Who did it; the hub itself where a slot expired.
        actor: Actor,
    },
    /// The field confirmed a command, or did not in time.
    Confirmation {
        /// The point.
        point: PointId,
        /// Which.
        confirmation: Confirmation,
    },
    /// An alarm changed its state.
    Alarm {
        /// The index of its rule in [`Schema::rules`].
        rule: u32,
        /// The state before.
        before: State,
    },
}

/// What the world refused or set aside, counted. Not part of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples applied.
    pub applied: u64,
    /// Samples older than the reading there was: kept by history, not shown as the newest.
    pub late: u64,
    /// Samples of another type than the point's, of an unknown choice, or of no point.
    pub refused: u64,
    /// Numbers that were not finite: the reading keeps its value and turns bad.
    pub not_finite: u64,
}

/// One running campus. See the crate's page.
#[derive(Clone, Debug)]
pub struct World {
    schema: Arc<Schema>,
    pages: Vec<Arc<Page>>,
    hashes: Vec<Option<[u8; 32]>>,
    /// Of each page a time before which no reading of it turns stale.
    earliest_stale: Vec<i64>,
    dirty: Vec<u64>,
    arrays: Arc<Arrays>,
    alarms: Arc<Vec<Alarm>>,
    /// Alarms that a tick has to look at: about to change, or shelved.
    waiting: BTreeSet<u32>,
    now: Timestamp,
    started: Timestamp,
    counts: Counts,
}

/// The readings of a world at a moment: cheap to make, safe to keep, readable from any thread.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pages: Vec<Arc<Page>>,
    /// The world's time.
    pub time: Timestamp,
}

impl Snapshot {
    /// The reading of a point, if it has one.
    pub fn reading(&self, point: PointId) -> Option<Reading> {
        self.pages.get(point.index() / PAGE_POINTS)?.reading(point.index() % PAGE_POINTS)
    }
}

/// The commands and alarms of a world, by path, to be kept and restored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The commands in force by point.
    pub commands: Vec<(Path, Array)>,
    /// The alarms that are not as new, by id.
    pub alarms: Vec<(Arc<str>, Alarm)>,
}

impl World {
    /// A world that begins at `start` with no readings.
    pub fn new(schema: Arc<Schema>, start: Timestamp) -> Self {
        let count = schema.points.len();
        let pages = count.div_ceil(PAGE_POINTS);
        let empty = Arc::new(Page::empty());
        Self {
            pages: vec![empty; pages],
            hashes: vec![None; pages],
            earliest_stale: vec![i64::MAX; pages],
            dirty: vec![0; count.div_ceil(64)],
            arrays: Arc::default(),
            alarms: Arc::new(vec![Alarm::default(); schema.rules.len()]),
            waiting: BTreeSet::new(),
            now: start,
            started: start,
            counts: Counts::default(),
            schema,
        }
    }

    /// The static part.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What was counted since the world began.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// A world of its own from here on, sharing memory until either writes.
    pub fn fork(&self) -> Self {
        self.clone()
    }

    /// The readings as they are now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { pages: self.pages.clone(), time: self.now }
    }

    /// The reading of a point, if it has one.
    pub fn reading(&self, point: PointId) -> Option<Reading> {
        self.pages.get(point.index() / PAGE_POINTS)?.reading(point.index() % PAGE_POINTS)
    }

    /// The commands in force.
    pub fn arrays(&self) -> impl Iterator<Item = (PointId, &Array)> {
        self.arrays.iter().map(|(point, array)| (*point, array))
    }

    /// The commands of a point, if any slot was ever filled.
    pub fn array(&self, point: PointId) -> Option<&Array> {
        self.arrays.get(&point)
    }

    /// The value that a point is commanded to: of the strongest slot, else the safe value; `None` where it can't be
    /// commanded.
    pub fn effective(&self, point: PointId) -> Option<Value> {
        let safe = &self.schema.points.get(point.index())?.command.as_ref()?.safe;
        let slot = self.arrays.get(&point).and_then(Array::strongest);
        Some(slot.map_or_else(|| safe.clone(), |(_, slot)| slot.value.clone()))
    }

    /// An alarm by the index of its rule.
    pub fn alarm(&self, rule: u32) -> Option<&Alarm> {
        self.alarms.get(rule as usize)
    }

    /// The alarms by the index of their rules.
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// How many points have a reading that is not stale.
    pub fn live_points(&self) -> usize {
        (0..self.schema.points.len())
            .filter(|i| {
                let page = &self.pages[i / PAGE_POINTS];
                page.time(i % PAGE_POINTS).is_some() && page.quality(i % PAGE_POINTS) != Quality::Stale
            })
            .count()
    }

    /// The points whose reading changed since the last call, ascending.
    pub fn take_dirty(&mut self) -> Vec<PointId> {
        let count: u32 = self.dirty.iter().map(|word| word.count_ones()).sum();
        let mut found = Vec::with_capacity(count as usize);
        for (index, word) in self.dirty.iter_mut().enumerate() {
            let mut rest = std::mem::take(word);
            while rest != 0 {
                found.push(PointId((index * 64) as u32 + rest.trailing_zeros()));
                rest &= rest - 1;
            }
        }
        found
    }

    /// Applies samples in order. How they are cut into batches does not matter.
    pub fn apply_samples(&mut self, samples: &[Sample], events: &mut Vec<Event>) {
        let schema = self.schema.clone();
        for block in samples.chunks(BLOCK) {
            self.touch(&schema, block);
            self.apply_block(&schema, block, events);
        }
    }

    /// Reads what a block of samples will write. Taking a page for writing is an atomic operation, behind which no
    /// load may start; reading first lets the processor fetch the scattered cache lines of a block together.
    fn touch(&self, schema: &Schema, block: &[Sample]) {
        let mut sum = 0;
        for sample in block {
            let index = sample.point.index();
            if let (Some(check), Some(page)) = (schema.checks.get(index), self.pages.get(index / PAGE_POINTS))
            {
                sum ^= page.touch(index % PAGE_POINTS) ^ i64::from(check.choices);
            }
        }
        std::hint::black_box(sum);
    }

    fn apply_block(&mut self, schema: &Schema, block: &[Sample], events: &mut Vec<Event>) {
        for sample in block {
            let index = sample.point.index();
            let Some(check) = schema.checks.get(index) else {
                self.counts.refused += 1;
                continue;
            };
            let fits = check.value_type == sample.value.value_type()
                && !matches!(sample.value, Value::Choice(c) if c >= check.choices);
            if !fits {
                self.counts.refused += 1;
                continue;
            }
            let (page, slot) = (index / PAGE_POINTS, index % PAGE_POINTS);
            if self.pages[page].time(slot).is_some_and(|time| time > sample.time.0) {
                self.counts.late += 1;
                continue;
            }
            self.counts.applied += 1;
            if self.hashes[page].is_some() {
                self.hashes[page] = None;
            }
            self.dirty[index / 64] |= 1 << (index % 64);
            let content = Arc::make_mut(&mut self.pages[page]);
            let mut quality = sample.quality;
            if let Value::Number(x) = sample.value {
                if !x.is_finite() {
                    self.counts.not_finite += 1;
                    content.set_quality(slot, Quality::Bad);
                    continue;
                }
                if quality == Quality::Good && (x < check.low || x > check.high) {
                    quality = Quality::Uncertain;
                }
            }
            content.set(slot, sample.time, &sample.value, quality);
            let stale_at = sample.time.0.saturating_add(check.stale_after_us);
            let earliest = &mut self.earliest_stale[page];
            *earliest = stale_at.min(*earliest);
            if check.watched {
                self.look_at(schema, sample.point, events);
            }
        }
    }

    /// After a reading of a watched point changed: its alarms, and the commands that it confirms.
    fn look_at(&mut self, schema: &Schema, point: PointId, events: &mut Vec<Event>) {
        for rule in schema.rules_of.get(&point).into_iter().flatten() {
            self.observe(*rule, events);
        }
        for command in schema.commands_read_by.get(&point).into_iter().flatten() {
            let Some(array) = self.arrays.get(command) else { continue };
            let (was, held) = (array.confirmation, array.strongest().is_some());
            let (Some(wanted), Some(read)) = (self.effective(*command), self.reading(point)) else {
                continue;
            };
            let resolution = schema.points.get(command.index()).and_then(|p| p.resolution);
            let Some(array) = Arc::make_mut(&mut self.arrays).get_mut(command) else { continue };
            // A reading from before the command says nothing about it.
            if read.time < array.sent || read.quality == Quality::Stale {
                continue;
            }
            let is = match (command::confirms(&wanted, &read.value, resolution), was) {
                (true, _) => Confirmation::Confirmed,
                // Somebody at the device has overruled a command that holds.
                (false, Confirmation::Confirmed) if held => Confirmation::Unconfirmed,
                (false, was) => was,
            };
            if is != was {
                array.confirmation = is;
                events.push(Event::Confirmation { point: *command, confirmation: is });
            }
        }
    }

    fn observe(&mut self, rule: u32, events: &mut Vec<Event>) {
        let schema = self.schema.clone();
        let Some(spec) = schema.rules.get(rule as usize) else { return };
        let reading = self.reading(spec.point);
        let stale = match &reading {
            Some(reading) => reading.quality == Quality::Stale || reading.quality == Quality::Bad,
            // Never heard of: stale once it could have been.
            None => {
                let patience = schema.points.get(spec.point.index()).map_or(0, |p| p.stale_after_us);
                self.now.0.saturating_sub(self.started.0) > patience
            }
        };
        let other = spec.other.and_then(|p| self.reading(p));
        // What is compared with has to be live too.
        let stale =
            stale || other.as_ref().is_some_and(|o| matches!(o.quality, Quality::Stale | Quality::Bad));
        let other = other.and_then(|r| r.value.as_f64());
        let seen = Seen { value: reading.as_ref().map(|r| &r.value), other, stale };
        let active = self.alarms[rule as usize].active;
        let holds = alarm::holds(spec, active, &seen);
        if holds == active && !self.waiting.contains(&rule) {
            return;
        }
        let now = self.now;
        let alarm = &mut Arc::make_mut(&mut self.alarms)[rule as usize];
        let before = alarm.state;
        if alarm.observe(spec, holds, seen.value, now) {
            events.push(Event::Alarm { rule, before });
        }
        if alarm.turning.is_some() || alarm.state == State::Shelved {
            self.waiting.insert(rule);
        } else {
            self.waiting.remove(&rule);
        }
    }

    /// Moves the clock; what waited for it happens: staleness, delays, expiry, overdue read-back. A time before the
    /// world's own is ignored.
    pub fn tick(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        if now < self.now {
            return;
        }
        self.now = now;
        self.expire(events);
        self.mark_stale(events);
        for rule in self.waiting.iter().copied().collect::<Vec<_>>() {
            let alarm = &mut Arc::make_mut(&mut self.alarms)[rule as usize];
            let before = alarm.state;
            if alarm.unshelve(now) {
                events.push(Event::Alarm { rule, before });
            }
            self.observe(rule, events);
        }
    }

    /// Takes the clock back to a time before the world's own, because the machine's was found wrong. What has happened
    /// after that time counts as having happened then, or true samples would be late; what was to happen keeps its
    /// distance.
    pub fn set_back(&mut self, now: Timestamp) {
        let by = self.now.0.saturating_sub(now.0);
        if by <= 0 {
            return;
        }
        let earlier = |time: &mut Timestamp| *time = now.min(*time);
        let closer = |time: &mut Timestamp| *time = Timestamp(time.0.saturating_sub(by));
        self.now = now;
        earlier(&mut self.started);
        for page in &mut self.pages {
            Arc::make_mut(page).not_after(now);
        }
        self.hashes.iter_mut().for_each(|hash| *hash = None);
        // Each page is looked through anew at the next tick.
        self.earliest_stale.iter_mut().for_each(|at| *at = i64::MIN);
        for array in Arc::make_mut(&mut self.arrays).values_mut() {
            earlier(&mut array.changed);
            earlier(&mut array.sent);
            for slot in array.slots.iter_mut().flatten() {
                earlier(&mut slot.since);
                slot.expires.iter_mut().for_each(closer);
            }
        }
        for alarm in Arc::make_mut(&mut self.alarms) {
            earlier(&mut alarm.changed);
            earlier(&mut alarm.raised);
            alarm.turning.iter_mut().for_each(earlier);
            alarm.shelved_until.iter_mut().for_each(closer);
        }
    }

    fn expire(&mut self, events: &mut Vec<Event>) {
        let now = self.now;
        let due: Vec<PointId> = self
            .arrays
            .iter()
            .filter(|(_, array)| array.filled().any(|(_, slot)| slot.expires.is_some_and(|at| at <= now)))
            .map(|(point, _)| *point)
            .collect();
        for point in due {
            let before = self.effective(point);
            if let Some(array) = Arc::make_mut(&mut self.arrays).get_mut(&point) {
                for slot in &mut array.slots {
                    slot.take_if(|s| s.expires.is_some_and(|at| at <= now));
                }
            }
            self.after_change(point, before, false, Actor::System, events);
        }
        let schema = self.schema.clone();
        let overdue: Vec<PointId> = self
            .arrays
            .iter()
            .filter(|(point, array)| {
                let period = schema.points.get(point.index()).map_or(0, |p| p.stale_after_us);
                array.confirmation == Confirmation::Pending
                    && now.0.saturating_sub(array.sent.0) > period.max(CONFIRM_WITHIN_US)
            })
            .map(|(point, _)| *point)
            .collect();
        for point in overdue {
            if let Some(array) = Arc::make_mut(&mut self.arrays).get_mut(&point) {
                array.confirmation = Confirmation::Unconfirmed;
                events.push(Event::Confirmation { point, confirmation: Confirmation::Unconfirmed });
            }
        }
    }

    fn mark_stale(&mut self, events: &mut Vec<Event>) {
        let schema = self.schema.clone();
        for page in 0..self.pages.len() {
            if self.earliest_stale[page] >= self.now.0 {
                continue;
            }
            let mut earliest = i64::MAX;
            let base = page * PAGE_POINTS;
            for slot in 0..PAGE_POINTS.min(schema.points.len() - base) {
                let Some(time) = self.pages[page].time(slot) else { continue };
                if self.pages[page].quality(slot) == Quality::Stale {
                    continue;
                }
                let at = time.saturating_add(schema.points[base + slot].stale_after_us);
                if at >= self.now.0 {
                    earliest = earliest.min(at);
                    continue;
                }
                self.set_stale(&schema, PointId((base + slot) as u32), events);
            }
            self.earliest_stale[page] = earliest;
        }
        // Points that never spoke have no page entry to turn stale; their rules are asked while they are few.
        for (point, rules) in &schema.rules_of {
            if self.pages[point.index() / PAGE_POINTS].time(point.index() % PAGE_POINTS).is_none() {
                rules.iter().for_each(|rule| self.observe(*rule, events));
            }
        }
    }

    fn set_stale(&mut self, schema: &Schema, point: PointId, events: &mut Vec<Event>) {
        let (page, slot) = (point.index() / PAGE_POINTS, point.index() % PAGE_POINTS);
        Arc::make_mut(&mut self.pages[page]).set_quality(slot, Quality::Stale);
        self.hashes[page] = None;
        self.dirty[point.index() / 64] |= 1 << (point.index() % 64);
        if schema.checks[point.index()].watched {
            self.look_at(schema, point, events);
        }
    }

    /// The source of these points is gone: their readings are stale until new ones come.
    pub fn source_lost(&mut self, points: &[PointId], events: &mut Vec<Event>) {
        let schema = self.schema.clone();
        for point in points {
            let page = self.pages.get(point.index() / PAGE_POINTS);
            if page.is_some_and(|p| p.time(point.index() % PAGE_POINTS).is_some()) {
                self.set_stale(&schema, *point, events);
            }
        }
    }

    /// Writes or relinquishes a slot of a priority array.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing changed.
    pub fn intend(&mut self, intent: &Intent, events: &mut Vec<Event>) -> Result<(), Refusal> {
        let schema = self.schema.clone();
        let spec = schema.points.get(intent.point.index()).ok_or(Refusal::UnknownPoint)?;
        command::check(intent, spec, self.arrays.get(&intent.point), self.now)?;
        let before = self.effective(intent.point);
        let now = self.now;
        let array = Arc::make_mut(&mut self.arrays).entry(intent.point).or_insert_with(|| Array::empty(now));
        array.slots[usize::from(intent.priority.get()) - 1] = intent.value.clone().map(|value| Slot {
            value,
            actor: intent.actor.clone(),
            reason: intent.reason.clone(),
            since: now,
            expires: intent.expires,
        });
        let in_force = array.strongest().is_some_and(|(priority, _)| priority == intent.priority);
        let written = in_force && intent.value.is_some();
        self.after_change(intent.point, before, written, intent.actor.clone(), events);
        Ok(())
    }

    fn after_change(
        &mut self,
        point: PointId,
        before: Option<Value>,
        written: bool,
        actor: Actor,
        events: &mut Vec<Event>,
    ) {
        let Some(effective) = self.effective(point) else { return };
        let changed = before.as_ref() != Some(&effective);
        let now = self.now;
        if (changed || written)
            && let Some(array) = Arc::make_mut(&mut self.arrays).get_mut(&point)
        {
            // A write of the same value is no change that the least interval counts from.
            if changed {
                array.changed = now;
            }
            array.sent = now;
            array.confirmation = Confirmation::Pending;
        }
        events.push(Event::Command { point, effective, send: changed || written, actor });
    }

    /// Acknowledges an alarm; false where there is nothing to acknowledge.
    pub fn acknowledge(&mut self, rule: u32, by: &str, comment: &str, events: &mut Vec<Event>) -> bool {
        let now = self.now;
        let Some(before) = self.alarms.get(rule as usize).map(|a| a.state) else { return false };
        let done = Arc::make_mut(&mut self.alarms)[rule as usize].acknowledge(by, comment, now);
        if done {
            events.push(Event::Alarm { rule, before });
        }
        done
    }

    /// Shelves an alarm until a time after now; false where that is no time or no alarm.
    pub fn shelve(&mut self, rule: u32, until: Timestamp, events: &mut Vec<Event>) -> bool {
        let now = self.now;
        let Some(before) = self.alarms.get(rule as usize).map(|a| a.state) else { return false };
        if until <= now || !Arc::make_mut(&mut self.alarms)[rule as usize].shelve(until, now) {
            return false;
        }
        self.waiting.insert(rule);
        events.push(Event::Alarm { rule, before });
        true
    }

    /// The commands of a point to be kept, with its path; nothing where none was ever given.
    pub fn saved_command(&self, point: PointId) -> Option<(Path, Array)> {
        Some((self.schema.paths.get(point.index())?.clone(), self.arrays.get(&point)?.clone()))
    }

    /// An alarm to be kept, with its id.
    pub fn saved_alarm(&self, rule: u32) -> Option<(Arc<str>, Alarm)> {
        let id = self.schema.rules.get(rule as usize)?.id.clone();
        Some((id, self.alarms.get(rule as usize)?.clone()))
    }

    /// The commands in force and the alarms that are not as new.
    pub fn save(&self) -> Saved {
        let path = |point: &PointId| self.schema.paths.get(point.index()).cloned();
        let fresh = Alarm::default();
        Saved {
            commands: self.arrays.iter().filter_map(|(p, a)| Some((path(p)?, a.clone()))).collect(),
            alarms: self
                .alarms
                .iter()
                .zip(&self.schema.rules)
                .filter(|(alarm, _)| **alarm != fresh)
                .map(|(alarm, rule)| (rule.id.clone(), alarm.clone()))
                .collect(),
        }
    }

    /// Takes up what was saved, as far as the campus still has it; gives what it no longer has.
    pub fn restore(&mut self, saved: Saved) -> Vec<String> {
        let mut lost = Vec::new();
        let ids: std::collections::BTreeMap<&str, u32> =
            self.schema.paths.iter().enumerate().map(|(i, p)| (p.as_str(), i as u32)).collect();
        let rules: std::collections::BTreeMap<&str, u32> =
            self.schema.rules.iter().enumerate().map(|(i, r)| (&*r.id, i as u32)).collect();
        let arrays = Arc::make_mut(&mut self.arrays);
        for (path, array) in saved.commands {
            match ids.get(path.as_str()) {
                Some(id) => {
                    arrays.insert(PointId(*id), array);
                }
                None => lost.push(path.to_string()),
            }
        }
        let alarms = Arc::make_mut(&mut self.alarms);
        for (id, alarm) in saved.alarms {
            match rules.get(&*id) {
                Some(rule) => {
                    if alarm.turning.is_some() || alarm.state == State::Shelved {
                        self.waiting.insert(*rule);
                    }
                    alarms[*rule as usize] = alarm;
                }
                None => lost.push(id.to_string()),
            }
        }
        lost
    }

    /// A hash of the whole state: clock, readings, commands and alarms.
    pub fn hash(&mut self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.now.0.to_le_bytes());
        for (page, hash) in self.pages.iter().zip(&mut self.hashes) {
            hasher.update(hash.get_or_insert_with(|| page.hash()));
        }
        // Debug text of ordered, plain data is one text a state; f64 prints its shortest exact form.
        hasher.update(format!("{:?}", self.arrays).as_bytes());
        for (index, alarm) in self.alarms.iter().enumerate() {
            if *alarm != Alarm::default() {
                hasher.update(format!("{index}{alarm:?}").as_bytes());
            }
        }
        *hasher.finalize().as_bytes()
    }
}
