//! From an edge node of Sparkplug B through a broker into a sink, and back.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use campanile_gateway::sparkplug::{Metric, NodeStatus, Payload, Raw, datatype};
use campanile_gateway::{Gateway, GatewayConfig, GatewayError};
use campanile_model::{Campus, Quality, Value};
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
