//! The floors and invariants of the house, read from `cargo metadata`.
//!
//! Each rule has a companion that feeds it a made-up breach, so that the rules themselves are tested.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

/// The floor of every crate: a crate may depend only on crates of lower floors.
const FLOORS: &[(&str, u8)] = &[
    ("model", 1),
    ("formats", 1),
    ("flood", 1),
    ("fire", 1),
    ("crowd", 1),
    ("climate", 1),
    ("building", 1),
    ("world", 2),
    ("protocol", 2),
    ("scene", 2),
    ("devices", 2),
    ("import", 2),
    ("history", 3),
    ("gateway", 3),
    ("client", 3),
    ("plugins", 3),
    ("twin", 4),
    ("rehearsal", 4),
    ("server", 5),
    ("kit", 5),
    ("cli", 6),
    // Makes the demo campus: a tool beside the house, on the floor of what it uses.
    ("maker", 2),
    // Source to component: knows the contract alone.
    ("plugin-build", 1),
    // The suites may reach everything.
    ("tests", 9),
];

/// Engines: numbers in, numbers out.
const ENGINES: &[&str] = &["flood", "fire", "crowd", "climate", "building"];

/// A library that only the named crates may depend on, and why.
const ONLY: &[(&str, &[&str], &str)] = &[
    ("bevy", &["twin"], "only the twin knows Bevy"),
    ("bevy_egui", &["twin"], "only the twin knows Bevy"),
    ("egui_plot", &["twin"], "only the twin draws"),
    ("wasmtime", &["plugins"], "only plugins knows wasmtime"),
    ("rumqttc", &["gateway"], "only the gateway knows MQTT"),
    ("rumqttd", &["gateway"], "only the gateway knows MQTT"),
    ("rusqlite", &["history"], "only history knows a database"),
    ("rhai", &[], "Rhai lives in a guest"),
    ("web-sys", &["twin"], "only the twin runs in a page"),
    ("tokio", &["gateway", "server", "twin", "cli", "tests"], "no async runtime below the gateway"),
    ("axum", &["server"], "only the server speaks HTTP to the outside"),
];

/// The direct, normal (not dev, not build) dependencies of each of our crates, by short name.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph() -> Graph {
    let manifest = format!("{}/../Cargo.toml", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let told = std::process::Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path", &manifest])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let short = |name: &serde_json::Value| {
        let name = name.as_str().unwrap();
        name.strip_prefix("campanile-").unwrap_or(name).to_owned()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let deps = package["dependencies"].as_array().unwrap().iter();
            // Normal dependencies have no kind.
            let normal = deps.filter(|d| d["kind"].is_null());
            (short(&package["name"]), normal.map(|d| d["name"].as_str().unwrap().to_owned()).collect())
        })
        .collect()
}

fn breaches(graph: &Graph) -> Vec<String> {
    let floors: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    let mut found = Vec::new();
    for (name, deps) in graph {
        let Some(&floor) = floors.get(name.as_str()) else {
            found.push(format!("{name} has no floor: give it one in FLOORS and in docs/architecture.md"));
            continue;
        };
        for dep in deps {
            if let Some(ours) = dep.strip_prefix("campanile-") {
                if floors.get(ours).is_none_or(|&below| below >= floor) {
                    found.push(format!("{name} (floor {floor}) imports {ours}, which is not below it"));
                }
                if ENGINES.contains(&name.as_str()) {
                    found.push(format!("the engine {name} imports {ours}: engines stand alone"));
                }
                if name == "twin" && !["protocol", "client"].contains(&ours) {
                    found.push(format!(
                        "twin imports {ours}: it talks to the hub through protocol and client alone"
                    ));
                }
                if name == "rehearsal" && ours == "gateway" {
                    found.push("rehearsal imports gateway: a rehearsal must not reach a device".to_owned());
                }
            }
            for (library, allowed, why) in ONLY {
                if dep == library && !allowed.contains(&name.as_str()) {
                    found.push(format!("{name} imports {library}: {why}"));
                }
            }
        }
    }
    found
}

#[test]
fn the_house_keeps_its_floors() {
    let found = breaches(&graph());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_breach_is_seen() {
    let row = |name: &str, deps: &[&str]| {
        let deps = deps.iter().map(|d| (*d).to_owned()).collect::<BTreeSet<_>>();
        breaches(&BTreeMap::from([(name.to_owned(), deps)]))
    };
    for (name, deps, word) in [
        ("model", vec!["campanile-world"], "not below it"),
        ("world", vec!["campanile-devices"], "not below it"),
        ("flood", vec!["campanile-model"], "stand alone"),
        ("twin", vec!["campanile-model"], "through protocol and client alone"),
        ("rehearsal", vec!["campanile-gateway"], "must not reach a device"),
        ("server", vec!["bevy"], "only the twin"),
        ("world", vec!["tokio"], "no async runtime"),
        ("server", vec!["rusqlite"], "only history"),
        ("attic", vec![], "has no floor"),
    ] {
        let found = row(name, &deps);
        assert!(found.iter().any(|f| f.contains(word)), "{name} {deps:?}: {found:?}");
    }
    assert!(row("world", &["campanile-model", "serde"]).is_empty());
}

#[test]
fn engines_and_models_read_no_clock_and_open_no_socket() {
    // The pure crates: the same inputs must give the same state on every machine.
    for room in ["model", "world", "scene", "devices", "formats", "import"] {
        for file in rust_files(&format!("{}/../hub/{room}/src", std::env::var("CARGO_MANIFEST_DIR").unwrap()))
        {
            let text = std::fs::read_to_string(&file).unwrap();
            for banned in ["SystemTime::now", "std::net::", "thread_rng", "rand::rng()"] {
                assert!(!text.contains(banned), "{} uses {banned}", file.display());
            }
            // Benches may read a stopwatch; nothing else may.
            if !file.ends_with("bench.rs") {
                assert!(!text.contains("Instant::now"), "{} uses Instant::now", file.display());
            }
        }
    }
}

fn rust_files(dir: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![std::path::PathBuf::from(dir)];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found
}
