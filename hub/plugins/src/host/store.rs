//! What the plugin remembers.

use super::{Answer, Given, HostState, invalid, text_in};
use crate::bindings::store::Host;
use crate::bindings::types::Denial;
use crate::grants::Grants;
use crate::turn::Turn;

/// The longest value, bytes.
const MOST_VALUE: usize = 256 * 1024;
/// The longest key, bytes.
const MOST_KEY: usize = 128;
/// The most keys of one answer.
const MOST_KEYS: usize = 1000;

impl Host for HostState {
    fn get(&mut self, key: String) -> Answer<Option<Vec<u8>>> {
        self.asked("store.get", 0, |turn, _| Ok(turn.stored(&key).map(<[u8]>::to_vec)))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Answer<()> {
        self.asked("store.set", 0, |turn, grants| set(turn, grants, &key, value))
    }

    fn delete(&mut self, key: String) -> Answer<()> {
        self.asked("store.delete", 0, |turn, _| {
            delete(turn, &key);
            Ok(())
        })
    }

    fn keys(&mut self, prefix: String) -> Answer<Vec<String>> {
        let items = self.turn.as_ref().map_or(0, |t| t.memory.store.len() + t.effects.store.len());
        self.asked("store.keys", items, |turn, _| Ok(keys(turn, &prefix)))
    }
}

impl Turn {
    /// What is under a key, with what this call has set before.
    fn stored(&self, key: &str) -> Option<&[u8]> {
        match self.effects.store.get(key) {
            Some(changed) => changed.as_deref(),
            None => self.memory.store.get(key).map(AsRef::as_ref),
        }
    }

    /// The bytes of all keys and values, with what this call has set before. Added up at the first need.
    fn stored_bytes(&mut self) -> &mut usize {
        let memory = &self.memory;
        self.stored_bytes.get_or_insert_with(|| memory.stored_bytes())
    }
}

fn set(turn: &mut Turn, grants: &Grants, key: &str, value: Vec<u8>) -> Given<()> {
    let key = text_in("the key", key, MOST_KEY)?;
    if value.len() > MOST_VALUE {
        return invalid(format!("the value has {} bytes, at most {MOST_VALUE} may be", value.len()));
    }
    let quota = grants.manifest.limits.store_kib as usize * 1024;
    let before = turn.stored(&key).map_or(0, |value| key.len() + value.len());
    let bytes = turn.stored_bytes();
    let after = *bytes - before + key.len() + value.len();
    if after > quota {
        return Err(Denial::Quota(quota as u64));
    }
    *bytes = after;
    turn.effects.store.insert(key, Some(value.into()));
    Ok(())
}

fn delete(turn: &mut Turn, key: &str) {
    let Some(value) = turn.stored(key) else { return };
    let freed = key.len() + value.len();
    *turn.stored_bytes() -= freed;
    if turn.memory.store.contains_key(key) {
        turn.effects.store.insert(key.into(), None);
    } else {
        turn.effects.store.remove(key);
    }
}

fn keys(turn: &Turn, prefix: &str) -> Vec<String> {
    let kept = turn.memory.store.keys().filter(|key| !turn.effects.store.contains_key(*key));
    let new = turn.effects.store.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key);
    let begun = kept.chain(new).filter(|key| key.starts_with(prefix));
    let mut keys: Vec<String> = begun.map(|key| key.to_string()).collect();
    keys.sort_unstable();
    keys.truncate(MOST_KEYS);
    keys
}
