//! When there are lessons: hours of weekdays, as a person writes them.

use std::fmt;

/// Minutes of a day.
pub const DAY_MIN: u16 = 24 * 60;

/// Hours of weekdays, such as `1-5 07:50-17:30; 7 18:30-20:30`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timetable(Vec<Session>);

/// Some hours of some weekdays.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    /// The lowest bit is Monday.
    days: u8,
    hours: Vec<Hours>,
}

/// A stretch of a day, in minutes after midnight; it may go on beyond midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// When it begins.
    pub from: u16,
    /// When it is over; before `from` where that is on the next day.
    pub to: u16,
}

impl Hours {
    /// Whether a minute of the day lies in it.
    pub fn has(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Reads `HH:MM-HH:MM`.
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no stretch of a day: write it as 07:50-17:30");
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
        if from == to { Err(wrong()) } else { Ok(Self { from, to }) }
    }

    /// Reads some of them, with commas between.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        text.split(',').map(|one| Self::read(one.trim())).collect()
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = [self.from, self.to];
        write!(f, "{:02}:{:02}-{:02}:{:02}", a / 60, a % 60, b / 60, b % 60)
    }
}

/// Minutes after midnight of `HH:MM`, up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = (minute < 60).then_some(hour.checked_mul(60)? + minute)?;
    (all <= DAY_MIN).then_some(all)
}

/// Reads numbers from `low` to `high` as `1-5`, `1,3,5` or `10-6` (over the end) into bits, the lowest for `low`.
pub fn numbers(text: &str, low: u32, high: u32) -> Result<u16, String> {
    let wrong = || format!("'{text}' isn't numbers from {low} to {high}: write 1-5 or 1,3,5");
    let read = |text: &str| {
        let number = text.trim().parse::<u32>().ok().filter(|n| (low..=high).contains(n));
        number.ok_or_else(wrong)
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (mut at, to) = (read(from)?, read(to)?);
        loop {
            bits |= 1 << (at - low);
            if at == to {
                break;
            }
            at = if at == high { low } else { at + 1 };
        }
    }
    Ok(bits)
}

impl Timetable {
    /// Reads `WEEKDAYS HOURS; …`, with 1 for Monday.
    ///
    /// # Errors
    /// Which part can't be read, and how it is written.
    pub fn read(text: &str) -> Result<Self, String> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let session = |part: &str| {
            let (days, hours) =
                part.split_once(' ').ok_or_else(|| format!("'{part}': write weekdays and hours"))?;
            // Seven bits at most.
            let days = u8::try_from(numbers(days, 1, 7)?).unwrap_or(0);
            Ok(Session { days, hours: Hours::list(hours)? })
        };
        parts.map(session).collect::<Result<_, String>>().map(Self)
    }

    fn of_day(&self, weekday: u8) -> impl Iterator<Item = Hours> {
        let bit = 1 << (weekday.clamp(1, 7) - 1);
        self.0.iter().filter(move |s| s.days & bit != 0).flat_map(|s| s.hours.iter().copied())
    }

    /// Whether there are lessons at a minute of a weekday (1 is Monday). Hours beyond midnight belong to the day on
    /// which they began.
    pub fn has(&self, weekday: u8, minute: u16) -> bool {
        let before = if weekday <= 1 { 7 } else { weekday - 1 };
        let today = |h: Hours| if h.from <= h.to { h.has(minute) } else { minute >= h.from };
        let overnight = |h: Hours| h.from > h.to && minute < h.to;
        self.of_day(weekday).any(today) || self.of_day(before).any(overnight)
    }

    /// Minutes until the next lessons of this day begin.
    pub fn until_start(&self, weekday: u8, minute: u16) -> Option<u16> {
        self.of_day(weekday).filter(|h| h.from > minute).map(|h| h.from - minute).min()
    }

    /// Minutes since lessons of this day last began.
    pub fn since_start(&self, weekday: u8, minute: u16) -> Option<u16> {
        self.of_day(weekday).filter(|h| h.from <= minute).map(|h| minute - h.from).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timetable_knows_when_lessons_are_and_when_they_begin() {
        let week = Timetable::read("1-5 07:50-11:30,12:45-17:30; 7 18:30-20:30").unwrap();
        // Weekday, time, lessons?, minutes until they begin, since they began.
        for (weekday, time, has, until, since) in [
            (1, "07:20", false, Some(30), None),
            (1, "07:50", true, Some(295), Some(0)),
            (5, "12:00", false, Some(45), Some(250)),
            (5, "17:29", true, None, Some(284)),
            (5, "17:30", false, None, Some(285)),
            (6, "10:00", false, None, None),
            (7, "18:00", false, Some(30), None),
        ] {
            let minute = minute(time).unwrap();
            assert_eq!(week.has(weekday, minute), has, "{weekday} {time}");
            assert_eq!(week.until_start(weekday, minute), until, "{weekday} {time}");
            assert_eq!(week.since_start(weekday, minute), since, "{weekday} {time}");
        }
    }

    #[test]
    fn hours_go_on_beyond_midnight() {
        let boarders = Timetable::read("7,1-4 21:30-06:15").unwrap();
        // Sunday night into Monday, and no night from Friday to Saturday.
        let is = [(7, 1300, true), (1, 30, true), (5, 30, true), (5, 1300, false), (6, 30, false)];
        for (weekday, minute, has) in is {
            assert_eq!(boarders.has(weekday, minute), has, "{weekday} {minute}");
        }
    }

    #[test]
    fn what_is_no_timetable_says_so() {
        for text in ["07:50-17:30", "1-8 07:50-17:30", "1-5 7.50-17.30", "1-5 25:00-26:00", "1 08:00-08:00"] {
            let why = Timetable::read(text).unwrap_err();
            assert!(why.contains("write"), "{text}: {why}");
        }
        assert_eq!(Timetable::read(" ; "), Ok(Timetable::default()));
    }
}
