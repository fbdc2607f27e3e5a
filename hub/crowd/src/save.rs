//! A crowd as bytes, and back.
//!
//! Little-endian: eight letters, the version, the hash of the input, the state, and at the end the hash of
//! all that
//! came before. What follows from the state (lists of neighbours, ways) isn't saved but derived again.

use std::fmt::Write as _;

use crate::check;
use crate::error::RestoreError;
use crate::geometry::{bounds, length};
use crate::motion::STEP_S;
use crate::people::NONE;
use crate::slow::Slow;
use crate::{Crowd, CrowdInput, Slowness, State};

const LETTERS: &[u8; 8] = b"CMPCROWD";
const VERSION: u32 = 1;
const HASH: usize = 32;

/// Feeds text into a hash.
struct Hashed(blake3::Hasher);

impl std::fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// The hash of an input: of its full written form, in which every number is exact.
fn hash_of(input: &CrowdInput) -> [u8; HASH] {
    let mut hashed = Hashed(blake3::Hasher::new());
    // Writing into a hash can't fail.
    let _ = write!(hashed, "{input:?}");
    *hashed.0.finalize().as_bytes()
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, v: u8) {
        self.0.push(v);
    }
    fn u32(&mut self, v: u32) {
        self.0.extend(v.to_le_bytes());
    }
    fn u64(&mut self, v: u64) {
        self.0.extend(v.to_le_bytes());
    }
    fn f64(&mut self, v: f64) {
        self.u64(v.to_bits());
    }
    fn count(&mut self, n: usize) {
        self.u64(n as u64);
    }
}

/// Reads what was written; every length is checked before anything is made of it.
struct Reader<'a>(&'a [u8]);

type Read<T> = Result<T, RestoreError>;

const CUT: RestoreError = RestoreError::Damaged("it ends too early");
const ODD: RestoreError = RestoreError::Damaged("a value makes no sense");

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(CUT)?;
        self.0 = rest;
        Ok(*head)
    }
    fn u8(&mut self) -> Read<u8> {
        Ok(self.take::<1>()?[0])
    }
    fn bool(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ODD),
        }
    }
    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }
    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }
    fn finite(&mut self) -> Read<f64> {
        Some(f64::from_bits(self.u64()?)).filter(|v| v.is_finite()).ok_or(ODD)
    }
    /// A time, or for ever.
    fn time(&mut self) -> Read<f64> {
        Some(f64::from_bits(self.u64()?)).filter(|v| *v >= 0.0).ok_or(ODD)
    }
    /// How many things of at least `each` bytes follow.
    fn count(&mut self, each: usize) -> Read<usize> {
        let n = self.u64()?;
        if n > (self.0.len() / each) as u64 { Err(CUT) } else { Ok(n as usize) }
    }
    fn below(&mut self, n: usize) -> Read<u32> {
        Some(self.u32()?).filter(|v| (*v as usize) < n).ok_or(ODD)
    }
    /// An index or none.
    fn perhaps_below(&mut self, n: usize) -> Read<u32> {
        Some(self.u32()?).filter(|v| *v == NONE || (*v as usize) < n).ok_or(ODD)
    }
}

impl Crowd {
    /// The whole state as bytes.
    pub fn save(&self) -> Vec<u8> {
        let mut w = Writer(LETTERS.to_vec());
        w.u32(VERSION);
        w.0.extend(hash_of(&self.plan.input));
        w.u64(self.steps);
        w.f64(self.owed_s);
        self.save_people(&mut w);
        self.open.iter().for_each(|&open| w.u8(u8::from(open)));
        self.slow.iter().for_each(|slow| save_slow(&mut w, slow));
        for order in &self.orders {
            let goals = order.as_deref().unwrap_or_default();
            w.count(goals.len());
            goals.iter().for_each(|&g| w.u32(g));
        }
        self.passed.iter().flatten().for_each(|&n| w.u64(n));
        for times in &self.arrivals {
            w.count(times.len());
            times.iter().for_each(|&t| w.f64(t));
        }
        self.last_arrival_s.iter().for_each(|t| w.f64(t.unwrap_or(f64::INFINITY)));
        let hash = blake3::hash(&w.0);
        w.0.extend(hash.as_bytes());
        w.0
    }

    fn save_people(&self, w: &mut Writer) {
        let people = &self.people;
        w.count(people.len());
        for i in 0..people.len() {
            for v in people.at[i].into_iter().chain(people.heading[i]) {
                w.f64(v);
            }
            for v in [people.speed[i], people.walked[i], people.sets_off[i], people.left_s[i]] {
                w.f64(v);
            }
            for v in [people.space[i], people.goal[i], people.place[i], u32::from(people.stuck[i])] {
                w.u32(v);
            }
            w.u8(people.state[i] as u8);
            w.u8(u8::from(people.stands[i]));
        }
    }

    /// The crowd that was saved; it goes on exactly as the other would have.
    ///
    /// # Errors
    /// Where the bytes are no saved crowd, are damaged, are of another version or were saved with another
    /// input.
    pub fn restore(input: CrowdInput, bytes: &[u8]) -> Result<Self, RestoreError> {
        if !bytes.starts_with(LETTERS) {
            return Err(RestoreError::NotACrowd);
        }
        let mut r = Reader(&bytes[LETTERS.len()..]);
        let found = r.u32()?;
        if found != VERSION {
            return Err(RestoreError::Version { found, known: VERSION });
        }
        let (body, hash) = bytes.split_last_chunk::<HASH>().ok_or(CUT)?;
        if blake3::hash(body).as_bytes() != hash {
            return Err(RestoreError::Damaged("its checksum is another"));
        }
        let mut r = Reader(&body[LETTERS.len() + 4..]);
        if r.take::<HASH>()? != hash_of(&input) {
            return Err(RestoreError::OtherInput);
        }
        let mut crowd = Self::new(input)?;
        crowd.steps = r.u64()?;
        crowd.owed_s = r.finite()?;
        if !(0.0..=STEP_S).contains(&crowd.owed_s) {
            return Err(ODD);
        }
        crowd.restore_people(&mut r)?;
        for open in &mut crowd.open {
            *open = r.bool()?;
        }
        for slow in &mut crowd.slow {
            *slow = restore_slow(&mut r)?;
        }
        let goals = crowd.arrivals.len();
        for order in &mut crowd.orders {
            let list = (0..r.count(4)?).map(|_| r.below(goals)).collect::<Read<Vec<u32>>>()?;
            *order = (!list.is_empty()).then_some(list);
        }
        for n in crowd.passed.iter_mut().flatten() {
            *n = r.u64()?;
        }
        for times in &mut crowd.arrivals {
            *times = (0..r.count(8)?).map(|_| r.finite()).collect::<Read<Vec<f64>>>()?;
        }
        for last in &mut crowd.last_arrival_s {
            *last = Some(r.time()?).filter(|t| *t < f64::INFINITY);
        }
        if !r.0.is_empty() {
            return Err(RestoreError::Damaged("it goes on after its end"));
        }
        crowd.settle();
        Ok(crowd)
    }

    fn restore_people(&mut self, r: &mut Reader<'_>) -> Read<()> {
        let (spaces, goals) = (self.plan.grounds.len(), self.arrivals.len());
        let people = &mut self.people;
        if r.count(82)? != people.len() {
            return Err(ODD);
        }
        for i in 0..people.len() {
            people.at[i] = [r.finite()?, r.finite()?];
            people.heading[i] = [r.finite()?, r.finite()?];
            people.speed[i] = r.finite()?;
            people.walked[i] = r.finite()?;
            people.sets_off[i] = r.time()?;
            people.left_s[i] = r.time()?;
            people.space[i] = r.below(spaces)?;
            people.goal[i] = r.perhaps_below(goals)?;
            people.place[i] = r.u32()?;
            people.stuck[i] = u16::try_from(r.u32()?).map_err(|_| ODD)?;
            people.state[i] = match r.u8()? {
                0 => State::Waiting,
                1 => State::Walking,
                2 => State::Arrived,
                3 => State::Left,
                _ => return Err(ODD),
            };
            people.stands[i] = r.bool()?;
            let [least, most] = bounds(&self.plan.grounds[people.space[i] as usize].rings);
            let is_in = (0..2).all(|k| (least[k] - 1.0..=most[k] + 1.0).contains(&people.at[i][k]));
            if !is_in || length(people.heading[i]) > 1.5 || people.speed[i] < 0.0 {
                return Err(ODD);
            }
        }
        Ok(())
    }

    /// A hash of the whole state: equal where two crowds are equal, bit for bit.
    pub fn hash(&self) -> [u8; 32] {
        let saved = self.save();
        let mut hash = [0; HASH];
        hash.copy_from_slice(&saved[saved.len() - HASH..]);
        hash
    }
}

fn save_slow(w: &mut Writer, slow: &Slow) {
    match &slow.0 {
        Slowness::Whole(share) => {
            w.u8(0);
            w.f64(*share);
        }
        Slowness::Grid { origin_m, cell_m, nx, share } => {
            w.u8(1);
            w.f64(origin_m[0]);
            w.f64(origin_m[1]);
            w.f64(*cell_m);
            w.count(*nx);
            w.count(share.len());
            share.iter().for_each(|&s| w.f64(s));
        }
    }
}

fn restore_slow(r: &mut Reader<'_>) -> Read<Slow> {
    let slow = match r.u8()? {
        0 => Slowness::Whole(r.finite()?),
        1 => {
            let origin_m = [r.finite()?, r.finite()?];
            let cell_m = r.finite()?;
            let nx = r.u64()? as usize;
            let share = (0..r.count(8)?).map(|_| r.finite()).collect::<Read<Vec<f64>>>()?;
            Slowness::Grid { origin_m, cell_m, nx, share }
        }
        _ => return Err(ODD),
    };
    check::slowness(&slow).map_err(|_| ODD)?;
    Ok(Slow(slow))
}
