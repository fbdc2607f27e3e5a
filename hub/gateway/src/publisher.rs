//! The field's side: publish samples by the bindings of a campus, receive commands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use campanile_model::{Campus, CommandBinding, PointId, Sample, Value};
use crossbeam_channel::{Receiver, Sender};
use rumqttc::{Incoming, PubAck, Publish, QoS, Request, Subscribe, SubscribeFilter};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

use crate::edge::EdgeNodes;
use crate::link::{Link, LinkConfig, LinkError};
use crate::topics::{Target, subscription_filters};
use crate::{GatewayError, encode};

/// Messages that are put into the queue in one step.
const CHUNK: usize = 256;
/// Chunks taken from the queue at a time.
const CHUNKS_AT_ONCE: usize = 8;
/// Commands that wait for the program.
const COMMAND_QUEUE: usize = 4096;
/// The most samples of a point in one message.
const MAX_ARRAY: usize = 1000;

/// Delivery as in MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Qos {
    /// QoS 0: at most once.
    AtMostOnce,
    /// QoS 1: at least once.
    #[default]
    AtLeastOnce,
}

impl Qos {
    pub(crate) fn mqtt(self) -> QoS {
        match self {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
        }
    }
}

/// How a publisher connects.
#[derive(Clone, Debug)]
pub struct PublisherConfig {
    /// Host name or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its name at the broker.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<(String, String)>,
    /// How samples are delivered.
    pub qos: Qos,
    /// The topic that says whether the publisher is there: `online` while connected, `offline` as
    /// its last will and when it stops; retained. See [`crate::presence_topics`].
    pub presence: Option<String>,
    /// Whether to receive commands for the points of the campus.
    pub commands: bool,
    /// Points bound to metrics of Sparkplug B that are published, too, by their edge nodes: each node has a connection
    /// of its own, and what its births say are these points. Their messages have QoS 0, as Sparkplug says.
    pub metrics: Vec<PointId>,
    /// QoS 1 messages sent and not yet acknowledged by the broker.
    pub max_inflight: u16,
    /// Messages that may wait for the connection; then publishing blocks.
    pub queued_messages: usize,
    /// The largest message, bytes.
    pub max_packet_bytes: usize,
}

impl Default for PublisherConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 1883,
            client_id: format!("campanile-publisher-{}", std::process::id()),
            credentials: None,
            qos: Qos::AtLeastOnce,
            presence: None,
            commands: false,
            metrics: Vec::new(),
            max_inflight: 2000,
            queued_messages: 16 * CHUNK,
            max_packet_bytes: 1024 * 1024,
        }
    }
}

/// What a device is told to do.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldCommand {
    /// The point commanded.
    pub point: PointId,
    /// The value in the point's unit; `None`: the hub lets go of the point.
    pub value: Option<Value>,
}

/// How long a full queue may stand still before publishing gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a publisher has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PublisherStats {
    /// Whether it is connected now, with all its edge nodes.
    pub connected: bool,
    /// Messages taken, and values of metrics.
    pub messages: u64,
    /// Of these acknowledged (QoS 1) or written to the connection (QoS 0, metrics).
    pub finished: u64,
    /// Connections lost.
    pub reconnects: u64,
    /// Commands received.
    pub commands: u64,
    /// Commands that could not be read, or came faster than they were taken.
    pub commands_dropped: u64,
}

/// A client that publishes. Dropping it stops it at once; see [`Publisher::flush`].
#[derive(Debug)]
pub struct Publisher {
    campus: Arc<Campus>,
    qos: Qos,
    queue: mpsc::Sender<Vec<Publish>>,
    commands: Receiver<FieldCommand>,
    nodes: Option<EdgeNodes>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the connections tell the program.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    connected: AtomicBool,
    /// Edge nodes, and how many of them are connected.
    pub nodes: AtomicUsize,
    pub nodes_connected: AtomicUsize,
    messages: AtomicU64,
    pub finished: AtomicU64,
    pub reconnects: AtomicU64,
    pub commands: AtomicU64,
    pub commands_dropped: AtomicU64,
    stopping: AtomicBool,
    stop: Notify,
    /// Signalled when `finished` grows or the connection changes.
    progress: Condvar,
    progress_lock: Mutex<()>,
}

impl Shared {
    fn is_connected(&self) -> bool {
        let nodes = self.nodes.load(Ordering::Acquire);
        self.connected.load(Ordering::Acquire) && self.nodes_connected.load(Ordering::Acquire) == nodes
    }

    pub fn note_progress(&self) {
        // The lock keeps a waiter from sleeping between its look and its wait.
        drop(self.progress_lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.progress.notify_all();
    }

    /// Waits until `ready`, at most `limit`; whether it came.
    fn wait(&self, limit: Duration, ready: impl Fn() -> bool) -> bool {
        let until = Instant::now() + limit;
        let mut guard = self.progress_lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !ready() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            let waited = self.progress.wait_timeout(guard, left);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Puts a chunk into a queue, waiting for room.
///
/// # Errors
/// [`GatewayError::Stopped`]; [`GatewayError::NotAcknowledged`] where a full queue stands still for half a minute.
pub(crate) fn enqueue<T>(
    queue: &mpsc::Sender<Vec<T>>,
    mut chunk: Vec<T>,
    shared: &Shared,
) -> Result<(), GatewayError> {
    if chunk.is_empty() {
        return Ok(());
    }
    let count = chunk.len() as u64;
    shared.messages.fetch_add(count, Ordering::Relaxed);
    let refused = loop {
        chunk = match queue.try_send(chunk) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => break GatewayError::Stopped,
            Err(mpsc::error::TrySendError::Full(chunk)) => chunk,
        };
        // Room comes with progress; a broker that is away for long gives none.
        if !shared.wait(PATIENCE, || queue.capacity() > 0) {
            break GatewayError::NotAcknowledged { left: count, waited_s: PATIENCE.as_secs() };
        }
    };
    shared.messages.fetch_sub(count, Ordering::Relaxed);
    Err(refused)
}

impl Publisher {
    /// Connects in the background and keeps at it; see [`Publisher::wait_connected`].
    ///
    /// # Errors
    /// If its thread can't be started.
    pub fn start(config: PublisherConfig, campus: Arc<Campus>) -> Result<Self, GatewayError> {
        let (queue, queued) = mpsc::channel((config.queued_messages / CHUNK).max(1));
        let (command_out, commands) = crossbeam_channel::bounded(COMMAND_QUEUE);
        let shared = Arc::new(Shared::default());
        let targets = if config.commands { command_targets(&campus) } else { BTreeMap::new() };
        let nodes = (!config.metrics.is_empty())
            .then(|| EdgeNodes::start(&config, &campus, &command_out, &shared))
            .transpose()?;
        let runner = Runner {
            link: Link::new(&LinkConfig {
                host: config.host,
                port: config.port,
                client_id: config.client_id,
                credentials: config.credentials,
                keep_alive_s: 10,
                max_packet_bytes: config.max_packet_bytes,
                max_inflight: config.max_inflight,
                clean_session: true,
                last_will: config.presence.clone().map(|topic| (topic, b"offline".to_vec())),
            }),
            filters: subscription_filters(targets.keys().map(String::as_str)),
            targets,
            presence: config.presence,
            queued,
            backlog: VecDeque::new(),
            in_flight: 0,
            own_in_flight: 0,
            commands: command_out,
            shared: shared.clone(),
        };
        let io = |what: &'static str| move |source| GatewayError::Io { what: what.to_owned(), source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io("the publisher's runtime"))?;
        let thread = std::thread::Builder::new()
            .name("publisher".to_owned())
            .spawn(move || runtime.block_on(runner.run()))
            .map_err(io("the publisher's thread"))?;
        Ok(Self { campus, qos: config.qos, queue, commands, nodes, shared, thread: Some(thread) })
    }

    /// Waits until it is connected, with all its edge nodes.
    ///
    /// # Errors
    /// [`GatewayError::NotAcknowledged`] (of no messages) if it isn't within `limit`.
    pub fn wait_connected(&self, limit: Duration) -> Result<(), GatewayError> {
        if self.shared.wait(limit, || self.shared.is_connected()) {
            return Ok(());
        }
        Err(GatewayError::NotAcknowledged { left: 0, waited_s: limit.as_secs() })
    }

    /// Publishes samples by their bindings, one a message, or up to a thousand of a point in one
    /// where its binding has an array; those of [`PublisherConfig::metrics`] by their edge nodes. Blocks while the
    /// queue is full: not to be called from an async task.
    ///
    /// # Errors
    /// For a sample that has no binding or the wrong type; the samples before it in the slice may
    /// have been published.
    pub fn publish_samples(&self, samples: &[Sample]) -> Result<(), GatewayError> {
        let Some(nodes) = &self.nodes else { return self.publish_messages(samples) };
        let (metrics, messages): (Vec<Sample>, Vec<Sample>) =
            samples.iter().cloned().partition(|s| nodes.have(s.point));
        nodes.publish(&metrics)?;
        self.publish_messages(&messages)
    }

    fn publish_messages(&self, samples: &[Sample]) -> Result<(), GatewayError> {
        let mut chunk = Vec::with_capacity(samples.len().min(CHUNK));
        let mut rest = samples;
        while let Some(first) = rest.first() {
            let (point, binding) = encode::bound(&self.campus, first.point)?;
            let count = match binding.array_pointer {
                None => 1,
                Some(_) => rest.iter().take(MAX_ARRAY).take_while(|s| s.point == first.point).count(),
            };
            let (now, later) = rest.split_at(count);
            let payload = encode::message(point, binding, now)?;
            chunk.push(Publish::new(binding.topic.as_str(), self.qos.mqtt(), payload));
            if chunk.len() == CHUNK {
                self.enqueue(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)))?;
            }
            rest = later;
        }
        self.enqueue(chunk)
    }

    /// Publishes any message. Blocks while the queue is full.
    ///
    /// # Errors
    /// [`GatewayError::Stopped`]; [`GatewayError::NotAcknowledged`] where a full queue stands still for half a minute.
    pub fn publish(&self, topic: &str, payload: Vec<u8>, retain: bool) -> Result<(), GatewayError> {
        let mut publish = Publish::new(topic, self.qos.mqtt(), payload);
        publish.retain = retain;
        self.enqueue(vec![publish])
    }

    /// Publishes many messages (topic, payload) in one step. Blocks while the queue is full.
    ///
    /// # Errors
    /// [`GatewayError::Stopped`]; [`GatewayError::NotAcknowledged`] where a full queue stands still for half a minute.
    pub fn publish_many<'a>(
        &self,
        messages: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), GatewayError> {
        let mut chunk = Vec::with_capacity(CHUNK);
        for (topic, payload) in messages {
            chunk.push(Publish::new(topic, self.qos.mqtt(), payload));
            if chunk.len() == CHUNK {
                self.enqueue(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)))?;
            }
        }
        self.enqueue(chunk)
    }

    fn enqueue(&self, chunk: Vec<Publish>) -> Result<(), GatewayError> {
        enqueue(&self.queue, chunk, &self.shared)
    }

    /// The commands that come in, if [`PublisherConfig::commands`] asked for them.
    pub fn commands(&self) -> &Receiver<FieldCommand> {
        &self.commands
    }

    /// Waits until everything published so far is acknowledged (QoS 1) or written (QoS 0).
    ///
    /// # Errors
    /// [`GatewayError::NotAcknowledged`] when nothing moves for `limit`.
    pub fn flush(&self, limit: Duration) -> Result<(), GatewayError> {
        let wanted = self.shared.messages.load(Ordering::Relaxed);
        let finished = || self.shared.finished.load(Ordering::Acquire);
        loop {
            let before = finished();
            if before >= wanted {
                return Ok(());
            }
            if !self.shared.wait(limit, || finished() > before) {
                return Err(GatewayError::NotAcknowledged {
                    left: wanted - before,
                    waited_s: limit.as_secs(),
                });
            }
        }
    }

    /// What it has done.
    pub fn stats(&self) -> PublisherStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PublisherStats {
            connected: self.shared.is_connected(),
            messages: get(&self.shared.messages),
            finished: get(&self.shared.finished),
            reconnects: get(&self.shared.reconnects),
            commands: get(&self.shared.commands),
            commands_dropped: get(&self.shared.commands_dropped),
        }
    }

    /// Says `offline`, disconnects and waits for it. What is still queued is dropped; see
    /// [`Publisher::flush`].
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.nodes.take());
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.stop.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the publisher's thread panicked");
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.end();
    }
}

/// What each command topic is for.
type CommandTargets = BTreeMap<String, Vec<(Target, CommandBinding)>>;

fn command_targets(campus: &Campus) -> CommandTargets {
    let mut targets = CommandTargets::new();
    for point in &campus.points {
        let Some(binding) = &point.binding else { continue };
        let Some(command) = binding.command.as_ref().filter(|_| binding.sparkplug.is_none()) else {
            continue;
        };
        let target = (Target::new(point, binding), command.clone());
        targets.entry(command.topic.clone()).or_default().push(target);
    }
    targets
}

struct Runner {
    link: Link,
    filters: Vec<String>,
    targets: CommandTargets,
    presence: Option<String>,
    queued: mpsc::Receiver<Vec<Publish>>,
    backlog: VecDeque<Publish>,
    /// QoS 1 messages of the program that are on their way.
    in_flight: u64,
    /// Presence messages on their way, which the program doesn't count.
    own_in_flight: u64,
    commands: Sender<FieldCommand>,
    shared: Arc<Shared>,
}

impl Runner {
    async fn run(mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.load(Ordering::Acquire) {
            let ended = match self.connect().await {
                Ok(()) => self.serve().await,
                Err(e) => Err(e),
            };
            if shared.connected.swap(false, Ordering::AcqRel) && ended.is_err() {
                shared.reconnects.fetch_add(1, Ordering::Relaxed);
            }
            let Err(error) = ended else { break };
            self.link.close();
            self.recover();
            tracing::warn!(%error, "the publisher's connection to the broker ended");
            let pause = self.link.pause();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shared.stop.notified() => break,
            }
        }
        if let Some(topic) = self.presence.take() {
            // The broker may be gone already; then its last will has said it.
            let _ = self.say_presence(&topic, "offline").await;
        }
        self.link.disconnect().await;
    }

    /// What was on its way goes out again, before what waits. Presence is said anew by itself.
    fn recover(&mut self) {
        let presence = self.presence.as_deref();
        let again: Vec<Publish> =
            self.link.resend.drain(..).filter(|p| Some(p.topic.as_str()) != presence || !p.retain).collect();
        for publish in again.into_iter().rev() {
            self.backlog.push_front(publish);
        }
        self.in_flight = 0;
        self.own_in_flight = 0;
    }

    async fn connect(&mut self) -> Result<(), LinkError> {
        tokio::select! {
            result = self.link.connect() => drop(result?),
            () = self.shared.stop.notified() => return Err(LinkError::Closed),
        }
        let filters: Vec<SubscribeFilter> = self
            .filters
            .iter()
            .map(|path| SubscribeFilter { path: path.clone(), qos: QoS::AtLeastOnce })
            .collect();
        if !filters.is_empty() {
            self.link.write(Request::Subscribe(Subscribe { pkid: 0, filters })).await?;
        }
        if let Some(topic) = self.presence.clone() {
            self.say_presence(&topic, "online").await?;
        }
        self.link.flush().await?;
        self.shared.connected.store(true, Ordering::Release);
        self.shared.note_progress();
        Ok(())
    }

    async fn say_presence(&mut self, topic: &str, word: &str) -> Result<(), LinkError> {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, word);
        publish.retain = true;
        self.link.write(Request::Publish(publish)).await?;
        self.own_in_flight += 1;
        self.link.flush().await
    }

    async fn serve(&mut self) -> Result<(), LinkError> {
        let shared = self.shared.clone();
        let mut keep_alive = tokio::time::interval(Duration::from_secs(10));
        keep_alive.tick().await;
        let mut chunks = Vec::with_capacity(CHUNKS_AT_ONCE);
        loop {
            self.pump().await?;
            let hungry = self.backlog.is_empty();
            tokio::select! {
                biased;
                () = shared.stop.notified() => return Ok(()),
                _ = keep_alive.tick() => self.link.ping().await?,
                result = self.link.read() => {
                    result?;
                    self.take_incoming().await?;
                    while self.link.read_ready()? {
                        self.take_incoming().await?;
                    }
                }
                n = self.queued.recv_many(&mut chunks, CHUNKS_AT_ONCE), if hungry => {
                    if n == 0 {
                        return Ok(());
                    }
                    self.backlog.extend(chunks.drain(..).flatten());
                }
            }
        }
    }

    /// Writes what may go, with one flush.
    async fn pump(&mut self) -> Result<(), LinkError> {
        let mut written = 0;
        while self.link.has_room()
            && let Some(publish) = self.backlog.pop_front()
        {
            if publish.qos == QoS::AtMostOnce {
                written += 1;
            } else {
                self.in_flight += 1;
            }
            self.link.write(Request::Publish(publish)).await?;
        }
        self.link.flush().await?;
        if written > 0 {
            self.shared.finished.fetch_add(written, Ordering::AcqRel);
            self.shared.note_progress();
        }
        Ok(())
    }

    async fn take_incoming(&mut self) -> Result<(), LinkError> {
        let mut acknowledged = 0;
        while let Some(packet) = self.link.next_incoming() {
            match packet {
                // The broker acknowledges in order, and presence is said first.
                Incoming::PubAck(_) if self.own_in_flight > 0 => self.own_in_flight -= 1,
                Incoming::PubAck(_) => {
                    self.in_flight = self.in_flight.saturating_sub(1);
                    acknowledged += 1;
                }
                Incoming::Publish(publish) => {
                    self.take_command(&publish);
                    if publish.qos != QoS::AtMostOnce {
                        self.link.write(Request::PubAck(PubAck::new(publish.pkid))).await?;
                    }
                }
                _ => {}
            }
        }
        self.link.flush().await?;
        if acknowledged > 0 {
            self.shared.finished.fetch_add(acknowledged, Ordering::AcqRel);
            self.shared.note_progress();
        }
        Ok(())
    }

    fn take_command(&mut self, publish: &Publish) {
        // A wildcard may bring other things, too.
        let Some(targets) = self.targets.get(&publish.topic) else { return };
        let dropped = || self.shared.commands_dropped.fetch_add(1, Ordering::Relaxed);
        for (target, binding) in targets {
            match encode::read_command(target, binding, &publish.payload) {
                Ok(value) => {
                    self.shared.commands.fetch_add(1, Ordering::Relaxed);
                    if self.commands.try_send(FieldCommand { point: target.point, value }).is_err() {
                        dropped();
                    }
                }
                Err(why) => {
                    // Several points may share a topic, each with its own place in the message.
                    if targets.len() == 1 {
                        dropped();
                        tracing::warn!(topic = %publish.topic, %why, "a command could not be read");
                    }
                }
            }
        }
    }
}
