//! The probe of activities: does one thing as it is told, so that a test of the host can drive what only activities have.
//! `sdk/probe/README.md` lists the modes; the probe in C has the same, with the same words.

use campanile_plugin::{
    Activity, Denial, Failure, Plugin, Result, Settings, Time, Words,
    activities::{self, Change, Mission, Outcome},
    clock, history, info,
    networks::{self, NetworkKind},
    panels::{self, Content, Tone, Tree},
    points::{self, Derived},
    records, store,
};

const PERSON: &str = "7-2/Swift";

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

    fn on_panel(&mut self, _: &panels::Event) -> Result {
        act(&self.mode)
    }
}

impl Activity for Probe {
    fn on_outcome(&mut self, outcome: &Outcome) -> Result {
        let failed = outcome.failed.as_deref().unwrap_or("-");
        info!("probe: outcome: {} {} {failed}", outcome.id, outcome.energy_kwh.0);
        Ok(())
    }
}

fn act(mode: &str) -> Result {
    match mode {
        "" => {}
        "find" => counted(mode, points::find("**").map(|found| found.len())),
        "networks" => counted(mode, networks::nodes(NetworkKind::Water).map(|nodes| nodes.len())),
        "history" => counted(mode, range()),
        "record" => answer(mode, records::append("probe", "{\"n\":1}")),
        "records" => counted(mode, records::newest("probe", 10).map(|kept| kept.len())),
        "store" => answer(mode, store::set("key", b"value")),
        "panel" => answer(mode, tree().show("probe")),
        "show-to" => answer(mode, tree().show_to("probe", PERSON)),
        "show-to-nobody" => answer(mode, tree().show_to("probe", "")),
        "show-to-all" => answer(mode, panels::show_to("probe", PERSON, &[])),
        "derived" => answer(mode, points::publish(&[Derived::for_entity("rooms", "teaching-a/2f", 1.0)])),
        "derived-elsewhere" => answer(mode, points::publish(&[Derived::for_entity("rooms", "labs/2f", 1.0)])),

        "offer" => answer(mode, activities::offer(&missions(2))),
        "offer-twice" => answer(mode, activities::offer(&[missions(1), missions(1)].concat())),
        "offer-many" => answer(mode, activities::offer(&missions(101))),
        "offer-nothing" => answer(mode, activities::offer(&[])),
        "award" => answer(mode, activities::award("m0", PERSON, 10)),
        "award-both" => answer(mode, award_both()),
        "award-unknown" => answer(mode, activities::award("other", PERSON, 1)),
        "award-much" => answer(mode, activities::award("m0", "teacher", 11)),
        "league" => match activities::league() {
            Ok(league) => {
                let line: Vec<_> = league.iter().map(|s| format!("{} {}", s.group, s.points)).collect();
                info!("probe: league: {}", line.join(", "));
            }
            Err(denial) => info!("probe: league: {}", name(&denial)),
        },
        "propose" => answer(mode, propose("**/ac/setpoint", 26.0, 12.0, 3)),
        "propose-switch" => answer(mode, propose("**/ac/on", 0.0, 12.0, 1)),
        "propose-half" => answer(mode, propose("**/ac/on", 0.5, 12.0, 1)),
        "propose-sensor" => answer(mode, propose("**/co2", 400.0, 12.0, 1)),
        "propose-hours" => answer(mode, propose("**/ac/setpoint", 26.0, 18.0, 3)),
        "propose-nan" => answer(mode, propose("**/ac/setpoint", f64::NAN, 12.0, 3)),
        "propose-long" => answer(mode, propose("**/ac/setpoint", 26.0, 12.0, 8)),
        _ => return Err(Failure::from("probe: no such mode")),
    }
    Ok(())
}

fn range() -> Result<usize, Denial> {
    let point = points::by_path("teaching-a/2f/203/ac/setpoint")?.point;
    let now = clock::now();
    history::range(point, now - clock::HOUR, now, 100).map(|found| found.len())
}

fn tree() -> Tree {
    let mut tree = Tree::new("all", Content::Column);
    tree.add(Tree::ROOT, "text", Content::Text((Words::new("探针", "Probe"), Tone::Plain)));
    let (head, cell) = (vec![Words::new("甲", "A")], vec![Words::new("乙", "B")]);
    tree.add(Tree::ROOT, "table", Content::Table((head, vec![cell])));
    tree
}

fn missions(count: usize) -> Vec<Mission> {
    let mission = |n| Mission {
        id: format!("m{n}"),
        names: Words::new("任务", "Mission"),
        task: Words::new("关灯", "Lights out"),
        points: 10,
    };
    (0..count).map(mission).collect()
}

/// Offered and given in one call; a second time is too much.
fn award_both() -> Result<(), Denial> {
    activities::offer(&missions(2))?;
    activities::award("m1", "teacher", 10)?;
    activities::award("m1", "teacher", 10)
}

fn propose(glob: &str, value: f64, from_h: f64, days: u8) -> Result<(), Denial> {
    let change = Change { glob: glob.into(), value, from_h, to_h: 17.0 };
    activities::propose("warmer", &Words::new("调高空调", "Warmer rooms"), &[change], days)
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

campanile_plugin::export_activity!(Probe);
