//! The people: what they are and what they are doing.

use crate::draw::{Purpose, cut_normal, share};
use crate::plan::Plan;
use crate::{Point, State};

/// No goal, no place.
pub(crate) const NONE: u32 = u32::MAX;

/// The people by number, a list for each quantity.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    // What doesn't change.
    pub group: Vec<u32>,
    pub profile: Vec<u32>,
    /// Free speed on the level, m/s.
    pub free: Vec<f64>,
    pub radius: Vec<f64>,
    // What does.
    pub at: Vec<Point>,
    pub space: Vec<u32>,
    pub heading: Vec<Point>,
    pub speed: Vec<f64>,
    pub state: Vec<State>,
    /// When a waiting person sets off, s; infinite: not told to.
    pub sets_off: Vec<f64>,
    /// For how many steps in a row a person hardly moved.
    pub stuck: Vec<u16>,
    /// Where a person has arrived.
    pub goal: Vec<u32>,
    /// Its place there.
    pub place: Vec<u32>,
    /// Whether it stands there.
    pub stands: Vec<bool>,
    /// The time left to the goal at 1 m/s, s.
    pub left_s: Vec<f64>,
    /// The way walked, m.
    pub walked: Vec<f64>,
}

impl People {
    /// All people of the groups, not yet put anywhere.
    pub fn new(plan: &Plan) -> Self {
        let mut people = Self::default();
        for (g, group) in plan.input.groups.iter().enumerate() {
            for &(profile, n) in &group.people {
                for _ in 0..n {
                    people.add(plan, g as u32, profile, group.space);
                }
            }
        }
        people
    }

    fn add(&mut self, plan: &Plan, group: u32, profile: u32, space: u32) {
        let kind = plan.profile(profile);
        let who = self.len() as u64;
        self.group.push(group);
        self.profile.push(profile);
        self.free.push(cut_normal(plan.input.seed, who, kind.speed_m_s));
        self.radius.push(kind.radius_m);
        self.at.push([0.0, 0.0]);
        self.space.push(space);
        self.heading.push([1.0, 0.0]);
        self.speed.push(0.0);
        self.state.push(State::Waiting);
        self.sets_off.push(f64::INFINITY);
        self.stuck.push(0);
        self.goal.push(NONE);
        self.place.push(NONE);
        self.stands.push(false);
        self.left_s.push(f64::INFINITY);
        self.walked.push(0.0);
    }

    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// How long a person takes until it sets off, s.
    pub fn premovement(&self, plan: &Plan, who: usize) -> f64 {
        let [least, most] = plan.input.groups[self.group[who] as usize].premovement_s;
        least + (most - least) * share(plan.input.seed, Purpose::SetOff, who as u64, 0)
    }

    /// Whether a person has to be moved.
    pub fn moves(&self, who: usize) -> bool {
        match self.state[who] {
            State::Walking => true,
            State::Arrived => !self.stands[who],
            State::Waiting | State::Left => false,
        }
    }
}
