//! Which days and hours are wet, and how much falls.

use super::chance::{Chance, apportion};
use super::{DAYS, HOURS, MONTH_DAYS, Normals, day_of_year};

/// Persistence of wet and dry days (correlation of neighbours), usual and in the plum rains.
const PERSISTENCE: f64 = 0.25;
const PLUM_PERSISTENCE: f64 = 0.5;
/// How much likelier a day of the plum rains is wet than another of its month.
const PLUM_FACTOR: f64 = 1.7;
/// Shape of the gamma distribution of a day's rain (Thom 1958).
const SHAPE: f64 = 0.7;

/// A year's rain.
pub(super) struct Rain {
    /// Rain of each hour, tenths of a millimetre: whole numbers, so that totals are exact.
    pub(super) hourly_tenths_mm: Vec<u32>,
    /// Whether each day is wet.
    pub(super) wet: Vec<bool>,
    /// First of the two days of the storm.
    pub(super) storm_day: Option<usize>,
}

pub(super) fn year(normals: &Normals, seed: u64) -> Rain {
    let mut chance = Chance::new(seed, "rain");
    let storm_day = (!normals.storm.months.is_empty()).then(|| {
        let month = normals.storm.months[chance.below(normals.storm.months.len())];
        day_of_year(month, 4 + chance.below(20))
    });
    // A storm needs two wet days in its month.
    let storm_day =
        storm_day.filter(|day| normals.monthly.rain_days[super::month_of_days()[*day]].round() >= 2.0);
    let is_storm = |day: usize| storm_day.is_some_and(|first| day == first || day == first + 1);
    let plum = day_of_year(normals.plum_rain.from[0], normals.plum_rain.from[1])
        ..=day_of_year(normals.plum_rain.to[0], normals.plum_rain.to[1]);
    let mut wet = vec![false; DAYS];
    let mut hourly_tenths_mm = vec![0; HOURS];
    let mut yesterday = false;
    let mut start = 0;
    for (month, days) in MONTH_DAYS.into_iter().enumerate() {
        let wanted = normals.monthly.rain_days[month].round() as usize;
        let share = wanted as f64 / days as f64;
        for (day, wet) in wet.iter_mut().enumerate().skip(start).take(days) {
            let (p, r) = if plum.contains(&day) {
                ((share * PLUM_FACTOR).min(0.85), PLUM_PERSISTENCE)
            } else {
                (share, PERSISTENCE)
            };
            let p = if yesterday { p + r * (1.0 - p) } else { p * (1.0 - r) };
            yesterday = chance.unit() < p;
            *wet = yesterday || is_storm(day);
        }
        steer(&mut wet, start..start + days, wanted, &is_storm, &mut chance);
        yesterday = wet[start + days - 1];
        let total = (normals.monthly.precipitation_mm[month] * 10.0).round() as u32;
        let wet_days: Vec<usize> = (start..start + days).filter(|day| wet[*day]).collect();
        for (day, amount) in wet_days.iter().zip(amounts(&wet_days, total, normals, &is_storm, &mut chance)) {
            let afternoon = (5..9).contains(&month) && !plum.contains(day);
            for (hour, part) in hours(amount, is_storm(*day), afternoon, &mut chance) {
                hourly_tenths_mm[day * 24 + hour] += part;
            }
        }
        start += days;
    }
    Rain { hourly_tenths_mm, wet, storm_day }
}

/// Turns single days over until `wanted` are wet, at the ends of spells where there are any.
fn steer(
    wet: &mut [bool],
    days: std::ops::Range<usize>,
    wanted: usize,
    is_storm: &impl Fn(usize) -> bool,
    chance: &mut Chance,
) {
    loop {
        let count = days.clone().filter(|day| wet[*day]).count();
        if count == wanted {
            return;
        }
        let dry_out = count > wanted;
        let at_end = |day: usize| {
            let differs = |other: Option<&bool>| other.is_some_and(|w| *w != wet[day]);
            differs(day.checked_sub(1).and_then(|d| wet.get(d))) || differs(wet.get(day + 1))
        };
        let free: Vec<usize> = days.clone().filter(|day| wet[*day] == dry_out && !is_storm(*day)).collect();
        let ends: Vec<usize> = free.iter().copied().filter(|day| at_end(*day)).collect();
        let from = if ends.is_empty() { &free } else { &ends };
        let Some(day) = from.get(chance.below(from.len())) else { return };
        wet[*day] = !dry_out;
    }
}

/// Tenths of a millimetre for each wet day of a month: the total is exact, each has some.
fn amounts(
    wet_days: &[usize],
    total: u32,
    normals: &Normals,
    is_storm: &impl Fn(usize) -> bool,
    chance: &mut Chance,
) -> Vec<u32> {
    let mut weights: Vec<f64> = wet_days.iter().map(|_| chance.gamma(SHAPE) + 0.02).collect();
    let usual: f64 = wet_days.iter().zip(&weights).filter(|(day, _)| !is_storm(**day)).map(|(_, w)| w).sum();
    let share = normals.storm.rain_share;
    let storm: Vec<usize> = (0..wet_days.len()).filter(|i| is_storm(wet_days[*i])).collect();
    for (index, part) in storm.into_iter().zip([0.35, 0.65]) {
        // A month with the storm's days only has all its rain in them.
        weights[index] = part * if usual > 0.0 { usual * share / (1.0 - share) } else { 1.0 };
    }
    apportion(total, &weights, 1)
}

/// The hours of a day's rain: a spell of some hours with a rough profile.
fn hours(tenths: u32, storm: bool, afternoon: bool, chance: &mut Chance) -> Vec<(usize, u32)> {
    // Heavier rain lasts longer, and no spell has an hour with less than a tenth.
    let most = (tenths as usize).min(if storm {
        24
    } else if afternoon {
        7
    } else {
        16
    });
    let wanted =
        1.0 + chance.unit() * 3.0 + (f64::from(tenths) / 10.0).sqrt() * if afternoon { 0.6 } else { 1.5 };
    let length = if storm { most } else { (wanted as usize).clamp(1, most) };
    let middle = if afternoon { 16.0 + 2.5 * chance.normal() } else { 24.0 * chance.unit() };
    let first = (middle - length as f64 / 2.0).round().clamp(0.0, (24 - length) as f64) as usize;
    let weights: Vec<f64> = (0..length)
        .map(|i| {
            let t = (i as f64 + 0.5) / length as f64;
            (0.3 + libm::sin(std::f64::consts::PI * t)) * (0.2 + chance.gamma(2.0))
        })
        .collect();
    apportion(tenths, &weights, 1).into_iter().enumerate().map(|(i, part)| (first + i, part)).collect()
}
