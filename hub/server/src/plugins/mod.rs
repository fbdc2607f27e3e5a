//! Plugins of the hub: what lies on the shelf, what is approved, and who is at work.

mod crew;
mod endpoints;
mod keep;
mod panels;
mod past;
mod shelf;
mod trials;

use std::collections::BTreeMap;
use std::path::{Path as FsPath, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use campanile_model::Campus;
use campanile_plugins::{
    Approval, Around, Budget, Capabilities, Compiled, ComponentError, Grants, Kind, Manifest, Package, Past,
    PublicKey, Runtime, Saved, Seat, extended, what_it_may_do,
};
use campanile_protocol::plugins::{
    ApprovePlugin, ChangeScript, PackageAnswer, PanelInfo, PluginInfo, PluginLogs, PluginScript,
    PluginSetting, PluginState, PluginVersion, PluginWork, ScriptAnswer, TrustAnswer, TrustRequest,
    TrustedKey,
};
use campanile_rehearsal::KeptSeat;

use crate::live::Live;
use crate::people::By;
use crate::words::say;

pub use crew::{Crew, NEWS, Report};
pub use endpoints::router;
pub use panels::shown;
use shelf::{Approved, Lying, SHIPPED};
pub use shelf::{Shelf, shipped};

/// The most plugins at work.
pub const MOST_PLUGINS: usize = 256;
/// The most packages on the shelf.
pub const MOST_PACKAGES: usize = 1024;
/// The folder of plugins under the hub's data.
pub const FOLDER: &str = "plugins";
/// The longest text of a script that is sent.
const MOST_SCRIPT: usize = 64 * 1024;

/// Why something is not done with a plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginsError {
    /// There is none.
    #[error("there is no plugin '{0}'; GET /api/v1/plugins lists them")]
    NotFound(String),
    /// There is no such version.
    #[error("there is no version {version} of the plugin '{id}' in the hub")]
    NoVersion {
        /// Which plugin.
        id: String,
        /// Which version.
        version: String,
    },
    /// The package is none.
    #[error("{0}")]
    Package(String),
    /// The package is not believed.
    #[error("{0}")]
    Signature(String),
    /// Another package of this version lies there.
    #[error(
        "version {version} of '{id}' lies in the hub with another content: give yours a version of its own"
    )]
    OtherContent {
        /// Which plugin.
        id: String,
        /// Which version.
        version: String,
    },
    /// Another package was seen than lies there.
    #[error("the package of '{0}' is not the one that was seen: look at it again before you approve it")]
    NotSeen(String),
    /// There are too many.
    #[error("{MOST_PACKAGES} packages and {MOST_PLUGINS} plugins at work are the most: remove some first")]
    TooMany,
    /// What was asked can't be.
    #[error("{0}")]
    Asked(String),
    /// It would not start.
    #[error("the plugin would not start: {0}")]
    Start(String),
    /// It does not do that.
    #[error("{0}")]
    Refused(String),
    /// The trusted keys.
    #[error("trusted keys: {0}")]
    Trust(String),
    /// The approvals.
    #[error("{file} can't be read or written: {why}")]
    Approved {
        /// Their file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The disk.
    #[error("{file}: {why}")]
    Disk {
        /// Which file.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// It is not stored.
    #[error("the audit record can't be stored now")]
    NotStored,
}

/// What a change needs, for who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is so now.
    Now,
    /// It is so when the hub has begun anew, which it does by itself: the points of the campus are others.
    AfterRestart,
}

/// The plugins of a hub.
pub struct Plugins {
    live: Arc<Live>,
    crew: Arc<Crew>,
    /// The campus without what plugins derive.
    campus: Arc<Campus>,
    shelf: Mutex<Shelf>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
    runtime: OnceLock<Arc<Runtime>>,
    /// Plugins that could not be begun, and why.
    broken: Mutex<BTreeMap<String, String>>,
    restart: AtomicBool,
    trials: trials::Trials,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what compiles, reads the disk or waits for the world, off the tasks that serve sockets.
fn away<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// A campus with what approved plugins derive.
pub fn campus_with(campus: &Campus, shelf: &Shelf) -> Campus {
    let manifests = shelf.manifests(None);
    extended(campus, manifests.iter().map(|manifest| &**manifest))
}

/// Approves what is shipped with the program and nobody has decided on yet: for a demonstration.
///
/// # Errors
/// Where the disk does not take it.
pub fn approve_shipped(shelf: &mut Shelf) -> Result<(), PluginsError> {
    for file in shipped() {
        let bytes = std::fs::read(&file).map_err(|why| PluginsError::Disk { file: file.clone(), why })?;
        let package = Package::read(&bytes).map_err(|why| PluginsError::Package(why.to_string()))?;
        let manifest = &package.manifest;
        let known = shelf.approved(&manifest.id).is_some_and(|a| a.approval.by != SHIPPED);
        if known {
            continue;
        }
        let there = shelf.get(&manifest.id, &manifest.version).map(|lying| lying.hash);
        if there.is_some_and(|hash| hash != package.hash) {
            // The program was built anew: what it ships takes the place of what it shipped.
            shelf.remove(&manifest.id, Some(&manifest.version))?;
        }
        shelf.lay(&package)?;
        let approval = Approval::of_all(&package, SHIPPED);
        shelf.approve(Approved { approval, stopped: false, unsigned: false })?;
    }
    Ok(())
}

impl Plugins {
    /// Begins the approved plugins, with what they remember. One that can't be begun is said and left out.
    ///
    /// # Errors
    /// Where threads can't be started.
    pub fn start(live: Arc<Live>, campus: Arc<Campus>, shelf: Shelf) -> std::io::Result<Arc<Self>> {
        let (proposals, asked) = crossbeam_channel::bounded(MOST_PLUGINS);
        let crew = Crew::start(live.clone(), proposals)?;
        let trials = trials::Trials::start(live.clone(), crew.clone(), asked)?;
        let plugins = Arc::new(Self {
            live,
            crew,
            campus,
            shelf: Mutex::new(shelf),
            changing: tokio::sync::Mutex::default(),
            runtime: OnceLock::new(),
            broken: Mutex::default(),
            restart: AtomicBool::new(false),
            trials,
        });
        let mut remembered = keep::recall(plugins.live.history.as_ref());
        let ids = lock(&plugins.shelf).approved_ids();
        for id in ids {
            let saved = remembered.remove(&id).unwrap_or_default();
            plugins.begin(&id, saved);
        }
        plugins.live.crew.store(Some(plugins.crew.clone()));
        Ok(plugins)
    }

    /// Stops all.
    pub fn stop(&self) {
        // The crew knows the world and the world the crew: one has to let go.
        self.live.crew.store(None);
        self.trials.stop();
        self.crew.stop();
    }

    /// Whether the hub has to begin anew, because the points of the campus are others.
    pub fn wants_restart(&self) -> bool {
        self.restart.load(Ordering::Acquire)
    }

    fn begin(&self, id: &str, saved: Saved) {
        let stopped = lock(&self.shelf).approved(id).is_some_and(|approved| approved.stopped);
        let open = saved.memory.proposals.clone();
        match self.seat(id, Budget::Deadline, saved) {
            Ok(seat) => {
                lock(&self.broken).remove(id);
                self.crew.seat(seat, stopped);
                open.into_iter().for_each(|proposal| self.trials.ask(id, proposal));
            }
            Err(why) => {
                tracing::error!(plugin = id, %why, "a plugin can't be begun");
                lock(&self.broken).insert(id.to_owned(), why.to_string());
            }
        }
    }

    /// The engine of plugins; made when the first is begun.
    ///
    /// # Errors
    /// Where the machine has no room for it.
    pub fn runtime(&self) -> Result<Arc<Runtime>, PluginsError> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime.clone());
        }
        let cache = lock(&self.shelf).cache();
        let made = Runtime::new(Some(&cache)).map_err(|why| PluginsError::Refused(why.to_string()))?;
        Ok(self.runtime.get_or_init(|| Arc::new(made)).clone())
    }

    /// A seat of an approved plugin.
    fn seat(&self, id: &str, budget: Budget, saved: Saved) -> Result<Seat, PluginsError> {
        let (approved, lying) = {
            let shelf = lock(&self.shelf);
            let approved = shelf.approved(id).ok_or_else(|| PluginsError::NotFound(id.to_owned()))?.clone();
            let version = &approved.approval.version;
            let no_version = || PluginsError::NoVersion { id: id.to_owned(), version: version.clone() };
            let lying = shelf.get(id, version).ok_or_else(no_version)?.clone();
            (approved, lying)
        };
        if lying.hash.to_hex().as_str() != approved.approval.package {
            return Err(PluginsError::NotSeen(id.to_owned()));
        }
        if let (Err(why), false) = (&lying.signed, approved.unsigned) {
            return Err(PluginsError::Signature(why.clone()));
        }
        let package = lock(&self.shelf).package(&lying)?;
        let (compiled, grants) = self.prepare(&package, &approved.approval)?;
        Ok(Seat::new(self.runtime()?, compiled, grants, budget, saved))
    }

    /// A plugin's component, and what it may do on this campus.
    fn prepare(
        &self,
        package: &Package,
        approval: &Approval,
    ) -> Result<(Compiled, Arc<Grants>), PluginsError> {
        let ready = package.ready(&*self.runtime()?, self.live.campus.clone(), approval);
        ready.map_err(|why| PluginsError::Package(why.to_string()))
    }

    /// Whether a plugin would start as it is to be, beside the world.
    fn try_start(&self, compiled: &Compiled, grants: &Arc<Grants>) -> Result<(), PluginsError> {
        let runtime = self.runtime()?;
        let mut seat =
            Seat::new(runtime, compiled.clone(), grants.clone(), Budget::Deadline, Saved::default());
        let world = self.live.fork().ok_or(PluginsError::NotStored)?;
        let around = Around { past: self.crew.past(), ..Around::of(Arc::new(world)) };
        match crew::start_failure(&seat.start(&around)) {
            None => Ok(()),
            Some(why) => Err(PluginsError::Start(why)),
        }
    }

    /// Lays a package on the shelf.
    ///
    /// # Errors
    /// [`PluginsError`].
    pub async fn add(&self, by: &By, bytes: &[u8], unsigned: bool) -> Result<PackageAnswer, PluginsError> {
        let (lying, asks_more) = {
            let mut shelf = lock(&self.shelf);
            let lying = away(|| shelf.add(bytes, unsigned))?;
            let now = shelf.approved(&lying.manifest.id);
            let before = now.map_or_else(Vec::new, |now| {
                what_it_may_do(&lying.manifest, Some(&now.approval.capability), Some(&self.campus))
            });
            let asks = what_it_may_do(&lying.manifest, None, Some(&self.campus));
            let more: Vec<_> = asks.into_iter().filter(|line| !before.contains(line)).collect();
            (lying, more)
        };
        let detail = serde_json::json!({
            "subject": lying.manifest.id, "version": lying.manifest.version,
            "package": lying.hash.to_hex().as_str(), "signed": lying.signed.as_ref().ok(), "unsigned": unsigned,
        });
        self.audit(by, "plugin-add", "", detail).await?;
        self.tell();
        Ok(PackageAnswer {
            id: lying.manifest.id.clone(),
            names: lying.manifest.names(),
            asks: what_it_may_do(&lying.manifest, None, Some(&self.campus)),
            asks_more,
            version: self.version(&lying),
        })
    }

    /// Approves a version of a plugin.
    ///
    /// # Errors
    /// [`PluginsError`]; then nothing has changed.
    pub async fn approve(&self, by: &By, request: &ApprovePlugin) -> Result<Done, PluginsError> {
        let _one = self.changing.lock().await;
        let lying = {
            let shelf = lock(&self.shelf);
            let version = &request.version;
            let lying = shelf.get(&request.plugin, version);
            lying.cloned().ok_or_else(|| PluginsError::NoVersion {
                id: request.plugin.clone(),
                version: version.clone(),
            })?
        };
        if lying.hash.to_hex().as_str() != request.package {
            return Err(PluginsError::NotSeen(request.plugin.clone()));
        }
        let before = lock(&self.shelf).approved(&request.plugin).map(|a| a.approval.capability.clone());
        let capability: Capabilities = match &request.capability {
            // What was granted stays granted, and nothing more; what nobody has decided on yet is seen with the package.
            None => before.unwrap_or_else(|| lying.manifest.capability.clone()),
            Some(given) => serde_json::from_value(given.clone())
                .map_err(|why| PluginsError::Asked(say("malformed-capability", &[("why", &why)])))?,
        };
        check_settings(&lying.manifest, &request.settings)?;
        let mut settings = self.settings_of(&request.plugin, &lying.manifest);
        settings.extend(request.settings.clone());
        let approval = Approval {
            plugin: request.plugin.clone(),
            version: request.version.clone(),
            package: request.package.clone(),
            capability,
            settings,
            by: by.actor.clone(),
        };
        let detail = serde_json::json!({
            "subject": request.plugin, "before": lock(&self.shelf).approved(&request.plugin).map(|a| a.approval.clone()),
            "after": approval,
        });
        let unsigned = lying.signed.is_err();
        let approved = Approved { approval, stopped: false, unsigned };
        let done = away(|| self.put_in_force(&lying, approved))?;
        self.audit(by, "plugin-approve", &request.reason, detail).await?;
        Ok(done)
    }

    /// The settings in force that another version still has.
    fn settings_of(&self, id: &str, manifest: &Manifest) -> BTreeMap<String, String> {
        let shelf = lock(&self.shelf);
        let now = shelf.approved(id).map(|a| a.approval.settings.clone()).unwrap_or_default();
        now.into_iter().filter(|(id, _)| manifest.setting.iter().any(|s| s.id == *id)).collect()
    }

    /// From now on a plugin is as approved: at once where the campus' points stay as they are.
    fn put_in_force(&self, lying: &Lying, approved: Approved) -> Result<Done, PluginsError> {
        let id = approved.approval.plugin.clone();
        let at_work = self.crew.state(&id).is_some();
        if !at_work && lock(&self.shelf).approved_ids().len() >= MOST_PLUGINS {
            return Err(PluginsError::TooMany);
        }
        let package = lock(&self.shelf).package(lying)?;
        let (compiled, grants) = self.prepare(&package, &approved.approval)?;
        self.try_start(&compiled, &grants)?;
        let manifests = lock(&self.shelf).manifests(Some(&lying.manifest));
        let campus = extended(&self.campus, manifests.iter().map(|m| &**m));
        let paths = |campus: &Campus| campus.points.iter().map(|p| p.path.clone()).collect::<Vec<_>>();
        let same = paths(&campus) == paths(&self.live.campus);
        lock(&self.shelf).approve(approved)?;
        if !same {
            self.restart.store(true, Ordering::Release);
            self.tell();
            return Ok(Done::AfterRestart);
        }
        lock(&self.broken).remove(&id);
        if at_work {
            self.crew.replace(&id, compiled, grants);
            self.crew.set_stopped(&id, false);
        } else {
            let saved = keep::recall(self.live.history.as_ref()).remove(&id).unwrap_or_default();
            let mut seat = Seat::new(self.runtime()?, compiled, grants, Budget::Deadline, saved);
            seat.revive();
            self.crew.seat(seat, false);
        }
        self.tell();
        Ok(Done::Now)
    }

    /// Stops a plugin, or lets it work again.
    ///
    /// # Errors
    /// [`PluginsError`].
    pub async fn set_stopped(
        &self,
        by: &By,
        id: &str,
        stopped: bool,
        reason: &str,
    ) -> Result<(), PluginsError> {
        let _one = self.changing.lock().await;
        let approved = lock(&self.shelf).approved(id).cloned();
        let approved = approved.ok_or_else(|| PluginsError::NotFound(id.to_owned()))?;
        lock(&self.shelf).approve(Approved { stopped, ..approved })?;
        away(|| {
            if !self.crew.set_stopped(id, stopped) && !stopped {
                let saved = keep::recall(self.live.history.as_ref()).remove(id).unwrap_or_default();
                self.begin(id, saved);
            }
        });
        let act = if stopped { "plugin-stop" } else { "plugin-start" };
        self.audit(by, act, reason, serde_json::json!({"subject": id})).await?;
        self.tell();
        Ok(())
    }

    /// Changes settings of a plugin; it begins with the new ones.
    ///
    /// # Errors
    /// [`PluginsError`]; then nothing has changed.
    pub async fn set_settings(
        &self,
        by: &By,
        id: &str,
        settings: &BTreeMap<String, String>,
        reason: &str,
    ) -> Result<(), PluginsError> {
        let _one = self.changing.lock().await;
        let (lying, mut approved) = self.in_force(id)?;
        check_settings(&lying.manifest, settings)?;
        let before = approved.approval.settings.clone();
        approved.approval.settings.extend(settings.clone());
        let detail =
            serde_json::json!({"subject": id, "before": before, "after": approved.approval.settings});
        away(|| self.put_in_force(&lying, approved))?;
        self.audit(by, "plugin-settings", reason, detail).await
    }

    fn in_force(&self, id: &str) -> Result<(Lying, Approved), PluginsError> {
        let shelf = lock(&self.shelf);
        let approved = shelf.approved(id).ok_or_else(|| PluginsError::NotFound(id.to_owned()))?;
        let version = &approved.approval.version;
        let lying = shelf.get(id, version);
        let lying =
            lying.ok_or_else(|| PluginsError::NoVersion { id: id.to_owned(), version: version.clone() })?;
        Ok((lying.clone(), approved.clone()))
    }

    /// Removes a version, or a plugin with all that it remembers.
    ///
    /// # Errors
    /// [`PluginsError`].
    pub async fn remove(
        &self,
        by: &By,
        id: &str,
        version: Option<&str>,
        reason: &str,
    ) -> Result<Done, PluginsError> {
        let _one = self.changing.lock().await;
        let had_points = {
            let shelf = lock(&self.shelf);
            if !shelf.plugins().contains_key(id) && shelf.approved(id).is_none() {
                return Err(PluginsError::NotFound(id.to_owned()));
            }
            let in_force = shelf.approved(id).map(|a| a.approval.version.as_str());
            if let Some(version) = version {
                if shelf.get(id, version).is_none() {
                    let (id, version) = (id.to_owned(), version.to_owned());
                    return Err(PluginsError::NoVersion { id, version });
                }
                if in_force == Some(version) {
                    return Err(PluginsError::Refused(say("conflict-version-in-force", &[])));
                }
            }
            self.live.campus.entity(&format!("plugin/{id}")).is_some()
        };
        if version.is_none() {
            away(|| self.crew.remove(id));
            lock(&self.broken).remove(id);
        }
        lock(&self.shelf).remove(id, version)?;
        let mut records = Vec::new();
        if version.is_none() {
            records = keep::forget(id, self.live.history.as_ref());
        }
        let detail = serde_json::json!({"subject": id, "version": version});
        records.push(by.audit(crate::live::wall_clock(), "plugin-remove", reason, detail));
        self.live.keep(records).await.map_err(|()| PluginsError::NotStored)?;
        self.tell();
        if version.is_none() && had_points {
            self.restart.store(true, Ordering::Release);
            return Ok(Done::AfterRestart);
        }
        Ok(Done::Now)
    }

    /// The script of a plugin.
    ///
    /// # Errors
    /// [`PluginsError`].
    pub fn script(&self, id: &str) -> Result<PluginScript, PluginsError> {
        let (lying, _) = self.in_force(id)?;
        let package = lock(&self.shelf).package(&lying)?;
        let no_script = || PluginsError::Refused(say("conflict-no-script", &[("plugin", &id)]));
        let (file, text) = package.script().ok_or_else(no_script)?;
        let started = lock(&self.broken).get(id).map(|why| crew::script_error(why, file));
        Ok(PluginScript {
            plugin: id.to_owned(),
            file: file.to_owned(),
            text: text.to_owned(),
            error: started.or_else(|| self.crew.error(id, file)),
        })
    }

    /// Puts a new text in place of a script, as a version of its own, or only tries whether it would start.
    ///
    /// # Errors
    /// [`PluginsError`]; a script that would not start is an answer, not an error.
    pub async fn change_script(&self, by: &By, request: &ChangeScript) -> Result<ScriptAnswer, PluginsError> {
        let id = request.plugin.as_str();
        if request.text.len() > MOST_SCRIPT {
            return Err(PluginsError::Asked(say("too-large-script", &[("bytes", &MOST_SCRIPT)])));
        }
        let _one = self.changing.lock().await;
        let (lying, approved) = self.in_force(id)?;
        let package = lock(&self.shelf).package(&lying)?;
        let no_script = || PluginsError::Refused(say("conflict-no-script", &[("plugin", &id)]));
        let (file, _) = package.script().ok_or_else(no_script)?;
        let file = file.to_owned();
        let broken = |why: campanile_plugins::PackageError| PluginsError::Package(why.to_string());
        let changed = package.with(&file, request.text.as_bytes()).map_err(broken)?;
        let tried = away(|| {
            let (compiled, grants) = self.prepare(&changed, &approved.approval)?;
            self.try_start(&compiled, &grants)
        });
        match tried {
            Err(PluginsError::Start(why)) => {
                return Ok(ScriptAnswer { error: Some(crew::script_error(&why, &file)) });
            }
            Err(why) => return Err(why),
            Ok(()) if request.check_only => return Ok(ScriptAnswer::default()),
            Ok(()) => {}
        }
        let changed = lock(&self.shelf).next_version(&changed)?;
        let lying = lock(&self.shelf).lay(&changed)?;
        let approval = Approval {
            version: changed.manifest.version.clone(),
            package: changed.hash.to_hex().to_string(),
            by: by.actor.clone(),
            ..approved.approval
        };
        let detail = serde_json::json!({
            "subject": id, "version": approval.version, "package": approval.package, "script": file,
        });
        let approved = Approved { approval, stopped: approved.stopped, unsigned: true };
        away(|| self.put_in_force(&lying, approved))?;
        self.audit(by, "plugin-script", &request.reason, detail).await?;
        Ok(ScriptAnswer::default())
    }

    /// The keys that are trusted.
    pub fn trust(&self) -> TrustAnswer {
        let shelf = lock(&self.shelf);
        let key = |k: &campanile_plugins::TrustedKey| TrustedKey { name: k.name.clone(), key: k.key.hex() };
        TrustAnswer { keys: shelf.trust().keys().iter().map(key).collect() }
    }

    /// Trusts a key, or no longer does.
    ///
    /// # Errors
    /// [`PluginsError`].
    pub async fn set_trust(&self, by: &By, request: &TrustRequest) -> Result<(), PluginsError> {
        {
            let mut shelf = lock(&self.shelf);
            let mut trust = shelf.trust().clone();
            match &request.key {
                Some(key) => {
                    let key = PublicKey::parse(key).map_err(|why| PluginsError::Asked(why.to_string()))?;
                    trust.add(&request.name, key).map_err(|why| PluginsError::Asked(why.to_string()))?;
                }
                None if trust.remove(&request.name) => {}
                None => {
                    return Err(PluginsError::Asked(say("not-found-key", &[("name", &request.name)])));
                }
            }
            shelf.set_trust(trust)?;
        }
        let act = if request.key.is_some() { "key-trust" } else { "key-distrust" };
        let detail = serde_json::json!({"subject": request.name, "key": request.key});
        self.audit(by, act, &request.reason, detail).await
    }

    /// Lines of a plugin's log.
    ///
    /// # Errors
    /// Where there is no such plugin at work.
    pub fn logs(&self, id: &str, after: Option<u64>, limit: u32) -> Result<PluginLogs, PluginsError> {
        let lines = self.crew.lines(id, after, limit.clamp(1, 1000) as usize);
        Ok(PluginLogs { lines: lines.ok_or_else(|| PluginsError::NotFound(id.to_owned()))? })
    }

    /// The icon of a plugin, a PNG.
    pub fn icon(&self, id: &str) -> Option<Arc<[u8]>> {
        let shelf = lock(&self.shelf);
        let version = shelf.approved(id).map(|a| a.approval.version.clone());
        let lying = match &version {
            Some(version) => shelf.get(id, version),
            None => shelf.plugins().get(id).and_then(|versions| versions.first().copied()),
        };
        lying.and_then(|lying| lying.icon.clone())
    }

    /// The kind of a plugin at work.
    pub fn kind(&self, id: &str) -> Option<Kind> {
        self.crew.grants(id).map(|grants| grants.manifest.kind)
    }

    /// Those at work.
    pub fn crew(&self) -> &Crew {
        &self.crew
    }

    fn version(&self, lying: &Lying) -> PluginVersion {
        PluginVersion {
            version: lying.manifest.version.clone(),
            package: lying.hash.to_hex().to_string(),
            signed_by: lying.signed.as_ref().ok().cloned(),
            bytes: lying.bytes,
            asks: what_it_may_do(&lying.manifest, None, Some(&self.campus)),
            capability: serde_json::to_value(&lying.manifest.capability).unwrap_or_default(),
            problem: lying.signed.as_ref().err().cloned(),
        }
    }

    /// Every plugin. Who may not look behind them sees names, states and panels.
    pub fn infos(&self, behind: bool) -> Vec<PluginInfo> {
        let shelf = lock(&self.shelf);
        let mut ids: Vec<String> = shelf.plugins().into_keys().map(str::to_owned).collect();
        ids.extend(shelf.approved_ids());
        ids.sort();
        ids.dedup();
        let info = |id: String| {
            let approved = shelf.approved(&id);
            let versions = shelf.plugins().remove(id.as_str()).unwrap_or_default();
            let in_force = approved.and_then(|a| shelf.get(&id, &a.approval.version));
            let manifest = in_force.or(versions.first().copied()).map(|lying| lying.manifest.clone())?;
            let broken = lock(&self.broken).get(&id).cloned();
            let (state, work) = match (approved, self.crew.state(&id), broken) {
                (None, ..) => (PluginState::NotApproved, PluginWork::default()),
                (_, _, Some(why)) => (PluginState::Broken { why }, PluginWork::default()),
                (_, Some(known), _) => known,
                (Some(a), None, _) if a.stopped => (PluginState::Stopped, PluginWork::default()),
                (Some(_), None, _) => {
                    (PluginState::Broken { why: say("busy-plugin-restart", &[]) }, PluginWork::default())
                }
            };
            let value = |s: &campanile_plugins::SettingSpec| {
                let own = approved.and_then(|a| a.approval.settings.get(&s.id));
                own.unwrap_or(&s.default).clone()
            };
            let setting = |s: &campanile_plugins::SettingSpec| PluginSetting {
                id: s.id.clone(),
                names: campanile_model::Names::new(&s.zh, &s.en),
                value: value(s),
                default: s.default.clone(),
            };
            let panel = |p: &campanile_plugins::PanelSpec| PanelInfo {
                id: p.id.clone(),
                names: campanile_model::Names::new(&p.zh, &p.en),
            };
            let may =
                |a: &Approved| what_it_may_do(&manifest, Some(&a.approval.capability), Some(&self.campus));
            let mut info = PluginInfo {
                names: manifest.names(),
                summary: manifest.summary.clone(),
                vendor: manifest.vendor.clone(),
                kind: kind_name(manifest.kind).to_owned(),
                version: approved.map(|a| a.approval.version.clone()),
                state,
                panels: manifest.panel.iter().map(panel).collect(),
                icon: self_icon(in_force, &versions),
                script: None,
                versions: Vec::new(),
                may: Vec::new(),
                asks: Vec::new(),
                settings: Vec::new(),
                work: PluginWork::default(),
                id,
            };
            if behind {
                info.script = manifest.script.as_ref().map(|s| s.file.clone());
                info.versions = versions.iter().map(|lying| self.version(lying)).collect();
                info.may = approved.map(may).unwrap_or_default();
                info.asks = what_it_may_do(&manifest, None, Some(&self.campus));
                info.settings = manifest.setting.iter().map(setting).collect();
                info.work = work;
            }
            Some(info)
        };
        ids.into_iter().filter_map(info).collect()
    }

    /// Seats of the rules at work, as they are now, for a rehearsal; and what was before it.
    pub fn for_rehearsal(&self) -> (Vec<Seat>, Arc<dyn Past>) {
        (self.crew.fork(), self.crew.past())
    }

    /// The seat of a plugin in a rehearsal that was kept.
    pub fn kept(&self, kept: &KeptSeat) -> Option<Seat> {
        let seat = self.seat(&kept.plugin, Budget::Fuel, kept.saved.clone());
        seat.inspect_err(|why| tracing::error!(plugin = kept.plugin, %why, "a plugin of a rehearsal")).ok()
    }

    /// The director of the drill in a folder, if it has one.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn director(&self, dir: &FsPath) -> Result<Option<Seat>, PluginsError> {
        let runtime = || self.runtime().map_err(|why| ComponentError::Engine(why.to_string()).into());
        let director = campanile_rehearsal::director(dir, &self.live.campus, runtime);
        director.map_err(|why| PluginsError::Package(why.to_string()))
    }

    async fn audit(
        &self,
        by: &By,
        act: &str,
        reason: &str,
        detail: serde_json::Value,
    ) -> Result<(), PluginsError> {
        let entry = by.audit(crate::live::wall_clock(), act, reason, detail);
        self.live.keep(vec![entry]).await.map_err(|()| PluginsError::NotStored)
    }

    fn tell(&self) {
        // Nobody listening is no error.
        drop(self.live.channel.events.send(campanile_protocol::ServerMessage::PluginsChanged));
    }
}

fn self_icon(in_force: Option<&Lying>, versions: &[&Lying]) -> bool {
    in_force.or(versions.first().copied()).is_some_and(|lying| lying.icon.is_some())
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Rule => "rule",
        Kind::Activity => "activity",
        Kind::Drill => "drill",
    }
}

fn check_settings(manifest: &Manifest, settings: &BTreeMap<String, String>) -> Result<(), PluginsError> {
    for (id, value) in settings {
        if !manifest.setting.iter().any(|s| s.id == *id) {
            let known: Vec<&str> = manifest.setting.iter().map(|s| s.id.as_str()).collect();
            let known = known.join(", ");
            return Err(PluginsError::Asked(say("malformed-setting", &[("setting", id), ("known", &known)])));
        }
        if value.len() > 16 * 1024 {
            return Err(PluginsError::Asked(say("too-large-setting", &[("setting", id), ("bytes", &16384)])));
        }
    }
    Ok(())
}
