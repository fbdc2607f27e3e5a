//! The built command, as an operator uses it: a hub, devices over MQTT, a WebSocket client, a command confirmed by
//! read-back, a recorded year through MQTT into the history and out again.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use campanile_protocol::rest::{BucketsAnswer, CommandsAnswer, Outcome, PointValue, PointsAnswer};
use campanile_protocol::{ClientMessage, DataFrame, JsonValue, ServerMessage, Subscription};
use common::{Hub, PATIENCE, Running, campanile, demo, get, root, until};
use tokio_tungstenite::tungstenite::{self, Message};

fn hub(data: &Path) -> Hub {
    Hub::of(&demo(), data)
}

fn post(hub: &Hub, path: &str, body: &serde_json::Value) -> (u16, Outcome) {
    let (status, text) = common::post(hub, path, body).unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

#[test]
fn a_socket_and_the_api_see_what_devices_publish_and_a_command_is_confirmed() {
    let data = tempfile::tempdir().unwrap();
    let hub = hub(data.path());
    let _devices = Running(
        campanile()
            .args(["devices", "--broker", &hub.broker, "--campus"])
            .arg(demo())
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let points: PointsAnswer = get(&hub, "points?glob=*/*/*/ac/setpoint&limit=1");
    let setpoint = points.points[0].info.path.clone();

    let (mut socket, _) =
        tungstenite::connect(format!("{}/api/v1/ws", hub.api.replace("http", "ws"))).unwrap();
    let say = |socket: &mut tungstenite::WebSocket<_>, message: ClientMessage| {
        socket.send(Message::Text(message.encode().unwrap().into())).unwrap();
    };
    say(&mut socket, ClientMessage::hello("end-to-end"));
    let subscription = Subscription { id: 1, globs: vec!["**".into()], max_rate_hz: Some(10.0) };
    say(&mut socket, ClientMessage::Subscribe(subscription));

    // Everything that the devices publish comes to the socket, and the API says the same.
    let mut seen = std::collections::BTreeMap::new();
    let began = Instant::now();
    while seen.len() < 1000 {
        assert!(began.elapsed() < PATIENCE, "only {} points came", seen.len());
        if let Message::Binary(bytes) = socket.read().unwrap() {
            for sample in DataFrame::decode(&bytes).unwrap().samples {
                seen.insert(sample.point, (sample.time, sample.value));
            }
        }
    }
    let catalogue: campanile_protocol::Catalogue = get(&hub, "catalogue");
    let mut equal = 0;
    for (point, (time, value)) in seen.iter().take(200) {
        let info = &catalogue.points[point.index()];
        let answer: PointValue = get(&hub, &format!("value?point={}", info.path));
        let reading = answer.reading.unwrap();
        assert!(reading.time_us >= time.0, "the API is behind the socket at {}", info.path);
        if reading.time_us == time.0 {
            assert_eq!(reading.value, JsonValue::from_value_of(value, &info.choices), "{}", info.path);
            equal += 1;
        }
    }
    assert!(equal > 100, "only {equal} of 200 could be compared");

    // A command goes out to the device, which does it and says so.
    let write = ClientMessage::Write {
        request: 7,
        point: setpoint.clone(),
        value: JsonValue::Number(22.0),
        priority: 8,
        expiry_s: Some(3600.0),
        reason: "end-to-end".into(),
    };
    say(&mut socket, write);
    let began = Instant::now();
    let (mut taken, mut confirmed) = (false, false);
    while !(taken && confirmed) {
        assert!(began.elapsed() < Duration::from_secs(400), "taken {taken}, confirmed {confirmed}");
        if let Message::Text(text) = socket.read().unwrap() {
            match ServerMessage::decode(&text).unwrap() {
                ServerMessage::Result { request: 7, ok, message, .. } => {
                    assert!(ok, "{message}");
                    taken = true;
                }
                ServerMessage::CommandState(state) if state.point == setpoint => {
                    assert_eq!(state.effective, JsonValue::Number(22.0));
                    confirmed |= state.confirmed == Some(true);
                }
                _ => {}
            }
        }
    }
    let body = serde_json::json!({"point": setpoint, "value": 99.0, "reason": "too warm"});
    let (status, outcome) = post(&hub, "commands", &body);
    assert!(status == 422 && !outcome.ok && outcome.message.contains("limits"), "{status} {outcome:?}");
    let body = serde_json::json!({"point": setpoint, "reason": "over"});
    let (status, outcome) = post(&hub, "commands/relinquish", &body);
    assert!(status == 200 && outcome.ok, "{status} {outcome:?}");
}

#[test]
fn a_command_survives_a_killed_hub_and_reaches_a_device_that_comes_later() {
    let data = tempfile::tempdir().unwrap();
    let first = hub(data.path());
    let points: PointsAnswer = get(&first, "points?glob=*/*/*/ac/setpoint&limit=1");
    let setpoint = points.points[0].info.path.to_string();
    let body = serde_json::json!({"point": setpoint, "value": 23.0, "reason": "to be kept"});
    let (status, outcome) = post(&first, "commands", &body);
    assert!(status == 200 && outcome.ok, "{status} {outcome:?}");
    // SIGKILL: the answer was the promise that it is on the disk.
    drop(first);
    let second = hub(data.path());
    let held: CommandsAnswer = get(&second, "commands");
    let [command] = held.commands.as_slice() else { panic!("{held:?}") };
    assert_eq!((command.point.as_str(), &command.effective), (setpoint.as_str(), &JsonValue::Number(23.0)));
    assert_eq!(command.slots[0].reason, "to be kept");
    let _devices = Running(
        campanile()
            .args(["devices", "--broker", &second.broker, "--campus"])
            .arg(demo())
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until("the device obeys what was asked for before it was there", || {
        let held: CommandsAnswer = get(&second, "commands");
        (held.commands[0].confirmed == Some(true)).then_some(())
    });
}

/// The correctly rounded sum, by another way than the store's: in integers of 2^-64, where no sum rounds.
fn exact_sum(values: &[f64]) -> f64 {
    let unit = 2f64.powi(64);
    let whole: i128 = values
        .iter()
        .map(|v| {
            assert!((v * unit) as i128 as f64 == v * unit && v.abs() < 1e9, "{v} is no multiple of 2^-64");
            (v * unit) as i128
        })
        .sum();
    whole as f64 / unit
}

#[test]
fn recorded_years_come_out_of_history_bit_for_bit_with_gaps_and_sum() {
    let roots = std::env::var_os("CAMPANILE_DATA").map(PathBuf::from);
    let beside = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../../shared/data");
    let folder = roots.unwrap_or(beside).join("energy/bdg1");
    if !folder.is_dir() {
        println!("skipped: {} is not there; set CAMPANILE_DATA to the folder of real data", folder.display());
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = hub(data.path());
    // A school with clock changes and gaps, and a dormitory.
    let points: PointsAnswer = get(&hub, "points?glob=**/energy&limit=2");
    for (meter, zone, point) in
        [("PrimClass_Jaden", "Europe/London", 0), ("UnivDorm_Prince", "America/New_York", 1)]
    {
        year_through(
            &hub,
            &folder.join(format!("{meter}.slim.csv")),
            zone,
            points.points[point].info.path.as_str(),
        );
    }
}

fn year_through(hub: &Hub, file: &Path, zone: &str, point: &str) {
    let map = format!("energy_kwh={point}");
    let fed = campanile()
        .arg("feed")
        .arg(file)
        .args([
            "--broker",
            &hub.broker,
            "--zone",
            zone,
            "--speed",
            "max",
            "--json",
            "--map",
            &map,
            "--campus",
        ])
        .arg(demo())
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&fed.stdout).unwrap();
    let samples = report["samples"].as_u64().unwrap();
    assert!(samples > 8000, "{report}");

    let export = || {
        let url =
            format!("{}/api/v1/history/export.csv?point={point}&from_us=0&to_us=4000000000000000", hub.api);
        ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()
    };
    let text =
        until("the history has the year", || Some(export()).filter(|t| t.lines().count() as u64 > samples));
    let stored: Vec<f64> =
        text.lines().skip(1).map(|l| l.split(',').nth(2).unwrap().parse().unwrap()).collect();
    let original: Vec<f64> = std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|l| l.split(',').nth(1).unwrap().parse().ok())
        .collect();
    assert_eq!(stored.len(), original.len(), "a gap has to stay a gap");
    for (stored, original) in stored.iter().zip(&original) {
        assert_eq!(stored.to_bits(), original.to_bits());
    }
    let time = |line: &str| {
        let text = line.split(',').nth(1).unwrap();
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    };
    let (first, last) = (time(text.lines().nth(1).unwrap()), time(text.lines().last().unwrap()));
    let width_s = (last - first) / 1_000_000 + 1;
    let asked = format!("history/buckets?point={point}&from_us={first}&to_us={}&width_s={width_s}", last + 1);
    let answer: BucketsAnswer = get(hub, &asked);
    let [whole] = answer.buckets.as_slice() else { panic!("one stretch was asked for") };
    assert_eq!(whole.count as usize, original.len());
    assert_eq!(whole.sum.to_bits(), exact_sum(&original).to_bits(), "{} kWh", whole.sum);
}

#[test]
fn wrong_use_gets_a_clear_error_and_its_exit_code() {
    for (args, code, words) in [
        (vec!["check", "/nowhere"], 1, "plan.json"),
        (vec!["hub", "--data", "/tmp/x", "--campus", "/nowhere"], 2, "can't be used"),
        (vec!["snapshot", "--hub", "http://127.0.0.1:1", "--out", "/tmp/x.png"], 3, ""),
        (vec!["feed", "/nowhere.csv", "--map", "a=b"], 2, "no point 'b'"),
        (vec!["history", "last", "--data", "/nowhere"], 2, "no data folder"),
        (vec!["--log", "a=b=c", "openapi"], 2, "--log"),
    ] {
        let out = campanile().args(&args).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let listen = ["hub", "--listen", "0.0.0.0:0", "--data", "/tmp/x"];
    let out = campanile().args(listen).output().unwrap();
    assert!(String::from_utf8_lossy(&out.stderr).contains("beyond loopback"));
}

#[test]
fn a_stopped_hub_has_stored_what_its_broker_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let mut hub = hub(data.path());
    let point = "substation/1f/switchgear/utility-meter-1/energy";
    let file = data.path().join("burst.csv");
    let start: jiff::Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let rows: String = (0..30_000)
        .map(|i| {
            format!("{},{i}\n", (start + jiff::SignedDuration::from_secs(i)).strftime("%Y-%m-%d %H:%M:%S"))
        })
        .collect();
    std::fs::write(&file, format!("timestamp_local,kwh\n{rows}")).unwrap();
    let fed = campanile()
        .arg("feed")
        .arg(&file)
        .args(["--broker", &hub.broker, "--zone", "UTC", "--speed", "max", "--json", "--map"])
        .arg(format!("kwh={point}"))
        .arg("--campus")
        .arg(demo())
        .output()
        .unwrap();
    assert!(fed.status.success(), "{}", String::from_utf8_lossy(&fed.stderr));
    // At once, as a person would press Ctrl-C.
    let id = hub.child.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(hub.child.0.wait().unwrap().success());
    let export = campanile()
        .args(["history", "export", "--data"])
        .arg(data.path())
        .args(["--point", point, "--campus"])
        .arg(demo())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&export.stdout).lines().count(), 30_001);
}

fn guide() -> String {
    std::fs::read_to_string(root().join("docs/operating.md")).unwrap()
}

/// The demo campus with the n-th TOML of the guide at the end of its `campus.toml`.
fn campus_with_binding(n: usize) -> tempfile::TempDir {
    let guide = guide();
    let block = guide.split("```toml").nth(n).and_then(|rest| rest.split("```").next()).unwrap();
    let block: String = block.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    assert!(block.contains("[[bind]]"), "{block}");
    campus_and(&block)
}

fn campus_and(block: &str) -> tempfile::TempDir {
    let own = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(demo()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        std::fs::copy(&path, own.path().join(path.file_name().unwrap())).unwrap();
    }
    let campus = own.path().join("campus.toml");
    let text = std::fs::read_to_string(&campus).unwrap();
    std::fs::write(&campus, format!("{text}\n{block}")).unwrap();
    own
}

/// What the guide tells an operator to write is accepted as written: JSON, and Sparkplug B.
#[test]
fn the_bindings_of_the_guide_are_in_order() {
    for n in [1, 2] {
        let own = campus_with_binding(n);
        let checked = campanile().arg("check").arg(own.path()).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        assert!(String::from_utf8_lossy(&checked.stdout).contains("0 errors, 0 warnings"));
    }
}

/// The bytes that a `printf` of the guide writes: plain characters and three octal digits after a backslash.
fn printf_bytes(line: &str) -> Vec<u8> {
    let text = line.split('\'').nth(1).unwrap();
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'\\' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..3]).unwrap(), 8).unwrap());
            rest = &after[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

/// The guide's two messages of Sparkplug B bring their values to the API; the node's death makes the point stale.
#[test]
fn the_sparkplug_messages_of_the_guide_come_through() {
    let (own, data) = (campus_with_binding(2), tempfile::tempdir().unwrap());
    let hub = Hub::of(own.path(), data.path());
    let node = node_at(&hub);
    let point = "value?point=substation/1f/switchgear/utility-meter-1/energy";
    let reading = |wanted: f64, quality: campanile_model::Quality| {
        until("the reading", || {
            let value: PointValue = get(&hub, point);
            value.reading.filter(|r| r.value == JsonValue::Number(wanted) && r.quality == quality)
        })
    };
    let guide = guide();
    let messages: Vec<Vec<u8>> =
        guide.lines().filter(|l| l.starts_with("printf")).map(printf_bytes).collect();
    let topic = |verb: &str| format!("spBv1.0/school/{verb}/substation");
    for (message, (verb, value)) in messages.iter().zip([("NBIRTH", 12.5), ("NDATA", 13.0)]) {
        assert!(guide.contains(&topic(verb)));
        node.publish(&topic(verb), message.clone(), false).unwrap();
        reading(value, campanile_model::Quality::Good);
    }
    let gateway: serde_json::Value = get(&hub, "gateway");
    let status = &gateway["sparkplug"]["nodes"][0];
    assert_eq!((&status["node"], &status["online"]), (&"school/substation".into(), &true.into()));
    // The death has the number of the session, as the birth had it: bdSeq 0.
    let death = b"\x12\x0b\x0a\x05bdSeq\x20\x04\x58\x00".to_vec();
    node.publish(&topic("NDEATH"), death, false).unwrap();
    reading(13.0, campanile_model::Quality::Stale);
}

/// A client at the hub's broker that publishes what it is told.
fn node_at(hub: &Hub) -> campanile_gateway::Publisher {
    let (host, port) = campanile_server::host_port(&hub.broker).unwrap();
    let config = campanile_gateway::PublisherConfig {
        host,
        port,
        client_id: "node".to_owned(),
        ..campanile_gateway::PublisherConfig::default()
    };
    let empty = std::sync::Arc::new(campanile_model::Campus::default());
    let node = campanile_gateway::Publisher::start(config, empty).unwrap();
    node.wait_connected(Duration::from_secs(10)).unwrap();
    node
}

/// A command waits for the birth of its device, goes out then, and is confirmed by the metric's value.
#[test]
fn a_setpoint_in_sparkplug_is_commanded_when_its_device_is_born_and_confirmed_by_its_value() {
    use campanile_gateway::sparkplug::{Metric, Payload, Raw, datatype};
    let first = hub(tempfile::tempdir().unwrap().path());
    let points: PointsAnswer = get(&first, "points?glob=*/*/*/ac/setpoint&limit=1");
    drop(first);
    let setpoint = points.points[0].info.path.to_string();
    let own = campus_and(&format!(
        "[[bind]]\npoints = \"{setpoint}\"\nsparkplug = {{ group = \"g\", node = \"n\", device = \"d\", metric = \"Set\" }}\n"
    ));
    let data = tempfile::tempdir().unwrap();
    let hub = Hub::of(own.path(), data.path());
    let sent = || get::<serde_json::Value>(&hub, "gateway")["commands"].as_u64().unwrap();
    let body = serde_json::json!({"point": setpoint, "value": 23.0, "reason": "test"});
    let (status, outcome) = post(&hub, "commands", &body);
    assert!(status == 200 && outcome.ok, "{status} {outcome:?}");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(sent(), 0, "nobody has said yet what the metric is");

    let node = node_at(&hub);
    let publish = |topic: &str, seq: u64, metrics: Vec<Metric<'_>>| {
        let payload = Payload { timestamp: None, seq: Some(seq), metrics }.encode();
        node.publish(&format!("spBv1.0/g/{topic}"), payload, false).unwrap();
    };
    let set = |x: f32| Metric::new("Set", datatype::FLOAT, Raw::Float(x));
    publish("NBIRTH/n", 0, vec![Metric::new("bdSeq", datatype::INT64, Raw::Long(0))]);
    publish("DBIRTH/n/d", 1, vec![set(26.0)]);
    until("the command to go out", || (sent() == 1).then_some(()));
    publish("DDATA/n/d", 2, vec![set(23.0)]);
    until("the command to be confirmed", || {
        let held: CommandsAnswer = get(&hub, "commands");
        held.commands.iter().find(|c| c.point.as_str() == setpoint)?.confirmed.filter(|c| *c)
    });
}

/// What a folder names is read, not only found.
#[test]
fn terrain_and_weather_that_cannot_be_read_are_errors_with_a_mend() {
    for (file, code) in [("terrain.tif", "terrain"), ("weather.epw", "weather")] {
        let own = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(demo()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            std::fs::copy(&path, own.path().join(path.file_name().unwrap())).unwrap();
        }
        std::fs::write(own.path().join(file), "nothing of the kind").unwrap();
        let checked = campanile().arg("check").arg(own.path()).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("error[{code}]")) && said.contains("mend: It has to be"), "{said}");
    }
}

#[test]
fn a_recorded_hub_replays_to_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("day.rec");
    let run = |arguments: &[&str]| campanile().args(arguments).output().unwrap();
    let (campus, data, file) = (demo(), folder.path().join("data"), record.display().to_string());
    let (campus, data) = (campus.display().to_string(), data.display().to_string());
    let hub = ["hub", "--campus", &campus, "--data", &data, "--listen", "127.0.0.1:0", "--broker-port", "0"];
    let ran = run(&[&hub[..], &["--record", &file, "--for", "2", "--json"]].concat());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let replayed = run(&["world", "replay", &file, "--campus", &campus, "--json"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let did: serde_json::Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(did["same"], true);
    assert!(did["hashes_equal"].as_u64().unwrap() >= 2 && did["inputs"].as_u64().unwrap() >= 4, "{did}");
    let again = run(&[&hub[..], &["--record", &file, "--for", "2"]].concat());
    assert_eq!(again.status.code(), Some(3), "a record that is there is not overwritten");
    let text = run(&["world", "replay", &format!("{campus}/campus.toml"), "--campus", &campus]);
    assert_eq!(text.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&text.stderr).contains("no record"), "{text:?}");
}

#[test]
fn alarms_go_out_as_a_list_and_only_what_was_changed_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(demo()).unwrap().map(|f| f.unwrap().path()) {
        if file.is_dir() {
            continue;
        }
        std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    let campus = folder.path().display().to_string();
    let list = folder.path().join("alarms.toml");
    let export = |glob: &str| {
        let out =
            campanile().args(["alarms", "export", "--campus", &campus, "--points", glob]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let import = |text: &str| {
        std::fs::write(&list, text).unwrap();
        let list = list.display().to_string();
        campanile().args(["alarms", "import", &list, "--campus", &campus]).output().unwrap()
    };
    let before = std::fs::read(folder.path().join("campus.toml")).unwrap();
    let as_is = export("canteen/**");
    assert!(import(&as_is).status.success());
    assert_eq!(std::fs::read(folder.path().join("campus.toml")).unwrap(), before, "nothing was changed");
    let co2 = export("canteen/1f/dining-1/co2");
    assert!(import(&co2.replacen("above = 1500.0", "above = 1200.0", 1)).status.success());
    assert!(export("canteen/1f/dining-1/co2").contains("above = 1200.0"));
    assert_eq!(std::fs::read(folder.path().join("campus.toml.bak")).unwrap(), before);
    let now = std::fs::read(folder.path().join("campus.toml")).unwrap();
    let bad = import(&co2.replacen("above = 1500.0", "above = 99999.0", 1));
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("nothing was written"), "{bad:?}");
    assert_eq!(std::fs::read(folder.path().join("campus.toml")).unwrap(), now);
}
