//! `plan.json` as written: the geometry of a campus in integer millimetres.
//!
//! Lengths are millimetres in `i32` (so at most 2 147 km), `x` points to the local east and `y` to
//! the local north (turn by [`Site::bearing_deg`] for true north). Rings list vertex indices
//! counter-clockwise, holes clockwise, and don't repeat the first vertex. Heights called *above
//! datum* share one datum with the terrain.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod build;
mod outside;

pub use build::*;
pub use outside::*;

/// A point of the plan in millimetres: `[x, y]`.
pub type PointMm = [i32; 2];

/// A whole `plan.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always `campanile-plan/1`.
    pub format: String,
    /// Where the campus is.
    pub site: Site,
    /// The terrain: a GeoTIFF beside the plan, in the plan's local coordinates and datum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terrain: Option<String>,
    /// The constructions that walls, slabs, roofs and openings name.
    #[serde(default, deserialize_with = "unique_map")]
    pub constructions: BTreeMap<String, Construction>,
    /// The buildings.
    #[serde(default)]
    pub buildings: Vec<Building>,
    /// Everything outdoors.
    #[serde(default)]
    pub outside: Outside,
}

impl Plan {
    /// The value of [`Plan::format`] that this version reads.
    pub const FORMAT: &'static str = "campanile-plan/1";
}

/// Where the campus is on Earth and how its local axes lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Latitude of the local origin, WGS 84, degrees north.
    pub latitude_deg: f64,
    /// Longitude of the local origin, WGS 84, degrees east.
    pub longitude_deg: f64,
    /// Clockwise angle from true north to the local `y` axis, degrees.
    #[serde(default)]
    pub bearing_deg: f64,
    /// The name of the height datum that plan and terrain share, such as `Wusong`.
    pub datum: String,
    /// The edge of the campus as a counter-clockwise ring.
    pub boundary: Vec<PointMm>,
}

/// What a wall, slab, roof, pane or door is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Construction {
    /// What it may be used for.
    pub kind: ConstructionKind,
    /// The layers from outside (or above) to inside (or below).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// The thermal transmittance in W/(m²·K) including surface films; else from the layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u_value_w_m2k: Option<f64>,
    /// The total solar energy transmittance (g), 0 to 1, of what is transparent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solar_transmittance: Option<f64>,
    /// The fire resistance in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire_rating_min: Option<u32>,
    /// The colour as `#rrggbb` in sRGB.
    pub colour: String,
    /// The roughness of the surface, 0 mirror to 1 matt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roughness: Option<f32>,
}

impl Construction {
    /// The sum of the layers' thicknesses in millimetres.
    pub fn thickness_mm(&self) -> f64 {
        self.layers.iter().map(|layer| layer.thickness_mm).sum()
    }
}

/// What a construction may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConstructionKind {
    /// A wall.
    Wall,
    /// A floor between storeys.
    Slab,
    /// A roof.
    Roof,
    /// The pane and frame of a window.
    Glazing,
    /// A door leaf.
    Door,
    /// A floor on the ground, or the wall of a cellar.
    Ground,
}

/// One layer of a construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What it is made of, as text for people.
    pub material: String,
    /// Thickness in millimetres.
    pub thickness_mm: f64,
    /// Thermal conductivity in W/(m·K).
    pub conductivity_w_mk: f64,
    /// Density in kg/m³.
    pub density_kg_m3: f64,
    /// Specific heat in J/(kg·K).
    pub specific_heat_j_kgk: f64,
}

/// A map whose keys come once: serde's own would keep the last and lose the others.
fn unique_map<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Unique<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry::<String, T>()? {
                if map.contains_key(&key) {
                    return Err(serde::de::Error::custom(format!("'{key}' stands here twice")));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Unique(std::marker::PhantomData))
}
