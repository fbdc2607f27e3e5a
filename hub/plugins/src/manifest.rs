//! `plugin.toml`: what a plugin is and what it asks for. Nothing is granted that does not stand here, and nothing of it
//! before a person has approved it.

use std::path::Path as FsPath;

use campanile_model::{Findings, Glob, Names, Problems, did_you_mean, read_toml_checked};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the manifest in a package or a plugin's folder.
pub const MANIFEST_FILE: &str = "plugin.toml";
/// The contract that this program speaks.
pub const API: &str = "0.1.0";
/// The setting that has the text of a script, for its interpreter.
pub const SCRIPT: &str = "script";
/// The setting that has the name of its file.
pub const SCRIPT_FILE: &str = "script-file";
/// The alarm that the host raises of a plugin that has failed.
pub const FAILED_ALARM: &str = "hub-failed";
/// The most that a plugin may ask of the store, KiB.
const MAX_STORE_KIB: u32 = 16 * 1024;
/// The most memory that an instance may have, MiB.
const MAX_MEMORY_MIB: u32 = 256;

/// A whole `plugin.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `campanile-plugin/1`.
    pub format: String,
    /// The id: lower-case letters, digits and `-`, at most 40.
    pub id: String,
    /// The version, semantic: `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// The version of the contract that it was built for, such as `0.1.0`.
    pub api: String,
    /// What kind of plugin it is.
    pub kind: Kind,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// What it does, a few sentences.
    pub summary: Names,
    /// Who made it.
    pub vendor: String,
    /// Its licence, SPDX.
    #[serde(default)]
    pub license: String,
    /// The component in the package; `plugin.wasm` where left out. A script has none.
    #[serde(default)]
    pub component: Option<String>,
    /// The script in the package, for a plugin that an interpreter runs.
    #[serde(default)]
    pub script: Option<ScriptSpec>,
    /// Its picture in the package: a square PNG of 32 to 256 pixels, at most 64 KiB.
    #[serde(default)]
    pub icon: Option<String>,
    /// When it is called.
    #[serde(default)]
    pub subscribe: Subscribe,
    /// What it may do.
    #[serde(default)]
    pub capability: Capabilities,
    /// Points that it derives.
    #[serde(default)]
    pub derived: Vec<DerivedSpec>,
    /// Alarms that it raises.
    #[serde(default)]
    pub alarm: Vec<AlarmSpec>,
    /// Records that it keeps.
    #[serde(default)]
    pub record: Vec<RecordSpec>,
    /// Panels that it shows.
    #[serde(default)]
    pub panel: Vec<PanelSpec>,
    /// Settings that an administrator may change.
    #[serde(default)]
    pub setting: Vec<SettingSpec>,
    /// What it may use up.
    #[serde(default)]
    pub limits: Limits,
}

/// A version: the greater one is the newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Changes that break something.
    pub major: u32,
    /// Changes that add something.
    pub minor: u32,
    /// Changes that mend something.
    pub patch: u32,
}

/// It is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no version: MAJOR.MINOR.PATCH, such as 1.0.0")]
pub struct VersionError(String);

impl std::str::FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let number = |part: &str| {
            let digits = part.bytes().all(|b| b.is_ascii_digit()) && part.len() < 7;
            let plain = part == "0" || !part.starts_with('0');
            (digits && plain).then(|| part.parse().ok()).flatten()
        };
        let mut parts = text.split('.').map(number);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => {
                Ok(Self { major, minor, patch })
            }
            _ => Err(VersionError(text.chars().take(40).collect())),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The world of the contract that a plugin is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Automation.
    Rule,
    /// Eco-education.
    Activity,
    /// The director of a drill.
    Drill,
}

impl Kind {
    /// The name of its world in the contract.
    pub fn world(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Activity => "activity",
            Self::Drill => "drill",
        }
    }
}

/// A script and what runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptSpec {
    /// The interpreter: `rhai`.
    pub interpreter: String,
    /// The file of the script in the package.
    pub file: String,
}

/// When a plugin is called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Samples of which points, as globs over their paths; each has to be readable too.
    #[serde(default)]
    pub points: Vec<String>,
    /// Every how many seconds of the world it is called, 1 to 86,400.
    #[serde(default)]
    pub tick_s: Option<f64>,
    /// Alarms of which entities, as globs over their paths.
    #[serde(default)]
    pub alarms: Vec<String>,
}

/// What a plugin may do. What is left out it may not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Points that it sees, as globs over their paths.
    #[serde(default)]
    pub read: Vec<String>,
    /// Points that it commands.
    #[serde(default)]
    pub command: Option<CommandCapability>,
    /// Whether it reads what was, of the points that it sees.
    #[serde(default)]
    pub history: bool,
    /// Whether it keeps missions, points and proposals; of activities only.
    #[serde(default)]
    pub activities: bool,
    /// Whether it directs a drill; of drills only.
    #[serde(default)]
    pub drill: bool,
}

/// Commands that a plugin may give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandCapability {
    /// Which points, as globs over their paths.
    pub points: Vec<String>,
    /// The strongest and the weakest slot of the priority array, such as `[10, 14]`. Slots 1 to 8 belong to people and
    /// to life safety.
    pub priority: [u8; 2],
}

/// A point that a plugin derives. Its path is `plugin/PLUGIN/ID`, of one for an entity with its path behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DerivedSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// Its unit in UCUM.
    #[serde(default)]
    pub unit: String,
    /// Where there is one for each of some entities: globs over their paths. Empty: one for the campus.
    #[serde(default)]
    pub each: Vec<String>,
}

/// An alarm that a plugin raises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// How urgent it is.
    pub priority: campanile_model::AlarmPriority,
}

/// A kind of record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// The fields of its body by name: `number`, `text` or `bool`.
    pub fields: std::collections::BTreeMap<String, FieldType>,
}

/// What a field of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A finite number.
    Number,
    /// A text.
    Text,
    /// True or false.
    Bool,
}

/// A panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelSpec {
    /// Its id.
    pub id: String,
    /// Its title in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its title in English.
    pub en: String,
}

/// A setting that an administrator may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingSpec {
    /// Its id.
    pub id: String,
    /// Its name in Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// What it is until somebody changes it.
    pub default: String,
}

/// What a plugin may use up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The memory of an instance, MiB, 1 to 256.
    pub memory_mib: u32,
    /// Milliseconds of a processor that a call may have in the living campus, 1 to 1,000; by the clock 20 times as much.
    pub call_ms: u32,
    /// Million instructions that a call may take in a rehearsal, 1 to 10,000.
    pub call_fuel_m: u32,
    /// What it may remember, KiB, at most 16,384.
    pub store_kib: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_mib: 32, call_ms: 100, call_fuel_m: 200, store_kib: 256 }
    }
}

impl Manifest {
    /// The format that this program reads.
    pub const FORMAT: &'static str = "campanile-plugin/1";

    /// Reads a manifest.
    ///
    /// # Errors
    /// Every problem of the file, with its line and its mend.
    pub fn read(file: &FsPath, text: &str) -> Result<Self, Problems> {
        read_toml_checked(file, text, |manifest: &Self, findings| check(manifest, findings))
    }

    /// Its version, to be compared; what was read has one.
    pub fn version(&self) -> Version {
        self.version.parse().unwrap_or_default()
    }

    /// Its names.
    pub fn names(&self) -> Names {
        Names::new(&self.zh, &self.en)
    }

    /// The component's file in the package; none of a script.
    pub fn component_file(&self) -> Option<&str> {
        match (&self.component, &self.script) {
            (Some(file), _) => Some(file),
            (None, None) => Some("plugin.wasm"),
            (None, Some(_)) => None,
        }
    }
}

const ID_MEND: &str =
    "Use lower-case letters, digits and '-' (in settings '_' too), beginning with a letter, at most 40.";

fn is_id(id: &str) -> bool {
    let chars = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    chars && id.len() <= 40 && id.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
}

/// A file of a package lies in it: no other folder, no way out.
pub(crate) fn is_file(name: &str) -> bool {
    let chars = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    chars
        && !name.is_empty()
        && name.len() <= 100
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

fn check(manifest: &Manifest, findings: &mut Findings<'_>) {
    let m = manifest;
    if m.format != Manifest::FORMAT {
        let mend = format!("This program reads '{}'.", Manifest::FORMAT);
        findings.error("wrong-format", "/format", format!("the format '{}' isn't known", m.format), mend);
    }
    if m.version.parse::<Version>().is_err() {
        let what = format!("'{}' is no version", m.version);
        findings.error("bad-version", "/version", what, "Write MAJOR.MINOR.PATCH, such as 1.0.0.");
    }
    if m.api != API {
        let mend = format!("This program speaks {API}: build the plugin with that SDK.");
        findings.error("unknown-api", "/api", format!("the contract '{}' isn't known", m.api), mend);
    }
    let mut named = |list: &str, ids: Vec<&String>| {
        for (i, id) in ids.iter().enumerate() {
            let at = if list.is_empty() { "/id".to_owned() } else { format!("/{list}/{i}/id") };
            // Settings are numbers of programs too, whose names carry units: `limit_ppm`.
            let plain = if list == "setting" { id.replace('_', "-") } else { id.to_string() };
            if !is_id(&plain) {
                findings.error("bad-id", &at, format!("'{id}' isn't an id"), ID_MEND);
            }
            if ids[..i].contains(id) {
                findings.error(
                    "duplicate-id",
                    &at,
                    format!("there are two of '{id}'"),
                    "Give each an id of its own.",
                );
            }
        }
    };
    named("", vec![&m.id]);
    named("derived", m.derived.iter().map(|x| &x.id).collect());
    named("alarm", m.alarm.iter().map(|x| &x.id).collect());
    named("record", m.record.iter().map(|x| &x.id).collect());
    named("panel", m.panel.iter().map(|x| &x.id).collect());
    named("setting", m.setting.iter().map(|x| &x.id).collect());
    reserved(m, findings);
    files(m, findings);
    globs(m, findings);
    let mut number = |at: &str, x: f64, low: f64, high: f64| {
        if !(low..=high).contains(&x) {
            let mend = format!("Give a number from {low} to {high}.");
            findings.error("out-of-range", at, format!("{x} is out of range"), mend);
        }
    };
    if let Some(tick_s) = m.subscribe.tick_s {
        number("/subscribe/tick_s", tick_s, 1.0, 86_400.0);
    }
    number("/limits/memory_mib", m.limits.memory_mib.into(), 1.0, MAX_MEMORY_MIB.into());
    number("/limits/call_ms", m.limits.call_ms.into(), 1.0, 1000.0);
    number("/limits/call_fuel_m", m.limits.call_fuel_m.into(), 1.0, 10_000.0);
    number("/limits/store_kib", m.limits.store_kib.into(), 0.0, MAX_STORE_KIB.into());
    capabilities(m, findings);
}

/// Ids that are the host's own.
fn reserved(m: &Manifest, findings: &mut Findings<'_>) {
    let settings = m.setting.iter().enumerate().map(|(i, s)| ("setting", i, &s.id));
    let alarms = m.alarm.iter().enumerate().map(|(i, a)| ("alarm", i, &a.id));
    for (list, i, id) in settings.chain(alarms) {
        let own: &[&str] = if list == "setting" { &[SCRIPT, SCRIPT_FILE] } else { &[FAILED_ALARM] };
        if own.contains(&id.as_str()) {
            let what = format!("the {list} '{id}' is the host's own");
            findings.error("reserved-id", &format!("/{list}/{i}/id"), what, "Give it another id.");
        }
    }
}

fn files(m: &Manifest, findings: &mut Findings<'_>) {
    let mend = "Name a file of the package: letters, digits, '-', '_', '.' and '/', no '..'.";
    for (at, file) in [("/component", &m.component), ("/icon", &m.icon)] {
        if let Some(file) = file.as_ref().filter(|file| !is_file(file)) {
            findings.error("bad-file", at, format!("'{file}' is no file of a package"), mend);
        }
    }
    let Some(script) = &m.script else { return };
    if m.component.is_some() {
        let what = "there is a component and a script".to_owned();
        findings.error("two-bodies", "/component", what, "Keep one of them.");
    }
    if !is_file(&script.file) {
        findings.error(
            "bad-file",
            "/script/file",
            format!("'{}' is no file of a package", script.file),
            mend,
        );
    }
    if script.interpreter != "rhai" {
        let mend = did_you_mean(&script.interpreter, ["rhai"]);
        let what = format!("there is no interpreter '{}'", script.interpreter);
        findings.error("unknown-interpreter", "/script/interpreter", what, mend);
    }
}

fn globs(m: &Manifest, findings: &mut Findings<'_>) {
    let command = m.capability.command.as_ref().map_or(&[][..], |c| &c.points);
    let mut lists = vec![
        ("/subscribe/points".to_owned(), &m.subscribe.points[..]),
        ("/subscribe/alarms".to_owned(), &m.subscribe.alarms),
        ("/capability/read".to_owned(), &m.capability.read),
        ("/capability/command/points".to_owned(), command),
    ];
    lists.extend(m.derived.iter().enumerate().map(|(i, d)| (format!("/derived/{i}/each"), &d.each[..])));
    for (at, globs) in lists {
        for (i, glob) in globs.iter().enumerate() {
            if let Err(why) = Glob::new(glob) {
                let mend = "Write paths with '*' for one part and '**' for any number.";
                findings.error("bad-glob", &format!("{at}/{i}"), why.to_string(), mend);
            }
        }
    }
}

fn capabilities(m: &Manifest, findings: &mut Findings<'_>) {
    if let Some(command) = &m.capability.command {
        let [strongest, weakest] = command.priority;
        if !(9..=16).contains(&strongest) || !(strongest..=16).contains(&weakest) {
            let what = format!("[{strongest}, {weakest}] is no band of a plugin");
            let mend =
                "Write the strongest slot first; 9 to 16 are for plugins, 1 to 8 for people and life safety.";
            findings.error("bad-priority", "/capability/command/priority", what, mend);
        }
        if m.kind != Kind::Rule {
            let mend = "Make it a rule, or leave [capability.command] out: only rules command.";
            findings.error(
                "no-commands",
                "/capability/command",
                "this kind of plugin has no commands".to_owned(),
                mend,
            );
        }
    }
    if m.capability.activities != (m.kind == Kind::Activity) {
        let mend = "Set `activities = true` in an activity, and in nothing else.";
        findings.error(
            "kind",
            "/capability/activities",
            "the kind and the capability don't agree".to_owned(),
            mend,
        );
    }
    if m.capability.drill != (m.kind == Kind::Drill) {
        let mend = "Set `drill = true` in a drill, and in nothing else.";
        findings.error(
            "kind",
            "/capability/drill",
            "the kind and the capability don't agree".to_owned(),
            mend,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
format = "campanile-plugin/1"
id = "fresh-air"
version = "1.0.0"
api = "0.1.0"
kind = "rule"
zh-CN = "新风"
en = "Fresh air"
summary = { zh-CN = "提醒开窗。", en = "Says when to open a window." }
vendor = "Tinglan"
[subscribe]
points = ["*/*/*/co2"]
tick_s = 60
[capability]
read = ["*/*/*/co2"]
command = { points = ["*/*/*/ac/setpoint"], priority = [10, 14] }
[[alarm]]
id = "stuffy"
zh-CN = "空气不新鲜"
en = "Stuffy"
priority = "low"
"#;

    #[test]
    fn a_manifest_is_read() {
        let manifest = Manifest::read(FsPath::new("plugin.toml"), GOOD).unwrap();
        assert_eq!(manifest.component_file(), Some("plugin.wasm"));
        assert_eq!(manifest.limits, Limits::default());
    }

    /// What is broken, by what it is broken with, the code and the line that are told.
    #[test]
    fn a_broken_manifest_says_what_where_and_how_to_mend_it() {
        let cases = [
            ("id = \"fresh-air\"", "id = \"Fresh Air\"", "bad-id", 3),
            ("version = \"1.0.0\"", "version = \"1.0\"", "bad-version", 4),
            ("version = \"1.0.0\"", "version = \"01.0.0\"", "bad-version", 4),
            ("api = \"0.1.0\"", "api = \"9.0.0\"", "unknown-api", 5),
            ("vendor =", "component = \"../evil.wasm\"\nvendor =", "bad-file", 10),
            ("vendor =", "component = \"/etc/passwd\"\nvendor =", "bad-file", 10),
            ("read = [\"*/*/*/co2\"]", "read = [\"a//b\"]", "bad-glob", 15),
            ("[10, 14]", "[1, 14]", "bad-priority", 16),
            ("[10, 14]", "[14, 10]", "bad-priority", 16),
            ("tick_s = 60", "tick_s = 0.1", "out-of-range", 13),
            ("kind = \"rule\"", "kind = \"activity\"", "no-commands", 16),
            ("id = \"stuffy\"", "id = \"hub-failed\"", "reserved-id", 18),
            ("vendor =", "icon = \"a b.png\"\nvendor =", "bad-file", 10),
            (
                "[[alarm]]",
                "[[setting]]\nid = \"script\"\nzh-CN = \"x\"\nen = \"x\"\ndefault = \"\"\n[[alarm]]",
                "reserved-id",
                18,
            ),
            ("[[alarm]]", "[limits]\nmemory_mib = 100000\n[[alarm]]", "out-of-range", 18),
        ];
        for (from, to, code, line) in cases {
            assert!(GOOD.contains(from), "{from}");
            let problems = Manifest::read(FsPath::new("plugin.toml"), &GOOD.replace(from, to)).unwrap_err();
            let said = problems.to_string();
            let found = problems.0.iter().any(|p| p.code == code && !p.mend.is_empty());
            assert!(found && said.contains(&format!("plugin.toml:{line}:")), "{to}: {said}");
        }
    }
}
