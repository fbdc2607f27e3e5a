//! Kinds of point: checks, and points made from them.

use crate::problem::Report;
use crate::suggest::did_you_mean;
use crate::tables;
use crate::{
    Accumulation, AccumulationSpec, AlarmCondition, AlarmRule, AlarmSpec, CampusFile, Change, Choice,
    CommandSpec, CommandSpecFile, KindSpec, Names, Path, Point, PointId, PointKind, PointTable, PointUse,
    Priority, Quality, QualitySpec, ScalarSpec, Value, ValueType, WhenSpec,
};

/// Both names of a table, or a report that one is missing.
pub(crate) fn both_names(
    zh: &Option<String>,
    en: &Option<String>,
    at: &str,
    report: &mut Report,
) -> Option<Names> {
    match (zh.as_deref().map(str::trim), en.as_deref().map(str::trim)) {
        (Some(zh), Some(en)) if !zh.is_empty() && !en.is_empty() => Some(Names::new(zh, en)),
        (zh, _) => {
            let missing = if zh.is_none_or(str::is_empty) { "zh-CN" } else { "en" };
            report.campus(
                "missing-translation",
                at,
                format!("the name in {missing} is missing"),
                format!("Add {missing} = \"…\": everything has a name in both languages."),
            );
            None
        }
    }
}

/// Checks a Brick class, if one is given.
pub(crate) fn check_brick(class: &Option<String>, at: &str, report: &mut Report) {
    if let Some(class) = class.as_deref().filter(|c| !c.is_empty() && !tables::is_brick_class(c)) {
        report.campus(
            "unknown-brick",
            at,
            format!("'{class}' is no class of Brick 1.4"),
            did_you_mean(class.trim_start_matches("brick:"), tables::brick_classes().iter().copied()),
        );
    }
}

pub(crate) fn check_submeter(code: &Option<String>, at: &str, report: &mut Report) {
    if let Some((code, fault)) = code.as_deref().and_then(|c| Some((c, tables::submeter_fault(c)?))) {
        report.campus(
            "submeter-code",
            at,
            format!("'{code}' is no sub-metering code: {fault}"),
            "Correct the code.",
        );
    }
}

fn check_range(range: Option<[f64; 2]>, at: &str, report: &mut Report) {
    if let Some([low, high]) = range.filter(|[low, high]| low >= high) {
        report.campus(
            "range-reversed",
            at,
            format!("the range from {low} to {high} is empty"),
            format!("Give the lower number first, such as [{high}, {low}]."),
        );
    }
}

fn check_period(period_s: f64, at: &str, report: &mut Report) {
    if period_s <= 0.0 {
        report.campus(
            "period",
            at,
            format!("a period of {period_s} s isn't above 0"),
            "Give the seconds between two values.",
        );
    }
}

/// Checks every kind of point by itself.
pub(crate) fn check_kinds(file: &CampusFile, report: &mut Report) {
    for (id, kind) in &file.kind {
        let at = format!("/kind/{}", crate::toml_doc::escape(id));
        if Path::new(id).is_err() || id.contains('/') {
            report.campus("bad-id", &at, format!("'{id}' isn't an id"), crate::entities::id_mend(id));
        }
        both_names(&kind.zh, &kind.en, &at, report);
        check_brick(&kind.brick, &format!("{at}/brick"), report);
        if !tables::is_ucum_unit(&kind.unit) {
            let mend = tables::ucum_for(&kind.unit).map_or_else(
                || "Write it in UCUM, such as 'Cel', 'kW.h', 'm3/h' or '1' for none.".to_owned(),
                |unit| format!("In UCUM it is '{unit}'."),
            );
            report.campus(
                "unknown-unit",
                &format!("{at}/unit"),
                format!("'{}' is no unit of UCUM", kind.unit),
                mend,
            );
        }
        check_range(kind.range, &format!("{at}/range"), report);
        check_period(kind.period_s, &format!("{at}/period_s"), report);
        check_submeter(&kind.submeter, &format!("{at}/submeter"), report);
        if (kind.value == ValueType::Choice) == kind.choices.is_empty()
            || kind.choices.len() > usize::from(u16::MAX)
        {
            report.campus(
                "choices",
                &at,
                "a choice has choices and nothing else has",
                "List choices, or set value = \"choice\".",
            );
        }
        for (i, choice) in kind.choices.iter().enumerate() {
            let at = format!("{at}/choices/{i}");
            both_names(&choice.zh, &choice.en, &at, report);
            if kind.choices[..i].iter().any(|c| c.id == choice.id) {
                report.campus(
                    "duplicate-id",
                    &at,
                    format!("the choice '{}' is listed twice", choice.id),
                    "Leave one of them out.",
                );
            }
        }
        if kind.rollover.is_some()
            && (kind.accumulation != AccumulationSpec::Counter || kind.rollover.is_some_and(|r| r <= 0.0))
        {
            report.campus(
                "rollover",
                &format!("{at}/rollover"),
                "only a counter rolls over, at a number above 0",
                "Set accumulation = \"counter\", or leave rollover out.",
            );
        }
        if let (Some(rollover), Some([_, high])) = (kind.rollover, kind.range)
            && rollover > 0.0
            && rollover < high
        {
            report.campus(
                "rollover",
                &format!("{at}/rollover"),
                format!("the register rolls over at {rollover}, within its range up to {high}"),
                format!("End the range at {rollover}, or give the number at which the register begins anew."),
            );
        }
        if kind.resolution.is_some_and(|r| !(r > 0.0 && r.is_finite())) {
            report.campus(
                "resolution",
                &format!("{at}/resolution"),
                "a resolution is the smallest step of a value, above 0",
                "Give the step, such as 0.1, or leave it out.",
            );
        }
        check_command(kind, kind.command.as_ref(), &at, report);
        for (i, alarm) in kind.alarm.iter().enumerate() {
            check_alarm(alarm, kind, &format!("{at}/alarm/{i}"), report);
        }
    }
}

fn check_command(kind: &KindSpec, command: Option<&CommandSpecFile>, at: &str, report: &mut Report) {
    let commandable = matches!(kind.kind, PointKind::Setpoint | PointKind::Command);
    let Some(command) = command else {
        if commandable {
            report.campus(
                "command-missing",
                at,
                "a setpoint or command says nothing of how it is commanded",
                "Add command = { safe = … }.",
            );
        }
        return;
    };
    let at = format!("{at}/command");
    if !commandable {
        report.campus(
            "command-not-allowed",
            &at,
            "only a setpoint or command can be commanded",
            "Set kind = \"setpoint\" or \"command\", or leave command out.",
        );
    }
    check_range(command.limits, &format!("{at}/limits"), report);
    if let (Some([low, high]), Some([least, most])) = (command.limits, kind.range)
        && (low < least || high > most)
    {
        report.campus(
            "limits-beyond-range",
            &format!("{at}/limits"),
            format!("what may be commanded, {low} to {high}, goes beyond the range {least} to {most}"),
            "Narrow the limits, or widen the range of what the point can be.",
        );
    }
    if command.min_interval_s < 0.0 {
        report.campus(
            "period",
            &format!("{at}/min_interval_s"),
            "an interval can't be negative",
            "Give seconds from 0.",
        );
    }
    if command.weakest_priority.is_some_and(|p| Priority::new(p).is_none()) {
        report.campus(
            "priority",
            &format!("{at}/weakest_priority"),
            "there are slots 1 to 16",
            "Give a number from 1 to 16.",
        );
    }
    match to_value(&command.safe, kind) {
        None => report.campus(
            "value-type",
            &format!("{at}/safe"),
            "the safe value isn't of the point's type",
            value_mend(kind),
        ),
        Some(Value::Number(x)) => {
            if let Some([low, high]) =
                command.limits.or(kind.range).filter(|[low, high]| low < high && !(*low..=*high).contains(&x))
            {
                report.campus(
                    "safe-out-of-limits",
                    &format!("{at}/safe"),
                    format!("the safe value {x} is out of the limits {low} to {high}"),
                    "Choose a safe value that may be commanded, or widen the limits.",
                );
            }
        }
        Some(_) => {}
    }
}

pub(crate) fn value_mend(kind: &KindSpec) -> String {
    match kind.value {
        ValueType::Number => "Write a number.".to_owned(),
        ValueType::Bool => "Write true or false.".to_owned(),
        ValueType::Text => "Write a text.".to_owned(),
        ValueType::Choice => {
            format!(
                "Write one of the choices: {}.",
                kind.choices.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

pub(crate) fn to_value(scalar: &ScalarSpec, kind: &KindSpec) -> Option<Value> {
    Some(match (scalar, kind.value) {
        (ScalarSpec::Bool(b), ValueType::Bool) => Value::Bool(*b),
        (ScalarSpec::Number(x), ValueType::Number) if x.is_finite() => Value::Number(*x),
        (ScalarSpec::Text(text), ValueType::Text) if text.len() <= Value::MAX_TEXT => {
            Value::Text(text.as_str().into())
        }
        (ScalarSpec::Text(text), ValueType::Choice) => {
            Value::Choice(u16::try_from(kind.choices.iter().position(|c| c.id == *text)?).ok()?)
        }
        _ => return None,
    })
}

pub(crate) fn check_alarm(alarm: &AlarmSpec, kind: &KindSpec, at: &str, report: &mut Report) {
    both_names(&alarm.zh, &alarm.en, at, report);
    check_condition(alarm, kind, at, report);
    if alarm.deadband < 0.0 || alarm.on_delay_s < 0.0 || alarm.off_delay_s < 0.0 {
        report.campus("alarm-number", at, "a deadband or delay is negative", "Give numbers from 0.");
    }
    if alarm.suppress.as_ref().is_some_and(|s| s.hold_s < 0.0) {
        report.campus(
            "alarm-number",
            &format!("{at}/suppress"),
            "hold_s is negative",
            "Give a number from 0.",
        );
    }
}

/// Whether a condition suits the type and the range of the point.
pub(crate) fn check_condition(alarm: &AlarmSpec, kind: &KindSpec, at: &str, report: &mut Report) {
    if let (WhenSpec::Above(limit) | WhenSpec::Below(limit), Some([low, high])) = (&alarm.when, kind.range)
        && low < high
        && !(low..=high).contains(limit)
    {
        report.campus(
            "alarm-beyond-range",
            &format!("{at}/when"),
            format!("no value from {low} to {high} goes past {limit}: the alarm is always or never there"),
            "Give a limit within the range, or widen the range.",
        );
    }
    let numeric = kind.value == ValueType::Number;
    let ok = match &alarm.when {
        WhenSpec::Above(_) | WhenSpec::Below(_) | WhenSpec::Off(_) => numeric,
        WhenSpec::Rises(c) | WhenSpec::Falls(c) => {
            if !(c.by > 0.0 && c.within_s > 0.0) {
                report.campus(
                    "alarm-number",
                    &format!("{at}/when"),
                    "a change is by nothing, or within no time",
                    "Give numbers above 0.",
                );
            }
            numeric
        }
        WhenSpec::Quality(_) => true,
        WhenSpec::Is(value) => to_value(value, kind).is_some(),
        WhenSpec::Stale(on) => *on,
    };
    if !ok {
        let mend = if numeric {
            "Use above, below, rises, falls, off, quality or stale = true.".to_owned()
        } else {
            value_mend(kind)
        };
        report.campus(
            "alarm-condition",
            &format!("{at}/when"),
            "the condition doesn't suit the type of the point",
            mend,
        );
    }
}

/// An alarm at a point of an entity; `None` where its condition can't be read.
pub(crate) fn alarm_rule(alarm: &AlarmSpec, kind: &KindSpec, entity: &Path) -> Option<AlarmRule> {
    let condition = match &alarm.when {
        WhenSpec::Above(limit) => AlarmCondition::High { limit: *limit },
        WhenSpec::Below(limit) => AlarmCondition::Low { limit: *limit },
        WhenSpec::Is(value) => AlarmCondition::Is { value: to_value(value, kind)? },
        WhenSpec::Off(other) => {
            AlarmCondition::Deviation { from: entity.join(&other.point).ok()?, limit: other.by }
        }
        WhenSpec::Stale(_) => AlarmCondition::Stale,
        WhenSpec::Rises(c) => AlarmCondition::Rises(Change { by: c.by, within_s: c.within_s }),
        WhenSpec::Falls(c) => AlarmCondition::Falls(Change { by: c.by, within_s: c.within_s }),
        WhenSpec::Quality(worst) => AlarmCondition::Quality {
            worst: match worst {
                QualitySpec::Uncertain => Quality::Uncertain,
                QualitySpec::Bad => Quality::Bad,
            },
        },
    };
    Some(AlarmRule {
        id: alarm.id.clone(),
        names: names_or_id(&alarm.zh, &alarm.en, &alarm.id),
        priority: alarm.priority,
        condition,
        deadband: alarm.deadband,
        on_delay_s: alarm.on_delay_s,
        off_delay_s: alarm.off_delay_s,
        // What it names may be a point that is yet to come: see `Resolver::conditions`.
        suppress: None,
    })
}

fn names_or_id(zh: &Option<String>, en: &Option<String>, id: &str) -> Names {
    Names::new(zh.as_deref().unwrap_or(id), en.as_deref().unwrap_or(id))
}

impl PointUse {
    /// The id of its kind.
    pub fn kind(&self) -> &str {
        match self {
            PointUse::Kind(kind) => kind,
            PointUse::Table(table) => &table.kind,
        }
    }

    /// The id of the point.
    pub fn id(&self) -> &str {
        match self {
            PointUse::Kind(kind) => kind,
            PointUse::Table(table) => table.id.as_deref().unwrap_or(&table.kind),
        }
    }

    fn table(&self) -> Option<&PointTable> {
        match self {
            PointUse::Kind(_) => None,
            PointUse::Table(table) => Some(table),
        }
    }
}

/// Checks a list of points once, wherever it is used.
pub(crate) fn check_uses(uses: &[PointUse], file: &CampusFile, at: &str, report: &mut Report) {
    for (i, one) in uses.iter().enumerate() {
        let at = format!("{at}/{i}");
        let Some(kind) = file.kind.get(one.kind()) else {
            report.campus(
                "unknown-point-kind",
                &at,
                format!("the kind of point '{}' doesn't exist", one.kind()),
                did_you_mean(one.kind(), file.kind.keys().map(String::as_str)),
            );
            continue;
        };
        if one.id().contains('/') || Path::new(one.id()).is_err() {
            report.campus(
                "bad-id",
                &at,
                format!("'{}' isn't an id", one.id()),
                crate::entities::id_mend(one.id()),
            );
        }
        if uses[..i].iter().any(|other| other.id() == one.id()) {
            report.campus(
                "duplicate-id",
                &at,
                format!("the point '{}' is listed twice", one.id()),
                "Give one of them an id of its own.",
            );
        }
        let Some(table) = one.table() else { continue };
        if table.zh.is_some() || table.en.is_some() {
            both_names(&table.zh, &table.en, &at, report);
        }
        check_range(table.range, &format!("{at}/range"), report);
        if let Some(period_s) = table.period_s {
            check_period(period_s, &format!("{at}/period_s"), report);
        }
        check_submeter(&table.submeter, &format!("{at}/submeter"), report);
        if table.command.is_some() {
            check_command(kind, table.command.as_ref(), &at, report);
        }
    }
}

/// A point of an entity; `None` where the list that names it has been reported.
pub(crate) fn make_point(
    one: &PointUse,
    file: &CampusFile,
    entity: usize,
    entity_path: &Path,
) -> Option<Point> {
    let kind = file.kind.get(one.kind())?;
    let path = entity_path.join(one.id()).ok()?;
    let table = one.table();
    let command = match table.and_then(|t| t.command.as_ref()).or(kind.command.as_ref()) {
        Some(spec) => Some(CommandSpec {
            limits: spec.limits,
            min_interval_s: spec.min_interval_s,
            safe: to_value(&spec.safe, kind)?,
            readback: spec.readback.as_deref().and_then(|id| entity_path.join(id).ok()),
            weakest_priority: spec.weakest_priority.and_then(Priority::new),
        }),
        None => None,
    };
    let names = match table {
        Some(PointTable { zh: Some(zh), en: Some(en), .. }) => Names::new(zh, en),
        _ => names_or_id(&kind.zh, &kind.en, one.kind()),
    };
    Some(Point {
        id: PointId(0),
        entity,
        names,
        kind: kind.kind,
        quantity: one.kind().to_owned(),
        value_type: kind.value,
        choices: kind
            .choices
            .iter()
            .map(|c| Choice { id: c.id.clone(), names: names_or_id(&c.zh, &c.en, &c.id) })
            .collect(),
        accumulation: match kind.accumulation {
            AccumulationSpec::Gauge => Accumulation::Gauge,
            AccumulationSpec::Counter => Accumulation::Counter { rollover: kind.rollover },
            AccumulationSpec::Interval => Accumulation::Interval,
        },
        brick: kind.brick.clone().unwrap_or_default(),
        unit: kind.unit.clone(),
        range: table.and_then(|t| t.range).or(kind.range),
        period_s: table.and_then(|t| t.period_s).unwrap_or(kind.period_s),
        resolution: kind.resolution,
        submeter: table.and_then(|t| t.submeter.clone()).or_else(|| kind.submeter.clone()),
        command,
        alarms: kind.alarm.iter().filter_map(|a| alarm_rule(a, kind, entity_path)).collect(),
        interlocks: Vec::new(),
        binding: None,
        path,
    })
}

/// An alarm rule of `[[alarm]]` as an alarm of a kind.
pub(crate) fn as_alarm(rule: &crate::AlarmRuleSpec) -> AlarmSpec {
    AlarmSpec {
        id: rule.id.clone(),
        zh: rule.zh.clone(),
        en: rule.en.clone(),
        priority: rule.priority,
        when: rule.when.clone(),
        deadband: rule.deadband,
        on_delay_s: rule.on_delay_s,
        off_delay_s: rule.off_delay_s,
        suppress: rule.suppress.clone(),
    }
}
