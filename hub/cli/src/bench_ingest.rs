//! `campanile bench ingest`: from the broker to the disk, and from a publisher to a client's socket.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use campanile_gateway::bench::{BenchBroker, Durable, StartedBroker};
use campanile_gateway::{Mosquitto, Qos, bench as mqtt};
use campanile_history::{CommitQueue, History, Submission};
use campanile_model::Sample;
use campanile_protocol::{ClientMessage, DataFrame, FrameKind, Subscription};
use campanile_server::{Broker, Hub, HubConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::failure::Failure;

/// Samples a second while latency is measured: what the reference campus sends at its busiest.
const PACED_PER_S: f64 = 5000.0;
/// How long a client waits for the first word of a hub, or the last sample.
const PATIENCE: Duration = Duration::from_secs(5);
/// Commits that may wait, as in the hub.
const COMMITS: usize = 1024;

/// Every broker at both qualities of service, about `seconds` each.
pub fn run(seconds: f64) -> Result<Vec<Value>, Failure> {
    let mut brokers = vec![BenchBroker::Embedded];
    match Mosquitto::find() {
        Some(path) => brokers.push(BenchBroker::Mosquitto { path }),
        None => eprintln!("Mosquitto is not installed: only the embedded broker is measured"),
    }
    let mut figures = Vec::new();
    for broker in &brokers {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
            figures.extend(one(broker, qos, seconds)?);
        }
    }
    Ok(figures)
}

fn one(broker: &BenchBroker, qos: Qos, seconds: f64) -> Result<Vec<Value>, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::unreachable(why.to_string());
    let thin = mqtt::run(broker, qos, seconds, |samples, durable: Durable| {
        std::hint::black_box(samples);
        durable();
    })
    .map_err(|why| failed(&why))?;
    let stored = in_a_folder(|dir| {
        let history = History::open(dir, &campanile_server::point_specs(&mqtt::campus()))?;
        let queue = CommitQueue::start(history.writer(), COMMITS)?;
        let commit = move |samples: Vec<Sample>, durable: Durable| {
            let done: campanile_history::Done = Box::new(move |outcome| {
                if outcome.is_ok() {
                    durable();
                }
            });
            // Refused only after the queue has stopped; the samples then count as lost.
            let _ = queue.submit(Submission { samples, records: Vec::new(), done: Some(done) });
        };
        Ok(mqtt::run(broker, qos, seconds, commit)?)
    })?;
    let latency = in_a_folder(|dir| latency(broker, qos, Duration::from_secs_f64(seconds), dir))?;
    let of = format!("{} QoS {}", thin.broker, thin.qos);
    let figure = |name: &str, value: f64, unit: &str, goal: &str| json!({"name": name, "value": value, "unit": unit, "goal": goal, "reference": of});
    Ok(vec![
        figure("mqtt_samples_per_s", thin.mqtt_samples_per_s, "1/s", ""),
        figure("bare_messages_per_s", thin.bare_messages_per_s, "1/s", ""),
        figure("ratio_to_bare_broker", thin.ratio_to_bare_broker, "1", ">= 0.8"),
        figure("durable_mqtt_samples_per_s", stored.mqtt_samples_per_s, "1/s", ""),
        figure("ratio_durable_to_bare_broker", stored.ratio_to_bare_broker, "1", ""),
        figure("lost", (thin.lost + stored.lost) as f64, "1", "0"),
        figure("latency_p50_ms", latency.at(0.5), "ms", ""),
        figure("latency_p99_ms", latency.at(0.99), "ms", "<= 50"),
        figure("latency_max_ms", latency.at(1.0), "ms", ""),
        figure("latency_share_seen", latency.seen(), "1", ""),
    ])
}

pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Runs with a folder that goes afterwards.
pub fn in_a_folder<T>(measure: impl FnOnce(&Path) -> Result<T, AnyError>) -> Result<T, Failure> {
    let dir = std::env::temp_dir().join(format!("campanile-bench-{}", std::process::id()));
    let (stop, leaves) = (crate::hub::listen()?, dir.clone());
    // Who breaks off gets their prompt back at once, and nothing is left.
    let watch = move || {
        stop.wait(None);
        crate::bench_hub::end_started();
        let _ = std::fs::remove_dir_all(&leaves);
        std::process::exit(130);
    };
    let watching = std::thread::Builder::new().name("bench-stop".to_owned()).spawn(watch);
    watching.map_err(|why| Failure::unreachable(why.to_string()))?;
    let outcome = measure(&dir);
    // The folder is ours alone; leaving it would only waste room.
    let _ = std::fs::remove_dir_all(&dir);
    outcome.map_err(|why| Failure::unreachable(why.to_string()))
}

/// Microseconds from before a sample was published to when a client of the hub's socket had it.
struct Latency {
    sorted_us: Vec<i64>,
    published: u64,
}

impl Latency {
    /// The quantile in milliseconds.
    fn at(&self, share: f64) -> f64 {
        let index =
            ((self.sorted_us.len() as f64 * share) as usize).min(self.sorted_us.len().saturating_sub(1));
        self.sorted_us.get(index).map_or(f64::NAN, |us| *us as f64 / 1000.0)
    }

    /// The share that a client saw: less than one where a newer value of the same point overtook.
    fn seen(&self) -> f64 {
        self.sorted_us.len() as f64 / self.published as f64
    }
}

/// A whole hub, storing, with one client that subscribes to everything.
fn latency(broker: &BenchBroker, qos: Qos, how_long: Duration, data: &Path) -> Result<Latency, AnyError> {
    let started = StartedBroker::start(broker)?;
    let campus = Arc::new(mqtt::campus());
    let config = HubConfig::new(campus.clone(), data.to_owned())
        .broker(Broker::External(format!("127.0.0.1:{}", started.port())));
    let hub = Hub::start(config)?;
    let publisher = mqtt::publisher(started.port(), qos, &campus)?;
    let mut socket = join(hub.api_address())?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let client = std::thread::Builder::new().name("bench-client".to_owned()).spawn(move || {
        let mut latencies = Vec::new();
        // A read that times out is the pause in which the end is looked for.
        while !told.load(Ordering::Acquire) {
            let Ok(Message::Binary(bytes)) = socket.read() else { continue };
            let arrival = wall_us();
            let Ok(frame) = DataFrame::decode(&bytes) else { continue };
            if frame.kind == FrameKind::Delta {
                latencies.extend(frame.samples.iter().map(|s| arrival - s.time.0));
            }
        }
        latencies
    })?;
    let published = mqtt::pace(&publisher, how_long, PACED_PER_S)?;
    std::thread::sleep(Duration::from_millis(500));
    stop.store(true, Ordering::Release);
    let mut sorted_us = client.join().map_err(|_| "the client has panicked")?;
    sorted_us.sort_unstable();
    publisher.stop();
    hub.stop();
    Ok(Latency { sorted_us, published })
}

pub fn wall_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A client that has subscribed to everything and has its snapshot.
pub fn join(api: SocketAddr) -> Result<WebSocket<TcpStream>, AnyError> {
    let stream = TcpStream::connect(api)?;
    stream.set_nodelay(true)?;
    // A hub at work may take its time to answer.
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut socket, _) = tungstenite::client(format!("ws://{api}/api/v1/ws"), stream)?;
    socket.get_ref().set_read_timeout(Some(Duration::from_millis(100)))?;
    socket.send(Message::Text(ClientMessage::hello("bench").encode()?.into()))?;
    let all = Subscription { id: 1, globs: vec!["**".to_owned()], max_rate_hz: None };
    socket.send(Message::Text(ClientMessage::Subscribe(all).encode()?.into()))?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Ok(Message::Binary(_)) = socket.read() {
            return Ok(socket);
        }
    }
    Err("the hub sent no snapshot".into())
}
