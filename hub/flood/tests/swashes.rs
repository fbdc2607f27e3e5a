//! One-dimensional cases of SWASHES (Delestre et al. 2013) from reference files, where there are any.
//!
//! The files are not ours to pass on: `CAMPANILE_REFERENCE` names the folder with `flood/swashes`, or
//! `CAMPANILE_DATA` a folder with `reference` beside it. Without them the test says so and passes.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use campanile_flood::{Field, Flood};
use common::{run, start, top_speed, tray};

fn folder() -> Option<PathBuf> {
    let reference = std::env::var_os("CAMPANILE_REFERENCE").map(PathBuf::from).or_else(|| {
        let data = PathBuf::from(std::env::var_os("CAMPANILE_DATA")?);
        Some(data.parent()?.join("reference"))
    });
    let folder = reference.map(|folder| folder.join("flood/swashes")).filter(|folder| folder.is_dir());
    if folder.is_none() {
        println!(
            "skipped: no flood/swashes under CAMPANILE_REFERENCE, nor in reference beside CAMPANILE_DATA"
        );
    }
    folder
}

/// Columns x, h, u, bed.
fn read(folder: &std::path::Path, name: &str) -> Vec<[f64; 4]> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    rows.map(|line| {
        let mut numbers = line.split(',').map(|n| n.parse::<f64>().unwrap());
        std::array::from_fn(|_| numbers.next().unwrap())
    })
    .collect()
}

fn l1(flood: &Flood, exact: &[[f64; 4]]) -> f64 {
    let off: f64 = flood.depth_m().iter().zip(exact).map(|(h, row)| (h - row[1]).abs()).sum();
    off / exact.iter().map(|row| row[1]).sum::<f64>()
}

#[test]
fn dam_breaks_agree_with_the_files() {
    let Some(folder) = folder() else { return };
    for (name, right, tolerance) in
        [("dam_wet_stoker.csv", 0.001, 0.0105), ("dam_dry_ritter.csv", 0.0, 0.0125)]
    {
        let exact = read(&folder, name);
        let mut input = tray(exact.len(), 1, exact[1][0] - exact[0][0]);
        input.stage_m =
            Field::Cells(exact.iter().map(|row| if row[0] < 5.0 { 0.005 } else { right }).collect());
        let mut flood = start(input);
        run(&mut flood, 6.0, 6.0);
        let error = l1(&flood, &exact);
        println!("{name}: L1(h) {error:.5}");
        assert!(error < tolerance, "{name}: {error}");
    }
}

#[test]
fn lakes_agree_with_the_files() {
    let Some(folder) = folder() else { return };
    for (name, level) in [("lake_immersed.csv", 0.5), ("lake_emerged.csv", 0.1)] {
        let exact = read(&folder, name);
        let mut input = tray(exact.len(), 1, exact[1][0] - exact[0][0]);
        input.bed_m = exact.iter().map(|row| row[3]).collect();
        input.stage_m = Field::Uniform(level);
        let mut flood = start(input);
        run(&mut flood, 100.0, 10.0);
        assert!(top_speed(&flood) <= 1e-12, "{name}");
        let off = flood.depth_m().iter().zip(&exact).map(|(h, row)| (h - row[1]).abs()).fold(0.0, f64::max);
        assert!(off <= 1e-6, "{name}: {off} m off, and the file has six digits");
    }
}

#[test]
fn water_swings_in_a_bowl() {
    let Some(folder) = folder() else { return };
    // The file's time is five whole periods, so that its state is also the first.
    let exact = read(&folder, "thacker_planar_1d.csv");
    let period = std::f64::consts::TAU / (2.0_f64 * 9.81 * 0.5).sqrt();
    let mut input = tray(exact.len(), 1, exact[1][0] - exact[0][0]);
    input.bed_m = exact.iter().map(|row| row[3]).collect();
    input.stage_m = Field::Cells(exact.iter().map(|row| row[3] + row[1]).collect());
    let mut flood = start(input);
    let mut error = 0.0;
    for swing in 1..=5 {
        run(&mut flood, period, period);
        error = l1(&flood, &exact);
        println!("thacker_planar_1d.csv: L1(h) {error:.3} after {swing} periods");
        assert!(flood.depth_m().iter().all(|&h| h >= 0.0));
    }
    assert!(error < 0.04, "{error}");
}
