//! The dialog that overrides a point: value by type, reason, priority, expiry.

use bevy_egui::egui::{Align2, ComboBox, Context, DragValue, Grid, RichText, TextEdit, Ui, Window, vec2};
use campanile_protocol::{JsonValue, PointInfo, Priority, Value, ValueType, limits};

use crate::locale::Texts;
use crate::state::Index;
use crate::theme::{faint, ink};
use crate::ui::{Action, Input, View};
use crate::units::{number_text, unit_text};

/// An override being written.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The index of the point.
    pub point: u32,
    /// What it should be.
    pub value: JsonValue,
    /// Why.
    pub reason: String,
    /// Which slot.
    pub priority: u8,
    /// For how long, seconds; `None`: until relinquished.
    pub expiry_s: Option<f64>,
}

/// An override that nobody remembers is the commonest fault of a building, so it ends by itself
/// unless the person says otherwise.
const USUAL_EXPIRY_S: f64 = 3600.0;
const EXPIRIES_S: [f64; 5] = [900.0, 3600.0, 14_400.0, 28_800.0, 86_400.0];
const PRIORITIES: [u8; 6] = [1, 2, 5, 8, 10, 16];

impl Draft {
    /// Begins with what the point is now.
    pub fn new(point: u32, info: &PointInfo, now: Option<&Value>) -> Self {
        let safe = info.command.as_ref().map(|c| c.safe.clone());
        let value = match now {
            Some(value) if value.value_type() == info.value_type => {
                JsonValue::from_value_of(value, &info.choices)
            }
            _ => safe.unwrap_or(JsonValue::Number(0.0)),
        };
        let operator = Priority::MANUAL_OPERATOR.get();
        let weakest = info.command.as_ref().and_then(|c| c.weakest_priority).unwrap_or(16);
        Self {
            point,
            value,
            reason: String::new(),
            priority: operator.min(weakest),
            expiry_s: Some(USUAL_EXPIRY_S),
        }
    }

    /// Whether it can be sent: with a reason, and a value that the point takes.
    pub fn is_complete(&self, info: &PointInfo) -> bool {
        let limits = info.command.as_ref().and_then(|c| c.limits);
        let within = match (&self.value, limits) {
            (JsonValue::Number(x), Some([low, high])) => (low..=high).contains(x),
            _ => true,
        };
        let reason = self.reason.trim();
        let fits = self.value.to_value(info.value_type, info.choices.iter().map(|c| c.id.as_str())).is_ok();
        within && fits && !reason.is_empty() && reason.len() <= limits::MAX_REASON_BYTES
    }
}

fn priority_text(priority: u8, texts: &Texts) -> String {
    match priority {
        1 => texts.t("slot-1"),
        2 => texts.t("slot-2"),
        5 => texts.t("slot-5"),
        8 => texts.t("slot-8"),
        n => texts.with("slot-other", &[("n", &n.to_string())]),
    }
}

fn expiry_text(expiry_s: Option<f64>, texts: &Texts) -> String {
    match expiry_s {
        None => texts.t("command-expiry-never"),
        Some(s) if s < 3600.0 => texts.with("command-expiry-minutes", &[("n", &format!("{:.0}", s / 60.0))]),
        Some(s) => texts.with("command-expiry-hours", &[("n", &format!("{:.0}", s / 3600.0))]),
    }
}

/// Draws the dialog if an override is being written.
pub fn override_ui(
    ctx: &Context,
    input: &Input<'_>,
    index: &Index,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let Some(draft) = &mut view.draft else { return };
    let Some(info) = index.point(draft.point) else {
        view.draft = None;
        return;
    };
    let texts = input.texts;
    let entity = index.catalogue.entities.get(info.entity as usize);
    let place = entity.map_or("", |e| texts.name(&e.names));
    let mut done = false;
    Window::new(RichText::new(texts.t("command-title")).strong().color(ink()))
        .id("override".into())
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(-60.0, 0.0))
        .show(ctx, |ui| {
            ui.set_width(360.0);
            ui.label(format!("{place} · {}", texts.name(&info.names)));
            ui.label(RichText::new(info.path.as_str()).small().color(faint()));
            ui.add_space(4.0);
            Grid::new("override-grid").num_columns(2).spacing(vec2(12.0, 8.0)).show(ui, |ui| {
                fields_ui(ui, info, draft, texts);
            });
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                let send = ui.add_enabled(
                    draft.is_complete(info),
                    bevy_egui::egui::Button::new(texts.t("command-send")),
                );
                if send.clicked() {
                    actions.push(Action::Write {
                        point: info.path.clone(),
                        value: draft.value.clone(),
                        priority: draft.priority,
                        expiry_s: draft.expiry_s,
                        reason: draft.reason.trim().to_owned(),
                    });
                    done = true;
                }
                done |= ui.button(texts.t("command-cancel")).clicked();
            });
        });
    if done {
        view.draft = None;
    }
}

fn fields_ui(ui: &mut Ui, info: &PointInfo, draft: &mut Draft, texts: &Texts) {
    ui.label(texts.t("command-value"));
    value_ui(ui, info, draft, texts);
    ui.end_row();
    ui.label(texts.t("command-reason"));
    let hint = texts.t("command-reason-hint");
    ui.add(TextEdit::singleline(&mut draft.reason).hint_text(hint).char_limit(160).desired_width(240.0));
    ui.end_row();
    ui.label(texts.t("command-priority"));
    let weakest = info.command.as_ref().and_then(|c| c.weakest_priority).unwrap_or(16);
    ComboBox::from_id_salt("priority")
        .width(240.0)
        .selected_text(priority_text(draft.priority, texts))
        .show_ui(ui, |ui| {
            for priority in PRIORITIES.into_iter().filter(|p| *p <= weakest) {
                ui.selectable_value(&mut draft.priority, priority, priority_text(priority, texts));
            }
        });
    ui.end_row();
    ui.label(texts.t("command-expiry"));
    ComboBox::from_id_salt("expiry").width(240.0).selected_text(expiry_text(draft.expiry_s, texts)).show_ui(
        ui,
        |ui| {
            for expiry in EXPIRIES_S.into_iter().map(Some).chain([None]) {
                ui.selectable_value(&mut draft.expiry_s, expiry, expiry_text(expiry, texts));
            }
        },
    );
    ui.end_row();
}

fn value_ui(ui: &mut Ui, info: &PointInfo, draft: &mut Draft, texts: &Texts) {
    match info.value_type {
        ValueType::Number => {
            let limits = info.command.as_ref().and_then(|c| c.limits);
            let mut x = if let JsonValue::Number(x) = draft.value { x } else { 0.0 };
            ui.vertical(|ui| {
                let mut drag = DragValue::new(&mut x).speed(info.resolution.unwrap_or(0.1).max(1e-3));
                drag = drag.suffix(format!(" {}", unit_text(&info.unit))).max_decimals(3);
                if let Some([low, high]) = limits {
                    drag = drag.range(low..=high);
                }
                ui.add(drag);
                if let Some([low, high]) = limits {
                    let low = number_text(low, info.resolution.or(Some(1.0)));
                    let high = number_text(high, info.resolution.or(Some(1.0)));
                    let text = texts.with("command-limits", &[("low", &low), ("high", &high)]);
                    ui.label(RichText::new(text).small().color(faint()));
                }
            });
            draft.value = JsonValue::Number(x);
        }
        ValueType::Bool => {
            let mut on = draft.value == JsonValue::Bool(true);
            ui.horizontal(|ui| {
                ui.selectable_value(&mut on, true, texts.t("bool-on"));
                ui.selectable_value(&mut on, false, texts.t("bool-off"));
            });
            draft.value = JsonValue::Bool(on);
        }
        ValueType::Choice => {
            let mut chosen = draft.value.to_string();
            ui.horizontal_wrapped(|ui| {
                for choice in &info.choices {
                    let text = texts.name(&choice.names);
                    ui.selectable_value(&mut chosen, choice.id.clone(), text);
                }
            });
            draft.value = JsonValue::Text(chosen);
        }
        ValueType::Text => {
            let mut text = draft.value.to_string();
            ui.add(TextEdit::singleline(&mut text).char_limit(200).desired_width(240.0));
            draft.value = JsonValue::Text(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use campanile_protocol::CommandInfo;

    use super::*;
    use crate::state::tests::catalogue;

    #[test]
    fn an_override_needs_a_reason_and_a_value_within_limits() {
        let mut info = catalogue().points.remove(0);
        info.command = Some(CommandInfo {
            limits: Some([16.0, 30.0]),
            min_interval_s: 0.0,
            safe: JsonValue::Number(26.0),
            readback: None,
            weakest_priority: Some(5),
        });
        let mut draft = Draft::new(0, &info, None);
        assert_eq!(
            (draft.value.clone(), draft.priority),
            (JsonValue::Number(26.0), 5),
            "as strong as has to be"
        );
        assert_eq!(draft.expiry_s, Some(3600.0), "it ends by itself");
        assert!(!draft.is_complete(&info), "no reason");
        draft.reason = "exam".into();
        assert!(draft.is_complete(&info));
        draft.value = JsonValue::Number(35.0);
        assert!(!draft.is_complete(&info), "too hot");
        draft.value = JsonValue::Bool(true);
        assert!(!draft.is_complete(&info), "not a number");
    }
}
