//! Drains: inlets that lead to one outfall, against the water outside.
//!
//! The outlet lets its full capacity pass under the head of design, and as the root of the head below it. The
//! head is from the mean level over the inlets, each counted by what it would take, to the level outside or
//! the invert of the outfall, whichever is higher. Without a flap the same pipe brings water back to inlets
//! that lie lower than the level outside. Pumps first stem what comes back, then take what the outlet leaves.

use crate::opening::inlet_m3_s;
use crate::rooms::Basins;
use crate::{Drain, End, Inlet};

/// A drain as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DrainState {
    /// The share of its inlets that is free.
    pub(crate) free: f64,
    /// Out and back over the last step, in quanta.
    pub(crate) out: i64,
    pub(crate) back: i64,
    /// Since the start, in quanta.
    pub(crate) all_out: i128,
    pub(crate) all_back: i128,
    /// What its outlet lets pass by gravity now, m³/s.
    pub(crate) capacity_m3_s: f64,
    /// What its pumps lifted over the last step, in quanta.
    pub(crate) pumped: i64,
}

struct Wish<'a> {
    inlet: &'a Inlet,
    /// What falls in if the pipe takes it, m³/s.
    demand: f64,
    /// What comes up if the pipe brings it, m³/s.
    rise: f64,
    /// Its level above the tail, m; negative below.
    head: f64,
}

/// Runs a drain for a while, with `outside` the level there above the datum and `pumps_m3_s` the pumps that
/// run.
pub(crate) fn run(
    drain: &Drain,
    state: &mut DrainState,
    basins: &mut Basins<'_>,
    outside: Option<f64>,
    pumps_m3_s: f64,
    dt_s: f64,
) {
    let invert = drain.outfall_m - basins.terrain.datum_m;
    let tail = outside.map_or(invert, |level| level.max(invert));
    // Water can come back only from a level that reaches the outfall.
    let returns = !drain.flap && outside.is_some_and(|level| level > invert);
    let wishes: Vec<Wish<'_>> = drain
        .inlets
        .iter()
        .map(|inlet| {
            let head = basins.level(End::Cell(inlet.cell)) - tail;
            let depth = basins.water.depth[inlet.cell as usize];
            let flow = |head: f64| state.free * inlet_m3_s(head, inlet.perimeter_m, inlet.area_m2);
            Wish { inlet, demand: flow(depth), rise: if returns { flow(-head) } else { 0.0 }, head }
        })
        .collect();

    let falling = || wishes.iter().filter(|w| w.head > 0.0);
    let (demand, capacity) = limited(drain, falling().map(|w| (w.demand, w.head)));
    let by_gravity = share(capacity, demand);
    let (rising, backward) = limited(drain, wishes.iter().map(|w| (w.rise, -w.head)));
    let came_back = rising.min(backward);
    let stemmed = came_back.min(pumps_m3_s);
    let by_return = share(came_back - stemmed, rising);
    let left = |w: &Wish<'_>| if w.head > 0.0 { w.demand * (1.0 - by_gravity) } else { w.demand };
    let by_pumps = share(pumps_m3_s - stemmed, wishes.iter().map(left).sum());

    state.capacity_m3_s = capacity;
    for wish in &wishes {
        let cell = End::Cell(wish.inlet.cell);
        // The outlet does not draw an inlet down below the tail, nor fill it beyond.
        let to_tail = basins.quanta(wish.head.abs() * basins.terrain.area_m2());
        let gravity =
            if wish.head > 0.0 { basins.quanta(wish.demand * by_gravity * dt_s).min(to_tail) } else { 0 };
        let back = basins.quanta(wish.rise * by_return * dt_s).min(to_tail);
        let gravity = gravity.min(basins.holds(cell));
        let pumped = basins.quanta(left(wish) * by_pumps * dt_s).min(basins.holds(cell) - gravity);
        if gravity + pumped + back > 0 {
            basins.add(cell, back - gravity - pumped);
        }
        state.out += gravity + pumped;
        state.pumped += pumped;
        state.back += back;
        state.all_out += i128::from(gravity + pumped);
        state.all_back += i128::from(back);
    }
}

/// The sum of flows, and what the pipe lets pass under their mean head.
fn limited(drain: &Drain, flows: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let (sum, moment) = flows
        .filter(|f| f.0 > 0.0)
        .fold((0.0, 0.0), |(sum, moment), (flow, head)| (sum + flow, moment + flow * head));
    let head = if sum > 0.0 { moment / sum } else { 0.0 };
    (sum, drain.capacity_m3_s * (head / drain.design_head_m).clamp(0.0, 1.0).sqrt())
}

fn share(of: f64, among: f64) -> f64 {
    if among > of { (of / among).max(0.0) } else { 1.0 }
}
