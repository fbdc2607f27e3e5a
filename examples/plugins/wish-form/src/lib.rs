//! A form: what people enter is kept as records, and the newest are shown below it.

use campanile_plugin::{
    Plugin, Result, Settings, Time, Words,
    panels::{Content, Entered, Event, Field, FieldKind, Tone, Tree},
    records,
};
use serde::{Deserialize, Serialize};

const REASONS: [(&str, &str); 3] = [("太热", "too warm"), ("太冷", "too cold"), ("其他", "something else")];

#[derive(Serialize, Deserialize)]
struct Wish {
    person: String,
    celsius: f64,
    why: String,
}

struct Wishes;

impl Plugin for Wishes {
    fn start(_: &Settings) -> Result<Self> {
        Ok(Self)
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        // `start` can show nothing, and a hub that has begun anew has forgotten what was shown. The same again changes
        // nothing.
        show()
    }

    fn on_panel(&mut self, event: &Event) -> Result {
        // The hub has held what was entered against the fields: a number is within its limits, a choice is one of them.
        let (Some(Entered::Number(celsius)), Some(Entered::Choice(why))) =
            (event.entered("celsius"), event.entered("why"))
        else {
            return Ok(());
        };
        let why = REASONS[*why as usize].1.to_owned();
        records::keep("wish", &Wish { person: event.person.clone(), celsius: *celsius, why })?;
        show()
    }
}

fn show() -> Result {
    let mut panel = Tree::new("all", Content::Column);
    let reasons = REASONS.map(|(zh, en)| Words::new(zh, en)).to_vec();
    let fields = vec![
        Field {
            id: "celsius".into(),
            names: Words::new("希望的温度（°C）", "Wished temperature, °C"),
            kind: FieldKind::Number((18.0, 28.0, 26.0)),
        },
        Field { id: "why".into(), names: Words::new("原因", "Why"), kind: FieldKind::Choice(reasons) },
    ];
    panel.add(Tree::ROOT, "form", Content::Form((fields, Words::new("提交", "Send"))));
    let wishes = records::last::<Wish>("wish", 5)?;
    if wishes.is_empty() {
        let none = Words::new("还没有意见。", "There are no wishes yet.");
        panel.add(Tree::ROOT, "none", Content::Text((none, Tone::Plain)));
    } else {
        let head = vec![Words::new("温度", "Temperature"), Words::new("原因", "Why")];
        let row = |wish: &Wish| {
            let celsius = format!("{:.1} °C", wish.celsius);
            let (zh, en) = REASONS.iter().find(|(_, en)| *en == wish.why).copied().unwrap_or_default();
            vec![Words::new(&celsius, &celsius), Words::new(zh, en)]
        };
        let rows = wishes.iter().map(|(_, wish)| row(wish)).collect();
        panel.add(Tree::ROOT, "newest", Content::Table((head, rows)));
    }
    Ok(panel.show("wishes")?)
}

campanile_plugin::export_rule!(Wishes);
