//! Everything outdoors: tags of OpenStreetMap to the kinds of the plan.

use campanile_model::{
    AssemblyPoint, Cover, Fence, Gate, GateKind, Green, GreenKind, Ground, Names, Object, ObjectKind,
    Outside, PointMm, Road, Tree, Water, WaterKind,
};

use super::read::Tags;
use super::value::{length_m, number};
use crate::polygon::{Polygon, bounds, difference, even_odd, intersection, length, union};

/// Trees along a row stand so far apart where nothing is tagged.
const ROW_MM: f64 = 8000.0;
/// More than any campus has.
const MAX_TREES: usize = 50_000;

fn get<'a>(tags: &'a Tags, key: &str) -> &'a str {
    tags.get(key).map_or("", String::as_str)
}

/// What an area is; `None`: nothing of the plan.
pub(crate) enum AreaKind {
    Ground(Cover),
    Green(GreenKind, i32),
    Water(WaterKind),
    Assembly,
}

/// The cover that a surface is.
pub(crate) fn surface(tags: &Tags) -> Option<Cover> {
    Some(match get(tags, "surface") {
        "asphalt" | "chipseal" => Cover::Asphalt,
        "concrete" | "concrete:plates" | "concrete:lanes" | "cement" => Cover::Concrete,
        "paved" | "paving_stones" | "sett" | "cobblestone" | "bricks" | "brick" | "unhewn_cobblestone"
        | "tiles" => Cover::Paving,
        "grass_paver" => Cover::PermeablePaving,
        "gravel" | "fine_gravel" | "compacted" | "pebblestone" | "unpaved" => Cover::Gravel,
        "dirt" | "ground" | "earth" | "mud" | "clay" => Cover::Soil,
        "sand" => Cover::Sand,
        "grass" => Cover::Grass,
        "artificial_turf" => Cover::Turf,
        "tartan" | "rubber" => Cover::Track,
        "acrylic" | "plastic" | "hard" | "metal" => Cover::Court,
        "wood" | "woodchips" => Cover::Deck,
        _ => return None,
    })
}

pub(crate) fn area_kind(tags: &Tags) -> Option<AreaKind> {
    use AreaKind as K;
    let is = |key: &str, value: &str| get(tags, key) == value;
    match get(tags, "natural") {
        "water" => {
            let flows = matches!(get(tags, "water"), "river" | "stream" | "canal" | "ditch" | "stream_pool");
            return Some(K::Water(if flows { WaterKind::River } else { WaterKind::Pond }));
        }
        "wood" => return Some(K::Ground(Cover::Planting)),
        "scrub" | "heath" | "shrubbery" => return Some(K::Green(GreenKind::Shrubs, 1200)),
        "grassland" => return Some(K::Ground(Cover::Grass)),
        "wetland" => return Some(K::Green(GreenKind::Reeds, 800)),
        "sand" | "beach" => return Some(K::Ground(Cover::Sand)),
        "bare_rock" | "scree" | "shingle" => return Some(K::Ground(Cover::Gravel)),
        _ => {}
    }
    if is("waterway", "riverbank") || is("waterway", "dock") {
        return Some(K::Water(WaterKind::River));
    }
    if matches!(get(tags, "landuse"), "reservoir" | "basin")
        || is("leisure", "swimming_pool")
        || is("amenity", "fountain")
    {
        return Some(K::Water(WaterKind::Pond));
    }
    if is("emergency", "assembly_point") {
        return Some(K::Assembly);
    }
    match get(tags, "barrier") {
        "hedge" => {
            let height = length_m(get(tags, "height")).filter(|h| (0.2..10.0).contains(h)).unwrap_or(1.5);
            return Some(K::Green(GreenKind::Hedge, (height * 1e3) as i32));
        }
        "" => {}
        _ => return None,
    }
    let sport = get(tags, "sport");
    match get(tags, "leisure") {
        "pitch" => {
            let by_sport = if [
                "tennis",
                "basketball",
                "volleyball",
                "badminton",
                "multi",
                "netball",
                "table_tennis",
                "skateboard",
            ]
            .iter()
            .any(|s| sport.contains(s))
            {
                Cover::Court
            } else if sport.contains("beachvolleyball") {
                Cover::Sand
            } else {
                Cover::Turf
            };
            let tagged = surface(tags)
                .map(|c| if c == Cover::Asphalt || c == Cover::Concrete { Cover::Court } else { c });
            return Some(K::Ground(tagged.unwrap_or(by_sport)));
        }
        "track" => return Some(K::Ground(surface(tags).unwrap_or(Cover::Track))),
        "playground" | "fitness_station" => return Some(K::Ground(surface(tags).unwrap_or(Cover::Court))),
        "garden" => return Some(K::Green(GreenKind::Bed, 0)),
        "park" | "common" | "dog_park" | "golf_course" | "nature_reserve" => {
            return Some(K::Ground(Cover::Grass));
        }
        "outdoor_seating" | "bleachers" | "marina" => {
            return Some(K::Ground(surface(tags).unwrap_or(Cover::Paving)));
        }
        _ => {}
    }
    match get(tags, "landuse") {
        "grass" | "village_green" | "recreation_ground" | "meadow" | "greenfield" | "cemetery" => {
            return Some(K::Ground(Cover::Grass));
        }
        "forest" => return Some(K::Ground(Cover::Planting)),
        "flowerbed" | "plant_nursery" => return Some(K::Green(GreenKind::Bed, 300)),
        "farmland" | "orchard" | "vineyard" | "allotments" | "farmyard" => {
            return Some(K::Ground(Cover::Crop));
        }
        "construction" | "brownfield" | "landfill" | "quarry" => return Some(K::Ground(Cover::Soil)),
        "greenhouse_horticulture" => return Some(K::Green(GreenKind::Farm, 0)),
        _ => {}
    }
    if matches!(
        get(tags, "amenity"),
        "parking" | "bicycle_parking" | "motorcycle_parking" | "parking_space" | "bus_station"
    ) {
        let below = matches!(get(tags, "parking"), "underground" | "multi-storey" | "rooftop");
        return (!below).then(|| K::Ground(surface(tags).unwrap_or(Cover::Asphalt)));
    }
    if !get(tags, "area:highway").is_empty()
        || (is("area", "yes") && !get(tags, "highway").is_empty())
        || matches!(get(tags, "place"), "square")
        || is("man_made", "bridge")
        || is("highway", "platform")
        || is("public_transport", "platform")
    {
        return Some(K::Ground(surface(tags).unwrap_or(Cover::Paving)));
    }
    None
}

/// The width and cover of a road; `None`: not a road of the ground.
pub(crate) fn road(tags: &Tags) -> Option<(i32, Cover)> {
    let class = get(tags, "highway");
    let (width, cover) = match class {
        "motorway" | "trunk" => (14.0, Cover::Asphalt),
        "primary" => (12.0, Cover::Asphalt),
        "secondary" => (10.0, Cover::Asphalt),
        "tertiary" | "motorway_link" | "trunk_link" | "primary_link" | "secondary_link" | "tertiary_link" => {
            (8.0, Cover::Asphalt)
        }
        "residential" | "unclassified" | "busway" | "road" | "raceway" => (6.5, Cover::Asphalt),
        "living_street" | "service" => (4.5, Cover::Asphalt),
        "pedestrian" => (4.0, Cover::Paving),
        "track" => (3.0, Cover::Gravel),
        "cycleway" => (2.5, Cover::Asphalt),
        "footway" => (2.0, Cover::Paving),
        "steps" => (2.0, Cover::Concrete),
        "path" | "bridleway" => (1.5, Cover::Gravel),
        "" if matches!(get(tags, "railway"), "rail" | "light_rail" | "tram" | "narrow_gauge") => {
            (3.4, Cover::Gravel)
        }
        _ => return None,
    };
    let hidden = matches!(get(tags, "tunnel"), "yes" | "building_passage" | "culvert")
        || !matches!(get(tags, "indoor"), "" | "no")
        || get(tags, "location") == "underground";
    if hidden {
        return None;
    }
    let tagged = length_m(get(tags, "width")).or_else(|| number(get(tags, "lanes")).map(|n| n * 3.25));
    let width = tagged.filter(|w| (0.5..60.0).contains(w)).unwrap_or(width);
    Some(((width * 1e3) as i32, surface(tags).unwrap_or(cover)))
}

/// The width of a river that is only a line.
pub(crate) fn waterway_width_mm(tags: &Tags) -> Option<f64> {
    let usual = match get(tags, "waterway") {
        "river" => 12.0,
        "canal" => 8.0,
        "stream" | "tidal_channel" => 2.5,
        "ditch" | "drain" => 1.5,
        _ => return None,
    };
    if matches!(get(tags, "tunnel"), "yes" | "culvert") || get(tags, "location") == "underground" {
        return None;
    }
    Some(length_m(get(tags, "width")).filter(|w| (0.3..500.0).contains(w)).unwrap_or(usual) * 1e3)
}

/// The height of a fence or wall, and whether it is a hedge.
pub(crate) fn fence(tags: &Tags) -> Option<(i32, bool)> {
    let usual = match get(tags, "barrier") {
        "fence" | "wire_fence" | "chain" => 1.8,
        "wall" | "retaining_wall" | "noise_barrier" => 2.2,
        "city_wall" => 6.0,
        "guard_rail" | "handrail" | "railing" => 1.0,
        "hedge" => 1.5,
        _ => return None,
    };
    let height = length_m(get(tags, "height")).filter(|h| (0.2..30.0).contains(h)).unwrap_or(usual);
    Some(((height * 1e3) as i32, get(tags, "barrier") == "hedge"))
}

pub(crate) fn gate(tags: &Tags) -> Option<(GateKind, f64)> {
    let kind = match get(tags, "barrier") {
        "gate" | "wicket_gate" | "entrance" | "kissing_gate" | "turnstile" | "full-height_turnstile" => {
            GateKind::Pedestrian
        }
        "lift_gate" | "swing_gate" | "sliding_gate" | "hampshire_gate" => GateKind::Vehicle,
        _ => return None,
    };
    let main = get(tags, "entrance") == "main" || get(tags, "gate") == "main";
    let emergency = get(tags, "access") == "emergency" || get(tags, "entrance") == "emergency";
    let vehicles = matches!(get(tags, "motor_vehicle"), "yes" | "private" | "permit");
    let kind = if main {
        GateKind::Main
    } else if emergency {
        GateKind::Emergency
    } else if vehicles {
        GateKind::Vehicle
    } else {
        kind
    };
    let usual = if kind == GateKind::Pedestrian { 2.0 } else { 5.0 };
    let width = length_m(get(tags, "width")).or_else(|| length_m(get(tags, "maxwidth:physical")));
    Some((kind, width.filter(|w| (0.8..30.0).contains(w)).unwrap_or(usual) * 1e3))
}

pub(crate) fn object(tags: &Tags) -> Option<(ObjectKind, [i32; 3])> {
    let is = |key: &str, value: &str| get(tags, key) == value;
    let found = if is("highway", "street_lamp") {
        (ObjectKind::Lamp, [300, 300, 6000])
    } else if is("amenity", "bench") {
        (ObjectKind::Bench, [1800, 600, 800])
    } else if is("man_made", "flagpole") {
        (ObjectKind::Flagpole, [300, 300, 10_000])
    } else if is("amenity", "bicycle_parking") {
        (ObjectKind::BicycleStand, [4000, 2000, 2200])
    } else if matches!(get(tags, "amenity"), "waste_basket" | "recycling" | "waste_disposal") {
        (ObjectKind::Waste, [1200, 700, 1100])
    } else if is("tourism", "information") || is("advertising", "board") {
        (ObjectKind::Board, [1500, 200, 2200])
    } else if is("tourism", "artwork") || matches!(get(tags, "historic"), "monument" | "memorial") {
        (ObjectKind::Sculpture, [1500, 1500, 3000])
    } else if is("man_made", "storage_tank") || is("man_made", "water_tank") {
        (ObjectKind::Tank, [3000, 3000, 3000])
    } else if is("man_made", "monitoring_station") {
        (ObjectKind::WeatherStation, [1200, 1200, 3000])
    } else {
        return None;
    };
    Some(found)
}

/// A tree's species and sizes; what is absurd is left to the usual.
fn tree(id: String, tags: &Tags, at: PointMm) -> Tree {
    let metres = |keys: &[&str], least: f64, most: f64| {
        keys.iter().find_map(|k| length_m(get(tags, k))).filter(|m| (least..=most).contains(m))
    };
    let height = metres(&["height", "est_height"], 0.5, 110.0).unwrap_or(8.0);
    let crown = metres(&["diameter_crown"], 0.3, 60.0).unwrap_or((height * 0.65).max(0.5));
    let trunk = metres(&["circumference"], 0.02, 40.0)
        .map(|c| c / std::f64::consts::PI)
        .or_else(|| metres(&["diameter"], 0.01, 12.0))
        .unwrap_or(height * 0.035);
    let species = ["species", "taxon", "genus"].iter().map(|k| get(tags, k)).find(|s| !s.is_empty());
    let species = species.and_then(super::value::clean_name).unwrap_or_else(|| {
        match (get(tags, "leaf_type"), get(tags, "leaf_cycle")) {
            ("needleleaved", _) => "Pinus sp.",
            (_, "evergreen") => "Cinnamomum sp.",
            _ => "Arbor sp.",
        }
        .to_owned()
    });
    let mm = |m: f64| ((m * 1e3).round() as i32).max(10);
    Tree { id, species, at, height_mm: mm(height), crown_mm: mm(crown), trunk_mm: mm(trunk) }
}

/// The outside while it is put together.
#[derive(Default)]
pub(crate) struct Outdoors {
    pub outside: Outside,
    /// Names by path.
    pub names: Vec<(String, Names)>,
    grounds: Vec<(String, Cover, Vec<Polygon>, Option<Names>)>,
    waters: Vec<(String, WaterKind, Vec<Polygon>, Option<Names>)>,
}

impl Outdoors {
    fn vertices(&mut self, points: &[PointMm]) -> Vec<u32> {
        let start = self.outside.vertices.len() as u32;
        self.outside.vertices.extend_from_slice(points);
        (start..start + points.len() as u32).collect()
    }

    fn name(&mut self, id: &str, names: &Option<Names>) {
        if let Some(names) = names {
            self.names.push((format!("site/{id}"), names.clone()));
        }
    }

    pub fn area(&mut self, stem: &str, kind: AreaKind, area: Vec<Polygon>, names: Option<Names>) {
        match kind {
            AreaKind::Ground(cover) => self.grounds.push((format!("ground-{stem}"), cover, area, names)),
            AreaKind::Water(kind) => self.waters.push((format!("water-{stem}"), kind, area, names)),
            AreaKind::Green(kind, height_mm) => {
                for (i, piece) in area.iter().flat_map(Polygon::without_holes).enumerate() {
                    let id = numbered(format!("green-{stem}"), i);
                    self.name(&id, &names);
                    let outline = self.vertices(&piece.outline);
                    self.outside.greens.push(Green { id, kind, outline, height_mm });
                }
            }
            AreaKind::Assembly => {
                for (i, piece) in area.iter().enumerate() {
                    let id = numbered(format!("assembly-{stem}"), i);
                    self.name(&id, &names);
                    let outline = self.vertices(&piece.outline);
                    let capacity = piece.area_m2().max(1.0) as u32;
                    self.outside.assembly_points.push(AssemblyPoint { id, outline, capacity });
                }
            }
        }
    }

    pub fn waterway(
        &mut self,
        stem: &str,
        lines: &[Vec<PointMm>],
        width_mm: f64,
        clip: &[Polygon],
        names: Option<Names>,
    ) {
        let bands: Vec<Polygon> = lines.iter().flat_map(|l| band(l, width_mm)).collect();
        if !bands.is_empty() {
            let area = intersection(&union(&bands), clip);
            self.waters.push((format!("water-{stem}"), WaterKind::River, area, names));
        }
    }

    pub fn road(
        &mut self,
        stem: &str,
        lines: Vec<Vec<PointMm>>,
        (width_mm, cover): (i32, Cover),
        names: Option<Names>,
    ) {
        for (i, line) in lines.into_iter().enumerate() {
            let id = numbered(format!("road-{stem}"), i);
            self.name(&id, &names);
            let line = self.vertices(&line);
            self.outside.roads.push(Road { id, line, width_mm, cover });
        }
    }

    pub fn fence(&mut self, stem: &str, lines: Vec<Vec<PointMm>>, height_mm: i32, hedge: bool) {
        for (i, line) in lines.into_iter().enumerate() {
            if hedge {
                let area = union(&band(&line, 800.0));
                self.area(
                    &numbered(stem.to_owned(), i),
                    AreaKind::Green(GreenKind::Hedge, height_mm),
                    area,
                    None,
                );
            } else {
                let id = numbered(format!("fence-{stem}"), i);
                let line = self.vertices(&line);
                self.outside.fences.push(Fence { id, line, height_mm });
            }
        }
    }

    /// A gate between two places.
    pub fn gate(&mut self, stem: &str, ends: [PointMm; 2], kind: GateKind, names: Option<Names>) {
        let id = format!("gate-{stem}");
        self.name(&id, &names);
        let ends = self.vertices(&ends);
        self.outside.gates.push(Gate { id, a: ends[0], b: ends[1], kind });
    }

    pub fn tree(&mut self, stem: &str, tags: &Tags, at: PointMm) {
        if self.outside.trees.len() < MAX_TREES {
            self.outside.trees.push(tree(format!("tree-{stem}"), tags, at));
        }
    }

    pub fn tree_row(&mut self, stem: &str, tags: &Tags, lines: &[Vec<PointMm>]) {
        let mut count = 0;
        for line in lines {
            let mut next = 0.0;
            let mut walked = 0.0;
            for (a, b) in line.windows(2).map(|w| (w[0], w[1])) {
                let total = length(a, b);
                while next <= walked + total && total > 0.0 {
                    let t = (next - walked) / total;
                    let at = [0, 1].map(|k| (f64::from(a[k]) + t * f64::from(b[k] - a[k])).round() as i32);
                    count += 1;
                    self.tree(&format!("{stem}-{count}"), tags, at);
                    next += ROW_MM;
                }
                walked += total;
            }
        }
    }

    pub fn object(
        &mut self,
        stem: &str,
        (kind, size_mm): (ObjectKind, [i32; 3]),
        heading_deg: f64,
        at: PointMm,
    ) {
        let id = format!("object-{stem}");
        self.outside.objects.push(Object { id, kind, at, heading_deg, size_mm });
    }

    /// Lays the grounds side by side: of two that overlap, the smaller lies on top, and water is free of either.
    pub fn finish(mut self) -> (Outside, Vec<(String, Names)>) {
        let mut taken: Vec<Polygon> = Vec::new();
        let size = |area: &Vec<Polygon>| area.iter().map(Polygon::area_m2).sum::<f64>();
        let mut waters = std::mem::take(&mut self.waters);
        waters.sort_by(|a, b| size(&a.2).total_cmp(&size(&b.2)).then(a.0.cmp(&b.0)));
        for (stem, kind, area, names) in waters {
            let free = if taken.is_empty() { area } else { difference(&area, &taken) };
            for (i, piece) in
                kept(&free).flat_map(|p| p.without_holes()).filter(|p| p.area_m2() > 0.5).enumerate()
            {
                let id = numbered(stem.clone(), i);
                self.name(&id, &names);
                let outline = self.vertices(&piece.outline);
                let (bed_mm, level_mm) = if kind == WaterKind::River { (-2000, -400) } else { (-1200, -250) };
                self.outside.waters.push(Water { id, kind, outline, bed_mm, level_mm });
            }
            taken = union(&[taken, free].concat());
        }
        let mut grounds = std::mem::take(&mut self.grounds);
        grounds.sort_by(|a, b| size(&a.2).total_cmp(&size(&b.2)).then(a.0.cmp(&b.0)));
        for (stem, cover, area, names) in grounds {
            let free = if taken.is_empty() { area } else { difference(&area, &taken) };
            for (i, piece) in kept(&free).enumerate() {
                let id = numbered(stem.clone(), i);
                self.name(&id, &names);
                let outline = self.vertices(&piece.outline);
                let holes = piece.holes.iter().map(|h| self.vertices(h)).collect();
                self.outside.grounds.push(Ground { id, cover, outline, holes });
            }
            taken = union(&[taken, free].concat());
        }
        (self.outside, self.names)
    }
}

fn kept(area: &[Polygon]) -> impl Iterator<Item = &Polygon> {
    area.iter().filter(|p| p.area_m2() > 0.5 && 2.0 * p.area_m2() / p.perimeter_m() > 0.05)
}

fn numbered(stem: String, i: usize) -> String {
    if i == 0 { stem } else { format!("{stem}-{}", i + 1) }
}

/// A line with a width, as quadrilaterals and a disc at each bend.
fn band(line: &[PointMm], width_mm: f64) -> Vec<Polygon> {
    let half = width_mm / 2.0;
    let mut found = Vec::new();
    for (i, pair) in line.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        let total = length(a, b);
        if total < 1.0 {
            continue;
        }
        let n = [-f64::from(b[1] - a[1]) / total * half, f64::from(b[0] - a[0]) / total * half];
        let shift = |p: PointMm, s: f64| [0, 1].map(|k| (f64::from(p[k]) + s * n[k]).round() as i32);
        found.extend(even_odd(&[vec![shift(a, -1.0), shift(b, -1.0), shift(b, 1.0), shift(a, 1.0)]]));
        if i > 0 && half > 300.0 {
            let disc = (0..12).map(|k| {
                let angle = std::f64::consts::TAU * f64::from(k) / 12.0;
                [
                    (f64::from(a[0]) + half * libm::cos(angle)) as i32,
                    (f64::from(a[1]) + half * libm::sin(angle)) as i32,
                ]
            });
            found.extend(even_odd(&[disc.collect()]));
        }
    }
    found
}

/// The pieces of a line within a box, whole corners kept.
pub(crate) fn clip_line(line: &[PointMm], low: PointMm, high: PointMm) -> Vec<Vec<PointMm>> {
    let mut pieces: Vec<Vec<PointMm>> = Vec::new();
    let mut last: Option<PointMm> = None;
    for pair in line.windows(2) {
        let (a, b) = (pair[0].map(f64::from), pair[1].map(f64::from));
        let d = [b[0] - a[0], b[1] - a[1]];
        let (mut from, mut to) = (0.0_f64, 1.0_f64);
        for k in 0..2 {
            let (low, high) = (f64::from(low[k]), f64::from(high[k]));
            if d[k] == 0.0 {
                if a[k] < low || a[k] > high {
                    to = -1.0;
                }
            } else {
                let (t0, t1) = ((low - a[k]) / d[k], (high - a[k]) / d[k]);
                from = from.max(t0.min(t1));
                to = to.min(t0.max(t1));
            }
        }
        if from >= to {
            last = None;
            continue;
        }
        let at = |t: f64| [0, 1].map(|k| (a[k] + t * d[k]).round() as i32);
        let (p, q) = (at(from), at(to));
        if p == q {
            continue;
        }
        match pieces.last_mut() {
            Some(piece) if last == Some(p) => piece.push(q),
            _ => pieces.push(vec![p, q]),
        }
        last = Some(q);
    }
    pieces
}

/// A gate by its index, and its two ends.
type GateEnds = (usize, [PointMm; 2]);

/// Cuts gaps of a width into a line where gates stand on it. Gives the pieces, and each gate's ends by its index.
pub(crate) fn cut_gates(
    line: &[PointMm],
    gates: &[(usize, PointMm, f64)],
) -> (Vec<Vec<PointMm>>, Vec<GateEnds>) {
    let total: f64 = line.windows(2).map(|w| length(w[0], w[1])).sum();
    let mut gaps: Vec<(f64, f64, usize)> = Vec::new();
    for (index, at, width) in gates {
        let mut walked = 0.0;
        let mut best = (f64::MAX, 0.0);
        for pair in line.windows(2) {
            let (away, along) = crate::polygon::to_segment(*at, pair[0], pair[1]);
            if away < best.0 {
                best = (away, walked + along);
            }
            walked += length(pair[0], pair[1]);
        }
        let (from, to) = ((best.1 - width / 2.0).max(0.0), (best.1 + width / 2.0).min(total));
        if best.0 < 500.0 && to - from > 500.0 {
            gaps.push((from, to, *index));
        }
    }
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0));
    gaps.dedup_by(|b, a| b.0 < a.1 + 200.0);
    let at = |s: f64| -> PointMm {
        let mut walked = 0.0;
        for pair in line.windows(2) {
            let step = length(pair[0], pair[1]);
            if s <= walked + step && step > 0.0 {
                let t = ((s - walked) / step).clamp(0.0, 1.0);
                return [0, 1].map(|k| {
                    (f64::from(pair[0][k]) + t * f64::from(pair[1][k] - pair[0][k])).round() as i32
                });
            }
            walked += step;
        }
        line[line.len() - 1]
    };
    let between = |from: f64, to: f64| -> Vec<PointMm> {
        let mut piece = vec![at(from)];
        let mut walked = 0.0;
        for pair in line.windows(2) {
            walked += length(pair[0], pair[1]);
            if walked > from && walked < to {
                piece.push(pair[1]);
            }
        }
        piece.push(at(to));
        piece.dedup();
        piece
    };
    let mut pieces = Vec::new();
    let mut from = 0.0;
    for (a, b, _) in &gaps {
        pieces.push(between(from, *a));
        from = *b;
    }
    pieces.push(between(from, total));
    pieces.retain(|p| p.len() > 1);
    (pieces, gaps.into_iter().map(|(a, b, i)| (i, [at(a), at(b)])).filter(|(_, [a, b])| a != b).collect())
}

/// The box around lines, in use where nothing else says how far the extract goes.
pub(crate) fn box_of(polygons: &[Polygon]) -> Option<(PointMm, PointMm)> {
    let found = bounds(polygons.iter().flat_map(|p| p.outline.iter().copied()));
    (found.0[0] <= found.1[0]).then_some(found)
}
