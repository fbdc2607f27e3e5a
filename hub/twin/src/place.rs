//! Work places: Monitor, Drill, Learn and Build, each with panes at the right that a person arranges.

use std::collections::BTreeMap;

use bevy_egui::egui::{
    Align2, Area, Context, CursorIcon, Id, Rect, RichText, Sense, Stroke, StrokeKind, Ui, UiBuilder, Visuals,
    WidgetText, pos2, vec2,
};
use egui_tiles::{Behavior, SimplificationOptions, TabState, Tile, TileId, Tiles, Tree, UiResponse};
use serde::{Deserialize, Serialize};

use crate::alarms_ui::alarms_pane_ui;
use crate::charts_ui::charts_ui;
use crate::details_ui::details_ui;
use crate::drill_ui::drill_ui;
use crate::flows_ui::flows_ui;
use crate::locale::Texts;
use crate::plugins_ui::{is_staff, learn_ui, plugins_ui};
use crate::saved_ui::saved_ui;
use crate::theme;
use crate::ui::{Action, BAR_HEIGHT, EDGE, Input, View, is_time_open};

/// What a person is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkPlace {
    /// Watching and running the campus.
    #[default]
    Monitor,
    /// Emergency drills.
    Drill,
    /// What students and classes explore.
    Learn,
    /// Plugins: what they may do, how they are, scripts.
    Build,
}

impl WorkPlace {
    /// All, in the order of the bar.
    pub const ALL: [WorkPlace; 4] = [Self::Monitor, Self::Drill, Self::Learn, Self::Build];

    /// Its name in links and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Drill => "drill",
            Self::Learn => "learn",
            Self::Build => "build",
        }
    }

    /// The one with this name.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.id() == id)
    }

    /// Its name for people.
    pub fn text(self, texts: &Texts) -> String {
        match self {
            Self::Monitor => texts.t("place-monitor"),
            Self::Drill => texts.t("place-drill"),
            Self::Learn => texts.t("place-learn"),
            Self::Build => texts.t("place-build"),
        }
    }

    /// The panes that it begins with, what it is for first.
    fn panes(self) -> &'static [Pane] {
        match self {
            Self::Monitor => &[Pane::Details, Pane::Charts, Pane::Energy, Pane::Water, Pane::Alarms],
            Self::Drill => &[Pane::Drill, Pane::Details, Pane::Charts],
            Self::Learn => &[Pane::Learn, Pane::Details, Pane::Charts, Pane::Energy, Pane::Water],
            Self::Build => &[Pane::Plugins, Pane::Details, Pane::Charts],
        }
    }
}

/// What can stand at the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    /// What is chosen, with its points.
    Details,
    /// Points over time.
    Charts,
    /// Where electricity flows.
    Energy,
    /// Where water flows.
    Water,
    /// Alarms in force.
    Alarms,
    /// The drill.
    Drill,
    /// What activities show.
    Learn,
    /// Plugins.
    Plugins,
    /// Saved views and tours.
    Saved,
}

impl Pane {
    /// All of them.
    pub const ALL: [Pane; 9] = [
        Self::Details,
        Self::Charts,
        Self::Energy,
        Self::Water,
        Self::Alarms,
        Self::Drill,
        Self::Learn,
        Self::Plugins,
        Self::Saved,
    ];

    /// The one with this name on the command line.
    // For pictures and tests.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub fn of(id: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(id.to_owned())).ok()
    }

    /// Its name for people.
    pub fn text(self, texts: &Texts) -> String {
        match self {
            Self::Details => texts.t("pane-details"),
            Self::Charts => texts.t("pane-charts"),
            Self::Energy => texts.t("pane-energy"),
            Self::Water => texts.t("pane-water"),
            Self::Alarms => texts.t("alarms"),
            Self::Drill => texts.t("drill-title"),
            Self::Learn => texts.t("plugins-learn"),
            Self::Plugins => texts.t("plugins-title"),
            Self::Saved => texts.t("pane-saved"),
        }
    }
}

/// The narrowest and the widest that the dock gets, points.
const WIDTHS: [f32; 2] = [320.0, 900.0];
const USUAL_WIDTH: f32 = 372.0;

/// The panes at the right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dock {
    /// The work place that is open.
    pub place: WorkPlace,
    /// Whether the panes are shown.
    pub is_open: bool,
    /// How wide they are, points.
    width: f32,
    /// How each work place is arranged; what is missing is as it begins.
    trees: BTreeMap<WorkPlace, Tree<Pane>>,
    /// What was seen before something was chosen, to go back to.
    #[serde(skip)]
    before: Option<Option<Pane>>,
    /// Whether the tree is being drawn, and what is to be opened then.
    #[serde(skip)]
    lent: bool,
    #[serde(skip)]
    later: Vec<Pane>,
    #[serde(skip)]
    is_reset: bool,
}

impl Default for Dock {
    fn default() -> Self {
        Self {
            place: WorkPlace::default(),
            is_open: false,
            width: USUAL_WIDTH,
            trees: BTreeMap::new(),
            before: None,
            lent: false,
            later: Vec::new(),
            is_reset: false,
        }
    }
}

impl Dock {
    /// A dock at a work place, open.
    // For pictures and tests.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub fn at(place: WorkPlace) -> Self {
        Self { place, is_open: true, ..Self::default() }
    }

    /// Goes to a work place. Monitor begins without panes, so that the campus is seen; where one is already, its panes are
    /// shown or put away.
    pub fn go(&mut self, place: WorkPlace) {
        self.is_open = if self.place == place { !self.is_open } else { place != WorkPlace::Monitor };
        self.place = place;
        self.before = None;
    }

    /// Begins the arrangement of this work place anew.
    pub fn reset(&mut self) {
        self.trees.remove(&self.place);
        self.width = USUAL_WIDTH;
    }

    fn tree(&mut self) -> &mut Tree<Pane> {
        let place = self.place;
        self.trees
            .entry(place)
            .or_insert_with(|| Tree::new_tabs(Id::new(("dock", place.id())), place.panes().to_vec()))
    }

    /// Shows a pane, and puts it there where it is missing.
    pub fn open(&mut self, pane: Pane) {
        self.is_open = true;
        if self.lent {
            self.later.push(pane);
            return;
        }
        let tree = self.tree();
        let is_it = |_: TileId, tile: &Tile<Pane>| matches!(tile, Tile::Pane(found) if *found == pane);
        if tree.make_active(is_it) {
            return;
        }
        if tree.tiles.tiles().any(|tile| matches!(tile, Tile::Pane(found) if *found == pane)) {
            // It is there, beside others and not behind a tab.
            return;
        }
        let new = tree.tiles.insert_pane(pane);
        match tree.root().filter(|root| matches!(tree.tiles.get(*root), Some(Tile::Container(_)))) {
            Some(root) => tree.move_tile_to_container(new, root, usize::MAX, false),
            None => {
                let old = tree.root();
                tree.root = Some(tree.tiles.insert_tab_tile(old.into_iter().chain([new]).collect()));
            }
        }
        tree.make_active(|_, tile| matches!(tile, Tile::Pane(found) if *found == pane));
    }

    /// The panes that are seen.
    pub fn seen(&self) -> Vec<Pane> {
        if !self.is_open {
            return Vec::new();
        }
        match self.trees.get(&self.place) {
            Some(tree) => {
                let active = tree.active_tiles();
                let pane = |id: &TileId| match tree.tiles.get(*id) {
                    Some(Tile::Pane(pane)) => Some(*pane),
                    _ => None,
                };
                active.iter().filter_map(pane).collect()
            }
            None => self.place.panes().first().copied().into_iter().collect(),
        }
    }

    /// Whether a pane is seen.
    pub fn shows(&self, pane: Pane) -> bool {
        self.seen().contains(&pane)
    }

    /// Something was chosen: its details are shown until it is let go.
    pub fn choose(&mut self) {
        if self.shows(Pane::Details) {
            return;
        }
        let before = self.seen().first().copied();
        if self.before.is_none() {
            self.before = Some(before);
        }
        self.open(Pane::Details);
    }

    /// What was chosen is let go: what was seen before is seen again.
    pub fn let_go(&mut self) {
        match self.before.take() {
            Some(Some(pane)) if self.shows(Pane::Details) => self.open(pane),
            Some(None) if self.seen() == [Pane::Details] => self.is_open = false,
            None if self.place == WorkPlace::Monitor && self.seen() == [Pane::Details] => {
                self.is_open = false
            }
            _ => {}
        }
    }

    /// How much of the screen's width the panes take, points.
    pub fn width(&self, screen: Rect) -> f32 {
        if self.is_open { self.width.clamp(WIDTHS[0], (screen.width() * 0.6).max(WIDTHS[0])) } else { 0.0 }
    }
}

/// Draws what a pane holds.
struct Hand<'a> {
    input: &'a Input<'a>,
    view: &'a mut View,
    actions: &'a mut Vec<Action>,
    panes: usize,
}

impl Behavior<Pane> for Hand<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        let room = ui.max_rect().shrink2(vec2(2.0, 0.0));
        let room = room.with_min_y(room.top() + 8.0);
        ui.scope_builder(UiBuilder::new().max_rect(room).id_salt(*pane), |ui| {
            ui.set_clip_rect(ui.clip_rect().intersect(room.expand2(vec2(2.0, 0.0))));
            let (input, view, actions) = (self.input, &mut *self.view, &mut *self.actions);
            let Some(index) = input.index() else { return };
            match pane {
                Pane::Details => details_ui(ui, input, index, view, actions),
                Pane::Charts => charts_ui(ui, input, index, view, actions),
                Pane::Energy => flows_ui(ui, input, index, view, actions, crate::flows::Flowing::Energy),
                Pane::Water => flows_ui(ui, input, index, view, actions, crate::flows::Flowing::Water),
                Pane::Alarms => alarms_pane_ui(ui, input, view, actions),
                Pane::Drill => drill_ui(ui, input, view, actions),
                Pane::Learn => learn_ui(ui, input, view, actions),
                Pane::Plugins => plugins_ui(ui, input, view, actions),
                Pane::Saved => saved_ui(ui, input, view, actions),
            }
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        RichText::new(pane.text(self.input.texts)).size(13.0).into()
    }

    fn tab_hover_cursor_icon(&self) -> CursorIcon {
        CursorIcon::PointingHand
    }

    fn is_tab_closable(&self, _: &Tiles<Pane>, _: TileId) -> bool {
        false
    }

    fn top_bar_right_ui(
        &mut self,
        _: &Tiles<Pane>,
        ui: &mut Ui,
        _: TileId,
        _: &egui_tiles::Tabs,
        _: &mut f32,
    ) {
        let more = ui.menu_button("+", |ui| panes_menu_ui(ui, self.input, self.view));
        theme::named(more.response, &self.input.texts.t("panes-title"));
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }

    fn tab_bar_height(&self, _: &bevy_egui::egui::Style) -> f32 {
        28.0
    }

    fn gap_width(&self, _: &bevy_egui::egui::Style) -> f32 {
        6.0
    }

    fn tab_title_spacing(&self, _: &Visuals) -> f32 {
        if self.panes > 4 { 6.0 } else { 9.0 }
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> bevy_egui::egui::Color32 {
        visuals.panel_fill
    }

    fn tab_bg_color(
        &self,
        visuals: &Visuals,
        _: &Tiles<Pane>,
        _: TileId,
        state: &TabState,
    ) -> bevy_egui::egui::Color32 {
        if state.active { visuals.selection.bg_fill } else { visuals.panel_fill }
    }

    fn tab_outline_stroke(&self, _: &Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(
        &self,
        _: &Visuals,
        _: &Tiles<Pane>,
        _: TileId,
        state: &TabState,
    ) -> bevy_egui::egui::Color32 {
        if state.active { theme::accent() } else { theme::ink() }
    }
}

/// Draws the panes at the right.
pub fn dock_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    if !view.dock.is_open {
        return;
    }
    let width = view.dock.width(screen);
    let top = screen.top() + EDGE + BAR_HEIGHT + 10.0;
    let below = if is_time_open(input, view) { 148.0 } else { 34.0 };
    let rect = Rect::from_min_max(
        pos2(screen.right() - EDGE - width, top),
        pos2(screen.right() - EDGE, (screen.bottom() - below).max(top + 200.0)),
    );
    Area::new(Id::new("dock"))
        .fade_in(false)
        .pivot(Align2::LEFT_TOP)
        .fixed_pos(rect.min)
        .constrain(false)
        .show(ctx, |ui| {
            let frame = theme::card().inner_margin(bevy_egui::egui::Margin::symmetric(8, 6));
            frame.show(ui, |ui| {
                ui.set_width(rect.width() - 18.0);
                ui.set_height(rect.height() - 14.0);
                // The tree is out of the view while its panes change the view.
                let place = view.dock.place;
                view.dock.tree();
                let Some(mut tree) = view.dock.trees.remove(&place) else { return };
                let panes = tree.tiles.tiles().filter(|tile| tile.is_pane()).count();
                view.dock.lent = true;
                let mut hand = Hand { input, view, actions, panes };
                tree.ui(&mut hand, ui);
                view.dock.lent = false;
                view.dock.trees.insert(place, tree);
                let later = std::mem::take(&mut view.dock.later);
                later.into_iter().for_each(|pane| view.dock.open(pane));
                if std::mem::take(&mut view.dock.is_reset) {
                    view.dock.reset();
                }
            });
        });
    edge_ui(ctx, rect, view);
}

/// The edge at the left, which a drag moves.
fn edge_ui(ctx: &Context, rect: Rect, view: &mut View) {
    let strip = Rect::from_min_max(
        pos2(rect.left() - 5.0, rect.top() + 12.0),
        pos2(rect.left() + 4.0, rect.bottom() - 12.0),
    );
    Area::new(Id::new("dock-edge")).fade_in(false).fixed_pos(strip.min).constrain(false).show(ctx, |ui| {
        let (place, response) = ui.allocate_exact_size(strip.size(), Sense::drag());
        let response = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
        if response.dragged() {
            view.dock.width = (view.dock.width - response.drag_delta().x).clamp(WIDTHS[0], WIDTHS[1]);
        }
        if response.hovered() || response.dragged() {
            let line = Rect::from_center_size(place.center(), vec2(3.0, place.height()));
            ui.painter().rect(line, 2.0, theme::accent(), Stroke::NONE, StrokeKind::Inside);
        }
    });
}

/// The work places in the bar; where it is narrow, behind the name of the one that is open.
pub fn places_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, is_narrow: bool) {
    if is_narrow {
        let here = RichText::new(view.dock.place.text(input.texts)).strong();
        ui.menu_button(here, |ui| places_ui(ui, input, view, false));
        return;
    }
    for place in WorkPlace::ALL {
        // Who only looks has nothing to do where plugins are run.
        if place == WorkPlace::Build && !is_staff(input) {
            continue;
        }
        let is_here = view.dock.place == place;
        let text = RichText::new(place.text(input.texts)).strong();
        if ui.selectable_label(is_here, text).clicked() {
            view.dock.go(place);
        }
    }
}

/// Which panes there are, to show or add.
fn panes_menu_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View) {
    for pane in Pane::ALL {
        if ui.button(pane.text(input.texts)).clicked() {
            view.dock.open(pane);
            ui.close();
        }
    }
    ui.separator();
    if ui.button(input.texts.t("panes-reset")).clicked() {
        view.dock.is_reset = true;
        ui.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choosing_shows_details_and_letting_go_what_was_before() {
        let mut dock = Dock::default();
        assert_eq!(dock.seen(), []);
        dock.choose();
        assert_eq!(dock.seen(), [Pane::Details]);
        dock.let_go();
        assert_eq!(dock.seen(), [], "the campus is seen again");
        dock.go(WorkPlace::Drill);
        assert_eq!(dock.seen(), [Pane::Drill]);
        dock.choose();
        dock.choose();
        assert_eq!(dock.seen(), [Pane::Details]);
        dock.let_go();
        assert_eq!(dock.seen(), [Pane::Drill]);
        dock.go(WorkPlace::Drill);
        assert!(!dock.is_open, "pressed again, it makes room");
    }

    #[test]
    fn every_pane_can_be_opened_in_every_place_and_is_kept() {
        for place in WorkPlace::ALL {
            let mut dock = Dock::at(place);
            for pane in Pane::ALL {
                dock.open(pane);
                assert!(dock.shows(pane), "{place:?} {pane:?}");
            }
            let kept: Dock = serde_json::from_str(&serde_json::to_string(&dock).unwrap()).unwrap();
            assert_eq!(kept.seen(), dock.seen());
            dock.reset();
            assert_eq!(dock.seen(), place.panes()[..1]);
        }
        assert_eq!(WorkPlace::of("learn"), Some(WorkPlace::Learn));
        assert_eq!(WorkPlace::of("cellar"), None);
    }
}
