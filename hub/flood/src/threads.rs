//! On how many cores a step runs. It changes the time, never a bit of the result.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

/// Pools that were asked for by their size, so that whoever steps now and then need not keep one.
static SHARED: Mutex<BTreeMap<usize, Threads>> = Mutex::new(BTreeMap::new());

/// The threads that a step may use; cheap to clone, to be shared by engines.
#[derive(Clone, Default)]
pub struct Threads(Option<Arc<rayon::ThreadPool>>);

impl Threads {
    /// The caller's own thread.
    pub fn one() -> Self {
        Self(None)
    }

    /// A pool of `threads`; one or none is the caller's own.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(threads: usize) -> Result<Self, ThreadsError> {
        if threads <= 1 {
            return Ok(Self::one());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Ok(Self(Some(Arc::new(pool.map_err(|e| ThreadsError { threads, cause: e.to_string() })?))))
    }

    /// The pool of `threads` that everyone here shares; the caller's own thread where the system gives none,
    /// as the result is the same.
    pub fn shared(threads: usize) -> Self {
        let mut pools = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(threads.max(1)).or_insert_with(|| Self::new(threads).unwrap_or_default()).clone()
    }

    /// Does `work` on every part and gives the results in the parts' order.
    pub(crate) fn map<T: Send, O: Send>(&self, parts: Vec<T>, work: impl Fn(T) -> O + Sync + Send) -> Vec<O> {
        match &self.0 {
            None => parts.into_iter().map(work).collect(),
            Some(pool) => pool.install(|| parts.into_par_iter().map(work).collect()),
        }
    }
}

/// The system gave no threads.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("no pool of {threads} threads: {cause}; use fewer")]
pub struct ThreadsError {
    threads: usize,
    cause: String,
}
