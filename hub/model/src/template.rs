//! Templates such as `campus/{entity}/{point}`.

/// The longest text that a template may give, in bytes. Names are made of names above them, so that a short template
/// with many words could fill the memory.
pub(crate) const MAX_FILLED: usize = 4096;

/// Fills `{name}` in a template; the error says what is wrong with it, without a place.
pub(crate) fn render(
    template: &str,
    mut value_of: impl FnMut(&str) -> Option<String>,
) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else { return Err(no_meaning(&rest[open..])) };
        let name = &rest[open + 1..open + close];
        out.push_str(&value_of(name).ok_or_else(|| no_meaning(&format!("{{{name}}}")))?);
        if out.len() > MAX_FILLED {
            break;
        }
        rest = &rest[open + close + 1..];
    }
    if out.len() + rest.len() > MAX_FILLED {
        return Err(format!("the template gives more than {MAX_FILLED} bytes"));
    }
    out.push_str(rest);
    Ok(out)
}

fn no_meaning(word: &str) -> String {
    format!("'{word}' has no meaning")
}

/// The first number in an id without leading zeros, such as `2` of `2f` and `12` of `door-012`.
pub(crate) fn number_in(id: &str) -> Option<String> {
    let start = id.find(|c: char| c.is_ascii_digit())?;
    let digits: String = id[start..].chars().take_while(char::is_ascii_digit).collect();
    let short = digits.trim_start_matches('0');
    Some(if short.is_empty() { "0".to_owned() } else { short.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        let value_of = |name: &str| (name == "id").then(|| "201".to_owned());
        assert_eq!(render("room {id}!", value_of), Ok("room 201!".to_owned()));
        assert_eq!(render("plain", value_of), Ok("plain".to_owned()));
        assert_eq!(render("{nope}", value_of), Err("'{nope}' has no meaning".to_owned()));
        assert_eq!(render("{id", value_of), Err("'{id' has no meaning".to_owned()));
        let long = "x".repeat(100);
        let filled = |words: usize| render(&"{id}".repeat(words), |_| Some(long.clone()));
        assert_eq!(filled(40).map(|text| text.len()), Ok(4000));
        assert_eq!(filled(41), Err("the template gives more than 4096 bytes".to_owned()));
        assert!(render(&"x".repeat(MAX_FILLED + 1), value_of).is_err());
        assert_eq!(number_in("door-012"), Some("12".to_owned()));
        assert_eq!(number_in("roof"), None);
    }
}
