//! What an administrator has set, and what people at the panel have changed within that.

use campanile_plugin::{Result, Settings};
use serde::{Deserialize, Serialize};

use crate::{tariff::Tariff, timetable::Timetable};

/// Shanghai's time-of-use periods for commercial users with two-part tariffs, times the flat price: 沪发改价管〔2022〕50号.
pub const SHANGHAI: &str = "1-12 22:00-06:00 valley 0.5; 7-9,12-1 22:00-06:00 valley 0.4; \
    7-9 08:00-15:00,18:00-21:00 peak 1.8; 10-11,2-6 08:00-11:00,18:00-21:00 peak 1.6; \
    12-1 08:00-11:00,18:00-21:00 peak 1.8; 7-8 12:00-14:00 sharp 2.25; 12-1 19:00-21:00 sharp 2.25";

/// Whether it commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It only looks, and learns what is used without it.
    Watch,
    /// It commands.
    Act,
}

/// How it works, from the settings of the manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Whether it commands.
    pub mode: Mode,
    /// The lowest setpoint of cooling, °C.
    pub cool_floor_c: f64,
    /// Rooms in use that are warmer are cooled, °C.
    pub cool_from_c: f64,
    /// How much warmer they may get while it is cooler outdoors than the floor, K: windows first.
    pub windows_k: f64,
    /// The highest setpoint of heating, °C.
    pub heat_ceiling_c: f64,
    /// Rooms in use that are cooler are heated, °C.
    pub heat_from_c: f64,
    /// By how much setpoints give way while electricity is dear, K.
    pub peak_shift_k: f64,
    /// Minutes that a room counts as in use after the last sign of people, while there are lessons.
    pub vacant_min: i64,
    /// How long before lessons it may begin, minutes.
    pub prestart_min: i64,
    /// How many rooms may start in a minute.
    pub starts_a_minute: usize,
    /// The slot of the priority array.
    pub slot: u8,
    /// Globs of places that it leaves alone.
    pub except: Vec<String>,
    /// When there are lessons.
    pub timetable: Timetable,
    /// When electricity is dear.
    pub tariff: Tariff,
    /// A kilowatt-hour in the flat period, CNY.
    pub flat_cny: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::Act,
            cool_floor_c: 26.0,
            cool_from_c: 26.5,
            windows_k: 1.5,
            heat_ceiling_c: 20.0,
            heat_from_c: 10.0,
            peak_shift_k: 0.3,
            vacant_min: 6,
            prestart_min: 20,
            starts_a_minute: 10,
            slot: 12,
            except: Vec::new(),
            timetable: Timetable::read("1-5 07:30-17:30").unwrap_or_default(),
            tariff: Tariff::read(SHANGHAI).unwrap_or_default(),
            flat_cny: 0.75,
        }
    }
}

impl Options {
    /// Reads the settings; what is not set is as in [`Options::default`].
    ///
    /// # Errors
    /// Which setting can't be used, and what it may be.
    pub fn read(settings: &Settings) -> Result<Self> {
        let usual = Self::default();
        let within = |name: &str, usual: f64, low: f64, high: f64| -> Result<f64> {
            let set = settings.parse(name, usual)?;
            if (low..=high).contains(&set) {
                Ok(set)
            } else {
                Err(format!("setting {name} = \"{set}\": it may be {low} to {high}"))?
            }
        };
        let mode = match settings.get("mode").map(str::trim) {
            None | Some("act") => Mode::Act,
            Some("watch") => Mode::Watch,
            Some(other) => Err(format!("setting mode = \"{other}\": write watch or act"))?,
        };
        let listed = |name: &str| settings.get(name).unwrap_or_default().split(',').map(str::trim);
        let options = Self {
            mode,
            cool_floor_c: within("cool_floor_c", usual.cool_floor_c, 18.0, 32.0)?,
            cool_from_c: within("cool_from_c", usual.cool_from_c, 18.0, 35.0)?,
            windows_k: within("windows_k", usual.windows_k, 0.0, 5.0)?,
            heat_ceiling_c: within("heat_ceiling_c", usual.heat_ceiling_c, 10.0, 26.0)?,
            heat_from_c: within("heat_from_c", usual.heat_from_c, 0.0, 26.0)?,
            peak_shift_k: within("peak_shift_k", usual.peak_shift_k, 0.0, 3.0)?,
            vacant_min: within("vacant_min", usual.vacant_min as f64, 1.0, 120.0)? as i64,
            prestart_min: within("prestart_min", usual.prestart_min as f64, 0.0, 180.0)? as i64,
            starts_a_minute: within("starts_a_minute", usual.starts_a_minute as f64, 1.0, 1000.0)? as usize,
            slot: within("slot", usual.slot.into(), 10.0, 14.0)? as u8,
            except: listed("except").filter(|glob| !glob.is_empty()).map(str::to_owned).collect(),
            timetable: match settings.get("timetable") {
                None => usual.timetable,
                Some(text) => Timetable::read(text).map_err(|why| format!("setting timetable: {why}"))?,
            },
            tariff: match settings.get("tariff") {
                None => usual.tariff,
                Some(text) => Tariff::read(text).map_err(|why| format!("setting tariff: {why}"))?,
            },
            flat_cny: within("flat_cny", usual.flat_cny, 0.0, 100.0)?,
        };
        if options.cool_from_c < options.cool_floor_c || options.heat_from_c > options.heat_ceiling_c {
            Err(
                "settings cool_from_c and heat_from_c: cooling begins above the floor of its setpoint, heating \
                 below the ceiling",
            )?;
        }
        if options.heat_ceiling_c >= options.cool_floor_c {
            Err("settings heat_ceiling_c and cool_floor_c: heating has to end where cooling has not begun")?;
        }
        Ok(options)
    }

    /// As people at the panel have changed it: never below the floor or above the ceiling that are set.
    #[must_use]
    pub fn with(mut self, wish: &Wish) -> Self {
        let eased = wish.ease_k.clamp(0.0, Wish::MOST_K);
        self.cool_floor_c += eased;
        self.cool_from_c += eased;
        self.heat_ceiling_c = (self.heat_ceiling_c - eased).max(self.heat_from_c);
        if wish.watch {
            self.mode = Mode::Watch;
        }
        self
    }
}

/// What people at the panel have changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// It is to look only, whatever is set.
    pub watch: bool,
    /// By how much setpoints are to be easier on energy than what is set, K.
    pub ease_k: f64,
}

impl Wish {
    /// The most that setpoints are eased, K.
    pub const MOST_K: f64 = 2.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(list: &[(&str, &str)]) -> Settings {
        list.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect::<Vec<_>>().into()
    }

    #[test]
    fn what_is_not_set_is_as_usual() {
        assert_eq!(Options::read(&settings(&[])).unwrap(), Options::default());
        let read = Options::read(&settings(&[("mode", "watch"), ("except", "a/1f/server, b/*/*")])).unwrap();
        assert_eq!((read.mode, read.except.len()), (Mode::Watch, 2));
    }

    /// A wrong setting stops the plugin with words that an administrator can act upon.
    #[test]
    fn a_setting_that_cannot_be_says_which_and_why() {
        for (name, text) in [
            ("mode", "on"),
            ("cool_floor_c", "60"),
            ("cool_floor_c", "warm"),
            ("cool_from_c", "25"),
            ("heat_ceiling_c", "26"),
            ("slot", "8"),
            ("timetable", "Monday"),
            ("tariff", "always dear"),
        ] {
            let why = Options::read(&settings(&[(name, text)])).unwrap_err().into_message();
            assert!(why.contains(name), "{name} = {text}: {why}");
        }
    }

    #[test]
    fn people_at_the_panel_stay_within_what_is_set() {
        let set = Options::default();
        let eased = set.clone().with(&Wish { watch: false, ease_k: 9.0 });
        assert_eq!((eased.cool_floor_c, eased.cool_from_c, eased.heat_ceiling_c), (28.0, 28.5, 18.0));
        let cold = set.clone().with(&Wish { watch: true, ease_k: -3.0 });
        assert_eq!((cold.cool_floor_c, cold.mode), (set.cool_floor_c, Mode::Watch));
    }
}
