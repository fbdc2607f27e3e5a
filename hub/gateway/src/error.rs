//! What can go wrong on the way to and from the field.

use std::net::SocketAddr;
use std::path::PathBuf;

use campanile_model::Path;

/// Why something was refused or didn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// Another program listens where the broker should.
    #[error(
        "the embedded broker can't listen on {address}: {source}. Another broker or hub may be running there: stop it, choose another port, or port 0 for any free one"
    )]
    PortTaken {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The embedded broker is only for this machine.
    #[error(
        "the embedded broker has no access control and may only listen on loopback, not on {address}; run Mosquitto or EMQX for a network"
    )]
    NotLoopback {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// A broker was started but doesn't answer.
    #[error("the broker doesn't answer on {address} after {waited_s} s: {why}")]
    BrokerSilent {
        /// Where it should listen.
        address: SocketAddr,
        /// How long was waited.
        waited_s: u64,
        /// What is known.
        why: String,
    },
    /// A program that has to be there isn't.
    #[error("the program '{program}' can't be started: {source}. Install it or give its path")]
    Program {
        /// What was started.
        program: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A thread could not be started or a file not be written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The point is not of this campus.
    #[error("no point has the number {0} in this campus")]
    UnknownPoint(u32),
    /// The point has no binding, or none of the kind that is needed.
    #[error(
        "'{point}' has no {what} in the field: add it to a [[bind]] of campus.toml that matches the point"
    )]
    Unbound {
        /// The point.
        point: Path,
        /// What is missing.
        what: &'static str,
    },
    /// The value can't be written for this point.
    #[error("'{point}': {why}")]
    Value {
        /// The point.
        point: Path,
        /// Why not.
        why: String,
    },
    /// The metric's type is not known, as its node or device is away.
    #[error(
        "'{point}' can't be written: its device has not said on '{topic}' what the metric is, or has gone since; it is written when the device is back"
    )]
    Unborn {
        /// The point.
        point: Path,
        /// Where the birth would come.
        topic: String,
    },
    /// The point speaks another protocol.
    #[error(
        "'{point}' is a metric of Sparkplug B: it is published by an edge node, not as a message of its own; say --sparkplug to publish as that node"
    )]
    Sparkplug {
        /// The point.
        point: Path,
    },
    /// The queue to the broker is full: the broker is away or slow.
    #[error(
        "the queue to the broker is full ({queued} messages): the broker is away or slow; try again later"
    )]
    Full {
        /// Messages in the queue.
        queued: usize,
    },
    /// The client has been stopped.
    #[error("the client of the broker has been stopped")]
    Stopped,
    /// Not everything was acknowledged in time.
    #[error("{left} messages were not acknowledged by the broker within {waited_s} s")]
    NotAcknowledged {
        /// How many are left.
        left: u64,
        /// How long was waited.
        waited_s: u64,
    },
    /// A CSV file could not be read.
    #[error(transparent)]
    Csv(#[from] campanile_formats::CsvSeriesError),
    /// A mapping of the feed is wrong.
    #[error("'{text}' is not a mapping COLUMN=point/path: {why}")]
    Mapping {
        /// As given.
        text: String,
        /// Why not.
        why: String,
    },
}
