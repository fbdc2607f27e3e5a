//! What happened in a scenario, as lines of a text: a snapshot holds them, and what is different is shown by them.

use campanile_model::{Campus, Names, PointId, Quality, Timestamp, Value};
use campanile_plugins::wit;
use campanile_plugins::wit::panels::{Content, FieldKind, Tone};
use campanile_plugins::{Call, Effects, Entered, Grants, LogLevel, Manifest, Outcome, PanelNode};
use jiff::tz::TimeZone;

use crate::run::Happened;
use crate::scenario::json_of;

/// The first line of a snapshot.
pub const SNAPSHOT: &str = "# campanile-plugin-snapshot/1";

/// All that happened, a call a line, and below it what it did.
pub fn told(happened: &[Happened], campus: &Campus, manifest: &Manifest) -> String {
    let teller = Teller::new(campus, manifest);
    let mut out = format!("{SNAPSHOT}\n");
    for one in happened {
        let done = teller.outcome(&one.outcome);
        if !done.is_empty() {
            out += &format!("{} {}\n", teller.moment(one.at), one.called);
            for line in done {
                out += &format!("  {}\n", line.replace('\n', "⏎"));
            }
        }
    }
    out
}

/// Why the plugin was called.
pub fn called(call: &Call, grants: &Grants) -> String {
    match call {
        Call::Samples(samples) => {
            let given = samples.iter().filter(|sample| grants.subscribed(sample.point).is_some());
            format!("samples: {}", given.count())
        }
        Call::Tick => "tick".to_owned(),
        Call::Alarms(alarms) => {
            let given = alarms.iter().filter(|alarm| grants.hears_alarms_of(&alarm.entity));
            let said = given.map(|a| format!("{} {}", a.id, if a.active { "holds" } else { "is over" }));
            format!("alarms: {}", said.collect::<Vec<_>>().join(", "))
        }
        Call::Panel(used) => {
            let fields = used.fields.iter().map(|(field, entered)| {
                let entered = match entered {
                    Entered::Number(x) => x.to_string(),
                    Entered::Text(text) => format!("'{text}'"),
                    Entered::Choice(i) => format!("choice {i}"),
                    Entered::Toggle(on) => on.to_string(),
                };
                format!(" {field} = {entered}")
            });
            format!("panel {}/{} by {}{}", used.panel, used.node, used.person, fields.collect::<String>())
        }
        Call::Trial(outcome) => format!("outcome of {}", outcome.id),
        Call::Decision(decided) => {
            format!("decision {} = {} by {}", decided.id, decided.answer, decided.person)
        }
    }
}

/// Tells what happened on a campus.
pub(crate) struct Teller<'a> {
    campus: &'a Campus,
    manifest: &'a Manifest,
    zone: TimeZone,
}

fn both(names: &Names) -> String {
    format!("{} / {}", names.en, names.zh)
}

fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "",
        Quality::Uncertain => " (uncertain)",
        Quality::Bad => " (bad)",
        Quality::Stale => " (stale)",
    }
}

/// The name of a level.
pub fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

impl<'a> Teller<'a> {
    pub fn new(campus: &'a Campus, manifest: &'a Manifest) -> Self {
        let zone = TimeZone::get(&campus.timezone).unwrap_or(TimeZone::UTC);
        Self { campus, manifest, zone }
    }

    /// The local time of a moment.
    pub fn moment(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_microsecond(at.0) {
            Ok(moment) => self.zone.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            Err(_) => at.0.to_string(),
        }
    }

    fn path(&self, point: PointId) -> &str {
        self.campus.get_point(point).map_or("?", |p| p.path.as_str())
    }

    fn outcome(&self, outcome: &Outcome) -> Vec<String> {
        let mut lines = self.effects(&outcome.effects);
        for line in &outcome.log {
            lines.push(format!("log {}: {}", level_name(line.level), line.text));
        }
        for denied in outcome.trace.iter().flat_map(|trace| &trace.denied) {
            lines.push(format!("denied {}: {}", denied.call, denied.denial));
        }
        lines.extend(outcome.failure.iter().map(|why| format!("failed: {why}")));
        lines.extend(outcome.error.iter().map(|why| format!("error: {why}")));
        lines
    }

    fn effects(&self, effects: &Effects) -> Vec<String> {
        let mut lines = Vec::new();
        for intent in &effects.intents {
            let (path, slot) = (self.path(intent.point), intent.priority.get());
            lines.push(match &intent.value {
                Some(value) => {
                    let until =
                        intent.expires.map(|t| format!(" until {}", self.moment(t))).unwrap_or_default();
                    let value = shown(self.campus, intent.point, value);
                    format!("command {path} = {value}, slot {slot}{until}: {}", intent.reason)
                }
                None => format!("let go {path}, slot {slot}"),
            });
        }
        for change in &effects.alarms {
            let id = self.manifest.alarm.get(usize::from(change.alarm)).map_or("?", |a| a.id.as_str());
            let at = if change.entity.is_empty() { "the campus" } else { &change.entity };
            lines.push(match &change.raised {
                Some(detail) => format!("alarm {id} @ {at} raised: {}", both(detail)),
                None => format!("alarm {id} @ {at} cleared"),
            });
        }
        for (index, entity, value, how) in &effects.derived {
            let id = self.manifest.derived.get(usize::from(*index)).map_or("?", |d| d.id.as_str());
            let of = if entity.is_empty() { String::new() } else { format!(" @ {entity}") };
            let value = value.as_f64().map_or_else(|| "?".to_owned(), |x| x.to_string());
            lines.push(format!("derived {id}{of} = {value}{}", quality(*how)));
        }
        for (index, body) in &effects.records {
            let id = self.manifest.record.get(usize::from(*index)).map_or("?", |r| r.id.as_str());
            lines.push(format!("record {id} {body}"));
        }
        for (key, value) in &effects.store {
            lines.push(match value {
                Some(value) => format!("store {key} = {}", stored(value)),
                None => format!("store forgets {key}"),
            });
        }
        for ((index, person), nodes) in &effects.panels {
            let id = self.manifest.panel.get(usize::from(*index)).map_or("?", |p| p.id.as_str());
            let to = person.as_ref().map(|person| format!(" for {person}")).unwrap_or_default();
            lines.push(format!("panel {id}{to}:"));
            lines.extend(nodes.iter().map(|node| format!("  {}", self.node(node))));
        }
        lines.extend(self.people(effects));
        lines
    }

    /// What goes to learners and trainees.
    fn people(&self, effects: &Effects) -> Vec<String> {
        let mut lines = Vec::new();
        for mission in effects.missions.iter().flat_map(|missions| missions.iter()) {
            let (id, points) = (&mission.id, mission.points);
            lines.push(format!(
                "mission {id}, {points} points: {}: {}",
                both(&mission.names),
                both(&mission.task)
            ));
        }
        for award in &effects.awards {
            lines.push(format!("award {} to {}: {} points", award.mission, award.person, award.points));
        }
        for proposal in &effects.proposals {
            let changes = proposal
                .changes
                .iter()
                .map(|c| format!(" {} = {} from {} h to {} h", c.glob, c.value, c.from_h, c.to_h));
            let (id, days) = (&proposal.id, proposal.days);
            let changes: String = changes.collect();
            lines.push(format!("proposal {id}, {days} days, {}:{changes}", both(&proposal.names)));
        }
        for told in &effects.told {
            lines.push(format!("told by {}: {}", both(&told.from), both(&told.message)));
        }
        lines.extend(effects.begun.iter().map(|action| format!("begun {action}")));
        for question in &effects.asked {
            let answers: Vec<String> = question.answers.iter().map(both).collect();
            let (id, answers) = (&question.id, answers.join(" | "));
            lines.push(format!("asked {id}: {}: {answers}", both(&question.question)));
        }
        lines
    }

    fn node(&self, node: &PanelNode) -> String {
        let text = node_text(node);
        let parent = node.parent.map(|parent| format!(" in {parent}")).unwrap_or_default();
        format!("{}{parent}: {text}", node.id)
    }
}

/// A value of a point: a choice by its id.
pub(crate) fn shown(campus: &Campus, point: PointId, value: &Value) -> String {
    match value {
        // Whole numbers without a fraction, as people write them.
        Value::Number(x) => x.to_string(),
        other => json_of(campus, point, other).to_string(),
    }
}

/// The beginning of what is stored, where it is a text; else how long it is and what it hashes to.
fn stored(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if text.len() <= 200 && !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("{} bytes, {}", value.len(), &blake3::hash(value).to_hex()[..16]),
    }
}

/// A node of a panel in words: what it is, and all that stands on it in both languages.
pub fn node_text(node: &PanelNode) -> String {
    match &node.content {
        Content::Column => "column".to_owned(),
        Content::Row => "row".to_owned(),
        Content::Text((words, tone)) => format!("text{}: {}", tone_name(*tone), said(words)),
        Content::Value(point) => format!("value of the point with the handle {point}"),
        Content::Gauge((words, value, low, high, unit)) => {
            format!("gauge: {} = {value} {unit}, {low} to {high}", said(words))
        }
        Content::Chart((lines, unit)) => {
            let line = |line: &wit::panels::Line| {
                let last = line.dots.last().map(|(_, y)| format!(", the last {y}")).unwrap_or_default();
                format!("{}: {} dots{last}", said(&line.names), line.dots.len())
            };
            format!("chart [{unit}]: {}", joined(lines, line))
        }
        Content::Table((head, rows)) => {
            let row = |row: &Vec<wit::types::Words>| format!("({})", joined(row, said));
            format!("table: {} {}", row(head), rows.iter().map(row).collect::<Vec<_>>().join(" "))
        }
        Content::Form((fields, words)) => format!("form: {}; {}", joined(fields, field), said(words)),
        Content::Button((words, tone)) => format!("button{}: {}", tone_name(*tone), said(words)),
        Content::MapLayer(marks) => {
            let mark = |(path, tone, words): &(String, Tone, wit::types::Words)| {
                format!("{path}{}: {}", tone_name(*tone), said(words))
            };
            format!("map: {}", joined(marks, mark))
        }
        Content::Quiz((question, answers)) => {
            format!("quiz: {}: {}", said(question), joined(answers, said))
        }
    }
}

fn joined<T>(all: &[T], one: impl Fn(&T) -> String) -> String {
    all.iter().map(one).collect::<Vec<_>>().join(" | ")
}

fn said(words: &wit::types::Words) -> String {
    format!("{} / {}", words.en, words.zh_cn)
}

fn field(field: &wit::panels::Field) -> String {
    let kind = match &field.kind {
        FieldKind::Number((low, high, first)) => format!("number {low} to {high}, first {first}"),
        FieldKind::Text(most) => format!("text of at most {most} bytes"),
        FieldKind::Choice(choices) => format!("one of {}", joined(choices, said)),
        FieldKind::Toggle(first) => format!("yes or no, first {first}"),
    };
    format!("{} ({}): {kind}", field.id, said(&field.names))
}

fn tone_name(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Accent => " [accent]",
        Tone::Good => " [good]",
        Tone::Caution => " [caution]",
        Tone::Danger => " [danger]",
    }
}
