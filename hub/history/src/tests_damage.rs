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

/// Makes a store of a dump of each of its files.
fn store_of(dir: &FilePath, dumps: [(&str, &str); 3]) {
    for (name, sql) in dumps {
        let made = rusqlite::Connection::open(dir.join(name)).unwrap();
        // A dump fills the table of counters, which SQLite makes by itself, under a mode of its own.
        made.execute_batch(sql).unwrap();
    }
}

/// The stores in `fixtures`, each made by the program of its version.
const EARLIER: [[(&str, &str); 3]; 2] = [
    [
        ("history.db", include_str!("../fixtures/v1/history.sql")),
        ("2026-02.db", include_str!("../fixtures/v1/2026-02.sql")),
        ("2026-03.db", include_str!("../fixtures/v1/2026-03.sql")),
    ],
    [
        ("history.db", include_str!("../fixtures/v2/history.sql")),
        ("2026-02.db", include_str!("../fixtures/v2/2026-02.sql")),
        ("2026-03.db", include_str!("../fixtures/v2/2026-03.sql")),
    ],
];

#[test]
fn a_store_of_an_earlier_version_is_brought_up_to_date_with_all_it_has() {
    for dumps in EARLIER {
        brought_up_to_date(dumps);
    }
}

fn brought_up_to_date(dumps: [(&str, &str); 3]) {
    let dir = tempfile::tempdir().unwrap();
    store_of(dir.path(), dumps);
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
        assert_eq!(history.damage(), []);
        history.seal().unwrap();
    }
    // Both months have been sealed into by what waited, and took on the version then.
    for (file, expected) in [("history.db", 3), ("2026-02.db", 2), ("2026-03.db", 2)] {
        let made = rusqlite::Connection::open(dir.path().join(file)).unwrap();
        let version: i64 = made.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, expected, "{file}");
    }
    assert_eq!(verify(dir.path(), &mut |_| true).unwrap(), []);
}

/// Sealed samples of a point, hours of which have roll-ups; and what a store of them has to answer.
fn sealed_month(dir: &FilePath) -> Vec<(i64, f64)> {
    let history = History::open(dir, &two_points()).unwrap();
    let mut writer = history.writer();
    // Three chunks: what is sealed on its own after a long one is merged no more.
    for part in 0..3 {
        let batch: Vec<_> = (part * 4000..(part + 1) * 4000)
            // As noise, so that most of the file is what compression can't leave out.
            .map(|m| sample(0, MARCH + m * MINUTE, ((m * 2_654_435_761) >> 7) as f64 % 977.0 / 10.0 + 3.0))
            .collect();
        writer.commit(&batch, &[]).unwrap();
        history.seal().unwrap();
    }
    numbers(&history, 0)
}

/// What a store answers, in three ways: samples, buckets of hours, and buckets beside the hours.
fn answers(history: &History) -> (Vec<(i64, f64)>, Vec<Bucket>, Vec<Bucket>) {
    let (from, to) = (Timestamp(MARCH), Timestamp(MARCH + 12_000 * MINUTE));
    let buckets = |width| history.buckets(PointId(0), from, to, width).unwrap();
    (numbers(history, 0), buckets(HOUR), buckets(7 * MINUTE))
}

/// Whether buckets are those of these samples, to the last bit.
fn agree(samples: &[(i64, f64)], buckets: &[Bucket], width: i64) -> bool {
    let mut expected: Vec<(i64, u64, ExactSum)> = Vec::new();
    for (time, x) in samples {
        let start = MARCH + (time - MARCH).div_euclid(width) * width;
        match expected.last_mut() {
            Some((at, count, sum)) if *at == start => {
                *count += 1;
                sum.add(*x);
            }
            _ => expected.push((start, 1, [*x].into_iter().collect())),
        }
    }
    let expected: Vec<_> = expected.into_iter().map(|(at, n, sum)| (at, n, sum.value())).collect();
    buckets.iter().map(|b| (b.start.0, b.count, b.sum)).collect::<Vec<_>>() == expected
}

#[test]
fn a_flipped_bit_of_a_row_is_found_and_no_answer_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let truth = sealed_month(dir.path());
    let file = dir.path().join("2026-03.db");
    let good = std::fs::read(&file).unwrap();
    // A change of a row, and whether it costs samples; a flip is of a byte of a column, and a bit.
    enum Change {
        Sql(&'static str),
        Flip(&'static str, &'static str, usize, u8),
    }
    let flips = [(0, 1), (0, 3), (1, 0), (2, 7), (9, 2), (40, 4), (120, 5)];
    let of_chunks = flips.iter().map(|(byte, bit)| (Change::Flip("chunk", "data", *byte, *bit), true));
    let of_hours = flips.iter().map(|(byte, bit)| (Change::Flip("summary", "hours", *byte, *bit), false));
    let mut changes: Vec<(Change, bool)> = of_chunks.chain(of_hours).collect();
    changes.extend([
        (Change::Sql("UPDATE chunk SET data = substr(data, 1, length(data) - 1)"), true),
        (Change::Sql("UPDATE chunk SET data = 'a text'"), true),
        (Change::Sql("DELETE FROM chunk"), true),
        (Change::Sql("UPDATE summary SET last = last - 1024"), false),
        (Change::Sql("UPDATE summary SET last = 3"), false),
        (Change::Sql("UPDATE summary SET last = last + 1048576 * 65536"), false),
        (Change::Sql("UPDATE summary SET last = 'a text'"), false),
        (Change::Sql("UPDATE summary SET count = count + 1"), false),
    ]);
    for (change, costs) in changes {
        for of in 0..3 {
            std::fs::write(&file, &good).unwrap();
            let month = rusqlite::Connection::open(&file).unwrap();
            let one = format!("WHERE id = (SELECT id FROM summary ORDER BY id LIMIT 1 OFFSET {of})");
            let when = match change {
                Change::Sql(sql) => {
                    assert_eq!(month.execute(&format!("{sql} {one}"), []).unwrap(), 1, "{sql}");
                    format!("chunk {of}: {sql}")
                }
                Change::Flip(table, column, byte, bit) => {
                    let ask = format!("SELECT {column} FROM {table} {one}");
                    let mut bytes: Vec<u8> = month.query_row(&ask, [], |row| row.get(0)).unwrap();
                    let byte = byte % bytes.len();
                    bytes[byte] ^= 1 << bit;
                    month.execute(&format!("UPDATE {table} SET {column} = ?1 {one}"), [&bytes]).unwrap();
                    format!("chunk {of}: {table}.{column}, byte {byte}, bit {bit}")
                }
            };
            month.close().unwrap();
            let history = History::open(dir.path(), &two_points()).unwrap();
            let (samples, hours, sevens) = answers(&history);
            let left: Vec<_> = match costs {
                true => (0_i64..12_000).filter(|m| m / 4000 != of).map(|m| truth[m as usize]).collect(),
                false => truth.clone(),
            };
            assert!(samples == left, "{when}: {} samples", samples.len());
            assert!(agree(&left, &sevens, 7 * MINUTE), "{when}");
            // Roll-ups have sums of their own: of a chunk that can't be read they are still true.
            assert!(agree(&left, &hours, HOUR) || (costs && agree(&truth, &hours, HOUR)), "{when}");
            assert_eq!(history.damage().len(), 1, "{when}: {:?}", history.damage());
            let found = verify(dir.path(), &mut |_| true).unwrap();
            assert!(found.iter().any(|d| d.why.contains("2026-03")), "{when}: {found:?}");
            // What comes late for that stretch is stored, and nothing of the rest is lost.
            let late = sample(0, MARCH + (of * 4000 + 5) * MINUTE + 7, 99.5);
            history.writer().commit(&[late], &[]).unwrap();
            history.seal().unwrap();
            assert_eq!(numbers(&history, 0).len(), left.len() + 1, "{when}");
            drop(history);
            let history = History::open(dir.path(), &two_points()).unwrap();
            assert_eq!(numbers(&history, 0).len(), left.len() + 1, "{when}");
            assert_eq!(history.damage().len(), usize::from(costs), "{when}");
        }
    }
}

/// Bits of the file itself, not of rows: of headers, keys, links between pages.
#[test]
fn a_flipped_bit_anywhere_in_a_month_file_gives_no_wrong_number() {
    let dir = tempfile::tempdir().unwrap();
    let truth = sealed_month(dir.path());
    let file = dir.path().join("2026-03.db");
    let good = std::fs::read(&file).unwrap();
    let mut dice = crate::power_loss::Dice(7);
    let (mut unharmed, mut told, mut untold) = (0, 0, 0);
    for _ in 0..400 {
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.starts_with("2026") {
                std::fs::remove_file(dir.path().join(name)).unwrap();
            }
        }
        let bit = dice.below(good.len() as u64 * 8) as usize;
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, bad).unwrap();
        let history = History::open(dir.path(), &two_points()).unwrap();
        let (samples, hours, sevens) = answers(&history);
        let (samples, hours, sevens) = match history.damage().is_empty() {
            true => (samples, hours, sevens),
            // A file may have been set aside between two answers.
            false => answers(&history),
        };
        let known: std::collections::BTreeMap<i64, u64> =
            truth.iter().map(|(t, x)| (*t, x.to_bits())).collect();
        let wrong = samples.iter().find(|(t, x)| known.get(t) != Some(&x.to_bits()));
        assert_eq!(wrong, None, "bit {bit}");
        assert!(agree(&samples, &sevens, 7 * MINUTE), "bit {bit}");
        assert!(agree(&samples, &hours, HOUR) || agree(&truth, &hours, HOUR), "bit {bit}");
        if samples.len() == truth.len() {
            unharmed += 1;
        } else if !history.damage().is_empty() {
            told += 1;
        } else {
            // Where a key or a link between pages was hit, rows may be out of a query's sight; reading all finds it.
            untold += 1;
            assert_ne!(verify(dir.path(), &mut |_| true).unwrap(), [], "bit {bit}");
        }
    }
    assert!(told > 100 && untold < 20, "{unharmed} unharmed, {told} told, {untold} untold");
}

#[test]
fn a_flipped_bit_of_a_raw_blob_is_found_and_the_rest_is_served() {
    let flips: [(&str, usize); 4] = [("version", 0), ("count", 1), ("a time", 12), ("the end", usize::MAX)];
    for (what, at) in flips {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), &two_points()).unwrap();
        for i in 0..3 {
            let batch: Vec<_> = (0..10).map(|m| sample(0, MARCH + (i * 10 + m) * MINUTE, m as f64)).collect();
            history.writer().commit(&batch, &[]).unwrap();
        }
        drop(history);
        let main = rusqlite::Connection::open(dir.path().join("history.db")).unwrap();
        let mut blob: Vec<u8> =
            main.query_row("SELECT data FROM blob WHERE id = 2", [], |row| row.get(0)).unwrap();
        let at = at.min(blob.len() - 1);
        blob[at] ^= 16;
        main.execute("UPDATE blob SET data = ?1 WHERE id = 2", [&blob]).unwrap();
        main.close().unwrap();
        assert_eq!(verify(dir.path(), &mut |_| true).unwrap().len(), 1, "{what}");
        for _ in 0..2 {
            let history = History::open(dir.path(), &two_points()).unwrap();
            let times: Vec<i64> = numbers(&history, 0).iter().map(|(t, _)| (t - MARCH) / MINUTE).collect();
            assert_eq!(times, (0..10).chain(20..30).collect::<Vec<_>>(), "{what}");
            let damage = history.damage();
            assert_eq!(damage.len(), 1, "{what}: {damage:?}");
            assert_eq!(damage[0].file, "history.damaged-1.txt", "{what}");
            assert_eq!(std::fs::read(dir.path().join("history.damaged-1.blob")).unwrap(), blob, "{what}");
            history.seal().unwrap();
        }
    }
}

#[test]
fn a_month_file_that_somebody_takes_away_is_said_until_the_note_is_removed() {
    for while_open in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path());
        let february = dir.path().join("2026-02.db");
        let kept = std::fs::read(&february).unwrap();
        let mut history = History::open(dir.path(), &two_points()).unwrap();
        if !while_open {
            drop(history);
            std::fs::remove_file(&february).unwrap();
            history = History::open(dir.path(), &two_points()).unwrap();
        } else {
            std::fs::remove_file(&february).unwrap();
        }
        assert_eq!(numbers(&history, 0).len(), 1010, "March is served");
        let damage = history.damage();
        assert!(damage.len() == 1 && damage[0].why.contains("its file is gone"), "{damage:?}");
        drop(history);
        let history = History::open(dir.path(), &two_points()).unwrap();
        assert_eq!(history.damage(), damage, "it is said again");
        assert_eq!(inspect(dir.path()).unwrap().unwrap().damage, damage);
        drop(history);
        std::fs::write(&february, kept).unwrap();
        std::fs::remove_file(dir.path().join("2026-02.damaged-1.txt")).unwrap();
        let history = History::open(dir.path(), &two_points()).unwrap();
        assert_eq!((numbers(&history, 0).len(), history.damage()), (2010, vec![]), "brought back");
    }
}

#[test]
fn a_month_file_that_is_taken_away_while_its_month_is_sealed_is_said_and_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let mut writer = history.writer();
    writer.commit(&[sample(0, MARCH, 1.0)], &[]).unwrap();
    history.seal().unwrap();
    std::fs::remove_file(dir.path().join("2026-03.db")).unwrap();
    writer.commit(&[sample(0, MARCH + 1, 2.0)], &[]).unwrap();
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0), [(MARCH + 1, 2.0)]);
    assert!(history.damage()[0].why.contains("its file is gone"), "{:?}", history.damage());
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
