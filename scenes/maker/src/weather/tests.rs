use super::*;
use campanile_formats::epw;

const TOML: &str = include_str!("../../../shanghai-school/weather.toml");

fn normals() -> Normals {
    Normals::from_toml(TOML, "weather.toml").unwrap()
}

/// The hours of each month.
fn by_month(epw: &Epw) -> Vec<Vec<&EpwHour>> {
    (1..=12).map(|month| epw.hours.iter().filter(|h| h.month == month).collect()).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(s, n), v| (s + v, n + 1));
    sum / f64::from(count)
}

/// One number of a day's hours, averaged over the days of a month.
fn mean_of_days(month: &[&EpwHour], pick: fn(f64, f64) -> f64) -> f64 {
    mean(month.chunks(24).map(|day| day.iter().map(|h| h.dry_bulb_c.unwrap()).reduce(pick).unwrap()))
}

#[test]
fn months_equal_the_normals() {
    let normals = normals();
    let m = &normals.monthly;
    for seed in [1, 2026, u64::MAX] {
        let epw = synthesize(&normals, seed);
        for (i, month) in by_month(&epw).iter().enumerate() {
            let close = |what: &str, got: f64, want: f64, tolerance: f64| {
                assert!(
                    (got - want).abs() <= tolerance,
                    "seed {seed}, month {}: {what} {got:.3}, normal {want}",
                    i + 1
                );
            };
            close("maximum", mean_of_days(month, f64::max), m.mean_daily_max_c[i], 0.1);
            close("minimum", mean_of_days(month, f64::min), m.mean_daily_min_c[i], 0.1);
            close("mean", mean(month.iter().map(|h| h.dry_bulb_c.unwrap())), m.mean_c[i], 0.1);
            let humidity = mean(month.iter().map(|h| h.relative_humidity_pct.unwrap()));
            close("humidity", humidity, m.relative_humidity_pct[i], 1.0);
            close("wind", mean(month.iter().map(|h| h.wind_speed_m_s.unwrap())), m.wind_m_s[i], 0.05);
            close(
                "pressure",
                mean(month.iter().map(|h| h.pressure_pa.unwrap())) / 100.0,
                m.pressure_hpa[i],
                0.1,
            );
            let rain: f64 = month.iter().map(|h| h.rain_depth_mm.unwrap()).sum();
            close("rain", rain, m.precipitation_mm[i], 1e-6);
            let wet =
                month.chunks(24).filter(|day| day.iter().any(|h| h.rain_depth_mm.unwrap() > 0.0)).count();
            close("rain days", wet as f64, m.rain_days[i], 0.5);
            let global: f64 = month.iter().map(|h| h.global_horizontal_wh_m2.unwrap()).sum();
            let want = sun::monthly_global_wh_m2(&normals, i);
            close("radiation", global / want, 1.0, 0.02);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_weather() {
    let normals = normals();
    let bytes = |seed| epw::write(&synthesize(&normals, seed)).unwrap();
    let first = bytes(7);
    assert_eq!(first, bytes(7));
    assert_ne!(first, bytes(8));
    assert_eq!(epw::read(&first).unwrap(), synthesize(&normals, 7), "nothing is lost in the file");
}

#[test]
fn every_hour_is_physical() {
    let normals = normals();
    let epw = synthesize(&normals, 2026);
    for (i, h) in epw.hours.iter().enumerate() {
        let cos_zenith = mean_cos_zenith(&normals.place, i / 24, i % 24 + 1);
        let (global, direct, diffuse) = (
            h.global_horizontal_wh_m2.unwrap(),
            h.direct_normal_wh_m2.unwrap(),
            h.diffuse_horizontal_wh_m2.unwrap(),
        );
        assert!(global >= 0.0 && direct >= 0.0 && diffuse >= 0.0, "hour {i}");
        if cos_zenith == 0.0 {
            assert_eq!((global, direct, diffuse), (0.0, 0.0, 0.0), "the sun is down in hour {i}");
        }
        assert!(
            (direct * cos_zenith + diffuse - global).abs() <= 0.051,
            "hour {i}: {direct} × {cos_zenith} + {diffuse} ≠ {global}"
        );
        assert!(
            global <= h.extraterrestrial_horizontal_wh_m2.unwrap() + 0.1,
            "hour {i}: more than above the air"
        );
        assert!(h.dew_point_c.unwrap() <= h.dry_bulb_c.unwrap(), "hour {i}");
        assert!((10.0..=100.0).contains(&h.relative_humidity_pct.unwrap()), "hour {i}");
        assert!((0.0..360.0).contains(&h.wind_direction_deg.unwrap()), "hour {i}");
        assert!((150.0..=520.0).contains(&h.infrared_horizontal_wh_m2.unwrap()), "hour {i}");
        // no jump of temperature that air doesn't make
        let next = &epw.hours[(i + 1) % epw.hours.len()];
        assert!((h.dry_bulb_c.unwrap() - next.dry_bulb_c.unwrap()).abs() <= 5.0, "hour {i}");
    }
}

#[test]
fn the_year_has_the_character_of_the_delta() {
    let epw = {
        let n = normals();
        synthesize(&n, n.seed)
    };
    let temperatures: Vec<f64> = epw.hours.iter().map(|h| h.dry_bulb_c.unwrap()).collect();
    let hottest = temperatures.iter().copied().fold(f64::MIN, f64::max);
    let coldest = temperatures.iter().copied().fold(f64::MAX, f64::min);
    assert!((34.0..=41.0).contains(&hottest), "hottest {hottest}");
    assert!((-9.0..=0.0).contains(&coldest), "coldest {coldest}");
    // a day of storm: wind and rain together in August or September
    let storm = epw.hours.iter().filter(|h| h.wind_speed_m_s.unwrap() >= 15.0).collect::<Vec<_>>();
    assert!(!storm.is_empty() && storm.iter().all(|h| matches!(h.month, 8 | 9)));
    // plum rains: more wet days within than in as many days before
    let wet = |from: usize, days: usize| {
        epw.hours[from * 24..(from + days) * 24]
            .chunks(24)
            .filter(|day| day.iter().any(|h| h.rain_depth_mm.unwrap() > 0.0))
            .count()
    };
    let start = day_of_year(6, 17);
    assert!(wet(start, 24) > wet(start - 24, 24));
    // a wet day is a dull one
    let light = |wet: bool| {
        mean(epw.hours.chunks(24).filter(|d| d.iter().any(|h| h.rain_depth_mm.unwrap() > 0.0) == wet).map(
            |d| {
                let sum = |f: fn(&EpwHour) -> Option<f64>| d.iter().map(|h| f(h).unwrap()).sum::<f64>();
                sum(|h| h.global_horizontal_wh_m2) / sum(|h| h.extraterrestrial_horizontal_wh_m2)
            },
        ))
    };
    assert!(light(true) < 0.75 * light(false), "{} {}", light(true), light(false));
}

#[test]
fn the_file_that_ships_is_what_the_normals_make() {
    let path = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../shanghai-school/weather.epw");
    let shipped = std::fs::read_to_string(&path).unwrap();
    let normals = normals();
    assert_eq!(first_weekday(2023), "Sunday");
    assert_eq!(first_weekday(2026), "Thursday");
    assert!(
        shipped == epw::write(&synthesize(&normals, normals.seed)).unwrap(),
        "weather.epw is to be made again"
    );
}

#[test]
fn faults_in_the_file_name_key_and_mend() {
    for (from, to, says) in [
        ("[  8.1,", "[  98.1,", "monthly.mean_daily_max_c, month 1 is 98.1, but must be from -50 to 50"),
        ("[  4.8,", "[  8.0,", "monthly.mean_c, month 1"),
        ("[ 74.4,", "[  0.2,", "0.1 mm or more for each rain day"),
        ("[6, 17]", "[6, 31]", "plum_rain.from is [6, 31]"),
        ("rain_share", "rain_shares", "unknown field"),
        ("latitude_deg = 31.2", "latitude_deg = 80", "place.latitude_deg"),
        ("months = [8, 9]", "months = [13]", "storm.months is 13"),
        ("elevation_m = 4.0", "elevation_m = nan", "place.elevation_m is NaN"),
    ] {
        assert!(TOML.contains(from), "{from}");
        let error = Normals::from_toml(&TOML.replacen(from, to, 1), "weather.toml").unwrap_err().to_string();
        assert!(error.starts_with("weather.toml: ") && error.contains(says), "{error} should say {says}");
    }
}

/// Months beside a typical year made by others from measurements at Hongqiao, within a loose band.
#[test]
fn months_are_near_a_measured_typical_year() {
    let data = std::env::var_os("CAMPANILE_DATA").map_or_else(
        || {
            std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
                .join("../../../shared/data")
        },
        std::path::PathBuf::from,
    );
    let path = data.join("weather/Shanghai-Hongqiao_1956_2023_TMYx.epw");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let measured = epw::read(&text).unwrap();
    let ours = {
        let n = normals();
        synthesize(&n, n.seed)
    };
    for (i, (a, b)) in by_month(&ours).iter().zip(by_month(&measured)).enumerate() {
        let of = |month: &[&EpwHour], f: fn(&EpwHour) -> Option<f64>| mean(month.iter().filter_map(|h| f(h)));
        let row = |f: fn(&EpwHour) -> Option<f64>| (of(a, f), of(&b, f));
        let temperature = row(|h| h.dry_bulb_c);
        let humidity = row(|h| h.relative_humidity_pct);
        let global = row(|h| h.global_horizontal_wh_m2);
        let infrared = row(|h| h.infrared_horizontal_wh_m2);
        println!(
            "month {:2}: °C {temperature:.1?} % {humidity:.0?} GHI {global:.0?} IR {infrared:.0?}",
            i + 1
        );
        assert!(
            (temperature.0 - temperature.1).abs() < 2.5,
            "temperature of month {}: {temperature:?}",
            i + 1
        );
        assert!((humidity.0 - humidity.1).abs() < 12.0, "humidity of month {}: {humidity:?}", i + 1);
        assert!((global.0 / global.1 - 1.0).abs() < 0.3, "radiation of month {}: {global:?}", i + 1);
    }
}
