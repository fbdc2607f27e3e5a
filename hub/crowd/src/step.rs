//! A step of the whole crowd: all moves from the state before, then all of them made true in order.

use std::cmp::Reverse;

use crate::door::door_of;
use crate::geometry::{distance, nearest_of_area};
use crate::motion::{Before, Move, STEP_S};
use crate::sight::Scratch;
use crate::{Crowd, Point, State};

/// Below this speed a person counts as stuck, as a share of the free one.
const HARDLY: f64 = 0.05;
/// One on its way to a place to stand who doesn't come nearer to it stands where it is: ten seconds of standing still,
/// or twenty of being pushed to and fro.
const GIVES_UP: u16 = 400;
/// Near enough to a place to stand, m.
const AT_PLACE_M: f64 = 0.1;
/// Fewer people than this a thread aren't worth a thread.
const PEOPLE_A_THREAD: usize = 512;

impl Crowd {
    /// Moves on by this time. Steps are of 0.05 s; what is less is kept for the next call. The result doesn't
    /// depend on the number of threads.
    pub fn step(&mut self, dt_s: f64, threads: usize) {
        // Not a number, less than nothing, for ever: no time.
        let dt_s = if dt_s.is_finite() { dt_s.max(0.0) } else { 0.0 };
        self.owed_s += dt_s;
        let steps = ((self.owed_s + 1e-9) / STEP_S) as u64;
        self.owed_s = (self.owed_s - steps as f64 * STEP_S).max(0.0);
        let mut moves = Vec::new();
        for _ in 0..steps {
            self.one_step(threads, &mut moves);
        }
    }

    fn one_step(&mut self, threads: usize, moves: &mut Vec<Move>) {
        if self.stale {
            self.find_routes();
        }
        self.set_off();
        if !self.active.is_empty() {
            self.move_all(threads, moves);
            self.enact(moves);
        }
        self.steps += 1;
        debug_assert_eq!(self.people.len(), self.count_present() + self.count_left(), "somebody is lost");
    }

    /// Starts those whose time has come.
    fn set_off(&mut self) {
        let now = self.time_s();
        let before = self.active.len();
        while let Some(&Reverse((bits, who))) = self.waiting.peek() {
            if f64::from_bits(bits) > now {
                break;
            }
            self.waiting.pop();
            let i = who as usize;
            // A group that was held or sent again left old entries.
            if self.people.state[i] == State::Waiting && self.people.sets_off[i].to_bits() == bits {
                self.people.state[i] = State::Walking;
                self.people.stuck[i] = 0;
                self.active.push(who);
                self.prepare(i);
            }
        }
        if self.active.len() > before {
            self.active.sort_unstable();
        }
    }

    /// Computes the moves of all from the state before.
    fn move_all(&self, threads: usize, moves: &mut Vec<Move>) {
        moves.clear();
        moves.resize(self.active.len(), Move::default());
        let (people, routes, route_of) = (&self.people, &self.routes, &self.route_of);
        let field = |who: usize| {
            let route = route_of[people.group[who] as usize]?;
            routes[route].field(people.space[who])
        };
        let place = |who: usize| {
            let places = self.places.get(people.goal[who] as usize)?.as_ref()?;
            places.get(people.place[who] as usize).copied()
        };
        let before = Before {
            plan: &self.plan,
            people,
            cells: &self.cells,
            open: &self.open,
            slow: &self.slow,
            speeds: &self.speeds,
            field: &field,
            place: &place,
            steps: self.steps,
        };
        let run = |who: &[u32], moves: &mut [Move]| {
            let mut scratch = Scratch::default();
            for (&who, to) in who.iter().zip(moves) {
                *to = before.step(who as usize, &mut scratch);
            }
        };
        let threads = threads.clamp(1, self.active.len().div_ceil(PEOPLE_A_THREAD));
        if threads == 1 {
            return run(&self.active, moves);
        }
        let each = self.active.len().div_ceil(threads);
        std::thread::scope(|scope| {
            for (who, moves) in self.active.chunks(each).zip(moves.chunks_mut(each)) {
                scope.spawn(|| run(who, moves));
            }
        });
    }

    /// Makes the moves come true, in the order of the people's numbers.
    fn enact(&mut self, moves: &[Move]) {
        let active = std::mem::take(&mut self.active);
        let mut some_stopped = false;
        for (&who, step) in active.iter().zip(moves) {
            let i = who as usize;
            let comes_nearer = self.comes_nearer(i, step);
            let people = &mut self.people;
            people.at[i] = step.at;
            people.heading[i] = step.heading;
            people.speed[i] = step.speed;
            people.walked[i] += step.went;
            people.left_s[i] = step.left_s;
            let hardly = step.speed < HARDLY * people.free[i];
            people.stuck[i] = match (people.state[i], comes_nearer) {
                (State::Arrived, false) => people.stuck[i].saturating_add(2),
                (State::Arrived, true) => people.stuck[i].saturating_sub(1),
                _ if hardly => people.stuck[i].saturating_add(1),
                _ => 0,
            };
            if let Some(side) = step.through {
                people.space[i] = step.space;
                self.passed[door_of(side)][side as usize % 2] += 1;
                self.prepare(i);
            }
            self.cells.put(&self.plan, who, step.space, step.at);
            match self.people.state[i] {
                State::Walking => self.arrive(i),
                State::Arrived => self.stand(i),
                State::Waiting | State::Left => {}
            }
            some_stopped |= !self.people.moves(i);
        }
        self.active = active;
        if some_stopped {
            self.active.retain(|&who| self.people.moves(who as usize));
        }
    }

    /// Whether a step leads one who has arrived on towards its place.
    fn comes_nearer(&self, who: usize, step: &Move) -> bool {
        let people = &self.people;
        let places = self.places.get(people.goal[who] as usize).and_then(Option::as_ref);
        let place = places.and_then(|p| p.get(people.place[who] as usize));
        let gain = |&p: &Point| distance(p, people.at[who]) - distance(p, step.at);
        place.is_none_or(|p| gain(p) > HARDLY * people.free[who] * STEP_S)
    }

    /// Ends the way of one who is in one of its goals.
    fn arrive(&mut self, who: usize) {
        let people = &mut self.people;
        let Some(route) = self.route_of[people.group[who] as usize] else { return };
        let plan = &self.plan;
        let is_in = |&&goal: &&u32| {
            let goal = plan.goal(goal);
            let p = people.at[who];
            goal.space == people.space[who]
                && (goal.area.is_empty() || distance(nearest_of_area(&goal.area, p), p) == 0.0)
        };
        let Some(&goal) = self.routes[route].goals.iter().find(is_in) else { return };
        let now = (self.steps + 1) as f64 * STEP_S;
        self.arrivals[goal as usize].push(now);
        self.last_arrival_s[people.group[who] as usize] = Some(now);
        people.sets_off[who] = f64::INFINITY;
        people.goal[who] = goal;
        if plan.goal(goal).leaves {
            people.state[who] = State::Left;
            people.speed[who] = 0.0;
            self.cells.take(who as u32);
            return;
        }
        people.state[who] = State::Arrived;
        people.stuck[who] = 0;
        self.take_place(who, goal as usize);
    }

    /// Stops one who has come to its place, or can't.
    fn stand(&mut self, who: usize) {
        let people = &mut self.people;
        let places = self.places.get(people.goal[who] as usize).and_then(Option::as_ref);
        let place = places.and_then(|p| p.get(people.place[who] as usize));
        let there = place.is_none_or(|&p| distance(p, people.at[who]) < AT_PLACE_M);
        if there || people.stuck[who] > GIVES_UP {
            people.stands[who] = true;
            people.speed[who] = 0.0;
        }
    }

    fn count_present(&self) -> usize {
        self.cells.count()
    }

    fn count_left(&self) -> usize {
        self.people.state.iter().filter(|s| **s == State::Left).count()
    }
}
