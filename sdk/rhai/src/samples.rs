//! A batch of samples as scripts see it: a list whose entries share the batch, so that a thousand cost little more than
//! their loop.

use std::{cell::RefCell, rc::Rc};

use campanile_plugin::{Point, Quality, Sample, points};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Position};

use crate::{
    fault::{denied, invalid},
    values,
};

/// Samples, in their order.
#[derive(Clone, Debug)]
pub struct Samples(Rc<[Sample]>);

impl From<&[Sample]> for Samples {
    fn from(samples: &[Sample]) -> Self {
        Self(samples.into())
    }
}

/// One of a batch.
#[derive(Clone, Debug)]
pub struct Reading {
    batch: Rc<[Sample]>,
    index: usize,
}

impl Reading {
    /// A sample of no batch.
    pub fn alone(sample: Sample) -> Self {
        Self { batch: Rc::new([sample]), index: 0 }
    }

    /// What was measured.
    pub fn sample(&self) -> &Sample {
        &self.batch[self.index]
    }
}

/// Goes through a batch.
pub struct Readings {
    batch: Rc<[Sample]>,
    next: usize,
}

impl Iterator for Readings {
    type Item = Reading;

    fn next(&mut self) -> Option<Reading> {
        let index = self.next;
        self.next += 1;
        (index < self.batch.len()).then(|| Reading { batch: self.batch.clone(), index })
    }
}

impl IntoIterator for Samples {
    type Item = Reading;
    type IntoIter = Readings;

    fn into_iter(self) -> Readings {
        Readings { batch: self.0, next: 0 }
    }
}

/// The paths of points that this instance has come to know, by handle.
#[derive(Clone, Debug, Default)]
pub struct Paths(Rc<RefCell<Known>>);

#[derive(Debug, Default)]
struct Known {
    paths: std::collections::BTreeMap<Point, ImmutableString>,
    /// Whether all points were asked for.
    all: bool,
}

impl Paths {
    /// Notes what was found.
    pub fn note(&self, point: Point, path: &ImmutableString) {
        self.0.borrow_mut().paths.insert(point, path.clone());
    }

    /// The path of a handle. The first that was not found before asks the hub for all points.
    fn path(&self, point: Point) -> Result<ImmutableString, Box<EvalAltResult>> {
        let mut known = self.0.borrow_mut();
        if !known.paths.contains_key(&point) && !known.all {
            for info in points::find("**").map_err(denied)? {
                known.paths.entry(info.point).or_insert_with(|| info.path.into());
            }
            known.all = true;
        }
        known
            .paths
            .get(&point)
            .cloned()
            .ok_or_else(|| invalid(format!("there is no point with the handle {point}")))
    }
}

/// As the contract spells it.
pub fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
        Quality::Stale => "stale",
    }
}

/// Registers what scripts do with samples.
pub fn register(engine: &mut Engine, paths: &Paths) {
    engine
        .register_type_with_name::<Samples>("samples")
        .register_iterator::<Samples>()
        .register_fn("len", |samples: &mut Samples| samples.0.len() as i64)
        .register_get("len", |samples: &mut Samples| samples.0.len() as i64)
        .register_fn("is_empty", |samples: &mut Samples| samples.0.is_empty())
        .register_indexer_get(|samples: &mut Samples, index: i64| {
            let at = usize::try_from(index).ok().filter(|index| *index < samples.0.len());
            let beyond = || EvalAltResult::ErrorArrayBounds(samples.0.len(), index, Position::NONE).into();
            at.map(|index| Reading { batch: samples.0.clone(), index })
                .ok_or_else(|| -> Box<EvalAltResult> { beyond() })
        });
    let paths = paths.clone();
    engine
        .register_type_with_name::<Reading>("sample")
        .register_get("point", |reading: &mut Reading| i64::from(reading.sample().point))
        .register_get("time", |reading: &mut Reading| reading.sample().time)
        .register_get("quality", |reading: &mut Reading| quality(reading.sample().quality))
        .register_get("value", |reading: &mut Reading| values::dynamic(&reading.sample().value))
        .register_get("number", |reading: &mut Reading| {
            reading.sample().number().map_or(Dynamic::UNIT, Dynamic::from_float)
        })
        .register_get("truth", |reading: &mut Reading| {
            reading.sample().truth().map_or(Dynamic::UNIT, Dynamic::from_bool)
        })
        .register_get("path", move |reading: &mut Reading| paths.path(reading.sample().point))
        .register_fn("to_string", |reading: &mut Reading| format!("{:?}", reading.sample()));
}
