//! A map layer: rooms in colours, with words under the pointer.

use campanile_plugin::{
    Plugin, Result, Settings, Time, Words,
    panels::{Content, Tone, Tree},
    points::{self, Info},
};

struct AirMap(Vec<Info>);

impl Plugin for AirMap {
    fn start(_: &Settings) -> Result<Self> {
        Ok(Self(points::find("**/co2")?))
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        let handles: Vec<_> = self.0.iter().map(|sensor| sensor.point).collect();
        let mark = |(sensor, sample): (&Info, Option<campanile_plugin::Sample>)| {
            let ppm = sample?.number()?;
            let tone = match ppm {
                ..1_000.0 => Tone::Good,
                ..1_500.0 => Tone::Caution,
                _ => Tone::Danger,
            };
            // Tens are enough, and change less often: what is the same is not sent again.
            let ppm = (ppm / 10.0).round() * 10.0;
            let words = Words::new(
                format!("{}：{ppm} ppm", sensor.place.zh_cn),
                format!("{}: {ppm} ppm", sensor.place.en),
            );
            Some((sensor.path.trim_end_matches("/co2").to_owned(), tone, words))
        };
        let marks: Vec<_> = self.0.iter().zip(points::read(&handles)?).filter_map(mark).collect();
        let count = marks.iter().filter(|(_, tone, _)| *tone != Tone::Good).count();
        let said = Words::new(format!("{count} 间教室需要通风"), format!("{count} rooms want air"));
        let mut panel = Tree::new("all", Content::Column);
        panel.add(Tree::ROOT, "said", Content::Text((said, Tone::Plain)));
        panel.add(Tree::ROOT, "map", Content::MapLayer(marks));
        Ok(panel.show("air")?)
    }
}

campanile_plugin::export_rule!(AirMap);
