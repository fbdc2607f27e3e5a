//! `campanile bench hostile`: whether a hub keeps its pace while plugins do their worst in it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use campanile_client::{Access, Client, ClientError};
use campanile_gateway::Publisher;
use campanile_model::Campus;
use campanile_plugins::Package;
use campanile_protocol::plugins::{
    ApprovePlugin, PackageAnswer, PluginAnswer, PluginRequest, PluginState, PluginsAnswer,
};
use serde_json::{Value, json};

use crate::bench_hub::{HubProcess, Round, listen, median, publisher, send};
use crate::bench_ingest::{AnyError, in_a_folder, join};
use crate::failure::Failure;

/// Pairs of windows: one in which the plugins are stopped and one in which they work.
const PAIRS: usize = 6;
/// After plugins were begun or stopped; the worst of a beginning is part of what is measured.
const SETTLE: Duration = Duration::from_millis(500);
/// Samples a second while latency is measured; and more than any machine of today takes.
const PACED_PER_S: f64 = 5000.0;
const FLAT_OUT_PER_S: f64 = 1e9;
/// Samples that may be under way when as many are sent as the hub takes.
const MOST_UNDER_WAY: u64 = 20_000;
/// The one plugin among them that does its work.
const NEIGHBOUR: &str = "good-neighbour";

/// The hostile plugins of a checkout, packed with what `scripts/guests.sh` built of them.
fn packages(sources: &Path, built: &Path, work: &Path) -> Result<Vec<Package>, AnyError> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(sources)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    for folder in folders.into_iter().filter(|folder| folder.join("plugin.toml").is_file()) {
        let name = folder.file_name().unwrap_or_default();
        let component = built.join(name).with_extension("wasm");
        // One of them has no component that could be built: it is refused before it is there.
        if !component.is_file() {
            continue;
        }
        let to = work.join(name);
        std::fs::create_dir_all(&to)?;
        std::fs::copy(folder.join("plugin.toml"), to.join("plugin.toml"))?;
        std::fs::copy(component, to.join("plugin.wasm"))?;
        found.push(Package::pack(&to)?);
    }
    Ok(found)
}

/// Sends and approves all; their ids.
fn install(client: &Client, packages: &[Package]) -> Result<Vec<String>, AnyError> {
    let mut ids = Vec::new();
    for package in packages {
        let query = [("unsigned", "true".to_owned())];
        let bytes = package.bytes()?;
        let lies: PackageAnswer =
            client.give("/api/v1/plugins/packages", &query, "application/zip", &bytes)?;
        let request = ApprovePlugin {
            plugin: lies.id.clone(),
            version: lies.version.version,
            package: lies.version.package,
            capability: Some(lies.version.capability),
            settings: Default::default(),
            reason: "bench".to_owned(),
        };
        match client.post::<PluginAnswer>("/api/v1/plugins/approve", &request) {
            Ok(_) => ids.push(lies.id),
            // One that can't even start.
            Err(ClientError::Refused { status: 400..500, .. }) => {}
            Err(why) => return Err(why.into()),
        }
    }
    if ids.len() < packages.len() / 2 {
        return Err(format!("the hub has taken only {} of {} plugins", ids.len(), packages.len()).into());
    }
    Ok(ids)
}

fn all(client: &Client, what: &str, ids: &[String]) -> Result<(), AnyError> {
    for id in ids {
        let request = PluginRequest { plugin: id.clone(), version: None, reason: "bench".to_owned() };
        client.tell(&format!("/api/v1/plugins/{what}"), &request)?;
    }
    std::thread::sleep(SETTLE);
    Ok(())
}

/// What was found in a window.
struct Window {
    per_s: f64,
    paced: Round,
}

struct Load<'a> {
    hub: &'a HubProcess,
    campus: &'a Arc<Campus>,
    latencies: Arc<Mutex<Vec<i64>>>,
    window: Duration,
}

impl Load<'_> {
    /// Publishes at a pace while a window lasts; gives what `look` finds in it.
    fn under<T>(&self, per_s: f64, look: impl FnOnce() -> Result<T, AnyError>) -> Result<T, AnyError> {
        let publisher: Publisher = publisher(self.hub.broker(), self.campus)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (told, campus) = (stop.clone(), self.campus.clone());
        let api = self.hub.api();
        let base = self.hub.samples()?;
        let sender = std::thread::Builder::new().name("bench-sender".to_owned()).spawn(move || {
            let taken = || crate::bench_hub::samples_of(api).map_or(0, |taken| taken.saturating_sub(base));
            let sent = send(&publisher, &campus, &told, per_s, |sent| {
                let has_room = per_s < FLAT_OUT_PER_S || sent < taken() + MOST_UNDER_WAY;
                if !has_room {
                    std::thread::sleep(Duration::from_millis(2));
                }
                has_room
            });
            publisher.stop();
            sent
        })?;
        std::thread::sleep(SETTLE);
        let found = look();
        stop.store(true, Ordering::Release);
        let sent = sender.join().map_err(|_| "the sender has panicked")??;
        let began = Instant::now();
        while self.hub.samples()? < base + sent {
            if began.elapsed() > Duration::from_secs(30) {
                return Err(format!("the hub has not taken all of {sent} samples").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        found
    }

    fn window(&self) -> Result<Window, AnyError> {
        let per_s = self.under(FLAT_OUT_PER_S, || {
            let (before, began) = (self.hub.samples()?, Instant::now());
            std::thread::sleep(self.window);
            Ok((self.hub.samples()? - before) as f64 / began.elapsed().as_secs_f64())
        })?;
        let paced = self.under(PACED_PER_S, || {
            self.latencies.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Round::of(self.hub, self.window, &self.latencies)
        })?;
        Ok(Window { per_s, paced })
    }
}

/// A hub of the demo campus with all hostile plugins: windows in which they work beside windows in which they are stopped.
pub fn run(dir: &Path, campus: &Arc<Campus>, seconds: f64) -> Result<Vec<Value>, Failure> {
    let root = dir.join("../..");
    let missing = || {
        Failure::input("the hostile plugins are not among what was built")
            .mend("build them with scripts/guests.sh, or name their folder in CAMPANILE_PLUGINS")
    };
    let built = campanile_plugins::shipped_dir().map(|dir| dir.join("hostile")).filter(|dir| dir.is_dir());
    let built = built.ok_or_else(missing)?;
    in_a_folder(|work| {
        std::fs::create_dir_all(work)?;
        let packages = packages(&root.join("tests/hostile"), &built, &work.join("packages"))?;
        let hub = HubProcess::start(dir, &work.join("data"), None)?;
        let client = Client::new(&format!("http://{}", hub.api()), &Access::default())?;
        let ids = install(&client, &packages)?;
        let latencies = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (socket, told, mine) = (join(hub.api())?, over.clone(), latencies.clone());
        let client_thread = std::thread::Builder::new()
            .name("bench-client".to_owned())
            .spawn(move || listen(socket, &told, Some(&mine)))?;
        let load = Load { hub: &hub, campus, latencies, window: Duration::from_secs_f64(seconds) };
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        // The first finds cold caches.
        all(&client, "stop", &ids)?;
        load.window()?;
        for pair in 0..PAIRS {
            for is_beside in [pair % 2 == 0, pair % 2 == 1] {
                all(&client, if is_beside { "start" } else { "stop" }, &ids)?;
                let window = load.window()?;
                if is_beside { &mut beside } else { &mut alone }.push(window);
            }
        }
        let listed: PluginsAnswer = client.get("/api/v1/plugins", &[])?;
        let good = listed.plugins.iter().find(|plugin| plugin.id == NEIGHBOUR);
        if !good.is_some_and(|plugin| plugin.state == PluginState::Working) {
            return Err(format!("the good neighbour does not work any more: {good:?}").into());
        }
        over.store(true, Ordering::Release);
        let heard = client_thread.join().map_err(|_| "the client has panicked")?;
        if !heard {
            return Err("the hub has let go of a client that reads".into());
        }
        let of = format!("{} hostile plugins, {PAIRS} pairs of windows, medians", ids.len() - 1);
        let middle = |windows: &[Window], value: fn(&Window) -> f64| {
            median(&mut windows.iter().map(value).collect::<Vec<_>>())
        };
        let figure = |name: &str, value: f64, unit: &str, goal: &str| json!({"name": name, "value": value, "unit": unit, "goal": goal, "reference": of});
        let both = |value: fn(&Window) -> f64| [middle(&alone, value), middle(&beside, value)];
        let [per_s, per_s_beside] = both(|w| w.per_s);
        let [p50, p50_beside] = both(|w| w.paced.p50_ms);
        let [p99, p99_beside] = both(|w| w.paced.p99_ms);
        let [cpu, cpu_beside] = both(|w| w.paced.cpu_pct);
        Ok(vec![
            figure("ratio_pace_beside_hostile", per_s_beside / per_s, "1", ">= 0.95"),
            figure("alone_samples_per_s", per_s, "1/s", ""),
            figure("beside_samples_per_s", per_s_beside, "1/s", ""),
            figure("alone_latency_p50_ms", p50, "ms", ""),
            figure("beside_latency_p50_ms", p50_beside, "ms", ""),
            figure("alone_latency_p99_ms", p99, "ms", ""),
            figure("beside_latency_p99_ms", p99_beside, "ms", ""),
            figure("alone_cpu_pct", cpu, "%", ""),
            figure("beside_cpu_pct", cpu_beside, "%", ""),
        ])
    })
}
