//! The recipes of `docs/plugins/cookbook.md`, in Rust and as scripts: each passes its scenarios, and uses all that its
//! manifest asks for.
//!
//! Components and interpreters are built by `scripts/guests.sh`; where they are missing, these tests say so and skip.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use campanile_kit::{Grounds, Plugin, Source, Workshop, check, test};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder into which `scripts/guests.sh` builds.
fn built() -> PathBuf {
    let target = || std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::env::var_os("CAMPANILE_PLUGINS").map_or_else(|| target().join("plugins"), PathBuf::from)
}

fn recipes() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("examples/plugins")).unwrap().map(|entry| entry.unwrap().path());
    let mut recipes: Vec<PathBuf> = folders.filter(|dir| dir.join("plugin.toml").is_file()).collect();
    recipes.sort();
    recipes
}

/// The plugin in a folder passes its check and its scenarios, and leaves nothing unused that it asks for.
fn passes(dir: &Path, workshop: &Workshop) {
    let source = Source::open(dir).unwrap();
    let grounds = Grounds::new(root().join("scenes/shanghai-school"));
    let checked = check(&source, &grounds.plain(None).unwrap(), workshop);
    let wrong: Vec<_> =
        checked.findings.iter().map(|f| format!("{} {}", f.whereabouts(), f.what.en)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let plugin = Plugin::load(&source, workshop).unwrap();
    let suite = test(&source, &plugin, &grounds, None, false, &mut |_| {});
    for tested in &suite.scenarios {
        let failed: Vec<_> = tested.verdicts.iter().filter(|verdict| !verdict.kept).collect();
        assert!(tested.passed(), "{}: {failed:#?} {:?} {:?}", tested.id, tested.findings, tested.forgetful);
    }
    let unused: Vec<_> = suite.coverage.unused().map(|item| &item.names.en).collect();
    assert!(unused.is_empty(), "no scenario uses {unused:?}");
}

/// A folder with manifest and scenarios of a recipe, and a body.
fn folder(recipe: &Path, more: &str, body: &str, bytes: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let manifest = fs::read_to_string(recipe.join("plugin.toml")).unwrap();
    fs::write(dir.path().join("plugin.toml"), manifest + more).unwrap();
    fs::write(dir.path().join(body), bytes).unwrap();
    fs::create_dir(dir.path().join("tests")).unwrap();
    for scenario in fs::read_dir(recipe.join("tests")).unwrap() {
        let scenario = scenario.unwrap();
        fs::copy(scenario.path(), dir.path().join("tests").join(scenario.file_name())).unwrap();
    }
    dir
}

#[test]
fn each_recipe_passes_in_rust() {
    let workshop = Workshop::new(None).unwrap();
    for recipe in recipes() {
        let name = recipe.file_name().unwrap().to_string_lossy().into_owned();
        let component = built().join(format!("examples/{name}.wasm"));
        let Ok(bytes) = fs::read(&component) else {
            println!("skipped: {} is missing (built by scripts/guests.sh)", component.display());
            continue;
        };
        println!("{name} in Rust");
        passes(folder(&recipe, "", "plugin.wasm", &bytes).path(), &workshop);
    }
}

#[test]
fn each_recipe_passes_as_a_script() {
    if std::env::var_os("CAMPANILE_PLUGINS").is_none() || !built().join("rhai-rule.wasm").is_file() {
        println!(
            "skipped: there is no rhai-rule.wasm (built by scripts/guests.sh; CAMPANILE_PLUGINS names its folder)"
        );
        return;
    }
    // What interprets them is compiled once.
    let cache = tempfile::tempdir().unwrap();
    let workshop = Workshop::new(Some(cache.path())).unwrap();
    for recipe in recipes() {
        println!("{} as a script", recipe.display());
        let script = fs::read(recipe.join("main.rhai")).unwrap();
        let more = "\n[script]\ninterpreter = \"rhai\"\nfile = \"main.rhai\"\n";
        passes(folder(&recipe, more, "main.rhai", &script).path(), &workshop);
    }
}
