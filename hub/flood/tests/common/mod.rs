//! Small inputs and measures that the suites share.
#![allow(dead_code, clippy::unwrap_used)]

use campanile_flood::{
    Drain, Edge, End, Field, Flood, FloodInput, Inlet, Link, Pump, PumpFrom, Room, Series, Stage, Threads,
};

pub const G: f64 = 9.81;

/// A sealed, dry, smooth tray.
pub fn tray(nx: usize, ny: usize, cell_m: f64) -> FloodInput {
    FloodInput {
        nx,
        ny,
        cell_m,
        origin_m: [0.0; 2],
        bed_m: vec![0.0; nx * ny],
        manning: Field::Uniform(0.0),
        stage_m: Field::Uniform(f64::NEG_INFINITY),
        blocked: Vec::new(),
        edges: [Edge::Wall; 4],
        rain_m_s: Series::default(),
        stages: Vec::new(),
        barriers: Vec::new(),
        roofs: Vec::new(),
        rooms: Vec::new(),
        links: Vec::new(),
        drains: Vec::new(),
        pumps: Vec::new(),
    }
}

pub fn stage(id: &str, cells: impl IntoIterator<Item = usize>, level_m: f64) -> Stage {
    let cells = cells.into_iter().map(|cell| cell as u32).collect();
    Stage { id: id.into(), cells, level_m: Series::constant(level_m) }
}

pub fn room(id: &str, floor_m: f64, area_m2: f64, height_m: f64) -> Room {
    Room { id: id.into(), floor_m, area_m2, height_m }
}

pub fn door(id: &str, a: End, b: End, sill_m: f64) -> Link {
    Link { id: id.into(), a, b, sill_m, width_m: 1.0, height_m: 2.0, open: 1.0 }
}

pub fn drain(id: &str, cells: &[u32], capacity_m3_s: f64, outside: Option<u32>, flap: bool) -> Drain {
    let inlet = |&cell| Inlet { cell, perimeter_m: 2.0, area_m2: 0.25 };
    Drain {
        id: id.into(),
        inlets: cells.iter().map(inlet).collect(),
        capacity_m3_s,
        outfall_m: -2.0,
        design_head_m: 1.0,
        outside,
        flap,
    }
}

pub fn pump(id: &str, from: PumpFrom, to: Option<End>, capacity_m3_s: f64) -> Pump {
    Pump { id: id.into(), from, to, capacity_m3_s, on: true }
}

pub fn start(input: FloodInput) -> Flood {
    Flood::new(input).unwrap()
}

/// Runs `for_s` in steps of `every_s`.
pub fn run(flood: &mut Flood, for_s: f64, every_s: f64) {
    for _ in 0..(for_s / every_s).round() as usize {
        flood.step(every_s, &Threads::one());
    }
}

pub fn top_speed(flood: &Flood) -> f64 {
    (0..flood.depth_m().len()).map(|cell| flood.speed_m_s(cell)).fold(0.0, f64::max)
}

/// Numbers in [0, 1) from a seed, the same everywhere (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A random bed from 0 to 1 m.
pub fn random_bed(cells: usize, seed: u64) -> Vec<f64> {
    let mut dice = Dice(seed);
    (0..cells).map(|_| dice.next()).collect()
}

/// A place that has everything: ground, buildings, a river, a barrier, rooms, a drain and pumps, under rain.
pub fn campus() -> FloodInput {
    let (nx, ny) = (40, 36);
    let mut dice = Dice(7);
    let mut input = tray(nx, ny, 2.0);
    let river = |i: usize| i < 4;
    input.bed_m = (0..nx * ny)
        .map(|cell| {
            let i = cell % nx;
            if river(i) { -1.0 } else { 0.5 + 0.02 * i as f64 + 0.1 * dice.next() }
        })
        .collect();
    input.blocked =
        (0..nx * ny).map(|c| (15..22).contains(&(c % nx)) && (10..20).contains(&(c / nx))).collect();
    input.manning = Field::Cells((0..nx * ny).map(|_| 0.015 + 0.02 * dice.next()).collect());
    input.stage_m = Field::Uniform(0.9);
    input.rain_m_s = Series { corners: vec![(0.0, 0.0), (20.0, 2e-4), (60.0, 2e-4), (90.0, 0.0)] };
    input.edges = [Edge::Wall, Edge::Open, Edge::Wall, Edge::Open];
    let river_cells = (0..ny).flat_map(|j| (0..4).map(move |i| j * nx + i));
    let mut river = stage("river", river_cells, 0.9);
    river.level_m.corners = vec![(0.0, 0.9), (100.0, 1.4), (200.0, 0.7)];
    input.stages = vec![river];
    let faces = (5..30).map(|j| campanile_flood::Face::East((j * nx + 7) as u32)).collect();
    input.barriers = vec![campanile_flood::Barrier { id: "boards".into(), faces, height_m: 0.3, up: true }];
    let beside = (15 * nx + 14) as u32;
    input.roofs = vec![campanile_flood::Roof { id: "hall".into(), area_m2: 280.0, to: beside }];
    input.rooms = vec![room("hall", 0.6, 60.0, 3.0), room("cellar", -2.0, 40.0, 2.2)];
    input.links = vec![
        door("entrance", End::Cell(beside), End::Room(0), 0.8),
        Link { open: 0.3, ..door("stairs", End::Room(0), End::Room(1), 0.6) },
    ];
    let inlets = [(8 * nx + 10) as u32, (25 * nx + 12) as u32, (30 * nx + 30) as u32];
    input.drains = vec![drain("yard", &inlets, 0.2, Some(0), false)];
    input.drains[0].outfall_m = 0.2;
    input.pumps = vec![
        pump("sump", PumpFrom::End(End::Room(1)), Some(End::Cell(beside)), 0.01),
        pump("away", PumpFrom::End(End::Cell((12 * nx + 12) as u32)), None, 0.02),
        Pump { on: false, ..pump("station", PumpFrom::Drain(0), None, 0.1) },
    ];
    input
}
