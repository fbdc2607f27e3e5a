//! Points, segments and polygons of a plane. Lengths in m.

use crate::Point;

pub(crate) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

/// `a + b * t`.
pub(crate) fn along(a: Point, b: Point, t: f64) -> Point {
    [a[0] + b[0] * t, a[1] + b[1] * t]
}

pub(crate) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Positive where `b` lies to the left of `a`.
pub(crate) fn cross(a: Point, b: Point) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

/// A quarter turn to the left.
pub(crate) fn left(a: Point) -> Point {
    [-a[1], a[0]]
}

pub(crate) fn length(a: Point) -> f64 {
    dot(a, a).sqrt()
}

pub(crate) fn distance(a: Point, b: Point) -> f64 {
    length(sub(a, b))
}

/// The direction of `a`, none for the null vector.
pub(crate) fn unit(a: Point) -> Option<Point> {
    let l = length(a);
    (l > 1e-12).then(|| [a[0] / l, a[1] / l])
}

pub(crate) fn middle(a: Point, b: Point) -> Point {
    [(a[0] + b[0]) * 0.5, (a[1] + b[1]) * 0.5]
}

/// A straight piece of wall or opening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segment {
    pub a: Point,
    pub b: Point,
}

impl Segment {
    /// The point of the segment nearest to `p`.
    pub fn nearest(&self, p: Point) -> Point {
        let ab = sub(self.b, self.a);
        let l2 = dot(ab, ab);
        if l2 <= 0.0 {
            return self.a;
        }
        along(self.a, ab, (dot(sub(p, self.a), ab) / l2).clamp(0.0, 1.0))
    }

    /// Whether the way from `p` to `q` meets the segment, ends included.
    pub fn meets(&self, p: Point, q: Point) -> bool {
        let (d, ab) = (sub(q, p), sub(self.b, self.a));
        let (s0, s1) = (cross(ab, sub(p, self.a)), cross(ab, sub(q, self.a)));
        let (t0, t1) = (cross(d, sub(self.a, p)), cross(d, sub(self.b, p)));
        let boxes = |i: usize| {
            p[i].min(q[i]) <= self.a[i].max(self.b[i]) && self.a[i].min(self.b[i]) <= p[i].max(q[i])
        };
        boxes(0) && boxes(1) && s0 * s1 <= 0.0 && t0 * t1 <= 0.0
    }

    /// How far a disc of radius `r` at `p` can go in direction `e` before it touches the segment; infinite
    /// where
    /// it never does. A disc that touches already may go along the segment and away from it.
    pub fn contact(&self, p: Point, e: Point, r: f64) -> f64 {
        let near = self.nearest(p);
        let off = sub(p, near);
        if dot(off, off) <= (r + TOUCH) * (r + TOUCH) {
            return if dot(off, e) < -1e-9 { 0.0 } else { f64::INFINITY };
        }
        let mut first = disc(sub(self.a, p), e, r).min(disc(sub(self.b, p), e, r));
        let ab = sub(self.b, self.a);
        let Some(d) = unit(ab) else { return first };
        let n = left(d);
        let (height, rate) = (dot(n, sub(p, self.a)), dot(n, e));
        // Seen from the side on which the disc is.
        let (height, rate) = if height < 0.0 { (-height, -rate) } else { (height, rate) };
        if rate < 0.0 && height > r {
            let t = (height - r) / -rate;
            let foot = dot(d, sub(along(p, e, t), self.a));
            if (0.0..=length(ab)).contains(&foot) {
                first = first.min(t);
            }
        }
        first
    }
}

/// Within this a disc counts as touching a wall, m.
pub(crate) const TOUCH: f64 = 1e-6;

/// How far a point can go in direction `e` before it is within `r` of the point at `to` (seen from it).
pub(crate) fn disc(to: Point, e: Point, r: f64) -> f64 {
    let a = dot(to, e);
    if a <= 0.0 {
        return f64::INFINITY;
    }
    let d2 = dot(to, to);
    let room = r * r - (d2 - a * a);
    if room <= 0.0 {
        return f64::INFINITY;
    }
    (a - room.sqrt()).max(0.0)
}

/// Twice the signed area: positive counter-clockwise.
pub(crate) fn area2(ring: &[Point]) -> f64 {
    edges(ring).map(|s| cross(s.a, s.b)).sum()
}

pub(crate) fn edges(ring: &[Point]) -> impl Iterator<Item = Segment> + '_ {
    (0..ring.len()).map(|i| Segment { a: ring[i], b: ring[(i + 1) % ring.len()] })
}

/// Whether every corner of a counter-clockwise ring turns left (or not at all).
pub(crate) fn convex(ring: &[Point]) -> bool {
    let n = ring.len();
    (0..n).all(|i| {
        let (a, b, c) = (ring[i], ring[(i + 1) % n], ring[(i + 2) % n]);
        let (ab, bc) = (sub(b, a), sub(c, b));
        cross(ab, bc) >= -1e-9 * length(ab) * length(bc)
    })
}

/// Whether a point lies in the rings (even-odd).
pub(crate) fn inside(rings: &[Vec<Point>], p: Point) -> bool {
    let mut odd = false;
    for edge in rings.iter().flat_map(|r| edges(r)) {
        if (edge.a[1] > p[1]) != (edge.b[1] > p[1]) {
            let t = (p[1] - edge.a[1]) / (edge.b[1] - edge.a[1]);
            odd ^= p[0] < edge.a[0] + t * (edge.b[0] - edge.a[0]);
        }
    }
    odd
}

/// The point of a convex area nearest to `p`: `p` itself where it lies inside.
pub(crate) fn nearest_of_area(area: &[Point], p: Point) -> Point {
    if edges(area).all(|s| cross(sub(s.b, s.a), sub(p, s.a)) >= 0.0) {
        return p;
    }
    let mut best = (f64::INFINITY, p);
    for edge in edges(area) {
        let near = edge.nearest(p);
        let d = distance(near, p);
        if d < best.0 {
            best = (d, near);
        }
    }
    best.1
}

/// The mean of the corners.
pub(crate) fn centre(ring: &[Point]) -> Point {
    let n = ring.len().max(1) as f64;
    let sum = ring.iter().fold([0.0, 0.0], |s, p| [s[0] + p[0], s[1] + p[1]]);
    [sum[0] / n, sum[1] / n]
}

/// The corners of the box around rings: least and most.
pub(crate) fn bounds(rings: &[Vec<Point>]) -> [Point; 2] {
    let mut b = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    for p in rings.iter().flatten() {
        for i in 0..2 {
            b[0][i] = b[0][i].min(p[i]);
            b[1][i] = b[1][i].max(p[i]);
        }
    }
    b
}
