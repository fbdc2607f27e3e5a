//! Measures the store on the machine at hand, beside plain SQLite rows in the same run.
//!
//! Two thousand points replay real columns (or, without the data, made-up ones, and then the figures' names say so):
//! one-minute CO₂, temperature, humidity and light of a room, and hourly kWh of a school and a dormitory. Each point
//! begins somewhere else in its column and at another second, so that no two chunks are alike; the stamps are those
//! of the recordings, with their jitter and gaps. Values are rounded to what such sensors deliver.

use std::path::Path;
use std::time::Instant;

use campanile_model::{PointId, Quality, Sample, Timestamp, Value, ValueType};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::bench_columns::{Column, columns};
use crate::civil::HOUR_US;
use crate::error::{IoContext, Result, SqliteContext};
use crate::point::{Accumulation, PointSpec};
use crate::store::History;

/// One measured figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// In which unit.
    pub unit: String,
    /// What it should be: at least for rates, at most for times and sizes.
    pub goal: Option<f64>,
    /// On what it was measured.
    pub reference: String,
}

const POINTS: usize = 2000;
const BATCH: usize = 10_000;
/// Rounds of one sample a point: 5.7 days of minutes and 341 days of hours.
const ROUNDS: usize = 8192;
const ROUNDS_AS_PUBLISHED: usize = 2048;
const ROUNDS_OF_ROWS: usize = 500;
const YEAR_MINUTES: usize = 525_600;
/// 2026-01-01T00:00:00Z.
const START_US: i64 = 1_767_225_600_000_000;
const REPEATS: usize = 15;

/// Runs all measurements in `dir`, in folders of its own that are removed at the end; takes some 20 seconds in
/// release mode and 150 MB of disk. `data_dir` is the folder with `energy/iaq` and `energy/bdg1`.
///
/// # Errors
/// If the disk does not hold it, or a data file is there and cannot be read.
pub fn run(dir: &Path, data_dir: Option<&Path>) -> Result<Vec<Figure>> {
    let (rounded, real) = columns(data_dir, true)?;
    let (published, _) = columns(data_dir, false)?;
    let suffix = if real { "" } else { "_synthetic" };
    let what = if real {
        "2,000 points replaying real columns (UCI room air by the minute, BDG1 kWh by the hour) from offset phases"
    } else {
        "2,000 points with made-up columns of a room's air by the minute and kWh by the hour (real data not found)"
    };
    let at_resolution = format!("{what}, at sensor resolution: 0.1 °C, 0.1 %RH, 1 lx, 1 ppm, 0.01 kWh");
    let mut figures = Vec::new();
    let mut add = |name: &str, value: f64, unit: &str, goal: Option<f64>, reference: &str| {
        let name = format!("{name}{suffix}");
        figures.push(Figure { name, value, unit: unit.to_owned(), goal, reference: reference.to_owned() });
    };

    let stored = with_folder(dir, "chunks", |dir| ingest(dir, &rounded, ROUNDS))?;
    add(
        "durable_samples_per_s",
        stored.durable_per_s,
        "samples/s",
        Some(4e6),
        &format!("{at_resolution}; batches of 10,000, each synced, sealing beside it"),
    );
    add(
        "sealed_samples_per_s",
        stored.sealed_per_s,
        "samples/s",
        None,
        "the same, until all are compressed in month files",
    );
    add(
        "bytes_per_sample",
        stored.bytes_per_sample,
        "bytes",
        Some(1.5),
        &format!("{at_resolution}; all files, unused pages and roll-ups included"),
    );
    let as_published = with_folder(dir, "published", |dir| ingest(dir, &published, ROUNDS_AS_PUBLISHED))?;
    add(
        "bytes_per_sample_as_published",
        as_published.bytes_per_sample,
        "bytes",
        None,
        &format!("{what}, values unrounded as the data sets have them"),
    );
    let rows = with_folder(dir, "rows", |dir| ingest_rows(dir, &rounded))?;
    add(
        "rows_durable_samples_per_s",
        rows.durable_per_s,
        "samples/s",
        None,
        "the same samples as plain SQLite rows keyed by point and time, batches of 10,000, each synced",
    );
    add("rows_bytes_per_sample", rows.bytes_per_sample, "bytes", None, "the same");

    let year = "a year of one-minute temperatures, warm, median of 15";
    let queries = with_folder(dir, "year", |dir| query_year(dir, &rounded[0]))?;
    add(
        "query_year_hourly_ms",
        queries.hourly_ms,
        "ms",
        Some(1.0),
        &format!("{year}; count, min, mean, max, sum of each hour from roll-ups"),
    );
    add(
        "query_year_raw_ms",
        queries.raw_ms,
        "ms",
        Some(10.0),
        &format!("{year}; every time, value and quality as columns"),
    );
    add(
        "query_year_range_ms",
        queries.range_ms,
        "ms",
        None,
        &format!("{year}; every sample as a list of values of any type"),
    );
    let plain = with_folder(dir, "year-rows", |dir| query_year_rows(dir, &rounded[0]))?;
    add(
        "rows_query_year_hourly_ms",
        plain.hourly_ms,
        "ms",
        None,
        "the same from plain SQLite rows with GROUP BY",
    );
    add("rows_query_year_raw_ms", plain.raw_ms, "ms", None, "the same from plain SQLite rows");
    Ok(figures)
}

/// Runs a measurement in a fresh folder and removes it.
fn with_folder<T>(dir: &Path, name: &str, measure: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let folder = dir.join(format!("campanile-bench-history-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).at("making", &folder)?;
    let outcome = measure(&folder);
    std::fs::remove_dir_all(&folder).at("removing", &folder)?;
    outcome
}

struct Stored {
    durable_per_s: f64,
    sealed_per_s: f64,
    bytes_per_sample: f64,
}

struct YearMs {
    hourly_ms: f64,
    raw_ms: f64,
    range_ms: f64,
}

/// Plays columns as the samples of many points, a round at a time.
struct Replay<'a> {
    columns: &'a [Column],
    /// Place in its column and time of each point.
    heads: Vec<(usize, i64)>,
    next: usize,
}

impl<'a> Replay<'a> {
    fn new(columns: &'a [Column], points: usize) -> Self {
        let head = |point: usize| {
            let len = columns[point % columns.len()].values.len();
            (point * 7919 % len, START_US + (point * 37 % 60) as i64 * Timestamp::SECOND)
        };
        Self { columns, heads: (0..points).map(head).collect(), next: 0 }
    }

    fn fill(&mut self, count: usize, batch: &mut Vec<Sample>) {
        batch.clear();
        for _ in 0..count {
            let column = &self.columns[self.next % self.columns.len()];
            let (at, time) = &mut self.heads[self.next];
            *time += column.steps_us[*at];
            batch.push(Sample {
                point: PointId(self.next as u32),
                time: Timestamp(*time),
                value: Value::Number(column.values[*at]),
                quality: Quality::Good,
            });
            *at = if *at + 1 == column.values.len() { 0 } else { *at + 1 };
            self.next = if self.next + 1 == self.heads.len() { 0 } else { self.next + 1 };
        }
    }
}

fn specs(columns: &[Column], points: usize) -> Result<Vec<PointSpec>> {
    let spec = |i: usize| {
        let path = campanile_model::Path::new(format!("bench/point-{i}"));
        let path = path.map_err(|error| crate::HistoryError::Points(error.to_string()))?;
        Ok(PointSpec {
            id: PointId(i as u32),
            path,
            resolution: columns[i % columns.len()].resolution,
            accumulation: Accumulation::Gauge,
            value_type: ValueType::Number,
        })
    };
    (0..points).map(spec).collect()
}

fn ingest(dir: &Path, columns: &[Column], rounds: usize) -> Result<Stored> {
    let history = History::open(dir, &specs(columns, POINTS)?)?;
    let mut writer = history.writer();
    let mut replay = Replay::new(columns, POINTS);
    let mut batch = Vec::with_capacity(BATCH);
    let total = rounds * POINTS;
    let started = Instant::now();
    let mut stored = 0;
    while stored < total {
        replay.fill(BATCH.min(total - stored), &mut batch);
        stored += writer.commit(&batch, &[])?.stored;
    }
    let durable_s = started.elapsed().as_secs_f64();
    history.seal()?;
    let sealed_s = started.elapsed().as_secs_f64();
    drop(writer);
    drop(history);
    Ok(Stored {
        durable_per_s: total as f64 / durable_s,
        sealed_per_s: total as f64 / sealed_s,
        bytes_per_sample: folder_bytes(dir)? as f64 / total as f64,
    })
}

fn folder_bytes(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).at("listing", dir)? {
        bytes += entry.and_then(|e| e.metadata()).at("listing", dir)?.len();
    }
    Ok(bytes)
}

fn query_year(dir: &Path, column: &Column) -> Result<YearMs> {
    let column = std::slice::from_ref(column);
    let history = History::open(dir, &specs(column, 1)?)?;
    let mut replay = Replay::new(column, 1);
    let mut batch = Vec::new();
    replay.fill(YEAR_MINUTES, &mut batch);
    let (from, to) = year_of(&batch);
    history.writer().commit(&batch, &[])?;
    history.seal()?;
    let point = PointId(0);
    Ok(YearMs {
        hourly_ms: median_ms(|| Ok(history.buckets(point, from, to, HOUR_US)?.len()))?,
        raw_ms: median_ms(|| Ok(history.series(point, from, to, usize::MAX)?.times_us.len()))?,
        range_ms: median_ms(|| Ok(history.range(point, from, to, usize::MAX)?.len()))?,
    })
}

/// Whole hours that hold the batch.
fn year_of(batch: &[Sample]) -> (Timestamp, Timestamp) {
    let last = batch.last().map_or(START_US, |s| s.time.0);
    (Timestamp(START_US), Timestamp((last / HOUR_US + 1) * HOUR_US))
}

fn median_ms(mut query: impl FnMut() -> Result<usize>) -> Result<f64> {
    let mut times_ms = Vec::with_capacity(REPEATS);
    for _ in 0..=REPEATS {
        let started = Instant::now();
        std::hint::black_box(query()?);
        times_ms.push(started.elapsed().as_secs_f64() * 1e3);
    }
    // The first warms up.
    times_ms.remove(0);
    times_ms.sort_by(f64::total_cmp);
    Ok(times_ms[REPEATS / 2])
}

fn open_rows(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).at("opening", path)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE sample (point INTEGER NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL,
             quality INTEGER NOT NULL, PRIMARY KEY (point, time)) WITHOUT ROWID;",
        )
        .at("opening", path)?;
    Ok(connection)
}

fn insert_rows(connection: &mut Connection, batch: &[Sample]) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    {
        let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO sample VALUES (?1, ?2, ?3, ?4)")?;
        for s in batch {
            insert.execute(params![s.point.0, s.time.0, s.value.as_f64(), s.quality as u8])?;
        }
    }
    tx.commit()
}

fn ingest_rows(dir: &Path, columns: &[Column]) -> Result<Stored> {
    let path = dir.join("rows.db");
    let mut connection = open_rows(&path)?;
    let mut replay = Replay::new(columns, POINTS);
    let mut batch = Vec::with_capacity(BATCH);
    let total = ROUNDS_OF_ROWS * POINTS;
    let started = Instant::now();
    for _ in 0..total / BATCH {
        replay.fill(BATCH, &mut batch);
        insert_rows(&mut connection, &batch).at("inserting", &path)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    drop(connection);
    let per_s = total as f64 / seconds;
    Ok(Stored {
        durable_per_s: per_s,
        sealed_per_s: per_s,
        bytes_per_sample: folder_bytes(dir)? as f64 / total as f64,
    })
}

fn query_year_rows(dir: &Path, column: &Column) -> Result<YearMs> {
    let path = dir.join("rows.db");
    let mut connection = open_rows(&path)?;
    let mut replay = Replay::new(std::slice::from_ref(column), 1);
    let mut batch = Vec::new();
    replay.fill(YEAR_MINUTES, &mut batch);
    let (from, to) = year_of(&batch);
    insert_rows(&mut connection, &batch).at("inserting", &path)?;
    let hourly = "SELECT time / 3600000000 AS hour, count(*), min(value), avg(value), max(value), sum(value)
        FROM sample WHERE point = 0 AND time >= ?1 AND time < ?2 GROUP BY hour";
    let raw = "SELECT time, value, quality FROM sample WHERE point = 0 AND time >= ?1 AND time < ?2";
    let bounds = params![from.0, to.0];
    let try_hourly = || -> rusqlite::Result<usize> {
        let mut statement = connection.prepare_cached(hourly)?;
        let rows = statement.query_map(bounds, |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                [row.get::<_, f64>(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.len())
    };
    let try_raw = || -> rusqlite::Result<usize> {
        let mut statement = connection.prepare_cached(raw)?;
        let rows = statement.query_map(bounds, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?, row.get::<_, u8>(2)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.len())
    };
    let raw_ms = median_ms(|| try_raw().at("querying", &path))?;
    Ok(YearMs { hourly_ms: median_ms(|| try_hourly().at("querying", &path))?, raw_ms, range_ms: raw_ms })
}
