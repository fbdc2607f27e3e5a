//! Text to [`Epw`].

use super::fields::FIELDS;
use super::{Epw, EpwError, EpwHeaders, EpwHour, EpwLocation, MAX_BYTES, calendar};

/// Keywords of the header lines in their order.
pub(super) const KEYWORDS: [&str; 8] = [
    "LOCATION",
    "DESIGN CONDITIONS",
    "TYPICAL/EXTREME PERIODS",
    "GROUND TEMPERATURES",
    "HOLIDAYS/DAYLIGHT SAVINGS",
    "COMMENTS 1",
    "COMMENTS 2",
    "DATA PERIODS",
];

const HOURS: usize = 8760;
const LEAP_HOURS: usize = 8784;

/// Reads a weather file.
///
/// Rows with 32 to 34 fields, which older programs write, are read with the last fields missing.
///
/// # Errors
/// The first [`EpwError`], with line, field and mend.
pub fn read(text: &str) -> Result<Epw, EpwError> {
    if text.len() > MAX_BYTES {
        return Err(EpwError::TooLarge { bytes: text.len() });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines();
    let mut header = Vec::with_capacity(KEYWORDS.len());
    for (index, keyword) in KEYWORDS.into_iter().enumerate() {
        let line = lines.next().unwrap_or("");
        let (name, rest) = line.split_once(',').unwrap_or((line, ""));
        if !name.trim().eq_ignore_ascii_case(keyword) {
            return Err(EpwError::Header { line: index + 1, keyword, found: shorten(name) });
        }
        header.push(rest);
    }
    let location = location(header[0])?;
    let mut periods = header[7].split(',').map(str::trim);
    if (periods.next(), periods.next()) != (Some("1"), Some("1")) {
        return Err(EpwError::Periods { found: shorten(header[7]) });
    }
    let headers = EpwHeaders {
        design_conditions: header[1].to_owned(),
        typical_extreme_periods: header[2].to_owned(),
        ground_temperatures: header[3].to_owned(),
        holidays_daylight_savings: header[4].to_owned(),
        comments_1: header[5].to_owned(),
        comments_2: header[6].to_owned(),
        data_periods: header[7].to_owned(),
    };
    let mut hours: Vec<EpwHour> = Vec::with_capacity(LEAP_HOURS);
    for (index, line) in lines.enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if hours.len() == LEAP_HOURS {
            return Err(EpwError::RowCount { found: hours.len() + 1 });
        }
        hours.push(row(line, index + KEYWORDS.len() + 1)?);
    }
    // 29 February decides the calendar, so that a gap is reported where it is.
    let leap = hours.iter().any(|h| (h.month, h.day) == (2, 29));
    for (index, (hour, wanted)) in hours.iter().zip(calendar(leap)).enumerate() {
        if (hour.month, hour.day, hour.hour) != wanted {
            return Err(EpwError::Sequence {
                line: index + KEYWORDS.len() + 1,
                found: format!("{}-{} {}", hour.month, hour.day, hour.hour),
                wanted: format!("{}-{} {}", wanted.0, wanted.1, wanted.2),
            });
        }
    }
    if hours.len() != if leap { LEAP_HOURS } else { HOURS } {
        return Err(EpwError::RowCount { found: hours.len() });
    }
    Ok(Epw { location, headers, hours })
}

fn location(rest: &str) -> Result<EpwLocation, EpwError> {
    let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
    if parts.len() < 9 {
        return Err(EpwError::FieldCount { line: 1, found: parts.len() + 1 });
    }
    let number = |index: usize, name: &'static str, low: f64, high: f64| match parts[index].parse::<f64>() {
        Ok(value) if value >= low && value <= high => Ok(value),
        _ => Err(EpwError::Value {
            line: 1,
            field: index + 2,
            name,
            found: shorten(parts[index]),
            wanted: format!("a number from {low} to {high}"),
            missing: "none",
        }),
    };
    Ok(EpwLocation {
        city: parts[0].to_owned(),
        state: parts[1].to_owned(),
        country: parts[2].to_owned(),
        source: parts[3].to_owned(),
        wmo: parts[4].to_owned(),
        latitude_deg: number(5, "latitude, degrees", -90.0, 90.0)?,
        longitude_deg: number(6, "longitude, degrees", -180.0, 180.0)?,
        utc_offset_h: number(7, "time zone, hours", -12.0, 14.0)?,
        elevation_m: number(8, "elevation, m", -1000.0, 9999.9)?,
    })
}

fn row(text: &str, line: usize) -> Result<EpwHour, EpwError> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    // Some programs end each row with a comma.
    let count = if parts.len() == 36 && parts[35].is_empty() { 35 } else { parts.len() };
    if !(32..=35).contains(&count) {
        return Err(EpwError::FieldCount { line, found: parts.len() });
    }
    let whole = |index: usize, name: &'static str, low: i32, high: i32| match parts[index].parse::<i32>() {
        Ok(value) if value >= low && value <= high => Ok(value),
        _ => Err(EpwError::Value {
            line,
            field: index + 1,
            name,
            found: shorten(parts[index]),
            wanted: format!("a whole number from {low} to {high}"),
            missing: "none",
        }),
    };
    let mut hour = EpwHour {
        year: whole(0, "year", 0, 9999)?,
        month: whole(1, "month", 1, 12)? as u8,
        day: whole(2, "day", 1, 31)? as u8,
        hour: whole(3, "hour", 1, 24)? as u8,
        minute: whole(4, "minute", 0, 60)? as u8,
        flags: parts[5].to_owned(),
        present_weather_codes: parts[27].to_owned(),
        ..EpwHour::default()
    };
    for field in &FIELDS {
        let Some(text) = parts.get(field.index).filter(|_| field.index < count) else { continue };
        let value =
            text.parse::<f64>().ok().filter(|v| field.is_missing(*v) || field.contains(*v)).ok_or_else(
                || EpwError::Value {
                    line,
                    field: field.index + 1,
                    name: field.name,
                    found: shorten(text),
                    wanted: format!("a number from {} to {}", field.range[0], field.range[1]),
                    missing: field.code,
                },
            )?;
        (field.set)(&mut hour, if field.is_missing(value) { None } else { Some(value) });
    }
    Ok(hour)
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
