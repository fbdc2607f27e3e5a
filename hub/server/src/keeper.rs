//! The world's thread: the one that writes. It takes turns, keeps what has to survive, and tells everybody else.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use campanile_history::{Record, Submission};
use campanile_model::{Intent, PointId, Sample, Timestamp, Value};
use campanile_plugins::AlarmNews;
use campanile_protocol::{RejectReason, ServerMessage};
use campanile_world::{Confirmation, Event, Input, RecordError, Recorder, Refusal, Saved, World};
use crossbeam_channel::Receiver;
use serde_json::json;

use crate::clients::PointSet;
use crate::live::{AlarmAct, Live, Turn};
use crate::plugins::{NEWS, Report};
use crate::seams::{Commits, Store};
use crate::view::{alarm_info, command_state, view_of};

/// How often the world's clock is moved.
const TICK: Duration = Duration::from_millis(250);
/// The most turns taken before clients are told.
const TURNS_AT_ONCE: usize = 256;
/// The kind of record under which the commands of a point are kept, by its path.
const COMMAND_RECORD: &str = "command";
/// The kind of record under which an alarm is kept, by its id.
const ALARM_RECORD: &str = "alarm";
/// The log of how alarms turned.
pub const ALARM_JOURNAL: &str = "alarm-journal";
/// The kind of record under which an alarm of a plugin is kept, with what the plugin says of it.
const NOTICE_RECORD: &str = "notice";
/// A step back of the machine's clock that is more than the correction of a drift.
const CLOCK_STEP_US: i64 = 2 * Timestamp::SECOND;
/// How far a stored time may be ahead of the clock to be taken up; see the gateway's limit.
const MOST_AHEAD_US: i64 = 300 * Timestamp::SECOND;

/// Values that a rule looks back at are read so many at a time: one a second for a day.
const LOOKED_BACK_AT_ONCE: usize = 86_400;

/// Takes up the last values, the commands in force and the alarms.
pub fn recover(world: &mut World, history: &dyn Store) {
    let mut events = Vec::new();
    for (point, back_us) in world.looks_back() {
        if let Err(why) = look_back(world, history, point, back_us) {
            tracing::error!(%why, "an alarm that looks at changes begins anew");
        }
    }
    let latest = world.now().plus_micros(MOST_AHEAD_US);
    let samples: Vec<Sample> = history
        .last_all()
        .into_iter()
        .filter(|(_, r)| r.time <= latest)
        .map(|(point, r)| Sample { point, time: r.time, value: r.value, quality: r.quality })
        .collect();
    world.apply_samples(&samples, &mut events);
    let mut saved = Saved::default();
    for (key, array) in kept_of(history, COMMAND_RECORD) {
        match campanile_model::Path::new(&key) {
            Ok(path) => saved.commands.push((path, array)),
            Err(why) => tracing::error!(%why, key, "a saved command is of no point"),
        }
    }
    for (key, alarm) in kept_of(history, ALARM_RECORD) {
        saved.alarms.push((key.into(), alarm));
    }
    saved.notices = kept_of(history, NOTICE_RECORD).into_iter().map(|(_, notice)| notice).collect();
    for lost in world.restore(saved) {
        tracing::warn!(lost, "a command or alarm of a point that the campus no longer has");
    }
}

/// Gives the rules that look at changes of a point what it said in the time that they look at.
fn look_back(
    world: &mut World,
    history: &dyn Store,
    point: PointId,
    back_us: i64,
) -> Result<(), campanile_history::HistoryError> {
    let (mut from, to) = (world.now().plus_micros(-back_us), world.now().plus_micros(1));
    loop {
        let before = history.range(point, from, to, LOOKED_BACK_AT_ONCE)?;
        world.look_back(point, &before);
        match before.last() {
            Some((last, ..)) if before.len() == LOOKED_BACK_AT_ONCE => from = last.plus_micros(1),
            _ => return Ok(()),
        }
    }
}

/// What was kept of a kind; what can't be read is said and left alone.
fn kept_of<T: serde::de::DeserializeOwned>(history: &dyn Store, kind: &str) -> Vec<(String, T)> {
    let records = history.records(kind).unwrap_or_else(|why| {
        tracing::error!(%why, kind, "what was kept can't be read and begins anew");
        Vec::new()
    });
    let read = |record: campanile_history::StoredRecord| match serde_json::from_value(record.body) {
        Ok(body) => Some((record.key, body)),
        Err(why) => {
            tracing::error!(%why, kind, key = record.key, "what was kept can't be read");
            None
        }
    };
    records.into_iter().filter_map(read).collect()
}

/// The world's thread.
pub struct Keeper {
    live: Arc<Live>,
    world: World,
    queue: Box<dyn Commits>,
    /// The machine's clock; `None` where device models of this process move the world's.
    clock: Option<Clock>,
    events: Vec<Event>,
    /// Who did what, to be committed with what it changed.
    audits: Vec<Record>,
    /// Who waits to hear that it is durable.
    answers: Vec<Box<dyn FnOnce() + Send>>,
    /// Whether the field was connected at the last look.
    connected: bool,
    /// Where the inputs are written down, if they are.
    recorder: Option<FileRecorder>,
    /// The minute of the record's newest hash.
    marked: i64,
    /// What a failed commit should have kept; the next tick tries again, or a command or alarm that came while the disk
    /// was full would be forgotten by a later kill.
    unsaved: Arc<Mutex<Unsaved>>,
    retry_due: bool,
    /// Samples that plugins have not been told of yet.
    heard: Vec<Sample>,
    /// Alarms that plugins have not been told of yet.
    news: Vec<AlarmNews>,
    /// When plugins were told last.
    told_plugins: Instant,
}

/// Tells the time of day.
pub type Clock = Box<dyn Fn() -> Timestamp + Send>;

/// A record in a file.
pub type FileRecorder = Recorder<std::io::BufWriter<std::fs::File>>;

/// Points with commands, alarms and audit records that are not on the disk.
#[derive(Default)]
struct Unsaved {
    points: BTreeSet<PointId>,
    rules: BTreeSet<u32>,
    audits: Vec<Record>,
}

/// The most audit records kept for a disk that has no room.
const MAX_UNSAVED_AUDITS: usize = 10_000;

impl Keeper {
    /// A keeper of a world that has taken up what was kept.
    pub fn new(
        live: Arc<Live>,
        world: World,
        queue: Box<dyn Commits>,
        clock: Option<Clock>,
        recorder: Option<FileRecorder>,
    ) -> Self {
        Self {
            live,
            world,
            queue,
            clock,
            events: Vec::new(),
            audits: Vec::new(),
            answers: Vec::new(),
            connected: false,
            recorder,
            marked: i64::MIN,
            unsaved: Arc::default(),
            retry_due: false,
            heard: Vec::new(),
            news: Vec::new(),
            told_plugins: Instant::now(),
        }
    }

    /// Takes turns until the last.
    pub fn run(mut self, turns: &Receiver<Turn>) {
        let mut next_tick = Instant::now();
        loop {
            let first = turns.recv_deadline(next_tick).ok();
            let mut stop = false;
            if let Some(first) = first {
                stop |= self.take(first);
                for turn in turns.try_iter().take(TURNS_AT_ONCE) {
                    stop |= self.take(turn);
                }
            }
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK;
                self.beat();
            }
            self.tell();
            if stop {
                break;
            }
        }
        self.mark_now();
        drop(self.queue);
    }

    /// Moves the world's clock, and does what comes with time.
    fn beat(&mut self) {
        let now = self.now();
        let back_us = self.world.now().0.saturating_sub(now.0);
        if back_us > CLOCK_STEP_US {
            let seconds = back_us / Timestamp::SECOND;
            tracing::warn!(seconds, "the machine's clock was set back; the world follows");
            let _ = self.apply(&Input::SetBack { now });
        }
        self.tick(now);
        self.reconcile();
        self.mark();
        self.retry_due = true;
    }

    fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or(self.world.now(), |clock| clock())
    }

    /// Takes a turn; true where it was the last.
    fn take(&mut self, turn: Turn) -> bool {
        match turn {
            Turn::Field(batch) => {
                let mut applied = 0;
                for presence in &batch.presence {
                    let before = batch.samples.get(applied..presence.after_samples).unwrap_or_default();
                    self.samples(before);
                    applied = presence.after_samples.max(applied);
                    if presence.online {
                        // It may have started anew and know nothing of what holds.
                        presence.points.iter().for_each(|point| self.send_again(*point));
                        let _ = self.apply(&Input::SourceBack { points: presence.points.clone() });
                    } else {
                        let _ = self.apply(&Input::SourceLost { points: presence.points.clone() });
                    }
                }
                self.samples(batch.samples.get(applied..).unwrap_or_default());
                let done = batch.done;
                self.commit(
                    batch.samples,
                    Vec::new(),
                    Some(Box::new(move |outcome| {
                        // Without this the broker delivers again: what was not stored is not acknowledged.
                        if outcome.is_ok() {
                            done.done();
                        }
                    })),
                );
            }
            Turn::Simulated(samples, now) => {
                if self.clock.is_none() {
                    self.tick(now);
                }
                self.samples(&samples);
                self.commit(samples, Vec::new(), None);
            }
            Turn::Intend(intent, by, reply) => {
                // Commands are timed by the moment they come, not by the last tick.
                let now = self.now();
                self.tick(now);
                let before = self.world.effective(intent.point);
                let outcome = self.apply(&Input::Intend { intent: intent.clone() }).map(drop);
                let body = json!({
                    "act": if intent.value.is_some() { "write" } else { "relinquish" },
                    "actor": by.actor, "from": by.from, "point": self.live.campus.get_point(intent.point).map(|p| &p.path),
                    "priority": intent.priority, "value": intent.value, "reason": intent.reason,
                    "before": before, "after": self.world.effective(intent.point),
                    "refused": outcome.as_ref().err().map(ToString::to_string),
                });
                self.audits.push(Record::audit(self.world.now(), body));
                // A caller that has gone needs no answer.
                self.answers.push(Box::new(move || {
                    let _ = reply.send(outcome);
                }));
            }
            Turn::Alarm { alarm, by, act, reply } => {
                let outcome = match self.world.alarm_number(&alarm) {
                    None => Err(RejectReason::NotFound),
                    Some(rule) => {
                        // A shelf is timed from the moment that it is asked for.
                        let now = self.now();
                        self.tick(now);
                        match self.apply(&alarm_input(rule, &by.actor, &act, now)) {
                            Ok(true) => Ok(()),
                            _ => Err(RejectReason::State),
                        }
                    }
                };
                let body = json!({"act": act.name(), "actor": by.actor, "from": by.from, "alarm": alarm, "reason": act.words(), "done": outcome.is_ok()});
                self.audits.push(Record::audit(self.world.now(), body));
                self.answers.push(Box::new(move || {
                    let _ = reply.send(outcome);
                }));
            }
            Turn::Keep(records, reply) => {
                let done: campanile_history::Done = Box::new(move |outcome| {
                    // Without an answer the asker knows that it is not kept.
                    if outcome.is_ok() {
                        let _ = reply.send(());
                    }
                });
                self.commit(Vec::new(), records, Some(done));
            }
            Turn::Plugin(report) => self.plugin(*report),
            // Who asked may have gone.
            Turn::Fork(reply) => drop(reply.send(self.world.fork())),
            Turn::Stop => return true,
        }
        false
    }

    /// Takes what a call of a plugin does. The world was asked when it was called; what it refuses now, it does because of
    /// what has happened since.
    fn plugin(&mut self, report: Report) {
        let now = self.now();
        self.tick(now);
        let mut refused = Vec::new();
        let mut derived = Vec::new();
        for input in &report.inputs {
            match input {
                Input::Samples { samples } => {
                    self.samples(samples);
                    derived.extend_from_slice(samples);
                }
                Input::Intend { intent } => {
                    let before = self.slot_value(intent);
                    match self.apply(input) {
                        // To hold on to what it holds already is no act of its own.
                        Ok(_) if before == intent.value => {}
                        Ok(_) => self.audit_plugin(&report.plugin, intent, before.as_ref()),
                        Err(why) => refused.push(format!(
                            "{} was refused: {why}",
                            self.live.campus.get_point(intent.point).map_or("", |p| p.path.as_str())
                        )),
                    }
                }
                // A plugin says of its alarms what it likes.
                other => drop(self.apply(other)),
            }
        }
        self.audits.extend(report.records);
        self.commit(derived, Vec::new(), None);
        self.publish();
        // Its thread waits for nothing but this.
        let _ = report.taken.send(refused);
    }

    /// What the slot that an intent writes asks for now.
    fn slot_value(&self, intent: &Intent) -> Option<Value> {
        let array = self.world.array(intent.point)?;
        let slot = array.slots.get(usize::from(intent.priority.get()) - 1)?.as_ref()?;
        Some(slot.value.clone())
    }

    fn audit_plugin(&mut self, plugin: &str, intent: &Intent, before: Option<&Value>) {
        let body = json!({
            "act": if intent.value.is_some() { "write" } else { "relinquish" },
            "actor": format!("plugin:{plugin}"), "from": "",
            "point": self.live.campus.get_point(intent.point).map(|p| &p.path),
            "priority": intent.priority, "value": intent.value, "reason": intent.reason,
            "before": before, "after": self.world.effective(intent.point),
        });
        self.audits.push(Record::audit(self.world.now(), body));
    }

    /// Tells the plugins what has happened since they were told last.
    fn publish(&mut self) {
        let Some(crew) = self.live.crew.load_full().filter(|crew| !crew.is_empty()) else { return };
        self.told_plugins = Instant::now();
        let samples = std::mem::take(&mut self.heard);
        let alarms = std::mem::take(&mut self.news);
        crew.hear(Arc::new(self.world.fork()), &samples, &alarms);
    }

    /// Takes note of alarms for the plugins, and tells them where it is time.
    fn tell_plugins(&mut self, events: &[Event]) {
        if self.live.crew.load().as_ref().is_none_or(|crew| crew.is_empty()) {
            return;
        }
        for event in events {
            if let Event::Alarm { rule, .. } = event {
                self.news.extend(AlarmNews::of(&self.live.campus, &self.world, *rule));
            }
        }
        if self.told_plugins.elapsed() >= NEWS || !self.news.is_empty() {
            self.publish();
        }
    }

    fn apply(&mut self, input: &Input) -> Result<bool, Refusal> {
        self.write_down(|recorder| recorder.input(input));
        self.world.apply(input, &mut self.events)
    }

    fn tick(&mut self, now: Timestamp) {
        // Never refused.
        let _ = self.apply(&Input::Tick { now });
    }

    fn samples(&mut self, samples: &[Sample]) {
        self.write_down(|recorder| recorder.samples(samples));
        if let Some(crew) = self.live.crew.load().as_ref() {
            crew.wanted(samples, &mut self.heard);
        }
        self.world.apply_samples(samples, &mut self.events);
    }

    /// Writes to the record, if there is one; one that can't be written ends, and the hub goes on.
    fn write_down(&mut self, write: impl FnOnce(&mut FileRecorder) -> Result<(), RecordError>) {
        if let Some(recorder) = &mut self.recorder
            && let Err(why) = write(recorder)
        {
            tracing::error!(%why, "the record of the world's inputs ends here; the hub goes on without it");
            self.recorder = None;
        }
    }

    /// Writes the state's hash to the record once a minute.
    fn mark(&mut self) {
        let minute = self.world.now().0.div_euclid(60 * Timestamp::SECOND);
        if self.recorder.is_some() && self.marked != minute {
            self.marked = minute;
            self.mark_now();
        }
    }

    fn mark_now(&mut self) {
        if let Some(mut recorder) = self.recorder.take() {
            match recorder.hash(&mut self.world) {
                Ok(()) => self.recorder = Some(recorder),
                Err(why) => tracing::error!(%why, "the record of the world's inputs ends here"),
            }
        }
    }

    fn commit(&mut self, samples: Vec<Sample>, records: Vec<Record>, done: Option<campanile_history::Done>) {
        self.live.samples.fetch_add(samples.len() as u64, Ordering::Relaxed);
        if samples.is_empty() && records.is_empty() && done.is_none() {
            return;
        }
        if let Err(refused) = self.queue.submit(Submission { samples, records, done }) {
            tracing::error!(
                samples = refused.samples.len(),
                "the history has stopped; samples are not acknowledged"
            );
        }
    }

    /// Publishes the new state and wakes listeners; makes what changed durable, and only then sends commands out and
    /// answers.
    fn tell(&mut self) {
        let changed = self.world.take_dirty();
        let events = std::mem::take(&mut self.events);
        let records = std::mem::take(&mut self.audits);
        let answers = std::mem::take(&mut self.answers);
        let moved = self.live.view.load().time != self.world.now();
        if !(changed.is_empty() && events.is_empty()) || moved {
            let mut next =
                view_of(&self.live.campus, &mut self.world, &self.live.view.load(), !events.is_empty());
            next.time = self.world.now();
            self.live.view.store(Arc::new(next));
            self.live.refused.store(self.world.counts().refused, Ordering::Relaxed);
        }
        if !changed.is_empty() {
            let mut set = PointSet::empty(self.live.campus.points.len());
            changed.into_iter().for_each(|p| set.insert(p));
            self.live.clients.mark(&set);
        }
        self.tell_plugins(&events);
        self.keep(&events, records, answers);
        for event in &events {
            self.announce(event);
        }
    }

    /// Commits what events changed together with who did it; what goes out or is answered waits for that.
    fn keep(&mut self, events: &[Event], mut records: Vec<Record>, answers: Vec<Box<dyn FnOnce() + Send>>) {
        let (mut points, mut rules) = (BTreeSet::new(), BTreeSet::new());
        let mut out: Vec<(PointId, Value)> = Vec::new();
        if std::mem::take(&mut self.retry_due) {
            let again = std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner));
            points.extend(again.points);
            rules.extend(again.rules);
            records.splice(0..0, again.audits);
        }
        for event in events {
            match event {
                Event::Command { point, effective, send, .. } => {
                    points.insert(*point);
                    if *send {
                        out.push((*point, effective.clone()));
                    }
                }
                Event::Confirmation { point, confirmation } => {
                    points.insert(*point);
                    if *confirmation == Confirmation::Unconfirmed {
                        // Once more: it may have been lost on the way.
                        out.extend(self.world.effective(*point).map(|value| (*point, value)));
                    }
                }
                Event::Alarm { rule, .. } => {
                    rules.insert(*rule);
                    let turned = alarm_info(&self.live.campus, &self.world, *rule);
                    // What has a state has one that can be written.
                    if let Some(body) = turned.and_then(|alarm| serde_json::to_value(alarm).ok()) {
                        let (kind, time) = (ALARM_JOURNAL.to_owned(), self.world.now());
                        records.push(Record::Append { kind, time, body });
                    }
                }
                _ => {}
            }
        }
        let audits = records.clone();
        let (kept_points, kept_rules) = (points.clone(), rules.clone());
        let time = self.world.now();
        for (path, array) in points.into_iter().filter_map(|p| self.world.saved_command(p)) {
            let over = array.strongest().is_none()
                && array.held.is_none()
                && array.confirmation == Confirmation::Confirmed;
            records.extend(kept(COMMAND_RECORD, path.as_str(), time, (!over).then_some(&array)));
        }
        for notice in rules.iter().filter_map(|r| self.world.notice(*r)) {
            let over = notice.alarm.state == campanile_world::AlarmState::Normal;
            records.extend(kept(NOTICE_RECORD, &notice_key(&notice.id), time, (!over).then_some(notice)));
        }
        for (id, alarm) in rules.into_iter().filter_map(|r| self.world.saved_alarm(r)) {
            let over = alarm.state == campanile_world::AlarmState::Normal;
            records.extend(kept(ALARM_RECORD, &id, time, (!over).then_some(&alarm)));
        }
        if records.is_empty() && out.is_empty() && answers.is_empty() {
            return;
        }
        let live = self.live.clone();
        let unsaved = self.unsaved.clone();
        let done =
            move |outcome: Result<campanile_history::CommitInfo, Arc<campanile_history::HistoryError>>| {
                if outcome.is_err() {
                    // The store has said why; nobody is told that it is done. It is in force all the same, so it is kept
                    // as soon as it can be.
                    let mut unsaved = unsaved.lock().unwrap_or_else(PoisonError::into_inner);
                    unsaved.points.extend(kept_points);
                    unsaved.rules.extend(kept_rules);
                    let room = MAX_UNSAVED_AUDITS.saturating_sub(unsaved.audits.len());
                    unsaved.audits.extend(audits.into_iter().take(room));
                    return;
                }
                out.iter().for_each(|(point, value)| live.send_out(*point, value));
                answers.into_iter().for_each(|answer| answer());
            };
        self.commit(Vec::new(), records, Some(Box::new(done)));
    }

    /// When the field is there again, it is told what holds: it may have missed changes.
    fn reconcile(&mut self) {
        let connected = self.live.gateway_connected();
        if connected && !self.connected {
            let points: Vec<PointId> = self.world.arrays().map(|(point, _)| point).collect();
            points.into_iter().for_each(|point| self.send_again(point));
        }
        self.connected = connected;
    }

    /// Sends what a point is commanded to, if it is or has not yet confirmed that it no longer is.
    fn send_again(&self, point: PointId) {
        let Some(array) = self.world.array(point) else { return };
        if (array.strongest().is_some() || array.confirmation != Confirmation::Confirmed)
            && let Some(value) = self.world.effective(point)
        {
            self.live.send_out(point, &value);
        }
    }

    fn announce(&self, event: &Event) {
        let campus = &self.live.campus;
        // Nobody listening is no error.
        let send = |message| drop(self.live.events.send(message));
        match event {
            Event::Command { point, .. } | Event::Confirmation { point, .. } => {
                if let Some(state) = command_state(campus, &self.world, *point) {
                    send(ServerMessage::CommandState(state));
                }
            }
            Event::Alarm { rule, .. } => {
                if let Some(alarm) = alarm_info(campus, &self.world, *rule) {
                    send(ServerMessage::AlarmChanged { alarm: Box::new(alarm) });
                }
            }
            _ => {}
        }
    }
}

/// What a person does to an alarm, as an input of the world.
pub fn alarm_input(rule: u32, by: &str, act: &AlarmAct, now: Timestamp) -> Input {
    let who = |reason: &str| (by.into(), reason.into());
    match act {
        AlarmAct::Acknowledge { comment } => {
            Input::Acknowledge { rule, by: by.into(), comment: comment.as_str().into() }
        }
        AlarmAct::Shelve { for_s, reason } => {
            let until = now.plus_micros((for_s * 1e6) as i64);
            Input::Shelve { rule, until, by: by.into(), reason: reason.as_str().into() }
        }
        AlarmAct::Unshelve => Input::Unshelve { rule },
        AlarmAct::OutOfService { reason } => Input::OutOfService { rule, who: Some(who(reason)) },
        AlarmAct::ReturnToService => Input::OutOfService { rule, who: None },
    }
}

/// Ids of alarms of plugins may be longer than a key.
fn notice_key(id: &str) -> String {
    blake3::hash(id.as_bytes()).to_hex().to_string()
}

/// The record that keeps something, or removes what was kept of it.
fn kept<T: serde::Serialize>(kind: &str, key: &str, time: Timestamp, body: Option<&T>) -> Option<Record> {
    let (kind, key) = (kind.to_owned(), key.to_owned());
    match body.map(serde_json::to_value) {
        None => Some(Record::Remove { kind, key }),
        Some(Ok(body)) => Some(Record::Put { kind, key, time, body }),
        Some(Err(why)) => {
            tracing::error!(%why, kind, key, "can't be written and is not kept");
            None
        }
    }
}

#[cfg(test)]
mod tests;
