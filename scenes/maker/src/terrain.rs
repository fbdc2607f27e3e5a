//! Relief: a plane with bumps and a dike; waters and building pads are cut in.

use campanile_formats::Grid;
use campanile_model::PointMm;

use crate::description::{AtM, School, TerrainSpec};

/// How far the level ground around a building reaches, and how far it takes to meet the land.
const PAD_M: f64 = 4.0;
const SLOPE_M: f64 = 6.0;
/// The floor lies a step above the ground at its doors.
pub(crate) const STEP_M: f64 = 0.15;

/// Ground levelled for a building.
pub(crate) struct Pad {
    ring_m: Vec<AtM>,
    level_m: f64,
}

impl Pad {
    pub fn new(footprint: &[PointMm], floor_m: f64) -> Self {
        let ring_m = footprint.iter().map(|p| [f64::from(p[0]) / 1e3, f64::from(p[1]) / 1e3]).collect();
        Self { ring_m, level_m: floor_m - STEP_M }
    }
}

/// The lie of the land.
pub(crate) struct Land<'a> {
    spec: &'a TerrainSpec,
    school: &'a School,
    pads: Vec<Pad>,
}

impl<'a> Land<'a> {
    pub fn new(school: &'a School, pads: Vec<Pad>) -> Self {
        Self { spec: &school.terrain, school, pads }
    }

    /// Height above datum, metres.
    pub fn height_m(&self, at: AtM) -> f64 {
        let spec = self.spec;
        let mut h = spec.base_m + spec.slope[0] * at[0] + spec.slope[1] * at[1];
        for bump in &spec.bump {
            let r2 = square(at[0] - bump.at[0]) + square(at[1] - bump.at[1]);
            h += bump.height_m * libm::exp(-r2 / (2.0 * square(bump.radius_m)));
        }
        for dike in &spec.dike {
            let away = dike.line.windows(2).map(|w| to_segment(at, w[0], w[1])).fold(f64::MAX, f64::min);
            h += dike.height_m * smooth(1.0 - away / (dike.width_m / 2.0));
        }
        for water in &self.school.outside.water {
            let depth = signed_distance(at, &water.ring);
            h += (water.bed_m - h) * smooth(depth / water.bank_m);
        }
        for pad in &self.pads {
            let outside = -signed_distance(at, &pad.ring_m);
            h += (pad.level_m - h) * smooth(1.0 - (outside - PAD_M) / SLOPE_M);
        }
        h
    }

    /// The terrain as a grid, heights to the millimetre.
    pub fn grid(&self) -> Grid {
        let (from, to, cell) = (self.spec.from, self.spec.to, self.spec.cell_m);
        let cols = ((to[0] - from[0]) / cell).round() as usize;
        let rows = ((to[1] - from[1]) / cell).round() as usize;
        let mut values = Vec::with_capacity(cols * rows);
        for row in 0..rows {
            for col in 0..cols {
                let at = [from[0] + (col as f64 + 0.5) * cell, to[1] - (row as f64 + 0.5) * cell];
                values.push(((self.height_m(at) * 1000.0).round() / 1000.0) as f32);
            }
        }
        Grid { cols, rows, cell_m: (cell, cell), origin: (from[0], to[1]), nodata: Some(-9999.0), values }
    }
}

fn square(x: f64) -> f64 {
    x * x
}

/// 0 below 0, 1 above 1, without kinks between.
fn smooth(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn to_segment(p: AtM, a: AtM, b: AtM) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length2 = square(dx) + square(dy);
    let t = if length2 > 0.0 {
        (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    libm::sqrt(square(p[0] - a[0] - t * dx) + square(p[1] - a[1] - t * dy))
}

/// Distance to a ring's edge, metres: positive inside.
fn signed_distance(p: AtM, ring: &[AtM]) -> f64 {
    let (mut away, mut inside) = (f64::MAX, false);
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        away = away.min(to_segment(p, *a, *b));
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) {
            inside = !inside;
        }
    }
    if inside { away } else { -away }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_positive_inside() {
        let ring = [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]];
        assert_eq!(signed_distance([2.0, 1.0], &ring), 1.0);
        assert_eq!(signed_distance([7.0, 6.0], &ring), -5.0);
    }
}
