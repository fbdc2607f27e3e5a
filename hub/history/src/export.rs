//! CSV export.

use std::io::Write;
use std::path::Path;

use campanile_model::{Quality, Timestamp, Value};

use crate::civil::rfc3339;
use crate::error::{IoContext, Result};

/// Samples written between two reads of the store.
pub(crate) const PAGE: usize = 16_384;

/// Writes the header.
pub(crate) fn write_header(out: &mut dyn Write) -> Result<()> {
    out.write_all(b"point,time,value,quality\n").at("writing", Path::new("the CSV output"))
}

/// Writes samples of a point as lines of CSV (RFC 4180, lines end in LF).
pub(crate) fn write_rows(
    out: &mut dyn Write,
    path: &str,
    rows: &[(Timestamp, Value, Quality)],
) -> Result<()> {
    let mut text = String::new();
    for (time, value, quality) in rows {
        text.push_str(path);
        text.push(',');
        text.push_str(&rfc3339(time.0));
        text.push(',');
        push_value(value, &mut text);
        text.push(',');
        text.push_str(quality_name(*quality));
        text.push('\n');
    }
    out.write_all(text.as_bytes()).at("writing", Path::new("the CSV output"))
}

fn push_value(value: &Value, out: &mut String) {
    match value {
        // The shortest text that reads back as the same number; `Debug` has an exponent where `Display` has 300 zeros.
        Value::Number(x) => out.push_str(format!("{x:?}").trim_end_matches(".0")),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Choice(c) => out.push_str(&c.to_string()),
        Value::Text(text) if text.contains(['"', ',', '\n', '\r']) => {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        }
        Value::Text(text) => out.push_str(text),
    }
}

fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
        Quality::Stale => "stale",
    }
}
