//! Worlds without devices: what a drill, a what-if or a class works in.
//!
//! A [`Rehearsal`] is a world of its own, forked from the live one or opened from a scene, with device models in this
//! process instead of a field and engines ([`Engine`]) instead of weather. A [`Drill`] says what happens in it; people
//! act by [`Deed`]s; a [`Player`] remembers its past, so that it can be looked back at and branched; an [`Outcome`] is
//! what came of it, and [`report()`] shows that to people.
//!
//! Nothing here knows a gateway: a command of a rehearsal reaches its device models and nothing else.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clock;
pub mod conformance;
mod director;
mod drill;
mod drill_file;
mod engine;
pub mod layers;
mod outcome;
mod play;
mod player;
mod rehearsal;
mod report;
mod save;
mod score;
mod seats;
mod site;
mod slowness;
mod stage;
mod tally;
mod trial;

pub use clock::{Clock, MAX_RATE, Pace};
pub use director::{DIRECTOR, director};
pub use drill::{DRILL_FILE, Drill, Found, drills_of};
pub use drill_file::{
    ActionSpec, CrowdSpec, DefaultSpec, DrillFile, Effect, EventSpec, FloodSpec, HourSpec, LevelSpec,
    Measure, ObjectiveSpec, RiverSpec, RoleSpec, StormSpec, WaterAt, When,
};
pub use engine::{Engine, EngineError};
pub use outcome::{
    Decision, Exposure, FORMAT as OUTCOME_FORMAT, GroupExposure, Outcome, Outline, WaterMap, WetRoom,
    is_flooded,
};
pub use play::{Asked, Begun, By, Message, Play, Refusal, Seen};
pub use player::{BranchError, Branching, Player};
pub use rehearsal::{Deed, DeedError, EnteredDeed, PanelDeed, Recorded, Rehearsal, RehearsalError, Spent};
pub use report::{Across, CHART_SIZE, Curve, ReportLang, chart, comparison, report, safe};
pub use score::{Judged, judge};
pub use seats::{KeptRecord, KeptSeat, SeatOutcome, name_of};
pub use site::{Site, SiteError, WET_M, Wet};
pub use slowness::SHARE_BY_DEPTH;
pub use tally::{ENDANGERED, IN_WATER_M, Row, Tally};
pub use trial::{Days, Found as TrialFound, Ledger, Trial, TrialError, first_meters, rooms};
