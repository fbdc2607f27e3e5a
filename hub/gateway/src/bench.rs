//! Measures the gateway.
