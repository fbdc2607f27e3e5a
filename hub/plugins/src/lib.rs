//! Vendors' code in one sandbox: WebAssembly components against the contract of `sdk/wit/`, whatever the language.
//!
//! - [`Manifest`] says what a plugin is and asks for, [`Approval`] what a person granted, [`Grants`] what that is on a
//!   campus.
//! - [`Runtime`] compiles components and keeps what it compiled; a [`Seat`] is a plugin in a world.
//! - A call sees the world as it was when it began; what it does is gathered as [`Effects`] and taken over when it has
//!   ended well. A call that traps, or takes too long, has done nothing, and its instance is thrown away.
//! - No WASI: a component that imports anything but the contract is refused.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
mod bindings;
mod deadline;
mod extend;
mod file;
mod grants;
mod host;
mod inputs;
mod manifest;
mod pace;
mod package;
mod ready;
mod runtime;
mod seat;
mod shipped;
mod trust;
mod turn;
mod words;

pub use extend::{MOST_DERIVED, derived_path, extended};
pub use grants::{Approval, Grants};
pub use inputs::ended;
pub use manifest::{
    API, AlarmSpec, Capabilities, CommandCapability, DerivedSpec, FAILED_ALARM, FieldType, Kind, Limits,
    MANIFEST_FILE, Manifest, PanelSpec, RecordSpec, SCRIPT, SCRIPT_FILE, ScriptSpec, SettingSpec, Subscribe,
    Version, VersionError,
};
pub use package::{
    MOST_SCRIPT, PACKAGE_EXTENSION, Package, PackageError, SIGNATURE_FILE, SignatureError, Signed,
};
pub use ready::ReadyError;
pub use runtime::{Compiled, ComponentError, Runtime};
pub use seat::{
    AlarmNews, Budget, Call, Cost, Decision, Entered, Failure, Health, MOST_SAMPLES, Outcome, PanelUse,
    Saved, Seat, TrialOutcome,
};
pub use shipped::{interpreter_file, shipped_dir};
pub use trust::{PublicKey, SecretKey, TRUST_FILE, Trust, TrustError, TrustedKey};
pub use turn::{
    AlarmChange, Around, Award, Awards, Change, Denied, Effects, LogLevel, LogLine, Memory, Mission, NoPast,
    Paces, PanelNode, Past, PastBucket, Progress, Proposal, Question, STAFF, Situation, Stage, Told, Trace,
    group,
};
pub use words::what_it_may_do;

/// The words of the contract, as the host has them.
pub mod wit {
    pub use crate::bindings::{panels, types};
}
