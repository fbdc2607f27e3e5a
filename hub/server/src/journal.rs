//! Reading the journal of alarms by pages.

use campanile_history::{HistoryError, LogEntry};
use campanile_protocol::rest::{AlarmTurn, JournalAnswer, JournalQuery};

/// Entries that are read at once, and the most that one answer has.
const PAGE: usize = 1000;
/// Entries that are looked at for one answer; then the asker goes on with `before`.
const MOST_LOOKED_AT: usize = 100_000;
const USUAL: usize = 200;

/// A page, the newest first. Turns are written as they happen, so those before `from_us` end the search.
pub fn page(
    log: impl Fn(Option<i64>, usize) -> Result<Vec<LogEntry>, HistoryError>,
    query: &JournalQuery,
) -> Result<JournalAnswer, HistoryError> {
    let limit = query.limit.unwrap_or(USUAL).clamp(1, PAGE);
    let mut answer = JournalAnswer { turns: Vec::new(), next: query.before };
    for _ in 0..MOST_LOOKED_AT / PAGE {
        let found = log(answer.next, PAGE)?;
        let was_last = found.len() < PAGE;
        for entry in found {
            answer.next = Some(entry.id);
            if query.from_us.is_some_and(|from| entry.time.0 < from) {
                answer.next = None;
                return Ok(answer);
            }
            if query.to_us.is_some_and(|to| entry.time.0 >= to) {
                continue;
            }
            // What an older hub wrote in another way is passed over.
            let Ok(alarm) = serde_json::from_value(entry.body) else { continue };
            answer.turns.push(AlarmTurn { number: entry.id, time_us: entry.time.0, alarm });
            if answer.turns.len() == limit {
                return Ok(answer);
            }
        }
        if was_last {
            answer.next = None;
            break;
        }
    }
    Ok(answer)
}
