//! The campus in 3D: the Bevy and egui client of a Campanile hub.
//!
//! `run_window` opens a window on a hub, `run_snapshot` draws the same scene and panels into a
//! PNG without one, and `run_page` is the same twin in a browser, compiled for `wasm32`. All speak to the hub through
//! `campanile-protocol` and `campanile-client` alone.
//!
//! Inside, what comes from the hub passes one seam (`net`: the only module with threads and
//! sockets) into one reducer (`state`), from which panels (`ui`) and scene (`scene3d`, `rooms`,
//! `sky`) are drawn; panels give back wishes ([`Action`](ui::Action)) and change nothing themselves.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod alarms_ui;
mod app;
mod approve_ui;
#[cfg(not(target_arch = "wasm32"))]
mod bench;
mod camera;
mod chart;
mod charts_ui;
mod colour;
mod details_ui;
mod drill_ui;
mod flows;
mod flows_ui;
mod form_ui;
mod help_ui;
mod keep;
#[cfg(test)]
mod kit;
mod lamps;
mod layers3d;
mod lens;
mod lens_ui;
mod locale;
mod marks_ui;
mod net;
mod orbit;
mod override_ui;
mod pace;
#[cfg(target_arch = "wasm32")]
mod page;
mod palette;
mod panel_ui;
mod parts;
mod period;
#[cfg(test)]
mod person;
mod pick;
mod pins_ui;
mod place;
mod plugins;
mod plugins_ui;
mod prefs;
#[cfg(not(target_arch = "wasm32"))]
mod program;
mod rooms;
mod saved_ui;
mod scene3d;
mod scene_file;
mod script_ui;
mod season;
mod shading;
#[cfg(not(target_arch = "wasm32"))]
mod shot;
mod sight;
mod sign_in_ui;
mod sky;
#[cfg(any(test, target_arch = "wasm32"))]
mod spoken;
mod state;
mod storeys;
mod sun;
mod table;
mod theme;
#[cfg(target_arch = "wasm32")]
mod typing;
mod ui;
mod units;
mod views;
mod weather;

#[cfg(not(target_arch = "wasm32"))]
pub use bench::{District, Measured, run_bench};
pub use locale::Language;
pub use net::NetError;
#[cfg(target_arch = "wasm32")]
pub use page::run_page;
#[cfg(not(target_arch = "wasm32"))]
pub use period::Compare;
#[cfg(not(target_arch = "wasm32"))]
pub use place::Pane;
#[cfg(not(target_arch = "wasm32"))]
pub use program::{SnapshotOptions, TwinError, WindowOptions, run_snapshot, run_window};
#[cfg(not(target_arch = "wasm32"))]
pub use shot::{PluginsPage, PluginsShot};
pub use state::World;
