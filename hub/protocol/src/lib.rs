//! The messages between the hub and its clients, versioned.
//!
//! A client asks over HTTP ([`rest`]: what can be asked and what comes back) and follows over one
//! WebSocket: control as JSON text ([`ServerMessage`], [`ClientMessage`]), values as binary
//! columnar frames ([`DataFrame`]). What the numbers in frames mean is in the [`Catalogue`], which
//! a client fetches first.
//!
//! # A conversation
//! 1. The hub opens with [`ServerMessage::Hello`]: protocol version, campus, catalogue version.
//! 2. The client answers [`ClientMessage::Hello`]; the hub sends [`ServerMessage::Welcome`], the
//!    alarms in force ([`ServerMessage::AlarmList`]) and the clock, or an error and closes.
//! 3. [`ClientMessage::Subscribe`] with path globs: [`ServerMessage::Subscribed`], then a snapshot
//!    in one or more frames, then deltas. A client that reads too slowly gets the latest value of
//!    each point and is told how many it missed ([`DataFrame::conflated`]).
//! 4. Commands and acknowledgements carry the client's `request` number and are answered by
//!    exactly one [`ServerMessage::Result`].
//!
//! Nothing in this crate does I/O; everything decoded has limits ([`limits`]) and a typed error.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alarm;
mod catalogue;
mod frame;
mod layer;
pub mod limits;
mod message;
pub mod people;
pub mod plugins;
pub mod rehearsal;
pub mod rest;
mod value;

pub use alarm::{AlarmInfo, AlarmState};
pub use catalogue::{
    AlarmRuleInfo, Catalogue, ChoiceInfo, CommandInfo, EntityInfo, NetworkInfo, NodeInfo, Place, PointInfo,
    SiteInfo,
};
pub use frame::{DataFrame, FrameError, FrameKind, FrameSample};
pub use layer::{
    Agent, AgentKind, AgentState, LayerError, LayerFrame, LayerHead, LayerInfo, LayerShape, LayerState,
    ZoneField, is_layer_frame,
};
pub use message::{
    ClientMessage, CommandState, ErrorCode, HubState, LayerSubscription, LinkState, MessageError,
    RejectReason, ServerMessage, Slot, Subscription,
};
pub use value::{JsonValue, ValueError};

// What the messages are made of, so that a client needs this crate alone.
pub use campanile_model::{
    AlarmPriority, EntityKind, Glob, GlobError, Names, NetworkKind, Path, PathError, PointId, PointKind,
    Priority, Quality, Timestamp, Value, ValueType,
};

/// The version of the protocol that this crate speaks. A hub and a client of different versions
/// don't talk; what is added compatibly (fields with defaults, messages that a client may ignore)
/// doesn't change it.
pub const PROTOCOL_VERSION: u16 = 1;
