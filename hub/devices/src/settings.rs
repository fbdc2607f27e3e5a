//! What a campus may say about its simulation: the table `[simulation]` of `campus.toml`.

use std::collections::BTreeMap;

use campanile_model::{Campus, SpaceUse};
use serde::Deserialize;

use crate::DevicesError;

/// The table `[simulation]`. Every key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Mixed into the seed of the models, so that two campuses with one seed differ.
    pub seed: u64,
    /// Water that runs away unseen.
    pub leak: Option<Leak>,
    /// The terms as pairs of `MM-DD`, both days included.
    pub term: Option<Vec<[String; 2]>>,
    /// Days without school in term: `MM-DD` or `YYYY-MM-DD`.
    pub holidays: Option<Vec<String>>,
    /// Saturdays and Sundays with school: `YYYY-MM-DD`.
    pub make_up_days: Vec<String>,
    /// Persons that a space of a use is made for, where the plan doesn't say.
    pub occupancy: BTreeMap<SpaceUse, f64>,
    /// When the dormitory's circuits are off.
    pub curfew: Option<Curfew>,
    /// Air temperature from which people cool, °C.
    pub cooling_from_c: Option<f64>,
    /// Air temperature below which people heat, °C.
    pub heating_below_c: Option<f64>,
    /// What people set cooling to, °C: a room's is one of these.
    pub cooling_to_c: Vec<f64>,
    /// The share of rooms whose people leave air-conditioner and lamps on when they go, until the next round.
    pub left_on: f64,
    /// The river's tide.
    pub river: River,
    /// What the models don't know.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json_value::Any>,
}

/// A hidden leak: on the pipe below a node's meter, above the meters of its branches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leak {
    /// The node of a water network: its id or path.
    #[serde(alias = "branch")]
    pub node: String,
    /// How much is lost, m³/h.
    #[serde(default)]
    pub flow_m3_h: f64,
    /// The same in L/s; both add up.
    #[serde(default)]
    pub flow_l_s: f64,
}

impl Leak {
    /// How much is lost, m³/s.
    pub(crate) fn flow_m3_s(&self) -> f64 {
        (self.flow_m3_h / 3600.0 + self.flow_l_s / 1000.0).max(0.0)
    }
}

/// When the dormitory's circuits are off, `HH:MM` local time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Curfew {
    /// Lights out.
    pub off: String,
    /// Lights on.
    pub on: String,
}

/// How the level of a tidal river moves about the plan's `level_mm`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct River {
    /// Half the range of the principal lunar tide (M2), m.
    pub tide_m: f64,
    /// Rise by a millimetre of rain, m/mm.
    pub rise_m_per_mm: f64,
}

impl Default for River {
    fn default() -> Self {
        // Suzhou Creek behind its barrage moves by some decimetres, the Huangpu by 2 m.
        Self { tide_m: 0.35, rise_m_per_mm: 0.006 }
    }
}

/// Any value, kept only to say that it was not understood.
mod serde_json_value {
    /// Stands for a value of any shape.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Any;

    impl<'de> serde::Deserialize<'de> for Any {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            serde::de::IgnoredAny::deserialize(from).map(|_| Self)
        }
    }
}

impl Settings {
    /// Reads the table of a campus; none is all defaults.
    pub(crate) fn of(campus: &Campus) -> Result<Self, DevicesError> {
        if campus.simulation.is_null() {
            return Ok(Self::default());
        }
        Self::deserialize(&campus.simulation).map_err(|e| DevicesError::Settings(e.to_string()))
    }
}
