//! What was expected of a scenario, held against what happened.

use campanile_model::{Campus, Glob, Names, Place, Timestamp};
use campanile_plugins::{Effects, LogLevel, LogLine, Manifest, Outcome};
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::run::{Happened, Ran};
use crate::scenario::{AlarmTurn, Expectation, Expected, Scenario, Total, Wanted, json_of};
use crate::told::{Teller, node_text, shown};

/// How many that came close are shown.
const SHOWN: usize = 3;

/// What became of an expectation, or of a rule that every scenario has.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Where it stands in the file.
    pub place: Place,
    /// Whether it came as expected.
    pub kept: bool,
    /// What was expected and what came, in a sentence.
    pub said: Names,
    /// What came close, a line each.
    pub near: Vec<String>,
}

/// Judges a run of a scenario, beside one without the plugin where the scenario compares.
pub fn judge(scenario: &Scenario, manifest: &Manifest, ran: &Ran, without: Option<&Ran>) -> Vec<Verdict> {
    let zone = TimeZone::get(&scenario.campus.timezone).unwrap_or(TimeZone::UTC);
    let judge = Judge { campus: &scenario.campus, manifest, zone };
    let mut totals = ran
        .totals
        .iter()
        .zip(without.map_or(&[][..], |w| &w.totals).iter().map(Some).chain(std::iter::repeat(None)));
    let mut verdicts: Vec<Verdict> = scenario
        .expectations
        .iter()
        .map(|expectation| match &expectation.what {
            Expected::Total(total) => {
                let (with, without) =
                    totals.next().map_or((f64::NAN, None), |(a, b)| (a.value, b.map(|b| b.value)));
                judged(expectation, total, with, without)
            }
            _ => judge.counted(expectation, &ran.happened),
        })
        .collect();
    verdicts.extend(judge.unexpected(scenario, &ran.happened));
    verdicts
}

/// How a call broke off. A panic or an exception has said its words to the log before; a trap has none.
fn broke_off(outcome: &Outcome) -> Option<String> {
    let failure = outcome.failure.as_ref()?.to_string();
    let own = |line: &&LogLine| line.level == LogLevel::Error && !line.text.ends_with(&failure);
    let words = outcome.log.iter().rev().find(own);
    Some(words.map_or_else(|| failure.clone(), |line| format!("{failure}; it said: {}", line.text)))
}

fn judged(expectation: &Expectation, total: &Total, with: f64, without: Option<f64>) -> Verdict {
    let Names { zh, en } = total.of.names();
    let (count, unit) = (total.points.len(), &total.unit);
    let mut kept = true;
    let (mut said_zh, mut said_en) = (
        format!("{count} 个测点的{zh}为 {with:.3} {unit}"),
        format!("{en} of {count} points is {with:.3} {unit}"),
    );
    if let Some([low, high]) = total.is {
        kept &= (low..=high).contains(&with);
        said_zh += &format!("，要求 {low} 至 {high}");
        said_en += &format!(", {low} to {high} is wanted");
    }
    if let (Some([low, high]), Some(without)) = (total.change_pct, without) {
        let change = if with == without { 0.0 } else { (with - without) / without.abs() * 100.0 };
        kept &= (low..=high).contains(&change);
        said_zh +=
            &format!("；没有该插件时为 {without:.3} {unit}，变化 {change:+.2} %，要求 {low} 至 {high} %");
        said_en +=
            &format!("; without the plugin {without:.3} {unit}: {change:+.2} %, {low} to {high} % is wanted");
    }
    Verdict { place: expectation.place.clone(), kept, said: Names::new(said_zh, said_en), near: Vec::new() }
}

struct Judge<'a> {
    campus: &'a Campus,
    manifest: &'a Manifest,
    zone: TimeZone,
}

/// What may be meant by an expectation: whether it fits, and how it is shown.
type Candidate = (bool, Timestamp, String);

impl Judge<'_> {
    fn counted(&self, expectation: &Expectation, happened: &[Happened]) -> Verdict {
        let all: Vec<Candidate> =
            happened.iter().flat_map(|one| self.candidates(&expectation.what, one)).collect();
        let fits = |(fits, at, _): &&Candidate| *fits && expectation.window.has(*at, &self.zone);
        let found = all.iter().filter(fits).count();
        let [least, most] = expectation.count;
        let kept = (least as usize..=most as usize).contains(&found);
        let times = match expectation.count {
            [1, u32::MAX] => Names::new("至少 1 次", "at least once"),
            [0, 0] => Names::new("0 次", "never"),
            [1, 1] => Names::new("1 次", "once"),
            [a, b] if a == b => Names::new(format!("{a} 次"), format!("{a} times")),
            [a, u32::MAX] => Names::new(format!("至少 {a} 次"), format!("at least {a} times")),
            [a, b] => Names::new(format!("{a} 至 {b} 次"), format!("{a} to {b} times")),
        };
        let came = match found {
            0 => "never came".to_owned(),
            1 => "came once".to_owned(),
            n => format!("came {n} times"),
        };
        let what = describe(&expectation.what);
        let said = Names::new(
            format!("要求{}{}，实际 {found} 次", what.zh, times.zh),
            format!("{} is expected {}, and {came}", what.en, times.en),
        );
        // What came, else what came close.
        let shown = all.iter().filter(|candidate| fits(candidate) == (found > 0));
        let near = if kept { Vec::new() } else { self.shown(shown) };
        Verdict { place: expectation.place.clone(), kept, said, near }
    }

    fn shown<'c>(&self, candidates: impl Iterator<Item = &'c Candidate>) -> Vec<String> {
        let teller = Teller::new(self.campus, self.manifest);
        candidates.take(SHOWN).map(|(_, at, text)| format!("{} {text}", teller.moment(*at))).collect()
    }

    /// Calls that broke off or ended with an error, where nothing expects any.
    fn unexpected(&self, scenario: &Scenario, happened: &[Happened]) -> Vec<Verdict> {
        let expects = |fits: fn(&Expected) -> bool| scenario.expectations.iter().any(|e| fits(&e.what));
        let mut verdicts = Vec::new();
        for (expected, zh, en, of) in [
            (
                expects(|e| matches!(e, Expected::Failure(_))),
                "次调用中断",
                "calls broke off",
                broke_off as fn(&Outcome) -> Option<String>,
            ),
            (
                expects(|e| matches!(e, Expected::Error(_))),
                "次调用以错误结束",
                "calls ended with an error",
                |o| o.error.clone(),
            ),
        ] {
            let found: Vec<Candidate> =
                happened.iter().filter_map(|one| Some((true, one.at, of(&one.outcome)?))).collect();
            if !expected && !found.is_empty() {
                let said = Names::new(format!("有 {} {zh}", found.len()), format!("{} {en}", found.len()));
                verdicts.push(Verdict {
                    place: Place::Whole,
                    kept: false,
                    said,
                    near: self.shown(found.iter()),
                });
            }
        }
        verdicts
    }

    fn candidates(&self, what: &Expected, one: &Happened) -> Vec<Candidate> {
        let effects = &one.outcome.effects;
        let found: Vec<(bool, String)> = match what {
            Expected::Command { .. } => self.commands(what, effects),
            Expected::Alarm { .. } => self.alarms(what, effects),
            Expected::Record { kind, fields } => self.records(kind, fields, effects),
            Expected::Derived { id, entity, value } => self.derived(id, entity.as_ref(), value, effects),
            Expected::Log(wanted) => {
                let lines = one.outcome.log.iter();
                lines
                    .map(|line| {
                        let level = wanted.level.is_none_or(|level| line.level >= level);
                        (level && line.text.contains(&wanted.says), line.text.clone())
                    })
                    .collect()
            }
            Expected::Panel(wanted) => {
                let of = |index: &u16| self.manifest.panel.get(usize::from(*index)).map_or("", |p| &*p.id);
                let shown = effects.panels.iter().filter(|((index, _), _)| of(index) == wanted.id);
                shown
                    .map(|((_, to), nodes)| {
                        let person = wanted.person.as_ref().is_none_or(|p| to.as_deref().unwrap_or("") == p);
                        let meant =
                            nodes.iter().filter(|n| wanted.node.as_ref().is_none_or(|id| n.id == *id));
                        let texts: Vec<String> = meant.map(node_text).collect();
                        let says =
                            |text: &String| wanted.says.as_ref().is_none_or(|says| text.contains(says));
                        let plain = wanted.says.is_none() && wanted.node.is_none();
                        let mut shown: String = texts.join(" ¦ ").chars().take(300).collect();
                        if let (true, Some(node)) = (texts.is_empty(), &wanted.node) {
                            let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
                            shown = format!("has no node '{node}'; it has {}", ids.join(", "));
                        }
                        (person && (plain || texts.iter().any(says)), shown)
                    })
                    .collect()
            }
            Expected::Mission(_)
            | Expected::Award(_)
            | Expected::Proposal(_)
            | Expected::Told(_)
            | Expected::Begun(_)
            | Expected::Asked(_) => people(what, effects),
            Expected::Denial(words) => {
                let denied = one.outcome.trace.iter().flat_map(|trace| &trace.denied);
                denied
                    .map(|d| {
                        let text = format!("{}: {}", d.call, d.denial);
                        (text.contains(words), text)
                    })
                    .collect()
            }
            Expected::Failure(words) => {
                let failure = one.outcome.failure.iter().map(ToString::to_string);
                failure.map(|text| (text.contains(words), text)).collect()
            }
            Expected::Error(words) => {
                one.outcome.error.iter().map(|text| (text.contains(words), text.clone())).collect()
            }
            Expected::Total(_) => Vec::new(),
        };
        found.into_iter().map(|(fits, text)| (fits, one.at, text)).collect()
    }

    fn commands(&self, what: &Expected, effects: &Effects) -> Vec<(bool, String)> {
        let Expected::Command { points, value, priority, let_go, reason } = what else { return Vec::new() };
        let path = |intent: &campanile_model::Intent| {
            self.campus.get_point(intent.point).map_or("", |p| p.path.as_str()).to_owned()
        };
        let of = effects.intents.iter().filter(|intent| points.matches(&path(intent)));
        of.map(|intent| {
            let json = intent.value.as_ref().map(|v| json_of(self.campus, intent.point, v));
            let fits = match &json {
                None => *let_go,
                Some(json) => !let_go && value.fits(json),
            };
            let slot = priority.is_none_or(|wanted| wanted == intent.priority);
            let reason = reason.as_ref().is_none_or(|words| intent.reason.contains(words));
            let shown = intent
                .value
                .as_ref()
                .map_or_else(|| "let go".to_owned(), |v| shown(self.campus, intent.point, v));
            let text =
                format!("{} = {shown}, slot {}: {}", path(intent), intent.priority.get(), intent.reason);
            (fits && slot && reason, text)
        })
        .collect()
    }

    fn alarms(&self, what: &Expected, effects: &Effects) -> Vec<(bool, String)> {
        let Expected::Alarm { id, entity, is, says } = what else { return Vec::new() };
        let of = |index: u16| self.manifest.alarm.get(usize::from(index)).map_or("", |a| &*a.id);
        let changes = effects.alarms.iter().filter(|change| of(change.alarm) == id);
        changes
            .map(|change| {
                let place = match entity {
                    None => true,
                    Some(None) => change.entity.is_empty(),
                    Some(Some(glob)) => glob.matches(&change.entity),
                };
                let turn = if change.raised.is_some() { AlarmTurn::Raised } else { AlarmTurn::Cleared };
                let words =
                    change.raised.as_ref().map(|n| format!("{} / {}", n.en, n.zh)).unwrap_or_default();
                let said = says.as_ref().is_none_or(|says| words.contains(says));
                let turned = match turn {
                    AlarmTurn::Raised => format!("raised: {words}"),
                    AlarmTurn::Cleared => "cleared".to_owned(),
                };
                (place && turn == *is && said, format!("{id} @ {} {turned}", change.entity))
            })
            .collect()
    }

    fn records(
        &self,
        kind: &str,
        fields: &std::collections::BTreeMap<String, Wanted>,
        effects: &Effects,
    ) -> Vec<(bool, String)> {
        let of = |index: u16| self.manifest.record.get(usize::from(index)).map_or("", |r| &*r.id);
        let kept = effects.records.iter().filter(|(index, _)| of(*index) == kind);
        kept.map(|(_, body)| {
            let read: Json = serde_json::from_str(body).unwrap_or_default();
            let fits = fields.iter().all(|(name, wanted)| read.get(name).is_some_and(|v| wanted.fits(v)));
            (fits, body.to_string())
        })
        .collect()
    }

    fn derived(
        &self,
        id: &str,
        entity: Option<&Glob>,
        wanted: &Wanted,
        effects: &Effects,
    ) -> Vec<(bool, String)> {
        let of = |index: u16| self.manifest.derived.get(usize::from(index)).map_or("", |d| &*d.id);
        let values = effects.derived.iter().filter(|(index, ..)| of(*index) == id);
        let values = values.filter(|(_, of, ..)| entity.is_none_or(|glob| glob.matches(of)));
        values
            .filter_map(|(_, of, value, _)| {
                let x = value.as_f64()?;
                Some((wanted.fits(&Json::from(x)), format!("{id} {of} = {x}")))
            })
            .collect()
    }
}

fn people(what: &Expected, effects: &Effects) -> Vec<(bool, String)> {
    match what {
        Expected::Mission(id) => {
            let all = effects.missions.iter().flat_map(|missions| missions.iter());
            all.map(|m| (*m.id == **id, m.id.to_string())).collect()
        }
        Expected::Award(wanted) => effects
            .awards
            .iter()
            .map(|a| {
                let person = wanted.person.as_ref().is_none_or(|person| *a.person == **person);
                let points = wanted.points.is_none_or(|points| points == a.points);
                let text = format!("{} to {}: {}", a.mission, a.person, a.points);
                (*a.mission == *wanted.mission && person && points, text)
            })
            .collect(),
        Expected::Proposal(id) => {
            effects.proposals.iter().map(|p| (*p.id == **id, p.id.to_string())).collect()
        }
        Expected::Told(words) => effects
            .told
            .iter()
            .map(|t| (t.message.zh.contains(words) || t.message.en.contains(words), t.message.en.clone()))
            .collect(),
        Expected::Begun(id) => effects.begun.iter().map(|a| (**a == **id, a.to_string())).collect(),
        Expected::Asked(id) => effects.asked.iter().map(|q| (*q.id == **id, q.id.to_string())).collect(),
        _ => Vec::new(),
    }
}

/// What is expected, as the subject of a sentence.
fn describe(what: &Expected) -> Names {
    let wanted = |wanted: &Wanted| match wanted {
        Wanted::Any => String::new(),
        Wanted::Is(json) => format!(" = {json}"),
        Wanted::Between(low, high) => format!(" = {low} … {high}"),
    };
    let quoted = |words: &Option<String>| words.as_ref().map(|w| format!(" “{w}”")).unwrap_or_default();
    let named =
        |zh: &str, en: &str, rest: String| Names::new(format!("{zh} {rest} "), format!("{en} {rest}"));
    match what {
        Expected::Command { points, value, priority, let_go, reason } => {
            let slot = priority.map(|p| format!(" [{}]", p.get())).unwrap_or_default();
            let rest = format!("{points}{}{slot}{}", wanted(value), quoted(reason));
            if *let_go {
                named("释放", "the letting go of", rest)
            } else {
                named("命令", "the command", rest)
            }
        }
        Expected::Alarm { id, entity, is, says } => {
            let entity = match entity {
                None => String::new(),
                Some(None) => " @ campus".to_owned(),
                Some(Some(glob)) => format!(" @ {glob}"),
            };
            let rest = format!("{id}{entity}{}", quoted(says));
            match is {
                AlarmTurn::Raised => named("报警", "the alarm", rest),
                AlarmTurn::Cleared => named("报警解除", "the end of the alarm", rest),
            }
        }
        Expected::Record { kind, fields } => {
            let fields: String = fields.iter().map(|(name, w)| format!(" {name}{}", wanted(w))).collect();
            named("记录", "the record", format!("{kind}{fields}"))
        }
        Expected::Derived { id, entity, value } => {
            let entity = entity.as_ref().map(|glob| format!(" @ {glob}")).unwrap_or_default();
            named("导出值", "the derived value", format!("{id}{entity}{}", wanted(value)))
        }
        Expected::Log(log) => named("日志", "the line of the log", format!("“{}”", log.says)),
        Expected::Panel(panel) => {
            let node = panel.node.as_ref().map(|node| format!("/{node}")).unwrap_or_default();
            named("面板", "the panel", format!("{}{node}{}", panel.id, quoted(&panel.says)))
        }
        Expected::Mission(id) => named("任务", "the mission", id.clone()),
        Expected::Award(award) => named("计分", "the award of", award.mission.clone()),
        Expected::Proposal(id) => named("试验方案", "the proposal", id.clone()),
        Expected::Told(words) => named("消息", "the message", format!("“{words}”")),
        Expected::Begun(id) => named("行动", "the action", id.clone()),
        Expected::Asked(id) => named("问题", "the question", id.clone()),
        Expected::Denial(words) => named("拒绝", "a denial", format!("“{words}”")),
        Expected::Failure(words) => named("中断", "a failure", format!("“{words}”")),
        Expected::Error(words) => named("错误", "an error", format!("“{words}”")),
        Expected::Total(_) => Names::default(),
    }
}
