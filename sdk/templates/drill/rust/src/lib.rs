//! The director of a drill: where it rains hard the guard reports, and the trainees are asked whether the barrier at the
//! canteen goes up. Each is said once.

use campanile_plugin::{
    Drill, Plugin, Result, Settings, Time, Words,
    drills::{self, Decision, Stage},
    store,
};

/// The action of the drill that a yes begins.
const ACTION: &str = "barrier-canteen";

struct Director {
    rain_mm: f64,
}

impl Plugin for Director {
    fn start(settings: &Settings) -> Result<Self> {
        Ok(Self { rain_mm: settings.parse("rain_mm", 20.0)? })
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        if drills::now()?.rain_hour_mm < self.rain_mm || store::load("asked")?.unwrap_or(false) {
            return Ok(());
        }
        let guard = Words::new("保安", "Guard");
        drills::tell(&guard, &Words::new("雨很大，食堂门口开始积水", "It pours, and water stands at the canteen"))?;
        let question = Words::new("食堂门口上挡水板吗？", "Does the barrier at the canteen go up?");
        drills::ask("barrier", &question, &[Words::new("上", "Yes"), Words::new("再等等", "Not yet")])?;
        store::save("asked", &true)
    }
}

impl Drill for Director {
    fn on_decision(&mut self, decision: &Decision) -> Result {
        if decision.id == "barrier" && decision.answer == 0 && drills::progress(ACTION)? == Stage::NotBegun {
            drills::begin(ACTION)?;
        }
        Ok(())
    }
}

campanile_plugin::export_drill!(Director);
