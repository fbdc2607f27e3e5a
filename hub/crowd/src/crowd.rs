//! The crowd: state, changes, steps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::cells::Cells;
use crate::check;
use crate::door::{Side, door_of, twin};
use crate::error::InputError;
use crate::geometry::distance;
use crate::motion::STEP_S;
use crate::people::{NONE, People};
use crate::place;
use crate::plan::Plan;
use crate::route::{Kept, Route, Ways};
use crate::slow::Slow;
use crate::speed::Speeds;
use crate::{Change, CrowdInput, Point, Slowness, State};

/// A crowd on the move. A clone is a fork: it shares what doesn't change and goes its own way.
#[derive(Clone, Debug)]
pub struct Crowd {
    pub(crate) plan: Arc<Plan>,
    pub(crate) steps: u64,
    /// Time asked for and not yet stepped, s.
    pub(crate) owed_s: f64,
    pub(crate) people: People,
    pub(crate) open: Vec<bool>,
    pub(crate) slow: Vec<Slow>,
    /// The goals that each group was sent to.
    pub(crate) orders: Vec<Option<Vec<u32>>>,
    /// By door: people through from `from` to `to` and back.
    pub(crate) passed: Vec<[u64; 2]>,
    /// By goal: when people arrived, s.
    pub(crate) arrivals: Vec<Vec<f64>>,
    /// By group: when somebody arrived last, s.
    pub(crate) last_arrival_s: Vec<Option<f64>>,
    // What follows from the above.
    pub(crate) cells: Cells,
    pub(crate) routes: Vec<Route>,
    /// The route of each group.
    pub(crate) route_of: Vec<Option<usize>>,
    kept: Kept,
    /// Whether doors, slowness or orders changed since the routes were found.
    pub(crate) stale: bool,
    pub(crate) active: Vec<u32>,
    pub(crate) waiting: BinaryHeap<Reverse<(u64, u32)>>,
    /// By goal: the places for those who stay, and which are taken.
    pub(crate) places: Vec<Option<Arc<[Point]>>>,
    taken: Vec<Vec<bool>>,
    pub(crate) speeds: Arc<Speeds>,
    notes: Vec<String>,
}

impl Crowd {
    /// A crowd at the start: everybody waits.
    ///
    /// # Errors
    /// Names the field that is wrong, what is wrong with it and how to mend it; also where the people of a
    /// space
    /// don't fit into it.
    pub fn new(input: CrowdInput) -> Result<Self, InputError> {
        let plan = Arc::new(Plan::new(input)?);
        let mut people = People::new(&plan);
        let mut of_space: Vec<Vec<u32>> = vec![Vec::new(); plan.grounds.len()];
        for who in 0..people.len() {
            of_space[people.space[who] as usize].push(who as u32);
        }
        for (space, who) in of_space.iter().enumerate().filter(|(_, who)| !who.is_empty()) {
            place::at_start(&plan, space as u32, who, &mut people)?;
        }
        let input = &plan.input;
        let (doors, goals, groups) = (input.doors.len(), input.goals.len(), input.groups.len());
        let mut crowd = Self {
            steps: 0,
            owed_s: 0.0,
            open: input.doors.iter().map(|d| d.open).collect(),
            slow: vec![Slow(Slowness::Whole(1.0)); plan.grounds.len()],
            orders: vec![None; groups],
            passed: vec![[0, 0]; doors],
            arrivals: vec![Vec::new(); goals],
            last_arrival_s: vec![None; groups],
            cells: Cells::new(&plan, people.len()),
            routes: Vec::new(),
            route_of: vec![None; groups],
            kept: Kept::default(),
            stale: true,
            active: Vec::new(),
            waiting: BinaryHeap::new(),
            places: vec![None; goals],
            taken: vec![Vec::new(); goals],
            speeds: Arc::new(Speeds::new()),
            notes: Vec::new(),
            people,
            plan,
        };
        crowd.settle();
        crowd.note_narrow_doors();
        Ok(crowd)
    }

    /// Derives everything that follows from the state.
    pub(crate) fn settle(&mut self) {
        let Self { people, cells, plan, active, waiting, .. } = self;
        active.clear();
        waiting.clear();
        for who in 0..people.len() {
            if people.state[who] != State::Left {
                cells.put(plan, who as u32, people.space[who], people.at[who]);
            } else {
                cells.take(who as u32);
            }
            if people.moves(who) {
                active.push(who as u32);
            } else if people.state[who] == State::Waiting && people.sets_off[who] < f64::INFINITY {
                waiting.push(Reverse((people.sets_off[who].to_bits(), who as u32)));
            }
        }
        for goal in 0..self.places.len() {
            self.places[goal] = None;
            let held: Vec<u32> = (0..self.people.len())
                .filter(|&who| self.people.goal[who] == goal as u32 && self.people.place[who] != NONE)
                .map(|who| self.people.place[who])
                .collect();
            if !held.is_empty() {
                self.make_places(goal);
                for place in held {
                    if let Some(taken) = self.taken[goal].get_mut(place as usize) {
                        *taken = true;
                    }
                }
            }
        }
        self.kept = Kept::default();
        self.routes.clear();
        self.stale = true;
    }

    fn note_narrow_doors(&mut self) {
        let widest = self.people.radius.iter().copied().fold(0.0, f64::max);
        for (i, door) in self.plan.input.doors.iter().enumerate() {
            let width = self.plan.openings[2 * i].width;
            if width < 2.0 * widest + 0.02 {
                let what =
                    format!("doors[{i}] {:?} is {width:.2} m wide: people of {widest:.2} m radius", door.id);
                self.notes.push(what + " can't pass it");
            }
        }
    }

    /// The time of the state, s from the start: whole steps of 0.05 s.
    pub fn time_s(&self) -> f64 {
        self.steps as f64 * STEP_S
    }

    /// What is odd without being wrong, such as people whose goals can't be reached: a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Changes what people are told, a door, or how fast they can walk.
    ///
    /// # Errors
    /// Names the field that is wrong; then nothing was changed.
    pub fn apply(&mut self, change: &Change) -> Result<(), InputError> {
        match change {
            Change::Send { group, goals } => {
                let group = self.group(group)?;
                let mut to = goals.iter().map(|g| self.goal(g)).collect::<Result<Vec<u32>, _>>()?;
                if to.is_empty() {
                    return Err(InputError::new(
                        "send.goals",
                        "none",
                        "name at least one, or hold the group",
                    ));
                }
                to.sort_unstable();
                to.dedup();
                self.send(group, to);
            }
            Change::Hold { group } => {
                let group = self.group(group)?;
                self.hold(group);
            }
            Change::Door { id, open } => {
                let door = find("door.id", id, self.plan.input.doors.iter().map(|d| d.id.as_str()))?;
                self.stale |= self.open[door] != *open;
                self.open[door] = *open;
            }
            Change::Slow { space, share } => {
                check::slowness(share)?;
                let Some(ground) = self.plan.grounds.get(*space as usize) else {
                    let what = format!("space {space}, of {}", self.plan.grounds.len());
                    return Err(InputError::new("slow.space", what, "name one of the spaces there are"));
                };
                let slow = Slow::new(ground, share);
                if self.slow[*space as usize] != slow {
                    self.slow[*space as usize] = slow;
                    self.kept.forget(*space);
                    self.stale = true;
                }
            }
        }
        Ok(())
    }

    fn group(&self, id: &str) -> Result<usize, InputError> {
        find("group", id, self.plan.input.groups.iter().map(|g| g.id.as_str()))
    }

    fn goal(&self, id: &str) -> Result<u32, InputError> {
        find("send.goals", id, self.plan.input.goals.iter().map(|g| g.id.as_str())).map(|g| g as u32)
    }

    /// Those who stand set off after their pre-movement; those on their way turn at once.
    fn send(&mut self, group: usize, goals: Vec<u32>) {
        let now = self.time_s();
        for who in 0..self.people.len() {
            let (state, told) = (self.people.state[who], self.people.sets_off[who] < f64::INFINITY);
            let is_of_it = self.people.group[who] == group as u32;
            let stands = state == State::Arrived || state == State::Waiting && !told;
            if !is_of_it || !stands {
                continue;
            }
            self.leave_place(who);
            let at = now + self.people.premovement(&self.plan, who);
            self.people.state[who] = State::Waiting;
            self.people.speed[who] = 0.0;
            self.people.sets_off[who] = at;
            self.waiting.push(Reverse((at.to_bits(), who as u32)));
        }
        self.orders[group] = Some(goals);
        self.stale = true;
        self.active.retain(|&who| self.people.moves(who as usize));
    }

    fn hold(&mut self, group: usize) {
        let people = &mut self.people;
        for who in (0..people.len()).filter(|&who| people.group[who] == group as u32) {
            match people.state[who] {
                State::Waiting | State::Walking => {
                    people.state[who] = State::Waiting;
                    people.sets_off[who] = f64::INFINITY;
                }
                State::Arrived => people.stands[who] = true,
                State::Left => {}
            }
            people.speed[who] = 0.0;
        }
        self.orders[group] = None;
        self.stale = true;
        self.active.retain(|&who| self.people.moves(who as usize));
    }

    /// Finds the ways anew to where somebody is still to go: those who have arrived or left need none.
    ///
    /// Nobody comes to need one without an order, and with an order the routes are stale; so which are found follows
    /// from the state.
    pub(crate) fn find_routes(&mut self) {
        self.stale = false;
        let mut needs = vec![false; self.orders.len()];
        for (&group, state) in self.people.group.iter().zip(&self.people.state) {
            needs[group as usize] |= matches!(state, State::Walking | State::Waiting);
        }
        let needed: Vec<Option<&Vec<u32>>> =
            self.orders.iter().zip(&needs).map(|(o, needs)| o.as_ref().filter(|_| *needs)).collect();
        self.routes.retain(|r| needed.iter().flatten().any(|goals| **goals == r.goals));
        for goals in needed.iter().flatten() {
            if !self.routes.iter().any(|r| r.goals == **goals) {
                self.routes.push(Route::new(&self.plan, (*goals).clone()));
            }
        }
        let place_of = |goals: &Vec<u32>| self.routes.iter().position(|r| r.goals == *goals);
        self.route_of = needed.iter().map(|o| o.and_then(place_of)).collect();
        let mut ways = Ways { plan: &self.plan, open: &self.open, slow: &self.slow, kept: &mut self.kept };
        for route in &mut self.routes {
            route.find(&mut ways);
        }
        let active = std::mem::take(&mut self.active);
        for &who in &active {
            self.prepare(who as usize);
        }
        self.active = active;
        self.note_cut_off();
    }

    /// Makes the ways through the space of a person ready.
    pub(crate) fn prepare(&mut self, who: usize) {
        let space = self.people.space[who];
        if let Some(route) = self.route_of[self.people.group[who] as usize] {
            let route = &mut self.routes[route];
            if !route.is_prepared(space) {
                route.prepare(&self.plan, &self.slow, &mut self.kept, space);
            }
        }
    }

    fn note_cut_off(&mut self) {
        self.notes.retain(|n| !n.contains(CUT_OFF));
        let people = &self.people;
        let mut cut_off = vec![0; self.route_of.len()];
        for who in 0..people.len() {
            let group = people.group[who] as usize;
            let on_foot = matches!(people.state[who], State::Walking | State::Waiting);
            let leads = |r: usize| self.routes[r].leads_from(people.space[who]);
            cut_off[group] += usize::from(on_foot && self.route_of[group].is_some_and(|r| !leads(r)));
        }
        for (group, cut_off) in self.plan.input.groups.iter().zip(cut_off) {
            if cut_off > 0 {
                self.notes.push(format!("group {:?}: {cut_off} people {CUT_OFF}", group.id));
            }
        }
    }

    fn make_places(&mut self, goal: usize) {
        if self.places[goal].is_none() {
            let places = place::standing(&self.plan, goal as u32, self.people.len());
            self.taken[goal] = vec![false; places.len()];
            self.places[goal] = Some(places.into());
        }
    }

    /// A place that is free; who finds none stands where it is.
    ///
    /// In a whole space people fill up from afar to the door by which they come, and each stream the part that is
    /// nearer to its door than to those of the others: so nobody has to pass those who stand, nor another stream.
    pub(crate) fn take_place(&mut self, who: usize, goal: usize) {
        self.make_places(goal);
        let free = self.free_place(who, goal);
        self.people.stands[who] = free.is_none();
        self.people.place[who] = free.map_or(NONE, |p| p as u32);
        if let Some(free) = free {
            self.taken[goal][free] = true;
        }
        if self.people.stands[who] {
            self.people.speed[who] = 0.0;
        }
    }

    fn free_place(&self, who: usize, goal: usize) -> Option<usize> {
        let taken = &self.taken[goal];
        let first = taken.iter().position(|t| !t)?;
        let here = self.plan.goal(goal as u32);
        let places = self.places[goal].as_ref()?;
        let used = |&side: &Side| {
            let into = twin(side);
            self.passed[door_of(into)][into as usize % 2] > 0
        };
        let sides = &self.plan.grounds[here.space as usize].sides;
        let doors: Vec<Point> =
            sides.iter().copied().filter(used).map(|s| self.plan.openings[s as usize].middle()).collect();
        let at = self.people.at[who];
        let own = doors.iter().copied().min_by(|a, b| distance(*a, at).total_cmp(&distance(*b, at)));
        let (true, Some(own)) = (here.area.is_empty(), own) else { return Some(first) };
        let rank = |place: usize| {
            let off = distance(places[place], own);
            let is_own = doors.iter().all(|&other| off <= distance(places[place], other));
            (is_own, off)
        };
        let free = (first..places.len()).filter(|&place| !taken[place]);
        // Of places as far the first.
        free.reduce(|best, next| {
            let ((b, far), (n, farther)) = (rank(best), rank(next));
            if (n, farther) > (b, far) { next } else { best }
        })
    }

    fn leave_place(&mut self, who: usize) {
        let people = &mut self.people;
        let (goal, place) = (people.goal[who] as usize, people.place[who] as usize);
        if let Some(taken) = self.taken.get_mut(goal).and_then(|t| t.get_mut(place)) {
            *taken = false;
        }
        people.goal[who] = NONE;
        people.place[who] = NONE;
        people.stands[who] = false;
    }
}

/// Marks the notes that are written anew whenever the ways change.
const CUT_OFF: &str = "have no way to any of their goals: open a door, or send them elsewhere";

/// The index of a name.
fn find<'a>(
    field: &str,
    id: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize, InputError> {
    names.clone().position(|n| n == id).ok_or_else(|| {
        let known: Vec<&str> = names.take(8).collect();
        let mend = format!("name one there is, such as {}", known.join(", "));
        InputError::new(field, format!("there is no {id:?}"), mend)
    })
}
