//! Brokers and devices that misbehave: the gateway keeps serving, and says what happened and how to mend it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use campanile_gateway::{Gateway, Mosquitto, Publisher, PublisherConfig};
use campanile_model::{Quality, Value};
use common::*;

const FLUSH: Duration = Duration::from_secs(10);

/// A server on loopback that does with each connection what it is told, and counts them.
struct FakeBroker {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl FakeBroker {
    fn start(mut serve: impl FnMut(usize, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let n = counted.fetch_add(1, Ordering::SeqCst);
                serve(n, stream.unwrap());
            }
        });
        Self { port, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads CONNECT and SUBSCRIBE and answers both; the packet id of SUBSCRIBE is 1.
fn accept(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer);
    let _ = stream.write_all(&[0x20, 2, 0, 0]);
    let _ = stream.read(&mut buffer);
    let _ = stream.write_all(&[0x90, 3, 0, 1, 1]);
}

/// A PUBLISH packet of QoS 1.
fn publish(topic: &str, payload: &[u8], packet: u16) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(&packet.to_be_bytes());
    body.extend_from_slice(payload);
    let mut bytes = vec![0x32];
    let mut length = body.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}

const GOOD: &[u8] = b"{\"value\":1,\"time\":1700000000000}";

fn last_error(gateway: &Gateway) -> String {
    gateway.status().last_error.unwrap_or_default()
}

fn mosquitto() -> Option<Mosquitto> {
    let program = Mosquitto::find();
    if program.is_none() {
        eprintln!("skipped: Mosquitto is not installed");
    }
    program.map(|p| Mosquitto::start(&p, 0).unwrap())
}

#[test]
fn what_is_no_broker_is_named_and_asked_ever_less() {
    let answers: [&[u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a",
        &[0xff; 64],
        &[0x20, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x00, 0x00, 0x00],
    ];
    for answer in answers {
        let broker = FakeBroker::start(move |_, mut stream| {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(answer);
        });
        let gateway = Gateway::start(gateway_config(broker.port), school(), Got::default().sink()).unwrap();
        wait("several attempts", || broker.connections() >= 4);
        assert!(!gateway.is_connected());
        let error = last_error(&gateway);
        assert!(error.contains("what comes is not MQTT 3.1.1"), "{answer:?}: {error}");
        println!("{:?} -> {error}", String::from_utf8_lossy(answer));
        let (before, began) = (broker.connections(), Instant::now());
        while began.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let more = broker.connections() - before;
        assert!(more <= 3, "{more} attempts in the next two seconds");
        gateway.stop();
    }
}

#[test]
fn garbage_in_the_stream_ends_the_connection_alone() {
    // Twice garbage after a good message, then a broker that behaves.
    let broker = FakeBroker::start(|n, mut stream| {
        accept(&mut stream);
        let _ = stream.write_all(&publish("campus/room/co2", GOOD, 1));
        if n < 2 {
            std::thread::sleep(Duration::from_millis(100));
            let _ = stream.write_all(&[0xf7; 1000]);
        }
        std::thread::sleep(Duration::from_millis(200));
        let _ = stream.write_all(&publish("campus/room/co2", GOOD, 2));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
        });
    });
    let got = Got::default();
    let gateway = Gateway::start(gateway_config(broker.port), school(), got.sink()).unwrap();
    wait("the first garbage", || last_error(&gateway).contains("not MQTT 3.1.1"));
    wait("the good connection", || gateway.status().reconnects == 2 && gateway.is_connected());
    wait("its messages", || got.count() >= 4);
}

#[test]
fn packets_that_a_broker_must_not_send_do_no_harm() {
    let packets: Vec<Vec<u8>> = vec![
        vec![0x40, 2, 0xff, 0xff],       // PUBACK of nothing
        vec![0x40, 2, 0, 0],             // PUBACK of packet 0
        vec![0x50, 2, 0, 1],             // PUBREC of nothing
        vec![0x62, 2, 0, 1],             // PUBREL of nothing
        vec![0x70, 2, 0, 1],             // PUBCOMP of nothing
        vec![0xb0, 2, 0, 9],             // UNSUBACK
        vec![0xd0, 0],                   // PINGRESP without a ping
        vec![0x20, 2, 0, 0],             // CONNACK again
        vec![0x10, 0],                   // CONNECT
        vec![0xe0, 0],                   // DISCONNECT
        vec![0x90, 2, 0, 1],             // SUBACK without codes
        vec![0x90, 3, 0, 1, 0x80],       // SUBACK: refused
        vec![0x34, 5, 0, 1, b'x', 0, 7], // PUBLISH of QoS 2
        vec![0x32, 5, 0, 1, b'x', 0, 0], // PUBLISH of QoS 1 with packet 0
        vec![0x36, 5, 0, 1, b'x', 0, 1], // PUBLISH of QoS 3
        vec![0x30, 3, 0xff, 0xff, b'x'], // a topic longer than its packet
        vec![0x30, 4, 0, 2, 0xff, 0xfe], // a topic that is not UTF-8
        vec![0x30, 2, 0, 0],             // an empty topic
        vec![0x30, 0],                   // nothing at all
    ];
    let count = packets.len();
    let broker = FakeBroker::start(move |n, mut stream| {
        accept(&mut stream);
        if let Some(packet) = packets.get(n % (count + 1)) {
            let _ = stream.write_all(packet);
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = stream.write_all(&publish("campus/room/co2", GOOD, 3));
        std::thread::sleep(Duration::from_millis(30));
    });
    // A gateway of its own for each packet, so that no pause has to be waited for.
    for n in 0..=count {
        let got = Got::default();
        let gateway = Gateway::start(gateway_config(broker.port), school(), got.sink()).unwrap();
        wait("an attempt", || broker.connections() > n);
        wait("the end of the connection", || gateway.status().last_error.is_some());
        let error = last_error(&gateway);
        assert!(!error.contains("panicked"), "packet {n}: {error}");
        // It goes on by itself with the next connection.
        gateway.stop();
    }
}

#[test]
fn a_broker_that_accepts_and_says_nothing_is_given_up_in_time() {
    let mut streams = Vec::new();
    let broker = FakeBroker::start(move |_, stream| streams.push(stream));
    let gateway = Gateway::start(gateway_config(broker.port), school(), Got::default().sink()).unwrap();
    wait("the second attempt", || broker.connections() >= 2);
    assert!(last_error(&gateway).contains("imeout"), "{}", last_error(&gateway));
    let began = Instant::now();
    gateway.stop();
    assert!(began.elapsed() < Duration::from_secs(3), "stopping doesn't wait for it");
}

#[test]
fn a_flood_is_taken_as_fast_as_it_can_be_and_nothing_else_suffers() {
    // A broker that never stops sending messages that nothing is bound to, each with a new topic.
    let broker = FakeBroker::start(|_, mut stream| {
        accept(&mut stream);
        let mut reader = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while reader.read(&mut buffer).is_ok_and(|n| n > 0) {}
        });
        let mut packet = 0_u16;
        for n in 0..200_000_u32 {
            packet = packet % 60_000 + 1;
            let topic = format!("campus/room/flood-{n}");
            let bytes = if n % 100 == 0 {
                publish("campus/room/co2", GOOD, packet)
            } else {
                publish(&topic, &[b'x'; 100], packet)
            };
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
        std::thread::sleep(Duration::from_secs(20));
    });
    let got = Got::default();
    let gateway = Gateway::start(gateway_config(broker.port), school(), got.sink()).unwrap();
    wait("the messages among the flood", || got.count() == 2000);
    wait("the end of the flood", || gateway.status().unknown == 198_000);
    let status = gateway.status();
    assert_eq!(status.unknown_examples.len(), 8, "examples are few however many there are");
    assert!(status.connected && status.last_error.is_none());
}

#[test]
fn a_message_of_ten_megabytes_is_counted_and_the_next_is_read() {
    let Some(broker) = mosquitto() else { return };
    let (campus, got) = (school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let config = PublisherConfig {
        port: broker.port(),
        client_id: "big".to_owned(),
        max_packet_bytes: 20_000_000,
        ..PublisherConfig::default()
    };
    let publisher = Publisher::start(config, campus.clone()).unwrap();
    publisher.wait_connected(FLUSH).unwrap();
    publisher.publish("campus/room/co2", vec![b' '; 10_000_000], false).unwrap();
    publisher.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(7.0))]).unwrap();
    wait("the sample after it", || got.count() == 1);
    let status = gateway.status();
    assert_eq!((status.malformed, status.reconnects), (1, 0));
    assert!(status.malformed_examples[0].why.contains("10000000 bytes, more than the 1048576"));
    assert!(status.malformed_examples[0].payload.len() < 210);
    wait("its acknowledgement", || gateway.status().unacknowledged == 0);
}

#[test]
fn a_message_that_cannot_be_stepped_over_does_not_stop_the_hub_for_ever() {
    let Some(broker) = mosquitto() else { return };
    let (campus, got) = (school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let config = PublisherConfig {
        port: broker.port(),
        client_id: "huge".to_owned(),
        max_packet_bytes: 40_000_000,
        ..PublisherConfig::default()
    };
    let publisher = Publisher::start(config, campus.clone()).unwrap();
    publisher.wait_connected(FLUSH).unwrap();
    // The broker keeps it for the hub's session and sends it again at each return.
    publisher.publish("campus/room/co2", vec![b' '; 20_000_000], false).unwrap();
    wait("it to be told", || last_error(&gateway).contains("message_size_limit"));
    println!("{}", last_error(&gateway));
    wait("the hub to be rid of it", || {
        publisher.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(7.0))]).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        got.count() > 0 && gateway.is_connected()
    });
    assert!(last_error(&gateway).contains("20000"), "it still says what happened: {}", last_error(&gateway));
}

#[test]
fn another_client_of_the_same_id_is_suspected_and_not_fought() {
    let Some(broker) = mosquitto() else { return };
    let (campus, got) = (school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    // A second hub with the id of the first, that comes back as eagerly as a rude client does.
    let port = broker.port();
    let stop = Arc::new(AtomicUsize::new(0));
    let stopped = stop.clone();
    let rude = std::thread::spawn(move || {
        let mut sessions = 0;
        while stopped.load(Ordering::SeqCst) == 0 {
            let mut options = rumqttc::MqttOptions::new("campanile-hub", "127.0.0.1", port);
            options.set_clean_session(false);
            let (_client, mut connection) = rumqttc::Client::new(options, 10);
            while stopped.load(Ordering::SeqCst) == 0 {
                match connection.recv_timeout(Duration::from_millis(50)) {
                    Ok(Err(_)) => break,
                    Ok(Ok(rumqttc::Event::Incoming(rumqttc::Incoming::ConnAck(_)))) => sessions += 1,
                    _ => {}
                }
            }
        }
        sessions
    });
    let began = Instant::now();
    wait("the suspicion", || {
        last_error(&gateway).contains("another client that uses the client id 'campanile-hub'")
    });
    println!("after {:?}: {}", began.elapsed(), last_error(&gateway));
    let before = gateway.status().reconnects;
    std::thread::sleep(Duration::from_secs(4));
    let more = gateway.status().reconnects - before;
    assert!(more <= 3, "{more} reconnections in four seconds is a fight");
    stop.store(1, Ordering::SeqCst);
    assert!(rude.join().unwrap() > 2);
    let publisher = publisher(port, &campus, "device");
    wait("the hub to be back", || gateway.is_connected());
    std::thread::sleep(Duration::from_millis(100));
    publisher.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(7.0))]).unwrap();
    wait("what comes then", || got.count() == 1);
}

#[test]
fn times_that_run_backward_are_kept_as_they_are() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let publisher = publisher(broker.port(), &campus, "device");
    let sent: Vec<_> = (0..100)
        .map(|i| sample(&campus, "room/co2", 1_700_000_000_000_000 - i * 60_000_000, Value::Number(i as f64)))
        .collect();
    publisher.publish_samples(&sent).unwrap();
    for payload in [
        "{\"value\":1,\"time\":-1}",
        "{\"value\":1,\"time\":-9223372036854775808}",
        "{\"value\":1,\"time\":18446744073709551615}",
        "{\"value\":1,\"time\":1e308}",
    ] {
        publisher.publish("campus/room/co2", payload.as_bytes().to_vec(), false).unwrap();
    }
    wait("all", || got.count() == 100 && gateway.status().malformed == 4);
    assert_eq!(
        *got.samples.lock().unwrap(),
        sent,
        "history takes back-dated samples; the newest stays the newest"
    );
    assert!(got.samples.lock().unwrap().iter().all(|s| s.quality == Quality::Good));
}

#[test]
fn garbage_that_a_broker_retained_is_counted_once_a_start() {
    for broker in brokers() {
        let (campus, got) = (school(), Got::default());
        let device = publisher(broker.port(), &campus, "device");
        let garbage = [
            ("campus/room/co2", vec![0xff; 1000]),
            ("campus/room/door", b"ajar".to_vec()),
            ("campus/room/presence", vec![0, 1, 2]),
            ("campus/room/nobody", vec![b'x'; 1000]),
        ];
        for (topic, payload) in &garbage {
            device.publish(topic, payload.clone(), true).unwrap();
        }
        device.flush(FLUSH).unwrap();
        let gateway = start(broker.port(), &campus, got.sink());
        wait("all that was retained", || gateway.status().messages >= 4);
        let status = gateway.status();
        assert_eq!((status.malformed, status.dropped, status.unknown), (1, 1, 1));
        assert!(status.connected);
        device.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(7.0))]).unwrap();
        wait("what is good", || got.count() == 1);
    }
}

#[test]
fn a_broker_that_dies_in_the_middle_of_a_packet_comes_back() {
    let Some(program) = Mosquitto::find() else { return };
    let cut = publish("campus/room/co2", &[b' '; 5000], 1);
    let broker = FakeBroker::start(move |_, mut stream| {
        accept(&mut stream);
        let _ = stream.write_all(&cut[..2500]);
    });
    let (campus, got) = (school(), Got::default());
    let gateway = Gateway::start(gateway_config(broker.port), campus.clone(), got.sink()).unwrap();
    wait("three deaths", || gateway.status().reconnects >= 3);
    assert!(!last_error(&gateway).is_empty());
    assert_eq!((got.count(), gateway.status().malformed), (0, 0), "half a message is none");
    drop(gateway);
    // The same with a broker of this world, five times.
    let mut real = Mosquitto::start(&program, 0).unwrap();
    let port = real.port();
    let gateway = start(port, &campus, got.sink());
    let device = publisher(port, &campus, "device");
    for round in 1..=3 {
        drop(real);
        wait("the loss", || !gateway.is_connected());
        real = Mosquitto::start(&program, port).unwrap();
        wait("the return", || gateway.is_connected());
        device.publish_samples(&[sample(&campus, "room/co2", 1000 * round, Value::Number(1.0))]).unwrap();
        wait("a sample", || got.samples.lock().unwrap().iter().any(|s| s.time.0 == 1000 * round));
    }
}
