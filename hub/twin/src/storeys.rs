//! Which storeys a building has, and what a slice hides.

use std::collections::BTreeMap;

use campanile_protocol::EntityKind;

use bevy::math::Vec3;

use crate::orbit::Bounds;
use crate::scene_file::{NodeData, SceneFile};
use crate::sight::{Sight, lift_m};
use crate::state::Index;

/// The storeys of all buildings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storeys {
    /// By building, in the catalogue's order.
    pub buildings: Vec<Building>,
}

/// The storeys of one building.
#[derive(Clone, Debug, PartialEq)]
pub struct Building {
    /// Its path.
    pub path: String,
    /// The index of its entity in the catalogue.
    pub entity: u32,
    /// Its storeys, the lowest first.
    pub storeys: Vec<Storey>,
    /// How many of them are below ground.
    pub cellars: usize,
    /// The box around it.
    pub bounds: Bounds,
}

/// One storey.
#[derive(Clone, Debug, PartialEq)]
pub struct Storey {
    /// Its path.
    pub path: String,
    /// The height of its floor in the scene, metres.
    pub floor_m: f32,
}

/// Which building is cut open, and where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    /// The building; `None`: all.
    pub building: Option<String>,
    /// The highest storey that is shown: 0 the ground floor, −1 the first cellar; `None`: whole.
    pub level: Option<i32>,
}

/// What hides a node, found once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodePlace {
    /// The index of its building in [`Storeys::buildings`].
    pub building: Option<usize>,
    /// Its level: 0 the ground floor.
    pub level: Option<i32>,
    /// Its lowest point in the scene, metres.
    pub bottom_m: f32,
}

/// What has no storey of its own is hidden where its foot stands this far above the floor shown:
/// a stair that begins there is seen, a roof is not.
const FOOT_ABOVE_FLOOR_M: f32 = 2.0;

/// Who climbs a stair comes out of what is shown this far below the next floor.
const HEAD_BELOW_FLOOR_M: f32 = 0.6;

impl Building {
    /// The level of what stands there. What has no storey of its own goes with the highest floor that is not above its
    /// foot, a roof with the sky.
    fn level_of(&self, place: &NodePlace) -> i32 {
        place.level.unwrap_or_else(|| {
            let below = self.storeys.iter().filter(|s| s.floor_m <= place.bottom_m + 0.5).count() as i32;
            let top = self.storeys.last().is_some_and(|s| place.bottom_m > s.floor_m + FOOT_ABOVE_FLOOR_M);
            below - 1 - self.cellars as i32 + i32::from(top)
        })
    }
}

impl Storeys {
    /// Finds them in the catalogue, with their heights from the scene.
    pub fn find(index: &Index, scene: &SceneFile) -> Self {
        let mut buildings = Vec::new();
        let floors = floors_of(index, scene);
        for (i, entity) in index.catalogue.entities.iter().enumerate() {
            if entity.kind != EntityKind::Building {
                continue;
            }
            let mut storeys: Vec<Storey> = index
                .children(i as u32)
                .iter()
                .filter_map(|&s| index.catalogue.entities.get(s as usize))
                .filter(|s| s.kind == EntityKind::Storey)
                .filter_map(|s| {
                    let path = s.path.as_str().to_owned();
                    floors.get(&path).map(|&floor_m| Storey { path, floor_m })
                })
                .collect();
            storeys.sort_by(|a, b| a.floor_m.total_cmp(&b.floor_m));
            let cellars = storeys.iter().filter(|s| is_cellar(&s.path)).count();
            let path = entity.path.as_str().to_owned();
            let bounds = scene.bounds_within(&path).unwrap_or(Bounds::EMPTY);
            buildings.push(Building { path, entity: i as u32, storeys, cellars, bounds });
        }
        Self { buildings }
    }

    /// The lowest and highest level that any building has.
    pub fn levels(&self, building: Option<&str>) -> (i32, i32) {
        let of = |b: &Building| (-(b.cellars as i32), b.storeys.len() as i32 - b.cellars as i32 - 1);
        self.buildings
            .iter()
            .filter(|b| building.is_none_or(|path| b.path == path))
            .map(of)
            .fold((0, 0), |(low, high), (l, h)| (low.min(l), high.max(h)))
    }

    /// The building and level of a storey.
    pub fn slice_at(&self, storey: &str) -> Option<Slice> {
        self.buildings.iter().find_map(|b| {
            let i = b.storeys.iter().position(|s| s.path == storey)?;
            Some(Slice { building: Some(b.path.clone()), level: Some(i as i32 - b.cellars as i32) })
        })
    }

    /// Where a node belongs.
    pub fn place(&self, node: &NodeData) -> NodePlace {
        let building_path = node.path.split('/').next().unwrap_or_default();
        let building = self.buildings.iter().position(|b| b.path == building_path);
        let level = building.and_then(|i| {
            let b = self.buildings.get(i)?;
            let storey = b.storeys.iter().position(|s| {
                node.storey.as_ref().is_some_and(|own| *own == s.path || s.path.ends_with(&format!("/{own}")))
                    || node.path == s.path
                    || node.path.strip_prefix(s.path.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })?;
            Some(storey as i32 - b.cellars as i32)
        });
        NodePlace { building, level, bottom_m: node.bounds.min.y }
    }

    /// Whether a slice hides who stands at a place: in a building that is cut, on a storey above the one shown.
    pub fn hides_person(&self, slice: &Slice, at: Vec3) -> bool {
        let Some(level) = slice.level else { return false };
        let inside = |b: &Bounds| (b.min.x..=b.max.x).contains(&at.x) && (b.min.z..=b.max.z).contains(&at.z);
        self.buildings
            .iter()
            .filter(|b| slice.building.as_ref().is_none_or(|path| *path == b.path) && inside(&b.bounds))
            .any(|b| {
                let next = usize::try_from(level + 1 + b.cellars as i32).ok().and_then(|i| b.storeys.get(i));
                next.is_some_and(|storey| at.y > storey.floor_m - HEAD_BELOW_FLOOR_M)
            })
    }

    /// How much higher what stands there is drawn where storeys are drawn apart.
    pub fn lift_m(&self, sight: Sight, slice: &Slice, place: &NodePlace) -> f32 {
        let Some(building) = place.building.and_then(|i| self.buildings.get(i)) else { return 0.0 };
        lift_m(sight, slice, Some(&building.path), Some(building.level_of(place)))
    }

    /// How far up what has no storey of its own stands: from which shown storey of the building on a slice leaves it, and
    /// the level with which it is lifted. What shares both is hidden and lifted together.
    pub fn rises(&self, place: &NodePlace) -> (usize, i32) {
        let Some(building) = place.building.and_then(|i| self.buildings.get(i)) else { return (0, 0) };
        if place.level.is_some() {
            return (0, 0);
        }
        let below = |storey: &Storey| storey.floor_m + FOOT_ABOVE_FLOOR_M < place.bottom_m;
        (building.storeys.iter().take_while(|storey| below(storey)).count(), building.level_of(place))
    }

    /// Whether a slice hides what stands there.
    pub fn hides(&self, slice: &Slice, place: &NodePlace) -> bool {
        let (Some(level), Some(building)) = (slice.level, place.building.and_then(|i| self.buildings.get(i)))
        else {
            return false;
        };
        if slice.building.as_ref().is_some_and(|path| *path != building.path) {
            return false;
        }
        if let Some(own) = place.level {
            return own > level;
        }
        let top = building.storeys.len() as i32 - building.cellars as i32 - 1;
        let shown = level.min(top) + building.cellars as i32;
        usize::try_from(shown)
            .ok()
            .and_then(|i| building.storeys.get(i))
            .is_some_and(|storey| place.bottom_m > storey.floor_m + FOOT_ABOVE_FLOOR_M)
    }
}

/// By storey the lowest floor of its spaces; without spaces the lowest of what is in it.
fn floors_of(index: &Index, scene: &SceneFile) -> BTreeMap<String, f32> {
    let mut of_spaces: BTreeMap<String, f32> = BTreeMap::new();
    let mut of_all: BTreeMap<String, f32> = BTreeMap::new();
    for node in scene.nodes.iter().filter(|node| node.bounds.min.y.is_finite()) {
        // A storey is the part of a path that the catalogue calls one.
        let ends = node.path.match_indices('/').map(|(at, _)| at).chain([node.path.len()]);
        let storey = ends
            .filter_map(|end| node.path.get(..end))
            .find(|path| index.entity(path).is_some_and(|e| kind_of(index, e) == Some(EntityKind::Storey)));
        let Some(storey) = storey else { continue };
        let lower = |floors: &mut BTreeMap<String, f32>| {
            let floor = floors.entry(storey.to_owned()).or_insert(node.bounds.min.y);
            *floor = floor.min(node.bounds.min.y);
        };
        lower(&mut of_all);
        if node.kind == "space" {
            lower(&mut of_spaces);
        }
    }
    of_all.extend(of_spaces);
    of_all
}

fn kind_of(index: &Index, entity: u32) -> Option<EntityKind> {
    index.catalogue.entities.get(entity as usize).map(|entity| entity.kind)
}

/// Cellars are named `b1`, `b2`, …: whether a storey is below ground is not a matter of its height
/// on a slope.
fn is_cellar(path: &str) -> bool {
    let leaf = path.rsplit('/').next().unwrap_or(path);
    leaf.strip_prefix('b').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use bevy::math::Mat4;

    use super::*;

    fn node(path: &str, kind: &str, bottom: f32) -> NodeData {
        let bounds = Bounds { min: Vec3::new(0.0, bottom, 0.0), max: Vec3::new(1.0, bottom + 3.0, 1.0) };
        NodeData {
            transform: Mat4::IDENTITY,
            meshes: Vec::new(),
            path: path.into(),
            kind: kind.into(),
            storey: None,
            bounds,
        }
    }

    fn storeys() -> Storeys {
        let storey = |path: &str, floor_m| Storey { path: path.into(), floor_m };
        Storeys {
            buildings: vec![Building {
                entity: 0,
                path: "a".into(),
                storeys: vec![storey("a/b1", -3.5), storey("a/1f", 0.2), storey("a/2f", 3.8)],
                cellars: 1,
                bounds: Bounds { min: Vec3::new(0.0, -3.5, 0.0), max: Vec3::new(1.0, 11.0, 1.0) },
            }],
        }
    }

    #[test]
    fn a_slice_hides_what_is_above_and_the_roof() {
        let storeys = storeys();
        let at = |level| Slice { building: None, level };
        let table = [
            (node("a/1f/101", "space", 0.2), [false, false, true]),
            (node("a/2f/201", "space", 3.8), [false, true, true]),
            (node("a/2f", "wall", 3.8), [false, true, true]),
            (node("a/b1/store", "space", -3.5), [false, false, false]),
            (node("a/roof", "roof", 7.4), [true, true, true]),
            (node("a/stair-1", "stair", 0.2), [false, false, true]),
            (node("site/tree-1", "tree", 5.0), [false, false, false]),
        ];
        for (node, expected) in table {
            let place = storeys.place(&node);
            let got = [1, 0, -1].map(|level| storeys.hides(&at(Some(level)), &place));
            assert_eq!(got, expected, "{}", node.path);
            assert!(!storeys.hides(&at(None), &place), "{} whole", node.path);
        }
    }

    #[test]
    fn people_above_the_cut_are_hidden_with_it() {
        let storeys = storeys();
        let (cut, whole) = (Slice { building: None, level: Some(0) }, Slice::default());
        for (at, expected) in [
            (Vec3::new(0.5, 0.2, 0.5), false),
            (Vec3::new(0.5, 2.5, 0.5), false),
            (Vec3::new(0.5, 3.8, 0.5), true),
            (Vec3::new(5.0, 3.8, 0.5), false),
        ] {
            assert_eq!(storeys.hides_person(&cut, at), expected, "{at}");
            assert!(!storeys.hides_person(&whole, at));
        }
        let top = Slice { building: Some("a".into()), level: Some(1) };
        assert!(!storeys.hides_person(&top, Vec3::new(0.5, 3.8, 0.5)), "nothing is above the highest");
    }

    #[test]
    fn another_building_stays_whole() {
        let storeys = storeys();
        let place = storeys.place(&node("a/2f/201", "space", 3.8));
        let slice = Slice { building: Some("b".into()), level: Some(0) };
        assert!(!storeys.hides(&slice, &place));
        assert_eq!(storeys.levels(None), (-1, 1));
        let expected = Slice { building: Some("a".into()), level: Some(1) };
        assert_eq!(storeys.slice_at("a/2f"), Some(expected));
    }
}
