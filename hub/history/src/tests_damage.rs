//! Damaged files, files of earlier versions, and clocks that jump.

use std::path::Path as FilePath;

use campanile_model::{PointId, Timestamp};

use crate::tests::{HOUR, MARCH, MINUTE, numbers, sample, two_points};
use crate::*;

/// A store with thousand samples in each of two months, and ten that are not sealed.
fn store(dir: &FilePath) {
    let history = History::open(dir, &two_points()).unwrap();
    let mut writer = history.writer();
    let batch: Vec<_> = (-1000..1000).map(|m| sample(0, MARCH + m * MINUTE, (m % 7) as f64)).collect();
    writer.commit(&batch, &[]).unwrap();
    history.seal().unwrap();
    let late: Vec<_> = (0..10).map(|m| sample(0, MARCH + 100 * HOUR + m * MINUTE, m as f64)).collect();
    writer.commit(&late, &[]).unwrap();
}

#[test]
fn a_damaged_month_is_set_aside_with_its_reason_and_the_rest_is_served() {
    type Break = fn(&FilePath);
    let breaks: [(&str, Break); 6] = [
        ("header", |path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[..100].iter_mut().for_each(|b| *b ^= 0x5a);
            std::fs::write(path, bytes).unwrap();
        }),
        ("truncated", |path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("empty", |path| std::fs::write(path, b"").unwrap()),
        ("not a database", |path| std::fs::write(path, "no database, ".repeat(500)).unwrap()),
        ("of another program", |path| {
            let other = rusqlite::Connection::open(path).unwrap();
            other.pragma_update(None, "application_id", 7).unwrap();
        }),
        ("pages", |path| {
            // All but the first page, which has the header and the schema.
            let mut bytes = std::fs::read(path).unwrap();
            bytes[512..].iter_mut().for_each(|b| *b ^= 0x5a);
            std::fs::write(path, bytes).unwrap();
        }),
    ];
    for (name, spoil) in breaks {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path());
        spoil(&dir.path().join("2026-02.db"));
        let history = History::open(dir.path(), &two_points()).unwrap();
        let left = numbers(&history, 0);
        assert_eq!(left.len(), 1010, "{name}: March is served");
        assert_eq!(left[0].0, MARCH, "{name}");
        let damage = history.damage();
        assert_eq!(damage.len(), 1, "{name}: {damage:?}");
        assert_eq!(damage[0].file, "2026-02.damaged-1.txt", "{name}");
        assert!(damage[0].why.contains("of a backup"), "{name}: {}", damage[0].why);
        assert!(dir.path().join("2026-02.damaged-1.db").exists(), "{name}: nothing is thrown away");
        // The month is made anew by what comes late, and the reason stays until somebody removes it.
        history.writer().commit(&[sample(0, MARCH - MINUTE, 5.0)], &[]).unwrap();
        history.seal().unwrap();
        drop(history);
        let history = History::open(dir.path(), &two_points()).unwrap();
        assert_eq!(numbers(&history, 0).len(), 1011, "{name}");
        assert_eq!(history.damage(), damage, "{name}");
    }
}

#[test]
fn a_month_that_is_damaged_while_it_is_sealed_into_does_not_hold_up_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let mut writer = history.writer();
    writer.commit(&[sample(0, MARCH, 1.0)], &[]).unwrap();
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0).len(), 1);
    std::fs::write(dir.path().join("2026-03.db"), "no database, ".repeat(500)).unwrap();
    writer.commit(&[sample(0, MARCH + 1, 2.0)], &[]).unwrap();
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0), [(MARCH + 1, 2.0)]);
    assert_eq!(history.damage().len(), 1);
}

#[test]
fn of_a_damaged_chunk_only_its_stretch_is_missing_and_sealing_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let month = rusqlite::Connection::open(dir.path().join("2026-02.db")).unwrap();
    let spoilt = month.execute("UPDATE chunk SET data = x'63'", []).unwrap();
    assert_eq!(spoilt, 1);
    drop(month);
    let history = History::open(dir.path(), &two_points()).unwrap();
    assert_eq!(numbers(&history, 0).len(), 1010);
    assert!(history.damage()[0].why.contains("2026-02-28"), "{:?}", history.damage());
    numbers(&history, 0);
    assert_eq!(history.damage().len(), 1, "it is said once");
    history.writer().commit(&[sample(0, MARCH - 500 * MINUTE, 5.0)], &[]).unwrap();
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0).len(), 1011);
}

#[test]
fn a_damaged_main_file_is_an_error_with_its_mend() {
    for bytes in [b"no database, ".repeat(500), vec![0x5a; 8192]] {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path());
        std::fs::write(dir.path().join("history.db"), bytes).unwrap();
        let error = History::open(dir.path(), &two_points()).unwrap_err();
        assert!(error.to_string().contains("campanile restore"), "{error}");
    }
}

/// What `fixtures/v1` has, made by the program of version 1.
#[test]
fn a_store_of_version_1_is_brought_up_to_date_with_all_it_has() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("history.db", include_str!("../fixtures/v1/history.sql")),
        ("2026-02.db", include_str!("../fixtures/v1/2026-02.sql")),
        ("2026-03.db", include_str!("../fixtures/v1/2026-03.sql")),
    ] {
        let made = rusqlite::Connection::open(dir.path().join(name)).unwrap();
        // A dump fills the table of counters, which SQLite makes by itself, under a mode of its own.
        made.execute_batch(sql).unwrap();
    }
    for _ in 0..2 {
        let history = History::open(dir.path(), &two_points()).unwrap();
        let temperature = history.range(PointId(0), Timestamp(0), Timestamp(i64::MAX), 1000).unwrap();
        assert_eq!(temperature.len(), 82);
        assert_eq!(temperature[0].1, campanile_model::Value::Text("text".into()));
        let expected: Vec<_> = (-40..40_i64).map(|m| (MARCH + m * MINUTE, m as f64 / 10.0)).collect();
        let got: Vec<_> = temperature[1..81].iter().map(|(t, v, _)| (t.0, v.as_f64().unwrap())).collect();
        assert_eq!(got, expected);
        let counter = numbers(&history, 1);
        assert_eq!((counter.len(), counter[40]), (80, (MARCH, 7.5)), "the late value has taken its place");
        assert_eq!(history.records("command").unwrap()[0].key, "hall/setpoint");
        assert_eq!(history.records("alarm").unwrap()[0].body["kept"], "too-warm");
        assert_eq!(history.log(AUDIT, None, 10).unwrap()[0].body["act"], "write");
        history.seal().unwrap();
    }
    let main = rusqlite::Connection::open(dir.path().join("history.db")).unwrap();
    let version: i64 = main.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
}

#[test]
fn clocks_that_jump_by_years_neither_lose_nor_double() {
    let dir = tempfile::tempdir().unwrap();
    let year = 365 * 24 * HOUR;
    let times =
        [MARCH, MARCH + 20 * year, MARCH + MINUTE, MARCH - 30 * year, MARCH + 2 * MINUTE, MARCH + 20 * year];
    {
        let history = History::open(dir.path(), &two_points()).unwrap();
        let mut writer = history.writer();
        for (i, time) in times.into_iter().enumerate() {
            let info = writer.commit(&[sample(0, time, i as f64)], &[]).unwrap();
            assert_eq!(info.stored, 1);
            if i % 2 == 0 {
                history.seal().unwrap();
            }
        }
        let info = writer.commit(&[sample(0, MARCH + 200 * year, 0.0), sample(0, -1, 0.0)], &[]).unwrap();
        assert_eq!(info.rejected, 2, "beyond any calendar of the store");
    }
    let history = History::open(dir.path(), &two_points()).unwrap();
    let got = numbers(&history, 0);
    let expected = [
        (MARCH - 30 * year, 3.0),
        (MARCH, 0.0),
        (MARCH + MINUTE, 2.0),
        (MARCH + 2 * MINUTE, 4.0),
        (MARCH + 20 * year, 5.0),
    ];
    assert_eq!(got, expected);
}
