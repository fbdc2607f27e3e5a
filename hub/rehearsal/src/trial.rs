//! A proposal tried: some days on device models with changes of setpoints, beside the same days without.

use std::sync::Arc;

use campanile_formats::Epw;
use campanile_model::{
    Accumulation, Actor, Campus, Intent, NetworkKind, PointId, PointKind, Priority, Quality, Timestamp,
    Value, ValueType,
};
use campanile_plugins::Change;
use campanile_world::{Input, World};
use serde::Serialize;

use crate::rehearsal::{Deed, Rehearsal, RehearsalError};
use crate::site::Site;

/// Seconds between two barriers.
const BARRIER_S: f64 = 60.0;
/// Barriers between two looks at comfort.
const LOOK: u64 = 10;
/// The slot of the priority array in which changes are tried: weaker than people's.
const SLOT: u8 = 12;
/// Rooms in use are comfortable between these, °C: in summer no cooling below 26 and in winter no heating above 20 is
/// asked for (国办发〔2007〕42号), and both are comfortable.
const COMFORT_C: [f64; 2] = [20.0, 26.5];

/// A proposal to be tried.
pub struct Trial {
    /// The campus.
    pub campus: Arc<Campus>,
    /// Its weather.
    pub weather: Epw,
    /// A moment of the first day; the days are whole ones.
    pub start: Timestamp,
    /// How many days.
    pub days: u8,
    /// The seed.
    pub seed: u64,
    /// What is changed.
    pub changes: Vec<Change>,
}

/// What some days came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Days {
    /// The energy of the campus, kWh: what its first meters of electricity counted.
    pub energy_kwh: f64,
    /// Of the hours of rooms in use those between 20 °C and 26.5 °C.
    pub comfort_share: f64,
    /// The hours of rooms in use.
    pub used_h: f64,
}

/// With the changes and without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Found {
    /// With.
    pub with: Days,
    /// Without.
    pub without: Days,
}

/// Why a trial comes to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// It was called off.
    #[error("the trial was called off")]
    Cancelled,
    /// The device models.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// Nothing is changed.
    #[error("no setpoint of the campus matches '{0}': nothing would be changed")]
    NothingToChange(String),
}

/// The meters of electricity that no other stands before: what they count is what the campus took.
pub fn first_meters(campus: &Campus) -> Vec<PointId> {
    let mut meters = Vec::new();
    for network in campus.networks.iter().filter(|n| n.kind == NetworkKind::Electricity) {
        let meter = |node: &campanile_model::Node| {
            campus.points_of(node.entity).iter().copied().find(|id| {
                let point = campus.point(*id);
                let counts = matches!(point.accumulation, Accumulation::Counter { .. });
                counts && point.unit == "kW.h" && point.kind == PointKind::Meter
            })
        };
        // A parent comes before its children.
        let mut metered = vec![false; network.nodes.len()];
        for (i, node) in network.nodes.iter().enumerate() {
            let behind = node.parent.is_some_and(|parent| metered.get(parent).copied().unwrap_or(false));
            let own = meter(node);
            metered[i] = behind || own.is_some();
            meters.extend(own.filter(|_| !behind));
        }
    }
    meters
}

/// The temperature and the presence of each room that has both.
pub fn rooms(campus: &Campus) -> Vec<(PointId, PointId)> {
    let room = |entity: usize| {
        let of = |class: &str| {
            let points = campus.points_of(entity).iter().copied();
            points.into_iter().find(|id| campus.point(*id).brick == class)
        };
        Some((of("Zone_Air_Temperature_Sensor")?, of("Occupancy_Sensor")?))
    };
    (0..campus.entities.len()).filter_map(room).collect()
}

fn number(world: &World, point: PointId) -> Option<f64> {
    world.reading(point).filter(|r| r.quality != Quality::Bad).and_then(|r| r.value.as_f64())
}

/// Adds up energy and comfort of a run.
#[derive(Clone, Debug)]
pub struct Ledger {
    meters: Vec<(PointId, Option<f64>, f64)>,
    rooms: Vec<(PointId, PointId)>,
    looks: u64,
    used: u64,
    comfortable: u64,
    look_s: f64,
}

impl Ledger {
    /// Nothing yet; looks come every `look_s` seconds.
    pub fn new(campus: &Campus, look_s: f64) -> Self {
        let meters = first_meters(campus).into_iter().map(|meter| (meter, None, 0.0)).collect();
        Self { meters, rooms: rooms(campus), looks: 0, used: 0, comfortable: 0, look_s }
    }

    /// Looks at the world as it is now.
    pub fn look(&mut self, world: &World) {
        self.looks += 1;
        for (meter, last, sum) in &mut self.meters {
            if let Some(now) = number(world, *meter) {
                // A register that begins anew has counted from nothing.
                *sum += last.map_or(0.0, |last| if now >= last { now - last } else { now });
                *last = Some(now);
            }
        }
        for (temperature, presence) in &self.rooms {
            let used = world.reading(*presence).is_some_and(|r| r.value == Value::Bool(true));
            let Some(celsius) = number(world, *temperature).filter(|_| used) else { continue };
            self.used += 1;
            self.comfortable += u64::from((COMFORT_C[0]..=COMFORT_C[1]).contains(&celsius));
        }
    }

    /// What it came to.
    pub fn days(&self) -> Days {
        Days {
            energy_kwh: self.meters.iter().map(|(.., sum)| sum).sum(),
            comfort_share: if self.used == 0 { 1.0 } else { self.comfortable as f64 / self.used as f64 },
            used_h: self.used as f64 * self.look_s / 3600.0,
        }
    }
}

/// What points are set to, and from which hour of the day to which.
type Setting = (Vec<(PointId, Value)>, f64, f64);

impl Trial {
    /// Tries it. `progress` hears the share done and calls it off by false.
    ///
    /// # Errors
    /// [`TrialError`].
    pub fn run(&self, progress: &mut dyn FnMut(f64) -> bool) -> Result<Found, TrialError> {
        let changes = self.found()?;
        let with = self.days(&changes, &mut |share| progress(share / 2.0))?;
        let without = self.days(&[], &mut |share| progress(0.5 + share / 2.0))?;
        Ok(Found { with, without })
    }

    /// The points of each change, with what they are set to.
    fn found(&self) -> Result<Vec<Setting>, TrialError> {
        let mut found = Vec::new();
        for change in &self.changes {
            let mut points = Vec::new();
            for id in self.campus.points_matching(&change.glob) {
                let point = self.campus.point(id);
                let Some(command) = &point.command else { continue };
                let value = match point.value_type {
                    ValueType::Bool => Value::Bool(change.value >= 0.5),
                    ValueType::Choice => Value::Choice(change.value.clamp(0.0, 65_535.0) as u16),
                    ValueType::Number => {
                        let [low, high] = command.limits.unwrap_or([f64::MIN, f64::MAX]);
                        Value::Number(change.value.clamp(low, high))
                    }
                    ValueType::Text => continue,
                };
                points.push((id, value));
            }
            if points.is_empty() {
                return Err(TrialError::NothingToChange(change.glob.clone()));
            }
            found.push((points, change.from_h, change.to_h));
        }
        Ok(found)
    }

    fn days(&self, changes: &[Setting], progress: &mut dyn FnMut(f64) -> bool) -> Result<Days, TrialError> {
        let zone = jiff::tz::TimeZone::get(&self.campus.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let local = |at: Timestamp| {
            let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            zone.to_datetime(moment)
        };
        let midnight = local(self.start).date().at(0, 0, 0, 0);
        let midnight = zone.to_ambiguous_timestamp(midnight).compatible();
        let start = midnight.map_or(self.start, |moment| Timestamp(moment.as_microsecond()));
        let seconds = f64::from(self.days) * 86_400.0;
        let site = Site::plain(self.campus.clone(), start, seconds, BARRIER_S, self.weather.clone());
        let mut rehearsal = Rehearsal::from_scene(Arc::new(site), self.seed)?;
        let mut ledger = Ledger::new(&self.campus, LOOK as f64 * BARRIER_S);
        let mut on = vec![false; changes.len()];
        ledger.look(rehearsal.world());
        loop {
            let now = local(rehearsal.world().now());
            let hour = f64::from(now.hour()) + f64::from(now.minute()) / 60.0;
            for (held, (points, from_h, to_h)) in on.iter_mut().zip(changes) {
                let wanted = (*from_h..*to_h).contains(&hour);
                if wanted != *held {
                    *held = wanted;
                    points.iter().for_each(|(point, value)| {
                        set(&mut rehearsal, *point, wanted.then(|| value.clone()));
                    });
                }
            }
            if !rehearsal.step(1)? {
                break;
            }
            rehearsal.take_events();
            if rehearsal.barrier().is_multiple_of(LOOK) {
                ledger.look(rehearsal.world());
                if !progress(rehearsal.now_s() / seconds) {
                    return Err(TrialError::Cancelled);
                }
            }
        }
        Ok(ledger.days())
    }
}

fn set(rehearsal: &mut Rehearsal, point: PointId, value: Option<Value>) {
    let intent = Intent {
        point,
        priority: Priority::new(SLOT).unwrap_or(Priority::MANUAL_OPERATOR),
        value,
        expires: None,
        actor: Actor::Engine("trial".into()),
        reason: "proposal".into(),
    };
    // An interlock may refuse it, as on the campus.
    let _ = rehearsal.act(Deed::World { input: Input::Intend { intent: Box::new(intent) } });
}
