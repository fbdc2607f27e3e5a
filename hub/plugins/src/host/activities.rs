//! Learning: missions, points, and proposals that are tried.

use std::sync::Arc;

use campanile_model::{Glob, ValueType};

use super::{Answer, Given, HostState, MOST_ID, MOST_PERSON, finite, invalid, text_in, words_in};
use crate::bindings::activities::{Change as WitChange, Host, Mission as WitMission, Standing};
use crate::bindings::types::{Denial, Words};
use crate::grants::Grants;
use crate::pace::Pace;
use crate::turn::{Award, Change, Mission, Proposal, Turn, league};

/// The most missions that are offered.
const MOST_MISSIONS: usize = 100;
/// The most awards that are remembered: a large school, for years.
const MOST_AWARDS: usize = 50_000;
/// The most changes of a proposal.
const MOST_CHANGES: usize = 100;
/// Proposals that may be open.
const MOST_OPEN: usize = 1;
const DAYS: std::ops::RangeInclusive<u8> = 1..=7;
/// Ten a day.
const PACE: Pace = Pace { burst: 10.0, per_s: 10.0 / 86_400.0 };

impl Host for HostState {
    fn offer(&mut self, missions: Vec<WitMission>) -> Answer<()> {
        self.asked("activities.offer", missions.len(), |turn, grants| offer(turn, grants, &missions))
    }

    fn award(&mut self, mission: String, person: String, points: u32) -> Answer<()> {
        self.asked("activities.award", 0, |turn, grants| award(turn, grants, &mission, &person, points))
    }

    fn propose(&mut self, id: String, names: Words, changes: Vec<WitChange>, days: u8) -> Answer<()> {
        let items = changes.len().saturating_mul(self.grants.count());
        self.asked("activities.propose", items, |turn, grants| {
            propose(turn, grants, &id, &names, changes, days)
        })
    }

    fn league(&mut self) -> Answer<Vec<Standing>> {
        let items = self.turn.as_ref().map_or(0, |t| t.memory.awards.len() + t.effects.awards.len());
        self.asked("activities.league", items, |turn, grants| {
            granted(grants)?;
            let before = turn.memory.awards.iter().map(|((_, person), points)| (&**person, *points));
            let now = turn.effects.awards.iter().map(|award| (&*award.person, award.points));
            let standing = |(group, points)| Standing { group, points };
            Ok(league(before.chain(now)).into_iter().map(standing).collect())
        })
    }
}

fn granted(grants: &Grants) -> Given<()> {
    if grants.activities { Ok(()) } else { Err(Denial::NotGranted("capability.activities".to_owned())) }
}

fn offer(turn: &mut Turn, grants: &Grants, missions: &[WitMission]) -> Given<()> {
    granted(grants)?;
    if missions.len() > MOST_MISSIONS {
        return Err(Denial::Quota(MOST_MISSIONS as u64));
    }
    let mut offered: Vec<Mission> = Vec::with_capacity(missions.len());
    for mission in missions {
        let id = text_in("the id of a mission", &mission.id, MOST_ID)?;
        if offered.iter().any(|other| other.id == id) {
            return invalid(format!("there are two missions '{id}'"));
        }
        let (names, task) = (words_in(&mission.names)?, words_in(&mission.task)?);
        offered.push(Mission { id, names, task, points: mission.points });
    }
    turn.effects.missions = Some(offered.into());
    Ok(())
}

fn award(turn: &mut Turn, grants: &Grants, mission: &str, person: &str, points: u32) -> Given<()> {
    granted(grants)?;
    let offered = turn.effects.missions.as_ref().unwrap_or(&turn.memory.missions);
    let Some(offered) = offered.iter().find(|offered| *offered.id == *mission) else {
        return invalid(format!("there is no mission '{mission}' on offer"));
    };
    if points > offered.points {
        return Err(Denial::OutOfLimits((0.0, f64::from(offered.points))));
    }
    let key = (offered.id.clone(), text_in("the person's name", person, MOST_PERSON)?);
    let now = turn.effects.awards.iter().any(|award| award.mission == key.0 && award.person == key.1);
    if now || turn.memory.awards.contains_key(&key) {
        return invalid(format!("'{person}' has points for the mission '{mission}' already"));
    }
    if turn.memory.awards.len() + turn.effects.awards.len() >= MOST_AWARDS {
        return Err(Denial::Quota(MOST_AWARDS as u64));
    }
    turn.effects.awards.push(Award { mission: key.0, person: key.1, points });
    Ok(())
}

fn propose(
    turn: &mut Turn,
    grants: &Grants,
    id: &str,
    names: &Words,
    changes: Vec<WitChange>,
    days: u8,
) -> Given<()> {
    granted(grants)?;
    let id: Arc<str> = text_in("the id of a proposal", id, MOST_ID)?;
    let names = words_in(names)?;
    if !DAYS.contains(&days) {
        return invalid(format!("a trial of {days} days: 1 to 7 may be"));
    }
    if changes.is_empty() || changes.len() > MOST_CHANGES {
        return invalid(format!("the proposal has {} changes, 1 to {MOST_CHANGES} may be", changes.len()));
    }
    let changes = changes.into_iter().map(|change| change_in(grants, change)).collect::<Given<Vec<_>>>()?;
    if turn.memory.proposals.len() + turn.effects.proposals.len() >= MOST_OPEN {
        return Err(Denial::Quota(MOST_OPEN as u64));
    }
    let now = turn.now();
    turn.memory.paces.proposals.take(PACE, 1, now).map_err(Denial::TooSoon)?;
    turn.effects.proposals.push(Proposal { id, names, changes, days });
    Ok(())
}

/// A change of numbers or switches that the plugin may see, and that somebody could command.
fn change_in(grants: &Grants, change: WitChange) -> Given<Change> {
    let glob = Glob::new(&change.glob).or_else(|why| invalid(why.to_string()))?;
    let value = finite(change.value)?;
    let (from_h, to_h) = (change.from_h, change.to_h);
    if !(0.0 <= from_h && from_h < to_h && to_h <= 24.0) {
        return invalid(format!("hours from {from_h} to {to_h}: 0 to 24 may be, the earlier first"));
    }
    let mut matched = grants
        .points()
        .map(|point| grants.campus.point(point))
        .filter(|point| glob.matches(point.path.as_str()));
    let fits = matched.any(|point| {
        point.command.is_some()
            && match point.value_type {
                ValueType::Number => true,
                ValueType::Bool => value == 0.0 || value == 1.0,
                ValueType::Choice | ValueType::Text => false,
            }
    });
    if !fits {
        let glob = glob.as_str();
        return invalid(format!(
            "'{glob}' matches no point of capability.read that can be commanded to {value}: numbers, and switches to 0 or 1"
        ));
    }
    Ok(Change { glob: change.glob, value, from_h, to_h })
}
