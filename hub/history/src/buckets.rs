//! Stretches of time and what adds up in them.

use campanile_model::Timestamp;

use crate::civil::{EARLIEST_US, HOUR_US, LATEST_US};
use crate::error::{HistoryError, Result};
use crate::exact::{ExactSum, scaled};
use crate::point::{Bucket, EnergyBucket};
use crate::rollup::{Hour, Rollup};

/// The most buckets in one query: eleven years of hours.
pub const MAX_BUCKETS: usize = 100_000;
const MIN_WIDTH_US: i64 = 1_000;

/// Equal stretches of time from `from` on; the last ends at `to`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretches {
    pub(crate) from: i64,
    pub(crate) to: i64,
    width: i64,
}

impl Stretches {
    pub(crate) fn new(from: i64, to: i64, width: i64) -> Result<Self> {
        let span = i128::from(to.clamp(EARLIEST_US, LATEST_US)) - i128::from(from);
        let refused =
            HistoryError::Buckets { width_micros: width, from_micros: from, to_micros: to, max: MAX_BUCKETS };
        if width < MIN_WIDTH_US
            || span > i128::from(width) * MAX_BUCKETS as i128
            || span > i128::from(i64::MAX)
        {
            return Err(refused);
        }
        // No sample lies outside these; and no sum of times overflows within them.
        Ok(Self { from, to: to.clamp(EARLIEST_US, LATEST_US), width })
    }

    /// Whether every stretch begins at a whole hour.
    pub(crate) fn are_hours(&self) -> bool {
        self.from % HOUR_US == 0 && self.width % HOUR_US == 0
    }

    /// The hours of a roll-up that lie wholly within.
    pub(crate) fn whole_hours(self, rollup: &Rollup) -> impl Iterator<Item = &Hour> {
        rollup.hours.iter().filter(move |h| h.start_us >= self.from && h.start_us + HOUR_US <= self.to)
    }

    fn at(&self, time: i64) -> i64 {
        (time - self.from).div_euclid(self.width)
    }

    fn start(&self, at: i64) -> Timestamp {
        Timestamp(self.from + at * self.width)
    }

    fn end_us(&self, at: i64) -> i64 {
        self.from.saturating_add((at + 1).saturating_mul(self.width))
    }
}

/// Makes buckets of samples and hours that come in order of time.
pub(crate) struct BucketBuilder {
    stretches: Stretches,
    at: i64,
    end_us: i64,
    count: u64,
    min: f64,
    max: f64,
    sum: ExactSum,
    /// The sum so far where it comes from one roll-up alone, which is the usual case and needs no [`ExactSum`].
    units: i128,
    exponent: i32,
    done: Vec<Bucket>,
}

impl BucketBuilder {
    pub(crate) fn new(stretches: Stretches) -> Self {
        Self {
            stretches,
            at: 0,
            end_us: i64::MIN,
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: ExactSum::new(),
            units: 0,
            exponent: 0,
            done: Vec::new(),
        }
    }

    fn enter(&mut self, time: i64) {
        if time >= self.end_us {
            self.flush();
            self.at = self.stretches.at(time);
            self.end_us = self.stretches.end_us(self.at);
        }
    }

    pub(crate) fn add(&mut self, time: i64, number: f64) {
        self.enter(time);
        self.count += 1;
        self.min = self.min.min(number + 0.0);
        self.max = self.max.max(number + 0.0);
        self.sum.add(number);
    }

    pub(crate) fn add_hours(&mut self, rollup: &Rollup) {
        for hour in self.stretches.whole_hours(rollup) {
            self.enter(hour.start_us);
            if self.exponent != rollup.exponent {
                self.settle_units();
                self.exponent = rollup.exponent;
            }
            match self.units.checked_add(hour.sum_units) {
                Some(units) => self.units = units,
                None => {
                    self.settle_units();
                    self.units = hour.sum_units;
                }
            }
            self.count += hour.count;
            self.min = self.min.min(hour.min);
            self.max = self.max.max(hour.max);
        }
    }

    fn settle_units(&mut self) {
        self.sum.add_units(self.units, self.exponent);
        self.units = 0;
    }

    fn flush(&mut self) {
        if self.count == 0 {
            return;
        }
        let sum = if self.sum.is_empty() {
            // One conversion, one rounding; the step is a power of two.
            scaled(self.units, self.exponent)
        } else {
            self.settle_units();
            self.sum.value()
        };
        self.done.push(Bucket {
            start: self.stretches.start(self.at),
            count: self.count,
            min: self.min,
            mean: sum / self.count as f64,
            max: self.max,
            sum,
        });
        self.count = 0;
        self.min = f64::INFINITY;
        self.max = f64::NEG_INFINITY;
        self.sum.clear();
        self.units = 0;
    }

    pub(crate) fn finish(mut self) -> Vec<Bucket> {
        self.flush();
        self.done
    }
}

/// A meter's register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    /// Where it starts from zero again.
    pub(crate) rollover: Option<f64>,
}

/// Makes amounts of a register's readings, which come in order of time.
pub(crate) struct MeterBuilder {
    stretches: Stretches,
    meter: Meter,
    before: Option<f64>,
    at: Option<i64>,
    sum: ExactSum,
    rollovers: u32,
    resets: u32,
    counted: bool,
    done: Vec<EnergyBucket>,
}

impl MeterBuilder {
    pub(crate) fn new(stretches: Stretches, meter: Meter, before: Option<f64>) -> Self {
        Self {
            stretches,
            meter,
            before,
            at: None,
            sum: ExactSum::new(),
            rollovers: 0,
            resets: 0,
            counted: false,
            done: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, time: i64, reading: f64) {
        let at = self.stretches.at(time);
        if self.at != Some(at) {
            self.flush();
            self.at = Some(at);
        }
        let Some(before) = self.before.replace(reading) else { return };
        self.counted = true;
        if reading >= before {
            self.sum.extend([reading, -before]);
            return;
        }
        match self.meter.rollover {
            Some(modulus) if before <= modulus && modulus - before + reading <= modulus / 2.0 => {
                self.rollovers += 1;
                self.sum.extend([modulus, -before, reading]);
            }
            _ if reading < before / 2.0 => {
                self.resets += 1;
                self.sum.add(reading);
            }
            _ => self.sum.extend([reading, -before]),
        }
    }

    fn flush(&mut self) {
        if let Some(at) = self.at
            && self.counted
        {
            self.done.push(EnergyBucket {
                start: self.stretches.start(at),
                amount: self.sum.value(),
                rollovers: self.rollovers,
                resets: self.resets,
            });
        }
        self.sum.clear();
        self.rollovers = 0;
        self.resets = 0;
        self.counted = false;
    }

    pub(crate) fn finish(mut self) -> Vec<EnergyBucket> {
        self.flush();
        self.done
    }
}
