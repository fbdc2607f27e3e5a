//! From latitude and longitude to local metres.
//!
//! The local tangent approximation on the WGS 84 ellipsoid: `x = N cos φ₀ Δλ`, `y = M Δφ`, with the radii of curvature
//! in the prime vertical `N = a / √(1 − e² sin² φ₀)` and in the meridian `M = a (1 − e²) / (1 − e² sin² φ₀)^(3/2)`
//! (J. P. Snyder, *Map Projections: A Working Manual*, USGS Professional Paper 1395, 1987, eq. 4-18 and 4-20).
//! A kilometre from the centre it is off by less than 0.2 m below 50° of latitude, and by less than 0.1‰ in scale.

use campanile_model::PointMm;

use super::read::Bounds;

/// WGS 84: the semi-major axis in metres and the square of the eccentricity.
const A_M: f64 = 6_378_137.0;
const E2: f64 = 0.006_694_379_990_14;

/// A local plane around an origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projection {
    pub lat: f64,
    pub lon: f64,
    x_m: f64,
    y_m: f64,
}

impl Projection {
    pub fn new(lat: f64, lon: f64) -> Self {
        let sin = libm::sin(lat.to_radians());
        let w = 1.0 - E2 * sin * sin;
        let n = A_M / libm::sqrt(w);
        let m = A_M * (1.0 - E2) / (w * libm::sqrt(w));
        let degree = std::f64::consts::PI / 180.0;
        Self { lat, lon: turn(lon), x_m: n * libm::cos(lat.to_radians()) * degree, y_m: m * degree }
    }

    /// The middle of an area; one that crosses the 180th meridian has its west above its east.
    pub fn around(bounds: Bounds) -> Self {
        let width = (bounds.east - bounds.west).rem_euclid(360.0);
        Self::new((bounds.south + bounds.north) / 2.0, bounds.west + width / 2.0)
    }

    /// Metres to the east and north.
    pub fn metres(&self, lat: f64, lon: f64) -> [f64; 2] {
        [turn(lon - self.lon) * self.x_m, (lat - self.lat) * self.y_m]
    }

    /// Whole millimetres, where the place is within `limit_m`.
    pub fn point(&self, lat: f64, lon: f64, limit_m: f64) -> Option<PointMm> {
        let [x, y] = self.metres(lat, lon);
        let within = x.abs() <= limit_m && y.abs() <= limit_m;
        within.then(|| [(x * 1e3).round() as i32, (y * 1e3).round() as i32])
    }
}

/// An angle from -180 up to 180 degrees.
fn turn(deg: f64) -> f64 {
    (deg + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_is_as_long_as_the_tables_say() {
        // Snyder, table 5: lengths of 1° of latitude and longitude on an ellipsoid (here WGS 84), metres.
        for (lat, of_lat, of_lon) in [(0.0, 110_574.3, 111_319.5), (45.0, 111_131.8, 78_846.8)] {
            let p = Projection::new(lat, 10.0);
            assert!((p.y_m - of_lat).abs() < 1.0, "{lat}: {}", p.y_m);
            assert!((p.x_m - of_lon).abs() < 1.0, "{lat}: {}", p.x_m);
        }
    }

    #[test]
    fn the_180th_meridian_is_no_edge() {
        let p = Projection::around(Bounds { south: -17.0, west: 179.99, north: -16.98, east: -179.99 });
        assert!((p.lon.abs() - 180.0).abs() < 1e-9);
        let (west, east) = (p.metres(-17.0, 179.995), p.metres(-17.0, -179.995));
        assert!(west[0] < -500.0 && east[0] > 500.0 && west[1] < 0.0, "{west:?} {east:?}");
    }
}
