//! CSV export.

use std::io::Write;

use campanile_model::{Quality, Value};

use crate::civil::rfc3339;
use crate::error::{IoContext, Result};
use crate::query::{Next, Reader};
use crate::store::Shared;

/// Writes a point's samples as CSV (RFC 4180, lines end in LF); gives their count.
pub(crate) fn write_csv(
    reader: &mut Reader,
    shared: &Shared,
    out: &mut dyn Write,
    path: &str,
    key: u32,
    from: i64,
    to: i64,
) -> Result<u64> {
    let output = std::path::Path::new("the CSV output");
    out.write_all(b"point,time,value,quality\n").at("writing", output)?;
    let mut count = 0;
    let mut text = String::new();
    reader.visit_samples(shared, key, from, to, &mut |columns, range| {
        text.clear();
        for i in range {
            count += 1;
            text.push_str(path);
            text.push(',');
            text.push_str(&rfc3339(columns.times[i]));
            text.push(',');
            push_value(&columns.value(i), &mut text);
            text.push(',');
            text.push_str(quality_name(columns.quality(i)));
            text.push('\n');
        }
        out.write_all(text.as_bytes()).at("writing", output)?;
        Ok(Next::On)
    })?;
    Ok(count)
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
