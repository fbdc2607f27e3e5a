//! Rooms with a level of their own, and the doors between them and the grid.

use crate::opening::flow_m2_s;
use crate::quantum;
use crate::terrain::Terrain;
use crate::water::Water;
use crate::{End, Link, Room};

/// A room's water.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RoomState {
    /// In quanta.
    pub(crate) holds: i64,
    /// What came in, less what went, over the last step, in quanta.
    pub(crate) inflow: i64,
}

/// A link as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LinkState {
    pub(crate) open: f64,
    /// From `a` to `b` over the last step, in quanta.
    pub(crate) passed: i64,
}

/// Everywhere that water can be put or taken by quanta: cells and rooms.
pub(crate) struct Basins<'a> {
    pub(crate) terrain: &'a Terrain,
    pub(crate) water: &'a mut Water,
    pub(crate) rooms: &'a [Room],
    pub(crate) states: &'a mut [RoomState],
}

impl Basins<'_> {
    /// A volume in quanta, cut to whole ones.
    pub(crate) fn quanta(&self, volume_m3: f64) -> i64 {
        (volume_m3 / self.terrain.quantum_m3()) as i64
    }

    /// The level above the datum, m; the floor when it is dry.
    pub(crate) fn level(&self, end: End) -> f64 {
        match end {
            End::Cell(cell) => self.terrain.bed[cell as usize] + self.water.depth[cell as usize],
            End::Room(room) => {
                let (holds, room) = (self.states[room as usize].holds, &self.rooms[room as usize]);
                room.floor_m - self.terrain.datum_m + holds as f64 * self.terrain.quantum_m3() / room.area_m2
            }
        }
    }

    fn area_m2(&self, end: End) -> f64 {
        match end {
            End::Cell(_) => self.terrain.area_m2(),
            End::Room(room) => self.rooms[room as usize].area_m2,
        }
    }

    /// What stands there, in quanta.
    pub(crate) fn holds(&self, end: End) -> i64 {
        match end {
            End::Cell(cell) => quantum::count(self.water.depth[cell as usize]),
            End::Room(room) => self.states[room as usize].holds,
        }
    }

    /// What still goes in, in quanta.
    pub(crate) fn space(&self, end: End) -> i64 {
        match end {
            End::Cell(_) => i64::MAX >> 1,
            End::Room(at) => {
                let room = &self.rooms[at as usize];
                (self.quanta(room.area_m2 * room.height_m) - self.states[at as usize].holds).max(0)
            }
        }
    }

    /// Adds quanta, or takes them when negative.
    pub(crate) fn add(&mut self, end: End, quanta: i64) {
        match end {
            End::Cell(cell) => {
                let depth = quantum::depth_m(self.holds(end) + quanta);
                self.water.set_depth(cell as usize, depth);
            }
            End::Room(room) => {
                self.states[room as usize].holds += quanta;
                self.states[room as usize].inflow += quanta;
            }
        }
    }

    /// Lets water through a link for a while. It never goes beyond the equal level, nor takes what is not
    /// there.
    pub(crate) fn pass(&mut self, link: &Link, state: &mut LinkState, dt_s: f64) {
        let (level_a, level_b) = (self.level(link.a), self.level(link.b));
        let (from, to, sign) = if level_a > level_b { (link.a, link.b, 1) } else { (link.b, link.a, -1) };
        let (high, low) = (level_a.max(level_b), level_a.min(level_b));
        let sill = link.sill_m - self.terrain.datum_m;
        let flow = flow_m2_s(high, low, sill, sill + link.height_m) * link.width_m * state.open;
        let (giving, taking) = (self.area_m2(from), self.area_m2(to));
        let to_equal = (high - low) * (giving * taking / (giving + taking));
        let to_sill = (high - sill).max(0.0) * giving;
        let quanta = self.quanta((flow * dt_s).min(to_equal).min(to_sill));
        let quanta = quanta.min(self.holds(from)).min(self.space(to));
        if quanta > 0 {
            self.add(from, -quanta);
            self.add(to, quanta);
            state.passed += sign * quanta;
        }
    }
}
