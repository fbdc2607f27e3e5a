//! The weather and the sun at a moment.

use campanile_formats::Epw;
use campanile_model::Timestamp;
use serde::{Deserialize, Serialize};

/// The sky over the campus.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sky {
    pub temperature_c: f64,
    pub humidity_pct: f64,
    /// Water in the air, kg a kg of dry air.
    pub moisture: f64,
    pub pressure_pa: f64,
    pub wind_m_s: f64,
    pub wind_deg: f64,
    pub global_w_m2: f64,
    pub direct_w_m2: f64,
    pub diffuse_w_m2: f64,
    pub rain_mm_h: f64,
    /// Above the horizon, radians.
    pub sun_height: f64,
    /// Clockwise from north, radians.
    pub sun_azimuth: f64,
}

/// Pressure of saturated vapour over water, Pa (Alduchov & Eskridge 1996).
pub(crate) fn saturation_pa(temperature_c: f64) -> f64 {
    610.94 * libm::exp(17.625 * temperature_c / (temperature_c + 243.04))
}

/// Water in air of a relative humidity, kg/kg.
pub(crate) fn moisture(temperature_c: f64, humidity_pct: f64, pressure_pa: f64) -> f64 {
    let vapour = (saturation_pa(temperature_c) * humidity_pct / 100.0).min(0.5 * pressure_pa);
    0.622 * vapour / (pressure_pa - vapour)
}

/// Relative humidity of air with so much water, %, at most 100.
pub(crate) fn humidity_pct(temperature_c: f64, moisture: f64, pressure_pa: f64) -> f64 {
    let vapour = moisture * pressure_pa / (0.622 + moisture);
    (100.0 * vapour / saturation_pa(temperature_c)).clamp(0.0, 100.0)
}

impl Sky {
    /// The sky at a time; the weather file counts in local standard time, its year repeats.
    pub(crate) fn at(epw: &Epw, latitude_deg: f64, longitude_deg: f64, time: Timestamp) -> Self {
        let shift = (epw.location.utc_offset_h * 3.6e9) as i64;
        let stamp = jiff::Timestamp::from_microsecond(time.0.saturating_add(shift))
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let civil = jiff::tz::TimeZone::UTC.to_datetime(stamp);
        let mut day = f64::from(civil.date().day_of_year()) - 1.0;
        if civil.date().in_leap_year() && epw.hours.len() < 8784 && day >= 59.0 {
            day -= 1.0;
        }
        let hour = f64::from(civil.hour())
            + f64::from(civil.minute()) / 60.0
            + (f64::from(civil.second()) + f64::from(civil.subsec_nanosecond()) * 1e-9) / 3600.0;
        let now = epw.at(day * 24.0 + hour);
        let temperature_c = now.dry_bulb_c.unwrap_or(15.0);
        let humidity_pct = now.relative_humidity_pct.unwrap_or(70.0).clamp(1.0, 100.0);
        let pressure_pa = now.pressure_pa.unwrap_or(101_325.0).max(50_000.0);
        let (sun_height, sun_azimuth) =
            sun(day, hour - epw.location.utc_offset_h, latitude_deg, longitude_deg);
        Self {
            temperature_c,
            humidity_pct,
            moisture: moisture(temperature_c, humidity_pct, pressure_pa),
            pressure_pa,
            wind_m_s: now.wind_speed_m_s.unwrap_or(2.0),
            wind_deg: now.wind_direction_deg.unwrap_or(0.0),
            global_w_m2: now.global_horizontal_w_m2.unwrap_or(0.0),
            direct_w_m2: now.direct_normal_w_m2.unwrap_or(0.0),
            diffuse_w_m2: now.diffuse_horizontal_w_m2.unwrap_or(0.0),
            rain_mm_h: now.rain_mm_h.unwrap_or(0.0).max(0.0),
            sun_height,
            sun_azimuth,
        }
    }

    /// Irradiance of a tilted plane, W/m²: beam, isotropic sky (Liu & Jordan 1963) and ground of albedo 0.2.
    pub(crate) fn on_plane(&self, tilt_deg: f64, azimuth_deg: f64) -> f64 {
        let (tilt, azimuth) = (tilt_deg.to_radians(), azimuth_deg.to_radians());
        let beam = if self.sun_height > 0.0 {
            let facing = libm::sin(self.sun_height) * libm::cos(tilt)
                + libm::cos(self.sun_height) * libm::sin(tilt) * libm::cos(self.sun_azimuth - azimuth);
            self.direct_w_m2 * facing.max(0.0)
        } else {
            0.0
        };
        let open = (1.0 + libm::cos(tilt)) / 2.0;
        beam + self.diffuse_w_m2 * open + 0.2 * self.global_w_m2 * (1.0 - open)
    }
}

/// Height and azimuth of the sun, radians (Spencer 1971, good to some tenths of a degree).
fn sun(day: f64, hour_utc: f64, latitude_deg: f64, longitude_deg: f64) -> (f64, f64) {
    let g = std::f64::consts::TAU * day / 365.0;
    let (s1, c1, s2, c2) = (libm::sin(g), libm::cos(g), libm::sin(2.0 * g), libm::cos(2.0 * g));
    let declination = 0.006918 - 0.399912 * c1 + 0.070257 * s1 - 0.006758 * c2 + 0.000907 * s2;
    let equation_min = 229.18 * (0.000075 + 0.001868 * c1 - 0.032077 * s1 - 0.014615 * c2 - 0.040849 * s2);
    let solar_hour = hour_utc + longitude_deg / 15.0 + equation_min / 60.0;
    let angle = (15.0 * (solar_hour - 12.0)).to_radians();
    let latitude = latitude_deg.to_radians();
    let up = libm::sin(latitude) * libm::sin(declination)
        + libm::cos(latitude) * libm::cos(declination) * libm::cos(angle);
    let east = -libm::cos(declination) * libm::sin(angle);
    let north = libm::cos(latitude) * libm::sin(declination)
        - libm::sin(latitude) * libm::cos(declination) * libm::cos(angle);
    (libm::asin(up.clamp(-1.0, 1.0)), libm::atan2(east, north))
}
