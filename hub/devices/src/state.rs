//! The devices' state as bytes, exact to the bit.
//!
//! `CAMPDEVS`, the version (u32, little-endian), the BLAKE3 hash of all that follows (32 bytes), the
//! fingerprint of the campus (32 bytes), and the state as JSON, whose numbers come back as they were. What
//! follows from the campus or from the rest of the state is not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_formats::Epw;
use campanile_model::{Campus, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::devices::{floor, suits, takes};
use crate::machine::MachineState;
use crate::models::Slow;
use crate::overrides::Overrides;
use crate::room::RoomState;
use crate::sky::Sky;
use crate::{Devices, DevicesError};

const MAGIC: &[u8; 8] = b"CAMPDEVS";
const VERSION: u32 = 1;

/// All that the devices' next step follows from, beside campus and weather.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    seed: u64,
    last: Option<Timestamp>,
    time: Timestamp,
    sky: Sky,
    slow: Slow,
    rooms: Vec<RoomState>,
    machines: Vec<MachineState>,
    soil: Vec<f64>,
    /// What each source takes: the flows follow from it.
    sources: Vec<f64>,
    off: BTreeSet<usize>,
    dead: BTreeSet<usize>,
    overrides: Overrides,
    told: Vec<Option<Value>>,
    truths: BTreeMap<u32, Value>,
    register: Vec<f64>,
    sent: Vec<f64>,
    said: Vec<Option<Value>>,
    prompt: BTreeSet<u32>,
}

fn wrong<T>(why: impl Into<String>) -> Result<T, DevicesError> {
    Err(DevicesError::Restore(why.into()))
}

impl State {
    fn of(devices: &Devices) -> Self {
        let models = &devices.models;
        Self {
            seed: models.seed,
            last: devices.last,
            time: models.time,
            sky: models.sky,
            slow: models.slow.clone(),
            rooms: models.rooms.iter().map(|r| r.state.clone()).collect(),
            machines: models.machines.iter().map(|m| m.state.clone()).collect(),
            soil: models.soil.values().copied().collect(),
            sources: models.sources.iter().map(|s| s.value).collect(),
            off: models.off.clone(),
            dead: models.dead.clone(),
            overrides: models.overrides.clone(),
            told: devices.told.clone(),
            truths: devices.truths.clone(),
            register: devices.register.clone(),
            sent: devices.sent.clone(),
            said: devices.said.clone(),
            prompt: devices.prompt.clone(),
        }
    }

    /// Checks what the devices rely on, so that no bytes make them panic.
    fn check(&self, devices: &Devices) -> Result<(), DevicesError> {
        let models = &devices.models;
        let points = &models.campus.points;
        if self.seed != models.seed {
            return wrong("it was saved with another seed: restore it with that one");
        }
        let counts = [
            (self.rooms.len(), models.rooms.len()),
            (self.machines.len(), models.machines.len()),
            (self.soil.len(), models.soil.len()),
            (self.sources.len(), models.sources.len()),
            (self.told.len(), points.len()),
            (self.register.len(), points.len()),
            (self.sent.len(), points.len()),
            (self.said.len(), points.len()),
        ];
        let acs = |(a, b): (&RoomState, &crate::room::Room)| a.acs.len() == b.state.acs.len();
        if counts.iter().any(|(have, need)| have != need) || !self.rooms.iter().zip(&models.rooms).all(acs) {
            return wrong("it has another number of rooms, machines or points than the campus");
        }
        let last = self.last.unwrap_or_default();
        if jiff::Timestamp::from_microsecond(last.0).is_err() || floor(last) != self.time {
            return wrong("its times don't fit together");
        }
        let told = |(point, value): (&campanile_model::Point, &Option<Value>)| {
            value.as_ref().is_none_or(|v| point.command.as_ref().is_some_and(|c| takes(point, c, v)))
        };
        let said = |(point, value): (&campanile_model::Point, &Option<Value>)| {
            value.as_ref().is_none_or(|v| suits(point, v))
        };
        let truth = |(&index, value): (&u32, &Value)| {
            points
                .get(index as usize)
                .is_some_and(|p| p.command.is_none() && suits(p, value) && !devices.adds_up(p.id))
        };
        let fits = points.iter().zip(&self.told).all(told)
            && points.iter().zip(&self.said).all(said)
            && self.truths.iter().all(truth)
            && self.prompt.iter().all(|&index| (index as usize) < points.len());
        if !fits {
            return wrong("a value in it doesn't fit its point");
        }
        self.overrides.check(models.rooms.len()).map_err(|e| DevicesError::Restore(e.to_string()))
    }

    /// Takes the place of what the devices have; it was checked against them.
    fn put(self, devices: &mut Devices) {
        let models = &mut devices.models;
        models.overrides = self.overrides;
        models.look(self.time);
        (models.sky, models.slow) = (self.sky, self.slow);
        for (room, state) in models.rooms.iter_mut().zip(self.rooms) {
            room.state = state;
        }
        for (machine, state) in models.machines.iter_mut().zip(self.machines) {
            machine.state = state;
        }
        for (moisture, state) in models.soil.values_mut().zip(self.soil) {
            *moisture = state;
        }
        for (source, value) in models.sources.iter_mut().zip(self.sources) {
            source.value = value;
        }
        (models.off, models.dead) = (self.off, self.dead);
        models.tell_supply();
        models.sum();
        (devices.told, devices.truths, devices.said) = (self.told, self.truths, self.said);
        (devices.register, devices.sent) = (self.register, self.sent);
        (devices.prompt, devices.last) = (self.prompt, self.last);
        if let Some(last) = devices.last {
            devices.plan_all(last);
        }
    }
}

/// What a state's numbers mean: it differs between campuses whose points, rooms, machines or loads differ.
fn fingerprint(devices: &Devices) -> [u8; 32] {
    let (models, mut hasher) = (&devices.models, blake3::Hasher::new());
    let mut add = |text: String| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    let path = |entity: usize| &models.campus.entities[entity].path;
    for p in &models.campus.points {
        add(format!("{} {:?} {} {}", p.path, p.value_type, p.unit, p.choices.len()));
    }
    for room in &models.rooms {
        add(format!("{} {:?} {}", path(room.spec.entity), room.spec.use_, room.state.acs.len()));
    }
    for machine in &models.machines {
        add(format!("{} {:?}", path(machine.entity), machine.kind));
    }
    for source in &models.sources {
        add(format!("{} {:?}", path(source.entity), source.load));
    }
    *hasher.finalize().as_bytes()
}

/// Puts magic, version and checksum before a content.
pub(crate) fn seal(content: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend(blake3::hash(content).as_bytes());
    out.extend(content);
    out
}

impl Devices {
    /// The whole state as bytes. What [`Devices::restore`] makes of them goes on exactly as these devices do.
    pub fn save(&self) -> Vec<u8> {
        seal(&self.content())
    }

    /// A hash of the whole state and of which campus it is of; equal states have equal hashes.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.content()).as_bytes()
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        let mut content = fingerprint(self).to_vec();
        // Plain data into memory can't fail; were it to, the state would be refused when it is restored.
        content.extend(serde_json::to_vec(&State::of(self)).unwrap_or_default());
        content
    }

    /// Devices that go on from a saved state. Campus, weather and seed have to be those that it was saved
    /// with.
    ///
    /// # Errors
    /// Where the devices can't be made (see [`Devices::new`]), or the bytes are no state, damaged, of another
    /// version, campus or seed.
    pub fn restore(campus: Arc<Campus>, weather: Epw, seed: u64, bytes: &[u8]) -> Result<Self, DevicesError> {
        let mut devices = Self::new(campus, weather, seed)?;
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return wrong("it does not begin with CAMPDEVS");
        };
        let Some((version, rest)) = rest.split_first_chunk::<4>() else {
            return wrong("it is cut off");
        };
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return wrong(format!("it is of version {version}, this program reads version {VERSION}"));
        }
        let Some((sum, content)) = rest.split_first_chunk::<32>() else {
            return wrong("it is cut off");
        };
        if sum != blake3::hash(content).as_bytes() {
            return wrong("its checksum differs: the bytes are damaged");
        }
        match content.split_first_chunk::<32>() {
            Some((campus, json)) if *campus == fingerprint(&devices) => {
                let state: State =
                    serde_json::from_slice(json).map_err(|e| DevicesError::Restore(e.to_string()))?;
                state.check(&devices)?;
                state.put(&mut devices);
                Ok(devices)
            }
            _ => wrong("it is of another campus: its points, rooms, machines or networks differ"),
        }
    }
}
