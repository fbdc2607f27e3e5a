//! Monthly normals and the file that holds them.

use serde::Deserialize;

/// Monthly normals of a place and the character of its weather, as `weather.toml` has them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normals {
    /// Year to write in the file; it has 365 days whatever it is.
    pub year: i32,
    /// Seed of the year that ships; any other gives another year of the same climate.
    pub seed: u64,
    /// The place.
    pub place: Place,
    /// Twelve numbers a quantity, January first.
    pub monthly: Monthly,
    /// The season of persistent rain in early summer.
    pub plum_rain: PlumRain,
    /// One storm like a passing typhoon.
    pub storm: Storm,
}

/// Where the weather is, for the `LOCATION` line and the sun.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// City or station.
    pub city: String,
    /// State, province or region.
    pub state: String,
    /// Country, three letters.
    pub country: String,
    /// Where the normals come from.
    pub source: String,
    /// WMO station number.
    pub wmo: String,
    /// Latitude, degrees, north positive; between the polar circles.
    pub latitude_deg: f64,
    /// Longitude, degrees, east positive.
    pub longitude_deg: f64,
    /// Hours from UTC to local standard time.
    pub utc_offset_h: f64,
    /// Height above sea level, metres.
    pub elevation_m: f64,
}

/// Twelve numbers a quantity, January first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monthly {
    /// Mean of the daily maxima, °C.
    pub mean_daily_max_c: [f64; 12],
    /// Mean of the daily minima, °C.
    pub mean_daily_min_c: [f64; 12],
    /// Mean temperature, °C.
    pub mean_c: [f64; 12],
    /// Mean relative humidity, %.
    pub relative_humidity_pct: [f64; 12],
    /// Precipitation, mm.
    pub precipitation_mm: [f64; 12],
    /// Days with at least 0.1 mm.
    pub rain_days: [f64; 12],
    /// Hours of sunshine.
    pub sunshine_h: [f64; 12],
    /// Mean wind speed, m/s.
    pub wind_m_s: [f64; 12],
    /// Prevailing direction that the wind comes from, degrees clockwise from north.
    pub wind_from_deg: [f64; 12],
    /// Mean station pressure, hPa.
    pub pressure_hpa: [f64; 12],
    /// Standard deviation of a day's temperature about its normal, K.
    pub temperature_sd_k: [f64; 12],
}

/// The season of persistent rain in early summer (梅雨).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlumRain {
    /// First day: month, day.
    pub from: [usize; 2],
    /// Last day: month, day.
    pub to: [usize; 2],
}

/// One storm like a passing typhoon, lasting two days.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// Months (1 to 12) of which one is drawn; empty: no storm.
    pub months: Vec<usize>,
    /// Share of that month's rain that falls in it, 0 to 1.
    pub rain_share: f64,
    /// Wind speed at its height, m/s.
    pub peak_wind_m_s: f64,
    /// Fall of pressure at its height, hPa.
    pub pressure_drop_hpa: f64,
}

/// What can be wrong with a file of normals.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NormalsError {
    /// Not TOML, or not the fields that are expected; the inner text has line and column.
    #[error("{file}: {source}")]
    Toml {
        /// Name of the file.
        file: String,
        /// Line, column and what is expected.
        source: Box<toml::de::Error>,
    },
    /// A number that no weather can have.
    #[error("{file}: {key} is {found}, but {wanted}")]
    Value {
        /// Name of the file.
        file: String,
        /// Path of the key; months count from 1.
        key: String,
        /// The number.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
}

impl Normals {
    /// Reads and checks `weather.toml`; `file_name` is for messages.
    ///
    /// # Errors
    /// [`NormalsError`] with file, key and mend.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, NormalsError> {
        let normals: Self = toml::from_str(text)
            .map_err(|source| NormalsError::Toml { file: file_name.to_owned(), source: Box::new(source) })?;
        match normals.fault() {
            None => Ok(normals),
            Some((key, found, wanted)) => {
                Err(NormalsError::Value { file: file_name.to_owned(), key, found, wanted })
            }
        }
    }

    /// The first impossible number: key, value and what it must be.
    fn fault(&self) -> Option<(String, String, &'static str)> {
        if !(1..=9999).contains(&self.year) {
            return Some(("year".to_owned(), self.year.to_string(), "must be from 1 to 9999"));
        }
        let m = &self.monthly;
        let ranges: [(&str, &[f64; 12], f64, f64, &'static str); 11] = [
            ("mean_daily_max_c", &m.mean_daily_max_c, -50.0, 50.0, "must be from -50 to 50 °C"),
            ("mean_daily_min_c", &m.mean_daily_min_c, -50.0, 50.0, "must be from -50 to 50 °C"),
            ("mean_c", &m.mean_c, -50.0, 50.0, "must be from -50 to 50 °C"),
            ("relative_humidity_pct", &m.relative_humidity_pct, 20.0, 95.0, "must be from 20 to 95 %"),
            ("precipitation_mm", &m.precipitation_mm, 0.0, 3000.0, "must be from 0 to 3,000 mm"),
            ("rain_days", &m.rain_days, 0.0, 28.0, "must be from 0 to 28 days"),
            ("sunshine_h", &m.sunshine_h, 0.0, 450.0, "must be from 0 to 450 h"),
            ("wind_m_s", &m.wind_m_s, 0.5, 15.0, "must be from 0.5 to 15 m/s"),
            ("wind_from_deg", &m.wind_from_deg, 0.0, 360.0, "must be from 0 to 360 degrees"),
            ("pressure_hpa", &m.pressure_hpa, 500.0, 1060.0, "must be from 500 to 1,060 hPa"),
            ("temperature_sd_k", &m.temperature_sd_k, 0.0, 8.0, "must be from 0 to 8 K"),
        ];
        for (name, values, low, high, wanted) in ranges {
            for (month, value) in values.iter().enumerate() {
                if !(*value >= low && *value <= high) {
                    return Some((format!("monthly.{name}, month {}", month + 1), value.to_string(), wanted));
                }
            }
        }
        for month in 0..12 {
            let (low, mean, high) = (m.mean_daily_min_c[month], m.mean_c[month], m.mean_daily_max_c[month]);
            let fraction = (mean - low) / (high - low);
            if high - low < 1.0 || !(0.3..=0.6).contains(&fraction) {
                let wanted = "must lie between 30 % and 60 % of the way from minimum to maximum, which are 1 K apart or more";
                return Some((format!("monthly.mean_c, month {}", month + 1), mean.to_string(), wanted));
            }
            let (rain, days) = (m.precipitation_mm[month], m.rain_days[month].round());
            if (rain * 10.0).round() < days || (rain > 0.0 && days < 1.0) {
                let wanted = "must be 0.1 mm or more for each rain day, and 0 only without rain days";
                return Some((
                    format!("monthly.precipitation_mm, month {}", month + 1),
                    rain.to_string(),
                    wanted,
                ));
            }
        }
        let p = &self.place;
        for (name, value, limit, wanted) in [
            ("latitude_deg", p.latitude_deg, 66.0, "must be between the polar circles, -66 to 66"),
            ("longitude_deg", p.longitude_deg, 180.0, "must be from -180 to 180"),
            ("utc_offset_h", p.utc_offset_h, 14.0, "must be from -14 to 14"),
            ("elevation_m", p.elevation_m, 6000.0, "must be from -6000 to 6000"),
        ] {
            if !(-limit..=limit).contains(&value) {
                return Some((format!("place.{name}"), value.to_string(), wanted));
            }
        }
        let date = |[month, day]: [usize; 2]| {
            (1..=12).contains(&month) && day >= 1 && day <= super::MONTH_DAYS[month - 1]
        };
        for (name, value) in [("from", self.plum_rain.from), ("to", self.plum_rain.to)] {
            if !date(value) {
                return Some((
                    format!("plum_rain.{name}"),
                    format!("{value:?}"),
                    "must be [month, day] of a common year",
                ));
            }
        }
        let s = &self.storm;
        if let Some(month) = s.months.iter().find(|month| !(1..=12).contains(*month)) {
            return Some(("storm.months".to_owned(), month.to_string(), "must be months, 1 to 12"));
        }
        for (name, value, high, wanted) in [
            ("rain_share", s.rain_share, 0.9, "must be from 0 to 0.9"),
            ("peak_wind_m_s", s.peak_wind_m_s, 60.0, "must be from 0 to 60"),
            ("pressure_drop_hpa", s.pressure_drop_hpa, 100.0, "must be from 0 to 100"),
        ] {
            if !(value >= 0.0 && value <= high) {
                return Some((format!("storm.{name}"), value.to_string(), wanted));
            }
        }
        None
    }
}
