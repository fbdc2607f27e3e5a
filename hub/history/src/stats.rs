//! Counters for the hub's metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that threads add to and others read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The current value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }
}

/// What the store has done since it was opened, and what it has before it.
#[derive(Debug, Default)]
pub struct Stats {
    /// Submissions that wait in the commit queue (now).
    pub queue_depth: Counter,
    /// Transactions committed.
    pub commits: Counter,
    /// How long those transactions took together, microseconds.
    pub commit_micros: Counter,
    /// Transactions that failed; their submitters were told.
    pub commit_failures: Counter,
    /// Whether the newest commit failed for the disk's sake (now): 1 or 0.
    pub commits_fail: Counter,
    /// Samples made durable.
    pub committed_samples: Counter,
    /// Samples refused: unknown point, time outside 1970 to 2199 or before the retention limit, text too long.
    pub rejected_samples: Counter,
    /// Records made durable.
    pub committed_records: Counter,
    /// Samples that are durable but not yet in a month file (now).
    pub unsealed_samples: Counter,
    /// Sealing runs finished.
    pub seals: Counter,
    /// Samples sealed into month files.
    pub sealed_samples: Counter,
    /// Damaged files and chunks found since the store was opened.
    pub damage: Counter,
    /// Sealing runs that failed and will be tried again.
    pub seal_failures: Counter,
}
