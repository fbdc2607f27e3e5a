//! Seeing into buildings: glassy walls, one thing alone, storeys drawn apart; and what a slice hides.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::app::{SceneCamera, Twin};
use crate::locale::Texts;
use crate::orbit::Bounds;
use crate::parts::Parts;
use crate::scene3d::Scene3d;
use crate::state::Index;
use crate::storeys::{Building, Slice};

/// What is done to see into buildings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Nothing.
    #[default]
    Solid,
    /// Walls, slabs and roofs are like glass.
    XRay,
    /// Only what is chosen is drawn, and the ground.
    Isolate,
    /// Storeys are drawn apart from each other.
    Explode,
}

impl Sight {
    /// All of them.
    pub const ALL: [Sight; 4] = [Self::Solid, Self::XRay, Self::Isolate, Self::Explode];

    /// Its name in links.
    pub fn id(self) -> &'static str {
        match self {
            Self::Solid => "solid",
            Self::XRay => "xray",
            Self::Isolate => "isolate",
            Self::Explode => "explode",
        }
    }

    /// The one with this name.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sight| sight.id() == id)
    }

    /// Its name for people.
    pub fn text(self, texts: &Texts) -> String {
        match self {
            Self::Solid => texts.t("sight-solid"),
            Self::XRay => texts.t("sight-xray"),
            Self::Isolate => texts.t("sight-isolate"),
            Self::Explode => texts.t("sight-explode"),
        }
    }
}

/// How far apart storeys are drawn, metres for each.
const APART_M: f32 = 7.0;

/// How much higher what is on a level of a building is drawn; a cellar stays where it is.
pub fn lift_m(sight: Sight, slice: &Slice, building: Option<&str>, level: Option<i32>) -> f32 {
    let is_meant = sight == Sight::Explode
        && building.is_some()
        && slice.building.as_deref().is_none_or(|of| building == Some(of));
    if is_meant { level.unwrap_or(0).max(0) as f32 * APART_M } else { 0.0 }
}

/// What is seen depends on these alone.
#[derive(Clone, PartialEq)]
pub struct SightKey {
    indexed: u64,
    slice: Slice,
    sight: Sight,
    /// What is isolated.
    alone: Option<String>,
}

/// Whether a part of the scene lets itself be seen through.
fn is_shell(kind: &str) -> bool {
    matches!(
        kind,
        "wall"
            | "walls"
            | "roof"
            | "slab"
            | "door"
            | "window"
            | "opening"
            | "stair"
            | "shaft"
            | "column"
            | "building"
    )
}

/// What always stays: the ground to stand on.
fn is_ground(kind: &str) -> bool {
    matches!(kind, "terrain" | "ground" | "road" | "water" | "green")
}

/// Whether a node is part of what is alone: it, or what is in it.
fn is_part(path: &str, alone: &str) -> bool {
    path == alone || path.strip_prefix(alone).is_some_and(|rest| rest.starts_with('/'))
}

/// What of the chosen is shown alone: a room's storey tells where it is, so of a device its room stays.
fn alone_of(index: Option<&Index>, selected: Option<&str>) -> Option<String> {
    let (index, path) = (index?, selected?);
    let entity = index.nearest(path)?;
    use campanile_protocol::EntityKind::{Building, Space, Storey};
    let place = [Space, Storey, Building].into_iter().find_map(|kind| index.within(entity, kind));
    let info = index.catalogue.entities.get(place.unwrap_or(entity) as usize)?;
    Some(info.path.as_str().to_owned())
}

/// Hides, lifts and turns to glass what is asked. Runs only when that or the scene changed.
pub fn sight_system(
    twin: Res<'_, Twin>,
    scene: Res<'_, Scene3d>,
    mut parts: ResMut<'_, Parts>,
    mut last: Local<'_, Option<SightKey>>,
    mut ghost: Local<'_, Option<Handle<StandardMaterial>>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
) {
    let view = &twin.view;
    let alone = (view.sight == Sight::Isolate)
        .then(|| alone_of(twin.state.index.as_deref(), view.selected.as_deref()))
        .flatten();
    let now = SightKey { indexed: scene.indexed, slice: view.slice.clone(), sight: view.sight, alone };
    if last.as_ref() == Some(&now) {
        return;
    }
    let ghost = ghost.get_or_insert_with(|| {
        materials.add(StandardMaterial {
            base_color: Color::srgba(0.55, 0.66, 0.78, 0.10),
            alpha_mode: AlphaMode::Blend,
            perceptual_roughness: 0.6,
            reflectance: 0.1,
            double_sided: true,
            cull_mode: None,
            ..default()
        })
    });
    for i in 0..parts.list.len() {
        let Some(part) = parts.list.get(i) else { continue };
        let is_sliced = scene.storeys.hides(&now.slice, &part.place);
        let lift_m = scene.storeys.lift_m(now.sight, &now.slice, &part.place);
        let is_glass = now.sight == Sight::XRay && part.place.building.is_some() && is_shell(&part.kind);
        let stays = now.alone.is_none() || is_ground(&part.kind);
        parts.place(i, is_sliced, lift_m, is_glass.then_some(&*ghost));
        parts.hide(i, |node| {
            let path = scene.file.nodes.get(node).map(|node| node.path.as_str());
            !stays && !now.alone.as_deref().zip(path).is_some_and(|(alone, path)| is_part(path, alone))
        });
    }
    *last = Some(now);
}

/// Furniture in a building that nobody looks into is not drawn from farther than this, metres.
const FURNITURE_M: f32 = 70.0;

/// Leaves out furniture that is too far to be seen through windows: it is half of all that is drawn, and behind walls.
pub fn far_system(
    twin: Res<'_, Twin>,
    scene: Res<'_, Scene3d>,
    mut parts: ResMut<'_, Parts>,
    camera: Single<'_, '_, &GlobalTransform, With<SceneCamera>>,
    mut last: Local<'_, Option<(SightKey, Vec3)>>,
) {
    let view = &twin.view;
    let eye = camera.translation();
    let now = SightKey { indexed: scene.indexed, slice: view.slice.clone(), sight: view.sight, alone: None };
    if last.as_ref().is_some_and(|(key, at)| *key == now && at.distance(eye) < 1.0) {
        return;
    }
    let is_open = |building: &Building| {
        let is_cut = now.slice.level.is_some()
            && now.slice.building.as_deref().is_none_or(|path| path == building.path);
        is_cut || now.sight != Sight::Solid
    };
    let far: Vec<bool> = scene
        .storeys
        .buildings
        .iter()
        .map(|building| {
            let nearest = eye.clamp(building.bounds.min, building.bounds.max);
            !is_open(building) && nearest.distance(eye) > FURNITURE_M
        })
        .collect();
    for i in 0..parts.list.len() {
        let Some(part) = parts.list.get(i).filter(|part| part.kind == "furniture") else { continue };
        let is_far = part.place.building.and_then(|building| far.get(building)).copied().unwrap_or(false);
        parts.set_far(i, is_far);
    }
    *last = Some((now, eye));
}

/// The box around an entity as it is drawn now.
pub fn drawn_bounds(twin: &Twin, scene: &Scene3d, path: &str) -> Option<Bounds> {
    let mut bounds = scene.file.bounds_within(path)?;
    if twin.view.sight == Sight::Explode
        && let Some(slice) = crate::views::slice_for(path, twin.state.index.as_deref(), scene)
    {
        let lift = lift_m(twin.view.sight, &twin.view.slice, slice.building.as_deref(), slice.level);
        bounds.min.y += lift;
        bounds.max.y += lift;
    }
    Some(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::catalogue;

    #[test]
    fn storeys_are_drawn_apart_in_the_building_that_is_meant() {
        let all = Slice::default();
        let a = Slice { building: Some("a".into()), level: None };
        for (sight, slice, building, level, expected) in [
            (Sight::Explode, &all, Some("a"), Some(2), 14.0),
            (Sight::Explode, &a, Some("b"), Some(2), 0.0),
            (Sight::Explode, &all, Some("a"), Some(-1), 0.0),
            (Sight::Explode, &all, None, Some(2), 0.0),
            (Sight::Solid, &all, Some("a"), Some(2), 0.0),
        ] {
            assert_eq!(
                lift_m(sight, slice, building, level),
                expected,
                "{sight:?} {slice:?} {building:?} {level:?}"
            );
        }
    }

    #[test]
    fn of_a_device_its_room_is_shown_alone() {
        let index = Index::new(catalogue());
        let alone = |path| alone_of(Some(&index), Some(path));
        assert_eq!(alone("a/1f/101/ac").as_deref(), Some("a/1f/101"));
        assert_eq!(alone("a").as_deref(), Some("a"));
        assert!(is_part("a/1f/101/desk", "a/1f/101") && !is_part("a/1f/1011", "a/1f/101"));
        assert_eq!(Sight::of("xray"), Some(Sight::XRay));
    }
}
