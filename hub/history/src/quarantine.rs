//! Damaged month files: renamed with the reason beside them, so that the rest is served and nothing is thrown away.

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
    let note = |n: u32| format!("{month}.damaged-{n}.txt");
    let n = (1..u32::MAX).find(|n| !dir.join(note(*n)).exists()).unwrap_or(u32::MAX);
    let old = month_path(dir, month);
    // The log first: a database whose log stayed behind would be read without it.
    for suffix in ["-shm", "-wal", "-journal", ""] {
        let mut from = old.clone().into_os_string();
        from.push(suffix);
        let from = Path::new(&from);
        if from.exists() {
            std::fs::rename(from, dir.join(format!("{month}.damaged-{n}.db{suffix}")))
                .at("setting aside", from)?;
        }
    }
    let why = format!(
        "{why}; the samples of {month} that were in it are missing. Stop the hub, put {month}.db of a backup into the \
         data folder, start it, and remove this note"
    );
    let path = dir.join(note(n));
    std::fs::write(&path, &why).at("writing", &path)?;
    folder::sync(dir)?;
    tracing::error!(file = %old.display(), why, "a month file is damaged and was set aside; the rest is served");
    Ok(Damage { file: note(n), why })
}

impl Month {
    /// A chunk of a month's file that does not decode.
    pub(crate) fn damaged_chunk(self, first_us: i64, last_us: i64, why: &str) -> Damage {
        let (from, to) = (rfc3339(first_us), rfc3339(last_us));
        let file = format!("{self}.db");
        tracing::error!(file, from, to, why, "a chunk of a point does not decode; the rest is served");
        let why = format!(
            "samples of a point from {from} to {to} do not decode ({why}); restore the file from a backup"
        );
        Damage { file, why }
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
