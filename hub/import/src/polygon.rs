//! Polygons in whole millimetres: the plan's own geometry, with the set operations of `i_overlay`.

use std::collections::BTreeSet;

use campanile_model::PointMm;
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::IntOverlayOptions;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::core::simplify::Simplify;
use i_overlay::core::single::SingleIntOverlay;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::string::slice::IntSlice;

/// A polygon: an outline, counter-clockwise, and holes, clockwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Polygon {
    pub outline: Vec<PointMm>,
    pub holes: Vec<Vec<PointMm>>,
}

type Shapes = Vec<Vec<Vec<IntPoint<i32>>>>;

fn to_shapes(polygons: &[Polygon]) -> Shapes {
    let contour = |ring: &Vec<PointMm>| ring.iter().map(|p| IntPoint::new(p[0], p[1])).collect();
    polygons.iter().map(|p| std::iter::once(&p.outline).chain(&p.holes).map(contour).collect()).collect()
}

fn from_shapes(shapes: Shapes) -> Vec<Polygon> {
    let mut polygons: Vec<Polygon> = shapes
        .into_iter()
        .filter_map(|shape| {
            let mut rings = shape.into_iter().map(|c| c.into_iter().map(|p| [p.x, p.y]).collect::<Vec<_>>());
            let mut outline = rings.next()?;
            if doubled_area(&outline) < 0 {
                outline.reverse();
            }
            let holes = rings.map(|mut hole| {
                if doubled_area(&hole) > 0 {
                    hole.reverse();
                }
                hole
            });
            Some(Polygon { holes: holes.filter(|h| h.len() > 2).collect(), outline })
        })
        .flat_map(Polygon::into_simple)
        .filter(|p| p.outline.len() > 2 && p.area_m2() > 1e-3)
        .collect();
    polygons.sort_by_key(|p| p.outline.iter().min().copied());
    polygons
}

fn overlay(a: &[Polygon], b: &[Polygon], rule: OverlayRule) -> Vec<Polygon> {
    from_shapes(to_shapes(a).overlay(&to_shapes(b), rule, FillRule::NonZero))
}

/// What rings enclose an odd number of times: a ring that crosses itself becomes the pieces it encloses.
pub(crate) fn even_odd(rings: &[Vec<PointMm>]) -> Vec<Polygon> {
    let contours: Vec<Vec<IntPoint<i32>>> =
        rings.iter().map(|ring| ring.iter().map(|p| IntPoint::new(p[0], p[1])).collect()).collect();
    from_shapes(contours.simplify(FillRule::EvenOdd, IntOverlayOptions::keep_output_points()))
}

/// Everything that is in one of them.
pub(crate) fn union(polygons: &[Polygon]) -> Vec<Polygon> {
    if let [one] = polygons {
        return vec![one.clone()];
    }
    overlay(polygons, &[], OverlayRule::Union)
}

pub(crate) fn intersection(a: &[Polygon], b: &[Polygon]) -> Vec<Polygon> {
    overlay(a, b, OverlayRule::Intersect)
}

pub(crate) fn difference(a: &[Polygon], b: &[Polygon]) -> Vec<Polygon> {
    if b.is_empty() { a.to_vec() } else { overlay(a, b, OverlayRule::Difference) }
}

/// The pieces that cuts along segments leave. Cuts have to run from edge to edge.
pub(crate) fn slice(polygon: &Polygon, cuts: &[[PointMm; 2]]) -> Vec<Polygon> {
    if cuts.is_empty() {
        return vec![polygon.clone()];
    }
    let point = |p: PointMm| IntPoint::new(p[0], p[1]);
    let lines: Vec<_> = cuts.iter().map(|[a, b]| [point(*a), point(*b)]).collect();
    let shape = to_shapes(std::slice::from_ref(polygon));
    let pieces = from_shapes(shape.slice_by_lines(&lines, FillRule::NonZero));
    if pieces.is_empty() { vec![polygon.clone()] } else { pieces }
}

/// Twice the signed area; positive for counter-clockwise.
pub(crate) fn doubled_area(ring: &[PointMm]) -> i128 {
    edges(ring).map(|(a, b)| i128::from(a[0]) * i128::from(b[1]) - i128::from(b[0]) * i128::from(a[1])).sum()
}

pub(crate) fn edges(ring: &[PointMm]) -> impl Iterator<Item = (PointMm, PointMm)> + '_ {
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| (*a, *b))
}

pub(crate) fn length(a: PointMm, b: PointMm) -> f64 {
    libm::hypot(f64::from(b[0]) - f64::from(a[0]), f64::from(b[1]) - f64::from(a[1]))
}

/// The distance from a point to a segment, and how far along it the nearest place is, both in millimetres.
pub(crate) fn to_segment(p: PointMm, a: PointMm, b: PointMm) -> (f64, f64) {
    let (dx, dy) = (f64::from(b[0]) - f64::from(a[0]), f64::from(b[1]) - f64::from(a[1]));
    let (px, py) = (f64::from(p[0]) - f64::from(a[0]), f64::from(p[1]) - f64::from(a[1]));
    let length = libm::hypot(dx, dy);
    if length == 0.0 {
        return (libm::hypot(px, py), 0.0);
    }
    let along = ((px * dx + py * dy) / length).clamp(0.0, length);
    (libm::hypot(px - dx / length * along, py - dy / length * along), along)
}

/// A ring without corners closer than `tolerance_mm` to one another or to the line of their neighbours. Empty where
/// nothing is left.
pub(crate) fn tidy(ring: &[PointMm], tolerance_mm: f64) -> Vec<PointMm> {
    let mut ring = ring.to_vec();
    loop {
        let n = ring.len();
        if n < 3 {
            return Vec::new();
        }
        let idle = (0..n).find(|&i| {
            let (before, here, after) = (ring[(i + n - 1) % n], ring[i], ring[(i + 1) % n]);
            length(here, after) <= tolerance_mm
                || to_segment(here, before, after).0 <= tolerance_mm
                // A spike: out and back along the same line.
                || to_segment(before, here, after).0 <= tolerance_mm
                || to_segment(after, before, here).0 <= tolerance_mm
        });
        match idle {
            Some(i) => {
                ring.remove(i);
            }
            None => return ring,
        }
    }
}

/// A ring cut at the corners that it passes twice: spikes go, and what touches itself becomes several rings.
pub(crate) fn simple(ring: &[PointMm]) -> Vec<Vec<PointMm>> {
    let corners: BTreeSet<PointMm> = ring.iter().copied().collect();
    if corners.len() == ring.len() {
        return vec![ring.to_vec()];
    }
    let mut done: Vec<Vec<PointMm>> = Vec::new();
    let mut open: Vec<PointMm> = Vec::new();
    for p in ring {
        if let Some(k) = open.iter().position(|q| q == p) {
            done.push(open.drain(k..).collect());
        }
        open.push(*p);
    }
    done.push(open);
    done.retain(|r| r.len() > 2 && doubled_area(r) != 0);
    done
}

impl Polygon {
    /// The same area as polygons whose rings pass no corner twice.
    pub fn into_simple(self) -> Vec<Polygon> {
        let whole = |ring: &Vec<PointMm>| ring.iter().collect::<BTreeSet<_>>().len() == ring.len();
        if self.rings().all(whole) {
            return vec![self];
        }
        let (outlines, mut holes): (Vec<_>, Vec<_>) =
            simple(&self.outline).into_iter().partition(|r| doubled_area(r) > 0);
        // A piece of a hole that runs the other way is an island of nothing.
        holes.extend(self.holes.iter().flat_map(|h| simple(h)).filter(|r| doubled_area(r) < 0));
        let mut found: Vec<Polygon> = outlines.into_iter().map(Polygon::of).collect();
        for hole in holes {
            let at = Polygon::of(hole.clone()).inner_point();
            if let Some(around) = found.iter_mut().find(|p| p.contains(at)) {
                around.holes.push(hole);
            }
        }
        found
    }

    /// A polygon without holes, whichever way its ring runs.
    pub fn of(mut outline: Vec<PointMm>) -> Self {
        if doubled_area(&outline) < 0 {
            outline.reverse();
        }
        Self { outline, holes: Vec::new() }
    }

    pub fn rings(&self) -> impl Iterator<Item = &Vec<PointMm>> {
        std::iter::once(&self.outline).chain(&self.holes)
    }

    pub fn area_m2(&self) -> f64 {
        self.rings().map(|ring| doubled_area(ring) as f64).sum::<f64>() / 2e6
    }

    pub fn perimeter_m(&self) -> f64 {
        self.rings().flat_map(|r| edges(r)).map(|(a, b)| length(a, b)).sum::<f64>() / 1e3
    }

    /// The lowest and the highest corner of the box around it.
    pub fn bounds(&self) -> (PointMm, PointMm) {
        bounds(self.outline.iter().copied())
    }

    pub fn contains(&self, p: [f64; 2]) -> bool {
        self.rings().flat_map(|r| edges(r)).fold(false, |inside, (a, b)| {
            let [ax, ay, bx, by] = [a[0], a[1], b[0], b[1]].map(f64::from);
            let crosses = (ay > p[1]) != (by > p[1]) && p[0] < (bx - ax) * (p[1] - ay) / (by - ay) + ax;
            inside != crosses
        })
    }

    /// A place well inside: the middle of the widest stretch on one of a few lines across.
    pub fn inner_point(&self) -> [f64; 2] {
        let (low, high) = self.bounds();
        let height = f64::from(high[1]) - f64::from(low[1]);
        let mut best = (0.0, [f64::from(low[0]), f64::from(low[1])]);
        for share in [0.5, 0.37, 0.63, 0.21, 0.79, 0.1, 0.9, 0.03, 0.97] {
            // A little aside, so that no corner lies on the line.
            let y = (f64::from(low[1]) + height * share).floor() + 0.5;
            let mut xs: Vec<f64> = self
                .rings()
                .flat_map(|r| edges(r))
                .filter(|(a, b)| (f64::from(a[1]) > y) != (f64::from(b[1]) > y))
                .map(|(a, b)| {
                    let [ax, ay, bx, by] = [a[0], a[1], b[0], b[1]].map(f64::from);
                    ax + (bx - ax) * (y - ay) / (by - ay)
                })
                .collect();
            xs.sort_by(f64::total_cmp);
            for pair in xs.chunks_exact(2) {
                if pair[1] - pair[0] > best.0 * 1.001 {
                    best = (pair[1] - pair[0], [(pair[0] + pair[1]) / 2.0, y]);
                }
            }
        }
        best.1
    }

    /// The same area in pieces without holes, as roofs have to be.
    pub fn without_holes(&self) -> Vec<Polygon> {
        let Some(hole) = self.holes.first() else { return vec![self.clone()] };
        let (low, high) = self.bounds();
        let (hole_low, hole_high) = bounds(hole.iter().copied());
        let x = hole_low[0] + (hole_high[0] - hole_low[0]) / 2;
        let pieces = slice(self, &[[[x, low[1] - 1000], [x, high[1] + 1000]]]);
        if pieces.len() < 2 {
            return vec![Polygon { outline: self.outline.clone(), holes: Vec::new() }];
        }
        pieces.iter().flat_map(Polygon::without_holes).collect()
    }
}

pub(crate) fn bounds(points: impl Iterator<Item = PointMm>) -> (PointMm, PointMm) {
    points.fold(([i32::MAX; 2], [i32::MIN; 2]), |(low, high), p| {
        ([low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(at: i32, size: i32) -> Polygon {
        Polygon::of(vec![[at, at], [at + size, at], [at + size, at + size], [at, at + size]])
    }

    #[test]
    fn a_bow_tie_becomes_two_triangles() {
        let pieces = even_odd(&[vec![[0, 0], [4000, 4000], [4000, 0], [0, 4000]]]);
        assert_eq!(pieces.len(), 2);
        assert!((pieces.iter().map(Polygon::area_m2).sum::<f64>() - 8.0).abs() < 1e-6);
    }

    #[test]
    fn a_courtyard_is_a_hole_and_its_roof_has_none() {
        let ring = &difference(&[square(0, 30_000)], &[square(10_000, 10_000)])[0];
        assert_eq!((ring.holes.len(), ring.area_m2().round()), (1, 800.0));
        assert!(ring.contains([5000.0, 5000.0]) && !ring.contains([15_000.0, 15_000.0]));
        let pieces = ring.without_holes();
        assert!(pieces.iter().all(|p| p.holes.is_empty()));
        assert!((pieces.iter().map(Polygon::area_m2).sum::<f64>() - 800.0).abs() < 0.1);
        let inner = ring.inner_point();
        assert!(ring.contains(inner));
    }

    #[test]
    fn a_cut_leaves_two_pieces_and_one_that_ends_inside_leaves_one() {
        let pieces = slice(&square(0, 10_000), &[[[4000, -100], [4000, 10_100]]]);
        assert_eq!(pieces.iter().map(|p| p.area_m2().round()).collect::<Vec<_>>(), [40.0, 60.0]);
        assert_eq!(slice(&square(0, 10_000), &[[[4000, -100], [4000, 5000]]]).len(), 1);
    }

    #[test]
    fn what_touches_itself_is_taken_apart() {
        // A spike, and a square that hangs on another by a corner.
        let spike = [[0, 0], [9, 0], [20, 0], [9, 0], [9, 9], [0, 9]];
        assert_eq!(simple(&spike), [vec![[0, 0], [9, 0], [9, 9], [0, 9]]]);
        let hanging = [[0, 0], [9, 0], [9, 9], [20, 9], [20, 20], [9, 20], [9, 9], [0, 9]];
        assert_eq!(Polygon::of(hanging.to_vec()).into_simple().len(), 2);
        // A hole that touches the outline in a corner, drawn as one ring.
        let bay = [[0, 0], [20, 0], [20, 10], [12, 6], [12, 14], [20, 10], [20, 20], [0, 20]];
        let pieces = Polygon::of(bay.to_vec()).into_simple();
        assert_eq!((pieces.len(), pieces[0].holes.len(), pieces[0].outline.len()), (1, 1, 5));
    }

    #[test]
    fn idle_corners_go() {
        let ring = [
            [0, 0],
            [5000, 4],
            [10_000, 0],
            [10_000, 10],
            [10_000, 8000],
            [10_000, 12_000],
            [10_000, 8000],
            [0, 8000],
        ];
        assert_eq!(tidy(&ring, 30.0), [[0, 0], [10_000, 10], [10_000, 8000], [0, 8000]]);
        assert!(tidy(&[[0, 0], [10, 0], [5000, 5]], 30.0).is_empty());
    }
}
