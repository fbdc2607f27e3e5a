//! `campanile bench idle` and `soak`: a hub as a program of its own, watched from outside.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use campanile_gateway::{Publisher, PublisherConfig, Qos};
use campanile_model::{
    Accumulation, Campus, PointKind, Quality, Sample, Timestamp, Value as Reading, ValueType,
};
use campanile_protocol::{DataFrame, FrameKind};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::bench_ingest::{AnyError, in_a_folder, join, wall_us};
use crate::failure::Failure;

/// How long a hub with devices may settle before it counts as idle: all have said their first values by then.
const SETTLE: Duration = Duration::from_secs(20);
/// Samples a second of a soak, and who listens.
const SOAK_PER_S: f64 = 5000.0;
const SOAK_CLIENTS: usize = 20;
/// Ticks a second in which Linux tells programs' times, whatever the kernel's own.
const TICKS_PER_S: f64 = 100.0;
/// What memory may grow from the first third of a soak to the last: allocators and caches settle within it.
const GROWTH_SHARE: f64 = 0.10;
const GROWTH_MB: f64 = 16.0;
/// What the slowest hundredth may grow: twice, and the noise of a busy machine.
const GROWTH_MS: f64 = 10.0;

/// A program that goes when it is dropped.
struct Running(Arc<Mutex<Child>>);

/// All that were started, for who ends before they are dropped.
static STARTED: Mutex<Vec<Weak<Mutex<Child>>>> = Mutex::new(Vec::new());

impl Running {
    fn new(child: Child) -> Self {
        let child = Arc::new(Mutex::new(child));
        STARTED.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&child));
        Self(child)
    }

    fn id(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&self.0);
    }
}

fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // It may have gone by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Ends all programs that were started and still run.
pub fn end_started() {
    let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.iter().filter_map(Weak::upgrade).for_each(|child| end(&child));
}

/// A hub of a campus, its data in a folder, with ports of its own.
pub struct HubProcess {
    program: Running,
    api: SocketAddr,
    broker: String,
}

impl HubProcess {
    /// With its embedded broker, or joined to another.
    pub fn start(campus: &Path, data: &Path, broker: Option<&str>) -> Result<Self, AnyError> {
        let join = broker.map_or(["--broker-port", "0"], |address| ["--broker", address]);
        let mut child = Command::new(std::env::current_exe()?)
            .args(["hub", "--listen", "127.0.0.1:0", "--json"])
            .args(join)
            .arg("--campus")
            .arg(campus)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("the hub has no output")?;
        let program = Running::new(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line)?;
        let text = |key: &str| said[key].as_str().ok_or("the hub did not say where it is");
        let api = text("api")?.trim_start_matches("http://").parse()?;
        let broker = broker.map_or_else(|| text("broker"), Ok)?.to_owned();
        Ok(Self { api, broker, program })
    }

    fn usage(&self) -> Result<Usage, AnyError> {
        Usage::of(self.program.id())
    }

    pub fn api(&self) -> SocketAddr {
        self.api
    }

    pub fn broker(&self) -> &str {
        &self.broker
    }

    /// Samples that it has taken in.
    pub fn samples(&self) -> Result<u64, AnyError> {
        samples_of(self.api)
    }
}

/// Samples that a hub has taken in.
pub fn samples_of(api: SocketAddr) -> Result<u64, AnyError> {
    let health = crate::doctor::health(api).ok_or("the hub does not answer")?;
    health["state"]["samples"].as_u64().ok_or_else(|| "the hub does not say its samples".into())
}

/// What a process has used.
#[derive(Clone, Copy)]
struct Usage {
    cpu_s: f64,
    resident_mb: f64,
    at: Instant,
}

impl Usage {
    fn of(process: u32) -> Result<Self, AnyError> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in brackets may have blanks; behind it, utime and stime are the 12th and 13th words.
        let words: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| words.get(at).and_then(|w| w.parse::<f64>().ok()).ok_or("no times in /proc");
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident
            .and_then(|r| r.split_whitespace().next()?.parse::<f64>().ok())
            .ok_or("no VmRSS in /proc")?;
        Ok(Self {
            cpu_s: (ticks(11)? + ticks(12)?) / TICKS_PER_S,
            resident_mb: kib / 1024.0,
            at: Instant::now(),
        })
    }

    /// Per cent of one core since then.
    fn cpu_pct_since(&self, before: &Self) -> f64 {
        100.0 * (self.cpu_s - before.cpu_s) / (self.at - before.at).as_secs_f64()
    }
}

/// A hub of the demo campus to which nothing but its simulated devices talks.
pub fn idle(campus: &Path, seconds: f64) -> Result<Vec<Value>, Failure> {
    in_a_folder(|data| {
        let hub = HubProcess::start(campus, data, None)?;
        let _devices = Running::new(
            Command::new(std::env::current_exe()?)
                .args(["devices", "--broker", &hub.broker, "--campus"])
                .arg(campus)
                .stdout(Stdio::null())
                .spawn()?,
        );
        std::thread::sleep(SETTLE);
        let (before, samples) = (hub.usage()?, hub.samples()?);
        std::thread::sleep(Duration::from_secs_f64(seconds));
        let (after, later) = (hub.usage()?, hub.samples()?);
        let figure = |name: &str, value: f64, unit: &str, goal: &str| json!({"name": name, "value": value, "unit": unit, "goal": goal, "reference": "hub with its embedded broker"});
        Ok(vec![
            figure("idle_cpu_pct_of_a_core", after.cpu_pct_since(&before), "%", ""),
            figure("idle_resident_mb", after.resident_mb, "MiB", ""),
            figure(
                "idle_samples_per_second",
                (later - samples) as f64 / (after.at - before.at).as_secs_f64(),
                "1/s",
                "",
            ),
        ])
    })
}

/// A hub under a steady load, minute by minute. Prints each minute as JSON, and gives whether it stayed as it was.
pub fn soak(dir: &Path, campus: &Arc<Campus>, minutes: u64, broker: Option<&str>) -> Result<bool, Failure> {
    in_a_folder(|data| {
        let hub = HubProcess::start(dir, data, broker)?;
        let latencies = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        for number in 0..SOAK_CLIENTS - 1 {
            let (socket, stop) = (join(hub.api)?, stop.clone());
            let mine = (number == 0).then(|| latencies.clone());
            clients.push(
                std::thread::Builder::new()
                    .name("soak-client".to_owned())
                    .spawn(move || listen(socket, &stop, mine.as_deref()))?,
            );
        }
        // One that asks for everything and never reads.
        let stalled = join(hub.api)?;
        let publisher = publisher(&hub.broker, campus)?;
        let told = stop.clone();
        let points = campus.clone();
        let sender = std::thread::Builder::new().name("soak-sender".to_owned()).spawn(move || {
            let sent = send(&publisher, &points, &told, SOAK_PER_S, |_| true);
            publisher.stop();
            sent
        })?;
        let mut rows = Vec::new();
        for minute in 1..=minutes {
            let row = one_minute(&hub, minute, &latencies)?;
            println!("{}", row.json());
            rows.push(row);
        }
        stop.store(true, Ordering::Release);
        let sent = sender.join().map_err(|_| "the sender has panicked")??;
        std::thread::sleep(Duration::from_secs(2));
        let taken = hub.samples()?;
        let alive = clients.into_iter().filter_map(|c| c.join().ok()).filter(|alive| *alive).count();
        drop(stalled);
        let mut faults = judge(&rows);
        if taken < sent {
            faults.push(format!("{} of {sent} samples are missing", sent - taken));
        }
        if alive < SOAK_CLIENTS - 1 {
            faults.push(format!("{} clients that read were cut off", SOAK_CLIENTS - 1 - alive));
        }
        let verdict = if faults.is_empty() { "flat" } else { "not flat" };
        println!(
            "{}",
            json!({"verdict": verdict, "faults": faults, "minutes": minutes, "sent": sent, "taken": taken,
                   "clients": SOAK_CLIENTS, "stalled": 1, "per_s": SOAK_PER_S})
        );
        Ok(faults.is_empty())
    })
}

/// Reads until the end; whether the hub was there to the last.
pub fn listen(
    mut socket: WebSocket<TcpStream>,
    stop: &AtomicBool,
    latencies: Option<&Mutex<Vec<i64>>>,
) -> bool {
    while !stop.load(Ordering::Acquire) {
        match socket.read() {
            Ok(Message::Binary(bytes)) => {
                let Some(latencies) = latencies else { continue };
                let arrival = wall_us();
                let Ok(frame) = DataFrame::decode(&bytes) else { return false };
                if frame.kind == FrameKind::Delta {
                    let mut all = latencies.lock().unwrap_or_else(PoisonError::into_inner);
                    all.extend(frame.samples.iter().map(|s| arrival - s.time.0));
                }
            }
            Ok(_) => {}
            // A read that times out is the pause in which the end is looked for.
            Err(tokio_tungstenite::tungstenite::Error::Io(why))
                if matches!(why.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return false,
        }
    }
    true
}

pub fn publisher(broker: &str, campus: &Arc<Campus>) -> Result<Publisher, AnyError> {
    let (host, port) = campanile_server::host_port(broker)?;
    let client_id = format!("campanile-soak-{}", std::process::id());
    let config =
        PublisherConfig { host, port, client_id, qos: Qos::AtLeastOnce, ..PublisherConfig::default() };
    let publisher = Publisher::start(config, campus.clone())?;
    publisher.wait_connected(Duration::from_secs(5))?;
    Ok(publisher)
}

/// Publishes around the sensors of the campus in turn until told to stop, as many a second as wished while there is room
/// for more than so many sent; how many samples.
pub fn send(
    publisher: &Publisher,
    campus: &Campus,
    stop: &AtomicBool,
    per_s: f64,
    has_room: impl Fn(u64) -> bool,
) -> Result<u64, AnyError> {
    let sensors: Vec<_> = campus
        .points
        .iter()
        .filter(|p| p.value_type == ValueType::Number && p.accumulation == Accumulation::Gauge)
        .filter(|p| {
            p.kind == PointKind::Sensor && p.binding.as_ref().is_some_and(|b| b.time_pointer.is_some())
        })
        .collect();
    if sensors.is_empty() {
        return Err("the campus has no sensors whose messages have a time".into());
    }
    let (began, mut sent) = (Instant::now(), 0_u64);
    while !stop.load(Ordering::Acquire) {
        let due = (began.elapsed().as_secs_f64() * per_s) as u64;
        while sent < due && !stop.load(Ordering::Acquire) && (sent % 1000 != 0 || has_room(sent)) {
            let sensor = sensors[(sent % sensors.len() as u64) as usize];
            let [low, high] = sensor.range.unwrap_or([0.0, 100.0]);
            let value = low + (high - low) * (0.4 + 0.2 * ((sent % 1000) as f64 / 1000.0));
            publisher.publish_samples(&[Sample {
                point: sensor.id,
                time: Timestamp(wall_us()),
                value: Reading::Number(value),
                quality: Quality::Good,
            }])?;
            sent += 1;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    publisher.flush(Duration::from_secs(10))?;
    Ok(sent)
}

/// A minute of a soak.
#[derive(Clone, Debug, Default)]
struct Minute {
    minute: u64,
    resident_mb: f64,
    cpu_pct: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    seen: usize,
}

impl Minute {
    fn json(&self) -> Value {
        json!({"minute": self.minute, "resident_mb": round(self.resident_mb), "cpu_pct": round(self.cpu_pct),
               "p50_ms": round(self.p50_ms), "p99_ms": round(self.p99_ms), "max_ms": round(self.max_ms), "seen": self.seen})
    }
}

fn round(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

/// A while in which a hub was watched.
pub struct Round {
    pub resident_mb: f64,
    pub cpu_pct: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub seen: usize,
}

impl Round {
    /// Watches a hub for a while.
    pub fn of(hub: &HubProcess, how_long: Duration, latencies: &Mutex<Vec<i64>>) -> Result<Self, AnyError> {
        let before = hub.usage()?;
        let mut resident = Vec::new();
        while before.at.elapsed() < how_long {
            std::thread::sleep(how_long.saturating_sub(before.at.elapsed()).min(Duration::from_secs(1)));
            resident.push(hub.usage()?.resident_mb);
        }
        let after = hub.usage()?;
        let mut us = std::mem::take(&mut *latencies.lock().unwrap_or_else(PoisonError::into_inner));
        us.sort_unstable();
        let at = |share: f64| {
            us.get((us.len() as f64 * share) as usize).or(us.last()).map_or(f64::NAN, |us| *us as f64 / 1e3)
        };
        Ok(Self {
            resident_mb: median(&mut resident),
            cpu_pct: after.cpu_pct_since(&before),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
            seen: us.len(),
        })
    }
}

fn one_minute(hub: &HubProcess, minute: u64, latencies: &Mutex<Vec<i64>>) -> Result<Minute, AnyError> {
    let Round { resident_mb, cpu_pct, p50_ms, p99_ms, max_ms, seen } =
        Round::of(hub, Duration::from_secs(60), latencies)?;
    Ok(Minute { minute, resident_mb, cpu_pct, p50_ms, p99_ms, max_ms, seen })
}

/// What could not be measured counts as grown.
fn grew(before: f64, after: f64, limit: f64) -> bool {
    before.is_nan() || after.is_nan() || after > limit
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What grew between the first third and the last, the first fifth apart, in which caches fill.
fn judge(rows: &[Minute]) -> Vec<String> {
    let rows = &rows[rows.len() / 5..];
    let third = (rows.len() / 3).max(1);
    let (Some(first), Some(last)) = (rows.get(..third), rows.get(rows.len().saturating_sub(third)..)) else {
        return vec!["too short to tell".to_owned()];
    };
    let of =
        |rows: &[Minute], value: fn(&Minute) -> f64| median(&mut rows.iter().map(value).collect::<Vec<_>>());
    let (before, after) = (of(first, |r| r.resident_mb), of(last, |r| r.resident_mb));
    let mut faults = Vec::new();
    if grew(before, after, before * (1.0 + GROWTH_SHARE) + GROWTH_MB) {
        faults.push(format!("memory grew from {before:.0} to {after:.0} MiB"));
    }
    let (before, after) = (of(first, |r| r.p99_ms), of(last, |r| r.p99_ms));
    if grew(before, after, before * 2.0 + GROWTH_MS) {
        faults.push(format!("the slowest hundredth grew from {before:.1} to {after:.1} ms"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(minutes: u64, resident: fn(f64) -> f64, p99: fn(f64) -> f64) -> Vec<Minute> {
        let row = |minute: u64| Minute {
            minute,
            resident_mb: resident(minute as f64),
            p99_ms: p99(minute as f64),
            ..Minute::default()
        };
        (1..=minutes).map(row).collect()
    }

    #[test]
    fn growth_is_told_from_noise_and_from_warming_up() {
        assert_eq!(
            judge(&rows(60, |m| if m < 8.0 { 40.0 + m } else { 90.0 }, |_| 3.0)),
            Vec::<String>::new()
        );
        assert_eq!(judge(&rows(5, |m| 90.0 + m % 2.0, |m| 3.0 + m % 2.0)), Vec::<String>::new());
        assert!(judge(&rows(60, |m| 90.0 + m, |_| 3.0))[0].contains("memory grew"));
        assert!(judge(&rows(60, |_| 90.0, |m| 3.0 * m))[0].contains("hundredth grew"));
        assert_eq!(judge(&rows(6, |_| 90.0, |_| f64::NAN)).len(), 1);
        assert_eq!(judge(&[]), ["too short to tell"]);
    }

    #[test]
    fn a_process_is_measured() {
        let before = Usage::of(std::process::id()).unwrap();
        let until = Instant::now() + Duration::from_millis(300);
        while Instant::now() < until {
            std::hint::black_box(0);
        }
        let after = Usage::of(std::process::id()).unwrap();
        assert!(after.resident_mb > 1.0);
        let pct = after.cpu_pct_since(&before);
        assert!(pct > 5.0 && pct < 1000.0, "{pct}");
    }
}
