//! The store through crashes, failures, upgrades and changes of the campus.

use std::path::Path as FilePath;

use campanile_model::{PointId, Timestamp};
use serde_json::json;

use crate::tests::{HOUR, MARCH, MINUTE, numbers, sample, spec, two_points};
use crate::*;

/// Copies the folder as it is on disk now, as a backup of a running machine or the next boot would find it.
fn copy(from: &FilePath, to: &FilePath) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn sealing_may_be_cut_short_between_any_two_steps() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let history = History::open(&live, &two_points()).unwrap();
    let mut writer = history.writer();
    let batch: Vec<_> = (-3000..3000).map(|m| sample(0, MARCH + m * MINUTE, m as f64 / 10.0)).collect();
    writer.commit(&batch[..2000], &[]).unwrap();
    history.seal().unwrap();
    writer.commit(&batch[2000..], &[]).unwrap();
    let expected = numbers(&history, 0);
    assert_eq!(expected.len(), 6000);

    let before = dir.path().join("before");
    copy(&live, &before);
    history.seal().unwrap();
    let after = dir.path().join("after");
    copy(&live, &after);

    // Which files of the sealed state had reached the disk when the power went.
    for (name, sealed) in [
        ("nothing", vec![]),
        ("february", vec!["2026-02"]),
        ("both months, the blobs still there", vec!["2026-02", "2026-03"]),
    ] {
        let cut = dir.path().join(name);
        copy(&before, &cut);
        for month in sealed {
            for suffix in ["", "-wal"] {
                let file = format!("{month}.db{suffix}");
                let _ = std::fs::remove_file(cut.join(&file));
                if after.join(&file).exists() {
                    std::fs::copy(after.join(&file), cut.join(&file)).unwrap();
                }
            }
        }
        let again = History::open(&cut, &two_points()).unwrap();
        assert_eq!(numbers(&again, 0), expected, "{name}, reopened");
        assert_eq!(again.last(PointId(0)).unwrap().unwrap().time.0, MARCH + 2999 * MINUTE, "{name}");
        // A commit after the crash makes the next blob's number matter.
        again.writer().commit(&[sample(0, MARCH + 3000 * MINUTE, 1.0)], &[]).unwrap();
        again.seal().unwrap();
        assert_eq!(numbers(&again, 0)[..6000], expected, "{name}, sealed again");
        assert_eq!(numbers(&again, 0).len(), 6001, "{name}, sealed again");
        drop(again);
        let again = History::open(&cut, &two_points()).unwrap();
        assert_eq!(again.stats().unsealed_samples.get(), 0, "{name}: the blobs are gone");
        assert_eq!(numbers(&again, 0).len(), 6001, "{name}, reopened again");
    }
}

#[test]
fn a_sealing_that_fails_is_tried_again_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let mut writer = history.writer();
    let february = sample(0, MARCH - 1, 1.0);
    let march = sample(0, MARCH, 2.0);
    writer.commit(&[february, march], &[]).unwrap();
    // A folder stands where March's file should be.
    let obstacle = dir.path().join("2026-03.db");
    std::fs::create_dir(&obstacle).unwrap();
    let error = history.seal().unwrap_err();
    assert!(error.to_string().contains("2026-03"), "{error}");
    assert_eq!(history.stats().seal_failures.get(), 1);
    writer.commit(&[sample(0, MARCH + 1, 3.0), sample(0, MARCH - 1, 4.0)], &[]).unwrap();
    std::fs::remove_dir(&obstacle).unwrap();
    let expected = [(MARCH - 1, 4.0), (MARCH, 2.0), (MARCH + 1, 3.0)];
    assert_eq!(numbers(&history, 0), expected, "half sealed");
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0), expected, "sealed at last");
}

/// Not a test of its own: the process that [`what_was_acknowledged_survives_kill_9`] kills.
#[test]
#[ignore = "runs as the child of another test"]
fn child_that_is_killed() {
    let Some(dir) = std::env::var_os("CAMPANILE_HISTORY_CHILD") else { return };
    let options = Options { seal_after_samples: 3000, seal_after_commits: 50 };
    let history = History::open_with(FilePath::new(&dir), &two_points(), options).unwrap();
    let queue = CommitQueue::start(history.writer(), 16).unwrap();
    for i in 0..i64::MAX {
        let samples = (0..100).map(|k| sample(0, MARCH + (i * 100 + k) * MINUTE, k as f64)).collect();
        let record =
            Record::Put { kind: "progress".into(), key: "i".into(), time: Timestamp(i), body: json!(i) };
        let done: Done = Box::new(move |outcome| {
            outcome.unwrap();
            println!("acknowledged {i}");
        });
        queue.submit(Submission { samples, records: vec![record], done: Some(done) }).unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut expected_at_least = 0;
    for acknowledgements in [40, 150, 333] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests_durable::child_that_is_killed", "--ignored", "--nocapture"])
            .env("CAMPANILE_HISTORY_CHILD", dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let acknowledged = lines.filter_map(|l| l.split_once("acknowledged ")?.1.parse::<i64>().ok());
        let last = acknowledged.take(acknowledgements).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        expected_at_least = expected_at_least.max((last + 1) * 100);

        let history = History::open(dir.path(), &two_points()).unwrap();
        let got = numbers(&history, 0);
        assert!(got.len() as i64 >= expected_at_least, "{} of {expected_at_least}", got.len());
        for (i, (time, x)) in got.iter().enumerate() {
            assert_eq!(
                (*time, *x),
                (MARCH + i as i64 * MINUTE, (i % 100) as f64),
                "no gap, no double, no change"
            );
        }
        let progress = &history.records("progress").unwrap()[0];
        assert!(progress.body.as_i64().unwrap() >= last, "the record came with its samples");
    }
}

/// A kill between the first page of a month file and its write-ahead log leaves a journal that only a writer can undo.
#[test]
fn a_month_half_made_when_the_process_was_killed_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    history.writer().commit(&[sample(0, MARCH, 20.5)], &[]).unwrap();
    drop(history);
    let elsewhere = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(elsewhere.path().join("2026-03.db")).unwrap();
    // More than the cache holds, so that pages reach the file before the transaction ends.
    connection
        .execute_batch(
            "PRAGMA cache_size = 2; BEGIN; CREATE TABLE half (made BLOB);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
             INSERT INTO half SELECT zeroblob(4000) FROM n;",
        )
        .unwrap();
    for name in ["2026-03.db", "2026-03.db-journal"] {
        std::fs::copy(elsewhere.path().join(name), dir.path().join(name)).unwrap();
    }
    drop(connection);
    let history = History::open(dir.path(), &two_points()).unwrap();
    assert_eq!(numbers(&history, 0), [(MARCH, 20.5)]);
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0), [(MARCH, 20.5)]);
}

#[test]
fn points_are_known_by_path_when_the_campus_changes() {
    let dir = tempfile::tempdir().unwrap();
    {
        let history = History::open(dir.path(), &two_points()).unwrap();
        history.writer().commit(&[sample(0, MARCH, 20.5), sample(1, MARCH, 7.0)], &[]).unwrap();
    }
    // The order changes, a point comes before the others, one leaves; numbers mean other points now.
    let changed =
        [spec(0, "attic/temperature", Accumulation::Gauge), spec(1, "hall/temperature", Accumulation::Gauge)];
    {
        let history = History::open(dir.path(), &changed).unwrap();
        assert_eq!(numbers(&history, 0), []);
        assert_eq!(numbers(&history, 1), [(MARCH, 20.5)]);
        assert_eq!(history.last_all().len(), 1);
        assert!(matches!(history.last(PointId(2)), Err(HistoryError::UnknownPoint(_))));
        history.seal().unwrap();
    }
    let history = History::open(dir.path(), &two_points()).unwrap();
    assert_eq!(numbers(&history, 1), [(MARCH, 7.0)], "the point that left is back with its history");
}

#[test]
fn only_one_process_and_no_older_program_opens_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    assert!(matches!(History::open(dir.path(), &two_points()), Err(HistoryError::InUse { .. })));
    drop(history);
    drop(History::open(dir.path(), &two_points()).unwrap());
    let main = rusqlite::Connection::open(dir.path().join("history.db")).unwrap();
    main.pragma_update(None, "user_version", 99).unwrap();
    let error = History::open(dir.path(), &two_points()).unwrap_err();
    assert!(error.to_string().contains("version 99") && error.to_string().contains("newer"), "{error}");
    main.pragma_update(None, "user_version", 3).unwrap();
    main.pragma_update(None, "application_id", 5).unwrap();
    assert!(matches!(History::open(dir.path(), &two_points()), Err(HistoryError::Foreign { .. })));

    let twice = [two_points(), two_points()].concat();
    assert!(matches!(History::open(&dir.path().join("new"), &twice), Err(HistoryError::Points(_))));
}

#[test]
fn retention_deletes_files_and_refuses_what_is_older() {
    let dir = tempfile::tempdir().unwrap();
    {
        let history = History::open(dir.path(), &two_points()).unwrap();
        let mut writer = history.writer();
        writer.commit(&[sample(0, MARCH - 40 * 24 * HOUR, 1.0), sample(0, MARCH, 2.0)], &[]).unwrap();
        history.seal().unwrap();
        assert_eq!(numbers(&history, 0).len(), 2);
        writer.commit(&[sample(0, MARCH - 24 * HOUR, 3.0)], &[]).unwrap();
        let audit = |gone: &[String]| Record::audit(Timestamp(7), json!(gone));
        assert_eq!(history.retain_from(Timestamp(MARCH + HOUR), audit).unwrap(), ["2026-01"]);
        assert_eq!(history.log(AUDIT, None, 9).unwrap()[0].body, json!(["2026-01"]));
        assert_eq!(numbers(&history, 0), [(MARCH, 2.0)]);
        let info = writer.commit(&[sample(0, MARCH - 1, 3.0)], &[]).unwrap();
        assert_eq!(info.rejected, 1);
        assert!(!dir.path().join("2026-01.db").exists());
        let none = history.retain_from(Timestamp(MARCH), audit).unwrap();
        assert!(none.is_empty(), "the limit never goes back");
        assert_eq!(history.log(AUDIT, None, 9).unwrap().len(), 1);
    }
    // A file that a crash kept from being deleted.
    std::fs::write(dir.path().join("2025-12.db"), b"").unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    history.seal().unwrap();
    assert_eq!(numbers(&history, 0), [(MARCH, 2.0)]);
    assert!(!dir.path().join("2025-12.db").exists());
}

#[test]
fn the_queue_acknowledges_after_the_commit_and_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let queue = CommitQueue::start(history.writer(), 4).unwrap();
    let (acknowledge, acknowledged) = crossbeam_channel::bounded(1000);
    for i in 0..500 {
        let acknowledge = acknowledge.clone();
        let stats = history.stats();
        let done: Done = Box::new(move |outcome| {
            acknowledge.send((i, outcome.is_ok(), stats.committed_samples.get())).unwrap();
        });
        let submission =
            Submission { samples: vec![sample(0, MARCH + i, i as f64)], records: vec![], done: Some(done) };
        if let Err(back) = queue.try_submit(submission) {
            assert_eq!(back.samples.len(), 1, "what does not fit comes back whole");
            queue.submit(back).unwrap();
        }
    }
    queue.close();
    let got: Vec<_> = acknowledged.try_iter().collect();
    assert_eq!(got.len(), 500);
    assert!(
        got.iter().enumerate().all(|(at, (i, ok, durable))| at as i64 == *i && *ok && *durable > *i as u64)
    );
    assert_eq!(history.stats().queue_depth.get(), 0);
    assert!(history.stats().commits.get() < 500, "submissions share commits");
    assert_eq!(numbers(&history, 0).len(), 500);
    // A commit that fails is told to its submitter.
    let queue = CommitQueue::start(history.writer(), 4).unwrap();
    let (tell, told) = crossbeam_channel::bounded(1);
    let bad = Record::Remove { kind: String::new(), key: String::new() };
    let done: Done = Box::new(move |outcome| tell.send(outcome.is_err()).unwrap());
    queue.submit(Submission { samples: vec![], records: vec![bad], done: Some(done) }).unwrap();
    assert!(told.recv().unwrap());
}

/// A sealing that failed keeps its samples for the next try; retention takes those of months it gives up from there,
/// too, and the count of what waits stays right, or commits would wait for room forever.
#[test]
fn retention_reaches_what_a_failed_sealing_left() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let mut writer = history.writer();
    writer.commit(&[sample(0, MARCH - 1, 1.0), sample(0, MARCH, 2.0)], &[]).unwrap();
    let obstacle = dir.path().join("2026-02.db");
    std::fs::create_dir(&obstacle).unwrap();
    history.seal().unwrap_err();
    std::fs::remove_dir(&obstacle).unwrap();
    history.retain_from(Timestamp(MARCH), |_| Record::audit(Timestamp(0), json!(0))).unwrap();
    assert_eq!(numbers(&history, 0), [(MARCH, 2.0)]);
    assert_eq!(history.stats().unsealed_samples.get(), 1);
    history.seal().unwrap();
    assert_eq!(history.stats().unsealed_samples.get(), 0);
    writer.commit(&[sample(0, MARCH + 1, 3.0)], &[]).unwrap();
}
