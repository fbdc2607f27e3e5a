//! The register of a meter: from readings, whenever they come, to what stood there at each full quarter of an
//! hour, and how well that is known.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Seconds of a slot. Everything is summed between the edges of slots, which lie at full quarters of an hour
/// UTC.
pub const SLOT_S: i64 = 900;
/// Slots of a day.
pub const DAY_SLOTS: i64 = 96;
/// Slots that are kept: a day, and two hours in which it may still be closed.
const KEPT: usize = DAY_SLOTS as usize + 9;
/// A register that falls by more than this was exchanged or set anew; by less, water has run back through it.
/// L.
const MOST_BACK_L: f64 = 5_000.0;

/// What a register can show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dial {
    /// Litres that its last digit stands for.
    pub resolution_l: f64,
    /// Litres after which it begins at 0 again; none where it does not.
    pub rollover_l: Option<f64>,
}

/// What a reading has told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// Water has passed, or none.
    Passed,
    /// It is no newer than the one before, and not used.
    Old,
    /// So many litres have run back.
    Back(f64),
    /// The meter was exchanged or set anew; what passed meanwhile is not known.
    Exchanged,
}

/// A volume between two edges with its standard uncertainty, in litres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Volume {
    /// How much.
    pub litres: f64,
    /// How well the two edges are known.
    pub spread: f64,
}

/// An edge: what has passed since the one before, and how well it is known what stood there beside the last
/// digit, as a standard uncertainty; both in hundredths of a litre, which keeps what is stored short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Edge(i64, i64);

/// A register as it has been read so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// The newest reading: seconds since 1970 and litres.
    last: Option<(i64, f64)>,
    /// When it has last moved, seconds since 1970.
    moved_s: i64,
    /// The number of the newest edge, and litres since then.
    slot: i64,
    since_l: f64,
    /// The oldest first.
    edges: VecDeque<Edge>,
}

fn hundredths(litres: f64) -> i64 {
    (litres * 100.0).round() as i64
}

impl Register {
    /// Takes a reading: seconds since 1970 and litres.
    ///
    /// Between two readings water is taken to have passed evenly. What stood at an edge between them is then
    /// wrong by at most the longer part of what passed, which counts as a rectangular distribution; so does
    /// the last digit (JCGM 100, 4.3.7).
    pub fn read(&mut self, dial: &Dial, at_s: i64, litres: f64) -> Told {
        let Some((since_s, before_l)) = self.last else {
            self.last = Some((at_s, litres));
            self.moved_s = at_s;
            if at_s.rem_euclid(SLOT_S) == 0 {
                self.push(at_s / SLOT_S, Edge(0, 0));
            }
            return Told::Passed;
        };
        if at_s <= since_s {
            return Told::Old;
        }
        let mut passed = litres - before_l;
        if let Some(end) = dial.rollover_l.filter(|end| passed < -0.5 * end) {
            passed += end;
        }
        self.last = Some((at_s, litres));
        if passed < -MOST_BACK_L {
            self.edges.clear();
            (self.moved_s, self.since_l) = (at_s, 0.0);
            return Told::Exchanged;
        }
        let (first, newest) = (since_s.div_euclid(SLOT_S) + 1, at_s.div_euclid(SLOT_S));
        // What has passed of it at the edge before.
        let mut gone = 0.0;
        for slot in first.max(newest - KEPT as i64)..=newest {
            let part = (slot * SLOT_S - since_s) as f64 / (at_s - since_s) as f64;
            let wide = if part < 1.0 { part.max(1.0 - part) * passed.abs() / 3.0_f64.sqrt() } else { 0.0 };
            // Rounded so that roundings don't add up.
            let since = hundredths(self.since_l + part * passed - gone);
            self.push(slot, Edge(since, hundredths(wide)));
            gone += since as f64 / 100.0;
        }
        self.since_l += passed - gone;
        if passed != 0.0 {
            self.moved_s = at_s;
        }
        // A digit that flickers at its edge is no water that runs back.
        if passed < -2.0 * dial.resolution_l { Told::Back(-passed) } else { Told::Passed }
    }

    fn push(&mut self, slot: i64, edge: Edge) {
        if slot != self.slot + 1 {
            self.edges.clear();
        }
        self.edges.push_back(edge);
        self.slot = slot;
        if self.edges.len() > KEPT {
            self.edges.pop_front();
        }
    }

    /// The place of an edge in the list.
    fn place(&self, slot: i64) -> Option<usize> {
        let back = usize::try_from(self.slot - slot).ok()?;
        self.edges.len().checked_sub(back + 1)
    }

    /// What passed from the beginning of one slot to that of another; none where it is not known.
    pub fn between(&self, dial: &Dial, from: i64, to: i64) -> Option<Volume> {
        let (a, b) = (self.place(from)?, self.place(to)?);
        let passed: i64 = self.edges.range(a + 1..=b.max(a)).map(|edge| edge.0).sum();
        let wide = |place: usize| self.edges.get(place).map_or(0.0, |edge| edge.1 as f64 / 100.0);
        // A digit at each of the two edges.
        let digits = dial.resolution_l / 6.0_f64.sqrt();
        Some(Volume { litres: passed as f64 / 100.0, spread: wide(a).hypot(wide(b)).hypot(digits) })
    }

    /// When it was last read, seconds since 1970.
    pub fn read_s(&self) -> Option<i64> {
        self.last.map(|(at_s, _)| at_s)
    }

    /// When it has last moved, seconds since 1970.
    pub fn moved_s(&self) -> i64 {
        self.moved_s
    }
}

/// What a meter should have counted since its register has last moved, by its own flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// When the register had last moved, seconds since 1970.
    moved_s: i64,
    /// The flow when it was last looked at, L/s, and when that was, seconds since 1970.
    flow_l_s: f64,
    seen_s: i64,
    /// How much, litres.
    pub litres: f64,
}

impl Owed {
    /// Looks at the flow now. What has passed since the last look is counted by the lower of the two flows, and only
    /// where the register was read meanwhile: a meter that can't be reached is silent, not stuck.
    pub fn look(&mut self, register: &Register, l_s: f64, now_s: i64) {
        if self.moved_s != register.moved_s() {
            (self.moved_s, self.litres) = (register.moved_s(), 0.0);
        } else if self.seen_s > 0 && register.read_s().is_some_and(|read_s| read_s > self.seen_s) {
            self.litres += self.flow_l_s.min(l_s).max(0.0) * (now_s - self.seen_s) as f64;
        }
        (self.flow_l_s, self.seen_s) = (l_s, now_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIAL: Dial = Dial { resolution_l: 1.0, rollover_l: Some(1_000_000.0) };
    /// A full quarter.
    const T: i64 = 1_000_000 * SLOT_S;

    fn read(readings: &[(i64, f64)]) -> (Register, Vec<Told>) {
        let mut register = Register::default();
        let told = readings.iter().map(|&(s, litres)| register.read(&DIAL, T + s, litres)).collect();
        (register, told)
    }

    fn between(register: &Register, from: i64, to: i64) -> Option<Volume> {
        register.between(&DIAL, T / SLOT_S + from, T / SLOT_S + to)
    }

    #[test]
    fn readings_at_the_edges_are_known_to_the_last_digit() {
        let (register, _) = read(&[(0, 100.0), (450, 110.0), (900, 130.0), (1_800, 131.0)]);
        let one = between(&register, 0, 1).unwrap();
        assert_eq!(one.litres, 30.0);
        // Two edges of a digit of 1 L: 1/√12 · √2.
        assert!((one.spread - 0.41).abs() < 0.01, "{one:?}");
        assert_eq!(between(&register, 0, 2).unwrap().litres, 31.0);
        assert_eq!(between(&register, 1, 1).unwrap().litres, 0.0);
        assert_eq!(between(&register, -1, 0), None, "nothing is known of before the first reading");
        assert_eq!(between(&register, 0, 3), None, "nor of what is to come");
    }

    /// The meter was read five minutes before and after: what stood at the edge lies between the two readings.
    #[test]
    fn readings_beside_the_edges_are_interpolated_and_less_well_known() {
        let (register, _) = read(&[(-300, 0.0), (300, 60.0), (600, 60.0), (1_200, 60.0)]);
        let one = between(&register, 0, 1).unwrap();
        assert_eq!(one.litres, 30.0);
        assert!(
            (one.spread - 30.0 / 3.0_f64.sqrt()).abs() < 0.1,
            "30 L either way at the first edge: {one:?}"
        );
    }

    /// Thirds of a litre at every edge: what is kept in hundredths does not drift.
    #[test]
    fn roundings_do_not_add_up() {
        let readings: Vec<(i64, f64)> = (0..40).map(|i| (i * 2_700 - 900, i as f64)).collect();
        let (register, _) = read(&readings);
        let day = between(&register, 12, 108).unwrap();
        assert!((day.litres - 32.0).abs() < 0.011, "{day:?}");
    }

    #[test]
    fn a_register_that_rolls_over_goes_on() {
        let (register, told) = read(&[(0, 999_990.0), (900, 20.0)]);
        assert_eq!(told[1], Told::Passed);
        assert_eq!(between(&register, 0, 1).unwrap().litres, 30.0);
    }

    #[test]
    fn falling_a_little_is_water_that_runs_back_and_falling_far_another_meter() {
        let (_, told) = read(&[(0, 500.0), (300, 499.0), (600, 460.0)]);
        assert_eq!(told[1..], [Told::Passed, Told::Back(39.0)], "a last digit may flicker");
        let (register, told) = read(&[(0, 80_000.0), (900, 80_010.0), (1_800, 3.0)]);
        assert_eq!(told[2], Told::Exchanged);
        assert_eq!(between(&register, 0, 1), None, "nothing is made up of the old meter");
    }

    #[test]
    fn a_reading_that_comes_late_changes_nothing() {
        let (mut register, _) = read(&[(0, 0.0), (900, 10.0)]);
        let before = register.clone();
        assert_eq!(register.read(&DIAL, T + 450, 99.0), Told::Old);
        assert_eq!(register, before);
    }

    /// After three days of silence the whole of it lies between two readings: little is known of the time
    /// between.
    #[test]
    fn a_long_silence_leaves_wide_edges() {
        let (register, _) = read(&[(0, 0.0), (3 * 86_400, 3_000.0)]);
        let last = between(&register, 2 * DAY_SLOTS, 3 * DAY_SLOTS).unwrap();
        assert_eq!(last.litres, 1_000.0);
        assert!(last.spread > 1_000.0, "{last:?}");
        assert!(register.edges.len() <= KEPT);
    }

    #[test]
    fn flow_without_a_register_that_moves_is_owed() {
        let (mut register, _) = read(&[(0, 5.0)]);
        let mut owed = Owed::default();
        let mut look = |register: &Register, l_s, s| {
            owed.look(register, l_s, T + s);
            owed.litres
        };
        assert_eq!(look(&register, 0.5, 0), 0.0);
        register.read(&DIAL, T + 300, 5.0);
        assert_eq!(look(&register, 0.25, 300), 75.0, "by the lower of the two flows");
        assert_eq!(look(&register, 0.25, 600), 75.0, "it was not read since: it is silent, not stuck");
        register.read(&DIAL, T + 900, 6.0);
        assert_eq!(look(&register, 0.25, 900), 0.0, "it has moved");
        register.read(&DIAL, T + 1_200, 6.0);
        assert_eq!(look(&register, 0.5, 1_200), 75.0);
    }
}
