//! The SDK itself, carried along: a project has a copy under `sdk/`, and is built with that copy.

use std::path::{Path, PathBuf};

use crate::{Error, write};

/// Folder of the SDK, path in a project, content.
const FILES: &[(&str, &str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The files of some folders of the SDK, with their paths in a project.
pub(crate) fn files(folders: &[&str]) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().filter(|(folder, ..)| folders.contains(folder)).map(|(_, path, bytes)| (*path, *bytes))
}

/// Where a folder of the SDK is for a project: its own copy, else this program's, put into `target`.
pub(crate) fn folder(project: &Path, folder: &str, mark: &str, target: &Path) -> Result<PathBuf, Error> {
    let own = project.join("sdk");
    if own.join(mark).exists() {
        return Ok(own);
    }
    for (path, bytes) in files(&[folder]) {
        write(&target.join(path), bytes)?;
    }
    Ok(target.join("sdk"))
}
