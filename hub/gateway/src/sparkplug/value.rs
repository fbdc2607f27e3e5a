//! Values of metrics by their types (section 6.4.16 of the specification 3.0), in both directions.

use std::borrow::Cow;

use campanile_model::{Point, Timestamp, Value, ValueType};

use super::payload::{Raw, datatype};
use crate::parse::{Scalar, Why};
use crate::topics::Target;

/// Why a metric gives no sample.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// It is not as its type says.
    Malformed(Why),
    /// It is of a type that a point can't have.
    Unsupported(Why),
}

/// How far from a whole number a command may be to count as one: what scaling by a decimal loses.
const WHOLE: f64 = 1e-6;

/// What a metric's value means. Signed integers are two's complement in an unsigned field; writers differ in whether
/// they fill an 8 or 16 bit number to 32 bits by its sign, and in which of both fields an UInt32 stands, so that
/// either is read, within the range of the type.
pub(crate) fn scalar<'a>(raw: &'a Raw<'_>, kind: u32, wanted: ValueType) -> Result<Scalar<'a>, Refusal> {
    let mismatch =
        || Refusal::Malformed(format!("the value is not of its type {}", datatype::name(kind)).into());
    let integer = match raw {
        Raw::Int(n) => Some(u64::from(*n)),
        Raw::Long(n) => Some(*n),
        _ => None,
    };
    let whole = |bits: u32, signed: bool| {
        let n = integer.ok_or_else(mismatch)?;
        let narrow = matches!(raw, Raw::Int(_));
        let value = match (signed, narrow) {
            (false, _) => i128::from(n),
            // Filled by its sign to 32 bits, or to 64.
            (true, true) => i128::from(n as u32 as i32),
            (true, false) => i128::from(n as i64),
        };
        let (low, high) = if signed {
            (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        if (low..=high).contains(&value) {
            return Ok(i64::try_from(value).map_or(Scalar::Number(value as f64), Scalar::Integer));
        }
        let unfilled = i128::from(n);
        if signed && bits < 64 && unfilled < 1_i128 << bits {
            return Ok(Scalar::Integer((unfilled - (1_i128 << bits)) as i64));
        }
        Err(Refusal::Malformed(
            format!("{value} is beyond the range of its type {}", datatype::name(kind)).into(),
        ))
    };
    match kind {
        datatype::INT8 => whole(8, true),
        datatype::INT16 => whole(16, true),
        datatype::INT32 => whole(32, true),
        datatype::INT64 => whole(64, true),
        datatype::UINT8 => whole(8, false),
        datatype::UINT16 => whole(16, false),
        datatype::UINT32 => whole(32, false),
        datatype::UINT64 => whole(64, false),
        datatype::FLOAT | datatype::DOUBLE => match raw {
            Raw::Float(x) => Ok(Scalar::Number(f64::from(*x))),
            Raw::Double(x) => Ok(Scalar::Number(*x)),
            _ => Err(mismatch()),
        },
        datatype::BOOLEAN => match raw {
            Raw::Boolean(b) => Ok(Scalar::Bool(*b)),
            _ => Err(mismatch()),
        },
        datatype::STRING | datatype::TEXT | datatype::UUID => match raw {
            Raw::Text(text) => Ok(Scalar::Text(Cow::Borrowed(text))),
            _ => Err(mismatch()),
        },
        datatype::DATE_TIME => {
            let ms = integer.and_then(|n| i64::try_from(n).ok()).ok_or_else(mismatch)?;
            if wanted != ValueType::Text {
                return Ok(Scalar::Integer(ms));
            }
            let time = jiff::Timestamp::from_millisecond(ms).map_err(|_| mismatch())?;
            Ok(Scalar::Text(time.to_string().into()))
        }
        datatype::UNKNOWN => Err(Refusal::Malformed("the birth gives it no type".into())),
        other => Err(Refusal::Unsupported(
            format!(
                "{} has no single value for a point: bind a metric of a scalar type",
                datatype::name(other)
            )
            .into(),
        )),
    }
}

/// A value of a point as a metric of a type holds it.
pub(crate) fn raw(point: &Point, target: &Target, kind: u32, value: &Value) -> Result<Raw<'static>, String> {
    if value.value_type() != point.value_type {
        return Err(format!("{value:?} is not a {:?}", point.value_type));
    }
    if let (Value::Choice(i), datatype::STRING | datatype::TEXT) = (value, kind) {
        let choice = point.choices.get(usize::from(*i)).ok_or_else(|| format!("there is no choice {i}"))?;
        return Ok(Raw::Text(choice.id.clone().into()));
    }
    let number = match value {
        Value::Number(x) => target.to_field(*x),
        Value::Choice(i) => f64::from(*i),
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Text(text) => {
            return match kind {
                datatype::STRING | datatype::TEXT => Ok(Raw::Text(text.to_string().into())),
                other => {
                    Err(format!("a text can't be written to a metric of type {}", datatype::name(other)))
                }
            };
        }
    };
    if !number.is_finite() {
        return Err("the number is not finite".to_owned());
    }
    let whole = |low: f64, high: f64| {
        let rounded = number.round();
        if (number - rounded).abs() > WHOLE * rounded.abs().max(1.0) {
            return Err(format!(
                "{number} is not a whole number, and its metric is {}",
                datatype::name(kind)
            ));
        }
        if !(low..=high).contains(&rounded) {
            return Err(format!(
                "{rounded} is beyond the range of its metric's type {}",
                datatype::name(kind)
            ));
        }
        Ok(rounded)
    };
    let signed = |bits: i32| {
        let half = 2_f64.powi(bits - 1);
        whole(-half, half - 1.0).map(|x| x as i64)
    };
    let unsigned = |bits: i32| whole(0.0, 2_f64.powi(bits) - 1.0).map(|x| x as u64);
    Ok(match kind {
        datatype::INT8 => Raw::Int(signed(8)? as i32 as u32),
        datatype::INT16 => Raw::Int(signed(16)? as i32 as u32),
        datatype::INT32 => Raw::Int(signed(32)? as i32 as u32),
        datatype::UINT8 => Raw::Int(unsigned(8)? as u32),
        datatype::UINT16 => Raw::Int(unsigned(16)? as u32),
        datatype::UINT32 => Raw::Int(unsigned(32)? as u32),
        // f64 has no more than 53 bits: beyond, a number would not be the one that was meant.
        datatype::INT64 => Raw::Long(signed(54)? as u64),
        datatype::UINT64 | datatype::DATE_TIME => Raw::Long(unsigned(53)?),
        datatype::FLOAT => {
            let x = number as f32;
            if !x.is_finite() {
                return Err(format!("{number} is beyond the range of its metric's type Float"));
            }
            Raw::Float(x)
        }
        datatype::DOUBLE => Raw::Double(number),
        datatype::BOOLEAN => match value {
            Value::Bool(b) => Raw::Boolean(*b),
            _ if number == 0.0 || number == 1.0 => Raw::Boolean(number == 1.0),
            _ => return Err(format!("{number} can't be written to a metric of type Boolean")),
        },
        other => return Err(format!("a metric of type {} can't be commanded", datatype::name(other))),
    })
}

/// Milliseconds since 1970 as a time that is believed.
pub(crate) fn time(ms: u64) -> Result<Timestamp, Why> {
    /// The year 2200: a later one is a wrong unit.
    const LATEST_MS: u64 = 7_258_118_400_000;
    if ms > LATEST_MS {
        return Err(format!("the time {ms} is not in milliseconds between 1970 and 2200").into());
    }
    Ok(Timestamp(ms as i64 * 1000))
}
