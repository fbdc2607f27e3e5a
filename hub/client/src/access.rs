//! What a program is told of how to reach a hub: whose certificate to trust, and who it is.

use std::path::{Path, PathBuf};

use campanile_protocol::people::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::ClientError;

/// The variable of the environment with an API token.
pub const TOKEN_VARIABLE: &str = "CAMPANILE_TOKEN";
/// Where systems keep the authorities that they trust: Debian, Red Hat, SUSE, Alpine and macOS.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Options of a program that reaches a hub with sign-in and TLS. A token is never an option itself: the list of
/// processes shows options to everybody.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Access {
    /// A file with an API token, for a hub that asks for sign-in; or the token in CAMPANILE_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The certificate to trust (PEM): of an authority, or the hub's own (tls-self-signed.pem in its data folder);
    /// those that the system trusts where left out.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl Access {
    /// The token of the file, else of the environment, if there is one.
    ///
    /// # Errors
    /// [`ClientError::Token`] where the file can't be read or what is there can be none.
    pub fn token(&self) -> Result<Option<Secret>, ClientError> {
        let (text, place) = match &self.token_file {
            Some(path) => {
                let wrong = |why: std::io::Error| ClientError::Token(format!("{}: {why}", path.display()));
                (std::fs::read_to_string(path).map_err(wrong)?, path.display().to_string())
            }
            None => match std::env::var(TOKEN_VARIABLE) {
                Ok(text) => (text, TOKEN_VARIABLE.to_owned()),
                Err(_) => return Ok(None),
            },
        };
        let text = text.trim();
        // What is not a token is not shown: it may be another secret.
        if !text.starts_with("cmp_") || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(ClientError::Token(format!("{place} has no token: it has to look like cmp_…")));
        }
        Ok(Some(Secret::new(text)))
    }

    /// The certificates to trust.
    ///
    /// # Errors
    /// [`ClientError::Authorities`] where there are none or they can't be read.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, ClientError> {
        if let Some(path) = &self.ca {
            return certificates(path);
        }
        let own = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        own.into_iter().chain(SYSTEM_AUTHORITIES.map(PathBuf::from)).find(|path| path.is_file()).map_or_else(
            || Err(ClientError::Authorities("this system has no list of authorities to trust".to_owned())),
            |path| certificates(&path),
        )
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let wrong = |why: &dyn std::fmt::Display| ClientError::Authorities(format!("{}: {why}", path.display()));
    let all: Vec<_> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|why| wrong(&why))?;
    if all.is_empty() {
        return Err(wrong(&"there is no certificate in it"));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_file_and_what_is_none_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let access = Access { token_file: Some(path.clone()), ca: None };
        assert!(matches!(access.token(), Err(ClientError::Token(_))), "no such file");
        for (text, token) in [
            ("cmp_k3m9x2ab_0123\n", Some("cmp_k3m9x2ab_0123")),
            ("  cmp_a_b ", Some("cmp_a_b")),
            ("correct horse", None),
            ("cmp_a b", None),
            ("", None),
        ] {
            std::fs::write(&path, text).unwrap();
            match (access.token(), token) {
                (Ok(Some(read)), Some(token)) => assert_eq!(read.expose(), token),
                (Err(why), None) => {
                    let why = why.to_string();
                    assert!(why.contains("cmp_…") && !why.contains("horse"), "{why}");
                }
                (other, _) => unreachable!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let access = Access { token_file: None, ca: Some(path.clone()) };
        for text in [None, Some(""), Some("nothing"), Some("-----BEGIN CERTIFICATE-----\n!\n")] {
            text.into_iter().for_each(|text| std::fs::write(&path, text).unwrap());
            let why = access.authorities().unwrap_err().to_string();
            assert!(why.contains("ca.pem"), "{text:?}: {why}");
        }
    }
}
