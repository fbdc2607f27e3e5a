//! The store as plugins look back at it.

use std::sync::Arc;

use campanile_model::{PointId, Quality, Timestamp, Value};
use campanile_plugins::{Past, PastBucket};

use crate::live::Live;

/// The kind of record under which the records of a plugin are kept.
pub fn record_kind(plugin: &str, kind: &str) -> String {
    format!("plugin/{plugin}/{kind}")
}

/// The store of the hub.
pub struct StorePast(pub Arc<Live>);

impl Past for StorePast {
    fn range(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>, String> {
        self.0.history.range(point, from, to, limit).map_err(|why| why.to_string())
    }

    fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width_us: i64,
    ) -> Result<Vec<PastBucket>, String> {
        let buckets = self.0.history.buckets(point, from, to, width_us).map_err(|why| why.to_string())?;
        let bucket = |b: campanile_history::Bucket| PastBucket {
            start: b.start,
            count: b.count,
            min: b.min,
            mean: b.mean,
            max: b.max,
            sum: b.sum,
        };
        Ok(buckets.into_iter().map(bucket).collect())
    }

    fn records(&self, plugin: &str, kind: &str, limit: usize) -> Result<Vec<(Timestamp, String)>, String> {
        let kept = self.0.history.log(&record_kind(plugin, kind), None, limit);
        let kept = kept.map_err(|why| why.to_string())?;
        Ok(kept.into_iter().map(|entry| (entry.time, entry.body.to_string())).collect())
    }
}
