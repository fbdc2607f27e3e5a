//! A typical year of weather from monthly normals.
//!
//! [`synthesize`] makes 8,760 hours whose months have the means and totals of [`Normals`], and whose
//! days look like weather: spells of rain, warm and cold days in a row, cloud that dims the sun on the
//! same day on which it rains. The same normals and seed give the same bytes on every machine: the
//! random numbers are PCG, one stream a quantity, and transcendental functions come from `libm`.
//!
//! | quantity | method |
//! |---|---|
//! | rain days | two-state first-order Markov chain (Gabriel & Neumann 1962; Richardson 1981), steered to the month's number of days; wetter and more persistent in the plum rains; one storm of two days |
//! | rain amounts | gamma, shape 0.7 (Thom 1958), scaled and rounded so that the month's total is exact to 0.1 mm; in spells of hours, in the afternoon in summer |
//! | sunshine | a random share of the day's length, low on wet days, bent so that the month's hours agree |
//! | daily temperature | seasonal course + first-order autoregression (φ = 0.7, Richardson 1981); range wider on sunny days |
//! | hourly temperature | from minimum at 06:00 to maximum at 14:00 and back, a power of a cosine whose exponent meets the monthly mean |
//! | humidity | dew point below the day's minimum, less in rain, slow over the day; Magnus formula (Alduchov & Eskridge 1996) |
//! | global radiation | day: Ångström–Prescott 0.25 + 0.50 n/N (FAO-56); hours: clear sky of Haurwitz (1945) × random cloud |
//! | direct and diffuse | Erbs, Klein & Duffie (1982); geometry of Spencer (1971), cosine averaged over the hour |
//! | sky radiation | Clark & Allen (1978) with Walton's cloud factor, as EnergyPlus has it |
//! | wind, pressure | autoregression about the month's mean; sea breeze in the afternoon; the storm on top |
//! | ground | Kusuda & Achenbach (1965), for the header |
//!
//! Where months depend on each other (a seasonal course has no steps at their ends) the course's
//! monthly nodes are corrected until every month's mean agrees.

mod chance;
mod moisture;
mod normals;
mod rain;
mod sun;
mod temperature;
#[cfg(test)]
mod tests;
mod wind;

use campanile_formats::epw::{Epw, EpwHeaders, EpwHour, EpwLocation};

pub use normals::{Monthly, Normals, NormalsError, Place, PlumRain, Storm};
pub use sun::mean_cos_zenith;

/// Days of a common year and of its months.
const DAYS: usize = 365;
const HOURS: usize = DAYS * 24;
const MONTH_DAYS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Makes a typical year from normals; the same arguments give the same result, bit for bit.
///
/// Means and totals of its months equal the normals: daily maximum, minimum and mean within 0.1 K,
/// relative humidity within 1 %, rain exactly to 0.1 mm, rain days to the nearest whole day, wind within
/// 0.05 m/s, pressure within 0.1 hPa, and global radiation within 2 % of Ångström–Prescott's for the
/// sunshine hours.
#[must_use]
pub fn synthesize(normals: &Normals, seed: u64) -> Epw {
    let rain = rain::year(normals, seed);
    let sun = sun::year(normals, &rain, seed);
    let temperature = temperature::year(normals, &sun.sunshine_fraction, seed);
    let moisture = moisture::year(normals, &temperature, &sun.sunshine_fraction, &rain, seed);
    let wind = wind::year(normals, &rain, &temperature.anomaly_k, seed);
    let mut hours = Vec::with_capacity(HOURS);
    for (month, days) in MONTH_DAYS.into_iter().enumerate() {
        for day in 1..=days {
            for hour in 1..=24 {
                let i = hours.len();
                let dry_bulb_c = rounded(temperature.hourly_c[i], 10.0);
                // Rounded apart, the two might cross by a tenth.
                let dew_point_c = rounded(moisture.dew_point_c[i], 10.0).min(dry_bulb_c);
                let sky = &sun.hours[i];
                let wet = rain.hourly_tenths_mm[i] > 0;
                hours.push(EpwHour {
                    year: normals.year,
                    month: month as u8 + 1,
                    day: day as u8,
                    hour,
                    minute: 0,
                    flags: "?9".repeat(21),
                    dry_bulb_c: Some(dry_bulb_c),
                    dew_point_c: Some(dew_point_c),
                    relative_humidity_pct: Some(rounded(moisture.relative_humidity_pct[i], 1.0)),
                    pressure_pa: Some(rounded(wind.pressure_pa[i], 1.0)),
                    extraterrestrial_horizontal_wh_m2: Some(rounded(sky.extraterrestrial_horizontal, 10.0)),
                    extraterrestrial_direct_normal_wh_m2: Some(rounded(sky.extraterrestrial_normal, 10.0)),
                    infrared_horizontal_wh_m2: Some(rounded(
                        moisture::sky_infrared_w_m2(dry_bulb_c, dew_point_c, sky.cover_tenths),
                        10.0,
                    )),
                    global_horizontal_wh_m2: Some(sky.global),
                    direct_normal_wh_m2: Some(sky.direct_normal),
                    diffuse_horizontal_wh_m2: Some(sky.diffuse),
                    wind_direction_deg: Some(rounded(wind.from_deg[i], 1.0)),
                    wind_speed_m_s: Some(rounded(wind.speed_m_s[i], 10.0)),
                    total_sky_cover_tenths: Some(sky.cover_tenths),
                    opaque_sky_cover_tenths: Some(sky.cover_tenths),
                    visibility_km: Some(if wet { 5.0 } else { 15.0 }),
                    ceiling_height_m: Some(if wet { 600.0 } else { 77777.0 }),
                    present_weather_codes: "9".repeat(9),
                    precipitable_water_mm: Some(rounded(moisture::precipitable_water_mm(dew_point_c), 1.0)),
                    snow_depth_cm: Some(0.0),
                    albedo: Some(0.2),
                    rain_depth_mm: Some(rain.hourly_tenths_mm[i] as f64 / 10.0),
                    rain_period_h: Some(1.0),
                    ..EpwHour::default()
                });
            }
        }
    }
    let place = &normals.place;
    Epw {
        location: EpwLocation {
            city: place.city.clone(),
            state: place.state.clone(),
            country: place.country.clone(),
            source: place.source.clone(),
            wmo: place.wmo.clone(),
            latitude_deg: place.latitude_deg,
            longitude_deg: place.longitude_deg,
            utc_offset_h: place.utc_offset_h,
            elevation_m: place.elevation_m,
        },
        headers: EpwHeaders {
            design_conditions: "0".to_owned(),
            typical_extreme_periods: "0".to_owned(),
            ground_temperatures: temperature::ground_header(normals),
            holidays_daylight_savings: "No,0,0,0".to_owned(),
            comments_1: format!(
                "Synthetic typical year made from monthly normals; seed {seed}; no measurement of any hour"
            ),
            comments_2: "Methods: Richardson 1981; Haurwitz 1945; Erbs et al. 1982; FAO-56".to_owned(),
            data_periods: format!("1,1,Data,{},1/ 1,12/31", first_weekday(normals.year)),
        },
        hours,
    }
}

/// A number on a grid of `1 / per_unit`, without negative zero.
fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit + 0.0
}

/// The weekday of 1 January in the Gregorian calendar.
fn first_weekday(year: i32) -> &'static str {
    const NAMES: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let before = year - 1;
    let days = before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) + 1;
    NAMES[days.rem_euclid(7) as usize]
}

/// The month (from 0) of each day of the year.
fn month_of_days() -> Vec<usize> {
    MONTH_DAYS.iter().enumerate().flat_map(|(month, days)| std::iter::repeat_n(month, *days)).collect()
}

/// The day of the year (from 0) of a month (1 to 12) and day.
fn day_of_year(month: usize, day: usize) -> usize {
    MONTH_DAYS[..month - 1].iter().sum::<usize>() + day - 1
}

/// A seasonal course without steps: twelve nodes in the middles of the months, lines between.
#[derive(Debug, Clone)]
struct Course([f64; 12]);

impl Course {
    /// The value on a day of the year (from 0), at its middle.
    fn at(&self, day: usize) -> f64 {
        let t = day as f64 + 0.5;
        let mut start = 0.0;
        let mut month = 0;
        while month < 11 && t >= start + MONTH_DAYS[month] as f64 {
            start += MONTH_DAYS[month] as f64;
            month += 1;
        }
        let middle = start + MONTH_DAYS[month] as f64 / 2.0;
        let (other, distance) = if t < middle {
            let other = (month + 11) % 12;
            (other, middle - t)
        } else {
            ((month + 1) % 12, t - middle)
        };
        let span = (MONTH_DAYS[month] + MONTH_DAYS[other]) as f64 / 2.0;
        self.0[month] + (self.0[other] - self.0[month]) * distance / span
    }

    /// All days of the year.
    fn days(&self) -> Vec<f64> {
        (0..DAYS).map(|day| self.at(day)).collect()
    }
}

/// Means of a daily series by month.
fn monthly_means(daily: &[f64]) -> [f64; 12] {
    let per_day = daily.len() / DAYS;
    let mut means = [0.0; 12];
    let mut start = 0;
    for (mean, days) in means.iter_mut().zip(MONTH_DAYS) {
        let end = start + days * per_day;
        *mean = daily[start..end].iter().sum::<f64>() / (end - start) as f64;
        start = end;
    }
    means
}
