//! Passwords and random secrets.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use campanile_protocol::people::Secret;

/// Argon2id with 19 MiB, two passes and one lane: the first of the equal choices of OWASP's Password Storage Cheat
/// Sheet, within RFC 9106's ways of choosing parameters (the second recommended option with less memory, since a
/// hub may be a small machine). A hash carries its parameters, so that raising them leaves old ones usable.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The shortest and longest password in bytes. The longest bounds the work of hashing, as OWASP asks.
pub const MIN_PASSWORD: usize = 12;
/// See [`MIN_PASSWORD`].
pub const MAX_PASSWORD: usize = 128;

/// Letters of secrets that people copy by hand: none that look alike.
const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// The machine has no random numbers, or a hash could not be made.
#[derive(Debug, thiserror::Error)]
#[error("secrets can't be made on this machine: {0}")]
pub struct NoSecrets(String);

fn argon2() -> Result<Argon2<'static>, NoSecrets> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|why| NoSecrets(why.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a salt of its own.
pub fn hash(password: &Secret) -> Result<String, NoSecrets> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|why| NoSecrets(why.to_string()))?;
    let hash = argon2()?
        .hash_password(password.expose().as_bytes(), &salt)
        .map_err(|why| NoSecrets(why.to_string()))?;
    Ok(hash.to_string())
}

/// Whether a password is the hashed one. Takes the same time whether it is or not.
pub fn verify(password: &Secret, hash: &str) -> bool {
    let (Ok(argon2), Ok(parsed)) = (argon2(), PasswordHash::new(hash)) else { return false };
    password.expose().len() <= MAX_PASSWORD
        && argon2.verify_password(password.expose().as_bytes(), &parsed).is_ok()
}

/// Why a password is not good enough, if it is not: the key of a text.
pub fn weakness(password: &Secret, name: &str) -> Option<&'static str> {
    let text = password.expose();
    let first = text.chars().next();
    if text.len() < MIN_PASSWORD || text.len() > MAX_PASSWORD {
        Some("malformed-password-length")
    } else if text.chars().any(char::is_control) {
        Some("malformed-password-signs")
    } else if text.to_lowercase().contains(name) {
        Some("malformed-password-name")
    } else if text.chars().all(|c| Some(c) == first) {
        Some("malformed-password-letter")
    } else {
        None
    }
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], NoSecrets> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|why| NoSecrets(why.to_string()))?;
    Ok(bytes)
}

/// A random secret of 256 bits in hexadecimal.
pub fn random_hex() -> Result<String, NoSecrets> {
    Ok(random::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A random word of letters that are told apart by eye: five bits each.
pub fn random_word<const N: usize>() -> Result<String, NoSecrets> {
    Ok(random::<N>()?.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// The digest by which a random secret is kept. Fast is right here: nobody guesses 256 bits.
pub fn digest(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// Compares without telling by its time where the difference is.
pub fn same(a: [u8; 32], b: [u8; 32]) -> bool {
    // blake3's hashes compare in constant time.
    blake3::Hash::from_bytes(a) == blake3::Hash::from_bytes(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_says_its_parameters_and_knows_its_password() {
        let secret = Secret::new("four words of mine");
        let kept = hash(&secret).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify(&secret, &kept));
        assert!(!verify(&Secret::new("four words of yours"), &kept));
        assert!(!verify(&secret, "nonsense"));
        assert_ne!(hash(&secret).unwrap(), kept, "each has its own salt");
    }

    #[test]
    fn weak_passwords_are_told() {
        for weak in ["short", "aaaaaaaaaaaaaaaa", "anna-and-her-dog", "a\nb and some more", &"x1".repeat(65)]
        {
            assert!(weakness(&Secret::new(weak), "anna").is_some(), "{weak}");
        }
        assert!(weakness(&Secret::new("四个自己的词语就好"), "anna").is_none());
    }
}
