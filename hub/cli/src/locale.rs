//! The command's texts in both languages: those of `doctor` and of `plugin`.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

/// The texts of one language.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
    tag: &'static str,
}

fn source(chinese: bool) -> &'static str {
    if chinese {
        include_str!("../../../assets/locales/zh-CN/cli.ftl")
    } else {
        include_str!("../../../assets/locales/en/cli.ftl")
    }
}

fn plugin_source(chinese: bool) -> &'static str {
    if chinese {
        include_str!("../../../assets/locales/zh-CN/plugin.ftl")
    } else {
        include_str!("../../../assets/locales/en/plugin.ftl")
    }
}

impl Texts {
    /// The texts of `doctor` in `zh-CN`, `en`, or the language of the session with `auto`.
    pub fn new(lang: &str) -> Self {
        Self::of(lang, source)
    }

    /// The texts of `plugin`, likewise.
    pub fn plugin(lang: &str) -> Self {
        Self::of(lang, plugin_source)
    }

    fn of(lang: &str, source: fn(bool) -> &'static str) -> Self {
        let session = || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok());
        let chinese = match lang {
            "auto" => session().is_some_and(|tag| tag.starts_with("zh")),
            tag => tag.starts_with("zh"),
        };
        let resource = match FluentResource::try_new(source(chinese).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let tag = if chinese { "zh-CN" } else { "en" };
        let mut bundle = FluentBundle::new(vec![tag.parse().unwrap_or_default()]);
        // Marks of direction around arguments would show in a terminal: both languages run left to right.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { bundle, tag }
    }

    /// The language, `zh-CN` or `en`.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// The text of a key with its arguments, if there is one.
    pub fn find(&self, key: &str, args: &[(&str, String)]) -> Option<String> {
        let pattern = self.bundle.get_message(key).and_then(|message| message.value())?;
        let mut all = FluentArgs::new();
        for (name, value) in args {
            all.set(*name, value.as_str());
        }
        Some(self.bundle.format_pattern(pattern, Some(&all), &mut Vec::new()).into_owned())
    }

    /// The text of a key with its arguments, or the key itself.
    pub fn with(&self, key: &str, args: &[(&str, String)]) -> String {
        self.find(key, args).unwrap_or_else(|| key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        assert!(FluentResource::try_new(source.to_owned()).is_ok());
        let lines = source.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut keys = BTreeMap::new();
        for line in lines {
            let (key, text) = line.split_once(" = ").unwrap();
            let args = text.split("{ $").skip(1).map(|rest| rest.split(' ').next().unwrap().to_owned());
            assert!(keys.insert(key.to_owned(), args.collect()).is_none(), "{key} stands twice");
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_arguments() {
        assert_eq!(keys(source(true)), keys(source(false)));
        assert_eq!(keys(plugin_source(true)), keys(plugin_source(false)));
    }

    /// Every text that `plugin` says is there, and none is left over.
    #[test]
    fn every_text_of_plugin_is_there() {
        let sources = [
            include_str!("plugin/mod.rs"),
            include_str!("plugin/bench.rs"),
            include_str!("plugin/check.rs"),
            include_str!("plugin/hub.rs"),
            include_str!("plugin/make.rs"),
            include_str!("plugin/package.rs"),
            include_str!("plugin/test.rs"),
        ];
        let keys = keys(plugin_source(false));
        let is_said = |key: &&String| sources.iter().any(|source| source.contains(&format!("\"{key}\"")));
        let left_over: Vec<&String> = keys.keys().filter(|key| !is_said(key)).collect();
        assert_eq!(left_over, Vec::<&String>::new(), "nobody says these");
        for source in sources {
            for call in source.split(".say(\"").skip(1) {
                let key = call.split('"').next().unwrap();
                assert!(keys.contains_key(key), "{key} has no text");
            }
        }
    }

    /// Every finding has its text; a finding that isn't good has its mend; and no text is left over.
    #[test]
    fn every_finding_has_its_text_and_its_mend() {
        let keys = keys(source(false));
        let source = include_str!("doctor.rs");
        let mut used = BTreeSet::new();
        for (call, mend) in [(".ok(\"", false), (".warn(\"", true), (".bad(\"", true), (".with(\"", false)] {
            for rest in source.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                used.insert(key.to_owned());
                assert!(keys.contains_key(key), "{key} has no text");
                if mend {
                    assert!(keys.contains_key(&format!("{key}-mend")), "{key} has no mend");
                    used.insert(format!("{key}-mend"));
                }
            }
        }
        for check in source.split(".begin(\"").skip(1) {
            used.insert(format!("check-{}", check.split('"').next().unwrap()));
        }
        assert!(used.len() > 40, "{used:?}");
        assert_eq!(used, keys.keys().cloned().collect());
    }
}
