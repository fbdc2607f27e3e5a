//! The bytes against those of another implementation, and the session step by step.

use std::time::{Duration, Instant};

use campanile_model::{
    Accumulation, Binding, Campus, CommandBinding, Names, Path, Point, PointId, PointKind, Quality, Sample,
    SparkplugMetric, TimeFormat, Timestamp, Value, ValueType,
};

use super::nodes::{Nodes, Out, Taken};
use super::payload::{MAX_METRICS, MAX_NAME, Metric, Payload, Raw, datatype};
use super::value::{Refusal, raw, scalar};
use crate::parse::Scalar;
use crate::topics::Target;
use crate::{GatewayError, Presence};

/// A payload with a metric of every sort, written by Google's protobuf for Python with the schema of section 6.4.1.
const GOLDEN: &str = "08eaf2f5a8a02b121a0a0854656d702f416972100718a2828395862b2009650000ac41120c0a02693820\
0150ffffffff0f12120a03693634200458fbffffffffffffffff0112120a03753634200858ffffffffffffffffff0112090a0162200b28\
017001120d0a0173200c7a06e6b8a9e5baa6120510ac023801120e0a0164200a69000000000000e0bf12190a017120034a100a0751756\
16c6974791205080318f403500412130a0174201392010b0a013112060a02696e5001120e0a02647320108a01050801120163120b0a02\
6279201182010200011802220175";
const GOLDEN_COMMAND: &str =
    "0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn a_payload_of_another_implementation_is_read_metric_by_metric() {
    let bytes = bytes(GOLDEN);
    let payload = Payload::decode(&bytes).unwrap();
    assert_eq!((payload.timestamp, payload.seq), (Some(1_486_144_502_122), Some(2)));
    let expected = vec![
        Metric {
            alias: Some(7),
            timestamp: Some(1_479_123_452_194),
            ..Metric::new("Temp/Air", datatype::FLOAT, Raw::Float(21.5))
        },
        Metric::new("i8", datatype::INT8, Raw::Int(u32::MAX)),
        Metric::new("i64", datatype::INT64, Raw::Long(-5_i64 as u64)),
        Metric::new("u64", datatype::UINT64, Raw::Long(u64::MAX)),
        Metric { is_historical: true, ..Metric::new("b", datatype::BOOLEAN, Raw::Boolean(true)) },
        Metric::new("s", datatype::STRING, Raw::Text("温度".into())),
        Metric { alias: Some(300), is_null: true, ..Metric::default() },
        Metric::new("d", datatype::DOUBLE, Raw::Double(-0.5)),
        Metric { quality: Some(500), ..Metric::new("q", datatype::INT32, Raw::Int(4)) },
        Metric::new("t", 19, Raw::Compound),
        Metric::new("ds", 16, Raw::Compound),
        Metric::new("by", 17, Raw::Compound),
    ];
    assert_eq!(payload.metrics, expected);
}

#[test]
fn what_is_written_is_what_another_implementation_writes() {
    let ms = 1_700_000_000_000;
    let rebirth = Metric {
        timestamp: Some(ms),
        ..Metric::new("Node Control/Rebirth", datatype::BOOLEAN, Raw::Boolean(true))
    };
    let payload = Payload { timestamp: Some(ms), seq: None, metrics: vec![rebirth] };
    assert_eq!(payload.encode(), bytes(GOLDEN_COMMAND));
    // All but what is stepped over comes back the same.
    let golden = bytes(GOLDEN);
    let mut payload = Payload::decode(&golden).unwrap();
    payload.metrics.retain(|m| m.value != Some(Raw::Compound));
    let again = payload.encode();
    assert_eq!(Payload::decode(&again).unwrap(), payload);
}

#[test]
fn every_cut_and_every_changed_byte_is_an_answer_and_never_a_panic() {
    let golden = bytes(GOLDEN);
    let whole = Payload::decode(&golden).unwrap();
    let mut refused = 0;
    // The last field, three bytes, is of no use here: without it nothing is missing.
    for cut in 0..golden.len() - 3 {
        match Payload::decode(&golden[..cut]) {
            Ok(part) => assert!(part.metrics.len() <= whole.metrics.len() && part != whole),
            Err(why) => {
                assert!(!why.is_empty());
                refused += 1;
            }
        }
    }
    assert!(refused > golden.len() / 2);
    let mut changed = golden.clone();
    for at in 0..golden.len() {
        for value in 0..=255 {
            changed[at] = value;
            let _ = Payload::decode(&changed);
        }
        changed[at] = golden[at];
    }
}

#[test]
fn what_is_beyond_a_limit_or_no_payload_is_refused_with_the_reason() {
    let many = Payload { metrics: vec![Metric::default(); MAX_METRICS + 1], ..Payload::default() }.encode();
    let long = "n".repeat(MAX_NAME + 1);
    let long = Payload { metrics: vec![Metric::new(long, 1, Raw::Int(0))], ..Payload::default() }.encode();
    let cases: [(&[u8], &str); 9] = [
        (&many, "more than 20000 metrics"),
        (&long, "longer than 1024 bytes"),
        (b"{\"value\":1}", "wire type 3"),
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "more than 64 bits"),
        (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "ends in the middle"),
        (&[0x08], "ends in the middle"),
        (&[0x12, 0x03, 0x0a, 0x01, 0xff], "not UTF-8"),
        (&[0x00, 0x00], "no field 0"),
        (&[0x0a, 0x00], "field 1 of a payload"),
    ];
    for (bytes, why) in cases {
        let error = Payload::decode(bytes).unwrap_err();
        assert!(error.contains(why), "'{error}' doesn't say '{why}'");
    }
}

#[test]
fn values_mean_what_their_types_say() {
    use datatype::*;
    let integer = Scalar::Integer;
    let cases = [
        (INT8, Raw::Int(0xffff_ffff), Some(integer(-1))),
        (INT8, Raw::Int(0xff), Some(integer(-1))),
        (INT8, Raw::Int(0x80), Some(integer(-128))),
        (INT8, Raw::Int(0x7f), Some(integer(127))),
        (INT8, Raw::Int(0x100), None),
        (INT16, Raw::Int(0xffff_8000), Some(integer(-32768))),
        (INT16, Raw::Int(0x8000), Some(integer(-32768))),
        (INT32, Raw::Int(0x8000_0000), Some(integer(-2_147_483_648))),
        (INT32, Raw::Long(u64::MAX), Some(integer(-1))),
        (INT64, Raw::Long(1 << 63), Some(integer(i64::MIN))),
        (INT64, Raw::Int(0xffff_ffff), Some(integer(-1))),
        (UINT8, Raw::Int(255), Some(integer(255))),
        (UINT8, Raw::Int(256), None),
        (UINT16, Raw::Int(65535), Some(integer(65535))),
        (UINT32, Raw::Int(u32::MAX), Some(integer(4_294_967_295))),
        (UINT32, Raw::Long(4_294_967_295), Some(integer(4_294_967_295))),
        (UINT32, Raw::Long(4_294_967_296), None),
        (UINT64, Raw::Long(u64::MAX), Some(Scalar::Number(18_446_744_073_709_551_615.0))),
        (FLOAT, Raw::Float(21.5), Some(Scalar::Number(21.5))),
        (DOUBLE, Raw::Float(0.1), Some(Scalar::Number(f64::from(0.1_f32)))),
        (DOUBLE, Raw::Int(1), None),
        (BOOLEAN, Raw::Boolean(true), Some(Scalar::Bool(true))),
        (BOOLEAN, Raw::Int(1), None),
        (STRING, Raw::Text("a".into()), Some(Scalar::Text("a".into()))),
        (DATE_TIME, Raw::Long(1_700_000_000_000), Some(integer(1_700_000_000_000))),
        (UNKNOWN, Raw::Int(1), None),
    ];
    for (kind, raw, expected) in cases {
        assert_eq!(scalar(&raw, kind, ValueType::Number).ok(), expected, "{} {raw:?}", datatype::name(kind));
    }
    let text = scalar(&Raw::Long(1_700_000_000_000), DATE_TIME, ValueType::Text);
    assert_eq!(text, Ok(Scalar::Text("2023-11-14T22:13:20Z".into())));
    for (kind, word) in
        [(16, "DataSet"), (18, "File"), (19, "Template"), (22, "an array"), (99, "unknown type")]
    {
        let refusal = scalar(&Raw::Compound, kind, ValueType::Number).unwrap_err();
        assert!(matches!(&refusal, Refusal::Unsupported(why) if why.contains(word)), "{refusal:?}");
    }
}

#[test]
fn a_command_comes_back_as_it_was_or_is_refused() {
    use datatype::*;
    let campus = campus();
    let point = campus.point(PointId(0));
    let target = Target::new(point, point.binding.as_ref().unwrap());
    for kind in [INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE] {
        let x = if matches!(kind, INT8 | INT16 | INT32 | INT64) { -7.0 } else { 7.0 };
        let written = raw(point, &target, kind, &Value::Number(x)).unwrap();
        let read = match scalar(&written, kind, ValueType::Number).unwrap() {
            Scalar::Integer(n) => n as f64,
            Scalar::Number(x) => x,
            other => panic!("{other:?}"),
        };
        assert_eq!(read, x, "{}", datatype::name(kind));
    }
    for (kind, value, why) in [
        (UINT8, Value::Number(-1.0), "beyond the range"),
        (INT8, Value::Number(128.0), "beyond the range"),
        (INT32, Value::Number(21.5), "not a whole number"),
        (FLOAT, Value::Number(1e300), "beyond the range"),
        (BOOLEAN, Value::Number(2.0), "can't be written"),
        (STRING, Value::Number(1.0), "can't be commanded"),
        (19, Value::Number(1.0), "can't be commanded"),
        (INT32, Value::Bool(true), "is not a Number"),
    ] {
        let error = raw(point, &target, kind, &value).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    // What a scale of 0.1 makes of 21.5 is not quite whole.
    assert_eq!(raw(point, &target, INT32, &Value::Number(215.000_000_000_000_03)), Ok(Raw::Int(215)));
}

/// `n/a` (a number that can be commanded) of the node itself; `d/b` (a number) and `d/c` (a text) of a device.
pub(super) fn campus() -> Campus {
    let mut campus = Campus::default();
    for (path, device, metric, value_type) in [
        ("n/a", None, "Set", ValueType::Number),
        ("d/b", Some("d"), "B", ValueType::Number),
        ("d/c", Some("d"), "C", ValueType::Text),
    ] {
        let place = SparkplugMetric {
            group: "G".to_owned(),
            node: "N".to_owned(),
            device: device.map(str::to_owned),
            metric: metric.to_owned(),
        };
        let command = CommandBinding { topic: place.topic("CMD"), value_pointer: metric.to_owned() };
        campus.points.push(Point {
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
            binding: Some(Binding {
                topic: place.topic("DATA"),
                value_pointer: metric.to_owned(),
                time_pointer: None,
                time_format: TimeFormat::UnixMs,
                quality_pointer: None,
                array_pointer: None,
                scale: 1.0,
                offset: 0.0,
                command: device.is_none().then_some(command),
                presence_topic: None,
                sparkplug: Some(place),
            }),
        });
    }
    campus.reindex();
    campus
}

pub(super) struct Rig {
    pub(super) campus: Campus,
    pub(super) nodes: Nodes,
    pub(super) samples: Vec<Sample>,
    pub(super) presence: Vec<Presence>,
    pub(super) refused: Vec<Refusal>,
    pub(super) clock: i64,
}

pub(super) const A: PointId = PointId(0);
pub(super) const B: PointId = PointId(1);
pub(super) const C: PointId = PointId(2);

impl Rig {
    pub(super) fn new() -> Self {
        let campus = campus();
        let nodes = Nodes::new(&campus, Duration::from_secs(5));
        Self {
            campus,
            nodes,
            samples: Vec::new(),
            presence: Vec::new(),
            refused: Vec::new(),
            clock: 1_700_000_000_000_000,
        }
    }

    pub(super) fn send(&mut self, topic: &str, seq: Option<u64>, metrics: Vec<Metric<'_>>) -> Taken {
        self.send_as(topic, seq, metrics, (false, false))
    }

    pub(super) fn send_as(
        &mut self,
        topic: &str,
        seq: Option<u64>,
        metrics: Vec<Metric<'_>>,
        flags: (bool, bool),
    ) -> Taken {
        let bytes = Payload { timestamp: None, seq, metrics }.encode();
        self.clock += 1_000_000;
        let refused = &mut self.refused;
        let mut out = Out {
            samples: &mut self.samples,
            presence: &mut self.presence,
            refused: &mut |r| refused.push(r),
            historical: 0,
            nulls: 0,
        };
        self.nodes.take(topic, &bytes, flags, Timestamp(self.clock), &mut out)
    }

    /// Both births, with the aliases 1, 2 and 3.
    pub(super) fn birth(&mut self, bd_seq: u64) {
        self.send(
            "spBv1.0/G/NBIRTH/N",
            Some(0),
            vec![
                Metric::new("bdSeq", datatype::INT64, Raw::Long(bd_seq)),
                Metric { alias: Some(1), ..Metric::new("Set", datatype::INT16, Raw::Int(5)) },
            ],
        );
        self.send(
            "spBv1.0/G/DBIRTH/N/d",
            Some(1),
            vec![
                Metric { alias: Some(2), ..Metric::new("B", datatype::DOUBLE, Raw::Double(1.0)) },
                Metric { alias: Some(3), ..Metric::new("C", datatype::STRING, Raw::Text("c".into())) },
                Metric { alias: Some(4), ..Metric::new("unbound", datatype::INT8, Raw::Int(0)) },
            ],
        );
    }

    pub(super) fn data(&mut self, seq: u64, alias: u64, value: f64) {
        let metric = Metric { alias: Some(alias), value: Some(Raw::Double(value)), ..Metric::default() };
        self.send("spBv1.0/G/DDATA/N/d", Some(seq), vec![metric]);
    }

    pub(super) fn requests(&mut self, at: Instant) -> usize {
        self.nodes.requests(at, Timestamp(self.clock)).len()
    }

    pub(super) fn online(&self) -> Vec<(usize, bool)> {
        self.presence.iter().map(|p| (p.points.len(), p.online)).collect()
    }
}

#[test]
fn births_bring_values_and_presence_and_data_follows_by_alias() {
    let mut rig = Rig::new();
    rig.birth(7);
    assert_eq!(rig.refused, []);
    assert_eq!(rig.online(), [(1, true), (2, true)]);
    let values: Vec<(PointId, Value)> = rig.samples.iter().map(|s| (s.point, s.value.clone())).collect();
    assert_eq!(values, [(A, Value::Number(5.0)), (B, Value::Number(1.0)), (C, Value::Text("c".into()))]);
    // Numbers run from 0 to 255 and begin again: 600 messages without a gap.
    for i in 2..600_u64 {
        rig.data(i % 256, 2, i as f64);
    }
    assert_eq!(rig.samples.len(), 601);
    assert_eq!(rig.samples[600].value, Value::Number(599.0));
    // By name, and one that nobody bound.
    let by_name = Metric { name: Some("B".into()), value: Some(Raw::Double(3.5)), ..Metric::default() };
    let unbound = Metric { alias: Some(4), value: Some(Raw::Int(1)), ..Metric::default() };
    rig.send("spBv1.0/G/DDATA/N/d", Some(600 % 256), vec![unbound, by_name]);
    assert_eq!(rig.samples[601].value, Value::Number(3.5));
    let status = rig.nodes.status().pop().unwrap();
    assert_eq!((status.gaps, status.births, status.bd_seq, status.last_seq), (0, 1, Some(7), Some(88)));
    assert_eq!((status.online, status.devices[0].online), (Some(true), Some(true)));
    assert_eq!(rig.refused, []);
    assert!(!rig.nodes.are_wanting());
}

#[test]
fn a_gap_asks_for_a_birth_and_values_by_alias_are_doubtful_until_then() {
    let mut rig = Rig::new();
    rig.birth(7);
    rig.data(2, 2, 1.0);
    rig.data(4, 2, 2.0);
    assert_eq!(rig.samples.last().unwrap().quality, Quality::Uncertain);
    let by_name = Metric { name: Some("B".into()), value: Some(Raw::Double(3.5)), ..Metric::default() };
    rig.send("spBv1.0/G/DDATA/N/d", Some(5), vec![by_name]);
    assert_eq!(rig.samples.last().unwrap().quality, Quality::Good);
    let now = Instant::now();
    let requests = rig.nodes.requests(now, Timestamp(1_700_000_000_000_000));
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].0, "spBv1.0/G/NCMD/N");
    assert_eq!(requests[0].1, bytes(GOLDEN_COMMAND));
    rig.birth(7);
    assert_eq!(rig.online(), [(1, true), (2, true)], "a birth within a session is no return");
    rig.data(2, 2, 4.0);
    assert_eq!(rig.samples.last().unwrap().quality, Quality::Good);
    assert_eq!(rig.nodes.status()[0].gaps, 1);
}

#[test]
fn a_message_delivered_again_is_no_gap() {
    let mut rig = Rig::new();
    rig.birth(7);
    rig.data(2, 2, 1.0);
    rig.data(3, 2, 1.0);
    let again = Metric { alias: Some(2), value: Some(Raw::Double(1.0)), ..Metric::default() };
    rig.send_as("spBv1.0/G/DDATA/N/d", Some(2), vec![again], (false, true));
    rig.data(4, 2, 1.0);
    assert_eq!((rig.nodes.status()[0].gaps, rig.nodes.are_wanting()), (0, false));
}

#[test]
fn requests_for_births_keep_a_growing_distance() {
    let mut rig = Rig::new();
    let start = Instant::now();
    let mut asked_at = Vec::new();
    // A node that sends data and never a birth, for twenty minutes.
    for second in 0..1200_u64 {
        rig.data(second % 256, 2, 1.0);
        if rig.requests(start + Duration::from_secs(second)) > 0 {
            asked_at.push(second);
        }
    }
    assert_eq!(asked_at, [0, 5, 15, 35, 75, 155, 315, 615, 915]);
    let status = rig.nodes.status().pop().unwrap();
    assert_eq!((status.rebirths_asked, status.before_birth), (9, 1200));
    assert!(rig.samples.is_empty());
}

#[test]
fn an_alias_that_no_birth_named_asks_for_one_and_the_others_are_kept() {
    let mut rig = Rig::new();
    rig.birth(7);
    let metric = |alias| Metric { alias: Some(alias), value: Some(Raw::Double(8.0)), ..Metric::default() };
    rig.send("spBv1.0/G/DDATA/N/d", Some(2), vec![metric(77), metric(2)]);
    assert_eq!(rig.samples.last().unwrap().value, Value::Number(8.0));
    assert_eq!(rig.refused.len(), 1);
    assert!(rig.nodes.are_wanting());
}

#[test]
fn an_alias_that_two_metrics_claim_gives_no_value_to_either() {
    let mut rig = Rig::new();
    rig.birth(7);
    let twice = |name: &'static str| Metric {
        alias: Some(9),
        ..Metric::new(name, datatype::DOUBLE, Raw::Double(1.0))
    };
    rig.send("spBv1.0/G/DBIRTH/N/d", Some(2), vec![twice("B"), twice("C2")]);
    assert!(matches!(&rig.refused[..], [Refusal::Malformed(why)] if why.contains("alias 9")));
    let before = rig.samples.len();
    rig.data(3, 9, 5.0);
    assert_eq!(rig.samples.len(), before);
}

#[test]
fn a_death_of_the_session_takes_everything_away_and_a_late_one_nothing() {
    let mut rig = Rig::new();
    let death = |n| vec![Metric::new("bdSeq", datatype::INT64, Raw::Long(n))];
    rig.birth(7);
    rig.birth(8);
    // Of the new session: the device was offline between its births.
    assert_eq!(rig.online(), [(1, true), (2, true), (2, false), (1, true), (2, true)]);
    rig.send("spBv1.0/G/NDEATH/N", None, death(7));
    assert_eq!(rig.online().len(), 5, "the will of the session before comes late");
    assert_eq!(rig.nodes.status()[0].late_deaths, 1);
    rig.send("spBv1.0/G/NDEATH/N", None, death(8));
    assert_eq!(rig.online()[5..], [(1, false), (2, false)]);
    let status = rig.nodes.status().pop().unwrap();
    assert_eq!((status.online, status.deaths, status.devices[0].online), (Some(false), 1, Some(false)));
    rig.data(2, 2, 1.0);
    assert!(rig.nodes.are_wanting(), "data of the dead asks for a birth");
}

#[test]
fn a_death_of_a_device_leaves_the_node() {
    let mut rig = Rig::new();
    rig.birth(7);
    rig.send("spBv1.0/G/DDEATH/N/d", Some(2), vec![]);
    assert_eq!(rig.online()[2..], [(2, false)]);
    let set = Metric { alias: Some(1), value: Some(Raw::Int(6)), ..Metric::default() };
    rig.send("spBv1.0/G/NDATA/N", Some(3), vec![set]);
    assert_eq!(rig.samples.last().unwrap().value, Value::Number(6.0));
    assert!(!rig.nodes.are_wanting());
    rig.data(4, 2, 1.0);
    assert!(rig.nodes.are_wanting());
}

#[test]
fn times_nulls_history_and_what_has_no_single_value() {
    let mut rig = Rig::new();
    rig.birth(7);
    let before = rig.samples.len();
    let at = |ms| Metric {
        alias: Some(2),
        timestamp: Some(ms),
        value: Some(Raw::Double(2.0)),
        ..Metric::default()
    };
    let metrics = vec![
        at(1_600_000_000_000),
        Metric { is_historical: true, ..at(1_500_000_000_000) },
        Metric { alias: Some(2), is_null: true, ..Metric::default() },
        Metric { quality: Some(0), ..at(1_600_000_001_000) },
        Metric { quality: Some(500), ..at(1_600_000_002_000) },
        at(1_600_000_000_000_000),
        Metric { datatype: Some(16), ..at(1) },
        Metric { alias: Some(3), value: Some(Raw::Double(1.0)), ..Metric::default() },
        Metric { alias: Some(3), ..Metric::default() },
    ];
    rig.send("spBv1.0/G/DDATA/N/d", Some(2), metrics);
    let got: Vec<(i64, Quality)> = rig.samples[before..].iter().map(|s| (s.time.0, s.quality)).collect();
    assert_eq!(
        got,
        [
            (1_600_000_000_000_000, Quality::Good),
            (1_500_000_000_000_000, Quality::Good),
            (rig.clock, Quality::Bad),
            (1_600_000_001_000_000, Quality::Bad),
            (1_600_000_002_000_000, Quality::Stale),
        ]
    );
    assert_eq!(rig.samples[before + 2].value, Value::Number(2.0), "a null is the last value, as bad");
    let words = ["between 1970 and 2200", "DataSet", "not of its type String", "has no value"];
    assert_eq!(rig.refused.len(), words.len(), "{:?}", rig.refused);
    for (refusal, word) in rig.refused.iter().zip(words) {
        let (Refusal::Malformed(why) | Refusal::Unsupported(why)) = refusal;
        assert!(why.contains(word), "'{why}' doesn't say '{word}'");
    }
}

#[test]
fn topics_that_are_none_and_messages_that_are_kept_change_nothing() {
    let mut rig = Rig::new();
    for topic in [
        "spBv1.0/G/NBIRTH",
        "spBv1.0/G/NBIRTH/N/d",
        "spBv1.0/G/DBIRTH/N",
        "spBv1.0/G/XBIRTH/N",
        "spBv1.0/G/NBIRTH/other",
        "spBv1.0/G/DBIRTH/N/d/e",
        "spBv1.0/",
        "spBv1.0/STATE/x",
    ] {
        assert_eq!(rig.send(topic, Some(0), vec![]), Taken::Unknown, "{topic}");
    }
    assert_eq!(rig.send("spBv1.0/G/NCMD/N", None, vec![]), Taken::Command);
    assert_eq!(rig.send_as("spBv1.0/G/NBIRTH/N", Some(0), vec![], (true, false)), Taken::Retained);
    assert_eq!((rig.presence.len(), rig.samples.len()), (0, 0));
}

#[test]
fn commands_have_the_alias_and_type_of_the_birth() {
    let mut rig = Rig::new();
    let wall = Timestamp(1_700_000_000_000_000);
    let command = |rig: &Rig, id, value: Option<f64>| {
        rig.nodes.command(&rig.campus, id, value.map(Value::Number).as_ref(), wall)
    };
    assert!(matches!(command(&rig, A, Some(3.0)), Err(GatewayError::Unborn { .. })));
    rig.birth(7);
    let (topic, payload) = command(&rig, A, Some(-3.0)).unwrap();
    assert_eq!(topic, "spBv1.0/G/NCMD/N");
    let expected = Metric {
        alias: Some(1),
        timestamp: Some(1_700_000_000_000),
        value: Some(Raw::Int(-3_i32 as u32)),
        ..Metric::default()
    };
    let read = Payload::decode(&payload).unwrap();
    assert_eq!((read.seq, read.timestamp, read.metrics), (None, Some(1_700_000_000_000), vec![expected]));
    let (_, null) = command(&rig, A, None).unwrap();
    assert!(Payload::decode(&null).unwrap().metrics[0].is_null);
    assert!(matches!(command(&rig, A, Some(40_000.0)), Err(GatewayError::Value { .. })));
    assert!(matches!(command(&rig, B, Some(1.0)), Err(GatewayError::Unbound { .. })));
    rig.send("spBv1.0/G/NDEATH/N", None, vec![Metric::new("bdSeq", datatype::INT64, Raw::Long(7))]);
    assert!(matches!(command(&rig, A, Some(3.0)), Err(GatewayError::Unborn { .. })));
}

#[test]
fn a_metric_that_is_bound_and_not_born_is_told() {
    let mut rig = Rig::new();
    let bd_seq = Metric::new("bdSeq", datatype::INT64, Raw::Long(1));
    rig.send("spBv1.0/G/NBIRTH/N", Some(0), vec![bd_seq, Metric::new("set", datatype::INT8, Raw::Int(1))]);
    assert_eq!(rig.nodes.status()[0].missing, ["Set"]);
}
