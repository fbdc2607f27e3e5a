//! The writer: one durable transaction a commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use campanile_model::{Sample, Value};

use crate::blob::{self, MAX_BLOB_SAMPLES, Row};
use crate::civil::Month;
use crate::error::{HistoryError, Result};
use crate::main_file::{is_newer, reading};
use crate::record::Record;
use crate::store::{Shared, lock};

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitInfo {
    /// Samples that are durable now.
    pub stored: usize,
    /// Samples that were refused: of an unknown point, with a time outside 1970 to 2199 or before the retention
    /// limit, or with a text over [`Value::MAX_TEXT`]. They are counted and logged.
    pub rejected: usize,
}

/// Commits samples and records.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    blobs: Vec<Vec<u8>>,
}

/// The tail may grow to this many times the length at which it is sealed; then commits wait for the sealer.
const MAX_TAIL: u64 = 3;
/// How long they wait before they fail.
const MAX_WAIT: Duration = Duration::from_secs(30);

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, blobs: Vec::new() }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Writes samples and records in one transaction, which is durable when this returns.
    ///
    /// # Errors
    /// If a record breaks a limit, the disk fails, or sealing has not kept up for long. Then nothing was written.
    pub fn commit(&mut self, batch: &[Sample], records: &[Record]) -> Result<CommitInfo> {
        let began = Instant::now();
        let outcome = self.try_commit(batch, records);
        let stats = &self.shared.stats;
        match &outcome {
            Ok(info) => {
                stats.commits.add(1);
                stats.commit_micros.add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                stats.commits_fail.set(0);
                stats.committed_samples.add(info.stored as u64);
                stats.rejected_samples.add(info.rejected as u64);
                stats.committed_records.add(records.len() as u64);
                if info.rejected > 0 {
                    tracing::warn!(
                        rejected = info.rejected,
                        of = batch.len(),
                        "samples refused by the history"
                    );
                }
            }
            Err(why) => {
                stats.commit_failures.add(1);
                // A record beyond the limits is its submitter's affair.
                if !matches!(why, HistoryError::Record { .. }) {
                    stats.commits_fail.set(1);
                }
            }
        }
        outcome
    }

    fn try_commit<'a>(&mut self, batch: &'a [Sample], records: &[Record]) -> Result<CommitInfo> {
        let shared = &self.shared;
        let bodies = records.iter().map(Record::body_text).collect::<Result<Vec<_>>>()?;
        self.wait_for_room()?;
        let mut main = shared.main();
        let (earliest, latest) = shared.span_us();
        let key_of = |sample: &Sample| {
            let fits = match &sample.value {
                Value::Text(text) => text.len() <= Value::MAX_TEXT,
                _ => true,
            };
            shared.key(sample.point).filter(|_| fits && (earliest..latest).contains(&sample.time.0))
        };
        let accepted: Vec<(u32, &Sample)> = batch.iter().filter_map(|s| Some((key_of(s)?, s))).collect();
        let blob_count = accepted.len().div_ceil(MAX_BLOB_SAMPLES);
        self.blobs.resize_with(blob_count, Vec::new);
        for (blob, samples) in self.blobs.iter_mut().zip(accepted.chunks(MAX_BLOB_SAMPLES)) {
            let row = |(key, s): &(u32, &'a Sample)| Row {
                key: *key,
                time: s.time.0,
                value: &s.value,
                quality: s.quality,
                scale: shared.scales.get(*key as usize).copied().flatten(),
            };
            blob::encode(samples.iter().map(row), blob);
        }
        let last_blob = main.commit(&self.blobs, records, &bodies)?;

        // Still under the lock of the main file, so that the tail has the order of the blobs.
        let full = {
            let mut tails = shared.tails();
            let tail = &mut tails.active;
            let mut month = Month::of(0);
            let mut month_us = 0..0;
            for (key, sample) in &accepted {
                if !month_us.contains(&sample.time.0) {
                    month = Month::of(sample.time.0);
                    month_us = month.start_us()..month.end_us();
                }
                tail.push(month, *key, sample.time.0, &sample.value, sample.quality);
            }
            if blob_count > 0 {
                tail.blobs += blob_count as u64;
                tail.through_blob = last_blob;
            }
            shared.stats.unsealed_samples.add(accepted.len() as u64);
            tail.samples >= shared.options.seal_after_samples
                || tail.blobs >= shared.options.seal_after_commits
        };
        {
            let mut last = shared.last_mut();
            for (key, sample) in &accepted {
                if let Some(slot) = last.get_mut(*key as usize)
                    && is_newer(slot.as_ref(), sample.time.0)
                {
                    *slot = Some(reading(sample.time.0, sample.value.clone(), sample.quality));
                }
            }
        }
        drop(main);
        if full {
            shared.ring(|bell| bell.wanted = true);
        }
        Ok(CommitInfo { stored: accepted.len(), rejected: batch.len() - accepted.len() })
    }

    /// Memory is bounded: a tail that grows faster than it is sealed slows its writer down.
    fn wait_for_room(&self) -> Result<()> {
        let limit = self.shared.options.seal_after_samples.saturating_mul(MAX_TAIL);
        let started = Instant::now();
        let mut bell = lock(&self.shared.bell.0);
        loop {
            let unsealed = self.shared.stats.unsealed_samples.get();
            if unsealed < limit {
                return Ok(());
            }
            if bell.closing {
                return Err(HistoryError::Closed);
            }
            if started.elapsed() > MAX_WAIT || self.shared.sealing_fails.load(Ordering::Relaxed) {
                return Err(HistoryError::Backlog { unsealed });
            }
            bell.wanted = true;
            self.shared.bell.1.notify_all();
            let waited = self.shared.bell.1.wait_timeout(bell, Duration::from_millis(100));
            bell = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}
