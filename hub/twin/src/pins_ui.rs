//! The strip: points that a person wants to have before their eyes, wherever they look.

use bevy_egui::egui::{
    Align2, Area, Color32, Context, CornerRadius, Id, Rect, Response, RichText, Sense, Shape, Stroke, Ui,
    pos2, vec2,
};
use campanile_protocol::{PointInfo, Quality, ValueType};

use crate::chart::spark_ui;
use crate::charts_ui::place_of;
use crate::locale::Texts;
use crate::period::Range;
use crate::place::Pane;
use crate::prefs::{Face, MOST_PINS, Pin};
use crate::state::{Index, Stretched};
use crate::theme::{self, accent, faint, ink};
use crate::ui::{Action, Input, View, left_of_middle, right_of_middle};
use crate::units::value_text;

/// How high the strip is with the room above it, points.
pub const STRIP_HEIGHT: f32 = 84.0;
const CARD_WIDTH: f32 = 158.0;
const DAY_US: i64 = 86_400_000_000;

impl View {
    /// Puts a point on the strip, or takes it off.
    pub fn toggle_pin(&mut self, path: &str) {
        let pins = &mut self.own.pins;
        match pins.iter().position(|pin| pin.point == path) {
            Some(at) => drop(pins.remove(at)),
            None => {
                if pins.len() >= MOST_PINS {
                    pins.remove(0);
                }
                pins.push(Pin { point: path.to_owned(), face: Face::default() });
            }
        }
    }

    /// How much of the screen's foot the strip takes, points.
    pub fn strip_height(&self) -> f32 {
        if self.own.pins.is_empty() { 0.0 } else { STRIP_HEIGHT }
    }

    /// What the strip wants of the past.
    pub fn pinned(&self, index: &Index) -> Vec<Stretched> {
        let points = self.own.pins.iter().filter_map(|pin| index.point_at(&pin.point));
        points.map(|point| Stretched { point, range: Range::LastDay }).collect()
    }
}

/// A small button that pins a point, or takes it off the strip.
pub fn pin_button_ui(ui: &mut Ui, view: &mut View, path: &str, texts: &Texts) {
    let is_on = view.own.pins.iter().any(|pin| pin.point == path);
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::click());
    let hint = texts.t(if is_on { "pin-off" } else { "pin-on" });
    response.widget_info(|| {
        bevy_egui::egui::WidgetInfo::selected(bevy_egui::egui::WidgetType::Button, true, is_on, &hint)
    });
    let colour = if is_on || response.hovered() { accent() } else { faint() };
    let middle = rect.center();
    let head = [
        middle + vec2(-4.0, -6.0),
        middle + vec2(4.0, -6.0),
        middle + vec2(2.5, 0.0),
        middle + vec2(5.0, 2.0),
        middle + vec2(-5.0, 2.0),
        middle + vec2(-2.5, 0.0),
    ];
    let fill = if is_on { accent() } else { Color32::TRANSPARENT };
    ui.painter().add(Shape::convex_polygon(head.to_vec(), fill, Stroke::new(1.2, colour)));
    ui.painter().line_segment([middle + vec2(0.0, 2.0), middle + vec2(0.0, 7.0)], Stroke::new(1.4, colour));
    if response.on_hover_text(hint).clicked() {
        view.toggle_pin(path);
    }
}

/// Draws the strip.
pub fn pins_ui(
    ctx: &Context,
    screen: Rect,
    input: &Input<'_>,
    index: &Index,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    if view.own.pins.is_empty() {
        return;
    }
    let left = left_of_middle(screen);
    let right = right_of_middle(screen, view);
    let room = (right - left - 16.0).max(CARD_WIDTH);
    let fit = ((room / (CARD_WIDTH + 8.0)).floor() as usize).max(1);
    let at = pos2((left + right) * 0.5, crate::ui::foot(screen, input, view));
    let pins: Vec<Pin> = view.own.pins.clone();
    Area::new(Id::new("strip"))
        .fade_in(false)
        .pivot(Align2::CENTER_BOTTOM)
        .fixed_pos(at)
        .constrain(false)
        .show(ctx, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                for (i, pin) in pins.iter().enumerate().take(fit) {
                    pin_ui(ui, input, index, pin, i, view, actions);
                }
                if pins.len() > fit {
                    let more = format!("+{}", pins.len() - fit);
                    ui.label(RichText::new(more).color(ink())).on_hover_text(input.texts.t("pins-more"));
                }
            });
        });
}

fn pin_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    pin: &Pin,
    at: usize,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let frame = theme::card().inner_margin(bevy_egui::egui::Margin::symmetric(9, 6));
    let drawn = frame.show(ui, |ui| {
        ui.set_width(CARD_WIDTH - 18.0);
        ui.set_height(STRIP_HEIGHT - 26.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let Some((point, info)) = index.point_at(&pin.point).and_then(|i| Some((i, index.point(i)?)))
            else {
                ui.label(RichText::new(&pin.point).small().color(faint()));
                ui.label(RichText::new(texts.t("quality-none")).small().color(faint()));
                return;
            };
            let name = format!("{} · {}", texts.name(&info.names), place_of(index, info, texts));
            ui.add(bevy_egui::egui::Label::new(RichText::new(name).small().color(faint())).truncate());
            let value = input.state.value(point);
            let quality = value.map(|value| input.state.quality(value));
            ui.horizontal(|ui| {
                let (dot, _) = ui.allocate_exact_size(vec2(8.0, 18.0), Sense::hover());
                let colour = quality.map_or(faint(), theme::quality_colour);
                ui.painter().circle_filled(dot.center(), 3.5, colour);
                let text = value.map_or_else(|| "–".into(), |value| value_text(&value.value, info, texts));
                let ink = if quality.is_none_or(|q| q == Quality::Good) { ink() } else { faint() };
                let size = if pin.face == Face::Chart { 13.0 } else { 17.0 };
                ui.add(
                    bevy_egui::egui::Label::new(RichText::new(text).strong().size(size).color(ink))
                        .truncate(),
                );
            });
            face_ui(ui, input, pin.face, point, info);
        });
    });
    let response = drawn.response.interact(Sense::click());
    response.widget_info(|| {
        bevy_egui::egui::WidgetInfo::labeled(bevy_egui::egui::WidgetType::Button, true, &pin.point)
    });
    menu(&response, input, pin, at, view);
    if response.on_hover_text(texts.t("pin-hint")).clicked()
        && let Some(info) = index.point_at(&pin.point).and_then(|i| index.point(i))
        && let Some(entity) = index.catalogue.entities.get(info.entity as usize)
    {
        actions.push(Action::FlyTo(entity.path.as_str().to_owned()));
    }
}

fn menu(response: &Response, input: &Input<'_>, pin: &Pin, at: usize, view: &mut View) {
    let texts = input.texts;
    response.context_menu(|ui| {
        for (face, text) in [
            (Face::Number, texts.t("face-number")),
            (Face::Gauge, texts.t("face-gauge")),
            (Face::Chart, texts.t("face-chart")),
        ] {
            if ui.selectable_label(pin.face == face, text).clicked() {
                if let Some(pin) = view.own.pins.get_mut(at) {
                    pin.face = face;
                }
                ui.close();
            }
        }
        ui.separator();
        ui.horizontal(|ui| {
            let left = ui.add_enabled(at > 0, bevy_egui::egui::Button::new("‹"));
            if theme::named(left, &texts.t("pin-left")).clicked() {
                view.own.pins.swap(at, at - 1);
                ui.close();
            }
            let right = ui.add_enabled(at + 1 < view.own.pins.len(), bevy_egui::egui::Button::new("›"));
            if theme::named(right, &texts.t("pin-right")).clicked() {
                view.own.pins.swap(at, at + 1);
                ui.close();
            }
        });
        if ui.button(texts.t("charts-add")).clicked() {
            if !view.charts.points.contains(&pin.point) {
                view.charts.toggle(&pin.point);
            }
            view.dock.open(Pane::Charts);
            ui.close();
        }
        if ui.button(texts.t("pin-off")).clicked() {
            view.toggle_pin(&pin.point);
            ui.close();
        }
    });
}

fn face_ui(ui: &mut Ui, input: &Input<'_>, face: Face, point: u32, info: &PointInfo) {
    let (rect, _) =
        ui.allocate_exact_size(ui.available_size_before_wrap().max(vec2(20.0, 6.0)), Sense::hover());
    let now_us = input.state.time_us(input.now_s).unwrap_or_default();
    match face {
        Face::Gauge => {
            let (Some([low, high]), Some(x)) = (info.range, input.state.live_number(point)) else { return };
            let bar = Rect::from_center_size(rect.center(), vec2(rect.width(), 6.0));
            let share = if high > low { ((x - low) / (high - low)).clamp(0.0, 1.0) as f32 } else { 0.0 };
            ui.painter().rect_filled(bar, CornerRadius::same(3), theme::track());
            let filled = bar.with_max_x(bar.left() + bar.width() * share);
            ui.painter().rect_filled(filled, CornerRadius::same(3), accent());
            // Where alarms begin.
            for limit in info.alarms.iter().flat_map(|alarm| [alarm.high, alarm.low]).flatten() {
                let x = bar.left() + ((limit - low) / (high - low)).clamp(0.0, 1.0) as f32 * bar.width();
                ui.painter().vline(
                    x,
                    (bar.top() - 2.0)..=(bar.bottom() + 2.0),
                    Stroke::new(1.5, theme::bad()),
                );
            }
        }
        Face::Number | Face::Chart => {
            let Some(answer) = input.state.history(point, Range::LastDay) else { return };
            let is_state = info.value_type != ValueType::Number;
            spark_ui(ui, rect, answer, now_us - DAY_US, now_us, is_state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::state::tests::live_state;

    #[test]
    fn a_pinned_point_is_on_the_strip_with_its_value_and_leads_to_its_place() {
        for language in Language::ALL {
            let mut view = View::default();
            view.toggle_pin("a/1f/101/co2");
            view.toggle_pin("gone/point");
            let mut person = Person::at(live_state(), view, language, [1024.0, 640.0]);
            assert!(person.sees("800 ppm") && person.sees("gone/point"), "{:?}", person.all());
            person.click_on("800 ppm");
            assert_eq!(person.wishes, [Action::FlyTo("a/1f/101".into())]);
            assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
        }
        let mut view = View::default();
        (0..20).for_each(|n| view.toggle_pin(&n.to_string()));
        assert_eq!(view.own.pins.len(), MOST_PINS);
        view.toggle_pin("19");
        assert!(view.own.pins.iter().all(|pin| pin.point != "19"));
    }
}
