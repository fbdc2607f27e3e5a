//! Layers drawn: the row that chooses one, its signs and streams over the campus, its legend.

use bevy::math::Vec2 as Spot;
use bevy_egui::egui::{
    Align2, Area, Color32, Context, FontFamily, FontId, Galley, Id, LayerId, Order, Painter, Pos2, Rect,
    RichText, Sense, Shape, Stroke, Ui, pos2, vec2,
};
use campanile_protocol::plugins::Tone;

use crate::lens::{Icon, Lens, Pin, Row, Stream};
use crate::locale::Texts;
use crate::state::Index;
use crate::theme::{self, accent, faint, ink, mark_colour};
use crate::ui::{Action, Input, View, card_ui, legend_place};

/// Half the size of a sign, points.
const HALF: f32 = 11.0;
/// Farther than this a sign that asks for no look is small, metres; and half its size then, points.
const QUIET_M: f32 = 160.0;
const QUIET_HALF: f32 = 6.0;
/// Marks on a stream are so far apart, points.
const MARKS_APART: f32 = 34.0;
/// So fast they move at the largest flow, points a second.
const FASTEST: f32 = 70.0;

/// Draws an icon of 16 by 16 points around its middle.
pub fn icon(painter: &Painter, at: Pos2, icon: Icon, colour: Color32) {
    let line = Stroke::new(1.5, colour);
    let p = |x: f32, y: f32| at + vec2(x, y);
    let path = |points: &[(f32, f32)]| {
        let points = points.iter().map(|&(x, y)| p(x, y)).collect::<Vec<_>>();
        painter.add(Shape::line(points, line));
    };
    let closed = |points: &[(f32, f32)]| {
        let points = points.iter().map(|&(x, y)| p(x, y)).collect::<Vec<_>>();
        painter.add(Shape::closed_line(points, line));
    };
    let filled = |points: &[(f32, f32)]| {
        let points = points.iter().map(|&(x, y)| p(x, y)).collect::<Vec<_>>();
        painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
    };
    let wave = |y: f32| path(&[(-6.0, y), (-3.0, y - 2.0), (0.0, y), (3.0, y - 2.0), (6.0, y)]);
    match icon {
        Icon::Cold => {
            for turn in 0..3 {
                let (sin, cos) = (turn as f32 * std::f32::consts::FRAC_PI_3).sin_cos();
                path(&[(-6.0 * cos, -6.0 * sin), (6.0 * cos, 6.0 * sin)]);
            }
        }
        Icon::Window => {
            closed(&[(-5.0, -6.0), (5.0, -6.0), (5.0, 6.0), (-5.0, 6.0)]);
            path(&[(0.0, -6.0), (0.0, 6.0)]);
            path(&[(-5.0, 0.0), (5.0, 0.0)]);
        }
        Icon::Fan => {
            for turn in 0..3 {
                let (sin, cos) = (turn as f32 * std::f32::consts::TAU / 3.0).sin_cos();
                painter.circle_filled(p(3.6 * sin, -3.6 * cos), 2.6, colour);
            }
            painter.circle_stroke(at, 1.6, line);
        }
        Icon::Gas => {
            painter.circle_filled(p(-2.5, 1.5), 3.2, colour);
            painter.circle_filled(p(2.5, 2.0), 2.7, colour);
            painter.circle_filled(p(0.5, -2.0), 3.2, colour);
        }
        Icon::Bolt => {
            filled(&[(1.5, -7.0), (-4.0, 1.0), (0.0, 1.0)]);
            filled(&[(-1.5, 7.0), (4.0, -1.0), (0.0, -1.0)]);
        }
        Icon::Sun => {
            painter.circle_filled(at, 3.0, colour);
            for turn in 0..8 {
                let (sin, cos) = (turn as f32 * std::f32::consts::FRAC_PI_4).sin_cos();
                path(&[(4.6 * cos, 4.6 * sin), (6.8 * cos, 6.8 * sin)]);
            }
        }
        Icon::Drop => {
            painter.circle_filled(p(0.0, 2.0), 4.2, colour);
            filled(&[(0.0, -7.0), (3.8, 0.4), (-3.8, 0.4)]);
        }
        Icon::Tank => {
            closed(&[(-5.0, -6.0), (5.0, -6.0), (5.0, 6.0), (-5.0, 6.0)]);
            filled(&[(-5.0, 0.0), (5.0, 0.0), (5.0, 6.0), (-5.0, 6.0)]);
        }
        Icon::Pump => {
            painter.circle_stroke(at, 5.5, line);
            filled(&[(-2.5, -3.5), (4.0, 0.0), (-2.5, 3.5)]);
        }
        Icon::Waves => {
            wave(-3.0);
            wave(1.0);
            wave(5.0);
        }
        Icon::Flame => {
            painter.circle_filled(p(0.0, 2.5), 3.8, colour);
            filled(&[(1.0, -7.0), (3.6, 1.5), (-3.0, 1.0)]);
            filled(&[(-3.0, -2.5), (-0.5, 2.0), (-3.8, 2.5)]);
        }
        Icon::Call => {
            painter.circle_stroke(at, 5.8, line);
            painter.circle_filled(at, 2.6, colour);
        }
        Icon::Door => {
            closed(&[(-4.0, -6.5), (4.0, -6.5), (4.0, 6.5), (-4.0, 6.5)]);
            painter.circle_filled(p(1.8, 0.5), 1.3, colour);
        }
        Icon::Exit => {
            path(&[(2.0, -6.0), (-5.0, -6.0), (-5.0, 6.0), (2.0, 6.0)]);
            path(&[(-1.5, 0.0), (6.0, 0.0)]);
            path(&[(3.0, -3.0), (6.0, 0.0), (3.0, 3.0)]);
        }
        Icon::Barrier => {
            closed(&[(-6.5, -2.5), (6.5, -2.5), (6.5, 2.5), (-6.5, 2.5)]);
            for x in [-4.0, 0.0, 4.0] {
                path(&[(x - 1.5, 2.5), (x + 1.5, -2.5)]);
            }
        }
        Icon::Lift => {
            filled(&[(0.0, -6.5), (3.8, -1.2), (-3.8, -1.2)]);
            filled(&[(0.0, 6.5), (-3.8, 1.2), (3.8, 1.2)]);
        }
        Icon::Assembly => {
            for (x, y) in [(-4.0, -3.0), (4.0, -3.0), (0.0, -1.0)] {
                painter.circle_filled(p(x, y), 2.0, colour);
                path(&[(x, y + 2.0), (x, y + 6.5)]);
            }
        }
        Icon::Leaf => {
            filled(&[(-5.0, 5.0), (-4.5, -1.5), (0.5, -5.5), (6.0, -6.0), (5.0, 0.0), (1.0, 4.5)]);
            path(&[(-6.5, 6.5), (-2.0, 2.0)]);
        }
        Icon::Valve => {
            filled(&[(-6.0, -1.0), (0.0, 2.5), (-6.0, 6.0)]);
            filled(&[(6.0, -1.0), (6.0, 6.0), (0.0, 2.5)]);
            path(&[(0.0, 2.5), (0.0, -4.0)]);
            path(&[(-3.5, -4.5), (3.5, -4.5)]);
        }
    }
}

/// The colours of a sign: its ground and its icon.
fn colours(tone: Tone) -> (Color32, Color32) {
    match tone {
        Tone::Plain => (theme::ground(), ink()),
        _ => (mark_colour(tone), Color32::WHITE),
    }
}

/// Whether nothing asks for a look from afar: such a sign is small.
fn is_quiet(pin: &Pin) -> bool {
    pin.tone == Tone::Plain && pin.distance_m > QUIET_M
}

fn sign_ui(painter: &Painter, pin: &Pin, is_pointed: bool) {
    let at = pos2(pin.at.x, pin.at.y);
    let (ground, ink_of) = colours(pin.tone);
    let ring = if is_pointed { accent() } else { Color32::from_black_alpha(70) };
    if is_quiet(pin) && !is_pointed {
        painter.circle(at, QUIET_HALF, ground.gamma_multiply(0.85), Stroke::new(1.0, ring));
        painter.circle_filled(at, 2.5, ink_of.gamma_multiply(0.7));
        return;
    }
    painter.circle(at, HALF, ground, Stroke::new(if is_pointed { 2.5 } else { 1.0 }, ring));
    icon(painter, at, pin.icon, ink_of);
    if pin.count > 1 {
        let font = FontId::new(11.0, FontFamily::Proportional);
        let galley = painter.layout_no_wrap(pin.count.to_string(), font, Color32::WHITE);
        let rect = Align2::CENTER_CENTER.anchor_size(at + vec2(HALF, -HALF), galley.size());
        painter.rect_filled(rect.expand2(vec2(4.0, 1.0)), 7.0, Color32::from_rgb(52, 64, 84));
        painter.galley(rect.min, galley, Color32::WHITE);
    } else if let Some((galley, rect)) = text_beside(painter, pin) {
        painter.rect_filled(rect.expand2(vec2(4.0, 2.0)), 5.0, theme::veil());
        painter.galley(rect.min, galley, ink());
    }
}

fn text_beside(painter: &Painter, pin: &Pin) -> Option<(std::sync::Arc<Galley>, Rect)> {
    if pin.text.is_empty() || pin.count > 1 {
        return None;
    }
    let font = FontId::new(12.0, FontFamily::Proportional);
    let galley = painter.layout_no_wrap(pin.text.clone(), font, ink());
    let at = pos2(pin.at.x, pin.at.y) + vec2(HALF + 7.0, 0.0);
    Some((galley.clone(), Align2::LEFT_CENTER.anchor_size(at, galley.size())))
}

/// What signs and streams cover, for names to keep away from.
pub fn covered(painter: &Painter, input: &Input<'_>) -> Vec<Rect> {
    let mut rects = Vec::new();
    for pin in &input.lens.pins {
        let half = if is_quiet(pin) { QUIET_HALF } else { HALF + 2.0 };
        rects.push(Rect::from_center_size(pos2(pin.at.x, pin.at.y), vec2(2.0 * half, 2.0 * half)));
        rects.extend(text_beside(painter, pin).map(|(_, rect)| rect));
    }
    rects.extend(input.lens.streams.iter().filter_map(|stream| Some(amount_beside(painter, stream)?.1)));
    rects
}

/// How much flows, below the end of its way; little things say nothing.
fn amount_beside(painter: &Painter, stream: &Stream) -> Option<(std::sync::Arc<Galley>, Rect)> {
    const LEAST_SHARE: f32 = 0.01;
    let end = stream.way.last().filter(|_| stream.share > LEAST_SHARE)?;
    let font = FontId::new(12.0, FontFamily::Proportional);
    let galley = painter.layout_no_wrap(stream.text.clone(), font, ink());
    Some((galley.clone(), Align2::CENTER_TOP.anchor_size(pos2(end.x, end.y + 8.0), galley.size())))
}

/// The point so far along a way, points.
fn along(way: &[Spot], far: f32) -> Option<Spot> {
    let mut left = far;
    for pair in way.windows(2) {
        let [from, to] = pair else { continue };
        let long = from.distance(*to);
        if left <= long && long > 0.0 {
            return Some(from.lerp(*to, left / long));
        }
        left -= long;
    }
    None
}

fn stream_ui(painter: &Painter, stream: &Stream, now_s: f64) {
    let colour = accent();
    let width = 1.2 + 3.2 * stream.share.sqrt();
    let points: Vec<Pos2> = stream.way.iter().map(|at| pos2(at.x, at.y)).collect();
    painter.add(Shape::line(points.clone(), Stroke::new(width + 2.0, theme::veil())));
    painter.add(Shape::line(points, Stroke::new(width, colour.gamma_multiply(0.55))));
    let long: f32 = stream.way.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
    // What flows more moves faster; the least still moves.
    let speed = FASTEST * (0.25 + 0.75 * stream.share.sqrt());
    let first = (now_s * f64::from(speed)).rem_euclid(f64::from(MARKS_APART)) as f32;
    let mut far = first;
    while far < long {
        if let Some(at) = along(&stream.way, far) {
            painter.circle(pos2(at.x, at.y), 1.8 + width * 0.5, Color32::WHITE, Stroke::new(1.5, colour));
        }
        far += MARKS_APART;
    }
}

fn amount_ui(painter: &Painter, stream: &Stream) {
    if let Some((galley, rect)) = amount_beside(painter, stream) {
        painter.rect_filled(rect.expand2(vec2(4.0, 1.0)), 5.0, theme::veil());
        painter.galley(rect.min, galley, ink());
    }
}

/// Draws what flows and the signs, below the panels. A click on a sign chooses what it stands for.
pub fn lens_ui(ctx: &Context, input: &Input<'_>, index: &Index, view: &View, actions: &mut Vec<Action>) {
    let painter = ctx.layer_painter(LayerId::background());
    for stream in &input.lens.streams {
        stream_ui(&painter, stream, input.now_s);
    }
    input.lens.streams.iter().for_each(|stream| amount_ui(&painter, stream));
    let pointer = ctx.pointer_hover_pos().filter(|_| !view.panel_has_pointer);
    let place = |pin: &Pin| pos2(pin.at.x, pin.at.y);
    // The one on top is drawn last.
    let is_near = |pin: &&Pin| pointer.is_some_and(|pointer| place(pin).distance(pointer) < HALF + 3.0);
    let pointed = input.lens.pins.iter().rev().find(is_near);
    for pin in &input.lens.pins {
        sign_ui(&painter, pin, false);
    }
    let (Some(pin), Some(pointer)) = (pointed, pointer) else { return };
    sign_ui(&painter, pin, true);
    if ctx.input(|input| input.pointer.primary_clicked()) {
        // Of several one cannot be meant: it is gone nearer.
        let path = pin.path.clone();
        actions.push(if pin.count > 1 { Action::FlyTo(path) } else { Action::Select(Some(path)) });
    }
    let texts = input.texts;
    let entity = index.nearest(&pin.path).and_then(|entity| index.catalogue.entities.get(entity as usize));
    let name = entity.map_or(pin.path.as_str(), |entity| texts.name(&entity.names));
    let tip = Area::new(Id::new("sign")).order(Order::Tooltip).fixed_pos(pointer + vec2(16.0, 12.0));
    tip.fade_in(false).interactable(false).show(ctx, |ui| {
        theme::card().show(ui, |ui| {
            ui.set_max_width(260.0);
            ui.label(RichText::new(name).strong());
            if pin.count > 1 {
                let more = (pin.count - 1).to_string();
                ui.label(RichText::new(texts.with("lens-more", &[("n", &more)])).color(faint()));
            }
        });
    });
}

/// The row of layers.
pub fn lenses_ui(ui: &mut Ui, texts: &Texts, view: &View, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = 6.0;
        for lens in Lens::ALL {
            let is_chosen = view.lens == Some(lens);
            let text = RichText::new(lens.text(texts)).size(12.0);
            if ui.selectable_label(is_chosen, text).clicked() {
                actions.push(Action::Lens((!is_chosen).then_some(lens)));
            }
        }
    });
}

fn row_text(row: &Row, texts: &Texts) -> String {
    let all = row.all.to_string();
    match row.notable {
        Some(notable) => texts.with("lens-of", &[("n", &notable.to_string()), ("all", &all)]),
        None => all,
    }
}

/// What a kind of sign is called.
fn sign_text(key: &str, texts: &Texts) -> String {
    match key {
        "sign-ac" => texts.t("sign-ac"),
        "sign-window" => texts.t("sign-window"),
        "sign-fan" => texts.t("sign-fan"),
        "sign-gas" => texts.t("sign-gas"),
        "sign-power" => texts.t("sign-power"),
        "sign-pv" => texts.t("sign-pv"),
        "sign-flow" => texts.t("sign-flow"),
        "sign-tank" => texts.t("sign-tank"),
        "sign-pump" => texts.t("sign-pump"),
        "sign-river" => texts.t("sign-river"),
        "sign-wet" => texts.t("sign-wet"),
        "sign-smoke" => texts.t("sign-smoke"),
        "sign-heat" => texts.t("sign-heat"),
        "sign-call" => texts.t("sign-call"),
        "sign-fire-door" => texts.t("sign-fire-door"),
        "sign-exit" => texts.t("sign-exit"),
        "sign-barrier" => texts.t("sign-barrier"),
        "sign-lift" => texts.t("sign-lift"),
        "sign-soil" => texts.t("sign-soil"),
        _ => texts.t("sign-valve"),
    }
}

/// A legend of more kinds of signs has two columns.
const MOST_IN_A_COLUMN: usize = 4;

/// The legend of the layer, where no quantity has one of its own there.
pub fn lens_legend_ui(
    ctx: &Context,
    screen: Rect,
    input: &Input<'_>,
    view: &View,
    actions: &mut Vec<Action>,
) {
    let Some(lens) = view.lens.filter(|_| view.quantity.is_none() && view.layer.is_none()) else { return };
    let texts = input.texts;
    let at = legend_place(screen, input, view);
    let width = if input.lens.rows.len() > MOST_IN_A_COLUMN { 450.0 } else { 230.0 };
    card_ui(ctx, "lens-legend", Align2::CENTER_BOTTOM, at, width, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(lens.text(texts)).strong());
            ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
                if theme::named(ui.small_button("×"), &texts.t("lens-off")).clicked() {
                    actions.push(Action::Lens(None));
                }
            });
        });
        if lens == Lens::Alarms {
            let count = input.state.alarms.len().to_string();
            ui.label(texts.with("lens-alarms-of", &[("n", &count)]));
        }
        // Many are two columns, or they would cover the campus.
        let columns = if input.lens.rows.len() > MOST_IN_A_COLUMN { 2 } else { 1 };
        let each = input.lens.rows.len().div_ceil(columns).max(1);
        ui.columns(columns, |columns| {
            for (ui, rows) in columns.iter_mut().zip(input.lens.rows.chunks(each)) {
                rows.iter().for_each(|row| row_ui(ui, row, texts, actions));
            }
        });
    });
}

/// A line of the legend; a click goes to what it counts, one after the other.
fn row_ui(ui: &mut Ui, row: &Row, texts: &Texts, actions: &mut Vec<Action>) {
    let line = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let (rect, _) = ui.allocate_exact_size(vec2(20.0, 18.0), Sense::hover());
        let (ground, ink_of) = colours(row.tone);
        ui.painter().circle_filled(rect.center(), 10.0, ground);
        icon(ui.painter(), rect.center(), row.icon, ink_of);
        ui.label(RichText::new(sign_text(row.key, texts)).small());
        ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
            ui.label(RichText::new(row_text(row, texts)).small().color(faint()));
        });
    });
    if row.places.is_empty() {
        return;
    }
    let id = Id::new(("legend", row.key));
    let line = ui.interact(line.response.rect, id, Sense::click());
    theme::said(&line, &sign_text(row.key, texts));
    if line.on_hover_text(texts.t("lens-next")).clicked() {
        let next = ui.data(|data| data.get_temp::<usize>(id)).unwrap_or_default() % row.places.len();
        ui.data_mut(|data| data.insert_temp(id, next + 1));
        if let Some(path) = row.places.get(next) {
            actions.push(Action::FlyTo(path.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lens::Shown;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::state::tests::live_state;

    #[test]
    fn a_mark_moves_along_its_way() {
        let way = [Spot::ZERO, Spot::new(10.0, 0.0), Spot::new(10.0, 10.0)];
        assert_eq!(along(&way, 4.0), Some(Spot::new(4.0, 0.0)));
        assert_eq!(along(&way, 13.0), Some(Spot::new(10.0, 3.0)));
        assert_eq!(along(&way, 21.0), None);
    }

    #[test]
    fn a_layer_is_chosen_its_signs_are_counted_and_a_sign_leads_to_its_place() {
        for (language, safety, door, of) in [
            (Language::English, "Safety", "Fire doors open", "1 of 3"),
            (Language::Chinese, "安全", "防火门开启", "1 / 3"),
        ] {
            let mut person = Person::at(live_state(), View::default(), language, [1024.0, 640.0]);
            person.click_on(safety);
            assert_eq!(person.wishes.pop(), Some(Action::Lens(Some(Lens::Safety))));
            person.view.lens = Some(Lens::Safety);
            person.lens = Shown {
                rows: vec![Row {
                    icon: Icon::Door,
                    key: "sign-fire-door",
                    all: 3,
                    notable: Some(1),
                    tone: Tone::Caution,
                    places: vec!["a/1f/101".into()],
                }],
                pins: vec![Pin {
                    at: Spot::new(500.0, 300.0),
                    distance_m: 80.0,
                    icon: Icon::Door,
                    tone: Tone::Caution,
                    count: 1,
                    text: String::new(),
                    path: "a/1f/101".into(),
                }],
                ..Shown::default()
            };
            person.look();
            assert!(person.sees(door) && person.sees(of), "{:?}", person.all());
            person.click_on(door);
            assert_eq!(person.wishes.pop(), Some(Action::FlyTo("a/1f/101".into())));
            person.click(pos2(500.0, 300.0));
            assert_eq!(person.wishes.pop(), Some(Action::Select(Some("a/1f/101".into()))));
        }
    }
}
