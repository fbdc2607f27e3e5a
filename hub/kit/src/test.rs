//! `campanile plugin test`: all scenarios of a plugin, each played twice, judged, and held against its snapshot.

use std::path::{Path as FsPath, PathBuf};

use campanile_formats::Epw;
use campanile_model::{Names, Problems};

use crate::coverage::Coverage;
use crate::difference::difference;
use crate::finding::Finding;
use crate::ground::Grounds;
use crate::judge::{Verdict, judge};
use crate::picture::Picture;
use crate::plugin::Plugin;
use crate::run::{Cast, Ran, RunError, run};
use crate::scenario::Scenario;
use crate::source::Source;

/// What became of a scenario.
#[derive(Debug)]
pub struct Tested {
    /// The name of its file without ending.
    pub id: String,
    /// Its file.
    pub file: PathBuf,
    /// What it shows.
    pub names: Names,
    /// What keeps it from being played.
    pub findings: Vec<Finding>,
    /// What was expected and what came.
    pub verdicts: Vec<Verdict>,
    /// How its snapshot stands.
    pub snapshot: Snapshot,
    /// Whether it was the same with the instance thrown away between calls; if not, what was different.
    pub forgetful: Option<String>,
    /// The sums that it expects, to be drawn.
    pub picture: Option<Picture>,
    /// The hash of all that happened.
    pub hash: Option<blake3::Hash>,
    /// How long it took, s.
    pub wall_s: f64,
}

/// How a snapshot stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// There is none.
    None,
    /// It is as what happened.
    Same,
    /// It was written.
    Written,
    /// It is different: how.
    Different(String),
}

impl Tested {
    /// Whether all came as expected.
    pub fn passed(&self) -> bool {
        self.findings.is_empty()
            && self.verdicts.iter().all(|verdict| verdict.kept)
            && !matches!(self.snapshot, Snapshot::Different(_))
            && self.forgetful.is_none()
    }
}

/// All scenarios of a plugin.
#[derive(Debug)]
pub struct Suite {
    /// Each scenario, by name.
    pub scenarios: Vec<Tested>,
    /// What was used of the manifest.
    pub coverage: Coverage,
}

/// Plays the scenarios of a plugin's folder; `only` those whose name has these words in it. `said` hears the name of each
/// before it is played.
pub fn test(
    source: &Source,
    plugin: &Plugin,
    grounds: &Grounds,
    only: Option<&str>,
    update: bool,
    said: &mut dyn FnMut(&str),
) -> Suite {
    let mut coverage = Coverage::new(&plugin.manifest);
    let mut scenarios = Vec::new();
    for file in source.scenarios() {
        let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if only.is_some_and(|words| !id.contains(words)) {
            continue;
        }
        said(&id);
        let began = std::time::Instant::now();
        let mut tested = one(&file, id, plugin, grounds, update, &mut coverage);
        tested.wall_s = began.elapsed().as_secs_f64();
        scenarios.push(tested);
    }
    Suite { scenarios, coverage }
}

fn one(
    file: &FsPath,
    id: String,
    plugin: &Plugin,
    grounds: &Grounds,
    update: bool,
    coverage: &mut Coverage,
) -> Tested {
    let mut tested = Tested {
        id,
        file: file.to_owned(),
        names: Names::default(),
        findings: Vec::new(),
        verdicts: Vec::new(),
        snapshot: Snapshot::None,
        forgetful: None,
        picture: None,
        hash: None,
        wall_s: 0.0,
    };
    let mut fail = |code, zh: String, en: String, mend: Names| {
        tested.findings.push(Finding::error(code, file, Names::new(zh, en), mend));
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) => {
            let mend = Names::new("检查文件权限。", "Look at the file's permissions.");
            fail("unreadable", format!("读不了：{why}"), format!("it can't be read: {why}"), mend);
            return tested;
        }
    };
    let beside = file.parent().unwrap_or(FsPath::new("."));
    let campus_of =
        |said: Option<&str>| grounds.with(said.map(|dir| beside.join(dir)).as_deref(), &plugin.manifest);
    let scenario = match Scenario::read(file, &text, &plugin.manifest, &campus_of) {
        Ok(scenario) => scenario,
        Err(Problems(problems)) => {
            tested.findings.extend(problems.into_iter().map(Finding::from));
            return tested;
        }
    };
    tested.names = scenario.names.clone();
    let snapshot = file.with_extension("snap");
    let kept = std::fs::read_to_string(&snapshot).ok();
    if scenario.expectations.is_empty() && kept.is_none() && !update {
        let mend = Names::new(
            "写 [[expect]]，或用 --update 写下快照。",
            "Write an [[expect]], or a snapshot by --update.",
        );
        fail(
            "expects-nothing",
            "场景什么也没有要求".to_owned(),
            "the scenario asks for nothing".to_owned(),
            mend,
        );
        return tested;
    }
    let weather = grounds.weather(&scenario.campus);
    let played = play(&scenario, plugin, weather.as_deref());
    let (ran, forgetful, without) = match played {
        Ok(played) => played,
        Err(why) => {
            let mend =
                Names::new("按上面的说明修改场景或校园。", "Mend the scenario or the campus as it says.");
            fail("can-t-be-played", why.to_string(), why.to_string(), mend);
            return tested;
        }
    };
    coverage.take(&ran, &scenario.campus, &plugin.manifest);
    tested.verdicts = judge(&scenario, &plugin.manifest, &ran, without.as_ref());
    tested.picture = Picture::of(&scenario, &ran, without.as_ref());
    if ran.hash != forgetful.hash {
        let how = difference(&ran.told, &forgetful.told);
        let same = how.is_empty();
        tested.forgetful =
            Some(if same { "the world or what is remembered differs\n".to_owned() } else { how });
    }
    tested.hash = Some(ran.hash);
    tested.snapshot = match kept {
        Some(kept) if kept == ran.told => Snapshot::Same,
        _ if update => match std::fs::write(&snapshot, &ran.told) {
            Ok(()) => Snapshot::Written,
            Err(why) => Snapshot::Different(format!("{}: {why}\n", snapshot.display())),
        },
        Some(kept) => Snapshot::Different(difference(&kept, &ran.told)),
        None => Snapshot::None,
    };
    tested
}

type Played = (Ran, Ran, Option<Ran>);

/// With the plugin, with one that forgets, and without it where that is compared; side by side.
fn play(scenario: &Scenario, plugin: &Plugin, weather: Option<&Epw>) -> Result<Played, RunError> {
    std::thread::scope(|scope| {
        let forgetful = scope.spawn(|| run(scenario, plugin, weather, Cast::Forgetful));
        let without = scenario.compares().then(|| run(scenario, plugin, weather, Cast::Without));
        let ran = run(scenario, plugin, weather, Cast::With);
        let forgetful = match forgetful.join() {
            Ok(ran) => ran?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        Ok((ran?, forgetful, without.transpose()?))
    })
}
