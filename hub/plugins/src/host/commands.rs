//! Commands to the field. The world is asked for each at once, so that a plugin hears what the world says; it takes them
//! when the call has ended well.

use campanile_model::{Intent, PointId, Priority};
use campanile_world::World;
use wasmtime::Result;

use super::{Answer, Given, HostState, denial, invalid, value_in, value_out};
use crate::bindings::commands::{Command, Holding, Host};
use crate::bindings::types::Denial;
use crate::grants::Grants;
use crate::pace::Pace;
use crate::turn::Turn;

/// The most commands of one call.
const MOST: usize = 1000;
/// The longest reason, as people's, bytes.
const MOST_REASON: usize = 500;
/// The longest that a command holds by itself, s.
const LONGEST_S: f64 = 86_400.0;
const PACE: Pace = Pace { burst: 1000.0, per_s: 10.0 };

impl Host for HostState {
    fn write(&mut self, commands: Vec<Command>) -> Result<Vec<Given<()>>> {
        const CALL: &str = "commands.write";
        self.told(CALL, commands.len(), |turn, grants| {
            let too_many = commands.len() > MOST;
            let mut answers = Vec::with_capacity(commands.len());
            turn.effects.intents.reserve(commands.len().min(MOST));
            for one in &commands {
                let answer =
                    if too_many { Err(Denial::Quota(MOST as u64)) } else { command(turn, grants, one) };
                if let Err(denial) = &answer {
                    turn.denied(CALL, denial);
                }
                answers.push(answer);
            }
            answers
        })
    }

    fn relinquish(&mut self, points: Vec<u32>) -> Answer<()> {
        self.asked("commands.relinquish", points.len(), |turn, grants| relinquish(turn, grants, &points))
    }

    fn holds(&mut self, point: u32) -> Answer<Option<Holding>> {
        self.asked("commands.holds", 0, |turn, grants| {
            let point = grants.point(point).ok_or(Denial::UnknownPoint)?;
            turn.sees(point);
            Ok(holds(turn.seen(point), grants, point))
        })
    }
}

/// Asks the world for a command, and keeps it with what the call does.
fn command(turn: &mut Turn, grants: &Grants, command: &Command) -> Given<()> {
    let Some((strongest, weakest)) = grants.band else {
        return Err(Denial::NotGranted("capability.command".to_owned()));
    };
    let point = grants.point(command.point).ok_or(Denial::UnknownPoint)?;
    if !grants.commandable(command.point) {
        let path = grants.campus.point(point).path.as_str();
        return Err(Denial::NotGranted(format!("capability.command.points for '{path}'")));
    }
    let Some(priority) = Priority::new(command.priority) else {
        return invalid(format!("priority {} is not from 1 to 16", command.priority));
    };
    if priority < strongest {
        return Err(Denial::TooStrong(strongest.get()));
    }
    if priority > weakest {
        let (priority, weakest) = (priority.get(), weakest.get());
        return invalid(format!("priority {priority} is weaker than the band, which ends at {weakest}"));
    }
    if !(command.expires_s > 0.0 && command.expires_s <= LONGEST_S) {
        let expires_s = command.expires_s;
        return invalid(format!("it expires in {expires_s} s: more than 0 and at most a day may be"));
    }
    let reason = command.reason.trim();
    if reason.is_empty() || reason.len() > MOST_REASON {
        return invalid(format!("the reason has {} bytes, 1 to {MOST_REASON} may be", reason.len()));
    }
    let value = value_in(&command.value)?;
    let now = turn.now();
    turn.memory.paces.commands.take(PACE, 1, now).map_err(Denial::TooSoon)?;
    let intent = Intent {
        point,
        priority,
        value: Some(value),
        expires: Some(now.plus_micros((command.expires_s * 1e6) as i64)),
        actor: grants.actor.clone(),
        reason: turn.reason(reason),
    };
    turn.intend(intent).map_err(denial)
}

fn relinquish(turn: &mut Turn, grants: &Grants, points: &[u32]) -> Given<()> {
    let point = |handle: &u32| grants.point(*handle).ok_or(Denial::UnknownPoint);
    let points = points.iter().map(point).collect::<Given<Vec<_>>>()?;
    for point in points {
        for intent in letting_go(turn.seen(point), grants, [point]) {
            turn.intend(intent).map_err(denial)?;
        }
    }
    Ok(())
}

fn holds(world: &World, grants: &Grants, point: PointId) -> Option<Holding> {
    let strongest = world.array(point)?.strongest();
    world.effective(point).map(|value| Holding {
        value: value_out(&value),
        priority: strongest.map(|(priority, _)| priority.get()),
        mine: strongest.is_some_and(|(_, slot)| slot.actor == grants.actor),
    })
}

/// What lets go of all slots that a plugin holds at points.
pub(crate) fn letting_go(
    world: &World,
    grants: &Grants,
    points: impl IntoIterator<Item = PointId>,
) -> Vec<Intent> {
    let mut intents = Vec::new();
    for point in points {
        for (priority, slot) in world.array(point).into_iter().flat_map(|array| array.filled()) {
            if slot.actor == grants.actor {
                let (actor, reason) = (grants.actor.clone(), "let go".into());
                intents.push(Intent { point, priority, value: None, expires: None, actor, reason });
            }
        }
    }
    intents
}
