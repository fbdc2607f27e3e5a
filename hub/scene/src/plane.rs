//! Polygons in the plan: unions and cuts on whole millimetres, offsets, triangles.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::Overlay;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;

use campanile_model::PointMm;

/// A point of the plan, millimetres.
pub(crate) type P2 = [f64; 2];
/// An outline and its holes, in whole millimetres.
pub(crate) type Region = Vec<Vec<PointMm>>;

type Contours = Vec<Vec<IntPoint<i32>>>;

fn to_contours(regions: &[Region]) -> Contours {
    let point = |p: &PointMm| IntPoint { x: p[0], y: p[1] };
    regions.iter().flatten().map(|ring| ring.iter().map(point).collect()).collect()
}

fn overlay(a: &[Region], b: &[Region], rule: OverlayRule) -> Vec<Region> {
    let (a, b) = (to_contours(a), to_contours(b));
    let shapes = Overlay::<i32>::from_subj_and_clip(&a, &b).overlay(rule, FillRule::NonZero);
    let ring = |contour: Vec<IntPoint<i32>>| contour.into_iter().map(|p| [p.x, p.y]).collect();
    shapes.into_iter().map(|shape| shape.into_iter().map(ring).collect()).collect()
}

/// What any of the regions covers.
pub(crate) fn union(regions: &[Region]) -> Vec<Region> {
    overlay(regions, &[], OverlayRule::Subject)
}

/// What `a` covers and `b` doesn't.
pub(crate) fn difference(a: &[Region], b: &[Region]) -> Vec<Region> {
    if a.is_empty() || b.is_empty() { a.to_vec() } else { overlay(a, b, OverlayRule::Difference) }
}

/// What both cover.
pub(crate) fn intersection(a: &[Region], b: &[Region]) -> Vec<Region> {
    if a.is_empty() || b.is_empty() { Vec::new() } else { overlay(a, b, OverlayRule::Intersect) }
}

/// A rectangle along the axes.
pub(crate) fn rectangle(min: PointMm, max: PointMm) -> Region {
    vec![vec![min, [max[0], min[1]], max, [min[0], max[1]]]]
}

/// The smallest and largest coordinates.
pub(crate) fn bounds(points: impl IntoIterator<Item = PointMm>) -> Option<(PointMm, PointMm)> {
    points.into_iter().fold(None, |found, p| {
        let (min, max) = found.unwrap_or((p, p));
        Some(([min[0].min(p[0]), min[1].min(p[1])], [max[0].max(p[0]), max[1].max(p[1])]))
    })
}

pub(crate) fn float(ring: &[PointMm]) -> Vec<P2> {
    ring.iter().map(|p| [f64::from(p[0]), f64::from(p[1])]).collect()
}

pub(crate) fn round(ring: &[P2]) -> Vec<PointMm> {
    ring.iter().map(|p| [p[0].round() as i32, p[1].round() as i32]).collect()
}

/// Triangles of an outline with holes as indices into the rings put end to end. Every triangle runs
/// counter-clockwise.
pub(crate) fn triangles(rings: &[Vec<P2>]) -> (Vec<P2>, Vec<[usize; 3]>) {
    let points: Vec<P2> = rings.iter().flatten().copied().collect();
    let mut holes = Vec::new();
    let mut count = 0;
    for ring in rings {
        if count > 0 {
            holes.push(count as u32);
        }
        count += ring.len();
    }
    let mut flat: Vec<u32> = Vec::new();
    earcut::Earcut::new().earcut_slice(&points, &holes, &mut flat);
    let found = flat.chunks_exact(3).map(|t| {
        let t = [t[0] as usize, t[1] as usize, t[2] as usize];
        if cross(points[t[0]], points[t[1]], points[t[2]]) < 0.0 { [t[0], t[2], t[1]] } else { t }
    });
    let found = found.collect();
    (points, found)
}

/// Twice the signed area of a triangle.
pub(crate) fn cross(o: P2, a: P2, b: P2) -> f64 {
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

/// The signed area of a ring, mm²; positive for counter-clockwise.
pub(crate) fn area(ring: &[P2]) -> f64 {
    let n = ring.len();
    (0..n).map(|i| cross([0.0, 0.0], ring[i], ring[(i + 1) % n])).sum::<f64>() / 2.0
}

/// The area of regions, mm².
pub(crate) fn area_of(regions: &[Region]) -> f64 {
    regions.iter().flatten().map(|ring| area(&float(ring))).sum()
}

pub(crate) fn length(a: P2, b: P2) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    (dx * dx + dy * dy).sqrt()
}

/// The unit vector from `a` to `b`; along x where they are one point.
pub(crate) fn direction(a: P2, b: P2) -> P2 {
    let l = length(a, b);
    if l > 0.0 { [(b[0] - a[0]) / l, (b[1] - a[1]) / l] } else { [1.0, 0.0] }
}

/// The unit vector at an angle, degrees counter-clockwise from x.
pub(crate) fn heading(degrees: f64) -> P2 {
    let (sin, cos) = libm::sincos(degrees.to_radians());
    [cos, sin]
}

/// `p + u·along + left(u)·left`.
pub(crate) fn step(p: P2, u: P2, along: f64, left: f64) -> P2 {
    [p[0] + u[0] * along - u[1] * left, p[1] + u[1] * along + u[0] * left]
}

/// Where two lines, each a point and a direction, cross; `None` where they are (almost) parallel.
pub(crate) fn crossing(p: P2, u: P2, q: P2, v: P2) -> Option<P2> {
    let turn = u[0] * v[1] - u[1] * v[0];
    if turn.abs() < 1e-3 {
        return None;
    }
    let t = ((q[0] - p[0]) * v[1] - (q[1] - p[1]) * v[0]) / turn;
    Some([p[0] + u[0] * t, p[1] + u[1] * t])
}

/// Moves each edge `i` (from vertex `i` to `i + 1`) of a ring to its left by `offsets[i]`, with
/// mitred corners. Where neighbours run on in one line with different offsets there is a step.
pub(crate) fn offset_ring(ring: &[P2], offsets: &[f64]) -> Vec<P2> {
    let n = ring.len();
    let mut out = Vec::with_capacity(n);
    for i in 0..n {
        let before = (i + n - 1) % n;
        let (u, v) = (direction(ring[before], ring[i]), direction(ring[i], ring[(i + 1) % n]));
        let (p, q) = (step(ring[i], u, 0.0, offsets[before]), step(ring[i], v, 0.0, offsets[i]));
        match crossing(p, u, q, v) {
            Some(corner) => out.push(corner),
            None if offsets[before] == offsets[i] => out.push(q),
            None => out.extend([p, q]),
        }
    }
    out
}

/// The same offset for each edge.
pub(crate) fn offset(ring: &[P2], left: f64) -> Vec<P2> {
    offset_ring(ring, &vec![left; ring.len()])
}

/// Whether a point is inside a ring.
pub(crate) fn inside(p: P2, ring: &[P2]) -> bool {
    let n = ring.len();
    let mut found = false;
    for i in 0..n {
        let (a, b) = (ring[i], ring[(i + 1) % n]);
        if (a[1] > p[1]) != (b[1] > p[1]) && (cross(a, b, p) > 0.0) == (b[1] > a[1]) {
            found = !found;
        }
    }
    found
}

/// The part of a convex polygon where `value` is at least 0; `value` is linear.
pub(crate) fn clip(polygon: &[P2], value: impl Fn(P2) -> f64) -> Vec<P2> {
    let n = polygon.len();
    let mut out = Vec::with_capacity(n + 1);
    for i in 0..n {
        let (a, b) = (polygon[i], polygon[(i + 1) % n]);
        let (va, vb) = (value(a), value(b));
        if va >= 0.0 {
            out.push(a);
        }
        if (va > 0.0 && vb < 0.0) || (va < 0.0 && vb > 0.0) {
            let t = va / (va - vb);
            out.push([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]);
        }
    }
    out
}

/// The area of a line drawn with a width, mm: its segments and round joints.
pub(crate) fn band(line: &[PointMm], width: f64) -> Vec<Region> {
    let points = float(line);
    let half = width / 2.0;
    let mut parts: Vec<Region> = Vec::new();
    for pair in points.windows(2) {
        let u = direction(pair[0], pair[1]);
        let corners = [
            step(pair[0], u, 0.0, -half),
            step(pair[1], u, 0.0, -half),
            step(pair[1], u, 0.0, half),
            step(pair[0], u, 0.0, half),
        ];
        parts.push(vec![round(&corners)]);
    }
    for p in points.iter().take(points.len().saturating_sub(1)).skip(1) {
        let disc: Vec<P2> = (0..16).map(|i| step(*p, heading(f64::from(i) * 22.5), half, 0.0)).collect();
        parts.push(vec![round(&disc)]);
    }
    union(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_cut_exactly() {
        let a = [rectangle([0, 0], [10, 10])];
        let b = [rectangle([5, 2], [20, 8])];
        assert_eq!(area_of(&union(&[a[0].clone(), b[0].clone()])), 160.0);
        assert_eq!(area_of(&difference(&a, &b)), 70.0);
        assert_eq!(area_of(&intersection(&a, &b)), 30.0);
        let holed = difference(&a, &[rectangle([2, 2], [4, 4])]);
        assert_eq!((holed.len(), holed[0].len(), area_of(&holed)), (1, 2, 96.0));
        let rings: Vec<Vec<P2>> = holed[0].iter().map(|r| float(r)).collect();
        let (points, found) = triangles(&rings);
        let sum: f64 = found.iter().map(|t| cross(points[t[0]], points[t[1]], points[t[2]]) / 2.0).sum();
        assert_eq!(sum, 96.0);
    }

    #[test]
    fn an_offset_ring_keeps_its_corners_square() {
        let ring = [[0.0, 0.0], [4000.0, 0.0], [4000.0, 3000.0], [0.0, 3000.0]];
        assert_eq!(area(&offset(&ring, 100.0)), 3800.0 * 2800.0);
        assert_eq!(area(&offset(&ring, -100.0)), 4200.0 * 3200.0);
        let stepped = [[0.0, 0.0], [2000.0, 0.0], [4000.0, 0.0], [4000.0, 3000.0], [0.0, 3000.0]];
        let inner = offset_ring(&stepped, &[100.0, 200.0, 0.0, 0.0, 0.0]);
        assert_eq!(inner.len(), 6, "a step where the thickness changes");
        assert_eq!(area(&inner), 12e6 - 2000.0 * 300.0);
    }

    #[test]
    fn a_band_has_its_width() {
        let bend = band(&[[0, 0], [10_000, 0], [10_000, 10_000]], 2000.0);
        let area = area_of(&bend);
        // Two rectangles overlap in a square of half the width, and the disc rounds the corner.
        let exact = 2.0 * 2e7 - 1e6 + 0.25 * std::f64::consts::PI * 1e6;
        assert!((area - exact).abs() < 0.03e6, "{area} {exact}");
    }
}
