//! What goes wrong between a program and a hub, with its mend.

use campanile_protocol::ErrorCode;

#[cfg(not(target_arch = "wasm32"))]
use crate::access::TOKEN_VARIABLE;

/// Why a hub did not answer as was hoped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address of the hub is not one.
    #[error("'{0}' is not the address of a hub: it has to look like https://hub.school.example:7373")]
    Address(String),
    /// The token can't be read.
    #[error("the token can't be read: {0}")]
    Token(String),
    /// The certificates to trust can't be read.
    #[error("the certificates to trust can't be read: {0}")]
    Authorities(String),
    /// Nobody answers.
    #[error("no hub answers at {hub}: {why}")]
    Unreachable {
        /// Where.
        hub: String,
        /// Why not.
        why: String,
    },
    /// Who answers can't prove to be the hub.
    #[error("the certificate of {hub} is not to be trusted: {why}")]
    Untrusted {
        /// Where.
        hub: String,
        /// Why not.
        why: String,
    },
    /// The hub refuses, in its own words.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What kind of refusal, where the hub said.
        code: Option<ErrorCode>,
        /// Why, for people.
        message: String,
    },
    /// The answer is not one of a hub of this version.
    #[error("the hub's answer can't be read: {0}")]
    Unreadable(String),
}

impl ClientError {
    /// Whether the hub wants to know who asks, or does not take what was sent as proof.
    pub fn wants_sign_in(&self) -> bool {
        matches!(self, Self::Refused { code: Some(ErrorCode::SignInRequired), .. })
    }

    /// How to mend it, for who uses the command line; `None` where the hub's words say it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn mend(&self) -> Option<String> {
        Some(match self {
            Self::Address(_) => "name it with --hub https://HOST:PORT, or http:// on this machine".to_owned(),
            Self::Token(_) => {
                format!("name a file that has nothing but the token, with --token-file FILE, or set {TOKEN_VARIABLE}")
            }
            Self::Authorities(_) => {
                "name a PEM file with --ca FILE; a hub that signs its own certificate keeps it as \
                 tls-self-signed.pem in its data folder"
                    .to_owned()
            }
            Self::Unreachable { hub, .. } if hub.starts_with("http:") => {
                "start one with `campanile hub` or `campanile demo`, or name it with --hub; one with TLS is https://"
                    .to_owned()
            }
            Self::Unreachable { .. } => {
                "look whether the hub runs and is reached from here, and whether it has TLS (--tls, --tls-cert)"
                    .to_owned()
            }
            Self::Untrusted { .. } => {
                "name the certificate of who signed it with --ca FILE, and the hub by a name of its certificate; a \
                 hub that signs its own keeps it as tls-self-signed.pem in its data folder"
                    .to_owned()
            }
            _ if self.wants_sign_in() => format!(
                "give a token that has not ended with --token-file FILE or {TOKEN_VARIABLE}; `campanile user token \
                 add` makes one"
            ),
            _ => return None,
        })
    }

    /// What a failed request comes to.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn of_request(hub: &str, failed: &ureq::Error) -> Self {
        let tls = match failed {
            ureq::Error::Rustls(why) => Some(why),
            ureq::Error::Io(why) => why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
            _ => None,
        };
        match tls {
            Some(why) => Self::of_tls(hub, why),
            None => Self::Unreachable { hub: hub.to_owned(), why: failed.to_string() },
        }
    }

    /// What a failed handshake comes to.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn of_tls(hub: &str, why: &rustls::Error) -> Self {
        use rustls::{CertificateError as Wrong, Error};
        let why = match why {
            Error::InvalidCertificate(wrong) => match wrong {
                Wrong::UnknownIssuer => "nobody who is trusted here has signed it".to_owned(),
                Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                    "it is for another name".to_owned()
                }
                Wrong::Expired | Wrong::ExpiredContext { .. } => "its time is over".to_owned(),
                Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                    "its time has not begun; is the clock of this machine right?".to_owned()
                }
                other => other.to_string(),
            },
            other => return Self::Unreachable { hub: hub.to_owned(), why: format!("no TLS: {other}") },
        };
        Self::Untrusted { hub: hub.to_owned(), why }
    }
}
