//! What of `plugin.toml` a build has to know. The hub checks the whole.

use std::path::Path;

use crate::{Error, read};

#[derive(serde::Deserialize)]
pub(crate) struct Manifest {
    /// The world.
    pub kind: String,
    /// The script, of a plugin that an interpreter runs.
    #[serde(default)]
    pub script: Option<Script>,
}

#[derive(serde::Deserialize)]
pub(crate) struct Script {
    pub file: String,
}

impl Manifest {
    pub(crate) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("plugin.toml");
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let manifest: Self = toml::from_str(&text)
            .map_err(|why| Error::Manifest { path: path.clone(), message: why.to_string() })?;
        if ["rule", "activity", "drill"].contains(&manifest.kind.as_str()) {
            Ok(manifest)
        } else {
            let message = format!("kind: there is no kind '{}'; use rule, activity or drill", manifest.kind);
            Err(Error::Manifest { path, message })
        }
    }
}
