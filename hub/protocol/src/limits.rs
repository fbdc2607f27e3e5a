//! Limits on what comes from the other side.

/// The most samples in one data frame.
pub const MAX_FRAME_SAMPLES: usize = 65_536;
/// The most bytes in one binary frame.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;
/// The most bytes in one JSON message from a client.
pub const MAX_CLIENT_MESSAGE_BYTES: usize = 64 * 1024;
/// The most bytes in one JSON message from the hub: an alarm list of a flooded campus is long.
pub const MAX_SERVER_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// The most globs in one subscription.
pub const MAX_GLOBS: usize = 64;
/// The most subscriptions of one connection.
pub const MAX_SUBSCRIPTIONS: usize = 32;
/// The longest reason or comment in bytes.
pub const MAX_REASON_BYTES: usize = 500;
/// The most samples of one answer to a range query.
pub const MAX_RANGE_SAMPLES: usize = 100_000;
/// The most buckets of one answer to a bucket query.
pub const MAX_BUCKETS: usize = 20_000;
/// The longest time that a command may be held, seconds: a year.
pub const MAX_EXPIRY_S: f64 = 366.0 * 86_400.0;
/// The most cells, numbers or people of one layer: a campus of 2 km at 2 m, or a million people.
pub const MAX_LAYER_NUMBERS: usize = 1_000_000;
