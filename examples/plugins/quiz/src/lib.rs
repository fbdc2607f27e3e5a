//! A quiz: who answers is told alone whether it was right, and the right answer earns points for the class once.

use campanile_plugin::{
    Activity, Denial, Plugin, Result, Settings, Time, Words,
    activities::{self, Mission},
    panels::{Content, Entered, Event, Tone, Tree},
};

const MISSION: &str = "dripping-tap";
/// The index of the right answer.
const RIGHT: u32 = 1;

struct Quiz;

impl Plugin for Quiz {
    fn start(_: &Settings) -> Result<Self> {
        Ok(Self)
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        // `start` can show nothing, and a hub that has begun anew has forgotten what was shown. The same again changes
        // nothing.
        activities::offer(&[Mission {
            id: MISSION.into(),
            names: Words::new("滴水的龙头", "The dripping tap"),
            task: Words::new("回答问题", "Answer the question"),
            points: 10,
        }])?;
        let question = Words::new(
            "龙头每秒滴一滴，一天流掉多少水？",
            "A tap drips once a second. How much water is that a day?",
        );
        let answers = ["1 L", "20 L", "500 L"].map(|litres| Words::new(litres, litres)).to_vec();
        let mut panel = Tree::new("all", Content::Column);
        panel.add(Tree::ROOT, "question", Content::Quiz((question, answers)));
        Ok(panel.show("quiz")?)
    }

    fn on_panel(&mut self, event: &Event) -> Result {
        let Some(Entered::Choice(answer)) = event.entered("answer") else { return Ok(()) };
        let (said, tone) = match (*answer == RIGHT).then(|| activities::award(MISSION, &event.person, 10)) {
            Some(Ok(())) => {
                (Words::new("答对了：约 20 L。得 10 分。", "Right: some 20 L. Ten points."), Tone::Good)
            }
            // Once a person: the hub keeps the count.
            Some(Err(Denial::Invalid(_))) => {
                (Words::new("你已经得过分了。", "You have your points already."), Tone::Plain)
            }
            Some(Err(denial)) => return Err(denial.into()),
            None => (
                Words::new("再想想：一滴约 0.25 mL。", "Think again: a drop is some 0.25 mL."),
                Tone::Caution,
            ),
        };
        let mut own = Tree::new("all", Content::Column);
        own.add(Tree::ROOT, "said", Content::Text((said, tone)));
        Ok(own.show_to("quiz", &event.person)?)
    }
}

impl Activity for Quiz {}

campanile_plugin::export_activity!(Quiz);
