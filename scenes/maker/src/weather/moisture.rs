//! Dew point, relative humidity and what depends on them.

use super::chance::Chance;
use super::rain::Rain;
use super::temperature::Temperature;
use super::{Course, DAYS, HOURS, Normals, monthly_means};

/// Corrections of the monthly nodes, and how far a node moves for a percent of error, K.
const ROUNDS: usize = 80;
const STEP_K_PER_PERCENT: f64 = 0.18;
/// In rain the dew point is no further than this below the air's temperature, K.
const RAIN_DEPRESSION_K: f64 = 1.2;

/// A year's humidity.
pub(super) struct Moisture {
    pub(super) dew_point_c: Vec<f64>,
    pub(super) relative_humidity_pct: Vec<f64>,
}

/// Saturation pressure over water, hPa (Magnus; Alduchov & Eskridge 1996).
fn saturation_hpa(t_c: f64) -> f64 {
    6.1094 * libm::exp(17.625 * t_c / (t_c + 243.04))
}

pub(super) fn year(
    normals: &Normals,
    temperature: &Temperature,
    sunshine: &[f64],
    rain: &Rain,
    seed: u64,
) -> Moisture {
    let noise = Chance::new(seed, "moisture").autoregression(DAYS, 0.5);
    let mut depression = Course([1.5; 12]);
    let mut dew_point_c = vec![0.0; HOURS];
    let mut relative_humidity_pct = vec![0.0; HOURS];
    for _ in 0..ROUNDS {
        let depressions = depression.days();
        let daily: Vec<f64> = (0..DAYS)
            .map(|day| {
                temperature.daily_min_c[day] - depressions[day] - 3.0 * (sunshine[day] - 0.4)
                    + 0.8 * noise[day]
            })
            .collect();
        for i in 0..HOURS {
            // Air masses change slowly: a line from noon to noon.
            let t = i as f64 - 11.0;
            let before = (t / 24.0).floor();
            let fraction = t / 24.0 - before;
            let day = (before as i64).rem_euclid(DAYS as i64) as usize;
            let next = (day + 1) % DAYS;
            let air = temperature.hourly_c[i];
            let mut dew = daily[day] + (daily[next] - daily[day]) * fraction;
            if rain.hourly_tenths_mm[i] > 0 {
                dew = dew.max(air - RAIN_DEPRESSION_K);
            }
            dew_point_c[i] = dew.min(air - 0.2);
            relative_humidity_pct[i] = 100.0 * saturation_hpa(dew_point_c[i]) / saturation_hpa(air);
        }
        let means = monthly_means(&relative_humidity_pct);
        for ((node, mean), wanted) in
            depression.0.iter_mut().zip(means).zip(normals.monthly.relative_humidity_pct)
        {
            *node += STEP_K_PER_PERCENT * (mean - wanted);
        }
    }
    Moisture { dew_point_c, relative_humidity_pct }
}

/// Radiation from the sky on the horizontal, W/m² (Clark & Allen 1978, Walton's cloud factor).
pub(super) fn sky_infrared_w_m2(dry_bulb_c: f64, dew_point_c: f64, cover_tenths: f64) -> f64 {
    const STEFAN_BOLTZMANN: f64 = 5.6697e-8;
    let n = cover_tenths;
    let emissivity = (0.787 + 0.764 * libm::log((dew_point_c + 273.15) / 273.0))
        * (1.0 + n * (0.0224 + n * (-0.0035 + n * 0.00028)));
    let kelvin = dry_bulb_c + 273.15;
    emissivity * STEFAN_BOLTZMANN * kelvin * kelvin * kelvin * kelvin
}

/// Water in the air above, mm (Reitan 1963).
pub(super) fn precipitable_water_mm(dew_point_c: f64) -> f64 {
    10.0 * libm::exp(0.07 * dew_point_c - 0.075)
}
