//! Plugins over HTTP and on a WebSocket: which there are, what each may do, and the panels that they show.

use std::collections::BTreeMap;

use campanile_model::{Names, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The answer of `GET /api/v1/plugins`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginsAnswer {
    /// By id.
    pub plugins: Vec<PluginInfo>,
}

/// A plugin of the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginInfo {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// What it does.
    #[schema(value_type = Object)]
    pub summary: Names,
    /// Who made it.
    pub vendor: String,
    /// `rule`, `activity` or `drill`.
    pub kind: String,
    /// The version that is approved; absent where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The versions that lie in the hub, the newest first.
    pub versions: Vec<PluginVersion>,
    /// How it is.
    pub state: PluginState,
    /// What it may do, as approved, in plain words.
    #[schema(value_type = Vec<Object>)]
    pub may: Vec<Names>,
    /// What it asks for, in plain words; of the newest version where none is approved.
    #[schema(value_type = Vec<Object>)]
    pub asks: Vec<Names>,
    /// Its settings.
    pub settings: Vec<PluginSetting>,
    /// The panels that it may show.
    pub panels: Vec<PanelInfo>,
    /// The file of its script, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Whether it has an icon.
    pub icon: bool,
    /// What it has done since the hub began.
    pub work: PluginWork,
}

/// A version of a plugin that lies in the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginVersion {
    /// The version.
    pub version: String,
    /// The hash of its package, BLAKE3 in hexadecimal.
    pub package: String,
    /// The name of the trusted key that signed it; absent where it is unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Its size, bytes.
    pub bytes: u64,
    /// What it asks for, in plain words.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub asks: Vec<Names>,
    /// The same as `[capability]` of its manifest.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub capability: serde_json::Value,
    /// Why it can't be used, where it can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// How a plugin is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum PluginState {
    /// Nobody has approved it yet.
    NotApproved,
    /// It works.
    Working,
    /// It has failed and is tried again at a time.
    Resting {
        /// When, microseconds UTC.
        until_us: i64,
        /// Why.
        why: String,
    },
    /// It has failed too often: a person has to look at it.
    Down {
        /// Why.
        why: String,
    },
    /// A person has stopped it.
    Stopped,
    /// It can't be begun.
    Broken {
        /// Why, and how to mend it.
        why: String,
    },
}

/// What a plugin has done since the hub began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginWork {
    /// Calls.
    pub calls: u64,
    /// Calls that broke off.
    pub failures: u64,
    /// How long calls took together, seconds.
    pub busy_s: f64,
    /// How long the longest took, milliseconds.
    pub longest_ms: f64,
    /// Commands that the world took.
    pub commands: u64,
    /// Bytes in its store.
    pub stored_bytes: u64,
}

/// A setting of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginSetting {
    /// Its id.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// What it is.
    pub value: String,
    /// What it is until somebody changes it.
    pub default: String,
}

/// A panel that a plugin may show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PanelInfo {
    /// Its id.
    pub id: String,
    /// Its title.
    #[schema(value_type = Object)]
    pub names: Names,
}

/// How a package is sent: the body is the package itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct PackageQuery {
    /// Whether it is taken without the signature of a trusted key; absent: no.
    #[serde(default)]
    pub unsigned: bool,
}

/// A package that lies in the hub now. It does nothing before it is approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PackageAnswer {
    /// The id of the plugin.
    pub id: String,
    /// Its names.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Which version.
    pub version: PluginVersion,
    /// What it asks for, in plain words.
    #[schema(value_type = Vec<Object>)]
    pub asks: Vec<Names>,
    /// What it asks for that the approved version may not do yet, in plain words.
    #[schema(value_type = Vec<Object>)]
    pub asks_more: Vec<Names>,
}

/// Approves a version of a plugin: from now on it works, with just what is granted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovePlugin {
    /// The id of the plugin.
    pub plugin: String,
    /// The version; an older one is a roll-back.
    pub version: String,
    /// The hash of the package that was seen; another one is not approved.
    pub package: String,
    /// What is granted, as `[capability]` of a manifest; absent: what was granted before, or, the first time, all that it
    /// asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub capability: Option<serde_json::Value>,
    /// Settings that differ from the manifest's.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Why; at most 500 bytes.
    #[serde(default)]
    pub reason: String,
}

/// Names a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginRequest {
    /// Its id.
    pub plugin: String,
    /// Of a removal the version; absent: all, with what the plugin remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why; at most 500 bytes.
    #[serde(default)]
    pub reason: String,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginAnswer {
    /// Whether the hub begins anew first, by itself and within seconds: the points of the campus are others now.
    pub restarts: bool,
}

/// The panels of which world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct PanelsQuery {
    /// The id of a rehearsal; absent: the live world.
    #[serde(default)]
    pub world: Option<String>,
}

/// Changes settings of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginSettings {
    /// Its id.
    pub plugin: String,
    /// The new values, by id.
    pub settings: BTreeMap<String, String>,
    /// Why; at most 500 bytes.
    #[serde(default)]
    pub reason: String,
}

/// Of which plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct PluginQuery {
    /// Its id.
    pub plugin: String,
}

/// Which lines of a plugin's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
pub struct PluginLogsQuery {
    /// Its id.
    pub plugin: String,
    /// The most lines, 1 to 1,000; absent: 200.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only lines behind this number; absent: the newest.
    #[serde(default)]
    pub after: Option<u64>,
}

/// Lines of a plugin's log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginLogs {
    /// The oldest first.
    pub lines: Vec<PluginLogLine>,
}

/// A line of a plugin's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginLogLine {
    /// Its number since the hub began.
    pub number: u64,
    /// When, microseconds UTC.
    pub time_us: i64,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What.
    pub text: String,
}

/// The keys whose packages are taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct TrustAnswer {
    /// By name.
    pub keys: Vec<TrustedKey>,
}

/// A key whose packages are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct TrustedKey {
    /// Whose it is.
    pub name: String,
    /// Ed25519, hexadecimal.
    pub key: String,
}

/// Trusts a key, or no longer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustRequest {
    /// Whose it is.
    pub name: String,
    /// Ed25519, hexadecimal; absent: it is trusted no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why; at most 500 bytes.
    #[serde(default)]
    pub reason: String,
}

/// The script of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PluginScript {
    /// The id of the plugin.
    pub plugin: String,
    /// The file.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The last error that it ended with, with its place where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ScriptError>,
}

/// An error of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ScriptError {
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// Puts a new text in place of a script: approved with what the plugin may do now, and begun at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeScript {
    /// The id of the plugin.
    pub plugin: String,
    /// The new text; at most 64 KiB.
    pub text: String,
    /// Only try whether it would start; nothing is changed.
    #[serde(default)]
    pub check_only: bool,
    /// Why; at most 500 bytes.
    #[serde(default)]
    pub reason: String,
}

/// What a new text of a script came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ScriptAnswer {
    /// Why it would not start; nothing has changed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ScriptError>,
}

/// The panels of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PanelsAnswer {
    /// By plugin and panel.
    pub panels: Vec<PanelShown>,
}

/// A panel as its plugin shows it: a tree, as a list in which parents come before their children.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PanelShown {
    /// The id of the plugin.
    pub plugin: String,
    /// The id of the panel.
    pub panel: String,
    /// Its title.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Whose view it is; absent: everybody's who has none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Since when, microseconds UTC.
    pub time_us: i64,
    /// The nodes; none: the panel is gone.
    pub nodes: Vec<PanelNode>,
}

/// A node of a panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct PanelNode {
    /// Names it in events.
    pub id: String,
    /// The index of the node that it is in; absent: it holds all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// What it is.
    #[serde(flatten)]
    pub content: PanelContent,
}

/// A colour by its meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// As all text.
    #[default]
    Plain,
    /// To be noticed.
    Accent,
    /// As it should be.
    Good,
    /// To be looked at.
    Caution,
    /// Wrong.
    Danger,
}

/// What a node of a panel is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum PanelContent {
    /// Its children below each other.
    Column,
    /// Its children beside each other.
    Row,
    /// Words.
    Text {
        /// The words.
        #[schema(value_type = Object)]
        words: Names,
        /// Their colour.
        tone: Tone,
    },
    /// A point's value, alive.
    Value {
        /// Its path.
        #[schema(value_type = String)]
        point: Path,
    },
    /// A number in its range.
    Gauge {
        /// What it is.
        #[schema(value_type = Object)]
        words: Names,
        /// The number.
        value: f64,
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
        /// The unit, UCUM.
        unit: String,
    },
    /// Lines over time.
    Chart {
        /// The lines.
        lines: Vec<ChartLine>,
        /// The unit, UCUM.
        unit: String,
    },
    /// A head and rows of as many cells.
    Table {
        /// The head.
        #[schema(value_type = Vec<Object>)]
        head: Vec<Names>,
        /// The rows.
        #[schema(value_type = Vec<Vec<Object>>)]
        rows: Vec<Vec<Names>>,
    },
    /// Fields that are sent together.
    Form {
        /// The fields.
        fields: Vec<FormField>,
        /// The words of its button.
        #[schema(value_type = Object)]
        words: Names,
    },
    /// A button.
    Button {
        /// Its words.
        #[schema(value_type = Object)]
        words: Names,
        /// Its colour.
        tone: Tone,
    },
    /// Colours places on the map.
    MapLayer {
        /// The places.
        marks: Vec<MapMark>,
    },
    /// A question.
    Quiz {
        /// The question.
        #[schema(value_type = Object)]
        question: Names,
        /// The answers.
        #[schema(value_type = Vec<Object>)]
        answers: Vec<Names>,
    },
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ChartLine {
    /// What it is.
    #[schema(value_type = Object)]
    pub names: Names,
    /// Microseconds UTC and value.
    #[schema(value_type = Vec<Vec<f64>>)]
    pub dots: Vec<(i64, f64)>,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct FormField {
    /// Names what was entered.
    pub id: String,
    /// What it is.
    #[schema(value_type = Object)]
    pub names: Names,
    /// What can be entered.
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// What can be entered in a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "enter", rename_all = "kebab-case")]
pub enum FieldKind {
    /// A number.
    Number {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
        /// What stands there first.
        first: f64,
    },
    /// A text.
    Text {
        /// Its most bytes.
        most: u32,
    },
    /// One of some.
    Choice {
        /// Which.
        #[schema(value_type = Vec<Object>)]
        choices: Vec<Names>,
    },
    /// Yes or no.
    Toggle {
        /// What it is first.
        first: bool,
    },
}

/// A place in a colour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct MapMark {
    /// The path of the entity.
    pub path: String,
    /// Its colour.
    pub tone: Tone,
    /// What is said under the pointer.
    #[schema(value_type = Object)]
    pub words: Names,
}

/// Somebody uses a panel: a button, an answer of a quiz (`answer`, a choice) or a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsePanel {
    /// The world; absent: the live one, else the id of a rehearsal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// The id of the plugin.
    pub plugin: String,
    /// The id of the panel.
    pub panel: String,
    /// The id of the node.
    pub node: String,
    /// What was entered, by the ids of the fields.
    #[serde(default)]
    pub fields: BTreeMap<String, Entered>,
}

/// What was entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Entered {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// The index of one of some.
    Choice(u32),
    /// Yes or no.
    Toggle(bool),
}
