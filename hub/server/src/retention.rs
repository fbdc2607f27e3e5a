//! Retention: months that ended long ago are given up, at the start and once a day.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use campanile_history::{HistoryError, Record};
use campanile_model::Timestamp;
use crossbeam_channel::{RecvTimeoutError, Sender};
use jiff::{ToSpan as _, tz::TimeZone};
use serde_json::json;

use crate::live::{Live, wall_clock};
use crate::seams::Store;

const EVERY: Duration = Duration::from_secs(24 * 3600);

/// The thread that gives months up; dropping it ends it.
pub struct Retention {
    going: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Retention {
    /// Keeps this many months before the current one.
    pub fn start(live: Arc<Live>, months: u16) -> std::io::Result<Self> {
        let (going, stopped) = crossbeam_channel::bounded::<()>(0);
        let thread = std::thread::Builder::new().name("retention".to_owned()).spawn(move || {
            loop {
                match retain(live.history.as_ref(), wall_clock(), months) {
                    Ok(gone) if gone.is_empty() => {}
                    Ok(gone) => tracing::info!(months = gone.join(", "), "retention has given up old months"),
                    Err(why) => tracing::error!(%why, "old months could not be given up; tomorrow again"),
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { going: Some(going), thread: Some(thread) })
    }
}

impl Drop for Retention {
    fn drop(&mut self) {
        self.going = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of retention had panicked");
        }
    }
}

/// Gives up what ended more than `months` months before the current one; the months whose files are gone.
fn retain(history: &dyn Store, now: Timestamp, months: u16) -> Result<Vec<String>, HistoryError> {
    // A machine that wakes up in a wrong year must not give up what is there: no later than the newest that was measured.
    let Some(newest) = history.last_all().iter().map(|(_, reading)| reading.time).max() else {
        return Ok(Vec::new());
    };
    let Some(keep_from) = keep_from(now.min(newest), months) else { return Ok(Vec::new()) };
    history.retain_from(keep_from, &|gone| {
        let reason = format!("retention of {months} months");
        let body = json!({"act": "retain", "actor": "system", "from": "", "reason": reason, "months": gone});
        Record::audit(now, body)
    })
}

/// The beginning of the month (UTC, as the files of the store) that lies so many before that of `now`.
fn keep_from(now: Timestamp, months: u16) -> Option<Timestamp> {
    let today = jiff::Timestamp::from_microsecond(now.0).ok()?.to_zoned_datetime(TimeZone::UTC).date();
    let first = today.first_of_month().checked_sub(i64::from(months).months()).ok()?;
    Some(Timestamp(first.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use campanile_history::{AUDIT, Accumulation, History, PointSpec};
    use campanile_model::{Path, PointId, Quality, Sample, Value, ValueType};

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn whole_months_are_kept_and_the_current_one_always() {
        for (now, months, from) in [
            ("2026-11-24T08:00:00Z", 1, "2026-10-01T00:00:00Z"),
            ("2026-11-01T00:00:00Z", 1, "2026-10-01T00:00:00Z"),
            ("2026-10-31T23:59:59Z", 1, "2026-09-01T00:00:00Z"),
            ("2026-01-31T12:00:00Z", 24, "2024-01-01T00:00:00Z"),
            ("2028-02-29T12:00:00Z", 12, "2027-02-01T00:00:00Z"),
        ] {
            assert_eq!(keep_from(at(now), months), Some(at(from)), "{now} {months}");
        }
        assert_eq!(keep_from(Timestamp(i64::MAX), 1), None);
    }

    #[test]
    fn old_months_go_with_a_record_and_a_wrong_clock_takes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let point = PointSpec {
            id: PointId(0),
            path: Path::new("hall/temperature").unwrap(),
            resolution: None,
            accumulation: Accumulation::Gauge,
            value_type: ValueType::Number,
        };
        let history = History::open(dir.path(), &[point]).unwrap();
        assert_eq!(retain(&history, at("2026-11-24T08:00:00Z"), 1).unwrap(), Vec::<String>::new(), "empty");
        let sample = |time: &str| Sample {
            point: PointId(0),
            time: at(time),
            value: Value::Number(1.0),
            quality: Quality::Good,
        };
        let samples =
            ["2026-07-31T23:59:59Z", "2026-08-05T00:00:00Z", "2026-09-30T00:00:00Z", "2026-11-03T00:00:00Z"];
        history.writer().commit(&samples.map(sample), &[]).unwrap();
        history.seal().unwrap();
        let files = || {
            let all = std::fs::read_dir(dir.path()).unwrap();
            let names = all.map(|e| e.unwrap().file_name().into_string().unwrap());
            let mut months: Vec<String> =
                names.filter(|n| n.starts_with("2026") && n.ends_with(".db")).collect();
            months.sort();
            months
        };
        // The clock says 2099: what is kept counts from the newest sample.
        let now = at("2099-01-01T00:00:00Z");
        assert_eq!(retain(&history, now, 2).unwrap(), ["2026-07", "2026-08"]);
        assert_eq!(files(), ["2026-09.db", "2026-11.db"]);
        let entries = history.log(AUDIT, None, 9).unwrap();
        assert_eq!(entries.len(), 1);
        let body = &entries[0].body;
        assert_eq!((&body["act"], &body["months"]), (&json!("retain"), &json!(["2026-07", "2026-08"])));
        // Again, and with a clock that says 1970: nothing more.
        for now in [now, at("1970-01-02T00:00:00Z")] {
            assert_eq!(retain(&history, now, 2).unwrap(), Vec::<String>::new());
        }
        assert_eq!(retain(&history, at("2026-11-24T08:00:00Z"), 1).unwrap(), ["2026-09"]);
        assert_eq!(history.log(AUDIT, None, 9).unwrap().len(), 2);
        assert_eq!(files(), ["2026-11.db"]);
    }
}
