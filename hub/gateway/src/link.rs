//! One connection to a broker, polled in batches.
//!
//! `rumqttc` is used for its protocol state, its codec and its reconnection; but its own event loop
//! flushes after every packet sent, which costs a system call for each acknowledgement. Here many
//! packets are written before one flush, and reading goes on while more is at hand.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rumqttc::mqttbytes::Error as Malformed;
use rumqttc::{
    ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, MqttOptions, NetworkOptions, PingReq,
    Publish, Request, StateError,
};

/// The first pause after a lost connection.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection that lasted as long was a good one: the next attempt comes soon.
const STEADY: Duration = Duration::from_secs(10);
/// The largest message that is read, bytes. One beyond the limit of its reader is refused alone; one beyond this ends
/// the connection, because it can't be stepped over.
pub(crate) const MOST_READ: usize = 16 * 1024 * 1024;
/// How long a broker may take to close after a farewell.
const FAREWELL: Duration = Duration::from_millis(300);
/// How long a broker may take to accept what is written.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// Where and as whom to connect.
#[derive(Clone, Debug)]
pub(crate) struct LinkConfig {
    pub host: String,
    pub port: u16,
    pub client_id: String,
    pub credentials: Option<(String, String)>,
    pub keep_alive_s: u64,
    pub max_packet_bytes: usize,
    /// QoS 1 messages sent and not yet acknowledged.
    pub max_inflight: u16,
    /// Whether the broker forgets the client when it goes.
    pub clean_session: bool,
    /// Topic and payload that the broker publishes (QoS 1, retained) if the client vanishes.
    pub last_will: Option<(String, Vec<u8>)>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("{0}")]
    Connection(Box<ConnectionError>),
    #[error("the broker refused the connection: {0:?}")]
    Refused(ConnectReturnCode),
    #[error("{0}")]
    State(Box<StateError>),
    #[error("the broker doesn't take what is written")]
    Stuck,
    #[error("not connected")]
    Closed,
}

impl LinkError {
    fn state(&self) -> Option<&StateError> {
        match self {
            Self::State(state) => Some(state),
            Self::Connection(error) => match &**error {
                ConnectionError::MqttState(state) => Some(state),
                _ => None,
            },
            _ => None,
        }
    }

    /// The size of the message that was too large to be read.
    pub fn oversize(&self) -> Option<usize> {
        match self.state()? {
            StateError::Deserialization(Malformed::PayloadSizeLimitExceeded(n)) => Some(*n),
            _ => None,
        }
    }

    /// Whether the broker ended a connection without a word.
    pub fn is_hang_up(&self) -> bool {
        matches!(
            self,
            Self::State(state) if matches!(
                **state,
                StateError::ConnectionAborted | StateError::Io(_) | StateError::Deserialization(Malformed::Io(_))
            )
        )
    }

    /// Whether what came is not MQTT.
    pub fn is_garbage(&self) -> bool {
        match self.state() {
            // The end in the middle of an answer is garbage, in the middle of a session it may be a death.
            Some(StateError::Deserialization(Malformed::Io(_))) => matches!(self, Self::Connection(_)),
            Some(StateError::Deserialization(_)) => self.oversize().is_none(),
            Some(StateError::WrongPacket | StateError::Unsolicited(_)) => true,
            _ => false,
        }
    }
}

impl From<StateError> for LinkError {
    fn from(e: StateError) -> Self {
        Self::State(Box::new(e))
    }
}

/// A connection and its protocol state.
pub(crate) struct Link {
    eventloop: EventLoop,
    max_inflight: u16,
    attempts: u32,
    /// Since when the connection stands.
    connected: Option<Instant>,
    /// Connections in a row that ended soon after they were made.
    short_lived: u32,
    /// Outgoing messages that have to be sent again after a reconnection.
    pub resend: VecDeque<Publish>,
}

impl Link {
    pub fn new(config: &LinkConfig) -> Self {
        let mut options = MqttOptions::new(&config.client_id, &config.host, config.port);
        options
            .set_keep_alive(Duration::from_secs(config.keep_alive_s.max(5)))
            .set_max_packet_size(config.max_packet_bytes.max(MOST_READ), config.max_packet_bytes)
            .set_clean_session(config.clean_session)
            .set_inflight(config.max_inflight.max(1))
            .set_manual_acks(true);
        if let Some((name, password)) = &config.credentials {
            options.set_credentials(name, password);
        }
        if let Some((topic, payload)) = &config.last_will {
            options.set_last_will(rumqttc::LastWill::new(
                topic,
                payload.clone(),
                rumqttc::QoS::AtLeastOnce,
                true,
            ));
        }
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        let mut eventloop = EventLoop::new(options, 1);
        eventloop.set_network_options(network);
        Self {
            eventloop,
            max_inflight: config.max_inflight.max(1),
            attempts: 0,
            connected: None,
            short_lived: 0,
            resend: VecDeque::new(),
        }
    }

    /// Connects once. Whether the broker still knew the client.
    pub async fn connect(&mut self) -> Result<bool, LinkError> {
        self.collect_unacknowledged();
        match self.eventloop.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(ack))) if ack.code == ConnectReturnCode::Success => {
                self.connected = Some(Instant::now());
                Ok(ack.session_present)
            }
            Ok(Event::Incoming(Incoming::ConnAck(ack))) => Err(LinkError::Refused(ack.code)),
            Ok(_) => Err(LinkError::Closed),
            Err(e) => Err(LinkError::Connection(Box::new(e))),
        }
    }

    /// The last will of the next connection (QoS 1).
    pub fn set_last_will(&mut self, topic: &str, payload: Vec<u8>, retain: bool) {
        let will = rumqttc::LastWill::new(topic, payload, rumqttc::QoS::AtLeastOnce, retain);
        self.eventloop.mqtt_options.set_last_will(will);
    }

    /// Makes the broker forget the session with all that waits in it.
    pub async fn drop_session(&mut self) -> Result<(), LinkError> {
        self.eventloop.mqtt_options.set_clean_session(true);
        let connected = self.connect().await;
        self.eventloop.mqtt_options.set_clean_session(false);
        self.disconnect().await;
        connected.map(|_| ())
    }

    /// Connections in a row, up to the last, that ended soon after they were made.
    pub fn short_lived(&self) -> u32 {
        self.short_lived
    }

    /// Drops the connection, keeping what has to be sent again.
    pub fn close(&mut self) {
        if let Some(since) = self.connected.take() {
            if since.elapsed() >= STEADY {
                self.attempts = 0;
                self.short_lived = 0;
            } else {
                self.short_lived += 1;
            }
        }
        self.eventloop.clean();
        self.eventloop.state.events.clear();
        self.collect_unacknowledged();
    }

    /// A message without its packet id can be sent on any session, at worst twice.
    fn collect_unacknowledged(&mut self) {
        let collided = self.eventloop.state.collision.take();
        for request in self.eventloop.pending.drain(..) {
            if let Request::Publish(publish) = request {
                self.resend.push_back(publish);
            }
        }
        self.resend.extend(collided);
        for publish in &mut self.resend {
            publish.pkid = 0;
        }
    }

    /// The pause before the next attempt: doubling, within a quarter by chance, so that many
    /// clients don't return in step. Only a connection that lasted begins anew: a broker that accepts and then throws
    /// out would else be asked ten times a second.
    pub fn pause(&mut self) -> Duration {
        let base = FIRST_PAUSE.saturating_mul(1 << self.attempts.min(10)).min(LONGEST_PAUSE);
        self.attempts += 1;
        let chance = RandomState::new().hash_one(self.attempts) % 512;
        base.mul_f64(0.75 + chance as f64 / 1024.0)
    }

    /// Waits for at least one packet; a few may come at once. Cancelling it loses nothing, as
    /// acknowledgements are never sent from here.
    pub async fn read(&mut self) -> Result<(), LinkError> {
        let network = self.eventloop.network.as_mut().ok_or(LinkError::Closed)?;
        Ok(network.readb(&mut self.eventloop.state).await?)
    }

    /// Reads what is at hand without waiting; whether there was something.
    pub fn read_ready(&mut self) -> Result<bool, LinkError> {
        let reading = pin!(self.read());
        match reading.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }

    /// The next packet that has been read.
    pub fn next_incoming(&mut self) -> Option<Incoming> {
        loop {
            match self.eventloop.state.events.pop_front()? {
                Event::Incoming(packet) => return Some(packet),
                Event::Outgoing(_) => {}
            }
        }
    }

    /// Whether another QoS 1 message may be sent.
    pub fn has_room(&self) -> bool {
        self.eventloop.state.inflight() < self.max_inflight && self.eventloop.state.collision.is_none()
    }

    /// Puts a packet into the write buffer; see [`Link::flush`].
    pub async fn write(&mut self, request: Request) -> Result<(), LinkError> {
        let network = self.eventloop.network.as_mut().ok_or(LinkError::Closed)?;
        if let Some(packet) = self.eventloop.state.handle_outgoing_packet(request)? {
            match tokio::time::timeout(FLUSH_LIMIT, network.write(packet)).await {
                Ok(result) => result?,
                Err(_) => return Err(LinkError::Stuck),
            }
        }
        Ok(())
    }

    /// Sends the write buffer.
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        let network = self.eventloop.network.as_mut().ok_or(LinkError::Closed)?;
        match tokio::time::timeout(FLUSH_LIMIT, network.flush()).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(LinkError::Stuck),
        }
    }

    /// Asks whether the broker is still there; an error if it didn't answer the time before.
    pub async fn ping(&mut self) -> Result<(), LinkError> {
        self.write(Request::PingReq(PingReq)).await?;
        self.flush().await
    }

    /// Says good-bye, so that the last will isn't published.
    pub async fn disconnect(&mut self) {
        if self.write(Request::Disconnect(rumqttc::Disconnect)).await.is_ok() && self.flush().await.is_ok() {
            // The broker closes when it has read this (MQTT 3.1.1, 3.14.4). A socket closed from here with something
            // unread in it is reset, which can overtake the farewell, and then the last will is published.
            let closing = async { while self.read().await.is_ok() {} };
            let _ = tokio::time::timeout(FAREWELL, closing).await;
        }
        self.close();
    }
}
