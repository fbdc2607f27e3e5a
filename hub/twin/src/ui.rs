//! The panels. They read the state and give back what the person wishes; they change nothing else.

use bevy_egui::egui::{
    Align2, Area, Button, ComboBox, Context, CornerRadius, FontFamily, FontId, Id, Label as TextLabel,
    LayerId, Margin, Mesh, Order, Pos2, Rect, Response, RichText, ScrollArea, Sense, Shape, Slider, Stroke,
    Ui, Vec2, pos2, vec2,
};
use campanile_protocol::{EntityKind, JsonValue, Path, ValueType};

use crate::alarms_ui::{AckDraft, AlarmsView, alarms_ui};
use crate::approve_ui::approve_ui;
use crate::charts_ui::ChartsView;
use crate::colour::{Scale, viridis};
use crate::drill_ui::time_ui;
use crate::flows::Flowing;
use crate::flows_ui::FlowsView;
use crate::help_ui::{help_ui, keys};
use crate::lens::{Lens, Shown};
use crate::lens_ui::{covered, lens_legend_ui, lens_ui, lenses_ui};
use crate::locale::{Language, Texts};
use crate::marks_ui::{Layer, marks_ui};
use crate::net::{Ask, Credentials};
use crate::override_ui::{Draft, override_ui};
use crate::palette::{Palette, palette_ui};
use crate::period::Range;
use crate::pins_ui::pins_ui;
use crate::place::{Dock, Pane, dock_ui, places_ui};
use crate::plugins::Order as PluginOrder;
use crate::plugins_ui::PluginsView;
use crate::prefs::{Own, TEXT_SCALES};
use crate::rooms::RoomPoints;
use crate::saved_ui::Tour;
use crate::script_ui::{Leaving, may_leave, script_ui};
use crate::sight::Sight;
use crate::sign_in_ui::{DoorDraft, name_of, role_text, sign_in_ui};
use crate::state::{Index, Link, State, Stretched, World};
use crate::storeys::{Slice, Storeys};
use crate::theme::{self, accent, bad, faint, good, ink, warn};
use crate::units::{number_text, time_text, unit_text, value_text};
use crate::views::{self, Label, LabelKind};

/// What the person looks at: everything here is theirs, nothing the hub's.
#[derive(Debug)]
pub struct View {
    /// The work place and its panes.
    pub dock: Dock,
    /// What is done to see into buildings.
    pub sight: Sight,
    /// What is charted.
    pub charts: ChartsView,
    /// What is counted of flows.
    pub flows: FlowsView,
    /// Which alarms are listed.
    pub alarms: AlarmsView,
    /// The box that finds everything, while it is open.
    pub palette: Option<Palette>,
    /// Whether the page of keys is open.
    pub help_open: bool,
    /// What the person keeps of this campus.
    pub own: Own,
    /// How large text is; 1 is usual.
    pub text_scale: f32,
    /// Whether panels are dark.
    pub is_dark: bool,
    /// A tour under way.
    pub tour: Option<Tour>,
    /// What a view is to be called that is to be saved.
    pub saved_name: String,
    /// A point that is to be scrolled to in the details.
    pub wanted_point: Option<u32>,
    /// What can be taken back.
    pub undo: Option<Undo>,
    /// What was done last, where it has words of its own.
    pub said: Option<String>,
    /// What was selected before, to go back to.
    pub trail: Trail,
    /// The path of the entity whose panel is open.
    pub selected: Option<String>,
    /// The path of the entity under the pointer.
    pub hovered: Option<String>,
    /// The layer of the campus that is shown.
    pub lens: Option<Lens>,
    /// The quantity that colours the rooms.
    pub quantity: Option<String>,
    /// Its scale.
    pub scale: Option<Scale>,
    /// What is cut open.
    pub slice: Slice,
    /// The point whose large chart is open.
    pub expanded: Option<u32>,
    /// An override being written.
    pub draft: Option<Draft>,
    /// Whether the pointer is on a panel, or a panel holds on to it.
    pub panel_has_pointer: bool,
    /// The moment at which the panels stand still, in the app's seconds: in a picture no second
    /// may pass between the pass that lays a text out and the frame that shows it.
    pub frozen_s: Option<f64>,
    /// An acknowledgement being written.
    pub acknowledging: Option<AckDraft>,
    /// The map layer of a plugin that colours the campus.
    pub layer: Option<Layer>,
    /// What is looked at of plugins.
    pub plugins: PluginsView,
    /// The drill that is previewed.
    pub drill: Option<String>,
    /// The moment of a rehearsal that the time bar is dragged to.
    pub scrub_s: Option<f64>,
    /// Whether the time bar of the campus is open.
    pub past_open: bool,
    /// The newest time of the real campus that was seen.
    pub newest_us: i64,
    /// How far back the bar reaches, by its button.
    pub past_span: usize,
    /// Whether nothing is taken in from the hub: a picture is being taken.
    pub holds_still: bool,
    /// What is typed at the door.
    pub door: DoorDraft,
}

impl Default for View {
    fn default() -> Self {
        Self {
            dock: Dock::default(),
            sight: Sight::default(),
            charts: ChartsView::default(),
            flows: FlowsView::default(),
            alarms: AlarmsView::default(),
            palette: None,
            help_open: false,
            own: Own::default(),
            text_scale: 1.0,
            is_dark: false,
            tour: None,
            saved_name: String::new(),
            wanted_point: None,
            undo: None,
            said: None,
            trail: Trail::default(),
            selected: None,
            hovered: None,
            lens: None,
            quantity: None,
            scale: None,
            slice: Slice::default(),
            expanded: None,
            draft: None,
            panel_has_pointer: false,
            frozen_s: None,
            acknowledging: None,
            layer: None,
            plugins: PluginsView::default(),
            drill: None,
            scrub_s: None,
            past_open: false,
            newest_us: 0,
            past_span: 1,
            holds_still: false,
            door: DoorDraft::default(),
        }
    }
}

impl View {
    /// Selects something, or nothing, and shows its details.
    pub fn select(&mut self, path: Option<String>) {
        self.expanded = None;
        if self.selected != path
            && let Some(path) = &path
        {
            self.trail.went_to(path);
        }
        match &path {
            Some(_) => self.dock.choose(),
            None => self.dock.let_go(),
        }
        self.selected = path;
    }

    /// Makes text larger or smaller by a step.
    pub fn scale_text(&mut self, is_larger: bool) {
        let [least, most] = TEXT_SCALES;
        let step = if is_larger { 0.1 } else { -0.1 };
        self.text_scale = ((self.text_scale + step) * 10.0).round().clamp(least * 10.0, most * 10.0) / 10.0;
    }
}

/// What was selected, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    paths: Vec<String>,
    at: usize,
}

impl Trail {
    fn went_to(&mut self, path: &str) {
        const LONGEST: usize = 50;
        if self.paths.get(self.at).is_some_and(|here| here == path) {
            return;
        }
        // Who goes another way forgets where the old one led.
        self.paths.truncate(self.at + 1);
        self.paths.push(path.to_owned());
        if self.paths.len() > LONGEST {
            self.paths.remove(0);
        }
        self.at = self.paths.len() - 1;
    }

    /// One back, or one forward again.
    pub fn step(&mut self, back: bool) -> Option<String> {
        let next = if back { self.at.checked_sub(1)? } else { self.at + 1 };
        let path = self.paths.get(next)?.clone();
        self.at = next;
        Some(path)
    }
}

/// What takes back what was done last.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// What takes it back.
    pub by: Box<Action>,
    /// When it was done, in the app's seconds.
    pub at_s: f64,
}

/// How long something can be taken back, s.
pub const UNDO_S: f64 = 20.0;

/// What a person wishes.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Follow another world.
    Follow(World),
    /// Ask or tell something of drills.
    Drill(Ask),
    /// Tell the hub something of plugins.
    Plugin(PluginOrder),
    /// Colour the campus by a map layer of a plugin, or by none.
    Layer(Option<Layer>),
    /// End the program.
    Quit,
    /// Look at a rehearsal as it was at a second of it, or as it is.
    LookBack(Option<f64>),
    /// Open the report of a rehearsal in a browser.
    Report(String),
    /// Go to a view by its link.
    Open(String),
    /// Keep what is seen as a view of this name.
    SaveView(String),
    /// Put a link to what is seen where it can be pasted from.
    CopyLink,
    /// Give the person a file.
    Keep {
        /// What to call it.
        name: String,
        /// What is in it.
        text: String,
    },
    /// Give the person a picture of a part of the screen.
    Picture(Rect),
    /// Take back what was done last.
    Undo,
    /// Select what was selected before, or after again.
    Back(bool),
    /// Open the panel of an entity, or close it.
    Select(Option<String>),
    /// Fly to an entity and open its panel.
    FlyTo(String),
    /// Fly to a named view.
    View(String),
    /// Show a layer of the campus, or none.
    Lens(Option<Lens>),
    /// Colour the rooms by a quantity.
    Quantity(Option<String>),
    /// Fit the scale to the values there are.
    FitScale,
    /// Cut buildings open.
    Slice(Slice),
    /// Speak another language.
    Language(Language),
    /// Say who one is.
    SignIn(Credentials),
    /// Sign out.
    SignOut,
    /// Acknowledge an alarm.
    Acknowledge {
        /// Its id.
        alarm: String,
        /// What was seen or done.
        comment: String,
    },
    /// Hide an alarm for an hour.
    Shelve {
        /// Its id.
        alarm: String,
        /// Why.
        reason: String,
    },
    /// Take an alarm from the shelf.
    Unshelve {
        /// Its id.
        alarm: String,
    },
    /// Override a point.
    Write {
        /// Which.
        point: Path,
        /// With what.
        value: JsonValue,
        /// In which slot.
        priority: u8,
        /// For how long, seconds.
        expiry_s: Option<f64>,
        /// Why.
        reason: String,
    },
    /// Give a slot back.
    Relinquish {
        /// Of which point.
        point: Path,
        /// Which slot.
        priority: u8,
        /// Why.
        reason: String,
    },
}

/// What the panels read.
pub struct Input<'a> {
    /// What is known of the campus.
    pub state: &'a State,
    /// Which points speak for which rooms.
    pub rooms: &'a RoomPoints,
    /// The storeys.
    pub storeys: &'a Storeys,
    /// The strings.
    pub texts: &'a Texts,
    /// What floats over places.
    pub labels: &'a [Label],
    /// What the layer shows.
    pub lens: &'a Shown,
    /// What went wrong with the scene.
    pub scene_problem: Option<&'a str>,
    /// Whether there is a scene.
    pub is_scene_here: bool,
    /// The app's clock, seconds.
    pub now_s: f64,
    /// The world that is followed.
    pub world: &'a World,
}

impl Input<'_> {
    /// The catalogue, if it has come.
    pub fn index(&self) -> Option<&Index> {
        self.state.index.as_deref()
    }

    /// The campus's time zone.
    pub fn timezone(&self) -> &str {
        self.index().map_or("UTC", |i| i.catalogue.timezone.as_str())
    }
}

/// A small button that acts on the campus: greyed, with the reason, for whose role may not.
pub fn acting_button_ui(ui: &mut Ui, input: &Input<'_>, text: &str) -> Response {
    let (state, texts) = (input.state, input.texts);
    let response = ui.add_enabled(state.can_operate, Button::new(text).small());
    match &state.me {
        Some(me) if !state.can_operate => response
            .on_disabled_hover_text(texts.with("role-may-not", &[("role", &role_text(me.role, texts))])),
        _ => response,
    }
}

/// The room around all panels, points.
pub const EDGE: f32 = 12.0;
/// How high the bar is.
pub const BAR_HEIGHT: f32 = 46.0;
const LEFT_WIDTH: f32 = 236.0;

/// What the panels that are seen want of the past, the nearest first.
pub fn wanted_histories(index: &Index, view: &View) -> Vec<Stretched> {
    let seen = view.dock.seen();
    let mut wanted = view.pinned(index);
    for pane in seen {
        match pane {
            Pane::Details => {
                let of = |point| Stretched { point, range: Range::LastDay };
                wanted.extend(points_with_history(index, view).into_iter().map(of));
            }
            Pane::Charts => wanted.extend(view.charts.wanted(index)),
            Pane::Energy => wanted.extend(crate::flows::wanted(index, Flowing::Energy, view.flows.energy)),
            Pane::Water => wanted.extend(crate::flows::wanted(index, Flowing::Water, view.flows.water)),
            _ => {}
        }
    }
    wanted
}

/// The points of the open panel whose last day is worth asking for.
fn points_with_history(index: &Index, view: &View) -> Vec<u32> {
    const MOST: usize = 40;
    let Some(entity) = view.selected.as_deref().and_then(|path| index.entity(path)) else {
        return Vec::new();
    };
    let own = index.points_of(entity).iter();
    let inside = index.children(entity).iter().flat_map(|&child| {
        let kind = index.catalogue.entities.get(child as usize).map(|e| e.kind);
        if kind == Some(EntityKind::Equipment) { index.points_of(child) } else { &[] }
    });
    own.chain(inside)
        .copied()
        .filter(|&p| index.point(p).is_some_and(|info| info.value_type == ValueType::Number))
        .take(MOST)
        .collect()
}

/// Draws everything. Gives back what the person wishes, and how far the middle of what the panels
/// leave is off the middle of the screen, in points.
pub fn twin_ui(root: &mut Ui, input: &Input<'_>, view: &mut View) -> (Vec<Action>, Vec2) {
    let ctx = root.ctx().clone();
    let screen = ctx.content_rect();
    let mut actions = Vec::new();
    theme::wear(&ctx, view.is_dark);
    if let Link::Door { .. } = input.state.link {
        // Who is at the door sees the buildings, and nothing of what happens in them.
        (view.selected, view.draft, view.acknowledging, view.layer) = (None, None, None, None);
        (view.palette, view.undo, view.tour) = (None, None, None);
        // A script that was not applied waits for who wrote it.
        view.plugins.leave();
        bar_ui(&ctx, screen, input, view, &mut actions);
        sign_in_ui(&ctx, input, view, &mut actions);
        return (actions, Vec2::ZERO);
    }
    keys(&ctx, input, view, &mut actions);
    if let Some(index) = input.index() {
        lens_ui(&ctx, input, index, view, &mut actions);
    }
    labels_ui(&ctx, input, view);
    bar_ui(&ctx, screen, input, view, &mut actions);
    if let Some(index) = input.index() {
        controls_ui(&ctx, screen, input, index, view, &mut actions);
        alarms_ui(&ctx, screen, input, view, &mut actions);
        dock_ui(&ctx, screen, input, view, &mut actions);
        pins_ui(&ctx, screen, input, index, view, &mut actions);
        time_ui(&ctx, screen, input, view, &mut actions);
        override_ui(&ctx, input, index, view, &mut actions);
        legend_ui(&ctx, screen, input, index, view, &mut actions);
        lens_legend_ui(&ctx, screen, input, view, &mut actions);
        marks_ui(&ctx, screen, input, view, &mut actions);
        script_ui(&ctx, screen, input, view, &mut actions);
        approve_ui(&ctx, screen, input, view, &mut actions);
        hover_ui(&ctx, input, index, view);
        palette_ui(&ctx, screen, input, index, view, &mut actions);
    }
    help_ui(&ctx, screen, input, view);
    message_ui(&ctx, screen, input, view, &mut actions);
    footer_ui(&ctx, screen, input, view);
    let right = if view.dock.is_open { view.dock.width(screen) + EDGE } else { 0.0 };
    (actions, vec2((LEFT_WIDTH + EDGE - right) * 0.5, BAR_HEIGHT * 0.3))
}

/// A card at a fixed place.
pub fn card_ui(
    ctx: &Context,
    name: &str,
    pivot: Align2,
    at: bevy_egui::egui::Pos2,
    width: f32,
    add: impl FnOnce(&mut Ui),
) {
    Area::new(Id::new(name)).fade_in(false).pivot(pivot).fixed_pos(at).constrain(false).show(ctx, |ui| {
        theme::card().show(ui, |ui| {
            ui.set_width(width);
            add(ui);
        });
    });
}

fn bar_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let width = screen.width() - 2.0 * EDGE - 30.0;
    // Where there is not room for all, what is known anyway goes first.
    let is_narrow = screen.width() < 1100.0;
    card_ui(ctx, "bar", Align2::LEFT_TOP, screen.min + vec2(EDGE, EDGE), width, |ui| {
        ui.horizontal(|ui| {
            if !is_narrow || input.index().is_none() {
                ui.label(RichText::new(texts.t("app-name")).strong().size(16.0).color(accent()));
            }
            if let Some(index) = input.index() {
                ui.label(RichText::new(texts.name(&index.catalogue.names)).size(16.0));
            }
            let state = input.state;
            if input.index().is_some() && !matches!(state.link, Link::Door { .. }) {
                ui.add_space(4.0);
                places_ui(ui, input, view, screen.width() < 1000.0);
            }
            ui.add_space(6.0);
            match &state.link {
                Link::Connecting => theme::badge_ui(ui, &texts.t("link-connecting"), warn()),
                Link::Live if matches!(input.world, World::Rehearsal(_)) => {
                    theme::badge_ui(ui, &texts.t("world-rehearsal"), warn());
                }
                Link::Live if matches!(input.world, World::Past { .. }) => {
                    theme::badge_ui(ui, &texts.t("world-past"), warn());
                }
                Link::Live if state.is_simulated => {
                    theme::badge_ui(ui, &texts.t("world-simulated"), warn());
                }
                Link::Live => {
                    theme::badge_ui(ui, &format!("● {}", texts.t("link-live")), good());
                    if !is_narrow {
                        ui.label(RichText::new(texts.t("world-live")).color(faint()).small());
                    }
                }
                Link::Door { .. } => theme::badge_ui(ui, &texts.t("link-door"), warn()),
                Link::Cut { why, retry_at_s } => {
                    theme::badge_ui(ui, &texts.t("link-stale"), bad());
                    let seconds = format!("{:.0}", (retry_at_s - input.now_s).max(0.0).ceil());
                    let retry = texts.with("link-retry", &[("seconds", &seconds)]);
                    ui.label(RichText::new(retry).color(faint()).small()).on_hover_text(why);
                }
            }
            for link in state.hub.links.iter().filter(|link| !link.connected) {
                let text = texts.with("field-down", &[("name", &link.name)]);
                theme::badge_ui(ui, &text, bad());
            }
            if state.hub.stale_points > 0 {
                let count = state.hub.stale_points.to_string();
                let total = state.hub.points.to_string();
                let text = texts.with("stale-points", &[("count", &count), ("total", &total)]);
                let said = if screen.width() < 900.0 { count } else { text.clone() };
                ui.label(RichText::new(said).color(faint()).small()).on_hover_text(text);
            }
            ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
                for language in Language::ALL.into_iter().rev() {
                    let chosen = language == texts.language();
                    if chosen && is_narrow {
                        continue;
                    }
                    if ui.selectable_label(chosen, language.own_name()).clicked() && !chosen {
                        actions.push(Action::Language(language));
                    }
                }
                ui.add_space(6.0);
                if ui.selectable_label(view.past_open, texts.t("past-title")).clicked() {
                    view.past_open = !view.past_open;
                    if !view.past_open && matches!(input.world, World::Past { .. }) {
                        actions.push(Action::Follow(World::Live));
                    }
                }
                person_ui(ui, input, view, actions);
                if let Some(time) = state.time_us(input.now_s) {
                    ui.add_space(10.0);
                    let format = if is_narrow { "%H:%M:%S" } else { "%Y-%m-%d  %H:%M:%S" };
                    let text = time_text(time, input.timezone(), format);
                    ui.label(RichText::new(text).size(15.0)).on_hover_text(texts.t("clock-local"));
                }
            });
        });
    });
}

/// Who is signed in and as what, and the way out.
fn person_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let Some(me) = &input.state.me else { return };
    let Some(name) = name_of(me) else { return };
    let texts = input.texts;
    ui.add_space(6.0);
    if ui.button(texts.t("sign-out")).clicked() && may_leave(view, Leaving::SignOut) {
        actions.push(Action::SignOut);
    }
    let role = role_text(me.role, texts);
    ui.label(RichText::new(role).color(faint()).small());
    ui.add(TextLabel::new(name).truncate()).on_hover_text(&me.actor);
}

fn controls_ui(
    ctx: &Context,
    screen: Rect,
    input: &Input<'_>,
    index: &Index,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let at = screen.min + vec2(EDGE, EDGE + BAR_HEIGHT + 10.0);
    card_ui(ctx, "controls", Align2::LEFT_TOP, at, LEFT_WIDTH - 30.0, |ui| {
        ui.horizontal(|ui| {
            let text = format!("{}  (Ctrl K)", texts.t("search"));
            let room = vec2(ui.available_width() - 34.0, 26.0);
            let search = Button::new(RichText::new(text).color(faint())).min_size(room);
            if ui.add(search).clicked() {
                view.toggle_palette();
            }
            if theme::named(ui.button("?"), &texts.t("help-title")).clicked() {
                view.help_open = !view.help_open;
            }
        });
        ui.separator();
        // Down to where the alarms begin; on a low screen the whole card scrolls.
        let alarms = if input.state.alarms.is_empty() { 30.0 } else { crate::alarms_ui::height(screen) };
        let height = (screen.bottom() - alarms - 84.0 - ui.cursor().top()).max(66.0);
        let scroll = ScrollArea::vertical().id_salt("controls");
        scroll.max_height(height).min_scrolled_height(height).show(ui, |ui| {
            heading_ui(ui, &texts.t("lenses"));
            lenses_ui(ui, texts, view, actions);
            ui.add_space(2.0);
            heading_ui(ui, &texts.t("colour-by"));
            quantity_ui(ui, input, index, view, actions);
            ui.add_space(2.0);
            heading_ui(ui, &texts.t("storeys"));
            slice_ui(ui, input, index, view, actions);
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                ui.spacing_mut().button_padding.x = 6.0;
                for sight in Sight::ALL {
                    let text = RichText::new(sight.text(texts)).size(12.0);
                    ui.selectable_value(&mut view.sight, sight, text);
                }
            });
            ui.add_space(2.0);
            heading_ui(ui, &texts.t("views"));
            ui.horizontal_wrapped(|ui| {
                for (name, text) in [
                    ("overview", texts.t("view-overview")),
                    ("gate", texts.t("view-gate")),
                    ("river", texts.t("view-river")),
                ] {
                    if ui.button(text).clicked() {
                        actions.push(Action::View(name.into()));
                    }
                }
                if ui.button(texts.t("pane-saved")).clicked() {
                    view.dock.open(Pane::Saved);
                }
            });
            buildings_ui(ui, input, index, view, actions);
        });
    });
}

fn buildings_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, view: &View, actions: &mut Vec<Action>) {
    // Of a district a dozen are in sight: what nobody sees is not laid out.
    let buildings = &input.storeys.buildings;
    let text =
        ui.text_style_height(&bevy_egui::egui::TextStyle::Button) + 2.0 * ui.spacing().button_padding.y;
    let pitch = ui.spacing().interact_size.y.max(text) + ui.spacing().item_spacing.y;
    let above = ((ui.clip_rect().top() - ui.cursor().top()) / pitch).floor().max(0.0) as usize;
    let first = above.min(buildings.len());
    let below = ((ui.clip_rect().bottom() - ui.cursor().top()) / pitch).ceil().max(0.0) as usize;
    let last = below.clamp(first, buildings.len());
    if first > 0 {
        ui.add_space(first as f32 * pitch);
    }
    for building in buildings.get(first..last).unwrap_or_default() {
        let Some(entity) = index.catalogue.entities.get(building.entity as usize) else { continue };
        let chosen = view.selected.as_deref() == Some(&building.path);
        if ui.selectable_label(chosen, input.texts.name(&entity.names)).clicked() {
            actions.push(Action::FlyTo(building.path.clone()));
        }
    }
    if last < buildings.len() {
        ui.add_space((buildings.len() - last) as f32 * pitch);
    }
}

/// A small title over a group.
pub fn heading_ui(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).small().strong().color(faint()));
}

fn quantity_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, view: &View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let quantities = input.rooms.quantities();
    let name =
        |example: u32| index.point(example).map_or_else(String::new, |p| texts.name(&p.names).to_owned());
    let chosen = view
        .quantity
        .as_ref()
        .and_then(|q| quantities.iter().find(|known| known.id == *q))
        .map_or_else(|| texts.t("colour-none"), |q| name(q.example));
    ComboBox::from_id_salt("quantity").selected_text(chosen).width(ui.available_width()).show_ui(ui, |ui| {
        if ui.selectable_label(view.quantity.is_none(), texts.t("colour-none")).clicked() {
            actions.push(Action::Quantity(None));
        }
        for quantity in &quantities {
            let is_chosen = view.quantity.as_ref() == Some(&quantity.id);
            if ui.selectable_label(is_chosen, name(quantity.example)).clicked() {
                actions.push(Action::Quantity(Some(quantity.id.clone())));
            }
        }
    });
}

fn slice_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, view: &View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let name_of = |path: &str| {
        let entity = index.entity(path).and_then(|i| index.catalogue.entities.get(i as usize));
        entity.map_or_else(|| path.to_owned(), |e| texts.name(&e.names).to_owned())
    };
    let chosen = view.slice.building.as_deref().map_or_else(|| texts.t("storeys-all-buildings"), name_of);
    let combo =
        ComboBox::from_id_salt("slice-building").truncate().selected_text(chosen).width(ui.available_width());
    let response = combo.show_ui(ui, |ui| {
        let all = (None, texts.t("storeys-all-buildings"));
        let each = input.storeys.buildings.iter().map(|b| (Some(b.path.clone()), name_of(&b.path)));
        for (building, text) in std::iter::once(all).chain(each) {
            if ui.selectable_label(view.slice.building == building, text).clicked() {
                actions.push(Action::Slice(Slice { building, level: view.slice.level }));
            }
        }
    });
    response.response.on_hover_text(texts.t("storeys-building"));
    let (low, high) = input.storeys.levels(view.slice.building.as_deref());
    // One step above the top is the whole building with its roof.
    let mut at = view.slice.level.map_or(high + 1, |level| level.clamp(low, high));
    let text = if at > high {
        if view.slice.building.is_some() { texts.t("storeys-whole") } else { texts.t("storeys-all") }
    } else if at < 0 {
        format!("B{}", -at)
    } else {
        format!("{}F", at + 1)
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().slider_width = ui.available_width() - 86.0;
        let slider = ui.add(Slider::new(&mut at, low..=high + 1).show_value(false).step_by(1.0));
        theme::said(&slider, &texts.t("storeys"));
        ui.label(text);
        if slider.changed() {
            let level = (at <= high).then_some(at);
            actions.push(Action::Slice(Slice { building: view.slice.building.clone(), level }));
        }
    });
}

/// Whether the time bar lies at the bottom.
pub fn is_time_open(input: &Input<'_>, view: &View) -> bool {
    view.past_open || matches!(input.world, World::Rehearsal(_))
}

/// Where the middle begins, points from the left.
pub fn left_of_middle(screen: Rect) -> f32 {
    screen.left() + LEFT_WIDTH + EDGE
}

/// Where the middle ends.
pub fn right_of_middle(screen: Rect, view: &View) -> f32 {
    screen.right() - if view.dock.is_open { view.dock.width(screen) + EDGE } else { 0.0 }
}

/// The lowest line that the middle's panels stand on: above the time bar where there is one, else above two lines of who
/// made the data.
pub fn foot(screen: Rect, input: &Input<'_>, view: &View) -> f32 {
    screen.bottom() - if is_time_open(input, view) { 148.0 } else { 50.0 }
}

/// Where a legend stands: in the middle of what the panels leave, above the strip.
pub fn legend_place(screen: Rect, input: &Input<'_>, view: &View) -> Pos2 {
    let x = (left_of_middle(screen) + right_of_middle(screen, view)) * 0.5;
    pos2(x, foot(screen, input, view) - view.strip_height())
}

/// How many of a quantity's points have no live value, counted once a second: a district has many.
fn stale_now(
    ui: &Ui,
    quantity: &str,
    input: &Input<'_>,
    points: &std::collections::BTreeMap<u32, u32>,
) -> usize {
    const EVERY_S: f64 = 1.0;
    let id = Id::new(("stale", quantity));
    let kept: Option<(f64, usize, usize)> = ui.data(|data| data.get_temp(id));
    if let Some((at_s, all, stale)) = kept
        && input.now_s - at_s < EVERY_S
        && input.now_s >= at_s
        && all == points.len()
    {
        return stale;
    }
    let stale = points.values().filter(|p| input.state.live_number(**p).is_none()).count();
    ui.data_mut(|data| data.insert_temp(id, (input.now_s, points.len(), stale)));
    stale
}

fn legend_ui(
    ctx: &Context,
    screen: Rect,
    input: &Input<'_>,
    index: &Index,
    view: &View,
    actions: &mut Vec<Action>,
) {
    let (Some(quantity), Some(scale)) = (&view.quantity, view.scale) else { return };
    let Some(points) = input.rooms.of(quantity) else { return };
    let Some(info) = points.values().next().and_then(|p| index.point(*p)) else { return };
    let texts = input.texts;
    let at = legend_place(screen, input, view);
    card_ui(ctx, "legend", Align2::CENTER_BOTTOM, at, 330.0, |ui| {
        let unit = unit_text(&info.unit);
        let name = texts.name(&info.names);
        ui.horizontal(|ui| {
            let title = if unit.is_empty() { name.to_owned() } else { format!("{name}  ({unit})") };
            ui.label(RichText::new(title).strong());
            ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
                if ui.small_button(texts.t("colour-fit")).clicked() {
                    actions.push(Action::FitScale);
                }
            });
        });
        let (rect, _) = ui.allocate_exact_size(vec2(330.0, 14.0), Sense::hover());
        let mut strip = Mesh::default();
        const STEPS: u32 = 48;
        for i in 0..=STEPS {
            let t = i as f32 / STEPS as f32;
            let [r, g, b] = viridis(t).map(|c| (c * 255.0).round() as u8);
            let colour = bevy_egui::egui::Color32::from_rgb(r, g, b);
            strip.colored_vertex(pos2(rect.left() + t * rect.width(), rect.top()), colour);
            strip.colored_vertex(pos2(rect.left() + t * rect.width(), rect.bottom()), colour);
        }
        for i in 0..STEPS {
            strip.add_triangle(2 * i, 2 * i + 1, 2 * i + 2);
            strip.add_triangle(2 * i + 1, 2 * i + 2, 2 * i + 3);
        }
        ui.painter().add(Shape::mesh(strip));
        let (ticks, _) = ui.allocate_exact_size(vec2(330.0, 14.0), Sense::hover());
        for part in 0..=4 {
            let t = part as f32 / 4.0;
            let align = match part {
                0 => Align2::LEFT_TOP,
                4 => Align2::RIGHT_TOP,
                _ => Align2::CENTER_TOP,
            };
            let x = scale.low + (scale.high - scale.low) * f64::from(t);
            let text = number_text(x, Some((scale.high - scale.low) / 40.0));
            let font = FontId::new(11.0, FontFamily::Proportional);
            ui.painter().text(pos2(ticks.left() + t * ticks.width(), ticks.top()), align, text, font, ink());
        }
        let stale = stale_now(ui, quantity, input, points).to_string();
        let count = points.len().to_string();
        let text = texts.with("colour-rooms", &[("count", &count), ("stale", &stale)]);
        ui.label(RichText::new(text).small().color(faint()));
    });
}

/// What has to be said large: no link, no scene, an answer of the hub.
fn message_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    const SHOWN_S: f64 = 6.0;
    let texts = input.texts;
    let mut lines: Vec<(String, bevy_egui::egui::Color32)> = Vec::new();
    if let Link::Cut { why, .. } = &input.state.link {
        lines.push((texts.with("link-cut", &[("why", why)]), bad()));
    }
    if let Some(why) = input.scene_problem {
        lines.push((texts.with("notice-error", &[("why", why)]), bad()));
    } else if !input.is_scene_here {
        lines.push((texts.t("loading-scene"), faint()));
    }
    for notice in input.state.notices.iter().filter(|n| input.now_s - n.at_s < SHOWN_S) {
        lines.push(match &notice.why {
            None => (view.said.clone().unwrap_or_else(|| texts.t("notice-done")), good()),
            Some(why) => (texts.with("notice-rejected", &[("why", why)]), bad()),
        });
    }
    view.undo.take_if(|undo| input.now_s - undo.at_s > UNDO_S);
    if lines.is_empty() && view.undo.is_none() {
        return;
    }
    let at = pos2(screen.center().x, screen.top() + EDGE + BAR_HEIGHT + 14.0);
    Area::new(Id::new("messages"))
        .fade_in(false)
        .order(Order::Foreground)
        .pivot(Align2::CENTER_TOP)
        .fixed_pos(at)
        .show(ctx, |ui| {
            theme::card().show(ui, |ui| {
                ui.set_max_width(460.0);
                for (text, colour) in lines {
                    ui.label(RichText::new(text).color(colour));
                }
                if view.undo.is_some() && ui.button(texts.t("undo")).clicked() {
                    actions.push(Action::Undo);
                }
            });
        });
}

/// What is under the pointer, with the first of its values: without a click.
fn hover_ui(ctx: &Context, input: &Input<'_>, index: &Index, view: &View) {
    const MOST: usize = 4;
    if view.panel_has_pointer || view.selected == view.hovered {
        return;
    }
    let Some(entity) = view.hovered.as_deref().and_then(|path| index.entity(path)) else { return };
    let (Some(info), Some(at)) = (index.catalogue.entities.get(entity as usize), ctx.pointer_latest_pos())
    else {
        return;
    };
    let texts = input.texts;
    Area::new(Id::new("hover"))
        .fade_in(false)
        .order(Order::Tooltip)
        .fixed_pos(at + vec2(16.0, 12.0))
        .interactable(false)
        .show(ctx, |ui| {
            let frame = theme::card().inner_margin(Margin::symmetric(9, 6));
            frame.show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(RichText::new(texts.name(&info.names)).strong());
                // What colours the rooms is asked about first.
                let coloured = view.quantity.as_deref().and_then(|q| input.rooms.of(q)?.get(&entity));
                let own = index.points_of(entity).iter().filter(|p| Some(*p) != coloured);
                for point in coloured.into_iter().chain(own).take(MOST) {
                    let (Some(value), Some(info)) = (input.state.value(*point), index.point(*point)) else {
                        continue;
                    };
                    ui.horizontal(|ui| {
                        let quality = input.state.quality(value);
                        let (dot, _) = ui.allocate_exact_size(vec2(7.0, 14.0), Sense::hover());
                        ui.painter().circle_filled(dot.center(), 3.0, theme::quality_colour(quality));
                        ui.label(RichText::new(texts.name(&info.names)).small().color(faint()));
                        ui.label(RichText::new(value_text(&value.value, info, texts)).small().strong());
                    });
                }
            });
        });
}

fn footer_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &View) {
    let painter = ctx.layer_painter(LayerId::background());
    let font = FontId::new(11.0, FontFamily::Proportional);
    let lines = input.index().map(|i| i.catalogue.attribution.as_slice()).unwrap_or_default();
    let attribution = lines.iter().map(|line| input.texts.name(line)).collect::<Vec<_>>().join("   ·   ");
    let keys = input.texts.t("help-keys");
    // The time bar lies above it, and with that the panel at the right.
    let right =
        if view.dock.is_open && !is_time_open(input, view) { view.dock.width(screen) + EDGE } else { 0.0 };
    let x = (screen.left() + LEFT_WIDTH + screen.right() - right) * 0.5;
    let room = screen.width() - LEFT_WIDTH - right - 40.0;
    let at = pos2(x, screen.bottom() - 9.0);
    // Where there is not room for all, who made the data has to be said, in several lines if need be; the keys can be
    // tried.
    let both = format!("{keys}   ·   {attribution}");
    let texts = if attribution.is_empty() { vec![keys] } else { vec![both, attribution.clone()] };
    let galley = texts
        .into_iter()
        .map(|text| painter.layout_no_wrap(text, font.clone(), ink()))
        .find(|galley| galley.size().x <= room);
    let wrapped = || painter.layout(attribution.clone(), font.clone(), ink(), room.max(120.0));
    let Some(galley) = galley.or_else(|| (!attribution.is_empty()).then(wrapped)) else { return };
    let rect = Align2::CENTER_BOTTOM.anchor_size(at, galley.size());
    let back = theme::veil();
    painter.rect_filled(rect.expand2(vec2(10.0, 3.0)), CornerRadius::same(8), back);
    painter.galley(rect.min, galley, ink());
}

fn labels_ui(ctx: &Context, input: &Input<'_>, view: &View) {
    let painter = ctx.layer_painter(LayerId::background());
    let heads = |label: &Label| pos2(label.at.x, label.at.y) - vec2(0.0, theme::PIN_HEIGHT);
    let is_pin = |label: &&Label| label.kind != LabelKind::Building;
    let pins = input
        .labels
        .iter()
        .filter(is_pin)
        .map(|label| Rect::from_center_size(heads(label), vec2(26.0, 26.0)));
    let mut taken: Vec<Rect> = pins.chain(covered(&painter, input)).collect();
    // What is meant comes first, then what is near.
    let mut names: Vec<&Label> = input.labels.iter().filter(|label| !is_pin(label)).collect();
    let is_meant = |label: &Label| {
        [&view.selected, &view.hovered].into_iter().any(|path| path.as_deref() == Some(label.path.as_str()))
    };
    names.sort_by(|a, b| is_meant(b).cmp(&is_meant(a)).then(a.distance_m.total_cmp(&b.distance_m)));
    for label in names {
        let strength = if is_meant(label) { 1.0 } else { views::strength(label.distance_m) };
        let is_on_screen = ctx.content_rect().expand(200.0).contains(pos2(label.at.x, label.at.y));
        if strength <= 0.0 || !is_on_screen {
            continue;
        }
        let font = FontId::new(13.0, FontFamily::Proportional);
        let galley = painter.layout_no_wrap(label.text.clone(), font, ink());
        let at = pos2(label.at.x, label.at.y);
        let size = galley.size() + vec2(14.0, 6.0);
        let Some(rect) = room_for(at, size, &taken, is_meant(label)) else { continue };
        taken.push(rect);
        if rect.bottom() < at.y - 8.0 {
            let line = Stroke::new(1.0, ink().gamma_multiply(0.5 * strength));
            painter.line_segment([pos2(at.x, rect.bottom()), at], line);
        }
        painter.rect_filled(rect, CornerRadius::same(6), theme::veil().gamma_multiply(strength));
        painter.galley_with_override_text_color(
            rect.min + vec2(7.0, 3.0),
            galley,
            ink().gamma_multiply(strength),
        );
    }
    for label in input.labels {
        let at = pos2(label.at.x, label.at.y);
        let head = heads(label);
        match label.kind {
            LabelKind::Building => {}
            LabelKind::Mark { tone } => {
                let colour = theme::mark_colour(tone);
                painter.line_segment([head, at], Stroke::new(2.0, colour));
                painter.circle(head, 8.0, colour, Stroke::new(2.0, bevy_egui::egui::Color32::WHITE));
            }
            LabelKind::Alarm { is_new } => {
                let colour = if is_new { bad() } else { warn() };
                painter.line_segment([head, at], Stroke::new(2.0, colour));
                painter.circle_filled(at, 2.5, colour);
                painter.circle(head, 10.0, colour, Stroke::new(2.0, bevy_egui::egui::Color32::WHITE));
                let font = FontId::new(14.0, FontFamily::Proportional);
                painter.text(head, Align2::CENTER_CENTER, "!", font, bevy_egui::egui::Color32::WHITE);
            }
        }
    }
}

/// Where a name fits that belongs above a place: there, or some way up where others lie; nowhere where all is taken,
/// unless it has to be seen.
fn room_for(at: Pos2, size: bevy_egui::egui::Vec2, taken: &[Rect], must: bool) -> Option<Rect> {
    const STEPS: [f32; 4] = [0.0, 26.0, 52.0, 78.0];
    let up = |step: f32| Align2::CENTER_BOTTOM.anchor_size(at - vec2(0.0, step), size);
    let free = STEPS.into_iter().map(up).find(|rect| !taken.iter().any(|other| other.intersects(*rect)));
    free.or_else(|| must.then(|| up(0.0)))
}

#[cfg(test)]
mod tests {
    use campanile_protocol::people::{Me, Role, Secret};
    use campanile_protocol::{AlarmPriority, AlarmState, CommandInfo, ServerMessage};

    use super::*;
    use crate::person::Person;
    use crate::place::WorkPlace;
    use crate::state::tests::{alarm, catalogue, live_state};
    use crate::state::{Asked, Event, Why};

    #[test]
    fn a_name_keeps_out_of_others_way() {
        let size = vec2(80.0, 20.0);
        let at = pos2(100.0, 200.0);
        let first = room_for(at, size, &[], false).unwrap();
        assert_eq!((first.bottom(), first.center().x), (200.0, 100.0));
        let second = room_for(at + vec2(30.0, 0.0), size, &[first], false).unwrap();
        assert!(second.bottom() < first.top() && !second.intersects(first), "{second:?}");
        let all = Rect::from_center_size(at, vec2(400.0, 400.0));
        assert_eq!(room_for(at, size, &[all], false), None);
        assert_eq!(room_for(at, size, &[all], true), Some(first), "what is meant is seen");
    }

    fn chosen(path: &str) -> View {
        let mut view = View::default();
        view.select(Some(path.into()));
        view
    }

    /// All texts that a pass over the panels draws.
    fn texts_of(state: State, view: View, language: Language) -> (String, Vec<Action>) {
        let person = Person::at(state, view, language, [1600.0, 900.0]);
        let texts: Vec<&str> = person.seen.iter().map(|seen| seen.text.as_str()).collect();
        (texts.join("\n"), person.wishes)
    }

    #[test]
    fn the_panel_shows_value_unit_age_and_quality() {
        let view = || chosen("a/1f/101");
        let (english, actions) = texts_of(live_state(), view(), Language::English);
        for expected in ["Test School", "CO₂", "800 ppm", "Good", "Live", "No alarms in force", "a/1f/101"]
        {
            assert!(english.contains(expected), "{expected} is missing in:\n{english}");
        }
        assert!(actions.is_empty(), "looking changes nothing");
        let (chinese, _) = texts_of(live_state(), view(), Language::Chinese);
        for expected in ["试验学校", "二氧化碳", "良好", "实时", "当前没有报警"] {
            assert!(chinese.contains(expected), "{expected} is missing in:\n{chinese}");
        }
    }

    #[test]
    fn a_cut_link_is_said_and_values_turn_stale() {
        let mut state = live_state();
        state.apply(Event::Cut { why: "no route".into(), retry_s: 4.0 }, 0.0);
        let view = chosen("a/1f/101");
        let (text, _) = texts_of(state, view, Language::English);
        for expected in ["Connection lost: no route", "Trying again in 3 s", "Stale"] {
            assert!(text.contains(expected), "{expected} is missing in:\n{text}");
        }
        assert!(!text.contains("Good"));
    }

    #[test]
    fn alarms_and_the_override_dialog_are_drawn() {
        let mut state = live_state();
        let mut catalogue = catalogue();
        catalogue.points[0].command = Some(CommandInfo {
            limits: Some([400.0, 2000.0]),
            min_interval_s: 1.0,
            safe: JsonValue::Number(400.0),
            readback: None,
            weakest_priority: None,
        });
        let draft = Draft::new(0, &catalogue.points[0], None);
        state.apply(Event::Catalogue(Box::new(catalogue)), 0.0);
        state.apply(Event::Message(ServerMessage::Welcome { actor: "x".into(), can_operate: true }), 0.0);
        let alarms = vec![alarm("x", AlarmPriority::High, AlarmState::Unacknowledged, 0)];
        state.apply(Event::Message(ServerMessage::AlarmList { alarms }), 0.0);
        let view = View { draft: Some(draft), ..chosen("a/1f/101") };
        let (text, _) = texts_of(state, view, Language::English);
        for expected in
            ["Too high", "High", "Acknowledge", "Override", "From 400 to 2000", "8 · Operator", "Send"]
        {
            assert!(text.contains(expected), "{expected} is missing in:\n{text}");
        }
    }

    fn at_the_door(what: Asked, why: Why) -> State {
        let mut state = live_state();
        state.apply(Event::Asked { what, why }, 0.0);
        state
    }

    #[test]
    fn at_the_door_a_person_signs_in_by_account_or_class_code_in_both_languages() {
        for (language, words) in [
            (Language::English, ["Account", "Name", "Password", "Class code", "Nickname", "Sign in"]),
            (Language::Chinese, ["账户", "用户名", "密码", "班级码", "昵称", "登录"]),
        ] {
            let [_, name, password, class, nickname, title] = words;
            let why = Why::Said("wrong".into());
            let mut person = Person::before(at_the_door(Asked::Person, why), language);
            for word in [&words[..4], &[title, "wrong"]].concat() {
                assert!(person.sees(word), "{word} is missing in {:?}", person.seen);
            }
            assert!(!person.sees("800 ppm") && !person.sees("CO₂"), "what happens inside is not shown");
            person.type_into(name, "anna");
            person.enter();
            assert!(person.wishes.is_empty(), "the password is missing");
            person.type_into(password, "four words");
            assert!(!person.sees("four words"), "it does not show");
            person.enter();
            let password = Secret::new("four words");
            let account = Credentials::Account { name: "anna".into(), password };
            assert_eq!(std::mem::take(&mut person.wishes), [Action::SignIn(account)]);

            let tab = person.place(class).center();
            person.click(tab);
            person.type_into(class, "abcde-fghij");
            person.type_into(nickname, "小明");
            person.enter();
            let code = Secret::new("abcde-fghij");
            let student = Credentials::Class { code, nickname: "小明".into() };
            assert_eq!(person.wishes, [Action::SignIn(student)]);
        }
    }

    #[test]
    fn a_password_of_ones_own_is_typed_twice_alike() {
        for (language, [new, again, differs]) in [
            (Language::English, ["New password", "Once more", "The two are not the same"]),
            (Language::Chinese, ["新密码", "再输一次", "两次输入不一致"]),
        ] {
            let mut person = Person::before(at_the_door(Asked::OwnPassword, Why::First), language);
            person.type_into(new, "four words of anna");
            person.type_into(again, "four words");
            person.enter();
            person.pass(Vec::new());
            assert!(person.sees(differs) && person.wishes.is_empty(), "{:?}", person.seen);
            person.type_into(again, " of anna");
            person.enter();
            let password = Secret::new("four words of anna");
            assert_eq!(person.wishes, [Action::SignIn(Credentials::OwnPassword(password))]);
        }
    }

    #[test]
    fn who_is_in_is_said_and_may_do_what_their_role_may() {
        let me = |role, name: &str| Me {
            actor: format!("person:{name}"),
            role,
            nickname: None,
            must_change_password: false,
        };
        let alarms = vec![alarm("x", AlarmPriority::High, AlarmState::Shelved, 0)];
        let mut state = live_state();
        state.apply(Event::Known(Box::new(me(Role::Viewer, "anna"))), 0.0);
        state.apply(Event::Message(ServerMessage::AlarmList { alarms }), 0.0);
        let mut person = Person::before(state, Language::English);
        assert!(person.sees("anna") && person.sees("viewer"), "{:?}", person.seen);
        let unshelve = person.place("Unshelve").center();
        person.click(unshelve);
        assert!(person.wishes.is_empty(), "a viewer may not");
        let way_out = person.place("Sign out").center();
        person.click(way_out);
        assert_eq!(std::mem::take(&mut person.wishes), [Action::SignOut]);
        let welcome = ServerMessage::Welcome { actor: "person:anna".into(), can_operate: true };
        person.state.apply(Event::Message(welcome), 0.0);
        person.pass(Vec::new());
        person.click(unshelve);
        assert_eq!(person.wishes, [Action::Unshelve { alarm: "x".into() }]);
        person.state.apply(Event::Known(Box::new(me(Role::Admin, "local"))), 0.0);
        person.pass(Vec::new());
        assert!(!person.sees("Sign out"), "where no sign-in is asked there is nobody to sign out");
    }

    #[test]
    fn an_alarm_of_a_plugin_says_which_and_what() {
        use crate::plugins::PluginNews;
        use campanile_protocol::Names;
        let alarms = || {
            let mut alarm =
                alarm("plugin/water-guard#leak@a/1f", AlarmPriority::High, AlarmState::Unacknowledged, 0);
            alarm.detail =
                Some(Names::new("支管 A 夜间每小时漏水 120 升", "Branch A loses 120 l/h at night"));
            vec![alarm]
        };
        for (language, words) in [
            (
                Language::English,
                ["Branch A loses 120 l/h at night", "Plugin: water-guard", "Plugin: The water-guard"],
            ),
            (
                Language::Chinese,
                ["支管 A 夜间每小时漏水 120 升", "插件：water-guard", "插件：water-guard 中"],
            ),
        ] {
            let mut state = live_state();
            state.apply(Event::Message(ServerMessage::AlarmList { alarms: alarms() }), 0.0);
            let mut person = Person::before(state, language);
            assert!(person.sees(words[0]) && person.sees(words[1]), "{:?}", person.all());
            let list = vec![crate::plugins::tests::plugin("water-guard", "rule")];
            person.state.apply(Event::Plugin(PluginNews::List(Ok(list))), 0.0);
            person.look();
            assert!(person.sees(words[2]), "{:?}", person.all());
            assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
        }
    }

    #[test]
    fn the_bar_has_room_for_all_on_small_screens() {
        for language in Language::ALL {
            for (size, page) in [([1024.0, 640.0], None), ([800.0, 600.0], Some(WorkPlace::Build))] {
                let mut state = live_state();
                let me = Me {
                    actor: "person:anna".into(),
                    role: Role::Manager,
                    nickname: None,
                    must_change_password: false,
                };
                state.apply(Event::Known(Box::new(me)), 0.0);
                state.hub.stale_points = 12;
                state.hub.points = 1234;
                let dock = page.map(Dock::at).unwrap_or_default();
                let view = View { dock, ..View::default() };
                let person = Person::at(state, view, language, size);
                assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
                let bar: Vec<Rect> =
                    person.seen.iter().map(|seen| seen.rect).filter(|rect| rect.bottom() < 58.0).collect();
                for (i, a) in bar.iter().enumerate() {
                    let over = bar[..i].iter().find(|b| a.shrink(1.0).intersects(**b));
                    assert!(over.is_none(), "{a} lies over {over:?} in {:?}", person.all());
                }
            }
        }
    }

    #[test]
    fn before_the_hub_has_spoken_the_twin_says_so() {
        let (text, _) = texts_of(State::default(), View::default(), Language::English);
        assert!(text.contains("Connecting"), "{text}");
    }
}
