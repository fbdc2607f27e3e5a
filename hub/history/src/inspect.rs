//! A look at a store from outside, while a hub may be running on it: nothing is made, mended or locked for long. Only
//! [`verify`] reads all of it.

use std::fs::{File, TryLockError};
use std::path::Path;

use rusqlite::Connection;

use crate::blob;
use crate::civil::Month;
use crate::error::{HistoryError, IoContext, Result, SqliteContext};
use crate::main_file;
use crate::month::{GONE, MonthFile};
use crate::quarantine::{Damage, noted};

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
    /// What is missing of it, as far as that is known without reading all.
    pub damage: Vec<Damage>,
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
    let in_use = in_use(dir)?;
    let damage = known_damage(dir, &connection, &months, in_use)?;
    Ok(Some(StoreFacts { in_use, points, months, bytes: store_bytes(dir)?, damage }))
}

/// What notes tell of, months that were sealed and whose files are gone, and chunks kept aside.
fn known_damage(
    dir: &Path,
    main: &Connection,
    months: &[(String, u64)],
    in_use: bool,
) -> Result<Vec<Damage>> {
    let mut damage = noted(dir)?;
    let path = main_file::main_path(dir);
    let what = "reading which months are sealed";
    let version: i64 = main.pragma_query_value(None, "user_version", |row| row.get(0)).at(what, &path)?;
    if version >= 2 {
        let mut statement = main.prepare("SELECT month FROM sealed ORDER BY month").at(what, &path)?;
        let sealed = statement.query_map([], |row| row.get(0).map(Month::from_number)).at(what, &path)?;
        for month in sealed {
            let file = format!("{}.db", month.at(what, &path)?);
            if !dir.join(&file).exists() {
                damage
                    .push(Damage { file, why: format!("{GONE}; put that of a backup into the data folder") });
            }
        }
    }
    for month in months.iter().filter_map(|(name, _)| Month::parse(name)) {
        match MonthFile::open_to_read(dir, month).and_then(|file| file.kept_aside()) {
            Ok(0) => {}
            Ok(chunks) => damage.push(month.kept_aside(chunks)),
            // It is just being made.
            Err(HistoryError::Foreign { .. }) if in_use => {}
            Err(error) => damage.push(Damage { file: format!("{month}.db"), why: error.to_string() }),
        }
    }
    Ok(damage)
}

/// Reads everything in a store and gives what is damaged. `progress` is called with the month that is read next; where it
/// says `false`, what was found so far is given.
///
/// # Errors
/// Where the folder or the main file can't be read.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(&str) -> bool) -> Result<Vec<Damage>> {
    let mut damage = Vec::new();
    let connection = main_file::open_checked(dir)?;
    let path = main_file::main_path(dir);
    let mut statement = connection.prepare("SELECT data FROM blob ORDER BY id").at("reading", &path)?;
    let mut rows = statement.query([]).at("reading", &path)?;
    while let Some(row) = rows.next().at("reading", &path)? {
        let bytes = row.get_ref(0).at("reading", &path)?.as_blob().unwrap_or_default();
        if let Err(why) = blob::decode(bytes, |_, _, _, _| ()) {
            damage.push(Damage { file: "history.db".to_owned(), why: why.to_string() });
        }
    }
    let mut months: Vec<Month> = files(dir)?
        .into_iter()
        .filter_map(|(name, _)| name.strip_suffix(".db").and_then(Month::parse))
        .collect();
    months.sort();
    for month in months {
        if !progress(&month.to_string()) {
            break;
        }
        match MonthFile::open_to_read(dir, month).and_then(|file| file.verify()) {
            Ok(bad) => {
                damage.extend(bad.into_iter().map(|(from, to, why)| month.damaged_chunk(from, to, &why)))
            }
            Err(error) => damage.push(Damage { file: format!("{month}.db"), why: error.to_string() }),
        }
    }
    Ok(damage)
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
        assert_eq!((facts.damage, verify(dir.path(), &mut |_| true).unwrap()), (vec![], vec![]));
        drop(history);
        assert!(!inspect(dir.path()).unwrap().unwrap().in_use);
        std::fs::remove_file(dir.path().join("2026-03.db")).unwrap();
        let gone = inspect(dir.path()).unwrap().unwrap().damage;
        assert!(gone[0].file == "2026-03.db" && gone[0].why.contains("its file is gone"), "{gone:?}");
        std::fs::write(dir.path().join("history.db"), b"something else that is no database at all").unwrap();
        assert!(inspect(dir.path()).is_err());
    }
}
