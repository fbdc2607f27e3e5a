//! A hub from outside, for the programs that speak to one: its certificate is verified, who asks is proved by a token
//! or a session, and what the hub refuses comes back in its own words.
//!
//! What can be asked is in `campanile_protocol`. Sessions and tokens stay in memory and out of every log.
//!
//! A page in a browser has its own way to the hub; of this crate it has what is asked, answered and refused.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(not(target_arch = "wasm32"))]
mod access;
mod error;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod request;

use campanile_protocol::people::Secret;

#[cfg(not(target_arch = "wasm32"))]
pub use access::{Access, TOKEN_VARIABLE};
pub use error::ClientError;
#[cfg(not(target_arch = "wasm32"))]
pub use native::{Client, SocketAddress, keep_secrets_from_log};
pub use request::{Answer, MAX_ANSWER, Method, Request};

/// By what the hub knows who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// By nothing.
    #[default]
    Nothing,
    /// An API token.
    Token(Secret),
    /// The cookie of a session: `name=value`.
    Session(Secret),
}
