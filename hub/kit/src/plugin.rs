//! A plugin that is ready to take a seat: compiled, with its interpreter where it is a script.

use std::collections::BTreeMap;
use std::path::Path as FsPath;
use std::sync::Arc;
use std::time::Instant;

use campanile_model::{Campus, Names, Place, Problems};
use campanile_plugins::{
    Approval, Around, Budget, Compiled, ComponentError, Failure, MANIFEST_FILE, Manifest, Package,
    PackageError, ReadyError, Runtime, Saved, Seat,
};
use campanile_world::{Schema, World};

use crate::finding::Finding;
use crate::source::Source;

/// What plugins are compiled by, once for a program.
#[derive(Debug)]
pub struct Workshop {
    runtime: Arc<Runtime>,
}

impl Workshop {
    /// A workshop; what it compiles is kept in a folder for the next time.
    ///
    /// # Errors
    /// Where the machine has no room for it, or the folder can't be used.
    pub fn new(cache: Option<&FsPath>) -> Result<Self, ComponentError> {
        Ok(Self { runtime: Arc::new(Runtime::new(cache)?) })
    }
}

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// The package that it is, or would be.
    pub package: Package,
    /// The interfaces that its component imports; of a script those of its interpreter.
    pub imports: Vec<String>,
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
        let read = Manifest::read(&source.file(MANIFEST_FILE), &text);
        read.map_err(|Problems(all)| all.into_iter().map(Finding::from).collect::<Vec<_>>())?;
        Self::open(source, workshop).map_err(|finding| vec![*finding])
    }

    /// Makes what has a good manifest ready.
    ///
    /// # Errors
    /// What keeps it from being used.
    pub(crate) fn open(source: &Source, workshop: &Workshop) -> Result<Self, Box<Finding>> {
        let package = match source.package() {
            Some(package) => package.clone(),
            None => Package::pack(source.path()).map_err(|why| Box::new(not_packed(source, &why)))?,
        };
        let compiled = package.compiled(&workshop.runtime).map_err(|why| {
            let manifest = &package.manifest;
            let script = manifest.script.as_ref().map(|script| script.file.as_str());
            let file = script.or(manifest.component_file()).unwrap_or(MANIFEST_FILE);
            Box::new(in_english("bad-component", &source.file(file), &why))
        })?;
        Ok(Self {
            manifest: package.manifest.clone(),
            package,
            imports: compiled.imports.clone(),
            runtime: workshop.runtime.clone(),
            compiled,
        })
    }

    /// A seat with all that the manifest asks for, as if a person had approved it.
    pub fn seat(&self, campus: &Arc<Campus>, settings: &BTreeMap<String, String>, budget: Budget) -> Seat {
        let approval = Approval { settings: settings.clone(), ..Approval::of_all(&self.package, "kit") };
        let grants = Arc::new(self.package.grants(campus.clone(), &approval));
        Seat::new(self.runtime.clone(), self.compiled.clone(), grants, budget, Saved::default())
    }

    /// How long its body takes to compile on this machine, s.
    ///
    /// # Errors
    /// Where the machine has no room for another compiler.
    pub fn compile_s(&self) -> Result<f64, ReadyError> {
        let fresh = Runtime::new(None)?;
        let began = Instant::now();
        self.package.compiled(&fresh)?;
        Ok(began.elapsed().as_secs_f64())
    }

    /// Whether it starts; what it costs to start beside its limits.
    pub(crate) fn starts(&self, source: &Source, campus: &Arc<Campus>) -> Vec<Finding> {
        let mut seat = self.seat(campus, &BTreeMap::new(), Budget::Fuel);
        let world =
            World::new(Arc::new(Schema::of(campus)), campanile_model::Timestamp(1_782_263_700_000_000));
        let outcome = seat.start(&Around::of(Arc::new(world)));
        let body = match &self.manifest.script {
            Some(script) => script.file.as_str(),
            None => self.manifest.component_file().unwrap_or("plugin.wasm"),
        };
        let Some(failure) = outcome.failure else { return Vec::new() };
        let said = failure.to_string();
        let place = match (&self.manifest.script, &failure) {
            (Some(_), Failure::Start { why }) => place_in_script(why),
            _ => None,
        };
        let last: Vec<&str> = outcome.log.iter().map(|line| line.text.as_str()).collect();
        let log =
            if last.len() > 1 { format!(" ({})", last[..last.len() - 1].join("; ")) } else { String::new() };
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

/// Why a folder can't be packed.
fn not_packed(source: &Source, why: &PackageError) -> Finding {
    match why {
        PackageError::Missing { name, .. } if name.ends_with(".wasm") => not_built(&source.file(name), name),
        PackageError::Missing { name, .. } | PackageError::File { name, .. } => {
            in_english("bad-package", &source.file(name), why)
        }
        _ => in_english("bad-package", &source.file(MANIFEST_FILE), why),
    }
}

/// There is no component yet.
pub(crate) fn not_built(file: &FsPath, name: &str) -> Finding {
    Finding::error(
        "not-built",
        file,
        Names::new(format!("没有组件 {name}"), format!("there is no component {name}")),
        Names::new("先运行 campanile plugin build。", "Build it first: campanile plugin build."),
    )
}

/// What a library says, which has its mend in it.
pub(crate) fn in_english(code: &'static str, file: &FsPath, why: &dyn std::error::Error) -> Finding {
    let said = why.to_string();
    let mend = Names::new("按上面的说明修改。", "Mend it as it says.");
    Finding::error(code, file, Names::new(&said, &said), mend)
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
