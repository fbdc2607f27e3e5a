//! Measures the gateway on this machine, beside a bare subscriber of the same broker in the same
//! run.
//!
//! Both subscribers get the same messages, one JSON sample each, from the same publisher, in turns.
//! The publisher keeps at most a fixed number of messages ahead of the subscriber, so that the rate
//! is that of the whole path and no queue overflows; whatever is lost all the same is counted.

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
const STEP: usize = 512;
/// Messages a second while latency is measured.
const PACED_PER_S: u64 = 5000;
/// How long to wait for messages that don't come before they count as lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// Turns of each subscriber.
const TURNS: u32 = 3;
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
    /// From before publishing to the sink, at 5,000 messages a second, milliseconds: the median.
    pub latency_p50_ms: f64,
    /// The same: 99 of a hundred are quicker.
    pub latency_p99_ms: f64,
    /// The same: the slowest.
    pub latency_max_ms: f64,
    /// How many samples the latencies are of.
    pub latency_samples: u64,
}

/// Measures one broker at one quality of service for about `seconds` in all. `commit` gets every
/// batch of samples of the gateway and returns when they are durable: what it does is part of the
/// path.
///
/// # Errors
/// If a broker doesn't start, or nothing comes through it.
pub fn run(
    broker: &BenchBroker,
    qos: Qos,
    seconds: f64,
    mut commit: impl FnMut(&[Sample]) + Send + 'static,
) -> Result<BenchFigures, GatewayError> {
    let (_mosquitto, port) = match broker {
        BenchBroker::Embedded => (None, Broker::start(&BrokerConfig::on_port(0))?.port()),
        BenchBroker::Mosquitto { path } => {
            let mosquitto = Mosquitto::start(path, 0)?;
            let port = mosquitto.port();
            (Some(mosquitto), port)
        }
    };
    let campus = Arc::new(bench_campus());
    let publisher = Publisher::start(
        PublisherConfig { port, qos, client_id: "bench-publisher".to_owned(), ..PublisherConfig::default() },
        campus.clone(),
    )?;
    publisher.wait_connected(CONNECT_LIMIT)?;
    let messages = messages(&campus)?;

    let received = Arc::new(AtomicU64::new(0));
    let latencies = Arc::new(std::sync::Mutex::new(None::<Vec<i64>>));
    let (into, for_latency) = (received.clone(), latencies.clone());
    let sink = move |batch: FieldBatch| {
        if let Ok(mut wanted) = for_latency.lock()
            && let Some(wanted) = wanted.as_mut()
        {
            let arrival = now().0;
            wanted.extend(batch.samples.iter().map(|s| arrival - s.time.0));
        }
        commit(&batch.samples);
        into.fetch_add(batch.samples.len() as u64, Ordering::Release);
        batch.done.done();
    };

    let turn = Duration::from_secs_f64((seconds / f64::from(2 * TURNS + 1)).max(0.2));
    let sink = Arc::new(std::sync::Mutex::new(sink));
    let mut gateway_rates = Vec::new();
    let mut bare_rates = Vec::new();
    let mut lost = 0;
    for n in 0..TURNS {
        let bare = Bare::start(port, qos, n)?;
        bare_rates.push(drive(&publisher, &messages, &bare.received, turn)?.rate());
        drop(bare);
        let gateway = start_gateway(port, qos, n, campus.clone(), sink.clone())?;
        let driven = drive(&publisher, &messages, &received, turn)?;
        gateway_rates.push(driven.rate());
        lost += driven.lost();
        gateway.stop();
        forget_session(port, n, campus.clone())?;
    }

    let gateway = start_gateway(port, qos, TURNS, campus.clone(), sink)?;
    if let Ok(mut wanted) = latencies.lock() {
        *wanted = Some(Vec::new());
    }
    pace(&publisher, turn)?;
    publisher.flush(CONNECT_LIMIT)?;
    std::thread::sleep(Duration::from_millis(200));
    let mut found = latencies.lock().ok().and_then(|mut w| w.take()).unwrap_or_default();
    found.sort_unstable();
    gateway.stop();
    publisher.stop();

    let at = |share: f64| {
        let i = ((found.len() as f64 * share) as usize).min(found.len().saturating_sub(1));
        found.get(i).map_or(f64::NAN, |us| *us as f64 / 1000.0)
    };
    let (through, bare) = (median(gateway_rates), median(bare_rates));
    Ok(BenchFigures {
        broker: match broker {
            BenchBroker::Embedded => "embedded".to_owned(),
            BenchBroker::Mosquitto { .. } => "mosquitto".to_owned(),
        },
        qos: u8::from(qos == Qos::AtLeastOnce),
        mqtt_samples_per_s: through,
        bare_messages_per_s: bare,
        ratio_to_bare_broker: through / bare,
        lost,
        latency_p50_ms: at(0.5),
        latency_p99_ms: at(0.99),
        latency_max_ms: at(1.0),
        latency_samples: found.len() as u64,
    })
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

/// The campus of the bench: numbers that topics `bench/<n>` carry with value and time.
fn bench_campus() -> Campus {
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

/// Topics and payloads, made beforehand: writing JSON is the device's work, not the path's.
fn messages(campus: &Campus) -> Result<Vec<(String, Vec<u8>)>, GatewayError> {
    let time = now();
    let mut made = Vec::with_capacity(campus.points.len());
    for (i, point) in campus.points.iter().enumerate() {
        let Some(binding) = &point.binding else { continue };
        let sample = Sample {
            point: point.id,
            time: Timestamp(time.0 + i as i64),
            value: Value::Number(15.0 + (i % 997) as f64 * 0.01),
            quality: Quality::Good,
        };
        made.push((binding.topic.clone(), crate::encode::message(point, binding, &[sample])?));
    }
    Ok(made)
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
    messages: &[(String, Vec<u8>)],
    received: &AtomicU64,
    how_long: Duration,
) -> Result<Driven, GatewayError> {
    let start_count = received.load(Ordering::Acquire);
    let got = || received.load(Ordering::Acquire) - start_count;
    let started = Instant::now();
    let (mut sent, mut last_count, mut last_change) = (0_u64, 0, started);
    let mut messages = messages.iter().cycle();
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
            publisher.publish_many(messages.by_ref().take(STEP).map(|(t, p)| (t.as_str(), p.as_slice())))?;
            sent += STEP as u64;
        } else {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    Ok(Driven { sent, got: got(), took: last_change - started })
}

/// Publishes [`PACED_PER_S`] samples a second, each with the time just before it goes.
fn pace(publisher: &Publisher, how_long: Duration) -> Result<(), GatewayError> {
    let started = Instant::now();
    let mut sent = 0_u64;
    while started.elapsed() < how_long {
        let due = (started.elapsed().as_secs_f64() * PACED_PER_S as f64) as u64;
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
    Ok(())
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
