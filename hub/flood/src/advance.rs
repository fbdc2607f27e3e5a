//! One sub-step of the water on the grid, by bands of rows.
//!
//! A band reads the old water and writes its own rows of the new, so that bands may run in any order. The
//! face between two bands is reckoned by both, to the same bits.

use std::ops::Range;

use crate::faces::{Faces, Special};
use crate::flux::{self, Flux, Side};
use crate::quantum;
use crate::terrain::Terrain;
use crate::threads::Threads;
use crate::water::{DRY_M, REST_M_S, Span, Water};

/// Rows a band.
pub(crate) const BAND: usize = 16;

/// What a sub-step is done with.
pub(crate) struct Advance<'a> {
    pub(crate) terrain: &'a Terrain,
    pub(crate) faces: &'a Faces,
    pub(crate) now: &'a Water,
    pub(crate) dt_s: f64,
    /// Rain of the sub-step in whole quanta of depth.
    pub(crate) rain: f64,
}

/// What a sub-step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Whether a cell would have given more than it has: the new water is no good.
    pub(crate) overdrawn: bool,
    /// What left over the edges, in quanta.
    pub(crate) edges: i64,
    /// Cells reckoned.
    pub(crate) updates: u64,
}

struct Band<'a> {
    rows: Range<usize>,
    depth: &'a mut [f64],
    u: &'a mut [f64],
    v: &'a mut [f64],
    wet: &'a mut [Span],
    scratch: &'a mut Scratch,
}

/// Fluxes of one row and of the faces south and north of it.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    x: Vec<Flux>,
    south: Vec<Flux>,
    north: Vec<Flux>,
}

impl Scratch {
    /// One for every band.
    pub(crate) fn for_bands(terrain: &Terrain) -> Vec<Self> {
        let row = vec![Flux::default(); terrain.nx];
        let scratch = Self { x: vec![Flux::default(); terrain.nx + 1], south: row.clone(), north: row };
        vec![scratch; terrain.ny.div_ceil(BAND)]
    }
}

impl Advance<'_> {
    /// Writes the new water into `next`, whose old content is that of the sub-step before.
    pub(crate) fn run(&self, next: &mut Water, scratch: &mut [Scratch], threads: &Threads) -> Outcome {
        let cells = BAND * self.terrain.nx;
        let bands = next
            .depth
            .chunks_mut(cells)
            .zip(next.u.chunks_mut(cells).zip(next.v.chunks_mut(cells)))
            .zip(next.wet.chunks_mut(BAND).zip(scratch))
            .enumerate()
            .map(|(at, ((depth, (u, v)), (wet, scratch)))| {
                let rows = at * BAND..at * BAND + wet.len();
                Band { rows, depth, u, v, wet, scratch }
            })
            .collect();
        let parts = threads.map(bands, |band| self.band(band));
        parts.into_iter().fold(Outcome::default(), |sum, part| Outcome {
            overdrawn: sum.overdrawn || part.overdrawn,
            edges: sum.edges + part.edges,
            updates: sum.updates + part.updates,
        })
    }

    fn band(&self, band: Band<'_>) -> Outcome {
        let nx = self.terrain.nx;
        let mut outcome = Outcome::default();
        let mut south_done = Span::default();
        let Scratch { x, south, north } = band.scratch;
        for (k, row) in band.rows.clone().enumerate() {
            let span = self.reach(row).cover(band.wet[k]);
            if span.is_empty() {
                south_done = Span::default();
                continue;
            }
            if south_done.is_empty() {
                self.y_faces(row, span, south);
            }
            let above = match band.wet.get(k + 1) {
                Some(&stale) => self.reach(row + 1).cover(stale),
                None => Span::default(),
            };
            self.y_faces(row + 1, span.cover(above), north);
            self.x_faces(row, span, x);
            if row == 0 {
                outcome.edges -= count(&south[span.range()]);
            }
            if row + 1 == self.terrain.ny {
                outcome.edges += count(&north[span.range()]);
            }
            outcome.edges += if span.high == nx { quantum::count(x[nx].mass) } else { 0 };
            outcome.edges -= if span.low == 0 { quantum::count(x[0].mass) } else { 0 };

            let (at, part) =
                (row * nx + span.low..row * nx + span.high, k * nx + span.low..k * nx + span.high);
            let (depth, u, v) = (&mut band.depth[part.clone()], &mut band.u[part.clone()], &mut band.v[part]);
            let fluxes = [&x[span.low..=span.high], &south[span.range()], &north[span.range()]];
            outcome.overdrawn |= self.cells(at, fluxes, depth, u, v) < 0.0;
            outcome.updates += self.reach(row).range().len() as u64;
            band.wet[k] = trimmed(span, depth);
            std::mem::swap(south, north);
            south_done = span;
        }
        outcome
    }

    /// Where the water of a row may be after the sub-step.
    fn reach(&self, row: usize) -> Span {
        let (nx, ny) = (self.terrain.nx, self.terrain.ny);
        if self.rain > 0.0 {
            return Span { low: 0, high: nx };
        }
        let rows = row.saturating_sub(1)..(row + 2).min(ny);
        self.now.wet[rows].iter().fold(Span::default(), |sum, &span| sum.cover(span)).grown(nx)
    }

    fn ratio(&self) -> f64 {
        self.dt_s / self.terrain.cell_m
    }

    fn x_side(&self, row: usize) -> Side<'_> {
        let at = row * self.terrain.nx..(row + 1) * self.terrain.nx;
        let (now, bed) = (self.now, &self.terrain.bed);
        Side {
            depth: &now.depth[at.clone()],
            across: &now.u[at.clone()],
            along: &now.v[at.clone()],
            bed: &bed[at],
        }
    }

    fn y_side(&self, row: usize) -> Side<'_> {
        let Side { depth, across, along, bed } = self.x_side(row);
        Side { depth, across: along, along: across, bed }
    }

    /// The faces west and east of the cells of a span.
    fn x_faces(&self, row: usize, span: Span, out: &mut [Flux]) {
        let nx = self.terrain.nx;
        let (first, end) = (span.low.max(1), span.high.min(nx - 1) + 1);
        let side = self.x_side(row);
        if first < end {
            flux::plain(
                side.part(first - 1, end - 1),
                side.part(first, end),
                self.ratio(),
                &mut out[first..end],
            );
        }
        for Special { at, kind } in self.faces.x.within(row, span.low, span.high + 1).iter().copied() {
            let face = at as usize;
            let low = face.checked_sub(1).map(|i| side.cell(i));
            let high = (face < nx).then(|| side.cell(face));
            out[face] = flux::special(kind, low, high, self.ratio());
        }
    }

    /// The faces between rows `face - 1` and `face`.
    fn y_faces(&self, face: usize, span: Span, out: &mut [Flux]) {
        let low = face.checked_sub(1).map(|row| self.y_side(row));
        let high = (face < self.terrain.ny).then(|| self.y_side(face));
        if let (Some(low), Some(high)) = (low, high) {
            let out = &mut out[span.range()];
            flux::plain(low.part(span.low, span.high), high.part(span.low, span.high), self.ratio(), out);
        }
        for Special { at, kind } in self.faces.y.within(face, span.low, span.high).iter().copied() {
            let i = at as usize;
            out[i] = flux::special(kind, low.map(|s| s.cell(i)), high.map(|s| s.cell(i)), self.ratio());
        }
    }

    /// Writes the cells of a row and gives the least depth.
    fn cells(
        &self,
        at: Range<usize>,
        fluxes: [&[Flux]; 3],
        depth: &mut [f64],
        u: &mut [f64],
        v: &mut [f64],
    ) -> f64 {
        let (now, drag) = (self.now, &self.terrain.drag[at.clone()]);
        let [x, south, north] = fluxes;
        let old = Old { depth: &now.depth[at.clone()], u: &now.u[at.clone()], v: &now.v[at], drag };
        update(old, x, south, north, self.rain, self.dt_s, depth, u, v)
    }
}

impl<'a> Side<'a> {
    fn part(self, low: usize, high: usize) -> Self {
        let cut = |all: &'a [f64]| &all[low..high];
        Self { depth: cut(self.depth), across: cut(self.across), along: cut(self.along), bed: cut(self.bed) }
    }
}

#[derive(Clone, Copy)]
struct Old<'a> {
    depth: &'a [f64],
    u: &'a [f64],
    v: &'a [f64],
    drag: &'a [f64],
}

/// Balances every cell, then brakes it by Manning's friction, fully implicit in the speed. A negative depth
/// is written as it is: the caller throws the row away.
#[inline(never)]
fn update(
    old: Old<'_>,
    x: &[Flux],
    south: &[Flux],
    north: &[Flux],
    rain: f64,
    dt_s: f64,
    depth: &mut [f64],
    u: &mut [f64],
    v: &mut [f64],
) -> f64 {
    let n = depth.len();
    let (west, east) = (&x[..n], &x[1..=n]);
    let (south, north) = (&south[..n], &north[..n]);
    let (old_depth, old_u, old_v, drag) = (&old.depth[..n], &old.u[..n], &old.v[..n], &old.drag[..n]);
    let (u, v) = (&mut u[..n], &mut v[..n]);
    let mut least = 0.0;
    for i in 0..n {
        let (w, e, s, t) = (west[i], east[i], south[i], north[i]);
        let fallen = if drag[i] >= 0.0 { rain } else { 0.0 };
        let h = old_depth[i] + ((w.mass - e.mass) + (s.mass - t.mass)) + fallen;
        let qx = old_depth[i] * old_u[i] - ((e.low - w.high) + (t.along - s.along));
        let qy = old_depth[i] * old_v[i] - ((t.low - s.high) + (e.along - w.along));
        let wet = h > DRY_M;
        let divisor = if wet { h } else { 1.0 };
        let (un, vn) = (qx / divisor, qy / divisor);
        let speed = (un * un + vn * vn).sqrt();
        let root = inverse_cube_root(divisor);
        let rate = dt_s * drag[i] * ((root * root) * (root * root));
        let brake = 2.0 / (1.0 + (1.0 + 4.0 * rate * speed).sqrt());
        let (un, vn) = (un * brake, vn * brake);
        depth[i] = h;
        // What is no number has to show itself, so the comparison is this way round.
        u[i] = if !wet || un.abs() <= REST_M_S { 0.0 } else { un };
        v[i] = if !wet || vn.abs() <= REST_M_S { 0.0 } else { vn };
        least = if h < least { h } else { least };
    }
    least
}

/// x^(-1/3) for a positive normal number, to the last places, by operations that are exact everywhere: a
/// guess from the exponent and four steps of Newton's.
#[inline(always)]
fn inverse_cube_root(x: f64) -> f64 {
    // A whole number below 2^32 as the last bits of 2^52 + number.
    const SHIFT: f64 = (1_u64 << 52) as f64;
    let high = f64::from_bits((x.to_bits() >> 32) | SHIFT.to_bits()) - SHIFT;
    let guess = (1_430_197_000.0 - high * (1.0 / 3.0)) + SHIFT;
    let mut y = f64::from_bits(guess.to_bits() << 32);
    for _ in 0..4 {
        y *= (4.0 / 3.0) - (1.0 / 3.0) * x * (y * y * y);
    }
    y
}

fn trimmed(span: Span, depth: &[f64]) -> Span {
    let first = depth.iter().position(|&h| h != 0.0);
    let last = depth.iter().rposition(|&h| h != 0.0);
    match (first, last) {
        (Some(first), Some(last)) => Span { low: span.low + first, high: span.low + last + 1 },
        _ => Span::default(),
    }
}

fn count(fluxes: &[Flux]) -> i64 {
    fluxes.iter().map(|f| quantum::count(f.mass)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_cube_root_is_right() {
        for k in -400..400 {
            let x = 1.037_f64.powi(k * 2);
            let want = 1.0 / libm::cbrt(x);
            assert!((inverse_cube_root(x) / want - 1.0).abs() < 4e-15, "{x}");
        }
    }
}
