//! What can go wrong in the store.

use std::path::{Path, PathBuf};

use campanile_model::PointId;

/// The result of the calls of this crate.
pub type Result<T, E = HistoryError> = std::result::Result<T, E>;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The operating system refused a file operation.
    #[error("{what} {}: {source}; check that the disk is mounted, has room and may be written to", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite refused an operation.
    #[error("{what} in {}: {source}; check the room on the disk, else restore the file from a backup", path.display())]
    Sqlite {
        /// What was being done.
        what: &'static str,
        /// In which file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Stored bytes do not decode.
    #[error("{what} in the store does not decode ({why}); restore the file from a backup")]
    Corrupt {
        /// Which kind of stored bytes.
        what: &'static str,
        /// What is wrong with them.
        why: String,
    },
    /// The store was written by a newer program.
    #[error("{} has schema version {found}, this program knows up to {known}; start the newer program, or restore a backup made before the upgrade", path.display())]
    NewerStore {
        /// Which file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is an SQLite file of another program.
    #[error("{} is not a Campanile store; name another data folder", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// Another process has the store open.
    #[error("{} is in use by another hub; stop it, or name another data folder", dir.display())]
    InUse {
        /// The data folder.
        dir: PathBuf,
    },
    /// The main file is damaged.
    #[error("{} is damaged ({why}); stop the hub, move the data folder away, and bring back the newest backup with `campanile restore BACKUP --data DIR`; month files newer than the backup may be copied from the old folder into the new", path.display())]
    DamagedStore {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// A month file is damaged; the store sets it aside.
    #[error("{} is damaged: {why}; restore it from a backup", path.display())]
    DamagedMonth {
        /// The file.
        path: PathBuf,
        /// Its month's number.
        month: i64,
        /// What is wrong with it.
        why: String,
    },
    /// There is no store in the folder.
    #[error("there is no history.db in {}; give the --data DIR of the hub", dir.display())]
    NoStore {
        /// The folder.
        dir: PathBuf,
    },
    /// A copy would be written over something.
    #[error("{} is there already and is not written over; name another place, or move it away", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// A backup is not as it was written.
    #[error("the backup is damaged at {}: {why}; use another backup", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The caller wanted no more of it.
    #[error("given up as asked; {}", match left {
        None => "nothing was left behind".to_owned(),
        Some(left) => format!("{} could not be removed: it is no whole copy, remove it", left.display()),
    })]
    GivenUp {
        /// What could not be removed.
        left: Option<PathBuf>,
    },
    /// The list of points given to [`crate::History::open`] contradicts itself or is too long.
    #[error("the list of points is not usable: {0}")]
    Points(String),
    /// The point is not among those the store was opened with.
    #[error("point number {} is not in the campus that the store was opened with", .0.0)]
    UnknownPoint(PointId),
    /// Energy was asked of a point that is neither a counter nor has interval amounts.
    #[error(
        "{path} is neither a counter nor an interval amount; ask for its buckets instead, or set its accumulation in campus.toml"
    )]
    NotAMeter {
        /// The point's path.
        path: String,
    },
    /// The width of buckets is not positive, or there would be too many of them.
    #[error(
        "buckets of {width_micros} µs from {from_micros} to {to_micros} are not possible: at most {max} buckets, each at least 1 ms wide"
    )]
    Buckets {
        /// The asked width.
        width_micros: i64,
        /// Start of the asked range.
        from_micros: i64,
        /// End of the asked range.
        to_micros: i64,
        /// The most buckets in one query.
        max: usize,
    },
    /// A record is too large or its kind or key is empty or too long.
    #[error("record {kind}/{key} cannot be kept: {why}")]
    Record {
        /// The record's kind.
        kind: String,
        /// The record's key.
        key: String,
        /// Why not.
        why: &'static str,
    },
    /// Samples come faster than they can be sealed, or sealing fails.
    #[error(
        "{unsealed} samples wait to be sealed into month files and sealing does not keep up; see the log for its last error, make room on the disk, or send less"
    )]
    Backlog {
        /// How many samples wait.
        unsealed: u64,
    },
    /// The writer has stopped.
    #[error("the history writer has stopped; open the store again")]
    Closed,
}

impl HistoryError {
    /// What is wrong with a file, where SQLite's error says that the file is, rather than the disk or the question.
    pub(crate) fn damage_of(error: &rusqlite::Error) -> Option<String> {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(code_of(error), Some(DatabaseCorrupt | NotADatabase)).then(|| error.to_string())
    }

    /// What is wrong with a file whose pages are sound and that has not the tables, rows or types that it was made with.
    fn misshape_of(error: &rusqlite::Error) -> Option<String> {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows,
        };
        let misshapen = match error {
            QueryReturnedNoRows
            | InvalidColumnType(..)
            | FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..) => true,
            // Our questions are well-formed: what SQLite calls a plain error in them is a column or table of another name.
            other => code_of(other) == Some(rusqlite::ErrorCode::Unknown),
        };
        misshapen.then(|| error.to_string())
    }

    /// The same error, or that the month's file is damaged where it says so.
    pub(crate) fn of_month(self, month: crate::civil::Month, path: &Path) -> Self {
        let why = match &self {
            Self::Sqlite { source, .. } => Self::damage_of(source).or_else(|| Self::misshape_of(source)),
            Self::Foreign { .. } => Some("it is no month file of Campanile".to_owned()),
            // The main file is of a version that is known.
            Self::NewerStore { found, known, .. } => {
                Some(format!("it has schema version {found}, and this program knows up to {known}"))
            }
            _ => None,
        };
        match why {
            Some(why) => Self::DamagedMonth { path: path.to_owned(), month: month.number(), why },
            None => self,
        }
    }

    /// A stored thing that does not decode.
    pub(crate) fn corrupt(what: &'static str, why: impl Into<String>) -> Self {
        Self::Corrupt { what, why: why.into() }
    }
}

/// SQLite's code. Errors that have a place in the question have a kind of their own.
fn code_of(error: &rusqlite::Error) -> Option<rusqlite::ErrorCode> {
    match error {
        rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. } => {
            Some(error.code)
        }
        _ => None,
    }
}

/// Adds the what and the where to errors of SQLite.
pub(crate) trait SqliteContext<T> {
    /// Says what was being done in which file.
    fn at(self, what: &'static str, path: &Path) -> Result<T>;
}

impl<T> SqliteContext<T> for rusqlite::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| HistoryError::Sqlite { what, path: path.to_owned(), source })
    }
}

/// Adds the what and the where to errors of the file system.
pub(crate) trait IoContext<T> {
    /// Says what was being done with which file.
    fn at(self, what: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| HistoryError::Io { what, path: path.to_owned(), source })
    }
}
