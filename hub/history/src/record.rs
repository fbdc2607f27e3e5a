//! Records: what the hub keeps besides samples, as JSON by kind. Commands in force and alarm states are put and
//! removed by key; audit records are appended and never changed.

use campanile_model::Timestamp;
use rusqlite::{Connection, params};
use serde_json::Value as Json;

use crate::error::{HistoryError, Result};

/// The longest kind or key in bytes.
pub const MAX_RECORD_NAME: usize = 256;
/// The largest body in bytes of JSON.
pub const MAX_RECORD_BODY: usize = 1 << 20;

/// The kind under which the hub appends who did what and why.
pub const AUDIT: &str = "audit";

/// A change of the records, committed in one transaction with the samples beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Sets the record of a kind and key.
    Put {
        /// Its kind, such as `alarm`.
        kind: String,
        /// Its key within the kind, such as a point's path.
        key: String,
        /// When it came to be.
        time: Timestamp,
        /// The record.
        body: Json,
    },
    /// Removes the record of a kind and key, if there is one.
    Remove {
        /// Its kind.
        kind: String,
        /// Its key.
        key: String,
    },
    /// Appends to the log of a kind.
    Append {
        /// The kind, such as [`AUDIT`].
        kind: String,
        /// When it happened.
        time: Timestamp,
        /// The record.
        body: Json,
    },
}

impl Record {
    /// An audit record; the body says who, what, why, before and after.
    pub fn audit(time: Timestamp, body: Json) -> Self {
        Self::Append { kind: AUDIT.to_owned(), time, body }
    }

    /// Checks the limits and gives the body's text.
    pub(crate) fn body_text(&self) -> Result<Option<String>> {
        let (kind, key, body) = match self {
            Record::Put { kind, key, body, .. } => (kind.as_str(), key.as_str(), Some(body)),
            Record::Remove { kind, key } => (kind.as_str(), key.as_str(), None),
            Record::Append { kind, body, .. } => (kind.as_str(), "-", Some(body)),
        };
        let refuse = |why| HistoryError::Record { kind: kind.to_owned(), key: key.to_owned(), why };
        if kind.is_empty() || key.is_empty() {
            return Err(refuse("its kind or key is empty"));
        }
        if kind.len() > MAX_RECORD_NAME || key.len() > MAX_RECORD_NAME {
            return Err(refuse("its kind or key is longer than 256 bytes"));
        }
        let text = body.map(Json::to_string);
        if text.as_ref().is_some_and(|t| t.len() > MAX_RECORD_BODY) {
            return Err(refuse("its body is larger than 1 MiB"));
        }
        Ok(text)
    }

    /// Applies the change; the caller holds the transaction.
    pub(crate) fn apply(&self, connection: &Connection, body: Option<&str>) -> rusqlite::Result<()> {
        match self {
            Record::Put { kind, key, time, .. } => connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO record (kind, key, time, body) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![kind, key, time.0, body])?,
            Record::Remove { kind, key } => connection
                .prepare_cached("DELETE FROM record WHERE kind = ?1 AND key = ?2")?
                .execute(params![kind, key])?,
            Record::Append { kind, time, .. } => connection
                .prepare_cached("INSERT INTO log (kind, time, body) VALUES (?1, ?2, ?3)")?
                .execute(params![kind, time.0, body])?,
        };
        Ok(())
    }
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    /// Its key within its kind.
    pub key: String,
    /// When it came to be.
    pub time: Timestamp,
    /// The record.
    pub body: Json,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Its number, growing over all kinds; ask for what is before it to page back.
    pub id: i64,
    /// When it happened.
    pub time: Timestamp,
    /// The record.
    pub body: Json,
}

/// All records of a kind in order of key.
pub(crate) fn list(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<StoredRecord>> {
    connection
        .prepare_cached("SELECT key, time, body FROM record WHERE kind = ?1 ORDER BY key")?
        .query_map(params![kind], |row| {
            Ok(StoredRecord { key: row.get(0)?, time: Timestamp(row.get(1)?), body: json(row, 2)? })
        })?
        .collect()
}

/// The newest entries of a kind's log, newest first.
pub(crate) fn log(
    connection: &Connection,
    kind: &str,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<LogEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT id, time, body FROM log WHERE kind = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        )?
        .query_map(params![kind, before.unwrap_or(i64::MAX), limit], |row| {
            Ok(LogEntry { id: row.get(0)?, time: Timestamp(row.get(1)?), body: json(row, 2)? })
        })?
        .collect()
}

fn json(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Json> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
