//! What the tests of the host share: the demo campus, a world of it, built components, and seats that are told what to do.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use campanile_model::{Campus, Timestamp};
use campanile_plugins::{
    Approval, Around, Budget, Compiled, Grants, Manifest, Outcome, Runtime, Saved, Seat, Stage,
};
use campanile_world::{Schema, World};

/// A quarter past nine on a school day in June.
pub const NOW: Timestamp = Timestamp(1_782_263_700_000_000);

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where `scripts/guests.sh` puts components.
pub fn guests() -> PathBuf {
    let target = || std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::env::var_os("CAMPANILE_PLUGINS").map_or_else(|| target().join("plugins"), PathBuf::from)
}

/// A built component; where it is missing, the test says so and skips it.
pub fn guest(name: &str) -> Option<Vec<u8>> {
    let file = guests().join(format!("{name}.wasm"));
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(why) => {
            println!("skipped: {}: {why} (built by scripts/guests.sh)", file.display());
            None
        }
    }
}

/// A probe in a language.
pub struct Probe {
    pub language: &'static str,
    /// Its component; of a script its interpreter's.
    pub bytes: Vec<u8>,
    pub manifest: Manifest,
    /// The text of a script.
    pub script: Option<String>,
}

/// Which language interprets, and so can say more of a mistake than that there was one.
impl Probe {
    pub fn interprets(&self) -> bool {
        !["rust", "c"].contains(&self.language)
    }
}

/// A probe (`probe`, `probe-activity`, `probe-drill`) in each language.
pub fn probes(name: &str) -> Vec<Probe> {
    let (dir, interpreter) = match name {
        "probe" => ("sdk/probe", "rhai-rule"),
        "probe-activity" => ("sdk/probe/activity", "rhai-activity"),
        _ => ("sdk/probe/drill", "rhai-drill"),
    };
    let probe = |language| {
        let manifest = manifest(&format!("{dir}/{language}"));
        let (file, script) = match &manifest.script {
            Some(script) => {
                let text =
                    std::fs::read_to_string(root().join(dir).join(language).join(&script.file)).unwrap();
                (interpreter.to_owned(), Some(text))
            }
            None => (format!("{name}-{language}"), None),
        };
        Some(Probe { language, bytes: guest(&file)?, manifest, script })
    };
    ["rust", "c", "python", "js", "rhai"].into_iter().filter_map(probe).collect()
}

pub fn campus() -> Arc<Campus> {
    static CAMPUS: OnceLock<Arc<Campus>> = OnceLock::new();
    CAMPUS
        .get_or_init(|| Arc::new(campanile_model::open(&root().join("scenes/shanghai-school")).unwrap()))
        .clone()
}

pub fn world() -> Arc<World> {
    Arc::new(World::new(Arc::new(Schema::of(&campus())), NOW))
}

pub fn manifest(dir: &str) -> Manifest {
    let file = root().join(dir).join("plugin.toml");
    Manifest::read(
        &file,
        &std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display())),
    )
    .unwrap()
}

/// All that a manifest asks for, approved.
pub fn approval(manifest: &Manifest, settings: &[(&str, &str)]) -> Approval {
    Approval {
        plugin: manifest.id.clone(),
        version: manifest.version.clone(),
        package: String::new(),
        capability: manifest.capability.clone(),
        settings: settings.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect(),
        by: "person:test".into(),
    }
}

/// A component, and a world to seat it in.
pub struct Ground {
    pub runtime: Arc<Runtime>,
    pub manifest: Arc<Manifest>,
    pub compiled: Compiled,
    pub around: Around,
    /// The script that the component runs.
    pub script: Option<String>,
}

/// One for all tests of a process, with what was compiled for those before: an interpreter takes many seconds.
pub fn runtime() -> Arc<Runtime> {
    static RUNTIME: OnceLock<Arc<Runtime>> = OnceLock::new();
    let new = || Arc::new(Runtime::new(Some(&guests().join("compiled"))).unwrap());
    RUNTIME.get_or_init(new).clone()
}

impl Ground {
    pub fn new(manifest: Manifest, bytes: &[u8]) -> Self {
        let runtime = runtime();
        let compiled = runtime.compile(&manifest, bytes).unwrap();
        Self { runtime, manifest: manifest.into(), compiled, around: Around::of(world()), script: None }
    }

    pub fn of(probe: &Probe) -> Self {
        Self { script: probe.script.clone(), ..Self::new(probe.manifest.clone(), &probe.bytes) }
    }

    pub fn with_stage(mut self, stage: Arc<dyn Stage>) -> Self {
        self.around.stage = Some(stage);
        self
    }

    /// The world so many seconds later.
    pub fn later(&mut self, s: i64) {
        let mut world = self.around.world.fork();
        world.tick(world.now().plus_micros(s * Timestamp::SECOND), &mut Vec::new());
        self.around.world = Arc::new(world);
    }

    pub fn seat(&self, settings: &[(&str, &str)], budget: Budget) -> Seat {
        self.seat_with(approval(&self.manifest, settings), budget, Saved::default())
    }

    pub fn seat_with(&self, approval: Approval, budget: Budget, saved: Saved) -> Seat {
        let mut grants = Grants::new(campus(), self.manifest.clone(), &approval);
        if let Some(text) = &self.script {
            grants.settings.push(("script".to_owned(), text.clone()));
            grants.settings.push(("script-file".to_owned(), "main.rhai".to_owned()));
        }
        Seat::new(self.runtime.clone(), self.compiled.clone(), Arc::new(grants), budget, saved)
    }
}

/// What a probe said the host had answered.
pub fn answers(outcome: &Outcome) -> Vec<String> {
    let said = outcome.log.iter().filter_map(|line| line.text.strip_prefix("probe: "));
    said.filter_map(|said| said.split_once(": ")).map(|(_, answer)| answer.to_owned()).collect()
}
