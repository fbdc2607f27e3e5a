//! After every sub-step: how fast waves run, and what each cell has seen at most.

use crate::advance::BAND;
use crate::terrain::{G, Terrain};
use crate::threads::Threads;
use crate::water::{DRY_M, Span, Water};

/// From this depth on water has arrived, m.
pub(crate) const ARRIVED_M: f64 = 0.05;

/// Speed counts towards the peaks from this depth on, m: a film's speed endangers nobody.
pub(crate) const FILM_M: f64 = 1e-3;

/// What every cell has seen at most.
#[derive(Clone, Debug)]
pub(crate) struct Peaks {
    pub(crate) depth: Vec<f64>,
    pub(crate) speed: Vec<f64>,
    pub(crate) hazard: Vec<f64>,
    /// Infinite where water has not arrived.
    pub(crate) arrival: Vec<f64>,
}

impl Peaks {
    pub(crate) fn none(cells: usize) -> Self {
        let zero = vec![0.0; cells];
        let never = vec![f64::INFINITY; cells];
        Self { depth: zero.clone(), speed: zero.clone(), hazard: zero, arrival: never }
    }
}

/// What a survey finds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The greatest |u| + |v| + 2c, m/s.
    pub(crate) waves: f64,
    /// Cells with more than a film that stays, [`DRY_M`].
    pub(crate) wet: u64,
    /// Whether some cell holds no number: a fault of ours, which must not spread.
    pub(crate) unsound: bool,
}

/// Surveys the water at a time and raises the peaks.
pub(crate) fn survey(
    terrain: &Terrain,
    water: &Water,
    peaks: &mut Peaks,
    time_s: f64,
    threads: &Threads,
) -> Found {
    let cells = BAND * terrain.nx;
    let bands = peaks
        .depth
        .chunks_mut(cells)
        .zip(peaks.speed.chunks_mut(cells))
        .zip(peaks.hazard.chunks_mut(cells).zip(peaks.arrival.chunks_mut(cells)))
        .zip(water.wet.chunks(BAND))
        .enumerate()
        .collect();
    let parts = threads.map(bands, |(band, (((depth, speed), (hazard, arrival)), wet))| {
        let mut found = Found::default();
        for (k, span) in wet.iter().enumerate().filter(|(_, span)| !span.is_empty()) {
            let row = (band * BAND + k) * terrain.nx;
            let part = |span: &Span| k * terrain.nx + span.low..k * terrain.nx + span.high;
            let here = row + span.low..row + span.high;
            let seen = row_peaks(
                [&water.depth[here.clone()], &water.u[here.clone()], &water.v[here]],
                time_s,
                &mut depth[part(span)],
                &mut speed[part(span)],
                &mut hazard[part(span)],
                &mut arrival[part(span)],
            );
            found = found.and(seen);
        }
        found
    });
    parts.into_iter().fold(Found::default(), Found::and)
}

impl Found {
    fn and(self, other: Self) -> Self {
        Self {
            waves: self.waves.max(other.waves),
            wet: self.wet + other.wet,
            unsound: self.unsound || other.unsound,
        }
    }
}

#[inline(never)]
fn row_peaks(
    water: [&[f64]; 3],
    time_s: f64,
    depth: &mut [f64],
    speed: &mut [f64],
    hazard: &mut [f64],
    arrival: &mut [f64],
) -> Found {
    let n = depth.len();
    let (h, u, v) = (&water[0][..n], &water[1][..n], &water[2][..n]);
    let (speed, hazard, arrival) = (&mut speed[..n], &mut hazard[..n], &mut arrival[..n]);
    // Any number times zero is zero; what is none stays none in the sum.
    let (mut waves, mut wet, mut zero) = (0.0, 0.0, 0.0);
    for i in 0..n {
        let here = (u[i] * u[i] + v[i] * v[i]).sqrt();
        let counted = if h[i] >= FILM_M { here } else { 0.0 };
        let danger = h[i] * (counted + 0.5);
        depth[i] = if h[i] > depth[i] { h[i] } else { depth[i] };
        speed[i] = if counted > speed[i] { counted } else { speed[i] };
        hazard[i] = if danger > hazard[i] { danger } else { hazard[i] };
        let now = if h[i] >= ARRIVED_M { time_s } else { f64::INFINITY };
        arrival[i] = if now < arrival[i] { now } else { arrival[i] };
        let wave = (u[i].abs() + v[i].abs()) + 2.0 * (G * h[i]).sqrt();
        waves = if wave > waves { wave } else { waves };
        wet += if h[i] > DRY_M { 1.0 } else { 0.0 };
        zero += wave * 0.0;
    }
    Found { waves, wet: wet as u64, unsound: zero != 0.0 }
}
