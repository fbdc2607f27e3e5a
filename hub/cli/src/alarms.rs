//! `campanile alarms`: the alarms of a campus as a table of their own, out and in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use campanile_model::{AlarmCondition, AlarmRule, Campus, Point, Quality, Value, ValueTest};
use clap::{Args, Subcommand};
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

use crate::CampusDir;
use crate::failure::Failure;

#[derive(Subcommand)]
pub enum AlarmsCommand {
    /// Print every alarm of every point as TOML: the list that people go through to rationalise alarms.
    #[command(after_help = "Example:\n  campanile alarms export --campus DIR > alarms.toml")]
    Export(ExportArgs),
    /// Take alarms from such a list into campus.toml: those of the same point and id are replaced.
    #[command(after_help = "Example:\n  campanile alarms import alarms.toml --campus DIR\n\n\
        The campus is checked with them first; where it would not be in order, nothing is written.")]
    Import(ImportArgs),
}

#[derive(Args)]
pub struct ExportArgs {
    #[command(flatten)]
    campus: CampusDir,
    /// Only those of points whose path matches.
    #[arg(long, value_name = "GLOB")]
    points: Option<String>,
}

#[derive(Args)]
pub struct ImportArgs {
    /// The list: `[[alarm]]` tables as in campus.toml.
    file: PathBuf,
    /// The folder with campus.toml, which is changed.
    #[arg(long, value_name = "DIR")]
    campus: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(command: AlarmsCommand) -> Result<ExitCode, Failure> {
    match command {
        AlarmsCommand::Export(args) => export(&args),
        AlarmsCommand::Import(args) => import(&args),
    }
}

fn export(args: &ExportArgs) -> Result<ExitCode, Failure> {
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    let glob = args.points.as_deref().map(campanile_model::Glob::new).transpose();
    let glob = glob.map_err(|why| Failure::input(format!("--points: {why}")))?;
    let mut tables = ArrayOfTables::new();
    for point in &campus.points {
        if glob.as_ref().is_some_and(|g| !g.matches(point.path.as_str())) {
            continue;
        }
        point.alarms.iter().for_each(|alarm| tables.push(table(&campus, point, alarm)));
    }
    let mut doc = DocumentMut::new();
    doc.insert("alarm", Item::ArrayOfTables(tables));
    print!("{doc}");
    Ok(ExitCode::SUCCESS)
}

fn table(campus: &Campus, point: &Point, alarm: &AlarmRule) -> Table {
    let mut table = Table::new();
    table["points"] = value(point.path.as_str());
    table["id"] = value(alarm.id.as_str());
    table["zh-CN"] = value(alarm.names.zh.as_str());
    table["en"] = value(alarm.names.en.as_str());
    table["priority"] = value(match alarm.priority {
        campanile_model::AlarmPriority::Critical => "critical",
        campanile_model::AlarmPriority::High => "high",
        campanile_model::AlarmPriority::Medium => "medium",
        campanile_model::AlarmPriority::Low => "low",
    });
    table["when"] = value(when(point, &alarm.condition));
    for (key, number) in
        [("deadband", alarm.deadband), ("on_delay_s", alarm.on_delay_s), ("off_delay_s", alarm.off_delay_s)]
    {
        if number != 0.0 {
            table[key] = value(number);
        }
    }
    if let Some(suppress) = &alarm.suppress {
        let mut when = InlineTable::new();
        when.insert("point", suppress.when.point.as_str().into());
        match &suppress.when.test {
            ValueTest::Above(x) => drop(when.insert("above", (*x).into())),
            ValueTest::Below(x) => drop(when.insert("below", (*x).into())),
            ValueTest::Is(is) => {
                let other = campus.point_id(suppress.when.point.as_str()).and_then(|id| campus.get_point(id));
                drop(when.insert("is", scalar(other.unwrap_or(point), is)));
            }
        }
        let mut inline = InlineTable::new();
        inline.insert("when", when.into());
        if suppress.hold_s != 0.0 {
            inline.insert("hold_s", suppress.hold_s.into());
        }
        table["suppress"] = value(inline);
    }
    table
}

fn when(point: &Point, condition: &AlarmCondition) -> InlineTable {
    let mut when = InlineTable::new();
    let pair = |a: (&str, toml_edit::Value), b: (&str, toml_edit::Value)| {
        let mut inner = InlineTable::new();
        inner.insert(a.0, a.1);
        inner.insert(b.0, b.1);
        inner.into()
    };
    let (key, body): (_, toml_edit::Value) = match condition {
        AlarmCondition::High { limit } => ("above", (*limit).into()),
        AlarmCondition::Low { limit } => ("below", (*limit).into()),
        AlarmCondition::Is { value } => ("is", scalar(point, value)),
        AlarmCondition::Deviation { from, limit } => {
            ("off", pair(("point", from.leaf().into()), ("by", (*limit).into())))
        }
        AlarmCondition::Stale => ("stale", true.into()),
        AlarmCondition::Rises(c) => ("rises", pair(("by", c.by.into()), ("within_s", c.within_s.into()))),
        AlarmCondition::Falls(c) => ("falls", pair(("by", c.by.into()), ("within_s", c.within_s.into()))),
        AlarmCondition::Quality { worst } => {
            ("quality", if *worst == Quality::Bad { "bad" } else { "uncertain" }.into())
        }
    };
    when.insert(key, body);
    when
}

/// A value as campus.toml writes it: a choice by its id.
fn scalar(point: &Point, value: &Value) -> toml_edit::Value {
    match value {
        Value::Number(x) => (*x).into(),
        Value::Bool(b) => (*b).into(),
        Value::Choice(c) => point.choices.get(usize::from(*c)).map_or("", |c| c.id.as_str()).into(),
        Value::Text(text) => (&**text).into(),
    }
}

fn import(args: &ImportArgs) -> Result<ExitCode, Failure> {
    const LIST: &str = "name a list as `campanile alarms export > FILE` writes it";
    let read = |path: &std::path::Path, mend: &str| {
        std::fs::read_to_string(path)
            .map_err(|why| Failure::input(format!("can't read {}: {why}", path.display())).mend(mend))
    };
    let parse = |path: &std::path::Path, text: &str, mend: &str| {
        text.trim_start_matches('\u{feff}')
            .parse::<DocumentMut>()
            .map_err(|why| Failure::input(format!("{}: {why}", path.display())).mend(mend))
    };
    let path = args.campus.join("campus.toml");
    let before = read(&path, "name the folder with campus.toml with --campus DIR")?;
    let mut doc = parse(&path, &before, "mend what `campanile check` says of it")?;
    let list = parse(&args.file, &read(&args.file, LIST)?, LIST)?;
    let no_alarms = || {
        Failure::input(format!("{}: it has no [[alarm]]", args.file.display()))
            .mend("write the list as `campanile alarms export` does")
    };
    if let Some((key, _)) = list.iter().find(|(key, _)| *key != "alarm") {
        return Err(Failure::input(format!(
            "{}: '{key}' does not belong into a list of alarms",
            args.file.display()
        ))
        .mend("keep only [[alarm]] tables"));
    }
    let new = list.get("alarm").and_then(Item::as_array_of_tables).ok_or_else(no_alarms)?;
    let alarms = doc.entry("alarm").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let alarms = alarms
        .as_array_of_tables_mut()
        .ok_or_else(|| Failure::input(format!("{}: 'alarm' is no array of tables", path.display())))?;
    let name = |t: &Table| {
        let text = |key: &str| t.get(key).map(|i| i.to_string().trim().to_owned()).unwrap_or_default();
        (text("points"), text("id"))
    };
    let plain = |t: &Table| {
        let mut lines: Vec<String> = t.iter().map(|(k, v)| format!("{k}={}", v.to_string().trim())).collect();
        lines.sort();
        lines
    };
    // What a point has from its kind need not be written again.
    let campus = crate::campus::open(&args.campus)?;
    let in_force: BTreeMap<(String, String), Vec<String>> = campus
        .points
        .iter()
        .flat_map(|point| point.alarms.iter().map(move |alarm| (point, alarm)))
        .map(|(point, alarm)| {
            // As text and back, so that both are written alike.
            let made = table(&campus, point, alarm).to_string().parse::<DocumentMut>().unwrap_or_default();
            (name(made.as_table()), plain(made.as_table()))
        })
        .collect();
    let (mut added, mut replaced, mut same) = (0, 0, 0);
    for table in new {
        if in_force.get(&name(table)) == Some(&plain(table)) {
            same += 1;
            continue;
        }
        let place = alarms.iter().position(|old| name(old) == name(table));
        match place.and_then(|at| alarms.get_mut(at)) {
            Some(old) => {
                let place = old.decor().clone();
                *old = table.clone();
                *old.decor_mut() = place;
                replaced += 1;
            }
            None => {
                let mut table = table.clone();
                // Behind all that is there.
                table.set_position(None);
                alarms.push(table);
                added += 1;
            }
        }
    }
    let after = doc.to_string();
    let errors = crate::campus::errors_with(&args.campus, &after)?;
    if !errors.is_empty() {
        crate::campus::print_problems(&errors);
        return Err(Failure::input(format!(
            "with these alarms the campus would not be in order: {} errors",
            errors.len()
        ))
        .mend("mend the list; nothing was written"));
    }
    println!("{added} alarms added, {replaced} replaced, {same} as they were");
    if args.dry_run || after == before {
        return Ok(ExitCode::SUCCESS);
    }
    crate::campus::replace_file(&path, after.as_bytes())?;
    println!("{} was written; what was there is in campus.toml.bak", path.display());
    Ok(ExitCode::SUCCESS)
}
