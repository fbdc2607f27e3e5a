//! Still water stays still, and no drop is made or lost.
#![allow(clippy::unwrap_used)]

mod common;

use campanile_flood::{Field, FloodInput, Series};
use common::{campus, random_bed, run, start, top_speed, tray};

fn bump(level_m: f64) -> FloodInput {
    let mut input = tray(200, 4, 0.125);
    input.bed_m = (0..800)
        .map(|cell| (0.2 - 0.05 * (0.125 * ((cell % 200) as f64 + 0.5) - 10.0).powi(2)).max(0.0))
        .collect();
    input.stage_m = Field::Uniform(level_m);
    input
}

fn random(level_m: f64) -> FloodInput {
    let mut input = tray(40, 30, 2.0);
    input.bed_m = random_bed(1200, 1).iter().map(|z| z + 412.3).collect();
    input.stage_m = Field::Uniform(412.3 + level_m);
    input.manning = Field::Uniform(0.03);
    input
}

/// Two houses, and an island that stays dry.
fn houses_and_island() -> FloodInput {
    let mut input = random(1.5);
    let inside = |cell: usize, x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
        x.contains(&(cell % 40)) && y.contains(&(cell / 40))
    };
    input.blocked = (0..1200).map(|c| inside(c, 5..11, 4..20) || inside(c, 20..30, 0..7)).collect();
    for cell in (0..1200).filter(|&c| inside(c, 30..36, 15..22)) {
        input.bed_m[cell] += 3.0;
    }
    input
}

#[test]
fn a_lake_stays_at_rest() {
    for (name, input) in [
        ("bump immersed", bump(0.5)),
        ("bump emerged", bump(0.1)),
        ("random bed immersed", random(1.2)),
        ("random bed emerged", random(0.5)),
        ("houses and a dry island", houses_and_island()),
    ] {
        let mut flood = start(input);
        let levels: Vec<_> = (0..flood.depth_m().len()).map(|cell| flood.stage_m(cell)).collect();
        run(&mut flood, 100.0, 10.0);
        assert!(flood.counters().cell_updates > 0, "{name}: nothing was reckoned");
        assert!(top_speed(&flood) <= 1e-12, "{name}: speed {}", top_speed(&flood));
        for (cell, before) in levels.into_iter().enumerate() {
            match (before, flood.stage_m(cell)) {
                (None, None) => {}
                (Some(a), Some(b)) => assert!((a - b).abs() <= 1e-12, "{name}: cell {cell}: {a} to {b}"),
                (a, b) => panic!("{name}: cell {cell}: {a:?} to {b:?}"),
            }
        }
    }
}

#[test]
fn rain_is_all_there() {
    let rain = |mut input: FloodInput| {
        input.stage_m = Field::Uniform(f64::NEG_INFINITY);
        input.rain_m_s = Series { corners: vec![(0.0, 0.0), (600.0, 6e-5), (3600.0, 1e-5)] };
        input
    };
    for (name, input) in [
        ("tray", rain(tray(30, 20, 2.0))),
        ("random bed", rain(random(0.0))),
        ("houses", rain(houses_and_island())),
    ] {
        let open = input.blocked.iter().filter(|&&b| !b).count();
        let area = 4.0 * if input.blocked.is_empty() { input.bed_m.len() } else { open } as f64;
        // Under the corners of the hyetograph.
        let fell = area * (0.5 * 600.0 * 6e-5 + 0.5 * 3000.0 * 7e-5);
        let mut flood = start(input);
        run(&mut flood, 3600.0, 60.0);
        let balance = flood.balance();
        assert!((balance.rain_m3 / fell - 1.0).abs() < 1e-9, "{name}: {} instead of {fell}", balance.rain_m3);
        assert!(balance.error_relative.abs() <= 1e-13, "{name}: {balance:?}");
        // The balance's own sum is checked against the depths that anyone can add up.
        let held: f64 = flood.depth_m().iter().map(|h| h * 4.0).sum();
        assert!((held / fell - 1.0).abs() < 1e-9, "{name}: {held}");
        assert!(flood.depth_m().iter().all(|&h| h >= 0.0), "{name}");
    }
}

#[test]
fn a_campus_with_everything_loses_nothing() {
    let mut flood = start(campus());
    run(&mut flood, 240.0, 1.0);
    let balance = flood.balance();
    assert!(balance.error_relative.abs() <= 1e-13, "{balance:?}");
    // Each way in and out was used, or the test would say little.
    for (name, volume) in [
        ("rain", balance.rain_m3),
        ("roofs", balance.roofs_m3),
        ("stages in", balance.stages_in_m3),
        ("stages out", balance.stages_out_m3),
        ("edges", balance.edges_out_m3),
        ("drains out", balance.drains_out_m3),
        ("drains back", balance.drains_back_m3),
        ("pumps", balance.pumps_out_m3),
        ("rooms", balance.rooms_m3),
    ] {
        assert!(volume > 0.0, "{name}: {balance:?}");
    }
}
