//! The key by which a maker of plugins signs packages: a file that nobody else may read.

use std::io::Write;
use std::path::{Path as FsPath, PathBuf};

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

/// What a file of a key begins with.
const HEAD: &str = "# The secret key of a maker of plugins: who has it can sign in your name. Keep it to yourself, and keep a copy.\n\
                    # 插件作者的私钥：得到它的人可以以你的名义签名。请妥善保管，并留一份备份。\n";

/// Why a key can't be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key is never overwritten.
    #[error("{0} is there already; a key is never overwritten, since what it signed would be nobody's")]
    Exists(PathBuf),
    /// The file can't be read or written.
    #[error("{file}: {why}")]
    File {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file is no key.
    #[error("{file}: it is no key of a maker of plugins: {why}")]
    NotAKey {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: String,
    key: String,
    secret: String,
}

const FORMAT: &str = "campanile-plugin-key/1";

/// Makes a key and writes it to a file that only its owner may read.
///
/// # Errors
/// [`KeyError`]; a file that is there is left alone.
pub fn make(file: &FsPath) -> Result<SigningKey, KeyError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|why| KeyError::Random(why.to_string()))?;
    let key = SigningKey::from_bytes(&secret);
    let body = KeyFile { format: FORMAT.to_owned(), key: public(&key), secret: hex(&secret) };
    let body = toml::to_string(&body)
        .map_err(|why| KeyError::NotAKey { file: file.to_owned(), why: why.to_string() })?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut out| {
        out.write_all(HEAD.as_bytes())?;
        out.write_all(body.as_bytes())?;
        out.sync_all()
    });
    written.map(|()| key).map_err(|why| match why.kind() {
        std::io::ErrorKind::AlreadyExists => KeyError::Exists(file.to_owned()),
        _ => KeyError::File { file: file.to_owned(), why },
    })
}

/// Reads a key.
///
/// # Errors
/// [`KeyError`]; what is in the file is not shown.
pub fn read(file: &FsPath) -> Result<SigningKey, KeyError> {
    let failed = |why| KeyError::File { file: file.to_owned(), why };
    let not_a_key = |why: &str| KeyError::NotAKey { file: file.to_owned(), why: why.to_owned() };
    let text = std::fs::read_to_string(file).map_err(failed)?;
    let body: KeyFile = toml::from_str(&text)
        .map_err(|_| not_a_key("make one with `campanile plugin key new FILE`"))?;
    if body.format != FORMAT {
        return Err(not_a_key("its format isn't known"));
    }
    let secret = unhex(&body.secret).ok_or_else(|| not_a_key("its secret is not 64 hexadecimal digits"))?;
    let key = SigningKey::from_bytes(&secret);
    if public(&key) != body.key {
        return Err(not_a_key("its two halves don't belong together"));
    }
    Ok(key)
}

/// The public half in hexadecimal: what a hub is to trust.
pub fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("maker.key");
        let made = make(&file).unwrap();
        assert_eq!(read(&file).unwrap().to_bytes(), made.to_bytes());
        assert!(matches!(make(&file), Err(KeyError::Exists(_))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o77, 0);
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let secret = hex(&made.to_bytes());
        let cases = [
            (text.replace(&secret[..2], "zz"), "hexadecimal"),
            (text.replace(&public(&made), &"0".repeat(64)), "halves"),
            (text.replace("key/1", "key/9"), "format"),
            (format!("secret = \"{secret}\""), "key new"),
        ];
        for (text, expected) in cases {
            std::fs::write(&file, text).unwrap();
            let why = read(&file).unwrap_err().to_string();
            assert!(why.contains(expected) && !why.contains(&secret), "{why}");
        }
    }
}
