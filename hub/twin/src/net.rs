//! The seam to the hub: the only module with threads and sockets.
//!
//! [`Hub`] is what the rest of the twin sees; [`NativeHub`] is the one for desktops. A browser has
//! its own WebSocket and `fetch` and gets another implementation of the same trait.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campanile_client::{Client, ClientError, Proof};
use campanile_protocol::people::{Me, Secret};
use campanile_protocol::plugins::{ChangeScript, PluginLogs, PluginScript, PluginsAnswer, ScriptAnswer};
use campanile_protocol::rehearsal::{
    ActRequest, BranchRequest, DecideRequest, DrillInfo, RehearsalInfo, RehearsalRequest, RehearsalState,
    SetPace, StartRehearsal,
};
use campanile_protocol::rest::ApiError;
use campanile_protocol::{
    Catalogue, ClientMessage, DataFrame, LayerFrame, LayerState, LayerSubscription, PROTOCOL_VERSION,
    ServerMessage, Subscription, is_layer_frame, limits,
};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc as wishes;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::plugins::{Order, PluginAsk, PluginNews, Tried};
use crate::state::{Asked, Event, Why, World};

/// A link to a hub that keeps itself up.
pub trait Hub: Send + Sync + 'static {
    /// The next event, if one waits. Never blocks.
    fn poll(&self) -> Option<Event>;
    /// Sends a control message. `false`: the link is down or too busy, and it was not sent.
    fn send(&self, message: ClientMessage) -> bool;
    /// Asks for the history of a point; [`Event::History`] answers. `false`: too busy, not asked.
    fn ask_history(&self, query: HistoryQuery) -> bool;
    /// Asks or tells something of drills or plugins; an event answers. `false`: too busy, not asked.
    fn ask(&self, ask: Ask) -> bool;
    /// From now on the link follows another world; everything of it comes as events.
    fn follow(&self, world: World);
    /// The address of the hub, for pages that a browser opens.
    fn address(&self) -> &str;
    /// Proves who the person is; [`Event::Known`] or [`Event::Asked`] answers.
    fn sign_in(&self, credentials: Credentials);
    /// Ends the person's session; [`Event::Asked`] follows.
    fn sign_out(&self);
    /// Chooses the language of what the hub says to people, a BCP 47 tag.
    fn set_language(&self, tag: &'static str);
}

/// What is asked and told of drills, rehearsals and plugins.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The drills of the campus.
    Drills,
    /// The rehearsals there are.
    Rehearsals,
    /// How a rehearsal stands.
    State(String),
    /// Begin one.
    Begin(StartRehearsal),
    /// Set its pace.
    Pace(SetPace),
    /// Begin an action in it.
    Act(ActRequest),
    /// Decide a question of its director.
    Decide(DecideRequest),
    /// Branch it.
    Branch(BranchRequest),
    /// End it.
    End(String),
    /// Its layers as they were at a moment, seconds from the start.
    Frames(String, f64),
    /// Something of plugins.
    Plugin(PluginAsk),
}

/// By what a person says who they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Credentials {
    /// An account.
    Account {
        /// Its name.
        name: String,
        /// Its password.
        password: Secret,
    },
    /// A class, for students.
    Class {
        /// The code from the blackboard.
        code: Secret,
        /// What to be called in this class.
        nickname: String,
    },
    /// A password of their own, instead of the one-time one that they have just signed in with.
    OwnPassword(Secret),
}

/// What a person wishes of the hub.
enum Wish {
    Say(ClientMessage),
    SignIn(Credentials),
    SignOut,
}

/// A query of history in equal spans of time.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// The index of the point, repeated in the answer.
    pub point: u32,
    /// Its path.
    pub path: String,
    /// From when, microseconds UTC.
    pub from_us: i64,
    /// Until when, microseconds UTC.
    pub to_us: i64,
    /// How long each span is, seconds.
    pub width_s: f64,
}

/// Why a link can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The hub can't be asked, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No connection.
    #[error("the link to the hub failed: {0}")]
    Connection(std::io::Error),
    /// The WebSocket failed.
    #[error("the link to the hub failed: {0}")]
    Socket(#[from] Box<tungstenite::Error>),
    /// The world that is to be followed is not there.
    #[error("{0}")]
    NoWorld(String),
    /// The hub closed.
    #[error("the hub closed the link")]
    Closed,
    /// Nothing came for too long.
    #[error("nothing came from the hub for {0} s")]
    Silent(u64),
    /// The hub speaks another version.
    #[error(
        "the hub speaks version {hub} of the protocol, this twin {PROTOCOL_VERSION}: use the same release"
    )]
    Version {
        /// Of the hub.
        hub: u16,
    },
    /// A message can't be read.
    #[error("the hub sent what can't be read: {0}")]
    Unreadable(String),
    /// A thread could not start.
    #[error("a thread can't start: {0}")]
    Thread(std::io::Error),
    /// The person has signed out.
    #[error("signed out")]
    SignedOut,
}

/// The scene of a large campus with furniture; more is not sent to a twin.
const MAX_SCENE_BYTES: u64 = 512 * 1024 * 1024;
const MAX_CATALOGUE_BYTES: u64 = 256 * 1024 * 1024;
/// An answer about drills; a list of whole frames of a large campus is the largest.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// The largest icon of a plugin.
const MAX_ICON_BYTES: u64 = 64 * 1024;
/// What a layer may take of a school's network, bytes a second.
const LAYER_BYTES_S: f64 = 400_000.0;
/// Events that wait for the next frame; a full queue holds the sockets back.
pub(crate) const EVENTS_WAITING: usize = 1024;
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(15);
/// The hub sends its clock and status every few seconds even if nothing else happens.
const SILENCE_S: u64 = 30;

/// What the twin calls itself.
const NAME: &str = concat!("campanile-twin ", env!("CARGO_PKG_VERSION"));

/// The link of desktops: one thread for the WebSocket, one for queries over HTTP.
pub struct NativeHub {
    client: Arc<Client>,
    events: Mutex<Receiver<Event>>,
    wishes: wishes::Sender<Wish>,
    queries: SyncSender<Query>,
    world: tokio::sync::watch::Sender<World>,
}

/// What the thread for HTTP is asked.
enum Query {
    History(HistoryQuery),
    Ask(Ask),
}

impl NativeHub {
    /// Starts to connect to a hub. Everything from then on comes as events.
    ///
    /// # Errors
    /// [`NetError::Thread`] where none starts.
    pub fn connect(client: Client) -> Result<Self, NetError> {
        let client = Arc::new(client);
        let (events_in, events) = sync_channel(EVENTS_WAITING);
        let (wishes, wishes_out) = wishes::channel(64);
        let (queries, queries_out) = sync_channel(64);
        let (world, worlds) = tokio::sync::watch::channel(World::Live);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NetError::Thread)?;
        let link = Link {
            client: client.clone(),
            events: events_in.clone(),
            scene_known: None,
            worlds,
            layers: BTreeMap::new(),
        };
        std::thread::Builder::new()
            .name("hub-link".into())
            .spawn(move || runtime.block_on(link.run(wishes_out)))
            .map_err(NetError::Thread)?;
        let asked = client.clone();
        std::thread::Builder::new()
            .name("hub-history".into())
            .spawn(move || answer_queries(&asked, &queries_out, &events_in))
            .map_err(NetError::Thread)?;
        Ok(Self { client, events: Mutex::new(events), wishes, queries, world })
    }
}

impl Hub for NativeHub {
    fn poll(&self) -> Option<Event> {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).try_recv().ok()
    }

    fn send(&self, message: ClientMessage) -> bool {
        self.wishes.try_send(Wish::Say(message)).is_ok()
    }

    fn ask_history(&self, query: HistoryQuery) -> bool {
        self.query(Query::History(query))
    }

    fn ask(&self, ask: Ask) -> bool {
        self.query(Query::Ask(ask))
    }

    fn follow(&self, world: World) {
        self.world.send_replace(world);
    }

    fn address(&self) -> &str {
        self.client.address()
    }

    fn sign_in(&self, credentials: Credentials) {
        // The link waits for nothing else then, so that there is room.
        let _ = self.wishes.try_send(Wish::SignIn(credentials));
    }

    fn sign_out(&self) {
        // Where there is no room the person presses again.
        let _ = self.wishes.try_send(Wish::SignOut);
    }

    fn set_language(&self, tag: &'static str) {
        self.client.set_language(tag);
        // Where the link is down, the hello of the next one says it.
        self.send(ClientMessage::hello_in(NAME, tag));
    }
}

fn answer_queries(client: &Client, queries: &Receiver<Query>, events: &SyncSender<Event>) {
    while let Ok(query) = queries.recv() {
        let event = match query {
            Query::History(HistoryQuery { point, path, from_us, to_us, width_s }) => {
                let query = [
                    ("point", path),
                    ("from_us", from_us.to_string()),
                    ("to_us", to_us.to_string()),
                    ("width_s", width_s.to_string()),
                ];
                Event::History { point, answer: client.get("/api/v1/history/buckets", &query).ok() }
            }
            Query::Ask(ask) => answer(client, ask).unwrap_or_else(|why| Event::Refused(why.to_string())),
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

impl NativeHub {
    fn query(&self, query: Query) -> bool {
        !matches!(self.queries.try_send(query), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
    }
}

/// Asks or tells something of plugins: what is refused belongs beside what was asked.
fn answer_plugin(client: &Client, ask: PluginAsk) -> PluginNews {
    const AT: &str = "/api/v1/plugins";
    let said = |why: ClientError| why.to_string();
    let of = |id: &str| ("plugin", id.to_owned());
    match ask {
        PluginAsk::List => {
            let answer = client.get::<PluginsAnswer>(AT, &[]);
            PluginNews::List(answer.map(|answer| answer.plugins).map_err(said))
        }
        PluginAsk::Icon(id) => {
            let png = client.fetch("/api/v1/plugins/icon", &[of(&id)], MAX_ICON_BYTES).ok();
            PluginNews::Icon(id, png)
        }
        PluginAsk::Log(id, after) => {
            let mut query = vec![of(&id)];
            query.extend(after.map(|number| ("after", number.to_string())));
            let answer = client.get::<PluginLogs>("/api/v1/plugins/logs", &query);
            PluginNews::Log(id, answer.map(|logs| logs.lines).map_err(said))
        }
        PluginAsk::Script(id) => {
            let answer = client.get::<PluginScript>("/api/v1/plugins/script", &[of(&id)]);
            PluginNews::Script(id, answer.map_err(said))
        }
        PluginAsk::Tell(order) => {
            let errand = order.errand();
            let done = match order {
                Order::Use(used) => client.tell("/api/v1/plugins/panel", &used),
                Order::Approve(approval) => client.tell("/api/v1/plugins/approve", &approval),
                Order::Stop(request) => client.tell("/api/v1/plugins/stop", &request),
                Order::Start(request) => client.tell("/api/v1/plugins/start", &request),
                Order::Settings(settings) => client.tell("/api/v1/plugins/settings", &settings),
                Order::Script(change) => {
                    match client.post::<ScriptAnswer>("/api/v1/plugins/script", &change) {
                        Ok(ScriptAnswer { error }) => {
                            let ChangeScript { plugin, text, check_only, .. } = change;
                            return PluginNews::Tried(Tried { plugin, text, check_only, error });
                        }
                        Err(why) => Err(why),
                    }
                }
            };
            PluginNews::Came(errand, done.err().map(said))
        }
    }
}

/// Asks or tells something of drills or plugins.
fn answer(client: &Client, ask: Ask) -> Result<Event, ClientError> {
    let of = |id: String| [("id", id)];
    Ok(match ask {
        Ask::Drills => Event::Drills(client.get::<Vec<DrillInfo>>("/api/v1/drills", &[])?),
        Ask::Plugin(ask) => Event::Plugin(answer_plugin(client, ask)),
        Ask::Rehearsals => Event::Rehearsals(client.get::<Vec<RehearsalInfo>>("/api/v1/rehearsals", &[])?),
        Ask::State(id) => {
            let state = client.get::<RehearsalState>("/api/v1/rehearsals/state", &of(id))?;
            Event::Rehearsal(Box::new(state))
        }
        Ask::Begin(request) => Event::Began(Box::new(client.post("/api/v1/rehearsals", &request)?)),
        Ask::Branch(request) => Event::Began(Box::new(client.post("/api/v1/rehearsals/branch", &request)?)),
        Ask::Pace(request) => client.tell("/api/v1/rehearsals/pace", &request).map(|()| Event::Done)?,
        Ask::Act(request) => client.tell("/api/v1/rehearsals/act", &request).map(|()| Event::Done)?,
        Ask::Decide(request) => client.tell("/api/v1/rehearsals/decide", &request).map(|()| Event::Done)?,
        Ask::End(id) => {
            client.tell("/api/v1/rehearsals/end", &RehearsalRequest { id }).map(|()| Event::Done)?
        }
        Ask::Frames(id, at_s) => {
            let query = [("id", id), ("at_s", at_s.to_string())];
            let bytes = client.fetch("/api/v1/rehearsals/frames", &query, MAX_ANSWER_BYTES)?;
            Event::Frames { at_s, frames: frames(&bytes).map_err(ClientError::Unreadable)? }
        }
    })
}

/// Whole frames of layers, each with its length before it.
fn frames(mut bytes: &[u8]) -> Result<Vec<LayerFrame>, String> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let frame = rest.split_at_checked(u32::from_le_bytes(*length) as usize);
        let (frame, rest) = frame.ok_or_else(|| "the frames end too early".to_owned())?;
        found.push(LayerFrame::decode(frame, None).map_err(|why| why.to_string())?);
        bytes = rest;
    }
    Ok(found)
}

struct Link {
    client: Arc<Client>,
    events: SyncSender<Event>,
    /// The version of the catalogue whose scene is already here.
    scene_known: Option<String>,
    /// Which world is to be followed.
    worlds: tokio::sync::watch::Receiver<World>,
    /// How each layer stood at its last frame, which the next builds on.
    layers: BTreeMap<u32, LayerState>,
}

/// The twin has gone; the link ends.
struct TwinGone;

/// Why a life of the link ended without a fault.
enum Ended {
    /// The twin has gone.
    TwinGone,
    /// Another world is to be followed.
    OtherWorld,
}

/// A connection, with TLS or without.
trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

impl Link {
    fn tell(&self, event: Event) -> Result<(), TwinGone> {
        self.events.send(event).map_err(|_| TwinGone)
    }

    async fn run(mut self, mut wishes: wishes::Receiver<Wish>) {
        let mut wait = FIRST_RETRY;
        loop {
            let mut was_live = false;
            let ended = self.once(&mut wishes, &mut was_live).await;
            if was_live {
                wait = FIRST_RETRY;
            }
            let why = match ended {
                Err(NetError::NoWorld(why)) => {
                    if self.tell(Event::WorldGone(why)).is_err() {
                        return;
                    }
                    // The twin answers by following the present.
                    let _ = tokio::time::timeout(LONGEST_RETRY, self.worlds.changed()).await;
                    self.worlds.mark_changed();
                    continue;
                }
                Err(why) => why,
                Ok(Ended::TwinGone) => return,
                Ok(Ended::OtherWorld) => {
                    wait = FIRST_RETRY;
                    // What was meant for the world before must not reach the next.
                    self.drop_wishes(&mut wishes);
                    continue;
                }
            };
            if let Some(why) = self.why_ask(&why) {
                if self.admit(&mut wishes, why).await.is_err() {
                    return;
                }
                continue;
            }
            let cut = Event::Cut { why: why.to_string(), retry_s: wait.as_secs_f64() };
            if self.tell(cut).is_err() {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_RETRY);
            // What was meant for the world before the cut must not reach the one after it.
            self.drop_wishes(&mut wishes);
        }
    }

    /// Of what waits to be said only the farewell is heeded.
    fn drop_wishes(&self, wishes: &mut wishes::Receiver<Wish>) {
        while let Ok(wish) = wishes.try_recv() {
            if let Wish::SignOut = wish {
                self.client.sign_out();
            }
        }
    }

    /// Whether a link ended because the hub has to know who the person is.
    fn why_ask(&self, ended: &NetError) -> Option<Why> {
        match ended {
            NetError::SignedOut => Some(Why::First),
            NetError::Client(why) if why.wants_sign_in() => Some(match self.client.proof() {
                Proof::Nothing => Why::First,
                Proof::Token(_) => Why::Token,
                Proof::Session(_) => Why::Ended,
            }),
            _ => None,
        }
    }

    /// Asks the person who they are until the hub lets them in.
    async fn admit(&mut self, wishes: &mut wishes::Receiver<Wish>, why: Why) -> Result<(), TwinGone> {
        self.client.forget();
        self.tell(Event::Asked { what: Asked::Person, why })?;
        // The name and the one-time password of who has to choose their own.
        let mut once: Option<(String, Secret)> = None;
        loop {
            let answer = match wishes.recv().await.ok_or(TwinGone)? {
                Wish::Say(_) => continue,
                Wish::SignOut => {
                    once = None;
                    self.client.sign_out();
                    self.tell(Event::Asked { what: Asked::Person, why: Why::First })?;
                    continue;
                }
                Wish::SignIn(Credentials::Account { name, password }) => {
                    let answer = self.client.sign_in(&name, password.clone());
                    let changes = answer.as_ref().is_ok_and(|me| me.must_change_password);
                    once = changes.then_some((name, password));
                    answer
                }
                Wish::SignIn(Credentials::Class { code, nickname }) => self.client.join(code, &nickname),
                Wish::SignIn(Credentials::OwnPassword(new)) => match &once {
                    None => continue,
                    Some((name, old)) => self.change_password(name, old, new),
                },
            };
            let (what, why) = match answer {
                Ok(Me { must_change_password: false, .. }) => return Ok(()),
                Ok(_) => (Asked::OwnPassword, Why::First),
                Err(why) => {
                    // Once the password is changed, what failed was to sign in with it.
                    let in_session = once.is_some() && self.client.proof() != Proof::Nothing;
                    let what = if in_session { Asked::OwnPassword } else { Asked::Person };
                    (what, Why::Said(why.to_string()))
                }
            };
            self.tell(Event::Asked { what, why })?;
        }
    }

    fn change_password(&self, name: &str, old: &Secret, new: Secret) -> Result<Me, ClientError> {
        self.client.change_password(old.clone(), new.clone())?;
        self.client.sign_in(name, new)
    }

    /// Opens the WebSocket of a world.
    async fn open(&self, world: &World) -> Result<WebSocketStream<Box<dyn Io>>, NetError> {
        let address = self.client.socket()?;
        let url = match world {
            World::Live => address.url,
            World::Rehearsal(id) => format!("{}?world={id}", address.url),
            World::Past { at_us, rate } => format!("{}?world=past&at_us={at_us}&rate={rate}", address.url),
        };
        let connected = tokio::net::TcpStream::connect((address.host.as_str(), address.port)).await;
        let stream = connected.map_err(NetError::Connection)?;
        // A command should not wait for the next packet.
        stream.set_nodelay(true).map_err(NetError::Connection)?;
        let stream: Box<dyn Io> = match address.tls {
            None => Box::new(stream),
            Some((config, name)) => {
                let connector = tokio_rustls::TlsConnector::from(config);
                Box::new(connector.connect(name, stream).await.map_err(NetError::Connection)?)
            }
        };
        let mut request = url.into_client_request().map_err(Box::new)?;
        if let Some((name, value)) = self.client.proof_header()? {
            request.headers_mut().insert(name, value);
        }
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        config.max_frame_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            // The hub is there and lets us in, but that world is not: it says why.
            Err(tungstenite::Error::Http(answer)) if *world != World::Live => {
                let said = answer.body().as_deref().and_then(|b| serde_json::from_slice::<ApiError>(b).ok());
                let why = said.map_or_else(|| answer.status().to_string(), |error| error.message);
                Err(NetError::NoWorld(why))
            }
            Err(why) => Err(Box::new(why).into()),
        }
    }

    /// One life of the link, from fetching the catalogue to the cut.
    async fn once(
        &mut self,
        wishes: &mut wishes::Receiver<Wish>,
        was_live: &mut bool,
    ) -> Result<Ended, NetError> {
        if !self.fetch()? {
            return Ok(Ended::TwinGone);
        }
        self.layers.clear();
        let world = self.worlds.borrow_and_update().clone();
        let (mut out, mut incoming) = self.open(&world).await?.split();
        let hello = ClientMessage::hello_in(NAME, self.client.language());
        let subscribe = ClientMessage::Subscribe(Subscription {
            id: 1,
            globs: vec!["**".into()],
            max_rate_hz: Some(10.0),
        });
        for message in [hello, subscribe] {
            out.send(text_of(&message)?).await.map_err(Box::new)?;
        }
        loop {
            tokio::select! {
                other = self.worlds.changed() => {
                    if other.is_err() {
                        return Ok(Ended::TwinGone);
                    }
                    let next = self.worlds.borrow_and_update().clone();
                    match (&world, &next) {
                        // In the past only the moment changes.
                        (World::Past { .. }, World::Past { at_us, rate }) => {
                            let seek = ClientMessage::Seek { at_us: *at_us, rate: *rate };
                            out.send(text_of(&seek)?).await.map_err(Box::new)?;
                        }
                        (now, next) if now == next => {}
                        _ => {
                            self.worlds.mark_changed();
                            return Ok(Ended::OtherWorld);
                        }
                    }
                }
                wish = wishes.recv() => match wish {
                    Some(Wish::Say(message)) => out.send(text_of(&message)?).await.map_err(Box::new)?,
                    Some(Wish::SignOut) => {
                        self.client.sign_out();
                        return Err(NetError::SignedOut);
                    }
                    // Somebody is in already.
                    Some(Wish::SignIn(_)) => {}
                    None => return Ok(Ended::TwinGone),
                },
                came = tokio::time::timeout(Duration::from_secs(SILENCE_S), incoming.next()) => {
                    let message = came.map_err(|_| NetError::Silent(SILENCE_S))?.ok_or(NetError::Closed)?;
                    let Some(event) = self.read(message.map_err(Box::new)?)? else { continue };
                    let subscriptions = layers_of(&event);
                    let first = !std::mem::replace(was_live, true);
                    if first && self.events.send(Event::Linked).is_err() || self.events.send(event).is_err() {
                        return Ok(Ended::TwinGone);
                    }
                    for wanted in subscriptions {
                        out.send(text_of(&wanted)?).await.map_err(Box::new)?;
                    }
                }
            }
        }
    }

    /// Fetches who the person is, the catalogue, and the scene where it is not the one already
    /// here. `false`: the twin has gone.
    fn fetch(&mut self) -> Result<bool, NetError> {
        let me = self.client.me()?;
        if self.events.send(Event::Known(Box::new(me))).is_err() {
            return Ok(false);
        }
        let bytes = self.client.fetch("/api/v1/catalogue", &[], MAX_CATALOGUE_BYTES)?;
        let catalogue: Catalogue =
            serde_json::from_slice(&bytes).map_err(|why| NetError::Unreadable(why.to_string()))?;
        let version = catalogue.version.clone();
        let is_new = self.scene_known.as_ref() != Some(&version);
        if self.events.send(Event::Catalogue(Box::new(catalogue))).is_err() {
            return Ok(false);
        }
        if is_new {
            let scene = self.client.fetch("/api/v1/scene.glb", &[], MAX_SCENE_BYTES)?;
            self.scene_known = Some(version);
            return Ok(self.events.send(Event::Scene(scene)).is_ok());
        }
        Ok(true)
    }

    fn read(&mut self, message: Message) -> Result<Option<Event>, NetError> {
        let unreadable = |why: String| NetError::Unreadable(why);
        match message {
            Message::Text(text) => {
                let message = ServerMessage::decode(&text).map_err(|why| unreadable(why.to_string()))?;
                if let ServerMessage::Hello { protocol, catalogue, .. } = &message {
                    if *protocol != PROTOCOL_VERSION {
                        return Err(NetError::Version { hub: *protocol });
                    }
                    if self.scene_known.as_ref() != Some(catalogue) {
                        return Err(unreadable("the campus changed while it was fetched".into()));
                    }
                }
                Ok(Some(Event::Message(message)))
            }
            Message::Binary(bytes) if is_layer_frame(&bytes) => {
                let head = LayerFrame::head(&bytes).map_err(|why| unreadable(why.to_string()))?;
                let before = self.layers.get(&head.layer);
                let frame = LayerFrame::decode(&bytes, before).map_err(|why| unreadable(why.to_string()))?;
                self.layers.insert(frame.layer, frame.state.clone());
                Ok(Some(Event::Layer(frame)))
            }
            Message::Binary(bytes) => DataFrame::decode(&bytes)
                .map(|frame| Some(Event::Frame(frame)))
                .map_err(|why| unreadable(why.to_string())),
            Message::Close(_) => Err(NetError::Closed),
            // The library answers pings itself.
            _ => Ok(None),
        }
    }
}

/// What is subscribed to once the layers of a world are known: water twice a second, people five times.
fn layers_of(event: &Event) -> Vec<ClientMessage> {
    let Event::Message(ServerMessage::Layers { layers }) = event else { return Vec::new() };
    let subscribe = |(i, info): (usize, &campanile_protocol::LayerInfo)| {
        let rate =
            if matches!(info.shape, campanile_protocol::LayerShape::Agents { .. }) { 5.0 } else { 2.0 };
        ClientMessage::SubscribeLayer(LayerSubscription {
            id: 100 + i as u32,
            layer: info.id.clone(),
            max_rate_hz: Some(rate),
            max_bytes_s: Some(LAYER_BYTES_S),
        })
    };
    layers.iter().enumerate().map(subscribe).collect()
}

fn text_of(message: &ClientMessage) -> Result<Message, NetError> {
    let text = message.encode().map_err(|why| NetError::Unreadable(why.to_string()))?;
    Ok(Message::Text(text.into()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use campanile_client::Access;

    use super::*;

    fn hub_at(address: &str) -> NativeHub {
        NativeHub::connect(Client::new(address, &Access::default()).unwrap()).unwrap()
    }

    /// The next event that is not a history.
    fn next(hub: &NativeHub) -> Event {
        let began = std::time::Instant::now();
        loop {
            if let Some(event) = hub.poll() {
                return event;
            }
            assert!(began.elapsed().as_secs() < 20, "the news has to come");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_hub_that_is_not_there_is_a_cut_with_the_reason() {
        // Port 9 (discard) is closed on any machine that runs tests.
        match next(&hub_at("http://127.0.0.1:9")) {
            Event::Cut { why, retry_s } => {
                assert!(why.contains("no hub answers at http://127.0.0.1:9"), "{why}");
                assert_eq!(retry_s, 0.5);
            }
            other => unreachable!("nothing else can come: {other:?}"),
        }
    }

    /// Answers each request with the next text, whatever was asked.
    fn says(answers: Vec<String>) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut piece = [0; 4096];
                let mut asked = String::new();
                // A body comes with its head, or right behind.
                while !asked.contains("\r\n\r\n") || (asked.starts_with("POST") && !asked.ends_with('}')) {
                    let n = stream.read(&mut piece).unwrap();
                    asked += &String::from_utf8_lossy(&piece[..n]);
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    #[test]
    fn who_is_asked_signs_in_and_chooses_a_password_of_their_own() {
        let answer = |status: &str, extra: &str, body: &str| {
            format!("HTTP/1.1 {status} X\r\n{extra}connection: close\r\n\r\n{body}")
        };
        let refused = |code: &str, message: &str| {
            answer("401", "", &format!("{{\"code\":\"{code}\",\"message\":\"{message}\"}}"))
        };
        let in_as = |must: bool| {
            let body =
                format!("{{\"actor\":\"person:anna\",\"role\":\"viewer\",\"must_change_password\":{must}}}");
            answer("200", "set-cookie: campanile=01\r\n", &body)
        };
        let hub = hub_at(&says(vec![
            refused("sign-in-required", "sign in"),
            refused("wrong-sign-in", "no"),
            in_as(true),
            refused("malformed", "too short"),
            answer("200", "", "{\"ok\":true}"),
            in_as(false),
            in_as(false),
        ]));
        let asked = |what, why| match next(&hub) {
            Event::Asked { what: got, why: because } => assert_eq!((got, because), (what, why)),
            other => unreachable!("the person has to be asked: {other:?}"),
        };
        let account =
            |password: &str| Credentials::Account { name: "anna".into(), password: Secret::new(password) };
        asked(Asked::Person, Why::First);
        hub.sign_in(account("wrong"));
        asked(Asked::Person, Why::Said("no".into()));
        hub.sign_in(account("once"));
        asked(Asked::OwnPassword, Why::First);
        hub.sign_in(Credentials::OwnPassword(Secret::new("short")));
        asked(Asked::OwnPassword, Why::Said("too short".into()));
        hub.sign_in(Credentials::OwnPassword(Secret::new("four words of anna")));
        match next(&hub) {
            Event::Known(me) => assert_eq!(me.actor, "person:anna"),
            other => unreachable!("the hub knows them now: {other:?}"),
        }
    }
}
