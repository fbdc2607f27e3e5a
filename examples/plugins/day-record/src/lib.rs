//! The sum of a day as a record: registers are noted when a day begins, and the next day says what they grew by.

use std::collections::BTreeMap;

use campanile_plugin::{
    Plugin, Result, Settings, Time, clock, info,
    points::{self, Info},
    records, store,
};
use serde::{Deserialize, Serialize};

/// A day that has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    date: String,
    /// Whether its beginning was seen; not so of the day of the installation.
    whole: bool,
    /// By path, kWh.
    registers: BTreeMap<String, f64>,
}

#[derive(Serialize)]
struct Day {
    date: String,
    kwh: f64,
    whole: bool,
}

struct DayRecord(Vec<Info>);

impl Plugin for DayRecord {
    fn start(_: &Settings) -> Result<Self> {
        Ok(Self(points::find("net/electricity/*/energy")?))
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let local = clock::local(now);
        let date = format!("{}-{:02}-{:02}", local.year, local.month, local.day);
        let begun: Option<Begun> = store::load("begun")?;
        if begun.as_ref().is_some_and(|begun| begun.date == date) {
            return Ok(());
        }
        let handles: Vec<_> = self.0.iter().map(|meter| meter.point).collect();
        let mut registers = BTreeMap::new();
        for (meter, sample) in self.0.iter().zip(points::read(&handles)?) {
            // A meter that is silent at midnight is waited for: the next tick is soon.
            let Some(kwh) = sample.and_then(|sample| sample.number()) else { return Ok(()) };
            registers.insert(meter.path.clone(), kwh);
        }
        if let Some(begun) = &begun {
            let grown = self.0.iter().filter_map(|meter| {
                let difference = registers.get(&meter.path)? - begun.registers.get(&meter.path)?;
                // A register begins again at its end; one that falls otherwise was exchanged, and counts as nothing.
                Some(if difference < 0.0 { (difference + meter.rollover?).max(0.0) } else { difference })
            });
            let day = Day { date: begun.date.clone(), kwh: grown.sum(), whole: begun.whole };
            info!("{}: {:.1} kWh", day.date, day.kwh);
            records::keep("day", &day)?;
        }
        store::save("begun", &Begun { date, whole: begun.is_some(), registers })
    }
}

campanile_plugin::export_rule!(DayRecord);
