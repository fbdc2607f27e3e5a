//! What an administrator may change, read from text.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use campanile_plugin::{Failure, Result, Settings};

use crate::guard::Rules;

/// A number of a setting within a range.
fn within<T>(settings: &Settings, id: &str, default: T, low: T, high: T) -> Result<T>
where
    T: FromStr<Err: Display> + PartialOrd + Display,
{
    let value = settings.parse(id, default)?;
    if !(low <= value && value <= high) {
        return Err(format!("setting {id}: {value} is out of range, {low} to {high} may be"))?;
    }
    Ok(value)
}

/// The rules of leaks.
pub fn rules(settings: &Settings) -> Result<Rules> {
    Ok(Rules {
        floor_l_h: within(settings, "floor_l_h", 15.0, 1.0, 10_000.0)?,
        night_share: within(settings, "night_share_pct", 10.0, 0.0, 100.0)? / 100.0,
        nights: within(settings, "nights", 2, 1, 14)?,
        error_share: within(settings, "meter_error_pct", 2.0, 0.0, 20.0)? / 100.0,
    })
}

/// The night as seconds after local midnight, of `HH:MM-HH:MM`.
pub fn night_s(settings: &Settings) -> Result<(i64, i64)> {
    let text = settings.get("night").unwrap_or("02:00-04:00").trim();
    let seconds = |clock: &str| -> Option<i64> {
        let (hour, minute) = clock.trim().split_once(':')?;
        let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
        ((0..24).contains(&hour) && [0, 30].contains(&minute)).then_some(3_600 * hour + 60 * minute)
    };
    let read = text.split_once('-').and_then(|(from, to)| Some((seconds(from)?, seconds(to)?)));
    read.filter(|(from, to)| to - from >= 3_600).ok_or_else(|| {
        Failure::from(format!(
            "setting night = \"{text}\": write two full or half hours of one morning, an hour \
                apart at least, such as 02:00-04:00"
        ))
    })
}

/// What single branches may take at night, L/h by the id or path of their node: `fire-tank: 300; irrigation:
/// 2000`.
pub fn allowances(settings: &Settings) -> Result<BTreeMap<String, f64>> {
    let text = settings.get("night_use").unwrap_or_default();
    let mut allowed = BTreeMap::new();
    for part in text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let read = part.split_once(':').and_then(|(id, l_h)| {
            let l_h: f64 = l_h.trim().parse().ok()?;
            (l_h.is_finite() && l_h >= 0.0).then(|| (id.trim().to_owned(), l_h))
        });
        let Some((id, l_h)) = read else {
            return Err(format!(
                "setting night_use: \"{part}\" can't be read: write the id of a meter's node, a \
                    colon and L/h, with ';' between several, such as 'fire-tank: 300; irrigation: 2000'"
            ))?;
        };
        allowed.insert(id, l_h);
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect::<Vec<_>>().into()
    }

    #[test]
    fn settings_are_read() {
        let settings =
            settings(&[("night", "01:30-04:00"), ("night_use", "fire-tank: 300;\n net/water/pond:12.5;")]);
        assert_eq!(night_s(&settings), Ok((5_400, 14_400)));
        assert_eq!(
            allowances(&settings),
            Ok([("fire-tank".to_owned(), 300.0), ("net/water/pond".to_owned(), 12.5)].into())
        );
        assert_eq!(rules(&settings).unwrap().nights, 2);
    }

    /// Each with a part of what it is answered.
    #[test]
    fn what_can_not_be_used_says_which_and_how_to_mend_it() {
        for (id, text, said) in [
            ("night", "22:00-04:00", "02:00-04:00"),
            ("night", "02:10-04:00", "half hours"),
            ("night", "late", "02:00-04:00"),
            ("night_use", "fire-tank 300", "a colon"),
            ("night_use", "fire-tank: -3", "L/h"),
            ("night_use", "fire-tank: NaN", "L/h"),
            ("floor_l_h", "0", "1 to 10000"),
            ("floor_l_h", "NaN", "out of range"),
            ("nights", "two", "nights"),
        ] {
            let settings = settings(&[(id, text)]);
            let all = rules(&settings).err().or(night_s(&settings).err()).or(allowances(&settings).err());
            let words = all.unwrap_or_else(|| panic!("{id} = {text} was taken")).into_message();
            assert!(words.contains(id) && words.contains(said), "{id} = {text}: {words}");
        }
    }
}
