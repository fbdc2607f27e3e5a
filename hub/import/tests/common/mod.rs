//! Maps in a few words, and what every import promises.

// Each test program uses its own share of these.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use campanile_import::osm::{Imported, Options, import};
use campanile_model::{Building, OpeningKind, Severity};

/// A metre in degrees near the equator, where the snippets lie.
pub const M: f64 = 1.0 / 111_319.5;

pub fn node(id: i64, x: f64, y: f64, tags: &str) -> String {
    format!("<node id=\"{id}\" lat=\"{:.7}\" lon=\"{:.7}\">{}</node>\n", y * M, 10.0 + x * M, tags_xml(tags))
}

/// `a=b c=d` as tags; `~` is a space.
pub fn tags_xml(tags: &str) -> String {
    tags.split_whitespace()
        .map(|t| t.split_once('=').unwrap())
        .map(|(k, v)| format!("<tag k=\"{k}\" v=\"{}\"/>", v.replace('~', " ").replace('"', "&quot;")))
        .collect()
}

pub fn way(id: i64, nodes: &[i64], tags: &str) -> String {
    let nds: String = nodes.iter().map(|n| format!("<nd ref=\"{n}\"/>")).collect();
    format!("<way id=\"{id}\">{nds}{}</way>\n", tags_xml(tags))
}

/// A closed way with its nodes, in metres.
pub fn ring(id: i64, corners: &[(f64, f64)], tags: &str) -> String {
    let first = id * 100;
    let nodes: String =
        corners.iter().enumerate().map(|(i, (x, y))| node(first + i as i64, *x, *y, "")).collect();
    let mut refs: Vec<i64> = (0..corners.len() as i64).map(|i| first + i).collect();
    refs.push(first);
    nodes + &way(id, &refs, tags)
}

pub fn rectangle(id: i64, x: f64, y: f64, w: f64, d: f64, tags: &str) -> String {
    ring(id, &[(x, y), (x + w, y), (x + w, y + d), (x, y + d)], tags)
}

pub fn osm(body: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<osm version=\"0.6\">\n{body}</osm>\n")
}

pub fn made(body: &str, rooms: bool) -> Imported {
    let found = import(osm(body).as_bytes(), &Options { rooms, ..Options::default() }).unwrap();
    sound(&found);
    found
}

/// What every import promises: the plan has no error, and the two files are a campus.
pub fn sound(found: &Imported) {
    let problems = campanile_model::check_plan(&found.plan);
    let errors: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plan.json"), serde_json::to_string(&found.plan).unwrap()).unwrap();
    std::fs::write(dir.path().join("campus.toml"), &found.campus_toml).unwrap();
    std::fs::write(
        dir.path().join("terrain.tif"),
        campanile_formats::geotiff::write(&found.terrain).unwrap(),
    )
    .unwrap();
    let loaded = campanile_model::load(dir.path());
    let errors: Vec<_> = loaded.problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", found.campus_toml);
    // Nothing outside of its own boundary, nothing without a name.
    let floods = ["outside-boundary", "missing-name"];
    let warned: Vec<_> = loaded.problems.iter().filter(|p| floods.contains(&p.code)).collect();
    assert!(warned.is_empty(), "{warned:#?}");
    let campus = loaded.campus.unwrap();
    assert_eq!(campus.attribution[0].en, "© OpenStreetMap contributors");
    for building in &found.plan.buildings {
        let lost = unreached(building);
        assert!(lost.is_empty(), "{} can't leave from {lost:?}", building.id);
    }
}

/// The spaces from which no way through doors, gaps, open edges and stairs leads to a door to the outside at the ground:
/// at level 1, or of what lies wholly below ground, at its first level.
pub fn unreached(building: &Building) -> Vec<String> {
    let key = |a: u32, b: u32| (a.min(b), a.max(b));
    let mut joined: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut all: Vec<String> = Vec::new();
    let ground = if building.storeys.iter().any(|s| s.level == 1) { 1 } else { -1 };
    for storey in &building.storeys {
        let path = |space: &str| format!("{}/{space}", storey.id);
        let mut edges: BTreeMap<(u32, u32), Vec<String>> = BTreeMap::new();
        for space in &storey.spaces {
            all.push(path(&space.id));
            for ring in std::iter::once(&space.outline).chain(&space.holes) {
                for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                    edges.entry(key(*a, *b)).or_default().push(path(&space.id));
                }
            }
        }
        let walls: BTreeSet<_> = storey.walls.iter().map(|w| key(w.a, w.b)).collect();
        let ways: BTreeSet<_> = storey
            .openings
            .iter()
            .filter(|o| matches!(o.kind, OpeningKind::Door | OpeningKind::Gap))
            .map(|o| key(o.wall[0], o.wall[1]))
            .collect();
        for (edge, spaces) in edges {
            let passable = ways.contains(&edge) || !walls.contains(&edge);
            match &spaces[..] {
                [one] if storey.level == ground && ways.contains(&edge) => {
                    reached.insert(one.clone());
                }
                [a, b] if passable => {
                    joined.entry(a.clone()).or_default().insert(b.clone());
                    joined.entry(b.clone()).or_default().insert(a.clone());
                }
                _ => {}
            }
        }
    }
    for stair in &building.stairs {
        assert!(!stair.flights.is_empty(), "{}: {} has no flight", building.id, stair.id);
        let (a, b) =
            (format!("{}/{}", stair.from, stair.space_from), format!("{}/{}", stair.to, stair.space_to));
        joined.entry(a.clone()).or_default().insert(b.clone());
        joined.entry(b).or_default().insert(a);
    }
    let mut open: Vec<String> = reached.iter().cloned().collect();
    while let Some(here) = open.pop() {
        for next in joined.get(&here).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    all.into_iter().filter(|s| !reached.contains(s)).collect()
}

pub fn codes(found: &Imported) -> Vec<(&'static str, usize)> {
    found.findings.counts.iter().map(|(k, v)| (*k, *v)).collect()
}

/// The extracts beside the checkout, or a line that says why there are none.
pub fn real(name: &str) -> Option<Vec<u8>> {
    let data = std::env::var("CAMPANILE_DATA")
        .unwrap_or_else(|_| format!("{}/../../../shared/data", env!("CARGO_MANIFEST_DIR")));
    let path = format!("{data}/osm/{name}");
    std::fs::read(&path).map_err(|why| println!("skipped: {path}: {why}; set CAMPANILE_DATA")).ok()
}
