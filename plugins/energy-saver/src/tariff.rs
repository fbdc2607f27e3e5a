//! What a kilowatt-hour costs when: periods of the day by month.

use crate::timetable::{Hours, numbers};

/// How dear electricity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Night.
    Valley,
    /// What the others are measured by.
    Flat,
    /// Day and evening.
    Peak,
    /// The hours in which the grid is at its limit.
    Sharp,
}

impl Band {
    /// Whether load should go elsewhere.
    pub fn is_dear(self) -> bool {
        self >= Self::Peak
    }

    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "valley" => Self::Valley,
            "flat" => Self::Flat,
            "peak" => Self::Peak,
            "sharp" => Self::Sharp,
            _ => return None,
        })
    }
}

/// Periods, of which the last that fits holds. Where none fits it is flat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tariff(Vec<Period>);

#[derive(Clone, Debug, PartialEq)]
struct Period {
    /// The lowest bit is January.
    months: u16,
    hours: Vec<Hours>,
    band: Band,
    /// Times the price of the flat period.
    factor: f64,
}

impl Tariff {
    /// Reads `MONTHS HOURS BAND FACTOR; …`, such as `7-9 08:00-15:00,18:00-21:00 peak 1.8`: in these months and hours a
    /// kilowatt-hour costs so many times the flat price.
    ///
    /// # Errors
    /// Which part can't be read, and how it is written.
    pub fn read(text: &str) -> Result<Self, String> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let period = |part: &str| {
            let wrong = || {
                format!(
                    "'{part}': write months, hours, valley, flat, peak or sharp, and times the flat price"
                )
            };
            let words: Vec<&str> = part.split_whitespace().collect();
            let [months, hours, band, factor] = words[..] else { return Err(wrong()) };
            let factor = factor.parse().ok().filter(|f: &f64| (0.0..100.0).contains(f));
            Ok(Period {
                months: numbers(months, 1, 12)?,
                hours: Hours::list(hours)?,
                band: Band::read(band).ok_or_else(wrong)?,
                factor: factor.ok_or_else(wrong)?,
            })
        };
        parts.map(period).collect::<Result<_, String>>().map(Self)
    }

    /// How dear it is at a minute of the day in a month (1 is January), and how many times the flat price.
    pub fn at(&self, month: u8, minute: u16) -> (Band, f64) {
        let bit = 1 << (month.clamp(1, 12) - 1);
        let fits = |p: &&Period| p.months & bit != 0 && p.hours.iter().any(|h| h.has(minute));
        self.0.iter().rfind(fits).map_or((Band::Flat, 1.0), |p| (p.band, p.factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::SHANGHAI;

    #[test]
    fn the_tariff_of_shanghai_has_its_peaks_where_the_notice_has_them() {
        let tariff = Tariff::read(SHANGHAI).unwrap();
        for (month, minute, band) in [
            (7, 2 * 60, Band::Valley),
            (7, 7 * 60, Band::Flat),
            (7, 10 * 60, Band::Peak),
            (7, 13 * 60, Band::Sharp),
            (9, 13 * 60, Band::Peak),
            (7, 16 * 60, Band::Flat),
            (7, 19 * 60, Band::Peak),
            (1, 19 * 60, Band::Sharp),
            (1, 10 * 60, Band::Peak),
            (1, 13 * 60, Band::Flat),
            (4, 10 * 60, Band::Peak),
            (4, 13 * 60, Band::Flat),
            (4, 23 * 60, Band::Valley),
        ] {
            let (found, factor) = tariff.at(month, minute);
            assert_eq!(found, band, "month {month}, minute {minute}");
            assert_eq!(found.is_dear(), factor > 1.0);
        }
        // A sharp hour of summer costs a quarter more than a peak hour.
        let [peak, sharp] = [600, 780].map(|minute| tariff.at(7, minute).1);
        assert!((sharp / peak - 1.25).abs() < 1e-9);
    }

    #[test]
    fn the_last_that_fits_holds_and_nothing_is_flat() {
        let tariff = Tariff::read("1-12 08:00-22:00 peak 1.5; 5-5 12:00-13:00 valley 0.5").unwrap();
        assert_eq!(tariff.at(5, 750), (Band::Valley, 0.5));
        assert_eq!(tariff.at(6, 750), (Band::Peak, 1.5));
        assert_eq!(Tariff::read("").unwrap().at(5, 750), (Band::Flat, 1.0));
    }

    #[test]
    fn what_is_no_tariff_says_so() {
        for text in ["7-9 08:00-15:00 dear 2", "7-9 08:00-15:00 peak", "7-13 08:00-15:00 peak 2", "x"] {
            let why = Tariff::read(text).unwrap_err();
            assert!(why.contains("write"), "{text}: {why}");
        }
    }
}
