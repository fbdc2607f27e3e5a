//! Everything outdoors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PointMm;

/// Everything outdoors: one table of vertices, and what uses it. Paths are `site/<id>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outside {
    /// The points that rings and lines index.
    pub vertices: Vec<PointMm>,
    /// What covers the ground.
    pub grounds: Vec<Ground>,
    /// Roads and paths.
    pub roads: Vec<Road>,
    /// Rivers and ponds.
    pub waters: Vec<Water>,
    /// Beds, hedges, shrubs and fields.
    pub greens: Vec<Green>,
    /// Trees.
    pub trees: Vec<Tree>,
    /// Fences and outer walls.
    pub fences: Vec<Fence>,
    /// Gates in fences.
    pub gates: Vec<Gate>,
    /// Where people gather in an evacuation.
    pub assembly_points: Vec<AssemblyPoint>,
    /// Where flood barriers can stand.
    pub barriers: Vec<Barrier>,
    /// Furniture and fixtures: lamps, benches, goals, flagpoles.
    pub objects: Vec<Object>,
}

/// A piece of ground of one cover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Its path is `site/<id>`.
    pub id: String,
    /// What covers it.
    pub cover: Cover,
    /// Vertex indices counter-clockwise.
    pub outline: Vec<u32>,
    /// Rings cut out of the outline, each clockwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Vec<u32>>,
}

/// What covers the ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cover {
    /// Lawn.
    Grass,
    /// Asphalt.
    Asphalt,
    /// Concrete.
    Concrete,
    /// Slabs or sets.
    Paving,
    /// Paving that lets water through.
    PermeablePaving,
    /// Bare or tilled soil.
    Soil,
    /// Running track.
    Track,
    /// Artificial turf.
    Turf,
    /// A hard court.
    Court,
    /// Gravel.
    Gravel,
    /// Sand.
    Sand,
    /// Timber decking.
    Deck,
    /// A field of crops.
    Crop,
    /// Under trees or shrubs.
    Planting,
}

/// A road or path along a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Road {
    /// Its path is `site/<id>`.
    pub id: String,
    /// Vertex indices along its middle.
    pub line: Vec<u32>,
    /// Width, millimetres.
    pub width_mm: i32,
    /// What covers it.
    pub cover: Cover,
}

/// A river or pond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Water {
    /// Its path is `site/<id>`.
    pub id: String,
    /// River or pond.
    pub kind: WaterKind,
    /// Vertex indices counter-clockwise.
    pub outline: Vec<u32>,
    /// The bed above datum, millimetres.
    pub bed_mm: i32,
    /// The usual level above datum, millimetres.
    pub level_mm: i32,
}

/// River or pond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaterKind {
    /// It flows.
    River,
    /// It stands.
    Pond,
}

/// A green: a bed, a hedge, shrubs, a field of the farm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Green {
    /// Its path is `site/<id>`.
    pub id: String,
    /// What grows.
    pub kind: GreenKind,
    /// Vertex indices counter-clockwise.
    pub outline: Vec<u32>,
    /// Height of what grows, millimetres.
    #[serde(default)]
    pub height_mm: i32,
}

/// What grows on a green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GreenKind {
    /// Lawn.
    Lawn,
    /// Flowers.
    Bed,
    /// A hedge.
    Hedge,
    /// Shrubs.
    Shrubs,
    /// A bed of the school farm.
    Farm,
    /// Reeds and rushes at the water.
    Reeds,
    /// A rain garden that takes runoff.
    RainGarden,
}

/// A tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Its path is `site/<id>`.
    pub id: String,
    /// The species in botanical Latin, such as `Cinnamomum camphora`.
    pub species: String,
    /// The foot of its trunk.
    pub at: PointMm,
    /// Height, millimetres.
    pub height_mm: i32,
    /// Diameter of the crown, millimetres.
    pub crown_mm: i32,
    /// Diameter of the trunk at breast height, millimetres.
    pub trunk_mm: i32,
}

/// A fence or outer wall along a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fence {
    /// Its path is `site/<id>`.
    pub id: String,
    /// Vertex indices along it.
    pub line: Vec<u32>,
    /// Height, millimetres.
    pub height_mm: i32,
}

/// A gate between two vertices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its path is `site/<id>`.
    pub id: String,
    /// Vertex index of one end.
    pub a: u32,
    /// Vertex index of the other end.
    pub b: u32,
    /// Who passes.
    pub kind: GateKind,
}

/// Who passes a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// The main gate.
    Main,
    /// People on foot.
    Pedestrian,
    /// Vehicles.
    Vehicle,
    /// Only in an emergency.
    Emergency,
}

/// Where people gather in an evacuation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssemblyPoint {
    /// Its path is `site/<id>`.
    pub id: String,
    /// Vertex indices counter-clockwise.
    pub outline: Vec<u32>,
    /// How many people it holds.
    pub capacity: u32,
}

/// A line where a flood barrier can stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Barrier {
    /// Its path is `site/<id>`.
    pub id: String,
    /// Vertex index of one end.
    pub a: u32,
    /// Vertex index of the other end.
    pub b: u32,
    /// Height above the ground when up, millimetres.
    pub height_mm: i32,
}

/// A piece of furniture or a fixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its path is `site/<id>`.
    pub id: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Where it stands.
    pub at: PointMm,
    /// The way it faces: degrees counter-clockwise from `+x`.
    #[serde(default)]
    pub heading_deg: f64,
    /// Its box: length along the heading, width, height, millimetres.
    pub size_mm: [i32; 3],
}

/// The kinds of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A street lamp.
    Lamp,
    /// A bench.
    Bench,
    /// A flagpole.
    Flagpole,
    /// A football goal.
    Goal,
    /// A basketball stand.
    Basketball,
    /// A table-tennis table.
    TableTennis,
    /// A bicycle stand.
    BicycleStand,
    /// A weather station.
    WeatherStation,
    /// A compost bin.
    Compost,
    /// A rainwater tank.
    Tank,
    /// A waste station.
    Waste,
    /// A notice board or screen.
    Board,
    /// A sculpture or bell.
    Sculpture,
    /// Anything else, drawn as its box.
    Box,
}
