//! Panels of plugins: a tree of nodes, drawn from what the plugin says and what the campus is now.
//!
//! The hub has checked them; what it would never let through is left out here, and never a reason to fall over.

use bevy_egui::egui::{
    Align, Align2, CornerRadius, FontFamily, FontId, Layout, Rect, RichText, Sense, Ui, UiBuilder, pos2, vec2,
};
use campanile_protocol::Names;
use campanile_protocol::plugins::{PanelContent, PanelNode, PanelShown};

use crate::chart::lines_ui;
use crate::details_ui::{trust_ui, value_ui};
use crate::form_ui::{Entries, button_ui, form_ui, node_id, quiz_ui};
use crate::marks_ui::{Layer, layer_ui};
use crate::plugins::PanelKey;
use crate::table::table_ui;
use crate::theme::{self, accent, faint, track};
use crate::ui::{Action, Input};
use crate::units::{number_text, unit_text};

/// Deeper than this nothing is set in any more: what is there follows below.
const DEEPEST: usize = 12;
/// What is not just a word or a button gets at least this much of a row, points.
const NARROWEST: f32 = 140.0;

/// A panel that is drawn.
struct Panel<'a> {
    input: &'a Input<'a>,
    key: &'a PanelKey,
    nodes: &'a [PanelNode],
    /// By node the nodes in it.
    inside: Vec<Vec<usize>>,
}

/// What drawing a panel may change.
pub struct Hands<'a> {
    /// What is entered in panels.
    pub entries: &'a mut Entries,
    /// The layer that colours the map.
    pub layer: &'a mut Option<Layer>,
    /// What the person wishes.
    pub actions: &'a mut Vec<Action>,
}

/// By node the nodes in it, and the first that holds all others.
fn tree(nodes: &[PanelNode]) -> Vec<Vec<usize>> {
    let mut inside = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate().skip(1) {
        // Parents come before their children: so no node is in itself.
        let parent = node.parent.map_or(0, |parent| parent as usize);
        if let Some(list) = inside.get_mut(parent).filter(|_| parent < i) {
            list.push(i);
        }
    }
    inside
}

/// Draws a panel.
pub fn panel_ui(ui: &mut Ui, input: &Input<'_>, key: &PanelKey, shown: &PanelShown, hands: &mut Hands<'_>) {
    let panel = Panel { input, key, nodes: &shown.nodes, inside: tree(&shown.nodes) };
    node_ui(ui, &panel, 0, 0, hands);
}

fn is_small(node: &PanelNode) -> bool {
    matches!(node.content, PanelContent::Text { .. } | PanelContent::Button { .. })
}

/// Draws a node and what is in it.
fn node_ui(ui: &mut Ui, panel: &Panel<'_>, at: usize, depth: usize, hands: &mut Hands<'_>) {
    let Some(node) = panel.nodes.get(at) else { return };
    // Of what stands around it nothing is in its id, so that it stays the same where the plugin puts something before it.
    let id = node_id(panel.key, &node.id);
    ui.scope_builder(UiBuilder::new().id(id), |ui| match &node.content {
        PanelContent::Column => column_ui(ui, panel, at, depth, hands),
        PanelContent::Row => row_ui(ui, panel, at, depth, hands),
        _ => leaf_ui(ui, panel, node, hands),
    });
}

/// The nodes in a container; of one that is too deep all that is in it, without those between.
fn children(panel: &Panel<'_>, at: usize, depth: usize) -> Vec<usize> {
    let inside = |at: usize| panel.inside.get(at).map_or(&[][..], Vec::as_slice);
    if depth < DEEPEST {
        return inside(at).to_vec();
    }
    let (mut found, mut open) = (Vec::new(), vec![at]);
    while let Some(next) = open.pop() {
        let holds = |node: &PanelNode| matches!(node.content, PanelContent::Column | PanelContent::Row);
        if panel.nodes.get(next).is_some_and(holds) {
            open.extend(inside(next).iter().rev());
        } else {
            found.push(next);
        }
    }
    found
}

fn column_ui(ui: &mut Ui, panel: &Panel<'_>, at: usize, depth: usize, hands: &mut Hands<'_>) {
    ui.vertical(|ui| {
        for child in children(panel, at, depth) {
            node_ui(ui, panel, child, depth + 1, hands);
        }
    });
}

/// Words and buttons flow and wrap; what needs more room gets columns as wide as each other, as many as fit.
fn row_ui(ui: &mut Ui, panel: &Panel<'_>, at: usize, depth: usize, hands: &mut Hands<'_>) {
    let children = children(panel, at, depth);
    let nodes = || children.iter().filter_map(|child| Some((*child, panel.nodes.get(*child)?)));
    if nodes().all(|(_, node)| is_small(node)) {
        ui.horizontal_wrapped(|ui| {
            for (_, node) in nodes() {
                if let PanelContent::Button { words, .. } = &node.content {
                    break_before(ui, panel.input.texts.name(words));
                }
                leaf_ui(ui, panel, node, hands);
            }
        });
        return;
    }
    let room = ui.available_width() + ui.spacing().item_spacing.x;
    let fit = (room / (NARROWEST + ui.spacing().item_spacing.x)).floor().max(1.0) as usize;
    for line in children.chunks(fit) {
        // The last line's columns are as wide as those above.
        let columns = if children.len() > fit { fit } else { line.len() };
        ui.columns(columns, |columns| {
            for (column, child) in columns.iter_mut().zip(line) {
                node_ui(column, panel, *child, depth + 1, hands);
            }
        });
    }
}

/// Ends a row that has not as much room left as a button with these words needs.
fn break_before(ui: &mut Ui, words: &str) {
    let font = bevy_egui::egui::TextStyle::Button.resolve(ui.style());
    let wide = ui.painter().layout_no_wrap(words.to_owned(), font, accent()).size().x;
    let needs = wide + 2.0 * ui.spacing().button_padding.x;
    if needs > ui.available_size_before_wrap().x && ui.cursor().left() > ui.min_rect().left() {
        ui.end_row();
    }
}

fn leaf_ui(ui: &mut Ui, panel: &Panel<'_>, node: &PanelNode, hands: &mut Hands<'_>) {
    let (input, key) = (panel.input, panel.key);
    let texts = input.texts;
    match &node.content {
        PanelContent::Text { words, tone } => {
            ui.label(RichText::new(texts.name(words)).color(theme::tone_colour(*tone)));
        }
        PanelContent::Value { point } => point_ui(ui, input, point.as_str()),
        PanelContent::Gauge { words, value, low, high, unit } => {
            gauge_ui(ui, texts.name(words), *value, [*low, *high], unit);
        }
        PanelContent::Chart { lines, unit } => lines_ui(ui, lines, unit, input.timezone(), texts),
        PanelContent::Table { head, rows } => {
            let name = |names: &'_ Names| -> String { texts.name(names).to_owned() };
            let head: Vec<String> = head.iter().map(name).collect();
            let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(name).collect()).collect();
            let head: Vec<&str> = head.iter().map(String::as_str).collect();
            let rows: Vec<Vec<&str>> =
                rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
            table_ui(ui, node_id(key, &node.id), &head, &rows);
        }
        PanelContent::Form { fields, words } => {
            form_ui(ui, input, key, &node.id, (fields, words), hands.entries, hands.actions);
        }
        PanelContent::Button { words, tone } => {
            button_ui(ui, input, key, &node.id, (words, *tone), hands.actions);
        }
        PanelContent::MapLayer { marks } => {
            layer_ui(ui, input, key, (&node.id, marks), hands.layer, hands.actions);
        }
        PanelContent::Quiz { question, answers } => {
            quiz_ui(ui, input, key, &node.id, (question, answers), hands.entries, hands.actions);
        }
        // They are drawn by what they hold.
        PanelContent::Column | PanelContent::Row => {}
    }
}

/// A point with its value, its age and how far it may be trusted, as in the panel of its entity.
fn point_ui(ui: &mut Ui, input: &Input<'_>, path: &str) {
    let found = input.index().and_then(|index| {
        let point = index.point_at(path)?;
        Some((index, point, index.point(point)?))
    });
    let Some((index, point, info)) = found else {
        ui.label(RichText::new(path).small().color(faint()));
        theme::badge_ui(ui, &input.texts.t("quality-none"), faint());
        return;
    };
    let entity = index.catalogue.entities.get(info.entity as usize);
    let place = entity.map_or("", |entity| input.texts.name(&entity.names));
    ui.vertical(|ui| {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                value_ui(ui, input, point, info);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let name = bevy_egui::egui::Label::new(input.texts.name(&info.names)).truncate();
                    ui.add(name).on_hover_text(path);
                });
            });
        });
        ui.horizontal(|ui| {
            trust_ui(ui, input, point);
            let place = bevy_egui::egui::Label::new(RichText::new(place).small().color(faint())).truncate();
            ui.add(place);
        });
    });
}

/// A number in its range as a bar.
fn gauge_ui(ui: &mut Ui, words: &str, value: f64, [low, high]: [f64; 2], unit: &str) {
    let unit = unit_text(unit);
    let resolution = (high > low).then(|| ((high - low) / 1000.0).max(1e-6));
    let number = |x: f64| number_text(x, resolution.filter(|_| x.fract() != 0.0).or(Some(1.0)));
    ui.vertical(|ui| {
        ui.label(RichText::new(words).small());
        let text = format!("{} {unit}", number(value));
        ui.label(RichText::new(text.trim_end()).strong().size(17.0));
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) as f32 } else { 0.0 };
        ui.painter().rect_filled(rect, CornerRadius::same(4), track());
        let filled = Rect::from_min_max(rect.min, pos2(rect.left() + rect.width() * share, rect.bottom()));
        ui.painter().rect_filled(filled, CornerRadius::same(4), accent());
        let (ends, _) = ui.allocate_exact_size(vec2(ui.available_width(), 13.0), Sense::hover());
        let font = FontId::new(10.5, FontFamily::Proportional);
        ui.painter().text(ends.left_top(), Align2::LEFT_TOP, number(low), font.clone(), faint());
        ui.painter().text(ends.right_top(), Align2::RIGHT_TOP, number(high), font, faint());
    });
}

#[cfg(test)]
pub(crate) mod tests {
    use campanile_protocol::plugins::{ChartLine, FieldKind, FormField, MapMark, Tone};
    use campanile_protocol::{Path, ServerMessage};

    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::place::{Dock, WorkPlace};
    use crate::plugins::PluginNews;
    use crate::plugins::tests::plugin;
    use crate::state::tests::live_state;
    use crate::state::{Event, State};
    use crate::ui::View;

    pub(crate) fn names(en: &str, zh: &str) -> Names {
        Names::new(zh, en)
    }

    pub(crate) fn node(id: &str, parent: u32, content: PanelContent) -> PanelNode {
        PanelNode { id: id.into(), parent: Some(parent), content }
    }

    /// A panel of the plugin `quest`: a column of nodes.
    pub(crate) fn column(nodes: Vec<PanelNode>) -> PanelShown {
        let root = PanelNode { id: "root".into(), parent: None, content: PanelContent::Column };
        PanelShown {
            plugin: "quest".into(),
            panel: "main".into(),
            names: names("Today", "今日"),
            person: None,
            time_us: 0,
            nodes: std::iter::once(root).chain(nodes).collect(),
        }
    }

    /// A campus where `quest` shows a panel.
    pub(crate) fn showing(panel: PanelShown) -> State {
        let mut state = live_state();
        state.apply(Event::Plugin(PluginNews::List(Ok(vec![plugin("quest", "rule")]))), 0.0);
        let panel = Box::new(panel);
        state.apply(Event::Message(ServerMessage::PanelShown { panel }), 0.0);
        state
    }

    /// A screen so high that nothing is scrolled out of sight.
    pub(crate) const HIGH: [f32; 2] = [800.0, 1400.0];

    /// The page with `quest` open.
    pub(crate) fn open() -> View {
        let mut view = View { dock: Dock::at(WorkPlace::Build), ..View::default() };
        view.plugins.open = Some("quest".into());
        view
    }

    fn mark(path: &str, tone: Tone, en: &str, zh: &str) -> MapMark {
        MapMark { path: path.into(), tone, words: names(en, zh) }
    }

    const HOUR_US: i64 = 3_600_000_000;

    /// Each kind of node, and what of it has to be read in English and in Chinese.
    fn kinds() -> Vec<(PanelContent, &'static [&'static str], &'static [&'static str])> {
        let line = |names: Names, shift: f64| ChartLine {
            names,
            dots: (0..48).map(|i| (i * HOUR_US / 2, 20.0 + shift + (i as f64 / 7.0).sin())).collect(),
        };
        let field =
            |id: &str, en: &str, zh: &str, kind| FormField { id: id.into(), names: names(en, zh), kind };
        vec![
            (
                PanelContent::Text {
                    words: names(
                        "A sentence that is a good deal longer than the panel is wide, so that it has to be broken",
                        "这一句话比面板的宽度长得多，因此必须换行显示，不能被截断，也不能超出面板的边缘",
                    ),
                    tone: Tone::Caution,
                },
                &["A sentence"][..],
                &["这一句话"][..],
            ),
            (
                PanelContent::Value { point: Path::new("a/1f/101/co2").unwrap() },
                &["CO₂", "800 ppm", "Good", "s ago", "a/1f/101"],
                &["二氧化碳", "800 ppm", "良好", "秒前", "a/1f/101 中"],
            ),
            (
                PanelContent::Value { point: Path::new("plugin/quest/saved").unwrap() },
                &["plugin/quest/saved", "No value yet"],
                &["plugin/quest/saved", "尚无数值"],
            ),
            (
                PanelContent::Gauge {
                    words: names("Used today", "今日用电"),
                    value: 1234.5,
                    low: 0.0,
                    high: 2000.0,
                    unit: "kW.h".into(),
                },
                &["Used today", "1234 kWh", "2000"],
                &["今日用电", "1234 kWh"],
            ),
            (
                PanelContent::Chart {
                    lines: vec![line(names("This week", "本周"), 0.0), line(names("Last week", "上周"), 3.0)],
                    unit: "Cel".into(),
                },
                &["°C", "This week", "Last week"],
                &["°C", "本周", "上周"],
            ),
            (
                PanelContent::Chart { lines: Vec::new(), unit: String::new() },
                &["No values yet"],
                &["还没有数值"],
            ),
            (
                PanelContent::Table {
                    head: vec![names("Class", "班级"), names("Points", "积分"), names("Saved", "节电")],
                    rows: (1..40)
                        .map(|i| {
                            let class = format!("7-{i}");
                            vec![
                                names(&class, &class),
                                names(&(400 - i * 7).to_string(), &(400 - i * 7).to_string()),
                                names(&format!("{i} kWh"), &format!("{i} kWh")),
                            ]
                        })
                        .collect(),
                },
                &["Class", "Points", "7-1", "393", "1 kWh"],
                &["班级", "积分", "7-1"],
            ),
            (
                PanelContent::Form {
                    fields: vec![
                        field(
                            "t",
                            "Cooling to",
                            "制冷温度",
                            FieldKind::Number { low: 20.0, high: 30.0, first: 26.0 },
                        ),
                        field("why", "Why", "理由", FieldKind::Text { most: 60 }),
                        field("long", "More", "补充", FieldKind::Text { most: 400 }),
                        field(
                            "where",
                            "Where",
                            "地点",
                            FieldKind::Choice {
                                choices: vec![names("Teaching block A", "教学楼 A"), names("Gym", "体育馆")],
                            },
                        ),
                        field(
                            "solar",
                            "Solar on the gym's roof",
                            "体育馆屋顶光伏",
                            FieldKind::Toggle { first: true },
                        ),
                    ],
                    words: names("Try it in a rehearsal", "在演练中试一试"),
                },
                &[
                    "Cooling to",
                    "Why",
                    "Where",
                    "Teaching block A",
                    "Solar on the gym's roof",
                    "Try it in a rehearsal",
                ],
                &["制冷温度", "理由", "地点", "教学楼 A", "体育馆屋顶光伏", "在演练中试一试"],
            ),
            (
                PanelContent::Button { words: names("Begin the round", "开始本轮"), tone: Tone::Danger },
                &["Begin the round"],
                &["开始本轮"],
            ),
            (
                PanelContent::MapLayer {
                    marks: vec![
                        mark("a/1f/101", Tone::Danger, "leaks 120 l/h", "漏水 120 升/时"),
                        mark("a", Tone::Good, "tight", "无漏水"),
                    ],
                },
                &["Show on the map", "leaks 120 l/h", "tight", "(1)"],
                &["在地图上显示", "漏水 120 升/时", "无漏水"],
            ),
            (
                PanelContent::Quiz {
                    question: names(
                        "Which of these uses the most electricity in a classroom on a hot afternoon?",
                        "炎热的下午，教室里哪一样最耗电？",
                    ),
                    answers: vec![
                        names("The air-conditioner", "空调"),
                        names(
                            "All lights of the room together, when they are left on over noon",
                            "午间没有关掉的全部灯具",
                        ),
                    ],
                },
                &["Which of these", "The air-conditioner", "All lights"],
                &["哪一样最耗电", "空调", "全部灯具"],
            ),
        ]
    }

    #[test]
    fn every_kind_of_node_is_drawn_in_both_languages_on_small_screens() {
        for (content, english, chinese) in kinds() {
            for size in [[1024.0, 640.0], [800.0, 600.0]] {
                for (language, expected) in [(Language::English, english), (Language::Chinese, chinese)] {
                    let panel = column(vec![node("it", 0, content.clone())]);
                    let mut person = Person::at(showing(panel), open(), language, size);
                    let mut read = String::new();
                    // Down the page, which is at the right.
                    for _ in 0..6 {
                        read += &person.all().join("\n");
                        let cut = person.cut_off();
                        assert!(cut.is_empty(), "{content:?} at {size:?} in {language:?} cuts off {cut:?}");
                        person.scroll(pos2(size[0] - 200.0, 300.0), 120.0);
                    }
                    for text in expected {
                        assert!(read.contains(text), "{text} is missing at {size:?} in {read}");
                    }
                    let harmless = |wish: &Action| matches!(wish, Action::Layer(Some(_)));
                    assert!(person.wishes.iter().all(harmless), "looking sends nothing: {:?}", person.wishes);
                }
            }
        }
    }

    fn text(en: &str) -> PanelContent {
        PanelContent::Text { words: names(en, en), tone: Tone::Plain }
    }

    fn button(en: &str) -> PanelContent {
        PanelContent::Button { words: names(en, en), tone: Tone::Plain }
    }

    #[test]
    fn a_row_flows_or_has_columns() {
        let gauge = |en: &str| PanelContent::Gauge {
            words: names(en, en),
            value: 1.0,
            low: 0.0,
            high: 2.0,
            unit: String::new(),
        };
        let mut nodes = vec![node("words", 0, PanelContent::Row)];
        let words = ["One", "Another of them", "A third", "And a fourth", "The fifth"];
        nodes.extend(words.iter().map(|word| node(word, 1, button(word))));
        nodes.push(node("gauges", 0, PanelContent::Row));
        let gauges = nodes.len() as u32;
        nodes.extend(["North", "South", "West"].iter().map(|word| node(word, gauges, gauge(word))));
        let person = Person::at(showing(column(nodes)), open(), Language::English, [800.0, 600.0]);
        assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
        let [one, fifth] = ["One", "The fifth"].map(|text| person.place(text));
        assert!(fifth.top() > one.bottom(), "buttons that don't fit go on below");
        let [north, south, west] = ["North", "South", "West"].map(|text| person.place(text));
        assert!((north.top() - south.top()).abs() < 1.0 && south.left() > north.right(), "beside each other");
        // An N and a W do not begin at the same hair's breadth.
        assert!(
            west.top() > north.bottom() && (west.left() - north.left()).abs() < 2.0,
            "and {west:?} below the first, {north:?}"
        );
    }

    #[test]
    fn what_no_hub_lets_through_is_left_out_and_nothing_falls_over() {
        let deep = (0..450).map(|i| node(&format!("n{i}"), i, PanelContent::Column));
        let deep = column(deep.chain([node("end", 450, text("at the bottom"))]).collect());
        let nan = |content| column(vec![node("bad", 0, content), node("end", 0, text("at the bottom"))]);
        let gauge = |value, low, high| PanelContent::Gauge {
            words: names("x", "x"),
            value,
            low,
            high,
            unit: "{".into(),
        };
        let form = |kind| PanelContent::Form {
            fields: vec![FormField { id: "f".into(), names: names("f", "f"), kind }],
            words: names("send", "send"),
        };
        for panel in [
            deep,
            nan(gauge(f64::NAN, f64::INFINITY, 0.0)),
            nan(gauge(1e308, -1e308, 1e308)),
            nan(PanelContent::Chart {
                lines: vec![ChartLine {
                    names: names("l", "l"),
                    dots: vec![(i64::MIN, 1.0), (i64::MAX, -1.0)],
                }],
                unit: "]".into(),
            }),
            nan(PanelContent::Table {
                head: vec![names("a", "a")],
                rows: vec![vec![], vec![names("b", "b"), names("c", "c")]],
            }),
            nan(PanelContent::Table { head: vec![], rows: vec![vec![names("b", "b")]] }),
            nan(form(FieldKind::Number { low: f64::NAN, high: 1.0, first: f64::INFINITY })),
            nan(form(FieldKind::Number { low: 2.0, high: 1.0, first: 3.0 })),
            nan(form(FieldKind::Choice { choices: Vec::new() })),
            nan(form(FieldKind::Text { most: 0 })),
            nan(PanelContent::Quiz { question: names("", ""), answers: Vec::new() }),
            nan(PanelContent::MapLayer { marks: vec![mark("", Tone::Plain, "", "")] }),
            column(vec![node("own", 1, PanelContent::Column), node("end", 0, text("at the bottom"))]),
            column(vec![node("far", 77, text("nowhere")), node("end", 0, text("at the bottom"))]),
        ] {
            let what = format!("{:?}", panel.nodes.get(1));
            let person = Person::at(showing(panel), open(), Language::English, [800.0, 600.0]);
            assert!(person.sees("at the bottom"), "{what}: {:?}", person.all());
        }
    }
}
