//! From a directory with a plugin's source to its component, and from nothing to such a directory.
//!
//! [`build`] compiles what it finds ([`Language`]) to a component and makes sure that it imports nothing but the contract;
//! [`template`] gives the files of a new plugin. Neither needs the hub; what a language needs beside (rustup's target,
//! clang, componentize-py, componentize-js) is named by the error where it is missing.

mod c;
mod component;
mod javascript;
mod language;
mod manifest;
mod outside;
mod python;
mod rust;
mod sdk;
mod source;
mod template;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

pub use component::{CONTRACT, component, imports};
pub use language::Language;
pub use template::{Kind, Project, template};

/// What a plugin's source has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// A component.
    Component(Vec<u8>),
    /// A script, which the hub's interpreter runs as it is.
    Script(PathBuf),
}

/// A line of a plugin's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Why a plugin was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No language that is known.
    #[error(
        "{0}: no plugin to build here: there is neither a Cargo.toml (Rust) nor a .c file (C), an app.py (Python), an \
         index.js (JavaScript), or a plugin.toml with [script] (Rhai)"
    )]
    NoSource(PathBuf),
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest can't be read.
    #[error("{path}: {message}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// A tool is not there.
    #[error("{tool} is needed and can't be run ({source}); {mend}")]
    NoTool {
        /// Its command.
        tool: String,
        /// How to get it.
        mend: String,
        /// What the system says.
        source: io::Error,
    },
    /// The standard library of Rust for guests is not there.
    #[error(
        "Rust's target wasm32-unknown-unknown is not installed; run: rustup target add wasm32-unknown-unknown"
    )]
    NoTarget,
    /// A tool failed and has said why.
    #[error("{tool} failed ({status}); what it says is above")]
    Failed {
        /// Its command.
        tool: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The crate gives no WebAssembly.
    #[error("{0}: cargo made no .wasm; a plugin's Cargo.toml says [lib] crate-type = [\"cdylib\"]")]
    NoModule(PathBuf),
    /// It asks for something that no plugin has.
    #[error(
        "{}the plugin imports `{import}`, and a plugin may import nothing but {CONTRACT}; {hint}",
        place.as_ref().map_or_else(String::new, |place| format!("{place}: "))
    )]
    ForeignImport {
        /// What is imported.
        import: String,
        /// What pulls it in.
        hint: String,
        /// Where it is called, where that is found.
        place: Option<Place>,
    },
    /// It calls something that no plugin has, and that would trap, lie or vanish when it is called.
    #[error("{place}: `{call}` is not there in a plugin; {mend}")]
    Outside {
        /// Where.
        place: Place,
        /// What is called.
        call: String,
        /// What to do instead.
        mend: &'static str,
    },
    /// It is no plugin.
    #[error("not a plugin: {0}")]
    NotAPlugin(String),
}

/// Builds the plugin in a directory.
///
/// # Errors
/// [`Error`]: what is missing, what was refused and where, what a compiler said.
pub fn build(dir: &Path) -> Result<Built, Error> {
    build_with(dir, &[])
}

/// The same with more arguments for the compiler of the language, such as features of a crate.
///
/// # Errors
/// As of [`build`].
pub fn build_with(dir: &Path, arguments: &[String]) -> Result<Built, Error> {
    let language = Language::of(dir)?;
    outside::refuse(language, dir)?;
    let component = match language {
        Language::Rust => {
            component(&rust::module(dir, arguments)?).map_err(|refused| rust::located(refused, dir))?
        }
        Language::C => component(&c::module(dir, arguments)?)?,
        Language::Python => component::checked(python::component(dir)?)?,
        Language::JavaScript => component::checked(javascript::component(dir)?)?,
        Language::Rhai => return script(dir),
    };
    Ok(Built::Component(component))
}

/// A script is what it is; the interpreter says what is wrong in it.
fn script(dir: &Path) -> Result<Built, Error> {
    let manifest = manifest::Manifest::read(dir)?;
    let file = dir.join(manifest.script.map(|script| script.file).unwrap_or_default());
    match std::str::from_utf8(&read(&file)?) {
        Ok(_) => Ok(Built::Script(file)),
        Err(why) => Err(Error::Manifest { path: file, message: format!("the script is no UTF-8: {why}") }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })
}

/// Writes a file, and the folders that it is in.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|source| Error::File { path: path.into(), source })
}

/// Runs a tool to its end and gives what it wrote to stdout; its complaints go straight to the user.
fn run(command: &mut Command, mend: &str) -> Result<Vec<u8>, Error> {
    let (status, stdout, _) = finish(command.stderr(Stdio::inherit()), mend)?;
    if status.success() {
        Ok(stdout)
    } else {
        Err(Error::Failed { tool: command.get_program().to_string_lossy().into_owned(), status })
    }
}

/// Runs a tool to its end: how it ended, and what it wrote.
fn finish(command: &mut Command, mend: &str) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), Error> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| Error::NoTool { tool, mend: mend.into(), source })?;
    Ok((output.status, output.stdout, output.stderr))
}

/// Where tools that are fetched once are kept, and generated things that aren't a project's.
fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("campanile")
}
