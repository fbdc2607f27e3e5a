//! The same probe in each language, told to do one thing after another: every capability, every denial, every failure.
//!
//! The components are built by `scripts/guests.sh`; where they are missing, these tests say so and skip.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use campanile_model::{Quality, Sample, Timestamp, Value};
use campanile_plugins::{Budget, Call, Effects, Failure, Health, Outcome, Runtime, Saved, Seat};
use common::{NOW, Probe, answers, campus, root};

const SETPOINT: &str = "teaching-a/2f/203/ac/setpoint";

fn probes() -> Vec<Probe> {
    common::probes("probe")
}

fn manifest() -> campanile_plugins::Manifest {
    common::manifest("sdk/probe")
}

struct Ground(common::Ground);

impl Ground {
    fn new(probe: &Probe) -> Self {
        Self(common::Ground::of(probe))
    }

    fn seat(&self, mode: &str, target: &str, budget: Budget) -> Seat {
        self.0.seat(&[("mode", mode), ("target", target)], budget)
    }

    fn call(&self, seat: &mut Seat) -> Outcome {
        let point = campus().point_id(SETPOINT).unwrap();
        let sample = Sample { point, time: NOW, value: Value::Number(24.0), quality: Quality::Good };
        seat.call(&Call::Samples([sample].into()), &self.0.around)
    }
}

/// Each mode that ends well, what the probe is answered, and what has been done then.
#[test]
fn every_capability_and_every_denial_is_the_same_in_each_language() {
    type Check = fn(&Effects) -> bool;
    let nothing: Check = Effects::is_empty;
    let table: &[(&str, &str, &str, Check)] = &[
        ("echo", "", "ok", |e| e.derived == [(0, "".into(), Value::Number(24.0), Quality::Good)]),
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
    for probe in probes() {
        let language = probe.language;
        let ground = Ground::new(&probe);
        for (mode, target, expected, check) in table {
            for budget in [Budget::Deadline, Budget::Fuel] {
                let mut seat = ground.seat(mode, target, budget);
                let outcome = ground.call(&mut seat);
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

/// Values of all kinds and qualities, more than go over at once, come as they were given, each in its place.
#[test]
fn samples_of_all_kinds_come_as_they_were_given_in_each_language() {
    let campus = campus();
    let values = |n: usize| match n % 5 {
        0 | 3 => Value::Number(n as f64),
        1 => Value::Bool(n.is_multiple_of(2)),
        2 => Value::Choice((n % 3) as u16),
        _ => Value::Text("x".repeat(n % 7).into()),
    };
    let qualities = [Quality::Good, Quality::Uncertain, Quality::Bad, Quality::Stale];
    let samples: Vec<Sample> = (0..200)
        .map(|n| Sample {
            point: campus.points[n].id,
            time: Timestamp(NOW.0 + n as i64),
            value: values(n),
            quality: qualities[n % 4],
        })
        .collect();
    let one = |(n, sample): (usize, &Sample)| {
        let value = match &sample.value {
            Value::Number(number) => *number as usize,
            Value::Bool(yes) => 10 + usize::from(*yes),
            Value::Choice(index) => 20 + usize::from(*index),
            Value::Text(text) => 30 + text.len(),
        };
        (n + 1) * (n % 4 + 1 + value)
    };
    let sum: usize = samples.iter().enumerate().map(one).sum();
    for probe in probes() {
        let ground = Ground::new(&probe);
        let mut seat = ground.seat("sum", "", Budget::Fuel);
        // Twice, since the lists are kept from call to call.
        for _ in 0..2 {
            let outcome = seat.call(&Call::Samples(samples.clone().into()), &ground.0.around);
            assert_eq!(answers(&outcome), [format!("ok {sum}")], "{}: {outcome:?}", probe.language);
        }
    }
}

/// Ten thousand lines: two hundred are kept, and how many are not is said.
#[test]
fn a_flood_of_lines_ends_in_a_count() {
    for probe in probes() {
        let language = probe.language;
        let ground = Ground::new(&probe);
        let outcome = ground.call(&mut ground.seat("flood-logs", "", Budget::Fuel));
        assert_eq!((outcome.failure, outcome.log.len()), (None, 201), "{language}");
        assert!(outcome.log[200].text.starts_with("9800 lines"), "{language}: {}", outcome.log[200].text);
    }
}

/// How a call fails.
type Fails = fn(&Failure) -> bool;

const DEADLINE: Fails = |failure| *failure == Failure::Deadline;
const HOST_CALLS_FUEL_OR_DEADLINE: Fails =
    |failure| matches!(failure, Failure::HostCalls | Failure::Fuel | Failure::Deadline);
const HOST_BYTES_FUEL_OR_DEADLINE: Fails =
    |failure| matches!(failure, Failure::HostBytes | Failure::Fuel | Failure::Deadline);
const TRAP_OR_DEADLINE: Fails = |failure| matches!(failure, Failure::Trap { .. } | Failure::Deadline);
const FUEL: Fails = |failure| *failure == Failure::Fuel;
const HOST_CALLS: Fails = |failure| *failure == Failure::HostCalls;
const HOST_BYTES: Fails = |failure| *failure == Failure::HostBytes;
const TRAP: Fails = |failure| matches!(failure, Failure::Trap { .. });
const TRAP_OR_STACK: Fails = |failure| matches!(failure, Failure::Trap { .. } | Failure::Stack);
const HOST_CALLS_OR_DEADLINE: Fails = |failure| matches!(failure, Failure::HostCalls | Failure::Deadline);
const HOST_CALLS_OR_TRAP: Fails = |failure| matches!(failure, Failure::HostCalls | Failure::Trap { .. });
const IN_WORDS: Fails =
    |failure| matches!(failure, Failure::Start { why } if why.contains("probe: trap-start"));

/// How a mode fails, live and in a rehearsal; with those languages where it is another way, and why.
struct Row(&'static str, Fails, Fails, &'static [(&'static str, Fails, &'static str)]);

const FAILURES: &[Row] = &[
    Row(
        "loop",
        DEADLINE,
        FUEL,
        &[("rhai", TRAP, "its interpreter counts its own steps, and says in which line it was")],
    ),
    Row(
        "host-loop",
        HOST_CALLS_OR_DEADLINE,
        HOST_CALLS,
        &[
            ("rhai", HOST_CALLS_OR_TRAP, "whichever it has used up first: its steps or its calls"),
            (
                "js",
                HOST_CALLS_FUEL_OR_DEADLINE,
                "a call of the host takes it so much work that this ends first",
            ),
        ],
    ),
    Row(
        "huge-batch",
        HOST_BYTES,
        HOST_BYTES,
        &[
            (
                "rhai",
                TRAP_OR_DEADLINE,
                "its arrays end before: at 20,000 entries, or on a busy machine its time is over",
            ),
            (
                "python",
                HOST_BYTES_FUEL_OR_DEADLINE,
                "on a busy machine it has not made the batch when its time is over",
            ),
            ("js", HOST_BYTES_FUEL_OR_DEADLINE, "as Python"),
        ],
    ),
    Row("trap", TRAP, TRAP, &[]),
    Row(
        "trap-start",
        TRAP,
        TRAP,
        &[
            ("python", IN_WORDS, "an interpreter lives on, and can say what it was"),
            ("js", IN_WORDS, "the same"),
            ("rhai", IN_WORDS, "the same"),
        ],
    ),
    Row("trap-mid-command", TRAP, TRAP, &[]),
    Row("panic", TRAP, TRAP, &[]),
    Row("recursion", TRAP_OR_STACK, TRAP_OR_STACK, &[]),
];

/// Each way to fail, what it is called, live and in a rehearsal; and nothing has been done.
#[test]
fn every_failure_is_contained_undoes_the_call_and_rests_the_plugin() {
    for probe in probes() {
        let language = probe.language;
        let ground = Ground::new(&probe);
        for Row(mode, live, rehearsed, other) in FAILURES {
            let other = other.iter().find(|(of, ..)| *of == language).map(|(_, fails, _)| fails);
            for (budget, expected) in [(Budget::Deadline, live), (Budget::Fuel, rehearsed)] {
                let mut seat = ground.seat(mode, "", budget);
                let outcome = ground.call(&mut seat);
                let place = format!("{language}, {mode}, {budget:?}: {outcome:?}");
                let failure = outcome.failure.as_ref().unwrap_or_else(|| panic!("{place}"));
                assert!(other.unwrap_or(expected)(failure), "{place}");
                assert!(outcome.effects.is_empty(), "{place}");
                assert!(matches!(seat.saved().health, Health::Quarantined { .. }), "{place}");
                assert!(!seat.is_callable(NOW), "{place}");
                // While it rests nothing happens; what it said before it failed is kept.
                assert_eq!(ground.call(&mut seat), Outcome::default(), "{place}");
                let said = |words: &str| outcome.log.iter().any(|line| line.text.contains(words));
                if *mode == "panic" {
                    assert!(said("probe: panic"), "{place}");
                }
                // Where it was, an interpreter can say; Rust's standard hook says where a panic was.
                let lines =
                    [("python", "app.py:"), ("js", "index.js:"), ("rhai", "main.rhai:"), ("rust", "lib.rs:")];
                if let Some((_, file)) = lines.iter().find(|(of, _)| *of == language && *mode == "panic") {
                    assert!(said(file), "{place}");
                }
            }
        }
    }
}

/// The instance is thrown away between any two calls, and nothing is different.
#[test]
fn what_a_plugin_remembers_is_in_its_store_alone() {
    for probe in probes() {
        let ground = Ground::new(&probe);
        let mut kept = ground.seat("store", "", Budget::Fuel);
        let mut thrown = ground.seat("store", "", Budget::Fuel);
        for n in 1..=5 {
            let answer = answers(&ground.call(&mut kept));
            assert_eq!(answer, [format!("ok {n}")]);
            assert_eq!(answers(&ground.call(&mut thrown)), answer);
            thrown.forget_instance();
        }
        assert_eq!(kept.saved(), thrown.saved());
        // A fork remembers, and goes its own way; so does what was kept as text and read again.
        let mut fork = kept.fork(Budget::Fuel);
        assert_eq!(answers(&ground.call(&mut fork)), ["ok 6"]);
        assert_eq!(answers(&ground.call(&mut kept)), ["ok 6"]);
        let text = serde_json::to_string(kept.saved()).unwrap();
        assert_eq!(&serde_json::from_str::<Saved>(&text).unwrap(), kept.saved());
    }
}

/// A call that takes all the memory it may is refused more, and goes on. A script of Rhai can't be told: it is ended.
#[test]
fn memory_ends_where_the_manifest_says() {
    for probe in probes() {
        let language = probe.language;
        let ground = Ground::new(&probe);
        let mut seat = ground.seat("memory", "", Budget::Fuel);
        let outcome = ground.call(&mut seat);
        if language == "rhai" {
            assert!(matches!(outcome.failure, Some(Failure::Trap { .. })), "{language}: {outcome:?}");
            continue;
        }
        assert_eq!(outcome.failure, None, "{language}: {outcome:?}");
        assert_eq!(answers(&outcome), ["refused"], "{language}");
    }
}

/// Failures in a row: longer and longer rests, then down until a person acts. What it commands is let go.
#[test]
fn a_plugin_that_fails_rests_longer_each_time_and_then_stays_down() {
    let Some(probe) = probes().into_iter().next() else { return };
    let mut ground = Ground::new(&probe);
    let mut seat = ground.seat("trap-mid-command", "", Budget::Fuel);
    // It has commanded before.
    let commanded = ground.call(&mut ground.seat("command", "", Budget::Fuel));
    let mut world = ground.0.around.world.fork();
    for intent in &commanded.effects.intents {
        world.intend(intent, &mut Vec::new()).unwrap();
    }
    ground.0.around.world = Arc::new(world);
    for rest_s in [5, 10, 20, 40] {
        let outcome = ground.call(&mut seat);
        assert!(outcome.failure.is_some());
        assert_eq!(
            outcome.effects.intents.len(),
            1,
            "it lets go of what it commands, and has not commanded again"
        );
        assert_eq!(outcome.effects.intents[0].value, None);
        let until = ground.0.around.world.now().plus_micros(rest_s * Timestamp::SECOND);
        assert_eq!(seat.saved().health, Health::Quarantined { until });
        ground.0.later(rest_s - 1);
        assert!(!seat.is_callable(ground.0.around.world.now()));
        ground.0.later(1);
        assert!(seat.is_callable(ground.0.around.world.now()));
    }
    assert!(ground.call(&mut seat).failure.is_some());
    assert_eq!(seat.saved().health, Health::Down);
    ground.0.later(1_000_000);
    assert!(!seat.is_callable(ground.0.around.world.now()));
    seat.revive();
    assert!(seat.is_callable(ground.0.around.world.now()));
}

/// What was compiled is found again by the next start; a changed file, or one of another's key, is compiled anew.
#[test]
fn nothing_is_loaded_but_what_this_hub_compiled() {
    let Some(probe) = probes().into_iter().next() else { return };
    let dir = tempfile::tempdir().unwrap();
    let compile = |dir: &Path| Runtime::new(Some(dir)).unwrap().compile(&manifest(), &probe.bytes).unwrap();
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
