//! Plane geometry in metres: triangulation, clipping, distances.

use earcut::Earcut;

/// A point of the plan in metres: x to the local east, y to the local north.
pub type Point = [f64; 2];

/// A polygon of the plan: an outline, counter-clockwise, and holes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polygon {
    /// Counter-clockwise.
    pub outline: Vec<Point>,
    /// Clockwise.
    pub holes: Vec<Vec<Point>>,
}

/// From millimetres.
pub fn metres(mm: [i32; 2]) -> Point {
    [f64::from(mm[0]) / 1e3, f64::from(mm[1]) / 1e3]
}

pub fn ring(vertices: &[[i32; 2]], indices: &[u32]) -> Vec<Point> {
    indices.iter().filter_map(|i| vertices.get(*i as usize)).map(|v| metres(*v)).collect()
}

/// Twice the signed area; positive for counter-clockwise rings.
pub fn area2(ring: &[Point]) -> f64 {
    edges(ring).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum()
}

/// The edges of a closed ring.
pub fn edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    ring.iter().enumerate().map(|(i, a)| (*a, ring[(i + 1) % ring.len()]))
}

pub fn distance(a: Point, b: Point) -> f64 {
    libm::hypot(a[0] - b[0], a[1] - b[1])
}

/// The point of a segment nearest to a point.
pub fn nearest_on(p: Point, a: Point, b: Point) -> Point {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length2 = (dx * dx + dy * dy).max(1e-12);
    let t = (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2).clamp(0.0, 1.0);
    [a[0] + t * dx, a[1] + t * dy]
}

/// The distance from a point to a segment.
pub fn to_segment(p: Point, a: Point, b: Point) -> f64 {
    distance(p, nearest_on(p, a, b))
}

/// The lowest and highest coordinates.
pub fn bounds(ring: &[Point]) -> (Point, Point) {
    let start = ([f64::MAX; 2], [f64::MIN; 2]);
    ring.iter().fold(start, |(low, high), p| {
        ([low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])])
    })
}

pub fn contains(ring: &[Point], p: Point) -> bool {
    edges(ring).fold(false, |inside, (a, b)| {
        let crosses =
            (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0];
        inside != crosses
    })
}

/// The area centroid of a ring.
pub fn centroid(ring: &[Point]) -> Point {
    let doubled = area2(ring);
    if doubled.abs() < 1e-9 {
        return ring.first().copied().unwrap_or_default();
    }
    let sum = edges(ring).fold([0.0; 2], |sum, (a, b)| {
        let cross = a[0] * b[1] - b[0] * a[1];
        [sum[0] + (a[0] + b[0]) * cross, sum[1] + (a[1] + b[1]) * cross]
    });
    [sum[0] / (3.0 * doubled), sum[1] / (3.0 * doubled)]
}

/// Triangles as corner triples, counter-clockwise seen from above.
pub fn triangulate(polygon: &Polygon) -> Vec<[Point; 3]> {
    let mut points = polygon.outline.clone();
    let mut holes: Vec<u32> = Vec::new();
    for hole in &polygon.holes {
        holes.push(points.len() as u32);
        points.extend(hole);
    }
    let mut indices: Vec<u32> = Vec::new();
    Earcut::new().earcut(points.iter().copied(), &holes, &mut indices);
    indices
        .chunks_exact(3)
        .map(|t| {
            let [a, b, c] = [points[t[0] as usize], points[t[1] as usize], points[t[2] as usize]];
            if area2(&[a, b, c]) < 0.0 { [a, c, b] } else { [a, b, c] }
        })
        .filter(|t| area2(t) > 1e-9)
        .collect()
}

/// The part of a ring where a linear function is not negative (Sutherland and Hodgman's step for one half-plane).
pub fn clip(ring: &[Point], f: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::with_capacity(ring.len() + 2);
    for (a, b) in edges(ring) {
        let (fa, fb) = (f(a), f(b));
        if fa >= 0.0 {
            kept.push(a);
        }
        if (fa > 0.0 && fb < 0.0) || (fa < 0.0 && fb > 0.0) {
            let t = fa / (fa - fb);
            kept.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
        }
    }
    kept
}

/// The part of a ring within a rectangle.
pub fn clip_to(ring: &[Point], low: Point, high: Point) -> Vec<Point> {
    let ring = clip(ring, |p| p[0] - low[0]);
    let ring = clip(&ring, |p| high[0] - p[0]);
    let ring = clip(&ring, |p| p[1] - low[1]);
    clip(&ring, |p| high[1] - p[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_cover_a_polygon_with_a_hole() {
        let polygon = Polygon {
            outline: vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]],
            holes: vec![vec![[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 1.0]]],
        };
        let area: f64 = triangulate(&polygon).iter().map(|t| area2(t) / 2.0).sum();
        assert!((area - 15.0).abs() < 1e-12);
    }

    #[test]
    fn a_clip_keeps_the_inside() {
        let square = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        let part = clip_to(&square, [1.0, -1.0], [2.0, 9.0]);
        assert!((area2(&part) / 2.0 - 4.0).abs() < 1e-12);
        assert_eq!(centroid(&square), [2.0, 2.0]);
        assert!(contains(&square, [1.0, 1.0]) && !contains(&square, [5.0, 1.0]));
    }
}
