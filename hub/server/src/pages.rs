//! What the hub serves to browsers beside its API: the twin as a page, where it was built, and a page without pictures for
//! browsers that can't draw it.
//!
//! Files are read once, at the start, and found by their whole path: there is no way out of the folder. A page says nothing
//! of the campus; what it asks for, it asks of the API, as whoever has signed in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// The most files of a folder, and their bytes together.
const MOST_FILES: usize = 64;
const MOST_BYTES: u64 = 128 << 20;

/// What a page may do: its own scripts, styles, pictures and requests, WebAssembly, and nothing of elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const PLAIN: [(&str, &[u8]); 4] = [
    ("plain", include_bytes!("../pages/plain.html")),
    ("plain.css", include_bytes!("../pages/plain.css")),
    ("plain.js", include_bytes!("../pages/plain.js")),
    ("icon.svg", include_bytes!("../pages/icon.svg")),
];

/// What a browser is told that a file is, by its ending; others are not served.
fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        _ => return None,
    })
}

/// A file, as it is and compressed.
struct File {
    content_type: &'static str,
    whole: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    tag: HeaderValue,
    /// Whether its name changes with what is in it.
    forever: bool,
}

impl File {
    fn new(name: &str, content_type: &'static str, whole: Bytes) -> Self {
        let hash = blake3::hash(&whole).to_hex();
        let tag = format!("\"{}\"", &hash[..32]);
        Self {
            content_type,
            brotli: None,
            gzip: None,
            // Letters and digits always go into a header.
            tag: HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            forever: is_named_by_content(name),
            whole,
        }
    }
}

/// Whether a name has a hash in it: `twin-0123456789abcdef.wasm`.
fn is_named_by_content(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    stem.rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() >= 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// All files, by path.
pub struct Pages {
    files: BTreeMap<String, File>,
}

impl Pages {
    /// The page without pictures, and the twin where a folder has it.
    pub fn of(folder: Option<&Path>) -> Self {
        let mut files = BTreeMap::new();
        for (name, bytes) in PLAIN {
            let kind = content_type(name).unwrap_or("text/html; charset=utf-8");
            files.insert(format!("/{name}"), File::new(name, kind, Bytes::from_static(bytes)));
        }
        if let Some(folder) = folder {
            match read(folder) {
                Ok(found) => files.extend(found),
                // The hub has other work, and its page without pictures.
                Err(why) => {
                    tracing::warn!(folder = %folder.display(), %why, "the twin is not served to browsers")
                }
            }
        }
        let first = files.remove("/index.html");
        let plain = || File::new("", "text/html; charset=utf-8", Bytes::from_static(PLAIN[0].1));
        files.insert("/".to_owned(), first.unwrap_or_else(plain));
        Self { files }
    }

    /// Whether there is a page or a part of one at a path.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }
}

/// The files of a folder, without what lies deeper.
fn read(folder: &Path) -> std::io::Result<BTreeMap<String, File>> {
    let mut found = BTreeMap::new();
    let mut bytes = 0;
    let mut compressed = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        // A link could lead anywhere, and what is hidden is meant for nobody.
        if !plain || name.starts_with('.') || !entry.file_type()?.is_file() {
            continue;
        }
        bytes += entry.metadata()?.len();
        if found.len() + compressed.len() >= MOST_FILES || bytes > MOST_BYTES {
            let why = format!("more than {MOST_FILES} files or {MOST_BYTES} bytes");
            return Err(std::io::Error::other(why));
        }
        if let Some(of) = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz")) {
            compressed.push((format!("/{of}"), name.ends_with(".br"), entry.path()));
        } else if let Some(kind) = content_type(&name) {
            found.insert(format!("/{name}"), File::new(&name, kind, std::fs::read(entry.path())?.into()));
        }
    }
    for (of, is_brotli, path) in compressed {
        if let Some(file) = found.get_mut(&of) {
            let bytes = Some(Bytes::from(std::fs::read(path)?));
            if is_brotli { file.brotli = bytes } else { file.gzip = bytes }
        }
    }
    Ok(found)
}

/// Where the twin for browsers lies: the first that is there of `$CAMPANILE_WEB`, `web` beside the program or beside its
/// folder, and `/usr/lib/campanile/web`.
pub fn shipped_dir() -> Option<PathBuf> {
    let asked = std::env::var_os("CAMPANILE_WEB").map(PathBuf::from);
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(PathBuf::from));
    let near = beside.into_iter().flat_map(|dir| [dir.join("web"), dir.join("../web")]);
    let system = PathBuf::from("/usr/lib/campanile/web");
    asked.into_iter().chain(near).chain([system]).find(|dir| dir.join("index.html").is_file())
}

/// Whether a browser takes an encoding.
pub fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let said = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        named && !parts.any(refused)
    })
}

/// A page or a part of one.
pub async fn page(Extension(pages): Extension<Arc<Pages>>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(file) = pages.files.get(uri.path()) else {
        return crate::api::no_such_path(uri).await.into_response();
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let tag = file.tag.to_str().unwrap_or_default();
    let is_known =
        known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let encodings = [("br", &file.brotli), ("gzip", &file.gzip)];
    let chosen = encodings.into_iter().find_map(|(name, bytes)| {
        bytes.as_ref().filter(|_| takes(&headers, name)).map(|bytes| (name, bytes))
    });
    let mut answer = match (is_known, chosen) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, Some((name, bytes))) => {
            let mut answer = Body::from(bytes.clone()).into_response();
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            answer
        }
        (false, None) => Body::from(file.whole.clone()).into_response(),
    };
    let cache = if file.forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let said = answer.headers_mut();
    said.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    said.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    said.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    said.insert(header::ETAG, file.tag.clone());
    said.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_are_kept() {
        for (name, kept) in [
            ("twin-0123456789abcdef.wasm", true),
            ("twin-0123456789abcdef.wasm.br", true),
            ("twin.wasm", false),
            ("index.html", false),
            ("a-b.js", false),
            ("twin-0123456789abcdeg.js", false),
        ] {
            assert_eq!(is_named_by_content(name), kept, "{name}");
        }
    }

    #[test]
    fn an_encoding_is_taken_where_it_is_said() {
        for (said, br) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("br;q=0", false),
            ("gzip", false),
            ("", false),
            ("brotli", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(said));
            assert_eq!(takes(&headers, "br"), br, "{said}");
        }
    }

    /// Both languages have a text for each key, and each state, quality and priority has one.
    #[test]
    fn the_plain_page_has_all_words_in_both_languages() {
        let script = std::str::from_utf8(PLAIN[2].1).unwrap();
        let words = script.split("const T = {").nth(1).unwrap().split("};").next().unwrap();
        let mut keys = std::collections::BTreeSet::new();
        for line in words.lines().filter(|line| line.contains(':')) {
            let (key, texts) = line.split_once(": [").unwrap();
            let texts: Vec<&str> = texts.split("\", \"").collect();
            assert!(texts.len() == 2 && texts.iter().all(|text| text.len() > 2), "{line}");
            keys.insert(key.trim().trim_matches('"'));
        }
        let html = std::str::from_utf8(PLAIN[0].1).unwrap();
        // Calls of `t`, not of what ends with it.
        let calls =
            script.match_indices("t(\"").filter(|(i, _)| !script[..*i].ends_with(char::is_alphanumeric));
        let used = calls.map(|(i, _)| &script[i + 3..]).chain(html.split("data-t=\"").skip(1));
        let states = ["unacknowledged", "acknowledged", "returned-unacknowledged", "shelved", "suppressed"];
        let others =
            ["out-of-service", "normal", "critical", "high", "medium", "low", "uncertain", "bad", "stale"];
        for key in used.map(|rest| rest.split('"').next().unwrap()).chain(states).chain(others) {
            assert!(keys.contains(key), "'{key}' has no words");
        }
        // What is not markup can't become any.
        assert!(!script.contains("innerHTML") && !script.contains("insertAdjacentHTML"));
    }
}
