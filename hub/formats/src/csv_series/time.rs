//! Text of the time column to UTC microseconds.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::{FoldPolicy, GapPolicy, TimeFormat};

/// A time as written: local to a zone, or absolute.
enum Written {
    Local(DateTime),
    Absolute(Timestamp),
}

/// The form that [`TimeFormat::Auto`] found in the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Dashes,
    Slashes,
    Rfc3339,
}

/// Why a time isn't usable.
pub(super) enum TimeFault {
    /// Not a time in the expected form, which is given.
    Unreadable(String),
    /// A local time that never happened.
    Nonexistent(DateTime),
    /// A local time that happened twice.
    Ambiguous(DateTime),
}

/// What happened to a time on its way to UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Plain,
    Folded,
    Shifted,
}

/// Turns the time column into UTC, row after row.
#[derive(Debug)]
pub(super) struct Clock {
    zone: TimeZone,
    format: TimeFormat,
    form: Option<Form>,
    fold: FoldPolicy,
    gap: GapPolicy,
    /// The last ambiguous local time, and whether the second pass through its fold has begun.
    in_fold: Option<(DateTime, bool)>,
}

impl Clock {
    pub(super) fn new(zone: TimeZone, format: TimeFormat, fold: FoldPolicy, gap: GapPolicy) -> Self {
        Self { zone, format, form: None, fold, gap, in_fold: None }
    }

    /// UTC microseconds of a cell.
    pub(super) fn read(&mut self, text: &str) -> Result<(i64, Note), TimeFault> {
        let local = match self.written(text)? {
            Written::Absolute(time) => return Ok((time.as_microsecond(), Note::Plain)),
            Written::Local(local) => local,
        };
        let utc = |offset: Offset| {
            offset
                .to_timestamp(local)
                .map(Timestamp::as_microsecond)
                .map_err(|_| TimeFault::Unreadable("one between the years -9999 and 9999".to_owned()))
        };
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                self.in_fold = None;
                Ok((utc(offset)?, Note::Plain))
            }
            AmbiguousOffset::Gap { before, .. } => match self.gap {
                GapPolicy::Reject => Err(TimeFault::Nonexistent(local)),
                GapPolicy::ShiftForward => Ok((utc(before)?, Note::Shifted)),
            },
            AmbiguousOffset::Fold { before, after } => {
                let later = match self.fold {
                    FoldPolicy::Reject => return Err(TimeFault::Ambiguous(local)),
                    FoldPolicy::Earlier => false,
                    FoldPolicy::Later => true,
                    // Local time that doesn't advance within a fold means that its second pass began.
                    FoldPolicy::ByOrder => self.in_fold.is_some_and(|(last, second)| second || local <= last),
                };
                self.in_fold = Some((local, later));
                Ok((utc(if later { after } else { before })?, Note::Folded))
            }
        }
    }

    fn written(&mut self, text: &str) -> Result<Written, TimeFault> {
        if let TimeFormat::Pattern(pattern) = &self.format {
            let fault = || TimeFault::Unreadable(format!("the pattern `{pattern}`"));
            let parts = strtime::parse(pattern, text).map_err(|_| fault())?;
            if parts.offset().is_some() {
                return parts.to_timestamp().map(Written::Absolute).map_err(|_| fault());
            }
            return parts.to_datetime().map(Written::Local).map_err(|_| fault());
        }
        let (form, written) = auto(text).ok_or_else(|| TimeFault::Unreadable(self.form_name().to_owned()))?;
        if *self.form.get_or_insert(form) != form {
            return Err(TimeFault::Unreadable(format!("{}, as in the rows before", self.form_name())));
        }
        Ok(written)
    }

    fn form_name(&self) -> &'static str {
        match self.form {
            None => "2014-12-01 00:00:00, 2014/12/01 00:00 or 2014-12-01T00:00:00+08:00 (or give a pattern)",
            Some(Form::Dashes) => "2014-12-01 00:00:00",
            Some(Form::Slashes) => "2014/12/01 00:00",
            Some(Form::Rfc3339) => "2014-12-01T00:00:00+08:00",
        }
    }
}

/// `YYYY-MM-DD HH:MM[:SS[.f]]` or with slashes, optionally with `T` and an offset.
fn auto(text: &str) -> Option<(Form, Written)> {
    let separator = *text.as_bytes().get(4)?;
    let mut form = match separator {
        b'-' => Form::Dashes,
        b'/' => Form::Slashes,
        _ => return None,
    };
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    if form == Form::Dashes && (clock.ends_with(['Z', 'z']) || clock.contains(['+', '-'])) {
        form = Form::Rfc3339;
        return text.parse().ok().map(|time| (form, Written::Absolute(time)));
    }
    let mut ymd = date.split(char::from(separator));
    let year: i16 = digits(ymd.next()?, 4, 4)?.try_into().ok()?;
    let month: i8 = digits(ymd.next()?, 1, 2)?.try_into().ok()?;
    let day: i8 = digits(ymd.next()?, 1, 2)?.try_into().ok()?;
    let mut hms = clock.split(':');
    let hour: i8 = digits(hms.next()?, 1, 2)?.try_into().ok()?;
    let minute: i8 = digits(hms.next()?, 2, 2)?.try_into().ok()?;
    let (second, fraction) = match hms.next() {
        None => (0, ""),
        Some(text) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            (i8::try_from(digits(whole, 2, 2)?).ok()?, fraction)
        }
    };
    if ymd.next().is_some() || hms.next().is_some() {
        return None;
    }
    let nanosecond = if fraction.is_empty() {
        0
    } else {
        let scale = 10_u32.pow(9 - u32::try_from(fraction.len()).ok().filter(|n| *n <= 9)?);
        i32::try_from(digits(fraction, 1, 9)? * scale).ok()?
    };
    let local = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    Some((form, Written::Local(local)))
}

fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
