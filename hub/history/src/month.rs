//! A month file: the chunks of one UTC month with their roll-ups.
//!
//! Per point the chunks do not overlap in time and no time occurs twice; sealing keeps it so, and queries rely on it.
//! A chunk's row id is its point's key (21 bits) and the first sample's microseconds into the month (42 bits), so
//! the table is its own index and a point's month lies together. Late and back-dated samples are merged into the
//! chunks they fall into. `sealed_through` is the last raw blob whose samples of this month are in the file; it changes
//! in the same transaction, which makes sealing idempotent. Chunks and summaries have checksums since schema 2, which
//! a file takes on when it is next sealed into; chunks from before stay as they are.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::checksum;
use crate::chunk::{self, MAX_CHUNK_SAMPLES};
use crate::civil::Month;
use crate::columns::Columns;
use crate::error::{HistoryError, IoContext, Result, SqliteContext};
use crate::folder;
use crate::rollup;

/// `CmpM`, in the header of the file.
const APPLICATION_ID: i64 = 0x436d_704d;
const SCHEMA_VERSION: i64 = 2;

/// Small pages, because half a page is lost for each chunk.
const PAGE_BYTES: i64 = 512;

/// A chunk with fewer samples is rewritten together with what comes after it.
const MERGE_BELOW_SAMPLES: i64 = 3072;

/// Keys fit this many bits of a row id; the rest holds the time.
pub(crate) const KEY_BITS: u32 = 21;
const OFFSET_BITS: u32 = 42;
const OFFSETS: i64 = (1 << OFFSET_BITS) - 1;

/// Why a roll-up is not used, and how far its chunk reaches not known.
pub(crate) const DAMAGED_SUMMARY: &str = "the roll-up is damaged, so its samples are read instead";

const SCHEMA: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE summary (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, count INTEGER NOT NULL, hours BLOB NOT NULL);
INSERT INTO meta VALUES ('sealed_through', 0);
";

/// Where a chunk lies and how much is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkPlace {
    pub(crate) id: i64,
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
    count: i64,
    /// Whether the row says this that has it. Where it is damaged, `last_us` is the latest that can be.
    pub(crate) sound: bool,
}

/// What a look at a file finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The last raw blob whose samples of this month are in the file.
    pub(crate) sealed_through: i64,
    /// Chunks that were damaged when their stretch was sealed anew.
    pub(crate) kept_aside: i64,
}

/// Why a month is damaged whose file somebody has taken away.
pub(crate) const GONE: &str = "its file is gone, and was not given up by retention";

/// An open month file.
#[derive(Debug)]
pub(crate) struct MonthFile {
    connection: Connection,
    path: PathBuf,
    start_us: i64,
}

/// The path of a month's file in the data folder.
pub(crate) fn month_path(dir: &Path, month: Month) -> PathBuf {
    dir.join(format!("{month}.db"))
}

impl MonthFile {
    /// Opens or makes the file to seal into.
    pub(crate) fn open_to_seal(dir: &Path, month: Month) -> Result<Self> {
        let path = month_path(dir, month);
        let fresh = !path.exists();
        let connection = Connection::open(&path).at("opening a month", &path)?;
        let file = Self { connection, path, start_us: month.start_us() };
        file.prepare().at("preparing a month", &file.path)?;
        let version = file.version().at("reading the version of a month", &file.path)?;
        if version > 0 {
            file.check()?;
        }
        if version < SCHEMA_VERSION {
            file.make(version).at("making a month", &file.path)?;
        }
        if fresh {
            // The name of a new file is durable only when its folder is.
            folder::sync(dir)?;
        }
        Ok(file)
    }

    /// Opens the file to read.
    pub(crate) fn open_to_read(dir: &Path, month: Month) -> Result<Self> {
        let path = month_path(dir, month);
        if !path.exists() {
            return Err(HistoryError::DamagedMonth { path, month: month.number(), why: GONE.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).at("opening a month", &path)?;
        let file = Self { connection, path, start_us: month.start_us() };
        file.check()?;
        file.connection
            .execute_batch(
                "PRAGMA mmap_size = 268435456; PRAGMA cache_size = -1024; PRAGMA busy_timeout = 5000;",
            )
            .at("opening a month", &file.path)?;
        Ok(file)
    }

    /// Looks whether a file is what it should be, without reading all of it: header, tables, length. `None` where it was
    /// only begun when the power went.
    pub(crate) fn inspect(dir: &Path, month: Month) -> Result<Option<Found>> {
        let path = month_path(dir, month);
        Self::try_inspect(dir, month, &path).map_err(|error| error.of_month(month, &path))
    }

    fn try_inspect(dir: &Path, month: Month, path: &Path) -> Result<Option<Found>> {
        Self::roll_back(dir, month)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).at("opening a month", path)?;
        let count = |sql: &str| {
            connection.query_row(sql, [], |row| row.get::<_, i64>(0)).at("looking at a month", path)
        };
        let damaged = |why: &str| HistoryError::DamagedMonth {
            path: path.to_owned(),
            month: month.number(),
            why: why.to_owned(),
        };
        if count("SELECT count(*) FROM sqlite_schema")? == 0 {
            return Ok(None);
        }
        // The versions to write and to read by; in a file that is all in its log there are none yet.
        let mut header = Vec::new();
        File::open(path)
            .and_then(|file| file.take(20).read_to_end(&mut header))
            .at("opening a month", path)?;
        if !matches!(header.get(18..20), None | Some([1 | 2, 1 | 2])) {
            return Err(damaged("its header says that nothing may be written to it"));
        }
        check_header(&connection, path, APPLICATION_ID, SCHEMA_VERSION)?;
        if count("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'chunk', 'summary')")? != 3 {
            return Err(damaged("its tables are not those of a month"));
        }
        let mut log = path.to_owned().into_os_string();
        log.push("-wal");
        let pages = count("PRAGMA page_count")?.saturating_mul(count("PRAGMA page_size")?);
        let length = std::fs::metadata(path).map_or(0, |m| m.len());
        // With a log, pages may be there that are not yet in the file.
        if std::fs::metadata(log).map_or(0, |m| m.len()) == 0 && length < pages as u64 {
            return Err(damaged("it is cut short"));
        }
        let kept_aside = kept_aside(&connection).at("looking at a month", path)?;
        let sealed_through = count("SELECT value FROM meta WHERE name = 'sealed_through'")?;
        Ok(Some(Found { sealed_through, kept_aside }))
    }

    /// Undoes what a process was at when it was killed while the file was made, before its write-ahead log: readers,
    /// which only read, could not, and would refuse the file.
    fn roll_back(dir: &Path, month: Month) -> Result<()> {
        let path = month_path(dir, month);
        let mut journal = path.clone().into_os_string();
        journal.push("-journal");
        if !Path::new(&journal).exists() {
            return Ok(());
        }
        Connection::open(&path)
            .and_then(|c| c.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)))
            .map(drop)
            .at("rolling back a month", &path)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        self.connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        self.connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8192;
             PRAGMA wal_autocheckpoint = 0;",
        )
    }

    /// Makes a new file, or brings one of an earlier version up to date.
    fn make(&self, version: i64) -> rusqlite::Result<()> {
        let tx = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        if version == 0 {
            tx.execute_batch(SCHEMA)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.connection.pragma_query_value(None, "user_version", |row| row.get(0))
    }

    fn check(&self) -> Result<()> {
        check_header(&self.connection, &self.path, APPLICATION_ID, SCHEMA_VERSION)
    }

    /// The last raw blob whose samples of this month are in the file.
    pub(crate) fn sealed_through(&self) -> Result<i64> {
        self.connection
            .query_row("SELECT value FROM meta WHERE name = 'sealed_through'", [], |row| row.get(0))
            .at("reading a month", &self.path)
    }

    fn id(&self, key: u32, time_us: i64) -> i64 {
        let offset = (time_us - self.start_us).clamp(0, OFFSETS);
        i64::from(key) << OFFSET_BITS | offset
    }

    /// The chunk that a row of id, last, count and hours is of, with its encoded roll-ups.
    fn summary<'row>(&self, row: &'row rusqlite::Row<'_>) -> Result<(ChunkPlace, &'row [u8])> {
        let id: i64 = row.get(0).at("reading a month", &self.path)?;
        let first_us = self.start_us + (id & OFFSETS);
        if let (Ok(last), Ok(count), Ok(frame)) =
            (row.get::<_, i64>(1), row.get(2), row.get_ref(3).and_then(|v| Ok(v.as_blob()?)))
            && let Ok((hours, _)) = checksum::content("a roll-up", &[id, last, count], frame)
        {
            let place = ChunkPlace { id, first_us, last_us: self.start_us + last, count, sound: true };
            return Ok((place, hours));
        }
        // The chunk may be whole; it ends before the next begins.
        let next: Option<i64> = self
            .connection
            .query_row("SELECT min(id) FROM summary WHERE id > ?1", [id], |row| row.get(0))
            .at("reading a month", &self.path)?;
        let last = match next {
            Some(next) if next >> OFFSET_BITS == id >> OFFSET_BITS => (next & OFFSETS) - 1,
            _ => OFFSETS,
        };
        Ok((ChunkPlace { id, first_us, last_us: self.start_us + last, count: 0, sound: false }, &[]))
    }

    /// The chunk of a point that begins last before `time_us`.
    pub(crate) fn chunk_before(&self, key: u32, time_us: i64) -> Result<Option<ChunkPlace>> {
        if time_us <= self.start_us {
            return Ok(None);
        }
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, last, count, hours FROM summary WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1",
            )
            .at("reading a month", &self.path)?;
        let bounds = params![self.id(key, self.start_us), self.id(key, time_us)];
        let mut rows = statement.query(bounds).at("reading a month", &self.path)?;
        let row = rows.next().at("reading a month", &self.path)?;
        row.map(|row| Ok(self.summary(row)?.0)).transpose()
    }

    /// Visits the chunks of a point that may have samples from `from_us` to before `to_us`, in order, each with
    /// its encoded roll-ups; until `visit` says false.
    pub(crate) fn visit_chunks(
        &self,
        key: u32,
        from_us: i64,
        to_us: i64,
        mut visit: impl FnMut(&Self, ChunkPlace, &[u8]) -> Result<bool>,
    ) -> Result<()> {
        if to_us <= self.start_us {
            return Ok(());
        }
        let lowest = match self.chunk_before(key, from_us)? {
            Some(before) if before.last_us >= from_us => before.id,
            _ => self.id(key, from_us.max(self.start_us)),
        };
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, last, count, hours FROM summary WHERE id BETWEEN ?1 AND ?2")
            .at("reading a month", &self.path)?;
        let mut rows =
            statement.query(params![lowest, self.id(key, to_us - 1)]).at("reading a month", &self.path)?;
        while let Some(row) = rows.next().at("reading a month", &self.path)? {
            let (place, hours) = self.summary(row)?;
            if !visit(self, place, hours)? {
                break;
            }
        }
        Ok(())
    }

    /// Appends the samples of a chunk to `columns`.
    pub(crate) fn read_chunk(&self, id: i64, columns: &mut Columns) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT data FROM chunk WHERE id = ?1")
            .at("reading a month", &self.path)?;
        let mut rows = statement.query(params![id]).at("reading a month", &self.path)?;
        let row = rows.next().at("reading a month", &self.path)?;
        let row = row.ok_or_else(|| HistoryError::corrupt("a month", format!("chunk {id} is missing")))?;
        let frame = row.get_ref(0).and_then(|v| Ok(v.as_blob()?));
        let frame = frame.map_err(|_| HistoryError::corrupt("a month", format!("chunk {id} is no blob")))?;
        let (content, _) = checksum::content("a chunk", &[id], frame)?;
        chunk::decode(content, columns)
    }

    /// Chunks that were damaged when their stretch was sealed anew.
    pub(crate) fn kept_aside(&self) -> Result<i64> {
        kept_aside(&self.connection).at("looking at a month", &self.path)
    }

    /// Reads every chunk and summary; gives the first and the last moment of each chunk that is damaged, and why.
    pub(crate) fn verify(&self) -> Result<Vec<(i64, i64, String)>> {
        let what = "reading a month";
        // As of one moment: a hub may seal into it meanwhile.
        let _moment = self.connection.unchecked_transaction().at(what, &self.path)?;
        let mut bad = Vec::new();
        let mut statement =
            self.connection.prepare("SELECT id, last, count, hours FROM summary").at(what, &self.path)?;
        let mut rows = statement.query([]).at(what, &self.path)?;
        let mut summaries = 0_i64;
        while let Some(row) = rows.next().at(what, &self.path)? {
            summaries += 1;
            let (place, _) = self.summary(row)?;
            if !place.sound {
                bad.push((place.first_us, place.last_us, DAMAGED_SUMMARY.to_owned()));
            }
            match self.read_chunk(place.id, &mut Columns::default()) {
                Err(HistoryError::Corrupt { why, .. }) => bad.push((place.first_us, place.last_us, why)),
                other => other?,
            }
        }
        let sound: String =
            self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).at(what, &self.path)?;
        if sound != "ok" {
            bad.push((self.start_us, self.start_us + OFFSETS, sound));
        }
        let chunks: i64 = self
            .connection
            .query_row("SELECT count(*) FROM chunk", [], |row| row.get(0))
            .at(what, &self.path)?;
        if chunks != summaries {
            let why = format!("it has {chunks} chunks and {summaries} summaries of them");
            bad.push((self.start_us, self.start_us + OFFSETS, why));
        }
        Ok(bad)
    }

    /// Starts sealing samples of the raw blobs up to `through_blob`. `None` if they are in the file already.
    pub(crate) fn begin(&mut self, through_blob: i64) -> Result<Option<Sealing<'_>>> {
        if self.sealed_through()? >= through_blob {
            return Ok(None);
        }
        let tx = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .at("sealing a month", &self.path)?;
        tx.execute("UPDATE meta SET value = ?1 WHERE name = 'sealed_through'", params![through_blob])
            .at("sealing a month", &self.path)?;
        Ok(Some(Sealing { file: self, tx }))
    }

    /// Moves what is in the write-ahead log into the file and empties the log. A reader in between postpones it.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        checkpoint(&self.connection).at("checkpointing a month", &self.path)
    }
}

/// One transaction of sealing; dropped without [`Self::commit`] it leaves the file as it was.
pub(crate) struct Sealing<'a> {
    file: &'a MonthFile,
    tx: Transaction<'a>,
}

impl Sealing<'_> {
    /// Puts samples of one point into the file. They have to be settled, within the month and not empty.
    pub(crate) fn put(&self, key: u32, new: &Columns, resolution: Option<f64>) -> Result<()> {
        let (Some(&first), Some(&last)) = (new.times.first(), new.times.last()) else { return Ok(()) };
        let mut affected = Vec::new();
        if let Some(before) = self.file.chunk_before(key, first)?
            && before.last_us < first
            && before.count < MERGE_BELOW_SAMPLES
        {
            affected.push(before);
        }
        self.file.visit_chunks(key, first, last + 1, |_, place, _| {
            affected.push(place);
            Ok(true)
        })?;
        let mut old = Columns::default();
        for place in &affected {
            let mut chunk = Columns::default();
            match self.file.read_chunk(place.id, &mut chunk) {
                Ok(()) => old.append(&chunk),
                // What comes in must not wait for what nobody can read; its bytes are kept beside.
                Err(HistoryError::Corrupt { why, .. }) => self.keep_aside(place, &why)?,
                Err(other) => return Err(other),
            }
            self.run("DELETE FROM chunk WHERE id = ?1", params![place.id])?;
            self.run("DELETE FROM summary WHERE id = ?1", params![place.id])?;
        }
        let merged;
        let all = if old.is_empty() {
            new
        } else {
            merged = old.merged(new);
            &merged
        };
        let pieces = all.len().div_ceil(MAX_CHUNK_SAMPLES);
        for piece in 0..pieces {
            let range = piece * all.len() / pieces..(piece + 1) * all.len() / pieces;
            let mut columns = Columns::default();
            columns.append_range(all, range);
            self.insert(key, &columns, resolution)?;
        }
        Ok(())
    }

    fn keep_aside(&self, place: &ChunkPlace, why: &str) -> Result<()> {
        tracing::error!(file = %self.file.path.display(), why, "a chunk does not decode and is kept in the table 'damaged'");
        self.run("CREATE TABLE IF NOT EXISTS damaged (id INTEGER, data BLOB, why TEXT)", [])?;
        self.run(
            "INSERT INTO damaged VALUES (?1, (SELECT data FROM chunk WHERE id = ?1), ?2)",
            params![place.id, why],
        )
    }

    fn insert(&self, key: u32, columns: &Columns, resolution: Option<f64>) -> Result<()> {
        let (Some(&first), Some(&last)) = (columns.times.first(), columns.times.last()) else {
            return Ok(());
        };
        let encoded = chunk::encode(columns, resolution)?;
        let hours = encoded.scale.and_then(|scale| rollup::encode(columns, scale)).unwrap_or_default();
        // Nothing is replaced but a row of a damaged file that was out of sight.
        let id = self.file.id(key, first);
        let (last, count) = (last - self.file.start_us, columns.len() as i64);
        let chunk = checksum::frame(&[id], &encoded.bytes);
        self.run("INSERT OR REPLACE INTO chunk (id, data) VALUES (?1, ?2)", params![id, chunk])?;
        self.run(
            "INSERT OR REPLACE INTO summary (id, last, count, hours) VALUES (?1, ?2, ?3, ?4)",
            params![id, last, count, checksum::frame(&[id, last, count], &hours)],
        )
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        self.tx
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map(|_| ())
            .at("sealing a month", &self.file.path)
    }

    /// Makes it durable.
    pub(crate) fn commit(self) -> Result<()> {
        self.tx.commit().at("sealing a month", &self.file.path)
    }
}

/// Moves the write-ahead log into the file and empties it, as far as readers let it: a long query or a backup must not
/// hold up commits, so nobody is waited for.
pub(crate) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA busy_timeout = 0")?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.execute_batch("PRAGMA busy_timeout = 5000")?;
    done
}

/// The chunks in the table of damaged ones, which is made when there are some.
fn kept_aside(connection: &Connection) -> rusqlite::Result<i64> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    match count("SELECT count(*) FROM sqlite_schema WHERE name = 'damaged'")? {
        0 => Ok(0),
        _ => count("SELECT count(*) FROM damaged"),
    }
}

/// Refuses files of other programs and of newer versions of this one.
pub(crate) fn check_header(
    connection: &Connection,
    path: &Path,
    application_id: i64,
    known: i64,
) -> Result<()> {
    let id: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).at("opening", path)?;
    if id != application_id {
        return Err(HistoryError::Foreign { path: path.to_owned() });
    }
    let found: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).at("opening", path)?;
    if found > known {
        return Err(HistoryError::NewerStore { path: path.to_owned(), found, known });
    }
    Ok(())
}
