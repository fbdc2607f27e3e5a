//! Speed from the space ahead: Weidmann's fundamental diagram in Kladek's form.

/// Weidmann (1993): `v = v0 (1 − exp(−γ (1/ρ − 1/ρ_jam)))`, γ in persons a m².
const GAMMA: f64 = 1.913;
/// The density at which nobody moves, persons a m².
const JAM: f64 = 5.4;
/// How wide the lane is that turns the way to the one ahead into an area a person, m. Calibrated; see
/// docs/engine-crowd.md.
pub(crate) const LANE_M: f64 = 0.6;
/// What is added to the way to a touch before it is turned into an area, m. Calibrated likewise.
const BODY_M: f64 = 0.28;
/// Entries a metre.
const FINE: f64 = 64.0;
/// Farther than this nobody ahead matters, m.
const FAR_M: f64 = 4.0;

/// Entries of the way back.
const BACK: f64 = 256.0;

/// The share of the free speed by the way to a touch, as a table: linear between its entries.
#[derive(Clone, Debug)]
pub(crate) struct Speeds {
    share: Vec<f64>,
    /// By share: a way to a touch with less than it.
    clear: Vec<f64>,
}

impl Speeds {
    pub fn new() -> Self {
        let entries = (FAR_M * FINE) as usize + 2;
        let share = |k: usize| {
            let area = LANE_M * ((k as f64 / FINE).min(FAR_M) + BODY_M);
            (1.0 - libm::exp(-GAMMA * (area - 1.0 / JAM))).max(0.0)
        };
        // The curve reaches 1 nowhere; here it does at the far end (a hundredth higher).
        let most = share(entries);
        let share: Vec<f64> = (0..entries).map(|k| share(k) / most).collect();
        let clear = |k: usize| {
            let reached = share.partition_point(|&s| s < k as f64 / BACK);
            (reached as f64 - 1.0).max(0.0) / FINE
        };
        let clear = (0..=BACK as usize).map(clear).collect();
        Self { share, clear }
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
        self.clear[((share * BACK).max(0.0) as usize).min(self.clear.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_grows_with_the_space_ahead() {
        let speeds = Speeds::new();
        let share: Vec<f64> = (0..500).map(|k| speeds.share(f64::from(k) * 0.01)).collect();
        assert!(share.windows(2).all(|w| w[0] <= w[1]));
        assert_eq!(share[0], 0.0);
        assert_eq!(share[499], 1.0);
    }

    #[test]
    fn the_way_back_never_says_too_much() {
        let speeds = Speeds::new();
        for k in 0..=1000 {
            let share = f64::from(k) * 0.001;
            let clear = speeds.clear_for(share);
            assert!(clear == 0.0 || speeds.share(clear) <= share, "{share} {clear}");
        }
    }
}
