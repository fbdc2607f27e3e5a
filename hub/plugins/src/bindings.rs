//! The contract of `sdk/wit/` in Rust, by wasmtime's macro.

#![allow(missing_docs)]

/// Rules.
pub mod rule {
    wasmtime::component::bindgen!({ path: "../../sdk/wit", world: "rule", imports: { default: trappable },
        additional_derives: [PartialEq], require_store_data_send: true });
}
