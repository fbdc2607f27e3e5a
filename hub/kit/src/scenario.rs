//! `campanile-plugin-test/1`: what a plugin is put through, and what is expected of it.
//!
//! A scenario is one TOML file. [`Scenario::read`] holds it against the plugin's manifest and the campus at once, so that
//! every mistake, be it of shape or of meaning, is named with its line and its mend.

use std::collections::BTreeMap;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use campanile_model::{
    Campus, Findings, Glob, Names, Place, PointId, Priority, Problems, Quality, Timestamp, Value, ValueType,
    did_you_mean, read_toml_checked,
};
use campanile_plugins::{Kind, LogLevel, Manifest};
use jiff::civil::{DateTime, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The most samples that a scenario may have, by steps and by what was before.
const MOST_SAMPLES: usize = 2_000_000;
/// The most days of a scenario.
const MOST_DAYS: f64 = 31.0;
/// The longest scenario that is driven by hand, s.
const MOST_SECONDS: f64 = MOST_DAYS * 86_400.0;

/// A whole file of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Always `campanile-plugin-test/1`.
    pub format: String,
    /// What it shows, in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// What it shows, in English.
    pub en: String,
    /// The folder of the campus, from the folder of this file; the one of `--campus`, else the demo campus, where left out.
    #[serde(default)]
    pub campus: Option<String>,
    /// When it begins, in the local time of the campus: `2026-06-24T09:15:00`.
    pub start: String,
    /// The seed of the device models; 1 where left out.
    #[serde(default = "one")]
    pub seed: u64,
    /// For how many seconds it goes on, of scenarios without `[day]`; until a minute after the last step where left out.
    #[serde(default)]
    pub duration_s: Option<f64>,
    /// Settings that differ from the manifest's, by id.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What was before the start, for plugins that read history.
    #[serde(default)]
    pub before: Vec<BeforeSpec>,
    /// What happens, by hand.
    #[serde(default)]
    pub step: Vec<StepSpec>,
    /// Days in which device models feed the world.
    #[serde(default)]
    pub day: Option<DaySpec>,
    /// What is expected.
    #[serde(default)]
    pub expect: Vec<ExpectSpec>,
}

fn one() -> u64 {
    1
}

/// Values of points before the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeforeSpec {
    /// A path or a glob.
    pub point: String,
    /// How many seconds before the start the first value was.
    pub from_s: f64,
    /// Seconds from one value to the next.
    pub every_s: f64,
    /// The values; they begin anew until the start is reached.
    pub values: Vec<Json>,
}

/// What happens at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// Seconds after the start.
    pub at_s: f64,
    /// What is measured.
    #[serde(default)]
    pub samples: Vec<SampleSpec>,
    /// Every how many seconds it is measured again, the same: a sample that nothing follows is stale after three periods
    /// of its point.
    #[serde(default)]
    pub every_s: Option<f64>,
    /// For how many seconds after `at_s`.
    #[serde(default)]
    pub for_s: Option<f64>,
    /// Alarms of the campus that change.
    #[serde(default)]
    pub alarms: Vec<AlarmSpec>,
    /// Commands of a person: who commands a point stands above the plugin.
    #[serde(default)]
    pub commands: Vec<CommandSpec>,
    /// Panels that somebody uses.
    #[serde(default)]
    pub panels: Vec<PanelSpec>,
    /// What a trial of a proposal came to; of activities.
    #[serde(default)]
    pub outcomes: Vec<OutcomeSpec>,
    /// What trainees decide; of drills.
    #[serde(default)]
    pub decisions: Vec<DecisionSpec>,
    /// How the drill stands from now on; of drills.
    #[serde(default)]
    pub situation: Option<SituationSpec>,
    /// What devices show for a while in place of what they would; of days with device models.
    #[serde(default)]
    pub holds: Vec<HoldSpec>,
}

/// What devices show for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldSpec {
    /// A path, or a glob for many points.
    pub point: String,
    /// What they show; `"same"` is what they last did, as a meter that stands still, `"silent"` nothing at all.
    pub value: Json,
    /// For how many seconds.
    pub for_s: f64,
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleSpec {
    /// A path, or a glob for many points.
    pub point: String,
    /// A number, true or false, a text, or the id of a choice, as the point has it.
    pub value: Json,
    /// How far it may be trusted: `good` where left out, `uncertain`, `bad` or `stale`.
    #[serde(default)]
    #[schemars(with = "Option<QualityName>")]
    pub quality: Quality,
}

/// The names of qualities, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum QualityName {
    Good,
    Uncertain,
    Bad,
    Stale,
}

/// An alarm that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmSpec {
    /// `PATH#RULE`, as `campanile alarms export` names them.
    pub id: String,
    /// Whether its condition holds.
    pub active: bool,
    /// Whether somebody has acknowledged it.
    #[serde(default)]
    pub acknowledged: bool,
}

/// A command of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// The path of the point.
    pub point: String,
    /// To what; let go where left out.
    #[serde(default)]
    pub value: Option<Json>,
    /// The slot, 1 to 16; 8, that of operators, where left out.
    #[serde(default = "eight")]
    pub priority: u8,
    /// Who.
    #[serde(default = "tester")]
    pub person: String,
}

fn eight() -> u8 {
    Priority::MANUAL_OPERATOR.get()
}

fn tester() -> String {
    "tester".to_owned()
}

/// Somebody uses a panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelSpec {
    /// The id of the panel.
    pub panel: String,
    /// The id of the node.
    pub node: String,
    /// Who: an account, or `CLASS/NICKNAME` of a student.
    #[serde(default = "tester")]
    pub person: String,
    /// What was entered, by field: a number, a text, true or false, or `{ choice = 0 }`.
    #[serde(default)]
    pub fields: BTreeMap<String, Json>,
}

/// What a trial came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    /// The id of the proposal.
    pub id: String,
    /// Energy with and without the changes, kWh.
    #[serde(default)]
    pub energy_kwh: [f64; 2],
    /// Comfort with and without the changes, of all hours in use.
    #[serde(default)]
    pub comfort_share: [f64; 2],
    /// Why there is none.
    #[serde(default)]
    pub failed: Option<String>,
}

/// What trainees decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionSpec {
    /// The id of the question.
    pub id: String,
    /// Which answer, from 0.
    pub answer: u32,
    /// Who.
    #[serde(default = "tester")]
    pub person: String,
}

/// How a drill stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SituationSpec {
    /// Rain of the last hour, mm.
    pub rain_1h_mm: f64,
    /// Rain of the last six hours, mm.
    pub rain_6h_mm: f64,
    /// The level of the river, m above datum.
    pub river_m: Option<f64>,
    /// The strongest level of warning that was issued.
    pub warned: Option<String>,
    /// Water in spaces, m, by a glob over their paths.
    pub depth_m: BTreeMap<String, f64>,
    /// Actions that have begun, by id.
    pub begun: Vec<String>,
    /// Actions that have had their effect, by id.
    pub done: Vec<String>,
}

/// Days with device models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DaySpec {
    /// How many, at most 31; parts of a day too.
    pub days: f64,
    /// Seconds from one look at the world to the next, 1 to 900; 60 where left out.
    #[serde(default = "sixty")]
    pub step_s: f64,
    /// Whether device models feed the world; where they don't, nothing but time and steps happens.
    #[serde(default = "yes")]
    pub devices: bool,
    /// Keys of the campus' `[simulation]` that are left out, such as `leak`.
    #[serde(default)]
    pub without: Vec<String>,
    /// Keys that replace those of the campus' `[simulation]`.
    #[serde(default)]
    pub simulation: BTreeMap<String, Json>,
}

fn sixty() -> f64 {
    60.0
}

fn yes() -> bool {
    true
}

/// What is expected: one thing, in a stretch of time, so many times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectSpec {
    /// A command.
    pub command: Option<CommandExpected>,
    /// An alarm of the plugin.
    pub alarm: Option<AlarmExpected>,
    /// A record.
    pub record: Option<RecordExpected>,
    /// A value of a derived point.
    pub derived: Option<DerivedExpected>,
    /// A line of the log.
    pub log: Option<LogExpected>,
    /// A panel that is shown.
    pub panel: Option<PanelExpected>,
    /// A mission that is offered, by its id; of activities.
    pub mission: Option<String>,
    /// Points for a person; of activities.
    pub award: Option<AwardExpected>,
    /// A proposal, by its id; of activities.
    pub proposal: Option<String>,
    /// A message to trainees that has these words in either language; of drills.
    pub told: Option<String>,
    /// An action that begins, by its id; of drills.
    pub begun: Option<String>,
    /// A question to trainees, by its id; of drills.
    pub asked: Option<String>,
    /// Something that the host denied: `true`, or words of the denial, such as `too-strong`.
    pub denial: Option<Json>,
    /// A call that broke off: `true`, or words of the failure.
    pub failure: Option<Json>,
    /// A call that ended with an error: `true`, or words of it.
    pub error: Option<Json>,
    /// How many denials there may be in the whole scenario.
    pub denials: Option<u32>,
    /// How many failures there may be in the whole scenario.
    pub failures: Option<u32>,
    /// A sum over points, compared with the same time without the plugin.
    pub total: Option<TotalExpected>,
    /// Only from so many seconds after the start.
    pub from_s: Option<f64>,
    /// Only until so many seconds after the start.
    pub to_s: Option<f64>,
    /// Only between these local times of each day, such as `["22:00", "06:00"]`.
    pub between: Option<[String; 2]>,
    /// How many times: a number, or `[least, most]`; at least once where left out.
    pub count: Option<Json>,
}

/// A command that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandExpected {
    /// A path or a glob.
    pub point: String,
    /// To what: a value, or `[lowest, highest]`; whatever where left out.
    #[serde(default)]
    pub value: Option<Json>,
    /// In which slot.
    #[serde(default)]
    pub priority: Option<u8>,
    /// That it lets go of the point.
    #[serde(default)]
    pub let_go: bool,
    /// Words of the reason.
    #[serde(default)]
    pub reason: Option<String>,
}

/// An alarm that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmExpected {
    /// The id of an `[[alarm]]` of the manifest.
    pub id: String,
    /// A path or a glob of the entity; empty is the campus itself; whichever where left out.
    #[serde(default)]
    pub entity: Option<String>,
    /// What becomes of it.
    #[serde(default)]
    pub is: AlarmTurn,
    /// Words of what people are told, in either language.
    #[serde(default)]
    pub says: Option<String>,
}

/// What becomes of an alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmTurn {
    /// It is raised.
    #[default]
    Raised,
    /// It is cleared.
    Cleared,
}

/// A record that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordExpected {
    /// The id of a `[[record]]` of the manifest.
    pub kind: String,
    /// Fields of its body: a value, or `[lowest, highest]`.
    #[serde(default)]
    pub fields: BTreeMap<String, Json>,
}

/// A derived value that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DerivedExpected {
    /// The id of a `[[derived]]` of the manifest.
    pub id: String,
    /// A path or a glob of the entity, of one that is derived for each of some; whichever where left out.
    #[serde(default)]
    pub entity: Option<String>,
    /// A number, or `[lowest, highest]`.
    #[serde(default)]
    pub value: Option<Json>,
}

/// A line of the log that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogExpected {
    /// At least so bad; whatever where left out.
    #[serde(default)]
    #[schemars(with = "Option<LevelName>")]
    pub level: Option<LogLevel>,
    /// Words of it.
    #[serde(default)]
    pub says: String,
}

/// The names of levels, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum LevelName {
    Debug,
    Info,
    Warn,
    Error,
}

/// A panel that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelExpected {
    /// The id of a `[[panel]]` of the manifest.
    pub id: String,
    /// Words that stand on it, in either language; with `node` in that.
    #[serde(default)]
    pub says: Option<String>,
    /// The id of a node that is on it.
    #[serde(default)]
    pub node: Option<String>,
    /// For whom alone it is shown; empty is the one for everybody; whichever where left out.
    #[serde(default)]
    pub person: Option<String>,
}

/// Points for a person that are expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwardExpected {
    /// The id of the mission.
    pub mission: String,
    /// Who; whoever where left out.
    #[serde(default)]
    pub person: Option<String>,
    /// How many points; whatever where left out.
    #[serde(default)]
    pub points: Option<u32>,
}

/// A sum over points that is expected. Exactly one of `energy_kwh`, `amount`, `mean` and `hours` says which points and
/// how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TotalExpected {
    /// What meters of energy counted, kWh: globs.
    pub energy_kwh: Option<Vec<String>>,
    /// What meters counted, in their unit: globs.
    pub amount: Option<Vec<String>>,
    /// The mean over time and points, in their unit: globs.
    pub mean: Option<Vec<String>>,
    /// The hours, summed over points, in which they were from `low` to `high`: globs.
    pub hours: Option<Vec<String>>,
    /// Of `hours`: the lowest value that counts.
    pub low: Option<f64>,
    /// Of `hours`: the highest value that counts.
    pub high: Option<f64>,
    /// The lowest and highest that is expected with the plugin.
    pub is: Option<[f64; 2]>,
    /// The lowest and highest change that the plugin is to make, in percent of what is without it: `[-40.0, -5.0]`.
    pub change_pct: Option<[f64; 2]>,
}

/// A scenario, held against a manifest and a campus.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its file.
    pub file: PathBuf,
    /// The name of the file without its ending.
    pub id: String,
    /// What it shows.
    pub names: Names,
    /// Where it takes place.
    pub campus: Arc<Campus>,
    /// When it begins.
    pub start: Timestamp,
    /// The seed of the device models.
    pub seed: u64,
    /// Settings that differ from the manifest's.
    pub settings: BTreeMap<String, String>,
    /// What was before, by time.
    pub before: Vec<Measured>,
    /// What happens, by time.
    pub steps: Vec<Step>,
    /// For how long it goes on, s.
    pub duration_s: f64,
    /// Seconds from one look at the world to the next.
    pub step_s: f64,
    /// Whether device models feed the world.
    pub devices: bool,
    /// What is expected.
    pub expectations: Vec<Expectation>,
}

/// A value of a point at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Which point.
    pub point: PointId,
    /// When.
    pub time: Timestamp,
    /// What.
    pub value: Value,
    /// How far it may be trusted.
    pub quality: Quality,
}

/// What happens at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What, in order.
    pub deeds: Vec<Deed>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Points are measured.
    Samples(Vec<Measured>),
    /// Alarms change.
    Alarms(Vec<AlarmSpec>),
    /// A person commands a point, or lets it go.
    Command {
        /// Which.
        point: PointId,
        /// To what.
        value: Option<Value>,
        /// In which slot.
        priority: Priority,
        /// Who.
        person: String,
    },
    /// Somebody uses a panel.
    Panel(PanelSpec),
    /// A trial has come to something.
    Outcome(OutcomeSpec),
    /// Trainees decide.
    Decision(DecisionSpec),
    /// The drill stands so from now on.
    Situation(Arc<SituationSpec>),
    /// A device shows something else for a while.
    Hold {
        /// Which point.
        point: PointId,
        /// What it shows.
        shows: Shows,
        /// Until when.
        until: Timestamp,
    },
}

/// What a device shows in place of what it would.
#[derive(Clone, Debug, PartialEq)]
pub enum Shows {
    /// What it last showed.
    TheSame,
    /// Nothing.
    Nothing,
    /// This.
    This(Value),
}

/// What is expected.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Where it stands in the file.
    pub place: Place,
    /// What.
    pub what: Expected,
    /// When.
    pub window: Window,
    /// How many times, at least and at most.
    pub count: [u32; 2],
}

/// A stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// From when.
    pub from: Option<Timestamp>,
    /// Until when, included.
    pub to: Option<Timestamp>,
    /// Between these times of each day.
    pub between: Option<[Time; 2]>,
}

/// One thing that is expected.
#[derive(Clone, Debug)]
pub enum Expected {
    /// A command.
    Command {
        /// Which points.
        points: Glob,
        /// To what.
        value: Wanted,
        /// In which slot.
        priority: Option<Priority>,
        /// That it lets go.
        let_go: bool,
        /// Words of the reason.
        reason: Option<String>,
    },
    /// An alarm.
    Alarm {
        /// Which.
        id: String,
        /// Of which entity; `Some(None)`: of the campus itself.
        entity: Option<Option<Glob>>,
        /// What becomes of it.
        is: AlarmTurn,
        /// Words.
        says: Option<String>,
    },
    /// A record.
    Record {
        /// Its kind.
        kind: String,
        /// Its fields.
        fields: BTreeMap<String, Wanted>,
    },
    /// A derived value.
    Derived {
        /// Which.
        id: String,
        /// Of which entities; `None`: whichever.
        entity: Option<Glob>,
        /// What.
        value: Wanted,
    },
    /// A line of the log.
    Log(LogExpected),
    /// A panel.
    Panel(PanelExpected),
    /// A mission.
    Mission(String),
    /// Points.
    Award(AwardExpected),
    /// A proposal.
    Proposal(String),
    /// A message.
    Told(String),
    /// An action.
    Begun(String),
    /// A question.
    Asked(String),
    /// A denial with these words.
    Denial(String),
    /// A failure with these words.
    Failure(String),
    /// An error with these words.
    Error(String),
    /// A sum.
    Total(Total),
}

/// What a value has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Whatever.
    Any,
    /// This one.
    Is(Json),
    /// A number between two, both included.
    Between(f64, f64),
}

/// A sum over points.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// Which points, as they are named.
    pub globs: Vec<String>,
    /// Which points.
    pub points: Vec<PointId>,
    /// How they are summed.
    pub of: Measure,
    /// The unit of the sum.
    pub unit: String,
    /// What it has to be with the plugin.
    pub is: Option<[f64; 2]>,
    /// By how many percent it has to differ from what is without the plugin.
    pub change_pct: Option<[f64; 2]>,
}

/// How values of points become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// What meters counted.
    Amount,
    /// The mean over time and points.
    Mean,
    /// The hours within a range.
    Hours(f64, f64),
}

impl Measure {
    /// As people call it.
    pub fn names(self) -> Names {
        match self {
            Self::Amount => Names::new("累计", "the sum"),
            Self::Mean => Names::new("平均", "the mean"),
            Self::Hours(..) => Names::new("时长", "the hours"),
        }
    }
}

impl Wanted {
    /// Whether a JSON value is so.
    pub fn fits(&self, value: &Json) -> bool {
        match self {
            Self::Any => true,
            Self::Between(low, high) => value.as_f64().is_some_and(|x| (*low..=*high).contains(&x)),
            Self::Is(wanted) => match (wanted.as_f64(), value.as_f64()) {
                (Some(a), Some(b)) => a == b,
                _ => wanted == value,
            },
        }
    }

    fn read(json: &Json) -> Result<Self, String> {
        match json {
            Json::Array(pair) => match pair.as_slice() {
                [low, high] => match (low.as_f64(), high.as_f64()) {
                    (Some(low), Some(high)) if low <= high => Ok(Self::Between(low, high)),
                    _ => Err("a range is two numbers, the lower first".to_owned()),
                },
                _ => Err("a range is two numbers, the lower first".to_owned()),
            },
            Json::Number(_) | Json::String(_) | Json::Bool(_) => Ok(Self::Is(json.clone())),
            Json::Null | Json::Object(_) => Err("a value or a range of two numbers belongs here".to_owned()),
        }
    }
}

/// A value as tests write it: a choice by its id.
pub fn json_of(campus: &Campus, point: PointId, value: &Value) -> Json {
    match value {
        Value::Number(x) => Json::from(*x),
        Value::Bool(b) => Json::from(*b),
        Value::Text(text) => Json::from(&**text),
        Value::Choice(c) => {
            let choices = campus.get_point(point).map_or(&[][..], |p| &p.choices);
            choices
                .get(usize::from(*c))
                .map_or_else(|| Json::from(*c), |choice| Json::from(choice.id.as_str()))
        }
    }
}

/// Gives the campus of a scenario by what stands in it; the words say why there is none.
pub type CampusOf<'a> = &'a dyn Fn(Option<&str>) -> Result<Arc<Campus>, String>;

impl Scenario {
    /// The format that this program reads.
    pub const FORMAT: &'static str = "campanile-plugin-test/1";

    /// Reads a scenario of a plugin.
    ///
    /// # Errors
    /// Every problem, with its line and its mend.
    pub fn read(
        file: &FsPath,
        text: &str,
        manifest: &Manifest,
        campus_of: CampusOf<'_>,
    ) -> Result<Self, Problems> {
        let mut found = None;
        read_toml_checked(file, text, |spec: &ScenarioFile, findings| {
            found = resolve(file, spec, manifest, campus_of, findings);
        })?;
        // Whatever kept it from being found has been reported.
        found.ok_or_else(|| Problems(Vec::new()))
    }

    /// Whether anything is compared with the same time without the plugin.
    pub fn compares(&self) -> bool {
        let compared =
            |e: &Expectation| matches!(&e.what, Expected::Total(total) if total.change_pct.is_some());
        self.expectations.iter().any(compared)
    }
}

struct Reader<'a, 'f> {
    spec: &'a ScenarioFile,
    manifest: &'a Manifest,
    campus: &'a Campus,
    start: Timestamp,
    findings: &'a mut Findings<'f>,
    samples: usize,
}

fn resolve(
    file: &FsPath,
    spec: &ScenarioFile,
    manifest: &Manifest,
    campus_of: CampusOf<'_>,
    findings: &mut Findings<'_>,
) -> Option<Scenario> {
    if spec.format != Scenario::FORMAT {
        let mend = format!("This program reads '{}'.", Scenario::FORMAT);
        findings.error("wrong-format", "/format", format!("the format '{}' isn't known", spec.format), mend);
    }
    for (at, name) in [("/zh-CN", &spec.zh), ("/en", &spec.en)] {
        if name.trim().is_empty() {
            let mend = "Say in a few words what the scenario shows.";
            findings.error("no-name", at, "there is no name".to_owned(), mend);
        }
    }
    let campus = match campus_of(spec.campus.as_deref()) {
        Ok(campus) => campus,
        Err(why) => {
            let mend = "Name a folder with campus.toml from the folder of this file, or leave `campus` out.";
            findings.error("no-campus", "/campus", why, mend);
            return None;
        }
    };
    for (i, key) in spec.day.iter().flat_map(|day| &day.without).enumerate() {
        let known: Vec<&str> =
            campus.simulation.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        if !known.contains(&key.as_str()) {
            let what = format!("the campus' [simulation] has no '{key}'");
            findings.error("unknown-key", &format!("/day/without/{i}"), what, did_you_mean(key, known));
        }
    }
    let campus = simulated(campus, spec.day.as_ref());
    let start = match start_of(&spec.start, &campus.timezone) {
        Ok(start) => start,
        Err(why) => {
            let mend = "Write the local time of the campus, such as 2026-06-24T09:15:00.";
            findings.error("bad-time", "/start", why, mend);
            return None;
        }
    };
    let mut reader = Reader { spec, manifest, campus: &campus, start, findings, samples: 0 };
    reader.settings();
    let before = reader.before();
    let (duration_s, step_s, devices) = reader.time();
    let steps = reader.steps(duration_s, devices);
    let expectations = reader.expectations(devices);
    let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Some(Scenario {
        file: file.to_owned(),
        id,
        names: Names::new(&spec.zh, &spec.en),
        start,
        seed: spec.seed,
        settings: spec.settings.clone(),
        before,
        steps,
        duration_s,
        step_s,
        devices,
        expectations,
        campus,
    })
}

/// The campus with another `[simulation]`, where a day asks for one.
fn simulated(campus: Arc<Campus>, day: Option<&DaySpec>) -> Arc<Campus> {
    let Some(day) = day.filter(|day| !(day.without.is_empty() && day.simulation.is_empty())) else {
        return campus;
    };
    let mut campus = Campus::clone(&campus);
    let mut keys = campus.simulation.as_object().cloned().unwrap_or_default();
    day.without.iter().for_each(|key| drop(keys.remove(key)));
    keys.extend(day.simulation.iter().map(|(key, value)| (key.clone(), value.clone())));
    campus.simulation = Json::Object(keys);
    Arc::new(campus)
}

fn start_of(text: &str, zone: &str) -> Result<Timestamp, String> {
    let local: DateTime = text.parse().map_err(|_| format!("'{text}' is no local time"))?;
    let zone = jiff::tz::TimeZone::get(zone).map_err(|_| format!("the time zone {zone} isn't known"))?;
    let moment = zone.to_ambiguous_timestamp(local).compatible().map_err(|why| why.to_string())?;
    Ok(Timestamp(moment.as_microsecond()))
}

impl Reader<'_, '_> {
    fn error(&mut self, code: &'static str, at: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.findings.error(code, at, what.into(), mend);
    }

    fn at(&self, seconds: f64) -> Timestamp {
        self.start.plus_micros((seconds * 1e6).round() as i64)
    }

    fn settings(&mut self) {
        for id in self.spec.settings.keys() {
            let known: Vec<&str> = self.manifest.setting.iter().map(|s| s.id.as_str()).collect();
            if !known.contains(&id.as_str()) {
                let what = format!("the plugin has no setting '{id}'");
                self.error("unknown-setting", &format!("/settings/{id}"), what, did_you_mean(id, known));
            }
        }
    }

    /// The points that a path or glob names.
    fn points(&mut self, at: &str, text: &str) -> Vec<PointId> {
        if let Err(why) = Glob::new(text) {
            let mend = "Write a path, or one with '*' for one part and '**' for any number.";
            self.error("bad-glob", at, why.to_string(), mend);
            return Vec::new();
        }
        let found = self.campus.points_matching(text);
        if found.is_empty() {
            let paths = self.campus.points.iter().map(|p| p.path.as_str());
            let mend = match Glob::new(text).ok().and_then(|g| g.literal().map(str::to_owned)) {
                Some(path) => did_you_mean(&path, paths),
                None => "`campanile points GLOB` lists what there is.".to_owned(),
            };
            self.error("unknown-point", at, format!("no point of the campus is '{text}'"), mend);
        }
        found
    }

    /// A glob of entities, of which there is one at least.
    fn entities(&mut self, at: &str, text: &str) -> Option<Glob> {
        let glob = match Glob::new(text) {
            Ok(glob) => glob,
            Err(why) => {
                let mend =
                    "Write the path of an entity, or one with '*' for one part and '**' for any number.";
                self.error("bad-glob", at, why.to_string(), mend);
                return None;
            }
        };
        let paths = || self.campus.entities.iter().map(|e| e.path.as_str());
        if !paths().any(|path| glob.matches(path)) {
            let mend = did_you_mean(text, paths());
            self.error("unknown-entity", at, format!("no entity of the campus is '{text}'"), mend);
        }
        Some(glob)
    }

    fn value(&mut self, at: &str, point: PointId, json: &Json) -> Option<Value> {
        let spec = self.campus.get_point(point)?;
        let value = match (spec.value_type, json) {
            (ValueType::Number, Json::Number(x)) => x.as_f64().map(Value::Number),
            (ValueType::Bool, Json::Bool(b)) => Some(Value::Bool(*b)),
            (ValueType::Text, Json::String(t)) if t.len() <= Value::MAX_TEXT => {
                Some(Value::Text(t.as_str().into()))
            }
            (ValueType::Choice, Json::String(id)) => {
                spec.choices.iter().position(|c| c.id == *id).map(|i| Value::Choice(i as u16))
            }
            _ => None,
        };
        if value.is_none() {
            let mend = match spec.value_type {
                ValueType::Number => format!("Write a number, in {}.", spec.unit),
                ValueType::Bool => "Write true or false.".to_owned(),
                ValueType::Text => format!("Write a text of at most {} bytes.", Value::MAX_TEXT),
                ValueType::Choice => {
                    let ids: Vec<&str> = spec.choices.iter().map(|c| c.id.as_str()).collect();
                    format!("Write one of: {}.", ids.join(", "))
                }
            };
            self.error("wrong-value", at, format!("{json} is no value of '{}'", spec.path.as_str()), mend);
        }
        value
    }

    fn count_samples(&mut self, at: &str, more: usize) -> bool {
        self.samples = self.samples.saturating_add(more);
        let fits = self.samples <= MOST_SAMPLES;
        if !fits {
            let mend = "Name fewer points, or values further apart.";
            self.error("too-many", at, format!("there are more than {MOST_SAMPLES} samples"), mend);
        }
        fits
    }

    fn before(&mut self) -> Vec<Measured> {
        let mut all = Vec::new();
        for (i, spec) in self.spec.before.iter().enumerate() {
            let at = format!("/before/{i}");
            let points = self.points(&format!("{at}/point"), &spec.point);
            if !(spec.from_s > 0.0 && spec.every_s > 0.0 && spec.from_s <= 400.0 * 86_400.0) {
                let mend = "`from_s` is how long before the start it began, at most 400 days, `every_s` the distance.";
                self.error("bad-time", &at, "both times have to be above 0", mend);
                continue;
            }
            if spec.values.is_empty() {
                let mend = "Give at least one.";
                self.error("no-value", &format!("{at}/values"), "there are no values", mend);
                continue;
            }
            let count = (spec.from_s / spec.every_s).ceil() as usize;
            if !self.count_samples(&at, count.saturating_mul(points.len())) {
                continue;
            }
            for point in points {
                let values: Vec<Option<Value>> = (0..spec.values.len())
                    .map(|k| self.value(&format!("{at}/values/{k}"), point, &spec.values[k]))
                    .collect();
                for k in 0..count {
                    let time = self.at(k as f64 * spec.every_s - spec.from_s);
                    if let Some(value) = values[k % values.len()].clone() {
                        all.push(Measured { point, time, value, quality: Quality::Good });
                    }
                }
            }
        }
        all.sort_by_key(|m| m.time);
        all
    }

    /// How long it goes on, s; the distance of looks, s; whether there are devices.
    fn time(&mut self) -> (f64, f64, bool) {
        let last = self.spec.step.iter().map(|s| s.at_s + s.for_s.unwrap_or(0.0)).fold(0.0, f64::max);
        match (&self.spec.day, self.spec.duration_s) {
            (Some(day), said) => {
                if said.is_some() {
                    let mend = "Leave it out: `[day] days` says it.";
                    self.error("two-times", "/duration_s", "there is a [day] and a duration", mend);
                }
                if !(day.days > 0.0 && day.days <= MOST_DAYS) {
                    let mend = format!("Give a number above 0 and at most {MOST_DAYS}.");
                    self.error("out-of-range", "/day/days", format!("{} days", day.days), mend);
                }
                if !(1.0..=900.0).contains(&day.step_s) {
                    let mend = "Give a number from 1 to 900.";
                    self.error("out-of-range", "/day/step_s", format!("{} s", day.step_s), mend);
                }
                (day.days.clamp(0.0, MOST_DAYS) * 86_400.0, day.step_s.clamp(1.0, 900.0), day.devices)
            }
            (None, said) => {
                let duration_s = said.unwrap_or(last + 60.0);
                if !(duration_s > 0.0 && duration_s <= MOST_SECONDS) {
                    let mend = format!("Give a number above 0 and at most {MOST_SECONDS}.");
                    self.error("out-of-range", "/duration_s", format!("{duration_s} s"), mend);
                }
                (duration_s.clamp(0.0, MOST_SECONDS), 1.0, false)
            }
        }
    }

    fn steps(&mut self, duration_s: f64, devices: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut last_s = 0.0;
        for (i, spec) in self.spec.step.iter().enumerate() {
            let at = format!("/step/{i}");
            if !(spec.at_s >= last_s && spec.at_s <= duration_s) {
                let mend = format!("Write steps in order, from 0 to the end at {duration_s} s.");
                self.error(
                    "bad-time",
                    &format!("{at}/at_s"),
                    format!("{} s is not in order", spec.at_s),
                    mend,
                );
                continue;
            }
            last_s = spec.at_s;
            let deeds = self.deeds(&at, spec, devices);
            let measured = deeds.iter().find_map(|deed| match deed {
                Deed::Samples(measured) => Some(measured.clone()),
                _ => None,
            });
            steps.push(Step { at: self.at(spec.at_s), deeds });
            steps.extend(self.again(&at, spec, measured.unwrap_or_default(), duration_s));
        }
        // Those of one moment stay in their order.
        steps.sort_by_key(|step| step.at);
        steps
    }

    /// The samples of a step, measured again.
    fn again(&mut self, at: &str, spec: &StepSpec, measured: Vec<Measured>, duration_s: f64) -> Vec<Step> {
        let (every_s, for_s) = match (spec.every_s, spec.for_s) {
            (None, None) => return Vec::new(),
            (Some(every_s), Some(for_s)) if every_s >= 1.0 && for_s >= every_s => (every_s, for_s),
            _ => {
                let what = "samples are measured again every `every_s` seconds for `for_s` seconds";
                let mend = "Write both, `every_s` at least 1 and `for_s` at least as much; or neither.";
                self.error("out-of-range", &format!("{at}/every_s"), what, mend);
                return Vec::new();
            }
        };
        if measured.is_empty() && !spec.samples.is_empty() {
            // What is wrong with them has been said.
            return Vec::new();
        }
        if measured.is_empty() {
            let mend = "Add `samples`, or leave `every_s` and `for_s` out.";
            self.error("out-of-range", &format!("{at}/every_s"), "the step has no samples", mend);
            return Vec::new();
        }
        let until_s = (spec.at_s + for_s).min(duration_s);
        let times = ((until_s - spec.at_s) / every_s).floor() as usize;
        if !self.count_samples(at, measured.len().saturating_mul(times)) {
            return Vec::new();
        }
        let step = |n: usize| {
            let time = self.at(spec.at_s + n as f64 * every_s);
            let measured = measured.iter().map(|one| Measured { time, ..one.clone() }).collect();
            Step { at: time, deeds: vec![Deed::Samples(measured)] }
        };
        (1..=times).map(step).collect()
    }

    fn deeds(&mut self, at: &str, spec: &StepSpec, devices: bool) -> Vec<Deed> {
        let mut deeds = Vec::new();
        if devices && !(spec.samples.is_empty() && spec.alarms.is_empty()) {
            let mend = "Leave them out, or set `[day] devices = false`.";
            self.error("devices-speak", at, "samples and alarms come from device models here", mend);
        }
        if devices && spec.situation.is_some() {
            let mend = "Leave it out, or set `[day] devices = false`.";
            self.error(
                "devices-speak",
                &format!("{at}/situation"),
                "there is no drill on a day of devices",
                mend,
            );
        }
        if let Some(situation) = &spec.situation {
            self.of_kind(&format!("{at}/situation"), Kind::Drill, "a situation");
            for glob in situation.depth_m.keys().filter(|glob| Glob::new(glob).is_err()) {
                let mend = "Write paths with '*' for one part and '**' for any number.";
                self.error("bad-glob", &format!("{at}/situation"), format!("'{glob}' is no glob"), mend);
            }
            deeds.push(Deed::Situation(Arc::new(situation.clone())));
        }
        let mut measured = Vec::new();
        for (k, sample) in spec.samples.iter().enumerate() {
            let at = format!("{at}/samples/{k}");
            let points = self.points(&format!("{at}/point"), &sample.point);
            if !self.count_samples(&at, points.len()) {
                break;
            }
            for point in points {
                let Some(value) = self.value(&format!("{at}/value"), point, &sample.value) else { break };
                measured.push(Measured { point, time: self.at(spec.at_s), value, quality: sample.quality });
            }
        }
        if !measured.is_empty() {
            deeds.push(Deed::Samples(measured));
        }
        for (k, alarm) in spec.alarms.iter().enumerate() {
            let known = self.campus.points.iter().flat_map(|point| {
                point.alarms.iter().map(move |alarm| format!("{}#{}", point.path.as_str(), alarm.id))
            });
            let known: Vec<String> = known.collect();
            if !known.contains(&alarm.id) {
                let mend = did_you_mean(&alarm.id, known.iter().map(String::as_str));
                let what = format!("the campus has no alarm '{}'", alarm.id);
                self.error("unknown-alarm", &format!("{at}/alarms/{k}/id"), what, mend);
            }
        }
        if !spec.alarms.is_empty() {
            deeds.push(Deed::Alarms(spec.alarms.clone()));
        }
        for (k, command) in spec.commands.iter().enumerate() {
            deeds.extend(self.command(&format!("{at}/commands/{k}"), command));
        }
        for (k, used) in spec.panels.iter().enumerate() {
            let at = format!("{at}/panels/{k}");
            let known = self.manifest.panel.iter().map(|p| p.id.as_str());
            self.declared(&format!("{at}/panel"), "panel", &used.panel, known.collect());
            for (field, entered) in &used.fields {
                if !is_entered(entered) {
                    let mend = "Write a number, a text, true or false, or { choice = 0 }.";
                    let what = format!("{entered} can't be entered");
                    self.error("wrong-value", &format!("{at}/fields/{field}"), what, mend);
                }
            }
            deeds.push(Deed::Panel(used.clone()));
        }
        if !devices && !spec.holds.is_empty() {
            let mend = "Give samples, or let device models feed the world by [day].";
            self.error("no-devices", &format!("{at}/holds"), "there are no devices here", mend);
        }
        for (k, hold) in spec.holds.iter().enumerate() {
            deeds.extend(self.holds(&format!("{at}/holds/{k}"), spec.at_s, hold));
        }
        for (k, outcome) in spec.outcomes.iter().enumerate() {
            self.of_kind(&format!("{at}/outcomes/{k}"), Kind::Activity, "an outcome of a trial");
            deeds.push(Deed::Outcome(outcome.clone()));
        }
        for (k, decision) in spec.decisions.iter().enumerate() {
            self.of_kind(&format!("{at}/decisions/{k}"), Kind::Drill, "a decision");
            deeds.push(Deed::Decision(decision.clone()));
        }
        deeds
    }

    fn command(&mut self, at: &str, spec: &CommandSpec) -> Option<Deed> {
        let points = self.points(&format!("{at}/point"), &spec.point);
        let point = *points.first()?;
        if points.len() > 1 || self.campus.point(point).command.is_none() {
            let mend = "Name one point that can be commanded.";
            let what = format!("'{}' is not one commandable point", spec.point);
            self.error("not-commandable", &format!("{at}/point"), what, mend);
            return None;
        }
        let Some(priority) = Priority::new(spec.priority) else {
            let mend = "Give a slot from 1 to 16.";
            self.error("out-of-range", &format!("{at}/priority"), format!("slot {}", spec.priority), mend);
            return None;
        };
        let value = match &spec.value {
            Some(json) => Some(self.value(&format!("{at}/value"), point, json)?),
            None => None,
        };
        Some(Deed::Command { point, value, priority, person: spec.person.clone() })
    }

    fn holds(&mut self, at: &str, at_s: f64, spec: &HoldSpec) -> Vec<Deed> {
        if !(spec.for_s > 0.0 && spec.for_s <= MOST_SECONDS) {
            let mend = format!("Give seconds, above 0 and at most {MOST_SECONDS}.");
            self.error("out-of-range", &format!("{at}/for_s"), format!("{} s", spec.for_s), mend);
            return Vec::new();
        }
        let until = self.at(at_s + spec.for_s);
        let points = self.points(&format!("{at}/point"), &spec.point);
        let mut deeds = Vec::new();
        for point in points {
            let shows = match spec.value.as_str() {
                Some("same") => Shows::TheSame,
                Some("silent") => Shows::Nothing,
                _ => match self.value(&format!("{at}/value"), point, &spec.value) {
                    Some(value) => Shows::This(value),
                    None => break,
                },
            };
            deeds.push(Deed::Hold { point, shows, until });
        }
        deeds
    }

    fn of_kind(&mut self, at: &str, kind: Kind, what: &str) {
        if self.manifest.kind != kind {
            let what = format!("{what} is there for another kind of plugin");
            self.error("wrong-kind", at, what, "Leave it out, or change the `kind` of plugin.toml.");
        }
    }

    fn declared(&mut self, at: &str, what: &str, id: &str, known: Vec<&str>) {
        if !known.contains(&id) {
            let found = format!("plugin.toml has no [[{what}]] '{id}'");
            self.error("not-declared", at, found, did_you_mean(id, known));
        }
    }

    fn wanted(&mut self, at: &str, json: Option<&Json>) -> Wanted {
        let Some(json) = json else { return Wanted::Any };
        match Wanted::read(json) {
            Ok(wanted) => wanted,
            Err(why) => {
                self.error("wrong-value", at, why, "Write such as 26, true, \"cool\" or [24, 28].");
                Wanted::Any
            }
        }
    }

    fn expectations(&mut self, devices: bool) -> Vec<Expectation> {
        let spec = self.spec;
        let read = spec.expect.iter().enumerate();
        read.flat_map(|(i, expect)| self.expectation(&format!("/expect/{i}"), expect, devices)).collect()
    }

    fn expectation(&mut self, at: &str, spec: &ExpectSpec, devices: bool) -> Vec<Expectation> {
        let mut all = self.named(at, spec);
        all.extend(self.counted(at, spec));
        if let Some(total) = &spec.total {
            all.extend(self.total(&format!("{at}/total"), total, devices));
            if spec.count.is_some() || spec.from_s.is_some() || spec.to_s.is_some() || spec.between.is_some()
            {
                let mend = "Leave count and times out: a total is over the whole scenario.";
                self.error("total", at, "a total has neither a count nor times", mend);
            }
        }
        let limits = [
            (spec.denials, Expected::Denial(String::new())),
            (spec.failures, Expected::Failure(String::new())),
        ];
        let window = self.window(at, spec);
        let count = self.count(&format!("{at}/count"), spec.count.as_ref());
        let place = self.findings.place(at);
        let mut found: Vec<Expectation> = limits
            .into_iter()
            .filter_map(|(limit, what)| Some((limit?, what)))
            .map(|(limit, what)| Expectation {
                place: place.clone(),
                what,
                window: window.clone(),
                count: [limit, limit],
            })
            .collect();
        match (all.len() + found.len(), all.pop()) {
            (1, Some(what)) => found.push(Expectation { place, what, window, count }),
            (1, None) => {}
            (0, _) => {
                let mend =
                    "Name one thing: command, alarm, record, derived, log, panel, denials, failures, total …";
                self.error("expects-nothing", at, "nothing is expected here", mend);
            }
            _ => {
                let mend = "Write one [[expect]] for each.";
                self.error("expects-two", at, "more than one thing is expected here", mend);
            }
        }
        found
    }

    fn named(&mut self, at: &str, spec: &ExpectSpec) -> Vec<Expected> {
        let manifest = self.manifest;
        let mut all = Vec::new();
        if let Some(command) = &spec.command {
            all.extend(self.command_expected(&format!("{at}/command"), command));
        }
        if let Some(alarm) = &spec.alarm {
            let at = format!("{at}/alarm");
            self.declared(
                &format!("{at}/id"),
                "alarm",
                &alarm.id,
                manifest.alarm.iter().map(|a| &*a.id).collect(),
            );
            let entity = alarm.entity.as_deref().map(|glob| match glob {
                "" => None,
                glob => self.entities(&format!("{at}/entity"), glob),
            });
            let (id, is, says) = (alarm.id.clone(), alarm.is, alarm.says.clone());
            all.push(Expected::Alarm { id, entity, is, says });
        }
        if let Some(record) = &spec.record {
            all.push(self.record_expected(&format!("{at}/record"), record));
        }
        if let Some(derived) = &spec.derived {
            let at = format!("{at}/derived");
            let known = manifest.derived.iter().map(|d| &*d.id).collect();
            self.declared(&format!("{at}/id"), "derived", &derived.id, known);
            let entity = derived.entity.as_deref().and_then(|g| self.entities(&format!("{at}/entity"), g));
            let value = self.wanted(&format!("{at}/value"), derived.value.as_ref());
            all.push(Expected::Derived { id: derived.id.clone(), entity, value });
        }
        if let Some(log) = &spec.log {
            all.push(Expected::Log(log.clone()));
        }
        if let Some(panel) = &spec.panel {
            let known = manifest.panel.iter().map(|p| &*p.id).collect();
            self.declared(&format!("{at}/panel/id"), "panel", &panel.id, known);
            all.push(Expected::Panel(panel.clone()));
        }
        all
    }

    fn counted(&mut self, at: &str, spec: &ExpectSpec) -> Vec<Expected> {
        let mut all = Vec::new();
        for (key, kind, found) in [
            ("mission", Kind::Activity, spec.mission.clone().map(Expected::Mission)),
            ("award", Kind::Activity, spec.award.clone().map(Expected::Award)),
            ("proposal", Kind::Activity, spec.proposal.clone().map(Expected::Proposal)),
            ("told", Kind::Drill, spec.told.clone().map(Expected::Told)),
            ("begun", Kind::Drill, spec.begun.clone().map(Expected::Begun)),
            ("asked", Kind::Drill, spec.asked.clone().map(Expected::Asked)),
        ] {
            if let Some(found) = found {
                self.of_kind(&format!("{at}/{key}"), kind, &format!("'{key}'"));
                all.push(found);
            }
        }
        for (key, words, made) in [
            ("denial", &spec.denial, Expected::Denial as fn(String) -> Expected),
            ("failure", &spec.failure, Expected::Failure),
            ("error", &spec.error, Expected::Error),
        ] {
            match words {
                None => {}
                Some(Json::Bool(true)) => all.push(made(String::new())),
                Some(Json::String(words)) => all.push(made(words.clone())),
                Some(other) => {
                    let mend = "Write true, or words of it. For none write `count = 0`.";
                    self.error("wrong-value", &format!("{at}/{key}"), format!("{other} is no words"), mend);
                }
            }
        }
        all
    }

    fn command_expected(&mut self, at: &str, spec: &CommandExpected) -> Option<Expected> {
        let found = self.points(&format!("{at}/point"), &spec.point);
        let points = Glob::new(&spec.point).ok()?;
        if !found.is_empty() && !found.iter().any(|p| self.campus.point(*p).command.is_some()) {
            let what = format!("no point of '{}' can be commanded", spec.point);
            self.error("not-commandable", &format!("{at}/point"), what, "Name points that can be commanded.");
        }
        if spec.let_go && spec.value.is_some() {
            let mend = "Leave one of them out.";
            self.error("expects-two", at, "it can't be commanded and let go at once", mend);
        }
        let priority = spec.priority.and_then(Priority::new);
        if spec.priority.is_some() && priority.is_none() {
            self.error(
                "out-of-range",
                &format!("{at}/priority"),
                "there is no such slot",
                "Give a slot from 1 to 16.",
            );
        }
        let value = self.wanted(&format!("{at}/value"), spec.value.as_ref());
        Some(Expected::Command { points, value, priority, let_go: spec.let_go, reason: spec.reason.clone() })
    }

    fn record_expected(&mut self, at: &str, spec: &RecordExpected) -> Expected {
        let manifest = self.manifest;
        let known = manifest.record.iter().map(|r| &*r.id).collect();
        self.declared(&format!("{at}/kind"), "record", &spec.kind, known);
        let declared = manifest.record.iter().find(|r| r.id == spec.kind);
        let mut fields = BTreeMap::new();
        for (name, json) in &spec.fields {
            let at = format!("{at}/fields/{name}");
            if let Some(declared) = declared.filter(|r| !r.fields.contains_key(name)) {
                let what = format!("records '{}' have no field '{name}'", spec.kind);
                self.error(
                    "not-declared",
                    &at,
                    what,
                    did_you_mean(name, declared.fields.keys().map(|k| &**k)),
                );
            }
            fields.insert(name.clone(), self.wanted(&at, Some(json)));
        }
        Expected::Record { kind: spec.kind.clone(), fields }
    }

    fn total(&mut self, at: &str, spec: &TotalExpected, devices: bool) -> Option<Expected> {
        let (low, high) = (spec.low.unwrap_or(f64::NEG_INFINITY), spec.high.unwrap_or(f64::INFINITY));
        let kinds = [
            ("energy_kwh", &spec.energy_kwh, Measure::Amount),
            ("amount", &spec.amount, Measure::Amount),
            ("mean", &spec.mean, Measure::Mean),
            ("hours", &spec.hours, Measure::Hours(low, high)),
        ];
        let mut said = kinds.into_iter().filter_map(|(key, globs, of)| Some((key, globs.as_ref()?, of)));
        let (Some((key, globs, of)), None) = (said.next(), said.next()) else {
            let mend = "Write one of energy_kwh, amount, mean and hours, with globs of points.";
            self.error("total", at, "a total is of one thing", mend);
            return None;
        };
        if spec.is.is_none() && spec.change_pct.is_none() {
            let mend = "Write `is = [low, high]`, `change_pct = [low, high]`, or both.";
            self.error("expects-nothing", at, "nothing is expected of the total", mend);
        }
        if spec.change_pct.is_some() && !devices {
            let mend = "Leave it out, or let device models feed the world by [day].";
            let what = "without device models a plugin changes nothing that is measured";
            self.error("total", &format!("{at}/change_pct"), what, mend);
        }
        for (name, range) in [("is", spec.is), ("change_pct", spec.change_pct)] {
            if range.is_some_and(|[low, high]| low.is_nan() || high.is_nan() || low > high) {
                self.error(
                    "bad-range",
                    &format!("{at}/{name}"),
                    "the range is empty",
                    "Write the lower number first.",
                );
            }
        }
        if (spec.low.is_some() || spec.high.is_some()) && key != "hours" {
            self.error(
                "total",
                at,
                "`low` and `high` belong to `hours`",
                "Leave them out, or count `hours`.",
            );
        }
        let mut points = Vec::new();
        for (i, glob) in globs.iter().enumerate() {
            points.extend(self.points(&format!("{at}/{key}/{i}"), glob));
        }
        points.sort_unstable();
        points.dedup();
        let units: Vec<&str> = points.iter().map(|p| self.campus.point(*p).unit.as_str()).collect();
        let (of, unit) = match key {
            "energy_kwh" => (of, "kWh".to_owned()),
            "hours" => (of, "h".to_owned()),
            _ => (of, units.first().copied().unwrap_or_default().to_owned()),
        };
        let odd = match key {
            "energy_kwh" => units.iter().find(|unit| **unit != "kW.h"),
            "amount" | "mean" => units.iter().find(|other| **other != unit),
            _ => None,
        };
        if let Some(odd) = odd {
            let what = format!("points in '{odd}' can't be summed as '{unit}'");
            self.error("mixed-units", &format!("{at}/{key}"), what, "Name points of one unit.");
        }
        let globs = globs.clone();
        Some(Expected::Total(Total { globs, points, of, unit, is: spec.is, change_pct: spec.change_pct }))
    }

    fn window(&mut self, at: &str, spec: &ExpectSpec) -> Window {
        let mut moment = |key: &str, seconds: Option<f64>| {
            let seconds = seconds?;
            if !seconds.is_finite() {
                self.error(
                    "bad-time",
                    &format!("{at}/{key}"),
                    "it is no time",
                    "Give seconds after the start.",
                );
                return None;
            }
            Some(self.at(seconds))
        };
        let (from, to) = (moment("from_s", spec.from_s), moment("to_s", spec.to_s));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            self.error("bad-time", at, "it ends before it begins", "Write `from_s` below `to_s`.");
        }
        let between = spec.between.as_ref().and_then(|texts| {
            let mut read = |i: usize| {
                let time = format!("{}:00", texts[i]).parse::<Time>();
                if time.is_err() {
                    let what = format!("'{}' is no time of day", texts[i]);
                    self.error("bad-time", &format!("{at}/between/{i}"), what, "Write such as \"22:00\".");
                }
                time.ok()
            };
            let times = [read(0), read(1)];
            Some([times[0]?, times[1]?])
        });
        Window { from, to, between }
    }

    fn count(&mut self, at: &str, json: Option<&Json>) -> [u32; 2] {
        let number = |json: &Json| json.as_u64().and_then(|n| u32::try_from(n).ok());
        let read = match json {
            None => Some([1, u32::MAX]),
            Some(Json::Array(pair)) => match pair.as_slice() {
                [least, most] => number(least).zip(number(most)).map(|(a, b)| [a, b]),
                _ => None,
            },
            Some(one) => number(one).map(|n| [n, n]),
        };
        match read.filter(|[least, most]| least <= most) {
            Some(count) => count,
            None => {
                self.error("wrong-value", at, "it is no count", "Write a whole number, or [least, most].");
                [0, u32::MAX]
            }
        }
    }
}

fn is_entered(json: &Json) -> bool {
    match json {
        Json::Number(_) | Json::String(_) | Json::Bool(_) => true,
        Json::Object(map) => map.len() == 1 && map.get("choice").is_some_and(Json::is_u64),
        Json::Null | Json::Array(_) => false,
    }
}

impl Window {
    /// Whether a moment is in it.
    pub fn has(&self, at: Timestamp, zone: &jiff::tz::TimeZone) -> bool {
        if self.from.is_some_and(|from| at < from) || self.to.is_some_and(|to| at > to) {
            return false;
        }
        let Some([from, to]) = self.between else { return true };
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.0) else { return false };
        let time = zone.to_datetime(moment).time();
        // A stretch may go past midnight.
        if from <= to { (from..=to).contains(&time) } else { time >= from || time <= to }
    }
}
