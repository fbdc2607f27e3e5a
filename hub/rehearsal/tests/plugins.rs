//! Plugins in rehearsals: the same whatever becomes of their instances, saved, branched; and a director of a drill. The
//! plugins are scripts; where their interpreter is missing these tests say so and skip.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use campanile_formats::Epw;
use campanile_model::{Campus, Timestamp, Value};
use campanile_plugins::{Approval, Budget, NoPast, Package, Runtime, Saved, Seat, extended, shipped_dir};
use campanile_rehearsal::{Deed, Drill, KeptSeat, Player, Rehearsal, Site, Trial, director};

/// A quarter past nine on a school day in June.
const NOON: Timestamp = Timestamp(1_782_263_700_000_000);
const SETPOINT: &str = "teaching-a/2f/203/ac/setpoint";

fn can_run() -> bool {
    let dir = shipped_dir();
    let there = dir.as_ref().is_some_and(|dir| dir.join("rhai-rule.wasm").is_file());
    if !there {
        println!("skipped: {dir:?} has no rhai-rule.wasm (built by scripts/guests.sh)");
    }
    there
}

fn weather() -> Epw {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school/weather.epw");
    campanile_formats::epw::read(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn plain_campus() -> Campus {
    campanile_model::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school"))
        .unwrap()
}

fn runtime() -> Arc<Runtime> {
    static RUNTIME: OnceLock<Arc<Runtime>> = OnceLock::new();
    RUNTIME.get_or_init(|| Arc::new(Runtime::new(None).unwrap())).clone()
}

/// A rule that counts samples and ticks, commands, looks back, raises an alarm and derives a point.
fn package() -> Package {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("plugin.toml"),
        r#"
format = "campanile-plugin/1"
id = "watch"
version = "1.0.0"
api = "0.1.0"
kind = "rule"
zh-CN = "看"
en = "Watch"
summary = { zh-CN = "看。", en = "Watches." }
vendor = "Tinglan"
script = { interpreter = "rhai", file = "main.rhai" }
[subscribe]
points = ["teaching-a/2f/*/co2"]
tick_s = 300
[capability]
read = ["teaching-a/2f/*/co2", "teaching-a/2f/*/ac/setpoint"]
command = { points = ["teaching-a/2f/*/ac/setpoint"], priority = [12, 12] }
history = true
[[derived]]
id = "heard"
zh-CN = "听到"
en = "Heard"
[[alarm]]
id = "stuffy"
zh-CN = "闷"
en = "Stuffy"
priority = "low"
[[record]]
id = "half-hour"
zh-CN = "半小时"
en = "Half an hour"
fields = { mean = "number" }
"#,
    )
    .unwrap();
    std::fs::write(
        dir.path().join("main.rhai"),
        r#"
fn on_samples(samples) {
    let n = store::get("n");
    if n == () { n = 0; }
    for s in samples {
        n += 1;
        let entity = s.path; entity.replace("/co2", "");
        if s.number > 900.0 { alarms::raise("stuffy", entity, words("闷", "Stuffy")); }
        if s.number < 700.0 { alarms::clear("stuffy", entity); }
    }
    store::set("n", n);
    points::publish([#{ id: "heard", value: n.to_float(), quality: "good" }]);
}
fn on_tick(now) {
    let point = points::by_path("teaching-a/2f/203/co2").point;
    let sum = 0.0;
    let count = 0;
    for b in history::buckets(point, now - 1800000000, now, 1800.0) { sum += b.sum; count += b.count; }
    if count == 0 { return; }
    records::append("half-hour", #{ mean: sum / count.to_float() });
    let set = points::by_path("teaching-a/2f/203/ac/setpoint").point;
    commands::one(#{ point: set, value: 24.0 + count % 3, priority: 12, expires_s: 900.0, reason: "a trial" });
}
"#,
    )
    .unwrap();
    Package::pack(dir.path()).unwrap()
}

fn site() -> Arc<Site> {
    static SITE: OnceLock<Arc<Site>> = OnceLock::new();
    SITE.get_or_init(|| {
        let campus = extended(&plain_campus(), [&*package().manifest]);
        Arc::new(Site::plain(Arc::new(campus), NOON, 3600.0, 60.0, weather()))
    })
    .clone()
}

fn seat(saved: Saved) -> Seat {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    let package = PACKAGE.get_or_init(package);
    let approval = Approval::of_all(package, "test");
    let (compiled, grants) = package.ready(&runtime(), site().campus.clone(), &approval).unwrap();
    Seat::new(runtime(), compiled, grants, Budget::Fuel, saved)
}

fn fresh() -> Rehearsal {
    let rehearsal = Rehearsal::from_scene(site(), 7).unwrap();
    rehearsal.with_seats(vec![seat(Saved::default())], Arc::new(NoPast))
}

fn run(rehearsal: &mut Rehearsal, until_s: f64, forgetful: bool) {
    while rehearsal.now_s() < until_s {
        if forgetful {
            rehearsal.seats_mut().iter_mut().for_each(Seat::forget_instance);
        }
        assert!(rehearsal.step(1).unwrap());
        rehearsal.take_events();
    }
}

#[test]
fn a_plugin_is_the_same_whatever_becomes_of_its_instance_and_through_a_save() {
    if !can_run() {
        return;
    }
    let mut one = fresh();
    run(&mut one, 3600.0, false);
    let said = one.take_outcomes();
    assert!(
        said.iter().all(|said| said.outcome.failure.is_none() && said.outcome.error.is_none()),
        "{said:?}"
    );
    let records: Vec<_> = one.plugin_records().map(|r| r.body.to_string()).collect();
    assert!(records.len() >= 10 && records[0] != records[9], "{records:?}");
    let world = one.world();
    let campus = &one.site().campus;
    let heard = world.reading(campus.point_id("plugin/watch/heard").unwrap()).unwrap();
    assert!(heard.value.as_f64().unwrap() > 500.0, "{heard:?}");
    let slot = world.array(campus.point_id(SETPOINT).unwrap()).unwrap().strongest().unwrap().1.clone();
    assert_eq!(slot.actor, campanile_model::Actor::Plugin("watch".into()));
    assert!(!world.notices().is_empty(), "the air of a class gets stuffy in an hour");
    // The devices have heard of the command: what they read back is what was commanded.
    let readback = world.reading(campus.point_id(SETPOINT).unwrap()).unwrap();
    assert_eq!(readback.value, Value::Number(slot.value.as_f64().unwrap()));

    let mut two = fresh();
    run(&mut two, 3600.0, true);
    assert_eq!(one.hash(), two.hash(), "instances are thrown away before each barrier");

    let mut half = fresh();
    run(&mut half, 1800.0, false);
    let kept = half.save().unwrap();
    let mut again = |of: &KeptSeat| (of.plugin == "watch").then(|| seat(of.saved.clone()));
    let mut restored = Rehearsal::restore_with(site(), &kept, Arc::new(NoPast), &mut again).unwrap();
    assert_eq!(restored.hash(), half.hash());
    run(&mut restored, 3600.0, false);
    assert_eq!(restored.hash(), one.hash());
    let gone = Rehearsal::restore(site(), &kept).map(drop).unwrap_err().to_string();
    assert!(gone.contains("'watch' 1.0.0 is not installed"), "{gone}");
}

#[test]
fn a_branch_has_its_plugins_as_they_were() {
    if !can_run() {
        return;
    }
    let mut player = Player::new(fresh());
    for _ in 0..40 {
        player.step(1).unwrap();
        player.rehearsal_mut().take_events();
    }
    let mut branch = player.branch(600.0).unwrap().run(1, &mut |_| true).unwrap();
    let mut straight = fresh();
    run(&mut straight, 600.0, false);
    assert_eq!(branch.hash(), straight.hash());
}

/// A director tells what happens, asks, and hears what was decided; the script is in the folder of its drill.
#[test]
fn a_director_leads_its_drill() {
    if !can_run() {
        return;
    }
    let campus = Arc::new(plain_campus());
    let dir = campus.root_dir.join("drills/rainstorm-50a");
    let text = std::fs::read_to_string(dir.join("drill.toml")).unwrap();
    // The timeline alone: without water and people it takes a moment.
    let text: String = text
        .replace("[flood]", "[flood_]")
        .lines()
        .filter(|line| !line.starts_with("barrier_s"))
        .collect::<Vec<_>>()
        .join("\n");
    let cut = |text: &str, table: &str| match text.split_once(&format!("\n[{table}]")) {
        Some((before, after)) => {
            let rest = after.find("\n[").map_or("", |at| &after[at..]);
            format!("{before}{rest}")
        }
        None => text.to_owned(),
    };
    let text = cut(&cut(&text, "flood_"), "crowd").replacen("duration_min", "barrier_s = 5\nduration_min", 1);
    let drill = Drill::read(&dir.join("drill.toml"), &text, &campus).unwrap();
    let site = Arc::new(Site::build(campus.clone(), drill, None, weather()).unwrap());
    let seat = director(&dir, &campus, || Ok(runtime())).unwrap().unwrap();
    let mut rehearsal = Rehearsal::from_scene(site, 1).unwrap().with_seats(vec![seat], Arc::new(NoPast));
    let decide = |answer| Deed::Decide { question: "parents".into(), answer, name: "anna".into() };
    assert!(rehearsal.act(decide(0)).is_err(), "nothing has been asked yet");
    while rehearsal.step(1).unwrap() {
        rehearsal.take_events();
        let asked = rehearsal.play().asked.first().cloned();
        if asked.is_some_and(|asked| asked.decided.is_none()) {
            assert!(rehearsal.act(decide(7)).is_err(), "there is no such answer");
            rehearsal.act(decide(0)).unwrap();
            assert!(rehearsal.act(decide(0)).is_err(), "it is decided");
        }
    }
    let failed: Vec<_> =
        rehearsal.take_outcomes().into_iter().filter(|s| s.outcome.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let said: Vec<&str> = rehearsal.play().messages.iter().map(|m| m.text.en.as_str()).collect();
    for part in [
        "Extreme rain",
        "35 mm",
        "passed its danger level",
        "Parents wait at the gate",
        "wait in the gym",
        "rain is over",
    ] {
        assert_eq!(said.iter().filter(|said| said.contains(part)).count(), 1, "{part}: {said:?}");
    }
    let hold = rehearsal.drill().action("hold").unwrap();
    assert!(rehearsal.play().is_begun(hold), "what was decided is done");
}

/// A proposal is tried beside the same days without it.
#[test]
fn a_proposal_is_tried_beside_the_same_day_without_it() {
    let change = |value, from_h, to_h| campanile_plugins::Change {
        glob: "teaching-a/**/ac/setpoint".to_owned(),
        value,
        from_h,
        to_h,
    };
    let trial = |changes| Trial {
        campus: Arc::new(plain_campus()),
        weather: weather(),
        start: NOON,
        days: 1,
        seed: 1,
        changes,
    };
    let found = trial(vec![change(20.0, 8.0, 17.0)]).run(&mut |_| true).unwrap();
    assert!(found.with.energy_kwh > found.without.energy_kwh, "to cool to 20 °C takes more: {found:?}");
    assert!(found.without.energy_kwh > 1000.0 && found.without.used_h > 100.0, "{found:?}");
    assert!((0.0..=1.0).contains(&found.with.comfort_share));
    let none = trial(vec![campanile_plugins::Change { glob: "no/such".into(), ..change(1.0, 0.0, 24.0) }]);
    assert!(none.run(&mut |_| true).is_err());
    assert!(trial(vec![change(20.0, 0.0, 1.0)]).run(&mut |_| false).is_err(), "called off");
}

/// The plugins of the house, packed by `scripts/guests.sh`.
fn shipped() -> Vec<Package> {
    let dir = shipped_dir().map(|dir| dir.join("packages"));
    let files = dir.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten();
    let read = |file: std::fs::DirEntry| Package::read(&std::fs::read(file.path()).unwrap()).unwrap();
    let mut packages: Vec<Package> = files.map(read).collect();
    packages.sort_by(|a, b| a.manifest.id.cmp(&b.manifest.id));
    packages
}

/// A day with everything that ships gives the same state twice: in another engine, with instances thrown away, and through
/// a save in the middle of it.
#[test]
fn a_day_with_all_plugins_of_the_house_is_the_same_twice_and_across_restarts() {
    let packages = shipped();
    if packages.len() < 4 {
        println!("skipped: {} of 4 plugins of the house are built (scripts/guests.sh)", packages.len());
        return;
    }
    let campus = Arc::new(extended(&plain_campus(), packages.iter().map(|p| &*p.manifest)));
    let midnight = Timestamp(NOON.0 - (9 * 3600 + 15 * 60) * Timestamp::SECOND);
    let site = Arc::new(Site::plain(campus.clone(), midnight, 86_400.0, 60.0, weather()));
    let seats = |runtime: &Arc<Runtime>, saved: &dyn Fn(&str) -> Option<Saved>| -> Vec<Seat> {
        let seat = |package: &Package| {
            let saved = saved(&package.manifest.id)?;
            let approval = Approval::of_all(package, "test");
            let (compiled, grants) = package.ready(runtime, campus.clone(), &approval).unwrap();
            Some(Seat::new(runtime.clone(), compiled, grants, Budget::Fuel, saved))
        };
        packages.iter().filter_map(seat).collect()
    };
    let cache = tempfile::tempdir().unwrap();
    let fresh = |runtime: &Arc<Runtime>| {
        let rehearsal = Rehearsal::from_scene(site.clone(), 1).unwrap();
        rehearsal.with_seats(seats(runtime, &|_| Some(Saved::default())), Arc::new(NoPast))
    };
    let engine = || Arc::new(Runtime::new(Some(cache.path())).unwrap());
    let mut one = fresh(&engine());
    let mut calls = 0;
    while one.step(1).unwrap() {
        one.take_events();
        for said in one.take_outcomes() {
            calls += 1;
            let of = &packages[said.seat].manifest.id;
            assert_eq!(said.outcome.failure, None, "{of} at {:?}: {:?}", said.time, said.outcome.log);
        }
    }
    assert!(calls > 4 * 24, "each works through the day: {calls}");
    assert!(one.plugin_records().count() > 0, "a day leaves records");

    // Another engine, as after a restart of the program; saved at noon and taken up by a third.
    let mut two = fresh(&engine());
    run(&mut two, 43_200.0, false);
    let kept = two.save().unwrap();
    let third = engine();
    let mut again =
        |of: &KeptSeat| seats(&third, &|id| (id == of.plugin).then(|| of.saved.clone())).into_iter().next();
    let mut restored = Rehearsal::restore_with(site.clone(), &kept, Arc::new(NoPast), &mut again).unwrap();
    assert_eq!(restored.hash(), two.hash());
    run(&mut restored, 86_400.0, false);
    assert_eq!(restored.hash(), one.hash());
}
