//! A plugin in a world: its instance, its memory, its calls, and what becomes of it when it fails.

use std::sync::Arc;

use campanile_model::{Campus, Intent, Sample, Timestamp};
use campanile_world::{AlarmState, World};
use serde::{Deserialize, Serialize};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::bindings::exports::handler;
use crate::bindings::types;
use crate::deadline::Deadline;
use crate::grants::Grants;
use crate::host::{HostState, Limiter, empty_batch, fill_batch, letting_go};
use crate::manifest::Kind;
use crate::runtime::{Compiled, Guest, Runtime};
use crate::turn::{Around, Effects, LogLevel, LogLine, Memory, Trace, Turn};

/// What a call that never stops calling the host ends with.
pub(crate) const TOO_MANY_CALLS: &str = "the call has called the host too often";
/// Bytes that the host takes over from a guest in one call of the host.
const HOST_CALL_BYTES: usize = 4 << 20;
/// The most samples of one call; more come in the next.
pub const MOST_SAMPLES: usize = 10_000;
/// Samples for which a batch keeps its memory from call to call.
const MOST_KEPT: usize = 4096;
/// Failures after which a plugin stays down until a person acts.
const MOST_FAILURES: u32 = 5;
/// The wait after the first failure; it doubles with each.
const BACK_OFF_S: f64 = 5.0;
/// Calls in a row without a failure after which the earlier ones are forgotten.
const HEALED_CALLS: u32 = 100;
/// The longest word of a failure that is kept.
const MOST_WORDS: usize = 500;

/// Why a call is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Samples of points; those that the plugin has subscribed to are given to it.
    Samples(Arc<[Sample]>),
    /// The time has come.
    Tick,
    /// Alarms have changed; those that the plugin hears of are given to it.
    Alarms(Arc<[AlarmNews]>),
    /// Somebody used a panel.
    Panel(PanelUse),
    /// What became of a proposal of an activity. It is closed then, even where the plugin can't hear of it.
    Trial(TrialOutcome),
    /// What the trainees of a drill decided.
    Decision(Decision),
}

/// An alarm that has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmNews {
    /// `PATH#RULE`; of a plugin `plugin/ID#ALARM@ENTITY`.
    pub id: Arc<str>,
    /// The path of its entity; empty: the campus itself.
    pub entity: Arc<str>,
    /// Whether its condition holds.
    pub active: bool,
    /// Whether it is acknowledged.
    pub acknowledged: bool,
    /// When.
    pub at: Timestamp,
}

impl AlarmNews {
    /// How an alarm of a world stands, by its number.
    pub fn of(campus: &Campus, world: &World, number: u32) -> Option<Self> {
        let alarm = world.alarm(number)?;
        let (id, entity): (Arc<str>, Arc<str>) = match world.notice(number) {
            Some(notice) => (notice.id.clone(), notice.said.entity.clone()),
            None => {
                let rule = world.schema().rules().get(number as usize)?;
                let entity = campus.entities.get(campus.get_point(rule.point)?.entity)?;
                (rule.id.clone(), entity.path.as_str().into())
            }
        };
        Some(Self {
            id,
            entity,
            active: alarm.active,
            acknowledged: alarm.state == AlarmState::Acknowledged,
            at: alarm.changed,
        })
    }
}

/// Somebody used a panel, as the contract has it.
pub type PanelUse = types::PanelEvent;
/// What was entered into a field of a panel.
pub type Entered = types::Entered;
/// What a trial came to, as the contract has it.
pub type TrialOutcome = types::Outcome;
/// What trainees decided, as the contract has it.
pub type Decision = types::Decision;

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// By the wall clock, as the manifest's `call_ms` has it: in the living campus.
    Deadline,
    /// By work, as the manifest's `call_fuel_m` has it: the same on every machine, in a rehearsal.
    Fuel,
}

/// How a plugin is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Health {
    /// It works.
    #[default]
    Well,
    /// It has failed, and is tried again at a time.
    Quarantined {
        /// Until when.
        until: Timestamp,
    },
    /// It has failed too often: a person has to look at it.
    Down,
}

/// Why a call broke off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Failure {
    /// It took longer than it may.
    Deadline,
    /// It did more work than it may.
    Fuel,
    /// It called the host too often.
    HostCalls,
    /// It gave the host more in one call than the host takes over.
    HostBytes,
    /// Its stack was too deep.
    Stack,
    /// It did what no program may: a trap, by its name.
    Trap {
        /// Which.
        trap: String,
    },
    /// It said something that can't be understood, or wanted more than there is.
    Broken {
        /// What.
        why: String,
    },
    /// It would not start.
    Start {
        /// What it said.
        why: String,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deadline => write!(f, "it took longer than limits.call_ms allows"),
            Self::Fuel => write!(f, "it did more work than limits.call_fuel_m allows"),
            Self::HostCalls => write!(f, "{TOO_MANY_CALLS}"),
            Self::HostBytes => {
                write!(f, "it gave the host more than {} MiB in one call", HOST_CALL_BYTES >> 20)
            }
            Self::Stack => write!(f, "its calls are nested too deeply"),
            Self::Trap { trap } => write!(f, "it trapped: {trap}"),
            Self::Broken { why } | Self::Start { why } => write!(f, "{why}"),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Outcome {
    /// What it does to its world. Of a failure: its commands let go.
    pub effects: Effects,
    /// What it said.
    pub log: Vec<LogLine>,
    /// Why it broke off.
    pub failure: Option<Failure>,
    /// What it said went wrong, where it ended by itself.
    pub error: Option<String>,
    /// What it took; nothing where it was not called.
    pub cost: Cost,
    /// What it asked the host for, where somebody watches (see [`Seat::watch`]).
    pub trace: Option<Trace>,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Work: instructions, about.
    pub fuel: u64,
    /// The memory of the instance when the call had ended, bytes.
    pub memory_bytes: usize,
}

/// What a plugin's seat is, to be kept: with [`Memory`] all that there is of a plugin in a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// What it remembers.
    pub memory: Memory,
    /// How it is.
    pub health: Health,
    /// Failures since it last worked.
    pub failures: u32,
    /// Calls since the last failure.
    pub good_calls: u32,
    /// When it is due to be called.
    pub next_tick: Option<Timestamp>,
}

struct Instance {
    store: Store<HostState>,
    guest: Guest,
}

/// A plugin in a world.
pub struct Seat {
    runtime: Arc<Runtime>,
    compiled: Compiled,
    grants: Arc<Grants>,
    budget: Budget,
    saved: Saved,
    instance: Option<Instance>,
    watched: bool,
    forgetful: bool,
    /// Kept from call to call, so that a call need not ask for memory: the batch that is given, and what stands in the
    /// place of what the plugin remembers while a call has it.
    batch: types::Batch,
    spare: Option<Memory>,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat").field("plugin", &self.grants.manifest.id).field("saved", &self.saved).finish()
    }
}

impl Seat {
    /// A plugin takes its seat in a world, with what it remembers from before.
    pub fn new(
        runtime: Arc<Runtime>,
        compiled: Compiled,
        grants: Arc<Grants>,
        budget: Budget,
        saved: Saved,
    ) -> Self {
        let (batch, spare) = (empty_batch(), None);
        let (instance, watched, forgetful) = (None, false, false);
        Self { runtime, compiled, grants, budget, saved, instance, watched, forgetful, batch, spare }
    }

    /// What it may do.
    pub fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    /// All that there is of it in this world.
    pub fn saved(&self) -> &Saved {
        &self.saved
    }

    /// Whether what it asks the host for is noted from now on, in [`Outcome::trace`]. It costs nothing where nobody
    /// watches.
    pub fn watch(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// Whether its instance is thrown away after each call from now on: a plugin that is at fault with it keeps
    /// something that is not in its store.
    pub fn forgetful(&mut self, forgetful: bool) {
        self.forgetful = forgetful;
    }

    /// A seat in another world that begins as this one is. Instances are not shared.
    pub fn fork(&self, budget: Budget) -> Self {
        let (runtime, compiled) = (self.runtime.clone(), self.compiled.clone());
        Self::new(runtime, compiled, self.grants.clone(), budget, self.saved.clone())
    }

    /// The seat with what was remembered elsewhere.
    #[must_use]
    pub fn with(mut self, saved: Saved) -> Self {
        self.saved = saved;
        self
    }

    /// Throws the instance away; the next call has a new one. What a plugin does may not depend on it.
    pub fn forget_instance(&mut self) {
        self.instance = None;
    }

    /// Another component takes the seat: hot reload. What was remembered stays, and failures are forgotten.
    pub fn replace(&mut self, compiled: Compiled, grants: Arc<Grants>) {
        self.compiled = compiled;
        self.grants = grants;
        self.instance = None;
        self.revive();
    }

    /// A person lets a plugin that is down work again.
    pub fn revive(&mut self) {
        self.saved.health = Health::Well;
        self.saved.failures = 0;
    }

    /// Whether it can be called at a moment.
    pub fn is_callable(&self, now: Timestamp) -> bool {
        match self.saved.health {
            Health::Well => true,
            Health::Quarantined { until } => until <= now,
            Health::Down => false,
        }
    }

    /// Whether its time has come, and when it comes next. Ticks that were missed are not made up for.
    pub fn take_tick(&mut self, now: Timestamp) -> bool {
        let Some(tick_s) = self.grants.manifest.subscribe.tick_s else { return false };
        let period = (tick_s * 1e6) as i64;
        let due = self.saved.next_tick.is_none_or(|next| next <= now);
        if due {
            // By the clock: a plugin that is called every minute is called at full minutes, in every world alike.
            self.saved.next_tick = Some(Timestamp((now.0.div_euclid(period) + 1).saturating_mul(period)));
        }
        due
    }

    /// What would let go of all that it commands.
    pub fn letting_go(&self, world: &World) -> Vec<Intent> {
        letting_go(world, &self.grants, world.arrays().map(|(point, _)| point))
    }

    /// Calls the plugin, if it hears of this and can be called. What it remembers has changed when this returns; what
    /// it does to the world is in the outcome, for the world to take.
    pub fn call(&mut self, call: &Call, around: &Around) -> Outcome {
        // However it goes: a plugin whose proposal stayed open could make no other.
        if let Call::Trial(outcome) = call {
            let open = &mut self.saved.memory.proposals;
            let before = open.len();
            open.retain(|proposal| *proposal.id != *outcome.id);
            if open.len() == before {
                return Outcome::default();
            }
        }
        if !self.is_callable(around.world.now()) {
            return Outcome::default();
        }
        let Some(given) = self.given(call) else { return Outcome::default() };
        let mut log = Vec::new();
        if self.instance.is_none() {
            match self.instantiate(around, &mut log) {
                Ok(instance) => self.instance = Some(instance),
                Err(failure) => return self.failed(failure, log, around),
            }
        }
        let turn = self.turn(around);
        let Some(instance) = &mut self.instance else { return Outcome::default() };
        if let Err(why) = ready(&mut instance.store, &self.grants, self.budget) {
            self.saved.memory = turn.memory;
            return self.failed(Failure::Broken { why: plain(&why) }, log, around);
        }
        instance.store.data_mut().turn = Some(turn);
        let fuel = instance.store.get_fuel().unwrap_or_default();
        let (store, guest) = (&mut instance.store, &instance.guest);
        let answer = match given {
            Given::Samples => guest.handler.call_on_samples(store, &self.batch),
            Given::Tick => guest.handler.call_on_tick(store, around.world.now().0),
            Given::Alarms(alarms) => guest.handler.call_on_alarms(store, &alarms),
            Given::Panel(used) => guest.handler.call_on_panel(store, used),
            Given::Trial(outcome) => {
                guest.learning.as_ref().map_or(Ok(Ok(())), |g| g.call_on_outcome(store, outcome))
            }
            Given::Decision(decided) => {
                guest.directing.as_ref().map_or(Ok(Ok(())), |g| g.call_on_decision(store, decided))
            }
        };
        let Some(turn) = instance.store.data_mut().turn.take() else { return Outcome::default() };
        let turn = *turn;
        let fuel = fuel.saturating_sub(instance.store.get_fuel().unwrap_or(fuel));
        let cost = Cost { fuel, memory_bytes: instance.store.data().limits.memory_bytes };
        log.extend(turn.log);
        unlogged(turn.unlogged, &around.world, &mut log);
        // Paces are drawn from whatever becomes of the call, or a plugin that traps would have no pace.
        self.spare = Some(std::mem::replace(&mut self.saved.memory, turn.memory));
        if self.batch.points.capacity() > MOST_KEPT {
            self.batch = empty_batch();
        }
        // Places are kept, words are not.
        self.batch.texts.clear();
        match answer {
            Ok(answer) => {
                if self.forgetful {
                    self.instance = None;
                }
                self.saved.memory.take(&turn.effects);
                self.worked();
                let error = answer.err().map(|why| shortened(&why));
                if let Some(why) = &error {
                    let text = format!("the call ended with an error: {why}");
                    log.push(LogLine { time: around.world.now(), level: LogLevel::Error, text });
                }
                Outcome { effects: turn.effects, log, failure: None, error, cost, trace: turn.trace }
            }
            // A trapped instance is never used again.
            Err(why) => Outcome { cost, trace: turn.trace, ..self.failed(failure_of(&why), log, around) },
        }
    }

    /// Makes an instance where there is none, and calls nothing: to see whether it starts, and what memory that takes.
    pub fn start(&mut self, around: &Around) -> Outcome {
        let mut log = Vec::new();
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None => match self.instantiate(around, &mut log) {
                Ok(instance) => instance,
                Err(failure) => return self.failed(failure, log, around),
            },
        };
        let cost = Cost { fuel: 0, memory_bytes: instance.store.data().limits.memory_bytes };
        self.instance = Some(instance);
        Outcome { log, cost, ..Outcome::default() }
    }

    /// A call begins: what the plugin remembers goes with it, and comes back when it has ended.
    fn turn(&mut self, around: &Around) -> Box<Turn> {
        let spare = self.spare.take().unwrap_or_default();
        Box::new(Turn::new(around, std::mem::replace(&mut self.saved.memory, spare), self.watched))
    }

    /// What of a call is this plugin's.
    fn given<'c>(&mut self, call: &'c Call) -> Option<Given<'c>> {
        let kind = self.compiled.kind;
        match call {
            Call::Samples(samples) => {
                let grants = &self.grants;
                let mine = samples.iter().filter_map(|s| Some((grants.subscribed(s.point)?, s)));
                fill_batch(&mut self.batch, mine, MOST_SAMPLES);
                (!self.batch.points.is_empty()).then_some(Given::Samples)
            }
            Call::Tick => Some(Given::Tick),
            Call::Alarms(alarms) => {
                let heard = alarms.iter().filter(|alarm| self.grants.hears_alarms_of(&alarm.entity));
                let given: Vec<_> = heard
                    .map(|alarm| handler::AlarmChange {
                        id: alarm.id.to_string(),
                        active: alarm.active,
                        acknowledged: alarm.acknowledged,
                        at: alarm.at.0,
                    })
                    .collect();
                (!given.is_empty()).then_some(Given::Alarms(given))
            }
            Call::Panel(used) => {
                let known = self.grants.manifest.panel.iter().any(|panel| panel.id == used.panel);
                known.then_some(Given::Panel(used))
            }
            Call::Trial(outcome) => (kind == Kind::Activity).then_some(Given::Trial(outcome)),
            Call::Decision(decided) => (kind == Kind::Drill).then_some(Given::Decision(decided)),
        }
    }

    fn instantiate(&mut self, around: &Around, log: &mut Vec<LogLine>) -> Result<Instance, Failure> {
        let limits = Limiter::new(self.grants.manifest.limits.memory_mib as usize * (1 << 20));
        let remembered = self.saved.memory.clone();
        let state =
            HostState { grants: self.grants.clone(), turn: Some(self.turn(around)), limits, deadline: None };
        let mut store = Store::new(self.runtime.engine(), state);
        store.epoch_deadline_callback(|call| {
            let left = call.data().deadline.as_ref().and_then(Deadline::left_ms);
            Ok(left.map_or(UpdateDeadline::Interrupt, UpdateDeadline::Continue))
        });
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        let started = ready(&mut store, &self.grants, self.budget)
            .and_then(|()| self.compiled.instantiate(&mut store))
            .and_then(|guest| {
                let settings = &self.grants.settings;
                let answer = guest.handler.call_start(&mut store, settings)?;
                Ok((guest, answer))
            });
        // Nothing that `start` does is taken: instances come and go.
        self.saved.memory = remembered;
        if let Some(turn) = store.data_mut().turn.take() {
            log.extend(turn.log);
            unlogged(turn.unlogged, &around.world, log);
        }
        match started {
            Ok((guest, Ok(()))) => Ok(Instance { store, guest }),
            Ok((_, Err(why))) => Err(Failure::Start { why: shortened(&why) }),
            Err(why) => Err(failure_of(&why)),
        }
    }

    fn worked(&mut self) {
        let saved = &mut self.saved;
        saved.health = Health::Well;
        saved.good_calls = saved.good_calls.saturating_add(1);
        if saved.good_calls >= HEALED_CALLS {
            saved.failures = 0;
        }
    }

    fn failed(&mut self, failure: Failure, mut log: Vec<LogLine>, around: &Around) -> Outcome {
        let now = around.world.now();
        self.instance = None;
        let saved = &mut self.saved;
        saved.failures += 1;
        saved.good_calls = 0;
        saved.health = if saved.failures >= MOST_FAILURES {
            Health::Down
        } else {
            let wait_s = BACK_OFF_S * f64::from(1u32 << (saved.failures - 1));
            Health::Quarantined { until: now.plus_micros((wait_s * 1e6) as i64) }
        };
        log.push(LogLine {
            time: now,
            level: LogLevel::Error,
            text: format!("the plugin has failed: {failure}"),
        });
        let effects = Effects { intents: self.letting_go(&around.world), ..Effects::default() };
        Outcome { effects, log, failure: Some(failure), ..Outcome::default() }
    }
}

/// What of a call is given to the plugin, in the words of the contract.
enum Given<'c> {
    /// The batch that was filled.
    Samples,
    Tick,
    Alarms(Vec<handler::AlarmChange>),
    Panel(&'c PanelUse),
    Trial(&'c TrialOutcome),
    Decision(&'c Decision),
}

/// Gives a call its deadline or its fuel.
fn ready(store: &mut Store<HostState>, grants: &Grants, budget: Budget) -> wasmtime::Result<()> {
    let limits = &grants.manifest.limits;
    match budget {
        Budget::Deadline => {
            store.set_fuel(u64::MAX)?;
            store.data_mut().deadline = Some(Deadline::begin(limits.call_ms));
            // The tick under way may be over at once.
            store.set_epoch_deadline(u64::from(limits.call_ms) + 1);
        }
        Budget::Fuel => {
            store.set_fuel(u64::from(limits.call_fuel_m) * 1_000_000)?;
            store.set_epoch_deadline(1 << 40);
        }
    }
    Ok(())
}

fn failure_of(why: &wasmtime::Error) -> Failure {
    match why.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Failure::Deadline,
        Some(Trap::OutOfFuel) => Failure::Fuel,
        Some(Trap::StackOverflow) => Failure::Stack,
        Some(trap) => Failure::Trap { trap: shortened(&trap.to_string()) },
        None if plain(why).contains(TOO_MANY_CALLS) => Failure::HostCalls,
        // The engine has no type for it.
        None if plain(why).contains("fuel allocated for hostcalls") => Failure::HostBytes,
        None => Failure::Broken { why: plain(why) },
    }
}

/// The causes of an error, without the guest's backtrace.
fn plain(why: &wasmtime::Error) -> String {
    let causes: Vec<String> = why
        .chain()
        .map(ToString::to_string)
        .filter(|cause| !cause.starts_with("error while executing at wasm backtrace"))
        .collect();
    shortened(&causes.join(": "))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn unlogged(count: u32, world: &World, log: &mut Vec<LogLine>) {
    if count > 0 {
        let text = format!("{count} lines were too many and are not kept");
        log.push(LogLine { time: world.now(), level: LogLevel::Warn, text });
    }
}
