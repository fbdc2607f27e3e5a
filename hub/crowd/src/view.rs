//! What can be seen of a crowd.

use serde::{Deserialize, Serialize};

use crate::Crowd;
use crate::geometry::{distance, sub};

/// What a person is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Stands: not told to go, or not set off yet.
    Waiting,
    /// Is on its way.
    Walking,
    /// Has come to a goal where people stay.
    Arrived,
    /// Has left through a goal.
    Left,
}

/// A person as it is now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Its number: groups in their order, in each the profiles in their order.
    pub id: u32,
    /// The index of its group.
    pub group: u32,
    /// The index of its profile.
    pub profile: u32,
    /// The index of its space; of one who has left, the last.
    pub space: u32,
    /// Where it stands in the plan, with the height of the floor, m.
    pub at: [f64; 3],
    /// Where in the plane of its space, m.
    pub in_space: [f64; 2],
    /// Where it looks, in the plan: a unit vector.
    pub heading: [f64; 2],
    /// m/s.
    pub speed_m_s: f64,
    /// Its free speed on the level, m/s.
    pub free_m_s: f64,
    /// The radius of its body, m.
    pub radius_m: f64,
    /// What it is doing.
    pub state: State,
    /// The way walked so far, m.
    pub walked_m: f64,
}

/// A group as it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupCount {
    /// People who wait.
    pub waiting: u32,
    /// On their way.
    pub walking: u32,
    /// At a goal.
    pub arrived: u32,
    /// Gone through a goal.
    pub left: u32,
    /// When somebody arrived last, s.
    pub last_arrival_s: Option<f64>,
}

/// A door as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorCount {
    /// Whether people can pass.
    pub open: bool,
    /// People who went from `from` to `to` so far.
    pub forth: u64,
    /// And from `to` to `from`.
    pub back: u64,
}

impl Crowd {
    /// A person by number.
    pub fn person(&self, id: u32) -> Option<Person> {
        let (i, people) = (id as usize, &self.people);
        let ground = &self.plan.grounds[*people.space.get(i)? as usize];
        Some(Person {
            id,
            group: people.group[i],
            profile: people.profile[i],
            space: people.space[i],
            at: ground.in_plan(people.at[i]),
            in_space: people.at[i],
            heading: ground.direction_in_plan(people.at[i], people.heading[i]),
            speed_m_s: people.speed[i],
            free_m_s: people.free[i],
            radius_m: people.radius[i],
            state: people.state[i],
            walked_m: people.walked[i],
        })
    }

    /// Everybody, those who have left too, by number.
    pub fn people(&self) -> impl ExactSizeIterator<Item = Person> + '_ {
        // Every number below the length is somebody's.
        (0..self.people.len()).map(|i| self.known(i as u32))
    }

    fn known(&self, id: u32) -> Person {
        match self.person(id) {
            Some(person) => person,
            None => unreachable!("numbers come from the list itself"),
        }
    }

    /// The groups, in the order of the input.
    pub fn groups(&self) -> Vec<GroupCount> {
        let mut groups: Vec<GroupCount> = self
            .last_arrival_s
            .iter()
            .map(|&last_arrival_s| GroupCount { last_arrival_s, ..GroupCount::default() })
            .collect();
        for (&group, state) in self.people.group.iter().zip(&self.people.state) {
            let count = &mut groups[group as usize];
            match state {
                State::Waiting => count.waiting += 1,
                State::Walking => count.walking += 1,
                State::Arrived => count.arrived += 1,
                State::Left => count.left += 1,
            }
        }
        groups
    }

    /// How many people are in each space.
    pub fn spaces(&self) -> Vec<u32> {
        let mut spaces = vec![0; self.plan.grounds.len()];
        for (&space, state) in self.people.space.iter().zip(&self.people.state) {
            spaces[space as usize] += u32::from(*state != State::Left);
        }
        spaces
    }

    /// The doors, in the order of the input.
    pub fn doors(&self) -> Vec<DoorCount> {
        let both = self.open.iter().zip(&self.passed);
        both.map(|(&open, &[forth, back])| DoorCount { open, forth, back }).collect()
    }

    /// When people arrived at each goal, s, ascending: the curve of an evacuation.
    pub fn arrivals_s(&self) -> &[Vec<f64>] {
        &self.arrivals
    }

    /// How many people are still on their way or about to set off.
    pub fn under_way(&self) -> usize {
        let (state, sets_off) = (&self.people.state, &self.people.sets_off);
        let counts =
            |(s, t): (&State, &f64)| *s == State::Walking || *s == State::Waiting && *t < f64::INFINITY;
        state.iter().zip(sets_off).filter(|&(s, t)| counts((s, t))).count()
    }

    /// People a m² within a metre of a person, itself included, in its own space.
    pub fn density(&self, id: u32) -> Option<f64> {
        let (at, space) = (*self.people.at.get(id as usize)?, self.people.space[id as usize]);
        let ground = &self.plan.grounds[space as usize];
        let mut count = 0;
        self.cells.within(&self.plan, space, [sub(at, [1.0, 1.0]), sub(at, [-1.0, -1.0])], |other| {
            let p = self.people.at[other];
            count += u32::from(distance(p, at) <= 1.0 && ground.sees(at, p));
        });
        Some(f64::from(count) / std::f64::consts::PI)
    }
}
