//! Where people can stand: rooms within their walls, the outside without buildings, in whole millimetres.

use campanile_model::{Building, Construction, PointMm, Space, Storey};
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::core::single::SingleIntOverlay;
use i_overlay::i_float::int::point::IntPoint;
use std::collections::BTreeMap;

use crate::geometry::{Point, Polygon, area2, distance, edges, metres};
use crate::topology::thickness_m;

type Ring = Vec<IntPoint<i32>>;

fn mm(x: f64) -> i32 {
    libm::round(x * 1e3) as i32
}

fn to_ring(points: impl IntoIterator<Item = Point>) -> Ring {
    points.into_iter().map(|p| IntPoint::new(mm(p[0]), mm(p[1]))).collect()
}

/// The pieces of some rings (outline and holes) that none of others covers, the largest first.
pub fn without(from: &[Vec<Point>], taken: &[Vec<Point>]) -> Vec<Polygon> {
    let from: Vec<Ring> = from.iter().map(|r| to_ring(r.iter().copied())).collect();
    // Each on its own and counter-clockwise, so that what overlaps counts as covered.
    let taken: Vec<Vec<Ring>> = taken
        .iter()
        .map(|r| {
            let mut ring = to_ring(r.iter().copied());
            if area2(r) < 0.0 {
                ring.reverse();
            }
            vec![ring]
        })
        .collect();
    let shapes = vec![from].overlay(&taken, OverlayRule::Difference, FillRule::NonZero);
    let back = |ring: Ring| -> Vec<Point> { ring.into_iter().map(|p| metres([p.x, p.y])).collect() };
    let mut found: Vec<Polygon> = shapes
        .into_iter()
        .filter_map(|shape| {
            let mut rings = shape.into_iter().map(back);
            let mut outline = rings.next()?;
            if area2(&outline) < 0.0 {
                outline.reverse();
            }
            let holes = rings.filter(|h| h.len() > 2).map(|mut h| {
                if area2(&h) > 0.0 {
                    h.reverse();
                }
                h
            });
            Some(Polygon { holes: holes.collect(), outline })
        })
        .filter(|p| p.outline.len() > 2 && area_m2(p) > 0.05)
        .collect();
    found.sort_by(|a, b| area_m2(b).total_cmp(&area_m2(a)));
    found
}

/// The area of a polygon, m².
pub fn area_m2(polygon: &Polygon) -> f64 {
    (area2(&polygon.outline) + polygon.holes.iter().map(|h| area2(h)).sum::<f64>()) / 2.0
}

/// The walls of a storey by edge, with their thickness, m.
pub type Walls = BTreeMap<(u32, u32), f64>;

pub fn walls(storey: &Storey, constructions: &BTreeMap<String, Construction>) -> Walls {
    storey.walls.iter().map(|w| ((w.a.min(w.b), w.a.max(w.b)), thickness_m(w, constructions))).collect()
}

fn vertex(vertices: &[PointMm], i: u32) -> Point {
    vertices.get(i as usize).map_or([0.0; 2], |v| metres(*v))
}

/// What a wall takes up: its thickness along its length and half of it beyond its ends.
fn band(a: Point, b: Point, thickness: f64) -> Vec<Point> {
    let (length, half) = (distance(a, b).max(1e-9), thickness / 2.0);
    let u = [(b[0] - a[0]) / length * half, (b[1] - a[1]) / length * half];
    crate::outside::band([a[0] - u[0], a[1] - u[1]], [b[0] + u[0], b[1] + u[1]], half)
}

/// The walls around a space as what they take up.
pub fn bands(building: &Building, space: &Space, walls: &Walls) -> Vec<Vec<Point>> {
    let mut found = Vec::new();
    for ring in std::iter::once(&space.outline).chain(&space.holes) {
        for (i, a) in ring.iter().enumerate() {
            let b = ring[(i + 1) % ring.len()];
            if let Some(thickness) = walls.get(&((*a).min(b), (*a).max(b))) {
                found.push(band(vertex(&building.vertices, *a), vertex(&building.vertices, b), *thickness));
            }
        }
    }
    found
}

/// A line across a space: people stand only where `keep` points, which is a unit vector.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub at: Point,
    pub keep: Point,
}

impl Cut {
    pub fn keeps(&self, p: Point, tolerance: f64) -> bool {
        (p[0] - self.at[0]) * self.keep[0] + (p[1] - self.at[1]) * self.keep[1] >= -tolerance
    }

    /// What it takes away, as a rectangle larger than any building.
    pub fn taken(&self) -> Vec<Point> {
        const FAR: f64 = 2000.0;
        let (k, side) = (self.keep, [-self.keep[1], self.keep[0]]);
        let corner = |s: f64, back: f64| {
            [self.at[0] + side[0] * s - k[0] * back, self.at[1] + side[1] * s - k[1] * back]
        };
        vec![corner(FAR, 0.0), corner(FAR, FAR), corner(-FAR, FAR), corner(-FAR, 0.0)]
    }
}

/// An edge of a polygon that runs along a wall's face: the part of it between two places along the wall.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    a: Point,
    b: Point,
    at: [f64; 2],
    /// From where to where of the wanted part it goes, m along the wall.
    pub span: [f64; 2],
}

impl Face {
    /// The edge that lies on the line from `origin` along the unit vector `u`, within `tolerance`, and has most of
    /// what lies from `span[0]` to `span[1]` along it.
    pub fn find(polygon: &Polygon, origin: Point, u: Point, span: [f64; 2], tolerance: f64) -> Option<Self> {
        let along = |p: Point| (p[0] - origin[0]) * u[0] + (p[1] - origin[1]) * u[1];
        let off = |p: Point| ((p[1] - origin[1]) * u[0] - (p[0] - origin[0]) * u[1]).abs();
        let rings = std::iter::once(&polygon.outline).chain(&polygon.holes);
        rings
            .flat_map(|ring| edges(ring))
            .filter(|(a, b)| off(*a) <= tolerance && off(*b) <= tolerance)
            .map(|(a, b)| {
                let at = [along(a), along(b)];
                let [low, high] = [at[0].min(at[1]), at[0].max(at[1])];
                Self { a, b, at, span: [span[0].max(low), span[1].min(high)] }
            })
            .filter(|f| f.span[1] > f.span[0])
            .max_by(|x, y| (x.span[1] - x.span[0]).total_cmp(&(y.span[1] - y.span[0])))
    }

    /// The point of the edge at a place along the wall.
    pub fn point(&self, place: f64) -> Point {
        let t = (place - self.at[0]) / (self.at[1] - self.at[0]);
        [self.a[0] + t * (self.b[0] - self.a[0]), self.a[1] + t * (self.b[1] - self.a[1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_leaves_holes_and_pieces() {
        let square = |x: f64, y: f64, s: f64| vec![[x, y], [x + s, y], [x + s, y + s], [x, y + s]];
        let pieces = without(&[square(0.0, 0.0, 10.0)], &[square(2.0, 2.0, 3.0), square(4.0, 4.0, 2.0)]);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].holes.len(), 1);
        assert!((area_m2(&pieces[0]) - (100.0 - 9.0 - 4.0 + 1.0)).abs() < 1e-9);
        let cut = without(&[square(0.0, 0.0, 10.0)], &[Cut { at: [3.0, 0.0], keep: [-1.0, 0.0] }.taken()]);
        assert!((area_m2(&cut[0]) - 30.0).abs() < 1e-9);
    }

    #[test]
    fn a_face_is_found_and_clipped() {
        let room = Polygon { outline: vec![[0.1, 0.1], [3.9, 0.1], [3.9, 2.9], [0.1, 2.9]], holes: vec![] };
        let face = Face::find(&room, [0.0, 0.1], [1.0, 0.0], [-0.5, 1.0], 0.01).unwrap();
        assert_eq!(face.span, [0.1, 1.0]);
        assert_eq!(face.point(1.0), [1.0, 0.1]);
        assert!(Face::find(&room, [0.0, 0.3], [1.0, 0.0], [0.0, 1.0], 0.01).is_none());
    }
}
