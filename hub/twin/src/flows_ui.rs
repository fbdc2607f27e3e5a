//! Flows drawn: electricity as a Sankey diagram, water as the tree of its branches.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontFamily, FontId, Mesh, Pos2, Rect, RichText, ScrollArea, Sense, Shape,
    Ui, pos2, vec2,
};

use crate::charts_ui::period_text;
use crate::flows::{Branch, Counted, Flowing, Flows, What, energy, water};
use crate::locale::Texts;
use crate::period::{Period, Range};
use crate::state::Index;
use crate::theme::{self, LINES, accent, faint, ink};
use crate::ui::{Action, Input, View};
use crate::units::number_text;

/// What is counted of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowsView {
    /// Of electricity.
    pub energy: Counted,
    /// Of water.
    pub water: Counted,
}

impl Default for FlowsView {
    fn default() -> Self {
        Self { energy: Counted::Now, water: Counted::Over(Range::Calendar { period: Period::Day, ago: 0 }) }
    }
}

/// Draws the pane.
pub fn flows_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    view: &mut View,
    actions: &mut Vec<Action>,
    flowing: Flowing,
) {
    let texts = input.texts;
    if flowing.network(index).is_none() {
        ui.label(RichText::new(texts.t("flows-none")).color(faint()));
        return;
    }
    let counted = match flowing {
        Flowing::Energy => &mut view.flows.energy,
        Flowing::Water => &mut view.flows.water,
    };
    counted_ui(ui, texts, counted);
    let counted = *counted;
    match flowing {
        Flowing::Energy => match energy(index, input.state, counted) {
            Some(flows) => sankey_ui(ui, input, index, &flows, counted, actions),
            None => {
                ui.label(RichText::new(texts.t("details-loading")).color(faint()));
            }
        },
        Flowing::Water => {
            let zone = input.timezone();
            let hour_of = |us: i64| crate::units::time_text(us, zone, "%H").parse().unwrap_or(0);
            let branches = water(index, input.state, counted, hour_of);
            branches_ui(ui, input, index, &branches, counted, view, actions);
        }
    }
}

fn counted_ui(ui: &mut Ui, texts: &Texts, counted: &mut Counted) {
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(counted, Counted::Now, texts.t("flows-now"));
        for (period, ago, key) in [
            (Period::Day, 0, Some("flows-today")),
            (Period::Day, 1, Some("flows-yesterday")),
            (Period::Week, 0, None),
            (Period::Month, 0, None),
        ] {
            let text = key.map_or_else(|| period_text(period, texts), |key| texts.t(key));
            ui.selectable_value(counted, Counted::Over(Range::Calendar { period, ago }), text);
        }
    });
}

/// In what flows are given.
pub fn unit_of(flowing: Flowing, counted: Counted) -> &'static str {
    match (flowing, counted) {
        (Flowing::Energy, Counted::Now) => "kW",
        (Flowing::Energy, Counted::Over(_)) => "kWh",
        (Flowing::Water, Counted::Now) => "L/s",
        (Flowing::Water, Counted::Over(_)) => "m³",
    }
}

fn what_text(what: &What, index: &Index, texts: &Texts) -> String {
    match what {
        What::Entity(entity) => {
            let entity = index.catalogue.entities.get(*entity as usize);
            entity.map_or_else(String::new, |entity| texts.name(&entity.names).to_owned())
        }
        What::Use(code) => match code.as_str() {
            "A1" => texts.t("use-a1"),
            "A2" => texts.t("use-a2"),
            "A3" => texts.t("use-a3"),
            "B1" => texts.t("use-b1"),
            "B2" => texts.t("use-b2"),
            "C1" => texts.t("use-c1"),
            "C2" => texts.t("use-c2"),
            "C3" => texts.t("use-c3"),
            "D1" => texts.t("use-d1"),
            "D2" => texts.t("use-d2"),
            "D3" => texts.t("use-d3"),
            "D4" => texts.t("use-d4"),
            "D5" => texts.t("use-d5"),
            "D6" => texts.t("use-d6"),
            code => texts.with("use-other", &[("code", code)]),
        },
        What::Rest => texts.t("flows-rest"),
        What::Losses => texts.t("flows-losses"),
    }
}

/// A colour that stays with a thing: sun yellow, uses by their group, the rest by their order.
fn colour_of(what: &What, column: usize, order: usize, index: &Index) -> Color32 {
    match what {
        What::Rest | What::Losses => Color32::from_rgb(150, 158, 168),
        What::Use(code) => match code.as_bytes().first() {
            Some(b'A') => Color32::from_rgb(230, 159, 0),
            Some(b'B') => Color32::from_rgb(86, 180, 233),
            Some(b'C') => Color32::from_rgb(0, 158, 115),
            _ => Color32::from_rgb(204, 121, 167),
        },
        What::Entity(entity) if column == 0 => {
            let brick = index.catalogue.entities.get(*entity as usize).map_or("", |e| e.brick.as_str());
            if brick.contains("PV") {
                Color32::from_rgb(240, 190, 40)
            } else {
                Color32::from_rgb(86, 96, 112)
            }
        }
        What::Entity(_) => LINES[order % LINES.len()],
    }
}

const BOX_WIDTH: f32 = 12.0;
const GAP: f32 = 7.0;

/// Where boxes are.
struct Layout {
    boxes: Vec<Rect>,
    scale: f32,
}

fn lay_out(flows: &Flows, room: Rect) -> Layout {
    let columns = flows.stations.iter().map(|s| s.column + 1).max().unwrap_or(1);
    let of = |column: usize| flows.stations.iter().filter(move |s| s.column == column);
    let scale = (0..columns)
        .map(|column| {
            let (count, sum) = of(column).fold((0, 0.0), |(n, sum), s| (n + 1, sum + s.amount));
            let height = (room.height() - GAP * (count as f32 - 1.0)).max(10.0);
            height / (sum as f32).max(1e-6)
        })
        .fold(f32::INFINITY, f32::min);
    let mut tops = vec![room.top(); columns];
    for (column, top) in tops.iter_mut().enumerate() {
        let (count, sum) = of(column).fold((0, 0.0), |(n, sum), s| (n + 1, sum + s.amount));
        let used = sum as f32 * scale + GAP * (count as f32 - 1.0);
        *top += (room.height() - used).max(0.0) * 0.5;
    }
    let boxes = flows
        .stations
        .iter()
        .map(|station| {
            let share = if columns > 1 { station.column as f32 / (columns - 1) as f32 } else { 0.0 };
            let x = room.left() + (room.width() - BOX_WIDTH) * share;
            let top = tops.get(station.column).copied().unwrap_or(room.top());
            let height = (station.amount as f32 * scale).max(1.0);
            if let Some(next) = tops.get_mut(station.column) {
                *next = top + height + GAP;
            }
            Rect::from_min_size(pos2(x, top), vec2(BOX_WIDTH, height))
        })
        .collect();
    Layout { boxes, scale }
}

/// A ribbon from the right edge of one box to the left edge of another.
fn ribbon(from: Pos2, to: Pos2, height: f32, colour: Color32) -> (Mesh, Vec<Pos2>) {
    const STEPS: u32 = 24;
    let mut mesh = Mesh::default();
    let mut middle = Vec::new();
    for i in 0..=STEPS {
        let t = i as f32 / STEPS as f32;
        let ease = t * t * (3.0 - 2.0 * t);
        let at = pos2(from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * ease);
        mesh.colored_vertex(at, colour);
        mesh.colored_vertex(at + vec2(0.0, height), colour);
        middle.push(at + vec2(0.0, height * 0.5));
    }
    for i in 0..STEPS {
        mesh.add_triangle(2 * i, 2 * i + 1, 2 * i + 2);
        mesh.add_triangle(2 * i + 1, 2 * i + 2, 2 * i + 3);
    }
    (mesh, middle)
}

fn sankey_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    flows: &Flows,
    counted: Counted,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let unit = unit_of(Flowing::Energy, counted);
    if flows.silent > 0 {
        let text = texts.with("flows-silent", &[("count", &flows.silent.to_string())]);
        ui.label(RichText::new(text).small().color(faint()));
    }
    let most = (0..3).map(|c| flows.stations.iter().filter(|s| s.column == c).count()).max().unwrap_or(1);
    ScrollArea::vertical().id_salt("sankey").auto_shrink([false, false]).show(ui, |ui| {
        // Each name has a line, also where what it names is thin.
        let height = (ui.available_height() - 8.0).max(most as f32 * 30.0);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        let room = rect.shrink2(vec2(4.0, 16.0));
        let Layout { boxes, scale } = lay_out(flows, room);
        let pointer = response.hover_pos();
        let hit = pointer
            .and_then(|at| boxes.iter().position(|rect| rect.expand2(vec2(30.0, GAP * 0.4)).contains(at)));
        let mut said = None;
        let (mut out, mut into) = (vec![0.0f32; boxes.len()], vec![0.0f32; boxes.len()]);
        let colours: Vec<Color32> = flows
            .stations
            .iter()
            .enumerate()
            .map(|(i, s)| {
                let order = flows.stations.iter().take(i).filter(|other| other.column == s.column).count();
                colour_of(&s.what, s.column, order, index)
            })
            .collect();
        for flow in &flows.ribbons {
            let height = (flow.amount as f32 * scale).max(0.6);
            let from = boxes[flow.from].right_top() + vec2(0.0, out[flow.from]);
            let to = boxes[flow.to].left_top() + vec2(0.0, into[flow.to]);
            out[flow.from] += height;
            into[flow.to] += height;
            let is_of = hit.is_none_or(|hit| hit == flow.from || hit == flow.to);
            let source = if flows.stations[flow.from].column == 0 { flow.from } else { flow.to };
            let colour = colours[source].gamma_multiply(if is_of { 0.42 } else { 0.12 });
            let (mesh, middle) = ribbon(from, to, height, colour);
            ui.painter().add(Shape::mesh(mesh));
            if hit.is_none()
                && let Some(at) = pointer
                && middle.iter().any(|m| (m.x - at.x).abs() < 12.0 && (m.y - at.y).abs() < height * 0.5 + 1.0)
            {
                let name = |i: usize| what_text(&flows.stations[i].what, index, texts);
                let amount = number_text(flow.amount, None);
                said = Some(format!("{} → {}  {amount} {unit}", name(flow.from), name(flow.to)));
            }
        }
        let columns = flows.stations.iter().map(|s| s.column).max().unwrap_or(0);
        let font = FontId::new(11.5, FontFamily::Proportional);
        let widest = (room.width() / (columns.max(1) as f32) - BOX_WIDTH - 8.0).max(40.0);
        // Where boxes are too thin for a name each, the larger are named; the others are where they are pointed at.
        let mut named_to = vec![f32::NEG_INFINITY; columns + 1];
        for (i, station) in flows.stations.iter().enumerate() {
            ui.painter().rect_filled(boxes[i], CornerRadius::same(2), colours[i]);
            let amount = format!("{} {unit}", number_text(station.amount, None));
            let name = what_text(&station.what, index, texts);
            let mut job = bevy_egui::egui::text::LayoutJob::simple_singleline(
                format!("{name}  {amount}"),
                font.clone(),
                ink(),
            );
            job.wrap = bevy_egui::egui::text::TextWrapping::truncate_at_width(widest);
            let galley = ui.painter().layout_job(job);
            let at = if station.column == 0 {
                Align2::LEFT_BOTTOM.anchor_size(boxes[i].left_top() - vec2(0.0, 1.0), galley.size())
            } else {
                Align2::RIGHT_CENTER.anchor_size(boxes[i].left_center() - vec2(5.0, 0.0), galley.size())
            };
            if at.top() >= named_to[station.column] || hit == Some(i) {
                named_to[station.column] = at.bottom();
                let back = ui.visuals().panel_fill.gamma_multiply(0.66);
                ui.painter().rect_filled(at.expand2(vec2(2.0, 0.0)), CornerRadius::same(3), back);
                ui.painter().galley(at.min, galley, ink());
            }
            if hit == Some(i) {
                said = Some(format!("{name}  {amount}"));
            }
        }
        if let (Some(What::Entity(entity)), true) = (hit.map(|i| &flows.stations[i].what), response.clicked())
            && let Some(info) = index.catalogue.entities.get(*entity as usize)
        {
            actions.push(Action::FlyTo(info.path.as_str().to_owned()));
        }
        if let Some(text) = said {
            response.on_hover_text(text);
        }
    });
}

/// From here on a night is too thirsty: its least hour is this part of the mean hour of the day. A building that is shut
/// should take next to nothing; German DVGW W 392 and the IWA's minimum night flow look at the same hours.
const THIRSTY_NIGHT: f64 = 0.25;
/// From here on more is lost between two meters than meters of class 2 can be wrong by together.
const LOST: f64 = 0.05;

fn branches_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    branches: &[Branch],
    counted: Counted,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let unit = unit_of(Flowing::Water, counted);
    let most = branches.iter().filter_map(|b| b.amount).fold(0.0, f64::max).max(1e-9);
    ScrollArea::vertical().id_salt("branches").auto_shrink([false, false]).show(ui, |ui| {
        for branch in branches {
            let Some(entity) = index.catalogue.entities.get(branch.entity as usize) else { continue };
            let indent = branch.depth as f32 * 14.0;
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 34.0), Sense::click());
            if response.hovered() || view.selected.as_deref() == Some(entity.path.as_str()) {
                ui.painter().rect_filled(
                    rect,
                    CornerRadius::same(4),
                    ui.visuals().selection.bg_fill.gamma_multiply(0.6),
                );
            }
            let font = FontId::new(13.0, FontFamily::Proportional);
            let small = FontId::new(11.0, FontFamily::Proportional);
            let amount =
                branch.amount.map_or_else(|| "–".into(), |x| format!("{} {unit}", number_text(x, None)));
            let right = rect.right() - 4.0;
            let said = ui.painter().text(
                pos2(right, rect.top() + 9.0),
                Align2::RIGHT_CENTER,
                amount,
                font.clone(),
                ink(),
            );
            let room = said.left() - rect.left() - indent - 8.0;
            let mut job = bevy_egui::egui::text::LayoutJob::simple_singleline(
                texts.name(&entity.names).to_owned(),
                font,
                ink(),
            );
            job.wrap = bevy_egui::egui::text::TextWrapping::truncate_at_width(room.max(30.0));
            let galley = ui.painter().layout_job(job);
            ui.painter().galley(pos2(rect.left() + indent, rect.top() + 1.0), galley, ink());
            let bar = Rect::from_min_max(
                pos2(rect.left() + indent, rect.top() + 20.0),
                pos2(rect.left() + indent + (rect.width() - indent) * 0.5, rect.top() + 25.0),
            );
            ui.painter().rect_filled(bar, CornerRadius::same(2), theme::track());
            if let Some(x) = branch.amount {
                let part = (x / most).clamp(0.0, 1.0) as f32;
                let filled = bar.with_max_x(bar.left() + bar.width() * part);
                ui.painter().rect_filled(filled, CornerRadius::same(2), accent());
            }
            let mut x = right;
            let mut say = |text: String, colour: Color32| {
                let at = ui.painter().text(
                    pos2(x, rect.top() + 24.0),
                    Align2::RIGHT_CENTER,
                    text,
                    small.clone(),
                    colour,
                );
                x = at.left() - 10.0;
            };
            if let Some((least, part)) = branch.night {
                let is_thirsty = part >= THIRSTY_NIGHT && least >= 1.0;
                let litres = number_text(least, Some(1.0));
                say(
                    texts.with("flows-night", &[("litres", &litres)]),
                    if is_thirsty { theme::bad() } else { faint() },
                );
            }
            if let Some(lost) = branch.lost.filter(|lost| *lost > LOST) {
                let part = format!("{:.0}", lost * 100.0);
                say(texts.with("flows-lost", &[("part", &part)]), theme::warn());
            }
            response.widget_info(|| {
                bevy_egui::egui::WidgetInfo::labeled(
                    bevy_egui::egui::WidgetType::Button,
                    true,
                    texts.name(&entity.names),
                )
            });
            if response.on_hover_text(entity.path.as_str()).clicked() {
                actions.push(Action::FlyTo(entity.path.as_str().to_owned()));
            }
        }
    });
}
