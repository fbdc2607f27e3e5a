//! Chance without state: every draw is a hash of the seed and of what it is for.
//!
//! So the models can start at any moment and give what they would have given had they run all along.

/// The finalizer of SplitMix64 (Steele, Lea & Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A draw for a thing (`who`) at a number (`when`).
pub(crate) fn hash(seed: u64, who: u64, when: i64) -> u64 {
    mix(mix(mix(seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(who)).wrapping_add(when as u64))
}

/// Uniform in `[0, 1)`.
pub(crate) fn unit(seed: u64, who: u64, when: i64) -> f64 {
    (hash(seed, who, when) >> 11) as f64 / (1u64 << 53) as f64
}

/// About normal with mean 0 and variance 1, never beyond ±3.5: the sum of four uniforms (Irwin–Hall).
pub(crate) fn bell(seed: u64, who: u64, when: i64) -> f64 {
    let h = hash(seed, who, when);
    let sum: u64 = (0..4).map(|i| h >> (16 * i) & 0xffff).sum();
    (sum as f64 / 65536.0 - 2.0) * 1.732_050_8
}

/// A slow wander within about ±3, with a new direction every `period_s` seconds.
pub(crate) fn drift(seed: u64, who: u64, time_s: f64, period_s: f64) -> f64 {
    let at = time_s / period_s;
    let knot = at.floor();
    let (a, b) = (bell(seed, who, knot as i64), bell(seed, who, knot as i64 + 1));
    let x = at - knot;
    a + (b - a) * x * x * (3.0 - 2.0 * x)
}

/// A number that stays the same for a path on every machine (FNV-1a).
pub(crate) fn key(path: &str) -> u64 {
    path.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
