//! What the gateway counts and says of itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::sparkplug::NodeStatus;

/// Examples kept of each kind.
const EXAMPLES: usize = 8;
/// Bytes of a payload or topic that are shown.
const SHOWN_BYTES: usize = 200;

/// A message that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its topic, cut to 200 bytes.
    pub topic: String,
    /// Why it could not be used.
    pub why: String,
    /// The start of its payload, cut to 200 bytes.
    pub payload: String,
}

/// What the gateway does, at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GatewayStatus {
    /// The broker, as host and port.
    pub broker: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// Why the last connection ended or failed.
    pub last_error: Option<String>,
    /// Connections lost since the start.
    pub reconnects: u64,
    /// The topic filters subscribed to.
    pub filters: Vec<String>,
    /// Points that have a binding.
    pub bound_points: u64,
    /// Topics that they are bound to.
    pub bound_topics: u64,
    /// Of these, topics that have been heard since the start.
    pub heard_topics: u64,
    /// Messages received.
    pub messages: u64,
    /// Samples made of them.
    pub samples: u64,
    /// Messages on topics that nothing is bound to.
    pub unknown: u64,
    /// The last of them.
    pub unknown_examples: Vec<Example>,
    /// Messages, elements or values that could not be read as the binding says.
    pub malformed: u64,
    /// The last of them.
    pub malformed_examples: Vec<Example>,
    /// Old samples that a broker retained and that say no time, and retained messages of Sparkplug: not passed on,
    /// for they would look new.
    pub dropped: u64,
    /// Samples whose time was more than five minutes ahead: kept at the time of arrival, as uncertain. The clock of
    /// their device is wrong.
    pub clock_ahead: u64,
    /// Messages marked by the broker as delivered again.
    pub redelivered: u64,
    /// Messages that came back as they are our own commands.
    pub echoes: u64,
    /// Messages received and not yet acknowledged, waiting for the sink.
    pub unacknowledged: u64,
    /// Messages whose batch the sink gave up, so that they were asked for again.
    pub given_up: u64,
    /// Whether the sink has no room, so that nothing is read.
    pub sink_full: bool,
    /// Commands taken to be sent.
    pub commands: u64,
    /// Commands that the broker has acknowledged.
    pub commands_acknowledged: u64,
    /// Presence topics whose devices are away; of Sparkplug the topics of their deaths.
    pub offline: Vec<String>,
    /// Nodes of Sparkplug B, where points are bound to such.
    pub sparkplug: Option<SparkplugStatus>,
}

/// What was heard of nodes of Sparkplug B.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SparkplugStatus {
    /// The ID of this host application, by which nodes see whether it is there.
    pub host: Option<String>,
    /// The nodes that points are bound to.
    pub nodes: Vec<NodeStatus>,
    /// Samples that were told late (`is_historical`), kept with their own times.
    pub historical: u64,
    /// Metrics without a value (`is_null`), kept as bad.
    pub nulls: u64,
    /// Bound metrics of types that have no single value: templates, data sets, files, arrays.
    pub unsupported: u64,
    /// The last of them.
    pub unsupported_examples: Vec<Example>,
}

/// The counters behind [`GatewayStatus`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub connected: AtomicBool,
    pub reconnects: AtomicU64,
    pub heard_topics: AtomicU64,
    pub messages: AtomicU64,
    pub samples: AtomicU64,
    pub unknown: AtomicU64,
    pub malformed: AtomicU64,
    pub dropped: AtomicU64,
    pub clock_ahead: AtomicU64,
    pub redelivered: AtomicU64,
    pub echoes: AtomicU64,
    pub commands: AtomicU64,
    pub commands_acknowledged: AtomicU64,
    pub historical: AtomicU64,
    pub nulls: AtomicU64,
    pub unsupported: AtomicU64,
    pub notes: Mutex<Notes>,
}

/// What is kept besides numbers.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub last_error: Option<String>,
    pub unknown: VecDeque<Example>,
    pub malformed: VecDeque<Example>,
    pub unsupported: VecDeque<Example>,
    pub offline: Vec<String>,
}

impl Counters {
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

/// Adds an example, dropping the oldest beyond the number kept.
pub(crate) fn keep(examples: &mut VecDeque<Example>, topic: &str, why: &str, payload: &[u8]) {
    if examples.len() >= EXAMPLES {
        examples.pop_front();
    }
    examples.push_back(Example {
        topic: shown(topic.as_bytes()),
        why: why.to_owned(),
        payload: shown(payload),
    });
}

fn shown(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]).into_owned();
    if bytes.len() > SHOWN_BYTES {
        text.push('…');
    }
    text
}
