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

#[cfg(test)]
mod tests {
    use campanile_model::Timestamp;
    use serde_json::json;

    use super::*;

    /// A journal of so many turns, one a second; of every seventh entry nobody knows what it says.
    fn log(count: i64) -> impl Fn(Option<i64>, usize) -> Result<Vec<LogEntry>, HistoryError> {
        move |before, limit| {
            let newest = before.map_or(count, |before| before - 1);
            let entry = |id: i64| {
                let alarm = json!({
                    "id": format!("a#{id}"), "point": "a/co2", "entity": "a", "rule": "high",
                    "names": {"zh-CN": "过高", "en": "Too high"}, "priority": "high", "state": "unacknowledged",
                    "raised_us": id, "changed_us": id
                });
                let body = if id % 7 == 0 { json!({"other": id}) } else { alarm };
                LogEntry { id, time: Timestamp(id * 1_000_000), body }
            };
            Ok((1..=newest).rev().take(limit).map(entry).collect())
        }
    }

    #[test]
    fn the_newest_come_first_page_by_page_and_none_is_lost() {
        let mut query = JournalQuery { limit: Some(400), ..JournalQuery::default() };
        let mut seen = Vec::new();
        for _ in 0..20 {
            let answer = page(log(2500), &query).unwrap();
            seen.extend(answer.turns.iter().map(|turn| turn.number));
            query.before = answer.next;
            if answer.next.is_none() {
                break;
            }
        }
        let expected: Vec<i64> = (1..=2500).rev().filter(|id| id % 7 != 0).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_stretch_of_time_has_its_own_turns_alone() {
        let query =
            JournalQuery { from_us: Some(10_000_000), to_us: Some(16_000_000), ..JournalQuery::default() };
        let answer = page(log(5000), &query).unwrap();
        let numbers: Vec<i64> = answer.turns.iter().map(|turn| turn.number).collect();
        assert_eq!((numbers, answer.next), (vec![15, 13, 12, 11, 10], None));
    }
}
