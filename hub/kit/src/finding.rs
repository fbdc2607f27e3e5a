//! What is wrong with a plugin, where, and how to mend it, in both languages.

use std::path::{Path as FsPath, PathBuf};

use campanile_model::{Names, Place, Problem, Severity};

/// A finding of the kit.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Whether the plugin can be used all the same.
    pub severity: Severity,
    /// A stable code, such as `unused-capability`.
    pub code: &'static str,
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub place: Place,
    /// What is wrong.
    pub what: Names,
    /// How to mend it.
    pub mend: Names,
}

impl Finding {
    /// Something that keeps the plugin from being used, of a file as a whole.
    pub fn error(code: &'static str, file: &FsPath, what: Names, mend: Names) -> Self {
        Self { severity: Severity::Error, code, file: file.to_owned(), place: Place::Whole, what, mend }
    }

    /// Something that is likely not as meant, of a file as a whole.
    pub fn warning(code: &'static str, file: &FsPath, what: Names, mend: Names) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, file, what, mend) }
    }

    /// The same at a place.
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// `FILE:LINE:COLUMN`, or the file alone.
    pub fn whereabouts(&self) -> String {
        match &self.place {
            Place::Whole => self.file.display().to_string(),
            Place::Line { line, column } => format!("{}:{line}:{column}", self.file.display()),
            Place::Pointer(pointer) => format!("{}#{pointer}", self.file.display()),
        }
    }
}

/// Readers of files speak English.
impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        let Problem { severity, code, file, place, what, mend } = problem;
        let (what, mend) = (Names::new(&what, &what), Names::new(&mend, &mend));
        Self { severity, code, file, place, what, mend }
    }
}
