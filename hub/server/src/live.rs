//! The live world at work: one writer thread, and what everybody else reads.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use campanile_gateway::FieldBatch;
use campanile_history::Record;
use campanile_model::{Campus, Intent, Path, PointId, Sample, Timestamp, Value};
use campanile_protocol::rest::{CommandRequest, Health, Reading, RelinquishRequest};
use campanile_protocol::{Catalogue, HubState, JsonValue, LinkState, PROTOCOL_VERSION, RejectReason, limits};
use campanile_world::{Recorder, Refusal, Schema, World};
use crossbeam_channel::{Receiver, Sender};
use tokio::sync::{Semaphore, oneshot};

use crate::channel::{Channel, Hands};
use crate::hub::HubError;
use crate::keeper::{Clock, FileRecorder, Keeper, recover};
use crate::large::Large;
use crate::people::By;
use crate::seams::{Commits, Field, Store};
use crate::view::{View, view};

/// Turns that may wait for the world; then the field waits, and with it the broker.
const INBOX: usize = 1024;

/// What the world's thread is asked to do.
pub enum Turn {
    /// Samples and presence from the field; acknowledged when durable.
    Field(FieldBatch),
    /// Samples of device models in this process, and the moment of their clock.
    Simulated(Vec<Sample>, Timestamp),
    /// A wish to command, and from where it comes.
    Intend(Box<Intent>, By, oneshot::Sender<Result<(), Refusal>>),
    /// What a person does to an alarm, by its id.
    Alarm { alarm: String, by: By, act: AlarmAct, reply: oneshot::Sender<Result<(), RejectReason>> },
    /// Records that are none of the world's, such as of people: kept in one order with its own.
    Keep(Vec<Record>, oneshot::Sender<()>),
    /// What a call of a plugin does.
    Plugin(Box<crate::plugins::Report>),
    /// A fork of the world as it is now, for a rehearsal.
    Fork(oneshot::Sender<World>),
    /// No more turns come.
    Stop,
}

/// What a person does to an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmAct {
    Acknowledge { comment: String },
    Shelve { for_s: f64, reason: String },
    Unshelve,
    OutOfService { reason: String },
    ReturnToService,
}

impl AlarmAct {
    /// What the audit record calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledge",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve => "unshelve",
            Self::OutOfService { .. } => "out-of-service",
            Self::ReturnToService => "return-to-service",
        }
    }

    /// What was said with it.
    pub fn words(&self) -> &str {
        match self {
            Self::Acknowledge { comment } => comment,
            Self::Shelve { reason, .. } | Self::OutOfService { reason } => reason,
            Self::Unshelve | Self::ReturnToService => "",
        }
    }

    /// Why it can't be done to any alarm, with the key of what is said.
    pub(crate) fn refusal(&self) -> Option<(RejectReason, &'static str)> {
        let needs_words = matches!(self, Self::Shelve { .. } | Self::OutOfService { .. });
        if self.words().len() > limits::MAX_REASON_BYTES || (needs_words && self.words().trim().is_empty()) {
            return Some((RejectReason::Reason, "reason-alarm"));
        }
        match self {
            Self::Shelve { for_s, .. } if !(*for_s > 0.0 && *for_s <= MAX_SHELVED_S) => {
                Some((RejectReason::Expiry, "expiry-shelve"))
            }
            _ => None,
        }
    }

    /// Why it can't be done to an alarm as it is: the key of what is said.
    pub(crate) fn wrong_state(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "state-acknowledge",
            Self::Shelve { .. } => "state-shelve",
            Self::Unshelve => "state-unshelve",
            Self::OutOfService { .. } => "state-out-of-service",
            Self::ReturnToService => "state-return-to-service",
        }
    }
}

/// An alarm on the shelf for longer is forgotten there: take it out of service instead.
const MAX_SHELVED_S: f64 = 7.0 * 86_400.0;

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

/// Submissions that wait for the store when it no longer keeps up, or fails.
const STORE_BEHIND: u64 = 512;

/// The key of what is said where the answer never comes: nothing is promised that is not on the disk.
pub(crate) const NOT_STORED: &str = "busy-not-stored";

/// Wishes of people to the world's thread.
struct ToKeeper(Sender<Turn>);

impl Hands for ToKeeper {
    fn intend(&self, intent: Box<Intent>, by: By, reply: oneshot::Sender<Result<(), Refusal>>) -> bool {
        self.0.try_send(Turn::Intend(intent, by, reply)).is_ok()
    }

    fn alarm(
        &self,
        alarm: String,
        by: By,
        act: AlarmAct,
        reply: oneshot::Sender<Result<(), RejectReason>>,
    ) -> bool {
        self.0.try_send(Turn::Alarm { alarm, by, act, reply }).is_ok()
    }
}

/// What requests and sockets share: the channel of the live world, with its store and its field.
pub struct Live {
    /// What clients follow.
    pub channel: Arc<Channel>,
    /// The campus in the words of the API.
    pub catalogue: Catalogue,
    /// The same, written once.
    pub catalogue_json: Large,
    /// The store.
    pub history: Box<dyn Store>,
    /// Open WebSockets.
    pub connections: AtomicU32,
    /// Room for those who look back.
    pub look_backs: Arc<Semaphore>,
    inbox: Sender<Turn>,
    gateway: OnceLock<Box<dyn Field>>,
    /// The plugins at work.
    pub crew: ArcSwapOption<crate::plugins::Crew>,
    scene: Mutex<Option<Large>>,
    started: Instant,
    /// Samples taken in.
    pub samples: AtomicU64,
    /// Samples refused by the world: wrong type, unknown point.
    pub refused: AtomicU64,
}

impl Deref for Live {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

impl Live {
    /// Recovers the world from the store and starts its thread. With `simulated_from` the clock begins there and is
    /// moved by [`Turn::Simulated`] alone.
    pub fn start(
        campus: Arc<Campus>,
        history: Box<dyn Store>,
        queue: Box<dyn Commits>,
        simulated_from: Option<Timestamp>,
        record: Option<&std::path::Path>,
    ) -> Result<(Arc<Self>, std::thread::JoinHandle<()>), HubError> {
        let now = simulated_from.unwrap_or_else(wall_clock);
        let (live, world, turns) = Self::recovered(campus, history, now, simulated_from.is_some())?;
        let recorder = record.map(|path| start_record(path, &live.campus.id, &world)).transpose()?;
        let clock = simulated_from.is_none().then_some(Box::new(wall_clock) as Clock);
        let keeper = Keeper::new(live.clone(), world, queue, clock, recorder);
        let thread =
            std::thread::Builder::new().name("world-live".to_owned()).spawn(move || keeper.run(&turns))?;
        Ok((live, thread))
    }

    /// What is shared, the world that a keeper is to keep, and its turns.
    pub(crate) fn recovered(
        campus: Arc<Campus>,
        history: Box<dyn Store>,
        now: Timestamp,
        simulated: bool,
    ) -> Result<(Arc<Self>, World, Receiver<Turn>), HubError> {
        let schema = Arc::new(Schema::of(&campus));
        let mut world = World::new(schema, now);
        recover(&mut world, history.as_ref());
        let catalogue = crate::catalogue::catalogue(&campus);
        let catalogue_json = Large::from(serde_json::to_vec(&catalogue).map_err(std::io::Error::other)?);
        let (inbox, turns) = crossbeam_channel::bounded(INBOX);
        let view = view(&campus, &mut world);
        let (name, rate) = if simulated { ("simulated", 0.0) } else { ("live", 1.0) };
        let hands = Box::new(ToKeeper(inbox.clone()));
        let channel = Arc::new(Channel::new(name.to_owned(), true, campus, view, rate, hands));
        let live = Arc::new(Self {
            channel,
            catalogue,
            catalogue_json,
            history,
            connections: AtomicU32::new(0),
            look_backs: Arc::new(Semaphore::new(crate::lookback::MOST)),
            inbox,
            gateway: OnceLock::new(),
            crew: ArcSwapOption::empty(),
            scene: Mutex::new(None),
            started: Instant::now(),
            samples: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        Ok((live, world, turns))
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

    /// A point's newest reading in the words of the API.
    pub fn reading(&self, view: &View, point: PointId) -> Option<Reading> {
        view.sample(point).map(|s| crate::api::reading(&s, self.campus.point(point)))
    }

    /// The world as it is now, to go its own way.
    pub fn fork(&self) -> Option<World> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Turn::Fork(reply)).ok()?;
        answer.blocking_recv().ok()
    }

    /// Makes records durable; returns when they are.
    pub async fn keep(&self, records: Vec<Record>) -> Result<(), ()> {
        let (reply, answer) = oneshot::channel();
        self.inbox.try_send(Turn::Keep(records, reply)).map_err(|_| ())?;
        answer.await.map_err(|_| ())
    }

    /// The scene: `campus.glb` of the campus' folder where there is one, else built from the plan, once.
    pub fn scene(&self) -> Result<Large, String> {
        let mut kept = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scene) = &*kept {
            return Ok(scene.clone());
        }
        let own = self.campus.root_dir.join("campus.glb");
        let bytes = if own.is_file() {
            std::fs::read(&own).map_err(|why| format!("{}: {why}", own.display()))?
        } else {
            let terrain = crate::terrain(&self.campus).map_err(|why| why.to_string())?;
            campanile_scene::build(&self.campus, terrain.as_ref()).map_err(|why| why.to_string())?.bytes
        };
        let scene = Large::from(bytes);
        *kept = Some(scene.clone());
        Ok(scene)
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
                    detail: s.last_error.clone().filter(|_| !s.connected).unwrap_or_default(),
                })
                .collect(),
            points,
            stale_points: self.view().stale_points,
            samples: self.samples.load(Ordering::Relaxed),
            malformed: status.as_ref().map_or(0, |s| s.malformed),
            unknown_topics: status.as_ref().map_or(0, |s| s.unknown),
            history_queue: self.history.waiting(),
            clients: self.connections.load(Ordering::Relaxed),
        }
    }

    /// How the hub is, for who follows a world: which of its points have a value is a matter of that world.
    pub fn hub_state_of(&self, channel: &Channel) -> HubState {
        HubState { stale_points: channel.view().stale_points, ..self.hub_state() }
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
        if state.points > 0 && self.view().live_points == 0 {
            problems.push("no point has a live value: are the devices on, and bound to the right topics? GET /api/v1/gateway shows what comes".to_owned());
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
        problems.extend(self.history.damage());
        let view = self.view();
        // A message that could not be read is a problem of its sender, not of the hub.
        if state.history_queue >= STORE_BEHIND {
            problems.push(format!(
                "{} submissions wait for the history: the disk is full or too slow; the log says which",
                state.history_queue
            ));
        }
        let ok = state.links.iter().all(|l| l.connected)
            && state.history_queue < STORE_BEHIND
            && !self.history.fails();
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
    pub(crate) fn send_out(&self, point: PointId, value: &Value) {
        let Some(gateway) = self.gateway.get() else { return };
        let bound = self.campus.get_point(point).and_then(|p| p.binding.as_ref());
        if bound.is_some_and(|b| b.command.is_some())
            && let Err(why) = gateway.send_command(point, Some(value))
        {
            // It goes out when the field is connected again.
            tracing::warn!(%why, point = %self.campus.point(point).path, "a command could not go out");
        }
    }

    /// Waits until what the broker held has come over, or the limit is over. A backlog keeps the window of
    /// unacknowledged messages filled; devices that go on publishing leave it empty most of the time.
    pub fn drain_field(&self, limit: Duration) {
        const LOOKS: u32 = 15;
        const MOSTLY: u32 = 12;
        let Some(gateway) = self.gateway.get() else { return };
        let began = Instant::now();
        while began.elapsed() < limit && gateway.is_connected() {
            let mut empty = 0;
            for _ in 0..LOOKS {
                let status = gateway.status();
                empty += u32::from(status.unacknowledged == 0 && !status.sink_full);
                std::thread::sleep(Duration::from_millis(20));
            }
            if empty >= MOSTLY {
                return;
            }
        }
        tracing::warn!(
            "the broker may hold messages that have not come over; devices that repeat values make up for it"
        );
    }

    /// Whether the gateway is connected to its broker.
    pub fn gateway_connected(&self) -> bool {
        self.gateway.get().is_some_and(|g| g.is_connected())
    }
}

/// Begins a record in a new file: one that is there is somebody's. In a folder each start has a file of its own, so that a
/// service can be started again.
fn start_record(path: &std::path::Path, campus: &str, world: &World) -> Result<FileRecorder, HubError> {
    let path = if path.is_dir() {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ");
        &path.join(format!("{campus}-{now}.rec"))
    } else {
        path
    };
    let failed =
        |why: &dyn std::fmt::Display| HubError::Record { path: path.to_owned(), why: why.to_string() };
    let file = std::fs::File::create_new(path).map_err(|why| failed(&why))?;
    Recorder::start(std::io::BufWriter::new(file), campus, world).map_err(|why| failed(&why))
}

/// The time of day of this machine.
pub fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
