//! Windows at night: lit where the room's lights are on.

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::*;
use campanile_protocol::{EntityKind, Value, ValueType};

use crate::app::Twin;
use crate::orbit::Bounds;
use crate::parts::Parts;
use crate::scene3d::Scene3d;
use crate::state::{Index, State};
use crate::sun::sun_position;

/// Windows are seen lit while the sun is lower than this, degrees: civil dusk is at −6, and a lit room shows before.
const DUSK_DEG: f64 = 1.0;
/// A window is in the wall of a room: its middle is no further than this from the room's floor, metres.
const WALL_M: f32 = 0.6;

/// Which windows belong to which rooms, and which are lit.
#[derive(Default)]
pub struct Lamps {
    indexed: u64,
    /// By node the room's points that say whether lights are on.
    windows: BTreeMap<usize, Vec<u32>>,
    looked_s: f64,
}

/// The points of a room and its equipment that say that lights are on: switches of lights first, else their power.
fn light_points(index: &Index, room: u32) -> Vec<u32> {
    let inside = index.children(room).iter().filter(|&&child| {
        index.catalogue.entities.get(child as usize).is_some_and(|e| e.kind == EntityKind::Equipment)
    });
    let points: Vec<u32> =
        std::iter::once(&room).chain(inside).flat_map(|&entity| index.points_of(entity).to_vec()).collect();
    let of = |kind: ValueType| -> Vec<u32> {
        let is_light = |point: &&u32| {
            index
                .point(**point)
                .is_some_and(|info| info.quantity.contains("light") && info.value_type == kind)
        };
        points.iter().filter(is_light).copied().collect()
    };
    let switches = of(ValueType::Bool);
    if switches.is_empty() { of(ValueType::Number) } else { switches }
}

fn is_lit(state: &State, points: &[u32]) -> bool {
    points.iter().any(|&point| match state.value(point).map(|value| &value.value) {
        Some(Value::Bool(is_on)) => *is_on,
        // Lamps that are off take next to nothing.
        Some(Value::Number(watts)) => *watts > 5.0,
        _ => false,
    })
}

/// The room on whose edge a window stands.
fn room_of(rooms: &[(String, Bounds)], window: Bounds) -> Option<&str> {
    let middle = window.centre();
    let around = |bounds: &Bounds| {
        (bounds.min.x - WALL_M..=bounds.max.x + WALL_M).contains(&middle.x)
            && (bounds.min.z - WALL_M..=bounds.max.z + WALL_M).contains(&middle.z)
    };
    // Of two rooms at a corner the one whose middle is nearer.
    let near = |bounds: &Bounds| (bounds.centre() - middle).with_y(0.0).length();
    let found = rooms.iter().filter(|(_, bounds)| around(bounds));
    found.min_by(|(_, a), (_, b)| near(a).total_cmp(&near(b))).map(|(path, _)| path.as_str())
}

fn find(index: &Index, scene: &Scene3d) -> BTreeMap<usize, Vec<u32>> {
    let mut rooms: BTreeMap<&str, Vec<(String, Bounds)>> = BTreeMap::new();
    for node in scene.file.nodes.iter().filter(|node| node.kind == "space") {
        if let Some((storey, _)) = node.path.rsplit_once('/') {
            rooms.entry(storey).or_default().push((node.path.clone(), node.bounds));
        }
    }
    let mut points: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut windows = BTreeMap::new();
    for (i, node) in scene.file.nodes.iter().enumerate().filter(|(_, node)| node.kind == "opening") {
        let room =
            node.path.rsplit_once('/').and_then(|(storey, _)| room_of(rooms.get(storey)?, node.bounds));
        let Some(room) = room else { continue };
        let of = points.entry(room.to_owned()).or_insert_with(|| {
            index.entity(room).map(|entity| light_points(index, entity)).unwrap_or_default()
        });
        if !of.is_empty() {
            windows.insert(i, of.clone());
        }
    }
    windows
}

/// Lights windows at dusk and puts them out, a few times a minute and only those that changed.
pub fn lamps_system(
    twin: Res<'_, Twin>,
    scene: Res<'_, Scene3d>,
    time: Res<'_, Time<Real>>,
    mut lamps: Local<'_, Lamps>,
    mut parts: ResMut<'_, Parts>,
) {
    const EVERY_S: f64 = 1.5;
    let now_s = time.elapsed_secs_f64();
    let Some(index) = twin.state.index.as_deref() else { return };
    let is_new = lamps.indexed != scene.indexed;
    if !is_new && now_s - lamps.looked_s < EVERY_S {
        return;
    }
    lamps.looked_s = now_s;
    if is_new {
        lamps.indexed = scene.indexed;
        lamps.windows = find(index, &scene);
    }
    let site = &index.catalogue.site;
    let is_dusk = twin.state.time_us(now_s).is_some_and(|now| {
        sun_position(now, site.latitude_deg, site.longitude_deg).altitude_rad.to_degrees() < DUSK_DEG
    });
    let lit: BTreeSet<usize> = lamps
        .windows
        .iter()
        .filter(|(_, points)| is_dusk && is_lit(&twin.state, points))
        .map(|(node, _)| *node)
        .collect();
    for i in 0..parts.panes.len() {
        if let Some((node, at)) = parts.panes.get(i).copied() {
            parts.set_other(at, lit.contains(&node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(x: [f32; 2], z: [f32; 2]) -> Bounds {
        Bounds { min: Vec3::new(x[0], 0.0, z[0]), max: Vec3::new(x[1], 0.1, z[1]) }
    }

    #[test]
    fn a_window_belongs_to_the_room_behind_it() {
        let rooms = vec![
            ("a".to_owned(), bounds([0.0, 8.0], [0.0, 7.0])),
            ("b".to_owned(), bounds([8.2, 16.0], [0.0, 7.0])),
        ];
        let window = |x: f32, z: f32| bounds([x - 0.6, x + 0.6], [z - 0.05, z + 0.05]);
        assert_eq!(room_of(&rooms, window(4.0, 7.2)), Some("a"));
        assert_eq!(room_of(&rooms, window(8.4, 7.2)), Some("b"));
        assert_eq!(room_of(&rooms, window(4.0, 9.0)), None);
    }

    #[test]
    fn a_room_is_lit_where_a_lamp_is_on_or_takes_power() {
        use crate::state::tests::{catalogue, point};
        let mut catalogue = catalogue();
        let mut power = point("a/1f/101/ac/power", 3, "lights-power");
        power.unit = "W".into();
        catalogue.points.push(power.clone());
        assert_eq!(light_points(&Index::new(catalogue.clone()), 2), [2]);
        let mut switch = point("a/1f/101/ac/on", 3, "lights-on");
        switch.value_type = ValueType::Bool;
        catalogue.points.push(switch);
        assert_eq!(
            light_points(&Index::new(catalogue), 2),
            [3],
            "what was switched is known before what it takes"
        );
    }
}
