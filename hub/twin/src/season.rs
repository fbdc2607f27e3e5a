//! Leaves through the year: which trees turn, fall and green again.

use bevy::prelude::*;

use crate::app::Twin;
use crate::scene3d::Scene3d;

/// The colours of a leaf by day of the year, interpolated between.
type Year = &'static [(f32, [u8; 3])];

/// Ginkgo biloba in the lower Yangtze valley: out in early April, gold from mid-November, bare from mid-December.
const GINKGO: Year = &[
    (0.0, [142, 133, 117]),
    (85.0, [142, 133, 117]),
    (105.0, [150, 184, 82]),
    (160.0, [124, 160, 66]),
    (295.0, [134, 160, 66]),
    (320.0, [201, 165, 60]),
    (343.0, [196, 158, 62]),
    (352.0, [142, 133, 117]),
];

/// Planes, poplars, cherries: out at the end of March, brown in late November.
const DECIDUOUS: Year = &[
    (0.0, [138, 128, 108]),
    (78.0, [138, 128, 108]),
    (100.0, [120, 163, 78]),
    (160.0, [95, 138, 68]),
    (300.0, [100, 136, 66]),
    (328.0, [164, 118, 62]),
    (350.0, [138, 128, 108]),
];

/// The leaves of a material on a day of the year; `None` for what does not change.
fn leaf_colour(material: &str, day: f32) -> Option<[u8; 3]> {
    let year = match material {
        "leaf-ginkgo" => GINKGO,
        "leaf-mid" => DECIDUOUS,
        _ => return None,
    };
    let after = year.iter().position(|(d, _)| *d > day);
    let (from, to) = match after {
        Some(i) => (year.get(i.checked_sub(1)?)?, year.get(i)?),
        None => (year.last()?, year.last()?),
    };
    let t = if to.0 > from.0 { (day - from.0) / (to.0 - from.0) } else { 0.0 };
    let mix =
        |i: usize| (f32::from(from.1[i]) + t * (f32::from(to.1[i]) - f32::from(from.1[i]))).round() as u8;
    Some([mix(0), mix(1), mix(2)])
}

/// Day of the year from 0, in UTC: leaves don't mind some hours.
fn day_of_year(time_us: i64) -> f32 {
    let moment = jiff::Timestamp::from_microsecond(time_us).unwrap_or_default();
    f32::from(jiff::tz::Offset::UTC.to_datetime(moment).day_of_year() - 1)
}

/// Colours the leaves when the day or the scene has changed.
pub fn season_system(
    twin: Res<'_, Twin>,
    scene: Res<'_, Scene3d>,
    time: Res<'_, Time<Real>>,
    mut last: Local<'_, Option<(u64, i64)>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
) {
    const DAY_US: i64 = 86_400_000_000;
    let Some(now) = twin.state.time_us(time.elapsed_secs_f64()) else { return };
    let key = (scene.generation, now / DAY_US);
    if *last == Some(key) {
        return;
    }
    *last = Some(key);
    for (name, handle) in &scene.named_materials {
        let Some([r, g, b]) = leaf_colour(name, day_of_year(now)) else { continue };
        if let Some(mut material) = materials.get_mut(handle) {
            material.base_color = Color::srgb_u8(r, g, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ginkgo_is_green_in_june_gold_in_november_and_evergreens_stay() {
        let day = |text: &str| day_of_year(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        let [r, g, _] = leaf_colour("leaf-ginkgo", day("2026-06-15T02:30:00Z")).unwrap();
        assert!(g > r, "green in June");
        let [r, g, b] = leaf_colour("leaf-ginkgo", day("2026-11-24T02:30:00Z")).unwrap();
        assert!(r > g && g > 2 * b, "gold in November");
        assert_eq!(leaf_colour("leaf-dark", 0.0), None);
        for d in 0..366 {
            assert!(leaf_colour("leaf-mid", d as f32).is_some(), "a colour on every day");
        }
    }
}
