//! Time series and records in one SQLite store.
//!
//! [`History`] is the store: a folder with a main file and a file a month. [`Writer`] commits samples and [`Record`]s
//! in one durable transaction; [`CommitQueue`] does so on a thread for many submitters and tells each when its samples
//! are safe. Queries ([`History::range`], [`History::buckets`], [`History::energy`]) run beside it and see what is
//! committed. [`bench`] measures it on the machine at hand.
//!
//! # From sample to month file
//! A commit writes one raw blob into the main file, together with the records. Its samples are also in memory, in the
//! *tail*, until they are *sealed*: compressed, some thousand a chunk and point, into the file of their UTC month,
//! with hourly roll-ups beside each chunk. Then the blob is removed. Opening reads the blobs that are left, so nothing
//! that was committed is lost, whenever the process or the power goes; and month files know up to which blob they
//! have sealed, so nothing is there twice. Retention deletes month files.
//!
//! # What a query answers
//! A later arrival for the same point and time replaces the earlier one. Values come back bit for bit, NaN and -0.0
//! too. Sums are correctly rounded, whether made from samples or from roll-ups. Figures (buckets, energy) are over
//! samples of good or uncertain quality that are finite numbers; a stretch without any is absent.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backup;
pub mod bench;
mod bench_columns;
mod blob;
mod buckets;
mod bytes;
mod checksum;
mod chunk;
mod civil;
mod columns;
mod error;
mod exact;
mod export;
mod folder;
mod inspect;
mod main_file;
mod month;
mod point;
#[cfg(test)]
mod power_loss;
mod quarantine;
mod query;
mod queue;
mod record;
mod rollup;
mod seal;
mod stats;
mod store;
mod tail;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_damage;
#[cfg(test)]
mod tests_durable;
mod writer;

pub use backup::{BackupFile, Manifest, Progress, backup, restore, verify_backup};
pub use buckets::MAX_BUCKETS;
pub use error::{HistoryError, Result};
pub use exact::ExactSum;
pub use inspect::{StoreFacts, inspect, store_bytes, verify};
pub use point::{Accumulation, Bucket, EnergyBucket, Options, PointSpec, Reading, Series};
pub use quarantine::Damage;
pub use queue::{CommitQueue, Done, Submission};
pub use record::{AUDIT, LogEntry, MAX_RECORD_BODY, MAX_RECORD_NAME, Record, StoredRecord};
pub use stats::{Counter, Stats};
pub use store::History;
pub use writer::{CommitInfo, Writer};
