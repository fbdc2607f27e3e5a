//! A flood as bytes and back, exactly.
//!
//! Little-endian: `CFLO`, a version, the digest of the input, the state, and blake3 over all before it. Of a
//! row of cells only the part with water is there. How many rooms, drains and so on there are is the input's
//! matter.

use std::sync::Arc;

use crate::faces::Faces;
use crate::flood::{Counters, Flood};
use crate::quantum::{self, Carry};
use crate::survey::Peaks;
use crate::threads::Threads;
use crate::water::{DRY_M, Span};
use crate::{FloodInput, InputError};

const MAGIC: &[u8; 4] = b"CFLO";
const VERSION: u16 = 1;

/// No water of ours is faster, m/s; a forged speed would shorten the sub-steps to nothing.
const FASTEST_M_S: f64 = 1e4;

/// Why saved bytes cannot be taken up again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RestoreError {
    /// The input itself.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not what [`Flood::save`] gave, or not all of it.
    #[error("these are no saved flood: {0}; save it again")]
    Damaged(&'static str),
    /// Of a version that this build cannot read.
    #[error(
        "the flood was saved as version {0}, this build reads version {VERSION}; run it anew from its input"
    )]
    Version(u16),
    /// Saved from another input.
    #[error("the flood was saved from another input; restore it with the input that it was made from")]
    OtherInput,
}

use RestoreError::Damaged;

impl Flood {
    /// The whole state, for [`Flood::restore`].
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = self.state();
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        bytes
    }

    /// Tells states apart: equal ones have equal hashes, on every machine.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.state()).as_bytes()
    }

    fn state(&self) -> Vec<u8> {
        let mut to = Writer(Vec::new());
        to.0.extend_from_slice(MAGIC);
        to.0.extend_from_slice(&VERSION.to_le_bytes());
        to.0.extend_from_slice(&self.setup.digest);
        to.f64(self.time_s);
        to.f64(self.step_s);
        to.optional(self.rain_now);
        to.f64(self.rain_carry.0);
        self.roof_carries.iter().for_each(|carry| to.f64(carry.0));
        self.stages_now.iter().for_each(|&level| to.optional(level));
        self.barriers_up.iter().for_each(|&up| to.bool(up));
        for room in &self.rooms {
            to.i64(room.holds);
            to.i64(room.inflow);
        }
        for link in &self.links {
            to.f64(link.open);
            to.i64(link.passed);
        }
        for drain in &self.drains {
            to.f64(drain.free);
            [drain.out, drain.back, drain.pumped].into_iter().for_each(|n| to.i64(n));
            [drain.all_out, drain.all_back].into_iter().for_each(|n| to.i128(n));
            to.f64(drain.capacity_m3_s);
        }
        for pump in &self.pumps {
            to.bool(pump.on);
            to.i64(pump.moved);
            to.i128(pump.all);
        }
        let mut ledger = self.ledger;
        ledger_fields(&mut ledger).into_iter().for_each(|n| to.i128(*n));
        let mut counters = self.counters;
        counter_fields(&mut counters).into_iter().for_each(|n| to.u64(*n));
        let (nx, water, peaks) = (self.setup.terrain.nx, &self.water, &self.peaks);
        for (row, &wet) in water.wet.iter().enumerate() {
            to.cells(row * nx, wet, [&water.depth, &water.u, &water.v]);
            let seen = &peaks.depth[row * nx..(row + 1) * nx];
            to.cells(row * nx, filled(seen), [&peaks.depth, &peaks.speed, &peaks.hazard, &peaks.arrival]);
        }
        to.0
    }

    /// Takes up a flood where it was saved.
    ///
    /// # Errors
    /// When the input cannot be computed, or the bytes are of another input or version, or damaged.
    pub fn restore(input: FloodInput, bytes: &[u8]) -> Result<Self, RestoreError> {
        let body = bytes.len().checked_sub(32).ok_or(Damaged("too short"))?;
        let (body, sum) = bytes.split_at(body);
        let mut from = Reader(body);
        if from.take::<4>()? != *MAGIC {
            return Err(Damaged("the beginning is not CFLO"));
        }
        let version = u16::from_le_bytes(from.take()?);
        if version != VERSION {
            return Err(RestoreError::Version(version));
        }
        if blake3::hash(body).as_bytes() != sum {
            return Err(Damaged("the checksum is wrong"));
        }
        let fresh = Self::new(input)?;
        if from.take::<32>()? != fresh.setup.digest {
            return Err(RestoreError::OtherInput);
        }
        let mut flood = fresh.blank();
        flood.read(&mut from)?;
        if !from.0.is_empty() {
            return Err(Damaged("there is more than a flood"));
        }
        flood.faces = Arc::new(Faces::new(&flood.setup.input, &flood.setup.terrain, &flood.barriers_up));
        // Finds what it found when the flood was saved: the peaks had seen this water already.
        flood.survey(&Threads::one());
        Ok(flood)
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        let setup = Arc::clone(&self.setup);
        self.time_s = from.at_least_zero()?;
        self.step_s = from.at_least_zero()?;
        self.rain_now = from.optional()?;
        self.rain_carry = Carry(from.share()?);
        for carry in &mut self.roof_carries {
            *carry = Carry(from.share()?);
        }
        for level in &mut self.stages_now {
            *level = from.optional()?;
        }
        for up in &mut self.barriers_up {
            *up = from.bool()?;
        }
        for (room, input) in self.rooms.iter_mut().zip(&setup.input.rooms) {
            let most = (input.area_m2 * input.height_m / setup.terrain.quantum_m3()) as i64;
            room.holds = from.i64()?;
            room.inflow = from.i64()?;
            if !(0..=most).contains(&room.holds) {
                return Err(Damaged("a room holds what it cannot"));
            }
        }
        for link in &mut self.links {
            link.open = from.share()?;
            link.passed = from.i64()?;
        }
        for drain in &mut self.drains {
            drain.free = from.share()?;
            (drain.out, drain.back, drain.pumped) = (from.i64()?, from.i64()?, from.i64()?);
            (drain.all_out, drain.all_back) = (from.total()?, from.total()?);
            drain.capacity_m3_s = from.at_least_zero()?;
        }
        for pump in &mut self.pumps {
            pump.on = from.bool()?;
            pump.moved = from.i64()?;
            pump.all = from.total()?;
        }
        for field in ledger_fields(&mut self.ledger) {
            *field = from.total()?;
        }
        for field in counter_fields(&mut self.counters) {
            *field = u64::from_le_bytes(from.take()?);
        }
        self.read_cells(from)
    }

    fn read_cells(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        let setup = Arc::clone(&self.setup);
        let (nx, water) = (setup.terrain.nx, &mut self.water);
        let Peaks { depth, speed, hazard, arrival } = &mut self.peaks;
        for row in 0..setup.terrain.ny {
            water.wet[row] = from.cells(nx, row * nx, [&mut water.depth, &mut water.u, &mut water.v])?;
            for cell in water.wet[row].range().map(|i| row * nx + i) {
                let (depth, moves) = (water.depth[cell], water.u[cell] != 0.0 || water.v[cell] != 0.0);
                let whole = (0.0..1e6).contains(&depth) && quantum::depth_m(quantum::count(depth)) == depth;
                let blocked = setup.terrain.blocked(cell) && depth > 0.0;
                let slow = water.u[cell].abs() <= FASTEST_M_S && water.v[cell].abs() <= FASTEST_M_S;
                if !whole || blocked || !slow || (moves && depth <= DRY_M) {
                    return Err(Damaged("a cell holds what it cannot"));
                }
            }
            from.cells(nx, row * nx, [&mut *depth, &mut *speed, &mut *hazard, &mut *arrival])?;
            let in_row = row * nx..(row + 1) * nx;
            let sound = |all: &[f64]| all[in_row.clone()].iter().all(|&x| x >= 0.0);
            if ![&*depth, &*speed, &*hazard, &*arrival].into_iter().all(|all| sound(all)) {
                return Err(Damaged("a cell has seen what it cannot"));
            }
        }
        Ok(())
    }
}

fn ledger_fields(ledger: &mut crate::balance::Ledger) -> [&mut i128; 9] {
    [
        &mut ledger.initial,
        &mut ledger.rain,
        &mut ledger.roofs,
        &mut ledger.stages_in,
        &mut ledger.stages_out,
        &mut ledger.edges_out,
        &mut ledger.drains_out,
        &mut ledger.drains_back,
        &mut ledger.pumps_out,
    ]
}

fn counter_fields(counters: &mut Counters) -> [&mut u64; 4] {
    [&mut counters.sub_steps, &mut counters.retries, &mut counters.cell_updates, &mut counters.wet_cells]
}

/// From the first cell that has seen water to the last.
fn filled(row: &[f64]) -> Span {
    let first = row.iter().position(|&x| x > 0.0).unwrap_or(0);
    let high = row.iter().rposition(|&x| x > 0.0).map_or(first, |last| last + 1);
    Span { low: first, high }
}

struct Writer(Vec<u8>);

impl Writer {
    fn f64(&mut self, x: f64) {
        self.0.extend_from_slice(&x.to_le_bytes());
    }

    fn i64(&mut self, n: i64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn i128(&mut self, n: i128) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn bool(&mut self, yes: bool) {
        self.0.push(u8::from(yes));
    }

    fn optional(&mut self, x: Option<f64>) {
        self.bool(x.is_some());
        self.f64(x.unwrap_or(0.0));
    }

    fn cells<const N: usize>(&mut self, row: usize, span: Span, fields: [&Vec<f64>; N]) {
        self.0.extend_from_slice(&(span.low as u32).to_le_bytes());
        self.0.extend_from_slice(&(span.high as u32).to_le_bytes());
        for field in fields {
            field[row + span.low..row + span.high].iter().for_each(|&x| self.f64(x));
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Damaged("the end is missing"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn f64(&mut self) -> Result<f64, RestoreError> {
        Ok(f64::from_le_bytes(self.take()?))
    }

    fn at_least_zero(&mut self) -> Result<f64, RestoreError> {
        let x = self.f64()?;
        if x.is_finite() && x >= 0.0 { Ok(x) } else { Err(Damaged("a number is negative or none")) }
    }

    fn share(&mut self) -> Result<f64, RestoreError> {
        let x = self.f64()?;
        if (0.0..=1.0).contains(&x) { Ok(x) } else { Err(Damaged("a share is not from 0 to 1")) }
    }

    fn i64(&mut self) -> Result<i64, RestoreError> {
        Ok(i64::from_le_bytes(self.take()?))
    }

    /// A total of quanta: far from what overflows a sum.
    fn total(&mut self) -> Result<i128, RestoreError> {
        let n = i128::from_le_bytes(self.take()?);
        if (0..1 << 120).contains(&n) { Ok(n) } else { Err(Damaged("a total is out of range")) }
    }

    fn bool(&mut self) -> Result<bool, RestoreError> {
        match self.take::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Damaged("a flag is neither 0 nor 1")),
        }
    }

    fn optional(&mut self) -> Result<Option<f64>, RestoreError> {
        let (some, x) = (self.bool()?, self.f64()?);
        if x.is_finite() { Ok(some.then_some(x)) } else { Err(Damaged("a number is none")) }
    }

    fn cells<const N: usize>(
        &mut self,
        nx: usize,
        row: usize,
        fields: [&mut Vec<f64>; N],
    ) -> Result<Span, RestoreError> {
        let low = u32::from_le_bytes(self.take()?) as usize;
        let high = u32::from_le_bytes(self.take()?) as usize;
        if low > high || high > nx {
            return Err(Damaged("a row is longer than the grid"));
        }
        for field in fields {
            for x in &mut field[row + low..row + high] {
                *x = f64::from_le_bytes(self.take()?);
            }
        }
        Ok(Span { low, high })
    }
}
