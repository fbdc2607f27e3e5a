//! A plugin that is ready to take a seat: compiled, with its interpreter where it is a script.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use campanile_model::{Campus, Names, Place, Problems};
use campanile_plugins::{
    Approval, Around, Budget, Compiled, ComponentError, Failure, Grants, MANIFEST_FILE, Manifest, Runtime,
    Saved, Seat, interpreter_file, shipped_dir,
};
use campanile_world::{Schema, World};

use crate::finding::Finding;
use crate::source::Source;

/// What plugins are compiled by, once for a program.
#[derive(Debug)]
pub struct Workshop {
    runtime: Arc<Runtime>,
    /// Where interpreters lie.
    shipped: Option<PathBuf>,
}

impl Workshop {
    /// A workshop.
    ///
    /// # Errors
    /// Where the machine has no room for it.
    pub fn new() -> Result<Self, ComponentError> {
        Ok(Self { runtime: Arc::new(Runtime::new(None)?), shipped: shipped_dir() })
    }
}

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// The interfaces that its component imports; of a script those of its interpreter.
    pub imports: Vec<String>,
    /// The bytes of its component; of a script those of its interpreter.
    pub component_bytes: usize,
    /// How long it took to compile, ms.
    pub compile_ms: f64,
    /// Its script, where it is one.
    script: Option<Arc<str>>,
    runtime: Arc<Runtime>,
    compiled: Compiled,
}

impl Plugin {
    /// Reads manifest and body of a plugin.
    ///
    /// # Errors
    /// Everything that keeps it from being used.
    pub fn load(source: &Source, workshop: &Workshop) -> Result<Self, Vec<Finding>> {
        let text = source.text(MANIFEST_FILE).map_err(|finding| vec![*finding])?;
        let manifest = Manifest::read(&source.file(MANIFEST_FILE), &text);
        let manifest =
            manifest.map_err(|Problems(all)| all.into_iter().map(Finding::from).collect::<Vec<_>>())?;
        Self::open(source, Arc::new(manifest), workshop).map_err(|finding| vec![*finding])
    }

    /// Makes the component, or the script with its interpreter, ready.
    ///
    /// # Errors
    /// What keeps it from being used.
    pub fn open(source: &Source, manifest: Arc<Manifest>, workshop: &Workshop) -> Result<Self, Box<Finding>> {
        let (file, bytes, script) = match (&manifest.script, manifest.component_file()) {
            (Some(script), _) => {
                let text = source.text(&script.file)?;
                let (file, bytes) = interpreter(&manifest, workshop, &source.file(&script.file))?;
                (file, bytes, Some(text.into()))
            }
            (None, name) => {
                let name = name.unwrap_or("plugin.wasm");
                let file = source.file(name);
                let missing = || {
                    Box::new(Finding::error(
                        "not-built",
                        &file,
                        Names::new(format!("没有组件 {name}"), format!("there is no component {name}")),
                        Names::new("先运行 campanile plugin build。", "Build it first: campanile plugin build."),
                    ))
                };
                let bytes = source.read(name).ok_or_else(missing)?;
                (file, bytes, None)
            }
        };
        let began = Instant::now();
        let compiled = workshop.runtime.compile(&manifest, &bytes).map_err(|why| {
            let said = why.to_string();
            Box::new(Finding::error(
                "bad-component",
                &file,
                Names::new(&said, &said),
                Names::new("按上面的说明修改后重新构建。", "Mend it as it says, and build it again."),
            ))
        })?;
        Ok(Self {
            imports: compiled.imports.clone(),
            component_bytes: bytes.len(),
            compile_ms: began.elapsed().as_secs_f64() * 1e3,
            script,
            runtime: workshop.runtime.clone(),
            compiled,
            manifest,
        })
    }

    /// A seat with all that the manifest asks for, as if a person had approved it.
    pub fn seat(&self, campus: &Arc<Campus>, settings: &BTreeMap<String, String>, budget: Budget) -> Seat {
        let approval = Approval {
            plugin: self.manifest.id.clone(),
            version: self.manifest.version.clone(),
            package: String::new(),
            capability: self.manifest.capability.clone(),
            settings: settings.clone(),
            by: "kit".to_owned(),
        };
        let grants = Grants::new(campus.clone(), self.manifest.clone(), &approval);
        let grants = match (&self.script, &self.manifest.script) {
            (Some(text), Some(spec)) => grants.with_script(&spec.file, text),
            _ => grants,
        };
        let compiled = self.compiled.clone();
        Seat::new(self.runtime.clone(), compiled, Arc::new(grants), budget, Saved::default())
    }

    /// Whether it starts; what it costs to start beside its limits.
    pub(crate) fn starts(&self, source: &Source, campus: &Arc<Campus>) -> Vec<Finding> {
        let mut seat = self.seat(campus, &BTreeMap::new(), Budget::Fuel);
        let world = World::new(Arc::new(Schema::of(campus)), campanile_model::Timestamp(1_782_263_700_000_000));
        let outcome = seat.start(&Around::of(Arc::new(world)));
        let body = match &self.manifest.script {
            Some(script) => script.file.as_str(),
            None => self.manifest.component_file().unwrap_or("plugin.wasm"),
        };
        let Some(failure) = outcome.failure else { return Vec::new() };
        let said = failure.to_string();
        let place = match (&self.script, &failure) {
            (Some(_), Failure::Start { why }) => place_in_script(why),
            _ => None,
        };
        let last: Vec<&str> = outcome.log.iter().map(|line| line.text.as_str()).collect();
        let log = if last.len() > 1 { format!(" ({})", last[..last.len() - 1].join("; ")) } else { String::new() };
        vec![
            Finding::error(
                "does-not-start",
                &source.file(body),
                Names::new(format!("它启动不了：{said}{log}"), format!("it does not start: {said}{log}")),
                Names::new(
                    "按它说的修改；start 只能读取。",
                    "Mend what it says; `start` may read and nothing else.",
                ),
            )
            .at(place.unwrap_or(Place::Whole)),
        ]
    }
}

/// The interpreter of a script.
fn interpreter(
    manifest: &Manifest,
    workshop: &Workshop,
    script: &std::path::Path,
) -> Result<(PathBuf, Vec<u8>), Box<Finding>> {
    let name = interpreter_file(manifest.kind);
    let dir = workshop.shipped.as_deref();
    let file = dir.map(|dir| dir.join(name)).unwrap_or_else(|| PathBuf::from(name));
    match std::fs::read(&file) {
        Ok(bytes) => Ok((file, bytes)),
        Err(_) => Err(Box::new(Finding::error(
            "no-interpreter",
            script,
            Names::new(
                format!("找不到解释器 {}", file.display()),
                format!("the interpreter {} is not there", file.display()),
            ),
            Names::new(
                "解释器随 campanile 安装在 plugins 文件夹里；也可以用 CAMPANILE_PLUGINS 指定该文件夹。",
                "It comes with campanile in the folder `plugins`; CAMPANILE_PLUGINS names another.",
            ),
        ))),
    }
}

/// The place that an interpreter names: `FILE:LINE:COLUMN: …` or `… (line 3, position 5)`.
fn place_in_script(said: &str) -> Option<Place> {
    let number = |text: &str| -> Option<usize> {
        let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    if let Some((_, rest)) = said.split_once("line ") {
        let line = number(rest)?;
        let column = rest.split_once("position ").and_then(|(_, rest)| number(rest)).unwrap_or(1);
        return Some(Place::Line { line, column });
    }
    let mut parts = said.split(':').skip(1);
    let (line, column) = (number(parts.next()?)?, number(parts.next()?)?);
    Some(Place::Line { line, column })
}
