//! The main file: raw blobs, last values, the keys of points, records. One transaction covers them all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use campanile_model::{Quality, Timestamp, Value, ValueType};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::civil::Month;
use crate::columns::Tag;
use crate::error::{HistoryError, Result, SqliteContext};
use crate::month::{KEY_BITS, check_header, checkpoint};
use crate::point::{PointSpec, Reading};
use crate::record::Record;

/// `Cmpn`, in the header of the file.
const APPLICATION_ID: i64 = 0x436d_706e;
const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64 + 1;

/// `blob.id` is AUTOINCREMENT so that the number of a sealed and deleted blob never comes again: month files
/// remember up to which they have sealed.
const SCHEMA: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE point (key INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE blob (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL);
CREATE TABLE last (key INTEGER PRIMARY KEY, time INTEGER NOT NULL, tag INTEGER NOT NULL, bits INTEGER NOT NULL, text TEXT);
CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX log_by_kind ON log (kind, id);
INSERT INTO meta VALUES ('first_month', 0);
";

/// What leads from each version of the schema to the next, from 1 on. A new store goes the same way, so that there is
/// one way only; what is listed here has been released and never changes.
const MIGRATIONS: [&str; 2] = [
    // 2: which months were sealed and how far, so that a month file that is gone or too old is noticed.
    "CREATE TABLE sealed (month INTEGER PRIMARY KEY, through INTEGER NOT NULL);",
    // 3: blobs have checksums, which a program of version 2 would take for damage; those from before stay as they are.
    "",
];

/// The main file, open to write.
#[derive(Debug)]
pub(crate) struct MainFile {
    connection: Connection,
    path: PathBuf,
}

/// The path of the main file in the data folder.
pub(crate) fn main_path(dir: &Path) -> PathBuf {
    dir.join("history.db")
}

/// Opens the main file to read records.
pub(crate) fn open_to_read(dir: &Path) -> Result<Connection> {
    let path = main_path(dir);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).at("opening the store", &path)?;
    connection.execute_batch("PRAGMA busy_timeout = 5000").at("opening the store", &path)?;
    Ok(connection)
}

/// Opens the main file to read, where it is one of ours that this version knows.
pub(crate) fn open_checked(dir: &Path) -> Result<Connection> {
    let connection = open_to_read(dir)?;
    check_header(&connection, &main_path(dir), APPLICATION_ID, SCHEMA_VERSION)?;
    Ok(connection)
}

impl MainFile {
    /// Opens or makes the file.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = main_path(dir);
        let connection = Connection::open(&path).at("opening the store", &path)?;
        let file = Self { connection, path };
        file.prepare().map_err(|source| match HistoryError::damage_of(&source) {
            Some(why) => HistoryError::DamagedStore { path: file.path.clone(), why },
            None => HistoryError::Sqlite { what: "opening the store", path: file.path.clone(), source },
        })?;
        check_header(&file.connection, &file.path, APPLICATION_ID, SCHEMA_VERSION)?;
        file.migrate().at("bringing the store up to date", &file.path)?;
        Ok(file)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        let c = &self.connection;
        let objects: i64 = c.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if objects == 0 {
            c.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
        }
        c.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        c.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000;
             PRAGMA journal_size_limit = 67108864;",
        )?;
        c.set_prepared_statement_cache_capacity(64);
        if objects == 0 {
            let tx = Transaction::new_unchecked(c, TransactionBehavior::Immediate)?;
            tx.execute_batch(SCHEMA)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", 1)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Brings an older store up to date, a version a transaction: cut short, it goes on from there.
    fn migrate(&self) -> rusqlite::Result<()> {
        let version: i64 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for (from, step) in (1..).zip(MIGRATIONS).skip_while(|(from, _)| *from < version) {
            let tx = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", from + 1)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Which months were sealed, by number, and through which blob.
    pub(crate) fn sealed(&self) -> Result<BTreeMap<i64, i64>> {
        self.connection
            .prepare("SELECT month, through FROM sealed")
            .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .at("reading which months are sealed", &self.path)
    }

    /// Forgets that a month was sealed: its file was set aside or given up.
    pub(crate) fn forget_month(&self, month: i64) -> Result<()> {
        self.connection
            .execute("DELETE FROM sealed WHERE month = ?1", params![month])
            .map(drop)
            .at("forgetting a month", &self.path)
    }

    /// Lets no blob have a number up to `sealed` again. Where a main file comes from an older backup than its months,
    /// new blobs would have numbers that the months count as sealed, and their samples would be lost.
    pub(crate) fn number_blobs_after(&self, sealed: i64) -> Result<()> {
        let c = &self.connection;
        let raise = || {
            let now: Option<i64> =
                c.query_row("SELECT max(seq) FROM sqlite_sequence WHERE name = 'blob'", [], |row| {
                    row.get(0)
                })?;
            match now {
                Some(now) if now >= sealed => Ok(0),
                Some(_) => {
                    c.execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'blob'", params![sealed])
                }
                None if sealed == 0 => Ok(0),
                None => {
                    c.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('blob', ?1)", params![sealed])
                }
            }
        };
        raise().map(drop).at("numbering blobs", &self.path)
    }

    /// The key of each point by its path, new ones being added.
    pub(crate) fn intern(&mut self, points: &[PointSpec]) -> Result<BTreeMap<String, u32>> {
        let path = &self.path;
        let what = "reading the points";
        let tx =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).at(what, path)?;
        for point in points {
            tx.prepare_cached("INSERT OR IGNORE INTO point (path) VALUES (?1)")
                .and_then(|mut s| s.execute(params![point.path.as_str()]))
                .at(what, path)?;
        }
        let keys = tx
            .prepare("SELECT path, key FROM point")
            .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .at(what, path)?;
        tx.commit().at(what, path)?;
        let keys: BTreeMap<String, u32> = keys;
        if keys.values().any(|&key| key >= 1 << KEY_BITS) {
            return Err(HistoryError::Points(
                "the store has over two million points by now; start a new one".to_owned(),
            ));
        }
        Ok(keys)
    }

    /// Last values as of the last sealing.
    pub(crate) fn last_values(&self) -> Result<Vec<(u32, Reading)>> {
        let read = |row: &rusqlite::Row<'_>| {
            let tag = Tag(row.get::<_, u8>(2)? & 15);
            let bits: i64 = row.get(3)?;
            let value = match tag.value_type() {
                ValueType::Number => Value::Number(f64::from_bits(bits as u64)),
                ValueType::Bool => Value::Bool(bits != 0),
                ValueType::Choice => Value::Choice(bits as u16),
                ValueType::Text => Value::Text(row.get_ref(4)?.as_str()?.into()),
            };
            Ok((row.get(0)?, Reading { time: Timestamp(row.get(1)?), value, quality: tag.quality() }))
        };
        self.connection
            .prepare("SELECT key, time, tag, bits, text FROM last")
            .and_then(|mut s| s.query_map([], read)?.collect())
            .at("reading last values", &self.path)
    }

    /// Visits the raw blobs in the order of their commits; what is no blob at all, as an empty one.
    pub(crate) fn visit_blobs(&self, mut visit: impl FnMut(i64, &[u8]) -> Result<()>) -> Result<()> {
        let what = "reading raw blobs";
        let mut statement =
            self.connection.prepare("SELECT id, data FROM blob ORDER BY id").at(what, &self.path)?;
        let mut rows = statement.query([]).at(what, &self.path)?;
        while let Some(row) = rows.next().at(what, &self.path)? {
            let id = row.get(0).at(what, &self.path)?;
            visit(id, row.get_ref(1).at(what, &self.path)?.as_blob().unwrap_or_default())?;
        }
        Ok(())
    }

    /// Removes a raw blob that is damaged and has been set aside.
    pub(crate) fn remove_blob(&self, id: i64) -> Result<()> {
        self.connection
            .execute("DELETE FROM blob WHERE id = ?1", params![id])
            .map(drop)
            .at("removing a damaged blob", &self.path)
    }

    /// Commits blobs and records in one durable transaction; gives the number of the last blob.
    pub(crate) fn commit(
        &mut self,
        blobs: &[Vec<u8>],
        records: &[Record],
        bodies: &[Option<String>],
    ) -> Result<i64> {
        self.try_commit(blobs, records, bodies).at("committing", &self.path)
    }

    fn try_commit(
        &self,
        blobs: &[Vec<u8>],
        records: &[Record],
        bodies: &[Option<String>],
    ) -> rusqlite::Result<i64> {
        let tx = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut last_blob = 0;
        for blob in blobs {
            tx.prepare_cached("INSERT INTO blob (data) VALUES (?1)")?.execute(params![blob])?;
            last_blob = tx.last_insert_rowid();
        }
        for (record, body) in records.iter().zip(bodies) {
            record.apply(&tx, body.as_deref())?;
        }
        tx.commit()?;
        Ok(last_blob)
    }

    /// Forgets the blobs that are sealed and keeps the last values that came with them.
    pub(crate) fn forget_sealed(
        &mut self,
        through_blob: i64,
        last: &[(u32, Reading)],
        months: &[Month],
    ) -> Result<()> {
        self.try_forget_sealed(through_blob, last, months).at("removing sealed blobs", &self.path)
    }

    fn try_forget_sealed(
        &self,
        through_blob: i64,
        last: &[(u32, Reading)],
        months: &[Month],
    ) -> rusqlite::Result<()> {
        let tx = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        for month in months {
            tx.prepare_cached("INSERT OR REPLACE INTO sealed (month, through) VALUES (?1, ?2)")?
                .execute(params![month.number(), through_blob])?;
        }
        for (key, reading) in last {
            let (bits, text) = match &reading.value {
                Value::Number(x) => (x.to_bits() as i64, None),
                Value::Bool(b) => (i64::from(*b), None),
                Value::Choice(c) => (i64::from(*c), None),
                Value::Text(text) => (0, Some(text.as_ref())),
            };
            let tag = Tag::new(reading.value.value_type(), reading.quality).0;
            tx.prepare_cached(
                "INSERT OR REPLACE INTO last (key, time, tag, bits, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![key, reading.time.0, tag, bits, text])?;
        }
        tx.execute("DELETE FROM blob WHERE id <= ?1", params![through_blob])?;
        tx.commit()
    }

    /// The number of the first month that retention keeps.
    pub(crate) fn first_month(&self) -> Result<i64> {
        self.connection
            .query_row("SELECT value FROM meta WHERE name = 'first_month'", [], |row| row.get(0))
            .at("reading the retention limit", &self.path)
    }

    /// Sets it, durably, with what the audit record says of it.
    pub(crate) fn set_first_month(&mut self, number: i64, record: Option<&Record>) -> Result<()> {
        let body = record.map(Record::body_text).transpose()?.flatten();
        let set = || {
            let tx = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            tx.execute("UPDATE meta SET value = ?1 WHERE name = 'first_month'", [number])?;
            tx.execute("DELETE FROM sealed WHERE month < ?1", [number])?;
            if let Some(record) = record {
                record.apply(&tx, body.as_deref())?;
            }
            tx.commit()
        };
        set().at("setting the retention limit", &self.path)
    }

    /// Gives unused pages back to the file system.
    pub(crate) fn shrink(&mut self) -> Result<()> {
        let try_shrink = || {
            // The pragma frees a page a step, so its rows have to be stepped through.
            let mut statement = self.connection.prepare("PRAGMA incremental_vacuum")?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            checkpoint(&self.connection)
        };
        try_shrink().at("shrinking the store", &self.path)
    }
}

/// Whether a reading of this time takes the place of the last value.
pub(crate) fn is_newer(old: Option<&Reading>, time: i64) -> bool {
    old.is_none_or(|old| old.time.0 <= time)
}

/// A reading made of its parts.
pub(crate) fn reading(time: i64, value: Value, quality: Quality) -> Reading {
    Reading { time: Timestamp(time), value, quality }
}
