//! Plays a CSV file through a publisher: a recorded meter becomes a live one.
//!
//! The time stamps of the file are kept. A missing cell publishes nothing, so that a gap stays a
//! gap. A row that can't be read is counted, the first few are told, and the rest goes on.

use std::io::Read;
use std::time::{Duration, Instant};

use campanile_formats::csv_series::{self, CsvStats, GapPolicy};
use campanile_formats::{CsvConfig, CsvSeriesError, LocalCsv};
use campanile_model::{Campus, PointId, Quality, Sample, Timestamp, Value, ValueType};
use serde::Serialize;

use crate::{GatewayError, Publisher};

/// Row errors that are told in words.
const TOLD_ERRORS: usize = 5;
/// Rows whose times are kept to find the gaps between them (80 MB); beyond, gaps aren't counted.
const MAX_TIMES: usize = 10_000_000;
/// Samples that are published in one step when the speed isn't limited.
const STEP: usize = 1024;

/// How long one that was stopped waits for what is on its way.
const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// How often one that waits looks whether it was stopped.
const LOOK_UP: Duration = Duration::from_millis(100);

/// A column and the point it is played to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedColumn {
    /// The column's name in the header.
    pub column: String,
    /// The point; it needs a binding.
    pub point: PointId,
}

/// How to play a file.
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// How to read the file; its value columns are those of `columns`.
    pub csv: CsvConfig,
    /// What to play.
    pub columns: Vec<FeedColumn>,
    /// Seconds of the file a second; `None`: as fast as the broker acknowledges.
    pub speed: Option<f64>,
    /// How long to wait for a broker that acknowledges nothing.
    pub patience: Duration,
}

impl FeedConfig {
    /// Plays columns as fast as they are acknowledged; local times that never happened are
    /// shifted, as a logger that doesn't know of clock changes writes them.
    pub fn new(time_column: &str, time_zone: &str, columns: Vec<FeedColumn>) -> Self {
        let mut csv = CsvConfig::new(time_column, time_zone);
        csv.gap = GapPolicy::ShiftForward;
        Self { csv, columns, speed: None, patience: Duration::from_secs(30) }
    }
}

/// What has been played.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FeedReport {
    /// Rows read.
    pub rows: u64,
    /// Samples published.
    pub samples: u64,
    /// Of these not acknowledged (QoS 1; metrics of Sparkplug B: not written) when it ended; 0 but where it was stopped.
    pub unacknowledged: u64,
    /// Whether it was stopped before the end of the file.
    pub stopped: bool,
    /// Cells without a value: nothing was published for them.
    pub missing_cells: u64,
    /// Places where rows are missing between two that are there.
    pub time_gaps: u64,
    /// Rows missing in them.
    pub missing_rows: u64,
    /// Rows that could not be read.
    pub row_errors: u64,
    /// The first of them, in words.
    pub first_errors: Vec<String>,
    /// Rows whose local time came twice as clocks were set back.
    pub folded_rows: u64,
    /// Rows whose local time never happened, shifted by the hour.
    pub shifted_rows: u64,
    /// Time of the earliest row.
    pub first_time: Option<Timestamp>,
    /// Time of the latest row.
    pub last_time: Option<Timestamp>,
    /// How long it took, seconds.
    pub took_s: f64,
}

/// Reads a mapping `COLUMN=point/path`.
///
/// # Errors
/// [`GatewayError::Mapping`] for a mapping without `=`, a point that isn't there, isn't a number
/// or has no binding.
pub fn parse_mapping(text: &str, campus: &Campus) -> Result<FeedColumn, GatewayError> {
    let wrong = |why: String| GatewayError::Mapping { text: text.to_owned(), why };
    let (column, path) = text.rsplit_once('=').ok_or_else(|| wrong("there is no '='".to_owned()))?;
    if column.is_empty() {
        return Err(wrong("the column is empty".to_owned()));
    }
    let id = campus.point_id(path).ok_or_else(|| {
        wrong(format!("the campus has no point '{path}'; 'campanile check' lists what is there"))
    })?;
    let point = campus.point(id);
    if point.value_type != ValueType::Number {
        return Err(wrong(format!("'{path}' is a {:?}, and a CSV column has numbers", point.value_type)));
    }
    if point.binding.is_none() {
        return Err(wrong(format!("'{path}' has no topic: add a [[bind]] that matches it")));
    }
    Ok(FeedColumn { column: column.to_owned(), point: id })
}

/// Plays a file to its end and returns when everything is acknowledged. `progress` is called now
/// and then with the report so far; where it answers `false`, playing ends there. Blocks: not to be called from an async
/// task.
///
/// # Errors
/// A file that can't be opened or ends in an I/O error, a point without binding, a broker that
/// acknowledges nothing.
pub fn play(
    source: impl Read,
    mut config: FeedConfig,
    publisher: &Publisher,
    mut progress: impl FnMut(&FeedReport) -> bool,
) -> Result<FeedReport, GatewayError> {
    let started = Instant::now();
    config.csv.value_columns = distinct(&config.columns);
    let mut csv = LocalCsv::open(source, config.csv)?;
    // A column may be played to several points.
    let targets: Vec<Vec<PointId>> = csv
        .columns()
        .iter()
        .map(|name| config.columns.iter().filter(|c| c.column == *name).map(|c| c.point).collect())
        .collect();
    let mut report = FeedReport::default();
    let mut times = Vec::new();
    let mut samples = Vec::with_capacity(STEP);
    let mut pace = config.speed.filter(|s| *s > 0.0 && s.is_finite()).map(Pace::new);
    for row in csv.by_ref() {
        let row = match row {
            Ok(row) => row,
            Err(error @ CsvSeriesError::Io { .. }) => return Err(error.into()),
            Err(error) => {
                report.row_errors += 1;
                if report.first_errors.len() < TOLD_ERRORS {
                    report.first_errors.push(error.to_string());
                }
                continue;
            }
        };
        let time = Timestamp(row.time_us);
        report.rows += 1;
        report.first_time = Some(report.first_time.map_or(time, |t| t.min(time)));
        report.last_time = Some(report.last_time.map_or(time, |t| t.max(time)));
        if times.len() < MAX_TIMES {
            times.push(row.time_us);
        }
        for (value, points) in row.values.iter().zip(&targets) {
            let Some(value) = value else { continue };
            for &point in points {
                samples.push(Sample { point, time, value: Value::Number(*value), quality: Quality::Good });
            }
        }
        if pace.is_some() || samples.len() >= STEP {
            let due = pace.as_mut().is_none_or(|pace| pace.wait_for(time, || progress(&report)));
            if due {
                send(publisher, &mut samples, &mut report)?;
            }
            if !due || !progress(&report) {
                report.stopped = true;
                break;
            }
        }
    }
    if report.stopped {
        match publisher.flush(config.patience.min(STOP_PATIENCE)) {
            Err(GatewayError::NotAcknowledged { left, .. }) => report.unacknowledged = left,
            other => other?,
        }
    } else {
        send(publisher, &mut samples, &mut report)?;
        publisher.flush(config.patience)?;
    }
    let CsvStats { missing_cells, folded, shifted, .. } = csv.stats();
    report.missing_cells = missing_cells;
    report.folded_rows = folded;
    report.shifted_rows = shifted;
    if let Some(step) = usual_step(&times) {
        let gaps = csv_series::gaps(&times, step);
        report.time_gaps = gaps.len() as u64;
        report.missing_rows = gaps.iter().map(|g| g.missing).sum();
    }
    report.took_s = started.elapsed().as_secs_f64();
    let _ = progress(&report);
    Ok(report)
}

fn send(
    publisher: &Publisher,
    samples: &mut Vec<Sample>,
    report: &mut FeedReport,
) -> Result<(), GatewayError> {
    publisher.publish_samples(samples)?;
    report.samples += samples.len() as u64;
    samples.clear();
    Ok(())
}

fn distinct(columns: &[FeedColumn]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        if !names.contains(&column.column) {
            names.push(column.column.clone());
        }
    }
    names
}

/// The most usual positive step between rows: the median, as a file may have any gaps.
fn usual_step(times_us: &[i64]) -> Option<i64> {
    let mut steps: Vec<i64> = times_us.windows(2).map(|w| w[1] - w[0]).filter(|s| *s > 0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied()
}

/// The file's clock against the wall's.
struct Pace {
    speed: f64,
    start: Option<(Instant, Timestamp)>,
}

impl Pace {
    fn new(speed: f64) -> Self {
        Self { speed, start: None }
    }

    /// Waits until a time of the file is due, as long as `go_on`; whether it is.
    fn wait_for(&mut self, time: Timestamp, mut go_on: impl FnMut() -> bool) -> bool {
        let (wall, first) = *self.start.get_or_insert((Instant::now(), time));
        let ahead_s = (time.0 - first.0) as f64 / Timestamp::SECOND as f64 / self.speed;
        let Ok(ahead) = Duration::try_from_secs_f64(ahead_s) else { return true };
        while let Some(left) = ahead.checked_sub(wall.elapsed()) {
            if !go_on() {
                return false;
            }
            std::thread::sleep(left.min(LOOK_UP));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_step_survives_gaps_and_disorder() {
        assert_eq!(usual_step(&[]), None);
        assert_eq!(usual_step(&[0, 60, 120, 600, 660, 650, 710]), Some(60));
    }
}
