//! The rooms' floors take the colour of a quantity.

use std::collections::BTreeMap;

use bevy::prelude::*;
use campanile_protocol::plugins::Tone;
use campanile_protocol::{AlarmState, EntityKind, ValueType};

use crate::app::Twin;
use crate::colour::{NO_VALUE, Scale};
use crate::lens::{Lens, tone_of_priority};
use crate::marks_ui::{Layer, marks};
use crate::parts::Parts;
use crate::scene3d::Scene3d;
use crate::state::{Index, State};
use crate::theme::mark_colour;

/// A quantity that rooms can be coloured by.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Its id, such as `co2`.
    pub id: String,
    /// A point of it, for names and unit.
    pub example: u32,
    /// How many rooms have it.
    pub rooms: usize,
}

/// For each quantity the point that speaks for each room.
#[derive(Clone, Debug, Default)]
pub struct RoomPoints {
    by_quantity: BTreeMap<String, BTreeMap<u32, u32>>,
}

/// A quantity of one or two rooms is no map.
const FEWEST_ROOMS: usize = 3;

impl RoomPoints {
    /// Finds them: of a room's points of a quantity the room's own comes before its equipment's,
    /// and the first of the catalogue before others.
    pub fn find(index: &Index) -> Self {
        let mut by_quantity: BTreeMap<String, BTreeMap<u32, u32>> = BTreeMap::new();
        for own in [true, false] {
            for (i, point) in index.catalogue.points.iter().enumerate() {
                let Some(room) = index.within(point.entity, EntityKind::Space) else { continue };
                let speaks = matches!(point.value_type, ValueType::Number | ValueType::Bool);
                if speaks && (room == point.entity) == own {
                    by_quantity.entry(point.quantity.clone()).or_default().entry(room).or_insert(i as u32);
                }
            }
        }
        by_quantity.retain(|_, rooms| rooms.len() >= FEWEST_ROOMS);
        Self { by_quantity }
    }

    /// The quantities, those of most rooms first.
    pub fn quantities(&self) -> Vec<Quantity> {
        let mut list: Vec<Quantity> = self
            .by_quantity
            .iter()
            .filter_map(|(id, rooms)| {
                let example = *rooms.values().next()?;
                Some(Quantity { id: id.clone(), example, rooms: rooms.len() })
            })
            .collect();
        list.sort_by_key(|q| (std::cmp::Reverse(q.rooms), q.id.clone()));
        list
    }

    /// The point that speaks for each room, by the room's entity index.
    pub fn of(&self, quantity: &str) -> Option<&BTreeMap<u32, u32>> {
        self.by_quantity.get(quantity)
    }

    /// The scale of a quantity: the usual one, else one that fits the values there are.
    pub fn scale(&self, quantity: &str, state: &State) -> Option<Scale> {
        Scale::usual(quantity).or_else(|| self.fitted(quantity, state))
    }

    /// A scale that fits the values there are.
    pub fn fitted(&self, quantity: &str, state: &State) -> Option<Scale> {
        Scale::fitting(self.of(quantity)?.values().filter_map(|&p| state.live_number(p)))
    }
}

/// What all floors depend on: where it changes, all are painted anew. The scene, its index, the
/// quantity, the bits of the scale's ends, the map layer of a plugin and how often panels have changed.
type PaintKey =
    (u64, u64, Option<String>, Option<(u64, u64)>, Option<(Layer, u64)>, Option<BTreeMap<String, Tone>>);

/// Whether what an alarm says is so now.
fn is_active(state: AlarmState) -> bool {
    matches!(state, AlarmState::Unacknowledged | AlarmState::Acknowledged)
}

/// The rooms where alarms are in force, and how urgent the most urgent is.
fn alarmed(state: &State) -> BTreeMap<String, Tone> {
    let mut rooms: BTreeMap<String, Tone> = BTreeMap::new();
    let Some(index) = state.index.as_deref() else { return rooms };
    for alarm in state.alarms.values().filter(|alarm| is_active(alarm.state)) {
        let room = index
            .nearest(alarm.entity.as_str())
            .and_then(|entity| index.within(entity, EntityKind::Space))
            .and_then(|room| index.catalogue.entities.get(room as usize));
        if let Some(room) = room {
            let tone = rooms.entry(room.path.as_str().to_owned()).or_insert(Tone::Caution);
            if tone_of_priority(alarm.priority) == Tone::Danger {
                *tone = Tone::Danger;
            }
        }
    }
    rooms
}

/// What was painted last, and which floors a point paints.
#[derive(Default)]
pub struct Painted {
    key: Option<PaintKey>,
    floors_by_point: BTreeMap<u32, Vec<usize>>,
    points: Vec<Option<u32>>,
}

/// Paints the floors whose point changed, and all where the quantity, scale or scene did: storeys
/// where no room has another colour are not touched, so nothing is sent to the GPU for them.
pub fn paint_rooms_system(
    mut twin: ResMut<'_, Twin>,
    scene: Res<'_, Scene3d>,
    mut parts: ResMut<'_, Parts>,
    mut painted: Local<'_, Painted>,
) {
    // Taking what changed is not a change that others have to hear of.
    let twin = twin.bypass_change_detection();
    let changed = twin.state.take_changed();
    let view = &twin.view;
    let scale_bits = view.scale.map(|s| (s.low.to_bits(), s.high.to_bits()));
    let layer = view.layer.clone().map(|layer| (layer, twin.state.plugins.count));
    let alarmed = (view.lens == Some(Lens::Alarms)).then(|| alarmed(&twin.state));
    let key = (scene.generation, scene.indexed, view.quantity.clone(), scale_bits, layer, alarmed.clone());
    let all = painted.key.as_ref() != Some(&key);
    if all {
        painted.points = room_points_of_floors(twin, &parts);
        let mut floors_by_point: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (floor, point) in painted.points.iter().enumerate() {
            if let Some(point) = point {
                floors_by_point.entry(*point).or_default().push(floor);
            }
        }
        painted.floors_by_point = floors_by_point;
        painted.key = Some(key);
    }
    let floors: Vec<usize> = match &changed {
        Some(changed) if !all => {
            changed.iter().filter_map(|p| painted.floors_by_point.get(p)).flatten().copied().collect()
        }
        _ => (0..parts.floors.len()).collect(),
    };
    let marks = marks(&twin.state, view);
    for i in floors {
        let Some(floor) = parts.floors.get(i) else { continue };
        let at = floor.at;
        let mark = marks.as_ref().and_then(|marks| marks.at(&floor.path));
        let alarm = alarmed.as_ref().and_then(|rooms| rooms.get(&floor.path));
        let tone = mark.map(|mark| mark.tone).or(alarm.copied());
        let colour = match (tone, &view.quantity, view.scale) {
            (Some(tone), ..) => {
                let [r, g, b, _] = mark_colour(tone).to_array();
                Some(Color::srgb_u8(r, g, b))
            }
            (None, Some(_), scale) => {
                let number = painted.points.get(i).copied().flatten().and_then(|p| twin.state.live_number(p));
                let [r, g, b] = number.zip(scale).map_or(NO_VALUE, |(x, scale)| scale.colour(x));
                Some(Color::srgb(r, g, b))
            }
            (None, None, _) => None,
        };
        parts.paint(at, colour);
    }
}

fn room_points_of_floors(twin: &Twin, parts: &Parts) -> Vec<Option<u32>> {
    let points = twin.view.quantity.as_deref().and_then(|q| twin.rooms.of(q));
    let index = twin.state.index.as_deref();
    parts
        .floors
        .iter()
        .map(|floor| points.and_then(|points| points.get(&index?.entity(&floor.path)?)).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{catalogue, point};

    #[test]
    fn the_rooms_own_point_speaks_for_it() {
        let mut catalogue = catalogue();
        for n in 2..5 {
            let mut room = catalogue.entities[2].clone();
            room.path = campanile_protocol::Path::new(format!("a/1f/10{n}")).unwrap();
            catalogue.entities.push(room);
            let entity = catalogue.entities.len() as u32 - 1;
            catalogue.points.push(point(&format!("a/1f/10{n}/co2"), entity, "co2"));
        }
        // The equipment's point comes first in the catalogue and still loses.
        catalogue.points.swap(0, 1);
        let rooms = RoomPoints::find(&Index::new(catalogue));
        assert_eq!(rooms.of("co2").unwrap().get(&2), Some(&1));
        assert_eq!(rooms.quantities(), [Quantity { id: "co2".into(), example: 1, rooms: 4 }]);
    }

    /// A hub that says nothing.
    struct Silent;

    impl crate::net::Hub for Silent {
        fn ask(&self, _: crate::net::Ask) -> bool {
            false
        }
        fn follow(&self, _: crate::state::World) {}
        fn address(&self) -> &str {
            ""
        }
        fn poll(&self) -> Option<crate::state::Event> {
            None
        }
        fn send(&self, _: campanile_protocol::ClientMessage) -> bool {
            false
        }
        fn ask_history(&self, _: crate::net::HistoryQuery) -> bool {
            false
        }
        fn sign_in(&self, _: crate::net::Credentials) {}
        fn sign_out(&self) {}
        fn set_language(&self, _: &'static str) {}
    }

    fn values(points: &[u32], x: f64) -> crate::state::Event {
        use campanile_protocol::{DataFrame, FrameKind, FrameSample, PointId, Quality, Timestamp, Value};
        let samples = points.iter().map(|&point| FrameSample {
            point: PointId(point),
            time: Timestamp(0),
            value: Value::Number(x),
            quality: Quality::Good,
        });
        crate::state::Event::Frame(DataFrame {
            kind: FrameKind::Delta,
            more: false,
            subscription: 1,
            sequence: 0,
            time: Timestamp(0),
            conflated: 0,
            samples: samples.collect(),
        })
    }

    /// A square room of one triangle on each storey of a building, in a row.
    fn rooms(storeys: usize, in_each: usize) -> crate::scene_file::SceneFile {
        use crate::orbit::Bounds;
        use crate::scene_file::{MeshData, NodeData, SceneFile};
        let mesh = MeshData {
            positions: vec![[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
            normals: vec![[0.0, 1.0, 0.0]; 3],
            indices: vec![0, 1, 2],
            ..MeshData::default()
        };
        let nodes = (0..storeys * in_each).map(|n| {
            let at = Vec3::new((n % in_each) as f32, 3.0 * (n / in_each) as f32, 0.0);
            NodeData {
                transform: bevy::math::Mat4::from_translation(at),
                meshes: vec![0],
                path: format!("a/{}f/r{n}", n / in_each + 1),
                kind: "space".into(),
                storey: None,
                bounds: Bounds { min: at, max: at + Vec3::X + Vec3::Z },
            }
        });
        SceneFile { meshes: vec![mesh], nodes: nodes.collect(), ..SceneFile::default() }
    }

    /// A touched mesh is sent to the GPU again, so a frame may touch only those of storeys where a colour has changed.
    #[test]
    fn only_the_storeys_that_changed_are_touched() {
        const STOREYS: usize = 10;
        const IN_EACH: usize = 30;
        const ROOMS: usize = STOREYS * IN_EACH;
        let mut catalogue = catalogue();
        catalogue.points.clear();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<StandardMaterial>()
            .init_asset::<Mesh>();
        let (building, storey) = (0, catalogue.entities[1].clone());
        for s in 1..STOREYS {
            let mut storey = storey.clone();
            storey.path = campanile_protocol::Path::new(format!("a/{}f", s + 1)).unwrap();
            storey.parent = Some(building);
            catalogue.entities.push(storey);
        }
        for n in 0..ROOMS {
            let path = format!("a/{}f/r{n}", n / IN_EACH + 1);
            let mut room = catalogue.entities[2].clone();
            room.path = campanile_protocol::Path::new(&path).unwrap();
            let storey = path.rsplit_once('/').unwrap().0;
            room.parent = catalogue.entities.iter().position(|e| e.path.as_str() == storey).map(|i| i as u32);
            catalogue.entities.push(room);
            let entity = catalogue.entities.len() as u32 - 1;
            catalogue.points.push(point(&format!("{path}/co2"), entity, "co2"));
        }
        let mut twin = Twin::new(Box::new(Silent), crate::locale::Language::English);
        twin.state.apply(crate::state::Event::Catalogue(Box::new(catalogue)), 0.0);
        twin.state.apply(crate::state::Event::Linked, 0.0);
        twin.rooms = RoomPoints::find(twin.state.index.as_deref().unwrap());
        twin.set_quantity(Some("co2".into()));
        app.insert_resource(twin).insert_resource(Scene3d::default()).insert_resource(Parts::default());
        let build = |twin: Res<'_, Twin>,
                     mut scene: ResMut<'_, Scene3d>,
                     mut parts: ResMut<'_, Parts>,
                     mut commands: Commands<'_, '_>,
                     mut meshes: ResMut<'_, Assets<Mesh>>,
                     mut materials: ResMut<'_, Assets<StandardMaterial>>| {
            scene.take(rooms(STOREYS, IN_EACH));
            let index = twin.state.index.clone().unwrap();
            crate::scene3d::build_scene(
                &index,
                &mut scene,
                &mut parts,
                &mut commands,
                &mut meshes,
                &mut materials,
            );
        };
        app.add_systems(Startup, build);
        app.update();
        assert_eq!(app.world().resource::<Parts>().list.len(), STOREYS, "a storey's floors are one part");
        app.add_systems(Update, (paint_rooms_system, crate::parts::parts_system).chain());
        let touched = |app: &mut App| {
            app.update();
            let mut events = app.world_mut().resource_mut::<Messages<AssetEvent<Mesh>>>();
            let is_touched = |e: &AssetEvent<Mesh>| !matches!(e, AssetEvent::LoadedWithDependencies { .. });
            events.drain().filter(is_touched).count()
        };
        app.world_mut().resource_mut::<Messages<AssetEvent<Mesh>>>().clear();
        assert_eq!(touched(&mut app), STOREYS, "all rooms take the colour of no value");
        touched(&mut app);
        assert_eq!(touched(&mut app), 0, "nothing came, nothing is touched");
        let feed = |app: &mut App, points: &[u32], x: f64| {
            app.world_mut().resource_mut::<Twin>().state.apply(values(points, x), 0.0);
        };
        feed(&mut app, &[7, 9, 40], 900.0);
        assert_eq!(touched(&mut app), 2, "of two storeys");
        feed(&mut app, &[7, 9, 40], 900.0);
        assert_eq!(touched(&mut app), 0, "the same value again is the same colour");
        // A map layer of a plugin colours what it marks, and the rest is as it is.
        let show = |app: &mut App, tone| {
            use campanile_protocol::plugins::{MapMark, PanelContent, PanelNode, PanelShown};
            let words = campanile_protocol::Names::new("", "");
            let marks = vec![MapMark { path: "a/1f/r7".into(), tone, words: words.clone() }];
            let content = PanelContent::MapLayer { marks };
            app.world_mut().resource_mut::<Twin>().state.plugins.show(PanelShown {
                plugin: "water".into(),
                panel: "map".into(),
                names: words,
                person: None,
                time_us: 0,
                nodes: vec![PanelNode { id: "map".into(), parent: None, content }],
            });
        };
        show(&mut app, campanile_protocol::plugins::Tone::Danger);
        let panel = crate::plugins::PanelKey { plugin: "water".into(), panel: "map".into() };
        let layer = Layer { panel, node: "map".into() };
        {
            let mut twin = app.world_mut().resource_mut::<Twin>();
            twin.set_quantity(None);
            twin.view.layer = Some(layer);
        }
        touched(&mut app);
        // What a floor is painted with; `None`: it is as it is.
        let colour = |app: &App, n: usize| {
            let parts = app.world().resource::<Parts>();
            let floor = parts.floors.iter().find(|floor| floor.path.ends_with(&format!("/r{n}"))).unwrap();
            parts.painted(floor.at)
        };
        let expected = |tone| {
            let [r, g, b, _] = mark_colour(tone).to_array();
            Some(Color::srgb_u8(r, g, b).to_linear().to_f32_array())
        };
        assert_eq!(colour(&app, 7), expected(campanile_protocol::plugins::Tone::Danger));
        assert_eq!(colour(&app, 8), None, "all but one are as they are");
        show(&mut app, campanile_protocol::plugins::Tone::Good);
        assert_eq!(touched(&mut app), 1);
        assert_eq!(colour(&app, 7), expected(campanile_protocol::plugins::Tone::Good));
        {
            let mut twin = app.world_mut().resource_mut::<Twin>();
            twin.view.layer = None;
            twin.set_quantity(Some("co2".into()));
        }
        touched(&mut app);
    }
}
