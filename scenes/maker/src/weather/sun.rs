//! Where the sun stands, how long it shines and what reaches the ground.

use std::f64::consts::PI;

use super::chance::Chance;
use super::rain::Rain;
use super::{DAYS, HOURS, MONTH_DAYS, Normals, Place, rounded};

/// Solar constant, W/m².
const SOLAR_CONSTANT_W_M2: f64 = 1367.0;
/// Ångström–Prescott coefficients of FAO-56.
const ANGSTROM_A: f64 = 0.25;
const ANGSTROM_B: f64 = 0.50;
/// The hour is cut into this many pieces to average the sun's height.
const PIECES: usize = 12;
/// Below this mean cosine of the zenith everything counts as diffuse: the beam would be a division by almost nothing.
const LOW_SUN: f64 = 0.03;

/// A year's sun.
pub(super) struct Sun {
    /// Share of each day's length with sunshine, 0 to 1.
    pub(super) sunshine_fraction: Vec<f64>,
    /// Radiation of each hour.
    pub(super) hours: Vec<SunHour>,
}

/// Radiation of an hour, Wh/m².
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SunHour {
    pub(super) extraterrestrial_horizontal: f64,
    pub(super) extraterrestrial_normal: f64,
    pub(super) global: f64,
    pub(super) direct_normal: f64,
    pub(super) diffuse: f64,
    pub(super) cover_tenths: f64,
}

/// Declination (radians), equation of time (hours) and beam above the atmosphere (W/m²) of a day (Spencer 1971).
fn spencer(day: usize) -> (f64, f64, f64) {
    let g = 2.0 * PI * day as f64 / 365.0;
    let (s1, c1) = (libm::sin(g), libm::cos(g));
    let (s2, c2) = (libm::sin(2.0 * g), libm::cos(2.0 * g));
    let (s3, c3) = (libm::sin(3.0 * g), libm::cos(3.0 * g));
    let declination = 0.006918 - 0.399912 * c1 + 0.070257 * s1 - 0.006758 * c2 + 0.000907 * s2
        - 0.002697 * c3
        + 0.00148 * s3;
    let minutes = 229.18 * (0.000075 + 0.001868 * c1 - 0.032077 * s1 - 0.014615 * c2 - 0.040849 * s2);
    let distance = 1.00011 + 0.034221 * c1 + 0.00128 * s1 + 0.000719 * c2 + 0.000077 * s2;
    (declination, minutes / 60.0, SOLAR_CONSTANT_W_M2 * distance)
}

/// Cosine of the sun's zenith angle, below the horizon 0, averaged over the hour that ends at `hour`.
///
/// `day` is the day of the year from 0, `hour` 1 to 24 in local standard time, as in a weather file. With
/// it, beam × cosine + diffuse = global for every hour that [`synthesize`](super::synthesize) makes.
#[must_use]
pub fn mean_cos_zenith(place: &Place, day: usize, hour: usize) -> f64 {
    let (declination, equation_h, _) = spencer(day);
    let latitude = place.latitude_deg.to_radians();
    let offset = (place.longitude_deg - 15.0 * place.utc_offset_h) / 15.0 + equation_h;
    let constant = libm::sin(latitude) * libm::sin(declination);
    let swing = libm::cos(latitude) * libm::cos(declination);
    let sum: f64 = (0..PIECES)
        .map(|i| {
            let local_h = hour as f64 - 1.0 + (i as f64 + 0.5) / PIECES as f64;
            let angle = (local_h + offset - 12.0) * PI / 12.0;
            (constant + swing * libm::cos(angle)).max(0.0)
        })
        .sum();
    sum / PIECES as f64
}

/// Length of a day from sunrise to sunset, hours.
fn day_length_h(place: &Place, day: usize) -> f64 {
    let (declination, ..) = spencer(day);
    let x = -libm::tan(place.latitude_deg.to_radians()) * libm::tan(declination);
    24.0 / PI * libm::acos(x.clamp(-1.0, 1.0))
}

/// Global radiation under a clear sky, W/m² (Haurwitz 1945).
fn haurwitz_w_m2(cos_zenith: f64) -> f64 {
    if cos_zenith > 0.0 { 1098.0 * cos_zenith * libm::exp(-0.059 / cos_zenith) } else { 0.0 }
}

/// Share of the global radiation that is diffuse, from the clearness index (Erbs, Klein & Duffie 1982).
fn erbs(kt: f64) -> f64 {
    if kt <= 0.22 {
        1.0 - 0.09 * kt
    } else if kt <= 0.8 {
        0.9511 + kt * (-0.1604 + kt * (4.388 + kt * (-16.638 + kt * 12.336)))
    } else {
        0.165
    }
}

/// The month's radiation on the horizontal that its sunshine hours stand for, Wh/m² (Ångström–Prescott).
pub(super) fn monthly_global_wh_m2(normals: &Normals, month: usize) -> f64 {
    let start: usize = MONTH_DAYS[..month].iter().sum();
    let days = start..start + MONTH_DAYS[month];
    let length: f64 = days.clone().map(|day| day_length_h(&normals.place, day)).sum();
    let above: f64 = days
        .map(|day| {
            (1..=24).map(|hour| mean_cos_zenith(&normals.place, day, hour)).sum::<f64>() * spencer(day).2
        })
        .sum();
    above * (ANGSTROM_A + ANGSTROM_B * (normals.monthly.sunshine_h[month] / length).min(1.0))
}

pub(super) fn year(normals: &Normals, rain: &Rain, seed: u64) -> Sun {
    let mut chance = Chance::new(seed, "sun");
    let place = &normals.place;
    let sunshine_fraction = sunshine(normals, rain, &mut chance);
    let mut hours = vec![SunHour::default(); HOURS];
    let mut start = 0;
    for (month, days) in MONTH_DAYS.into_iter().enumerate() {
        // What the sky lets through, hour by hour, before the month is brought to its total.
        let mut passed = vec![0.0; days * 24];
        let mut clear = vec![0.0; days * 24];
        for (day, fraction) in sunshine_fraction.iter().enumerate().skip(start).take(days) {
            let (_, _, beam) = spencer(day);
            for hour in 1..=24 {
                let i = day * 24 + hour - 1;
                let cos_zenith = mean_cos_zenith(place, day, hour);
                let noise = libm::exp(0.5 * (1.0 - fraction) * chance.normal());
                let dim = if rain.hourly_tenths_mm[i] > 0 { 0.6 } else { 1.0 };
                let j = i - start * 24;
                clear[j] = haurwitz_w_m2(cos_zenith);
                passed[j] = clear[j] * (ANGSTROM_A + ANGSTROM_B * fraction) * noise * dim;
                hours[i].extraterrestrial_horizontal = beam * cos_zenith;
                hours[i].extraterrestrial_normal = if cos_zenith > 0.0 { beam } else { 0.0 };
                let cover = 10.0 * (1.0 - fraction) + 1.2 * chance.normal();
                hours[i].cover_tenths = if dim < 1.0 { 10.0 } else { rounded(cover.clamp(0.0, 10.0), 1.0) };
            }
        }
        let target = monthly_global_wh_m2(normals, month);
        // No hour is brighter than a clear sky with bright clouds beside the sun, so the rest is raised again.
        for _ in 0..20 {
            let factor = target / passed.iter().sum::<f64>().max(1.0);
            for (value, clear) in passed.iter_mut().zip(&clear) {
                *value = (*value * factor).min(clear * 1.08);
            }
        }
        for (j, global) in passed.into_iter().enumerate() {
            let i = start * 24 + j;
            split(&mut hours[i], global, mean_cos_zenith(place, i / 24, i % 24 + 1));
        }
        start += days;
    }
    Sun { sunshine_fraction, hours }
}

/// Splits global radiation into beam and diffuse, rounded so that the three still agree.
fn split(hour: &mut SunHour, global: f64, cos_zenith: f64) {
    if cos_zenith <= 0.0 || hour.extraterrestrial_horizontal <= 0.0 {
        return;
    }
    let kt = (global / hour.extraterrestrial_horizontal).clamp(0.0, 1.0);
    let beam_most = 0.8 * hour.extraterrestrial_normal;
    let beam =
        if cos_zenith < LOW_SUN { 0.0 } else { (global * (1.0 - erbs(kt)) / cos_zenith).min(beam_most) };
    hour.direct_normal = rounded(beam, 10.0);
    hour.diffuse = rounded((global - hour.direct_normal * cos_zenith).max(0.0), 10.0);
    hour.global = rounded(hour.direct_normal * cos_zenith + hour.diffuse, 10.0);
}

/// Share of sunshine of every day, so that each month has its hours.
fn sunshine(normals: &Normals, rain: &Rain, chance: &mut Chance) -> Vec<f64> {
    let mut fraction: Vec<f64> = (0..DAYS)
        .map(|day| {
            let u = chance.unit();
            let stormy = rain.storm_day.is_some_and(|first| day == first || day == first + 1);
            if stormy {
                0.0
            } else if rain.wet[day] {
                0.02 + 0.4 * u * u
            } else {
                0.05 + 0.9 * libm::sqrt(u)
            }
        })
        .collect();
    let mut start = 0;
    for (month, days) in MONTH_DAYS.into_iter().enumerate() {
        let length: Vec<f64> = (start..start + days).map(|day| day_length_h(&normals.place, day)).collect();
        let part = &mut fraction[start..start + days];
        let hours_with = |exponent: f64| -> f64 {
            part.iter()
                .zip(&length)
                .map(|(f, h)| if *f > 0.0 { libm::pow(*f, exponent) * h } else { 0.0 })
                .sum()
        };
        // A power keeps the order of the days and stays between 0 and 1; more exponent is less sun.
        let (mut low, mut high) = (0.01, 30.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if hours_with(middle) > normals.monthly.sunshine_h[month] { low = middle } else { high = middle }
        }
        for f in part.iter_mut().filter(|f| **f > 0.0) {
            *f = libm::pow(*f, high);
        }
        start += days;
    }
    fraction
}
