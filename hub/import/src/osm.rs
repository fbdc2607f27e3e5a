//! An OpenStreetMap extract as a campus.
//!
//! [`import`] reads OSM XML and gives a plan that passes every check, the text of a `campus.toml`, a flat terrain, and
//! what was found broken or had to be guessed. What becomes of which tag is in `docs/import.md`.

use std::collections::{BTreeMap, BTreeSet};

use campanile_formats::Grid;
use campanile_model::{Construction, ConstructionKind, Names, Plan, PointMm, Severity, Site};
use serde::Serialize;

mod area;
mod building;
mod campus_text;
mod escape;
mod layout;
mod names;
mod outdoors;
mod projection;
mod read;
mod site;
mod storey;
mod value;
mod zone;

pub use read::{MAX_OSM_BYTES, OsmError};

use crate::findings::{ElementKind, Findings, OsmId};
use crate::polygon::{Polygon, intersection, to_segment};
use area::{LIMIT_M, of_relation, of_way, places, way_id};
use building::{Around, Detail, Made, Outline};
use outdoors::{Outdoors, area_kind, clip_line, cut_gates};
use projection::Projection;
use read::{Bounds, Extract, Tags};
use value::{clean_name, slug};

/// What must be shown with everything made of OpenStreetMap (ODbL 1.0).
pub const ATTRIBUTION: &str = "© OpenStreetMap contributors";
/// The terrain's file beside the plan.
pub const TERRAIN_FILE: &str = "terrain.tif";
/// More buildings are a city, which no twin of a campus can show.
const MAX_BUILDINGS: usize = 5_000;
/// What the area shows around its buildings where the extract doesn't say how far it goes.
const MARGIN_MM: i32 = 20_000;

/// Marks what was mapped as a school's building and is its grounds.
const GROUNDS: &str = "campanile:grounds";

/// What to make of an extract.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The name of the campus where the map's isn't wanted.
    pub name: Option<String>,
    /// Whether storeys are divided into rooms.
    pub rooms: bool,
    /// A building with more floor than this isn't divided, m²; 300,000 where left out: more than any school has.
    pub most_floor_m2: Option<f64>,
    /// Whether what stands outside of the school's area is left out.
    pub only_campus: bool,
    /// The IANA time zone; else one by the place.
    pub zone: Option<String>,
    /// The weather file beside `campus.toml`, if there is one.
    pub weather: Option<String>,
}

/// No school building has as much floor: what has is a fault of the map, and its rooms would take minutes.
const LARGEST_DIVIDED_M2: f64 = 300_000.0;

/// How much was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Counts {
    pub buildings: usize,
    pub storeys: usize,
    pub spaces: usize,
    pub doors: usize,
    pub windows: usize,
    pub stairs: usize,
    pub roads: usize,
    pub grounds: usize,
    pub waters: usize,
    pub greens: usize,
    pub trees: usize,
    pub fences: usize,
    pub gates: usize,
    pub objects: usize,
}

/// A campus made of an extract.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The geometry; it has no error.
    pub plan: Plan,
    /// The text of `campus.toml`.
    pub campus_toml: String,
    /// Flat ground at datum 0: OpenStreetMap has no heights of the land.
    pub terrain: Grid,
    /// What was broken or guessed.
    pub findings: Findings,
    /// How much was made.
    pub counts: Counts,
    /// The names of the campus.
    pub names: Names,
    /// The time zone.
    pub timezone: String,
    /// Whether an area of a school was found, which gave the outline.
    pub campus_found: Option<OsmId>,
}

/// Makes a campus of OSM XML.
///
/// # Errors
/// [`OsmError`] where the bytes are no OSM XML, or an extract far beyond a campus.
pub fn import(bytes: &[u8], options: &Options) -> Result<Imported, OsmError> {
    let mut findings = Findings::default();
    let extract = read::read(bytes, &mut findings)?;
    let Some(bounds) = bounds_of(&extract) else {
        let what = "there is no node with a position in the file";
        let mend = "In Overpass end the query with `out geom;`, or with `(._;>;); out body;`; `out center;` and \
                    `out ids;` leave the shapes out.";
        return Err(OsmError::new(None, what, mend));
    };
    let projection = Projection::around(bounds);
    Importing { extract: &extract, projection, findings, options }.run(bounds)
}

/// The bounds of the file, else of the buildings and schools, else of everything.
fn bounds_of(extract: &Extract) -> Option<Bounds> {
    if extract.bounds.is_some() {
        return extract.bounds;
    }
    let main = |tags: &Tags| tags.contains_key("building") || is_campus(tags);
    let mut ids: BTreeSet<i64> =
        extract.ways.values().filter(|w| main(&w.tags)).flat_map(|w| w.nodes.clone()).collect();
    for relation in extract.relations.values().filter(|r| main(&r.tags)) {
        let ways = relation.members.iter().filter_map(|m| extract.ways.get(&m.id));
        ids.extend(ways.flat_map(|w| w.nodes.clone()));
    }
    let mut at: Vec<(f64, f64)> =
        ids.iter().filter_map(|id| extract.nodes.get(id)).map(|n| (n.lat, n.lon)).collect();
    if at.is_empty() {
        at = extract.nodes.values().map(|n| (n.lat, n.lon)).collect();
    }
    let first = at.first()?.1;
    let turn = |lon: f64| (lon - first + 180.0).rem_euclid(360.0) - 180.0;
    let fold = |start: f64, f: fn(f64, f64) -> f64, of: &dyn Fn(&(f64, f64)) -> f64| {
        at.iter().map(of).fold(start, f)
    };
    // A speck has a size all the same.
    let least = 1e-5;
    Some(Bounds {
        south: fold(f64::MAX, f64::min, &|p| p.0) - least,
        north: fold(f64::MIN, f64::max, &|p| p.0) + least,
        west: first + fold(f64::MAX, f64::min, &|p| turn(p.1)) - least,
        east: first + fold(f64::MIN, f64::max, &|p| turn(p.1)) + least,
    })
}

/// The outline nearest to the middle; of those around it, the largest.
fn nearest<'a>(outlines: impl Iterator<Item = &'a Outline>) -> Option<&'a Outline> {
    let away = |o: &Outline| {
        if o.area.iter().any(|p| p.contains([0.0, 0.0])) {
            return 0.0;
        }
        let edges = o.area.iter().flat_map(|p| crate::polygon::edges(&p.outline));
        edges.map(|(a, b)| to_segment([0, 0], a, b).0).fold(f64::MAX, f64::min)
    };
    let size = |o: &Outline| area_m2(&o.area);
    outlines.min_by(|a, b| away(a).total_cmp(&away(b)).then(size(b).total_cmp(&size(a))))
}

/// Values of `amenity` and `building` that are schools.
const SCHOOLS: [&str; 4] = ["school", "college", "university", "kindergarten"];

fn is_campus(tags: &Tags) -> bool {
    let is = |key: &str, values: &[&str]| tags.get(key).is_some_and(|v| values.contains(&v.as_str()));
    is("amenity", &SCHOOLS) || is("landuse", &["education"])
}

/// An element's number as part of an id: `w123`, and `wn5` for way -5.
fn stem(osm: OsmId) -> String {
    let letter = match osm.kind {
        ElementKind::Node => 'n',
        ElementKind::Way => 'w',
        ElementKind::Relation => 'r',
    };
    let sign = if osm.id < 0 { "n" } else { "" };
    format!("{letter}{sign}{}", osm.id.unsigned_abs())
}

struct Importing<'a> {
    extract: &'a Extract,
    projection: Projection,
    findings: Findings,
    options: &'a Options,
}

impl Importing<'_> {
    fn run(mut self, bounds: Bounds) -> Result<Imported, OsmError> {
        let mut areas = self.areas();
        self.grounds_of_schools(&mut areas);
        let is_building = |t: &Tags| t.get("building").is_some_and(|b| b != "no" && b != "entrance");
        let is_part = |t: &Tags| t.get("building:part").is_some_and(|b| b != "no");
        let (low, high) = self.extent(bounds, &areas);
        let frame = rectangle(low, high);
        let touches = |o: &Outline| !intersection(&o.area, std::slice::from_ref(&frame)).is_empty();
        let mut buildings: Vec<Outline> =
            areas.iter().filter(|o| is_building(&o.tags) && touches(o)).cloned().collect();
        let mut parts: Vec<Outline> = areas
            .iter()
            .filter(|o| is_part(&o.tags) && !is_building(&o.tags) && touches(o))
            .cloned()
            .collect();
        if buildings.len() > MAX_BUILDINGS {
            return Err(OsmError::new(
                None,
                format!(
                    "the extract has {} buildings; a campus of up to {MAX_BUILDINGS} can be made",
                    buildings.len()
                ),
                "Cut the campus out: openstreetmap.org → Export, or `osmium extract --bbox west,south,east,north`.",
            ));
        }
        let campus = self.campus(&areas);
        let grounds = campus.map(|c| c.area.clone()).unwrap_or_default();
        let (mut low, mut high) = (low, high);
        let mut frame = frame;
        if self.options.only_campus {
            match outdoors::box_of(&grounds) {
                Some((west_south, east_north)) => {
                    let own =
                        |o: &Outline| 2.0 * area_m2(&intersection(&o.area, &grounds)) > area_m2(&o.area);
                    buildings.retain(own);
                    parts.retain(own);
                    low = [0, 1].map(|k| low[k].max(west_south[k] - MARGIN_MM));
                    high = [0, 1].map(|k| high[k].min(east_north[k] + MARGIN_MM));
                    frame = rectangle(low, high);
                }
                None => self.findings.add(
                    "no-campus",
                    None,
                    "no area of a school is mapped, so nothing can be outside of it",
                    "everything in the extract was imported",
                ),
            }
        }
        let parts_of = share_parts(&mut buildings, &mut parts);
        site::overlaps(&buildings, &mut self.findings);
        let names = self.campus_names(campus, &areas);
        let mut plan = self.empty_plan(frame.outline.clone());
        let mut named: Vec<(String, Names)> = Vec::new();
        self.buildings(&buildings, &parts_of, campus, &mut plan, &mut named);
        let (outside, outdoor_names) = self.outdoors(&areas, &frame, low, high);
        plan.outside = outside;
        if self.options.only_campus && campus.is_some() {
            let own = |at: PointMm| grounds.iter().any(|p| p.contains(at.map(f64::from)));
            plan.outside.trees.retain(|tree| own(tree.at));
            plan.outside.objects.retain(|object| own(object.at));
        }
        named.extend(outdoor_names);
        self.check_whole(&mut plan, &mut named);
        plan.site.boundary = site::boundary(&plan, campus, rectangle(low, high), &mut self.findings);
        let timezone =
            self.options.zone.clone().unwrap_or_else(|| zone::zone(self.projection.lat, self.projection.lon));
        let id = slug(&names.en).filter(|id| id != "site" && id != "net").unwrap_or_else(|| match campus {
            Some(campus) => format!("campus-{}", stem(campus.osm)),
            None => "campus".to_owned(),
        });
        let campus_toml =
            campus_text::campus_toml(&id, &names, &timezone, self.options.weather.as_deref(), &plan, &named);
        let terrain = terrain(&plan);
        let counts = counts(&plan);
        let campus_found = campus.map(|c| c.osm);
        Ok(Imported {
            plan,
            campus_toml,
            terrain,
            findings: self.findings,
            counts,
            names,
            timezone,
            campus_found,
        })
    }

    /// Every area with tags that mean something: closed ways and multipolygons, in one order.
    fn areas(&mut self) -> Vec<Outline> {
        let wanted = |tags: &Tags| {
            tags.get("building").is_some_and(|b| b != "no")
                || tags.get("building:part").is_some_and(|b| b != "no")
                || is_campus(tags)
                || area_kind(tags).is_some()
        };
        let mut found = Vec::new();
        let mut used: BTreeSet<i64> = BTreeSet::new();
        for (id, relation) in &self.extract.relations {
            let kind = relation.tags.get("type").map(String::as_str).unwrap_or_default();
            let outer =
                || relation.members.iter().filter(|m| m.kind == ElementKind::Way && m.role != "inner");
            if kind != "multipolygon" && !(kind == "boundary" && is_campus(&relation.tags)) {
                continue;
            }
            let mut tags = relation.tags.clone();
            if !wanted(&tags) {
                // The old way of mapping: the tags stand on the outer ring.
                let lent = outer().filter_map(|m| self.extract.ways.get(&m.id)).find(|w| wanted(&w.tags));
                let Some(way) = lent else { continue };
                tags.extend(way.tags.iter().map(|(k, v)| (k.clone(), v.clone())));
                used.extend(outer().map(|m| m.id));
            }
            // An outer ring that says the same again is not a second building.
            used.extend(
                outer()
                    .filter(|m| {
                        self.extract.ways.get(&m.id).is_some_and(|w| {
                            ["building", "natural", "landuse", "leisure", "amenity"]
                                .iter()
                                .any(|k| w.tags.contains_key(*k) && w.tags.get(*k) == tags.get(*k))
                        })
                    })
                    .map(|m| m.id),
            );
            let area = of_relation(self.extract, &self.projection, *id, relation, &mut self.findings);
            let osm = OsmId { kind: ElementKind::Relation, id: *id };
            if !area.is_empty() {
                found.push(Outline { osm, line: relation.line, area, tags });
            }
        }
        for (id, way) in self.extract.ways.iter().filter(|(id, w)| wanted(&w.tags) && !used.contains(id)) {
            let closed = way.nodes.first() == way.nodes.last();
            // A road or barrier that isn't closed is a line, whatever else it is.
            let line = !closed && (way.tags.contains_key("highway") || way.tags.contains_key("barrier"));
            if line {
                continue;
            }
            if way.nodes.is_empty() {
                let what = "the way has no nodes (Overpass: `out center` or `out tags`)";
                self.findings.add("no-geometry", (way_id(*id), way.line), what, "it was left out");
                continue;
            }
            let area = of_way(self.extract, &self.projection, *id, way, &mut self.findings);
            if !area.is_empty() {
                found.push(Outline { osm: way_id(*id), line: way.line, area, tags: way.tags.clone() });
            }
        }
        found.sort_by_key(|o| o.osm);
        found
    }

    /// A "building" of a school with other buildings or pitches in it is its grounds, mapped by mistake.
    fn grounds_of_schools(&mut self, areas: &mut [Outline]) {
        const LEAST_M2: f64 = 3000.0;
        const LARGEST_M2: f64 = 20_000.0;
        let inner: Vec<(OsmId, [f64; 2])> = areas
            .iter()
            .filter(|o| {
                o.tags.contains_key("building")
                    || o.tags.get("leisure").is_some_and(|l| l == "pitch" || l == "track")
            })
            .filter_map(|o| Some((o.osm, o.area.first()?.inner_point())))
            .collect();
        for o in areas.iter_mut() {
            let of_school = o
                .tags
                .get("building")
                .is_some_and(|b| matches!(b.as_str(), "school" | "kindergarten" | "college" | "university"));
            let unsized_ = !o.tags.contains_key("building:levels") && !o.tags.contains_key("height");
            let large = area_m2(&o.area) > LEAST_M2;
            let holds = |(id, p): &(OsmId, [f64; 2])| *id != o.osm && o.area.iter().any(|a| a.contains(*p));
            if of_school && unsized_ && area_m2(&o.area) > LARGEST_M2 && !inner.iter().any(holds) {
                self.findings.add(
                    "large-footprint",
                    (o.osm, o.line),
                    format!(
                        "a building of {:.0} m² is more likely the grounds of a school",
                        area_m2(&o.area)
                    ),
                    "it was made a building, as nothing in it is mapped; tag the grounds amenity=school in \
                     OpenStreetMap and draw their buildings",
                );
            }
            if of_school && unsized_ && large && inner.iter().any(holds) {
                let kind = o.tags.remove("building").unwrap_or_default();
                self.findings.add(
                    "grounds",
                    (o.osm, o.line),
                    format!("building={kind} has pitches or other buildings in it"),
                    "it was taken as the grounds of a school, not as a building",
                );
                o.tags.insert(GROUNDS.to_owned(), kind);
            }
        }
    }

    /// How far the campus is shown.
    fn extent(&self, bounds: Bounds, areas: &[Outline]) -> (PointMm, PointMm) {
        let limit = (LIMIT_M * 1e3) as i32;
        let corner = |lat: f64, lon: f64| {
            let [x, y] = self.projection.metres(lat, lon);
            [x, y].map(|m| (m.clamp(-LIMIT_M, LIMIT_M) * 1e3).round() as i32)
        };
        if self.extract.bounds.is_some() {
            return (corner(bounds.south, bounds.west), corner(bounds.north, bounds.east));
        }
        let main: Vec<Polygon> = areas
            .iter()
            .filter(|o| o.tags.contains_key("building") || is_campus(&o.tags))
            .flat_map(|o| o.area.clone())
            .collect();
        let (low, high) = outdoors::box_of(&main)
            .unwrap_or_else(|| (corner(bounds.south, bounds.west), corner(bounds.north, bounds.east)));
        (low.map(|x| (x - MARGIN_MM).max(-limit)), high.map(|x| (x + MARGIN_MM).min(limit)))
    }

    /// The school nearest to the middle; of those around it, the largest.
    fn campus<'b>(&self, areas: &'b [Outline]) -> Option<&'b Outline> {
        nearest(areas.iter().filter(|o| is_campus(&o.tags) && !o.tags.contains_key("building")))
    }

    fn site(&self) -> Site {
        let round = |x: f64| (x * 1e7).round() / 1e7;
        Site {
            latitude_deg: round(self.projection.lat),
            longitude_deg: round(self.projection.lon),
            bearing_deg: 0.0,
            datum: "flat (OpenStreetMap has no heights of the ground)".to_owned(),
            boundary: Vec::new(),
        }
    }

    fn empty_plan(&self, boundary: Vec<PointMm>) -> Plan {
        // The file is part of the crate, and a test reads it.
        let constructions =
            serde_json::from_str(include_str!("../data/constructions.json")).unwrap_or_default();
        Plan {
            format: Plan::FORMAT.to_owned(),
            site: Site { boundary, ..self.site() },
            terrain: Some(TERRAIN_FILE.to_owned()),
            constructions,
            ..Plan::default()
        }
    }

    fn campus_names(&self, campus: Option<&Outline>, areas: &[Outline]) -> Names {
        if let Some(name) = self.options.name.as_deref().and_then(clean_name) {
            return Names::new(&*name, &*name);
        }
        let of_area = campus.and_then(|c| names::tagged(&c.tags));
        // A school that is only a point has a name too.
        let of_node = || {
            let schools = self.extract.nodes.values().filter(|n| is_campus(&n.tags));
            schools.filter_map(|n| names::tagged(&n.tags)).next()
        };
        // Where no area is mapped: the school's building or grounds nearest to the middle.
        let of_building = || {
            let schools = areas.iter().filter(|o| {
                let building = o.tags.get("building").or_else(|| o.tags.get(GROUNDS));
                let school = building.is_some_and(|b| SCHOOLS.contains(&b.as_str())) || is_campus(&o.tags);
                school && names::tagged(&o.tags).is_some()
            });
            nearest(schools).and_then(|o| names::tagged(&o.tags))
        };
        of_area.or_else(of_building).or_else(of_node).unwrap_or_else(|| Names::new("校园", "Campus"))
    }

    fn buildings(
        &mut self,
        buildings: &[Outline],
        parts_of: &[Vec<Outline>],
        campus: Option<&Outline>,
        plan: &mut Plan,
        named: &mut Vec<(String, Names)>,
    ) {
        let entrances = self.entrances();
        let mut taken: BTreeSet<String> = ["site", "net"].map(str::to_owned).into();
        let names = names::of_buildings(buildings, campus.map(|c| &c.tags));
        for ((outline, parts), names) in buildings.iter().zip(parts_of).zip(names) {
            let mut id = match names::id(&outline.tags) {
                Some(id) if !taken.contains(&id) => id,
                Some(id) => format!("{id}-{}", stem(outline.osm)),
                None => format!("building-{}", stem(outline.osm)),
            };
            while taken.contains(&id) {
                id.push_str("-2");
            }
            taken.insert(id.clone());
            let inner = outline.area.first().map(Polygon::inner_point).unwrap_or_default();
            let (low, high) =
                crate::polygon::bounds(outline.area.iter().flat_map(|p| p.outline.iter().copied()));
            let near: Vec<(PointMm, i32)> = entrances
                .iter()
                .filter(|(p, _)| (0..2).all(|k| p[k] >= low[k] - 3000 && p[k] <= high[k] + 3000))
                .filter(|(p, _)| {
                    let rings = outline.area.iter().flat_map(Polygon::rings);
                    rings.flat_map(|r| crate::polygon::edges(r)).any(|(a, b)| to_segment(*p, a, b).0 < 500.0)
                })
                .copied()
                .collect();
            let around = Around {
                id,
                parts,
                entrances: &near,
                on_campus: campus.is_some_and(|c| c.area.iter().any(|p| p.contains(inner))),
            };
            let Some(made) = self.sound(outline, &around, plan) else {
                self.findings.add(
                    "no-building",
                    (outline.osm, outline.line),
                    "no sound storey could be made of its shape",
                    "it was left out",
                );
                continue;
            };
            for (hex, stem, like) in
                [(&made.colour, "exterior-wall", "exterior-wall"), (&made.roof_colour, "roof", "roof")]
            {
                if let (Some(hex), Some(like)) = (hex, plan.constructions.get(like).cloned()) {
                    let coloured = Construction { colour: hex.clone(), ..like };
                    plan.constructions.insert(format!("{stem}-{}", &hex[1..]), coloured);
                }
            }
            named.push((made.building.id.clone(), names));
            plan.buildings.push(made.building);
        }
    }

    /// The building in the finest detail that passes the plan's checks and that everyone can leave.
    fn sound(&mut self, outline: &Outline, around: &Around<'_>, plan: &Plan) -> Option<Made> {
        let mut first = if self.options.rooms { Detail::Rooms } else { Detail::Storeys };
        let most_m2 = self.options.most_floor_m2.unwrap_or(LARGEST_DIVIDED_M2);
        if first == Detail::Rooms
            && let Some(why) = building::too_large_for_rooms(outline, most_m2)
        {
            self.findings.add(
                "not-divided",
                (outline.osm, outline.line),
                why,
                "its storeys weren't divided; look whether it is a building at all, or a corner of it is misplaced",
            );
            first = Detail::Storeys;
        }
        for detail in [first, Detail::Storeys, Detail::Plain] {
            let mut findings = Findings::default();
            let made = building::make(outline, around, detail, &mut findings);
            let Some(made) = made else { continue };
            let mut probe = Plan {
                format: plan.format.clone(),
                site: plan.site.clone(),
                constructions: plan.constructions.clone(),
                buildings: vec![made.building.clone()],
                ..Plan::default()
            };
            for (hex, stem, kind) in [
                (&made.colour, "exterior-wall", ConstructionKind::Wall),
                (&made.roof_colour, "roof", ConstructionKind::Roof),
            ] {
                if let (Some(hex), Some(like)) = (hex, plan.constructions.get(stem)) {
                    let coloured = Construction { kind, colour: hex.clone(), ..like.clone() };
                    probe.constructions.insert(format!("{stem}-{}", &hex[1..]), coloured);
                }
            }
            let errors = campanile_model::check_plan(&probe).into_iter();
            let fault = errors.filter(|p| p.severity == Severity::Error).map(|p| p.what).next();
            let fault = fault.or_else(|| {
                let trapped = escape::trapped(&made.building);
                Some(format!("no way leads out of '{}'", trapped.first()?))
            });
            let Some(fault) = fault else {
                self.findings.absorb(findings);
                return Some(made);
            };
            let done = match detail {
                Detail::Rooms => "its storeys weren't divided",
                Detail::Storeys => "it was made without stairs, with one storey",
                Detail::Plain => "no storey was made",
            };
            self.findings.add(
                "not-divided",
                (outline.osm, outline.line),
                format!("its shape gives a plan that isn't sound ({fault})"),
                done,
            );
        }
        None
    }

    fn entrances(&self) -> Vec<(PointMm, i32)> {
        let mut found = Vec::new();
        for node in self.extract.nodes.values() {
            let entrance = node.tags.get("entrance").or_else(|| {
                node.tags.get("door").or_else(|| node.tags.get("building").filter(|b| *b == "entrance"))
            });
            let Some(kind) = entrance.filter(|e| *e != "no") else { continue };
            let usual = match kind.as_str() {
                "main" => 2400,
                "yes" | "secondary" | "entrance" | "exit" | "emergency" => 1500,
                _ => 1000,
            };
            let tagged =
                node.tags.get("width").and_then(|w| value::length_m(w)).filter(|w| (0.6..6.0).contains(w));
            let width = tagged.map_or(usual, |w| (w * 1e3) as i32);
            if let Some(p) = self.projection.point(node.lat, node.lon, LIMIT_M) {
                found.push((p, width));
            }
        }
        found
    }

    fn outdoors(
        &mut self,
        areas: &[Outline],
        frame: &Polygon,
        low: PointMm,
        high: PointMm,
    ) -> (campanile_model::Outside, Vec<(String, Names)>) {
        let clip = std::slice::from_ref(frame);
        let mut out = Outdoors::default();
        let within = |p: &PointMm| (0..2).all(|k| p[k] >= low[k] && p[k] <= high[k]);
        for o in
            areas.iter().filter(|o| !o.tags.contains_key("building") && !o.tags.contains_key("building:part"))
        {
            let Some(kind) = area_kind(&o.tags) else { continue };
            let area = intersection(&o.area, clip);
            if !area.is_empty() {
                out.area(&stem(o.osm), kind, area, names::tagged(&o.tags));
            }
        }
        let covered: BTreeSet<OsmId> =
            areas.iter().filter(|o| area_kind(&o.tags).is_some()).map(|o| o.osm).collect();
        let extract = self.extract;
        let mut gates: BTreeMap<i64, (PointMm, campanile_model::GateKind, f64)> = BTreeMap::new();
        for (id, node) in &extract.nodes {
            if node.tags.is_empty() {
                continue;
            }
            let Some(at) = self.projection.point(node.lat, node.lon, LIMIT_M).filter(within) else {
                continue;
            };
            let stem = stem(OsmId { kind: ElementKind::Node, id: *id });
            if node.tags.get("natural").is_some_and(|n| n == "tree") {
                out.tree(&stem, &node.tags, at);
            } else if node.tags.get("emergency").is_some_and(|e| e == "assembly_point") {
                let half = 7_500;
                let square = vec![
                    [at[0] - half, at[1] - half],
                    [at[0] + half, at[1] - half],
                    [at[0] + half, at[1] + half],
                    [at[0] - half, at[1] + half],
                ];
                out.area(
                    &stem,
                    outdoors::AreaKind::Assembly,
                    vec![Polygon::of(square)],
                    names::tagged(&node.tags),
                );
            } else if let Some((kind, width)) = outdoors::gate(&node.tags) {
                gates.insert(*id, (at, kind, width));
            } else if let Some(object) = outdoors::object(&node.tags) {
                let heading =
                    node.tags.get("direction").and_then(|d| value::number(d)).map_or(0.0, |d| 90.0 - d);
                out.object(&stem, object, heading.rem_euclid(360.0), at);
            }
        }
        let mut hung: BTreeSet<i64> = BTreeSet::new();
        for (id, way) in &extract.ways {
            let osm = way_id(*id);
            if covered.contains(&osm) || way.tags.is_empty() {
                continue;
            }
            let road = outdoors::road(&way.tags);
            let river = outdoors::waterway_width_mm(&way.tags);
            let fence = outdoors::fence(&way.tags);
            let row = way.tags.get("natural").is_some_and(|n| n == "tree_row");
            if road.is_none() && river.is_none() && fence.is_none() && !row {
                continue;
            }
            if way.nodes.is_empty() {
                let what = "the way has no nodes (Overpass: `out center` or `out tags`)";
                self.findings.add("no-geometry", (osm, way.line), what, "it was left out");
                continue;
            }
            let nodes = places(extract, &self.projection, *id, way, &mut self.findings);
            let line: Vec<PointMm> = nodes.iter().map(|(_, p)| *p).collect();
            let lines = clip_line(&line, low, high);
            let stem = stem(osm);
            if let Some(road) = road {
                out.road(&stem, lines, road, names::tagged(&way.tags));
            } else if let Some(width) = river {
                out.waterway(&stem, &lines, width, clip, names::tagged(&way.tags));
            } else if row {
                out.tree_row(&stem, &way.tags, &lines);
            } else if let Some((height_mm, hedge)) = fence {
                let mut pieces = Vec::new();
                for line in lines {
                    let fresh = nodes.iter().enumerate().filter(|(_, (n, _))| !hung.contains(n));
                    let here: Vec<(usize, PointMm, f64)> = fresh
                        .filter_map(|(i, (n, _))| gates.get(n).map(|(at, _, width)| (i, *at, *width)))
                        .collect();
                    let (parts, cut) = cut_gates(&line, &here);
                    pieces.extend(parts);
                    for (i, ends) in cut {
                        let node = nodes[i].0;
                        if let (true, Some((_, kind, _))) = (hung.insert(node), gates.get(&node)) {
                            let node_id = OsmId { kind: ElementKind::Node, id: node };
                            let names = extract.nodes.get(&node).and_then(|n| names::tagged(&n.tags));
                            out.gate(&self::stem(node_id), ends, *kind, names);
                        }
                    }
                }
                out.fence(&stem, pieces, height_mm, hedge);
            }
        }
        // A gate without a fence stands across its road, which is not known here: along the local east.
        for (id, (at, kind, width)) in gates.iter().filter(|(id, _)| !hung.contains(id)) {
            let half = (width / 2.0) as i32;
            let names = extract.nodes.get(id).and_then(|n| names::tagged(&n.tags));
            let ends = [[at[0] - half, at[1]], [at[0] + half, at[1]]];
            out.gate(&stem(OsmId { kind: ElementKind::Node, id: *id }), ends, *kind, names);
        }
        out.finish()
    }

    /// The last look at the whole: what is outdoors can't be refused as a building can, so it is left out by itself.
    fn check_whole(&mut self, plan: &mut Plan, named: &mut Vec<(String, Names)>) {
        for _ in 0..4 {
            let faults: Vec<String> = campanile_model::check_plan(plan)
                .into_iter()
                .filter(|p| p.severity == Severity::Error)
                .filter_map(|p| match p.place {
                    campanile_model::Place::Pointer(at) => Some(at),
                    _ => None,
                })
                .collect();
            if faults.is_empty() {
                return;
            }
            let mut gone: BTreeSet<String> = BTreeSet::new();
            let bad = |list: &str| -> BTreeSet<usize> {
                let start = format!("/outside/{list}/");
                faults
                    .iter()
                    .filter_map(|f| f.strip_prefix(&start)?.split('/').next()?.parse().ok())
                    .collect()
            };
            macro_rules! sieve {
                ($list:ident) => {
                    let bad = bad(stringify!($list));
                    let mut index = 0;
                    plan.outside.$list.retain(|item| {
                        let keep = !bad.contains(&index);
                        index += 1;
                        if !keep {
                            gone.insert(format!("site/{}", item.id));
                        }
                        keep
                    });
                };
            }
            sieve!(grounds);
            sieve!(roads);
            sieve!(waters);
            sieve!(greens);
            sieve!(trees);
            sieve!(fences);
            sieve!(gates);
            sieve!(assembly_points);
            sieve!(objects);
            if gone.is_empty() {
                return;
            }
            for id in &gone {
                self.findings.add("no-area", None, format!("'{id}' has no sound shape"), "it was left out");
            }
            named.retain(|(path, _)| !gone.contains(path));
        }
    }
}

/// The area of several polygons.
fn area_m2(area: &[Polygon]) -> f64 {
    area.iter().map(Polygon::area_m2).sum()
}

/// A rectangle along the axes.
fn rectangle(low: PointMm, high: PointMm) -> Polygon {
    Polygon::of(vec![low, [high[0], low[1]], high, [low[0], high[1]]])
}

/// Gives each building the parts that lie in it; parts in none become buildings of their own.
fn share_parts(buildings: &mut Vec<Outline>, parts: &mut Vec<Outline>) -> Vec<Vec<Outline>> {
    let mut of: Vec<Vec<Outline>> = vec![Vec::new(); buildings.len()];
    let mut alone = Vec::new();
    for part in parts.drain(..) {
        let inner = part.area.first().map(Polygon::inner_point).unwrap_or_default();
        match buildings.iter().position(|b| b.area.iter().any(|p| p.contains(inner))) {
            Some(i) => of[i].push(part),
            None => alone.push(part),
        }
    }
    of.extend(vec![Vec::new(); alone.len()]);
    buildings.extend(alone);
    of
}

/// Flat ground under everything, in cells fine enough to show the banks of water.
fn terrain(plan: &Plan) -> Grid {
    let all = plan
        .site
        .boundary
        .iter()
        .chain(plan.buildings.iter().flat_map(|b| &b.vertices))
        .chain(&plan.outside.vertices);
    let (low, high) = crate::polygon::bounds(all.copied());
    let margin_m = 25.0;
    let metres = |mm: i32| f64::from(mm) / 1e3;
    let (west, north) = ((metres(low[0]) - margin_m).floor(), (metres(high[1]) + margin_m).ceil());
    let (width, depth) = (metres(high[0]) + margin_m - west, north - (metres(low[1]) - margin_m));
    // Half-metre steps; at most about 250 cells a side.
    let cell = ((width.max(depth) / 250.0 * 2.0).ceil() / 2.0).max(2.0);
    let (cols, rows) = ((width / cell).ceil().max(2.0) as usize, (depth / cell).ceil().max(2.0) as usize);
    Grid {
        cols,
        rows,
        cell_m: (cell, cell),
        origin: (west, north),
        nodata: Some(-9999.0),
        values: vec![0.0; cols * rows],
    }
}

fn counts(plan: &Plan) -> Counts {
    use campanile_model::OpeningKind as K;
    let storeys = || plan.buildings.iter().flat_map(|b| &b.storeys);
    let openings =
        |kinds: &[K]| storeys().flat_map(|s| &s.openings).filter(|o| kinds.contains(&o.kind)).count();
    let o = &plan.outside;
    Counts {
        buildings: plan.buildings.len(),
        storeys: storeys().count(),
        spaces: storeys().map(|s| s.spaces.len()).sum(),
        doors: openings(&[K::Door, K::Gap]),
        windows: openings(&[K::Window]),
        stairs: plan.buildings.iter().map(|b| b.stairs.len()).sum(),
        roads: o.roads.len(),
        grounds: o.grounds.len(),
        waters: o.waters.len(),
        greens: o.greens.len(),
        trees: o.trees.len(),
        fences: o.fences.len(),
        gates: o.gates.len(),
        objects: o.objects.len(),
    }
}
