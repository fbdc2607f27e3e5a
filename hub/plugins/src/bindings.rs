//! The contract of `sdk/wit/` in Rust, by wasmtime's macro.
//!
//! The interfaces that worlds share are made once, with the world of rules; the others take them from there. So each
//! capability has one set of types and one implementation, whatever the kind of plugin that imports it.

#![allow(missing_docs)]

/// Rules, and what activities and drills share with them.
pub mod rule {
    wasmtime::component::bindgen!({ path: "../../sdk/wit", world: "rule", imports: { default: trappable },
        additional_derives: [PartialEq], require_store_data_send: true });
}

/// Activities.
pub mod activity {
    wasmtime::component::bindgen!({ path: "../../sdk/wit", world: "activity", imports: { default: trappable },
        additional_derives: [PartialEq], require_store_data_send: true, with: {
            "campanile:plugin/types": crate::bindings::rule::campanile::plugin::types,
            "campanile:plugin/clock": crate::bindings::rule::campanile::plugin::clock,
            "campanile:plugin/log": crate::bindings::rule::campanile::plugin::log,
            "campanile:plugin/points": crate::bindings::rule::campanile::plugin::points,
            "campanile:plugin/networks": crate::bindings::rule::campanile::plugin::networks,
            "campanile:plugin/history": crate::bindings::rule::campanile::plugin::history,
            "campanile:plugin/records": crate::bindings::rule::campanile::plugin::records,
            "campanile:plugin/store": crate::bindings::rule::campanile::plugin::store,
            "campanile:plugin/panels": crate::bindings::rule::campanile::plugin::panels,
        } });
}

/// Drills.
pub mod drill {
    wasmtime::component::bindgen!({ path: "../../sdk/wit", world: "drill", imports: { default: trappable },
        additional_derives: [PartialEq], require_store_data_send: true, with: {
            "campanile:plugin/types": crate::bindings::rule::campanile::plugin::types,
            "campanile:plugin/clock": crate::bindings::rule::campanile::plugin::clock,
            "campanile:plugin/log": crate::bindings::rule::campanile::plugin::log,
            "campanile:plugin/points": crate::bindings::rule::campanile::plugin::points,
            "campanile:plugin/store": crate::bindings::rule::campanile::plugin::store,
            "campanile:plugin/panels": crate::bindings::rule::campanile::plugin::panels,
        } });
}

pub use activity::campanile::plugin::activities;
pub use drill::campanile::plugin::drills;
pub use rule::campanile::plugin::{
    alarms, clock, commands, history, log, networks, panels, points, records, store, types,
};

/// What the host calls.
pub mod exports {
    pub use super::activity::exports::campanile::plugin::learning;
    pub use super::drill::exports::campanile::plugin::directing;
    pub use super::rule::exports::campanile::plugin::handler;
}
