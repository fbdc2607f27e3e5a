use super::*;
use std::fs::File;
use std::path::PathBuf;

const HOUR_US: i64 = 3_600_000_000;

fn utc(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// Rows as `UTC=value`, errors as their text.
fn check(text: &str, config: CsvConfig) -> Vec<String> {
    LocalCsv::open(text.as_bytes(), config)
        .unwrap()
        .map(|row| match row {
            Ok(row) => {
                let time = jiff::Timestamp::from_microsecond(row.time_us).unwrap();
                let cells: Vec<String> =
                    row.values.iter().map(|v| v.map_or("gap".to_owned(), |v| v.to_string())).collect();
                format!("{time}={}", cells.join("|"))
            }
            Err(error) => error.to_string(),
        })
        .collect()
}

fn london() -> CsvConfig {
    CsvConfig::new("t", "Europe/London")
}

#[test]
fn a_repeated_hour_is_resolved_by_order() {
    let text = "t,kwh\n2015-10-25 00:30,1\n2015-10-25 01:00,2\n2015-10-25 01:30,3\n2015-10-25 01:00,4\n2015-10-25 01:30,5\n2015-10-25 02:00,6\n";
    assert_eq!(
        check(text, london()),
        [
            "2015-10-24T23:30:00Z=1",
            "2015-10-25T00:00:00Z=2",
            "2015-10-25T00:30:00Z=3",
            "2015-10-25T01:00:00Z=4",
            "2015-10-25T01:30:00Z=5",
            "2015-10-25T02:00:00Z=6"
        ]
    );
}

#[test]
fn an_hour_that_is_not_repeated_leaves_a_gap_in_utc() {
    let text = "t,kwh\n2015-10-25 00:00,1\n2015-10-25 01:00,2\n2015-10-25 02:00,3\n";
    let times: Vec<i64> =
        LocalCsv::open(text.as_bytes(), london()).unwrap().map(|row| row.unwrap().time_us).collect();
    let gap =
        Gap { before_us: utc("2015-10-25T00:00:00Z"), after_us: utc("2015-10-25T02:00:00Z"), missing: 1 };
    assert_eq!(gaps(&times, HOUR_US), [gap]);
}

#[test]
fn fold_policies_are_explicit() {
    let text = "t,v\n2015-10-25 01:00,1\n";
    for (fold, want) in [
        (FoldPolicy::Earlier, "2015-10-25T00:00:00Z=1"),
        (FoldPolicy::ByOrder, "2015-10-25T00:00:00Z=1"),
        (FoldPolicy::Later, "2015-10-25T01:00:00Z=1"),
    ] {
        assert_eq!(check(text, CsvConfig { fold, ..london() }), [want]);
    }
    let refused = check(text, CsvConfig { fold: FoldPolicy::Reject, ..london() });
    assert!(refused[0].contains("happened twice in Europe/London"), "{refused:?}");
}

#[test]
fn a_time_that_never_happened_is_reported_or_shifted() {
    let text = "t,v\n2015-03-29 00:30,1\n2015-03-29 01:30,2\n2015-03-29 02:30,3\n";
    let rows = check(text, london());
    assert_eq!(rows[0], "2015-03-29T00:30:00Z=1");
    assert!(rows[1].starts_with("line 3, column `t`: 2015-03-29T01:30:00 doesn't exist"), "{}", rows[1]);
    assert_eq!(rows[2], "2015-03-29T01:30:00Z=3", "reading goes on behind it");
    let shifted = check(text, CsvConfig { gap: GapPolicy::ShiftForward, ..london() });
    assert_eq!(shifted[1], "2015-03-29T01:30:00Z=2");
}

#[test]
fn the_usual_ways_to_write_a_time() {
    for (cell, zone) in [
        ("2014-12-01 08:05:00", "Asia/Shanghai"),
        ("2014-12-01T08:05", "Asia/Shanghai"),
        ("2014-12-01 08:05:00.000", "Asia/Shanghai"),
        ("2014/12/01 08:05", "Asia/Shanghai"),
        ("2014/12/1 8:05", "Asia/Shanghai"),
        ("2014-12-01T00:05:00Z", "Asia/Shanghai"),
        ("2014-12-01T08:05:00+08:00", "America/New_York"),
    ] {
        assert_eq!(
            check(&format!("t,v\n{cell},7\n"), CsvConfig::new("t", zone)),
            ["2014-12-01T00:05:00Z=7"],
            "{cell}"
        );
    }
    for (pattern, cell) in
        [("%d.%m.%Y %H:%M", "01.12.2014 08:05"), ("%m/%d/%y %I:%M %p %z", "12/01/14 12:05 AM +0000")]
    {
        let config = CsvConfig {
            time_format: TimeFormat::Pattern(pattern.into()),
            ..CsvConfig::new("t", "Asia/Shanghai")
        };
        assert_eq!(check(&format!("t,v\n{cell},7\n"), config), ["2014-12-01T00:05:00Z=7"], "{cell}");
    }
}

#[test]
fn cells_may_be_missing_quoted_and_separated_otherwise() {
    let config =
        CsvConfig { value_columns: vec!["b".into(), "a".into()], ..CsvConfig::new("t", "Asia/Shanghai") };
    let text = "\u{feff}\"t\";a;b;note\r\n\r\n2020-01-01 08:00;1.5;;\"x; \"\"y\"\"\"\r\n2020-01-01 09:00;NA;-2e3;z\r\n";
    assert_eq!(check(text, config), ["2020-01-01T00:00:00Z=gap|1.5", "2020-01-01T01:00:00Z=-2000|gap"]);
}

#[test]
fn faults_name_line_and_column() {
    let text = "t,v\nyesterday,1\n2020-01-01 00:00,12a\n2020/01/01 00:00,1\n2020-01-01 00:00,1\n2020-01-01 01:00\n\"2020-01-01 02:00,1\n2020-02-30 00:00,1\n2020-01-01 03:00,inf\n";
    let rows = check(text, london());
    for (row, says) in rows.iter().zip([
        "line 2, column `t`: `yesterday` isn't a time like 2014-12-01",
        "line 3, column `v`: `12a` isn't a finite number",
        "2020-01-01T00:00:00Z=1",
        "line 5, column `t`: `2020-01-01 00:00` isn't a time like 2014/12/01 00:00, as in the rows before",
        "line 6: 1 cells under a header of 2",
        "line 7: a quote isn't closed",
        "line 8, column `t`: `2020-02-30 00:00`",
        "line 9, column `v`: `inf`",
    ]) {
        assert!(row.contains(says), "{row} should say {says}");
    }
}

#[test]
fn headers_and_zones_are_checked_first() {
    let open =
        |text: &str, config| LocalCsv::open(text.as_bytes(), config).map(|_| ()).unwrap_err().to_string();
    assert!(open("", london()).contains("isn't a usable header"));
    assert!(open("time,v\n", london()).contains("`t` is not in the header; the columns are: time, v"));
    assert!(open("t,v,t\n", london()).contains("twice"));
    assert!(open("t,v\n", CsvConfig::new("t", "Europe/Nowhere")).contains("Europe/Nowhere"));
}

#[test]
fn a_file_without_line_breaks_ends_the_reading() {
    let text = format!("t,v\n{}\n2020-01-01 00:00,1\n", "x".repeat(MAX_LINE_BYTES + 10));
    let rows = check(&text, london());
    assert_eq!(rows.len(), 1);
    assert!(rows[0].starts_with("line 2 is longer"));
}

#[test]
fn order_and_repetition_are_counted() {
    let text = "t,v\n2020-01-01 01:00,1\n2020-01-01 00:00,\n2020-01-01 00:00,3\nx,4\n";
    let mut reader = LocalCsv::open(text.as_bytes(), london()).unwrap();
    assert_eq!(reader.by_ref().filter(Result::is_ok).count(), 3);
    let want = CsvStats {
        rows: 3,
        errors: 1,
        missing_cells: 1,
        out_of_order: 1,
        repeated: 1,
        ..CsvStats::default()
    };
    assert_eq!(reader.stats(), want);
}

fn data() -> PathBuf {
    std::env::var_os("CAMPANILE_DATA").map_or_else(
        || PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../../shared/data"),
        PathBuf::from,
    )
}

/// A real school and a real dormitory: rows, order and gaps of the files as they are.
#[test]
fn real_meters_keep_their_order_and_show_their_gaps() {
    // (file, zone, rows, holes in UTC: outages, and two around the autumn change, when an hour isn't
    // repeated and 23:00 is missing)
    for (file, zone, rows, holes) in [
        ("PrimClass_Jaden.slim.csv", "Europe/London", 8757, 3),
        ("UnivDorm_Prince.slim.csv", "America/New_York", 8731, 9),
    ] {
        let path = data().join("energy/bdg1").join(file);
        let Ok(source) = File::open(&path) else {
            println!("skipped: no {}", path.display());
            continue;
        };
        let config =
            CsvConfig { value_columns: vec!["energy_kwh".into()], ..CsvConfig::new("timestamp_local", zone) };
        let mut reader = LocalCsv::open(source, config).unwrap();
        let times: Vec<i64> = reader.by_ref().map(|row| row.unwrap().time_us).collect();
        let stats = reader.stats();
        println!("{file}: {stats:?}");
        assert_eq!(times.len(), rows);
        assert_eq!((stats.errors, stats.out_of_order, stats.repeated, stats.shifted), (0, 0, 0, 0));
        assert_eq!(stats.folded, 1, "the autumn hour isn't repeated in these files");
        let found = gaps(&times, HOUR_US);
        assert_eq!(found.len(), holes);
        for gap in &found {
            let at = |us| jiff::Timestamp::from_microsecond(us).unwrap().to_string();
            println!("  gap: {} to {}, {} rows", at(gap.before_us), at(gap.after_us), gap.missing);
        }
        // Nothing is lost in the count: rows and holes together fill the hours from first to last.
        let span = (times[times.len() - 1] - times[0]) / HOUR_US + 1;
        let missing: u64 = found.iter().map(|gap| gap.missing).sum();
        assert_eq!(times.len() as i64 + missing as i64, span);
    }
}
