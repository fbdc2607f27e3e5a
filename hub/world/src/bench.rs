//! What this machine can carry: samples applied a second, and how long a fork takes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use campanile_model::{
    AlarmCondition, AlarmPriority, Path, PointId, Quality, Sample, Timestamp, Value, ValueType,
};

use crate::{PointSpec, RuleSpec, Schema, World};

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

const POINTS: u32 = 1_000_000;
const BATCH: usize = 10_000;

/// A million points, one in a hundred with an alarm rule.
fn world() -> World {
    let spec = PointSpec {
        value_type: ValueType::Number,
        choices: 0,
        range: Some([-40.0, 5_000.0]),
        stale_after_us: 180_000_000,
        by_exception: false,
        resolution: Some(0.1),
        command: None,
    };
    let rules = (0..POINTS).step_by(100).map(|point| RuleSpec {
        id: format!("p{point}#high").into(),
        point: PointId(point),
        index: 0,
        priority: AlarmPriority::Medium,
        condition: AlarmCondition::High { limit: 1_500.0 },
        other: None,
        deadband: 50.0,
        on_delay_us: 60_000_000,
        off_delay_us: 0,
        suppress: None,
    });
    let paths: Vec<Path> = Vec::new();
    let schema = Schema::new(vec![spec; POINTS as usize], paths, rules.collect());
    World::new(Arc::new(schema), Timestamp(0))
}

/// Batches in an order that jumps about, as messages of many devices do: a full-period linear congruence.
fn batches(round: i64) -> Vec<Vec<Sample>> {
    let mut next: u64 = 12_345;
    let mut sample = || {
        next = (next * 1_664_525 + 1_013_904_223) % (1 << 20);
        while next >= u64::from(POINTS) {
            next = (next * 1_664_525 + 1_013_904_223) % (1 << 20);
        }
        Sample {
            point: PointId(next as u32),
            time: Timestamp(round * 60_000_000 + next as i64),
            value: Value::Number(400.0 + ((next * 7 + round as u64 * 13) % 1_300) as f64),
            quality: Quality::Good,
        }
    };
    (0..POINTS as usize / BATCH).map(|_| (0..BATCH).map(|_| sample()).collect()).collect()
}

/// Measures on one core.
pub fn run() -> Vec<Figure> {
    let mut world = world();
    let mut events = Vec::new();
    let mut best = 0.0_f64;
    for round in 1..=6 {
        let batches = batches(round);
        let began = Instant::now();
        for batch in &batches {
            world.apply_samples(batch, &mut events);
        }
        world.tick(Timestamp(round * 60_000_000 + 30_000_000), &mut events);
        black_box(world.take_dirty());
        let rate = f64::from(POINTS) / began.elapsed().as_secs_f64();
        // The first round writes pages that are still shared: it is a warm-up.
        if round > 1 {
            best = best.max(rate);
        }
        events.clear();
    }
    let mut forks: Vec<f64> = (0..21)
        .map(|_| {
            let began = Instant::now();
            let fork = black_box(world.fork());
            let took = began.elapsed().as_secs_f64() * 1e3;
            drop(fork);
            took
        })
        .collect();
    forks.sort_by(f64::total_cmp);
    let began = Instant::now();
    black_box(world.hash());
    let hash_ms = began.elapsed().as_secs_f64() * 1e3;
    vec![
        Figure {
            name: "applied_samples_per_s",
            value: best,
            unit: "1/s",
            goal: ">= 10,000,000 on one core",
            reference: "1 M points, batches of 10,000 in scattered order, 10,000 alarm rules, staleness and dirty set kept",
        },
        Figure {
            name: "fork_1m_points_ms",
            value: forks[forks.len() / 2],
            unit: "ms",
            goal: "< 1",
            reference: "median of 21",
        },
        Figure {
            name: "hash_1m_points_ms",
            value: hash_ms,
            unit: "ms",
            goal: "",
            reference: "all pages changed; unchanged pages keep their hash",
        },
    ]
}
