//! The normative statements of the Eclipse Sparkplug specification 3.0 about packets of MQTT, by their ids: what the
//! hub and an edge node write to a broker, byte for byte, and how they go on. The session itself: `src/sparkplug`.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campanile_gateway::sparkplug::{Metric, Payload, Raw, datatype};
use campanile_gateway::{Gateway, GatewayConfig, Publisher, PublisherConfig, metric_points};
use campanile_model::{Campus, Value};
use common::*;

/// A packet as a client wrote it.
#[derive(Clone, Debug)]
enum Packet {
    Connect { clean: bool, will: Option<Sent> },
    Publish(Sent),
    Subscribe(Vec<String>),
    Disconnect,
}

#[derive(Clone, Debug)]
struct Sent {
    topic: String,
    payload: Vec<u8>,
    qos: u8,
    retain: bool,
}

impl Sent {
    /// The word of a topic of Sparkplug that says what the message is.
    fn verb(&self) -> &str {
        if self.topic.starts_with("spBv1.0/STATE/") {
            "STATE"
        } else {
            self.topic.split('/').nth(2).unwrap_or("")
        }
    }
}

/// A server that answers what has to be answered, and keeps what the clients with a last will write: of a publisher
/// not the connection that speaks JSON.
struct Recorder {
    port: u16,
    packets: Arc<Mutex<Vec<Packet>>>,
    stream: Arc<Mutex<Option<TcpStream>>>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (packets, stream) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None)));
        let recorder = Self { port, packets: packets.clone(), stream: stream.clone() };
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, packets, stream) = (client.unwrap(), packets.clone(), stream.clone());
                std::thread::spawn(move || {
                    let mut kept = false;
                    while let Some(packet) = serve(&mut client) {
                        if matches!(packet, Some(Packet::Connect { will: Some(_), .. })) {
                            kept = true;
                            *stream.lock().unwrap() = Some(client.try_clone().unwrap());
                        }
                        packets.lock().unwrap().extend(packet.filter(|_| kept));
                    }
                });
            }
        });
        recorder
    }

    /// Sends a message of QoS 0 to the client.
    fn send(&self, topic: &str, payload: &[u8], retain: bool) {
        let mut body = text(topic);
        body.extend_from_slice(payload);
        let mut bytes = vec![0x30 | u8::from(retain), body.len() as u8];
        assert!(body.len() < 128);
        bytes.append(&mut body);
        self.stream.lock().unwrap().as_ref().unwrap().write_all(&bytes).unwrap();
    }

    /// Ends the connection without a word.
    fn cut(&self) {
        let stream = self.stream.lock().unwrap().take().unwrap();
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    }

    fn packets(&self) -> Vec<Packet> {
        self.packets.lock().unwrap().clone()
    }

    fn published(&self) -> Vec<Sent> {
        self.packets()
            .into_iter()
            .filter_map(|p| if let Packet::Publish(sent) = p { Some(sent) } else { None })
            .collect()
    }

    fn count(&self, verb: &str) -> usize {
        self.published().iter().filter(|s| s.verb() == verb).count()
    }

    /// The wills of its connections.
    fn wills(&self) -> Vec<Sent> {
        self.packets()
            .into_iter()
            .filter_map(|p| if let Packet::Connect { will, .. } = p { will } else { None })
            .collect()
    }
}

fn text(of: &str) -> Vec<u8> {
    let mut bytes = (of.len() as u16).to_be_bytes().to_vec();
    bytes.extend_from_slice(of.as_bytes());
    bytes
}

/// Takes what stands behind two bytes of length.
fn field(bytes: &mut &[u8]) -> Vec<u8> {
    let (length, rest) = bytes.split_first_chunk::<2>().unwrap();
    let (taken, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
    *bytes = rest;
    taken.to_vec()
}

fn string(bytes: &mut &[u8]) -> String {
    String::from_utf8(field(bytes)).unwrap()
}

/// Takes one packet and answers it; `None` at the end.
fn serve(client: &mut TcpStream) -> Option<Option<Packet>> {
    let mut head = [0];
    client.read_exact(&mut head).ok()?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).ok()?;
    let mut rest = &body[..];
    let (packet, answer) = match head[0] >> 4 {
        1 => {
            // Protocol name and level, flags, keep-alive, client id.
            field(&mut rest);
            let flags = rest[1];
            rest = &rest[4..];
            field(&mut rest);
            let will = (flags & 4 != 0).then(|| Sent {
                topic: string(&mut rest),
                payload: field(&mut rest),
                qos: flags >> 3 & 3,
                retain: flags & 0x20 != 0,
            });
            (Some(Packet::Connect { clean: flags & 2 != 0, will }), vec![0x20, 2, 0, 0])
        }
        3 => {
            let (topic, qos) = (string(&mut rest), head[0] >> 1 & 3);
            let mut answer = Vec::new();
            if qos > 0 {
                answer.extend([0x40, 2, rest[0], rest[1]]);
                rest = &rest[2..];
            }
            let sent = Sent { topic, payload: rest.to_vec(), qos, retain: head[0] & 1 != 0 };
            (Some(Packet::Publish(sent)), answer)
        }
        8 => {
            let mut answer = vec![0x90, 0, rest[0], rest[1]];
            rest = &rest[2..];
            let mut filters = Vec::new();
            while !rest.is_empty() {
                filters.push(string(&mut rest));
                answer.push(rest[0]);
                rest = &rest[1..];
            }
            answer[1] = (answer.len() - 2) as u8;
            (Some(Packet::Subscribe(filters)), answer)
        }
        12 => (None, vec![0xd0, 0]),
        14 => (Some(Packet::Disconnect), Vec::new()),
        _ => (None, Vec::new()),
    };
    client.write_all(&answer).ok()?;
    Some(packet)
}

fn edge(port: u16, campus: &Arc<Campus>) -> Publisher {
    let config = PublisherConfig {
        port,
        commands: true,
        metrics: metric_points(campus),
        ..PublisherConfig::default()
    };
    Publisher::start(config, campus.clone()).unwrap()
}

#[test]
fn an_edge_node_writes_what_the_specification_says() {
    let (recorder, campus) = (Recorder::start(), sparkplug_only());
    let publisher = edge(recorder.port, &campus);
    wait("the first connection", || recorder.wills().len() == 1);
    assert!(recorder.published().is_empty(), "without a value there is no birth");
    let time = now_ms() as i64 * 1000;
    let flow = |x: f64, ms: i64| sample(&campus, "plant/boiler/flow", time + ms * 1000, Value::Number(x));
    publisher.publish_samples(&[flow(1.0, 0), flow(2.0, 1)]).unwrap();
    wait("births and data", || recorder.count("DDATA") == 1);
    let rebirth = Metric::new("Node Control/Rebirth", datatype::BOOLEAN, Raw::Boolean(true));
    let rebirth = Payload { metrics: vec![rebirth], ..Payload::default() }.encode();
    recorder.send("spBv1.0/school/NCMD/plant", &rebirth, true);
    recorder.send("spBv1.0/school/NCMD/plant", &rebirth, false);
    wait("the birth that was asked for", || recorder.count("NBIRTH") == 2);
    recorder.cut();
    wait("the birth of the next session", || recorder.count("NBIRTH") == 3);
    publisher.publish_samples(&[flow(3.0, 2)]).unwrap();
    wait("data of the next session", || recorder.count("DDATA") == 2);
    publisher.stop();
    wait("the farewell", || matches!(recorder.packets().last(), Some(Packet::Disconnect)));

    let (packets, published, wills) = (recorder.packets(), recorder.published(), recorder.wills());
    let bd_seq = |s: &Sent| {
        let payload = Payload::decode(&s.payload).unwrap();
        let metric = payload.metrics.iter().find(|m| m.name.as_deref() == Some("bdSeq")).unwrap();
        if let Some(Raw::Long(n)) = metric.value { Some(n) } else { None }
    };
    let births: Vec<&Sent> = published.iter().filter(|s| s.verb() == "NBIRTH").collect();
    let death = published.last().unwrap();
    let is = |verbs: &'static [&'static str]| move |s: &&Sent| verbs.contains(&s.verb());
    let plain = |s: &Sent| s.qos == 0 && !s.retain;
    let clean = |p: &Packet| !matches!(p, Packet::Connect { clean: false, .. });
    let first = packets.iter().position(|p| matches!(p, Packet::Publish(_))).unwrap();
    let filters = ["spBv1.0/school/NCMD/plant".to_owned(), "spBv1.0/school/DCMD/plant/+".to_owned()];
    for (statement, kept) in [
        ("tck-id-principles-persistence-clean-session-311", packets.iter().all(clean)),
        (
            "tck-id-payloads-ndeath-will-message",
            wills.iter().all(|w| w.topic == "spBv1.0/school/NDEATH/plant"),
        ),
        ("tck-id-payloads-ndeath-will-message-qos", wills.iter().all(|w| w.qos == 1)),
        ("tck-id-payloads-ndeath-will-message-retain", wills.iter().all(|w| !w.retain)),
        (
            "tck-id-topics-nbirth-mqtt and its fellows",
            published.iter().filter(is(&["NBIRTH", "DBIRTH", "NDATA", "DDATA"])).all(plain),
        ),
        (
            "tck-id-message-flow-edge-node-ncmd-subscribe, -device-dcmd-subscribe: before the birth",
            matches!(&packets[first - 1], Packet::Subscribe(f) if *f == filters),
        ),
        (
            "tck-id-topics-nbirth-bdseq-increment: from 0",
            bd_seq(&wills[0]) == Some(0) && bd_seq(&wills[1]) == Some(1),
        ),
        (
            "tck-id-topics-nbirth-bdseq-matching",
            bd_seq(births[0]) == bd_seq(&wills[0]) && bd_seq(births[2]) == bd_seq(&wills[1]),
        ),
        (
            "tck-id-operational-behavior-data-commands-rebirth-action-3",
            bd_seq(births[1]) == bd_seq(&wills[0]),
        ),
        (
            "tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath",
            death.verb() == "NDEATH" && bd_seq(death) == bd_seq(&wills[1]) && !death.retain,
        ),
        (
            "tck-id-operational-behavior-edge-node-intentional-disconnect-packet",
            matches!(packets[packets.len() - 2..], [Packet::Publish(_), Packet::Disconnect]),
        ),
    ] {
        assert!(kept, "{statement}: {packets:?}");
    }
}

#[test]
fn the_host_writes_what_the_specification_says() {
    let (recorder, campus) = (Recorder::start(), sparkplug_only());
    let config = GatewayConfig {
        port: recorder.port,
        sparkplug_host: Some("hub-1".to_owned()),
        rebirth_pause: Duration::from_millis(50),
        ..GatewayConfig::default()
    };
    let gateway = Gateway::start(config, campus.clone(), Got::default().sink()).unwrap();
    wait("the request for a birth", || recorder.count("NCMD") == 1);
    let birth = Payload {
        seq: Some(0),
        metrics: vec![bd_seq_metric(0), Metric::new("Room", datatype::FLOAT, Raw::Float(1.0))],
        ..Payload::default()
    };
    recorder.send("spBv1.0/school/NBIRTH/plant", &birth.encode(), false);
    let set = Metric { alias: Some(3), ..Metric::new("Set/Flow", datatype::DOUBLE, Raw::Double(55.0)) };
    let birth = Payload { seq: Some(1), metrics: vec![set], ..Payload::default() };
    recorder.send("spBv1.0/school/DBIRTH/plant/boiler", &birth.encode(), false);
    let setpoint = campus.point_id("plant/boiler/setpoint").unwrap();
    wait("the command to be taken", || gateway.send_command(setpoint, Some(&Value::Number(60.0))).is_ok());
    wait("the command", || recorder.count("DCMD") == 1);
    std::thread::sleep(Duration::from_millis(2100));
    recorder.send("spBv1.0/STATE/hub-1", b"{\"online\":false,\"timestamp\":1}", false);
    wait("the answer", || recorder.count("STATE") == 2);
    gateway.stop();
    wait("the farewell", || matches!(recorder.packets().last(), Some(Packet::Disconnect)));

    let (packets, published, wills) = (recorder.packets(), recorder.published(), recorder.wills());
    let states: Vec<&Sent> = published.iter().filter(|s| s.verb() == "STATE").collect();
    let said = |s: &Sent| {
        let json: serde_json::Value = serde_json::from_slice(&s.payload).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 2);
        (json["online"].as_bool().unwrap(), json["timestamp"].as_u64().unwrap())
    };
    let kept = |s: &Sent| s.qos == 1 && s.retain && s.topic == "spBv1.0/STATE/hub-1";
    let commands: Vec<&Sent> = published.iter().filter(|s| s.verb().ends_with("CMD")).collect();
    let payloads: Vec<Payload<'_>> = commands.iter().map(|c| Payload::decode(&c.payload).unwrap()).collect();
    let subscribed = packets.iter().position(|p| matches!(p, Packet::Subscribe(_))).unwrap();
    let filters = ["spBv1.0/school/+/plant/#".to_owned(), "spBv1.0/STATE/hub-1".to_owned()];
    let rebirth = &payloads[0].metrics[0];
    for (statement, holds) in [
        (
            "tck-id-operational-behavior-host-application-connect-will-topic, -qos, -retained",
            wills.len() == 1 && kept(&wills[0]),
        ),
        ("tck-id-host-topic-phid-death-payload", !said(&wills[0]).0),
        (
            "tck-id-host-topic-phid-birth-sub-required",
            matches!(&packets[subscribed], Packet::Subscribe(f) if *f == filters),
        ),
        (
            "tck-id-host-topic-phid-birth-message: the first that is published",
            matches!(&packets[subscribed + 1], Packet::Publish(s) if s.verb() == "STATE"),
        ),
        ("tck-id-host-topic-phid-birth-topic, -qos, -retain", states.iter().all(|s| kept(s))),
        ("tck-id-host-topic-phid-birth-payload", said(states[0]).0 && said(states[1]).0),
        (
            "tck-id-host-topic-phid-birth-payload-timestamp",
            said(states[0]).1 == said(&wills[0]).1 && said(states[1]).1 == said(&wills[0]).1,
        ),
        (
            "tck-id-operational-behavior-host-application-death-payload",
            !said(states[2]).0 && said(states[2]).1 >= said(states[0]).1,
        ),
        (
            "tck-id-operational-behavior-host-application-disconnect-intentional",
            matches!(&packets[packets.len() - 2..], [Packet::Publish(s), Packet::Disconnect] if s.verb() == "STATE"),
        ),
        (
            "tck-id-topics-ncmd-mqtt, tck-id-topics-dcmd-mqtt",
            commands.len() == 2 && commands.iter().all(|c| c.qos == 0 && !c.retain),
        ),
        ("tck-id-topics-dcmd-topic", commands[1].topic == "spBv1.0/school/DCMD/plant/boiler"),
        ("tck-id-payloads-ncmd-seq, tck-id-payloads-dcmd-seq", payloads.iter().all(|p| p.seq.is_none())),
        (
            "tck-id-payloads-ncmd-timestamp, tck-id-payloads-dcmd-timestamp",
            payloads.iter().all(|p| p.timestamp.is_some()),
        ),
        (
            "tck-id-operational-behavior-data-commands-ncmd-rebirth-name",
            rebirth.name.as_deref() == Some("Node Control/Rebirth"),
        ),
        (
            "tck-id-operational-behavior-data-commands-ncmd-rebirth-value",
            rebirth.value == Some(Raw::Boolean(true)),
        ),
        (
            "tck-id-payloads-alias-data-cmd-requirement",
            payloads[1].metrics[0].alias == Some(3) && payloads[1].metrics[0].name.is_none(),
        ),
        (
            "tck-id-operational-behavior-data-commands-dcmd-metric-value",
            payloads[1].metrics[0].value == Some(Raw::Double(600.0)),
        ),
    ] {
        assert!(holds, "{statement}: {packets:?}");
    }
}
