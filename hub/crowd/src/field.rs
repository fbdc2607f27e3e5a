//! Which way to go within a space: to the exit from which the rest of the way is shortest.

use std::sync::Arc;

use crate::Point;
use crate::door::Side;
use crate::geometry::{along, centre, distance, nearest_of_area, sub, unit};
use crate::plan::Plan;
use crate::raster::{Costs, NEAR_WALL, Seed, Times};
use crate::slow::Slow;

/// People look this far for an exit that they can walk straight to, m, where there are corners or obstacles.
const STRAIGHT_M: f64 = 15.0;
/// Where water lies unevenly they look less far.
const STRAIGHT_IN_WATER_M: f64 = 1.0;

/// Where a way through a space ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Door(Side),
    Goal(u32),
}

/// Exits and the times from there on at 1 m/s, s.
pub(crate) type Exits = Vec<(Exit, f64)>;

/// The ways through a space.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub space: u32,
    pub exits: Exits,
    pub slow: Slow,
    /// Those that are the best from somewhere, where the way is straight.
    best: Exits,
    /// None where everything sees everything: there the way is straight.
    marched: Option<Marched>,
}

#[derive(Clone, Debug)]
struct Marched {
    times: Times,
    /// The cells from which one walks straight to the exit.
    straight: Vec<bool>,
}

/// Which way to go from a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub heading: Point,
    pub exit: Exit,
    /// The time left at 1 m/s, s.
    pub left_s: f64,
}

impl Exit {
    /// The point of the exit nearest to `p` for a body of this radius.
    fn aim(self, plan: &Plan, p: Point, radius: f64) -> Point {
        match self {
            Self::Door(side) => plan.openings[side as usize].aim(p, radius),
            Self::Goal(goal) => {
                let area = &plan.goal(goal).area;
                if area.is_empty() { p } else { nearest_of_area(area, p) }
            }
        }
    }

    /// The direction in which to walk from `p`, so that one passes the exit rather than stopping at it.
    fn heading(self, plan: &Plan, p: Point, radius: f64) -> Option<Point> {
        let aim = self.aim(plan, p, radius);
        let past = match self {
            Self::Door(side) => along(aim, plan.openings[side as usize].inward(), -0.2),
            Self::Goal(goal) => {
                let inwards = unit(sub(centre(&plan.goal(goal).area), aim)).unwrap_or([0.0, 0.0]);
                along(aim, inwards, 0.2)
            }
        };
        unit(sub(past, p))
    }
}

/// The time for a straight way of a space at 1 m/s, s.
fn straight_time(plan: &Plan, space: u32, slow: &Slow, from: Point, to: Point) -> f64 {
    let mut share = slow.walked(from);
    if plan.grounds[space as usize].is_stair() {
        share *= plan.stairs[usize::from(to[0] < from[0])];
    }
    distance(from, to) / share
}

/// Whether ways through a space are straight: everything in it sees everything, and it is the same everywhere.
pub(crate) fn is_straight(plan: &Plan, space: u32, slow: &Slow) -> bool {
    plan.grounds[space as usize].convex && !slow.is_grid()
}

/// The cells at the exits of a space, from which a march begins; the first exit has the number `first`.
pub(crate) fn seeds(plan: &Plan, space: u32, slow: &Slow, exits: &[(Exit, f64)], first: usize) -> Vec<Seed> {
    let (raster, ground) = (plan.raster(space), &plan.grounds[space as usize]);
    let mut seeds: Vec<Seed> = Vec::new();
    for (number, &(exit, cost)) in exits.iter().enumerate() {
        let cells: Vec<usize> = match exit {
            Exit::Door(side) => {
                let opening = &plan.openings[side as usize];
                let reach = opening.width / 2.0 + 1.5 * raster.cell_m;
                raster.around(opening.middle(), reach).collect()
            }
            Exit::Goal(goal) if plan.goal(goal).area.is_empty() => {
                (0..raster.flags.len()).filter(|&c| raster.is_inside(c)).collect()
            }
            Exit::Goal(goal) => {
                let area = &plan.goal(goal).area;
                let middle = centre(area);
                let reach = area.iter().map(|&p| distance(p, middle)).fold(0.0, f64::max);
                raster.around(middle, reach + 1.5 * raster.cell_m).collect()
            }
        };
        for cell in cells {
            let c = raster.centre_of(cell);
            let aim = exit.aim(plan, c, 0.0);
            let off = distance(c, aim);
            // The middle of an opening's line is on the edge, where rounding may see a wall: look from just
            // inside.
            let seen = raster.flags[cell] & NEAR_WALL == 0
                || !ground.walls.iter().any(|w| w.meets(c, along(aim, sub(c, aim), 1e-3)));
            if off <= 1.5 * raster.cell_m && seen {
                seeds.push((cell, cost + off / slow.walked(c), (first + number) as u16));
            }
        }
    }
    seeds
}

/// The times from each of `from` to an exit of the same space at 1 m/s, s; infinite where there is no way.
pub(crate) fn row(
    plan: &Plan,
    space: u32,
    slow: &Slow,
    costs: impl FnOnce() -> Arc<Costs>,
    exit: Exit,
    from: &[Side],
) -> Vec<f64> {
    if slow.0 == crate::Slowness::Whole(0.0) {
        return vec![f64::INFINITY; from.len()];
    }
    let middles = from.iter().map(|&side| plan.openings[side as usize].middle());
    if is_straight(plan, space, slow) {
        return middles.map(|m| straight_time(plan, space, slow, m, exit.aim(plan, m, 0.0))).collect();
    }
    let raster = plan.raster(space);
    let times = raster.march(&costs(), &seeds(plan, space, slow, &[(exit, 0.0)], 0));
    middles
        .map(|m| {
            let near = raster.around(m, 1.5 * raster.cell_m);
            let time = |c: usize| times.time[c] + distance(raster.centre_of(c), m);
            near.filter(|&c| slow.told(raster.centre_of(c)) > 0.0).map(time).fold(f64::INFINITY, f64::min)
        })
        .collect()
}

/// Leaves out the exits to which nobody goes: at each another exit is as near as what lies beyond it, and
/// then it is
/// from everywhere. A corridor has many doors, yet few lead on.
fn best_of(plan: &Plan, space: u32, slow: &Slow, exits: &Exits) -> Exits {
    let mut order = exits.clone();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut best = Exits::new();
    for (exit, cost) in order {
        let Exit::Door(side) = exit else {
            best.push((exit, cost));
            continue;
        };
        let at = plan.openings[side as usize].middle();
        let other = |&(e, c): &(Exit, f64)| c + straight_time(plan, space, slow, at, e.aim(plan, at, 0.0));
        if best.iter().all(|e| cost < other(e)) {
            best.push((exit, cost));
        }
    }
    best
}

impl Field {
    /// Whether the ways to these exits have to be marched for: where they aren't straight, and those who are there
    /// aren't where they go.
    pub fn is_marched(plan: &Plan, space: u32, slow: &Slow, exits: &Exits) -> bool {
        let whole = |e: &(Exit, f64)| matches!(e.0, Exit::Goal(g) if plan.goal(g).area.is_empty());
        !is_straight(plan, space, slow) && !exits.iter().any(whole)
    }

    /// The ways, from the times that were marched for.
    pub fn new(plan: &Plan, space: u32, slow: Slow, exits: Exits, times: Option<Times>) -> Self {
        let marched = times.map(|times| {
            let raster = plan.raster(space);
            let reach = if slow.is_grid() { STRAIGHT_IN_WATER_M } else { STRAIGHT_M };
            let sees = |cell: usize| {
                let Some(&(exit, _)) = exits.get(times.exit[cell] as usize) else { return false };
                let c = raster.centre_of(cell);
                let aim = exit.aim(plan, c, 0.2);
                distance(aim, c) <= reach && raster.clear_line(cell, aim)
            };
            let straight = (0..raster.flags.len()).map(sees).collect();
            Marched { times, straight }
        });
        let best = if marched.is_none() { best_of(plan, space, &slow, &exits) } else { Exits::new() };
        Self { space, exits, slow, best, marched }
    }

    /// Which way to go from `p`; none where there is no way or one is there already.
    pub fn way(&self, plan: &Plan, p: Point, radius: f64) -> Option<Way> {
        let Some(marched) = &self.marched else {
            let mut best: Option<(f64, Exit)> = None;
            for &(exit, cost) in &self.best {
                let aim = exit.aim(plan, p, radius);
                let time = cost + straight_time(plan, self.space, &self.slow, p, aim);
                if best.is_none_or(|b| time < b.0) {
                    best = Some((time, exit));
                }
            }
            let (left_s, exit) = best?;
            return Some(Way { heading: exit.heading(plan, p, radius)?, exit, left_s });
        };
        let (raster, times) = (plan.raster(self.space), &marched.times);
        let cell = raster.cell(p);
        if marched.straight[cell] {
            let exit = self.exits[times.exit[cell] as usize].0;
            return Some(Way { heading: exit.heading(plan, p, radius)?, exit, left_s: times.time[cell] });
        }
        self.between(plan, times, p, radius, cell)
    }

    /// The heading between the middles of the four cells about a point.
    fn between(&self, plan: &Plan, times: &Times, p: Point, radius: f64, own: usize) -> Option<Way> {
        let (raster, ground) = (plan.raster(self.space), &plan.grounds[self.space as usize]);
        let near_wall = raster.flags[own] & NEAR_WALL != 0;
        let seen = |c: Point| !near_wall || !ground.walls_near(p).any(|w| w.meets(p, c));
        let (mut sum, mut best) = ([0.0, 0.0], (f64::INFINITY, own));
        for cell in raster.around(p, raster.cell_m * 1.5) {
            let c = raster.centre_of(cell);
            let weight = |k: usize| (1.0 - (c[k] - p[k]).abs() / raster.cell_m).max(0.0);
            let weight = weight(0) * weight(1);
            if times.time[cell] == f64::INFINITY || !seen(c) {
                continue;
            }
            let [x, y] = times.heading[cell];
            sum = [sum[0] + weight * f64::from(x), sum[1] + weight * f64::from(y)];
            if times.time[cell] < best.0 {
                best = (times.time[cell], cell);
            }
        }
        if best.0 == f64::INFINITY {
            return None;
        }
        let exit = self.exits[times.exit[best.1] as usize].0;
        // At the exit itself there is no heading in between, and the middle of a cell may lie behind.
        let near = |exit: Exit| distance(exit.aim(plan, p, 0.0), p) <= 1.5 * raster.cell_m;
        let at_exit = near(exit).then(|| exit.heading(plan, p, radius)).flatten();
        let heading = at_exit.or_else(|| unit(sum)).or_else(|| unit(sub(raster.centre_of(best.1), p)))?;
        Some(Way { heading, exit, left_s: best.0 })
    }
}
