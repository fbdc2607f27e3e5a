//! Folders: what is made or removed in one is durable only when the folder itself is synced.

use std::fs::File;
use std::path::Path;

use crate::error::{IoContext, Result};

/// Makes the names in a folder durable.
pub(crate) fn sync(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|folder| folder.sync_all()).at("syncing", dir)?;
    #[cfg(test)]
    crate::power_loss::folder_synced(dir);
    Ok(())
}

/// Removes a file; one that is gone already is no error.
pub(crate) fn remove(path: &Path) -> Result<()> {
    #[cfg(test)]
    crate::power_loss::before_removal(path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("deleting", path),
        _ => Ok(()),
    }
}

/// Makes a folder, and those above it, durably.
pub(crate) fn make(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make(above)?;
    match std::fs::create_dir(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(error).at("making the folder", dir)
        }
        _ => sync(above),
    }
}
