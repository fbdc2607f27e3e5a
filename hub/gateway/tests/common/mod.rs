//! A small campus made in code, a sink that keeps what it gets, and waiting.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use campanile_gateway::sparkplug::{Metric, Payload, Raw, datatype};
use campanile_gateway::{
    Broker, BrokerConfig, Completion, FieldBatch, Gateway, GatewayConfig, Mosquitto, Presence, Publisher,
    PublisherConfig, Sink,
};
use campanile_model::{
    Accumulation, Binding, Campus, Choice, CommandBinding, Entity, EntityKind, Names, Path, Point, PointId,
    PointKind, Quality, Sample, SparkplugMetric, TimeFormat, Timestamp, Value, ValueType,
};

pub fn binding(topic: &str) -> Binding {
    Binding {
        topic: topic.to_owned(),
        value_pointer: "/value".to_owned(),
        time_pointer: Some("/time".to_owned()),
        time_format: TimeFormat::UnixMs,
        quality_pointer: Some("/quality".to_owned()),
        array_pointer: None,
        scale: 1.0,
        offset: 0.0,
        command: None,
        presence_topic: None,
        sparkplug: None,
    }
}

pub fn point(path: &str, value_type: ValueType, binding: Binding) -> Point {
    Point {
        id: PointId(0),
        path: Path::new(path).unwrap(),
        entity: 0,
        names: Names::default(),
        kind: PointKind::Sensor,
        quantity: "x".to_owned(),
        value_type,
        choices: Vec::new(),
        accumulation: Accumulation::Gauge,
        brick: String::new(),
        unit: "1".to_owned(),
        range: None,
        period_s: 60.0,
        resolution: None,
        submeter: None,
        command: None,
        alarms: Vec::new(),
        interlocks: Vec::new(),
        binding: Some(binding),
    }
}

pub fn campus(points: Vec<Point>) -> Arc<Campus> {
    let mut campus = Campus::default();
    campus.id = "test".to_owned();
    campus.entities.push(Entity {
        path: Path::new("site").unwrap(),
        names: Names::default(),
        kind: EntityKind::Site,
        brick: String::new(),
        parent: None,
        class: String::new(),
    });
    campus.points = points;
    campus.reindex();
    Arc::new(campus)
}

/// One point of each kind of binding that the tests need.
pub fn school() -> Arc<Campus> {
    let number = ValueType::Number;
    let co2 = point("room/co2", number, binding("campus/room/co2"));
    let mut scaled = point("room/temperature", number, binding("campus/room/temperature"));
    scaled.binding.as_mut().unwrap().scale = 0.1;
    scaled.binding.as_mut().unwrap().offset = -40.0;
    let mut door = point("room/door", ValueType::Bool, binding("campus/room/door"));
    let bare = door.binding.as_mut().unwrap();
    bare.value_pointer = String::new();
    bare.time_pointer = None;
    bare.quality_pointer = None;
    let mut meter = point("room/meter", number, binding("campus/room/meter"));
    let array = meter.binding.as_mut().unwrap();
    array.array_pointer = Some("/data/samples".to_owned());
    array.value_pointer = "/v/kwh".to_owned();
    array.time_format = TimeFormat::Rfc3339;
    let mut mode = point("room/mode", ValueType::Choice, binding("campus/room/mode"));
    mode.choices =
        ["off", "cool", "heat"].map(|id| Choice { id: id.to_owned(), names: Names::default() }).to_vec();
    let b = mode.binding.as_mut().unwrap();
    b.command = Some(CommandBinding {
        topic: "campus/room/mode/set".to_owned(),
        value_pointer: "/set/mode".to_owned(),
    });
    b.presence_topic = Some("campus/room/presence".to_owned());
    let mut both_a = point("room/both-a", number, binding("campus/room/both"));
    both_a.binding.as_mut().unwrap().value_pointer = "/a".to_owned();
    let mut both_b = point("room/both-b", number, binding("campus/room/both"));
    both_b.binding.as_mut().unwrap().value_pointer = "/b".to_owned();
    campus(vec![co2, scaled, door, meter, mode, both_a, both_b])
}

/// What a sink got.
#[derive(Clone, Default)]
pub struct Got {
    pub samples: Arc<Mutex<Vec<Sample>>>,
    pub presence: Arc<Mutex<Vec<Presence>>>,
    pub held: Arc<Mutex<Vec<Completion>>>,
}

impl Got {
    /// Takes batches and completes them at once.
    pub fn sink(&self) -> impl Sink + use<> {
        let got = self.clone();
        move |batch: FieldBatch| {
            got.samples.lock().unwrap().extend(batch.samples);
            got.presence.lock().unwrap().extend(batch.presence);
            batch.done.done();
            Ok(())
        }
    }

    /// Takes batches and completes none.
    pub fn holding_sink(&self) -> impl Sink + use<> {
        let got = self.clone();
        move |batch: FieldBatch| {
            got.samples.lock().unwrap().extend(batch.samples);
            got.held.lock().unwrap().push(batch.done);
            Ok(())
        }
    }

    pub fn count(&self) -> usize {
        self.samples.lock().unwrap().len()
    }
}

pub fn broker() -> Broker {
    Broker::start(&BrokerConfig::on_port(0)).unwrap()
}

pub fn gateway_config(port: u16) -> GatewayConfig {
    GatewayConfig { port, ..GatewayConfig::default() }
}

/// Starts a gateway and waits until its subscription is in force.
pub fn start(port: u16, campus: &Arc<Campus>, sink: impl Sink) -> Gateway {
    let gateway = Gateway::start(gateway_config(port), campus.clone(), sink).unwrap();
    wait("the gateway to connect", || gateway.is_connected());
    std::thread::sleep(Duration::from_millis(100));
    gateway
}

pub fn publisher(port: u16, campus: &Arc<Campus>, name: &str) -> Publisher {
    let config = PublisherConfig { port, client_id: name.to_owned(), ..PublisherConfig::default() };
    let publisher = Publisher::start(config, campus.clone()).unwrap();
    publisher.wait_connected(Duration::from_secs(10)).unwrap();
    publisher
}

pub fn sample(campus: &Campus, path: &str, time_us: i64, value: Value) -> Sample {
    Sample { point: campus.point_id(path).unwrap(), time: Timestamp(time_us), value, quality: Quality::Good }
}

#[track_caller]
pub fn wait(what: &str, mut ready: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(15);
    while !ready() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub enum AnyBroker {
    Embedded(Broker),
    Mosquitto(Mosquitto),
}

impl AnyBroker {
    pub fn port(&self) -> u16 {
        match self {
            AnyBroker::Embedded(b) => b.port(),
            AnyBroker::Mosquitto(b) => b.port(),
        }
    }
}

/// The embedded broker, and Mosquitto where it is installed.
pub fn brokers() -> Vec<AnyBroker> {
    let mosquitto = Mosquitto::find().map(|path| AnyBroker::Mosquitto(Mosquitto::start(&path, 0).unwrap()));
    if mosquitto.is_none() {
        eprintln!("skipped with Mosquitto: it is not installed");
    }
    [Some(AnyBroker::Embedded(broker())), mosquitto].into_iter().flatten().collect()
}

/// A binding to a metric, as `campus.toml` makes it.
pub fn metric_binding(device: Option<&str>, metric: &str, commanded: bool) -> Binding {
    let place = SparkplugMetric {
        group: "school".to_owned(),
        node: "plant".to_owned(),
        device: device.map(str::to_owned),
        metric: metric.to_owned(),
    };
    let command = CommandBinding { topic: place.topic("CMD"), value_pointer: metric.to_owned() };
    Binding {
        time_pointer: None,
        quality_pointer: None,
        command: commanded.then_some(command),
        sparkplug: Some(place.clone()),
        ..binding(&place.topic("DATA"))
    }
}

/// A plant room with an edge node `school/plant`, a device `boiler` behind it, and a sensor that speaks JSON.
pub fn plant() -> Arc<Campus> {
    let number = ValueType::Number;
    let mut mode =
        point("plant/boiler/mode", ValueType::Choice, metric_binding(Some("boiler"), "Mode", true));
    mode.choices =
        ["off", "eco", "full"].map(|id| Choice { id: id.to_owned(), names: Names::default() }).to_vec();
    let mut setpoint =
        point("plant/boiler/setpoint", number, metric_binding(Some("boiler"), "Set/Flow", true));
    setpoint.binding.as_mut().unwrap().scale = 0.1;
    campus(vec![
        point("plant/room", number, metric_binding(None, "Room", false)),
        point("plant/boiler/flow", number, metric_binding(Some("boiler"), "Temp/Flow", false)),
        setpoint,
        mode,
        point("room/co2", number, binding("campus/room/co2")),
    ])
}

/// The plant room without the sensor that speaks JSON.
pub fn sparkplug_only() -> Arc<Campus> {
    let is_metric = |p: &&Point| p.binding.as_ref().is_some_and(|b| b.sparkplug.is_some());
    campus(plant().points.iter().filter(is_metric).cloned().collect())
}

/// A message that an edge node, or any client of tests, received.
#[derive(Clone, Debug)]
pub struct Received {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
    pub qos: rumqttc::QoS,
}

/// An edge node of Sparkplug B with a last will. Dropped, it is cut off without a farewell.
pub struct EdgeNode {
    client: rumqttc::Client,
    pub received: Arc<Mutex<Vec<Received>>>,
    thread: Option<JoinHandle<()>>,
    seq: u8,
    bd_seq: u64,
}

impl EdgeNode {
    pub fn connect(port: u16, bd_seq: u64) -> Self {
        let mut options = rumqttc::MqttOptions::new(format!("edge-{bd_seq}"), "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(5)).set_max_packet_size(1 << 25, 1 << 25);
        let will = Payload { metrics: vec![bd_seq_metric(bd_seq)], ..Payload::default() }.encode();
        options.set_last_will(rumqttc::LastWill::new(
            "spBv1.0/school/NDEATH/plant",
            will,
            rumqttc::QoS::AtLeastOnce,
            false,
        ));
        let (client, mut connection) = rumqttc::Client::new(options, 100);
        for filter in ["spBv1.0/school/NCMD/plant", "spBv1.0/school/DCMD/plant/#", "spBv1.0/STATE/#"] {
            client.subscribe(filter, rumqttc::QoS::AtLeastOnce).unwrap();
        }
        let received = Arc::new(Mutex::new(Vec::new()));
        let ready = Arc::new(Mutex::new(0));
        let (keep, acks) = (received.clone(), ready.clone());
        let thread = std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(rumqttc::Event::Incoming(rumqttc::Incoming::Publish(p))) => {
                        keep.lock().unwrap().push(Received {
                            topic: p.topic.clone(),
                            payload: p.payload.to_vec(),
                            retain: p.retain,
                            qos: p.qos,
                        });
                    }
                    Ok(rumqttc::Event::Incoming(rumqttc::Incoming::SubAck(_))) => *acks.lock().unwrap() += 1,
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        wait("the edge node to subscribe", || *ready.lock().unwrap() == 3);
        Self { client, received, thread: Some(thread), seq: 0, bd_seq }
    }

    pub fn publish(&self, topic: &str, payload: Vec<u8>, retain: bool) {
        self.client.publish(topic, rumqttc::QoS::AtMostOnce, retain, payload).unwrap();
    }

    fn send(&mut self, topic: &str, metrics: Vec<Metric<'_>>) {
        let payload = Payload { timestamp: Some(now_ms()), seq: Some(u64::from(self.seq)), metrics };
        self.seq = self.seq.wrapping_add(1);
        self.publish(topic, payload.encode(), false);
    }

    /// NBIRTH and DBIRTH. Aliases: 1 Room, 2 Temp/Flow, 3 Set/Flow, 4 Mode.
    pub fn birth(&mut self) {
        self.seq = 0;
        let alias = |alias, metric| Metric { alias: Some(alias), ..metric };
        let metrics = vec![
            bd_seq_metric(self.bd_seq),
            Metric::new("Node Control/Rebirth", datatype::BOOLEAN, Raw::Boolean(false)),
            alias(1, Metric::new("Room", datatype::FLOAT, Raw::Float(20.5))),
        ];
        self.send("spBv1.0/school/NBIRTH/plant", metrics);
        let metrics = vec![
            alias(2, Metric::new("Temp/Flow", datatype::DOUBLE, Raw::Double(55.0))),
            alias(3, Metric::new("Set/Flow", datatype::INT32, Raw::Int(550))),
            alias(4, Metric::new("Mode", datatype::UINT8, Raw::Int(1))),
        ];
        self.send("spBv1.0/school/DBIRTH/plant/boiler", metrics);
    }

    pub fn flow(&mut self, value: f64) {
        let metric = Metric { alias: Some(2), value: Some(Raw::Double(value)), ..Metric::default() };
        self.send("spBv1.0/school/DDATA/plant/boiler", vec![metric]);
    }

    pub fn data(&mut self, metrics: Vec<Metric<'_>>) {
        self.send("spBv1.0/school/DDATA/plant/boiler", metrics);
    }

    /// A message that is lost on the way.
    pub fn lose_one(&mut self) {
        self.seq = self.seq.wrapping_add(1);
    }

    pub fn rebirths(&self) -> usize {
        self.commands("spBv1.0/school/NCMD/plant")
            .iter()
            .filter(|r| {
                Payload::decode(&r.payload).unwrap().metrics[0].name.as_deref()
                    == Some("Node Control/Rebirth")
            })
            .count()
    }

    pub fn commands(&self, topic: &str) -> Vec<Received> {
        self.received.lock().unwrap().iter().filter(|r| r.topic == topic).cloned().collect()
    }

    /// Says farewell as section 5 wants: NDEATH and then DISCONNECT.
    pub fn leave(mut self) {
        let metrics = vec![bd_seq_metric(self.bd_seq)];
        self.publish(
            "spBv1.0/school/NDEATH/plant",
            Payload { metrics, ..Payload::default() }.encode(),
            false,
        );
        let _ = self.client.disconnect();
        self.thread.take().unwrap().join().unwrap();
    }
}

pub fn bd_seq_metric(bd_seq: u64) -> Metric<'static> {
    Metric::new("bdSeq", datatype::INT64, Raw::Long(bd_seq))
}

pub fn now_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}
