//! The engine that compiles components, and what it has compiled before.

use std::hash::{Hash, Hasher};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store};

use crate::bindings::exports::{directing, handler, learning};
use crate::bindings::{activity::Activity, drill::Drill, rule::Rule};
use crate::file::write_private;
use crate::host::HostState;
use crate::manifest::{API, Kind, Manifest};

/// The epoch of the engine goes up so often.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// The stack of a guest.
const STACK_BYTES: usize = 512 << 10;
/// Instances that there is room for: plugins times worlds.
const INSTANCES: u32 = 1024;
/// The largest component that is taken: one of Python has 18 MB.
const MOST_COMPONENT: usize = 64 << 20;
/// What every import of a component begins with.
const PACKAGE: &str = "campanile:plugin/";

/// Why a component can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// It is too large.
    #[error("the component has {0} bytes, at most {MOST_COMPONENT} may be")]
    TooLarge(usize),
    /// It is no component, or a broken one.
    #[error("the file is no WebAssembly component: {0}. Build it with `campanile plugin build`")]
    NotAComponent(String),
    /// It wants something that no plugin gets.
    #[error("the component imports {import}, which no plugin gets: {mend}")]
    Import {
        /// The import.
        import: String,
        /// What brings it in, and what to do about it.
        mend: String,
    },
    /// It is made for another world or another version.
    #[error("the component does not fit the contract {API} of a {kind}: {why}")]
    Contract {
        /// The kind of its manifest.
        kind: &'static str,
        /// What does not fit.
        why: String,
    },
    /// The machine.
    #[error("the plugin engine: {0}")]
    Engine(String),
    /// The cache.
    #[error("{file}: {why}")]
    Cache {
        /// Which file.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

pub(crate) fn engine_error(why: wasmtime::Error) -> ComponentError {
    ComponentError::Engine(format!("{why:#}"))
}

/// A component that is ready to be instantiated.
#[derive(Clone)]
pub struct Compiled {
    pre: InstancePre<HostState>,
    handler: handler::GuestIndices,
    learning: Option<learning::GuestIndices>,
    directing: Option<directing::GuestIndices>,
    /// The kind of plugin that it is.
    pub kind: Kind,
    /// The hash of the component, BLAKE3.
    pub hash: blake3::Hash,
    /// Whether it came from the cache.
    pub from_cache: bool,
    /// The interfaces that it imports, by name.
    pub imports: Vec<String>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("hash", &self.hash).field("from_cache", &self.from_cache).finish()
    }
}

/// What the host calls of an instance, whatever its kind.
pub(crate) struct Guest {
    /// What every plugin hears.
    pub handler: handler::Guest,
    /// What an activity hears beside.
    pub learning: Option<learning::Guest>,
    /// What a drill hears beside.
    pub directing: Option<directing::Guest>,
}

impl Compiled {
    fn new(kind: Kind, component: &Component, linker: &Linker<HostState>) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        let ty = component.component_type();
        Ok(Self {
            handler: handler::GuestIndices::new(&pre)?,
            learning: (kind == Kind::Activity).then(|| learning::GuestIndices::new(&pre)).transpose()?,
            directing: (kind == Kind::Drill).then(|| directing::GuestIndices::new(&pre)).transpose()?,
            kind,
            hash: blake3::Hash::from_bytes([0; blake3::OUT_LEN]),
            from_cache: false,
            imports: ty.imports(linker.engine()).map(|(name, _)| name.to_owned()).collect(),
            pre,
        })
    }

    /// The component itself.
    pub(crate) fn component(&self) -> &Component {
        self.pre.component()
    }

    pub(crate) fn instantiate(&self, store: &mut Store<HostState>) -> wasmtime::Result<Guest> {
        let instance = self.pre.instantiate(&mut *store)?;
        Ok(Guest {
            handler: self.handler.load(&mut *store, &instance)?,
            learning: self.learning.as_ref().map(|it| it.load(&mut *store, &instance)).transpose()?,
            directing: self.directing.as_ref().map(|it| it.load(&mut *store, &instance)).transpose()?,
        })
    }
}

/// Compiles components for all worlds of a process.
pub struct Runtime {
    engine: Engine,
    /// What each kind may import, and nothing beside.
    rules: Linker<HostState>,
    activities: Linker<HostState>,
    drills: Linker<HostState>,
    cache: Option<Cache>,
    stop: Arc<AtomicBool>,
    ticker: Option<std::thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 8)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * 4)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_core_instances_per_component(40)
        .max_memories_per_component(1)
        .max_tables_per_component(4)
        .max_tables_per_module(4)
        .max_memory_size(256 << 20)
        .linear_memory_keep_resident(64 << 10);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .consume_fuel(true)
        .max_wasm_stack(STACK_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

impl Runtime {
    /// A runtime. With a folder, what it compiles is kept there for the next start.
    ///
    /// # Errors
    /// Where the machine has no room for it, or the folder can't be used.
    pub fn new(cache: Option<&FsPath>) -> Result<Self, ComponentError> {
        let engine = Engine::new(&config()).map_err(engine_error)?;
        let (mut rules, mut activities) = (Linker::new(&engine), Linker::new(&engine));
        let mut drills = Linker::new(&engine);
        Rule::add_to_linker::<_, HasSelf<HostState>>(&mut rules, |state| state)
            .and_then(|()| Activity::add_to_linker::<_, HasSelf<HostState>>(&mut activities, |state| state))
            .and_then(|()| Drill::add_to_linker::<_, HasSelf<HostState>>(&mut drills, |state| state))
            .map_err(engine_error)?;
        let cache = cache.map(|dir| Cache::open(dir, &engine)).transpose()?;
        let stop = Arc::new(AtomicBool::new(false));
        let (ticking, over) = (engine.clone(), stop.clone());
        let ticker = std::thread::Builder::new().name("plugin-epoch".to_owned()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                ticking.increment_epoch();
            }
        });
        let ticker = Some(ticker.map_err(|why| ComponentError::Engine(why.to_string()))?);
        Ok(Self { engine, rules, activities, drills, cache, stop, ticker })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Makes a component ready: from the cache where this runtime compiled the same bytes before, else compiled now.
    ///
    /// # Errors
    /// [`ComponentError`], with the mend.
    pub fn compile(&self, manifest: &Manifest, bytes: &[u8]) -> Result<Compiled, ComponentError> {
        if bytes.len() > MOST_COMPONENT {
            return Err(ComponentError::TooLarge(bytes.len()));
        }
        let hash = blake3::hash(bytes);
        let kept = self.cache.as_ref().and_then(|cache| cache.load(&self.engine, &hash));
        let from_cache = kept.is_some();
        let component = match kept {
            Some(component) => component,
            None => Component::new(&self.engine, bytes)
                .map_err(|why| ComponentError::NotAComponent(format!("{why:#}")))?,
        };
        let imports = component.component_type();
        let mut imports = imports.imports(&self.engine).map(|(name, _)| name);
        if let Some(import) = imports.find(|name| !is_ours(name)) {
            let mend = mend_of(import).to_owned();
            return Err(ComponentError::Import { import: import.to_owned(), mend });
        }
        let linker = match manifest.kind {
            Kind::Rule => &self.rules,
            Kind::Activity => &self.activities,
            Kind::Drill => &self.drills,
        };
        let compiled = Compiled::new(manifest.kind, &component, linker).map_err(|why| {
            ComponentError::Contract { kind: manifest.kind.world(), why: format!("{why:#}") }
        })?;
        if let (false, Some(cache)) = (from_cache, &self.cache) {
            cache.store(&component, &hash)?;
        }
        Ok(Compiled { hash, from_cache, ..compiled })
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // It has nothing to fail with.
            let _ = ticker.join();
        }
    }
}

/// Whether an import is one of the contract's, of this version.
fn is_ours(import: &str) -> bool {
    import.starts_with(PACKAGE) && import.ends_with(&format!("@{API}"))
}

/// What brings an import in, and what to do about it.
fn mend_of(import: &str) -> &'static str {
    if import.starts_with(PACKAGE) {
        return "it is another version of the contract; build the plugin with the SDK of this one";
    }
    if !import.starts_with("wasi:") {
        return "a plugin imports the contract only; look for what names it in the plugin's code";
    }
    match import.split(['/', '@']).nth(1).unwrap_or_default() {
        "stdout" | "stderr" | "stdin" | "streams" | "terminal-output" | "error" => {
            "printing brings it in (print, println!, printf, console.log); write to the log of the contract"
        }
        "wall-clock" | "monotonic-clock" | "poll" => {
            "a clock brings it in (std::time, time.time, Date); take the time from the clock of the contract"
        }
        "random" | "insecure" | "insecure-seed" => {
            "random numbers bring it in (a HashMap of std does too); make them of a seed in the store"
        }
        "types" | "preopens" => "files bring it in (std::fs, open); keep what has to be kept in the store",
        "environment" | "exit" => "environment or exit bring it in; take settings from `start`, and return",
        _ => "a library that expects an operating system brings it in; build for wasm32-unknown-unknown",
    }
}

/// Compiled components on the disk.
///
/// What is loaded is machine code that runs in this process, so nothing is loaded but what this hub wrote: each file
/// begins with a keyed hash of the rest, by a key that lies beside it and that nobody else may read. A file of another
/// engine, a broken or a foreign one is as none.
struct Cache {
    dir: PathBuf,
    key: [u8; 32],
    /// What the engine is: its version and settings.
    engine: u64,
}

const MAC_BYTES: usize = 32;

impl Cache {
    fn open(dir: &FsPath, engine: &Engine) -> Result<Self, ComponentError> {
        let failed = |file: &FsPath| {
            let file = file.to_owned();
            move |why| ComponentError::Cache { file, why }
        };
        std::fs::create_dir_all(dir).map_err(failed(dir))?;
        let file = dir.join("key");
        let key = match std::fs::read(&file).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
            Some(key) => key,
            None => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|why| ComponentError::Engine(why.to_string()))?;
                write_private(&file, &key).map_err(failed(&file))?;
                key
            }
        };
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { dir: dir.to_owned(), key, engine: hasher.finish() })
    }

    fn file(&self, hash: &blake3::Hash) -> PathBuf {
        self.dir.join(format!("{}-{:016x}.cwasm", hash.to_hex(), self.engine))
    }

    /// The hash covers the component's too: a file under another name is a foreign one.
    fn mac(&self, hash: &blake3::Hash, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(hash.as_bytes()).update(&self.engine.to_le_bytes()).update(code);
        hasher.finalize()
    }

    fn load(&self, engine: &Engine, hash: &blake3::Hash) -> Option<Component> {
        let bytes = std::fs::read(self.file(hash)).ok()?;
        let (mac, code) = bytes.split_at_checked(MAC_BYTES)?;
        // Comparing hashes of blake3 takes the same time whatever they are.
        if self.mac(hash, code) != blake3::Hash::from_slice(mac).ok()? {
            return None;
        }
        // SAFETY: `Component::deserialize` asks that the bytes come from `Component::serialize` (or precompilation) and
        // were not changed. The keyed hash was made in `store` of this type over exactly these bytes, right after
        // `Component::serialize` gave them; whoever has not the key, which only this hub's user may read, can't make
        // one. Who can read it can change this program as well. Another version or configuration of the engine has
        // another `engine` hash, and wasmtime itself refuses what is not its own.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    fn store(&self, component: &Component, hash: &blake3::Hash) -> Result<(), ComponentError> {
        let code = component.serialize().map_err(engine_error)?;
        let mut bytes = self.mac(hash, &code).as_bytes().to_vec();
        bytes.extend(code);
        let file = self.file(hash);
        write_private(&file, &bytes).map_err(|why| ComponentError::Cache { file, why })
    }
}
