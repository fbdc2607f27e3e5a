//! A broker inside this process, on loopback.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::GatewayError;

/// How long a broker may take to answer.
const START_LIMIT: Duration = Duration::from_secs(5);

/// How the embedded broker is sized.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// Where to listen, on loopback; port 0 takes any free port.
    pub address: SocketAddr,
    /// The most clients at a time.
    pub max_connections: usize,
    /// The largest message in bytes; a client that sends more is cut off.
    pub max_payload_bytes: usize,
    /// Size of a segment of the log that each subscription pattern has.
    pub segment_bytes: usize,
    /// Segments a log. What a subscriber hasn't read when a log is full is lost to it, so
    /// `segment_bytes * segments` is how far a subscriber may fall behind. It counts topics and
    /// payloads only, and a log keeps what was read until it is full: with messages of 100 bytes a
    /// pattern comes to take nearly four times as much memory.
    pub segments: usize,
    /// Messages read from a log for one subscriber before the next one has its turn.
    pub packets_per_turn: u64,
}

impl Default for BrokerConfig {
    /// On 127.0.0.1:1883, for a thousand clients that may fall 64 MiB behind, which is some
    /// 670,000 samples and, once that many have come, a quarter of a gigabyte of memory.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            max_connections: 1000,
            max_payload_bytes: 1024 * 1024,
            segment_bytes: 4 * 1024 * 1024,
            segments: 16,
            packets_per_turn: 200,
        }
    }
}

impl BrokerConfig {
    /// The default on another port of 127.0.0.1; 0 takes any free one.
    pub fn on_port(port: u16) -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ..Self::default() }
    }
}

/// A running embedded broker. It can't be stopped: it ends with the process.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
}

impl Broker {
    /// Starts a broker and waits until it answers.
    ///
    /// # Errors
    /// [`GatewayError::NotLoopback`], [`GatewayError::PortTaken`], [`GatewayError::BrokerSilent`].
    pub fn start(config: &BrokerConfig) -> Result<Self, GatewayError> {
        if !config.address.ip().is_loopback() {
            return Err(GatewayError::NotLoopback { address: config.address });
        }
        // The broker itself reports a taken port only in its log, so try the port first.
        let taken = |source| GatewayError::PortTaken { address: config.address, source };
        let probe = TcpListener::bind(config.address).map_err(taken)?;
        let address = probe.local_addr().map_err(taken)?;
        drop(probe);

        let connections = rumqttd::ConnectionSettings {
            connection_timeout_ms: 5000,
            max_payload_size: config.max_payload_bytes,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        };
        let server = rumqttd::ServerSettings {
            name: "mqtt-broker".to_owned(),
            listen: address,
            tls: None,
            next_connection_delay_ms: 1,
            connections,
        };
        let mut broker = rumqttd::Broker::new(rumqttd::Config {
            router: rumqttd::RouterConfig {
                max_connections: config.max_connections,
                max_outgoing_packet_count: config.packets_per_turn,
                max_segment_size: config.segment_bytes,
                max_segment_count: config.segments,
                ..Default::default()
            },
            v4: Some(HashMap::from([("v4".to_owned(), server)])),
            ..Default::default()
        });
        let thread = std::thread::Builder::new()
            .name("mqtt-broker-host".to_owned())
            .spawn(move || broker.start().map_err(|e| e.to_string()))
            .map_err(|source| GatewayError::Io { what: "the broker's thread".to_owned(), source })?;
        wait_until_it_answers(address, Some(thread))?;
        tracing::info!(%address, "the embedded broker listens");
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Connects until it works; `thread` is the broker's, if it has one here, to see it fail early.
pub(crate) fn wait_until_it_answers(
    address: SocketAddr,
    thread: Option<JoinHandle<Result<(), String>>>,
) -> Result<(), GatewayError> {
    let started = Instant::now();
    let silent =
        |why: String| GatewayError::BrokerSilent { address, waited_s: started.elapsed().as_secs(), why };
    loop {
        let error = match TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            Ok(_) => return Ok(()),
            Err(e) => e,
        };
        if thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return Err(silent("it ended at once; see the log".to_owned()));
        }
        if started.elapsed() > START_LIMIT {
            return Err(silent(error.to_string()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
