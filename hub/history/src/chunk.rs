//! The chunk: some thousand samples of one point, compressed.
//!
//! Layout, within a frame with its checksum: codec of values, count, times, runs of tags, values.
//! - Times become whole steps of the coarsest unit that divides them, then runs of equal steps where the
//!   point is regular, else whichever is smaller of pco with first differences and pco's own choice.
//! - Numbers become integers at the sensor's resolution (or at a power of ten) where the way back gives the
//!   same bits for every one of them; else their bits go through pco as f64.

use std::sync::Arc;

use campanile_model::ValueType;
use pco::data_types::Number;
use pco::standalone::{simple_compress_into, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use crate::blob::{decode_tags, encode_tags};
use crate::bytes::{Cursor, put_bytes, put_int, put_uint};
use crate::columns::{Columns, Tag};
use crate::error::{HistoryError, Result};

/// The most samples in a chunk.
pub(crate) const MAX_CHUNK_SAMPLES: usize = 8192;

const POWERS_OF_TEN: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// How numbers are written as integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// The number's bits.
    Bits,
    /// n / 10^k.
    Decimal(u8),
    /// n × step.
    Step(f64),
}

impl Scale {
    /// The largest power of ten that divides.
    pub(crate) const MAX_POWER: u8 = POWERS_OF_TEN.len() as u8 - 1;

    /// The scale that a sensor's resolution suggests.
    pub(crate) fn of_resolution(resolution: f64) -> Option<Scale> {
        if !(resolution.is_finite() && resolution > 0.0) {
            return None;
        }
        let decimal = POWERS_OF_TEN.iter().position(|p| 1.0 / p == resolution);
        Some(decimal.map_or(Scale::Step(resolution), |k| Scale::Decimal(k as u8)))
    }

    /// The number that `n` stands for.
    pub(crate) fn number(self, n: i64) -> f64 {
        match self {
            Scale::Bits => f64::from_bits(n as u64),
            Scale::Decimal(k) => n as f64 / POWERS_OF_TEN[usize::from(k)],
            Scale::Step(step) => n as f64 * step,
        }
    }

    /// The integer nearest to `number` on this scale.
    pub(crate) fn nearest(self, number: f64) -> i64 {
        match self {
            Scale::Bits => number.to_bits() as i64,
            Scale::Decimal(k) => (number * POWERS_OF_TEN[usize::from(k)]).round_ties_even() as i64,
            Scale::Step(step) => (number / step).round_ties_even() as i64,
        }
    }

    /// The integer from which `number` comes back bit for bit, if there is one.
    pub(crate) fn exactly(self, number: f64) -> Option<i64> {
        let n = self.nearest(number);
        // Beyond 2^53 not every integer is a number, and a saturated cast would go unseen.
        (n.unsigned_abs() < 1 << 53 && self.number(n).to_bits() == number.to_bits()).then_some(n)
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Scale::Bits => out.push(0),
            Scale::Decimal(k) => out.push(1 + k),
            Scale::Step(step) => {
                out.push(11);
                out.extend_from_slice(&step.to_bits().to_le_bytes());
            }
        }
    }

    /// Reads what [`Self::encode`] wrote, its first byte being read already.
    pub(crate) fn decode(code: u8, cursor: &mut Cursor<'_>) -> Result<Scale> {
        match code {
            0 => Ok(Scale::Bits),
            1..=10 => Ok(Scale::Decimal(code - 1)),
            11 => Ok(Scale::Step(f64::from_bits(cursor.u64()?))),
            _ => Err(cursor.corrupt(format!("codec {code} is unknown"))),
        }
    }
}

const CODEC_SMALL: u8 = 12;
const CODEC_ANY: u8 = 13;

/// An encoded chunk, and the scale of its numbers for the roll-ups beside it.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    /// `None` where the chunk has texts or mixed types, which have no roll-ups.
    pub(crate) scale: Option<Scale>,
}

/// Compresses columns, which have to be in order of time, not empty and at most [`MAX_CHUNK_SAMPLES`] long.
pub(crate) fn encode(columns: &Columns, resolution: Option<f64>) -> Result<Encoded> {
    let mut out = Vec::with_capacity(columns.len() + 64);
    let all = |types: &[ValueType]| columns.tags.iter().all(|&t| types.contains(&Tag(t).value_type()));
    let scale = if all(&[ValueType::Number]) {
        let (scale, integers) = choose_scale(columns, resolution);
        scale.encode(&mut out);
        encode_frame(columns, &mut out)?;
        match integers {
            Some(integers) => put_integers(&integers, &mut out)?,
            None => {
                let numbers: Vec<f64> = columns.bits.iter().map(|&b| f64::from_bits(b)).collect();
                compress(&numbers, &searching(), &mut out)?;
            }
        }
        Some(scale)
    } else if all(&[ValueType::Bool, ValueType::Choice]) {
        out.push(CODEC_SMALL);
        encode_frame(columns, &mut out)?;
        let integers: Vec<i64> = columns.bits.iter().map(|&b| b as i64).collect();
        put_integers(&integers, &mut out)?;
        Some(Scale::Decimal(0))
    } else {
        out.push(CODEC_ANY);
        encode_frame(columns, &mut out)?;
        put_any(columns, &mut out)?;
        None
    };
    Ok(Encoded { bytes: out, scale })
}

/// Decompresses a chunk and appends its samples to `columns`.
pub(crate) fn decode(bytes: &[u8], columns: &mut Columns) -> Result<()> {
    let mut cursor = Cursor::new("a chunk", bytes);
    let codec = cursor.byte()?;
    let scale = if codec < CODEC_SMALL { Some(Scale::decode(codec, &mut cursor)?) } else { None };
    let count = cursor.count(MAX_CHUNK_SAMPLES)?;
    decode_times(&mut cursor, count, &mut columns.times)?;
    let tags = decode_tags(&mut cursor, count)?;
    columns.tags.extend_from_slice(&tags);
    match (codec, scale) {
        (_, Some(Scale::Bits)) => {
            let mut numbers = vec![0_f64; count];
            decompress(&mut cursor, &mut numbers)?;
            columns.bits.extend(numbers.iter().map(|x| x.to_bits()));
        }
        (_, Some(scale)) => {
            // A match outside the loop keeps the loop free of branches.
            let bits = &mut columns.bits;
            with_integers(&mut cursor, count, |narrow, wide| match scale {
                Scale::Decimal(k) => {
                    let divisor = POWERS_OF_TEN[usize::from(k)];
                    bits.extend(narrow.iter().map(|&n| (f64::from(n) / divisor).to_bits()));
                    bits.extend(wide.iter().map(|&n| (n as f64 / divisor).to_bits()));
                }
                _ => {
                    bits.extend(narrow.iter().map(|&n| scale.number(n.into()).to_bits()));
                    bits.extend(wide.iter().map(|&n| scale.number(n).to_bits()));
                }
            })?;
        }
        (CODEC_SMALL, None) => {
            let bits = &mut columns.bits;
            with_integers(&mut cursor, count, |narrow, wide| {
                bits.extend(narrow.iter().map(|&n| n as u64));
                bits.extend(wide.iter().map(|&n| n as u64));
            })?;
        }
        (CODEC_ANY, None) => decode_any(&mut cursor, &tags, columns)?,
        _ => return Err(cursor.corrupt(format!("codec {codec} is unknown"))),
    }
    Ok(())
}

/// The first scale on which every number comes back bit for bit, with the integers on it.
fn choose_scale(columns: &Columns, resolution: Option<f64>) -> (Scale, Option<Vec<i64>>) {
    let hinted = resolution.and_then(Scale::of_resolution);
    let decimals = (0..=Scale::MAX_POWER).map(Scale::Decimal);
    let mut integers = Vec::with_capacity(columns.len());
    for scale in hinted.into_iter().chain(decimals) {
        integers.clear();
        for &bits in &columns.bits {
            match scale.exactly(f64::from_bits(bits)) {
                Some(n) => integers.push(n),
                None => break,
            }
        }
        if integers.len() == columns.len() {
            return (scale, Some(integers));
        }
    }
    (Scale::Bits, None)
}

/// Count, times and tags.
fn encode_frame(columns: &Columns, out: &mut Vec<u8>) -> Result<()> {
    put_uint(out, columns.len() as u64);
    encode_times(&columns.times, out)?;
    encode_tags(&columns.tags, out);
    Ok(())
}

const UNITS_US: [i64; 5] = [60_000_000, 1_000_000, 100_000, 1_000, 1];
const TIMES_RUNS: u8 = 0;
const TIMES_U32: u8 = 1;
const TIMES_U64: u8 = 2;

fn encode_times(times: &[i64], out: &mut Vec<u8>) -> Result<()> {
    let first = times.first().copied().unwrap_or(0);
    put_int(out, first);
    let divides = |unit: &i64| times.iter().all(|t| (t - first) % unit == 0);
    let unit_at = UNITS_US.iter().position(divides).unwrap_or(UNITS_US.len() - 1);
    let unit = UNITS_US[unit_at];
    out.push(unit_at as u8);

    let steps: Vec<i64> = times.windows(2).map(|w| (w[1] - w[0]) / unit).collect();
    let mut runs = Vec::new();
    for run in steps.chunk_by(|a, b| a == b) {
        put_uint(&mut runs, run[0] as u64);
        put_uint(&mut runs, run.len() as u64);
    }
    if runs.len() <= times.len() / 32 + 8 {
        out.push(TIMES_RUNS);
        put_bytes(out, &runs);
        return Ok(());
    }
    let offsets: Vec<u64> = times.iter().map(|t| ((t - first) / unit) as u64).collect();
    let narrow: Option<Vec<u32>> = offsets.iter().map(|&n| u32::try_from(n).ok()).collect();
    let mut packed = Vec::new();
    let kind = match &narrow {
        Some(narrow) => {
            compress_times(narrow, &mut packed)?;
            TIMES_U32
        }
        None => {
            compress_times(&offsets, &mut packed)?;
            TIMES_U64
        }
    };
    if runs.len() <= packed.len() {
        out.push(TIMES_RUNS);
        put_bytes(out, &runs);
    } else {
        out.push(kind);
        put_bytes(out, &packed);
    }
    Ok(())
}

fn decode_times(cursor: &mut Cursor<'_>, count: usize, times: &mut Vec<i64>) -> Result<()> {
    let first = cursor.int()?;
    let unit_at = usize::from(cursor.byte()?);
    let unit = *UNITS_US.get(unit_at).ok_or_else(|| cursor.corrupt("a unit of time is unknown"))?;
    let kind = cursor.byte()?;
    let bytes = cursor.bytes()?;
    times.reserve(count);
    match kind {
        TIMES_RUNS if count > 0 => {
            let mut runs = Cursor::new("a chunk's times", bytes);
            let mut time = first;
            times.push(time);
            let mut left = count - 1;
            while left > 0 {
                let step = (runs.uint()? as i64).wrapping_mul(unit);
                let run = runs.count(left)?;
                if run == 0 {
                    return Err(cursor.corrupt("a run of steps is empty"));
                }
                let start = time;
                times.extend((1..=run as i64).map(|i| start.wrapping_add(step.wrapping_mul(i))));
                time = start.wrapping_add(step.wrapping_mul(run as i64));
                left -= run;
            }
        }
        TIMES_U32 => {
            let mut offsets = vec![0_u32; count];
            decompress_all(bytes, &mut offsets)?;
            times.extend(offsets.iter().map(|&n| first.wrapping_add(i64::from(n).wrapping_mul(unit))));
        }
        TIMES_U64 => {
            let mut offsets = vec![0_u64; count];
            decompress_all(bytes, &mut offsets)?;
            times.extend(offsets.iter().map(|&n| first.wrapping_add((n as i64).wrapping_mul(unit))));
        }
        _ => return Err(cursor.corrupt("an encoding of times is unknown")),
    }
    Ok(())
}

/// First differences cost little on regular stamps, pco's own choice less on jittered ones: the smaller stays.
fn compress_times<T: Number>(offsets: &[T], out: &mut Vec<u8>) -> Result<()> {
    let mut by_steps = Vec::new();
    simple_compress_into(offsets, &first_differences(), &mut by_steps).map_err(pco_error)?;
    simple_compress_into(offsets, &searching(), &mut *out).map_err(pco_error)?;
    if by_steps.len() <= out.len() {
        *out = by_steps;
    }
    Ok(())
}

/// Integers through pco, as 32 bits where they fit: a third faster to read.
fn put_integers(integers: &[i64], out: &mut Vec<u8>) -> Result<()> {
    let narrow: Option<Vec<i32>> = integers.iter().map(|&n| i32::try_from(n).ok()).collect();
    match narrow {
        Some(narrow) => {
            out.push(4);
            compress_integers(&narrow, out)
        }
        None => {
            out.push(8);
            compress_integers(integers, out)
        }
    }
}

/// First differences are what pco finds for nearly every sensor, at a third of the time; where they leave more than
/// this many bytes a value, its own search may find better and the smaller stays.
const SEARCH_ABOVE_BYTES: usize = 2;

fn compress_integers<T: Number>(integers: &[T], out: &mut Vec<u8>) -> Result<()> {
    let mut packed = Vec::new();
    simple_compress_into(integers, &first_differences(), &mut packed).map_err(pco_error)?;
    if packed.len() > SEARCH_ABOVE_BYTES * integers.len() {
        let mut searched = Vec::new();
        simple_compress_into(integers, &searching(), &mut searched).map_err(pco_error)?;
        if searched.len() < packed.len() {
            packed = searched;
        }
    }
    put_bytes(out, &packed);
    Ok(())
}

/// Level 6 of 12 writes 1.3 to 3 times and reads 1.2 times as fast as the default 8, for one per cent in size.
const LEVEL: usize = 6;

fn first_differences() -> ChunkConfig {
    ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::TryConsecutive(1))
}

fn searching() -> ChunkConfig {
    ChunkConfig::default().with_compression_level(LEVEL)
}

/// Reads integers and hands them over in one of two slices, the other being empty.
fn with_integers(cursor: &mut Cursor<'_>, count: usize, take: impl FnOnce(&[i32], &[i64])) -> Result<()> {
    match cursor.byte()? {
        4 => {
            let mut narrow = [0_i32; MAX_CHUNK_SAMPLES];
            let narrow = &mut narrow[..count];
            decompress(cursor, narrow)?;
            take(narrow, &[]);
        }
        8 => {
            let mut wide = vec![0_i64; count];
            decompress(cursor, &mut wide)?;
            take(&[], &wide);
        }
        _ => return Err(cursor.corrupt("a width of integers is unknown")),
    }
    Ok(())
}

/// Any mixture of types: the bits, with texts as places in a list of the distinct ones.
fn put_any(columns: &Columns, out: &mut Vec<u8>) -> Result<()> {
    let mut texts: Vec<Arc<str>> = Vec::new();
    let mut bits = Vec::with_capacity(columns.len());
    let mut places = std::collections::BTreeMap::new();
    for i in 0..columns.len() {
        bits.push(match columns.value(i) {
            campanile_model::Value::Text(text) => *places.entry(text).or_insert_with_key(|text| {
                texts.push(text.clone());
                texts.len() as u64 - 1
            }),
            _ => columns.bits[i],
        });
    }
    put_uint(out, texts.len() as u64);
    for text in &texts {
        put_bytes(out, text.as_bytes());
    }
    compress(&bits, &searching(), out)
}

fn decode_any(cursor: &mut Cursor<'_>, tags: &[u8], columns: &mut Columns) -> Result<()> {
    let texts = cursor.count(MAX_CHUNK_SAMPLES)?;
    let base = columns.texts.len() as u64;
    for _ in 0..texts {
        let text = std::str::from_utf8(cursor.bytes()?);
        columns.texts.push(Arc::from(text.map_err(|_| cursor.corrupt("a text is not UTF-8"))?));
    }
    let mut bits = vec![0_u64; tags.len()];
    decompress(cursor, &mut bits)?;
    for (&tag, bits) in tags.iter().zip(bits) {
        let text = Tag(tag).value_type() == ValueType::Text;
        if text && bits >= texts as u64 {
            return Err(cursor.corrupt("a text is missing"));
        }
        columns.bits.push(if text { base + bits } else { bits });
    }
    Ok(())
}

fn pco_error(error: impl std::fmt::Display) -> HistoryError {
    HistoryError::corrupt("a compressed column", error.to_string())
}

fn compress<T: Number>(numbers: &[T], config: &ChunkConfig, out: &mut Vec<u8>) -> Result<()> {
    let mut packed = Vec::new();
    simple_compress_into(numbers, config, &mut packed).map_err(pco_error)?;
    put_bytes(out, &packed);
    Ok(())
}

fn decompress<T: Number>(cursor: &mut Cursor<'_>, numbers: &mut [T]) -> Result<()> {
    decompress_all(cursor.bytes()?, numbers)
}

fn decompress_all<T: Number>(bytes: &[u8], numbers: &mut [T]) -> Result<()> {
    let progress = simple_decompress_into(bytes, numbers).map_err(pco_error)?;
    if progress.n_processed == numbers.len() && progress.finished {
        Ok(())
    } else {
        Err(pco_error("it has another count than its frame says"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use campanile_model::{Quality, Value};
    use proptest::prelude::*;

    fn check(columns: &Columns, resolution: Option<f64>) -> usize {
        let encoded = encode(columns, resolution).unwrap();
        let mut back = Columns::default();
        decode(&encoded.bytes, &mut back).unwrap();
        assert_eq!(back.times, columns.times);
        assert_eq!(back.tags, columns.tags);
        for i in 0..columns.len() {
            match (back.value(i), columns.value(i)) {
                (Value::Number(a), Value::Number(b)) => assert_eq!(a.to_bits(), b.to_bits()),
                (a, b) => assert_eq!(a, b),
            }
        }
        for cut in (0..encoded.bytes.len()).step_by(1 + encoded.bytes.len() / 50) {
            assert!(decode(&encoded.bytes[..cut], &mut Columns::default()).is_err(), "cut at {cut}");
        }
        encoded.bytes.len()
    }

    fn numbers(values: impl IntoIterator<Item = f64>) -> Columns {
        let mut columns = Columns::default();
        for (i, x) in values.into_iter().enumerate() {
            columns.push(1_700_000_000_000_000 + i as i64 * 60_000_000, &Value::Number(x), Quality::Good);
        }
        columns
    }

    #[test]
    fn numbers_on_the_sensors_grid_are_small_and_others_are_exact_all_the_same() {
        let wave = |i: i32| f64::from(i * 37 % 211) - 40.0;
        let grid = (0..4000).map(|i| wave(i) / 10.0);
        let size = check(&numbers(grid.clone()), Some(0.1));
        assert!(size < 4200, "{size} bytes for 4,000 values of 211 kinds");
        for resolution in
            [None, Some(0.1), Some(0.25), Some(5.0), Some(1e-9), Some(0.3), Some(f64::NAN), Some(0.0)]
        {
            check(&numbers(grid.clone()), resolution);
            check(&numbers((0..500).map(|i| wave(i) * 0.25)), resolution);
            check(&numbers((0..500).map(|i| wave(i) * 0.3)), resolution);
            check(&numbers((0..500).map(|i| wave(i) / 7.0)), resolution);
            check(&numbers((0..500).map(|i| wave(i) * 1e300)), resolution);
        }
    }

    #[test]
    fn odd_numbers_keep_their_bits() {
        let odd = [
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::from_bits(0x7ff0_0000_dead_beef),
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            9_007_199_254_740_993.0,
            1e22,
            0.1 + 0.2,
        ];
        check(&numbers(odd), Some(0.1));
        for x in odd {
            check(&numbers([x]), Some(0.1));
            check(&numbers([1.0, x, 2.5]), None);
        }
    }

    #[test]
    fn types_may_change_in_mid_stream() {
        let mut columns = Columns::default();
        for i in 0..1000_i64 {
            let value = match i % 7 {
                0 => Value::Text(format!("state {}", i % 3).into()),
                1 => Value::Bool(i % 2 == 0),
                2 => Value::Choice(i as u16),
                _ => Value::Number(i as f64 / 3.0),
            };
            columns.push(i * i, &value, Quality::from_u8((i % 4) as u8).unwrap());
        }
        check(&columns, None);
        let mut only_small = Columns::default();
        for i in 0..1000_i64 {
            let value = if i < 500 { Value::Bool(i % 3 == 0) } else { Value::Choice(u16::MAX - i as u16) };
            only_small.push(i, &value, Quality::Good);
        }
        check(&only_small, None);
    }

    proptest! {
        #[test]
        fn any_times_come_back(start in 0_i64..7_000_000_000_000_000, steps in prop::collection::vec(1_i64..100_000_000_000, 0..300), shape in 0..4) {
            let mut time = start;
            let mut columns = Columns::default();
            for (i, step) in steps.iter().enumerate() {
                let step = match shape { 0 => *step, 1 => 60_000_000, 2 => 1_000_000 * (59 + step % 3), _ => 1000 * (1 + step % 1000) };
                columns.push(time, &Value::Number(i as f64), Quality::Good);
                time += step;
            }
            if !columns.is_empty() {
                check(&columns, None);
            }
        }

        #[test]
        fn any_bits_come_back(bits in prop::collection::vec(any::<u64>(), 1..200)) {
            check(&numbers(bits.into_iter().map(f64::from_bits)), Some(0.01));
        }
    }
}
