//! Barriers, rooms, drains and pumps; saving, forking, threads; inputs that are wrong.

#![allow(clippy::unwrap_used)]

use campanile_flood::*;
use proptest::prelude::*;

/// Two basins of ten by ten metres with a wall between, water in the west one.
fn basins(stage: f64) -> FloodInput {
    let mut input = FloodInput::flat(20, 10, 1.0);
    input.stage_m = Field::Cells((0..200).map(|c| if c % 20 < 10 { stage } else { -1.0 }).collect());
    let faces = (0..10).map(|j| Face::East(j * 20 + 9)).collect();
    input.barriers.push(Barrier { id: "b".into(), faces, height_m: 0.6, up: true });
    input
}

fn east_m3(flood: &Flood) -> f64 {
    flood.depth_m().iter().enumerate().filter(|(c, _)| c % 20 >= 10).map(|(_, h)| h).sum()
}

#[test]
fn a_barrier_holds_until_it_is_overtopped_or_let_down() {
    let mut flood = Flood::new(basins(0.5)).unwrap();
    flood.step(60.0, 1);
    assert_eq!(east_m3(&flood), 0.0, "below its crest nothing passes");
    flood.apply(&Change::Barrier { id: "b".into(), up: false }).unwrap();
    flood.step(600.0, 1);
    assert!((east_m3(&flood) - 25.0).abs() < 1.0, "let down, both basins level out: {}", east_m3(&flood));
    let mut over = Flood::new(basins(0.8)).unwrap();
    over.step(3600.0, 1);
    let held = over.depth_m()[5];
    assert!((0.6..0.63).contains(&held), "what stands above the crest runs over: {held}");
    assert!(over.balance().error().abs() < 1e-13);
}

fn room(id: &str, floor_m: f64) -> Room {
    Room { id: id.into(), floor_m, area_m2: 50.0, height_m: 2.5 }
}

fn door(id: &str, a: End, b: End, sill_m: f64) -> Link {
    Link { id: id.into(), a, b, sill_m, width_m: 1.0, height_m: 2.0, open: 1.0 }
}

#[test]
fn a_cellar_fills_over_its_threshold_and_no_further_than_the_water_outside() {
    let mut input = FloodInput { stage_m: Field::Uniform(0.3), ..FloodInput::flat(20, 20, 2.0) };
    input.rooms = vec![room("hall", 0.1), room("cellar", -2.0)];
    input.links = vec![
        door("front", End::Cell(210), End::Room(0), 0.1),
        door("stair", End::Room(0), End::Room(1), 0.12),
    ];
    let mut flood = Flood::new(input.clone()).unwrap();
    flood.step(20.0, 1);
    let rooms: Vec<RoomState> = flood.rooms().collect();
    assert!(rooms[1].volume_m3 > 0.0 && rooms[1].volume_m3 < 50.0, "on its way: {rooms:?}");
    flood.step(7200.0, 2);
    let rooms: Vec<RoomState> = flood.rooms().collect();
    let outside = flood.depth_m()[210];
    assert!(
        (rooms[0].level_m - outside).abs() < 2e-3 && (rooms[1].level_m - outside).abs() < 2e-3,
        "{rooms:?} {outside}"
    );
    assert!(flood.balance().error().abs() < 1e-13, "{:e}", flood.balance().error());
    let mut shut = Flood::new(input).unwrap();
    shut.apply(&Change::Link { id: "front".into(), open: 0.0 }).unwrap();
    shut.step(600.0, 1);
    assert_eq!(shut.balance().rooms_m3, 0.0, "a tight door");
}

#[test]
fn a_full_room_takes_no_more() {
    let mut input = FloodInput { stage_m: Field::Uniform(3.0), ..FloodInput::flat(10, 10, 2.0) };
    input.rooms = vec![Room { id: "cellar".into(), floor_m: -3.0, area_m2: 20.0, height_m: 2.0 }];
    input.links = vec![door("hatch", End::Cell(55), End::Room(0), 0.0)];
    let mut flood = Flood::new(input).unwrap();
    flood.step(600.0, 1);
    assert!((flood.balance().rooms_m3 - 40.0).abs() < 1e-9, "{}", flood.balance().rooms_m3);
}

/// A basin with one inlet, a river beside it whose level is imposed, and a pump.
fn drained(outside_m: f64, flap: bool) -> FloodInput {
    let mut input = FloodInput { stage_m: Field::Uniform(0.2), ..FloodInput::flat(20, 20, 2.0) };
    // A trench behind a wall stands for the river.
    input.blocked = (0..400).map(|c| c % 20 == 18).collect();
    let river: Vec<u32> = (0..20).map(|j| j * 20 + 19).collect();
    river.iter().for_each(|c| input.bed_m[*c as usize] = -3.0);
    let level_m = Series { corners: vec![(0.0, outside_m)] };
    input.stages.push(Stage { id: "river".into(), cells: river, level_m });
    input.drains.push(Drain {
        id: "storm".into(),
        inlets: vec![Inlet { cell: 205, perimeter_m: 2.0, area_m2: 0.5 }],
        capacity_m3_s: 0.05,
        outfall_m: -1.0,
        design_head_m: 1.0,
        outside: Some(0),
        flap,
    });
    input.pumps.push(Pump {
        id: "p".into(),
        from: PumpFrom::Drain(0),
        to: None,
        capacity_m3_s: 0.1,
        on: false,
    });
    input
}

#[test]
fn a_drain_carries_away_what_its_outlet_lets_pass() {
    let drained_m3 = |input: FloodInput, on: bool| {
        let mut flood = Flood::new(input).unwrap();
        flood.apply(&Change::Pump { id: "p".into(), on }).unwrap();
        flood.step(600.0, 1);
        assert!(flood.balance().error().abs() < 1e-13, "{:e}", flood.balance().error());
        flood.balance().drains_m3
    };
    // Full head: 0.05 m³/s for ten minutes.
    let free = drained_m3(drained(-2.0, true), false);
    assert!((free / 30.0 - 1.0).abs() < 0.02, "{free}");
    assert_eq!(drained_m3(drained(1.0, true), false), 0.0, "the river holds the flap shut");
    let pumped = drained_m3(drained(1.0, true), true);
    assert!((pumped / 60.0 - 1.0).abs() < 0.02, "the pump lifts over the river: {pumped}");
    let back = drained_m3(drained(1.0, false), false);
    assert!(back < -10.0, "without a flap it comes up through the inlet: {back}");
    let mut blocked = Flood::new(drained(-2.0, true)).unwrap();
    blocked.apply(&Change::Drain { id: "storm".into(), free: 0.0 }).unwrap();
    blocked.step(60.0, 1);
    assert_eq!(blocked.balance().drains_m3, 0.0, "leaves on the grate");
}

#[test]
fn a_pump_empties_a_cellar_onto_the_ground() {
    let mut input = FloodInput { stage_m: Field::Uniform(0.5), ..FloodInput::flat(10, 10, 2.0) };
    input.rooms = vec![room("cellar", -2.0)];
    input.links = vec![door("stair", End::Cell(55), End::Room(0), 0.0)];
    let from = PumpFrom::End(End::Room(0));
    input.pumps =
        vec![Pump { id: "sump".into(), from, to: Some(End::Cell(0)), capacity_m3_s: 0.05, on: false }];
    let mut flood = Flood::new(input).unwrap();
    flood.step(300.0, 1);
    flood.apply(&Change::Link { id: "stair".into(), open: 0.0 }).unwrap();
    flood.apply(&Change::Pump { id: "sump".into(), on: true }).unwrap();
    let full = flood.balance().rooms_m3;
    flood.step(200.0, 1);
    assert!((full - flood.balance().rooms_m3 - 10.0).abs() < 1e-6, "0.05 m³/s for 200 s");
    flood.step(7200.0, 1);
    assert!(flood.balance().rooms_m3.abs() < 1e-9 && flood.balance().error().abs() < 1e-13);
    assert_eq!(flood.pumps_m3_s(), [0.0]);
}

/// A little of everything, large enough to be shared out among threads.
fn campus() -> FloodInput {
    let mut input = drained(0.8, true);
    let (nx, ny) = (120, 90);
    let wide = FloodInput::flat(nx, ny, 2.0);
    input.nx = nx;
    input.ny = ny;
    input.bed_m = (0..nx * ny).map(|c| 0.4 * ((c % 7) as f64 * 0.1 + (c / nx % 5) as f64 * 0.05)).collect();
    input.blocked =
        (0..nx * ny).map(|c| c % nx == nx - 2 || (c % nx / 10 % 3 == 1 && c / nx / 10 % 3 == 1)).collect();
    let river: Vec<u32> = (0..ny as u32).map(|j| (j + 1) * nx as u32 - 1).collect();
    river.iter().for_each(|c| input.bed_m[*c as usize] = -3.0);
    input.stages[0].cells = river;
    input.drains[0].inlets[0].cell = 605;
    input.stage_m = Field::Uniform(0.1);
    input.rain_m_s = Series { corners: vec![(0.0, 2e-5)] };
    input.rooms = vec![room("cellar", -2.0)];
    input.links = vec![door("stair", End::Cell(700), End::Room(0), 0.15)];
    FloodInput { manning: Field::Uniform(0.02), ..FloodInput { edges: wide.edges, ..input } }
}

#[test]
fn threads_forks_and_saved_states_change_nothing() {
    let run = |flood: &mut Flood, threads: usize, from: u32, to: u32| {
        for k in from..to {
            if k == 7 {
                flood.apply(&Change::Pump { id: "p".into(), on: true }).unwrap();
            }
            flood.step(3.0, threads);
        }
    };
    let mut one = Flood::new(campus()).unwrap();
    run(&mut one, 1, 0, 20);
    for threads in [2, 8] {
        let mut other = Flood::new(campus()).unwrap();
        run(&mut other, threads, 0, 20);
        assert_eq!(other.hash(), one.hash(), "{threads} threads");
        assert_eq!(other.depth_m(), one.depth_m());
    }
    let mut half = Flood::new(campus()).unwrap();
    run(&mut half, 2, 0, 10);
    let saved = half.save();
    let mut fork = half.clone();
    run(&mut fork, 1, 10, 20);
    assert_eq!(half.save(), saved, "a fork leaves what it was forked from");
    let mut restored = Flood::restore(campus(), &saved).unwrap();
    assert_eq!(restored.hash(), half.hash());
    run(&mut restored, 2, 10, 20);
    assert_eq!((fork.hash(), restored.hash()), (one.hash(), one.hash()));
    for cut in [0, 5, 40, saved.len() / 2, saved.len() - 1] {
        assert!(Flood::restore(campus(), &saved[..cut]).is_err(), "cut at {cut}");
    }
    let mut spoilt = saved.clone();
    spoilt[100] ^= 1;
    assert_eq!(Flood::restore(campus(), &spoilt).unwrap_err(), RestoreError::Damaged);
    assert_eq!(Flood::restore(drained(0.8, true), &saved).unwrap_err(), RestoreError::OtherInput);
}

#[test]
fn what_is_wrong_is_named() {
    type Spoil = fn(&mut FloodInput);
    let cases: [(&str, Spoil); 10] = [
        ("nx: ", |i| i.nx = 0),
        ("cell_m: ", |i| i.cell_m = f64::NAN),
        ("bed_m: 399 values for 400 cells", |i| i.bed_m.truncate(399)),
        ("bed_m[3]: ", |i| i.bed_m[3] = f64::INFINITY),
        ("links[0].b: there is no room 9", |i| i.links = vec![door("d", End::Cell(0), End::Room(9), 0.0)]),
        ("drains[0].inlets[0].cell: cell 4000 of 400", |i| i.drains[0].inlets[0].cell = 4000),
        ("roofs[0].to: cell 18 is blocked", |i| {
            i.roofs = vec![Roof { id: "r".into(), area_m2: 1.0, to: 18 }]
        }),
        ("stages[1].id: there are two of 'river'", |i| {
            i.stages.push(Stage { cells: vec![], ..i.stages[0].clone() })
        }),
        ("pumps[0].from: there is no such drain", |i| i.pumps[0].from = PumpFrom::Drain(7)),
        ("rain_m_s[1]: time 1 comes before 5", |i| i.rain_m_s.corners = vec![(5.0, 0.0), (1.0, 0.0)]),
    ];
    for (expected, spoil) in cases {
        let mut input = drained(0.0, true);
        spoil(&mut input);
        let why = Flood::new(input).unwrap_err().to_string();
        assert!(why.starts_with(expected), "{expected}: {why}");
    }
    let mut flood = Flood::new(drained(0.0, true)).unwrap();
    let hash = flood.hash();
    for change in [
        Change::Pump { id: "x".into(), on: true },
        Change::Rain(-1.0),
        Change::Stage { id: "river".into(), level_m: f64::NAN },
        Change::Drain { id: "storm".into(), free: 2.0 },
    ] {
        assert!(flood.apply(&change).is_err(), "{change:?}");
    }
    assert_eq!(flood.hash(), hash);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_the_ground_no_depth_is_negative_and_no_water_is_lost(
        beds in proptest::collection::vec(-2.0..2.0f64, 64),
        levels in proptest::collection::vec(-2.0..2.5f64, 64),
        walls in proptest::collection::vec(any::<bool>(), 64),
        faces in proptest::collection::vec(0..56u32, 0..12),
        manning in 0.0..0.1f64,
        sills in proptest::collection::vec(-2.0..2.0f64, 3),
        rain in 0.0..1e-3f64,
    ) {
        let mut input = FloodInput::flat(8, 8, 1.5);
        input.bed_m = beds;
        input.stage_m = Field::Cells(levels);
        input.manning = Field::Uniform(manning);
        input.rain_m_s = Series { corners: vec![(0.0, rain)] };
        input.blocked = walls.iter().enumerate().map(|(c, w)| *w && c % 3 == 0 && c != 9).collect();
        let faces = faces.into_iter().map(Face::North).collect();
        input.barriers.push(Barrier { id: "b".into(), faces, height_m: 0.4, up: true });
        input.edges = [Edge::Open, Edge::Wall, Edge::Open, Edge::Wall];
        input.rooms = vec![room("a", -1.0), room("b", -1.5)];
        let free: Vec<u32> = (0..64).filter(|c| !input.blocked[*c as usize]).collect();
        input.links = vec![
            door("0", End::Cell(free[1]), End::Room(0), sills[0]),
            door("1", End::Room(0), End::Room(1), sills[1]),
            door("2", End::Cell(free[free.len() - 1]), End::Room(1), sills[2]),
        ];
        let mut flood = Flood::new(input).unwrap();
        for _ in 0..10 {
            flood.step(2.0, 1);
            prop_assert!(flood.depth_m().iter().all(|h| *h >= 0.0 && h.is_finite()));
            prop_assert!(flood.rooms().all(|r| r.volume_m3 >= 0.0 && r.depth_m <= 2.5 + 1e-9));
            prop_assert!(flood.balance().error().abs() <= 1e-12, "{:e}", flood.balance().error());
        }
    }

    #[test]
    fn hostile_bytes_are_errors(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Flood::restore(FloodInput::flat(2, 2, 1.0), &bytes).is_err());
    }
}
