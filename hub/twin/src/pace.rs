//! How often a picture is drawn in a window: as often as the screen can while something moves, else as often as values come.
//! A campus on a wall all day, or on a pupil's laptop, does not wear it out.

use std::time::Duration;

use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll};
use bevy::prelude::*;
use bevy::winit::{UpdateMode, WinitSettings};

use crate::app::{Rig, Twin};
use crate::lens::Lens;
use crate::scene3d::Scene3d;
use crate::weather::Weather;

/// Between two pictures of which nothing moves but values.
const STILL: Duration = Duration::from_millis(250);
/// Between two pictures of marks on flows, and of rain.
const DRIFTING: Duration = Duration::from_millis(33);
/// So long after a person did something pictures follow each other, seconds: panels settle, and who did it goes on.
const LIVELY_S: f64 = 1.0;
/// And after the campus has come.
const BEGINNING_S: f64 = 5.0;

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Something moves.
    Moving,
    /// Something drifts.
    Drifting,
    /// Nothing.
    Still,
}

fn pace(is_moving: bool, lens: Option<Lens>, rain_mm_h: f32) -> Pace {
    let is_drifting = matches!(lens, Some(Lens::Energy | Lens::Water)) || rain_mm_h > 0.0;
    match (is_moving, is_drifting) {
        (true, _) => Pace::Moving,
        (false, true) => Pace::Drifting,
        (false, false) => Pace::Still,
    }
}

/// What a person does.
type Doings<'w> = (
    Res<'w, ButtonInput<KeyCode>>,
    Res<'w, ButtonInput<MouseButton>>,
    Res<'w, AccumulatedMouseMotion>,
    Res<'w, AccumulatedMouseScroll>,
);

/// Sets when the next picture is drawn.
pub fn pace_system(
    twin: Res<'_, Twin>,
    rig: Res<'_, Rig>,
    scene: Res<'_, Scene3d>,
    weather: Res<'_, Weather>,
    time: Res<'_, Time<Real>>,
    (keys, buttons, motion, scroll): Doings<'_>,
    mut settings: ResMut<'_, WinitSettings>,
    mut lively_until_s: Local<'_, f64>,
    mut seen: Local<'_, u64>,
) {
    let now_s = time.elapsed_secs_f64();
    let does = keys.get_pressed().next().is_some()
        || buttons.get_pressed().next().is_some()
        || keys.get_just_released().next().is_some()
        || buttons.get_just_released().next().is_some()
        || motion.delta != Vec2::ZERO
        || scroll.delta != Vec2::ZERO;
    if does {
        *lively_until_s = lively_until_s.max(now_s + LIVELY_S);
    }
    if *seen != scene.generation || scene.generation == 0 {
        *seen = scene.generation;
        *lively_until_s = lively_until_s.max(now_s + BEGINNING_S);
    }
    let walks = twin.state.layer("people").is_some_and(|(_, _, live)| live.is_some());
    let is_moving = now_s < *lively_until_s || rig.now != rig.goal || walks || twin.view.tour.is_some();
    let wait = match pace(is_moving, twin.view.lens, weather.rain_mm_h) {
        Pace::Moving => None,
        Pace::Drifting => Some(DRIFTING),
        Pace::Still => Some(STILL),
    };
    let wanted = wait.map_or(UpdateMode::Continuous, UpdateMode::reactive_low_power);
    if settings.focused_mode != wanted {
        // A campus on a second screen is looked at as well.
        *settings = WinitSettings { focused_mode: wanted, unfocused_mode: wanted };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_is_drawn_as_often_as_can_be_and_what_stands_still_is_not() {
        for (is_moving, lens, rain, expected) in [
            (true, None, 0.0, Pace::Moving),
            (true, Some(Lens::Water), 9.0, Pace::Moving),
            (false, Some(Lens::Energy), 0.0, Pace::Drifting),
            (false, Some(Lens::Safety), 0.0, Pace::Still),
            (false, None, 3.0, Pace::Drifting),
            (false, None, 0.0, Pace::Still),
        ] {
            assert_eq!(pace(is_moving, lens, rain), expected, "{is_moving} {lens:?} {rain}");
        }
    }
}
