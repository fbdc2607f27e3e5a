//! Named views, flights to places, and labels that float over them.

use bevy::math::{Vec2, Vec3};
use campanile_protocol::EntityKind;
use campanile_protocol::plugins::Tone;

use crate::app::{Rig, Twin};
use crate::marks_ui::{has_floors, marks};
use crate::orbit::{Bounds, FIELD_OF_VIEW_RAD, Orbit};
use crate::scene3d::Scene3d;
use crate::state::Index;
use crate::storeys::Slice;

/// The view of a name: `overview`, `gate`, `river`, or the path of an entity. `None`: there is no
/// such thing in this campus.
pub fn named_view(name: &str, index: Option<&Index>, scene: &Scene3d, rig: &Rig) -> Option<Orbit> {
    let first_of = |kind: EntityKind| {
        let entity = index?.catalogue.entities.iter().find(|e| e.kind == kind)?;
        bounds_of(entity.path.as_str(), Some(index?), scene)
    };
    let base = Orbit::default();
    match name {
        "overview" => {
            let bounds = scene.campus_bounds();
            let mut orbit = Orbit { yaw: -0.62, pitch: 0.56, ..base }.fit(bounds, rig.aspect.max(0.5), 0.86);
            orbit.target.y = bounds.min.y;
            (!bounds.is_empty()).then_some(orbit)
        }
        "gate" => {
            let gate = first_of(EntityKind::Gate)?;
            let campus = scene.campus_bounds().centre();
            // From outside, looking in over the gate.
            let inwards = campus - gate.centre();
            let yaw = inwards.x.atan2(-inwards.z);
            let target = gate.centre() + inwards.normalize_or(Vec3::Z) * 12.0 + Vec3::Y * 5.0;
            Some(Orbit { target, distance: 66.0, yaw, pitch: 0.17 })
        }
        "river" => {
            let river = first_of(EntityKind::Water)?;
            let campus = scene.campus_bounds().centre();
            let inwards = campus - river.centre();
            let along = Vec3::new(-inwards.z, 0.0, inwards.x).normalize_or(Vec3::X);
            let target = river.centre() + along * 10.0;
            let yaw = inwards.x.atan2(-inwards.z) + 0.75;
            Some(Orbit { target, distance: 130.0, yaw, pitch: 0.3 })
        }
        path => entity_view(path, index, scene, rig),
    }
}

/// The view that shows an entity.
pub fn entity_view(path: &str, index: Option<&Index>, scene: &Scene3d, rig: &Rig) -> Option<Orbit> {
    let bounds = bounds_of(path, index, scene)?;
    let is_room = slice_for(path, index, scene).is_some();
    // A room is looked into from above, with its neighbours around it.
    let (pitch, margin, least_m) = if is_room { (0.85, 2.2, 9.0) } else { (0.55, 1.15, 4.0) };
    let middle = bounds.centre();
    let half = ((bounds.max - bounds.min) * 0.5).max(Vec3::splat(least_m * 0.5));
    let bounds = Bounds { min: middle - half, max: middle + half };
    Some(Orbit { pitch, yaw: -0.6, ..rig.goal }.fit(bounds, rig.aspect.max(0.5), margin))
}

/// Where an entity is: from the scene, else from the catalogue, else where what it is in is.
pub fn bounds_of(path: &str, index: Option<&Index>, scene: &Scene3d) -> Option<Bounds> {
    if let Some(bounds) = scene.file.bounds_within(path) {
        return Some(bounds);
    }
    let index = index?;
    let mut here = index.entity(path);
    while let Some(i) = here {
        let entity = index.catalogue.entities.get(i as usize)?;
        if let Some(bounds) = scene.file.bounds_within(entity.path.as_str()) {
            return Some(bounds);
        }
        if let Some(place) = entity.place {
            let at = Vec3::new(place.x_m as f32, place.z_m as f32, -place.y_m as f32);
            let half = Vec3::splat((place.radius_m as f32).max(1.0));
            return Some(Bounds { min: at - half, max: at + half });
        }
        here = entity.parent.filter(|p| *p < i);
    }
    None
}

/// The slice that opens the building above a room or what is in it.
pub fn slice_for(path: &str, index: Option<&Index>, scene: &Scene3d) -> Option<Slice> {
    let index = index?;
    let storey = index.within(index.entity(path)?, EntityKind::Storey)?;
    scene.storeys.slice_at(index.catalogue.entities.get(storey as usize)?.path.as_str())
}

/// A text that floats over a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where on the screen, in points.
    pub at: Vec2,
    /// What it says.
    pub text: String,
    /// How far away the place is, metres.
    pub distance_m: f32,
    /// What it leads to.
    pub path: String,
    /// What it is.
    pub kind: LabelKind,
}

/// What a label stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// A building.
    Building,
    /// An alarm; whether it waits for a person.
    Alarm {
        /// Whether it waits for a person.
        is_new: bool,
    },
    /// A mark of a plugin's map layer on what has no floor.
    Mark {
        /// Its tone.
        tone: Tone,
    },
}

/// The names of buildings and the pins of alarms, far ones first, alarms on top.
pub fn labels(twin: &Twin, scene: &Scene3d, rig: &Rig) -> Vec<Label> {
    let Some(index) = twin.state.index.as_deref() else { return Vec::new() };
    let mut labels = Vec::new();
    let mut push = |path: &str, text: String, kind: LabelKind, at: Vec3| {
        if let Some((at, distance_m)) = project(rig, at) {
            labels.push(Label { at, text, distance_m, path: path.to_owned(), kind });
        }
    };
    for building in &scene.storeys.buildings {
        let Some(entity) = index.catalogue.entities.get(building.entity as usize) else { continue };
        let top = building.bounds.centre().with_y(building.bounds.max.y + 2.0);
        // Of a district most are too far to be named.
        let is_meant = [&twin.view.selected, &twin.view.hovered]
            .into_iter()
            .any(|path| path.as_deref() == Some(building.path.as_str()));
        if !is_meant && strength(rig.now.eye().distance(top)) <= 0.0 {
            continue;
        }
        push(&building.path, twin.texts.name(&entity.names).to_owned(), LabelKind::Building, top);
    }
    for alarm in twin.state.alarms.values() {
        let path = alarm.entity.as_str();
        if let Some(bounds) = bounds_of(path, Some(index), scene) {
            let at = bounds.centre().with_y(bounds.max.y + 0.8);
            let kind = LabelKind::Alarm { is_new: alarm.state.needs_acknowledgement() };
            push(path, twin.texts.name(&alarm.names).to_owned(), kind, at);
        }
    }
    let marks = marks(&twin.state, &twin.view);
    for mark in marks.iter().flat_map(|marks| marks.all()).filter(|mark| !has_floors(index, &mark.path)) {
        if let Some(bounds) = bounds_of(&mark.path, Some(index), scene) {
            let at = bounds.centre().with_y(bounds.max.y + 0.8);
            let words = twin.texts.name(&mark.words).to_owned();
            push(&mark.path, words, LabelKind::Mark { tone: mark.tone }, at);
        }
    }
    let is_building = |label: &Label| label.kind == LabelKind::Building;
    labels.sort_by(|a, b| is_building(b).cmp(&is_building(a)).then(b.distance_m.total_cmp(&a.distance_m)));
    labels
}

/// How strongly a name is drawn that far away, metres: near ones fully, far ones not at all.
pub fn strength(distance_m: f32) -> f32 {
    const FULL_M: f32 = 450.0;
    const NONE_M: f32 = 1000.0;
    ((NONE_M - distance_m) / (NONE_M - FULL_M)).clamp(0.0, 1.0)
}

/// Where a place is on the screen, in points, and how far away; `None` behind the camera.
pub fn project(rig: &Rig, place: Vec3) -> Option<(Vec2, f32)> {
    let axes = rig.now.axes();
    let tan = (FIELD_OF_VIEW_RAD * 0.5).tan();
    let height_m = 2.0 * rig.now.distance * tan;
    let eye = rig.now.eye() + (axes.x_axis * -rig.shift.x + axes.y_axis * rig.shift.y) * height_m;
    let seen = axes.transpose() * (place - eye);
    if seen.z > -0.5 {
        return None;
    }
    let half = rig.screen.y * 0.5;
    let at = Vec2::new(seen.x, -seen.y) / (-seen.z * tan) * half;
    Some((at + rig.screen * 0.5, -seen.z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_in_the_middle_of_what_the_panels_leave() {
        let mut rig = Rig { screen: Vec2::new(1600.0, 900.0), aspect: 1600.0 / 900.0, ..Rig::default() };
        rig.now = Orbit { target: Vec3::new(3.0, 2.0, 1.0), ..Orbit::default() };
        let (at, distance) = project(&rig, rig.now.target).unwrap();
        assert!(at.distance(Vec2::new(800.0, 450.0)) < 0.01);
        assert!((distance - rig.now.distance).abs() < 0.01);
        rig.shift = Vec2::new(0.1, 0.0);
        let (at, _) = project(&rig, rig.now.target).unwrap();
        assert!(at.distance(Vec2::new(890.0, 450.0)) < 0.1, "{at}");
        let behind = rig.now.eye() + (rig.now.eye() - rig.now.target);
        assert_eq!(project(&rig, behind), None);
    }
}
