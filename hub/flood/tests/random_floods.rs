//! Small floods of every kind at random: never a negative or missing depth, never a drop lost, never a panic.
#![allow(clippy::unwrap_used)]

mod common;

use campanile_flood::{
    Barrier, Change, Edge, End, Face, Field, Flood, FloodInput, Link, Pump, PumpFrom, Roof, Series, Threads,
};
use common::{Dice, drain, pump, room, stage, tray};
use proptest::prelude::*;

/// An input from a seed; every part of it may be missing, extreme or beside another.
fn input(nx: usize, ny: usize, seed: u64) -> FloodInput {
    let mut dice = Dice(seed);
    let cells = nx * ny;
    let steep = 10.0_f64.powf(4.0 * dice.next() - 3.0);
    let mut input = tray(nx, ny, 10.0_f64.powf(2.0 * dice.next() - 1.0));
    input.bed_m = (0..cells).map(|_| 3990.7 + steep * dice.next()).collect();
    input.blocked = (0..cells).map(|_| dice.next() < 0.1).collect();
    input.manning = Field::Uniform(if dice.next() < 0.3 { 0.0 } else { 0.1 * dice.next() });
    let wet = dice.next();
    input.stage_m = Field::Cells(
        (0..cells)
            .map(|_| if dice.next() < wet { 3990.7 + 1.5 * steep * dice.next() } else { f64::NEG_INFINITY })
            .collect(),
    );
    input.edges = [0; 4].map(|_| if dice.next() < 0.5 { Edge::Open } else { Edge::Wall });
    input.rain_m_s = Series { corners: vec![(1.0, 1e-3 * dice.next()), (3.0, 1e-2 * dice.next())] };
    let open: Vec<u32> = (0..cells as u32).filter(|&c| !input.blocked[c as usize]).collect();
    if open.len() < 2 {
        return input;
    }
    let cell = |dice: &mut Dice| open[(dice.next() * open.len() as f64) as usize];
    let level = |dice: &mut Dice| 3990.7 + 2.0 * steep * (dice.next() - 0.2);
    let at = cell(&mut dice);
    input.stages = vec![stage("river", [at as usize], level(&mut dice))];
    input.stages[0].level_m.corners.push((4.0, level(&mut dice)));
    let faces = (0..cells as u32)
        .filter(|&c| !(c as usize + 1).is_multiple_of(nx) && dice.next() < 0.3)
        .map(Face::East);
    input.barriers =
        vec![Barrier { id: "b".into(), faces: faces.collect(), height_m: steep * dice.next(), up: true }];
    input.roofs = vec![Roof { id: "r".into(), area_m2: 1e4 * dice.next(), to: cell(&mut dice) }];
    input.rooms = vec![
        room("r", level(&mut dice), 0.1 + 50.0 * dice.next(), 3.0 * dice.next()),
        room("s", level(&mut dice) - 3.0, 0.01, 2.0),
    ];
    let door = |a: End, b: End, dice: &mut Dice| Link {
        id: format!("{a:?} {b:?}"),
        a,
        b,
        sill_m: level(dice),
        width_m: 100.0 * dice.next(),
        height_m: 2.0 * dice.next(),
        open: dice.next(),
    };
    let (c, d) = (cell(&mut dice), cell(&mut dice));
    input.links =
        vec![door(End::Cell(c), End::Room(0), &mut dice), door(End::Room(0), End::Room(1), &mut dice)];
    if c != d {
        input.links.push(door(End::Cell(d), End::Cell(c), &mut dice));
    }
    let inlets = [cell(&mut dice), cell(&mut dice), c];
    input.drains = vec![drain("d", &inlets, 5.0 * dice.next(), Some(0), dice.next() < 0.5)];
    input.drains[0].outfall_m = level(&mut dice);
    input.pumps = vec![
        pump("p", PumpFrom::End(End::Room(1)), Some(End::Cell(d)), dice.next()),
        pump("q", PumpFrom::End(End::Cell(d)), None, 10.0 * dice.next()),
        Pump { on: false, ..pump("s", PumpFrom::Drain(0), None, 10.0 * dice.next()) },
    ];
    input
}

fn sound(flood: &Flood) -> Result<(), TestCaseError> {
    for (cell, &depth) in flood.depth_m().iter().enumerate() {
        prop_assert!(depth >= 0.0 && depth.is_finite(), "cell {cell}: depth {depth}");
        prop_assert!(flood.speed_m_s(cell).is_finite(), "cell {cell}: speed {}", flood.speed_m_s(cell));
    }
    for room in flood.rooms() {
        prop_assert!(room.volume_m3 >= 0.0, "{room:?}");
    }
    let balance = flood.balance();
    prop_assert!(balance.error_relative.abs() <= 1e-13, "{balance:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stay_sound(nx in 1_usize..12, ny in 1_usize..20, seed: u64) {
        let input = input(nx, ny, seed);
        let mut flood = Flood::new(input.clone()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let one = Threads::one();
        for round in 0..6 {
            flood.step(1.0, &one);
            sound(&flood)?;
            if round == 3 && !input.pumps.is_empty() {
                for change in [
                    Change::Pump { id: "s".into(), on: true },
                    Change::Barrier { id: "b".into(), up: false },
                    Change::Rain(0.0),
                ] {
                    flood.apply(&change).map_err(|e| TestCaseError::fail(e.to_string()))?;
                }
            }
        }
        let again = Flood::restore(input, &flood.save()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(again.hash(), flood.hash());
    }
}
