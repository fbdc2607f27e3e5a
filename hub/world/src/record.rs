//! The inputs of a world, written down so that they can be applied again.
//!
//! A record is the magic bytes `CAMPWREC`, the version (`u32`), then frames: a kind (`u8`), the length of the payload
//! (`u32`), the payload, and the first four bytes of its BLAKE3 hash. All numbers are little-endian. Frames:
//!
//! | kind | payload |
//! |---|---|
//! | 1 | the head, JSON: the campus, a hash of what its world checks, the state to begin with |
//! | 2 | samples: of each the point `u32`, the time `i64`, the type in the upper and the quality in the lower half of a `u8`, then 8 bytes of value, or of a text its length in these and its bytes behind them |
//! | 3 | another input, JSON of [`Input`] |
//! | 4 | the state's hash at this place, 32 bytes |
//!
//! A record that was cut off, by a fall of power or a full disk, replays up to its last whole frame.

use std::io::{Read, Write};
use std::sync::Arc;

use campanile_model::{Intent, PointId, Quality, Sample, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, Window};
use crate::command::{Array, Refusal};
use crate::notice::{Notice, Notification};
use crate::schema::Schema;
use crate::world::{Event, World};

const MAGIC: &[u8; 8] = b"CAMPWREC";
const VERSION: u32 = 1;
/// No frame is longer; a longer one is no record of ours.
const MAX_FRAME: u32 = 256 * 1024 * 1024;
const HEAD: u8 = 1;
const SAMPLES: u8 = 2;
const INPUT: u8 = 3;
const HASH: u8 = 4;

/// One input of a world. Alarms are named by their number: the index of their rule, and behind those the alarms of plugins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "input")]
pub enum Input {
    /// See [`World::apply_samples`].
    Samples {
        /// In order.
        samples: Vec<Sample>,
    },
    /// See [`World::tick`].
    Tick {
        /// The new time.
        now: Timestamp,
    },
    /// See [`World::set_back`].
    SetBack {
        /// The new time.
        now: Timestamp,
    },
    /// See [`World::source_lost`].
    SourceLost {
        /// The points of the source.
        points: Arc<[PointId]>,
    },
    /// See [`World::source_back`].
    SourceBack {
        /// The points of the source.
        points: Arc<[PointId]>,
    },
    /// See [`World::intend`].
    Intend {
        /// What is intended.
        intent: Box<Intent>,
    },
    /// See [`World::acknowledge`].
    Acknowledge {
        /// The alarm.
        rule: u32,
        /// Who.
        by: Arc<str>,
        /// What they said.
        comment: Arc<str>,
    },
    /// See [`World::shelve`].
    Shelve {
        /// The alarm.
        rule: u32,
        /// Until when.
        until: Timestamp,
        /// Who.
        by: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// See [`World::unshelve`].
    Unshelve {
        /// The alarm.
        rule: u32,
    },
    /// See [`World::set_out_of_service`].
    OutOfService {
        /// The alarm.
        rule: u32,
        /// Who and why; `None`: back into service.
        who: Option<(Arc<str>, Arc<str>)>,
    },
    /// See [`World::notify`].
    Notify {
        /// What a plugin says.
        said: Box<Notification>,
    },
}

impl World {
    /// Applies an input; whether it changed what it was to change.
    ///
    /// # Errors
    /// [`Refusal`] of an intent; then nothing changed.
    pub fn apply(&mut self, input: &Input, events: &mut Vec<Event>) -> Result<bool, Refusal> {
        match input {
            Input::Samples { samples } => self.apply_samples(samples, events),
            Input::Tick { now } => self.tick(*now, events),
            Input::SetBack { now } => self.set_back(*now),
            Input::SourceLost { points } => self.source_lost(points, events),
            Input::SourceBack { points } => self.source_back(points, events),
            Input::Intend { intent } => self.intend(intent, events)?,
            Input::Acknowledge { rule, by, comment } => {
                return Ok(self.acknowledge(*rule, by, comment, events));
            }
            Input::Shelve { rule, until, by, reason } => {
                return Ok(self.shelve(*rule, *until, by, reason, events));
            }
            Input::Unshelve { rule } => return Ok(self.unshelve(*rule, events)),
            Input::OutOfService { rule, who } => {
                let who = who.as_ref().map(|(by, why)| (&**by, &**why));
                return Ok(self.set_out_of_service(*rule, who, events));
            }
            Input::Notify { said } => return Ok(self.notify(said, events)),
        }
        Ok(true)
    }
}

/// The whole state of a world, to go on from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(crate) now: Timestamp,
    pub(crate) started: Timestamp,
    pub(crate) readings: Vec<(PointId, Timestamp, Value, Quality)>,
    pub(crate) arrays: Vec<(PointId, Array)>,
    pub(crate) alarms: Vec<(u32, Alarm)>,
    pub(crate) windows: Vec<(u32, Window)>,
    #[serde(default)]
    pub(crate) notices: Vec<Notice>,
}

/// What a record says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    campus: String,
    schema: String,
    checkpoint: Checkpoint,
}

/// Why a record can't be written or replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Reading or writing failed.
    #[error("the record can't be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// It begins otherwise than a record.
    #[error("this is no record of a world's inputs: it does not begin with CAMPWREC")]
    NotARecord,
    /// It is of another version.
    #[error(
        "the record has version {0}; this program reads version {VERSION}: use the program that wrote it"
    )]
    Version(u32),
    /// It is of another campus, or that campus was changed since.
    #[error(
        "the record is of the campus '{recorded}' as it was then, and what its world checks differs from that of '{given}': replay it with the campus' folder as it was"
    )]
    OtherCampus {
        /// Of which it is.
        recorded: String,
        /// Which was given.
        given: String,
    },
    /// A frame is damaged, with more behind it.
    #[error("frame {frame} of the record is damaged: {why}")]
    Damaged {
        /// Which frame, from 1.
        frame: u64,
        /// What is wrong.
        why: String,
    },
}

/// Writes a record.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> Recorder<W> {
    /// Begins a record with the world as it is.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn start(out: W, campus: &str, world: &World) -> Result<Self, RecordError> {
        let mut recorder = Self { out, buffer: Vec::new() };
        recorder.out.write_all(MAGIC)?;
        recorder.out.write_all(&VERSION.to_le_bytes())?;
        let (campus, schema) = (campus.to_owned(), world.schema().fingerprint());
        let head = Head { campus, schema, checkpoint: world.checkpoint() };
        recorder.json(HEAD, &head)?;
        Ok(recorder)
    }

    /// Writes samples down.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn samples(&mut self, samples: &[Sample]) -> Result<(), RecordError> {
        if samples.is_empty() {
            return Ok(());
        }
        self.buffer.clear();
        samples.iter().for_each(|sample| write_sample(&mut self.buffer, sample));
        self.frame(SAMPLES)
    }

    /// Writes another input down.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn input(&mut self, input: &Input) -> Result<(), RecordError> {
        match input {
            Input::Samples { samples } => self.samples(samples),
            other => self.json(INPUT, other),
        }
    }

    /// Writes down the world's hash, so that a replay finds where it goes astray, and hands over what is written.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn hash(&mut self, world: &mut World) -> Result<(), RecordError> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&world.hash());
        self.frame(HASH)?;
        Ok(self.out.flush()?)
    }

    fn json(&mut self, kind: u8, body: &impl Serialize) -> Result<(), RecordError> {
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, body).map_err(std::io::Error::other)?;
        self.frame(kind)
    }

    fn frame(&mut self, kind: u8) -> Result<(), RecordError> {
        self.out.write_all(&[kind])?;
        self.out.write_all(&(self.buffer.len() as u32).to_le_bytes())?;
        self.out.write_all(&self.buffer)?;
        Ok(self.out.write_all(&blake3::hash(&self.buffer).as_bytes()[..4])?)
    }
}

/// What a replay did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replayed {
    /// The campus.
    pub campus: String,
    /// The time of the world at the start.
    pub from: Timestamp,
    /// The time of the world at the end.
    pub to: Timestamp,
    /// Samples applied.
    pub samples: u64,
    /// Other inputs applied.
    pub inputs: u64,
    /// Events that came of it.
    pub events: u64,
    /// Hashes of the record that the replay came to as well.
    pub hashes_equal: u64,
    /// The hash at which it went astray, as the place among the hashes from 1; `None`: at none.
    pub first_different: Option<u64>,
    /// Whether the record was cut off in the middle of a frame.
    pub cut_off: bool,
    /// The state's hash at the end.
    pub hash: String,
}

/// Applies a record again, to a world of the same campus. `progress` hears how many inputs were applied, now and then,
/// and ends it early by `false`.
///
/// # Errors
/// [`RecordError`].
pub fn replay(
    mut from: impl Read,
    campus: &str,
    schema: &Arc<Schema>,
    mut progress: impl FnMut(u64) -> bool,
) -> Result<(World, Replayed), RecordError> {
    let mut start = [0; 12];
    from.read_exact(&mut start).map_err(|_| RecordError::NotARecord)?;
    if &start[..8] != MAGIC {
        return Err(RecordError::NotARecord);
    }
    let version = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
    if version != VERSION {
        return Err(RecordError::Version(version));
    }
    let mut frames = Frames { from, count: 0, cut_off: false };
    let damaged = |frame, why: &dyn std::fmt::Display| RecordError::Damaged { frame, why: why.to_string() };
    let Some((HEAD, head)) = frames.next()? else { return Err(damaged(1, &"the head is missing")) };
    let head: Head = serde_json::from_slice(&head).map_err(|why| damaged(1, &why))?;
    if head.schema != schema.fingerprint() {
        return Err(RecordError::OtherCampus { recorded: head.campus, given: campus.to_owned() });
    }
    let mut world = World::resume(schema.clone(), head.checkpoint);
    let mut did = Replayed {
        campus: head.campus,
        from: world.now(),
        to: world.now(),
        samples: 0,
        inputs: 0,
        events: 0,
        hashes_equal: 0,
        first_different: None,
        cut_off: false,
        hash: String::new(),
    };
    let mut events = Vec::new();
    while let Some((kind, body)) = frames.next()? {
        match kind {
            SAMPLES => {
                let samples =
                    read_samples(&body).ok_or_else(|| damaged(frames.count, &"a sample is cut off"))?;
                did.samples += samples.len() as u64;
                world.apply_samples(&samples, &mut events);
            }
            INPUT => {
                let input: Input =
                    serde_json::from_slice(&body).map_err(|why| damaged(frames.count, &why))?;
                did.inputs += 1;
                // A refusal then is a refusal now.
                let _ = world.apply(&input, &mut events);
            }
            HASH if body[..] == world.hash() => did.hashes_equal += 1,
            HASH => drop(did.first_different.get_or_insert(did.hashes_equal + 1)),
            other => return Err(damaged(frames.count, &format!("it is of the unknown kind {other}"))),
        }
        did.events += events.len() as u64;
        events.clear();
        if frames.count.is_multiple_of(256) && !progress(did.samples + did.inputs) {
            break;
        }
    }
    did.cut_off = frames.cut_off;
    did.to = world.now();
    did.hash = world.hash().iter().map(|b| format!("{b:02x}")).collect();
    Ok((world, did))
}

struct Frames<R> {
    from: R,
    count: u64,
    cut_off: bool,
}

impl<R: Read> Frames<R> {
    fn next(&mut self) -> Result<Option<(u8, Vec<u8>)>, RecordError> {
        self.count += 1;
        let mut start = [0; 5];
        match self.fill(&mut start)? {
            0 => return Ok(None),
            5 => {}
            _ => return Ok(self.cut()),
        }
        let length = u32::from_le_bytes([start[1], start[2], start[3], start[4]]);
        if length > MAX_FRAME {
            return Err(RecordError::Damaged {
                frame: self.count,
                why: format!("{length} bytes is too long"),
            });
        }
        let mut body = Vec::new();
        // Grows with what is there, not with what is promised.
        (&mut self.from).take(u64::from(length) + 4).read_to_end(&mut body)?;
        if body.len() < length as usize + 4 {
            return Ok(self.cut());
        }
        let sum = body.split_off(length as usize);
        if sum[..] != blake3::hash(&body).as_bytes()[..4] {
            let why = "its checksum differs".to_owned();
            return Err(RecordError::Damaged { frame: self.count, why });
        }
        Ok(Some((start[0], body)))
    }

    fn cut(&mut self) -> Option<(u8, Vec<u8>)> {
        self.cut_off = true;
        None
    }

    fn fill(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut got = 0;
        while got < into.len() {
            match self.from.read(&mut into[got..])? {
                0 => break,
                n => got += n,
            }
        }
        Ok(got)
    }
}

fn write_sample(out: &mut Vec<u8>, sample: &Sample) {
    let (kind, bits) = match &sample.value {
        Value::Number(x) => (0, x.to_bits()),
        Value::Bool(b) => (1, u64::from(*b)),
        Value::Choice(c) => (2, u64::from(*c)),
        Value::Text(text) => (3, text.len() as u64),
    };
    out.extend_from_slice(&sample.point.0.to_le_bytes());
    out.extend_from_slice(&sample.time.0.to_le_bytes());
    out.push(kind << 4 | sample.quality as u8);
    out.extend_from_slice(&bits.to_le_bytes());
    if let Value::Text(text) = &sample.value {
        out.extend_from_slice(text.as_bytes());
    }
}

fn read_samples(mut from: &[u8]) -> Option<Vec<Sample>> {
    let mut samples = Vec::new();
    while !from.is_empty() {
        let (fixed, rest) = from.split_at_checked(21)?;
        from = rest;
        let bits = u64::from_le_bytes(fixed[13..].try_into().ok()?);
        let value = match fixed[12] >> 4 {
            0 => Value::Number(f64::from_bits(bits)),
            1 => Value::Bool(bits != 0),
            2 => Value::Choice(u16::try_from(bits).ok()?),
            3 => {
                let (text, rest) = from.split_at_checked(usize::try_from(bits).ok()?)?;
                from = rest;
                Value::Text(std::str::from_utf8(text).ok()?.into())
            }
            _ => return None,
        };
        samples.push(Sample {
            point: PointId(u32::from_le_bytes(fixed[..4].try_into().ok()?)),
            time: Timestamp(i64::from_le_bytes(fixed[4..12].try_into().ok()?)),
            value,
            quality: Quality::from_u8(fixed[12] & 15)?,
        });
    }
    Some(samples)
}
