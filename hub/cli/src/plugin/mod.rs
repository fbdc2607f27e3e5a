//! `campanile plugin`: what makers of plugins work with, and what administrators do with plugins of a hub.

mod bench;
mod check;
mod hub;
mod make;
mod package;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use campanile_kit::{Finding, Grounds, Source, Workshop};
use campanile_model::{Names, Place, Severity};
use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::locale::Texts;

#[derive(Args)]
pub struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
    /// The language of what is said here.
    #[arg(long, global = true, default_value = "auto", value_parser = ["auto", "zh-CN", "en"])]
    locale: String,
}

#[derive(Subcommand)]
enum PluginCommand {
    /// Begin a plugin: a folder with source, manifest, a scenario and a page, from a template.
    #[command(after_help = "Examples:\n  campanile plugin new fresh-air --lang rust\n  \
        campanile plugin new river-quiz --lang js --kind activity --en 'River quiz' --zh 河流问答\n\n\
        Exit code 2: the folder is there already, or the name is none.")]
    New(make::NewArgs),
    /// Build a plugin: from its source to the component plugin.wasm beside its manifest.
    #[command(after_help = "Example:\n  campanile plugin build fresh-air\n\n\
        What a language needs is named where it is missing. Exit code 1: it does not build.")]
    Build(make::BuildArgs),
    /// Check a plugin and report every problem with its place and its mend.
    #[command(after_help = "Examples:\n  campanile plugin check fresh-air\n  \
        campanile plugin check fresh-air-1.0.0.cpk --campus my-school --json\n\n\
        Exit code 0: in order (warnings allowed); 1: errors found.")]
    Check(check::CheckArgs),
    /// Put a plugin through its scenarios (tests/*.toml) in worlds of their own; needs no hub.
    #[command(after_help = "Examples:\n  campanile plugin test fresh-air\n  \
        campanile plugin test fresh-air --only stale --update\n  \
        campanile plugin test fresh-air --only summer --pictures out\n\n\
        docs/plugins/testing.md says how scenarios are written.\n\
        Exit code 1: something did not come as expected; 2: the plugin can't be used.")]
    Test(test::TestArgs),
    /// Measure what a plugin costs on this machine: calls, memory, work.
    #[command(after_help = "Example:\n  campanile plugin bench fresh-air --json")]
    Bench(bench::BenchArgs),
    /// Pack a plugin into one file, ID-VERSION.cpk: the same content gives the same bytes.
    #[command(after_help = "Example:\n  campanile plugin pack fresh-air -o dist/fresh-air.cpk\n\n\
        Exit code 1: the check finds errors; then nothing is packed.")]
    Pack(package::PackArgs),
    /// The key by which you sign packages.
    #[command(subcommand, after_help = "Example:\n  campanile plugin key new maker.key")]
    Key(package::KeyCommand),
    /// Sign a package with your key.
    #[command(after_help = "Example:\n  campanile plugin sign fresh-air-1.0.0.cpk --key maker.key")]
    Sign(package::SignArgs),
    /// Show what a plugin is: manifest, what it may do in plain words, imports, files, hash, signature, costs.
    #[command(after_help = "Examples:\n  campanile plugin inspect fresh-air-1.0.0.cpk\n  \
        campanile plugin inspect fresh-air --json")]
    Inspect(package::InspectArgs),
    #[command(flatten)]
    Hub(hub::HubCommand),
}

/// What every command here has at hand.
struct Desk {
    texts: Texts,
}

pub fn run(args: PluginArgs) -> Result<ExitCode, Failure> {
    let desk = Desk { texts: Texts::plugin(&args.locale) };
    match args.command {
        PluginCommand::New(args) => make::new(&desk, args),
        PluginCommand::Build(args) => make::build(&desk, &args),
        PluginCommand::Check(args) => check::check(&desk, &args),
        PluginCommand::Test(args) => test::test(&desk, &args),
        PluginCommand::Bench(args) => bench::bench(&desk, &args),
        PluginCommand::Pack(args) => package::pack(&desk, &args),
        PluginCommand::Key(command) => package::key(&desk, command),
        PluginCommand::Sign(args) => package::sign(&desk, &args),
        PluginCommand::Inspect(args) => package::inspect(&desk, &args),
        PluginCommand::Hub(command) => hub::run(&desk, command),
    }
}

/// Which plugin, and on which campus it is tried.
#[derive(Args)]
struct Which {
    /// The folder of the plugin, or its package.
    #[arg(default_value = ".")]
    plugin: PathBuf,
    #[command(flatten)]
    campus: crate::CampusDir,
}

impl Which {
    fn source(&self) -> Result<Source, Failure> {
        open(&self.plugin)
    }

    fn grounds(&self) -> Result<Grounds, Failure> {
        Ok(Grounds::new(self.campus.resolve()?))
    }
}

/// Opens the folder or package of a plugin.
fn open(path: &Path) -> Result<Source, Failure> {
    Source::open(path).map_err(|why| Failure::input(why.to_string()).mend(why.mend()))
}

/// What plugins are compiled by. What it compiles is kept in the user's cache: large ones take seconds.
fn workshop() -> Result<Workshop, Failure> {
    let cache = crate::hub::user_cache().map(|dir| dir.join("plugins"));
    // Without a cache that can be used it compiles anew each time.
    let kept = cache.and_then(|dir| Workshop::new(Some(&dir)).ok());
    kept.map_or_else(|| Workshop::new(None), Ok).map_err(|why| Failure::unreachable(why.to_string()))
}

/// After so long who waits is told what for.
const PATIENCE: Duration = Duration::from_secs(2);

impl Desk {
    /// Does what may take long, and says what it is if it does.
    fn patiently<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let (over, waits) = mpsc::sync_channel::<()>(1);
        let text = self.say(what, &[]);
        // Where there is no thread to be had nothing is said, and the work is done all the same.
        let _ = std::thread::Builder::new().name("patience".to_owned()).spawn(move || {
            if waits.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{text}");
            }
        });
        let done = work();
        drop(over);
        done
    }

    /// A text of the command with its arguments.
    fn say(&self, key: &str, args: &[(&str, String)]) -> String {
        self.texts.with(key, args)
    }

    /// The name in the language of the command.
    fn of<'n>(&self, names: &'n Names) -> &'n str {
        names.get(self.texts.tag())
    }

    /// Both names, the one in the language of the command first.
    fn both(&self, names: &Names) -> String {
        let (first, second) =
            if self.texts.tag() == "en" { (&names.en, &names.zh) } else { (&names.zh, &names.en) };
        format!("{first} / {second}")
    }

    /// Prints what a plugin may do or asks for, in the language of the command and below it in the other.
    fn sentences(&self, lines: &[Names]) {
        for names in lines {
            let other = if self.texts.tag() == "en" { &names.zh } else { &names.en };
            println!("  {}\n    {other}", self.of(names));
        }
    }

    /// Prints findings with their places, the lines that they are on and their mends.
    fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            let level = match finding.severity {
                Severity::Error => self.say("error", &[]),
                Severity::Warning => self.say("warning", &[]),
            };
            eprintln!("{level}[{}] {}", finding.code, finding.whereabouts());
            if let Place::Line { line, column } = &finding.place {
                let text = std::fs::read_to_string(&finding.file).unwrap_or_default();
                if let Some(text) = text.lines().nth(line.saturating_sub(1)).filter(|t| t.len() < 200) {
                    eprintln!("  {line} | {text}");
                    let margin = line.to_string().len() + 4 + column;
                    eprintln!("{:>margin$}", "^");
                }
            }
            eprintln!("  {}", self.of(&finding.what));
            eprintln!("  {}", self.say("mend", &[("how", self.of(&finding.mend).to_owned())]));
        }
    }

    /// The failure that follows printed findings.
    fn not_in_order(&self, path: &Path) -> Failure {
        Failure::not_in_order(self.say("not-in-order", &[("plugin", path.display().to_string())]))
            .mend(self.say("not-in-order-mend", &[]))
    }
}

/// A finding for programs.
fn finding_json(finding: &Finding) -> Json {
    let place = match &finding.place {
        Place::Whole => Json::Null,
        Place::Line { line, column } => json!({"line": line, "column": column}),
        Place::Pointer(pointer) => json!({"pointer": pointer}),
    };
    json!({
        "severity": finding.severity.to_string(), "code": finding.code, "file": finding.file, "place": place,
        "what": finding.what, "mend": finding.mend,
    })
}

/// Bytes for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Prints a line of JSON.
fn print_json(json: &Json) {
    println!("{json:#}");
}
