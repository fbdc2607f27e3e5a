//! Threads to work with, kept from step to step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

static POOLS: Mutex<BTreeMap<usize, Arc<ThreadPool>>> = Mutex::new(BTreeMap::new());

/// A pool of so many threads; nothing where the system gives none: then the caller's own has to do.
pub fn of(threads: usize) -> Option<Arc<ThreadPool>> {
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Some(pool.clone());
    }
    let named = |i| format!("flood-{i}");
    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build().ok()?);
    pools.insert(threads, pool.clone());
    Some(pool)
}
