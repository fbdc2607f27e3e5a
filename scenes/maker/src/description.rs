//! `school.toml`: the readable description that a campus is made from. Lengths in metres.

use std::collections::BTreeMap;

use campanile_model::{
    Construction, Cover, GateKind, GreenKind, Names, ObjectKind, RoofKind, SolarArray, SpaceUse, WaterKind,
};
use serde::Deserialize;

/// A place in the site's local metres: `[x, y]`.
pub type AtM = [f64; 2];

/// A whole description.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct School {
    /// The id of the campus.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// The IANA time zone.
    pub timezone: String,
    /// The weather file that `campus.toml` names.
    pub weather: String,
    /// The file beside this one with kinds of points and equipment and where they stand.
    pub systems: String,
    /// What has to be shown with pictures.
    #[serde(default)]
    pub attribution: Vec<Names>,
    /// Where it is.
    pub site: SiteSpec,
    /// The lie of the land.
    pub terrain: TerrainSpec,
    /// Constructions, as the plan has them.
    pub construction: BTreeMap<String, Construction>,
    /// What every space of a use gets.
    #[serde(rename = "use")]
    pub uses: BTreeMap<SpaceUse, UseSpec>,
    /// The buildings.
    pub building: Vec<BuildingSpec>,
    /// Everything outdoors.
    pub outside: OutsideSpec,
    /// Storm and foul drains.
    pub drains: Vec<DrainSpec>,
}

/// Where the campus is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSpec {
    /// Latitude of the origin, degrees.
    pub latitude_deg: f64,
    /// Longitude of the origin, degrees.
    pub longitude_deg: f64,
    /// Clockwise from true north to the local `y`, degrees.
    pub bearing_deg: f64,
    /// The name of the height datum.
    pub datum: String,
    /// The edge of the campus, counter-clockwise.
    pub boundary: Vec<AtM>,
}

/// The lie of the land: a plane with bumps and hollows; waters and buildings are cut in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerrainSpec {
    /// South-west corner of the grid.
    pub from: AtM,
    /// North-east corner of the grid.
    pub to: AtM,
    /// The size of a cell.
    pub cell_m: f64,
    /// Height at the origin above datum.
    pub base_m: f64,
    /// How the ground rises a metre eastwards and northwards.
    pub slope: [f64; 2],
    /// Bumps and hollows.
    pub bump: Vec<BumpSpec>,
    /// A dike along a line.
    pub dike: Vec<DikeSpec>,
}

/// A bump (or hollow) with the profile of a bell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BumpSpec {
    /// Its middle.
    pub at: AtM,
    /// Where it has fallen to 0.61 of its height.
    pub radius_m: f64,
    /// Its height; negative for a hollow.
    pub height_m: f64,
}

/// A dike: its crest is added to the land within half its width.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DikeSpec {
    /// Its line.
    pub line: Vec<AtM>,
    /// The width of its foot.
    pub width_m: f64,
    /// The height of its crest above the land.
    pub height_m: f64,
}

/// What every space of a use gets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseSpec {
    /// The name in Simplified Chinese, where the room has none of its own.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// How many doors to the corridor.
    #[serde(default = "one")]
    pub doors: u32,
    /// Clear width and height of a door.
    #[serde(default = "door")]
    pub door_m: [f64; 2],
    /// Clear width and height of its windows, and their sill; none without.
    #[serde(default)]
    pub window_m: Option<[f64; 3]>,
    /// Width, height and sill of high windows to the corridor.
    #[serde(default)]
    pub high_window_m: Option<[f64; 3]>,
    /// People it is made for.
    #[serde(default)]
    pub people: Option<u32>,
    /// Floor area a person, where `people` isn't given.
    #[serde(default)]
    pub m2_per_person: Option<f64>,
    /// The clear height, where it isn't the storey's.
    #[serde(default)]
    pub ceiling_m: Option<f64>,
    /// Its walls and doors resist fire.
    #[serde(default)]
    pub fire: bool,
    /// The finish of the floor, in a word.
    #[serde(default = "terrazzo")]
    pub floor: String,
}

fn one() -> u32 {
    1
}

fn door() -> [f64; 2] {
    [1.0, 2.1]
}

fn terrazzo() -> String {
    "terrazzo".to_owned()
}

/// A building: storeys of rows of rooms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildingSpec {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// What it is for.
    #[serde(rename = "use")]
    pub use_: String,
    /// The south-western corner before it is turned.
    pub at: AtM,
    /// Turned counter-clockwise about that corner, degrees.
    #[serde(default)]
    pub turn_deg: f64,
    /// The length of its rows.
    pub length_m: f64,
    /// The floor of storey 1 above datum.
    pub floor_m: f64,
    /// The classes in the order of the classrooms from the lowest storey up: `"1-1"`, or `"1-1..1-5"`.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Its storeys.
    pub storey: Vec<StoreySpec>,
    /// Its roof.
    pub roof: RoofSpec,
}

/// One or several equal storeys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreySpec {
    /// 1 is at ground level, -1 the cellar.
    pub levels: Vec<i32>,
    /// Floor to floor; a multiple of 0.3 where there are stairs.
    pub height_m: f64,
    /// Clear height.
    pub ceiling_m: f64,
    /// Rows from south to north.
    pub row: Vec<RowSpec>,
    /// Rooms with a door to the outside besides those of corridors.
    #[serde(default)]
    pub exits: Vec<String>,
    /// Pairs of rooms with a door between them besides those to the corridor.
    #[serde(default)]
    pub doors: Vec<[String; 2]>,
}

/// A row of rooms from west to east.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSpec {
    /// From south to north.
    pub depth_m: f64,
    /// Rooms: `ID USE WIDTH [xN] [中文|English]`. In an id `#` counts the rooms of the storey (`301`)
    /// and `@` is the number among `xN`. A `-` with a width is outside of the building.
    pub rooms: Vec<String>,
}

/// A roof over the highest storey.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoofSpec {
    /// Its form.
    pub kind: RoofKind,
    /// Its slope.
    pub pitch_deg: f64,
    /// The height of the parapet.
    #[serde(default)]
    pub parapet_m: f64,
    /// A solar array.
    #[serde(default)]
    pub solar: Option<SolarArray>,
}

/// Everything outdoors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideSpec {
    /// Ovals of running tracks with a field in them.
    #[serde(default)]
    pub track: Vec<TrackSpec>,
    /// Pieces of ground.
    #[serde(default)]
    pub ground: Vec<ShapeSpec<Cover>>,
    /// Roads.
    #[serde(default)]
    pub road: Vec<LineSpec>,
    /// Rivers and ponds.
    #[serde(default)]
    pub water: Vec<WaterSpec>,
    /// Greens.
    #[serde(default)]
    pub green: Vec<ShapeSpec<GreenKind>>,
    /// Rows of trees.
    #[serde(default)]
    pub trees: Vec<TreesSpec>,
    /// Fences.
    #[serde(default)]
    pub fence: Vec<LineSpec>,
    /// Gates.
    #[serde(default)]
    pub gate: Vec<PairSpec<GateKind>>,
    /// Flood barriers.
    #[serde(default)]
    pub barrier: Vec<PairSpec<Barrier>>,
    /// Assembly points.
    #[serde(default)]
    pub assembly: Vec<AssemblySpec>,
    /// Objects.
    #[serde(default)]
    pub object: Vec<ObjectSpec>,
}

/// A running track around a field; its straights run north.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackSpec {
    /// Its id; the field's is `<id>-field`.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// Its middle.
    pub at: AtM,
    /// The length of a straight.
    pub straight_m: f64,
    /// The radius of the inner edge.
    pub radius_m: f64,
    /// How many lanes.
    pub lanes: u32,
    /// The width of a lane.
    pub lane_m: f64,
}

/// A shape with a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShapeSpec<K> {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// What it is.
    pub kind: K,
    /// A rectangle by two corners.
    #[serde(default)]
    pub rect: Option<[f64; 4]>,
    /// Else a ring, counter-clockwise.
    #[serde(default)]
    pub ring: Vec<AtM>,
    /// The height of what grows.
    #[serde(default)]
    pub height_m: f64,
    /// How many such rectangles, in a grid of columns and rows, with the step in x and y.
    #[serde(default)]
    pub grid: Option<[f64; 4]>,
}

/// A road or fence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// Its line.
    pub line: Vec<AtM>,
    /// Width of a road, height of a fence.
    pub size_m: f64,
    /// What covers a road.
    #[serde(default)]
    pub cover: Option<Cover>,
}

/// A river or pond.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaterSpec {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// River or pond.
    pub kind: WaterKind,
    /// Its edge, counter-clockwise.
    pub ring: Vec<AtM>,
    /// The bed above datum.
    pub bed_m: f64,
    /// The usual level above datum.
    pub level_m: f64,
    /// The width of the bank.
    pub bank_m: f64,
}

/// Trees along a line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreesSpec {
    /// What their ids start with.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// The botanical name.
    pub species: String,
    /// Where the row starts.
    pub from: AtM,
    /// Where it ends.
    pub to: AtM,
    /// How many.
    pub count: u32,
    /// Height, crown and trunk.
    pub size_m: [f64; 3],
}

/// Marks a flood barrier.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Barrier {
    /// A flood barrier.
    Flood,
}

/// A gate or barrier between two points.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairSpec<K> {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// What it is.
    pub kind: K,
    /// One end.
    pub a: AtM,
    /// The other end.
    pub b: AtM,
    /// The height of a barrier.
    #[serde(default)]
    pub height_m: f64,
}

/// An assembly point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssemblySpec {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// Its rectangle by two corners.
    pub rect: [f64; 4],
    /// How many people it holds.
    pub capacity: u32,
}

/// Objects in a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectSpec {
    /// Its id; of several, what their ids start with.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Where it stands.
    pub at: AtM,
    /// Where the last of the row stands.
    #[serde(default)]
    pub to: Option<AtM>,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// The way it faces.
    #[serde(default)]
    pub heading_deg: f64,
    /// Length, width and height.
    pub size_m: [f64; 3],
}

/// A network of drains.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainSpec {
    /// Its id.
    pub id: String,
    /// The name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// The name in English.
    pub en: String,
    /// Where it ends.
    pub outfall: AtM,
    /// The bottom of the pipe there, above datum.
    pub invert_m: f64,
    /// The fall of every pipe.
    pub slope: f64,
    /// What its pump station moves, where it has one, m³/h.
    #[serde(default)]
    pub pump_m3_h: Option<f64>,
    /// Lines from their upper end to where they join.
    pub line: Vec<DrainLineSpec>,
}

/// A line of drains.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainLineSpec {
    /// What the ids of its nodes start with: `<id>-1` is the highest.
    pub id: String,
    /// The node that it joins; `outfall` is the end.
    pub joins: String,
    /// Its nodes from the highest down.
    pub nodes: Vec<AtM>,
    /// What its nodes are, such as `inlet`; the last may be another kind.
    pub kind: String,
    /// What the lowest node is, where it isn't as the others: `pump`, `septic-tank`, `grease-trap`.
    #[serde(default)]
    pub last: Option<String>,
    /// Inner diameter.
    pub diameter_m: f64,
    /// The buildings whose roofs or fixtures drain into its nodes.
    #[serde(default)]
    pub serves: Vec<String>,
}
