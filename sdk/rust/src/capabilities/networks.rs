//! What feeds what: the networks of the campus as trees, as far as the plugin sees their meters.
//!
//! ```no_run
//! use campanile_plugin::networks::{self, NetworkKind};
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! let nodes = networks::nodes(NetworkKind::Water)?;
//! // The branches of the first node.
//! let branches = nodes.iter().filter(|node| node.parent == Some(0)).count();
//! # Ok(())
//! # }
//! ```

pub use crate::bindings::campanile::plugin::networks::{NetworkKind, Node, nodes};
