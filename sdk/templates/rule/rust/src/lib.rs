//! A rule for rooms: where CO₂ stays high for three ticks it raises an alarm. Where the setting `act` says so, it also
//! raises the setpoint of the air conditioning, so that windows can be opened without cooling the yard.

use std::collections::BTreeMap;

use campanile_plugin::{
    Denial, Plugin, Point, Result, Settings, Time, Words, alarms,
    commands::{self, Command},
    points, store, warn,
};

/// Seconds between ticks, as in `plugin.toml`.
const TICK_S: f64 = 60.0;
/// So many ticks in a row make an alarm.
const TICKS: u8 = 3;
/// Why it commands: one text, shown to all.
const REASON: &str = "空气不新鲜，需要开窗 / the air is stale: windows are to be opened";

struct StaleAir {
    limit_ppm: f64,
    /// What to command, °C; none where the rule only watches.
    setpoint_c: Option<f64>,
    rooms: Vec<Room>,
}

struct Room {
    path: String,
    co2: Point,
    setpoint: Option<Point>,
}

impl Plugin for StaleAir {
    fn start(settings: &Settings) -> Result<Self> {
        let setpoint_c = settings.parse("setpoint_c", 28.0)?;
        // Looked up once: handles stay good for as long as this instance lives.
        let setpoints: BTreeMap<String, Point> =
            points::find("**/ac/setpoint")?.into_iter().map(|info| (info.path, info.point)).collect();
        let rooms = points::find("**/co2")?.into_iter().filter_map(|info| {
            let path = info.path.strip_suffix("/co2")?.to_owned();
            let setpoint = setpoints.get(&format!("{path}/ac/setpoint")).copied();
            Some(Room { path, co2: info.point, setpoint })
        });
        Ok(Self {
            limit_ppm: settings.parse("limit_ppm", 1_000.0)?,
            setpoint_c: settings.parse("act", false)?.then_some(setpoint_c),
            rooms: rooms.collect(),
        })
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        // Ticks in a row that a room has been stale. In the store, since this instance may be gone at the next tick.
        let before: BTreeMap<String, u8> = store::load("stale")?.unwrap_or_default();
        let mut stale = BTreeMap::new();
        let mut wanted = Vec::new();

        // One call for all rooms: batches are what keeps a plugin cheap.
        let handles: Vec<Point> = self.rooms.iter().map(|room| room.co2).collect();
        for (room, sample) in self.rooms.iter().zip(points::read(&handles)?) {
            let was = before.get(&room.path).copied().unwrap_or(0);
            let ticks = match sample.and_then(|sample| sample.number()) {
                Some(ppm) if ppm <= self.limit_ppm => 0,
                Some(_) => TICKS.min(was + 1),
                // A silent sensor says neither yes nor no.
                None => was,
            };
            if was < TICKS && ticks == TICKS {
                let detail = Words::new("二氧化碳浓度偏高，请开窗", "CO₂ is high: open a window");
                refused("the alarm", alarms::raise("stale-air", &room.path, &detail));
            } else if was == TICKS && ticks == 0 {
                refused("the end of the alarm", alarms::clear("stale-air", &room.path));
            }
            if let (TICKS, Some(setpoint), Some(celsius)) = (ticks, room.setpoint, self.setpoint_c) {
                // It lets go by itself when two ticks fail to renew it, and at once when people command it (slot 8).
                wanted.push(Command::new(setpoint, celsius, REASON).priority(12).expires_s(3.0 * TICK_S));
            }
            if ticks > 0 {
                stale.insert(&room.path, ticks);
            }
        }

        for answer in commands::write(&wanted) {
            refused("a setpoint", answer);
        }
        store::save("stale", &stale)
    }
}

/// One refusal is not to keep the other rooms from being looked after.
fn refused(what: &str, answer: Result<(), Denial>) {
    if let Err(denial) = answer {
        warn!("{what} was refused: {denial}");
    }
}

campanile_plugin::export_rule!(StaleAir);
