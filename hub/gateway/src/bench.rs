//! Measures the gateway on this machine, beside a bare subscriber of the same broker in the same
//! run.
//!
//! Both subscribers get the same messages, one JSON sample each, from the same publisher, in turns.
//! The publisher keeps at most a fixed number of messages ahead of the subscriber, so that the rate
//! is that of the whole path and no queue overflows; whatever is lost all the same is counted.
//! What becomes of the samples behind the gateway is the caller's: its part is measured with it.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use campanile_model::{
    Accumulation, Binding, Campus, Entity, EntityKind, Names, Path, Point, PointId, PointKind, Quality,
    Sample, TimeFormat, Timestamp, Value, ValueType,
};
use rumqttc::{Event, EventLoop, Incoming, MqttOptions, NetworkOptions, Request, Subscribe};
use serde::Serialize;
use tokio::sync::Notify;

use crate::gateway::now;
use crate::{
    Broker, BrokerConfig, FieldBatch, Gateway, GatewayConfig, GatewayError, Mosquitto, Publisher,
    PublisherConfig, Qos,
};

/// Points that the messages are spread over.
const POINTS: usize = 2000;
/// Messages published and not yet received.
const AHEAD: u64 = 20_000;
/// Messages published in one step.
const STEP: usize = 500;
/// How long to wait for messages that don't come before they count as lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// Turns of each subscriber.
const TURNS: u32 = 7;
/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The broker to measure with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BenchBroker {
    /// The one inside this process.
    Embedded,
    /// A Mosquitto, started for the bench.
    Mosquitto {
        /// The program; see [`Mosquitto::find`].
        path: PathBuf,
    },
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BenchFigures {
    /// Which broker.
    pub broker: String,
    /// 0 or 1: of publishing, and of both subscriptions.
    pub qos: u8,
    /// Samples a second through the gateway into the sink; the median of the turns.
    pub mqtt_samples_per_s: f64,
    /// Messages a second of the bare subscriber; the median of the turns.
    pub bare_messages_per_s: f64,
    /// The first over the second.
    pub ratio_to_bare_broker: f64,
    /// Messages that never reached the gateway.
    pub lost: u64,
}

/// What is called when samples are durable.
pub type Durable = Box<dyn FnOnce() + Send>;

/// Measures one broker at one quality of service for about `seconds` in all. `commit` gets every
/// batch of samples of the gateway, and calls what comes with it once they are durable: the broker
/// gets its acknowledgement then, and the samples count then.
///
/// # Errors
/// If a broker doesn't start, or nothing comes through it.
pub fn run(
    broker: &BenchBroker,
    qos: Qos,
    seconds: f64,
    mut commit: impl FnMut(Vec<Sample>, Durable) + Send + 'static,
) -> Result<BenchFigures, GatewayError> {
    let started = StartedBroker::start(broker)?;
    let port = started.port();
    let campus = Arc::new(campus());
    let publisher = publisher(port, qos, &campus)?;
    let mut messages = messages(&campus)?;

    let received = Arc::new(AtomicU64::new(0));
    let into = received.clone();
    let sink = Arc::new(std::sync::Mutex::new(move |batch: FieldBatch| {
        let (into, count) = (into.clone(), batch.samples.len() as u64);
        let done = batch.done;
        let durable = Box::new(move || {
            into.fetch_add(count, Ordering::Release);
            done.done();
        });
        commit(batch.samples, durable);
    }));

    let turn = Duration::from_secs_f64((seconds / f64::from(2 * TURNS)).max(0.2));
    let mut gateway_rates = Vec::new();
    let mut bare_rates = Vec::new();
    let mut lost = 0;
    for n in 0..TURNS {
        let bare = Bare::start(port, qos, n)?;
        bare_rates.push(drive(&publisher, &mut messages, &bare.received, turn)?.rate());
        drop(bare);
        let gateway = start_gateway(port, qos, n, campus.clone(), sink.clone())?;
        let driven = drive(&publisher, &mut messages, &received, turn)?;
        gateway_rates.push(driven.rate());
        lost += driven.lost();
        gateway.stop();
        forget_session(port, n, campus.clone())?;
    }
    publisher.stop();
    let (through, bare) = (median(gateway_rates), median(bare_rates));
    Ok(BenchFigures {
        broker: broker.name().to_owned(),
        qos: u8::from(qos == Qos::AtLeastOnce),
        mqtt_samples_per_s: through,
        bare_messages_per_s: bare,
        ratio_to_bare_broker: through / bare,
        lost,
    })
}

impl BenchBroker {
    /// Its name in a table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Mosquitto { .. } => "mosquitto",
        }
    }
}

/// A broker that runs for a bench; Mosquitto goes when this does.
pub struct StartedBroker {
    port: u16,
    _mosquitto: Option<Mosquitto>,
}

impl StartedBroker {
    /// Starts it on a free port of loopback.
    ///
    /// # Errors
    /// If it doesn't start.
    pub fn start(broker: &BenchBroker) -> Result<Self, GatewayError> {
        Ok(match broker {
            BenchBroker::Embedded => {
                Self { port: Broker::start(&BrokerConfig::on_port(0))?.port(), _mosquitto: None }
            }
            BenchBroker::Mosquitto { path } => {
                let mosquitto = Mosquitto::start(path, 0)?;
                Self { port: mosquitto.port(), _mosquitto: Some(mosquitto) }
            }
        })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A publisher of the bench, connected.
///
/// # Errors
/// If the broker does not answer.
pub fn publisher(port: u16, qos: Qos, campus: &Arc<Campus>) -> Result<Publisher, GatewayError> {
    let config =
        PublisherConfig { port, qos, client_id: "bench-publisher".to_owned(), ..PublisherConfig::default() };
    let publisher = Publisher::start(config, campus.clone())?;
    publisher.wait_connected(CONNECT_LIMIT)?;
    Ok(publisher)
}

type SharedSink<F> = Arc<std::sync::Mutex<F>>;

fn start_gateway<F: FnMut(FieldBatch) + Send + 'static>(
    port: u16,
    qos: Qos,
    turn: u32,
    campus: Arc<Campus>,
    sink: SharedSink<F>,
) -> Result<Gateway, GatewayError> {
    let config = GatewayConfig { port, client_id: session_name(turn), qos, ..GatewayConfig::default() };
    let gateway = Gateway::start(config, campus, move |batch: FieldBatch| {
        if let Ok(mut sink) = sink.lock() {
            sink(batch);
        }
        Ok(())
    })?;
    let until = Instant::now() + CONNECT_LIMIT;
    while !gateway.is_connected() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The subscription is sent on connecting; give the broker a moment to have it in force.
    std::thread::sleep(Duration::from_millis(100));
    Ok(gateway)
}

/// Ends the session of a turn, or the broker would go on gathering messages for it.
fn forget_session(port: u16, turn: u32, campus: Arc<Campus>) -> Result<(), GatewayError> {
    let config = PublisherConfig { port, client_id: session_name(turn), ..PublisherConfig::default() };
    let publisher = Publisher::start(config, campus)?;
    publisher.wait_connected(CONNECT_LIMIT)?;
    publisher.stop();
    Ok(())
}

fn session_name(turn: u32) -> String {
    format!("bench-gateway-{turn}")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The campus of the bench: 2,000 numbers that topics `bench/<n>` carry with value, time and quality.
pub fn campus() -> Campus {
    let mut campus = Campus::default();
    campus.id.push_str("bench");
    campus.timezone.push_str("UTC");
    let Ok(site) = Path::new("site") else { return campus };
    for i in 0..POINTS {
        let Ok(path) = site.join(&format!("p{i}")) else { continue };
        campus.points.push(Point {
            id: PointId(i as u32),
            path,
            entity: 0,
            names: Names::default(),
            kind: PointKind::Sensor,
            quantity: "temperature".to_owned(),
            value_type: ValueType::Number,
            choices: Vec::new(),
            accumulation: Accumulation::Gauge,
            brick: String::new(),
            unit: "Cel".to_owned(),
            range: None,
            period_s: 60.0,
            resolution: None,
            submeter: None,
            command: None,
            alarms: Vec::new(),
            interlocks: Vec::new(),
            binding: Some(Binding {
                topic: format!("bench/building/{}/p{i}", i % 50),
                value_pointer: "/value".to_owned(),
                time_pointer: Some("/time".to_owned()),
                time_format: TimeFormat::UnixMs,
                quality_pointer: Some("/quality".to_owned()),
                array_pointer: None,
                scale: 1.0,
                offset: 0.0,
                command: None,
                presence_topic: None,
                sparkplug: None,
            }),
        });
    }
    campus.entities.push(Entity {
        path: site,
        names: Names::default(),
        kind: EntityKind::Site,
        brick: String::new(),
        parent: None,
        class: String::new(),
    });
    campus.reindex();
    campus
}

/// A message made beforehand: writing JSON is the device's work, not the path's. Only its time is
/// written anew each time it goes, so that the store sees a series and not one sample again and again.
struct Message {
    topic: String,
    payload: Vec<u8>,
    time_at: std::ops::Range<usize>,
}

impl Message {
    fn stamp(&mut self, time_ms: i64) {
        let digits = time_ms.to_string();
        if digits.len() == self.time_at.len()
            && let Some(place) = self.payload.get_mut(self.time_at.clone())
        {
            place.copy_from_slice(digits.as_bytes());
        }
    }
}

struct Messages {
    list: Vec<Message>,
    next: usize,
    time_ms: i64,
}

impl Messages {
    /// The next few, each a millisecond after the one before it of its point.
    fn take(&mut self, count: usize) -> &[Message] {
        if self.next + count > self.list.len() {
            self.next = 0;
            self.time_ms += 1;
        }
        let taken = self.list.get_mut(self.next..self.next + count).unwrap_or_default();
        self.next += count;
        for message in &mut *taken {
            message.stamp(self.time_ms);
        }
        taken
    }
}

fn messages(campus: &Campus) -> Result<Messages, GatewayError> {
    let time = Timestamp(now().0 / 1000 * 1000);
    let digits = (time.0 / 1000).to_string();
    let mut list = Vec::with_capacity(campus.points.len());
    for (i, point) in campus.points.iter().enumerate() {
        let Some(binding) = &point.binding else { continue };
        let value = Value::Number(15.0 + (i % 997) as f64 * 0.01);
        let sample = Sample { point: point.id, time, value, quality: Quality::Good };
        let payload = crate::encode::message(point, binding, &[sample])?;
        let at = payload.windows(digits.len()).position(|w| w == digits.as_bytes()).unwrap_or_default();
        list.push(Message { topic: binding.topic.clone(), payload, time_at: at..at + digits.len() });
    }
    Ok(Messages { list, next: 0, time_ms: time.0 / 1000 })
}

struct Driven {
    sent: u64,
    got: u64,
    took: Duration,
}

impl Driven {
    fn rate(&self) -> f64 {
        self.got as f64 / self.took.as_secs_f64()
    }

    fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.got)
    }
}

/// Publishes for a while, never more than [`AHEAD`] ahead of what is received, and waits for the
/// rest. The time is until the last message was seen.
fn drive(
    publisher: &Publisher,
    messages: &mut Messages,
    received: &AtomicU64,
    how_long: Duration,
) -> Result<Driven, GatewayError> {
    let start_count = received.load(Ordering::Acquire);
    let got = || received.load(Ordering::Acquire) - start_count;
    let started = Instant::now();
    let (mut sent, mut last_count, mut last_change) = (0_u64, 0, started);
    loop {
        let count = got();
        if count != last_count {
            (last_count, last_change) = (count, Instant::now());
        }
        let lost_the_rest = last_change.elapsed() > LOST_AFTER;
        let publishing = started.elapsed() < how_long;
        if (!publishing && count >= sent) || lost_the_rest {
            break;
        }
        if publishing && sent < count + AHEAD {
            let batch = messages.take(STEP);
            publisher.publish_many(batch.iter().map(|m| (m.topic.as_str(), m.payload.as_slice())))?;
            sent += STEP as u64;
        } else {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    Ok(Driven { sent, got: got(), took: last_change - started })
}

/// Publishes samples of [`campus`] at a steady rate, each with the time just before it goes; how many.
///
/// # Errors
/// If the publisher has stopped.
pub fn pace(publisher: &Publisher, how_long: Duration, per_s: f64) -> Result<u64, GatewayError> {
    let started = Instant::now();
    let mut sent = 0_u64;
    while started.elapsed() < how_long {
        let due = (started.elapsed().as_secs_f64() * per_s) as u64;
        while sent < due {
            let sample = Sample {
                point: PointId((sent % POINTS as u64) as u32),
                time: now(),
                value: Value::Number(sent as f64),
                quality: Quality::Good,
            };
            publisher.publish_samples(&[sample])?;
            sent += 1;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    publisher.flush(CONNECT_LIMIT)?;
    Ok(sent)
}

/// Counts for ever. The loop does nothing else, so that it is as fast as `rumqttc` can be.
async fn count_messages(mut eventloop: EventLoop, qos: Qos, count: &AtomicU64, ready: &AtomicBool) {
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(Incoming::Publish(_))) => {
                count.fetch_add(1, Ordering::Release);
            }
            Ok(Event::Incoming(Incoming::SubAck(_))) => ready.store(true, Ordering::Release),
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                eventloop.pending.push_back(Request::Subscribe(Subscribe::new("bench/#", qos.mqtt())));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the bare subscriber's connection ended");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// A subscriber that only counts, with `rumqttc`'s own loop and acknowledgements.
struct Bare {
    received: Arc<AtomicU64>,
    stop: Arc<Notify>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bare {
    fn start(port: u16, qos: Qos, turn: u32) -> Result<Self, GatewayError> {
        let io = |source| GatewayError::Io { what: "the bare subscriber".to_owned(), source };
        let received = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(Notify::new());
        let ready = Arc::new(AtomicBool::new(false));
        let (count, stopping, is_ready) = (received.clone(), stop.clone(), ready.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let thread = std::thread::Builder::new()
            .name("bench-bare".to_owned())
            .spawn(move || {
                let mut options =
                    MqttOptions::new(format!("bench-bare-{turn}"), Ipv4Addr::LOCALHOST.to_string(), port);
                options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(1024 * 1024, 1024 * 1024);
                let mut network = NetworkOptions::new();
                network.set_tcp_nodelay(true);
                let mut eventloop = EventLoop::new(options, 10);
                eventloop.set_network_options(network);
                runtime.block_on(async move {
                    tokio::select! {
                        () = count_messages(eventloop, qos, &count, &is_ready) => {}
                        () = stopping.notified() => {}
                    }
                });
            })
            .map_err(io)?;
        let bare = Self { received, stop, thread: Some(thread) };
        let until = Instant::now() + CONNECT_LIMIT;
        while !ready.load(Ordering::Acquire) {
            if Instant::now() > until {
                return Err(GatewayError::NotAcknowledged { left: 1, waited_s: CONNECT_LIMIT.as_secs() });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(bare)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there would have shown as lost messages.
            let _ = thread.join();
        }
    }
}
