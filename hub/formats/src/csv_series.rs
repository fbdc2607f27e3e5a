//! CSV files with a time column in local time, as meters and loggers export them.
//!
//! [`LocalCsv`] streams rows without holding the file. Local time isn't UTC: once a year an hour is
//! skipped (a *gap*) and once it happens twice (a *fold*). What is done then is a choice that the
//! caller states in [`CsvConfig`] and can count in [`CsvStats`]; nothing is guessed in silence.
//!
//! Quoted fields are understood, but not line breaks inside them: a time series has none, and so a
//! lost quote can't swallow the rest of a file.

mod line;
mod reader;
#[cfg(test)]
mod tests;
mod time;

pub use reader::{CsvRow, CsvStats, LocalCsv};

/// The longest line that is read, in bytes.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
/// The largest number of columns that is read.
pub const MAX_COLUMNS: usize = 10_000;

/// How the time column is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// Found from the first row and then required of all: `2014-12-01 00:00:00` (also with `T`, without
    /// seconds, or with a fraction), `2014/12/01 00:00`, or RFC 3339 with `Z` or an offset.
    #[default]
    Auto,
    /// A `strftime` pattern such as `%d.%m.%Y %H:%M`. With `%z` the offset in the file counts, not the zone.
    Pattern(String),
}

/// What to do with a local time that happened twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoldPolicy {
    /// The first pass is the earlier one, and from the row where local time steps back, the later. A
    /// file that doesn't repeat the hour has the earlier one only. Right for files in order of time.
    #[default]
    ByOrder,
    /// Always the earlier (usually summer time).
    Earlier,
    /// Always the later (usually standard time).
    Later,
    /// Such a row is an error.
    Reject,
}

/// What to do with a local time that never happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GapPolicy {
    /// Such a row is an error; reading can go on behind it.
    #[default]
    Reject,
    /// Moved forward by the length of the gap, as if the clock had not been changed yet.
    ShiftForward,
}

/// How to read a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvConfig {
    /// Name of the time column.
    pub time_column: String,
    /// How it is written.
    pub time_format: TimeFormat,
    /// IANA name of the time zone, such as `Europe/London`.
    pub time_zone: String,
    /// Names of the columns to read as numbers, in the order wanted. Empty: all but the time column.
    pub value_columns: Vec<String>,
    /// Words that mean "no value", beside the empty cell; compared without regard to ASCII case.
    pub missing: Vec<String>,
    /// The separator; `None`: whichever of `,`, `;` and tab is most frequent in the header.
    pub delimiter: Option<u8>,
    /// Local times that happened twice.
    pub fold: FoldPolicy,
    /// Local times that never happened.
    pub gap: GapPolicy,
}

impl CsvConfig {
    /// The usual configuration for a time column in a zone: all columns, format found, fold by order,
    /// gap rejected, and `NA`, `N/A`, `NaN`, `null` and `-` as missing.
    #[must_use]
    pub fn new(time_column: &str, time_zone: &str) -> Self {
        Self {
            time_column: time_column.to_owned(),
            time_format: TimeFormat::Auto,
            time_zone: time_zone.to_owned(),
            value_columns: Vec::new(),
            missing: ["NA", "N/A", "NaN", "null", "-"].map(str::to_owned).to_vec(),
            delimiter: None,
            fold: FoldPolicy::default(),
            gap: GapPolicy::default(),
        }
    }
}

/// What can be wrong with a file. After an error of one row, reading can go on behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvSeriesError {
    /// The file can't be read.
    #[error("line {line}: the file can't be read: {source}")]
    Io {
        /// Line, from 1.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
    /// A line is longer than [`MAX_LINE_BYTES`]; reading ends.
    #[error("line {line} is longer than {MAX_LINE_BYTES} bytes: is this a CSV with line breaks?")]
    LongLine {
        /// Line, from 1.
        line: u64,
    },
    /// A line isn't UTF-8.
    #[error("line {line} isn't UTF-8: save the file as UTF-8")]
    NotUtf8 {
        /// Line, from 1.
        line: u64,
    },
    /// The file has no header line, or one with more than [`MAX_COLUMNS`] columns.
    #[error("the first line isn't a usable header: give the names of 2 to {MAX_COLUMNS} columns there")]
    Header,
    /// A wanted column isn't in the header, or is there twice.
    #[error("the column `{name}` is {fault} the header; the columns are: {columns}")]
    Column {
        /// The name wanted.
        name: String,
        /// `not in` or `twice in`.
        fault: &'static str,
        /// What the header has, shortened.
        columns: String,
    },
    /// The time zone isn't known.
    #[error("the time zone `{name}` isn't known: use an IANA name such as Asia/Shanghai")]
    TimeZone {
        /// The name given.
        name: String,
    },
    /// A row has another number of cells than the header.
    #[error("line {line}: {found} cells under a header of {wanted}: quote cells that contain the separator")]
    Cells {
        /// Line, from 1.
        line: u64,
        /// Cells found.
        found: usize,
        /// Columns of the header.
        wanted: usize,
    },
    /// A quote isn't closed at the end of its line.
    #[error("line {line}: a quote isn't closed: end it on the same line, and double a quote inside it")]
    Quote {
        /// Line, from 1.
        line: u64,
    },
    /// A time can't be read.
    #[error("line {line}, column `{column}`: `{found}` isn't a time like {wanted}")]
    Time {
        /// Line, from 1.
        line: u64,
        /// Name of the time column.
        column: String,
        /// What is there, shortened.
        found: String,
        /// What is expected.
        wanted: String,
    },
    /// A local time that never happened, under [`GapPolicy::Reject`].
    #[error(
        "line {line}, column `{column}`: {found} doesn't exist in {zone}, clocks skipped it: correct it or shift such times forward"
    )]
    Nonexistent {
        /// Line, from 1.
        line: u64,
        /// Name of the time column.
        column: String,
        /// The local time.
        found: String,
        /// Time zone.
        zone: String,
    },
    /// A local time that happened twice, under [`FoldPolicy::Reject`].
    #[error(
        "line {line}, column `{column}`: {found} happened twice in {zone}: say which one is meant, by order, earlier or later"
    )]
    Ambiguous {
        /// Line, from 1.
        line: u64,
        /// Name of the time column.
        column: String,
        /// The local time.
        found: String,
        /// Time zone.
        zone: String,
    },
    /// A cell is neither a number nor a missing word.
    #[error(
        "line {line}, column `{column}`: `{found}` isn't a finite number; correct it, leave it empty, or add it to the words for missing"
    )]
    Number {
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What is there, shortened.
        found: String,
    },
}

/// A place in a series where rows are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Time of the last row before it, UTC microseconds.
    pub before_us: i64,
    /// Time of the first row behind it, UTC microseconds.
    pub after_us: i64,
    /// Rows missing at the expected step.
    pub missing: u64,
}

/// The gaps in ascending `times_us` (UTC microseconds) that should be `step_us` apart.
///
/// A distance of less than one and a half steps isn't a gap, so jitter isn't reported; nor is a `step_us`
/// of zero or less ever exceeded.
#[must_use]
pub fn gaps(times_us: &[i64], step_us: i64) -> Vec<Gap> {
    if step_us <= 0 {
        return Vec::new();
    }
    times_us
        .windows(2)
        .filter_map(|pair| {
            let distance = i128::from(pair[1]) - i128::from(pair[0]);
            let step = i128::from(step_us);
            (2 * distance >= 3 * step).then(|| Gap {
                before_us: pair[0],
                after_us: pair[1],
                // rounded, less the one step that is always there; at least one row is missing
                missing: u64::try_from((distance + step / 2) / step - 1).unwrap_or(u64::MAX).max(1),
            })
        })
        .collect()
}
