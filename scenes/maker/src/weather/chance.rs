//! Random numbers with the distributions that weather needs.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// A stream of random numbers; each quantity has its own, so that a change of one leaves the others.
pub(super) struct Chance(Pcg64);

impl Chance {
    /// The stream `name` under a seed.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        // FNV-1a: stable for ever, unlike the standard library's hashers.
        let stream = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self(Pcg64::new(u128::from(seed) << 64 | u128::from(stream), u128::from(stream)))
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number in 0..n; 0 if `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Standard normal (Box & Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }

    /// Gamma of unit scale (Marsaglia & Tsang 2000).
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(1.0 - self.unit(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let t = 1.0 + c * x;
            let v = t * t * t;
            let u = 1.0 - self.unit();
            if v > 0.0 && libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// A stationary first-order autoregression of unit variance.
    pub(super) fn autoregression(&mut self, length: usize, phi: f64) -> Vec<f64> {
        let innovation = (1.0 - phi * phi).sqrt();
        let mut value = self.normal();
        (0..length)
            .map(|_| {
                let now = value;
                value = phi * value + innovation * self.normal();
                now
            })
            .collect()
    }
}

/// Divides `total` whole parts in proportion to `weights`, each with at least `least`, by largest remainders.
///
/// Where `total` is too small for `least` each, the heaviest come first.
pub(super) fn apportion(total: u32, weights: &[f64], least: u32) -> Vec<u32> {
    let count = weights.len() as u32;
    let least = total.checked_div(count).map_or(0, |most| least.min(most));
    let rest = total - least * count;
    let sum: f64 = weights.iter().sum();
    if count == 0 || sum <= 0.0 {
        return vec![least; weights.len()];
    }
    let ideal: Vec<f64> = weights.iter().map(|w| w / sum * f64::from(rest)).collect();
    let mut parts: Vec<u32> = ideal.iter().map(|x| x.floor() as u32).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // A stable sort by a total order: ties keep their order on every machine.
    order.sort_by(|a, b| (ideal[*b] - ideal[*b].floor()).total_cmp(&(ideal[*a] - ideal[*a].floor())));
    let missing = rest.saturating_sub(parts.iter().sum());
    for index in order.into_iter().cycle().take(missing as usize) {
        parts[index] += 1;
    }
    parts.into_iter().map(|part| part + least).collect()
}
