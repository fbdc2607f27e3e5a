//! Dam breaks against their exact solutions, worked out here.
//!
//! The tolerances are those of a first-order scheme; what a second-order one must reach stands in
//! `docs/engine-flood.md`.
#![allow(clippy::unwrap_used)]

mod common;

use campanile_flood::{Field, Flood};
use common::{G, run, start, tray};

/// Depth of Stoker's solution (1957) at `s = (x - x0) / t`.
fn stoker(left: f64, right: f64, s: f64) -> f64 {
    let c_left = (G * left).sqrt();
    // The middle depth: the rarefaction's speed there is that behind the shock.
    let mismatch =
        |h: f64| 2.0 * (c_left - (G * h).sqrt()) - (h - right) * (0.5 * G * (h + right) / (h * right)).sqrt();
    let (mut low, mut high) = (right, left);
    for _ in 0..200 {
        let mid = 0.5 * (low + high);
        if mismatch(mid) > 0.0 { low = mid } else { high = mid }
    }
    let (h, u) = (low, 2.0 * (c_left - (G * low).sqrt()));
    let shock = h * u / (h - right);
    match s {
        s if s < -c_left => left,
        s if s < u - (G * h).sqrt() => (2.0 * c_left - s).powi(2) / (9.0 * G),
        s if s < shock => h,
        _ => right,
    }
}

/// Depth of Ritter's solution (1892).
fn ritter(left: f64, s: f64) -> f64 {
    let c = (G * left).sqrt();
    match s {
        s if s < -c => left,
        s if s < 2.0 * c => (2.0 * c - s).powi(2) / (9.0 * G),
        _ => 0.0,
    }
}

fn dam(cells: usize, left: f64, right: f64) -> Flood {
    let mut input = tray(cells, 1, 10.0 / cells as f64);
    input.stage_m = Field::Cells((0..cells).map(|i| if i < cells / 2 { left } else { right }).collect());
    let mut flood = start(input);
    run(&mut flood, 6.0, 6.0);
    flood
}

/// Relative to the solution's own sum.
fn l1(flood: &Flood, exact: impl Fn(f64) -> f64) -> f64 {
    let dx = flood.input().cell_m;
    let want = |i: usize| exact((dx * (i as f64 + 0.5) - 5.0) / 6.0);
    let depths = flood.depth_m().iter().enumerate();
    let off: f64 = depths.clone().map(|(i, h)| (h - want(i)).abs()).sum();
    off / depths.map(|(i, _)| want(i)).sum::<f64>()
}

/// Errors at 50, 100, 200 and 400 cells, and the order as the fit over all four.
fn refine(right: f64, exact: impl Fn(f64) -> f64) -> ([f64; 4], f64) {
    let errors = [50, 100, 200, 400].map(|cells| l1(&dam(cells, 0.005, right), &exact));
    let y = errors.map(|e| -e.log2());
    // Least squares over x = 0, 1, 2, 3.
    let order = (3.0 * (y[3] - y[0]) + (y[2] - y[1])) / 10.0;
    println!("errors at 50, 100, 200, 400 cells: {errors:.5?}; order {order:.2}");
    (errors, order)
}

#[test]
fn a_wet_dam_break_follows_stoker() {
    let (errors, order) = refine(0.001, |s| stoker(0.005, 0.001, s));
    assert!(errors[2] < 0.0105 && order > 0.7, "{errors:?}, order {order}");
}

#[test]
fn a_dry_dam_break_follows_ritter() {
    let (errors, order) = refine(0.0, |s| ritter(0.005, s));
    assert!(errors[2] < 0.0125 && order > 0.6, "{errors:?}, order {order}");
}

#[test]
fn the_dry_front_converges() {
    // Where the exact depth passes 0.01 mm.
    let c = (G * 0.005_f64).sqrt();
    let exact = 5.0 + 6.0 * (2.0 * c - 3.0 * (G * 1e-5_f64).sqrt());
    let off = [100, 200, 400].map(|cells| {
        let flood = dam(cells, 0.005, 0.0);
        let last = flood.depth_m().iter().rposition(|&h| h > 1e-5).unwrap();
        (10.0 / cells as f64 * (last as f64 + 1.0) - exact).abs()
    });
    println!("front off by {off:.3?} m");
    assert!(off[2] < off[0] && off[1] < 1.0, "{off:?}");
}

#[test]
fn the_exact_solutions_are_exact() {
    // Behind Stoker's shock mass and momentum are kept across it, within the root's tolerance.
    let (l, r) = (0.005, 0.001);
    let c = (G * l).sqrt();
    let h = stoker(l, r, 0.0_f64.max(0.01));
    let u = 2.0 * (c - (G * h).sqrt());
    let shock = h * u / (h - r);
    let momentum = h * u * (u - shock) + 0.5 * G * (h * h - r * r);
    assert!(momentum.abs() < 1e-12, "{momentum}");
    assert!((ritter(l, 0.0) - 4.0 / 9.0 * l).abs() < 1e-15);
}
