use std::sync::Arc;

use campanile_model::{
    Actor, AlarmCondition, AlarmPriority, Intent, Names, Path, PointId, Priority, Quality, Sample, Timestamp,
    Value, ValueType,
};
use proptest::prelude::*;

use crate::*;

const S: i64 = Timestamp::SECOND;

/// Three points: a CO₂ sensor with a high alarm, a setpoint read back by itself, a door contact.
fn schema() -> Arc<Schema> {
    let sensor = PointSpec {
        value_type: ValueType::Number,
        choices: 0,
        range: Some([0.0, 5000.0]),
        stale_after_us: 180 * S,
        by_exception: false,
        resolution: Some(1.0),
        command: None,
    };
    let setpoint = PointSpec {
        range: Some([10.0, 35.0]),
        command: Some(Commandable {
            limits: Some([16.0, 30.0]),
            min_interval_us: 60 * S,
            safe: Value::Number(26.0),
            weakest: Priority::new(14).unwrap(),
            readback: PointId(1),
            interlocks: Vec::new(),
        }),
        ..sensor.clone()
    };
    let contact = PointSpec { value_type: ValueType::Bool, range: None, ..sensor.clone() };
    let rule = RuleSpec {
        id: "a/co2#high".into(),
        point: PointId(0),
        index: 0,
        priority: AlarmPriority::High,
        condition: AlarmCondition::High { limit: 1000.0 },
        other: None,
        deadband: 100.0,
        on_delay_us: 60 * S,
        off_delay_us: 0,
        suppress: None,
    };
    let paths = ["a/co2", "a/setpoint", "a/door"].map(|p| Path::new(p).unwrap()).to_vec();
    Arc::new(Schema::new(vec![sensor, setpoint, contact], paths, vec![rule]))
}

fn world() -> World {
    World::new(schema(), Timestamp(0))
}

fn number(point: u32, time: i64, x: f64) -> Sample {
    Sample { point: PointId(point), time: Timestamp(time), value: Value::Number(x), quality: Quality::Good }
}

fn intent(priority: u8, value: Option<f64>) -> Intent {
    Intent {
        point: PointId(1),
        priority: Priority::new(priority).unwrap(),
        value: value.map(Value::Number),
        expires: None,
        actor: Actor::Person("wang".into()),
        reason: "hot".into(),
    }
}

fn quality(world: &World, point: u32) -> Quality {
    world.reading(PointId(point)).unwrap().quality
}

#[test]
fn a_sample_is_stored_as_far_as_it_can_be_trusted() {
    let mut world = world();
    let mut events = Vec::new();
    world.apply_samples(&[number(0, 10, 600.0)], &mut events);
    assert_eq!(world.reading(PointId(0)).unwrap().value, Value::Number(600.0));
    world.apply_samples(&[number(0, 11, 9000.0)], &mut events);
    assert_eq!(quality(&world, 0), Quality::Uncertain, "outside the valid range");
    world.apply_samples(&[number(0, 5, 700.0)], &mut events);
    assert_eq!(
        world.reading(PointId(0)).unwrap().value,
        Value::Number(9000.0),
        "an older sample is not the newest"
    );
    world.apply_samples(&[number(0, 12, f64::NAN)], &mut events);
    assert_eq!(world.reading(PointId(0)).unwrap().value, Value::Number(9000.0));
    assert_eq!(quality(&world, 0), Quality::Bad);
    world.apply_samples(&[number(2, 1, 1.0), number(77, 1, 1.0)], &mut events);
    assert_eq!(world.reading(PointId(2)), None, "a number is no contact");
    let counts = world.counts();
    assert_eq!((counts.applied, counts.late, counts.refused, counts.not_finite), (3, 1, 2, 1));
    assert_eq!(world.take_dirty(), [PointId(0)]);
    assert_eq!(world.take_dirty(), []);
}

#[test]
fn a_reading_turns_stale_after_three_periods_and_fresh_with_the_next() {
    let mut world = world();
    let mut events = Vec::new();
    world.apply_samples(&[number(0, 10 * S, 600.0)], &mut events);
    world.take_dirty();
    world.tick(Timestamp(190 * S), &mut events);
    assert_eq!(quality(&world, 0), Quality::Good, "exactly at the limit it still holds");
    world.tick(Timestamp(190 * S + 1), &mut events);
    assert_eq!(quality(&world, 0), Quality::Stale);
    assert_eq!(world.take_dirty(), [PointId(0)], "clients are told");
    world.apply_samples(&[number(0, 200 * S, 610.0)], &mut events);
    assert_eq!(quality(&world, 0), Quality::Good);
    world.source_lost(&[PointId(0), PointId(2)], &mut events);
    assert_eq!(quality(&world, 0), Quality::Stale);
    assert_eq!(world.live_points(), 0);
}

#[test]
fn a_source_that_tells_changes_alone_is_stale_when_it_is_lost_and_not_by_silence() {
    let plain = schema();
    let points = plain.points.iter().map(|p| PointSpec { by_exception: true, ..p.clone() }).collect();
    let schema = Schema::new(points, plain.paths.clone(), Vec::new());
    let mut world = World::new(Arc::new(schema), Timestamp(0));
    let mut events = Vec::new();
    world.apply_samples(&[number(0, 10 * S, 600.0)], &mut events);
    world.tick(Timestamp(100_000 * S), &mut events);
    assert_eq!(quality(&world, 0), Quality::Good);
    world.source_lost(&[PointId(0)], &mut events);
    assert_eq!(quality(&world, 0), Quality::Stale);
    // Its birth says the value with the time at which it was measured.
    world.source_back(&[PointId(0)], &mut events);
    world.apply_samples(&[number(0, 10 * S, 600.0)], &mut events);
    assert_eq!(quality(&world, 0), Quality::Good);
}

#[test]
fn the_strongest_slot_wins_and_what_is_not_allowed_is_refused_with_a_reason() {
    let mut world = world();
    let mut events = Vec::new();
    assert_eq!(
        world.effective(PointId(1)),
        Some(Value::Number(26.0)),
        "the safe value where nobody commands"
    );
    world.intend(&intent(12, Some(24.0)), &mut events).unwrap();
    for (bad, words) in [
        (intent(12, Some(15.0)), "outside the limits 16 to 30"),
        (intent(12, Some(f64::NAN)), "finite"),
        (intent(15, Some(20.0)), "weaker than slot 14"),
        (intent(9, None), "slot 9 is empty"),
        (intent(8, Some(22.0)), "too recent"),
        (Intent { reason: " ".into(), ..intent(8, Some(22.0)) }, "a reason"),
        (Intent { point: PointId(0), ..intent(8, Some(22.0)) }, "can't be commanded"),
        (Intent { point: PointId(9), ..intent(8, Some(22.0)) }, "no such point"),
        (Intent { value: Some(Value::Bool(true)), ..intent(8, None) }, "finite number"),
        (Intent { expires: Some(Timestamp(0)), ..intent(8, Some(22.0)) }, "not in the future"),
    ] {
        let why = world.intend(&bad, &mut events).unwrap_err().to_string();
        assert!(why.contains(words), "{why}");
    }
    world.intend(&intent(1, Some(30.0)), &mut events).unwrap();
    assert_eq!(world.effective(PointId(1)), Some(Value::Number(30.0)), "life safety never waits");
    world.tick(Timestamp(60 * S), &mut events);
    world.intend(&intent(1, None), &mut events).unwrap();
    assert_eq!(world.effective(PointId(1)), Some(Value::Number(24.0)), "the weaker slot was kept");
    events.clear();
    world.tick(Timestamp(100 * S), &mut events);
    world.intend(&intent(12, None), &mut events).unwrap();
    assert_eq!(world.effective(PointId(1)), Some(Value::Number(24.0)), "a machine is not switched too often");
    assert!(matches!(events[..], [Event::Command { send: false, .. }]), "{events:?}");
    world.tick(Timestamp(120 * S), &mut events);
    assert_eq!(
        world.effective(PointId(1)),
        Some(Value::Number(26.0)),
        "after the least interval it is let go"
    );
    assert!(matches!(events[..], [_, Event::Command { send: true, .. }]), "{events:?}");
}

#[test]
fn a_slot_expires_and_a_command_is_confirmed_by_reading_back() {
    let mut world = world();
    let mut events = Vec::new();
    world
        .intend(&Intent { expires: Some(Timestamp(100 * S)), ..intent(8, Some(22.0)) }, &mut events)
        .unwrap();
    let confirmation = |world: &World| world.array(PointId(1)).unwrap().confirmation;
    world.apply_samples(&[number(1, 5 * S, 26.0)], &mut events);
    assert_eq!(confirmation(&world), Confirmation::Pending, "the device still has the old value");
    world.apply_samples(&[number(1, 6 * S, 22.0)], &mut events);
    assert_eq!(confirmation(&world), Confirmation::Confirmed);
    events.clear();
    world.tick(Timestamp(100 * S), &mut events);
    let effective = Value::Number(26.0);
    assert_eq!(events, [Event::Command { point: PointId(1), effective, send: true, actor: Actor::System }]);
    world.tick(Timestamp(281 * S), &mut events);
    assert_eq!(confirmation(&world), Confirmation::Unconfirmed, "nothing was read back in time");
}

#[test]
fn every_write_goes_out_and_a_device_that_is_overruled_is_told_of() {
    let mut world = world();
    let mut events = Vec::new();
    let confirmation = |world: &World| world.array(PointId(1)).unwrap().confirmation;
    // 26 is the safe value that the hub assumes: the device may be at another.
    world.intend(&intent(8, Some(26.0)), &mut events).unwrap();
    assert!(matches!(events[..], [Event::Command { send: true, .. }]), "{events:?}");
    world.apply_samples(&[number(1, 5 * S, 26.0)], &mut events);
    assert_eq!(confirmation(&world), Confirmation::Confirmed);
    events.clear();
    world.intend(&intent(12, Some(20.0)), &mut events).unwrap();
    assert!(matches!(events[..], [Event::Command { send: false, .. }]), "a weaker slot is not in force");
    world.apply_samples(&[number(1, 9 * S, 19.0)], &mut events);
    assert_eq!(confirmation(&world), Confirmation::Unconfirmed, "somebody turned the knob at the device");
    world.apply_samples(&[number(1, 10 * S, 26.0)], &mut events);
    assert_eq!(confirmation(&world), Confirmation::Confirmed);
}

#[test]
fn a_clock_set_back_neither_freezes_readings_nor_stretches_commands() {
    let hour = 3600 * S;
    let mut world = World::new(schema(), Timestamp(10 * hour));
    let mut events = Vec::new();
    let until = Timestamp(10 * hour + 100 * S);
    world.intend(&Intent { expires: Some(until), ..intent(8, Some(22.0)) }, &mut events).unwrap();
    world.apply_samples(&[number(0, 10 * hour, 800.0)], &mut events);
    // The machine's clock was an hour ahead.
    world.set_back(Timestamp(9 * hour));
    world.tick(Timestamp(9 * hour + 10 * S), &mut events);
    world.apply_samples(&[number(0, 9 * hour + 10 * S, 900.0)], &mut events);
    assert_eq!(world.reading(PointId(0)).unwrap().value, Value::Number(900.0), "true samples are not late");
    world.tick(Timestamp(9 * hour + 100 * S), &mut events);
    assert_eq!(world.effective(PointId(1)), Some(Value::Number(26.0)), "it held for its hundred seconds");
    world.tick(Timestamp(9 * hour + 200 * S), &mut events);
    assert_eq!(world.reading(PointId(0)).unwrap().quality, Quality::Stale);
}

#[test]
fn an_alarm_goes_through_the_states_of_isa_18_2() {
    let mut world = world();
    let mut events = Vec::new();
    let mut at = |world: &mut World, second: i64, co2: f64| {
        world.tick(Timestamp(second * S), &mut events);
        world.apply_samples(&[number(0, second * S, co2)], &mut events);
        world.alarm(0).unwrap().state
    };
    use AlarmState::{Acknowledged, Normal, ReturnedUnacknowledged, Unacknowledged};
    assert_eq!(at(&mut world, 10, 1200.0), Normal, "the on-delay has begun");
    assert_eq!(at(&mut world, 40, 900.0), Normal, "and was cut short");
    assert_eq!(at(&mut world, 50, 1200.0), Normal);
    assert_eq!(at(&mut world, 110, 1201.0), Unacknowledged);
    assert_eq!(at(&mut world, 120, 950.0), Unacknowledged, "within the deadband");
    assert_eq!(at(&mut world, 130, 899.0), ReturnedUnacknowledged);
    let mut later = Vec::new();
    assert!(world.acknowledge(0, "wang", "opened a window", &mut later));
    assert_eq!(world.alarm(0).unwrap().state, Normal);
    assert!(!world.acknowledge(0, "wang", "", &mut later), "there is nothing to acknowledge");
    world.apply_samples(&[number(0, 140 * S, 1500.0)], &mut later);
    world.tick(Timestamp(300 * S), &mut later);
    assert_eq!(world.alarm(0).unwrap().state, Unacknowledged, "the delay runs without new samples");
    assert!(world.acknowledge(0, "wang", "", &mut later));
    assert_eq!(world.alarm(0).unwrap().state, Acknowledged);
    assert!(world.shelve(0, Timestamp(400 * S), "wang", "being mended", &mut later));
    assert!(
        !world.shelve(0, Timestamp(300 * S), "wang", "being mended", &mut later),
        "the past is no expiry"
    );
    world.apply_samples(&[number(0, 390 * S, 1500.0)], &mut later);
    world.tick(Timestamp(400 * S), &mut later);
    assert_eq!(world.alarm(0).unwrap().state, Unacknowledged, "it comes back when the shelf is over");
}

#[test]
fn what_is_saved_is_restored() {
    let mut one = world();
    let mut events = Vec::new();
    one.intend(&intent(8, Some(22.0)), &mut events).unwrap();
    one.apply_samples(&[number(0, S, 2000.0)], &mut events);
    one.tick(Timestamp(70 * S), &mut events);
    let text = serde_json::to_string(&one.save()).unwrap();
    let mut other = World::new(schema(), Timestamp(70 * S));
    assert_eq!(other.restore(serde_json::from_str(&text).unwrap()), Vec::<String>::new());
    assert_eq!(other.effective(PointId(1)), Some(Value::Number(22.0)));
    assert_eq!(other.alarm(0), one.alarm(0));
    let strangers = Saved {
        commands: vec![(Path::new("gone/x").unwrap(), one.array(PointId(1)).unwrap().clone())],
        ..Saved::default()
    };
    assert_eq!(other.restore(strangers), ["gone/x"]);
}

fn input() -> impl Strategy<Value = Input> {
    let sample = (0u32..4, 0i64..600, prop_oneof![0.0..3000.0, Just(f64::NAN)])
        .prop_map(|(point, second, x)| number(point, second * S, x));
    prop_oneof![
        4 => prop::collection::vec(sample, 0..8).prop_map(|samples| Input::Samples { samples }),
        2 => (0i64..900).prop_map(|s| Input::Tick { now: Timestamp(s * S) }),
        1 => (1u8..=16, prop::option::of(10.0..35.0)).prop_map(|(p, v)| Input::Intend { intent: Box::new(intent(p, v)) }),
        1 => Just(Input::Acknowledge { rule: 0, by: "wang".into(), comment: "".into() }),
        1 => (0i64..900).prop_map(|s| Input::Shelve { rule: 0, until: Timestamp(s * S), by: "wang".into(), reason: "mended".into() }),
        1 => any::<bool>().prop_map(|out| Input::OutOfService { rule: 0, who: out.then(|| ("wang".into(), "mended".into())) }),
        1 => Just(Input::SourceLost { points: [PointId(0), PointId(2)].into() }),
        1 => (0i64..900).prop_map(|s| Input::SetBack { now: Timestamp(s * S) }),
    ]
}

fn run(world: &mut World, inputs: &[Input], one_by_one: bool) -> Vec<Event> {
    let mut events = Vec::new();
    for input in inputs {
        match input {
            Input::Samples { samples } if one_by_one => {
                samples.chunks(1).for_each(|one| world.apply_samples(one, &mut events));
            }
            other => drop(world.apply(other, &mut events)),
        }
    }
    events
}

proptest! {
    #[test]
    fn the_same_inputs_give_the_same_state_however_they_are_cut(inputs in prop::collection::vec(input(), 0..40)) {
        let (mut a, mut b) = (world(), world());
        let events = run(&mut a, &inputs, false);
        prop_assert_eq!(run(&mut b, &inputs, true), events);
        prop_assert_eq!(a.hash(), b.hash());
    }

    #[test]
    fn a_record_replays_to_the_same_state_from_any_moment(before in prop::collection::vec(input(), 0..20), after in prop::collection::vec(input(), 0..20)) {
        let mut world = world();
        run(&mut world, &before, false);
        let mut bytes = Vec::new();
        let mut recorder = Recorder::start(&mut bytes, "a", &world).unwrap();
        for input in &after {
            recorder.input(input).unwrap();
            let _ = world.apply(input, &mut Vec::new());
            recorder.hash(&mut world).unwrap();
        }
        let (_, did) = replay(&bytes[..], "a", &schema(), |_| true).unwrap();
        prop_assert_eq!(did.first_different, None);
        prop_assert_eq!(did.hashes_equal, after.len() as u64);
        prop_assert_eq!(did.hash, world.hash().iter().map(|b| format!("{b:02x}")).collect::<String>());
    }

    #[test]
    fn a_fork_lives_its_own_life(before in prop::collection::vec(input(), 0..20), after in prop::collection::vec(input(), 1..20)) {
        let mut trunk = world();
        run(&mut trunk, &before, false);
        let held = trunk.hash();
        let mut fork = trunk.fork();
        prop_assert_eq!(fork.hash(), held);
        run(&mut fork, &after, false);
        prop_assert_eq!(trunk.hash(), held, "the fork wrote into its trunk");
        let mut again = trunk.fork();
        run(&mut again, &after, false);
        prop_assert_eq!(again.hash(), fork.hash());
    }

    #[test]
    fn the_value_in_force_is_the_strongest_slots(inputs in prop::collection::vec(input(), 0..40)) {
        let mut world = world();
        run(&mut world, &inputs, false);
        let expected = world.array(PointId(1)).and_then(|a| a.slots.iter().flatten().next().map(|s| s.value.clone()));
        let expected = expected.unwrap_or(Value::Number(26.0));
        let array = world.array(PointId(1)).cloned();
        let held = array.as_ref().and_then(|a| a.held.as_ref());
        prop_assert!(held.is_none_or(|h| h.until.0 <= array.as_ref().unwrap().changed.0 + 60 * S), "no longer than the interval");
        prop_assert_eq!(world.effective(PointId(1)), Some(held.map_or(expected.clone(), |h| h.value.clone())));
        world.tick(Timestamp(2000 * S), &mut Vec::new());
        prop_assert_eq!(world.effective(PointId(1)), Some(expected), "in the end the strongest slot's");
    }
}

#[test]
fn the_hash_sees_every_kind_of_change() {
    let mut seen = std::collections::BTreeSet::new();
    let mut world = world();
    let mut events = Vec::new();
    seen.insert(world.hash());
    world.tick(Timestamp(S), &mut events);
    assert!(seen.insert(world.hash()), "the clock");
    world.apply_samples(&[number(0, S, 0.0)], &mut events);
    assert!(seen.insert(world.hash()), "a reading");
    world.apply_samples(&[number(0, S, -0.0)], &mut events);
    assert!(seen.insert(world.hash()), "the sign of zero");
    world.intend(&intent(8, Some(22.0)), &mut events).unwrap();
    assert!(seen.insert(world.hash()), "a command");
    world.shelve(0, Timestamp(90 * S), "wang", "being mended", &mut events);
    assert!(seen.insert(world.hash()), "an alarm");
}

/// A world of one number `a/x`, a switch `a/run` with a least interval, and the rules given.
fn plant(rules: Vec<(AlarmCondition, Option<SuppressSpec>)>, interlocks: Vec<LockSpec>) -> World {
    let number = PointSpec {
        value_type: ValueType::Number,
        choices: 0,
        range: None,
        stale_after_us: 600 * S,
        by_exception: false,
        resolution: None,
        command: None,
    };
    let command = Commandable {
        limits: None,
        min_interval_us: 0,
        safe: Value::Bool(false),
        weakest: Priority::new(16).unwrap(),
        readback: PointId(1),
        interlocks,
    };
    let run = PointSpec { value_type: ValueType::Bool, command: Some(command), ..number.clone() };
    let rules = rules.into_iter().enumerate().map(|(index, (condition, suppress))| RuleSpec {
        id: format!("a/x#{index}").into(),
        point: PointId(0),
        index,
        priority: if index == 1 { AlarmPriority::High } else { AlarmPriority::Low },
        condition,
        other: None,
        deadband: 1.0,
        on_delay_us: 0,
        off_delay_us: 0,
        suppress,
    });
    let paths = ["a/x", "a/run"].map(|p| Path::new(p).unwrap()).to_vec();
    World::new(Arc::new(Schema::new(vec![number, run], paths, rules.collect())), Timestamp(0))
}

fn running(on: bool, second: i64) -> Sample {
    Sample { point: PointId(1), time: Timestamp(second * S), value: Value::Bool(on), quality: Quality::Good }
}

fn states(world: &World) -> Vec<AlarmState> {
    world.alarms().iter().map(|a| a.state).collect()
}

#[test]
fn a_rise_and_a_fall_within_a_time_raise_and_a_slow_change_does_not() {
    let change = campanile_model::Change { by: 5.0, within_s: 60.0 };
    let mut world =
        plant(vec![(AlarmCondition::Rises(change), None), (AlarmCondition::Falls(change), None)], vec![]);
    let mut at = |second: i64, x: f64| {
        world.apply_samples(&[number(0, second * S, x)], &mut Vec::new());
        states(&world)
    };
    assert_eq!(at(0, 20.0), [AlarmState::Normal; 2]);
    assert_eq!(at(50, 24.0), [AlarmState::Normal; 2]);
    assert_eq!(at(100, 28.0), [AlarmState::Normal; 2], "8 in 100 s, 4 in 60 s");
    assert_eq!(
        at(110, 29.5),
        [AlarmState::Unacknowledged, AlarmState::Normal],
        "5.5 above the lowest of the last minute"
    );
    assert_eq!(at(110, 28.5), [AlarmState::Unacknowledged, AlarmState::Normal], "within the deadband");
    assert_eq!(at(130, 24.0), [AlarmState::ReturnedUnacknowledged, AlarmState::Unacknowledged]);
}

#[test]
fn a_change_begun_before_a_restart_is_seen_after_it() {
    let change = |within_s| campanile_model::Change { by: 5.0, within_s };
    let rules =
        || vec![(AlarmCondition::Rises(change(60.0)), None), (AlarmCondition::Falls(change(30.0)), None)];
    let before: Vec<_> = [
        (10, 30.0, Quality::Good),
        (40, 20.0, Quality::Uncertain),
        (50, 0.0, Quality::Bad),
        (60, 22.0, Quality::Good),
    ]
    .map(|(second, x, quality)| (Timestamp(second * S), Value::Number(x), quality))
    .to_vec();
    let mut world = plant(rules(), vec![]);
    assert_eq!(world.looks_back(), [(PointId(0), 60 * S)].into(), "the longest");
    let hash = world.hash();
    world.look_back(PointId(1), &before);
    assert_eq!(world.hash(), hash, "no rule of that point looks at changes");
    world.look_back(PointId(0), &before);
    assert_eq!((world.reading(PointId(0)), states(&world)), (None, vec![AlarmState::Normal; 2]));
    // The newest comes again with the last values.
    world.apply_samples(&[number(0, 60 * S, 22.0)], &mut Vec::new());
    assert_eq!(states(&world), [AlarmState::Normal; 2]);
    world.apply_samples(&[number(0, 80 * S, 25.5)], &mut Vec::new());
    assert_eq!(states(&world), [AlarmState::Unacknowledged, AlarmState::Normal], "5.5 above that at 40 s");
    let mut without = plant(rules(), vec![]);
    without.apply_samples(&[number(0, 60 * S, 22.0), number(0, 80 * S, 25.5)], &mut Vec::new());
    assert_eq!(states(&without), [AlarmState::Normal; 2], "who has forgotten does not see it");
}

#[test]
fn what_cannot_be_trusted_raises_the_rule_that_watches_for_it() {
    let mut world = plant(
        vec![
            (AlarmCondition::Quality { worst: Quality::Bad }, None),
            (AlarmCondition::Quality { worst: Quality::Uncertain }, None),
        ],
        vec![],
    );
    let mut events = Vec::new();
    let unsure = Sample { quality: Quality::Uncertain, ..number(0, S, 1.0) };
    world.apply_samples(&[unsure], &mut events);
    assert_eq!(states(&world), [AlarmState::Normal, AlarmState::Unacknowledged]);
    world.apply_samples(&[number(0, 2 * S, f64::NAN)], &mut events);
    assert_eq!(states(&world), [AlarmState::Unacknowledged; 2], "not a number is bad");
    world.apply_samples(&[number(0, 3 * S, 1.0)], &mut events);
    assert_eq!(states(&world), [AlarmState::ReturnedUnacknowledged; 2]);
}

#[test]
fn low_pressure_means_nothing_while_the_pump_is_off_and_a_moment_after() {
    let off = Condition { point: PointId(1), test: campanile_model::ValueTest::Is(Value::Bool(false)) };
    let suppress = Some(SuppressSpec { when: off, hold_us: 30 * S });
    let mut world = plant(vec![(AlarmCondition::Low { limit: 100.0 }, suppress)], vec![]);
    let mut events = Vec::new();
    world.apply_samples(&[running(false, 1), number(0, 2 * S, 10.0)], &mut events);
    assert_eq!(states(&world), [AlarmState::Suppressed]);
    assert_eq!(&*world.alarm(0).unwrap().suppression.as_ref().unwrap().by, "a/run");
    assert!(!world.acknowledge(0, "wang", "", &mut events), "there is nothing to acknowledge");
    world.tick(Timestamp(10 * S), &mut events);
    world.apply_samples(&[running(true, 10)], &mut events);
    world.tick(Timestamp(39 * S), &mut events);
    assert_eq!(states(&world), [AlarmState::Suppressed], "the pump gets its time to build pressure up");
    world.tick(Timestamp(40 * S), &mut events);
    assert_eq!(states(&world), [AlarmState::Unacknowledged], "and did not");
    world.apply_samples(&[running(false, 50)], &mut events);
    world.apply_samples(&[number(0, 55 * S, 200.0)], &mut events);
    world.apply_samples(&[running(true, 60)], &mut events);
    world.tick(Timestamp(120 * S), &mut events);
    assert_eq!(states(&world), [AlarmState::Normal], "what ended while it was hidden asks nobody");
}

#[test]
fn the_loss_of_a_source_is_told_once_and_what_stays_silent_counts_for_itself() {
    let stale = || (AlarmCondition::Stale, None);
    let mut world = plant(vec![stale(), stale(), stale()], vec![]);
    let mut events = Vec::new();
    world.apply_samples(&[number(0, S, 1.0)], &mut events);
    world.source_lost(&[PointId(0)], &mut events);
    use AlarmState::*;
    assert_eq!(states(&world), [Suppressed, Unacknowledged, Suppressed], "the most urgent stands for all");
    assert_eq!(&*world.alarm(0).unwrap().suppression.as_ref().unwrap().by, "a/x#1");
    let mut heard = world.fork();
    heard.source_back(&[PointId(0)], &mut events);
    heard.apply_samples(&[number(0, 2 * S, 1.0)], &mut events);
    assert_eq!(states(&heard), [Normal, ReturnedUnacknowledged, Normal]);
    world.tick(Timestamp(10 * S), &mut events);
    world.source_back(&[PointId(0)], &mut events);
    world.tick(Timestamp(609 * S), &mut events);
    assert_eq!(states(&world), [Suppressed, Unacknowledged, Suppressed]);
    world.tick(Timestamp(610 * S), &mut events);
    assert_eq!(states(&world), [Unacknowledged; 3], "the source is back and this point was not heard");
}

#[test]
fn out_of_service_hides_more_than_the_shelf_and_what_comes_out_while_it_holds_is_new() {
    let mut world = plant(vec![(AlarmCondition::High { limit: 10.0 }, None)], vec![]);
    let mut events = Vec::new();
    world.apply_samples(&[number(0, S, 20.0)], &mut events);
    world.acknowledge(0, "wang", "", &mut events);
    assert!(world.shelve(0, Timestamp(100 * S), "wang", "being mended", &mut events));
    assert!(world.set_out_of_service(0, Some(("li", "replaced")), &mut events));
    assert_eq!(states(&world), [AlarmState::OutOfService]);
    world.tick(Timestamp(50 * S), &mut events);
    assert!(world.set_out_of_service(0, None, &mut events));
    assert!(!world.set_out_of_service(0, None, &mut events), "it is in service already");
    assert_eq!(states(&world), [AlarmState::Shelved], "the shelf has not ended");
    assert!(world.unshelve(0, &mut events));
    assert!(!world.unshelve(0, &mut events));
    assert_eq!(states(&world), [AlarmState::Unacknowledged]);
    assert_eq!(world.alarm(0).unwrap().acknowledged, None);
}

fn write(priority: u8, on: bool) -> Intent {
    Intent {
        point: PointId(1),
        priority: Priority::new(priority).unwrap(),
        value: Some(Value::Bool(on)),
        expires: None,
        actor: Actor::Person("wang".into()),
        reason: "test".into(),
    }
}

#[test]
fn an_interlock_refuses_with_its_name_and_what_cannot_be_seen_to_be_safe_is_not() {
    let lock = |block_unknown| LockSpec {
        id: "dry".into(),
        names: campanile_model::Names::new("集水坑无水", "the sump is dry"),
        when: Condition { point: PointId(0), test: campanile_model::ValueTest::Below(0.2) },
        forbid: Some(Value::Bool(true)),
        trip: None,
        block_unknown,
    };
    let mut events = Vec::new();
    let mut world = plant(vec![], vec![lock(true)]);
    let why = world.intend(&write(8, true), &mut events).unwrap_err().to_string();
    assert!(why.contains("can't be known") && why.contains("集水坑无水 / the sump is dry"), "{why}");
    world.apply_samples(&[number(0, S, 0.1)], &mut events);
    assert!(matches!(
        world.intend(&write(8, true), &mut events),
        Err(Refusal::Interlocked { unknown: false, .. })
    ));
    world.intend(&write(8, false), &mut events).unwrap();
    world.intend(&write(2, true), &mut events).unwrap();
    world.apply_samples(&[number(0, 2 * S, 0.3)], &mut events);
    world.intend(&write(8, true), &mut events).unwrap();
    let mut trusting = plant(vec![], vec![lock(false)]);
    trusting.intend(&write(8, true), &mut events).unwrap();
}

#[test]
fn an_interlock_takes_a_point_over_for_as_long_as_it_holds() {
    let lock = LockSpec {
        id: "gas".into(),
        names: campanile_model::Names::new("燃气泄漏", "gas leak"),
        when: Condition { point: PointId(0), test: campanile_model::ValueTest::Above(20.0) },
        forbid: None,
        trip: Some(Value::Bool(false)),
        block_unknown: true,
    };
    let mut world = plant(vec![], vec![lock]);
    let mut events = Vec::new();
    world.intend(&write(8, true), &mut events).unwrap();
    world.apply_samples(&[number(0, S, 30.0)], &mut events);
    assert_eq!(
        world.effective(PointId(1)),
        Some(Value::Bool(false)),
        "the valve shuts, over the operator's wish"
    );
    assert!(
        matches!(world.intend(&write(5, true), &mut events), Err(Refusal::Interlocked { .. })),
        "its slot is its own"
    );
    let relinquish = Intent { value: None, ..write(5, false) };
    assert!(matches!(world.intend(&relinquish, &mut events), Err(Refusal::Interlocked { .. })));
    world.source_lost(&[PointId(0)], &mut events);
    assert_eq!(
        world.effective(PointId(1)),
        Some(Value::Bool(false)),
        "no word of the sensor is no all-clear"
    );
    world.intend(&write(1, true), &mut events).unwrap();
    assert_eq!(world.effective(PointId(1)), Some(Value::Bool(true)), "life safety is stronger");
    world.intend(&Intent { value: None, ..write(1, true) }, &mut events).unwrap();
    world.apply_samples(&[number(0, 2 * S, 3.0)], &mut events);
    assert_eq!(world.effective(PointId(1)), Some(Value::Bool(true)), "the operator's wish holds again");
}

#[test]
fn a_record_that_is_not_one_or_is_damaged_is_refused_and_a_cut_one_replays_as_far_as_it_goes() {
    let mut world = world();
    let mut bytes = Vec::new();
    let mut recorder = Recorder::start(&mut bytes, "a", &world).unwrap();
    for second in 1..5 {
        let samples = [number(0, second * S, second as f64)];
        recorder.samples(&samples).unwrap();
        world.apply_samples(&samples, &mut Vec::new());
    }
    recorder.hash(&mut world).unwrap();
    let again = |bytes: &[u8]| replay(bytes, "a", &schema(), |_| true).map(|(_, did)| did);
    assert_eq!(again(&bytes).unwrap().samples, 4);
    assert!(matches!(again(b"timestamp,value\n1,2"), Err(RecordError::NotARecord)));
    let cut = again(&bytes[..bytes.len() - 50]).unwrap();
    assert_eq!((cut.cut_off, cut.samples), (true, 3));
    let mut flipped = bytes.clone();
    flipped[bytes.len() - 60] ^= 1;
    assert!(matches!(again(&flipped), Err(RecordError::Damaged { .. })));
    let other = plant(vec![], vec![]).schema().clone();
    assert!(matches!(replay(&bytes[..], "b", &other, |_| true), Err(RecordError::OtherCampus { .. })));
}

/// An alarm of a plugin goes through the same states as a rule's, survives being saved, and is in the hash.
#[test]
fn a_plugins_alarm_lives_as_any_other() {
    use AlarmState::{Normal, Shelved, Unacknowledged};
    let at = |s: i64| Timestamp(s * S);
    let said = |detail: Option<&str>| Notification {
        plugin: "water-guard".into(),
        alarm: "leak".into(),
        entity: "a".into(),
        names: Names::new("漏水", "Leak"),
        priority: AlarmPriority::High,
        detail: detail.map(|text| Names::new(text, text)),
    };
    let mut world = World::new(schema(), at(0));
    let mut events = Vec::new();
    assert!(!world.notify(&said(None), &mut events), "what never was need not end");
    let quiet = world.hash();
    assert!(world.notify(&said(Some("branch 3")), &mut events));
    assert_ne!(world.hash(), quiet);
    let number = world.alarm_number("plugin/water-guard#leak@a").unwrap();
    assert_eq!(events, [Event::Alarm { rule: number, before: Normal }]);
    assert!(!world.notify(&said(Some("branch 3")), &mut events), "the same words are no news");
    assert!(world.notify(&said(Some("branch 4")), &mut events), "new words are");
    let state = |world: &World| world.alarm(number).unwrap().state;
    assert_eq!(state(&world), Unacknowledged);
    assert!(world.acknowledge(number, "li", "on my way", &mut events));
    assert!(world.shelve(number, at(60), "li", "parts ordered", &mut events));
    assert_eq!(state(&world), Shelved);
    // A copy by what is saved comes off the shelf at the same time.
    let mut other = World::new(world.schema().clone(), at(1));
    let saved: Saved = serde_json::from_str(&serde_json::to_string(&world.save()).unwrap()).unwrap();
    assert_eq!(other.restore(saved), Vec::<String>::new());
    for world in [&mut world, &mut other] {
        world.tick(at(61), &mut events);
        assert_eq!(state(world), Unacknowledged, "it still holds");
        assert!(world.acknowledge(number, "li", "", &mut events));
        assert!(world.notify(&said(None), &mut events));
        assert!(!world.notify(&said(None), &mut events));
        assert_eq!(state(world), Normal);
        assert_eq!(world.notice(number).unwrap().said.detail, Some(Names::new("branch 4", "branch 4")));
    }
    assert_eq!(world.hash(), World::resume(world.schema().clone(), world.checkpoint()).hash());
}
