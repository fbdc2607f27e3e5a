//! What a plugin costs on this machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_model::{Campus, PointId, Quality, Sample, Timestamp, Value, ValueType};
use campanile_plugins::{Around, Budget, Call, Manifest, Outcome, Seat};
use campanile_world::{Input, Schema, World};
use serde::Serialize;

use crate::plugin::Plugin;

/// The sizes of batches that are measured.
const BATCHES: [usize; 4] = [1, 10, 100, 1000];
/// How long each figure is measured.
const PATIENCE: Duration = Duration::from_millis(400);
/// Calls that each figure has at least and at most.
const CALLS: [usize; 2] = [20, 2000];
/// A morning in June 2026.
const START: Timestamp = Timestamp(1_782_262_800_000_000);

/// What a plugin costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Its files, bytes.
    pub package_bytes: usize,
    /// An instance that starts, µs.
    pub instantiate_us: f64,
    /// The memory of an instance after its calls, KiB.
    pub memory_kib: f64,
    /// What calls cost, by kind and size.
    pub calls: Vec<Cost>,
}

/// What a call costs: medians.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// `samples` or `tick`.
    pub call: &'static str,
    /// Samples a call.
    pub samples: usize,
    /// Time, µs.
    pub us: f64,
    /// Calls a second.
    pub per_s: f64,
    /// Instructions, in wasmtime's units of fuel.
    pub fuel: u64,
    /// Calls that broke off or ended with an error.
    pub failed: usize,
}

/// Measures a plugin on a campus.
pub fn bench(plugin: &Plugin, campus: &Arc<Campus>) -> Figures {
    let mut stage = Stage::new(plugin, campus);
    let mut instantiate = Vec::new();
    for _ in 0..30 {
        let around = stage.later();
        stage.seat.forget_instance();
        let began = Instant::now();
        let _ = stage.seat.start(&around);
        instantiate.push(began.elapsed().as_secs_f64() * 1e6);
    }
    let points = subscribed(&stage.seat, campus);
    let mut calls = Vec::new();
    if !points.is_empty() {
        calls.extend(BATCHES.map(|size| stage.cost("samples", size, &points)));
    }
    if manifest(&stage.seat).subscribe.tick_s.is_some() {
        calls.push(stage.cost("tick", 0, &[]));
    }
    let memory_kib = stage.memory_bytes as f64 / 1024.0;
    let package_bytes = plugin.package.files().map(|(_, bytes)| bytes).sum();
    Figures { package_bytes, instantiate_us: median(&mut instantiate), memory_kib, calls }
}

fn manifest(seat: &Seat) -> &Manifest {
    &seat.grants().manifest
}

fn subscribed(seat: &Seat, campus: &Campus) -> Vec<PointId> {
    campus.points.iter().map(|p| p.id).filter(|point| seat.grants().subscribed(*point).is_some()).collect()
}

/// A world in which every point has a value, an hour later at each call, so that no pace holds the plugin up.
struct Stage<'a> {
    campus: &'a Campus,
    world: World,
    seat: Seat,
    memory_bytes: usize,
}

impl<'a> Stage<'a> {
    fn new(plugin: &Plugin, campus: &'a Arc<Campus>) -> Self {
        let seat = plugin.seat(campus, &Default::default(), Budget::Fuel);
        let world = World::new(Arc::new(Schema::of(campus)), START);
        Self { campus, world, seat, memory_bytes: 0 }
    }

    fn later(&mut self) -> Around {
        let now = self.world.now().plus_micros(3600 * Timestamp::SECOND);
        let samples = self.campus.points.iter().map(|p| sample(self.campus, p.id, now)).collect();
        for input in [Input::Samples { samples }, Input::Tick { now }] {
            // Neither is ever refused.
            let _ = self.world.apply(&input, &mut Vec::new());
        }
        Around::of(Arc::new(self.world.fork()))
    }

    fn cost(&mut self, call: &'static str, size: usize, points: &[PointId]) -> Cost {
        let mut times = Vec::new();
        let mut fuel = Vec::new();
        let mut failed = 0;
        let began = Instant::now();
        while times.len() < CALLS[0] || (began.elapsed() < PATIENCE && times.len() < CALLS[1]) {
            let around = self.later();
            let now = self.world.now();
            let given = match size {
                0 => Call::Tick,
                size => {
                    let points = points.iter().cycle().take(size);
                    Call::Samples(points.map(|point| sample(self.campus, *point, now)).collect())
                }
            };
            self.seat.revive();
            let started = Instant::now();
            let outcome: Outcome = self.seat.call(&given, &around);
            times.push(started.elapsed().as_secs_f64() * 1e6);
            fuel.push(outcome.cost.fuel as f64);
            self.memory_bytes = self.memory_bytes.max(outcome.cost.memory_bytes);
            failed += usize::from(outcome.failure.is_some() || outcome.error.is_some());
        }
        let us = median(&mut times);
        Cost { call, samples: size, us, per_s: 1e6 / us, fuel: median(&mut fuel) as u64, failed }
    }
}

/// A value in the middle of what a point may have.
fn sample(campus: &Campus, point: PointId, time: Timestamp) -> Sample {
    let spec = campus.point(point);
    let value = match spec.value_type {
        ValueType::Number => Value::Number(spec.range.map_or(20.0, |[low, high]| low.midpoint(high))),
        ValueType::Bool => Value::Bool(true),
        ValueType::Choice => Value::Choice(0),
        ValueType::Text => Value::Text("".into()),
    };
    Sample { point, time, value, quality: Quality::Good }
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
