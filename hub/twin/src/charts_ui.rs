//! Charts of points over any stretch of time, beside another stretch, and as a table in a file.

use bevy_egui::egui::{
    Align, Align2, Color32, ComboBox, CornerRadius, FontFamily, FontId, Layout, Pos2, Rect, Response,
    RichText, ScrollArea, Sense, Shape, Stroke, Ui, pos2, vec2,
};
use campanile_protocol::rest::{Bucket, BucketsAnswer};
use campanile_protocol::{PointInfo, ValueType};

use crate::chart::{Frame, TICK_SIZE, axes_ui, pointed_ui, runs, shown};
use crate::locale::Texts;
use crate::period::{Compare, Period, Range, Stretch};
use crate::state::{Index, Stretched};
use crate::theme::{self, LINES, accent, faint};
use crate::ui::{Action, Input, View};
use crate::units::{number_text, time_text, unit_text};

/// As many points stand in the charts at once.
pub const MOST_POINTS: usize = 6;

/// What is charted.
#[derive(Clone, Debug, Default)]
pub struct ChartsView {
    /// The points, by path.
    pub points: Vec<String>,
    /// Over which stretch of time.
    pub range: Range,
    /// Beside which other.
    pub compare: Compare,
    /// Where a drag over a chart began.
    drag_us: Option<i64>,
    /// Where the charts were drawn last, to make a picture of.
    pub rect: Option<Rect>,
}

impl ChartsView {
    /// Adds a point, or takes it out again. The oldest goes where there are too many.
    pub fn toggle(&mut self, path: &str) {
        match self.points.iter().position(|point| point == path) {
            Some(at) => drop(self.points.remove(at)),
            None => {
                if self.points.len() >= MOST_POINTS {
                    self.points.remove(0);
                }
                self.points.push(path.to_owned());
            }
        }
    }

    /// What has to be asked of the past.
    pub fn wanted(&self, index: &Index) -> Vec<Stretched> {
        let ranges: Vec<Range> = std::iter::once(self.range).chain(self.compare.of(self.range)).collect();
        let points = self.points.iter().filter_map(|path| index.point_at(path));
        points.flat_map(|point| ranges.iter().map(move |&range| Stretched { point, range })).collect()
    }
}

/// A line or row of bars.
struct Series<'a> {
    info: &'a PointInfo,
    colour: Color32,
    stretch: Stretch,
    answer: Option<&'a BucketsAnswer>,
    other: Option<(Stretch, Option<&'a BucketsAnswer>)>,
}

/// What a stretch of time comes to: the sum of amounts, else the mean.
fn sum_of(info: &PointInfo, answer: &BucketsAnswer) -> Option<f64> {
    let buckets = &answer.buckets;
    if buckets.is_empty() {
        return None;
    }
    if info.is_consumption {
        return Some(buckets.iter().filter_map(|b| b.consumption).sum());
    }
    let count: u64 = buckets.iter().map(|b| b.count).sum();
    (count > 0).then(|| buckets.iter().map(|b| b.sum).sum::<f64>() / count as f64)
}

/// Only as much of the stretch compared with as has passed of the other: half a day is not less than a whole one.
fn as_far(other: &BucketsAnswer, stretch: Stretch, compared: Stretch, now_us: i64) -> BucketsAnswer {
    let passed = now_us.saturating_sub(stretch.from_us);
    let until = compared.from_us.saturating_add(passed);
    let buckets = other.buckets.iter().filter(|b| b.start_us < until).cloned().collect();
    BucketsAnswer { buckets, ..other.clone() }
}

fn series<'a>(input: &'a Input<'_>, index: &'a Index, view: &ChartsView) -> Vec<Series<'a>> {
    let now_us = input.state.time_us(input.now_s).unwrap_or_default();
    let zone = input.timezone();
    let points = view.points.iter().filter_map(|path| index.point_at(path));
    points
        .zip(LINES.into_iter().cycle())
        .filter_map(|(point, colour)| {
            let info = index.point(point)?;
            let other = view.compare.of(view.range);
            Some(Series {
                info,
                colour,
                stretch: view.range.stretch(now_us, zone, info.is_consumption),
                answer: input.state.history(point, view.range),
                other: other.map(|range| {
                    (range.stretch(now_us, zone, info.is_consumption), input.state.history(point, range))
                }),
            })
        })
        .collect()
}

/// Draws the pane.
pub fn charts_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    range_ui(ui, input, view);
    if view.charts.points.is_empty() {
        ui.add_space(8.0);
        ui.label(RichText::new(texts.t("charts-none")).color(faint()));
        return;
    }
    tools_ui(ui, input, index, view, actions);
    let charts = view.charts.clone();
    let series = series(input, index, &charts);
    ScrollArea::vertical().id_salt("charts").auto_shrink([false, false]).show(ui, |ui| {
        let top = ui.min_rect().min;
        for series in &series {
            legend_row_ui(ui, input, index, series, view);
        }
        let mut units: Vec<(&str, bool)> = Vec::new();
        for series in &series {
            let key = (series.info.unit.as_str(), series.info.value_type != ValueType::Number);
            if !units.contains(&key) {
                units.push(key);
            }
        }
        for (unit, is_state) in units {
            let of: Vec<&Series<'_>> = series
                .iter()
                .filter(|s| s.info.unit == unit && (s.info.value_type != ValueType::Number) == is_state)
                .collect();
            if is_state {
                of.iter().for_each(|series| timeline_ui(ui, input, series));
            } else {
                plot_ui(ui, input, unit, &of, view);
            }
        }
        view.charts.rect = Some(Rect::from_min_max(top, ui.min_rect().max).intersect(ui.clip_rect()));
    });
}

/// Which stretch of time, and the way to the one before and after.
fn range_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View) {
    let texts = input.texts;
    let charts = &mut view.charts;
    ui.horizontal_wrapped(|ui| {
        for period in Period::ALL {
            let is_it = matches!(charts.range, Range::Calendar { period: of, .. } if of == period);
            if ui.selectable_label(is_it, period_text(period, texts)).clicked() {
                charts.range = Range::Calendar { period, ago: 0 };
                if !charts.compare.suits(charts.range) {
                    charts.compare = Compare::Nothing;
                }
            }
        }
    });
    let now_us = input.state.time_us(input.now_s).unwrap_or_default();
    ui.horizontal(|ui| {
        if theme::named(ui.small_button("‹"), &texts.t("charts-before")).clicked() {
            charts.range = charts.range.step(true);
        }
        let is_now = matches!(charts.range, Range::Calendar { ago: 0, .. } | Range::LastDay);
        let on = ui.add_enabled(!is_now, bevy_egui::egui::Button::new("›").small());
        if theme::named(on, &texts.t("charts-after")).clicked() {
            charts.range = charts.range.step(false);
        }
        let stretch = charts.range.stretch(now_us, input.timezone(), true);
        ui.label(RichText::new(stretch_text(charts.range, stretch, input.timezone())).strong());
    });
}

fn tools_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    ui.horizontal(|ui| {
        let charts = &mut view.charts;
        let combo = ComboBox::from_id_salt("compare").width(130.0);
        let chosen = compare_text(charts.compare, texts);
        combo.selected_text(chosen).show_ui(ui, |ui| {
            for compare in Compare::ALL.into_iter().filter(|compare| compare.suits(charts.range)) {
                ui.selectable_value(&mut charts.compare, compare, compare_text(compare, texts));
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.small_button("PNG").on_hover_text(texts.t("charts-png")).clicked()
                && let Some(rect) = view.charts.rect
            {
                actions.push(Action::Picture(rect));
            }
            if ui.small_button("CSV").on_hover_text(texts.t("charts-csv")).clicked() {
                let series = series(input, index, &view.charts);
                let name = file_name(&series, input.timezone());
                actions.push(Action::Keep { name, text: csv(&series, input.timezone()) });
            }
        });
    });
}

/// A period's name.
pub fn period_text(period: Period, texts: &Texts) -> String {
    match period {
        Period::Hour => texts.t("period-hour"),
        Period::Day => texts.t("period-day"),
        Period::Week => texts.t("period-week"),
        Period::Month => texts.t("period-month"),
        Period::Year => texts.t("period-year"),
    }
}

fn compare_text(compare: Compare, texts: &Texts) -> String {
    match compare {
        Compare::Nothing => texts.t("compare-nothing"),
        Compare::Before => texts.t("compare-before"),
        Compare::WeekBefore => texts.t("compare-week"),
        Compare::YearBefore => texts.t("compare-year"),
    }
}

fn stretch_text(range: Range, stretch: Stretch, zone: &str) -> String {
    let (from, to) = (stretch.from_us, stretch.to_us);
    match range {
        Range::Calendar { period: Period::Day, .. } => time_text(from, zone, "%Y-%m-%d"),
        Range::Calendar { period: Period::Month, .. } => time_text(from, zone, "%Y-%m"),
        Range::Calendar { period: Period::Year, .. } => time_text(from, zone, "%Y"),
        Range::Calendar { period: Period::Week, .. } => {
            let last = time_text(to - 1, zone, "%m-%d");
            format!("{} – {last}", time_text(from, zone, "%Y-%m-%d"))
        }
        _ => format!("{} – {}", time_text(from, zone, "%m-%d %H:%M"), time_text(to, zone, "%m-%d %H:%M")),
    }
}

/// What a line is, what it comes to, and how that is beside the other stretch of time.
fn legend_row_ui(ui: &mut Ui, input: &Input<'_>, index: &Index, series: &Series<'_>, view: &mut View) {
    let texts = input.texts;
    let now_us = input.state.time_us(input.now_s).unwrap_or_default();
    let path = series.info.path.as_str();
    ui.push_id(path, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 10.0), Sense::hover());
            ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(3.0, series.colour));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if theme::named(ui.small_button("×"), &texts.t("charts-remove")).clicked() {
                    view.charts.toggle(path);
                }
                let unit = unit_text(&series.info.unit);
                let total = series.answer.and_then(|answer| sum_of(series.info, answer));
                if let Some(total) = total {
                    let text = format!("{} {unit}", number_text(total, precision(series.info)));
                    let text = match series.info.is_consumption {
                        true => text.trim_end().to_owned(),
                        false => texts.with("charts-mean", &[("value", text.trim_end())]),
                    };
                    ui.label(RichText::new(text).strong());
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let name = format!(
                        "{} · {}",
                        texts.name(&series.info.names),
                        place_of(index, series.info, texts)
                    );
                    ui.add(bevy_egui::egui::Label::new(RichText::new(name).small()).truncate())
                        .on_hover_text(path);
                });
            });
        });
        let Some((compared, Some(other))) = series.other else { return };
        let (Some(is), Some(was)) = (
            series.answer.and_then(|answer| sum_of(series.info, answer)),
            sum_of(series.info, &as_far(other, series.stretch, compared, now_us)),
        ) else {
            return;
        };
        ui.horizontal(|ui| {
            ui.add_space(22.0);
            let unit = unit_text(&series.info.unit);
            let was_text = format!("{} {unit}", number_text(was, precision(series.info)));
            let text = texts.with("charts-was", &[("value", was_text.trim_end())]);
            ui.label(RichText::new(text).small().color(faint()));
            if was.abs() > 1e-9 {
                let part = (is - was) / was.abs() * 100.0;
                let colour = if part > 0.5 {
                    theme::warn()
                } else if part < -0.5 {
                    theme::good()
                } else {
                    faint()
                };
                ui.label(RichText::new(format!("{part:+.1} %")).small().color(colour));
            }
        });
    });
}

/// A mean is known no better than what it is of; an amount of a day needs no hundredths.
fn precision(info: &PointInfo) -> Option<f64> {
    if info.is_consumption { None } else { info.resolution }
}

/// Where a point is.
pub fn place_of<'a>(index: &'a Index, info: &PointInfo, texts: &Texts) -> &'a str {
    index.catalogue.entities.get(info.entity as usize).map_or("", |entity| texts.name(&entity.names))
}

/// The ends of all values of some lines.
fn ends_of(series: &[&Series<'_>]) -> Option<(f64, f64)> {
    let answers =
        series.iter().flat_map(|s| s.answer.into_iter().chain(s.other.and_then(|(_, other)| other)));
    let buckets = || answers.clone().flat_map(|answer| &answer.buckets);
    let is_amount = series.iter().any(|s| s.info.is_consumption);
    let low = buckets().map(|b| b.consumption.unwrap_or(b.min)).min_by(f64::total_cmp)?;
    let high = buckets().map(|b| b.consumption.unwrap_or(b.max)).max_by(f64::total_cmp)?;
    // Bars stand on nought.
    let (low, high) = if is_amount { (low.min(0.0), high.max(0.0)) } else { (low, high) };
    let least = f64::max(1e-9, 1e-9 * low.abs().max(high.abs()));
    let ends =
        if high - low > least { (low, high) } else { (low - 1.0f64.max(least), high + 1.0f64.max(least)) };
    (ends.1 - ends.0).is_finite().then_some(ends)
}

fn plot_ui(ui: &mut Ui, input: &Input<'_>, unit: &str, series: &[&Series<'_>], view: &mut View) {
    let Some(first) = series.first() else { return };
    ui.add_space(4.0);
    ui.label(RichText::new(unit_text(unit)).small().color(faint()));
    let Some(ends) = ends_of(series) else {
        let is_waiting = series.iter().any(|s| s.answer.is_none());
        let key = if is_waiting { "details-loading" } else { "charts-empty" };
        ui.label(RichText::new(input.texts.t(key)).color(faint()));
        return;
    };
    let frame = Frame::around(first.stretch.from_us, first.stretch.to_us, ends);
    let height = (ui.available_height() / 2.2).clamp(150.0, 320.0);
    let (plot, response) = axes_ui(ui, frame, input.timezone(), height);
    let painter = ui.painter().with_clip_rect(plot.expand(1.5));
    let bars: Vec<&&Series<'_>> = series.iter().filter(|s| s.info.is_consumption).collect();
    let shares = bars.len() * if bars.iter().any(|s| s.other.is_some()) { 2 } else { 1 };
    let mut share = 0;
    for series in series {
        let now = series.answer.map(|answer| (answer, series.stretch, series.colour, 0.85));
        let then = series.other.and_then(|(stretch, answer)| Some((answer?, stretch, series.colour, 0.35)));
        for (answer, stretch, colour, strength) in then.into_iter().chain(now) {
            let colour = colour.gamma_multiply(strength);
            // What is compared is moved to where the other is.
            let back = stretch.from_us - series.stretch.from_us;
            if series.info.is_consumption {
                let (part, of) = (share, shares.max(1));
                bars_ui(&painter, frame, plot, answer, back, colour, (part, of));
                share += 1;
            } else {
                line_ui(&painter, frame, plot, answer, back, colour, strength > 0.5);
            }
        }
    }
    zoom_ui(ui, frame, plot, &response, view);
    if let Some(time) = pointed_ui(ui, frame, plot, &response) {
        readout_ui(ui, input, plot, series, time);
    }
}

fn bars_ui(
    painter: &bevy_egui::egui::Painter,
    frame: Frame,
    plot: Rect,
    answer: &BucketsAnswer,
    back_us: i64,
    colour: Color32,
    (part, of): (usize, usize),
) {
    let width_us = answer.width_s * 1e6;
    for bucket in &answer.buckets {
        let Some(amount) = bucket.consumption else { continue };
        let begin = (bucket.start_us - back_us) as f64 + width_us * (0.08 + 0.84 * part as f64 / of as f64);
        let end = begin + width_us * 0.84 / of as f64;
        let (a, b) = (frame.at(plot, begin as i64, 0.0), frame.at(plot, end as i64, amount));
        let rect = Rect::from_two_pos(a, b);
        if rect.width() > 0.0 && end as i64 > frame.from_us && (begin as i64) < frame.to_us {
            painter.rect_filled(rect, CornerRadius::same(1), colour);
        }
    }
}

fn line_ui(
    painter: &bevy_egui::egui::Painter,
    frame: Frame,
    plot: Rect,
    answer: &BucketsAnswer,
    back_us: i64,
    colour: Color32,
    has_band: bool,
) {
    let width_us = answer.width_s * 1e6;
    let middle = |b: &Bucket| (b.start_us - back_us) + (width_us * 0.5) as i64;
    for run in runs(&answer.buckets, width_us) {
        if has_band {
            let mut band = bevy_egui::egui::Mesh::default();
            for b in run {
                band.colored_vertex(frame.at(plot, middle(b), b.min), colour.gamma_multiply(0.15));
                band.colored_vertex(frame.at(plot, middle(b), b.max), colour.gamma_multiply(0.15));
            }
            for i in 1..run.len() as u32 {
                band.add_triangle(2 * i - 2, 2 * i - 1, 2 * i);
                band.add_triangle(2 * i - 1, 2 * i, 2 * i + 1);
            }
            painter.add(Shape::mesh(band));
        }
        let line: Vec<Pos2> = run.iter().map(|b| frame.at(plot, middle(b), shown(b))).collect();
        match line.as_slice() {
            [alone] => drop(painter.circle_filled(*alone, 1.8, colour)),
            _ => drop(painter.add(Shape::line(line, Stroke::new(1.6, colour)))),
        }
    }
}

/// A drag over a chart looks closer, a double click back at the day.
fn zoom_ui(ui: &Ui, frame: Frame, plot: Rect, response: &Response, view: &mut View) {
    let time_at = |at: Pos2| frame.moment(((at.x - plot.left()) / plot.width()).clamp(0.0, 1.0));
    if response.double_clicked() {
        view.charts.range = Range::default();
        view.charts.drag_us = None;
        return;
    }
    let Some(pointer) = response.interact_pointer_pos() else {
        view.charts.drag_us = None;
        return;
    };
    if response.drag_started() {
        view.charts.drag_us = Some(time_at(pointer));
    }
    let Some(began) = view.charts.drag_us else { return };
    let x = plot.left() + frame.part(began) * plot.width();
    let chosen = Rect::from_x_y_ranges(x.min(pointer.x)..=x.max(pointer.x), plot.y_range()).intersect(plot);
    ui.painter().rect_filled(chosen, CornerRadius::ZERO, accent().gamma_multiply(0.14));
    if response.drag_stopped() {
        let (a, b) = (began.min(time_at(pointer)), began.max(time_at(pointer)));
        // A slip of the hand is no stretch of time.
        if chosen.width() > 8.0 {
            view.charts.range = Range::Fixed { from_us: a, to_us: b };
        }
        view.charts.drag_us = None;
    }
}

fn value_at(answer: &BucketsAnswer, time_us: i64) -> Option<f64> {
    let width_us = (answer.width_s * 1e6) as i64;
    answer.buckets.iter().find(|b| (b.start_us..b.start_us + width_us).contains(&time_us)).map(shown)
}

fn readout_ui(ui: &Ui, input: &Input<'_>, plot: Rect, series: &[&Series<'_>], time_us: i64) {
    let font = FontId::new(TICK_SIZE, FontFamily::Proportional);
    let clock = time_text(time_us, input.timezone(), "%m-%d %H:%M");
    let mut at = plot.right_top();
    let mut line = |text: String, colour: Color32| {
        let galley = ui.painter().layout_no_wrap(text, font.clone(), colour);
        let rect = Align2::RIGHT_TOP.anchor_size(at, galley.size());
        ui.painter().rect_filled(
            rect.expand(2.0),
            CornerRadius::same(2),
            theme::ground().gamma_multiply(0.85),
        );
        ui.painter().galley(rect.min, galley, colour);
        at.y += rect.height() + 2.0;
    };
    line(clock, faint());
    for series in series {
        let is = series.answer.and_then(|answer| value_at(answer, time_us));
        let was = series.other.and_then(|(stretch, answer)| {
            value_at(answer?, time_us + stretch.from_us - series.stretch.from_us)
        });
        let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| number_text(x, None));
        let text =
            if series.other.is_some() { format!("{}  ({})", number(is), number(was)) } else { number(is) };
        line(text, series.colour);
    }
}

/// How a state was: of a switch the share of time that it was on.
fn timeline_ui(ui: &mut Ui, input: &Input<'_>, series: &Series<'_>) {
    ui.add_space(4.0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let bar = rect.shrink2(vec2(4.0, 4.0));
    ui.painter().rect_filled(bar, CornerRadius::same(3), theme::track());
    let Some(answer) = series.answer else { return };
    let span = (series.stretch.to_us - series.stretch.from_us).max(1) as f64;
    let part = |us: f64| {
        bar.left() + ((us - series.stretch.from_us as f64) / span).clamp(0.0, 1.0) as f32 * bar.width()
    };
    for bucket in &answer.buckets {
        let from = part(bucket.start_us as f64);
        let to = part(bucket.start_us as f64 + answer.width_s * 1e6);
        let share = bucket.mean.clamp(0.0, 1.0) as f32;
        if share > 0.0 {
            let of = Rect::from_x_y_ranges(from..=to.max(from + 1.0), bar.y_range());
            ui.painter().rect_filled(of, CornerRadius::ZERO, series.colour.gamma_multiply(0.2 + 0.8 * share));
        }
    }
    if let Some(at) = response.hover_pos() {
        let time = series.stretch.from_us + (f64::from((at.x - bar.left()) / bar.width()) * span) as i64;
        if let Some(share) = value_at(answer, time) {
            let clock = time_text(time, input.timezone(), "%m-%d %H:%M");
            response.on_hover_text(format!("{clock}  {:.0} %", share * 100.0));
        }
    }
}

fn file_name(series: &[Series<'_>], zone: &str) -> String {
    let from = series.first().map_or_else(String::new, |s| time_text(s.stretch.from_us, zone, "%Y-%m-%d"));
    let what = match series {
        [one] => one.info.path.as_str().replace('/', "-"),
        _ => "points".into(),
    };
    format!("campanile-{what}-{from}.csv")
}

/// The table behind the charts: `time,point,unit,mean,min,max,amount`, a row a span, times with the campus's offset.
fn csv(series: &[Series<'_>], zone: &str) -> String {
    let mut out = String::from("time,point,unit,mean,min,max,amount\r\n");
    for series in series {
        let other = series.other.and_then(|(_, answer)| answer);
        for bucket in series.answer.into_iter().chain(other).flat_map(|answer| &answer.buckets) {
            let time = time_text(bucket.start_us, zone, "%Y-%m-%dT%H:%M:%S%:z");
            let amount = bucket.consumption.map_or_else(String::new, |x| x.to_string());
            let Bucket { mean, min, max, .. } = bucket;
            let path = series.info.path.as_str();
            out.push_str(&format!("{time},{path},{},{mean},{min},{max},{amount}\r\n", series.info.unit));
        }
    }
    out
}

/// A small button that puts a point into the charts, or takes it out.
pub fn chart_button_ui(ui: &mut Ui, view: &mut View, path: &str, texts: &Texts) {
    let is_in = view.charts.points.iter().any(|point| point == path);
    let (rect, response) = ui.allocate_exact_size(vec2(22.0, 20.0), Sense::click());
    let hint = texts.t(if is_in { "charts-remove" } else { "charts-add" });
    response.widget_info(|| {
        bevy_egui::egui::WidgetInfo::selected(bevy_egui::egui::WidgetType::Button, true, is_in, &hint)
    });
    let colour = if is_in || response.hovered() { accent() } else { faint() };
    if is_in || response.hovered() {
        ui.painter().rect_filled(rect, CornerRadius::same(4), ui.visuals().selection.bg_fill);
    }
    let at = |x: f32, y: f32| pos2(rect.left() + x * rect.width(), rect.top() + y * rect.height());
    let axes = vec![at(0.2, 0.15), at(0.2, 0.82), at(0.85, 0.82)];
    ui.painter().add(Shape::line(axes, Stroke::new(1.2, colour)));
    let line = vec![at(0.28, 0.7), at(0.45, 0.42), at(0.6, 0.58), at(0.82, 0.2)];
    ui.painter().add(Shape::line(line, Stroke::new(1.6, colour)));
    if response.on_hover_text(hint).clicked() {
        view.charts.toggle(path);
        // Who charts something wants to see it.
        if view.charts.points.iter().any(|point| point == path) {
            view.dock.open(crate::place::Pane::Charts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::place::{Dock, Pane, WorkPlace};
    use crate::state::tests::live_state;
    use crate::state::{Event, State};

    const DAY_US: i64 = 86_400_000_000;

    fn bucket(start_us: i64, mean: f64) -> Bucket {
        Bucket { start_us, count: 1, min: mean - 1.0, mean, max: mean + 1.0, sum: mean, consumption: None }
    }

    fn with_history(mean: f64, before: f64) -> State {
        let mut state = live_state();
        for (ago, mean) in [(0, mean), (1, before)] {
            let range = Range::Calendar { period: Period::Day, ago };
            let stretch = range.stretch(1_000_000, "Asia/Shanghai", false);
            let start = stretch.from_us;
            let buckets = (0..96).map(|i| bucket(start + i * 300_000_000, mean)).collect();
            let answer = Some(BucketsAnswer { unit: "[ppm]".into(), width_s: 300.0, buckets });
            state.apply(Event::History { of: Stretched { point: 0, range }, answer }, 0.0);
        }
        state
    }

    fn charting(state: State, compare: Compare, language: Language) -> Person {
        let mut dock = Dock::at(WorkPlace::Monitor);
        dock.open(Pane::Charts);
        let charts = ChartsView { points: vec!["a/1f/101/co2".into()], compare, ..ChartsView::default() };
        Person::at(state, View { dock, charts, ..View::default() }, language, [1280.0, 720.0])
    }

    #[test]
    fn two_days_are_compared_as_far_as_the_newer_has_come() {
        for (language, words) in [
            (Language::English, ["mean 660 ppm", "before: 600 ppm", "+10.0 %"]),
            (Language::Chinese, ["平均 660 ppm", "对比：600 ppm", "+10.0 %"]),
        ] {
            let person = charting(with_history(660.0, 600.0), Compare::Before, language);
            for word in words {
                assert!(person.sees(word), "{word} is missing in {:?}", person.all());
            }
            assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
        }
        let stretch = |from_us| Stretch { from_us, to_us: from_us + DAY_US, width_s: 3600.0 };
        let other = BucketsAnswer {
            buckets: (0..24).map(|h| bucket(h * 3_600_000_000, 1.0)).collect(),
            ..BucketsAnswer::default()
        };
        let half = as_far(&other, stretch(DAY_US), stretch(0), DAY_US + DAY_US / 2);
        assert_eq!(half.buckets.len(), 12);
    }

    #[test]
    fn a_table_of_what_is_seen_can_be_kept() {
        let mut person = charting(with_history(660.0, 600.0), Compare::Nothing, Language::English);
        person.click_on("CSV");
        let [Action::Keep { name, text }] = &person.wishes[..] else { panic!("{:?}", person.wishes) };
        assert_eq!(name, "campanile-a-1f-101-co2-1970-01-01.csv");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 97);
        assert_eq!(lines[1], "1970-01-01T00:00:00+08:00,a/1f/101/co2,[ppm],660,659,661,");
    }

    #[test]
    fn the_way_to_yesterday_is_one_click() {
        let mut person = charting(with_history(660.0, 600.0), Compare::Nothing, Language::English);
        assert!(person.sees("1970-01-01"));
        person.click_on("‹");
        assert!(person.sees("1969-12-31") && person.sees("mean 600 ppm"), "{:?}", person.all());
        let index = person.state.index.clone().unwrap();
        let range = Range::Calendar { period: Period::Day, ago: 1 };
        assert_eq!(person.view.charts.wanted(&index), [Stretched { point: 0, range }]);
        let mut charts = ChartsView::default();
        (0..8).for_each(|n| charts.toggle(&n.to_string()));
        assert_eq!((charts.points.len(), charts.points[0].as_str()), (MOST_POINTS, "2"));
    }
}
