//! The keeper's turns without its thread: clocks that jump, disks that are full, and what a restart finds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize};

use campanile_history::{AUDIT, CommitQueue, History, HistoryError};
use campanile_model::{
    Actor, AlarmCondition, Campus, Change, Intent, Path, Priority, Quality, Value, ValueType,
};
use campanile_world::{AlarmState, Schema};
use tokio::sync::oneshot;

use super::*;
use crate::people::By;

const S: i64 = Timestamp::SECOND;
/// 2026-11-24T00:00:00Z.
const BASE: i64 = 1_795_478_400 * S;

/// The demo school with rules of known times on one point, and one setpoint that may be written at any time.
struct Site {
    campus: Arc<Campus>,
    co2: PointId,
    setpoint: PointId,
    safe: Value,
    /// By delay, shelved, and by a rise within ten minutes.
    delayed: String,
    shelved: String,
    rises: String,
}

fn site() -> Site {
    let scene = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
    let mut campus = campanile_model::open(&scene).unwrap();
    campus.points.iter_mut().for_each(|point| point.interlocks.clear());
    let co2 = campus.points.iter().position(|p| p.quantity == "co2").unwrap();
    let point = &mut campus.points[co2];
    point.period_s = 60.0;
    let rule = point.alarms[0].clone();
    let high = |id: &str, limit, on_delay_s| campanile_model::AlarmRule {
        id: id.to_owned(),
        condition: AlarmCondition::High { limit },
        on_delay_s,
        off_delay_s: 0.0,
        ..rule.clone()
    };
    let change = Change { by: 500.0, within_s: 600.0 };
    point.alarms = vec![
        high("delayed", 1000.0, 300.0),
        high("shelved", 9000.0, 0.0),
        campanile_model::AlarmRule { condition: AlarmCondition::Rises(change), ..high("rises", 0.0, 0.0) },
    ];
    let path = point.path.clone();
    campus.points.iter_mut().filter(|p| p.id.index() != co2).for_each(|p| p.alarms.clear());
    let numbers = |p: &&mut campanile_model::Point| p.value_type == ValueType::Number && p.command.is_some();
    let setpoint = campus.points.iter_mut().find(numbers).unwrap();
    let command = setpoint.command.as_mut().unwrap();
    command.limits = Some([0.0, 100.0]);
    command.min_interval_s = 0.0;
    command.weakest_priority = None;
    let (setpoint, safe) = (setpoint.id, command.safe.clone());
    Site {
        co2: PointId(co2 as u32),
        setpoint,
        safe,
        delayed: format!("{path}#delayed"),
        shelved: format!("{path}#shelved"),
        rises: format!("{path}#rises"),
        campus: Arc::new(campus),
    }
}

/// A queue of which some submissions fail, as on a full disk.
struct Failing {
    queue: CommitQueue,
    left: Arc<AtomicUsize>,
}

impl Commits for Failing {
    fn submit(&self, mut submission: Submission) -> Result<(), Box<Submission>> {
        let fails = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match (fails, submission.done.take()) {
            (Ok(_), Some(done)) => done(Err(Arc::new(HistoryError::Closed))),
            (Ok(_), None) => {}
            (Err(_), done) => Commits::submit(&self.queue, Submission { done, ..submission })?,
        }
        Ok(())
    }
}

/// A hub's keeper on a folder, with a clock that the test sets.
struct Run<'a> {
    site: &'a Site,
    keeper: Keeper,
    clock: Arc<AtomicI64>,
    failing: Arc<AtomicUsize>,
}

impl<'a> Run<'a> {
    fn start(site: &'a Site, dir: &std::path::Path, now: i64) -> Self {
        let history = History::open(dir, &crate::point_specs(&site.campus)).unwrap();
        let failing = Arc::new(AtomicUsize::new(0));
        let queue = CommitQueue::start(history.writer(), 64).unwrap();
        let queue = Box::new(Failing { queue, left: failing.clone() });
        let (live, world, _) =
            Live::recovered(site.campus.clone(), Box::new(history), Timestamp(now), false).unwrap();
        let clock = Arc::new(AtomicI64::new(now));
        let told = clock.clone();
        let tell = Box::new(move || Timestamp(told.load(Ordering::Relaxed)));
        Self { site, keeper: Keeper::new(live, world, queue, Some(tell), None), clock, failing }
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    fn beat_at(&mut self, now: i64) {
        self.clock.store(now, Ordering::Relaxed);
        self.keeper.beat();
        self.keeper.tell();
    }

    fn measure(&mut self, ppm: f64) {
        let time = Timestamp(self.now());
        let sample = Sample { point: self.site.co2, time, value: Value::Number(ppm), quality: Quality::Good };
        self.keeper.take(Turn::Simulated(vec![sample], time));
        self.keeper.tell();
        let reading = self.keeper.world.reading(self.site.co2).unwrap();
        assert_eq!((reading.value, reading.quality), (Value::Number(ppm), Quality::Good), "not late");
    }

    fn command(&mut self, value: Option<f64>, priority: u8, for_s: Option<i64>) -> Answer<(), Refusal> {
        let intent = Intent {
            point: self.site.setpoint,
            priority: Priority::new(priority).unwrap(),
            value: value.map(Value::Number),
            expires: for_s.map(|s| Timestamp(self.now() + s * S)),
            actor: Actor::Person("wang".into()),
            reason: "a test".into(),
        };
        let (reply, answer) = oneshot::channel();
        self.keeper.take(Turn::Intend(Box::new(intent), by(), reply));
        self.keeper.tell();
        answer
    }

    fn alarm(&mut self, alarm: &str, act: AlarmAct) -> Answer<(), RejectReason> {
        let (reply, answer) = oneshot::channel();
        self.keeper.take(Turn::Alarm { alarm: alarm.to_owned(), by: by(), act, reply });
        self.keeper.tell();
        answer
    }

    fn state(&self, alarm: &str) -> AlarmState {
        let world = &self.keeper.world;
        world.alarm(world.schema().rule(alarm).unwrap()).unwrap().state
    }

    fn effective(&self) -> Value {
        self.keeper.world.effective(self.site.setpoint).unwrap()
    }

    /// Ends as a kill would, but for what waits in the queue; gives what the world had.
    fn end(self) -> Saved {
        self.keeper.world.save()
    }
}

type Answer<T, E> = oneshot::Receiver<Result<T, E>>;

fn by() -> By {
    By { actor: "person:wang".to_owned(), from: "127.0.0.1".to_owned() }
}

/// What of commands and alarms has to come through a restart.
fn lasting(saved: Saved) -> (Vec<(Path, campanile_world::Array)>, BTreeMap<String, String>) {
    let alarms = saved.alarms.into_iter().filter(|(_, a)| a.state != AlarmState::Normal);
    let alarms = alarms
        .map(|(id, a)| {
            (
                id.to_string(),
                format!("{:?} {:?} {:?} {:?}", a.state, a.raised, a.acknowledged, a.shelved_until),
            )
        })
        .collect();
    let commands = saved.commands.into_iter().filter(|(_, array)| array.strongest().is_some()).collect();
    (commands, alarms)
}

#[test]
fn clocks_that_jump_end_what_waits_no_later_than_it_should_and_hide_no_sample() {
    const DAY: i64 = 86_400;
    // At which true second the clock is moved by how many; when the command of 100 s, the shelf of 200 s and the delay
    // of 300 s are over, in true seconds.
    type Case = (&'static str, &'static [(i64, i64)], [i64; 3]);
    // A step back costs what has waited the time of a beat, here a second.
    let cases: [Case; 9] = [
        ("no jump", &[], [100, 200, 300]),
        ("an hour back", &[(20, -3600)], [101, 201, 301]),
        ("a month back", &[(20, -30 * DAY)], [101, 201, 301]),
        // It can't be told from a machine that slept. What has become stale raises nothing; the next value does.
        ("a day forward", &[(20, DAY)], [20, 20, 320]),
        ("a day forward and back", &[(20, DAY), (30, -DAY)], [20, 20, 321]),
        ("back and forward again", &[(20, -3600), (60, 3600)], [60, 60, 360]),
        ("three times back", &[(20, -10), (40, -60), (60, -3600)], [103, 203, 303]),
        ("a leap second: the clock says one twice", &[(20, -1)], [101, 201, 301]),
        ("a leap second that is left out", &[(20, 1)], [99, 199, 299]),
    ];
    let site = site();
    for (name, jumps, over) in cases {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Run::start(&site, dir.path(), BASE);
        run.beat_at(BASE);
        run.measure(2000.0);
        let mut answer = run.command(Some(77.0), 8, Some(100));
        let shelf = AlarmAct::Shelve { for_s: 200.0, reason: "mended".to_owned() };
        let mut shelved = run.alarm(&site.shelved, shelf);
        let mut found = [0; 3];
        let mut raised = 0;
        let mut clock = BASE;
        for second in 1..=400 {
            clock += S;
            clock += jumps.iter().filter(|(at, _)| *at == second).map(|(_, by)| by * S).sum::<i64>();
            let before = run.state(&site.delayed);
            run.beat_at(clock);
            raised += u32::from(before != run.state(&site.delayed));
            if second % 20 == 0 {
                run.measure(2000.0 + (second / 20) as f64);
            }
            let is_over = [
                run.effective() == site.safe,
                run.state(&site.shelved) == AlarmState::Normal,
                run.state(&site.delayed) == AlarmState::Unacknowledged,
            ];
            for (at, is_over) in found.iter_mut().zip(is_over) {
                if is_over && *at == 0 {
                    *at = second;
                }
                assert!(is_over || *at == 0, "{name}: over at {at}, and not at {second}");
            }
        }
        assert_eq!((found, raised), (over, 1), "{name}");
        run.beat_at(clock + 200 * S);
        assert_eq!(run.keeper.world.reading(site.co2).unwrap().quality, Quality::Stale, "{name}");
        let expected = lasting(run.end());
        assert_eq!(answer.try_recv().unwrap(), Ok(()), "{name}");
        assert_eq!(shelved.try_recv().unwrap(), Ok(()), "{name}");

        // And the next start finds it so, with each act once in the record.
        let run = Run::start(&site, dir.path(), clock + 300 * S);
        let acts: Vec<String> = acts(&run);
        assert_eq!(acts, ["write", "shelve"], "{name}");
        let turns = run.keeper.live.history.log(crate::keeper::ALARM_JOURNAL, None, 1000).unwrap();
        let states: Vec<&str> = turns.iter().rev().map(|e| e.body["state"].as_str().unwrap()).collect();
        let count = |state: &str| states.iter().filter(|s| **s == state).count();
        // It was hidden before it was raised, and came forward when the time was over.
        assert_eq!((count("shelved"), states.last()), (1, Some(&"unacknowledged")), "{name}: {states:?}");
        assert_eq!(lasting(run.end()), expected, "{name}");
    }
}

/// The acts of the audit record, the oldest first.
fn acts(run: &Run<'_>) -> Vec<String> {
    let entries = run.keeper.live.history.log(AUDIT, None, 1000).unwrap();
    entries.iter().rev().map(|e| e.body["act"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_failed_commits_should_have_kept_is_kept_once_when_there_is_room_again() {
    let site = site();
    // Fails from the nth submission on, for so many; then there is room again, or the hub is killed before.
    let cases = (0..9).flat_map(|from| [1, 2, 5, 50].map(|many| (from, many)));
    for (from, many) in cases {
        for there_is_room_again in [true, false] {
            let name = format!("{many} failures from act {from}, room again: {there_is_room_again}");
            let dir = tempfile::tempdir().unwrap();
            let mut run = Run::start(&site, dir.path(), BASE);
            run.beat_at(BASE);
            run.measure(2000.0);
            let mut commands = Vec::new();
            let mut alarms = Vec::new();
            let mut done = Vec::new();
            for act in 0..8 {
                if act == from {
                    run.failing.store(many, Ordering::Relaxed);
                }
                match act {
                    0 => commands.push(("write", run.command(Some(50.0), 8, None))),
                    1 => {
                        // Said again in between: what is stale raises nothing.
                        run.beat_at(BASE + 150 * S);
                        run.measure(2000.0);
                        run.beat_at(BASE + 310 * S);
                    }
                    2 => alarms.push((
                        "acknowledge",
                        run.alarm(&site.delayed, AlarmAct::Acknowledge { comment: "seen".to_owned() }),
                    )),
                    3 => alarms.push((
                        "shelve",
                        run.alarm(
                            &site.shelved,
                            AlarmAct::Shelve { for_s: 9000.0, reason: "mended".to_owned() },
                        ),
                    )),
                    4 => commands.push(("write", run.command(Some(60.0), 10, None))),
                    5 => run.beat_at(BASE + 311 * S),
                    6 => commands.push(("relinquish", run.command(None, 8, None))),
                    _ => run.measure(2600.0),
                }
            }
            assert_eq!(run.effective(), Value::Number(60.0), "{name}: it is in force all the same");
            assert_eq!(run.state(&site.delayed), AlarmState::Acknowledged, "{name}");
            assert_eq!(run.state(&site.rises), AlarmState::Unacknowledged, "{name}");
            if there_is_room_again {
                run.failing.store(0, Ordering::Relaxed);
                for second in 312..315 {
                    run.beat_at(BASE + second * S);
                }
            }
            let expected = lasting(run.end());
            done.extend(commands.into_iter().filter_map(|(act, mut a)| a.try_recv().ok().map(|_| act)));
            done.extend(alarms.into_iter().filter_map(|(act, mut a)| a.try_recv().ok().map(|_| act)));

            let run = Run::start(&site, dir.path(), BASE + 320 * S);
            let mut kept = acts(&run);
            kept.sort();
            if there_is_room_again {
                assert_eq!(kept, ["acknowledge", "relinquish", "shelve", "write", "write"], "{name}");
                assert_eq!(lasting(run.end()), expected, "{name}");
            } else {
                done.sort_unstable();
                let mut left = kept.clone();
                for act in &done {
                    let at = left.iter().position(|kept| kept == act);
                    left.remove(at.unwrap_or_else(|| panic!("{name}: {act} was answered and is not kept")));
                }
                assert!(kept.iter().filter(|act| *act == "write").count() <= 2 && kept.len() <= 5, "{name}");
            }
        }
    }
}

#[test]
fn a_rise_begun_before_a_kill_is_seen_after_it() {
    let site = site();
    for (name, asleep_s, expected) in [
        ("soon", 20, AlarmState::Unacknowledged),
        ("after the time that it looks back", 700, AlarmState::Normal),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Run::start(&site, dir.path(), BASE);
        run.beat_at(BASE);
        run.measure(600.0);
        run.beat_at(BASE + 60 * S);
        run.measure(900.0);
        run.end();
        let mut run = Run::start(&site, dir.path(), BASE + (60 + asleep_s) * S);
        assert_eq!(run.state(&site.rises), AlarmState::Normal, "{name}");
        run.measure(1150.0);
        assert_eq!(run.state(&site.rises), expected, "{name}: 550 above that of a minute and a half before");
        assert_eq!(Schema::of(&site.campus).rules().len(), run.keeper.world.schema().rules().len());
    }
}
