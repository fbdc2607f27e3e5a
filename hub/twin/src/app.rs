//! The parts put together: resources, what a person's act does, and the systems' order.

use std::sync::{Arc, Mutex};

use bevy::camera::{Exposure, RenderTarget};
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::pbr::DistanceFog;
use bevy::prelude::*;
use bevy::window::WindowCloseRequested;
use bevy_egui::egui::Order;
use bevy_egui::{EguiContexts, EguiGlobalSettings, EguiPlugin, EguiPrimaryContextPass, PrimaryEguiContext};
use campanile_protocol::people::Role;
use campanile_protocol::{ClientMessage, Path, Slot};

use crate::address::{Address, AddressError};
use crate::camera;
use crate::keep;
use crate::lamps::lamps_system;
use crate::layers3d;
use crate::lens::{Lens, Lenses};
use crate::locale::{Language, Texts};
use crate::net::{Ask, EVENTS_WAITING, HistoryQuery, Hub};
use crate::orbit::{FIELD_OF_VIEW_RAD, Orbit};
use crate::pace::pace_system;
use crate::parts::{Parts, parts_system};
use crate::period::Stretch;
use crate::pick;
use crate::place::{Pane, WorkPlace};
use crate::plugins::PluginAsk;
use crate::prefs::{MOST_VIEWS, Nowhere, Own, Prefs, SavedView, Store};
use crate::rooms::{RoomPoints, paint_rooms_system};
use crate::scene_file::SceneFile;
use crate::scene3d::{Scene3d, build_scene};
use crate::script_ui::{Leaving, may_leave};
use crate::season::season_system;
use crate::shading::{Shading, choose_shading, plain_shader_system};
use crate::sight::{far_system, sight_system};
use crate::sky;
use crate::state::{Effect, Link, Notice, State, World};
use crate::storeys::Slice;
use crate::theme;
use crate::ui::{self, Action, UNDO_S, Undo, View};
use crate::views;
use crate::weather::{Weather, rain_system, setup_rain, weather_system};

/// Everything but the renderer's own.
#[derive(Resource)]
pub struct Twin {
    /// What is known of the campus.
    pub state: State,
    /// What the person looks at.
    pub view: View,
    /// The strings.
    pub texts: Texts,
    /// Which points speak for which rooms.
    pub rooms: RoomPoints,
    /// What layers are made of.
    pub lenses: Lenses,
    /// What went wrong with the scene, for people.
    pub scene_problem: Option<String>,
    /// The world that is followed.
    pub world: World,
    /// A view that is gone to once the campus is here; others put it in.
    pub inbox: Inbox,
    hub: Box<dyn Hub>,
    keeper: Keeper,
    requests: u64,
    /// When drills, rehearsals and the one followed were asked for last, in the app's seconds.
    asked_s: [Option<f64>; 3],
    /// The minute and the span that alarms were asked for last.
    journal_asked: Option<(i64, i64)>,
}

/// Where the camera is and where it flies to.
#[derive(Resource, Default)]
pub struct Rig {
    /// Where it is.
    pub now: Orbit,
    /// Where it flies to.
    pub goal: Orbit,
    /// How far the middle of what is seen is off the middle of the screen because of panels, in
    /// parts of its height.
    pub shift: Vec2,
    /// Width to height.
    pub aspect: f32,
    /// The screen in points of the interface.
    pub screen: Vec2,
    /// Whether a view was chosen for the scene that is shown.
    pub framed: u64,
}

/// The camera of the scene and the panels.
#[derive(Component)]
pub struct SceneCamera;

/// How the twin is drawn.
#[derive(Clone, Debug)]
pub enum Target {
    /// In a window.
    Window,
    /// Into an image.
    // A page draws on its canvas alone.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    Image(Handle<Image>),
}

/// The link of a view to go to.
pub type Inbox = Arc<Mutex<Option<String>>>;

/// What keeps what a person has arranged.
struct Keeper {
    store: Box<dyn Store>,
    prefs: Prefs,
    /// Whose campus's the view's own is.
    campus: Option<String>,
    looked_s: f64,
    has_complained: bool,
    /// Whether the place was chosen by a person, or by a link.
    is_place_chosen: bool,
    /// The language, where the person chose one.
    language: Option<Language>,
}

impl Twin {
    /// A twin on a hub, which keeps nothing.
    // For pictures and tests.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub fn new(hub: Box<dyn Hub>, language: Language) -> Self {
        Self::keeping(hub, language, Box::new(Nowhere))
    }

    /// A twin on a hub, arranged as the person left it.
    pub fn keeping(hub: Box<dyn Hub>, language: Language, store: Box<dyn Store>) -> Self {
        let kept = store.load();
        let is_place_chosen = kept.is_some();
        let prefs = kept.as_deref().map(Prefs::read).unwrap_or_default();
        let language = prefs.language().unwrap_or(language);
        hub.set_language(language.tag());
        let view = View {
            dock: prefs.dock.clone(),
            text_scale: prefs.text_scale,
            is_dark: prefs.is_dark,
            ..View::default()
        };
        let keeper = Keeper {
            store,
            language: prefs.language(),
            prefs,
            campus: None,
            looked_s: 0.0,
            has_complained: false,
            is_place_chosen,
        };
        Self {
            state: State::default(),
            view,
            texts: Texts::new(language),
            rooms: RoomPoints::default(),
            lenses: Lenses::default(),
            scene_problem: None,
            world: World::Live,
            inbox: Inbox::default(),
            hub,
            keeper,
            requests: 0,
            asked_s: [None; 3],
            journal_asked: None,
        }
    }

    /// Speaks a language from now on, whatever was kept.
    pub fn speak(&mut self, language: Language) {
        self.keeper.language = Some(language);
        self.texts = Texts::new(language);
        self.hub.set_language(language.tag());
    }

    /// Takes in what waits, until something is called for outside of the state, or nothing waits any more.
    ///
    /// All that waits, however much: what were left for the next frame would make a slow machine show an ever older
    /// campus as live. The queue is bounded (`left` begins there), and a full one makes the hub send the newest state
    /// instead of every change.
    fn next_effect(&mut self, now_s: f64, left: &mut usize) -> Option<Effect> {
        while *left > 0 {
            *left -= 1;
            if let Some(effect) = self.state.apply(self.hub.poll()?, now_s) {
                return Some(effect);
            }
        }
        None
    }

    fn request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// Asks for what is to be known of plugins.
    fn ask_plugins(&mut self, now_s: f64) {
        if self.state.link != Link::Live {
            return;
        }
        for ask in self.state.plugins.next_asks(self.view.looks(), now_s) {
            // What there is no room for now is asked for again when it is missed for too long.
            self.hub.ask(Ask::Plugin(ask));
        }
    }

    fn send(&mut self, message: ClientMessage, now_s: f64) {
        if !self.hub.send(message) {
            let why = Some(self.texts.t("link-stale"));
            self.state.notices.push(Notice { at_s: now_s, why });
        }
    }

    /// Colours the rooms by a quantity, or not.
    pub fn set_quantity(&mut self, quantity: Option<String>) {
        self.view.scale = quantity.as_deref().and_then(|q| self.rooms.scale(q, &self.state));
        self.view.quantity = quantity;
    }

    /// From now on another world is followed.
    pub fn follow(&mut self, world: World) {
        if matches!(world, World::Rehearsal(_)) {
            if self.view.dock.place != WorkPlace::Drill {
                self.view.dock.go(WorkPlace::Drill);
            }
            self.view.dock.open(Pane::Drill);
            self.view.past_open = false;
        }
        self.state.looked_back = None;
        // What is the last day is another now.
        self.state.histories.values_mut().for_each(|history| history.asked_s = f64::NEG_INFINITY);
        self.hub.follow(world.clone());
        self.world = world;
        self.asked_s[2] = None;
    }

    /// The page with the report of a rehearsal.
    fn report_url(&self, id: &str) -> String {
        let lang = self.texts.language().tag();
        format!("{}/api/v1/rehearsals/report?id={id}&lang={lang}", self.hub.address())
    }

    /// Asks how alarms turned, where that is shown: in the pane of alarms and on the time bar.
    fn ask_journal(&mut self, now_s: f64) {
        let is_shown =
            self.view.past_open || (self.view.alarms.is_past && self.view.dock.shows(Pane::Alarms));
        let newest_us = self.view.newest_us.max(self.state.time_us(now_s).unwrap_or(0));
        let span_s = crate::drill_ui::span_s(&self.view);
        let key = (newest_us / 60_000_000, span_s as i64);
        if !is_shown || newest_us == 0 || self.state.link != Link::Live || self.journal_asked == Some(key) {
            return;
        }
        if self.hub.ask(Ask::Journal(newest_us - (span_s * 1e6) as i64, newest_us.saturating_add(60_000_000)))
        {
            self.journal_asked = Some(key);
        }
    }

    /// Asks for what the Drill page shows, and follows a rehearsal that was begun once it is open.
    fn ask_drills(&mut self, now_s: f64) {
        let followed = match &self.world {
            World::Rehearsal(id) => Some(id.clone()),
            _ => None,
        };
        if !self.view.dock.shows(Pane::Drill) && followed.is_none() {
            return;
        }
        let due = |asked: Option<f64>, every: f64| asked.is_none_or(|at| now_s - at >= every);
        if due(self.asked_s[0], 60.0) && self.hub.ask(Ask::Drills) {
            self.asked_s[0] = Some(now_s);
        }
        if due(self.asked_s[1], 1.0) && self.hub.ask(Ask::Rehearsals) {
            self.asked_s[1] = Some(now_s);
        }
        if let Some(id) = followed
            && due(self.asked_s[2], 0.5)
            && self.hub.ask(Ask::State(id))
        {
            self.asked_s[2] = Some(now_s);
        }
        if let Some(id) = &self.state.began {
            let info = self.state.rehearsals.iter().find(|info| &info.id == id);
            if info.is_some_and(|info| info.busy.is_none() && info.failed.is_none()) {
                let id = id.clone();
                self.state.began = None;
                self.follow(World::Rehearsal(id));
            }
        }
    }

    /// Does what a person wishes.
    pub fn act(&mut self, action: Action, rig: &mut Rig, scene: &Scene3d, now_s: f64) {
        match action {
            Action::Follow(world) => self.follow(world),
            Action::Drill(ask) => {
                if !self.hub.ask(ask) {
                    let why = Some(self.texts.t("link-stale"));
                    self.state.notices.push(Notice { at_s: now_s, why });
                }
                // What it changed is looked at at once.
                self.asked_s = [self.asked_s[0], None, None];
            }
            Action::Plugin(order) => {
                let errand = order.errand();
                let is_sent = self.hub.ask(Ask::Plugin(PluginAsk::Tell(order)));
                self.state.plugins.send(errand, (!is_sent).then(|| self.texts.t("link-stale")));
            }
            Action::Layer(layer) => {
                if layer.is_some() {
                    // A colour on the map means one thing.
                    self.set_quantity(None);
                    self.view.lens = None;
                }
                self.view.layer = layer;
            }
            Action::LookBack(None) => self.state.looked_back = None,
            Action::LookBack(Some(at_s)) => {
                if let World::Rehearsal(id) = &self.world {
                    // One that is lost in a drag is followed by the next.
                    self.hub.ask(Ask::Frames(id.clone(), at_s));
                }
            }
            // Done where the panels are drawn.
            Action::Report(_)
            | Action::Quit
            | Action::CopyLink
            | Action::Keep { .. }
            | Action::Picture(_) => {}
            Action::Select(path) => self.view.select(path),
            Action::Back(back) => {
                if let Some(path) = self.view.trail.step(back) {
                    self.act(Action::FlyTo(path), rig, scene, now_s);
                }
            }
            Action::Open(link) => match Address::read(&link) {
                Ok(address) => self.open(address, rig, scene, now_s),
                Err(why) => {
                    self.state.notices.push(Notice { at_s: now_s, why: Some(self.wrong_link(&why)) });
                }
            },
            Action::SaveView(name) => {
                let address = self.address_of_view(rig, now_s).text();
                self.view.own.views.push(SavedView { name, address });
                self.view.own.views.truncate(MOST_VIEWS);
            }
            Action::Undo => {
                if let Some(undo) = self.view.undo.take() {
                    self.act(*undo.by, rig, scene, now_s);
                    // It is not an act of its own to be taken back.
                    self.view.undo = None;
                }
            }
            Action::FlyTo(path) => {
                if let Some(goal) = views::entity_view(&path, self.state.index.as_deref(), scene, rig) {
                    rig.goal = goal;
                }
                if let Some(slice) = views::slice_for(&path, self.state.index.as_deref(), scene) {
                    self.view.slice = slice;
                }
                self.view.select(Some(path));
            }
            Action::View(name) => {
                if let Some(goal) = views::named_view(&name, self.state.index.as_deref(), scene, rig) {
                    rig.goal = goal;
                }
            }
            Action::Lens(lens) => self.set_lens(lens),
            Action::Quantity(quantity) => {
                self.view.layer = None;
                self.set_quantity(quantity);
            }
            Action::FitScale => {
                if let Some(quantity) = self.view.quantity.clone() {
                    self.view.scale = self.rooms.fitted(&quantity, &self.state).or(self.view.scale);
                }
            }
            Action::Slice(slice) => self.view.slice = slice,
            Action::Language(language) => self.speak(language),
            Action::SignIn(credentials) => {
                if let Link::Door { is_answered, .. } = &mut self.state.link {
                    *is_answered = true;
                }
                self.hub.sign_in(credentials);
            }
            Action::SignOut => self.hub.sign_out(),
            Action::Acknowledge { alarm, comment } => {
                let request = self.request();
                self.send(ClientMessage::Acknowledge { request, alarm, comment }, now_s);
            }
            Action::Shelve { alarm, reason } => {
                let request = self.request();
                self.send(ClientMessage::Shelve { request, alarm, for_s: 3600.0, reason }, now_s);
            }
            Action::Unshelve { alarm } => {
                let request = self.request();
                self.send(ClientMessage::Unshelve { request, alarm }, now_s);
            }
            Action::Write { point, value, priority, expiry_s, reason } => {
                let by = self.undo_of(&point, priority, now_s);
                self.view.undo = Some(Undo { by: Box::new(by), at_s: now_s });
                let request = self.request();
                let message = ClientMessage::Write { request, point, value, priority, expiry_s, reason };
                self.send(message, now_s);
            }
            Action::Relinquish { point, priority, reason } => {
                let request = self.request();
                self.send(ClientMessage::Relinquish { request, point, priority, reason }, now_s);
            }
        }
    }
}

/// Only what goes wrong is worth a line: the renderer is talkative.
pub fn log() -> bevy::log::LogPlugin {
    bevy::log::LogPlugin {
        filter: "warn,wgpu=error,naga=error,winit=error,bevy_render=error,bevy_egui=error".into(),
        ..default()
    }
}

/// Puts the twin into an app that has Bevy's default plugins.
pub fn add_twin(app: &mut App, twin: Twin, target: Target) {
    app.add_plugins(EguiPlugin::default());
    app.world_mut().resource_mut::<EguiGlobalSettings>().auto_create_primary_context = false;
    let mut gizmos = app.world_mut().resource_mut::<GizmoConfigStore>();
    let (lines, _) = gizmos.config_mut::<DefaultGizmoConfigGroup>();
    // What is chosen is seen through walls.
    lines.depth_bias = -1.0;
    lines.line.width = 2.5;
    if matches!(target, Target::Window) {
        app.add_systems(Last, pace_system);
    }
    app.insert_resource(twin)
        .insert_resource(Rig::default())
        .insert_resource(Scene3d::default())
        .insert_resource(Parts::default())
        .insert_resource(Weather::default())
        .insert_resource(ClearColor(Color::srgb(0.83, 0.91, 0.97)))
        .insert_resource(GlobalAmbientLight { brightness: 400.0, ..default() })
        .add_systems(Startup, (choose_shading, (sky::setup_sky, setup_rain, spawn_camera(target))).chain())
        .add_systems(
            Update,
            (
                take_events_system,
                camera::input_system,
                pick::pick_system,
                tour_system,
                camera::move_system,
                weather_system,
                sky::sun_system,
                sky::dome_system,
                season_system,
                layers3d::water_system,
                layers3d::people_system,
                paint_rooms_system,
                (sight_system, lamps_system, far_system, parts_system, rain_system).chain(),
                pick::outline_system,
                ask_histories_system,
                ask_drills_system,
                (keep_system, plain_shader_system),
                close_system,
            )
                .chain(),
        )
        .add_systems(EguiPrimaryContextPass, ui_system);
}

fn spawn_camera(target: Target) -> impl Fn(Commands<'_, '_>, Res<'_, Shading>) {
    move |mut commands, shading| {
        let mut camera = commands.spawn((
            SceneCamera,
            PrimaryEguiContext,
            Camera3d::default(),
            Projection::Perspective(PerspectiveProjection {
                fov: FIELD_OF_VIEW_RAD,
                near: 0.5,
                far: 9000.0,
                ..default()
            }),
            Exposure { ev100: 9.7 },
            // Colours have to be those of the legend, so nothing bends them.
            Tonemapping::None,
            if *shading == Shading::Plain { Msaa::Off } else { Msaa::Sample4 },
            DistanceFog::default(),
            Transform::default(),
        ));
        if let Target::Image(image) = &target {
            camera.insert(RenderTarget::Image(image.clone().into()));
        }
    }
}

/// Takes in what came from the hub.
pub fn take_events_system(
    mut twin: ResMut<'_, Twin>,
    (mut scene, mut parts): (ResMut<'_, Scene3d>, ResMut<'_, Parts>),
    mut rig: ResMut<'_, Rig>,
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
    time: Res<'_, Time<Real>>,
) {
    let now_s = time.elapsed_secs_f64();
    let twin = twin.bypass_change_detection();
    if twin.view.holds_still {
        return;
    }
    let mut left = EVENTS_WAITING;
    let mut is_new = false;
    while let Some(effect) = twin.next_effect(now_s, &mut left) {
        match effect {
            Effect::BuildScene(bytes) => match SceneFile::read(&bytes) {
                Ok(file) => {
                    scene.take(file);
                    is_new = true;
                    twin.scene_problem = None;
                }
                Err(why) => twin.scene_problem = Some(why.to_string()),
            },
            Effect::BackToLive => twin.follow(World::Live),
            Effect::Reindex => {
                if let Some(index) = &twin.state.index {
                    twin.rooms = RoomPoints::find(index);
                }
                is_new = true;
            }
        }
    }
    if is_new && let Some(index) = &twin.state.index {
        build_scene(index, &mut scene, &mut parts, &mut commands, &mut meshes, &mut materials);
    }
    // A scale can be fitted only when values are there.
    if twin.view.quantity.is_some() && twin.view.scale.is_none() && twin.state.has_snapshot {
        twin.set_quantity(twin.view.quantity.clone());
    }
    if rig.framed != scene.generation
        && rig.aspect > 0.0
        && let Some(goal) = views::named_view("overview", twin.state.index.as_deref(), &scene, &rig)
    {
        rig.goal = goal;
        rig.now = goal;
        rig.framed = scene.generation;
    }
    let is_here = rig.framed > 0 && twin.state.index.is_some() && scene.indexed > 0;
    if is_here && let Some(link) = twin.inbox.lock().ok().and_then(|mut inbox| inbox.take()) {
        twin.act(Action::Open(link), &mut rig, &scene, now_s);
    }
}

/// Goes on with a tour.
fn tour_system(
    mut twin: ResMut<'_, Twin>,
    mut rig: ResMut<'_, Rig>,
    scene: Res<'_, Scene3d>,
    time: Res<'_, Time<Real>>,
) {
    let now_s = time.elapsed_secs_f64();
    let twin = twin.bypass_change_detection();
    if let Some(link) = twin.view.tour_step(now_s) {
        twin.act(Action::Open(link), &mut rig, &scene, now_s);
    }
}

/// Keeps what a person has arranged, some seconds after they did.
fn keep_system(mut twin: ResMut<'_, Twin>, time: Res<'_, Time<Real>>) {
    const EVERY_S: f64 = 2.0;
    let now_s = time.elapsed_secs_f64();
    let twin = twin.bypass_change_detection();
    twin.find_own();
    if now_s - twin.keeper.looked_s < EVERY_S {
        return;
    }
    twin.keeper.looked_s = now_s;
    twin.keep(now_s);
}

/// Asks for what the panels show of the past.
fn ask_histories_system(mut twin: ResMut<'_, Twin>, time: Res<'_, Time<Real>>) {
    let now_s = time.elapsed_secs_f64();
    let twin = twin.bypass_change_detection();
    let Some(now_us) = twin.state.time_us(now_s) else { return };
    let Some(index) = twin.state.index.clone() else { return };
    let wanted = ui::wanted_histories(&index, &twin.view);
    for of in twin.state.histories_to_ask(&wanted, now_s) {
        let Some(info) = index.point(of.point) else { continue };
        let path = info.path.as_str().to_owned();
        let Stretch { from_us, to_us, width_s } =
            of.range.stretch(now_us, &index.catalogue.timezone, info.is_consumption);
        // Nothing is known of what is still to come; whole spans keep their ends.
        let query = HistoryQuery { of, path, from_us, to_us, width_s };
        // Where it is too busy it is asked again a minute later.
        twin.hub.ask_history(query);
    }
}

/// Asks for what the pages show.
fn ask_drills_system(mut twin: ResMut<'_, Twin>, time: Res<'_, Time<Real>>) {
    let twin = twin.bypass_change_detection();
    twin.ask_drills(time.elapsed_secs_f64());
    twin.ask_plugins(time.elapsed_secs_f64());
    twin.ask_journal(time.elapsed_secs_f64());
}

/// Ends the program when its window is closed, unless that would lose what somebody has written.
pub fn close_system(
    mut twin: ResMut<'_, Twin>,
    mut closing: MessageReader<'_, '_, WindowCloseRequested>,
    mut exit: MessageWriter<'_, AppExit>,
) {
    if closing.read().count() > 0 && may_leave(&mut twin.bypass_change_detection().view, Leaving::Quit) {
        exit.write(AppExit::Success);
    }
}

/// Draws the panels and does what the person wishes.
pub fn ui_system(
    mut contexts: EguiContexts<'_, '_>,
    mut twin: ResMut<'_, Twin>,
    mut rig: ResMut<'_, Rig>,
    scene: Res<'_, Scene3d>,
    time: Res<'_, Time<Real>>,
    mut is_dressed: Local<'_, bool>,
    mut exit: MessageWriter<'_, AppExit>,
    mut commands: Commands<'_, '_>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    if !*is_dressed {
        theme::dress(ctx);
        *is_dressed = true;
        // Fonts count from the next pass; text laid out in this one would be boxes.
        return Ok(());
    }
    let twin = twin.bypass_change_detection();
    let now_s = twin.view.frozen_s.unwrap_or_else(|| time.elapsed_secs_f64());
    if ctx.zoom_factor() != twin.view.text_scale {
        ctx.set_zoom_factor(twin.view.text_scale);
    }
    let screen = ctx.content_rect();
    rig.aspect = screen.width() / screen.height().max(1.0);
    rig.screen = Vec2::new(screen.width(), screen.height());
    let labels = views::labels(twin, &scene, &rig);
    let lens = twin.lenses.show((&twin.state, &twin.view), &scene, &rig, &twin.texts, now_s);
    let mut root = bevy_egui::egui::Ui::new(
        ctx.clone(),
        "twin".into(),
        bevy_egui::egui::UiBuilder::new().layer_id(bevy_egui::egui::LayerId::background()).max_rect(screen),
    );
    let input = ui::Input {
        state: &twin.state,
        rooms: &twin.rooms,
        storeys: &scene.storeys,
        texts: &twin.texts,
        labels: &labels,
        lens: &lens,
        scene_problem: twin.scene_problem.as_deref(),
        is_scene_here: scene.generation > 0,
        now_s,
        world: &twin.world,
    };
    let (actions, shift_points) = ui::twin_ui(&mut root, &input, &mut twin.view);
    // The root covers the whole screen, so the question is what lies above it.
    let pointer = ctx.input(|i| i.pointer.interact_pos());
    let is_over =
        pointer.and_then(|at| ctx.layer_id_at(at)).is_some_and(|layer| layer.order != Order::Background);
    twin.view.panel_has_pointer = is_over || ctx.egui_is_using_pointer() || ctx.any_popup_open();
    rig.shift = Vec2::new(shift_points.x, shift_points.y) / screen.height().max(1.0);
    for action in actions {
        if let ui::Action::Report(id) = &action {
            ctx.open_url(bevy_egui::egui::OpenUrl::new_tab(twin.report_url(id)));
        }
        if action == ui::Action::Quit {
            exit.write(AppExit::Success);
        }
        match &action {
            ui::Action::CopyLink => {
                let address = twin.address_of_view(&rig, now_s).text();
                ctx.copy_text(format!("{}/#{address}", twin.hub.address()));
                let said = Some(twin.texts.t("link-copied"));
                twin.state.notices.push(Notice { at_s: now_s, why: None });
                twin.view.said = said;
            }
            ui::Action::Keep { name, text } => twin.give(name, text.as_bytes(), now_s),
            ui::Action::Picture(rect) => keep::picture(&mut commands, *rect, ctx.pixels_per_point()),
            _ => {}
        }
        twin.act(action, &mut rig, &scene, now_s);
    }
    Ok(())
}

impl Twin {
    /// What takes back a command into a slot: what stood in it before, or nothing.
    fn undo_of(&self, point: &Path, priority: u8, now_s: f64) -> Action {
        let before = self.state.commands.get(point.as_str());
        let before = before.and_then(|command| command.slots.iter().find(|slot| slot.priority == priority));
        let (point, reason) = (point.clone(), self.texts.t("undo"));
        // What was to end by itself still ends then, and what has ended since is not brought back.
        let now_us = self.state.time_us(now_s).unwrap_or_default();
        let left_s = |slot: &Slot| slot.expires_us.map(|at| at.saturating_sub(now_us) as f64 / 1e6);
        match before {
            Some(slot) if left_s(slot).is_none_or(|left| left > UNDO_S) => {
                Action::Write { point, value: slot.value.clone(), priority, expiry_s: left_s(slot), reason }
            }
            _ => Action::Relinquish { point, priority, reason },
        }
    }

    /// Shows a layer: its colour on the rooms, its signs, and its pane.
    fn set_lens(&mut self, lens: Option<Lens>) {
        // A colour that the layer before has brought goes with it.
        let brought = self.view.lens.and_then(Lens::quantity);
        let is_brought = brought.is_some() && self.view.quantity.as_deref() == brought;
        self.view.lens = lens;
        let Some(lens) = lens else {
            if is_brought {
                self.set_quantity(None);
            }
            return;
        };
        self.view.layer = None;
        let quantity = lens.quantity().filter(|quantity| self.rooms.of(quantity).is_some());
        self.set_quantity(quantity.map(str::to_owned));
        if let Some(pane) = lens.pane().filter(|_| self.view.dock.is_open) {
            self.view.dock.open(pane);
        }
    }

    fn wrong_link(&self, why: &AddressError) -> String {
        self.texts.with("link-wrong", &[("part", &why.part)])
    }

    /// What is seen now, as a link has it.
    pub fn address_of_view(&self, rig: &Rig, now_s: f64) -> Address {
        Address {
            place: Some(self.view.dock.place),
            at: self.view.selected.clone(),
            eye: Some(rig.goal),
            lens: self.view.lens,
            colour: self.view.quantity.clone(),
            slice: self.view.slice.clone(),
            sight: self.view.sight,
            when_us: match self.world {
                World::Past { .. } => self.state.time_us(now_s),
                _ => None,
            },
        }
    }

    /// Goes to a view.
    fn open(&mut self, address: Address, rig: &mut Rig, scene: &Scene3d, now_s: f64) {
        if let Some(place) = address.place
            && place != self.view.dock.place
        {
            self.view.dock.go(place);
        }
        self.keeper.is_place_chosen = true;
        let known = address
            .at
            .as_ref()
            .filter(|at| self.state.index.as_deref().is_some_and(|index| index.entity(at).is_some()));
        if let (Some(at), None) = (&address.at, known) {
            let why = Some(self.texts.with("link-no-place", &[("path", at)]));
            self.state.notices.push(Notice { at_s: now_s, why });
        }
        match (known, address.eye) {
            (Some(at), None) => self.act(Action::FlyTo(at.clone()), rig, scene, now_s),
            (known, _) => self.view.select(known.cloned()),
        }
        if let Some(eye) = address.eye {
            rig.goal = eye;
        }
        if address.slice != Slice::default() || address.eye.is_some() {
            self.view.slice = address.slice;
        }
        self.view.sight = address.sight;
        let colour = address.colour.filter(|quantity| self.rooms.of(quantity).is_some());
        self.view.layer = None;
        self.view.lens = address.lens;
        self.set_quantity(colour);
        match (address.when_us, &self.world) {
            (Some(at_us), _) => {
                self.view.past_open = true;
                self.follow(World::Past { at_us, rate: 0.0 });
            }
            (None, World::Past { .. }) => self.follow(World::Live),
            _ => {}
        }
    }

    /// Takes out of what is kept what is of this campus, once it is known which that is; and who learns begins where one
    /// learns.
    fn find_own(&mut self) {
        if let Some(me) = &self.state.me
            && !std::mem::replace(&mut self.keeper.is_place_chosen, true)
            && me.role == Role::Student
        {
            self.view.dock.go(WorkPlace::Learn);
        }
        let Some(campus) = self.state.index.as_deref().map(|index| index.catalogue.campus.clone()) else {
            return;
        };
        if self.keeper.campus.as_ref() != Some(&campus) {
            self.view.own = self.keeper.prefs.campuses.get(&campus).cloned().unwrap_or_default();
            self.keeper.campus = Some(campus);
        }
    }

    fn keep(&mut self, now_s: f64) {
        let keeper = &mut self.keeper;
        let mut prefs = keeper.prefs.clone();
        prefs.text_scale = self.view.text_scale;
        prefs.is_dark = self.view.is_dark;
        prefs.language = keeper.language.map(|language| language.tag().to_owned());
        prefs.dock = self.view.dock.clone();
        if let Some(campus) = &keeper.campus {
            if self.view.own == Own::default() {
                prefs.campuses.remove(campus);
            } else {
                prefs.campuses.insert(campus.clone(), self.view.own.clone());
            }
        }
        if prefs == keeper.prefs {
            return;
        }
        let kept = serde_json::to_string(&prefs).map_err(|why| why.to_string());
        let kept = kept.and_then(|text| keeper.store.save(&text));
        keeper.prefs = prefs;
        // Said once: what can't be kept now can't be in two seconds either.
        if let Err(why) = kept
            && !std::mem::replace(&mut keeper.has_complained, true)
        {
            let why = Some(self.texts.with("prefs-not-kept", &[("why", &why)]));
            self.state.notices.push(Notice { at_s: now_s, why });
        }
    }

    /// Says that something was not done.
    pub fn say_not_done(&mut self, why: String, now_s: f64) {
        self.state.notices.push(Notice { at_s: now_s, why: Some(why) });
    }

    /// Gives the person a file, and says where it is.
    pub fn give(&mut self, name: &str, bytes: &[u8], now_s: f64) {
        let why = match keep::give(name, bytes) {
            Ok(place) => {
                self.view.said = Some(self.texts.with("file-kept", &[("place", &place)]));
                None
            }
            Err(why) => Some(why),
        };
        self.state.notices.push(Notice { at_s: now_s, why });
    }

    /// Cuts at a storey by path, as the command line asks.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub fn slice_at(&mut self, storey: &str, scene: &Scene3d) -> bool {
        let slice: Option<Slice> = scene.storeys.slice_at(storey);
        let found = slice.is_some();
        if let Some(slice) = slice {
            self.view.slice = slice;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;
    use crate::net::Credentials;
    use crate::state::Event;

    /// A hub that has said so much already, and hears nothing.
    struct Said(Mutex<VecDeque<Event>>);

    impl Hub for Said {
        fn poll(&self) -> Option<Event> {
            self.0.lock().unwrap().pop_front()
        }
        fn send(&self, _: ClientMessage) -> bool {
            false
        }
        fn ask_history(&self, _: HistoryQuery) -> bool {
            false
        }
        fn ask(&self, _: Ask) -> bool {
            false
        }
        fn follow(&self, _: World) {}
        fn address(&self) -> &str {
            ""
        }
        fn sign_in(&self, _: Credentials) {}
        fn sign_out(&self) {}
        fn set_language(&self, _: &'static str) {}
    }

    /// What takes back a command must not make an override that was to end last for ever.
    #[test]
    fn what_was_to_end_by_itself_still_does_when_a_command_is_taken_back() {
        use campanile_protocol::{CommandState, JsonValue, ServerMessage};
        let mut twin = Twin::new(Box::new(Said(Mutex::default())), Language::English);
        twin.state = crate::state::tests::live_state();
        let now_us = twin.state.time_us(0.0).unwrap();
        let point = Path::new("a/1f/101/co2").unwrap();
        let mut undo = |expires_s: Option<i64>, priority: u8| {
            let slot = Slot {
                priority: 8,
                value: JsonValue::Number(26.0),
                actor: "person:anna".into(),
                reason: "exam".into(),
                since_us: 0,
                expires_us: expires_s.map(|s| now_us + s * 1_000_000),
            };
            let command = CommandState {
                point: point.clone(),
                effective: JsonValue::Number(26.0),
                slots: vec![slot],
                confirmed: None,
                held_until_us: None,
            };
            twin.state.apply(Event::Message(ServerMessage::CommandState(command)), 0.0);
            match twin.undo_of(&point, priority, 0.0) {
                Action::Write { expiry_s, value, .. } => Some((value, expiry_s)),
                _ => None,
            }
        };
        let was = JsonValue::Number(26.0);
        assert_eq!(undo(None, 8), Some((was.clone(), None)));
        assert_eq!(undo(Some(600), 8), Some((was, Some(600.0))));
        assert_eq!(undo(Some(5), 8), None, "it is given back: by then nothing would be held");
        assert_eq!(undo(None, 9), None, "another slot was empty");
    }

    /// A frame of a slow machine takes in more than the hub says in it, or the twin would fall behind for good.
    #[test]
    fn a_frame_takes_in_all_that_waits() {
        let mut events: VecDeque<Event> = (1..EVENTS_WAITING).map(|_| Event::Drills(Vec::new())).collect();
        events.insert(500, Event::Scene(Vec::new()));
        let mut twin = Twin::new(Box::new(Said(Mutex::new(events))), Language::English);
        let mut left = EVENTS_WAITING;
        assert_eq!(twin.next_effect(0.0, &mut left), Some(Effect::BuildScene(Vec::new())));
        assert_eq!(twin.next_effect(0.0, &mut left), None);
        assert!(twin.hub.poll().is_none());
    }
}
