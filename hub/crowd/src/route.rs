//! Which way to go from space to space: times from every door to the nearest goal (Dijkstra 1959).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::door::{Side, door_of, twin};
use crate::field::{Exit, Exits, Field, row};
use crate::geometry::distance;
use crate::plan::Plan;
use crate::slow::Slow;

/// Passing a door counts as this much time at 1 m/s, s: nobody passes two doors to save a hand's breadth, and
/// rounding can't send anybody to and fro.
const PASSING_S: f64 = 0.5;

/// Times between the exits of a space, kept until its slowness changes: to each exit from all its sides of
/// doors.
pub(crate) type Rows = BTreeMap<(u32, u8, u32), Arc<[f64]>>;

fn row_key(space: u32, exit: Exit) -> (u32, u8, u32) {
    match exit {
        Exit::Door(side) => (space, 0, side),
        Exit::Goal(goal) => (space, 1, goal),
    }
}

/// The ways to a set of goals.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub goals: Vec<u32>,
    /// By side: the time at 1 m/s from leaving its space there to the nearest goal, s; infinite: no way.
    beyond: Vec<f64>,
    fields: Vec<Option<Arc<Field>>>,
    /// By space: whether the field is that of the ways as they are now.
    ready: Vec<bool>,
    /// By space: whether any goal can be reached from it.
    leads: Vec<bool>,
}

/// What routes depend on.
pub(crate) struct Ways<'a> {
    pub plan: &'a Plan,
    pub open: &'a [bool],
    pub slow: &'a [Slow],
    pub rows: &'a mut Rows,
}

impl Ways<'_> {
    fn row(&mut self, space: u32, exit: Exit) -> Arc<[f64]> {
        let (plan, slow) = (self.plan, &self.slow[space as usize]);
        let make = || row(plan, space, slow, exit, &plan.grounds[space as usize].sides).into();
        Arc::clone(self.rows.entry(row_key(space, exit)).or_insert_with(make))
    }
}

impl Route {
    pub fn new(plan: &Plan, goals: Vec<u32>) -> Self {
        let (sides, spaces) = (plan.openings.len(), plan.grounds.len());
        Self {
            goals,
            beyond: vec![f64::INFINITY; sides],
            fields: vec![None; spaces],
            ready: vec![false; spaces],
            leads: vec![false; spaces],
        }
    }

    /// Finds the ways anew.
    pub fn find(&mut self, ways: &mut Ways<'_>) {
        let plan = ways.plan;
        // By side: the time from coming in there to the nearest goal.
        let mut from = vec![f64::INFINITY; plan.openings.len()];
        let mut settled = vec![false; from.len()];
        self.beyond.fill(f64::INFINITY);
        self.ready.fill(false);
        let mut heap: BinaryHeap<Reverse<(u64, Side)>> = BinaryHeap::new();
        for &goal in &self.goals {
            let space = plan.goal(goal).space;
            let row = ways.row(space, Exit::Goal(goal));
            for (&side, &time) in plan.grounds[space as usize].sides.iter().zip(row.iter()) {
                if time < from[side as usize] {
                    from[side as usize] = time;
                    heap.push(Reverse((time.to_bits(), side)));
                }
            }
        }
        while let Some(Reverse((bits, side))) = heap.pop() {
            if settled[side as usize] || bits != from[side as usize].to_bits() {
                continue;
            }
            settled[side as usize] = true;
            if !ways.open[door_of(side)] {
                continue;
            }
            let exit = twin(side);
            let opening = &plan.openings[exit as usize];
            let beyond = from[side as usize] + PASSING_S;
            self.beyond[exit as usize] = beyond;
            let sides = &plan.grounds[opening.space as usize].sides;
            let at_best = |s: Side| {
                let straight = distance(plan.openings[s as usize].middle(), opening.middle()) - opening.width;
                // On stairs nobody is taken to walk faster than twice the speed on the level.
                beyond + straight.max(0.0) / 2.0
            };
            let level = !plan.grounds[opening.space as usize].is_stair();
            let bound = |s: Side| if level { at_best(s).max(beyond) } else { beyond };
            // A row is dear in a large space: only where it can shorten a way.
            if sides.iter().all(|&s| s == exit || settled[s as usize] || from[s as usize] <= bound(s)) {
                continue;
            }
            let row = ways.row(opening.space, Exit::Door(exit));
            for (&s, &within) in sides.iter().zip(row.iter()) {
                let time = beyond + within;
                if s != exit && !settled[s as usize] && time < from[s as usize] {
                    from[s as usize] = time;
                    heap.push(Reverse((time.to_bits(), s)));
                }
            }
        }
        self.see_where_it_leads(plan);
    }

    /// Notes from which spaces there is a way at all.
    fn see_where_it_leads(&mut self, plan: &Plan) {
        self.leads.fill(false);
        for &goal in &self.goals {
            self.leads[plan.goal(goal).space as usize] = true;
        }
        for (side, opening) in plan.openings.iter().enumerate() {
            self.leads[opening.space as usize] |= self.beyond[side] < f64::INFINITY;
        }
    }

    fn exits(&self, plan: &Plan, space: u32) -> Exits {
        let goals = self.goals.iter().filter(|&&g| plan.goal(g).space == space);
        let goals = goals.map(|&g| (Exit::Goal(g), 0.0));
        let sides = plan.grounds[space as usize].sides.iter();
        let doors = sides.map(|&s| (Exit::Door(s), self.beyond[s as usize]));
        goals.chain(doors.filter(|d| d.1 < f64::INFINITY)).collect()
    }

    /// Makes the ways through a space ready, if they aren't.
    pub fn prepare(&mut self, plan: &Plan, slow: &[Slow], space: u32) {
        let here = &slow[space as usize];
        let exits = self.exits(plan, space);
        let known = self.fields[space as usize].as_ref();
        if known.is_none_or(|f| f.exits != exits || f.slow != *here) {
            self.fields[space as usize] = Some(Arc::new(Field::new(plan, space, here.clone(), exits)));
        }
        self.ready[space as usize] = true;
    }

    /// Whether the ways through a space were made ready.
    pub fn is_prepared(&self, space: u32) -> bool {
        self.ready[space as usize]
    }

    pub fn field(&self, space: u32) -> Option<&Field> {
        self.fields[space as usize].as_deref()
    }

    /// Whether any goal can be reached from a space.
    pub fn leads_from(&self, space: u32) -> bool {
        self.leads[space as usize]
    }
}
