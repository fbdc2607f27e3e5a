//! What a frame costs on a district far larger than a school: processor time of the main world, and of extract, prepare
//! and queue in the render world.
//!
//! The picture is small and each frame's drawing is waited for before the next begins, so that a processor that draws in a
//! graphics card's stead does not draw while it is measured. What is sent to the card (the `Render` set) is not counted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bevy::core_pipeline::core_3d::{Opaque3d, Transparent3d};
use bevy::math::{Mat4, Quat, Vec3};
use bevy::pbr::Shadow;
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_phase::{ViewBinnedRenderPhases, ViewSortedRenderPhases};
use bevy::render::render_resource::{PollType, TextureFormat};
use bevy::render::renderer::RenderDevice;
use bevy::render::{Render, RenderApp, RenderPlugin, RenderSystems};
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use bevy_egui::EguiPrimaryContextPass;
use campanile_protocol::{
    Agent, AgentKind, AgentState, Catalogue, ClientMessage, DataFrame, EntityInfo, EntityKind, FrameKind,
    FrameSample, LayerFrame, LayerInfo, LayerShape, LayerState, Names, Path, PointId, PointInfo, PointKind,
    Quality, ServerMessage, SiteInfo, Timestamp, Value, ValueType,
};

use crate::app::{Rig, Target, Twin, add_twin, close_system, log, take_events_system, ui_system};
use crate::locale::Language;
use crate::net::{Ask, Credentials, HistoryQuery, Hub};
use crate::orbit::Bounds;
use crate::program::TwinError;
use crate::scene_file::{MaterialData, MeshData, NodeData, SceneFile};
use crate::scene3d::Scene3d;
use crate::state::{Event, World};

/// How large the district is, and how long it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct District {
    /// Buildings.
    pub buildings: u32,
    /// Rooms, in four storeys a building.
    pub rooms: u32,
    /// Changes of points a second.
    pub changes_s: u32,
    /// People who walk.
    pub people: u32,
    /// Frames that are measured.
    pub frames: u32,
}

impl Default for District {
    /// The district of the design: 500 buildings, 20,000 rooms with five points each, 5,000 changes a second, 5,000 people.
    fn default() -> Self {
        Self { buildings: 500, rooms: 20_000, changes_s: 5000, people: 5000, frames: 240 }
    }
}

const STOREYS: u32 = 4;
const STOREY_M: f32 = 3.6;
const ROOM_M: [f32; 2] = [8.0, 7.0];
const QUANTITIES: [(&str, &str, bool); 5] = [
    ("temperature", "Cel", false),
    ("co2", "[ppm]", false),
    ("humidity", "%", false),
    ("lights-power", "W", false),
    ("lights-on", "1", true),
];
/// As many frames are drawn a second where they are that quick.
const FRAMES_S: u32 = 60;
/// The renderer takes in a district over some frames.
const WARMING: u32 = 30;

impl District {
    fn rooms_a_storey(self) -> u32 {
        (self.rooms / self.buildings.max(1) / STOREYS).max(1)
    }

    fn catalogue(self) -> Catalogue {
        let names = |text: &str| Names::new(text, text);
        let path = |text: &str| Path::new(text).ok();
        let (mut entities, mut points) = (Vec::new(), Vec::new());
        let add = |entities: &mut Vec<EntityInfo>, at: String, kind, parent| {
            let names = names(&at);
            if let Some(path) = path(&at) {
                entities.push(EntityInfo { path, names, kind, brick: String::new(), parent, place: None });
            }
            entities.len() as u32 - 1
        };
        for b in 0..self.buildings {
            let building = add(&mut entities, format!("b{b}"), EntityKind::Building, None);
            for s in 0..STOREYS {
                let storey =
                    add(&mut entities, format!("b{b}/{}f", s + 1), EntityKind::Storey, Some(building));
                for r in 0..self.rooms_a_storey() {
                    let at = format!("b{b}/{}f/r{r}", s + 1);
                    let room = add(&mut entities, at.clone(), EntityKind::Space, Some(storey));
                    for (quantity, unit, is_bool) in QUANTITIES {
                        let Some(path) = path(&format!("{at}/{quantity}")) else { continue };
                        points.push(PointInfo {
                            path,
                            entity: room,
                            names: names(quantity),
                            kind: PointKind::Sensor,
                            quantity: quantity.into(),
                            value_type: if is_bool { ValueType::Bool } else { ValueType::Number },
                            is_consumption: false,
                            choices: Vec::new(),
                            unit: unit.into(),
                            range: Some([0.0, 2000.0]),
                            period_s: 60.0,
                            resolution: Some(0.1),
                            brick: String::new(),
                            submeter: None,
                            command: None,
                            alarms: Vec::new(),
                        });
                    }
                }
            }
        }
        Catalogue {
            version: "district".into(),
            campus: "district".into(),
            names: names("District"),
            timezone: "Asia/Shanghai".into(),
            site: SiteInfo { latitude_deg: 31.2, longitude_deg: 121.5, bearing_deg: 0.0 },
            entities,
            points,
            networks: Vec::new(),
            attribution: Vec::new(),
        }
    }

    /// Where a building stands: in a square of blocks.
    fn corner(self, b: u32) -> Vec3 {
        let side = (self.buildings as f32).sqrt().ceil().max(1.0) as u32;
        let wide = self.rooms_a_storey() as f32 * ROOM_M[0] + 20.0;
        Vec3::new((b % side) as f32 * wide, 0.0, (b / side) as f32 * 34.0)
    }

    fn scene(self) -> SceneFile {
        let material = |name: &str, [r, g, b, a]: [f32; 4]| MaterialData {
            name: name.into(),
            base_colour: [r, g, b, a],
            roughness: 0.8,
            metallic: 0.0,
            blend: a < 1.0,
            double_sided: false,
        };
        let mesh = |material: usize, faces: &[[[f32; 3]; 4]]| {
            let positions: Vec<[f32; 3]> = faces.iter().flatten().copied().collect();
            let normals = faces
                .iter()
                .flat_map(|[a, b, c, _]| {
                    let [a, b, c] = [a, b, c].map(|v| Vec3::from_array(*v));
                    [(b - a).cross(c - a).normalize_or(Vec3::Y).to_array(); 4]
                })
                .collect();
            let indices =
                (0..faces.len() as u32).flat_map(|f| [0, 1, 2, 0, 2, 3].map(|i| 4 * f + i)).collect();
            MeshData { positions, normals, colours: Vec::new(), indices, material: Some(material) }
        };
        let quad = [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]];
        let walls = [
            [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]],
            [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]],
            [[1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 0.0]],
        ];
        let pane = [[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]];
        let mut file = SceneFile {
            meshes: vec![mesh(0, &[quad]), mesh(1, &walls), mesh(2, &pane), mesh(3, &[quad])],
            materials: vec![
                material("floor", [0.7, 0.7, 0.7, 1.0]),
                material("brick", [0.6, 0.4, 0.3, 1.0]),
                material("glass", [0.6, 0.7, 0.8, 0.4]),
                material("roof", [0.3, 0.3, 0.33, 1.0]),
            ],
            ..SceneFile::default()
        };
        let n = self.rooms_a_storey();
        let wide = n as f32 * ROOM_M[0];
        let mut add =
            |mesh: usize, path: String, kind: &str, storey: Option<String>, at: Vec3, size: Vec3| {
                let bounds = Bounds { min: at, max: at + size };
                file.bounds.entry(path.clone()).and_modify(|b| *b = b.union(bounds)).or_insert(bounds);
                let transform =
                    Mat4::from_scale_rotation_translation(size.max(Vec3::splat(0.01)), Quat::IDENTITY, at);
                file.nodes.push(NodeData {
                    transform,
                    meshes: vec![mesh],
                    path,
                    kind: kind.into(),
                    storey,
                    bounds,
                });
            };
        for b in 0..self.buildings {
            let corner = self.corner(b);
            for s in 0..STOREYS {
                let storey = format!("b{b}/{}f", s + 1);
                let base = corner + Vec3::Y * (s as f32 * STOREY_M);
                let all = Vec3::new(wide, STOREY_M, ROOM_M[1]);
                add(1, storey.clone(), "walls", Some(storey.clone()), base, all);
                for r in 0..n {
                    let at = base + Vec3::X * (r as f32 * ROOM_M[0]);
                    let floor = Vec3::new(ROOM_M[0] - 0.2, 0.0, ROOM_M[1]);
                    add(
                        0,
                        format!("{storey}/r{r}"),
                        "space",
                        Some(storey.clone()),
                        at + Vec3::Y * 0.05,
                        floor,
                    );
                    let pane = Vec3::new(2.4, 1.5, 0.0);
                    let window = at + Vec3::new(2.0, 0.9, ROOM_M[1] + 0.05);
                    add(2, format!("{storey}/window-{r}"), "opening", Some(storey.clone()), window, pane);
                }
            }
            let top = corner + Vec3::Y * (STOREYS as f32 * STOREY_M);
            add(3, format!("b{b}/roof"), "roof", None, top, Vec3::new(wide, 0.0, ROOM_M[1]));
        }
        file
    }

    fn people(self) -> LayerInfo {
        LayerInfo {
            id: "people".into(),
            names: Names::new("人", "People"),
            shape: LayerShape::Agents {
                origin_m: [0.0, -400.0, 0.0],
                step_m: 0.05,
                kinds: vec![AgentKind { id: "all".into(), count: self.people }],
            },
        }
    }

    fn walk(self, number: u32) -> LayerFrame {
        let agent = |i: u32| Agent {
            x: (i.wrapping_mul(7919) % 60_000 + number * 3 % 5000) as u16,
            y: (i.wrapping_mul(104_729) % 8000) as u16,
            z: 0,
            heading: (i % 256) as u8,
            state: AgentState::Walking,
        };
        LayerFrame {
            layer: 0,
            number,
            time: Timestamp(0),
            state: LayerState::Agents((0..self.people).map(agent).collect()),
        }
    }

    fn changes(self, frame: u32, all: bool) -> DataFrame {
        let points = self.buildings * STOREYS * self.rooms_a_storey() * QUANTITIES.len() as u32;
        let a_frame = if all { points } else { self.changes_s / FRAMES_S };
        let sample = |k: u32| {
            let point = if all { k } else { (frame.wrapping_mul(a_frame) + k).wrapping_mul(48_271) % points };
            let is_bool = QUANTITIES[(point % QUANTITIES.len() as u32) as usize].2;
            let x = f64::from((point.wrapping_mul(31) + frame * 7) % 100);
            let value = if is_bool { Value::Bool(x > 50.0) } else { Value::Number(15.0 + x / 5.0) };
            FrameSample { point: PointId(point), time: Timestamp(0), value, quality: Quality::Good }
        };
        DataFrame {
            kind: if all { FrameKind::Snapshot } else { FrameKind::Delta },
            more: false,
            subscription: 1,
            sequence: 0,
            time: Timestamp(1_781_490_600_000_000 + i64::from(frame) * 16_667),
            conflated: 0,
            samples: (0..a_frame).map(sample).collect(),
        }
    }
}

/// A hub that says what the bench gives it.
struct Said(Arc<Mutex<VecDeque<Event>>>);

impl Hub for Said {
    fn poll(&self) -> Option<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
    fn send(&self, _: ClientMessage) -> bool {
        true
    }
    fn ask_history(&self, _: HistoryQuery) -> bool {
        true
    }
    fn ask(&self, _: Ask) -> bool {
        true
    }
    fn follow(&self, _: World) {}
    fn address(&self) -> &str {
        "http://district"
    }
    fn sign_in(&self, _: Credentials) {}
    fn sign_out(&self) {}
    fn set_language(&self, _: &'static str) {}
}

/// When each mark of a frame was passed.
#[derive(Resource, Clone, Default)]
struct Marks(Arc<Mutex<Vec<(&'static str, Instant)>>>);

/// Draw calls of the last frame: multi-draws and batches of opaque things and shadows, and what is blended.
#[derive(Resource, Clone, Default)]
struct Draws(Arc<Mutex<[usize; 3]>>);

fn count_draws(
    opaque: Res<'_, ViewBinnedRenderPhases<Opaque3d>>,
    shadows: Res<'_, ViewBinnedRenderPhases<Shadow>>,
    blended: Res<'_, ViewSortedRenderPhases<Transparent3d>>,
    draws: Res<'_, Draws>,
) {
    let opaque = opaque
        .values()
        .map(|p| p.multidrawable_meshes.len() + p.batchable_meshes.len() + p.unbatchable_meshes.len());
    let shadows = shadows
        .values()
        .map(|p| p.multidrawable_meshes.len() + p.batchable_meshes.len() + p.unbatchable_meshes.len());
    // Those that follow each other with the same batch are one call.
    let blended =
        blended.values().map(|p| p.items.values().filter(|item| !item.batch_range.is_empty()).count());
    let counted = [opaque.sum(), shadows.sum(), blended.sum()];
    *draws.0.lock().unwrap_or_else(PoisonError::into_inner) = counted;
}

/// The middle and the 95th part of a hundred, ms.
fn quantiles(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get(((times.len() as f64 - 1.0) * part) as usize).copied().unwrap_or_default();
    [at(0.5), at(0.95)]
}

/// What was measured, each the median and the 95th percentile in ms.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Measured {
    /// The main world with panels.
    pub main_ms: [f64; 2],
    /// Of it the twin's own systems and panels.
    pub own_ms: [f64; 2],
    /// Of that the panels.
    pub panels_ms: [f64; 2],
    /// From the main world to the render world.
    pub extract_ms: [f64; 2],
    /// Prepare, specialize and queue in the render world.
    pub prepare_queue_ms: [f64; 2],
    /// Of it, medians: commands, assets, views and specialising, queue, sort, prepare.
    pub render_sets_ms: [f64; 6],
    /// All of these together.
    pub frame_ms: [f64; 2],
    /// The same where nothing changes: no values, nobody walks.
    pub still_frame_ms: [f64; 2],
    /// Of that the twin's own systems and panels.
    pub still_own_ms: [f64; 2],
    /// Calls of the last frame: opaque, shadows, blended.
    pub draw_calls: [usize; 3],
    /// Things that are drawn.
    pub drawn: usize,
    /// What drew.
    pub adapter: String,
    /// Memory of the process after the last frame, MB; 0 where the system does not say.
    pub memory_mb: f64,
}

/// Draws a district and measures.
///
/// # Errors
/// [`TwinError`] where nothing can be drawn.
pub fn run_bench(district: District) -> Result<Measured, TwinError> {
    let events = Arc::new(Mutex::new(VecDeque::new()));
    let say = |event: Event| events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    say(Event::Linked);
    say(Event::Catalogue(Box::new(district.catalogue())));
    say(Event::Message(ServerMessage::Layers { layers: vec![district.people()] }));
    say(Event::Message(ServerMessage::Clock { time_us: 1_781_490_600_000_000, rate: 1.0 }));
    say(Event::Frame(district.changes(0, true)));
    say(Event::Layer(district.walk(0)));
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() })
            .set(log())
            .disable::<WinitPlugin>()
            .disable::<PipelinedRenderingPlugin>(),
    );
    let image = Image::new_target_texture(160, 90, TextureFormat::Rgba8UnormSrgb, None);
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(image);
    let twin = Twin::new(Box::new(Said(events.clone())), Language::English);
    add_twin(&mut app, twin, Target::Image(image));
    app.insert_resource(Rig { screen: Vec2::new(160.0, 90.0), aspect: 16.0 / 9.0, ..Rig::default() });
    let marks = Marks::default();
    let draws = Draws::default();
    app.insert_resource(marks.clone());
    let at = |name: &'static str| move |marks: Res<'_, Marks>| marks.mark(name);
    app.add_systems(First, at("first"))
        .add_systems(Update, (at("own").before(take_events_system), at("own-end").after(close_system)))
        .add_systems(
            EguiPrimaryContextPass,
            (at("panels").before(ui_system), at("panels-end").after(ui_system)),
        )
        .add_systems(Last, at("last"));
    let render = app.get_sub_app_mut(RenderApp).ok_or_else(no_renderer)?;
    render.insert_resource(marks.clone()).insert_resource(draws.clone());
    let between = |name, after: RenderSystems, before: RenderSystems| at(name).after(after).before(before);
    render
        .add_systems(Render, at("extracted").before(RenderSystems::ExtractCommands))
        .add_systems(
            Render,
            (
                between("commands", RenderSystems::ExtractCommands, RenderSystems::PrepareAssets),
                between("assets", RenderSystems::PrepareAssets, RenderSystems::CreateViews),
                between("views", RenderSystems::Specialize, RenderSystems::Queue),
                between("queue", RenderSystems::Queue, RenderSystems::PhaseSort),
                between("sorted", RenderSystems::PhaseSort, RenderSystems::Prepare),
            ),
        )
        .add_systems(
            Render,
            (count_draws, at("queued"))
                .chain()
                .after(RenderSystems::PrepareBindGroups)
                .before(RenderSystems::Render),
        );
    app.finish();
    app.cleanup();
    app.world_mut().resource_mut::<Scene3d>().take(district.scene());
    let wait = |app: &App| {
        if let Some(device) = app.world().get_resource::<RenderDevice>() {
            // A device that is lost is said where it draws.
            let _ = device.poll(PollType::wait_indefinitely());
        }
    };
    let run = |app: &mut App, frames: u32, from: u32, is_moving: bool| {
        let (mut main, mut own, mut panels) = (vec![], vec![], vec![]);
        let (mut extract, mut queue, mut all) = (vec![], vec![], vec![]);
        let mut sets: [Vec<f64>; 6] = Default::default();
        for frame in from..from + frames {
            if is_moving {
                events
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_back(Event::Frame(district.changes(frame, false)));
                if frame % 6 == 0 {
                    events
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push_back(Event::Layer(district.walk(frame)));
                }
            }
            marks.clear();
            app.update();
            wait(app);
            let between = |a: &str, b: &str| marks.between(a, b).unwrap_or_default();
            main.push(between("first", "last"));
            own.push(between("own", "own-end") + between("panels", "panels-end"));
            panels.push(between("panels", "panels-end"));
            extract.push(between("last", "extracted"));
            queue.push(between("extracted", "queued"));
            all.push(between("first", "queued"));
            const MARKS: [&str; 7] =
                ["extracted", "commands", "assets", "views", "queue", "sorted", "queued"];
            for (set, pair) in sets.iter_mut().zip(MARKS.windows(2)) {
                set.push(between(pair[0], pair[1]));
            }
        }
        ([main, own, panels, extract, queue, all], sets.map(|times| quantiles(times)[0]))
    };
    run(&mut app, WARMING, 1, true);
    // Rooms are coloured, as by who watches.
    app.world_mut().resource_mut::<Twin>().set_quantity(Some("temperature".into()));
    run(&mut app, WARMING, WARMING, true);
    let ([main, own, panels, extract, queue, all], render_sets_ms) =
        run(&mut app, district.frames, 100, true);
    let ([_, still_own, _, _, _, still], _) = run(&mut app, district.frames / 2, 0, false);
    let adapter = app
        .get_sub_app(RenderApp)
        .and_then(|sub| sub.world().get_resource::<bevy::render::renderer::RenderAdapterInfo>())
        .map(|info| info.name.clone())
        .unwrap_or_default();
    let drawn = app.world_mut().query::<&Mesh3d>().iter(app.world()).count();
    let draw_calls = *draws.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Measured {
        main_ms: quantiles(main),
        own_ms: quantiles(own),
        panels_ms: quantiles(panels),
        extract_ms: quantiles(extract),
        prepare_queue_ms: quantiles(queue),
        render_sets_ms,
        frame_ms: quantiles(all),
        still_frame_ms: quantiles(still),
        still_own_ms: quantiles(still_own),
        draw_calls,
        drawn,
        adapter,
        memory_mb: memory_mb(),
    })
}

fn no_renderer() -> TwinError {
    TwinError::NoPicture {
        code: crate::shot::EXIT_NO_PICTURE,
        what: "there is no renderer to measure".into(),
    }
}

/// The memory that is resident, as Linux says it.
fn memory_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

impl Marks {
    fn clear(&self) {
        self.lock().clear();
    }

    fn between(&self, from: &str, to: &str) -> Option<f64> {
        let marks = self.lock();
        let at = |name: &str| marks.iter().find(|(n, _)| *n == name).map(|(_, at)| *at);
        Some(at(to)?.duration_since(at(from)?).as_secs_f64() * 1e3)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(&'static str, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, name: &'static str) {
        self.lock().push((name, Instant::now()));
    }
}
