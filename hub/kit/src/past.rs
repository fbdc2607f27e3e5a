//! What was, in the world of a scenario: what is laid down before the start, and all that was measured since.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use campanile_model::{PointId, Quality, Timestamp, Value};
use campanile_plugins::{Past, PastBucket};

use crate::scenario::Measured;

/// One point's values, oldest first.
type Series = Vec<(Timestamp, Value, Quality)>;

/// The past of a world in memory.
#[derive(Debug, Default)]
pub struct Kept {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    points: BTreeMap<PointId, Series>,
    /// By kind, oldest first.
    records: BTreeMap<String, Vec<(Timestamp, String)>>,
}

impl Kept {
    /// A past that begins with what was before.
    pub fn new(before: &[Measured]) -> Self {
        let kept = Self::default();
        for one in before {
            kept.keep(one.point, one.time, &one.value, one.quality);
        }
        kept
    }

    /// Keeps a value, in order of time; one that is not newer than the last is passed over.
    pub fn keep(&self, point: PointId, time: Timestamp, value: &Value, quality: Quality) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let series = inner.points.entry(point).or_default();
        if series.last().is_none_or(|(last, ..)| *last < time) {
            series.push((time, value.clone(), quality));
        }
    }

    /// Keeps a record of the plugin.
    pub fn keep_record(&self, kind: &str, time: Timestamp, body: &str) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.records.entry(kind.to_owned()).or_default().push((time, body.to_owned()));
    }

    fn stretch<T>(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        read: impl FnOnce(&[(Timestamp, Value, Quality)]) -> T,
    ) -> T {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let series = inner.points.get(&point).map_or(&[][..], Vec::as_slice);
        let first = series.partition_point(|(time, ..)| *time < from);
        let after = series.partition_point(|(time, ..)| *time < to).max(first);
        read(&series[first..after])
    }
}

impl Past for Kept {
    fn range(&self, point: PointId, from: Timestamp, to: Timestamp, limit: usize) -> Result<Series, String> {
        Ok(self.stretch(point, from, to, |found| found.iter().take(limit).cloned().collect()))
    }

    fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width_us: i64,
    ) -> Result<Vec<PastBucket>, String> {
        Ok(self.stretch(point, from, to, |found| {
            let mut all: Vec<PastBucket> = Vec::new();
            let usable = found.iter().filter(|(.., quality)| *quality <= Quality::Uncertain);
            for (time, x) in usable.filter_map(|(time, value, _)| Some((*time, value.as_f64()?))) {
                let start = Timestamp(from.0 + (time.0 - from.0).div_euclid(width_us) * width_us);
                match all.last_mut().filter(|bucket| bucket.start == start) {
                    Some(bucket) => {
                        bucket.count += 1;
                        bucket.min = bucket.min.min(x);
                        bucket.max = bucket.max.max(x);
                        bucket.sum += x;
                        bucket.mean = bucket.sum / bucket.count as f64;
                    }
                    None => all.push(PastBucket { start, count: 1, min: x, mean: x, max: x, sum: x }),
                }
            }
            all
        }))
    }

    fn records(&self, _: &str, kind: &str, limit: usize) -> Result<Vec<(Timestamp, String)>, String> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let all = inner.records.get(kind).map_or(&[][..], Vec::as_slice);
        Ok(all.iter().rev().take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    #[test]
    fn what_was_is_given_as_a_hub_gives_it() {
        let kept = Kept::default();
        let point = PointId(7);
        for (s, x, quality) in [
            (0, 1.0, Quality::Good),
            (60, 3.0, Quality::Uncertain),
            (60, 9.0, Quality::Good),
            (90, 100.0, Quality::Bad),
            (120, 5.0, Quality::Good),
        ] {
            kept.keep(point, at(s), &Value::Number(x), quality);
        }
        let read = kept.range(point, at(60), at(120), 10).unwrap();
        assert_eq!(read.iter().map(|r| r.0).collect::<Vec<_>>(), [at(60), at(90)]);
        assert_eq!(kept.range(point, at(0), at(999), 1).unwrap().len(), 1);
        let buckets = kept.buckets(point, at(0), at(180), 120 * Timestamp::SECOND).unwrap();
        let expected = [
            PastBucket { start: at(0), count: 2, min: 1.0, mean: 2.0, max: 3.0, sum: 4.0 },
            PastBucket { start: at(120), count: 1, min: 5.0, mean: 5.0, max: 5.0, sum: 5.0 },
        ];
        assert_eq!(buckets, expected);
        for n in 0..3 {
            kept.keep_record("day", at(n), &n.to_string());
        }
        let newest: Vec<String> = kept.records("p", "day", 2).unwrap().into_iter().map(|r| r.1).collect();
        assert_eq!(newest, ["2", "1"]);
    }
}
