//! Reading a campus folder, and the problems found in it.

use std::fmt;
use std::path::{Path as FsPath, PathBuf};

use crate::Campus;

/// What is wrong with a campus folder, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the campus can be used all the same.
    pub severity: Severity,
    /// A stable code, such as `ring-orientation`; `docs/scene-format.md` lists them.
    pub code: &'static str,
    /// The file.
    pub file: PathBuf,
    /// The place in the file.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// Whether a problem keeps the campus from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The campus can't be used.
    Error,
    /// The campus can be used, but something is likely not as meant.
    Warning,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// A line and a column, both counted from 1; columns count characters.
    Line {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A JSON pointer (RFC 6901) into a JSON file.
    Pointer(String),
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}", self.severity, self.code, self.file.display())?;
        match &self.place {
            Place::Whole => {}
            Place::Line { line, column } => write!(f, ":{line}:{column}")?,
            Place::Pointer(pointer) => write!(f, "#{pointer}")?,
        }
        write!(f, ": {}. {}", self.what, self.mend)
    }
}

/// Every problem of a campus that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// What [`load`] found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The campus, if no problem is an error.
    pub campus: Option<Campus>,
    /// Every problem, errors first.
    pub problems: Vec<Problem>,
}

/// Reads `plan.json` and `campus.toml` in a folder, checks them and resolves them.
pub fn load(dir: &FsPath) -> Loaded {
    let problem = Problem {
        severity: Severity::Error,
        code: "not-built",
        file: dir.to_owned(),
        place: Place::Whole,
        what: "this build can't read a campus yet".to_owned(),
        mend: "Use a later build.".to_owned(),
    };
    Loaded { campus: None, problems: vec![problem] }
}

/// Reads a campus folder, or gives every problem that keeps it from being used.
///
/// # Errors
/// [`Problems`], with warnings too, where [`load`] found an error.
pub fn open(dir: &FsPath) -> Result<Campus, Problems> {
    let loaded = load(dir);
    loaded.campus.ok_or(Problems(loaded.problems))
}
