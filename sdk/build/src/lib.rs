//! From a directory with a plugin's source to its component.
//!
//! [`build`] compiles what it finds (a `Cargo.toml`: Rust; `*.c`: C) to a core module of `wasm32-unknown-unknown`, and
//! [`component`] wraps that as a component and makes sure that it imports nothing but the contract. Neither needs the
//! hub; what a language needs beside (rustup's target, clang) is named by the error where it is missing.

mod c;
mod component;
mod rust;

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

pub use component::{CONTRACT, component, imports};

/// Why a plugin was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither Rust nor C.
    #[error("{0}: no plugin to build here: there is neither a Cargo.toml (Rust) nor a .c file (C)")]
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
        mend: &'static str,
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
    #[error("the plugin imports `{import}`, and a plugin may import nothing but {CONTRACT}; {hint}")]
    ForeignImport {
        /// What is imported.
        import: String,
        /// What pulls it in as a rule.
        hint: &'static str,
    },
    /// It is no plugin.
    #[error("not a plugin: {0}")]
    NotAPlugin(String),
}

/// Builds the plugin in a directory and gives its component.
pub fn build(dir: &Path) -> Result<Vec<u8>, Error> {
    let core = if dir.join("Cargo.toml").is_file() { rust::module(dir)? } else { c::module(dir)? };
    component(&core)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::File { path: path.into(), source })
}

/// Runs a tool to its end and gives what it wrote to stdout; its complaints go straight to the user.
fn run(command: &mut Command, mend: &'static str) -> Result<Vec<u8>, Error> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let output = output.map_err(|source| Error::NoTool { tool: tool.clone(), mend, source })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Failed { tool, status: output.status })
    }
}
