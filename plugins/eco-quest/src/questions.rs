//! The questions of the quizzes. Each answer has its reason, so that a wrong one teaches too; each fact its
//! source.

use crate::{missions::Topic, text::Text};

/// A question.
#[derive(Debug)]
pub struct Question {
    /// What it is about.
    pub topic: Topic,
    /// What is asked.
    pub question: Text,
    /// What can be answered, and what is said to who answers so.
    pub answers: [(Text, Text); 4],
    /// Which is right.
    pub right: usize,
    /// Where the fact is from.
    pub source: Text,
}

/// The questions of a topic.
pub fn of(topic: Topic) -> impl Iterator<Item = &'static Question> {
    QUESTIONS.iter().filter(move |question| question.topic == topic)
}

/// All questions.
pub const QUESTIONS: &[Question] = &[
    // energy
    Question {
        topic: Topic::Energy,
        question: Text(
            "夏天，学校等公共建筑的空调温度，国家规定不得低于多少？",
            "In summer, how low may the air conditioning of schools and other public buildings \
                in China be set?",
        ),
        answers: [
            (
                Text("20 °C", "20 °C"),
                Text(
                    "20 °C 是冬天取暖的上限，不是夏天的。",
                    "20 °C is the upper limit for heating in winter.",
                ),
            ),
            (
                Text("24 °C", "24 °C"),
                Text(
                    "24 °C 很凉快，但低于规定，用电也多。",
                    "24 °C feels cool, but it is below the rule and takes more electricity.",
                ),
            ),
            (
                Text("26 °C", "26 °C"),
                Text("对。再配上风扇，体感还能更凉一些。", "Right. With a fan it feels cooler still."),
            ),
            (
                Text("28 °C", "28 °C"),
                Text(
                    "28 °C 更省电，但规定的下限没有这么高。",
                    "28 °C saves even more, but the rule does not ask for that much.",
                ),
            ),
        ],
        right: 2,
        source: Text(
            "国务院办公厅，国办发〔2007〕42号",
            "General Office of the State Council, notice 42 of 2007",
        ),
    },
    Question {
        topic: Topic::Energy,
        question: Text(
            "1 千瓦时（1 度）电能让一盏 10 W 的 LED 灯亮多久？",
            "How long does 1 kilowatt-hour light a lamp of 10 W?",
        ),
        answers: [
            (
                Text("1 小时", "1 hour"),
                Text(
                    "亮 1 小时只用 10 瓦时，是 1 度电的百分之一。",
                    "An hour takes only 10 watt-hours, a hundredth of it.",
                ),
            ),
            (
                Text("10 小时", "10 hours"),
                Text(
                    "10 小时用 100 瓦时，还剩九成。",
                    "Ten hours take 100 watt-hours: nine tenths are left.",
                ),
            ),
            (
                Text("100 小时", "100 hours"),
                Text("对：1000 瓦时 ÷ 10 瓦 = 100 小时。", "Right: 1,000 watt-hours ÷ 10 watts = 100 hours."),
            ),
            (Text("1000 小时", "1,000 hours"), Text("那要 1 W 的灯才行。", "That would take a lamp of 1 W.")),
        ],
        right: 2,
        source: Text("定义：能量 = 功率 × 时间", "By definition: energy = power × time"),
    },
    Question {
        topic: Topic::Energy,
        question: Text(
            "同样的亮度，LED 灯比白炽灯至少省多少电？",
            "How much less electricity does an LED need than an incandescent lamp as bright?",
        ),
        answers: [
            (
                Text("大约 10%", "Some 10 %"),
                Text(
                    "差得远：白炽灯把大部分电变成了热。",
                    "Far more: an incandescent lamp makes mostly heat.",
                ),
            ),
            (
                Text("大约 30%", "Some 30 %"),
                Text("还要多：白炽灯把大部分电变成了热。", "More: an incandescent lamp makes mostly heat."),
            ),
            (
                Text("大约 50%", "Some 50 %"),
                Text("还要多：荧光灯省的都不止一半。", "More: even fluorescent lamps save over half."),
            ),
            (
                Text("75% 以上", "75 % or more"),
                Text("对，寿命也长得多。", "Right, and it lasts much longer."),
            ),
        ],
        right: 3,
        source: Text(
            "美国能源部 Energy Saver：LED 照明",
            "U.S. Department of Energy, Energy Saver: LED Lighting",
        ),
    },
    Question {
        topic: Topic::Energy,
        question: Text(
            "正午大晴天，1 平方米光伏板接收约 1000 W 阳光。效率 22% 时能发多少电？",
            "On a bright noon a square metre of solar panel gets some 1,000 W of sunlight. What \
                does it give at an efficiency of 22 %?",
        ),
        answers: [
            (
                Text("约 22 W", "Some 22 W"),
                Text("少了一个零：22% 是百分之二十二。", "A zero is missing: 22 % of 1,000."),
            ),
            (
                Text("约 220 W", "Some 220 W"),
                Text("对：1000 W × 22% = 220 W。", "Right: 1,000 W × 22 % = 220 W."),
            ),
            (
                Text("约 780 W", "Some 780 W"),
                Text(
                    "780 W 是没有变成电的部分，大多成了热。",
                    "780 W is what does not become electricity; most of it is heat.",
                ),
            ),
            (
                Text("约 1000 W", "Some 1,000 W"),
                Text("没有哪种光伏板能全部转化。", "No panel turns all of it into electricity."),
            ),
        ],
        right: 1,
        source: Text(
            "光伏标准测试条件 1000 W/m²（IEC 60904-3）",
            "Standard test conditions, 1,000 W/m² (IEC 60904-3)",
        ),
    },
    // water
    Question {
        topic: Topic::Water,
        question: Text("地球上的水有多少是淡水？", "How much of the water on Earth is fresh?"),
        answers: [
            (
                Text("约 2.5%", "Some 2.5 %"),
                Text(
                    "对，而且大部分冻在冰川和冰盖里。",
                    "Right, and most of it is frozen in glaciers and ice caps.",
                ),
            ),
            (
                Text("约 10%", "Some 10 %"),
                Text("没有这么多：海洋占了约 97%。", "Less: the oceans have some 97 %."),
            ),
            (
                Text("约 30%", "Some 30 %"),
                Text(
                    "30% 接近地下水在淡水中的比例。",
                    "30 % is about the share of ground water in fresh water.",
                ),
            ),
            (
                Text("约 71%", "Some 71 %"),
                Text(
                    "71% 是地球表面被水覆盖的比例。",
                    "71 % is how much of the Earth's surface is covered with water.",
                ),
            ),
        ],
        right: 0,
        source: Text("美国地质调查局 Water Science School", "U.S. Geological Survey, Water Science School"),
    },
    Question {
        topic: Topic::Water,
        question: Text(
            "一个一直在流水的坐便器，一天可能浪费多少水？",
            "How much water can a toilet that keeps running waste in a day?",
        ),
        answers: [
            (Text("约 8 升", "Some 8 litres"), Text("这只是冲一两次的量。", "That is one or two flushes.")),
            (
                Text("约 80 升", "Some 80 litres"),
                Text("还不到：它日夜不停。", "More: it runs day and night."),
            ),
            (
                Text("约 760 升", "Some 760 litres"),
                Text(
                    "对，约 200 加仑，够一个寄宿生用好几天。",
                    "Right, some 200 gallons: what a boarder uses in several days.",
                ),
            ),
            (
                Text("约 50000 升", "Some 50,000 litres"),
                Text("这么多，水箱的进水管也供不上。", "No pipe to a cistern gives that much."),
            ),
        ],
        right: 2,
        source: Text("美国环保署 WaterSense：Fix a Leak Week", "U.S. EPA, WaterSense: Fix a Leak Week"),
    },
    Question {
        topic: Topic::Water,
        question: Text(
            "凌晨三点宿舍没人用水，水表却稳定地走着每小时 60 升。这样一天要漏多少？",
            "At three in the morning nobody uses water, yet the meter keeps counting 60 litres \
                an hour. How much leaks in a day?",
        ),
        answers: [
            (
                Text("60 升", "60 litres"),
                Text("这是一小时的量，漏水可不下班。", "That is an hour: leaks don't go home."),
            ),
            (
                Text("360 升", "360 litres"),
                Text(
                    "这是一夜六小时的量；白天它也在漏。",
                    "That is a night of six hours; it leaks by day too.",
                ),
            ),
            (
                Text("1440 升", "1,440 litres"),
                Text(
                    "对：60 × 24 = 1440 升，接近 1.5 吨。",
                    "Right: 60 × 24 = 1,440 litres, almost one and a half tonnes.",
                ),
            ),
            (
                Text("6000 升", "6,000 litres"),
                Text("多算了：一天只有 24 小时。", "Too many: a day has 24 hours."),
            ),
        ],
        right: 2,
        source: Text("计算：流量 × 时间", "By calculation: flow × time"),
    },
    Question {
        topic: Topic::Water,
        question: Text(
            "要发现漏水，看水表的哪个时段最有用？",
            "When does a water meter tell most about leaks?",
        ),
        answers: [
            (
                Text("课间十分钟", "In the breaks"),
                Text("课间用水最多，漏的那一点看不出来。", "Most water is used then: a leak doesn't show."),
            ),
            (
                Text("午餐时间", "At lunch"),
                Text("食堂正忙，漏水被盖住了。", "The kitchen is busy and hides it."),
            ),
            (
                Text("凌晨两点到四点", "From two to four in the morning"),
                Text(
                    "对：几乎没人用水，还在走的多半是漏水。",
                    "Right: hardly anybody uses water, so what still runs is mostly a leak.",
                ),
            ),
            (
                Text("放学以后", "After school"),
                Text(
                    "清洁和浇灌还在用水，再晚一些更好。",
                    "Cleaning and watering still go on; later is better.",
                ),
            ),
        ],
        right: 2,
        source: Text("国际水协（IWA）夜间最小流量法", "International Water Association: minimum night flow"),
    },
    // food
    Question {
        topic: Topic::Food,
        question: Text(
            "2022 年，全世界消费者可获得的食物有多少被浪费？",
            "How much of the food available to consumers worldwide was wasted in 2022?",
        ),
        answers: [
            (Text("约 5%", "Some 5 %"), Text("要真是这样就好了。", "If only.")),
            (
                Text("约 19%", "Some 19 %"),
                Text(
                    "对：10.5 亿吨，差不多每五份就扔掉一份。",
                    "Right: 1.05 billion tonnes, about every fifth portion.",
                ),
            ),
            (Text("约 40%", "Some 40 %"), Text("没有这么多，但已经够多了。", "Less, but bad enough.")),
            (
                Text("约 60%", "Some 60 %"),
                Text("60% 是家庭在食物浪费中所占的份额。", "60 % is the share of households in it."),
            ),
        ],
        right: 1,
        source: Text("联合国环境署《2024 年食物浪费指数报告》", "UNEP, Food Waste Index Report 2024"),
    },
    Question {
        topic: Topic::Food,
        question: Text(
            "学校食堂每餐每种菜都要留样。至少留多少、多久？",
            "School canteens keep a sample of every dish. How much at least, and how long?",
        ),
        answers: [
            (
                Text("25 克，12 小时", "25 g, 12 hours"),
                Text("太少了，不够检验。", "Too little for a laboratory."),
            ),
            (
                Text("125 克，48 小时", "125 g, 48 hours"),
                Text(
                    "对：专柜冷藏，万一有人不舒服就能查清。",
                    "Right: kept cold, so that a cause can be found if somebody falls ill.",
                ),
            ),
            (
                Text("125 克，12 小时", "125 g, 12 hours"),
                Text(
                    "量够了，时间太短：有些不适一天后才出现。",
                    "Enough, but too short: some illness shows after a day.",
                ),
            ),
            (Text("1 千克，7 天", "1 kg, 7 days"), Text("用不着这么多。", "That much is not needed.")),
        ],
        right: 1,
        source: Text(
            "《学校食品安全与营养健康管理规定》第四十条",
            "Chinese regulation on food safety in schools (2019), article 40",
        ),
    },
    Question {
        topic: Topic::Food,
        question: Text(
            "生产 1 千克牛肉平均要用多少水？（蔬菜约 322 升）",
            "How much water does a kilogram of beef take on average? (Vegetables: some 322 \
                litres.)",
        ),
        answers: [
            (
                Text("约 150 升", "Some 150 litres"),
                Text("比蔬菜还少？牛要吃掉很多饲料。", "Less than vegetables? A cow eats a lot of feed."),
            ),
            (
                Text("约 1500 升", "Some 1,500 litres"),
                Text("这接近 1 千克谷物。", "That is near a kilogram of cereals."),
            ),
            (
                Text("约 15400 升", "Some 15,400 litres"),
                Text(
                    "对：绝大部分用来种饲料，而且多是雨水。",
                    "Right: nearly all of it grows the feed, and most of it is rain.",
                ),
            ),
            (Text("约 154000 升", "Some 154,000 litres"), Text("多了一个零。", "A zero too many.")),
        ],
        right: 2,
        source: Text(
            "Mekonnen 与 Hoekstra，Ecosystems 15（2012）401–415",
            "Mekonnen and Hoekstra, Ecosystems 15 (2012) 401–415",
        ),
    },
    Question {
        topic: Topic::Food,
        question: Text("全球食物浪费最多的地方是哪里？", "Where is most food wasted?"),
        answers: [
            (Text("超市", "In shops"), Text("零售约占 12%。", "Retail has some 12 %.")),
            (
                Text("餐馆和食堂", "In restaurants and canteens"),
                Text("餐饮约占 28%，排第二。", "They have some 28 %, the second place."),
            ),
            (
                Text("家里", "At home"),
                Text("对，约占 60%：从自己的碗开始就有用。", "Right, some 60 %: your own plate counts."),
            ),
            (
                Text("运输路上", "On the way"),
                Text("运输中的叫“损失”，不算在这里。", "What is lost on the way is counted apart."),
            ),
        ],
        right: 2,
        source: Text("联合国环境署《2024 年食物浪费指数报告》", "UNEP, Food Waste Index Report 2024"),
    },
    // waste
    Question {
        topic: Topic::Waste,
        question: Text(
            "在上海，啃完的大棒骨该扔进哪个桶？",
            "In Shanghai, which bin takes a large pork bone?",
        ),
        answers: [
            (
                Text("湿垃圾", "Wet (kitchen) waste"),
                Text(
                    "鱼骨、鸡骨可以；大骨头难腐烂，会损坏粉碎设备。",
                    "Fish and chicken bones may; large ones hardly rot and break the shredder.",
                ),
            ),
            (
                Text("干垃圾", "Dry (residual) waste"),
                Text("对：大骨头难腐烂，归干垃圾。", "Right: large bones hardly rot."),
            ),
            (
                Text("可回收物", "Recyclables"),
                Text("骨头没有再生利用的渠道。", "Nobody makes anything new of it."),
            ),
            (Text("有害垃圾", "Hazardous waste"), Text("它没有毒。", "It is not poisonous.")),
        ],
        right: 1,
        source: Text("上海市生活垃圾分类投放指引", "Shanghai's guide to sorting household waste"),
    },
    Question {
        topic: Topic::Waste,
        question: Text(
            "擦过手的湿纸巾、餐巾纸属于哪一类？",
            "Where do used tissues and napkins go in Shanghai?",
        ),
        answers: [
            (
                Text("可回收物", "Recyclables"),
                Text(
                    "用过的纸巾脏了、纤维也短，不能再造纸。",
                    "They are dirty and their fibres too short to make paper again.",
                ),
            ),
            (
                Text("湿垃圾", "Wet (kitchen) waste"),
                Text("“湿”指的是易腐烂，不是沾了水。", "“Wet” means what rots, not what got wet."),
            ),
            (
                Text("干垃圾", "Dry (residual) waste"),
                Text("对：湿不湿，和沾没沾水无关。", "Right: it has nothing to do with being wet."),
            ),
            (Text("有害垃圾", "Hazardous waste"), Text("它没有毒。", "They are not poisonous.")),
        ],
        right: 2,
        source: Text("上海市生活垃圾分类投放指引", "Shanghai's guide to sorting household waste"),
    },
    Question {
        topic: Topic::Waste,
        question: Text(
            "过期的药片和药品内包装该扔进哪个桶？",
            "Which bin takes expired pills and what they were wrapped in?",
        ),
        answers: [
            (
                Text("有害垃圾", "Hazardous waste"),
                Text("对：药物会进入土壤和水里。", "Right: medicines would get into soil and water."),
            ),
            (
                Text("湿垃圾", "Wet (kitchen) waste"),
                Text(
                    "湿垃圾要做成肥料，混进药就不能用了。",
                    "Wet waste becomes compost: medicines would spoil it.",
                ),
            ),
            (
                Text("干垃圾", "Dry (residual) waste"),
                Text(
                    "干垃圾拿去焚烧，药品要单独处理。",
                    "Residual waste is burnt; medicines are treated apart.",
                ),
            ),
            (
                Text("冲进下水道", "Down the drain"),
                Text("有些药物，污水处理厂去不掉。", "Sewage works don't remove all medicines."),
            ),
        ],
        right: 0,
        source: Text("《上海市生活垃圾管理条例》（2019）", "Shanghai's regulation on household waste (2019)"),
    },
    Question {
        topic: Topic::Waste,
        question: Text(
            "全球的塑料垃圾有多少最终被回收利用？",
            "How much of the world's plastic waste is recycled in the end?",
        ),
        answers: [
            (
                Text("约 9%", "Some 9 %"),
                Text("对：所以“少用”比“回收”更要紧。", "Right: so using less matters more than recycling."),
            ),
            (
                Text("约 33%", "Some 33 %"),
                Text("没有这么多：大约一半被填埋。", "Less: about half goes to landfills."),
            ),
            (Text("约 50%", "Some 50 %"), Text("一半是被填埋的那部分。", "Half is what goes to landfills.")),
            (Text("约 80%", "Some 80 %"), Text("差得很远。", "Far from it.")),
        ],
        right: 0,
        source: Text("经合组织《全球塑料展望》（2022）", "OECD, Global Plastics Outlook (2022)"),
    },
    // river
    Question {
        topic: Topic::River,
        question: Text(
            "河水溶解氧测得 4.2 mg/L，按国家标准属于几类水？",
            "A river has 4.2 mg/L of dissolved oxygen. Which class is that by the Chinese \
                standard?",
        ),
        answers: [
            (Text("Ⅱ类（≥6）", "Class II (≥ 6)"), Text("4.2 还不到 6。", "4.2 is below 6.")),
            (
                Text("Ⅲ类（≥5）", "Class III (≥ 5)"),
                Text("差一点：Ⅲ类要 5 mg/L 以上。", "Almost: class III needs 5 mg/L."),
            ),
            (Text("Ⅳ类（≥3）", "Class IV (≥ 3)"), Text("对：在 3 和 5 之间。", "Right: between 3 and 5.")),
            (
                Text("Ⅴ类（≥2）", "Class V (≥ 2)"),
                Text("比这好一些：它超过 3。", "It is better than that: it is above 3."),
            ),
        ],
        right: 2,
        source: Text("GB 3838-2002《地表水环境质量标准》", "GB 3838-2002, quality of surface water"),
    },
    Question {
        topic: Topic::River,
        question: Text(
            "为什么闷热的夏夜，河里的鱼容易缺氧？",
            "Why do fish run short of oxygen on hot summer nights?",
        ),
        answers: [
            (
                Text(
                    "热水溶解的氧更少，水草夜里还要呼吸",
                    "Warm water holds less oxygen, and plants breathe at night too",
                ),
                Text(
                    "对：20 °C 时最多约 9.1 mg/L，30 °C 只有约 7.6。",
                    "Right: at most some 9.1 mg/L at 20 °C, but 7.6 at 30 °C.",
                ),
            ),
            (
                Text("鱼在夜里游得更快", "Fish swim faster at night"),
                Text("多数鱼夜里更安静。", "Most of them rest."),
            ),
            (
                Text("月光会消耗氧气", "Moonlight uses it up"),
                Text(
                    "月光不消耗氧；缺的是让水草产氧的阳光。",
                    "It doesn't; what is missing is sunlight, with which plants make oxygen.",
                ),
            ),
            (
                Text("热空气里没有氧气", "Hot air has none"),
                Text("空气里始终约有 21% 的氧。", "Air always has some 21 % of it."),
            ),
        ],
        right: 0,
        source: Text("美国地质调查局：溶解氧饱和度表", "U.S. Geological Survey, tables of dissolved oxygen"),
    },
    Question {
        topic: Topic::River,
        question: Text("“河长”是谁？", "Who is a “river chief” in China?"),
        answers: [
            (
                Text("河上的船长", "The captain of a boat"),
                Text("船长管船，河长管河。", "A captain looks after a boat, a chief after the river."),
            ),
            (
                Text("各级党政负责人", "A leader of the local Party or government"),
                Text(
                    "对：每条河都有人负责。学生河长帮着看、帮着记。",
                    "Right: somebody answers for every river. Student river chiefs help to look and to \
                        note.",
                ),
            ),
            (
                Text("自来水公司经理", "The manager of the water works"),
                Text(
                    "自来水公司取水，但不对整条河负责。",
                    "The works take water, but don't answer for the river.",
                ),
            ),
            (
                Text("钓鱼协会会长", "The head of the anglers"),
                Text("他们关心河，但不负责治理。", "They care, but don't govern it."),
            ),
        ],
        right: 1,
        source: Text("《关于全面推行河长制的意见》（2016）", "Opinions on the river chief system (2016)"),
    },
    Question {
        topic: Topic::River,
        question: Text(
            "一场 50 毫米的暴雨落在 1 公顷的校园上，一共有多少水？",
            "50 mm of rain fall on a campus of one hectare. How much water is that?",
        ),
        answers: [
            (
                Text("5 立方米", "5 m³"),
                Text("这是 100 平方米屋顶的量。", "That is the roof of a hundred square metres."),
            ),
            (
                Text("50 立方米", "50 m³"),
                Text("少了一个零：1 公顷是 10000 平方米。", "A zero is missing: a hectare has 10,000 m²."),
            ),
            (
                Text("500 立方米", "500 m³"),
                Text(
                    "对：0.05 m × 10000 m² = 500 m³。雨水罐和绿地能留住一部分。",
                    "Right: 0.05 m × 10,000 m² = 500 m³. Tanks and greens hold back a part of it.",
                ),
            ),
            (Text("5000 立方米", "5,000 m³"), Text("多了一个零。", "A zero too many.")),
        ],
        right: 2,
        source: Text("计算：雨深 × 面积", "By calculation: depth × area"),
    },
    // carbon
    Question {
        topic: Topic::Carbon,
        question: Text(
            "2024 年大气中的二氧化碳比工业化前高多少？",
            "How much more CO₂ did the air have in 2024 than before industry?",
        ),
        answers: [
            (
                Text("约 5%", "Some 5 %"),
                Text("远不止：已经到了 423.9 ppm。", "Far more: it has reached 423.9 ppm."),
            ),
            (
                Text("约 20%", "Some 20 %"),
                Text("二十世纪七十年代就过了这个数。", "That was passed in the 1970s."),
            ),
            (
                Text("约 52%", "Some 52 %"),
                Text("对：从约 278 ppm 升到 423.9 ppm。", "Right: from some 278 ppm to 423.9 ppm."),
            ),
            (
                Text("约 300%", "Some 300 %"),
                Text("没有这么多，甲烷也没有。", "Not that much, nor has methane."),
            ),
        ],
        right: 2,
        source: Text(
            "世界气象组织《温室气体公报》第 21 期（2025）",
            "WMO, Greenhouse Gas Bulletin 21 (2025)",
        ),
    },
    Question {
        topic: Topic::Carbon,
        question: Text("中国的“双碳”目标是什么？", "What are China's two goals for carbon?"),
        answers: [
            (
                Text("2030 年前碳达峰，2060 年前碳中和", "Peak before 2030, neutral before 2060"),
                Text(
                    "对：到 2060 年，今天的中学生正当壮年。",
                    "Right: pupils of today will be in their prime by then.",
                ),
            ),
            (
                Text("2025 年前碳达峰，2030 年前碳中和", "Peak before 2025, neutral before 2030"),
                Text(
                    "五年内从达峰到中和，谁也做不到。",
                    "Nobody can go from the peak to nothing in five years.",
                ),
            ),
            (
                Text("2050 年前碳达峰", "Peak before 2050"),
                Text("太晚了，目标要早得多。", "Too late: the goal is much earlier."),
            ),
            (
                Text("只种树，不减排", "Plant trees and go on as before"),
                Text("种树有用，但吸收不了这么多。", "Trees help, but can't take up that much."),
            ),
        ],
        right: 0,
        source: Text("中国国家自主贡献（2021）", "China's nationally determined contribution (2021)"),
    },
    Question {
        topic: Topic::Carbon,
        question: Text(
            "从全国电网用 1 千瓦时电，平均排放多少二氧化碳？",
            "How much CO₂ does a kilowatt-hour from China's grid cause on average?",
        ),
        answers: [
            (
                Text("约 0.05 千克", "Some 0.05 kg"),
                Text(
                    "这接近全是水电、风电、核电的电网。",
                    "That is a grid of hydro, wind and nuclear power alone.",
                ),
            ),
            (
                Text("约 0.53 千克", "Some 0.53 kg"),
                Text(
                    "对：2023 年平均 0.5306，而且逐年下降。",
                    "Right: 0.5306 in 2023, and falling year by year.",
                ),
            ),
            (
                Text("约 1 千克", "Some 1 kg"),
                Text(
                    "比全用化石能源还高：那是约 0.83 千克。",
                    "More than from fossil fuels alone: that is some 0.83 kg.",
                ),
            ),
            (Text("约 5 千克", "Some 5 kg"), Text("没有哪种电有这么多。", "No electricity is that bad.")),
        ],
        right: 1,
        source: Text(
            "生态环境部、国家统计局：2023 年电力二氧化碳排放因子",
            "Ministry of Ecology and Environment, National Bureau of Statistics: factors of 2023",
        ),
    },
    Question {
        topic: Topic::Carbon,
        question: Text(
            "食物的损失和浪费占全球温室气体排放的多少？",
            "How much of the world's greenhouse gases comes from food that is lost or wasted?",
        ),
        answers: [
            (
                Text("不到 1%", "Less than 1 %"),
                Text(
                    "远不止：种、运、存、煮都要能量。",
                    "Far more: to grow, move, keep and cook it takes energy.",
                ),
            ),
            (Text("约 2%", "Some 2 %"), Text("这接近全球航空业。", "That is near all aviation.")),
            (
                Text("8%～10%", "8 to 10 %"),
                Text(
                    "对：接近航空业的五倍。光盘也是减碳。",
                    "Right: almost five times aviation. A clean plate saves carbon too.",
                ),
            ),
            (
                Text("约 50%", "Some 50 %"),
                Text("没有这么多；整个食物系统也不到。", "Not that much, nor has all of food."),
            ),
        ],
        right: 2,
        source: Text("联合国环境署《2024 年食物浪费指数报告》", "UNEP, Food Waste Index Report 2024"),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_topic_has_its_questions_and_every_answer_its_reason() {
        for topic in Topic::ALL {
            assert!(of(topic).count() >= 4, "{topic:?}");
        }
        for question in QUESTIONS {
            let said = question.question.1;
            assert!(question.right < 4, "{said}");
            let texts = question.answers.iter().flat_map(|(answer, why)| [answer, why]);
            for text in texts.chain([&question.question, &question.source]) {
                assert!(!text.0.is_empty() && !text.1.is_empty(), "{said}: {text:?}");
            }
            let answers: BTreeSet<&str> = question.answers.iter().map(|(answer, _)| answer.1).collect();
            assert_eq!(answers.len(), 4, "{said}: two answers are the same");
        }
    }

    /// Whoever always picks the same place does not get far.
    #[test]
    fn right_answers_are_spread() {
        for place in 0..4 {
            let there = QUESTIONS.iter().filter(|question| question.right == place).count();
            assert!(there * 3 <= QUESTIONS.len() * 2, "{there} of {} are at {place}", QUESTIONS.len());
        }
    }
}
