//! What scripts keep: their values as JSON.

use rhai::{Array, Dynamic, EvalAltResult, Map};
use serde_json::{Number, Value};

use crate::fault::invalid;

/// A value of a script as JSON text.
pub fn written(value: &Dynamic) -> Result<String, Box<EvalAltResult>> {
    Ok(json(value)?.to_string())
}

/// JSON text as a value of a script.
pub fn read(text: &[u8]) -> Result<Dynamic, Box<EvalAltResult>> {
    let value = serde_json::from_slice(text).map_err(|why| invalid(format!("this is no JSON: {why}")))?;
    Ok(dynamic(value))
}

fn json(value: &Dynamic) -> Result<Value, Box<EvalAltResult>> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = value.as_bool() {
        return Ok(truth.into());
    }
    if let Ok(whole) = value.as_int() {
        return Ok(whole.into());
    }
    if let Ok(number) = value.as_float() {
        let number = Number::from_f64(number);
        return number.map(Value::Number).ok_or_else(|| invalid("JSON has no NaN and no infinity"));
    }
    if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        return Ok(text.as_str().into());
    }
    if let Ok(letter) = value.as_char() {
        return Ok(letter.to_string().into());
    }
    if let Some(array) = value.read_lock::<Array>() {
        return array.iter().map(json).collect::<Result<_, _>>().map(Value::Array);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries = map.iter().map(|(name, value)| Ok((name.to_string(), json(value)?)));
        return entries.collect::<Result<_, _>>().map(Value::Object);
    }
    Err(invalid(format!("a {} can't be kept as JSON", value.type_name())))
}

fn dynamic(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(truth) => truth.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Value::String(text) => text.into(),
        Value::Array(entries) => entries.into_iter().map(dynamic).collect::<Array>().into(),
        Value::Object(entries) => {
            entries.into_iter().map(|(name, value)| (name.into(), dynamic(value))).collect::<Map>().into()
        }
    }
}
