//! Rehearsals and looks back through the API of a running hub: what people do, what survives, and what must not reach
//! a device.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_protocol::{ClientMessage, JsonValue, LayerFrame, ServerMessage};
use campanile_server::{Broker, Hub, HubConfig};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::{self, Message};

const PATIENCE: Duration = Duration::from_secs(60);

/// The demo campus with a small drill.
fn scene(dir: &Path) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (from, to) = (here.join("../../scenes/shanghai-school"), dir.join("campus"));
    std::fs::create_dir_all(to.join("drills/small")).unwrap();
    for file in ["campus.toml", "plan.json", "terrain.tif", "weather.epw"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    std::fs::copy(here.join("../rehearsal/tests/small.toml"), to.join("drills/small/drill.toml")).unwrap();
    std::fs::create_dir_all(to.join("drills/broken")).unwrap();
    std::fs::write(to.join("drills/broken/drill.toml"), "format = \"campanile-drill/9\"\n").unwrap();
    to
}

fn start(dir: &Path, broker: Broker) -> Hub {
    let campus = campanile_model::open(&dir.join("campus")).unwrap();
    Hub::start(
        HubConfig::new(Arc::new(campus), dir.join("data")).listen(([127, 0, 0, 1], 0).into()).broker(broker),
    )
    .unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

fn url(hub: &Hub, path: &str) -> String {
    format!("http://{}/api/v1/{path}", hub.api_address())
}

fn fetch(hub: &Hub, path: &str, language: &str) -> (u16, Vec<u8>) {
    let mut answer = agent().get(url(hub, path)).header("accept-language", language).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap())
}

fn get(hub: &Hub, path: &str) -> Json {
    let (status, body) = fetch(hub, path, "en");
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

fn post(hub: &Hub, path: &str, body: &Json) -> (u16, Json) {
    let mut answer = agent().post(url(hub, path)).send_json(body).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
}

fn done(hub: &Hub, path: &str, body: &Json) {
    let (status, answer) = post(hub, path, body);
    assert!(status == 204 || status == 200, "{path}: {status} {answer}");
}

/// Begins one, and waits until it is open.
fn begin(hub: &Hub, request: &Json) -> String {
    let (status, info) = post(hub, "rehearsals", request);
    assert_eq!(status, 200, "{info}");
    opened(hub, &info)
}

fn opened(hub: &Hub, info: &Json) -> String {
    let id = info["id"].as_str().unwrap().to_owned();
    until(|| {
        let list = get(hub, "rehearsals");
        let one = list.as_array().unwrap().iter().find(|one| one["id"] == id.as_str()).unwrap().clone();
        assert_eq!(one["failed"], Json::Null);
        one["busy"].is_null().then_some(())
    });
    id
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "it did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn state(hub: &Hub, id: &str) -> Json {
    get(hub, &format!("rehearsals/state?id={id}"))
}

/// Runs on to a second as fast as it can.
fn run(hub: &Hub, id: &str, until_s: f64) -> Json {
    done(hub, "rehearsals/pace", &json!({"id": id, "rate": 1e9, "until_s": until_s}));
    until(|| {
        let state = state(hub, id);
        (state["info"]["now_s"].as_f64().unwrap() >= until_s && state["info"]["wanted_rate"] == 0.0)
            .then_some(state)
    })
}

#[test]
fn a_drill_is_chosen_run_acted_in_branched_reported_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    scene(dir.path());
    let hub = start(dir.path(), Broker::None);

    let drills = get(&hub, "drills");
    let of = |id: &str| drills.as_array().unwrap().iter().find(|d| d["id"] == id).unwrap();
    assert_eq!(of("small")["people"].as_u64().map(|n| n > 1000), Some(true));
    let problem = of("broken")["problems"][0].as_str().unwrap();
    assert!(problem.contains("broken/drill.toml:1:1"), "{problem}");

    let id = begin(&hub, &json!({"drill": "small", "decline": ["move-up"]}));
    let first = state(&hub, &id);
    assert_eq!((&first["info"]["now_s"], &first["declined"]), (&json!(0.0), &json!(["move-up"])));
    done(&hub, "rehearsals/act", &json!({"id": id, "action": "barriers"}));
    let at_40 = run(&hub, &id, 40.0);
    let begun = at_40["begun"].as_array().unwrap();
    let barriers = begun.iter().find(|b| b["action"] == "barriers").unwrap();
    assert_eq!(barriers["done_s"], 30.0, "half a minute: {begun:?}");
    assert!(begun.iter().all(|b| b["action"] != "move-up"), "nobody stands in for what was declined");

    // What was looks the same whenever it is looked at; what has not come can't be looked at.
    let frames = fetch(&hub, &format!("rehearsals/frames?id={id}&at_s=20"), "en").1;
    assert_eq!(frames, fetch(&hub, &format!("rehearsals/frames?id={id}&at_s=25"), "en").1);
    let length = u32::from_le_bytes(frames[..4].try_into().unwrap()) as usize;
    assert!(LayerFrame::decode(&frames[4..4 + length], None).is_ok());

    // In the branch somebody decides otherwise, and the two are compared.
    let (status, info) = post(&hub, "rehearsals/branch", &json!({"id": id, "at_s": 20.0}));
    assert_eq!(status, 200, "{info}");
    let branch = opened(&hub, &info);
    let at_20 = state(&hub, &branch);
    assert_eq!((&at_20["info"]["now_s"], &at_20["info"]["branch_of"]["id"]), (&json!(20.0), &json!(id)));
    done(&hub, "rehearsals/act", &json!({"id": branch, "action": "move-up"}));
    run(&hub, &branch, 40.0);
    for (lang, title) in [("en", "Small drill"), ("zh-CN", "小演练")] {
        let (status, page) = fetch(&hub, &format!("rehearsals/report?id={id}&lang={lang}"), "en");
        let page = String::from_utf8(page).unwrap();
        assert!(status == 200 && page.contains(title) && page.contains("<svg"), "{lang}");
        let (status, both) =
            fetch(&hub, &format!("rehearsals/report?id={id}&with={branch}&lang={lang}"), "en");
        let both = String::from_utf8(both).unwrap();
        assert!(status == 200 && both.matches("class=\"run-head\"").count() == 2, "{lang}");
    }

    // A hub that stops and comes back has both as they were, and they go on.
    hub.stop();
    let hub = start(dir.path(), Broker::None);
    until(|| get(&hub, "rehearsals").as_array().unwrap().iter().all(|r| r["busy"].is_null()).then_some(()));
    assert_eq!(state(&hub, &id)["begun"], at_40["begun"]);
    assert_eq!(run(&hub, &id, 60.0)["info"]["now_s"], 60.0);

    done(&hub, "rehearsals/end", &json!({"id": id}));
    assert_eq!(fetch(&hub, &format!("rehearsals/state?id={id}"), "en").0, 404);
    assert!(!dir.path().join("data/rehearsals").join(&id).exists());
}

#[test]
fn what_can_not_be_is_said_with_its_reason_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    scene(dir.path());
    let hub = start(dir.path(), Broker::None);
    let id = begin(&hub, &json!({"drill": "small"}));
    for (path, body, status, code, says) in [
        ("rehearsals", json!({"drill": "flood"}), 404, "not-found", "no drill 'flood'"),
        ("rehearsals", json!({"drill": "broken"}), 409, "conflict", "drill.toml"),
        ("rehearsals", json!({"drill": "small", "rate": -1}), 400, "malformed", "rate"),
        ("rehearsals", json!({"drill": "small", "speed": 1}), 422, "malformed", "speed"),
        ("rehearsals", json!({"drill": "small", "decline": ["x"]}), 400, "malformed", "barriers, gates"),
        ("rehearsals", json!({"drill": "small", "from": "past"}), 400, "malformed", "at_us"),
        (
            "rehearsals",
            json!({"drill": "small", "from": "past", "at_us": 9e18 as i64}),
            400,
            "malformed",
            "at_us",
        ),
        ("rehearsals", json!({"drill": "small", "from": "live", "at_us": 1}), 400, "malformed", "at_us"),
        ("rehearsals/pace", json!({"id": "small-9", "rate": 1}), 404, "not-found", "small-9"),
        ("rehearsals/pace", json!({"id": id, "rate": 1, "until_s": -5}), 400, "malformed", "until_s"),
        ("rehearsals/act", json!({"id": id, "action": "dance"}), 409, "conflict", "dance"),
        ("rehearsals/branch", json!({"id": id, "at_s": 99}), 409, "conflict", "later"),
        ("rehearsals/end", json!({"id": "../../etc"}), 404, "not-found", "etc"),
    ] {
        let (got, answer) = post(&hub, path, &body);
        assert_eq!((got, answer["code"].as_str().unwrap()), (status, code), "{path} {body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(says), "{path} {body}: {answer}");
    }
    let chinese = fetch(&hub, "rehearsals/state?id=small-9", "zh-CN").1;
    assert!(String::from_utf8(chinese).unwrap().contains("没有演练“small-9”"));
    // One is open already.
    let more = (1..20)
        .map(|_| post(&hub, "rehearsals", &json!({"drill": "small"})))
        .find(|(status, _)| *status != 200);
    let (status, answer) = more.expect("there is a limit");
    assert_eq!((status, answer["code"].as_str().unwrap()), (409, "too-many"));
}

#[test]
fn a_rehearsal_begins_with_the_campus_as_it_was_at_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    scene(dir.path());
    let hub = start(dir.path(), Broker::None);
    const AT_US: i64 = 1_700_000_000_000_000;
    let id = begin(&hub, &json!({"drill": "small", "from": "past", "at_us": AT_US}));
    let at = |state: &Json| state["info"]["time_us"].as_i64().unwrap();
    assert_eq!(at(&state(&hub, &id)), AT_US);
    let later = run(&hub, &id, 60.0);
    assert_eq!(at(&later), AT_US + 60_000_000, "it goes on from there");
}

type Socket = tungstenite::WebSocket<tungstenite::stream::MaybeTlsStream<TcpStream>>;

fn socket(hub: &Hub, query: &str) -> Result<Socket, u16> {
    match tungstenite::connect(format!("ws://{}/api/v1/ws?{query}", hub.api_address())) {
        Ok((mut socket, _)) => {
            say(&mut socket, &ClientMessage::hello("test"));
            Ok(socket)
        }
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(why) => panic!("{why}"),
    }
}

fn say(socket: &mut Socket, message: &ClientMessage) {
    socket.send(Message::Text(message.encode().unwrap().into())).unwrap();
}

/// Reads on until a message is as wished.
fn hear<T>(socket: &mut Socket, mut wished: impl FnMut(ServerMessage) -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Message::Text(text) = socket.read().unwrap()
            && let Some(found) = wished(ServerMessage::decode(&text).unwrap())
        {
            return found;
        }
    }
    panic!("it was not said");
}

/// Writes `true` to the barrier of the main gate; whether the world took it, and why not.
fn raise(socket: &mut Socket) -> (bool, String) {
    let message = ClientMessage::Write {
        request: 7,
        point: campanile_protocol::Path::new("site/barrier-main-gate/barrier-up").unwrap(),
        value: JsonValue::Bool(true),
        priority: 8,
        expiry_s: None,
        reason: "a test".to_owned(),
    };
    say(socket, &message);
    hear(socket, |said| match said {
        ServerMessage::Result { request: 7, ok, message, .. } => Some((ok, message)),
        _ => None,
    })
}

/// Listens to everything at a broker, with three packets of MQTT 3.1.1; what came within a while.
fn overheard(broker: std::net::SocketAddr, act: impl FnOnce()) -> Vec<u8> {
    let mut stream = TcpStream::connect(broker).unwrap();
    stream.write_all(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04ears").unwrap();
    stream.write_all(b"\x82\x06\x00\x01\x00\x01#\x00").unwrap();
    let mut answers = [0; 9];
    stream.read_exact(&mut answers).unwrap();
    assert_eq!((answers[0], answers[4]), (0x20, 0x90), "connected and subscribed");
    act();
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(n) = stream.read(&mut piece) {
        if n == 0 {
            break;
        }
        heard.extend_from_slice(&piece[..n]);
    }
    heard
}

#[test]
fn a_command_of_a_rehearsal_reaches_its_world_and_no_device() {
    let dir = tempfile::tempdir().unwrap();
    scene(dir.path());
    let hub = start(dir.path(), Broker::Embedded { port: 0 });
    let broker = hub.broker_address().unwrap();
    let id = begin(&hub, &json!({"drill": "small"}));
    let says = |heard: &[u8]| String::from_utf8_lossy(heard).contains("barrier-main-gate");

    let heard = overheard(broker, || {
        let mut rehearsal = socket(&hub, &format!("world={id}")).unwrap();
        assert_eq!(raise(&mut rehearsal), (true, String::new()));
        // An action of the drill commands barriers too.
        done(&hub, "rehearsals/act", &json!({"id": id, "action": "barriers"}));
        run(&hub, &id, 35.0);
    });
    assert!(!says(&heard), "{}", String::from_utf8_lossy(&heard));
    let commands = get(&hub, "commands");
    assert_eq!(commands["commands"].as_array().map(Vec::len), Some(0), "the live world has none: {commands}");

    // That it would be heard: the same in the live world.
    let heard = overheard(broker, || {
        assert_eq!(raise(&mut socket(&hub, "").unwrap()), (true, String::new()));
    });
    assert!(says(&heard));
}

#[test]
fn nobody_acts_in_the_past_and_not_everybody_looks_back_at_once() {
    let dir = tempfile::tempdir().unwrap();
    scene(dir.path());
    let hub = start(dir.path(), Broker::None);
    let mut past = socket(&hub, "world=past&at_us=1700000000000000").unwrap();
    let world = hear(&mut past, |said| match said {
        ServerMessage::Hello { world, .. } => Some(world),
        _ => None,
    });
    assert_eq!(world, "past");
    let (taken, why) = raise(&mut past);
    assert!(!taken && why.contains("past"), "{why}");
    // It goes where it is asked to.
    say(&mut past, &ClientMessage::Seek { at_us: 1_700_000_500_000_000, rate: 0.0 });
    hear(&mut past, |said| match said {
        ServerMessage::Clock { time_us: 1_700_000_500_000_000, rate: 0.0 } => Some(()),
        _ => None,
    });

    assert_eq!(socket(&hub, "world=past&rate=-1").err(), Some(400));
    assert_eq!(socket(&hub, "world=nowhere-1").err(), Some(404));
    let mut more = Vec::new();
    let refused = loop {
        assert!(more.len() < 50, "there is no limit");
        match socket(&hub, "world=past&at_us=1700000000000000") {
            Ok(socket) => more.push(socket),
            Err(status) => break status,
        }
    };
    assert_eq!((refused, more.len()), (503, 7));
    // Who goes makes room.
    drop(more);
    until(|| socket(&hub, "world=past&at_us=1700000000000000").ok());
}
