//! An activity: a mission and a quiz. Who answers right earns the mission's points, once.

use campanile_plugin::{
    Activity, Denial, Plugin, Result, Settings, Time, Words,
    activities::{self, Mission},
    info,
    panels::{Content, Entered, Event, Tone, Tree},
    records,
};

/// The index of the right answer.
const RIGHT: u32 = 1;
const POINTS: u32 = 10;

struct Quiz;

/// An answer, as `[[record]]` of the manifest has it.
#[derive(serde::Serialize)]
struct Answer<'a> {
    person: &'a str,
    right: bool,
}

impl Plugin for Quiz {
    fn start(_: &Settings) -> Result<Self> {
        Ok(Self)
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        // Offering and showing the same again changes nothing.
        activities::offer(&[Mission {
            id: "cool".into(),
            names: Words::new("合理用空调", "Cool, not cold"),
            task: Words::new("答对空调温度题", "Answer the question on air-conditioning"),
            points: POINTS,
        }])?;
        Ok(quiz().show("quiz")?)
    }

    fn on_panel(&mut self, event: &Event) -> Result {
        let Some(Entered::Choice(answer)) = event.entered("answer") else { return Ok(()) };
        let right = *answer == RIGHT;
        records::keep("answer", &Answer { person: &event.person, right })?;
        if right {
            match activities::award("cool", &event.person, POINTS) {
                // It has been earned before.
                Err(Denial::Invalid(why)) => info!("{}: {why}", event.person),
                answer => answer?,
            }
        }
        // Only the person who answered sees it.
        let (said, tone) = match right {
            true => (Words::new("答对了！", "Right!"), Tone::Good),
            false => (Words::new("再想想：每调高一度都省电。", "Think again: each degree saves."), Tone::Caution),
        };
        let mut tree = quiz();
        tree.add(Tree::ROOT, "said", Content::Text((said, tone)));
        Ok(tree.show_to("quiz", &event.person)?)
    }
}

impl Activity for Quiz {}

fn quiz() -> Tree {
    let question = Words::new("夏季空调设定多少度合适？", "Which setpoint is right in summer?");
    let answers = ["20 °C", "26 °C", "30 °C"].map(|answer| Words::new(answer, answer));
    let mut tree = Tree::new("all", Content::Column);
    tree.add(Tree::ROOT, "question", Content::Quiz((question, answers.into())));
    tree
}

campanile_plugin::export_activity!(Quiz);
