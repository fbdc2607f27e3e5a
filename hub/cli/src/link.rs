//! A running hub that a command speaks to.

use campanile_client::{Access, Client};

use crate::failure::Failure;

/// The hub at an address, with the token and certificate that the command was told.
pub fn client(hub: &str, access: &Access) -> Result<Client, Failure> {
    campanile_client::keep_secrets_from_log();
    Client::new(hub, access).map_err(Failure::of_hub)
}
