//! Values as people write them in JSON.

use campanile_model::{Value, ValueType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ChoiceInfo;

/// A value in JSON: `23.5`, `true`, or a text. A choice is the text of its id, such as `"cool"`,
/// so that a message reads without the catalogue. Numbers are in the point's UCUM unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(untagged)]
pub enum JsonValue {
    /// On or off, open or shut, alarm or none.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text, or the id of a choice.
    Text(String),
}

/// Why a JSON value is not one of a point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The JSON type doesn't fit the point's.
    #[error("the value has to be a {wanted}, not {got}")]
    WrongType {
        /// What the point holds.
        wanted: &'static str,
        /// What came.
        got: String,
    },
    /// No choice of the point has this id.
    #[error("'{got}' is none of its choices: {choices}")]
    UnknownChoice {
        /// What came.
        got: String,
        /// The ids of the choices.
        choices: String,
    },
    /// The number is not finite.
    #[error("the value has to be a finite number")]
    NotFinite,
    /// The text is longer than [`Value::MAX_TEXT`].
    #[error("the text has {bytes} bytes; at most {} may stand", Value::MAX_TEXT)]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
}

impl JsonValue {
    /// A value of a point whose choices have these ids, in order. A choice that isn't among them
    /// shows its index.
    pub fn from_value<'a>(value: &Value, choice_ids: impl IntoIterator<Item = &'a str>) -> Self {
        match value {
            Value::Number(x) => Self::Number(*x),
            Value::Bool(b) => Self::Bool(*b),
            Value::Choice(index) => Self::Text(
                choice_ids
                    .into_iter()
                    .nth(usize::from(*index))
                    .map_or_else(|| index.to_string(), str::to_owned),
            ),
            Value::Text(text) => Self::Text(text.to_string()),
        }
    }

    /// As [`JsonValue::from_value`] with the choices of a catalogue.
    pub fn from_value_of(value: &Value, choices: &[ChoiceInfo]) -> Self {
        Self::from_value(value, choices.iter().map(|c| c.id.as_str()))
    }

    /// The value as a point of this type takes it.
    ///
    /// # Errors
    /// [`ValueError`] where type, choice or length don't fit.
    pub fn to_value<'a>(
        &self,
        value_type: ValueType,
        choice_ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Value, ValueError> {
        let wrong = |wanted| ValueError::WrongType { wanted, got: self.to_string() };
        match (value_type, self) {
            (ValueType::Number, Self::Number(x)) if x.is_finite() => Ok(Value::Number(*x)),
            (ValueType::Number, Self::Number(_)) => Err(ValueError::NotFinite),
            (ValueType::Number, _) => Err(wrong("number")),
            (ValueType::Bool, Self::Bool(b)) => Ok(Value::Bool(*b)),
            (ValueType::Bool, _) => Err(wrong("boolean")),
            (ValueType::Choice, Self::Text(id)) => {
                let mut ids = Vec::new();
                for (index, choice) in choice_ids.into_iter().enumerate() {
                    if choice == id {
                        return u16::try_from(index).map(Value::Choice).map_err(|_| wrong("choice"));
                    }
                    ids.push(choice.to_owned());
                }
                Err(ValueError::UnknownChoice { got: id.clone(), choices: ids.join(", ") })
            }
            (ValueType::Choice, _) => Err(wrong("text with the id of a choice")),
            (ValueType::Text, Self::Text(text)) if text.len() <= Value::MAX_TEXT => {
                Ok(Value::Text(text.as_str().into()))
            }
            (ValueType::Text, Self::Text(text)) => Err(ValueError::TooLong { bytes: text.len() }),
            (ValueType::Text, _) => Err(wrong("text")),
        }
    }
}

impl std::fmt::Display for JsonValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(x) => write!(f, "{x}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_the_value_that_the_point_holds() {
        let ids = ["off", "cool", "heat"];
        for (json, value_type, expected) in [
            ("23.5", ValueType::Number, Ok(Value::Number(23.5))),
            ("true", ValueType::Bool, Ok(Value::Bool(true))),
            ("\"heat\"", ValueType::Choice, Ok(Value::Choice(2))),
            ("\"hello\"", ValueType::Text, Ok(Value::Text("hello".into()))),
            ("1", ValueType::Bool, Err("the value has to be a boolean, not 1")),
            ("\"dry\"", ValueType::Choice, Err("'dry' is none of its choices: off, cool, heat")),
            ("\"5\"", ValueType::Number, Err("the value has to be a number, not 5")),
        ] {
            let parsed: JsonValue = serde_json::from_str(json).unwrap();
            let got = parsed.to_value(value_type, ids).map_err(|e| e.to_string());
            assert_eq!(got, expected.map_err(str::to_owned), "{json} as {value_type:?}");
            if let Ok(value) = got {
                assert_eq!(JsonValue::from_value(&value, ids), parsed);
            }
        }
    }
}
