//! The panel: what was found, the water balance of yesterday as a table, nights and hours as charts, and the
//! map.

use campanile_plugin::{
    Time, Words,
    clock::{DAY, HOUR, SECOND},
    panels::{Content, Line, Tone, Tree},
};

use crate::{
    guard::Branch,
    register::{DAY_SLOTS, Dial, Register, SLOT_S},
    tree::Place,
    words::{m3, number, same, state},
};

/// Branches of which the nights are drawn, those nearest to their limit.
const DRAWN: usize = 5;

/// A meter as the panel shows it.
pub struct Shown<'a> {
    /// The path of its node.
    pub path: &'a str,
    /// Its names.
    pub names: &'a Words,
    /// Where it stands in the tree.
    pub place: &'a Place,
    /// What it serves, by path.
    pub serves: &'a [String],
    /// What is remembered of it.
    pub branch: &'a Branch,
    /// Its register.
    pub register: &'a Register,
    /// What its register can show.
    pub dial: &'a Dial,
}

/// The balance of the campus for a day, in litres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Campus {
    /// What the main meters took in.
    pub intake_l: f64,
    /// What no meter further down has measured of it.
    pub unmeasured_l: f64,
    /// What all leaks together lose, L/h.
    pub leaks_l_h: f64,
}

impl Campus {
    /// The newest day that is closed, over all meters.
    pub fn of<'a>(meters: impl Iterator<Item = (&'a Place, &'a Branch)>) -> Self {
        let mut campus = Self::default();
        for (place, branch) in meters {
            campus.leaks_l_h += branch.leak.map_or(0.0, |leak| leak.l_h);
            let Some(day) = branch.days.back() else { continue };
            if place.parent.is_none() {
                campus.intake_l += day.through_l;
            }
            if !place.children.is_empty() {
                campus.unmeasured_l += day.own_l;
            }
        }
        campus
    }

    /// What no meter further down has measured, as a share of the intake in per cent.
    pub fn unmeasured_pct(&self) -> f64 {
        if self.intake_l > 0.0 { 100.0 * self.unmeasured_l / self.intake_l } else { 0.0 }
    }
}

fn head(meters: &[Shown<'_>], campus: &Campus) -> (Words, Tone) {
    let leaks = meters.iter().filter(|meter| meter.branch.leak.is_some()).count();
    if meters.is_empty() {
        return (
            Words::new(
                "没有可读的水表：请核对给水管网的水表与授权。",
                "There is no water meter to be read: look at the water network and at what is \
                    granted.",
            ),
            Tone::Caution,
        );
    }
    if leaks > 0 {
        let (l_h, daily) = (number(campus.leaks_l_h), m3(24.0 * campus.leaks_l_h));
        return (
            Words::new(
                format!("疑似漏水 {leaks} 处，共约 {l_h} L/h，每天最多损失 {daily} m³。"),
                format!("{leaks} probable leak(s), together some {l_h} L/h, up to {daily} m³ a day."),
            ),
            Tone::Danger,
        );
    }
    match meters.iter().map(|meter| meter.branch.nights.len()).max() {
        Some(0) | None => (
            Words::new(
                "正在积累数据：满一昼夜后开始判断。",
                "Learning: it judges from the first whole day and night on.",
            ),
            Tone::Plain,
        ),
        _ => (Words::new("未发现漏水。", "No leak was found."), Tone::Good),
    }
}

fn nights(meters: &[Shown<'_>]) -> Vec<Line> {
    let over = |meter: &Shown<'_>| meter.branch.nights.back().map_or(f64::MIN, |n| n.l_h - n.limit_l_h);
    let mut order: Vec<&Shown<'_>> = meters.iter().filter(|meter| !meter.branch.nights.is_empty()).collect();
    order.sort_by(|a, b| over(b).total_cmp(&over(a)));
    order.truncate(DRAWN);
    let line = |meter: &&Shown<'_>| Line {
        names: meter.names.clone(),
        dots: meter.branch.nights.iter().map(|night| (night.day * DAY + 3 * HOUR, night.l_h)).collect(),
    };
    order.iter().map(line).collect()
}

/// Flows of the last day, by quarters of an hour: of the main meters and of the branches that leak.
fn hours(meters: &[Shown<'_>], now: Time) -> Vec<Line> {
    let newest = now.div_euclid(SLOT_S * SECOND);
    let hours = SLOT_S as f64 / 3_600.0;
    let flow =
        |meter: &Shown<'_>, slot| Some(meter.register.between(meter.dial, slot, slot + 1)?.litres / hours);
    let drawn = meters.iter().filter(|m| m.place.parent.is_none() || m.branch.leak.is_some());
    let lines = drawn.map(|meter| Line {
        names: meter.names.clone(),
        dots: (newest - DAY_SLOTS..newest)
            .filter_map(|slot| Some((slot * SLOT_S * SECOND, flow(meter, slot)?)))
            .collect(),
    });
    lines.filter(|line| !line.dots.is_empty()).take(DRAWN).collect()
}

/// The water balance of the newest day: by level, each meter against those below it.
fn table(meters: &[Shown<'_>]) -> Content {
    let head = [
        ("级", "Level"),
        ("水表", "Meter"),
        ("用水量 m³", "Use, m³"),
        ("下级合计 m³", "Below, m³"),
        ("差值 m³", "Difference, m³"),
        ("差值率 %", "Difference, %"),
        ("夜间 L/h", "Night, L/h"),
        ("允许 L/h", "Allowed, L/h"),
        ("状态", "State"),
    ];
    let row = |meter: &Shown<'_>| {
        let (day, night) = (meter.branch.days.back(), meter.branch.nights.back());
        let none = || "–".to_owned();
        let parent = !meter.place.children.is_empty();
        let day_text = |text: &dyn Fn(&crate::guard::Day) -> String| day.map_or_else(none, text);
        vec![
            same(meter.place.level.to_string()),
            meter.names.clone(),
            same(day_text(&|d| m3(d.through_l))),
            same(if parent { day_text(&|d| m3(d.below_l)) } else { none() }),
            same(if parent {
                day_text(&|d| format!("{} ± {}", m3(d.own_l), m3(2.0 * d.spread_l)))
            } else {
                none()
            }),
            same(match day {
                Some(d) if parent && d.through_l > 0.0 => number(100.0 * d.own_l / d.through_l),
                _ => none(),
            }),
            same(night.map_or_else(none, |n| number(n.l_h))),
            same(night.map_or_else(none, |n| number(n.limit_l_h))),
            state(meter.branch).0,
        ]
    };
    let head = head.map(|(zh, en)| Words::new(zh, en)).into();
    Content::Table((head, meters.iter().map(row).collect()))
}

/// The places that a branch serves and its meter, by how it is.
fn map(meters: &[Shown<'_>]) -> Content {
    let mut marks: Vec<(String, Tone, Words)> = Vec::new();
    for meter in meters {
        let (words, tone) = state(meter.branch);
        let night =
            meter.branch.nights.back().map_or_else(String::new, |n| format!(" {} L/h", number(n.l_h)));
        let under = Words::new(
            format!("{}：{}{night}", meter.names.zh_cn, words.zh_cn),
            format!("{}: {}{night}", meter.names.en, words.en),
        );
        // Places of a branch with branches of its own are theirs to colour, unless it is the one that leaks.
        let paints = meter.place.children.is_empty() || tone == Tone::Danger;
        let places = meter.serves.iter().filter(|_| paints).map(String::as_str);
        for path in places.chain([meter.path]) {
            marks.push((path.to_owned(), tone, under.clone()));
        }
    }
    Content::MapLayer(marks)
}

/// The whole panel.
pub fn panel(meters: &[Shown<'_>], campus: &Campus, now: Time) -> Tree {
    let mut tree = Tree::new("water", Content::Column);
    tree.add(Tree::ROOT, "head", Content::Text(head(meters, campus)));
    let text = |zh: &str, en: &str| Content::Text((Words::new(zh, en), Tone::Plain));
    if meters.iter().any(|meter| !meter.branch.days.is_empty()) {
        let row = tree.add(Tree::ROOT, "gauges", Content::Row);
        let intake = Words::new(
            format!("昨日取水量 {} m³", m3(campus.intake_l)),
            format!("Intake of yesterday {} m³", m3(campus.intake_l)),
        );
        tree.add(row, "intake", Content::Text((intake, Tone::Plain)));
        let share = (
            Words::new("未被下级水表计量", "Not measured further down"),
            campus.unmeasured_pct(),
            0.0,
            100.0,
        );
        tree.add(row, "unmeasured", Content::Gauge((share.0, share.1, share.2, share.3, "%".into())));
    }
    let nights = nights(meters);
    if !nights.is_empty() {
        tree.add(
            Tree::ROOT,
            "nights-title",
            text("夜间流量（最接近限值的支路）", "Night flow of the branches nearest to their limit"),
        );
        tree.add(Tree::ROOT, "nights", Content::Chart((nights, "L/h".into())));
    }
    let hours = hours(meters, now);
    if !hours.is_empty() {
        tree.add(Tree::ROOT, "hours-title", text("最近一昼夜流量", "Flow of the last day"));
        tree.add(Tree::ROOT, "hours", Content::Chart((hours, "L/h".into())));
    }
    if !meters.is_empty() {
        tree.add(Tree::ROOT, "table-title", text("水平衡表（昨日）", "Water balance of yesterday"));
        tree.add(Tree::ROOT, "table", table(meters));
        tree.add(Tree::ROOT, "map", map(meters));
    }
    tree
}
