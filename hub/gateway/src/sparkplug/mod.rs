//! Sparkplug B, as in the Eclipse Sparkplug specification 3.0: the hub as a host application, and the edge nodes that
//! simulated devices and recorded meters speak as.
//!
//! A campus binds points to metrics of edge nodes (`sparkplug = { group, node, device, metric }` in a `[[bind]]`).
//! The gateway then hears births, data and deaths of these nodes, asks for a birth where it doesn't know what data
//! means, writes commands to the metrics, and says by STATE whether it is there. Rules are cited by their ids
//! (`tck-id-…`) in that specification.
//!
//! [`Payload`] reads and writes the messages; the rest is behind [`crate::Gateway`].

#[cfg(test)]
mod conformance;
mod edge;
mod nodes;
mod payload;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use edge::{EdgeSession, Layout, Message, Reading};
pub use nodes::{DeviceStatus, NodeStatus};
pub(crate) use nodes::{Nodes, Out, Taken};
pub use payload::{MAX_METRICS, MAX_NAME, MAX_TEXT, Metric, Payload, Raw, datatype};
pub(crate) use value::Refusal;
