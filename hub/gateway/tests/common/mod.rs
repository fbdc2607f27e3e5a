//! A small campus made in code, a sink that keeps what it gets, and waiting.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use campanile_gateway::{
    Broker, BrokerConfig, Completion, FieldBatch, Gateway, GatewayConfig, Presence, Publisher,
    PublisherConfig, Sink,
};
use campanile_model::{
    Accumulation, Binding, Campus, Choice, CommandBinding, Entity, EntityKind, Names, Path, Point, PointId,
    PointKind, Quality, Sample, TimeFormat, Timestamp, Value, ValueType,
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
