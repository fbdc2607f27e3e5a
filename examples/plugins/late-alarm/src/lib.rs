//! An alarm that waits: it is raised where a server room has been too warm for some minutes.

use std::collections::BTreeMap;

use campanile_plugin::{
    Plugin, Result, Settings, Time, Words, alarms, clock,
    points::{self, Info},
    store,
};

struct LateAlarm {
    limit_c: f64,
    wait: Time,
    sensors: Vec<Info>,
}

impl Plugin for LateAlarm {
    fn start(settings: &Settings) -> Result<Self> {
        Ok(Self {
            limit_c: settings.parse("limit_c", 28.0)?,
            wait: settings.parse("minutes", 5)? * clock::MINUTE,
            sensors: points::find("**/temperature")?,
        })
    }

    fn on_tick(&mut self, now: Time) -> Result {
        // Since when each room is too warm, and whether that was said. In the store: this instance may be gone at the
        // next tick.
        let mut warm: BTreeMap<String, (Time, bool)> = store::load("warm")?.unwrap_or_default();
        let handles: Vec<_> = self.sensors.iter().map(|sensor| sensor.point).collect();
        for (sensor, sample) in self.sensors.iter().zip(points::read(&handles)?) {
            let room = sensor.path.trim_end_matches("/temperature");
            // A silent sensor says neither yes nor no.
            let Some(celsius) = sample.and_then(|sample| sample.number()) else { continue };
            if celsius > self.limit_c {
                let (since, said) = warm.entry(room.to_owned()).or_insert((now, false));
                if !*said && now - *since >= self.wait {
                    let words = Words::new(
                        format!("{celsius:.1} °C，请检查空调"),
                        format!("{celsius:.1} °C: look at the cooling"),
                    );
                    alarms::raise("warm", room, &words)?;
                    *said = true;
                }
            } else if warm.remove(room).is_some_and(|(_, said)| said) {
                alarms::clear("warm", room)?;
            }
        }
        store::save("warm", &warm)
    }
}

campanile_plugin::export_rule!(LateAlarm);
