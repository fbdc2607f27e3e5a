//! Draws: each is a pure function of the seed, a person and a purpose, so that there is no state to keep.

/// What a draw is for: two purposes never share a number.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Purpose {
    Speed = 1,
    SetOff = 2,
    Place = 3,
    Shift = 4,
    Jostle = 5,
}

/// SplitMix64's mixer: 64 well mixed bits (Steele, Lea and Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 64 bits.
pub(crate) fn bits(seed: u64, purpose: Purpose, who: u64, which: u64) -> u64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let z = mix(seed.wrapping_add(STEP).wrapping_add((purpose as u64).wrapping_mul(STEP)));
    mix(mix(z ^ who.wrapping_mul(STEP)).wrapping_add(STEP) ^ which.wrapping_mul(STEP))
}

/// Evenly from 0 (in) to 1 (out).
pub(crate) fn share(seed: u64, purpose: Purpose, who: u64, which: u64) -> f64 {
    (bits(seed, purpose, who, which) >> 11) as f64 / (1_u64 << 53) as f64
}

/// From a normal distribution of this mean and deviation, cut at the least and the most.
pub(crate) fn cut_normal(seed: u64, who: u64, [mean, deviation, least, most]: [f64; 4]) -> f64 {
    // Box and Muller; what falls outside is drawn again. A cut so far out that 64 draws miss it gives the
    // edge.
    for round in 0..64 {
        let (u, v) =
            (share(seed, Purpose::Speed, who, 2 * round), share(seed, Purpose::Speed, who, 2 * round + 1));
        let normal = (-2.0 * libm::log(1.0 - u)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * v);
        let drawn = mean + deviation * normal;
        if (least..=most).contains(&drawn) {
            return drawn;
        }
    }
    mean.clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_apart() {
        let n = 20_000_u64;
        let mean = (0..n).map(|i| share(7, Purpose::Place, i, 0)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert_ne!(bits(7, Purpose::Place, 1, 0), bits(7, Purpose::Shift, 1, 0));
        assert_ne!(bits(7, Purpose::Place, 1, 0), bits(8, Purpose::Place, 1, 0));
        assert_ne!(bits(7, Purpose::Place, 1, 0), bits(7, Purpose::Place, 0, 1));
    }

    #[test]
    fn the_cut_normal_keeps_its_moments_and_its_cut() {
        let n = 20_000_u64;
        let drawn: Vec<f64> = (0..n).map(|i| cut_normal(1, i, [1.34, 0.26, 0.6, 2.1])).collect();
        assert!(drawn.iter().all(|v| (0.6..=2.1).contains(v)));
        let mean = drawn.iter().sum::<f64>() / n as f64;
        let deviation = (drawn.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64).sqrt();
        assert!((mean - 1.34).abs() < 0.01 && (deviation - 0.255).abs() < 0.01, "{mean} {deviation}");
        assert_eq!(cut_normal(1, 3, [1.0, 0.0, 0.5, 2.0]), 1.0);
    }
}
