//! How a drill stands: what has been begun and done, by whom, and what was said.

use campanile_model::Names;
use serde::{Deserialize, Serialize};

use crate::drill::{Drill, Found};
use crate::drill_file::{WaterAt, When};

/// Who begins an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "kebab-case")]
pub enum By {
    /// A person, by the name that they are signed in with.
    Person {
        /// The name.
        name: String,
    },
    /// The player that stands in where nobody acts.
    Player,
    /// An event of the drill, by its id, or a director, by the id of its plugin.
    Event {
        /// Which.
        id: String,
    },
}

/// An action under way or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Which, by its index.
    pub action: usize,
    /// Who began it.
    pub by: By,
    /// When it was asked for, seconds from the start.
    pub asked_s: f64,
    /// When its people set to work; not while there are too few.
    pub from_s: Option<f64>,
    /// When it had its effect.
    pub done_s: Option<f64>,
}

/// Something said to the trainees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// When, seconds from the start.
    pub at_s: f64,
    /// Who speaks, if that matters.
    pub from: Option<Names>,
    /// What.
    pub text: Names,
}

/// A question to the trainees, and what they decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Its id among its director's.
    pub id: String,
    /// The director that asks.
    pub director: String,
    /// When, seconds from the start.
    pub at_s: f64,
    /// The question.
    pub question: Names,
    /// What may be answered.
    pub answers: Vec<Names>,
    /// What was decided: which answer, by whom, and when.
    pub decided: Option<(u32, String, f64)>,
}

/// Why an action is not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is under way.
    #[error("'{0}' is under way already: wait until it is done")]
    UnderWay(String),
    /// There is no such action.
    #[error("the drill has no action '{0}'; its state lists them")]
    Unknown(String),
    /// There is no such question.
    #[error("there is no question '{0}' to be decided; the state of the rehearsal lists them")]
    NoQuestion(String),
    /// There is no such answer.
    #[error("the question has no answer {0}; they are counted from 0")]
    NoAnswer(u32),
    /// The drill is over.
    #[error("the drill is over: branch it from an earlier moment to act otherwise")]
    Over,
}

/// What conditions look at.
pub struct Seen<'a> {
    /// Seconds from the start.
    pub now_s: f64,
    /// Rain in the last hour, mm.
    pub rain_1h_mm: f64,
    /// Rain in the last six hours, mm.
    pub rain_6h_mm: f64,
    /// The level of the river, m, where the drill has one.
    pub river_m: Option<f64>,
    /// Whether water stands somewhere.
    pub water: &'a dyn Fn(&WaterAt) -> bool,
}

/// How a drill stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Play {
    /// Everything begun, in order.
    pub begun: Vec<Begun>,
    /// The level of warning in force.
    pub level: Option<usize>,
    /// Everything said, in order.
    pub messages: Vec<Message>,
    /// When each event happened, by the order of the file.
    pub happened_s: Vec<Option<f64>>,
    /// When the moment of each default came, by the order of the file: when the plan has it done.
    pub planned_s: Vec<Option<f64>>,
    /// When the condition of each objective first held, by the order of the file.
    pub held_s: Vec<Option<f64>>,
    /// Actions that people have decided against.
    pub declined: Vec<usize>,
    /// Everything that directors have asked, in order.
    #[serde(default)]
    pub asked: Vec<Asked>,
}

impl Play {
    /// How a drill stands at its start.
    pub fn new(drill: &Drill) -> Self {
        let file = &drill.file;
        Self {
            happened_s: vec![None; file.event.len()],
            planned_s: vec![None; file.default.len()],
            held_s: vec![None; file.objective.len()],
            ..Self::default()
        }
    }

    /// Begins an action.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn begin(&mut self, drill: &Drill, action: usize, by: By, now_s: f64) -> Result<(), Refusal> {
        let Some(spec) = drill.file.action.get(action) else {
            return Err(Refusal::Unknown(action.to_string()));
        };
        if self.begun.iter().any(|b| b.action == action && b.done_s.is_none()) {
            return Err(Refusal::UnderWay(spec.id.clone()));
        }
        self.begun.push(Begun { action, by, asked_s: now_s, from_s: None, done_s: None });
        Ok(())
    }

    /// The player that stands in leaves an action alone.
    pub fn decline(&mut self, action: usize) {
        if !self.declined.contains(&action) {
            self.declined.push(action);
        }
    }

    /// Decides a question that is open; which it was.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn decide(&mut self, id: &str, answer: u32, name: &str, now_s: f64) -> Result<usize, Refusal> {
        let open = self.asked.iter().position(|asked| asked.id == id && asked.decided.is_none());
        let index = open.ok_or_else(|| Refusal::NoQuestion(id.to_owned()))?;
        let asked = &mut self.asked[index];
        if answer as usize >= asked.answers.len() {
            return Err(Refusal::NoAnswer(answer));
        }
        asked.decided = Some((answer, name.to_owned(), now_s));
        Ok(index)
    }

    /// When an action first had its effect.
    pub fn done_s(&self, action: usize) -> Option<f64> {
        self.begun.iter().filter(|b| b.action == action).find_map(|b| b.done_s)
    }

    /// Whether somebody has begun an action.
    pub fn is_begun(&self, action: usize) -> bool {
        self.begun.iter().any(|b| b.action == action)
    }

    /// How many people of a role have no work.
    pub fn free(&self, drill: &Drill, role: &str) -> u32 {
        let all = drill.file.role.iter().find(|r| r.id == role).map_or(0, |r| r.people);
        let at_work = self.begun.iter().filter(|b| b.from_s.is_some() && b.done_s.is_none());
        let busy: u32 = at_work
            .filter_map(|b| drill.file.action.get(b.action))
            .filter(|a| a.role == role)
            .map(|a| a.people)
            .sum();
        all.saturating_sub(busy)
    }

    /// Players and events act, work goes on; the actions that have their effect now, in order.
    pub fn advance(&mut self, drill: &Drill, seen: &Seen<'_>) -> Vec<usize> {
        let file = &drill.file;
        for (i, default) in file.default.iter().enumerate() {
            if self.planned_s[i].is_some() || !self.holds(drill, &default.when, seen) {
                continue;
            }
            self.planned_s[i] = Some(seen.now_s);
            let stands_in = |action: &usize| !self.is_begun(*action) && !self.declined.contains(action);
            if let Some(action) = drill.action(&default.action).filter(stands_in) {
                // Nobody has begun it, so it is not under way.
                let _ = self.begin(drill, action, By::Player, seen.now_s);
            }
        }
        for (i, event) in file.event.iter().enumerate() {
            if self.happened_s[i].is_some() || !self.holds(drill, &event.when, seen) {
                continue;
            }
            self.happened_s[i] = Some(seen.now_s);
            let message = Message { at_s: seen.now_s, from: event.from.clone(), text: event.message.clone() };
            self.messages.push(message);
            for action in event.begin.iter().filter_map(|id| drill.action(id)) {
                // What is under way need not be begun.
                let _ = self.begin(drill, action, By::Event { id: event.id.clone() }, seen.now_s);
            }
        }
        for (i, objective) in file.objective.iter().enumerate() {
            if let crate::drill_file::Measure::DoneAfter { when, .. } = &objective.measure
                && self.held_s[i].is_none()
                && self.holds(drill, when, seen)
            {
                self.held_s[i] = Some(seen.now_s);
            }
        }
        self.work(drill, seen.now_s)
    }

    fn work(&mut self, drill: &Drill, now_s: f64) -> Vec<usize> {
        let mut done = Vec::new();
        for i in 0..self.begun.len() {
            let Some(spec) = drill.file.action.get(self.begun[i].action) else { continue };
            if self.begun[i].done_s.is_some() {
                continue;
            }
            if self.begun[i].from_s.is_none() && self.free(drill, &spec.role) >= spec.people {
                self.begun[i].from_s = Some(now_s);
            }
            if self.begun[i].from_s.is_some_and(|from| now_s >= from + spec.minutes * 60.0) {
                self.begun[i].done_s = Some(now_s);
                done.push(self.begun[i].action);
                if let Some(Found::Warn(level)) = drill.effects.get(self.begun[i].action) {
                    self.level = Some(*level);
                }
            }
        }
        done
    }

    /// Whether a condition holds.
    pub fn holds(&self, drill: &Drill, when: &When, seen: &Seen<'_>) -> bool {
        // A level issued is a time or two; what is asked is whether the one in force is as strong.
        let issued = |id: &str| {
            let asked = drill.level(id);
            asked.is_some() && self.level >= asked
        };
        let done = |id: &str| drill.action(id).is_some_and(|a| self.done_s(a).is_some());
        let begun = |id: &str| drill.action(id).is_some_and(|a| self.is_begun(a));
        when.at_min.is_none_or(|m| seen.now_s >= m * 60.0)
            && when.rain_1h_mm.is_none_or(|mm| seen.rain_1h_mm >= mm)
            && when.rain_6h_mm.is_none_or(|mm| seen.rain_6h_mm >= mm)
            && when.river_m.is_none_or(|m| seen.river_m.is_some_and(|river| river >= m))
            && when.water.as_ref().is_none_or(|at| (seen.water)(at))
            && when.issued.as_deref().is_none_or(issued)
            && when.done.as_deref().is_none_or(done)
            && !when.not_begun.as_deref().is_some_and(begun)
    }
}
