//! A plugin to begin from: the same small one in each language, with all of the SDK that it needs.

use std::{fmt, str::FromStr};

use crate::{Language, sdk};

/// The world of the contract that a plugin is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Automation.
    Rule,
    /// Eco-education.
    Activity,
    /// The director of a drill.
    Drill,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rule, Self::Activity, Self::Drill];

    /// As manifests name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Activity => "activity",
            Self::Drill => "drill",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("there is no kind '{name}'; use rule, activity or drill"))
    }
}

/// What a new plugin is called.
#[derive(Clone, Copy, Debug)]
pub struct Project<'a> {
    /// Its id: lower-case letters, digits and `-`, beginning with a letter.
    pub id: &'a str,
    /// Its name in Simplified Chinese.
    pub zh: &'a str,
    /// Its name in English.
    pub en: &'a str,
    /// What it is for.
    pub kind: Kind,
}

/// A file of a template: its name, its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($kind:literal: $($name:literal),+) => {
        &[$(($name, include_str!(concat!("../../templates/", $kind, "/", $name)))),+]
    };
}

/// What all languages of a kind share.
fn shared(kind: Kind) -> &'static [File] {
    match kind {
        Kind::Rule => files!("rule": "plugin.toml", "tests/first.toml", "tests/acts.toml"),
        Kind::Activity => files!("activity": "plugin.toml", "tests/first.toml"),
        Kind::Drill => files!("drill": "plugin.toml", "tests/first.toml"),
    }
}

fn own(kind: Kind, language: Language) -> &'static [File] {
    use Language::{C, JavaScript, Python, Rhai, Rust};
    match (kind, language) {
        (Kind::Rule, Rust) => files!("rule": "rust/Cargo.toml", "rust/src/lib.rs"),
        (Kind::Rule, C) => files!("rule": "c/plugin.c"),
        (Kind::Rule, Python) => files!("rule": "python/app.py"),
        (Kind::Rule, JavaScript) => files!("rule": "js/index.js"),
        (Kind::Rule, Rhai) => files!("rule": "rhai/main.rhai"),
        (Kind::Activity, Rust) => files!("activity": "rust/Cargo.toml", "rust/src/lib.rs"),
        (Kind::Activity, C) => files!("activity": "c/plugin.c"),
        (Kind::Activity, Python) => files!("activity": "python/app.py"),
        (Kind::Activity, JavaScript) => files!("activity": "js/index.js"),
        (Kind::Activity, Rhai) => files!("activity": "rhai/main.rhai"),
        (Kind::Drill, Rust) => files!("drill": "rust/Cargo.toml", "rust/src/lib.rs"),
        (Kind::Drill, C) => files!("drill": "c/plugin.c"),
        (Kind::Drill, Python) => files!("drill": "python/app.py"),
        (Kind::Drill, JavaScript) => files!("drill": "js/index.js"),
        (Kind::Drill, Rhai) => files!("drill": "rhai/main.rhai"),
    }
}

/// What of the manifest is the language's: where the script is, and what an interpreter needs to live.
fn manifest(text: &str, language: Language) -> String {
    match language {
        Language::Rust | Language::C => text.to_owned(),
        Language::Rhai => {
            let script = "# What the hub's interpreter runs.\n[script]\ninterpreter = \"rhai\"\nfile = \"main.rhai\"\n\n";
            text.replacen("# When it is called.", &format!("{script}# When it is called."), 1)
        }
        Language::Python | Language::JavaScript => text.replacen(
            "[limits]\n",
            "[limits]\n# The interpreter is inside, and needs its room.\nmemory_mib = 64\ncall_ms = 500\ncall_fuel_m = 2000\n",
            1,
        ),
    }
}

/// What is said of a language in the README.
fn source(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Rust => (
            "src/lib.rs",
            "Rust is built for `wasm32-unknown-unknown` (`rustup target add wasm32-unknown-unknown`). A crate that brings \
             WASI or wasm-bindgen in is refused with its name.",
        ),
        Language::C => (
            "plugin.c",
            "C is compiled by clang and linked by wasm-ld, without a C library; what is generated lies in `target/c`, where \
             editors find the headers.",
        ),
        Language::Python => (
            "app.py",
            "Python is built by componentize-py, which is fetched when it is needed first. Modules are imported at the top \
             of a file: later they can't be found. `print` writes into the log.",
        ),
        Language::JavaScript => (
            "index.js",
            "JavaScript is built by componentize-js, which is fetched when it is needed first (Node.js 20 or newer). \
             `console.log` writes into the log.",
        ),
        Language::Rhai => (
            "main.rhai",
            "A script needs no building: the hub runs it by its interpreter. Functions see the script's constants, their own \
             variables and `this`, a map that lives as long as the instance.",
        ),
    }
}

/// Folders of the SDK that a project in a language is built with.
fn folders(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &["rust", "wit"],
        Language::C => &["c", "wit"],
        Language::Python => &["python", "wit"],
        Language::JavaScript => &["js", "wit"],
        Language::Rhai => &["wit"],
    }
}

/// The files of a new plugin: paths (with `/`) and contents. It builds as it is, wherever it lies.
///
/// ```
/// use campanile_plugin_build::{Kind, Language, Project, template};
///
/// let project = Project { id: "fresh-air", zh: "新鲜空气", en: "Fresh air", kind: Kind::Rule };
/// let files = template(Language::Rhai, &project);
/// let (_, manifest) = files.iter().find(|(path, _)| path == "plugin.toml").unwrap();
/// assert!(String::from_utf8_lossy(manifest).contains("id = \"fresh-air\""));
/// ```
pub fn template(language: Language, project: &Project<'_>) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (name, text) in shared(project.kind).iter().chain(own(project.kind, language)) {
        let name = name.strip_prefix(&format!("{language}/")).unwrap_or(name);
        let text = if name == "plugin.toml" { manifest(text, language) } else { (*text).to_owned() };
        files.push((name.to_owned(), named(&text, project).into_bytes()));
    }
    files.push(("README.md".to_owned(), readme(language, project).into_bytes()));
    files.push((".gitignore".to_owned(), b"target\n*.cpk\n".to_vec()));
    for (path, bytes) in sdk::files(folders(language)) {
        files.push((path.to_owned(), bytes.to_vec()));
    }
    files
}

fn named(text: &str, project: &Project<'_>) -> String {
    let quoted = |name: &str| name.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace("PLUGIN_ID", project.id)
        .replace("PLUGIN_ZH", &quoted(project.zh))
        .replace("PLUGIN_EN", &quoted(project.en))
}

fn readme(language: Language, project: &Project<'_>) -> String {
    let (file, said) = source(language);
    let Project { id, en, kind, .. } = project;
    let (sdk, build) = match language {
        Language::Rhai => ("`sdk/wit` the contract by which it calls the hub", ""),
        _ => (
            "`sdk/` the part of Campanile's SDK that it is built with, its contract in `sdk/wit`",
            "    campanile plugin build\n",
        ),
    };
    format!(
        "# {en}

A plugin for Campanile, of the kind `{kind}`. `{file}` is what it does, `plugin.toml` what it may see and do, `tests/` what is
expected of it, {sdk}.

{build}    campanile plugin check
    campanile plugin test
    campanile plugin pack      # {id}-0.1.0.cpk, to be signed and installed

There are no files, sockets, clocks or random numbers but those of the contract. {said}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_whole_and_named() {
        for language in Language::ALL {
            for kind in Kind::ALL {
                let project = Project { id: "fresh-air", zh: "新鲜\"空气\"", en: "Fresh \"air\"", kind };
                let files = template(language, &project);
                let dir = tempfile::tempdir().unwrap();
                for (path, bytes) in &files {
                    crate::write(&dir.path().join(path), bytes).unwrap();
                    let text = String::from_utf8_lossy(bytes);
                    for name in ["PLUGIN_ID", "PLUGIN_ZH", "PLUGIN_EN"] {
                        assert!(!text.contains(name), "{language}, {kind}: {path} has {name} not filled in");
                    }
                }
                assert_eq!(Language::of(dir.path()).unwrap(), language);
                crate::outside::refuse(language, dir.path()).unwrap();
                let manifest: toml::Table =
                    toml::from_str(&std::fs::read_to_string(dir.path().join("plugin.toml")).unwrap())
                        .unwrap();
                assert_eq!(manifest["id"].as_str(), Some("fresh-air"));
                assert_eq!(manifest["zh-CN"].as_str(), Some("新鲜\"空气\""));
                assert_eq!(manifest["kind"].as_str(), Some(kind.name()));
                assert_eq!(manifest.contains_key("script"), language == Language::Rhai);
                let needs_room = matches!(language, Language::Python | Language::JavaScript);
                let limits = manifest["limits"].as_table().unwrap();
                assert_eq!(limits.contains_key("memory_mib"), needs_room);
            }
        }
    }
}
