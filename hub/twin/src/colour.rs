//! A colour scale that people with any colour vision read the same way.
//!
//! The map is viridis (S. van der Walt and N. Smith, 2015, CC0): perceptually uniform and rising in
//! lightness throughout. It is computed by M. Zucker's polynomial of degree six fitted to the
//! published table (2019, CC0), which it follows within 0.015 a channel.

/// An sRGB colour, 0 to 1 a channel.
pub type Rgb = [f32; 3];

/// What has no live value.
pub const NO_VALUE: Rgb = [0.62, 0.63, 0.65];

/// The colour at `t` from 0 to 1; clamped outside.
pub fn viridis(t: f32) -> Rgb {
    const C: [[f32; 3]; 7] = [
        [0.277_727_33, 0.005_407_344_5, 0.334_099_8],
        [0.105_093_04, 1.404_613_5, 1.384_590_2],
        [-0.330_861_83, 0.214_847_56, 0.095_095_16],
        [-4.634_230_5, -5.799_101, -19.332_441],
        [6.228_27, 14.179_933, 56.690_55],
        [4.776_385, -13.745_145, -65.353_03],
        [-5.435_456, 4.645_852_6, 26.312_435],
    ];
    let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
    std::array::from_fn(|k| C.iter().rev().fold(0.0, |sum, c| sum * t + c[k]).clamp(0.0, 1.0))
}

/// From values to colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The value of the darkest colour.
    pub low: f64,
    /// The value of the lightest.
    pub high: f64,
}

impl Scale {
    /// The colour of a value; beyond the ends it stays that of the end.
    pub fn colour(&self, x: f64) -> Rgb {
        let span = self.high - self.low;
        viridis(if span > 0.0 { ((x - self.low) / span) as f32 } else { 0.5 })
    }

    /// The scale that people expect for a quantity, whatever the values are today: comparable from
    /// day to day. CO₂ from outdoor air to 0.15 %, the limit of a classroom in GB 50099-2011; temperature around
    /// the comfort band.
    pub fn usual(quantity: &str) -> Option<Scale> {
        let (low, high) = match quantity {
            "co2" => (400.0, 1500.0),
            "temperature" | "air-temperature" => (10.0, 34.0),
            "humidity" | "relative-humidity" => (20.0, 90.0),
            _ => return None,
        };
        Some(Scale { low, high })
    }

    /// Round ends around the values, without the outermost 2 % on either side. `None` for no value.
    pub fn fitting(values: impl IntoIterator<Item = f64>) -> Option<Scale> {
        let mut values: Vec<f64> = values.into_iter().filter(|x| x.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let cut = last / 50;
        let (low, high) = (values[cut], values[last - cut]);
        if high <= low {
            let around = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            return Some(Scale { low: low - around, high: low + around });
        }
        let step = nice_step((high - low) / 4.0);
        Some(Scale { low: (low / step).floor() * step, high: (high / step).ceil() * step })
    }
}

/// The step of 1, 2, 2.5 or 5 times a power of ten that is next above.
pub fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let digit = rough / power;
    let nice = [1.0, 2.0, 2.5, 5.0].into_iter().find(|n| digit <= n + 1e-9).unwrap_or(10.0);
    nice * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_is_the_published_map() {
        // Rows 0, 64, 128, 192 and 255 of matplotlib's table.
        let table = [
            (0.0, [0.267_004, 0.004_874, 0.329_415]),
            (64.0 / 255.0, [0.229_739, 0.322_361, 0.545_706]),
            (128.0 / 255.0, [0.127_568, 0.566_949, 0.550_556]),
            (192.0 / 255.0, [0.369_214, 0.788_888, 0.382_914]),
            (1.0, [0.993_248, 0.906_157, 0.143_936]),
        ];
        for (t, expected) in table {
            let got = viridis(t);
            for k in 0..3 {
                assert!((got[k] - expected[k]).abs() < 0.015, "{t}: {got:?} for {expected:?}");
            }
        }
    }

    #[test]
    fn lightness_rises_all_the_way() {
        let luma = |[r, g, b]: Rgb| 0.2126 * r.powf(2.2) + 0.7152 * g.powf(2.2) + 0.0722 * b.powf(2.2);
        for i in 0..100 {
            let (a, b) = (viridis(i as f32 / 100.0), viridis((i + 1) as f32 / 100.0));
            assert!(luma(b) > luma(a), "at {i}");
        }
        assert_eq!(viridis(f32::NAN), viridis(0.0));
    }

    #[test]
    fn scales_have_round_ends() {
        assert_eq!(Scale::fitting([412.0, 433.0, 988.0]), Some(Scale { low: 400.0, high: 1000.0 }));
        assert_eq!(Scale::fitting([5.0]), Some(Scale { low: 4.5, high: 5.5 }));
        assert_eq!(Scale::fitting([f64::NAN]), None);
        let scale = Scale { low: 0.0, high: 10.0 };
        assert_eq!(scale.colour(-5.0), viridis(0.0));
        assert_eq!(scale.colour(5.0), viridis(0.5));
    }
}
