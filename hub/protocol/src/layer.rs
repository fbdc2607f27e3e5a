//! Layers: what engines show besides points, in few bytes.
//!
//! A **grid** has a number a cell (the depth of water), **zones** have a few numbers a space (the water in a room),
//! **agents** are people. What a layer means, where it lies and how its numbers are quantised stands in its
//! [`LayerInfo`]; a [`LayerFrame`] brings its newest state as one binary WebSocket message. A frame is whole (a key)
//! or says what differs from the frame before it; the hub makes it when it sends it, against what this client has, so
//! that a slow client gets fewer frames and never old ones.
//!
//! All numbers are little-endian. `varint` is LEB128 of at most 32 bits; a signed number is folded
//! (0, −1, 1, −2 … as 0, 1, 2, 3 …).
//!
//! | bytes | what |
//! |---|---|
//! | 2 | `CL` in ASCII |
//! | 1 | layout version, 1 |
//! | 1 | kind: 0 grid, 1 zones, 2 agents |
//! | 1 | flags: bit 0 is set for a key; the others are 0 |
//! | 3 | zero |
//! | 4 | the layer, index in the list of layers, `u32` |
//! | 4 | number of the frame within the layer on this connection, `u32`, from 0; what differs is against the one before |
//! | 8 | time of the world, microseconds UTC, `i64` |
//! | 4 | count: cells, numbers of zones, or people, `u32` |
//! | … | the body |
//!
//! The body of a grid or of zones is a run of varints over the numbers in order: `0, n` skips `n` numbers that are as
//! before (in a key: as the number before, the first as 0); any other is the folded difference.
//!
//! The body of agents: a varint of how many are as before, then of the next one a byte (bit 0 moved in the plan, bit 1
//! height, bit 2 state, bit 3 heading) and what it announces: differences of `x` and `y`, of `z`, the state (a byte), the
//! heading (a byte). In a key all differ, against zeros.

use campanile_model::{Names, Path, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod codec;
#[cfg(test)]
mod tests;

use crate::limits::{MAX_FRAME_BYTES, MAX_LAYER_NUMBERS};
use codec::{Reader, Writer};

const MAGIC: [u8; 2] = *b"CL";
const LAYOUT: u8 = 1;
const HEADER: usize = 28;

/// What a layer is and where it lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct LayerInfo {
    /// Names the layer, such as `water`.
    pub id: String,
    /// Its names for people.
    #[schema(value_type = Object)]
    pub names: Names,
    /// What its numbers are.
    pub shape: LayerShape,
}

/// The shape of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LayerShape {
    /// A number a cell, row by row from the south, each from the west.
    Grid {
        /// Cells from west to east.
        nx: u32,
        /// Cells from south to north.
        ny: u32,
        /// The side of a cell, m.
        cell_m: f64,
        /// The south-west corner in the plan, m.
        origin_m: [f64; 2],
        /// The height of each cell's ground above datum, in units of 0.01 m from `ground_from_m`; empty: unknown.
        ground: Vec<u16>,
        /// The height of ground 0, m.
        ground_from_m: f64,
        /// The unit of a number, in `unit`.
        step: f64,
        /// UCUM unit.
        unit: String,
    },
    /// Numbers a space: of each space all its fields before the next space's.
    Zones {
        /// The spaces by path.
        #[schema(value_type = Vec<String>)]
        spaces: Vec<Path>,
        /// What each number is.
        fields: Vec<ZoneField>,
    },
    /// People.
    Agents {
        /// The south-west corner, lowest, in the plan, m.
        origin_m: [f64; 3],
        /// The unit of x, y and z, m.
        step_m: f64,
        /// Of each kind of people its name and how many there are, in the order of the agents.
        kinds: Vec<AgentKind>,
    },
}

/// One number of a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ZoneField {
    /// Names it, such as `depth`.
    pub id: String,
    /// The unit of a number, in `unit`.
    pub step: f64,
    /// UCUM unit.
    pub unit: String,
}

/// People that come after each other in the list of agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AgentKind {
    /// Names the kind, such as `grade-1`.
    pub id: String,
    /// How many.
    pub count: u32,
}

/// What a person does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum AgentState {
    /// Where they were, or told and not yet on their way.
    #[default]
    Waiting = 0,
    /// Walking.
    Walking = 1,
    /// At their goal.
    Arrived = 2,
    /// Gone from the campus.
    Left = 3,
    /// Walking or standing in water that is a danger.
    Endangered = 4,
}

impl AgentState {
    fn of(byte: u8) -> Option<Self> {
        [Self::Waiting, Self::Walking, Self::Arrived, Self::Left, Self::Endangered]
            .get(usize::from(byte))
            .copied()
    }
}

/// A person, quantised: see [`LayerShape::Agents`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// Eastwards in the plan.
    pub x: u16,
    /// Northwards.
    pub y: u16,
    /// Up: the floor they stand on.
    pub z: u16,
    /// Where they face: 256 to a turn, counter-clockwise from `+x`.
    pub heading: u8,
    /// What they do.
    pub state: AgentState,
}

/// The newest state of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerState {
    /// Of a grid.
    Grid(Vec<u16>),
    /// Of zones.
    Zones(Vec<u16>),
    /// Of people.
    Agents(Vec<Agent>),
}

/// A layer's state at a moment, and where it stands in a connection. [`LayerFrame::encode`] and
/// [`LayerFrame::decode`] are inverse to each other, given the same state before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFrame {
    /// Which layer, by its index in the list.
    pub layer: u32,
    /// Counts the layer's frames on the connection.
    pub number: u32,
    /// The world's time.
    pub time: Timestamp,
    /// How it stands.
    pub state: LayerState,
}

/// What stands at the head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerHead {
    /// Which layer, by its index in the list.
    pub layer: u32,
    /// Counts the layer's frames on the connection.
    pub number: u32,
    /// The world's time.
    pub time: Timestamp,
    /// Whether it stands for itself.
    pub key: bool,
}

/// Why bytes are no frame of a layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// It doesn't begin as one does.
    #[error("the message is not a frame of a layer")]
    NotAFrame,
    /// Another layout.
    #[error("the frame of a layer has layout {0}, this program reads 1: use the same version as the hub")]
    Layout(u8),
    /// More than may be.
    #[error("the layer has {got} {what}, at most {limit} may stand")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many.
        got: usize,
        /// How many may stand.
        limit: usize,
    },
    /// It builds on a frame that is not there, or is of another kind or count.
    #[error(
        "frame {number} of layer {layer} builds on one that is not here: subscribe again for a whole one"
    )]
    Base {
        /// Of which layer.
        layer: u32,
        /// Its number.
        number: u32,
    },
    /// The body ends too early, goes on too long, or says what can't be.
    #[error("the body of the frame at byte {at}: {what}")]
    Body {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl LayerState {
    fn kind(&self) -> u8 {
        match self {
            Self::Grid(_) => 0,
            Self::Zones(_) => 1,
            Self::Agents(_) => 2,
        }
    }

    /// How many cells, numbers or people.
    pub fn count(&self) -> usize {
        match self {
            Self::Grid(v) | Self::Zones(v) => v.len(),
            Self::Agents(v) => v.len(),
        }
    }
}

/// Whether a binary message is a frame of a layer rather than of points.
pub fn is_layer_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

impl LayerFrame {
    /// The bytes of the frame: what differs from `before`, or all of it where there is none or it doesn't fit.
    ///
    /// # Errors
    /// [`LayerError::TooLarge`].
    pub fn encode(&self, before: Option<&LayerState>) -> Result<Vec<u8>, LayerError> {
        let count = self.state.count();
        limit("numbers", count, MAX_LAYER_NUMBERS)?;
        let before = before.filter(|b| b.kind() == self.state.kind() && b.count() == count);
        let mut out = Writer::default();
        out.bytes(&MAGIC);
        out.bytes(&[LAYOUT, self.state.kind(), u8::from(before.is_none()), 0, 0, 0]);
        out.bytes(&self.layer.to_le_bytes());
        out.bytes(&self.number.to_le_bytes());
        out.bytes(&self.time.0.to_le_bytes());
        out.bytes(&(count as u32).to_le_bytes());
        match (&self.state, before) {
            (LayerState::Grid(now), Some(LayerState::Grid(was)))
            | (LayerState::Zones(now), Some(LayerState::Zones(was))) => out.numbers(now, Some(was)),
            (LayerState::Grid(now) | LayerState::Zones(now), _) => out.numbers(now, None),
            (LayerState::Agents(now), Some(LayerState::Agents(was))) => out.agents(now, Some(was)),
            (LayerState::Agents(now), _) => out.agents(now, None),
        }
        let bytes = out.into_bytes();
        limit("bytes", bytes.len(), MAX_FRAME_BYTES)?;
        Ok(bytes)
    }

    /// The head of a frame, to find what it builds on.
    ///
    /// # Errors
    /// [`LayerError`].
    pub fn head(bytes: &[u8]) -> Result<LayerHead, LayerError> {
        let mut reader = Reader::new(bytes);
        let (head, _, _) = read_head(&mut reader)?;
        Ok(head)
    }

    /// Reads a frame on top of the state that the frame before left.
    ///
    /// # Errors
    /// [`LayerError`]; hostile bytes give one too.
    pub fn decode(bytes: &[u8], before: Option<&LayerState>) -> Result<Self, LayerError> {
        limit("bytes", bytes.len(), MAX_FRAME_BYTES)?;
        let mut reader = Reader::new(bytes);
        let (head, kind, count) = read_head(&mut reader)?;
        let before = if head.key {
            None
        } else {
            let fits = before.filter(|b| b.kind() == kind && b.count() == count);
            Some(fits.ok_or(LayerError::Base { layer: head.layer, number: head.number })?)
        };
        let numbers = |reader: &mut Reader<'_>| match before {
            Some(LayerState::Grid(was) | LayerState::Zones(was)) => reader.numbers(count, Some(was)),
            _ => reader.numbers(count, None),
        };
        let state = match (kind, before) {
            (0, _) => LayerState::Grid(numbers(&mut reader)?),
            (1, _) => LayerState::Zones(numbers(&mut reader)?),
            (_, Some(LayerState::Agents(was))) => LayerState::Agents(reader.agents(count, Some(was))?),
            _ => LayerState::Agents(reader.agents(count, None)?),
        };
        reader.end()?;
        Ok(Self { layer: head.layer, number: head.number, time: head.time, state })
    }
}

fn read_head(reader: &mut Reader<'_>) -> Result<(LayerHead, u8, usize), LayerError> {
    let head = reader.take(HEADER).map_err(|_| LayerError::NotAFrame)?;
    if head[..2] != MAGIC {
        return Err(LayerError::NotAFrame);
    }
    if head[2] != LAYOUT {
        return Err(LayerError::Layout(head[2]));
    }
    let (kind, flags) = (head[3], head[4]);
    if kind > 2 || flags > 1 || head[5..8] != [0; 3] {
        return Err(LayerError::Body { at: 3, what: "the kind or the flags mean nothing" });
    }
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let mut time = [0; 8];
    time.copy_from_slice(&head[16..24]);
    let count = word(24) as usize;
    limit("numbers", count, MAX_LAYER_NUMBERS)?;
    let head = LayerHead {
        layer: word(8),
        number: word(12),
        time: Timestamp(i64::from_le_bytes(time)),
        key: flags == 1,
    };
    Ok((head, kind, count))
}

fn limit(what: &'static str, got: usize, limit: usize) -> Result<(), LayerError> {
    if got > limit { Err(LayerError::TooLarge { what, got, limit }) } else { Ok(()) }
}
