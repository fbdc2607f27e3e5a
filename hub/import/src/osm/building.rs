//! A building from its outline, its parts and its tags.

use campanile_model::{
    Building, Flight, Landing, PointMm, Roof, RoofKind, SpaceUse, Stair, StairKind, Storey,
};

use super::layout::{Core, Frame, Layout, Piece};
use super::read::Tags;
use super::storey::{StoreySpec, Vertices, build, merge, stitch};
use super::value::{highest, length_m};
use crate::findings::{Findings, OsmId};
use crate::polygon::{Polygon, difference, edges, length, union};

/// The floor of the ground storey above the terrain: one step.
const STEP_MM: i32 = 150;
/// From floor to floor where nothing is tagged: schools (GB 50099-2011, 7.2.1: 3.1 m clear) and dwellings.
const STOREY_MM: f64 = 3600.0;
const DWELLING_STOREY_MM: f64 = 3000.0;
/// No storey is lower; a higher one is a hall.
const LEAST_STOREY_MM: f64 = 2400.0;
/// No building is higher or has more storeys, above or below ground.
const MAX_HEIGHT_M: f64 = 830.0;
const MAX_LEVELS: f64 = 160.0;
const MAX_CELLARS: f64 = 10.0;

/// An outline with tags: a building, or a `building:part`.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub osm: OsmId,
    pub line: usize,
    pub area: Vec<Polygon>,
    pub tags: Tags,
}

/// What a building is for, as far as its division goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Programme {
    /// Rooms of this use along corridors.
    Rooms(SpaceUse),
    /// One hall of this use.
    Hall(SpaceUse),
    /// A roof on posts.
    Open,
}

/// A building and the colours it brings.
pub(crate) struct Made {
    pub building: Building,
    /// The colour of its walls, `#rrggbb`.
    pub colour: Option<String>,
    /// The colour of its roof.
    pub roof_colour: Option<String>,
}

/// Whether each storey is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Rooms,
    Storeys,
    /// A last resort: no stairs, no doors but one.
    Plain,
}

/// The levels and height of an outline, from its tags.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    /// Levels it skips from the ground.
    from: u32,
    /// Levels it reaches to.
    levels: u32,
    cellars: u32,
    storey_mm: i32,
    roof_mm: i32,
}

fn programme(tags: &Tags, area_m2: f64, on_campus: bool) -> Programme {
    use SpaceUse as U;
    let get = |key: &str| tags.get(key).map_or("", String::as_str);
    let building = if get("building").is_empty() { get("building:part") } else { get("building") };
    match building {
        "roof" | "carport" | "canopy" | "pavilion" | "gazebo" => return Programme::Open,
        "garage" | "garages" | "parking" => return Programme::Hall(U::Parking),
        "greenhouse" => return Programme::Hall(U::Greenhouse),
        "grandstand" | "stadium" | "sports_hall" | "sports_centre" | "gymnasium" | "riding_hall"
        | "ice_rink" => {
            return Programme::Hall(U::Gym);
        }
        "church" | "chapel" | "cathedral" | "mosque" | "temple" | "shrine" | "synagogue" | "theatre"
        | "auditorium" => {
            return Programme::Hall(U::Hall);
        }
        "shed" | "hut" | "barn" | "warehouse" | "container" | "storage_tank" | "outbuilding" | "silo" => {
            return Programme::Hall(U::Store);
        }
        "kiosk" | "retail" | "supermarket" => return Programme::Hall(U::Shop),
        "toilets" => return Programme::Hall(U::Toilet),
        "transformer_tower" | "substation" => return Programme::Hall(U::Electrical),
        "guardhouse" | "gatehouse" => return Programme::Hall(U::Guard),
        "service" | "industrial" | "boiler_house" | "digester" => return Programme::Hall(U::Plant),
        _ => {}
    }
    match (get("amenity"), get("leisure")) {
        (_, "sports_centre" | "sports_hall" | "fitness_centre" | "stadium") => {
            return Programme::Hall(U::Gym);
        }
        (_, "swimming_pool") => return Programme::Hall(U::Pool),
        ("parking" | "bicycle_parking", _) => return Programme::Hall(U::Parking),
        ("theatre" | "cinema" | "place_of_worship" | "arts_centre" | "events_venue", _) => {
            return Programme::Hall(U::Hall);
        }
        ("canteen" | "restaurant" | "fast_food" | "cafe" | "food_court", _) => {
            return Programme::Hall(U::Dining);
        }
        ("toilets", _) => return Programme::Hall(U::Toilet),
        ("shelter", _) => return Programme::Open,
        ("library", _) => return Programme::Rooms(U::Library),
        ("clinic" | "doctors" | "hospital", _) => return Programme::Rooms(U::Clinic),
        ("kindergarten" | "school", _) => return Programme::Rooms(U::Classroom),
        _ => {}
    }
    if !get("power").is_empty() {
        return Programme::Hall(U::Electrical);
    }
    match building {
        "school" | "kindergarten" | "college" | "university" | "yes_school" => Programme::Rooms(U::Classroom),
        "library" => Programme::Rooms(U::Library),
        "dormitory" | "apartments" | "residential" | "house" | "detached" | "terrace"
        | "semidetached_house" | "hotel" | "bungalow" => Programme::Rooms(U::Dormitory),
        "office" | "civic" | "public" | "government" | "commercial" | "townhall" => {
            Programme::Rooms(U::Office)
        }
        "hospital" => Programme::Rooms(U::Clinic),
        _ if on_campus && area_m2 >= 150.0 => Programme::Rooms(U::Classroom),
        _ => Programme::Rooms(U::Other),
    }
}

/// Heights and levels, with what is absurd reported and left out.
fn size(outline: &Outline, programme: Programme, findings: &mut Findings) -> Size {
    let tags = &outline.tags;
    let about = (outline.osm, outline.line);
    let mut bad = |key: &str, value: &str, done: &str| {
        findings.add("bad-value", about, format!("{key}={value} can't be used"), done.to_owned());
    };
    let mut metres = |key: &str, least: f64, most: f64| -> Option<f64> {
        let text = tags.get(key)?;
        let found = length_m(text).filter(|m| (least..=most).contains(m));
        if found.is_none() {
            bad(key, text, "it was left out and the height was estimated");
        }
        found
    };
    let height = metres("height", 0.3, MAX_HEIGHT_M).or_else(|| metres("building:height", 0.3, MAX_HEIGHT_M));
    let min_height = metres("min_height", 0.0, MAX_HEIGHT_M);
    let roof_height = metres("roof:height", 0.0, 100.0);
    let mut count = |key: &str, least: f64, most: f64| -> Option<f64> {
        let text = tags.get(key)?;
        let Some((found, list)) = highest(text).filter(|(n, _)| (least..=most).contains(n)) else {
            bad(key, text, "it was left out and the number was estimated");
            return None;
        };
        if list {
            bad(key, text, &format!("the highest, {found}, was taken"));
        }
        Some(found)
    };
    let levels = count("building:levels", 0.0, MAX_LEVELS);
    let min_level =
        count("building:min_level", 0.0, MAX_LEVELS).or_else(|| count("min_level", 0.0, MAX_LEVELS));
    let cellars = count("building:levels:underground", 0.0, MAX_CELLARS).unwrap_or(0.0).round();
    let area: f64 = outline.area.iter().map(Polygon::area_m2).sum();
    let usual = match programme {
        Programme::Rooms(SpaceUse::Dormitory) => DWELLING_STOREY_MM,
        _ => STOREY_MM,
    };
    // A height goes to the top of the roof (wiki: Simple 3D Buildings).
    let shaped = tags.get("roof:shape").is_some_and(|s| s != "flat");
    let roof_mm = roof_height.filter(|_| shaped).unwrap_or(0.0) * 1e3;
    let min_mm = min_height.unwrap_or(0.0) * 1e3;
    let body_mm = height.map(|h| h * 1e3 - roof_mm).filter(|h| *h > 300.0);
    let (mut from, mut to) = match (levels, min_level) {
        (Some(levels), min) => (min.unwrap_or(0.0).floor(), levels.floor().max(1.0)),
        (None, min) => {
            let guess = match (body_mm, programme) {
                (_, Programme::Hall(_) | Programme::Open) => 1.0,
                (Some(mm), _) => (mm / usual).round().max(1.0),
                (None, _) => {
                    let guess = match programme {
                        Programme::Rooms(SpaceUse::Other) if area < 150.0 => 1.0,
                        Programme::Rooms(SpaceUse::Other) => 2.0,
                        Programme::Rooms(_) if area < 100.0 => 1.0,
                        _ => 3.0,
                    };
                    findings.add(
                        "levels-guessed",
                        about,
                        "neither building:levels nor height is tagged",
                        format!("{guess} storeys were assumed for a footprint of {area:.0} m²"),
                    );
                    guess
                }
            };
            (min.unwrap_or(0.0).floor(), guess + min.unwrap_or(0.0).floor())
        }
    };
    if from >= to {
        if from > 0.0 {
            findings.add(
                "bad-value",
                about,
                format!("it begins at level {from} and ends at level {to}"),
                "it was given one storey there",
            );
        }
        to = from + 1.0;
    }
    let mut storey = match body_mm {
        Some(mm) => mm / to.max(1.0),
        None => usual,
    };
    // Levels too many or too few for the height: the height is what is seen.
    let hall = matches!(programme, Programme::Hall(_) | Programme::Open) && to <= 1.0;
    if storey < LEAST_STOREY_MM && to > 1.0 {
        let fewer = body_mm.map_or(to, |mm| (mm / usual).round().max(1.0));
        findings.add(
            "levels-height",
            about,
            format!(
                "{to} storeys in {:.1} m are less than {:.1} m each",
                body_mm.unwrap_or(0.0) / 1e3,
                LEAST_STOREY_MM / 1e3
            ),
            format!("it was given {fewer} storeys"),
        );
        (from, to) = (from.min(fewer - 1.0), fewer);
        storey = body_mm.map_or(usual, |mm| mm / to);
    } else if storey > 12_000.0 && !hall && levels.is_none() {
        storey = usual;
    }
    // Only a height off the ground is tagged: as many levels as go below it.
    if min_level.is_none() && min_mm > storey * 0.6 {
        from = (min_mm / storey).round().max(1.0);
        to = to.max(from + 1.0);
        if let Some(mm) = body_mm {
            storey = mm / to;
        }
    }
    Size {
        from: from as u32,
        levels: to as u32,
        cellars: cellars as u32,
        storey_mm: storey.clamp(if to > 1.0 { LEAST_STOREY_MM } else { 1000.0 }, 60_000.0).round() as i32,
        roof_mm: roof_mm.round() as i32,
    }
}

/// What surrounds a building.
pub(crate) struct Around<'a> {
    pub id: String,
    pub parts: &'a [Outline],
    /// Mapped entrances: where and how wide.
    pub entrances: &'a [(PointMm, i32)],
    pub on_campus: bool,
}

/// Why a building isn't divided into rooms: it has too much floor, or is too long.
pub(crate) fn too_large_for_rooms(outline: &Outline, most_m2: f64) -> Option<String> {
    /// The longest terminals of airports come near this.
    const LONGEST_M: f64 = 1500.0;
    let (low, high) = super::outdoors::box_of(&outline.area)?;
    let long_m = (0..2).map(|i| f64::from(high[i]) - f64::from(low[i])).fold(0.0, f64::max) / 1e3;
    if long_m > LONGEST_M {
        return Some(format!("it is {long_m:.0} m long, rooms are made up to {LONGEST_M:.0} m"));
    }
    let levels = outline.tags.get("building:levels").and_then(|text| text.trim().parse::<f64>().ok());
    let levels = levels.filter(|n| (1.0..=MAX_LEVELS).contains(n)).unwrap_or(3.0);
    let floor_m2 = levels * outline.area.iter().map(Polygon::area_m2).sum::<f64>();
    (floor_m2 > most_m2)
        .then(|| format!("it has about {floor_m2:.0} m² of floor, rooms are made up to {most_m2:.0} m²"))
}

/// Makes a building in the wanted detail. `None` where nothing of it is left.
pub(crate) fn make(
    outline: &Outline,
    around: &Around<'_>,
    detail: Detail,
    findings: &mut Findings,
) -> Option<Made> {
    let area: f64 = outline.area.iter().map(Polygon::area_m2).sum();
    let programme = programme(&outline.tags, area, around.on_campus);
    let whole = size(outline, programme, findings);
    let underground = outline.tags.get("location").is_some_and(|l| l == "underground")
        || outline.tags.get("layer").and_then(|l| l.parse::<i32>().ok()).is_some_and(|l| l < 0)
            && !outline.tags.contains_key("building:levels");
    // Each level's area: what its parts cover, and what no part covers as the building itself says.
    let parts: Vec<(&Outline, Size)> =
        around.parts.iter().map(|part| (part, size(part, programme, findings))).collect();
    let covered: Vec<Polygon> = parts.iter().flat_map(|(p, _)| p.area.iter().cloned()).collect();
    let rest: Vec<Polygon> = if parts.is_empty() {
        outline.area.clone()
    } else {
        // Parts drawn along the outline leave slivers, which are nothing.
        difference(&outline.area, &union(&covered))
            .into_iter()
            .filter(|p| p.area_m2() > 0.1 * area && 2.0 * p.area_m2() / p.perimeter_m() > 1.0)
            .collect()
    };
    let top = parts.iter().map(|(_, s)| s.levels).chain((!rest.is_empty()).then_some(whole.levels)).max()?;
    let mut levels: Vec<Vec<Polygon>> = Vec::new();
    for level in 1..=top {
        let mut pieces: Vec<Polygon> = parts
            .iter()
            .filter(|(_, s)| s.from < level && level <= s.levels)
            .flat_map(|(p, _)| p.area.iter().cloned())
            .collect();
        if whole.from < level && level <= whole.levels {
            pieces.extend(rest.iter().cloned());
        }
        let mut shapes = if pieces.is_empty() { Vec::new() } else { union(&pieces) };
        shapes.retain(|p| p.area_m2() > 1.0 && 2.0 * p.area_m2() / p.perimeter_m() > 0.3);
        levels.push(shapes);
    }
    // What floats has posts below it.
    let mut open = vec![programme == Programme::Open; levels.len()];
    for i in (0..levels.len()).rev() {
        if levels[i].is_empty() {
            levels[i] = levels.get(i + 1).cloned().unwrap_or_default();
            open[i] = true;
        }
    }
    if levels.iter().any(Vec::is_empty) {
        return None;
    }
    if detail == Detail::Plain {
        levels.truncate(1);
        open.truncate(1);
    }
    let halls = !matches!(programme, Programme::Rooms(_)) || detail != Detail::Rooms;
    let cellars = if underground { 0 } else { whole.cellars as usize };
    let mut all: Vec<Vec<Polygon>> = vec![levels[0].clone(); cellars];
    all.extend(levels.iter().cloned());
    let layout = if detail == Detail::Plain { Layout::default() } else { Layout::new(&all, halls) };
    drop_unreached(&mut all, &layout, outline, detail, findings);
    let storey_mm =
        if underground || detail == Detail::Plain { whole.storey_mm.max(1000) } else { whole.storey_mm };
    let below = if underground { all.len() } else { cellars };
    let stamp = Stamp { outline, around, programme, layout: &layout, detail, storey_mm, below, underground };
    let mut vertices = Vertices::default();
    let mut storeys: Vec<Storey> = Vec::new();
    let mut joints = 0;
    for (index, shapes) in all.iter().enumerate() {
        let is_open = index >= cellars && open[index - cellars];
        let (storey, open_joints) = stamp.storey(index, shapes, is_open, &mut vertices);
        joints += open_joints;
        storeys.push(storey);
    }
    if joints > 0 {
        findings.add(
            "narrow-joint",
            (outline.osm, outline.line),
            format!("{joints} pairs of rooms meet in less than a door's width"),
            "nothing stands between them",
        );
    }
    let stairs = if detail == Detail::Plain { Vec::new() } else { stamp.stairs(&storeys, &vertices) };
    let roofs = roofs(&all[cellars..], &storeys[cellars..], &outline.tags, whole.roof_mm, &mut vertices);
    let use_ = ["amenity", "building"]
        .iter()
        .filter_map(|key| outline.tags.get(*key))
        .find(|v| *v != "yes")
        .and_then(|v| super::value::slug(v))
        .unwrap_or_else(|| "building".to_owned());
    let building = Building {
        id: around.id.clone(),
        use_,
        vertices: vertices.list,
        storeys,
        stairs,
        shafts: Vec::new(),
        roofs,
    };
    Some(Made {
        building,
        colour: colour(&outline.tags, &["building:colour", "building:color"]),
        roof_colour: colour(&outline.tags, &["roof:colour", "roof:color"]),
    })
}

/// Takes out of upper levels what no stair reaches, lest someone stands there in a drill and has no way out.
fn drop_unreached(
    all: &mut Vec<Vec<Polygon>>,
    layout: &Layout,
    outline: &Outline,
    detail: Detail,
    findings: &mut Findings,
) {
    if detail == Detail::Plain {
        return;
    }
    for (index, level) in all.iter_mut().enumerate().skip(1) {
        let before = level.len();
        level.retain(|shape| {
            layout.cores.iter().any(|c| c.levels > index && shape.contains(middle(c).map(f64::from)))
        });
        if level.len() < before {
            findings.add(
                "no-stair",
                (outline.osm, outline.line),
                format!(
                    "a part of level {} has no room for a stair that stands on the level below",
                    index + 1
                ),
                "the part was left out above there",
            );
        }
    }
    let kept = all.iter().position(Vec::is_empty).unwrap_or(all.len());
    all.truncate(kept.max(1));
}

fn middle(core: &Core) -> PointMm {
    let [a, b] = [0, 1].map(|k| (core.rect.low[k] + core.rect.high[k]) / 2.0);
    core.frame.place([a, b])
}

/// A colour as `#rrggbb`, from hex or one of the few names in use.
fn colour(tags: &Tags, keys: &[&str]) -> Option<String> {
    let text = keys.iter().find_map(|k| tags.get(*k))?.trim().to_lowercase();
    let named = [
        ("white", "#f5f5f2"),
        ("black", "#2b2b2b"),
        ("grey", "#8f8f8f"),
        ("gray", "#8f8f8f"),
        ("lightgrey", "#c8c8c6"),
        ("lightgray", "#c8c8c6"),
        ("darkgrey", "#5e5e5e"),
        ("red", "#b0463c"),
        ("brown", "#8a6242"),
        ("beige", "#e2d6bc"),
        ("yellow", "#e3c766"),
        ("tan", "#cdb088"),
        ("maroon", "#743a34"),
        ("green", "#5f8a5c"),
        ("blue", "#5b7ea6"),
        ("silver", "#bfc3c6"),
        ("orange", "#d08b4c"),
        ("pink", "#dba6a0"),
        ("brick", "#a5563f"),
        ("cream", "#efe6cd"),
    ];
    if let Some((_, hex)) = named.iter().find(|(name, _)| *name == text) {
        return Some((*hex).to_owned());
    }
    let hex = text.strip_prefix('#')?;
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    match hex.len() {
        6 => Some(format!("#{hex}")),
        3 => Some(format!("#{}", hex.chars().flat_map(|c| [c, c]).collect::<String>())),
        _ => None,
    }
}

/// What all storeys of a building are made with.
struct Stamp<'a> {
    outline: &'a Outline,
    around: &'a Around<'a>,
    programme: Programme,
    layout: &'a Layout,
    detail: Detail,
    storey_mm: i32,
    /// How many of the storeys are below the ground.
    below: usize,
    underground: bool,
}

impl Stamp<'_> {
    fn level(&self, index: usize) -> i32 {
        let level = index as i32 - self.below as i32;
        if level >= 0 { level + 1 } else { level }
    }

    fn storey(
        &self,
        index: usize,
        shapes: &[Polygon],
        open: bool,
        vertices: &mut Vertices,
    ) -> (Storey, usize) {
        let level = self.level(index);
        let mut cells: Vec<(Polygon, Piece)> = Vec::new();
        for shape in shapes {
            if open || self.detail != Detail::Rooms {
                cells.push((shape.clone(), Piece::Room));
            } else {
                let mut mine = self.layout.divide(shape, index);
                merge(&mut mine);
                cells.extend(mine);
            }
        }
        self.one_room_a_stair(&mut cells);
        stitch(&mut cells);
        let rooms = cells.iter().filter(|(_, piece)| *piece == Piece::Room).count();
        let programme = self.programme;
        let use_of_room = move |area_m2: f64| match programme {
            Programme::Hall(use_) => use_,
            Programme::Open => SpaceUse::Other,
            Programme::Rooms(use_) if use_ == SpaceUse::Classroom && rooms > 3 && area_m2 < 20.0 => {
                SpaceUse::Toilet
            }
            Programme::Rooms(use_) if use_ == SpaceUse::Classroom && rooms > 1 && area_m2 < 36.0 => {
                SpaceUse::Office
            }
            Programme::Rooms(SpaceUse::Library) if rooms > 1 && area_m2 < 25.0 => SpaceUse::Office,
            Programme::Rooms(use_) => use_,
        };
        let exterior = match colour(&self.outline.tags, &["building:colour", "building:color"]) {
            Some(hex) => format!("exterior-wall-{}", &hex[1..]),
            None => "exterior-wall".to_owned(),
        };
        let outer: Vec<Vec<PointMm>> = shapes.iter().map(|s| s.outline.clone()).collect();
        let layout = self.layout;
        let open_below =
            move |i: usize| index > 0 && layout.cores.get(i).is_some_and(|core| core.levels > index);
        let ground = level == 1 || (self.underground && level == -1);
        let spec = StoreySpec {
            level,
            height_mm: self.storey_mm,
            use_of_room: &use_of_room,
            entrances: if ground { self.around.entrances } else { &[] },
            exterior: &exterior,
            open,
            exits: ground,
            windows: level > 0,
            open_below: &open_below,
            outer: &outer,
        };
        let parts = build(&cells, &spec, vertices);
        let id = if level < 0 { format!("b{}", -level) } else { format!("{level}f") };
        let base = if self.underground { 0 } else { STEP_MM };
        let storey = Storey {
            id,
            level,
            floor_mm: base + self.storey_mm * (index as i32 - self.below as i32),
            height_mm: self.storey_mm,
            ceiling_mm: (self.storey_mm - 150).max(self.storey_mm / 2),
            slab: if index == 0 { "ground-slab" } else { "floor-slab" }.to_owned(),
            spaces: parts.spaces,
            walls: parts.walls,
            openings: parts.openings,
        };
        (storey, parts.open_joints)
    }

    /// Where a stair's strip was cut by more than its own lines, the stair is where its middle is.
    fn one_room_a_stair(&self, cells: &mut [(Polygon, Piece)]) {
        for (polygon, piece) in cells.iter_mut() {
            let Piece::Stair(i) = *piece else { continue };
            let at = self.layout.cores.get(i).map(|c| middle(c).map(f64::from));
            if !at.is_some_and(|at| polygon.contains(at)) {
                *piece = Piece::Room;
            }
        }
    }

    fn stairs(&self, storeys: &[Storey], vertices: &Vertices) -> Vec<Stair> {
        let mut found = Vec::new();
        for (i, core) in self.layout.cores.iter().enumerate() {
            for pair in storeys.windows(2).take(core.levels.saturating_sub(1)) {
                let at = middle(core).map(f64::from);
                let space = |storey: &Storey| {
                    let named = format!("stair-{}", i + 1);
                    let inside = |outline: &[u32]| {
                        let ring: Vec<PointMm> = outline.iter().map(|v| vertices.list[*v as usize]).collect();
                        Polygon::of(ring).contains(at)
                    };
                    let own = storey.spaces.iter().find(|s| s.id == named);
                    own.or_else(|| storey.spaces.iter().find(|s| inside(&s.outline))).map(|s| s.id.clone())
                };
                let (Some(from), Some(to)) = (space(&pair[0]), space(&pair[1])) else { continue };
                found.push(stair(i, core, &pair[0], &pair[1], from, to));
            }
        }
        found
    }
}

/// Two flights with a landing between where the room is wide enough, else one.
fn stair(
    i: usize,
    core: &Core,
    lower: &Storey,
    upper: &Storey,
    space_from: String,
    space_to: String,
) -> Stair {
    /// The highest riser, the tread and the landing, from comfortable to steep.
    const SHAPES: [[f64; 3]; 7] = [
        [150.0, 300.0, 1400.0],
        [150.0, 280.0, 1400.0],
        [150.0, 260.0, 1300.0],
        [165.0, 260.0, 1200.0],
        [175.0, 250.0, 1100.0],
        [190.0, 230.0, 900.0],
        [200.0, 200.0, 700.0],
    ];
    const WELL_MM: f64 = 100.0;
    let rise = f64::from(upper.floor_mm - lower.floor_mm);
    let inner = core.rect.inset(if core.rect.size().iter().all(|s| *s > 2000.0) { 150.0 } else { 50.0 });
    let [width_u, depth_v] = inner.size();
    // The way in from the door; the stair runs along the longer side.
    let across = depth_v >= width_u;
    let (width, depth) = if across { (width_u, depth_v) } else { (depth_v, width_u) };
    let from_low = core.door_low || !across;
    // From "inwards, to the left of that" to the frame's axes.
    let at = |inward: f64, left: f64| -> PointMm {
        let (mu, mv) = ((inner.low[0] + inner.high[0]) / 2.0, (inner.low[1] + inner.high[1]) / 2.0);
        core.frame.place(match (across, from_low) {
            (true, true) => [mu - left, inner.low[1] + inward],
            (true, false) => [mu + left, inner.high[1] - inward],
            (false, _) => [inner.low[0] + inward, mv + left],
        })
    };
    let inwards = core.frame.heading_deg()
        + match (across, from_low) {
            (true, true) => 90.0,
            (true, false) => 270.0,
            (false, _) => 0.0,
        };
    let double = width >= 1700.0;
    let steps_for = |riser: f64| {
        let steps = (rise / riser).ceil().max(2.0);
        if double { (steps / 2.0).ceil() * 2.0 } else { steps }
    };
    let runs = |steps: f64| if double { steps / 2.0 - 1.0 } else { steps - 1.0 };
    let fitting = SHAPES
        .iter()
        .find(|[riser, tread, landing]| runs(steps_for(*riser)) * tread + 2.0 * landing <= depth);
    // What fits nowhere is a steep stair, as in an attic.
    let (steps, tread) = match fitting {
        Some([riser, tread, _]) => (steps_for(*riser), *tread),
        None => {
            let steps = steps_for(220.0);
            (steps, ((depth - 2.0 * 600.0_f64.min(depth / 4.0)) / runs(steps).max(1.0)).clamp(30.0, 250.0))
        }
    };
    let run = runs(steps) * tread;
    let entry = ((depth - run) / 2.0).max(0.0);
    let half_width = width / 2.0;
    let flight = |start: PointMm, heading_deg: f64, base_mm: f64, steps: f64, width: f64| Flight {
        start,
        heading_deg: (heading_deg.rem_euclid(360.0) * 1e6).round() / 1e6,
        base_mm: base_mm.round() as i32,
        steps: steps as u32,
        tread_mm: (tread * 10.0).round() / 10.0,
        riser_mm: rise / if double { steps * 2.0 } else { steps },
        width_mm: width.max(300.0) as i32,
    };
    let landing = |from: f64, to: f64, level: f64| Landing {
        outline: Polygon::of(vec![
            at(from, half_width),
            at(from, -half_width),
            at(to, -half_width),
            at(to, half_width),
        ])
        .outline,
        level_mm: level.round() as i32,
    };
    let (flights, landings) = if double {
        let (half, each) = (steps / 2.0, (width - WELL_MM) / 2.0);
        let aside = (WELL_MM + each) / 2.0;
        (
            vec![
                flight(at(entry, -aside), inwards, 0.0, half, each),
                flight(at(entry + run, aside), inwards + 180.0, rise / 2.0, half, each),
            ],
            vec![landing(entry + run, depth, rise / 2.0), landing(0.0, entry, rise)],
        )
    } else {
        (vec![flight(at(entry, 0.0), inwards, 0.0, steps, width)], vec![landing(entry + run, depth, rise)])
    };
    Stair {
        id: format!("stair-{}-{}", i + 1, lower.id),
        kind: StairKind::Stair,
        from: lower.id.clone(),
        to: upper.id.clone(),
        space_from,
        space_to,
        flights,
        landings,
    }
}

/// Roofs over what ends at each level.
fn roofs(
    levels: &[Vec<Polygon>],
    storeys: &[Storey],
    tags: &Tags,
    roof_mm: i32,
    vertices: &mut Vertices,
) -> Vec<Roof> {
    let construction = match colour(tags, &["roof:colour", "roof:color"]) {
        Some(hex) => format!("roof-{}", &hex[1..]),
        None => "roof".to_owned(),
    };
    let mut found: Vec<Roof> = Vec::new();
    for (i, (level, storey)) in levels.iter().zip(storeys).enumerate() {
        let above = levels.get(i + 1).map_or(&[][..], Vec::as_slice);
        let open: Vec<Polygon> = if above.is_empty() { level.clone() } else { difference(level, above) };
        for shape in
            open.into_iter().filter(|p| p.area_m2() > 0.5 && 2.0 * p.area_m2() / p.perimeter_m() > 0.2)
        {
            let plain = shape.holes.is_empty();
            for piece in shape.without_holes() {
                let shaped = if plain && above.is_empty() { sloping(tags, roof_mm, &piece) } else { None };
                let (kind, pitch_deg, ridge_deg) = shaped.unwrap_or((RoofKind::Flat, 0.0, 0.0));
                let parapet = plain && kind == RoofKind::Flat && piece.area_m2() > 150.0;
                found.push(Roof {
                    id: format!("roof-{}", found.len() + 1),
                    kind,
                    outline: vertices.ring(&piece.outline),
                    base_mm: storey.floor_mm + storey.height_mm,
                    pitch_deg,
                    ridge_deg,
                    parapet_mm: if parapet { 600 } else { 0 },
                    construction: construction.clone(),
                    downpipes: Vec::new(),
                    solar: None,
                });
            }
        }
    }
    found
}

/// The form of a sloping roof from its tags.
fn sloping(tags: &Tags, roof_mm: i32, piece: &Polygon) -> Option<(RoofKind, f64, f64)> {
    let kind = match tags.get("roof:shape").map(String::as_str)? {
        "gabled" | "gambrel" | "saltbox" | "round" => RoofKind::Gable,
        "hipped" | "pyramidal" | "half-hipped" | "mansard" => RoofKind::Hip,
        "skillion" => RoofKind::Mono,
        _ => return None,
    };
    let convex = edges(&piece.outline).count() <= 8 && {
        let ring = &piece.outline;
        let n = ring.len();
        (0..n).all(|i| {
            let (a, b, c) = (ring[i], ring[(i + 1) % n], ring[(i + 2) % n]);
            let cross = i64::from(b[0] - a[0]) * i64::from(c[1] - b[1])
                - i64::from(b[1] - a[1]) * i64::from(c[0] - b[0]);
            cross as f64 > -0.05 * length(a, b) * length(b, c)
        })
    };
    // The planes of a hip are those of a convex outline.
    let kind = if kind == RoofKind::Hip && !convex { return None } else { kind };
    let frame = Frame::of(piece);
    let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
    for p in piece.outline.iter().map(|p| frame.local(*p)) {
        for k in 0..2 {
            (low[k], high[k]) = (low[k].min(p[k]), high[k].max(p[k]));
        }
    }
    let size = [high[0] - low[0], high[1] - low[1]];
    let mut along_u = size[0] >= size[1];
    if tags.get("roof:orientation").is_some_and(|o| o == "across") {
        along_u = !along_u;
    }
    let span = if along_u { size[1] } else { size[0] };
    let rise = if roof_mm > 0 { f64::from(roof_mm) } else { 0.0 };
    let half = if kind == RoofKind::Mono { span } else { span / 2.0 };
    let angle =
        tags.get("roof:angle").and_then(|a| super::value::number(a)).filter(|a| (1.0..=75.0).contains(a));
    let pitch = angle
        .unwrap_or_else(|| if rise > 0.0 { libm::atan2(rise, half.max(1.0)).to_degrees() } else { 25.0 });
    let ridge = frame.heading_deg() + if along_u { 0.0 } else { 90.0 };
    let ridge = match (kind, tags.get("roof:direction").and_then(|d| super::value::number(d))) {
        // Down the slope, clockwise from north in OpenStreetMap.
        (RoofKind::Mono, Some(down)) => 90.0 - down,
        (RoofKind::Mono, None) => ridge + 90.0,
        _ => ridge,
    };
    let round = |x: f64| (x * 1e3).round() / 1e3;
    Some((kind, round(pitch.clamp(1.0, 75.0)), round(ridge.rem_euclid(360.0))))
}
