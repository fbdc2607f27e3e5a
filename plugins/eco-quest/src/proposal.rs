//! The sandbox of proposals: what may be proposed, and what came of it.

use campanile_plugin::{
    Words,
    activities::{Change, Outcome},
    panels::{Entered, Event},
};
use serde::{Deserialize, Serialize};

use crate::text::{Text, number};

/// A proposal counts as good if it saves so much of the electricity and costs no more comfort than this.
const GOOD_SAVING: f64 = 0.01;
const GOOD_COMFORT: f64 = -0.01;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The setpoint of air conditioners.
    Setpoint,
    /// Lights off.
    LightsOff,
    /// Air conditioners off.
    CoolingOff,
}

impl What {
    /// In the order of the form.
    pub const ALL: [Self; 3] = [Self::Setpoint, Self::LightsOff, Self::CoolingOff];

    /// As the form says it.
    pub fn names(self) -> Text {
        match self {
            Self::Setpoint => Text("调整空调设定温度", "Set air conditioners to a temperature"),
            Self::LightsOff => Text("关灯", "Lights off"),
            Self::CoolingOff => Text("关空调", "Air conditioners off"),
        }
    }
}

/// A proposal as it was entered.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    what: What,
    /// A building and its names; none: the whole campus.
    building: Option<(String, Words)>,
    celsius: f64,
    from_h: f64,
    to_h: f64,
    /// Days of the trial.
    pub days: u8,
}

impl Proposal {
    /// Reads what was entered in the form. The host has held each field against its range.
    ///
    /// # Errors
    /// What does not fit together, for who has entered it.
    pub fn of(event: &Event, buildings: &[(&str, &Words)]) -> Result<Self, Text> {
        const INCOMPLETE: Text = Text("提案没有填完整。", "The proposal is not complete.");
        let number = |field: &str| match event.entered(field) {
            Some(Entered::Number(x)) => Ok(*x),
            _ => Err(INCOMPLETE),
        };
        let choice = |field: &str| match event.entered(field) {
            Some(Entered::Choice(place)) => Ok(*place as usize),
            _ => Err(INCOMPLETE),
        };
        let what = *What::ALL.get(choice("what")?).ok_or(INCOMPLETE)?;
        let building = match choice("where")? {
            0 => None,
            place => {
                let (id, names) = *buildings.get(place - 1).ok_or(INCOMPLETE)?;
                Some((id.to_owned(), names.clone()))
            }
        };
        let (from_h, to_h) = (number("from")?, number("to")?);
        if from_h >= to_h {
            return Err(Text(
                "结束时间要晚于开始时间；跨夜请分两次提。",
                "It has to end after it begins; over midnight, make two proposals.",
            ));
        }
        let days = number("days")?.round().clamp(1.0, 7.0) as u8;
        Ok(Self { what, building, celsius: (2.0 * number("celsius")?).round() / 2.0, from_h, to_h, days })
    }

    /// The changes to be tried.
    pub fn changes(&self) -> Vec<Change> {
        let below = self.building.as_ref().map_or("*", |(id, _)| id);
        let (point, value) = match self.what {
            What::Setpoint => ("{ac,ac-*}/setpoint", self.celsius),
            What::CoolingOff => ("{ac,ac-*}/on", 0.0),
            What::LightsOff => ("{lights,lights-*}/on", 0.0),
        };
        let (from_h, to_h) = (self.from_h, self.to_h);
        vec![Change { glob: format!("{below}/*/*/{point}"), value, from_h, to_h }]
    }

    /// What it is, in a line.
    pub fn words(&self) -> Words {
        let what = match self.what {
            What::Setpoint => Words::new(
                format!("空调设为 {} °C", number(self.celsius)),
                format!("Air conditioners at {} °C", number(self.celsius)),
            ),
            other => other.names().words(),
        };
        let (zh, en) = match &self.building {
            Some((_, names)) => (names.zh_cn.as_str(), names.en.as_str()),
            None => ("全校", "the whole campus"),
        };
        let hours = format!("{}–{}", clock(self.from_h), clock(self.to_h));
        let days = if self.days == 1 { "1 day".to_owned() } else { format!("{} days", self.days) };
        Words::new(
            format!("{}（{zh}，{hours}，试 {} 天）", what.zh_cn, self.days),
            format!("{} ({en}, {hours}, tried for {days})", what.en),
        )
    }
}

/// `7:30` of hours.
fn clock(hours: f64) -> String {
    let minutes = (hours * 60.0).round() as i64;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// A proposal that is being tried. Who made it is kept until its outcome is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub person: String,
    /// What it is.
    pub words: (String, String),
    /// Days of the trial.
    pub days: u8,
}

/// What came of a proposal. Of who made it only the class is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The class.
    pub class: String,
    /// What it was.
    pub words: (String, String),
    /// Days of the trial.
    pub days: u8,
    /// Electricity with it and without, kWh.
    pub kwh: (f64, f64),
    /// Comfortable hours as a share of those in use, with it and without.
    pub comfort: (f64, f64),
    /// kg of CO₂ that a kilowatt-hour causes.
    pub kg_kwh: f64,
}

impl Tried {
    /// What came of a proposal that was tried to its end.
    pub fn of(pending: &Pending, outcome: &Outcome, kg_kwh: f64) -> Self {
        Self {
            class: class(&pending.person).to_owned(),
            words: pending.words.clone(),
            days: pending.days,
            kwh: outcome.energy_kwh,
            comfort: outcome.comfort_share,
            kg_kwh,
        }
    }

    /// What it saves, kWh.
    pub fn saved_kwh(&self) -> f64 {
        self.kwh.1 - self.kwh.0
    }

    /// What it saves, kg of CO₂.
    pub fn saved_kg(&self) -> f64 {
        self.kg_kwh * self.saved_kwh()
    }

    /// What it saves as a share of the electricity.
    pub fn saved_share(&self) -> f64 {
        if self.kwh.1 > 0.0 { self.saved_kwh() / self.kwh.1 } else { 0.0 }
    }

    /// How much comfort it gains, as a share of the hours.
    pub fn comfort_gain(&self) -> f64 {
        self.comfort.0 - self.comfort.1
    }

    /// Whether it saves enough and keeps comfort.
    pub fn is_good(&self) -> bool {
        self.saved_share() >= GOOD_SAVING && self.comfort_gain() >= GOOD_COMFORT
    }

    /// What is to be said of it.
    pub fn verdict(&self) -> Text {
        match (self.saved_share() >= GOOD_SAVING, self.comfort_gain() >= GOOD_COMFORT) {
            (true, true) => Text(
                "省了电，也没有牺牲舒适：好提案。",
                "It saves electricity and costs no comfort: a good proposal.",
            ),
            (true, false) => Text(
                "省了电，但教室没那么舒适了：换个时段或温度再试。",
                "It saves electricity, but costs comfort: try other hours or another temperature.",
            ),
            (false, true) if self.saved_share() > -GOOD_SAVING => Text(
                "几乎没有变化：那时本来就没开多少。",
                "Almost nothing changes: little was on at that time anyway.",
            ),
            _ => Text(
                "反而更费电或更不舒适：想想为什么。",
                "It takes more electricity, or costs comfort for nothing: think why.",
            ),
        }
    }
}

/// The class of a person; people without one are staff.
pub fn class(person: &str) -> &str {
    person.split_once('/').map_or("staff", |(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: u32, at: u32, celsius: f64, from: f64, to: f64, days: f64) -> Event {
        let number = |x: f64| Entered::Number(x);
        let fields = vec![
            ("what".into(), Entered::Choice(what)),
            ("where".into(), Entered::Choice(at)),
            ("celsius".into(), number(celsius)),
            ("from".into(), number(from)),
            ("to".into(), number(to)),
            ("days".into(), number(days)),
        ];
        Event { panel: "proposal".into(), node: "form".into(), person: "7-2/river".into(), fields }
    }

    /// What was entered, and the change that is tried.
    #[test]
    fn proposals_become_changes() {
        let (labs, teaching) =
            (Words::new("实验楼", "Laboratories"), Words::new("教学楼甲", "Teaching Block A"));
        let buildings = [("labs", &labs), ("teaching-a", &teaching)];
        let of = |event| Proposal::of(&event, &buildings).unwrap();
        let change = |proposal: &Proposal| proposal.changes().remove(0);
        let warmer = of(event(0, 2, 26.2, 12.5, 17.0, 3.0));
        assert_eq!(
            change(&warmer),
            Change {
                glob: "teaching-a/*/*/{ac,ac-*}/setpoint".into(),
                value: 26.0,
                from_h: 12.5,
                to_h: 17.0
            }
        );
        assert_eq!(
            warmer.words().en,
            "Air conditioners at 26.0 °C (Teaching Block A, 12:30–17:00, tried for 3 days)"
        );
        let dark = of(event(1, 0, 26.0, 0.0, 24.0, 9.0));
        assert_eq!((change(&dark).glob.as_str(), change(&dark).value), ("*/*/*/{lights,lights-*}/on", 0.0));
        assert_eq!(dark.days, 7);
        assert_eq!(dark.words().zh_cn, "关灯（全校，0:00–24:00，试 7 天）");
        assert_eq!(change(&of(event(2, 1, 26.0, 18.0, 22.0, 1.0))).glob, "labs/*/*/{ac,ac-*}/on");
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let refused =
            |event| Proposal::of(&event, &[("labs", &Words::new("实验楼", "Laboratories"))]).unwrap_err().1;
        assert!(refused(event(0, 0, 26.0, 17.0, 12.0, 3.0)).contains("end after"));
        assert!(refused(event(9, 0, 26.0, 12.0, 17.0, 3.0)).contains("not complete"));
        assert!(refused(event(0, 5, 26.0, 12.0, 17.0, 3.0)).contains("not complete"));
        let mut torn = event(0, 0, 26.0, 12.0, 17.0, 3.0);
        torn.fields.pop();
        assert!(refused(torn).contains("not complete"));
    }

    /// With it and without, kWh and comfort; whether it is good.
    #[test]
    fn a_good_proposal_saves_electricity_and_keeps_comfort() {
        for (kwh, comfort, good, said) in [
            ((900.0, 1_000.0), (0.90, 0.90), true, "good proposal"),
            ((900.0, 1_000.0), (0.895, 0.90), true, "good proposal"),
            ((900.0, 1_000.0), (0.80, 0.90), false, "costs comfort"),
            ((999.0, 1_000.0), (0.90, 0.90), false, "Almost nothing"),
            ((1_100.0, 1_000.0), (0.95, 0.90), false, "more electricity"),
            ((0.0, 0.0), (0.9, 0.9), false, "Almost nothing"),
        ] {
            let words = ("省".to_owned(), "save".to_owned());
            let tried = Tried { class: "7-2".into(), words, days: 3, kwh, comfort, kg_kwh: 0.5306 };
            assert_eq!(tried.is_good(), good, "{kwh:?} {comfort:?}");
            assert!(tried.verdict().1.contains(said), "{kwh:?} {comfort:?}: {}", tried.verdict().1);
        }
    }

    #[test]
    fn of_a_person_the_class_is_kept() {
        for (person, group) in [("7-2/river", "7-2"), ("ms-wang", "staff")] {
            assert_eq!(class(person), group);
        }
        let pending =
            Pending { id: "p-1".into(), person: "7-2/river".into(), words: Default::default(), days: 2 };
        let outcome =
            Outcome { id: "p-1".into(), energy_kwh: (90.0, 100.0), comfort_share: (0.9, 0.9), failed: None };
        let tried = Tried::of(&pending, &outcome, 0.5);
        assert_eq!((tried.saved_kwh(), tried.saved_kg()), (10.0, 5.0));
        assert!(!format!("{tried:?}").contains("river"));
    }
}
