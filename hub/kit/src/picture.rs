//! The sums of a scenario drawn through its time, with the plugin and without.

use std::fmt::Write as _;

use campanile_model::Names;
use campanile_rehearsal::{Across, CHART_SIZE, Curve, chart, safe};

use crate::run::{Ran, SLICES, Summed};
use crate::scenario::{Expected, Measure, Scenario, Total};

/// What can be drawn of a scenario.
#[derive(Clone, Debug)]
pub struct Picture {
    names: Names,
    hours: f64,
    charts: Vec<Chart>,
}

#[derive(Clone, Debug)]
struct Chart {
    title: Names,
    unit: Names,
    sum_unit: String,
    with: Summed,
    without: Option<Summed>,
}

/// Space around and between charts.
const GAP: f64 = 12.0;
const LINE: f64 = 18.0;

impl Picture {
    /// What a scenario's sums were; none where it expects none.
    pub(crate) fn of(scenario: &Scenario, ran: &Ran, without: Option<&Ran>) -> Option<Self> {
        let totals = scenario.expectations.iter().filter_map(|expectation| match &expectation.what {
            Expected::Total(total) => Some(total),
            _ => None,
        });
        let charts: Vec<Chart> = totals
            .zip(&ran.totals)
            .enumerate()
            .map(|(i, (total, with))| {
                let (title, unit) = names(total);
                let without = without.and_then(|ran| ran.totals.get(i)).cloned();
                Chart { title, unit, sum_unit: total.unit.clone(), with: with.clone(), without }
            })
            .collect();
        let hours = scenario.duration_s / 3600.0;
        (!charts.is_empty()).then(|| Self { names: scenario.names.clone(), hours, charts })
    }

    /// A drawing as SVG, in the language that `of` chooses.
    pub fn svg(&self, of: &dyn Fn(&Names) -> String) -> String {
        let [width, height] = CHART_SIZE;
        let whole = width + 2.0 * GAP;
        let heading = lines(&of(&self.names), width);
        let above = LINE * heading.len() as f64 + 2.0 * GAP;
        let tall = above + self.charts.len() as f64 * (height + GAP);
        let (per_unit, unit, step) = match self.hours {
            h if h > 72.0 => (24.0, Names::new("天", "days"), None),
            h if h > 12.0 => (1.0, Names::new("时", "hours"), Some(if h > 24.0 { 12.0 } else { 3.0 })),
            h if h > 3.0 => (1.0, Names::new("时", "hours"), Some(1.0)),
            _ => (1.0 / 60.0, Names::new("分", "minutes"), None),
        };
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {tall}\" width=\"{whole}\" \
             height=\"{tall}\" color=\"#222\"><style>text{{font:11px \
             'Noto Sans','Noto Sans CJK SC',sans-serif;fill:#222}}.t,.h{{font-weight:600;font-size:12px}}.h{{font-size:13px}}\
             </style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
        );
        for (i, line) in heading.iter().enumerate() {
            let y = GAP + LINE * (i as f64 + 0.8);
            let _ = write!(out, "<text class=\"h\" x=\"{GAP}\" y=\"{y}\">{}</text>", safe(line));
        }
        for (i, one) in self.charts.iter().enumerate() {
            let points = |summed: &Summed| {
                let slice = self.hours / per_unit / SLICES as f64;
                let middle = summed.course.iter().enumerate().map(|(k, y)| ((k as f64 + 0.5) * slice, *y));
                middle.filter(|(_, y)| y.is_finite()).collect()
            };
            let named = |names: Names, summed: &Summed| {
                format!("{} {:.1} {}", of(&names), summed.value, one.sum_unit)
            };
            let with = Curve {
                name: named(Names::new("有该插件", "with the plugin"), &one.with),
                points: points(&one.with),
                colour: 0,
                dashed: false,
            };
            let without = one.without.iter().map(|without| Curve {
                name: named(Names::new("没有该插件", "without"), without),
                points: points(without),
                colour: 1,
                dashed: true,
            });
            let curves: Vec<Curve> = without.chain([with]).collect();
            let across = Across { unit: &of(&unit), step };
            let y = above + i as f64 * (height + GAP);
            let drawn = chart(&of(&one.title), &of(&one.unit), &across, &curves);
            let placed = format!("<svg x=\"{GAP}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" ");
            out.push_str(&drawn.replacen("<svg ", &placed, 1));
        }
        out.push_str("</svg>\n");
        out
    }
}

/// The title of a chart, and the unit of what it shows.
fn names(total: &Total) -> (Names, Names) {
    let of = total.of.names();
    let globs = total.globs.join(", ");
    let title = Names::new(format!("{}：{globs}", of.zh), format!("{}: {globs}", capital(&of.en)));
    let unit = match total.of {
        Measure::Amount if total.unit == "kWh" => Names::new("kW", "kW"),
        Measure::Amount => Names::new(format!("{}/h", total.unit), format!("{}/h", total.unit)),
        Measure::Mean => Names::new(total.unit.clone(), total.unit.clone()),
        Measure::Hours(..) => Names::new("范围内的测点数", "points within the range"),
    };
    (title, unit)
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A text in lines of about this width, broken between words, or anywhere between Chinese characters.
fn lines(text: &str, width: f64) -> Vec<String> {
    let wide = |c: char| if c.is_ascii() { 7.4 } else { 13.0 };
    let mut lines = vec![String::new()];
    let mut room = width;
    for word in text.split_inclusive(|c: char| c == ' ' || !c.is_ascii()) {
        let needs: f64 = word.chars().map(wide).sum();
        if needs > room && room < width {
            lines.push(String::new());
            room = width;
        }
        room -= needs;
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_drawn_with_and_without() {
        let summed = |value: f64, y: f64| Summed { value, course: vec![y; SLICES] };
        let picture = Picture {
            names: Names::new("夏季一天：空调用电减少，舒适时数不减", "A day of summer & what it takes"),
            hours: 24.0,
            charts: vec![Chart {
                title: Names::new("累计：net/*", "The sum: net/*"),
                unit: Names::new("kW", "kW"),
                sum_unit: "kWh".to_owned(),
                with: summed(24.0, 1.0),
                without: Some(summed(48.0, 2.0)),
            }],
        };
        let en = picture.svg(&|names| names.en.clone());
        assert!(
            en.contains("A day of summer &amp; what it takes") && en.contains("without 48.0 kWh"),
            "{en}"
        );
        // The day ends at 24, and what used twice as much stands twice as high.
        assert!(en.contains(">24</text>"), "{en}");
        let heights: Vec<f64> = en
            .split("points=\"")
            .skip(1)
            .map(|points| points.split([' ', ',']).nth(1).unwrap_or_default().parse().unwrap_or(f64::NAN))
            .collect();
        let ground = CHART_SIZE[1] - 34.0;
        assert_eq!(heights.len(), 2);
        assert!((heights[0] - ground).abs() > 1.99 * (heights[1] - ground).abs(), "{heights:?}");
        let zh = picture.svg(&|names| names.zh.clone());
        assert!(zh.contains("没有该插件 48.0 kWh") && zh.contains(">时</text>"), "{zh}");
    }

    #[test]
    fn a_heading_is_broken_where_a_reader_would() {
        assert_eq!(lines("one two three", 60.0), ["one two ", "three"]);
        assert_eq!(lines("夏季一天", 27.0), ["夏季", "一天"]);
    }
}
