//! A look back: a world fed from history, at any moment and pace, as one client asked for. Nobody can act in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_model::{Intent, PointId, Sample, Timestamp};
use campanile_protocol::RejectReason;
use campanile_world::{Refusal, Schema, World};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::channel::{Channel, Hands};
use crate::clients::PointSet;
use crate::live::{AlarmAct, Live};
use crate::people::By;
use crate::view::{view, view_of};

/// What is older than this before the moment asked for is not looked for, at the least.
const REACH_US: i64 = 2 * 3600 * Timestamp::SECOND;
/// How long before the moment asked for the world begins, so that alarms with a delay are as they were.
const RUN_UP_US: i64 = 1800 * Timestamp::SECOND;
/// How much history is fetched at once, at the least.
const WINDOW_US: i64 = 600 * Timestamp::SECOND;
/// Clients are shown so many states a second.
const SHOWN: Duration = Duration::from_millis(100);
/// The most samples of one point in one window.
const MOST_SAMPLES: usize = 100_000;
/// So many look back at once: each has a thread and reads from the store.
pub const MOST: usize = 8;
/// The fastest pace.
pub const MAX_RATE: f64 = 3600.0;

/// A moment and a pace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seek {
    /// When.
    pub at: Timestamp,
    /// Seconds a second; 0 stands.
    pub rate: f64,
}

/// Nobody acts in the past.
struct Nobody;

impl Hands for Nobody {
    fn bound(&self) -> Option<&'static str> {
        Some("not-allowed-past")
    }

    fn intend(&self, _: Box<Intent>, _: By, _: oneshot::Sender<Result<(), Refusal>>) -> bool {
        false
    }

    fn alarm(&self, _: String, _: By, _: AlarmAct, _: oneshot::Sender<Result<(), RejectReason>>) -> bool {
        false
    }
}

/// Starts a look back; it ends when the sender is dropped, and gives its room to another.
///
/// # Errors
/// Where no thread can be started.
pub fn start(
    live: Arc<Live>,
    first: Seek,
    room: OwnedSemaphorePermit,
) -> std::io::Result<(Arc<Channel>, Sender<Seek>)> {
    let schema = Arc::new(Schema::of(&live.campus));
    let mut world = World::new(schema, first.at);
    let shown = view(&live.campus, &mut world);
    let name = "past".to_owned();
    let channel =
        Arc::new(Channel::new(name, false, live.campus.clone(), shown, first.rate, Box::new(Nobody)));
    let (seeks, inbox) = crossbeam_channel::bounded(16);
    let thread = Past { live, channel: channel.clone(), world, until: first.at, window: Vec::new(), next: 0 };
    std::thread::Builder::new().name("look-back".to_owned()).spawn(move || {
        thread.run(first, &inbox);
        drop(room);
    })?;
    Ok((channel, seeks))
}

/// The world as it was at a moment: what its points had said, and alarms with a delay as they were. Who had commanded what
/// is not in it.
pub fn recall(live: &Live, schema: Arc<Schema>, at: Timestamp) -> World {
    let began = at.plus_micros(-RUN_UP_US);
    let mut world = World::new(schema, began);
    // What a point said last before the run-up is how it begins.
    let (mut last, mut window): (Vec<Sample>, Vec<Sample>) = Default::default();
    for point in &live.campus.points {
        let reach_us = ((point.period_s * 3.0e6) as i64).max(REACH_US);
        let rows = fetch(live, point.id, began.plus_micros(-reach_us), at.plus_micros(1));
        let before = rows.partition_point(|s| s.time <= began);
        last.extend(before.checked_sub(1).and_then(|i| rows.get(i)).cloned());
        window.extend(rows.into_iter().skip(before));
    }
    window.sort_by_key(|s| (s.time, s.point));
    last.sort_by_key(|s| (s.time, s.point));
    world.apply_samples(&last, &mut Vec::new());
    feed(&mut world, &window, at);
    world
}

fn fetch(live: &Live, point: PointId, from: Timestamp, to: Timestamp) -> Vec<Sample> {
    match live.history.range(point, from, to, MOST_SAMPLES) {
        Ok(rows) => {
            rows.into_iter().map(|(time, value, quality)| Sample { point, time, value, quality }).collect()
        }
        Err(why) => {
            tracing::warn!(%why, point = %live.campus.point(point).path, "a look back can't read a point");
            Vec::new()
        }
    }
}

/// Feeds a world samples up to a moment, second by second; how many that were.
fn feed(world: &mut World, window: &[Sample], now: Timestamp) -> usize {
    let mut events = Vec::new();
    let mut next = 0;
    while let Some(sample) = window.get(next).filter(|s| s.time <= now) {
        let second =
            Timestamp((sample.time.0.div_euclid(Timestamp::SECOND) + 1) * Timestamp::SECOND).min(now);
        let rest = window.get(next..).unwrap_or_default();
        let count = rest.partition_point(|s| s.time <= second);
        world.apply_samples(&rest[..count], &mut events);
        world.tick(second, &mut events);
        next += count;
        if count == 0 {
            break;
        }
    }
    world.tick(now, &mut events);
    next
}

struct Past {
    live: Arc<Live>,
    channel: Arc<Channel>,
    world: World,
    /// Up to when history has been fetched.
    until: Timestamp,
    /// What was fetched, in order of time.
    window: Vec<Sample>,
    /// How much of it the world has been fed.
    next: usize,
}

impl Past {
    fn run(mut self, first: Seek, inbox: &Receiver<Seek>) {
        let mut seek = first;
        self.jump(seek);
        let mut anchor = (Instant::now(), seek.at);
        loop {
            match inbox.recv_timeout(SHOWN) {
                Ok(new) => {
                    // Of a drag only the last moment counts.
                    seek = inbox.try_iter().last().unwrap_or(new);
                    if seek.at == self.world.now() {
                        self.channel.set_rate(seek.rate);
                    } else {
                        self.jump(seek);
                    }
                    anchor = (Instant::now(), seek.at);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if seek.rate > 0.0 {
                let passed_us = (anchor.0.elapsed().as_secs_f64() * seek.rate * 1e6) as i64;
                let now = anchor.1.plus_micros(passed_us).min(self.live.view().time);
                self.play(now, seek.rate);
            }
        }
    }

    /// The world as it was at a moment.
    fn jump(&mut self, seek: Seek) {
        self.world = recall(&self.live, self.world.schema().clone(), seek.at);
        self.window.clear();
        self.next = 0;
        self.until = seek.at;
        self.channel.set_rate(seek.rate);
        let next = view(&self.live.campus, &mut self.world);
        self.world.take_dirty();
        self.channel.view.store(Arc::new(next));
        self.channel.jumped();
    }

    fn play(&mut self, now: Timestamp, rate: f64) {
        if now <= self.world.now() {
            return;
        }
        if now > self.until {
            self.window.clear();
            self.next = 0;
            let from = self.until.plus_micros(1);
            let ahead_us = WINDOW_US.max((rate * 10e6) as i64);
            let to = now.plus_micros(ahead_us);
            let live = self.live.clone();
            for point in &live.campus.points {
                let rows = fetch(&live, point.id, from, to.plus_micros(1));
                self.window.extend(rows);
            }
            self.window.sort_by_key(|s| (s.time, s.point));
            self.until = to;
        }
        self.next += feed(&mut self.world, self.window.get(self.next..).unwrap_or_default(), now);
        let campus = &self.channel.campus;
        let changed = self.world.take_dirty();
        let mut next = view_of(campus, &mut self.world, &self.channel.view(), true);
        next.time = self.world.now();
        let alarms = next.alarms.clone();
        let same = self.channel.view().alarms == alarms;
        self.channel.view.store(Arc::new(next));
        let mut set = PointSet::empty(campus.points.len());
        changed.into_iter().for_each(|p| set.insert(p));
        self.channel.clients.mark(&set);
        if !same {
            let message = campanile_protocol::ServerMessage::AlarmList { alarms: alarms.to_vec() };
            // Nobody listening is no error.
            drop(self.channel.events.send(message));
        }
    }
}
