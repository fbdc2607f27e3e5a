//! What a person has arranged and wants to find again: kept on their machine, never on the hub.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::locale::Language;
use crate::place::Dock;

/// A view that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// What it is called.
    pub name: String,
    /// The view, as in a link.
    pub address: String,
}

/// How a pinned point is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// Its value with the last day behind it.
    #[default]
    Number,
    /// Its value in its range.
    Gauge,
    /// The last day as a chart.
    Chart,
}

/// A point on the strip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The point's path.
    pub point: String,
    /// How it is shown.
    #[serde(default)]
    pub face: Face,
}

/// What is of one campus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Own {
    /// Views that were saved, in their order.
    pub views: Vec<SavedView>,
    /// Points on the strip, in their order.
    pub pins: Vec<Pin>,
}

/// All that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    /// The language; `None`: the system's.
    pub language: Option<String>,
    /// How large text is; 1 is usual.
    pub text_scale: f32,
    /// Whether panels are dark.
    pub is_dark: bool,
    /// Work places and panes.
    pub dock: Dock,
    /// By the id of the campus what is its.
    pub campuses: BTreeMap<String, Own>,
}

impl Default for Prefs {
    fn default() -> Self {
        Self {
            language: None,
            text_scale: 1.0,
            is_dark: false,
            dock: Dock::default(),
            campuses: BTreeMap::new(),
        }
    }
}

/// The smallest and largest text.
pub const TEXT_SCALES: [f32; 2] = [0.8, 2.0];
/// As many views and pins are kept of a campus.
pub const MOST_VIEWS: usize = 60;
/// As many points stand on the strip.
pub const MOST_PINS: usize = 12;
/// A larger text is not what this wrote.
const LARGEST: usize = 1 << 20;

impl Prefs {
    /// Reads what was kept; what can't be read is as if nothing had been.
    pub fn read(text: &str) -> Self {
        if text.len() > LARGEST {
            return Self::default();
        }
        let mut prefs: Self = serde_json::from_str(text).unwrap_or_default();
        if !prefs.text_scale.is_finite() {
            prefs.text_scale = 1.0;
        }
        prefs.text_scale = prefs.text_scale.clamp(TEXT_SCALES[0], TEXT_SCALES[1]);
        for own in prefs.campuses.values_mut() {
            own.views.truncate(MOST_VIEWS);
            own.pins.truncate(MOST_PINS);
        }
        prefs
    }

    /// The language, where one was chosen.
    pub fn language(&self) -> Option<Language> {
        self.language.as_deref().map(Language::from_tag)
    }
}

/// Where it is kept.
pub trait Store: Send + Sync + 'static {
    /// What was kept, if anything was.
    fn load(&self) -> Option<String>;
    /// Keeps it.
    ///
    /// # Errors
    /// Why it can't be kept, for people.
    fn save(&self, text: &str) -> Result<(), String>;
}

/// Nowhere: for pictures and tests.
#[cfg_attr(target_arch = "wasm32", allow(dead_code))]
pub struct Nowhere;

impl Store for Nowhere {
    fn load(&self) -> Option<String> {
        None
    }
    fn save(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// In a file of the person's own.
#[cfg(not(target_arch = "wasm32"))]
pub struct InFile(std::path::PathBuf);

#[cfg(not(target_arch = "wasm32"))]
impl InFile {
    /// The usual file: `campanile/twin.json` where the system keeps settings. `None` where there is no such place.
    pub fn usual() -> Option<Self> {
        let of = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from)
        };
        let folder = if cfg!(windows) {
            of("APPDATA")?
        } else if cfg!(target_os = "macos") {
            of("HOME")?.join("Library/Application Support")
        } else {
            of("XDG_CONFIG_HOME").or_else(|| Some(of("HOME")?.join(".config")))?
        };
        Some(Self(folder.join("campanile/twin.json")))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Store for InFile {
    fn load(&self) -> Option<String> {
        std::fs::read_to_string(&self.0).ok()
    }

    fn save(&self, text: &str) -> Result<(), String> {
        let say = |why: std::io::Error| format!("{}: {why}", self.0.display());
        if let Some(folder) = self.0.parent() {
            std::fs::create_dir_all(folder).map_err(say)?;
        }
        // Two steps, so that a cut of power leaves the old or the new.
        let draft = self.0.with_extension("draft");
        std::fs::write(&draft, text).map_err(say)?;
        std::fs::rename(&draft, &self.0).map_err(say)
    }
}

/// In the browser's own store of this page.
#[cfg(target_arch = "wasm32")]
pub struct InPage;

#[cfg(target_arch = "wasm32")]
const KEY: &str = "campanile-twin";

#[cfg(target_arch = "wasm32")]
fn page_store() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

#[cfg(target_arch = "wasm32")]
impl Store for InPage {
    fn load(&self) -> Option<String> {
        page_store()?.get_item(KEY).ok().flatten()
    }

    fn save(&self, text: &str) -> Result<(), String> {
        let store = page_store().ok_or("the browser keeps nothing for this page")?;
        store.set_item(KEY, text).map_err(|_| "the browser's store is full".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Pane, WorkPlace};

    #[test]
    fn what_was_arranged_is_found_again() {
        let folder = std::env::temp_dir().join(format!("campanile-prefs-{}", std::process::id()));
        let store = InFile(folder.join("campanile/twin.json"));
        assert_eq!(store.load(), None);
        let mut prefs = Prefs { text_scale: 1.25, language: Some("zh-CN".into()), ..Prefs::default() };
        prefs.dock = Dock::at(WorkPlace::Build);
        prefs.dock.open(Pane::Charts);
        let own = prefs.campuses.entry("tinglan".into()).or_default();
        own.pins.push(Pin { point: "a/1f/101/co2".into(), face: Face::Gauge });
        own.views.push(SavedView { name: "门口".into(), address: "at=site/gate".into() });
        store.save(&serde_json::to_string(&prefs).unwrap()).unwrap();
        let read = Prefs::read(&store.load().unwrap());
        assert_eq!(read.dock.seen(), [Pane::Charts]);
        assert_eq!((read.text_scale, read.campuses), (prefs.text_scale, prefs.campuses));
        assert!(store.save("{}").is_ok() && !folder.join("campanile/twin.draft").exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_broken_is_as_if_nothing_had_been_kept() {
        for text in ["", "{", "[]", "{\"dock\": 7}", &"x".repeat(LARGEST + 1)] {
            assert_eq!(Prefs::read(text), Prefs::default());
        }
        let far = Prefs::read("{\"text_scale\": 1e9, \"newer\": true}");
        assert_eq!(far.text_scale, TEXT_SCALES[1]);
        let many =
            serde_json::json!({"campuses": {"a": {"pins": vec![serde_json::json!({"point": "p"}); 99]}}});
        assert_eq!(Prefs::read(&many.to_string()).campuses["a"].pins.len(), MOST_PINS);
    }
}
