//! The night minimum: what still flows while nobody is there is mostly a leak. Looked up in history once a day.

use campanile_plugin::{
    Plugin, Result, Settings, Time, Words, alarms, clock, history,
    points::{self, Derived, Info},
    store,
};

/// Stretches of half an hour.
const WIDTH_S: f64 = 1_800.0;
/// From m³ in half an hour to L/h.
const L_PER_H: f64 = 2_000.0;

struct NightFlow {
    limit_l_h: f64,
    meters: Vec<Info>,
}

impl Plugin for NightFlow {
    fn start(settings: &Settings) -> Result<Self> {
        let limit_l_h = settings.parse("limit_l_h", 60.0)?;
        Ok(Self { limit_l_h, meters: points::find("net/water/*/water-volume")? })
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let local = clock::local(now);
        let today = format!("{}-{:02}-{:02}", local.year, local.month, local.day);
        let done: String = store::load("done")?.unwrap_or_default();
        if local.hour < 5 || done == today {
            return Ok(());
        }
        let midnight = now
            - i64::from(local.hour) * clock::HOUR
            - i64::from(local.minute) * clock::MINUTE
            - i64::from(local.second) * clock::SECOND;
        let (from, to) = (midnight + clock::HOUR, midnight + 5 * clock::HOUR);
        // Six meters: more than ten readings of history a second would be denied as too soon.
        for meter in &self.meters {
            let place = meter.path.trim_end_matches("/water-volume");
            let halves = history::buckets(meter.point, from, to, WIDTH_S)?;
            // A register: what flowed is by how much the next stretch begins higher. One without a sample is left out.
            let flows = halves.windows(2).filter(|pair| pair[1].start - pair[0].start == 30 * clock::MINUTE);
            let least = flows.map(|pair| (pair[1].min - pair[0].min) * L_PER_H).reduce(f64::min);
            // A meter that was silent says nothing.
            let Some(flow_l_h) = least.filter(|flow| *flow >= 0.0) else { continue };
            points::publish(&[Derived::for_entity("night-flow", place, flow_l_h)])?;
            if flow_l_h > self.limit_l_h {
                let words = Words::new(
                    format!("夜间至少仍有 {flow_l_h:.0} L/h"),
                    format!("at least {flow_l_h:.0} L/h all night"),
                );
                alarms::raise("night-use", place, &words)?;
            } else {
                alarms::clear("night-use", place)?;
            }
        }
        store::save("done", &today)
    }
}

campanile_plugin::export_rule!(NightFlow);
