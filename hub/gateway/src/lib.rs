//! Field protocols to samples and commands: MQTT with messages in JSON or plain text, and Sparkplug B.
//!
//! - [`Gateway`] subscribes to the topics that a campus is bound to, turns messages into
//!   [`FieldBatch`]es for a [`Sink`], and acknowledges each message to the broker only when the
//!   sink calls [`Completion::done`]; it also sends commands out.
//! - [`Publisher`] is the other side: device programs, recorded data and benches publish samples
//!   by the bindings of a campus and receive commands, as edge nodes of Sparkplug B where they are asked to.
//! - [`Broker`] is a broker inside this process, on loopback.
//! - [`feed`] plays a CSV file through a [`Publisher`].
//! - [`bench`] measures all of it beside a bare subscriber of the same broker.
//!
//! Nothing here blocks a caller's async runtime: each client polls its connection on a thread of
//! its own. Every queue is bounded, and whatever is refused or dropped is counted.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod acks;
pub mod bench;
mod broker;
mod edge;
mod encode;
mod error;
pub mod feed;
mod gateway;
mod link;
mod mosquitto;
mod parse;
mod probe;
mod publisher;
mod reader;
pub mod sparkplug;
mod status;
mod topics;

pub use acks::Completion;
pub use broker::{Broker, BrokerConfig};
pub use error::GatewayError;
pub use gateway::{FieldBatch, Gateway, GatewayConfig, Presence, Sink};
pub use mosquitto::Mosquitto;
pub use probe::{ProbeError, probe};
pub use publisher::{FieldCommand, Publisher, PublisherConfig, PublisherStats, Qos};
pub use reader::MessageReader;
pub use status::{Example, GatewayStatus, SparkplugStatus};
pub use topics::{metric_points, presence_topics, subscription_filters};
