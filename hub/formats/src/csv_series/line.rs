//! Lines of bounded length and their cells.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};

use super::{CsvSeriesError, MAX_LINE_BYTES};

/// Reads one line without its end into `buffer`; `false` at the end of the file.
pub(super) fn read(
    source: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    line: u64,
) -> Result<bool, CsvSeriesError> {
    buffer.clear();
    // Two bytes more than a full line: enough for its CR LF, and to see that it is too long.
    let count = source
        .by_ref()
        .take(MAX_LINE_BYTES as u64 + 2)
        .read_until(b'\n', buffer)
        .map_err(|source| CsvSeriesError::Io { line, source })?;
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
    }
    if buffer.last() == Some(&b'\r') {
        buffer.pop();
    }
    if buffer.len() > MAX_LINE_BYTES {
        return Err(CsvSeriesError::LongLine { line });
    }
    Ok(count > 0)
}

/// Splits a line into cells; `false` if a quote isn't closed.
pub(super) fn split<'a>(line: &'a str, delimiter: char, cells: &mut Vec<Cow<'a, str>>) -> bool {
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.trim_start_matches(' ').strip_prefix('"') {
            let mut cell = String::new();
            let mut tail = quoted;
            loop {
                let Some((part, after)) = tail.split_once('"') else { return false };
                cell.push_str(part);
                match after.strip_prefix('"') {
                    Some(more) => {
                        cell.push('"');
                        tail = more;
                    }
                    None => {
                        tail = after;
                        break;
                    }
                }
            }
            let (junk, next) = cut(tail, delimiter);
            cell.push_str(junk.trim());
            cells.push(Cow::Owned(cell));
            match next {
                Some(next) => rest = next,
                None => return true,
            }
        } else {
            let (cell, next) = cut(rest, delimiter);
            cells.push(Cow::Borrowed(cell.trim()));
            match next {
                Some(next) => rest = next,
                None => return true,
            }
        }
    }
}

fn cut(text: &str, delimiter: char) -> (&str, Option<&str>) {
    match text.split_once(delimiter) {
        Some((cell, rest)) => (cell, Some(rest)),
        None => (text, None),
    }
}
