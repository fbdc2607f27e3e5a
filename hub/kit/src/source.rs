//! A plugin as its maker has it: a folder, or the package made of one.

use std::path::{Path as FsPath, PathBuf};

use campanile_model::Names;
use campanile_plugins::{MANIFEST_FILE, Package};

use crate::finding::Finding;

/// The folder of scenarios.
const TESTS: &str = "tests";

/// A plugin's files.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    package: Option<Package>,
}

/// Why there is no plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing is there.
    #[error("{0} is neither a plugin's folder nor its package")]
    Nothing(PathBuf),
    /// The folder has no manifest.
    #[error("{0} has no plugin.toml")]
    NoManifest(PathBuf),
    /// The file is no package.
    #[error("{file}: {why}")]
    Package {
        /// Which file.
        file: PathBuf,
        /// Why.
        why: campanile_plugins::PackageError,
    },
    /// The file can't be read.
    #[error("{file}: {why}")]
    File {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
}

impl SourceError {
    /// How to mend it.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Nothing(_) | Self::NoManifest(_) => {
                "name the folder with plugin.toml; `campanile plugin new NAME --lang rust` begins one"
            }
            Self::Package { .. } => "make it anew with `campanile plugin pack`",
            Self::File { .. } => "look whether the file is there and may be read",
        }
    }
}

impl Source {
    /// Opens a folder with `plugin.toml`, or a package.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn open(path: &FsPath) -> Result<Self, SourceError> {
        if path.is_dir() {
            if !path.join(MANIFEST_FILE).is_file() {
                return Err(SourceError::NoManifest(path.to_owned()));
            }
            return Ok(Self { path: path.to_owned(), package: None });
        }
        if !path.is_file() {
            return Err(SourceError::Nothing(path.to_owned()));
        }
        let failed = |why| SourceError::File { file: path.to_owned(), why };
        let bytes = std::fs::read(path).map_err(failed)?;
        let package =
            Package::read(&bytes).map_err(|why| SourceError::Package { file: path.to_owned(), why })?;
        Ok(Self { path: path.to_owned(), package: Some(package) })
    }

    /// The folder or the package.
    pub fn path(&self) -> &FsPath {
        &self.path
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.package.is_none()
    }

    /// The package, where it is one.
    pub fn package(&self) -> Option<&Package> {
        self.package.as_ref()
    }

    /// Where a file of it is, for people.
    pub fn file(&self, name: &str) -> PathBuf {
        // A folder that is the working one needs no name.
        if self.path == FsPath::new(".") { PathBuf::from(name) } else { self.path.join(name) }
    }

    /// The bytes of a file of it; none where there is no such file.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        match &self.package {
            None => std::fs::read(self.path.join(name)).ok(),
            Some(package) => package.file(name).map(|bytes| bytes.to_vec()),
        }
    }

    /// A file of it as text.
    ///
    /// # Errors
    /// What to tell people, where there is none or it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<String, Box<Finding>> {
        let file = self.file(name);
        let Some(bytes) = self.read(name) else {
            return Err(Box::new(Finding::error(
                "file-missing",
                &file,
                Names::new(format!("没有文件 {name}"), format!("there is no file {name}")),
                Names::new("写上这个文件，或改正它的名称。", "Write it, or mend its name."),
            )));
        };
        let text = String::from_utf8(bytes).map_err(|why| {
            let at = why.utf8_error().valid_up_to();
            Box::new(Finding::error(
                "not-utf8",
                &file,
                Names::new(format!("第 {at} 字节处不是 UTF-8"), format!("it isn't UTF-8 at byte {at}")),
                Names::new("存为 UTF-8。", "Save it as UTF-8."),
            ))
        })?;
        // Some editors put a mark before UTF-8; it means nothing.
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    /// The files of its scenarios, by name.
    pub fn scenarios(&self) -> Vec<PathBuf> {
        if self.package.is_some() {
            return Vec::new();
        }
        let entries = std::fs::read_dir(self.file(TESTS)).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path());
        let mut found: Vec<PathBuf> =
            files.filter(|file| file.extension().is_some_and(|e| e == "toml")).collect();
        found.sort();
        found
    }
}
