//! Water and people of a rehearsal in the scene.
//!
//! Water outdoors is one surface of the wet cells, its colour the depth; people are figures that share one mesh and a
//! material a state, so that the renderer draws thousands as instances. Between two frames of the hub people are moved
//! smoothly from where they were to where they are.

use bevy::asset::RenderAssetUsages;
use bevy::light::NotShadowCaster;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use campanile_protocol::{Agent, AgentState, LayerInfo, LayerShape, LayerState};

use crate::app::{Rig, Twin};
use crate::scene3d::Scene3d;

/// Water shallower than this is not drawn, m.
const LEAST_M: f64 = 0.02;
/// How far the surface is drawn above the ground, m: enough not to flicker into it.
const ABOVE_M: f32 = 0.02;
/// Nearer than this people move smoothly between what the hub says, m.
const SMOOTH_M: f32 = 250.0;
/// The height of a figure, m.
const TALL_M: f32 = 1.5;
/// Depths and colours of the surface, m; between them it is mixed.
pub const DEPTH_COLOURS: [(f64, [f32; 4]); 6] = [
    (0.02, [0.62, 0.80, 0.93, 0.0]),
    (0.05, [0.55, 0.76, 0.92, 0.40]),
    (0.15, [0.35, 0.62, 0.85, 0.68]),
    (0.40, [0.16, 0.42, 0.73, 0.80]),
    (0.80, [0.08, 0.24, 0.55, 0.88]),
    (1.50, [0.22, 0.10, 0.42, 0.92]),
];

/// The surface of the water.
#[derive(Component)]
pub struct WaterSurface;

/// A person, by number.
#[derive(Component)]
pub struct Figure(u32);

/// What was drawn last.
#[derive(Default)]
pub struct Drawn {
    water: Option<(u64, bool)>,
    surface: Option<(Entity, Handle<Mesh>)>,
    figures: Vec<Entity>,
    materials: Vec<Handle<StandardMaterial>>,
    states: Vec<AgentState>,
}

fn colour(depth_m: f64) -> [f32; 4] {
    let after = DEPTH_COLOURS.partition_point(|(d, _)| *d <= depth_m);
    match (after.checked_sub(1).and_then(|i| DEPTH_COLOURS.get(i)), DEPTH_COLOURS.get(after)) {
        (Some((d0, a)), Some((d1, b))) => {
            let t = ((depth_m - d0) / (d1 - d0)) as f32;
            std::array::from_fn(|i| a[i] + t * (b[i] - a[i]))
        }
        (Some((_, c)), None) | (None, Some((_, c))) => *c,
        (None, None) => [0.0; 4],
    }
}

/// The surface of the wet cells in the scene's axes.
fn surface(info: &LayerInfo, depths: &[u16]) -> Option<Mesh> {
    let LayerShape::Grid { nx, ny, cell_m, origin_m, ground, ground_from_m, step, .. } = &info.shape else {
        return None;
    };
    let (nx, ny) = (*nx as usize, *ny as usize);
    if depths.len() != nx * ny || ground.len() != nx * ny {
        return None;
    }
    let depth = |c: usize| f64::from(depths[c]) * step;
    let level = |c: usize| ground_from_m + f64::from(ground[c]) * 0.01 + depth(c);
    let wet = |i: i64, j: i64| -> Option<usize> {
        let inside = i >= 0 && j >= 0 && (i as usize) < nx && (j as usize) < ny;
        let cell = inside.then(|| j as usize * nx + i as usize)?;
        (depth(cell) >= LEAST_M).then_some(cell)
    };
    let (mut positions, mut colours, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    for j in 0..ny as i64 {
        for i in 0..nx as i64 {
            let Some(cell) = wet(i, j) else { continue };
            let first = positions.len() as u32;
            for (di, dj) in [(0, 0), (1, 0), (1, 1), (0, 1)] {
                // A corner lies at the mean of the wet cells around it, so that the surface has no steps.
                let around =
                    [(i + di - 1, j + dj - 1), (i + di, j + dj - 1), (i + di - 1, j + dj), (i + di, j + dj)];
                let cells: Vec<usize> = around.iter().filter_map(|(a, b)| wet(*a, *b)).collect();
                // What stands on the other side of a wall or a bank is another water.
                let near = cells.iter().filter(|c| (level(**c) - level(cell)).abs() < 0.5);
                let (sum, deep, count) =
                    near.fold((0.0, 0.0, 0.0), |(s, d, n), c| (s + level(*c), d + depth(*c), n + 1.0));
                let (z, d) =
                    if count > 0.0 { (sum / count, deep / count) } else { (level(cell), depth(cell)) };
                let x = origin_m[0] + (i + di) as f64 * cell_m;
                let y = origin_m[1] + (j + dj) as f64 * cell_m;
                positions.push([x as f32, z as f32 + ABOVE_M, -y as f32]);
                colours.push(colour(d));
            }
            indices.extend([first, first + 1, first + 2, first, first + 2, first + 3]);
        }
    }
    let normals = vec![[0.0, 1.0, 0.0]; positions.len()];
    Some(
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
            .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colours)
            .with_inserted_indices(Indices::U32(indices)),
    )
}

/// Draws the water anew when it has moved.
pub fn water_system(
    twin: Res<'_, Twin>,
    mut drawn: Local<'_, Drawn>,
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
) {
    let layer = twin.state.layer("water");
    let looked_back = twin.state.looked_back.as_ref().map_or(0, |(at, _)| at.to_bits());
    let key = layer.as_ref().map(|(_, _, live)| (live.map_or(looked_back, |l| l.count), live.is_some()));
    if key == drawn.water {
        return;
    }
    drawn.water = key;
    let mesh = layer.and_then(|(info, state, _)| match state {
        LayerState::Grid(depths) => surface(info, depths),
        _ => None,
    });
    let mesh = mesh.filter(|mesh| mesh.count_vertices() > 0);
    match (mesh, drawn.surface.take()) {
        (Some(mesh), Some((entity, handle))) => {
            // An asset that has gone is made again below, on the next move.
            let _ = meshes.insert(&handle, mesh);
            drawn.surface = Some((entity, handle));
        }
        (Some(mesh), None) => {
            let handle = meshes.add(mesh);
            let material = materials.add(StandardMaterial {
                base_color: Color::WHITE,
                perceptual_roughness: 0.15,
                reflectance: 0.5,
                alpha_mode: AlphaMode::Blend,
                cull_mode: None,
                ..default()
            });
            let entity = commands.spawn((
                WaterSurface,
                Mesh3d(handle.clone()),
                MeshMaterial3d(material),
                NotShadowCaster,
            ));
            drawn.surface = Some((entity.id(), handle));
        }
        (None, Some((entity, _))) => commands.entity(entity).despawn(),
        (None, None) => {}
    }
}

/// The colours of figures by what people do.
pub fn figure_colour(state: AgentState) -> Color {
    match state {
        AgentState::Waiting => Color::srgb(0.35, 0.42, 0.52),
        AgentState::Walking => Color::srgb(0.95, 0.62, 0.10),
        AgentState::Arrived => Color::srgb(0.12, 0.55, 0.34),
        AgentState::Left => Color::srgb(0.6, 0.6, 0.6),
        AgentState::Endangered => Color::srgb(0.85, 0.12, 0.12),
    }
}

const STATES: [AgentState; 5] =
    [AgentState::Waiting, AgentState::Walking, AgentState::Arrived, AgentState::Left, AgentState::Endangered];

/// Where a person stands between the frame before and the last, in the scene's axes.
fn place(origin: [f64; 3], step: f64, was: Option<&Agent>, is: &Agent, share: f32) -> Vec3 {
    let of = |a: &Agent| {
        let x = origin[0] + f64::from(a.x) * step;
        let y = origin[1] + f64::from(a.y) * step;
        let z = origin[2] + f64::from(a.z) * step;
        Vec3::new(x as f32, z as f32, -y as f32)
    };
    let to = of(is);
    match was.map(of) {
        // Who has come farther than anybody walks was put there.
        Some(from) if from.distance(to) < 60.0 => from.lerp(to, share),
        _ => to,
    }
}

/// Moves the people.
pub fn people_system(
    twin: Res<'_, Twin>,
    (scene, rig): (Res<'_, Scene3d>, Res<'_, Rig>),
    time: Res<'_, Time<Real>>,
    mut drawn: Local<'_, Drawn>,
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
    mut figures: Query<
        '_,
        '_,
        (&Figure, &mut Transform, &mut Visibility, &mut MeshMaterial3d<StandardMaterial>),
    >,
) {
    let layer = twin.state.layer("people").and_then(|(info, state, live)| match (&info.shape, state) {
        (LayerShape::Agents { origin_m, step_m, .. }, LayerState::Agents(agents)) => {
            Some((*origin_m, *step_m, agents, live))
        }
        _ => None,
    });
    let Some((origin, step, agents, live)) = layer else {
        for entity in drawn.figures.drain(..) {
            commands.entity(entity).despawn();
        }
        return;
    };
    if drawn.figures.len() != agents.len() {
        for entity in drawn.figures.drain(..) {
            commands.entity(entity).despawn();
        }
        let mesh = meshes.add(Capsule3d::new(0.22, TALL_M - 0.44));
        drawn.materials = STATES
            .map(|state| {
                materials.add(StandardMaterial {
                    base_color: figure_colour(state),
                    perceptual_roughness: 0.8,
                    ..default()
                })
            })
            .to_vec();
        drawn.states = vec![AgentState::Waiting; agents.len()];
        for number in 0..agents.len() as u32 {
            let entity = commands.spawn((
                Figure(number),
                Mesh3d(mesh.clone()),
                MeshMaterial3d(drawn.materials[0].clone()),
                Transform::default(),
                Visibility::Hidden,
            ));
            drawn.figures.push(entity.id());
        }
        return;
    }
    let now_s = time.elapsed_secs_f64();
    let share = live.map_or(1.0, |l| ((now_s - l.came_s) / l.apart_s).clamp(0.0, 1.0) as f32);
    let eye = rig.now.eye();
    let before = live.and_then(|l| match &l.before {
        Some(LayerState::Agents(agents)) => Some(agents),
        _ => None,
    });
    for (figure, mut transform, mut visibility, mut material) in &mut figures {
        let number = figure.0 as usize;
        let Some(agent) = agents.get(number) else { continue };
        // From afar a step is less than a pixel: who is there stands where the hub said last.
        let is_far = eye.distance(transform.translation) > SMOOTH_M;
        let share = if is_far { 1.0 } else { share };
        let foot = place(origin, step, before.and_then(|b| b.get(number)), agent, share);
        let is_hidden = agent.state == AgentState::Left || scene.storeys.hides_person(&twin.view.slice, foot);
        let shown = if is_hidden { Visibility::Hidden } else { Visibility::Inherited };
        if *visibility != shown {
            *visibility = shown;
        }
        let at = foot + Vec3::Y * (0.5 * TALL_M);
        if transform.translation != at {
            transform.translation = at;
        }
        let Drawn { states, materials, .. } = &mut *drawn;
        if let (Some(state), Some(new)) = (states.get_mut(number), materials.get(agent.state as usize))
            && *state != agent.state
        {
            *state = agent.state;
            material.0 = new.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use campanile_protocol::Names;

    #[test]
    fn deeper_water_is_darker_and_less_clear() {
        let brightness = |d: f64| colour(d)[..3].iter().sum::<f32>();
        assert!(brightness(0.05) > brightness(0.3) && brightness(0.3) > brightness(0.9));
        assert!(colour(0.05)[3] < colour(0.9)[3]);
        assert_eq!(colour(9.0), DEPTH_COLOURS[5].1);
    }

    #[test]
    fn only_wet_cells_have_a_surface() {
        let info = LayerInfo {
            id: "water".into(),
            names: Names::new("水", "Water"),
            shape: LayerShape::Grid {
                nx: 3,
                ny: 1,
                cell_m: 2.0,
                origin_m: [10.0, 20.0],
                ground: vec![0, 100, 50],
                ground_from_m: 4.0,
                step: 0.01,
                unit: "m".into(),
            },
        };
        let mesh = surface(&info, &[30, 0, 1]).unwrap();
        assert_eq!(mesh.count_vertices(), 4, "the second is dry and the third below what is drawn");
        let Some(bevy::mesh::VertexAttributeValues::Float32x3(at)) = mesh.attribute(Mesh::ATTRIBUTE_POSITION)
        else {
            unreachable!("positions are three numbers")
        };
        assert_eq!(at[0], [10.0, 4.3 + ABOVE_M, -20.0], "plan north is the scene's -z");
        assert!(surface(&info, &[1]).is_none(), "a frame of another grid is not drawn");
    }

    #[test]
    fn a_person_is_between_the_frames() {
        let (was, is) = (Agent::default(), Agent { x: 40, y: 20, z: 10, ..Agent::default() });
        let at = place([0.0; 3], 0.05, Some(&was), &is, 0.5);
        assert!(at.distance(Vec3::new(1.0, 0.25, -0.5)) < 1e-6, "{at}");
        assert_eq!(place([0.0; 3], 0.05, None, &is, 0.0), Vec3::new(2.0, 0.5, -1.0));
    }
}
