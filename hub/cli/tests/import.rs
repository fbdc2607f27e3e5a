//! From a map and a list to a campus that is shown, with the built command: what docs/import.md promises.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn campanile(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_campanile")).args(args).output().unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

/// What a command prints with `--json`, where it succeeds.
fn json(args: &[&str]) -> Value {
    let out = campanile(args);
    assert!(out.status.success(), "{args:?}: {}", said(&out));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn files_of(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|f| f.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn map() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hill-school.osm")
}

/// Import, check and scene: what each says as JSON, with the folder's files beside it.
fn whole_way(map: &Path, dir: &Path) -> (Value, Value, Value) {
    let (map, out) = (map.to_str().unwrap(), dir.to_str().unwrap());
    let made = json(&["import", "osm", map, "--out", out, "--rooms", "auto", "--json"]);
    let checked = json(&["check", out, "--json"]);
    let scene = json(&["scene", "build", out, "--json"]);
    assert_eq!(files_of(dir), ["campus.glb", "campus.toml", "plan.json", "terrain.tif"]);
    assert_eq!(checked["errors"], 0, "{checked}");
    let glb = std::fs::read(dir.join("campus.glb")).unwrap();
    assert!(glb.starts_with(b"glTF") && glb.len() > 10_000, "{} bytes", glb.len());
    (made, checked, scene)
}

#[test]
fn a_map_becomes_a_campus_with_a_scene() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("hill");
    let (made, checked, _) = whole_way(&map(), &dir);
    assert_eq!(made["names"]["en"], "Hill School");
    assert_eq!(
        (&made["counts"]["buildings"], &made["timezone"]),
        (&6.into(), &"Asia/Shanghai".into()),
        "{made}"
    );
    assert_eq!(made["findings"]["counts"]["no-area"], 1);
    assert_eq!(made["findings"]["counts"]["missing-node"], 1);
    assert_eq!(checked["warnings"], 0, "{checked}");
    let toml = std::fs::read_to_string(dir.join("campus.toml")).unwrap();
    for name in
        ["求是楼", "Truth Hall", "2号教学楼", "Teaching building 2", "体育馆", "© OpenStreetMap contributors"]
    {
        assert!(toml.contains(name), "{name} isn't in\n{toml}");
    }

    // Nothing is overwritten unless it is said so, and the same map gives the same bytes.
    let (file, out) = (map(), dir.to_str().unwrap().to_owned());
    let again = ["import", "osm", file.to_str().unwrap(), "--out", &out, "--rooms", "auto"];
    let refused = campanile(&again);
    assert!(refused.status.code() == Some(2) && said(&refused).contains("--force"), "{}", said(&refused));
    let before = std::fs::read(dir.join("plan.json")).unwrap();
    let forced = campanile(&[&again[..], &["--force"]].concat());
    assert!(forced.status.success());
    assert_eq!(std::fs::read(dir.join("plan.json")).unwrap(), before);
    // A person gets one line for each kind of note.
    let text = String::from_utf8_lossy(&forced.stderr).into_owned();
    let notes: Vec<&str> = text.lines().filter(|l| l.starts_with("note[")).collect();
    let mut codes: Vec<&str> = notes.iter().filter_map(|l| l.split(']').next()).collect();
    codes.dedup();
    assert!(codes.len() == notes.len() && notes.len() == 2, "{text}");
}

#[test]
fn a_list_of_points_is_added_to_what_was_imported() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("hill");
    whole_way(&map(), &dir);
    let out = dir.to_str().unwrap();
    let before = std::fs::read_to_string(dir.join("campus.toml")).unwrap();
    let list = scratch.path().join("points.csv");

    // The example that the command prints for this campus can be used as it is.
    let example = campanile(&["import", "points", "--template", "--campus", out]);
    assert!(example.status.success(), "{}", said(&example));
    std::fs::write(&list, &example.stdout).unwrap();
    let list = list.to_str().unwrap();
    let tried = json(&["import", "points", list, "--campus", out, "--dry-run", "--json"]);
    assert_eq!((&tried["added"], &tried["written"]), (&3.into(), &false.into()), "{tried}");
    assert_eq!(std::fs::read_to_string(dir.join("campus.toml")).unwrap(), before);
    let added = json(&["import", "points", list, "--campus", out, "--json"]);
    assert_eq!(added["added"], 3, "{added}");
    let checked = json(&["check", out, "--json"]);
    assert_eq!((&checked["errors"], &checked["campus"]["points"]), (&0.into(), &3.into()), "{checked}");

    // A list with a fault changes nothing.
    let now = std::fs::read(dir.join("campus.toml")).unwrap();
    std::fs::write(list, "entity,kind\nnowhere/1f/101,temperature\ntruth-hall,nothing\n").unwrap();
    let refused = campanile(&["import", "points", list, "--campus", out]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("points.csv:2") && said(&refused).contains("points.csv:3"),
        "{}",
        said(&refused)
    );
    assert_eq!(std::fs::read(dir.join("campus.toml")).unwrap(), now);
}

#[test]
fn what_cannot_be_imported_is_said_with_its_mend_and_leaves_no_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("map.osm");
    let out = scratch.path().join("out");
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"\x00\x00\x00\x0d\x0a\x09OSMHeader", "PBF"),
        (b"{\"elements\": []}", "JSON"),
        (b"<osm version=\"0.6\"><node id=\"1\" lat=\"1\"", "cut short"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let tried = campanile(&["import", "osm", file.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        let text = said(&tried);
        assert!(tried.status.code() == Some(2) && text.contains(word), "{word}: {text}");
        assert!(!out.exists(), "{word}");
    }
    let missing = campanile(&["import", "osm", "/nowhere.osm", "--out", out.to_str().unwrap()]);
    assert!(missing.status.code() == Some(2) && said(&missing).contains("/nowhere.osm"));
}

/// The maps of real schools, where there are some: `CAMPANILE_DATA/osm/*.osm`.
#[test]
fn real_maps_go_the_whole_way() {
    let data = std::env::var("CAMPANILE_DATA")
        .unwrap_or_else(|_| format!("{}/../../../shared/data", env!("CARGO_MANIFEST_DIR")));
    let found = match std::fs::read_dir(Path::new(&data).join("osm")) {
        Ok(found) => found,
        Err(why) => {
            return println!(
                "skipped: no maps in {data}/osm ({why}); set CAMPANILE_DATA to a folder with osm/*.osm"
            );
        }
    };
    let mut maps: Vec<PathBuf> = found.map(|f| f.unwrap().path()).collect();
    maps.retain(|path| path.extension().is_some_and(|e| e == "osm"));
    maps.sort();
    for map in maps {
        println!("{}", map.display());
        let scratch = tempfile::tempdir().unwrap();
        let (made, checked, scene) = whole_way(&map, &scratch.path().join("campus"));
        let floods = ["outside-boundary", "missing-name"];
        let flood = checked["problems"]
            .as_array()
            .unwrap()
            .iter()
            .find(|p| floods.contains(&p["code"].as_str().unwrap()));
        assert_eq!(flood, None);
        assert!(made["counts"]["buildings"].as_u64().unwrap() > 0, "{made}");
        assert_eq!(made["attribution"], "© OpenStreetMap contributors");
        println!("{} {scene}", made["counts"]);
    }
}
