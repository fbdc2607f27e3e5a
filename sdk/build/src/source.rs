//! Source files as they are searched: without comments, texts and tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Language, read};

/// A file of a plugin.
pub(crate) struct Source {
    pub path: PathBuf,
    /// Its code: of comments and texts nothing but their line ends is left.
    code: String,
}

impl Source {
    /// The source files of the plugin in a directory, but the SDK's, in the order of their names.
    pub(crate) fn of(language: Language, dir: &Path) -> Result<Vec<Self>, Error> {
        let (extensions, syntax): (&[&str], _) = match language {
            Language::Rust => (&["rs"], Syntax::Rust),
            Language::C => (&["c", "h"], Syntax::C),
            Language::Python => (&["py"], Syntax::Python),
            Language::JavaScript => (&["js", "mjs"], Syntax::JavaScript),
            Language::Rhai => (&["rhai"], Syntax::C),
        };
        let mut paths = Vec::new();
        walk(dir, extensions, &mut paths)?;
        paths.sort();
        paths
            .into_iter()
            .map(|path| {
                let text = String::from_utf8_lossy(&read(&path)?).into_owned();
                let mut code = stripped(&text, syntax);
                if language == Language::Rust {
                    code = without_tests(&code);
                }
                Ok(Self { path, code })
            })
            .collect()
    }

    /// The first line that has a call such as `time.time(`, as a word of its own and not as somebody's method, in a file
    /// that does not define it.
    pub(crate) fn line_of_call(&self, call: &str) -> Option<usize> {
        let name = call.trim_end_matches('(');
        let defined = ["def ", "fn ", "function ", "const ", "let ", "var ", "class "];
        if defined.iter().any(|definition| self.words(&format!("{definition}{name}")).next().is_some()) {
            return None;
        }
        let at = self.words(call).next()?;
        Some(1 + self.code[..at].matches('\n').count())
    }

    /// The first line that uses a function, such as `printf(`, after those that only declare it.
    pub(crate) fn line_of_use(&self, call: &str) -> Option<usize> {
        let is_declared = |at: usize| {
            let line = self.code[..at].rsplit('\n').next().unwrap_or_default();
            line.contains("fn ") || line.trim_start().starts_with("extern")
        };
        let lines = self.words(call).filter(|at| !is_declared(*at));
        lines.map(|at| 1 + self.code[..at].matches('\n').count()).next()
    }

    /// Where words stand that no other word and no dot leads up to.
    fn words<'a>(&'a self, words: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(words).map(|(at, _)| at).filter(move |at| {
            let before = self.code[..*at].chars().next_back();
            let after = self.code[at + words.len()..].chars().next();
            let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let ends = !words.ends_with(is_word) || !after.is_some_and(is_word);
            ends && !before.is_some_and(|c| is_word(c) || c == '.')
        })
    }
}

fn walk(dir: &Path, extensions: &[&str], paths: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |source| Error::File { path: dir.into(), source };
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            // Neither what was built or fetched, nor what only tests have; a build script runs elsewhere.
            let foreign = ["target", "sdk", "node_modules", "tests", "benches", "examples"];
            if !foreign.contains(&name.as_str()) && !name.starts_with('.') {
                walk(&path, extensions, paths)?;
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|known| e == *known))
            && name != "build.rs"
        {
            paths.push(path);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Syntax {
    Rust,
    C,
    Python,
    JavaScript,
}

/// The code with its lines, and spaces where comments and texts were.
fn stripped(text: &str, syntax: Syntax) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = foreign_length(rest, &out, syntax);
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, after) = rest.split_at(length);
            out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    out
}

/// The bytes of the comment or text that begins here; 0 where none does.
fn foreign_length(rest: &str, before: &str, syntax: Syntax) -> usize {
    let until = |end: &str, from: usize| {
        rest.get(from..).and_then(|inner| inner.find(end)).map_or(rest.len(), |at| from + at + end.len())
    };
    let line = || rest.find('\n').unwrap_or(rest.len());
    match syntax {
        Syntax::Python => {
            if rest.starts_with('#') {
                return line();
            }
            for quotes in ["\"\"\"", "'''"] {
                if rest.starts_with(quotes) {
                    return until(quotes, 3);
                }
            }
            if rest.starts_with(['"', '\'']) { quoted(rest) } else { 0 }
        }
        _ if rest.starts_with("//") => line(),
        _ if rest.starts_with("/*") => until("*/", 2),
        Syntax::Rust => {
            let word_before = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if rest.starts_with('r') && !word_before {
                let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
                if rest[1 + hashes..].starts_with('"') {
                    return until(&format!("\"{}", "#".repeat(hashes)), 2 + hashes);
                }
            }
            // A letter, not a lifetime.
            let mut letters = rest.chars().skip(1);
            let is_letter =
                rest.starts_with('\'') && (letters.next() == Some('\\') || letters.next() == Some('\''));
            if rest.starts_with('"') || is_letter { quoted(rest) } else { 0 }
        }
        Syntax::C if rest.starts_with(['"', '\'']) => quoted(rest),
        Syntax::JavaScript if rest.starts_with(['"', '\'', '`']) => quoted(rest),
        // Where a value may begin, a stroke begins a pattern.
        Syntax::JavaScript if rest.starts_with('/') => {
            let last = before.trim_end().chars().next_back();
            if last.is_none_or(|c| "(,=:[!&|?{};\n".contains(c)) || before.trim_end().ends_with("return") {
                quoted(rest)
            } else {
                0
            }
        }
        _ => 0,
    }
}

/// The bytes of a text that ends with what it begins with; one of a single line ends with that at the latest.
fn quoted(rest: &str) -> usize {
    let mut letters = rest.char_indices();
    let Some((_, quote)) = letters.next() else { return 0 };
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == quote => return at + letter.len_utf8(),
            '\n' if quote == '/' => return 0,
            _ => {}
        }
    }
    rest.len()
}

/// Tests run on the machine where there is everything.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(at) = out.find("#[cfg(test)]") {
        let mut depth = 0_u32;
        let mut end = out.len();
        for (offset, letter) in out[at..].char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 1 => {
                    end = at + offset + 1;
                    break;
                }
                '}' => depth = depth.saturating_sub(1),
                // It is over a single statement, such as `use`.
                ';' if depth == 0 => {
                    end = at + offset + 1;
                    break;
                }
                _ => {}
            }
        }
        let blank: String = out[at..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(at..end, &blank);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(syntax: Syntax, text: &str, call: &str) -> Option<usize> {
        let mut code = stripped(text, syntax);
        if syntax == Syntax::Rust {
            code = without_tests(&code);
        }
        Source { path: PathBuf::new(), code }.line_of_call(call)
    }

    #[test]
    fn a_call_is_found_where_it_is_made_and_nowhere_else() {
        let table = [
            (Syntax::Python, "import time\n\nnow = time.time()\n", "time.time(", Some(3)),
            (Syntax::Python, "# time.time()\n'''\ntime.time()'''\nx = \"time.time()\"", "time.time(", None),
            (Syntax::Python, "door.open()\nreopen(1)\n", "open(", None),
            (Syntax::Python, "def open(door): pass\nopen(1)\n", "open(", None),
            (Syntax::Python, "with open('x') as f:\n", "open(", Some(1)),
            (Syntax::JavaScript, "const a = `fetch(`; // fetch(\nreturn fetch(a);", "fetch(", Some(2)),
            (Syntax::JavaScript, "x = /[\"'`]/.test(y);\nsetTimeout(f, 1)", "setTimeout(", Some(2)),
            (Syntax::JavaScript, "a = b / c / d; Date.now()", "Date.now(", Some(1)),
            (Syntax::JavaScript, "new Date(5); new Date()", "new Date()", Some(1)),
            (Syntax::Rust, "fn f<'a>(x: &'a str) { '\"'; println!(\"x\") }", "println!(", Some(1)),
            (Syntax::Rust, "let s = r#\"println!(\"#;\nlet c = '\\'';", "println!(", None),
            (Syntax::Rust, "#[cfg(test)]\nmod tests { fn a() { println!(1) } }\ninfo!(2)", "println!(", None),
            (Syntax::C, "/* printf( */ // printf(\n  printf(\"x\");", "printf(", Some(2)),
            (Syntax::C, "snprintf(x)", "printf(", None),
        ];
        for (syntax, text, call, expected) in table {
            assert_eq!(line(syntax, text, call), expected, "{call} in {text}");
        }
    }
}
