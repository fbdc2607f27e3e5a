//! Weather as the campus measures it: clouds dim the sun, rain falls.

use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::NoFrustumCulling;
use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use campanile_protocol::EntityKind;

use crate::app::{Rig, Twin};
use crate::state::{Index, State};
use crate::sun::sun_position;

/// What the sky does.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// How much of the sunlight the clouds keep away, 0 to 1.
    pub cloud: f32,
    /// How hard it rains, mm/h.
    pub rain_mm_h: f32,
}

/// The points that speak of the weather: those of these quantities that belong to no building.
fn outdoor_point(index: &Index, quantity: &str) -> Option<u32> {
    let is_outside = |entity: u32| index.within(entity, EntityKind::Building).is_none();
    let of = |(_, point): &(u32, &campanile_protocol::PointInfo)| {
        point.quantity == quantity && is_outside(point.entity)
    };
    (0..).zip(&index.catalogue.points).find(of).map(|(i, _)| i)
}

/// Irradiance of a clear sky on level ground by the sun's height, W/m²: Haurwitz (1945), 1098 sin h exp(−0.057 / sin h).
fn clear_sky_w_m2(altitude_rad: f64) -> f64 {
    let sine = altitude_rad.sin();
    if sine <= 0.0 { 0.0 } else { 1098.0 * sine * (-0.057 / sine).exp() }
}

/// How much of the light clouds keep away; `None` where the sun is too low to tell.
fn cloud_of(measured_w_m2: f64, altitude_rad: f64) -> Option<f32> {
    const LOWEST_W_M2: f64 = 60.0;
    let clear = clear_sky_w_m2(altitude_rad);
    (clear > LOWEST_W_M2).then(|| (1.0 - measured_w_m2 / clear).clamp(0.0, 1.0) as f32)
}

/// What is measured now; what is not measured stays as it was.
fn weather_of(state: &State, before: Weather, now_us: i64) -> Weather {
    let Some(index) = state.index.as_deref() else { return before };
    let site = &index.catalogue.site;
    let mut weather = before;
    if let Some(measured) = outdoor_point(index, "irradiance").and_then(|point| state.live_number(point)) {
        let sun = sun_position(now_us, site.latitude_deg, site.longitude_deg);
        weather.cloud = cloud_of(measured, sun.altitude_rad).unwrap_or(before.cloud);
    }
    if let Some((amount, info)) =
        outdoor_point(index, "rain").and_then(|point| Some((state.live_number(point)?, index.point(point)?)))
    {
        weather.rain_mm_h = (amount * 3600.0 / info.period_s.max(1.0)).clamp(0.0, 300.0) as f32;
    }
    weather
}

/// Looks at the weather every few seconds.
pub fn weather_system(
    twin: Res<'_, Twin>,
    time: Res<'_, Time<Real>>,
    mut weather: ResMut<'_, Weather>,
    mut looked_s: Local<'_, f64>,
) {
    const EVERY_S: f64 = 2.0;
    let now_s = time.elapsed_secs_f64();
    if now_s - *looked_s < EVERY_S && *looked_s > 0.0 {
        return;
    }
    *looked_s = now_s;
    let Some(now_us) = twin.state.time_us(now_s) else { return };
    let mut new = weather_of(&twin.state, *weather, now_us);
    if let Some(rain) =
        twin.state.rehearsal.as_ref().filter(|_| matches!(twin.world, crate::state::World::Rehearsal(_)))
    {
        new.rain_mm_h = rain.rain_1h_mm as f32;
        new.cloud = if new.rain_mm_h > 0.0 { 1.0 } else { new.cloud };
    }
    weather.set_if_neq(new);
}

/// Falling rain.
#[derive(Component)]
pub struct Rain;

/// The box around the eye in which drops are drawn, metres.
const BOX_M: f32 = 44.0;
const DROPS: usize = 1400;
/// Large drops fall at some 9 m/s (Gunn and Kinzer 1949).
const FALL_M_S: f32 = 9.0;

/// Makes the rain, hidden until it rains.
pub fn setup_rain(
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
) {
    let material = materials.add(StandardMaterial {
        base_color: Color::srgba(0.80, 0.86, 0.92, 0.34),
        unlit: true,
        fog_enabled: false,
        alpha_mode: AlphaMode::Blend,
        cull_mode: None,
        double_sided: true,
        ..default()
    });
    commands.spawn((
        Rain,
        Mesh3d(meshes.add(drops())),
        MeshMaterial3d(material),
        Transform::default(),
        Visibility::Hidden,
        NotShadowCaster,
        NotShadowReceiver,
        NoFrustumCulling,
    ));
}

/// Two boxes of drops above each other, so that one that falls by a box's height begins anew unseen.
fn drops() -> Mesh {
    let (mut positions, mut indices) = (Vec::new(), Vec::new());
    // A fixed sequence: the same rain on every machine (the additive recurrence of M. Roberts, R3).
    let place = |i: usize, step: f32| (0.5 + step * i as f32).fract() - 0.5;
    for i in 0..DROPS {
        let at = Vec3::new(place(i, 0.819_172_5), place(i, 0.671_043_6), place(i, 0.549_700_5)) * BOX_M;
        for lift in [0.0, BOX_M] {
            let base = positions.len() as u32;
            let long = 0.55;
            let (x, y, z) = (at.x, at.y + lift, at.z);
            // Thin crossed strips, seen from every side.
            for (dx, dz) in [(0.006, 0.0), (0.0, 0.006)] {
                positions.extend([
                    [x - dx, y, z - dz],
                    [x + dx, y, z + dz],
                    [x + dx, y + long, z + dz],
                    [x - dx, y + long, z - dz],
                ]);
            }
            for strip in [0, 4] {
                let a = base + strip;
                indices.extend([a, a + 1, a + 2, a, a + 2, a + 3]);
            }
        }
    }
    let normals = vec![[0.0f32, 1.0, 0.0]; positions.len()];
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_indices(Indices::U32(indices))
}

/// Lets the rain fall around the eye.
pub fn rain_system(
    weather: Res<'_, Weather>,
    rig: Res<'_, Rig>,
    time: Res<'_, Time<Real>>,
    rain: Single<'_, '_, (&mut Transform, &mut Visibility, &MeshMaterial3d<StandardMaterial>), With<Rain>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
    mut drawn_mm_h: Local<'_, f32>,
) {
    let (mut transform, mut visibility, material) = rain.into_inner();
    // From far away drops are no thicker than air.
    let is_seen = weather.rain_mm_h > 0.05;
    let wanted = if is_seen { Visibility::Inherited } else { Visibility::Hidden };
    if *visibility != wanted {
        *visibility = wanted;
    }
    if !is_seen {
        return;
    }
    if *drawn_mm_h != weather.rain_mm_h
        && let Some(mut material) = materials.get_mut(&material.0)
    {
        *drawn_mm_h = weather.rain_mm_h;
        let thick = 0.16 + 0.30 * (weather.rain_mm_h / 50.0).clamp(0.0, 1.0).sqrt();
        material.base_color = Color::srgba(0.80, 0.86, 0.92, thick);
    }
    // Before the eye, where it is looked at, and never further than the box reaches.
    let ahead = rig.now.axes().z_axis * -(BOX_M * 0.42).min(rig.now.distance);
    let fallen = (time.elapsed_secs() * FALL_M_S).rem_euclid(BOX_M);
    transform.translation = rig.now.eye() + ahead - Vec3::Y * (fallen + BOX_M * 0.25);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_are_what_is_missing_of_a_clear_sky() {
        let high = 60f64.to_radians();
        let clear = clear_sky_w_m2(high);
        assert!((880.0..900.0).contains(&clear), "{clear}");
        assert_eq!(cloud_of(clear, high), Some(0.0));
        assert_eq!(cloud_of(clear * 1.2, high), Some(0.0), "light between clouds is more than clear");
        assert!((cloud_of(clear * 0.25, high).unwrap() - 0.75).abs() < 1e-6);
        assert_eq!(cloud_of(0.0, -0.1), None, "at night nobody knows");
    }

    #[test]
    fn the_weather_is_that_outside() {
        use crate::state::tests::{catalogue, point};
        use crate::state::{Event, State};
        let mut catalogue = catalogue();
        catalogue.points = vec![point("a/1f/101/rain", 2, "rain"), point("site/rain", 4, "rain")];
        let mut site = catalogue.entities[0].clone();
        site.path = campanile_protocol::Path::new("site").unwrap();
        site.kind = EntityKind::Site;
        catalogue.entities.push(site);
        catalogue.points[1].period_s = 300.0;
        let mut state = State::default();
        state.apply(Event::Catalogue(Box::new(catalogue)), 0.0);
        assert_eq!(outdoor_point(state.index.as_deref().unwrap(), "rain"), Some(1), "not the one in a room");
        let before = Weather { cloud: 0.3, rain_mm_h: 2.0 };
        assert_eq!(weather_of(&state, before, 0), before, "what is not measured stays");
    }
}
