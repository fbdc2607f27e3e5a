//! Charts: of the last day of a point with the mean as a line, minimum to maximum as a band and gaps as gaps; of
//! plugins with several lines and their names.

use bevy_egui::egui::{
    Align2, CornerRadius, FontFamily, FontId, Mesh, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui,
    pos2, vec2,
};
use campanile_protocol::plugins::ChartLine;
use campanile_protocol::rest::{Bucket, BucketsAnswer};

use crate::colour::nice_step;
use crate::locale::Texts;
use crate::theme::{LINES, accent, faint, rule};
use crate::units::{number_text, time_text, unit_text};

/// Buckets without a gap between them.
pub fn runs(buckets: &[Bucket], width_us: f64) -> Vec<&[Bucket]> {
    buckets.chunk_by(|a, b| (b.start_us - a.start_us) as f64 <= width_us * 1.5).collect()
}

/// What a bucket shows: what was consumed in it, else the mean.
pub fn shown(bucket: &Bucket) -> f64 {
    bucket.consumption.unwrap_or(bucket.mean)
}

fn ends(buckets: &[Bucket]) -> Option<(f64, f64)> {
    let lows = buckets.iter().map(|b| b.consumption.unwrap_or(b.min));
    let highs = buckets.iter().map(|b| b.consumption.unwrap_or(b.max));
    let low = lows.min_by(f64::total_cmp)?;
    let high = highs.max_by(f64::total_cmp)?;
    Some(if high > low { (low, high) } else { (low - 1.0, high + 1.0) })
}

/// Draws the line and its band into a rectangle.
fn draw(ui: &Ui, rect: Rect, answer: &BucketsAnswer, from_us: i64, to_us: i64, (low, high): (f64, f64)) {
    let span_us = (to_us - from_us).max(1) as f64;
    let width_us = answer.width_s * 1e6;
    let at = |time_us: f64, y: f64| {
        let x = ((time_us - from_us as f64) / span_us).clamp(0.0, 1.0) as f32;
        let y = ((y - low) / (high - low)).clamp(0.0, 1.0) as f32;
        pos2(rect.left() + x * rect.width(), rect.bottom() - y * rect.height())
    };
    for run in runs(&answer.buckets, width_us) {
        let middle = |b: &Bucket| b.start_us as f64 + width_us * 0.5;
        let mut band = Mesh::default();
        for b in run {
            let colour = accent().gamma_multiply(0.16);
            let (bottom, top) = if b.consumption.is_some() { (low, shown(b)) } else { (b.min, b.max) };
            band.colored_vertex(at(middle(b), bottom), colour);
            band.colored_vertex(at(middle(b), top), colour);
        }
        for i in 1..run.len() as u32 {
            band.add_triangle(2 * i - 2, 2 * i - 1, 2 * i);
            band.add_triangle(2 * i - 1, 2 * i, 2 * i + 1);
        }
        ui.painter().add(Shape::mesh(band));
        let line: Vec<Pos2> = run.iter().map(|b| at(middle(b), shown(b))).collect();
        match line.as_slice() {
            [alone] => {
                ui.painter().circle_filled(*alone, 1.6, accent());
            }
            _ => {
                ui.painter().add(Shape::line(line, Stroke::new(1.5, accent())));
            }
        }
    }
}

/// A small chart without axes, which a click opens.
pub fn sparkline_ui(ui: &mut Ui, answer: &BucketsAnswer, from_us: i64, to_us: i64) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(88.0, 24.0), Sense::click());
    let fill = crate::theme::field(response.hovered());
    ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    if let Some(ends) = ends(&answer.buckets) {
        draw(ui, rect.shrink2(vec2(2.0, 3.0)), answer, from_us, to_us, ends);
    }
    response.clicked()
}

/// How high a chart with axes is, points.
const HEIGHT: f32 = 150.0;

/// The last day of a point in a small place: a line, or of a state when it was.
pub fn spark_ui(ui: &Ui, rect: Rect, answer: &BucketsAnswer, from_us: i64, to_us: i64, is_state: bool) {
    if !is_state {
        if let Some(ends) = ends(&answer.buckets) {
            draw(ui, rect, answer, from_us, to_us, ends);
        }
        return;
    }
    let span = (to_us - from_us).max(1) as f64;
    let part = |us: f64| rect.left() + ((us - from_us as f64) / span).clamp(0.0, 1.0) as f32 * rect.width();
    for bucket in &answer.buckets {
        let share = bucket.mean.clamp(0.0, 1.0) as f32;
        let (from, to) = (part(bucket.start_us as f64), part(bucket.start_us as f64 + answer.width_s * 1e6));
        let of = Rect::from_x_y_ranges(from..=to.max(from + 0.5), rect.y_range());
        ui.painter().rect_filled(of, CornerRadius::ZERO, accent().gamma_multiply(0.1 + 0.9 * share));
    }
}

/// What a chart with axes shows: from when to when, microseconds UTC, and from what to what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// From when.
    pub from_us: i64,
    /// Until when.
    pub to_us: i64,
    low: f64,
    high: f64,
    /// From one line of the scale to the next.
    step: f64,
}

impl Frame {
    /// A frame with round ends around values.
    pub fn around(from_us: i64, to_us: i64, (low, high): (f64, f64)) -> Self {
        let step = nice_step((high - low) / 4.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { from_us, to_us, low, high, step }
    }

    /// How far to the right a moment is, 0 to 1 within the frame.
    pub fn part(&self, time_us: i64) -> f32 {
        (time_us.saturating_sub(self.from_us) as f64 / self.span_us()) as f32
    }

    fn span_us(&self) -> f64 {
        self.to_us.saturating_sub(self.from_us).max(1) as f64
    }

    /// The moment that is so far to the right.
    pub fn moment(&self, part: f32) -> i64 {
        self.from_us.saturating_add((f64::from(part) * self.span_us()) as i64)
    }

    /// Where a value at a moment is in a plot.
    pub fn at(&self, plot: Rect, time_us: i64, y: f64) -> Pos2 {
        let up = ((y - self.low) / (self.high - self.low)).clamp(0.0, 1.0) as f32;
        pos2(
            plot.left() + self.part(time_us).clamp(0.0, 1.0) * plot.width(),
            plot.bottom() - up * plot.height(),
        )
    }

    /// How moments are written: over some days as days.
    fn format(&self) -> &'static str {
        if self.span_us() > 2.0 * 86.4e9 { "%m-%d" } else { "%H:%M" }
    }
}

/// The size of small numbers at charts.
pub const TICK_SIZE: f32 = 10.5;

/// Draws the axes; gives back where the lines go.
pub fn axes_ui(ui: &mut Ui, frame: Frame, timezone: &str, height: f32) -> (Rect, Response) {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click_and_drag());
    let font = FontId::new(TICK_SIZE, FontFamily::Proportional);
    let ticks: Vec<(f64, String)> = (0..=64)
        .map(|i| frame.low + frame.step * f64::from(i))
        .take_while(|tick| *tick <= frame.high + frame.step * 0.01)
        .map(|tick| (tick, number_text(tick, Some(frame.step))))
        .collect();
    let width_of = |text: &String| ui.painter().layout_no_wrap(text.clone(), font.clone(), faint()).size().x;
    // As far in as the longest number needs.
    let left = ticks.iter().map(|(_, text)| width_of(text)).fold(28.0, f32::max) + 10.0;
    let plot = Rect::from_min_max(rect.min + vec2(left, 8.0), rect.max - vec2(8.0, 20.0));
    for (tick, text) in ticks {
        let y = frame.at(plot, frame.from_us, tick).y;
        ui.painter().hline(plot.x_range(), y, Stroke::new(1.0, rule()));
        ui.painter().text(pos2(plot.left() - 6.0, y), Align2::RIGHT_CENTER, text, font.clone(), faint());
    }
    for part in 0..=4 {
        let share = part as f32 / 4.0;
        let align = match part {
            0 => Align2::LEFT_TOP,
            4 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let text = time_text(frame.moment(share), timezone, frame.format());
        let at = pos2(plot.left() + plot.width() * share, plot.bottom() + 4.0);
        ui.painter().text(at, align, text, font.clone(), faint());
    }
    (plot, response)
}

/// The moment under the pointer, marked in the plot.
pub fn pointed_ui(ui: &Ui, frame: Frame, plot: Rect, response: &Response) -> Option<i64> {
    let pointer = response.hover_pos().filter(|p| plot.contains(*p))?;
    ui.painter().vline(pointer.x, plot.y_range(), Stroke::new(1.0, faint()));
    Some(frame.moment((pointer.x - plot.left()) / plot.width()))
}

/// A chart with axes.
pub fn chart_ui(ui: &mut Ui, answer: &BucketsAnswer, from_us: i64, to_us: i64, timezone: &str) {
    let Some(ends) = ends(&answer.buckets) else { return };
    let frame = Frame::around(from_us, to_us, ends);
    let (plot, response) = axes_ui(ui, frame, timezone, HEIGHT);
    draw(ui, plot, answer, from_us, to_us, (frame.low, frame.high));
    let Some(time) = pointed_ui(ui, frame, plot, &response) else { return };
    let width_us = (answer.width_s * 1e6) as i64;
    if let Some(b) = answer.buckets.iter().find(|b| (b.start_us..b.start_us + width_us).contains(&time)) {
        let clock = time_text(b.start_us, timezone, "%H:%M");
        let text = format!("{clock}  {}", number_text(shown(b), None));
        let font = FontId::new(TICK_SIZE, FontFamily::Proportional);
        ui.painter().text(plot.right_top(), Align2::RIGHT_TOP, text, font, accent());
    }
}

/// What lies around all dots of some lines; `None` where there are none that can be drawn.
fn frame_of(lines: &[ChartLine]) -> Option<Frame> {
    let dots = || lines.iter().flat_map(|line| &line.dots).filter(|(_, y)| y.is_finite());
    let times = || dots().map(|(time, _)| *time);
    let (from_us, to_us) = (times().min()?, times().max()?);
    let low = dots().map(|(_, y)| *y).min_by(f64::total_cmp)?;
    let high = dots().map(|(_, y)| *y).max_by(f64::total_cmp)?;
    // A line that is flat, or flat within what numbers can say, has room around it.
    let least = f64::max(1e-9, 1e-9 * low.abs().max(high.abs()));
    let ends =
        if high - low > least { (low, high) } else { (low - 1.0f64.max(least), high + 1.0f64.max(least)) };
    (ends.1 - ends.0).is_finite().then(|| Frame::around(from_us, to_us, ends))
}

/// The value of a line nearest to a moment.
fn nearest(line: &ChartLine, time_us: i64) -> Option<f64> {
    let dots = line.dots.iter().filter(|(_, y)| y.is_finite());
    dots.min_by_key(|(time, _)| time.abs_diff(time_us)).map(|(_, y)| *y)
}

/// A chart of several lines with their names, and their values where the pointer is.
pub fn lines_ui(ui: &mut Ui, lines: &[ChartLine], unit: &str, timezone: &str, texts: &Texts) {
    let unit = unit_text(unit);
    let Some(frame) = frame_of(lines) else {
        ui.label(RichText::new(texts.t("panel-chart-empty")).color(faint()));
        return;
    };
    if !unit.is_empty() {
        ui.label(RichText::new(&unit).small().color(faint()));
    }
    let (plot, response) = axes_ui(ui, frame, timezone, HEIGHT);
    let coloured = || lines.iter().zip(LINES.into_iter().cycle());
    for (line, colour) in coloured() {
        let dots = line.dots.iter().filter(|(_, y)| y.is_finite());
        let dots: Vec<Pos2> = dots.map(|(time, y)| frame.at(plot, *time, *y)).collect();
        match dots.as_slice() {
            [alone] => {
                ui.painter().circle_filled(*alone, 2.0, colour);
            }
            _ => {
                ui.painter().add(Shape::line(dots, Stroke::new(1.6, colour)));
            }
        }
    }
    let pointed = pointed_ui(ui, frame, plot, &response);
    if let Some(time) = pointed {
        let clock = time_text(time, timezone, "%m-%d %H:%M");
        let font = FontId::new(TICK_SIZE, FontFamily::Proportional);
        ui.painter().text(plot.right_top(), Align2::RIGHT_TOP, clock, font, faint());
    }
    for (line, colour) in coloured() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 10.0), Sense::hover());
            ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(2.5, colour));
            ui.label(RichText::new(texts.name(&line.names)).small());
            // Where nothing is pointed at, the last.
            let time = pointed.unwrap_or(frame.to_us);
            if let Some(y) = nearest(line, time) {
                let text = format!("{} {unit}", number_text(y, None));
                ui.label(RichText::new(text.trim_end()).small().strong());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_stays_a_gap() {
        let at = |minute: i64| Bucket { start_us: minute * 60_000_000, ..Bucket::default() };
        let buckets = [at(0), at(15), at(30), at(90), at(105)];
        let lengths: Vec<usize> = runs(&buckets, 900e6).iter().map(|r| r.len()).collect();
        assert_eq!(lengths, [3, 2]);
    }

    #[test]
    fn lines_of_plugins_are_framed_whatever_their_numbers() {
        let line = |dots: &[(i64, f64)]| ChartLine {
            names: campanile_protocol::Names::new("", ""),
            dots: dots.to_vec(),
        };
        let of = |lines: &[ChartLine]| frame_of(lines).map(|f| (f.from_us, f.to_us, f.low, f.high));
        for (lines, expected) in [
            (vec![], None),
            (vec![line(&[])], None),
            (vec![line(&[(0, f64::NAN)])], None),
            (vec![line(&[(5, 3.0)])], Some((5, 5, 2.0, 4.0))),
            (
                vec![line(&[(9, 1.0), (4, 7.0)]), line(&[(6, f64::INFINITY), (12, 2.0)])],
                Some((4, 12, 0.0, 8.0)),
            ),
            (vec![line(&[(0, -f64::MAX), (1, f64::MAX)])], None),
        ] {
            assert_eq!(of(&lines), expected, "{lines:?}");
        }
        let flat = frame_of(&[line(&[(0, 1e15), (1, 1e15)])]).unwrap();
        assert!(flat.high > flat.low && flat.step > 0.0, "{flat:?}");
        let one = line(&[(0, 1.0), (10, 2.0), (20, f64::NAN)]);
        assert_eq!((nearest(&one, 4), nearest(&one, 1000)), (Some(1.0), Some(2.0)));
    }

    #[test]
    fn a_flat_line_has_ends_around_it() {
        let flat = Bucket { min: 5.0, max: 5.0, mean: 5.0, ..Bucket::default() };
        assert_eq!(ends(&[flat]), Some((4.0, 6.0)));
        assert_eq!(ends(&[]), None);
    }
}
