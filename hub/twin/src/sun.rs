//! Where the sun stands.
//!
//! The low-precision formulas of the Astronomical Almanac as given by J. J. Michalsky (Solar Energy
//! 40, 1988): within 0.01° until 2050, far better than a shadow shows.

/// The sun's place in the sky.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunPosition {
    /// Above the horizon, radians; negative at night. Without refraction.
    pub altitude_rad: f64,
    /// Clockwise from true north, radians.
    pub azimuth_rad: f64,
}

/// The sun at a moment (microseconds UTC) over a place (degrees north and east).
pub fn sun_position(time_us: i64, latitude_deg: f64, longitude_deg: f64) -> SunPosition {
    // Days since 2000-01-01T12:00 UTC.
    let n = time_us as f64 / 86_400e6 - 10_957.5;
    let mean_longitude_deg = (280.460 + 0.985_647_4 * n).rem_euclid(360.0);
    let mean_anomaly = (357.528 + 0.985_600_3 * n).rem_euclid(360.0).to_radians();
    let ecliptic_longitude =
        (mean_longitude_deg + 1.915 * mean_anomaly.sin() + 0.020 * (2.0 * mean_anomaly).sin()).to_radians();
    let obliquity = (23.439 - 0.000_000_4 * n).to_radians();
    let right_ascension = (obliquity.cos() * ecliptic_longitude.sin()).atan2(ecliptic_longitude.cos());
    let declination = (obliquity.sin() * ecliptic_longitude.sin()).asin();
    let hours_utc = (time_us as f64 / 3600e6).rem_euclid(24.0);
    let sidereal_h = 6.697_375 + 0.065_709_824_2 * n + hours_utc + longitude_deg / 15.0;
    let hour_angle = (sidereal_h * 15.0).to_radians() - right_ascension;
    let latitude = latitude_deg.to_radians();
    let altitude =
        (declination.sin() * latitude.sin() + declination.cos() * latitude.cos() * hour_angle.cos()).asin();
    let azimuth = (-declination.cos() * hour_angle.sin())
        .atan2(declination.sin() * latitude.cos() - declination.cos() * latitude.sin() * hour_angle.cos());
    SunPosition { altitude_rad: altitude, azimuth_rad: azimuth.rem_euclid(std::f64::consts::TAU) }
}

impl SunPosition {
    /// The unit vector to the sun in the scene's axes (x local east, y up, z local south), for a
    /// campus whose `y` axis is turned by `bearing_deg` clockwise from true north.
    pub fn direction(&self, bearing_deg: f64) -> [f32; 3] {
        let azimuth = self.azimuth_rad - bearing_deg.to_radians();
        let flat = self.altitude_rad.cos();
        [(azimuth.sin() * flat) as f32, self.altitude_rad.sin() as f32, (-azimuth.cos() * flat) as f32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Microseconds of a UTC date and time.
    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn the_sun_stands_where_almanacs_say() {
        // NREL's Solar Position Algorithm, table of Reda and Andreas (2003), appendix A.5:
        // topocentric zenith 50.11162° with refraction 0.0114° and azimuth 194.34024°.
        let sun = sun_position(at("2003-10-17T19:30:30Z"), 39.742476, -105.1786);
        assert!((90.0 - sun.altitude_rad.to_degrees() - 50.128).abs() < 0.02, "{sun:?}");
        assert!((sun.azimuth_rad.to_degrees() - 194.340).abs() < 0.03, "{sun:?}");
        // Shanghai at the summer solstice: nearly overhead at noon, below the horizon at midnight.
        let noon = sun_position(at("2024-06-21T03:56:00Z"), 31.23, 121.47);
        assert!((noon.altitude_rad.to_degrees() - 82.2).abs() < 0.1, "{noon:?}");
        assert!(sun_position(at("2024-06-21T16:00:00Z"), 31.23, 121.47).altitude_rad < -0.5);
    }

    #[test]
    fn directions_follow_the_axes_of_the_scene() {
        let south = SunPosition { altitude_rad: 0.0, azimuth_rad: std::f64::consts::PI };
        let [x, y, z] = south.direction(0.0);
        assert!(x.abs() < 1e-6 && y.abs() < 1e-6 && (z - 1.0).abs() < 1e-6, "south is +z");
        // A campus whose y axis points east sees the south on its right, which is +x.
        let [x, _, z] = south.direction(90.0);
        assert!((x - 1.0).abs() < 1e-6 && z.abs() < 1e-6);
    }
}
