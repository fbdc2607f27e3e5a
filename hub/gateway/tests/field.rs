//! From a device through a broker into a sink, and back.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use campanile_gateway::feed::{self, FeedConfig};
use campanile_gateway::{
    Broker, BrokerConfig, FieldBatch, GatewayError, Mosquitto, Publisher, PublisherConfig, Qos, Sink,
    presence_topics,
};
use campanile_model::{Quality, Timestamp, Value};
use common::*;

const FLUSH: Duration = Duration::from_secs(10);

#[test]
fn samples_of_every_type_come_through_bit_by_bit() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let publisher = publisher(broker.port(), &campus, "device");
    let t = 1_700_000_000_123_456;
    let mut sent = vec![
        sample(&campus, "room/co2", t, Value::Number(0.1 + 0.2)),
        sample(&campus, "room/co2", t + 1, Value::Number(-0.0)),
        sample(&campus, "room/co2", t + 2, Value::Number(5e-324)),
        sample(&campus, "room/temperature", t, Value::Number(21.5)),
        sample(&campus, "room/mode", t, Value::Choice(2)),
        sample(&campus, "room/both-a", t, Value::Number(1.0)),
        sample(&campus, "room/both-b", t, Value::Number(2.0)),
        sample(&campus, "room/meter", t, Value::Number(1234.5)),
        sample(&campus, "room/meter", t + 1_000_000, Value::Number(1235.5)),
    ];
    sent[4].quality = Quality::Uncertain;
    publisher.publish_samples(&sent).unwrap();
    publisher.publish_samples(&[sample(&campus, "room/door", 0, Value::Bool(true))]).unwrap();
    publisher.flush(FLUSH).unwrap();
    wait("all samples", || got.count() == sent.len() + 1);

    let mut samples = got.samples.lock().unwrap().clone();
    let door = samples.pop().unwrap();
    assert_eq!(door.value, Value::Bool(true));
    assert!(door.time > Timestamp(t), "without a time in the message the time of arrival counts");
    assert_eq!(samples, sent);
    let Value::Number(zero) = samples[1].value else { panic!() };
    assert!(zero.is_sign_negative(), "a value without scale isn't touched");

    wait("acknowledgements", || gateway.status().unacknowledged == 0);
    let status = gateway.status();
    assert_eq!((status.bound_points, status.bound_topics), (7, 6));
    assert_eq!(status.heard_topics, 6);
    assert_eq!(status.messages, 9, "the two samples of the meter are one message");
    assert_eq!((status.malformed, status.unknown), (0, 0));
    assert_eq!(status.filters, ["campus/room/#"]);
    serde_json::to_string(&status).unwrap();
}

#[test]
fn a_clock_that_is_ahead_is_set_right_and_no_two_messages_share_a_moment() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let publisher = publisher(broker.port(), &campus, "device");
    // One in 2033 would hide every true one after it.
    publisher
        .publish_samples(&[sample(&campus, "room/co2", 2_000_000_000_000_000, Value::Number(1.0))])
        .unwrap();
    let doors: Vec<_> = (0..50).map(|i| sample(&campus, "room/door", 0, Value::Bool(i % 2 == 0))).collect();
    publisher.publish_samples(&doors).unwrap();
    publisher.flush(FLUSH).unwrap();
    wait("all samples", || got.count() == 51);
    let samples = got.samples.lock().unwrap().clone();
    assert_eq!(samples[0].quality, Quality::Uncertain);
    assert!(samples[0].time < samples[1].time, "it has the time of its arrival");
    assert_eq!(gateway.status().clock_ahead, 1);
    for pair in samples[1..].windows(2) {
        assert!(pair[0].time < pair[1].time, "the history keeps one sample a moment");
    }
}

#[test]
fn what_cannot_be_used_is_counted_and_told() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let publisher = publisher(broker.port(), &campus, "device");
    let cases = [
        ("campus/room/co2", "{\"value\":", "EOF"),
        ("campus/room/co2", "{\"time\":1700000000000}", "no value at '/value'"),
        ("campus/room/co2", "{\"value\":null,\"time\":1700000000000}", "null"),
        ("campus/room/co2", "{\"value\":[1],\"time\":1700000000000}", "an array"),
        ("campus/room/co2", "{\"value\":1}", "no time"),
        ("campus/room/co2", "{\"value\":1,\"time\":1700000000000000}", "time_format"),
        ("campus/room/co2", "{\"value\":1,\"time\":1700000000000,\"quality\":\"super\"}", "not a quality"),
        ("campus/room/co2", "{\"value\":\"warm\",\"time\":1700000000000}", "'warm' is not a number"),
        ("campus/room/mode", "{\"value\":\"dry\",\"time\":1700000000000}", "not one of the choices"),
        ("campus/room/door", "ajar", "neither true nor false"),
        ("campus/room/meter", "{\"data\":{}}", "no '/data/samples'"),
        ("campus/room/meter", "{\"data\":{\"samples\":[{\"v\":{}}]}}", "has no '/v/kwh'"),
    ];
    for (i, (topic, payload, why)) in cases.into_iter().enumerate() {
        publisher.publish(topic, payload.as_bytes().to_vec(), false).unwrap();
        wait(why, || gateway.status().malformed == i as u64 + 1);
        let example = gateway.status().malformed_examples.pop().unwrap();
        assert!(example.why.contains(why), "{payload}: '{}' doesn't say '{why}'", example.why);
        assert_eq!((example.topic.as_str(), example.payload.as_str()), (topic, payload));
    }
    assert_eq!(gateway.status().malformed_examples.len(), 8, "only the last few are kept");

    publisher.publish("campus/room/radon", vec![b'x'; 500], false).unwrap();
    wait("the unknown topic", || gateway.status().unknown == 1);
    let example = gateway.status().unknown_examples.pop().unwrap();
    assert_eq!(example.topic, "campus/room/radon");
    assert!(example.payload.len() < 210, "payloads are cut");
    wait("acknowledgements", || gateway.status().unacknowledged == 0);
    assert_eq!(got.count(), 0);
}

#[test]
fn what_real_meters_write_is_understood() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let _gateway = start(broker.port(), &campus, got.sink());
    let publisher = publisher(broker.port(), &campus, "device");
    let t = Timestamp(1_700_000_000_000_000);
    let cases = [
        (
            "campus/room/co2",
            "{\"extra\":{\"a\":[1]},\"value\":\"417.5\",\"time\":1700000000000}",
            Value::Number(417.5),
        ),
        (
            "campus/room/temperature",
            "{\"value\":615,\"time\":1700000000000.0}",
            Value::Number(615.0 * 0.1 - 40.0),
        ),
        ("campus/room/mode", "{\"value\":1,\"time\":\"1700000000000\",\"quality\":0}", Value::Choice(1)),
        (
            "campus/room/meter",
            "{\"data\":{\"samples\":[{\"v\":{\"kwh\":7},\"time\":\"2023-11-15T06:13:20+08:00\"}]}}",
            Value::Number(7.0),
        ),
        ("campus/room/door", "ON", Value::Bool(true)),
        ("campus/room/door", "0", Value::Bool(false)),
    ];
    for (i, (topic, payload, value)) in cases.into_iter().enumerate() {
        publisher.publish(topic, payload.as_bytes().to_vec(), false).unwrap();
        wait(payload, || got.count() == i + 1);
        let sample = got.samples.lock().unwrap()[i].clone();
        assert_eq!(sample.value, value, "{payload}");
        if topic != "campus/room/door" {
            assert_eq!(sample.time, t, "{payload}");
        }
    }
}

#[test]
fn a_message_is_acknowledged_only_when_its_batch_is_complete() {
    for broker in brokers() {
        let (campus, got) = (school(), Got::default());
        let gateway = start(broker.port(), &campus, got.holding_sink());
        let publisher = publisher(broker.port(), &campus, "device");
        publisher.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(7.0))]).unwrap();
        publisher.flush(FLUSH).unwrap();
        wait("the sample", || got.count() == 1);
        assert_eq!(gateway.status().unacknowledged, 1);

        // The hub dies before the sample is stored: the next one gets it again.
        gateway.stop();
        got.held.lock().unwrap().clear();
        let again = Got::default();
        let gateway = start(broker.port(), &campus, again.sink());
        wait("the sample again", || again.count() == 1);
        wait("its acknowledgement", || gateway.status().unacknowledged == 0);
        gateway.stop();

        // Now it is stored, and doesn't come a third time.
        let third = Got::default();
        let _gateway = start(broker.port(), &campus, third.sink());
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(third.count(), 0);
    }
}

#[test]
fn a_sink_that_gives_up_gets_the_batch_again() {
    for broker in brokers() {
        let (campus, got) = (school(), Got::default());
        let mut left_to_fail = 2;
        let mut good = got.sink();
        let gateway = start(broker.port(), &campus, move |batch: FieldBatch| {
            if left_to_fail > 0 {
                left_to_fail -= 1;
                drop(batch);
                Ok(())
            } else {
                good.deliver(batch)
            }
        });
        let publisher = publisher(broker.port(), &campus, "device");
        publisher.publish_samples(&[sample(&campus, "room/co2", 5_000, Value::Number(7.0))]).unwrap();
        wait("the sample after two failures", || got.count() == 1);
        let status = gateway.status();
        assert_eq!((status.given_up, status.reconnects), (2, 2));
    }
}

#[test]
fn thousands_of_messages_wait_for_a_slow_sink_and_none_is_lost() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let mut inner = got.sink();
    let mut asked = 0;
    let _gateway = start(broker.port(), &campus, move |batch: FieldBatch| {
        asked += 1;
        if asked % 3 == 0 { inner.deliver(batch) } else { Err(batch) }
    });
    let publisher = publisher(broker.port(), &campus, "device");
    let sent: Vec<_> = (0..20_000)
        .map(|i| sample(&campus, "room/co2", i64::from(i) * 1000, Value::Number(f64::from(i))))
        .collect();
    publisher.publish_samples(&sent).unwrap();
    publisher.flush(FLUSH).unwrap();
    wait("all", || got.count() >= sent.len());
    assert_eq!(*got.samples.lock().unwrap(), sent, "in order, each once");
}

#[test]
fn the_connection_comes_back_after_the_broker_did() {
    let Some(program) = Mosquitto::find() else {
        eprintln!("skipped: Mosquitto is not installed");
        return;
    };
    let broker = Mosquitto::start(&program, 0).unwrap();
    let port = broker.port();
    let (campus, got) = (school(), Got::default());
    let gateway = start(port, &campus, got.sink());
    let publisher = publisher(port, &campus, "device");
    publisher.publish_samples(&[sample(&campus, "room/co2", 1000, Value::Number(1.0))]).unwrap();
    wait("the first sample", || got.count() == 1);

    drop(broker);
    wait("the loss to be seen", || !gateway.is_connected());
    wait("its reason", || gateway.status().last_error.is_some());
    // Published while there is no broker: kept by the publisher until there is.
    publisher.publish_samples(&[sample(&campus, "room/co2", 2000, Value::Number(2.0))]).unwrap();
    let command = gateway.send_command(campus.point_id("room/mode").unwrap(), Some(&Value::Choice(1)));
    command.unwrap();

    let _broker = Mosquitto::start(&program, port).unwrap();
    wait("the gateway to come back", || gateway.is_connected());
    publisher.flush(FLUSH).unwrap();
    publisher.publish_samples(&[sample(&campus, "room/co2", 3000, Value::Number(3.0))]).unwrap();
    wait("the sample after", || got.samples.lock().unwrap().last().unwrap().time == Timestamp(3000));
    assert_eq!(gateway.status().reconnects, 1);
    wait("the command", || gateway.status().commands_acknowledged == 1);
}

#[test]
fn a_device_that_vanishes_is_reported_with_its_points() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let topics = presence_topics(&campus);
    assert_eq!(topics, ["campus/room/presence"]);
    let config = PublisherConfig {
        port: broker.port(),
        client_id: "device".to_owned(),
        presence: topics.into_iter().next(),
        ..PublisherConfig::default()
    };
    let publisher = Publisher::start(config.clone(), campus.clone()).unwrap();
    wait("online", || got.presence.lock().unwrap().len() == 1);
    // Another client of the same name throws the device out, as a cut cable would: its last will
    // speaks. The device then comes back by itself.
    let other = Publisher::start(PublisherConfig { presence: None, ..config }, campus.clone()).unwrap();
    wait("offline", || got.presence.lock().unwrap().iter().any(|p| !p.online));
    other.stop();
    let offline = got.presence.lock().unwrap().iter().find(|p| !p.online).unwrap().clone();
    assert_eq!(&*offline.points, &[campus.point_id("room/mode").unwrap()]);
    wait("online again", || got.presence.lock().unwrap().last().unwrap().online);

    publisher.stop();
    wait("offline as it stops", || !got.presence.lock().unwrap().last().unwrap().online);
    assert_eq!(gateway.status().offline, ["campus/room/presence"]);
}

#[test]
fn commands_reach_the_device_in_its_terms() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let config = PublisherConfig {
        port: broker.port(),
        client_id: "device".to_owned(),
        commands: true,
        ..PublisherConfig::default()
    };
    let device = Publisher::start(config, campus.clone()).unwrap();
    device.wait_connected(FLUSH).unwrap();
    std::thread::sleep(Duration::from_millis(100));

    let mode = campus.point_id("room/mode").unwrap();
    for value in [Some(Value::Choice(2)), None] {
        gateway.send_command(mode, value.as_ref()).unwrap();
        let command = device.commands().recv_timeout(FLUSH).unwrap();
        assert_eq!((command.point, command.value), (mode, value));
    }
    wait("acknowledgements", || gateway.status().commands_acknowledged == 2);
    wait("our own commands to come back by the wildcard", || gateway.status().echoes == 2);
    assert_eq!(gateway.status().unknown, 0);

    let co2 = campus.point_id("room/co2").unwrap();
    assert!(matches!(gateway.send_command(co2, None), Err(GatewayError::Unbound { .. })));
    assert!(matches!(gateway.send_command(mode, Some(&Value::Number(1.0))), Err(GatewayError::Value { .. })));
}

#[test]
fn a_taken_port_and_a_public_address_are_refused_with_the_mend() {
    let first = broker();
    let error = Broker::start(&BrokerConfig::on_port(first.port())).unwrap_err();
    assert!(error.to_string().contains("port 0 for any free one"), "{error}");
    let public = BrokerConfig { address: "0.0.0.0:0".parse().unwrap(), ..BrokerConfig::default() };
    assert!(matches!(Broker::start(&public), Err(GatewayError::NotLoopback { .. })));
}

/// London set its clocks back at 02:00 on 2014-10-26, so 01:30 came twice. At 03:00 a value is
/// missing, and at 04:00 and 05:00 the rows are.
const FOLD: &str = "\
time,kwh,other
2014-10-26 00:30:00,1.25,9
2014-10-26 01:00:00,2,9
2014-10-26 01:30:00,3,9
2014-10-26 01:00:00,4,9
2014-10-26 01:30:00,5,9
2014-10-26 02:00:00,6,9
2014-10-26 02:30:00,,9
2014-10-26 03:00:00,7,9
nonsense,8,9
2014-10-26 05:00:00,0.1,9
";

#[test]
fn a_recorded_meter_plays_with_its_own_times_and_gaps() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let _gateway = start(broker.port(), &campus, got.sink());
    let publisher = publisher(broker.port(), &campus, "feed");
    let columns = vec![feed::parse_mapping("kwh=room/meter", &campus).unwrap()];
    let config = FeedConfig::new("time", "Europe/London", columns);
    let report = feed::play(FOLD.as_bytes(), config, &publisher, |_| true).unwrap();
    assert_eq!((report.rows, report.samples, report.missing_cells), (9, 8, 1));
    assert_eq!((report.time_gaps, report.missing_rows), (1, 3));
    assert_eq!((report.row_errors, report.first_errors.len()), (1, 1));
    assert_eq!(publisher.stats().finished, publisher.stats().messages, "all is acknowledged");

    wait("all samples", || got.count() == 8);
    let half_hours: Vec<(i64, f64)> = got
        .samples
        .lock()
        .unwrap()
        .iter()
        .map(|s| (s.time.0 / 1_800_000_000 - 1_414_278_000 / 1800, s.value.as_f64().unwrap()))
        .collect();
    // Half hours of UTC since 2014-10-25T23:00Z, which was midnight in London.
    assert_eq!(
        half_hours,
        [(1, 1.25), (2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0), (6, 6.0), (8, 7.0), (12, 0.1)],
        "every half hour of the folded night has its own place"
    );
}

#[test]
fn mappings_of_a_feed_are_checked() {
    let campus = school();
    for (text, why) in [
        ("kwh", "no '='"),
        ("=room/co2", "the column is empty"),
        ("kwh=room/gas", "no point 'room/gas'"),
        ("kwh=room/door", "a CSV column has numbers"),
    ] {
        let error = feed::parse_mapping(text, &campus).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn qos_0_comes_through_too() {
    let (broker, campus, got) = (broker(), school(), Got::default());
    let gateway = start(broker.port(), &campus, got.sink());
    let config = PublisherConfig {
        port: broker.port(),
        qos: Qos::AtMostOnce,
        client_id: "device".to_owned(),
        ..PublisherConfig::default()
    };
    let publisher = Publisher::start(config, campus.clone()).unwrap();
    publisher.wait_connected(FLUSH).unwrap();
    let sent: Vec<_> = (0..1000)
        .map(|i| sample(&campus, "room/co2", i64::from(i) * 1000, Value::Number(f64::from(i))))
        .collect();
    publisher.publish_samples(&sent).unwrap();
    wait("all", || got.count() == 1000);
    assert_eq!(gateway.status().messages, 1000);
}
