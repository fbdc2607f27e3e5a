//! What the numbers in frames mean: the campus's entities and points.

use campanile_model::{AlarmPriority, EntityKind, Names, NetworkKind, Path, PointKind, ValueType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::JsonValue;

/// Everything that a client has to know of a campus before values mean anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Catalogue {
    /// The version of this catalogue, a hash of its content: the same as in the hub's hello, so
    /// that a client notices when the campus changed.
    pub version: String,
    /// The id of the campus.
    pub campus: String,
    /// The names of the campus.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub names: Names,
    /// The IANA time zone.
    pub timezone: String,
    /// Where the campus is.
    pub site: SiteInfo,
    /// The entities; a parent comes before its children.
    pub entities: Vec<EntityInfo>,
    /// The points; the index here is the index in data frames.
    pub points: Vec<PointInfo>,
    /// What flows where: electricity, water, rain and foul water, gas, air, heat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<NetworkInfo>,
    /// What must be shown with every picture, a line each.
    #[serde(default)]
    #[schema(value_type = Vec<std::collections::BTreeMap<String, String>>)]
    pub attribution: Vec<Names>,
}

/// A network: a tree of nodes through which something flows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct NetworkInfo {
    /// The index of its entity in `entities`.
    pub entity: u32,
    /// What flows in it.
    #[schema(value_type = String)]
    pub kind: NetworkKind,
    /// Its nodes; a parent comes before its children. It flows from parent to child, in a drain from child to parent.
    pub nodes: Vec<NodeInfo>,
}

/// A node of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct NodeInfo {
    /// The index of its entity in `entities`.
    pub entity: u32,
    /// What it is: `transformer`, `board`, `generator`, `inlet`, …
    pub kind: String,
    /// The index of its parent in the network's `nodes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// The index in `points` of its meter: what has gone through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<u32>,
    /// The sub-metering code of what it feeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submeter: Option<String>,
    /// The index in `entities` of the place where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// The indices in `entities` of what it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serves: Vec<u32>,
}

/// Where a campus is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct SiteInfo {
    /// Degrees north, WGS 84.
    pub latitude_deg: f64,
    /// Degrees east, WGS 84.
    pub longitude_deg: f64,
    /// Clockwise angle from true north to the plan's `y` axis, degrees.
    pub bearing_deg: f64,
}

/// One entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct EntityInfo {
    /// Its path.
    #[schema(value_type = String)]
    pub path: Path,
    /// Its names.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub names: Names,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: EntityKind,
    /// Its Brick class without prefix; empty where Brick has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub brick: String,
    /// The index of its parent in `entities`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// Where it is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where an entity is, in the plan's coordinates: a place to fly to where the scene has no node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Place {
    /// Local east, metres.
    pub x_m: f64,
    /// Local north, metres.
    pub y_m: f64,
    /// Above datum, metres.
    pub z_m: f64,
    /// About how far it reaches from there, metres.
    pub radius_m: f64,
}

/// One point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PointInfo {
    /// Its path.
    #[schema(value_type = String)]
    pub path: Path,
    /// The index of its entity in `entities`.
    pub entity: u32,
    /// Its names, without the entity's.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub names: Names,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: PointKind,
    /// The id of its kind, such as `co2`: what a client colours by.
    pub quantity: String,
    /// The type of its value.
    #[schema(value_type = String)]
    pub value_type: ValueType,
    /// Whether its values add up or are amounts: a consumption can be asked of it.
    #[serde(default)]
    pub is_consumption: bool,
    /// The labels of a choice, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ChoiceInfo>,
    /// Its unit in UCUM; `1` for what has none.
    pub unit: String,
    /// The valid range in its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// The expected period, seconds.
    pub period_s: f64,
    /// The smallest step in its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<f64>,
    /// Its Brick class without prefix; empty where Brick has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub brick: String,
    /// The sub-metering code of a meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submeter: Option<String>,
    /// How it is commanded, if it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandInfo>,
    /// Its alarms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmRuleInfo>,
}

/// A labelled choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ChoiceInfo {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub names: Names,
}

/// How a point is commanded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct CommandInfo {
    /// The lowest and highest number that may be commanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<[f64; 2]>,
    /// The shortest time between two commands, seconds.
    pub min_interval_s: f64,
    /// The value where no slot is filled.
    pub safe: JsonValue,
    /// The sensor that shows what the device did; `None`: the point itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub readback: Option<Path>,
    /// The weakest slot that may command it; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weakest_priority: Option<u8>,
}

/// One alarm rule of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AlarmRuleInfo {
    /// Its id among the point's alarms.
    pub id: String,
    /// Its names.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub names: Names,
    /// How urgent it is.
    #[schema(value_type = String)]
    pub priority: AlarmPriority,
    /// The limit above which it is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The limit below which it is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
}
