//! The sides of doors and how the planes of their two spaces lie to each other.

use crate::geometry::{Segment, cross, distance, dot, left, middle, sub, unit};
use crate::{Door, Point};

/// A side of a door: twice the door's number, one more for its `to` side. People leave a space by a side of
/// it and
/// come in by the [`twin`].
pub(crate) type Side = u32;

/// The other side of the same door.
pub(crate) fn twin(side: Side) -> Side {
    side ^ 1
}

/// The door of a side.
pub(crate) fn door_of(side: Side) -> usize {
    side as usize / 2
}

/// A side of a door made ready.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub space: u32,
    /// In the direction of its edge: the space is to its left.
    pub segment: Segment,
    /// Along the segment.
    pub d: Point,
    pub width: f64,
    /// Into the plane of the space on the other side: turned by `[cos, sin]` about the middle, and put to the
    /// middle of the other side.
    turn: Point,
    middle: Point,
    beyond: Point,
}

impl Opening {
    /// Both sides of a door, each segment laid onto its edge.
    pub fn pair(door: &Door, [from, to]: [Segment; 2]) -> [Self; 2] {
        let make = |space: u32, own: Segment, other: Segment| {
            let d = unit(sub(own.b, own.a)).unwrap_or([1.0, 0.0]);
            // What is outwards here is inwards there: the two edges run against each other.
            let e = unit(sub(other.a, other.b)).unwrap_or([1.0, 0.0]);
            Self {
                space,
                segment: own,
                d,
                width: distance(own.a, own.b),
                turn: [dot(d, e), cross(d, e)],
                middle: middle(own.a, own.b),
                beyond: middle(other.a, other.b),
            }
        };
        [make(door.from.space, from, to), make(door.to.space, to, from)]
    }

    /// Into the space.
    pub fn inward(&self) -> Point {
        left(self.d)
    }

    pub fn middle(&self) -> Point {
        self.middle
    }

    /// A direction as it is in the plane of the other side.
    pub fn turned(&self, e: Point) -> Point {
        let [c, s] = self.turn;
        [c * e[0] - s * e[1], s * e[0] + c * e[1]]
    }

    /// A point as it is in the plane of the other side.
    pub fn through(&self, p: Point) -> Point {
        let q = self.turned(sub(p, self.middle));
        [q[0] + self.beyond[0], q[1] + self.beyond[1]]
    }

    /// The share of the way from `p` to `q` after which it leaves the space by this opening.
    pub fn crossed(&self, p: Point, q: Point) -> Option<f64> {
        let n = self.inward();
        let (h0, h1) = (dot(n, sub(p, self.segment.a)), dot(n, sub(q, self.segment.a)));
        if h1 >= 0.0 {
            return None;
        }
        let t = if h0 <= 0.0 { 0.0 } else { h0 / (h0 - h1) };
        let at = dot(self.d, sub(p, self.segment.a)) * (1.0 - t) + dot(self.d, sub(q, self.segment.a)) * t;
        // One far behind the line (in another part of the space) doesn't pass it.
        (h0 > -BEHIND_M && (0.0..=self.width).contains(&at)).then_some(t)
    }

    /// Where a body of this radius best goes through, seen from `p`.
    pub fn aim(&self, p: Point, radius: f64) -> Point {
        let margin = (radius + JAMB_M).min(self.width / 2.0);
        let at = dot(self.d, sub(p, self.segment.a)).clamp(margin, self.width - margin);
        [self.segment.a[0] + self.d[0] * at, self.segment.a[1] + self.d[1] * at]
    }
}

/// Rounding puts nobody farther than this behind an opening, m.
const BEHIND_M: f64 = 1e-6;
/// What people keep from a jamb beside their own radius, m.
const JAMB_M: f64 = 0.05;
