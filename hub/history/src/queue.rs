//! The commit queue: many submitters, one thread that commits when its inbox runs dry.
//!
//! Not a commit a message (0.2 ms of disk each), and not one a fixed interval: MQTT's QoS 1 lets only so many
//! messages be in flight, so a fixed 100 ms would cap a connection at about a thousand messages a second.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use campanile_model::Sample;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::error::{HistoryError, IoContext, Result};
use crate::record::Record;
use crate::stats::Stats;
use crate::writer::{CommitInfo, Writer};

/// A commit comes when this many samples wait …
const MAX_COMMIT_SAMPLES: usize = 10_000;
/// … or the first has waited this long, or (the usual case) no more submissions wait.
const MAX_COMMIT_WAIT: Duration = Duration::from_millis(100);

/// What is called after the commit that has (or has not) made a submission durable.
pub type Done = Box<dyn FnOnce(Result<CommitInfo, Arc<HistoryError>>) + Send>;

/// Samples and records to be committed together.
#[derive(Default)]
pub struct Submission {
    /// Samples.
    pub samples: Vec<Sample>,
    /// Records.
    pub records: Vec<Record>,
    /// Called once, from the queue's thread, when all of it is durable, or with the error if it is not. What was
    /// stored and rejected is that of the whole commit. It should be brief.
    pub done: Option<Done>,
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission")
            .field("samples", &self.samples.len())
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// Commits submissions on a thread of its own. Bounded: when it is full, submitters wait or are told.
#[derive(Debug)]
pub struct CommitQueue {
    inbox: Option<Sender<Submission>>,
    stats: Arc<Stats>,
    thread: Option<JoinHandle<()>>,
}

impl CommitQueue {
    /// Starts the thread; at most `capacity` submissions wait.
    pub fn start(writer: Writer, capacity: usize) -> Result<Self> {
        let (inbox, outbox) = bounded(capacity.max(1));
        let stats = writer.shared().stats.clone();
        let dir = writer.shared().dir.clone();
        let thread = std::thread::Builder::new()
            .name("history-commit".to_owned())
            .spawn(move || run(writer, &outbox))
            .at("starting a thread for", &dir)?;
        Ok(Self { inbox: Some(inbox), stats, thread: Some(thread) })
    }

    /// Submits, waiting while the queue is full.
    ///
    /// # Errors
    /// Gives the submission back if the queue has stopped.
    pub fn submit(&self, submission: Submission) -> Result<(), Submission> {
        let Some(inbox) = &self.inbox else { return Err(submission) };
        self.stats.queue_depth.add(1);
        inbox.send(submission).map_err(|refused| {
            self.stats.queue_depth.sub(1);
            refused.0
        })
    }

    /// Submits if there is room.
    ///
    /// # Errors
    /// Gives the submission back if the queue is full or has stopped.
    pub fn try_submit(&self, submission: Submission) -> Result<(), Submission> {
        let Some(inbox) = &self.inbox else { return Err(submission) };
        self.stats.queue_depth.add(1);
        inbox.try_send(submission).map_err(|refused| {
            self.stats.queue_depth.sub(1);
            match refused {
                TrySendError::Full(s) | TrySendError::Disconnected(s) => s,
            }
        })
    }

    /// Commits what waits and stops; dropping does the same.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for CommitQueue {
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the commit thread of the history had panicked");
        }
    }
}

fn run(mut writer: Writer, outbox: &Receiver<Submission>) {
    let stats = writer.shared().stats.clone();
    let mut samples = Vec::new();
    let mut records = Vec::new();
    let mut waiting: Vec<Done> = Vec::new();
    while let Ok(first) = outbox.recv() {
        let started = Instant::now();
        let mut next = Some(first);
        while let Some(mut submission) = next.take() {
            stats.queue_depth.sub(1);
            // A record beyond the limits fails its own submission, not those of others in the same commit.
            if let Some(error) = submission.records.iter().find_map(|record| record.body_text().err()) {
                tracing::error!(%error, "a submission can't be stored; its submitter is told");
                if let Some(done) = submission.done {
                    done(Err(Arc::new(error)));
                }
                next = outbox.try_recv().ok();
                continue;
            }
            samples.append(&mut submission.samples);
            records.append(&mut submission.records);
            waiting.extend(submission.done);
            if samples.len() < MAX_COMMIT_SAMPLES && started.elapsed() < MAX_COMMIT_WAIT {
                next = outbox.try_recv().ok();
            }
        }
        if samples.is_empty() && records.is_empty() && waiting.is_empty() {
            continue;
        }
        let outcome = writer.commit(&samples, &records).map_err(Arc::new);
        if let Err(error) = &outcome {
            tracing::error!(%error, samples = samples.len(), "a commit failed; its submitters are told");
        }
        samples.clear();
        records.clear();
        for done in waiting.drain(..) {
            done(outcome.clone());
        }
    }
}
