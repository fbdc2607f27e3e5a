//! What the store is told of a point, and what it tells of it.

use campanile_model::{Path, PointId, Quality, Timestamp, Value, ValueType};

/// How the numbers of a point add up over time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Accumulation {
    /// A momentary value, such as a temperature.
    #[default]
    Gauge,
    /// A reading that only grows, such as a meter's register.
    Counter {
        /// The value at which the register starts from zero again, in the point's unit.
        rollover: Option<f64>,
    },
    /// The amount of an interval, such as the kWh of the last hour.
    Interval,
}

/// A point as the store has to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSpec {
    /// Its number in the loaded campus; valid for this opening of the store only.
    pub id: PointId,
    /// Its path: the identity under which its history is kept.
    pub path: Path,
    /// The step of its sensor in the point's unit, if known. Only a hint for compression:
    /// values off the grid are kept as exactly.
    pub resolution: Option<f64>,
    /// How its numbers add up.
    pub accumulation: Accumulation,
    /// The type of its values. Samples of another type are kept as they come.
    pub value_type: ValueType,
}

/// A value with its time and quality.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When it was measured.
    pub time: Timestamp,
    /// What was measured.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
}

/// The figures of one stretch of time of a point, over its usable samples: good or uncertain,
/// and a finite number (bool as 0 and 1, a choice as its index). A stretch without any has no bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Start of the stretch.
    pub start: Timestamp,
    /// How many samples.
    pub count: u64,
    /// The smallest value.
    pub min: f64,
    /// The sum over the count.
    pub mean: f64,
    /// The largest value.
    pub max: f64,
    /// The correctly rounded sum of the values.
    pub sum: f64,
}

/// What a meter counted in one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyBucket {
    /// Start of the stretch.
    pub start: Timestamp,
    /// The amount in the point's unit, correctly rounded.
    pub amount: f64,
    /// How often the register rolled over in it.
    pub rollovers: u32,
    /// How often the register was found reset in it; the amount before a reset is unknown and not counted.
    pub resets: u32,
}

/// Samples of one point as columns of equal length, in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Times in microseconds since the epoch.
    pub times_us: Vec<i64>,
    /// Values as numbers; NaN where a value is a text.
    pub values: Vec<f64>,
    /// Qualities.
    pub qualities: Vec<Quality>,
}

/// How the store trades memory for work.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seal when this many samples wait; they are in memory (24 bytes each) until then.
    pub seal_after_samples: u64,
    /// Seal when this many commits wait, so that a trickle of tiny commits does not pile up.
    pub seal_after_commits: u64,
}

impl Options {
    /// The defaults for a campus of `points` points: about a chunk a point, within 200,000 to 8 million samples.
    pub fn for_points(points: usize) -> Self {
        let wanted = (points as u64).saturating_mul(4096);
        Self { seal_after_samples: wanted.clamp(200_000, 8_000_000), seal_after_commits: 100_000 }
    }
}
