//! Stable names: entity and point paths, and the dense number a point is interned to.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The dense index of a point in its campus. Valid only within one loaded [`crate::Campus`];
/// what is stored or sent between programs uses the point's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PointId(pub u32);

impl PointId {
    /// The index into arrays kept by point.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A path of an entity or a point: segments of lower-case ASCII letters, digits and `-`,
/// joined by `/`, such as `teaching-a/2f/201/co2`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Path(Arc<str>);

/// Why a text is not a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a path: segments of lower-case letters a-z, digits and '-', joined by '/', at most 200 bytes"
)]
pub struct PathError {
    /// The offending text.
    pub text: String,
}

impl Path {
    /// The longest path in bytes; MQTT topics, file names and panels have to fit it.
    pub const MAX_LEN: usize = 200;

    /// Checks `text` and takes it as a path.
    pub fn new(text: impl AsRef<str>) -> Result<Self, PathError> {
        let text = text.as_ref();
        let ok = !text.is_empty()
            && text.len() <= Self::MAX_LEN
            && text
                .split('/')
                .all(|s| !s.is_empty() && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
        if ok { Ok(Self(text.into())) } else { Err(PathError { text: text.to_owned() }) }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path one level up, if there is one.
    pub fn parent(&self) -> Option<Path> {
        self.0.rfind('/').map(|i| Self(self.0[..i].into()))
    }

    /// The last segment.
    pub fn leaf(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// This path with one or more segments appended.
    pub fn join(&self, tail: &str) -> Result<Path, PathError> {
        Path::new(format!("{}/{tail}", self.0))
    }

    /// Whether this path is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &Path) -> bool {
        self.0.strip_prefix(&*ancestor.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

impl std::borrow::Borrow<str> for Path {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Path::new(text)
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Path::new(text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> String {
        path.0.as_ref().to_owned()
    }
}

/// A display text in both languages of the product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// English.
    pub en: String,
}

impl Names {
    /// A pair of names.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The name in the language of a BCP 47 tag: Chinese for `zh*`, else English.
    pub fn get(&self, lang: &str) -> &str {
        if lang.starts_with("zh") { &self.zh } else { &self.en }
    }
}
