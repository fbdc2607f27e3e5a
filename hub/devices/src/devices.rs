//! The devices as one: which samples are due, what they say, what they are told.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use campanile_formats::Epw;
use campanile_model::{
    Accumulation, Campus, CommandSpec, Point, PointId, Quality, Sample, Timestamp, Value, ValueType,
};

use crate::models::{Models, STEP_S};
use crate::noise::{hash, key};
use crate::role::{AcPart, Air, Feed, Part, Role, roles};
use crate::settings::Settings;
use crate::values::{fit, mode_of, steps, through, value};

/// What is wrong with what the device models were given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevicesError {
    /// The campus has no such time zone.
    #[error(
        "the time zone '{name}' isn't known ({why}): give an IANA name such as Asia/Shanghai in campus.toml"
    )]
    TimeZone {
        /// What the campus says.
        name: String,
        /// What the zone table says.
        why: String,
    },
    /// The table `[simulation]` can't be read.
    #[error("campus.toml, [simulation]: {0}; the keys are listed at the device models' page")]
    Settings(String),
    /// A day in `[simulation]` is none.
    #[error("campus.toml, [simulation]: '{0}' is no day: write MM-DD or YYYY-MM-DD")]
    Date(String),
    /// A time of day in `[simulation]` is none.
    #[error("campus.toml, [simulation]: '{0}' is no time of day: write HH:MM")]
    Clock(String),
    /// The leak is at no node of a water network.
    #[error(
        "campus.toml, [simulation] leak: no water network has the node '{0}': write its id or its path net/<network>/<node>"
    )]
    LeakNode(String),
    /// The devices can't be made to see or do this.
    #[error("the devices can't have {what}: {why}")]
    Override {
        /// Of which point, place or kind of weather.
        what: String,
        /// Why, and what would do.
        why: String,
    },
    /// Bytes are no saved state of these devices.
    #[error("the saved state of the devices can't be restored: {0}")]
    Restore(String),
}

/// Beyond so long a silence the models start anew at the new time; counters go on at their present rate.
const LONGEST_GAP_US: i64 = 7 * 86_400 * Timestamp::SECOND;
/// Counters count since 2024-01-01T00:00:00Z.
const COUNTING_SINCE: Timestamp = Timestamp(1_704_067_200 * Timestamp::SECOND);

/// All devices of a campus.
///
/// Give [`Devices::step`] the time as often as you like; every point says something at the first step and then as
/// often as its period asks, switches and choices also when they change. Cloning forks the devices.
#[derive(Clone)]
pub struct Devices {
    pub(crate) models: Models,
    pub(crate) roles: Arc<Vec<Role>>,
    unknown_settings: Vec<String>,
    /// What each point was last told.
    pub(crate) told: Vec<Option<Value>>,
    /// What sensors are made to see, by point.
    pub(crate) truths: BTreeMap<u32, Value>,
    /// Of each point that adds up, its register at the models' time, in its unit.
    pub(crate) register: Vec<f64>,
    /// Of each point that sends amounts, what it has sent so far.
    pub(crate) sent: Vec<f64>,
    /// Of each switch and choice, what it last said.
    pub(crate) said: Vec<Option<Value>>,
    events: Arc<Vec<u32>>,
    totals: Arc<Vec<u32>>,
    /// Where registers go on from, by point, where that is known.
    read: BTreeMap<u32, f64>,
    due: BinaryHeap<Reverse<(i64, u32)>>,
    /// Points to say at once: they were told something.
    pub(crate) prompt: BTreeSet<u32>,
    pub(crate) last: Option<Timestamp>,
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Devices").field("points", &self.roles.len()).field("last", &self.last).finish()
    }
}

impl Devices {
    /// The devices of a campus under a typical year's weather. The same campus, weather, seed, times and commands
    /// give the same samples.
    ///
    /// # Errors
    /// Where the time zone or the table `[simulation]` can't be used.
    pub fn new(campus: Arc<Campus>, weather: Epw, seed: u64) -> Result<Self, DevicesError> {
        let settings = Settings::of(&campus)?;
        let seed = hash(seed, settings.seed, 0);
        let models = Models::new(campus.clone(), weather, &settings, seed)?;
        let roles = roles(&models);
        let n = campus.points.len();
        let pick = |test: &dyn Fn(&Point, &Role) -> bool| -> Arc<Vec<u32>> {
            let points = campus.points.iter().zip(&roles);
            Arc::new(points.filter(|(p, r)| test(p, r)).map(|(p, _)| p.id.0).collect())
        };
        let events = pick(&|p, _| matches!(p.value_type, ValueType::Bool | ValueType::Choice));
        let totals = pick(&|_, r| matches!(r, Role::Total(..) | Role::Rain));
        Ok(Self {
            models,
            roles: Arc::new(roles),
            unknown_settings: settings.unknown.into_keys().collect(),
            told: vec![None; n],
            truths: BTreeMap::new(),
            register: vec![0.0; n],
            sent: vec![0.0; n],
            said: vec![None; n],
            events,
            totals,
            read: BTreeMap::new(),
            due: BinaryHeap::new(),
            prompt: BTreeSet::new(),
            last: None,
        })
    }

    /// Before the first step: registers go on from what was read of them last, as meters do that were off for a while.
    pub fn go_on_from(&mut self, read: impl IntoIterator<Item = (PointId, f64)>) {
        self.read = read.into_iter().map(|(point, register)| (point.0, register)).collect();
    }

    /// The keys of `[simulation]` that the models don't know, for a warning.
    pub fn unknown_settings(&self) -> &[String] {
        &self.unknown_settings
    }

    /// The samples since the step before up to and including `now`, in the order of their times. A time before
    /// the last step's gives none. The first step gives every point's value at `now`, wherever in the year it is.
    pub fn step(&mut self, now: Timestamp) -> Vec<Sample> {
        let mut out = Vec::new();
        match self.last {
            None => self.start(now, &mut out),
            Some(last) if now < last => return out,
            Some(last) if now.0.saturating_sub(last.0) > LONGEST_GAP_US => self.jump(now, &mut out),
            Some(_) => {
                let mut next = self.models.time.plus_micros(STEP_S * Timestamp::SECOND);
                while next <= now {
                    self.say_due(next.plus_micros(-1), &mut out);
                    self.add_up(STEP_S as f64);
                    self.models.advance(next);
                    self.say_changes(next, &mut out);
                    next = next.plus_micros(STEP_S * Timestamp::SECOND);
                }
                self.say_due(now, &mut out);
            }
        }
        for index in std::mem::take(&mut self.prompt) {
            self.say(index, now, &mut out);
        }
        self.last = Some(now);
        out
    }

    fn start(&mut self, now: Timestamp, out: &mut Vec<Sample>) {
        self.models.spin_up(floor(now));
        let elapsed = (self.models.time.as_secs_f64() - COUNTING_SINCE.as_secs_f64()).max(0.0);
        let means: Vec<Vec<f64>> =
            self.models.trees.iter().map(|t| t.sum(|s| self.models.sources[s].mean)).collect();
        for &index in self.totals.clone().iter() {
            let (mean, si) = match &self.roles[index as usize] {
                Role::Total(Feed::Node(t, n), si) => (means[*t][*n], *si),
                Role::Total(Feed::Sources(list), si) => {
                    (list.iter().map(|&s| self.models.sources[s].mean).sum(), *si)
                }
                Role::Total(Feed::Lights(r, share), si) => {
                    (0.9 * self.models.rooms[*r].spec.area_m2 * share, *si)
                }
                Role::Total(Feed::Solar([peak, ..], _), si) => (peak * 1000.0 / 8760.0, *si),
                _ => (0.0, 1.0),
            };
            let usual = mean.max(0.0) / si * elapsed;
            self.register[index as usize] = self.read.get(&index).copied().unwrap_or(usual);
            self.sent[index as usize] = self.stepped(index, self.register[index as usize]);
        }
        self.say_all(now, out);
    }

    fn jump(&mut self, now: Timestamp, out: &mut Vec<Sample>) {
        self.add_up((floor(now).0 - self.models.time.0) as f64 / 1e6);
        self.models.spin_up(floor(now));
        self.say_all(now, out);
    }

    fn say_all(&mut self, now: Timestamp, out: &mut Vec<Sample>) {
        for index in 0..self.roles.len() as u32 {
            self.say(index, now, out);
        }
        self.plan_all(now);
    }

    /// The plan after a moment up to which everything was said: it follows from the moment alone.
    pub(crate) fn plan_all(&mut self, after: Timestamp) {
        self.due.clear();
        for index in 0..self.roles.len() as u32 {
            self.plan(index, after);
        }
    }

    /// Puts a point's next sample on the plan. Meters speak at whole multiples of their period, so that readings of
    /// a tree belong together; the others are spread.
    fn plan(&mut self, index: u32, after: Timestamp) {
        let campus = self.models.campus.clone();
        let point = &campus.points[index as usize];
        let period = ((point.period_s * 1e6) as i64).max(Timestamp::SECOND / 10);
        let phase = match &self.roles[index as usize] {
            Role::Total(..) | Role::Now(Feed::Node(..), _) | Role::Rain => 0,
            _ => (key(point.path.as_str()) % period.unsigned_abs()) as i64,
        };
        let turns = (after.0 - phase).div_euclid(period) + 1;
        self.due.push(Reverse((phase + turns * period, index)));
    }

    fn say_due(&mut self, until: Timestamp, out: &mut Vec<Sample>) {
        while let Some(&Reverse((time, index))) = self.due.peek() {
            if time > until.0 {
                break;
            }
            self.due.pop();
            self.say(index, Timestamp(time), out);
            self.plan(index, Timestamp(time));
        }
    }

    fn say_changes(&mut self, time: Timestamp, out: &mut Vec<Sample>) {
        let campus = self.models.campus.clone();
        for &index in self.events.clone().iter() {
            let i = index as usize;
            let new = self.look(&campus.points[i], time);
            if self.said[i].as_ref() != Some(&new) {
                self.push(index, time, new, out);
            }
        }
    }

    fn look(&self, point: &Point, time: Timestamp) -> Value {
        let i = point.id.index();
        if let Some(truth) = self.truths.get(&point.id.0) {
            return truth.clone();
        }
        match &self.roles[i] {
            Role::Echo(other) => {
                let source = &self.models.campus.points[other.index()];
                value(
                    &self.models,
                    &self.roles[other.index()],
                    source,
                    self.told[other.index()].as_ref(),
                    time.0,
                )
            }
            role => value(&self.models, role, point, self.told[i].as_ref(), time.0),
        }
    }

    fn say(&mut self, index: u32, time: Timestamp, out: &mut Vec<Sample>) {
        let i = index as usize;
        let campus = self.models.campus.clone();
        let point = &campus.points[i];
        let new = if matches!(self.roles[i], Role::Total(..) | Role::Rain) {
            let since_s = (time.0 - self.models.time.0) as f64 / 1e6;
            let total = self.stepped(index, self.register[i] + self.rate(i) * since_s);
            Value::Number(match point.accumulation {
                Accumulation::Interval => {
                    let amount = (total - self.sent[i]).max(0.0);
                    self.sent[i] = total;
                    fit(amount, point)
                }
                Accumulation::Counter { rollover } => {
                    // A register without roll-over starts again at the end of its range, as real ones do.
                    let end = rollover.or(point.range.map(|r| r[1])).filter(|&end| end > 0.0);
                    end.map_or(total, |end| fit(total.rem_euclid(end), point))
                }
                Accumulation::Gauge => fit(total, point),
            })
        } else {
            self.look(point, time)
        };
        self.push(index, time, new, out);
    }

    fn push(&mut self, index: u32, time: Timestamp, value: Value, out: &mut Vec<Sample>) {
        if !matches!(value, Value::Number(_)) {
            self.said[index as usize] = Some(value.clone());
        }
        out.push(Sample { point: PointId(index), time, value, quality: Quality::Good });
    }

    /// A register as its display shows it: whole steps, the rest not lost but shown later.
    fn stepped(&self, index: u32, register: f64) -> f64 {
        match self.models.campus.points[index as usize].resolution {
            Some(step) if step > 0.0 => steps(register / step, step, f64::floor),
            _ => register,
        }
    }

    /// What a total grows by in a second, in its unit. Import registers stand still while power flows back.
    fn rate(&self, i: usize) -> f64 {
        match &self.roles[i] {
            Role::Total(feed, si) => through(&self.models, feed).max(0.0) / si,
            Role::Rain => self.models.sky.rain_mm_h / 3600.0,
            _ => 0.0,
        }
    }

    fn add_up(&mut self, seconds: f64) {
        for &index in self.totals.clone().iter() {
            self.register[index as usize] += self.rate(index as usize) * seconds;
        }
    }

    /// Tells a point a value, or with `None` that it may follow its own control again. It answers at the next step
    /// with its own value, its readback's and those of its equipment. `false` where the campus has no such point,
    /// it can't be commanded, or the value is of another type, beyond the command's limits or none of the choices.
    pub fn command(&mut self, point: PointId, wanted: Option<Value>) -> bool {
        let campus = self.models.campus.clone();
        let Some(told) = campus.get_point(point) else { return false };
        let Some(command) = &told.command else { return false };
        if wanted.as_ref().is_some_and(|v| !takes(told, command, v)) {
            return false;
        }
        self.told[point.index()] = wanted.clone();
        self.obey(told, wanted);
        self.prompt_entity(told.entity);
        self.prompt.extend(command.readback.as_ref().and_then(|p| campus.point_id(p.as_str())).map(|p| p.0));
        true
    }

    /// Whether a point counts what flows: it keeps to its period.
    pub(crate) fn adds_up(&self, point: PointId) -> bool {
        matches!(self.roles[point.index()], Role::Total(..) | Role::Rain)
    }

    /// Has every point of an entity that changes at once answer at the next step.
    pub(crate) fn prompt_entity(&mut self, entity: usize) {
        for &point in self.models.campus.clone().points_of(entity) {
            if !self.adds_up(point) {
                self.prompt.insert(point.0);
            }
        }
    }

    fn obey(&mut self, point: &Point, wanted: Option<Value>) {
        let on = match &wanted {
            Some(Value::Bool(b)) => Some(*b),
            _ => None,
        };
        let number = match &wanted {
            Some(Value::Number(x)) => Some(*x),
            _ => None,
        };
        let roles = self.roles.clone();
        match &roles[point.id.index()] {
            Role::Ac(r, i, part) => {
                let room = &mut self.models.rooms[*r];
                let wish = room.state.acs[*i].on.then_some(room.state.acs[*i].mode);
                let ac = &mut room.state.acs[*i];
                match part {
                    AcPart::On => ac.told_on = on,
                    AcPart::Setpoint => ac.told_setpoint_c = number,
                    AcPart::Mode => {
                        let choice = match wanted {
                            Some(Value::Choice(c)) => point.choices.get(usize::from(c)),
                            _ => None,
                        };
                        ac.told_mode = choice.map(mode_of);
                    }
                    AcPart::Supply => {}
                }
                ac.decide(wish, room.spec.cooling_to_c);
            }
            Role::Room(r, Air::LightsOn) => {
                self.models.rooms[*r].state.told_lights = on;
                if let Some(on) = on {
                    let room = &mut self.models.rooms[*r];
                    room.state.lights_on = on && !room.dead.lights;
                }
            }
            Role::Machine(m, part) => {
                let machine = &mut self.models.machines[*m];
                match part {
                    Part::On | Part::Open => {
                        machine.state.told_on = on;
                        machine.decide(machine.state.on);
                    }
                    Part::Setpoint => machine.state.told_c = number,
                    _ => {}
                }
            }
            Role::Circuit(node, rooms) => {
                match on {
                    Some(false) => self.models.off.insert(*node),
                    _ => self.models.off.remove(node),
                };
                for &r in rooms {
                    self.models.rooms[r].state.told_supply = on;
                }
            }
            _ => {}
        }
    }
}

/// Whether a device takes a value: a NaN or a setpoint of a million degrees would spoil its room for good.
pub(crate) fn takes(point: &Point, command: &CommandSpec, wanted: &Value) -> bool {
    suits(point, wanted)
        && match wanted {
            Value::Number(x) => {
                let limits = command.limits.or(point.range);
                // A value that came through a binding's scale may miss its limit by a rounding.
                limits.is_none_or(|[low, high]| (low - 1e-6..=high + 1e-6).contains(x))
            }
            _ => true,
        }
}

/// Whether a value is one that a point may have: of its type, finite, one of its choices, not too long.
pub(crate) fn suits(point: &Point, value: &Value) -> bool {
    value.value_type() == point.value_type
        && match value {
            Value::Number(x) => x.is_finite(),
            Value::Choice(c) => usize::from(*c) < point.choices.len(),
            Value::Text(text) => text.len() <= Value::MAX_TEXT,
            Value::Bool(_) => true,
        }
}

/// The step of the models that a time is in.
pub(crate) fn floor(time: Timestamp) -> Timestamp {
    let step = STEP_S * Timestamp::SECOND;
    Timestamp(time.0.div_euclid(step) * step)
}
