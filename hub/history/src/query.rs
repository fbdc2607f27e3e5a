//! Queries: month files and the tail as one sequence in order of time.

use std::collections::{BTreeMap, BTreeSet};

use campanile_model::{Quality, Timestamp, Value};

use crate::buckets::{BucketBuilder, MeterBuilder, Stretches};
use crate::civil::{HOUR_US, Month};
use crate::columns::Columns;
use crate::error::{HistoryError, Result};
use crate::month::{ChunkPlace, DAMAGED_SUMMARY, MonthFile, month_path};
use crate::point::{Bucket, EnergyBucket, Series};
use crate::rollup::{self, Rollup};
use crate::store::{Layout, Shared};

pub(crate) use crate::buckets::Meter;

/// The most month files that a reader keeps open.
const MAX_OPEN_MONTHS: usize = 26;

/// A part of a point's history, in order of time.
pub(crate) enum Part<'a> {
    /// Samples, in order, all within the asked time.
    Samples(&'a Columns, std::ops::Range<usize>),
    /// Whole hours; those outside the asked time are to be left out.
    Hours(&'a Rollup),
}

/// What a visitor wants next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next part.
    On,
    /// The samples of the hours just shown.
    Samples,
    /// Nothing more.
    Stop,
}

impl Next {
    fn on_if(more: bool) -> Self {
        if more { Self::On } else { Self::Stop }
    }
}

/// Reads month files through connections of its own.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    months: BTreeMap<Month, MonthFile>,
    generation: u64,
    columns: Columns,
    rollup: Rollup,
}

impl Reader {
    fn open_month(&mut self, shared: &Shared, month: Month, layout: &Layout) -> Result<()> {
        let present = &layout.months;
        if self.generation != layout.generation {
            self.months.clear();
            self.generation = layout.generation;
        }
        if !self.months.contains_key(&month) {
            // Months that retention has deleted are closed before new ones are opened.
            self.months.retain(|m, _| present.contains(m));
            if self.months.len() >= MAX_OPEN_MONTHS {
                self.months.pop_first();
            }
            let file = MonthFile::open_to_read(&shared.dir, month)
                .map_err(|error| error.of_month(month, &month_path(&shared.dir, month)))?;
            self.months.insert(month, file);
        }
        Ok(())
    }

    /// Visits a point's history from `from` to before `to`, as hours where `hours` allows and a roll-up has them.
    fn visit(
        &mut self,
        shared: &Shared,
        key: u32,
        from: i64,
        to: i64,
        hours: bool,
        visit: &mut dyn FnMut(Part<'_>) -> Result<Next>,
    ) -> Result<()> {
        if from >= to {
            return Ok(());
        }
        let layout = shared.layout();
        for month in months_between(shared, &layout.months, from, to) {
            let waiting = waiting(shared, month, key, from, to);
            let mut next = Next::On;
            let mut shown = 0;
            if layout.months.contains(&month) {
                self.open_month(shared, month, &layout)?;
                let (columns, rollup) = (&mut self.columns, &mut self.rollup);
                let Some(file) = self.months.get(&month) else { continue };
                file.visit_chunks(key, from, to, |file, place, encoded| {
                    if place.last_us < from {
                        return Ok(true);
                    }
                    let before = shown..waiting.times.partition_point(|&t| t < place.first_us);
                    let within = before.end..waiting.times.partition_point(|&t| t <= place.last_us);
                    shown = within.end;
                    if !before.is_empty() {
                        next = visit(Part::Samples(&waiting, before))?;
                    }
                    // A roll-up that does not decode is made up for by the samples.
                    if next == Next::On
                        && hours
                        && within.is_empty()
                        && !encoded.is_empty()
                        && rollup::decode(encoded, rollup).is_ok()
                    {
                        next = visit(Part::Hours(rollup))?;
                        if next == Next::On {
                            return Ok(true);
                        }
                    }
                    if next == Next::Stop {
                        return Ok(false);
                    }
                    read_what_is_sound(shared, month, file, place, columns)?;
                    if within.is_empty() {
                        next = visit(Part::Samples(columns, columns.between(from, to)))?;
                    } else {
                        let mut newer = Columns::default();
                        newer.append_range(&waiting, within);
                        let merged = columns.merged(&newer);
                        next = visit(Part::Samples(&merged, merged.between(from, to)))?;
                    }
                    Ok(next != Next::Stop)
                })
                .map_err(|error| error.of_month(month, &month_path(&shared.dir, month)))?;
            }
            if next != Next::Stop && shown < waiting.len() {
                next = visit(Part::Samples(&waiting, shown..waiting.len()))?;
            }
            if next == Next::Stop {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn range(
        &mut self,
        shared: &Shared,
        key: u32,
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Value, Quality)>> {
        let mut out = Vec::new();
        self.visit_samples(shared, key, from, to, &mut |columns, range| {
            let range = range.start..range.end.min(range.start + (limit - out.len()));
            out.extend(range.map(|i| (Timestamp(columns.times[i]), columns.value(i), columns.quality(i))));
            Ok(Next::on_if(out.len() < limit))
        })?;
        Ok(out)
    }

    pub(crate) fn series(
        &mut self,
        shared: &Shared,
        key: u32,
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<Series> {
        let mut out = Series::default();
        self.visit_samples(shared, key, from, to, &mut |columns, range| {
            let range = range.start..range.end.min(range.start + (limit - out.times_us.len()));
            out.times_us.extend_from_slice(&columns.times[range.clone()]);
            out.values.extend(range.clone().map(|i| columns.number(i)));
            out.qualities.extend(range.map(|i| columns.quality(i)));
            Ok(Next::on_if(out.times_us.len() < limit))
        })?;
        Ok(out)
    }

    /// Visits samples only.
    pub(crate) fn visit_samples(
        &mut self,
        shared: &Shared,
        key: u32,
        from: i64,
        to: i64,
        visit: &mut dyn FnMut(&Columns, std::ops::Range<usize>) -> Result<Next>,
    ) -> Result<()> {
        self.visit(shared, key, from, to, false, &mut |part| match part {
            Part::Samples(columns, range) => visit(columns, range),
            Part::Hours(_) => Ok(Next::Samples),
        })
    }

    /// Visits the part of the asked time that consists of whole hours as hours, and the rest as samples.
    fn visit_stretches(
        &mut self,
        shared: &Shared,
        key: u32,
        stretches: &Stretches,
        visit: &mut dyn FnMut(Part<'_>) -> Result<Next>,
    ) -> Result<()> {
        let (from, to) = (stretches.from, stretches.to);
        if !stretches.are_hours() {
            return self.visit(shared, key, from, to, false, visit);
        }
        let whole = to.div_euclid(HOUR_US) * HOUR_US;
        self.visit(shared, key, from, whole, true, visit)?;
        self.visit(shared, key, whole.max(from), to, false, visit)
    }

    pub(crate) fn buckets(
        &mut self,
        shared: &Shared,
        key: u32,
        from: i64,
        to: i64,
        width: i64,
    ) -> Result<Vec<Bucket>> {
        let stretches = Stretches::new(from, to, width)?;
        let mut builder = BucketBuilder::new(stretches);
        self.visit_stretches(shared, key, &stretches, &mut |part| {
            match part {
                Part::Samples(columns, range) => {
                    for i in range {
                        if let Some(x) = columns.usable(i) {
                            builder.add(columns.times[i], x);
                        }
                    }
                }
                Part::Hours(rollup) => builder.add_hours(rollup),
            }
            Ok(Next::On)
        })?;
        Ok(builder.finish())
    }

    pub(crate) fn energy(
        &mut self,
        shared: &Shared,
        key: u32,
        from: i64,
        to: i64,
        width: i64,
        meter: Meter,
    ) -> Result<Vec<EnergyBucket>> {
        let stretches = Stretches::new(from, to, width)?;
        let before = self.usable_before(shared, key, from)?;
        let mut builder = MeterBuilder::new(stretches, meter, before.map(|(_, x)| x));
        self.visit_stretches(shared, key, &stretches, &mut |part| {
            match part {
                Part::Samples(columns, range) => {
                    for i in range {
                        if let Some(x) = columns.usable(i) {
                            builder.add(columns.times[i], x);
                        }
                    }
                }
                Part::Hours(rollup) => {
                    // Where the register falls within an hour, only the samples tell how.
                    if stretches.whole_hours(rollup).any(|h| !h.rising) {
                        return Ok(Next::Samples);
                    }
                    for hour in stretches.whole_hours(rollup) {
                        builder.add(hour.start_us, hour.min);
                        builder.add(hour.start_us, hour.max);
                    }
                }
            }
            Ok(Next::On)
        })?;
        Ok(builder.finish())
    }

    /// The last usable sample of a point before `time`.
    fn usable_before(&mut self, shared: &Shared, key: u32, time: i64) -> Result<Option<(i64, f64)>> {
        let layout = shared.layout();
        let months = months_between(shared, &layout.months, i64::MIN, time);
        let last_usable = |columns: &Columns, range: std::ops::Range<usize>| {
            range.rev().find_map(|i| Some((columns.times[i], columns.usable(i)?)))
        };
        for month in months.into_iter().rev() {
            let waiting = waiting(shared, month, key, i64::MIN, time);
            let mut found = last_usable(&waiting, 0..waiting.len());
            if layout.months.contains(&month) {
                self.open_month(shared, month, &layout)?;
                let Some(file) = self.months.get(&month) else { continue };
                let mut until = time;
                let of_month = |error: HistoryError| error.of_month(month, &month_path(&shared.dir, month));
                while let Some(place) = file.chunk_before(key, until).map_err(of_month)? {
                    if found.is_some_and(|(t, _)| t >= place.last_us) {
                        break;
                    }
                    read_what_is_sound(shared, month, file, place, &mut self.columns).map_err(of_month)?;
                    let columns = self.columns.merged(&waiting);
                    let range = columns.between(place.first_us, time);
                    if let Some(better) = last_usable(&columns, range) {
                        found = Some(found.map_or(better, |f| if f.0 >= better.0 { f } else { better }));
                        break;
                    }
                    until = place.first_us;
                }
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Reads a chunk. One that does not decode is said and left out: its stretch of one point is missing, no more.
fn read_what_is_sound(
    shared: &Shared,
    month: Month,
    file: &MonthFile,
    place: ChunkPlace,
    columns: &mut Columns,
) -> Result<()> {
    clear(columns);
    let say = |why: &str| shared.damaged(month.damaged_chunk(place.first_us, place.last_us, why));
    if !place.sound {
        say(DAMAGED_SUMMARY);
    }
    match file.read_chunk(place.id, columns) {
        Err(HistoryError::Corrupt { why, .. }) => {
            clear(columns);
            say(&why);
            Ok(())
        }
        other => other,
    }
}

fn clear(columns: &mut Columns) {
    columns.times.clear();
    columns.bits.clear();
    columns.tags.clear();
    columns.texts.clear();
}

/// The months that have samples and meet the asked time, in order.
fn months_between(shared: &Shared, files: &BTreeSet<Month>, from: i64, to: i64) -> Vec<Month> {
    let mut months = files.clone();
    let tails = shared.tails();
    months.extend(tails.active.months.keys());
    months.extend(tails.sealing.iter().flat_map(|tail| tail.months.keys()));
    months.into_iter().filter(|m| m.end_us() > from && m.start_us() < to).collect()
}

/// A point's samples of a month that are in the tail, settled and cut to the asked time.
fn waiting(shared: &Shared, month: Month, key: u32, from: i64, to: i64) -> Columns {
    let mut arrivals = Columns::default();
    {
        let tails = shared.tails();
        if let Some(sealing) = &tails.sealing {
            sealing.collect(month, key, &mut arrivals);
        }
        tails.active.collect(month, key, &mut arrivals);
    }
    let settled = arrivals.settle();
    let range = settled.between(from, to);
    if range.len() == settled.len() {
        return settled;
    }
    let mut cut = Columns::default();
    cut.append_range(&settled, range);
    cut
}
