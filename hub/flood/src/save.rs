//! A flood as bytes and back.
//!
//! The magic `CAMPFLOD`, the version (`u32`), a hash of the input (32 bytes), then every number of the state as eight
//! little-endian bytes in a fixed order, and at the end the BLAKE3 hash of all before it.

use crate::balance::{Ledger, Sum};
use crate::flood::Flood;
use crate::input::FloodInput;
use crate::{InputError, RestoreError};

const MAGIC: &[u8; 8] = b"CAMPFLOD";
const VERSION: u32 = 1;
const HASH: usize = 32;

/// What of the input the state depends on: its shape, and where everything lies.
fn fingerprint(input: &FloodInput) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut count = |n: usize| {
        hasher.update(&(n as u64).to_le_bytes());
    };
    count(input.nx);
    count(input.ny);
    let lists = [
        input.stages.len(),
        input.barriers.len(),
        input.roofs.len(),
        input.rooms.len(),
        input.links.len(),
        input.drains.len(),
        input.pumps.len(),
    ];
    lists.into_iter().for_each(&mut count);
    for z in std::iter::once(&input.cell_m).chain(&input.origin_m).chain(&input.bed_m) {
        hasher.update(&z.to_le_bytes());
    }
    for id in input.stages.iter().map(|s| &s.id).chain(input.barriers.iter().map(|b| &b.id)) {
        hasher.update(id.as_bytes());
    }
    hasher.finalize().into()
}

/// Every number of the state, in order; `visit` reads or writes each.
fn visit(flood: &mut Flood, visit: &mut dyn FnMut(&mut f64)) {
    let switch = |on: &mut bool, visit: &mut dyn FnMut(&mut f64)| {
        let mut x = f64::from(u8::from(*on));
        visit(&mut x);
        *on = x != 0.0;
    };
    let maybe = |value: &mut Option<f64>, visit: &mut dyn FnMut(&mut f64)| {
        let mut is = f64::from(u8::from(value.is_some()));
        let mut x = value.unwrap_or(0.0);
        visit(&mut is);
        visit(&mut x);
        *value = (is != 0.0).then_some(x);
    };
    let count = |n: &mut u64, visit: &mut dyn FnMut(&mut f64)| {
        let mut x = f64::from_bits(*n);
        visit(&mut x);
        *n = x.to_bits();
    };
    visit(&mut flood.time_s);
    count(&mut flood.steps, visit);
    count(&mut flood.updates, visit);
    flood.h.iter_mut().for_each(&mut *visit);
    flood.q.iter_mut().flatten().for_each(&mut *visit);
    flood.max_h.iter_mut().for_each(&mut *visit);
    flood.max_hazard.iter_mut().for_each(&mut *visit);
    flood.arrival_s.iter_mut().for_each(&mut *visit);
    flood.rooms_m3.iter_mut().for_each(&mut *visit);
    flood.open.iter_mut().for_each(&mut *visit);
    flood.free.iter_mut().for_each(&mut *visit);
    flood.outlet_m3_s.iter_mut().for_each(&mut *visit);
    flood.pumped_m3_s.iter_mut().for_each(&mut *visit);
    flood.up.iter_mut().for_each(|up| switch(up, visit));
    flood.on.iter_mut().for_each(|on| switch(on, visit));
    maybe(&mut flood.rain_m_s, visit);
    flood.level_m.iter_mut().for_each(|level| maybe(level, visit));
    let sums = flood.ledger.sums().map(|sum| {
        let mut parts = sum.parts();
        parts.iter_mut().for_each(&mut *visit);
        Sum::of_parts(parts)
    });
    flood.ledger = Ledger::of(sums);
}

impl Flood {
    fn numbers(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.h.len() * 48 + 1024);
        // Reading goes the same way as writing, so that both see the same order.
        visit(&mut self.clone(), &mut |x| out.extend(x.to_le_bytes()));
        out
    }

    /// The whole state.
    pub fn save(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(fingerprint(&self.ground.input));
        out.extend(self.numbers());
        let hash = blake3::hash(&out);
        out.extend(hash.as_bytes());
        out
    }

    /// A hash of the whole state.
    pub fn hash(&self) -> [u8; 32] {
        blake3::hash(&self.numbers()).into()
    }

    /// The flood that was saved, of the same input.
    ///
    /// # Errors
    /// [`RestoreError`] where the bytes are spoilt, or of another input.
    pub fn restore(input: FloodInput, bytes: &[u8]) -> Result<Self, RestoreError> {
        let mut flood = Self::new(input)
            .map_err(|InputError { field, what, .. }| RestoreError::Input(format!("{field}: {what}")))?;
        let split = bytes.len().checked_sub(HASH).and_then(|n| bytes.split_at_checked(n));
        let (body, hash) = split.ok_or(RestoreError::Damaged)?;
        let rest = body.strip_prefix(MAGIC).ok_or(RestoreError::NotAFlood)?;
        if blake3::hash(body).as_bytes() != hash {
            return Err(RestoreError::Damaged);
        }
        let rest = rest.strip_prefix(&VERSION.to_le_bytes()).ok_or(RestoreError::Version)?;
        let rest = rest.strip_prefix(&fingerprint(&flood.ground.input)).ok_or(RestoreError::OtherInput)?;
        let (numbers, over) = rest.as_chunks::<8>();
        let mut next = numbers.iter();
        let mut missing = false;
        visit(&mut flood, &mut |x| match next.next() {
            Some(bytes) => *x = f64::from_le_bytes(*bytes),
            None => missing = true,
        });
        if missing || next.next().is_some() || !over.is_empty() {
            return Err(RestoreError::OtherInput);
        }
        let sound = flood.h.iter().chain(&flood.rooms_m3).chain(flood.q.iter().flatten());
        if !sound.chain([&flood.time_s]).all(|x| x.is_finite()) {
            return Err(RestoreError::Damaged);
        }
        flood.make_gates();
        Ok(flood)
    }
}
