//! The panels: missions, quiz, proposal, league, and live values. What one person sees of missions and quiz
//! beside others is a [`View`].

use campanile_plugin::{
    Words,
    activities::Standing,
    panels::{Content, Field, FieldKind, Tone, Tree},
};

use crate::{
    live::{Named, Sources},
    missions::{Goal, MISSIONS, Mission, Reading, Topic},
    proposal::{Pending, Tried, What},
    round::{self, Round},
    text::{Text, number, same},
};

/// Buildings that a proposal may choose among; more would not fit a list.
pub const MOST_BUILDINGS: usize = 20;

/// Who looks: all, or a person who has answered something.
#[derive(Clone, Copy, Debug, Default)]
pub struct View<'a> {
    /// The person.
    pub person: Option<&'a str>,
    /// What was said to the last answer: to which mission, in which tone.
    pub said: Option<(&'a Mission, &'a Words, Tone)>,
}

fn text(words: Words, tone: Tone) -> Content {
    Content::Text((words, tone))
}

fn plain(zh: &str, en: &str) -> Content {
    text(Words::new(zh, en), Tone::Plain)
}

/// `名字（10 分）`.
fn title(mission: &Mission) -> Words {
    let Text(zh, en) = mission.names;
    Words::new(format!("{zh}（{} 分）", mission.points), format!("{en} ({} points)", mission.points))
}

impl View<'_> {
    /// What was said to the last answer, below the mission that it was about.
    fn say(&self, tree: &mut Tree, under: u32, mission: &Mission) {
        if let Some((about, words, tone)) = self.said
            && about.id == mission.id
        {
            tree.add(under, format!("{}-said", mission.id), text(words.clone(), tone));
        }
    }

    /// Whether the person may still answer in this round.
    fn may_answer(&self, round: &Round, mission: &Mission) -> bool {
        self.person.is_none_or(|person| round.left(mission, person) > 0)
    }
}

const SPENT: Text = Text("本轮已作答，下一轮再来。", "Answered in this round; come again in the next.");

/// What can be done with the campus' own values.
pub fn missions(sources: &Sources, round: &Round, view: View<'_>, offered: &[&Mission]) -> Tree {
    let mut tree = Tree::new("missions", Content::Column);
    tree.add(
        Tree::ROOT,
        "how",
        plain(
            "每个任务每人只得一次分，分数记在班级名下。读数可在孪生校园里查。答错会告诉你为什么。",
            "Each mission earns its points once a person, and they count for the class. Read the \
            values in the twin. A wrong answer tells you why.",
        ),
    );
    for topic in Topic::ALL {
        let of: Vec<&Mission> = offered.iter().copied().filter(|mission| mission.topic == topic).collect();
        if of.is_empty() {
            continue;
        }
        let id = topic.names().1.to_lowercase();
        tree.add(Tree::ROOT, format!("topic-{id}"), text(topic.names().words(), Tone::Accent));
        for mission in of {
            let card = tree.add(Tree::ROOT, format!("{}-card", mission.id), Content::Column);
            tree.add(card, format!("{}-name", mission.id), text(title(mission), Tone::Plain));
            let pick = match mission.goal {
                Goal::Pick(pick) => Some(pick),
                _ => None,
            };
            if pick.is_none() {
                tree.add(card, format!("{}-task", mission.id), text(mission.task.words(), Tone::Plain));
            }
            view.say(&mut tree, card, mission);
            match mission.goal {
                Goal::Read(_) | Goal::Pick(_) if !view.may_answer(round, mission) => {
                    tree.add(card, format!("{}-spent", mission.id), text(SPENT.words(), Tone::Plain));
                }
                Goal::Read(reading) => {
                    tree.add(
                        card,
                        mission.id,
                        Content::Form((vec![entry(reading)], Words::new("提交", "Hand in"))),
                    );
                }
                Goal::Pick(pick) => {
                    let mut answers: Vec<Words> =
                        round.offer(mission).iter().filter_map(|&i| sources.names(pick, i)).collect();
                    if pick == crate::missions::Pick::EmptyRoom {
                        answers.push(Words::new("都没有", "None of them"));
                    }
                    tree.add(card, mission.id, Content::Quiz((mission.task.words(), answers)));
                }
                Goal::Quiz | Goal::Proposal => {}
            }
        }
    }
    tree
}

fn entry(reading: Reading) -> Field {
    let (low, high) = reading.range();
    let names = Words::new(format!("读数（{}）", reading.unit()), format!("Reading ({})", reading.unit()));
    Field { id: "reading".into(), names, kind: FieldKind::Number((low, high, low.max(0.0))) }
}

/// The questions of the round, one a topic.
pub fn quiz(round: &Round, view: View<'_>, minutes: i64) -> Tree {
    let mut tree = Tree::new("quiz", Content::Column);
    let how = Words::new(
        format!("每个主题一题，每题一次机会；每 {minutes} 分钟换一轮。"),
        format!("One question a topic, one answer each; a new round every {minutes} minutes."),
    );
    tree.add(Tree::ROOT, "how", text(how, Tone::Plain));
    for mission in MISSIONS.iter().filter(|mission| mission.goal == Goal::Quiz) {
        let Some(question) = round::question(mission.topic, round.number) else { continue };
        let card = tree.add(Tree::ROOT, format!("{}-card", mission.id), Content::Column);
        tree.add(card, format!("{}-name", mission.id), text(title(mission), Tone::Accent));
        view.say(&mut tree, card, mission);
        if view.may_answer(round, mission) {
            let answers = question.answers.iter().map(|(answer, _)| answer.words()).collect();
            tree.add(card, mission.id, Content::Quiz((question.question.words(), answers)));
        } else {
            tree.add(card, format!("{}-asked", mission.id), text(question.question.words(), Tone::Plain));
            tree.add(card, format!("{}-spent", mission.id), text(SPENT.words(), Tone::Plain));
        }
    }
    tree
}

/// The form of a proposal, and what came of the last ones.
pub fn proposal(
    buildings: &[(&str, &Words)],
    pending: Option<&Pending>,
    tried: &[Tried],
    said: Option<&Words>,
) -> Tree {
    let mut tree = Tree::new("proposal", Content::Column);
    tree.add(
        Tree::ROOT,
        "how",
        plain(
            "提一项改变：模拟校园会把同样的几天过两遍，一遍有它，一遍没有。真实的校园不会被改动。",
            "Propose a change: a simulated campus lives the same days twice, with it and \
            without. Nothing real is touched.",
        ),
    );
    if let Some(said) = said {
        tree.add(Tree::ROOT, "said", text(said.clone(), Tone::Caution));
    }
    if let Some(pending) = pending {
        let words =
            Words::new(format!("正在试：{}", pending.words.0), format!("Being tried: {}", pending.words.1));
        tree.add(Tree::ROOT, "pending", text(words, Tone::Accent));
    }
    let choice = |words: Vec<Words>| FieldKind::Choice(words);
    let field = |id: &str, zh: &str, en: &str, kind| Field { id: id.into(), names: Words::new(zh, en), kind };
    let mut places = vec![Words::new("全校", "The whole campus")];
    places.extend(buildings.iter().map(|(_, names)| (*names).clone()));
    let fields = vec![
        field("what", "做什么", "What", choice(What::ALL.map(|what| what.names().words()).into())),
        field("where", "在哪里", "Where", choice(places)),
        field(
            "celsius",
            "温度（°C，只对设定温度有用）",
            "Temperature (°C, for the setpoint alone)",
            FieldKind::Number((16.0, 30.0, 26.0)),
        ),
        field("from", "从几点", "From, hour", FieldKind::Number((0.0, 24.0, 12.0))),
        field("to", "到几点", "To, hour", FieldKind::Number((0.0, 24.0, 17.0))),
        field("days", "试几天（1–7）", "Days of the trial (1 to 7)", FieldKind::Number((1.0, 7.0, 3.0))),
    ];
    tree.add(Tree::ROOT, "form", Content::Form((fields, Words::new("试一试", "Try it"))));
    if let Some(last) = tried.last() {
        outcome(&mut tree, last);
    }
    if tried.len() > 1 {
        tree.add(Tree::ROOT, "earlier", plain("以前的提案", "Earlier proposals"));
        let head = [
            ("班级", "Class"),
            ("提案", "Proposal"),
            ("省电 kWh", "Saved, kWh"),
            ("减排 kg", "CO₂ less, kg"),
            ("舒适变化", "Comfort"),
        ];
        let row = |tried: &Tried| {
            vec![
                same(&tried.class),
                Words::new(&tried.words.0, &tried.words.1),
                same(number(tried.saved_kwh())),
                same(number(tried.saved_kg())),
                same(percent_points(tried.comfort_gain())),
            ]
        };
        let head = head.map(|(zh, en)| Words::new(zh, en)).into();
        tree.add(
            Tree::ROOT,
            "earlier-table",
            Content::Table((head, tried.iter().rev().skip(1).map(row).collect())),
        );
    }
    tree
}

fn percent_points(share: f64) -> String {
    let x = 100.0 * share;
    format!("{}{} %", if x >= 0.05 { "+" } else { "" }, number(x))
}

fn outcome(tree: &mut Tree, last: &Tried) {
    let title = Words::new(
        format!("结果：{}，{}", last.class, last.words.0),
        format!("Outcome: {}, {}", last.class, last.words.1),
    );
    tree.add(Tree::ROOT, "outcome", text(title, Tone::Accent));
    let tone = if last.is_good() { Tone::Good } else { Tone::Caution };
    tree.add(Tree::ROOT, "verdict", text(last.verdict().words(), tone));
    let head = [("量", "Quantity"), ("不改变", "Without"), ("按提案", "With it"), ("差别", "Difference")];
    let share = |x: f64| format!("{} %", number(100.0 * x));
    let row = |zh: &str, en: &str, cells: [String; 3]| {
        let mut row = vec![Words::new(zh, en)];
        row.extend(cells.map(same));
        row
    };
    let rows = vec![
        row(
            "用电 kWh",
            "Electricity, kWh",
            [number(last.kwh.1), number(last.kwh.0), number(-last.saved_kwh())],
        ),
        row(
            "二氧化碳 kg",
            "CO₂, kg",
            [number(last.kg_kwh * last.kwh.1), number(last.kg_kwh * last.kwh.0), number(-last.saved_kg())],
        ),
        row(
            "舒适时间",
            "Comfortable hours",
            [share(last.comfort.1), share(last.comfort.0), percent_points(last.comfort_gain())],
        ),
    ];
    let head = head.map(|(zh, en)| Words::new(zh, en)).into();
    tree.add(Tree::ROOT, "outcome-table", Content::Table((head, rows)));
}

/// The classes by points.
pub fn league(standings: &[Standing]) -> Tree {
    let mut tree = Tree::new("league", Content::Column);
    tree.add(Tree::ROOT, "how", plain("只排班级，不排个人。", "Classes are ranked, nobody else."));
    if standings.is_empty() {
        tree.add(
            Tree::ROOT,
            "none",
            plain("还没有班级得分：去做第一个任务吧。", "No class has points yet: do the first mission."),
        );
        return tree;
    }
    let mut rows = Vec::with_capacity(standings.len());
    let (mut rank, mut before) = (0, None);
    for (place, standing) in standings.iter().enumerate() {
        // The same points are the same rank.
        if before != Some(standing.points) {
            (rank, before) = (place + 1, Some(standing.points));
        }
        let group = match standing.group.as_str() {
            "staff" => Words::new("教职工", "Staff"),
            class => same(class),
        };
        rows.push(vec![same(rank.to_string()), group, same(standing.points.to_string())]);
    }
    let head = vec![Words::new("名次", "Rank"), Words::new("班级", "Class"), Words::new("分数", "Points")];
    tree.add(Tree::ROOT, "league-table", Content::Table((head, rows)));
    tree
}

/// The values that missions are about, alive, and the factor of the grid with its source.
pub fn live(sources: &Sources, kg_kwh: f64, source: &str) -> Tree {
    let mut tree = Tree::new("live", Content::Column);
    let groups: [(&str, Text, &[Named]); 7] = [
        ("grid", Text("电网总功率", "Power from the grid"), &sources.grid),
        ("solar", Text("屋顶光伏", "Solar roof"), &sources.solar),
        ("water", Text("总进水流量", "Flow of the main water meters"), &sources.main_water),
        ("fridges", Text("冷藏柜", "Refrigerators"), &sources.fridges),
        ("plates", Text("光盘称重", "Plate waste"), &sources.plates),
        ("bins", Text("分类垃圾桶", "Bins"), &sources.bins),
        ("river", Text("河水溶解氧", "Oxygen of the river"), sources.oxygen.as_slice()),
    ];
    for (id, names, list) in groups {
        if list.is_empty() {
            continue;
        }
        tree.add(Tree::ROOT, format!("{id}-title"), text(names.words(), Tone::Accent));
        for (i, one) in list.iter().take(12).enumerate() {
            let row = tree.add(Tree::ROOT, format!("{id}-{i}"), Content::Row);
            tree.add(row, format!("{id}-{i}-name"), text(one.names.clone(), Tone::Plain));
            tree.add(row, format!("{id}-{i}-value"), Content::Value(one.point()));
        }
    }
    let factor = Words::new(
        format!("电网排放因子：{kg_kwh} kg CO₂/kWh。来源：{source}"),
        format!("Factor of the grid: {kg_kwh} kg of CO₂ a kWh. Source: {source}"),
    );
    tree.add(Tree::ROOT, "factor", text(factor, Tone::Plain));
    tree
}
