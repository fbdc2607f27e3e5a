//! Plugins in a running hub: from a package to work in the living campus, and what happens when they fail. The plugins are
//! scripts, so that each test says what its plugin does; the interpreter is built by `scripts/guests.sh`, and where it is
//! missing these tests say so and skip.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_gateway::{Publisher, PublisherConfig};
use campanile_model::{Campus, Quality, Sample, Timestamp, Value};
use campanile_plugins::{Package, SecretKey};
use campanile_server::{Broker, Hub, HubConfig};
use serde_json::{Value as Json, json};

const PATIENCE: Duration = Duration::from_secs(60);
const CO2: &str = "teaching-a/2f/203/co2";
const SETPOINT: &str = "teaching-a/2f/203/ac/setpoint";

/// Whether the interpreter of scripts is there.
fn can_run() -> bool {
    let dir = campanile_plugins::shipped_dir();
    let there = dir.as_ref().is_some_and(|dir| dir.join("rhai-rule.wasm").is_file());
    if !there {
        println!(
            "skipped: {dir:?} has no rhai-rule.wasm (built by scripts/guests.sh; CAMPANILE_PLUGINS names its folder)"
        );
    }
    there
}

fn campus() -> Arc<Campus> {
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
    Arc::new(campanile_model::open(&scene).unwrap())
}

fn start(data: &Path) -> Hub {
    let config = HubConfig::new(campus(), data.to_owned()).broker(Broker::Embedded { port: 0 });
    Hub::start(config).unwrap()
}

/// A plugin of one script, which sees CO₂ and setpoints and may command these.
fn package(version: &str, more: &str, script: &str) -> Package {
    let dir = tempfile::tempdir().unwrap();
    let manifest = format!(
        r#"
format = "campanile-plugin/1"
id = "tried"
version = "{version}"
api = "0.1.0"
kind = "rule"
zh-CN = "试用"
en = "Tried"
summary = {{ zh-CN = "试用插件。", en = "A plugin on trial." }}
vendor = "Tinglan"
script = {{ interpreter = "rhai", file = "main.rhai" }}
[subscribe]
points = ["**/co2"]
tick_s = 1
[capability]
read = ["**/co2", "**/ac/setpoint"]
command = {{ points = ["**/ac/setpoint"], priority = [12, 12] }}
[[setting]]
id = "word"
zh-CN = "词"
en = "Word"
default = "first"
[limits]
call_ms = 1000
{more}
"#
    );
    std::fs::write(dir.path().join("plugin.toml"), manifest).unwrap();
    std::fs::write(dir.path().join("main.rhai"), script).unwrap();
    Package::pack(dir.path()).unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

fn url(hub: &Hub, path: &str) -> String {
    format!("{}/api/v1/{path}", hub.url())
}

/// Asks; a hub that begins anew cuts what is under way, and who asks does so again.
fn get(hub: &Hub, path: &str) -> Json {
    let mut answer = until("an answer", || agent().get(url(hub, path)).call().ok());
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap_or(Json::Null)
}

fn post(hub: &Hub, path: &str, body: &Json) -> (u16, Json) {
    let mut answer = agent().post(url(hub, path)).send_json(body).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
}

fn send(hub: &Hub, package: &Package, unsigned: bool) -> (u16, Json) {
    let to = url(hub, &format!("plugins/packages?unsigned={unsigned}"));
    let mut answer =
        agent().post(to).content_type("application/zip").send(&package.bytes().unwrap()[..]).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
}

/// Sends a package and approves all that it asks for.
fn install(hub: &Hub, package: &Package) -> Json {
    let (status, lies) = send(hub, package, true);
    assert_eq!(status, 200, "{lies}");
    let approve = json!({
        "plugin": lies["id"], "version": lies["version"]["version"], "package": lies["version"]["package"],
    });
    let (status, answer) = post(hub, "plugins/approve", &approve);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "it did not come: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn info(hub: &Hub) -> Json {
    get(hub, "plugins")["plugins"]
        .as_array()
        .and_then(|all| all.iter().find(|p| p["id"] == "tried").cloned())
        .unwrap()
}

fn state(hub: &Hub) -> String {
    info(hub)["state"]["is"].as_str().unwrap().to_owned()
}

fn lines(hub: &Hub) -> Vec<String> {
    let lines = get(hub, "plugins/logs?plugin=tried&limit=1000")["lines"].clone();
    lines.as_array().unwrap().iter().map(|l| l["text"].as_str().unwrap().to_owned()).collect()
}

fn said(hub: &Hub, what: &str) {
    until(what, || lines(hub).iter().any(|line| line.contains(what)).then_some(()));
}

fn held(hub: &Hub) -> Option<Json> {
    let all = get(hub, &format!("commands?glob={SETPOINT}"));
    let slots = all["commands"].get(0)?["slots"].as_array()?.clone();
    slots.into_iter().find(|slot| slot["actor"] == "plugin:tried")
}

#[test]
fn a_package_is_looked_at_approved_at_work_stopped_changed_and_taken_away() {
    if !can_run() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    let script = format!(
        r#"
        fn start(settings) {{ this.word = settings.word; }}
        fn on_tick(now) {{
            let n = store::get("n");
            n = if n == () {{ 1 }} else {{ n + 1 }};
            store::set("n", n);
            log::info(`${{this.word}} ${{n}}`);
            let point = points::by_path("{SETPOINT}").point;
            commands::one(#{{ point: point, value: 27.0, priority: 12, expires_s: 600.0, reason: "warm enough" }});
        }}"#
    );
    let one = package("1.0.0", "", &script);

    // Nobody has signed it: it is refused, unless that is allowed.
    let (status, why) = send(&hub, &one, false);
    assert_eq!((status, why["code"].as_str()), (409, Some("conflict")), "{why}");
    let (status, lies) = send(&hub, &one, true);
    assert_eq!(status, 200, "{lies}");
    assert!(lies["asks"].to_string().contains("slot"), "{lies}");
    assert_eq!(state(&hub), "not-approved");

    // Another package than was seen is not approved, nor is a setting that is none.
    let approve = |package: &str, settings: Json| {
        let body = json!({"plugin": "tried", "version": "1.0.0", "package": package, "settings": settings, "reason": "a trial"});
        post(&hub, "plugins/approve", &body)
    };
    let hash = lies["version"]["package"].as_str().unwrap().to_owned();
    assert_eq!(approve(&"0".repeat(64), json!({})).0, 409);
    assert_eq!(approve(&hash, json!({"wrod": "x"})).0, 400);
    assert_eq!(state(&hub), "not-approved");
    let (status, answer) = approve(&hash, json!({}));
    assert_eq!((status, &answer["restarts"]), (200, &json!(false)), "{answer}");
    said(&hub, "first 2");
    let slot = until("the command", || held(&hub));
    assert_eq!((slot["priority"].as_u64(), slot["reason"].as_str()), (Some(12), Some("warm enough")));

    // Other settings: it goes on with what it remembers.
    let settings = json!({"plugin": "tried", "settings": {"word": "second"}});
    assert_eq!(post(&hub, "plugins/settings", &settings).0, 204);
    said(&hub, "second ");
    assert!(!lines(&hub).iter().any(|line| line == "second 1"), "it has forgotten");

    // Stopped, what it commands is let go; begun again, it goes on.
    assert_eq!(post(&hub, "plugins/stop", &json!({"plugin": "tried", "reason": "no more"})).0, 204);
    until("let go", || held(&hub).is_none().then_some(()));
    assert_eq!(state(&hub), "stopped");
    assert_eq!(post(&hub, "plugins/start", &json!({"plugin": "tried"})).0, 204);
    until("the command", || held(&hub));

    // The hub ends and begins again: it is at work, and remembers.
    let before = info(&hub)["work"]["calls"].as_u64().unwrap();
    assert!(before > 2);
    hub.stop();
    let hub = start(data.path());
    until("at work", || (state(&hub) == "working").then_some(()));
    said(&hub, "second ");
    let first = lines(&hub)[0].clone();
    let n: u64 = first.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(n > 3, "{first}");

    // A new version takes its place, and an older one again.
    let two = package("1.1.0", "", &script.replace("this.word = settings.word", "this.word = \"two\""));
    install(&hub, &two);
    said(&hub, "two ");
    assert_eq!(info(&hub)["version"], "1.1.0");
    install(&hub, &one);
    assert_eq!(info(&hub)["version"], "1.0.0");

    // It is on the record who did what.
    let audit = get(&hub, "audit?limit=200").to_string();
    for act in ["plugin-add", "plugin-approve", "plugin-settings", "plugin-stop", "plugin-start"] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
    assert!(audit.contains("plugin:tried"), "commands of plugins are on the record");

    // The version in force can't be taken away alone; the whole plugin can.
    let of = |version: Json| json!({"plugin": "tried", "version": version});
    assert_eq!(post(&hub, "plugins/remove", &of(json!("1.0.0"))).0, 409);
    assert_eq!(post(&hub, "plugins/remove", &of(json!("1.1.0"))).0, 200);
    assert_eq!(post(&hub, "plugins/remove", &json!({"plugin": "tried"})).0, 200);
    until("gone", || get(&hub, "plugins")["plugins"].as_array().unwrap().is_empty().then_some(()));
    until("let go", || held(&hub).is_none().then_some(()));
}

#[test]
fn a_plugin_that_fails_rests_is_told_of_by_an_alarm_and_stays_down_until_a_person_acts() {
    if !can_run() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    // It commands, and fails in the same call: nothing of it has happened.
    let script = format!(
        r#"fn on_tick(now) {{
            let point = points::by_path("{SETPOINT}").point;
            commands::one(#{{ point: point, value: 27.0, priority: 12, expires_s: 600.0, reason: "x" }});
            let a = [1];
            a[5]
        }}"#
    );
    install(&hub, &package("1.0.0", "", &script));
    until("resting", || (state(&hub) == "resting").then_some(()));
    let alarm = until("the alarm", || {
        let alarms = get(&hub, "alarms")["alarms"].clone();
        alarms.as_array()?.iter().find(|a| a["id"] == "plugin/tried#hub-failed@").cloned()
    });
    assert!(alarm["detail"]["en"].as_str().unwrap().contains("Tried"), "{alarm}");
    assert_eq!(held(&hub), None);
    assert!(lines(&hub).iter().any(|line| line.contains("main.rhai:")), "{:?}", lines(&hub));
    // A person mends it in the hub: the alarm is over.
    let mended =
        json!({"plugin": "tried", "text": "fn on_tick(now) { log::info(\"well\"); }", "reason": "mended"});
    let (status, answer) = post(&hub, "plugins/script", &mended);
    assert_eq!((status, &answer["error"]), (200, &Json::Null), "{answer}");
    said(&hub, "well");
    until("over", || {
        let alarms = get(&hub, "alarms")["alarms"].clone();
        let one = alarms.as_array()?.iter().find(|a| a["id"] == "plugin/tried#hub-failed@").cloned();
        one.is_none_or(|a| a["state"] == "returned-unacknowledged").then_some(())
    });
    assert_eq!(info(&hub)["version"], "1.0.1", "a script that was changed here is a version of its own");
}

#[test]
fn a_script_with_a_mistake_is_not_taken_and_its_place_is_told() {
    if !can_run() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    install(&hub, &package("1.0.0", "", "fn on_tick(now) { log::info(\"works\"); }"));
    said(&hub, "works");
    for (text, line) in
        [("fn on_tick(now) {\n  let x = ;\n}", 2), ("fn on_tick(now) {\n\n  no_such_function(1);\n}", 3)]
    {
        let change = json!({"plugin": "tried", "text": text});
        let (status, answer) = post(&hub, "plugins/script", &change);
        assert_eq!((status, answer["error"]["line"].as_u64()), (200, Some(line)), "{text}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("main.rhai"), "{answer}");
    }
    assert_eq!((state(&hub).as_str(), info(&hub)["version"].as_str()), ("working", Some("1.0.0")));
    // A denial that nobody catches is found when it happens, at the call that was denied.
    let denied = "fn on_tick(now) {\n  let all = points::find(\"**\");\n  points::read([99999]);\n}";
    let (status, answer) = post(&hub, "plugins/script", &json!({"plugin": "tried", "text": denied}));
    assert_eq!((status, answer), (200, json!({})));
    let error = until("the denial", || {
        let error = get(&hub, "plugins/script?plugin=tried")["error"].clone();
        error.is_object().then_some(error)
    });
    assert_eq!((error["line"].as_u64(), error["column"].as_u64()), (Some(3), Some(11)), "{error}");
    let good = json!({"plugin": "tried", "text": "fn on_tick(now) { log::info(\"works\"); }"});
    assert_eq!(post(&hub, "plugins/script", &good), (200, json!({})));
    let version = info(&hub)["version"].clone();
    // To try is not to change.
    let good = json!({"plugin": "tried", "text": "fn on_tick(now) {}", "check_only": true});
    assert_eq!(post(&hub, "plugins/script", &good), (200, json!({})));
    assert_eq!(info(&hub)["version"], version);
}

/// Points that a plugin derives are points of the campus: the hub begins anew by itself, on the same addresses, and what
/// devices send meanwhile is not lost.
#[test]
fn what_a_plugin_derives_is_a_point_of_the_campus_with_a_history() {
    if !can_run() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    let more = "[[derived]]\nid = \"worst\"\nzh-CN = \"最差\"\nen = \"Worst air\"\nunit = \"[ppm]\"\n";
    let script = r#"fn on_samples(samples) {
        let worst = 0.0;
        for s in samples { if s.number != () && s.number > worst { worst = s.number; } }
        points::publish([#{ id: "worst", value: worst, quality: "good" }]);
    }"#;
    let answer = install(&hub, &package("1.0.0", more, script));
    assert_eq!(answer["restarts"], true);
    until("at work", || (state(&hub) == "working").then_some(()));
    let point = "plugin/tried/worst";
    let feed = Feed::new(&hub);
    let value = until("the derived value", || {
        feed.send(1234.0);
        let answer = get(&hub, &format!("value?point={point}"));
        answer["value"].as_f64().or_else(|| answer["reading"]["value"].as_f64())
    });
    assert_eq!(value, 1234.0);
    let range = until("its history", || {
        let range = get(&hub, &format!("history/range?point={point}&from_us=0&to_us=9000000000000000"));
        (!range["values"].as_array()?.is_empty()).then_some(range)
    });
    assert!(range.to_string().contains("1234"), "{range}");
}

struct Feed {
    publisher: Publisher,
    point: campanile_model::PointId,
}

impl Feed {
    fn new(hub: &Hub) -> Self {
        let campus = campus();
        let broker = hub.broker_address().unwrap();
        let config = PublisherConfig {
            host: broker.ip().to_string(),
            port: broker.port(),
            client_id: "feed".to_owned(),
            ..PublisherConfig::default()
        };
        let point = campus.point_id(CO2).unwrap();
        let publisher = Publisher::start(config, campus).unwrap();
        publisher.wait_connected(PATIENCE).unwrap();
        Self { publisher, point }
    }

    fn send(&self, x: f64) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let time = Timestamp(now.as_micros() as i64);
        let sample = Sample { point: self.point, time, value: Value::Number(x), quality: Quality::Good };
        self.publisher.publish_samples(&[sample]).unwrap();
    }
}

/// Samples are numbered; while they come, the plugin is swapped again and again, and each is heard once.
#[test]
fn a_swap_while_it_works_loses_no_sample() {
    if !can_run() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    let script = r#"fn on_samples(samples) {
        let seen = store::get("seen");
        if seen == () { seen = [0, 0]; }
        for s in samples {
            if s.number >= 1000.0 { seen[0] += 1; seen[1] += s.number.to_int(); }
        }
        store::set("seen", seen);
        log::info(`seen ${seen[0]} ${seen[1]}`);
    }"#;
    install(&hub, &package("1.0.0", "", script));
    let feed = Feed::new(&hub);
    // It hears from the moment that it is at work.
    until("the first", || {
        feed.send(900.0);
        lines(&hub).iter().any(|line| line.contains("seen 0 0")).then_some(())
    });
    const COUNT: u64 = 400;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..COUNT {
                feed.send(1000.0 + n as f64);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        for n in 0..10 {
            let settings = json!({"plugin": "tried", "settings": {"word": n.to_string()}});
            assert_eq!(post(&hub, "plugins/settings", &settings).0, 204);
        }
    });
    let sum: u64 = (0..COUNT).map(|n| 1000 + n).sum();
    let last = format!("seen {COUNT} {sum}");
    until(&last, || lines(&hub).iter().any(|line| line.contains(&last)).then_some(()));
}

#[test]
fn a_panel_is_shown_used_and_held_against_what_was_entered() {
    if !can_run() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    let more = "[[panel]]\nid = \"desk\"\nzh-CN = \"台\"\nen = \"Desk\"\n";
    let script = r#"
        fn on_tick(now) {
            panels::show("desk", panels::column("all", [
                panels::text("hello", words("你好", "Hello")),
                panels::form("ask", [panels::number_field("limit", words("限值", "Limit"), 400.0, 2000.0, 1000.0)],
                    words("保存", "Save")),
            ]));
        }
        fn on_panel(event) { log::info(`${event.person} set ${event.fields.limit}`); }"#;
    install(&hub, &package("1.0.0", more, script));
    let panel = until("the panel", || get(&hub, "plugins/panels")["panels"].get(0).cloned());
    assert_eq!((&panel["plugin"], &panel["names"]["en"]), (&json!("tried"), &json!("Desk")), "{panel}");
    let used = |node: &str, fields: Json| {
        post(
            &hub,
            "plugins/panel",
            &json!({"plugin": "tried", "panel": "desk", "node": node, "fields": fields}),
        )
        .0
    };
    assert_eq!(used("ask", json!({"limit": {"number": 3000.0}})), 400, "out of range");
    assert_eq!(used("ask", json!({"limit": {"text": "1200"}})), 400, "another kind");
    assert_eq!(used("ask", json!({})), 400, "nothing entered");
    assert_eq!(
        used("ask", json!({"limit": {"number": 1200.0}, "more": {"toggle": true}})),
        400,
        "a field too many"
    );
    assert_eq!(used("hello", json!({})), 400, "no button");
    assert_eq!(used("gone", json!({})), 400, "not there");
    assert_eq!(used("ask", json!({"limit": {"number": 1200.0}})), 204);
    said(&hub, "local set 1200");
}

#[test]
fn only_what_a_trusted_key_has_signed_is_taken_and_what_was_changed_never() {
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    let key = SecretKey::new("tinglan").unwrap();
    let signed = package("1.0.0", "", "fn on_tick(now) {}").sign(&key);
    let (status, why) = send(&hub, &signed, false);
    assert_eq!(status, 409);
    assert!(why.to_string().contains(&key.public().fingerprint()), "{why}");
    let trust = json!({"name": "tinglan", "key": key.public().hex(), "reason": "seen in person"});
    assert_eq!(post(&hub, "plugins/trust", &trust).0, 204);
    let (status, lies) = send(&hub, &signed, false);
    assert_eq!((status, &lies["version"]["signed_by"]), (200, &json!("tinglan")), "{lies}");
    // One bit of the script is another: the signature is no longer its own, and no leave helps.
    let changed = changed_behind_its_signature(&key);
    for unsigned in [false, true] {
        let (status, why) = send_bytes(&hub, &changed, unsigned);
        assert_eq!(status, 409, "{why}");
        assert!(why.to_string().contains("not what was signed"), "{why}");
    }
    assert_eq!(post(&hub, "plugins/trust", &json!({"name": "tinglan"})).0, 204);
    assert_eq!(get(&hub, "plugins/trust")["keys"], json!([]));
    assert!(info(&hub)["versions"][0]["problem"].as_str().unwrap().contains("does not trust"));
}

/// A package whose script was changed after it was signed: the same signature over another content.
fn changed_behind_its_signature(key: &SecretKey) -> Vec<u8> {
    let signed = package("2.0.0", "", "fn on_tick(now) { let a = 1; }").sign(key).bytes().unwrap();
    let other = package("2.0.0", "", "fn on_tick(now) { let a = 2; }");
    with_signature_of(&signed, &other)
}

/// The files of one package with the signature of another.
fn with_signature_of(signed: &[u8], other: &Package) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let mut zip = zip::ZipArchive::new(Cursor::new(signed)).unwrap();
    let mut signature = String::new();
    zip.by_name("SIGNATURE").unwrap().read_to_string(&mut signature).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let names: Vec<String> = other.files().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        out.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(other.file(&name).unwrap()).unwrap();
    }
    out.start_file("SIGNATURE", zip::write::SimpleFileOptions::default()).unwrap();
    out.write_all(signature.as_bytes()).unwrap();
    out.finish().unwrap().into_inner()
}

fn send_bytes(hub: &Hub, bytes: &[u8], unsigned: bool) -> (u16, Json) {
    let to = url(hub, &format!("plugins/packages?unsigned={unsigned}"));
    let mut answer = agent().post(to).content_type("application/zip").send(bytes).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
}

#[test]
fn what_is_no_package_is_refused_in_words_of_both_languages() {
    let data = tempfile::tempdir().unwrap();
    let hub = start(data.path());
    for bytes in [&b""[..], b"hello", b"PK\x03\x04"] {
        let (status, why) = send_bytes(&hub, bytes, true);
        assert_eq!(status, 400, "{why}");
        assert!(why["message"].as_str().unwrap().contains("campanile plugin pack"), "{why}");
    }
    let mut answer = agent()
        .post(url(&hub, "plugins/stop"))
        .header("accept-language", "zh-CN")
        .send_json(json!({"plugin": "nobody"}))
        .unwrap();
    assert_eq!(answer.status().as_u16(), 404);
    assert!(answer.body_mut().read_to_string().unwrap().contains("没有插件"));
}
