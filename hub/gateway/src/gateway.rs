//! The hub's side: subscribe, read, hand over, acknowledge; and commands out.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use campanile_model::{Campus, PointId, Quality, Sample, SparkplugMetric, Timestamp, Value};
use rumqttc::{Incoming, PubAck, Publish, QoS, Request, Subscribe, SubscribeFilter};
use tokio::sync::{Notify, mpsc};

use crate::acks::{AckQueue, Completion};
use crate::link::{Link, LinkConfig, LinkError, MOST_READ};
use crate::parse::read_message;
use crate::sparkplug::{Nodes, Out, Refusal, Taken};
use crate::status::{Counters, GatewayStatus, SparkplugStatus, keep};
use crate::topics::{TopicTable, subscription_filters};
use crate::{GatewayError, Qos, encode};

/// Commands that wait for the broker.
const COMMAND_QUEUE: usize = 1024;
/// Examples of bad messages formatted for each batch; all are counted.
const EXAMPLES_A_BATCH: usize = 8;

/// How the gateway connects and how much it takes at a time.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Host name or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name of the session at the broker, which keeps messages for it while it is away. Two
    /// gateways of the same name throw each other out.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<(String, String)>,
    /// How the broker delivers to the hub. With [`Qos::AtMostOnce`] what isn't stored when the hub
    /// dies is lost. The embedded broker delivers at this quality whatever the device published
    /// with; Mosquitto at the lower of the two, as the standard says.
    pub qos: Qos,
    /// How often to ask whether the broker is there, seconds; at least 5.
    pub keep_alive_s: u64,
    /// The largest message that is made use of, bytes; a larger one is counted as malformed. One beyond 16 MiB ends
    /// the connection.
    pub max_packet_bytes: usize,
    /// The most messages in a batch.
    pub batch_messages: usize,
    /// The ID of this host application of Sparkplug B, where points are bound to such: `spBv1.0/STATE/<ID>` says
    /// whether it is there. `None`: it listens without saying so.
    pub sparkplug_host: Option<String>,
    /// The first pause between two requests to one node of Sparkplug B for its birth.
    pub rebirth_pause: Duration,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 1883,
            client_id: "campanile-hub".to_owned(),
            credentials: None,
            qos: Qos::AtLeastOnce,
            keep_alive_s: 30,
            max_packet_bytes: 1024 * 1024,
            batch_messages: 4096,
            sparkplug_host: None,
            rebirth_pause: Duration::from_secs(5),
        }
    }
}

/// A device came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The topic that said so.
    pub topic: Arc<str>,
    /// Whether it is there now.
    pub online: bool,
    /// Its points, which are stale while it is away.
    pub points: Arc<[PointId]>,
    /// When this was heard.
    pub time: Timestamp,
    /// How many samples of the batch came before it.
    pub after_samples: usize,
}

/// What came from the field, in the order of arrival.
#[derive(Debug)]
pub struct FieldBatch {
    /// Samples in the points' units.
    pub samples: Vec<Sample>,
    /// Devices that came or went, in order; each says after how many of the samples.
    pub presence: Vec<Presence>,
    /// To be called when the samples are durable.
    pub done: Completion,
}

/// Takes what comes from the field. It is called on the thread of the connection, so that a window
/// of messages costs no change of threads: it must not block. It may complete batches later and from
/// elsewhere.
pub trait Sink: Send + 'static {
    /// Takes one batch.
    ///
    /// # Errors
    /// Without room for it now, the batch comes back: it is offered again a moment later, and no
    /// more is read until then.
    fn deliver(&mut self, batch: FieldBatch) -> Result<(), FieldBatch>;
}

impl<F: FnMut(FieldBatch) -> Result<(), FieldBatch> + Send + 'static> Sink for F {
    fn deliver(&mut self, batch: FieldBatch) -> Result<(), FieldBatch> {
        self(batch)
    }
}

/// A running gateway. Dropping it stops it.
#[derive(Debug)]
pub struct Gateway {
    campus: Arc<Campus>,
    shared: Arc<Shared>,
    commands: mpsc::Sender<Publish>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    broker: String,
    table: TopicTable,
    nodes: Mutex<Nodes>,
    has_nodes: bool,
    state: Option<StateTopic>,
    filters: Vec<String>,
    counters: Counters,
    acks: Arc<AckQueue>,
    sink_full: AtomicBool,
    stopping: AtomicBool,
    stop: Notify,
}

/// Where the hub says whether it is there.
#[derive(Debug)]
struct StateTopic {
    host: String,
    topic: String,
}

impl StateTopic {
    /// tck-id-host-topic-phid-birth-payload, tck-id-host-topic-phid-death-payload.
    fn payload(online: bool, at: Timestamp) -> Vec<u8> {
        format!("{{\"online\":{online},\"timestamp\":{}}}", at.0 / 1000).into_bytes()
    }
}

impl Shared {
    /// Stays consistent even if a holder panicked: a message is taken or not.
    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says so if the thread of the gateway ends other than by being stopped.
struct Watch(Arc<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.counters.connected.store(false, Ordering::Relaxed);
        if std::thread::panicking() {
            self.0.counters.notes().last_error =
                Some("the gateway's thread has panicked: nothing is read any more; restart the hub and report it with the log".to_owned());
        }
    }
}

impl Gateway {
    /// Connects to the broker in the background and keeps at it. A broker that isn't there is no
    /// error here; see [`Gateway::status`].
    ///
    /// # Errors
    /// If its threads can't be started.
    pub fn start(config: GatewayConfig, campus: Arc<Campus>, sink: impl Sink) -> Result<Self, GatewayError> {
        let table = TopicTable::new(&campus);
        let mut filters = subscription_filters(table.entries.iter().map(|e| &*e.topic));
        let nodes = Nodes::new(&campus, config.rebirth_pause);
        let host = config.sparkplug_host.filter(|_| !nodes.is_empty());
        let state = host
            .map(|host| StateTopic { topic: format!("{}/STATE/{host}", SparkplugMetric::NAMESPACE), host });
        // tck-id-host-topic-phid-birth-sub-required.
        filters.extend(nodes.filters());
        filters.extend(state.iter().map(|s| s.topic.clone()));
        let shared = Arc::new(Shared {
            broker: format!("{}:{}", config.host, config.port),
            table,
            has_nodes: !nodes.is_empty(),
            nodes: Mutex::new(nodes),
            state,
            filters,
            counters: Counters::default(),
            acks: Arc::new(AckQueue::default()),
            sink_full: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            stop: Notify::new(),
        });
        let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
        let runner = Runner {
            link: Link::new(&LinkConfig {
                host: config.host,
                port: config.port,
                client_id: config.client_id.clone(),
                credentials: config.credentials,
                keep_alive_s: config.keep_alive_s,
                max_packet_bytes: config.max_packet_bytes,
                max_inflight: 256,
                clean_session: false,
                last_will: None,
            }),
            shared: shared.clone(),
            commands: command_queue,
            sink: Box::new(sink),
            held: None,
            qos: config.qos,
            batch_messages: config.batch_messages.max(1),
            keep_alive: Duration::from_secs(config.keep_alive_s.max(5)),
            heard: vec![false; shared.table.entries.len()],
            batch: Batch::default(),
            arrival: Timestamp(0),
            client_id: config.client_id,
            max_payload: config.max_packet_bytes,
            oversize: 0,
            sent: VecDeque::new(),
            state_wanted: false,
            state_said: None,
            connected_at: Timestamp(0),
        };
        let io = |what: &str| {
            let what = what.to_owned();
            move |source| GatewayError::Io { what, source }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io("the gateway's runtime"))?;
        let thread = std::thread::Builder::new()
            .name("gateway".to_owned())
            .spawn({
                let shared = shared.clone();
                move || {
                    let _watch = Watch(shared);
                    runtime.block_on(runner.run());
                }
            })
            .map_err(io("the gateway's thread"))?;
        Ok(Self { campus, shared, commands, thread: Some(thread) })
    }

    /// Sends a command to the field with QoS 1, to a metric of Sparkplug B with QoS 0 as its specification says
    /// (tck-id-topics-ncmd-mqtt, tck-id-topics-dcmd-mqtt); `None` sends `null`, with which the hub lets go of
    /// the point. Whether the device obeyed is seen by reading back.
    ///
    /// # Errors
    /// [`GatewayError::Unbound`] without a command topic, [`GatewayError::Unborn`] where a metric's device is away, [`GatewayError::Value`] for a value of
    /// the wrong type, [`GatewayError::Full`] if the broker is away for long.
    pub fn send_command(&self, point: PointId, value: Option<&Value>) -> Result<(), GatewayError> {
        let sparkplug =
            |p: &campanile_model::Point| p.binding.as_ref().is_some_and(|b| b.sparkplug.is_some());
        let message = if self.campus.get_point(point).is_some_and(sparkplug) {
            let (topic, payload) = self.shared.nodes().command(&self.campus, point, value, now())?;
            Publish::new(topic, QoS::AtMostOnce, payload)
        } else {
            let (topic, payload) = encode::command(&self.campus, point, value)?;
            Publish::new(topic, QoS::AtLeastOnce, payload)
        };
        self.commands.try_send(message).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => GatewayError::Full { queued: COMMAND_QUEUE },
            mpsc::error::TrySendError::Closed(_) => GatewayError::Stopped,
        })?;
        Counters::add(&self.shared.counters.commands, 1);
        Ok(())
    }

    /// Whether the broker is connected now.
    pub fn is_connected(&self) -> bool {
        self.shared.counters.connected.load(Ordering::Relaxed)
    }

    /// What it does, at this moment.
    pub fn status(&self) -> GatewayStatus {
        let Shared { broker, table, filters, counters: c, acks, sink_full, .. } = &*self.shared;
        // Let go of before the notes are locked: a message being read holds both.
        let (metrics, nodes) = {
            let nodes = self.shared.nodes();
            (nodes.bound_points(), nodes.status())
        };
        let notes = c.notes();
        let sparkplug = (!nodes.is_empty()).then(|| SparkplugStatus {
            host: self.shared.state.as_ref().map(|s| s.host.clone()),
            nodes,
            historical: Counters::get(&c.historical),
            nulls: Counters::get(&c.nulls),
            unsupported: Counters::get(&c.unsupported),
            unsupported_examples: notes.unsupported.iter().cloned().collect(),
        });
        GatewayStatus {
            broker: broker.clone(),
            connected: self.is_connected(),
            last_error: notes.last_error.clone(),
            reconnects: Counters::get(&c.reconnects),
            filters: filters.clone(),
            bound_points: table.bound_points + metrics,
            bound_topics: table.bound_topics,
            heard_topics: Counters::get(&c.heard_topics),
            messages: Counters::get(&c.messages),
            samples: Counters::get(&c.samples),
            unknown: Counters::get(&c.unknown),
            unknown_examples: notes.unknown.iter().cloned().collect(),
            malformed: Counters::get(&c.malformed),
            malformed_examples: notes.malformed.iter().cloned().collect(),
            dropped: Counters::get(&c.dropped),
            clock_ahead: Counters::get(&c.clock_ahead),
            redelivered: Counters::get(&c.redelivered),
            echoes: Counters::get(&c.echoes),
            unacknowledged: acks.waiting(),
            given_up: acks.abandoned(),
            sink_full: sink_full.load(Ordering::Relaxed),
            commands: Counters::get(&c.commands),
            commands_acknowledged: Counters::get(&c.commands_acknowledged),
            offline: notes.offline.clone(),
            sparkplug,
        }
    }

    /// Stops: hands over what has been read, acknowledges what is complete by then, disconnects,
    /// and waits for it. The broker keeps the rest for the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.stop.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the gateway panicked");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end();
    }
}

/// How soon a sink without room is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// How far the time of a sample may be ahead of its arrival.
const MOST_AHEAD_US: i64 = 300 * Timestamp::SECOND;

/// What has been read and not yet handed over.
#[derive(Default)]
struct Batch {
    samples: Vec<Sample>,
    presence: Vec<Presence>,
    packets: Vec<u16>,
    messages: usize,
    examples: usize,
}

struct Runner {
    link: Link,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Publish>,
    sink: Box<dyn Sink>,
    /// What the sink had no room for.
    held: Option<FieldBatch>,
    qos: Qos,
    batch_messages: usize,
    keep_alive: Duration,
    heard: Vec<bool>,
    batch: Batch,
    /// When the last message was taken to have come.
    arrival: Timestamp,
    client_id: String,
    max_payload: usize,
    /// Connections in a row that ended by a message too large to be read.
    oversize: u32,
    /// Of QoS 1 messages not yet acknowledged, in order: whether each is a command.
    sent: VecDeque<bool>,
    /// Somebody said on our STATE topic that we are away.
    state_wanted: bool,
    state_said: Option<Instant>,
    /// When the connection was asked for, which is the time of its will.
    connected_at: Timestamp,
}

/// How often a node is looked at for whether its birth is due to be asked for.
const BIRTHS_TICK: Duration = Duration::from_millis(200);
/// The shortest time between two messages that say that the hub is there: two hubs of one ID would answer each other.
const STATE_PAUSE: Duration = Duration::from_secs(2);
/// After so many connections that ended soon, somebody else is suspected of using the client id.
const SUSPICIOUS: u32 = 3;
/// After so many connections that ended by the same message, what waits at the broker is given up.
const PATIENCE: u32 = 3;

impl Runner {
    async fn run(mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.load(Ordering::Acquire) {
            let ended = match self.connect().await {
                Ok(()) => self.serve().await,
                Err(e) => Err(e),
            };
            if shared.counters.connected.swap(false, Ordering::Relaxed) && ended.is_err() {
                Counters::add(&shared.counters.reconnects, 1);
            }
            let Err(error) = ended else { break };
            self.link.close();
            shared.acks.new_connection();
            // Packet ids mean nothing on the next connection, and the broker sends these again; what
            // it does not (QoS 0) is not lost.
            self.batch.packets.clear();
            self.lose_nodes();
            if self.held.is_none() {
                self.hand_over();
            }
            if error.oversize().is_some() {
                // A connection that lasted was not ended by the same message as the one before.
                self.oversize = if self.link.short_lived() == 0 { 1 } else { self.oversize + 1 };
            }
            let text = self.describe(&error);
            tracing::warn!(broker = %shared.broker, error = %text, "the connection to the broker ended");
            shared.counters.notes().last_error = Some(text);
            let pause = self.link.pause();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shared.stop.notified() => break,
            }
        }
        self.finish().await;
    }

    /// Nobody says any more what becomes of the nodes.
    fn lose_nodes(&mut self) {
        let Batch { samples, presence, .. } = &mut self.batch;
        let first = presence.len();
        self.shared.nodes().disconnected(now(), samples.len(), presence);
        for lost in presence.iter().skip(first) {
            note_presence(&self.shared.counters, &lost.topic, false);
        }
    }

    /// What happened, and how to mend it where that isn't plain.
    fn describe(&self, error: &LinkError) -> String {
        let times = self.link.short_lived();
        if let Some(bytes) = error.oversize() {
            return format!(
                "the broker sends a message of {bytes} bytes, more than the {MOST_READ} that are read, {} times now: \
                 limit messages at the broker (Mosquitto: message_size_limit) and mend the device that sends it. After \
                 {PATIENCE} times what waits for the hub at the broker is given up with it",
                self.oversize
            );
        }
        if error.is_garbage() {
            return format!(
                "what comes is not MQTT 3.1.1 ({error}): is {} the MQTT port of a broker, without TLS or WebSocket?",
                self.shared.broker
            );
        }
        if error.is_hang_up() && times >= SUSPICIOUS {
            return format!(
                "the broker has closed the connection {times} times soon after it was made ({error}): another client \
                 that uses the client id '{}' would cause that. Stop the other hub or program of that id; the broker's \
                 log says who it is. The hub tries again, less and less often",
                self.client_id
            );
        }
        error.to_string()
    }

    async fn connect(&mut self) -> Result<(), LinkError> {
        if self.oversize >= PATIENCE {
            self.link.drop_session().await?;
            self.oversize = 0;
            tracing::error!(
                "what waited for the hub at the broker was given up, with a message too large to be read"
            );
        }
        self.connected_at = now();
        if let Some(state) = &self.shared.state {
            // tck-id-host-topic-phid-death-required: the time is that of the connection.
            self.link.set_last_will(&state.topic, StateTopic::payload(false, self.connected_at), true);
        }
        let session_present = tokio::select! {
            result = self.link.connect() => result?,
            () = self.shared.stop.notified() => {
                // Seen by the caller through `stopping`.
                return Err(LinkError::Closed);
            }
        };
        self.shared.acks.new_connection();
        let filters: Vec<SubscribeFilter> = self
            .shared
            .filters
            .iter()
            .map(|path| SubscribeFilter { path: path.clone(), qos: self.qos.mqtt() })
            .collect();
        if !filters.is_empty() {
            self.link.write(Request::Subscribe(Subscribe { pkid: 0, filters })).await?;
        }
        self.sent.clear();
        self.link.resend.retain(|p| self.shared.state.as_ref().is_none_or(|s| s.topic != p.topic));
        // tck-id-host-topic-phid-birth-payload-timestamp: the birth has the time of the will.
        self.say_state(true, self.connected_at).await?;
        self.link.flush().await?;
        if self.shared.has_nodes {
            self.shared.nodes().connected();
        }
        self.shared.counters.connected.store(true, Ordering::Relaxed);
        tracing::info!(broker = %self.shared.broker, session_present, "connected to the broker");
        Ok(())
    }

    /// tck-id-host-topic-phid-birth-qos, -retain and -topic: QoS 1, retained.
    async fn say_state(&mut self, online: bool, at: Timestamp) -> Result<(), LinkError> {
        let Some(state) = &self.shared.state else { return Ok(()) };
        let mut publish =
            Publish::new(state.topic.as_str(), QoS::AtLeastOnce, StateTopic::payload(online, at));
        publish.retain = true;
        self.state_wanted = false;
        self.state_said = Some(Instant::now());
        self.sent.push_back(false);
        self.link.write(Request::Publish(publish)).await
    }

    /// Asks nodes for births, and answers who says that the hub is away.
    async fn keep_sessions(&mut self) -> Result<(), LinkError> {
        if !self.shared.has_nodes {
            return Ok(());
        }
        let requests = {
            let mut nodes = self.shared.nodes();
            if nodes.are_wanting() { nodes.requests(Instant::now(), now()) } else { Vec::new() }
        };
        let state = self.state_wanted
            && self.link.has_room()
            && self.state_said.is_none_or(|at| at.elapsed() >= STATE_PAUSE);
        if state {
            // With the time of the will, as before: a later one would make the will the older word of the two, which
            // edge nodes pass over.
            self.say_state(true, self.connected_at).await?;
        }
        if !state && requests.is_empty() {
            return Ok(());
        }
        for (topic, payload) in requests {
            self.link.write(Request::Publish(Publish::new(topic, QoS::AtMostOnce, payload))).await?;
        }
        self.link.flush().await
    }

    async fn write_command(&mut self, command: Publish) -> Result<(), LinkError> {
        if command.qos != QoS::AtMostOnce {
            self.sent.push_back(true);
        }
        self.link.write(Request::Publish(command)).await
    }

    /// Until the connection ends or `stop` is called (then `Ok`).
    async fn serve(&mut self) -> Result<(), LinkError> {
        let shared = self.shared.clone();
        let mut keep_alive = tokio::time::interval(self.keep_alive);
        keep_alive.tick().await;
        // Commands that a lost connection left unacknowledged.
        while self.link.has_room()
            && let Some(command) = self.link.resend.pop_front()
        {
            self.write_command(command).await?;
        }
        self.link.flush().await?;
        let mut births = tokio::time::interval(BIRTHS_TICK);
        births.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let room = self.held.is_none();
            let commands_may_go = self.link.has_room();
            tokio::select! {
                biased;
                () = shared.stop.notified() => return Ok(()),
                () = shared.acks.wake.notified() => self.acknowledge().await?,
                () = tokio::time::sleep(ASK_AGAIN), if !room => self.offer(),
                Some(command) = self.commands.recv(), if commands_may_go => {
                    self.write_command(command).await?;
                    self.link.flush().await?;
                }
                _ = births.tick(), if shared.has_nodes => self.keep_sessions().await?,
                _ = keep_alive.tick() => self.link.ping().await?,
                // Last, because under load there is always something to read.
                result = self.link.read(), if room => {
                    result?;
                    self.take_incoming();
                    while self.batch.messages < self.batch_messages && self.link.read_ready()? {
                        self.take_incoming();
                    }
                    self.hand_over();
                    self.keep_sessions().await?;
                }
            }
        }
    }

    /// Acknowledges all that is complete, with one flush.
    async fn acknowledge(&mut self) -> Result<(), LinkError> {
        let Some(packets) = self.shared.acks.take() else {
            tracing::warn!("the sink gave up a batch: asking the broker for it again");
            return Err(LinkError::Closed);
        };
        for packet in packets {
            self.link.write(Request::PubAck(PubAck::new(packet))).await?;
        }
        self.link.flush().await
    }

    fn hand_over(&mut self) {
        if self.batch.messages == 0 && self.batch.presence.is_empty() {
            return;
        }
        // The next batch is likely as large.
        let next = Batch { samples: Vec::with_capacity(self.batch.samples.len()), ..Batch::default() };
        let batch = std::mem::replace(&mut self.batch, next);
        Counters::add(&self.shared.counters.samples, batch.samples.len() as u64);
        Counters::add(&self.shared.counters.messages, batch.messages as u64);
        let done = self.shared.acks.issue(batch.packets);
        if batch.samples.is_empty() && batch.presence.is_empty() {
            // Nothing to store: messages that could not be used are counted and done with.
            done.done();
            return;
        }
        self.held = Some(FieldBatch { samples: batch.samples, presence: batch.presence, done });
        self.offer();
    }

    /// Offers what is held to the sink.
    fn offer(&mut self) {
        if let Some(batch) = self.held.take() {
            self.held = self.sink.deliver(batch).err();
        }
        self.shared.sink_full.store(self.held.is_some(), Ordering::Relaxed);
    }

    fn take_incoming(&mut self) {
        let read_at = now();
        while let Some(packet) = self.link.next_incoming() {
            match packet {
                Incoming::Publish(publish) => {
                    // Messages read together came one after the other: two of one point must not share a time.
                    self.arrival = Timestamp(read_at.0.max(self.arrival.0.saturating_add(1)));
                    if self.arrival.0 - read_at.0 > Timestamp::SECOND {
                        // The clock was set back: follow it rather than run ahead for ever.
                        self.arrival = read_at;
                    }
                    self.take_message(&publish, self.arrival);
                }
                Incoming::PubAck(_) => {
                    // Acknowledgements come in the order of the messages (MQTT 3.1.1, 4.6).
                    let is_command = self.sent.pop_front().unwrap_or(true);
                    Counters::add(&self.shared.counters.commands_acknowledged, u64::from(is_command));
                }
                Incoming::SubAck(ack) => {
                    let refused = ack
                        .return_codes
                        .iter()
                        .filter(|c| **c == rumqttc::SubscribeReasonCode::Failure)
                        .count();
                    if refused > 0 {
                        let text =
                            format!("the broker refused {refused} subscriptions; check its access rules");
                        tracing::error!("{text}");
                        self.shared.counters.notes().last_error = Some(text);
                    }
                }
                _ => {}
            }
        }
    }

    fn take_message(&mut self, publish: &Publish, arrival: Timestamp) {
        let shared = &*self.shared;
        let counters = &shared.counters;
        let batch = &mut self.batch;
        batch.messages += 1;
        if publish.qos != QoS::AtMostOnce {
            batch.packets.push(publish.pkid);
            if publish.dup {
                Counters::add(&counters.redelivered, 1);
            }
        }
        if publish.payload.len() > self.max_payload {
            Counters::add(&counters.malformed, 1);
            if batch.examples < EXAMPLES_A_BATCH {
                batch.examples += 1;
                let why = format!(
                    "the message has {} bytes, more than the {} that are read",
                    publish.payload.len(),
                    self.max_payload
                );
                keep(&mut counters.notes().malformed, &publish.topic, &why, &publish.payload);
            }
            return;
        }
        let Some(&at) = shared.table.index.get(publish.topic.as_str()) else {
            let is_sparkplug =
                |t: &str| t.strip_prefix(SparkplugMetric::NAMESPACE).is_some_and(|t| t.starts_with('/'));
            if shared.has_nodes && is_sparkplug(&publish.topic) {
                self.take_sparkplug(publish, arrival);
                return;
            }
            if shared.table.commands.contains(publish.topic.as_str()) {
                Counters::add(&counters.echoes, 1);
                return;
            }
            Counters::add(&counters.unknown, 1);
            if batch.examples < EXAMPLES_A_BATCH {
                batch.examples += 1;
                let why = "no point is bound to this topic";
                keep(&mut counters.notes().unknown, &publish.topic, why, &publish.payload);
            }
            return;
        };
        let entry = &shared.table.entries[at as usize];
        if !std::mem::replace(&mut self.heard[at as usize], true) {
            Counters::add(&counters.heard_topics, 1);
        }
        if let Some(points) = &entry.presence {
            let online = !is_offline(&publish.payload);
            note_presence(counters, &entry.topic, online);
            batch.presence.push(Presence {
                topic: entry.topic.clone(),
                online,
                points: points.clone(),
                time: arrival,
                after_samples: batch.samples.len(),
            });
            if entry.targets.is_empty() {
                return;
            }
        }
        if publish.retain && entry.targets.iter().all(|t| t.time_pointer.is_none()) {
            Counters::add(&counters.dropped, 1);
            return;
        }
        let examples = &mut batch.examples;
        let first = batch.samples.len();
        read_message(entry, &publish.payload, arrival, &mut batch.samples, |why| {
            Counters::add(&counters.malformed, 1);
            if *examples < EXAMPLES_A_BATCH {
                *examples += 1;
                keep(&mut counters.notes().malformed, &publish.topic, &why, &publish.payload);
            }
        });
        set_right(batch.samples.iter_mut().skip(first), arrival, counters);
    }

    fn take_sparkplug(&mut self, publish: &Publish, arrival: Timestamp) {
        let shared = &*self.shared;
        let counters = &shared.counters;
        let batch = &mut self.batch;
        if shared.state.as_ref().is_some_and(|s| s.topic == publish.topic) {
            // What was retained is of the connection before; ours comes right after.
            self.state_wanted |= !publish.retain && says_offline(&publish.payload);
            Counters::add(&counters.echoes, 1);
            return;
        }
        let (first, first_presence) = (batch.samples.len(), batch.presence.len());
        let examples = &mut batch.examples;
        let mut refused = |refusal: Refusal| {
            let (why, count) = match &refusal {
                Refusal::Malformed(why) => (why, &counters.malformed),
                Refusal::Unsupported(why) => (why, &counters.unsupported),
            };
            Counters::add(count, 1);
            if *examples < EXAMPLES_A_BATCH {
                *examples += 1;
                let mut notes = counters.notes();
                let kept = match &refusal {
                    Refusal::Malformed(_) => &mut notes.malformed,
                    Refusal::Unsupported(_) => &mut notes.unsupported,
                };
                keep(kept, &publish.topic, why, &publish.payload);
            }
        };
        let mut out = Out {
            samples: &mut batch.samples,
            presence: &mut batch.presence,
            refused: &mut refused,
            historical: 0,
            nulls: 0,
        };
        let flags = (publish.retain, publish.dup);
        let taken = shared.nodes().take(&publish.topic, &publish.payload, flags, arrival, &mut out);
        Counters::add(&counters.historical, out.historical);
        Counters::add(&counters.nulls, out.nulls);
        match taken {
            Taken::Read => {}
            Taken::Command => Counters::add(&counters.echoes, 1),
            Taken::Retained => Counters::add(&counters.dropped, 1),
            Taken::Unknown => {
                Counters::add(&counters.unknown, 1);
                if batch.examples < EXAMPLES_A_BATCH {
                    batch.examples += 1;
                    let why = "no point is bound to this node of Sparkplug, or it is no topic of Sparkplug";
                    keep(&mut counters.notes().unknown, &publish.topic, why, &publish.payload);
                }
            }
        }
        for presence in batch.presence.iter().skip(first_presence) {
            note_presence(counters, &presence.topic, presence.online);
        }
        set_right(batch.samples.iter_mut().skip(first), arrival, counters);
    }

    /// Hands over what has been read and waits a moment for it to be stored.
    async fn finish(mut self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
        while self.held.is_some() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(ASK_AGAIN).await;
            self.offer();
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(2);
        while self.shared.acks.waiting() > 0 && tokio::time::Instant::now() < deadline {
            let wake =
                tokio::time::timeout(Duration::from_millis(50), self.shared.acks.wake.notified()).await;
            if wake.is_ok() && self.acknowledge().await.is_err() {
                break;
            }
        }
        if self.shared.state.is_some() {
            // tck-id-operational-behavior-host-application-disconnect-intentional: said with the time of going. A
            // connection that is gone already has a will that says it.
            let _ = self.say_state(false, now()).await;
        }
        self.link.disconnect().await;
    }
}

/// A device whose clock is ahead would hide all its later samples behind this one.
fn set_right<'a>(samples: impl Iterator<Item = &'a mut Sample>, arrival: Timestamp, counters: &Counters) {
    for sample in samples {
        if sample.time.0 > arrival.0.saturating_add(MOST_AHEAD_US) {
            sample.time = arrival;
            if sample.quality == Quality::Good {
                sample.quality = Quality::Uncertain;
            }
            Counters::add(&counters.clock_ahead, 1);
        }
    }
}

/// A STATE message that says that its host is away.
fn says_offline(payload: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(payload)
        .is_ok_and(|json| json.get("online") == Some(&serde_json::Value::Bool(false)))
}

fn note_presence(counters: &Counters, topic: &str, online: bool) {
    let mut notes = counters.notes();
    let mut offline: BTreeSet<String> = std::mem::take(&mut notes.offline).into_iter().collect();
    if online {
        offline.remove(topic);
    } else {
        offline.insert(topic.to_owned());
    }
    notes.offline = offline.into_iter().collect();
}

/// `offline`, also as a JSON text.
fn is_offline(payload: &[u8]) -> bool {
    matches!(payload.trim_ascii(), b"offline" | b"\"offline\"")
}

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
    Timestamp(i64::try_from(micros).unwrap_or(i64::MAX))
}
