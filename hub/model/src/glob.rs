//! Globs over paths.

/// A pattern over the segments of a path.
///
/// `*` stands for any one segment, `**` for any number of segments (also none, but at the end at
/// least one), `*` and `?` within a segment for any run of characters and any one character, and
/// `{a,b}` for either. So `*/2f/**/co2` matches `teaching-a/2f/201/co2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    alternatives: Vec<Vec<Segment>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Deep,
    Any,
    Literal(String),
    Pattern(Vec<u8>),
}

/// Why a text is not a [`Glob`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a glob: {why}")]
pub struct GlobError {
    /// The offending text.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// More would let one short text cost a great deal.
const MAX_ALTERNATIVES: usize = 256;
/// Twice the longest path leaves room for braces.
const MAX_GLOB_LEN: usize = 400;

impl Glob {
    /// Reads a glob.
    pub fn new(text: &str) -> Result<Self, GlobError> {
        let err = |why| GlobError { text: text.chars().take(MAX_GLOB_LEN).collect(), why };
        if text.is_empty() || text.len() > MAX_GLOB_LEN {
            return Err(err("it has to have 1 to 400 bytes"));
        }
        let ok =
            |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'/' | b'*' | b'?' | b'{' | b'}' | b',');
        if !text.bytes().all(ok) {
            return Err(err("only a-z, 0-9, '-', '/', '*', '?' and '{a,b}' may stand in it"));
        }
        let mut alternatives = Vec::new();
        for flat in expand_braces(text).map_err(err)? {
            alternatives.push(parse_segments(&flat).map_err(err)?);
        }
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The text it was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one path it matches, where it has no wildcard.
    pub fn literal(&self) -> Option<&str> {
        let plain = !self.text.bytes().any(|b| matches!(b, b'*' | b'?' | b'{' | b'}' | b','));
        plain.then_some(self.text.as_str())
    }

    /// Whether `path` matches.
    pub fn matches(&self, path: &str) -> bool {
        self.alternatives.iter().any(|segments| matches_segments(segments, path))
    }
}

impl std::str::FromStr for Glob {
    type Err = GlobError;
    fn from_str(text: &str) -> Result<Self, GlobError> {
        Glob::new(text)
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Every text without braces that `text` stands for.
fn expand_braces(text: &str) -> Result<Vec<String>, &'static str> {
    let mut done = vec![String::new()];
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}', ',']) {
        if !rest[open..].starts_with('{') {
            return Err("'}' or ',' stands outside of braces");
        }
        let close = rest[open..].find('}').ok_or("a brace isn't closed")? + open;
        let inner = &rest[open + 1..close];
        if inner.contains('{') {
            return Err("braces don't nest");
        }
        let mut next = Vec::new();
        for head in &done {
            for choice in inner.split(',') {
                next.push(format!("{head}{}{choice}", &rest[..open]));
                if next.len() > MAX_ALTERNATIVES {
                    return Err("its braces stand for too many alternatives");
                }
            }
        }
        done = next;
        rest = &rest[close + 1..];
    }
    for head in &mut done {
        head.push_str(rest);
    }
    Ok(done)
}

fn parse_segments(text: &str) -> Result<Vec<Segment>, &'static str> {
    let mut segments: Vec<Segment> = Vec::new();
    for part in text.split('/') {
        let segment = match part {
            "" => return Err("a segment is empty"),
            "*" => Segment::Any,
            "**" => Segment::Deep,
            _ if part.contains("**") => return Err("'**' has to be a whole segment"),
            _ if part.contains(['*', '?']) => Segment::Pattern(part.as_bytes().to_vec()),
            _ => Segment::Literal(part.to_owned()),
        };
        if segment == Segment::Deep && segments.last() == Some(&Segment::Deep) {
            return Err("'**' follows '**'");
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Greedy matching that goes back only to the latest `**`: linear but for the product with the
/// length of the path, so no text is slow.
fn matches_segments(pattern: &[Segment], path: &str) -> bool {
    let mut p = 0;
    let mut rest = Some(path);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let advanced = match (pattern.get(p), rest) {
            (None, None) => return true,
            (Some(Segment::Deep), Some(here)) => {
                if p + 1 == pattern.len() {
                    return true;
                }
                retry = Some((p + 1, here));
                p += 1;
                continue;
            }
            (Some(segment), Some(here)) => {
                let (head, tail) = match here.split_once('/') {
                    Some((head, tail)) => (head, Some(tail)),
                    None => (here, None),
                };
                if segment.matches(head) {
                    p += 1;
                    rest = tail;
                    true
                } else {
                    false
                }
            }
            _ => false,
        };
        if !advanced {
            let Some((at, here)) = retry else { return false };
            let Some((_, tail)) = here.split_once('/') else { return false };
            retry = Some((at, tail));
            p = at;
            rest = Some(tail);
        }
    }
}

impl Segment {
    fn matches(&self, text: &str) -> bool {
        match self {
            Segment::Deep | Segment::Any => true,
            Segment::Literal(literal) => literal == text,
            Segment::Pattern(pattern) => matches_bytes(pattern, text.as_bytes()),
        }
    }
}

fn matches_bytes(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == b'?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((at, from)) => {
                    retry = Some((at, from + 1));
                    p = at;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_documented() {
        let table = [
            ("teaching-a/2f/201/co2", "teaching-a/2f/201/co2", true),
            ("*/2f/**/co2", "teaching-a/2f/201/co2", true),
            ("*/2f/**/co2", "teaching-a/2f/co2", true),
            ("*/2f/**/co2", "teaching-a/3f/201/co2", false),
            ("**", "a", true),
            ("**", "a/b/c", true),
            ("a/**", "a", false),
            ("a/**", "a/b", true),
            ("**/co2", "co2", true),
            ("**/co2", "a/b/co2", true),
            ("**/co2", "a/co2/b", false),
            ("**/b/**/d", "a/b/c/b/d", true),
            ("**/b/*/d", "a/b/x/b/y/d", true),
            ("*", "a/b", false),
            ("a/*", "a", false),
            ("a/fridge-*/t", "a/fridge-12/t", true),
            ("a/fridge-?/t", "a/fridge-12/t", false),
            ("a/*f", "a/2f", true),
            ("{a,b}/x", "b/x", true),
            ("{a,b}/x", "c/x", false),
            ("**/{co2,t}-{1,2}", "r/t-2", true),
        ];
        for (glob, path, expected) in table {
            assert_eq!(Glob::new(glob).unwrap().matches(path), expected, "{glob} on {path}");
        }
    }

    #[test]
    fn what_is_not_a_glob_says_why() {
        for (text, why) in [
            ("", "1 to 400 bytes"),
            ("a//b", "empty"),
            ("a/**b", "whole segment"),
            ("**/**", "follows"),
            ("A/b", "only a-z"),
            ("{a", "isn't closed"),
            ("a}", "outside"),
            ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "too many"),
        ] {
            let err = Glob::new(text).unwrap_err();
            assert!(err.to_string().contains(why), "{text}: {err}");
        }
    }
}
