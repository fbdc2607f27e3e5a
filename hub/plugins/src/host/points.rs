//! Points: found, read, and derived.

use std::sync::Arc;

use campanile_model::{Accumulation, Glob, PointId, Quality, Value, ValueType};

use super::{
    Answer, Given, HostState, MOST_ITEMS, declared, invalid, quality_in, sample_out, value_in, words_out,
};
use crate::bindings::points::{Derived, Host, Info, Shape};
use crate::bindings::types::{Denial, Sample};
use crate::grants::Grants;
use crate::turn::Turn;

impl Host for HostState {
    fn find(&mut self, glob: String) -> Answer<Vec<Info>> {
        let items = self.grants.count();
        self.asked("points.find", items, |_, grants| find(grants, &glob))
    }

    fn by_path(&mut self, path: String) -> Answer<Info> {
        self.asked("points.by-path", 0, |_, grants| {
            let found = grants.campus.point_id(&path).and_then(|point| Some((grants.handle(point)?, point)));
            found.map(|(handle, point)| info(grants, handle, point)).ok_or(Denial::UnknownPoint)
        })
    }

    fn read(&mut self, points: Vec<u32>) -> Answer<Vec<Option<Sample>>> {
        self.asked("points.read", points.len(), |turn, grants| read(turn, grants, &points))
    }

    fn publish(&mut self, values: Vec<Derived>) -> Answer<()> {
        self.asked("points.publish", values.len(), |turn, grants| publish(turn, grants, values))
    }
}

fn find(grants: &Grants, glob: &str) -> Given<Vec<Info>> {
    let glob = Glob::new(glob).or_else(|why| invalid(why.to_string()))?;
    let mut found = Vec::new();
    for handle in 0..grants.count() as u32 {
        let Some(point) = grants.point(handle) else { continue };
        if glob.matches(grants.campus.point(point).path.as_str()) {
            if found.len() == MOST_ITEMS {
                return Err(Denial::Quota(MOST_ITEMS as u64));
            }
            found.push(info(grants, handle, point));
        }
    }
    Ok(found)
}

fn info(grants: &Grants, handle: u32, point: PointId) -> Info {
    let spec = grants.campus.point(point);
    let unit = || if spec.unit == "1" { String::new() } else { spec.unit.clone() };
    let shape = match spec.value_type {
        ValueType::Number => Shape::Number(unit()),
        ValueType::Bool => Shape::Boolean,
        ValueType::Choice => Shape::Choice(spec.choices.iter().map(|choice| choice.id.clone()).collect()),
        ValueType::Text => Shape::Text,
    };
    let place = grants.campus.entities.get(spec.entity).map(|entity| words_out(&entity.names));
    let (accumulates, rollover) = match spec.accumulation {
        Accumulation::Counter { rollover } => (true, rollover),
        Accumulation::Gauge | Accumulation::Interval => (false, None),
    };
    Info {
        point: handle,
        path: spec.path.as_str().to_owned(),
        kind: spec.quantity.clone(),
        names: words_out(&spec.names),
        place: place.unwrap_or_else(|| words_out(&spec.names)),
        shape,
        resolution: spec.resolution,
        period_s: spec.period_s,
        accumulates,
        rollover,
        commandable: grants.commandable(handle),
    }
}

fn read(turn: &mut Turn, grants: &Grants, points: &[u32]) -> Given<Vec<Option<Sample>>> {
    if points.len() > MOST_ITEMS {
        return Err(Denial::Quota(MOST_ITEMS as u64));
    }
    let reading = |handle: &u32| {
        let point = grants.point(*handle).ok_or(Denial::UnknownPoint)?;
        turn.sees(point);
        let reading = turn.around.world.reading(point);
        Ok(reading.map(|r| sample_out(*handle, r.time, &r.value, r.quality)))
    };
    points.iter().map(reading).collect()
}

fn publish(turn: &mut Turn, grants: &Grants, values: Vec<Derived>) -> Given<()> {
    if values.len() > MOST_ITEMS {
        return Err(Denial::Quota(MOST_ITEMS as u64));
    }
    let derived = values.into_iter().map(|value| derive(grants, value)).collect::<Given<Vec<_>>>()?;
    turn.effects.derived.extend(derived);
    Ok(())
}

fn derive(grants: &Grants, value: Derived) -> Given<(u16, Arc<str>, Value, Quality)> {
    let ids = grants.manifest.derived.iter().map(|spec| spec.id.as_str());
    let index = declared("derived", ids, &value.id)?;
    let Some(entity) = grants.derived_for(index, &value.entity) else {
        return invalid(format!("'{}' is not derived for the entity '{}'", value.id, value.entity));
    };
    match value_in(&value.value)? {
        number @ Value::Number(_) => Ok((index, entity.clone(), number, quality_in(value.quality))),
        _ => invalid("a derived point is a number"),
    }
}
