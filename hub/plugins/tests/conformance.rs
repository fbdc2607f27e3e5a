//! The same probe in each language, told to do one thing after another: every capability, every denial, every failure.
//!
//! The components are built by `sdk/build.sh`; where they are missing, these tests say so and skip.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use campanile_model::{Campus, Quality, Sample, Timestamp, Value};
use campanile_plugins::{
    Approval, Budget, Call, Compiled, Effects, Failure, Grants, Health, Manifest, NoPast, Outcome, Past,
    Runtime, Saved, Seat,
};
use campanile_world::{Schema, World};

const SETPOINT: &str = "teaching-a/2f/203/ac/setpoint";
/// A quarter past nine on a school day in June.
const NOW: Timestamp = Timestamp(1_782_263_700_000_000);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The components of the probe by language.
fn probes() -> Vec<(&'static str, Vec<u8>)> {
    let dir = std::env::var_os("CAMPANILE_PLUGINS").map_or_else(
        || {
            let target =
                std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
            target.join("plugins")
        },
        PathBuf::from,
    );
    let mut found = Vec::new();
    for language in ["rust", "c"] {
        let file = dir.join(format!("probe-{language}.wasm"));
        match std::fs::read(&file) {
            Ok(bytes) => found.push((language, bytes)),
            Err(why) => println!("skipped: {}: {why} (built by sdk/build.sh)", file.display()),
        }
    }
    found
}

fn campus() -> Arc<Campus> {
    static CAMPUS: OnceLock<Arc<Campus>> = OnceLock::new();
    CAMPUS
        .get_or_init(|| Arc::new(campanile_model::open(&root().join("scenes/shanghai-school")).unwrap()))
        .clone()
}

fn world() -> Arc<World> {
    Arc::new(World::new(Arc::new(Schema::of(&campus())), NOW))
}

fn manifest() -> Manifest {
    let file = root().join("sdk/probe/plugin.toml");
    Manifest::read(&file, &std::fs::read_to_string(&file).unwrap()).unwrap()
}

struct Stage {
    runtime: Arc<Runtime>,
    world: Arc<World>,
    compiled: Compiled,
}

impl Stage {
    fn new(bytes: &[u8]) -> Self {
        let runtime = Arc::new(Runtime::new(None).unwrap());
        let compiled = runtime.compile(&manifest(), bytes).unwrap();
        Self { runtime, world: world(), compiled }
    }

    /// The world so many seconds later.
    fn later(&mut self, s: i64) {
        let mut world = self.world.fork();
        world.tick(world.now().plus_micros(s * Timestamp::SECOND), &mut Vec::new());
        self.world = Arc::new(world);
    }

    fn seat(&self, mode: &str, target: &str, budget: Budget) -> Seat {
        let manifest = Arc::new(manifest());
        let settings = [("mode", mode), ("target", target)];
        let approval = Approval {
            plugin: "probe".into(),
            version: "0.1.0".into(),
            package: String::new(),
            capability: manifest.capability.clone(),
            settings: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            by: "person:test".into(),
        };
        let compiled = self.compiled.clone();
        let grants = Arc::new(Grants::new(campus(), manifest, &approval));
        Seat::new(self.runtime.clone(), compiled, grants, budget, Saved::default())
    }

    fn call(&self, seat: &mut Seat) -> Outcome {
        let point = campus().point_id(SETPOINT).unwrap();
        let sample = Sample { point, time: NOW, value: Value::Number(24.0), quality: Quality::Good };
        let past: Arc<dyn Past> = Arc::new(NoPast);
        seat.call(&Call::Samples([sample].into()), &self.world, &past)
    }
}

/// What the probe said the host had answered.
fn answers(outcome: &Outcome) -> Vec<String> {
    let said = outcome.log.iter().filter_map(|line| line.text.strip_prefix("probe: "));
    said.filter_map(|said| said.split_once(": ")).map(|(_, answer)| answer.to_owned()).collect()
}

/// Each mode that ends well, what the probe is answered, and what has been done then.
#[test]
fn every_capability_and_every_denial_is_the_same_in_each_language() {
    type Check = fn(&Effects) -> bool;
    let nothing: Check = Effects::is_empty;
    let table: &[(&str, &str, &str, Check)] = &[
        ("echo", "", "ok", |e| e.derived == [(0, Value::Number(24.0), Quality::Good)]),
        ("command", "", "ok", |e| e.intents.len() == 1 && e.intents[0].value == Some(Value::Number(24.0))),
        ("find", "", "ok 4762", nothing),
        ("by-path", SETPOINT, "ok 1", nothing),
        ("by-path", "no/such/point", "unknown-point", nothing),
        ("read", SETPOINT, "ok 1", nothing),
        ("history", SETPOINT, "ok 0", nothing),
        ("buckets", SETPOINT, "ok 0", nothing),
        ("holds", SETPOINT, "ok 0", nothing),
        ("relinquish", SETPOINT, "ok", nothing),
        ("alarm", "", "ok", |e| e.alarms.len() == 1 && e.alarms[0].raised.is_some()),
        ("clear", "", "ok", nothing),
        ("record", "", "ok", |e| e.records.len() == 1 && &*e.records[0].1 == "{\"n\":1}"),
        ("records", "", "ok 0", nothing),
        ("store", "", "ok 1", |e| e.store.len() == 1),
        ("panel", "", "ok", |e| e.panels.len() == 1),
        ("clock", "", "ok 1782263700000000 9", nothing),
        ("forged-handle", "", "unknown-point", nothing),
        ("outside-globs", "site/barrier-canteen/barrier-up", "not-granted", nothing),
        ("too-strong", SETPOINT, "too-strong", nothing),
        ("out-of-limits", SETPOINT, "out-of-limits", nothing),
        ("nan", "", "invalid", nothing),
        ("store-full", "", "quota", |e| (50..64).contains(&e.store.len())),
        ("flood-commands", SETPOINT, "too-soon", |e| e.intents.len() == 1000),
        ("flood-alarms", "", "too-soon", |e| e.alarms.len() <= 60),
        ("flood-records", "", "too-soon", |e| e.records.len() == 200),
    ];
    for (language, bytes) in probes() {
        let stage = Stage::new(&bytes);
        for (mode, target, expected, check) in table {
            for budget in [Budget::Deadline, Budget::Fuel] {
                let mut seat = stage.seat(mode, target, budget);
                let outcome = stage.call(&mut seat);
                let place = format!("{language}, {mode} {target}, {budget:?}: {outcome:?}");
                assert_eq!(outcome.failure, None, "{place}");
                assert!(answers(&outcome).iter().all(|a| a == expected), "{expected}: {place}");
                assert!(!answers(&outcome).is_empty(), "{place}");
                assert!(check(&outcome.effects), "{place}");
                assert_eq!(seat.saved().health, Health::Well, "{place}");
            }
        }
    }
}

/// Ten thousand lines: two hundred are kept, and how many are not is said.
#[test]
fn a_flood_of_lines_ends_in_a_count() {
    for (language, bytes) in probes() {
        let stage = Stage::new(&bytes);
        let outcome = stage.call(&mut stage.seat("flood-logs", "", Budget::Fuel));
        assert_eq!((outcome.failure, outcome.log.len()), (None, 201), "{language}");
        assert!(outcome.log[200].text.starts_with("9800 lines"), "{language}: {}", outcome.log[200].text);
    }
}

/// Each way to fail, what it is called, live and in a rehearsal; and nothing has been done.
#[test]
fn every_failure_is_contained_undoes_the_call_and_rests_the_plugin() {
    for (language, bytes) in probes() {
        let stage = Stage::new(&bytes);
        for (mode, live, rehearsed) in [
            ("loop", Some(Failure::Deadline), Some(Failure::Fuel)),
            ("host-loop", None, Some(Failure::HostCalls)),
            ("huge-batch", Some(Failure::HostBytes), Some(Failure::HostBytes)),
            ("trap", None, None),
            ("trap-start", None, None),
            ("trap-mid-command", None, None),
            ("panic", None, None),
            ("recursion", None, None),
        ] {
            for (budget, expected) in [(Budget::Deadline, live), (Budget::Fuel, rehearsed)] {
                let mut seat = stage.seat(mode, "", budget);
                let outcome = stage.call(&mut seat);
                let place = format!("{language}, {mode}, {budget:?}: {outcome:?}");
                let failure = outcome.failure.clone().unwrap_or_else(|| panic!("{place}"));
                match expected {
                    Some(expected) => assert_eq!(failure, expected, "{place}"),
                    None => assert!(!matches!(failure, Failure::Start { .. }), "{place}"),
                }
                assert!(outcome.effects.is_empty(), "{place}");
                assert!(matches!(seat.saved().health, Health::Quarantined { .. }), "{place}");
                assert!(!seat.is_callable(NOW), "{place}");
                // While it rests nothing happens; what it said before it failed is kept.
                assert_eq!(stage.call(&mut seat), Outcome::default(), "{place}");
                if mode == "panic" {
                    assert!(outcome.log.iter().any(|line| line.text.contains("probe: panic")), "{place}");
                }
            }
        }
    }
}

/// The instance is thrown away between any two calls, and nothing is different.
#[test]
fn what_a_plugin_remembers_is_in_its_store_alone() {
    for (_, bytes) in probes() {
        let stage = Stage::new(&bytes);
        let mut kept = stage.seat("store", "", Budget::Fuel);
        let mut thrown = stage.seat("store", "", Budget::Fuel);
        for n in 1..=5 {
            let answer = answers(&stage.call(&mut kept));
            assert_eq!(answer, [format!("ok {n}")]);
            assert_eq!(answers(&stage.call(&mut thrown)), answer);
            thrown.forget_instance();
        }
        assert_eq!(kept.saved(), thrown.saved());
        // A fork remembers, and goes its own way; so does what was kept as text and read again.
        let mut fork = kept.fork(Budget::Fuel);
        assert_eq!(answers(&stage.call(&mut fork)), ["ok 6"]);
        assert_eq!(answers(&stage.call(&mut kept)), ["ok 6"]);
        let text = serde_json::to_string(kept.saved()).unwrap();
        assert_eq!(&serde_json::from_str::<Saved>(&text).unwrap(), kept.saved());
    }
}

/// A call that takes all the memory it may is refused more, and goes on.
#[test]
fn memory_ends_where_the_manifest_says() {
    for (language, bytes) in probes() {
        let stage = Stage::new(&bytes);
        let mut seat = stage.seat("memory", "", Budget::Fuel);
        let outcome = stage.call(&mut seat);
        assert_eq!(outcome.failure, None, "{language}: {outcome:?}");
        assert_eq!(answers(&outcome), ["refused"], "{language}");
    }
}

/// Failures in a row: longer and longer rests, then down until a person acts. What it commands is let go.
#[test]
fn a_plugin_that_fails_rests_longer_each_time_and_then_stays_down() {
    let Some((_, bytes)) = probes().into_iter().next() else { return };
    let mut stage = Stage::new(&bytes);
    let mut seat = stage.seat("trap-mid-command", "", Budget::Fuel);
    // It has commanded before.
    let commanded = stage.call(&mut stage.seat("command", "", Budget::Fuel));
    let mut world = stage.world.fork();
    for intent in &commanded.effects.intents {
        world.intend(intent, &mut Vec::new()).unwrap();
    }
    stage.world = Arc::new(world);
    for rest_s in [5, 10, 20, 40] {
        let outcome = stage.call(&mut seat);
        assert!(outcome.failure.is_some());
        assert_eq!(
            outcome.effects.intents.len(),
            1,
            "it lets go of what it commands, and has not commanded again"
        );
        assert_eq!(outcome.effects.intents[0].value, None);
        let until = stage.world.now().plus_micros(rest_s * Timestamp::SECOND);
        assert_eq!(seat.saved().health, Health::Quarantined { until });
        stage.later(rest_s - 1);
        assert!(!seat.is_callable(stage.world.now()));
        stage.later(1);
        assert!(seat.is_callable(stage.world.now()));
    }
    assert!(stage.call(&mut seat).failure.is_some());
    assert_eq!(seat.saved().health, Health::Down);
    stage.later(1_000_000);
    assert!(!seat.is_callable(stage.world.now()));
    seat.revive();
    assert!(seat.is_callable(stage.world.now()));
}

/// What was compiled is found again by the next start; a changed file, or one of another's key, is compiled anew.
#[test]
fn nothing_is_loaded_but_what_this_hub_compiled() {
    let Some((_, bytes)) = probes().into_iter().next() else { return };
    let dir = tempfile::tempdir().unwrap();
    let compile = |dir: &Path| Runtime::new(Some(dir)).unwrap().compile(&manifest(), &bytes).unwrap();
    assert!(!compile(dir.path()).from_cache);
    assert!(compile(dir.path()).from_cache);
    let code = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path());
    let code = code.into_iter().find(|p| p.extension().is_some_and(|e| e == "cwasm")).unwrap();
    let good = std::fs::read(&code).unwrap();
    for (what, at) in [("its hash", 3), ("its code", good.len() / 2), ("its end", good.len() - 1)] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&code, bad).unwrap();
        assert!(!compile(dir.path()).from_cache, "{what} was changed");
    }
    std::fs::write(&code, &good[..good.len() / 2]).unwrap();
    assert!(!compile(dir.path()).from_cache, "it was cut off");
    std::fs::remove_file(dir.path().join("key")).unwrap();
    assert!(!compile(dir.path()).from_cache, "another hub wrote it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in std::fs::read_dir(dir.path()).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o77, 0);
        }
    }
}

/// A file that is no component, and one that is cut off, say so.
#[test]
fn what_is_no_component_is_refused_in_words() {
    let runtime = Runtime::new(None).unwrap();
    for bytes in [&b""[..], b"hello", b"\0asm\x01\0\0\0"] {
        let why = runtime.compile(&manifest(), bytes).unwrap_err().to_string();
        assert!(why.contains("campanile plugin build"), "{why}");
    }
}

/// A change of the contract needs a new version, with its line in `sdk/wit/VERSIONS`; lines of versions that vendors
/// have are never changed.
#[test]
fn the_contract_does_not_change_without_its_version() {
    let dir = root().join("sdk/wit");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "wit"));
    files.sort();
    let mut hasher = blake3::Hasher::new();
    let mut version = None;
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let package = text.lines().find_map(|line| line.strip_prefix("package campanile:plugin@")).unwrap();
        assert!(version.is_none_or(|v: String| package == v), "{}: one version for all", file.display());
        version = Some(package.to_owned());
        hasher.update(text.as_bytes());
    }
    let line = format!("{} {}", version.unwrap().trim_end_matches(';'), hasher.finalize().to_hex());
    let versions = std::fs::read_to_string(dir.join("VERSIONS")).unwrap();
    assert!(versions.lines().any(|known| known == line), "sdk/wit/VERSIONS lacks: {line}");
}
