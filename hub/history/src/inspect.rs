//! A look at a store from outside, while a hub may be running on it: nothing is made, mended or locked for long.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::civil::Month;
use crate::error::{HistoryError, IoContext, Result, SqliteContext};
use crate::main_file;

/// What a data folder has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFacts {
    /// Whether a program has the store open.
    pub in_use: bool,
    /// Points that have a key in the store, those that have left the campus too.
    pub points: u64,
    /// The months that are there, such as `2026-11`, in order, with the bytes of each.
    pub months: Vec<(String, u64)>,
    /// Bytes of all files of the store.
    pub bytes: u64,
}

/// Looks at the store in a folder; nothing where there is none yet.
///
/// # Errors
/// Where the folder or the store can't be read, or the store is of another program or of a newer version.
pub fn inspect(dir: &Path) -> Result<Option<StoreFacts>> {
    if !main_file::main_path(dir).is_file() {
        return Ok(None);
    }
    let path = main_file::main_path(dir);
    let connection = main_file::open_checked(dir)?;
    let count = connection.query_row("SELECT count(*) FROM point", [], |row| row.get::<_, i64>(0));
    let points = u64::try_from(count.at("reading", &path)?).unwrap_or(0);
    let mut months: Vec<(String, u64)> = files(dir)?
        .into_iter()
        .filter_map(|(name, bytes)| {
            let month = name.strip_suffix(".db").filter(|month| Month::parse(month).is_some())?;
            Some((month.to_owned(), bytes))
        })
        .collect();
    months.sort();
    Ok(Some(StoreFacts { in_use: in_use(dir)?, points, months, bytes: store_bytes(dir)? }))
}

/// Bytes of all files of a store, with those that SQLite keeps beside them.
///
/// # Errors
/// Where the folder can't be listed.
pub fn store_bytes(dir: &Path) -> Result<u64> {
    Ok(files(dir)?.iter().map(|(_, bytes)| bytes).sum())
}

/// The files of the store; one that goes while it is looked at counts for nothing.
fn files(dir: &Path) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).at("listing", dir)? {
        let entry = entry.at("listing", dir)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let whole = name.trim_end_matches("-wal").trim_end_matches("-shm").trim_end_matches("-journal");
        if whole.ends_with(".db") {
            found.push((name, entry.metadata().map_or(0, |m| m.len())));
        }
    }
    Ok(found)
}

fn in_use(dir: &Path) -> Result<bool> {
    let path = dir.join("lock");
    let Ok(file) = File::open(&path) else { return Ok(false) };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(HistoryError::Io { what: "locking", path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;
    use crate::tests::{MARCH, MINUTE, sample, two_points};

    #[test]
    fn a_store_is_looked_at_while_it_is_open_and_after() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(inspect(dir.path()).unwrap(), None);
        let history = History::open(dir.path(), &two_points()).unwrap();
        let batch: Vec<_> = (0..100).map(|m| sample(0, MARCH + m * MINUTE, m as f64)).collect();
        history.writer().commit(&batch, &[]).unwrap();
        history.seal().unwrap();
        let facts = inspect(dir.path()).unwrap().unwrap();
        assert_eq!((facts.in_use, facts.points, facts.months.len()), (true, 2, 1), "{facts:?}");
        assert!(facts.bytes > facts.months[0].1 && facts.months[0].1 > 0, "{facts:?}");
        drop(history);
        assert!(!inspect(dir.path()).unwrap().unwrap().in_use);
        std::fs::write(dir.path().join("history.db"), b"something else that is no database at all").unwrap();
        assert!(inspect(dir.path()).is_err());
    }
}
