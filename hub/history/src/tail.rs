//! The tail: samples that are durable in raw blobs and not yet in month files, in memory for queries.

use std::collections::BTreeMap;

use std::sync::Arc;

use campanile_model::{Quality, Value};

use crate::civil::Month;
use crate::columns::{Columns, Tag};

/// One arrival. Time, value and tag lie together because commits scatter samples over thousands of points, and each
/// place touched is a cache miss.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    time: i64,
    bits: u64,
    tag: u8,
}

/// Samples of one point in order of arrival; `bits` as in [`Columns`].
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    arrivals: Vec<Arrival>,
    texts: Vec<Arc<str>>,
}

impl Arrivals {
    pub(crate) fn len(&self) -> usize {
        self.arrivals.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    fn push(&mut self, time: i64, value: &Value, quality: Quality) {
        let bits = match value {
            Value::Number(x) => x.to_bits(),
            Value::Bool(b) => u64::from(*b),
            Value::Choice(c) => u64::from(*c),
            Value::Text(text) => {
                self.texts.push(text.clone());
                self.texts.len() as u64 - 1
            }
        };
        self.arrivals.push(Arrival { time, bits, tag: Tag::new(value.value_type(), quality).0 });
    }

    /// In order of arrival still.
    pub(crate) fn columns(&self) -> Columns {
        Columns {
            times: self.arrivals.iter().map(|a| a.time).collect(),
            bits: self.arrivals.iter().map(|a| a.bits).collect(),
            tags: self.arrivals.iter().map(|a| a.tag).collect(),
            texts: self.texts.clone(),
        }
    }
}

/// Samples by month and by the point's key, each in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) months: BTreeMap<Month, Vec<Arrivals>>,
    pub(crate) samples: u64,
    /// Blobs that the samples came from.
    pub(crate) blobs: u64,
    /// The last of them.
    pub(crate) through_blob: i64,
}

impl Tail {
    pub(crate) fn push(&mut self, month: Month, key: u32, time: i64, value: &Value, quality: Quality) {
        let points = self.months.entry(month).or_default();
        if points.len() <= key as usize {
            points.resize_with(key as usize + 1, Arrivals::default);
        }
        points[key as usize].push(time, value, quality);
        self.samples += 1;
    }

    /// Appends what waits for a point in a month to `out`.
    pub(crate) fn collect(&self, month: Month, key: u32, out: &mut Columns) {
        if let Some(arrivals) = self.months.get(&month).and_then(|points| points.get(key as usize)) {
            out.append(&arrivals.columns());
        }
    }

    /// Drops the months before `first`.
    pub(crate) fn drop_before(&mut self, first: Month) {
        let keep = self.months.split_off(&first);
        let gone = std::mem::replace(&mut self.months, keep);
        self.samples -= gone.values().flatten().map(|arrivals| arrivals.len() as u64).sum::<u64>();
    }
}

/// The two generations of the tail: the one being sealed, and the one that commits go to.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    pub(crate) sealing: Option<std::sync::Arc<Tail>>,
    pub(crate) active: Tail,
}
