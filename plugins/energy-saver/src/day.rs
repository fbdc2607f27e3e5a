//! What a day came to: energy and what it follows from by the hour, comfort, cost, starts.

use campanile_plugin::Time;
use serde::{Deserialize, Serialize};

use crate::{
    baseline::{Baseline, DRIVERS, Drivers, WatchedDay, drivers},
    options::Mode,
};

/// A stretch of the day, as it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stretch {
    /// How long it was, hours.
    pub hours: f64,
    /// In which hour of the day, 0 to 23.
    pub hour: usize,
    /// What the air-conditioners took together, kW; none where too few were heard.
    pub power_kw: Option<f64>,
    /// Air temperature outdoors, °C.
    pub outside_c: Option<f64>,
    /// Rooms in use of those that are metered, and of all.
    pub used_metered: f64,
    /// Rooms in use whose temperature is known.
    pub used: f64,
    /// Of these, how many were comfortable.
    pub comfortable: f64,
    /// Whether electricity was dear, and a kilowatt-hour's price, CNY.
    pub dear: bool,
    /// The price, CNY/kWh.
    pub price_cny: f64,
}

/// A day while it lasts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// The date, such as 20260624; 0 before the first.
    pub date: u32,
    /// When it was last added to.
    pub last: Time,
    /// Hours that it watched and that it acted.
    watched_h: f64,
    acted_h: f64,
    /// By hour: drivers, and energy in kWh.
    hours: Vec<(Drivers, f64)>,
    /// Energy while electricity was dear, kWh.
    pub dear_kwh: f64,
    /// What the energy cost, CNY.
    pub cost_cny: f64,
    /// Room-hours in use, and of these comfortable ones.
    pub use_h: f64,
    comfort_h: f64,
    /// How often a room's air-conditioners were started, and how many commands were refused.
    pub starts: u32,
    /// Commands that were refused.
    pub refused: u32,
}

/// A day of which so many hours were seen counts.
const WHOLE_DAY_H: f64 = 22.0;

impl Day {
    /// A day that begins.
    pub fn begin(date: u32, now: Time) -> Self {
        Self { date, last: now, hours: vec![([0.0; DRIVERS], 0.0); 24], ..Self::default() }
    }

    /// Adds a stretch. Where energy or weather is not known, neither energy nor what it follows from is counted, so that
    /// the comparison stays fair.
    pub fn add(&mut self, mode: Mode, stretch: &Stretch) {
        let hours = stretch.hours;
        self.use_h += stretch.used * hours;
        self.comfort_h += stretch.comfortable * hours;
        let (Some(power_kw), Some(outside_c)) = (stretch.power_kw, stretch.outside_c) else { return };
        match mode {
            Mode::Watch => self.watched_h += hours,
            Mode::Act => self.acted_h += hours,
        }
        let kwh = power_kw * hours;
        if let Some((x, y)) = self.hours.get_mut(stretch.hour) {
            let more = drivers(hours, stretch.used_metered * hours, outside_c);
            x.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            *y += kwh;
        }
        self.cost_cny += kwh * stretch.price_cny;
        if stretch.dear {
            self.dear_kwh += kwh;
        }
    }

    /// Energy so far, kWh.
    pub fn kwh(&self) -> f64 {
        self.hours.iter().map(|(_, kwh)| kwh).sum()
    }

    /// What energy follows from, so far.
    pub fn drivers(&self) -> Drivers {
        let mut all = [0.0; DRIVERS];
        for (x, _) in &self.hours {
            all.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
        }
        all
    }

    /// By hour, what was used and what would have been, kWh.
    pub fn by_hour<'a>(
        &'a self,
        baseline: Option<&'a Baseline>,
    ) -> impl Iterator<Item = (f64, Option<f64>)> + 'a {
        self.hours.iter().map(move |(x, kwh)| (*kwh, baseline.map(|b| b.kwh(x))))
    }

    /// The share of room-hours in use that were comfortable.
    pub fn comfort_share(&self) -> Option<f64> {
        (self.use_h > 0.0).then(|| self.comfort_h / self.use_h)
    }

    /// What kind of day it was, if it was a whole one of a kind.
    pub fn was(&self) -> Option<Mode> {
        if self.watched_h >= WHOLE_DAY_H {
            Some(Mode::Watch)
        } else if self.acted_h >= WHOLE_DAY_H {
            Some(Mode::Act)
        } else {
            None
        }
    }

    /// As a day to learn from.
    pub fn watched(&self) -> WatchedDay {
        WatchedDay::new(self.date, self.hours.iter().copied())
    }

    /// The date as people write it.
    pub fn date_text(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.date / 10_000, self.date / 100 % 100, self.date % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRETCH: Stretch = Stretch {
        hours: 0.5,
        hour: 9,
        power_kw: Some(40.0),
        outside_c: Some(30.0),
        used_metered: 20.0,
        used: 20.0,
        comfortable: 15.0,
        dear: true,
        price_cny: 1.35,
    };

    #[test]
    fn a_day_adds_up() {
        let mut day = Day::begin(20_260_624, 0);
        day.add(Mode::Act, &STRETCH);
        day.add(Mode::Act, &Stretch { dear: false, price_cny: 0.75, hour: 15, ..STRETCH });
        assert_eq!((day.kwh(), day.dear_kwh, day.use_h), (40.0, 20.0, 20.0));
        assert!((day.cost_cny - 42.0).abs() < 1e-9);
        assert_eq!(day.comfort_share(), Some(0.75));
        // 20 rooms for an hour, 10 K above 20 °C.
        assert_eq!(day.drivers(), [1.0, 20.0, 200.0, 0.0]);
        assert_eq!(day.date_text(), "2026-06-24");
    }

    /// A dead weather station must not make a saving out of energy without weather.
    #[test]
    fn what_is_not_known_is_counted_on_neither_side() {
        let mut day = Day::begin(20_260_624, 0);
        day.add(Mode::Act, &Stretch { outside_c: None, ..STRETCH });
        day.add(Mode::Act, &Stretch { power_kw: None, ..STRETCH });
        assert_eq!((day.kwh(), day.drivers()), (0.0, [0.0; DRIVERS]));
        assert_eq!(day.use_h, 20.0, "comfort is known all the same");
    }

    #[test]
    fn only_a_whole_day_of_a_kind_counts() {
        let mut day = Day::begin(20_260_624, 0);
        for quarter in 0..88 {
            assert_eq!(day.was(), None, "{quarter}");
            day.add(Mode::Watch, &Stretch { hours: 0.25, ..STRETCH });
        }
        assert_eq!(day.was(), Some(Mode::Watch));
        let mut mixed = Day::begin(20_260_624, 0);
        for hour in 0..24 {
            mixed.add(if hour < 12 { Mode::Watch } else { Mode::Act }, &Stretch { hours: 1.0, ..STRETCH });
        }
        assert_eq!(mixed.was(), None);
    }
}
