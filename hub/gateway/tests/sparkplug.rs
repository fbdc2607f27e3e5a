//! From an edge node of Sparkplug B through a broker into a sink, and back.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use campanile_gateway::sparkplug::{Metric, NodeStatus, Payload, Raw, datatype};
use campanile_gateway::{
    Gateway, GatewayConfig, GatewayError, Mosquitto, Publisher, PublisherConfig, metric_points,
};
use campanile_model::{Campus, Quality, Sample, Value};
use common::*;
use std::sync::Arc;

fn config(port: u16) -> GatewayConfig {
    GatewayConfig {
        port,
        client_id: "hub".to_owned(),
        sparkplug_host: Some("hub-1".to_owned()),
        rebirth_pause: Duration::from_millis(300),
        ..GatewayConfig::default()
    }
}

fn start_hub(port: u16, campus: &Arc<Campus>, got: &Got) -> Gateway {
    let gateway = Gateway::start(config(port), campus.clone(), got.sink()).unwrap();
    wait("the gateway to connect", || gateway.is_connected());
    std::thread::sleep(Duration::from_millis(100));
    gateway
}

fn node(gateway: &Gateway) -> NodeStatus {
    gateway.status().sparkplug.unwrap().nodes.pop().unwrap()
}

#[test]
fn births_data_and_json_come_through_one_gateway() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let gateway = start_hub(broker.port(), &campus, &got);
        let mut edge = EdgeNode::connect(broker.port(), 1);
        edge.birth();
        wait("the births", || got.count() == 4);
        let values: Vec<Value> = got.samples.lock().unwrap().iter().map(|s| s.value.clone()).collect();
        assert_eq!(
            values,
            [Value::Number(20.5), Value::Number(55.0), Value::Number(55.0), Value::Choice(1)],
            "a setpoint of 550 with a scale of 0.1 is 55"
        );
        for i in 0..300 {
            edge.flow(f64::from(i));
        }
        let json = publisher(broker.port(), &campus, "json");
        json.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(417.0))]).unwrap();
        wait("data of both protocols", || got.count() == 305);
        wait("acknowledgements", || gateway.status().unacknowledged == 0);
        let status = gateway.status();
        assert_eq!((status.malformed, status.unknown, status.bound_points), (0, 0, 5));
        assert_eq!(
            status.filters,
            ["campus/room/co2", "spBv1.0/school/+/plant/#", "spBv1.0/STATE/hub-1"],
            "no filter overlaps another, else messages come twice"
        );
        let state = node(&gateway);
        assert_eq!((state.online, state.births, state.gaps), (Some(true), 1, 0));
        assert_eq!((state.bd_seq, state.last_seq), (Some(1), Some((301 % 256) as u8)));
        assert_eq!((state.devices[0].online, state.missing.len()), (Some(true), 0));
        serde_json::to_string(&status).unwrap();

        let error =
            json.publish_samples(&[sample(&campus, "plant/room", 0, Value::Number(1.0))]).unwrap_err();
        assert!(matches!(error, GatewayError::Sparkplug { .. }), "{error}");
    }
}

#[test]
fn a_node_cut_off_is_reported_and_its_return_too() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let gateway = start_hub(broker.port(), &campus, &got);
        let mut edge = EdgeNode::connect(broker.port(), 1);
        edge.birth();
        wait("both to be there", || got.presence.lock().unwrap().iter().filter(|p| p.online).count() == 2);
        assert!(gateway.status().offline.is_empty());
        edge.leave();
        wait("both to be away", || got.presence.lock().unwrap().iter().filter(|p| !p.online).count() == 2);
        assert_eq!(
            gateway.status().offline,
            ["spBv1.0/school/DDEATH/plant/boiler", "spBv1.0/school/NDEATH/plant"]
        );
        let away: usize =
            got.presence.lock().unwrap().iter().filter(|p| !p.online).map(|p| p.points.len()).sum();
        assert_eq!(away, 4, "every point of the node and its device");

        let mut edge = EdgeNode::connect(broker.port(), 2);
        edge.birth();
        wait("both to be back", || gateway.status().offline.is_empty());
        // The will of the first session, held up somewhere, comes only now.
        let late = Payload { metrics: vec![bd_seq_metric(1)], ..Payload::default() }.encode();
        edge.publish("spBv1.0/school/NDEATH/plant", late, false);
        wait("the late death", || node(&gateway).late_deaths == 1);
        assert_eq!(node(&gateway).online, Some(true));
    }
}

#[test]
fn lost_messages_and_a_restarted_hub_ask_for_a_birth() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let mut edge = EdgeNode::connect(broker.port(), 1);
        let gateway = start_hub(broker.port(), &campus, &got);
        wait("the first request: nothing is known of the node", || edge.rebirths() == 1);
        edge.birth();
        edge.flow(1.0);
        edge.lose_one();
        edge.flow(2.0);
        wait("the request after the gap", || edge.rebirths() == 2);
        assert_eq!((node(&gateway).gaps, node(&gateway).rebirths_asked), (1, 2));
        let request = edge.commands("spBv1.0/school/NCMD/plant").pop().unwrap();
        let payload = Payload::decode(&request.payload).unwrap();
        assert_eq!((payload.seq, request.retain), (None, false));
        assert_eq!(payload.metrics[0].value, Some(Raw::Boolean(true)));
        assert_eq!(payload.metrics[0].datatype, Some(datatype::BOOLEAN));
        edge.birth();
        wait("the birth", || node(&gateway).births == 2);
        gateway.stop();

        let again = Got::default();
        let gateway = start_hub(broker.port(), &campus, &again);
        wait("the new hub's request", || edge.rebirths() == 3);
        edge.flow(9.0);
        wait("data before birth", || node(&gateway).before_birth == 1);
        wait("the request after it", || edge.rebirths() == 4);
        assert_eq!(again.count(), 0, "what an alias means is not guessed");
        edge.birth();
        edge.flow(10.0);
        wait("values after the birth", || again.count() == 5);
    }
}

#[test]
fn commands_go_to_the_metric_and_its_value_comes_back() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let gateway = start_hub(broker.port(), &campus, &got);
        let setpoint = campus.point_id("plant/boiler/setpoint").unwrap();
        let mode = campus.point_id("plant/boiler/mode").unwrap();
        let error = gateway.send_command(setpoint, Some(&Value::Number(60.0))).unwrap_err();
        assert!(error.to_string().contains("spBv1.0/school/DBIRTH/plant/boiler"), "{error}");
        let mut edge = EdgeNode::connect(broker.port(), 1);
        edge.birth();
        wait("the births", || got.count() == 4);
        gateway.send_command(setpoint, Some(&Value::Number(60.5))).unwrap();
        gateway.send_command(mode, Some(&Value::Choice(2))).unwrap();
        gateway.send_command(mode, None).unwrap();
        let topic = "spBv1.0/school/DCMD/plant/boiler";
        wait("the commands", || edge.commands(topic).len() == 3);
        let commands: Vec<_> = edge
            .commands(topic)
            .iter()
            .map(|r| {
                assert!(!r.retain);
                let payload = Payload::decode(&r.payload).unwrap();
                let metric = &payload.metrics[0];
                assert!(metric.name.is_none() && metric.timestamp.is_some() && payload.seq.is_none());
                (metric.alias, metric.value.is_some().then(|| format!("{:?}", metric.value)), metric.is_null)
            })
            .collect();
        let value = |raw| Some(format!("{:?}", Some(Raw::Int(raw))));
        assert_eq!(
            commands,
            [(Some(3), value(605), false), (Some(4), value(2), false), (Some(4), None, true)]
        );
        // The device obeys: what it reports is what confirms.
        edge.data(vec![Metric { alias: Some(3), value: Some(Raw::Int(605)), ..Metric::default() }]);
        wait("the value to come back", || got.count() == 5);
        let back = got.samples.lock().unwrap()[4].clone();
        assert_eq!((back.point, back.value), (setpoint, Value::Number(60.5)));
        wait("our commands to come back by the filter", || gateway.status().echoes >= 3);
        assert_eq!((gateway.status().unknown, gateway.status().commands_acknowledged), (0, 0));
    }
}

#[test]
fn the_hub_says_whether_it_is_there() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let edge = EdgeNode::connect(broker.port(), 1);
        let states = || {
            edge.commands("spBv1.0/STATE/hub-1")
                .iter()
                .map(|r| {
                    let json: serde_json::Value = serde_json::from_slice(&r.payload).unwrap();
                    (json["online"].as_bool().unwrap(), json["timestamp"].as_u64().unwrap())
                })
                .collect::<Vec<_>>()
        };
        let began = now_ms();
        let gateway = start_hub(broker.port(), &campus, &got);
        wait("the birth of the host", || states().len() == 1);
        assert!(states()[0].0 && states()[0].1 >= began);
        // Another says in our name that we are away (or our own will comes late): answered after a pause.
        edge.publish("spBv1.0/STATE/hub-1", b"{\"online\":false,\"timestamp\":1}".to_vec(), true);
        wait("the answer", || states().len() == 3 && states()[2].0);
        assert_eq!(
            states()[2].1,
            states()[0].1,
            "with the time of the will, or the will would count as the older word"
        );
        gateway.stop();
        wait("the death of the host", || states().len() == 4);
        // A farewell is not followed by the last will, whose time would be the older one.
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(states().len(), 4);
        assert!(!states()[3].0 && states()[3].1 >= states()[0].1);
        let late = EdgeNode::connect(broker.port(), 2);
        wait("the state that is kept", || !late.commands("spBv1.0/STATE/hub-1").is_empty());
        assert!(late.commands("spBv1.0/STATE/hub-1")[0].payload.starts_with(b"{\"online\":false"));
    }
}

#[test]
fn what_sparkplug_does_not_allow_or_we_do_not_read_is_counted_and_the_rest_kept() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let gateway = start_hub(broker.port(), &campus, &got);
        let mut edge = EdgeNode::connect(broker.port(), 1);
        edge.birth();
        wait("the births", || got.count() == 4);
        let flow = |x| Metric { alias: Some(2), value: Some(Raw::Double(x)), ..Metric::default() };
        edge.data(vec![
            Metric { datatype: Some(16), ..flow(1.0) },
            Metric { alias: Some(2), is_null: true, ..Metric::default() },
            Metric { is_historical: true, timestamp: Some(1_600_000_000_000), ..flow(2.0) },
            Metric { timestamp: Some(now_ms() + 3_600_000), ..flow(3.0) },
            flow(4.0),
        ]);
        wait("what can be used", || got.count() == 8);
        let status = gateway.status();
        let sparkplug = status.sparkplug.unwrap();
        assert_eq!((sparkplug.unsupported, sparkplug.nulls, sparkplug.historical), (1, 1, 1));
        assert!(sparkplug.unsupported_examples[0].why.contains("'Temp/Flow': DataSet"));
        assert_eq!(status.clock_ahead, 1, "the rule of clocks is that of all devices");
        let samples = got.samples.lock().unwrap().clone();
        assert_eq!(samples[4].quality, Quality::Bad);
        assert_eq!(samples[5].time.0, 1_600_000_000_000_000);
        assert_eq!(samples[6].quality, Quality::Uncertain);

        edge.publish("spBv1.0/school/NDATA/plant", b"{\"value\":1}".to_vec(), false);
        wait("JSON on a topic of Sparkplug", || gateway.status().malformed == 1);
        edge.publish("spBv1.0/school/NONSENSE/plant", vec![], false);
        wait("an unknown verb", || gateway.status().unknown == 1);
        assert_eq!(node(&gateway).online, Some(true));
    }
}

#[test]
fn a_birth_that_a_broker_kept_is_not_taken_for_one_of_now() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let edge = EdgeNode::connect(broker.port(), 1);
        let birth = Payload {
            seq: Some(0),
            timestamp: Some(1_600_000_000_000),
            metrics: vec![bd_seq_metric(1), Metric::new("Room", datatype::FLOAT, Raw::Float(99.0))],
        };
        edge.publish("spBv1.0/school/NBIRTH/plant", birth.encode(), true);
        std::thread::sleep(Duration::from_millis(100));
        let gateway = start_hub(broker.port(), &campus, &got);
        wait("the retained birth", || gateway.status().dropped == 1);
        assert_eq!((got.count(), node(&gateway).online), (0, None));
    }
}

/// A publisher that speaks as the nodes of the plant.
fn nodes(port: u16, campus: &Arc<Campus>, name: &str) -> Publisher {
    let config = PublisherConfig {
        port,
        client_id: name.to_owned(),
        commands: true,
        metrics: metric_points(campus),
        ..PublisherConfig::default()
    };
    Publisher::start(config, campus.clone()).unwrap()
}

/// The flow of the boiler, now.
fn flow(campus: &Campus, value: f64) -> Sample {
    sample(campus, "plant/boiler/flow", now_ms() as i64 * 1000, Value::Number(value))
}

#[test]
fn our_edge_nodes_and_json_devices_come_through_one_publisher_and_obey() {
    for broker in brokers() {
        let (campus, got) = (plant(), Got::default());
        let gateway = start_hub(broker.port(), &campus, &got);
        let edge = nodes(broker.port(), &campus, "edge");
        edge.wait_connected(Duration::from_secs(10)).unwrap();
        let time = now_ms() as i64 * 1000;
        let values = [
            sample(&campus, "plant/room", time, Value::Number(20.5)),
            sample(&campus, "plant/boiler/flow", time, Value::Number(55.0)),
            sample(&campus, "plant/boiler/setpoint", time, Value::Number(55.0)),
            sample(&campus, "plant/boiler/mode", time, Value::Choice(1)),
            sample(&campus, "room/co2", time, Value::Number(417.0)),
        ];
        edge.publish_samples(&values).unwrap();
        edge.flush(Duration::from_secs(10)).unwrap();
        wait("all values", || got.count() == 5);
        let mut samples = got.samples.lock().unwrap().clone();
        samples.sort_by_key(|s| s.point);
        assert_eq!(samples, values, "with times, and a setpoint of 55 scaled there and back");
        assert_eq!((node(&gateway).gaps, node(&gateway).missing.len()), (0, 0));

        let setpoint = campus.point_id("plant/boiler/setpoint").unwrap();
        for value in [Some(Value::Number(60.5)), None] {
            gateway.send_command(setpoint, value.as_ref()).unwrap();
            let command = edge.commands().recv_timeout(Duration::from_secs(10)).unwrap();
            assert_eq!((command.point, command.value), (setpoint, value));
        }
        // A hub that comes later asks, and has every value of the edge node.
        gateway.stop();
        let later = Got::default();
        let gateway = start_hub(broker.port(), &campus, &later);
        wait("the births that it asked for", || later.count() == 4);
        assert_eq!((node(&gateway).online, node(&gateway).devices[0].online), (Some(true), Some(true)));
        edge.stop();
        wait("the farewell", || node(&gateway).online == Some(false));
        assert_eq!((node(&gateway).deaths, gateway.status().malformed), (1, 0));
    }
}

#[test]
fn a_broker_that_dies_makes_metrics_stale_and_all_is_well_when_it_is_back() {
    let Some(program) = Mosquitto::find() else { return eprintln!("skipped: Mosquitto is not installed") };
    let (campus, got) = (plant(), Got::default());
    let broker = Mosquitto::start(&program, 0).unwrap();
    let port = broker.port();
    let gateway = start_hub(port, &campus, &got);
    let edge = nodes(port, &campus, "edge");
    edge.wait_connected(Duration::from_secs(10)).unwrap();
    edge.publish_samples(&[flow(&campus, 1.0)]).unwrap();
    wait("the birth", || node(&gateway).devices[0].online == Some(true));
    let mut broker = Some(broker);
    for turn in 0..3_u32 {
        drop(broker.take());
        wait("both to be away, as nobody hears them", || gateway.status().offline.len() == 2);
        assert_eq!(node(&gateway).online, Some(false));
        broker = Some(Mosquitto::start(&program, port).unwrap());
        wait("the births of the next session", || gateway.status().offline.is_empty());
        edge.wait_connected(Duration::from_secs(30)).unwrap();
        let value = 10.0 + f64::from(turn);
        edge.publish_samples(&[flow(&campus, value)]).unwrap();
        wait("its values", || got.samples.lock().unwrap().iter().any(|s| s.value == Value::Number(value)));
        assert!(node(&gateway).bd_seq > Some(turn.into()), "{:?}", node(&gateway));
    }
}

#[test]
fn the_same_node_twice_is_seen_and_one_that_is_left_serves() {
    let Some(program) = Mosquitto::find() else { return eprintln!("skipped: Mosquitto is not installed") };
    let broker = Mosquitto::start(&program, 0).unwrap();
    let (campus, got) = (plant(), Got::default());
    let gateway = start_hub(broker.port(), &campus, &got);
    let first = nodes(broker.port(), &campus, "first");
    first.wait_connected(Duration::from_secs(10)).unwrap();
    first.publish_samples(&[flow(&campus, 1.0)]).unwrap();
    wait("the birth", || got.count() == 4);
    let second = nodes(broker.port(), &campus, "second");
    // The broker throws one out for the other, ever less often.
    wait("both to be thrown out", || first.stats().reconnects >= 2 && second.stats().reconnects >= 2);
    let before = first.stats().reconnects + second.stats().reconnects;
    std::thread::sleep(Duration::from_secs(2));
    let more = first.stats().reconnects + second.stats().reconnects - before;
    assert!(more <= 8, "{more} in two seconds");
    second.stop();
    first.wait_connected(Duration::from_secs(30)).unwrap();
    first.publish_samples(&[flow(&campus, 2.0)]).unwrap();
    wait("the value of the one that is left", || {
        got.samples.lock().unwrap().last().is_some_and(|s| s.value == Value::Number(2.0))
    });
    wait("it to be there", || node(&gateway).devices[0].online == Some(true));
}

#[test]
fn a_flood_of_rubbish_on_topics_of_a_node_hides_no_value() {
    let Some(program) = Mosquitto::find() else { return eprintln!("skipped: Mosquitto is not installed") };
    let broker = Mosquitto::start(&program, 0).unwrap();
    let (campus, got) = (plant(), Got::default());
    let gateway = start_hub(broker.port(), &campus, &got);
    let mut edge = EdgeNode::connect(broker.port(), 1);
    edge.birth();
    wait("the births", || got.count() == 4);
    let rubbish = publisher(broker.port(), &campus, "rubbish");
    let topics = [
        "NBIRTH/plant",
        "NDATA/plant",
        "NDEATH/plant",
        "DBIRTH/plant/boiler",
        "DDATA/plant/boiler",
        "DDEATH/plant/boiler",
    ];
    let topics = topics.map(|t| format!("spBv1.0/school/{t}"));
    for n in 0..20_000_usize {
        rubbish.publish(&topics[n % topics.len()], vec![0xff; n % 64 + 1], false).unwrap();
        if n % 200 == 0 {
            edge.flow(n as f64);
        }
    }
    // Ten megabytes, and a birth of more metrics than are read.
    rubbish.flush(Duration::from_secs(30)).unwrap();
    edge.publish("spBv1.0/school/NBIRTH/plant", vec![0; 10_000_000], false);
    let many = Payload { seq: Some(0), metrics: vec![Metric::default(); 20_001], ..Payload::default() };
    edge.publish("spBv1.0/school/NBIRTH/plant", many.encode(), false);
    // Times that run backward are kept as they are.
    let at = |ms: u64, x: f64| Metric {
        alias: Some(2),
        timestamp: Some(ms),
        value: Some(Raw::Double(x)),
        ..Metric::default()
    };
    edge.data(vec![at(1_700_000_002_000, 2.0), at(1_700_000_001_000, 1.0), at(1_700_000_000_000, 0.0)]);
    wait("the values between the rubbish", || got.count() == 4 + 100 + 3);
    let status = gateway.status();
    assert_eq!((status.malformed, status.reconnects, status.unknown), (20_002, 0, 0), "{status:?}");
    assert!(status.malformed_examples.iter().any(|e| e.why.contains("10000000 bytes")), "{status:?}");
    assert_eq!((node(&gateway).online, node(&gateway).gaps, node(&gateway).births), (Some(true), 0, 1));
    let last: Vec<i64> = got.samples.lock().unwrap()[104..].iter().map(|s| s.time.0 / 1_000_000).collect();
    assert_eq!(last, [1_700_000_002, 1_700_000_001, 1_700_000_000]);
}
