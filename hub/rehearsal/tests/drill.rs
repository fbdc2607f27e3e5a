//! A small drill on the demo campus: the same on any number of threads, saved, branched and acted in.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use campanile_model::{Actor, Campus, Intent, Priority, Value};
use campanile_rehearsal::conformance::{Case, breaches};
use campanile_rehearsal::{
    By, Deed, DeedError, Drill, Outcome, Player, Refusal, Rehearsal, ReportLang, Site, comparison, layers,
    report,
};
use campanile_world::Input;

fn campus() -> Arc<Campus> {
    static CAMPUS: OnceLock<Arc<Campus>> = OnceLock::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
    CAMPUS.get_or_init(|| Arc::new(campanile_model::open(&dir).unwrap())).clone()
}

fn site() -> Arc<Site> {
    static SITE: OnceLock<Arc<Site>> = OnceLock::new();
    SITE.get_or_init(|| {
        let campus = campus();
        let text = include_str!("small.toml");
        let drill = Drill::read(Path::new("small.toml"), text, &campus).unwrap();
        let terrain = std::fs::read(campus.root_dir.join("terrain.tif")).unwrap();
        let terrain = campanile_formats::geotiff::read(&terrain).unwrap();
        let weather = std::fs::read_to_string(campus.root_dir.join("weather.epw")).unwrap();
        let weather = campanile_formats::epw::read(&weather).unwrap();
        Arc::new(Site::build(campus, drill, Some(&terrain), weather).unwrap())
    })
    .clone()
}

fn fresh() -> Rehearsal {
    Rehearsal::from_scene(site(), 7).unwrap()
}

/// Runs to a second of the drill, barriers put up by a person at second 5.
fn run(rehearsal: &mut Rehearsal, until_s: f64, threads: usize) {
    while rehearsal.now_s() < until_s {
        if rehearsal.now_s() == 5.0 {
            let deed = Deed::Act { action: "barriers".into(), name: "anna".into() };
            rehearsal.act(deed).unwrap();
        }
        assert!(rehearsal.step(threads).unwrap());
        rehearsal.take_events();
    }
}

#[test]
fn threads_saved_states_and_branches_change_nothing() {
    let mut one = fresh();
    run(&mut one, 40.0, 1);
    let mut two = fresh();
    run(&mut two, 20.0, 2);
    let mut restored = Rehearsal::restore(site(), &two.save().unwrap()).unwrap();
    assert_eq!(restored.hash(), two.hash(), "what is restored is what was saved");
    run(&mut two, 40.0, 2);
    run(&mut restored, 40.0, 1);
    assert_eq!((two.hash(), restored.hash()), (one.hash(), one.hash()));
    let mut other = Rehearsal::from_scene(site(), 8).unwrap();
    run(&mut other, 40.0, 1);
    assert_ne!(other.hash(), one.hash(), "another seed is another run");

    // A player that has seen it all can go back to any barrier, and the same happens again.
    let mut player = Player::new(fresh());
    while player.rehearsal().now_s() < 40.0 {
        if player.rehearsal().now_s() == 5.0 {
            let deed = Deed::Act { action: "barriers".into(), name: "anna".into() };
            player.rehearsal_mut().act(deed).unwrap();
        }
        player.step(2).unwrap();
    }
    let mut shares = Vec::new();
    let mut branch = player
        .branch(20.0)
        .unwrap()
        .run(1, &mut |share| {
            shares.push(share);
            true
        })
        .unwrap();
    assert_eq!(branch.now_s(), 20.0);
    assert!(shares.len() == 20 && shares[19] == 1.0);
    run(&mut branch, 40.0, 1);
    assert_eq!(branch.hash(), one.hash(), "a branch in which the same is done comes to the same");
    assert!(player.branch(41.0).is_err(), "the future has not come");
    assert!(player.branch(20.0).unwrap().run(1, &mut |_| false).is_err(), "called off");
    let (at_s, frames) = player.frames_at(37.0).unwrap();
    assert_eq!((at_s, frames.len()), (30.0, 3));

    let mut spoilt = two.save().unwrap();
    spoilt[40] ^= 1;
    assert!(Rehearsal::restore(site(), &spoilt).is_err());
    assert!(Rehearsal::restore(site(), &spoilt[..100]).is_err());
}

#[test]
fn decisions_have_their_effect_and_are_on_the_record() {
    let mut rehearsal = fresh();
    let unknown = rehearsal.act(Deed::Act { action: "nope".into(), name: "anna".into() });
    assert_eq!(unknown, Err(DeedError::Drill(Refusal::Unknown("nope".into()))));
    rehearsal.act(Deed::Decline { action: "move-up".into(), name: "anna".into() }).unwrap();
    run(&mut rehearsal, 80.0, 2);
    let again = rehearsal.act(Deed::Act { action: "gates".into(), name: "anna".into() });
    assert_eq!(again, Err(DeedError::Drill(Refusal::UnderWay("gates".into()))), "an event began it");
    let play = rehearsal.play();
    let begun = |action: &str| {
        let index = rehearsal.drill().action(action).unwrap();
        play.begun.iter().find(|b| b.action == index).cloned()
    };
    let barriers = begun("barriers").unwrap();
    assert_eq!(barriers.by, By::Person { name: "anna".into() });
    assert_eq!((barriers.from_s, barriers.done_s), (Some(5.0), Some(35.0)), "three guards for half a minute");
    assert!(rehearsal.flood().unwrap().barriers().iter().all(|b| b.up), "they report themselves up");
    let gates = begun("gates").unwrap();
    assert!(gates.from_s.unwrap() >= 30.0 && gates.done_s.is_none(), "begun by the rain: {gates:?}");
    assert_eq!(begun("move-up"), None, "somebody decided against it");
    let warn = begun("warn").unwrap();
    assert_eq!(warn.by, By::Player, "nobody warned, so the stand-in did");
    assert_eq!(play.level, Some(0));
    assert_eq!(play.messages.len(), 1);
    assert_eq!(rehearsal.deeds().len(), 2);
}

#[test]
fn commands_of_a_rehearsal_end_in_its_devices() {
    let mut rehearsal = fresh();
    let live = rehearsal.world().fork();
    let point = campus().point_id("net/storm/main-8/pump-on").unwrap();
    let intent = Intent {
        point,
        priority: Priority::new(8).unwrap(),
        value: Some(Value::Bool(true)),
        expires: None,
        actor: Actor::Person("anna".into()),
        reason: "test".into(),
    };
    let input = Input::Intend { intent: Box::new(intent) };
    rehearsal.act(Deed::World { input: input.clone() }).unwrap();
    run(&mut rehearsal, 10.0, 2);
    let running = campus().point_id("net/storm/main-8/pump-running").unwrap();
    assert_eq!(
        rehearsal.world().reading(running).unwrap().value,
        Value::Bool(true),
        "the device model obeyed"
    );
    assert!(live.arrays().next().is_none(), "what it was forked from was told nothing");
    let samples = Deed::World { input: Input::Samples { samples: Vec::new() } };
    assert_eq!(rehearsal.act(samples), Err(DeedError::NotForPeople));
    // A rehearsal from a world goes on with what is commanded there.
    let mut commanded = live.fork();
    commanded.apply(&input, &mut Vec::new()).unwrap();
    let mut from_world = Rehearsal::from_world(site(), &commanded, 7).unwrap();
    run(&mut from_world, 10.0, 2);
    assert_eq!(from_world.world().reading(running).unwrap().value, Value::Bool(true));
}

#[test]
fn what_came_of_it_is_told_in_both_languages() {
    let mut with = fresh();
    run(&mut with, 120.0, 2);
    assert!(with.is_over() && !with.step(1).unwrap());
    let with = Outcome::of(&mut with);
    let mut without = fresh();
    while without.step(2).unwrap() {
        without.take_events();
    }
    assert_eq!(
        without.act(Deed::Act { action: "cut".into(), name: "a".into() }),
        Err(DeedError::Drill(Refusal::Over))
    );
    let without = Outcome::of(&mut without);
    assert_eq!(with.people.people, 2070);
    let water = with.water.as_ref().unwrap();
    assert!(
        water.balance_m3.iter().any(|(name, m3)| name == "error" && m3.abs() < 1e-6),
        "{:?}",
        water.balance_m3
    );
    assert!(
        with.rows.len() == 3 && with.rows[2].arrived > 50,
        "those told to have moved up: {:?}",
        with.rows
    );
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), with);
    for (lang, expected) in [
        (ReportLang::Zh, ["小演练", "评分", "决策与预案对照"]),
        (ReportLang::En, ["Small drill", "Score", "Decisions against the plan"]),
    ] {
        let page = report(&with, lang);
        assert!(expected.iter().all(|e| page.contains(e)), "{lang:?}");
        assert!(page.contains("data:image/png;base64,") && !page.contains("http"), "it needs nothing else");
        let compared = comparison(&with, &without, lang);
        assert!(compared.matches("class=\"run\"").count() >= 2 * 6, "both runs side by side");
    }
}

#[test]
fn every_engine_keeps_the_contract() {
    let site = site();
    let flood = Case::<campanile_flood::Flood> {
        input: site.flood.as_ref().unwrap().input.clone(),
        changes: vec![
            (2, campanile_flood::Change::Rain(3e-5)),
            (8, campanile_flood::Change::Barrier { id: "site/barrier-low-corner".into(), up: true }),
        ],
        steps: 16,
        dt_s: 1.0,
    };
    assert_eq!(breaches(&flood), Vec::<String>::new());
    let input = site.crowd.as_ref().unwrap().input.clone();
    let group = input.groups.iter().find(|g| g.id.starts_with("teaching-a/1f/")).unwrap().id.clone();
    let crowd = Case::<campanile_crowd::Crowd> {
        changes: vec![
            (1, campanile_crowd::Change::Send { group: group.clone(), goals: vec!["site/main-gate".into()] }),
            (20, campanile_crowd::Change::Hold { group }),
        ],
        input,
        steps: 30,
        dt_s: 1.0,
    };
    assert_eq!(breaches(&crowd), Vec::<String>::new());
}

#[test]
fn layers_fit_what_they_are_said_to_be() {
    let rehearsal = fresh();
    let infos = layers::infos(&site());
    let states = layers::states(&rehearsal);
    assert_eq!(infos.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["water", "rooms", "people"]);
    let counts: Vec<usize> = infos
        .iter()
        .map(|info| match &info.shape {
            campanile_protocol::LayerShape::Grid { nx, ny, .. } => (nx * ny) as usize,
            campanile_protocol::LayerShape::Zones { spaces, fields } => spaces.len() * fields.len(),
            campanile_protocol::LayerShape::Agents { kinds, .. } => {
                kinds.iter().map(|k| k.count as usize).sum()
            }
        })
        .collect();
    assert_eq!(counts, states.iter().map(campanile_protocol::LayerState::count).collect::<Vec<_>>());
}

#[test]
fn what_is_wrong_with_a_drill_is_named_with_its_line() {
    let good = include_str!("small.toml");
    let cases = [
        ("start = \"2026-06-24T09:00\"", "start = \"soon\"", "is no local time"),
        ("level = \"yellow\" }", "level = \"yelow\" }", "Did you mean 'yellow'?"),
        (
            "role = \"guards\"\npeople = 3\nminutes = 0.5",
            "role = \"guards\"\npeople = 9\nminutes = 0.5",
            "it takes 9 people",
        ),
        ("[\"site/*/barrier-up\"]", "[\"site/*/barier-up\"]", "matches no point that can be commanded"),
        ("net/electricity/canteen", "net/electricity/kanteen", "matches no node of an electricity network"),
        ("when = { at_min = 0.5 }", "when = { }", "the condition says nothing"),
        ("good = 0\nbad = 100", "good = 200\nbad = 100", "good lies below bad"),
        ("water = \"river\"", "water = \"rivver\"", "Did you mean 'river'?"),
        ("duration_min = 2", "duration_min = 2\nsurprise = 1", "surprise"),
    ];
    for (from, to, expected) in cases {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let problems = Drill::read(Path::new("small.toml"), &text, &campus()).unwrap_err();
        let said = problems.to_string();
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(matches!(problems.0[0].place, campanile_model::Place::Line { .. }), "{said}");
    }
}

/// The classes of two ground floors go up by three stairs each, and nobody is left before a door.
#[test]
fn everybody_who_is_sent_up_comes_there() {
    use campanile_crowd::{Change, Crowd};
    let site = site();
    let input = &site.crowd.as_ref().unwrap().input;
    let mut crowd = Crowd::new(input.clone()).unwrap();
    for block in ["teaching-a", "teaching-b"] {
        let up = format!("{block}/2f/");
        let goals: Vec<String> =
            input.goals.iter().map(|g| g.id.clone()).filter(|id| id.starts_with(&up)).collect();
        for group in input.groups.iter().filter(|g| g.id.starts_with(&format!("{block}/1f/"))) {
            crowd.apply(&Change::Send { group: group.id.clone(), goals: goals.clone() }).unwrap();
        }
    }
    let sent = crowd.under_way();
    while crowd.under_way() > 0 && crowd.time_s() < 600.0 {
        crowd.step(2.0, 2);
    }
    assert!(sent > 300, "{sent}");
    assert_eq!(crowd.under_way(), 0, "of {sent} still on their way after ten minutes");
}
