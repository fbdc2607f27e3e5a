//! The missions: what is to be done, what it earns, and how it is checked.

use crate::text::Text;

/// What a mission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Electricity and comfort.
    Energy,
    /// Water.
    Water,
    /// The canteen.
    Food,
    /// What is thrown away.
    Waste,
    /// The river beside the campus.
    River,
    /// Greenhouse gases.
    Carbon,
}

impl Topic {
    /// In the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Energy, Self::Water, Self::Food, Self::Waste, Self::River, Self::Carbon];

    /// Its name.
    pub fn names(self) -> Text {
        match self {
            Self::Energy => Text("能源", "Energy"),
            Self::Water => Text("水", "Water"),
            Self::Food => Text("食物", "Food"),
            Self::Waste => Text("垃圾", "Waste"),
            Self::River => Text("河流", "River"),
            Self::Carbon => Text("碳", "Carbon"),
        }
    }
}

/// A number that is read off the campus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Electricity that the campus takes from the grid, kW.
    GridKw,
    /// Solar power as a share of all electricity that is used, %.
    SolarShare,
    /// Water through the main meter, litres a minute.
    WaterLMin,
    /// The warmest refrigerator, °C.
    WarmestFridgeC,
    /// Plate waste on the scales, kg.
    PlateWasteKg,
    /// Wet waste as a share of all waste in the bins, %.
    WetShare,
    /// What the electricity from the grid causes now, kg of CO₂ an hour.
    CarbonKgH,
}

impl Reading {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::GridKw,
        Self::SolarShare,
        Self::WaterLMin,
        Self::WarmestFridgeC,
        Self::PlateWasteKg,
        Self::WetShare,
        Self::CarbonKgH,
    ];

    /// How far an answer may be off: a part of the value, and so much beside in its unit.
    pub fn tolerance(self) -> (f64, f64) {
        match self {
            Self::GridKw | Self::CarbonKgH => (0.05, 1.0),
            Self::SolarShare => (0.05, 2.0),
            Self::WaterLMin => (0.1, 6.0),
            Self::WarmestFridgeC => (0.0, 0.5),
            Self::PlateWasteKg => (0.05, 0.5),
            Self::WetShare => (0.05, 2.0),
        }
    }

    /// Its unit, for people.
    pub fn unit(self) -> &'static str {
        match self {
            Self::GridKw => "kW",
            Self::SolarShare | Self::WetShare => "%",
            Self::WaterLMin => "L/min",
            Self::WarmestFridgeC => "°C",
            Self::PlateWasteKg => "kg",
            Self::CarbonKgH => "kg/h",
        }
    }

    /// The lowest and the highest that can be entered.
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::SolarShare | Self::WetShare => (0.0, 100.0),
            Self::WarmestFridgeC => (-30.0, 60.0),
            _ => (0.0, 100_000.0),
        }
    }
}

/// Something to be picked, of which the campus knows the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pick {
    /// The room where lights or air conditioning run and nobody is.
    EmptyRoom,
    /// The classroom with the stalest air.
    StuffyRoom,
    /// The branch that takes most water.
    ThirstyBranch,
    /// The class of the river's water by its oxygen.
    RiverClass,
}

impl Pick {
    /// All.
    pub const ALL: [Self; 4] = [Self::EmptyRoom, Self::StuffyRoom, Self::ThirstyBranch, Self::RiverClass];
}

/// How a mission is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Enter the number that the campus shows.
    Read(Reading),
    /// Pick the right one.
    Pick(Pick),
    /// Answer the question of the round.
    Quiz,
    /// Have a proposal tried that saves energy and keeps comfort.
    Proposal,
}

/// A mission.
#[derive(Debug)]
pub struct Mission {
    /// Its id.
    pub id: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// How it is done.
    pub goal: Goal,
    /// What it earns.
    pub points: u32,
    /// Its name.
    pub names: Text,
    /// What is to be done.
    pub task: Text,
    /// What is said to who has got it wrong.
    pub hint: Text,
    /// What is said to who has got it right.
    pub learnt: Text,
}

/// The mission with an id.
pub fn by_id(id: &str) -> Option<&'static Mission> {
    MISSIONS.iter().find(|mission| mission.id == id)
}

const QUIZ_HINT: Text = Text("下一轮会换一道题。", "The next round has another question.");

/// All missions.
pub const MISSIONS: &[Mission] = &[
    Mission {
        id: "power-now",
        topic: Topic::Energy,
        goal: Goal::Read(Reading::GridKw),
        points: 10,
        names: Text("全校此刻用多少电", "The power of a school"),
        task: Text(
            "在配电系统里找到总表（最靠近变压器的那些），把它们此刻的功率加起来，填入千瓦数。",
            "Find the main meters in the electricity network (those next to the transformers), \
                add up their power now, and enter it in kW.",
        ),
        hint: Text(
            "总表不止一块？把它们加起来；不要把各楼的表再加一遍。",
            "Is there more than one main meter? Add them up, but don't add the buildings once \
                more.",
        ),
        learnt: Text(
            "1 kW 大约是一台挂壁空调。看看深夜还剩多少：那就是学校的“基础负荷”。",
            "1 kW is about one wall air conditioner. Look again at night: what is left is the \
                base load of the school.",
        ),
    },
    Mission {
        id: "solar-share",
        topic: Topic::Energy,
        goal: Goal::Read(Reading::SolarShare),
        points: 15,
        names: Text("屋顶的阳光", "Sun from the roof"),
        task: Text(
            "此刻全校用的电里，屋顶光伏占百分之几？光伏功率 ÷（光伏功率 + 电网功率）× 100。",
            "What share of the electricity in use now is from the solar roof? Solar ÷ (solar + \
                grid) × 100.",
        ),
        hint: Text(
            "几台逆变器要加起来；分母是光伏加电网，不只是电网。",
            "Add up the inverters; the whole is solar plus grid, not grid alone.",
        ),
        learnt: Text(
            "阴天和夜里再看一次：想用更多阳光，就要把用电挪到中午。",
            "Look again under clouds and at night: to use more sun, move what can be moved to \
                noon.",
        ),
    },
    Mission {
        id: "empty-room",
        topic: Topic::Energy,
        goal: Goal::Pick(Pick::EmptyRoom),
        points: 15,
        names: Text("能源侦探", "Energy detective"),
        task: Text(
            "下面的房间里，有一间没有人，灯或空调却开着。是哪一间？也可能一间都没有。",
            "In one of these rooms nobody is present, yet lights or air conditioning run. Which? \
                It may be none.",
        ),
        hint: Text(
            "看两样东西：有没有人，灯和空调的状态。两样要同时符合。",
            "Look at two things: whether somebody is present, and whether lights or air \
                conditioning are on. Both have to be so.",
        ),
        learnt: Text(
            "离开时随手关，是最便宜的节能技术。",
            "Switching off when you leave is the cheapest technology there is.",
        ),
    },
    Mission {
        id: "stuffy-room",
        topic: Topic::Energy,
        goal: Goal::Pick(Pick::StuffyRoom),
        points: 10,
        names: Text("哪间教室最闷", "The stuffiest room"),
        task: Text("下面的房间里，哪一间的二氧化碳浓度最高？", "Which of these rooms has most CO₂?"),
        hint: Text("比较二氧化碳（ppm），不是温度。", "Compare CO₂ in ppm, not the temperature."),
        learnt: Text(
            "超过 1000 ppm 就该开窗了（GB/T 18883-2022 室内空气质量标准：1 小时平均 0.10%）。课间开窗\
                十分钟，损失的冷气并不多。",
            "Above 1,000 ppm windows should be opened (GB/T 18883-2022 for indoor air: 0.10 % as the \
                mean of an hour). Ten minutes in a break cost little cool air.",
        ),
    },
    Mission {
        id: "energy-quiz",
        topic: Topic::Energy,
        goal: Goal::Quiz,
        points: 5,
        names: Text("能源问答", "Energy quiz"),
        task: Text("在“问答”里答对本轮的能源题。", "Answer the energy question of this round in the quiz."),
        hint: QUIZ_HINT,
        learnt: Text("能源问答完成。", "Energy quiz done."),
    },
    Mission {
        id: "water-now",
        topic: Topic::Water,
        goal: Goal::Read(Reading::WaterLMin),
        points: 10,
        names: Text("一分钟几桶水", "Buckets a minute"),
        task: Text(
            "读出总水表此刻的流量（升/秒），换算成每分钟多少升。",
            "Read the flow through the main water meter (litres a second) and say how many \
                litres a minute that is.",
        ),
        hint: Text(
            "一分钟有 60 秒；读的是总表，不是某栋楼。",
            "A minute has 60 seconds; read the main meter, not a building's.",
        ),
        learnt: Text(
            "一桶饮用水大约 19 升。凌晨三点再来看：还在流的，多半是漏水。",
            "A large water bottle has some 19 litres. Look again at three in the morning: what \
                still flows is mostly a leak.",
        ),
    },
    Mission {
        id: "thirsty-branch",
        topic: Topic::Water,
        goal: Goal::Pick(Pick::ThirstyBranch),
        points: 10,
        names: Text("谁最口渴", "Who is thirsty?"),
        task: Text("下面的支路里，此刻哪一条流量最大？", "Which of these branches takes most water now?"),
        hint: Text(
            "比较流量（升/秒），不是累计用水量。",
            "Compare the flow in litres a second, not what was counted so far.",
        ),
        learnt: Text(
            "同一条支路在课间、午饭和晚上会差几十倍。",
            "The same branch differs tens of times between breaks, lunch and night.",
        ),
    },
    Mission {
        id: "water-quiz",
        topic: Topic::Water,
        goal: Goal::Quiz,
        points: 5,
        names: Text("水问答", "Water quiz"),
        task: Text("在“问答”里答对本轮的水题。", "Answer the water question of this round in the quiz."),
        hint: QUIZ_HINT,
        learnt: Text("水问答完成。", "Water quiz done."),
    },
    Mission {
        id: "cold-chain",
        topic: Topic::Food,
        goal: Goal::Read(Reading::WarmestFridgeC),
        points: 10,
        names: Text("冷链小卫士", "Guard of the cold"),
        task: Text(
            "找出食堂里此刻温度最高的冷藏柜（不算冷冻），填入它的温度。",
            "Find the warmest refrigerator of the canteen now (freezers don't count), and enter \
                its temperature.",
        ),
        hint: Text(
            "要看完每一台冷藏柜；冷库也算。",
            "Look at every refrigerator; the cold store counts too.",
        ),
        learnt: Text(
            "冷藏应在 0～8 °C（《餐饮服务食品安全操作规范》，2018）。开门越久，温度越高。",
            "Chilled food belongs between 0 and 8 °C (Chinese code of practice for food safety in \
                catering, 2018). The longer the door is open, the warmer it gets.",
        ),
    },
    Mission {
        id: "clean-plate",
        topic: Topic::Food,
        goal: Goal::Read(Reading::PlateWasteKg),
        points: 10,
        names: Text("光盘账本", "The clean-plate ledger"),
        task: Text(
            "把各餐厅“光盘称重”此刻的读数加起来，填入千克数。",
            "Add up what the plate-waste scales of the dining halls show now, in kg.",
        ),
        hint: Text(
            "每个餐厅都有一台秤；傍晚会清空。",
            "Each dining hall has one; they are emptied in the evening.",
        ),
        learnt: Text(
            "除以吃饭的人数，就是每人剩了多少。少盛一点，吃完再添。",
            "Divide by those who ate: that is what each has left over. Take less, and come again.",
        ),
    },
    Mission {
        id: "food-quiz",
        topic: Topic::Food,
        goal: Goal::Quiz,
        points: 5,
        names: Text("食物问答", "Food quiz"),
        task: Text("在“问答”里答对本轮的食物题。", "Answer the food question of this round in the quiz."),
        hint: QUIZ_HINT,
        learnt: Text("食物问答完成。", "Food quiz done."),
    },
    Mission {
        id: "wet-share",
        topic: Topic::Waste,
        goal: Goal::Read(Reading::WetShare),
        points: 15,
        names: Text("湿垃圾占几成", "How wet is our waste?"),
        task: Text(
            "读出垃圾房四个分类桶的重量，算出湿垃圾占总重量的百分之几。",
            "Read the four bins of the waste station and say what share of the weight is wet \
                waste, in per cent.",
        ),
        hint: Text("湿垃圾 ÷ 四桶之和 × 100。", "Wet waste ÷ all four × 100."),
        learnt: Text(
            "湿垃圾分得干净，才能变成肥料；里面混进塑料就做不成了。",
            "Wet waste becomes compost only where it is sorted well: a little plastic spoils it.",
        ),
    },
    Mission {
        id: "waste-quiz",
        topic: Topic::Waste,
        goal: Goal::Quiz,
        points: 5,
        names: Text("垃圾分类问答", "Waste quiz"),
        task: Text(
            "在“问答”里答对本轮的垃圾分类题。",
            "Answer the question on waste of this round in the quiz.",
        ),
        hint: QUIZ_HINT,
        learnt: Text("垃圾分类问答完成。", "Waste quiz done."),
    },
    Mission {
        id: "river-class",
        topic: Topic::River,
        goal: Goal::Pick(Pick::RiverClass),
        points: 15,
        names: Text("学生河长", "Student river chief"),
        task: Text(
            "读出河边测站的溶解氧，按国家标准判断：此刻属于几类水？",
            "Read the dissolved oxygen at the river gauge. Which class is that by the national \
                standard?",
        ),
        hint: Text(
            "GB 3838 的溶解氧限值（mg/L）：Ⅰ类 7.5，Ⅱ类 6，Ⅲ类 5，Ⅳ类 3，Ⅴ类 2；达到哪一档就是哪一\
                类。",
            "Limits of GB 3838 in mg/L: I 7.5, II 6, III 5, IV 3, V 2; the best class whose \
                limit it reaches.",
        ),
        learnt: Text(
            "真正评价水质要看二十多项指标，取最差的一项；氧只是其中之一。",
            "A real judgement takes more than twenty quantities and counts the worst: oxygen is \
                one of them.",
        ),
    },
    Mission {
        id: "river-quiz",
        topic: Topic::River,
        goal: Goal::Quiz,
        points: 5,
        names: Text("河流问答", "River quiz"),
        task: Text(
            "在“问答”里答对本轮的河流题。",
            "Answer the question on the river of this round in the quiz.",
        ),
        hint: QUIZ_HINT,
        learnt: Text("河流问答完成。", "River quiz done."),
    },
    Mission {
        id: "carbon-now",
        topic: Topic::Carbon,
        goal: Goal::Read(Reading::CarbonKgH),
        points: 15,
        names: Text("一小时的碳", "An hour's carbon"),
        task: Text(
            "全校此刻从电网用电，照这样一小时排放多少千克二氧化碳？功率（kW）× 1 小时 × 排放因子（\
                见“实时”面板）。",
            "How much CO₂ does an hour of electricity from the grid cause at the power of now, \
                in kg? Power (kW) × 1 hour × the factor of the grid (see “Live”).",
        ),
        hint: Text(
            "先做“全校此刻用多少电”，再乘以排放因子。",
            "Do “The power of a school” first, then multiply by the factor.",
        ),
        learnt: Text(
            "少用一度电，就少排约半千克二氧化碳。",
            "Each kilowatt-hour saved is about half a kilogram of CO₂ less.",
        ),
    },
    Mission {
        id: "carbon-quiz",
        topic: Topic::Carbon,
        goal: Goal::Quiz,
        points: 5,
        names: Text("碳问答", "Carbon quiz"),
        task: Text("在“问答”里答对本轮的碳题。", "Answer the question on carbon of this round in the quiz."),
        hint: QUIZ_HINT,
        learnt: Text("碳问答完成。", "Carbon quiz done."),
    },
    Mission {
        id: "proposal",
        topic: Topic::Carbon,
        goal: Goal::Proposal,
        points: 40,
        names: Text("学生双碳提案", "A proposal for the climate"),
        task: Text(
            "在“提案”里提出一项改变，让模拟校园试几天：省电至少 1%，而舒适时间的比例最多降低 1 个\
                百分点。",
            "Propose a change under “Proposal” and have it tried for some days in a simulated \
                campus: it should save 1 % of the electricity at least, and cost one percentage \
                point of comfortable hours at most.",
        ),
        hint: Text(
            "想一想：什么时候没有人？哪些设备那时还开着？",
            "Think: when is nobody there, and what still runs then?",
        ),
        learnt: Text(
            "好提案：有数字，也顾到人。可以交给学校了。",
            "A good proposal: it has figures, and thinks of people. Hand it in.",
        ),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_topic_has_missions_and_every_goal_one() {
        assert!(MISSIONS.len() >= 12);
        for topic in Topic::ALL {
            let of: Vec<_> = MISSIONS.iter().filter(|mission| mission.topic == topic).collect();
            assert!(of.len() >= 2, "{topic:?}");
            assert!(of.iter().any(|mission| mission.goal == Goal::Quiz), "{topic:?}");
        }
        let has = |goal: Goal| MISSIONS.iter().filter(|mission| mission.goal == goal).count() == 1;
        assert!(Reading::ALL.into_iter().map(Goal::Read).all(has));
        assert!(Pick::ALL.into_iter().map(Goal::Pick).all(has) && has(Goal::Proposal));
    }

    #[test]
    fn ids_are_unique_and_every_text_is_in_both_languages() {
        let ids: BTreeSet<&str> = MISSIONS.iter().map(|mission| mission.id).collect();
        assert_eq!(ids.len(), MISSIONS.len());
        for mission in MISSIONS {
            for text in [mission.names, mission.task, mission.hint, mission.learnt] {
                let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c));
                assert!(
                    chinese(text.0) && !text.1.is_empty() && !chinese(text.1),
                    "{}: {text:?}",
                    mission.id
                );
            }
        }
    }
}
