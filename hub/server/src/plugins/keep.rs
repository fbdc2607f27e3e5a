//! What a plugin remembers, as records of the store and back: committed with what its call did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_history::Record;
use campanile_model::Timestamp;
use campanile_plugins::{Award, Effects, Grants, Health, Memory, Mission, Proposal, Saved};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::past::record_kind;
use crate::seams::Store;

/// The kind under which a key of a plugin's store is kept, by `PLUGIN/KEY`.
const STORE: &str = "plugin-store";
/// The kind under which a person's points for a mission are kept.
const AWARD: &str = "plugin-award";
/// The kind under which the rest is kept, by `PLUGIN`.
const SEAT: &str = "plugin-seat";

/// What is kept of a plugin beside its store and the points that it gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeatRecord {
    health: Health,
    failures: u32,
    standing: BTreeSet<(u16, Arc<str>)>,
    missions: Arc<[Mission]>,
    proposals: Vec<Proposal>,
}

impl SeatRecord {
    /// Of a seat as it is.
    pub fn of(saved: &Saved) -> Self {
        Self {
            health: saved.health.clone(),
            failures: saved.failures,
            standing: saved.memory.standing.clone(),
            missions: saved.memory.missions.clone(),
            proposals: saved.memory.proposals.clone(),
        }
    }

    /// The record that keeps it.
    pub fn record(&self, plugin: &str, time: Timestamp) -> Option<Record> {
        // Plain texts and numbers, which JSON always takes.
        let body = serde_json::to_value(self).ok()?;
        Some(Record::Put { kind: SEAT.to_owned(), key: plugin.to_owned(), time, body })
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |d: &u8| (*d as char).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair.first()?)? * 16 + digit(pair.get(1)?)?) as u8);
    text.as_bytes().chunks(2).map(pair).collect()
}

/// The records that a call makes: what it remembers anew, the points that it gave, and the records that it keeps.
pub fn records(grants: &Grants, effects: &Effects, time: Timestamp) -> Vec<Record> {
    let plugin = grants.manifest.id.as_str();
    let mut records = Vec::new();
    for (key, value) in &effects.store {
        let (kind, key) = (STORE.to_owned(), format!("{plugin}/{key}"));
        records.push(match value {
            Some(value) => Record::Put { kind, key, time, body: Json::String(hex(value)) },
            None => Record::Remove { kind, key },
        });
    }
    for award in &effects.awards {
        let body = json!({"mission": award.mission, "person": award.person, "points": award.points});
        records.push(Record::Put { kind: AWARD.to_owned(), key: award_key(plugin, award), time, body });
    }
    for (kind, body) in &effects.records {
        let Some(spec) = grants.manifest.record.get(usize::from(*kind)) else { continue };
        // The host has read it as JSON.
        let Ok(body) = serde_json::from_str(body) else { continue };
        records.push(Record::Append { kind: record_kind(plugin, &spec.id), time, body });
    }
    records
}

/// Missions and persons are any text: their hash is the key.
fn award_key(plugin: &str, award: &Award) -> String {
    let hash = blake3::hash(format!("{}\n{}", award.mission, award.person).as_bytes());
    format!("{plugin}/{}", &hash.to_hex()[..32])
}

/// What all plugins remember, by id.
pub fn recall(history: &dyn Store) -> BTreeMap<String, Saved> {
    let mut plugins: BTreeMap<String, Saved> = BTreeMap::new();
    let kept = |kind: &str| {
        history.records(kind).unwrap_or_else(|why| {
            tracing::error!(%why, kind, "what plugins remember can't be read, and they begin anew");
            Vec::new()
        })
    };
    let mut stores: BTreeMap<String, BTreeMap<Arc<str>, Arc<[u8]>>> = BTreeMap::new();
    for record in kept(STORE) {
        let place = record.key.split_once('/').zip(record.body.as_str().and_then(unhex));
        let Some(((plugin, key), value)) = place else {
            tracing::error!(key = record.key, "what a plugin remembers can't be read");
            continue;
        };
        stores.entry(plugin.to_owned()).or_default().insert(key.into(), value.into());
    }
    let mut awards: BTreeMap<String, campanile_plugins::Awards> = BTreeMap::new();
    for record in kept(AWARD) {
        let (Some((plugin, _)), Ok(award)) =
            (record.key.split_once('/'), serde_json::from_value::<Award>(record.body.clone()))
        else {
            tracing::error!(key = record.key, "the points of a mission can't be read");
            continue;
        };
        awards.entry(plugin.to_owned()).or_default().insert((award.mission, award.person), award.points);
    }
    for record in kept(SEAT) {
        match serde_json::from_value::<SeatRecord>(record.body) {
            Ok(seat) => {
                let saved = plugins.entry(record.key).or_default();
                (saved.health, saved.failures) = (seat.health, seat.failures);
                saved.memory = Memory {
                    standing: seat.standing,
                    missions: seat.missions,
                    proposals: seat.proposals,
                    ..Memory::default()
                };
            }
            Err(why) => tracing::error!(%why, key = record.key, "what a plugin was can't be read"),
        }
    }
    for (plugin, store) in stores {
        plugins.entry(plugin).or_default().memory.store = Arc::new(store);
    }
    for (plugin, awards) in awards {
        plugins.entry(plugin).or_default().memory.awards = Arc::new(awards);
    }
    plugins
}

/// The records that forget all that a plugin remembers; what it has recorded stays.
pub fn forget(plugin: &str, history: &dyn Store) -> Vec<Record> {
    let begins = format!("{plugin}/");
    let mut records = vec![Record::Remove { kind: SEAT.to_owned(), key: plugin.to_owned() }];
    for kind in [STORE, AWARD] {
        // What can't be read can't be forgotten, and is not taken up either.
        let kept = history.records(kind).unwrap_or_default();
        let own = kept.into_iter().map(|record| record.key).filter(|key| key.starts_with(&begins));
        records.extend(own.map(|key| Record::Remove { kind: kind.to_owned(), key }));
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_to_text_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!(unhex(""), Some(Vec::new()));
        assert_eq!((unhex("0"), unhex("0g")), (None, None));
    }
}
