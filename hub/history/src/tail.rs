//! The tail: samples that are durable in raw blobs and not yet in month files, in memory for queries.

use std::collections::BTreeMap;

use campanile_model::{Quality, Value};

use crate::civil::Month;
use crate::columns::Columns;

/// Samples by month and by the point's key, each in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) months: BTreeMap<Month, Vec<Columns>>,
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
            points.resize_with(key as usize + 1, Columns::default);
        }
        points[key as usize].push(time, value, quality);
        self.samples += 1;
    }

    /// Appends what waits for a point in a month to `out`.
    pub(crate) fn collect(&self, month: Month, key: u32, out: &mut Columns) {
        if let Some(columns) = self.months.get(&month).and_then(|points| points.get(key as usize)) {
            out.append(columns);
        }
    }

    /// Drops a month that is sealed now.
    pub(crate) fn drop_month(&mut self, month: Month) {
        if let Some(points) = self.months.remove(&month) {
            self.samples -= points.iter().map(|c| c.len() as u64).sum::<u64>();
        }
    }
}

/// The two generations of the tail: the one being sealed, and the one that commits go to.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    pub(crate) sealing: Option<std::sync::Arc<Tail>>,
    pub(crate) active: Tail,
}
