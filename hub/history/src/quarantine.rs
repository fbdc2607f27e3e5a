//! What is damaged, set aside with the reason beside it, so that the rest is served and nothing is thrown away.

use std::fs::File;
use std::path::Path;

use crate::civil::{Month, rfc3339};
use crate::error::{IoContext, Result};
use crate::folder;
use crate::month::month_path;

/// Something of the store that is missing, until somebody brings it back and removes the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where the note is, or what is damaged.
    pub file: String,
    /// What is wrong, and how to mend it.
    pub why: String,
}

/// Renames a month's files to `YYYY-MM.damaged-N.db`, and writes the reason to a text file beside it.
pub(crate) fn set_aside(dir: &Path, month: Month, why: &str) -> Result<Damage> {
    let name = free_name(dir, &month.to_string());
    let old = month_path(dir, month);
    // The log first: a database whose log stayed behind would be read without it.
    for suffix in ["-shm", "-wal", "-journal", ""] {
        let mut from = old.clone().into_os_string();
        from.push(suffix);
        let from = Path::new(&from);
        if from.exists() {
            std::fs::rename(from, dir.join(format!("{name}.db{suffix}"))).at("setting aside", from)?;
        }
    }
    let why = format!(
        "{why}; the samples of {month} that were in it are missing. Stop the hub, put {month}.db of a backup into the \
         data folder, start it, and remove this note"
    );
    tracing::error!(file = %old.display(), why, "a month is damaged and was set aside; the rest is served");
    note(dir, &name, why)
}

/// Keeps the bytes of a damaged raw blob in `history.damaged-N.blob`, with the reason beside it; the caller removes it
/// from the main file then.
pub(crate) fn set_aside_blob(dir: &Path, bytes: &[u8], why: &str) -> Result<Damage> {
    let name = free_name(dir, "history");
    let path = dir.join(format!("{name}.blob"));
    std::fs::write(&path, bytes).and_then(|()| File::open(&path)?.sync_all()).at("writing", &path)?;
    tracing::error!(file = %path.display(), why, "samples not yet sealed are damaged and were set aside");
    let why = format!(
        "{why}; the samples of one commit, of the last hours before {name}.blob was made, are missing. A backup made \
         after that commit may have them; remove this note when they are given up"
    );
    note(dir, &name, why)
}

/// `STEM.damaged-N`, of which there is no note yet.
fn free_name(dir: &Path, stem: &str) -> String {
    let name = |n: u32| format!("{stem}.damaged-{n}");
    let free = (1..u32::MAX).find(|n| !dir.join(format!("{}.txt", name(*n))).exists());
    name(free.unwrap_or(u32::MAX))
}

/// Writes a note, durably, with what was made before it in the folder.
fn note(dir: &Path, name: &str, why: String) -> Result<Damage> {
    let file = format!("{name}.txt");
    let path = dir.join(&file);
    std::fs::write(&path, &why).and_then(|()| File::open(&path)?.sync_all()).at("writing", &path)?;
    folder::sync(dir)?;
    Ok(Damage { file, why })
}

impl Month {
    /// A chunk of a month's file that is damaged.
    pub(crate) fn damaged_chunk(self, first_us: i64, last_us: i64, why: &str) -> Damage {
        let (from, to) = (rfc3339(first_us), rfc3339(last_us));
        let file = format!("{self}.db");
        let why = format!(
            "samples of a point from {from} to {to} are damaged ({why}); restore the file from a backup"
        );
        Damage { file, why }
    }

    /// Chunks that were damaged when what came late for them was sealed.
    pub(crate) fn kept_aside(self, chunks: i64) -> Damage {
        let why = format!(
            "{chunks} chunks were damaged and are kept in the table 'damaged' of the file; restore it from a backup, \
             or drop that table when they are given up"
        );
        Damage { file: format!("{self}.db"), why }
    }
}

/// The notes in the folder.
pub(crate) fn noted(dir: &Path) -> Result<Vec<Damage>> {
    let mut damage = Vec::new();
    for entry in std::fs::read_dir(dir).at("listing", dir)? {
        let entry = entry.at("listing", dir)?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.contains(".damaged-") && file.ends_with(".txt") {
            let why = std::fs::read_to_string(entry.path()).unwrap_or_else(|why| why.to_string());
            damage.push(Damage { file, why });
        }
    }
    damage.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(damage)
}
