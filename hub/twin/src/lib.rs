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

mod alarms_ui;
mod app;
mod approve_ui;
mod camera;
mod chart;
mod colour;
mod details_ui;
mod drill_ui;
mod form_ui;
mod layers3d;
mod locale;
mod marks_ui;
mod net;
mod orbit;
mod override_ui;
#[cfg(target_arch = "wasm32")]
mod page;
mod panel_ui;
#[cfg(test)]
mod person;
mod pick;
mod plugins;
mod plugins_ui;
#[cfg(not(target_arch = "wasm32"))]
mod program;
mod rooms;
mod scene3d;
mod scene_file;
mod script_ui;
mod season;
#[cfg(not(target_arch = "wasm32"))]
mod shot;
mod sign_in_ui;
mod sky;
mod state;
mod storeys;
mod sun;
mod table;
mod theme;
mod ui;
mod units;
mod views;

pub use locale::Language;
pub use net::NetError;
#[cfg(target_arch = "wasm32")]
pub use page::run_page;
#[cfg(not(target_arch = "wasm32"))]
pub use program::{SnapshotOptions, TwinError, run_snapshot, run_window};
#[cfg(not(target_arch = "wasm32"))]
pub use shot::{PluginsPage, PluginsShot};
pub use state::World;
