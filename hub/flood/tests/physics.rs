//! Water as it has to be: still where it is still, none made or lost, and as exact solutions have it.

#![allow(clippy::unwrap_used)]

use campanile_flood::*;

const G: f64 = 9.81;

/// A draw in [0, 1) that depends on `n` alone.
fn draw(n: u64) -> f64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn bump(i: usize, nx: usize) -> f64 {
    let x = 25.0 * (i as f64 + 0.5) / nx as f64;
    if (8.0..12.0).contains(&x) { 0.2 - 0.05 * (x - 10.0) * (x - 10.0) } else { 0.0 }
}

fn highest_speed(flood: &Flood) -> f64 {
    (0..flood.depth_m().len()).map(|c| flood.speed_m_s(c)).fold(0.0, f64::max)
}

#[test]
fn a_lake_at_rest_stays_at_rest() {
    let random = |i: usize, j: usize| draw((j * 1000 + i) as u64);
    type Bed = Box<dyn Fn(usize, usize) -> f64>;
    let cases: [(&str, f64, Bed, bool); 4] = [
        ("immersed bump", 0.5, Box::new(|i, _| bump(i, 50)), false),
        ("emerged bump", 0.1, Box::new(|i, _| bump(i, 50)), false),
        ("random bed with islands", 0.6, Box::new(random), false),
        ("a campus with buildings", 4.7, Box::new(move |i, j| 4.2 + random(i, j)), true),
    ];
    for (name, stage, bed, buildings) in cases {
        let mut input = FloodInput { stage_m: Field::Uniform(stage), ..FloodInput::flat(50, 20, 0.5) };
        for j in 0..20 {
            for i in 0..50 {
                input.bed_m[j * 50 + i] = bed(i, j);
            }
        }
        if buildings {
            input.blocked = (0..1000).map(|c| (c % 50 / 5) % 3 == 1 && (c / 50 / 4) % 2 == 1).collect();
        }
        let mut flood = Flood::new(input).unwrap();
        let before = flood.depth_m().to_vec();
        flood.step(100.0, 2);
        let moved = before.iter().zip(flood.depth_m()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(highest_speed(&flood) <= 1e-12, "{name}: {} m/s", highest_speed(&flood));
        assert!(moved <= 1e-12, "{name}: the level moved by {moved} m");
    }
}

#[test]
fn rain_is_neither_made_nor_lost() {
    for (name, bed) in [("tray", 0.0), ("random bed", 1.0)] {
        let mut input = FloodInput {
            rain_m_s: Series { corners: vec![(0.0, 60e-3 / 3600.0)] },
            ..FloodInput::flat(40, 30, 2.0)
        };
        input.bed_m.iter_mut().enumerate().for_each(|(c, z)| *z = bed * draw(c as u64));
        input.roofs.push(Roof { id: "r".into(), area_m2: 300.0, to: 615 });
        let mut flood = Flood::new(input).unwrap();
        flood.step(3600.0, 1);
        let balance = flood.balance();
        let fallen = 0.06 * (40.0 * 30.0 * 4.0);
        assert!((balance.rain_m3 / fallen - 1.0).abs() < 1e-9, "{name}: {balance:?}");
        assert!((balance.roofs_m3 / 18.0 - 1.0).abs() < 1e-9, "{name}: {balance:?}");
        assert!(balance.error().abs() <= 1e-13, "{name}: {:e}", balance.error());
        assert!(flood.depth_m().iter().all(|h| *h >= 0.0));
    }
}

/// Depth of Stoker's wet dam break (`hr` > 0) or Ritter's dry one at `x` from the dam after `t`.
fn dam_break(hl: f64, hr: f64, x: f64, t: f64) -> f64 {
    let cl = (G * hl).sqrt();
    let fan = |x: f64| 4.0 / (9.0 * G) * (cl - x / (2.0 * t)).powi(2);
    if hr == 0.0 {
        return match x / t {
            s if s <= -cl => hl,
            s if s >= 2.0 * cl => 0.0,
            _ => fan(x),
        };
    }
    // The middle depth where the speed behind the fan is that behind the shock.
    let (mut low, mut high) = (hr, hl);
    for _ in 0..200 {
        let hm = 0.5 * (low + high);
        let fan_u = 2.0 * (cl - (G * hm).sqrt());
        let shock_u = (hm - hr) * (0.5 * G * (1.0 / hm + 1.0 / hr)).sqrt();
        if fan_u > shock_u { low = hm } else { high = hm }
    }
    let hm = 0.5 * (low + high);
    let um = 2.0 * (cl - (G * hm).sqrt());
    let shock = hm * um / (hm - hr);
    match x / t {
        s if s <= -cl => hl,
        s if s <= um - (G * hm).sqrt() => fan(x),
        s if s <= shock => hm,
        _ => hr,
    }
}

/// The relative L1 error of a dam break at `n` cells.
fn dam_break_error(hl: f64, hr: f64, n: usize) -> f64 {
    let dx = 50.0 / n as f64;
    let x = |i: usize| (i as f64 + 0.5) * dx - 25.0;
    let mut input = FloodInput { manning: Field::Uniform(0.0), ..FloodInput::flat(n, 1, dx) };
    input.stage_m = Field::Cells((0..n).map(|i| if x(i) < 0.0 { hl } else { hr }).collect());
    let mut flood = Flood::new(input).unwrap();
    let t = 2.0;
    flood.step(t, 1);
    let exact: Vec<f64> = (0..n).map(|i| dam_break(hl, hr, x(i), t)).collect();
    let wrong: f64 = flood.depth_m().iter().zip(&exact).map(|(h, e)| (h - e).abs()).sum();
    assert!(flood.depth_m().iter().all(|h| *h >= 0.0));
    wrong / exact.iter().sum::<f64>()
}

#[test]
fn dams_break_as_stoker_and_ritter_have_it() {
    // First order: the errors are what they are, and shrink as cells do.
    for (name, hl, hr, at_200, least) in [("Stoker", 1.0, 0.2, 0.012, 0.7), ("Ritter", 1.0, 0.0, 0.013, 0.55)]
    {
        let errors = [50, 100, 200, 400].map(|n| dam_break_error(hl, hr, n));
        println!("{name}: {errors:?}");
        assert!(errors[2] <= at_200, "{name}: {errors:?}");
        let order = (errors[0] / errors[3]).log2() / 3.0;
        assert!(order > least, "{name}: order {order}, {errors:?}");
    }
}

#[test]
fn a_thing_turned_or_mirrored_gives_the_same_turned_or_mirrored() {
    let n = 24;
    let bed = |i: usize, j: usize| 0.3 * draw((i * 31 + j) as u64);
    let stage = |i: usize, j: usize| if i < 8 && j < 12 { 1.2 } else { 0.25 };
    let run = |place: &dyn Fn(usize, usize) -> (usize, usize)| {
        let mut input = FloodInput::flat(n, n, 1.0);
        let mut level = vec![0.0; n * n];
        for j in 0..n {
            for i in 0..n {
                let (a, b) = place(i, j);
                input.bed_m[b * n + a] = bed(i, j);
                level[b * n + a] = stage(i, j);
            }
        }
        input.stage_m = Field::Cells(level);
        let mut flood = Flood::new(input).unwrap();
        flood.step(5.0, 1);
        let depth = flood.depth_m().to_vec();
        (0..n * n)
            .map(|c| {
                let (a, b) = place(c % n, c / n);
                depth[b * n + a]
            })
            .collect::<Vec<f64>>()
    };
    let plain = run(&|i, j| (i, j));
    type Place<'a> = &'a dyn Fn(usize, usize) -> (usize, usize);
    let others: [(&str, Place<'_>); 3] = [
        ("mirrored", &|i, j| (n - 1 - i, j)),
        ("turned", &|i, j| (n - 1 - j, i)),
        ("swapped", &|i, j| (j, i)),
    ];
    for (name, place) in others {
        let worst = plain.iter().zip(run(place)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst <= 1e-12, "{name}: {worst:e}");
    }
}

/// Litres a second that run off a plane 100 m wide and long at 300 and 1,200 s: slope 0.5 %, n 0.015, 60 mm/h.
fn plane(cell_m: f64) -> [f64; 2] {
    let (nx, ny) = ((100.0 / cell_m) as usize, 2);
    let mut input = FloodInput {
        manning: Field::Uniform(0.015),
        rain_m_s: Series { corners: vec![(0.0, 60e-3 / 3600.0)] },
        edges: [Edge::Wall, Edge::Open, Edge::Wall, Edge::Wall],
        ..FloodInput::flat(nx, ny, cell_m)
    };
    for c in 0..nx * ny {
        input.bed_m[c] = 0.005 * cell_m * (nx - c % nx) as f64;
    }
    let mut flood = Flood::new(input).unwrap();
    [300.0, 1200.0].map(|at| {
        flood.step(at - 5.0 - flood.time_s(), 1);
        let before = flood.balance().edges_m3;
        flood.step(10.0, 1);
        (flood.balance().edges_m3 - before) / 10.0 / (ny as f64 * cell_m) * 100.0 * 1000.0
    })
}

#[test]
fn a_plane_in_the_rain_runs_off_as_a_kinematic_wave() {
    // At equilibrium all the rain runs off. While it rises, first order lets water that is thinner than the step from
    // cell to cell run too fast (5 mm here): a fifth at 1 m, less as cells shrink.
    let (coarse, fine) = (plane(1.0), plane(0.25));
    println!("1 m: {coarse:?}, 0.25 m: {fine:?}");
    let off = |got: f64, expected: f64| (got / expected - 1.0).abs();
    assert!(off(coarse[1], 166.7) < 0.01 && off(fine[1], 166.7) < 0.01, "{coarse:?} {fine:?}");
    assert!(off(coarse[0], 68.9) < 0.22 && off(fine[0], 68.9) < 0.08, "{coarse:?} {fine:?}");
}
