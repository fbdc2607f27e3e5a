//! Samples of one point as columns: the form they have in memory, between blobs and chunks.

use std::sync::Arc;

use campanile_model::{Quality, Value, ValueType};

/// Type and quality of a sample in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(pub(crate) u8);

impl Tag {
    pub(crate) fn new(value_type: ValueType, quality: Quality) -> Self {
        let value_type = match value_type {
            ValueType::Number => 0,
            ValueType::Bool => 1,
            ValueType::Choice => 2,
            ValueType::Text => 3,
        };
        Self(value_type << 2 | quality as u8)
    }

    /// The tag that a stored byte stands for, if it is one.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        (byte < 16).then_some(Self(byte))
    }

    pub(crate) fn value_type(self) -> ValueType {
        match self.0 >> 2 {
            0 => ValueType::Number,
            1 => ValueType::Bool,
            2 => ValueType::Choice,
            _ => ValueType::Text,
        }
    }

    pub(crate) fn quality(self) -> Quality {
        match self.0 & 3 {
            0 => Quality::Good,
            1 => Quality::Uncertain,
            2 => Quality::Bad,
            _ => Quality::Stale,
        }
    }
}

/// Samples of one point. `bits` holds a number's bits, a bool as 0 or 1, a choice's index,
/// or the place of a text in `texts`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    pub(crate) times: Vec<i64>,
    pub(crate) bits: Vec<u64>,
    pub(crate) tags: Vec<u8>,
    pub(crate) texts: Vec<Arc<str>>,
}

impl Columns {
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn push(&mut self, time: i64, value: &Value, quality: Quality) {
        let bits = match value {
            Value::Number(x) => x.to_bits(),
            Value::Bool(b) => u64::from(*b),
            Value::Choice(c) => u64::from(*c),
            Value::Text(text) => {
                self.texts.push(text.clone());
                self.texts.len() as u64 - 1
            }
        };
        self.times.push(time);
        self.bits.push(bits);
        self.tags.push(Tag::new(value.value_type(), quality).0);
    }

    /// Appends sample `i` of `other`.
    pub(crate) fn push_from(&mut self, other: &Columns, i: usize) {
        let mut bits = other.bits[i];
        if Tag(other.tags[i]).value_type() == ValueType::Text {
            self.texts.push(other.text(i));
            bits = self.texts.len() as u64 - 1;
        }
        self.times.push(other.times[i]);
        self.bits.push(bits);
        self.tags.push(other.tags[i]);
    }

    /// Appends the samples `range` of `other`.
    pub(crate) fn append_range(&mut self, other: &Columns, range: std::ops::Range<usize>) {
        if other.texts.is_empty() {
            self.times.extend_from_slice(&other.times[range.clone()]);
            self.bits.extend_from_slice(&other.bits[range.clone()]);
            self.tags.extend_from_slice(&other.tags[range]);
        } else {
            for i in range {
                self.push_from(other, i);
            }
        }
    }

    /// Appends all of `other`.
    pub(crate) fn append(&mut self, other: &Columns) {
        self.append_range(other, 0..other.len());
    }

    fn text(&self, i: usize) -> Arc<str> {
        self.texts.get(self.bits[i] as usize).cloned().unwrap_or_else(|| "".into())
    }

    /// The value of sample `i`.
    pub(crate) fn value(&self, i: usize) -> Value {
        match Tag(self.tags[i]).value_type() {
            ValueType::Number => Value::Number(f64::from_bits(self.bits[i])),
            ValueType::Bool => Value::Bool(self.bits[i] != 0),
            ValueType::Choice => Value::Choice(self.bits[i] as u16),
            ValueType::Text => Value::Text(self.text(i)),
        }
    }

    /// The value of sample `i` as a number; NaN for a text.
    pub(crate) fn number(&self, i: usize) -> f64 {
        match Tag(self.tags[i]).value_type() {
            ValueType::Number => f64::from_bits(self.bits[i]),
            ValueType::Bool | ValueType::Choice => self.bits[i] as f64,
            ValueType::Text => f64::NAN,
        }
    }

    /// The value of sample `i` as a finite number of good or uncertain quality, if it is one.
    pub(crate) fn usable(&self, i: usize) -> Option<f64> {
        let number = self.number(i);
        (self.tags[i] & 3 <= Quality::Uncertain as u8 && number.is_finite()).then_some(number)
    }

    /// The quality of sample `i`.
    pub(crate) fn quality(&self, i: usize) -> Quality {
        Tag(self.tags[i]).quality()
    }

    /// The samples from `from` to before `to`; the columns have to be in order.
    pub(crate) fn between(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let start = self.times.partition_point(|&t| t < from);
        start..self.times.partition_point(|&t| t < to).max(start)
    }

    /// Brings arrivals into order of time; of several at one time the last to arrive stays.
    pub(crate) fn settle(self) -> Columns {
        if self.times.windows(2).all(|w| w[0] < w[1]) {
            return self;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&i| self.times[i]);
        let mut settled = Columns::default();
        for (k, &i) in order.iter().enumerate() {
            let replaced = order.get(k + 1).is_some_and(|&next| self.times[next] == self.times[i]);
            if !replaced {
                settled.push_from(&self, i);
            }
        }
        settled
    }

    /// Both in order of time; at equal times `newer` wins. Each has to be in order by itself.
    pub(crate) fn merged(&self, newer: &Columns) -> Columns {
        if self.times.last() < newer.times.first() || self.is_empty() {
            let mut out = self.clone();
            out.append(newer);
            return out;
        }
        let mut out = Columns::default();
        let mut i = 0;
        for j in 0..newer.len() {
            let until = i + self.times[i..].partition_point(|&t| t < newer.times[j]);
            out.append_range(self, i..until);
            i = until + usize::from(self.times.get(until) == Some(&newer.times[j]));
            out.push_from(newer, j);
        }
        out.append_range(self, i..self.len());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn columns(samples: &[(i64, i32)]) -> Columns {
        let mut out = Columns::default();
        for &(time, n) in samples {
            let value = if n % 3 == 0 { Value::Text(n.to_string().into()) } else { Value::Number(n.into()) };
            out.push(time, &value, Quality::Good);
        }
        out
    }

    fn pairs(c: &Columns) -> Vec<(i64, Value)> {
        (0..c.len()).map(|i| (c.times[i], c.value(i))).collect()
    }

    proptest! {
        #[test]
        fn the_last_to_arrive_wins(old in prop::collection::vec((0_i64..30, 0..100), 0..40), new in prop::collection::vec((0_i64..30, 0..100), 0..40)) {
            let mut expected = BTreeMap::new();
            for &(t, n) in old.iter().chain(&new) {
                expected.insert(t, columns(&[(t, n)]).value(0));
            }
            let got = columns(&old).settle().merged(&columns(&new).settle());
            prop_assert_eq!(pairs(&got), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
