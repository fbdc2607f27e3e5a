//! The school's year and day in local time.

use campanile_model::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::DevicesError;
use crate::settings::Settings;

/// What kind of day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// Lessons.
    School,
    /// A weekend or holiday in term.
    Rest,
    /// Between terms.
    Vacation,
}

/// A moment of the school's day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub day: Day,
    /// Whether there is school tomorrow: boarders come the evening before.
    pub tomorrow: Day,
    /// Minutes since local midnight.
    pub minute: f64,
    /// Days since 1970-01-01, local.
    pub date: i64,
    /// Monday 1 to Sunday 7.
    pub weekday: i8,
    /// Whether the dormitory's lights and sockets are off for the night.
    pub curfew: bool,
}

/// Month and day, with a year where it is one day only.
type YearDay = (Option<i16>, i8, i8);

/// Terms, holidays and the time zone.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    terms: Vec<[(i8, i8); 2]>,
    holidays: Vec<YearDay>,
    make_up: Vec<YearDay>,
    lights_out: f64,
    lights_on: f64,
}

/// When the lights of the dormitory go out and on again, if the campus doesn't say.
const LIGHTS_OUT_MIN: f64 = 21.5 * 60.0;
const LIGHTS_ON_MIN: f64 = 6.25 * 60.0;

/// 1 September to mid-January and mid-February to the end of June.
const TERMS: [[(i8, i8); 2]; 2] = [[(9, 1), (1, 16)], [(2, 17), (6, 30)]];

/// The public holidays with a fixed date (Qingming moves by a day); the others are announced each year.
const HOLIDAYS: [(i8, i8); 12] =
    [(1, 1), (4, 5), (5, 1), (5, 2), (5, 3), (10, 1), (10, 2), (10, 3), (10, 4), (10, 5), (10, 6), (10, 7)];

impl Calendar {
    pub(crate) fn new(settings: &Settings, timezone: &str) -> Result<Self, DevicesError> {
        let zone = TimeZone::get(timezone)
            .map_err(|e| DevicesError::TimeZone { name: timezone.into(), why: e.to_string() })?;
        let days = |list: &[String]| list.iter().map(|text| year_day(text)).collect::<Result<Vec<_>, _>>();
        let terms = match &settings.term {
            None => TERMS.to_vec(),
            Some(list) => {
                let pair = |[a, b]: &[String; 2]| Ok([strip(year_day(a)?), strip(year_day(b)?)]);
                list.iter().map(pair).collect::<Result<_, DevicesError>>()?
            }
        };
        let holidays = match &settings.holidays {
            None => HOLIDAYS.iter().map(|&(m, d)| (None, m, d)).collect(),
            Some(list) => days(list)?,
        };
        let (lights_out, lights_on) = match &settings.curfew {
            None => (LIGHTS_OUT_MIN, LIGHTS_ON_MIN),
            Some(curfew) => (minute(&curfew.off)?, minute(&curfew.on)?),
        };
        Ok(Self { zone, terms, holidays, make_up: days(&settings.make_up_days)?, lights_out, lights_on })
    }

    /// The school's moment at a time.
    pub(crate) fn at(&self, time: Timestamp) -> Moment {
        // Times beyond jiff's years -9999 to 9999 have no local day; they count as the epoch.
        let stamp = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let local = self.zone.to_datetime(stamp);
        let date = local.date();
        let seconds = f64::from(local.second()) + f64::from(local.subsec_nanosecond()) * 1e-9;
        let minute = f64::from(local.hour()) * 60.0 + f64::from(local.minute()) + seconds / 60.0;
        let curfew = if self.lights_on <= self.lights_out {
            !(self.lights_on..self.lights_out).contains(&minute)
        } else {
            (self.lights_out..self.lights_on).contains(&minute)
        };
        Moment {
            curfew,
            day: self.kind(date),
            tomorrow: self.kind(date.tomorrow().unwrap_or(date)),
            minute,
            date: days_since_epoch(date),
            weekday: date.weekday().to_monday_one_offset(),
        }
    }

    fn kind(&self, date: Date) -> Day {
        let (month, day) = (date.month(), date.day());
        let is = |list: &[YearDay]| {
            list.iter().any(|&(y, m, d)| (m, d) == (month, day) && y.is_none_or(|y| y == date.year()))
        };
        if is(&self.make_up) {
            return Day::School;
        }
        let now = (month, day);
        let in_term = self
            .terms
            .iter()
            .any(|&[from, to]| if from <= to { from <= now && now <= to } else { now >= from || now <= to });
        if !in_term {
            Day::Vacation
        } else if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) || is(&self.holidays) {
            Day::Rest
        } else {
            Day::School
        }
    }
}

/// Minutes after midnight of `HH:MM`.
fn minute(text: &str) -> Result<f64, DevicesError> {
    let wrong = || DevicesError::Clock(text.to_owned());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    match (hour.parse::<u8>(), minute.parse::<u8>()) {
        (Ok(h @ 0..=23), Ok(m @ 0..=59)) => Ok(f64::from(h) * 60.0 + f64::from(m)),
        _ => Err(wrong()),
    }
}

fn strip((_, month, day): YearDay) -> (i8, i8) {
    (month, day)
}

fn days_since_epoch(date: Date) -> i64 {
    TimeZone::UTC.to_timestamp(date.into()).map_or(0, |t| t.as_second().div_euclid(86_400))
}

fn year_day(text: &str) -> Result<YearDay, DevicesError> {
    let wrong = || DevicesError::Date(text.to_owned());
    let parts: Vec<i16> = text.split('-').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let (year, month, day) = match parts[..] {
        [m, d] => (None, m, d),
        [y, m, d] => (Some(y), m, d),
        _ => return Err(wrong()),
    };
    // Checked in a leap year where none is given.
    let (m, d) = (i8::try_from(month).map_err(|_| wrong())?, i8::try_from(day).map_err(|_| wrong())?);
    Date::new(year.unwrap_or(2024), m, d).map_err(|_| wrong())?;
    Ok((year, m, d))
}
