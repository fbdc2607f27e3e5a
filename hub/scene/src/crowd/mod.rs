//! From a campus to the input of a crowd: spaces, doors, stairs, goals and people.
//!
//! The engine's names are the campus' paths: a space is its space or stair, a door its opening, a goal its assembly
//! point, gate or room, a group the room it belongs to. Columns, furniture, trees and other objects are not in the way.

mod people;
mod stairs;
mod walkable;

use std::collections::BTreeMap;

use campanile_crowd::{CrowdInput, Door, DoorSide, Goal, Shape, Space};
use campanile_model::{Building, Campus, GateKind, OpeningKind, SpaceUse, Stair, Storey};

use crate::flood::{LeftOut, ground_level, ground_storeys};
use crate::geometry::{Point, Polygon, bounds, contains, distance, metres, ring};
use crate::tables::{InputError, PeopleTables};
use crate::topology::{self, Edges};
use walkable::{Cut, Face, Walls};

/// Ground around the buildings of a campus without a boundary that people walk on, m.
const AROUND_M: f64 = 20.0;
/// How deep the bit of street behind a gate is, m.
const STREET_M: f64 = 3.0;
/// Faces this near to where a wall's face should be are it, m: vertices are whole millimetres.
const FACE_M: f64 = 0.03;
/// Nobody passes where it is narrower, m.
const NARROWEST_M: f64 = 0.4;
/// What is left of a stair room in front of its flights must be this large, m².
const LANDING_M2: f64 = 0.8;

/// What may be chosen.
#[derive(Clone, Debug, Default)]
pub struct CrowdOptions {
    /// What the school does.
    pub hour: Hour,
    /// People in a room, by path, in place of those that the hour gives.
    pub counts: BTreeMap<String, u32>,
    /// How many staff there are, teachers among them; else as the table has it.
    pub staff: Option<u32>,
    /// Mixed into every draw.
    pub seed: u64,
    /// Other tables than the shipped ones.
    pub tables: Option<PeopleTables>,
}

/// What a school does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hour {
    /// Every class in its room.
    #[default]
    Lesson,
    /// A third of the classes in the dining halls.
    Lunch,
    /// Every class outdoors.
    SportsBreak,
    /// Boarders in bed.
    Night,
}

impl Hour {
    /// The hour at a minute after midnight of a school day, by the usual timetable; between evening study and bed, and
    /// before and after school, the nearest that there is.
    pub fn of_minute(minute: u32) -> Self {
        match minute {
            590..620 => Self::SportsBreak,
            675..750 => Self::Lunch,
            420..1050 => Self::Lesson,
            _ => Self::Night,
        }
    }
}

/// A crowd's input, and what of the campus each part is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrowdSite {
    /// The engine's input.
    pub input: CrowdInput,
    /// The space of a room or stair, by path.
    pub space_of: BTreeMap<String, u32>,
    /// The outside.
    pub outside: Option<u32>,
    /// The goals that are assembly points.
    pub assembly: Vec<String>,
    /// The goals that are gates; who passes has left.
    pub gates: Vec<String>,
    /// The goals on upper storeys, by the storey's path: where to go when the water rises.
    pub storeys: BTreeMap<String, Vec<String>>,
    /// Spaces that can't be reached from outside, by path.
    pub unreachable: Vec<String>,
    /// What could not be taken into the input, by path, and why.
    pub left_out: Vec<LeftOut>,
}

/// Makes the input of a crowd.
///
/// # Errors
/// [`InputError::Table`] where a table can't be read.
pub fn crowd_input(campus: &Campus, options: &CrowdOptions) -> Result<CrowdSite, InputError> {
    let tables = options.tables.clone().map_or_else(PeopleTables::shipped, Ok)?;
    let mut maker = Maker { campus, site: CrowdSite::default(), outside: Vec::new() };
    maker.site.input.seed = options.seed;
    maker.grounds();
    for building in &campus.plan.buildings {
        maker.building(building);
    }
    maker.goals();
    maker.reach();
    people::add(campus, options, &tables, &mut maker.site);
    Ok(maker.site)
}

struct Maker<'a> {
    campus: &'a Campus,
    site: CrowdSite,
    /// The spaces outdoors: the open ground first, then yards that buildings enclose.
    outside: Vec<u32>,
}

fn path(building: &Building, storey: &Storey, id: &str) -> String {
    format!("{}/{}/{id}", building.id, storey.id)
}

/// What has no floor for people of its own.
fn is_shaft(use_: SpaceUse) -> bool {
    matches!(use_, SpaceUse::Lift | SpaceUse::Shaft)
}

/// Where people can wait for the water to fall.
fn is_refuge(use_: SpaceUse) -> bool {
    !is_shaft(use_)
        && !matches!(
            use_,
            SpaceUse::Stair
                | SpaceUse::Toilet
                | SpaceUse::Washroom
                | SpaceUse::Plant
                | SpaceUse::Electrical
                | SpaceUse::Server
                | SpaceUse::Store
                | SpaceUse::ColdStore
                | SpaceUse::ChemicalStore
                | SpaceUse::Kitchen
        )
}

impl Maker<'_> {
    fn space(&mut self, id: String, shape: Shape) -> u32 {
        let index = self.site.input.spaces.len() as u32;
        self.site.space_of.insert(id.clone(), index);
        self.site.input.spaces.push(Space { id, shape });
        index
    }

    fn level(&mut self, id: String, polygon: Polygon, z_m: f64) -> u32 {
        self.space(id, Shape::Level { outline: polygon.outline, holes: polygon.holes, z_m })
    }

    fn polygon(&self, space: u32) -> Option<Polygon> {
        match &self.site.input.spaces.get(space as usize)?.shape {
            Shape::Level { outline, holes, .. } => {
                Some(Polygon { outline: outline.clone(), holes: holes.clone() })
            }
            Shape::Stair { .. } => None,
        }
    }

    fn leave_out(&mut self, path: String, why: &str) {
        self.site.left_out.push(LeftOut { path, why: why.to_owned() });
    }

    /// The ground within the fence, without buildings and water, and the street behind each gate.
    fn grounds(&mut self) {
        let plan = &self.campus.plan;
        let mut boundary: Vec<Point> = plan.site.boundary.iter().map(|p| metres(*p)).collect();
        if boundary.len() < 3 {
            let corners: Vec<Point> =
                plan.buildings.iter().flat_map(|b| &b.vertices).map(|v| metres(*v)).collect();
            if corners.is_empty() {
                return;
            }
            let (l, h) = bounds(&corners);
            let (l, h) = (l.map(|x| x - AROUND_M), h.map(|x| x + AROUND_M));
            boundary = vec![l, [h[0], l[1]], h, [l[0], h[1]]];
        }
        let mut taken = Vec::new();
        let mut floor_mm: Option<i32> = None;
        for building in &plan.buildings {
            for storey in ground_storeys(building) {
                floor_mm = Some(floor_mm.map_or(storey.floor_mm, |f| f.min(storey.floor_mm)));
                let walls = walkable::walls(storey, &plan.constructions);
                for space in &storey.spaces {
                    taken.push(ring(&building.vertices, &space.outline));
                    taken.extend(walkable::bands(building, space, &walls));
                }
            }
        }
        taken.extend(plan.outside.waters.iter().map(|w| ring(&plan.outside.vertices, &w.outline)));
        let z_m = f64::from(floor_mm.unwrap_or(0)) / 1e3;
        let pieces = walkable::without(&[boundary], &taken);
        for (i, piece) in pieces.into_iter().filter(|p| walkable::area_m2(p) > 1.0).enumerate() {
            let id = if i == 0 { "site".to_owned() } else { format!("site/yard-{i}") };
            let index = self.level(id, piece, z_m);
            self.outside.push(index);
        }
        self.site.outside = self.outside.first().copied();
        for gate in &plan.outside.gates {
            let at = |i: u32| plan.outside.vertices.get(i as usize).map(|v| metres(*v));
            if let (Some(a), Some(b)) = (at(gate.a), at(gate.b)) {
                self.gate(&format!("site/{}", gate.id), gate.kind, a, b, z_m);
            }
        }
    }

    /// A gate in the fence: a door to a bit of street from which nobody comes back.
    fn gate(&mut self, id: &str, kind: GateKind, a: Point, b: Point, z_m: f64) {
        let length = distance(a, b);
        let Some(ground) = self.site.outside.and_then(|s| self.polygon(s)) else { return };
        let u = [(b[0] - a[0]) / length.max(1e-9), (b[1] - a[1]) / length.max(1e-9)];
        let face = Face::find(&ground, a, u, [0.0, length], 0.2);
        let Some(face) = face.filter(|f| f.span[1] - f.span[0] >= NARROWEST_M) else {
            self.leave_out(id.to_owned(), "it doesn't stand in the edge of the campus");
            return;
        };
        let (p, q) = (face.point(face.span[0]), face.point(face.span[1]));
        // The street lies on the side where the ground doesn't.
        let left = [-u[1], u[0]];
        let middle = [(p[0] + q[0]) / 2.0, (p[1] + q[1]) / 2.0];
        let to_left = [middle[0] + left[0] * 0.1, middle[1] + left[1] * 0.1];
        let out = if contains(&ground.outline, to_left) { left.map(|x| -x) } else { left };
        let away = |r: Point| [r[0] + out[0] * STREET_M, r[1] + out[1] * STREET_M];
        let mut outline = vec![p, q, away(q), away(p)];
        if crate::geometry::area2(&outline) < 0.0 {
            outline.reverse();
        }
        let street = self.level(format!("{id}/street"), Polygon { outline, holes: Vec::new() }, z_m);
        let from = DoorSide { space: self.site.outside.unwrap_or(0), a: p, b: q };
        let to = DoorSide { space: street, a: p, b: q };
        let open = matches!(kind, GateKind::Main | GateKind::Pedestrian);
        self.site.input.doors.push(Door { id: id.to_owned(), from, to, open });
        self.site.input.goals.push(Goal { id: id.to_owned(), space: street, area: Vec::new(), leaves: true });
        self.site.gates.push(id.to_owned());
    }

    fn building(&mut self, building: &Building) {
        // The stairs of a building with where each meets its two rooms.
        let ways: Vec<(&Stair, stairs::Way)> = building
            .stairs
            .iter()
            .filter_map(|stair| {
                let floor = building.storeys.iter().find(|s| s.id == stair.from)?.floor_mm;
                let way = stairs::way(stair, f64::from(floor) / 1e3);
                if way.is_none() {
                    self.leave_out(format!("{}/{}", building.id, stair.id), "it has no flights");
                }
                Some((stair, way?))
            })
            .collect();
        for storey in &building.storeys {
            let walls = walkable::walls(storey, &self.campus.plan.constructions);
            let edges = Edges::of(storey);
            for (i, space) in storey.spaces.iter().enumerate() {
                let here = path(building, storey, &space.id);
                if is_shaft(space.use_) {
                    continue;
                }
                let mut cuts: Vec<Cut> = Vec::new();
                for (stair, way) in &ways {
                    if stair.from == storey.id && stair.space_from == space.id {
                        cuts.push(way.lower.below());
                    }
                    if stair.to == storey.id && stair.space_to == space.id {
                        cuts.push(way.upper.above());
                    }
                }
                if space.open_to_below && cuts.is_empty() {
                    self.leave_out(here, "it has no floor");
                    continue;
                }
                let doors = door_middles(building, storey, &edges, i);
                match self.room(building, storey, i, &walls, &cuts, &doors) {
                    Some(polygon) => {
                        let z_m = f64::from(storey.floor_mm + space.floor_offset_mm) / 1e3;
                        self.level(here, polygon, z_m);
                    }
                    None => self.leave_out(here, "its walls leave no floor"),
                }
            }
            self.doors(building, storey, &walls, &edges);
        }
        for (stair, way) in ways {
            self.stair(building, stair, way);
        }
    }

    /// A space within its walls, and of a stair's room what lies before its flights.
    fn room(
        &self,
        building: &Building,
        storey: &Storey,
        space: usize,
        walls: &Walls,
        cuts: &[Cut],
        doors: &[Point],
    ) -> Option<Polygon> {
        let space = &storey.spaces[space];
        let polygon = topology::polygon(building, space);
        let mut rings = vec![polygon.outline];
        rings.extend(polygon.holes);
        let mut taken = walkable::bands(building, space, walls);
        let whole = walkable::without(&rings, &taken).into_iter().next()?;
        // A cut that would take a door away is none: that stair doesn't start at the back of its room.
        let good = cuts.iter().filter(|c| doors.iter().all(|d| c.keeps(*d, FACE_M)));
        taken.extend(good.map(Cut::taken));
        let cut = walkable::without(&rings, &taken).into_iter().next();
        Some(cut.filter(|p| walkable::area_m2(p) >= LANDING_M2).unwrap_or(whole))
    }

    /// Doors, gaps and open edges of a storey.
    fn doors(&mut self, building: &Building, storey: &Storey, walls: &Walls, edges: &Edges) {
        let at_ground = storey.level == ground_level(building);
        let point = |i: u32| building.vertices.get(i as usize).map_or([0.0; 2], |v| metres(*v));
        let mut passages: Vec<(String, [u32; 2], [f64; 2])> = storey
            .openings
            .iter()
            .filter(|o| matches!(o.kind, OpeningKind::Door | OpeningKind::Gap))
            .map(|o| {
                let from = f64::from(o.at_mm) / 1e3;
                (path(building, storey, &o.id), o.wall, [from, from + f64::from(o.width_mm) / 1e3])
            })
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        for space in &storey.spaces {
            for ring in std::iter::once(&space.outline).chain(&space.holes) {
                for (i, a) in ring.iter().enumerate() {
                    let b = ring[(i + 1) % ring.len()];
                    let edge = ((*a).min(b), (*a).max(b));
                    if !walls.contains_key(&edge) && seen.insert(edge) {
                        let id = format!("{}/open-{a}-{b}", path(building, storey, &space.id));
                        passages.push((id, [*a, b], [0.0, distance(point(*a), point(b))]));
                    }
                }
            }
        }
        for (id, wall, span) in passages {
            let sides = edges.sides(wall[0], wall[1]);
            let inner = |side: Option<usize>| {
                side.and_then(|s| storey.spaces.get(s)).map(|s| (s.use_, path(building, storey, &s.id)))
            };
            let (left, right) = (inner(sides.left), inner(sides.right));
            // A lift's door leads nowhere on foot.
            if [&left, &right].into_iter().flatten().any(|(use_, _)| is_shaft(*use_)) {
                continue;
            }
            if (left.is_none() || right.is_none()) && !at_ground {
                self.leave_out(id, "it leads outside above or below the ground");
                continue;
            }
            let (a, b) = (point(wall[0]), point(wall[1]));
            let half = walls.get(&(wall[0].min(wall[1]), wall[0].max(wall[1]))).copied().unwrap_or(0.0) / 2.0;
            let spaces = |side: Option<(SpaceUse, String)>| -> Vec<u32> {
                side.map_or_else(
                    || self.outside.clone(),
                    |(_, path)| self.site.space_of.get(&path).copied().into_iter().collect(),
                )
            };
            match self.passage(&spaces(left), &spaces(right), a, b, half, span) {
                Some((from, to)) => self.site.input.doors.push(Door { id, from, to, open: true }),
                None => self.leave_out(id, "no floor that people can walk on lies on both sides of it"),
            }
        }
    }

    /// Both sides of a passage through the wall from `a` to `b`, at equal places along it.
    fn passage(
        &self,
        left: &[u32],
        right: &[u32],
        a: Point,
        b: Point,
        half: f64,
        span: [f64; 2],
    ) -> Option<(DoorSide, DoorSide)> {
        let length = distance(a, b).max(1e-9);
        let u = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
        let side = |spaces: &[u32], sign: f64| {
            let origin = [a[0] - u[1] * half * sign, a[1] + u[0] * half * sign];
            let faces = spaces
                .iter()
                .filter_map(|s| Some((*s, Face::find(&self.polygon(*s)?, origin, u, span, FACE_M)?)));
            faces.max_by(|x, y| (x.1.span[1] - x.1.span[0]).total_cmp(&(y.1.span[1] - y.1.span[0])))
        };
        let ((from, near), (to, far)) = (side(left, 1.0)?, side(right, -1.0)?);
        let common = [near.span[0].max(far.span[0]), near.span[1].min(far.span[1])];
        (common[1] - common[0] >= NARROWEST_M).then(|| {
            (
                DoorSide { space: from, a: near.point(common[0]), b: near.point(common[1]) },
                DoorSide { space: to, a: far.point(common[0]), b: far.point(common[1]) },
            )
        })
    }

    /// A stair as a space of its own, joined to the floors at its ends.
    fn stair(&mut self, building: &Building, stair: &Stair, way: stairs::Way) {
        let id = format!("{}/{}", building.id, stair.id);
        let find = |storey: &str, space: &str| {
            self.site.space_of.get(&format!("{}/{storey}/{space}", building.id)).copied()
        };
        let (Some(lower), Some(upper)) =
            (find(&stair.from, &stair.space_from), find(&stair.to, &stair.space_to))
        else {
            self.leave_out(id, "one of its rooms has no floor");
            return;
        };
        let index = self.space(id.clone(), way.shape.clone());
        for (name, end, s, floor) in
            [("lower", way.lower, 0.0, lower), ("upper", way.upper, way.length_m, upper)]
        {
            let door = format!("{id}/{name}");
            match self.landing(floor, end, way.width_m) {
                Some((a, b, span)) => {
                    let on_stair = DoorSide { space: index, a: [s, span[0]], b: [s, span[1]] };
                    let on_floor = DoorSide { space: floor, a, b };
                    self.site.input.doors.push(Door { id: door, from: on_floor, to: on_stair, open: true });
                }
                None => self.leave_out(door, "the stair doesn't meet the floor of its room"),
            }
        }
    }

    /// Where a stair's end meets a floor: two points of the floor's edge, and from where to where across the stair from
    /// its right. Where the floor has no edge at the steps, its edge nearest to them is taken.
    fn landing(&self, floor: u32, end: stairs::End, width: f64) -> Option<(Point, Point, [f64; 2])> {
        let polygon = self.polygon(floor)?;
        let right = end.right();
        let origin = [end.at[0] + right[0] * width / 2.0, end.at[1] + right[1] * width / 2.0];
        let left = right.map(|x| -x);
        if let Some(face) = Face::find(&polygon, origin, left, [0.0, width], FACE_M)
            && face.span[1] - face.span[0] >= NARROWEST_M
        {
            return Some((face.point(face.span[0]), face.point(face.span[1]), face.span));
        }
        let rings = std::iter::once(&polygon.outline).chain(&polygon.holes);
        let long =
            rings.flat_map(|r| crate::geometry::edges(r)).filter(|(a, b)| distance(*a, *b) >= NARROWEST_M);
        let away = |e: &(Point, Point)| crate::geometry::to_segment(end.at, e.0, e.1);
        let (a, b) = long.min_by(|x, y| away(x).total_cmp(&away(y)))?;
        let length = distance(a, b);
        let u = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
        let wide = width.min(length);
        let middle =
            ((end.at[0] - a[0]) * u[0] + (end.at[1] - a[1]) * u[1]).clamp(wide / 2.0, length - wide / 2.0);
        let at = |d: f64| [a[0] + u[0] * d, a[1] + u[1] * d];
        let (p, q) = (at(middle - wide / 2.0), at(middle + wide / 2.0));
        // The right edge of the stair is the one nearer to its right.
        let (p, q) = if distance(p, origin) <= distance(q, origin) { (p, q) } else { (q, p) };
        Some((p, q, [(width - wide) / 2.0, (width + wide) / 2.0]))
    }

    fn goals(&mut self) {
        let plan = &self.campus.plan;
        if let Some(space) = self.site.outside {
            let goal = |id: String, area: Vec<Point>| Goal { id, space, area, leaves: false };
            for place in &plan.outside.assembly_points {
                let id = format!("site/{}", place.id);
                self.site.input.goals.push(goal(id.clone(), ring(&plan.outside.vertices, &place.outline)));
                self.site.assembly.push(id);
            }
            self.site.input.goals.push(goal("site".to_owned(), Vec::new()));
        }
        for building in &plan.buildings {
            let ground = ground_level(building);
            for storey in building.storeys.iter().filter(|s| s.level > ground) {
                let mut goals = Vec::new();
                for space in storey.spaces.iter().filter(|s| is_refuge(s.use_)) {
                    let id = path(building, storey, &space.id);
                    if let Some(&space) = self.site.space_of.get(&id) {
                        let area = Vec::new();
                        self.site.input.goals.push(Goal { id: id.clone(), space, area, leaves: false });
                        goals.push(id);
                    }
                }
                self.site.storeys.insert(format!("{}/{}", building.id, storey.id), goals);
            }
        }
    }

    /// Finds what can't be reached from outside.
    fn reach(&mut self) {
        let count = self.site.input.spaces.len();
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); count];
        for door in &self.site.input.doors {
            next[door.from.space as usize].push(door.to.space);
            next[door.to.space as usize].push(door.from.space);
        }
        let mut reached = vec![false; count];
        let mut queue: Vec<u32> = self.site.outside.into_iter().collect();
        while let Some(space) = queue.pop() {
            if !std::mem::replace(&mut reached[space as usize], true) {
                queue.extend(&next[space as usize]);
            }
        }
        let spaces = self.site.input.spaces.iter().zip(reached);
        self.site.unreachable = spaces.filter(|(_, r)| !r).map(|(s, _)| s.id.clone()).collect();
    }
}

/// The middles of the doors, gaps and open edges of a space, on the lines of its walls.
fn door_middles(building: &Building, storey: &Storey, edges: &Edges, space: usize) -> Vec<Point> {
    let point = |i: u32| building.vertices.get(i as usize).map_or([0.0; 2], |v| metres(*v));
    let walked = storey.openings.iter().filter(|o| matches!(o.kind, OpeningKind::Door | OpeningKind::Gap));
    walked
        .filter(|o| {
            let sides = edges.sides(o.wall[0], o.wall[1]);
            sides.left == Some(space) || sides.right == Some(space)
        })
        .map(|o| {
            let (a, b) = (point(o.wall[0]), point(o.wall[1]));
            let t = (f64::from(o.at_mm) + f64::from(o.width_mm) / 2.0) / 1e3 / distance(a, b).max(1e-9);
            [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
        })
        .collect()
}
