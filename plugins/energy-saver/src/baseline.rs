//! What would have been used without it: a baseline learnt from days on which it only watched.
//!
//! The boundary is the air-conditioners of the rooms that it looks after, by their own power sensors (IPMVP's option B:
//! retrofit isolation). Each hour of a watched day is a row:
//!
//! `energy = a + b·use + c·use·K above 20 °C + d·use·K below 16 °C` (kWh; room-hours in use; K of the air outdoors)
//!
//! fitted by least squares with no coefficient below 0, so that weather and use of the day are allowed for. How far the
//! baseline may be off is measured, not assumed: each watched day is foretold from all the others, and the root mean
//! square of these errors of whole days, times Student's t, is what a day's saving is known to, with 95 % confidence.
//! Errors of neighbouring hours belong together, which is why whole days are left out.

use serde::{Deserialize, Serialize};

/// What an hour's use follows from: 1, room-hours in use, and these times K above and below the bases.
pub type Drivers = [f64; DRIVERS];
/// How many there are.
pub const DRIVERS: usize = 4;
/// From here up people cool: a class warms its room by some kelvin.
const COOLING_BASE_C: f64 = 20.0;
/// From here down people heat.
const HEATING_BASE_C: f64 = 16.0;
/// Fewer watched days than this say nothing.
pub const FEWEST_DAYS: usize = 3;
/// More are forgotten, the oldest first.
pub const MOST_DAYS: usize = 60;

/// The drivers of a stretch of time with so many room-hours in use, at so many °C outdoors, that is so much of an hour.
pub fn drivers(hours: f64, use_h: f64, outside_c: f64) -> Drivers {
    let above_k = (outside_c - COOLING_BASE_C).max(0.0);
    let below_k = (HEATING_BASE_C - outside_c).max(0.0);
    [hours, use_h, use_h * above_k, use_h * below_k]
}

/// A day that was watched: the sums that a fit needs, and no more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WatchedDay {
    /// The date, such as 20260624.
    pub date: u32,
    /// Sums of products of drivers.
    xx: [[f64; DRIVERS]; DRIVERS],
    /// Sums of drivers times energy.
    xy: Drivers,
    /// Sums of drivers.
    x: Drivers,
    /// Energy of the day, kWh.
    y: f64,
}

impl WatchedDay {
    /// A day by its hours: drivers, and energy in kWh.
    pub fn new(date: u32, hours: impl IntoIterator<Item = (Drivers, f64)>) -> Self {
        let mut day = Self { date, ..Self::default() };
        for (x, y) in hours {
            for i in 0..DRIVERS {
                for j in 0..DRIVERS {
                    day.xx[i][j] += x[i] * x[j];
                }
                day.xy[i] += x[i] * y;
                day.x[i] += x[i];
            }
            day.y += y;
        }
        day
    }
}

/// A baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// kWh by driver.
    coefficients: Drivers,
    /// How many days it was learnt from.
    pub days: usize,
    /// What a day's baseline is known to, kWh, with 95 % confidence.
    pub day_plus_minus_kwh: f64,
    /// The root mean square error of a day foretold, as a share of a mean day (CV(RMSE) of days).
    pub error_share: f64,
    /// The greatest degree-hours of a watched day, cooling and heating: beyond them it is a guess.
    reach: [f64; 2],
}

impl Baseline {
    /// Learns from watched days; none where they are too few or nothing was used.
    pub fn learn(days: &[WatchedDay]) -> Option<Self> {
        if days.len() < FEWEST_DAYS {
            return None;
        }
        let all = sum(days.iter());
        let coefficients = fit(&all);
        let errors = days.iter().enumerate().map(|(left_out, day)| {
            let others = days.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, day)| day);
            day.y - dot(&fit(&sum(others)), &day.x)
        });
        let rms = (errors.map(|e| e * e).sum::<f64>() / days.len() as f64).sqrt();
        let mean = all.y / days.len() as f64;
        if mean <= 0.0 {
            return None;
        }
        let reach = [2, 3].map(|i| days.iter().map(|day| day.x[i]).fold(0.0, f64::max));
        Some(Self {
            coefficients,
            days: days.len(),
            day_plus_minus_kwh: student(days.len() - 1) * rms,
            error_share: rms / mean,
            reach,
        })
    }

    /// What would have been used, kWh.
    pub fn kwh(&self, x: &Drivers) -> f64 {
        dot(&self.coefficients, x)
    }

    /// Whether a day is hotter, colder or busier than any that was watched, by more than a tenth.
    pub fn is_guess(&self, day: &Drivers) -> bool {
        [2, 3].iter().zip(self.reach).any(|(&i, reach)| day[i] > 1.1 * reach + 1.0)
    }
}

fn dot(a: &Drivers, b: &Drivers) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sum<'a>(days: impl Iterator<Item = &'a WatchedDay>) -> WatchedDay {
    let mut all = WatchedDay::default();
    for day in days {
        for i in 0..DRIVERS {
            for j in 0..DRIVERS {
                all.xx[i][j] += day.xx[i][j];
            }
            all.xy[i] += day.xy[i];
            all.x[i] += day.x[i];
        }
        all.y += day.y;
    }
    all
}

/// Least squares with no coefficient below 0: of all choices of drivers (16), the best whose coefficients are so. The
/// error of a choice is told by the normal equations alone.
fn fit(all: &WatchedDay) -> Drivers {
    let choices = (1_usize..1 << DRIVERS).filter_map(|choice| {
        let used: Vec<usize> = (0..DRIVERS).filter(|i| choice & (1 << i) != 0).collect();
        let found = solve(all, &used)?;
        // Σ(y − βx)² less Σy², for the β that solves the equations of its choice.
        found.iter().all(|&b| b >= 0.0).then(|| (-dot(&found, &all.xy), found))
    });
    choices.min_by(|a, b| a.0.total_cmp(&b.0)).map_or([0.0; DRIVERS], |(_, found)| found)
}

/// Solves the normal equations of some drivers by elimination with pivots; none where they can't be told apart.
fn solve(all: &WatchedDay, used: &[usize]) -> Option<Drivers> {
    let n = used.len();
    let mut rows: Vec<Vec<f64>> =
        used.iter().map(|&i| used.iter().map(|&j| all.xx[i][j]).chain([all.xy[i]]).collect()).collect();
    // Drivers have scales of their own.
    let scale: Vec<f64> = used.iter().map(|&i| all.xx[i][i].sqrt()).collect();
    if scale.iter().any(|&s| s <= 0.0) {
        return None;
    }
    for (row, of_row) in rows.iter_mut().zip(&scale) {
        for (cell, of_column) in row.iter_mut().zip(scale.iter().chain([&1.0])) {
            *cell /= of_row * of_column;
        }
    }
    for k in 0..n {
        let pivot = (k..n).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()))?;
        rows.swap(k, pivot);
        if rows[k][k].abs() < 1e-9 {
            return None;
        }
        for i in (0..n).filter(|&i| i != k) {
            let factor = rows[i][k] / rows[k][k];
            for j in k..=n {
                rows[i][j] -= factor * rows[k][j];
            }
        }
    }
    let mut found = [0.0; DRIVERS];
    for (k, &i) in used.iter().enumerate() {
        found[i] = rows[k][n] / rows[k][k] / scale[k];
    }
    Some(found)
}

/// Student's t for 95 % on both sides, by degrees of freedom.
fn student(freedom: usize) -> f64 {
    const T: [f64; 12] = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18];
    match freedom {
        0 => f64::INFINITY,
        1..=12 => T[freedom - 1],
        13..=20 => 2.16,
        21..=30 => 2.08,
        _ => 2.04,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A draw in -1..1, the same each time.
    fn draw(n: u64) -> f64 {
        let mixed = (n.wrapping_add(0x9e37_79b9)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed >> 11) as f64 / (1_u64 << 52) as f64) - 1.0
    }

    /// A day whose air is so warm at noon, in a school of 60 rooms; what it uses by a law, plus scatter.
    fn hours(day: u64, noon_c: f64, scatter: f64) -> Vec<(Drivers, f64)> {
        let of_day = scatter * draw(day);
        (0..24)
            .map(|hour| {
                let outside_c = noon_c - 6.0 * ((hour as f64 - 14.0) / 8.0).powi(2).min(1.0);
                let use_h = if (8..17).contains(&hour) { 50.0 + 10.0 * draw(day * 31 + hour) } else { 0.0 };
                let x = drivers(1.0, use_h, outside_c);
                let law = 0.4 + 0.3 * use_h + 0.08 * x[2];
                (x, law * (1.0 + of_day))
            })
            .collect()
    }

    fn watched(days: impl IntoIterator<Item = f64>, scatter: f64) -> Vec<WatchedDay> {
        let days = days.into_iter().enumerate();
        days.map(|(i, noon_c)| WatchedDay::new(i as u32, hours(i as u64, noon_c, scatter))).collect()
    }

    fn day_of(hours: &[(Drivers, f64)]) -> (Drivers, f64) {
        let mut x = [0.0; DRIVERS];
        for (of_hour, _) in hours {
            x.iter_mut().zip(of_hour).for_each(|(a, b)| *a += b);
        }
        (x, hours.iter().map(|(_, y)| y).sum())
    }

    #[test]
    fn a_law_without_scatter_is_found() {
        let baseline = Baseline::learn(&watched([26.0, 31.0, 35.0, 29.0], 0.0)).unwrap();
        let (x, y) = day_of(&hours(99, 33.0, 0.0));
        assert!((baseline.kwh(&x) - y).abs() < 1e-6 * y);
        assert!(baseline.day_plus_minus_kwh < 1e-6 * y && !baseline.is_guess(&x));
    }

    /// The uncertainty that it states is what comes true: of many days foretold, about 95 % lie within.
    #[test]
    fn what_it_says_of_its_own_error_comes_true() {
        let mut within = 0;
        let tries = 200;
        for run in 0..tries {
            let noon = |i: u64| 30.0 + 4.0 * draw(run * 1000 + i);
            let days: Vec<WatchedDay> =
                (0..10).map(|i| WatchedDay::new(i as u32, hours(run * 977 + i, noon(i), 0.08))).collect();
            let baseline = Baseline::learn(&days).unwrap();
            let (x, y) = day_of(&hours(run * 977 + 500, noon(500), 0.08));
            within += i32::from((baseline.kwh(&x) - y).abs() <= baseline.day_plus_minus_kwh);
        }
        let share = f64::from(within) / tries as f64;
        assert!((0.90..=1.0).contains(&share), "{share}");
    }

    #[test]
    fn too_few_days_or_none_that_used_anything_say_nothing() {
        assert_eq!(Baseline::learn(&watched([30.0, 31.0], 0.0)), None);
        let idle: Vec<WatchedDay> =
            (0..5).map(|i| WatchedDay::new(i, [(drivers(1.0, 0.0, 20.0), 0.0)])).collect();
        assert_eq!(Baseline::learn(&idle), None);
    }

    #[test]
    fn no_coefficient_is_below_nought() {
        // The more it is used the less it takes: no law that a physicist would sign.
        let odd: Vec<WatchedDay> = (0..5)
            .map(|i| {
                WatchedDay::new(i, (0..24).map(|h| (drivers(1.0, f64::from(h), 30.0), 100.0 - f64::from(h))))
            })
            .collect();
        let baseline = Baseline::learn(&odd).unwrap();
        assert!(baseline.coefficients.iter().all(|&b| b >= 0.0), "{:?}", baseline.coefficients);
    }

    #[test]
    fn a_day_beyond_all_that_was_watched_is_called_a_guess() {
        let baseline = Baseline::learn(&watched([24.0, 25.0, 26.0], 0.02)).unwrap();
        let (hot, _) = day_of(&hours(7, 38.0, 0.0));
        let (mild, _) = day_of(&hours(7, 24.5, 0.0));
        assert!(baseline.is_guess(&hot) && !baseline.is_guess(&mild));
    }
}
