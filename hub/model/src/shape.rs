//! Whether a value has the shape that a JSON Schema asks for, with *every* fault named.
//!
//! Serde stops at the first fault and doesn't know where it stands. So when it objects, the value
//! is walked along the schema that `schemars` derives from the same types.

use serde_json::{Map, Value};

use crate::suggest::did_you_mean;
use crate::toml_doc::escape;

/// A fault of shape.
#[derive(Debug)]
pub(crate) struct Fault {
    pub code: &'static str,
    pub pointer: String,
    pub what: String,
    pub mend: String,
}

pub(crate) fn faults(value: &Value, schema: &Value) -> Vec<Fault> {
    let mut out = Vec::new();
    Walk { root: schema }.walk(value, schema, "", &mut out);
    out
}

/// Takes the unknown fields out of `value`, so that the rest can be read.
pub(crate) fn prune(value: &mut Value, faults: &[Fault]) {
    for fault in faults.iter().filter(|f| f.code == "unknown-field") {
        let Some((parent, key)) = fault.pointer.rsplit_once('/') else { continue };
        if let Some(Value::Object(map)) = value.pointer_mut(parent) {
            map.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
    }
}

struct Walk<'a> {
    root: &'a Value,
}

impl<'a> Walk<'a> {
    fn resolve(&self, mut schema: &'a Value) -> &'a Value {
        // A chain of references is as short as the types nest; the bound is against loops.
        for _ in 0..16 {
            let Some(target) = schema.get("$ref").and_then(Value::as_str) else { break };
            match self.root.pointer(target.trim_start_matches('#')) {
                Some(found) => schema = found,
                None => break,
            }
        }
        schema
    }

    fn walk(&self, value: &Value, schema: &'a Value, at: &str, out: &mut Vec<Fault>) {
        let schema = self.resolve(schema);
        let Some(rules) = schema.as_object() else { return };
        if let Some(branches) = rules.get("anyOf").or(rules.get("oneOf")).and_then(Value::as_array) {
            return self.choose(value, branches, at, out);
        }
        if let Some(options) = rules.get("enum").and_then(Value::as_array) {
            if !options.contains(value) {
                unknown_value(value, options.iter(), at, out);
            }
            return;
        }
        if let Some(constant) = rules.get("const") {
            if value != constant {
                unknown_value(value, [constant].into_iter(), at, out);
            }
            return;
        }
        if !self.has_type(value, rules, at, out) {
            return;
        }
        match value {
            Value::Object(map) => self.walk_object(map, rules, at, out),
            Value::Array(items) => self.walk_array(items, rules, at, out),
            Value::Number(n) => {
                let (x, low) = (n.as_f64().unwrap_or(0.0), rules.get("minimum").and_then(Value::as_f64));
                let high = rules.get("maximum").and_then(Value::as_f64).or(
                    match rules.get("format").and_then(Value::as_str) {
                        Some("int32") => Some(f64::from(i32::MAX)),
                        Some("uint32") => Some(f64::from(u32::MAX)),
                        _ => None,
                    },
                );
                let low = low.or((rules.get("format").and_then(Value::as_str) == Some("int32"))
                    .then_some(f64::from(i32::MIN)));
                if low.is_some_and(|low| x < low) || high.is_some_and(|high| x > high) {
                    out.push(Fault {
                        code: "wrong-type",
                        pointer: at.to_owned(),
                        what: format!("{n} is out of range here"),
                        mend: format!(
                            "Use a number from {} to {}.",
                            low.unwrap_or(f64::MIN),
                            high.unwrap_or(f64::MAX)
                        ),
                    });
                }
            }
            _ => {}
        }
    }

    fn has_type(&self, value: &Value, rules: &Map<String, Value>, at: &str, out: &mut Vec<Fault>) -> bool {
        let wanted: Vec<&str> = match rules.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let found = type_name(value);
        let ok = wanted.iter().any(|w| *w == found || (*w == "number" && found == "integer"));
        if !ok {
            let wanted: Vec<&str> = wanted.into_iter().filter(|w| *w != "null").collect();
            out.push(Fault {
                code: "wrong-type",
                pointer: at.to_owned(),
                what: format!(
                    "{} is wanted here, but {} stands here",
                    article(&wanted.join(" or ")),
                    if found == "null" {
                        "null".to_owned()
                    } else {
                        format!("{} {}", article(found), brief(value))
                    }
                ),
                mend: rules.get("description").and_then(Value::as_str).map_or_else(
                    || format!("Write {}.", article(&wanted.join(" or "))),
                    |text| format!("It says: {}", text.replace('\n', " ")),
                ),
            });
        }
        ok
    }

    fn walk_object(
        &self,
        map: &Map<String, Value>,
        rules: &'a Map<String, Value>,
        at: &str,
        out: &mut Vec<Fault>,
    ) {
        let properties = rules.get("properties").and_then(Value::as_object);
        for (key, value) in map {
            let at = format!("{at}/{}", escape(key));
            if let Some(schema) = properties.and_then(|p| p.get(key)) {
                self.walk(value, schema, &at, out);
            } else {
                match rules.get("additionalProperties") {
                    Some(Value::Bool(false)) => {
                        let known = properties.into_iter().flat_map(|p| p.keys().map(String::as_str));
                        out.push(Fault {
                            code: "unknown-field",
                            pointer: at,
                            what: format!("the field '{key}' isn't known here"),
                            mend: did_you_mean(key, known),
                        });
                    }
                    Some(schema @ Value::Object(_)) => self.walk(value, schema, &at, out),
                    _ => {}
                }
            }
        }
        for key in
            rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !map.contains_key(key) {
                let text = properties
                    .and_then(|p| p.get(key))
                    .and_then(|s| s.get("description").or(self.resolve(s).get("description")))
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                out.push(Fault {
                    code: "missing-field",
                    pointer: at.to_owned(),
                    what: format!("the field '{key}' is missing"),
                    mend: format!("Add '{key}': {}", text.replace('\n', " ")),
                });
            }
        }
    }

    fn walk_array(&self, items: &[Value], rules: &'a Map<String, Value>, at: &str, out: &mut Vec<Fault>) {
        let bound = |name: &str| rules.get(name).and_then(Value::as_u64);
        let len = items.len() as u64;
        if bound("minItems").is_some_and(|n| len < n) || bound("maxItems").is_some_and(|n| len > n) {
            let n = bound("minItems").or(bound("maxItems")).unwrap_or_default();
            out.push(Fault {
                code: "wrong-type",
                pointer: at.to_owned(),
                what: format!("{n} items are wanted here, but {len} stand here"),
                mend: format!("Write {n} items."),
            });
        }
        if let Some(schema) = rules.get("items") {
            for (i, item) in items.iter().enumerate() {
                self.walk(item, schema, &format!("{at}/{i}"), out);
            }
        }
    }

    /// Reports the faults of the branch that is nearest to what is meant.
    fn choose(&self, value: &Value, branches: &'a [Value], at: &str, out: &mut Vec<Fault>) {
        let mut constants: Vec<&Value> = Vec::new();
        let mut best: Option<((bool, usize), Vec<Fault>)> = None;
        for branch in branches {
            let rules = self.resolve(branch);
            if let Some(constant) = rules.get("const") {
                constants.push(constant);
            }
            constants.extend(rules.get("enum").and_then(Value::as_array).into_iter().flatten());
            let mut faults = Vec::new();
            self.walk(value, branch, at, &mut faults);
            if faults.is_empty() {
                return;
            }
            let other_type = faults.iter().any(|f| f.pointer == at && f.code == "wrong-type");
            let rank = (other_type, faults.len());
            if best.as_ref().is_none_or(|(r, _)| rank < *r) {
                best = Some((rank, faults));
            }
        }
        if !constants.is_empty() && !value.is_object() {
            unknown_value(value, constants.into_iter(), at, out);
        } else if let Some((_, faults)) = best {
            out.extend(faults);
        }
    }
}

fn unknown_value<'a>(value: &Value, known: impl Iterator<Item = &'a Value>, at: &str, out: &mut Vec<Fault>) {
    let known: Vec<&str> = known.filter_map(Value::as_str).collect();
    out.push(Fault {
        code: "unknown-value",
        pointer: at.to_owned(),
        what: format!("{} isn't one of the values allowed here", brief(value)),
        mend: did_you_mean(value.as_str().unwrap_or_default(), known),
    });
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => String::new(),
        other => {
            let text = other.to_string();
            let short: String = text.chars().take(40).collect();
            if short.len() < text.len() { format!("{short}…") } else { short }
        }
    }
}
