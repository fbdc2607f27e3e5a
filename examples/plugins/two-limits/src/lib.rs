//! Hysteresis: lights go on below one limit and are let go above another, so that a cloud does not make them flicker.

use std::collections::BTreeSet;

use campanile_plugin::{
    Plugin, Point, Result, Settings, Time,
    commands::{self, Command},
    points, store, warn,
};

/// Seconds between ticks, as in `plugin.toml`.
const TICK_S: f64 = 60.0;
/// One text, shown to all.
const REASON: &str = "光线昏暗 / it is dark";

struct TwoLimits {
    dark_lx: f64,
    bright_lx: f64,
    rooms: Vec<Room>,
}

struct Room {
    path: String,
    illuminance: Point,
    presence: Point,
    lights: Point,
}

impl Plugin for TwoLimits {
    fn start(settings: &Settings) -> Result<Self> {
        let room = |info: points::Info| {
            let path = info.path.strip_suffix("/illuminance")?.to_owned();
            let of = |end: &str| points::by_path(&format!("{path}/{end}")).ok().map(|info| info.point);
            Some(Room { illuminance: info.point, presence: of("presence")?, lights: of("lights/on")?, path })
        };
        Ok(Self {
            dark_lx: settings.parse("dark_lx", 300.0)?,
            bright_lx: settings.parse("bright_lx", 600.0)?,
            rooms: points::find("**/illuminance")?.into_iter().filter_map(room).collect(),
        })
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        let before: BTreeSet<String> = store::load("lit")?.unwrap_or_default();
        let handles: Vec<Point> =
            self.rooms.iter().flat_map(|room| [room.illuminance, room.presence]).collect();
        let read = points::read(&handles)?;
        let (mut lit, mut on, mut off) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (room, read) in self.rooms.iter().zip(read.chunks(2)) {
            let lx = read[0].as_ref().and_then(|sample| sample.number());
            // None where the sensor is broken or silent: that is not that nobody is there.
            let somebody = read[1].as_ref().and_then(|sample| sample.truth());
            let was = before.contains(&room.path);
            // Between the limits, and where a sensor is silent, it stays as it was.
            let wanted = match (somebody, lx) {
                (Some(false), _) => false,
                (Some(true), Some(lx)) if lx < self.dark_lx => true,
                (_, Some(lx)) => was && lx <= self.bright_lx,
                (_, None) => was,
            };
            if wanted {
                lit.insert(room.path.clone());
                // Lets go by itself where three ticks don't renew it.
                on.push(Command::new(room.lights, true, REASON).priority(12).expires_s(3.0 * TICK_S));
            } else if was {
                off.push(room.lights);
            }
        }
        for denial in commands::write(&on).into_iter().filter_map(Result::err) {
            warn!("lights: {denial}");
        }
        commands::relinquish(&off)?;
        store::save("lit", &lit)
    }
}

campanile_plugin::export_rule!(TwoLimits);
