//! End-to-end and conformance suites. The library holds what several suites share.
#![cfg_attr(test, allow(clippy::unwrap_used))]
