//! The built command as edge nodes of Sparkplug B: simulated devices and a recorded meter, with the hub's own broker and
//! with Mosquitto.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use campanile_gateway::Mosquitto;
use campanile_model::Quality;
use campanile_protocol::JsonValue;
use campanile_protocol::rest::{CommandsAnswer, PointValue, RangeAnswer};
use common::{Hub, Running, campanile, demo, get, hub_command, until};
use serde_json::Value as Json;

const METER: &str = "substation/1f/switchgear/utility-meter-1/energy";
/// A room whose points are those of a device, and a meter that is a node of its own.
const BINDINGS: &str = r#"
[[bind]]
points = "teaching-a/2f/201/**"
sparkplug = { group = "school", node = "teaching-a", device = "{slug}", metric = "{point}" }

[[bind]]
points = "substation/1f/switchgear/utility-meter-1/energy"
sparkplug = { group = "school", node = "substation", metric = "kWh" }
"#;

fn campus() -> tempfile::TempDir {
    let own = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(demo()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        std::fs::copy(&path, own.path().join(path.file_name().unwrap())).unwrap();
    }
    let file = own.path().join("campus.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{BINDINGS}")).unwrap();
    own
}

/// A hub with a broker of its own, or at the one that is named.
fn hub(campus: &Path, data: &Path, broker: Option<&str>) -> Hub {
    match broker {
        Some(broker) => {
            let hub = Hub::start(hub_command(campus, data).args(["--broker", broker]));
            Hub { broker: broker.to_owned(), ..hub }
        }
        None => Hub::of(campus, data),
    }
}

fn until_quality(hub: &Hub, point: &str, wanted: Quality) {
    until(&format!("{point} is {wanted:?}"), || {
        get::<PointValue>(hub, &format!("value?point={point}")).reading.filter(|r| r.quality == wanted)
    });
}

fn node(hub: &Hub, name: &str) -> Json {
    let gateway: Json = get(hub, "gateway");
    let nodes = gateway["sparkplug"]["nodes"].as_array().unwrap();
    nodes.iter().find(|n| n["node"] == name).unwrap().clone()
}

fn devices(campus: &Path, broker: &str) -> Running {
    let mut command = campanile();
    command.args(["devices", "--sparkplug", "--broker", broker, "--campus"]).arg(campus);
    Running(command.stdout(Stdio::null()).spawn().unwrap())
}

fn feed(campus: &Path, broker: &str, file: &Path, more: &[&str]) -> Command {
    let mut command = campanile();
    command.arg("feed").arg(file).arg("--campus").arg(campus).args(["--broker", broker, "--zone", "UTC"]);
    command.args(["--map", &format!("kwh={METER}")]).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn everywhere(test: impl Fn(Option<String>)) {
    test(None);
    match Mosquitto::find() {
        Some(program) => {
            let broker = Mosquitto::start(&program, 0).unwrap();
            test(Some(format!("127.0.0.1:{}", broker.port())));
        }
        None => println!("skipped with Mosquitto: it is not installed"),
    }
}

#[test]
fn devices_are_edge_nodes_with_births_commands_deaths_and_births_again() {
    let co2 = "teaching-a/2f/201/co2";
    let setpoint = "teaching-a/2f/201/ac/setpoint";
    everywhere(|broker| {
        let (campus, data) = (campus(), tempfile::tempdir().unwrap());
        let first = hub(campus.path(), data.path(), broker.as_deref());
        let at = first.broker.clone();
        let edge = devices(campus.path(), &at);
        until_quality(&first, co2, Quality::Good);
        until_quality(&first, METER, Quality::Good);
        let state = node(&first, "school/teaching-a");
        assert_eq!((&state["online"], &state["missing"]), (&true.into(), &serde_json::json!([])));
        assert!(state["devices"].as_array().unwrap().iter().all(|d| d["online"] == true), "{state}");

        let body = serde_json::json!({"point": setpoint, "value": 23.0, "reason": "test"}).to_string();
        let url = format!("{}/api/v1/commands", first.api);
        ureq::post(url).header("content-type", "application/json").send(body).unwrap();
        until("the command to be confirmed by the metric's value", || {
            let held: CommandsAnswer = get(&first, "commands");
            held.commands.iter().find(|c| c.point.as_str() == setpoint)?.confirmed.filter(|c| *c)
        });
        let value: PointValue = get(&first, &format!("value?point={setpoint}"));
        assert_eq!(value.reading.unwrap().value, JsonValue::Number(23.0));

        // Killed, it can't say so: the broker does.
        drop(edge);
        until_quality(&first, co2, Quality::Stale);
        until_quality(&first, METER, Quality::Stale);
        let deaths = |hub: &Hub| node(hub, "school/teaching-a")["deaths"].as_u64().unwrap();
        assert!(deaths(&first) >= 1);
        let _edge = devices(campus.path(), &at);
        until_quality(&first, co2, Quality::Good);

        if broker.is_some() {
            // A hub that comes later asks for births, and has every value at once.
            drop(first);
            let second = hub(campus.path(), data.path(), broker.as_deref());
            until_quality(&second, setpoint, Quality::Good);
            let state = node(&second, "school/teaching-a");
            assert!(state["rebirths_asked"].as_u64().unwrap() >= 1 && state["gaps"] == 0, "{state}");
        }
    });
}

#[test]
fn a_recorded_meter_plays_as_its_edge_node_with_every_value_and_time() {
    let rows: Vec<(i64, f64)> =
        (0..3000_i64).map(|n| (1_700_000_100 + n * 900, 10.0 + (n % 7) as f64 / 8.0)).collect();
    let line = |(s, x): &(i64, f64)| {
        let time = jiff::Timestamp::from_second(*s).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string();
        format!("{time},{x}\n")
    };
    let text: String = rows.iter().map(line).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meter.csv");
    std::fs::write(&file, format!("timestamp_local,kwh\n{text}")).unwrap();
    everywhere(|broker| {
        let (campus, data) = (campus(), tempfile::tempdir().unwrap());
        let hub = hub(campus.path(), data.path(), broker.as_deref());
        let refused = feed(campus.path(), &hub.broker, &file, &["--speed", "max"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        assert!(said(&refused).contains("mend: say --sparkplug"), "{}", said(&refused));
        let played =
            feed(campus.path(), &hub.broker, &file, &["--speed", "max", "--sparkplug"]).output().unwrap();
        assert!(played.status.success(), "{}", said(&played));
        assert!(said(&played).contains("3000 samples of 3000 rows, all sent"), "{}", said(&played));
        let (from, to) = (rows[0].0 * 1_000_000, rows[2999].0 * 1_000_000 + 1);
        let stored = until("all samples in the history", || {
            let path = format!("history/range?point={METER}&from_us={from}&to_us={to}&limit=5000");
            let answer: RangeAnswer = get(&hub, &path);
            (answer.times_us.len() >= rows.len()).then_some(answer)
        });
        assert_eq!(stored.times_us, rows.iter().map(|(s, _)| s * 1_000_000).collect::<Vec<_>>());
        assert_eq!(stored.values, rows.iter().map(|(_, x)| JsonValue::Number(*x)).collect::<Vec<_>>());
        let state = node(&hub, "school/substation");
        assert_eq!((&state["gaps"], &state["births"]), (&0.into(), &1.into()), "{state}");
        until("its death, at the end", || (node(&hub, "school/substation")["online"] == false).then_some(()));
    });
}

#[test]
fn a_feed_that_is_stopped_reports_what_it_did() {
    let (campus, data) = (campus(), tempfile::tempdir().unwrap());
    let hub = hub(campus.path(), data.path(), None);
    let file = data.path().join("meter.csv");
    std::fs::write(&file, "timestamp_local,kwh\n2026-01-01 00:00:00,1\n2026-01-01 01:00:00,2\n").unwrap();
    let child = feed(campus.path(), &hub.broker, &file, &["--sparkplug", "--json"]).spawn().unwrap();
    until("the first row", || (node(&hub, "school/substation")["births"] == 1).then_some(()));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["stopped"], &report["samples"]), (&true.into(), &1.into()), "{report}");
    assert_eq!(report["unacknowledged"], 0);
}

#[test]
fn points_say_where_they_are_in_the_field_and_without_metrics_the_mend_is_told() {
    let campus = campus();
    let points = |more: &[&str]| {
        let output =
            campanile().args(["points", METER, "--campus"]).arg(campus.path()).args(more).output().unwrap();
        said(&output)
    };
    assert!(points(&[]).contains("Sparkplug school/substation 'kWh'"), "{}", points(&[]));
    let json: Json = serde_json::from_str(&points(&["--json"])).unwrap();
    let expected =
        serde_json::json!({"group": "school", "node": "substation", "device": null, "metric": "kWh"});
    assert_eq!(json[0]["sparkplug"], expected);
    for command in [
        vec!["devices", "--sparkplug"],
        vec![
            "feed",
            "/dev/null",
            "--sparkplug",
            "--map",
            "kwh=substation/1f/switchgear/utility-meter-2/energy",
        ],
    ] {
        let output = campanile().args(&command).arg("--campus").arg(demo()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(said(&output).contains("sparkplug = { group"), "{command:?}: {}", said(&output));
    }
}
