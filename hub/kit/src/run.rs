//! A scenario played: a plugin in a world of its own, driven by hand or by device models.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_formats::Epw;
use campanile_model::{
    Accumulation, Actor, Campus, Glob, Intent, PointId, Quality, Sample, Timestamp, Value,
};
use campanile_plugins::{
    AlarmNews, Around, Budget, Call, Decision, Entered, Grants, MOST_SAMPLES, Outcome, PanelUse, Progress,
    Seat, Situation, Stage, TrialOutcome,
};
use campanile_rehearsal::{Rehearsal, RehearsalError, Site};
use campanile_world::{Event, Input, Schema, World};
use serde_json::Value as Json;

use crate::past::Kept;
use crate::plugin::Plugin;
use crate::scenario::{Deed, Expected, Measure, PanelSpec, Scenario, Shows, SituationSpec, Step, Total};
use crate::told::{called, told};

/// A call of the plugin, and what came of it.
#[derive(Clone, Debug)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// Why it was called, in words.
    pub called: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a plugin was given and has used, in all calls together.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Points whose samples it was given.
    pub sampled: BTreeSet<PointId>,
    /// Points that it has read, in history too.
    pub read: BTreeSet<PointId>,
    /// Entities of whose alarms it was told.
    pub heard: BTreeSet<Arc<str>>,
    /// Whether its time has come.
    pub ticked: bool,
    /// Which functions of the host it has called, such as `history.range`.
    pub called: BTreeSet<&'static str>,
}

impl Given {
    /// Takes in a call.
    fn take(&mut self, call: &Call, outcome: &mut Outcome, grants: &Grants) {
        match call {
            Call::Samples(samples) => {
                let given = samples.iter().map(|sample| sample.point);
                self.sampled.extend(given.filter(|point| grants.subscribed(*point).is_some()));
            }
            Call::Tick => self.ticked = true,
            Call::Alarms(news) => {
                let heard = news.iter().map(|alarm| alarm.entity.clone());
                self.heard.extend(heard.filter(|entity| grants.hears_alarms_of(entity)));
            }
            Call::Panel(_) | Call::Trial(_) | Call::Decision(_) => {}
        }
        if let Some(trace) = &mut outcome.trace {
            self.called.extend(trace.used.keys());
            // A day has thousands of calls: of each only what it did is kept.
            self.read.append(&mut trace.points);
        }
    }
}

/// What happened in a scenario.
#[derive(Debug)]
pub struct Ran {
    /// Every call that did anything.
    pub happened: Vec<Happened>,
    /// What it was given and has used.
    pub given: Given,
    /// The sums that are expected, in the order of their expectations.
    pub totals: Vec<Summed>,
    /// The text of all that happened: what a snapshot holds.
    pub told: String,
    /// A hash of all that happened, and of the world and the plugin's memory at the end.
    pub hash: blake3::Hash,
}

/// A sum, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Summed {
    /// The sum.
    pub value: f64,
    /// In each of [`SLICES`] equal parts of the scenario: the mean of what was measured; of meters what they counted an
    /// hour; of hours how many points were within the range. NaN where the world was not looked at, or nothing was measured.
    pub course: Vec<f64>,
}

/// Into how many parts the course of a sum is divided.
pub const SLICES: usize = 96;

/// Why a scenario can't be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Device models need weather.
    #[error(
        "the campus has no weather, and device models need it: name an EPW file by `weather` in campus.toml"
    )]
    NoWeather,
    /// The rehearsal.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// The device models don't know a key.
    #[error("device models know no '{0}' in [day.simulation]; hub/devices lists the keys")]
    UnknownSimulation(String),
}

/// Whether the plugin is there, and what becomes of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// It is there.
    With,
    /// It is there, and its instance is thrown away after every call.
    Forgetful,
    /// It is not there.
    Without,
}

/// Plays a scenario.
///
/// # Errors
/// [`RunError`].
pub fn run(scenario: &Scenario, plugin: &Plugin, weather: Option<&Epw>, cast: Cast) -> Result<Ran, RunError> {
    let seat = (cast != Cast::Without).then(|| {
        let mut seat = plugin.seat(&scenario.campus, &scenario.settings, Budget::Fuel);
        seat.watch(true);
        seat.forgetful(cast == Cast::Forgetful);
        seat
    });
    let sums = Sums::new(scenario);
    let played = if scenario.devices {
        let weather = weather.ok_or(RunError::NoWeather)?;
        days(scenario, seat, weather, sums)?
    } else {
        by_hand(scenario, seat, sums)
    };
    let told = told(&played.diary.happened, &scenario.campus, &plugin.manifest);
    let mut hasher = blake3::Hasher::new();
    hasher.update(told.as_bytes()).update(&played.world_hash);
    if let Some(saved) = &played.saved {
        // Plain numbers and texts, which JSON always takes.
        hasher.update(&serde_json::to_vec(saved).unwrap_or_default());
    }
    let hash = hasher.finalize();
    Ok(Ran { happened: played.diary.happened, given: played.diary.given, totals: played.totals, told, hash })
}

/// What is written down of calls.
#[derive(Default)]
struct Diary {
    happened: Vec<Happened>,
    given: Given,
}

impl Diary {
    fn write(&mut self, at: Timestamp, call: &Call, mut outcome: Outcome, grants: &Grants) {
        self.given.take(call, &mut outcome, grants);
        let denied = outcome.trace.as_ref().is_some_and(|trace| !trace.denied.is_empty());
        let said = !outcome.log.is_empty() || outcome.failure.is_some() || outcome.error.is_some();
        if denied || said || !outcome.effects.is_empty() {
            self.happened.push(Happened { at, called: called(call, grants), outcome });
        }
    }
}

struct Played {
    diary: Diary,
    totals: Vec<Summed>,
    world_hash: [u8; 32],
    saved: Option<campanile_plugins::Saved>,
}

/// Steps from a moment on, by time.
struct Steps<'a> {
    rest: &'a [Step],
}

impl<'a> Steps<'a> {
    /// What happens up to a moment and has not happened yet.
    fn until(&mut self, now: Timestamp) -> impl Iterator<Item = &'a Deed> + use<'a> {
        let (due, rest) = self.rest.split_at(self.rest.partition_point(|step| step.at <= now));
        self.rest = rest;
        due.iter().flat_map(|step| &step.deeds)
    }
}

/// What a plugin is told by hand, where a deed is such.
fn call_of(deed: &Deed, campus: &Campus, now: Timestamp) -> Option<Call> {
    Some(match deed {
        Deed::Panel(used) => Call::Panel(panel_use(used)),
        Deed::Outcome(outcome) => Call::Trial(TrialOutcome {
            id: outcome.id.clone(),
            energy_kwh: outcome.energy_kwh.into(),
            comfort_share: outcome.comfort_share.into(),
            failed: outcome.failed.clone(),
        }),
        Deed::Decision(decision) => Call::Decision(Decision {
            id: decision.id.clone(),
            answer: decision.answer,
            person: decision.person.clone(),
        }),
        Deed::Alarms(alarms) => {
            let news = alarms.iter().filter_map(|alarm| {
                let path = alarm.id.split('#').next()?;
                let point = campus.get_point(campus.point_id(path)?)?;
                let entity = campus.entities.get(point.entity)?;
                Some(AlarmNews {
                    id: alarm.id.as_str().into(),
                    entity: entity.path.as_str().into(),
                    active: alarm.active,
                    acknowledged: alarm.acknowledged,
                    at: now,
                })
            });
            Call::Alarms(news.collect())
        }
        Deed::Samples(_) | Deed::Command { .. } | Deed::Situation(_) | Deed::Hold { .. } => return None,
    })
}

fn panel_use(spec: &PanelSpec) -> PanelUse {
    let entered = |json: &Json| match json {
        Json::Number(x) => Entered::Number(x.as_f64().unwrap_or_default()),
        Json::Bool(on) => Entered::Toggle(*on),
        Json::String(text) => Entered::Text(text.clone()),
        // The reader let nothing else through.
        other => Entered::Choice(other["choice"].as_u64().unwrap_or_default() as u32),
    };
    PanelUse {
        panel: spec.panel.clone(),
        node: spec.node.clone(),
        person: spec.person.clone(),
        fields: spec.fields.iter().map(|(field, json)| (field.clone(), entered(json))).collect(),
    }
}

/// What a person wishes, where a deed is such.
fn intent_of(deed: &Deed) -> Option<Input> {
    let Deed::Command { point, value, priority, person } = deed else { return None };
    let intent = Intent {
        point: *point,
        priority: *priority,
        value: value.clone(),
        expires: None,
        actor: Actor::Person(person.as_str().into()),
        reason: "scenario".into(),
    };
    Some(Input::Intend { intent: Box::new(intent) })
}

/// A drill that stands as a scenario says.
struct Told {
    spec: Arc<SituationSpec>,
    at_s: f64,
}

impl Stage for Told {
    fn situation(&self) -> Situation {
        Situation {
            at_s: self.at_s,
            rain_1h_mm: self.spec.rain_1h_mm,
            rain_6h_mm: self.spec.rain_6h_mm,
            river_m: self.spec.river_m,
            warned: self.spec.warned.as_deref().map(Into::into),
        }
    }

    fn depth_m(&self, glob: &Glob) -> f64 {
        let depths = self.spec.depth_m.iter();
        // What is under water is said by globs too: where one speaks of the other, it counts.
        let known = depths
            .filter(|(of, _)| glob.matches(of) || Glob::new(of).is_ok_and(|of| of.matches(glob.as_str())));
        known.map(|(_, depth)| *depth).fold(0.0, f64::max)
    }

    fn progress(&self, action: &str) -> Option<Progress> {
        let is_in = |list: &[String]| list.iter().any(|id| id == action);
        Some(match (is_in(&self.spec.done), is_in(&self.spec.begun)) {
            (true, _) => Progress::Done,
            (false, true) => Progress::Begun,
            (false, false) => Progress::NotBegun,
        })
    }
}

/// A world without devices: what is measured stands in the scenario.
fn by_hand(scenario: &Scenario, seat: Option<Seat>, mut sums: Sums) -> Played {
    let campus = &scenario.campus;
    let mut stage = Hand {
        world: World::new(Arc::new(Schema::of(campus)), scenario.start),
        events: Vec::new(),
        past: Arc::new(Kept::new(&scenario.before)),
        seat,
        diary: Diary::default(),
        situation: Arc::default(),
    };
    let before: Vec<Sample> = scenario.before.iter().map(sample_of).collect();
    stage.apply(&Input::Samples { samples: before });
    let mut steps = Steps { rest: &scenario.steps };
    let end = scenario.start.plus_micros((scenario.duration_s * 1e6) as i64);
    let step_us = (scenario.step_s * 1e6) as i64;
    let mut moments: Vec<i64> = (scenario.start.0..=end.0).step_by(step_us.max(1) as usize).collect();
    moments.extend(scenario.steps.iter().map(|step| step.at.0));
    moments.sort_unstable();
    moments.dedup();
    let mut last = scenario.start;
    for now in moments.into_iter().map(Timestamp) {
        let (mut calls, mut samples) = (Vec::new(), Vec::new());
        for deed in steps.until(now) {
            calls.extend(call_of(deed, campus, now));
            match deed {
                Deed::Samples(measured) => samples.extend(measured.iter().map(sample_of)),
                Deed::Situation(situation) => stage.situation = situation.clone(),
                deed => intent_of(deed).iter().for_each(|input| stage.apply(input)),
            }
        }
        stage.barrier(campus, now, samples, calls, scenario.start);
        sums.observe(&stage.world, (now.0 - last.0) as f64 / 1e6);
        last = now;
    }
    Played {
        diary: stage.diary,
        totals: sums.finish(),
        world_hash: stage.world.hash(),
        saved: stage.seat.map(|seat| seat.saved().clone()),
    }
}

fn sample_of(measured: &crate::scenario::Measured) -> Sample {
    let crate::scenario::Measured { point, time, value, quality } = measured.clone();
    Sample { point, time, value, quality }
}

struct Hand {
    world: World,
    events: Vec<Event>,
    past: Arc<Kept>,
    seat: Option<Seat>,
    diary: Diary,
    situation: Arc<SituationSpec>,
}

impl Hand {
    fn apply(&mut self, input: &Input) {
        // A refusal is the world's answer to the wish of a person or of a plugin that another came before: it stands.
        let _ = self.world.apply(input, &mut self.events);
    }

    /// Comes to a moment: samples, the clock, then the plugin in the order of rehearsals.
    fn barrier(
        &mut self,
        campus: &Campus,
        now: Timestamp,
        samples: Vec<Sample>,
        told: Vec<Call>,
        start: Timestamp,
    ) {
        for sample in &samples {
            self.past.keep(sample.point, sample.time, &sample.value, sample.quality);
        }
        self.apply(&Input::Samples { samples: samples.clone() });
        self.apply(&Input::Tick { now });
        let (mut by_hand, mut calls): (Vec<Call>, Vec<Call>) =
            told.into_iter().partition(|call| matches!(call, Call::Alarms(_)));
        let news: Vec<AlarmNews> = std::mem::take(&mut self.events)
            .iter()
            .filter_map(|event| match event {
                Event::Alarm { rule, .. } => AlarmNews::of(campus, &self.world, *rule),
                _ => None,
            })
            .collect();
        if !news.is_empty() {
            calls.push(Call::Alarms(news.into()));
        }
        calls.append(&mut by_hand);
        calls.extend(samples.chunks(MOST_SAMPLES).map(|batch| Call::Samples(batch.into())));
        if self.seat.as_mut().is_some_and(|seat| seat.take_tick(now)) {
            calls.push(Call::Tick);
        }
        for call in calls {
            self.call(call, now, start);
        }
    }

    fn call(&mut self, call: Call, now: Timestamp, start: Timestamp) {
        let Some(seat) = &mut self.seat else { return };
        let at_s = (now.0 - start.0) as f64 / 1e6;
        let around = Around {
            world: Arc::new(self.world.fork()),
            past: self.past.clone(),
            stage: Some(Arc::new(Told { spec: self.situation.clone(), at_s })),
        };
        let outcome = seat.call(&call, &around);
        let grants = seat.grants().clone();
        for (index, body) in &outcome.effects.records {
            if let Some(spec) = grants.manifest.record.get(usize::from(*index)) {
                self.past.keep_record(&spec.id, now, body);
            }
        }
        for input in outcome.effects.inputs(&grants, now) {
            self.apply(&input);
        }
        self.diary.write(now, &call, outcome, &grants);
    }
}

/// Days with device models: they feed the world, and commands reach them.
fn days(scenario: &Scenario, seat: Option<Seat>, weather: &Epw, mut sums: Sums) -> Result<Played, RunError> {
    let devices = campanile_devices::Devices::new(scenario.campus.clone(), weather.clone(), scenario.seed);
    if let Some(key) = devices.map_err(RehearsalError::from)?.unknown_settings().first() {
        return Err(RunError::UnknownSimulation(key.clone()));
    }
    let site = Site::plain(
        scenario.campus.clone(),
        scenario.start,
        scenario.duration_s,
        scenario.step_s,
        weather.clone(),
    );
    let past = Arc::new(Kept::new(&scenario.before));
    let mut rehearsal =
        Rehearsal::from_scene(Arc::new(site), scenario.seed)?.with_seats(seat.into_iter().collect(), past);
    let mut steps = Steps { rest: &scenario.steps };
    let mut diary = Diary::default();
    let mut held: BTreeMap<PointId, (Shows, Timestamp)> = BTreeMap::new();
    let mut shown: BTreeMap<PointId, Value> = BTreeMap::new();
    loop {
        let now = rehearsal.world().now();
        for deed in steps.until(now) {
            if let Some(call) = call_of(deed, &scenario.campus, now) {
                if !rehearsal.seats().is_empty() {
                    rehearsal.tell_seat(0, call);
                }
            } else if let Some(input) = intent_of(deed) {
                // As in the living campus the world may refuse.
                let _ = rehearsal.act(campanile_rehearsal::Deed::World { input });
            } else if let Deed::Hold { point, shows, until } = deed {
                held.insert(*point, (shows.clone(), *until));
                shown.extend(rehearsal.world().reading(*point).map(|reading| (*point, reading.value)));
            }
        }
        let went_on = rehearsal.step_with(1, &mut |samples| hold(samples, &held, &shown))?;
        for one in rehearsal.take_outcomes() {
            if let Some(seat) = rehearsal.seats().get(one.seat) {
                diary.write(one.time, &one.call, one.outcome, seat.grants());
            }
        }
        if !went_on {
            break;
        }
        drop(rehearsal.take_events());
        sums.observe(rehearsal.world(), scenario.step_s);
    }
    let saved = rehearsal.seats().first().map(|seat| seat.saved().clone());
    Ok(Played { diary, totals: sums.finish(), world_hash: rehearsal.hash(), saved })
}

/// What devices show in place of what they would.
fn hold(
    samples: &mut Vec<Sample>,
    held: &BTreeMap<PointId, (Shows, Timestamp)>,
    shown: &BTreeMap<PointId, Value>,
) {
    if held.is_empty() {
        return;
    }
    samples.retain_mut(|sample| match held.get(&sample.point).filter(|(_, until)| sample.time < *until) {
        None => true,
        Some((Shows::Nothing, _)) => false,
        Some((Shows::This(value), _)) => {
            sample.value = value.clone();
            true
        }
        // One that has shown nothing yet can't show the same.
        Some((Shows::TheSame, _)) => shown.get(&sample.point).is_some_and(|value| {
            sample.value = value.clone();
            true
        }),
    });
}

/// The sums that a scenario expects, while it is played.
struct Sums {
    list: Vec<Sum>,
    elapsed_s: f64,
    slice_s: f64,
}

struct Sum {
    total: Total,
    /// Of each point: how it adds up, its first and its last value, what it has counted, when it was last read.
    meters: Vec<Meter>,
    /// Value times seconds, or seconds within the range.
    over_time: f64,
    seconds: f64,
    /// What was summed, of how many seconds, and since the start, at the end of each part that is over.
    slices: Vec<[f64; 3]>,
}

#[derive(Clone)]
struct Meter {
    accumulation: Accumulation,
    last: Option<(Timestamp, f64)>,
    counted: f64,
}

impl Sums {
    fn new(scenario: &Scenario) -> Self {
        let totals = scenario.expectations.iter().filter_map(|e| match &e.what {
            Expected::Total(total) => Some(total.clone()),
            _ => None,
        });
        let meter = |point: &PointId| Meter {
            accumulation: scenario.campus.get_point(*point).map_or(Accumulation::Gauge, |p| p.accumulation),
            last: None,
            counted: 0.0,
        };
        let sum = |total: Total| {
            let meters = total.points.iter().map(meter).collect();
            Sum { total, meters, over_time: 0.0, seconds: 0.0, slices: Vec::new() }
        };
        let slice_s = scenario.duration_s / SLICES as f64;
        Self { list: totals.map(sum).collect(), elapsed_s: 0.0, slice_s }
    }

    /// Looks at a world that has gone on by so many seconds.
    fn observe(&mut self, world: &World, dt_s: f64) {
        self.elapsed_s += dt_s;
        // What a barrier has brought ends the part; a hair is what additions of seconds are off by.
        let over = ((self.elapsed_s / self.slice_s + 1e-6) as usize).min(SLICES);
        for sum in &mut self.list {
            for (point, meter) in sum.total.points.iter().zip(&mut sum.meters) {
                let reading = world.reading(*point).filter(|r| r.quality <= Quality::Uncertain);
                let Some((time, x)) = reading.and_then(|r| Some((r.time, r.value.as_f64()?))) else {
                    continue;
                };
                match sum.total.of {
                    Measure::Amount => meter.count(time, x),
                    Measure::Mean => {
                        sum.over_time += x * dt_s;
                        sum.seconds += dt_s;
                    }
                    Measure::Hours(low, high) => {
                        if (low..=high).contains(&x) {
                            sum.over_time += dt_s;
                        }
                    }
                }
            }
            let now = [sum.summed(), sum.seconds, self.elapsed_s];
            sum.slices.resize(over, now);
        }
    }

    fn finish(self) -> Vec<Summed> {
        self.list.into_iter().map(Sum::finish).collect()
    }
}

impl Sum {
    /// What was summed so far.
    fn summed(&self) -> f64 {
        match self.total.of {
            Measure::Amount => self.meters.iter().map(|meter| meter.counted).sum(),
            Measure::Mean | Measure::Hours(..) => self.over_time,
        }
    }

    fn finish(self) -> Summed {
        let (summed, seconds) = (self.summed(), self.seconds);
        // A sum over no time is no number.
        let value = match self.total.of {
            Measure::Amount => summed,
            Measure::Mean => summed / seconds,
            Measure::Hours(..) => summed / 3600.0,
        };
        let before = std::iter::once(&[0.0; 3]).chain(&self.slices);
        // Looks at the world don't fall on the ends of parts: each is of the time from look to look.
        let course = before.zip(&self.slices).map(|([from, from_s, began], [to, to_s, ended])| {
            let over = match self.total.of {
                Measure::Amount => (ended - began) / 3600.0,
                Measure::Mean => to_s - from_s,
                Measure::Hours(..) => ended - began,
            };
            (to - from) / over
        });
        Summed { value, course: course.collect() }
    }
}

impl Meter {
    /// A reading: registers count what they have grown by, amounts themselves, once.
    fn count(&mut self, time: Timestamp, x: f64) {
        match (self.accumulation, self.last) {
            (_, Some((before, _))) if time <= before => return,
            (Accumulation::Interval, Some(_)) => self.counted += x,
            (Accumulation::Counter { rollover }, Some((_, before))) if x < before => {
                // Without a known end a register that falls has been changed, and begins anew.
                self.counted += rollover.map_or(0.0, |end| end - before) + x;
            }
            (Accumulation::Counter { .. } | Accumulation::Gauge, Some((_, before))) => {
                self.counted += x - before
            }
            (_, None) => {}
        }
        self.last = Some((time, x));
    }
}
