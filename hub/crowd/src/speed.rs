//! Speed from the space ahead: Weidmann's fundamental diagram in Kladek's form.

/// Weidmann (1993): `v = v0 (1 − exp(−γ (1/ρ − 1/ρ_jam)))`, γ in persons a m².
const GAMMA: f64 = 1.913;
/// The density at which nobody moves, persons a m².
const JAM: f64 = 5.4;
/// How wide the lane is that turns the way to the one ahead into an area a person, m. Calibrated; see
/// docs/engine-crowd.md.
pub(crate) const LANE_M: f64 = 0.6;
/// The way between the middles of two who touch, m, that goes with [`LANE_M`].
const BODY_M: f64 = 0.28;
/// Entries a metre.
const FINE: f64 = 64.0;
/// Farther than this nobody ahead matters, m.
const FAR_M: f64 = 4.0;

/// The share of the free speed by the way to a touch, as a table: linear between its entries.
#[derive(Clone, Debug)]
pub(crate) struct Speeds {
    share: Vec<f64>,
}

impl Speeds {
    pub fn new() -> Self {
        let lane: f64 = std::env::var("LANE").ok().and_then(|s| s.parse().ok()).unwrap_or(LANE_M);
        let body: f64 = std::env::var("BODY").ok().and_then(|s| s.parse().ok()).unwrap_or(BODY_M);
        let entries = (FAR_M * FINE) as usize + 2;
        let share = |k: usize| {
            let area = lane * (k as f64 / FINE + body);
            (1.0 - libm::exp(-GAMMA * (area - 1.0 / JAM))).max(0.0)
        };
        Self { share: (0..entries).map(share).collect() }
    }

    /// The share of the free speed with this way to a touch, m.
    pub fn share(&self, clear: f64) -> f64 {
        if clear >= FAR_M {
            return 1.0;
        }
        let x = clear * FINE;
        let k = x as usize;
        let t = x - k as f64;
        self.share[k] * (1.0 - t) + self.share[k + 1] * t
    }

    /// A way to a touch below which the share is less than this, m.
    pub fn clear_for(&self, share: f64) -> f64 {
        let k = self.share.partition_point(|&s| s < share);
        (k as f64 - 1.0).max(0.0) / FINE
    }
}
