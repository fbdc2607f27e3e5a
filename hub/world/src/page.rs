//! Values in pages: structure of arrays, shared until written, each with its own hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_model::{Quality, Timestamp, Value};

/// Points a page: small enough that a fork copies little when it writes, large enough that a million points are
/// under a thousand pages.
pub const PAGE_POINTS: usize = 1024;

const PRESENT: u8 = 1 << 4;

/// The readings of 1,024 points.
#[derive(Clone, Debug)]
pub struct Page {
    /// Time and value side by side: a sample writes one cache line for both.
    cells: [Cell; PAGE_POINTS],
    /// Bits 0–1 quality, 2–3 type, 4 present.
    tags: [u8; PAGE_POINTS],
    texts: BTreeMap<u16, Arc<str>>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    time: i64,
    bits: u64,
}

/// A point's newest reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When it was measured.
    pub time: Timestamp,
    /// What was measured.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
}

impl Page {
    pub fn empty() -> Self {
        Self {
            cells: [Cell { time: 0, bits: 0 }; PAGE_POINTS],
            tags: [0; PAGE_POINTS],
            texts: BTreeMap::new(),
        }
    }

    /// The time of a reading, if there is one.
    pub fn time(&self, slot: usize) -> Option<i64> {
        (self.tags[slot] & PRESENT != 0).then(|| self.cells[slot].time)
    }

    /// Reads all that a sample of this slot would write, to no other end than that it is at hand.
    pub fn touch(&self, slot: usize) -> i64 {
        self.cells[slot].time ^ i64::from(self.tags[slot])
    }

    pub fn quality(&self, slot: usize) -> Quality {
        Quality::from_u8(self.tags[slot] & 3).unwrap_or(Quality::Bad)
    }

    /// Of a reading that there is; without one there is nothing to trust.
    pub fn set_quality(&mut self, slot: usize, quality: Quality) {
        if self.tags[slot] & PRESENT != 0 {
            self.tags[slot] = (self.tags[slot] & !3) | quality as u8;
        }
    }

    /// Moves readings of after a time to it.
    pub fn not_after(&mut self, time: Timestamp) {
        self.cells.iter_mut().for_each(|cell| cell.time = cell.time.min(time.0));
    }

    pub fn set(&mut self, slot: usize, time: Timestamp, value: &Value, quality: Quality) {
        let (kind, bits) = match value {
            Value::Number(x) => (0, x.to_bits()),
            Value::Bool(b) => (1, u64::from(*b)),
            Value::Choice(c) => (2, u64::from(*c)),
            Value::Text(text) => {
                self.texts.insert(slot as u16, text.clone());
                (3, 0)
            }
        };
        self.cells[slot] = Cell { time: time.0, bits };
        self.tags[slot] = PRESENT | kind << 2 | quality as u8;
    }

    pub fn reading(&self, slot: usize) -> Option<Reading> {
        let tag = self.tags[slot];
        if tag & PRESENT == 0 {
            return None;
        }
        let Cell { time, bits } = self.cells[slot];
        let value = match tag >> 2 & 3 {
            0 => Value::Number(f64::from_bits(bits)),
            1 => Value::Bool(bits != 0),
            2 => Value::Choice(bits as u16),
            _ => Value::Text(self.texts.get(&(slot as u16)).cloned().unwrap_or_default()),
        };
        Some(Reading { time: Timestamp(time), value, quality: self.quality(slot) })
    }

    /// A hash of all that the page holds.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut bytes = [0; PAGE_POINTS * 16];
        for (place, cell) in bytes.chunks_exact_mut(16).zip(&self.cells) {
            place[..8].copy_from_slice(&cell.time.to_le_bytes());
            place[8..].copy_from_slice(&cell.bits.to_le_bytes());
        }
        hasher.update(&bytes);
        hasher.update(&self.tags);
        for (slot, text) in &self.texts {
            hasher.update(&slot.to_le_bytes());
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}
