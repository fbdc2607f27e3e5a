//! The panel of an entity: every point with value, unit, age, quality and its last day.

use bevy_egui::egui::{Align, Layout, RichText, ScrollArea, Ui};
use campanile_protocol::{EntityKind, PointInfo, Quality, ValueType};

use crate::chart::{chart_ui, sparkline_ui};
use crate::charts_ui::chart_button_ui;
use crate::override_ui::Draft;
use crate::period::Range;
use crate::pins_ui::pin_button_ui;
use crate::state::{Index, Stretched};
use crate::theme::{self, accent, faint};
use crate::ui::{Action, Input, View, acting_button_ui, heading_ui};
use crate::units::{age_text, unit_text, value_text};

const DAY_US: i64 = 86_400_000_000;

/// Draws the pane.
pub fn details_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let entity = view.selected.as_deref().and_then(|path| index.nearest(path));
    let Some((entity, info)) = entity.and_then(|i| Some((i, index.catalogue.entities.get(i as usize)?)))
    else {
        ui.label(RichText::new(texts.t("details-nothing")).color(faint()));
        return;
    };
    ui.horizontal_top(|ui| {
        // A long name wraps beside the button.
        let width = ui.available_width() - 42.0;
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.label(RichText::new(texts.name(&info.names)).heading().strong());
        });
        if theme::named(ui.small_button("×"), &texts.t("details-close")).clicked() {
            actions.push(Action::Select(None));
        }
    });
    ui.horizontal_wrapped(|ui| {
        let parents = parents_of(index, entity);
        for parent in &parents {
            let Some(info) = index.catalogue.entities.get(*parent as usize) else { continue };
            if ui.link(RichText::new(texts.name(&info.names)).small()).clicked() {
                actions.push(Action::FlyTo(info.path.as_str().to_owned()));
            }
            ui.label(RichText::new("›").small().color(faint()));
        }
        ui.label(RichText::new(info.path.as_str()).small().color(faint()));
    });
    ui.separator();
    ScrollArea::vertical().id_salt("details").auto_shrink([false, false]).show(ui, |ui| {
        contents_ui(ui, input, index, entity, view, actions);
    });
}

/// From the building down, without the entity itself.
fn parents_of(index: &Index, entity: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    let mut here = entity;
    while let Some(parent) = index.catalogue.entities.get(here as usize).and_then(|e| e.parent) {
        if parent >= here {
            break;
        }
        parents.push(parent);
        here = parent;
    }
    parents.reverse();
    parents
}

fn contents_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    entity: u32,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let own = index.points_of(entity);
    let (equipment, inside): (Vec<u32>, Vec<u32>) =
        index.children(entity).iter().copied().partition(|&child| {
            index.catalogue.entities.get(child as usize).is_some_and(|e| e.kind == EntityKind::Equipment)
        });
    let total = own.len() + equipment.iter().map(|&e| index.points_of(e).len()).sum::<usize>();
    if total == 0 {
        ui.label(RichText::new(texts.t("details-none")).color(faint()));
    } else {
        heading_ui(ui, &texts.with("details-points", &[("count", &total.to_string())]));
    }
    for &point in own {
        point_ui(ui, input, index, point, view, actions);
    }
    for child in equipment {
        let points = index.points_of(child);
        let Some(info) = index.catalogue.entities.get(child as usize) else { continue };
        if points.is_empty() {
            continue;
        }
        ui.add_space(6.0);
        ui.label(RichText::new(texts.name(&info.names)).strong().color(accent()));
        for &point in points {
            point_ui(ui, input, index, point, view, actions);
        }
    }
    if !inside.is_empty() {
        ui.add_space(6.0);
        heading_ui(ui, &texts.t("details-inside"));
        ui.horizontal_wrapped(|ui| {
            for child in inside.iter().take(120) {
                let Some(info) = index.catalogue.entities.get(*child as usize) else { continue };
                let is_place = matches!(
                    info.kind,
                    EntityKind::Storey
                        | EntityKind::Space
                        | EntityKind::Building
                        | EntityKind::Node
                        | EntityKind::Network
                );
                if is_place && ui.small_button(texts.name(&info.names)).clicked() {
                    actions.push(Action::FlyTo(info.path.as_str().to_owned()));
                }
            }
        });
    }
}

fn point_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    point: u32,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let Some(info) = index.point(point) else { return };
    let texts = input.texts;
    let state = input.state;
    let now_us = state.time_us(input.now_s).unwrap_or_default();
    ui.push_id(point, |ui| {
        ui.horizontal(|ui| {
            let name = ui.label(texts.name(&info.names));
            let name = name.on_hover_text(info.path.as_str());
            if view.wanted_point == Some(point) {
                name.scroll_to_me(Some(Align::Center));
                view.wanted_point = None;
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let answer = state.history(point, Range::LastDay).filter(|a| !a.buckets.is_empty());
                if let Some(answer) = answer
                    && sparkline_ui(ui, answer, now_us - DAY_US, now_us)
                {
                    view.expanded = if view.expanded == Some(point) { None } else { Some(point) };
                }
                value_ui(ui, input, point, info);
            });
        });
        ui.horizontal(|ui| {
            trust_ui(ui, input, point);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                pin_button_ui(ui, view, info.path.as_str(), texts);
                if info.value_type != ValueType::Text {
                    chart_button_ui(ui, view, info.path.as_str(), texts);
                }
                if info.command.is_some()
                    && acting_button_ui(ui, input, &texts.t("command-override")).clicked()
                {
                    view.draft = Some(Draft::new(point, info, state.value(point).map(|v| &v.value)));
                }
            });
        });
        command_ui(ui, input, info, actions);
        if view.expanded == Some(point) {
            expanded_ui(ui, input, point, info, now_us);
        }
        ui.add_space(2.0);
    });
}

/// The value of a point with its unit, where it has one.
pub fn value_ui(ui: &mut Ui, input: &Input<'_>, point: u32, info: &PointInfo) {
    if let Some(value) = input.state.value(point) {
        ui.label(RichText::new(value_text(&value.value, info, input.texts)).strong().size(15.0));
    }
}

/// How far the value of a point may be trusted, and how old it is.
pub fn trust_ui(ui: &mut Ui, input: &Input<'_>, point: u32) {
    let (state, texts) = (input.state, input.texts);
    let Some(value) = state.value(point) else {
        theme::badge_ui(ui, &texts.t("quality-none"), faint());
        return;
    };
    let quality = state.quality(value);
    let text = match quality {
        Quality::Good => texts.t("quality-good"),
        Quality::Uncertain => texts.t("quality-uncertain"),
        Quality::Bad => texts.t("quality-bad"),
        Quality::Stale => texts.t("quality-stale"),
    };
    theme::badge_ui(ui, &text, theme::quality_colour(quality));
    let now_us = state.time_us(input.now_s).unwrap_or_default();
    let age_s = (now_us - value.time_us) as f64 / 1e6;
    ui.label(RichText::new(age_text(age_s, texts)).small().color(faint()));
}

/// The filled slots of a point that is commanded.
fn command_ui(ui: &mut Ui, input: &Input<'_>, info: &PointInfo, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let Some(command) = input.state.commands.get(info.path.as_str()).filter(|c| !c.slots.is_empty()) else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        let value = command.effective.to_string();
        let in_force = texts.with("command-in-force", &[("value", &value)]);
        ui.label(RichText::new(in_force).small().color(accent()));
        match command.confirmed {
            Some(true) => theme::badge_ui(ui, &texts.t("command-confirmed"), theme::good()),
            Some(false) => theme::badge_ui(ui, &texts.t("command-unconfirmed"), theme::warn()),
            None => {}
        }
    });
    for slot in &command.slots {
        ui.horizontal(|ui| {
            let until = slot.expires_us.map_or_else(
                || texts.t("command-expiry-never"),
                |at| {
                    let time = crate::units::time_text(at, input.timezone(), "%m-%d %H:%M");
                    texts.with("command-until", &[("time", &time)])
                },
            );
            let text =
                format!("{} · {} · {} · {until}\n{}", slot.priority, slot.value, slot.actor, slot.reason);
            ui.label(RichText::new(text).small());
            if acting_button_ui(ui, input, &texts.t("command-relinquish")).clicked() {
                actions.push(Action::Relinquish {
                    point: info.path.clone(),
                    priority: slot.priority,
                    reason: texts.t("command-relinquish"),
                });
            }
        });
    }
}

fn expanded_ui(ui: &mut Ui, input: &Input<'_>, point: u32, info: &PointInfo, now_us: i64) {
    let texts = input.texts;
    let unit = unit_text(&info.unit);
    let title = texts.t("details-day");
    heading_ui(ui, &if unit.is_empty() { title } else { format!("{title}  ({unit})") });
    match input.state.histories.get(&Stretched { point, range: Range::LastDay }) {
        Some(history) => match &history.answer {
            Some(answer) if !answer.buckets.is_empty() => {
                chart_ui(ui, answer, now_us - DAY_US, now_us, input.timezone());
            }
            _ if history.settled => {
                ui.label(RichText::new(texts.t("details-no-history")).color(faint()));
            }
            _ => {
                ui.label(RichText::new(texts.t("details-loading")).color(faint()));
            }
        },
        None => {
            ui.label(RichText::new(texts.t("details-loading")).color(faint()));
        }
    }
}
