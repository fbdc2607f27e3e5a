//! Values between the contract and scripts.

use campanile_plugin::{
    AlarmChange, Point, Quality, Value, Words,
    panels::{Entered, Event},
};
use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map};

use crate::{capabilities::Found, fault::invalid, samples::Reading};

/// What a function of ours gives, or throws.
pub type Thrown<T = ()> = Result<T, Box<EvalAltResult>>;

/// A choice, as `choice(1)` makes it: a number of a script is a number of the campus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice(pub u16);

/// A value as scripts see it: a choice is its index.
pub fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Number(number) => (*number).into(),
        Value::Boolean(on) => (*on).into(),
        Value::Choice(index) => i64::from(*index).into(),
        Value::Text(text) => text.into(),
    }
}

/// A value as scripts write it.
pub fn value(given: &Dynamic) -> Thrown<Value> {
    if let Some(number) = number(given) {
        return Ok(Value::Number(number));
    }
    if let Ok(on) = given.as_bool() {
        return Ok(Value::Boolean(on));
    }
    if let Some(Choice(index)) = given.clone().try_cast() {
        return Ok(Value::Choice(index));
    }
    if let Some(text) = given.read_lock::<ImmutableString>() {
        return Ok(Value::Text(text.to_string()));
    }
    Err(invalid(format!(
        "a value is a number, true or false, choice(INDEX), or a text, not a {}",
        given.type_name()
    )))
}

/// A number, whole or not.
pub fn number(given: &Dynamic) -> Option<f64> {
    given.as_float().ok().or_else(|| given.as_int().ok().map(|whole| whole as f64))
}

/// A point's handle, of a number, of what `points::find` gave, or of a sample.
pub fn point(given: &Dynamic) -> Thrown<Point> {
    if let Ok(handle) = given.as_int() {
        // What no handle can be is none that was given.
        return Ok(Point::try_from(handle).unwrap_or(Point::MAX));
    }
    let found = given.read_lock::<Found>().map(|found| found.0.point);
    let sampled = || given.read_lock::<Reading>().map(|reading| reading.sample().point);
    found.or_else(sampled).ok_or_else(|| {
        invalid(format!(
            "a point is a handle, what points::find gave, or a sample, not a {}",
            given.type_name()
        ))
    })
}

/// A quality by its name.
pub fn quality(given: &str) -> Thrown<Quality> {
    Ok(match given {
        "good" => Quality::Good,
        "uncertain" => Quality::Uncertain,
        "bad" => Quality::Bad,
        "stale" => Quality::Stale,
        _ => {
            return Err(invalid(format!("there is no quality \"{given}\": good, uncertain, bad or stale")));
        }
    })
}

/// Words as `words(zh, en)` makes them.
pub fn words(given: &Dynamic) -> Thrown<Words> {
    let words = given.read_lock::<Words>().map(|words| words.clone());
    words.ok_or_else(|| {
        invalid(format!(
            "people read it in both languages: words(\"中文\", \"English\"), not a {}",
            given.type_name()
        ))
    })
}

/// A list, each entry made by a function.
pub fn list<T>(given: &Array, entry: impl Fn(&Dynamic) -> Thrown<T>) -> Thrown<Vec<T>> {
    given.iter().map(entry).collect()
}

/// A map whose entries are taken by name; what nobody takes is a mistake of the script.
pub struct Fields {
    of: &'static str,
    left: Map,
}

impl Fields {
    /// The fields of what is said to be a command, a mission...
    pub fn of(of: &'static str, given: &Dynamic) -> Thrown<Self> {
        match given.read_lock::<Map>() {
            Some(map) => Ok(Self { of, left: map.clone() }),
            None => Err(invalid(format!("a {of} is a map `#{{…}}`, not a {}", given.type_name()))),
        }
    }

    /// A field, where it is.
    pub fn may<T>(&mut self, name: &str, read: impl Fn(&Dynamic) -> Thrown<T>) -> Thrown<Option<T>> {
        self.left.remove(name).map(|given| read(&given)).transpose()
    }

    /// A field that has to be there.
    pub fn must<T>(&mut self, name: &str, read: impl Fn(&Dynamic) -> Thrown<T>) -> Thrown<T> {
        let of = self.of;
        self.may(name, read)?.ok_or_else(|| invalid(format!("a {of} needs `{name}`")))
    }

    /// Says which fields nobody knows.
    pub fn end(self) -> Thrown {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(invalid(format!("a {} has no `{name}`", self.of))),
        }
    }
}

/// A text, of a field.
pub fn text(given: &Dynamic) -> Thrown<String> {
    let text = given.read_lock::<ImmutableString>().map(|text| text.to_string());
    text.ok_or_else(|| invalid(format!("a text is wanted, not a {}", given.type_name())))
}

/// A number, of a field.
pub fn real(given: &Dynamic) -> Thrown<f64> {
    number(given).ok_or_else(|| invalid(format!("a number is wanted, not a {}", given.type_name())))
}

/// A whole number of some size, of a field.
pub fn whole<T: TryFrom<i64>>(given: &Dynamic) -> Thrown<T> {
    let whole = given.as_int().ok().and_then(|whole| T::try_from(whole).ok());
    whole.ok_or_else(|| invalid(format!("{given} is not a whole number of the size that is wanted")))
}

/// A map of names and values.
pub fn map<const N: usize>(entries: [(&str, Dynamic); N]) -> Dynamic {
    entries.into_iter().map(|(name, value)| (name.into(), value)).collect::<Map>().into()
}

/// What `on_alarms` is given.
pub fn alarm_change(change: &AlarmChange) -> Dynamic {
    map([
        ("id", change.id.clone().into()),
        ("active", change.active.into()),
        ("acknowledged", change.acknowledged.into()),
        ("at", change.at.into()),
    ])
}

/// What `on_panel` is given: fields by name.
pub fn panel_event(event: &Event) -> Dynamic {
    let entered = |entered: &Entered| match entered {
        Entered::Number(number) => (*number).into(),
        Entered::Text(text) => text.into(),
        Entered::Choice(index) => i64::from(*index).into(),
        Entered::Toggle(on) => (*on).into(),
    };
    let fields: Map = event.fields.iter().map(|(id, what)| (id.as_str().into(), entered(what))).collect();
    map([
        ("panel", event.panel.clone().into()),
        ("node", event.node.clone().into()),
        ("person", event.person.clone().into()),
        ("fields", fields.into()),
    ])
}

/// What `on_outcome` is given: pairs are with and without the changes.
#[cfg(feature = "activity")]
pub fn outcome(outcome: &campanile_plugin::activities::Outcome) -> Dynamic {
    let pair = |(with, without): (f64, f64)| {
        Dynamic::from(map([("with", with.into()), ("without", without.into())]))
    };
    map([
        ("id", outcome.id.clone().into()),
        ("energy_kwh", pair(outcome.energy_kwh)),
        ("comfort_share", pair(outcome.comfort_share)),
        ("failed", outcome.failed.clone().map_or(Dynamic::UNIT, Into::into)),
    ])
}

/// What `on_decision` is given.
#[cfg(feature = "drill")]
pub fn decision(decision: &campanile_plugin::drills::Decision) -> Dynamic {
    map([
        ("id", decision.id.clone().into()),
        ("answer", i64::from(decision.answer).into()),
        ("person", decision.person.clone().into()),
    ])
}
