//! The same flood from another side, on other threads, from a save and in a fork.
#![allow(clippy::unwrap_used)]

mod common;

use campanile_flood::{Change, Edge, Face, Field, Flood, FloodInput, Threads};
use common::{campus, random_bed, start, tray};

const N: usize = 24;

/// Water heaped up on a random bed, with a house, a low wall and one open edge.
fn heap() -> FloodInput {
    let mut input = tray(N, N, 1.0);
    input.bed_m = random_bed(N * N, 3);
    let heaped = |c: usize| (4..10).contains(&(c % N)) && (8..20).contains(&(c / N));
    input.stage_m = Field::Cells((0..N * N).map(|c| if heaped(c) { 3.0 } else { -1.0 }).collect());
    input.blocked = (0..N * N).map(|c| (12..15).contains(&(c % N)) && (3..12).contains(&(c / N))).collect();
    input.manning = Field::Uniform(0.02);
    input.edges = [Edge::Wall, Edge::Open, Edge::Wall, Edge::Wall];
    input.rain_m_s.corners = vec![(0.0, 1e-4)];
    let faces = (14..22).map(|j| Face::East((j * N + 16) as u32)).collect();
    input.barriers = vec![campanile_flood::Barrier { id: "wall".into(), faces, height_m: 0.2, up: true }];
    input
}

/// The input after moving every cell by `to`, on a square grid; faces and edges by hand.
fn moved(input: &FloodInput, to: impl Fn(usize, usize) -> (usize, usize)) -> FloodInput {
    let mut out = input.clone();
    let Field::Cells(stage) = &input.stage_m else { panic!("cells") };
    let mut new_stage = stage.clone();
    for (i, j) in (0..N * N).map(|c| (c % N, c / N)) {
        let (x, y) = to(i, j);
        out.bed_m[y * N + x] = input.bed_m[j * N + i];
        out.blocked[y * N + x] = input.blocked[j * N + i];
        new_stage[y * N + x] = stage[j * N + i];
    }
    out.stage_m = Field::Cells(new_stage);
    for face in &mut out.barriers[0].faces {
        let Face::East(cell) = *face else { panic!("east") };
        let (i, j) = (cell as usize % N, cell as usize / N);
        let ((x0, y0), (x1, y1)) = (to(i, j), to(i + 1, j));
        let low = (y0.min(y1) * N + x0.min(x1)) as u32;
        *face = if y0 == y1 { Face::East(low) } else { Face::North(low) };
    }
    out
}

#[test]
fn mirrored_and_turned_floods_are_the_same() {
    let turn = |i: usize, j: usize| (N - 1 - j, i);
    let mirror = |i: usize, j: usize| (N - 1 - i, j);
    let transpose = |i: usize, j: usize| (j, i);
    let [w, o] = [Edge::Wall, Edge::Open];
    let mut plain = start(heap());
    plain.step(20.0, &Threads::one());
    assert!(plain.balance().edges_out_m3 > 0.0 && common::top_speed(&plain) > 0.01);
    type Map = fn(usize, usize) -> (usize, usize);
    type Turn = fn([f64; 2]) -> [f64; 2];
    let cases: [(&str, Map, [Edge; 4], Turn); 3] = [
        ("turned", turn, [w, w, w, o], |[u, v]| [-v, u]),
        ("mirrored", mirror, [o, w, w, w], |[u, v]| [-u, v]),
        ("transposed", transpose, [w, w, w, o], |[u, v]| [v, u]),
    ];
    for (name, to, edges, velocity) in cases {
        let mut other = start(FloodInput { edges, ..moved(&heap(), to) });
        other.step(20.0, &Threads::one());
        for (i, j) in (0..N * N).map(|c| (c % N, c / N)) {
            let ((x, y), at) = (to(i, j), j * N + i);
            let there = y * N + x;
            // To the bit, which is more than the 1e-12 that is promised.
            assert_eq!(plain.depth_m()[at], other.depth_m()[there], "{name}: depth of {i}, {j}");
            let want = velocity(plain.velocity_m_s(at));
            assert_eq!(want, other.velocity_m_s(there), "{name}: velocity of {i}, {j}");
            assert_eq!(
                plain.max_hazard_m2_s()[at],
                other.max_hazard_m2_s()[there],
                "{name}: hazard of {i}, {j}"
            );
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let run = |threads: usize| {
        let (mut flood, threads) = (start(campus()), Threads::new(threads).unwrap());
        (0..60).for_each(|_| flood.step(1.0, &threads));
        flood.save()
    };
    let one = run(1);
    for threads in [2, 8] {
        assert!(one == run(threads), "{threads} threads");
    }
}

/// What any machine must get. It changes with the engine's numerics, and then on purpose.
#[test]
fn the_hash_is_the_same_everywhere() {
    let mut flood = start(campus());
    (0..60).for_each(|_| flood.step(1.0, &Threads::one()));
    let hash: String = flood.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, include_str!("campus.hash").trim());
}

fn changes() -> Vec<Change> {
    vec![
        Change::Rain(1e-4),
        Change::Stage { id: "river".into(), level_m: 1.6 },
        Change::Barrier { id: "boards".into(), up: false },
        Change::Pump { id: "station".into(), on: true },
        Change::Drain { id: "yard".into(), free: 0.4 },
        Change::Link { id: "stairs".into(), open: 1.0 },
    ]
}

#[test]
fn a_restored_flood_goes_on_as_if_nothing_had_been() {
    let one = Threads::one();
    let mut flood = start(campus());
    (0..40).for_each(|_| flood.step(1.0, &one));
    for change in changes() {
        flood.apply(&change).unwrap();
    }
    flood.step(0.37, &one);
    let saved = flood.save();
    let mut again = Flood::restore(campus(), &saved).unwrap();
    assert_eq!(again.hash(), flood.hash());
    assert_eq!(again.rooms(), flood.rooms());
    for _ in 0..40 {
        flood.step(1.0, &one);
        again.step(1.0, &one);
        assert_eq!(again.hash(), flood.hash(), "at {} s", flood.time_s());
    }
    assert!(flood.save() == again.save());
}

#[test]
fn forks_do_not_disturb_each_other() {
    let one = Threads::one();
    let mut flood = start(campus());
    (0..30).for_each(|_| flood.step(1.0, &one));
    let (before, mut fork) = (flood.hash(), flood.clone());
    for change in changes() {
        fork.apply(&change).unwrap();
    }
    (0..30).for_each(|_| fork.step(1.0, &one));
    assert_eq!(flood.hash(), before);
    assert_ne!(fork.hash(), before);
    let mut straight = start(campus());
    (0..60).for_each(|_| straight.step(1.0, &one));
    (0..30).for_each(|_| flood.step(1.0, &one));
    assert_eq!(flood.hash(), straight.hash());
}

#[test]
fn every_change_changes_the_hash() {
    let flood = start(campus());
    for change in changes() {
        let mut other = flood.clone();
        other.apply(&change).unwrap();
        assert_ne!(other.hash(), flood.hash(), "{change:?}");
    }
}

#[test]
fn a_flood_may_be_sent_to_another_thread() {
    fn sent<T: Send + Sync + 'static>(_: &T) {}
    sent(&start(tray(2, 2, 1.0)));
}
