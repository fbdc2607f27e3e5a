//! The dialog in which a person approves what a plugin may do: what it asks for in plain words, by whom it is signed, and
//! each group of what it asks for to be left out.

use std::collections::BTreeSet;

use bevy_egui::egui::{
    Align2, Button, Checkbox, Color32, Context, Id, Rect, RichText, ScrollArea, TextEdit, Ui, Window, vec2,
};
use campanile_protocol::plugins::{ApprovePlugin, PluginInfo, PluginVersion};
use serde_json::Value;

use crate::form_ui::came_ui;
use crate::locale::Texts;
use crate::plugins::{Came, Errand, Order};
use crate::theme::{self, accent, bad, faint, good, ink};
use crate::ui::{Action, Input, View, heading_ui};

/// What can be granted or not, as it stands in `[capability]` of a manifest.
const GROUPS: [&str; 5] = ["read", "history", "command", "activities", "drill"];
/// Globs of a group that are written out.
const MOST_GLOBS: usize = 12;
/// The first signs of a hash that people compare.
const SHORT: usize = 12;

/// An approval being given.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    /// The id of the plugin.
    pub plugin: String,
    /// The version.
    pub version: String,
    /// What is not granted.
    left_out: BTreeSet<&'static str>,
    /// Why.
    reason: String,
    /// Whether it was sent.
    is_sent: bool,
}

impl Approval {
    /// Begins to approve a version of a plugin.
    pub fn of(plugin: &str, version: &str) -> Self {
        Self { plugin: plugin.to_owned(), version: version.to_owned(), ..Self::default() }
    }

    fn order(&self, version: &PluginVersion) -> ApprovePlugin {
        ApprovePlugin {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            package: version.package.clone(),
            capability: granted(&version.capability, &self.left_out),
            settings: std::collections::BTreeMap::new(),
            reason: self.reason.trim().to_owned(),
        }
    }
}

/// Whether a group is asked for.
fn is_asked(capability: &Value, group: &str) -> bool {
    match capability.get(group) {
        Some(Value::Bool(is)) => *is,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(_)) => true,
        _ => false,
    }
}

/// What is granted; `None`: all that is asked for.
fn granted(capability: &Value, left_out: &BTreeSet<&'static str>) -> Option<Value> {
    let mut capability = capability.clone();
    let groups = capability.as_object_mut()?;
    let before = groups.len();
    left_out.iter().for_each(|group| drop(groups.remove(*group)));
    (groups.len() < before).then_some(capability)
}

fn group_text(group: &str, capability: &Value, texts: &Texts) -> String {
    match group {
        "read" => texts.t("grant-read"),
        "history" => texts.t("grant-history"),
        "activities" => texts.t("grant-activities"),
        "drill" => texts.t("grant-drill"),
        _ => {
            let slot = |i: usize| {
                let slot = capability.pointer(&format!("/command/priority/{i}"));
                slot.and_then(Value::as_u64).map_or_else(String::new, |slot| slot.to_string())
            };
            texts.with("grant-command", &[("from", &slot(0)), ("to", &slot(1))])
        }
    }
}

/// The globs of a group.
fn globs<'a>(group: &str, capability: &'a Value) -> Vec<&'a str> {
    let list = match group {
        "read" => capability.get("read"),
        "command" => capability.pointer("/command/points"),
        _ => None,
    };
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The first signs of the hash of a package.
pub fn short(package: &str) -> &str {
    package.get(..SHORT).unwrap_or(package)
}

/// Who has signed a package.
pub fn signed_ui(ui: &mut Ui, version: &PluginVersion, texts: &Texts) {
    match &version.signed_by {
        Some(name) => theme::badge_ui(ui, &texts.with("plugin-signed", &[("name", name)]), good()),
        None => theme::badge_ui(ui, &texts.t("plugin-unsigned"), bad()),
    }
}

/// Draws the dialog if an approval is being given.
pub fn approve_ui(
    ctx: &Context,
    screen: Rect,
    input: &Input<'_>,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let Some(mut approval) = view.plugins.approval.take() else { return };
    let plugins = &input.state.plugins;
    let plugin = plugins.plugin(&approval.plugin);
    let version = plugin.and_then(|plugin| plugin.versions.iter().find(|v| v.version == approval.version));
    let (Some(plugin), Some(version)) = (plugin, version) else { return };
    let errand = Errand::Approve(approval.plugin.clone());
    if approval.is_sent && matches!(plugins.came(&errand), Some(Came::Done(_))) {
        return;
    }
    let texts = input.texts;
    let mut is_open = true;
    let mut is_left = false;
    let title =
        texts.with("approve-title", &[("name", texts.name(&plugin.names)), ("version", &version.version)]);
    let drawn = Window::new(RichText::new(title).strong().color(ink()))
        .id(Id::new("approve"))
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 10.0))
        .show(ctx, |ui| {
            ui.set_width((screen.width() - 80.0).min(430.0));
            let height = (screen.height() - 260.0).max(140.0);
            ScrollArea::vertical().id_salt("approve").max_height(height).min_scrolled_height(height).show(
                ui,
                |ui| {
                    asks_ui(ui, plugin, version, &mut approval, texts);
                },
            );
            let reason = TextEdit::singleline(&mut approval.reason).hint_text(texts.t("plugin-reason"));
            ui.add(reason.char_limit(120).desired_width(f32::INFINITY));
            ui.horizontal_wrapped(|ui| {
                let text = RichText::new(texts.t("approve-do")).color(Color32::WHITE);
                let is_free = plugins.came(&errand) != Some(&Came::Waits) && version.problem.is_none();
                if ui.add_enabled(is_free, Button::new(text).fill(accent())).clicked() {
                    approval.is_sent = true;
                    actions.push(Action::Plugin(Order::Approve(approval.order(version))));
                }
                is_left = ui.button(texts.t("command-cancel")).clicked();
                if approval.is_sent {
                    came_ui(ui, input, &errand);
                }
            });
        });
    if let Some(drawn) = drawn {
        ctx.move_to_top(drawn.response.layer_id);
    }
    if is_open && !is_left {
        view.plugins.approval = Some(approval);
    }
}

fn asks_ui(
    ui: &mut Ui,
    plugin: &PluginInfo,
    version: &PluginVersion,
    approval: &mut Approval,
    texts: &Texts,
) {
    ui.label(texts.name(&plugin.summary));
    ui.horizontal_wrapped(|ui| {
        signed_ui(ui, version, texts);
        let from = texts.with("plugin-vendor", &[("vendor", &plugin.vendor)]);
        ui.label(RichText::new(from).small().color(faint()));
        let package = texts.with("plugin-package", &[("hash", short(&version.package))]);
        ui.label(RichText::new(package).small().color(faint())).on_hover_text(&version.package);
    });
    if let Some(problem) = &version.problem {
        ui.label(RichText::new(problem).color(bad()));
    }
    heading_ui(ui, &texts.t("plugin-asks"));
    lines_ui(ui, version.asks.iter().map(|names| texts.name(names)));
    let groups: Vec<&'static str> =
        GROUPS.into_iter().filter(|group| is_asked(&version.capability, group)).collect();
    if groups.is_empty() {
        return;
    }
    heading_ui(ui, &texts.t("approve-grants"));
    for group in groups {
        let mut is_granted = !approval.left_out.contains(group);
        let text = group_text(group, &version.capability, texts);
        if ui.add(Checkbox::new(&mut is_granted, text)).changed() {
            if is_granted {
                approval.left_out.remove(group);
            } else {
                approval.left_out.insert(group);
            }
        }
        let globs = globs(group, &version.capability);
        if !globs.is_empty() {
            let mut list = globs.iter().take(MOST_GLOBS).copied().collect::<Vec<_>>().join("  ");
            if globs.len() > MOST_GLOBS {
                list += "  …";
            }
            ui.label(RichText::new(list).small().monospace().color(faint()));
        }
    }
    if !approval.left_out.is_empty() {
        ui.label(RichText::new(texts.t("approve-less")).small().color(theme::warn()));
    }
}

/// Sentences below each other, each with a dot.
pub fn lines_ui<'a>(ui: &mut Ui, lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.label(RichText::new("·").strong().color(faint()));
            let width = ui.available_width();
            ui.vertical(|ui| {
                ui.set_max_width(width);
                ui.label(RichText::new(line).small());
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unticked_is_not_granted() {
        let capability = json!({
            "read": ["*/*/*/co2"],
            "command": { "points": ["*/*/*/ac/setpoint"], "priority": [10, 14] },
            "history": true,
            "activities": false,
            "drill": false,
        });
        let asked: Vec<&str> = GROUPS.into_iter().filter(|group| is_asked(&capability, group)).collect();
        assert_eq!(asked, ["read", "history", "command"]);
        assert_eq!(granted(&capability, &BTreeSet::new()), None, "all that it asks for");
        let less = granted(&capability, &BTreeSet::from(["command", "history"])).unwrap();
        assert_eq!(less, json!({ "read": ["*/*/*/co2"], "activities": false, "drill": false }));
        assert_eq!(globs("command", &capability), ["*/*/*/ac/setpoint"]);
        assert!(!is_asked(&Value::Null, "read"));
        assert_eq!(granted(&Value::Null, &BTreeSet::from(["read"])), None);
    }

    #[test]
    fn a_hash_is_cut_where_it_is_long() {
        assert_eq!((short("0123456789abcdef"), short("01"), short("é")), ("0123456789ab", "01", "é"));
    }
}
