pub use crate::bindings::campanile::plugin::types::{Point, Quality, Sample, Time, Value, Words};
pub use crate::bindings::exports::campanile::plugin::handler::AlarmChange;

use crate::bindings::campanile::plugin::types::Batch;

impl Value {
    /// The number, in the unit of the point; none of another kind of value.
    ///
    /// ```
    /// use campanile_plugin::Value;
    ///
    /// assert_eq!(Value::from(21.5).as_number(), Some(21.5));
    /// assert_eq!(Value::from(true).as_number(), None);
    /// ```
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// On or off; none of another kind of value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(on) = self { Some(*on) } else { None }
    }

    /// The index of the choice, from 0; none of another kind of value.
    pub fn as_choice(&self) -> Option<u16> {
        if let Self::Choice(index) = self { Some(*index) } else { None }
    }

    /// The text; none of another kind of value.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Self {
        Self::Boolean(on)
    }
}

/// The index of a choice.
impl From<u16> for Value {
    fn from(index: u16) -> Self {
        Self::Choice(index)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Sample {
    /// Its number where it may be relied upon (good or uncertain), in the unit of the point.
    ///
    /// ```
    /// use campanile_plugin::{Quality, Sample};
    ///
    /// let mut sample = Sample { point: 7, time: 0, quality: Quality::Good, value: 800.0.into() };
    /// assert_eq!(sample.number(), Some(800.0));
    /// sample.quality = Quality::Stale;
    /// assert_eq!(sample.number(), None);
    /// ```
    pub fn number(&self) -> Option<f64> {
        self.relied_on().and_then(Value::as_number)
    }

    /// Whether it is so, where it may be relied upon (good or uncertain): a sensor that is broken or silent has found
    /// nobody, which is not that nobody is there.
    ///
    /// ```
    /// use campanile_plugin::{Quality, Sample};
    ///
    /// let mut presence = Sample { point: 7, time: 0, quality: Quality::Good, value: false.into() };
    /// assert_eq!(presence.truth(), Some(false));
    /// presence.quality = Quality::Bad;
    /// assert_eq!(presence.truth(), None);
    /// ```
    pub fn truth(&self) -> Option<bool> {
        self.relied_on().and_then(Value::as_bool)
    }

    fn relied_on(&self) -> Option<&Value> {
        matches!(self.quality, Quality::Good | Quality::Uncertain).then_some(&self.value)
    }
}

const QUALITIES: [Quality; 4] = [Quality::Good, Quality::Uncertain, Quality::Bad, Quality::Stale];

impl Batch {
    /// The samples, in their order. What no host gives is told as bad.
    pub(crate) fn into_samples(self) -> Vec<Sample> {
        let Self { points, times, qualities, kinds, numbers, mut texts } = self;
        let parts = points.into_iter().zip(times).zip(qualities).zip(kinds).zip(numbers);
        let sample = |((((point, time), quality), kind), number): ((((u32, i64), u8), u8), f64)| {
            let quality = QUALITIES.get(usize::from(quality)).copied().unwrap_or(Quality::Bad);
            let value = match kind {
                0 => Value::Number(number),
                1 => Value::Boolean(number != 0.0),
                2 => Value::Choice(number as u16),
                _ => Value::Text(texts.get_mut(number as usize).map(std::mem::take).unwrap_or_default()),
            };
            Sample { point, time, quality, value }
        };
        parts.map(sample).collect()
    }
}

impl Words {
    /// A text in both languages.
    ///
    /// ```
    /// use campanile_plugin::Words;
    ///
    /// let words = Words::new("空气不新鲜", "The air is stale");
    /// assert_eq!(words.en, "The air is stale");
    /// ```
    pub fn new(zh_cn: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh_cn: zh_cn.into(), en: en.into() }
    }
}
