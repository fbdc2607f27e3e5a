//! `campanile plugin` as its users meet it: from `new` to a signed package, and on a running hub.
//!
//! The plugin is in C and is built here; where clang or wasm-ld are missing, these tests say so and skip.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::{Hub, campanile, demo};
use serde_json::Value as Json;

fn plugin(dir: &Path, args: &[&str]) -> Output {
    let cache = dir.join("cache");
    campanile().arg("plugin").args(args).current_dir(dir).env("XDG_CACHE_HOME", cache).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command printed, where it ended as it should.
fn done(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn json(output: Output) -> Json {
    serde_json::from_str(&done(output)).unwrap()
}

/// The exit code and what was said, where a command failed.
fn failed(output: Output) -> (i32, String) {
    let code = output.status.code().unwrap();
    assert_ne!(code, 0, "{}", text(&output.stdout));
    (code, text(&output.stdout) + &text(&output.stderr))
}

fn has_clang() -> bool {
    let runs = |tool: &str| std::process::Command::new(tool).arg("--version").output().is_ok();
    let has = runs("clang") && runs("wasm-ld");
    if !has {
        println!("skipped: clang or wasm-ld is missing");
    }
    has
}

#[test]
fn every_command_has_help_with_an_example() {
    let dir = tempfile::tempdir().unwrap();
    let commands: &[&[&str]] = &[
        &["new"],
        &["build"],
        &["check"],
        &["test"],
        &["bench"],
        &["pack"],
        &["key"],
        &["key", "new"],
        &["key", "show"],
        &["sign"],
        &["inspect"],
        &["install"],
        &["approve"],
        &["list"],
        &["logs"],
        &["set"],
        &["stop"],
        &["start"],
        &["remove"],
        &["rollback"],
        &["trust"],
        &["trust", "list"],
        &["trust", "add"],
        &["trust", "remove"],
    ];
    for command in commands {
        let help = done(plugin(dir.path(), &[*command, &["--help"]].concat()));
        assert!(help.contains("Example"), "{command:?}: {help}");
    }
    let all = done(plugin(dir.path(), &["--help"]));
    for command in commands.iter().filter(|command| command.len() == 1) {
        assert!(all.contains(command[0]), "{command:?}");
    }
}

#[test]
fn a_plugin_is_begun_in_each_language_and_never_over_another() {
    let dir = tempfile::tempdir().unwrap();
    for (lang, source) in [
        ("rust", "src/lib.rs"),
        ("c", "plugin.c"),
        ("python", "app.py"),
        ("js", "index.js"),
        ("rhai", "main.rhai"),
    ] {
        for kind in ["rule", "activity", "drill"] {
            let name = format!("{lang}-{kind}");
            let made = json(plugin(dir.path(), &["new", &name, "--lang", lang, "--kind", kind, "--json"]));
            assert_eq!(made["id"], name);
            for file in ["plugin.toml", source] {
                assert!(dir.path().join(&name).join(file).is_file(), "{name}: {file}");
            }
        }
    }
    let said = done(plugin(dir.path(), &["new", "air", "--lang", "c"]));
    assert!(said.contains("cd air") && said.contains("campanile plugin test"), "{said}");
    let (code, said) = failed(plugin(dir.path(), &["new", "air", "--lang", "c"]));
    assert!(code == 2 && said.contains("is there already") && said.contains("mend"), "{said}");
    let (code, said) = failed(plugin(dir.path(), &["new", "Fresh Air", "--lang", "c"]));
    assert!(code == 2 && said.contains("--id"), "{said}");
    let (_, said) = failed(plugin(dir.path(), &["new", "air", "--lang", "c", "--locale", "zh-CN"]));
    assert!(said.contains("已存在"), "{said}");
    let (code, said) = failed(plugin(dir.path(), &["check", "nothing"]));
    assert!(code == 2 && said.contains("nothing") && said.contains("plugin new"), "{said}");
}

/// A plugin from its template, built.
fn air(dir: &Path) -> PathBuf {
    done(plugin(dir, &["new", "air", "--lang", "c", "--en", "Air", "--zh", "空气"]));
    let built = json(plugin(dir, &["build", "air", "--json"]));
    assert!(built["bytes"].as_u64().unwrap() > 1000);
    dir.join("air")
}

#[test]
fn from_a_template_to_a_signed_package() {
    if !has_clang() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let (code, said) = {
        done(plugin(dir, &["new", "unbuilt", "--lang", "c"]));
        failed(plugin(dir, &["check", "unbuilt"]))
    };
    assert!(code == 1 && said.contains("not-built") && said.contains("campanile plugin build"), "{said}");
    air(dir);
    let checked = json(plugin(dir, &["check", "air", "--json"]));
    assert_eq!((&checked["errors"], &checked["warnings"]), (&0.into(), &0.into()), "{checked:#}");
    let tested = json(plugin(dir, &["test", "air", "--coverage-required", "--json"]));
    assert_eq!(tested["failed"], 0, "{tested:#}");
    assert!(tested["coverage"].as_array().unwrap().iter().all(|item| item["used"] == true), "{tested:#}");

    // Broken on purpose: said with its line, exit code 1.
    let scenario = dir.join("air/tests/first.toml");
    let good = std::fs::read_to_string(&scenario).unwrap();
    std::fs::write(&scenario, good.replace("count = 1", "count = 7")).unwrap();
    let (code, said) = failed(plugin(dir, &["test", "air"]));
    assert!(code == 1 && said.contains("first.toml:") && said.contains("7 times"), "{said}");
    let (_, said) = failed(plugin(dir, &["test", "air", "--locale", "zh-CN"]));
    assert!(said.contains("7 次"), "{said}");
    std::fs::write(&scenario, good.replace("[[expect]]", "[[expext]]")).unwrap();
    let (_, said) = failed(plugin(dir, &["test", "air"]));
    assert!(said.contains("Did you mean 'expect'?"), "{said}");
    std::fs::write(&scenario, good).unwrap();
    let said = done(plugin(dir, &["test", "air", "--only", "first", "--update"]));
    assert!(said.contains("first.snap"), "{said}");
    assert!(dir.join("air/tests/first.snap").is_file());

    let packed = json(plugin(dir, &["pack", "air", "--json"]));
    let file = packed["file"].as_str().unwrap().to_owned();
    assert_eq!(file, "air-0.1.0.cpk");
    json(plugin(dir, &["pack", "air", "-o", "again.cpk", "--json"]));
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert_eq!(read(&file), read("again.cpk"), "the same content gives the same bytes");

    let key = json(plugin(dir, &["key", "new", "maker.key", "--name", "Tinglan", "--json"]));
    let (code, said) = failed(plugin(dir, &["key", "new", "maker.key", "--name", "Tinglan"]));
    assert!(code == 2 && said.contains("never overwritten"), "{said}");
    assert_eq!(json(plugin(dir, &["key", "show", "maker.key", "--json"]))["key"], key["key"]);
    done(plugin(dir, &["sign", &file, "--key", "maker.key"]));
    let seen = json(plugin(dir, &["inspect", &file, "--json"]));
    assert_eq!(seen["signature"]["key"], key["key"]);
    assert_eq!(seen["hash"], packed["hash"], "a signature is no content");
    assert!(seen["costs"]["calls"].as_array().is_some_and(|calls| !calls.is_empty()), "{seen:#}");
    let said = done(plugin(dir, &["inspect", &file]));
    assert!(said.contains("commands") && said.contains("控制"), "{said}");

    // A package whose content was changed afterwards says so.
    let mut cut = read(&file);
    cut.truncate(cut.len() / 2);
    std::fs::write(dir.join("cut.cpk"), cut).unwrap();
    let (code, said) = failed(plugin(dir, &["inspect", "cut.cpk"]));
    assert!(code == 2 && said.contains("campanile plugin pack"), "{said}");
}

#[test]
fn a_hub_that_is_not_there_is_said_with_exit_code_three() {
    let dir = tempfile::tempdir().unwrap();
    let (code, said) = failed(plugin(dir.path(), &["list", "--hub", "http://127.0.0.1:9"]));
    assert!(code == 3 && said.contains("mend"), "{said}");
}

/// On a running hub: trusted, installed, approved, read, stopped, upgraded, rolled back, removed.
#[test]
fn a_hub_takes_a_package_and_gives_it_up_again() {
    if !has_clang() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    air(dir);
    let version = |version: &str| {
        let file = dir.join("air/plugin.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(|line| match line.starts_with("version = ") {
            true => format!("version = \"{version}\"\n"),
            false => format!("{line}\n"),
        });
        std::fs::write(file, lines.collect::<String>()).unwrap();
        json(plugin(dir, &["pack", "air", "--json"]))["file"].as_str().unwrap().to_owned()
    };
    let (first, second) = (version("0.1.0"), version("0.2.0"));
    let key = json(plugin(dir, &["key", "new", "maker.key", "--name", "Tinglan", "--json"]));
    done(plugin(dir, &["sign", &first, "--key", "maker.key"]));

    let hub = Hub::of(&demo(), &dir.join("data"));
    let at = |args: &[&str]| plugin(dir, &[args, &["--hub", &hub.api]].concat());
    assert!(done(at(&["list"])).contains("no plugins"));
    let (code, said) = failed(at(&["install", &first]));
    assert!(code == 2 && said.contains("trust"), "{said}");
    let public = key["key"].as_str().unwrap();
    done(at(&["trust", "add", "Tinglan", public]));
    assert!(done(at(&["trust", "list"])).contains(public));
    let said = done(at(&["install", &first]));
    assert!(said.contains("Tinglan") && said.contains("commands") && said.contains("控制"), "{said}");
    done(at(&["approve", "air", "--set", "limit_ppm=900"]));
    let listed = json(at(&["list", "--json"]));
    let is = |listed: &Json| listed["plugins"][0]["state"]["is"].as_str().unwrap().to_owned();
    assert_eq!((is(&listed).as_str(), &listed["plugins"][0]["version"]), ("working", &"0.1.0".into()));
    let limit = listed["plugins"][0]["settings"].as_array().unwrap().iter().find(|s| s["id"] == "limit_ppm");
    assert_eq!(limit.unwrap()["value"], "900");
    let said = done(at(&["list"]));
    assert!(said.contains("works") && said.contains("reads") && said.contains("读取"), "{said}");
    done(at(&["logs", "air"]));

    let (code, said) = failed(at(&["install", &second]));
    assert!(code == 2 && said.contains("signed"), "{said}");
    done(at(&["install", &second, "--unsigned", "--approve"]));
    assert_eq!(json(at(&["list", "--json"]))["plugins"][0]["version"], "0.2.0");
    done(at(&["rollback", "air"]));
    assert_eq!(json(at(&["list", "--json"]))["plugins"][0]["version"], "0.1.0");
    let (code, said) = failed(at(&["rollback", "air"]));
    assert!(code == 1 && said.contains("--version"), "{said}");
    done(at(&["stop", "air", "--reason", "tried"]));
    assert_eq!(is(&json(at(&["list", "--json"]))), "stopped");
    done(at(&["start", "air"]));
    assert_eq!(is(&json(at(&["list", "--json"]))), "working");
    done(at(&["set", "air", "limit_ppm=800"]));
    done(at(&["remove", "air@0.2.0"]));
    assert_eq!(json(at(&["list", "--json"]))["plugins"][0]["versions"].as_array().unwrap().len(), 1);
    done(at(&["remove", "air"]));
    assert!(done(at(&["list"])).contains("no plugins"));
    let (code, said) = failed(at(&["stop", "air"]));
    assert_eq!(code, 2, "{said}");
    done(at(&["trust", "remove", "Tinglan"]));
    assert!(!done(at(&["trust", "list"])).contains(public));
}
