//! A drill: how it stands, what its trainees are told and asked, and what is begun for them.

use std::sync::Arc;

use campanile_model::Glob;

use super::{Answer, Given, HostState, MOST_ID, invalid, text_in, words_in};
use crate::bindings::drills::{Host, Situation, Stage as Progressed};
use crate::bindings::types::{Denial, Words};
use crate::grants::Grants;
use crate::pace::Pace;
use crate::turn::{Progress, Question, Stage, Told, Turn};

/// The answers that a question may have.
const ANSWERS: std::ops::RangeInclusive<usize> = 1..=8;
/// What trainees are told and asked.
const PACE: Pace = Pace { burst: 60.0, per_s: 1.0 };

impl Host for HostState {
    fn now(&mut self) -> Answer<Situation> {
        self.asked("drills.now", 0, |turn, grants| {
            let now = stage(turn, grants)?.situation();
            Ok(Situation {
                at_s: now.at_s,
                rain_hour_mm: now.rain_1h_mm,
                rain_six_hours_mm: now.rain_6h_mm,
                river_m: now.river_m,
                warned: now.warned.as_deref().map(str::to_owned),
            })
        })
    }

    fn depth(&mut self, glob: String) -> Answer<f64> {
        let items = self.grants.campus.entities.len();
        self.asked("drills.depth", items, |turn, grants| depth(turn, grants, &glob))
    }

    fn tell(&mut self, from: Words, message: Words) -> Answer<()> {
        self.asked("drills.tell", 0, |turn, grants| tell(turn, grants, &from, &message))
    }

    fn progress(&mut self, action: String) -> Answer<Progressed> {
        self.asked("drills.progress", 0, |turn, grants| {
            Ok(match progress(turn, grants, &action)? {
                Progress::NotBegun => Progressed::NotBegun,
                Progress::Begun => Progressed::Begun,
                Progress::Done => Progressed::Done,
            })
        })
    }

    fn begin(&mut self, action: String) -> Answer<()> {
        self.asked("drills.begin", 0, |turn, grants| begin(turn, grants, &action))
    }

    fn ask(&mut self, id: String, question: Words, answers: Vec<Words>) -> Answer<()> {
        self.asked("drills.ask", answers.len(), |turn, grants| ask(turn, grants, &id, &question, &answers))
    }
}

/// The drill that the plugin directs.
fn stage(turn: &Turn, grants: &Grants) -> Given<Arc<dyn Stage>> {
    if !grants.drill {
        return Err(Denial::NotGranted("capability.drill".to_owned()));
    }
    turn.around.stage.clone().ok_or_else(|| Denial::Unavailable("no drill runs in this world".to_owned()))
}

fn depth(turn: &Turn, grants: &Grants, glob: &str) -> Given<f64> {
    let stage = stage(turn, grants)?;
    let glob = Glob::new(glob).or_else(|why| invalid(why.to_string()))?;
    Ok(stage.depth_m(&glob))
}

/// Draws one from the pace of what trainees are told and asked.
fn speak(turn: &mut Turn) -> Given<()> {
    let now = turn.now();
    turn.memory.paces.told.take(PACE, 1, now).map_err(Denial::TooSoon)
}

fn tell(turn: &mut Turn, grants: &Grants, from: &Words, message: &Words) -> Given<()> {
    stage(turn, grants)?;
    let told = Told { from: words_in(from)?, message: words_in(message)? };
    speak(turn)?;
    turn.effects.told.push(told);
    Ok(())
}

/// How far an action is, with what this call has begun before.
fn progress(turn: &Turn, grants: &Grants, action: &str) -> Given<Progress> {
    let Some(progress) = stage(turn, grants)?.progress(action) else {
        return invalid(format!("the drill has no action '{action}'"));
    };
    let begun = progress == Progress::NotBegun && turn.effects.begun.iter().any(|begun| **begun == *action);
    Ok(if begun { Progress::Begun } else { progress })
}

/// One that is begun already is passed over.
fn begin(turn: &mut Turn, grants: &Grants, action: &str) -> Given<()> {
    if progress(turn, grants, action)? == Progress::NotBegun {
        turn.effects.begun.push(action.into());
    }
    Ok(())
}

fn ask(turn: &mut Turn, grants: &Grants, id: &str, question: &Words, answers: &[Words]) -> Given<()> {
    stage(turn, grants)?;
    let id = text_in("the id of a question", id, MOST_ID)?;
    if !ANSWERS.contains(&answers.len()) {
        return invalid(format!("the question has {} answers, 1 to 8 may be", answers.len()));
    }
    let question = words_in(question)?;
    let answers = answers.iter().map(words_in).collect::<Given<_>>()?;
    speak(turn)?;
    turn.effects.asked.push(Question { id, question, answers });
    Ok(())
}
