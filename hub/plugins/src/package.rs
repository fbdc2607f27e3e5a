//! Packages: a plugin in one file `ID-VERSION.cpk`, a zip, with its hash and its vendor's signature.
//!
//! A package comes from outside, so nothing of it is believed: names, counts and sizes have limits, what is unpacked is
//! counted while it is unpacked, and the two directories that a zip has must agree. The same content gives the same bytes.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use campanile_model::{Problems, read_toml_checked};
use ed25519_dalek::SIGNATURE_LENGTH;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::manifest::{MANIFEST_FILE, Manifest, is_file};
use crate::trust::{PublicKey, SecretKey, Trust};

/// The file of a package that has the signature. It is no part of the hash.
pub const SIGNATURE_FILE: &str = "SIGNATURE";
/// How the name of a package's file ends.
pub const PACKAGE_EXTENSION: &str = "cpk";
/// The most files of a package.
pub const MOST_FILES: usize = 200;
/// The most bytes of a package, packed or not.
pub const MOST_BYTES: usize = 96 << 20;
/// The most bytes of a script.
pub const MOST_SCRIPT: usize = 256 << 10;
/// The most bytes of an icon.
const MOST_ICON: usize = 64 << 10;
/// The sides that an icon may have, pixels.
const ICON_PX: std::ops::RangeInclusive<u32> = 32..=256;
/// The folders that a package may have.
const FOLDERS: [&str; 2] = ["locales/", "assets/"];
/// What the names of further files of a package begin with.
const PAPERS: [&str; 2] = ["README", "LICENSE"];
/// The record at the end of a zip, and what announces the larger kind of zip before it.
const ZIP_END: (&[u8], usize) = (b"PK\x05\x06", 22);
const ZIP64_MARK: (&[u8], usize) = (b"PK\x06\x07", 20);

/// Why a package can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// It is no zip, or one of a kind that no package is.
    #[error("the file is no package: {0}. Make it with `campanile plugin pack`")]
    NotAPackage(String),
    /// It has too much.
    #[error("the package has {what}, at most {most} may be")]
    TooMuch {
        /// What it has.
        what: String,
        /// How much may be.
        most: String,
    },
    /// A file of it can't be there.
    #[error("the package has the file '{name}': {why}")]
    File {
        /// Which.
        name: String,
        /// Why, and the mend.
        why: String,
    },
    /// A file is missing.
    #[error("the package has no file '{name}', {why}")]
    Missing {
        /// Which.
        name: String,
        /// Who wants it.
        why: String,
    },
    /// The manifest or the signature has problems.
    #[error("{0}")]
    Problems(Problems),
    /// A file on the disk can't be read.
    #[error("{file}: {why}")]
    Disk {
        /// Which.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

/// Why a package is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Nobody has signed it.
    #[error(
        "nobody has signed the package {0}. Ask its vendor for a signed one, or allow unsigned packages for this one \
         if you have made it yourself"
    )]
    Unsigned(String),
    /// It is not what was signed.
    #[error(
        "the package {0} is not what was signed: it was changed afterwards. Get it again from its vendor, and do not \
         use this one"
    )]
    Tampered(String),
    /// Somebody has signed it whom this hub does not know.
    #[error(
        "the package {package} is signed by the key {fingerprint}, which this hub does not trust. Compare these digits \
         with the vendor's, by another way than the package came; then trust the key {key}"
    )]
    UnknownKey {
        /// Which package.
        package: String,
        /// The key, 64 hexadecimal digits.
        key: String,
        /// What people compare.
        fingerprint: String,
    },
}

/// Who has signed a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// By which name the hub trusts the key.
    pub by: String,
    /// The key.
    pub key: PublicKey,
}

/// The signature in a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Seal {
    /// The public key, 64 hexadecimal digits.
    key: String,
    /// The signature of the package's hash, 128 hexadecimal digits.
    signature: String,
}

/// A plugin in one file, read and found to be whole.
#[derive(Clone)]
pub struct Package {
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
    /// The hash of its content.
    pub hash: blake3::Hash,
    files: BTreeMap<String, Arc<[u8]>>,
    seal: Option<Seal>,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files: BTreeMap<_, _> = self.files().collect();
        f.debug_struct("Package").field("hash", &self.hash).field("files", &files).finish_non_exhaustive()
    }
}

impl Package {
    /// Reads a package from its bytes. Whose it is is not asked here, see [`Package::verify`].
    ///
    /// # Errors
    /// [`PackageError`], with the mend.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        Self::of(unpack(bytes)?)
    }

    /// Makes a package of a plugin's folder: the manifest, what it names, `locales/`, `assets/`, README and LICENSE.
    /// Files whose names begin with a dot are left out.
    ///
    /// # Errors
    /// [`PackageError`], with the mend.
    pub fn pack(dir: &FsPath) -> Result<Self, PackageError> {
        let text = read_file(&dir.join(MANIFEST_FILE))?;
        let manifest = manifest_of(&text)?;
        let named = [manifest.component_file(), manifest.script.as_ref().map(|s| s.file.as_str())];
        let mut names = vec![MANIFEST_FILE.to_owned()];
        names.extend(named.into_iter().chain([manifest.icon.as_deref()]).flatten().map(str::to_owned));
        for name in names_in(dir)? {
            if PAPERS.iter().any(|paper| name.starts_with(paper)) {
                names.push(name);
            }
        }
        for folder in FOLDERS {
            gather(dir, folder.trim_end_matches('/'), &mut names)?;
        }
        let mut files = BTreeMap::new();
        for name in names {
            let file = dir.join(&name);
            if !file.exists() {
                let why = format!("which {MANIFEST_FILE} names; build the plugin first");
                return Err(PackageError::Missing { name, why });
            }
            files.insert(name, read_file(&file)?.into());
        }
        Self::of(files)
    }

    fn of(mut files: BTreeMap<String, Arc<[u8]>>) -> Result<Self, PackageError> {
        let seal = files.remove(SIGNATURE_FILE).map(|text| seal_of(&text)).transpose()?;
        let why = || PackageError::Missing { name: MANIFEST_FILE.to_owned(), why: "its manifest".to_owned() };
        let manifest = manifest_of(files.get(MANIFEST_FILE).ok_or_else(why)?)?;
        check(&manifest, &files)?;
        Ok(Self { manifest: Arc::new(manifest), hash: hash(&files), files, seal })
    }

    /// Its name as a file: `ID-VERSION.cpk`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.{PACKAGE_EXTENSION}", self.manifest.id, self.manifest.version)
    }

    /// The package as a file. The same content gives the same bytes.
    ///
    /// # Errors
    /// [`PackageError::NotAPackage`] where the machine can't hold it.
    pub fn bytes(&self) -> Result<Vec<u8>, PackageError> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let broken = |why: zip::result::ZipError| PackageError::NotAPackage(why.to_string());
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::DEFAULT)
            .system(zip::System::Unix)
            .unix_permissions(0o644);
        let seal = self.seal.as_ref().map(|seal| toml::to_string(seal).unwrap_or_default());
        let seal = seal.as_ref().map(|seal| (SIGNATURE_FILE, seal.as_bytes()));
        let files = self.files.iter().map(|(name, bytes)| (name.as_str(), &**bytes));
        for (name, bytes) in files.chain(seal) {
            zip.start_file(name, options).map_err(broken)?;
            zip.write_all(bytes).map_err(|why| broken(why.into()))?;
        }
        Ok(zip.finish().map_err(broken)?.into_inner())
    }

    /// Signs it; a signature that it had is replaced.
    #[must_use]
    pub fn sign(mut self, key: &SecretKey) -> Self {
        self.seal = Some(Seal { key: key.public().hex(), signature: key.sign(&self.hash) });
        self
    }

    /// Whether its content is what somebody has signed whom the hub trusts.
    ///
    /// # Errors
    /// [`SignatureError`], with the mend.
    pub fn verify(&self, trust: &Trust) -> Result<Signed, SignatureError> {
        let package = || self.file_name();
        let Some(seal) = &self.seal else { return Err(SignatureError::Unsigned(package())) };
        let key = PublicKey::parse(&seal.key).map_err(|_| SignatureError::Tampered(package()))?;
        if !key.has_signed(&self.hash, &seal.signature) {
            return Err(SignatureError::Tampered(package()));
        }
        match trust.name_of(&key) {
            Some(by) => Ok(Signed { by: by.to_owned(), key }),
            None => {
                let (key, fingerprint) = (key.hex(), key.fingerprint());
                Err(SignatureError::UnknownKey { package: package(), key, fingerprint })
            }
        }
    }

    /// The package with another content of a file: a package of its own, signed by nobody.
    ///
    /// # Errors
    /// [`PackageError`], with the mend.
    pub fn with(&self, name: &str, content: &[u8]) -> Result<Self, PackageError> {
        let mut files = self.files.clone();
        files.insert(name.to_owned(), content.into());
        Self::of(files)
    }

    /// Its files without the signature, by name, with their sizes in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, usize)> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.len()))
    }

    /// The bytes of a file of it.
    pub fn file(&self, name: &str) -> Option<&Arc<[u8]>> {
        self.files.get(name)
    }

    /// The component; a script has none.
    pub fn component(&self) -> Option<&Arc<[u8]>> {
        self.file(self.manifest.component_file()?)
    }

    /// The script: the name of its file and its text.
    pub fn script(&self) -> Option<(&str, &str)> {
        let name = self.manifest.script.as_ref()?.file.as_str();
        Some((name, std::str::from_utf8(self.file(name)?).ok()?))
    }

    /// Its icon, a PNG.
    pub fn icon(&self) -> Option<&Arc<[u8]>> {
        self.file(self.manifest.icon.as_deref()?)
    }
}

/// BLAKE3 over all files by name: the length of the name (eight bytes, little end first), the name, the length of the
/// content, the content.
fn hash(files: &BTreeMap<String, Arc<[u8]>>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    }
    hasher.finalize()
}

fn too_much(what: String, most: impl ToString) -> PackageError {
    PackageError::TooMuch { what, most: most.to_string() }
}

fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Arc<[u8]>>, PackageError> {
    if bytes.len() > MOST_BYTES {
        return Err(too_much(format!("{} bytes", bytes.len()), MOST_BYTES));
    }
    let count = count(bytes).map_err(|why| PackageError::NotAPackage(why.to_owned()))?;
    if count > MOST_FILES {
        return Err(too_much(format!("{count} files"), MOST_FILES));
    }
    let broken = |why: zip::result::ZipError| PackageError::NotAPackage(why.to_string());
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    zip.validate_header_consistency().map_err(broken)?;
    if zip.len() != count {
        return Err(PackageError::NotAPackage("its directory is broken".to_owned()));
    }
    let mut files = BTreeMap::new();
    let mut left = MOST_BYTES;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let plain = matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
        if !is_file(&name) || entry.is_symlink() || entry.encrypted() || !plain {
            let why =
                "a package has files with plain names, stored or deflated, and nothing else; make it with \
                       `campanile plugin pack`"
                    .to_owned();
            return Err(PackageError::File { name: name.chars().take(100).collect(), why });
        }
        // What the directory says of sizes is not believed.
        let mut content = Vec::new();
        let read = (&mut entry).take(left as u64 + 1).read_to_end(&mut content);
        read.map_err(|why| PackageError::NotAPackage(format!("'{name}' can't be unpacked: {why}")))?;
        let most = format!("{MOST_BYTES} bytes unpacked");
        left = left.checked_sub(content.len()).ok_or_else(|| too_much("more".to_owned(), most))?;
        files.insert(name, content.into());
    }
    Ok(files)
}

/// How many files a zip says that it has, before anything of it is unpacked.
fn count(bytes: &[u8]) -> Result<usize, &'static str> {
    let (mark, length) = ZIP_END;
    let Some((before, end)) = bytes.len().checked_sub(length).map(|at| bytes.split_at(at)) else {
        return Err("it is too short");
    };
    if !end.starts_with(mark) {
        return Err("it does not end as a zip without a comment does");
    }
    let (mark, length) = ZIP64_MARK;
    if before.len().checked_sub(length).is_some_and(|at| before[at..].starts_with(mark)) {
        return Err("it is of the kind zip64");
    }
    let number = |at: usize| usize::from(u16::from_le_bytes([end[at], end[at + 1]]));
    match (number(4), number(6), number(8), number(10)) {
        (0, 0, here, all) if here == all => Ok(all),
        _ => Err("it is one of several parts"),
    }
}

fn text_of<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, PackageError> {
    std::str::from_utf8(bytes).map_err(|why| PackageError::File {
        name: name.to_owned(),
        why: format!("it is no UTF-8 ({why}); save it as UTF-8"),
    })
}

fn manifest_of(bytes: &[u8]) -> Result<Manifest, PackageError> {
    let text = text_of(MANIFEST_FILE, bytes)?;
    Manifest::read(FsPath::new(MANIFEST_FILE), text).map_err(PackageError::Problems)
}

fn seal_of(bytes: &[u8]) -> Result<Seal, PackageError> {
    let text = text_of(SIGNATURE_FILE, bytes)?;
    let seal: Seal = read_toml_checked(FsPath::new(SIGNATURE_FILE), text, |seal: &Seal, findings| {
        if let Err(why) = PublicKey::parse(&seal.key) {
            findings.error(
                "bad-key",
                "/key",
                why.to_string(),
                "Sign the package with `campanile plugin sign`.",
            );
        }
        if crate::trust::from_hex::<SIGNATURE_LENGTH>(&seal.signature).is_none() {
            let what = "this is no signature: 128 hexadecimal digits".to_owned();
            findings.error(
                "bad-signature",
                "/signature",
                what,
                "Sign the package with `campanile plugin sign`.",
            );
        }
    })
    .map_err(PackageError::Problems)?;
    Ok(seal)
}

/// Whether all that the manifest names is there, and nothing that nobody names.
fn check(manifest: &Manifest, files: &BTreeMap<String, Arc<[u8]>>) -> Result<(), PackageError> {
    if files.len() > MOST_FILES {
        return Err(too_much(format!("{} files", files.len()), MOST_FILES));
    }
    let bytes: usize = files.values().map(|bytes| bytes.len()).sum();
    if bytes > MOST_BYTES {
        return Err(too_much(format!("{bytes} bytes unpacked"), MOST_BYTES));
    }
    let script = manifest.script.as_ref().map(|script| script.file.as_str());
    let named = [manifest.component_file(), script, manifest.icon.as_deref()];
    for name in named.iter().flatten() {
        if !files.contains_key(*name) {
            let why = format!("which {MANIFEST_FILE} names");
            return Err(PackageError::Missing { name: (*name).to_owned(), why });
        }
    }
    for (name, bytes) in files {
        let file = |why: String| PackageError::File { name: name.clone(), why };
        let named = name == MANIFEST_FILE || named.contains(&Some(name.as_str()));
        let paper = PAPERS.iter().any(|paper| name.starts_with(paper)) && !name.contains('/');
        if !is_file(name) || !(named || paper || FOLDERS.iter().any(|folder| name.starts_with(folder))) {
            let why = "nothing names it; what a plugin brings along goes into assets/ or locales/".to_owned();
            return Err(file(why));
        }
        if script == Some(name.as_str()) {
            text_of(name, bytes)?;
            if bytes.len() > MOST_SCRIPT {
                return Err(file(format!(
                    "the script has {} bytes, at most {MOST_SCRIPT} may be",
                    bytes.len()
                )));
            }
        }
        if manifest.icon.as_ref() == Some(name) {
            check_icon(bytes).map_err(file)?;
        }
    }
    Ok(())
}

/// An icon is a square PNG; its picture is decoded by who shows it.
fn check_icon(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > MOST_ICON {
        return Err(format!("the icon has {} bytes, at most {MOST_ICON} may be", bytes.len()));
    }
    let head = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
    let side = |at: usize| head?.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    match (side(0), side(4)) {
        (Some(width), Some(height)) if width == height && ICON_PX.contains(&width) => Ok(()),
        (Some(width), Some(height)) => {
            Err(format!("the icon has {width} x {height} pixels; make it a square of 32 to 256"))
        }
        _ => Err("the icon is no PNG".to_owned()),
    }
}

fn disk(file: &FsPath) -> impl FnOnce(std::io::Error) -> PackageError {
    let file = file.to_owned();
    move |why| PackageError::Disk { file, why }
}

/// Reads a file of at most the bytes of a package.
fn read_file(file: &FsPath) -> Result<Vec<u8>, PackageError> {
    let mut bytes = Vec::new();
    let open = std::fs::File::open(file).map_err(disk(file))?;
    open.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(disk(file))?;
    if bytes.len() > MOST_BYTES {
        return Err(too_much(format!("'{}' with more", file.display()), format!("{MOST_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The names in a folder that don't begin with a dot.
fn names_in(dir: &FsPath) -> Result<Vec<String>, PackageError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(disk(dir))? {
        let name = entry.map_err(disk(dir))?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Adds the files of a folder and of those in it.
fn gather(dir: &FsPath, folder: &str, names: &mut Vec<String>) -> Result<(), PackageError> {
    if !dir.join(folder).is_dir() {
        return Ok(());
    }
    for name in names_in(&dir.join(folder))? {
        let name = format!("{folder}/{name}");
        let kind = dir.join(&name).symlink_metadata().map_err(disk(&dir.join(&name)))?;
        if kind.is_dir() {
            gather(dir, &name, names)?;
        } else if kind.is_file() {
            names.push(name);
        } else {
            let why =
                "it is a link or something else that can't be packed; put the file itself there".to_owned();
            return Err(PackageError::File { name, why });
        }
        if names.len() > MOST_FILES {
            return Err(too_much("more files".to_owned(), MOST_FILES));
        }
    }
    Ok(())
}
