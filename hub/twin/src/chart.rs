//! Charts of the last day: mean as a line, minimum to maximum as a band, gaps as gaps.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontFamily, FontId, Mesh, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2,
};
use campanile_protocol::rest::{Bucket, BucketsAnswer};

use crate::colour::nice_step;
use crate::theme::{ACCENT, FAINT, LINE};
use crate::units::{number_text, time_text};

/// Buckets without a gap between them.
fn runs(buckets: &[Bucket], width_us: f64) -> Vec<&[Bucket]> {
    buckets.chunk_by(|a, b| (b.start_us - a.start_us) as f64 <= width_us * 1.5).collect()
}

/// What a bucket shows: what was consumed in it, else the mean.
fn shown(bucket: &Bucket) -> f64 {
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
            let colour = ACCENT.gamma_multiply(0.16);
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
                ui.painter().circle_filled(*alone, 1.6, ACCENT);
            }
            _ => {
                ui.painter().add(Shape::line(line, Stroke::new(1.5, ACCENT)));
            }
        }
    }
}

/// A small chart without axes, which a click opens.
pub fn sparkline_ui(ui: &mut Ui, answer: &BucketsAnswer, from_us: i64, to_us: i64) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(88.0, 24.0), Sense::click());
    let fill =
        if response.hovered() { Color32::from_rgb(226, 235, 243) } else { Color32::from_rgb(240, 243, 247) };
    ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    if let Some(ends) = ends(&answer.buckets) {
        draw(ui, rect.shrink2(vec2(2.0, 3.0)), answer, from_us, to_us, ends);
    }
    response.clicked()
}

/// A chart with axes.
pub fn chart_ui(ui: &mut Ui, answer: &BucketsAnswer, from_us: i64, to_us: i64, timezone: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 150.0), Sense::hover());
    let Some((low, high)) = ends(&answer.buckets) else { return };
    let step = nice_step((high - low) / 4.0);
    let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
    let plot = Rect::from_min_max(rect.min + vec2(46.0, 8.0), rect.max - vec2(8.0, 20.0));
    let font = FontId::new(10.5, FontFamily::Proportional);
    let mut tick = low;
    while tick <= high + step * 0.01 {
        let y = plot.bottom() - ((tick - low) / (high - low)) as f32 * plot.height();
        ui.painter().hline(plot.x_range(), y, Stroke::new(1.0, LINE));
        let text = number_text(tick, Some(step));
        ui.painter().text(pos2(plot.left() - 6.0, y), Align2::RIGHT_CENTER, text, font.clone(), FAINT);
        tick += step;
    }
    for part in 0..=4 {
        let x = plot.left() + plot.width() * part as f32 / 4.0;
        let time = from_us + (to_us - from_us) / 4 * i64::from(part);
        let align = match part {
            0 => Align2::LEFT_TOP,
            4 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let text = time_text(time, timezone, "%H:%M");
        ui.painter().text(pos2(x, plot.bottom() + 4.0), align, text, font.clone(), FAINT);
    }
    draw(ui, plot, answer, from_us, to_us, (low, high));
    let Some(pointer) = response.hover_pos().filter(|p| plot.contains(*p)) else { return };
    let part = f64::from((pointer.x - plot.left()) / plot.width());
    let time = from_us + (part * (to_us - from_us) as f64) as i64;
    let width_us = (answer.width_s * 1e6) as i64;
    if let Some(b) = answer.buckets.iter().find(|b| (b.start_us..b.start_us + width_us).contains(&time)) {
        ui.painter().vline(pointer.x, plot.y_range(), Stroke::new(1.0, FAINT));
        let clock = time_text(b.start_us, timezone, "%H:%M");
        let text = format!("{clock}  {}", number_text(shown(b), None));
        ui.painter().text(plot.right_top(), Align2::RIGHT_TOP, text, font, ACCENT);
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
    fn a_flat_line_has_ends_around_it() {
        let flat = Bucket { min: 5.0, max: 5.0, mean: 5.0, ..Bucket::default() };
        assert_eq!(ends(&[flat]), Some((4.0, 6.0)));
        assert_eq!(ends(&[]), None);
    }
}
