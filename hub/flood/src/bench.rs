//! What this machine can carry: cell updates a second.

use std::time::Instant;

use crate::{Edge, Field, Flood, FloodInput, Series, Threads};

/// One measured figure.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it should reach, in words.
    pub goal: &'static str,
    /// What it is compared with.
    pub reference: &'static str,
}

const SIDE: usize = 400;

/// A campus of 400 × 400 cells of 1 m: gentle ground with humps, 60 mm/h of rain, water already running.
fn input() -> FloodInput {
    let hump = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 97) as f64 * 1e-3;
    let bed_m = (0..SIDE * SIDE).map(|cell| {
        let (i, j) = (cell % SIDE, cell / SIDE);
        i as f64 * 0.005 + j as f64 * 0.002 + hump(i, j)
    });
    FloodInput {
        nx: SIDE,
        ny: SIDE,
        cell_m: 1.0,
        origin_m: [0.0; 2],
        bed_m: bed_m.collect(),
        manning: Field::Uniform(0.02),
        stage_m: Field::Uniform(1.0),
        blocked: Vec::new(),
        edges: [Edge::Open; 4],
        rain_m_s: Series::constant(0.06 / 3600.0),
        stages: Vec::new(),
        barriers: Vec::new(),
        roofs: Vec::new(),
        rooms: Vec::new(),
        links: Vec::new(),
        drains: Vec::new(),
        pumps: Vec::new(),
    }
}

/// Measures cell updates a second, the best of five stretches; zero when there is nothing to measure.
fn updates_per_s(threads: &Threads) -> f64 {
    let Ok(mut flood) = Flood::new(input()) else { return 0.0 };
    flood.step(2.0, threads);
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (before, began) = (flood.counters().cell_updates, Instant::now());
        flood.step(4.0, threads);
        best = best.max((flood.counters().cell_updates - before) as f64 / began.elapsed().as_secs_f64());
    }
    best
}

/// Measures on one core and on two.
pub fn run() -> Vec<Figure> {
    let reference = "400 × 400 cells under rain, all wet, f64, first order";
    let one = updates_per_s(&Threads::one());
    let two = Threads::new(2).map_or(0.0, |threads| updates_per_s(&threads));
    vec![
        Figure {
            name: "cell_updates_per_s",
            value: one,
            unit: "1/s",
            goal: ">= 10,000,000 on one core",
            reference,
        },
        Figure { name: "cell_updates_per_s_two_threads", value: two, unit: "1/s", goal: "", reference },
    ]
}
