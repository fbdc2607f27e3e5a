//! The store itself: what its threads share, opening, and its calls.
//!
//! Locks are taken in this order: `main`, `layout`, `tails`, `last`. Queries hold `layout` to read, so that a month's
//! commit and the removal of its samples from the tail look like one step to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use campanile_model::{PointId, Quality, Timestamp, Value};
use rusqlite::Connection;

use crate::blob;
use crate::chunk::Scale;
use crate::civil::{EARLIEST_US, LATEST_US, Month};
use crate::error::{HistoryError, IoContext, Result, SqliteContext};
use crate::folder;
use crate::main_file::{self, MainFile};
use crate::month::{GONE, MonthFile};
use crate::point::{Accumulation, Bucket, EnergyBucket, Options, PointSpec, Reading, Series};
use crate::quarantine::{self, Damage};
use crate::query::{Meter, Reader};
use crate::record::{self, LogEntry, Record, StoredRecord};
use crate::seal;
use crate::stats::Stats;
use crate::tail::Tails;
use crate::writer::Writer;

/// Which month files there are.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) months: BTreeSet<Month>,
    /// Grows when a file is set aside: readers that have files open close them.
    pub(crate) generation: u64,
}

/// What the writer, the sealer and the readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    /// The key of each point, by its number.
    keys: Vec<Option<u32>>,
    specs: Vec<Option<PointSpec>>,
    /// The sensor's step of each point, by key; keys of points that have left the campus have none.
    pub(crate) resolutions: Vec<Option<f64>>,
    /// How numbers of each point are written as integers, by key.
    pub(crate) scales: Vec<Option<Scale>>,
    main: Mutex<MainFile>,
    layout: RwLock<Layout>,
    tails: Mutex<Tails>,
    last: RwLock<Vec<Option<Reading>>>,
    /// The first month that retention keeps.
    first_month: RwLock<Month>,
    pub(crate) stats: Arc<Stats>,
    /// Held while sealing; one at a time.
    pub(crate) sealer: Mutex<()>,
    /// Says that the tail is long enough to seal, that it was sealed, or that the store closes.
    pub(crate) bell: (Mutex<Bell>, Condvar),
    pub(crate) sealing_fails: AtomicBool,
    /// What is missing of the store.
    damage: Mutex<Vec<Damage>>,
    /// Held as long as the store is open.
    _lock: File,
}

/// What the sealer's thread is told.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    pub(crate) wanted: bool,
    pub(crate) closing: bool,
}

/// A thread that panicked left nothing half done that SQLite would not roll back, so poison is no reason to stop.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn main(&self) -> MutexGuard<'_, MainFile> {
        lock(&self.main)
    }

    pub(crate) fn layout(&self) -> RwLockReadGuard<'_, Layout> {
        self.layout.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn layout_mut(&self) -> RwLockWriteGuard<'_, Layout> {
        self.layout.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tails(&self) -> MutexGuard<'_, Tails> {
        lock(&self.tails)
    }

    pub(crate) fn last(&self) -> RwLockReadGuard<'_, Vec<Option<Reading>>> {
        self.last.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn last_mut(&self) -> RwLockWriteGuard<'_, Vec<Option<Reading>>> {
        self.last.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn first_month(&self) -> Month {
        *self.first_month.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a point that the store was opened with.
    pub(crate) fn key(&self, point: PointId) -> Option<u32> {
        self.keys.get(point.index()).copied().flatten()
    }

    fn spec(&self, point: PointId) -> Result<(&PointSpec, u32)> {
        let spec = self.specs.get(point.index()).and_then(Option::as_ref);
        spec.zip(self.key(point)).ok_or(HistoryError::UnknownPoint(point))
    }

    /// Says and remembers what is missing, once.
    pub(crate) fn damaged(&self, damage: Damage) {
        let mut known = lock(&self.damage);
        if !known.contains(&damage) {
            tracing::error!(
                file = damage.file,
                why = damage.why,
                "the history is damaged; the rest is served"
            );
            self.stats.damage.add(1);
            known.push(damage);
        }
    }

    pub(crate) fn ring(&self, change: impl FnOnce(&mut Bell)) {
        change(&mut lock(&self.bell.0));
        self.bell.1.notify_all();
    }

    /// The earliest and first too late time that the store takes now.
    pub(crate) fn span_us(&self) -> (i64, i64) {
        (self.first_month().start_us().max(EARLIEST_US), LATEST_US)
    }
}

/// The history of a campus: one SQLite store in a folder of its own, open in one process at a time.
///
/// It may be shared among threads. Queries run beside commits and see every sample whose commit has returned.
/// A sample replaces an earlier arrival of the same point and time; back-dated samples are welcome.
#[derive(Debug)]
pub struct History {
    shared: Arc<Shared>,
    readers: Mutex<Vec<Reader>>,
    records: Mutex<Connection>,
    thread: Option<JoinHandle<()>>,
}

/// The most idle readers kept; each has some month files open.
const MAX_IDLE_READERS: usize = 8;

impl History {
    /// Opens the store in `dir`, making it if need be, for the points of a campus. Points that have left the campus
    /// keep their history, and have it again when they return under the same path.
    ///
    /// # Errors
    /// If the folder is in use, cannot be written to, or holds a newer or damaged store.
    pub fn open(dir: &Path, points: &[PointSpec]) -> Result<Self> {
        Self::open_with(dir, points, Options::for_points(points.len()))
    }

    /// Opens the store with options; see [`Self::open`].
    pub fn open_with(dir: &Path, points: &[PointSpec], options: Options) -> Result<Self> {
        folder::make(dir)?;
        let lock = lock_folder(dir)?;
        let mut main = MainFile::open(dir)?;
        let by_path = main.intern(points)?;
        let size = points.iter().map(|p| p.id.index() + 1).max().unwrap_or(0);
        if size > points.len().saturating_mul(4) + 1024 {
            return Err(HistoryError::Points("the numbers of points are not dense".to_owned()));
        }
        let key_count = by_path.values().map(|&k| k as usize + 1).max().unwrap_or(0);
        let mut keys = vec![None; size];
        let mut specs = vec![None; size];
        let mut resolutions = vec![None; key_count];
        let mut paths = BTreeSet::new();
        for point in points {
            if !paths.insert(&point.path) || specs[point.id.index()].is_some() {
                return Err(HistoryError::Points(format!(
                    "{} occurs twice, by path or by number",
                    point.path
                )));
            }
            let key = by_path.get(point.path.as_str()).copied();
            keys[point.id.index()] = key;
            specs[point.id.index()] = Some(point.clone());
            if let Some(key) = key {
                resolutions[key as usize] = point.resolution;
            }
        }
        let first_month = Month::from_number(main.first_month()?);
        let (sealed, kept_aside) = find_months(dir, first_month, &main)?;
        main.number_blobs_after(sealed.values().copied().max().unwrap_or(0))?;
        let mut last = vec![None; key_count];
        let mut tails = Tails::default();
        for (id, bytes, why) in recover(&main, &sealed, first_month, &mut last, &mut tails)? {
            quarantine::set_aside_blob(dir, &bytes, &why)?;
            main.remove_blob(id)?;
        }
        let damage = quarantine::noted(dir)?.into_iter().chain(kept_aside).collect();
        let months = sealed.into_keys().collect();

        let stats = Arc::new(Stats::default());
        stats.unsealed_samples.set(tails.active.samples);
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            options,
            keys,
            specs,
            scales: resolutions.iter().map(|r| r.and_then(Scale::of_resolution)).collect(),
            resolutions,
            main: Mutex::new(main),
            layout: RwLock::new(Layout { months, generation: 0 }),
            tails: Mutex::new(tails),
            last: RwLock::new(last),
            first_month: RwLock::new(first_month),
            stats,
            sealer: Mutex::new(()),
            bell: (Mutex::new(Bell::default()), Condvar::new()),
            sealing_fails: AtomicBool::new(false),
            damage: Mutex::new(damage),
            _lock: lock,
        });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("history-seal".to_owned())
            .spawn(move || seal::run(&of_thread))
            .at("starting a thread for", dir)?;
        let records = Mutex::new(main_file::open_to_read(dir)?);
        Ok(Self { shared, readers: Mutex::default(), records, thread: Some(thread) })
    }

    /// A writer. Commits of several writers take turns; the hub has one, behind a [`crate::CommitQueue`].
    pub fn writer(&self) -> Writer {
        Writer::new(self.shared.clone())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// What is missing of the store because files were damaged, with how to mend it.
    pub fn damage(&self) -> Vec<Damage> {
        lock(&self.shared.damage).clone()
    }

    /// Counters for metrics.
    pub fn stats(&self) -> Arc<Stats> {
        self.shared.stats.clone()
    }

    /// The reading of a point with the latest time, if it has one.
    pub fn last(&self, point: PointId) -> Result<Option<Reading>> {
        let (_, key) = self.shared.spec(point)?;
        Ok(self.shared.last().get(key as usize).cloned().flatten())
    }

    /// The latest reading of every point that has one, in the order of the points.
    pub fn last_all(&self) -> Vec<(PointId, Reading)> {
        let last = self.shared.last();
        let specs = self.shared.specs.iter().flatten();
        specs
            .filter_map(|spec| {
                let key = self.shared.key(spec.id)?;
                Some((spec.id, last.get(key as usize)?.clone()?))
            })
            .collect()
    }

    /// The samples of a point from `from` to before `to`, in order of time, at most `limit`.
    pub fn range(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>> {
        let (_, key) = self.shared.spec(point)?;
        self.read(|reader| reader.range(&self.shared, key, from.0, to.0, limit))
    }

    /// The same as columns: the quick way to much data.
    pub fn series(&self, point: PointId, from: Timestamp, to: Timestamp, limit: usize) -> Result<Series> {
        let (_, key) = self.shared.spec(point)?;
        self.read(|reader| reader.series(&self.shared, key, from.0, to.0, limit))
    }

    /// The figures of stretches of `width_micros` counted from `from`, up to `to`. Stretches without usable samples
    /// are absent. Quickest where `from` is at a whole hour in UTC and the width is of whole hours.
    ///
    /// # Errors
    /// If the width is under a millisecond or there would be more than [`crate::MAX_BUCKETS`].
    pub fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width_micros: i64,
    ) -> Result<Vec<Bucket>> {
        let (_, key) = self.shared.spec(point)?;
        self.read(|reader| reader.buckets(&self.shared, key, from.0, to.0, width_micros))
    }

    /// What a meter counted in stretches of `width_micros` counted from `from`, up to `to`.
    ///
    /// For a counter, the amount between two readings belongs to the stretch of the later one, so that nothing is
    /// counted twice or lost: after a gap, the first stretch has the amount of the gap. A fall of the register is a
    /// roll-over if the point has one and the amount is under half of it, else a reset (which counts from zero) if it
    /// falls below half, else a correction (which counts as negative). For interval amounts, it is their sum.
    ///
    /// # Errors
    /// As [`Self::buckets`], and if the point is a gauge.
    pub fn energy(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width_micros: i64,
    ) -> Result<Vec<EnergyBucket>> {
        let (spec, key) = self.shared.spec(point)?;
        match spec.accumulation {
            Accumulation::Gauge => Err(HistoryError::NotAMeter { path: spec.path.to_string() }),
            Accumulation::Interval => {
                let buckets = self.buckets(point, from, to, width_micros)?;
                let amount =
                    |b: Bucket| EnergyBucket { start: b.start, amount: b.sum, rollovers: 0, resets: 0 };
                Ok(buckets.into_iter().map(amount).collect())
            }
            Accumulation::Counter { rollover } => {
                let meter = Meter { rollover: rollover.filter(|m| m.is_finite() && *m > 0.0) };
                self.read(|reader| reader.energy(&self.shared, key, from.0, to.0, width_micros, meter))
            }
        }
    }

    /// Writes the samples of a point as CSV with a header: `point,time,value,quality`, times in RFC 3339 and UTC.
    /// Gives their count.
    pub fn export_csv(
        &self,
        out: &mut dyn Write,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64> {
        let (spec, _) = self.shared.spec(point)?;
        crate::export::write_header(out)?;
        // By pages, so that a reader of the output who dawdles holds nothing up in the store.
        let (mut from, mut count) = (from, 0);
        loop {
            let rows = self.range(point, from, to, crate::export::PAGE)?;
            crate::export::write_rows(out, spec.path.as_str(), &rows)?;
            count += rows.len() as u64;
            match rows.last() {
                Some((last, ..)) if rows.len() == crate::export::PAGE => from = last.plus_micros(1),
                _ => return Ok(count),
            }
        }
    }

    /// All records of a kind in order of key.
    pub fn records(&self, kind: &str) -> Result<Vec<StoredRecord>> {
        record::list(&lock(&self.records), kind).at("reading records", &self.shared.dir)
    }

    /// The newest `limit` entries of a kind's log before the entry `before` (or of all), newest first.
    pub fn log(&self, kind: &str, before: Option<i64>, limit: usize) -> Result<Vec<LogEntry>> {
        record::log(&lock(&self.records), kind, before, limit).at("reading a log", &self.shared.dir)
    }

    /// Seals all that waits and gives unused room back to the disk. The store seals by itself; this is for archiving
    /// and backups.
    pub fn seal(&self) -> Result<()> {
        seal::seal(&self.shared)?;
        self.shared.main().shrink()
    }

    /// Deletes the months that lie wholly before `keep_from`, those set aside too, and from now on refuses samples of
    /// them. Gives the months whose files are deleted, such as `2026-11`; with them `audit` makes the record that is
    /// kept together with the limit. Where there are none, nothing is recorded.
    pub fn retain_from(
        &self,
        keep_from: Timestamp,
        audit: impl FnOnce(&[String]) -> Record,
    ) -> Result<Vec<String>> {
        let first = Month::of(keep_from.0.clamp(EARLIEST_US, LATEST_US));
        let _sealer = lock(&self.shared.sealer);
        let limit = self.shared.first_month();
        if first <= limit {
            // What could not be deleted before.
            delete(files_before(&self.shared.dir, limit)?)?;
            return Ok(Vec::new());
        }
        let files = files_before(&self.shared.dir, first)?;
        let gone: BTreeSet<String> = files.iter().map(|(month, _)| month.to_string()).collect();
        let gone: Vec<String> = gone.into_iter().collect();
        let record = (!gone.is_empty()).then(|| audit(&gone));
        // First the limit, durably: then a crash can only leave files that the next opening deletes.
        self.shared.main().set_first_month(first.number(), record.as_ref())?;
        let mut layout = self.shared.layout_mut();
        *self.shared.first_month.write().unwrap_or_else(PoisonError::into_inner) = first;
        layout.months = layout.months.split_off(&first);
        {
            let mut tails = self.shared.tails();
            let Tails { sealing, active } = &mut *tails;
            active.drop_before(first);
            // A sealing that failed waits to be tried again; under the sealer's lock nobody else holds it.
            if let Some(waiting) = sealing.as_mut().and_then(Arc::get_mut) {
                waiting.drop_before(first);
            }
            let left = active.samples + sealing.as_ref().map_or(0, |tail| tail.samples);
            self.shared.stats.unsealed_samples.set(left);
        }
        delete(files)?;
        lock(&self.shared.damage).retain(|damage| month_of(&damage.file).is_none_or(|month| month >= first));
        Ok(gone)
    }

    /// Asks; a month file that proves damaged is set aside, and the rest is asked again.
    fn read<T>(&self, mut query: impl FnMut(&mut Reader) -> Result<T>) -> Result<T> {
        loop {
            let mut reader = lock(&self.readers).pop().unwrap_or_default();
            match query(&mut reader) {
                Err(HistoryError::DamagedMonth { month, why, .. }) => {
                    let _sealer = lock(&self.shared.sealer);
                    // Others have the file open, too.
                    lock(&self.readers).clear();
                    drop(reader);
                    seal::set_aside(&self.shared, Month::from_number(month), &why)?;
                }
                answer => {
                    let mut idle = lock(&self.readers);
                    if idle.len() < MAX_IDLE_READERS {
                        idle.push(reader);
                    }
                    return answer;
                }
            }
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.shared.ring(|bell| bell.closing = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sealing thread of the history had panicked");
        }
    }
}

/// Takes the folder for this process alone.
pub(crate) fn lock_folder(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).at("opening", &path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HistoryError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(HistoryError::Io { what: "locking", path, source }),
    }
}

/// The months in the folder with the last blob sealed into each, and what is missing within them. Those that retention has
/// given up are deleted, those of which only a name was made wait to be made, and damaged and missing ones are set aside.
fn find_months(
    dir: &Path,
    first_month: Month,
    main: &MainFile,
) -> Result<(BTreeMap<Month, i64>, Vec<Damage>)> {
    delete(files_before(dir, first_month)?)?;
    let mut months = BTreeSet::new();
    for entry in std::fs::read_dir(dir).at("listing", dir)? {
        let name = entry.at("listing", dir)?.file_name();
        let month = name.to_str().and_then(|n| n.strip_suffix(".db")).and_then(Month::parse);
        months.extend(month);
    }
    let mut sealed = BTreeMap::new();
    let mut damage = Vec::new();
    let mut was_sealed = main.sealed()?;
    for month in months {
        let had = was_sealed.remove(&month.number());
        match MonthFile::inspect(dir, month) {
            Ok(Some(found)) => {
                if had.is_some_and(|had| found.sealed_through < had) {
                    // An older copy was put in its place, as a restore does: what it has is served.
                    tracing::warn!(%month, "a month file is older than the store: samples of it may be missing");
                }
                if found.kept_aside > 0 {
                    damage.push(month.kept_aside(found.kept_aside));
                }
                sealed.insert(month, found.sealed_through);
            }
            Ok(None) if had.is_some() => {
                quarantine::set_aside(dir, month, "it is empty")?;
                main.forget_month(month.number())?;
            }
            Ok(None) => {}
            Err(HistoryError::DamagedMonth { why, .. }) => {
                quarantine::set_aside(dir, month, &why)?;
                main.forget_month(month.number())?;
            }
            Err(error) => return Err(error),
        }
    }
    for month in was_sealed.into_keys().map(Month::from_number) {
        if month >= first_month {
            // Somebody may have removed it on purpose: it is said until they remove the note.
            quarantine::set_aside(dir, month, GONE)?;
        }
        main.forget_month(month.number())?;
    }
    Ok((sealed, damage))
}

/// The month that a file of the folder is of: `2026-11.db`, `2026-11.db-wal`, `2026-11.damaged-1.txt`.
fn month_of(file: &str) -> Option<Month> {
    file.split_once('.').and_then(|(month, _)| Month::parse(month))
}

/// The files of months before `first`, with their month; a log comes before its database, which would else be read
/// without it.
fn files_before(dir: &Path, first: Month) -> Result<Vec<(Month, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).at("listing", dir)? {
        let entry = entry.at("listing", dir)?;
        let month = entry.file_name().to_str().and_then(month_of).filter(|month| *month < first);
        files.extend(month.map(|month| (month, entry.path())));
    }
    files.sort_by(|a, b| b.cmp(a));
    Ok(files)
}

fn delete(files: Vec<(Month, PathBuf)>) -> Result<()> {
    files.iter().try_for_each(|(_, path)| folder::remove(path))
}

/// A raw blob that is damaged: its number, its bytes and why.
type DamagedBlob = (i64, Vec<u8>, String);

/// Reads last values and raw blobs into memory; gives the blobs that are damaged. Samples of a blob that a month has
/// sealed already are not taken again.
fn recover(
    main: &MainFile,
    sealed: &BTreeMap<Month, i64>,
    first_month: Month,
    last: &mut [Option<Reading>],
    tails: &mut Tails,
) -> Result<Vec<DamagedBlob>> {
    let mut damaged = Vec::new();
    for (key, reading) in main.last_values()? {
        if let Some(slot) = last.get_mut(key as usize) {
            *slot = Some(reading);
        }
    }
    let tail = &mut tails.active;
    main.visit_blobs(|id, bytes| {
        let decoded = blob::decode(bytes, |key, time, value, quality| {
            let Some(slot) = last.get_mut(key as usize) else { return };
            let month = Month::of(time);
            if id > sealed.get(&month).copied().unwrap_or(0) && month >= first_month {
                tail.push(month, key, time, &value, quality);
            }
            if main_file::is_newer(slot.as_ref(), time) {
                *slot = Some(main_file::reading(time, value, quality));
            }
        });
        match decoded {
            Ok(()) => {
                tail.blobs += 1;
                tail.through_blob = id;
            }
            Err(HistoryError::Corrupt { why, .. }) => damaged.push((id, bytes.to_vec(), why)),
            Err(other) => return Err(other),
        }
        Ok(())
    })?;
    Ok(damaged)
}
