//! Water in whole quanta, so that none is made or lost by rounding.
//!
//! Depths, bed levels and what passes a face in a sub-step are multiples of [`DEPTH_M`]. Sums and differences
//! of such numbers below 4,096 m are exact in an `f64`, whatever their order: the mass is exact, a level pool
//! is exactly level, and no thread's turn changes a bit. Volumes off the grid are counted in `DEPTH_M` over
//! one cell.

/// The quantum of depth: 2^-41 m, half a picometre.
pub(crate) const DEPTH_M: f64 = 1.0 / (1_u64 << 41) as f64;

/// Numbers near it have a last place worth one quantum, so adding and taking it away rounds.
const ROUNDER: f64 = 1.5 * (1_u64 << (52 - 41)) as f64;

/// The nearest multiple of the quantum; for |x| < 1,024 m.
#[inline(always)]
pub(crate) fn round(depth_m: f64) -> f64 {
    (depth_m + ROUNDER) - ROUNDER
}

/// How many quanta a depth is. Exact for what [`round`] gave.
pub(crate) fn count(depth_m: f64) -> i64 {
    (depth_m / DEPTH_M) as i64
}

/// The depth of so many quanta. Exact below 4,096 m.
pub(crate) fn depth_m(quanta: i64) -> f64 {
    quanta as f64 * DEPTH_M
}

/// A flow that is handed out in whole quanta, none of it forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Carry(pub(crate) f64);

impl Carry {
    /// Takes `quanta` in and gives back the whole ones that are due.
    pub(crate) fn pay(&mut self, quanta: f64) -> i64 {
        let due = self.0 + quanta;
        let whole = due.floor();
        self.0 = due - whole;
        whole as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_multiples_and_is_odd() {
        for x in [0.0, 1e-13, 0.3, 7.25, 999.9] {
            let r = round(x);
            assert_eq!(r, depth_m(count(r)), "{x}");
            assert!((r - x).abs() <= DEPTH_M / 2.0, "{x}");
            assert_eq!(round(-x), -r, "{x}");
        }
    }

    #[test]
    fn nothing_carried_is_forgotten() {
        let mut carry = Carry::default();
        let paid: i64 = (0..1000).map(|_| carry.pay(0.3)).sum();
        assert_eq!(paid + carry.0.round() as i64, 300);
    }
}
