//! Tables of plugins: a head that stays, columns that are aligned, and as much room as there is; the rest scrolls.

use std::sync::Arc;

use bevy_egui::egui::{
    FontFamily, FontId, Galley, Id, Pos2, Rect, ScrollArea, Sense, Stroke, TextFormat, Ui, pos2,
    text::LayoutJob, vec2,
};

use crate::theme::{faint, ink, rule, stripe};

/// The widest a column gets before its texts wrap, points.
const WIDEST: f32 = 190.0;
/// The highest the rows get before they scroll, points.
const HIGHEST: f32 = 260.0;
const GAP: f32 = 12.0;
const PAD: f32 = 3.0;
const SIZE: f32 = 13.0;

/// Whether a text is a number, with a unit perhaps: then its column stands to the right. Dates, times of the day and
/// classes (7-2) are none.
fn is_number(text: &str) -> bool {
    let text = text.trim().trim_start_matches(['-', '+', '−']);
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{2009}');
    let unit = text.trim_start_matches(is_part);
    text.starts_with(|c: char| c.is_ascii_digit())
        && !unit.starts_with(['-', '/', ':', '–'])
        && !unit.contains(|c: char| c.is_ascii_digit())
}

/// Whether each column has but numbers.
fn numeric(columns: usize, rows: &[Vec<&str>]) -> Vec<bool> {
    let is_numeric = |column: usize| {
        let cells = || rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.trim().is_empty());
        cells().next().is_some() && cells().all(|cell| is_number(cell))
    };
    (0..columns).map(is_numeric).collect()
}

fn galley(ui: &Ui, text: &str, is_head: bool, width: f32) -> Arc<Galley> {
    let (size, colour) = if is_head { (11.5, faint()) } else { (SIZE, ink()) };
    let mut job = LayoutJob::single_section(
        text.to_owned(),
        TextFormat::simple(FontId::new(size, FontFamily::Proportional), colour),
    );
    job.wrap.max_width = width;
    ui.painter().layout_job(job)
}

/// Draws a table. Cells beyond the head are left out.
pub fn table_ui(ui: &mut Ui, id: Id, head: &[&str], rows: &[Vec<&str>]) {
    if head.is_empty() {
        return;
    }
    let right = numeric(head.len(), rows);
    let heads: Vec<Arc<Galley>> = head.iter().map(|text| galley(ui, text, true, WIDEST)).collect();
    let cells: Vec<Vec<Arc<Galley>>> = rows
        .iter()
        .map(|row| row.iter().take(head.len()).map(|text| galley(ui, text, false, WIDEST)).collect())
        .collect();
    let mut widths: Vec<f32> = heads.iter().map(|head| head.size().x.ceil()).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = width.max(cell.size().x.ceil());
        }
    }
    let total = widths.iter().sum::<f32>() + GAP * (widths.len() - 1) as f32 + 2.0 * PAD;
    // What is left over goes between the columns.
    let room = ui.available_width();
    let gap = GAP + ((room - total).max(0.0) / widths.len() as f32).min(40.0);
    let total = widths.iter().sum::<f32>() + gap * (widths.len() - 1) as f32 + 2.0 * PAD;
    let height_of = |row: &[Arc<Galley>]| row.iter().map(|g| g.size().y).fold(SIZE, f32::max) + 2.0 * PAD;
    let draw = |ui: &Ui, row: &[Arc<Galley>], at: Pos2| {
        let mut x = at.x + PAD;
        for ((cell, width), right) in row.iter().zip(&widths).zip(&right) {
            let shift = if *right { width - cell.size().x } else { 0.0 };
            ui.painter().galley(pos2(x + shift, at.y + PAD), cell.clone(), ink());
            x += width + gap;
        }
    };
    ScrollArea::horizontal().id_salt(id.with(("table", "wide"))).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_min_width(total);
        let (rect, _) = ui.allocate_exact_size(vec2(total, height_of(&heads)), Sense::hover());
        draw(ui, &heads, rect.min);
        ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, rule()));
        let scroll = ScrollArea::vertical()
            .id_salt(id.with(("table", "high")))
            .max_height(HIGHEST)
            .min_scrolled_height(HIGHEST);
        scroll.show(ui, |ui| {
            for (i, row) in cells.iter().enumerate() {
                let (rect, _) = ui.allocate_exact_size(vec2(total, height_of(row)), Sense::hover());
                if !ui.is_rect_visible(rect) {
                    continue;
                }
                if i % 2 == 1 {
                    ui.painter().rect_filled(Rect::from_min_max(rect.min, rect.max), 3.0, stripe());
                }
                draw(ui, row, rect.min);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_numbers_stand_to_the_right() {
        let rows = [vec!["7-2", "12", "3.5 kWh", ""], vec!["6-1", "-7", "12 kWh", ""]];
        assert_eq!(numeric(4, &rows), [false, true, true, false]);
        let rows = [vec!["12"], vec!["twelve"]];
        assert_eq!(numeric(1, &rows), [false]);
        for (text, expected) in [
            ("−0.5", true),
            ("1 234", true),
            ("26 °C", true),
            ("08:00", false),
            ("2026-06-15", false),
            ("-", false),
        ] {
            assert_eq!(is_number(text), expected, "{text}");
        }
    }
}
