//! A rehearsal: a world, its engines and its drill, brought together at every barrier.
//!
//! Between two barriers engines run side by side; at a barrier, in this order: what people did, what players and events
//! do, what plugins do, the devices' samples with what the engines found since the barrier before, and then the engines
//! are told what has changed. So a run is one sequence whatever the speed of the machine and the number of its threads.

use std::sync::Arc;
use std::time::Instant;

use campanile_crowd::Crowd;
use campanile_devices::{Devices, WeatherOverride};
use campanile_flood::Flood;
use campanile_model::{Actor, Glob, Intent, PointId, Priority, Quality, Sample, Timestamp, Value, ValueType};
use campanile_plugins::{AlarmNews, Around, Call, Decision, Effects, Entered, PanelUse, Past, Seat, Stage};
use campanile_scene::GaugeAt;
use campanile_world::{Event, Input, World};
use serde::{Deserialize, Serialize};

use crate::drill::{Drill, Found};
use crate::drill_file::WaterAt;
use crate::engine::{Engine, EngineError};
use crate::play::{Asked, By, Message, Play, Refusal, Seen};
use crate::seats::{KeptRecord, SeatOutcome, Seats};
use crate::site::{Site, WET_M, Wet};
use crate::slowness;
use crate::stage::OnStage;
use crate::tally::Tally;

/// Actions of a drill command as an operator does.
const PRIORITY: u8 = 8;
/// Seconds between two looks of walkers at the water.
const LOOK_S: f64 = 5.0;

/// What a person does to a rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Deed {
    /// Begins an action of the drill.
    Act {
        /// Which, by its id.
        action: String,
        /// Who.
        name: String,
    },
    /// Decides against an action: the player that stands in leaves it alone, until somebody begins it after all.
    Decline {
        /// Which, by its id.
        action: String,
        /// Who.
        name: String,
    },
    /// Decides a question of a director.
    Decide {
        /// Which, by its id.
        question: String,
        /// The index of the answer.
        answer: u32,
        /// Who.
        name: String,
    },
    /// Uses a panel of a plugin.
    Panel {
        /// The plugin.
        plugin: String,
        /// What was done, already held against the panel: panel, node, person, and what was entered by field.
        used: PanelDeed,
    },
    /// Commands a point, or deals with an alarm, as in the live world.
    World {
        /// What.
        input: Input,
    },
}

/// The use of a panel, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelDeed {
    /// The panel.
    pub panel: String,
    /// The node.
    pub node: String,
    /// Who.
    pub person: String,
    /// What was entered, by field.
    pub fields: Vec<(String, EnteredDeed)>,
}

/// What was entered, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnteredDeed {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// The index of one of some.
    Choice(u32),
    /// Yes or no.
    Toggle(bool),
}

impl From<&PanelDeed> for PanelUse {
    fn from(deed: &PanelDeed) -> Self {
        let entered = |value: &EnteredDeed| match value {
            EnteredDeed::Number(x) => Entered::Number(*x),
            EnteredDeed::Text(text) => Entered::Text(text.clone()),
            EnteredDeed::Choice(index) => Entered::Choice(*index),
            EnteredDeed::Toggle(is) => Entered::Toggle(*is),
        };
        Self {
            panel: deed.panel.clone(),
            node: deed.node.clone(),
            person: deed.person.clone(),
            fields: deed.fields.iter().map(|(id, value)| (id.clone(), entered(value))).collect(),
        }
    }
}

impl From<&PanelUse> for PanelDeed {
    fn from(used: &PanelUse) -> Self {
        let entered = |value: &Entered| match value {
            Entered::Number(x) => EnteredDeed::Number(*x),
            Entered::Text(text) => EnteredDeed::Text(text.clone()),
            Entered::Choice(index) => EnteredDeed::Choice(*index),
            Entered::Toggle(is) => EnteredDeed::Toggle(*is),
        };
        Self {
            panel: used.panel.clone(),
            node: used.node.clone(),
            person: used.person.clone(),
            fields: used.fields.iter().map(|(id, value)| (id.clone(), entered(value))).collect(),
        }
    }
}

/// A deed and the barrier at which it was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The number of the barrier.
    pub barrier: u64,
    /// What was done.
    pub deed: Deed,
}

/// Why a deed was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeedError {
    /// The drill says no.
    #[error(transparent)]
    Drill(#[from] Refusal),
    /// The world says no.
    #[error(transparent)]
    World(#[from] campanile_world::Refusal),
    /// The alarm is not in a state for it.
    #[error("the alarm has nothing for this to be done to")]
    Alarm,
    /// The rehearsal has no such plugin.
    #[error("the rehearsal has no plugin '{0}'")]
    NoPlugin(String),
    /// Only commands and alarms are for people.
    #[error("samples and the clock are not for people to change")]
    NotForPeople,
}

/// Why a rehearsal can't begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// An engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The device models.
    #[error(transparent)]
    Devices(#[from] campanile_devices::DevicesError),
    /// What was saved can't be read.
    #[error("the saved rehearsal can't be used: {0}")]
    Saved(String),
}

/// A rehearsal at a barrier. A clone is a branch: it shares what it can and goes its own way.
#[derive(Clone)]
pub struct Rehearsal {
    pub(crate) site: Arc<Site>,
    pub(crate) seed: u64,
    pub(crate) barrier: u64,
    /// The world's time at the start of the drill.
    pub(crate) start: Timestamp,
    pub(crate) world: World,
    pub(crate) devices: Devices,
    pub(crate) flood: Option<Flood>,
    pub(crate) crowd: Option<Crowd>,
    pub(crate) play: Play,
    pub(crate) tally: Tally,
    pub(crate) deeds: Arc<Vec<Recorded>>,
    pub(crate) events: Vec<Event>,
    /// How many of the events the device models have been told of.
    pub(crate) told: usize,
    /// How many of the events plugins have been told of.
    pub(crate) heard: usize,
    /// The plugins.
    pub(crate) seats: Seats,
    /// Where the time of this machine went; no part of the state.
    pub(crate) spent: Spent,
}

/// Where the time of the machine went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spent {
    /// The flood.
    pub flood_s: f64,
    /// The crowd.
    pub crowd_s: f64,
    /// Both, as long as they took side by side.
    pub engines_s: f64,
    /// Plugins.
    pub plugins_s: f64,
    /// Device models and the world.
    pub devices_s: f64,
    /// Players, events, and what engines are told.
    pub drill_s: f64,
    /// Measuring.
    pub measure_s: f64,
}

impl Rehearsal {
    /// A rehearsal that begins at the moment of its drill, its devices as they would be then.
    ///
    /// # Errors
    /// [`RehearsalError`].
    pub fn from_scene(site: Arc<Site>, seed: u64) -> Result<Self, RehearsalError> {
        let start = site.drill.start;
        let world = World::new(site.schema.clone(), start);
        Self::begin(site, world, start, seed)
    }

    /// A rehearsal that goes on from a world as it is now: its readings, commands and alarms. Its device models take
    /// over from there and are told what is commanded; the drill's first minute is now.
    ///
    /// # Errors
    /// [`RehearsalError`].
    pub fn from_world(site: Arc<Site>, world: &World, seed: u64) -> Result<Self, RehearsalError> {
        let start = world.now();
        Self::begin(site, world.fork(), start, seed)
    }

    fn begin(site: Arc<Site>, world: World, start: Timestamp, seed: u64) -> Result<Self, RehearsalError> {
        let mut devices = Devices::new(site.campus.clone(), site.weather.clone(), seed)?;
        let flood = site.flood.as_ref().map(|part| Flood::begin(&part.input)).transpose()?;
        let crowd = match &site.crowd {
            Some(part) => {
                let input = campanile_crowd::CrowdInput { seed, ..part.input.clone() };
                Some(Crowd::begin(&input)?)
            }
            None => None,
        };
        for (point, array) in world.arrays() {
            if array.strongest().is_some() {
                devices.command(point, world.effective(point));
            }
        }
        let play = Play::new(&site.drill);
        let people = crowd.as_ref().map_or(0, |crowd| crowd.people().count());
        let tally = Tally::new(&site, people);
        let mut rehearsal = Self {
            site,
            seed,
            barrier: 0,
            start,
            world,
            devices,
            flood,
            crowd,
            play,
            tally,
            deeds: Arc::default(),
            events: Vec::new(),
            told: 0,
            heard: 0,
            seats: Seats::default(),
            spent: Spent::default(),
        };
        rehearsal.tell_devices()?;
        rehearsal.hear_devices(&mut |_| {});
        rehearsal.measure(0.0);
        Ok(rehearsal)
    }

    /// With plugins, which are called from the next barrier on; `before` is what was before the rehearsal began.
    pub fn with_seats(mut self, seats: Vec<Seat>, before: Arc<dyn Past>) -> Self {
        self.seats = Seats::new(seats, before);
        self
    }

    /// The plugins, by id.
    pub fn seats(&self) -> &[Seat] {
        &self.seats.list
    }

    /// The plugins, by id: to be watched, reloaded or revived.
    pub fn seats_mut(&mut self) -> &mut [Seat] {
        &mut self.seats.list
    }

    /// The seat of a plugin.
    pub fn seat_of(&self, plugin: &str) -> Option<usize> {
        self.seats.list.iter().position(|seat| seat.grants().manifest.id == plugin)
    }

    /// Tells a plugin something at the next barrier that it alone hears, such as the use of a panel.
    pub fn tell_seat(&mut self, seat: usize, call: Call) {
        self.seats.told.push((seat, call));
    }

    /// What came of the calls of plugins since this was asked last.
    pub fn take_outcomes(&mut self) -> Vec<SeatOutcome> {
        std::mem::take(&mut self.seats.outcomes)
    }

    /// The records that plugins have kept in this rehearsal, the oldest first.
    pub fn plugin_records(&self) -> impl Iterator<Item = &KeptRecord> {
        self.seats.records()
    }

    /// The campus, drill and maps that it runs on.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// The drill.
    pub fn drill(&self) -> &Drill {
        &self.site.drill
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to take what changed out of it.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The water, if the drill has any.
    pub fn flood(&self) -> Option<&Flood> {
        self.flood.as_ref()
    }

    /// The people, if the drill has any.
    pub fn crowd(&self) -> Option<&Crowd> {
        self.crowd.as_ref()
    }

    /// How the drill stands.
    pub fn play(&self) -> &Play {
        &self.play
    }

    /// What has been measured.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Everything that people have done, with the barrier at which they did it.
    pub fn deeds(&self) -> &[Recorded] {
        &self.deeds
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many barriers have been passed.
    pub fn barrier(&self) -> u64 {
        self.barrier
    }

    /// Seconds from the start.
    pub fn now_s(&self) -> f64 {
        self.barrier as f64 * self.drill().file.barrier_s
    }

    /// Whether the last barrier has been passed.
    pub fn is_over(&self) -> bool {
        self.barrier >= self.drill().barriers()
    }

    /// What has happened in the world since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.news_of_alarms();
        (self.told, self.heard) = (0, 0);
        std::mem::take(&mut self.events)
    }

    /// Does what a person does, now, before the next barrier is passed.
    ///
    /// # Errors
    /// [`DeedError`]; then nothing has changed, and it is not on the record.
    pub fn act(&mut self, deed: Deed) -> Result<(), DeedError> {
        self.try_deed(&deed)?;
        Arc::make_mut(&mut self.deeds).push(Recorded { barrier: self.barrier, deed });
        Ok(())
    }

    /// What people did at this barrier and plugins have not heard of yet.
    pub(crate) fn tell_seats_again(&mut self) {
        for recorded in self.deeds.clone().iter().filter(|r| r.barrier == self.barrier) {
            let told = match &recorded.deed {
                Deed::Panel { plugin, used } => {
                    self.seat_of(plugin).map(|seat| (seat, Call::Panel(used.into())))
                }
                Deed::Decide { question, answer, name } => {
                    let of = |asked: &&Asked| asked.id == *question && asked.decided.is_some();
                    let director = self.play.asked.iter().rev().find(of).map(|asked| asked.director.clone());
                    let person = name.clone();
                    let decided = Decision { id: question.clone(), answer: *answer, person };
                    director.and_then(|d| self.seat_of(&d)).map(|seat| (seat, Call::Decision(decided)))
                }
                _ => None,
            };
            self.seats.told.extend(told);
        }
    }

    fn try_deed(&mut self, deed: &Deed) -> Result<(), DeedError> {
        match deed {
            Deed::Act { action, name } => {
                if self.is_over() {
                    return Err(Refusal::Over.into());
                }
                let index = self.drill().action(action).ok_or_else(|| Refusal::Unknown(action.clone()))?;
                let (site, now_s) = (self.site.clone(), self.now_s());
                self.play.begin(&site.drill, index, By::Person { name: name.clone() }, now_s)?;
                Ok(())
            }
            Deed::Decline { action, .. } => {
                let index = self.drill().action(action).ok_or_else(|| Refusal::Unknown(action.clone()))?;
                self.play.decline(index);
                Ok(())
            }
            Deed::Decide { question, answer, name } => {
                let now_s = self.now_s();
                let index = self.play.decide(question, *answer, name, now_s)?;
                let director = self.play.asked[index].director.clone();
                let decided = Decision { id: question.clone(), answer: *answer, person: name.clone() };
                if let Some(seat) = self.seat_of(&director) {
                    self.tell_seat(seat, Call::Decision(decided));
                }
                Ok(())
            }
            Deed::Panel { plugin, used } => {
                let seat = self.seat_of(plugin).ok_or_else(|| DeedError::NoPlugin(plugin.clone()))?;
                self.tell_seat(seat, Call::Panel(used.into()));
                Ok(())
            }
            Deed::World { input } => match input {
                Input::Intend { .. }
                | Input::Acknowledge { .. }
                | Input::Shelve { .. }
                | Input::Unshelve { .. }
                | Input::OutOfService { .. } => {
                    let done = self.world.apply(input, &mut self.events)?;
                    self.tell_devices_of_commands();
                    if done { Ok(()) } else { Err(DeedError::Alarm) }
                }
                _ => Err(DeedError::NotForPeople),
            },
        }
    }

    /// Passes the next barrier; false where the drill is over.
    ///
    /// # Errors
    /// An engine that refuses what it is told: a fault of the drill or of this program, and the end of the run.
    pub fn step(&mut self, threads: usize) -> Result<bool, RehearsalError> {
        self.step_with(threads, &mut |_| {})
    }

    /// As [`Self::step`], with a say in what the devices' samples are before the world hears them: a meter that stands
    /// still, a sensor that is silent. Nothing of it is kept, so whoever steps says it again at each barrier.
    ///
    /// # Errors
    /// See [`Self::step`].
    pub fn step_with(
        &mut self,
        threads: usize,
        change: &mut dyn FnMut(&mut Vec<Sample>),
    ) -> Result<bool, RehearsalError> {
        if self.is_over() {
            return Ok(false);
        }
        let dt_s = self.drill().file.barrier_s;
        let mut last = Instant::now();
        let mut lap = || std::mem::replace(&mut last, Instant::now()).elapsed().as_secs_f64();
        self.players()?;
        self.spent.drill_s += lap();
        self.plugins();
        self.spent.plugins_s += lap();
        self.tell_devices()?;
        self.tell_engines()?;
        self.spent.drill_s += lap();
        self.run_engines(dt_s, threads);
        self.spent.engines_s += lap();
        self.barrier += 1;
        self.hear_devices(change);
        self.spent.devices_s += lap();
        self.measure(dt_s);
        self.spent.measure_s += lap();
        Ok(true)
    }

    /// The moment of the world's clock.
    fn now(&self) -> Timestamp {
        self.start.plus_micros((self.now_s() * 1e6).round() as i64)
    }

    fn players(&mut self) -> Result<(), RehearsalError> {
        let site = self.site.clone();
        let depths = self.room_depths();
        let water = |at: &WaterAt| {
            site.rooms(&at.spaces).any(|room| depths.get(room).is_some_and(|d| *d >= at.depth_m))
        };
        let now_s = self.now_s();
        let seen = Seen {
            now_s,
            rain_1h_mm: self.tally.rain_mm(3600.0),
            rain_6h_mm: self.tally.rain_mm(6.0 * 3600.0),
            river_m: site.river_m(now_s),
            water: &water,
        };
        for action in self.play.advance(&site.drill, &seen) {
            self.effect(&site, action)?;
        }
        Ok(())
    }

    /// Alarms that have changed, for plugins to hear of at the next barrier.
    fn news_of_alarms(&mut self) {
        let from = std::mem::replace(&mut self.heard, self.events.len());
        if self.seats.list.is_empty() {
            return;
        }
        for event in self.events.get(from..).unwrap_or_default() {
            if let Event::Alarm { rule, .. } = event {
                self.seats.alarms.extend(AlarmNews::of(&self.site.campus, &self.world, *rule));
            }
        }
    }

    /// Calls each plugin in the order of ids; what one does has happened when the next is called.
    fn plugins(&mut self) {
        if self.seats.list.is_empty() {
            return;
        }
        self.news_of_alarms();
        let samples: Arc<[Sample]> = std::mem::take(&mut self.seats.heard).into();
        let alarms: Arc<[AlarmNews]> = std::mem::take(&mut self.seats.alarms).into();
        let told = std::mem::take(&mut self.seats.told);
        let mut world = Arc::new(self.world.fork());
        for seat in 0..self.seats.list.len() {
            let own = told.iter().filter(|(to, _)| *to == seat).map(|(_, call)| call.clone());
            let mut calls: Vec<Call> = own.collect();
            if !alarms.is_empty() {
                calls.push(Call::Alarms(alarms.clone()));
            }
            // One call takes in so many; all are given.
            let batches = samples.chunks(campanile_plugins::MOST_SAMPLES);
            calls.extend(batches.map(|batch| Call::Samples(batch.into())));
            if self.seats.list[seat].take_tick(self.world.now()) {
                calls.push(Call::Tick);
            }
            for call in calls {
                if self.call(seat, &call, &world) {
                    world = Arc::new(self.world.fork());
                }
            }
        }
    }

    /// Calls a plugin; whether it has changed the world.
    fn call(&mut self, seat: usize, call: &Call, world: &Arc<World>) -> bool {
        let directs = self.seats.list[seat].grants().manifest.kind == campanile_plugins::Kind::Drill;
        let stage = directs.then(|| Arc::new(OnStage::of(self)) as Arc<dyn Stage>);
        let around = Around { world: world.clone(), past: self.seats.past(), stage };
        let outcome = self.seats.list[seat].call(call, &around);
        // What is remembered is written to without a copy where nobody else holds it.
        drop(around);
        if outcome == campanile_plugins::Outcome::default() {
            return false;
        }
        let time = self.world.now();
        self.seats.keep(seat, time, &outcome);
        let inputs = outcome.effects.inputs(self.seats.list[seat].grants(), time);
        for input in &inputs {
            // What the world refuses now it would have refused in the call, but for what another plugin did since.
            let _ = self.world.apply(input, &mut self.events);
        }
        self.tell_devices_of_commands();
        self.direct(seat, &outcome.effects);
        self.seats.outcomes.push(SeatOutcome { seat, time, call: call.clone(), outcome });
        !inputs.is_empty()
    }

    /// What a director does to its drill.
    fn direct(&mut self, seat: usize, effects: &Effects) {
        let director = self.seats.list[seat].grants().manifest.id.clone();
        let (site, at_s) = (self.site.clone(), self.now_s());
        for told in &effects.told {
            let (from, text) = (Some(told.from.clone()), told.message.clone());
            self.play.messages.push(Message { at_s, from, text });
        }
        for id in &effects.begun {
            // The host has refused what the drill does not have; what is under way need not be begun.
            if let Some(action) = site.drill.action(id) {
                let _ = self.play.begin(&site.drill, action, By::Event { id: director.clone() }, at_s);
            }
        }
        for question in &effects.asked {
            self.play.asked.push(Asked {
                id: question.id.to_string(),
                director: director.clone(),
                at_s,
                question: question.question.clone(),
                answers: question.answers.clone(),
                decided: None,
            });
        }
    }

    fn effect(&mut self, site: &Site, action: usize) -> Result<(), RehearsalError> {
        let (Some(found), Some(spec)) = (site.drill.effects.get(action), site.drill.file.action.get(action))
        else {
            return Ok(());
        };
        match found {
            Found::Warn(_) => {}
            Found::Command(commands) => {
                for (point, value) in commands {
                    let intent = Intent {
                        point: *point,
                        priority: Priority::new(PRIORITY).unwrap_or(Priority::MANUAL_OPERATOR),
                        value: Some(value.clone()),
                        expires: None,
                        actor: Actor::Engine("drill".into()),
                        reason: spec.en.as_str().into(),
                    };
                    // An interlock or a stronger slot may refuse: then the world holds what it held, as on the campus.
                    let _ = self.world.apply(&Input::Intend { intent: Box::new(intent) }, &mut self.events);
                }
                self.tell_devices_of_commands();
            }
            Found::Power(nodes, on) => {
                for node in nodes {
                    self.devices.set_supply(node.as_str(), *on)?;
                    self.tally.supply(site, node, *on);
                }
            }
            Found::Send(groups, goals) => {
                let Some(part) = &site.crowd else { return Ok(()) };
                let goals = matching(part.input.goals.iter().map(|g| &g.id), goals);
                for group in matching(part.input.groups.iter().map(|g| &g.id), groups) {
                    self.tell_crowd(&campanile_crowd::Change::Send { group, goals: goals.clone() })?;
                }
            }
            Found::Hold(globs) => {
                let Some(part) = &site.crowd else { return Ok(()) };
                for group in matching(part.input.groups.iter().map(|g| &g.id), globs) {
                    self.tell_crowd(&campanile_crowd::Change::Hold { group })?;
                }
            }
        }
        Ok(())
    }

    fn tell_crowd(&mut self, change: &campanile_crowd::Change) -> Result<(), RehearsalError> {
        if let Some(crowd) = &mut self.crowd {
            crowd.change(change)?;
        }
        Ok(())
    }

    /// Commands that the world has just sent out go to the device models: there is no other way out of a rehearsal.
    fn tell_devices_of_commands(&mut self) {
        let new = self.events.get(self.told..).unwrap_or_default();
        let sent: Vec<(PointId, Value)> = new
            .iter()
            .filter_map(|event| match event {
                Event::Command { point, effective, send: true, .. } => Some((*point, effective.clone())),
                _ => None,
            })
            .collect();
        self.told = self.events.len();
        for (point, value) in sent {
            self.devices.command(point, Some(value));
        }
    }

    /// The weather of the drill and what the engines have found, for the sensors to measure.
    fn tell_devices(&mut self) -> Result<(), RehearsalError> {
        let site = self.site.clone();
        let now_s = self.now_s();
        if site.rain.is_some() {
            let rain_mm_h = Some(site.rain_m_s(now_s) * 3.6e6);
            let storm = WeatherOverride { rain_mm_h, ..WeatherOverride::default() };
            self.devices.set_weather(storm)?;
        }
        let (Some(flood), Some(part)) = (&self.flood, &site.flood) else { return Ok(()) };
        let depths: Vec<f64> = flood.rooms().iter().map(|r| r.depth_m).collect();
        let level_m = |cell: u32| {
            let of = |field: &[f64]| field.get(cell as usize).copied().unwrap_or(0.0);
            (of(&part.input.bed_m) + of(flood.depth_m()), of(flood.depth_m()))
        };
        for gauge in &part.gauges {
            let metres = match gauge.at {
                // The weather is what rain gauges measure.
                GaugeAt::Rain => continue,
                GaugeAt::Stage(stage) => part.input.stages.get(stage as usize).and_then(|s| {
                    let is_river =
                        site.drill.file.river.as_ref().is_some_and(|r| s.id == format!("site/{}", r.water));
                    if is_river { site.river_m(now_s) } else { s.cells.first().map(|cell| level_m(*cell).0) }
                }),
                GaugeAt::Level(cell) => Some(level_m(cell).0),
                GaugeAt::Room(room) => depths.get(room as usize).copied(),
                GaugeAt::Outfall(_) => site.river_m(now_s),
                // Where no water stands above the inlet, the device model knows better how full the pipe is.
                GaugeAt::Inlet { drain, inlet } => {
                    let drain = part.input.drains.get(drain as usize);
                    let inlet = drain.and_then(|d| d.inlets.get(inlet as usize));
                    inlet.map(|i| level_m(i.cell)).filter(|(_, depth)| *depth >= 0.01).map(|(level, _)| level)
                }
                _ => None,
            };
            let point = site.campus.point(gauge.point);
            let truth = metres.map(|m| match point.value_type {
                ValueType::Bool => Value::Bool(m >= WET_M),
                _ => Value::Number(m),
            });
            self.devices.set_truth(gauge.point, truth)?;
        }
        Ok(())
    }

    /// Samples of the devices enter the world, and its clock moves.
    fn hear_devices(&mut self, change: &mut dyn FnMut(&mut Vec<Sample>)) {
        let now = self.now();
        let mut samples: Vec<Sample> = self.devices.step(now);
        change(&mut samples);
        self.seats.hear(&samples);
        let _ = self.world.apply(&Input::Samples { samples }, &mut self.events);
        let _ = self.world.apply(&Input::Tick { now }, &mut self.events);
        // Interlocks and expiries command by themselves.
        self.tell_devices_of_commands();
    }

    fn is_on(&self, point: PointId) -> bool {
        let reading = self.world.reading(point);
        reading.is_some_and(|r| r.value == Value::Bool(true) && r.quality != Quality::Bad)
    }

    /// What has changed in the world since the barrier before, for the engines.
    fn tell_engines(&mut self) -> Result<(), RehearsalError> {
        use campanile_flood::Change;
        let site = self.site.clone();
        let now_s = self.now_s();
        if let Some(part) = &site.flood {
            let mut changes = Vec::new();
            if site.rain.is_some() {
                changes.push(Change::Rain(site.rain_m_s(now_s)));
            }
            if let (Some(river), Some(level_m)) = (&site.drill.file.river, site.river_m(now_s)) {
                changes.push(Change::Stage { id: format!("site/{}", river.water), level_m });
            }
            let said = |switch: &campanile_scene::Switch| switch.report.or(switch.command);
            for barrier in &part.barriers {
                let up = said(barrier).is_some_and(|point| self.is_on(point));
                changes.push(Change::Barrier { id: barrier.path.clone(), up });
            }
            for pump in &part.pumps {
                let on = said(pump).is_some_and(|point| self.is_on(point));
                changes.push(Change::Pump { id: pump.path.clone(), on });
            }
            if let Some(flood) = &mut self.flood {
                changes.iter().try_for_each(|change| flood.change(change))?;
            }
        }
        let looks = (LOOK_S / self.drill().file.barrier_s).max(1.0) as u64;
        if self.barrier.is_multiple_of(looks)
            && let (Some(flood), Some(crowd), Some(part)) = (&self.flood, &mut self.crowd, &site.flood)
        {
            for change in slowness::changes(flood, &part.input, &site.wet, &mut self.tally.slowed) {
                crowd.change(&change)?;
            }
        }
        Ok(())
    }

    fn run_engines(&mut self, dt_s: f64, threads: usize) {
        let timed = |work: &mut dyn FnMut()| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64()
        };
        match (&mut self.flood, &mut self.crowd) {
            // People who all stand take no time, so that the flood has the machine to itself.
            (Some(flood), Some(crowd)) if threads > 1 && crowd.under_way() + crowd.settling() > 0 => {
                let each = threads.div_ceil(2);
                let spent = &mut self.spent;
                let mut flood_s = 0.0;
                std::thread::scope(|scope| {
                    scope.spawn(|| flood_s = timed(&mut || flood.advance(dt_s, each)));
                    spent.crowd_s += timed(&mut || crowd.advance(dt_s, each));
                });
                spent.flood_s += flood_s;
            }
            (flood, crowd) => {
                if let Some(flood) = flood {
                    self.spent.flood_s += timed(&mut || flood.advance(dt_s, threads));
                }
                if let Some(crowd) = crowd {
                    self.spent.crowd_s += timed(&mut || crowd.advance(dt_s, threads));
                }
            }
        }
    }

    /// Where the time of this machine went since it began here.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// The depth of water in each room, m.
    pub fn room_depths(&self) -> Vec<f64> {
        self.flood.as_ref().map_or_else(Vec::new, |flood| flood.rooms().iter().map(|r| r.depth_m).collect())
    }

    fn measure(&mut self, dt_s: f64) {
        let site = self.site.clone();
        let now_s = self.now_s();
        self.tally.rained(now_s, site.rain_m_s(now_s), dt_s);
        self.tally.rooms(&site, &self.room_depths(), dt_s, now_s);
        if let Some(crowd) = &self.crowd {
            let hazards = people_in_water(self.flood.as_ref(), crowd, &site);
            self.tally.people(&site, &hazards, dt_s);
        }
        self.tally.row(&site, self.flood.as_ref(), self.crowd.as_ref(), now_s);
    }

    /// A hash of the whole state.
    pub fn hash(&mut self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.barrier.to_le_bytes());
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&self.world.hash());
        hasher.update(&self.devices.hash());
        if let Some(flood) = &self.flood {
            hasher.update(&flood.state_hash());
        }
        if let Some(crowd) = &self.crowd {
            hasher.update(&crowd.state_hash());
        }
        let seats = serde_json::to_vec(&self.seats.kept());
        for part in [serde_json::to_vec(&self.play), serde_json::to_vec(&self.tally), seats] {
            // Both are plain numbers and texts, which JSON always takes.
            hasher.update(&part.unwrap_or_default());
        }
        hasher.finalize().into()
    }
}

/// The names that globs match: groups go by the paths of their rooms, some with a part of their own behind it.
fn matching<'a>(names: impl Iterator<Item = &'a String>, globs: &[Glob]) -> Vec<String> {
    names.filter(|name| globs.iter().any(|glob| glob.matches(name))).cloned().collect()
}

/// Of each person the depth of water that they stand in, m, and its hazard (DEFRA FD2320 without debris).
fn people_in_water(flood: Option<&Flood>, crowd: &Crowd, site: &Site) -> Vec<[f32; 2]> {
    let rooms: Vec<f64> = flood.map_or_else(Vec::new, |f| f.rooms().iter().map(|r| r.depth_m).collect());
    crowd
        .people()
        .map(|person| {
            let (depth, speed) = match (site.wet.get(person.space as usize), flood) {
                (Some(Wet::Room(room)), _) => (rooms.get(*room).copied().unwrap_or(0.0), 0.0),
                (Some(Wet::Outside), Some(flood)) => {
                    let cell = site.flood.as_ref().and_then(|f| f.cell_at([person.at[0], person.at[1]]));
                    cell.map_or((0.0, 0.0), |cell| {
                        let cell = cell as usize;
                        (flood.depth_m().get(cell).copied().unwrap_or(0.0), flood.speed_m_s(cell))
                    })
                }
                _ => (0.0, 0.0),
            };
            [depth as f32, (depth * (speed + 0.5)) as f32]
        })
        .collect()
}
