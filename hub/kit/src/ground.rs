//! Where plugins are tried: campuses, each read once.

use std::collections::BTreeMap;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use campanile_formats::{Epw, epw};
use campanile_model::{Campus, Severity};
use campanile_plugins::{Manifest, extended};

/// Problems of a campus that are said.
const SAID: usize = 3;

/// Campuses by folder.
#[derive(Debug)]
pub struct Grounds {
    default: PathBuf,
    campuses: Mutex<BTreeMap<PathBuf, Result<Arc<Campus>, String>>>,
    weather: Mutex<BTreeMap<PathBuf, Option<Arc<Epw>>>>,
}

impl Grounds {
    /// Campuses; the folder is that of the one that is meant where none is named.
    pub fn new(default: PathBuf) -> Self {
        Self { default, campuses: Mutex::default(), weather: Mutex::default() }
    }

    /// A campus as it is.
    ///
    /// # Errors
    /// Why it can't be used, in words.
    pub fn plain(&self, dir: Option<&FsPath>) -> Result<Arc<Campus>, String> {
        let dir = dir.unwrap_or(&self.default);
        let mut campuses = self.campuses.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            campanile_model::open(dir).map(Arc::new).map_err(|problems| {
                let errors = problems.0.iter().filter(|p| p.severity == Severity::Error);
                let said: Vec<String> = errors.take(SAID).map(ToString::to_string).collect();
                format!("the campus in {} can't be used: {}", dir.display(), said.join("; "))
            })
        };
        campuses.entry(dir.to_owned()).or_insert_with(open).clone()
    }

    /// A campus with the points that a plugin derives.
    ///
    /// # Errors
    /// Why it can't be used, in words.
    pub fn with(&self, dir: Option<&FsPath>, manifest: &Manifest) -> Result<Arc<Campus>, String> {
        Ok(Arc::new(extended(&*self.plain(dir)?, [manifest])))
    }

    /// The weather of a campus, where it has any that can be read.
    pub fn weather(&self, campus: &Campus) -> Option<Arc<Epw>> {
        let file = campus.root_dir.join(campus.weather_file.as_ref()?);
        let mut weather = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let text = std::fs::read_to_string(&file).ok()?;
            Some(Arc::new(epw::read(&text).ok()?))
        };
        weather.entry(file.clone()).or_insert_with(read).clone()
    }
}
