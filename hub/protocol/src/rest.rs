//! What is asked and answered over HTTP, under `/api/v1`.
//!
//! Paths of points and entities contain slashes, so they go in the query string. Times are
//! microseconds UTC (`i64`). An answer with a status of 400 and above has an [`ApiError`] as body.
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | [`Health`] |
//! | `GET /catalogue` | [`crate::Catalogue`] |
//! | `GET /scene.glb` | the 3D scene, `model/gltf-binary` |
//! | `GET /points` ([`PointsQuery`]) | [`PointsAnswer`] |
//! | `GET /value` ([`ValueQuery`]) | [`PointValue`] |
//! | `GET /history/range` ([`RangeQuery`]) | [`RangeAnswer`] |
//! | `GET /history/buckets` ([`BucketsQuery`]) | [`BucketsAnswer`] |
//! | `GET /alarms` | [`AlarmsAnswer`] |
//! | `POST /alarms/acknowledge` ([`AcknowledgeRequest`]) | [`Outcome`] |
//! | `POST /alarms/shelve` ([`ShelveRequest`]), `/alarms/unshelve` ([`AlarmRequest`]) | [`Outcome`] |
//! | `POST /alarms/out-of-service` ([`OutOfServiceRequest`]), `/alarms/return-to-service` ([`AlarmRequest`]) | [`Outcome`] |
//! | `GET /commands` ([`CommandsQuery`]) | [`CommandsAnswer`] |
//! | `POST /commands` ([`CommandRequest`]) | [`Outcome`] |
//! | `POST /commands/relinquish` ([`RelinquishRequest`]) | [`Outcome`] |
//! | `GET /ws` | the WebSocket |

use campanile_model::{Path, Quality};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{AlarmInfo, CommandState, ErrorCode, HubState, JsonValue, PointInfo, RejectReason};

/// The health of a hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Health {
    /// Whether the hub does its work, connected to its field and storing: `false` comes with status 503.
    pub ok: bool,
    /// The hub's name and version.
    pub server: String,
    /// The version of the protocol that the hub speaks.
    pub protocol: u16,
    /// The id of the campus.
    pub campus: String,
    /// The world's time, microseconds UTC.
    pub time_us: i64,
    /// Seconds since the hub started.
    pub uptime_s: f64,
    /// How it goes in detail.
    pub state: HubState,
    /// What is wrong, for people; empty where `ok`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// Which points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct PointsQuery {
    /// A glob over point paths; absent: all.
    #[serde(default)]
    pub glob: Option<String>,
    /// At most how many; absent: 1000.
    #[serde(default)]
    pub limit: Option<usize>,
    /// How many to leave out at the front.
    #[serde(default)]
    pub offset: Option<usize>,
}

/// Points with their values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PointsAnswer {
    /// How many match in all.
    pub total: usize,
    /// The points asked for.
    pub points: Vec<PointWithValue>,
}

/// One point and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PointWithValue {
    /// What it is.
    pub info: PointInfo,
    /// How it stands; absent: nothing has come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// Which point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct ValueQuery {
    /// The point's path.
    #[param(value_type = String)]
    pub point: Path,
}

/// The current value of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PointValue {
    /// The point's path.
    #[schema(value_type = String)]
    pub point: Path,
    /// Its unit in UCUM.
    pub unit: String,
    /// How it stands; absent: nothing has come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// One value, when and how good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Reading {
    /// When it was measured, microseconds UTC.
    pub time_us: i64,
    /// What was measured.
    pub value: JsonValue,
    /// How far to trust it.
    #[schema(value_type = String)]
    #[schemars(with = "String")]
    pub quality: Quality,
}

/// Raw values of a point in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct RangeQuery {
    /// The point's path.
    #[param(value_type = String)]
    pub point: Path,
    /// From when, microseconds UTC, inclusive.
    pub from_us: i64,
    /// Until when, microseconds UTC, exclusive.
    pub to_us: i64,
    /// At most how many; absent, or beyond it: 100,000.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// Which values of a point go into a CSV: all from `from_us` to before `to_us`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// The point's path.
    #[param(value_type = String)]
    pub point: Path,
    /// From when, microseconds UTC, inclusive.
    pub from_us: i64,
    /// Until when, microseconds UTC, exclusive.
    pub to_us: i64,
}

/// Raw values of a point, in columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct RangeAnswer {
    /// Its unit in UCUM.
    pub unit: String,
    /// When each was measured, microseconds UTC, ascending.
    pub times_us: Vec<i64>,
    /// What was measured.
    pub values: Vec<JsonValue>,
    /// How far to trust each.
    #[schema(value_type = Vec<String>)]
    #[schemars(with = "Vec<String>")]
    pub qualities: Vec<Quality>,
    /// Whether there were more than the limit: ask again from the last time.
    pub truncated: bool,
}

/// A point's values in equal spans of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct BucketsQuery {
    /// The point's path.
    #[param(value_type = String)]
    pub point: Path,
    /// From when, microseconds UTC, inclusive.
    pub from_us: i64,
    /// Until when, microseconds UTC, exclusive.
    pub to_us: i64,
    /// How long each is, seconds.
    pub width_s: f64,
}

/// A point's values in equal spans of time. Spans without a value are left out: a gap stays a gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct BucketsAnswer {
    /// Its unit in UCUM.
    pub unit: String,
    /// How long each is, seconds.
    pub width_s: f64,
    /// The spans that have values, ascending.
    pub buckets: Vec<Bucket>,
}

/// One span of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Bucket {
    /// When it begins, microseconds UTC.
    pub start_us: i64,
    /// How many values came in it.
    pub count: u64,
    /// The lowest.
    pub min: f64,
    /// The mean of the values.
    pub mean: f64,
    /// The highest.
    pub max: f64,
    /// Their sum.
    pub sum: f64,
    /// What was consumed in it, in the point's unit, where the point is a counter or gives amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumption: Option<f64>,
}

/// Alarms in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AlarmsAnswer {
    /// The most urgent first.
    pub alarms: Vec<AlarmInfo>,
}

/// How alarms turned in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct JournalQuery {
    /// From when, microseconds UTC, inclusive.
    #[serde(default)]
    pub from_us: Option<i64>,
    /// Until when, microseconds UTC, exclusive.
    #[serde(default)]
    pub to_us: Option<i64>,
    /// Only what stands before this in the journal, for the next page.
    #[serde(default)]
    pub before: Option<i64>,
    /// At most so many; 200 where left out, 1000 at most.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A turn of an alarm: raised, acknowledged, returned, hidden.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AlarmTurn {
    /// Its number in the journal.
    pub number: i64,
    /// When it turned, microseconds UTC.
    pub time_us: i64,
    /// The alarm as it was then.
    pub alarm: AlarmInfo,
}

/// A page of the journal of alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct JournalAnswer {
    /// The newest first.
    pub turns: Vec<AlarmTurn>,
    /// Ask again with `before` at this for more; absent: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// Acknowledge an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// The id of the alarm.
    pub alarm: String,
    /// What was seen or done; at most 500 bytes.
    #[serde(default)]
    pub comment: String,
}

/// Hide an alarm for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShelveRequest {
    /// The id of the alarm.
    pub alarm: String,
    /// For how many seconds; at most a week.
    pub for_s: f64,
    /// Why; 1 to 500 bytes.
    pub reason: String,
}

/// Take an alarm out of service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutOfServiceRequest {
    /// The id of the alarm.
    pub alarm: String,
    /// Why; 1 to 500 bytes.
    pub reason: String,
}

/// Take an alarm from the shelf, or back into service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmRequest {
    /// The id of the alarm.
    pub alarm: String,
}

/// Which commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct CommandsQuery {
    /// A glob over point paths; absent: all that have a filled slot.
    #[serde(default)]
    pub glob: Option<String>,
}

/// Commands in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct CommandsAnswer {
    /// By point, in the order of the catalogue.
    pub commands: Vec<CommandState>,
}

/// Let go of a slot of a point's priority array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelinquishRequest {
    /// The point's path.
    #[schema(value_type = String)]
    pub point: Path,
    /// Which slot, 1 to 16; absent: 8, a person operating.
    #[serde(default = "manual_operator")]
    pub priority: u8,
    /// Why: kept in the audit record.
    pub reason: String,
}

/// Write a slot of a point's priority array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// The point's path.
    #[schema(value_type = String)]
    pub point: Path,
    /// What it should be.
    pub value: JsonValue,
    /// Which slot, 1 to 16; absent: 8, a person operating.
    #[serde(default = "manual_operator")]
    pub priority: u8,
    /// After how many seconds the slot empties by itself; absent: never.
    #[serde(default)]
    pub expiry_s: Option<f64>,
    /// Why: kept in the audit record.
    pub reason: String,
}

fn manual_operator() -> u8 {
    campanile_model::Priority::MANUAL_OPERATOR.get()
}

/// Whether a request was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Outcome {
    /// Whether it was done.
    pub ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectReason>,
    /// Why not, and how to mend it, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The body of an answer with a status of 400 and above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ApiError {
    /// What kind of error.
    pub code: ErrorCode,
    /// What, where and how to mend it, for people.
    pub message: String,
}
