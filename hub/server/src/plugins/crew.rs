//! The plugins of the live world at work: a place for each, and a few threads that call them.
//!
//! The world's thread tells the crew what has happened and goes on; a plugin is called in a thread of the crew with the
//! world as it is then, and what it does comes back as a turn of the world. A plugin is not called again before that turn
//! was taken. Those that take long have threads of their own, so that they delay nobody but each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use campanile_history::Record;
use campanile_model::{AlarmPriority, Names, Sample, Timestamp};
use campanile_plugins::{
    AlarmNews, Around, Call, Compiled, Failure, Grants, Health, LogLevel, LogLine, MOST_SAMPLES, Outcome,
    Past, Proposal, Seat, ended,
};
use campanile_protocol::plugins::{PluginLogLine, PluginState, PluginWork, ScriptError};
use campanile_world::{Input, Notification, World};
use crossbeam_channel::{Receiver, Sender};

use super::keep::{self, SeatRecord};
use super::panels;
use super::past::StorePast;
use crate::clients::PointSet;
use crate::live::{Live, Turn};

/// Threads for plugins that are quick, and for those that are not.
const THREADS: [usize; 2] = [2, 2];
/// A call of more makes a plugin a slow one.
const SLOW: Duration = Duration::from_millis(20);
/// So many quick calls in a row make it a quick one again.
const QUICK_CALLS: u32 = 50;
/// Samples that may wait for a plugin that can't keep up; then the oldest are left out, and it is told how many.
const MOST_WAITING: usize = 100_000;
/// What people do at panels that may wait for a plugin.
const MOST_CALLS: usize = 100;
/// Lines of the log of a plugin that are kept.
const MOST_LINES: usize = 1000;
/// The crew hears of the world at most so often, unless an alarm has changed.
pub const NEWS: Duration = Duration::from_millis(100);
/// The alarm of the hub when a plugin fails.
pub const FAILED: &str = "hub-failed";

/// What a call of a plugin does to the world, for the world's thread to take.
pub struct Report {
    /// Which plugin.
    pub plugin: Arc<str>,
    /// Inputs, in order.
    pub inputs: Vec<Input>,
    /// What is kept with them.
    pub records: Vec<Record>,
    /// Hears what the world refused, in words, when it was taken.
    pub taken: Sender<Vec<String>>,
}

/// What waits for a plugin.
#[derive(Default)]
struct Waiting {
    samples: VecDeque<Sample>,
    left_out: u64,
    alarms: Vec<AlarmNews>,
    calls: VecDeque<Call>,
    tick: bool,
    /// Whether a thread has been told.
    told: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.alarms.is_empty() && self.calls.is_empty() && !self.tick
    }
}

/// What is known of a plugin's work.
#[derive(Clone, Default)]
struct Worked {
    work: PluginWork,
    health: Health,
    /// Why it failed last.
    failure: Option<String>,
    /// The last error of a call, until one ends well again.
    error: Option<String>,
    lines: VecDeque<PluginLogLine>,
    logged: u64,
    quick_calls: u32,
    slow: bool,
}

/// The place of a plugin.
pub struct Post {
    id: Arc<str>,
    grants: ArcSwap<Grants>,
    waiting: Mutex<Waiting>,
    seat: Mutex<Seat>,
    worked: Mutex<Worked>,
    stopped: AtomicBool,
}

/// Where processors are short, what comes from the field and what people ask for goes before plugins.
pub(super) fn give_way() {
    // Of this thread alone, as Linux has it, and from what the hub itself has: a fifteenth of what a thread of the hub gets
    // that wants the same processor. A call's time is counted by what it gets.
    #[cfg(target_os = "linux")]
    if let Err(why) = rustix::process::getpriority_process(None)
        .and_then(|own| rustix::process::setpriority_process(None, (own + 12).min(19)))
    {
        tracing::debug!(%why, "threads of plugins have the priority of the hub's own");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The crew.
pub struct Crew {
    live: Arc<Live>,
    past: Arc<dyn Past>,
    posts: RwLock<BTreeMap<Arc<str>, Arc<Post>>>,
    /// Points of which samples are wanted.
    wanted: ArcSwap<PointSet>,
    world: ArcSwapOption<World>,
    ready: [Sender<Arc<Post>>; 2],
    proposals: Sender<(Arc<str>, Proposal)>,
    over: AtomicBool,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Crew {
    /// A crew without plugins. Proposals of activities go to `proposals`.
    pub fn start(live: Arc<Live>, proposals: Sender<(Arc<str>, Proposal)>) -> std::io::Result<Arc<Self>> {
        let lanes = THREADS.map(|_| crossbeam_channel::bounded::<Arc<Post>>(super::MOST_PLUGINS));
        let crew = Arc::new(Self {
            past: Arc::new(StorePast(live.clone())),
            wanted: ArcSwap::from_pointee(PointSet::empty(live.campus.points.len())),
            live,
            posts: RwLock::default(),
            world: ArcSwapOption::empty(),
            ready: [lanes[0].0.clone(), lanes[1].0.clone()],
            proposals,
            over: AtomicBool::new(false),
            threads: Mutex::default(),
        });
        for ((_, posts), threads) in lanes.into_iter().zip(THREADS) {
            for _ in 0..threads {
                let (own, posts) = (crew.clone(), posts.clone());
                let thread =
                    std::thread::Builder::new().name("plugins".to_owned()).spawn(move || own.work(&posts))?;
                lock(&crew.threads).push(thread);
            }
        }
        Ok(crew)
    }

    /// Calls no more; returns when the calls under way have ended.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Release);
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            if thread.join().is_err() {
                tracing::error!("a thread of plugins had panicked");
            }
        }
    }

    fn post(&self, id: &str) -> Option<Arc<Post>> {
        self.posts.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn posts(&self) -> Vec<Arc<Post>> {
        self.posts.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A plugin takes its place. One that is there already goes on with another component: what waits for it and what
    /// it remembers stay.
    pub fn seat(&self, seat: Seat, stopped: bool) {
        let grants = seat.grants().clone();
        let id: Arc<str> = grants.manifest.id.as_str().into();
        let worked = Worked { health: seat.saved().health.clone(), ..Worked::default() };
        let post = Arc::new(Post {
            id: id.clone(),
            grants: ArcSwap::new(grants),
            waiting: Mutex::default(),
            seat: Mutex::new(seat),
            worked: Mutex::new(worked),
            stopped: AtomicBool::new(stopped),
        });
        self.posts.write().unwrap_or_else(PoisonError::into_inner).insert(id, post);
        self.want();
    }

    /// Another component, or other grants, for a plugin that is there: hot reload.
    pub fn replace(&self, id: &str, compiled: Compiled, grants: Arc<Grants>) -> bool {
        let Some(post) = self.post(id) else { return false };
        {
            let mut seat = lock(&post.seat);
            seat.replace(compiled, grants.clone());
            post.grants.store(grants);
            let mut worked = lock(&post.worked);
            (worked.health, worked.failure, worked.error) = (Health::Well, None, None);
        }
        self.want();
        true
    }

    /// A plugin goes; what it commands and the alarms that it raised are let go.
    pub fn remove(&self, id: &str) {
        let gone = self.posts.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(post) = gone {
            self.let_go(&post);
            self.live.channel.remove_panels(id);
        }
        self.want();
    }

    /// Stops a plugin, or lets it work again; false where there is none.
    pub fn set_stopped(&self, id: &str, stopped: bool) -> bool {
        let Some(post) = self.post(id) else { return false };
        post.stopped.store(stopped, Ordering::Release);
        if stopped {
            *lock(&post.waiting) = Waiting::default();
            self.let_go(&post);
        } else {
            lock(&post.seat).revive();
            let mut worked = lock(&post.worked);
            (worked.health, worked.failure, worked.error) = (Health::Well, None, None);
            drop(worked);
            self.report(&post, vec![self.failed_alarm(&post, None)], Vec::new());
        }
        true
    }

    /// What a plugin commands and raised is over.
    fn let_go(&self, post: &Post) {
        let Some(world) = self.world.load_full() else { return };
        let seat = lock(&post.seat);
        let grants = seat.grants().clone();
        let mut inputs = ended(&grants, seat.saved().memory.standing.iter().cloned());
        let intents = seat.letting_go(&world);
        drop(seat);
        inputs.extend(intents.into_iter().map(|intent| Input::Intend { intent: Box::new(intent) }));
        inputs.push(self.failed_alarm(post, None));
        self.report(post, inputs, Vec::new());
    }

    /// Takes note of which points anybody wants to hear of.
    fn want(&self) {
        let campus = &self.live.campus;
        let mut wanted = PointSet::empty(campus.points.len());
        for post in self.posts() {
            let grants = post.grants.load();
            campus
                .points
                .iter()
                .filter(|p| grants.subscribed(p.id).is_some())
                .for_each(|p| wanted.insert(p.id));
        }
        self.wanted.store(Arc::new(wanted));
    }

    /// Whether there is anybody to be told.
    pub fn is_empty(&self) -> bool {
        self.posts.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Of samples those that anybody wants to hear of.
    pub fn wanted(&self, samples: &[Sample], into: &mut Vec<Sample>) {
        let wanted = self.wanted.load();
        into.extend(samples.iter().filter(|sample| wanted.contains(sample.point)).cloned());
    }

    /// Tells plugins what has happened, and how the world is now.
    pub fn hear(&self, world: Arc<World>, samples: &[Sample], alarms: &[AlarmNews]) {
        let now = world.now();
        self.world.store(Some(world));
        for post in self.posts() {
            if post.stopped.load(Ordering::Acquire) {
                continue;
            }
            let grants = post.grants.load();
            // One that is being called has its tick looked at next time.
            let tick =
                post.seat.try_lock().is_ok_and(|mut seat| seat.is_callable(now) && seat.take_tick(now));
            let mut waiting = lock(&post.waiting);
            waiting.tick |= tick;
            waiting.alarms.extend(alarms.iter().filter(|a| grants.hears_alarms_of(&a.entity)).cloned());
            let own = samples.iter().filter(|sample| grants.subscribed(sample.point).is_some());
            waiting.samples.extend(own.cloned());
            let too_many = waiting.samples.len().saturating_sub(MOST_WAITING);
            waiting.samples.drain(..too_many);
            waiting.left_out += too_many as u64;
            self.wake(&post, &mut waiting);
        }
    }

    /// Tells one plugin something that it alone hears; false where it is not there or can't take it.
    pub fn tell(&self, id: &str, call: Call) -> bool {
        let Some(post) = self.post(id).filter(|post| !post.stopped.load(Ordering::Acquire)) else {
            return false;
        };
        let mut waiting = lock(&post.waiting);
        if waiting.calls.len() >= MOST_CALLS {
            return false;
        }
        waiting.calls.push_back(call);
        self.wake(&post, &mut waiting);
        true
    }

    fn wake(&self, post: &Arc<Post>, waiting: &mut Waiting) {
        if waiting.told || waiting.is_empty() {
            return;
        }
        let lane = usize::from(lock(&post.worked).slow);
        // Each plugin is in one lane once at most, and there is room for all.
        waiting.told = self.ready[lane].try_send(post.clone()).is_ok();
    }

    fn work(&self, posts: &Receiver<Arc<Post>>) {
        give_way();
        while !self.over.load(Ordering::Acquire) {
            let Ok(post) = posts.recv_timeout(Duration::from_millis(100)) else { continue };
            let Some(world) = self.world.load_full() else {
                // It is told again with the first world.
                lock(&post.waiting).told = false;
                continue;
            };
            for call in next_calls(&post) {
                if self.over.load(Ordering::Acquire) || post.stopped.load(Ordering::Acquire) {
                    break;
                }
                let around = Around {
                    world: self.world.load_full().unwrap_or_else(|| world.clone()),
                    past: self.past.clone(),
                    stage: None,
                };
                self.call(&post, &call, &around);
            }
            let mut waiting = lock(&post.waiting);
            waiting.told = false;
            self.wake(&post, &mut waiting);
        }
    }

    /// Calls a plugin and waits until the world has taken what it did.
    fn call(&self, post: &Arc<Post>, call: &Call, around: &Around) {
        let (outcome, took, records, before, after, stored) = {
            let mut seat = lock(&post.seat);
            let before = SeatRecord::of(seat.saved());
            let began = Instant::now();
            let outcome = seat.call(call, around);
            let took = began.elapsed();
            let after = SeatRecord::of(seat.saved());
            let now = around.world.now();
            let mut records = keep::records(seat.grants(), &outcome.effects, now);
            if before != after {
                records.extend(after.record(&post.id, now));
            }
            let stored = seat.saved().memory.stored_bytes() as u64;
            (outcome, took, records, before, (after, seat.saved().health.clone()), stored)
        };
        if outcome == Outcome::default() && before == after.0 {
            return;
        }
        let grants = post.grants.load_full();
        let mut inputs = outcome.effects.inputs(&grants, around.world.now());
        let commands = outcome.effects.intents.iter().filter(|i| i.value.is_some()).count() as u64;
        inputs.extend(self.note(post, &outcome, took, after.1, commands, stored));
        panels::shown(&self.live.channel, &grants, &outcome.effects, around.world.now());
        for proposal in &outcome.effects.proposals {
            // The trial's thread takes one after another; there are few.
            let _ = self.proposals.try_send((post.id.clone(), proposal.clone()));
        }
        self.report(post, inputs, records);
    }

    /// Writes down how a call went; what the world has to hear of it.
    fn note(
        &self,
        post: &Post,
        outcome: &Outcome,
        took: Duration,
        health: Health,
        commands: u64,
        stored_bytes: u64,
    ) -> Option<Input> {
        let mut worked = lock(&post.worked);
        let work = &mut worked.work;
        work.calls += 1;
        work.failures += u64::from(outcome.failure.is_some());
        work.busy_s += took.as_secs_f64();
        work.longest_ms = work.longest_ms.max(took.as_secs_f64() * 1e3);
        work.commands += commands;
        work.stored_bytes = stored_bytes;
        worked.quick_calls = if took > SLOW { 0 } else { worked.quick_calls + 1 };
        worked.slow = took > SLOW || (worked.slow && worked.quick_calls < QUICK_CALLS);
        write_lines(&mut worked, &outcome.log);
        worked.error = outcome.error.clone().or(outcome.failure.as_ref().map(ToString::to_string));
        if let Some(failure) = &outcome.failure {
            worked.failure = Some(failure.to_string());
            tracing::warn!(plugin = &*post.id, why = %failure, "a plugin has failed");
        }
        let was = std::mem::replace(&mut worked.health, health);
        let is = worked.health.clone();
        let why = worked.failure.clone();
        drop(worked);
        if was == is {
            return None;
        }
        // Nobody listening is no error.
        drop(self.live.channel.events.send(campanile_protocol::ServerMessage::PluginsChanged));
        match is {
            Health::Well => Some(self.failed_alarm(post, None)),
            down => Some(self.failed_alarm(post, Some((down == Health::Down, why.unwrap_or_default())))),
        }
    }

    /// The hub's alarm of a plugin that fails: why, and whether it stays down.
    fn failed_alarm(&self, post: &Post, why: Option<(bool, String)>) -> Input {
        let names = post.grants.load().manifest.names();
        let down = why.as_ref().is_some_and(|(down, _)| *down);
        let said = Notification {
            plugin: post.id.clone(),
            alarm: FAILED.into(),
            entity: "".into(),
            names: Names::new("插件故障", "Plugin has failed"),
            priority: if down { AlarmPriority::Medium } else { AlarmPriority::Low },
            detail: why.map(|(down, why)| match down {
                true => Names::new(
                    format!("{}已停用，需人工处理：{why}", names.zh),
                    format!("{} is down until a person acts: {why}", names.en),
                ),
                false => Names::new(
                    format!("{}暂停后将重试：{why}", names.zh),
                    format!("{} rests and is tried again: {why}", names.en),
                ),
            }),
        };
        Input::Notify { said: Box::new(said) }
    }

    fn report(&self, post: &Post, inputs: Vec<Input>, records: Vec<Record>) {
        if inputs.is_empty() && records.is_empty() {
            return;
        }
        let (taken, answer) = crossbeam_channel::bounded(1);
        let report = Box::new(Report { plugin: post.id.clone(), inputs, records, taken });
        // A world that has stopped takes no more.
        if self.live.inbox().send(Turn::Plugin(report)).is_err() {
            return;
        }
        let Ok(refused) = answer.recv() else { return };
        if !refused.is_empty() {
            let time = self.live.view().time;
            let line = |why: String| LogLine { time, level: LogLevel::Warn, text: why };
            let lines: Vec<LogLine> = refused.into_iter().map(line).collect();
            write_lines(&mut lock(&post.worked), &lines);
        }
    }

    /// Seats that begin as those of rules at work are now, for a rehearsal.
    pub fn fork(&self) -> Vec<Seat> {
        let working = self.posts().into_iter().filter(|post| !post.stopped.load(Ordering::Acquire));
        let rules = working.filter(|post| post.grants.load().manifest.kind == campanile_plugins::Kind::Rule);
        rules.map(|post| lock(&post.seat).fork(campanile_plugins::Budget::Fuel)).collect()
    }

    /// What was, as plugins look back at it.
    pub fn past(&self) -> Arc<dyn Past> {
        self.past.clone()
    }

    /// The grants of a plugin that is at its place.
    pub fn grants(&self, id: &str) -> Option<Arc<Grants>> {
        self.post(id).map(|post| post.grants.load_full())
    }

    /// How a plugin is, and what it has done.
    pub fn state(&self, id: &str) -> Option<(PluginState, PluginWork)> {
        let post = self.post(id)?;
        let worked = lock(&post.worked);
        let why = worked.failure.clone().unwrap_or_default();
        let state = match &worked.health {
            _ if post.stopped.load(Ordering::Acquire) => PluginState::Stopped,
            Health::Well => PluginState::Working,
            Health::Quarantined { until } => PluginState::Resting { until_us: until.0, why },
            Health::Down => PluginState::Down { why },
        };
        Some((state, worked.work))
    }

    /// The last error of a plugin, with the place in its script where it says one.
    pub fn error(&self, id: &str, file: &str) -> Option<ScriptError> {
        let post = self.post(id)?;
        let worked = lock(&post.worked);
        worked.error.as_deref().map(|why| script_error(why, file))
    }

    /// Lines of a plugin's log, the oldest first.
    pub fn lines(&self, id: &str, after: Option<u64>, limit: usize) -> Option<Vec<PluginLogLine>> {
        let post = self.post(id)?;
        let worked = lock(&post.worked);
        let wanted = worked.lines.iter().filter(|line| after.is_none_or(|after| line.number > after));
        let wanted: Vec<PluginLogLine> = wanted.cloned().collect();
        // Who follows wants what comes next, who looks wants the newest.
        let skip = if after.is_some() { 0 } else { wanted.len().saturating_sub(limit) };
        Some(wanted.into_iter().skip(skip).take(limit).collect())
    }
}

/// What is next for a plugin, in order.
fn next_calls(post: &Post) -> Vec<Call> {
    // Taken whole: the world waits for this lock, and threads of plugins give way to others.
    let Waiting { mut samples, left_out, alarms, calls, tick, .. } = {
        let mut waiting = lock(&post.waiting);
        let told = waiting.told;
        std::mem::replace(&mut *waiting, Waiting { told, ..Waiting::default() })
    };
    let mut calls: Vec<Call> = calls.into();
    if !alarms.is_empty() {
        calls.push(Call::Alarms(alarms.into()));
    }
    while !samples.is_empty() {
        let count = samples.len().min(MOST_SAMPLES);
        calls.push(Call::Samples(samples.drain(..count).collect::<Vec<_>>().into()));
    }
    if tick {
        calls.push(Call::Tick);
    }
    if left_out > 0 {
        let text = format!("the plugin can't keep up: the oldest {left_out} samples were left out");
        let line = LogLine { time: Timestamp(0), level: LogLevel::Warn, text };
        write_lines(&mut lock(&post.worked), &[line]);
    }
    calls
}

fn write_lines(worked: &mut Worked, lines: &[LogLine]) {
    for line in lines {
        worked.logged += 1;
        if worked.lines.len() == MOST_LINES {
            worked.lines.pop_front();
        }
        let level = match line.level {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        };
        worked.lines.push_back(PluginLogLine {
            number: worked.logged,
            time_us: line.time.0,
            level: level.to_owned(),
            text: line.text.clone(),
        });
    }
}

/// `main.rhai:12:7: what is wrong` in its parts.
pub fn script_error(why: &str, file: &str) -> ScriptError {
    let place = why.find(&format!("{file}:")).map(|at| &why[at + file.len() + 1..]);
    let mut numbers = place.into_iter().flat_map(|rest| rest.splitn(3, ':'));
    let mut number = || numbers.next().and_then(|text| text.trim().parse().ok());
    let (line, column) = (number(), number());
    ScriptError { line, column, message: why.to_owned() }
}

/// Why a plugin would not start, where it is tried beside the world.
pub fn start_failure(outcome: &Outcome) -> Option<String> {
    match &outcome.failure {
        Some(Failure::Start { why }) => Some(why.clone()),
        Some(other) => Some(other.to_string()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_found_in_its_words() {
        for (why, line, column) in [
            ("main.rhai:12:7: there is no function 'foo'", Some(12), Some(7)),
            ("the call ended with an error: main.rhai:3:1: quota", Some(3), Some(1)),
            ("main.rhai:12: too deep", Some(12), None),
            ("it trapped: unreachable", None, None),
        ] {
            let error = script_error(why, "main.rhai");
            assert_eq!((error.line, error.column, error.message.as_str()), (line, column, why));
        }
    }
}
