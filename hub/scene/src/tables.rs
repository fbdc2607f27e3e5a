//! The tables that come with the crate: figures from handbooks and standards, as data that a school may change.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Why an engine's input can't be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// A table isn't TOML of the right shape.
    #[error("the table '{table}' can't be read: {why}; compare with the one that is shipped")]
    Table {
        /// Which.
        table: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is nothing to compute on.
    #[error(
        "the campus {0} has no boundary, building, water or terrain: there is no ground to flood; draw one"
    )]
    NoGround(String),
    /// The grid would have too many cells.
    #[error(
        "the campus is {width_m:.0} × {depth_m:.0} m: with cells of {cell_m} m that is over {most} cells; take a coarser cell"
    )]
    TooManyCells {
        /// From west to east, m.
        width_m: f64,
        /// From south to north, m.
        depth_m: f64,
        /// The side of a cell, m.
        cell_m: f64,
        /// The most that is allowed.
        most: usize,
    },
    /// A cell's side isn't usable.
    #[error("a cell of {0} m isn't usable: give 0.25 to 50 m")]
    Cell(f64),
    /// There is no design storm of this name.
    #[error("there is no design storm '{0}'; rain.toml has {1}")]
    Storm(String, String),
    /// A storm's return period, duration or step isn't usable.
    #[error(
        "a storm of {years} years and {minutes} min in steps of {step_s} s isn't usable: 1 to 1000 years, 5 to 2880 min, steps of 1 s to a tenth of the storm"
    )]
    StormShape {
        /// Return period.
        years: f64,
        /// Duration.
        minutes: f64,
        /// Step.
        step_s: f64,
    },
}

fn parse<T: serde::de::DeserializeOwned>(table: &'static str, text: &str) -> Result<T, InputError> {
    toml::from_str(text)
        .map_err(|e: toml::de::Error| InputError::Table { table, why: e.message().to_owned() })
}

/// `data/flood.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloodTables {
    /// Manning's n by cover, kind of green, `water` and `other`, s/m^(1/3).
    pub roughness: BTreeMap<String, f64>,
    /// An inlet of a road.
    pub inlet: InletTable,
    /// Shut openings.
    pub openings: OpeningTable,
    /// Pumps without a rating.
    pub pump: PumpTable,
}

/// An inlet of a road.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InletTable {
    /// The edge over which water falls in, m.
    pub perimeter_m: f64,
    /// The free area, m².
    pub area_m2: f64,
}

/// What shut openings let through.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningTable {
    /// Share of the width of a shut door.
    pub shut_door_leak: f64,
    /// Share of the width of a shut window.
    pub shut_window_leak: f64,
    /// Windows with a sill below this height over the floor count, m.
    pub window_sill_below_m: f64,
}

/// Pumps without a rating.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PumpTable {
    /// Of a sump, m³/h.
    pub sump_m3_h: f64,
}

impl FloodTables {
    /// The table that is shipped.
    ///
    /// # Errors
    /// [`InputError::Table`], which a test rules out.
    pub fn shipped() -> Result<Self, InputError> {
        Self::parse(include_str!("../data/flood.toml"))
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`InputError::Table`] where it isn't of the shape of the shipped one.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        parse("flood.toml", text)
    }
}

/// `data/people.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleTables {
    /// Kinds of people; one is `adult`.
    pub profile: Vec<ProfileTable>,
    /// From when people are told until they set off, s, by `class`, `staff`, `kitchen`, `sleeping`.
    pub premovement_s: BTreeMap<String, [f64; 2]>,
    /// How many staff there are.
    pub staff: StaffTable,
    /// The share of those whom a room of staff is made for, by use.
    pub staff_share: BTreeMap<String, f64>,
}

/// How many staff there are.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffTable {
    /// Staff, teachers among them, to each pupil.
    pub per_pupil: f64,
    /// Teachers with each class.
    pub per_class: u32,
}

/// A kind of people.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileTable {
    /// Its name.
    pub id: String,
    /// The first and last grade of pupils of this kind.
    #[serde(default)]
    pub grades: Option<[u32; 2]>,
    /// Mean, standard deviation, least, most, m/s.
    pub speed_m_s: [f64; 4],
    /// Of the body, m.
    pub radius_m: f64,
    /// Up and down, as shares of the speed on the level.
    pub stairs: [f64; 2],
}

impl PeopleTables {
    /// The table that is shipped.
    ///
    /// # Errors
    /// [`InputError::Table`], which a test rules out.
    pub fn shipped() -> Result<Self, InputError> {
        Self::parse(include_str!("../data/people.toml"))
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`InputError::Table`] where it isn't of the shape of the shipped one.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        parse("people.toml", text)
    }
}

/// The constants of one city's design storm: `q = a (1 + c lg P) / (t + b)^n` in L/(s·hm²).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormTable {
    /// Intensity.
    pub a: f64,
    /// Growth with the return period.
    pub c: f64,
    /// Minutes added to the duration.
    pub b: f64,
    /// Decay with the duration.
    pub n: f64,
    /// Where the peak lies, as a share of the duration.
    pub r: f64,
}

impl StormTable {
    /// The table that is shipped, by the name of a city.
    ///
    /// # Errors
    /// [`InputError::Storm`] where there is none of that name.
    pub fn shipped(city: &str) -> Result<Self, InputError> {
        Self::parse(include_str!("../data/rain.toml"), city)
    }

    /// Reads one of a file of tables.
    ///
    /// # Errors
    /// [`InputError::Table`] or [`InputError::Storm`].
    pub fn parse(text: &str, city: &str) -> Result<Self, InputError> {
        let all: BTreeMap<String, Self> = parse("rain.toml", text)?;
        let known = || all.keys().cloned().collect::<Vec<_>>().join(", ");
        all.get(city).copied().ok_or_else(|| InputError::Storm(city.to_owned(), known()))
    }
}
