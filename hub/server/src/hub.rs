//! A hub from its parts: broker, gateway, store, world, API.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use campanile_devices::Devices;
use campanile_gateway::{
    BrokerConfig, Gateway, GatewayConfig, Publisher, PublisherConfig, metric_points, presence_topics,
};
use campanile_history::{CommitQueue, History, HistoryError};
use campanile_model::{Campus, PointId, Timestamp};
use campanile_world::Schema;
use crossbeam_channel::TrySendError;
use tokio::sync::watch;

use crate::limits::Limits;
use crate::live::{Live, Turn, wall_clock};
use crate::people::{Door, People, PeopleError};
use crate::plugins::{self, Plugins, Shelf};
use crate::rehearsals::Rehearsals;
use crate::retention::Retention;
use crate::tls::Tls;

/// Commits that may wait; then the world waits, and with it the field.
const COMMITS: usize = 1024;
/// How often simulated devices are asked for what is due.
const DEVICE_STEP: Duration = Duration::from_millis(500);
/// How long a stopping hub takes in what its embedded broker still holds.
const DRAIN: Duration = Duration::from_secs(10);
/// How far back a simulated hub begins, and its stride.
const PAST: Duration = Duration::from_secs(24 * 3600);
const PAST_STEP: Duration = Duration::from_secs(300);

/// Where rehearsals are kept, under the hub's data.
const REHEARSALS: &str = "rehearsals";

/// Which broker the gateway joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broker {
    /// The one in this process, on loopback; port 0 takes a free one.
    Embedded {
        /// Its port.
        port: u16,
    },
    /// Another, `HOST:PORT`.
    External(String),
    /// None: nothing comes from the field.
    None,
}

/// How to run a hub.
#[derive(Clone, Debug)]
pub struct HubConfig {
    campus: Arc<Campus>,
    data: PathBuf,
    listen: SocketAddr,
    broker: Broker,
    simulated: Option<(Timestamp, u64)>,
    record: Option<PathBuf>,
    sign_in: bool,
    tls: Tls,
    retention_months: Option<u16>,
    limits: Limits,
    shipped: bool,
    web: Option<PathBuf>,
}

impl HubConfig {
    /// A hub of a campus with its data in a folder, on a free loopback port, with an embedded broker on a free port.
    pub fn new(campus: Arc<Campus>, data: PathBuf) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = Broker::Embedded { port: 0 };
        Self {
            campus,
            data,
            listen,
            broker,
            simulated: None,
            record: None,
            sign_in: false,
            tls: Tls::Off,
            retention_months: None,
            limits: Limits::default(),
            shipped: false,
            web: None,
        }
    }

    /// Approves the plugins that are shipped with the program, with all that they ask for: for a demonstration.
    pub fn with_shipped_plugins(mut self) -> Self {
        self.shipped = true;
        self
    }

    /// The folder with the twin for browsers; without one they get the page without pictures.
    pub fn web(mut self, folder: Option<PathBuf>) -> Self {
        self.web = folder;
        self
    }

    /// The address of the API.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Whether people have to sign in; beyond loopback they have to.
    pub fn sign_in(mut self, required: bool) -> Self {
        self.sign_in = required;
        self
    }

    /// How the API is protected on its way; beyond loopback it has to be.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The broker.
    pub fn broker(mut self, broker: Broker) -> Self {
        self.broker = broker;
        self
    }

    /// Gives up the months that ended more than so many months before the current one; without it all are kept.
    pub fn retention_months(mut self, months: Option<u16>) -> Self {
        self.retention_months = months;
        self
    }

    /// What clients may take of the hub.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Writes all inputs of the world to a new file, to be replayed; in a folder, to one named by campus and time.
    pub fn record(mut self, file: Option<PathBuf>) -> Self {
        self.record = file;
        self
    }

    /// Device models in this process instead of a field: a day up to `at` is simulated, then the clock stands.
    pub fn simulated_at(mut self, at: Timestamp, seed: u64) -> Self {
        self.simulated = Some((at, seed));
        self
    }
}

/// Why a hub does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The address is beyond loopback, without sign-in or TLS.
    #[error(
        "{0} is beyond loopback, where other machines reach it: that needs sign-in and TLS. Add --sign-in and --tls self-signed (or --tls-cert and --tls-key), or listen on 127.0.0.1"
    )]
    Exposed(SocketAddr),
    /// The certificate or key is not usable.
    #[error(
        "TLS: {0}. Name a PEM certificate chain with --tls-cert and its key with --tls-key, or use --tls self-signed"
    )]
    Tls(String),
    /// The accounts.
    #[error("the accounts: {0}")]
    People(#[from] PeopleError),
    /// The API's port can't be had.
    #[error(
        "can't listen on {address}: {source}. Choose another port with --listen, or stop the program that has it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The broker's address can't be read.
    #[error("'{0}' is not HOST:PORT, such as 127.0.0.1:1883")]
    BrokerAddress(String),
    /// No broker answers.
    #[error("no MQTT broker answers at {0}; start it, or name another")]
    NoBroker(String),
    /// The broker or gateway.
    #[error(transparent)]
    Gateway(#[from] campanile_gateway::GatewayError),
    /// The store.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The device models.
    #[error(transparent)]
    Devices(#[from] campanile_devices::DevicesError),
    /// The weather that device models need.
    #[error("the weather of the campus: {0}")]
    Weather(String),
    /// The terrain.
    #[error("{0}")]
    Terrain(String),
    /// The plugins.
    #[error("the plugins: {0}")]
    Plugins(String),
    /// The record of the world's inputs.
    #[error("can't write the record {}: {why}. Name a new file in a folder that can be written to", path.display())]
    Record {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Threads or the runtime.
    #[error("can't start the hub's threads: {0}")]
    Io(#[from] std::io::Error),
}

/// A running hub. It begins anew by itself where plugins make the points of the campus others; its addresses stay.
pub struct Hub {
    parts: Arc<Mutex<Option<Parts>>>,
    watch: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
    address: SocketAddr,
    broker: Option<SocketAddr>,
    tls: bool,
    first_sign_in: Option<PathBuf>,
}

/// How often it is looked whether the hub has to begin anew.
const WATCH: Duration = Duration::from_millis(100);
/// How long the parts of before may take to let go of the store.
const LET_GO: Duration = Duration::from_secs(20);

impl Hub {
    /// Starts everything; returns when the API answers.
    ///
    /// # Errors
    /// [`HubError`].
    pub fn start(config: HubConfig) -> Result<Self, HubError> {
        let loopback = config.listen.ip().is_loopback();
        if !loopback && (!config.sign_in || config.tls == Tls::Off) {
            return Err(HubError::Exposed(config.listen));
        }
        let listener = TcpListener::bind(config.listen)
            .map_err(|source| HubError::Listen { address: config.listen, source })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Kept through every new beginning, so that who asks meanwhile waits and is not refused.
        let door = listener.try_clone()?;
        let parts = Parts::start(config.clone(), listener)?;
        let (broker, tls) = (parts.broker, parts.tls);
        let first_sign_in = parts.first_sign_in.clone();
        let parts = Arc::new(Mutex::new(Some(parts)));
        let over = Arc::new(AtomicBool::new(false));
        let (watched, stop) = (parts.clone(), over.clone());
        let watch = std::thread::Builder::new()
            .name("hub".to_owned())
            .spawn(move || begin_anew(&watched, &stop, config, &door, broker))?;
        Ok(Self { parts, watch: Some(watch), over, address, broker, tls, first_sign_in })
    }

    /// The file with the first administrator's one-time password, as long as it is of use.
    pub fn first_sign_in(&self) -> Option<&std::path::Path> {
        self.first_sign_in.as_deref()
    }

    /// The URL of the API.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// The address of the API.
    pub fn api_address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the embedded broker.
    pub fn broker_address(&self) -> Option<SocketAddr> {
        self.broker
    }

    /// Of which moment the layers of a rehearsal are that clients are shown now; nothing where there is none.
    pub fn layers_time(&self, rehearsal: &str) -> Option<Timestamp> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        Some(parts.as_ref()?.rehearsals.channel(rehearsal)?.layer_states().time)
    }

    /// The world's state hash, as of the newest second.
    pub fn state_hash(&self) -> String {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.as_ref().map_or_else(String::new, |parts| parts.live.state_hash())
    }

    /// Stops: no more requests, the inbox drained, everything committed.
    pub fn stop(mut self) {
        self.shut();
    }

    fn shut(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(watch) = self.watch.take()
            && watch.join().is_err()
        {
            tracing::error!("the thread that watches the hub had panicked");
        }
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut parts) = parts {
            parts.shut(self.broker.is_some());
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Waits until the hub has to begin anew, and does it.
fn begin_anew(
    parts: &Mutex<Option<Parts>>,
    over: &AtomicBool,
    config: HubConfig,
    door: &TcpListener,
    broker: Option<SocketAddr>,
) {
    // A record goes on from one beginning to one end; the embedded broker lives as long as this process.
    let mut again = HubConfig { record: None, ..config };
    if let Some(address) = broker {
        again.broker = Broker::External(address.to_string());
    }
    while !over.load(Ordering::Acquire) {
        std::thread::sleep(WATCH);
        let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
        // A moment that device models made is made once.
        let wanted = again.simulated.is_none() && parts.as_ref().is_some_and(|p| p.plugins.wants_restart());
        if !wanted {
            continue;
        }
        tracing::info!("the hub begins anew: plugins derive other points now");
        if let Some(mut before) = parts.take() {
            before.shut(false);
            let live = Arc::downgrade(&before.live);
            drop(before);
            let began = Instant::now();
            while live.strong_count() > 0 && began.elapsed() < LET_GO {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        while parts.is_none() && !over.load(Ordering::Acquire) {
            let begun = door.try_clone().map_err(HubError::Io);
            match begun.and_then(|door| Parts::start(again.clone(), door)) {
                Ok(begun) => *parts = Some(begun),
                Err(why) => {
                    tracing::error!(%why, "the hub can't begin anew; it is tried again");
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }
}

/// What a hub is made of, from one beginning to the next.
struct Parts {
    live: Arc<Live>,
    world: Option<JoinHandle<()>>,
    api: Option<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    broker: Option<SocketAddr>,
    tls: bool,
    first_sign_in: Option<PathBuf>,
    retention: Option<Retention>,
    rehearsals: Arc<Rehearsals>,
    plugins: Arc<Plugins>,
}

impl Parts {
    fn start(config: HubConfig, listener: TcpListener) -> Result<Self, HubError> {
        let loopback = config.listen.ip().is_loopback();
        let wrong = |why: plugins::PluginsError| HubError::Plugins(why.to_string());
        let mut shelf = Shelf::open(config.data.join(plugins::FOLDER)).map_err(wrong)?;
        if config.shipped {
            plugins::approve_shipped(&mut shelf).map_err(wrong)?;
        }
        let plain = config.campus;
        let campus = Arc::new(plugins::campus_with(&plain, &shelf));
        let history = History::open(&config.data, &crate::point_specs(&campus))?;
        let tls = crate::tls::config(&config.tls, &config.data, config.listen.ip())?;
        let queue = Box::new(CommitQueue::start(history.writer(), COMMITS)?);
        let began = config.simulated.map(|(at, _)| at.plus_micros(-(PAST.as_micros() as i64)));
        let (live, world) =
            Live::start(campus.clone(), Box::new(history), queue, began, config.record.as_deref())?;
        let plugins = Plugins::start(live.clone(), plain, shelf)?;
        let broker = join_field(&config.broker, &campus, &live)?;
        if let Some((at, seed)) = config.simulated {
            simulate(&live, campus, at, seed)?;
        }
        let retention = config.retention_months.map(|months| Retention::start(live.clone(), months));
        let retention = retention.transpose()?;
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let people = People::open(&live, &config.data, config.sign_in, tls.is_some(), config.limits)?;
        let first_sign_in = runtime.block_on(people.first_admin(&live))?;
        let has_tls = tls.is_some();
        let to_fork = live.clone();
        let fork = Box::new(move |at: Option<Timestamp>| match at {
            None => to_fork.fork(),
            Some(at) => (at <= to_fork.view().time)
                .then(|| crate::lookback::recall(&to_fork, Arc::new(Schema::of(&to_fork.campus)), at)),
        });
        let rehearsals = Arc::new(Rehearsals::open(
            live.campus.clone(),
            config.data.join(REHEARSALS),
            fork,
            plugins.clone(),
        ));
        let pages = Arc::new(crate::pages::Pages::of(config.web.as_deref()));
        let door = Arc::new(Door { people, live: live.clone(), loopback, pages });
        let service = crate::router(live.clone(), door, plugins.clone(), rehearsals.clone());
        let api = std::thread::Builder::new().name("api".to_owned()).spawn(move || {
            let served =
                runtime.block_on(crate::serve::serve(listener, tls, service, stopped, config.limits));
            if let Err(why) = served {
                tracing::error!(%why, "the API has stopped");
            }
            runtime.shutdown_timeout(Duration::from_secs(2));
        })?;
        Ok(Self {
            live,
            world: Some(world),
            api: Some(api),
            stop,
            broker,
            tls: has_tls,
            first_sign_in,
            retention,
            rehearsals,
            plugins,
        })
    }

    /// Stops all. With `drain` what an embedded broker still holds is taken in first.
    fn shut(&mut self, drain: bool) {
        let _ = self.stop.send(true);
        self.retention = None;
        self.rehearsals.stop();
        if drain {
            // The embedded broker goes with this process: what it has acknowledged to devices has to come over first.
            self.live.drain_field(DRAIN);
        }
        // A plugin that is called now waits for the world to take what it did.
        self.plugins.stop();
        if self.live.inbox().send(Turn::Stop).is_err() {
            tracing::debug!("the world had stopped already");
        }
        for thread in [self.world.take(), self.api.take()].into_iter().flatten() {
            if thread.join().is_err() {
                tracing::error!("a thread of the hub had panicked");
            }
        }
    }
}

/// Host and port of a broker's address; `mqtt://` before it is allowed.
///
/// # Errors
/// [`HubError::BrokerAddress`].
pub fn host_port(text: &str) -> Result<(String, u16), HubError> {
    let wrong = || HubError::BrokerAddress(text.to_owned());
    let (host, port) = text.strip_prefix("mqtt://").unwrap_or(text).rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|p| *p > 0).ok_or_else(wrong)?;
    if host.is_empty() || host.contains('/') {
        return Err(wrong());
    }
    Ok((host.to_owned(), port))
}

/// Raised by Ctrl-C or SIGTERM, from the moment that it is listened for.
#[derive(Clone, Debug)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Listens from now on; a program then has to look, it is no longer killed.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn listen() -> std::io::Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        let raise = raised.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // The handlers are in force before this returns.
        let mut signals = runtime.block_on(async { crate::Signals::new() })?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(signals.next());
            raise.store(true, Ordering::Release);
            // Who asks twice does not want to wait; what was acknowledged is on the disk.
            runtime.block_on(signals.next());
            std::process::exit(130);
        })?;
        Ok(Self(raised))
    }

    /// Whether somebody wants the program to end.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Waits until it is raised, or the limit is over.
    pub fn wait(&self, limit: Option<Duration>) {
        let began = Instant::now();
        while !self.is_raised() && limit.is_none_or(|limit| began.elapsed() < limit) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Starts the embedded broker if that is wanted, and the gateway.
fn join_field(
    broker: &Broker,
    campus: &Arc<Campus>,
    live: &Arc<Live>,
) -> Result<Option<SocketAddr>, HubError> {
    let (host, port, embedded) = match broker {
        Broker::None => return Ok(None),
        Broker::Embedded { port } => {
            let broker = campanile_gateway::Broker::start(&BrokerConfig::on_port(*port))?;
            (broker.address().ip().to_string(), broker.port(), Some(broker.address()))
        }
        Broker::External(address) => {
            let (host, port) = host_port(address)?;
            (host, port, None)
        }
    };
    // Two hubs at one broker must not take each other's session.
    let client_id = format!("campanile-hub-{}", campus.id);
    let sparkplug_host = Some(client_id.clone());
    let config = GatewayConfig { host, port, client_id, sparkplug_host, ..GatewayConfig::default() };
    let inbox = live.inbox();
    let gateway =
        Gateway::start(config, campus.clone(), move |batch| match inbox.try_send(Turn::Field(batch)) {
            Err(TrySendError::Full(Turn::Field(batch))) => Err(batch),
            Err(_) => {
                tracing::debug!("the world has stopped; the broker keeps the batch");
                Ok(())
            }
            Ok(()) => Ok(()),
        })?;
    live.set_gateway(Box::new(gateway));
    Ok(embedded)
}

/// The weather that a campus names.
///
/// # Errors
/// [`HubError::Weather`].
pub fn weather(campus: &Campus) -> Result<campanile_formats::epw::Epw, HubError> {
    let name = campus.weather_file.as_deref().ok_or_else(|| {
        HubError::Weather("campus.toml names no weather file; add weather = \"weather.epw\"".to_owned())
    })?;
    let path = campus.root_dir.join(name);
    let text = std::fs::read_to_string(&path)
        .map_err(|why| HubError::Weather(format!("{}: {why}", path.display())))?;
    campanile_formats::epw::read(&text).map_err(|why| HubError::Weather(format!("{}: {why}", path.display())))
}

/// The device models of a campus; says which of its settings they don't know.
pub(crate) fn devices(campus: Arc<Campus>, seed: u64) -> Result<Devices, HubError> {
    let weather = weather(&campus)?;
    let devices = Devices::new(campus, weather, seed)?;
    for name in devices.unknown_settings() {
        tracing::warn!("[simulation] in campus.toml sets '{name}', which the device models don't know");
    }
    Ok(devices)
}

/// A day of device models, as fast as it goes.
fn simulate(live: &Arc<Live>, campus: Arc<Campus>, at: Timestamp, seed: u64) -> Result<(), HubError> {
    let stride = PAST_STEP.as_micros() as i64;
    let steps = PAST.as_micros() as i64 / stride;
    let began = at.plus_micros(-steps * stride);
    let inbox = live.inbox();
    if campus.points.is_empty() {
        // Nothing to simulate, as in a campus just made of a map: no weather is needed to look at it.
        let _ = inbox.send(Turn::Simulated(Default::default(), at));
        return Ok(());
    }
    let mut devices = devices(campus, seed)?;
    for step in 1..=steps {
        let now = began.plus_micros(step * stride);
        if inbox.send(Turn::Simulated(devices.step(now), now)).is_err() {
            break;
        }
    }
    // The last moment has to be seen before anybody looks.
    while live.view().time < at {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Simulated devices that publish over MQTT and obey commands, until stopped.
pub struct DeviceRun {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl DeviceRun {
    /// Starts the devices of a campus at a broker, `HOST:PORT`; `metrics`: also those points that are bound to metrics
    /// of Sparkplug B, as their edge nodes.
    ///
    /// # Errors
    /// [`HubError`] where the weather is missing or the broker does not answer.
    pub fn over_mqtt(campus: Arc<Campus>, broker: &str, seed: u64, metrics: bool) -> Result<Self, HubError> {
        Self::going_on(devices(campus.clone(), seed)?, campus, broker, metrics)
    }

    /// The same with devices that have run already: they go on from where they are.
    ///
    /// # Errors
    /// [`HubError`] where the broker does not answer.
    pub fn going_on(
        mut devices: Devices,
        campus: Arc<Campus>,
        broker: &str,
        metrics: bool,
    ) -> Result<Self, HubError> {
        let (host, port) = host_port(broker)?;
        let client_id = format!("campanile-devices-{}-{}", campus.id, std::process::id());
        let metrics = if metrics { metric_points(&campus) } else { Vec::new() };
        let told: BTreeSet<PointId> = metrics.iter().copied().collect();
        let config =
            PublisherConfig { host, port, client_id, commands: true, metrics, ..PublisherConfig::default() };
        let publisher = Publisher::start(config, campus.clone())?;
        publisher
            .wait_connected(Duration::from_secs(5))
            .map_err(|_| HubError::NoBroker(broker.to_owned()))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = stopping.clone();
        let thread = std::thread::Builder::new().name("devices".to_owned()).spawn(move || {
            let mut was_connected = false;
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                let connected = publisher.stats().connected;
                if connected && !was_connected {
                    for topic in presence_topics(&campus) {
                        let _ = publisher.publish(&topic, b"online".to_vec(), true);
                    }
                }
                was_connected = connected;
                if !connected {
                    // A real device would measure on; what it has no room to keep is a gap.
                    std::thread::sleep(DEVICE_STEP);
                    continue;
                }
                for command in publisher.commands().try_iter() {
                    devices.command(command.point, command.value);
                }
                let mut samples = devices.step(wall_clock());
                // Metrics of Sparkplug are published by edge nodes or not at all.
                samples.retain(|s| {
                    let binding = campus.point(s.point).binding.as_ref();
                    binding.is_none_or(|b| b.sparkplug.is_none()) || told.contains(&s.point)
                });
                if let Err(why) = publisher.publish_samples(&samples) {
                    tracing::warn!(%why, "device samples could not be published");
                }
                std::thread::sleep(DEVICE_STEP.saturating_sub(began.elapsed()));
            }
            if !publisher.stats().connected {
                return;
            }
            for topic in presence_topics(&campus) {
                // The program is going: a broker that has gone before it needs no farewell.
                let _ = publisher.publish(&topic, b"offline".to_vec(), true);
            }
            let _ = publisher.flush(Duration::from_secs(2));
        })?;
        Ok(Self { stopping, thread })
    }

    /// Says goodbye and stops.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the devices had panicked");
        }
    }
}
