//! What makers of plugins work with, without a hub.
//!
//! - A [`Source`] is a plugin's folder or package, a [`Plugin`] what is made ready of it by a [`Workshop`].
//! - [`check`] tells everything that is wrong with one at once, as [`Finding`]s in both languages.
//! - A [`Scenario`] says what a plugin is put through and what is expected of it; [`test`] plays all of a plugin, each in
//!   a world of its own and each twice, and holds it against expectations, snapshot and [`Coverage`].
//! - [`bench`] measures what a plugin costs on this machine.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bench;
mod check;
mod coverage;
mod difference;
mod finding;
mod ground;
mod judge;
mod past;
mod picture;
mod plugin;
mod run;
mod scenario;
mod source;
mod test;
mod told;

pub use bench::{Cost, Figures, bench};
pub use check::{Checked, check};
pub use coverage::{Coverage, Item};
pub use difference::difference;
pub use finding::Finding;
pub use ground::Grounds;
pub use judge::{Verdict, judge};
pub use picture::Picture;
pub use plugin::{Plugin, Workshop};
pub use run::{Cast, Given, Happened, Ran, RunError, SLICES, Summed, run};
pub use scenario::{
    AlarmTurn, CampusOf, Deed, Expectation, Expected, Measure, Measured, Scenario, ScenarioFile, Shows, Step,
    Total, Wanted, Window,
};
pub use source::{Source, SourceError};
pub use test::{Snapshot, Suite, Tested, test};
