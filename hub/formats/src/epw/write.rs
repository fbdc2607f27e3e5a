//! [`Epw`] to text.

use std::fmt::Write as _;

use super::fields::FIELDS;
use super::read::KEYWORDS;
use super::{Epw, EpwError, Field, calendar};

/// Writes a weather file, which reads back to the same [`Epw`]; the same input gives the same bytes.
///
/// Numbers are written as the shortest text that reads back to the same `f64`.
///
/// # Errors
/// [`EpwError::RowCount`] and [`EpwError::Sequence`] if the hours aren't a year in order, and
/// [`EpwError::Unwritable`] for a value that would read back as missing or not at all.
pub fn write(epw: &Epw) -> Result<String, EpwError> {
    let leap = epw.hours.len() == 8784;
    if !leap && epw.hours.len() != 8760 {
        return Err(EpwError::RowCount { found: epw.hours.len() });
    }
    let mut out = String::with_capacity(epw.hours.len() * 200);
    let l = &epw.location;
    let text = |value: &str| value.replace([',', '\n', '\r'], " ");
    // Writing to a String can't fail, so the results are of no interest.
    let _ = writeln!(
        out,
        "LOCATION,{},{},{},{},{},{},{},{},{}",
        text(&l.city),
        text(&l.state),
        text(&l.country),
        text(&l.source),
        text(&l.wmo),
        l.latitude_deg,
        l.longitude_deg,
        l.utc_offset_h,
        l.elevation_m
    );
    let h = &epw.headers;
    let rest = [
        &h.design_conditions,
        &h.typical_extreme_periods,
        &h.ground_temperatures,
        &h.holidays_daylight_savings,
        &h.comments_1,
        &h.comments_2,
        &h.data_periods,
    ];
    for (keyword, value) in KEYWORDS[1..].iter().zip(rest) {
        let _ = writeln!(out, "{keyword},{}", value.replace(['\n', '\r'], " "));
    }
    for (index, (hour, wanted)) in epw.hours.iter().zip(calendar(leap)).enumerate() {
        if (hour.month, hour.day, hour.hour) != wanted {
            return Err(EpwError::Sequence {
                line: index + KEYWORDS.len() + 1,
                found: format!("{}-{} {}", hour.month, hour.day, hour.hour),
                wanted: format!("{}-{} {}", wanted.0, wanted.1, wanted.2),
            });
        }
        let _ = write!(
            out,
            "{},{},{},{},{},{}",
            hour.year,
            hour.month,
            hour.day,
            hour.hour,
            hour.minute,
            text(&hour.flags)
        );
        for field in &FIELDS {
            if field.index == 28 {
                let _ = write!(out, ",{}", text(&hour.present_weather_codes));
            }
            match (field.get)(hour) {
                None => {
                    let _ = write!(out, ",{}", field.code);
                }
                Some(value) if writable(field, value) => {
                    let _ = write!(out, ",{value}");
                }
                Some(value) => {
                    return Err(EpwError::Unwritable {
                        hour: index + 1,
                        name: field.name,
                        value: value.to_string(),
                    });
                }
            }
        }
        out.push('\n');
    }
    Ok(out)
}

fn writable(field: &Field, value: f64) -> bool {
    value.is_finite() && field.contains(value) && !field.is_missing(value)
}
