//! How water slows people who walk in it.
//!
//! Experiments agree that walking speed falls steadily with depth: from ankle to waist (0.08, 0.43, 0.90 m) in Dias,
//! Rahman and Zaiter (2021, Int. J. Disaster Risk Reduction, doi 10.1016/j.ijdrr.2021.102192), between 0.2 and 0.7 m
//! with over 200 people in Bernardini et al. (2020, Safety Science 123, 104563). The table below follows that shape; its
//! numbers are an assumption of this program, to be checked against measurements on children, who are slowed more.

use campanile_crowd::{Change, Slowness};
use campanile_flood::{Flood, FloodInput};

use crate::site::Wet;

/// Depth in m, and the share of the free speed that is left; linear between.
pub const SHARE_BY_DEPTH: &[(f64, f64)] =
    &[(0.05, 1.0), (0.2, 0.75), (0.43, 0.55), (0.7, 0.4), (0.9, 0.3), (1.2, 0.15)];

/// The share of the free speed that is left in water so deep.
pub fn share(depth_m: f64) -> f64 {
    let after = SHARE_BY_DEPTH.partition_point(|(d, _)| *d <= depth_m);
    match (after.checked_sub(1).and_then(|i| SHARE_BY_DEPTH.get(i)), SHARE_BY_DEPTH.get(after)) {
        (Some((d0, s0)), Some((d1, s1))) => s0 + (s1 - s0) * (depth_m - d0) / (d1 - d0),
        (Some((_, s)), None) | (None, Some((_, s))) => *s,
        (None, None) => 1.0,
    }
}

/// A share in steps of a twentieth: smaller changes are not worth a new way.
fn step(depth_m: f64) -> u8 {
    (share(depth_m) * 20.0).round() as u8
}

/// What walkers have to be told: spaces whose water has changed since the last time, kept in `told`.
pub fn changes(flood: &Flood, grid: &FloodInput, wet: &[Wet], told: &mut Vec<Vec<u8>>) -> Vec<Change> {
    told.resize(wet.len(), Vec::new());
    let depths: Vec<f64> = flood.rooms().map(|r| r.depth_m).collect();
    let mut found = Vec::new();
    for (space, wet) in wet.iter().enumerate() {
        let now: Vec<u8> = match wet {
            Wet::Dry => continue,
            Wet::Room(room) => vec![step(depths.get(*room).copied().unwrap_or(0.0))],
            Wet::Outside => flood.depth_m().iter().map(|d| step(*d)).collect(),
        };
        let dry = |steps: &[u8]| steps.iter().all(|s| *s == 20);
        if told[space] == now || (told[space].is_empty() && dry(&now)) {
            continue;
        }
        let of = |s: &u8| f64::from(*s) / 20.0;
        let share = match wet {
            Wet::Outside => Slowness::Grid {
                origin_m: grid.origin_m,
                cell_m: grid.cell_m,
                nx: grid.nx,
                share: now.iter().map(of).collect(),
            },
            _ => Slowness::Whole(now.first().map_or(1.0, of)),
        };
        found.push(Change::Slow { space: space as u32, share });
        told[space] = now;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn deeper_is_slower() {
        let depths: Vec<f64> = (0..200).map(|i| f64::from(i) * 0.01).collect();
        assert_eq!(share(0.0), 1.0);
        assert_eq!(share(5.0), 0.15);
        assert!(depths.windows(2).all(|w| share(w[0]) >= share(w[1])));
        assert!((share(0.315) - 0.65).abs() < 1e-12, "half way between 0.2 and 0.43");
    }
}
