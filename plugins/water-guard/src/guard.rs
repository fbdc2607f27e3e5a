//! What is made of the balances: which branches lose water, which meters stand still or run back.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    balance::balance,
    register::{DAY_SLOTS, Dial, Owed, Register, SLOT_S},
    tree::Place,
};

/// Readings of an edge may come so late, s.
const GRACE_S: i64 = 900;
/// What is not closed by then is given up, s: edges are kept no longer.
const LATEST_S: i64 = 7_200;
/// Slots before the end of a night that have to be known to judge it: on the first day not all of them are.
const LEAST_SLOTS: i64 = 72;
/// Nights and days that are remembered of each branch.
const KEPT: usize = 14;
/// Good nights after which a branch has an allowance of its own.
const LEARNT: usize = 5;
/// What one branch's allowance is at least, as a share of its mean flow.
const LEAST_SHARE: f64 = 0.03;
/// Litres that have to have passed by the flow, and digits of the register, before a register that does not
/// move is stuck.
const STUCK_L: f64 = 100.0;
const STUCK_DIGITS: f64 = 20.0;
/// A branch that usually takes less in a day than this can't be told to be stuck by that, L.
const USUAL_L: f64 = 200.0;
/// How much more has to be taken by day than at night to tell taps from a pipe.
const MORE_BY_DAY: f64 = 1.2;
/// Standard uncertainties that a difference has to be away from a limit: some 95 % (JCGM 100, 6.3.3).
const COVERAGE: f64 = 2.0;

/// What an administrator may change.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What a branch may take at night at least, L/h.
    pub floor_l_h: f64,
    /// What it may take beside, as a share of its mean flow over the last day.
    pub night_share: f64,
    /// Nights in a row that make a leak.
    pub nights: u32,
    /// What a meter may be wrong by, as a share of what it measures.
    pub error_share: f64,
}

/// The meters of a campus, and how they are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The tree.
    pub places: Vec<Place>,
    /// What their registers can show.
    pub dials: Vec<Dial>,
    /// What single branches may take at night, L/h, where somebody has said so.
    pub allowed_l_h: Vec<Option<f64>>,
    /// What an administrator may change.
    pub rules: Rules,
    /// The night, seconds after local midnight.
    pub night_s: (i64, i64),
}

/// A moment of the campus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub now_s: i64,
    /// The local day, as days since 1970.
    pub day: i64,
    /// When it began, seconds since 1970.
    pub midnight_s: i64,
}

/// What was closed last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The day in whose morning the last night was closed, days since 1970.
    pub night: i64,
    /// The day that began when the last one was closed.
    pub day: i64,
}

/// A branch at night.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Night {
    /// Days since 1970 of the morning.
    pub day: i64,
    /// What it took, L/h.
    pub l_h: f64,
    /// The standard uncertainty of that, L/h.
    pub spread_l_h: f64,
    /// What it might have taken, L/h.
    pub limit_l_h: f64,
}

/// A branch over a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Days since 1970.
    pub day: i64,
    /// What passed its meter, L.
    pub through_l: f64,
    /// What the next meters below measured, L.
    pub below_l: f64,
    /// The difference, L.
    pub own_l: f64,
    /// The standard uncertainty of that, L.
    pub spread_l: f64,
}

/// Where the water goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// Behind a meter that has none below it: in the fixtures, or the last pipe to them.
    Fixtures,
    /// Between a meter and those below it, where nothing else is taken: in the pipe.
    Pipe,
    /// Between a meter and those below it, where taps are too that have no meter.
    Taps,
}

/// A leak that was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Where.
    pub place: Where,
    /// The first of the nights, days since 1970.
    pub since: i64,
    /// What runs at night, L/h.
    pub l_h: f64,
    /// What was allowed when it was found, L/h: the branch is held to that until it is mended.
    pub limit_l_h: f64,
}

/// What is remembered of a branch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Night flow as a share of the mean flow, of good nights.
    ratios: VecDeque<f64>,
    /// Nights in a row above the limit.
    bad_nights: u32,
    /// The leak that stands.
    pub leak: Option<Leak>,
    /// When its register was found to be stuck, seconds since 1970.
    pub stuck_s: Option<i64>,
    /// The last day on which water has run back through it.
    pub back_day: Option<i64>,
    /// Whether the meters below have measured more than it has.
    pub unbalanced: bool,
    /// The newest last.
    pub nights: VecDeque<Night>,
    /// The newest last.
    pub days: VecDeque<Day>,
}

/// What has been found, of the meter with an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// It loses water: the night that shows it, and whether it is the first to do so.
    Leak(usize, Leak, Night, bool),
    /// It loses none any more.
    Mended(usize, Leak),
    /// Its register stands still while water runs: litres that it has not counted.
    Stuck(usize, f64),
    /// Its register moves again.
    Moves(usize),
    /// Water has run back through it, litres.
    Back(usize, f64),
    /// None has for a whole day.
    Forward(usize),
}

fn keep<T>(list: &mut VecDeque<T>, item: T) {
    list.push_back(item);
    if list.len() > KEPT {
        list.pop_front();
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl Branch {
    /// The share of its mean flow that it may take at night: the rules' until it has shown that it takes less.
    fn share(&self, rules: &Rules) -> f64 {
        let learnt = median(self.ratios.iter().copied()).filter(|_| self.ratios.len() >= LEARNT);
        learnt.map_or(rules.night_share, |usual| (2.0 * usual).max(LEAST_SHARE).min(rules.night_share))
    }

    /// Whether nothing may be concluded from what its meter says.
    fn doubtful(&self, day: i64) -> bool {
        self.stuck_s.is_some() || self.back_day.is_some_and(|back| back >= day - 1)
    }

    /// What it takes in a usual day, L, and what of it is its own.
    fn usual(&self) -> (f64, f64) {
        let of = |value: fn(&Day) -> f64| median(self.days.iter().filter(|d| d.through_l > 0.0).map(value));
        (of(|d| d.through_l).unwrap_or(0.0), of(|d| d.own_l).unwrap_or(0.0))
    }
}

/// What flows, L/h, with its standard uncertainty.
#[derive(Clone, Copy, Debug)]
struct Rate {
    l_h: f64,
    spread_l_h: f64,
}

impl Rate {
    /// What it is at least.
    fn least(self) -> f64 {
        self.l_h - COVERAGE * self.spread_l_h
    }

    /// What it is at most.
    fn most(self) -> f64 {
        self.l_h + COVERAGE * self.spread_l_h
    }
}

/// What a branch has of its own at night.
struct Seen {
    night: Rate,
    /// Over the day that ends with the night.
    mean: Rate,
    /// What may run all the time at most: what the lowest stretch of that day has taken.
    most_l_h: f64,
}

impl Guard {
    /// Looks at all there is to be looked at now: the registers, and the day and the night where they are
    /// over. Says what was found; what was closed is changed where something was.
    pub fn look(
        &self,
        registers: &[Register],
        owed: &[Owed],
        branches: &mut [Branch],
        closed: &mut Closed,
        moment: Moment,
    ) -> Vec<Finding> {
        let Moment { now_s, day, midnight_s } = moment;
        let mut findings = self.watch(registers, owed, branches, now_s);
        let due = |end_s: i64| now_s >= end_s + GRACE_S;
        let in_time = |end_s: i64| now_s < end_s + LATEST_S;
        if closed.day < day && due(midnight_s) {
            closed.day = day;
            if in_time(midnight_s) {
                let slot = midnight_s.div_euclid(SLOT_S);
                findings.extend(self.close_day(registers, branches, (slot - DAY_SLOTS, slot), moment));
            }
        }
        let end_s = midnight_s + self.night_s.1;
        if closed.night < day && due(end_s) {
            closed.night = day;
            if in_time(end_s) {
                let slot = |s: i64| (midnight_s + s + SLOT_S / 2).div_euclid(SLOT_S);
                let night = (slot(self.night_s.0), slot(self.night_s.1));
                findings.extend(self.close_night(registers, branches, night, day));
            }
        }
        findings
    }

    /// What a branch has of its own between two edges.
    fn own(&self, registers: &[Register], index: usize, (from, to): (i64, i64)) -> Option<Rate> {
        let error_share = self.rules.error_share;
        let own = balance(&self.places, &self.dials, registers, index, (from, to), error_share)?.own;
        let hours = ((to - from) * SLOT_S) as f64 / 3_600.0;
        Some(Rate { l_h: own.litres / hours, spread_l_h: own.spread / hours })
    }

    /// What a branch has of its own in a night and in the day that ends with it; none where that is not known.
    ///
    /// Behind a last meter the night is its lowest quarter of an hour: cisterns fill and stop, a leak does not
    /// stop. Between a meter and those below it, it is the whole night, since a small difference of large numbers
    /// is known better the longer it is. No stretch of the day may have taken less than the leak: a tank that
    /// fills at night, and gives by day, is none.
    fn seen(&self, registers: &[Register], index: usize, (from, to): (i64, i64)) -> Option<Seen> {
        let own = |from, to| self.own(registers, index, (from, to));
        let night = if self.places[index].children.is_empty() {
            let quarters: Option<Vec<Rate>> = (from..to).map(|slot| own(slot, slot + 1)).collect();
            quarters?.into_iter().min_by(|a, b| a.l_h.total_cmp(&b.l_h))?
        } else {
            own(from, to)?
        };
        let mean = own(to - DAY_SLOTS, to).or_else(|| own(to - LEAST_SLOTS, to))?;
        let stretch = to - from;
        let starts = (1..=DAY_SLOTS / stretch).map(|n| to - n * stretch);
        let most = starts.filter_map(|start| Some(own(start, start + stretch)?.most()));
        Some(Seen { night, mean, most_l_h: most.fold(f64::INFINITY, f64::min) })
    }

    /// Looks at a night that is over, between two edges, in the morning of a day.
    fn close_night(
        &self,
        registers: &[Register],
        branches: &mut [Branch],
        window: (i64, i64),
        day: i64,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let rules = &self.rules;
        for (index, place) in self.places.iter().enumerate() {
            let doubtful = branches[index].doubtful(day)
                || place.children.iter().any(|&child| branches[child].doubtful(day));
            let Some(seen) = self.seen(registers, index, window) else { continue };
            let Rate { l_h, spread_l_h } = seen.night;
            let branch = &mut branches[index];
            let by_share = rules.floor_l_h + branch.share(rules) * seen.mean.l_h.max(0.0);
            let found = branch.leak.map_or(f64::INFINITY, |leak| leak.limit_l_h);
            let limit_l_h = self.allowed_l_h[index].unwrap_or(by_share.min(found));
            let night = Night { day, l_h, spread_l_h, limit_l_h };
            keep(&mut branch.nights, night);
            branch.unbalanced = seen.mean.most() < 0.0 && !doubtful;
            if branch.unbalanced || doubtful {
                continue;
            }
            if seen.night.least().min(seen.most_l_h) > limit_l_h {
                branch.bad_nights += 1;
                if branch.bad_nights < rules.nights {
                    continue;
                }
                let place = match place.children.is_empty() {
                    true => Where::Fixtures,
                    // A pipe loses by night as by day; taps are used by day.
                    false if seen.mean.least() > MORE_BY_DAY * seen.night.most() => Where::Taps,
                    false => Where::Pipe,
                };
                let since = branch.leak.map_or(day + 1 - i64::from(branch.bad_nights), |leak| leak.since);
                let leak = Leak { place, since, l_h, limit_l_h };
                let new = branch.leak.replace(leak).is_none();
                findings.push(Finding::Leak(index, leak, night, new));
            } else if l_h <= limit_l_h {
                branch.bad_nights = 0;
                if seen.mean.l_h > rules.floor_l_h {
                    keep(&mut branch.ratios, l_h.max(0.0) / seen.mean.l_h);
                }
                if let Some(leak) = branch.leak.take() {
                    findings.push(Finding::Mended(index, leak));
                }
            }
        }
        findings
    }

    /// Looks at the day before, which is over, between two edges.
    ///
    /// A meter that has counted nothing all day, where it usually does, is stuck if the meter above misses as
    /// much: on a holiday it does not.
    fn close_day(
        &self,
        registers: &[Register],
        branches: &mut [Branch],
        window: (i64, i64),
        moment: Moment,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let of = |index| balance(&self.places, &self.dials, registers, index, window, self.rules.error_share);
        let balances: Vec<_> = (0..self.places.len()).map(of).collect();
        for (index, place) in self.places.iter().enumerate() {
            let usual_l = branches[index].usual().0;
            let moves = registers[index].moved_s() > window.1 * SLOT_S;
            let still = !moves && balances[index].is_some_and(|b| b.through_l == 0.0);
            let above = place.parent.and_then(|above| Some((above, balances[above]?)));
            if let (true, None, Some((above, missed))) = (still, branches[index].stuck_s, above) {
                let more_l = missed.own.litres - branches[above].usual().1;
                if usual_l >= USUAL_L && more_l > (0.5 * usual_l).max(COVERAGE * missed.own.spread) {
                    branches[index].stuck_s = Some(moment.now_s);
                    findings.push(Finding::Stuck(index, more_l));
                }
            }
        }
        let day = moment.day - 1;
        for (index, branch) in branches.iter_mut().enumerate() {
            if let Some(b) = balances[index] {
                let (through_l, below_l) = (b.through_l, b.below_l);
                let (own_l, spread_l) = (b.own.litres, b.own.spread);
                keep(&mut branch.days, Day { day, through_l, below_l, own_l, spread_l });
            }
            if branch.back_day.is_some_and(|back| back < day) {
                branch.back_day = None;
                findings.push(Finding::Forward(index));
            }
        }
        findings
    }

    /// Looks at the registers: one that does not move while the flow of the same meter says that it should is
    /// stuck.
    fn watch(
        &self,
        registers: &[Register],
        owed: &[Owed],
        branches: &mut [Branch],
        now_s: i64,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, branch) in branches.iter_mut().enumerate() {
            let most_l = STUCK_L.max(STUCK_DIGITS * self.dials[index].resolution_l);
            match branch.stuck_s {
                None if owed[index].litres > most_l => {
                    branch.stuck_s = Some(now_s);
                    findings.push(Finding::Stuck(index, owed[index].litres));
                }
                Some(since_s) if registers[index].moved_s() > since_s => {
                    branch.stuck_s = None;
                    findings.push(Finding::Moves(index));
                }
                _ => {}
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests;
