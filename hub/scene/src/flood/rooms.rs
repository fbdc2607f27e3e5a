//! Rooms and the openings between them and the ground.

use std::collections::BTreeMap;

use campanile_flood::{End, Link, Room};
use campanile_model::{Building, Campus, Leaf, Opening, OpeningKind, Space, Storey};

use super::ground::{cell_at, centre, ground_level};
use super::{FloodSite, LeftOut};
use crate::geometry::{Point, Polygon, area2, contains, distance, metres, triangulate};
use crate::tables::FloodTables;
use crate::topology::{self, Edges};

/// An open side of a room to the outside is cut into links of at most this width, m, each to its own cell.
const OPEN_SIDE_M: f64 = 4.0;
/// How far from a wall's face a cell is looked for, in cells.
const REACH_CELLS: u32 = 5;

/// Where a link meets the ground: the middle of its threshold, by cell.
pub type Doors = BTreeMap<u32, Point>;

/// Adds the rooms of every building and their links.
pub fn add(campus: &Campus, tables: &FloodTables, site: &mut FloodSite) -> Doors {
    let mut doors = Doors::new();
    for building in &campus.plan.buildings {
        let level = ground_level(building);
        let storeys: Vec<&Storey> = building.storeys.iter().filter(|s| s.level <= level).collect();
        for (i, storey) in storeys.iter().enumerate() {
            let below = i.checked_sub(1).map(|b| storeys[b]);
            for space in &storey.spaces {
                add_room(campus, building, storey, space, below, site);
            }
        }
        for storey in &storeys {
            let thickness = storey
                .walls
                .iter()
                .map(|w| (edge(w.a, w.b), topology::thickness_m(w, &campus.plan.constructions)));
            let mut links = Links {
                tables,
                building,
                storey,
                edges: Edges::of(storey),
                thickness: thickness.collect(),
                doors: &mut doors,
                site: &mut *site,
            };
            for opening in &storey.openings {
                links.opening(opening);
            }
            links.open_edges();
        }
        stairs(building, &storeys, site);
    }
    doors
}

fn edge(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

fn path(building: &Building, storey: &Storey, id: &str) -> String {
    format!("{}/{}/{id}", building.id, storey.id)
}

fn floor_m(storey: &Storey, space: &Space) -> f64 {
    f64::from(storey.floor_mm + space.floor_offset_mm) / 1e3
}

/// Clear height over its own floor, m.
fn clear_m(storey: &Storey, space: &Space) -> f64 {
    f64::from(space.ceiling_mm.unwrap_or(storey.ceiling_mm) - space.floor_offset_mm) / 1e3
}

/// A point within a polygon: the middle of its largest triangle.
pub fn inside(polygon: &Polygon) -> Option<Point> {
    let largest = triangulate(polygon).into_iter().max_by(|a, b| area2(a).total_cmp(&area2(b)))?;
    Some([0, 1].map(|k| largest.iter().map(|p| p[k]).sum::<f64>() / 3.0))
}

fn add_room(
    campus: &Campus,
    building: &Building,
    storey: &Storey,
    space: &Space,
    below: Option<&Storey>,
    site: &mut FloodSite,
) {
    let id = path(building, storey, &space.id);
    // Without a floor it is part of the room below.
    if space.open_to_below
        && let (Some(below), Some(p)) = (below, inside(&topology::polygon(building, space)))
        && let Some(under) = below.spaces.iter().find(|s| {
            let polygon = topology::polygon(building, s);
            contains(&polygon.outline, p) && !polygon.holes.iter().any(|h| contains(h, p))
        })
        && let Some(&room) = site.room_of.get(&path(building, below, &under.id))
    {
        let top = floor_m(storey, space) + clear_m(storey, space);
        let lower = &mut site.input.rooms[room as usize];
        lower.height_m = lower.height_m.max(top - lower.floor_m);
        site.room_spaces[room as usize].push(id.clone());
        site.room_of.insert(id, room);
        return;
    }
    let area_m2 = topology::net_area_m2(building, storey, space, &campus.plan.constructions);
    if area_m2 < 0.01 {
        let why = "it has no floor area within its walls".to_owned();
        site.left_out.push(LeftOut { path: id, why });
        return;
    }
    let room = site.input.rooms.len() as u32;
    let (floor_m, height_m) = (floor_m(storey, space), clear_m(storey, space).max(0.1));
    site.input.rooms.push(Room { id: id.clone(), floor_m, area_m2, height_m });
    site.room_spaces.push(vec![id.clone()]);
    site.room_of.insert(id, room);
}

struct Links<'a> {
    tables: &'a FloodTables,
    building: &'a Building,
    storey: &'a Storey,
    edges: Edges,
    thickness: BTreeMap<(u32, u32), f64>,
    doors: &'a mut Doors,
    site: &'a mut FloodSite,
}

impl Links<'_> {
    fn point(&self, vertex: u32) -> Point {
        self.building.vertices.get(vertex as usize).map_or([0.0; 2], |v| metres(*v))
    }

    fn room(&self, space: usize) -> Option<u32> {
        let space = self.storey.spaces.get(space)?;
        self.site.room_of.get(&path(self.building, self.storey, &space.id)).copied()
    }

    fn floor(&self, space: usize) -> f64 {
        self.storey.spaces.get(space).map_or(0.0, |s| floor_m(self.storey, s))
    }

    /// The free cell before a point of an outer wall; `outward` is a unit vector.
    fn cell_before(&self, p: Point, outward: Point, half_m: f64) -> Option<u32> {
        let input = &self.site.input;
        (1..=2 * REACH_CELLS).find_map(|k| {
            let away = half_m + f64::from(k) * input.cell_m / 4.0;
            cell_at(input, [p[0] + outward[0] * away, p[1] + outward[1] * away])
                .filter(|c| !input.blocked[*c as usize])
        })
    }

    fn opening(&mut self, opening: &Opening) {
        let openings = &self.tables.openings;
        let sill_mm = f64::from(opening.sill_mm);
        let leak = match opening.kind {
            OpeningKind::Gap => 1.0,
            _ if opening.leaf == Leaf::None => 1.0,
            OpeningKind::Window if sill_mm / 1e3 >= openings.window_sill_below_m => return,
            OpeningKind::Window => openings.shut_window_leak,
            OpeningKind::Door | OpeningKind::Hatch => openings.shut_door_leak,
        };
        let [a, b] = opening.wall.map(|v| self.point(v));
        let length = distance(a, b).max(1e-9);
        let t = (f64::from(opening.at_mm) + f64::from(opening.width_mm) / 2.0) / 1e3 / length;
        let middle = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
        self.link(&Passage {
            id: path(self.building, self.storey, &opening.id),
            wall: opening.wall,
            middle,
            sill_m: (f64::from(self.storey.floor_mm) + sill_mm) / 1e3,
            width_m: f64::from(opening.width_mm) / 1e3,
            height_m: Some(f64::from(opening.height_mm) / 1e3),
            open: leak,
        });
    }

    /// Edges that no wall stands on.
    fn open_edges(&mut self) {
        let mut seen = std::collections::BTreeSet::new();
        for space in &self.storey.spaces {
            for ring in std::iter::once(&space.outline).chain(&space.holes) {
                for (i, a) in ring.iter().enumerate() {
                    let b = ring[(i + 1) % ring.len()];
                    if self.thickness.contains_key(&edge(*a, b)) || !seen.insert(edge(*a, b)) {
                        continue;
                    }
                    self.open_edge(&space.id, *a, b);
                }
            }
        }
    }

    fn open_edge(&mut self, space: &str, a: u32, b: u32) {
        let (p, q) = (self.point(a), self.point(b));
        let sides = self.edges.sides(a, b);
        let length = distance(p, q);
        let outer = sides.left.is_none() || sides.right.is_none();
        let pieces = if outer { libm::ceil(length / OPEN_SIDE_M).max(1.0) } else { 1.0 };
        for i in 0..pieces as u32 {
            let t = (f64::from(i) + 0.5) / pieces;
            self.link(&Passage {
                id: format!("{}/open-{a}-{b}-{i}", path(self.building, self.storey, space)),
                wall: [a, b],
                middle: [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])],
                sill_m: f64::from(self.storey.floor_mm) / 1e3,
                width_m: length / pieces,
                height_m: None,
                open: 1.0,
            });
        }
    }

    fn link(&mut self, passage: &Passage) {
        let [a, b] = passage.wall;
        let sides = self.edges.sides(a, b);
        let clear = |links: &Self, space: usize| {
            links.storey.spaces.get(space).map_or(0.1, |s| clear_m(links.storey, s))
        };
        let (from, to, sill_m, height_m) = match (sides.left, sides.right) {
            (Some(left), Some(right)) => {
                let (Some(x), Some(y)) = (self.room(left), self.room(right)) else { return };
                if x == y {
                    return;
                }
                let sill = passage.sill_m.max(self.floor(left)).max(self.floor(right));
                let height = passage.height_m.unwrap_or(clear(self, left).min(clear(self, right)));
                (End::Room(x), End::Room(y), sill, height)
            }
            (Some(inner), None) | (None, Some(inner)) => {
                let Some(room) = self.room(inner) else { return };
                let (p, q) = (self.point(a), self.point(b));
                let length = distance(p, q).max(1e-9);
                let right = [(q[1] - p[1]) / length, -(q[0] - p[0]) / length];
                let outward = if sides.right.is_none() { right } else { right.map(|x| -x) };
                let half = self.thickness.get(&edge(a, b)).copied().unwrap_or(0.0) / 2.0;
                let Some(cell) = self.cell_before(passage.middle, outward, half) else {
                    let why = "no free cell of the grid lies before it".to_owned();
                    self.site.left_out.push(LeftOut { path: passage.id.clone(), why });
                    return;
                };
                self.doors.entry(cell).or_insert(passage.middle);
                // What lies below ground opens into a well whose rim is the ground.
                let sill = passage.sill_m.max(self.floor(inner)).max(self.site.input.bed_m[cell as usize]);
                let height = passage.height_m.unwrap_or(clear(self, inner));
                (End::Cell(cell), End::Room(room), sill, height)
            }
            (None, None) => return,
        };
        self.site.input.links.push(Link {
            id: passage.id.clone(),
            a: from,
            b: to,
            sill_m,
            width_m: passage.width_m,
            height_m: height_m.max(0.01),
            open: passage.open,
        });
    }
}

/// An opening or open edge.
struct Passage {
    id: String,
    wall: [u32; 2],
    middle: Point,
    sill_m: f64,
    width_m: f64,
    height_m: Option<f64>,
    open: f64,
}

/// Stairs and ramps between rooms that are not one: water runs down over the edge of the upper floor.
fn stairs(building: &Building, storeys: &[&Storey], site: &mut FloodSite) {
    for stair in &building.stairs {
        let find = |storey: &str, space: &str| {
            let storey = storeys.iter().find(|s| s.id == storey)?;
            let space = storey.spaces.iter().find(|s| s.id == space)?;
            Some((*storey, space, *site.room_of.get(&path(building, storey, &space.id))?))
        };
        let (Some((_, _, lower)), Some((storey, space, upper))) =
            (find(&stair.from, &stair.space_from), find(&stair.to, &stair.space_to))
        else {
            continue;
        };
        let width = stair.flights.iter().map(|f| f.width_mm).min();
        if let (false, Some(width)) = (lower == upper, width) {
            site.input.links.push(Link {
                id: format!("{}/{}", building.id, stair.id),
                a: End::Room(upper),
                b: End::Room(lower),
                sill_m: floor_m(storey, space),
                width_m: f64::from(width) / 1e3,
                height_m: clear_m(storey, space).max(0.01),
                open: 1.0,
            });
        }
    }
}

/// Where a cell's barrier side is judged: at its door where it has one.
pub fn judged(site: &FloodSite, doors: &Doors, cell: u32) -> Point {
    doors.get(&cell).copied().unwrap_or_else(|| centre(&site.input, cell))
}
