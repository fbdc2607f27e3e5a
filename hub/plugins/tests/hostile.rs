//! Plugins that do their worst, each with what becomes of it: `tests/hostile`, whose README says how to add one.
//!
//! The components are built by `scripts/guests.sh`; where they are missing, this test says so and skips.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use campanile_model::{Quality, Sample, Value};
use campanile_plugins::{
    Around, Budget, Call, Compiled, Grants, Health, Manifest, Outcome, Package, Runtime, Saved, Seat,
    SecretKey, Trust,
};
use common::{NOW, approval, campus, guest, manifest, world};
use serde::Deserialize;

const SETPOINT: &str = "teaching-a/2f/203/ac/setpoint";
const NEIGHBOUR: &str = "00-good-neighbour";

/// What becomes of a plugin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    both: Option<Fate>,
    live: Option<Fate>,
    rehearsed: Option<Fate>,
    calls: u32,
    down: bool,
    import: Option<String>,
    refused: Option<String>,
    package: Option<PackageFate>,
}

impl Default for Expected {
    fn default() -> Self {
        let (both, live, rehearsed, import, refused, package) = Default::default();
        Self { both, live, rehearsed, calls: 1, down: false, import, refused, package }
    }
}

/// What becomes of a call.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Fate {
    failure: Option<String>,
    says: Option<String>,
    commands: usize,
    alarms: usize,
    derived: usize,
    records: usize,
    store: usize,
    panels: usize,
    denied: BTreeMap<String, BTreeMap<String, usize>>,
    log: Vec<String>,
    lines: Option<usize>,
    memory_mib: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PackageFate {
    tampered: bool,
    refused: String,
}

fn folder() -> PathBuf {
    common::root().join("tests/hostile")
}

fn plugins() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("plugin.toml").exists())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn expected(name: &str) -> Expected {
    let file = folder().join(name).join("expected.toml");
    toml::from_str(&std::fs::read_to_string(&file).unwrap())
        .unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

fn hostile(name: &str) -> Manifest {
    manifest(&format!("tests/hostile/{name}"))
}

/// A component that imports an interface and nothing else.
fn importing(interface: &str) -> Vec<u8> {
    use wasm_encoder::{
        Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, InstanceType,
    };
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    let mut imports = ComponentImportSection::new();
    imports.import(interface, ComponentTypeRef::Instance(0));
    let mut component = Component::new();
    component.section(&types).section(&imports);
    component.finish()
}

fn seat(runtime: &Arc<Runtime>, compiled: &Compiled, manifest: &Arc<Manifest>, budget: Budget) -> Seat {
    let grants = Arc::new(Grants::new(campus(), manifest.clone(), &approval(manifest, &[])));
    let mut seat = Seat::new(runtime.clone(), compiled.clone(), grants, budget, Saved::default());
    seat.watch(true);
    seat
}

fn call(seat: &mut Seat, around: &Around) -> Outcome {
    let point = campus().point_id(SETPOINT).unwrap();
    let sample = Sample { point, time: NOW, value: Value::Number(24.0), quality: Quality::Good };
    seat.call(&Call::Samples([sample].into()), around)
}

/// The world when a seat has rested.
fn rested(seat: &Seat, around: &mut Around) {
    if let Health::Quarantined { until } = seat.saved().health {
        let mut world = around.world.fork();
        world.tick(until, &mut Vec::new());
        around.world = Arc::new(world);
    }
}

fn judge(place: &str, fate: &Fate, outcome: &Outcome) {
    let place = &format!("{place}: {outcome:?}");
    let failure = outcome.failure.as_ref().map(|failure| {
        let told = serde_json::to_value(failure).unwrap();
        (told["kind"].as_str().unwrap().to_owned(), failure.to_string())
    });
    assert_eq!(failure.as_ref().map(|(kind, _)| kind), fate.failure.as_ref(), "{place}");
    if let Some(says) = &fate.says {
        assert!(failure.is_some_and(|(_, said)| said.contains(says)), "{says}: {place}");
    }
    let e = &outcome.effects;
    let done =
        (e.intents.len(), e.alarms.len(), e.derived.len(), e.records.len(), e.store.len(), e.panels.len());
    let told = (fate.commands, fate.alarms, fate.derived, fate.records, fate.store, fate.panels);
    assert_eq!(done, told, "commands, alarms, derived, records, store, panels: {place}");
    let mut denied: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for one in outcome.trace.iter().flat_map(|trace| &trace.denied) {
        let kind = one.denial.split(':').next().unwrap_or_default().to_owned();
        *denied.entry(one.call.to_owned()).or_default().entry(kind).or_default() += 1;
    }
    assert_eq!(denied, fate.denied, "{place}");
    for line in &fate.log {
        assert!(outcome.log.iter().any(|said| said.text.contains(line.as_str())), "{line}: {place}");
    }
    if let Some(lines) = fate.lines {
        // And one by the host, that others were too many.
        assert_eq!(outcome.log.len(), lines + 1, "{place}");
    }
    if let Some(mib) = fate.memory_mib {
        assert_eq!(outcome.cost.memory_bytes, mib << 20, "{place}");
    }
}

/// Works in a thread of its own until it is told to end, and says how often it has.
struct Neighbour {
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<usize>,
}

impl Neighbour {
    fn new(runtime: &Arc<Runtime>, compiled: &Compiled) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (runtime, compiled, ended) = (runtime.clone(), compiled.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let manifest = Arc::new(hostile(NEIGHBOUR));
            let fate = expected(NEIGHBOUR).both.unwrap();
            let around = Around::of(world());
            let mut worked = 0;
            // Once after the end too: it still works.
            loop {
                let last = ended.load(Ordering::Relaxed);
                judge(
                    "the neighbour",
                    &fate,
                    &call(&mut seat(&runtime, &compiled, &manifest, Budget::Fuel), &around),
                );
                worked += 1;
                if last {
                    return worked;
                }
            }
        });
        Self { over, thread }
    }

    fn end(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

#[test]
fn each_does_its_worst_and_that_is_what_becomes_of_it() {
    let Some(good) = guest(&format!("hostile/{NEIGHBOUR}")) else { return };
    let runtime = Arc::new(Runtime::new(None).unwrap());
    let good = runtime.compile(&hostile(NEIGHBOUR), &good).unwrap();
    let names = plugins();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let expected = expected(&name);
        let manifest = Arc::new(hostile(&name));
        if let (Some(import), Some(refused)) = (&expected.import, &expected.refused) {
            let why = runtime.compile(&manifest, &importing(import)).unwrap_err().to_string();
            assert!(why.contains(import) && why.contains(refused), "{name}: {why}");
            continue;
        }
        let bytes = guest(&format!("hostile/{name}")).unwrap();
        if let Some(fate) = &expected.package {
            judge_package(&name, fate, &bytes);
            continue;
        }
        let compiled = runtime.compile(&manifest, &bytes).unwrap_or_else(|why| panic!("{name}: {why}"));
        let fates = [(Budget::Deadline, &expected.live), (Budget::Fuel, &expected.rehearsed)];
        for (budget, fate) in fates {
            let fate = fate.as_ref().or(expected.both.as_ref()).unwrap();
            let neighbour = Neighbour::new(&runtime, &good);
            // Twice: a fresh seat is as the first was.
            for turn in 0..2 {
                let mut around = Around::of(world());
                let mut seat = seat(&runtime, &compiled, &manifest, budget);
                for n in 0..expected.calls {
                    let outcome = call(&mut seat, &around);
                    judge(&format!("{name}, {budget:?}, seat {turn}, call {n}"), fate, &outcome);
                    rested(&seat, &mut around);
                }
                assert_eq!(seat.saved().health == Health::Down, expected.down, "{name}, {budget:?}");
            }
            assert!(neighbour.end() > 0, "{name}: the neighbour has worked");
        }
    }
}

/// Packs, signs, tampers, and asks whether it is believed.
fn judge_package(name: &str, fate: &PackageFate, component: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(folder().join(name).join("plugin.toml"), dir.path().join("plugin.toml")).unwrap();
    std::fs::write(dir.path().join("plugin.wasm"), component).unwrap();
    let vendor = SecretKey::new("Nobody").unwrap();
    let signed = Package::pack(dir.path()).unwrap().sign(&vendor);
    let mut trust = Trust::default();
    trust.add("another vendor", SecretKey::new("another").unwrap().public()).unwrap();
    if fate.tampered {
        trust.add("Nobody", vendor.public()).unwrap();
        assert_eq!(signed.verify(&trust).unwrap().by, "Nobody");
    }
    let mut bytes = signed.bytes().unwrap();
    if fate.tampered {
        bytes = tampered(&bytes);
    }
    // It can be read, so that people see what it says; it is not believed.
    let read = Package::read(&bytes).unwrap();
    let why = read.verify(&trust).unwrap_err().to_string();
    assert!(why.contains(&fate.refused), "{name}: {why}");
}

/// The same package with one bit of its component turned.
fn tampered(package: &[u8]) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let (name, mut content) = (entry.name().unwrap().into_owned(), Vec::new());
        entry.read_to_end(&mut content).unwrap();
        if Path::new(&name).extension().is_some_and(|e| e == "wasm") {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        }
        to.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        to.write_all(&content).unwrap();
    }
    to.finish().unwrap().into_inner()
}
