//! Numbers, units, ages and times as people read them.

use campanile_protocol::{PointInfo, Value};

use crate::locale::Texts;

/// A UCUM unit as it is usually printed: `Cel` is `°C`, `m3/h` is `m³/h`, `1` is nothing.
pub fn unit_text(ucum: &str) -> String {
    match ucum {
        "1" | "" => String::new(),
        "Cel" => "°C".into(),
        "[ppm]" => "ppm".into(),
        "[ppb]" => "ppb".into(),
        "kW.h" => "kWh".into(),
        "W.h" => "Wh".into(),
        "lx" | "lux" => "lx".into(),
        "deg" => "°".into(),
        "dB[SPL]" => "dB".into(),
        "[pH]" => "pH".into(),
        _ => {
            let mut out = String::with_capacity(ucum.len() + 2);
            let mut in_annotation = false;
            for c in ucum.chars() {
                match c {
                    '{' => in_annotation = true,
                    '}' => in_annotation = false,
                    _ if in_annotation => {}
                    '2' => out.push('²'),
                    '3' => out.push('³'),
                    '.' => out.push('·'),
                    'u' if out.is_empty() => out.push('µ'),
                    '[' | ']' => {}
                    _ => out.push(c),
                }
            }
            out
        }
    }
}

/// How many decimals show the point's resolution, or suit its size.
fn decimals(x: f64, resolution: Option<f64>) -> usize {
    match resolution {
        Some(step) if step > 0.0 => (-step.log10()).ceil().clamp(0.0, 4.0) as usize,
        _ if x.abs() >= 1000.0 => 0,
        _ if x.abs() >= 100.0 => 1,
        _ if x.abs() >= 1.0 || x == 0.0 => 2,
        _ => 3,
    }
}

/// From here on a number is no reading any more, and its digits would fill the screen.
const BEYOND_READING: f64 = 1e15;

/// A number with no more decimals than mean something, and a thin space every three digits; what is beyond all reading
/// by its power of ten.
pub fn number_text(x: f64, resolution: Option<f64>) -> String {
    if x.abs() >= BEYOND_READING {
        return format!("{x:.3e}");
    }
    let plain = format!("{x:.*}", decimals(x, resolution));
    let (sign, rest) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && whole.len() > 4 {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A value of a point with its unit.
pub fn value_text(value: &Value, point: &PointInfo, texts: &Texts) -> String {
    match value {
        Value::Number(x) => {
            let unit = unit_text(&point.unit);
            let number = number_text(*x, point.resolution);
            if unit.is_empty() { number } else { format!("{number} {unit}") }
        }
        // What one can switch is on or off; what one can only know is so or not.
        Value::Bool(is) => match (point.command.is_some(), is) {
            (true, true) => texts.t("bool-on"),
            (true, false) => texts.t("bool-off"),
            (false, true) => texts.t("bool-yes"),
            (false, false) => texts.t("bool-no"),
        },
        Value::Choice(index) => point
            .choices
            .get(usize::from(*index))
            .map_or_else(|| index.to_string(), |choice| texts.name(&choice.names).to_owned()),
        Value::Text(text) => text.to_string(),
    }
}

/// How long ago something was, in the largest unit that fits.
pub fn age_text(age_s: f64, texts: &Texts) -> String {
    let show = |key: &str, n: f64| texts.with(key, &[("n", &format!("{:.0}", n.floor()))]);
    if age_s < -2.0 {
        texts.t("age-future")
    } else if age_s < 90.0 {
        show("age-seconds", age_s.max(0.0))
    } else if age_s < 5400.0 {
        show("age-minutes", age_s / 60.0)
    } else if age_s < 129_600.0 {
        show("age-hours", age_s / 3600.0)
    } else {
        show("age-days", age_s / 86_400.0)
    }
}

/// A moment as date and time in the campus's time zone; UTC where the zone is unknown.
pub fn time_text(time_us: i64, timezone: &str, format: &str) -> String {
    let Ok(time) = jiff::Timestamp::from_microsecond(time_us) else { return String::new() };
    let zone = jiff::tz::TimeZone::get(timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    time.to_zoned_datetime(zone).strftime(format).to_string()
}

/// The moment of a date and time in the campus's time zone, as [`time_text`] writes them; seconds may be left out, and
/// the year or the whole date, which are those of `near_us` then.
pub fn moment_of(text: &str, timezone: &str, near_us: i64) -> Option<i64> {
    let zone = jiff::tz::TimeZone::get(timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let near = zone.to_datetime(jiff::Timestamp::from_microsecond(near_us).ok()?);
    let (date, time) = text.trim().rsplit_once([' ', 'T']).unwrap_or(("", text.trim()));
    let date = match date.trim().split('-').collect::<Vec<_>>()[..] {
        [""] => near.date(),
        [month, day] => jiff::civil::Date::new(near.year(), month.parse().ok()?, day.parse().ok()?).ok()?,
        [year, month, day] => {
            jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?
        }
        _ => return None,
    };
    let (hour, minute, second) = match time.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let time =
        jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?, 0).ok()?;
    let moment = zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
    Some(moment.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        const ZONE: &str = "Asia/Shanghai";
        let near = 1_795_617_654_000_000; // 2026-11-25 22:40:54
        assert_eq!(time_text(near, ZONE, "%Y-%m-%d %H:%M:%S"), "2026-11-25 22:40:54");
        for (text, expected) in [
            ("2026-11-25 22:40:54", Some("2026-11-25 22:40:54")),
            ("2026-11-25T22:40", Some("2026-11-25 22:40:00")),
            (" 11-24 08:05 ", Some("2026-11-24 08:05:00")),
            ("8:05", Some("2026-11-25 08:05:00")),
            ("2026-02-30 08:00", None),
            ("25:00", None),
            ("yesterday", None),
            ("", None),
        ] {
            let read = moment_of(text, ZONE, near).map(|us| time_text(us, ZONE, "%Y-%m-%d %H:%M:%S"));
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn units_read_as_printed() {
        for (ucum, expected) in [
            ("Cel", "°C"),
            ("kW.h", "kWh"),
            ("m3/h", "m³/h"),
            ("W/m2", "W/m²"),
            ("1", ""),
            ("%", "%"),
            ("ug/m3", "µg/m³"),
            ("{people}", ""),
        ] {
            assert_eq!(unit_text(ucum), expected, "{ucum}");
        }
    }

    #[test]
    fn numbers_show_what_they_mean() {
        for (x, resolution, expected) in [
            (23.456, Some(0.1), "23.5"),
            (412.0, Some(1.0), "412"),
            (1234567.8, Some(1.0), "1\u{2009}234\u{2009}568"),
            (-0.1234, None, "-0.123"),
            (0.0, None, "0.00"),
            (-2.5e300, Some(0.1), "-2.500e300"),
        ] {
            assert_eq!(number_text(x, resolution), expected);
        }
    }

    #[test]
    fn ages_and_times() {
        let texts = Texts::new(Language::English);
        for (age, expected) in
            [(5.0, "5 s ago"), (600.0, "10 min ago"), (7200.0, "2 h ago"), (-60.0, "ahead of the clock")]
        {
            assert_eq!(age_text(age, &texts), expected);
        }
        assert_eq!(time_text(0, "Asia/Shanghai", "%Y-%m-%d %H:%M"), "1970-01-01 08:00");
    }
}
