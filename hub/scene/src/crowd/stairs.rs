//! Stairs: from flights and landings to a middle line with heights, and where they meet their floors.

use campanile_crowd::Shape;
use campanile_model::{Flight, Stair};

use super::walkable::Cut;
use crate::geometry::{Point, metres};

/// A stair as people walk it, from its lower end.
pub struct Way {
    pub shape: Shape,
    /// Along slopes and landings, m.
    pub length_m: f64,
    pub width_m: f64,
    pub lower: End,
    pub upper: End,
}

/// An end of a stair.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The middle of its edge.
    pub at: Point,
    /// The way up there, a unit vector.
    pub up: Point,
}

impl End {
    /// To the right, looking up.
    pub fn right(&self) -> Point {
        [self.up[1], -self.up[0]]
    }

    /// What the floor before the lower end keeps.
    pub fn below(&self) -> Cut {
        Cut { at: self.at, keep: self.up.map(|x| -x) }
    }

    /// What the floor behind the upper end keeps.
    pub fn above(&self) -> Cut {
        Cut { at: self.at, keep: self.up }
    }
}

fn heading(flight: &Flight) -> Point {
    let angle = flight.heading_deg.to_radians();
    [libm::cos(angle), libm::sin(angle)]
}

fn on(p: Point, u: Point, length: f64) -> Point {
    [p[0] + u[0] * length, p[1] + u[1] * length]
}

/// The way up a stair over a floor at `floor_m`; `None` where it has no flight.
pub fn way(stair: &Stair, floor_m: f64) -> Option<Way> {
    let (first, last) = (stair.flights.first()?, stair.flights.last()?);
    let width_m = f64::from(stair.flights.iter().map(|f| f.width_mm).min()?) / 1e3;
    let mut line: Vec<[f64; 3]> = Vec::new();
    let mut end = metres(first.start);
    for flight in &stair.flights {
        let (start, u) = (metres(flight.start), heading(flight));
        let base = floor_m + f64::from(flight.base_mm) / 1e3;
        if let Some(before) = line.last().copied() {
            // Over the landing: on, across and back, half a width from the steps.
            let turn = width_m / 2.0;
            let came = line.len().checked_sub(2).map(|i| line[i]).unwrap_or(before);
            let (dx, dy) = (before[0] - came[0], before[1] - came[1]);
            let length = libm::hypot(dx, dy).max(1e-9);
            let turns_back = (dx * u[0] + dy * u[1]) / length < 0.5;
            if turns_back {
                let out = on([before[0], before[1]], [dx / length, dy / length], turn);
                let back = on(start, u, -turn);
                line.push([out[0], out[1], before[2]]);
                line.push([back[0], back[1], base]);
            }
        }
        end = on(start, u, f64::from(flight.steps.saturating_sub(1)) * flight.tread_mm / 1e3);
        let top = base + f64::from(flight.steps) * flight.riser_mm / 1e3;
        line.push([start[0], start[1], base]);
        line.push([end[0], end[1], top]);
    }
    line.dedup_by(|a, b| (0..3).all(|k| (a[k] - b[k]).abs() < 1e-6));
    let length_m = line.windows(2).map(|w| {
        let d = [0, 1, 2].map(|k: usize| w[1][k] - w[0][k]);
        libm::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    });
    Some(Way {
        length_m: length_m.sum(),
        shape: Shape::Stair { line, width_m },
        width_m,
        lower: End { at: metres(first.start), up: heading(first) },
        upper: End { at: end, up: heading(last) },
    })
}
