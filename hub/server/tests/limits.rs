//! What slow, greedy and silent clients get of a running hub: what `docs/security.md` says, with shorter times.

#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_protocol::ClientMessage;
use campanile_server::{Broker, Hub, HubConfig, Limits};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Of the limits that are tested, a time that a test can wait for.
const SOON: Duration = Duration::from_millis(800);
/// Until when something that is due soon has to have happened, on a machine that is busy.
const LATE: Duration = Duration::from_secs(15);

fn config(limits: Limits) -> (tempfile::TempDir, HubConfig) {
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
    let campus = Arc::new(campanile_model::open(&scene).unwrap());
    let data = tempfile::tempdir().unwrap();
    let config = HubConfig::new(campus, data.path().to_owned()).broker(Broker::None).limits(limits);
    (data, config)
}

fn hub(limits: Limits) -> (tempfile::TempDir, Hub) {
    let (data, config) = config(limits);
    (data, Hub::start(config).unwrap())
}

fn short() -> Limits {
    Limits { head: SOON, body: SOON, socket: SOON, ..Limits::default() }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LATE)).unwrap();
    stream
}

/// What comes until the hub closes; and how long that took. Fails where it never does.
fn until_closed(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => got.extend_from_slice(&buffer[..n]),
            Err(why) if why.kind() == ErrorKind::ConnectionReset => break,
            Err(why) => panic!("not closed after {:?}: {why}", began.elapsed()),
        }
    }
    (String::from_utf8_lossy(&got).into_owned(), began.elapsed())
}

fn health(address: SocketAddr) -> bool {
    let mut stream = connect(address);
    let request = format!("GET /api/v1/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    // A hub that has no room closes at once.
    let _ = stream.write_all(request.as_bytes());
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text.starts_with("HTTP/1.1 200")
}

/// Tries until it is so, or it is late.
fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < LATE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_limits_of_a_hub_are_those_of_the_guide() {
    let limits = Limits::default();
    let guide = include_str!("../../../docs/security.md").replace('\n', " ").replace("  ", " ");
    for said in [
        format!("a body within {} s", limits.body.as_secs()),
        format!("a head within {} s", limits.head.as_secs()),
        format!("{} of one address", limits.connections_of_one),
        format!("{} WebSockets", limits.sockets),
        format!("{} messages a second", limits.messages.1),
        format!("hello within {} s", limits.socket.as_secs()),
    ] {
        assert!(guide.contains(&said), "docs/security.md does not say '{said}'");
    }
    assert!(guide.contains("2,048 connections") && limits.connections == 2048);
}

#[test]
fn who_is_slow_is_not_waited_for() {
    let (_data, hub) = hub(short());
    let address = hub.api_address();
    let body_head = format!(
        "POST /api/v1/commands HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    );
    // What is sent at once, what drips a byte at a time, and what the answer begins with.
    let cases: [(&str, &str, &str, &str); 5] = [
        ("nothing at all", "", "", ""),
        ("half a head", "GET /api/v1/health HTTP/1.1\r\nHos", "", ""),
        ("a head that drips", "GET /api/v1/health HTTP/1.1\r\nX-Slow: ", "slowly", ""),
        ("half a body", &body_head, "", "HTTP/1.1 408"),
        ("a body that drips", &body_head, "{\"point\"", "HTTP/1.1 408"),
    ];
    for (name, at_once, drip, answer) in cases {
        let mut stream = connect(address);
        stream.write_all(at_once.as_bytes()).unwrap();
        let mut dripping = stream.try_clone().unwrap();
        let drip = drip.to_owned();
        let dripper = std::thread::spawn(move || {
            for byte in drip.bytes().cycle().take(if drip.is_empty() { 0 } else { 100 }) {
                std::thread::sleep(Duration::from_millis(100));
                if dripping.write_all(&[byte]).is_err() {
                    return;
                }
            }
        });
        let (text, took) = until_closed(&mut stream);
        assert!(text.starts_with(answer), "{name}: {text}");
        assert!(took >= SOON / 2, "{name}: closed after {took:?}");
        assert!(took < SOON * 10, "{name}: {took:?}");
        dripper.join().unwrap();
    }
    // A connection that was of use and idles is closed as soon; and the hub goes on.
    let mut stream = connect(address);
    let request = format!("GET /api/v1/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (text, _) = until_closed(&mut stream);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(health(address));
}

#[test]
fn a_head_that_is_too_large_is_refused_without_being_taken_in() {
    let (_data, hub) = hub(Limits::default());
    let address = hub.api_address();
    let start = format!("GET /api/v1/health HTTP/1.1\r\nHost: {address}\r\n");
    let one = format!("{start}X-Big: {}\r\n\r\n", "b".repeat(1 << 20));
    let names: String = (0..65).map(|i| format!("X-{i}: b\r\n")).collect();
    let many = format!("{start}{names}\r\n");
    let endless_line = "G".repeat(1 << 20);
    let longest = format!("{start}X-Big: {}\r\n\r\n", "b".repeat(12 * 1024));
    for (name, head, status) in [
        ("a header of 1 MiB", one, "HTTP/1.1 431"),
        ("65 headers", many, "HTTP/1.1 431"),
        ("a line without end", endless_line, "HTTP/1.1 4"),
        ("12 KiB", longest, "HTTP/1.1 200"),
    ] {
        let mut stream = connect(address);
        // It may be refused before all is sent.
        let _ = stream.write_all(head.as_bytes());
        let mut start = [0; 12];
        match stream.read_exact(&mut start) {
            Ok(()) => assert!(String::from_utf8_lossy(&start).starts_with(status), "{name}: {start:?}"),
            // Closed with bytes unread, which resets.
            Err(why) => assert!(status != "HTTP/1.1 200", "{name}: {why}"),
        }
    }
    assert!(health(address));
}

#[test]
fn only_so_many_connections_are_taken_and_room_comes_back() {
    let (_data, hub) = hub(Limits { connections: 6, ..Limits::default() });
    let address = hub.api_address();
    let idle: Vec<_> = (0..6).map(|_| connect(address)).collect();
    eventually("the seventh is closed", || !health(address));
    let mut seventh = connect(address);
    assert_eq!(until_closed(&mut seventh).0, "", "closed without a word");
    drop(idle);
    eventually("there is room again", || health(address));
    hub.stop();
}

type Socket = WebSocket<tungstenite::stream::MaybeTlsStream<TcpStream>>;

/// A WebSocket that has not said hello.
fn socket(hub: &Hub) -> Result<Socket, u16> {
    match tungstenite::connect(format!("ws://{}/api/v1/ws", hub.api_address())) {
        Ok((socket, _)) => {
            stream(&socket).set_read_timeout(Some(LATE)).unwrap();
            Ok(socket)
        }
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(why) => panic!("{why}"),
    }
}

fn stream(socket: &Socket) -> &TcpStream {
    match socket.get_ref() {
        tungstenite::stream::MaybeTlsStream::Plain(stream) => stream,
        _ => unreachable!(),
    }
}

fn hello(socket: &mut Socket) {
    socket.send(Message::Text(ClientMessage::hello("test").encode().unwrap().into())).unwrap();
}

/// Reads until the hub closes; the texts on the way.
fn until_let_go(socket: &mut Socket) -> (String, Duration) {
    let began = Instant::now();
    let mut texts = String::new();
    while began.elapsed() < LATE {
        match socket.read() {
            Ok(Message::Text(text)) => texts += text.as_str(),
            Ok(_) => {}
            Err(tungstenite::Error::Io(why)) if why.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return (texts, began.elapsed()),
        }
    }
    panic!("not let go after {:?}", began.elapsed());
}

#[test]
fn a_socket_that_does_not_say_hello_is_let_go_and_its_room_comes_back() {
    let (_data, hub) = hub(Limits { sockets: 2, ..short() });
    // The first bytes of a text frame of 100 bytes, masked.
    let half_a_frame = [0x81, 0xe4, 1, 2, 3, 4, b'{'];
    for (name, bytes) in [("nothing", &[][..]), ("half a frame", &half_a_frame[..])] {
        let mut silent = Vec::new();
        eventually("there is room for two", || {
            silent.extend(socket(&hub));
            silent.len() == 2
        });
        assert_eq!(socket(&hub).unwrap_err(), 503, "{name}: there is room for two");
        for socket in &mut silent {
            stream(socket).write_all(bytes).unwrap();
            let (_, took) = until_let_go(socket);
            assert!(took < SOON * 10, "{name}: {took:?}");
        }
        drop(silent);
        eventually("there is room again", || socket(&hub).is_ok());
        std::thread::sleep(Duration::from_millis(100));
        eventually("and for two", || {
            let both = [socket(&hub), socket(&hub)];
            both.iter().all(Result::is_ok)
        });
    }
}

#[test]
fn a_socket_that_looks_on_in_silence_stays_and_half_a_frame_harms_nobody() {
    let (_data, hub) = hub(short());
    let mut silent = socket(&hub).unwrap();
    hello(&mut silent);
    stream(&silent).write_all(&[0x81, 0xe4, 1, 2, 3, 4, b'{']).unwrap();
    let began = Instant::now();
    let mut clocks = 0;
    while began.elapsed() < SOON * 4 {
        match silent.read().unwrap() {
            Message::Text(text) if text.as_str().contains("\"clock\"") => clocks += 1,
            _ => {}
        }
    }
    assert!(clocks >= 2, "it is told the time: {clocks}");
    // A frame of another promises more than may be: it is let go before it has sent it.
    let mut greedy = socket(&hub).unwrap();
    hello(&mut greedy);
    stream(&greedy).write_all(&[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]).unwrap();
    until_let_go(&mut greedy);
    assert!(health(hub.api_address()));
}

#[test]
fn a_socket_that_takes_nothing_is_let_go() {
    // Every point has a value, so that what it is sent is much more than what it says.
    let (_data, config) = config(Limits { messages: (1e12, 1e12), ..short() });
    let hub = Hub::start(config.simulated_at(campanile_model::Timestamp(1_795_478_400_000_000), 1)).unwrap();
    let mut deaf = socket(&hub).unwrap();
    hello(&mut deaf);
    // Each is answered, until nothing more fits into what lies between; then the hub takes no more either.
    let asked = "{\"type\":\"subscribe\",\"id\":1,\"globs\":[\"**\"]}";
    stream(&deaf).set_write_timeout(Some(SOON)).unwrap();
    let began = Instant::now();
    let mut asks = deaf.send(Message::Text(asked.into()));
    loop {
        asks = match asks {
            Ok(()) => deaf.send(Message::Text(asked.into())),
            // Nothing fits in; what waits is tried again.
            Err(tungstenite::Error::Io(why))
                if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                deaf.flush()
            }
            Err(_) => break,
        };
        assert!(began.elapsed() < LATE * 4, "it is not let go");
    }
    eventually("nobody is connected", || hub_clients(&hub) == Some(0));
}

fn hub_clients(hub: &Hub) -> Option<u64> {
    let address = hub.api_address();
    let mut stream = connect(address);
    let request = format!("GET /api/v1/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let health: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()?;
    health["state"]["clients"].as_u64()
}

#[test]
fn a_flood_of_pings_or_messages_ends_its_connection_and_no_other() {
    let (_data, hub) = hub(Limits { messages: (100.0, 50.0), ..Limits::default() });
    let mut other = socket(&hub).unwrap();
    hello(&mut other);
    for (name, message) in [
        ("pings", Message::Ping(vec![7; 100].into())),
        ("pongs", Message::Pong(vec![].into())),
        ("binaries", Message::Binary(vec![1, 2, 3].into())),
        ("texts", Message::Text("{\"type\":\"unsubscribe\",\"id\":7}".into())),
    ] {
        let mut flood = socket(&hub).unwrap();
        hello(&mut flood);
        for _ in 0..3000 {
            if flood.send(message.clone()).is_err() {
                break;
            }
        }
        let (texts, _) = until_let_go(&mut flood);
        // Where the hub closed with frames unread, its last words may be lost.
        assert!(texts.is_empty() || texts.contains("too-many") || texts.contains("hello"), "{name}: {texts}");
    }
    // At the pace that is allowed nobody is let go.
    for _ in 0..60 {
        other.send(Message::Ping(vec![].into())).unwrap();
        std::thread::sleep(Duration::from_millis(25));
    }
    assert!(matches!(other.read(), Ok(Message::Text(_))));
    assert!(health(hub.api_address()));
}
