//! Barriers, rooms, drains and pumps do what they are for.
#![allow(clippy::unwrap_used)]

mod common;

use campanile_flood::{Barrier, Change, End, Face, Field, Flood, FloodInput, PumpFrom, Roof, Series};
use common::{door, drain, pump, room, run, stage, start, tray};

fn exact(flood: &Flood) {
    let balance = flood.balance();
    assert!(balance.error_relative.abs() <= 1e-13, "{balance:?}");
}

/// A channel of 20 × 3 cells with a river in its first column and a barrier after the tenth.
fn channel(river_m: f64, height_m: f64) -> FloodInput {
    let mut input = tray(20, 3, 2.0);
    input.manning = Field::Uniform(0.02);
    input.stages = vec![stage("river", [0, 20, 40], river_m)];
    let faces = (0..3).map(|j| Face::East(j * 20 + 9)).collect();
    input.barriers = vec![Barrier { id: "boards".into(), faces, height_m, up: true }];
    input
}

#[test]
fn a_barrier_holds_up_to_its_crest() {
    // River level, height of the barrier, whether water gets behind.
    for (river, height, passes) in
        [(0.4, 0.5, false), (0.6, 0.5, true), (5.0, f64::INFINITY, false), (0.4, 0.0, true)]
    {
        let mut flood = start(channel(river, height));
        run(&mut flood, 300.0, 10.0);
        let behind: f64 = (0..60).filter(|c| c % 20 >= 10).map(|c| flood.depth_m()[c]).sum();
        assert_eq!(behind > 0.0, passes, "river {river}, height {height}: {behind}");
        let freeboard = flood.barriers()[0].freeboard_m;
        assert_eq!(freeboard < 0.0, passes, "river {river}, height {height}: freeboard {freeboard}");
        exact(&flood);
    }
}

#[test]
fn an_overtopped_barrier_passes_what_a_weir_does() {
    let mut input = channel(0.7, 0.5);
    input.edges[1] = campanile_flood::Edge::Open;
    let mut flood = start(input);
    run(&mut flood, 1200.0, 60.0);
    let before = flood.balance().edges_out_m3;
    run(&mut flood, 600.0, 60.0);
    let flow = (flood.balance().edges_out_m3 - before) / 600.0;
    // Q = 0.4 √2g b H^1.5 with the level just before the boards.
    let head = flood.depth_m()[29] - 0.5;
    let weir = 0.4 * (2.0 * 9.81_f64).sqrt() * 6.0 * head.powf(1.5);
    assert!((flow / weir - 1.0).abs() < 0.01, "{flow} m³/s, and the weir has {weir}");
}

#[test]
fn a_lowered_barrier_lets_go() {
    let mut flood = start(channel(0.4, 0.5));
    run(&mut flood, 60.0, 10.0);
    assert_eq!(flood.depth_m()[15], 0.0);
    flood.apply(&Change::Barrier { id: "boards".into(), up: false }).unwrap();
    run(&mut flood, 600.0, 10.0);
    assert!((flood.depth_m()[15] - 0.4).abs() < 0.01, "{}", flood.depth_m()[15]);
    exact(&flood);
}

/// A yard that is all river, with a room behind a door.
fn yard_and_room(level_m: f64) -> FloodInput {
    let mut input = tray(4, 4, 2.0);
    input.stages = vec![stage("river", 0..16, level_m)];
    input.rooms = vec![room("hall", -0.5, 30.0, 3.0)];
    input.links = vec![door("door", End::Cell(5), End::Room(0), 0.2)];
    input
}

#[test]
fn a_room_fills_to_the_level_outside_and_not_beyond_and_drains_back_to_the_sill() {
    let mut flood = start(yard_and_room(1.0));
    let mut top = f64::NEG_INFINITY;
    for _ in 0..600 {
        run(&mut flood, 1.0, 1.0);
        top = top.max(flood.rooms()[0].level_m);
    }
    assert!(
        (flood.rooms()[0].level_m - 1.0).abs() < 1e-6 && top <= 1.0,
        "{:?}, at most {top}",
        flood.rooms()[0]
    );
    flood.apply(&Change::Stage { id: "river".into(), level_m: 0.1 }).unwrap();
    run(&mut flood, 60.0, 1.0);
    assert!(flood.rooms()[0].inflow_m3_s < 0.0 && flood.links()[0].flow_m3_s < 0.0);
    run(&mut flood, 36_000.0, 60.0);
    let left = flood.rooms()[0].level_m;
    assert!((0.2..0.201).contains(&left), "{left}");
    exact(&flood);
}

#[test]
fn a_shut_door_leaks_by_its_share_and_a_tight_one_not_at_all() {
    let filled = |open: f64| {
        let mut input = yard_and_room(1.0);
        input.links[0].open = open;
        let mut flood = start(input);
        run(&mut flood, 10.0, 1.0);
        flood.rooms()[0].volume_m3
    };
    let (open, leaky, tight) = (filled(1.0), filled(0.01), filled(0.0));
    assert_eq!(tight, 0.0);
    assert!((leaky / open - 0.01).abs() < 0.001, "{leaky} of {open}");
}

#[test]
fn a_room_takes_no_more_than_it_has_height_for() {
    let mut input = yard_and_room(2.0);
    input.rooms[0].height_m = 1.0;
    let mut flood = start(input);
    run(&mut flood, 600.0, 10.0);
    let hall = &flood.rooms()[0];
    assert!((hall.volume_m3 - 30.0).abs() < 1e-9, "{hall:?}");
    assert_eq!(hall.inflow_m3_s, 0.0);
    exact(&flood);
}

#[test]
fn water_goes_from_room_to_room_down_the_stairs() {
    let mut input = yard_and_room(1.0);
    input.rooms.push(room("cellar", -3.0, 10.0, 2.4));
    input.links.push(door("stairs", End::Room(0), End::Room(1), -0.4));
    let mut flood = start(input);
    run(&mut flood, 1200.0, 10.0);
    let rooms = flood.rooms();
    assert!((rooms[1].volume_m3 - 24.0).abs() < 1e-9 && (rooms[0].level_m - 1.0).abs() < 1e-3, "{rooms:?}");
    exact(&flood);
}

/// A yard of 8 × 8 cells with 0.5 m of water and a drain in the middle, and a river walled off beside it.
fn drained(capacity: f64, outside_m: f64, flap: bool) -> FloodInput {
    let mut input = tray(10, 8, 2.0);
    input.blocked = (0..80).map(|cell| cell % 10 == 8).collect();
    input.stage_m = Field::Uniform(0.5);
    input.stages = vec![stage("river", (0..8).map(|j| j * 10 + 9), outside_m)];
    input.drains = vec![drain("yard", &[33, 34], capacity, Some(0), flap)];
    input
}

#[test]
fn a_drain_passes_its_capacity_and_less_against_a_high_river() {
    // Level outside; what the outlet passes of its 0.1 m³/s. Water stands at 0.5 m, the head of design is 1
    // m.
    for (outside, share) in [(-9.0, 1.0), (-0.5, 1.0), (0.25, 0.5), (0.46, 0.2)] {
        let mut flood = start(drained(0.1, outside, true));
        run(&mut flood, 2.0, 1.0);
        let got = flood.drains()[0].out_m3_s;
        assert!((got / (0.1 * share) - 1.0).abs() < 0.06, "outside {outside}: {got}");
        exact(&flood);
    }
}

#[test]
fn a_drain_empties_the_yard() {
    let mut flood = start(drained(0.5, -9.0, true));
    run(&mut flood, 1800.0, 10.0);
    let left: f64 = (0..80).filter(|c| c % 10 < 8).map(|c| flood.depth_m()[c]).sum::<f64>() / 64.0;
    assert!(left < 0.005, "{left} m left");
    assert!((flood.balance().drains_out_m3 - 0.5 * 64.0 * 4.0).abs() < 1.5, "{:?}", flood.balance());
    exact(&flood);
}

#[test]
fn a_river_comes_back_up_unless_there_is_a_flap() {
    for (flap, blocked) in [(false, false), (true, false), (false, true)] {
        let mut flood = start(drained(0.2, 1.5, flap));
        if blocked {
            flood.apply(&Change::Drain { id: "yard".into(), free: 0.0 }).unwrap();
        }
        run(&mut flood, 3600.0, 10.0);
        let (level, back) = (flood.stage_m(0).unwrap(), flood.drains()[0].back_m3);
        if flap || blocked {
            assert_eq!((level, back), (0.5, 0.0), "flap {flap}, blocked {blocked}");
        } else {
            // Up to the river, and not beyond.
            assert!((1.4..=1.5 + 1e-9).contains(&level), "{level}");
            assert!((back - (level - 0.5) * 64.0 * 4.0).abs() < 1.0, "{back}");
        }
        exact(&flood);
    }
}

#[test]
fn a_pump_lifts_the_drain_over_a_high_river() {
    let mut input = drained(0.1, 1.5, false);
    input.pumps = vec![pump("station", PumpFrom::Drain(0), None, 0.3)];
    let mut flood = start(input);
    run(&mut flood, 5.0, 1.0);
    // The pipe brings up to 0.1 m³/s back; the pump stems it and lifts the rest of its 0.3.
    let state = &flood.drains()[0];
    assert!((state.pumped_m3_s - 0.2).abs() < 0.01 && state.back_m3_s == 0.0, "{state:?}");
    assert!((flood.pumps()[0].flow_m3_s - state.pumped_m3_s).abs() < 1e-12);
    flood.apply(&Change::Pump { id: "station".into(), on: false }).unwrap();
    run(&mut flood, 5.0, 1.0);
    assert!(flood.drains()[0].back_m3_s > 0.05, "{:?}", flood.drains()[0]);
    exact(&flood);
}

#[test]
fn pumps_move_their_capacity_while_there_is_water() {
    let mut input = tray(6, 6, 2.0);
    input.stage_m = Field::Uniform(0.1);
    input.rooms = vec![room("tank", 2.0, 5.0, 1.0)];
    input.pumps = vec![
        pump("up", PumpFrom::End(End::Cell(14)), Some(End::Room(0)), 0.05),
        pump("away", PumpFrom::End(End::Cell(20)), None, 0.01),
    ];
    let mut flood = start(input);
    run(&mut flood, 60.0, 1.0);
    assert!((flood.rooms()[0].volume_m3 - 3.0).abs() < 1e-9, "{:?}", flood.rooms()[0]);
    assert!((flood.balance().pumps_out_m3 - 0.6).abs() < 1e-9);
    run(&mut flood, 3600.0, 10.0);
    // The tank is full; the other pump ran dry.
    assert!((flood.rooms()[0].volume_m3 - 5.0).abs() < 1e-9);
    let away = flood.balance().pumps_out_m3;
    assert!((away - (14.4 - 5.0)).abs() < 0.05, "{away}");
    assert!(flood.depth_m().iter().all(|&h| h >= 0.0));
    exact(&flood);
}

#[test]
fn a_roof_brings_its_rain_down_to_one_cell() {
    let mut input = tray(5, 5, 1.0);
    input.blocked = (0..25).map(|cell| cell == 12).collect();
    input.rain_m_s = Series::constant(1e-5);
    input.roofs = vec![Roof { id: "hall".into(), area_m2: 1.0, to: 11 }];
    let mut flood = start(input);
    run(&mut flood, 1000.0, 10.0);
    let balance = flood.balance();
    assert!((balance.roofs_m3 - 0.01).abs() < 1e-9 && (balance.rain_m3 - 0.24).abs() < 1e-9, "{balance:?}");
    assert_eq!(flood.depth_m()[12], 0.0);
    exact(&flood);
}

#[test]
fn water_arrives_and_peaks_are_kept() {
    let mut flood = start(channel(0.4, f64::INFINITY));
    run(&mut flood, 60.0, 1.0);
    let arrival = flood.arrival_s();
    assert_eq!(arrival[0], 0.0);
    assert!(arrival[2] < arrival[6] && arrival[6].is_finite());
    assert!(arrival[15].is_infinite() && flood.max_depth_m()[15] == 0.0);
    flood.apply(&Change::Stage { id: "river".into(), level_m: 0.0 }).unwrap();
    run(&mut flood, 600.0, 1.0);
    assert!(flood.depth_m()[6] < 0.1 && flood.max_depth_m()[6] > 0.35);
    for cell in 0..60 {
        let (hazard, depth, speed) =
            (flood.max_hazard_m2_s()[cell], flood.max_depth_m()[cell], flood.max_speed_m_s()[cell]);
        assert!(hazard >= 0.5 * depth && hazard <= depth * (speed + 0.5) + 1e-12, "cell {cell}");
    }
}

#[test]
fn an_open_edge_lets_a_plane_run_off() {
    // Rain on a sealed plane: after the equilibrium as much leaves as falls (kinematic wave, Henderson 1966).
    let mut input = tray(50, 1, 2.0);
    input.bed_m = (0..50).map(|i| 0.005 * 2.0 * (49 - i) as f64).collect();
    input.manning = Field::Uniform(0.015);
    input.rain_m_s = Series::constant(0.06 / 3600.0);
    input.edges[1] = campanile_flood::Edge::Open;
    let mut flood = start(input);
    // For 100 m of width, L/s; at 300 s the wave has q = √S/n (i t)^(5/3).
    for (time, want) in [(300.0, 68.9), (600.0, 166.7), (1200.0, 166.7), (2400.0, 166.7)] {
        let until = time - 5.0 - flood.time_s();
        run(&mut flood, until, 5.0);
        let before = flood.balance().edges_out_m3;
        run(&mut flood, 10.0, 5.0);
        let got = (flood.balance().edges_out_m3 - before) / 10.0 * 1000.0 * 50.0;
        println!("outflow at {time} s: {got:.1} L/s, kinematic wave {want}");
        assert!((got / want - 1.0).abs() < 0.05, "at {time} s: {got} instead of {want}");
    }
    exact(&flood);
}

#[test]
fn a_stir_that_dies_away_along_a_river_under_a_dry_bank_stays_a_number() {
    // Levels imposed at every sub-step leave of a stir only what its momentum carries on, less from cell to cell
    // until it is a subnormal number: its reciprocal is infinite, and infinity times a dry bank is no number.
    let (nx, ny) = (300, 3);
    let mut input = tray(nx, ny, 2.0);
    input.manning = Field::Uniform(0.03);
    input.bed_m = (0..nx * ny).map(|cell| [1.0, 2.5, 4.0][cell / nx]).collect();
    input.stage_m = Field::Cells((0..nx * ny).map(|cell| if cell == 0 { 3.2 } else { 3.0 }).collect());
    input.stages = vec![stage("river", (0..2 * nx).filter(|cell| cell % nx > 0), 3.0)];
    let mut flood = start(input);
    for second in 0..120 {
        run(&mut flood, 1.0, 1.0);
        let speed = |cell: usize| flood.speed_m_s(cell);
        let none = (0..nx * ny).find(|&cell| !(speed(cell).is_finite() && flood.depth_m()[cell].is_finite()));
        assert_eq!(none, None, "after {second} s");
        let tiny = |x: &f64| x.is_subnormal();
        let subnormal = (0..nx * ny).find(|&cell| flood.velocity_m_s(cell).iter().any(tiny));
        assert_eq!(subnormal, None, "after {second} s: slow to reckon with");
    }
    exact(&flood);
}

#[test]
fn a_roof_may_fall_to_several_cells_under_one_name() {
    let mut input = tray(4, 3, 1.0);
    let share = |to| Roof { id: "hall".into(), area_m2: 1.0, to };
    input.roofs = vec![share(3), share(11)];
    input.rain_m_s = Series::constant(1e-4);
    let mut flood = start(input);
    run(&mut flood, 100.0, 10.0);
    assert!((flood.balance().roofs_m3 - 0.02).abs() < 1e-9, "{:?}", flood.balance());
    exact(&flood);
}
