//! Every seed, and every input that once broke a reader, through the targets of `fuzz/`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// The fuzzer's limit of 10 s is for a sanitized build; here each has to be quick, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(5);

fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let root =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../fuzz").join(kind).join(target);
    let entries = std::fs::read_dir(root).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    files
}

#[test]
fn nothing_that_once_broke_a_reader_breaks_it_again() {
    for (name, target) in targets::TARGETS {
        let seeds = inputs("seeds", name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for file in seeds.into_iter().chain(inputs("regressions", name)) {
            println!("{}", file.display());
            let began = Instant::now();
            target(&std::fs::read(&file).unwrap());
            assert!(began.elapsed() < LIMIT, "{} took {:?}", file.display(), began.elapsed());
        }
    }
}

/// A target whose binary, seeds or regressions go by another name would never run.
#[test]
fn every_target_is_a_binary_and_every_folder_a_target() {
    let fuzz = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../fuzz");
    let names = |folder: &str| {
        let entries = std::fs::read_dir(fuzz.join(folder)).into_iter().flatten();
        let stem = |e: std::io::Result<std::fs::DirEntry>| {
            e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
        };
        entries.map(stem).filter(|name| !name.starts_with('.')).collect::<std::collections::BTreeSet<_>>()
    };
    let targets: std::collections::BTreeSet<_> =
        targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["fuzz_targets", "seeds", "dict"] {
        assert_eq!(names(folder), targets, "fuzz/{folder}");
    }
    assert!(names("regressions").is_subset(&targets));
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let readme = std::fs::read_to_string(fuzz.join("README.md")).unwrap();
    for name in &targets {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")) && readme.contains(&format!("`{name}`")),
            "{name}"
        );
    }
}

/// The seeds lead the fuzzer into the readers only where the readers take them.
#[test]
fn seeds_are_good_input() {
    use campanile_formats::{EpwError, epw, esri_ascii, geotiff};
    let each = |target: &str, good: &dyn Fn(&[u8]) -> bool| {
        for file in inputs("seeds", target) {
            assert!(good(&std::fs::read(&file).unwrap()), "{}", file.display());
        }
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    each("geotiff", &|b| geotiff::read(b).is_ok());
    each("esri_ascii", &|b| esri_ascii::read(&text(b)).is_ok());
    each("epw", &|b| matches!(epw::read(&text(b)), Err(EpwError::RowCount { .. })));
    each("frame", &|b| campanile_protocol::DataFrame::decode(b).is_ok());
    each("osm", &|b| campanile_import::osm::import(b, &Default::default()).is_ok());
    each("sparkplug", &|b| campanile_gateway::sparkplug::Payload::decode(b).is_ok());
    each("drill", &|b| targets::drill_is_taken(&text(b)));
    each("plugin_manifest", &|b| targets::manifest_is_taken(&text(b)));
    each("plugin_package", &targets::package_is_taken);
    each("layer", &|b| targets::frames_taken(b) == 6);
    each("message", &|b| campanile_protocol::ClientMessage::decode(&text(b)).is_ok());
}
