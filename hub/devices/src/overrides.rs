//! What a drill lays over the models: weather, persons, supply, and what a sensor is made to see.
//!
//! It holds until it is taken back, and it is part of the saved state. Weather, persons and supply work from
//! the next step of the models on, within a minute; the models do not take over what a sensor is made to see.

use std::collections::{BTreeMap, BTreeSet};

use campanile_model::{EntityKind, NetworkKind, PointId, Value};
use serde::{Deserialize, Serialize};

use crate::devices::suits;
use crate::sky::{Sky, moisture};
use crate::values::fit;
use crate::{Devices, DevicesError};

/// Weather in place of the weather file's; what is `None` stays the file's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeatherOverride {
    /// Temperature of the air, °C, -60 to 60.
    pub temperature_c: Option<f64>,
    /// Relative humidity, %, 1 to 100.
    pub humidity_pct: Option<f64>,
    /// Wind, m/s, 0 to 100.
    pub wind_m_s: Option<f64>,
    /// Where the wind comes from, degrees from north, 0 to 360.
    pub wind_deg: Option<f64>,
    /// Rain, mm/h, 0 to 500.
    pub rain_mm_h: Option<f64>,
    /// How much of the file's sunlight gets through the clouds, 0 to 1.
    pub sun_share: Option<f64>,
}

impl WeatherOverride {
    /// Checks that every number is one that weather can have.
    pub(crate) fn check(&self) -> Result<(), DevicesError> {
        for (what, given, [low, high]) in [
            ("temperature_c", self.temperature_c, [-60.0, 60.0]),
            ("humidity_pct", self.humidity_pct, [1.0, 100.0]),
            ("wind_m_s", self.wind_m_s, [0.0, 100.0]),
            ("wind_deg", self.wind_deg, [0.0, 360.0]),
            ("rain_mm_h", self.rain_mm_h, [0.0, 500.0]),
            ("sun_share", self.sun_share, [0.0, 1.0]),
        ] {
            if let Some(x) = given.filter(|x| !(low..=high).contains(x)) {
                return refuse(format!("weather with {what} = {x}"), format!("give {low} to {high}"));
            }
        }
        Ok(())
    }

    pub(crate) fn apply(&self, sky: &mut Sky) {
        let put = |place: &mut f64, given: Option<f64>| *place = given.unwrap_or(*place);
        put(&mut sky.temperature_c, self.temperature_c);
        put(&mut sky.humidity_pct, self.humidity_pct);
        put(&mut sky.wind_m_s, self.wind_m_s);
        put(&mut sky.wind_deg, self.wind_deg);
        put(&mut sky.rain_mm_h, self.rain_mm_h);
        sky.moisture = moisture(sky.temperature_c, sky.humidity_pct, sky.pressure_pa);
        let share = self.sun_share.unwrap_or(1.0);
        for light in [&mut sky.global_w_m2, &mut sky.direct_w_m2, &mut sky.diffuse_w_m2] {
            *light *= share;
        }
    }
}

/// What is laid over the models.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overrides {
    pub weather: WeatherOverride,
    /// Persons by room.
    pub people: BTreeMap<usize, f64>,
    /// Nodes of electricity that are cut, by entity.
    pub cut: BTreeSet<usize>,
}

/// More persons than any space holds.
const MOST_PEOPLE: f64 = 100_000.0;

impl Overrides {
    /// Checks that every number is one that the models can go on with, for a campus of so many rooms.
    pub(crate) fn check(&self, rooms: usize) -> Result<(), DevicesError> {
        self.weather.check()?;
        for (r, people) in &self.people {
            if *r >= rooms || !(0.0..=MOST_PEOPLE).contains(people) {
                return refuse(format!("{people} persons in room {r}"), format!("give 0 to {MOST_PEOPLE}"));
            }
        }
        Ok(())
    }
}

fn refuse<T>(what: impl Into<String>, why: impl Into<String>) -> Result<T, DevicesError> {
    Err(DevicesError::Override { what: what.into(), why: why.into() })
}

impl Devices {
    /// Gives weather in place of the file's, all of it at once; [`WeatherOverride::default`] takes it back.
    ///
    /// # Errors
    /// Where a number is none that weather can have.
    pub fn set_weather(&mut self, weather: WeatherOverride) -> Result<(), DevicesError> {
        weather.check()?;
        self.models.overrides.weather = weather;
        Ok(())
    }

    /// Puts so many persons into a space (its path) in place of the timetable's, or with `None` takes that
    /// back. They breathe, give heat, use light and water; counters and presence sensors see them.
    ///
    /// # Errors
    /// Where the plan has no such space, or the number is negative, not finite or above 100,000.
    pub fn set_people(&mut self, space: &str, people: Option<f64>) -> Result<(), DevicesError> {
        let campus = &self.models.campus;
        let entity = campus.entity_index(space).filter(|&e| campus.entities[e].kind == EntityKind::Space);
        let Some(r) = entity.and_then(|e| self.models.room_of[e]) else {
            return refuse(
                format!("persons in '{space}'"),
                "the plan has no such space: write <building>/<storey>/<space>",
            );
        };
        match people {
            Some(n) if (0.0..=MOST_PEOPLE).contains(&n) => self.models.overrides.people.insert(r, n),
            Some(n) => {
                return refuse(format!("{n} persons in '{space}'"), format!("give 0 to {MOST_PEOPLE}"));
            }
            None => self.models.overrides.people.remove(&r),
        };
        Ok(())
    }

    /// Cuts the supply at a node of an electricity network (its path, `net/<network>/<node>`), or closes it
    /// again. All that hangs on it or below stops within a minute. A switch that was told to be off stays
    /// off.
    ///
    /// # Errors
    /// Where no electricity network has such a node.
    pub fn set_supply(&mut self, node: &str, on: bool) -> Result<(), DevicesError> {
        let campus = &self.models.campus;
        let entity = campus.entity_index(node).filter(|&entity| {
            let electric = campus.networks.iter().filter(|n| n.kind == NetworkKind::Electricity);
            electric.flat_map(|n| &n.nodes).any(|n| n.entity == entity)
        });
        let Some(entity) = entity else {
            return refuse(
                format!("the supply of '{node}' switched"),
                "no electricity network has such a node: write net/<network>/<node>",
            );
        };
        match on {
            true => self.models.overrides.cut.remove(&entity),
            false => self.models.overrides.cut.insert(entity),
        };
        self.prompt_entity(entity);
        Ok(())
    }

    /// Makes a sensor see a value in place of the models', without scatter, rounded to its resolution and
    /// kept in its range; `None` takes that back. A number shows at the point's next turn, anything else at
    /// the next step.
    ///
    /// # Errors
    /// Where the campus has no such point, it is commanded (it shows what it is told) or adds up what flows,
    /// or the value is of another type, not finite, none of the choices, or too long.
    pub fn set_truth(&mut self, point: PointId, truth: Option<Value>) -> Result<(), DevicesError> {
        let campus = self.models.campus.clone();
        let Some(seen) = campus.get_point(point) else {
            return refuse(format!("a truth at point {}", point.0), "the campus has no such point");
        };
        let what = || format!("a truth at '{}'", seen.path);
        if seen.command.is_some() {
            return refuse(what(), "it shows what it is told: command it");
        }
        if self.adds_up(point) {
            return refuse(
                what(),
                "it adds up what flows: set the weather, persons or supply that it follows",
            );
        }
        match truth {
            Some(value) if !suits(seen, &value) => {
                return refuse(what(), format!("{value:?} is no value of type {:?} for it", seen.value_type));
            }
            Some(Value::Number(x)) => self.truths.insert(point.0, Value::Number(fit(x, seen))),
            Some(value) => self.truths.insert(point.0, value),
            None => self.truths.remove(&point.0),
        };
        if !matches!(seen.value_type, campanile_model::ValueType::Number) {
            self.prompt.insert(point.0);
        }
        Ok(())
    }
}
