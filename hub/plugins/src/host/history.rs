//! What was.

use campanile_model::{PointId, Timestamp};

use super::{Answer, Given, HostState, MOST_ITEMS, invalid, sample_out};
use crate::bindings::history::{Bucket, Host};
use crate::bindings::types::{Denial, Sample};
use crate::grants::Grants;
use crate::pace::Pace;
use crate::turn::{PastBucket, Turn};

/// Readings of the past, of records too.
pub(super) const PACE: Pace = Pace { burst: 10.0, per_s: 10.0 };
/// The least and the greatest width of a stretch, s.
const WIDTH_S: std::ops::RangeInclusive<f64> = 60.0..=31_536_000.0;

impl Host for HostState {
    fn range(&mut self, point: u32, start: i64, end: i64, limit: u32) -> Answer<Vec<Sample>> {
        self.asked("history.range", 0, |turn, grants| range(turn, grants, point, start, end, limit))
    }

    fn buckets(&mut self, point: u32, start: i64, end: i64, width_s: f64) -> Answer<Vec<Bucket>> {
        self.asked("history.buckets", 0, |turn, grants| buckets(turn, grants, point, start, end, width_s))
    }
}

/// The point whose past is asked for.
fn past(turn: &mut Turn, grants: &Grants, handle: u32) -> Given<PointId> {
    if !grants.history {
        return Err(Denial::NotGranted("capability.history".to_owned()));
    }
    let point = grants.point(handle).ok_or(Denial::UnknownPoint)?;
    let now = turn.now();
    turn.memory.paces.history.take(PACE, 1, now).map_err(Denial::TooSoon)?;
    turn.sees(point);
    Ok(point)
}

fn range(
    turn: &mut Turn,
    grants: &Grants,
    handle: u32,
    start: i64,
    end: i64,
    limit: u32,
) -> Given<Vec<Sample>> {
    let point = past(turn, grants, handle)?;
    let limit = (limit as usize).min(MOST_ITEMS);
    // Nothing was measured before there were such clocks.
    let start = start.max(0);
    // What is to come is not told, in a rehearsal of the past either.
    let end = Timestamp(end.min(turn.now().0));
    let read = turn.around.past.range(point, Timestamp(start), end, limit).map_err(Denial::Unavailable)?;
    Ok(read.iter().map(|(time, value, q)| sample_out(handle, *time, value, *q)).collect())
}

fn buckets(
    turn: &mut Turn,
    grants: &Grants,
    handle: u32,
    start: i64,
    end: i64,
    width_s: f64,
) -> Given<Vec<Bucket>> {
    let point = past(turn, grants, handle)?;
    if !WIDTH_S.contains(&width_s) {
        return invalid(format!("stretches of {width_s} s: 60 s to a year may be"));
    }
    let (start, end) = (start.max(0), end.min(turn.now().0));
    let width_us = (width_s * 1e6) as i64;
    if end.saturating_sub(start) / width_us > MOST_ITEMS as i64 {
        return Err(Denial::Quota(MOST_ITEMS as u64));
    }
    let read = turn.around.past.buckets(point, Timestamp(start), Timestamp(end), width_us);
    let out = |b: &PastBucket| Bucket {
        start: b.start.0,
        count: b.count,
        min: b.min,
        mean: b.mean,
        max: b.max,
        sum: b.sum,
    };
    Ok(read.map_err(Denial::Unavailable)?.iter().map(out).collect())
}
