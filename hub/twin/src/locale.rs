//! Every visible string, in both languages.

use campanile_protocol::Names;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// All, in the order of the switch.
    pub const ALL: [Language; 2] = [Language::Chinese, Language::English];

    /// From a BCP 47 tag: Chinese for `zh*`, else English.
    pub fn from_tag(tag: &str) -> Self {
        if tag.starts_with("zh") { Self::Chinese } else { Self::English }
    }

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// What it calls itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::Chinese => "中文",
            Self::English => "English",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Chinese => include_str!("../../../assets/locales/zh-CN/twin.ftl"),
            Self::English => include_str!("../../../assets/locales/en/twin.ftl"),
        }
    }
}

/// The strings of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// Reads the locale file of a language. Lines that are not Fluent are left out; a test sees to
    /// it that there are none.
    pub fn new(language: Language) -> Self {
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let tag = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Marks of direction around arguments would show as boxes: both languages run left to right.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { language, bundle }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// A name in this language; the other one where it has none.
    pub fn name<'a>(&self, names: &'a Names) -> &'a str {
        let name = names.get(self.language.tag());
        if !name.is_empty() {
            name
        } else if names.en.is_empty() {
            &names.zh
        } else {
            &names.en
        }
    }

    /// The text of a key, or the key itself.
    pub fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// The text of a key with its arguments, or the key itself.
    pub fn with(&self, key: &str, args: &[(&str, &str)]) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|m| m.value()) else {
            return key.to_owned();
        };
        let mut fluent_args = FluentArgs::new();
        for (name, value) in args {
            fluent_args.set(*name, FluentValue::from(*value));
        }
        self.bundle.format_pattern(pattern, Some(&fluent_args), &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Keys with the names of their arguments.
    fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        assert!(FluentResource::try_new(language.source().to_owned()).is_ok(), "{language:?} is not Fluent");
        let mut keys = BTreeMap::new();
        for line in language.source().lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, text) = line.split_once(" = ").unwrap();
            let args = text.split("{ $").skip(1).map(|s| s.split(' ').next().unwrap().to_owned());
            assert!(keys.insert(key.to_owned(), args.collect()).is_none(), "{key} stands twice");
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_arguments() {
        assert_eq!(keys(Language::Chinese), keys(Language::English));
    }

    /// The twin's source, each file with its path.
    pub(crate) fn source_files() -> Vec<(std::path::PathBuf, String)> {
        let mut folders =
            vec![std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("src")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), std::fs::read_to_string(path).unwrap()));
                }
            }
        }
        files
    }

    #[test]
    fn every_key_in_the_source_exists_and_every_key_is_used() {
        let keys = keys(Language::English);
        let files = source_files();
        let source: String = files
            .iter()
            .filter(|(path, _)| !path.ends_with("locale.rs"))
            .map(|(_, text)| text.as_str())
            .collect();
        for marker in [".t(\"", ".with(\""] {
            for rest in source.split(marker).skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(keys.contains_key(key), "the source uses the key {key}, the locale files lack it");
            }
        }
        for key in keys.keys() {
            assert!(source.contains(&format!("\"{key}\"")), "nothing uses the key {key}");
        }
    }

    #[test]
    fn arguments_are_put_in() {
        let texts = Texts::new(Language::Chinese);
        assert_eq!(texts.with("age-seconds", &[("n", "12")]), "12 秒前");
        assert_eq!(texts.t("no-such-key"), "no-such-key");
        assert_eq!(texts.name(&Names::new("", "Gate")), "Gate");
    }
}
