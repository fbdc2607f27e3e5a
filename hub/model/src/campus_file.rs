//! `campus.toml` as written: kinds × entities.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AlarmPriority, EntityKind, Names, NetworkKind, Pipe, PointKind, SpaceUse, TimeFormat, ValueType,
};

/// A whole `campus.toml`. See `docs/scene-format.md`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampusFile {
    /// Always `campanile-campus/1`.
    pub format: String,
    /// The id of the campus: lower-case letters, digits and `-`.
    pub id: String,
    /// The campus's name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The campus's name in English.
    #[serde(default)]
    pub en: Option<String>,
    /// The IANA time zone, such as `Asia/Shanghai`.
    pub timezone: String,
    /// The EPW weather file beside this one.
    #[serde(default)]
    pub weather: Option<String>,
    /// What must be shown with every picture, a line each: one text for all, or one in each language.
    #[serde(default)]
    pub attribution: Vec<Attribution>,
    /// Free settings of the device models.
    #[serde(default)]
    pub simulation: BTreeMap<String, serde_json::Value>,
    /// The kinds of point by id.
    #[serde(default)]
    pub kind: BTreeMap<String, KindSpec>,
    /// The kinds of equipment by id.
    #[serde(default)]
    pub equipment: BTreeMap<String, EquipmentSpec>,
    /// Names of entities; of several that match, the last counts.
    #[serde(default)]
    pub name: Vec<NameRule>,
    /// Which points and equipment stand where.
    #[serde(default)]
    pub place: Vec<PlaceRule>,
    /// The networks.
    #[serde(default)]
    pub network: Vec<NetworkSpec>,
    /// Where points are found in the field; of several that match, the last counts.
    #[serde(default)]
    pub bind: Vec<BindRule>,
    /// Alarms; all that match count.
    #[serde(default)]
    pub alarm: Vec<AlarmRuleSpec>,
    /// What forbids commands or takes points over; all that match count.
    #[serde(default)]
    pub interlock: Vec<InterlockSpec>,
}

impl CampusFile {
    /// The value of [`CampusFile::format`] that this version reads.
    pub const FORMAT: &'static str = "campanile-campus/1";
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

impl OneOrMany {
    /// The texts.
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// A value as written: `true`, `21.5`, or the id of a choice or a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ScalarSpec {
    /// On or off.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A choice by id, or a text.
    Text(String),
}

/// A kind of point: everything its points share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindSpec {
    /// The name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English.
    #[serde(default)]
    pub en: Option<String>,
    /// Sensor, meter, setpoint, command or derived.
    #[serde(default)]
    pub kind: PointKind,
    /// The type of its values.
    #[serde(default)]
    pub value: ValueType,
    /// The labels of a choice in the order of their numbers.
    #[serde(default)]
    pub choices: Vec<ChoiceSpec>,
    /// Whether values stand alone, add up or are amounts.
    #[serde(default)]
    pub accumulation: AccumulationSpec,
    /// Of a counter: the value at which it starts again from 0.
    #[serde(default)]
    pub rollover: Option<f64>,
    /// The Brick class without prefix.
    #[serde(default)]
    pub brick: Option<String>,
    /// The unit in UCUM; `1` for what has none.
    #[serde(default = "unit_one")]
    pub unit: String,
    /// The lowest and highest valid number.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
    /// The expected period, seconds.
    pub period_s: f64,
    /// The smallest step.
    #[serde(default)]
    pub resolution: Option<f64>,
    /// The sub-metering code.
    #[serde(default)]
    pub submeter: Option<String>,
    /// How it is commanded: needed for a setpoint or command, not allowed for others.
    #[serde(default)]
    pub command: Option<CommandSpecFile>,
    /// Alarms of every point of this kind.
    #[serde(default)]
    pub alarm: Vec<AlarmSpec>,
}

fn unit_one() -> String {
    "1".to_owned()
}

/// A choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceSpec {
    /// Its id, which is also what the field sends.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English.
    #[serde(default)]
    pub en: Option<String>,
}

/// Whether values stand alone, add up or are amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccumulationSpec {
    /// A value at a moment.
    #[default]
    Gauge,
    /// A register that only grows.
    Counter,
    /// The amount since the value before.
    Interval,
}

/// How a kind of point is commanded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSpecFile {
    /// The lowest and highest number that may be commanded.
    #[serde(default)]
    pub limits: Option<[f64; 2]>,
    /// The shortest time between two commands, seconds.
    #[serde(default)]
    pub min_interval_s: f64,
    /// The value where nobody commands.
    pub safe: ScalarSpec,
    /// The id of a point of the same entity that shows what the device did.
    #[serde(default)]
    pub readback: Option<String>,
    /// The highest number of a priority slot that may command it, 1 to 16.
    #[serde(default)]
    pub weakest_priority: Option<u8>,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmSpec {
    /// Its id among the point's alarms.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English.
    #[serde(default)]
    pub en: Option<String>,
    /// How urgent it is.
    #[serde(default)]
    pub priority: AlarmPriority,
    /// When it is raised.
    pub when: WhenSpec,
    /// How far the value has to come back, in the point's unit.
    #[serde(default)]
    pub deadband: f64,
    /// How long the condition has to hold, seconds.
    #[serde(default)]
    pub on_delay_s: f64,
    /// How long it has to be gone, seconds.
    #[serde(default)]
    pub off_delay_s: f64,
    /// While this holds elsewhere, the alarm means nothing and is suppressed.
    #[serde(default)]
    pub suppress: Option<SuppressSpec>,
}

/// When an alarm is raised: exactly one of the conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenSpec {
    /// `{ above = 1500 }`: the value is above it.
    Above(f64),
    /// `{ below = 5 }`: the value is below it.
    Below(f64),
    /// `{ is = true }`: the value is this one.
    Is(ScalarSpec),
    /// `{ off = { point = "setpoint", by = 3 } }`: the value is off another point of the same
    /// entity by more than a limit.
    Off(DeviationSpec),
    /// `{ stale = true }`: no value has come.
    Stale(bool),
    /// `{ rises = { by = 5, within_s = 600 } }`: the value is above its lowest of that time by more.
    Rises(ChangeSpec),
    /// `{ falls = { by = 5, within_s = 600 } }`: the value is below its highest of that time by more.
    Falls(ChangeSpec),
    /// `{ quality = "bad" }`, or `"uncertain"`, which is also raised by bad ones.
    Quality(QualitySpec),
}

/// See [`WhenSpec::Rises`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSpec {
    /// By more than this, in the point's unit.
    pub by: f64,
    /// Within this, seconds.
    pub within_s: f64,
}

/// See [`WhenSpec::Quality`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualitySpec {
    /// Not to be relied upon.
    Uncertain,
    /// Wrong.
    Bad,
}

/// A condition elsewhere: exactly one of `above`, `below` and `is`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// The id of a point of the same entity, or the path of any point.
    pub point: String,
    /// Its value is above this.
    #[serde(default)]
    pub above: Option<f64>,
    /// Its value is below this.
    #[serde(default)]
    pub below: Option<f64>,
    /// Its value is this one.
    #[serde(default)]
    pub is: Option<ScalarSpec>,
}

/// While a condition holds elsewhere, an alarm is suppressed: `suppress = { when = { point = "run", is = false } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressSpec {
    /// The condition.
    pub when: ConditionSpec,
    /// For how long after it the alarm stays suppressed, seconds: the time that the plant needs to start.
    #[serde(default)]
    pub hold_s: f64,
}

/// While a condition holds elsewhere, commands of points are refused, or the points are taken over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterlockSpec {
    /// Globs of the paths of the points that it guards.
    pub points: OneOrMany,
    /// Its id.
    pub id: String,
    /// What is told in Simplified Chinese to whom it refuses.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// What is told in English to whom it refuses.
    #[serde(default)]
    pub en: Option<String>,
    /// When it holds.
    pub when: ConditionSpec,
    /// The value that may not be commanded then; any where left out.
    #[serde(default)]
    pub forbid: Option<ScalarSpec>,
    /// The value that the points are taken to for as long as it holds, in slot 5 (critical equipment).
    #[serde(default)]
    pub trip: Option<ScalarSpec>,
    /// What to do while the condition can't be known: its point is stale, bad or was never heard.
    #[serde(default)]
    pub unknown: UnknownSpec,
}

/// See [`InterlockSpec::unknown`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownSpec {
    /// Refuse: what can't be seen to be safe is not.
    #[default]
    Block,
    /// Allow.
    Allow,
}

/// See [`WhenSpec::Off`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviationSpec {
    /// The id of the other point of the same entity.
    pub point: String,
    /// The limit, in the point's unit.
    pub by: f64,
}

/// An alarm for the points that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmRuleSpec {
    /// Globs of point paths.
    pub points: OneOrMany,
    /// Its id among the point's alarms.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English.
    #[serde(default)]
    pub en: Option<String>,
    /// How urgent it is.
    #[serde(default)]
    pub priority: AlarmPriority,
    /// When it is raised.
    pub when: WhenSpec,
    /// How far the value has to come back, in the point's unit.
    #[serde(default)]
    pub deadband: f64,
    /// How long the condition has to hold, seconds.
    #[serde(default)]
    pub on_delay_s: f64,
    /// How long it has to be gone, seconds.
    #[serde(default)]
    pub off_delay_s: f64,
    /// While this holds elsewhere, the alarm means nothing and is suppressed.
    #[serde(default)]
    pub suppress: Option<SuppressSpec>,
}

/// A kind of equipment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentSpec {
    /// The name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English.
    #[serde(default)]
    pub en: Option<String>,
    /// The Brick class without prefix.
    #[serde(default)]
    pub brick: Option<String>,
    /// Its points.
    #[serde(default)]
    pub points: Vec<PointUse>,
}

/// A line that must be shown: the same in all languages, or one in each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Attribution {
    /// The same in all, such as `© OpenStreetMap contributors`.
    Same(String),
    /// One in each.
    Each(Names),
}

impl Attribution {
    /// The line in both languages.
    pub fn names(&self) -> Names {
        match self {
            Self::Same(text) => Names::new(text, text),
            Self::Each(names) => names.clone(),
        }
    }
}

/// A point in a list: the id of a kind, or a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PointUse {
    /// The id of a kind, which is also the id of the point.
    Kind(String),
    /// A point that differs from its kind.
    Table(Box<PointTable>),
}

/// A point that differs from its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointTable {
    /// The id of the kind.
    pub kind: String,
    /// The id of the point; else that of its kind.
    #[serde(default)]
    pub id: Option<String>,
    /// The name in Simplified Chinese, where it isn't the kind's.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English, where it isn't the kind's.
    #[serde(default)]
    pub en: Option<String>,
    /// The valid range, where it isn't the kind's.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
    /// The period, where it isn't the kind's, seconds.
    #[serde(default)]
    pub period_s: Option<f64>,
    /// The sub-metering code, where it isn't the kind's.
    #[serde(default)]
    pub submeter: Option<String>,
    /// How it is commanded, where it isn't as the kind.
    #[serde(default)]
    pub command: Option<CommandSpecFile>,
}

/// Names for the entities that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameRule {
    /// Globs of entity paths.
    pub at: OneOrMany,
    /// Only spaces of these uses.
    #[serde(default, rename = "use")]
    pub use_: Vec<SpaceUse>,
    /// Only entities of these kinds.
    #[serde(default)]
    pub entity: Vec<EntityKind>,
    /// The name in Simplified Chinese, a template.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English, a template.
    #[serde(default)]
    pub en: Option<String>,
    /// The Brick class without prefix, where it isn't the usual one of the entity.
    #[serde(default)]
    pub brick: Option<String>,
}

/// Points and equipment for the entities that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceRule {
    /// Globs of entity paths.
    pub at: OneOrMany,
    /// Globs of entity paths that are left out.
    #[serde(default)]
    pub except: OneOrMany,
    /// Only spaces of these uses.
    #[serde(default, rename = "use")]
    pub use_: Vec<SpaceUse>,
    /// Only entities of these kinds.
    #[serde(default)]
    pub entity: Vec<EntityKind>,
    /// The points that each gets.
    #[serde(default)]
    pub points: Vec<PointUse>,
    /// The equipment that each gets.
    #[serde(default)]
    pub equipment: Vec<EquipmentUse>,
}

/// Equipment in a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentUse {
    /// The id of its kind.
    pub kind: String,
    /// Its id; else that of its kind.
    #[serde(default)]
    pub id: Option<String>,
    /// How many: their ids then end in `-1`, `-2`, …
    #[serde(default)]
    pub count: Option<u32>,
    /// The name in Simplified Chinese, a template, where it isn't the kind's.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English, a template, where it isn't the kind's.
    #[serde(default)]
    pub en: Option<String>,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Its id; its path is `net/<id>`.
    pub id: String,
    /// What flows in it.
    pub kind: NetworkKind,
    /// The name in Simplified Chinese.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English.
    #[serde(default)]
    pub en: Option<String>,
    /// Its nodes, in any order.
    #[serde(default)]
    pub node: Vec<NodeSpec>,
}

/// A node, or with `each` a node for every entity that matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Its id, a template.
    pub id: String,
    /// What it is, such as `board`.
    pub kind: String,
    /// A node for every entity whose path matches one of these globs.
    #[serde(default)]
    pub each: Option<OneOrMany>,
    /// Globs of entity paths that `each` leaves out.
    #[serde(default)]
    pub except: OneOrMany,
    /// `each`: only spaces of these uses.
    #[serde(default, rename = "use")]
    pub use_: Vec<SpaceUse>,
    /// `each`: only entities of these kinds.
    #[serde(default)]
    pub entity: Vec<EntityKind>,
    /// The id of its parent, a template; none for the source (of a drain: the outfall).
    #[serde(default)]
    pub parent: Option<String>,
    /// The name in Simplified Chinese, a template.
    #[serde(default, rename = "zh-CN")]
    pub zh: Option<String>,
    /// The name in English, a template.
    #[serde(default)]
    pub en: Option<String>,
    /// The Brick class without prefix.
    #[serde(default)]
    pub brick: Option<String>,
    /// Where it stands, millimetres.
    #[serde(default)]
    pub at: Option<[i32; 2]>,
    /// The bottom of the pipe above datum, millimetres.
    #[serde(default)]
    pub invert_mm: Option<i32>,
    /// The cover or ground above datum, millimetres.
    #[serde(default)]
    pub ground_mm: Option<i32>,
    /// The path of the entity where it is, a template.
    #[serde(default)]
    pub place: Option<String>,
    /// Globs of the entities it serves, templates.
    #[serde(default)]
    pub serves: OneOrMany,
    /// Its points.
    #[serde(default)]
    pub points: Vec<PointUse>,
    /// Its meter: the id of one of its points, or the path of a point, a template.
    #[serde(default)]
    pub meter: Option<String>,
    /// The sub-metering code of what it feeds.
    #[serde(default)]
    pub submeter: Option<String>,
    /// Its rating: kVA of a transformer, A of a circuit, m³/h of a pump.
    #[serde(default)]
    pub rating: Option<f64>,
    /// The pipe to its parent.
    #[serde(default)]
    pub pipe: Option<Pipe>,
}

/// Where points are found in the field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindRule {
    /// Globs of point paths.
    pub points: OneOrMany,
    /// Globs of point paths that are left out.
    #[serde(default)]
    pub except: OneOrMany,
    /// The MQTT topic, a template. Every rule has either this or `sparkplug`.
    #[serde(default)]
    pub topic: Option<String>,
    /// The metric of a Sparkplug B edge node, instead of a topic.
    #[serde(default)]
    pub sparkplug: Option<SparkplugSpec>,
    /// JSON pointer to the value, a template; `""`: the message is the bare value.
    #[serde(default = "pointer_value")]
    pub value: String,
    /// JSON pointer to the time; without it the time of arrival counts.
    #[serde(default)]
    pub time: Option<String>,
    /// How the time is written.
    #[serde(default)]
    pub time_format: TimeFormat,
    /// JSON pointer to the quality.
    #[serde(default)]
    pub quality: Option<String>,
    /// JSON pointer to an array of samples of the point.
    #[serde(default)]
    pub array: Option<String>,
    /// The point's value is the field's times `scale` plus `offset`.
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// The MQTT topic of commands, a template; used for points that can be commanded.
    #[serde(default)]
    pub command_topic: Option<String>,
    /// JSON pointer to the value in a command; `""`: the message is the bare value.
    #[serde(default = "pointer_value")]
    pub command_value: String,
    /// The MQTT topic of the device's last will, a template.
    #[serde(default)]
    pub presence: Option<String>,
}

/// A metric of Sparkplug B. Values, times, qualities and commands are as its specification says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SparkplugSpec {
    /// The group ID, a template.
    pub group: String,
    /// The edge node ID, a template.
    pub node: String,
    /// The device ID, a template; none for a metric of the node itself.
    #[serde(default)]
    pub device: Option<String>,
    /// The name of the metric, a template; `/` makes folders.
    #[serde(default = "metric_point")]
    pub metric: String,
}

fn metric_point() -> String {
    "{point}".to_owned()
}

fn pointer_value() -> String {
    "/value".to_owned()
}

fn one() -> f64 {
    1.0
}
