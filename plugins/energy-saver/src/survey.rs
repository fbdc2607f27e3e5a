//! Which rooms are there: air-conditioners, and the sensors of the rooms that they serve, found by what points are and
//! where they stand, so that any campus will do.
//!
//! | what | how it is known |
//! |---|---|
//! | air-conditioner | an entity with a setpoint in °C and a switch that may be commanded, that is not about water |
//! | its room | the nearest place above it with an air temperature of its own |
//! | signs of people | a counter of people, else a presence sensor, else CO₂, of that place |
//! | outdoors | an air temperature whose kind says outside or outdoor |

use std::collections::{BTreeMap, BTreeSet};

use campanile_plugin::{
    Point, Words,
    points::{Info, Shape},
};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Rooms that can be looked after, by path.
    pub rooms: Vec<Room>,
    /// Rooms with air-conditioners that are left alone, since nothing shows whether people are there.
    pub unseen: Vec<String>,
    /// Air temperatures outdoors.
    pub outside: Vec<Point>,
}

/// A room and how it is sensed and conditioned.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Its path.
    pub path: String,
    /// Its names.
    pub names: Words,
    /// Air temperatures, °C.
    pub temperature: Vec<Point>,
    /// Counters of people.
    pub people: Vec<Point>,
    /// Presence sensors.
    pub presence: Vec<Point>,
    /// CO₂, ppm.
    pub co2: Vec<Point>,
    /// Its air-conditioners.
    pub units: Vec<Unit>,
}

/// An air-conditioner.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Its switch.
    pub on: Point,
    /// Its setpoint.
    pub setpoint: Point,
    /// Its mode, and the choices that cool and heat.
    pub mode: Option<(Point, u16, u16)>,
    /// Its power, and how many W its unit is.
    pub power: Option<(Point, f64)>,
}

/// The place of a point: its path without the last part.
fn place(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(place, _)| place)
}

/// Whether one of the words stands in a kind such as `outside-temperature`.
fn says(kind: &str, words: &[&str]) -> bool {
    kind.split(['-', '_']).any(|part| words.contains(&part))
}

fn is_celsius(info: &Info) -> bool {
    matches!(&info.shape, Shape::Number(unit) if unit == "Cel")
}

fn is_air(info: &Info) -> bool {
    is_celsius(info) && !info.commandable && says(&info.kind, &["temperature"])
}

const OUTDOORS: [&str; 3] = ["outside", "outdoor", "outdoors"];
/// Temperatures of something else than the air of a room.
const NO_AIR: [&str; 15] = [
    "water",
    "soil",
    "fridge",
    "refrigerator",
    "freezer",
    "holding",
    "disinfection",
    "winding",
    "inverter",
    "supply",
    "return",
    "discharge",
    "surface",
    "radiant",
    "compost",
];

impl Survey {
    /// Looks through the points that the plugin sees; rooms of `except` are passed over.
    pub fn of(points: &[Info], except: &BTreeSet<String>) -> Self {
        let mut by_place: BTreeMap<&str, Vec<&Info>> = BTreeMap::new();
        for info in points {
            by_place.entry(place(&info.path)).or_default().push(info);
        }
        let room_air =
            |info: &&&Info| is_air(info) && !says(&info.kind, &NO_AIR) && !says(&info.kind, &OUTDOORS);
        let mut units: BTreeMap<&str, Vec<Unit>> = BTreeMap::new();
        for (&entity, members) in &by_place {
            let Some(unit) = unit(members) else { continue };
            let mut room = place(entity);
            while !room.is_empty() && !by_place.get(room).is_some_and(|m| m.iter().any(|i| room_air(&i))) {
                room = place(room);
            }
            if !room.is_empty() && !except.contains(room) {
                units.entry(room).or_default().push(unit);
            }
        }
        let mut found = Self::default();
        for (path, units) in units {
            let members = by_place.get(path).map_or(&[][..], Vec::as_slice);
            let pick = |is: &dyn Fn(&Info) -> bool| -> Vec<Point> {
                members.iter().filter(|info| !info.commandable && is(info)).map(|info| info.point).collect()
            };
            let number = |info: &Info| matches!(info.shape, Shape::Number(_));
            let room = Room {
                path: path.to_owned(),
                names: members.first().map_or_else(|| Words::new(path, path), |info| info.place.clone()),
                temperature: pick(&|info| room_air(&&info)),
                people: pick(&|info| {
                    number(info) && says(&info.kind, &["people", "persons", "occupants", "occupancy"])
                }),
                presence: pick(&|info| {
                    info.shape == Shape::Boolean
                        && says(&info.kind, &["presence", "occupancy", "occupied", "motion"])
                }),
                co2: pick(&|info| number(info) && says(&info.kind, &["co2"])),
                units,
            };
            if room.people.is_empty() && room.presence.is_empty() && room.co2.is_empty() {
                found.unseen.push(room.path);
            } else {
                found.rooms.push(room);
            }
        }
        let outdoors = |info: &&Info| is_air(info) && says(&info.kind, &OUTDOORS);
        found.outside = points.iter().filter(outdoors).map(|info| info.point).collect();
        found
    }
}

/// The air-conditioner that the points of an entity are, if they are one.
fn unit(members: &[&Info]) -> Option<Unit> {
    if members.iter().any(|info| says(&info.kind, &["water"])) {
        return None;
    }
    let commanded = || members.iter().filter(|info| info.commandable);
    let setpoint = commanded().find(|info| is_celsius(info) && says(&info.kind, &["setpoint"]))?;
    let on = commanded().find(|info| info.shape == Shape::Boolean)?;
    let mode = commanded().find_map(|info| {
        let Shape::Choice(choices) = &info.shape else { return None };
        let index = |ids: &[&str]| {
            choices.iter().position(|c| ids.contains(&c.as_str())).and_then(|i| u16::try_from(i).ok())
        };
        Some((info.point, index(&["cool", "cooling"])?, index(&["heat", "heating"])?))
    });
    let power = members.iter().find_map(|info| match &info.shape {
        Shape::Number(unit) if !info.commandable => match unit.as_str() {
            "W" => Some((info.point, 1.0)),
            "kW" => Some((info.point, 1000.0)),
            _ => None,
        },
        _ => None,
    });
    Some(Unit { on: on.point, setpoint: setpoint.point, mode, power })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(path: &str, kind: &str, shape: Shape, commandable: bool) -> Info {
        Info {
            // Tests know points by the length of nothing: a number that is their path's alone.
            point: path.bytes().fold(7, |n: u32, b| n.wrapping_mul(31).wrapping_add(b.into())),
            path: path.into(),
            kind: kind.into(),
            names: Words::new("", ""),
            place: Words::new("某处", "Somewhere"),
            shape,
            commandable,
            resolution: None,
            period_s: 60.0,
            accumulates: false,
            rollover: None,
        }
    }

    fn number(path: &str, kind: &str, unit: &str) -> Info {
        point(path, kind, Shape::Number(unit.into()), false)
    }

    fn air_conditioner(entity: &str) -> Vec<Info> {
        let modes = ["cool", "heat", "dry"].map(str::to_owned).to_vec();
        vec![
            point(&format!("{entity}/on"), "ac-on", Shape::Boolean, true),
            point(&format!("{entity}/running"), "running", Shape::Boolean, false),
            point(&format!("{entity}/setpoint"), "ac-setpoint", Shape::Number("Cel".into()), true),
            point(&format!("{entity}/mode"), "ac-mode", Shape::Choice(modes), true),
            number(&format!("{entity}/power"), "ac-power", "W"),
        ]
    }

    fn find<'a>(survey: &'a Survey, path: &str) -> Option<&'a Room> {
        survey.rooms.iter().find(|room| room.path == path)
    }

    #[test]
    fn rooms_are_found_by_what_points_are_and_where_they_stand() {
        let mut points = vec![
            number("a/1f/101/temperature", "temperature", "Cel"),
            point("a/1f/101/presence", "presence", Shape::Boolean, false),
            number("a/1f/101/co2", "co2", "[ppm]"),
            // A hall with two, and people counted.
            number("a/1f/hall/temperature", "temperature", "Cel"),
            number("a/1f/hall/people", "people", "{people}"),
            number("site/station/outside-temperature", "outside-temperature", "Cel"),
        ];
        points.extend(air_conditioner("a/1f/101/ac"));
        points.extend(air_conditioner("a/1f/hall/ac-1"));
        points.extend(air_conditioner("a/1f/hall/ac-2"));
        let survey = Survey::of(&points, &BTreeSet::new());
        let room = find(&survey, "a/1f/101").unwrap();
        assert_eq!((room.temperature.len(), room.presence.len(), room.co2.len()), (1, 1, 1));
        let unit = &room.units[0];
        assert!(unit.mode.is_some_and(|(_, cool, heat)| (cool, heat) == (0, 1)) && unit.power.is_some());
        assert_eq!(find(&survey, "a/1f/hall").unwrap().units.len(), 2);
        assert_eq!(survey.outside.len(), 1);
    }

    /// A server room and a cold kitchen have to be cool by night: what shows no people is left alone.
    #[test]
    fn rooms_where_nothing_shows_people_are_left_alone() {
        let mut points = vec![number("b/1f/server/temperature", "temperature", "Cel")];
        points.extend(air_conditioner("b/1f/server/ac-1"));
        let survey = Survey::of(&points, &BTreeSet::new());
        assert!(survey.rooms.is_empty());
        assert_eq!(survey.unseen, ["b/1f/server"]);
    }

    #[test]
    fn what_is_no_air_conditioner_is_passed_over() {
        let setpoint = |path: &str, kind: &str| point(path, kind, Shape::Number("Cel".into()), true);
        let points = vec![
            number("c/b1/plant/temperature", "temperature", "Cel"),
            point("c/b1/plant/presence", "presence", Shape::Boolean, false),
            // A hot water tank with a switch.
            point("c/b1/plant/tank/on", "tank-on", Shape::Boolean, true),
            setpoint("c/b1/plant/tank/hot-water-setpoint", "hot-water-setpoint"),
            // A thermostat without a switch.
            setpoint("c/b1/plant/radiator/setpoint", "room-setpoint"),
            // A fan.
            point("c/b1/plant/fan/on", "fan-on", Shape::Boolean, true),
        ];
        assert_eq!(Survey::of(&points, &BTreeSet::new()), Survey::default());
    }

    #[test]
    fn places_that_are_excepted_are_not_looked_after() {
        let mut points = vec![
            number("a/1f/101/temperature", "temperature", "Cel"),
            point("a/1f/101/presence", "presence", Shape::Boolean, false),
        ];
        points.extend(air_conditioner("a/1f/101/ac"));
        assert_eq!(Survey::of(&points, &BTreeSet::from(["a/1f/101".into()])).rooms, []);
    }
}
