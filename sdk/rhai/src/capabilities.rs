//! The capabilities of the contract as scripts call them, a module each, by the contract's names. Only those of the
//! world that the interpreter was built for are there.

use std::rc::Rc;

use campanile_plugin::{
    Words, clock,
    log::{self, Level},
    points::{self, Derived, Info, Shape},
    store,
};
use rhai::{Array, Dynamic, Engine, Module};

use crate::{
    fault::{Denied, denied, invalid, panic, placed},
    json, panels,
    samples::{self, Paths, Reading},
    values::{Choice, Fields, Thrown, list, map, point, quality, text, value},
};

/// A point that was found.
#[derive(Clone, Debug)]
pub struct Found(pub Rc<Info>);

/// Registers everything.
pub fn register(engine: &mut Engine) {
    let paths = Paths::default();
    samples::register(engine, &paths);
    panels::register(engine);
    register_values(engine);
    engine.register_static_module("log", log_module().into());
    engine.register_static_module("clock", clock_module().into());
    engine.register_static_module("points", points_module(paths).into());
    engine.register_static_module("store", store_module().into());
    #[cfg(any(feature = "rule", feature = "activity"))]
    {
        engine.register_static_module("history", keeping::history_module().into());
        engine.register_static_module("networks", keeping::networks_module().into());
        engine.register_static_module("records", keeping::records_module().into());
    }
    #[cfg(feature = "rule")]
    {
        engine.register_static_module("commands", acting::commands_module().into());
        engine.register_static_module("alarms", acting::alarms_module().into());
    }
    #[cfg(feature = "activity")]
    engine.register_static_module("activities", learning::activities_module().into());
    #[cfg(feature = "drill")]
    engine.register_static_module("drills", directing::drills_module().into());
}

fn register_values(engine: &mut Engine) {
    engine
        .register_type_with_name::<Denied>("denial")
        .register_get("kind", |denied: &mut Denied| denied.kind())
        .register_get("message", |denied: &mut Denied| denied.0.to_string())
        .register_fn("to_string", |denied: &mut Denied| denied.0.to_string())
        .register_fn("to_debug", |denied: &mut Denied| denied.0.to_string());
    engine
        .register_type_with_name::<Words>("words")
        .register_fn("words", |zh_cn: &str, en: &str| Words::new(zh_cn, en))
        .register_get("zh_cn", |words: &mut Words| words.zh_cn.clone())
        .register_get("en", |words: &mut Words| words.en.clone())
        .register_fn("to_string", |words: &mut Words| format!("{} / {}", words.zh_cn, words.en));
    engine.register_type_with_name::<Choice>("choice").register_fn(
        "choice",
        |index: i64| -> Thrown<Choice> {
            let index = u16::try_from(index).map_err(|_| invalid(format!("there is no choice {index}")))?;
            Ok(Choice(index))
        },
    );
    engine
        .register_type_with_name::<Found>("point")
        .register_get("point", |found: &mut Found| i64::from(found.0.point))
        .register_get("path", |found: &mut Found| found.0.path.clone())
        .register_get("kind", |found: &mut Found| found.0.kind.clone())
        .register_get("names", |found: &mut Found| found.0.names.clone())
        .register_get("place", |found: &mut Found| found.0.place.clone())
        .register_get("resolution", |found: &mut Found| found.0.resolution.map_or(Dynamic::UNIT, Into::into))
        .register_get("period_s", |found: &mut Found| found.0.period_s)
        .register_get("accumulates", |found: &mut Found| found.0.accumulates)
        .register_get("rollover", |found: &mut Found| found.0.rollover.map_or(Dynamic::UNIT, Into::into))
        .register_get("commandable", |found: &mut Found| found.0.commandable)
        .register_get("shape", |found: &mut Found| match found.0.shape {
            Shape::Number(_) => "number",
            Shape::Boolean => "boolean",
            Shape::Choice(_) => "choice",
            Shape::Text => "text",
        })
        .register_get("unit", |found: &mut Found| match &found.0.shape {
            Shape::Number(unit) => unit.clone(),
            _ => String::new(),
        })
        .register_get("choices", |found: &mut Found| match &found.0.shape {
            Shape::Choice(choices) => choices.iter().cloned().map(Dynamic::from).collect(),
            _ => Array::new(),
        });
    engine.register_fn("panic", |why: &str| -> Thrown { Err(panic(why)) });
}

fn log_module() -> Module {
    let mut module = Module::new();
    for (name, level) in
        [("debug", Level::Debug), ("info", Level::Info), ("warn", Level::Warn), ("error", Level::Error)]
    {
        placed!(module, name, |line: &str| -> Thrown {
            log::write(level, line);
            Ok(())
        });
    }
    module
}

fn clock_module() -> Module {
    let mut module = Module::new();
    for (name, length) in
        [("SECOND", clock::SECOND), ("MINUTE", clock::MINUTE), ("HOUR", clock::HOUR), ("DAY", clock::DAY)]
    {
        module.set_var(name, length);
    }
    module.set_native_fn("now", || Ok(clock::now()));
    module.set_native_fn("local", |at: i64| {
        let local = clock::local(at);
        Ok(map([
            ("year", i64::from(local.year).into()),
            ("month", i64::from(local.month).into()),
            ("day", i64::from(local.day).into()),
            ("weekday", i64::from(local.weekday).into()),
            ("hour", i64::from(local.hour).into()),
            ("minute", i64::from(local.minute).into()),
            ("second", i64::from(local.second).into()),
            ("offset_s", i64::from(local.offset_s).into()),
        ]))
    });
    module
}

fn points_module(paths: Paths) -> Module {
    fn derived(given: &Dynamic) -> Thrown<Derived> {
        let mut fields = Fields::of("derived value", given)?;
        let derived = Derived {
            id: fields.must("id", text)?,
            entity: fields.may("entity", text)?.unwrap_or_default(),
            value: fields.must("value", value)?,
            quality: fields
                .may("quality", |given| quality(&text(given)?))?
                .unwrap_or(campanile_plugin::Quality::Good),
        };
        fields.end()?;
        Ok(derived)
    }

    let mut module = Module::new();
    let note = move |info: Info| {
        paths.note(info.point, &info.path.as_str().into());
        Found(Rc::new(info))
    };
    let noted = note.clone();
    placed!(module, "find", |glob: &str| -> Thrown<Array> {
        let found = points::find(glob).map_err(denied)?;
        Ok(found.into_iter().map(|info| Dynamic::from(note(info))).collect())
    });
    placed!(module, "by_path", |path: &str| -> Thrown<Found> {
        points::by_path(path).map(&noted).map_err(denied)
    });
    placed!(module, "read", |given: Array| -> Thrown<Array> {
        let read = points::read(&list(&given, point)?).map_err(denied)?;
        let sample = |sample| Dynamic::from(Reading::alone(sample));
        Ok(read.into_iter().map(|read| read.map_or(Dynamic::UNIT, sample)).collect())
    });
    // One, where there is but one to read.
    placed!(module, "read_one", |given: Dynamic| -> Thrown<Dynamic> {
        let read = points::read(&[point(&given)?]).map_err(denied)?;
        Ok(read.into_iter().flatten().next().map_or(Dynamic::UNIT, |s| Dynamic::from(Reading::alone(s))))
    });
    placed!(module, "publish", |given: Array| -> Thrown {
        points::publish(&list(&given, derived)?).map_err(denied)
    });
    placed!(module, "publish", |id: &str, given: Dynamic| -> Thrown {
        points::publish(&[Derived::good(id, value(&given)?)]).map_err(denied)
    });
    placed!(module, "publish", |id: &str, entity: &str, given: Dynamic| -> Thrown {
        points::publish(&[Derived::for_entity(id, entity, value(&given)?)]).map_err(denied)
    });
    module
}

fn store_module() -> Module {
    let mut module = Module::new();
    placed!(module, "get", |key: &str| -> Thrown<Dynamic> {
        match store::get(key).map_err(denied)? {
            Some(bytes) => json::read(&bytes),
            None => Ok(Dynamic::UNIT),
        }
    });
    placed!(module, "set", |key: &str, given: Dynamic| -> Thrown {
        store::set(key, json::written(&given)?.as_bytes()).map_err(denied)
    });
    placed!(module, "delete", |key: &str| -> Thrown { store::delete(key).map_err(denied) });
    placed!(module, "keys", |prefix: &str| -> Thrown<Array> {
        Ok(store::keys(prefix).map_err(denied)?.into_iter().map(Dynamic::from).collect())
    });
    module
}

/// What was, what feeds what, and what is to be kept for years.
#[cfg(any(feature = "rule", feature = "activity"))]
mod keeping {
    use campanile_plugin::{
        history,
        networks::{self, NetworkKind},
        records,
    };

    use super::*;
    use crate::values::whole;

    pub fn history_module() -> Module {
        let mut module = Module::new();
        placed!(module, "range", |of: Dynamic, start: i64, end: i64, limit: i64| -> Thrown<Array> {
            let limit = whole(&limit.into())?;
            let found = history::range(point(&of)?, start, end, limit).map_err(denied)?;
            Ok(found.into_iter().map(|sample| Dynamic::from(Reading::alone(sample))).collect())
        });
        placed!(module, "buckets", |of: Dynamic, start: i64, end: i64, width_s: Dynamic| -> Thrown<Array> {
            let width_s = crate::values::real(&width_s)?;
            let found = history::buckets(point(&of)?, start, end, width_s).map_err(denied)?;
            let bucket = |bucket: history::Bucket| {
                map([
                    ("start", bucket.start.into()),
                    ("count", i64::try_from(bucket.count).unwrap_or(i64::MAX).into()),
                    ("min", bucket.min.into()),
                    ("mean", bucket.mean.into()),
                    ("max", bucket.max.into()),
                    ("sum", bucket.sum.into()),
                ])
            };
            Ok(found.into_iter().map(bucket).collect())
        });
        module
    }

    pub fn networks_module() -> Module {
        let mut module = Module::new();
        placed!(module, "nodes", |kind: &str| -> Thrown<Array> {
            let kind = match kind {
                "electricity" => NetworkKind::Electricity,
                "water" => NetworkKind::Water,
                "drain" => NetworkKind::Drain,
                "ventilation" => NetworkKind::Ventilation,
                "gas" => NetworkKind::Gas,
                "heat" => NetworkKind::Heat,
                _ => {
                    return Err(invalid(format!(
                        "there is no network \"{kind}\": electricity, water, drain, ventilation, gas or heat"
                    )));
                }
            };
            let node = |node: networks::Node| {
                map([
                    ("path", node.path.into()),
                    ("names", Dynamic::from(node.names)),
                    ("parent", node.parent.map_or(Dynamic::UNIT, |parent| i64::from(parent).into())),
                    (
                        "meters",
                        node.meters
                            .into_iter()
                            .map(|p| Dynamic::from(i64::from(p)))
                            .collect::<Array>()
                            .into(),
                    ),
                    ("serves", node.serves.into_iter().map(Dynamic::from).collect::<Array>().into()),
                ])
            };
            Ok(networks::nodes(kind).map_err(denied)?.into_iter().map(node).collect())
        });
        module
    }

    pub fn records_module() -> Module {
        let mut module = Module::new();
        placed!(module, "append", |kind: &str, body: Dynamic| -> Thrown {
            records::append(kind, &json::written(&body)?).map_err(denied)
        });
        placed!(module, "newest", |kind: &str, limit: i64| -> Thrown<Array> {
            let kept = records::newest(kind, whole(&limit.into())?).map_err(denied)?;
            kept.into_iter()
                .map(|kept| {
                    let body = json::read(kept.body.as_bytes())?;
                    Ok(map([("time", kept.time.into()), ("body", body)]))
                })
                .collect()
        });
        module
    }
}

/// Commands and alarms.
#[cfg(feature = "rule")]
mod acting {
    use campanile_plugin::{
        alarms,
        commands::{self, Command},
    };

    use super::*;
    use crate::values::{real, whole, words};

    fn command(given: &Dynamic) -> Thrown<Command> {
        let mut fields = Fields::of("command", given)?;
        let mut command = Command::new(
            fields.must("point", point)?,
            fields.must("value", value)?,
            fields.must("reason", text)?,
        );
        if let Some(priority) = fields.may("priority", whole)? {
            command = command.priority(priority);
        }
        if let Some(expires_s) = fields.may("expires_s", real)? {
            command = command.expires_s(expires_s);
        }
        fields.end()?;
        Ok(command)
    }

    pub fn commands_module() -> Module {
        let mut module = Module::new();
        placed!(module, "write", |given: Array| -> Thrown<Array> {
            let answers = commands::write(&list(&given, command)?);
            let answer = |answer: Result<(), _>| {
                answer.map_or_else(|denial| Dynamic::from(Denied(denial)), |()| Dynamic::UNIT)
            };
            Ok(answers.into_iter().map(answer).collect())
        });
        placed!(module, "one", |given: Dynamic| -> Thrown {
            commands::one(command(&given)?).map_err(denied)
        });
        placed!(module, "hold", |every_s: Dynamic, given: Dynamic| -> Thrown {
            commands::hold(real(&every_s)?, command(&given)?).map_err(denied)
        });
        placed!(module, "relinquish", |given: Array| -> Thrown {
            commands::relinquish(&list(&given, point)?).map_err(denied)
        });
        placed!(module, "holds", |of: Dynamic| -> Thrown<Dynamic> {
            let Some(held) = commands::holds(point(&of)?).map_err(denied)? else { return Ok(Dynamic::UNIT) };
            Ok(map([
                ("value", crate::values::dynamic(&held.value)),
                ("priority", held.priority.map_or(Dynamic::UNIT, |slot| i64::from(slot).into())),
                ("mine", held.mine.into()),
            ]))
        });
        module
    }

    pub fn alarms_module() -> Module {
        let mut module = Module::new();
        placed!(module, "raise", |id: &str, entity: &str, detail: Dynamic| -> Thrown {
            alarms::raise(id, entity, &words(&detail)?).map_err(denied)
        });
        placed!(module, "clear", |id: &str, entity: &str| -> Thrown {
            alarms::clear(id, entity).map_err(denied)
        });
        module
    }
}

/// What an activity has beside.
#[cfg(feature = "activity")]
mod learning {
    use campanile_plugin::activities::{self, Change, Mission};

    use super::*;
    use crate::values::{real, whole, words};

    fn mission(given: &Dynamic) -> Thrown<Mission> {
        let mut fields = Fields::of("mission", given)?;
        let mission = Mission {
            id: fields.must("id", text)?,
            names: fields.must("names", words)?,
            task: fields.must("task", words)?,
            points: fields.must("points", whole)?,
        };
        fields.end()?;
        Ok(mission)
    }

    fn change(given: &Dynamic) -> Thrown<Change> {
        let mut fields = Fields::of("change", given)?;
        let change = Change {
            glob: fields.must("glob", text)?,
            value: fields.must("value", real)?,
            from_h: fields.may("from_h", real)?.unwrap_or(0.0),
            to_h: fields.may("to_h", real)?.unwrap_or(24.0),
        };
        fields.end()?;
        Ok(change)
    }

    pub fn activities_module() -> Module {
        let mut module = Module::new();
        placed!(module, "offer", |missions: Array| -> Thrown {
            activities::offer(&list(&missions, mission)?).map_err(denied)
        });
        placed!(module, "award", |mission: &str, person: &str, points: i64| -> Thrown {
            activities::award(mission, person, whole(&points.into())?).map_err(denied)
        });
        placed!(module, "propose", |id: &str, names: Words, changes: Array, days: i64| -> Thrown {
            activities::propose(id, &names, &list(&changes, change)?, whole(&days.into())?).map_err(denied)
        });
        placed!(module, "league", || -> Thrown<Array> {
            let league = activities::league().map_err(denied)?;
            let standing = |standing: activities::Standing| {
                map([("group", standing.group.into()), ("points", i64::from(standing.points).into())])
            };
            Ok(league.into_iter().map(standing).collect())
        });
        module
    }
}

/// What the director of a drill has beside.
#[cfg(feature = "drill")]
mod directing {
    use campanile_plugin::drills::{self, Stage};

    use super::*;
    use crate::values::words;

    pub fn drills_module() -> Module {
        let mut module = Module::new();
        placed!(module, "now", || -> Thrown<Dynamic> {
            let now = drills::now().map_err(denied)?;
            Ok(map([
                ("at_s", now.at_s.into()),
                ("rain_hour_mm", now.rain_hour_mm.into()),
                ("rain_six_hours_mm", now.rain_six_hours_mm.into()),
                ("river_m", now.river_m.map_or(Dynamic::UNIT, Into::into)),
                ("warned", now.warned.map_or(Dynamic::UNIT, Into::into)),
            ]))
        });
        placed!(module, "depth", |glob: &str| -> Thrown<f64> { drills::depth(glob).map_err(denied) });
        placed!(module, "tell", |from: Words, message: Words| -> Thrown {
            drills::tell(&from, &message).map_err(denied)
        });
        placed!(module, "progress", |action: &str| -> Thrown<&'static str> {
            Ok(match drills::progress(action).map_err(denied)? {
                Stage::NotBegun => "not-begun",
                Stage::Begun => "begun",
                Stage::Done => "done",
            })
        });
        placed!(module, "begin", |action: &str| -> Thrown { drills::begin(action).map_err(denied) });
        placed!(module, "ask", |id: &str, question: Words, answers: Array| -> Thrown {
            drills::ask(id, &question, &list(&answers, words)?).map_err(denied)
        });
        module
    }
}
