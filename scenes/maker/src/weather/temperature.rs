//! Dry-bulb temperature by day and hour, and the ground's.

use std::f64::consts::PI;
use std::fmt::Write as _;

use super::chance::Chance;
use super::{Course, DAYS, HOURS, MONTH_DAYS, Normals, monthly_means};

/// Autocorrelation of a day's temperature with the day before (Richardson 1981 found 0.6 to 0.8).
const PHI: f64 = 0.7;
/// Rows (from 0) of the day's extremes: the minimum at 06:00, the maximum at 14:00.
const COLDEST: usize = 5;
const WARMEST: usize = 13;
/// Corrections of the monthly nodes; the error shrinks several times in each.
const ROUNDS: usize = 60;

/// A year's temperature.
pub(super) struct Temperature {
    /// Each hour, °C.
    pub(super) hourly_c: Vec<f64>,
    /// Lowest of each day, °C.
    pub(super) daily_min_c: Vec<f64>,
    /// How much each day departs from its season, K.
    pub(super) anomaly_k: Vec<f64>,
}

pub(super) fn year(normals: &Normals, sunshine: &[f64], seed: u64) -> Temperature {
    let monthly = &normals.monthly;
    let spread = Course(monthly.temperature_sd_k).days();
    let mut anomaly_k = Chance::new(seed, "temperature").autoregression(DAYS, PHI);
    for (anomaly, spread) in anomaly_k.iter_mut().zip(&spread) {
        // Three standard deviations bound a typical year.
        *anomaly = anomaly.clamp(-3.0, 3.0) * spread;
    }
    let mut low = Course(monthly.mean_daily_min_c);
    let mut high = Course(monthly.mean_daily_max_c);
    let mut exponent = Course([1.2; 12]);
    let mean_sunshine = monthly_means(sunshine);
    let sunny = Course(mean_sunshine).days();
    let mut hourly_c = Vec::new();
    let mut daily_min_c = Vec::new();
    for _ in 0..ROUNDS {
        let (lows, highs, exponents) = (low.days(), high.days(), exponent.days());
        let extremes: Vec<(f64, f64)> = (0..DAYS)
            .map(|day| {
                let middle = 0.5 * (lows[day] + highs[day]) + anomaly_k[day];
                let range =
                    (highs[day] - lows[day]) * (1.0 + 0.8 * (sunshine[day] - sunny[day])).clamp(0.4, 1.6);
                (middle - 0.5 * range, middle + 0.5 * range)
            })
            .collect();
        hourly_c = hourly(&extremes, &exponents);
        let of_days = |pick: fn(f64, f64) -> f64| -> Vec<f64> {
            hourly_c.chunks(24).map(|day| day.iter().copied().fold(day[0], pick)).collect()
        };
        daily_min_c = of_days(f64::min);
        let (min, max, mean) =
            (monthly_means(&daily_min_c), monthly_means(&of_days(f64::max)), monthly_means(&hourly_c));
        for month in 0..12 {
            low.0[month] += monthly.mean_daily_min_c[month] - min[month];
            high.0[month] += monthly.mean_daily_max_c[month] - max[month];
            let error = (mean[month] - monthly.mean_c[month]) / (max[month] - min[month]).max(1.0);
            exponent.0[month] = (exponent.0[month] * libm::exp(2.0 * error)).clamp(0.2, 5.0);
        }
    }
    Temperature { hourly_c, daily_min_c, anomaly_k }
}

/// Hours between the extremes of the days, without steps at midnight.
fn hourly(extremes: &[(f64, f64)], exponents: &[f64]) -> Vec<f64> {
    let rise = (WARMEST - COLDEST) as f64;
    let fall = 24.0 - rise;
    (0..HOURS)
        .map(|i| {
            let (day, hour) = (i / 24, i % 24);
            let (low, high, phase) = if hour < COLDEST {
                let yesterday = (day + DAYS - 1) % DAYS;
                (extremes[day].0, extremes[yesterday].1, (COLDEST - hour) as f64 / fall)
            } else if hour <= WARMEST {
                (extremes[day].0, extremes[day].1, (hour - COLDEST) as f64 / rise)
            } else {
                let tomorrow = (day + 1) % DAYS;
                (extremes[tomorrow].0, extremes[day].1, 1.0 - (hour - WARMEST) as f64 / fall)
            };
            let shape = libm::pow(0.5 - 0.5 * libm::cos(PI * phase), exponents[day]);
            low + (high - low) * shape
        })
        .collect()
}

/// The `GROUND TEMPERATURES` header at 0.5, 2 and 4 m (Kusuda & Achenbach 1965).
pub(super) fn ground_header(normals: &Normals) -> String {
    /// Thermal diffusivity of moist clay, m²/day.
    const DIFFUSIVITY: f64 = 0.055;
    let months = &normals.monthly.mean_c;
    let mean = months.iter().sum::<f64>() / 12.0;
    let coldest = months.iter().copied().fold(f64::INFINITY, f64::min);
    let amplitude = months.iter().copied().fold(f64::NEG_INFINITY, f64::max) / 2.0 - coldest / 2.0;
    let first = months.iter().position(|m| *m == coldest).unwrap_or(0);
    let middle =
        |month: usize| MONTH_DAYS[..month].iter().sum::<usize>() as f64 + MONTH_DAYS[month] as f64 / 2.0;
    let mut out = "3".to_owned();
    for depth_m in [0.5, 2.0, 4.0] {
        let _ = write!(out, ",{depth_m},,,");
        let damping = libm::sqrt(PI / 365.0 / DIFFUSIVITY);
        for month in 0..12 {
            let lag = middle(month) - middle(first) - depth_m / 2.0 * libm::sqrt(365.0 / PI / DIFFUSIVITY);
            let t = mean - amplitude * libm::exp(-depth_m * damping) * libm::cos(2.0 * PI / 365.0 * lag);
            let _ = write!(out, ",{t:.2}");
        }
    }
    out
}
