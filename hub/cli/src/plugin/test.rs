//! `campanile plugin test`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campanile_kit::{Plugin, Snapshot, Suite, Tested};
use campanile_model::Place;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value as Json, json};

use super::{Desk, Which, finding_json, print_json, workshop};
use crate::failure::Failure;

#[derive(Args)]
pub struct TestArgs {
    #[command(flatten)]
    which: Which,
    /// Only scenarios whose name has these words in it.
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
    /// Write the snapshots anew: take over what happens.
    #[arg(long)]
    update: bool,
    /// Draw the totals of each scenario through its time, with the plugin and without, to NAME.svg in this folder.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Fail where the manifest asks for something that no scenario uses.
    #[arg(long)]
    coverage_required: bool,
    /// Print what came of it as JSON.
    #[arg(long)]
    json: bool,
}

pub fn test(desk: &Desk, args: &TestArgs) -> Result<ExitCode, Failure> {
    let source = args.which.source()?;
    let grounds = args.which.grounds()?;
    let workshop = workshop()?;
    let plugin = desk.patiently("readies", || Plugin::load(&source, &workshop)).map_err(|findings| {
        desk.findings(&findings);
        Failure::input(desk.say("not-usable", &[("plugin", args.which.plugin.display().to_string())]))
            .mend(desk.say("not-in-order-mend", &[]))
    })?;
    if source.scenarios().is_empty() {
        let dir = source.file("tests").display().to_string();
        return Err(Failure::input(desk.say("no-scenarios", &[("dir", dir)]))
            .mend(desk.say("no-scenarios-mend", &[])));
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let mut said = |id: &str| bar.set_message(id.to_owned());
    let suite = campanile_kit::test(&source, &plugin, &grounds, args.only.as_deref(), args.update, &mut said);
    bar.finish_and_clear();
    if suite.scenarios.is_empty() {
        return Err(
            Failure::input(desk.say("no-such-scenario", &[])).mend(desk.say("no-such-scenario-mend", &[]))
        );
    }
    let failed = suite.scenarios.iter().filter(|tested| !tested.passed()).count();
    // A part of the scenarios says nothing of what all use.
    let whole = args.only.is_none();
    let uncovered = whole && args.coverage_required && suite.coverage.unused().next().is_some();
    if args.json {
        print_json(&as_json(&suite, failed));
    } else {
        suite.scenarios.iter().for_each(|tested| desk.tested(tested));
        if whole {
            desk.coverage(&suite);
        }
        let passed = suite.scenarios.len() - failed;
        println!(
            "{}",
            desk.say("test-sum", &[("passed", passed.to_string()), ("failed", failed.to_string())])
        );
        if uncovered {
            println!("{}", desk.say("coverage-required", &[]));
        }
    }
    if let Some(dir) = &args.pictures {
        desk.draw(dir, &suite)?;
    }
    Ok(ExitCode::from(u8::from(failed > 0 || uncovered)))
}

fn indented(text: &str) {
    text.lines().for_each(|line| println!("      {line}"));
}

impl Desk {
    fn draw(&self, dir: &Path, suite: &Suite) -> Result<(), Failure> {
        let fail = |path: &Path, why: std::io::Error| {
            Failure::input(format!("{}: {why}", path.display())).mend(self.say("write-mend", &[]))
        };
        std::fs::create_dir_all(dir).map_err(|why| fail(dir, why))?;
        for tested in &suite.scenarios {
            let Some(picture) = &tested.picture else { continue };
            let file = dir.join(format!("{}.svg", tested.id));
            let svg = picture.svg(&|names| self.of(names).to_owned());
            std::fs::write(&file, svg).map_err(|why| fail(&file, why))?;
            eprintln!("{}", self.say("drawn", &[("file", file.display().to_string())]));
        }
        Ok(())
    }

    fn tested(&self, tested: &Tested) {
        let mark = self.say(if tested.passed() { "passed" } else { "failed" }, &[]);
        // What can't be read has no name.
        let name = Some(self.of(&tested.names)).filter(|name| !name.is_empty());
        let name = name.map(|name| format!(": {name}")).unwrap_or_default();
        println!("{mark} {}{name} ({:.1} s)", tested.id, tested.wall_s);
        self.findings(&tested.findings);
        for verdict in tested.verdicts.iter().filter(|verdict| !verdict.kept) {
            let place = match &verdict.place {
                Place::Line { line, .. } => format!("{}:{line}", tested.file.display()),
                Place::Whole | Place::Pointer(_) => tested.file.display().to_string(),
            };
            println!("  {place}: {}", self.of(&verdict.said));
            verdict.near.iter().for_each(|near| println!("      {near}"));
        }
        let snapshot = tested.file.with_extension("snap").display().to_string();
        match &tested.snapshot {
            Snapshot::None | Snapshot::Same => {}
            Snapshot::Written => println!("  {}", self.say("snapshot-written", &[("file", snapshot)])),
            Snapshot::Different(how) => {
                println!("  {}", self.say("snapshot-different", &[("file", snapshot)]));
                indented(how);
            }
        }
        if let Some(how) = &tested.forgetful {
            println!("  {}", self.say("forgetful", &[]));
            indented(how);
        }
    }

    fn coverage(&self, suite: &Suite) {
        let all = suite.coverage.items.len();
        let unused: Vec<_> = suite.coverage.unused().collect();
        let used = all - unused.len();
        println!("{}", self.say("coverage", &[("used", used.to_string()), ("all", all.to_string())]));
        for item in unused {
            println!("  {}", self.say("coverage-unused", &[("what", self.of(&item.names).to_owned())]));
        }
    }
}

fn as_json(suite: &Suite, failed: usize) -> Json {
    let one = |tested: &Tested| {
        let verdicts = tested.verdicts.iter().map(|verdict| {
            let line = match &verdict.place {
                Place::Line { line, .. } => Some(line),
                Place::Whole | Place::Pointer(_) => None,
            };
            json!({"line": line, "kept": verdict.kept, "said": verdict.said, "near": verdict.near})
        });
        let (snapshot, difference) = match &tested.snapshot {
            Snapshot::None => ("none", None),
            Snapshot::Same => ("same", None),
            Snapshot::Written => ("written", None),
            Snapshot::Different(how) => ("different", Some(how)),
        };
        json!({
            "id": tested.id, "file": tested.file, "names": tested.names, "passed": tested.passed(),
            "findings": tested.findings.iter().map(finding_json).collect::<Vec<_>>(),
            "expectations": verdicts.collect::<Vec<_>>(), "snapshot": snapshot, "difference": difference,
            "forgetful": tested.forgetful, "hash": tested.hash.map(|hash| hash.to_hex().to_string()),
            "wall_s": tested.wall_s,
        })
    };
    let coverage = suite
        .coverage
        .items
        .iter()
        .map(|item| json!({"at": item.at, "names": item.names, "used": item.used}));
    json!({
        "failed": failed, "scenarios": suite.scenarios.iter().map(one).collect::<Vec<_>>(),
        "coverage": coverage.collect::<Vec<_>>(),
    })
}
