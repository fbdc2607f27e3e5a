//! Rehearsals on the disk: a folder each, with a small description and the whole state.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use campanile_protocol::rehearsal::BranchOf;
use serde::{Deserialize, Serialize};

const META: &str = "rehearsal.json";
const STATE: &str = "state.bin";

/// What is kept of a rehearsal beside its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// Its drill.
    pub drill: String,
    /// Of what it is a branch.
    pub branch_of: Option<BranchOf>,
    /// The pace that is wanted; negative is as fast as possible.
    pub rate: f64,
}

/// A rehearsal that was kept.
#[derive(Debug)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Its drill.
    pub drill: String,
    /// The rest of the description.
    pub meta: Meta,
    /// The whole state.
    pub state: Vec<u8>,
}

/// Writes a file so that after a fall of power it is the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    // The name too has to be on the disk.
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Keeps a rehearsal.
pub fn keep(dir: &Path, meta: &Meta, state: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    replace(&dir.join(STATE), state)?;
    let meta = serde_json::to_vec_pretty(meta).map_err(std::io::Error::other)?;
    replace(&dir.join(META), &meta)
}

/// Forgets a rehearsal.
pub fn forget(dir: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

/// The rehearsals that are kept; what can't be read is said and left where it is.
pub fn list(dir: &Path) -> Vec<Kept> {
    let mut dirs: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    dirs.sort();
    let mut found = Vec::new();
    for dir in dirs.into_iter().filter(|d| d.is_dir()) {
        match read(&dir) {
            Ok(kept) => found.push(kept),
            Err(why) => tracing::error!(%why, dir = %dir.display(), "a kept rehearsal can't be read"),
        }
    }
    found
}

fn read(dir: &Path) -> std::io::Result<Kept> {
    let meta: Meta =
        serde_json::from_slice(&std::fs::read(dir.join(META))?).map_err(std::io::Error::other)?;
    let id = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    Ok(Kept { id, drill: meta.drill.clone(), state: std::fs::read(dir.join(STATE))?, meta })
}
