//! What passes a face in a sub-step.
//!
//! The bed step is taken by hydrostatic reconstruction (Audusse et al. 2004), where a layer thinner than the
//! step runs down it as down a slope (after Xia et al. 2017); the flux is HLL with wave speeds from two
//! rarefactions, and the transverse momentum goes with the water (as HLLC's contact wave carries it). Every
//! expression is odd or even under a mirror, bit for bit.

use crate::faces::Kind;
use crate::opening::flow_m2_s;
use crate::quantum;
use crate::terrain::G;
use crate::water::DRY_M;

/// Slower than any wave: in a single quantum of depth waves run at 2 µm/s.
const NO_WAVE_M_S: f64 = 1e-20;

/// What one face gives in one sub-step, as depth over a cell (m) and momentum (m²/s).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flux {
    /// Water from the low to the high side, in whole quanta.
    pub(crate) mass: f64,
    /// What the low side loses in momentum across the face, less its own still pressure.
    pub(crate) low: f64,
    /// What the high side gains, less its own still pressure.
    pub(crate) high: f64,
    /// Momentum along the face from the low to the high side.
    pub(crate) along: f64,
}

/// The cells on one side of a row of faces.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) depth: &'a [f64],
    /// Velocity across the faces.
    pub(crate) across: &'a [f64],
    /// Velocity along the faces.
    pub(crate) along: &'a [f64],
    pub(crate) bed: &'a [f64],
}

/// One cell at a face.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) depth: f64,
    pub(crate) across: f64,
    pub(crate) along: f64,
    pub(crate) bed: f64,
}

impl Side<'_> {
    pub(crate) fn cell(&self, at: usize) -> Cell {
        Cell { depth: self.depth[at], across: self.across[at], along: self.along[at], bed: self.bed[at] }
    }
}

// Compile to one instruction each; `f64::max` does not, for its care about NaN.
#[inline(always)]
fn max(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline(always)]
fn min(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The fluxes of a row of plain faces; `ratio` is the sub-step over the cell's side, s/m.
#[inline(never)]
pub(crate) fn plain(low: Side<'_>, high: Side<'_>, ratio: f64, out: &mut [Flux]) {
    let n = out.len();
    let (hl, ul, vl, zl) = (&low.depth[..n], &low.across[..n], &low.along[..n], &low.bed[..n]);
    let (hr, ur, vr, zr) = (&high.depth[..n], &high.across[..n], &high.along[..n], &high.bed[..n]);
    for i in 0..n {
        out[i] = face(hl[i], ul[i], vl[i], zl[i], hr[i], ur[i], vr[i], zr[i], ratio);
    }
}

#[inline(always)]
fn face(hl: f64, ul: f64, vl: f64, zl: f64, hr: f64, ur: f64, vr: f64, zr: f64, ratio: f64) -> Flux {
    let (wl, wr) = (zl + hl, zr + hr);
    let step = max(zl, zr);
    // Below a step stands what is above its top, or the layer that runs down to it.
    let (dl, dr) = (min(hl, max(wl - step, hr)), min(hr, max(wr - step, hl)));
    let (cl, cr) = ((G * dl).sqrt(), (G * dr).sqrt());
    let (u_mid, c_mid) = (0.5 * (ul + ur) + (cl - cr), 0.5 * (cl + cr) + 0.25 * (ul - ur));
    // Towards a dry side the front runs at u ± 2c.
    let sl =
        if dl > 0.0 { min(ul - cl, if dr > 0.0 { u_mid - c_mid } else { ul - cl }) } else { ur - 2.0 * cr };
    let sr =
        if dr > 0.0 { max(ur + cr, if dl > 0.0 { u_mid + c_mid } else { ur + cr }) } else { ul + 2.0 * cl };
    let (back, ahead) = (max(-sl, 0.0), max(sr, 0.0));
    let spread = ahead + back;
    // Where water stands at the face its waves are far faster. Where none does, no flux hangs on the spread, but
    // the reciprocal of a tiny one would be infinite, and infinity times no water is no number.
    let inverse = 1.0 / if spread > NO_WAVE_M_S { spread } else { 1.0 };
    let (a, b, jump) = (ahead * inverse, back * inverse, (ahead * back) * inverse);
    let (ql, qr) = (dl * ul, dr * ur);
    let flow = (a * ql + b * qr) + jump * (dl - dr);
    let carried = (a * (ql * ul) + b * (qr * ur)) + jump * (ql - qr);
    let push = (0.5 * G) * (dr * dr - dl * dl);
    let (fall_l, fall_r) = (fall(hl, dl, zl, wl, step), fall(hr, dr, zr, wr, step));
    let mass = quantum::round(flow * ratio);
    let (giver, along) = if mass > 0.0 { (hl, vl) } else { (hr, vr) };
    let mass = if giver > DRY_M { mass } else { 0.0 };
    Flux {
        mass,
        low: ((carried + b * push) + fall_l) * ratio,
        high: ((carried - a * push) + fall_r) * ratio,
        along: mass * along,
    }
}

/// What the ground's step adds to the momentum of a side, by its depth there: nothing where the water is
/// level or falls short of the step, the weight along the slope where a layer runs down.
#[inline(always)]
fn fall(depth: f64, there: f64, bed: f64, level: f64, step: f64) -> f64 {
    let under = (0.5 * G) * (depth + there) * ((there - depth) + (min(step, level) - bed));
    under + G * there * max(step - level, 0.0)
}

/// The flux of a face where something stands. On the edge of the grid the side outside is `None`.
pub(crate) fn special(kind: Kind, low: Option<Cell>, high: Option<Cell>, ratio: f64) -> Flux {
    match (kind, low, high) {
        (Kind::Open, Some(cell), _) => leave(cell, cell.across, 1.0, ratio),
        (Kind::Open, None, Some(cell)) => leave(cell, -cell.across, -1.0, ratio),
        (Kind::Crest(crest), Some(low), Some(high)) => over(crest, low, high, ratio),
        _ => Flux {
            mass: 0.0,
            low: low.map_or(0.0, |cell| against_wall(cell.depth, cell.across)) * ratio,
            high: high.map_or(0.0, |cell| against_wall(cell.depth, -cell.across)) * ratio,
            along: 0.0,
        },
    }
}

/// The momentum that a wall takes from water that runs `towards` it: HLL against its mirror image.
fn against_wall(depth: f64, towards: f64) -> f64 {
    let c = (G * depth).sqrt();
    depth * towards * (towards + max(c - towards, c + 0.5 * towards))
}

/// Over an edge beyond which nothing stands: as the exact solution against a dry side has it.
fn leave(cell: Cell, outward: f64, sign: f64, ratio: f64) -> Flux {
    if cell.depth <= DRY_M {
        return Flux::default();
    }
    let c = (G * cell.depth).sqrt();
    let (depth, speed) = if outward >= c {
        (cell.depth, outward)
    } else {
        let critical = max((outward + 2.0 * c) / 3.0, 0.0);
        (critical * critical / G, critical)
    };
    let mass = quantum::round(depth * speed * ratio);
    let loss = (depth * speed * speed + (0.5 * G) * (depth * depth - cell.depth * cell.depth)) * ratio;
    Flux { mass: sign * mass, low: loss, high: loss, along: sign * mass * cell.along }
}

/// Over a crest: a wall to both, but for the water that tops it.
fn over(crest: f64, low: Cell, high: Cell, ratio: f64) -> Flux {
    let mut flux = special(Kind::Wall, Some(low), Some(high), ratio);
    let (wl, wr) = (low.bed + low.depth, high.bed + high.depth);
    let flow = if wl > wr {
        flow_m2_s(wl, wr, crest, f64::INFINITY)
    } else {
        -flow_m2_s(wr, wl, crest, f64::INFINITY)
    };
    // Four faces may give at once, and none may turn the slope over.
    let most = 0.25 * (max(wl, wr) - max(min(wl, wr), crest));
    let mass = quantum::round(flow.signum() * min(flow.abs() * ratio, max(most, 0.0)));
    let giver = if mass > 0.0 { low } else { high };
    if mass == 0.0 || giver.depth <= DRY_M {
        return flux;
    }
    // What leaves takes its speed along; behind the crest it is spent.
    flux.mass = mass;
    if mass > 0.0 {
        flux.low += mass * low.across;
    } else {
        flux.high += mass * high.across;
    }
    flux.along = mass * giver.along;
    flux
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_step_above_water_that_hardly_moves_gives_numbers() {
        // A river below its bank, come to rest long ago: its speed is a subnormal number.
        for speed in [7.953e-315, f64::MIN_POSITIVE, 1e-300, 1e-25, 1e-3, 3.0] {
            for towards in [speed, -speed] {
                let river = (0.459, towards, 0.0, 2.516);
                let flux = face(river.0, river.1, river.2, river.3, 0.0, 0.0, 0.0, 3.977, 0.08);
                let back = face(0.0, 0.0, 0.0, 3.977, river.0, river.1, river.2, river.3, 0.08);
                assert_eq!(flux.mass, 0.0, "{towards}");
                assert!(flux.low.is_finite() && flux.high.is_finite(), "{towards}: {flux:?}");
                assert!(back.low.is_finite() && back.high.is_finite(), "{towards}: {back:?}");
            }
        }
    }
}
