//! Exact plane geometry on integer millimetres. Coordinates are within [`MAX_COORDINATE_MM`]; the
//! products are in `i128` all the same, so that nothing overflows before that is checked.

use crate::PointMm;

/// 100 km: no campus is larger, and sums and products stay far from overflow.
pub(crate) const MAX_COORDINATE_MM: i32 = 100_000_000;
/// No ring needs more; checks of a ring cost up to the square of its length.
pub(crate) const MAX_RING: usize = 5_000;

/// What is wrong with a ring.
#[derive(Debug)]
pub(crate) struct RingFault {
    pub code: &'static str,
    /// The position in the ring, where the fault has one.
    pub position: Option<usize>,
    pub what: String,
    pub mend: String,
}

pub(crate) fn cross(o: PointMm, a: PointMm, b: PointMm) -> i128 {
    let d = |p: PointMm, k: usize| i128::from(p[k]) - i128::from(o[k]);
    d(a, 0) * d(b, 1) - d(a, 1) * d(b, 0)
}

/// Twice the signed area; positive for counter-clockwise.
pub(crate) fn double_area(ring: &[PointMm]) -> i128 {
    edges(ring).map(|(a, b)| i128::from(a[0]) * i128::from(b[1]) - i128::from(b[0]) * i128::from(a[1])).sum()
}

pub(crate) fn edges(ring: &[PointMm]) -> impl Iterator<Item = (PointMm, PointMm)> + '_ {
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| (*a, *b))
}

pub(crate) fn length_mm(a: PointMm, b: PointMm) -> f64 {
    let (dx, dy) = (f64::from(b[0]) - f64::from(a[0]), f64::from(b[1]) - f64::from(a[1]));
    (dx * dx + dy * dy).sqrt()
}

/// Whether `p` lies on the segment, its ends included.
pub(crate) fn on_segment(p: PointMm, a: PointMm, b: PointMm) -> bool {
    cross(a, b, p) == 0 && (0..2).all(|k| p[k] >= a[k].min(b[k]) && p[k] <= a[k].max(b[k]))
}

/// Whether two segments cross at a point inside both.
pub(crate) fn cross_properly(a: PointMm, b: PointMm, c: PointMm, d: PointMm) -> bool {
    let sides = |p, q, r, s| {
        let (x, y) = (cross(p, q, r).signum(), cross(p, q, s).signum());
        x * y < 0
    };
    sides(a, b, c, d) && sides(c, d, a, b)
}

/// Where a point lies to a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Inside,
    On,
    Outside,
}

/// Where `p` lies to a ring, whichever way round the ring goes.
pub(crate) fn side_of(p: PointMm, ring: &[PointMm]) -> Side {
    let mut inside = false;
    for (a, b) in edges(ring) {
        if on_segment(p, a, b) {
            return Side::On;
        }
        if (a[1] > p[1]) != (b[1] > p[1]) {
            let turn = cross(a, b, p);
            if (turn > 0) == (b[1] > a[1]) {
                inside = !inside;
            }
        }
    }
    if inside { Side::Inside } else { Side::Outside }
}

/// The corners of a ring of vertex indices; faults are added to `faults`.
pub(crate) fn ring(
    indices: &[u32],
    vertices: &[PointMm],
    hole: bool,
    faults: &mut Vec<RingFault>,
) -> Option<Vec<PointMm>> {
    let mut corners = Vec::with_capacity(indices.len());
    let before = faults.len();
    for (i, &index) in indices.iter().enumerate() {
        match vertices.get(index as usize) {
            Some(corner) => corners.push(*corner),
            None => faults.push(RingFault {
                code: "vertex-index",
                position: Some(i),
                what: format!("vertex {index} doesn't exist"),
                mend: format!(
                    "Use an index from 0 to {}, or add the vertex.",
                    vertices.len().saturating_sub(1)
                ),
            }),
        }
    }
    if faults.len() > before {
        return None;
    }
    match fault_of_corners(&corners, hole) {
        Some(fault) => {
            faults.push(fault);
            None
        }
        None => Some(corners),
    }
}

/// The first fault of a ring given by its corners.
pub(crate) fn fault_of_corners(corners: &[PointMm], hole: bool) -> Option<RingFault> {
    let fault = |code, position, what: String, mend: &str| {
        Some(RingFault { code, position, what, mend: mend.to_owned() })
    };
    let n = corners.len();
    if n < 3 {
        return fault(
            "ring-short",
            None,
            format!("a ring of {n} vertices encloses nothing"),
            "Give at least three vertices.",
        );
    }
    if n > MAX_RING {
        let what = format!("a ring of {n} vertices is more than the {MAX_RING} allowed");
        return fault("ring-long", None, what, "Simplify the ring or cut it in two.");
    }
    // Sorting by the left end means that only edges that overlap in x are compared.
    let mut order: Vec<usize> = (0..n).collect();
    let edge = |i: usize| (corners[i], corners[(i + 1) % n]);
    let left = |i: usize| edge(i).0[0].min(edge(i).1[0]);
    order.sort_by_key(|&i| left(i));
    for (k, &i) in order.iter().enumerate() {
        let (a, b) = edge(i);
        if a == b {
            let what = format!("vertices {i} and {} of the ring are at the same place", (i + 1) % n);
            return fault(
                "ring-self-intersection",
                Some((i + 1) % n),
                what,
                "Leave one of them out; the first isn't repeated at the end.",
            );
        }
        for &j in &order[k + 1..] {
            if left(j) > a[0].max(b[0]) {
                break;
            }
            let (c, d) = edge(j);
            let neighbours = (i + 1) % n == j || (j + 1) % n == i;
            let touch = if neighbours {
                // Neighbours share one vertex; they may not fold back on each other.
                let (shared, p, q) = if b == c { (b, a, d) } else { (a, b, c) };
                n > 3 && cross(shared, p, q) == 0 && (on_segment(p, shared, q) || on_segment(q, shared, p))
            } else {
                cross_properly(a, b, c, d)
                    || on_segment(c, a, b)
                    || on_segment(d, a, b)
                    || on_segment(a, c, d)
                    || on_segment(b, c, d)
            };
            if touch {
                let (i, j) = (i.min(j), i.max(j));
                let what = format!("edges {i} and {j} of the ring touch or cross");
                return fault(
                    "ring-self-intersection",
                    Some(j),
                    what,
                    "Put the vertices in their order around the ring.",
                );
            }
        }
    }
    let area = double_area(corners);
    if area == 0 {
        return fault(
            "ring-zero-area",
            None,
            "the ring encloses no area".to_owned(),
            "Give corners that don't lie on one line.",
        );
    }
    if (area > 0) == hole {
        let (is, should) =
            if hole { ("counter-clockwise", "clockwise") } else { ("clockwise", "counter-clockwise") };
        let what = format!("the ring runs {is}");
        return fault(
            "ring-orientation",
            None,
            what,
            &format!("Reverse it: {} run {should}.", if hole { "holes" } else { "outlines" }),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [PointMm; 4] = [[0, 0], [4000, 0], [4000, 3000], [0, 3000]];

    #[test]
    fn rings_are_checked() {
        let table: [(&[PointMm], Option<&str>); 7] = [
            (&SQUARE, None),
            (&[[0, 0], [1, 0]], Some("ring-short")),
            (&[[0, 0], [0, 3000], [4000, 3000], [4000, 0]], Some("ring-orientation")),
            (&[[0, 0], [4000, 3000], [4000, 0], [0, 3000]], Some("ring-self-intersection")),
            (&[[0, 0], [1000, 0], [2000, 0]], Some("ring-zero-area")),
            (&[[0, 0], [4000, 0], [4000, 3000], [2000, 0], [0, 3000]], Some("ring-self-intersection")),
            (&[[0, 0], [2000, 0], [4000, 0], [4000, 3000], [0, 3000]], None),
        ];
        for (ring, expected) in table {
            assert_eq!(fault_of_corners(ring, false).map(|f| f.code), expected, "{ring:?}");
        }
    }

    #[test]
    fn a_point_is_inside_on_or_outside() {
        for (p, side) in [
            ([1, 1], Side::Inside),
            ([0, 0], Side::On),
            ([2000, 3000], Side::On),
            ([4001, 5], Side::Outside),
            ([-5, 3000], Side::Outside),
            ([-5, 0], Side::Outside),
        ] {
            assert_eq!(side_of(p, &SQUARE), side, "{p:?}");
        }
        let mut reversed = SQUARE;
        reversed.reverse();
        assert_eq!(side_of([1, 1], &reversed), Side::Inside);
    }

    #[test]
    fn extreme_coordinates_dont_overflow() {
        let ring = [[i32::MIN, i32::MIN], [i32::MAX, i32::MIN], [i32::MAX, i32::MAX], [i32::MIN, i32::MAX]];
        assert!(fault_of_corners(&ring, false).is_none());
        assert_eq!(side_of([0, 0], &ring), Side::Inside);
    }
}
