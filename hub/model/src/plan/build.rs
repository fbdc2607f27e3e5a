//! The parts of a building.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PointMm;

/// A building: one table of vertices that all its storeys share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Building {
    /// Its path is this id.
    pub id: String,
    /// What the building is for, as a short word such as `teaching`.
    #[serde(rename = "use")]
    pub use_: String,
    /// The corners that rings, walls and openings index.
    pub vertices: Vec<PointMm>,
    /// The storeys from the lowest up.
    pub storeys: Vec<Storey>,
    /// Stairs and ramps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stairs: Vec<Stair>,
    /// Lifts, ducts and voids through storeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shafts: Vec<Shaft>,
    /// The roofs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roofs: Vec<Roof>,
}

/// One storey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storey {
    /// Its path is `<building>/<id>`.
    pub id: String,
    /// The number of the storey: 1 at ground level, 2 above it, -1 the first cellar.
    pub level: i32,
    /// Finished floor above datum, millimetres.
    pub floor_mm: i32,
    /// From this finished floor to the next one above, millimetres.
    pub height_mm: i32,
    /// Clear height from finished floor to ceiling, millimetres.
    pub ceiling_mm: i32,
    /// The construction of the floor of this storey.
    pub slab: String,
    /// The spaces; together they cover the storey without overlap.
    pub spaces: Vec<Space>,
    /// The walls. An edge between two spaces without a wall is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub walls: Vec<Wall>,
    /// Doors, windows, hatches and gaps in the walls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<Opening>,
}

/// A space: a room, a corridor, a stair's share of a storey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Its path is `<building>/<storey>/<id>`.
    pub id: String,
    /// What it is for.
    #[serde(rename = "use")]
    pub use_: SpaceUse,
    /// Vertex indices counter-clockwise along the centre lines of the walls.
    pub outline: Vec<u32>,
    /// Rings cut out of the outline, each clockwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Vec<u32>>,
    /// How far this floor lies above the storey's (below: negative), millimetres.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub floor_offset_mm: i32,
    /// Clear height where it differs from the storey's, millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_mm: Option<i32>,
    /// There is no floor here: the space opens to the one below it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open_to_below: bool,
    /// The finishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finishes: Option<Finishes>,
    /// How many people it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<u32>,
}

/// The finishes of a space, as colours or short words for people, such as `terrazzo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Finishes {
    /// The floor's.
    pub floor: String,
    /// The walls'.
    pub wall: String,
    /// The ceiling's.
    pub ceiling: String,
}

/// What a space is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpaceUse {
    /// A classroom.
    Classroom,
    /// A corridor or covered walk.
    Corridor,
    /// A stair or ramp.
    Stair,
    /// An entrance hall, lobby or foyer.
    Lobby,
    /// A lift.
    Lift,
    /// A duct or riser.
    Shaft,
    /// An office of teachers or administration.
    Office,
    /// A meeting room.
    Meeting,
    /// A laboratory.
    Laboratory,
    /// A preparation room of a laboratory.
    Preparation,
    /// A store of chemicals.
    ChemicalStore,
    /// A library or reading room.
    Library,
    /// A kitchen.
    Kitchen,
    /// A place to eat.
    Dining,
    /// A cold store.
    ColdStore,
    /// A store.
    Store,
    /// A plant room: pumps, fans, tanks.
    Plant,
    /// A room of switchgear or transformers.
    Electrical,
    /// A toilet.
    Toilet,
    /// A shower or wash room.
    Washroom,
    /// A room to sleep in.
    Dormitory,
    /// A gymnasium.
    Gym,
    /// A changing room.
    Changing,
    /// A swimming hall.
    Pool,
    /// An assembly hall, a lecture hall or theatre.
    Hall,
    /// A room of computers.
    Computer,
    /// A music room.
    Music,
    /// An art room.
    Art,
    /// A dance room.
    Dance,
    /// A workshop of technology or labour education.
    Workshop,
    /// A room for psychological counselling.
    Counselling,
    /// An activity room of clubs or the Young Pioneers.
    Activity,
    /// A medical room.
    Clinic,
    /// A server or network room.
    Server,
    /// A guards' room or control room.
    Guard,
    /// A broadcasting room or studio.
    Broadcast,
    /// A shop.
    Shop,
    /// A garage or bicycle store.
    Parking,
    /// A greenhouse.
    Greenhouse,
    /// A terrace or balcony.
    Terrace,
    /// A roof people may walk on.
    RoofDeck,
    /// Anything else.
    Other,
}

/// A wall on an edge of the plan. Its two sides follow from the spaces that use the edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wall {
    /// Vertex index of one end.
    pub a: u32,
    /// Vertex index of the other end.
    pub b: u32,
    /// What it is made of.
    pub construction: String,
    /// Thickness, where it isn't the sum of the construction's layers, millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thickness_mm: Option<i32>,
    /// Height above the storey's floor, where it isn't the storey's `height_mm`: a parapet, a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<i32>,
}

/// A door, window, hatch or gap in a wall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Its path is `<building>/<storey>/<id>`.
    pub id: String,
    /// What it is.
    pub kind: OpeningKind,
    /// The vertex indices of the wall's two ends; `at_mm` counts from the first.
    pub wall: [u32; 2],
    /// From `wall[0]` to the near jamb along the centre line, millimetres.
    pub at_mm: i32,
    /// Clear width, millimetres.
    pub width_mm: i32,
    /// Clear height from sill to lintel, millimetres.
    pub height_mm: i32,
    /// The sill above the storey's floor, millimetres.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sill_mm: i32,
    /// How it opens.
    pub leaf: Leaf,
    /// The construction of the leaf or pane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construction: Option<String>,
    /// The fire resistance of the closed leaf in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire_rating_min: Option<u32>,
    /// Whether the leaf shuts by itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub self_closing: bool,
    /// Where a hinged leaf swings, looking from `wall[0]` to `wall[1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swing: Option<Swing>,
    /// Whether it is marked as an emergency exit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exit: bool,
}

/// The kinds of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OpeningKind {
    /// People walk through it.
    Door,
    /// Light and air come through it.
    Window,
    /// A serving hatch, a smoke vent, an access panel.
    Hatch,
    /// An opening without a leaf that people walk through.
    Gap,
}

/// How an opening opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leaf {
    /// It has no leaf.
    None,
    /// One hinged leaf.
    Single,
    /// Two hinged leaves.
    Double,
    /// It slides.
    Sliding,
    /// It doesn't open.
    Fixed,
    /// It rolls up.
    Roller,
}

/// Where a hinged leaf swings, looking along the wall from `wall[0]` to `wall[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Swing {
    /// To the left, hinged at the near jamb.
    LeftNear,
    /// To the left, hinged at the far jamb.
    LeftFar,
    /// To the right, hinged at the near jamb.
    RightNear,
    /// To the right, hinged at the far jamb.
    RightFar,
}

/// A stair or ramp between two storeys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stair {
    /// Its path is `<building>/<id>`.
    pub id: String,
    /// Stair or ramp.
    #[serde(default)]
    pub kind: StairKind,
    /// The id of the storey where it starts, the lower one.
    pub from: String,
    /// The id of the storey where it ends.
    pub to: String,
    /// The id of the space on the lower storey.
    pub space_from: String,
    /// The id of the space on the upper storey.
    pub space_to: String,
    /// The flights from the bottom up.
    pub flights: Vec<Flight>,
    /// The landings between flights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landings: Vec<Landing>,
}

/// Stair or ramp.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StairKind {
    /// Steps.
    #[default]
    Stair,
    /// A slope: each "step" is a length of `tread_mm` that rises by `riser_mm`.
    Ramp,
}

/// One straight run of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flight {
    /// The middle of the first nosing.
    pub start: PointMm,
    /// The way up: degrees counter-clockwise from `+x`.
    pub heading_deg: f64,
    /// Height of the foot of the flight above the lower storey's floor, millimetres.
    pub base_mm: i32,
    /// The number of risers.
    pub steps: u32,
    /// Depth of a tread, millimetres.
    pub tread_mm: f64,
    /// Height of a riser, millimetres.
    pub riser_mm: f64,
    /// Clear width, millimetres.
    pub width_mm: i32,
}

/// A landing between flights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Landing {
    /// Its edge, counter-clockwise.
    pub outline: Vec<PointMm>,
    /// Height above the lower storey's floor, millimetres.
    pub level_mm: i32,
}

/// A shaft through storeys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shaft {
    /// Its path is `<building>/<id>`.
    pub id: String,
    /// What it is.
    pub kind: ShaftKind,
    /// Vertex indices counter-clockwise.
    pub outline: Vec<u32>,
    /// The id of the lowest storey it serves.
    pub from: String,
    /// The id of the highest storey it serves.
    pub to: String,
}

/// The kinds of shaft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShaftKind {
    /// A lift.
    Lift,
    /// Ducts, pipes or cables.
    Duct,
    /// A void: an atrium or light well.
    Void,
}

/// A roof over an outline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roof {
    /// Its path is `<building>/<id>`.
    pub id: String,
    /// Its form.
    pub kind: RoofKind,
    /// Vertex indices counter-clockwise; of a sloping roof, its eaves.
    pub outline: Vec<u32>,
    /// The eaves, or the surface of a flat roof, above datum, millimetres.
    pub base_mm: i32,
    /// The slope in degrees; a flat roof's fall to its outlets.
    #[serde(default)]
    pub pitch_deg: f64,
    /// The direction of the ridge (of a mono roof: down the slope), degrees counter-clockwise from `+x`.
    #[serde(default)]
    pub ridge_deg: f64,
    /// The height of the parapet, millimetres; 0 is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parapet_mm: i32,
    /// What it is made of.
    pub construction: String,
    /// Where its water goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub downpipes: Vec<Downpipe>,
    /// A solar array on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solar: Option<SolarArray>,
}

/// The forms of a roof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoofKind {
    /// Flat.
    Flat,
    /// One slope.
    Mono,
    /// Two slopes.
    Gable,
    /// Four slopes.
    Hip,
}

/// A downpipe from a roof into a drain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Downpipe {
    /// Where it stands.
    pub at: PointMm,
    /// The id of the node of the drain network that takes its water.
    pub drain: String,
}

/// A solar array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SolarArray {
    /// Power at standard test conditions, watts.
    pub peak_w: f64,
    /// Tilt from the horizontal, degrees.
    pub tilt_deg: f64,
    /// The way it faces: degrees clockwise from true north.
    pub azimuth_deg: f64,
    /// Area of the modules, square metres.
    pub area_m2: f64,
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}
