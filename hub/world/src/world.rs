//! The world: state, inputs, events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_model::{
    Actor, AlarmCondition, Change, Intent, Path, PointId, Priority, Quality, Sample, Timestamp, Value,
};
use serde::{Deserialize, Serialize};

use crate::alarm::{self, Alarm, Seen, State, Suppression, Window};
use crate::command::{self, Array, Arrays, Confirmation, Held, Refusal, Slot};
use crate::notice::{Notice, Notices, Notification};
use crate::page::{PAGE_POINTS, Page, Reading};
use crate::record::Checkpoint;
use crate::schema::{Condition, LockSpec, Schema};

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
        /// Its number: the index of its rule in [`Schema::rules`], behind those the alarms of plugins.
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
    /// The alarms of plugins; their numbers follow those of the rules.
    notices: Arc<Notices>,
    /// Alarms that a tick has to look at: about to change, or hidden until a time.
    waiting: BTreeSet<u32>,
    /// Of the rules that look at changes, the values of their time.
    windows: Arc<BTreeMap<u32, Window>>,
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
    /// The alarms of plugins.
    #[serde(default)]
    pub notices: Vec<Notice>,
}

/// The value in force: of the strongest slot, else the safe one; while the least interval is not over, the value before.
/// Without a copy, since plugins ask this a thousand times in a call.
fn in_force<'a>(array: Option<&'a Array>, safe: &'a Value) -> &'a Value {
    let held = array.and_then(|array| array.held.as_ref());
    held.map_or_else(|| asked_for(array, safe), |held| &held.value)
}

/// The value that the slots ask for.
fn asked_for<'a>(array: Option<&'a Array>, safe: &'a Value) -> &'a Value {
    array.and_then(Array::strongest).map_or(safe, |(_, slot)| &slot.value)
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
            notices: Arc::default(),
            waiting: BTreeSet::new(),
            windows: Arc::default(),
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

    /// The value that a point is commanded to: of the strongest slot, else the safe value; while the least interval
    /// is not over, the value before. `None` where it can't be commanded.
    pub fn effective(&self, point: PointId) -> Option<Value> {
        let safe = &self.schema.points.get(point.index())?.command.as_ref()?.safe;
        Some(in_force(self.arrays.get(&point), safe).clone())
    }

    /// The value that the slots ask for.
    fn asked_for(&self, point: PointId) -> Option<Value> {
        let safe = &self.schema.points.get(point.index())?.command.as_ref()?.safe;
        Some(asked_for(self.arrays.get(&point), safe).clone())
    }

    /// An alarm by its number.
    pub fn alarm(&self, number: u32) -> Option<&Alarm> {
        match self.alarms.get(number as usize) {
            Some(alarm) => Some(alarm),
            None => self.notice(number).map(|notice| &notice.alarm),
        }
    }

    /// The alarms of the campus' rules, by the index of their rules.
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Every alarm with its number: of the rules, then of plugins.
    pub fn all_alarms(&self) -> impl Iterator<Item = (u32, &Alarm)> {
        (0..).zip(self.alarms.iter().chain(self.notices.list().iter().map(|notice| &notice.alarm)))
    }

    /// The alarm of a plugin with this number.
    pub fn notice(&self, number: u32) -> Option<&Notice> {
        self.notices.list().get((number as usize).checked_sub(self.alarms.len())?)
    }

    /// The alarms of plugins.
    pub fn notices(&self) -> &[Notice] {
        self.notices.list()
    }

    /// The number of the alarm with this id.
    pub fn alarm_number(&self, id: &str) -> Option<u32> {
        let of_plugin = || Some(self.notices.place(id)? + self.alarms.len() as u32);
        self.schema.rule(id).or_else(of_plugin)
    }

    /// An alarm to be changed.
    fn alarm_mut(&mut self, number: u32) -> Option<&mut Alarm> {
        let rules = self.alarms.len();
        match (number as usize).checked_sub(rules) {
            None => Arc::make_mut(&mut self.alarms).get_mut(number as usize),
            Some(place) => Some(&mut Arc::make_mut(&mut self.notices).get_mut(place)?.alarm),
        }
    }

    /// Takes what a plugin says of one of its alarms; whether anything changed.
    pub fn notify(&mut self, said: &Notification, events: &mut Vec<Event>) -> bool {
        let (id, now, rules) = (said.id(), self.now, self.alarms.len() as u32);
        let known = self.notices.place(&id);
        // What never was is over already.
        if known.is_none() && said.detail.is_none() {
            return false;
        }
        let notices = Arc::make_mut(&mut self.notices);
        let place = known.unwrap_or_else(|| {
            let alarm = Alarm::default();
            notices.put(Notice { id: id.into(), said: said.clone(), alarm })
        });
        let Some(notice) = notices.get_mut(place as usize) else { return false };
        let before = notice.alarm.state;
        let detail = said.detail.clone().or_else(|| notice.said.detail.clone());
        let said_now = Notification { detail, ..said.clone() };
        let reworded = std::mem::replace(&mut notice.said, said_now) != notice.said;
        let holds = said.detail.is_some();
        let turned = holds != notice.alarm.active;
        if turned {
            notice.alarm.turn(holds, now);
        }
        if turned || reworded {
            events.push(Event::Alarm { rule: rules + place, before });
        }
        self.wait_for(rules + place);
        turned || reworded
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
                    // What is bad and grows old is stale all the same.
                    if let Some(time) = content.time(slot) {
                        let earliest = &mut self.earliest_stale[page];
                        *earliest = time.saturating_add(check.stale_after_us).min(*earliest);
                    }
                    if check.watched {
                        self.look_at(schema, sample.point, events);
                    }
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
            self.slide(schema, *rule, point);
            self.observe(*rule, events);
        }
        for guarded in schema.locks_of.get(&point).into_iter().flatten() {
            self.trip(schema, *guarded, events);
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

    /// Takes a new value up into the window of a rule that looks at changes.
    fn slide(&mut self, schema: &Schema, rule: u32, point: PointId) {
        let Some(spec) = schema.rules.get(rule as usize).filter(|spec| spec.point == point) else { return };
        let (Some((change, rises)), Some(reading)) = (change_of(&spec.condition), self.reading(point)) else {
            return;
        };
        self.slide_to(rule, change, rises, reading.time, &reading.value, reading.quality);
    }

    fn slide_to(
        &mut self,
        rule: u32,
        change: Change,
        rises: bool,
        time: Timestamp,
        value: &Value,
        quality: Quality,
    ) {
        let (Some(x), Quality::Good | Quality::Uncertain) = (value.as_f64(), quality) else { return };
        if x.is_finite() {
            let window = Arc::make_mut(&mut self.windows).entry(rule).or_default();
            alarm::slide(window, change, rises, time.0, x);
        }
    }

    /// The points of which rules look at changes, and how far back the longest of these looks, microseconds.
    pub fn looks_back(&self) -> BTreeMap<PointId, i64> {
        let mut points = BTreeMap::new();
        for rule in &self.schema.rules {
            if let Some((change, _)) = change_of(&rule.condition) {
                let back = points.entry(rule.point).or_insert(0);
                *back = alarm::within_us(change).max(*back);
            }
        }
        points
    }

    /// Gives the rules that look at changes of a point what was there before the world began, in order of time; nothing
    /// else takes notice of it.
    pub fn look_back(&mut self, point: PointId, before: &[(Timestamp, Value, Quality)]) {
        let schema = self.schema.clone();
        for (rule, spec) in (0..).zip(&schema.rules).filter(|(_, spec)| spec.point == point) {
            let Some((change, rises)) = change_of(&spec.condition) else { continue };
            for (time, value, quality) in before {
                self.slide_to(rule, change, rises, *time, value, *quality);
            }
        }
    }

    /// Whether a condition holds; `None` where it can't be known.
    fn holds(&self, condition: &Condition) -> Option<bool> {
        let reading = self.reading(condition.point)?;
        match reading.quality {
            Quality::Good | Quality::Uncertain => Some(condition.test.passes(&reading.value)),
            Quality::Bad | Quality::Stale => None,
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
        let quality = reading.as_ref().map(|r| r.quality);
        let extreme = self.windows.get(&rule).and_then(|w| w.front()).map(|(_, x)| *x);
        let seen = Seen { value: reading.as_ref().map(|r| &r.value), other, stale, quality, extreme };
        let alarm = &self.alarms[rule as usize];
        let holds = alarm::holds(spec, alarm.active, &seen);
        let now = self.now;
        // What suppresses it now; unknown suppresses nothing.
        let by_design = spec.suppress.as_ref().filter(|s| self.holds(&s.when) == Some(true));
        let wanted = match (&alarm.suppression, by_design) {
            (Some(old), _) if old.lost && (reading.is_none() || stale) => Some(old.clone()),
            (_, Some(s)) => {
                let by = schema.paths.get(s.when.point.index()).map_or("", |path| path.as_str());
                Some(Suppression { by: by.into(), until: None, lost: false })
            }
            (Some(old), None) if !old.lost => {
                let hold_us = spec.suppress.as_ref().map_or(0, |s| s.hold_us);
                let until = old.until.unwrap_or(now.plus_micros(hold_us));
                (until > now).then(|| Suppression { until: Some(until), ..old.clone() })
            }
            _ => None,
        };
        if holds == alarm.active && wanted == alarm.suppression && !self.waiting.contains(&rule) {
            return;
        }
        let alarm = &mut Arc::make_mut(&mut self.alarms)[rule as usize];
        let before = alarm.state;
        // What ends while it is hidden comes out of hiding as normal, so it is looked at before that.
        let changed = if wanted.is_some() {
            alarm.set_suppression(wanted, now) | alarm.observe(spec, holds, seen.value, now)
        } else {
            let moved = alarm.observe(spec, holds, seen.value, now);
            let waits = alarm.active && alarm.suppression.as_ref().is_some_and(|s| s.lost);
            moved | (!waits && alarm.set_suppression(None, now))
        };
        if changed {
            events.push(Event::Alarm { rule, before });
        }
        self.wait_for(rule);
    }

    /// Has ticks look at an alarm for as long as it waits for something.
    fn wait_for(&mut self, rule: u32) {
        if self.alarm(rule).is_some_and(Alarm::waits) {
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
            let Some(alarm) = self.alarm_mut(rule) else { continue };
            let before = alarm.state;
            if alarm.expire(now) {
                events.push(Event::Alarm { rule, before });
            }
            self.observe(rule, events);
            self.wait_for(rule);
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
            array.held.iter_mut().for_each(|held| closer(&mut held.until));
        }
        let of_plugins = Arc::make_mut(&mut self.notices).iter_mut().map(|notice| &mut notice.alarm);
        for alarm in Arc::make_mut(&mut self.alarms).iter_mut().chain(of_plugins) {
            earlier(&mut alarm.changed);
            earlier(&mut alarm.raised);
            // What has waited has waited: a clock that is set back again and again must not hold an alarm up.
            alarm.turning.iter_mut().for_each(closer);
            alarm.shelved_until.iter_mut().for_each(closer);
            alarm.suppression.iter_mut().flat_map(|s| &mut s.until).for_each(closer);
        }
        // What came after the time it is now is no past to compare with.
        self.windows = Arc::default();
    }

    fn expire(&mut self, events: &mut Vec<Event>) {
        let now = self.now;
        let due: Vec<PointId> = self
            .arrays
            .iter()
            .filter(|(_, array)| {
                array.held.as_ref().is_some_and(|held| held.until <= now)
                    || array.filled().any(|(_, slot)| slot.expires.is_some_and(|at| at <= now))
            })
            .map(|(point, _)| *point)
            .collect();
        for point in due {
            let before = self.effective(point);
            if let Some(array) = Arc::make_mut(&mut self.arrays).get_mut(&point) {
                for slot in &mut array.slots {
                    slot.take_if(|s| s.expires.is_some_and(|at| at <= now));
                }
                array.held.take_if(|held| held.until <= now);
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
                let at = time.saturating_add(schema.checks[base + slot].stale_after_us);
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

    /// The source of these points is gone: their readings are stale until new ones come. Of the alarms that tell of
    /// it, the most urgent stands for all; the others follow from it and are suppressed until their point is heard
    /// again.
    pub fn source_lost(&mut self, points: &[PointId], events: &mut Vec<Event>) {
        let schema = self.schema.clone();
        let mut told = self.stale_rules(&schema, points);
        told.sort_by_key(|rule| (schema.rules[*rule as usize].priority, *rule));
        if let Some((first, rest)) = told.split_first() {
            let by = &schema.rules[*first as usize].id;
            for rule in rest {
                self.suppress(*rule, Suppression { by: by.clone(), until: None, lost: true }, events);
            }
        }
        for point in points {
            let page = self.pages.get(point.index() / PAGE_POINTS);
            if page.is_some_and(|p| p.time(point.index() % PAGE_POINTS).is_some()) {
                self.set_stale(&schema, *point, events);
            }
        }
    }

    /// The source of these points is there again: what followed from its loss has as long as a point may be silent to
    /// end, and counts for itself then.
    pub fn source_back(&mut self, points: &[PointId], events: &mut Vec<Event>) {
        let schema = self.schema.clone();
        for rule in self.stale_rules(&schema, points) {
            let point = schema.rules[rule as usize].point;
            let patience = schema.points.get(point.index()).map_or(0, |p| p.stale_after_us);
            let until = Some(self.now.plus_micros(patience));
            if let Some(old) = self.alarms[rule as usize].suppression.clone().filter(|s| s.lost) {
                self.suppress(rule, Suppression { until, ..old }, events);
            }
        }
    }

    /// The rules of these points that tell of silence.
    fn stale_rules(&self, schema: &Schema, points: &[PointId]) -> Vec<u32> {
        let of =
            |point: &PointId| schema.rules_of.get(point).into_iter().flatten().copied().collect::<Vec<_>>();
        let tells = |rule: &u32, point: &PointId| {
            let spec = &schema.rules[*rule as usize];
            spec.point == *point && spec.condition == AlarmCondition::Stale
        };
        points.iter().flat_map(|p| of(p).into_iter().filter(|rule| tells(rule, p))).collect()
    }

    fn suppress(&mut self, rule: u32, why: Suppression, events: &mut Vec<Event>) {
        let now = self.now;
        let alarm = &mut Arc::make_mut(&mut self.alarms)[rule as usize];
        let before = alarm.state;
        if alarm.set_suppression(Some(why), now) {
            events.push(Event::Alarm { rule, before });
        }
        self.wait_for(rule);
    }

    /// Whether an intent would be taken now.
    ///
    /// # Errors
    /// The [`Refusal`] that [`World::intend`] would give.
    pub fn may_intend(&self, intent: &Intent) -> Result<(), Refusal> {
        let spec = self.schema.points.get(intent.point.index()).ok_or(Refusal::UnknownPoint)?;
        let command = spec.command.as_ref().ok_or(Refusal::NotCommandable)?;
        let array = self.arrays.get(&intent.point);
        command::check(intent, spec, array, in_force(array, &command.safe), self.now)?;
        self.check_interlocks(intent, &command.interlocks, array)
    }

    /// Writes or relinquishes a slot of a priority array.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing changed.
    pub fn intend(&mut self, intent: &Intent, events: &mut Vec<Event>) -> Result<(), Refusal> {
        self.may_intend(intent)?;
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
        self.hold(point, before.as_ref(), written);
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

    /// Keeps the value before in force where the slots ask for another and the least interval is not yet over. A write
    /// has been checked; life safety never waits.
    fn hold(&mut self, point: PointId, before: Option<&Value>, written: bool) {
        let now = self.now;
        let asked_for = self.asked_for(point);
        let command = self.schema.points.get(point.index()).and_then(|p| p.command.as_ref());
        let interval = command.map_or(0, |c| c.min_interval_us);
        let Some(array) = Arc::make_mut(&mut self.arrays).get_mut(&point) else { return };
        let until = array.changed.plus_micros(interval);
        let urgent = array.strongest().is_some_and(|(p, _)| p <= Priority::AUTOMATIC_LIFE_SAFETY);
        array.held = match before {
            Some(value) if !written && !urgent && until > now && asked_for.as_ref() != before => {
                Some(Held { value: value.clone(), until })
            }
            _ => None,
        };
    }

    fn check_interlocks(
        &self,
        intent: &Intent,
        locks: &[LockSpec],
        array: Option<&Array>,
    ) -> Result<(), Refusal> {
        if locks.is_empty() {
            return Ok(());
        }
        let refused = |lock: &LockSpec, unknown| {
            let (id, zh, en) = (lock.id.clone(), lock.names.zh.clone(), lock.names.en.clone());
            Err(Refusal::Interlocked { id, zh, en, unknown })
        };
        // The slot that an interlock has taken is its own.
        let slot = array.and_then(|a| a.slots[usize::from(intent.priority.get()) - 1].as_ref());
        if let Some(lock) = slot.and_then(|slot| locks.iter().find(|lock| slot.actor == actor_of(lock))) {
            return refused(lock, false);
        }
        // Life safety is not held up, and to let go is always allowed.
        let Some(value) = intent.value.as_ref().filter(|_| intent.priority > Priority::AUTOMATIC_LIFE_SAFETY)
        else {
            return Ok(());
        };
        for lock in locks.iter().filter(|lock| lock.forbid.as_ref().is_none_or(|f| f == value)) {
            // What only takes over forbids nothing: its slot is the stronger one.
            if lock.forbid.is_none() && lock.trip.is_some() {
                continue;
            }
            match self.holds(&lock.when) {
                Some(true) => return refused(lock, false),
                None if lock.block_unknown => return refused(lock, true),
                _ => {}
            }
        }
        Ok(())
    }

    /// Fills or empties the slot of interlocks that take a point over. While a condition can't be known, what was
    /// stays.
    fn trip(&mut self, schema: &Schema, point: PointId, events: &mut Vec<Event>) {
        let Some(command) = schema.points.get(point.index()).and_then(|p| p.command.as_ref()) else { return };
        for lock in &command.interlocks {
            let (Some(value), Some(holds)) = (&lock.trip, self.holds(&lock.when)) else { continue };
            let index = usize::from(Priority::CRITICAL_EQUIPMENT.get()) - 1;
            let actor = actor_of(lock);
            let slot = self.arrays.get(&point).and_then(|a| a.slots[index].as_ref());
            let by_another = slot.is_some_and(|s| {
                s.actor != actor && command.interlocks.iter().any(|other| actor_of(other) == s.actor)
            });
            let is = slot.is_some_and(|s| s.actor == actor);
            if by_another || is == holds {
                continue;
            }
            let before = self.effective(point);
            let now = self.now;
            let array = Arc::make_mut(&mut self.arrays).entry(point).or_insert_with(|| Array::empty(now));
            array.slots[index] = holds.then(|| Slot {
                value: value.clone(),
                actor: actor.clone(),
                reason: format!("{} / {}", lock.names.zh, lock.names.en).into(),
                since: now,
                expires: None,
            });
            let in_force =
                array.strongest().is_some_and(|(priority, _)| priority == Priority::CRITICAL_EQUIPMENT);
            // What protects does not wait for the least interval.
            self.after_change(point, before, in_force && holds, actor, events);
        }
    }

    /// Acknowledges an alarm; false where there is nothing to acknowledge.
    pub fn acknowledge(&mut self, rule: u32, by: &str, comment: &str, events: &mut Vec<Event>) -> bool {
        self.change_alarm(rule, events, |alarm, now| alarm.acknowledge(by, comment, now))
    }

    /// Changes an alarm; whether it did.
    fn change_alarm(
        &mut self,
        rule: u32,
        events: &mut Vec<Event>,
        change: impl FnOnce(&mut Alarm, Timestamp) -> bool,
    ) -> bool {
        let now = self.now;
        let Some(alarm) = self.alarm_mut(rule) else { return false };
        let before = alarm.state;
        let done = change(alarm, now);
        if done {
            events.push(Event::Alarm { rule, before });
        }
        self.wait_for(rule);
        done
    }

    /// Shelves an alarm until a time after now; false where that is no time or no alarm.
    pub fn shelve(
        &mut self,
        rule: u32,
        until: Timestamp,
        by: &str,
        reason: &str,
        events: &mut Vec<Event>,
    ) -> bool {
        until > self.now && self.change_alarm(rule, events, |alarm, now| alarm.shelve(until, by, reason, now))
    }

    /// Takes an alarm from the shelf before its time; false where it is not there.
    pub fn unshelve(&mut self, rule: u32, events: &mut Vec<Event>) -> bool {
        self.change_alarm(rule, events, Alarm::unshelve)
    }

    /// Takes an alarm out of service, by whom and why, or back into it; false where it is so already.
    pub fn set_out_of_service(
        &mut self,
        rule: u32,
        who: Option<(&str, &str)>,
        events: &mut Vec<Event>,
    ) -> bool {
        let who = who.map(|(by, why)| (by.into(), why.into()));
        self.change_alarm(rule, events, |alarm, now| alarm.set_out_of_service(who, now))
    }

    /// The commands of a point to be kept, with its path; nothing where none was ever given.
    pub fn saved_command(&self, point: PointId) -> Option<(Path, Array)> {
        Some((self.schema.paths.get(point.index())?.clone(), self.arrays.get(&point)?.clone()))
    }

    /// An alarm of a rule to be kept, with its id; those of plugins are kept as [`Notice`]s.
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
            notices: self.notices.list().iter().filter(|n| n.alarm != fresh).cloned().collect(),
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
                    if alarm.waits() {
                        self.waiting.insert(*rule);
                    }
                    alarms[*rule as usize] = alarm;
                }
                None => lost.push(id.to_string()),
            }
        }
        self.put_notices(saved.notices);
        lost
    }

    fn put_notices(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            let waits = notice.alarm.waits();
            let place = Arc::make_mut(&mut self.notices).put(notice);
            if waits {
                self.waiting.insert(self.alarms.len() as u32 + place);
            }
        }
    }

    /// The whole state, to go on from.
    pub fn checkpoint(&self) -> Checkpoint {
        let points = (0..self.schema.points.len() as u32).map(PointId);
        let fresh = Alarm::default();
        Checkpoint {
            now: self.now,
            started: self.started,
            readings: points
                .filter_map(|p| self.reading(p).map(|r| (p, r.time, r.value, r.quality)))
                .collect(),
            arrays: self.arrays.iter().map(|(p, a)| (*p, a.clone())).collect(),
            alarms: (0..)
                .zip(self.alarms.iter())
                .filter(|(_, alarm)| **alarm != fresh)
                .map(|(rule, alarm)| (rule, alarm.clone()))
                .collect(),
            windows: self.windows.iter().map(|(rule, window)| (*rule, window.clone())).collect(),
            notices: self.notices.list().to_vec(),
        }
    }

    /// The world that a checkpoint was made of. What the schema does not have is left out.
    pub fn resume(schema: Arc<Schema>, from: Checkpoint) -> Self {
        let mut world = Self::new(schema, from.now);
        world.started = from.started;
        for (point, time, value, quality) in from.readings {
            let (page, slot) = (point.index() / PAGE_POINTS, point.index() % PAGE_POINTS);
            if point.index() < world.schema.points.len()
                && let Some(content) = world.pages.get_mut(page)
            {
                Arc::make_mut(content).set(slot, time, &value, quality);
                // Each page is looked through at the first tick.
                world.earliest_stale[page] = i64::MIN;
            }
        }
        world.arrays = Arc::new(
            from.arrays.into_iter().filter(|(p, _)| p.index() < world.schema.points.len()).collect(),
        );
        world.windows = Arc::new(from.windows.into_iter().collect());
        let alarms = Arc::make_mut(&mut world.alarms);
        for (rule, alarm) in from.alarms {
            if let Some(place) = alarms.get_mut(rule as usize) {
                if alarm.waits() {
                    world.waiting.insert(rule);
                }
                *place = alarm;
            }
        }
        world.put_notices(from.notices);
        world
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
        hasher.update(format!("{:?}", self.windows).as_bytes());
        for (index, alarm) in self.alarms.iter().enumerate() {
            if *alarm != Alarm::default() {
                hasher.update(format!("{index}{alarm:?}").as_bytes());
            }
        }
        for notice in self.notices.list() {
            hasher.update(format!("{notice:?}").as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// The change that a condition looks at, and whether it is a rise.
fn change_of(condition: &AlarmCondition) -> Option<(Change, bool)> {
    match condition {
        AlarmCondition::Rises(change) => Some((*change, true)),
        AlarmCondition::Falls(change) => Some((*change, false)),
        _ => None,
    }
}

/// As whom an interlock fills a slot.
fn actor_of(lock: &LockSpec) -> Actor {
    Actor::Engine(format!("interlock:{}", lock.id).into())
}
