//! The contract of `sdk/wit/` in Rust, by wasmtime's macro.

#![allow(missing_docs)]

/// Rules.
pub mod rule {
    wasmtime::component::bindgen!({ path: "../../sdk/wit", world: "rule", imports: { default: trappable },
        additional_derives: [PartialEq], require_store_data_send: true });
}

/// Activities.
pub mod activity {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "activity",
        imports: { default: trappable },
        additional_derives: [PartialEq],
        require_store_data_send: true,
        with: {
            "campanile:plugin/types": super::rule::campanile::plugin::types,
            "campanile:plugin/clock": super::rule::campanile::plugin::clock,
            "campanile:plugin/log": super::rule::campanile::plugin::log,
            "campanile:plugin/points": super::rule::campanile::plugin::points,
            "campanile:plugin/history": super::rule::campanile::plugin::history,
            "campanile:plugin/records": super::rule::campanile::plugin::records,
            "campanile:plugin/store": super::rule::campanile::plugin::store,
            "campanile:plugin/panels": super::rule::campanile::plugin::panels,
        },
    });
}

/// Drills.
pub mod drill {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "drill",
        imports: { default: trappable },
        additional_derives: [PartialEq],
        require_store_data_send: true,
        with: {
            "campanile:plugin/types": super::rule::campanile::plugin::types,
            "campanile:plugin/clock": super::rule::campanile::plugin::clock,
            "campanile:plugin/log": super::rule::campanile::plugin::log,
            "campanile:plugin/points": super::rule::campanile::plugin::points,
            "campanile:plugin/store": super::rule::campanile::plugin::store,
            "campanile:plugin/panels": super::rule::campanile::plugin::panels,
        },
    });
}
