//! The raw blob: a batch of samples as it is committed, cheap to write and read again after a crash.

use std::sync::Arc;

use campanile_model::{Quality, Value, ValueType};

use crate::bytes::{Cursor, put_bytes, put_int, put_uint};
use crate::columns::Tag;
use crate::error::Result;

/// The most samples in one blob; larger batches become several, in the same transaction.
pub(crate) const MAX_BLOB_SAMPLES: usize = 65_536;

const VERSION: u8 = 1;

/// Encodes samples given as (key, time, value, quality).
pub(crate) fn encode<'a, I>(samples: I, out: &mut Vec<u8>)
where
    I: ExactSizeIterator<Item = (u32, i64, &'a Value, Quality)> + Clone,
{
    out.clear();
    out.push(VERSION);
    put_uint(out, samples.len() as u64);
    let mut before = 0;
    for (key, ..) in samples.clone() {
        put_int(out, i64::from(key) - before);
        before = i64::from(key);
    }
    before = 0;
    for (_, time, ..) in samples.clone() {
        put_int(out, time.wrapping_sub(before));
        before = time;
    }
    let mut run = (Tag(0), 0_u64);
    for (_, _, value, quality) in samples.clone() {
        let tag = Tag::new(value.value_type(), quality);
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
    for (_, _, value, _) in samples {
        match value {
            Value::Number(x) => out.extend_from_slice(&x.to_bits().to_le_bytes()),
            Value::Bool(b) => out.push(u8::from(*b)),
            Value::Choice(c) => put_uint(out, u64::from(*c)),
            Value::Text(text) => put_bytes(out, text.as_bytes()),
        }
    }
}

/// Decodes a blob, handing each sample to `take` as (key, time, value, quality).
pub(crate) fn decode(bytes: &[u8], mut take: impl FnMut(u32, i64, Value, Quality)) -> Result<()> {
    let mut cursor = Cursor::new("a raw blob", bytes);
    let version = cursor.byte()?;
    if version != VERSION {
        return Err(cursor.corrupt(format!("version {version} is unknown")));
    }
    let count = cursor.count(MAX_BLOB_SAMPLES)?;
    let mut keys = Vec::with_capacity(count);
    let mut key = 0_i64;
    for _ in 0..count {
        key = key.wrapping_add(cursor.int()?);
        keys.push(u32::try_from(key).map_err(|_| cursor.corrupt("a point's key is out of range"))?);
    }
    let mut times = Vec::with_capacity(count);
    let mut time = 0_i64;
    for _ in 0..count {
        time = time.wrapping_add(cursor.int()?);
        times.push(time);
    }
    let tags = decode_tags(&mut cursor, count)?;
    for i in 0..count {
        let tag = Tag(tags[i]);
        let value = match tag.value_type() {
            ValueType::Number => Value::Number(f64::from_bits(cursor.u64()?)),
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
            any::<bool>().prop_map(Value::Bool),
            any::<u16>().prop_map(Value::Choice),
            ".{0,20}".prop_map(|text| Value::Text(text.into())),
        ]
    }

    proptest! {
        #[test]
        fn every_sample_comes_back_bit_for_bit(samples in prop::collection::vec((any::<u32>(), any::<i64>(), any_value(), 0_u8..4), 0..60)) {
            let samples: Vec<_> = samples.into_iter().map(|(k, t, v, q)| (k, t, v, Quality::from_u8(q).unwrap())).collect();
            let mut bytes = Vec::new();
            encode(samples.iter().map(|(k, t, v, q)| (*k, *t, v, *q)), &mut bytes);
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
