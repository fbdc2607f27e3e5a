//! Messages to samples.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use campanile_model::{Quality, Sample, TimeFormat, Timestamp, Value, ValueType};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use crate::topics::{Entry, FLAT_KEYS, Shape, Target};

/// The latest time that is believed: the year 2200. A later one is a wrong unit.
const LATEST_US: f64 = 7_258_118_400_000_000.0;

/// Why a message, an element of it or a value could not be used.
pub(crate) type Why = Cow<'static, str>;

/// A value in a message, before it is known what it should be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Absent,
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(Cow<'a, str>),
    /// An object or array.
    Compound,
}

/// Reads one message into samples; gives every fault to `fault`.
///
/// A message with several points may lack some of them; one without any of its values is a fault.
pub(crate) fn read_message(
    entry: &Entry,
    payload: &[u8],
    arrival: Timestamp,
    out: &mut Vec<Sample>,
    mut fault: impl FnMut(Why),
) {
    let before = out.len();
    let faults = Cell::new(0_usize);
    let mut fault = |why: Why| {
        faults.set(faults.get() + 1);
        fault(why);
    };
    match &entry.shape {
        Shape::Bare => {
            let scalar = match bare(payload) {
                Ok(scalar) => scalar,
                Err(why) => return fault(why),
            };
            for target in &entry.targets {
                match value_of(&scalar, target) {
                    Ok(value) => {
                        out.push(Sample {
                            point: target.point,
                            time: arrival,
                            value,
                            quality: Quality::Good,
                        });
                    }
                    Err(why) => fault(why),
                }
            }
        }
        Shape::Flat(keys) => {
            let found = match flat(payload, keys) {
                Ok(found) => found,
                Err(e) => return fault(e.to_string().into()),
            };
            for target in &entry.targets {
                let slots = target.flat;
                let value = &found[slots.value];
                let time = slots.time.map(|i| &found[i]);
                let quality = slots.quality.map(|i| &found[i]);
                match sample(target, value, time, quality, arrival) {
                    Ok(Some(sample)) => out.push(sample),
                    Ok(None) => {}
                    Err(why) => fault(why),
                }
            }
        }
        Shape::Tree => {
            let tree: Json = match serde_json::from_slice(payload) {
                Ok(tree) => tree,
                Err(e) => return fault(e.to_string().into()),
            };
            for target in &entry.targets {
                let Some(array) = &target.array_pointer else {
                    element(target, &tree, arrival, out, &mut fault);
                    continue;
                };
                match tree.pointer(array) {
                    Some(Json::Array(items)) => {
                        for item in items {
                            let count = out.len();
                            let mut any = false;
                            element(target, item, arrival, out, &mut |why| {
                                any = true;
                                fault(why);
                            });
                            if out.len() == count && !any {
                                fault(
                                    format!("an element of '{array}' has no '{}'", target.value_pointer)
                                        .into(),
                                );
                            }
                        }
                    }
                    Some(_) => fault(format!("'{array}' is not an array").into()),
                    None => fault(format!("there is no '{array}'").into()),
                }
            }
            let empty_array = entry.targets.iter().all(|t| {
                t.array_pointer.as_deref().is_some_and(|a| tree.pointer(a).is_some_and(Json::is_array))
            });
            if empty_array {
                return;
            }
        }
    }
    if out.len() == before && faults.get() == 0 {
        let wanted: Vec<&str> = entry.targets.iter().take(4).map(|t| &*t.value_pointer).collect();
        fault(format!("there is no value at '{}'", wanted.join("' or '")).into());
    }
}

fn element(
    target: &Target,
    tree: &Json,
    arrival: Timestamp,
    out: &mut Vec<Sample>,
    fault: &mut impl FnMut(Why),
) {
    let at = |pointer: &str| tree.pointer(pointer).map_or(Scalar::Absent, scalar_of);
    let value = at(&target.value_pointer);
    let time = target.time_pointer.as_deref().map(at);
    let quality = target.quality_pointer.as_deref().map(at);
    match sample(target, &value, time.as_ref(), quality.as_ref(), arrival) {
        Ok(Some(sample)) => out.push(sample),
        Ok(None) => {}
        Err(why) => fault(why),
    }
}

/// `None` where the message has no value of this point.
fn sample(
    target: &Target,
    value: &Scalar<'_>,
    time: Option<&Scalar<'_>>,
    quality: Option<&Scalar<'_>>,
    arrival: Timestamp,
) -> Result<Option<Sample>, Why> {
    if *value == Scalar::Absent {
        return Ok(None);
    }
    let value = value_of(value, target)?;
    let time = time.map_or(Ok(arrival), |t| time_of(t, target.time_format))?;
    let quality = quality.map_or(Ok(Quality::Good), quality_of)?;
    Ok(Some(Sample { point: target.point, time, value, quality }))
}

/// A value in the point's type and unit.
pub(crate) fn value_of(scalar: &Scalar<'_>, target: &Target) -> Result<Value, Why> {
    let number = match scalar {
        Scalar::Number(x) => Some(*x),
        Scalar::Integer(n) => Some(*n as f64),
        _ => None,
    };
    match (target.value_type, scalar) {
        (_, Scalar::Absent) => Err("there is no value".into()),
        (_, Scalar::Null) => Err("the value is null".into()),
        (_, Scalar::Compound) => Err("the value is an object or an array".into()),
        (ValueType::Number, _) => {
            let field = match scalar {
                Scalar::Bool(b) => f64::from(u8::from(*b)),
                // Many meters write their numbers as text.
                Scalar::Text(text) => {
                    text.trim().parse().map_err(|_| format!("'{}' is not a number", short(text)))?
                }
                _ => number.unwrap_or(f64::NAN),
            };
            let x = target.to_point(field);
            if x.is_finite() { Ok(Value::Number(x)) } else { Err("the number is not finite".into()) }
        }
        (ValueType::Bool, Scalar::Bool(b)) => Ok(Value::Bool(*b)),
        (ValueType::Bool, Scalar::Text(text)) => {
            let text = text.trim();
            let is = |words: [&str; 4]| words.iter().any(|w| text.eq_ignore_ascii_case(w));
            if is(["true", "on", "1", "yes"]) {
                Ok(Value::Bool(true))
            } else if is(["false", "off", "0", "no"]) {
                Ok(Value::Bool(false))
            } else {
                Err(format!("'{}' is neither true nor false", short(text)).into())
            }
        }
        (ValueType::Bool, _) => match number {
            Some(0.0) => Ok(Value::Bool(false)),
            Some(1.0) => Ok(Value::Bool(true)),
            _ => Err("a number other than 0 and 1 is neither true nor false".into()),
        },
        (ValueType::Choice, Scalar::Text(text)) => target
            .choices
            .iter()
            .position(|c| **c == **text)
            .and_then(|i| u16::try_from(i).ok())
            .map(Value::Choice)
            .ok_or_else(|| {
                format!("'{}' is not one of the choices {:?}", short(text), target.choices).into()
            }),
        (ValueType::Choice, _) => match number {
            Some(x) if x >= 0.0 && x < target.choices.len() as f64 && x.fract() == 0.0 => {
                Ok(Value::Choice(x as u16))
            }
            _ => Err(format!("it is not one of the choices {:?}", target.choices).into()),
        },
        (ValueType::Text, Scalar::Text(text)) if text.len() <= Value::MAX_TEXT => {
            Ok(Value::Text((&**text).into()))
        }
        (ValueType::Text, Scalar::Text(_)) => {
            Err(format!("the text is longer than {} bytes", Value::MAX_TEXT).into())
        }
        (ValueType::Text, _) => Err("the value is not a text".into()),
    }
}

fn time_of(scalar: &Scalar<'_>, format: TimeFormat) -> Result<Timestamp, Why> {
    let unit = match format {
        TimeFormat::UnixS => 1_000_000,
        TimeFormat::UnixMs => 1000,
        TimeFormat::Rfc3339 => {
            let Scalar::Text(text) = scalar else {
                return Err("the time is not a text as in RFC 3339".into());
            };
            let time: jiff::Timestamp =
                text.parse().map_err(|_| format!("'{}' is not a time as in RFC 3339", short(text)))?;
            return Ok(Timestamp(time.as_microsecond()));
        }
    };
    let micros = match scalar {
        Scalar::Absent => return Err("there is no time".into()),
        Scalar::Integer(n) => n.checked_mul(unit),
        Scalar::Number(x) => {
            let micros = (x * unit as f64).round();
            (micros.abs() <= LATEST_US).then_some(micros as i64)
        }
        Scalar::Text(text) => match text.trim().parse::<i64>() {
            Ok(n) => n.checked_mul(unit),
            Err(_) => return Err(format!("the time '{}' is not a number", short(text)).into()),
        },
        _ => return Err("the time is not a number".into()),
    };
    micros
        .filter(|&us| us >= 0 && us as f64 <= LATEST_US)
        .map(Timestamp)
        .ok_or_else(|| "the time is not between 1970 and 2200: is 'time_format' right?".into())
}

fn quality_of(scalar: &Scalar<'_>) -> Result<Quality, Why> {
    match scalar {
        // A device that says nothing of the quality has nothing to complain of.
        Scalar::Absent | Scalar::Null => Ok(Quality::Good),
        Scalar::Text(text) => match &**text {
            "good" => Ok(Quality::Good),
            "uncertain" => Ok(Quality::Uncertain),
            "bad" => Ok(Quality::Bad),
            "stale" => Ok(Quality::Stale),
            other => Err(format!("'{}' is not a quality (good, uncertain, bad, stale)", short(other)).into()),
        },
        Scalar::Integer(n) => u8::try_from(*n)
            .ok()
            .and_then(Quality::from_u8)
            .ok_or_else(|| format!("{n} is not a quality (0 to 3)").into()),
        _ => Err("the quality is neither a word nor 0 to 3".into()),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A message that is the value itself: JSON, or plain text as simple devices send.
pub(crate) fn bare(payload: &[u8]) -> Result<Scalar<'_>, Why> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    if let Ok(scalar) = ScalarSeed.deserialize(&mut json)
        && json.end().is_ok()
    {
        return Ok(scalar);
    }
    match std::str::from_utf8(payload) {
        Ok(text) if !text.trim().is_empty() => Ok(Scalar::Text(text.trim().into())),
        Ok(_) => Err("the message is empty".into()),
        Err(_) => Err("the message is not text".into()),
    }
}

fn flat<'a>(payload: &'a [u8], keys: &[Box<str>]) -> Result<[Scalar<'a>; FLAT_KEYS], serde_json::Error> {
    let mut found = [const { Scalar::Absent }; FLAT_KEYS];
    let mut json = serde_json::Deserializer::from_slice(payload);
    json.deserialize_map(FlatVisitor { keys, found: &mut found })?;
    json.end()?;
    Ok(found)
}

/// The value at a JSON pointer of a message, which has to be JSON unless the pointer is empty.
pub(crate) fn scalar_at<'a>(payload: &'a [u8], pointer: &str) -> Result<Scalar<'a>, Why> {
    if pointer.is_empty() {
        return bare(payload);
    }
    let tree: Json = serde_json::from_slice(payload).map_err(|e| e.to_string())?;
    Ok(tree.pointer(pointer).map_or(Scalar::Absent, |v| match scalar_of(v) {
        Scalar::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
        Scalar::Bool(b) => Scalar::Bool(b),
        Scalar::Integer(n) => Scalar::Integer(n),
        Scalar::Number(x) => Scalar::Number(x),
        Scalar::Null => Scalar::Null,
        Scalar::Absent => Scalar::Absent,
        Scalar::Compound => Scalar::Compound,
    }))
}

fn scalar_of(json: &Json) -> Scalar<'_> {
    match json {
        Json::Null => Scalar::Null,
        Json::Bool(b) => Scalar::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(n) => Scalar::Integer(n),
            None => Scalar::Number(n.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Scalar::Text(Cow::Borrowed(text)),
        Json::Array(_) | Json::Object(_) => Scalar::Compound,
    }
}

struct FlatVisitor<'k, 'f, 'de> {
    keys: &'k [Box<str>],
    found: &'f mut [Scalar<'de>; FLAT_KEYS],
}

impl<'de> Visitor<'de> for FlatVisitor<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(slot) = map.next_key_seed(KeySeed(self.keys))? {
            match slot.and_then(|i| self.found.get_mut(i)) {
                Some(place) => *place = map.next_value_seed(ScalarSeed)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Finds a key without copying it.
struct KeySeed<'k>(&'k [Box<str>]);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<usize>, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|k| **k == *key))
    }
}

struct ScalarSeed;

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Scalar<'de>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }
    fn visit_bool<E: Error>(self, b: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(b))
    }
    fn visit_i64<E: Error>(self, n: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(n))
    }
    fn visit_u64<E: Error>(self, n: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(n).map_or(Scalar::Number(n as f64), Scalar::Integer))
    }
    fn visit_f64<E: Error>(self, x: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(x))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Compound)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Compound)
    }
}
