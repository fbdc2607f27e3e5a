//! What plugins cost on this machine: a call through the host with all its checks beside the same call of bare wasmtime,
//! two hundred plugins at once, and a start.

mod bare;

use std::hint::black_box;
use std::path::Path as FsPath;
use std::sync::Arc;
use std::time::Instant;

use campanile_model::{
    Accumulation, Campus, CommandSpec, Entity, EntityKind, Names, Path, Point, PointId, PointKind, Quality,
    Sample, Timestamp, Value, ValueType,
};
use campanile_world::bench::Figure;
use campanile_world::{Schema, World};

use crate::grants::{Approval, Grants};
use crate::host::{empty_batch, fill_batch};
use crate::manifest::Manifest;
use crate::runtime::{Compiled, ComponentError, Runtime};
use crate::seat::{Budget, Call, Saved, Seat};
use crate::turn::Around;
use bare::Bare;

/// The plugin that is measured: the probe of the SDK in Rust, whose component the caller has.
const MANIFEST: &str = include_str!("../../../sdk/probe/plugin.toml");
/// Points of the campus that is measured on, all commandable.
const POINTS: u32 = 2500;
const FLEET: usize = 200;
const STARTED: usize = 50;
/// Calls of each kind that the median is of.
const ROUNDS: usize = 401;

/// A campus of setpoints and nothing else.
fn campus() -> Campus {
    let names = || Names::new("点", "Point");
    let path = |text: String| Path::new(text).unwrap_or_else(|_| unreachable!("letters and digits"));
    let mut campus = Campus::default();
    "bench".clone_into(&mut campus.id);
    "Asia/Shanghai".clone_into(&mut campus.timezone);
    for room in 0..POINTS {
        let at = campus.entities.len();
        campus.entities.push(Entity {
            path: path(format!("a/1f/r{room}/ac")),
            names: names(),
            kind: EntityKind::Equipment,
            brick: String::new(),
            parent: None,
            class: String::new(),
        });
        campus.points.push(Point {
            id: PointId(room),
            path: path(format!("a/1f/r{room}/ac/setpoint")),
            entity: at,
            names: names(),
            kind: PointKind::Setpoint,
            quantity: "setpoint".to_owned(),
            value_type: ValueType::Number,
            choices: Vec::new(),
            accumulation: Accumulation::Gauge,
            brick: String::new(),
            unit: "Cel".to_owned(),
            range: Some([0.0, 50.0]),
            period_s: 60.0,
            resolution: Some(0.5),
            submeter: None,
            command: Some(CommandSpec {
                limits: Some([16.0, 30.0]),
                min_interval_s: 0.0,
                safe: Value::Number(26.0),
                readback: None,
                weakest_priority: None,
            }),
            alarms: Vec::new(),
            interlocks: Vec::new(),
            binding: None,
        });
    }
    campus.reindex();
    campus
}

struct Ground {
    runtime: Arc<Runtime>,
    compiled: Compiled,
    grants: [Arc<Grants>; 2],
    world: World,
}

/// What the probe does.
#[derive(Clone, Copy)]
enum Deed {
    Nothing,
    Command,
}

impl Ground {
    fn new(component: &[u8]) -> Result<Self, ComponentError> {
        let runtime = Arc::new(Runtime::new(None)?);
        let manifest = manifest()?;
        let compiled = runtime.compile(&manifest, component)?;
        let campus = Arc::new(campus());
        let world = World::new(Arc::new(Schema::of(&campus)), Timestamp(1_782_263_700_000_000));
        let manifest = Arc::new(manifest);
        let grants = ["", "command"]
            .map(|mode| Arc::new(Grants::new(campus.clone(), manifest.clone(), &approval(&manifest, mode))));
        Ok(Self { runtime, compiled, grants, world })
    }

    fn seat(&self, deed: Deed) -> Seat {
        let grants = self.grants[deed as usize].clone();
        Seat::new(self.runtime.clone(), self.compiled.clone(), grants, Budget::Deadline, Saved::default())
    }

    /// The world so much later that every pace is full again.
    fn later(&mut self) -> Around {
        self.world.tick(self.world.now().plus_micros(200 * Timestamp::SECOND), &mut Vec::new());
        Around::of(Arc::new(self.world.fork()))
    }

    fn samples(&self, count: u32) -> Arc<[Sample]> {
        let sample = |point| Sample {
            point: PointId(point),
            time: self.world.now(),
            value: Value::Number(20.0 + f64::from(point % 8)),
            quality: Quality::Good,
        };
        (0..count).map(sample).collect()
    }
}

fn manifest() -> Result<Manifest, ComponentError> {
    Manifest::read(FsPath::new("plugin.toml"), MANIFEST)
        .map_err(|why| ComponentError::Engine(why.to_string()))
}

fn approval(manifest: &Manifest, mode: &str) -> Approval {
    Approval {
        plugin: manifest.id.clone(),
        version: manifest.version.clone(),
        package: String::new(),
        capability: manifest.capability.clone(),
        settings: [("mode".to_owned(), mode.to_owned())].into(),
        by: "bench".to_owned(),
    }
}

/// The medians of the host and of bare wasmtime, µs a call, measured in turns.
fn beside(ground: &mut Ground, deed: Deed, count: u32) -> Result<(f64, f64), ComponentError> {
    let mut seat = ground.seat(deed);
    let settings = ground.grants[deed as usize].settings.clone();
    let mut bare = Bare::new(ground.runtime.engine(), &ground.compiled, &settings)?;
    let samples = ground.samples(count);
    let mut given = empty_batch();
    let mine = samples.iter().filter_map(|s| Some((ground.grants[0].handle(s.point)?, s)));
    fill_batch(&mut given, mine, samples.len());
    let (mut host_us, mut bare_us) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    // A call of little is repeated, so that the clock is not what is measured.
    let repeats = if count == 1 { 100 } else { 1 };
    for round in 0..ROUNDS {
        let around = ground.later();
        let call = Call::Samples(ground.samples(count));
        let mut time_host = || {
            let began = Instant::now();
            for _ in 0..repeats {
                black_box(seat.call(&call, &around));
            }
            host_us.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(repeats));
        };
        let mut time_bare = || {
            let began = Instant::now();
            for _ in 0..repeats {
                bare.call(&given)?;
            }
            bare_us.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(repeats));
            Ok::<(), ComponentError>(())
        };
        // Whoever comes second finds warmer caches.
        if round % 2 == 0 {
            time_host();
            time_bare()?;
        } else {
            time_bare()?;
            time_host();
        }
    }
    Ok((median(host_us), median(bare_us)))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The seconds that this thread was on a processor; where the system does not tell, those that have passed.
fn thread_s(began: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_cpu_ns = told.and_then(|told| told.split_whitespace().next()?.parse::<f64>().ok());
    on_cpu_ns.map_or_else(|| began.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// Two hundred plugins are given 2,500 samples each, once a second: per cent of one core.
fn fleet(ground: &mut Ground) -> f64 {
    const SECONDS: u32 = 60;
    let mut seats: Vec<Seat> = (0..FLEET).map(|_| ground.seat(Deed::Nothing)).collect();
    let began = Instant::now();
    let mut before = 0.0;
    // The first second makes the instances.
    for second in 0..=SECONDS {
        if second == 1 {
            before = thread_s(began);
        }
        let around = ground.later();
        let call = Call::Samples(ground.samples(POINTS));
        for seat in &mut seats {
            black_box(seat.call(&call, &around));
        }
    }
    (thread_s(began) - before) / f64::from(SECONDS) * 100.0
}

/// The same component with other bytes: a section that nobody reads.
fn variant(component: &[u8], index: usize) -> Vec<u8> {
    let name = format!("bench-{index:04}");
    let mut bytes = component.to_vec();
    // A section without meaning: its number, its length, the length of its name, the name.
    bytes.extend([0, name.len() as u8 + 1, name.len() as u8]);
    bytes.extend(name.bytes());
    bytes
}

/// Loading one component from the cache, µs; and starting with fifty, to the end of their first call, ms.
fn start(component: &[u8], ground: &mut Ground, cache: &FsPath) -> Result<(f64, f64), ComponentError> {
    let manifest = manifest()?;
    let variants: Vec<Vec<u8>> = (0..STARTED).map(|index| variant(component, index)).collect();
    let runtime = Runtime::new(Some(cache))?;
    for bytes in &variants {
        runtime.compile(&manifest, bytes)?;
    }
    let mut loads = Vec::new();
    for bytes in variants.iter().cycle().take(ROUNDS) {
        let began = Instant::now();
        black_box(runtime.compile(&manifest, bytes)?);
        loads.push(began.elapsed().as_secs_f64() * 1e6);
    }
    drop(runtime);
    let around = ground.later();
    let began = Instant::now();
    let runtime = Arc::new(Runtime::new(Some(cache))?);
    let mut seats = Vec::new();
    for bytes in &variants {
        let compiled = runtime.compile(&manifest, bytes)?;
        let grants =
            Grants::new(ground.grants[0].campus.clone(), manifest.clone().into(), &approval(&manifest, ""));
        let (budget, saved) = (Budget::Deadline, Saved::default());
        let mut seat = Seat::new(runtime.clone(), compiled, grants.into(), budget, saved);
        black_box(seat.call(&Call::Tick, &around));
        seats.push(seat);
    }
    Ok((median(loads), began.elapsed().as_secs_f64() * 1e3))
}

/// A new instance and its first call, µs.
fn instantiate(ground: &mut Ground) -> f64 {
    let mut seat = ground.seat(Deed::Nothing);
    let around = ground.later();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        seat.forget_instance();
        let began = Instant::now();
        black_box(seat.call(&Call::Tick, &around));
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    median(times)
}

/// Measures on one core, with the component of the probe in Rust (`probe-rust.wasm`) and a folder for its cache.
///
/// # Errors
/// Where the component is not the probe of this version, or the machine has no room.
pub fn run(component: &[u8], cache: &FsPath) -> Result<Vec<Figure>, ComponentError> {
    let mut ground = Ground::new(component)?;
    let (call_us, bare_call_us) = beside(&mut ground, Deed::Nothing, 1)?;
    let (batch_us, bare_batch_us) = beside(&mut ground, Deed::Nothing, 1000)?;
    let (commands_us, bare_commands_us) = beside(&mut ground, Deed::Command, 1000)?;
    let ratios = [call_us / bare_call_us, batch_us / bare_batch_us, commands_us / bare_commands_us];
    let figure = |name, value, unit, goal, reference| Figure { name, value, unit, goal, reference };
    let bare =
        "bare wasmtime: the same component and input, functions that do nothing; medians of 401, in turns";
    let instantiate_us = instantiate(&mut ground);
    let (load_us, start_ms) = start(component, &mut ground, cache)?;
    Ok(vec![
        figure("call_us", call_us, "us", "", "one sample, nothing to do"),
        figure("bare_call_us", bare_call_us, "us", "", bare),
        figure("batch_1000_us", batch_us, "us", "", "1,000 samples, nothing to do"),
        figure("bare_batch_1000_us", bare_batch_us, "us", "", bare),
        figure("batch_1000_commands_us", commands_us, "us", "", "1,000 samples, a command of each"),
        figure("bare_batch_1000_commands_us", bare_commands_us, "us", "", bare),
        figure(
            "host_over_bare_ratio",
            ratios.into_iter().fold(0.0, f64::max),
            "",
            "<= 1.5",
            "the worst of the three",
        ),
        figure(
            "fleet_200_cpu_pct",
            fleet(&mut ground),
            "%",
            "<= 2 of one core",
            "200 plugins, each given 2,500 samples once a second",
        ),
        figure("load_us", load_us, "us", "", "a component from the cache, its hashes checked"),
        figure("instantiate_us", instantiate_us, "us", "", "a new instance, its start and its first call"),
        figure(
            "start_50_ms",
            start_ms,
            "ms",
            "<= 1,000",
            "a runtime, 50 components from the cache, a call each",
        ),
    ])
}
