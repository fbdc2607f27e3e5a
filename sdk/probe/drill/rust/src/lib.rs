//! The probe of drills: does one thing as it is told, so that a test of the host can drive what only drills have.
//! `sdk/probe/README.md` lists the modes; the probe in C has the same, with the same words.

use campanile_plugin::{
    Denial, Drill, Failure, Plugin, Result, Settings, Time, Words,
    drills::{self, Decision, Stage},
    info,
    panels::{Content, Tone, Tree},
    points, store,
};

/// Far more than any quota: a flood ends with the first denial, or here.
const FLOOD: u32 = 10_000;

struct Probe {
    mode: String,
}

impl Plugin for Probe {
    fn start(settings: &Settings) -> Result<Self> {
        Ok(Self { mode: settings.get("mode").unwrap_or_default().to_owned() })
    }

    fn on_tick(&mut self, _: Time) -> Result {
        act(&self.mode)
    }
}

impl Drill for Probe {
    fn on_decision(&mut self, decision: &Decision) -> Result {
        info!("probe: decision: {} {} {}", decision.id, decision.answer, decision.person);
        Ok(())
    }
}

fn act(mode: &str) -> Result {
    match mode {
        "" => {}
        "find" => counted(mode, points::find("**").map(|found| found.len())),
        "store" => answer(mode, store::set("key", b"value")),
        "panel" => answer(mode, panel()),

        "now" => match drills::now() {
            Ok(now) => info!(
                "probe: now: {} {} {} {} {}",
                now.at_s,
                now.rain_hour_mm,
                now.rain_six_hours_mm,
                now.river_m.unwrap_or_default(),
                now.warned.as_deref().unwrap_or("-")
            ),
            Err(denial) => info!("probe: now: {}", name(&denial)),
        },
        "depth" => match drills::depth("canteen/**") {
            Ok(depth_m) => info!("probe: depth: {depth_m}"),
            Err(denial) => info!("probe: depth: {}", name(&denial)),
        },
        "depth-bad" => answer(mode, drills::depth("a//b")),
        "tell" => answer(mode, tell("有积水", "Water")),
        "tell-nothing" => answer(mode, tell("", "Water")),
        "flood-told" => answer(mode, (0..FLOOD).try_for_each(|_| tell("有积水", "Water"))),
        "progress" => progressed(mode, "barrier"),
        "progress-unknown" => progressed(mode, "other"),
        "begin" => {
            answer(mode, drills::begin("barrier"));
            answer(mode, drills::begin("barrier"));
            progressed(mode, "barrier");
        }
        "begin-done" => answer(mode, drills::begin("siren")),
        "begin-unknown" => answer(mode, drills::begin("other")),
        "ask" => answer(mode, ask(2)),
        "ask-nothing" => answer(mode, ask(0)),
        "ask-much" => answer(mode, ask(9)),
        _ => return Err(Failure::from("probe: no such mode")),
    }
    Ok(())
}

fn panel() -> Result<(), Denial> {
    let mut tree = Tree::new("all", Content::Column);
    tree.add(Tree::ROOT, "text", Content::Text((Words::new("探针", "Probe"), Tone::Plain)));
    tree.show("probe")
}

fn tell(zh_cn: &str, en: &str) -> Result<(), Denial> {
    drills::tell(&Words::new("保安", "Guard"), &Words::new(zh_cn, en))
}

fn ask(answers: usize) -> Result<(), Denial> {
    let answers = vec![Words::new("是", "Yes"); answers];
    drills::ask("evacuate", &Words::new("疏散吗？", "Evacuate?"), &answers)
}

fn progressed(mode: &str, action: &str) {
    let stage = drills::progress(action).map(|stage| match stage {
        Stage::NotBegun => "not-begun",
        Stage::Begun => "begun",
        Stage::Done => "done",
    });
    info!("probe: {mode}: {}", stage.unwrap_or_else(|denial| name(&denial)));
}

fn answer<T>(mode: &str, answer: Result<T, Denial>) {
    info!("probe: {mode}: {}", answer.map_or_else(|denial| name(&denial), |_| "ok"));
}

fn counted(mode: &str, count: Result<usize, Denial>) {
    match count {
        Ok(count) => info!("probe: {mode}: ok {count}"),
        Err(denial) => info!("probe: {mode}: {}", name(&denial)),
    }
}

/// As the contract spells it.
fn name(denial: &Denial) -> &'static str {
    match denial {
        Denial::NotGranted(_) => "not-granted",
        Denial::UnknownPoint => "unknown-point",
        Denial::Invalid(_) => "invalid",
        Denial::OutOfLimits(_) => "out-of-limits",
        Denial::TooStrong(_) => "too-strong",
        Denial::TooSoon(_) => "too-soon",
        Denial::Interlocked(_) => "interlocked",
        Denial::Quota(_) => "quota",
        Denial::Unavailable(_) => "unavailable",
    }
}

campanile_plugin::export_drill!(Probe);
