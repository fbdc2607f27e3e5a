//! What the panel shows: figures of the day, hours, rooms, and what people may change.

use campanile_plugin::{
    Time, Words,
    clock::HOUR,
    panels::{Content, Field, FieldKind, Line, Tone, Tree},
};

use crate::{
    baseline::{Baseline, FEWEST_DAYS},
    day::Day,
    options::{Mode, Options, Wish},
};

/// The id of the panel, of its form and of the form's fields.
pub const PANEL: &str = "savings";
/// The form.
pub const FORM: &str = "change";
/// By how much setpoints are eased.
pub const EASE: &str = "ease";
/// Whether it is to look only.
pub const WATCH: &str = "watch";

/// As many rooms are listed and coloured.
const MOST_ROOMS: usize = 150;
/// Above this, air is to be let in, ppm.
const STUFFY_PPM: f64 = 1500.0;

/// How a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// People have taken it over.
    ByHand,
    /// It waits for its turn to start.
    Waiting,
    /// It is cooled.
    Cooled,
    /// It is heated.
    Heated,
    /// It is in use and needs nothing.
    Fresh,
    /// Its thermometer is silent.
    Silent,
    /// It is empty.
    Empty,
}

impl State {
    fn words(self) -> Words {
        let (zh, en) = match self {
            Self::ByHand => ("人工控制", "By hand"),
            Self::Waiting => ("等待启动", "Waits to start"),
            Self::Cooled => ("制冷", "Cooled"),
            Self::Heated => ("制热", "Heated"),
            Self::Fresh => ("有人，无需空调", "In use, needs nothing"),
            Self::Silent => ("温度未知", "Temperature unknown"),
            Self::Empty => ("无人", "Empty"),
        };
        Words::new(zh, en)
    }

    fn tone(self) -> Tone {
        match self {
            Self::Cooled | Self::Heated => Tone::Accent,
            Self::Fresh => Tone::Good,
            Self::Waiting | Self::ByHand => Tone::Caution,
            Self::Silent => Tone::Danger,
            Self::Empty => Tone::Plain,
        }
    }
}

/// A room of the panel.
#[derive(Clone, Debug)]
pub struct RoomView<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its names.
    pub names: &'a Words,
    /// How it is.
    pub state: State,
    /// Air temperature, °C.
    pub temperature_c: Option<f64>,
    /// CO₂, ppm.
    pub co2_ppm: Option<f64>,
    /// Its setpoint where it is conditioned, °C.
    pub setpoint_c: Option<f64>,
}

impl RoomView<'_> {
    fn is_stuffy(&self) -> bool {
        self.state != State::Empty && self.co2_ppm.is_some_and(|ppm| ppm > STUFFY_PPM)
    }

    fn degrees(&self) -> String {
        self.temperature_c.map_or_else(|| "–".to_owned(), |c| format!("{c:.1} °C"))
    }

    /// What is said under the pointer.
    fn words(&self) -> Words {
        let Words { zh_cn, en } = self.state.words();
        let (mut zh_cn, mut en) =
            (format!("{zh_cn}，{}", self.degrees()), format!("{en}, {}", self.degrees()));
        if let Some(setpoint_c) = self.setpoint_c {
            zh_cn += &format!("，设定 {setpoint_c:.1} °C");
            en += &format!(", set to {setpoint_c:.1} °C");
        }
        if self.is_stuffy() {
            zh_cn += "，空气不新鲜，请开窗片刻";
            en += ", the air is stale: open a window for a while";
        }
        Words { zh_cn, en }
    }
}

/// What days have saved together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saved {
    /// How many days.
    pub days: usize,
    /// What was saved, kWh.
    pub kwh: f64,
    /// What that is known to, kWh, with 95 % confidence.
    pub plus_minus_kwh: f64,
}

/// What there is to show.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// How it works, with what people have changed.
    pub options: &'a Options,
    /// What people have changed.
    pub wish: &'a Wish,
    /// Today.
    pub day: &'a Day,
    /// What would have been, if it is known.
    pub baseline: Option<&'a Baseline>,
    /// How many days were watched.
    pub watched: usize,
    /// What the days before have saved, where that is known.
    pub saved: Option<Saved>,
    /// When today began.
    pub midnight: Time,
    /// What the air-conditioners take, kW.
    pub power_kw: Option<f64>,
    /// Air temperature outdoors, °C.
    pub outside_c: Option<f64>,
    /// The rooms.
    pub rooms: Vec<RoomView<'a>>,
    /// How many rooms are left alone, since nothing shows whether people are there.
    pub unseen: usize,
}

/// The panel.
pub fn tree(view: &View<'_>) -> Tree {
    let mut tree = Tree::new("all", Content::Column);
    let row = tree.add(Tree::ROOT, "figures", Content::Row);
    let mut gauge = |id: &str, zh: &str, en: &str, value: f64, high: f64, unit: &str| {
        tree.add(row, id, Content::Gauge((Words::new(zh, en), value, 0.0, high, unit.into())));
    };
    let (kwh, would) = (view.day.kwh(), view.baseline.map(|b| b.kwh(&view.day.drivers())));
    if let Some(power_kw) = view.power_kw {
        gauge("power", "空调功率", "Air-conditioning now", power_kw, round_up(power_kw), "kW");
    }
    let high = round_up(kwh.max(would.unwrap_or(0.0)));
    gauge("energy", "今日空调用电", "Air-conditioning today", kwh, high, "kW.h");
    if let Some(would) = would {
        gauge("baseline", "今日基线", "Baseline today", would, high, "kW.h");
    }
    if let Some(share) = view.day.comfort_share() {
        gauge("comfort", "使用时段舒适率", "Comfortable hours in use", 100.0 * share, 100.0, "%");
    }
    let (words, tone) = saving(view);
    tree.add(Tree::ROOT, "saving", Content::Text((words, tone)));
    if let Some(Saved { days, kwh, plus_minus_kwh: sure }) = view.saved {
        let zh = format!("最近 {days} 个运行日共节约 {kwh:.0} ± {sure:.0} kWh（95 %）");
        let en = format!("Saved on the last {days} days at work: {kwh:.0} ± {sure:.0} kWh (95 %)");
        let tone = if kwh > sure { Tone::Good } else { Tone::Caution };
        tree.add(Tree::ROOT, "saved", Content::Text((Words::new(zh, en), tone)));
    }
    if let Some(words) = advice(view) {
        tree.add(Tree::ROOT, "advice", Content::Text((words, Tone::Accent)));
    }
    tree.add(Tree::ROOT, "hours", hours(view));
    let mut rooms: Vec<&RoomView<'_>> = view.rooms.iter().collect();
    rooms.sort_by_key(|room| room.state);
    tree.add(Tree::ROOT, "rooms", table(&rooms));
    let marks = rooms.iter().take(MOST_ROOMS).map(|room| {
        let tone = if room.is_stuffy() { Tone::Caution } else { room.state.tone() };
        (room.path.to_owned(), tone, room.words())
    });
    tree.add(Tree::ROOT, "map", Content::MapLayer(marks.collect()));
    tree.add(Tree::ROOT, FORM, form(view.wish));
    tree
}

/// A round number above, for the end of a gauge.
fn round_up(value: f64) -> f64 {
    let ten = 10_f64.powf(value.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|n| n * ten).into_iter().find(|&end| end >= value).unwrap_or(10.0 * ten)
}

/// What was saved, or why that is not known.
fn saving(view: &View<'_>) -> (Words, Tone) {
    let watched = view.watched;
    match (view.options.mode, view.baseline) {
        (Mode::Watch, _) => {
            let zh = format!("只观察，不控制：已记录 {watched} 天（至少 {FEWEST_DAYS} 天才有基线）");
            let en = format!("Only watching: {watched} days so far ({FEWEST_DAYS} at least make a baseline)");
            (Words::new(zh, en), Tone::Plain)
        }
        (Mode::Act, None) => {
            let zh = "正在控制。没有基线，节约量无法说明：请先设为“观察”数日";
            let en =
                "At work. What it saves can't be told without a baseline: let it watch for some days first";
            (Words::new(zh, en), Tone::Plain)
        }
        (Mode::Act, Some(baseline)) => {
            let drivers = view.day.drivers();
            let saved = baseline.kwh(&drivers) - view.day.kwh();
            let sure = baseline.day_plus_minus_kwh;
            let mut zh = format!("今日节约 {saved:.0} ± {sure:.0} kWh（95 %，{} 天基线）", baseline.days);
            let mut en =
                format!("Saved today: {saved:.0} ± {sure:.0} kWh (95 %, baseline of {} days)", baseline.days);
            if baseline.is_guess(&drivers) {
                zh += "；今天超出基线天气范围，仅为推测";
                en += "; today is beyond the weather of the baseline: a guess";
            }
            (Words::new(zh, en), if saved > sure { Tone::Good } else { Tone::Caution })
        }
    }
}

/// What people can do.
fn advice(view: &View<'_>) -> Option<Words> {
    let outside_c = view.outside_c?;
    let warm = |room: &&RoomView<'_>| {
        matches!(room.state, State::Fresh | State::Cooled | State::Waiting)
            && room.temperature_c.is_some_and(|c| c > outside_c + 2.0 && c > view.options.cool_floor_c - 1.0)
    };
    let (open, stuffy) =
        (view.rooms.iter().filter(warm).count(), view.rooms.iter().filter(|room| room.is_stuffy()).count());
    let (mut zh, mut en) = (String::new(), String::new());
    if open > 0 {
        zh += &format!("室外 {outside_c:.1} °C，比 {open} 间使用中的房间凉：可开窗代替空调。");
        en += &format!(
            "It is {outside_c:.1} °C outdoors, cooler than {open} rooms in use: windows can do the cooling. "
        );
    }
    if stuffy > 0 {
        zh += &format!("{stuffy} 间房间二氧化碳超过 {STUFFY_PPM:.0} ppm，请换气。");
        en += &format!("{stuffy} rooms are above {STUFFY_PPM:.0} ppm of CO₂: let air in. ");
    }
    if view.unseen > 0 {
        let unseen = view.unseen;
        zh += &format!("{unseen} 间有空调的房间没有人员传感器，未纳入控制。");
        en += &format!("{unseen} air-conditioned rooms show no people and are left alone. ");
    }
    (!zh.is_empty()).then(|| Words::new(zh, en.trim_end()))
}

fn hours(view: &View<'_>) -> Content {
    let now_hour = ((view.day.last - view.midnight) / HOUR).clamp(0, 23);
    let start = |hour: usize| view.midnight + hour as Time * HOUR;
    let by_hour: Vec<_> = view.day.by_hour(view.baseline).take(now_hour as usize + 1).collect();
    let measured = by_hour.iter().enumerate().map(|(hour, (kwh, _))| (start(hour), *kwh));
    let mut lines = vec![Line { names: Words::new("实测", "Measured"), dots: measured.collect() }];
    let would = by_hour.iter().enumerate().filter_map(|(hour, (_, would))| Some((start(hour), (*would)?)));
    if view.baseline.is_some() {
        lines.push(Line { names: Words::new("基线", "Baseline"), dots: would.collect() });
    }
    Content::Chart((lines, "kW.h".into()))
}

fn table(rooms: &[&RoomView<'_>]) -> Content {
    let head = [("房间", "Room"), ("状态", "State"), ("温度", "Temperature"), ("设定", "Setpoint")];
    let head = head.map(|(zh, en)| Words::new(zh, en)).to_vec();
    let plain = |text: String| Words::new(text.clone(), text);
    let rows = rooms.iter().take(MOST_ROOMS).map(|room| {
        let setpoint = room.setpoint_c.map_or_else(|| "–".to_owned(), |c| format!("{c:.1} °C"));
        vec![room.names.clone(), room.state.words(), plain(room.degrees()), plain(setpoint)]
    });
    Content::Table((head, rows.collect()))
}

fn form(wish: &Wish) -> Content {
    let fields = vec![
        Field {
            id: EASE.into(),
            names: Words::new(
                "在限值之上再放宽（°C）：制冷调高、制热调低",
                "Ease setpoints beyond the limits (K): warmer in summer, cooler in winter",
            ),
            kind: FieldKind::Number((0.0, Wish::MOST_K, wish.ease_k)),
        },
        Field {
            id: WATCH.into(),
            names: Words::new("只观察，不控制", "Only watch, command nothing"),
            kind: FieldKind::Toggle(wish.watch),
        },
    ];
    Content::Form((fields, Words::new("应用", "Apply")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        baseline::{WatchedDay, drivers},
        day::Stretch,
    };

    fn room(state: State) -> RoomView<'static> {
        static NAMES: std::sync::LazyLock<Words> = std::sync::LazyLock::new(|| Words::new("教室", "Class"));
        RoomView {
            path: "a/1f/101",
            names: &NAMES,
            state,
            temperature_c: Some(26.1),
            co2_ppm: Some(1800.0),
            setpoint_c: Some(26.0),
        }
    }

    #[test]
    fn a_saving_is_told_with_how_sure_it_is_or_not_at_all() {
        let mut day = Day::begin(20_260_624, 0);
        let stretch = Stretch {
            hours: 1.0,
            hour: 10,
            power_kw: Some(30.0),
            outside_c: Some(30.0),
            used_metered: 20.0,
            ..Stretch::default()
        };
        day.add(Mode::Act, &stretch);
        // Without it, 50 to 52 kWh were used for the same.
        let watched = [50.0, 51.0, 52.0].map(|kwh| WatchedDay::new(0, [(drivers(1.0, 20.0, 30.0), kwh)]));
        let baseline = Baseline::learn(&watched);
        let (options, wish) = (Options::default(), Wish::default());
        let mut view = View {
            options: &options,
            wish: &wish,
            day: &day,
            baseline: baseline.as_ref(),
            watched: 3,
            saved: None,
            midnight: 0,
            power_kw: Some(30.0),
            outside_c: Some(30.0),
            rooms: vec![room(State::Cooled), room(State::Empty)],
            unseen: 2,
        };
        let (words, tone) = saving(&view);
        assert!(words.en.starts_with("Saved today: 21 ± 5 kWh"), "{}", words.en);
        assert_eq!(tone, Tone::Good);
        view.baseline = None;
        assert!(saving(&view).0.en.contains("can't be told"));
        // Of the two rooms above 1500 ppm one is empty.
        let said = advice(&view).unwrap().en;
        assert!(
            said.contains("1 rooms are above 1500 ppm") && said.contains("2 air-conditioned rooms"),
            "{said}"
        );
    }

    #[test]
    fn a_gauge_ends_at_a_round_number() {
        for (value, end) in [(0.0, 1.0), (7.0, 10.0), (12.0, 20.0), (480.0, 500.0), (501.0, 1000.0)] {
            assert_eq!(round_up(value), end, "{value}");
        }
    }
}
