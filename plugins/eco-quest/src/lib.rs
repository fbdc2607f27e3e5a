//! Missions, quizzes and proposals with the campus' own live data, for pupils of 12 to 16.
//!
//! - [`missions`] and [`questions`] are what is asked, each in both languages, each fact with its source.
//! - [`live`] makes numbers of the campus' points; [`round`] draws what is open for some minutes and checks answers.
//! - [`proposal`] is the sandbox: a change that is tried in a rehearsal, and what came of it.
//! - [`panels`] is what people see.
//!
//! Points are given by the host, once a person and mission, and ranked by class. Of persons nothing is kept
//! here: a hash of who has answered for the minutes of a round, and who has made the proposal that is being
//! tried until it has been.

pub mod live;
pub mod missions;
pub mod panels;
pub mod proposal;
pub mod questions;
pub mod round;
pub mod settings;
pub mod text;

use campanile_plugin::{
    Activity, Denial, Plugin, Point, Result, Settings, Time, Value, Words, activities,
    clock::{self, MINUTE},
    networks::{self, NetworkKind},
    panels::{Entered, Event, Tone},
    points, records, store, warn,
};
use live::{Sources, Values};
use missions::{Goal, MISSIONS, Mission, Pick};
use panels::View;
use proposal::{Pending, Proposal, Tried};
use round::{Round, Verdict};
use serde::Serialize;
use settings::Rules;
use text::Text;

/// Proposals whose outcome is shown.
const SHOWN: usize = 6;

/// The plugin.
pub struct EcoQuest {
    rules: Rules,
    sources: Sources,
    points: Vec<Point>,
    /// The missions that this campus has what it takes for.
    offered: Vec<&'static Mission>,
}

/// What came of a proposal, as the record `proposal`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ProposalRecord<'a> {
    class: &'a str,
    what_zh: &'a str,
    what_en: &'a str,
    days: u8,
    saved_kwh: f64,
    saved_kg: f64,
    comfort_points: f64,
    good: bool,
}

impl Plugin for EcoQuest {
    fn start(settings: &Settings) -> Result<Self> {
        let rules = settings::rules(settings)?;
        let infos = points::find("**")?;
        let (electricity, water) =
            (networks::nodes(NetworkKind::Electricity)?, networks::nodes(NetworkKind::Water)?);
        let sources = Sources::find(&infos, &electricity, &water);
        let possible = |mission: &&Mission| match mission.goal {
            Goal::Read(reading) => sources.has(reading),
            Goal::Pick(pick) => sources.count(pick) > 1,
            Goal::Quiz => true,
            Goal::Proposal => !sources.buildings.is_empty(),
        };
        let offered = MISSIONS.iter().filter(possible).collect();
        Ok(Self { rules, points: sources.points(), sources, offered })
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let values = self.values()?;
        let (mut round, new) = self.round(now, &values)?;
        round.look(&self.sources, &values, self.rules.kg_kwh);
        store::save("round", &round)?;
        if new {
            let offer = |mission: &&Mission| activities::Mission {
                id: mission.id.into(),
                names: mission.names.words(),
                task: mission.task.words(),
                points: mission.points,
            };
            let offered: Vec<activities::Mission> = self.offered.iter().map(offer).collect();
            refused("the missions", activities::offer(&offered));
            // Shown to all, this takes what single persons have seen of the last round away.
            let all = View::default();
            refused("missions", panels::missions(&self.sources, &round, all, &self.offered).show("missions"));
            refused("the quiz", panels::quiz(&round, all, self.rules.round_min).show("quiz"));
            let live = panels::live(&self.sources, self.rules.kg_kwh, &self.rules.source);
            refused("live values", live.show("live"));
            self.show_proposals(None)?;
        }
        self.show_league();
        Ok(())
    }

    fn on_panel(&mut self, event: &Event) -> Result {
        match event.panel.as_str() {
            "missions" | "quiz" => self.answer(event),
            "proposal" => self.propose(event),
            _ => Ok(()),
        }
    }
}

impl Activity for EcoQuest {
    fn on_outcome(&mut self, outcome: &activities::Outcome) -> Result {
        let pending: Option<Pending> = store::load("pending")?;
        let Some(pending) = pending.filter(|pending| pending.id == outcome.id) else {
            warn!("an outcome of '{}', which nobody has proposed", outcome.id);
            return Ok(());
        };
        store::delete("pending")?;
        if let Some(why) = &outcome.failed {
            let said = Words::new(format!("没有试成：{why}"), format!("It could not be tried: {why}"));
            self.show_proposals(None)?;
            return self.show_proposals(Some((&pending.person, &said)));
        }
        let result = Tried::of(&pending, outcome, self.rules.kg_kwh);
        let mut tried: Vec<Tried> = store::load("tried")?.unwrap_or_default();
        tried.push(result.clone());
        let old = tried.len().saturating_sub(SHOWN);
        tried.drain(..old);
        store::save("tried", &tried)?;
        let record = ProposalRecord {
            class: &result.class,
            what_zh: &result.words.0,
            what_en: &result.words.1,
            days: result.days,
            saved_kwh: result.saved_kwh(),
            saved_kg: result.saved_kg(),
            comfort_points: 100.0 * result.comfort_gain(),
            good: result.is_good(),
        };
        if let Err(failure) = records::keep("proposal", &record) {
            warn!("the proposal was not kept: {}", failure.into_message());
        }
        self.show_proposals(None)?;
        let mission = self.offered.iter().find(|mission| mission.goal == Goal::Proposal);
        if let Some(mission) = mission.filter(|_| result.is_good()) {
            let said = award(mission, &pending.person);
            self.show_league();
            self.show_proposals(Some((&pending.person, &said)))?;
        }
        Ok(())
    }
}

impl EcoQuest {
    /// The newest values that may be relied upon.
    fn values(&self) -> Result<Values> {
        let mut values = Values::new();
        for (point, sample) in self.points.iter().zip(points::read(&self.points)?) {
            let Some(sample) = sample else { continue };
            let value = match sample.value {
                Value::Boolean(on) if sample.quality == campanile_plugin::Quality::Good => {
                    Some(f64::from(u8::from(on)))
                }
                _ => sample.number(),
            };
            values.extend(value.map(|value| (*point, value)));
        }
        Ok(values)
    }

    /// The round of this moment, and whether it begins with it.
    fn round(&self, now: Time, values: &Values) -> Result<(Round, bool)> {
        let number = now.div_euclid(self.rules.round_min * MINUTE);
        let kept: Option<Round> = store::load("round")?;
        Ok(match kept.filter(|round| round.number == number) {
            Some(round) => (round, false),
            None => (Round::open(number, &self.sources, values), true),
        })
    }

    /// Somebody has answered a mission or a question.
    fn answer(&self, event: &Event) -> Result {
        let Some(mission) = self.offered.iter().copied().find(|mission| mission.id == event.node) else {
            return Ok(());
        };
        let values = self.values()?;
        let (mut round, new) = self.round(clock::now(), &values)?;
        let person = event.person.as_str();
        let choice = match event.entered("answer") {
            Some(Entered::Choice(place)) => Some(*place as usize),
            _ => None,
        };
        let said = match (mission.goal, choice, event.entered("reading")) {
            // What was answered was asked in the round before, which has just ended: the next tick opens the
            // new one.
            _ if new => (AGAIN.words(), Tone::Caution),
            (Goal::Read(reading), _, Some(Entered::Number(entered))) => {
                let shown = self.sources.reading(reading, &values, self.rules.kg_kwh);
                let verdict = round.check_number((mission, reading), person, *entered, shown);
                said(mission, verdict, person, mission.hint.words(), round.left(mission, person))
            }
            (Goal::Pick(pick), Some(place), _) => {
                let verdict = round.check_pick((mission, pick), person, place, &self.sources, &values);
                said(mission, verdict, person, self.hint(mission, pick, &values), 0)
            }
            (Goal::Quiz, Some(place), _) => {
                let Some(question) = round::question(mission.topic, round.number) else { return Ok(()) };
                let Some((_, why)) = question.answers.get(place) else { return Ok(()) };
                let verdict = round.check_quiz(mission, person, question, place);
                let source = question.source;
                let why = Words::new(
                    format!("{}（来源：{}）", why.0, source.0),
                    format!("{} (Source: {})", why.1, source.1),
                );
                quiz_said(mission, verdict, person, why)
            }
            _ => return Ok(()),
        };
        if !new {
            store::save("round", &round)?;
        }
        let view = View { person: Some(person), said: Some((mission, &said.0, said.1)) };
        let tree = match event.panel.as_str() {
            "quiz" => panels::quiz(&round, view, self.rules.round_min),
            _ => panels::missions(&self.sources, &round, view, &self.offered),
        };
        refused("an answer", tree.show_to(&event.panel, person));
        self.show_league();
        Ok(())
    }

    /// What is said to who has picked the wrong one: the hint, and of a river what was measured.
    fn hint(&self, mission: &Mission, pick: Pick, values: &Values) -> Words {
        let Text(zh, en) = mission.hint;
        match self.sources.oxygen.as_ref().and_then(|at| values.get(&at.point())) {
            Some(oxygen) if pick == Pick::RiverClass => {
                let oxygen = text::number(*oxygen);
                Words::new(format!("此刻是 {oxygen} mg/L。{zh}"), format!("It is {oxygen} mg/L now. {en}"))
            }
            _ => Words::new(zh, en),
        }
    }

    /// Somebody proposes a change.
    fn propose(&self, event: &Event) -> Result {
        let buildings = self.buildings();
        let proposal = match Proposal::of(event, &buildings) {
            Ok(proposal) => proposal,
            Err(why) => return self.show_proposals(Some((&event.person, &why.words()))),
        };
        let made = store::load::<u64>("proposals")?.unwrap_or_default() + 1;
        let (id, words) = (format!("p-{made}"), proposal.words());
        if let Err(denial) = activities::propose(&id, &words, &proposal.changes(), proposal.days) {
            let said = match denial {
                Denial::Quota(_) => Words::new(
                    "另一个提案正在试，请等它的结果。",
                    "Another proposal is being tried: wait for its outcome.",
                ),
                Denial::TooSoon(_) => Words::new(
                    "今天的次数用完了，明天再来。",
                    "That was enough for today: come again tomorrow.",
                ),
                other => Words::new(format!("不能这样试：{other}"), format!("It can't be tried so: {other}")),
            };
            return self.show_proposals(Some((&event.person, &said)));
        }
        store::save("proposals", &made)?;
        let pending =
            Pending { id, person: event.person.clone(), words: (words.zh_cn, words.en), days: proposal.days };
        store::save("pending", &pending)?;
        self.show_proposals(None)
    }

    fn buildings(&self) -> Vec<(&str, &Words)> {
        let all = self.sources.buildings.iter().map(|(id, names)| (id.as_str(), names));
        all.take(panels::MOST_BUILDINGS).collect()
    }

    /// Shows the proposals to all, or to one person with what is said to that person.
    fn show_proposals(&self, to: Option<(&str, &Words)>) -> Result {
        let pending: Option<Pending> = store::load("pending")?;
        let tried: Vec<Tried> = store::load("tried")?.unwrap_or_default();
        let tree = panels::proposal(&self.buildings(), pending.as_ref(), &tried, to.map(|(_, said)| said));
        let answer = match to {
            Some((person, _)) => tree.show_to("proposal", person),
            None => tree.show("proposal"),
        };
        refused("proposals", answer);
        Ok(())
    }

    fn show_league(&self) {
        match activities::league() {
            Ok(standings) => refused("the league", panels::league(&standings).show("league")),
            Err(denial) => warn!("the league can't be told: {denial}"),
        }
    }
}

const AGAIN: Text = Text("新的一轮马上开始，请稍后再答。", "A new round is about to begin: answer then.");

/// Gives a person the points of a mission, and says so.
fn award(mission: &Mission, person: &str) -> Words {
    let Text(zh, en) = mission.learnt;
    let points = mission.points;
    match activities::award(mission.id, person, points) {
        Ok(()) => Words::new(format!("对！+{points} 分。{zh}"), format!("Right! +{points} points. {en}")),
        // Once a person.
        Err(Denial::Invalid(_)) => Words::new(
            format!("对！这个任务的分你已经拿过了。{zh}"),
            format!("Right! You have the points of this mission already. {en}"),
        ),
        Err(denial) => {
            warn!("points for {} were refused: {denial}", mission.id);
            Words::new(
                "对！但分数没有记上，请告诉老师。",
                "Right! But the points were not counted: tell your teacher.",
            )
        }
    }
}

/// What is said to an answer that is about the campus.
fn said(mission: &Mission, verdict: Verdict, person: &str, hint: Words, left: u8) -> (Words, Tone) {
    match verdict {
        Verdict::Right => (award(mission, person), Tone::Good),
        Verdict::Wrong if left > 0 => (
            Words::new(
                format!("不对。{}（本轮还有 {left} 次）", hint.zh_cn),
                format!("Not right. {} ({left} tries left in this round)", hint.en),
            ),
            Tone::Caution,
        ),
        Verdict::Wrong => {
            (Words::new(format!("不对。{}", hint.zh_cn), format!("Not right. {}", hint.en)), Tone::Caution)
        }
        Verdict::Unknown => (
            Words::new(
                "校园现在读不到这个数据，过一会儿再试（不算一次）。",
                "The campus can't tell now: try again later, this did not count.",
            ),
            Tone::Caution,
        ),
        Verdict::Spent => (
            Words::new(
                "这一轮已经答过了，下一轮再来。",
                "You have answered in this round: come again in the next.",
            ),
            Tone::Caution,
        ),
    }
}

/// What is said to the answer of a question: the reason, right or wrong.
fn quiz_said(mission: &Mission, verdict: Verdict, person: &str, why: Words) -> (Words, Tone) {
    match verdict {
        Verdict::Right => {
            let award = award(mission, person);
            (
                Words::new(format!("{} {}", award.zh_cn, why.zh_cn), format!("{} {}", award.en, why.en)),
                Tone::Good,
            )
        }
        verdict => said(mission, verdict, person, why, 0),
    }
}

/// One refusal is not to keep the rest from being done.
fn refused(what: &str, answer: Result<(), Denial>) {
    if let Err(denial) = answer {
        warn!("{what}: refused, {denial}");
    }
}

// Its exports have names that only a linker for WebAssembly takes.
#[cfg(target_family = "wasm")]
campanile_plugin::export_activity!(EcoQuest);
