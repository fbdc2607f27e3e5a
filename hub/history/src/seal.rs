//! Sealing: from the tail to month files, in steps that may be cut short anywhere.
//!
//! 1. The active tail becomes the sealing tail, up to the last committed raw blob.
//! 2. Month by month: one durable transaction puts the month's samples into its file, together with the number of
//!    that blob; then the month leaves the tail.
//! 3. When all months are done, one transaction in the main file removes the blobs and keeps the last values.
//!
//! Cut short before a month's commit, its samples are still in the blobs. Cut short after it, the blobs are there too,
//! but the month's number says that it has them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::civil::Month;
use crate::error::{HistoryError, Result};
use crate::month::{GONE, MonthFile, month_path};
use crate::quarantine;
use crate::store::{Shared, lock};
use crate::tail::Tail;

const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The sealing thread: seals when told to, until the store closes.
pub(crate) fn run(shared: &Shared) {
    loop {
        {
            let mut bell = lock(&shared.bell.0);
            while !bell.wanted && !bell.closing {
                bell = shared.bell.1.wait(bell).unwrap_or_else(std::sync::PoisonError::into_inner);
            }
            if bell.closing {
                return;
            }
            bell.wanted = false;
        }
        let outcome = seal(shared);
        shared.sealing_fails.store(outcome.is_err(), Ordering::Relaxed);
        if let Err(error) = outcome {
            tracing::error!(%error, "sealing failed and will be tried again; no sample is lost");
            let bell = lock(&shared.bell.0);
            let waited = shared.bell.1.wait_timeout_while(bell, RETRY_AFTER, |bell| !bell.closing);
            waited.unwrap_or_else(std::sync::PoisonError::into_inner).0.wanted = true;
        }
    }
}

/// Seals all that is committed now.
pub(crate) fn seal(shared: &Shared) -> Result<()> {
    let _turn = lock(&shared.sealer);
    let outcome = seal_in_turn(shared);
    match &outcome {
        Ok(()) => shared.stats.seals.add(1),
        Err(_) => shared.stats.seal_failures.add(1),
    }
    // Writers may wait for room.
    shared.bell.1.notify_all();
    outcome
}

fn seal_in_turn(shared: &Shared) -> Result<()> {
    // What a failed run left is finished first, so that blobs are sealed in order.
    if shared.tails().sealing.is_some() {
        seal_frozen(shared)?;
    }
    {
        // Under the lock of the main file no commit is between its blob and the tail.
        let _main = shared.main();
        let mut tails = shared.tails();
        if tails.active.blobs == 0 {
            return Ok(());
        }
        tails.sealing = Some(Arc::new(std::mem::take(&mut tails.active)));
    }
    seal_frozen(shared)
}

fn seal_frozen(shared: &Shared) -> Result<()> {
    let Some(frozen) = shared.tails().sealing.clone() else { return Ok(()) };
    let through_blob = frozen.through_blob;
    let first_month = shared.first_month();
    for month in frozen.months.keys().filter(|month| **month >= first_month) {
        match seal_month(shared, &frozen, *month) {
            Err(HistoryError::DamagedMonth { why, .. }) => {
                // What comes in must not wait for a file that nobody can write to; it is made anew.
                set_aside(shared, *month, &why)?;
                seal_month(shared, &frozen, *month)?;
            }
            other => other?,
        }
    }
    // The samples stay in the sealing tail until here. Queries meanwhile see them twice, at equal times, and count them once.
    let keys = touched(&frozen);
    let samples = frozen.samples;
    let last: Vec<_> = {
        let last = shared.last();
        keys.iter().filter_map(|&key| Some((key, last.get(key as usize)?.clone()?))).collect()
    };
    let months: Vec<Month> = frozen.months.keys().copied().filter(|month| *month >= first_month).collect();
    shared.main().forget_sealed(through_blob, &last, &months)?;
    {
        let _layout = shared.layout_mut();
        shared.tails().sealing = None;
    }
    shared.stats.sealed_samples.add(samples);
    shared.stats.unsealed_samples.sub(samples);
    Ok(())
}

/// Puts a month's part of the tail into its file. Months sealed by an earlier, failed run of this tail say so by their
/// number.
fn seal_month(shared: &Shared, frozen: &Tail, month: Month) -> Result<()> {
    let try_seal = || {
        let path = month_path(&shared.dir, month);
        if !path.exists() && shared.layout().months.contains(&month) {
            return Err(HistoryError::DamagedMonth { path, month: month.number(), why: GONE.to_owned() });
        }
        let mut file = MonthFile::open_to_seal(&shared.dir, month)?;
        if let Some(sealing) = file.begin(frozen.through_blob)? {
            for (key, arrivals) in frozen.months[&month].iter().enumerate() {
                if !arrivals.is_empty() {
                    let resolution = shared.resolutions.get(key).copied().flatten();
                    sealing.put(key as u32, &arrivals.columns().settle(), resolution)?;
                }
            }
            let mut layout = shared.layout_mut();
            sealing.commit()?;
            layout.months.insert(month);
        }
        match file.kept_aside()? {
            0 => {}
            chunks => shared.damaged(month.kept_aside(chunks)),
        }
        file.checkpoint()
    };
    try_seal().map_err(|error| error.of_month(month, &month_path(&shared.dir, month)))
}

/// Renames a damaged month's files, so that the rest of the store goes on; the caller holds the sealer's lock.
pub(crate) fn set_aside(shared: &Shared, month: Month, why: &str) -> Result<()> {
    let mut layout = shared.layout_mut();
    if !layout.months.remove(&month) && !month_path(&shared.dir, month).exists() {
        return Ok(());
    }
    layout.generation += 1;
    let damage = quarantine::set_aside(&shared.dir, month, why)?;
    drop(layout);
    shared.damaged(damage);
    shared.main().forget_month(month.number())
}

/// The keys of points that have samples in the tail.
fn touched(tail: &Tail) -> BTreeSet<u32> {
    let points = tail.months.values().flat_map(|points| points.iter().enumerate());
    points.filter(|(_, c)| !c.is_empty()).map(|(key, _)| key as u32).collect()
}
