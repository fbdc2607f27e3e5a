//! `campanile plugin new` and `build`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campanile_plugin_build::{Built, Kind as ProjectKind, Language, Project, imports};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Desk, open, print_json, size};
use crate::failure::Failure;

/// The component that `build` makes.
const COMPONENT: &str = "plugin.wasm";

#[derive(Args)]
pub struct NewArgs {
    /// The folder to make.
    name: PathBuf,
    /// The language to write it in.
    #[arg(long, value_enum)]
    lang: Lang,
    /// What it is: a rule (automation), an activity (learning), or the director of a drill.
    #[arg(long, value_enum, default_value = "rule")]
    kind: Kind,
    /// Its id: lower-case letters, digits and '-'; the name of the folder where left out.
    #[arg(long)]
    id: Option<String>,
    /// Its name in Simplified Chinese; the id where left out.
    #[arg(long)]
    zh: Option<String>,
    /// Its name in English; the id where left out.
    #[arg(long)]
    en: Option<String>,
    /// Print the files that were made as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    Rust,
    C,
    Python,
    Js,
    Rhai,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Rule,
    Activity,
    Drill,
}

#[derive(Args)]
pub struct BuildArgs {
    /// The folder of the plugin.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Print what was built as JSON.
    #[arg(long)]
    json: bool,
}

fn is_id(id: &str) -> bool {
    let signs = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    signs && id.len() <= 40 && id.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
}

pub fn new(desk: &Desk, args: NewArgs) -> Result<ExitCode, Failure> {
    let dir = &args.name;
    let id = args.id.unwrap_or_else(|| dir.file_name().unwrap_or_default().to_string_lossy().into_owned());
    if !is_id(&id) {
        return Err(
            Failure::input(desk.say("new-no-id", &[("id", id)])).mend(desk.say("new-no-id-mend", &[]))
        );
    }
    if dir.exists() {
        let place = dir.display().to_string();
        return Err(
            Failure::input(desk.say("new-exists", &[("dir", place)])).mend(desk.say("new-exists-mend", &[]))
        );
    }
    let language = match args.lang {
        Lang::Rust => Language::Rust,
        Lang::C => Language::C,
        Lang::Python => Language::Python,
        Lang::Js => Language::JavaScript,
        Lang::Rhai => Language::Rhai,
    };
    let kind = match args.kind {
        Kind::Rule => ProjectKind::Rule,
        Kind::Activity => ProjectKind::Activity,
        Kind::Drill => ProjectKind::Drill,
    };
    let (zh, en) = (args.zh.unwrap_or_else(|| id.clone()), args.en.unwrap_or_else(|| id.clone()));
    let project = Project { id: &id, zh: &zh, en: &en, kind };
    let files = campanile_plugin_build::template(language, &project);
    for (name, bytes) in &files {
        write(&dir.join(name), bytes).map_err(|why| {
            Failure::input(format!("{}: {why}", dir.join(name).display())).mend(desk.say("write-mend", &[]))
        })?;
    }
    if args.json {
        let files: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        print_json(&json!({"id": id, "dir": dir, "files": files}));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", desk.say("new-made", &[("dir", dir.display().to_string())]));
    // What the kit brings along is not the maker's to read first.
    files.iter().filter(|(name, _)| !name.starts_with("sdk/")).for_each(|(name, _)| println!("  {name}"));
    println!("{}", desk.say("new-next", &[]));
    println!("  cd {}", dir.display());
    if language != Language::Rhai {
        println!("  campanile plugin build");
    }
    println!("  campanile plugin check");
    println!("  campanile plugin test");
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(file, bytes)
}

pub fn build(desk: &Desk, args: &BuildArgs) -> Result<ExitCode, Failure> {
    open(&args.dir)?;
    let began = std::time::Instant::now();
    eprintln!("{}", desk.say("build-begins", &[("dir", args.dir.display().to_string())]));
    let failed = |why: campanile_plugin_build::Error| Failure::not_in_order(why.to_string());
    let bytes = match campanile_plugin_build::build(&args.dir).map_err(failed)? {
        Built::Component(bytes) => bytes,
        Built::Script(file) => {
            if args.json {
                print_json(&json!({"script": file}));
            } else {
                println!("{}", desk.say("build-script", &[("file", file.display().to_string())]));
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    let out = args.dir.join(COMPONENT);
    // Written beside and moved: a hub or a test that looks meanwhile sees the old one or the new one.
    let beside = out.with_extension("part");
    std::fs::write(&beside, &bytes).and_then(|()| std::fs::rename(&beside, &out)).map_err(|why| {
        Failure::input(format!("{}: {why}", out.display())).mend(desk.say("write-mend", &[]))
    })?;
    let imported = imports(&bytes).map_err(failed)?;
    if args.json {
        let wall_s = began.elapsed().as_secs_f64();
        print_json(&json!({"component": out, "bytes": bytes.len(), "imports": imported, "wall_s": wall_s}));
        return Ok(ExitCode::SUCCESS);
    }
    let told = [
        ("file", out.display().to_string()),
        ("size", size(bytes.len())),
        ("seconds", format!("{:.1}", began.elapsed().as_secs_f64())),
    ];
    println!("{}", desk.say("built", &told));
    println!("{}", desk.say("inspect-imports", &[]));
    imported.iter().for_each(|import| println!("  {import}"));
    Ok(ExitCode::SUCCESS)
}
