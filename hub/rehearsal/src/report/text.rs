//! The words of a report in both languages.

/// The language of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of a tag; English where it is another.
    pub fn of(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }
}

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// The words of a report in one language.
        pub(super) struct Words {
            $(pub $name: &'static str,)*
        }

        pub(super) fn words(lang: Lang) -> Words {
            match lang {
                Lang::Zh => Words { $($name: $zh,)* },
                Lang::En => Words { $($name: $en,)* },
            }
        }

        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $zh, $en),)*];
    };
}

words! {
    score: "评分", "Score";
    points: "分", "points";
    clock: "演练时间", "on the clock";
    seed: "随机种子", "seed";
    hash: "状态校验", "state";
    run: "方案", "Run";
    difference: "两次决策的差别", "What the other decisions changed";
    decisions: "决策与预案对照", "Decisions against the plan";
    timeline: "过程曲线", "How it went";
    maps: "积水与到达时间图", "Depth and arrival";
    rooms: "室内进水", "Water in rooms";
    people: "人员", "People";
    messages: "信息记录", "What was said";
    water: "水量平衡", "Water balance";
    honest: "结果来自首版一阶浅水模型与行人模型，适用于培训比较；模型、来源与局限见文档 engine-flood.md 与 engine-crowd.md。", "Figures come from a first-order shallow-water model and a pedestrian model in their first form: good for training and comparison. Equations, sources and limits: engine-flood.md and engine-crowd.md.";
    action: "行动", "Action";
    who: "角色 / 执行", "Role / by";
    plan: "预案时刻", "Plan";
    asked: "下令", "Ordered";
    done: "完成", "Done";
    verdict: "评价", "Verdict";
    player: "默认角色", "stand-in player";
    event: "事件", "event";
    nobody: "无人执行", "nobody did it";
    by_player: "按预案由默认角色执行", "done by the stand-in, as the plan has it";
    earlier: "按时，提前", "in time, ahead by";
    later: "晚于预案", "later than the plan by";
    ahead: "预案时刻未到即执行", "before the plan called for it";
    rain: "雨强", "Rain";
    river: "河道水位", "River level";
    evacuation: "疏散曲线", "Evacuation";
    people_unit: "人", "people";
    walking: "行进中", "walking";
    arrived: "已到达", "arrived";
    exposed: "涉水人数", "Exposed";
    in_water: "涉水", "in water";
    ever_in_water: "曾经涉水", "ever in water";
    endangered: "处于危险", "in danger";
    hazards: "曾处于危险（中度 / 显著 / 极度）", "ever in danger (moderate / significant / extreme)";
    minutes: "分钟", "min";
    depth_map: "最大积水深度", "Greatest depth of water";
    depth_unit: "m", "m";
    arrival_map: "积水到达时间", "Arrival of the water";
    all_dry: "没有房间进水。", "No room took water.";
    room: "房间", "Room";
    wet_from: "进水时刻", "Wet from";
    group: "班级 / 群体", "Class / group";
    longest: "最长涉水（分钟）", "Longest in water (min)";
}

/// A term of the water balance for people.
pub(super) fn term(lang: Lang, name: &str) -> &str {
    let known = [
        ("initial", "初始水量", "at the start"),
        ("rain", "降雨", "rain"),
        ("roofs", "屋面来水", "from roofs"),
        ("stages-in", "河道流入", "in from the river"),
        ("stages-out", "流入河道", "out to the river"),
        ("edges", "边界流出", "out over the edges"),
        ("drains", "管网排出", "out by drains"),
        ("pumps", "水泵排出", "out by pumps"),
        ("rooms", "室内", "in rooms"),
        ("now", "当前水量", "now"),
        ("error", "误差", "error"),
    ];
    let found = known.iter().find(|(id, _, _)| *id == name);
    found.map_or(name, |(_, zh, en)| if lang == Lang::Zh { zh } else { en })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_in_both_languages() {
        for (name, zh, en) in ALL {
            assert!(!zh.is_empty() && en.is_ascii() || en.contains('³'), "{name}");
            assert!(*name == "depth_unit" || !zh.is_ascii(), "{name} is not Chinese: {zh}");
        }
    }
}
