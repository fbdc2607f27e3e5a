//! What lies on each side of an edge, and how large a space is between its walls.
//!
//! Edges are centre lines. A ring runs with its space on the left (outlines counter-clockwise,
//! holes clockwise), so the space that uses an edge from `a` to `b` lies to the left of it.

use std::collections::BTreeMap;

use campanile_model::{Building, Opening, Plan, PointMm, Space, Storey, Wall};

use crate::plane::{area, float, offset_ring};

/// The spaces on both sides of an edge, as indices into [`Storey::spaces`]; `None` is outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// To the left, looking from the first vertex to the second.
    pub left: Option<usize>,
    /// To the right.
    pub right: Option<usize>,
}

/// The edges of one storey: spaces on their sides and walls on them.
#[derive(Clone, Debug, Default)]
pub struct Edges {
    /// The space to the left of each directed edge.
    left_of: BTreeMap<(u32, u32), usize>,
    /// The wall on each edge, by its lower and higher vertex.
    walls: BTreeMap<(u32, u32), usize>,
}

fn ordered(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

/// The rings of a space: its outline and its holes.
fn rings(space: &Space) -> impl Iterator<Item = &Vec<u32>> {
    std::iter::once(&space.outline).chain(&space.holes)
}

impl Edges {
    /// The edges of a storey.
    pub fn new(storey: &Storey) -> Self {
        let mut edges = Self::default();
        for (i, space) in storey.spaces.iter().enumerate() {
            for ring in rings(space) {
                for (k, a) in ring.iter().enumerate() {
                    edges.left_of.insert((*a, ring[(k + 1) % ring.len()]), i);
                }
            }
        }
        for (i, wall) in storey.walls.iter().enumerate() {
            edges.walls.insert(ordered(wall.a, wall.b), i);
        }
        edges
    }

    /// The spaces on both sides of the edge from `a` to `b`.
    pub fn sides(&self, a: u32, b: u32) -> Sides {
        Sides { left: self.left_of.get(&(a, b)).copied(), right: self.left_of.get(&(b, a)).copied() }
    }

    /// The index in [`Storey::walls`] of the wall on an edge, whichever way round it is named.
    pub fn wall(&self, a: u32, b: u32) -> Option<usize> {
        self.walls.get(&ordered(a, b)).copied()
    }

    /// The two spaces that an opening connects: left and right of its wall from `wall[0]`.
    pub fn opening_spaces(&self, opening: &Opening) -> Sides {
        self.sides(opening.wall[0], opening.wall[1])
    }
}

/// The thickness of a wall, mm: its own, else the sum of its construction's layers.
pub fn wall_thickness_mm(plan: &Plan, wall: &Wall) -> f64 {
    /// For a construction that gives no layers: thin, so that it is still a solid.
    const UNKNOWN_MM: f64 = 100.0;
    let layers = plan.constructions.get(&wall.construction).map_or(0.0, |c| c.thickness_mm());
    match wall.thickness_mm {
        Some(given) => f64::from(given),
        None if layers > 0.0 => layers,
        None => UNKNOWN_MM,
    }
}

fn corners(building: &Building, ring: &[u32]) -> Option<Vec<PointMm>> {
    ring.iter().map(|i| building.vertices.get(*i as usize).copied()).collect()
}

/// The floor area of a space between the faces of its walls, m²: each edge with a wall is moved
/// inwards by half the wall's thickness. `None` where the space names a vertex that doesn't exist.
pub fn net_area_m2(
    plan: &Plan,
    building: &Building,
    storey: &Storey,
    edges: &Edges,
    space: &Space,
) -> Option<f64> {
    let mut sum = 0.0;
    for ring in rings(space) {
        let half = |(k, a): (usize, &u32)| {
            let wall = edges.wall(*a, ring[(k + 1) % ring.len()]).and_then(|i| storey.walls.get(i));
            wall.map_or(0.0, |wall| wall_thickness_mm(plan, wall) / 2.0)
        };
        let offsets: Vec<f64> = ring.iter().enumerate().map(half).collect();
        sum += area(&offset_ring(&float(&corners(building, ring)?), &offsets));
    }
    Some((sum / 1e6).max(0.0))
}

/// The clear height of a space, mm: its own, else its storey's, less what its floor lies higher.
pub fn clear_height_mm(storey: &Storey, space: &Space) -> i32 {
    space.ceiling_mm.unwrap_or(storey.ceiling_mm - space.floor_offset_mm).max(0)
}

/// The air in a space, m³: net area by clear height.
pub fn volume_m3(plan: &Plan, building: &Building, storey: &Storey, edges: &Edges, space: &Space) -> Option<f64> {
    let area = net_area_m2(plan, building, storey, edges, space)?;
    Some(area * f64::from(clear_height_mm(storey, space)) / 1000.0)
}
