//! A look back: the power now beside the mean of the same hour of the last seven days.

use campanile_plugin::{
    Plugin, Result, Settings, Time, Words, alarms, clock, history,
    points::{self, Info},
};

struct LookBack {
    times: f64,
    boards: Vec<Info>,
}

impl Plugin for LookBack {
    fn start(settings: &Settings) -> Result<Self> {
        let times = settings.parse("times", 1.5)?;
        Ok(Self { times, boards: points::find("net/electricity/*/power")? })
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let handles: Vec<_> = self.boards.iter().map(|board| board.point).collect();
        let read = points::read(&handles)?;
        for (board, sample) in self.boards.iter().zip(read) {
            let Some(kw) = sample.and_then(|sample| sample.number()) else { continue };
            // A week of hours in one call: one reading of history costs about a millisecond.
            let hours = history::buckets(board.point, now - 7 * clock::DAY, now, 3_600.0)?;
            // They are counted from the beginning, now less a week: this hour begins whole days before now. Hours without
            // a sample are left out.
            let is_same = |hour: &&history::Bucket| (now - hour.start) % clock::DAY == 0;
            let same: Vec<f64> = hours.iter().filter(is_same).map(|hour| hour.mean).collect();
            // Of three days something can be said.
            if same.len() < 3 {
                continue;
            }
            let usual_kw = same.iter().sum::<f64>() / same.len() as f64;
            let place = board.path.trim_end_matches("/power");
            if kw > self.times * usual_kw {
                let words = Words::new(
                    format!("现在 {kw:.0} kW，平常 {usual_kw:.0} kW"),
                    format!("{kw:.0} kW now, usually {usual_kw:.0} kW"),
                );
                alarms::raise("unusual", place, &words)?;
            } else {
                alarms::clear("unusual", place)?;
            }
        }
        Ok(())
    }
}

campanile_plugin::export_rule!(LookBack);
