//! What a rehearsal asks of its devices: saved, restored, forked, and with a drill laid over them.

use proptest::prelude::*;

use super::*;
use crate::WeatherOverride;
use crate::flows::Load;
use crate::state::seal;

/// A seed to restore with that [`school`] has.
const SEED: u64 = 7;

fn restore(bytes: &[u8]) -> Result<Devices, String> {
    let (campus, weather) = &*SCHOOL;
    Devices::restore(campus.clone(), weather.clone(), SEED, bytes).map_err(|e| e.to_string())
}

fn seconds(n: i64) -> i64 {
    n * Timestamp::SECOND
}

/// Commands every seventeenth commandable point to its safe value or back to its own control.
fn command_some(devices: &mut Devices, turn: u32) {
    for point in SCHOOL.0.points.iter().filter(|p| (p.id.0 + turn).is_multiple_of(17)) {
        let Some(command) = &point.command else { continue };
        devices.command(point.id, (turn % 5 != 3).then(|| command.safe.clone()));
    }
}

/// A storm floods the campus, the canteen is cut, and many are in the gymnasium.
fn lay_a_drill(devices: &mut Devices) {
    let storm = WeatherOverride {
        temperature_c: Some(21.5),
        rain_mm_h: Some(60.0),
        wind_m_s: Some(24.0),
        sun_share: Some(0.1),
        ..WeatherOverride::default()
    };
    devices.set_weather(storm).unwrap();
    devices.set_supply("net/electricity/canteen", false).unwrap();
    devices.set_people("gymnasium/1f/hall", Some(600.0)).unwrap();
    devices.set_truth(id("site/river/river-level"), Some(Value::Number(4.3))).unwrap();
    devices.set_truth(wet(), Some(Value::Bool(true))).unwrap();
}

fn wet() -> PointId {
    SCHOOL.0.points.iter().find(|p| p.quantity == "water-detected").unwrap().id
}

/// The newest value of every point.
fn shown(samples: &[Sample]) -> BTreeMap<PointId, Value> {
    samples.iter().map(|s| (s.point, s.value.clone())).collect()
}

#[test]
fn a_restored_state_goes_on_exactly() {
    // Before the first step, in the middle of a minute, and with answers waiting.
    let start = shanghai(6, 23, 5);
    for (begun, told_last) in [(false, false), (true, false), (true, true)] {
        let mut one = school();
        let mut now = start;
        if begun {
            now = start.plus_micros(hours(3) + seconds(37));
            run(&mut one, start, hours(1), 600);
            lay_a_drill(&mut one);
            command_some(&mut one, 1);
            one.step(now);
        }
        if told_last {
            command_some(&mut one, 2);
            one.set_supply("net/electricity/labs", false).unwrap();
            one.set_people("gymnasium/1f/hall", None).unwrap();
            one.set_weather(WeatherOverride { rain_mm_h: Some(90.0), ..WeatherOverride::default() }).unwrap();
        }
        let bytes = one.save();
        let mut two = restore(&bytes).unwrap();
        assert_eq!(bytes, two.save());
        for hour in 0..if told_last { 24 } else { 3 } {
            now = now.plus_micros(hours(1));
            let (a, b) = (one.step(now), two.step(now));
            assert!(a == b, "{hour} h after the state was saved (begun: {begun}, told last: {told_last})");
            command_some(&mut one, hour);
            command_some(&mut two, hour);
            if hour == 12 {
                one.set_weather(WeatherOverride::default()).unwrap();
                two.set_weather(WeatherOverride::default()).unwrap();
            }
        }
        assert_eq!(one.hash(), two.hash());
        assert_ne!(one.save(), bytes);
    }
}

#[test]
fn a_fork_is_of_no_matter_to_its_origin() {
    let start = shanghai(9, 15, 9);
    let (mut origin, mut alone) = (school(), school());
    assert_eq!(run(&mut origin, start, hours(1), 900), run(&mut alone, start, hours(1), 900));
    let before = origin.hash();
    let mut fork = origin.clone();
    lay_a_drill(&mut fork);
    command_some(&mut fork, 4);
    let later = start.plus_micros(hours(2));
    let drill = fork.step(later);
    assert_eq!(before, origin.hash());
    let lived = origin.step(later);
    assert!(lived == alone.step(later));
    assert!(lived != drill && fork.hash() != origin.hash());
}

#[test]
fn a_state_of_anything_else_is_refused_with_why() {
    let mut devices = school();
    devices.step(shanghai(3, 2, 8));
    let bytes = devices.save();
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (bytes, why) in [
        (Vec::new(), "CAMPDEVS"),
        (changed(0), "CAMPDEVS"),
        (bytes[..10].to_vec(), "cut off"),
        (changed(8), "version 0"),
        (bytes[..30].to_vec(), "cut off"),
        (changed(20), "checksum"),
        (changed(bytes.len() - 9), "checksum"),
        (bytes[..bytes.len() - 1].to_vec(), "checksum"),
        (seal(b"short"), "another campus"),
        (seal(&devices.content()[..100]), "EOF"),
    ] {
        let error = restore(&bytes).unwrap_err();
        assert!(error.contains(why), "'{error}' does not say '{why}'");
    }
    let (campus, weather) = &*SCHOOL;
    let other = |campus: &Arc<Campus>, seed| {
        Devices::restore(campus.clone(), weather.clone(), seed, &bytes).unwrap_err().to_string()
    };
    assert!(other(campus, SEED + 1).contains("another seed"));
    assert!(other(&LITTLE, SEED).contains("another campus"));
    let mut renamed = (**campus).clone();
    renamed.points[5].unit = "K".into();
    assert!(other(&Arc::new(renamed), SEED).contains("another campus"));
}

/// The little school's devices with a drill, half an hour on.
static LITTLE_BUSY: LazyLock<Devices> = LazyLock::new(|| {
    let mut devices = Devices::new(LITTLE.clone(), SCHOOL.1.clone(), SEED).unwrap();
    devices.step(shanghai(3, 2, 8));
    devices.set_weather(WeatherOverride { rain_mm_h: Some(30.0), ..WeatherOverride::default() }).unwrap();
    for point in &LITTLE.points {
        if let Some(command) = &point.command {
            devices.command(point.id, Some(command.safe.clone()));
        }
    }
    devices.step(shanghai(3, 2, 8).plus_micros(seconds(1815)));
    devices
});

/// Every value of a JSON text that is neither list nor table, by its place.
fn leaves(json: &mut serde_json::Value) -> Vec<&mut serde_json::Value> {
    match json {
        serde_json::Value::Array(list) => list.iter_mut().flat_map(leaves).collect(),
        serde_json::Value::Object(table) => table.values_mut().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

/// Restores for the little school; what comes of it has to go on without a panic.
fn survives(bytes: &[u8]) -> bool {
    let restored = Devices::restore(LITTLE.clone(), SCHOOL.1.clone(), SEED, bytes);
    let Ok(mut devices) = restored else { return false };
    let last = devices.last.unwrap_or(shanghai(3, 2, 9));
    devices.step(last.plus_micros(seconds(600)));
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_restore_panic(
        mut noise in proptest::collection::vec(any::<u8>(), 0..300),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        prop_assert!(!survives(&noise));
        noise.splice(0..0, *b"CAMPDEVS\x01\0\0\0");
        prop_assert!(!survives(&noise));
        let good = LITTLE_BUSY.save();
        let mut bytes = good.clone();
        for (at, xor) in flips {
            bytes[at.index(good.len())] ^= xor;
        }
        prop_assert_eq!(survives(&bytes), bytes == good);
        // With a checksum that fits, the text itself is judged.
        survives(&seal(&bytes[44..]));
    }

    #[test]
    fn no_numbers_in_a_state_make_the_devices_panic(
        changes in proptest::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![
                any::<i64>().prop_map(serde_json::Value::from),
                any::<u8>().prop_map(serde_json::Value::from),
                any::<f64>().prop_map(serde_json::Value::from),
                any::<bool>().prop_map(serde_json::Value::from),
                Just(serde_json::Value::Null),
            ]),
            1..4,
        ),
    ) {
        let content = LITTLE_BUSY.content();
        let mut json: serde_json::Value = serde_json::from_slice(&content[32..]).unwrap();
        for (at, value) in changes {
            let mut places = leaves(&mut json);
            let count = places.len();
            *places[at.index(count)] = value;
        }
        survives(&seal(&[&content[..32], json.to_string().as_bytes()].concat()));
    }
}

#[test]
fn a_state_whose_parts_do_not_fit_is_refused() {
    let content = LITTLE_BUSY.content();
    let json: serde_json::Value = serde_json::from_slice(&content[32..]).unwrap();
    assert!(survives(&LITTLE_BUSY.save()));
    for (place, value) in [
        ("/last", serde_json::json!(i64::MAX)),
        ("/last", serde_json::json!(i64::MIN)),
        ("/last", serde_json::json!(12)),
        ("/time", serde_json::json!(7)),
        ("/rooms", serde_json::json!([])),
        ("/rooms/0/acs", serde_json::json!([{"told_on": null}])),
        ("/sources", serde_json::json!([1.0])),
        ("/told", serde_json::json!([])),
        ("/said/0", serde_json::json!({"choice": 60_000})),
        ("/prompt", serde_json::json!([4_000_000])),
        ("/truths", serde_json::json!({"4000000": {"bool": true}})),
        ("/overrides/people", serde_json::json!({"0": -1.0})),
        ("/overrides/people", serde_json::json!({"9999": 1.0})),
        ("/overrides/weather/rain_mm_h", serde_json::json!(1e9)),
        ("/sky/temperature_c", serde_json::Value::Null),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(place).unwrap() = value;
        let bytes = seal(&[&content[..32], json.to_string().as_bytes()].concat());
        assert!(!survives(&bytes), "{place} is taken");
    }
}

#[test]
fn a_storm_rains_and_passes() {
    let start = shanghai(7, 14, 10);
    let (mut calm, mut drill) = (school(), school());
    calm.step(start);
    drill.step(start);
    let storm = WeatherOverride {
        temperature_c: Some(18.0),
        humidity_pct: Some(99.0),
        wind_m_s: Some(28.0),
        wind_deg: Some(90.0),
        rain_mm_h: Some(50.0),
        sun_share: Some(0.0),
    };
    drill.set_weather(storm).unwrap();
    let after = start.plus_micros(hours(3));
    let (quiet, samples) = (shown(&calm.step(after)), drill.step(after));
    let wild = shown(&samples);
    let at = |values: &BTreeMap<PointId, Value>, path: &str| values[&id(path)].as_f64().unwrap();
    let rise = |path: &str| at(&wild, path) - at(&quiet, path);
    let station = |leaf: &str| format!("site/weather-station/{leaf}");
    assert!((at(&wild, &station("outside-temperature")) - 18.0).abs() < 0.5);
    assert!((at(&wild, &station("irradiance"))).abs() < 1e-9);
    assert!(at(&quiet, &station("irradiance")) > 50.0);
    // The gauge gives amounts.
    let rain: f64 = numbers(&samples, id(&station("rain"))).iter().sum();
    assert!((rain - 150.0).abs() < 2.0, "3 h of 50 mm/h gave {rain} mm");
    assert!((0.7..0.95).contains(&rise("site/river/river-level")), "{}", rise("site/river/river-level"));
    assert!(rise("canteen/b1/sump/water-level") >= 0.0);
    let drains = SCHOOL.0.networks.iter().find(|n| n.kind == NetworkKind::Drain).unwrap();
    let levels = drains.nodes.iter().flat_map(|n| SCHOOL.0.points_of(n.entity));
    let risen = levels
        .filter(|p| SCHOOL.0.point(**p).unit == "m")
        .filter(|p| wild[p].as_f64().unwrap() > quiet[p].as_f64().unwrap() + 0.2);
    assert!(risen.count() > 3, "the drains rise");
    // The sky is the file's again within a minute.
    drill.set_weather(WeatherOverride::default()).unwrap();
    let over = after.plus_micros(hours(1));
    let (quiet, over) = (shown(&calm.step(over)), shown(&drill.step(over)));
    for leaf in ["outside-temperature", "irradiance", "wind-speed", "outside-humidity"] {
        assert_eq!(at(&quiet, &station(leaf)), at(&over, &station(leaf)), "{leaf}");
    }
    for (wrong, said) in [
        (WeatherOverride { rain_mm_h: Some(-1.0), ..storm }, "rain_mm_h"),
        (WeatherOverride { temperature_c: Some(f64::NAN), ..storm }, "temperature_c"),
        (WeatherOverride { sun_share: Some(2.0), ..storm }, "sun_share"),
    ] {
        let before = drill.hash();
        assert!(drill.set_weather(wrong).unwrap_err().to_string().contains(said));
        assert_eq!(before, drill.hash());
    }
}

#[test]
fn people_of_a_drill_breathe() {
    let start = shanghai(10, 3, 2);
    let has = |path: &str, tail: &str| SCHOOL.0.point_id(&format!("{path}/{tail}")).is_some();
    let class = SCHOOL.0.entities.iter().map(|e| e.path.as_str()).find(|p| has(p, "people") && has(p, "co2"));
    let class = class.unwrap();
    let mut devices = school();
    devices.step(start);
    let look = |devices: &mut Devices, hour| {
        let now = shown(&devices.step(start.plus_micros(hours(hour))));
        let number = |tail: &str| now.get(&id(&format!("{class}/{tail}"))).cloned();
        (number("people"), number("co2").unwrap().as_f64().unwrap(), number("presence"))
    };
    let (people, empty, _) = look(&mut devices, 1);
    assert_eq!(people, Some(Value::Number(0.0)));
    devices.set_people(class, Some(44.0)).unwrap();
    let (people, full, presence) = look(&mut devices, 2);
    assert_eq!((people, presence), (Some(Value::Number(44.0)), Some(Value::Bool(true))));
    assert!(full > empty + 600.0, "{empty} ppm became {full} ppm");
    devices.set_people(class, None).unwrap();
    let (people, aired, presence) = look(&mut devices, 12);
    assert_eq!((people, presence), (Some(Value::Number(0.0)), Some(Value::Bool(false))));
    assert!(aired < full - 300.0);
    for (space, people) in
        [("nowhere", Some(1.0)), ("site", None), (class, Some(-1.0)), (class, Some(f64::NAN))]
    {
        let error = devices.set_people(space, people).unwrap_err().to_string();
        assert!(error.contains(space), "{error}");
    }
}

#[test]
fn a_sensor_sees_what_it_is_made_to_see() {
    let start = shanghai(4, 14, 10);
    let mut devices = school();
    let first = shown(&devices.step(start));
    let (river, people) = (id("site/river/river-level"), id("gymnasium/1f/hall/people"));
    for (point, given, seen) in [
        (river, Value::Number(4.5678), Value::Number(4.57)),
        (river, Value::Number(99.0), Value::Number(8.0)),
        (people, Value::Number(611.6), Value::Number(612.0)),
        (wet(), Value::Bool(true), Value::Bool(true)),
    ] {
        let mut devices = devices.clone();
        devices.set_truth(point, Some(given)).unwrap();
        let soon = devices.step(start.plus_micros(seconds(1)));
        let told = soon.iter().find(|s| s.point == point).map(|s| &s.value);
        if let Value::Bool(_) = seen {
            assert_eq!(told, Some(&seen), "a switch answers at once");
        }
        let samples = run(&mut devices, start.plus_micros(seconds(2)), hours(1), 600);
        let mut values = samples.iter().filter(|s| s.point == point).map(|s| &s.value);
        assert!(values.clone().count() >= 12 && values.all(|v| v == &seen), "always {seen:?}");
        devices.set_truth(point, None).unwrap();
        let own = shown(&devices.step(start.plus_micros(hours(2))));
        assert_ne!(own[&point], seen);
    }
    assert_eq!(first[&wet()], Value::Bool(false));
    let commanded = SCHOOL.0.points.iter().find(|p| p.command.is_some()).unwrap();
    let before = devices.hash();
    for (point, value, why) in [
        (PointId(u32::MAX), Value::Bool(true), "no such point"),
        (commanded.id, commanded.command.as_ref().unwrap().safe.clone(), "command it"),
        (id("net/water/inlet/water-volume"), Value::Number(1.0), "adds up"),
        (river, Value::Bool(true), "Number"),
        (river, Value::Number(f64::NAN), "Number"),
        (wet(), Value::Number(1.0), "Bool"),
    ] {
        let error = devices.set_truth(point, Some(value)).unwrap_err().to_string();
        assert!(error.contains(why), "'{error}' does not say '{why}'");
    }
    assert_eq!(before, devices.hash());
}

#[test]
fn every_load_of_the_school_hangs_on_a_board() {
    let models = &school().models;
    let mut hangs = vec![false; models.sources.len()];
    for tree in &models.trees {
        for &s in tree.own.iter().chain(&tree.unmetered).flatten() {
            hangs[s] = true;
        }
    }
    let loose =
        models.sources.iter().zip(hangs).filter(|(s, hangs)| s.kind == NetworkKind::Electricity && !hangs);
    let loose: Vec<_> = loose.map(|(s, _)| (SCHOOL.0.entities[s.entity].path.as_str(), s.item)).collect();
    // The demo campus doesn't say that the storm pump's feeder feeds the pump station.
    assert_eq!(loose, [("net/storm/main-8", Item::Pump)]);
}

#[test]
fn a_node_that_is_cut_stops_all_below_it_and_nothing_else() {
    let start = shanghai(6, 23, 15);
    let network = SCHOOL.0.networks.iter().find(|n| n.kind == NetworkKind::Electricity).unwrap();
    let mut alive = school();
    alive.step(start);
    for point in SCHOOL.0.points.iter().filter(|p| p.path.as_str().ends_with("/ac/on")) {
        alive.command(point.id, Some(Value::Bool(true)));
    }
    alive.step(start.plus_micros(hours(1)));
    let later = start.plus_micros(hours(1) + seconds(1800));
    for cut in
        ["grid", "lv-2", "canteen", "canteen-c2", "heat-pumps", "teaching-a-2f", "library-d1", "outdoor"]
    {
        let (mut alive, mut drill) = (alive.clone(), alive.clone());
        drill.set_supply(&format!("net/electricity/{cut}"), false).unwrap();
        let (lived, now) = (shown(&alive.step(later)), shown(&drill.step(later)));
        // The node and those below it, by index.
        let mut below = vec![false; network.nodes.len()];
        for (n, node) in network.nodes.iter().enumerate() {
            below[n] = node.id == cut || node.parent.is_some_and(|p| below[p]);
        }
        let value = |n: usize, tail: &str| {
            let point = SCHOOL.0.point_id(&format!("net/electricity/{}/{tail}", network.nodes[n].id))?;
            Some((now[&point].as_f64().unwrap(), lived[&point].as_f64().unwrap()))
        };
        for (n, &dead) in below.iter().enumerate() {
            for tail in ["power", "current", "voltage"] {
                match value(n, tail) {
                    Some((x, _)) if dead => {
                        assert_eq!(x, 0.0, "{cut}: {tail} of {}", network.nodes[n].id)
                    }
                    Some((x, _)) if tail == "voltage" => assert!(x > 200.0),
                    _ => {}
                }
            }
            if let Some((closed, _)) = value(n, "breaker-closed") {
                assert_eq!(closed == 0.0, network.nodes[n].id == cut, "{cut}: {}", network.nodes[n].id);
            }
        }
        let tree = drill.models.trees.iter().find(|t| SCHOOL.0.networks[t.network].id == network.id).unwrap();
        let mut stopped = 0;
        for (n, below) in below.iter().enumerate() {
            for &s in tree.own[n].iter().chain(&tree.unmetered[n]) {
                let source = &drill.models.sources[s];
                let on = |devices: &Devices| match source.load {
                    Load::Machine(m) => devices.models.machines[m].state.on,
                    Load::RoomAc(r, ac) => devices.models.rooms[r].state.acs[ac].on,
                    Load::RoomLights(r) => devices.models.rooms[r].state.lights_on,
                    _ => false,
                };
                let path = &SCHOOL.0.entities[source.entity].path;
                match below {
                    true => assert!(source.value == 0.0 && !on(&drill), "{cut}: {path} goes on"),
                    false => assert_eq!(on(&drill), on(&alive), "{cut}: {path} is not below"),
                }
                stopped += u32::from(on(&alive) && !on(&drill));
                // Its points say so: what shows it running is false, its power is 0, its sensors go on.
                for &p in SCHOOL.0.points_of(source.entity).iter().filter(|_| *below) {
                    let point = SCHOOL.0.point(p);
                    match point.path.leaf() {
                        "running" | "pump-running" | "fan-running" => assert_eq!(now[&p], Value::Bool(false)),
                        "power" => assert_eq!(now[&p], Value::Number(0.0), "{cut}: {}", point.path),
                        _ => {}
                    }
                }
            }
        }
        assert!(stopped > 0 || ["library-d1", "outdoor"].contains(&cut), "{cut}: nothing stopped");
        drill.set_supply(&format!("net/electricity/{cut}"), true).unwrap();
        let again = later.plus_micros(hours(2));
        alive.step(again);
        drill.step(again);
        let running = |d: &Devices| d.models.machines.iter().filter(|m| m.state.power_w > 0.0).count();
        assert_eq!(running(&alive), running(&drill), "{cut}: all is on again");
    }
}

#[test]
fn without_supply_a_refrigerator_warms() {
    let start = shanghai(7, 14, 8);
    let mut devices = school();
    devices.step(start);
    devices.set_supply("net/electricity/lv-2", false).unwrap();
    let fridge =
        SCHOOL.0.points.iter().find(|p| p.path.as_str().starts_with("canteen/1f/freezer/freezer-1/"));
    let fridge = fridge.filter(|p| p.unit == "Cel").unwrap();
    let warm = run(&mut devices, start.plus_micros(1), hours(12), 3600);
    let warm = numbers(&warm, fridge.id);
    assert!(warm[0] < -14.0 && *warm.last().unwrap() > 0.0, "{} is {:?} °C", fridge.path, warm.last());
}

#[test]
fn a_switched_circuit_stops_what_hangs_on_it() {
    let start = shanghai(12, 9, 20);
    let paths: Vec<&str> = SCHOOL.0.points.iter().map(|p| p.path.as_str()).collect();
    let (lamp, outdoor) = ("site/lamp-", "net/electricity/outdoor/circuit-on");
    let lamp = paths.iter().find(|p| p.starts_with(lamp) && p.ends_with("power")).unwrap();
    let room = paths.iter().find(|p| p.starts_with("net/electricity/room-") && p.ends_with("/on")).unwrap();
    let power = room.replace("/on", "/power");
    for (switch, shows) in [(outdoor, *lamp), (room, &power)] {
        let mut devices = school();
        let before = shown(&devices.step(start));
        assert!(before[&id(shows)].as_f64().unwrap() > 0.0, "{shows} at first");
        assert!(devices.command(id(switch), Some(Value::Bool(false))));
        let off = shown(&devices.step(start.plus_micros(seconds(400))));
        assert_eq!((&off[&id(shows)], &off[&id(switch)]), (&Value::Number(0.0), &Value::Bool(false)));
        // A board that is cut and closed again leaves the switch as it was told.
        devices.set_supply("net/electricity/lv-2", false).unwrap();
        devices.step(start.plus_micros(seconds(800)));
        devices.set_supply("net/electricity/lv-2", true).unwrap();
        let off = shown(&devices.step(start.plus_micros(seconds(1200))));
        assert_eq!(off[&id(shows)], Value::Number(0.0), "{shows} stays off");
        devices.command(id(switch), None);
        let on = shown(&devices.step(start.plus_micros(seconds(1600))));
        assert!(on[&id(shows)].as_f64().unwrap() > 0.0, "{shows} at last");
    }
    for wrong in ["net/water/inlet", "nowhere", "canteen"] {
        assert!(school().set_supply(wrong, false).unwrap_err().to_string().contains("net/<network>/<node>"));
    }
}
