//! Sun, sky and haze by the campus's own time.

use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::NoFrustumCulling;
use bevy::light::{
    CascadeShadowConfigBuilder, DirectionalLightShadowMap, NotShadowCaster, NotShadowReceiver,
};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::pbr::{DistanceFog, FogFalloff};
use bevy::prelude::*;
use bevy::render::renderer::RenderAdapterInfo;

use crate::app::{Rig, SceneCamera, Twin};
use crate::shading::{Shading, is_software};
use crate::sun::sun_position;
use crate::weather::Weather;

#[derive(Component)]
pub struct Sun;
#[derive(Component)]
pub struct Fill;
#[derive(Component)]
pub struct Dome;

const DOME_RADIUS_M: f32 = 4000.0;
const DOME_RINGS: usize = 24;
const DOME_SIDES: usize = 48;

/// The colours of a sky, linear-free sRGB.
#[derive(Clone, Copy, Debug)]
pub struct Sky {
    /// Overhead.
    pub zenith: Vec3,
    /// At the horizon, and of the haze.
    pub horizon: Vec3,
    /// Of sunlight.
    pub sunlight: Vec3,
    /// How strong sunlight is, 0 to 1.
    pub sun: f32,
    /// How strong light from the sky is, 0 to 1.
    pub ambient: f32,
}

/// The sky for the sun's height in degrees: night, dawn, low sun and day, blended between.
pub fn sky_at(altitude_deg: f32) -> Sky {
    let keys: [(f32, [f32; 11]); 5] = [
        (-12.0, [0.06, 0.09, 0.18, 0.16, 0.20, 0.32, 0.70, 0.80, 1.00, 0.16, 0.45]),
        (-3.0, [0.20, 0.28, 0.48, 0.72, 0.55, 0.50, 0.85, 0.80, 0.95, 0.14, 0.60]),
        (3.0, [0.36, 0.52, 0.76, 0.96, 0.80, 0.64, 1.00, 0.74, 0.48, 0.60, 0.80]),
        (18.0, [0.38, 0.60, 0.87, 0.86, 0.91, 0.95, 1.00, 0.92, 0.80, 0.95, 0.96]),
        (50.0, [0.34, 0.57, 0.86, 0.83, 0.91, 0.97, 1.00, 0.97, 0.91, 1.00, 1.00]),
    ];
    let at = keys.iter().position(|(a, _)| altitude_deg < *a).unwrap_or(keys.len());
    let k = if at == 0 {
        keys[0].1
    } else if at == keys.len() {
        keys[keys.len() - 1].1
    } else {
        let ((a, low), (b, high)) = (keys[at - 1], keys[at]);
        let t = (altitude_deg - a) / (b - a);
        std::array::from_fn(|i| low[i] + (high[i] - low[i]) * t)
    };
    Sky {
        zenith: Vec3::new(k[0], k[1], k[2]),
        horizon: Vec3::new(k[3], k[4], k[5]),
        sunlight: Vec3::new(k[6], k[7], k[8]),
        sun: k[9],
        ambient: k[10],
    }
}

impl Sky {
    /// The same sky behind clouds: greyer, the sun dimmer, its light from everywhere.
    fn overcast(self, cloud: f32) -> Sky {
        let grey = |c: Vec3, strength: f32| {
            let luma = c.dot(Vec3::new(0.2126, 0.7152, 0.0722));
            c.lerp(Vec3::new(luma, luma * 1.01, luma * 1.03) * (1.0 - 0.18 * strength), strength)
        };
        Sky {
            zenith: grey(self.zenith, cloud * 0.85),
            horizon: grey(self.horizon, cloud * 0.8),
            sunlight: grey(self.sunlight, cloud * 0.5),
            sun: self.sun * (1.0 - 0.88 * cloud),
            ambient: self.ambient * (1.0 + 0.12 * cloud * self.sun),
        }
    }
}

fn colour(c: Vec3) -> Color {
    Color::srgb(c.x, c.y, c.z)
}

/// WebGL2 has room for one directional light, and for one of its cascades.
const ONE_LIGHT: bool = cfg!(target_arch = "wasm32");

/// What lights the shadows where there is no second lamp: a lamp of 420 lx over all facings.
const FILL_AS_AMBIENT: f32 = 420.0 / (4.0 * std::f32::consts::PI);

/// Makes lights and dome.
pub fn setup_sky(
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
    (adapter, shading): (Res<'_, RenderAdapterInfo>, Res<'_, Shading>),
) {
    // A processor that draws in a graphics card's stead fills a quarter of the shadow map.
    commands
        .insert_resource(DirectionalLightShadowMap { size: if is_software(&adapter) { 2048 } else { 4096 } });
    commands.spawn((
        Sun,
        DirectionalLight {
            shadow_maps_enabled: *shading == Shading::Fine,
            shadow_depth_bias: 0.04,
            shadow_normal_bias: 1.2,
            ..default()
        },
        CascadeShadowConfigBuilder {
            num_cascades: if ONE_LIGHT { 1 } else { 3 },
            minimum_distance: 1.0,
            first_cascade_far_bound: 90.0,
            maximum_distance: if ONE_LIGHT { 350.0 } else { 900.0 },
            overlap_proportion: 0.2,
        }
        .build(),
        Transform::default(),
    ));
    if !ONE_LIGHT {
        commands.spawn((
            Fill,
            DirectionalLight { shadow_maps_enabled: false, ..default() },
            Transform::default(),
        ));
    }
    let material =
        materials.add(StandardMaterial { unlit: true, fog_enabled: false, cull_mode: None, ..default() });
    commands.spawn((
        Dome,
        Mesh3d(meshes.add(dome_mesh(&sky_at(50.0), Vec3::Y))),
        MeshMaterial3d(material),
        Transform::default(),
        NotShadowCaster,
        NotShadowReceiver,
        NoFrustumCulling,
    ));
}

/// A sphere whose vertices carry the sky's gradient and a glow around the sun.
fn dome_mesh(sky: &Sky, to_sun: Vec3) -> Mesh {
    let (mut positions, mut colours, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    for ring in 0..=DOME_RINGS {
        // More rings near the horizon, where the colour changes fast.
        let t = ring as f32 / DOME_RINGS as f32;
        let altitude = (-0.35 + 1.35 * t * t.sqrt()) * std::f32::consts::FRAC_PI_2;
        for side in 0..=DOME_SIDES {
            let azimuth = side as f32 / DOME_SIDES as f32 * std::f32::consts::TAU;
            let direction =
                Vec3::new(azimuth.sin() * altitude.cos(), altitude.sin(), azimuth.cos() * altitude.cos());
            let up = altitude.sin().max(0.0).powf(0.5);
            let glow = direction.dot(to_sun).max(0.0).powf(24.0) * 0.25 * sky.sun;
            let c = sky.horizon.lerp(sky.zenith, up) + sky.sunlight * glow;
            let linear = Color::srgb(c.x.min(1.0), c.y.min(1.0), c.z.min(1.0)).to_linear();
            positions.push((direction * DOME_RADIUS_M).to_array());
            colours.push([linear.red, linear.green, linear.blue, 1.0]);
        }
    }
    let row = DOME_SIDES as u32 + 1;
    for ring in 0..DOME_RINGS as u32 {
        for side in 0..DOME_SIDES as u32 {
            let a = ring * row + side;
            indices.extend([a, a + 1, a + row, a + 1, a + row + 1, a + row]);
        }
    }
    let normals = vec![[0.0f32, 1.0, 0.0]; positions.len()];
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colours)
        .with_inserted_indices(Indices::U32(indices))
}

/// A minute of the campus moves a shadow by less than a pixel.
const SUN_STEP_US: i64 = 60_000_000;

/// Moves the sun when the campus's clock has moved by a minute.
#[allow(clippy::type_complexity)]
pub fn sun_system(
    twin: Res<'_, Twin>,
    weather: Res<'_, Weather>,
    time: Res<'_, Time<Real>>,
    mut last: Local<'_, Option<(i64, usize, i32)>>,
    mut sun: Single<'_, '_, (&mut DirectionalLight, &mut Transform), (With<Sun>, Without<Fill>)>,
    mut fill: Query<'_, '_, (&mut DirectionalLight, &mut Transform), (With<Fill>, Without<Sun>)>,
    dome: Single<'_, '_, &Mesh3d, With<Dome>>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    (mut ambient, mut clear): (ResMut<'_, GlobalAmbientLight>, ResMut<'_, ClearColor>),
    mut fog: Single<'_, '_, &mut DistanceFog, With<SceneCamera>>,
) {
    let site = twin.state.index.as_ref().map(|i| i.catalogue.site.clone());
    // Before the hub has spoken the sun of a spring morning does.
    let (position, bearing, now) = match (twin.state.time_us(time.elapsed_secs_f64()), &site) {
        (Some(t), Some(site)) => {
            (sun_position(t, site.latitude_deg, site.longitude_deg), site.bearing_deg, t / SUN_STEP_US)
        }
        _ => (crate::sun::SunPosition { altitude_rad: 0.7, azimuth_rad: 2.2 }, 0.0, i64::MIN),
    };
    // Clouds come and go by steps that nobody sees.
    let cloud = (weather.cloud * 20.0).round();
    let key = (now, usize::from(site.is_some()), cloud as i32);
    if *last == Some(key) {
        return;
    }
    *last = Some(key);
    let altitude_deg = position.altitude_rad.to_degrees() as f32;
    let sky = sky_at(altitude_deg).overcast(cloud / 20.0);
    let to_sun = Vec3::from_array(position.direction(bearing));
    // At night the same lamp is the moon; it keeps away from the horizon, where shadows are endless.
    let from = if altitude_deg < 4.0 {
        Vec3::new(to_sun.x, to_sun.y.abs().max(0.45), to_sun.z).normalize_or(Vec3::Y)
    } else {
        to_sun
    };
    // White in full light comes out at about 0.95 with the camera's exposure of 1/1000: the picture
    // is drawn without tone mapping, so that colours stay what the legend says.
    sun.0.illuminance = 2650.0 * sky.sun;
    sun.0.color = colour(sky.sunlight);
    *sun.1 = Transform::from_translation(from * 100.0).looking_at(Vec3::ZERO, Vec3::Y);
    for (mut lamp, mut place) in &mut fill {
        lamp.illuminance = 420.0 * sky.ambient;
        lamp.color = colour(sky.horizon);
        let across = Vec3::new(-from.z, 0.7, from.x);
        *place = Transform::from_translation(across * 100.0).looking_at(Vec3::ZERO, Vec3::Y);
    }
    ambient.brightness = (520.0 + if ONE_LIGHT { FILL_AS_AMBIENT } else { 0.0 }) * sky.ambient;
    ambient.color = colour(sky.zenith.lerp(Vec3::ONE, 0.62));
    fog.color = colour(sky.horizon);
    // What is below the horizon beyond the terrain.
    clear.0 = colour(sky.horizon);
    fog.falloff = FogFalloff::Linear { start: 700.0, end: 3600.0 };
    if let Some(mut mesh) = meshes.get_mut(&dome.0) {
        *mesh = dome_mesh(&sky, to_sun);
    }
}

/// The sky is always around the eye.
pub fn dome_system(rig: Res<'_, Rig>, mut dome: Single<'_, '_, &mut Transform, With<Dome>>) {
    let eye = rig.now.eye();
    if dome.translation != eye {
        dome.translation = eye;
    }
}
