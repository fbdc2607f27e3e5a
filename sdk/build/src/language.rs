use std::{fmt, fs, path::Path, str::FromStr};

use crate::Error;

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Rust.
    Rust,
    /// C, without a C library.
    C,
    /// Python, by componentize-py.
    Python,
    /// JavaScript, by componentize-js.
    JavaScript,
    /// Rhai, run by the hub's interpreter.
    Rhai,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rust, Self::C, Self::Python, Self::JavaScript, Self::Rhai];

    /// As commands name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Python => "python",
            Self::JavaScript => "js",
            Self::Rhai => "rhai",
        }
    }

    /// What the plugin in a directory is written in.
    ///
    /// # Errors
    /// [`Error::NoSource`] where there is none of them.
    pub fn of(dir: &Path) -> Result<Self, Error> {
        let has = |file: &str| dir.join(file).is_file();
        if crate::manifest::Manifest::read(dir).is_ok_and(|manifest| manifest.script.is_some()) {
            Ok(Self::Rhai)
        } else if has("Cargo.toml") {
            Ok(Self::Rust)
        } else if has("app.py") {
            Ok(Self::Python)
        } else if has("index.js") {
            Ok(Self::JavaScript)
        } else if has_c(dir) || has_c(&dir.join("src")) {
            Ok(Self::C)
        } else {
            Err(Error::NoSource(dir.into()))
        }
    }
}

fn has_c(dir: &Path) -> bool {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.path().extension().is_some_and(|extension| extension == "c"))
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|language| language.name() == name);
        found.ok_or_else(|| format!("there is no language '{name}'; use rust, c, python, js or rhai"))
    }
}
