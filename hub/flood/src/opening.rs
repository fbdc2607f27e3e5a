//! Flow through openings: one formula for weir, orifice and drowned flow.
//!
//! Each layer of the opening flows by its own head: to the water level where it is free, to the lower level
//! where it is drowned. Integrated over the height this is a weir for a low level, an orifice for a high one
//! and a drowned opening in between, without a jump between them.

use crate::terrain::G;

/// The contraction of a sharp-edged opening. A free weir with it has Q = 1.77 b H^1.5.
const CONTRACTION: f64 = 0.6;

/// m³/s per metre of width from a level of `high` to one of `low`, both m, through an opening from `sill` to
/// `top` (may be infinite); zero when the higher level is below the sill.
pub(crate) fn flow_m2_s(high: f64, low: f64, sill: f64, top: f64) -> f64 {
    if high <= sill || high <= low {
        return 0.0;
    }
    let drowned_to = low.clamp(sill, top);
    let free_to = high.min(top).max(drowned_to);
    let free = power_1_5(high - drowned_to) - power_1_5(high - free_to);
    let drowned = (drowned_to - sill) * (high - low.max(sill)).sqrt();
    CONTRACTION * (2.0 * G).sqrt() * (2.0 / 3.0 * free + drowned)
}

/// What falls into an inlet under a depth, m³/s: over its edge as over a weir, or through its opening.
pub(crate) fn inlet_m3_s(depth_m: f64, perimeter_m: f64, area_m2: f64) -> f64 {
    let head = depth_m.max(0.0);
    let over_edge = CONTRACTION * 2.0 / 3.0 * (2.0 * G).sqrt() * perimeter_m * power_1_5(head);
    let through = CONTRACTION * area_m2 * (2.0 * G * head).sqrt();
    over_edge.min(through)
}

fn power_1_5(x: f64) -> f64 {
    x * x.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_weir_orifice_and_drowned() {
        let root_2g = (2.0 * 9.81_f64).sqrt();
        for (what, high, low, sill, top, want) in [
            ("dry", 0.9, 0.0, 1.0, 3.0, 0.0),
            ("weir", 1.5, 0.0, 1.0, 3.0, 0.4 * root_2g * 0.5_f64.powf(1.5)),
            (
                "small orifice under a high head",
                11.0,
                0.0,
                1.0,
                1.01,
                0.6 * 0.01 * root_2g * 9.995_f64.sqrt(),
            ),
            ("drowned", 2.5, 2.25, 0.0, 2.0, 0.6 * 2.0 * root_2g * 0.5),
            ("level", 2.0, 2.0, 1.0, 3.0, 0.0),
        ] {
            let got = flow_m2_s(high, low, sill, top);
            assert!((got - want).abs() <= 1e-6 * want, "{what}: {got} instead of {want}");
        }
    }

    #[test]
    fn more_head_never_means_less() {
        let flows = (0..400).map(|k| flow_m2_s(f64::from(k) * 0.01, 0.7, 0.5, 1.5)).collect::<Vec<_>>();
        assert!(flows.windows(2).all(|w| w[1] >= w[0]));
        let tails = (0..400).map(|k| flow_m2_s(3.0, f64::from(k) * 0.01, 0.5, 1.5)).collect::<Vec<_>>();
        assert!(tails.windows(2).all(|w| w[1] <= w[0] + 1e-12));
    }
}
