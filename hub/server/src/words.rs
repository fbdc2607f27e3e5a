//! What the hub says to people, in the language of who asks: texts by key from `assets/locales/*/hub.ftl`.
//!
//! Whoever serves a request or a socket does it in [`Language::speaking`]; deep below, [`say`] then knows the language
//! without being handed it. Outside, as on the command line, it is English.

use std::fmt::Display;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

tokio::task_local! {
    static SPOKEN: Language;
}

/// The name of an argument and what stands for it.
pub type Arg<'a> = (&'a str, &'a (dyn Display + Sync));

/// A language that the hub speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, where nothing else is asked for.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The language that a text such as `zh-CN,zh;q=0.9,en;q=0.8` likes best of those that the hub speaks.
    pub fn wanted(accepted: &str) -> Self {
        let one = |part: &str| {
            let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
            let tag = tag.trim().to_ascii_lowercase();
            let language = match tag.split('-').next()? {
                "zh" => Self::Chinese,
                "en" => Self::English,
                _ => return None,
            };
            (weight > 0.0).then_some((language, weight))
        };
        let mut best = (Self::default(), 0.0);
        for found in accepted.split(',').filter_map(one) {
            // Of equals the first.
            if found.1 > best.1 {
                best = found;
            }
        }
        best.0
    }

    /// The language that a request asks for.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.map_or_else(Self::default, Self::wanted)
    }

    /// The language that is spoken here.
    pub fn spoken() -> Self {
        SPOKEN.try_with(|language| *language).unwrap_or_default()
    }

    /// The text of a key with its arguments.
    pub fn say(self, key: &str, args: &[Arg<'_>]) -> String {
        static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| Language::English.texts());
        static CHINESE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| Language::Chinese.texts());
        let bundle = match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut all = FluentArgs::new();
        for (name, value) in args {
            all.set(*name, value.to_string());
        }
        bundle.format_pattern(pattern, Some(&all), &mut Vec::new()).into_owned()
    }

    /// Does something in this language.
    pub async fn speaking<F: Future>(self, work: F) -> F::Output {
        SPOKEN.scope(self, work).await
    }

    /// Does something in this language, outside of any task.
    pub fn speaking_here<T>(self, work: impl FnOnce() -> T) -> T {
        SPOKEN.sync_scope(self, work)
    }

    fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../../assets/locales/en/hub.ftl"),
            Self::Chinese => include_str!("../../../assets/locales/zh-CN/hub.ftl"),
        }
    }

    fn texts(self) -> FluentBundle<FluentResource> {
        let resource = match FluentResource::try_new(self.source().to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let tag = match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        };
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // Marks of direction around arguments would be part of an answer that programs read too.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        bundle
    }
}

/// The text of a key with its arguments, in the language that is spoken here.
pub fn say(key: &str, args: &[Arg<'_>]) -> String {
    Language::spoken().say(key, args)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Keys with the names of their arguments.
    fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        assert!(FluentResource::try_new(language.source().to_owned()).is_ok(), "{language:?} is not Fluent");
        let lines = language.source().lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
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
        assert_eq!(keys(Language::English), keys(Language::Chinese));
    }

    /// All of the crate but this file.
    fn source(dir: &str) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all += &source(path.to_str().unwrap());
            } else if !path.ends_with("words.rs") {
                all += &std::fs::read_to_string(path).unwrap();
            }
        }
        all
    }

    #[test]
    fn every_key_is_used_and_every_used_key_has_a_text_with_a_code_in_front() {
        let keys = keys(Language::English);
        let source = source(&format!("{}/src", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
        for rest in source.split("say(\"").skip(1) {
            let key = rest.split('"').next().unwrap();
            assert!(keys.contains_key(key), "{key} has no text");
        }
        let described = crate::openapi_json();
        let described: serde_json::Value = serde_json::from_str(&described).unwrap();
        let codes = |name: &str| -> Vec<String> {
            let of = &described["components"]["schemas"][name];
            let listed = of["oneOf"].as_array().or_else(|| of["enum"].as_array());
            let name =
                |v: &serde_json::Value| v.as_str().or_else(|| v["enum"][0].as_str()).map(str::to_owned);
            listed.unwrap().iter().filter_map(name).collect()
        };
        let codes: Vec<String> = [codes("ErrorCode"), codes("RejectReason")].concat();
        assert!(codes.len() > 20, "{codes:?}");
        for key in keys.keys() {
            assert!(source.contains(&format!("\"{key}\"")), "nothing says {key}");
            let begins = |code: &String| key == code || key.starts_with(&format!("{code}-"));
            assert!(codes.iter().any(begins), "{key} begins with no code");
        }
    }

    #[test]
    fn the_language_that_is_liked_best_is_spoken() {
        use Language::{Chinese, English};
        for (accepted, language) in [
            ("", English),
            ("zh-CN", Chinese),
            ("zh", Chinese),
            ("en-GB,zh;q=0.9", English),
            ("en;q=0.5, zh-CN;q=0.8", Chinese),
            ("fr, zh;q=0.1", Chinese),
            ("zh;q=0, en", English),
            ("zh;q=x", English),
            ("fr", English),
            ("*", English),
        ] {
            assert_eq!(Language::wanted(accepted), language, "{accepted}");
        }
    }

    #[tokio::test]
    async fn what_is_said_is_said_in_the_language_of_who_asks() {
        assert_eq!(say("too-many", &[("seconds", &3)]), "too many; wait 3 s");
        let chinese = Language::Chinese.speaking(async { say("too-many", &[("seconds", &3)]) }).await;
        assert_eq!(chinese, "次数过多；请等待 3 秒");
    }
}
