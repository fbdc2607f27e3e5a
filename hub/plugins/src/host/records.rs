//! Records: what is kept for years.

use serde_json::Map;

use super::{Answer, Given, HostState, declared, history, invalid};
use crate::bindings::records::{Host, Kept};
use crate::bindings::types::Denial;
use crate::grants::Grants;
use crate::manifest::{FieldType, RecordSpec};
use crate::pace::Pace;
use crate::turn::Turn;

/// The longest body, bytes.
const MOST_BODY: usize = 16 * 1024;
/// The most records of one answer.
const MOST_KEPT: usize = 1000;
const PACE: Pace = Pace { burst: 200.0, per_s: 1.0 };

impl Host for HostState {
    fn append(&mut self, kind: String, body: String) -> Answer<()> {
        self.asked("records.append", 0, |turn, grants| append(turn, grants, &kind, &body))
    }

    fn newest(&mut self, kind: String, limit: u32) -> Answer<Vec<Kept>> {
        self.asked("records.newest", 0, |turn, grants| newest(turn, grants, &kind, limit))
    }
}

fn index_of(grants: &Grants, kind: &str) -> Given<u16> {
    declared("record", grants.manifest.record.iter().map(|spec| spec.id.as_str()), kind)
}

fn append(turn: &mut Turn, grants: &Grants, kind: &str, body: &str) -> Given<()> {
    let index = index_of(grants, kind)?;
    if body.len() > MOST_BODY {
        return invalid(format!("the record has {} bytes, at most {MOST_BODY} may be", body.len()));
    }
    check(&grants.manifest.record[usize::from(index)], body).or_else(invalid)?;
    let now = turn.now();
    turn.memory.paces.records.take(PACE, 1, now).map_err(Denial::TooSoon)?;
    turn.effects.records.push((index, body.into()));
    Ok(())
}

/// Whether a body has the fields that its kind has, and no others.
fn check(spec: &RecordSpec, body: &str) -> Result<(), String> {
    let read: Map<String, serde_json::Value> =
        serde_json::from_str(body).map_err(|why| format!("the record is no JSON object: {why}"))?;
    for (name, wanted) in &spec.fields {
        let fits = read.get(name).is_some_and(|value| match wanted {
            FieldType::Number => value.is_number(),
            FieldType::Text => value.is_string(),
            FieldType::Bool => value.is_boolean(),
        });
        if !fits {
            return Err(format!("the field '{name}' has to be a {wanted:?}").to_lowercase());
        }
    }
    match read.keys().find(|name| !spec.fields.contains_key(*name)) {
        Some(name) => Err(format!("the record has no field '{name}'")),
        None => Ok(()),
    }
}

fn newest(turn: &mut Turn, grants: &Grants, kind: &str, limit: u32) -> Given<Vec<Kept>> {
    let index = index_of(grants, kind)?;
    let now = turn.now();
    turn.memory.paces.history.take(history::PACE, 1, now).map_err(Denial::TooSoon)?;
    let limit = (limit as usize).min(MOST_KEPT);
    let own = turn.effects.records.iter().rev().filter(|(of, _)| *of == index);
    let mut kept: Vec<Kept> = own.map(|(_, body)| Kept { time: now.0, body: body.to_string() }).collect();
    let before = turn.around.past.records(&grants.manifest.id, kind, limit).map_err(Denial::Unavailable)?;
    kept.extend(before.into_iter().map(|(time, body)| Kept { time: time.0, body }));
    kept.truncate(limit);
    Ok(kept)
}
