//! The live world at work: one writer thread, and what everybody else reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Bytes;
use campanile_gateway::FieldBatch;
use campanile_history::{Record, Submission};
use campanile_model::{
    Actor, AlarmCondition, Campus, Intent, Path, PointId, Priority, Sample, Timestamp, Value,
};
use campanile_protocol::rest::{CommandRequest, Health, Outcome, Reading, RelinquishRequest};
use campanile_protocol::{
    AlarmInfo, AlarmState, Catalogue, CommandState, FrameSample, HubState, JsonValue, LinkState,
    PROTOCOL_VERSION, RejectReason, ServerMessage, Slot, limits,
};
use campanile_world::{Confirmation, Event, Refusal, Saved, Schema, Snapshot, World};
use crossbeam_channel::{Receiver, Sender};
use serde_json::json;
use tokio::sync::{broadcast, oneshot};

use crate::clients::{Clients, PointSet};
use crate::seams::{Commits, Field, Store};

/// Turns that may wait for the world; then the field waits, and with it the broker.
const INBOX: usize = 1024;
/// Alarm and command messages that a client may be behind before it gets the whole list anew.
const EVENTS: usize = 4096;
/// How often the world's clock is moved.
const TICK: Duration = Duration::from_millis(250);
/// The most turns taken before clients are told.
const TURNS_AT_ONCE: usize = 256;
/// The kind of record under which the commands of a point are kept, by its path.
const COMMAND_RECORD: &str = "command";
/// The kind of record under which an alarm is kept, by its id.
const ALARM_RECORD: &str = "alarm";
/// A step back of the machine's clock that is more than the correction of a drift.
const CLOCK_STEP_US: i64 = 2 * Timestamp::SECOND;
/// How far a stored time may be ahead of the clock to be taken up; see the gateway's limit.
const MOST_AHEAD_US: i64 = 300 * Timestamp::SECOND;

/// What the world's thread is asked to do.
pub enum Turn {
    /// Samples and presence from the field; acknowledged when durable.
    Field(FieldBatch),
    /// Samples of device models in this process, and the moment of their clock.
    Simulated(Vec<Sample>, Timestamp),
    /// A wish to command.
    Intend(Box<Intent>, oneshot::Sender<Result<(), Refusal>>),
    /// An acknowledgement of an alarm by id.
    Acknowledge {
        alarm: String,
        by: String,
        comment: String,
        reply: oneshot::Sender<Result<(), RejectReason>>,
    },
    /// No more turns come.
    Stop,
}

/// A wish to write a slot of a point's priority array or, without a value, to let go of it.
pub struct Wish {
    pub point: Path,
    pub value: Option<JsonValue>,
    pub priority: u8,
    pub expiry_s: Option<f64>,
    pub reason: String,
}

impl From<CommandRequest> for Wish {
    fn from(r: CommandRequest) -> Self {
        let CommandRequest { point, value, priority, expiry_s, reason } = r;
        Self { point, value: Some(value), priority, expiry_s, reason }
    }
}

impl From<RelinquishRequest> for Wish {
    fn from(r: RelinquishRequest) -> Self {
        Self { point: r.point, value: None, priority: r.priority, expiry_s: None, reason: r.reason }
    }
}

/// The state at a moment, for readers.
pub struct View {
    /// The world's time.
    pub time: Timestamp,
    snapshot: Snapshot,
    /// The alarms that are not normal, the most urgent first.
    pub alarms: Arc<[AlarmInfo]>,
    /// The commands in force by point.
    pub commands: Arc<BTreeMap<PointId, CommandState>>,
    live_points: u32,
    hash: [u8; 32],
}

impl View {
    /// A point's newest reading.
    pub fn sample(&self, point: PointId) -> Option<FrameSample> {
        let r = self.snapshot.reading(point)?;
        Some(FrameSample { point, time: r.time, value: r.value, quality: r.quality })
    }
}

/// Submissions that wait for the store when it no longer keeps up, or fails.
const STORE_BEHIND: u64 = 512;

/// What is said where the answer never comes: nothing is promised that is not on the disk.
const NOT_STORED: &str = "the hub is stopping, or could not store this; its log says which. Look whether it is in force, then try again";

/// What requests and sockets share.
pub struct Live {
    /// The campus.
    pub campus: Arc<Campus>,
    /// The campus in the words of the API.
    pub catalogue: Catalogue,
    /// The same, written once.
    pub catalogue_json: Bytes,
    /// The store.
    pub history: Box<dyn Store>,
    /// The listeners.
    pub clients: Clients,
    /// Alarms and commands as they change.
    pub events: broadcast::Sender<ServerMessage>,
    /// Open WebSockets.
    pub connections: AtomicU32,
    view: ArcSwap<View>,
    inbox: Sender<Turn>,
    gateway: OnceLock<Box<dyn Field>>,
    scene: Mutex<Option<Bytes>>,
    started: Instant,
    /// `live`, or `simulated` where device models of this process have brought the world to a moment.
    pub world: &'static str,
    /// How fast the world's clock goes against the wall's: 1, or 0 where it is simulated.
    pub clock_rate: f64,
    /// Samples taken in.
    pub samples: AtomicU64,
    /// Samples refused by the world: wrong type, unknown point.
    pub refused: AtomicU64,
}

impl Live {
    /// Recovers the world from the store and starts its thread. With `simulated_from` the clock begins there and is
    /// moved by [`Turn::Simulated`] alone.
    pub fn start(
        campus: Arc<Campus>,
        history: Box<dyn Store>,
        queue: Box<dyn Commits>,
        simulated_from: Option<Timestamp>,
    ) -> std::io::Result<(Arc<Self>, std::thread::JoinHandle<()>)> {
        let now = simulated_from.unwrap_or_else(wall_clock);
        let schema = Arc::new(Schema::of(&campus));
        let mut world = World::new(schema, now);
        recover(&mut world, history.as_ref());
        let catalogue = crate::catalogue::catalogue(&campus);
        let catalogue_json = serde_json::to_vec(&catalogue).map_err(std::io::Error::other)?.into();
        let (inbox, turns) = crossbeam_channel::bounded(INBOX);
        let (events, _) = broadcast::channel(EVENTS);
        let view = view(&campus, &mut world);
        let live = Arc::new(Self {
            campus,
            catalogue,
            catalogue_json,
            history,
            clients: Clients::default(),
            events,
            connections: AtomicU32::new(0),
            view: ArcSwap::from_pointee(view),
            inbox,
            gateway: OnceLock::new(),
            scene: Mutex::new(None),
            started: Instant::now(),
            world: if simulated_from.is_some() { "simulated" } else { "live" },
            clock_rate: if simulated_from.is_some() { 0.0 } else { 1.0 },
            samples: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        let keeper = Keeper {
            live: live.clone(),
            world,
            queue,
            simulated: simulated_from.is_some(),
            events: Vec::new(),
            audits: Vec::new(),
            answers: Vec::new(),
            connected: false,
        };
        let thread =
            std::thread::Builder::new().name("world-live".to_owned()).spawn(move || keeper.run(&turns))?;
        Ok((live, thread))
    }

    /// Where turns go.
    pub fn inbox(&self) -> Sender<Turn> {
        self.inbox.clone()
    }

    /// The gateway that commands go out by.
    pub fn set_gateway(&self, gateway: Box<dyn Field>) {
        // There is one gateway for the life of a hub; a second would be a fault of the caller.
        let _ = self.gateway.set(gateway);
    }

    /// The newest state.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// A point's newest reading in the words of the API.
    pub fn reading(&self, view: &View, point: PointId) -> Option<Reading> {
        view.sample(point).map(|s| crate::api::reading(&s, self.campus.point(point)))
    }

    /// Writes or relinquishes a slot.
    pub async fn command(&self, request: Wish) -> Outcome {
        let refused = |reason, message: String| Outcome { ok: false, reason: Some(reason), message };
        let Some(id) = self.campus.point_id(request.point.as_str()) else {
            return refused(RejectReason::NotFound, format!("there is no point '{}'", request.point));
        };
        let point = self.campus.point(id);
        let Some(priority) = Priority::new(request.priority) else {
            return refused(
                RejectReason::Priority,
                format!("priority {} is not from 1 to 16", request.priority),
            );
        };
        if request.expiry_s.is_some_and(|s| !(s > 0.0 && s <= limits::MAX_EXPIRY_S)) {
            return refused(RejectReason::Expiry, "expiry_s has to be above 0 and at most a year".to_owned());
        }
        let value = match &request.value {
            None => None,
            Some(json) => {
                match json.to_value(point.value_type, point.choices.iter().map(|c| c.id.as_str())) {
                    Ok(value) => Some(value),
                    Err(why) => return refused(RejectReason::WrongType, why.to_string()),
                }
            }
        };
        let expires = request.expiry_s.map(|s| self.view().time.plus_micros((s * 1e6) as i64));
        let intent = Intent {
            point: id,
            priority,
            value,
            expires,
            actor: Actor::Person("local".into()),
            reason: request.reason.into(),
        };
        let (reply, answer) = oneshot::channel();
        if self.inbox.try_send(Turn::Intend(Box::new(intent), reply)).is_err() {
            return refused(RejectReason::Busy, "the hub is too busy; try again".to_owned());
        }
        match answer.await {
            Ok(Ok(())) => Outcome { ok: true, reason: None, message: String::new() },
            Ok(Err(why)) => refused(reject_reason(&why), why.to_string()),
            Err(_) => refused(RejectReason::Busy, NOT_STORED.to_owned()),
        }
    }

    /// Acknowledges an alarm.
    pub async fn acknowledge(&self, alarm: String, comment: String) -> Outcome {
        let refused =
            |reason, message: &str| Outcome { ok: false, reason: Some(reason), message: message.to_owned() };
        if comment.len() > limits::MAX_REASON_BYTES {
            return refused(RejectReason::Reason, "the comment is longer than 500 bytes");
        }
        let (reply, answer) = oneshot::channel();
        let turn = Turn::Acknowledge { alarm, by: "person:local".to_owned(), comment, reply };
        if self.inbox.try_send(turn).is_err() {
            return refused(RejectReason::Busy, "the hub is too busy; try again");
        }
        match answer.await {
            Ok(Ok(())) => Outcome { ok: true, reason: None, message: String::new() },
            Ok(Err(RejectReason::NotFound)) => refused(RejectReason::NotFound, "there is no such alarm"),
            Ok(Err(reason)) => refused(reason, "the alarm has nothing to acknowledge"),
            Err(_) => refused(RejectReason::Busy, NOT_STORED),
        }
    }

    /// The scene: `campus.glb` of the campus' folder where there is one, else built from the plan, once.
    pub fn scene(&self) -> Result<Bytes, String> {
        let mut kept = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = &*kept {
            return Ok(bytes.clone());
        }
        let own = self.campus.root_dir.join("campus.glb");
        let bytes: Bytes = if own.is_file() {
            std::fs::read(&own).map_err(|why| format!("{}: {why}", own.display()))?.into()
        } else {
            let terrain = crate::terrain(&self.campus).map_err(|why| why.to_string())?;
            campanile_scene::build(&self.campus, terrain.as_ref())
                .map_err(|why| why.to_string())?
                .bytes
                .into()
        };
        *kept = Some(bytes.clone());
        Ok(bytes)
    }

    /// What the gateway says of itself; `null` where there is none.
    pub fn field_status(&self) -> serde_json::Value {
        self.gateway
            .get()
            .map_or(serde_json::Value::Null, |g| serde_json::to_value(g.status()).unwrap_or_default())
    }

    /// How the hub is, in numbers.
    pub fn hub_state(&self) -> HubState {
        let status = self.gateway.get().map(|g| g.status());
        let points = self.campus.points.len() as u32;
        HubState {
            links: status
                .iter()
                .map(|s| LinkState {
                    name: format!("mqtt://{}", s.broker),
                    connected: s.connected,
                    detail: s.last_error.clone().unwrap_or_default(),
                })
                .collect(),
            points,
            stale_points: points.saturating_sub(self.view().live_points),
            samples: self.samples.load(Ordering::Relaxed),
            malformed: status.as_ref().map_or(0, |s| s.malformed),
            unknown_topics: status.as_ref().map_or(0, |s| s.unknown),
            history_queue: self.history.waiting(),
            clients: self.connections.load(Ordering::Relaxed),
        }
    }

    /// How the hub is, for people and probes.
    pub fn health(&self) -> Health {
        let state = self.hub_state();
        let mut problems = Vec::new();
        for link in state.links.iter().filter(|l| !l.connected) {
            problems.push(format!(
                "{} is not connected: {}; start the broker, the hub joins by itself",
                link.name, link.detail
            ));
        }
        if state.malformed > 0 {
            problems.push(format!(
                "{} messages could not be read; GET /api/v1/gateway shows the last and why",
                state.malformed
            ));
        }
        let failures = self.history.failures();
        if failures > 0 {
            problems.push(format!(
                "the history failed {failures} times to write; is the disk full? The log says why. Samples are kept by the broker until they are stored"
            ));
        }
        let view = self.view();
        // A message that could not be read is a problem of its sender, not of the hub.
        if state.history_queue >= STORE_BEHIND {
            problems.push(format!(
                "{} submissions wait for the history: the disk is full or too slow; the log says which",
                state.history_queue
            ));
        }
        let ok = state.links.iter().all(|l| l.connected) && state.history_queue < STORE_BEHIND;
        Health {
            ok,
            server: crate::server_name(),
            protocol: PROTOCOL_VERSION,
            campus: self.campus.id.clone(),
            time_us: view.time.0,
            uptime_s: self.started.elapsed().as_secs_f64(),
            state,
            problems,
        }
    }

    /// The world's state hash as of the newest second.
    pub fn state_hash(&self) -> String {
        self.view().hash.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Sends a value to the field, where the point is bound to it.
    fn send_out(&self, point: PointId, value: &Value) {
        let Some(gateway) = self.gateway.get() else { return };
        let bound = self.campus.get_point(point).and_then(|p| p.binding.as_ref());
        if bound.is_some_and(|b| b.command.is_some())
            && let Err(why) = gateway.send_command(point, Some(value))
        {
            // It goes out when the field is connected again.
            tracing::warn!(%why, point = %self.campus.point(point).path, "a command could not go out");
        }
    }

    /// Whether the gateway is connected to its broker.
    pub fn gateway_connected(&self) -> bool {
        self.gateway.get().is_some_and(|g| g.is_connected())
    }
}

/// The time of day of this machine.
pub fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn recover(world: &mut World, history: &dyn Store) {
    let mut events = Vec::new();
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
    for lost in world.restore(saved) {
        tracing::warn!(lost, "a command or alarm of a point that the campus no longer has");
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
struct Keeper {
    live: Arc<Live>,
    world: World,
    queue: Box<dyn Commits>,
    /// Whether the clock is that of device models in this process rather than the wall's.
    simulated: bool,
    events: Vec<Event>,
    /// Who did what, to be committed with what it changed.
    audits: Vec<Record>,
    /// Who waits to hear that it is durable.
    answers: Vec<Box<dyn FnOnce() + Send>>,
    /// Whether the field was connected at the last look.
    connected: bool,
}

impl Keeper {
    fn run(mut self, turns: &Receiver<Turn>) {
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
                let now = self.now();
                let back_us = self.world.now().0.saturating_sub(now.0);
                if back_us > CLOCK_STEP_US {
                    let seconds = back_us / Timestamp::SECOND;
                    tracing::warn!(seconds, "the machine's clock was set back; the world follows");
                    self.world.set_back(now);
                }
                self.world.tick(now, &mut self.events);
                self.reconcile();
            }
            self.tell();
            if stop {
                break;
            }
        }
        drop(self.queue);
    }

    fn now(&self) -> Timestamp {
        if self.simulated { self.world.now() } else { wall_clock() }
    }

    /// Takes a turn; true where it was the last.
    fn take(&mut self, turn: Turn) -> bool {
        match turn {
            Turn::Field(batch) => {
                let mut applied = 0;
                for presence in &batch.presence {
                    let before = batch.samples.get(applied..presence.after_samples).unwrap_or_default();
                    self.world.apply_samples(before, &mut self.events);
                    applied = presence.after_samples.max(applied);
                    if presence.online {
                        // It may have started anew and know nothing of what holds.
                        presence.points.iter().for_each(|point| self.send_again(*point));
                    } else {
                        self.world.source_lost(&presence.points, &mut self.events);
                    }
                }
                self.world.apply_samples(batch.samples.get(applied..).unwrap_or_default(), &mut self.events);
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
                if self.simulated {
                    self.world.tick(now, &mut self.events);
                }
                self.world.apply_samples(&samples, &mut self.events);
                self.commit(samples, Vec::new(), None);
            }
            Turn::Intend(intent, reply) => {
                // Commands are timed by the moment they come, not by the last tick.
                let now = self.now();
                self.world.tick(now, &mut self.events);
                let before = self.world.effective(intent.point);
                let outcome = self.world.intend(&intent, &mut self.events);
                let body = json!({
                    "act": if intent.value.is_some() { "write" } else { "relinquish" },
                    "actor": intent.actor, "point": self.live.campus.get_point(intent.point).map(|p| &p.path),
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
            Turn::Acknowledge { alarm, by, comment, reply } => {
                let outcome = match self.world.schema().rule(&alarm) {
                    None => Err(RejectReason::NotFound),
                    Some(rule) if self.world.acknowledge(rule, &by, &comment, &mut self.events) => Ok(()),
                    Some(_) => Err(RejectReason::State),
                };
                let body = json!({"act": "acknowledge", "actor": by, "alarm": alarm, "comment": comment, "done": outcome.is_ok()});
                self.audits.push(Record::audit(self.world.now(), body));
                self.answers.push(Box::new(move || {
                    let _ = reply.send(outcome);
                }));
            }
            Turn::Stop => return true,
        }
        false
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
        self.keep(&events, records, answers);
        for event in &events {
            self.announce(event);
        }
    }

    /// Commits what events changed together with who did it; what goes out or is answered waits for that.
    fn keep(&mut self, events: &[Event], mut records: Vec<Record>, answers: Vec<Box<dyn FnOnce() + Send>>) {
        let (mut points, mut rules) = (BTreeSet::new(), BTreeSet::new());
        let mut out: Vec<(PointId, Value)> = Vec::new();
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
                Event::Alarm { rule, .. } => drop(rules.insert(*rule)),
                _ => {}
            }
        }
        let time = self.world.now();
        for (path, array) in points.into_iter().filter_map(|p| self.world.saved_command(p)) {
            let over = array.strongest().is_none() && array.confirmation == Confirmation::Confirmed;
            records.extend(kept(COMMAND_RECORD, path.as_str(), time, (!over).then_some(&array)));
        }
        for (id, alarm) in rules.into_iter().filter_map(|r| self.world.saved_alarm(r)) {
            let over = alarm.state == campanile_world::AlarmState::Normal;
            records.extend(kept(ALARM_RECORD, &id, time, (!over).then_some(&alarm)));
        }
        if records.is_empty() && out.is_empty() && answers.is_empty() {
            return;
        }
        let live = self.live.clone();
        let done =
            move |outcome: Result<campanile_history::CommitInfo, Arc<campanile_history::HistoryError>>| {
                if outcome.is_err() {
                    // The store has said why; nobody is told that it is done.
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
                    send(ServerMessage::AlarmChanged { alarm });
                }
            }
            _ => {}
        }
    }
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

fn view(campus: &Campus, world: &mut World) -> View {
    View {
        time: world.now(),
        snapshot: world.snapshot(),
        alarms: alarms(campus, world),
        commands: Arc::new(commands(campus, world)),
        live_points: world.live_points() as u32,
        hash: world.hash(),
    }
}

/// The next view; alarms and commands are written anew only where an event told of one, counts and hash once a second.
fn view_of(campus: &Campus, world: &mut World, last: &View, events: bool) -> View {
    let second = world.now().0.div_euclid(Timestamp::SECOND) != last.time.0.div_euclid(Timestamp::SECOND);
    View {
        time: world.now(),
        snapshot: world.snapshot(),
        alarms: if events { alarms(campus, world) } else { last.alarms.clone() },
        commands: if events { Arc::new(commands(campus, world)) } else { last.commands.clone() },
        live_points: if second { world.live_points() as u32 } else { last.live_points },
        hash: if second { world.hash() } else { last.hash },
    }
}

fn alarms(campus: &Campus, world: &World) -> Arc<[AlarmInfo]> {
    let rules = world.alarms().iter().enumerate();
    let mut found: Vec<AlarmInfo> = rules
        .filter(|(_, alarm)| alarm.state != campanile_world::AlarmState::Normal)
        .filter_map(|(rule, _)| alarm_info(campus, world, rule as u32))
        .collect();
    // Unacknowledged first, then by urgency, then the newest.
    found.sort_by_key(|a| (!a.state.needs_acknowledgement(), a.priority, std::cmp::Reverse(a.changed_us)));
    found.into()
}

fn alarm_info(campus: &Campus, world: &World, rule: u32) -> Option<AlarmInfo> {
    let alarm = world.alarm(rule)?;
    let spec = world.schema().rules().get(rule as usize)?;
    let point = campus.get_point(spec.point)?;
    let described = point.alarms.get(spec.index)?;
    let choices = || point.choices.iter().map(|c| c.id.as_str());
    use campanile_world::AlarmState as S;
    Some(AlarmInfo {
        id: spec.id.to_string(),
        point: point.path.clone(),
        entity: campus.entities.get(point.entity)?.path.clone(),
        rule: described.id.clone(),
        names: described.names.clone(),
        priority: spec.priority,
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
        limit: match &spec.condition {
            AlarmCondition::High { limit }
            | AlarmCondition::Low { limit }
            | AlarmCondition::Deviation { limit, .. } => Some(*limit),
            AlarmCondition::Is { .. } | AlarmCondition::Stale => None,
        },
        acknowledged_by: alarm.acknowledged.as_ref().map(|(by, _)| by.to_string()),
        comment: alarm
            .acknowledged
            .as_ref()
            .map(|(_, comment)| comment.to_string())
            .filter(|c| !c.is_empty()),
    })
}

fn commands(campus: &Campus, world: &World) -> BTreeMap<PointId, CommandState> {
    world.arrays().filter_map(|(point, _)| Some((point, command_state(campus, world, point)?))).collect()
}

fn command_state(campus: &Campus, world: &World, id: PointId) -> Option<CommandState> {
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
    })
}

fn reject_reason(why: &Refusal) -> RejectReason {
    match why {
        Refusal::UnknownPoint => RejectReason::NotFound,
        Refusal::NotCommandable => RejectReason::NotCommandable,
        Refusal::WrongType { .. } => RejectReason::WrongType,
        Refusal::OutOfLimits { .. } => RejectReason::OutOfLimits,
        Refusal::TooSoon { .. } => RejectReason::TooSoon,
        Refusal::TooWeak { .. } => RejectReason::Priority,
        Refusal::Expired => RejectReason::Expiry,
        Refusal::Reason => RejectReason::Reason,
        _ => RejectReason::NotFound,
    }
}
