//! Drills and rehearsals over HTTP. A rehearsal's points, alarms, commands and layers come over a WebSocket of its own:
//! `/api/v1/ws?world=ID`.

use campanile_model::Names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A drill that can be rehearsed on the campus: the answer of `GET /api/v1/drills` is a list of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillInfo {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// What happens and what is practised.
    #[schema(value_type = Object)]
    pub summary: Names,
    /// When it begins, microseconds UTC.
    pub start_us: i64,
    /// How long it lasts, seconds.
    pub duration_s: f64,
    /// The levels of warning, the weakest first.
    pub levels: Vec<WarningLevel>,
    /// Who acts.
    pub roles: Vec<DrillRole>,
    /// What can be done.
    pub actions: Vec<DrillAction>,
    /// What counts.
    pub objectives: Vec<DrillObjective>,
    /// Rain: seconds from the start, mm/h.
    pub rain_mm_h: Vec<[f64; 2]>,
    /// The river: seconds from the start, m above datum.
    pub river_m: Vec<[f64; 2]>,
    /// How many people take part.
    pub people: u32,
    /// What is wrong with the drill's file, where it can't be rehearsed; the rest is then empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A level of warning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct WarningLevel {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Its colour, `#rrggbb`.
    pub colour: String,
    /// The rain that calls for it: in one hour, mm.
    pub rain_1h_mm: Option<f64>,
    /// In six hours, mm.
    pub rain_6h_mm: Option<f64>,
    /// What a school does then.
    #[schema(value_type = Vec<Object>)]
    pub measures: Vec<Names>,
}

/// Who acts in a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillRole {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// How many people it has.
    pub people: u32,
}

/// What can be done in a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillAction {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Whose it is.
    pub role: String,
    /// How many people it takes.
    pub people: u32,
    /// For how many minutes.
    pub minutes: f64,
    /// Where it issues a warning: of which level.
    pub level: Option<String>,
}

/// What counts in a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillObjective {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// How many points it is worth.
    pub points: f64,
}

/// From where a rehearsal begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RehearsalOrigin {
    /// From the scene, at the moment that the drill names.
    #[default]
    Scene,
    /// From the live world as it is now.
    Live,
    /// From the campus as it was at a moment of its past, which `at_us` names.
    Past,
}

/// `POST /api/v1/rehearsals`: begin one. It stands still until its pace is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRehearsal {
    /// The drill.
    pub drill: String,
    /// The seed; that of the drill where left out.
    #[serde(default)]
    pub seed: Option<u64>,
    /// From where.
    #[serde(default)]
    pub from: RehearsalOrigin,
    /// The moment of the past to begin from, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_us: Option<i64>,
    /// The pace to begin with; 0 where left out. More than 3600 is as fast as possible.
    #[serde(default)]
    pub rate: f64,
    /// Actions that nobody does but people: the players that stand in leave them alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decline: Vec<String>,
}

/// `POST /api/v1/rehearsals/pace`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPace {
    /// Which rehearsal.
    pub id: String,
    /// Seconds of the rehearsal a second: 0 pauses; more than 3600 is as fast as possible.
    pub rate: f64,
    /// Where it pauses by itself, seconds from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_s: Option<f64>,
}

/// `POST /api/v1/rehearsals/act`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    /// Which rehearsal.
    pub id: String,
    /// Which action.
    pub action: String,
    /// Decides against it instead of beginning it: the player that stands in leaves it alone, until somebody begins it
    /// after all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decline: bool,
}

/// `POST /api/v1/rehearsals/branch`: a rehearsal of its own that is as another was at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchRequest {
    /// Which rehearsal.
    pub id: String,
    /// At which moment, seconds from the start; now where left out.
    #[serde(default)]
    pub at_s: Option<f64>,
}

/// `POST /api/v1/rehearsals/end` and `/api/v1/rehearsals/save`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearsalRequest {
    /// Which rehearsal.
    pub id: String,
}

/// `GET /api/v1/rehearsals/state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RehearsalQuery {
    /// Which rehearsal.
    pub id: String,
}

/// `GET /api/v1/rehearsals/frames`: whole frames of the layers as they were at a moment, each with its length (`u32`,
/// little-endian) before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FramesQuery {
    /// Which rehearsal.
    pub id: String,
    /// At which moment, seconds from the start.
    pub at_s: f64,
}

/// `GET /api/v1/rehearsals/report`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// Which rehearsal.
    pub id: String,
    /// Another to compare it with.
    #[serde(default)]
    pub with: Option<String>,
    /// `zh-CN` or `en`; English where left out.
    #[serde(default)]
    pub lang: Option<String>,
}

/// Where a branch comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct BranchOf {
    /// Which rehearsal.
    pub id: String,
    /// At which moment, seconds from the start.
    pub at_s: f64,
}

/// A rehearsal: `GET /api/v1/rehearsals` is a list of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct RehearsalInfo {
    /// Its id, also its world's.
    pub id: String,
    /// Its drill.
    pub drill: String,
    /// The names of the drill.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Its seed.
    pub seed: u64,
    /// Of what it is a branch.
    pub branch_of: Option<BranchOf>,
    /// The moment it is at, seconds from the start.
    pub now_s: f64,
    /// How long it lasts, seconds.
    pub duration_s: f64,
    /// The time of its world, microseconds UTC.
    pub time_us: i64,
    /// The pace that is wanted, seconds a second; 0 is paused, −1 as fast as possible.
    pub wanted_rate: f64,
    /// The pace that it goes at.
    pub rate: f64,
    /// Whether the machine can't keep the pace that is wanted: the clock goes slower and skips nothing.
    pub slowed: bool,
    /// Whether it is over.
    pub over: bool,
    /// What it is busy with before it can go on, and the share done.
    pub busy: Option<Busy>,
    /// Why it can't go on.
    pub failed: Option<String>,
    /// Points earned so far, and how many could be.
    pub points: [f64; 2],
}

/// What a rehearsal is busy with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Busy {
    /// `opening` or `branching`.
    pub what: String,
    /// The share done, 0 to 1.
    pub share: f64,
}

/// How a rehearsal stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct RehearsalState {
    /// The rehearsal.
    pub info: RehearsalInfo,
    /// The level of warning in force.
    pub level: Option<String>,
    /// The actions that have been begun, in order.
    pub begun: Vec<BegunAction>,
    /// The actions that people have decided against.
    #[serde(default)]
    pub declined: Vec<String>,
    /// Of each role how many people have no work.
    pub free: Vec<u32>,
    /// What was said, in order.
    pub messages: Vec<DrillMessage>,
    /// What directors have asked, in order.
    #[serde(default)]
    pub questions: Vec<DrillQuestion>,
    /// Rain in the last hour, mm.
    pub rain_1h_mm: f64,
    /// The level of the river, m.
    pub river_m: Option<f64>,
    /// The curves so far, a row a minute.
    pub rows: Vec<DrillRow>,
    /// The score so far.
    pub score: Vec<Scored>,
}

/// An action begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct BegunAction {
    /// Which.
    pub action: String,
    /// Who: a person's name, or empty for a stand-in or an event.
    pub by: String,
    /// When it was asked for, seconds from the start.
    pub asked_s: f64,
    /// When work began; not while too few people are free.
    pub from_s: Option<f64>,
    /// When it had its effect.
    pub done_s: Option<f64>,
}

/// Something said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillMessage {
    /// When, seconds from the start.
    pub at_s: f64,
    /// Who speaks.
    #[schema(value_type = Option<Object>)]
    pub from: Option<Names>,
    /// What.
    #[schema(value_type = Object)]
    pub text: Names,
}

/// How a drill stood at a minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillRow {
    /// Seconds from the start.
    pub at_s: f64,
    /// Rain, mm/h.
    pub rain_mm_h: f64,
    /// The level of the river, m.
    pub river_m: Option<f64>,
    /// Water in rooms, m³.
    pub rooms_m3: f64,
    /// Ground under water, m².
    pub flooded_m2: f64,
    /// People walking.
    pub walking: u32,
    /// People at their goal or gone.
    pub arrived: u32,
    /// People in water.
    pub in_water: u32,
    /// People in danger.
    pub endangered: u32,
}

/// An objective as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Scored {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Points earned.
    pub points: f64,
    /// Points that could be.
    pub of: f64,
    /// Why.
    #[schema(value_type = Object)]
    pub reason: Names,
}

/// Decides a question of a drill's director.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// The id of the rehearsal.
    pub id: String,
    /// The id of the question.
    pub question: String,
    /// The index of the answer, from 0.
    pub answer: u32,
}

/// A question of a drill's director, and what was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DrillQuestion {
    /// Its id.
    pub id: String,
    /// When it was asked, seconds from the start.
    pub at_s: f64,
    /// The question.
    #[schema(value_type = Object)]
    pub question: Names,
    /// What may be answered.
    #[schema(value_type = Vec<Object>)]
    pub answers: Vec<Names>,
    /// Which answer was chosen; absent: it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<u32>,
    /// By whom.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}
