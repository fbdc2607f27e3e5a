//! Which spaces lie on each side of an edge; net areas and volumes.

use std::collections::BTreeMap;

use campanile_model::{Building, Construction, Space, Storey, Wall};

use crate::geometry::{Point, Polygon, area2, distance, edges, metres, ring};

/// The spaces on both sides of the edge from vertex `a` to vertex `b`, by index in the storey; `None` is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// To the left, looking from `a` to `b`.
    pub left: Option<usize>,
    /// To the right.
    pub right: Option<usize>,
}

/// The sides of every edge of a storey, found once.
#[derive(Clone, Debug)]
pub struct Edges {
    left_of: BTreeMap<(u32, u32), usize>,
}

impl Edges {
    /// Reads the rings of a storey's spaces: a counter-clockwise ring has its space to the left of its edges.
    pub fn of(storey: &Storey) -> Self {
        let mut left_of = BTreeMap::new();
        for (index, space) in storey.spaces.iter().enumerate() {
            for ring in std::iter::once(&space.outline).chain(&space.holes) {
                for (i, a) in ring.iter().enumerate() {
                    left_of.insert((*a, ring[(i + 1) % ring.len()]), index);
                }
            }
        }
        Self { left_of }
    }

    /// The sides of an edge.
    pub fn sides(&self, a: u32, b: u32) -> Sides {
        Sides { left: self.left_of.get(&(a, b)).copied(), right: self.left_of.get(&(b, a)).copied() }
    }
}

/// The thickness of a wall in metres: its own, else its construction's, else 0.2.
pub fn thickness_m(wall: &Wall, constructions: &BTreeMap<String, Construction>) -> f64 {
    let of_layers =
        || constructions.get(&wall.construction).map(Construction::thickness_mm).filter(|t| *t > 0.0);
    wall.thickness_mm.map(f64::from).or_else(of_layers).unwrap_or(200.0) / 1e3
}

/// A space's outline and holes in metres, on the centre-lines of its walls.
pub fn polygon(building: &Building, space: &Space) -> Polygon {
    Polygon {
        outline: ring(&building.vertices, &space.outline),
        holes: space.holes.iter().map(|hole| ring(&building.vertices, hole)).collect(),
    }
}

/// The floor area of a space within its walls, m²: the area on centre-lines less half of each wall's thickness along
/// its length; the squares at corners are not taken twice.
pub fn net_area_m2(
    building: &Building,
    storey: &Storey,
    space: &Space,
    constructions: &BTreeMap<String, Construction>,
) -> f64 {
    let gross = polygon(building, space);
    let area = (area2(&gross.outline) + gross.holes.iter().map(|h| area2(h)).sum::<f64>()) / 2.0;
    let thickness: BTreeMap<(u32, u32), f64> =
        storey.walls.iter().map(|w| ((w.a.min(w.b), w.a.max(w.b)), thickness_m(w, constructions))).collect();
    let half = |a: u32, b: u32| thickness.get(&(a.min(b), a.max(b))).copied().unwrap_or(0.0) / 2.0;
    let point = |i: u32| building.vertices.get(i as usize).map_or([0.0; 2], |v| metres(*v));
    let mut taken = 0.0;
    for ring in std::iter::once(&space.outline).chain(&space.holes) {
        let count = ring.len();
        for (i, a) in ring.iter().enumerate() {
            let (b, c) = (ring[(i + 1) % count], ring[(i + 2) % count]);
            taken += half(*a, b) * distance(point(*a), point(b));
            let turn = area2(&[point(*a), point(b), point(c)]);
            if turn.abs() > 1e-9 {
                taken -= half(*a, b) * half(b, c) * turn.signum();
            }
        }
    }
    (area - taken).max(0.0)
}

/// The air volume of a space, m³: net area times clear height.
pub fn volume_m3(
    building: &Building,
    storey: &Storey,
    space: &Space,
    constructions: &BTreeMap<String, Construction>,
) -> f64 {
    let clear = space.ceiling_mm.unwrap_or(storey.ceiling_mm) - space.floor_offset_mm;
    net_area_m2(building, storey, space, constructions) * f64::from(clear) / 1e3
}

/// The outer edges of a storey: those with a space to the left and none to the right.
pub fn outer_edges(building: &Building, storey: &Storey) -> Vec<(Point, Point)> {
    let sides = Edges::of(storey);
    let mut found = Vec::new();
    for space in &storey.spaces {
        for indices in std::iter::once(&space.outline).chain(&space.holes) {
            let points = ring(&building.vertices, indices);
            for (i, edge) in edges(&points).enumerate() {
                if sides.sides(indices[i], indices[(i + 1) % indices.len()]).right.is_none() {
                    found.push(edge);
                }
            }
        }
    }
    found
}
