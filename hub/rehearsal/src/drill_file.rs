//! `drill.toml` as written. `docs/drills.md` explains it to who writes one.

use campanile_model::Names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A whole `drill.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillFile {
    /// Always `campanile-drill/1`.
    pub format: String,
    /// The id of the drill: lower-case letters, digits and `-`.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// What happens and what is practised, a few sentences.
    pub summary: Names,
    /// When it begins, local time of the campus, `YYYY-MM-DDTHH:MM`.
    pub start: String,
    /// How long it lasts, minutes.
    pub duration_min: f64,
    /// The seed of all draws, where none is given at the start.
    #[serde(default)]
    pub seed: u64,
    /// The seconds between two barriers, at which everything is brought together; 1 where left out.
    #[serde(default = "one")]
    pub barrier_s: f64,
    /// A design storm.
    #[serde(default)]
    pub storm: Option<StormSpec>,
    /// Rain as it fell: corners of minutes and mm/h, in place of a design storm.
    #[serde(default)]
    pub rain: Vec<[f64; 2]>,
    /// A water of the plan whose level is imposed.
    #[serde(default)]
    pub river: Option<RiverSpec>,
    /// The flood engine; without it no water flows.
    #[serde(default)]
    pub flood: Option<FloodSpec>,
    /// The crowd engine; without it nobody walks.
    #[serde(default)]
    pub crowd: Option<CrowdSpec>,
    /// The levels of warning, the weakest first.
    #[serde(default)]
    pub level: Vec<LevelSpec>,
    /// Who acts.
    #[serde(default)]
    pub role: Vec<RoleSpec>,
    /// What can be done.
    #[serde(default)]
    pub action: Vec<ActionSpec>,
    /// What happens by itself.
    #[serde(default)]
    pub event: Vec<EventSpec>,
    /// What is done when nobody has done it: the players that stand in for people.
    #[serde(default)]
    pub default: Vec<DefaultSpec>,
    /// What counts.
    #[serde(default)]
    pub objective: Vec<ObjectiveSpec>,
}

fn one() -> f64 {
    1.0
}

impl DrillFile {
    /// The format that this program reads.
    pub const FORMAT: &'static str = "campanile-drill/1";
}

/// A design storm of a city's formula, with the peak where the hyetograph of Chicago puts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StormSpec {
    /// Which formula of the table of design storms, such as `shanghai`.
    pub formula: String,
    /// Once in how many years.
    pub return_period_a: f64,
    /// How long it rains, minutes.
    pub duration_min: f64,
    /// When it begins, minutes from the start.
    #[serde(default)]
    pub begins_min: f64,
}

/// The level of a water of the plan over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiverSpec {
    /// The id of the water in the plan.
    pub water: String,
    /// Corners of minutes from the start and metres above datum, ascending; linear between.
    pub level_m: Vec<[f64; 2]>,
}

/// How the flood is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FloodSpec {
    /// The side of a cell, m; 2 where left out.
    #[serde(default = "two")]
    pub cell_m: f64,
    /// How far beyond the campus the ground belongs to it, as far as the terrain is known, m; 20 where left out.
    #[serde(default = "twenty")]
    pub margin_m: f64,
}

fn twenty() -> f64 {
    20.0
}

fn two() -> f64 {
    2.0
}

/// Who is on the campus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrowdSpec {
    /// What the school does; by the local time of the start where left out.
    #[serde(default)]
    pub hour: Option<HourSpec>,
    /// How many staff there are with the teachers; by the pupils where left out.
    #[serde(default)]
    pub staff: Option<u32>,
}

/// What a school does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HourSpec {
    /// Every class in its room.
    Lesson,
    /// A third of the classes in the dining halls.
    Lunch,
    /// Every class outdoors.
    SportsBreak,
    /// Boarders in bed.
    Night,
}

impl From<HourSpec> for campanile_scene::Hour {
    fn from(hour: HourSpec) -> Self {
        match hour {
            HourSpec::Lesson => Self::Lesson,
            HourSpec::Lunch => Self::Lunch,
            HourSpec::SportsBreak => Self::SportsBreak,
            HourSpec::Night => Self::Night,
        }
    }
}

/// A level of warning: data, to be checked against the current standard of the place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelSpec {
    /// Its id, such as `yellow`.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// Its colour, `#rrggbb`.
    pub colour: String,
    /// The rain that calls for it: in one hour, mm.
    #[serde(default)]
    pub rain_1h_mm: Option<f64>,
    /// In six hours, mm.
    #[serde(default)]
    pub rain_6h_mm: Option<f64>,
    /// What a school does then.
    pub measures: Vec<Names>,
}

/// Who acts: a role with the people that it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// How many people it has; work takes some of them until it is done.
    pub people: u32,
}

/// What can be done, once or again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// Who does it.
    pub role: String,
    /// How many of them it takes.
    #[serde(default)]
    pub people: u32,
    /// For how many minutes, until it has its effect.
    #[serde(default)]
    pub minutes: f64,
    /// What it does.
    pub effect: Effect,
}

/// The effect of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// A warning is issued.
    Warn {
        /// Which level.
        level: String,
    },
    /// Points are commanded, as an operator would: barriers, pumps.
    Command {
        /// Which, as globs over paths.
        points: Vec<String>,
        /// To what: true or false, a number, or a choice.
        value: serde_json::Value,
    },
    /// The supply of boards or circuits is cut or given back.
    Power {
        /// Which nodes of the electricity network, as globs over paths.
        nodes: Vec<String>,
        /// Whether there is supply afterwards.
        on: bool,
    },
    /// Groups of people are sent to the nearest of some goals.
    Send {
        /// Which, as globs over the paths of their rooms.
        groups: Vec<String>,
        /// Where to, as globs over the paths of goals: assembly points, gates, storeys.
        to: Vec<String>,
    },
    /// Groups stay where they are.
    Hold {
        /// Which, as globs over the paths of their rooms.
        groups: Vec<String>,
    },
}

/// A condition: all that is given has to hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// So many minutes have passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_min: Option<f64>,
    /// In the last hour it has rained so much, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rain_1h_mm: Option<f64>,
    /// In the last six hours it has rained so much, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rain_6h_mm: Option<f64>,
    /// The river stands so high, m above datum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub river_m: Option<f64>,
    /// Water stands somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub water: Option<WaterAt>,
    /// This level of warning, or a stronger one, has been issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
    /// This action has had its effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// Nobody has begun this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_begun: Option<String>,
}

/// Water in rooms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaterAt {
    /// Which, as globs over their paths.
    pub spaces: Vec<String>,
    /// At least so deep in one of them, m.
    pub depth_m: f64,
}

/// What happens by itself: once, when its condition first holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// Its id.
    pub id: String,
    /// When.
    pub when: When,
    /// Who speaks: a role, or `bureau`, `parents` or the like.
    #[serde(default)]
    pub from: Option<Names>,
    /// What trainees are told.
    pub message: Names,
    /// Actions that begin with it.
    #[serde(default)]
    pub begin: Vec<String>,
}

/// What is done when nobody has done it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultSpec {
    /// Which action.
    pub action: String,
    /// When.
    pub when: When,
}

/// What counts, and how it is judged: full points at `good` and better, none at `bad` and worse, linear between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// What is measured.
    pub measure: Measure,
    /// The measure that earns all points.
    pub good: f64,
    /// The measure that earns none.
    pub bad: f64,
    /// How many points.
    pub points: f64,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "of", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// The most water that stood in rooms at once, m³.
    WaterIn {
        /// Which, as globs over their paths.
        spaces: Vec<String>,
    },
    /// People who were at any time in water of at least this hazard (DEFRA FD2320: depth × (speed + 0.5)).
    Exposed {
        /// The hazard: 0.75 moderate, 1.25 significant, 2 extreme.
        hazard: f64,
    },
    /// Minutes that people have stood or walked in water at least so deep, summed over people.
    PersonMinutes {
        /// The depth, m.
        depth_m: f64,
    },
    /// Minutes that rooms stood in water while their supply was on.
    LiveInWater {
        /// Which, as globs over their paths.
        spaces: Vec<String>,
        /// At least so deep, m.
        depth_m: f64,
    },
    /// When an action had its effect, minutes from the start; never is the whole drill.
    Done {
        /// Which.
        action: String,
    },
    /// How many minutes after a condition first held an action had its effect; before it is 0, never the whole drill.
    DoneAfter {
        /// Which.
        action: String,
        /// The condition.
        when: When,
    },
}
