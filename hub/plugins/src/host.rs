//! What the host does when a plugin calls: each capability in a file of its own, checked against the grants, gathered in
//! the [`Turn`].

mod activities;
mod alarms;
mod clock;
mod commands;
mod drills;
mod history;
mod log;
mod networks;
mod panels;
mod points;
mod records;
mod store;

use std::result::Result as StdResult;
use std::sync::Arc;

use campanile_model::{Names, PointId, Quality, Sample, Timestamp, Value};
use campanile_world::Refusal;
use wasmtime::{ResourceLimiter, Result, StoreLimits, StoreLimitsBuilder, bail};

use crate::bindings::types::{self, Denial};
use crate::grants::Grants;
use crate::turn::{Denied, Turn};

pub(crate) use commands::letting_go;

/// The most items of one call, and of one answer.
const MOST_ITEMS: usize = 10_000;
/// The longest words for people in one language, bytes.
const MOST_WORDS: usize = 1000;
/// The longest name of a person, bytes.
const MOST_PERSON: usize = 128;
/// The longest id that a plugin makes up, bytes.
const MOST_ID: usize = 64;
/// So many items that the host looks at in one call count as a further call.
const ITEMS_A_CALL: usize = 64;
/// Of an instance: the elements of a table, core instances (Python's has 38), and tables.
const TABLE_ELEMENTS: usize = 20_000;
const INSTANCES: usize = 40;
const TABLES: usize = 8;

/// The data of an instance: whose it is, and the call that it is in.
pub(crate) struct HostState {
    /// What it may do.
    pub grants: Arc<Grants>,
    /// The call; none between calls.
    pub turn: Option<Box<Turn>>,
    /// Memory, tables and instances.
    pub limits: Limiter,
    /// When a live call is over.
    pub deadline: Option<crate::deadline::Deadline>,
}

/// Bounds what an instance takes, and knows how much memory that is.
pub(crate) struct Limiter {
    limits: StoreLimits,
    /// The memory that it has, bytes.
    pub memory_bytes: usize,
}

impl Limiter {
    /// An instance with so much memory at most.
    pub fn new(memory_bytes: usize) -> Self {
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory_bytes)
            .table_elements(TABLE_ELEMENTS)
            .instances(INSTANCES)
            .tables(TABLES)
            .memories(1)
            .build();
        Self { limits, memory_bytes: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> Result<bool> {
        let granted = self.limits.memory_growing(now, wanted, most)?;
        if granted {
            self.memory_bytes += wanted - now;
        }
        Ok(granted)
    }

    fn table_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> Result<bool> {
        self.limits.table_growing(now, wanted, most)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

/// What a capability gives: what was asked for or a denial.
type Given<T> = StdResult<T, Denial>;
/// The same to the engine, for which an error is the end of the call.
type Answer<T> = Result<Given<T>>;

impl HostState {
    /// The plugin calls the host, and so many items are looked at: counted, so that what goes on for ever ends here, and
    /// noted where somebody watches.
    fn told<T>(
        &mut self,
        call: &'static str,
        items: usize,
        does: impl FnOnce(&mut Turn, &Grants) -> T,
    ) -> Result<T> {
        let Some(turn) = &mut self.turn else { bail!("the host was called outside of a call") };
        let calls = u32::try_from(items / ITEMS_A_CALL).unwrap_or(u32::MAX).saturating_add(1);
        turn.calls_left = match turn.calls_left {
            0 => bail!("{}", crate::seat::TOO_MANY_CALLS),
            left => left.saturating_sub(calls),
        };
        if let Some(trace) = &mut turn.trace {
            *trace.used.entry(call).or_default() += 1;
        }
        Ok(does(turn, &self.grants))
    }

    /// The same for what may be denied.
    fn asked<T>(
        &mut self,
        call: &'static str,
        items: usize,
        does: impl FnOnce(&mut Turn, &Grants) -> Given<T>,
    ) -> Answer<T> {
        self.told(call, items, |turn, grants| {
            let given = does(turn, grants);
            if let Err(denial) = &given {
                turn.denied(call, denial);
            }
            given
        })
    }
}

impl Turn {
    /// Notes a denial where somebody watches.
    fn denied(&mut self, call: &'static str, denial: &Denial) {
        if let Some(trace) = &mut self.trace {
            trace.denied.push(Denied { call, denial: spelt(denial) });
        }
    }

    /// Notes a point that is looked at, where somebody watches.
    fn sees(&mut self, point: PointId) {
        if let Some(trace) = &mut self.trace {
            trace.points.insert(point);
        }
    }
}

/// A denial as the contract spells it, with what it says.
fn spelt(denial: &Denial) -> String {
    match denial {
        Denial::NotGranted(what) => format!("not-granted: {what}"),
        Denial::UnknownPoint => "unknown-point".to_owned(),
        Denial::Invalid(what) => format!("invalid: {what}"),
        Denial::OutOfLimits((low, high)) => format!("out-of-limits: {low} to {high} may be"),
        Denial::TooStrong(slot) => format!("too-strong: the strongest slot is {slot}"),
        Denial::TooSoon(wait_s) => format!("too-soon: in {wait_s} s"),
        Denial::Interlocked(id) => format!("interlocked: {id}"),
        Denial::Quota(most) => format!("quota: {most} may be"),
        Denial::Unavailable(why) => format!("unavailable: {why}"),
    }
}

impl types::Host for HostState {}

fn invalid<T>(what: impl Into<String>) -> Given<T> {
    Err(Denial::Invalid(what.into()))
}

/// What a refusal of the world is to a plugin.
fn denial(why: Refusal) -> Denial {
    match why {
        Refusal::UnknownPoint => Denial::UnknownPoint,
        Refusal::OutOfLimits { low, high, .. } => Denial::OutOfLimits((low, high)),
        Refusal::TooSoon { wait_s } => Denial::TooSoon(wait_s),
        Refusal::Interlocked { id, .. } => Denial::Interlocked(id.to_string()),
        other => Denial::Invalid(other.to_string()),
    }
}

fn quality_out(quality: Quality) -> types::Quality {
    match quality {
        Quality::Good => types::Quality::Good,
        Quality::Uncertain => types::Quality::Uncertain,
        Quality::Bad => types::Quality::Bad,
        Quality::Stale => types::Quality::Stale,
    }
}

fn quality_in(quality: types::Quality) -> Quality {
    match quality {
        types::Quality::Good => Quality::Good,
        types::Quality::Uncertain => Quality::Uncertain,
        types::Quality::Bad => Quality::Bad,
        types::Quality::Stale => Quality::Stale,
    }
}

fn value_out(value: &Value) -> types::Value {
    match value {
        Value::Number(x) => types::Value::Number(*x),
        Value::Bool(b) => types::Value::Boolean(*b),
        Value::Choice(c) => types::Value::Choice(*c),
        Value::Text(t) => types::Value::Text(t.to_string()),
    }
}

fn value_in(value: &types::Value) -> Given<Value> {
    Ok(match value {
        types::Value::Number(x) => Value::Number(finite(*x)?),
        types::Value::Boolean(b) => Value::Bool(*b),
        types::Value::Choice(c) => Value::Choice(*c),
        types::Value::Text(t) if t.len() <= Value::MAX_TEXT => Value::Text(t.as_str().into()),
        types::Value::Text(t) => {
            return invalid(format!("the text has {} bytes, at most {} may be", t.len(), Value::MAX_TEXT));
        }
    })
}

pub(crate) fn sample_out(handle: u32, time: Timestamp, value: &Value, quality: Quality) -> types::Sample {
    types::Sample { point: handle, time: time.0, quality: quality_out(quality), value: value_out(value) }
}

/// A batch of nothing.
pub(crate) fn empty_batch() -> types::Batch {
    types::Batch {
        points: Vec::new(),
        times: Vec::new(),
        qualities: Vec::new(),
        kinds: Vec::new(),
        numbers: Vec::new(),
        texts: Vec::new(),
    }
}

/// Fills a batch with samples that have handles, at most so many; what was in it is gone.
pub(crate) fn fill_batch<'s>(
    batch: &mut types::Batch,
    samples: impl Iterator<Item = (u32, &'s Sample)>,
    most: usize,
) {
    /// So many are gathered and then put down at once: a list that grows by one looks for room each time.
    const AT_ONCE: usize = 64;
    let types::Batch { points, times, qualities, kinds, numbers, texts } = batch;
    points.clear();
    times.clear();
    qualities.clear();
    kinds.clear();
    numbers.clear();
    texts.clear();
    let (mut p, mut t, mut q) = ([0; AT_ONCE], [0; AT_ONCE], [0; AT_ONCE]);
    let (mut k, mut x, mut n) = ([0; AT_ONCE], [0.0; AT_ONCE], 0);
    let mut put = |n,
                   p: &[u32; AT_ONCE],
                   t: &[i64; AT_ONCE],
                   q: &[u8; AT_ONCE],
                   k: &[u8; AT_ONCE],
                   x: &[f64; AT_ONCE]| {
        points.extend_from_slice(&p[..n]);
        times.extend_from_slice(&t[..n]);
        qualities.extend_from_slice(&q[..n]);
        kinds.extend_from_slice(&k[..n]);
        numbers.extend_from_slice(&x[..n]);
    };
    for (handle, sample) in samples.take(most) {
        let (kind, number) = match &sample.value {
            Value::Number(x) => (0, *x),
            Value::Bool(is) => (1, f64::from(u8::from(*is))),
            Value::Choice(index) => (2, f64::from(*index)),
            Value::Text(text) => {
                texts.push(text.to_string());
                (3, (texts.len() - 1) as f64)
            }
        };
        (p[n], t[n], q[n]) = (handle, sample.time.0, quality_out(sample.quality) as u8);
        (k[n], x[n]) = (kind, number);
        n += 1;
        if n == AT_ONCE {
            put(n, &p, &t, &q, &k, &x);
            n = 0;
        }
    }
    put(n, &p, &t, &q, &k, &x);
}

fn finite(x: f64) -> Given<f64> {
    if x.is_finite() { Ok(x) } else { invalid(format!("{x} is not a finite number")) }
}

/// A text of a length; `what` says which.
fn text_in(what: &str, text: &str, most: usize) -> Given<Arc<str>> {
    if text.is_empty() || text.len() > most {
        return invalid(format!("{what} has {} bytes, 1 to {most} may be", text.len()));
    }
    Ok(text.into())
}

fn words_in(words: &types::Words) -> Given<Names> {
    for (language, text) in [("zh-cn", &words.zh_cn), ("en", &words.en)] {
        if text.is_empty() || text.len() > MOST_WORDS {
            let bytes = text.len();
            return invalid(format!("the words in {language} have {bytes} bytes, 1 to {MOST_WORDS} may be"));
        }
    }
    Ok(Names::new(&words.zh_cn, &words.en))
}

fn words_out(names: &Names) -> types::Words {
    types::Words { zh_cn: names.zh.clone(), en: names.en.clone() }
}

/// The index of what a manifest declares under a table.
fn declared<'a>(table: &str, mut ids: impl Iterator<Item = &'a str>, id: &str) -> Given<u16> {
    let index = ids.position(|declared| declared == id).and_then(|index| u16::try_from(index).ok());
    index.ok_or_else(|| Denial::NotGranted(format!("[[{table}]] with the id '{id}'")))
}
