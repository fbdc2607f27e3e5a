//! Samples and commands to messages, by the same bindings.

use campanile_model::{
    Binding, Campus, CommandBinding, Point, PointId, Quality, Sample, TimeFormat, Timestamp, Value,
};
use serde_json::{Map, Value as Json};

use crate::GatewayError;
use crate::parse::{Scalar, Why, scalar_at, value_of};
use crate::topics::{Target, flat_key};

/// The point and where it is bound.
pub(crate) fn bound(campus: &Campus, id: PointId) -> Result<(&Point, &Binding), GatewayError> {
    let point = campus.get_point(id).ok_or(GatewayError::UnknownPoint(id.0))?;
    let binding = point
        .binding
        .as_ref()
        .ok_or_else(|| GatewayError::Unbound { point: point.path.clone(), what: "topic" })?;
    if binding.sparkplug.is_some() {
        return Err(GatewayError::Sparkplug { point: point.path.clone() });
    }
    Ok((point, binding))
}

/// The message with one sample, or with several of the same point where its binding has an array.
pub(crate) fn message(point: &Point, binding: &Binding, samples: &[Sample]) -> Result<Vec<u8>, GatewayError> {
    if let Some(array) = &binding.array_pointer {
        let items: Result<Vec<Json>, _> = samples.iter().map(|s| tree(point, binding, s)).collect();
        let mut root = Json::Null;
        put(&mut root, array, Json::Array(items?)).map_err(|why| fault(point, why))?;
        return Ok(root.to_string().into_bytes());
    }
    let Some(sample) = samples.first() else { return Ok(Vec::new()) };
    match flat(point, binding, sample)? {
        Some(text) => Ok(text.into_bytes()),
        None => Ok(tree(point, binding, sample)?.to_string().into_bytes()),
    }
}

fn fault(point: &Point, why: impl Into<String>) -> GatewayError {
    GatewayError::Value { point: point.path.clone(), why: why.into() }
}

/// The common message, written straight into a text.
fn flat(point: &Point, binding: &Binding, sample: &Sample) -> Result<Option<String>, GatewayError> {
    let plain = |pointer: &str| {
        flat_key(pointer).filter(|k| k.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    };
    let Some(value_key) = plain(&binding.value_pointer) else { return Ok(None) };
    let mut text = format!("{{\"{value_key}\":{}", json_value(point, binding, &sample.value)?);
    if let Some(pointer) = &binding.time_pointer {
        let Some(key) = plain(pointer) else { return Ok(None) };
        text.push_str(&format!(",\"{key}\":{}", time_text(sample.time, binding.time_format)));
    }
    if let Some(pointer) = &binding.quality_pointer {
        let Some(key) = plain(pointer) else { return Ok(None) };
        text.push_str(&format!(",\"{key}\":\"{}\"", quality_word(sample.quality)));
    }
    text.push('}');
    Ok(Some(text))
}

fn tree(point: &Point, binding: &Binding, sample: &Sample) -> Result<Json, GatewayError> {
    let mut root = Json::Null;
    let mut add =
        |pointer: &str, value: Json| put(&mut root, pointer, value).map_err(|why| fault(point, why));
    add(&binding.value_pointer, json_value(point, binding, &sample.value)?)?;
    if let Some(pointer) = &binding.time_pointer {
        let text = time_text(sample.time, binding.time_format);
        let time = serde_json::from_str(&text).map_err(|e| fault(point, e.to_string()))?;
        add(pointer, time)?;
    }
    if let Some(pointer) = &binding.quality_pointer {
        add(pointer, quality_word(sample.quality).into())?;
    }
    Ok(root)
}

/// A value as the field writes it.
fn json_value(point: &Point, binding: &Binding, value: &Value) -> Result<Json, GatewayError> {
    if value.value_type() != point.value_type {
        return Err(fault(point, format!("{value:?} is not a {:?}", point.value_type)));
    }
    Ok(match value {
        Value::Number(x) => serde_json::Number::from_f64(Target::new(point, binding).to_field(*x))
            .map(Json::Number)
            .ok_or_else(|| fault(point, "the number is not finite"))?,
        Value::Bool(b) => Json::Bool(*b),
        Value::Choice(i) => point
            .choices
            .get(usize::from(*i))
            .map(|c| Json::String(c.id.clone()))
            .ok_or_else(|| fault(point, format!("there is no choice {i}")))?,
        Value::Text(text) => Json::String(text.to_string()),
    })
}

/// Exact to the microsecond, without a fraction where there is none.
fn time_text(time: Timestamp, format: TimeFormat) -> String {
    let with_fraction = |unit: i64, digits: usize| {
        let (whole, rest) = (time.0.div_euclid(unit), time.0.rem_euclid(unit));
        if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:0digits$}") }
    };
    match format {
        TimeFormat::UnixS => with_fraction(1_000_000, 6),
        TimeFormat::UnixMs => with_fraction(1000, 3),
        TimeFormat::Rfc3339 => {
            let time = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            format!("\"{time}\"")
        }
    }
}

fn quality_word(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
        Quality::Stale => "stale",
    }
}

/// Puts a value where a JSON pointer says, making the objects on the way.
fn put(root: &mut Json, pointer: &str, value: Json) -> Result<(), String> {
    let mut place = root;
    for step in pointer.split('/').skip(1) {
        if place.is_null() {
            *place = Json::Object(Map::new());
        }
        let Json::Object(members) = place else {
            return Err(format!("the pointer '{pointer}' of its binding leads through another value"));
        };
        place = members.entry(step.replace("~1", "/").replace("~0", "~")).or_insert(Json::Null);
    }
    *place = value;
    Ok(())
}

/// The topic and message of a command; `None` as the value is sent as `null`: the device decides.
pub(crate) fn command(
    campus: &Campus,
    id: PointId,
    value: Option<&Value>,
) -> Result<(String, Vec<u8>), GatewayError> {
    let (point, binding) = bound(campus, id)?;
    let command = binding
        .command
        .as_ref()
        .ok_or_else(|| GatewayError::Unbound { point: point.path.clone(), what: "command topic" })?;
    let json = value.map_or(Ok(Json::Null), |v| json_value(point, binding, v))?;
    let mut root = Json::Null;
    put(&mut root, &command.value_pointer, json).map_err(|why| fault(point, why))?;
    Ok((command.topic.clone(), root.to_string().into_bytes()))
}

/// The value of a command as a device reads it, in the point's unit; `None` for `null`.
pub(crate) fn read_command(
    target: &Target,
    binding: &CommandBinding,
    payload: &[u8],
) -> Result<Option<Value>, Why> {
    match scalar_at(payload, &binding.value_pointer)? {
        Scalar::Null => Ok(None),
        scalar => value_of(&scalar, target).map(Some),
    }
}
