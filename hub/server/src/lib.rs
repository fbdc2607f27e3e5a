//! The hub at work: live world, gateway, history, API.
