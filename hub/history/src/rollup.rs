//! Hourly roll-ups beside each chunk, from which buckets of whole hours come without touching the samples.
//!
//! The sum of an hour is kept *exactly*: as a whole multiple of the last bit of the chunk's smallest number.
//! So sums over any number of hours are correctly rounded, as if they were made from the samples.

use crate::bytes::{Cursor, put_column, put_int, put_uint, read_column};
use crate::chunk::{MAX_CHUNK_SAMPLES, Scale};
use crate::civil::HOUR_US;
use crate::columns::Columns;
use crate::error::Result;
use crate::exact::{in_units, power_of_two, scaled, unit_exponent};

/// Below this many samples an hour, reading the samples is as fast and roll-ups would double the store.
const MIN_SAMPLES_PER_HOUR: usize = 6;

/// One hour of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hour {
    /// Start of the hour.
    pub(crate) start_us: i64,
    /// Usable samples in it.
    pub(crate) count: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// The exact sum, in units of 2^exponent of the roll-up.
    pub(crate) sum_units: i128,
    /// Whether the values never fall within the hour: then the first is `min` and the last `max`.
    pub(crate) rising: bool,
}

/// The hours of one chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rollup {
    /// The unit of the sums is 2^`exponent`.
    pub(crate) exponent: i32,
    pub(crate) hours: Vec<Hour>,
}

/// Makes the roll-ups of a chunk whose numbers have `scale`; `None` where they would not pay or a sum
/// would not fit, and readers go to the samples.
pub(crate) fn encode(columns: &Columns, scale: Scale) -> Option<Vec<u8>> {
    let usable: Vec<(i64, f64)> =
        (0..columns.len()).filter_map(|i| Some((columns.times[i], columns.usable(i)?))).collect();
    let exponent =
        usable.iter().filter(|(_, x)| *x != 0.0).map(|(_, x)| unit_exponent(*x)).min().unwrap_or(0);
    if exponent < -1022 {
        return None;
    }
    let mut hours = Vec::new();
    for samples in usable.chunk_by(|a, b| a.0.div_euclid(HOUR_US) == b.0.div_euclid(HOUR_US)) {
        let mut sum_units = 0_i128;
        for (_, x) in samples {
            sum_units = sum_units.checked_add(in_units(*x, exponent)?)?;
        }
        if !scaled(sum_units, exponent).is_finite() {
            return None;
        }
        // Adding 0.0 turns -0.0 into 0.0, so that min and max do not depend on the order of the two zeros.
        let values = samples.iter().map(|(_, x)| x + 0.0);
        hours.push(Hour {
            start_us: samples[0].0.div_euclid(HOUR_US) * HOUR_US,
            count: samples.len() as u64,
            min: values.clone().fold(f64::INFINITY, f64::min),
            max: values.fold(f64::NEG_INFINITY, f64::max),
            sum_units,
            rising: samples.windows(2).all(|w| w[0].1 <= w[1].1),
        });
    }
    if hours.is_empty() || usable.len() < hours.len() * MIN_SAMPLES_PER_HOUR {
        return None;
    }

    let mut out = Vec::new();
    scale.encode(&mut out);
    put_int(&mut out, exponent.into());
    put_uint(&mut out, hours.len() as u64);
    put_int(&mut out, hours[0].start_us / HOUR_US);
    let steps: Vec<i64> = hours.windows(2).map(|w| (w[1].start_us - w[0].start_us) / HOUR_US).collect();
    put_column(&mut out, &steps);
    let column = |of: &dyn Fn(&Hour) -> Option<i64>| hours.iter().map(of).collect::<Option<Vec<i64>>>();
    put_column(&mut out, &column(&|h| Some(h.count as i64))?);
    put_column(&mut out, &column(&|h| Some(scale.nearest(h.min)))?);
    put_column(&mut out, &column(&|h| Some(scale.nearest(h.max).wrapping_sub(scale.nearest(h.min))))?);
    // The sum as an integer on the chunk's scale, less what count × min says already, then what remains in units.
    let near = |h: &Hour| scale.nearest(scaled(h.sum_units, exponent));
    put_column(&mut out, &column(&|h| Some(near(h).wrapping_sub(guess(scale, h.count, h.min))))?);
    put_column(
        &mut out,
        &column(&|h| i64::try_from(h.sum_units - base_units(scale.number(near(h)), exponent)?).ok())?,
    );
    put_column(&mut out, &column(&|h| Some(i64::from(h.rising)))?);
    Some(out)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8], rollup: &mut Rollup) -> Result<()> {
    let mut cursor = Cursor::new("a roll-up", bytes);
    let code = cursor.byte()?;
    let scale = Scale::decode(code, &mut cursor)?;
    let exponent = cursor.int()?;
    if !(-1022..=971).contains(&exponent) {
        return Err(cursor.corrupt("its exponent is out of range"));
    }
    rollup.exponent = exponent as i32;
    let len = cursor.count(MAX_CHUNK_SAMPLES)?;
    let mut start = cursor.int()?;
    rollup.hours.clear();
    rollup.hours.reserve(len);
    let mut column = Vec::new();
    read_column(&mut cursor, len.saturating_sub(1), &mut column)?;
    for i in 0..len {
        if i > 0 {
            start = start.wrapping_add(column[i - 1]);
        }
        rollup.hours.push(Hour {
            start_us: start.wrapping_mul(HOUR_US),
            count: 0,
            min: 0.0,
            max: 0.0,
            sum_units: 0,
            rising: false,
        });
    }
    read_column(&mut cursor, len, &mut column)?;
    rollup.hours.iter_mut().zip(&column).for_each(|(h, &n)| h.count = n as u64);
    let mut min = Vec::new();
    read_column(&mut cursor, len, &mut min)?;
    rollup.hours.iter_mut().zip(&min).for_each(|(h, &n)| h.min = scale.number(n));
    read_column(&mut cursor, len, &mut column)?;
    for ((h, &more), &n) in rollup.hours.iter_mut().zip(&column).zip(&min) {
        h.max = scale.number(n.wrapping_add(more));
    }
    read_column(&mut cursor, len, &mut column)?;
    let mut rest = min;
    read_column(&mut cursor, len, &mut rest)?;
    for ((h, &n), &units) in rollup.hours.iter_mut().zip(&column).zip(&rest) {
        let near = scale.number(n.wrapping_add(guess(scale, h.count, h.min)));
        let base =
            base_units(near, rollup.exponent).ok_or_else(|| cursor.corrupt("a sum is out of range"))?;
        h.sum_units = base.wrapping_add(units.into());
    }
    read_column(&mut cursor, len, &mut column)?;
    rollup.hours.iter_mut().zip(&column).for_each(|(h, &n)| h.rising = n != 0);
    Ok(())
}

/// What the sum is at least, on the chunk's scale. Bits are no scale to multiply on.
fn guess(scale: Scale, count: u64, min: f64) -> i64 {
    match scale {
        Scale::Bits => 0,
        _ => scale.nearest(min).wrapping_mul(count as i64),
    }
}

/// A number near the sum in whole units: a pure function of both, so that writer and reader agree.
fn base_units(number: f64, exponent: i32) -> Option<i128> {
    // Two steps, because 2^-exponent alone may be out of range.
    let half = -exponent / 2;
    let units = (number * power_of_two(half) * power_of_two(-exponent - half)).round_ties_even();
    if units.abs() < 9e18 {
        Some((units as i64).into())
    } else {
        (units.abs() < 1e38).then_some(units as i128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk;
    use crate::exact::ExactSum;
    use campanile_model::{Quality, Value};
    use proptest::prelude::*;

    /// The roll-ups of a chunk against the same figures made from its samples.
    fn check(columns: &Columns, resolution: Option<f64>) -> Option<usize> {
        let scale = chunk::encode(columns, resolution).unwrap().scale?;
        let bytes = encode(columns, scale)?;
        let mut rollup = Rollup::default();
        decode(&bytes, &mut rollup).unwrap();
        let mut at = 0;
        for hour in &rollup.hours {
            let of_hour: Vec<f64> = columns
                .between(hour.start_us, hour.start_us + HOUR_US)
                .filter_map(|i| {
                    at = i + 1;
                    columns.usable(i)
                })
                .collect();
            assert_eq!(hour.count as usize, of_hour.len());
            assert_eq!(hour.min, of_hour.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(hour.max, of_hour.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            assert_eq!(hour.rising, of_hour.is_sorted());
            let mut sum = ExactSum::new();
            sum.add_units(hour.sum_units, rollup.exponent);
            assert_eq!(sum.value(), of_hour.iter().copied().collect::<ExactSum>().value());
            of_hour.iter().for_each(|x| sum.add(-x));
            assert_eq!(sum.value(), 0.0, "the sum is exact, not only rounded right");
        }
        assert!((at..columns.len()).all(|i| columns.usable(i).is_none()), "no usable sample is left out");
        Some(bytes.len())
    }

    fn minutes(values: impl IntoIterator<Item = f64>) -> Columns {
        let mut columns = Columns::default();
        for (i, x) in values.into_iter().enumerate() {
            let quality = if i % 50 == 49 { Quality::Bad } else { Quality::Good };
            columns.push(1_700_000_000_000_000 + i as i64 * 60_000_000, &Value::Number(x), quality);
        }
        columns
    }

    #[test]
    fn an_hour_costs_a_few_bytes() {
        let bytes =
            check(&minutes((0..4000).map(|i| f64::from(200 + i * 7 % 13 + i / 60) / 10.0)), Some(0.1));
        assert!(bytes.is_some_and(|b| b < 67 * 8), "{bytes:?} bytes for 67 hours");
    }

    #[test]
    fn sparse_points_and_odd_numbers_have_none() {
        assert_eq!(check(&minutes([5e-324; 100]), None), None);
        assert_eq!(check(&minutes((0..100).map(|i| if i % 2 == 0 { 1e300 } else { 1e-300 })), None), None);
        let mut hourly = Columns::default();
        (0..100).for_each(|i| hourly.push(i * HOUR_US, &Value::Number(1.0), Quality::Good));
        assert_eq!(check(&hourly, None), None);
    }

    proptest! {
        #[test]
        fn any_hours_are_exact(numbers in prop::collection::vec(-50_000_i32..50_000, 10..400), shape in 0..6) {
            let columns = minutes(numbers.iter().map(|&n| match shape {
                0 => f64::from(n) / 10.0,
                1 => f64::from(n) / 1000.0,
                2 => f64::from(n) * 0.3,
                3 => f64::from(n) / 7.0,
                4 => f64::from(n).abs().sqrt() * 1e-20,
                _ => f64::from(n) * 1e15,
            }));
            prop_assert!(check(&columns, Some(0.1)).is_some());
        }
    }
}
