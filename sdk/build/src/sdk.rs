//! The SDK itself, carried along: a project has a copy under `sdk/`, and is built with that copy.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, read, write};

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

/// A copy of a project's sources, without what was fetched or built, in an empty folder of their own.
pub(crate) fn stage(project: &Path, target: &Path, extensions: &[&str]) -> Result<(), Error> {
    if target.exists() {
        fs::remove_dir_all(target).map_err(|source| Error::File { path: target.into(), source })?;
    }
    copy(project, project, target, extensions)
}

fn copy(root: &Path, dir: &Path, target: &Path, extensions: &[&str]) -> Result<(), Error> {
    let unreadable = |source| Error::File { path: dir.into(), source };
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "tests", "__pycache__"].contains(&name.as_str())
                && !name.starts_with('.')
            {
                copy(root, &path, target, extensions)?;
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|known| e == *known)) {
            let inner = path.strip_prefix(root).unwrap_or(&path);
            write(&target.join(inner), &read(&path)?)?;
        }
    }
    Ok(())
}
