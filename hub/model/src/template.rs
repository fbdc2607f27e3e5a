//! Templates such as `campus/{entity}/{point}`.

/// Fills `{name}` in a template; the error is the first name that `value_of` doesn't know.
pub(crate) fn render(
    template: &str,
    mut value_of: impl FnMut(&str) -> Option<String>,
) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else { return Err(rest[open..].to_owned()) };
        let name = &rest[open + 1..open + close];
        out.push_str(&value_of(name).ok_or_else(|| format!("{{{name}}}"))?);
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    Ok(out)
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
        assert_eq!(render("{nope}", value_of), Err("{nope}".to_owned()));
        assert_eq!(render("{id", value_of), Err("{id".to_owned()));
        assert_eq!(number_in("door-012"), Some("12".to_owned()));
        assert_eq!(number_in("roof"), None);
    }
}
