//! Stretches of time that charts show, by the calendar of the campus, and what they are compared with.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit, ZonedDateTime};

/// The length of a stretch by the calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// An hour.
    Hour,
    /// From midnight to midnight.
    #[default]
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Period {
    /// All, the shortest first.
    pub const ALL: [Period; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];
}

/// A stretch of time that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Range {
    /// The last 24 hours.
    LastDay,
    /// A stretch of the calendar; 0 is the one that now is in.
    Calendar {
        /// How long.
        period: Period,
        /// How many ago.
        ago: u32,
    },
    /// From and until when, microseconds UTC.
    Fixed {
        /// From when.
        from_us: i64,
        /// Until when.
        to_us: i64,
    },
}

impl Default for Range {
    fn default() -> Self {
        Self::Calendar { period: Period::Day, ago: 0 }
    }
}

/// What a stretch of time is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// Nothing.
    #[default]
    Nothing,
    /// The one before: yesterday, last month.
    Before,
    /// The same weekday or hour a week before.
    WeekBefore,
    /// A year before: of days and weeks 52 weeks before, so that weekdays meet.
    YearBefore,
}

impl Compare {
    /// All of them.
    pub const ALL: [Compare; 4] = [Self::Nothing, Self::Before, Self::WeekBefore, Self::YearBefore];

    /// Whether it means anything for a stretch.
    pub fn suits(self, range: Range) -> bool {
        self == Self::Nothing || self.of(range).is_some_and(|other| other != range)
    }

    /// The stretch that one is compared with.
    pub fn of(self, range: Range) -> Option<Range> {
        const WEEK_US: i64 = 604_800_000_000;
        let back = match (self, range) {
            (Self::Nothing, _) => return None,
            (_, Range::LastDay) => return Self::of(self, Range::Calendar { period: Period::Day, ago: 0 }),
            (_, Range::Fixed { from_us, to_us }) => {
                let span = to_us.saturating_sub(from_us).max(1);
                let back = match self {
                    Self::WeekBefore => WEEK_US * (span + WEEK_US - 1).div_euclid(WEEK_US),
                    Self::YearBefore => 52 * WEEK_US,
                    _ => span,
                };
                return Some(Range::Fixed {
                    from_us: from_us.saturating_sub(back),
                    to_us: to_us.saturating_sub(back),
                });
            }
            (Self::Before, Range::Calendar { .. }) => 1,
            (Self::WeekBefore, Range::Calendar { period, .. }) => match period {
                Period::Hour => 168,
                Period::Day => 7,
                Period::Week => 1,
                Period::Month | Period::Year => return None,
            },
            (Self::YearBefore, Range::Calendar { period, .. }) => match period {
                Period::Hour => 52 * 168,
                Period::Day => 364,
                Period::Week => 52,
                Period::Month => 12,
                Period::Year => 1,
            },
        };
        let Range::Calendar { period, ago } = range else { return None };
        Some(Range::Calendar { period, ago: ago.saturating_add(back) })
    }
}

/// A stretch of time with its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// From when, microseconds UTC.
    pub from_us: i64,
    /// Until when, microseconds UTC.
    pub to_us: i64,
    /// How long the spans are that values are gathered in, seconds.
    pub width_s: f64,
}

impl Range {
    /// Its ends where it is so late now. Amounts are gathered in hours and days as people count them, other values finely.
    pub fn stretch(self, now_us: i64, timezone: &str, amounts: bool) -> Stretch {
        let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
        const DAY_US: i64 = 86_400_000_000;
        match self {
            Self::LastDay => {
                Stretch { from_us: now_us.saturating_sub(DAY_US), to_us: now_us, width_s: 900.0 }
            }
            Self::Fixed { from_us, to_us } => {
                let span_s = to_us.saturating_sub(from_us).max(1) as f64 / 1e6;
                Stretch { from_us, to_us, width_s: width_of(span_s, amounts) }
            }
            Self::Calendar { period, ago } => {
                let now =
                    Timestamp::from_microsecond(now_us).unwrap_or_default().to_zoned_datetime(zone.clone());
                let (from, to) = ends(&now, period, i64::from(ago));
                let micros = |at: DateTime| {
                    let at = zone.to_ambiguous_timestamp(at).compatible();
                    at.map_or(now_us, |at| at.as_microsecond())
                };
                let width_s = match (period, amounts) {
                    (Period::Hour, true) => 300.0,
                    (Period::Hour, false) => 30.0,
                    (Period::Day, true) => 3600.0,
                    (Period::Day, false) => 300.0,
                    (Period::Week | Period::Month, true) => 86_400.0,
                    (Period::Week, false) => 1800.0,
                    (Period::Month, false) => 7200.0,
                    (Period::Year, true) => 604_800.0,
                    (Period::Year, false) => 86_400.0,
                };
                Stretch { from_us: micros(from), to_us: micros(to), width_s }
            }
        }
    }

    /// The stretch before or after; never one that is still to come.
    pub fn step(self, back: bool) -> Range {
        match self {
            Self::LastDay => Self::Calendar { period: Period::Day, ago: u32::from(back) },
            Self::Calendar { period, ago } => {
                Self::Calendar { period, ago: if back { ago + 1 } else { ago.saturating_sub(1) } }
            }
            Self::Fixed { from_us, to_us } => {
                let span = (to_us - from_us).max(1) * if back { -1 } else { 1 };
                Self::Fixed { from_us: from_us.saturating_add(span), to_us: to_us.saturating_add(span) }
            }
        }
    }
}

/// A span of which some 60 to 300 make a stretch.
fn width_of(span_s: f64, amounts: bool) -> f64 {
    const WIDTHS: [f64; 12] =
        [1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0];
    let most = if amounts { 60.0 } else { 300.0 };
    WIDTHS.into_iter().find(|width| span_s / width <= most).unwrap_or(604_800.0)
}

/// From and until when, by the clock on the wall.
fn ends(now: &ZonedDateTime, period: Period, ago: i64) -> (DateTime, DateTime) {
    let midnight = |date: Date| date.to_datetime(jiff::civil::Time::midnight());
    let today = now.date();
    let shifted = |date: Date, span: jiff::Span| date.checked_add(span).unwrap_or(date);
    match period {
        Period::Hour => {
            let hour = now
                .datetime()
                .round(jiff::civil::DateTimeRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Trunc));
            let start = hour.unwrap_or(now.datetime());
            let start = start.checked_sub(ago.hours()).unwrap_or(start);
            (start, start.checked_add(1.hour()).unwrap_or(start))
        }
        Period::Day => {
            let day = shifted(today, (-ago).days());
            (midnight(day), midnight(shifted(day, 1.day())))
        }
        Period::Week => {
            let into = i64::from(today.weekday().to_monday_zero_offset());
            let monday = shifted(today, (-into - 7 * ago).days());
            (midnight(monday), midnight(shifted(monday, 7.days())))
        }
        Period::Month => {
            let first = shifted(today.first_of_month(), (-ago).months());
            (midnight(first), midnight(shifted(first, 1.month())))
        }
        Period::Year => {
            let first = shifted(today.first_of_year(), (-ago).years());
            (midnight(first), midnight(shifted(first, 1.year())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: &str = "Asia/Shanghai";

    fn us(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn text(range: Range, now: &str) -> String {
        let stretch = range.stretch(us(now), ZONE, true);
        let of = |us| crate::units::time_text(us, ZONE, "%Y-%m-%d %H:%M");
        format!("{} {}", of(stretch.from_us), of(stretch.to_us))
    }

    #[test]
    fn stretches_begin_where_people_begin_them() {
        // A Monday, 07:10 in Shanghai, still Sunday in UTC.
        let now = "2026-11-29T23:10:00Z";
        for (period, ago, expected) in [
            (Period::Hour, 0, "2026-11-30 07:00 2026-11-30 08:00"),
            (Period::Hour, 8, "2026-11-29 23:00 2026-11-30 00:00"),
            (Period::Day, 0, "2026-11-30 00:00 2026-12-01 00:00"),
            (Period::Day, 1, "2026-11-29 00:00 2026-11-30 00:00"),
            (Period::Week, 0, "2026-11-30 00:00 2026-12-07 00:00"),
            (Period::Week, 1, "2026-11-23 00:00 2026-11-30 00:00"),
            (Period::Month, 9, "2026-02-01 00:00 2026-03-01 00:00"),
            (Period::Year, 1, "2025-01-01 00:00 2026-01-01 00:00"),
        ] {
            assert_eq!(text(Range::Calendar { period, ago }, now), expected);
        }
    }

    #[test]
    fn what_is_compared_has_the_same_weekdays() {
        let day = |ago| Range::Calendar { period: Period::Day, ago };
        let month = |ago| Range::Calendar { period: Period::Month, ago };
        for (compare, range, expected) in [
            (Compare::Nothing, day(0), None),
            (Compare::Before, day(1), Some(day(2))),
            (Compare::WeekBefore, day(1), Some(day(8))),
            (Compare::YearBefore, day(0), Some(day(364))),
            (Compare::WeekBefore, month(0), None),
            (Compare::YearBefore, month(1), Some(month(13))),
        ] {
            assert_eq!(compare.of(range), expected);
        }
        let fixed = Range::Fixed { from_us: us("2026-11-30T00:00:00Z"), to_us: us("2026-11-30T06:00:00Z") };
        assert_eq!(
            Compare::WeekBefore.of(fixed),
            Some(Range::Fixed { from_us: us("2026-11-23T00:00:00Z"), to_us: us("2026-11-23T06:00:00Z") })
        );
        assert!(!Compare::WeekBefore.suits(month(0)) && Compare::Before.suits(month(0)));
    }

    #[test]
    fn no_stretch_asks_for_more_spans_than_a_chart_has_room_for() {
        for span_s in [1.0, 60.0, 3600.0, 86_400.0, 31_536_000.0] {
            for amounts in [true, false] {
                let spans = span_s / width_of(span_s, amounts);
                assert!((0.5..=366.0).contains(&spans), "{spans} of {span_s} s");
            }
        }
        assert_eq!(Range::Calendar { period: Period::Day, ago: 0 }.step(false), Range::default());
        assert_eq!(Range::LastDay.step(true), Range::Calendar { period: Period::Day, ago: 1 });
    }
}
