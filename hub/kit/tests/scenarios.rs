//! Scenarios as people write them: every mistake is named with its line and its mend.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use campanile_kit::{Expected, Grounds, Scenario, Shows, Wanted};
use campanile_model::{Campus, Place, Problems, Timestamp};
use campanile_plugins::Manifest;

const MANIFEST: &str = r#"
format = "campanile-plugin/1"
id = "fresh-air"
version = "1.0.0"
api = "0.1.0"
kind = "rule"
zh-CN = "新风"
en = "Fresh air"
summary = { zh-CN = "提醒开窗。", en = "Says when to open a window." }
vendor = "Tinglan"
[subscribe]
points = ["**/co2"]
tick_s = 60
[capability]
read = ["**/co2"]
command = { points = ["**/ac/setpoint"], priority = [10, 14] }
[[alarm]]
id = "stuffy"
zh-CN = "空气不新鲜"
en = "Stuffy"
priority = "low"
[[record]]
id = "day"
zh-CN = "一天"
en = "A day"
fields = { hours = "number", room = "text" }
[[panel]]
id = "rooms"
zh-CN = "房间"
en = "Rooms"
[[derived]]
id = "worst"
zh-CN = "最差"
en = "Worst"
[[setting]]
id = "limit_ppm"
zh-CN = "限值"
en = "Limit"
default = "1000"
"#;

const GOOD: &str = r#"format = "campanile-plugin-test/1"
zh-CN = "空气不新鲜时报警"
en = "Raises an alarm where the air is stale"
start = "2026-06-24T09:15:00"
duration_s = 600

[settings]
limit_ppm = "900"

[[before]]
point = "teaching-a/2f/203/co2"
from_s = 3600
every_s = 900
values = [500, 600]

[[step]]
at_s = 0
samples = [{ point = "teaching-a/2f/203/co2", value = 1500, quality = "uncertain" }]

[[step]]
at_s = 60
commands = [{ point = "teaching-a/2f/203/ac/setpoint", value = 27 }]
panels = [{ panel = "rooms", node = "go", fields = { limit = 900, answer = { choice = 1 } } }]

[[expect]]
alarm = { id = "stuffy", entity = "teaching-a/2f/203" }
from_s = 120
count = 1

[[expect]]
command = { point = "**/ac/setpoint", value = [26, 28], priority = 12 }
between = ["09:00", "09:20"]

[[expect]]
record = { kind = "day", fields = { hours = [0, 24] } }
count = [0, 2]

[[expect]]
denials = 0
"#;

fn manifest() -> Manifest {
    Manifest::read(Path::new("plugin.toml"), MANIFEST).unwrap()
}

fn read(text: &str) -> Result<Scenario, Problems> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
    static GROUNDS: std::sync::OnceLock<Grounds> = std::sync::OnceLock::new();
    let grounds = GROUNDS.get_or_init(|| Grounds::new(demo));
    let manifest = manifest();
    let campus_of =
        |said: Option<&str>| -> Result<Arc<Campus>, String> { grounds.with(said.map(Path::new), &manifest) };
    Scenario::read(Path::new("tests/stale.toml"), text, &manifest, &campus_of)
}

#[test]
fn a_scenario_is_held_against_its_campus() {
    let scenario = read(GOOD).unwrap();
    // A quarter past nine in Shanghai.
    assert_eq!(scenario.start, Timestamp(1_782_263_700_000_000));
    assert_eq!((scenario.id.as_str(), scenario.duration_s, scenario.devices), ("stale", 600.0, false));
    let times: Vec<i64> =
        scenario.before.iter().map(|m| (m.time.0 - scenario.start.0) / Timestamp::SECOND).collect();
    assert_eq!(times, [-3600, -2700, -1800, -900]);
    assert_eq!(scenario.steps[1].deeds.len(), 2);
    assert_eq!(scenario.expectations.len(), 4);
    assert_eq!(scenario.expectations[0].count, [1, 1]);
    assert_eq!(scenario.expectations[0].place, Place::Line { line: 25, column: 1 });
    let Expected::Command { value, .. } = &scenario.expectations[1].what else { unreachable!() };
    assert_eq!(*value, Wanted::Between(26.0, 28.0));
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let has = |s: i64| scenario.expectations[1].window.has(scenario.start.plus_micros(s * 1_000_000), &zone);
    assert!(has(0) && has(300) && !has(301));
}

#[test]
fn samples_of_a_step_come_again_between_those_of_others() {
    let again = "at_s = 0\nevery_s = 50\nfor_s = 120\nsamples";
    let scenario = read(&GOOD.replacen("at_s = 0\nsamples", again, 1)).unwrap();
    let told: Vec<(i64, Option<i64>)> = scenario
        .steps
        .iter()
        .map(|step| {
            let s = |time: Timestamp| (time.0 - scenario.start.0) / Timestamp::SECOND;
            let measured = step.deeds.iter().find_map(|deed| match deed {
                campanile_kit::Deed::Samples(all) => Some(s(all[0].time)),
                _ => None,
            });
            (s(step.at), measured)
        })
        .collect();
    assert_eq!(told, [(0, Some(0)), (50, Some(50)), (60, None), (100, Some(100))]);
    // They end with the scenario, however long they should go on.
    let long = GOOD.replacen("at_s = 0\nsamples", "at_s = 0\nevery_s = 200\nfor_s = 86400\nsamples", 1);
    assert_eq!(read(&long).unwrap().steps.len(), 5);
}

#[test]
fn a_day_has_devices_and_another_simulation() {
    let day = r#"format = "campanile-plugin-test/1"
zh-CN = "一天"
en = "A day"
start = "2026-06-24T00:00:00"
[day]
days = 0.5
without = ["leak"]
simulation = { cooling_from_c = 30 }
[[step]]
at_s = 60
holds = [{ point = "teaching-a/2f/203/co2", value = "same", for_s = 600 }]
[[expect]]
[expect.total]
energy_kwh = ["net/electricity/*/energy"]
change_pct = [-40, 0]
"#;
    let scenario = read(day).unwrap();
    assert!(scenario.devices && scenario.compares());
    assert_eq!((scenario.duration_s, scenario.step_s), (43_200.0, 60.0));
    assert!(scenario.campus.simulation.get("leak").is_none());
    assert_eq!(scenario.campus.simulation["cooling_from_c"], 30);
    let campanile_kit::Deed::Hold { shows, .. } = &scenario.steps[0].deeds[0] else { unreachable!() };
    assert_eq!(*shows, Shows::TheSame);
}

/// What is broken, by what it is broken with, the code and the line that are told.
#[test]
fn a_mistake_says_what_where_and_how_to_mend_it() {
    let cases = [
        ("test/1", "test/9", "wrong-format", 1),
        ("en = \"Raises an alarm where the air is stale\"", "en = \" \"", "no-name", 3),
        ("2026-06-24T09:15:00", "yesterday", "bad-time", 4),
        ("start =", "campus = \"nowhere\"\nstart =", "no-campus", 4),
        ("start =", "strat = 1\nstart =", "unknown-field", 4),
        ("duration_s = 600", "duration_s = -1", "out-of-range", 5),
        ("limit_ppm = ", "limit = ", "unknown-setting", 8),
        ("values = [500, 600]", "values = []", "no-value", 14),
        ("values = [500, 600]", "values = [500, \"x\"]", "wrong-value", 14),
        ("every_s = 900", "every_s = 0", "bad-time", 10),
        ("every_s = 900", "every_s = 0.001", "too-many", 10),
        ("at_s = 0\n", "at_s = 700\n", "bad-time", 17),
        ("at_s = 0\n", "at_s = 0\nevery_s = 50\n", "out-of-range", 18),
        ("at_s = 0\n", "at_s = 0\nevery_s = 50\nfor_s = 10\n", "out-of-range", 18),
        ("at_s = 0\n", "at_s = 0\nevery_s = 0.5\nfor_s = 10\n", "out-of-range", 18),
        ("at_s = 60\n", "at_s = 60\nevery_s = 50\nfor_s = 100\n", "out-of-range", 22),
        ("203/co2\", value = 1500", "999/co2\", value = 1500", "unknown-point", 18),
        ("203/co2\", value = 1500", "203/CO2\", value = 1500", "bad-glob", 18),
        ("value = 1500", "value = true", "wrong-value", 18),
        ("quality = \"uncertain\"", "quality = \"great\"", "unknown-value", 18),
        ("203/ac/setpoint\", value = 27", "203/co2\", value = 27", "not-commandable", 22),
        ("value = 27 }", "value = 27, priority = 17 }", "out-of-range", 22),
        ("panel = \"rooms\"", "panel = \"room\"", "not-declared", 23),
        ("answer = { choice = 1 }", "answer = { choose = 1 }", "wrong-value", 23),
        ("id = \"stuffy\", entity", "id = \"stuff\", entity", "not-declared", 26),
        ("entity = \"teaching-a/2f/203\"", "entity = \"teaching-z/**\"", "unknown-entity", 26),
        ("count = 1\n", "count = -1\n", "wrong-value", 28),
        ("value = [26, 28]", "value = [28, 26]", "wrong-value", 31),
        ("\"**/ac/setpoint\", value", "\"**/co2\", value", "not-commandable", 31),
        ("\"09:00\"", "\"nine\"", "bad-time", 32),
        ("kind = \"day\"", "kind = \"week\"", "not-declared", 35),
        ("hours = [0, 24]", "hour = [0, 24]", "not-declared", 35),
        ("denials = 0", "denials = 0\nfailures = 0", "expects-two", 38),
        ("denials = 0", "from_s = 0", "expects-nothing", 38),
        ("denials = 0", "mission = \"m\"", "wrong-kind", 39),
        ("denials = 0", "denial = false", "wrong-value", 39),
        ("denials = 0", "[expect.total]\nmean = [\"**/co2\"]", "expects-nothing", 39),
        ("denials = 0", "[expect.total]\nmean = [\"teaching-a/2f/203/*\"]\nis = [0, 1]", "mixed-units", 40),
        ("denials = 0", "[expect.total]\nmean = [\"**/co2\"]\nchange_pct = [-1, 1]", "total", 41),
        ("denials = 0", "[expect.total]\nenergy_kwh = [\"**/co2\"]\nis = [0, 1]", "mixed-units", 40),
        ("[[expect]]\ndenials", "[day]\ndays = 40\n[[expect]]\ndenials", "out-of-range", 39),
        (
            "[[expect]]\ndenials",
            "[day]\ndays = 1\nwithout = [\"leek\"]\n[[expect]]\ndenials",
            "unknown-key",
            40,
        ),
        ("[[expect]]\ndenials", "[day]\ndays = 1\n[[expect]]\ndenials", "devices-speak", 16),
        (
            "commands =",
            "holds = [{ point = \"**/co2\", value = 1, for_s = 1 }]\ncommands =",
            "no-devices",
            22,
        ),
        ("commands =", "decisions = [{ id = \"a\", answer = 0 }]\ncommands =", "wrong-kind", 22),
        ("commands =", "alarms = [{ id = \"x#y\", active = true }]\ncommands =", "unknown-alarm", 22),
        ("[[step]]\nat_s = 60", "[[step]]\nat_s = 60\n]", "syntax", 22),
    ];
    for (from, to, code, line) in cases {
        assert!(GOOD.contains(from), "{from}");
        let Problems(problems) = read(&GOOD.replacen(from, to, 1)).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let found = problems.iter().any(|p| {
            p.code == code
                && !p.mend.is_empty()
                && matches!(p.place, Place::Line { line: at, .. } if at == line)
        });
        assert!(found, "{to}: wanted {code} on line {line}, told {said:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let broken = GOOD.replace("value = 1500", "value = true").replace("kind = \"day\"", "kind = \"week\"");
    let Problems(problems) = read(&broken.replace("denials", "denails")).unwrap_err();
    assert_eq!(problems.len(), 4, "{problems:#?}");
}
