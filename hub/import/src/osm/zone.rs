//! A time zone from a place, by a rough rule.
//!
//! Boxes around the countries that most schools are in, and elsewhere the nautical zone (whole hours by longitude).
//! Borders aren't boxes: what is near one is better told with `--zone`. A true map of zones weighs megabytes.

/// `(south, west, north, east, zone)`; the first box that holds the place counts, so small ones come first.
const BOXES: &[(f64, f64, f64, f64, &str)] = &[
    (22.13, 113.82, 22.57, 114.45, "Asia/Hong_Kong"),
    (22.05, 113.50, 22.22, 113.61, "Asia/Macau"),
    (21.85, 119.9, 25.40, 122.1, "Asia/Taipei"),
    (1.15, 103.59, 1.48, 104.1, "Asia/Singapore"),
    (33.0, 126.0, 38.6, 129.7, "Asia/Seoul"),
    (30.9, 129.3, 45.6, 146.0, "Asia/Tokyo"),
    (24.0, 122.9, 31.0, 131.4, "Asia/Tokyo"),
    (8.5, 102.2, 21.5, 109.5, "Asia/Ho_Chi_Minh"),
    (5.6, 97.4, 20.4, 105.6, "Asia/Bangkok"),
    (6.7, 68.2, 27.3, 88.9, "Asia/Kolkata"),
    // China keeps one time, in Xinjiang too; the box reaches into the steppe north of it.
    (18.1, 97.4, 41.6, 124.2, "Asia/Shanghai"),
    (27.3, 79.0, 45.5, 97.5, "Asia/Shanghai"),
    (41.6, 115.5, 53.5, 131.0, "Asia/Shanghai"),
    (27.3, 73.6, 37.1, 79.0, "Asia/Kolkata"),
    (49.8, -8.2, 60.9, 1.8, "Europe/London"),
    (51.4, -10.6, 55.4, -6.0, "Europe/Dublin"),
    (36.9, -9.6, 42.2, -6.2, "Europe/Lisbon"),
    (36.0, -9.3, 43.8, 3.4, "Europe/Madrid"),
    (42.3, -5.2, 51.1, 7.6, "Europe/Paris"),
    (45.8, 5.9, 47.8, 10.5, "Europe/Zurich"),
    (47.2, 5.8, 55.1, 15.1, "Europe/Berlin"),
    (36.6, 6.6, 47.1, 18.5, "Europe/Rome"),
    (49.0, 14.1, 54.9, 24.1, "Europe/Warsaw"),
    (55.0, 4.9, 71.2, 24.2, "Europe/Stockholm"),
    (-43.7, 112.9, -10.0, 129.0, "Australia/Perth"),
    (-29.2, 138.0, -10.0, 153.7, "Australia/Brisbane"),
    (-38.1, 129.0, -26.0, 141.0, "Australia/Adelaide"),
    (-43.7, 141.0, -28.1, 153.7, "Australia/Sydney"),
    (-47.4, 166.3, -34.0, 178.7, "Pacific/Auckland"),
    (-21.0, 176.8, -12.4, 180.0, "Pacific/Fiji"),
    (-21.0, -180.0, -15.5, -178.3, "Pacific/Fiji"),
    (-34.9, 16.4, -22.1, 32.9, "Africa/Johannesburg"),
    (-5.0, 33.9, 5.1, 41.9, "Africa/Nairobi"),
    (-33.8, -57.7, 5.3, -34.7, "America/Sao_Paulo"),
    (-55.1, -73.6, -21.7, -53.6, "America/Argentina/Buenos_Aires"),
    (18.8, -160.3, 22.3, -154.7, "Pacific/Honolulu"),
    (31.3, -114.9, 37.0, -109.05, "America/Phoenix"),
    (14.5, -106.0, 25.8, -86.7, "America/Mexico_City"),
    // The zones of the United States and southern Canada, by the meridians that they mostly follow.
    (24.4, -86.6, 51.0, -66.9, "America/New_York"),
    (25.8, -101.5, 52.0, -86.6, "America/Chicago"),
    (31.3, -114.0, 54.0, -101.5, "America/Denver"),
    (32.5, -124.8, 55.0, -114.0, "America/Los_Angeles"),
];

/// The zone of a place.
pub(crate) fn zone(lat: f64, lon: f64) -> String {
    let within = |b: &&(f64, f64, f64, f64, &str)| lat >= b.0 && lat <= b.2 && lon >= b.1 && lon <= b.3;
    if let Some(found) = BOXES.iter().find(within) {
        return found.4.to_owned();
    }
    let hours = (lon / 15.0).round() as i32;
    match hours {
        0 => "Etc/GMT".to_owned(),
        // The names of these zones count hours west of Greenwich.
        h if h > 0 => format!("Etc/GMT-{h}"),
        h => format!("Etc/GMT+{}", -h),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_the_zone_of_their_country() {
        for (place, lat, lon, expected) in [
            ("Rockville", 39.1, -77.16, "America/New_York"),
            ("Ninghua", 26.27, 116.65, "Asia/Shanghai"),
            ("Shanghai", 31.23, 121.47, "Asia/Shanghai"),
            ("Beijing", 39.9, 116.4, "Asia/Shanghai"),
            ("Harbin", 45.75, 126.65, "Asia/Shanghai"),
            ("Chengdu", 30.66, 104.07, "Asia/Shanghai"),
            ("Hong Kong", 22.3, 114.17, "Asia/Hong_Kong"),
            ("Sydney", -33.87, 151.2, "Australia/Sydney"),
            ("London", 51.5, -0.12, "Europe/London"),
            ("Berlin", 52.5, 13.4, "Europe/Berlin"),
            ("Tokyo", 35.68, 139.7, "Asia/Tokyo"),
            ("Taveuni", -16.9, 180.0, "Pacific/Fiji"),
            ("the open Atlantic", 30.0, -40.0, "Etc/GMT+3"),
            ("the Indian Ocean", -20.0, 75.0, "Etc/GMT-5"),
        ] {
            assert_eq!(zone(lat, lon), expected, "{place}");
        }
    }
}
