//! Values of tags: lengths with units, counts of storeys, names.

/// A length in metres: a bare number is metres; `m`, `cm`, `mm`, `km`, `ft`, `'` and `"` may follow, as the wiki of
/// OpenStreetMap allows (*Map features/Units*). A comma is read as a decimal point.
pub(crate) fn length_m(text: &str) -> Option<f64> {
    let text =
        text.trim().to_lowercase().replace(['’', '′'], "'").replace(['”', '″'], "\"").replace("''", "\"");
    if let Some((feet, rest)) = text.split_once('\'') {
        let inches = rest.trim().trim_end_matches('"').trim();
        let inches = if inches.is_empty() { 0.0 } else { number(inches)? };
        return Some(number(feet)? * 0.3048 + inches * 0.0254);
    }
    if let Some(inches) = text.strip_suffix('"') {
        return Some(number(inches)? * 0.0254);
    }
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+')))
        .unwrap_or(text.len());
    let factor = match text[end..].trim() {
        "" | "m" | "meter" | "meters" | "metre" | "metres" | "米" => 1.0,
        "ft" | "ft." | "foot" | "feet" => 0.3048,
        "in" | "inch" | "inches" => 0.0254,
        "cm" => 0.01,
        "mm" => 0.001,
        "km" => 1000.0,
        "yd" | "yards" => 0.9144,
        _ => return None,
    };
    Some(number(&text[..end])? * factor)
}

/// A decimal number.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    // `inf` and `nan` are numbers to Rust, but not to a map.
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+'));
    text.replace(',', ".").parse().ok().filter(|x: &f64| plain && x.is_finite())
}

/// The highest number of a list such as `2;3`, and whether it was a list.
pub(crate) fn highest(text: &str) -> Option<(f64, bool)> {
    let parts: Vec<f64> = text.split(';').map(number).collect::<Option<_>>()?;
    let most = parts.iter().copied().reduce(f64::max)?;
    Some((most, parts.len() > 1))
}

/// The longest name that is kept, in characters.
const MAX_NAME: usize = 100;

/// A name as text of one line, without the braces that would be words of a template.
pub(crate) fn clean_name(text: &str) -> Option<String> {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .map(|c| match c {
            '{' => '(',
            '}' => ')',
            c => c,
        })
        .take(MAX_NAME)
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// An id from a name in Latin letters: lower case, digits and `-`. `None` where little is left of it.
pub(crate) fn slug(name: &str) -> Option<String> {
    let letters = name.chars().filter(|c| c.is_alphanumeric()).count();
    let text: String = name
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '.'))
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let text = text.split('-').filter(|s| !s.is_empty()).collect::<Vec<_>>().join("-");
    let text = text.get(..text.len().min(40)).unwrap_or_default().trim_end_matches('-').to_owned();
    let kept = text.chars().filter(char::is_ascii_alphanumeric).count();
    // "第1教学楼" would be left as "1".
    (kept > 0 && kept * 2 >= letters.min(40)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units() {
        for (text, metres) in [
            ("12", Some(12.0)),
            (" 12.5 m", Some(12.5)),
            ("12,5", Some(12.5)),
            ("30'", Some(9.144)),
            ("30 ft", Some(9.144)),
            ("30ft", Some(9.144)),
            ("30 feet", Some(9.144)),
            ("5'6\"", Some(1.6764)),
            ("5' 6''", Some(1.6764)),
            ("350 cm", Some(3.5)),
            ("-2", Some(-2.0)),
            ("abc", None),
            ("", None),
            ("12 storeys", None),
            ("1e400", None),
            ("inf", None),
            ("nan", None),
            ("1.2.3", None),
        ] {
            let found = length_m(text);
            let same = match (found, metres) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a == b,
            };
            assert!(same, "{text}: {found:?}");
        }
    }

    #[test]
    fn of_a_list_the_highest_counts() {
        assert_eq!(highest("3"), Some((3.0, false)));
        assert_eq!(highest("2;3"), Some((3.0, true)));
        assert_eq!(highest("2.5"), Some((2.5, false)));
        assert_eq!(highest("two"), None);
        assert_eq!(highest(""), None);
    }

    #[test]
    fn ids_come_from_latin_names() {
        assert_eq!(slug("Humanities Building (B)").as_deref(), Some("humanities-building-b"));
        assert_eq!(slug("第1教学楼"), None);
        assert_eq!(slug("???"), None);
        assert_eq!(slug("Robert E. Parilla's"), Some("robert-e-parillas".to_owned()));
        assert_eq!(clean_name(" A{id}\n B ").as_deref(), Some("A(id) B"));
        assert_eq!(clean_name(" \t"), None);
    }
}
