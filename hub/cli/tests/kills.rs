//! The hub under load, killed again and again: what Mosquitto was told to forget, and what the API has answered, is
//! there. `CAMPANILE_KILLS` says how often; `make verify` kills a hundred times.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use campanile_gateway::{Mosquitto, Publisher, PublisherConfig};
use campanile_history::{AUDIT, History};
use campanile_model::{Campus, PointId, Quality, Sample, Timestamp, Value};
use campanile_protocol::rest::{AlarmsAnswer, CommandsAnswer};
use campanile_protocol::{AlarmState, JsonValue};
use common::{Hub, PATIENCE, Running, demo, get, hub_command, until};
use serde_json::json;

/// Measured points under load, and samples of each a turn.
const LOADED: usize = 40;
const A_TURN: usize = 10;

fn spawn(data: &Path, broker: u16) -> Child {
    let mut command = hub_command(&demo(), data);
    command.args(["--json", "--log", "error", "--broker", &format!("127.0.0.1:{broker}")]);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// The status; none of a hub that was killed meanwhile, which has promised nothing.
fn post(hub: &Hub, path: &str, body: &serde_json::Value) -> Option<u16> {
    common::post(hub, path, body).map(|(status, _)| status)
}

fn points(campus: &Campus, last: &str) -> Vec<PointId> {
    let with = |path: &str| path.rsplit('/').next() == Some(last);
    let found = campus.points.iter().enumerate().filter(|(_, p)| with(p.path.as_str()));
    found.map(|(i, _)| PointId(u32::try_from(i).unwrap())).collect()
}

/// Publishes until told to stop; gives how many samples of each point.
fn load(
    campus: Arc<Campus>,
    broker: u16,
    stop: Arc<AtomicBool>,
    begin: i64,
) -> std::thread::JoinHandle<usize> {
    std::thread::spawn(move || {
        let config = PublisherConfig { port: broker, client_id: "load".into(), ..PublisherConfig::default() };
        let publisher = Publisher::start(config, campus.clone()).unwrap();
        publisher.wait_connected(PATIENCE).unwrap();
        let targets = &points(&campus, "co2")[..LOADED];
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            let samples: Vec<Sample> = (count..count + A_TURN)
                .flat_map(|n| targets.iter().map(move |point| loaded(*point, n, begin)))
                .collect();
            publisher.publish_samples(&samples).unwrap();
            count += A_TURN;
            std::thread::sleep(Duration::from_millis(100));
        }
        publisher.flush(PATIENCE).unwrap();
        count
    })
}

/// The `n`th sample of a point: every number says which it is.
fn loaded(point: PointId, n: usize, begin: i64) -> Sample {
    Sample {
        point,
        time: Timestamp(begin + n as i64 * 10_000),
        value: Value::Number(400.0 + (n % 1000) as f64),
        quality: Quality::Good,
    }
}

fn kill_often(kills: u64) {
    let Some(program) = Mosquitto::find() else {
        println!("skipped: Mosquitto is not installed (Debian's mosquitto)");
        return;
    };
    let began = Instant::now();
    let mosquitto = Mosquitto::start(&program, 0).unwrap();
    let broker = mosquitto.port();
    let campus = Arc::new(campanile_model::open(&demo()).unwrap());
    let data = tempfile::tempdir().unwrap();
    // The broker keeps what is published for a hub that is away only once it has been there.
    let mut first = Hub::ready(spawn(data.path(), broker));
    until("the hub is connected", || {
        let agent =
            ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let mut answer = agent.get(format!("{}/api/v1/health", first.api)).call().unwrap();
        let health: serde_json::Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        health["state"]["links"][0]["connected"].as_bool().filter(|yes| *yes)
    });
    first.child.0.kill().unwrap();
    drop(first);

    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let begin = since.as_micros() as i64 - 3600 * Timestamp::SECOND;
    let stop = Arc::new(AtomicBool::new(false));
    let load = load(campus.clone(), broker, stop.clone(), begin);
    let hand = PublisherConfig { port: broker, client_id: "hand".into(), ..PublisherConfig::default() };
    let hand = Publisher::start(hand, campus.clone()).unwrap();
    hand.wait_connected(PATIENCE).unwrap();

    let smoke = points(&campus, "smoke-alarm");
    let setpoints = points(&campus, "setpoint");
    assert!(smoke.len() > 100 && setpoints.len() > 40, "{} {}", smoke.len(), setpoints.len());
    let path = |point: PointId| campus.point(point).path.to_string();
    let mut raised: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut commanded: BTreeMap<String, (f64, String)> = BTreeMap::new();
    let mut reasons: BTreeMap<String, bool> = BTreeMap::new();
    let (mut mid_start, mut seed) = (0, 20_261_124_u64);
    let mut dice = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    for kill in 0..kills {
        let child = spawn(data.path(), broker);
        if dice(4) == 0 {
            mid_start += 1;
            std::thread::sleep(Duration::from_millis(dice(1200)));
            drop(Running(child));
            continue;
        }
        let hub = Hub::ready(child);
        let held: CommandsAnswer = get(&hub, "commands");
        let held: BTreeMap<_, _> = held.commands.into_iter().map(|c| (c.point.to_string(), c)).collect();
        for (point, (value, reason)) in &commanded {
            let command =
                held.get(point).unwrap_or_else(|| panic!("kill {kill}: the command of {point} is lost"));
            assert_eq!(command.effective, JsonValue::Number(*value), "kill {kill}: {point}");
            assert_eq!(&command.slots[0].reason, reason, "kill {kill}: {point}");
        }
        let detector = smoke[kill as usize % smoke.len()];
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let fire = Sample {
            point: detector,
            time: Timestamp(now.as_micros() as i64),
            value: Value::Bool(true),
            quality: Quality::Good,
        };
        hand.publish_samples(&[fire]).unwrap();
        hand.flush(PATIENCE).unwrap();
        let alarm = format!("{}#smoke", path(detector));
        raised.entry(alarm.clone()).or_insert(None);
        let setpoint = setpoints[kill as usize % setpoints.len()];
        let (value, reason) = (18.0 + (kill % 10) as f64, format!("kill {kill}"));
        let body = json!({"point": path(setpoint), "value": value, "reason": reason});
        let status = post(&hub, "commands", &body);
        reasons.insert(reason.clone(), status == Some(200));
        if status == Some(200) {
            commanded.insert(path(setpoint), (value, reason));
        }
        if dice(2) == 0 {
            until("the alarm is raised", || {
                let alarms: AlarmsAnswer = get(&hub, "alarms");
                alarms.alarms.iter().any(|a| a.id == alarm).then_some(())
            });
            let comment = format!("seen {kill}");
            if post(&hub, "alarms/acknowledge", &json!({"alarm": alarm, "comment": comment})) == Some(200) {
                raised.insert(alarm, Some(comment));
            }
        }
        std::thread::sleep(Duration::from_millis(dice(300)));
        drop(hub);
    }
    stop.store(true, Ordering::Relaxed);
    let count = load.join().unwrap();

    // The last hub takes in what Mosquitto still holds.
    let mut hub = Hub::ready(spawn(data.path(), broker));
    let last = begin + (count as i64 - 1) * 10_000;
    let loaded_points = &points(&campus, "co2")[..LOADED];
    until("everything has come over", || {
        loaded_points
            .iter()
            .all(|point| {
                let url = format!("history/range?point={}&from_us={last}&to_us={}", path(*point), last + 1);
                let answer: serde_json::Value = get(&hub, &url);
                answer.to_string().contains(&last.to_string())
            })
            .then_some(())
    });
    let alarms: AlarmsAnswer = get(&hub, "alarms");
    let smoking: Vec<_> = alarms.alarms.iter().filter(|a| a.rule == "smoke").collect();
    assert_eq!(smoking.len(), raised.len(), "alarms lost or doubled");
    for alarm in smoking {
        match &raised[&alarm.id] {
            None => assert_eq!(alarm.state, AlarmState::Unacknowledged, "{}", alarm.id),
            Some(comment) => {
                assert_eq!(alarm.state, AlarmState::Acknowledged, "{}", alarm.id);
                assert_eq!(alarm.comment.as_deref(), Some(comment.as_str()), "{}", alarm.id);
            }
        }
    }
    assert!(Command::new("kill").args(["-TERM", &hub.child.0.id().to_string()]).status().unwrap().success());
    hub.child.0.wait().unwrap();

    let history = History::open(data.path(), &campanile_server::point_specs(&campus)).unwrap();
    let (mut missing, mut stored) = (0, 0);
    for point in loaded_points {
        let got = history.range(*point, Timestamp(begin), Timestamp(last + 1), usize::MAX).unwrap();
        let got: BTreeMap<i64, Value> = got.into_iter().map(|(t, v, _)| (t.0, v)).collect();
        for n in 0..count {
            let wanted = loaded(*point, n, begin);
            match got.get(&wanted.time.0) {
                Some(value) => assert_eq!(value, &wanted.value),
                None => missing += 1,
            }
        }
        assert!(got.len() <= count, "samples that nobody sent");
        stored += got.len();
    }
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    for entry in history.log(AUDIT, None, usize::MAX).unwrap() {
        if entry.body["act"] == "write" && entry.body["refused"].is_null() {
            *told.entry(entry.body["reason"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let lost = reasons.iter().filter(|(reason, done)| **done && !told.contains_key(*reason)).count();
    let doubled = told.values().filter(|n| **n > 1).count();
    let figures = json!({
        "kills": kills, "killed_while_starting": mid_start, "samples_acknowledged": count * LOADED,
        "samples_stored": stored, "samples_missing": missing, "commands_answered": reasons.values().filter(|d| **d).count(),
        "commands_lost": lost, "commands_doubled": doubled, "alarms_raised": raised.len(),
        "alarms_acknowledged": raised.values().flatten().count(), "alarms_lost_or_doubled": 0,
        "seconds": began.elapsed().as_secs(),
    });
    println!("{figures}");
    assert_eq!((missing, lost, doubled), (0, 0, 0), "{figures}");
}

#[test]
fn a_hub_that_is_killed_a_few_times_loses_nothing() {
    kill_often(3);
}

#[test]
#[ignore = "minutes: `make verify`"]
fn a_hub_that_is_killed_often_loses_nothing() {
    let kills = std::env::var("CAMPANILE_KILLS").ok().and_then(|n| n.parse().ok());
    kill_often(kills.unwrap_or(100));
}

/// The status of the health page.
fn health(hub: &Hub) -> u16 {
    let agent =
        ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    agent.get(format!("{}/api/v1/health", hub.api)).call().unwrap().status().as_u16()
}

/// No file may grow beyond 3 MB, as on a disk without room; then there is room again.
#[test]
fn a_hub_without_room_serves_reads_says_so_and_goes_on() {
    let Some(program) = Mosquitto::find() else {
        println!("skipped: Mosquitto is not installed (Debian's mosquitto)");
        return;
    };
    let mosquitto = Mosquitto::start(&program, 0).unwrap();
    let campus = Arc::new(campanile_model::open(&demo()).unwrap());
    let data = tempfile::tempdir().unwrap();
    // The signal that a limit sends is ignored, so that writes fail instead.
    let child = Command::new("bash")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -S -f 3000; exec \"$@\"")
        .args([
            "bash",
            env!("CARGO_BIN_EXE_campanile"),
            "--log",
            "off",
            "hub",
            "--listen",
            "127.0.0.1:0",
            "--json",
        ])
        .args(["--broker", &format!("127.0.0.1:{}", mosquitto.port()), "--campus"])
        .arg(demo())
        .arg("--data")
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let hub = Hub::ready(child);
    until("the hub is connected", || (health(&hub) == 200).then_some(()));
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let begin = since.as_micros() as i64 - 3600 * Timestamp::SECOND;
    let stop = Arc::new(AtomicBool::new(false));
    let load = load(campus.clone(), mosquitto.port(), stop.clone(), begin);
    until("the disk is full", || (health(&hub) == 503).then_some(()));
    let co2 = &points(&campus, "co2")[..LOADED];
    let path = |point: PointId| campus.point(point).path.to_string();
    let seen: serde_json::Value = get(&hub, &format!("value?point={}", path(co2[0])));
    assert!(seen["reading"].is_object(), "reads are served: {seen}");
    // Where a batch of samples did not fit, a few commands may still: each one that is taken is on the disk, so sooner or
    // later one is not. Each goes to a point of its own, so that none is refused for another cause.
    let mut taken = Vec::new();
    let mut refused = None;
    for setpoint in points(&campus, "setpoint").into_iter().map(path) {
        let command = json!({"point": setpoint, "value": 21.0, "reason": "no room"});
        match post(&hub, "commands", &command) {
            Some(200) => taken.push(setpoint),
            answer => {
                refused = Some((answer, setpoint));
                break;
            }
        }
    }
    let Some((None | Some(503), in_force)) = refused else {
        panic!("what is promised without room: {refused:?}")
    };
    stop.store(true, Ordering::Relaxed);
    let count = load.join().unwrap();
    let pid = hub.child.0.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap().success());
    until("there is room and the hub goes on", || (health(&hub) == 200).then_some(()));
    let last = begin + (count as i64 - 1) * 10_000;
    until("everything has come over", || {
        let arrived = |point: &PointId| {
            let url = format!("history/range?point={}&from_us={last}&to_us={}", path(*point), last + 1);
            let answer: serde_json::Value = get(&hub, &url);
            answer.to_string().contains(&last.to_string())
        };
        co2.iter().all(arrived).then_some(())
    });
    std::thread::sleep(Duration::from_secs(1));
    // SIGKILL: what came while there was no room is on the disk now.
    drop(hub);
    let history = History::open(data.path(), &campanile_server::point_specs(&campus)).unwrap();
    for point in co2 {
        let got = history.range(*point, Timestamp(begin), Timestamp(last + 1), usize::MAX).unwrap();
        assert_eq!(got.len(), count);
    }
    let kept = history.records("command").unwrap();
    // What was not promised is in force all the same, and is kept once there is room.
    for setpoint in taken.iter().chain([&in_force]) {
        assert!(kept.iter().any(|record| record.key == *setpoint), "{setpoint} is kept: {kept:?}");
    }
}
