//! Setpoints held for an hour: each tick renews the command, so a plugin that falls silent has let go after three.

use campanile_plugin::{
    Plugin, Point, Result, Settings, Time, clock,
    commands::{self, Command},
    points, warn,
};

/// Seconds between ticks, as in `plugin.toml`.
const TICK_S: f64 = 60.0;
/// One text, shown to all.
const REASON: &str = "午休无人 / nobody is in at lunch";

struct LunchEase {
    ease_c: f64,
    setpoints: Vec<Point>,
}

impl Plugin for LunchEase {
    fn start(settings: &Settings) -> Result<Self> {
        // Who may command a point sees it: `read` need not name it.
        let setpoints = points::find("**/ac/setpoint")?.into_iter().map(|info| info.point).collect();
        Ok(Self { ease_c: settings.parse("ease_c", 28.0)?, setpoints })
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let local = clock::local(now);
        let is_lunch = local.weekday <= 5 && local.hour == 12;
        if !is_lunch {
            // Those where it holds nothing are passed over.
            return Ok(commands::relinquish(&self.setpoints)?);
        }
        let wish =
            |point: &Point| Command::new(*point, self.ease_c, REASON).priority(12).expires_s(3.0 * TICK_S);
        let wishes: Vec<Command> = self.setpoints.iter().map(wish).collect();
        // One call for all, an answer each.
        let denials: Vec<_> = commands::write(&wishes).into_iter().filter_map(Result::err).collect();
        if let Some(first) = denials.first() {
            warn!("{} of {} setpoints were refused, such as: {first}", denials.len(), wishes.len());
        }
        Ok(())
    }
}

campanile_plugin::export_rule!(LunchEase);
