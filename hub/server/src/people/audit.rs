//! Reading the audit record: by pages, and as a file.

use std::io::Write;

use campanile_history::{AUDIT, HistoryError, LogEntry};
use campanile_protocol::people::{AuditAnswer, AuditEntry, AuditQuery};
use serde_json::Value as Json;

/// Entries that are read at once.
const PAGE: usize = 1000;
/// Entries that are looked at for one answer; then the asker goes on with `before`.
const MOST_LOOKED_AT: usize = 100_000;

/// Gives the newest entries of a log before one.
pub trait Log: Fn(&str, Option<i64>, usize) -> Result<Vec<LogEntry>, HistoryError> {}
impl<F: Fn(&str, Option<i64>, usize) -> Result<Vec<LogEntry>, HistoryError>> Log for F {}

fn entry(entry: LogEntry) -> AuditEntry {
    let text = |key: &str| match entry.body.get(key) {
        Some(Json::String(text)) => text.clone(),
        // How the first version wrote an actor.
        Some(Json::Object(actor)) => {
            let part = |key: &str| actor.get(key).and_then(Json::as_str).unwrap_or_default();
            format!("{}:{}", part("kind"), part("id"))
        }
        _ => String::new(),
    };
    AuditEntry {
        id: entry.id,
        time_us: entry.time.0,
        actor: text("actor"),
        act: text("act"),
        from: text("from"),
        reason: text("reason"),
        detail: entry.body,
    }
}

fn wanted(query: &AuditQuery, entry: &AuditEntry) -> bool {
    query.actor.as_ref().is_none_or(|actor| *actor == entry.actor)
        && query.act.as_ref().is_none_or(|act| *act == entry.act)
        && query.from_us.is_none_or(|from| entry.time_us >= from)
        && query.to_us.is_none_or(|to| entry.time_us < to)
}

/// A page of the audit record, the newest first.
pub fn page(log: impl Log, query: &AuditQuery) -> Result<AuditAnswer, HistoryError> {
    let limit = query.limit.unwrap_or(100).clamp(1, PAGE);
    let mut answer = AuditAnswer { entries: Vec::new(), next: query.before };
    for _ in 0..MOST_LOOKED_AT / PAGE {
        let found = log(AUDIT, answer.next, PAGE)?;
        let was_last = found.len() < PAGE;
        for found in found.into_iter().map(entry) {
            answer.next = Some(found.id);
            if wanted(query, &found) {
                answer.entries.push(found);
                if answer.entries.len() == limit {
                    return Ok(answer);
                }
            }
        }
        if was_last {
            answer.next = None;
            break;
        }
    }
    Ok(answer)
}

/// How the audit record is written as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With a header; the newest first.
    Csv,
    /// An array of entries; the newest first.
    Json,
}

/// Writes all entries that are asked for; gives their count.
pub fn export(
    out: &mut dyn Write,
    log: impl Log,
    query: &AuditQuery,
    format: Format,
) -> Result<u64, HistoryError> {
    let failed = |source| HistoryError::Io { what: "writing", path: "the export".into(), source };
    let mut count = 0;
    let mut before = query.before;
    let head: &[u8] = if format == Format::Csv { b"id,time,actor,act,from,reason,detail\r\n" } else { b"[" };
    out.write_all(head).map_err(failed)?;
    loop {
        let found = log(AUDIT, before, PAGE)?;
        let was_last = found.len() < PAGE;
        for entry in found.into_iter().map(entry) {
            before = Some(entry.id);
            if wanted(query, &entry) {
                let written = match format {
                    Format::Csv => out.write_all(csv(&entry).as_bytes()),
                    Format::Json => {
                        let text = serde_json::to_string(&entry).unwrap_or_default();
                        let comma = if count > 0 { ",\n" } else { "\n" };
                        out.write_all(comma.as_bytes()).and_then(|()| out.write_all(text.as_bytes()))
                    }
                };
                written.map_err(failed)?;
                count += 1;
            }
        }
        if was_last {
            break;
        }
    }
    if format == Format::Json {
        out.write_all(b"\n]\n").map_err(failed)?;
    }
    Ok(count)
}

fn csv(entry: &AuditEntry) -> String {
    let time =
        jiff::Timestamp::from_microsecond(entry.time_us).map_or_else(|_| String::new(), |t| t.to_string());
    let cells =
        [entry.actor.as_str(), &entry.act, &entry.from, &entry.reason, &entry.detail.to_string()].map(cell);
    format!("{},{time},{}\r\n", entry.id, cells.join(","))
}

/// A cell that is read as text by everything: quoted, and no formula of a spreadsheet.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use campanile_model::Timestamp;
    use serde_json::json;

    use super::*;

    fn log(all: usize) -> impl Log {
        move |kind: &str, before: Option<i64>, limit: usize| {
            assert_eq!(kind, "audit");
            let newest = before.map_or(all as i64, |before| before - 1);
            let entry = |id| LogEntry {
                id,
                time: Timestamp(id * 10),
                body: json!({"act": if id % 2 == 0 { "even" } else { "odd" }, "actor": {"kind": "person", "id": "local"}, "reason": "=1+1\n\"x\""}),
            };
            Ok((1..=newest).rev().take(limit).map(entry).collect())
        }
    }

    #[test]
    fn pages_follow_each_other_and_filters_hold() {
        let mut query = AuditQuery { act: Some("even".into()), limit: Some(700), ..Default::default() };
        let mut seen = Vec::new();
        loop {
            let answer = page(log(3000), &query).unwrap();
            seen.extend(answer.entries.iter().map(|e| e.id));
            assert!(answer.entries.iter().all(|e| e.actor == "person:local"));
            query.before = answer.next;
            if answer.next.is_none() {
                break;
            }
        }
        assert_eq!(seen, (1..=1500).rev().map(|n| 2 * n).collect::<Vec<i64>>());
        query.from_us = Some(100);
        query.to_us = Some(200);
        assert_eq!(page(log(3000), &AuditQuery { before: None, ..query }).unwrap().entries.len(), 5);
    }

    #[test]
    fn an_export_is_whole_and_no_formula() {
        let mut out = Vec::new();
        assert_eq!(export(&mut out, log(2500), &AuditQuery::default(), Format::Json).unwrap(), 2500);
        assert_eq!(serde_json::from_slice::<Vec<AuditEntry>>(&out).unwrap().len(), 2500);
        let mut out = Vec::new();
        export(&mut out, log(1), &AuditQuery::default(), Format::Csv).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\"'=1+1\n\"\"x\"\"\""), "{text}");
        let mut out = Vec::new();
        export(&mut out, log(0), &AuditQuery::default(), Format::Json).unwrap();
        assert!(serde_json::from_slice::<Vec<AuditEntry>>(&out).unwrap().is_empty());
    }
}
