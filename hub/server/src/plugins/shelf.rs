//! Packages, approvals and trust on the disk, in `plugins/` of the hub's data.
//!
//! Approvals lie in a file and not in the store because they say which points the campus has, which the store has to know
//! before it is opened. Who approved what, and when, is in the audit record as well.

use std::collections::BTreeMap;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use campanile_plugins::{
    Approval, MANIFEST_FILE, Manifest, PACKAGE_EXTENSION, Package, SignatureError, TRUST_FILE, Trust,
    Version, shipped_dir,
};
use serde::{Deserialize, Serialize};

use super::PluginsError;

const APPROVED: &str = "approved.json";
const PACKAGES: &str = "packages";
/// As whose a package counts that is shipped with the program.
pub const SHIPPED: &str = "campanile";

/// An approval, and whether the plugin is stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    /// What was approved.
    pub approval: Approval,
    /// Whether a person has stopped it.
    #[serde(default)]
    pub stopped: bool,
    /// Whether it was taken without the signature of a trusted key.
    #[serde(default)]
    pub unsigned: bool,
}

/// A package on the shelf.
#[derive(Clone, Debug)]
pub struct Lying {
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
    /// The hash of its content.
    pub hash: blake3::Hash,
    /// The bytes of its file.
    pub bytes: u64,
    /// By which key it is signed that is trusted now.
    pub signed: Result<String, String>,
    /// Its icon.
    pub icon: Option<Arc<[u8]>>,
    file: PathBuf,
}

/// The shelf.
pub struct Shelf {
    dir: PathBuf,
    /// By plugin and version.
    lying: BTreeMap<(String, Version), Lying>,
    approved: BTreeMap<String, Approved>,
    trust: Trust,
    shipped: Vec<blake3::Hash>,
}

fn io(file: &FsPath) -> impl FnOnce(std::io::Error) -> PluginsError + '_ {
    move |why| PluginsError::Disk { file: file.to_owned(), why }
}

/// The packages that are shipped with the program.
pub fn shipped() -> Vec<PathBuf> {
    let dir = shipped_dir().map(|dir| dir.join("packages"));
    let entries = dir.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|file| is_package(file)).collect();
    files.sort();
    files
}

fn is_package(file: &FsPath) -> bool {
    file.extension().is_some_and(|extension| extension == PACKAGE_EXTENSION)
}

impl Shelf {
    /// Reads what lies there. A package that can't be read is said and left where it is.
    ///
    /// # Errors
    /// Where approvals or trust can't be read: a hub that forgot them would do other than was approved.
    pub fn open(dir: PathBuf) -> Result<Self, PluginsError> {
        let trust = Trust::load(&dir.join(TRUST_FILE)).map_err(|why| PluginsError::Trust(why.to_string()))?;
        let file = dir.join(APPROVED);
        let approved = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|why| PluginsError::Approved { file: file.clone(), why: why.to_string() })?,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(why) => return Err(io(&file)(why)),
        };
        let hash = |file: PathBuf| Some(Package::read(&std::fs::read(file).ok()?).ok()?.hash);
        let shipped = shipped().into_iter().filter_map(hash).collect();
        let mut shelf = Self { lying: BTreeMap::new(), approved, trust, shipped, dir };
        let entries = std::fs::read_dir(shelf.dir.join(PACKAGES)).into_iter().flatten().flatten();
        for file in entries.map(|entry| entry.path()).filter(|file| is_package(file)) {
            let read = std::fs::read(&file).map_err(|why| why.to_string());
            let read = read.and_then(|bytes| {
                Ok((Package::read(&bytes).map_err(|why| why.to_string())?, bytes.len() as u64))
            });
            match read {
                Ok((package, bytes)) => shelf.put(&package, bytes, file),
                Err(why) => tracing::error!(%why, file = %file.display(), "a package can't be read"),
            }
        }
        Ok(shelf)
    }

    fn put(&mut self, package: &Package, bytes: u64, file: PathBuf) {
        let signed = self.signed(package).map_err(|why| why.to_string());
        let manifest = package.manifest.clone();
        // The manifest was checked when the package was read.
        let Ok(version) = manifest.version.parse() else { return };
        let key = (manifest.id.clone(), version);
        let icon = package.icon().cloned();
        self.lying.insert(key, Lying { manifest, hash: package.hash, bytes, signed, icon, file });
    }

    fn signed(&self, package: &Package) -> Result<String, SignatureError> {
        if self.shipped.contains(&package.hash) {
            return Ok(SHIPPED.to_owned());
        }
        package.verify(&self.trust).map(|signed| signed.by)
    }

    /// Lays a package on the shelf. Without a signature of a trusted key it is refused unless `unsigned` allows that;
    /// what was changed after it was signed always is.
    ///
    /// # Errors
    /// [`PluginsError`], with the mend.
    pub fn add(&mut self, bytes: &[u8], unsigned: bool) -> Result<Lying, PluginsError> {
        let package = Package::read(bytes).map_err(|why| PluginsError::Package(why.to_string()))?;
        match self.signed(&package) {
            Ok(_) => {}
            Err(SignatureError::Unsigned(_) | SignatureError::UnknownKey { .. }) if unsigned => {}
            Err(why) => return Err(PluginsError::Signature(why.to_string())),
        }
        self.lay(&package)
    }

    /// Lays a package on the shelf whose origin was looked at.
    ///
    /// # Errors
    /// Where another package of the same version lies there, or the disk does not take it.
    pub fn lay(&mut self, package: &Package) -> Result<Lying, PluginsError> {
        let (id, version) = (&package.manifest.id, &package.manifest.version);
        if let Some(there) = self.get(id, version) {
            return match there.hash == package.hash {
                true => Ok(there.clone()),
                false => Err(PluginsError::OtherContent { id: id.clone(), version: version.clone() }),
            };
        }
        if self.lying.len() >= super::MOST_PACKAGES {
            return Err(PluginsError::TooMany);
        }
        let packed = package.bytes().map_err(|why| PluginsError::Package(why.to_string()))?;
        let dir = self.dir.join(PACKAGES);
        std::fs::create_dir_all(&dir).map_err(io(&dir))?;
        let file = dir.join(package.file_name());
        replace(&file, &packed).map_err(io(&file))?;
        self.put(package, packed.len() as u64, file);
        self.get(id, version).cloned().ok_or_else(|| PluginsError::Package("its version is none".to_owned()))
    }

    /// The package under the first version behind its own that is free here.
    ///
    /// # Errors
    /// Where its manifest does not say its version in a line of its own.
    pub fn next_version(&self, package: &Package) -> Result<Package, PluginsError> {
        let manifest = &package.manifest;
        let broken = |why: String| PluginsError::Package(why);
        let mut version: Version = manifest
            .version
            .parse()
            .map_err(|why: campanile_plugins::VersionError| broken(why.to_string()))?;
        loop {
            version.patch += 1;
            if !self.lying.contains_key(&(manifest.id.clone(), version)) {
                break;
            }
        }
        let text = package.file(MANIFEST_FILE).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let text = text.unwrap_or_default();
        let line = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == "version");
        let found = text.lines().find(|l| line(l)).map(str::to_owned);
        let found = found.ok_or_else(|| broken("its manifest has no line `version = …`".to_owned()))?;
        let text = text.replacen(&found, &format!("version = \"{version}\""), 1);
        package.with(MANIFEST_FILE, text.as_bytes()).map_err(|why| broken(why.to_string()))
    }

    /// Takes a version away, or all of a plugin.
    ///
    /// # Errors
    /// Where the disk does not let it go.
    pub fn remove(&mut self, id: &str, version: Option<&str>) -> Result<(), PluginsError> {
        let gone = |(of, v): &(String, Version)| of == id && version.is_none_or(|x| v.to_string() == x);
        let keys: Vec<_> = self.lying.keys().filter(|key| gone(key)).cloned().collect();
        if version.is_none() {
            self.approved.remove(id);
            self.save()?;
        }
        for key in keys {
            if let Some(lying) = self.lying.remove(&key) {
                std::fs::remove_file(&lying.file).map_err(io(&lying.file))?;
            }
        }
        Ok(())
    }

    /// A package by plugin and version.
    pub fn get(&self, id: &str, version: &str) -> Option<&Lying> {
        self.lying.get(&(id.to_owned(), version.parse().ok()?))
    }

    /// The whole of a package.
    ///
    /// # Errors
    /// Where it is gone from the disk or was changed there.
    pub fn package(&self, lying: &Lying) -> Result<Package, PluginsError> {
        let bytes = std::fs::read(&lying.file).map_err(io(&lying.file))?;
        let package = Package::read(&bytes).map_err(|why| PluginsError::Package(why.to_string()))?;
        if package.hash != lying.hash {
            return Err(PluginsError::Package(format!("{} was changed on the disk", lying.file.display())));
        }
        Ok(package)
    }

    /// The plugins by id, with their versions, the newest first.
    pub fn plugins(&self) -> BTreeMap<&str, Vec<&Lying>> {
        let mut plugins: BTreeMap<&str, Vec<&Lying>> = BTreeMap::new();
        for ((id, _), lying) in self.lying.iter().rev() {
            plugins.entry(id).or_default().push(lying);
        }
        plugins
    }

    /// What is approved of a plugin.
    pub fn approved(&self, id: &str) -> Option<&Approved> {
        self.approved.get(id)
    }

    /// The ids of approved plugins.
    pub fn approved_ids(&self) -> Vec<String> {
        self.approved.keys().cloned().collect()
    }

    /// The manifests of approved plugins, by id; `instead` takes the place of that of its plugin.
    pub fn manifests(&self, instead: Option<&Arc<Manifest>>) -> Vec<Arc<Manifest>> {
        let lies = |(id, approved): (&String, &Approved)| {
            let lying = self.get(id, &approved.approval.version)?;
            Some((id.clone(), lying.manifest.clone()))
        };
        let mut manifests: BTreeMap<String, Arc<Manifest>> = self.approved.iter().filter_map(lies).collect();
        if let Some(manifest) = instead {
            manifests.insert(manifest.id.clone(), manifest.clone());
        }
        manifests.into_values().collect()
    }

    /// Approves, or changes what was.
    ///
    /// # Errors
    /// Where the disk does not take it; then nothing has changed.
    pub fn approve(&mut self, approved: Approved) -> Result<(), PluginsError> {
        let id = approved.approval.plugin.clone();
        let before = self.approved.insert(id.clone(), approved);
        let saved = self.save();
        if saved.is_err() {
            match before {
                Some(before) => drop(self.approved.insert(id, before)),
                None => drop(self.approved.remove(&id)),
            }
        }
        saved
    }

    fn save(&self) -> Result<(), PluginsError> {
        let file = self.dir.join(APPROVED);
        let bytes = serde_json::to_vec_pretty(&self.approved)
            .map_err(|why| PluginsError::Approved { file: file.clone(), why: why.to_string() })?;
        std::fs::create_dir_all(&self.dir).map_err(io(&self.dir))?;
        replace(&file, &bytes).map_err(io(&file))
    }

    /// The keys that are trusted.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Trusts other keys from now on.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub fn set_trust(&mut self, trust: Trust) -> Result<(), PluginsError> {
        std::fs::create_dir_all(&self.dir).map_err(io(&self.dir))?;
        trust.save(&self.dir.join(TRUST_FILE)).map_err(|why| PluginsError::Trust(why.to_string()))?;
        self.trust = trust;
        // Whose packages are is another question now.
        let files: Vec<PathBuf> = self.lying.values().map(|lying| lying.file.clone()).collect();
        for file in files {
            if let Some(package) = std::fs::read(&file).ok().and_then(|bytes| Package::read(&bytes).ok()) {
                let bytes = std::fs::metadata(&file).map_or(0, |m| m.len());
                self.put(&package, bytes, file);
            }
        }
        Ok(())
    }

    /// Where compiled components are kept.
    pub fn cache(&self) -> PathBuf {
        self.dir.join("cache")
    }
}

/// Writes a file so that after a fall of power it is the old one or the new one.
fn replace(path: &FsPath, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(dir) => std::fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
