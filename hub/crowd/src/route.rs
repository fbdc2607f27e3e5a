//! Which way to go from space to space: times from every door to the nearest goal (Dijkstra 1959).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::door::{Side, door_of, twin};
use crate::field::{Exit, Exits, Field, is_straight, row, seeds};
use crate::geometry::distance;
use crate::plan::Plan;
use crate::raster::{Costs, March};
use crate::slow::Slow;

/// Passing a door counts as this much time at 1 m/s, s: nobody passes two doors to save a hand's breadth, and
/// rounding can't send anybody to and fro.
const PASSING_S: f64 = 0.5;
/// In a space of more cells than this, and wherever slowness differs from place to place, one march goes over the
/// space from all its exits in the course of the search, rather than one from each of them: there may be dozens.
const ONE_MARCH_CELLS: usize = 20_000;

/// What is kept of a space until its slowness changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Times between its exits: to each from all its sides of doors.
    rows: BTreeMap<(u32, u8, u32), Arc<[f64]>>,
    /// How long a metre takes in its cells.
    costs: BTreeMap<u32, Arc<Costs>>,
}

impl Kept {
    pub fn forget(&mut self, space: u32) {
        self.rows.retain(|key, _| key.0 != space);
        self.costs.remove(&space);
    }

    fn costs(&mut self, plan: &Plan, slow: &[Slow], space: u32) -> Arc<Costs> {
        let make = || plan.raster(space).costs(&slow[space as usize]).into();
        Arc::clone(self.costs.entry(space).or_insert_with(make))
    }

    fn row(&mut self, plan: &Plan, slow: &[Slow], space: u32, exit: Exit) -> Arc<[f64]> {
        let key = match exit {
            Exit::Door(side) => (space, 0, side),
            Exit::Goal(goal) => (space, 1, goal),
        };
        if let Some(row) = self.rows.get(&key) {
            return Arc::clone(row);
        }
        let here = &slow[space as usize];
        let costs = || self.costs(plan, slow, space);
        let row: Arc<[f64]> = row(plan, space, here, costs, exit, &plan.grounds[space as usize].sides).into();
        self.rows.insert(key, Arc::clone(&row));
        row
    }
}

/// One march over a space from all its exits, which are added as the search comes to them.
#[derive(Clone, Debug)]
struct Front {
    exits: Exits,
    march: March,
    /// How many sides of doors it has still to find the time of.
    missing: usize,
    /// For when it is listed in the search: bits of a time.
    listed: u64,
}

/// The ways to a set of goals.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub goals: Vec<u32>,
    /// By side: the time at 1 m/s from leaving its space there to the nearest goal, s; infinite: no way.
    beyond: Vec<f64>,
    fields: Vec<Option<Arc<Field>>>,
    /// Marches that the search has begun; whoever comes into the space first has it finished.
    fronts: BTreeMap<u32, Arc<Front>>,
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
    pub kept: &'a mut Kept,
}

impl Ways<'_> {
    fn row(&mut self, space: u32, exit: Exit) -> Arc<[f64]> {
        self.kept.row(self.plan, self.slow, space, exit)
    }
}

/// The search from the goals backwards.
struct Search {
    /// By side: the time from coming in there to the nearest goal.
    from: Vec<f64>,
    settled: Vec<bool>,
    /// What comes next: sides by number, and behind them the marches over spaces.
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    fronts: BTreeMap<u32, Front>,
}

impl Search {
    fn reach(&mut self, side: Side, time: f64) {
        if !self.settled[side as usize] && time < self.from[side as usize] {
            self.from[side as usize] = time;
            self.heap.push(Reverse((time.to_bits(), side)));
        }
    }

    /// Lets a march know of another exit.
    fn add(&mut self, ways: &mut Ways<'_>, space: u32, exit: Exit, cost: f64) {
        let (plan, slow) = (ways.plan, &ways.slow[space as usize]);
        let front = self.fronts.entry(space).or_insert_with(|| Front {
            exits: Exits::new(),
            march: March::new(plan.raster(space)),
            missing: plan.grounds[space as usize].sides.len(),
            listed: u64::MAX,
        });
        front.march.add(&seeds(plan, space, slow, &[(exit, cost)], front.exits.len()));
        front.exits.push((exit, cost));
        // Whoever came in here would only turn round.
        if let Exit::Door(side) = exit
            && !self.settled[side as usize]
        {
            front.missing -= 1;
        }
        self.list(plan, space);
    }

    /// Lists a march for when it goes on, as long as there is a side of a door that it hasn't come to.
    fn list(&mut self, plan: &Plan, space: u32) {
        let Some(front) = self.fronts.get_mut(&space) else { return };
        if let Some(next) = front.march.next().filter(|&next| front.missing > 0 && next < front.listed) {
            front.listed = next;
            self.heap.push(Reverse((next, plan.openings.len() as u32 + space)));
        }
    }

    /// Goes on with a march until something else comes before it.
    fn march(&mut self, ways: &mut Ways<'_>, beyond: &[f64], space: u32, listed: u64) {
        let (plan, slow) = (ways.plan, &ways.slow[space as usize]);
        let Some(mut front) = self.fronts.remove(&space) else { return };
        if front.listed == listed {
            front.listed = u64::MAX;
            let (raster, costs) = (plan.raster(space), ways.kept.costs(plan, ways.slow, space));
            while let Some(next) = front.march.next()
                && self.heap.peek().is_none_or(|other| next <= other.0.0)
            {
                let Some((cell, time)) = front.march.step(raster, &costs) else { continue };
                for (side, off) in raster.openings_near(cell) {
                    if beyond[side as usize] == f64::INFINITY && slow.told(raster.centre_of(cell)) > 0.0 {
                        self.reach(side, time + off);
                    }
                }
            }
        }
        self.fronts.insert(space, front);
        self.list(plan, space);
    }
}

impl Route {
    pub fn new(plan: &Plan, goals: Vec<u32>) -> Self {
        let (sides, spaces) = (plan.openings.len(), plan.grounds.len());
        Self {
            goals,
            beyond: vec![f64::INFINITY; sides],
            fields: vec![None; spaces],
            fronts: BTreeMap::new(),
            ready: vec![false; spaces],
            leads: vec![false; spaces],
        }
    }

    /// Whether one march goes over a space in the course of the search.
    fn marches_once(&self, ways: &Ways<'_>, space: u32) -> bool {
        let (plan, slow) = (ways.plan, &ways.slow[space as usize]);
        let whole = |&g: &u32| plan.goal(g).space == space && plan.goal(g).area.is_empty();
        !is_straight(plan, space, slow)
            && (slow.is_grid() || plan.raster(space).flags.len() > ONE_MARCH_CELLS)
            && !self.goals.iter().any(whole)
    }

    /// Finds the ways anew.
    pub fn find(&mut self, ways: &mut Ways<'_>) {
        let plan = ways.plan;
        let sides = plan.openings.len();
        let mut search = Search {
            from: vec![f64::INFINITY; sides],
            settled: vec![false; sides],
            heap: BinaryHeap::new(),
            fronts: BTreeMap::new(),
        };
        self.beyond.fill(f64::INFINITY);
        self.ready.fill(false);
        for &goal in &self.goals {
            let space = plan.goal(goal).space;
            if self.marches_once(ways, space) {
                search.add(ways, space, Exit::Goal(goal), 0.0);
                continue;
            }
            let row = ways.row(space, Exit::Goal(goal));
            for (&side, &time) in plan.grounds[space as usize].sides.iter().zip(row.iter()) {
                search.reach(side, time);
            }
        }
        while let Some(Reverse((bits, side))) = search.heap.pop() {
            if side as usize >= sides {
                search.march(ways, &self.beyond, side - sides as u32, bits);
                continue;
            }
            if search.settled[side as usize] || bits != search.from[side as usize].to_bits() {
                continue;
            }
            search.settled[side as usize] = true;
            // Where an exit is at it too, it was counted then.
            if self.beyond[side as usize] == f64::INFINITY
                && let Some(front) = search.fronts.get_mut(&plan.openings[side as usize].space)
            {
                front.missing -= 1;
            }
            if !ways.open[door_of(side)] {
                continue;
            }
            let exit = twin(side);
            let opening = &plan.openings[exit as usize];
            let beyond = search.from[side as usize] + PASSING_S;
            self.beyond[exit as usize] = beyond;
            if self.marches_once(ways, opening.space) {
                search.add(ways, opening.space, Exit::Door(exit), beyond);
                continue;
            }
            let sides = &plan.grounds[opening.space as usize].sides;
            let at_best = |s: Side| {
                let straight = distance(plan.openings[s as usize].middle(), opening.middle()) - opening.width;
                // On stairs nobody is taken to walk faster than twice the speed on the level.
                beyond + straight.max(0.0) / 2.0
            };
            let level = !plan.grounds[opening.space as usize].is_stair();
            let bound = |s: Side| if level { at_best(s).max(beyond) } else { beyond };
            // A row is dear in a large space: only where it can shorten a way.
            let known = |s: Side| search.settled[s as usize] || search.from[s as usize] <= bound(s);
            if sides.iter().all(|&s| s == exit || known(s)) {
                continue;
            }
            let row = ways.row(opening.space, Exit::Door(exit));
            for (&s, &within) in sides.iter().zip(row.iter()) {
                if s != exit {
                    search.reach(s, beyond + within);
                }
            }
        }
        self.fronts = search.fronts.into_iter().map(|(space, front)| (space, front.into())).collect();
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
    pub fn prepare(&mut self, plan: &Plan, slow: &[Slow], kept: &mut Kept, space: u32) {
        let here = &slow[space as usize];
        let front = self.fronts.remove(&space).map(Arc::unwrap_or_clone);
        let (exits, march) = match front {
            Some(front) => (front.exits, Some(front.march)),
            None => (self.exits(plan, space), None),
        };
        let known = self.fields[space as usize].as_ref();
        if known.is_none_or(|f| f.exits != exits || f.slow != *here) {
            let times = Field::is_marched(plan, space, here, &exits).then(|| {
                let (raster, costs) = (plan.raster(space), kept.costs(plan, slow, space));
                let begun = march.unwrap_or_else(|| {
                    let mut march = March::new(raster);
                    march.add(&seeds(plan, space, here, &exits, 0));
                    march
                });
                begun.finish(raster, &costs)
            });
            self.fields[space as usize] = Some(Arc::new(Field::new(plan, space, here.clone(), exits, times)));
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Shape, Slowness, bench};

    #[test]
    fn one_march_finds_what_a_march_from_every_exit_finds() {
        let mut input = bench::school();
        let yard = input.goals[0].space;
        let Shape::Level { outline, .. } = &input.spaces[yard as usize].shape else {
            panic!("the yard is level")
        };
        // A corner of the yard rather than all of it.
        let [x, y] = outline[0];
        input.goals[0].area = vec![[x, y], [x + 8.0, y], [x + 8.0, y + 8.0], [x, y + 8.0]];
        let plan = Plan::new(input).unwrap();
        let mut slow = vec![Slow(Slowness::Whole(1.0)); plan.grounds.len()];
        let share = (0..20 * 20).map(|c| 1.0 - f64::from(c % 20) * 0.03).collect();
        slow[yard as usize] = Slow(Slowness::Grid { origin_m: [x, y], cell_m: 10.0, nx: 20, share });
        let mut kept = Kept::default();
        let open = vec![true; plan.openings.len() / 2];
        let mut ways = Ways { plan: &plan, open: &open, slow: &slow, kept: &mut kept };
        let mut route = Route::new(&plan, vec![0]);
        assert!(route.marches_once(&ways, yard));
        route.find(&mut ways);
        assert!(route.leads.iter().all(|leads| *leads), "from everywhere a way leads to the yard");

        let sides = &plan.grounds[yard as usize].sides;
        let exits = route.exits(&plan, yard);
        let mut found = 0;
        for (k, &side) in sides.iter().enumerate() {
            let others = exits.iter().filter(|e| e.0 != Exit::Door(side));
            let best = others.map(|&(e, cost)| cost + ways.row(yard, e)[k]).fold(f64::INFINITY, f64::min);
            let got = route.beyond[twin(side) as usize];
            if got < f64::INFINITY {
                found += 1;
                let off = (got - (best + PASSING_S)).abs();
                assert!(off <= 0.01 * best + 0.1, "side {side}: {got} s, from every exit {best} s");
            } else {
                // Whoever comes in there does better not to.
                assert!(best >= route.beyond[side as usize], "side {side}: {best} s and not found");
            }
        }
        assert!(found >= 8, "{found} ways lead through the yard");
    }
}
