//! The raw blob: a batch of samples as it is committed, cheap to write and read again after a crash.

use std::sync::Arc;

use campanile_model::{Quality, Value, ValueType};

use crate::bytes::{Cursor, put_bytes, put_int, put_uint};
use crate::checksum;
use crate::chunk::Scale;
use crate::columns::Tag;
use crate::error::Result;

/// The most samples in one blob; larger batches become several, in the same transaction.
pub(crate) const MAX_BLOB_SAMPLES: usize = 65_536;

/// What errors call it.
const WHAT: &str = "a raw blob";

/// A sample as it goes into a blob.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) key: u32,
    pub(crate) time: i64,
    pub(crate) value: &'a Value,
    pub(crate) quality: Quality,
    /// How the point's numbers are best written.
    pub(crate) scale: Option<Scale>,
}

/// Times are written in the coarsest of these that divides all of them.
const UNITS_US: [i64; 3] = [1_000_000, 1_000, 1];

/// Marks a number that is written as its bits; below it, the low four bits are the power of ten that divides.
const AS_BITS: u64 = 15;

/// Encodes samples. Half of the bytes of a commit would be numbers and times at full width, and every byte is written
/// twice (log, then file): what is cheap to leave out is left out.
pub(crate) fn encode<'a>(rows: impl ExactSizeIterator<Item = Row<'a>> + Clone, out: &mut Vec<u8>) {
    out.clear();
    checksum::begin(out);
    put_uint(out, rows.len() as u64);
    let mut before = 0;
    for row in rows.clone() {
        put_int(out, i64::from(row.key) - before);
        before = i64::from(row.key);
    }
    let unit_at = if rows.clone().all(|r| r.time % UNITS_US[0] == 0) {
        0
    } else if rows.clone().all(|r| r.time % UNITS_US[1] == 0) {
        1
    } else {
        2
    };
    out.push(unit_at as u8);
    before = 0;
    for row in rows.clone() {
        let time = row.time / UNITS_US[unit_at];
        put_int(out, time.wrapping_sub(before));
        before = time;
    }
    let mut run = (Tag(0), 0_u64);
    for row in rows.clone() {
        let tag = Tag::new(row.value.value_type(), row.quality);
        if tag != run.0 {
            if run.1 > 0 {
                out.push(run.0.0);
                put_uint(out, run.1);
            }
            run = (tag, 0);
        }
        run.1 += 1;
    }
    if run.1 > 0 {
        out.push(run.0.0);
        put_uint(out, run.1);
    }
    for row in rows {
        match row.value {
            Value::Number(x) => put_number(out, *x, row.scale),
            Value::Bool(b) => out.push(u8::from(*b)),
            Value::Choice(c) => put_uint(out, u64::from(*c)),
            Value::Text(text) => put_bytes(out, text.as_bytes()),
        }
    }
    checksum::end(&[], out);
}

/// A number as an integer over a power of ten where that is exact and shorter, else its bits.
fn put_number(out: &mut Vec<u8>, number: f64, scale: Option<Scale>) {
    if let Some(Scale::Decimal(power)) = scale
        && let Some(n) = Scale::Decimal(power).exactly(number)
        && n.unsigned_abs() < 1 << 40
    {
        let zigzag = ((n << 1) ^ (n >> 63)) as u64;
        put_uint(out, zigzag << 4 | u64::from(power));
    } else {
        put_uint(out, AS_BITS);
        out.extend_from_slice(&number.to_bits().to_le_bytes());
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<f64> {
    let code = cursor.uint()?;
    if code == AS_BITS {
        return Ok(f64::from_bits(cursor.u64()?));
    }
    let (power, zigzag) = (code & 15, code >> 4);
    if power > u64::from(Scale::MAX_POWER) {
        return Err(cursor.corrupt("a power of ten is out of range"));
    }
    Ok(Scale::Decimal(power as u8).number((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)))
}

/// Decodes a blob, handing each sample to `take` as (key, time, value, quality). Of a blob that is damaged none is
/// handed over.
pub(crate) fn decode(bytes: &[u8], take: impl FnMut(u32, i64, Value, Quality)) -> Result<()> {
    let (content, checked) = checksum::content(WHAT, &[], bytes)?;
    if !checked {
        decode_content(content, |_, _, _, _| ())?;
    }
    decode_content(content, take)
}

fn decode_content(content: &[u8], mut take: impl FnMut(u32, i64, Value, Quality)) -> Result<()> {
    let mut cursor = Cursor::new(WHAT, content);
    let count = cursor.count(MAX_BLOB_SAMPLES)?;
    let mut keys = Vec::with_capacity(count);
    let mut key = 0_i64;
    for _ in 0..count {
        key = key.wrapping_add(cursor.int()?);
        keys.push(u32::try_from(key).map_err(|_| cursor.corrupt("a point's key is out of range"))?);
    }
    let unit_at = usize::from(cursor.byte()?);
    let unit = *UNITS_US.get(unit_at).ok_or_else(|| cursor.corrupt("a unit of time is unknown"))?;
    let mut times = Vec::with_capacity(count);
    let mut time = 0_i64;
    for _ in 0..count {
        time = time.wrapping_add(cursor.int()?);
        times.push(time.wrapping_mul(unit));
    }
    let tags = decode_tags(&mut cursor, count)?;
    for i in 0..count {
        let tag = Tag(tags[i]);
        let value = match tag.value_type() {
            ValueType::Number => Value::Number(number(&mut cursor)?),
            ValueType::Bool => Value::Bool(cursor.byte()? != 0),
            ValueType::Choice => Value::Choice(cursor.count(usize::from(u16::MAX))? as u16),
            ValueType::Text => {
                let text = std::str::from_utf8(cursor.bytes()?);
                Value::Text(Arc::from(text.map_err(|_| cursor.corrupt("a text is not UTF-8"))?))
            }
        };
        take(keys[i], times[i], value, tag.quality());
    }
    Ok(())
}

/// Reads runs of tags until they cover `count` samples.
pub(crate) fn decode_tags(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u8>> {
    let mut tags = Vec::with_capacity(count);
    while tags.len() < count {
        let byte = cursor.byte()?;
        let tag = Tag::from_byte(byte).ok_or_else(|| cursor.corrupt("a tag is unknown"))?;
        let run = cursor.count(count - tags.len())?;
        if run == 0 {
            return Err(cursor.corrupt("a run of tags is empty"));
        }
        tags.resize(tags.len() + run, tag.0);
    }
    Ok(tags)
}

/// Appends runs of tags, as [`decode_tags`] reads them.
pub(crate) fn encode_tags(tags: &[u8], out: &mut Vec<u8>) {
    for run in tags.chunk_by(|a, b| a == b) {
        out.push(run[0]);
        put_uint(out, run.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<u64>().prop_map(|bits| Value::Number(f64::from_bits(bits))),
            any::<i32>().prop_map(|n| Value::Number(f64::from(n) / 10.0)),
            Just(Value::Number(-0.0)),
            any::<bool>().prop_map(Value::Bool),
            any::<u16>().prop_map(Value::Choice),
            ".{0,20}".prop_map(|text| Value::Text(text.into())),
        ]
    }

    proptest! {
        #[test]
        fn every_sample_comes_back_bit_for_bit(
            samples in prop::collection::vec((any::<u32>(), any::<i64>(), any_value(), 0_u8..4), 0..60),
            unit in prop::sample::select(vec![1, 1_000, 60_000_000]),
            scale in prop::sample::select(vec![None, Some(Scale::Decimal(0)), Some(Scale::Decimal(9)), Some(Scale::Decimal(1)), Some(Scale::Step(0.5))]),
        ) {
            let samples: Vec<_> = samples.into_iter().map(|(k, t, v, q)| (k, t / unit * unit, v, Quality::from_u8(q).unwrap())).collect();
            let mut bytes = Vec::new();
            encode(samples.iter().map(|(k, t, v, q)| Row { key: *k, time: *t, value: v, quality: *q, scale }), &mut bytes);
            let mut back = Vec::new();
            decode(&bytes, |k, t, v, q| back.push((k, t, v, q))).unwrap();
            // Debug texts, because NaN is not equal to itself; the bits of numbers beside them.
            prop_assert_eq!(format!("{back:?}"), format!("{samples:?}"));
            for (a, b) in back.iter().zip(&samples) {
                if let (Value::Number(a), Value::Number(b)) = (&a.2, &b.2) {
                    prop_assert_eq!(a.to_bits(), b.to_bits());
                }
            }
            for cut in 0..bytes.len() {
                prop_assert!(decode(&bytes[..cut], |_, _, _, _| ()).is_err());
            }
        }
    }
}
