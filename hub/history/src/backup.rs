//! Backup and restore: a copy of a store in a folder, made while a hub runs on it.
//!
//! The main file is copied first, each file in one read transaction. Samples only ever move from the main file's blobs
//! into month files, and leave the main file when they are durable there: so a month copied later has at least what
//! the main file no longer had, and its number says which blobs it has already. A backup is written beside its name,
//! synced, and then renamed: what bears the name is whole. Who asks for it is asked all the while whether to go on, in
//! the middle of a large file too.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::civil::Month;
use crate::error::{HistoryError, IoContext, Result, SqliteContext};
use crate::folder;
use crate::main_file::main_path;
use crate::store::lock_folder;

/// The list of what a backup holds, in its folder.
const MANIFEST: &str = "backup.json";
const FORMAT: u32 = 1;

/// How often SQLite's own work on a file is looked at, and the bytes of a file between two looks elsewhere.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOK_EVERY_BYTES: usize = 1 << 20;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this list.
    pub format: u32,
    /// Its files.
    pub files: Vec<BackupFile>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its BLAKE3 hash in hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// The length of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Called with the files done, of how many, and the next one's name, several times a second; `false` gives up and leaves
/// nothing behind.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize, &str) -> bool;

/// The file at work.
struct At<'a> {
    progress: &'a mut dyn FnMut(usize, usize, &str) -> bool,
    done: usize,
    of: usize,
    name: &'a str,
}

impl At<'_> {
    fn go_on(&mut self) -> Result<()> {
        if (self.progress)(self.done, self.of, self.name) {
            Ok(())
        } else {
            Err(HistoryError::GivenUp { left: None })
        }
    }

    /// Lets SQLite work on a connection until it is done, or nobody wants it any more.
    fn while_wanted<T: Send>(
        &mut self,
        connection: Connection,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    ) -> Result<rusqlite::Result<T>> {
        let handle = connection.get_interrupt_handle();
        let (working, done) = crossbeam_channel::bounded::<()>(0);
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let _working = working;
                work(&connection)
            });
            let mut wanted = self.go_on();
            // The other end goes when the work is done.
            while done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if wanted.is_ok() {
                    wanted = self.go_on();
                }
                if wanted.is_err() {
                    handle.interrupt();
                }
            }
            let outcome = worker.join().map_err(|_| HistoryError::Closed)?;
            wanted.map(|()| outcome)
        })
    }
}

/// Copies the store in `data` to a new folder `out`. A hub may run on it meanwhile.
///
/// # Errors
/// If `out` exists, there is no store, a file is damaged or the disk fails; then nothing is left at `out`.
pub fn backup(data: &Path, out: &Path, progress: Progress<'_>) -> Result<Manifest> {
    if !main_path(data).is_file() {
        return Err(HistoryError::NoStore { dir: data.to_owned() });
    }
    written_beside(out, |partial| {
        let mut names = vec!["history.db".to_owned()];
        copy_database(data, partial, &mut At { progress, done: 0, of: 0, name: &names[0] })?;
        // Listed after the main file is copied: a month made meanwhile belongs to it.
        names.extend(month_names(data)?);
        let mut files = Vec::new();
        for (done, name) in names.iter().enumerate() {
            let mut at = At { progress, done, of: names.len(), name };
            if done > 0 {
                match copy_database(data, partial, &mut at) {
                    // Retention has deleted it meanwhile.
                    Err(_) if !data.join(name).exists() => continue,
                    other => other?,
                }
            }
            files.push(described(partial, &mut at)?);
        }
        let manifest = Manifest { format: FORMAT, files };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|why| HistoryError::corrupt("the list of a backup", why.to_string()))?;
        let path = partial.join(MANIFEST);
        std::fs::write(&path, text).and_then(|()| File::open(&path)?.sync_all()).at("writing", &path)?;
        Ok(manifest)
    })
}

/// Reads a backup as a whole: every file is there, has its hash, and is a sound database.
///
/// # Errors
/// [`HistoryError::Backup`] says which file is not as it was written.
pub fn verify_backup(from: &Path, progress: Progress<'_>) -> Result<Manifest> {
    let path = from.join(MANIFEST);
    if from.is_dir() && !path.exists() {
        let why = "it is missing: this is no backup, or one that was never finished".to_owned();
        return Err(HistoryError::Backup { path, why });
    }
    let text = std::fs::read(&path).at("reading", &path)?;
    let bad = |name: &str, why: &str| HistoryError::Backup { path: from.join(name), why: why.to_owned() };
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|why| bad(MANIFEST, &format!("it does not read ({why})")))?;
    if manifest.format != FORMAT {
        return Err(bad(MANIFEST, "its format is that of a newer program"));
    }
    if !manifest.files.iter().any(|file| file.name == "history.db") {
        return Err(bad(MANIFEST, "it lists no history.db"));
    }
    for (done, file) in manifest.files.iter().enumerate() {
        // Names come from outside: only those of a store are taken.
        let of_month = file.name.strip_suffix(".db").and_then(Month::parse).is_some();
        if file.name != "history.db" && !of_month {
            return Err(bad(MANIFEST, "it lists a file that is of no store"));
        }
        let mut at = At { progress, done, of: manifest.files.len(), name: &file.name };
        let found = described(from, &mut at)?;
        if found != *file {
            return Err(bad(&file.name, "its content is not what was written"));
        }
        let path = from.join(&file.name);
        let check = |c: &Connection| c.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let sound = at.while_wanted(open_to_read(&path)?, check)?.at("checking a backup", &path)?;
        if sound != "ok" {
            return Err(bad(&file.name, &sound));
        }
    }
    Ok(manifest)
}

/// Makes a data folder from a backup, which is verified first.
///
/// # Errors
/// If the folder is in use or holds anything, or the backup is not whole; then nothing is changed.
pub fn restore(from: &Path, data: &Path, progress: Progress<'_>) -> Result<Manifest> {
    if data.is_dir() {
        if data.join("lock").exists() {
            drop(lock_folder(data)?);
        }
        if std::fs::read_dir(data).at("listing", data)?.next().is_some() {
            return Err(HistoryError::Exists { path: data.to_owned() });
        }
    }
    let manifest = verify_backup(from, progress)?;
    let manifest = &manifest;
    let was_there = data.is_dir();
    if was_there {
        std::fs::remove_dir(data).at("replacing the empty folder", data)?;
    }
    let restored = written_beside(data, |partial| {
        for (done, file) in manifest.files.iter().enumerate() {
            let to = partial.join(&file.name);
            let mut at = At { progress, done, of: manifest.files.len(), name: &file.name };
            copy_file(&from.join(&file.name), &to, &mut at)?;
            if described(partial, &mut at)? != *file {
                return Err(HistoryError::Backup {
                    path: to,
                    why: "it changed while it was copied".to_owned(),
                });
            }
        }
        Ok(manifest.clone())
    });
    if restored.is_err() && was_there {
        // As it was before; where that fails, the error tells of the disk.
        let _ = std::fs::create_dir(data);
    }
    restored
}

/// Fills a folder under another name, and names it when it is whole and durable.
fn written_beside(out: &Path, fill: impl FnOnce(&Path) -> Result<Manifest>) -> Result<Manifest> {
    if out.exists() {
        return Err(HistoryError::Exists { path: out.to_owned() });
    }
    let above = out.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder::make(above)?;
    let mut partial = out.as_os_str().to_owned();
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(partial);
    std::fs::create_dir(&partial).at("making the folder", &partial)?;
    let filled = fill(&partial).and_then(|manifest| {
        folder::sync(&partial)?;
        std::fs::rename(&partial, out).at("naming the finished copy", out)?;
        folder::sync(above)?;
        Ok(manifest)
    });
    match filled {
        Ok(manifest) => Ok(manifest),
        // Of other errors, what went wrong is more use to the caller than that a rest could not be removed.
        Err(why) => match (std::fs::remove_dir_all(&partial), why) {
            (Err(_), HistoryError::GivenUp { .. }) => Err(HistoryError::GivenUp { left: Some(partial) }),
            (_, why) => Err(why),
        },
    }
}

fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).at("opening", path)?;
    connection.execute_batch("PRAGMA busy_timeout = 5000").at("opening", path)?;
    Ok(connection)
}

/// Copies one database as of one moment, through SQLite, so that a hub may write to it meanwhile.
fn copy_database(data: &Path, partial: &Path, at: &mut At<'_>) -> Result<()> {
    let (from, to) = (data.join(at.name), partial.join(at.name));
    let target = to.to_str().ok_or_else(|| HistoryError::Io {
        what: "naming",
        path: to.clone(),
        source: std::io::Error::other("the path is not UTF-8"),
    })?;
    at.while_wanted(open_to_read(&from)?, |c| c.execute("VACUUM INTO ?1", [target]))?.at("copying", &from)?;
    File::open(&to).and_then(|file| file.sync_all()).at("syncing", &to)
}

fn month_names(data: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(data).at("listing", data)? {
        let name = entry.at("listing", data)?.file_name();
        let name = name.to_str().filter(|n| n.strip_suffix(".db").and_then(Month::parse).is_some());
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Reads a file piece by piece.
fn pieces(path: &Path, at: &mut At<'_>, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut file = File::open(path).at("reading", path)?;
    let mut buffer = vec![0; LOOK_EVERY_BYTES];
    loop {
        at.go_on()?;
        match file.read(&mut buffer).at("reading", path)? {
            0 => return Ok(()),
            n => take(&buffer[..n])?,
        }
    }
}

/// Length and hash of the file.
fn described(dir: &Path, at: &mut At<'_>) -> Result<BackupFile> {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0;
    pieces(&dir.join(at.name), at, |piece| {
        hasher.update(piece);
        bytes += piece.len() as u64;
        Ok(())
    })?;
    Ok(BackupFile { name: at.name.to_owned(), bytes, blake3: hasher.finalize().to_hex().to_string() })
}

/// Copies a file, durably. It is synced as it grows, so that the disk never has much to catch up with at once.
fn copy_file(from: &Path, to: &Path, at: &mut At<'_>) -> Result<()> {
    const SYNC_EVERY_BYTES: usize = 32 << 20;
    let mut out = File::create_new(to).at("making", to)?;
    let mut unsynced = 0;
    pieces(from, at, |piece| {
        out.write_all(piece).at("writing", to)?;
        unsynced += piece.len();
        if unsynced > SYNC_EVERY_BYTES {
            unsynced = 0;
            out.sync_data().at("syncing", to)?;
        }
        Ok(())
    })?;
    out.sync_all().at("syncing", to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MARCH, MINUTE, numbers, sample, two_points};
    use crate::{History, Record};
    use campanile_model::Timestamp;
    use serde_json::json;

    fn quiet(_: usize, _: usize, _: &str) -> bool {
        true
    }

    #[test]
    fn a_backup_made_while_the_store_is_written_and_sealed_has_what_was_acknowledged_before() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let history = History::open(&data, &two_points()).unwrap();
        let mut writer = history.writer();
        let commit = |writer: &mut crate::Writer, i: i64| {
            let record =
                Record::Put { kind: "n".into(), key: "n".into(), time: Timestamp(i), body: json!(i) };
            writer.commit(&[sample(0, MARCH + i * MINUTE, i as f64)], &[record]).unwrap();
        };
        for i in 0..100 {
            commit(&mut writer, i);
        }
        history.seal().unwrap();
        commit(&mut writer, 100);
        // Between the main file and the month, the hub writes and seals on: the month is newer than the main file.
        let mut i = 100;
        let mut on = |_: usize, _: usize, name: &str| {
            if name.starts_with("2026") {
                i += 1;
                commit(&mut writer, i);
                history.seal().unwrap();
            }
            true
        };
        let out = dir.path().join("backup");
        let manifest = backup(&data, &out, &mut on).unwrap();
        assert_eq!(manifest.files.len(), 2);
        assert!(matches!(backup(&data, &out, &mut quiet), Err(HistoryError::Exists { .. })));
        assert!(matches!(restore(&out, &data, &mut quiet), Err(HistoryError::InUse { .. })));
        let again = dir.path().join("again");
        restore(&out, &again, &mut quiet).unwrap();
        assert!(matches!(restore(&out, &again, &mut quiet), Err(HistoryError::Exists { .. })));
        let restored = History::open(&again, &two_points()).unwrap();
        let got = numbers(&restored, 0);
        assert!(got.len() >= 101, "{}", got.len());
        assert_eq!(restored.records("n").unwrap()[0].body, json!(100));
        // The month has sealed a blob that the main file has not counted yet: later blobs must not count as sealed.
        let before = got.len();
        restored.writer().commit(&[sample(1, MARCH, 7.0)], &[]).unwrap();
        drop(restored);
        let restored = History::open(&again, &two_points()).unwrap();
        assert_eq!(numbers(&restored, 1), [(MARCH, 7.0)], "committed after the restore, and opened again");
        restored.seal().unwrap();
        assert_eq!(numbers(&restored, 1), [(MARCH, 7.0)], "and sealed");
        assert_eq!(numbers(&restored, 0).len(), before);
    }

    #[test]
    fn a_copy_given_up_in_the_middle_of_a_file_leaves_nothing_that_could_pass_for_whole() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        drop(History::open(&data, &two_points()).unwrap());
        let main = Connection::open(main_path(&data)).unwrap();
        main.execute_batch("CREATE TABLE big (b BLOB); INSERT INTO big VALUES (randomblob(40000000));")
            .unwrap();
        main.close().unwrap();
        let names = || {
            let all = std::fs::read_dir(dir.path()).unwrap();
            let mut names: Vec<_> = all.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let out = dir.path().join("out");
        // Asked again and again while the one file is copied, and while it is hashed.
        for stop_at in [1, 2, 3, 10, 30] {
            let mut asked = 0;
            let given_up = backup(&data, &out, &mut |_, _, _| {
                asked += 1;
                asked < stop_at
            });
            assert!(matches!(given_up, Err(HistoryError::GivenUp { left: None })), "{stop_at}: {given_up:?}");
            assert_eq!(names(), ["data"], "{stop_at}");
        }
        backup(&data, &out, &mut quiet).unwrap();
        let mut asked = 0;
        verify_backup(&out, &mut |_, _, _| {
            asked += 1;
            true
        })
        .unwrap();
        assert!(asked > 30, "{asked}");
        // An empty folder that was there is there again.
        let to = dir.path().join("to");
        std::fs::create_dir(&to).unwrap();
        for stop_at in [1, 20, asked + 1, asked + 20] {
            let mut asked = 0;
            let given_up = restore(&out, &to, &mut |_, _, _| {
                asked += 1;
                asked < stop_at
            });
            assert!(matches!(given_up, Err(HistoryError::GivenUp { left: None })), "{stop_at}: {given_up:?}");
            assert_eq!(names(), ["data", "out", "to"], "{stop_at}");
            assert_eq!(std::fs::read_dir(&to).unwrap().count(), 0, "{stop_at}");
        }
        // What a second signal leaves has no list of what it holds.
        std::fs::remove_file(out.join(MANIFEST)).unwrap();
        let error = restore(&out, &to, &mut quiet).unwrap_err();
        assert!(error.to_string().contains("never finished"), "{error}");
    }

    #[test]
    fn a_changed_backup_is_refused_and_one_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let history = History::open(&data, &two_points()).unwrap();
        history.writer().commit(&[sample(0, MARCH, 1.0)], &[]).unwrap();
        history.seal().unwrap();
        let out = dir.path().join("backup");
        let given_up = backup(&data, &out, &mut |_, _, name| name == "history.db");
        assert!(matches!(given_up, Err(HistoryError::GivenUp { left: None })), "{given_up:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the data is there");
        backup(&data, &out, &mut quiet).unwrap();
        verify_backup(&out, &mut quiet).unwrap();
        for name in ["2026-03.db", "history.db", MANIFEST] {
            let path = out.join(name);
            let good = std::fs::read(&path).unwrap();
            let mut bad = good.clone();
            let middle = bad.len() / 2;
            bad[middle] ^= 4;
            for broken in [bad, good[..middle].to_vec(), vec![]] {
                std::fs::write(&path, broken).unwrap();
                let to = dir.path().join("to");
                assert!(restore(&out, &to, &mut quiet).is_err(), "{name}");
                assert!(!to.exists());
            }
            std::fs::write(&path, good).unwrap();
        }
        verify_backup(&out, &mut quiet).unwrap();
    }
}
