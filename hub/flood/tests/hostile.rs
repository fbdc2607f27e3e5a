//! What comes from outside gets an answer, never a panic.
#![allow(clippy::unwrap_used)]

mod common;

use campanile_flood::{
    Change, ChangeError, End, Face, Field, Flood, FloodInput, PumpFrom, RestoreError, Threads,
};
use common::{Dice, campus, start};

type Mischief = fn(&mut FloodInput);

const FAULTS: &[(&str, Mischief)] = &[
    ("nx", |i| i.nx = 0),
    ("ny", |i| i.ny = 0),
    ("nx", |i| (i.nx, i.ny) = (usize::MAX, 2)),
    ("nx", |i| (i.nx, i.ny) = (1 << 20, 1 << 20)),
    ("cell_m", |i| i.cell_m = 0.0),
    ("cell_m", |i| i.cell_m = f64::NAN),
    ("origin_m[1]", |i| i.origin_m[1] = f64::INFINITY),
    ("bed_m", |i| i.bed_m.truncate(3)),
    ("bed_m[17]", |i| i.bed_m[17] = f64::NAN),
    ("bed_m[17]", |i| i.bed_m[17] = 1e7),
    ("blocked", |i| i.blocked.push(true)),
    ("manning", |i| i.manning = Field::Cells(vec![0.03])),
    ("manning[0]", |i| i.manning = Field::Uniform(-0.03)),
    ("stage_m", |i| i.stage_m = Field::Cells(Vec::new())),
    ("stage_m[0]", |i| i.stage_m = Field::Uniform(f64::NAN)),
    ("stage_m[0]", |i| i.stage_m = Field::Uniform(f64::INFINITY)),
    ("rain_m_s.corners[0]", |i| i.rain_m_s.corners = vec![(0.0, -1.0)]),
    ("rain_m_s.corners[1]", |i| i.rain_m_s.corners = vec![(9.0, 0.0), (3.0, 0.0)]),
    ("rain_m_s.corners[0]", |i| i.rain_m_s.corners = vec![(f64::NAN, 0.0)]),
    ("stages[0].id", |i| i.stages[0].id.clear()),
    ("stages[1].id", |i| i.stages.push(i.stages[0].clone())),
    ("stages[0].cells[0]", |i| i.stages[0].cells[0] = u32::MAX),
    ("stages[0].cells[1]", |i| i.stages[0].cells[1] = i.stages[0].cells[0]),
    ("stages[0].cells[0]", |i| i.blocked[i.stages[0].cells[0] as usize] = true),
    ("stages[0].level_m", |i| i.stages[0].level_m.corners.clear()),
    ("stages[0].level_m.corners[0]", |i| i.stages[0].level_m.corners = vec![(0.0, 1e9)]),
    ("barriers[0].height_m", |i| i.barriers[0].height_m = f64::NAN),
    ("barriers[0].height_m", |i| i.barriers[0].height_m = -1.0),
    ("barriers[0].faces[0]", |i| i.barriers[0].faces[0] = Face::East(39)),
    ("barriers[0].faces[0]", |i| i.barriers[0].faces[0] = Face::North(40 * 35)),
    ("barriers[0].faces[0]", |i| i.barriers[0].faces[0] = Face::North(u32::MAX)),
    ("roofs[0].area_m2", |i| i.roofs[0].area_m2 = f64::NEG_INFINITY),
    ("roofs[0].to", |i| i.roofs[0].to = 40 * 12 + 17),
    ("rooms[1].id", |i| i.rooms[1].id = "hall".into()),
    ("rooms[0].floor_m", |i| i.rooms[0].floor_m = 1e6),
    ("rooms[0].area_m2", |i| i.rooms[0].area_m2 = 0.0),
    ("rooms[0].area_m2", |i| (i.rooms[0].area_m2, i.rooms[0].height_m, i.cell_m) = (1e6, 100.0, 1e-3)),
    ("rooms[0].height_m", |i| i.rooms[0].height_m = -1.0),
    ("links[0].a", |i| i.links[0].a = End::Cell(u32::MAX)),
    ("links[0].b", |i| i.links[0].b = End::Room(2)),
    ("links[0].b", |i| i.links[0].b = i.links[0].a),
    ("links[0].sill_m", |i| i.links[0].sill_m = f64::NAN),
    ("links[0].width_m", |i| i.links[0].width_m = -1.0),
    ("links[0].height_m", |i| i.links[0].height_m = f64::NAN),
    ("links[1].open", |i| i.links[1].open = 1.1),
    ("drains[0].inlets[2].cell", |i| i.drains[0].inlets[2].cell = 9999),
    ("drains[0].inlets[0].perimeter_m", |i| i.drains[0].inlets[0].perimeter_m = f64::NAN),
    ("drains[0].inlets[0].area_m2", |i| i.drains[0].inlets[0].area_m2 = -1.0),
    ("drains[0].capacity_m3_s", |i| i.drains[0].capacity_m3_s = f64::INFINITY),
    ("drains[0].outfall_m", |i| i.drains[0].outfall_m = -1e5),
    ("drains[0].design_head_m", |i| i.drains[0].design_head_m = 0.0),
    ("drains[0].outside", |i| i.drains[0].outside = Some(1)),
    ("pumps[0].from", |i| i.pumps[0].from = PumpFrom::End(End::Room(9))),
    ("pumps[2].from", |i| i.pumps[2].from = PumpFrom::Drain(1)),
    ("pumps[2].to", |i| i.pumps[2].to = Some(End::Room(0))),
    ("pumps[0].to", |i| i.pumps[0].to = Some(End::Room(1))),
    ("pumps[0].to", |i| i.pumps[0].to = Some(End::Cell(99_999))),
    ("pumps[0].capacity_m3_s", |i| i.pumps[0].capacity_m3_s = -0.1),
];

#[test]
fn every_faulty_field_is_named() {
    start(campus());
    for (k, (field, spoil)) in FAULTS.iter().enumerate() {
        let mut input = campus();
        spoil(&mut input);
        let error = Flood::new(input).err().unwrap_or_else(|| panic!("fault {k} ({field}) was taken"));
        assert_eq!(&error.field, field, "fault {k}: {error}");
        assert!(!error.problem.is_empty() && !error.mend.is_empty(), "fault {k}: {error}");
    }
}

#[test]
fn a_change_of_nothing_known_or_to_nothing_possible_changes_nothing() {
    let mut flood = start(campus());
    let before = flood.hash();
    let id = || "nosuch".to_owned();
    for change in [
        Change::Stage { id: id(), level_m: 1.0 },
        Change::Barrier { id: id(), up: true },
        Change::Pump { id: id(), on: true },
        Change::Drain { id: id(), free: 0.5 },
        Change::Link { id: id(), open: 0.5 },
    ] {
        let error = flood.apply(&change).unwrap_err();
        assert!(
            matches!(error, ChangeError::Unknown { .. }) && error.to_string().contains("nosuch"),
            "{error}"
        );
    }
    for change in [
        Change::Rain(f64::NAN),
        Change::Rain(-1e-5),
        Change::Rain(1e3),
        Change::Stage { id: "river".into(), level_m: f64::INFINITY },
        Change::Drain { id: "yard".into(), free: -0.1 },
        Change::Link { id: "stairs".into(), open: f64::NAN },
    ] {
        let error = flood.apply(&change).unwrap_err();
        assert!(matches!(error, ChangeError::Value { .. }), "{error}");
    }
    assert_eq!(flood.hash(), before);
}

#[test]
fn no_time_or_no_number_of_seconds_does_nothing() {
    let mut flood = start(campus());
    let before = flood.hash();
    for dt_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        flood.step(dt_s, &Threads::one());
        assert_eq!(flood.hash(), before, "{dt_s}");
    }
    assert_eq!(flood.velocity_m_s(usize::MAX), [0.0; 2]);
    assert_eq!((flood.speed_m_s(usize::MAX), flood.stage_m(usize::MAX)), (0.0, None));
}

fn saved() -> Vec<u8> {
    let mut flood = start(campus());
    flood.step(30.0, &Threads::one());
    flood.save()
}

#[test]
fn damaged_saves_are_refused() {
    let good = saved();
    assert!(Flood::restore(campus(), &good).is_ok());
    for length in (0..good.len()).step_by(997).chain([good.len() - 1]) {
        assert!(Flood::restore(campus(), &good[..length]).is_err(), "cut at {length}");
    }
    for at in (0..good.len()).step_by(1013) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(Flood::restore(campus(), &bad).is_err(), "byte {at}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(Flood::restore(campus(), &longer).is_err());

    let mut other = campus();
    other.bed_m[3] += 1e-9;
    assert_eq!(Flood::restore(other, &good).err(), Some(RestoreError::OtherInput));
    let mut newer = good;
    newer[4] = 99;
    assert_eq!(Flood::restore(campus(), &newer).err(), Some(RestoreError::Version(99)));
}

/// Someone who can reckon a checksum can write anything: what is taken up must still run.
#[test]
fn forged_saves_are_refused_or_run() {
    let good = saved();
    let body = good.len() - 32;
    let (mut dice, mut refused, mut ran) = (Dice(11), 0, 0);
    for round in 0..400 {
        let mut forged = good[..body].to_vec();
        // The head of the state more often than its many cells.
        let reach = if round % 2 == 0 { 600 } else { body - 38 };
        let at = 38 + (dice.next() * (reach as f64 - 9.0)) as usize;
        match round % 3 {
            0 => forged[at] = (dice.next() * 256.0) as u8,
            1 => forged[at..at + 8].copy_from_slice(&f64::NAN.to_le_bytes()),
            _ => forged[at..at + 8].copy_from_slice(&[0xff; 8]),
        }
        let sum = blake3::hash(&forged);
        forged.extend_from_slice(sum.as_bytes());
        match Flood::restore(campus(), &forged) {
            Err(_) => refused += 1,
            Ok(mut flood) => {
                ran += 1;
                flood.step(0.01, &Threads::one());
                flood.balance();
                flood.rooms();
            }
        }
    }
    assert!(refused > 50 && ran > 50, "{refused} refused, {ran} ran");
}
