//! What only activities and drills have, by a probe in each language; and that no kind has what is another's.
//!
//! The components are built by `scripts/guests.sh`; where they are missing, these tests say so and skip.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use campanile_model::{Glob, Quality, Timestamp, Value};
use campanile_plugins::{
    Award, Budget, Call, ComponentError, Decision, Effects, Kind, Outcome, Progress, Runtime, Saved, Seat,
    Situation, Stage, TrialOutcome,
};
use common::{Ground, answers, approval, manifest, probes};

type Check = fn(&Effects) -> bool;
const NOTHING: Check = Effects::is_empty;
const BUDGETS: [Budget; 2] = [Budget::Deadline, Budget::Fuel];

fn tick(ground: &Ground, seat: &mut Seat) -> Outcome {
    seat.call(&Call::Tick, &ground.around)
}

/// Each mode, what the probe is answered, and what has been done then.
fn drive(ground: &Ground, language: &str, saved: &Saved, table: &[(&str, &[&str], Check)]) {
    for (mode, expected, check) in table {
        for budget in BUDGETS {
            let approval = approval(&ground.manifest, &[("mode", mode)]);
            let mut seat = ground.seat_with(approval, budget, saved.clone());
            let outcome = tick(ground, &mut seat);
            let place = format!("{language}, {mode}, {budget:?}: {outcome:?}");
            assert_eq!(outcome.failure, None, "{place}");
            assert_eq!(answers(&outcome), *expected, "{place}");
            assert!(check(&outcome.effects), "{place}");
        }
    }
}

/// A seat in which two missions are on offer and a pupil has points.
fn learned() -> Saved {
    let json = serde_json::json!({
        "memory": {
            "missions": [
                { "id": "m0", "names": { "zh-CN": "任务", "en": "Mission" },
                  "task": { "zh-CN": "关灯", "en": "Lights out" }, "points": 10 },
            ],
            "awards": [
                { "mission": "m9", "person": "8-1/Crane", "points": 30 },
                { "mission": "m9", "person": "7-2/Otter", "points": 25 },
                { "mission": "m8", "person": "7-2/Otter", "points": 5 },
                { "mission": "m9", "person": "headmaster", "points": 1 },
            ],
        },
        "health": { "is": "well" }, "failures": 0, "good_calls": 0, "next_tick": null,
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn activities_offer_award_and_propose_the_same_in_each_language() {
    // Who sees every point sees every node.
    let water = common::campus().network("water").unwrap().nodes.len();
    let all_nodes = format!("ok {water}");
    for probe in probes("probe-activity") {
        let language = probe.language;
        let ground = Ground::of(&probe);
        drive(
            &ground,
            language,
            &learned(),
            &[
                ("find", &["ok 4762"], NOTHING),
                ("networks", &[all_nodes.as_str()], NOTHING),
                ("history", &["ok 0"], NOTHING),
                ("record", &["ok"], |e| e.records.len() == 1),
                ("records", &["ok 0"], NOTHING),
                ("store", &["ok"], |e| e.store.len() == 1),
                ("panel", &["ok"], |e| e.panels.keys().eq([&(0, None)])),
                ("show-to", &["ok"], |e| e.panels.keys().eq([&(0, Some("7-2/Swift".into()))])),
                ("show-to-nobody", &["invalid"], NOTHING),
                ("show-to-all", &["ok"], |e| e.panels.values().all(|nodes| nodes.is_empty())),
                ("derived", &["ok"], |e| {
                    e.derived == [(0, "teaching-a/2f".into(), Value::Number(1.0), Quality::Good)]
                }),
                ("derived-elsewhere", &["invalid"], NOTHING),
                ("offer", &["ok"], |e| {
                    e.missions.as_ref().is_some_and(|m| m.len() == 2 && &*m[1].id == "m1")
                }),
                ("offer-twice", &["invalid"], NOTHING),
                ("offer-many", &["quota"], NOTHING),
                ("offer-nothing", &["ok"], |e| e.missions.as_ref().is_some_and(|m| m.is_empty())),
                ("award", &["ok"], |e| {
                    e.awards == [Award { mission: "m0".into(), person: "7-2/Swift".into(), points: 10 }]
                }),
                ("award-both", &["invalid"], |e| e.awards.len() == 1 && e.missions.is_some()),
                ("award-unknown", &["invalid"], NOTHING),
                ("award-much", &["out-of-limits"], NOTHING),
                ("league", &["7-2 30, 8-1 30, staff 1"], NOTHING),
                ("propose", &["ok"], |e| {
                    let [proposal] = &e.proposals[..] else { return false };
                    (&*proposal.id, proposal.days, proposal.changes.len()) == ("warmer", 3, 1)
                        && proposal.changes[0].glob == "**/ac/setpoint"
                        && (proposal.changes[0].from_h, proposal.changes[0].to_h) == (12.0, 17.0)
                }),
                ("propose-switch", &["ok"], |e| e.proposals.len() == 1),
                ("propose-half", &["invalid"], NOTHING),
                ("propose-sensor", &["invalid"], NOTHING),
                ("propose-hours", &["invalid"], NOTHING),
                ("propose-nan", &["invalid"], NOTHING),
                ("propose-long", &["invalid"], NOTHING),
            ],
        );
    }
}

/// What is remembered is what was given, through text too; and a pupil has points for a mission once.
#[test]
fn a_league_lasts_and_points_are_given_once() {
    for probe in probes("probe-activity") {
        let language = probe.language;
        let ground = Ground::of(&probe);
        let mode = |mode, saved| {
            ground.seat_with(approval(&ground.manifest, &[("mode", mode)]), Budget::Fuel, saved)
        };
        let mut seat = mode("award", learned());
        assert_eq!(answers(&tick(&ground, &mut seat)), ["ok"]);
        assert_eq!(answers(&tick(&ground, &mut seat)), ["invalid"], "{language}: a second time");
        let text = serde_json::to_string(seat.saved()).unwrap();
        let kept: Saved = serde_json::from_str(&text).unwrap();
        assert_eq!(&kept, seat.saved());
        let league = [("7-2".to_owned(), 40), ("8-1".to_owned(), 30), ("staff".to_owned(), 1)];
        assert_eq!(kept.memory.league(), league);
        assert_eq!(answers(&tick(&ground, &mut mode("league", kept))), ["7-2 40, 8-1 30, staff 1"]);
    }
}

/// One proposal at a time, ten a day; its outcome closes it, even where the plugin can't hear of it.
#[test]
fn a_proposal_is_open_until_its_outcome() {
    let outcome = |id: &str| {
        Call::Trial(TrialOutcome {
            id: id.to_owned(),
            energy_kwh: (120.0, 140.0),
            comfort_share: (0.9, 0.95),
            failed: Some("rain".to_owned()),
        })
    };
    for probe in probes("probe-activity") {
        let language = probe.language;
        let mut ground = Ground::of(&probe);
        let mut seat = ground.seat(&[("mode", "propose")], Budget::Fuel);
        for turn in 0..10 {
            assert_eq!(answers(&tick(&ground, &mut seat)), ["ok"], "{language}, proposal {turn}");
            assert_eq!(answers(&tick(&ground, &mut seat)), ["quota"], "{language}: one is open");
            assert_eq!(seat.call(&outcome("other"), &ground.around), Outcome::default());
            assert_eq!(seat.saved().memory.proposals.len(), 1);
            let told = seat.call(&outcome("warmer"), &ground.around);
            assert_eq!(told.log[0].text, "probe: outcome: warmer 120 rain", "{language}");
            assert_eq!(seat.call(&outcome("warmer"), &ground.around), Outcome::default(), "it is told once");
        }
        assert_eq!(answers(&tick(&ground, &mut seat)), ["too-soon"], "{language}: the eleventh of a day");
        ground.later(86_400);
        assert_eq!(answers(&tick(&ground, &mut seat)), ["ok"]);

        let mut saved = seat.saved().clone();
        saved.health = campanile_plugins::Health::Down;
        let mut down = ground.seat_with(approval(&ground.manifest, &[]), Budget::Fuel, saved);
        assert_eq!(down.call(&outcome("warmer"), &ground.around), Outcome::default());
        assert!(down.saved().memory.proposals.is_empty());
    }
}

/// Who may not is told what would have to be granted.
#[test]
fn nothing_is_taught_or_directed_that_nobody_approved() {
    for (name, modes) in [
        ("probe-activity", &["offer", "award", "propose", "league"][..]),
        ("probe-drill", &["now", "depth", "tell", "progress", "ask"]),
    ] {
        for probe in probes(name) {
            let language = probe.language;
            let ground = Ground::of(&probe);
            for mode in modes {
                let mut approved = approval(&ground.manifest, &[("mode", mode)]);
                approved.capability.activities = false;
                approved.capability.drill = false;
                let mut seat = ground.seat_with(approved, Budget::Fuel, learned());
                seat.watch(true);
                let outcome = tick(&ground, &mut seat);
                assert_eq!(answers(&outcome), ["not-granted"], "{language}, {mode}");
                let denied = &outcome.trace.unwrap().denied[0];
                assert!(denied.denial.starts_with("not-granted: capability."), "{denied:?}");
                assert!(outcome.effects.is_empty());
            }
        }
    }
}

struct Rainstorm;

impl Stage for Rainstorm {
    fn situation(&self) -> Situation {
        Situation {
            at_s: 600.0,
            rain_1h_mm: 42.5,
            rain_6h_mm: 80.0,
            river_m: Some(3.5),
            warned: Some("orange".into()),
        }
    }

    fn depth_m(&self, glob: &Glob) -> f64 {
        if glob.matches("canteen/b1/garage") { 0.3 } else { 0.0 }
    }

    fn progress(&self, action: &str) -> Option<Progress> {
        match action {
            "barrier" => Some(Progress::NotBegun),
            "siren" => Some(Progress::Done),
            _ => None,
        }
    }
}

#[test]
fn drills_see_tell_ask_and_begin_the_same_in_each_language() {
    for probe in probes("probe-drill") {
        let language = probe.language;
        let ground = Ground::of(&probe).with_stage(Arc::new(Rainstorm));
        drive(
            &ground,
            language,
            &Saved::default(),
            &[
                ("find", &["ok 0"], NOTHING),
                ("store", &["ok"], |e| e.store.len() == 1),
                ("panel", &["ok"], |e| e.panels.len() == 1),
                ("now", &["600 42.5 80 3.5 orange"], NOTHING),
                ("depth", &["0.3"], NOTHING),
                ("depth-bad", &["invalid"], NOTHING),
                ("tell", &["ok"], |e| {
                    e.told.len() == 1 && e.told[0].from.en == "Guard" && e.told[0].message.zh == "有积水"
                }),
                ("tell-nothing", &["invalid"], NOTHING),
                ("flood-told", &["too-soon"], |e| e.told.len() == 60),
                ("progress", &["not-begun"], NOTHING),
                ("progress-unknown", &["invalid"], NOTHING),
                ("begin", &["ok", "ok", "begun"], |e| e.begun == ["barrier".into()]),
                ("begin-done", &["ok"], NOTHING),
                ("begin-unknown", &["invalid"], NOTHING),
                ("ask", &["ok"], |e| {
                    e.asked.len() == 1 && e.asked[0].answers.len() == 2 && &*e.asked[0].id == "evacuate"
                }),
                ("ask-nothing", &["invalid"], NOTHING),
                ("ask-much", &["invalid"], NOTHING),
            ],
        );
        let decision = Decision { id: "evacuate".into(), answer: 1, person: "7-2/Swift".into() };
        let told = ground.seat(&[], Budget::Fuel).call(&Call::Decision(decision), &ground.around);
        assert_eq!(told.log[0].text, "probe: decision: evacuate 1 7-2/Swift", "{language}");
    }
}

#[test]
fn where_no_drill_runs_there_is_nothing_to_direct() {
    for probe in probes("probe-drill") {
        let language = probe.language;
        let ground = Ground::of(&probe);
        for mode in ["now", "depth", "tell", "progress", "begin-done", "ask"] {
            let outcome = tick(&ground, &mut ground.seat(&[("mode", mode)], Budget::Deadline));
            assert_eq!(answers(&outcome), ["unavailable"], "{language}, {mode}");
        }
    }
}

/// An activity that imports commands, a drill that is given an outcome: the contract has no such thing.
#[test]
fn a_kind_has_nothing_of_another() {
    let runtime = Runtime::new(None).unwrap();
    for (name, kind, told) in [
        ("probe", Kind::Activity, "campanile:plugin/commands"),
        ("probe", Kind::Drill, "campanile:plugin/"),
        ("probe-activity", Kind::Rule, "campanile:plugin/activities"),
        ("probe-drill", Kind::Activity, "campanile:plugin/drills"),
    ] {
        // What is refused is never in a cache: the small ones say it for all.
        for probe in probes(name).into_iter().filter(|probe| !probe.interprets()) {
            let language = probe.language;
            let of_kind = campanile_plugins::Manifest { kind, ..manifest("sdk/probe") };
            let why = runtime.compile(&of_kind, &probe.bytes).unwrap_err();
            let said = why.to_string();
            assert!(matches!(why, ComponentError::Contract { .. }), "{language}: {said}");
            assert!(
                said.contains(told) && said.contains(kind.world()),
                "{language}, {name} as {kind:?}: {said}"
            );
        }
    }
    for probe in probes("probe-activity") {
        let ground = Ground::of(&probe);
        let decision = Decision { id: "evacuate".into(), answer: 1, person: "7-2/Swift".into() };
        let outcome = ground.seat(&[], Budget::Fuel).call(&Call::Decision(decision), &ground.around);
        assert_eq!(outcome, Outcome::default());
    }
}

/// The instance is thrown away after each call, and nothing is different.
#[test]
fn what_an_activity_remembers_is_not_in_its_instance() {
    for probe in probes("probe-activity") {
        let language = probe.language;
        let mut ground = Ground::of(&probe);
        let seat = |ground: &Ground| {
            let mode = [("mode", "award-both")];
            ground.seat_with(approval(&ground.manifest, &mode), Budget::Fuel, learned())
        };
        let (mut kept, mut thrown) = (seat(&ground), seat(&ground));
        thrown.forgetful(true);
        for _ in 0..3 {
            let (a, b) = (tick(&ground, &mut kept), tick(&ground, &mut thrown));
            assert_eq!((a.effects, a.log), (b.effects, b.log), "{language}");
            assert_eq!(kept.saved(), thrown.saved());
            ground.later(60);
        }
        assert!(ground.around.world.now() > common::NOW.plus_micros(Timestamp::SECOND));
    }
}
