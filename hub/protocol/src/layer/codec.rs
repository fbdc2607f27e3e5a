//! Numbers and people to bytes and back; see the page of [`super`].

use super::{Agent, AgentState, LayerError};

const MOVED: u8 = 1;
const HEIGHT: u8 = 2;
const STATE: u8 = 4;
const HEADING: u8 = 8;

fn fold(difference: i32) -> u32 {
    ((difference << 1) ^ (difference >> 31)) as u32
}

fn unfold(folded: u32) -> i32 {
    ((folded >> 1) as i32) ^ -((folded & 1) as i32)
}

#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn varint(&mut self, mut x: u32) {
        while x >= 0x80 {
            self.out.push((x as u8) | 0x80);
            x >>= 7;
        }
        self.out.push(x as u8);
    }

    fn difference(&mut self, now: u16, was: u16) {
        self.varint(fold(i32::from(now) - i32::from(was)));
    }

    pub(super) fn numbers(&mut self, now: &[u16], was: Option<&[u16]>) {
        let mut skipped = 0;
        let mut last = 0;
        for (i, x) in now.iter().enumerate() {
            let like = was.map_or(last, |was| was[i]);
            last = *x;
            if *x == like {
                skipped += 1;
                continue;
            }
            self.skip(&mut skipped);
            self.difference(*x, like);
        }
        self.skip(&mut skipped);
    }

    fn skip(&mut self, skipped: &mut u32) {
        if *skipped > 0 {
            self.out.push(0);
            self.varint(std::mem::take(skipped));
        }
    }

    pub(super) fn agents(&mut self, now: &[Agent], was: Option<&[Agent]>) {
        let mut same = 0;
        for (i, agent) in now.iter().enumerate() {
            let like = was.map_or_else(Agent::default, |was| was[i]);
            if was.is_some() && *agent == like {
                same += 1;
                continue;
            }
            self.varint(std::mem::take(&mut same));
            let flag = |differs: bool, bit: u8| if differs { bit } else { 0 };
            let flags = flag((agent.x, agent.y) != (like.x, like.y), MOVED)
                | flag(agent.z != like.z, HEIGHT)
                | flag(agent.state != like.state, STATE)
                | flag(agent.heading != like.heading, HEADING);
            self.out.push(flags);
            if flags & MOVED != 0 {
                self.difference(agent.x, like.x);
                self.difference(agent.y, like.y);
            }
            if flags & HEIGHT != 0 {
                self.difference(agent.z, like.z);
            }
            if flags & STATE != 0 {
                self.out.push(agent.state as u8);
            }
            if flags & HEADING != 0 {
                self.out.push(agent.heading);
            }
        }
        if same > 0 {
            self.varint(same);
        }
    }
}

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn wrong(&self, what: &'static str) -> LayerError {
        LayerError::Body { at: self.at, what }
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], LayerError> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.wrong("it ends too early"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub(super) fn end(&self) -> Result<(), LayerError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.wrong("more follows than was announced")) }
    }

    fn byte(&mut self) -> Result<u8, LayerError> {
        Ok(self.take(1)?[0])
    }

    fn varint(&mut self) -> Result<u32, LayerError> {
        let mut x = 0u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            x |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(x).map_err(|_| self.wrong("a number of more than 32 bits"));
            }
        }
        Err(self.wrong("a number of more than 32 bits"))
    }

    fn difference(&mut self, was: u16) -> Result<u16, LayerError> {
        let folded = self.varint()?;
        self.add(was, folded)
    }

    fn add(&self, was: u16, folded: u32) -> Result<u16, LayerError> {
        let sum = i64::from(was) + i64::from(unfold(folded));
        u16::try_from(sum).map_err(|_| self.wrong("a number outside 0 to 65,535"))
    }

    pub(super) fn numbers(&mut self, count: usize, was: Option<&[u16]>) -> Result<Vec<u16>, LayerError> {
        // What a few bytes announce is not reserved before it is there: runs are bounded by the count, itself limited.
        let mut now = Vec::with_capacity(count);
        let mut last = 0;
        while now.len() < count {
            let token = self.varint()?;
            if token == 0 {
                let run = self.varint()? as usize;
                if run == 0 || run > count - now.len() {
                    return Err(self.wrong("a run of more numbers than the layer has"));
                }
                match was {
                    Some(was) => now.extend_from_slice(&was[now.len()..now.len() + run]),
                    None => now.extend(std::iter::repeat_n(last, run)),
                }
            } else {
                let like = was.map_or(last, |was| was[now.len()]);
                now.push(self.add(like, token)?);
            }
            last = now.last().copied().unwrap_or(0);
        }
        Ok(now)
    }

    pub(super) fn agents(&mut self, count: usize, was: Option<&[Agent]>) -> Result<Vec<Agent>, LayerError> {
        let mut now = was.map_or_else(|| vec![Agent::default(); count], <[Agent]>::to_vec);
        let mut index = 0;
        while index < count && self.at < self.bytes.len() {
            index = index.saturating_add(self.varint()? as usize);
            if index == count {
                break;
            }
            let Some(mut agent) = now.get(index).copied() else {
                return Err(self.wrong("more people than the layer has"));
            };
            let flags = self.byte()?;
            if flags & !(MOVED | HEIGHT | STATE | HEADING) != 0 {
                return Err(self.wrong("flags of a person that mean nothing"));
            }
            if flags & MOVED != 0 {
                agent.x = self.difference(agent.x)?;
                agent.y = self.difference(agent.y)?;
            }
            if flags & HEIGHT != 0 {
                agent.z = self.difference(agent.z)?;
            }
            if flags & STATE != 0 {
                let state = self.byte()?;
                agent.state = AgentState::of(state).ok_or_else(|| self.wrong("a state that is none"))?;
            }
            if flags & HEADING != 0 {
                agent.heading = self.byte()?;
            }
            now[index] = agent;
            index += 1;
        }
        if was.is_none() && index != count {
            return Err(self.wrong("a whole frame has everybody"));
        }
        Ok(now)
    }
}
