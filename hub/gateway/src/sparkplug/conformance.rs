//! The normative statements of the Eclipse Sparkplug specification 3.0 that concern the session, by their ids: of the
//! host application here, of the edge node here, and of the flags of MQTT packets in `tests/conformance.rs`.

use std::sync::Arc;

use campanile_model::{Campus, PointId, Quality, Sample, Timestamp, Value};

use super::edge::{EdgeSession, Layout, Message};
use super::nodes::Taken;
use super::payload::{Metric, Payload, Raw, datatype};
use super::tests::{A, B, C, Rig, campus};
use super::value::Refusal;

/// A message to the host, with the metrics of [`campus`]: 1 `Set` of the node, 2 `B` and 3 `C` of the device.
#[derive(Clone, Copy, Debug)]
enum Comes {
    /// NBIRTH with its number and its `bdSeq`.
    Nbirth(u64, u64),
    Dbirth(u64),
    /// NDATA of `Set`.
    Ndata(u64, f64),
    /// DDATA of `B` by its alias.
    Ddata(u64, f64),
    /// DDATA without a number.
    Numberless,
    /// DDATA with an alias of no birth.
    Alias(u64, u64),
    /// DDATA of `B` that is historical, from 2020.
    Historical(u64),
    /// DDATA of `B` that is null.
    Null(u64),
    /// DDATA of `B` with a value that is not of its type.
    Mismatch(u64),
    /// DDATA of `B` as a value of this type that no point can have.
    Compound(u64, u32),
    /// NDEATH with its `bdSeq`.
    Ndeath(u64),
    /// NDEATH without one.
    NamelessDeath,
    Ddeath(u64),
    /// The connection to the broker is lost, and there again.
    Lost,
    /// Kept by the broker: NBIRTH.
    Retained,
}
use Comes::*;

/// What has to be the case at the end.
#[derive(Debug, Default)]
struct Then {
    /// Values that came after the births.
    values: Vec<(f64, Quality)>,
    /// Whether a birth is asked for.
    asks: bool,
    /// Whether node and device are there.
    there: (Option<bool>, Option<bool>),
    /// A word of each refusal.
    refused: &'static [&'static str],
}

const THERE: (Option<bool>, Option<bool>) = (Some(true), Some(true));
const GONE: (Option<bool>, Option<bool>) = (Some(false), Some(false));

fn comes(rig: &mut Rig, what: Comes) {
    let b = |metric: Metric<'static>| vec![Metric { alias: Some(2), ..metric }];
    let double = |x| Metric { value: Some(Raw::Double(x)), ..Metric::default() };
    let bd_seq = |n| Metric::new("bdSeq", datatype::INT64, Raw::Long(n));
    let set = |x: f64| Metric { alias: Some(1), ..Metric::new("Set", datatype::INT16, Raw::Int(x as u32)) };
    let (node, device) =
        (|verb: &str| format!("spBv1.0/G/{verb}/N"), |verb: &str| format!("spBv1.0/G/{verb}/N/d"));
    let data = |rig: &mut Rig, seq, metrics| rig.send(&device("DDATA"), seq, metrics);
    match what {
        Nbirth(seq, n) => rig.send(&node("NBIRTH"), Some(seq), vec![bd_seq(n), set(5.0)]),
        Dbirth(seq) => {
            let b = Metric { alias: Some(2), ..Metric::new("B", datatype::DOUBLE, Raw::Double(1.0)) };
            let c = Metric { alias: Some(3), ..Metric::new("C", datatype::STRING, Raw::Text("c".into())) };
            rig.send(&device("DBIRTH"), Some(seq), vec![b, c])
        }
        Ndata(seq, x) => rig.send(&node("NDATA"), Some(seq), vec![set(x)]),
        Ddata(seq, x) => data(rig, Some(seq), b(double(x))),
        Numberless => data(rig, None, b(double(1.0))),
        Alias(seq, alias) => data(rig, Some(seq), vec![Metric { alias: Some(alias), ..double(1.0) }]),
        Historical(seq) => {
            let time = Some(1_600_000_000_000);
            data(rig, Some(seq), b(Metric { is_historical: true, timestamp: time, ..double(9.0) }))
        }
        Null(seq) => data(rig, Some(seq), b(Metric { is_null: true, ..Metric::default() })),
        Mismatch(seq) => {
            data(rig, Some(seq), b(Metric { value: Some(Raw::Text("x".into())), ..Metric::default() }))
        }
        Compound(seq, kind) => data(rig, Some(seq), b(Metric { datatype: Some(kind), ..double(1.0) })),
        Ndeath(n) => rig.send(&node("NDEATH"), None, vec![bd_seq(n)]),
        NamelessDeath => rig.send(&node("NDEATH"), None, vec![]),
        Ddeath(seq) => rig.send(&device("DDEATH"), Some(seq), vec![]),
        Lost => {
            let (now, samples) = (Timestamp(rig.clock), rig.samples.len());
            rig.nodes.disconnected(now, samples, &mut rig.presence);
            rig.nodes.connected();
            Taken::Read
        }
        Retained => rig.send_as(&node("NBIRTH"), Some(0), vec![bd_seq(3)], (true, false)),
    };
}

#[test]
fn the_host_keeps_the_statements_of_the_specification() {
    use Quality::{Bad, Good, Uncertain};
    let born = [Nbirth(0, 3), Dbirth(1)];
    let all = |numbers: std::ops::Range<u64>| numbers.map(|n| Ddata(n % 256, n as f64)).collect::<Vec<_>>();
    let values = |numbers: std::ops::Range<u64>| numbers.map(|n| (n as f64, Good)).collect::<Vec<_>>();
    // The statements, what comes after the births, and what has to be the case then.
    let rows: Vec<(&str, Vec<Comes>, Then)> = vec![
        (
            "tck-id-topics-ndata-seq-num, tck-id-topics-ddata-seq-num, tck-id-payloads-ndata-seq-inc: 255 is followed by 0",
            all(2..600),
            Then { values: values(2..600), there: THERE, ..Then::default() },
        ),
        (
            "tck-id-payloads-ddata-seq-inc: node and device count in one row",
            vec![Ndata(2, 6.0), Ddata(3, 7.0), Ndata(4, 8.0)],
            Then { values: vec![(6.0, Good), (7.0, Good), (8.0, Good)], there: THERE, ..Then::default() },
        ),
        (
            "tck-id-operational-behavior-host-reordering-rebirth: out of order, and the Reorder Timeout (0) is over",
            vec![Ddata(3, 7.0), Ddata(2, 8.0)],
            Then {
                values: vec![(7.0, Uncertain), (8.0, Uncertain)],
                asks: true,
                there: THERE,
                ..Then::default()
            },
        ),
        (
            "tck-id-operational-behavior-host-reordering-rebirth: lost",
            vec![Ddata(2, 7.0), Ddata(5, 8.0)],
            Then { values: vec![(7.0, Good), (8.0, Uncertain)], asks: true, there: THERE, ..Then::default() },
        ),
        (
            "tck-id-payloads-ddata-seq: one without a number is told, and its value kept",
            vec![Numberless],
            Then {
                values: vec![(1.0, Good)],
                there: THERE,
                refused: &["no sequence number"],
                ..Then::default()
            },
        ),
        (
            "tck-id-topics-nbirth-bdseq-matching, tck-id-payloads-ndeath-bdseq: a death of the session",
            vec![Ndeath(3)],
            Then { there: GONE, ..Then::default() },
        ),
        (
            "tck-id-payloads-ndeath-bdseq: a death of another session, before and after, changes nothing",
            vec![Ndeath(2), Ndeath(4), NamelessDeath, Ddata(2, 7.0)],
            Then { values: vec![(7.0, Good)], there: THERE, ..Then::default() },
        ),
        (
            "tck-id-topics-nbirth-bdseq-increment: from 255 to 0 is a new session like any",
            vec![Nbirth(0, 255), Dbirth(1), Nbirth(0, 0), Ndeath(255)],
            Then { there: (Some(true), Some(false)), ..Then::default() },
        ),
        (
            "tck-id-operational-behavior-device-ddeath: the device alone is gone",
            vec![Ddeath(2), Ndata(3, 6.0)],
            Then { values: vec![(6.0, Good)], there: (Some(true), Some(false)), ..Then::default() },
        ),
        (
            "tck-id-payloads-ddeath-seq-number: a death counts for the sequence",
            vec![Ddeath(3)],
            Then { asks: true, there: (Some(true), Some(false)), ..Then::default() },
        ),
        (
            "section 6.4.5: data of a device that is not born asks for its birth",
            vec![Ddeath(2), Ddata(3, 7.0)],
            Then { asks: true, there: (Some(true), Some(false)), ..Then::default() },
        ),
        (
            "tck-id-payloads-alias-data-cmd-requirement: an alias of no birth asks for one",
            vec![Alias(2, 77), Ddata(3, 7.0)],
            Then { values: vec![(7.0, Good)], asks: true, there: THERE, refused: &["alias 77"] },
        ),
        (
            "section 6.4.14, is_historical: kept with its own time",
            vec![Historical(2), Null(3)],
            Then { values: vec![(9.0, Good), (1.0, Bad)], there: THERE, ..Then::default() },
        ),
        (
            "tck-id-payloads-metric-is-null: the last value, as bad",
            vec![Ddata(2, 7.0), Null(3)],
            Then { values: vec![(7.0, Good), (7.0, Bad)], there: THERE, ..Then::default() },
        ),
        (
            "tck-id-payloads-metric-datatype-value: what is not of its type is no value; the rest is",
            vec![Mismatch(2), Ddata(3, 7.0)],
            Then {
                values: vec![(7.0, Good)],
                there: THERE,
                refused: &["not of its type"],
                ..Then::default()
            },
        ),
        (
            "section 6.4.16: data sets, templates and files are refused by name",
            vec![Compound(2, 16), Compound(3, 19), Compound(4, 18), Ddata(5, 7.0)],
            Then {
                values: vec![(7.0, Good)],
                there: THERE,
                refused: &["DataSet", "Template", "File"],
                ..Then::default()
            },
        ),
        (
            "tck-id-topics-nbirth-mqtt: none is retained, so one that is says nothing of now",
            vec![Retained, Ddata(2, 7.0)],
            Then { values: vec![(7.0, Good)], there: THERE, ..Then::default() },
        ),
        (
            "section 5.1: where the host has lost the broker, the metrics of its nodes are stale until their births",
            vec![Lost, Ddata(2, 7.0)],
            Then { asks: true, there: GONE, ..Then::default() },
        ),
        (
            "section 5.1: and they are there again with them",
            vec![Lost, Nbirth(0, 3), Dbirth(1), Ddata(2, 7.0)],
            Then { values: vec![(7.0, Good)], there: THERE, ..Then::default() },
        ),
        (
            "tck-id-operational-behavior-data-commands-rebirth-action-3: an answer within the session keeps the device",
            vec![Nbirth(0, 3)],
            Then { there: THERE, ..Then::default() },
        ),
    ];
    for (statement, messages, then) in rows {
        let mut rig = Rig::new();
        born.into_iter().for_each(|what| comes(&mut rig, what));
        assert!(rig.refused.is_empty() && !rig.nodes.are_wanting(), "{statement}: the births");
        let mut values = Vec::new();
        for what in messages {
            let before = rig.samples.len();
            comes(&mut rig, what);
            if !matches!(what, Nbirth(..) | Dbirth(_)) {
                let numbers = rig.samples[before..].iter().map(|s| (s.value.as_f64().unwrap(), s.quality));
                values.extend(numbers);
            }
        }
        assert_eq!(values, then.values, "{statement}");
        assert_eq!(rig.nodes.are_wanting(), then.asks, "{statement}: asks for a birth");
        let status = rig.nodes.status().pop().unwrap();
        assert_eq!((status.online, status.devices[0].online), then.there, "{statement}: {status:?}");
        assert_eq!(rig.refused.len(), then.refused.len(), "{statement}: {:?}", rig.refused);
        for (refusal, word) in rig.refused.iter().zip(then.refused) {
            let (Refusal::Malformed(why) | Refusal::Unsupported(why)) = refusal;
            assert!(why.contains(word), "{statement}: '{why}' doesn't say '{word}'");
        }
    }
}

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn sample(point: PointId, value: Value, ahead_s: i64) -> Sample {
    Sample { point, time: NOW.plus_micros(ahead_s * Timestamp::SECOND), value, quality: Quality::Good }
}

/// An edge node with the metrics of [`campus`], and what it has said.
struct Edge {
    campus: Arc<Campus>,
    session: EdgeSession,
    will: Message,
    said: Vec<Message>,
}

impl Edge {
    fn new() -> Self {
        let campus = Arc::new(campus());
        let mut layouts = Layout::all(&campus, &[C, A, B]);
        assert_eq!(layouts.len(), 1);
        let mut session = EdgeSession::new(Arc::new(layouts.remove(0)));
        let will = session.connect();
        Self { campus, session, will, said: Vec::new() }
    }

    fn say(&mut self, samples: &[Sample], now_s: i64) {
        let readings: Vec<_> = samples.iter().map(|s| self.session.layout().reading(s).unwrap()).collect();
        let now = NOW.plus_micros(now_s * Timestamp::SECOND);
        if !self.session.has_values() {
            self.session.learn(&readings);
            self.said.extend(self.session.births(now));
        }
        self.said.extend(self.session.data(&readings, now));
    }

    /// Births with `Set` 5, `B` 1 and `C` unknown; 300 changes of `B`; a birth that was asked for; a change of `Set`.
    fn day() -> Self {
        let mut edge = Self::new();
        edge.say(&[sample(A, Value::Number(5.0), 0), sample(B, Value::Number(1.0), 0)], 0);
        for n in 0..300_i64 {
            edge.say(&[sample(B, Value::Number(2.0 + n as f64), n)], n);
        }
        let births = edge.session.births(NOW.plus_micros(300 * Timestamp::SECOND));
        edge.said.extend(births);
        edge.say(&[sample(A, Value::Number(6.0), 301)], 301);
        edge
    }

    /// The messages of a verb, read.
    fn of(&self, verb: &str) -> Vec<Payload<'_>> {
        let is = |m: &&Message| m.0.split('/').nth(2) == Some(verb);
        self.said.iter().filter(is).map(|(_, bytes)| Payload::decode(bytes).unwrap()).collect()
    }
}

fn named<'p>(payload: &'p Payload<'_>, name: &str) -> &'p Metric<'p> {
    payload.metrics.iter().find(|m| m.name.as_deref() == Some(name)).unwrap()
}

fn bd_seq(payload: &Payload<'_>) -> Option<u64> {
    if let Some(Raw::Long(n)) = named(payload, "bdSeq").value { Some(n) } else { None }
}

#[test]
fn the_edge_node_keeps_the_statements_of_the_specification() {
    let edge = Edge::day();
    let will = Payload::decode(&edge.will.1).unwrap();
    let [first, again] = &edge.of("NBIRTH")[..] else { panic!("two NBIRTHs") };
    let devices = edge.of("DBIRTH");
    let (ddata, ndata) = (edge.of("DDATA"), edge.of("NDATA"));
    let verbs: Vec<&str> = edge.said.iter().map(|m| m.0.split('/').nth(2).unwrap()).collect();
    let payloads: Vec<Payload<'_>> = edge.said.iter().map(|m| Payload::decode(&m.1).unwrap()).collect();
    let numbers: Vec<u64> = payloads.iter().map(|p| p.seq.unwrap()).collect();
    let rebirth_at = verbs.iter().rposition(|v| *v == "NBIRTH").unwrap();
    let counts_up = |numbers: &[u64]| numbers.iter().enumerate().all(|(i, n)| *n == i as u64 % 256);
    let timed = |p: &Payload<'_>| p.timestamp.is_some() && p.metrics.iter().all(|m| m.timestamp.is_some());
    let rebirth = named(first, "Node Control/Rebirth");
    let typed = |p: &Payload<'_>| p.metrics.iter().all(|m| m.name.is_some() && m.datatype.is_some());
    let valued = |p: &Payload<'_>| p.metrics.iter().all(|m| m.value.is_some() != m.is_null);
    for (statement, kept) in [
        ("tck-id-topics-nbirth-topic", edge.said[0].0 == "spBv1.0/G/NBIRTH/N"),
        ("tck-id-topics-dbirth-topic", edge.said[1].0 == "spBv1.0/G/DBIRTH/N/d"),
        ("tck-id-topics-ddata-topic", edge.said[2].0 == "spBv1.0/G/DDATA/N/d"),
        ("tck-id-topics-ndeath-topic", edge.will.0 == "spBv1.0/G/NDEATH/N"),
        ("tck-id-topics-ndeath-payload", will.metrics.len() == 1 && bd_seq(&will) == Some(0)),
        ("tck-id-topics-ndeath-seq", will.seq.is_none()),
        ("tck-id-topics-nbirth-seq-num", first.seq == Some(0) && again.seq == Some(0)),
        ("tck-id-topics-nbirth-bdseq-matching", bd_seq(first) == bd_seq(&will)),
        ("tck-id-operational-behavior-data-commands-rebirth-action-3", bd_seq(again) == bd_seq(&will)),
        (
            "tck-id-operational-behavior-data-commands-rebirth-action-2",
            verbs[rebirth_at..rebirth_at + 2] == ["NBIRTH", "DBIRTH"],
        ),
        ("tck-id-payloads-dbirth-order", verbs[..2] == ["NBIRTH", "DBIRTH"] && verbs[2] == "DDATA"),
        (
            "tck-id-payloads-sequence-num-incrementing",
            counts_up(&numbers[..rebirth_at]) && counts_up(&numbers[rebirth_at..]),
        ),
        ("tck-id-topics-nbirth-timestamp and its fellows", payloads.iter().all(timed)),
        (
            "tck-id-topics-nbirth-rebirth-metric",
            rebirth.value == Some(Raw::Boolean(false)) && rebirth.datatype == Some(datatype::BOOLEAN),
        ),
        ("tck-id-operational-behavior-data-commands-rebirth-name-aliases", rebirth.alias.is_none()),
        (
            "tck-id-topics-nbirth-metric-reqs",
            first.metrics.len() == 3 && devices.iter().all(|d| d.metrics.len() == 2),
        ),
        (
            "tck-id-topics-nbirth-metrics",
            [first, again].into_iter().chain(&devices).all(|p| typed(p) && valued(p)),
        ),
        (
            "tck-id-operational-behavior-data-publish-dbirth-values",
            named(&devices[1], "B").value == Some(Raw::Double(301.0)),
        ),
        ("tck-id-payloads-metric-is-null: not known yet", named(&devices[0], "C").is_null),
        ("tck-id-payloads-alias-uniqueness", named(first, "Set").alias != named(&devices[0], "B").alias),
        (
            "tck-id-payloads-alias-data-cmd-requirement",
            ddata
                .iter()
                .chain(&ndata)
                .flat_map(|p| &p.metrics)
                .all(|m| m.name.is_none() && m.alias.is_some()),
        ),
        ("tck-id-topics-ddata-payload, tck-id-topics-ndata-payload", ddata.len() == 300 && ndata.len() == 1),
    ] {
        assert!(kept, "{statement}");
    }
    // A new connection, a new session; from 255 to 0.
    let mut edge = edge;
    for n in 1..=256_u64 {
        let (_, will) = edge.session.connect();
        let births = edge.session.births(NOW);
        let birth = Payload::decode(&births[0].1).unwrap();
        assert_eq!(bd_seq(&Payload::decode(&will).unwrap()), Some(n % 256));
        assert_eq!(bd_seq(&birth), Some(n % 256), "tck-id-topics-nbirth-bdseq-increment");
    }
}

#[test]
fn only_changes_are_said_and_what_is_late_is_historical() {
    let mut edge = Edge::new();
    edge.say(&[sample(B, Value::Number(1.0), 0)], 0);
    let said = |edge: &Edge| {
        edge.of("DDATA").iter().flat_map(|p| p.metrics.clone()).map(|m| m.is_historical).collect::<Vec<_>>()
    };
    // tck-id-operational-behavior-data-publish-dbirth-change: the value of the birth, again and later.
    edge.say(&[sample(B, Value::Number(1.0), 0), sample(B, Value::Number(1.0), 10)], 10);
    assert!(said(&edge).is_empty());
    // A quality is a change, too.
    edge.say(&[Sample { quality: Quality::Bad, ..sample(B, Value::Number(1.0), 20) }], 20);
    assert_eq!(edge.of("DDATA")[0].metrics[0].quality, Some(0));
    // Told two minutes late, and told after a newer one: also where the value is the same.
    edge.say(&[sample(B, Value::Number(3.0), 30), sample(B, Value::Number(3.0), 40)], 150);
    edge.say(&[sample(B, Value::Number(4.0), 170), sample(B, Value::Number(4.0), 165)], 170);
    assert_eq!(said(&edge), [false, true, true, false, true]);
}

#[test]
fn our_host_reads_our_edge_node_without_a_complaint() {
    let edge = Edge::day();
    let mut rig = Rig::new();
    for (topic, bytes) in &edge.said {
        let payload = Payload::decode(bytes).unwrap();
        rig.send(topic, payload.seq, payload.metrics);
    }
    assert_eq!((rig.refused.len(), rig.nodes.are_wanting()), (0, false), "{:?}", rig.refused);
    let status = rig.nodes.status().pop().unwrap();
    assert_eq!((status.gaps, status.births, status.missing.len()), (0, 2, 0));
    let last = |point| rig.samples.iter().rev().find(|s| s.point == point).map(|s| (s.value.clone(), s.time));
    assert_eq!(last(B), Some((Value::Number(301.0), NOW.plus_micros(299 * Timestamp::SECOND))));
    assert_eq!(last(A), Some((Value::Number(6.0), NOW.plus_micros(301 * Timestamp::SECOND))));
    rig.send(&edge.will.0, None, Payload::decode(&edge.will.1).unwrap().metrics);
    assert_eq!(rig.nodes.status()[0].online, Some(false));
}

#[test]
fn the_edge_node_obeys_commands_of_its_metrics_and_refuses_others() {
    let edge = Edge::day();
    let double = |name: Option<&'static str>, alias, x| Metric {
        name: name.map(Into::into),
        alias,
        value: Some(Raw::Double(x)),
        ..Metric::default()
    };
    let rebirth = |on| Metric::new("Node Control/Rebirth", datatype::BOOLEAN, Raw::Boolean(on));
    let set = edge.session.layout().asked("spBv1.0/G/NCMD/N", &[]).unwrap();
    assert_eq!(set, Default::default(), "an empty message asks for nothing");
    let alias = edge.of("NBIRTH")[0].metrics.iter().find_map(|m| m.alias);
    // Topic, metric; then whether a birth is asked for, the value commanded of `Set`, a word of the refusal.
    type Expected = (bool, Option<Option<f64>>, Option<&'static str>);
    let rows: Vec<(&str, Metric<'static>, Expected)> = vec![
        ("NCMD/N", rebirth(true), (true, None, None)),
        ("NCMD/N", rebirth(false), (false, None, None)),
        ("DCMD/N/d", rebirth(true), (false, None, Some("not in the birth"))),
        ("NCMD/N", double(Some("Set"), None, 7.0), (false, Some(Some(7.0)), None)),
        ("NCMD/N", double(None, alias, 7.0), (false, Some(Some(7.0)), None)),
        ("NCMD/N", Metric { is_null: true, ..double(None, alias, 7.0) }, (false, Some(None), None)),
        (
            "NCMD/N",
            Metric::new("Set", datatype::INT32, Raw::Int(-7_i32 as u32)),
            (false, Some(Some(-7.0)), None),
        ),
        (
            "NCMD/N",
            Metric::new("Set", datatype::STRING, Raw::Text("warm".into())),
            (false, None, Some("not a number")),
        ),
        ("NCMD/N", Metric::new("Set", 19, Raw::Double(1.0)), (false, None, Some("Template"))),
        ("NCMD/N", double(Some("B"), None, 7.0), (false, None, Some("not in the birth"))),
        ("DCMD/N/d", double(Some("B"), None, 7.0), (false, None, Some("can't be commanded"))),
        ("NCMD/N", double(None, Some(0), 7.0), (false, None, Some("alias 0"))),
        ("NCMD/N", double(None, Some(99), 7.0), (false, None, Some("alias 99"))),
        ("NCMD/N", double(None, None, 7.0), (false, None, Some("neither name nor alias"))),
    ];
    for (topic, metric, (birth, commanded, refused)) in rows {
        let bytes = Payload { metrics: vec![metric.clone()], ..Payload::default() }.encode();
        let asked = edge.session.layout().asked(&format!("spBv1.0/G/{topic}"), &bytes).unwrap();
        assert_eq!(asked.rebirth, birth, "{topic} {metric:?}");
        let got: Vec<_> = asked.commands.iter().map(|c| (c.point, c.value.clone())).collect();
        let expected: Vec<_> = commanded.into_iter().map(|v| (A, v.map(Value::Number))).collect();
        assert_eq!(got, expected, "{topic} {metric:?}");
        assert_eq!(
            asked.refused.len(),
            usize::from(refused.is_some()),
            "{topic} {metric:?}: {:?}",
            asked.refused
        );
        for (why, word) in asked.refused.iter().zip(refused) {
            assert!(why.contains(word), "{topic}: '{why}' doesn't say '{word}'");
        }
    }
    assert!(edge.session.layout().asked("spBv1.0/G/NCMD/other", &[]).is_none());
    assert_eq!(edge.campus.points.len(), 3);
}
