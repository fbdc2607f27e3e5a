//! The numeric fields of a row: place, name, missing code and range.

use super::EpwHour;

/// How a file marks a missing value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Missing {
    /// This value or anything above it.
    AtLeast(f64),
    /// Exactly this value.
    Exactly(f64),
}

/// One numeric field of a row.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// Field in the row, from 0.
    pub(super) index: usize,
    /// Name, as in the manual.
    pub(super) name: &'static str,
    /// Missing code as written.
    pub(super) code: &'static str,
    /// How a missing value is known.
    pub(super) missing: Missing,
    /// Physically possible values.
    pub(super) range: [f64; 2],
    /// Where it lives.
    pub(super) get: fn(&EpwHour) -> Option<f64>,
    /// How to put it there.
    pub(super) set: fn(&mut EpwHour, Option<f64>),
}

impl Field {
    /// Whether a number stands for "missing".
    pub(super) fn is_missing(&self, value: f64) -> bool {
        match self.missing {
            Missing::AtLeast(code) => value >= code,
            Missing::Exactly(code) => value == code,
        }
    }

    /// Whether a number is possible.
    pub(super) fn contains(&self, value: f64) -> bool {
        value >= self.range[0] && value <= self.range[1]
    }
}

macro_rules! fields {
    ($($index:literal $member:ident $name:literal $code:literal $missing:expr, $low:literal .. $high:literal;)*) => {
        [$(Field {
            index: $index,
            name: $name,
            code: $code,
            missing: $missing,
            range: [$low, $high],
            get: |hour| hour.$member,
            set: |hour, value| hour.$member = value,
        }),*]
    };
}

use Missing::{AtLeast, Exactly};

/// All numeric fields in the order of the row. Ranges are wider than the manual's where real weather is.
#[rustfmt::skip]
pub(super) const FIELDS: [Field; 28] = fields![
    6 dry_bulb_c "dry-bulb temperature, °C" "99.9" AtLeast(99.9), -90.0..70.0;
    7 dew_point_c "dew-point temperature, °C" "99.9" AtLeast(99.9), -100.0..70.0;
    8 relative_humidity_pct "relative humidity, %" "999" AtLeast(999.0), 0.0..110.0;
    9 pressure_pa "station pressure, Pa" "999999" AtLeast(999999.0), 31000.0..120000.0;
    10 extraterrestrial_horizontal_wh_m2 "extraterrestrial horizontal radiation, Wh/m²" "9999" AtLeast(9999.0), 0.0..1500.0;
    11 extraterrestrial_direct_normal_wh_m2 "extraterrestrial direct normal radiation, Wh/m²" "9999" AtLeast(9999.0), 0.0..1500.0;
    12 infrared_horizontal_wh_m2 "horizontal infrared radiation, Wh/m²" "9999" AtLeast(9999.0), 0.0..1000.0;
    13 global_horizontal_wh_m2 "global horizontal radiation, Wh/m²" "9999" AtLeast(9999.0), 0.0..1600.0;
    14 direct_normal_wh_m2 "direct normal radiation, Wh/m²" "9999" AtLeast(9999.0), 0.0..1500.0;
    15 diffuse_horizontal_wh_m2 "diffuse horizontal radiation, Wh/m²" "9999" AtLeast(9999.0), 0.0..1500.0;
    16 global_horizontal_lux "global horizontal illuminance, lux" "999999" AtLeast(999900.0), 0.0..999899.0;
    17 direct_normal_lux "direct normal illuminance, lux" "999999" AtLeast(999900.0), 0.0..999899.0;
    18 diffuse_horizontal_lux "diffuse horizontal illuminance, lux" "999999" AtLeast(999900.0), 0.0..999899.0;
    19 zenith_luminance_cd_m2 "zenith luminance, cd/m²" "99999" AtLeast(9999.0), 0.0..9998.9;
    20 wind_direction_deg "wind direction, degrees" "999" AtLeast(999.0), 0.0..360.0;
    21 wind_speed_m_s "wind speed, m/s" "999" AtLeast(999.0), 0.0..120.0;
    22 total_sky_cover_tenths "total sky cover, tenths" "99" AtLeast(99.0), 0.0..10.0;
    23 opaque_sky_cover_tenths "opaque sky cover, tenths" "99" AtLeast(99.0), 0.0..10.0;
    24 visibility_km "visibility, km" "9999" Exactly(9999.0), 0.0..99999.0;
    25 ceiling_height_m "ceiling height, m" "99999" AtLeast(99999.0), 0.0..99998.0;
    26 present_weather_observation "present weather observation, 0 or 9" "9" Exactly(9.0), 0.0..8.0;
    28 precipitable_water_mm "precipitable water, mm" "999" AtLeast(999.0), 0.0..998.0;
    29 aerosol_optical_depth "aerosol optical depth" ".999" Exactly(0.999), 0.0..9999.0;
    30 snow_depth_cm "snow depth, cm" "999" AtLeast(999.0), 0.0..998.0;
    31 days_since_snow "days since last snow" "99" AtLeast(99.0), 0.0..98.0;
    32 albedo "albedo" "999" AtLeast(999.0), 0.0..1.0;
    33 rain_depth_mm "liquid precipitation depth, mm" "999" AtLeast(999.0), 0.0..998.0;
    34 rain_period_h "liquid precipitation period, h" "99" AtLeast(99.0), 0.0..98.0;
];
