//! The seams of the hub: what it needs of a store and of a field.
//!
//! One machine has the store of `campanile-history` and the gateway of `campanile-gateway`. A district of schools may
//! have others (PostgreSQL, NATS): they take their place by these traits.

use std::io::Write;
use std::time::Duration;

use campanile_gateway::{Gateway, GatewayError, GatewayStatus};
use campanile_history::{
    Bucket, CommitQueue, EnergyBucket, History, HistoryError, LogEntry, Reading, Record, StoredRecord,
    Submission,
};
use campanile_model::{PointId, Quality, Timestamp, Value};

/// Reads what was committed. Calls may block: they are made away from the tasks that serve sockets.
pub trait Store: Send + Sync {
    /// The newest reading of every point that has one.
    fn last_all(&self) -> Vec<(PointId, Reading)>;
    /// The records of a kind in order of key.
    ///
    /// # Errors
    /// Where the store can't be read.
    fn records(&self, kind: &str) -> Result<Vec<StoredRecord>, HistoryError>;
    /// The newest entries of a kind's log before an entry, newest first.
    ///
    /// # Errors
    /// Where the store can't be read.
    fn log(&self, kind: &str, before: Option<i64>, limit: usize) -> Result<Vec<LogEntry>, HistoryError>;
    /// Samples from `from` to before `to`, at most `limit`.
    ///
    /// # Errors
    /// Where the store can't be read or has no such point.
    fn range(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>, HistoryError>;
    /// Count, min, mean, max and sum by stretches of `width` microseconds.
    ///
    /// # Errors
    /// As [`Self::range`], and for too many stretches.
    fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width: i64,
    ) -> Result<Vec<Bucket>, HistoryError>;
    /// What a meter counted by stretches of `width` microseconds.
    ///
    /// # Errors
    /// As [`Self::buckets`], and for a point that is no meter.
    fn energy(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width: i64,
    ) -> Result<Vec<EnergyBucket>, HistoryError>;
    /// Writes samples as CSV; how many.
    ///
    /// # Errors
    /// As [`Self::range`], and where `out` fails.
    fn export_csv(
        &self,
        out: &mut dyn Write,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, HistoryError>;
    /// Deletes what lies in months wholly before a moment, and keeps with it the record that `audit` makes of the months
    /// that are gone; gives these.
    ///
    /// # Errors
    /// Where the limit can't be kept or a file not deleted.
    fn retain_from(
        &self,
        keep_from: Timestamp,
        audit: &dyn Fn(&[String]) -> Record,
    ) -> Result<Vec<String>, HistoryError>;
    /// Submissions that wait to be committed.
    fn waiting(&self) -> u64;
    /// Commits and compressions that have failed.
    fn failures(&self) -> u64;
    /// Commits since the start, and how long they took together.
    fn commits(&self) -> (u64, Duration);
    /// Bytes that the store takes on the disk.
    fn bytes(&self) -> u64;
    /// Whether nothing can be stored now.
    fn fails(&self) -> bool;
    /// What is missing because files were damaged, in words with the mend.
    fn damage(&self) -> Vec<String>;
}

impl Store for History {
    fn last_all(&self) -> Vec<(PointId, Reading)> {
        self.last_all()
    }

    fn records(&self, kind: &str) -> Result<Vec<StoredRecord>, HistoryError> {
        self.records(kind)
    }

    fn log(&self, kind: &str, before: Option<i64>, limit: usize) -> Result<Vec<LogEntry>, HistoryError> {
        self.log(kind, before, limit)
    }

    fn range(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>, HistoryError> {
        self.range(point, from, to, limit)
    }

    fn buckets(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width: i64,
    ) -> Result<Vec<Bucket>, HistoryError> {
        self.buckets(point, from, to, width)
    }

    fn energy(
        &self,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
        width: i64,
    ) -> Result<Vec<EnergyBucket>, HistoryError> {
        self.energy(point, from, to, width)
    }

    fn export_csv(
        &self,
        out: &mut dyn Write,
        point: PointId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, HistoryError> {
        self.export_csv(out, point, from, to)
    }

    fn retain_from(
        &self,
        keep_from: Timestamp,
        audit: &dyn Fn(&[String]) -> Record,
    ) -> Result<Vec<String>, HistoryError> {
        self.retain_from(keep_from, audit)
    }

    fn waiting(&self) -> u64 {
        self.stats().queue_depth.get()
    }

    fn failures(&self) -> u64 {
        let stats = self.stats();
        stats.commit_failures.get() + stats.seal_failures.get()
    }

    fn commits(&self) -> (u64, Duration) {
        let stats = self.stats();
        (stats.commits.get(), Duration::from_micros(stats.commit_micros.get()))
    }

    fn bytes(&self) -> u64 {
        // A folder that can't be listed is told by the commits that fail.
        campanile_history::store_bytes(self.dir()).unwrap_or(0)
    }

    fn fails(&self) -> bool {
        self.stats().commits_fail.get() > 0
    }

    fn damage(&self) -> Vec<String> {
        self.damage().into_iter().map(|damage| format!("{}: {}", damage.file, damage.why)).collect()
    }
}

/// Makes samples and records durable, in the order they are submitted. Dropping it commits what waits.
pub trait Commits: Send {
    /// Waits for room and submits; what is submitted tells by its own `done` when it is durable.
    ///
    /// # Errors
    /// Gives the submission back where the store has stopped.
    fn submit(&self, submission: Submission) -> Result<(), Box<Submission>>;
}

impl Commits for CommitQueue {
    fn submit(&self, submission: Submission) -> Result<(), Box<Submission>> {
        self.submit(submission).map_err(Box::new)
    }
}

/// The way to devices. Samples come by the sink that it was started with.
pub trait Field: Send + Sync {
    /// Sends a value to a device; its answer comes as a sample.
    ///
    /// # Errors
    /// Where it can't go out now.
    fn send_command(&self, point: PointId, value: Option<&Value>) -> Result<(), GatewayError>;
    /// Whether it is connected.
    fn is_connected(&self) -> bool;
    /// What it has seen.
    fn status(&self) -> GatewayStatus;
}

impl Field for Gateway {
    fn send_command(&self, point: PointId, value: Option<&Value>) -> Result<(), GatewayError> {
        self.send_command(point, value)
    }

    fn is_connected(&self) -> bool {
        self.is_connected()
    }

    fn status(&self) -> GatewayStatus {
        self.status()
    }
}
