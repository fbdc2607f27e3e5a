//! Problems of a campus folder, and the report that collects them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::toml_doc::TomlPlaces;

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
    /// What is wrong, without a full stop.
    pub what: String,
    /// How to mend it, as a sentence.
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

/// One mistake in a template can give thousands of problems; more than this of one code in one
/// file is counted rather than listed.
const MAX_PER_CODE: usize = 100;

/// Collects problems of both files. Places are given as JSON pointers in either; those of
/// `campus.toml` become lines and columns.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub plan_file: PathBuf,
    pub campus_file: PathBuf,
    pub toml: TomlPlaces,
    problems: Vec<Problem>,
    counts: BTreeMap<(PathBuf, &'static str), usize>,
}

impl Report {
    pub fn new(plan_file: PathBuf, campus_file: PathBuf) -> Self {
        Self { plan_file, campus_file, ..Self::default() }
    }

    pub fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        file: PathBuf,
        place: Place,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let count = self.counts.entry((file.clone(), code)).or_default();
        *count += 1;
        if *count <= MAX_PER_CODE {
            let (what, mend) = (what.into(), mend.into());
            self.problems.push(Problem { severity, code, file, place, what, mend });
        }
    }

    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// An error at a JSON pointer in `plan.json`.
    pub fn plan(
        &mut self,
        code: &'static str,
        at: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(Severity::Error, code, self.plan_file.clone(), Place::Pointer(at.into()), what, mend);
    }

    /// A warning at a JSON pointer in `plan.json`.
    pub fn plan_warning(
        &mut self,
        code: &'static str,
        at: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, self.plan_file.clone(), Place::Pointer(at.into()), what, mend);
    }

    /// An error in `campus.toml` at the value that a JSON pointer leads to.
    pub fn campus(&mut self, code: &'static str, at: &str, what: impl Into<String>, mend: impl Into<String>) {
        let place = self.toml.value_place(at);
        self.add(Severity::Error, code, self.campus_file.clone(), place, what, mend);
    }

    /// A warning in `campus.toml` at the value that a JSON pointer leads to.
    pub fn campus_warning(
        &mut self,
        code: &'static str,
        at: &str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let place = self.toml.value_place(at);
        self.add(Severity::Warning, code, self.campus_file.clone(), place, what, mend);
    }

    /// Everything collected: errors first, then by file and place as found.
    pub fn finish(mut self) -> Vec<Problem> {
        for ((file, code), count) in &self.counts {
            if *count > MAX_PER_CODE {
                let severity = self
                    .problems
                    .iter()
                    .find(|p| p.code == *code && p.file == *file)
                    .map_or(Severity::Error, |p| p.severity);
                self.problems.push(Problem {
                    severity,
                    code,
                    file: file.clone(),
                    place: Place::Whole,
                    what: format!("{} more problems of the kind '{code}'", count - MAX_PER_CODE),
                    mend: "Mend those listed and check again.".to_owned(),
                });
            }
        }
        self.problems.sort_by_key(|p| p.severity);
        self.problems
    }
}
