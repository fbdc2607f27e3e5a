//! EnergyPlus weather files (EPW): eight header lines and a year of hours.
//!
//! Fields, units, ranges and missing codes follow the EnergyPlus *Auxiliary Programs* manual, chapter
//! "EnergyPlus Weather File (EPW) Data Dictionary". A value that the file marks as missing is `None`.
//!
//! **Time.** Row `i` (from 0) belongs to hour `i + 1` of the year in local standard time. Radiation and
//! rain of a row are amounts of the hour that ends at `i + 1`; states (temperature, wind, …) hold at its end.

mod fields;
mod read;
#[cfg(test)]
mod tests;
mod write;

use fields::Field;
pub use read::read;
pub use write::write;

/// The largest file that is read: 16 MiB, ten times a usual one.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A weather file.
#[derive(Debug, Clone, PartialEq)]
pub struct Epw {
    /// Where it was measured.
    pub location: EpwLocation,
    /// Header lines 2 to 8.
    pub headers: EpwHeaders,
    /// 8,760 hours, or 8,784 in a leap year.
    pub hours: Vec<EpwHour>,
}

/// The `LOCATION` line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EpwLocation {
    /// City or station.
    pub city: String,
    /// State, province or region.
    pub state: String,
    /// Country, usually three letters.
    pub country: String,
    /// Where the data come from.
    pub source: String,
    /// WMO station number, kept as text: some have letters or leading zeros.
    pub wmo: String,
    /// Latitude, degrees, north positive.
    pub latitude_deg: f64,
    /// Longitude, degrees, east positive.
    pub longitude_deg: f64,
    /// Hours from UTC to local standard time, east positive.
    pub utc_offset_h: f64,
    /// Height above sea level, metres.
    pub elevation_m: f64,
}

/// Header lines 2 to 8, each as the text after its keyword and comma, unchanged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EpwHeaders {
    /// `DESIGN CONDITIONS`.
    pub design_conditions: String,
    /// `TYPICAL/EXTREME PERIODS`.
    pub typical_extreme_periods: String,
    /// `GROUND TEMPERATURES`.
    pub ground_temperatures: String,
    /// `HOLIDAYS/DAYLIGHT SAVINGS`.
    pub holidays_daylight_savings: String,
    /// `COMMENTS 1`.
    pub comments_1: String,
    /// `COMMENTS 2`.
    pub comments_2: String,
    /// `DATA PERIODS`; only one period with one record an hour is read.
    pub data_periods: String,
}

/// One row. `None` is what the file marks as missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EpwHour {
    /// Calendar year that the hour was taken from; a typical year mixes years.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 1 to 24: hour 1 ends at 01:00.
    pub hour: u8,
    /// Minute as written, usually 0, 30 or 60; readers of EPW ignore it.
    pub minute: u8,
    /// Data source and uncertainty flags, unchanged.
    pub flags: String,
    /// Dry-bulb temperature, °C.
    pub dry_bulb_c: Option<f64>,
    /// Dew-point temperature, °C.
    pub dew_point_c: Option<f64>,
    /// Relative humidity, %.
    pub relative_humidity_pct: Option<f64>,
    /// Station pressure, Pa.
    pub pressure_pa: Option<f64>,
    /// Extraterrestrial radiation on the horizontal in the hour, Wh/m².
    pub extraterrestrial_horizontal_wh_m2: Option<f64>,
    /// Extraterrestrial radiation towards the sun in the hour, Wh/m².
    pub extraterrestrial_direct_normal_wh_m2: Option<f64>,
    /// Infrared radiation from the sky on the horizontal in the hour, Wh/m².
    pub infrared_horizontal_wh_m2: Option<f64>,
    /// Global radiation on the horizontal in the hour (GHI), Wh/m².
    pub global_horizontal_wh_m2: Option<f64>,
    /// Beam radiation towards the sun in the hour (DNI), Wh/m².
    pub direct_normal_wh_m2: Option<f64>,
    /// Diffuse radiation on the horizontal in the hour (DHI), Wh/m².
    pub diffuse_horizontal_wh_m2: Option<f64>,
    /// Global illuminance on the horizontal, lux.
    pub global_horizontal_lux: Option<f64>,
    /// Direct normal illuminance, lux.
    pub direct_normal_lux: Option<f64>,
    /// Diffuse illuminance on the horizontal, lux.
    pub diffuse_horizontal_lux: Option<f64>,
    /// Luminance of the zenith, cd/m².
    pub zenith_luminance_cd_m2: Option<f64>,
    /// Direction that the wind comes from, degrees clockwise from north.
    pub wind_direction_deg: Option<f64>,
    /// Wind speed, m/s.
    pub wind_speed_m_s: Option<f64>,
    /// Sky covered by any cloud, tenths.
    pub total_sky_cover_tenths: Option<f64>,
    /// Sky covered by opaque cloud, tenths.
    pub opaque_sky_cover_tenths: Option<f64>,
    /// Visibility, km.
    pub visibility_km: Option<f64>,
    /// Ceiling height, m; 77777 is unlimited, 88888 cirroform.
    pub ceiling_height_m: Option<f64>,
    /// 0 where the next field holds an observation; `None` (9 in the file) where it doesn't.
    pub present_weather_observation: Option<f64>,
    /// Present weather, nine digits, unchanged.
    pub present_weather_codes: String,
    /// Precipitable water, mm.
    pub precipitable_water_mm: Option<f64>,
    /// Aerosol optical depth, as written (the manual: thousandths; most files: units).
    pub aerosol_optical_depth: Option<f64>,
    /// Snow depth, cm.
    pub snow_depth_cm: Option<f64>,
    /// Days since the last snowfall.
    pub days_since_snow: Option<f64>,
    /// Reflected over incident radiation, 0 to 1.
    pub albedo: Option<f64>,
    /// Rain in the period of the next field, mm.
    pub rain_depth_mm: Option<f64>,
    /// Period of the rain, hours.
    pub rain_period_h: Option<f64>,
}

/// The weather at a moment, as [`Epw::at`] gives it. `None` where the file has nothing to interpolate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EpwMoment {
    /// Dry-bulb temperature, °C.
    pub dry_bulb_c: Option<f64>,
    /// Dew-point temperature, °C.
    pub dew_point_c: Option<f64>,
    /// Relative humidity, %.
    pub relative_humidity_pct: Option<f64>,
    /// Station pressure, Pa.
    pub pressure_pa: Option<f64>,
    /// Wind speed, m/s.
    pub wind_speed_m_s: Option<f64>,
    /// Direction that the wind comes from, degrees clockwise from north, the short way round between hours.
    pub wind_direction_deg: Option<f64>,
    /// Global horizontal irradiance, W/m².
    pub global_horizontal_w_m2: Option<f64>,
    /// Direct normal irradiance, W/m².
    pub direct_normal_w_m2: Option<f64>,
    /// Diffuse horizontal irradiance, W/m².
    pub diffuse_horizontal_w_m2: Option<f64>,
    /// Rain, mm/h: constant over each hour, so that the depth of every hour is kept.
    pub rain_mm_h: Option<f64>,
    /// Sky covered by any cloud, tenths.
    pub total_sky_cover_tenths: Option<f64>,
}

/// What can be wrong with a weather file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EpwError {
    /// The file is larger than [`MAX_BYTES`].
    #[error(
        "the file has {bytes} bytes, more than the {MAX_BYTES} that are read: give one year with one record an hour"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A header line is missing or out of place.
    #[error(
        "line {line}: `{keyword}` is expected but `{found}` is there: an EPW starts with its eight header lines in order"
    )]
    Header {
        /// Line, from 1.
        line: usize,
        /// The keyword that belongs there.
        keyword: &'static str,
        /// What is there, shortened.
        found: String,
    },
    /// The data periods aren't one year of hours.
    #[error(
        "line 8, `DATA PERIODS,{found}`: only one period with one record an hour can be read (`DATA PERIODS,1,1,…`)"
    )]
    Periods {
        /// The text after the keyword, shortened.
        found: String,
    },
    /// A row has too few or too many fields.
    #[error(
        "line {line}: {found} fields, but a row has 32 to 35: separate them by commas and give every one (missing codes are allowed)"
    )]
    FieldCount {
        /// Line, from 1.
        line: usize,
        /// Fields found.
        found: usize,
    },
    /// A field isn't a number or lies outside what is physically possible.
    #[error(
        "line {line}, field {field} ({name}): `{found}` isn't {wanted}; correct it or write the missing code {missing}"
    )]
    Value {
        /// Line, from 1.
        line: usize,
        /// Field, from 1.
        field: usize,
        /// Name of the field.
        name: &'static str,
        /// What is there, shortened.
        found: String,
        /// What belongs there.
        wanted: String,
        /// The code that marks a missing value; `none` where a value can't be missing.
        missing: &'static str,
    },
    /// Rows are missing, repeated or out of order.
    #[error(
        "line {line}: hour {found} follows where {wanted} is expected (month-day hour): give every hour of the year once, in order"
    )]
    Sequence {
        /// Line, from 1.
        line: usize,
        /// The hour found.
        found: String,
        /// The hour expected.
        wanted: String,
    },
    /// Neither 8,760 nor 8,784 rows.
    #[error("the file has {found} hours: give 8,760, or 8,784 with 29 February")]
    RowCount {
        /// Rows found.
        found: usize,
    },
    /// A value to be written would read back as missing or as something else.
    #[error(
        "hour {hour} of the year, {name}: {value} can't be written, because it isn't finite, is out of range or equals the missing code"
    )]
    Unwritable {
        /// Hour of the year, from 1.
        hour: usize,
        /// Name of the field.
        name: &'static str,
        /// The value.
        value: String,
    },
}

impl Epw {
    /// The weather `hour_of_year` hours after the start of 1 January, local standard time.
    ///
    /// The year wraps, so any finite number is a moment. States are interpolated linearly between the
    /// ends of the hours; radiation between the middles of the hours (where an hour's amount is the
    /// best estimate of the power); rain is constant over its hour. Where one of two neighbours is
    /// missing the other holds; where both are, the result is `None`.
    #[must_use]
    pub fn at(&self, hour_of_year: f64) -> EpwMoment {
        let len = self.hours.len();
        if len == 0 || !hour_of_year.is_finite() {
            return EpwMoment::default();
        }
        let state = |get: fn(&EpwHour) -> Option<f64>| self.between(hour_of_year - 1.0, get);
        let power = |get: fn(&EpwHour) -> Option<f64>| self.between(hour_of_year - 0.5, get);
        EpwMoment {
            dry_bulb_c: state(|h| h.dry_bulb_c),
            dew_point_c: state(|h| h.dew_point_c),
            relative_humidity_pct: state(|h| h.relative_humidity_pct),
            pressure_pa: state(|h| h.pressure_pa),
            wind_speed_m_s: state(|h| h.wind_speed_m_s),
            wind_direction_deg: self.direction(hour_of_year - 1.0),
            global_horizontal_w_m2: power(|h| h.global_horizontal_wh_m2),
            direct_normal_w_m2: power(|h| h.direct_normal_wh_m2),
            diffuse_horizontal_w_m2: power(|h| h.diffuse_horizontal_wh_m2),
            rain_mm_h: self.hours[wrap(hour_of_year, len).0].rain_depth_mm,
            total_sky_cover_tenths: state(|h| h.total_sky_cover_tenths),
        }
    }

    /// Linear interpolation at fractional row `t`, wrapping at the ends of the year.
    fn between(&self, t: f64, get: fn(&EpwHour) -> Option<f64>) -> Option<f64> {
        let (index, fraction) = wrap(t, self.hours.len());
        let next = (index + 1) % self.hours.len();
        match (get(&self.hours[index]), get(&self.hours[next])) {
            (Some(a), Some(b)) => Some(a + (b - a) * fraction),
            (a, b) => a.or(b),
        }
    }

    fn direction(&self, t: f64) -> Option<f64> {
        let (index, fraction) = wrap(t, self.hours.len());
        let next = (index + 1) % self.hours.len();
        match (self.hours[index].wind_direction_deg, self.hours[next].wind_direction_deg) {
            (Some(a), Some(b)) => {
                let turn = (b - a + 540.0).rem_euclid(360.0) - 180.0;
                Some((a + turn * fraction).rem_euclid(360.0))
            }
            (a, b) => a.or(b),
        }
    }
}

/// The row at or before fractional row `t` and the fraction towards the next.
fn wrap(t: f64, len: usize) -> (usize, f64) {
    let t = t.rem_euclid(len as f64);
    let index = t.floor();
    // `rem_euclid` may round up to `len` itself for a tiny negative number.
    ((index as usize) % len, t - index)
}

/// Days of the months; February as in the year in question.
fn month_days(leap: bool) -> [u8; 12] {
    [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// Every (month, day, hour) of a year in order.
fn calendar(leap: bool) -> impl Iterator<Item = (u8, u8, u8)> {
    month_days(leap).into_iter().zip(1u8..).flat_map(|(days, month)| {
        (1..=days).flat_map(move |day| (1..=24).map(move |hour| (month, day, hour)))
    })
}
