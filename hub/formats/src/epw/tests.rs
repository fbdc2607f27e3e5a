use super::*;

/// A year whose temperature is the hour of the year in hundredths, with one of everything else.
fn year(leap: bool) -> Epw {
    let hours = calendar(leap)
        .enumerate()
        .map(|(i, (month, day, hour))| EpwHour {
            year: 2023,
            month,
            day,
            hour,
            minute: 0,
            flags: "?9".into(),
            dry_bulb_c: Some(i as f64 / 1000.0 - 4.0),
            wind_direction_deg: Some(if i % 2 == 0 { 350.0 } else { 20.0 }),
            global_horizontal_wh_m2: Some(if i % 24 == 12 { 800.0 } else { 0.0 }),
            rain_depth_mm: Some(if i == 5 { 12.5 } else { 0.0 }),
            present_weather_observation: Some(0.0),
            present_weather_codes: "999999999".into(),
            ..EpwHour::default()
        })
        .collect();
    Epw {
        location: EpwLocation {
            city: "Test".into(),
            country: "CHN".into(),
            latitude_deg: 31.2,
            longitude_deg: 121.3,
            utc_offset_h: 8.0,
            ..EpwLocation::default()
        },
        headers: EpwHeaders { data_periods: "1,1,Data,Sunday,1/ 1,12/31".into(), ..EpwHeaders::default() },
        hours,
    }
}

#[test]
fn a_year_round_trips_with_its_missing_values() {
    for leap in [false, true] {
        let mut epw = year(leap);
        epw.hours[7].dry_bulb_c = None;
        epw.hours[8].dry_bulb_c = Some(0.1 + 0.2);
        assert_eq!(read(&write(&epw).unwrap()).unwrap(), epw);
    }
}

#[test]
fn states_meet_at_the_end_of_the_hour_and_powers_in_its_middle() {
    let epw = year(false);
    // hour 3 ends at 3.0 and is row 2
    assert_eq!(epw.at(3.0).dry_bulb_c, Some(2.0 / 1000.0 - 4.0));
    assert!((epw.at(3.5).dry_bulb_c.unwrap() - (2.5 / 1000.0 - 4.0)).abs() < 1e-12);
    assert_eq!(epw.at(12.5).global_horizontal_w_m2, Some(800.0));
    assert_eq!(epw.at(13.0).global_horizontal_w_m2, Some(400.0));
    // rain keeps its depth: constant over hour 6, which runs from 5.0 to 6.0
    assert_eq!(epw.at(5.0).rain_mm_h, Some(12.5));
    assert_eq!(epw.at(5.99).rain_mm_h, Some(12.5));
    assert_eq!(epw.at(6.0).rain_mm_h, Some(0.0));
}

#[test]
fn wind_turns_the_short_way_and_the_year_wraps() {
    let epw = year(false);
    assert!((epw.at(1.5).wind_direction_deg.unwrap() - 5.0).abs() < 1e-9);
    assert_eq!(epw.at(0.25).dry_bulb_c, epw.at(8760.25).dry_bulb_c);
    assert_eq!(epw.at(-1.0), epw.at(8759.0));
    assert_eq!(epw.at(f64::NAN), EpwMoment::default());
}

#[test]
fn one_missing_neighbour_is_bridged_and_two_are_not() {
    let mut epw = year(false);
    epw.hours[2].dry_bulb_c = None;
    assert_eq!(epw.at(2.5).dry_bulb_c, epw.hours[1].dry_bulb_c);
    epw.hours[3].dry_bulb_c = None;
    assert_eq!(epw.at(3.5).dry_bulb_c, None);
}

#[test]
fn faults_name_line_field_and_mend() {
    let good = write(&year(false)).unwrap();
    let with_line = |n: usize, edit: &dyn Fn(&str) -> Option<String>| {
        good.lines()
            .enumerate()
            .filter_map(|(i, l)| if i + 1 == n { edit(l) } else { Some(l.to_owned()) })
            .collect::<Vec<_>>()
            .join("\n")
    };
    let field = |n: usize, index: usize, value: &'static str| {
        with_line(n, &|l| {
            let mut parts: Vec<&str> = l.split(',').collect();
            parts[index] = value;
            Some(parts.join(","))
        })
    };
    for (text, says) in [
        (field(9, 6, "warm"), "line 9, field 7 (dry-bulb temperature, °C): `warm`"),
        (field(9, 6, "85"), "missing code 99.9"),
        (field(9, 6, "NaN"), "`NaN`"),
        (field(20, 13, "-5"), "line 20, field 14"),
        (field(1, 6, "131"), "line 1, field 7 (latitude"),
        (with_line(3, &|_| None), "line 3: `TYPICAL/EXTREME PERIODS` is expected but `GROUND TEMPERATURES`"),
        (with_line(8, &|_| Some("DATA PERIODS,1,4,Data".into())), "one record an hour"),
        (with_line(30, &|_| None), "line 30: hour 1-1 23 follows where 1-1 22"),
        (with_line(8768, &|_| None), "8759 hours"),
        (with_line(10, &|_| Some("2023,1,1,2".into())), "line 10: 4 fields"),
        (String::new(), "line 1: `LOCATION`"),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
}

#[test]
fn what_would_read_back_as_missing_is_not_written() {
    for value in [99.9, f64::NAN, 71.0] {
        let mut epw = year(false);
        epw.hours[3].dry_bulb_c = Some(value);
        assert!(matches!(write(&epw), Err(EpwError::Unwritable { hour: 4, .. })));
    }
}

/// The typical year of Shanghai Hongqiao, which other programs made: it reads, and nothing is lost in a round trip.
#[test]
fn a_real_typical_year_round_trips() {
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
    let epw = read(&text).unwrap();
    assert_eq!((epw.hours.len(), epw.location.utc_offset_h), (8760, 8.0));
    assert_eq!(epw.hours[0].dry_bulb_c, Some(0.7));
    assert_eq!(epw.hours[0].global_horizontal_lux, Some(0.0));
    let mean = epw.hours.iter().filter_map(|h| h.dry_bulb_c).sum::<f64>() / 8760.0;
    assert!((16.0..18.5).contains(&mean), "mean {mean} °C");
    assert_eq!(read(&write(&epw).unwrap()).unwrap(), epw);
}
