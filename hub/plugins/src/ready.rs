//! From a package to what a seat needs: its component, or that of its interpreter, and what it may do on a campus.

use std::sync::Arc;

use campanile_model::Campus;

use crate::grants::{Approval, Grants};
use crate::manifest::{Kind, SCRIPT, SCRIPT_FILE};
use crate::package::{Package, PackageError};
use crate::runtime::{Compiled, ComponentError, Runtime};
use crate::shipped::{interpreter_file, shipped_dir};

/// Why a package can't be made ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// Its component.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The interpreter of scripts is not there.
    #[error(
        "the interpreter {0} of scripts is not there: install the program with its folder `plugins`, or name that \
         folder in CAMPANILE_PLUGINS"
    )]
    NoInterpreter(&'static str),
    /// A plugin of another kind was wanted.
    #[error(
        "{place}: a plugin of the kind \"{wanted}\" is wanted here; write kind = \"{wanted}\" into its plugin.toml"
    )]
    Kind {
        /// Where it lies.
        place: String,
        /// What was wanted.
        wanted: &'static str,
    },
}

impl Approval {
    /// All that a package asks for, with the settings of its manifest: for a trial beside the living campus.
    pub fn of_all(package: &Package, by: &str) -> Self {
        let manifest = &package.manifest;
        Self {
            plugin: manifest.id.clone(),
            version: manifest.version.clone(),
            package: package.hash.to_hex().to_string(),
            capability: manifest.capability.clone(),
            settings: Default::default(),
            by: by.to_owned(),
        }
    }
}

impl Package {
    /// Its component, compiled or taken from the cache, and what it may do on a campus. A script is given to its
    /// interpreter.
    ///
    /// # Errors
    /// [`ReadyError`].
    pub fn ready(
        &self,
        runtime: &Runtime,
        campus: Arc<Campus>,
        approval: &Approval,
    ) -> Result<(Compiled, Arc<Grants>), ReadyError> {
        Ok((self.compiled(runtime)?, Arc::new(self.grants(campus, approval))))
    }

    /// Its component, or that of its interpreter, compiled or taken from the cache: the same on every campus.
    ///
    /// # Errors
    /// [`ReadyError`].
    pub fn compiled(&self, runtime: &Runtime) -> Result<Compiled, ReadyError> {
        match (self.script(), self.component()) {
            (Some(_), _) => Ok(runtime.compile(&self.manifest, &interpreter(self.manifest.kind)?)?),
            (None, Some(component)) => Ok(runtime.compile(&self.manifest, component)?),
            (None, None) => {
                let name = self.manifest.component_file().unwrap_or_default().to_owned();
                Err(PackageError::Missing { name, why: "its component".to_owned() }.into())
            }
        }
    }

    /// What it may do on a campus; a script goes to its interpreter among the settings.
    pub fn grants(&self, campus: Arc<Campus>, approval: &Approval) -> Grants {
        let mut grants = Grants::new(campus, self.manifest.clone(), approval);
        if let Some((file, text)) = self.script() {
            grants.settings.push((SCRIPT.to_owned(), text.to_owned()));
            grants.settings.push((SCRIPT_FILE.to_owned(), file.to_owned()));
        }
        grants
    }
}

/// The interpreter of scripts of a kind, as it is shipped.
fn interpreter(kind: Kind) -> Result<Vec<u8>, ReadyError> {
    let name = interpreter_file(kind);
    let missing = || ReadyError::NoInterpreter(name);
    let file = shipped_dir().ok_or_else(missing)?.join(name);
    std::fs::read(file).map_err(|_| missing())
}
