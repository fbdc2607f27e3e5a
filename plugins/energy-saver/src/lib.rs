//! Room by room air-conditioning: on where people are, off where they are not, at the setpoints that the State Council
//! has set for public buildings (26 °C at least in summer, 20 °C at most in winter), not all at once, and less while
//! electricity is dear. What it saves it reports against a baseline that it has learnt from days on which it only
//! watched.
//!
//! | module | what |
//! |---|---|
//! | [`survey`] | which rooms are there |
//! | [`control`] | what a room's air-conditioners are to do |
//! | [`day`], [`baseline`] | what was used, and what would have been |
//! | [`options`], [`timetable`], [`tariff`] | what an administrator has set |
//! | [`panel`] | what it shows |
//!
//! All of these are pure; this file is what calls the hub. All that is remembered lies in the store.

pub mod baseline;
pub mod control;
pub mod day;
pub mod options;
pub mod panel;
pub mod survey;
pub mod tariff;
pub mod timetable;

use std::collections::{BTreeMap, BTreeSet};

use campanile_plugin::{
    Plugin, Point, Quality, Result, Sample, Settings, Time, Value,
    clock::{self, HOUR, LocalTime, MINUTE, SECOND},
    commands::{self, Command},
    info,
    panels::{Entered, Event},
    points::{self, Derived},
    records, store, warn,
};
use serde::{Deserialize, Serialize};

use crate::{
    baseline::{Baseline, MOST_DAYS, WatchedDay},
    control::{Around, Reading, Want, admitted},
    day::{Day, Stretch},
    options::{Mode, Options, Wish},
    panel::{RoomView, State, View},
    survey::{Survey, Unit},
};

/// Comfort is 20 to 26 °C, both taken to the half kelvin that thermometers on walls are good for.
const COMFORT_C: [f64; 2] = [19.5, 26.5];
/// Minutes that a command lives, and before the end of which it is written again.
const HOLD_MIN: i64 = 12;
const RENEW_MIN: i64 = 2;
/// Longer than this without a tick nothing is known about what was.
const LONGEST_GAP_H: f64 = 0.25;
/// So many of the meters have to speak that their sum says something.
const HEARD: f64 = 0.9;
/// So many days of savings are added up.
const SUMMED_DAYS: u32 = 30;
/// A slot of the priority array that is people's or life safety's.
const PEOPLE: u8 = 8;

/// The plugin.
pub struct EnergySaver {
    options: Options,
    survey: Survey,
}

/// What it remembers of rooms, by path.
type Rooms = BTreeMap<String, control::Room>;

/// A day's record.
#[derive(Serialize)]
struct DayRecord {
    date: String,
    mode: &'static str,
    energy_kwh: f64,
    dear_kwh: f64,
    cost_cny: f64,
    use_h: f64,
    comfort_pct: f64,
    starts: u32,
    refused: u32,
}

/// What a day on which it acted has saved.
#[derive(Serialize, Deserialize)]
struct SavingRecord {
    date: String,
    baseline_kwh: f64,
    saved_kwh: f64,
    plus_minus_kwh: f64,
    baseline_days: usize,
    baseline_error_pct: f64,
    guess: bool,
}

/// Who has changed what at the panel.
#[derive(Serialize)]
struct ChangeRecord {
    person: String,
    watch: bool,
    ease_k: f64,
}

impl Plugin for EnergySaver {
    fn start(settings: &Settings) -> Result<Self> {
        let options = Options::read(settings)?;
        let mut except = BTreeSet::new();
        for glob in &options.except {
            // A place is known by any point that stands in it.
            let depth = glob.split('/').filter(|part| *part != "**").count();
            for info in points::find(&format!("{glob}/**"))? {
                let places = info.path.match_indices('/').map(|(end, _)| &info.path[..end]);
                except.extend(places.skip(depth.saturating_sub(1)).map(str::to_owned));
            }
        }
        Ok(Self { options, survey: Survey::of(&points::find("**")?, &except) })
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let wish: Wish = store::load("wish")?.unwrap_or_default();
        let options = self.options.clone().with(&wish);
        let local = clock::local(now);
        let mut rooms: Rooms = store::load("rooms")?.unwrap_or_default();
        let mut watched: Vec<WatchedDay> = store::load("watched")?.unwrap_or_default();
        let mut baseline: Option<Baseline> = store::load("baseline")?;
        let mut day: Day = store::load("day")?.unwrap_or_default();
        let heard = Heard::read(&self.survey)?;

        let today = date(&local);
        if day.date != today {
            if day.date != 0 {
                self.close(&day, &mut watched, &mut baseline)?;
            }
            day = Day::begin(today, now);
        }
        let around = around(now, &local, &heard, &options);
        day.add(options.mode, &self.stretch(&heard, &day, now, &local, &options));
        day.last = now;

        let states = match options.mode {
            Mode::Act => self.act(&mut rooms, &heard, &around, &options, &mut day),
            Mode::Watch => self.watch(&mut rooms, &heard, &around, &options)?,
        };

        publish(&heard, &day, baseline.as_ref(), &states)?;
        let midnight = now
            - Time::from(local.hour) * HOUR
            - Time::from(local.minute) * MINUTE
            - Time::from(local.second) * SECOND
            - now.rem_euclid(SECOND);
        let views = self.survey.rooms.iter().zip(&heard.rooms).zip(&states).map(|((room, heard), &state)| {
            let conditioned = matches!(state, State::Cooled | State::Heated);
            let setpoint_c = rooms.get(&room.path).map(|m| m.setpoint_c).filter(|_| conditioned);
            let Reading { temperature_c, co2_ppm, .. } = heard.reading;
            RoomView { path: &room.path, names: &room.names, state, temperature_c, co2_ppm, setpoint_c }
        });
        let view = View {
            options: &options,
            wish: &wish,
            day: &day,
            baseline: baseline.as_ref(),
            watched: watched.len(),
            saved: saved(&records::last::<SavingRecord>("saving", SUMMED_DAYS)?),
            midnight,
            power_kw: heard.power_kw,
            outside_c: heard.outside_c,
            rooms: views.collect(),
            unseen: self.survey.unseen.len(),
        };
        panel::tree(&view).show(panel::PANEL)?;
        store::save("rooms", &rooms)?;
        store::save("day", &day)
    }

    fn on_panel(&mut self, event: &Event) -> Result {
        if (event.panel.as_str(), event.node.as_str()) != (panel::PANEL, panel::FORM) {
            return Ok(());
        }
        let before: Wish = store::load("wish")?.unwrap_or_default();
        let wish = Wish {
            ease_k: match event.entered(panel::EASE) {
                Some(Entered::Number(k)) => k.clamp(0.0, Wish::MOST_K),
                _ => before.ease_k,
            },
            watch: match event.entered(panel::WATCH) {
                Some(Entered::Toggle(watch)) => *watch,
                _ => before.watch,
            },
        };
        if wish != before {
            let Wish { watch, ease_k } = wish;
            records::keep("change", &ChangeRecord { person: event.person.clone(), watch, ease_k })?;
            store::save("wish", &wish)?;
        }
        Ok(())
    }
}

impl EnergySaver {
    /// What was since the last tick.
    fn stretch(&self, heard: &Heard, day: &Day, now: Time, local: &LocalTime, options: &Options) -> Stretch {
        let hours = (now - day.last) as f64 / HOUR as f64;
        let (band, factor) = options.tariff.at(local.month, minute_of_day(local));
        let used = || heard.rooms.iter().filter(|room| room.reading.in_use());
        let known = || used().filter_map(|room| room.reading.temperature_c);
        let comfort = COMFORT_C[0]..=COMFORT_C[1];
        Stretch {
            hours: if hours > LONGEST_GAP_H { 0.0 } else { hours },
            hour: local.hour.into(),
            power_kw: heard.power_kw,
            outside_c: heard.outside_c,
            used_metered: used().filter(|room| room.metered).count() as f64,
            used: known().count() as f64,
            comfortable: known().filter(|c| comfort.contains(c)).count() as f64,
            dear: band.is_dear(),
            price_cny: options.flat_cny * factor,
        }
    }

    /// Takes in what rooms show and lets go of what it held.
    fn watch(
        &self,
        rooms: &mut Rooms,
        heard: &Heard,
        around: &Around,
        options: &Options,
    ) -> Result<Vec<State>> {
        let mut held = Vec::new();
        let mut states = Vec::new();
        for (room, heard) in self.survey.rooms.iter().zip(&heard.rooms) {
            let memory = rooms.entry(room.path.clone()).or_default();
            memory.look(&heard.reading, around, options);
            memory.turn(Want::Off, &heard.reading, around);
            if memory.until > around.now {
                held.extend(room.units.iter().flat_map(|unit| unit.points()));
            }
            memory.until = 0;
            states.push(match heard.reading {
                Reading { temperature_c: None, .. } => State::Silent,
                reading if reading.in_use() => State::Fresh,
                _ => State::Empty,
            });
        }
        if !held.is_empty() {
            commands::relinquish(&held)?;
        }
        Ok(states)
    }

    /// Decides for every room and commands.
    fn act(
        &self,
        rooms: &mut Rooms,
        heard: &Heard,
        around: &Around,
        options: &Options,
        day: &mut Day,
    ) -> Vec<State> {
        let mut wishes = Vec::new();
        let mut waiting = Vec::new();
        for (i, (room, heard)) in self.survey.rooms.iter().zip(&heard.rooms).enumerate() {
            let memory = rooms.entry(room.path.clone()).or_default();
            memory.look(&heard.reading, around, options);
            let wish = memory.wish(&heard.reading, around, options);
            if memory.want == Want::Off && wish != Want::Off {
                let in_use = memory.in_use(around, options);
                waiting.push((i, in_use, memory.need_k(&heard.reading, options)));
            }
            wishes.push(wish);
        }
        let starts: BTreeSet<usize> = admitted(waiting, options.starts_a_minute).into_iter().collect();
        day.starts += starts.len() as u32;
        let mut wanted = Vec::new();
        let mut released = Vec::new();
        let mut states = Vec::new();
        for (i, (room, heard)) in self.survey.rooms.iter().zip(&heard.rooms).enumerate() {
            let memory = rooms.entry(room.path.clone()).or_default();
            let waits = memory.want == Want::Off && wishes[i] != Want::Off && !starts.contains(&i);
            if !waits {
                memory.turn(wishes[i], &heard.reading, around);
            }
            if memory.want == Want::Off && memory.since == around.now {
                // Were they left to lapse, they could do so in the minute of the next start, which a device that has
                // just changed refuses.
                released.extend(room.units.iter().flat_map(Unit::tuning));
            }
            let setpoint_c = memory.setpoint(around, options);
            let new = memory.since == around.now || (memory.setpoint_c - setpoint_c).abs() > 0.01;
            if new || memory.until - around.now <= RENEW_MIN {
                memory.setpoint_c = setpoint_c;
                // Not all are renewed in one minute.
                memory.until = around.now + HOLD_MIN + (i % 4) as i64;
                let expires_s = 60.0 * (memory.until - around.now) as f64;
                let reason = reason(memory, &heard.reading);
                for unit in &room.units {
                    let commands = unit.commands(memory.want, setpoint_c);
                    wanted.extend(commands.map(|(point, value)| {
                        let command = Command::new(point, value, &reason);
                        (i, command.priority(options.slot).expires_s(expires_s))
                    }));
                }
            }
            states.push(match (heard.reading.temperature_c, memory.want) {
                _ if heard.by_hand => State::ByHand,
                (None, _) => State::Silent,
                (_, Want::Cool) => State::Cooled,
                (_, Want::Heat) => State::Heated,
                _ if waits => State::Waiting,
                _ if memory.in_use(around, options) => State::Fresh,
                _ => State::Empty,
            });
        }
        if !released.is_empty()
            && let Err(denial) = commands::relinquish(&released)
        {
            warn!("setpoints of rooms that are off are still held: {denial}");
        }
        let (of_room, wanted): (Vec<usize>, Vec<Command>) = wanted.into_iter().unzip();
        let mut refusal = None;
        for (i, answer) in of_room.into_iter().zip(commands::write(&wanted)) {
            if let Err(denial) = answer {
                day.refused += 1;
                refusal.get_or_insert((i, denial));
                // Tried again at the next tick.
                if let Some(memory) = rooms.get_mut(&self.survey.rooms[i].path) {
                    memory.until = around.now;
                }
            }
        }
        if let Some((i, denial)) = refusal {
            warn!("{}: a command was refused: {denial}", self.survey.rooms[i].path);
        }
        states
    }

    /// A day is over: it is recorded, and learnt from if it only watched.
    fn close(&self, day: &Day, watched: &mut Vec<WatchedDay>, baseline: &mut Option<Baseline>) -> Result {
        let was = day.was();
        let record = DayRecord {
            date: day.date_text(),
            mode: match was {
                Some(Mode::Watch) => "watch",
                Some(Mode::Act) => "act",
                None => "part",
            },
            energy_kwh: day.kwh(),
            dear_kwh: day.dear_kwh,
            cost_cny: day.cost_cny,
            use_h: day.use_h,
            comfort_pct: 100.0 * day.comfort_share().unwrap_or(1.0),
            starts: day.starts,
            refused: day.refused,
        };
        records::keep("day", &record)?;
        match (was, baseline.as_ref()) {
            (Some(Mode::Watch), _) => {
                watched.push(day.watched());
                let too_many = watched.len().saturating_sub(MOST_DAYS);
                watched.drain(..too_many);
                *baseline = Baseline::learn(watched);
                store::save("watched", watched)?;
                store::save("baseline", baseline)?;
            }
            (Some(Mode::Act), Some(known)) => {
                let baseline_kwh = known.kwh(&day.drivers());
                let saving = SavingRecord {
                    date: day.date_text(),
                    baseline_kwh,
                    saved_kwh: baseline_kwh - day.kwh(),
                    plus_minus_kwh: known.day_plus_minus_kwh,
                    baseline_days: known.days,
                    baseline_error_pct: 100.0 * known.error_share,
                    guess: known.is_guess(&day.drivers()),
                };
                records::keep("saving", &saving)?;
            }
            _ => {}
        }
        info!("{}: {:.1} kWh, {} starts", day.date_text(), day.kwh(), day.starts);
        Ok(())
    }
}

/// What the campus shows.
struct Heard {
    rooms: Vec<HeardRoom>,
    outside_c: Option<f64>,
    power_kw: Option<f64>,
}

/// What a room shows.
struct HeardRoom {
    reading: Reading,
    /// Whether it has a power meter.
    metered: bool,
    /// Whether people hold one of its switches or setpoints.
    by_hand: bool,
}

impl Heard {
    /// Reads all that the survey has found, in one call.
    fn read(survey: &Survey) -> Result<Self> {
        let of_room = |room: &survey::Room| {
            let power = room.units.iter().filter_map(|unit| unit.power.map(|(point, _)| point));
            let lists = [&room.temperature, &room.people, &room.presence, &room.co2];
            lists.into_iter().flatten().copied().chain(power).collect::<Vec<Point>>()
        };
        let asked: Vec<Point> =
            survey.outside.iter().copied().chain(survey.rooms.iter().flat_map(of_room)).collect();
        let samples = points::read(&asked)?;
        let by_point: BTreeMap<Point, Sample> =
            asked.into_iter().zip(samples).filter_map(|(point, sample)| Some((point, sample?))).collect();
        let number = |point: &Point| by_point.get(point).and_then(Sample::number);
        let mean = |points: &[Point]| {
            let known: Vec<f64> = points.iter().filter_map(number).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let seen = |points: &[Point]| {
            let good = |s: &&Sample| matches!(s.quality, Quality::Good | Quality::Uncertain);
            let known = points.iter().filter_map(|point| by_point.get(point).filter(good)?.value.as_bool());
            known.reduce(|a, b| a || b)
        };
        let (mut meters, mut heard, mut power_w) = (0, 0, 0.0);
        let mut rooms = Vec::new();
        for room in &survey.rooms {
            let powers = room.units.iter().filter_map(|unit| unit.power);
            for (point, scale) in powers {
                meters += 1;
                if let Some(power) = number(&point) {
                    heard += 1;
                    power_w += power * scale;
                }
            }
            let counted: Vec<f64> = room.people.iter().filter_map(number).collect();
            rooms.push(HeardRoom {
                reading: Reading {
                    temperature_c: mean(&room.temperature),
                    people: (!counted.is_empty()).then(|| counted.iter().sum()),
                    presence: seen(&room.presence),
                    co2_ppm: mean(&room.co2),
                },
                metered: room.units.iter().any(|unit| unit.power.is_some()),
                by_hand: room.units.iter().any(Unit::is_by_hand),
            });
        }
        let enough = meters > 0 && f64::from(heard) >= HEARD * f64::from(meters);
        Ok(Self { rooms, outside_c: mean(&survey.outside), power_kw: enough.then_some(power_w / 1000.0) })
    }
}

impl Unit {
    /// What it is commanded by.
    fn points(&self) -> impl Iterator<Item = Point> {
        self.tuning().chain([self.on])
    }

    /// What says how it runs: nothing, while it is off.
    fn tuning(&self) -> impl Iterator<Item = Point> + use<> {
        [self.setpoint].into_iter().chain(self.mode.map(|(mode, ..)| mode))
    }

    /// Whether people hold its switch or its setpoint.
    fn is_by_hand(&self) -> bool {
        let by_hand = |point| {
            let holding = commands::holds(point).ok().flatten();
            holding.is_some_and(|holding| holding.priority.is_some_and(|slot| slot <= PEOPLE))
        };
        by_hand(self.on) || by_hand(self.setpoint)
    }

    /// What it is to be told: setpoint and mode before the switch.
    fn commands(&self, want: Want, setpoint_c: f64) -> impl Iterator<Item = (Point, Value)> {
        let runs = want != Want::Off;
        let mode = self
            .mode
            .map(|(point, cool, heat)| (point, Value::Choice(if want == Want::Heat { heat } else { cool })));
        let set = runs.then(|| [Some((self.setpoint, Value::Number(setpoint_c))), mode]);
        set.into_iter().flatten().flatten().chain([(self.on, Value::Boolean(runs))])
    }
}

/// What days have saved together and how sure that is, kWh. What a day's baseline is off by has little to do with the next
/// day's, so squares add up; days that were a guess are left out.
fn saved(days: &[(Time, SavingRecord)]) -> Option<panel::Saved> {
    let known = || days.iter().map(|(_, day)| day).filter(|day| !day.guess);
    (known().count() > 0).then(|| panel::Saved {
        days: known().count(),
        kwh: known().map(|day| day.saved_kwh).sum(),
        plus_minus_kwh: known().map(|day| day.plus_minus_kwh.powi(2)).sum::<f64>().sqrt(),
    })
}

fn date(local: &LocalTime) -> u32 {
    u32::try_from(local.year).unwrap_or(0) * 10_000 + u32::from(local.month) * 100 + u32::from(local.day)
}

fn minute_of_day(local: &LocalTime) -> u16 {
    u16::from(local.hour) * 60 + u16::from(local.minute)
}

fn around(now: Time, local: &LocalTime, heard: &Heard, options: &Options) -> Around {
    let minute = minute_of_day(local);
    let table = &options.timetable;
    Around {
        now: now.div_euclid(MINUTE),
        outside_c: heard.outside_c,
        lessons: table.has(local.weekday, minute),
        until_lessons: table.until_start(local.weekday, minute).map(i64::from),
        since_lessons: table.since_start(local.weekday, minute).map(i64::from),
        dear: options.tariff.at(local.month, minute).0.is_dear(),
    }
}

/// Why, for people.
fn reason(memory: &control::Room, reading: &Reading) -> String {
    let c = reading.temperature_c.map_or_else(|| "?".to_owned(), |c| format!("{c:.1}"));
    match memory.want {
        Want::Off => "无人或无需空调 / empty, or no need of it".to_owned(),
        Want::Cool => format!("使用中，室温 {c} °C，制冷 / in use at {c} °C: cooled"),
        Want::Heat => format!("使用中，室温 {c} °C，制热 / in use at {c} °C: heated"),
    }
}

fn publish(heard: &Heard, day: &Day, baseline: Option<&Baseline>, states: &[State]) -> Result {
    let count = |is: &dyn Fn(&State) -> bool| states.iter().filter(|state| is(state)).count() as f64;
    let mut values = vec![
        Derived::good("energy-today", day.kwh()),
        Derived::good("rooms-conditioned", count(&|s| matches!(s, State::Cooled | State::Heated))),
        Derived::good("rooms-in-use", heard.rooms.iter().filter(|room| room.reading.in_use()).count() as f64),
    ];
    if let Some(power_kw) = heard.power_kw {
        values.push(Derived::good("power", power_kw));
    }
    if let Some(share) = day.comfort_share() {
        values.push(Derived::good("comfort-today", 100.0 * share));
    }
    if let Some(baseline) = baseline {
        let drivers = day.drivers();
        let (would, guess) = (baseline.kwh(&drivers), baseline.is_guess(&drivers));
        let saved = would - day.kwh();
        let sure = !guess && saved.abs() > baseline.day_plus_minus_kwh;
        for (id, value, good) in [("baseline-today", would, !guess), ("saved-today", saved, sure)] {
            let quality = if good { Quality::Good } else { Quality::Uncertain };
            values.push(Derived { quality, ..Derived::good(id, value) });
        }
    }
    Ok(points::publish(&values)?)
}

// The names of what a component exports are none that a linker of the host takes.
#[cfg(target_family = "wasm")]
campanile_plugin::export_rule!(EnergySaver);
