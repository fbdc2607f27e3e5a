//! A day at the demo school, and the little school of the model's tests: any campus works.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use campanile_formats::{Epw, epw};
use campanile_model::{Campus, EntityKind, NetworkKind, PointId, Sample, Timestamp, Value, ValueType};

mod drills;

use crate::Devices;
use crate::flows::{Item, counts};

static SCHOOL: LazyLock<(Arc<Campus>, Epw)> = LazyLock::new(|| {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    let dir = root.join("scenes/shanghai-school");
    let campus = campanile_model::open(&dir).unwrap();
    let text = std::fs::read_to_string(dir.join("weather.epw")).unwrap();
    (Arc::new(campus), epw::read(&text).unwrap())
});

/// 2026-`month`-`day` `hour` o'clock in Shanghai.
fn shanghai(month: i8, day: i8, hour: i8) -> Timestamp {
    let local = jiff::civil::date(2026, month, day).at(hour, 0, 0, 0);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    Timestamp(zone.to_timestamp(local).unwrap().as_microsecond())
}

fn hours(n: i64) -> i64 {
    n * 3600 * Timestamp::SECOND
}

fn school() -> Devices {
    let (campus, weather) = &*SCHOOL;
    Devices::new(campus.clone(), weather.clone(), 7).unwrap()
}

/// Runs for some hours from a start, stepped by `cut` seconds; the first step included.
fn run(devices: &mut Devices, from: Timestamp, for_us: i64, cut_s: i64) -> Vec<Sample> {
    let mut out = devices.step(from);
    let mut now = from;
    while now.0 < from.0 + for_us {
        now = Timestamp((now.0 + cut_s * Timestamp::SECOND).min(from.0 + for_us));
        out.extend(devices.step(now));
    }
    out
}

fn id(path: &str) -> PointId {
    SCHOOL.0.point_id(path).unwrap_or_else(|| panic!("the school has no point '{path}'"))
}

fn numbers(samples: &[Sample], point: PointId) -> Vec<f64> {
    samples.iter().filter(|s| s.point == point).filter_map(|s| s.value.as_f64()).collect()
}

/// The newest number of every point at or before a time.
fn newest(samples: &[Sample], at: Timestamp) -> BTreeMap<PointId, f64> {
    samples.iter().filter(|s| s.time <= at).filter_map(|s| Some((s.point, s.value.as_f64()?))).collect()
}

fn checked(campus: &Campus, samples: &[Sample]) {
    let mut seen = vec![false; campus.points.len()];
    for sample in samples {
        let point = campus.point(sample.point);
        seen[sample.point.index()] = true;
        assert_eq!(sample.value.value_type(), point.value_type, "{}", point.path);
        match &sample.value {
            Value::Number(x) => {
                assert!(x.is_finite(), "{}", point.path);
                if let Some([low, high]) = point.range {
                    assert!((low..=high).contains(x), "{} is {x}, outside {low} to {high}", point.path);
                }
            }
            Value::Choice(c) => assert!(usize::from(*c) < point.choices.len(), "{}", point.path),
            _ => {}
        }
    }
    let silent: Vec<_> = campus.points.iter().filter(|p| !seen[p.id.index()]).map(|p| &p.path).collect();
    assert!(silent.is_empty(), "no sample of {silent:?}");
}

#[test]
fn every_point_speaks_and_stays_in_its_range_in_every_season() {
    let (campus, _) = &*SCHOOL;
    for month in [1, 4, 7, 10] {
        let samples = run(&mut school(), shanghai(month, 14, 5), hours(6), 1800);
        checked(campus, &samples);
    }
}

/// The little school of the model's tests.
static LITTLE: LazyLock<Arc<Campus>> = LazyLock::new(|| {
    let from = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../model/tests/scene");
    let dir = std::env::temp_dir().join(format!("campanile-devices-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(from.join("campus.toml"), dir.join("campus.toml")).unwrap();
    // The little school's terrain is of no matter here, and not in the repository.
    let plan = std::fs::read_to_string(from.join("plan.json")).unwrap();
    std::fs::write(dir.join("plan.json"), plan.replace("\"terrain\": \"terrain.tif\",", "")).unwrap();
    let campus = Arc::new(campanile_model::open(&dir).unwrap());
    std::fs::remove_dir_all(&dir).unwrap();
    campus
});

#[test]
fn any_campus_works() {
    let mut devices = Devices::new(LITTLE.clone(), SCHOOL.1.clone(), 1).unwrap();
    checked(&LITTLE, &run(&mut devices, shanghai(3, 2, 7), hours(3), 600));
}

#[test]
fn points_keep_their_period() {
    let samples = run(&mut school(), shanghai(3, 11, 9), hours(1), 10);
    let mut last: BTreeMap<PointId, Timestamp> = BTreeMap::new();
    for sample in &samples {
        let period = SCHOOL.0.point(sample.point).period_s;
        if let Some(before) = last.insert(sample.point, sample.time) {
            let age = (sample.time.0 - before.0) as f64 / 1e6;
            assert!(age <= period + 1e-6, "{} waited {age} s", SCHOOL.0.point(sample.point).path);
        }
    }
}

#[test]
fn equal_seeds_give_equal_days_however_they_are_cut() {
    let start = shanghai(5, 20, 6);
    let whole = run(&mut school(), start, hours(3), 3600);
    let fine = run(&mut school(), start, hours(3), 7);
    assert_eq!(whole.len(), fine.len());
    // The order within a moment may differ between cuts; values may not.
    let key = |s: &Sample| (s.time, s.point);
    let sorted = |mut list: Vec<Sample>| {
        list.sort_by_key(key);
        list
    };
    assert!(sorted(whole) == sorted(fine));
    let (campus, weather) = &*SCHOOL;
    let mut other = Devices::new(campus.clone(), weather.clone(), 8).unwrap();
    assert_ne!(run(&mut other, start, hours(1), 3600), run(&mut school(), start, hours(1), 3600));
}

#[test]
fn electricity_meters_balance() {
    let (campus, _) = &*SCHOOL;
    let start = shanghai(6, 10, 8);
    let samples = run(&mut school(), start, hours(4), 900);
    let (before, after) = (newest(&samples, start), newest(&samples, start.plus_micros(hours(4))));
    let network = campus.networks.iter().find(|n| n.kind == NetworkKind::Electricity).unwrap();
    let used = |meter: PointId| after[&meter] - before[&meter];
    // A register stands still while the roof feeds back, so only what lies beside the solar branch is compared.
    let mut solar: Vec<bool> = network.nodes.iter().map(crate::flows::generates).collect();
    for (i, node) in network.nodes.iter().enumerate().rev() {
        if let (true, Some(p)) = (solar[i], node.parent) {
            solar[p] = true;
        }
    }
    let mut compared = 0;
    for (i, node) in network.nodes.iter().enumerate() {
        let Some(meter) = node.meter else { continue };
        let children: Vec<_> = network.nodes.iter().filter(|c| c.parent == Some(i)).collect();
        if solar[i] || children.is_empty() || children.iter().any(|c| c.meter.is_none()) {
            continue;
        }
        let below: f64 = children.iter().filter_map(|c| c.meter).map(used).sum();
        let lost = used(meter) - below;
        // Losses are some parts in a thousand; displays round down to 0.01 kWh.
        let rounding = 0.01 * (1 + children.len()) as f64;
        assert!(lost >= -rounding, "{} loses {lost} of {below} kWh", node.id);
        compared += 1;
    }
    assert!(compared > 1, "{compared} nodes have meters above and below");
    // Power balances with the roof too: the solar branch may be negative.
    let power = |node: &str| after[&id(&format!("net/electricity/{node}/power"))];
    let lv2 = network.nodes.iter().position(|n| n.id == "lv-2");
    let feeders: f64 = network.nodes.iter().filter(|c| c.parent == lv2).map(|c| power(&c.id)).sum();
    let lost = power("lv-2") - feeders;
    assert!((0.0..0.01 * feeders.abs() + 0.2).contains(&lost), "{lost} kW of {feeders} kW are lost");
    let main = used(id("net/electricity/lv-1/energy")) + used(id("net/electricity/lv-2/energy"));
    assert!((200.0..4000.0).contains(&main), "a school of this size uses {main} kWh in a summer morning");
}

#[test]
fn the_leak_shows_at_night_on_its_branch_alone() {
    let samples = run(&mut school(), shanghai(10, 20, 2), hours(2), 600);
    let night = |path: &str| {
        let values = numbers(&samples, id(path));
        values.iter().sum::<f64>() / values.len() as f64
    };
    let (leaky, sound) =
        (night("net/water/dormitory-2f/water-flow"), night("net/water/dormitory-3f/water-flow"));
    assert!(leaky > 0.058 && leaky < 0.09, "{leaky} L/s through the branch with the leak of 0.06 L/s");
    assert!(sound < 0.02, "{sound} L/s through the one above it");
    assert!(night("net/water/dormitory/water-flow") >= leaky - 1e-3, "the meter above sees it too");
    assert!(night("net/water/teaching-a/water-flow") < 0.005, "nobody is in the teaching block");
}

#[test]
fn a_lower_setpoint_cools_the_room() {
    let start = shanghai(6, 23, 13);
    let room = SCHOOL.0.entities.iter().find(|e| {
        e.kind == EntityKind::Space
            && e.path.as_str().starts_with("teaching-a/")
            && SCHOOL.0.point_id(&format!("{}/ac/setpoint", e.path)).is_some()
            && SCHOOL.0.point_id(&format!("{}/temperature", e.path)).is_some()
    });
    let room = room.unwrap().path.as_str();
    let after = |setpoint: f64| {
        let mut devices = school();
        devices.step(start);
        assert!(devices.command(id(&format!("{room}/ac/on")), Some(Value::Bool(true))));
        assert!(devices.command(id(&format!("{room}/ac/mode")), Some(Value::Choice(0))));
        assert!(devices.command(id(&format!("{room}/ac/setpoint")), Some(Value::Number(setpoint))));
        let answers = devices.step(start.plus_micros(Timestamp::SECOND));
        let running = answers.iter().find(|s| s.point == id(&format!("{room}/ac/running")));
        assert_eq!(running.map(|s| &s.value), Some(&Value::Bool(true)), "the read-back answers at once");
        let samples = run(&mut devices, start.plus_micros(2 * Timestamp::SECOND), hours(2), 300);
        let last = |tail: &str| *numbers(&samples, id(&format!("{room}/{tail}"))).last().unwrap();
        (last("temperature"), last("ac/power"))
    };
    let ((cold_c, cold_w), (warm_c, warm_w)) = (after(20.0), after(27.0));
    assert!((cold_c - 20.0).abs() < 1.0 && cold_c + 3.0 < warm_c, "20 °C gave {cold_c}, 27 °C gave {warm_c}");
    assert!(cold_w > warm_w, "{cold_w} W against {warm_w} W");
}

#[test]
fn holidays_are_quiet() {
    let people = |month, day| -> f64 {
        let lesson = shanghai(month, day, 11);
        let now = newest(&school().step(lesson), lesson);
        let counts = SCHOOL.0.points.iter().filter(|p| p.quantity == "people");
        counts.map(|p| now[&p.id]).sum()
    };
    // A Wednesday in term, the National Day, a Sunday, August.
    let [term, national, sunday, august] = [people(5, 20), people(10, 1), people(5, 24), people(8, 5)];
    assert!(term > 500.0, "{term} people in a school of about 1,900");
    assert_eq!((national, sunday, august), (0.0, 0.0, 0.0));
}

#[test]
fn counters_never_fall() {
    let samples = run(&mut school(), shanghai(9, 15, 7), hours(6), 900);
    let mut last: BTreeMap<PointId, f64> = BTreeMap::new();
    for sample in &samples {
        let point = SCHOOL.0.point(sample.point);
        let (true, Some(x)) = (
            matches!(point.accumulation, campanile_model::Accumulation::Counter { .. }),
            sample.value.as_f64(),
        ) else {
            continue;
        };
        if let Some(before) = last.insert(sample.point, x) {
            // A fall of almost the whole range is the roll-over.
            assert!(x >= before || before - x > 900_000.0, "{} fell from {before} to {x}", point.path);
        }
    }
}

#[test]
fn the_air_of_a_school_day_is_plausible() {
    let samples = run(&mut school(), shanghai(11, 18, 4), hours(14), 3600);
    let of = |quantity: &str| -> Vec<f64> {
        let points = SCHOOL
            .0
            .points
            .iter()
            .filter(|p| p.quantity == quantity && p.path.as_str().starts_with("teaching"));
        points.flat_map(|p| numbers(&samples, p.id)).collect()
    };
    let co2 = of("co2");
    let high = co2.iter().copied().fold(0.0, f64::max);
    let low = co2.iter().copied().fold(f64::MAX, f64::min);
    assert!(low > 380.0 && low < 500.0, "empty rooms at night have {low} ppm");
    assert!(high > 900.0 && high < 5000.0, "full rooms have {high} ppm");
    let temperature = of("temperature");
    let mean = temperature.iter().sum::<f64>() / temperature.len() as f64;
    assert!((10.0..25.0).contains(&mean), "rooms of November have {mean} °C");
}

#[test]
fn a_wrong_leak_or_day_is_refused_with_its_mend() {
    let refuse = |simulation: serde_json::Value| {
        let mut campus = (*SCHOOL.0).clone();
        campus.simulation = simulation;
        Devices::new(Arc::new(campus), SCHOOL.1.clone(), 1).unwrap_err().to_string()
    };
    assert!(
        refuse(serde_json::json!({"leak": {"node": "nowhere", "flow_l_s": 1.0}}))
            .contains("net/<network>/<node>")
    );
    assert!(refuse(serde_json::json!({"holidays": ["31 May"]})).contains("MM-DD"));
    assert!(refuse(serde_json::json!({"curfew": {"off": "22", "on": "06:00"}})).contains("HH:MM"));
}

#[test]
fn submetering_codes_choose_loads() {
    for (code, item, counted) in [
        ("01", Item::Ac, true),
        ("01A1", Item::Light, true),
        ("01A1", Item::Corridor, false),
        ("01A", Item::Corridor, true),
        ("01B2", Item::Ac, true),
        ("01C1", Item::Pump, false),
        ("310101A00101A1", Item::Plug, true),
        ("13", Item::Ac, false),
    ] {
        assert_eq!(counts(Some(code), item), counted, "{code} and {item:?}");
    }
}

#[test]
fn commands_that_fit_no_point_are_refused() {
    let mut devices = school();
    let sensor = SCHOOL.0.points.iter().find(|p| p.command.is_none()).unwrap().id;
    assert!(!devices.command(sensor, Some(Value::Bool(true))));
    assert!(!devices.command(PointId(u32::MAX), None));
    let switch =
        SCHOOL.0.points.iter().find(|p| p.command.is_some() && p.value_type == ValueType::Bool).unwrap().id;
    assert!(!devices.command(switch, Some(Value::Number(1.0))));
    let told =
        |value_type| SCHOOL.0.points.iter().find(|p| p.command.is_some() && p.value_type == value_type);
    let setpoint = told(ValueType::Number).unwrap().id;
    for x in [f64::NAN, f64::INFINITY, -1e6, 1e6] {
        assert!(!devices.command(setpoint, Some(Value::Number(x))), "{x} is no setpoint");
    }
    assert!(!devices.command(told(ValueType::Choice).unwrap().id, Some(Value::Choice(u16::MAX))));
}

#[test]
fn a_commanded_point_shows_what_it_was_told() {
    let start = shanghai(1, 12, 23);
    let mut devices = school();
    let first = devices.step(start);
    let mut wanted: BTreeMap<PointId, Value> = BTreeMap::new();
    for point in &SCHOOL.0.points {
        let Some(command) = &point.command else { continue };
        let other = match &command.safe {
            Value::Bool(safe) => Value::Bool(!safe),
            Value::Choice(safe) => Value::Choice((safe + 1) % point.choices.len() as u16),
            Value::Number(safe) => {
                Value::Number(command.limits.or(point.range).map_or(safe + 1.0, |[_, high]| high))
            }
            text => text.clone(),
        };
        assert!(devices.command(point.id, Some(other.clone())), "{} takes {other:?}", point.path);
        wanted.insert(point.id, other);
        // Nobody told it before and nobody is there to choose: a setpoint of a machine stands at its safe value.
        if point.quantity == "hot-water-setpoint" {
            let before = first.iter().find(|s| s.point == point.id).map(|s| &s.value);
            assert_eq!(before, Some(&command.safe), "{}", point.path);
        }
    }
    let after = devices.step(start.plus_micros(Timestamp::SECOND));
    let shown: BTreeMap<PointId, &Value> = after.iter().map(|s| (s.point, &s.value)).collect();
    for (id, value) in &wanted {
        assert_eq!(shown.get(id), Some(&value), "{}", SCHOOL.0.point(*id).path);
    }
    assert!(wanted.len() > 100, "the school has {} points to command", wanted.len());
}
