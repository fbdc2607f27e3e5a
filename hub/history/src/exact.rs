//! Correctly rounded sums.

/// A sum of f64 that is exact until it is rounded once, at the end.
///
/// Shewchuk's growing expansion (Adaptive Precision Floating-Point Arithmetic, 1997), rounded as in
/// CPython's `math.fsum`: the partials do not overlap and grow in size.
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    partials: Vec<f64>,
    /// The plain sum, kept for when an infinity or an overflow makes an exact one meaningless.
    plain: f64,
    overflowed: bool,
}

impl ExactSum {
    /// The empty sum, which is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it empty again, keeping its memory.
    pub fn clear(&mut self) {
        self.partials.clear();
        self.plain = 0.0;
        self.overflowed = false;
    }

    /// Whether nothing but zeros was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.partials.is_empty()
    }

    /// Adds one number. Where the sum leaves the range of f64, the result is that of plain addition.
    pub fn add(&mut self, number: f64) {
        self.plain += number;
        if self.overflowed {
            return;
        }
        let mut x = number;
        let mut kept = 0;
        for i in 0..self.partials.len() {
            let mut y = self.partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        self.partials.push(x);
        self.overflowed = !x.is_finite();
    }

    /// Adds `units` × 2^`exponent` exactly; the product has to be in the range of normal numbers.
    pub(crate) fn add_units(&mut self, units: i128, exponent: i32) {
        let step = power_of_two(exponent);
        let mut rest = units;
        while rest != 0 {
            let part = rest as f64;
            self.add(part * step);
            rest -= part as i128;
        }
    }

    /// The sum, rounded once, ties to even.
    pub fn value(&self) -> f64 {
        if self.overflowed {
            return self.plain;
        }
        let mut rest = self.partials.iter().rev().copied();
        let Some(mut high) = rest.next() else { return 0.0 };
        let mut low = 0.0;
        for y in rest.by_ref() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // `high + low` is half way between two numbers only if `low` is half an ulp; what lies below decides then.
        if let Some(next) = rest.next()
            && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
        {
            let twice = low * 2.0;
            let nudged = high + twice;
            if nudged - high == twice {
                high = nudged;
            }
        }
        high
    }
}

impl Extend<f64> for ExactSum {
    fn extend<T: IntoIterator<Item = f64>>(&mut self, numbers: T) {
        for number in numbers {
            self.add(number);
        }
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<T: IntoIterator<Item = f64>>(numbers: T) -> Self {
        let mut sum = Self::new();
        sum.extend(numbers);
        sum
    }
}

/// `units` × 2^`exponent`, rounded once; the product has to be in the range of normal numbers.
pub(crate) fn scaled(units: i128, exponent: i32) -> f64 {
    // Nearly always 64 bits suffice, and their conversion is one instruction instead of a call.
    let rounded = i64::try_from(units).map_or_else(|_| units as f64, |narrow| narrow as f64);
    rounded * power_of_two(exponent)
}

/// 2^`exponent` for the exponents of normal numbers.
pub(crate) fn power_of_two(exponent: i32) -> f64 {
    debug_assert!((-1022..=1023).contains(&exponent));
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The exponent of the last bit of a finite number's mantissa: the number is a whole multiple of 2 to it.
pub(crate) fn unit_exponent(number: f64) -> i32 {
    let biased = (number.to_bits() >> 52 & 0x7ff) as i32;
    biased.max(1) - 1075
}

/// A finite number as a multiple of 2^`exponent`; `None` where it is not one that fits.
pub(crate) fn in_units(number: f64, exponent: i32) -> Option<i128> {
    let bits = number.to_bits();
    let fraction = (bits & ((1 << 52) - 1)) as i128;
    let mantissa = if bits >> 52 & 0x7ff == 0 { fraction } else { fraction | 1 << 52 };
    if mantissa == 0 {
        return Some(0);
    }
    let shift = unit_exponent(number) - exponent;
    let magnitude = if (0..=70).contains(&shift) {
        mantissa << shift
    } else if shift < 0 && shift > -53 && mantissa & ((1 << -shift) - 1) == 0 {
        mantissa >> -shift
    } else {
        return None;
    };
    Some(if number.is_sign_negative() { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum in 2,200-bit fixed point, rounded by going through a decimal text: slow, and plainly right.
    fn reference(numbers: &[f64]) -> f64 {
        // Two's complement limbs of 32 bits, unit 2^-1074.
        let mut limbs = vec![0_i128; 72];
        for &n in numbers {
            let bits = n.to_bits();
            let biased = (bits >> 52 & 0x7ff) as usize;
            let fraction = (bits & ((1 << 52) - 1)) as i128;
            let mantissa = if biased == 0 { fraction } else { fraction | 1 << 52 };
            let shift = biased.max(1) - 1;
            let signed = if n.is_sign_negative() { -mantissa } else { mantissa };
            limbs[shift / 32] += signed << (shift % 32);
        }
        for i in 0..71 {
            let carry = limbs[i] >> 32;
            limbs[i] -= carry << 32;
            limbs[i + 1] += carry;
        }
        let negative = limbs[71] < 0;
        if negative {
            limbs.iter_mut().for_each(|l| *l = -*l);
            for i in 0..71 {
                let carry = limbs[i] >> 32;
                limbs[i] -= carry << 32;
                limbs[i + 1] += carry;
            }
        }
        let Some(top) = limbs.iter().rposition(|&l| l != 0) else { return 0.0 };
        let top_bit = top * 32 + (127 - limbs[top].leading_zeros() as usize);
        let bit = |i: usize| (limbs[i / 32] >> (i % 32) & 1) as u64;
        let lowest = top_bit.saturating_sub(52);
        let mut mantissa = (lowest..=top_bit).rev().fold(0, |m, i| m << 1 | bit(i));
        if lowest > 0 && bit(lowest - 1) == 1 {
            let sticky = (0..lowest - 1).any(|i| bit(i) == 1);
            mantissa += u64::from(sticky || mantissa & 1 == 1);
        }
        // Adding the mantissa to the exponent's field carries by itself; lowest is the biased exponent less one.
        let magnitude = f64::from_bits(((lowest as u64) << 52) + mantissa);
        if negative { -magnitude } else { magnitude }
    }

    #[test]
    fn known_hard_sums() {
        for (numbers, sum) in [
            (vec![], 0.0),
            (vec![0.1; 10], 1.0),
            (vec![1e100, 1.0, -1e100], 1.0),
            (vec![1.0, 1e-16, 1e-16], 1.000_000_000_000_000_2),
            // A tie broken by something far below.
            (vec![9_007_199_254_740_992.0, 1.0, 1e-300], 9_007_199_254_740_994.0),
            (vec![9_007_199_254_740_992.0, 1.0], 9_007_199_254_740_992.0),
        ] {
            assert_eq!(numbers.iter().copied().collect::<ExactSum>().value(), sum, "{numbers:?}");
            assert_eq!(reference(&numbers), sum, "{numbers:?}");
        }
        assert_eq!([f64::MAX, f64::MAX].into_iter().collect::<ExactSum>().value(), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn any_sum_is_correctly_rounded(numbers in prop::collection::vec(
            (any::<i64>(), -1074_i32..900, 0_u32..64).prop_map(|(m, e, cut)| {
                let scaled = (m >> cut) as f64;
                if e < -1000 { scaled * f64::MIN_POSITIVE * power_of_two(-52) } else { scaled * power_of_two(e) }
            }), 0..40)) {
            prop_assert_eq!(numbers.iter().copied().collect::<ExactSum>().value(), reference(&numbers));
        }

        #[test]
        fn near_sums_are_correctly_rounded(numbers in prop::collection::vec((-30_000_i32..30_000).prop_map(|n| f64::from(n) / 100.0), 0..300)) {
            prop_assert_eq!(numbers.iter().copied().collect::<ExactSum>().value(), reference(&numbers));
        }

        #[test]
        fn units_are_exact(n in any::<i32>(), k in 0_i32..40, units in any::<i128>()) {
            let number = f64::from(n) * power_of_two(-k);
            let exponent = unit_exponent(number);
            let back = in_units(number, exponent).unwrap();
            prop_assert_eq!(back as f64 * power_of_two(exponent), number);
            let mut sum = ExactSum::new();
            sum.add_units(units >> 4, -60);
            prop_assert_eq!(sum.value(), (units >> 4) as f64 * power_of_two(-60));
        }
    }
}
