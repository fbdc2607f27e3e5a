//! The store from outside: what was committed comes back, whatever happens in between.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use campanile_model::{Path, PointId, Quality, Sample, Timestamp, Value, ValueType};
use proptest::prelude::*;
use serde_json::json;

use crate::*;

pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// 2026-03-01T00:00:00Z.
pub(crate) const MARCH: i64 = 1_772_323_200_000_000;

pub(crate) fn spec(id: u32, path: &str, accumulation: Accumulation) -> PointSpec {
    PointSpec {
        id: PointId(id),
        path: Path::new(path).unwrap(),
        resolution: Some(0.1),
        accumulation,
        value_type: ValueType::Number,
    }
}

pub(crate) fn two_points() -> Vec<PointSpec> {
    vec![
        spec(0, "hall/temperature", Accumulation::Gauge),
        spec(1, "hall/kwh", Accumulation::Counter { rollover: Some(1000.0) }),
    ]
}

pub(crate) fn sample(point: u32, time: i64, value: impl Into<Any>) -> Sample {
    Sample { point: PointId(point), time: Timestamp(time), value: value.into().0, quality: Quality::Good }
}

/// Lets tests write plain values.
pub(crate) struct Any(Value);

impl From<f64> for Any {
    fn from(x: f64) -> Self {
        Any(Value::Number(x))
    }
}

impl From<&str> for Any {
    fn from(text: &str) -> Self {
        Any(Value::Text(text.into()))
    }
}

impl From<Value> for Any {
    fn from(value: Value) -> Self {
        Any(value)
    }
}

fn all(history: &History, point: u32) -> Vec<(i64, Value)> {
    let everything =
        history.range(PointId(point), Timestamp(i64::MIN), Timestamp(i64::MAX), usize::MAX).unwrap();
    everything.into_iter().map(|(t, v, _)| (t.0, v)).collect()
}

pub(crate) fn numbers(history: &History, point: u32) -> Vec<(i64, f64)> {
    all(history, point).into_iter().map(|(t, v)| (t, v.as_f64().unwrap())).collect()
}

/// The figures that buckets should have, made the slow way.
fn expected_buckets(samples: &BTreeMap<i64, f64>, from: i64, to: i64, width: i64) -> Vec<Bucket> {
    let mut stretches: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (&t, &x) in samples.range(from..to.max(from)) {
        stretches.entry((t - from) / width).or_default().push(x);
    }
    let bucket = |(at, values): (i64, Vec<f64>)| {
        let sum = values.iter().copied().collect::<ExactSum>().value();
        Bucket {
            start: Timestamp(from + at * width),
            count: values.len() as u64,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            mean: sum / values.len() as f64,
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            sum,
        }
    };
    stretches.into_iter().map(bucket).collect()
}

#[test]
fn every_type_and_every_odd_number_comes_back_bit_for_bit_before_and_after_sealing_and_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let odd = [
        0.0,
        -0.0,
        f64::NAN,
        f64::from_bits(0xfff8_0000_0000_beef),
        f64::INFINITY,
        5e-324,
        0.1 + 0.2,
        21.3,
        1e300,
    ];
    let mut batch = Vec::new();
    for (i, x) in odd.into_iter().enumerate() {
        batch.push(sample(0, MARCH + i as i64, x));
    }
    for (i, value) in
        [Value::Bool(true), Value::Choice(7), Value::Text("门 \"open\", ok".into()), Value::Number(2.5)]
            .into_iter()
            .enumerate()
    {
        batch.push(Sample {
            quality: Quality::from_u8(i as u8).unwrap(),
            ..sample(1, MARCH + i as i64, value)
        });
    }
    let check = |history: &History, when: &str| {
        for point in [0, 1] {
            let expected: Vec<_> = batch.iter().filter(|s| s.point.0 == point).collect();
            let got =
                history.range(PointId(point), Timestamp(MARCH), Timestamp(MARCH + 100), usize::MAX).unwrap();
            assert_eq!(got.len(), expected.len(), "{when}");
            for ((time, value, quality), sample) in got.iter().zip(expected) {
                assert_eq!((*time, *quality), (sample.time, sample.quality), "{when}");
                match (value, &sample.value) {
                    (Value::Number(a), Value::Number(b)) => assert_eq!(a.to_bits(), b.to_bits(), "{when}"),
                    (a, b) => assert_eq!(a, b, "{when}"),
                }
            }
        }
        let last = history.last(PointId(1)).unwrap().unwrap();
        assert_eq!((last.value, last.quality), (Value::Number(2.5), Quality::Stale), "{when}");
        assert_eq!(history.last_all().len(), 2, "{when}");
    };
    {
        let history = History::open(dir.path(), &two_points()).unwrap();
        history.writer().commit(&batch, &[]).unwrap();
        check(&history, "in the tail");
    }
    {
        let history = History::open(dir.path(), &two_points()).unwrap();
        check(&history, "recovered from blobs");
        history.seal().unwrap();
        check(&history, "sealed");
        assert_eq!(history.stats().unsealed_samples.get(), 0);
    }
    check(&History::open(dir.path(), &two_points()).unwrap(), "sealed and reopened");
}

#[test]
fn back_dated_samples_are_sorted_in_and_the_last_arrival_for_a_time_wins() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let mut writer = history.writer();
    let mut expected = BTreeMap::new();
    // Rounds that overlap ever more of what is sealed, with seals between; times repeat across rounds.
    for round in 0..12_i64 {
        let batch: Vec<_> = (0..400)
            .map(|i| {
                let time = MARCH + (i * 7919 + round * 13) % (700 - round) * MINUTE;
                sample(0, time, (round * 1000 + i) as f64 / 10.0)
            })
            .collect();
        for s in &batch {
            expected.insert(s.time.0, s.value.as_f64().unwrap());
        }
        writer.commit(&batch, &[]).unwrap();
        let everything: Vec<_> = expected.iter().map(|(&t, &x)| (t, x)).collect();
        assert_eq!(numbers(&history, 0), everything, "round {round}, unsealed");
        if round % 3 != 1 {
            history.seal().unwrap();
            assert_eq!(numbers(&history, 0), everything, "round {round}, sealed");
        }
        for width in [HOUR, 3 * HOUR, 7 * MINUTE] {
            let got = history
                .buckets(PointId(0), Timestamp(MARCH), Timestamp(MARCH + 10 * HOUR + 1), width)
                .unwrap();
            assert_eq!(
                got,
                expected_buckets(&expected, MARCH, MARCH + 10 * HOUR + 1, width),
                "round {round}"
            );
        }
    }
    let last = history.last(PointId(0)).unwrap().unwrap();
    assert_eq!(last.time.0, *expected.last_key_value().unwrap().0, "an old sample is not the last one");
}

#[test]
fn months_get_files_of_their_own_and_queries_cross_their_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let mut samples = BTreeMap::new();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let batch: Vec<_> = (-90 * 24..40 * 24)
        .flat_map(|h| (0..10).map(move |k| (MARCH + h * HOUR + k * 6 * MINUTE, h as f64 / 10.0 + k as f64)))
        .filter(|(t, _)| (t - MARCH) / HOUR % 24 != 5)
        .map(|(t, x)| {
            samples.insert(t, x);
            sample(0, t, x)
        })
        .collect();
    history.writer().commit(&batch, &[]).unwrap();
    history.seal().unwrap();
    for name in ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04"] {
        assert!(dir.path().join(format!("{name}.db")).exists(), "{name}");
    }
    // The tail follows on, across a bound again.
    let later: Vec<_> = (40 * 24..41 * 24).map(|h| sample(0, MARCH + h * HOUR, 1.5)).collect();
    later.iter().for_each(|s| {
        samples.insert(s.time.0, 1.5);
    });
    history.writer().commit(&later, &[]).unwrap();
    for (from, to, width) in [
        (MARCH - 90 * 24 * HOUR, MARCH + 50 * 24 * HOUR, HOUR),
        (MARCH - 90 * 24 * HOUR, MARCH + 50 * 24 * HOUR, 24 * HOUR),
        (MARCH - 24 * HOUR, MARCH + 24 * HOUR + 17 * MINUTE, HOUR),
        (MARCH - 24 * HOUR + 5 * MINUTE, MARCH + 24 * HOUR, HOUR),
        (MARCH - HOUR, MARCH + HOUR, 11 * MINUTE),
        (MARCH + 30 * MINUTE, MARCH + 40 * MINUTE, HOUR),
        (MARCH, MARCH, HOUR),
    ] {
        let got = history.buckets(PointId(0), Timestamp(from), Timestamp(to), width).unwrap();
        assert_eq!(got, expected_buckets(&samples, from, to, width), "{from} {to} {width}");
    }
    let day = history.buckets(PointId(0), Timestamp(MARCH), Timestamp(MARCH + 24 * HOUR), HOUR).unwrap();
    assert_eq!(day.len(), 23, "the hour without samples has no bucket");
    assert!(day.iter().all(|b| b.start.0 != MARCH + 5 * HOUR));
    let five = history.range(PointId(0), Timestamp(MARCH - 2), Timestamp(i64::MAX), 5).unwrap();
    assert_eq!(
        five.iter().map(|(t, _, _)| t.0).collect::<Vec<_>>(),
        samples.range(MARCH..).take(5).map(|(&t, _)| t).collect::<Vec<_>>()
    );
    let series = history.series(PointId(0), Timestamp(MARCH), Timestamp(MARCH + HOUR), 4).unwrap();
    assert_eq!(series.times_us.len(), 4);
}

#[test]
fn figures_leave_out_what_is_not_usable() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let with = |i: i64, x: f64, quality| Sample { quality, ..sample(0, MARCH + i * MINUTE, x) };
    let mut batch = vec![
        with(0, 1.0, Quality::Good),
        with(1, 2.0, Quality::Uncertain),
        with(2, 100.0, Quality::Bad),
        with(3, 200.0, Quality::Stale),
        with(4, f64::NAN, Quality::Good),
        with(5, f64::INFINITY, Quality::Good),
        with(60, 9.0, Quality::Bad),
    ];
    batch.extend((6..40).map(|i| with(i, 2.0, Quality::Good)));
    history.writer().commit(&batch, &[]).unwrap();
    for when in ["tail", "sealed"] {
        let got = history.buckets(PointId(0), Timestamp(MARCH), Timestamp(MARCH + 5 * HOUR), HOUR).unwrap();
        let sum = 1.0 + 2.0 * 35.0;
        let bucket = Bucket { start: Timestamp(MARCH), count: 36, min: 1.0, mean: sum / 36.0, max: 2.0, sum };
        assert_eq!(got, [bucket], "{when}");
        history.seal().unwrap();
    }
}

#[test]
fn energy_from_a_counter_knows_roll_overs_resets_corrections_and_gaps() {
    // (minute, reading) → amounts by hour.
    type Case = (&'static str, &'static [(i64, f64)], &'static [(i64, f64, u32, u32)]);
    let cases: [Case; 6] = [
        ("steady", &[(0, 10.0), (30, 11.0), (60, 12.0), (90, 14.0)], &[(0, 1.0, 0, 0), (1, 3.0, 0, 0)]),
        (
            "roll-over at 1000",
            &[(0, 998.0), (30, 999.5), (40, 1.5), (70, 2.5)],
            &[(0, 3.5, 1, 0), (1, 1.0, 0, 0)],
        ),
        ("reset", &[(0, 400.0), (30, 401.0), (40, 0.5), (50, 1.5)], &[(0, 2.5, 0, 1)]),
        ("correction", &[(0, 400.0), (30, 402.0), (40, 401.5), (50, 403.0)], &[(0, 3.0, 0, 0)]),
        ("gap", &[(0, 10.0), (30, 11.0), (300, 20.0)], &[(0, 1.0, 0, 0), (5, 9.0, 0, 0)]),
        ("one reading is no amount", &[(0, 10.0)], &[]),
    ];
    for (name, readings, amounts) in cases {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), &two_points()).unwrap();
        let batch: Vec<_> = readings.iter().map(|&(m, x)| sample(1, MARCH + m * MINUTE, x)).collect();
        history.writer().commit(&batch, &[]).unwrap();
        for when in ["tail", "sealed"] {
            let got =
                history.energy(PointId(1), Timestamp(MARCH), Timestamp(MARCH + 24 * HOUR), HOUR).unwrap();
            let got: Vec<_> =
                got.iter().map(|b| ((b.start.0 - MARCH) / HOUR, b.amount, b.rollovers, b.resets)).collect();
            assert_eq!(got, amounts, "{name}, {when}");
            history.seal().unwrap();
        }
        // Asked from the second hour on, the reading before it counts.
        let later =
            history.energy(PointId(1), Timestamp(MARCH + HOUR), Timestamp(MARCH + 24 * HOUR), HOUR).unwrap();
        let later: Vec<_> = later.iter().map(|b| ((b.start.0 - MARCH) / HOUR, b.amount)).collect();
        let expected: Vec<_> = amounts.iter().filter(|a| a.0 > 0).map(|a| (a.0, a.1)).collect();
        assert_eq!(later, expected, "{name}, from the second hour");
    }
}

#[test]
fn energy_from_roll_ups_is_that_from_readings() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let mut reading = 0.0;
    let batch: Vec<_> = (0..60 * 24 * 20)
        .map(|m| {
            reading = ((reading + (m % 7) as f64 * 0.1) * 10.0_f64).round() / 10.0;
            if reading >= 1000.0 {
                reading -= 1000.0;
            }
            sample(1, MARCH + m * MINUTE, reading)
        })
        .collect();
    let mut writer = history.writer();
    let ask = |width| {
        history.energy(PointId(1), Timestamp(MARCH + HOUR), Timestamp(MARCH + 19 * 24 * HOUR), width).unwrap()
    };
    writer.commit(&batch, &[]).unwrap();
    let raw: Vec<_> = [HOUR, 24 * HOUR].into_iter().map(ask).collect();
    history.seal().unwrap();
    assert_eq!([HOUR, 24 * HOUR].into_iter().map(ask).collect::<Vec<_>>(), raw);
    assert!(raw[0].iter().map(|b| b.rollovers).sum::<u32>() > 2);
    let exact: ExactSum = raw[1].iter().map(|b| b.amount).collect();
    assert!((exact.value() - 18.96 * 24.0 * 60.0 * 0.3).abs() < 10.0, "{}", exact.value());
}

#[test]
fn interval_amounts_add_up_and_gauges_have_no_energy() {
    let dir = tempfile::tempdir().unwrap();
    let points = [spec(0, "a/amount", Accumulation::Interval), spec(1, "a/temperature", Accumulation::Gauge)];
    let history = History::open(dir.path(), &points).unwrap();
    let batch: Vec<_> = (0..10).map(|h| sample(0, MARCH + h * HOUR, 0.1)).collect();
    history.writer().commit(&batch, &[]).unwrap();
    let day = history.energy(PointId(0), Timestamp(MARCH), Timestamp(MARCH + 24 * HOUR), 24 * HOUR).unwrap();
    assert_eq!(day, [EnergyBucket { start: Timestamp(MARCH), amount: 1.0, rollovers: 0, resets: 0 }]);
    let refused = history.energy(PointId(1), Timestamp(0), Timestamp(1), HOUR);
    assert!(matches!(refused, Err(HistoryError::NotAMeter { .. })));
    for (from, to, width) in [(0, 1, 0), (0, 1, -5), (0, i64::MAX, 1000), (i64::MIN, i64::MAX, HOUR)] {
        let refused = history.buckets(PointId(0), Timestamp(from), Timestamp(to), width);
        assert!(matches!(refused, Err(HistoryError::Buckets { .. })), "{from} {to} {width}");
    }
}

#[test]
fn a_real_year_comes_back_bit_for_bit_with_its_gaps_and_its_sum() {
    let data = std::env::var_os("CAMPANILE_DATA").map_or_else(
        || FilePath::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let (columns, real) = crate::bench_columns::columns(Some(&data), false).unwrap();
    if !real {
        println!(
            "the recorded year is not at {}: this runs on a made-up one; set CAMPANILE_DATA",
            data.display()
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let points: Vec<_> = (0..5).map(|i| spec(i, &format!("p/{i}"), Accumulation::Interval)).collect();
    let history = History::open(dir.path(), &points).unwrap();
    let mut batch = Vec::new();
    for (point, column) in columns.iter().enumerate() {
        let mut time = MARCH;
        for (&step, &value) in column.steps_us.iter().zip(&column.values) {
            time += step;
            batch.push(sample(point as u32, time, value));
        }
    }
    for part in batch.chunks(7001) {
        history.writer().commit(part, &[]).unwrap();
    }
    history.seal().unwrap();
    for (point, column) in columns.iter().enumerate() {
        let got =
            history.series(PointId(point as u32), Timestamp(0), Timestamp(i64::MAX), usize::MAX).unwrap();
        let of_point = batch.iter().filter(|s| s.point.index() == point);
        assert!(of_point.map(|s| s.time.0).eq(got.times_us.iter().copied()));
        assert!(column.values.iter().map(|x| x.to_bits()).eq(got.values.iter().map(|x| x.to_bits())));
        let whole = 100_000 * HOUR;
        let total =
            history.energy(PointId(point as u32), Timestamp(MARCH), Timestamp(MARCH + whole), whole).unwrap();
        let sum: ExactSum = column.values.iter().copied().collect();
        assert_eq!(total[0].amount.to_bits(), sum.value().to_bits());
    }
}

#[test]
fn what_cannot_be_kept_is_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let long = "x".repeat(Value::MAX_TEXT + 1);
    let batch = [
        sample(0, MARCH, 1.0),
        sample(9, MARCH, 1.0),
        sample(0, -1, 1.0),
        sample(0, i64::MAX, 1.0),
        sample(0, MARCH, long.as_str()),
    ];
    let info = history.writer().commit(&batch, &[]).unwrap();
    assert_eq!(info, CommitInfo { stored: 1, rejected: 4 });
    assert_eq!(history.stats().rejected_samples.get(), 4);
    let refused = [
        Record::Remove { kind: String::new(), key: "k".into() },
        Record::Remove { kind: "k".into(), key: "x".repeat(257) },
        Record::audit(Timestamp(0), json!("x".repeat(MAX_RECORD_BODY))),
    ];
    for record in refused {
        let outcome = history.writer().commit(&[sample(0, MARCH + 1, 2.0)], &[record]);
        assert!(matches!(outcome, Err(HistoryError::Record { .. })));
    }
    assert_eq!(numbers(&history, 0), [(MARCH, 1.0)], "a refused record keeps its whole commit out");
}

#[test]
fn records_are_put_removed_and_appended_with_the_samples() {
    let dir = tempfile::tempdir().unwrap();
    let put = |key: &str, n: i64| Record::Put {
        kind: "alarm".into(),
        key: key.into(),
        time: Timestamp(n),
        body: json!({"n": n}),
    };
    {
        let history = History::open(dir.path(), &two_points()).unwrap();
        let mut writer = history.writer();
        writer.commit(&[], &[put("b", 1), put("a", 2), put("c", 3)]).unwrap();
        writer.commit(&[], &[put("b", 4), Record::Remove { kind: "alarm".into(), key: "c".into() }]).unwrap();
        for n in 0..5 {
            writer.commit(&[], &[Record::audit(Timestamp(n), json!({"who": "zhang", "n": n}))]).unwrap();
        }
    }
    let history = History::open(dir.path(), &two_points()).unwrap();
    let alarms: Vec<_> =
        history.records("alarm").unwrap().into_iter().map(|r| (r.key, r.time.0, r.body)).collect();
    assert_eq!(alarms, [("a".to_owned(), 2, json!({"n": 2})), ("b".to_owned(), 4, json!({"n": 4}))]);
    assert_eq!(history.records("other").unwrap(), []);
    let newest = history.log(AUDIT, None, 2).unwrap();
    assert_eq!(newest.iter().map(|e| e.time.0).collect::<Vec<_>>(), [4, 3]);
    let older = history.log(AUDIT, Some(newest[1].id), 10).unwrap();
    assert_eq!(older.iter().map(|e| e.time.0).collect::<Vec<_>>(), [2, 1, 0]);
}

#[test]
fn csv_is_for_spreadsheets_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), &two_points()).unwrap();
    let batch = [
        sample(0, MARCH, 21.5),
        sample(0, MARCH + 500_000, 3.0),
        sample(0, MARCH + 2 * MINUTE, 1e300),
        sample(0, MARCH + 3 * MINUTE, "shut, \"locked\""),
        Sample { quality: Quality::Bad, ..sample(0, MARCH + 4 * MINUTE, Value::Bool(true)) },
    ];
    history.writer().commit(&batch, &[]).unwrap();
    let mut out = Vec::new();
    assert_eq!(history.export_csv(&mut out, PointId(0), Timestamp(0), Timestamp(i64::MAX)).unwrap(), 5);
    let expected = "point,time,value,quality
hall/temperature,2026-03-01T00:00:00Z,21.5,good
hall/temperature,2026-03-01T00:00:00.5Z,3,good
hall/temperature,2026-03-01T00:02:00Z,1e300,good
hall/temperature,2026-03-01T00:03:00Z,\"shut, \"\"locked\"\"\",good
hall/temperature,2026-03-01T00:04:00Z,true,bad
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn readers_see_a_growing_prefix_while_the_store_commits_and_seals() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { seal_after_samples: 2000, seal_after_commits: 1000 };
    let history = Arc::new(History::open_with(dir.path(), &two_points(), options).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (history, stop) = (history.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut seen = 0;
                while !stop.load(Ordering::Relaxed) {
                    let got = numbers(&history, 0);
                    assert!(got.len() >= seen, "{} after {seen}", got.len());
                    seen = got.len();
                    assert!(got.iter().enumerate().all(|(i, s)| *s == (MARCH + i as i64 * MINUTE, i as f64)));
                    let hours = history
                        .buckets(PointId(0), Timestamp(MARCH), Timestamp(MARCH + 90 * 24 * HOUR), HOUR)
                        .unwrap();
                    let whole = hours.split_last().map_or(&[][..], |(_, whole)| whole);
                    assert!(whole.iter().all(|b| b.count == 60), "no sample twice or missing");
                }
                seen
            })
        })
        .collect();
    let mut writer = history.writer();
    for i in 0..200 {
        let batch: Vec<_> =
            (i * 250..(i + 1) * 250).map(|m| sample(0, MARCH + m * MINUTE, m as f64)).collect();
        writer.commit(&batch, &[]).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(numbers(&history, 0).len(), 50_000);
    assert!(history.stats().seals.get() > 3, "it sealed meanwhile: {:?}", history.stats().seals);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_history_is_what_a_map_would_say(
        steps in prop::collection::vec((0_i64..4000, -500_i32..500, 1_i64..40, any::<bool>()), 1..40),
        from in 0_i64..50, hours in 1_i64..30, width in 1_i64..4,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut history = History::open(dir.path(), &two_points()).unwrap();
        let mut expected = BTreeMap::new();
        // Around the turn of a month.
        let origin = MARCH - 30 * HOUR;
        for (i, (minute, n, len, seal)) in steps.into_iter().enumerate() {
            let batch: Vec<_> = (0..len * 10).map(|k| sample(0, origin + (minute + k) * MINUTE, f64::from(n) / 10.0 + k as f64)).collect();
            batch.iter().for_each(|s| {
        expected.insert(s.time.0, s.value.as_f64().unwrap());
    });
            history.writer().commit(&batch, &[]).unwrap();
            if seal {
                history.seal().unwrap();
            }
            if i % 13 == 12 {
                drop(history);
                history = History::open(dir.path(), &two_points()).unwrap();
            }
        }
        prop_assert_eq!(numbers(&history, 0), expected.iter().map(|(&t, &x)| (t, x)).collect::<Vec<_>>());
        let (from, width) = (origin + from * HOUR, width * HOUR);
        let to = from + hours * HOUR + 1;
        prop_assert_eq!(
            history.buckets(PointId(0), Timestamp(from), Timestamp(to), width).unwrap(),
            expected_buckets(&expected, from, to, width)
        );
    }
}
