//! A rehearsal as bytes and back.
//!
//! The magic `CAMPREHR`, the version (`u32`), then parts, each with its length (`u64`) before it: the head as JSON, the
//! devices, the flood, the crowd and the plugins (empty where there is none); at the end the BLAKE3 hash of all before it. All numbers
//! are little-endian.

use std::sync::Arc;

use campanile_crowd::{Crowd, CrowdInput};
use campanile_devices::Devices;
use campanile_flood::Flood;
use campanile_model::Timestamp;
use campanile_plugins::{NoPast, Past, Seat};
use campanile_world::{Checkpoint, World};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::play::Play;
use crate::rehearsal::{Recorded, Rehearsal, RehearsalError};
use crate::seats::{KeptSeat, KeptSeats, Seats};
use crate::site::Site;
use crate::tally::Tally;

const MAGIC: &[u8; 8] = b"CAMPREHR";
const VERSION: u32 = 2;
const HASH: usize = 32;

#[derive(Serialize)]
struct HeadRef<'a> {
    campus: &'a str,
    drill: &'a str,
    seed: u64,
    barrier: u64,
    start: Timestamp,
    world: Checkpoint,
    play: &'a Play,
    tally: &'a Tally,
    deeds: &'a [Recorded],
}

#[derive(Deserialize)]
struct Head {
    campus: String,
    drill: String,
    seed: u64,
    barrier: u64,
    start: Timestamp,
    world: Checkpoint,
    play: Play,
    tally: Tally,
    deeds: Vec<Recorded>,
}

fn wrong(what: impl Into<String>) -> RehearsalError {
    RehearsalError::Saved(what.into())
}

impl Rehearsal {
    /// The whole state at this barrier.
    ///
    /// # Errors
    /// Where it can't be written as JSON, such as a reading that is no number.
    pub fn save(&self) -> Result<Vec<u8>, RehearsalError> {
        let head = HeadRef {
            campus: &self.site.campus.id,
            drill: &self.drill().file.id,
            seed: self.seed,
            barrier: self.barrier,
            start: self.start,
            world: self.world.checkpoint(),
            play: &self.play,
            tally: &self.tally,
            deeds: &self.deeds,
        };
        let head = serde_json::to_vec(&head).map_err(|why| wrong(why.to_string()))?;
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        let flood = self.flood.as_ref().map(Engine::saved).unwrap_or_default();
        let crowd = self.crowd.as_ref().map(Engine::saved).unwrap_or_default();
        let seats = match self.seats.list.is_empty() {
            true => Vec::new(),
            false => serde_json::to_vec(&self.seats.kept()).map_err(|why| wrong(why.to_string()))?,
        };
        for part in [head, self.devices.save(), flood, crowd, seats] {
            out.extend((part.len() as u64).to_le_bytes());
            out.extend(part);
        }
        let hash = blake3::hash(&out);
        out.extend(hash.as_bytes());
        Ok(out)
    }

    /// The rehearsal that was saved, on the same campus and drill, and without plugins.
    ///
    /// # Errors
    /// [`RehearsalError`] where the bytes are spoilt, of another campus or drill, or of one with plugins.
    pub fn restore(site: Arc<Site>, bytes: &[u8]) -> Result<Self, RehearsalError> {
        Self::restore_with(site, bytes, Arc::new(NoPast), &mut |_| None)
    }

    /// The rehearsal that was saved, on the same campus and drill. `seat` gives each plugin its seat anew, with all that
    /// there was of it.
    ///
    /// # Errors
    /// [`RehearsalError`] where the bytes are spoilt, of another campus or drill, or a plugin is not there.
    pub fn restore_with(
        site: Arc<Site>,
        bytes: &[u8],
        before: Arc<dyn Past>,
        seat: &mut dyn FnMut(&KeptSeat) -> Option<Seat>,
    ) -> Result<Self, RehearsalError> {
        let body = bytes.len().checked_sub(HASH).and_then(|n| bytes.split_at_checked(n));
        let (body, hash) = body.ok_or_else(|| wrong("it is too short"))?;
        if !body.starts_with(MAGIC) {
            return Err(wrong("it is no saved rehearsal"));
        }
        if blake3::hash(body).as_bytes() != hash {
            return Err(wrong("it is damaged or was cut off"));
        }
        let mut rest = &body[MAGIC.len()..];
        let version = take(&mut rest, 4)?;
        if version != VERSION.to_le_bytes() {
            return Err(wrong("another version of this program has written it"));
        }
        let mut parts: [&[u8]; 5] = [&[]; 5];
        for part in &mut parts {
            let mut length = [0; 8];
            length.copy_from_slice(take(&mut rest, 8)?);
            let length =
                usize::try_from(u64::from_le_bytes(length)).map_err(|_| wrong("a part is too long"))?;
            *part = take(&mut rest, length)?;
        }
        let [head, devices, flood, crowd, seats] = parts;
        let head: Head = serde_json::from_slice(head).map_err(|why| wrong(why.to_string()))?;
        if head.campus != site.campus.id || head.drill != site.drill.file.id {
            return Err(wrong(format!("it is of the drill {} on {}", head.drill, head.campus)));
        }
        let same_people = |n: usize| head.tally.hazard.len() == n && head.tally.wet_s.len() == n;
        let flood = match &site.flood {
            Some(part) => Some(Flood::restored(&part.input, flood)?),
            None => None,
        };
        let crowd = match &site.crowd {
            Some(part) => {
                let input = CrowdInput { seed: head.seed, ..part.input.clone() };
                Some(Crowd::restored(&input, crowd)?)
            }
            None => None,
        };
        let file = &site.drill.file;
        let fits = head.play.happened_s.len() == file.event.len()
            && head.play.planned_s.len() == file.default.len()
            && head.play.held_s.len() == file.objective.len()
            && head.tally.measures.len() == file.objective.len()
            && same_people(crowd.as_ref().map_or(0, |crowd| crowd.people().count()));
        if !fits {
            return Err(wrong("the drill has been changed since"));
        }
        let devices = Devices::restore(site.campus.clone(), site.weather.clone(), head.seed, devices)?;
        let seats = match seats {
            [] => Seats::default(),
            seats => {
                let kept: KeptSeats = serde_json::from_slice(seats).map_err(|why| wrong(why.to_string()))?;
                let mut list = Vec::new();
                for of in &kept.seats {
                    let gone =
                        || wrong(format!("its plugin '{}' {} is not installed", of.plugin, of.version));
                    list.push(seat(of).ok_or_else(gone)?);
                }
                Seats::taken_up(list, before, kept)
            }
        };
        let mut rehearsal = Self {
            seats,
            heard: 0,
            world: World::resume(site.schema.clone(), head.world),
            seed: head.seed,
            barrier: head.barrier,
            start: head.start,
            devices,
            flood,
            crowd,
            play: head.play,
            tally: head.tally,
            deeds: Arc::new(head.deeds),
            events: Vec::new(),
            told: 0,
            spent: Default::default(),
            site,
        };
        rehearsal.tell_seats_again();
        Ok(rehearsal)
    }
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Result<&'a [u8], RehearsalError> {
    let (taken, left) = rest.split_at_checked(n).ok_or_else(|| wrong("a part is missing"))?;
    *rest = left;
    Ok(taken)
}
