//! Wind and pressure, with the storm on top.

use std::f64::consts::PI;

use super::chance::Chance;
use super::rain::Rain;
use super::{Course, HOURS, MONTH_DAYS, Normals, monthly_means};

/// A year's wind and pressure.
pub(super) struct Wind {
    pub(super) speed_m_s: Vec<f64>,
    pub(super) from_deg: Vec<f64>,
    pub(super) pressure_pa: Vec<f64>,
}

pub(super) fn year(normals: &Normals, rain: &Rain, anomaly_k: &[f64], seed: u64) -> Wind {
    let mut chance = Chance::new(seed, "wind");
    let monthly = &normals.monthly;
    let storm: Vec<f64> = (0..HOURS).map(|i| storm_strength(i, rain.storm_day)).collect();

    // Speed: a lognormal autoregression by the hour, stronger in the afternoon.
    let gusts = chance.autoregression(HOURS, 0.93);
    let mut speed_m_s: Vec<f64> = gusts
        .iter()
        .enumerate()
        .map(|(i, g)| {
            let afternoon = 1.0 + 0.3 * libm::cos(2.0 * PI * ((i % 24) as f64 - 13.0) / 24.0);
            afternoon * libm::exp(0.45 * g.clamp(-3.0, 3.0))
        })
        .collect();
    let mut start = 0;
    for (month, days) in MONTH_DAYS.into_iter().enumerate() {
        let hours = start..start + days * 24;
        let wanted = monthly.wind_m_s[month] * (days * 24) as f64;
        let extra: f64 = hours.clone().map(|i| storm[i] * normals.storm.peak_wind_m_s).sum();
        let usual: f64 = hours.clone().map(|i| speed_m_s[i] * (1.0 - storm[i])).sum();
        // A storm too strong for a calm month's mean still leaves some wind on the other days.
        let factor = ((wanted - extra) / usual).max(0.2 * wanted / usual);
        for i in hours {
            speed_m_s[i] = factor * speed_m_s[i] * (1.0 - storm[i]) + storm[i] * normals.storm.peak_wind_m_s;
        }
        start += days * 24;
    }

    // Direction: the prevailing one as a vector, so that its course takes the short way round north.
    let part = |f: fn(f64) -> f64| Course(monthly.wind_from_deg.map(|deg| f(deg.to_radians()))).days();
    let (east, north) = (part(libm::sin), part(libm::cos));
    let veer = chance.autoregression(HOURS, 0.95);
    let from_deg = (0..HOURS)
        .map(|i| {
            let usual = libm::atan2(east[i / 24], north[i / 24]).to_degrees() + 50.0 * veer[i];
            // The storm passes offshore: its wind backs from north-east through north to north-west.
            let deg = match rain.storm_day {
                Some(first) if storm[i] > 0.15 => 60.0 - 110.0 * (i - first * 24) as f64 / 48.0,
                _ => usual,
            };
            deg.rem_euclid(360.0)
        })
        .map(|deg| if deg >= 359.5 { 0.0 } else { deg })
        .collect();

    // Pressure: high in cold air, with its own swings and the tide of the atmosphere.
    let swings = chance.autoregression(HOURS, 0.985);
    let mut course = Course(monthly.pressure_hpa);
    let mut pressure_pa = vec![0.0; HOURS];
    for _ in 0..40 {
        let days = course.days();
        for (i, pressure) in pressure_pa.iter_mut().enumerate() {
            let tide = 0.8 * libm::cos(2.0 * PI * ((i % 12) as f64 - 9.0) / 12.0);
            let hpa = days[i / 24] - 0.7 * anomaly_between(anomaly_k, i) + 2.5 * swings[i] + tide
                - normals.storm.pressure_drop_hpa * storm[i];
            *pressure = hpa * 100.0;
        }
        let means = monthly_means(&pressure_pa);
        for ((node, mean), wanted) in course.0.iter_mut().zip(means).zip(monthly.pressure_hpa) {
            *node += wanted - mean / 100.0;
        }
    }
    Wind { speed_m_s, from_deg, pressure_pa }
}

/// The temperature's departure at an hour, on a line from noon to noon.
fn anomaly_between(anomaly_k: &[f64], i: usize) -> f64 {
    let days = anomaly_k.len();
    let t = (i + days * 24 - 12) as f64 / 24.0;
    let before = t.floor();
    let (a, b) = (anomaly_k[before as usize % days], anomaly_k[(before as usize + 1) % days]);
    a + (b - a) * (t - before)
}

/// How much of the storm there is in an hour: 0 outside its two days, 1 at its height.
fn storm_strength(hour: usize, first_day: Option<usize>) -> f64 {
    match first_day {
        Some(first) if (first * 24..(first + 2) * 24).contains(&hour) => {
            let s = libm::sin(PI * ((hour - first * 24) as f64 + 0.5) / 48.0);
            s * s
        }
        _ => 0.0,
    }
}
