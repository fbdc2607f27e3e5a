//! The streaming reader.

use std::borrow::Cow;
use std::io::{BufReader, Read};

use jiff::tz::TimeZone;

use super::time::{Clock, Note, TimeFault};
use super::{CsvConfig, CsvSeriesError, MAX_COLUMNS, line};

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvRow {
    /// Time, UTC microseconds since 1970.
    pub time_us: i64,
    /// Line in the file, from 1; the header is line 1.
    pub line: u64,
    /// One value a column of [`LocalCsv::columns`]; `None` where the cell is missing.
    pub values: Vec<Option<f64>>,
}

/// What the rows read so far had to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CsvStats {
    /// Rows given.
    pub rows: u64,
    /// Rows refused with an error.
    pub errors: u64,
    /// Missing cells in the rows given.
    pub missing_cells: u64,
    /// Rows whose UTC time is before that of the row above.
    pub out_of_order: u64,
    /// Rows whose UTC time equals that of the row above.
    pub repeated: u64,
    /// Rows whose local time happened twice.
    pub folded: u64,
    /// Rows whose local time never happened and was shifted.
    pub shifted: u64,
}

/// A CSV file with local time, read row by row in the order of the file.
///
/// It iterates over `Result<CsvRow, CsvSeriesError>`: after the error of a row the next call goes on
/// behind it; after an error that ends the file (I/O, a line beyond the limit) it gives `None`.
#[derive(Debug)]
pub struct LocalCsv<R> {
    source: BufReader<R>,
    buffer: Vec<u8>,
    line: u64,
    ended: bool,
    config: CsvConfig,
    delimiter: char,
    width: usize,
    time_index: usize,
    value_indices: Vec<usize>,
    columns: Vec<String>,
    clock: Clock,
    stats: CsvStats,
    last_us: Option<i64>,
}

impl<R: Read> LocalCsv<R> {
    /// Reads the header and looks up columns and time zone.
    ///
    /// # Errors
    /// [`CsvSeriesError`] for an unreadable header, a column that isn't there or is there twice, and an unknown zone.
    pub fn open(source: R, config: CsvConfig) -> Result<Self, CsvSeriesError> {
        let zone = TimeZone::get(&config.time_zone)
            .map_err(|_| CsvSeriesError::TimeZone { name: config.time_zone.clone() })?;
        let mut source = BufReader::new(source);
        let mut buffer = Vec::new();
        if !line::read(&mut source, &mut buffer, 1)? {
            return Err(CsvSeriesError::Header);
        }
        let text = std::str::from_utf8(&buffer).map_err(|_| CsvSeriesError::NotUtf8 { line: 1 })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let delimiter = config.delimiter.map_or_else(|| most_frequent(text), char::from);
        let mut cells = Vec::new();
        if !line::split(text, delimiter, &mut cells) {
            return Err(CsvSeriesError::Quote { line: 1 });
        }
        if cells.len() < 2 || cells.len() > MAX_COLUMNS {
            return Err(CsvSeriesError::Header);
        }
        let header: Vec<String> = cells.into_iter().map(Cow::into_owned).collect();
        let time_index = find(&header, &config.time_column)?;
        let value_indices = if config.value_columns.is_empty() {
            (0..header.len()).filter(|i| *i != time_index).collect()
        } else {
            config.value_columns.iter().map(|name| find(&header, name)).collect::<Result<Vec<_>, _>>()?
        };
        let columns = value_indices.iter().map(|i| header[*i].clone()).collect();
        let clock = Clock::new(zone, config.time_format.clone(), config.fold, config.gap);
        Ok(Self {
            source,
            buffer,
            line: 1,
            ended: false,
            config,
            delimiter,
            width: header.len(),
            time_index,
            value_indices,
            columns,
            clock,
            stats: CsvStats::default(),
            last_us: None,
        })
    }

    /// Names of the value columns, in the order of [`CsvRow::values`].
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What the rows read so far had to tell.
    #[must_use]
    pub fn stats(&self) -> CsvStats {
        self.stats
    }

    /// The row in `buffer`; `None` for an empty line.
    fn row(&mut self) -> Result<Option<CsvRow>, CsvSeriesError> {
        let line = self.line;
        let text = std::str::from_utf8(&self.buffer).map_err(|_| CsvSeriesError::NotUtf8 { line })?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let mut cells = Vec::with_capacity(self.width);
        if !line::split(text, self.delimiter, &mut cells) {
            return Err(CsvSeriesError::Quote { line });
        }
        if cells.len() != self.width {
            return Err(CsvSeriesError::Cells { line, found: cells.len(), wanted: self.width });
        }
        let mut values = Vec::with_capacity(self.value_indices.len());
        for (index, column) in self.value_indices.iter().zip(&self.columns) {
            let cell = cells[*index].as_ref();
            if cell.is_empty() || self.config.missing.iter().any(|word| word.eq_ignore_ascii_case(cell)) {
                values.push(None);
                continue;
            }
            let value = cell.parse::<f64>().ok().filter(|v| v.is_finite());
            values.push(Some(value.ok_or_else(|| CsvSeriesError::Number {
                line,
                column: column.clone(),
                found: shorten(cell),
            })?));
        }
        // The time comes last: the clock remembers what it has seen, and a refused row wasn't seen.
        let cell = cells[self.time_index].as_ref();
        let column = || self.config.time_column.clone();
        let zone = || self.config.time_zone.clone();
        let (time_us, note) = self.clock.read(cell).map_err(|fault| match fault {
            TimeFault::Unreadable(wanted) => {
                CsvSeriesError::Time { line, column: column(), found: shorten(cell), wanted }
            }
            TimeFault::Nonexistent(local) => {
                CsvSeriesError::Nonexistent { line, column: column(), found: local.to_string(), zone: zone() }
            }
            TimeFault::Ambiguous(local) => {
                CsvSeriesError::Ambiguous { line, column: column(), found: local.to_string(), zone: zone() }
            }
        })?;
        let stats = &mut self.stats;
        stats.rows += 1;
        stats.missing_cells += values.iter().filter(|v| v.is_none()).count() as u64;
        stats.folded += u64::from(note == Note::Folded);
        stats.shifted += u64::from(note == Note::Shifted);
        stats.out_of_order += u64::from(self.last_us.is_some_and(|last| time_us < last));
        stats.repeated += u64::from(self.last_us == Some(time_us));
        self.last_us = Some(time_us);
        Ok(Some(CsvRow { time_us, line, values }))
    }
}

impl<R: Read> Iterator for LocalCsv<R> {
    type Item = Result<CsvRow, CsvSeriesError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.line += 1;
            match line::read(&mut self.source, &mut self.buffer, self.line) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    break;
                }
                Err(error) => {
                    self.ended = true;
                    self.stats.errors += 1;
                    return Some(Err(error));
                }
            }
            match self.row() {
                Ok(None) => {}
                Ok(Some(row)) => return Some(Ok(row)),
                Err(error) => {
                    self.stats.errors += 1;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

fn find(header: &[String], name: &str) -> Result<usize, CsvSeriesError> {
    let fault = |fault| CsvSeriesError::Column {
        name: name.to_owned(),
        fault,
        columns: shorten_to(&header.join(", "), 300),
    };
    let mut hits = header.iter().enumerate().filter(|(_, column)| *column == name);
    let (index, _) = hits.next().ok_or_else(|| fault("not in"))?;
    if hits.next().is_some() { Err(fault("twice in")) } else { Ok(index) }
}

fn most_frequent(header: &str) -> char {
    let count = |c: char| header.matches(c).count();
    // The comma is last, because `max_by_key` gives the last of equals.
    ['\t', ';', ','].into_iter().max_by_key(|c| count(*c)).unwrap_or(',')
}

fn shorten(text: &str) -> String {
    shorten_to(text, 60)
}

fn shorten_to(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
