//! What the pointer is over, and what a click chooses.

use bevy::camera::primitives::Aabb;
use bevy::picking::mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings};
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use campanile_protocol::EntityKind;

use crate::app::{SceneCamera, Twin};
use crate::parts::{DrawnPart, Parts};
use crate::scene3d::Scene3d;
use crate::sight::drawn_bounds;
use crate::state::Index;

/// A press that moves further than this is a drag, in points.
const CLICK_REACH: f32 = 4.0;

/// Finds what is under the pointer when it has moved, and selects it on a click.
pub fn pick_system(
    mut twin: ResMut<'_, Twin>,
    scene: Res<'_, Scene3d>,
    window: Query<'_, '_, &Window, With<PrimaryWindow>>,
    camera: Single<'_, '_, (&Camera, &GlobalTransform), With<SceneCamera>>,
    buttons: Res<'_, ButtonInput<MouseButton>>,
    (parts, drawn): (Res<'_, Parts>, Query<'_, '_, &DrawnPart>),
    mut rays: MeshRayCast<'_, '_>,
    mut pressed_at: Local<'_, Option<Vec2>>,
    mut last: Local<'_, Option<Vec2>>,
) {
    let twin = twin.bypass_change_detection();
    let cursor = window.single().ok().and_then(Window::cursor_position);
    let Some(cursor) = cursor.filter(|_| !twin.view.panel_has_pointer) else {
        twin.view.hovered = None;
        *pressed_at = None;
        return;
    };
    if buttons.just_pressed(MouseButton::Left) {
        *pressed_at = Some(cursor);
    }
    let is_click = buttons.just_released(MouseButton::Left)
        && pressed_at.take().is_some_and(|at| at.distance(cursor) < CLICK_REACH);
    let is_dragging = buttons.any_pressed([MouseButton::Left, MouseButton::Right, MouseButton::Middle]);
    if !is_click && (is_dragging || *last == Some(cursor)) {
        return;
    }
    *last = Some(cursor);
    let Ok(ray) = camera.0.viewport_to_world(camera.1, cursor) else { return };
    let is_part = |entity: Entity| drawn.contains(entity);
    let settings = MeshRayCastSettings::default().with_filter(&is_part);
    let hit = rays.cast_ray(ray, &settings).first().map(|(entity, hit)| (*entity, hit.triangle_index));
    let path = hit
        .and_then(|(entity, triangle)| parts.node_at(*drawn.get(entity).ok()?, triangle))
        .and_then(|node| scene.file.nodes.get(node))
        .map(|node| node.path.as_str());
    let is_sliced = twin.view.slice.level.is_some();
    let found = twin.state.index.as_deref().zip(path).and_then(|(index, path)| meant(index, path, is_sliced));
    if is_click {
        twin.view.select(found.clone());
    }
    twin.view.hovered = found;
}

/// Of a whole building only the building can be meant: nobody sees the room behind the wall.
fn meant(index: &Index, path: &str, is_sliced: bool) -> Option<String> {
    let entity = index.nearest(path)?;
    let building = if is_sliced { None } else { index.within(entity, EntityKind::Building) };
    let info = index.catalogue.entities.get(building.unwrap_or(entity) as usize)?;
    Some(info.path.as_str().to_owned())
}

/// Draws a box around what is selected and what is under the pointer.
pub fn outline_system(twin: Res<'_, Twin>, scene: Res<'_, Scene3d>, mut gizmos: Gizmos<'_, '_>) {
    let boxes = [
        (&twin.view.selected, Color::srgb(0.98, 0.55, 0.12)),
        (&twin.view.hovered, Color::srgba(1.0, 1.0, 1.0, 0.8)),
    ];
    for (path, colour) in boxes {
        let Some(bounds) = path.as_deref().and_then(|path| drawn_bounds(&twin, &scene, path)) else {
            continue;
        };
        // A little larger, so that the lines don't lie in the walls.
        let aabb = Aabb::from_min_max(bounds.min - 0.1, bounds.max + 0.1);
        let size = Vec3::from(aabb.half_extents) * 2.0;
        let place = Transform::from_translation(aabb.center.into()).with_scale(size);
        gizmos.cube(place, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::catalogue;

    #[test]
    fn a_whole_building_is_meant_until_it_is_cut_open() {
        let index = Index::new(catalogue());
        assert_eq!(meant(&index, "a/1f/101/window-1", false).as_deref(), Some("a"));
        assert_eq!(meant(&index, "a/1f/101/window-1", true).as_deref(), Some("a/1f/101"));
        assert_eq!(meant(&index, "", true), None);
    }
}
