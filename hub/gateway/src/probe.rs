//! Whether a broker does what a hub needs of it: one message there and back.

use std::time::{Duration, Instant};

use rumqttc::{Client, ConnectionError, Event, MqttOptions, Packet, QoS};

/// Why a broker is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Nothing answers there, or what answers is no broker.
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    /// It does not let this client in.
    #[error("it turns this client away: {0}")]
    Refused(String),
    /// It lets no one subscribe.
    #[error("it does not let this client subscribe to '{0}'")]
    NoSubscribe(String),
    /// A message that was published did not come back.
    #[error("a message published to '{0}' did not come back")]
    Silent(String),
}

/// Subscribes at a broker to a topic of its own under `campanile/probe/`, publishes one message at QoS 1 and waits for
/// it; how long that took.
///
/// # Errors
/// [`ProbeError`].
pub fn probe(host: &str, port: u16, patience: Duration) -> Result<Duration, ProbeError> {
    let id = format!("campanile-probe-{}", std::process::id());
    let topic = format!("campanile/probe/{}", std::process::id());
    let mut options = MqttOptions::new(id, host, port);
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = Client::new(options, 8);
    let failed = |why: &dyn std::fmt::Display| ProbeError::Unreachable(why.to_string());
    client.subscribe(&topic, QoS::AtLeastOnce).map_err(|why| failed(&why))?;
    let began = Instant::now();
    let mut connected = false;
    while let Some(left) = patience.checked_sub(began.elapsed()) {
        let event = match connection.recv_timeout(left) {
            Ok(Ok(event)) => event,
            Ok(Err(ConnectionError::ConnectionRefused(code))) => {
                return Err(ProbeError::Refused(format!("{code:?}")));
            }
            Ok(Err(why)) => return Err(failed(&why)),
            Err(_) => break,
        };
        match event {
            Event::Incoming(Packet::ConnAck(_)) => connected = true,
            Event::Incoming(Packet::SubAck(ack)) => {
                if ack.return_codes.contains(&rumqttc::SubscribeReasonCode::Failure) {
                    return Err(ProbeError::NoSubscribe(topic));
                }
                client.publish(&topic, QoS::AtLeastOnce, false, "probe").map_err(|why| failed(&why))?;
            }
            Event::Incoming(Packet::Publish(message)) if message.topic == topic => return Ok(began.elapsed()),
            _ => {}
        }
    }
    Err(if connected {
        ProbeError::Silent(topic)
    } else {
        ProbeError::Unreachable(format!("no answer within {} s", patience.as_secs()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Broker, BrokerConfig};

    #[test]
    fn a_broker_is_told_from_what_is_none() {
        let broker = Broker::start(&BrokerConfig::on_port(0)).unwrap();
        let took = probe("127.0.0.1", broker.port(), Duration::from_secs(10)).unwrap();
        assert!(took < Duration::from_secs(10));
        let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = deaf.local_addr().unwrap().port();
        let error = probe("127.0.0.1", port, Duration::from_secs(1)).unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable(_)), "{error}");
        drop(deaf);
        let error = probe("127.0.0.1", port, Duration::from_secs(1)).unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable(_)), "{error}");
    }
}
