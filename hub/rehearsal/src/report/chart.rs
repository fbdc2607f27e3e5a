//! Curves over time as SVG.

use std::fmt::Write as _;

use super::safe;

/// A curve of a chart.
pub struct Curve {
    /// What it is called, where there are several.
    pub name: String,
    /// Times, in the unit of the axis, and values.
    pub points: Vec<(f64, f64)>,
    /// Which of the colours.
    pub colour: usize,
    /// Whether it is dashed.
    pub dashed: bool,
}

/// The axis of time, which begins at 0.
pub struct Across<'a> {
    /// Its unit, as people read it.
    pub unit: &'a str,
    /// How far apart its marks are; left out: as it fits.
    pub step: Option<f64>,
}

const COLOURS: [&str; 3] = ["#1f78b4", "#d95f02", "#1b9e77"];
/// How large a chart is, as its `viewBox` has it.
pub const CHART_SIZE: [f64; 2] = [460.0, 210.0];
const WIDTH: f64 = CHART_SIZE[0];
const HEIGHT: f64 = CHART_SIZE[1];
/// Room left, right, above and below the plot.
const MARGIN: [f64; 4] = [48.0, 12.0, 28.0, 34.0];

/// A round number of which a few make the whole.
fn tick(span: f64) -> f64 {
    let raw = (span / 4.0).max(1e-9);
    let power = 10f64.powi(raw.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.iter().map(|s| s * power).find(|s| *s >= raw).unwrap_or(10.0 * power)
}

/// Curves as an SVG element.
pub fn chart(title: &str, unit: &str, across: &Across<'_>, curves: &[Curve]) -> String {
    let all = || curves.iter().flat_map(|c| &c.points);
    let last = all().map(|p| p.0).fold(1.0, f64::max);
    let last = across.step.map_or(last, |step| (last / step - 1e-6).ceil() * step);
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.1), h.max(p.1)));
    // Curves that stand far above 0, such as the level of a river, are shown from near their lowest.
    let low =
        if low > 0.5 * high { (low / tick(high - low)).floor() * tick(high - low) } else { low.min(0.0) };
    let high = if high > low { high } else { low + 1.0 };
    let [left, right, top, bottom] = MARGIN;
    let x = |m: f64| left + m / last * (WIDTH - left - right);
    let y = |v: f64| HEIGHT - bottom - (v - low) / (high - low) * (HEIGHT - top - bottom);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\"><text class=\"t\" x=\"{left}\" y=\"16\">{0} <tspan font-weight=\"400\">({1})</tspan></text>",
        safe(title),
        safe(unit)
    );
    let step = tick(high - low);
    let mut value = (low / step).ceil() * step;
    while value <= high + step * 1e-6 {
        let at = y(value);
        let digits = if step < 1.0 { 1 + usize::from(step < 0.1) } else { 0 };
        let _ = write!(
            out,
            "<line x1=\"{left}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"currentColor\" stroke-opacity=\".12\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.digits$}</text>",
            WIDTH - right,
            left - 6.0,
            at + 4.0
        );
        value += step;
    }
    let step = across.step.unwrap_or_else(|| tick(last));
    let mut mark = 0.0;
    while mark <= last + step * 1e-6 {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{mark:.0}</text>",
            x(mark),
            HEIGHT - bottom + 15.0
        );
        mark += step;
    }
    let _ = write!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        WIDTH - right,
        HEIGHT - 4.0,
        safe(across.unit)
    );
    let mut legend = left;
    for curve in curves.iter().filter(|c| !c.points.is_empty()) {
        let colour = COLOURS[curve.colour % COLOURS.len()];
        let dash = if curve.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        out.push_str("<polyline fill=\"none\" stroke-width=\"1.8\" points=\"");
        for (m, v) in &curve.points {
            let _ = write!(out, "{:.1},{:.1} ", x(*m), y(*v));
        }
        let _ = write!(out, "\" stroke=\"{colour}\"{dash}/>");
        if curves.len() > 1 {
            let _ = write!(
                out,
                "<line x1=\"{legend}\" x2=\"{}\" y1=\"{}\" y2=\"{}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/><text x=\"{}\" y=\"{}\">{}</text>",
                legend + 18.0,
                HEIGHT - 8.0,
                HEIGHT - 8.0,
                legend + 22.0,
                HEIGHT - 4.0,
                safe(&curve.name)
            );
            let wide: f64 = curve.name.chars().map(|c| if c.is_ascii() { 6.2 } else { 11.5 }).sum();
            legend += 34.0 + wide;
        }
    }
    out.push_str("</svg>");
    out
}
