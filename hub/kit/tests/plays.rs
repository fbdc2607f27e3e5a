//! Plugins put through scenarios: what passes, what fails and how that is said, snapshots, coverage, days with devices.
//!
//! They are in C, and built here; where clang or wasm-ld are missing, these tests say so and skip.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use campanile_kit::{Grounds, Plugin, Snapshot, Source, Suite, Tested, Workshop, check, test};
use campanile_plugin_build::{Built, Kind, Language, Project, build, template};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A manifest and the component beside it.
type Body = (String, Vec<u8>);

fn built(dir: &Path) -> Option<Body> {
    match build(dir) {
        Ok(Built::Component(bytes)) => {
            Some((std::fs::read_to_string(dir.join("plugin.toml")).unwrap(), bytes))
        }
        Ok(Built::Script(_)) => unreachable!("C is no script"),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

/// The template of a rule in C, with its source changed.
fn stale_air_with(change: &dyn Fn(&str) -> String) -> Option<Body> {
    let dir = tempfile::tempdir().unwrap();
    let project = Project { id: "stale-air", zh: "空气不新鲜", en: "Stale air", kind: Kind::Rule };
    for (name, bytes) in template(Language::C, &project) {
        let file = dir.path().join(&name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let changed = (name == "plugin.c").then(|| change(std::str::from_utf8(&bytes).unwrap()).into_bytes());
        std::fs::write(file, changed.unwrap_or(bytes)).unwrap();
    }
    built(dir.path())
}

fn stale_air() -> Option<&'static Body> {
    static BODY: OnceLock<Option<Body>> = OnceLock::new();
    BODY.get_or_init(|| stale_air_with(&str::to_owned)).as_ref()
}

/// The probe of the host's tests, which does one thing as its setting `mode` says.
fn probe() -> Option<Body> {
    let dir = tempfile::tempdir().unwrap();
    for name in ["plugin.toml", "probe.c"] {
        std::fs::copy(root().join("sdk/probe/c").join(name), dir.path().join(name)).unwrap();
    }
    built(dir.path())
}

/// A plugin's folder made for a test.
struct Bench {
    dir: tempfile::TempDir,
    grounds: Grounds,
    workshop: Workshop,
}

impl Bench {
    fn new((manifest, component): &Body) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tests")).unwrap();
        std::fs::write(dir.path().join("plugin.wasm"), component).unwrap();
        std::fs::write(dir.path().join("plugin.toml"), manifest).unwrap();
        let grounds = Grounds::new(root().join("scenes/shanghai-school"));
        Self { dir, grounds, workshop: Workshop::new(None).unwrap() }
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.path().join(file), text).unwrap();
    }

    fn source(&self) -> Source {
        Source::open(self.dir.path()).unwrap()
    }

    fn suite(&self, update: bool) -> Suite {
        let source = self.source();
        let plugin = Plugin::load(&source, &self.workshop).unwrap();
        test(&source, &plugin, &self.grounds, None, update, &mut |_| {})
    }

    /// The one scenario, written and played.
    fn play(&self, text: &str) -> Tested {
        self.write("tests/one.toml", text);
        self.suite(false).scenarios.pop().unwrap()
    }
}

fn said(tested: &Tested) -> String {
    let findings = tested.findings.iter().map(|f| format!("{} {}", f.whereabouts(), f.what.en));
    let verdicts = tested.verdicts.iter().filter(|v| !v.kept).map(|v| format!("{} {:?}", v.said.en, v.near));
    findings.chain(verdicts).collect::<Vec<_>>().join("\n")
}

const STALE: &str = r#"format = "campanile-plugin-test/1"
zh-CN = "空气不新鲜时报警"
en = "Raises an alarm where the air is stale"
start = "2026-06-24T09:15:00"
duration_s = 400
[settings]
act = "true"
[[step]]
at_s = 0
samples = [{ point = "teaching-a/2f/203/co2", value = 1500 }]
[[step]]
at_s = 200
samples = [{ point = "teaching-a/2f/203/co2", value = 500 }]
[[expect]]
alarm = { id = "stale-air", entity = "teaching-a/2f/203", says = "open a window" }
from_s = 60
to_s = 180
count = 1
[[expect]]
alarm = { id = "stale-air", is = "cleared" }
count = 1
[[expect]]
command = { point = "teaching-a/2f/203/ac/setpoint", value = 28, priority = 12 }
[[expect]]
denials = 0
"#;

#[test]
fn a_scenario_passes_and_what_it_uses_is_counted() {
    let Some(body) = stale_air() else { return };
    let bench = Bench::new(body);
    let tested = bench.play(STALE);
    assert!(tested.passed(), "{}", said(&tested));
    assert_eq!(tested.verdicts.len(), 4);
    let unused = || -> Vec<String> {
        bench.suite(false).coverage.unused().map(|item| item.names.en.clone()).collect()
    };
    assert_eq!(unused(), Vec::<String>::new());
    let still = STALE.replace("act = \"true\"", "act = \"false\"");
    let tested = bench.play(&still.replace("[[expect]]\ncommand", "[[expect]]\ncount = 0\ncommand"));
    assert!(tested.passed(), "{}", said(&tested));
    assert_eq!(unused(), ["commanding **/ac/setpoint"]);
}

/// Each broken expectation, and what is said of it.
#[test]
fn what_did_not_come_is_said_with_what_came_close() {
    let Some(body) = stale_air() else { return };
    let bench = Bench::new(body);
    for (from, to, expected) in [
        (
            "to_s = 180\ncount = 1",
            "to_s = 70\ncount = 1",
            "and never came [\"2026-06-24 09:17:00 stale-air @ teaching-a/2f/203 raised",
        ),
        ("says = \"open a window\"", "says = \"close\"", "and never came [\"2026-06-24 09:17:00"),
        (
            "is = \"cleared\" }\ncount = 1",
            "is = \"cleared\" }\ncount = 0",
            "is expected never, and came once [\"2026-06-24 09:19:00",
        ),
        (
            "value = 28",
            "value = [20, 26]",
            "and never came [\"2026-06-24 09:17:00 teaching-a/2f/203/ac/setpoint = 28",
        ),
        ("priority = 12", "priority = 13", "[13] is expected at least once, and never came"),
        ("denials = 0", "denials = 1", "a denial “” is expected once, and never came"),
        ("denials = 0", "failure = true", "a failure “” is expected at least once, and never came"),
    ] {
        assert!(STALE.contains(from), "{from}");
        let tested = bench.play(&STALE.replace(from, to));
        assert!(!tested.passed() && said(&tested).contains(expected), "{to}: {}", said(&tested));
        assert_eq!(tested.verdicts.iter().filter(|v| !v.kept).count(), 1, "{to}");
    }
}

#[test]
fn a_snapshot_is_written_when_asked_and_a_difference_is_shown() {
    let Some(body) = stale_air() else { return };
    let bench = Bench::new(body);
    let alone = STALE.split("[[expect]]").next().unwrap();
    let nothing = bench.play(alone);
    assert_eq!(nothing.findings[0].code, "expects-nothing");
    let written = bench.suite(true).scenarios.pop().unwrap();
    assert!(written.passed() && written.snapshot == Snapshot::Written);
    let file = bench.dir.path().join("tests/one.snap");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("09:17:00 tick\n  command teaching-a/2f/203/ac/setpoint = 28"), "{kept}");
    assert!(
        kept.contains("  alarm stale-air @ teaching-a/2f/203 raised: CO₂ is high: open a window / "),
        "{kept}"
    );
    assert_eq!(bench.suite(false).scenarios[0].snapshot, Snapshot::Same);
    bench.write("tests/one.snap", &kept.replace("= 28", "= 27"));
    let different = bench.suite(false).scenarios.pop().unwrap();
    let Snapshot::Different(how) = &different.snapshot else { unreachable!("{different:?}") };
    assert!(!different.passed() && how.contains("-   command teaching-a/2f/203/ac/setpoint = 27"), "{how}");
    assert!(how.contains("+   command teaching-a/2f/203/ac/setpoint = 28"), "{how}");
    bench.suite(true);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);
}

/// Half a day of device models: they feed the world, commands reach them, and the same without the plugin is compared.
#[test]
fn a_day_with_devices_is_the_same_twice_and_is_compared() {
    let Some(body) = stale_air() else { return };
    let bench = Bench::new(body);
    let day = r#"format = "campanile-plugin-test/1"
zh-CN = "一个上午"
en = "A morning"
start = "2026-06-24T08:00:00"
[settings]
act = "true"
limit_ppm = "600"
[day]
days = 0.125
step_s = 60
[[step]]
at_s = 3600
holds = [{ point = "teaching-a/2f/203/co2", value = 450, for_s = 3600 }]
[[expect]]
command = { point = "**/ac/setpoint", value = 28 }
[[expect]]
alarm = { id = "stale-air", entity = "teaching-a/2f/203", is = "cleared" }
from_s = 3600
to_s = 3900
[[expect]]
[expect.total]
mean = ["teaching-a/2f/*/ac/setpoint"]
change_pct = [0.01, 50]
[[expect]]
[expect.total]
hours = ["teaching-a/2f/203/co2"]
low = 449.0
high = 451.0
is = [0.9, 1.1]
"#;
    let tested = bench.play(day);
    assert!(tested.passed(), "{}", said(&tested));
    let again = bench.suite(false).scenarios.pop().unwrap();
    assert_eq!(again.hash, tested.hash);
    let other = bench.play(&day.replace("[day]", "[day.simulation]\ncooling_from_c = 24\n[day]"));
    assert_ne!(other.hash, tested.hash);
    let wrong = bench.play(&day.replace("change_pct = [0.01, 50]", "change_pct = [-50, -10]"));
    assert!(said(&wrong).contains("-50 to -10 % is wanted"), "{}", said(&wrong));
    let unknown = bench.play(&day.replace("[day]", "[day.simulation]\ncoolng = 24\n[day]"));
    assert!(said(&unknown).contains("coolng"), "{}", said(&unknown));
}

fn one_thing(mode: &str, target: &str, expectations: &str) -> String {
    // The probe commands what it is told of.
    let (point, value) = if mode == "command" { ("ac/setpoint", 24) } else { ("co2", 500) };
    format!(
        "format = \"campanile-plugin-test/1\"\nzh-CN = \"探针\"\nen = \"Probe\"\nstart = \"2026-06-24T09:15:00\"\n\
         duration_s = 5\n[settings]\nmode = \"{mode}\"\ntarget = \"{target}\"\n[[step]]\nat_s = 1\n\
         samples = [{{ point = \"teaching-a/2f/203/{point}\", value = {value} }}]\n{expectations}"
    )
}

/// The probe does one thing after another; each is expected by its own kind of expectation.
#[test]
fn each_kind_of_expectation_sees_its_thing() {
    let Some(body) = probe() else { return };
    let bench = Bench::new(&body);
    let setpoint = "teaching-a/2f/203/ac/setpoint";
    let table = [
        ("echo", "", "[[expect]]\nderived = { id = \"echo\", value = 500 }\ncount = 1\n"),
        ("command", "", "[[expect]]\ncommand = { point = \"**/ac/setpoint\", value = 24 }\n"),
        ("alarm", "", "[[expect]]\nalarm = { id = \"probe\" }\n"),
        ("record", "", "[[expect]]\nrecord = { kind = \"probe\", fields = { n = [0, 1] } }\n"),
        ("panel", "", "[[expect]]\npanel = { id = \"probe\", person = \"\" }\n"),
        ("too-strong", setpoint, "[[expect]]\ndenial = \"too-strong\"\n[[expect]]\ndenials = 2\n"),
        ("out-of-limits", setpoint, "[[expect]]\ndenial = \"out-of-limits\"\n"),
        ("outside-globs", "site/barrier-canteen/barrier-up", "[[expect]]\ndenial = \"not-granted\"\n"),
        ("loop", "", "[[expect]]\nfailure = \"call_fuel_m\"\n"),
        ("trap", "", "[[expect]]\nfailures = 1\n"),
        (
            "panic",
            "",
            "[[expect]]\nfailure = true\n[[expect]]\nlog = { level = \"error\", says = \"panic\" }\n",
        ),
    ];
    for (mode, target, expectations) in table {
        let tested = bench.play(&one_thing(mode, target, expectations));
        assert!(tested.passed(), "{mode}: {}", said(&tested));
        let other = bench.play(&one_thing("clock", "", expectations));
        assert!(!other.passed(), "{mode}: the expectation can't fail");
    }
    let broken = bench.play(&one_thing("trap", "", "[[expect]]\ndenials = 0\n"));
    assert!(said(&broken).contains("1 calls broke off"), "{}", said(&broken));
}

/// A plugin that counts in a variable: with its instance thrown away it counts otherwise, and that is found.
#[test]
fn what_is_kept_in_an_instance_is_found() {
    // Once it has ticked it says nothing more: by a variable.
    let forgets = |source: &str| {
        let tick = source.find("_on_tick(").unwrap();
        let body = tick + source[tick..].find('{').unwrap() + 1;
        let log = "\n    static bool said;\n    rule_string_t once = {(uint8_t *)\"once\", 4};\n    \
            if (!said) campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_INFO, &once);\n    said = true;\n";
        format!("{}{log}{}", &source[..body], &source[body..])
    };
    let Some(body) = stale_air_with(&forgets) else { return };
    let bench = Bench::new(&body);
    let tested = bench.play(STALE);
    let how = tested.forgetful.clone().unwrap();
    assert!(!tested.passed() && how.contains("+ ") && how.contains("log info: once"), "{how}");
}

/// Everything that `check` finds in one broken folder, with places.
#[test]
fn a_check_tells_everything_at_once() {
    let Some(body) = stale_air() else { return };
    let bench = Bench::new(body);
    let campus = bench.grounds.plain(None).unwrap();
    let codes = |bench: &Bench| -> Vec<(&'static str, String)> {
        let checked = check(&bench.source(), &campus, &bench.workshop);
        checked.findings.iter().map(|f| (f.code, f.whereabouts())).collect()
    };
    assert_eq!(codes(&bench).iter().map(|c| c.0).collect::<Vec<_>>(), ["no-tests"]);
    bench.write("tests/one.toml", STALE);
    assert_eq!(codes(&bench), []);

    let good = std::fs::read_to_string(bench.dir.path().join("plugin.toml")).unwrap();
    let broken = good
        .replace("zh-CN = \"空气不新鲜\"", "zh-CN = \"Stale\"")
        .replace("read = [\"**/co2\"]", "history = true\nread = [\"**/co3\", \"**/co2\"]")
        .replace("vendor =", "icon = \"icon.png\"\nvendor =")
        .replace("[[alarm]]\nid = \"stale-air\"\nzh-CN = \"二氧化碳浓度偏高\"\nen = \"CO₂ is high\"\npriority = \"low\"\n", "");
    bench.write("plugin.toml", &broken);
    let line = |text: &str| broken.lines().position(|l| l.contains(text)).unwrap() + 1;
    let found = codes(&bench);
    for (code, line) in [
        ("not-asked", 1),
        ("bad-icon", line("icon =")),
        ("not-chinese", line("zh-CN = \"Stale\"")),
        ("matches-nothing", line("**/co3")),
        ("unused-capability", line("history = true")),
    ] {
        let place = format!("plugin.toml:{line}:");
        assert!(found.iter().any(|(c, at)| *c == code && at.contains(&place)), "{code} {place}: {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");

    bench.write("plugin.toml", &good);
    std::fs::remove_file(bench.dir.path().join("plugin.wasm")).unwrap();
    assert_eq!(codes(&bench)[0].0, "not-built");
    bench.write("plugin.wasm", "no component");
    assert_eq!(codes(&bench)[0].0, "bad-component");
}

#[test]
fn an_icon_is_a_small_square() {
    let Some(body) = stale_air() else { return };
    let bench = Bench::new(body);
    bench.write("tests/one.toml", STALE);
    let manifest = std::fs::read_to_string(bench.dir.path().join("plugin.toml")).unwrap();
    bench.write("plugin.toml", &manifest.replace("vendor =", "icon = \"icon.png\"\nvendor ="));
    let png = |width: u32, height: u32, bytes: usize| {
        let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        file.extend(width.to_be_bytes());
        file.extend(height.to_be_bytes());
        file.resize(bytes, 0);
        file
    };
    let campus = bench.grounds.plain(None).unwrap();
    for (file, expected) in [
        (png(64, 64, 400), ""),
        (png(64, 32, 400), "64 × 32"),
        (png(16, 16, 400), "16 × 16"),
        (png(64, 64, 70_000), "70000 bytes"),
        (b"GIF89a".to_vec(), "no PNG"),
    ] {
        std::fs::write(bench.dir.path().join("icon.png"), file).unwrap();
        let checked = check(&bench.source(), &campus, &bench.workshop);
        let said: String = checked.findings.iter().map(|f| f.what.en.clone()).collect();
        assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{expected}: {said}");
    }
}
