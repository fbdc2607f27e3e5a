//! The Plugins page: what plugins show to people, Learn before all; and for who answers for the campus what each may do,
//! how it is, its settings, versions, log and script.

use std::collections::BTreeMap;

use bevy_egui::egui::{
    Align2, Button, CollapsingHeader, Color32, CornerRadius, FontFamily, FontId, Id, Rect, RichText,
    ScrollArea, Sense, TextEdit, TextureHandle, TextureOptions, Ui, pos2, vec2,
};
use campanile_protocol::people::Role;
use campanile_protocol::plugins::{
    PluginInfo, PluginLogLine, PluginRequest, PluginSettings, PluginState, PluginVersion,
};

use crate::approve_ui::{Approval, lines_ui, short, signed_ui};
use crate::form_ui::{Entries, came_ui};
use crate::locale::Texts;
use crate::marks_ui::first_layer;
use crate::panel_ui::{Hands, panel_ui};
use crate::place::Pane;
use crate::plugins::{Came, Errand, Looks, Order, PanelKey, Plugins};
use crate::script_ui::{Editor, open_script};
use crate::theme::{self, accent, bad, faint, good, ink, warn};
use crate::ui::{Action, Input, View};
use crate::units::{number_text, time_text};

/// What a person looks at of plugins, and what they enter.
#[derive(Clone, Debug, Default)]
pub struct PluginsView {
    /// The plugin that is open; `None`: the list.
    pub open: Option<String>,
    /// The activity that is open.
    pub activity: Option<String>,
    /// The panel that is chosen, by plugin.
    pub chosen: BTreeMap<String, String>,
    /// What is entered in panels.
    pub entries: Entries,
    /// An approval being given.
    pub approval: Option<Approval>,
    /// A script being written.
    pub editor: Option<Editor>,
    /// The panel that was drawn last.
    drawn: Option<PanelKey>,
    /// Settings that were changed and not sent, by plugin and id.
    settings: BTreeMap<(String, String), String>,
    /// The plugin whose log is open.
    log: Option<String>,
    /// Whether its newest lines are not followed.
    log_stands: bool,
    /// Why something is done.
    reason: String,
}

impl PluginsView {
    /// Forgets what was looked at and entered, but a script that may not be applied yet.
    pub fn leave(&mut self) {
        *self = Self { editor: self.editor.take(), ..Self::default() };
    }
}

impl View {
    /// What is looked at of plugins, as far as it decides what is asked for.
    pub fn looks(&self) -> Looks<'_> {
        let page = self.dock.shows(Pane::Plugins) || self.dock.shows(Pane::Learn);
        Looks {
            page,
            log: self.plugins.log.as_deref().filter(|_| page),
            script: self.plugins.editor.as_ref().map(|editor| editor.plugin.as_str()),
        }
    }
}

/// Whether who looks is shown how plugins are run; who may run them the hub decides.
pub fn is_staff(input: &Input<'_>) -> bool {
    input.state.me.as_ref().is_none_or(|me| !matches!(me.role, Role::Student | Role::Viewer))
}

/// The name of a plugin; its id where the hub does not say it.
pub fn plugin_name<'a>(plugins: &'a Plugins, id: &'a str, texts: &Texts) -> &'a str {
    plugins.plugin(id).map_or(id, |plugin| texts.name(&plugin.names))
}

/// Draws the pane of plugins.
pub fn plugins_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    // A log is open where it is drawn.
    view.plugins.log = None;
    let open = view.plugins.open.clone();
    if open.is_some() && ui.link(format!("‹ {}", input.texts.t("plugins-all"))).clicked() {
        view.plugins.open = None;
    }
    // Each place keeps how far it was scrolled.
    let scroll = ScrollArea::vertical().id_salt(("plugins", &open)).auto_shrink([false, false]);
    scroll.show(ui, |ui| {
        // Beside the scroll bar.
        ui.set_max_width(ui.available_width() - 10.0);
        match open {
            None => list_ui(ui, input, view),
            Some(id) => plugin_ui(ui, input, &id, view, actions),
        }
    });
}

/// Draws the pane of activities.
pub fn learn_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let scroll = ScrollArea::vertical().id_salt("learn").auto_shrink([false, false]);
    scroll.show(ui, |ui| {
        ui.set_max_width(ui.available_width() - 10.0);
        activities_ui(ui, input, view, actions);
    });
}

/// What activities show, without a word on how they are run.
fn activities_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let (texts, plugins) = (input.texts, &input.state.plugins);
    let mut ids: Vec<&str> = match &plugins.list {
        Some(list) => {
            let is_one =
                |plugin: &&PluginInfo| plugin.kind == "activity" && plugin.state != PluginState::NotApproved;
            list.iter().filter(is_one).map(|plugin| plugin.id.as_str()).collect()
        }
        // Where the hub does not say which are activities, all that show something may be.
        None => plugins.panels().map(|key| key.plugin.as_str()).collect(),
    };
    ids.dedup();
    if ids.is_empty() {
        ui.label(RichText::new(texts.t("plugins-no-activity")).color(faint()));
        return;
    }
    if ids.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for id in &ids {
                let is_open = view.plugins.activity.as_deref() == Some(*id);
                if ui.selectable_label(is_open, plugin_name(plugins, id, texts)).clicked() {
                    view.plugins.activity = Some((*id).to_owned());
                }
            }
        });
    }
    let chosen = view.plugins.activity.as_deref();
    let Some(id) = ids.iter().find(|id| chosen == Some(**id)).or(ids.first()) else { return };
    head_ui(ui, input, id);
    if let Some(plugin) = plugins.plugin(id) {
        problem_ui(ui, plugin, texts);
    }
    panels_ui(ui, input, id, view, actions);
}

/// Which plugins there are and how each is.
fn list_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View) {
    let (texts, plugins) = (input.texts, &input.state.plugins);
    let list = match (&plugins.list, &plugins.why_no_list) {
        (Some(list), _) => list,
        (None, Some(why)) => {
            ui.label(RichText::new(why).color(bad()));
            return;
        }
        (None, None) => {
            ui.spinner();
            return;
        }
    };
    if list.is_empty() {
        ui.label(RichText::new(texts.t("plugins-none")).color(faint()));
    }
    for plugin in list {
        ui.push_id(&plugin.id, |ui| {
            let opens = ui.scope(|ui| {
                ui.horizontal_top(|ui| {
                    icon_ui(ui, input, &plugin.id, 30.0);
                    let width = ui.available_width();
                    ui.vertical(|ui| {
                        ui.set_max_width(width);
                        ui.label(RichText::new(texts.name(&plugin.names)).strong());
                        ui.horizontal_wrapped(|ui| {
                            state_ui(ui, input, plugin);
                            ui.label(RichText::new(kind_text(&plugin.kind, texts)).small().color(faint()));
                        });
                        problem_ui(ui, plugin, texts);
                    });
                });
            });
            // The whole entry is a button.
            let rect = opens.response.rect;
            let response = ui.interact(rect, ui.id().with(("list", "open")), Sense::click());
            if response.hovered() {
                ui.painter().rect_stroke(
                    rect.expand(3.0),
                    CornerRadius::same(6),
                    bevy_egui::egui::Stroke::new(1.0, accent()),
                    bevy_egui::egui::StrokeKind::Outside,
                );
            }
            if response.on_hover_cursor(bevy_egui::egui::CursorIcon::PointingHand).clicked() {
                view.plugins.open = Some(plugin.id.clone());
            }
        });
        ui.separator();
    }
}

fn kind_text(kind: &str, texts: &Texts) -> String {
    match kind {
        "rule" => texts.t("plugin-rule"),
        "activity" => texts.t("plugin-activity"),
        "drill" => texts.t("plugin-drill"),
        other => other.to_owned(),
    }
}

/// How a plugin is, as a small word.
fn state_ui(ui: &mut Ui, input: &Input<'_>, plugin: &PluginInfo) {
    let texts = input.texts;
    let (text, colour) = match &plugin.state {
        PluginState::NotApproved => (texts.t("plugin-not-approved"), warn()),
        PluginState::Working => (texts.t("plugin-working"), good()),
        PluginState::Resting { until_us, .. } => {
            let time = time_text(*until_us, input.timezone(), "%H:%M:%S");
            (texts.with("plugin-resting", &[("time", &time)]), warn())
        }
        PluginState::Down { .. } => (texts.t("plugin-down"), bad()),
        PluginState::Stopped => (texts.t("plugin-stopped"), faint()),
        PluginState::Broken { .. } => (texts.t("plugin-broken"), bad()),
    };
    theme::badge_ui(ui, &text, colour);
}

/// Why a plugin does not work.
fn problem_ui(ui: &mut Ui, plugin: &PluginInfo, texts: &Texts) {
    let (why, colour) = match &plugin.state {
        PluginState::Resting { why, .. } => (why.clone(), warn()),
        PluginState::Down { why } => (format!("{why}  {}", texts.t("plugin-down-mend")), bad()),
        PluginState::Broken { why } => (why.clone(), bad()),
        _ => return,
    };
    ui.label(RichText::new(why).small().color(colour));
}

/// The icon of a plugin, or the first sign of its name.
fn icon_ui(ui: &mut Ui, input: &Input<'_>, id: &str, side: f32) {
    let plugins = &input.state.plugins;
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    if let Some((version, image)) = plugins.icon(id) {
        let key = Id::new(("icon", id, version));
        // The texture lives as long as the context remembers it.
        let texture = ui.ctx().data(|data| data.get_temp::<TextureHandle>(key));
        let texture = texture.unwrap_or_else(|| {
            let image = bevy_egui::egui::ImageData::Color(image.clone());
            let texture = ui.ctx().load_texture(format!("icon-{id}"), image, TextureOptions::LINEAR);
            ui.ctx().data_mut(|data| data.insert_temp(key, texture.clone()));
            texture
        });
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(texture.id(), rect, whole, Color32::WHITE);
        return;
    }
    ui.painter().rect_filled(rect, CornerRadius::same(6), accent().gamma_multiply(0.14));
    let first = plugin_name(plugins, id, input.texts).chars().next().unwrap_or('?');
    let font = FontId::new(side * 0.5, FontFamily::Proportional);
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, first.to_uppercase(), font, accent());
}

/// Icon, name and what it does.
fn head_ui(ui: &mut Ui, input: &Input<'_>, id: &str) {
    let texts = input.texts;
    ui.horizontal_top(|ui| {
        icon_ui(ui, input, id, 34.0);
        let width = ui.available_width();
        ui.vertical(|ui| {
            ui.set_max_width(width);
            let name = plugin_name(&input.state.plugins, id, texts);
            ui.label(RichText::new(name).strong().size(15.0));
            if let Some(plugin) = input.state.plugins.plugin(id) {
                ui.label(RichText::new(texts.name(&plugin.summary)).small().color(faint()));
            }
        });
    });
}

/// The panels of a plugin: by their titles, the chosen one drawn.
fn panels_ui(ui: &mut Ui, input: &Input<'_>, id: &str, view: &mut View, actions: &mut Vec<Action>) {
    let (texts, plugins) = (input.texts, &input.state.plugins);
    let declared = plugins.plugin(id).map_or(&[][..], |plugin| &plugin.panels);
    let mut titles: Vec<(PanelKey, String)> = Vec::new();
    let key_of = |panel: &str| PanelKey { plugin: id.to_owned(), panel: panel.to_owned() };
    titles.extend(declared.iter().map(|info| (key_of(&info.id), texts.name(&info.names).to_owned())));
    // What is shown and not declared is of a version that the list does not know yet.
    let others =
        plugins.panels().filter(|key| key.plugin == id && declared.iter().all(|d| d.id != key.panel));
    let title_of = |key: &PanelKey| plugins.panel(key).map(|shown| texts.name(&shown.names).to_owned());
    titles.extend(others.filter_map(|key| Some((key.clone(), title_of(key)?))));
    let chosen = view.plugins.chosen.get(id);
    let is_shown = |(key, _): &&(PanelKey, String)| plugins.panel(key).is_some();
    let first = || titles.iter().find(is_shown).or(titles.first());
    let Some((key, _)) = titles.iter().find(|(key, _)| Some(&key.panel) == chosen).or_else(first) else {
        ui.label(RichText::new(texts.t("plugin-no-panels")).small().color(faint()));
        return;
    };
    let mut key = key.clone();
    if titles.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for (of, title) in &titles {
                if ui.selectable_label(*of == key, title).clicked() {
                    view.plugins.chosen.insert(id.to_owned(), of.panel.clone());
                    key = of.clone();
                }
            }
        });
    }
    let Some(shown) = plugins.panel(&key) else {
        ui.label(RichText::new(texts.t("panel-not-shown")).color(faint()));
        return;
    };
    if view.plugins.drawn.as_ref() != Some(&key) {
        // A panel that has a map is opened with it, unless the person looks at a quantity.
        let layer = first_layer(&key, shown).filter(|_| view.quantity.is_none());
        if layer.is_some() || view.layer.is_some() {
            actions.push(Action::Layer(layer));
        }
        view.plugins.drawn = Some(key.clone());
    }
    let (entries, layer) = (&mut view.plugins.entries, &mut view.layer);
    panel_ui(ui, input, &key, shown, &mut Hands { entries, layer, actions });
}

/// A plugin with its panels and, for staff, how it is run.
fn plugin_ui(ui: &mut Ui, input: &Input<'_>, id: &str, view: &mut View, actions: &mut Vec<Action>) {
    let (texts, plugins) = (input.texts, &input.state.plugins);
    if ui.link(RichText::new(texts.t("plugins-back")).small()).clicked() {
        view.plugins.open = None;
    }
    let Some(plugin) = plugins.plugin(id) else {
        let text = if plugins.list.is_some() { texts.t("plugin-gone") } else { texts.t("panel-waits") };
        ui.label(RichText::new(text).color(faint()));
        return;
    };
    head_ui(ui, input, id);
    ui.horizontal_wrapped(|ui| {
        state_ui(ui, input, plugin);
        let version = plugin.version.as_deref().unwrap_or_default();
        let about = format!("{}  {version}  {}", kind_text(&plugin.kind, texts), plugin.vendor);
        ui.label(RichText::new(about).small().color(faint()));
    });
    problem_ui(ui, plugin, texts);
    if plugin.state != PluginState::NotApproved {
        ui.add_space(2.0);
        panels_ui(ui, input, id, view, actions);
    }
    if is_staff(input) {
        ui.separator();
        run_ui(ui, input, plugin, view, actions);
    }
}

/// How a plugin is run.
fn run_ui(ui: &mut Ui, input: &Input<'_>, plugin: &PluginInfo, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    ui.horizontal_wrapped(|ui| {
        let newest = plugin.versions.first();
        match (&plugin.state, newest) {
            (PluginState::NotApproved, Some(version)) => {
                let text = RichText::new(texts.t("plugin-approve")).color(Color32::WHITE);
                if ui.add(Button::new(text).fill(accent())).clicked() {
                    view.plugins.approval = Some(Approval::of(&plugin.id, &version.version));
                }
            }
            (PluginState::NotApproved, None) => {}
            (state, _) => switch_ui(ui, input, plugin, state, &view.plugins.reason, actions),
        }
        if plugin.script.is_some() && ui.button(texts.t("plugin-script")).clicked() {
            open_script(view, input.state, &plugin.id);
        }
    });
    came_ui(ui, input, &Errand::Switch(plugin.id.clone()));
    let section = |title: String| CollapsingHeader::new(RichText::new(&title).strong()).id_salt(title);
    ui.push_id(&plugin.id, |ui| {
        let (title, lines) = if plugin.state == PluginState::NotApproved {
            (texts.t("plugin-asks"), &plugin.asks)
        } else {
            (texts.t("plugin-may"), &plugin.may)
        };
        section(title).default_open(plugin.state == PluginState::NotApproved).show(ui, |ui| {
            lines_ui(ui, lines.iter().map(|names| texts.name(names)));
        });
        if !plugin.settings.is_empty() {
            section(texts.t("plugin-settings")).show(ui, |ui| settings_ui(ui, input, plugin, view, actions));
        }
        section(texts.t("plugin-versions")).show(ui, |ui| {
            for (number, version) in plugin.versions.iter().enumerate() {
                version_ui(ui, plugin, (number, version), texts, view);
            }
        });
        section(texts.t("plugin-work")).show(ui, |ui| work_ui(ui, input, plugin));
        let log = section(texts.t("plugin-log")).show(ui, |ui| log_ui(ui, input, &plugin.id, view));
        let is_log_open = log.body_returned.is_some();
        view.plugins.log = is_log_open.then(|| plugin.id.clone());
        let hint = texts.t("plugin-reason");
        let reason = TextEdit::singleline(&mut view.plugins.reason).hint_text(hint).char_limit(120);
        ui.add(reason.desired_width(f32::INFINITY)).on_hover_text(texts.t("plugin-reason-hint"));
    });
}

/// Stops a plugin, or lets it work again.
fn switch_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    plugin: &PluginInfo,
    state: &PluginState,
    reason: &str,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let errand = Errand::Switch(plugin.id.clone());
    let is_free = input.state.plugins.came(&errand) != Some(&Came::Waits);
    let request =
        || PluginRequest { plugin: plugin.id.clone(), version: None, reason: reason.trim().to_owned() };
    let runs = matches!(state, PluginState::Working | PluginState::Resting { .. });
    let text = if runs { texts.t("plugin-stop") } else { texts.t("plugin-start") };
    let button = ui.add_enabled(is_free, Button::new(text));
    let hint = if runs { texts.t("plugin-stop-hint") } else { texts.t("plugin-start-hint") };
    if button.on_hover_text(hint).clicked() {
        let order = if runs { Order::Stop(request()) } else { Order::Start(request()) };
        actions.push(Action::Plugin(order));
    }
}

fn settings_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    plugin: &PluginInfo,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let place = |id: &str| (plugin.id.clone(), id.to_owned());
    let mut changed = BTreeMap::new();
    for setting in &plugin.settings {
        let touched = view.plugins.settings.get(&place(&setting.id));
        let mut value = touched.unwrap_or(&setting.value).clone();
        ui.label(RichText::new(texts.name(&setting.names)).small());
        let id = Id::new(("setting", &plugin.id, &setting.id));
        ui.horizontal(|ui| {
            let width = ui.available_width() - if value == setting.default { 0.0 } else { 34.0 };
            let edit = TextEdit::singleline(&mut value).id(id).char_limit(1000).desired_width(width);
            ui.add(edit);
            let default = texts.with("plugin-default", &[("value", &setting.default)]);
            if value != setting.default && ui.small_button("←").on_hover_text(default).clicked() {
                value.clone_from(&setting.default);
            }
        });
        if value == setting.value {
            view.plugins.settings.remove(&place(&setting.id));
        } else {
            changed.insert(setting.id.clone(), value.clone());
            view.plugins.settings.insert(place(&setting.id), value);
        }
    }
    let errand = Errand::Settings(plugin.id.clone());
    let is_free = input.state.plugins.came(&errand) != Some(&Came::Waits);
    ui.horizontal_wrapped(|ui| {
        let text = RichText::new(texts.t("plugin-settings-save")).color(Color32::WHITE);
        let save = ui.add_enabled(is_free && !changed.is_empty(), Button::new(text).fill(accent()));
        if save.clicked() {
            let (plugin, reason) = (plugin.id.clone(), view.plugins.reason.trim().to_owned());
            actions.push(Action::Plugin(Order::Settings(PluginSettings {
                plugin,
                settings: changed,
                reason,
            })));
        }
        came_ui(ui, input, &errand);
    });
}

fn version_ui(
    ui: &mut Ui,
    plugin: &PluginInfo,
    (number, version): (usize, &PluginVersion),
    texts: &Texts,
    view: &mut View,
) {
    let in_use = plugin.versions.iter().position(|v| Some(&v.version) == plugin.version.as_ref());
    ui.push_id(&version.version, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&version.version).strong());
            if in_use == Some(number) {
                theme::badge_ui(ui, &texts.t("plugin-in-use"), accent());
            }
            signed_ui(ui, version, texts);
            let text = match in_use {
                Some(now) if now == number => texts.t("plugin-grants"),
                // The newest stand first.
                Some(now) if now < number => texts.t("plugin-roll-back"),
                _ => texts.t("plugin-approve"),
            };
            if ui.add_enabled(version.problem.is_none(), Button::new(text).small()).clicked() {
                view.plugins.approval = Some(Approval::of(&plugin.id, &version.version));
            }
        });
        let kib = number_text(version.bytes as f64 / 1024.0, Some(0.1));
        let package = texts.with("plugin-package", &[("hash", short(&version.package))]);
        let about = RichText::new(format!("{package}  {kib} KiB")).small().color(faint());
        ui.label(about).on_hover_text(&version.package);
        if let Some(problem) = &version.problem {
            ui.label(RichText::new(problem).small().color(bad()));
        }
    });
}

fn work_ui(ui: &mut Ui, input: &Input<'_>, plugin: &PluginInfo) {
    let (texts, work) = (input.texts, &plugin.work);
    let whole = |x: u64| number_text(x as f64, Some(1.0));
    let busy = match input.state.plugins.busy(&plugin.id) {
        Some(share) => format!("{} %", number_text(share * 100.0, Some(0.01))),
        None => format!("{} s", number_text(work.busy_s, Some(0.01))),
    };
    let rows = [
        (texts.t("work-calls"), whole(work.calls), ink()),
        (texts.t("work-failures"), whole(work.failures), if work.failures > 0 { bad() } else { ink() }),
        (texts.t("work-busy"), busy, ink()),
        (texts.t("work-longest"), format!("{} ms", number_text(work.longest_ms, Some(0.01))), ink()),
        (texts.t("work-commands"), whole(work.commands), ink()),
        (
            texts.t("work-store"),
            format!("{} KiB", number_text(work.stored_bytes as f64 / 1024.0, Some(0.1))),
            ink(),
        ),
    ];
    bevy_egui::egui::Grid::new("work").num_columns(2).spacing(vec2(14.0, 2.0)).show(ui, |ui| {
        for (name, value, colour) in rows {
            ui.label(RichText::new(name).small().color(faint()));
            ui.label(RichText::new(value).small().strong().color(colour));
            ui.end_row();
        }
    });
    ui.label(RichText::new(texts.t("work-since")).small().color(faint()));
}

fn level_colour(level: &str) -> Color32 {
    match level {
        "error" => bad(),
        "warn" => warn(),
        "debug" => faint(),
        _ => ink(),
    }
}

fn log_ui(ui: &mut Ui, input: &Input<'_>, id: &str, view: &mut View) {
    let texts = input.texts;
    let Some(log) = input.state.plugins.log(id) else {
        ui.spinner();
        return;
    };
    if let Some(why) = &log.why {
        ui.label(RichText::new(why).small().color(bad()));
    }
    if log.lines.is_empty() {
        ui.label(RichText::new(texts.t("plugin-log-none")).small().color(faint()));
        return;
    }
    let mut follows = !view.plugins.log_stands;
    ui.checkbox(&mut follows, RichText::new(texts.t("plugin-log-follow")).small());
    view.plugins.log_stands = !follows;
    let scroll = ScrollArea::vertical().id_salt("log").max_height(220.0).min_scrolled_height(220.0);
    scroll.stick_to_bottom(follows).auto_shrink([false, true]).show(ui, |ui| {
        let line_ui = |ui: &mut Ui, line: &PluginLogLine| {
            let time = time_text(line.time_us, input.timezone(), "%H:%M:%S");
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(6.0, 1.0);
                ui.label(RichText::new(time).small().color(faint()));
                ui.label(RichText::new(&line.text).small().color(level_colour(&line.level)));
            });
        };
        log.lines.iter().for_each(|line| line_ui(ui, line));
    });
}

#[cfg(test)]
mod tests {
    use campanile_protocol::people::Me;
    use campanile_protocol::plugins::{
        ApprovePlugin, PanelContent, PanelInfo, PanelNode, PanelShown, PluginSetting, PluginWork, Tone,
    };
    use campanile_protocol::{Names, ServerMessage};
    use serde_json::json;

    use super::*;
    use crate::locale::Language;
    use crate::panel_ui::tests::HIGH;
    use crate::person::Person;
    use crate::place::{Dock, WorkPlace};
    use crate::plugins::PluginNews;
    use crate::plugins::tests::plugin;
    use crate::state::tests::live_state;
    use crate::state::{Event, State};

    fn names(en: &str, zh: &str) -> Names {
        Names::new(zh, en)
    }

    fn version(version: &str, signed_by: Option<&str>) -> PluginVersion {
        PluginVersion {
            version: version.into(),
            package: "c0ffee00c0ffee11".into(),
            signed_by: signed_by.map(str::to_owned),
            bytes: 34_000,
            problem: None,
            asks: vec![names("reads 48 points (*/*/*/co2)", "读取 48 个测点（*/*/*/co2）")],
            capability: json!({
                "read": ["*/*/*/co2"],
                "history": true,
                "command": { "points": ["*/*/*/ac/setpoint"], "priority": [10, 14] },
            }),
        }
    }

    fn saver() -> PluginInfo {
        PluginInfo {
            names: names("Energy saver", "节能管家"),
            versions: vec![
                version("1.1.0", None),
                version("1.0.0", Some("Tinglan")),
                version("0.9.0", Some("Tinglan")),
            ],
            may: vec![names("commands 48 points", "控制 48 个测点")],
            settings: vec![PluginSetting {
                id: "floor".into(),
                names: names("Coolest in summer, °C", "夏季最低温度，°C"),
                value: "26".into(),
                default: "26".into(),
            }],
            panels: vec![PanelInfo { id: "today".into(), names: names("Today", "今日") }],
            work: PluginWork {
                calls: 12_345,
                failures: 2,
                busy_s: 3.0,
                longest_ms: 4.5,
                commands: 99,
                stored_bytes: 2048,
            },
            ..plugin("energy-saver", "rule")
        }
    }

    fn shown(plugin: &str, panel: &str, says: &str) -> PanelShown {
        let content = PanelContent::Text { words: names(says, says), tone: Tone::Plain };
        PanelShown {
            plugin: plugin.into(),
            panel: panel.into(),
            names: names(panel, panel),
            person: None,
            time_us: 0,
            nodes: vec![PanelNode { id: "text".into(), parent: None, content }],
        }
    }

    fn quest() -> PluginInfo {
        PluginInfo {
            names: names("Eco quest", "生态探索"),
            panels: vec![
                PanelInfo { id: "missions".into(), names: names("Missions", "任务") },
                PanelInfo { id: "league".into(), names: names("League", "班级榜") },
            ],
            ..plugin("eco-quest", "activity")
        }
    }

    fn campus(list: Vec<PluginInfo>, role: Option<Role>) -> State {
        let mut state = live_state();
        if let Some(role) = role {
            let me = Me { actor: "person:anna".into(), role, nickname: None, must_change_password: false };
            state.apply(Event::Known(Box::new(me)), 0.0);
        }
        state.apply(Event::Plugin(PluginNews::List(Ok(list))), 0.0);
        let panels = vec![
            shown("energy-saver", "today", "12 kWh saved"),
            shown("eco-quest", "missions", "Find the leak"),
            shown("eco-quest", "league", "7-2 leads"),
        ];
        state.apply(Event::Message(ServerMessage::PanelList { panels }), 0.0);
        state
    }

    fn page() -> View {
        View { dock: Dock::at(WorkPlace::Build), ..View::default() }
    }

    fn open() -> View {
        let mut view = page();
        view.plugins.open = Some("energy-saver".into());
        view
    }

    #[test]
    fn the_list_says_in_plain_words_how_each_plugin_is() {
        let why = || "the call took longer than 100 ms".to_owned();
        let states = [
            (PluginState::Working, "working", "运行中"),
            (PluginState::NotApproved, "not approved", "未批准"),
            (PluginState::Stopped, "stopped", "已停用"),
            (PluginState::Resting { until_us: 0, why: why() }, "rests until 08:00:00", "暂停至 08:00:00"),
            (PluginState::Down { why: why() }, "down", "已停机"),
            (PluginState::Broken { why: why() }, "can't start", "无法启动"),
        ];
        for (state, english, chinese) in states {
            for (language, word, name) in
                [(Language::English, english, "Energy saver"), (Language::Chinese, chinese, "节能管家")]
            {
                let list = vec![PluginInfo { state: state.clone(), ..saver() }];
                let mut person = Person::at(campus(list, None), page(), language, [800.0, 600.0]);
                assert!(person.sees(name) && person.sees(word), "{word} in {:?}", person.all());
                let is_said = person.sees(&why());
                let is_wrong =
                    !matches!(state, PluginState::Working | PluginState::NotApproved | PluginState::Stopped);
                assert_eq!(is_said, is_wrong, "why is said where something is wrong: {state:?}");
                assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
                person.click_on(name);
                assert_eq!(person.view.plugins.open.as_deref(), Some("energy-saver"));
            }
        }
    }

    #[test]
    fn students_land_where_they_learn_and_see_panels_only() {
        for (language, learn, words) in [
            (Language::English, "Learn", ["What it may do", "Stop", "Versions", "Log"]),
            (Language::Chinese, "学习", ["允许它做什么", "停用", "版本", "日志"]),
        ] {
            let state = || campus(vec![saver(), quest()], Some(Role::Student));
            let learning = View { dock: Dock::at(WorkPlace::Learn), ..View::default() };
            let mut person = Person::at(state(), learning, language, [800.0, 600.0]);
            assert!(person.sees(learn) && person.sees("Find the leak"), "{:?}", person.all());
            assert!(!person.sees("12 kWh saved"), "that is no activity");
            let league = if language == Language::English { "League" } else { "班级榜" };
            person.click_on(league);
            person.look();
            assert!(person.sees("7-2 leads") && !person.sees("Find the leak"));
            let person = Person::at(state(), open(), language, HIGH);
            assert!(person.sees("12 kWh saved"));
            for word in words {
                assert!(!person.sees(word), "{word} is not for students");
            }
            let staff = Person::at(campus(vec![saver()], Some(Role::Manager)), open(), language, HIGH);
            for word in words {
                assert!(staff.sees(word), "{word} is missing in {:?}", staff.all());
            }
            assert!(staff.cut_off().is_empty(), "{:?}", staff.cut_off());
        }
    }

    fn order(person: &mut Person) -> Option<Order> {
        std::mem::take(&mut person.wishes).into_iter().find_map(|wish| match wish {
            Action::Plugin(order) => Some(order),
            _ => None,
        })
    }

    #[test]
    fn a_version_is_approved_without_what_was_unticked() {
        for (language, [versions, approve, history, command, signed, unsigned, done]) in [
            (
                Language::English,
                [
                    "Versions",
                    "Approve…",
                    "Read what was, of the points that it sees",
                    "Command these points, slots 10 to 14",
                    "signed by Tinglan",
                    "not signed by a trusted key",
                    "Approve",
                ],
            ),
            (
                Language::Chinese,
                [
                    "版本",
                    "批准…",
                    "读取这些测点的历史",
                    "控制这些测点，优先级 10 至 14",
                    "由 Tinglan 签名",
                    "没有可信密钥的签名",
                    "批准",
                ],
            ),
        ] {
            let mut person = Person::at(campus(vec![saver()], None), open(), language, HIGH);
            person.click_on(versions);
            (0..20).for_each(|_| person.look());
            assert!(
                person.sees(signed) && person.sees("1.0.0") && person.sees("c0ffee00c0ff"),
                "{:?}",
                person.all()
            );
            person.click_on(approve);
            person.look();
            assert!(person.sees(unsigned) && person.sees("*/*/*/ac/setpoint"), "{:?}", person.all());
            person.click_on(history);
            person.click_on(command);
            person.look();
            person.click_on(done);
            let expected = ApprovePlugin {
                plugin: "energy-saver".into(),
                version: "1.1.0".into(),
                package: "c0ffee00c0ffee11".into(),
                capability: Some(json!({ "read": ["*/*/*/co2"] })),
                settings: BTreeMap::new(),
                reason: String::new(),
            };
            let sent = order(&mut person).unwrap();
            assert_eq!(sent, Order::Approve(expected));
            let errand = sent.errand();
            person.state.plugins.send(errand.clone(), None);
            let refused = PluginNews::Came(errand.clone(), Some("a manager approves".into()));
            person.state.apply(Event::Plugin(refused), 1.0);
            person.look();
            assert!(person.sees("a manager approves"), "what the hub says is read in the dialog");
            person.state.apply(Event::Plugin(PluginNews::Came(errand, None)), 1.0);
            person.look();
            assert!(!person.sees(unsigned) || person.view.plugins.approval.is_none(), "it is closed");
        }
    }

    #[test]
    fn the_dialog_of_approval_fits_small_screens() {
        for language in Language::ALL {
            for size in [[1024.0, 640.0], [800.0, 600.0]] {
                let mut view = open();
                view.plugins.approval = Some(Approval::of("energy-saver", "1.1.0"));
                let person = Person::at(campus(vec![saver()], None), view, language, size);
                assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
            }
        }
    }

    #[test]
    fn a_plugin_is_stopped_and_started_and_its_settings_are_changed() {
        let mut person = Person::at(campus(vec![saver()], None), open(), Language::English, HIGH);
        person.click_on("Stop");
        let request =
            || PluginRequest { plugin: "energy-saver".into(), version: None, reason: String::new() };
        assert_eq!(order(&mut person), Some(Order::Stop(request())));
        let stopped = PluginInfo { state: PluginState::Stopped, ..saver() };
        person.state.apply(Event::Plugin(PluginNews::List(Ok(vec![stopped]))), 1.0);
        person.look();
        person.click_on("Start");
        assert_eq!(order(&mut person), Some(Order::Start(request())));
        person.click_on("Settings");
        (0..20).for_each(|_| person.look());
        person.click_on("Save");
        assert_eq!(order(&mut person), None, "nothing was changed");
        let label = person.place("Coolest in summer, °C");
        person.click(pos2(label.left() + 60.0, label.bottom() + 14.0));
        person.types(".5");
        person.look();
        person.click_on("Save");
        let settings = BTreeMap::from([("floor".to_owned(), "26.5".to_owned())]);
        let expected = PluginSettings { plugin: "energy-saver".into(), settings, reason: String::new() };
        assert_eq!(order(&mut person), Some(Order::Settings(expected)));
    }

    #[test]
    fn its_log_and_its_figures_are_read() {
        let mut person = Person::at(campus(vec![saver()], None), open(), Language::English, HIGH);
        assert_eq!(person.view.looks().log, None);
        person.click_on("Log");
        (0..20).for_each(|_| person.look());
        assert_eq!(person.view.looks().log, Some("energy-saver"), "now it is asked for");
        person.state.plugins.next_asks(person.view.looks(), 1.0);
        let line = |number, level: &str, text: &str| PluginLogLine {
            number,
            time_us: 0,
            level: level.into(),
            text: text.into(),
        };
        let lines = vec![line(1, "info", "begun"), line(2, "error", "no such point: a/1f/101/co3")];
        person.state.apply(Event::Plugin(PluginNews::Log("energy-saver".into(), Ok(lines))), 1.0);
        person.look();
        assert!(person.sees("no such point") && person.sees("08:00:00"), "{:?}", person.all());
        person.click_on("Work");
        (0..20).for_each(|_| person.look());
        for figure in ["12\u{2009}345", "2", "3.00 s", "4.50 ms", "99", "2.0 KiB"] {
            assert!(person.sees(figure), "{figure} is missing in {:?}", person.all());
        }
        person.view.dock.is_open = false;
        assert_eq!(person.view.looks(), Looks::default());
    }

    #[test]
    fn what_one_person_enters_is_not_for_the_next() {
        let mut person = Person::at(campus(vec![saver()], None), open(), Language::English, HIGH);
        person.view.plugins.reason = "exam week".into();
        let asked = Event::Asked { what: crate::state::Asked::Person, why: crate::state::Why::Ended };
        person.state.apply(asked, 1.0);
        person.look();
        assert!(person.view.plugins.reason.is_empty() && person.view.plugins.open.is_none());
    }
}
