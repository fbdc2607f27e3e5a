//! Whose packages are believed: signing keys of vendors, and the keys that a hub trusts.

use std::io::Write;
use std::path::{Path as FsPath, PathBuf};

use campanile_model::{Findings, Problems, read_toml_checked};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the list of trusted keys in a hub's folder of plugins.
pub const TRUST_FILE: &str = "trust.toml";
/// The longest name of a key, bytes.
const MOST_NAME: usize = 100;
/// What is signed begins so: a signature of this key for something else is none for a package.
const CONTEXT: &[u8] = b"campanile-package/1\n";

/// Why keys can't be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file can't be read or written.
    #[error("{file}: {why}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// It can be read, but not used.
    #[error("{0}")]
    Content(Problems),
    /// Others may read it.
    #[error(
        "{0}: others may read this secret key. Run `chmod 600` on it, and make a new one if others have read it"
    )]
    Open(PathBuf),
    /// It has no secret.
    #[error("{0}: this is a public key; the secret one signs")]
    NoSecret(PathBuf),
    /// The name is taken by another key, or can't be used.
    #[error(
        "the name '{0}' can't be used: 1 to {MOST_NAME} bytes without control characters, and another than those of the keys that are trusted"
    )]
    Name(String),
    /// It is no key.
    #[error("'{0}' is no public key: 64 hexadecimal digits of an ed25519 key")]
    Key(String),
    /// The machine gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
}

fn file_error(file: &FsPath) -> impl FnOnce(std::io::Error) -> TrustError {
    let file = file.to_owned();
    move |why| TrustError::File { file, why }
}

/// A key by which packages are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`TrustError::Key`] where they are no key, or one that anybody could sign for.
    pub fn parse(hex: &str) -> Result<Self, TrustError> {
        let key = from_hex::<32>(hex).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let key = key.filter(|key| !key.is_weak());
        key.map(Self).ok_or_else(|| TrustError::Key(hex.chars().take(80).collect()))
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        to_hex(self.0.as_bytes())
    }

    /// What people compare over the telephone: 20 hexadecimal digits of the key's BLAKE3, in groups of four.
    pub fn fingerprint(&self) -> String {
        let hash = blake3::hash(self.0.as_bytes()).to_hex();
        let groups: Vec<&str> = (0..5).filter_map(|i| hash.get(4 * i..4 * i + 4)).collect();
        groups.join("-")
    }

    /// Whether a signature in hexadecimal digits is this key's, over the hash of a package.
    pub(crate) fn has_signed(&self, hash: &blake3::Hash, signature: &str) -> bool {
        let signature = from_hex::<64>(signature).map(|bytes| Signature::from_bytes(&bytes));
        signature.is_some_and(|signature| self.0.verify_strict(&message(hash), &signature).is_ok())
    }
}

fn message(hash: &blake3::Hash) -> Vec<u8> {
    [CONTEXT, hash.as_bytes()].concat()
}

/// A key that signs packages, with its name.
pub struct SecretKey {
    /// Whose it is.
    pub name: String,
    key: SigningKey,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A file with a key.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    /// Always `campanile-key/1`.
    format: String,
    /// Whose it is.
    name: String,
    /// The public key, 64 hexadecimal digits.
    key: String,
    /// The secret key, 64 hexadecimal digits; not in a public key's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

const KEY_FORMAT: &str = "campanile-key/1";

impl SecretKey {
    /// A new key.
    ///
    /// # Errors
    /// A bad name, or no random numbers.
    pub fn new(name: &str) -> Result<Self, TrustError> {
        check_name(name)?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|why| TrustError::Random(why.to_string()))?;
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(&secret) })
    }

    /// Reads one from its file, which nobody else may be able to read.
    ///
    /// # Errors
    /// [`TrustError`], with the mend.
    pub fn load(file: &FsPath) -> Result<Self, TrustError> {
        let text = std::fs::read_to_string(file).map_err(file_error(file))?;
        let read: KeyFile = read_toml_checked(file, &text, check_key).map_err(TrustError::Content)?;
        let secret = read.secret.as_deref().and_then(from_hex::<32>);
        let secret = secret.ok_or_else(|| TrustError::NoSecret(file.to_owned()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(file).map_err(file_error(file))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(TrustError::Open(file.to_owned()));
            }
        }
        Ok(Self { name: read.name, key: SigningKey::from_bytes(&secret) })
    }

    /// Writes it into a new file that only this user may read.
    ///
    /// # Errors
    /// Where the file is there already, or can't be written.
    pub fn save(&self, file: &FsPath) -> Result<(), TrustError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(file).map_err(file_error(file))?;
        let text = self.text(Some(to_hex(self.key.as_bytes())));
        out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(file_error(file))
    }

    /// The file for those who check: the same without the secret.
    pub fn public_file(&self) -> String {
        self.text(None)
    }

    fn text(&self, secret: Option<String>) -> String {
        let key = self.public().hex();
        let file = KeyFile { format: KEY_FORMAT.to_owned(), name: self.name.clone(), key, secret };
        to_toml(&file)
    }

    /// The key by which others check what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// Signs the hash of a package: 128 hexadecimal digits.
    pub(crate) fn sign(&self, hash: &blake3::Hash) -> String {
        to_hex(&self.key.sign(&message(hash)).to_bytes())
    }
}

fn check_key(file: &KeyFile, findings: &mut Findings<'_>) {
    if file.format != KEY_FORMAT {
        let what = format!("the format '{}' isn't known", file.format);
        findings.error("wrong-format", "/format", what, format!("This program reads '{KEY_FORMAT}'."));
    }
    if let Err(why) = PublicKey::parse(&file.key) {
        findings.error("bad-key", "/key", why.to_string(), "Copy the key as its owner gave it.");
    }
    let public = |secret: [u8; 32]| PublicKey(SigningKey::from_bytes(&secret).verifying_key()).hex();
    if let Some(secret) = &file.secret
        && from_hex(secret).map(public).as_ref() != Some(&file.key)
    {
        let what = "the secret is not that of the key".to_owned();
        findings.error("bad-key", "/secret", what, "Take the file as it was made, or make a new key.");
    }
}

/// A key that is trusted, by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// Whose it is.
    pub name: String,
    /// The key.
    pub key: PublicKey,
}

impl TrustedKey {
    /// Reads a public key's file.
    ///
    /// # Errors
    /// [`TrustError`], with the mend.
    pub fn load(file: &FsPath) -> Result<Self, TrustError> {
        let text = std::fs::read_to_string(file).map_err(file_error(file))?;
        let read: KeyFile = read_toml_checked(file, &text, check_key).map_err(TrustError::Content)?;
        Ok(Self { key: PublicKey::parse(&read.key)?, name: read.name })
    }
}

/// The keys that a hub trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    keys: Vec<TrustedKey>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    /// The keys.
    #[serde(default)]
    key: Vec<KeyEntry>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    /// Whose it is.
    name: String,
    /// 64 hexadecimal digits.
    key: String,
}

impl Trust {
    /// Reads the list; where there is no file, nobody is trusted.
    ///
    /// # Errors
    /// What is wrong with the file, with line and mend.
    pub fn load(file: &FsPath) -> Result<Self, TrustError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(why) => return Err(file_error(file)(why)),
        };
        let mut trust = Self::default();
        let added = |read: &TrustFile, findings: &mut Findings<'_>| {
            for (i, entry) in read.key.iter().enumerate() {
                let at = |part: &str| format!("/key/{i}/{part}");
                match PublicKey::parse(&entry.key) {
                    Ok(key) => {
                        if let Err(why) = trust.add(&entry.name, key) {
                            let mend = "Give each key one entry with a name of its own.";
                            findings.error("bad-name", &at("name"), why.to_string(), mend);
                        }
                    }
                    Err(why) => {
                        let mend = "Copy the key as its owner gave it.";
                        findings.error("bad-key", &at("key"), why.to_string(), mend);
                    }
                }
            }
        };
        read_toml_checked::<TrustFile>(file, &text, added).map_err(TrustError::Content)?;
        Ok(trust)
    }

    /// Writes the list, whole or not at all.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn save(&self, file: &FsPath) -> Result<(), TrustError> {
        let entry = |key: &TrustedKey| KeyEntry { name: key.name.clone(), key: key.key.hex() };
        let text = to_toml(&TrustFile { key: self.keys.iter().map(entry).collect() });
        crate::file::write_private(file, text.as_bytes()).map_err(file_error(file))
    }

    /// Trusts a key from now on. One that is trusted already gets the name.
    ///
    /// # Errors
    /// [`TrustError::Name`] where the name can't be used or is another key's.
    pub fn add(&mut self, name: &str, key: PublicKey) -> Result<(), TrustError> {
        check_name(name)?;
        if self.keys.iter().any(|known| known.name == name && known.key != key) {
            return Err(TrustError::Name(name.to_owned()));
        }
        self.keys.retain(|known| known.key != key);
        self.keys.push(TrustedKey { name: name.to_owned(), key });
        Ok(())
    }

    /// Trusts the key of a name no more; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|known| known.name != name);
        self.keys.len() < before
    }

    /// The keys, in the order in which they came.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// Whose a key is, where it is trusted.
    pub fn name_of(&self, key: &PublicKey) -> Option<&str> {
        self.keys.iter().find(|known| known.key == *key).map(|known| known.name.as_str())
    }
}

fn check_name(name: &str) -> Result<(), TrustError> {
    let fits = !name.trim().is_empty() && name.len() <= MOST_NAME && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(TrustError::Name(name.chars().take(MOST_NAME).collect())) }
}

/// These few types of texts can all be written.
fn to_toml<T: Serialize>(file: &T) -> String {
    toml::to_string(file).unwrap_or_default()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower-case digits, twice as many as bytes.
pub(crate) fn from_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if hex.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}
