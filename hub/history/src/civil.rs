//! Months and RFC 3339 in UTC: all the calendar that the store needs.

use std::fmt;

use campanile_model::Timestamp;

/// Microseconds in an hour.
pub(crate) const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// The earliest time that is kept: 1970-01-01.
pub(crate) const EARLIEST_US: i64 = 0;
/// The first time that is too late to be kept: 2200-01-01. Far dates come from broken clocks,
/// and each would make a month file of its own.
pub(crate) const LATEST_US: i64 = 7_258_118_400 * Timestamp::SECOND;

/// A UTC month, counted from January of year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(i64);

impl Month {
    /// The month that holds `time_us`.
    pub(crate) fn of(time_us: i64) -> Self {
        let (year, month, _) = civil_from_days(time_us.div_euclid(DAY_US));
        Self(year * 12 + month - 1)
    }

    /// Its first microsecond.
    pub(crate) fn start_us(self) -> i64 {
        days_from_civil(self.0.div_euclid(12), self.0.rem_euclid(12) + 1) * DAY_US
    }

    /// The first microsecond after it.
    pub(crate) fn end_us(self) -> i64 {
        Self(self.0 + 1).start_us()
    }

    /// The number that stands for it in the store.
    pub(crate) fn number(self) -> i64 {
        self.0
    }

    /// From [`Self::number`].
    pub(crate) fn from_number(n: i64) -> Self {
        Self(n)
    }

    /// From `YYYY-MM`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 {
            return None;
        }
        let (year, month): (i64, i64) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(Self(year * 12 + month - 1))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// A time as RFC 3339 in UTC, with as many decimals of a second as it needs.
pub(crate) fn rfc3339(time_us: i64) -> String {
    let (year, month, day) = civil_from_days(time_us.div_euclid(DAY_US));
    let of_day_us = time_us.rem_euclid(DAY_US);
    let seconds = of_day_us / 1_000_000;
    let mut text = format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    let micros = of_day_us % 1_000_000;
    if micros != 0 {
        let decimals = format!(".{micros:06}");
        text.push_str(decimals.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// Year, month and day of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// The day since 1970-01-01 of the first of a month (the inverse of [`civil_from_days`]).
pub(crate) fn days_from_civil(year: i64, month: i64) -> i64 {
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_meet_without_gap_and_leap_years_are_known() {
        let mut month = Month::of(EARLIEST_US);
        assert_eq!(month.to_string(), "1970-01");
        while month.start_us() < LATEST_US {
            assert_eq!(Month::of(month.start_us()), month);
            assert_eq!(Month::of(month.end_us() - 1), month);
            assert_eq!(Month::parse(&month.to_string()), Some(month));
            month = Month::of(month.end_us());
        }
        assert_eq!(month.to_string(), "2200-01");
        for (text, days) in [("2024-02", 29), ("2100-02", 28), ("2000-02", 29), ("2026-12", 31)] {
            let month = Month::parse(text).unwrap();
            assert_eq!((month.end_us() - month.start_us()) / DAY_US, days, "{text}");
        }
    }

    #[test]
    fn rfc3339_shows_only_the_decimals_it_needs() {
        for (us, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_709_210_096_000_000, "2024-02-29T12:34:56Z"),
            (1_709_210_096_120_000, "2024-02-29T12:34:56.12Z"),
            (1_709_210_096_000_001, "2024-02-29T12:34:56.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(rfc3339(us), text);
        }
    }
}
