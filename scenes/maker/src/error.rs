//! What can be wrong with a description.

use std::path::PathBuf;

/// Why a campus couldn't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// A file couldn't be read or written.
    #[error("{path}: {source}; check that the file exists and that its folder may be written to", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A description isn't TOML or lacks something.
    #[error("{path}: {source}; compare it with the description that ships", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says, with line and column.
        source: Box<toml::de::Error>,
    },
    /// The description contradicts itself.
    #[error("{place}: {what}; {mend}")]
    Description {
        /// Where in the description.
        place: String,
        /// What is wrong.
        what: String,
        /// What to do.
        mend: String,
    },
    /// The terrain couldn't be written.
    #[error("the terrain: {0}")]
    Terrain(#[from] campanile_formats::geotiff::GeoTiffError),
    /// The plan couldn't be written.
    #[error("the plan: {0}")]
    Plan(#[from] serde_json::Error),
}

impl MakeError {
    pub(crate) fn at(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Description { place: place.into(), what: what.into(), mend: mend.into() }
    }
}
