//! The seam to the hub: the only module with threads and sockets.
//!
//! [`Hub`] is what the rest of the twin sees; [`NativeHub`] is the one for desktops. A browser has
//! its own WebSocket and `fetch` and gets another implementation of the same trait.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use campanile_protocol::rehearsal::{
    ActRequest, BranchRequest, DrillInfo, RehearsalInfo, RehearsalRequest, RehearsalState, SetPace,
    StartRehearsal,
};
use campanile_protocol::rest::{ApiError, BucketsAnswer};
use campanile_protocol::{
    Catalogue, ClientMessage, DataFrame, LayerFrame, LayerState, LayerSubscription, PROTOCOL_VERSION,
    ServerMessage, Subscription, is_layer_frame, limits,
};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::state::{Event, World};

/// A link to a hub that keeps itself up.
pub trait Hub: Send + Sync + 'static {
    /// The next event, if one waits. Never blocks.
    fn poll(&self) -> Option<Event>;
    /// Sends a control message. `false`: the link is down or too busy, and it was not sent.
    fn send(&self, message: ClientMessage) -> bool;
    /// Asks for the history of a point; [`Event::History`] answers. `false`: too busy, not asked.
    fn ask_history(&self, query: HistoryQuery) -> bool;
    /// Asks or tells something of drills; an event answers. `false`: too busy, not asked.
    fn ask(&self, ask: Ask) -> bool;
    /// From now on the link follows another world; everything of it comes as events.
    fn follow(&self, world: World);
    /// The address of the hub, for pages that a browser opens.
    fn address(&self) -> &str;
}

/// What is asked and told of drills and rehearsals.
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
    /// Branch it.
    Branch(BranchRequest),
    /// End it.
    End(String),
    /// Its layers as they were at a moment, seconds from the start.
    Frames(String, f64),
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
    /// The address of the hub is not one.
    #[error("'{0}' is not the address of a hub: it has to look like http://127.0.0.1:7373")]
    Address(String),
    /// HTTP failed.
    #[error("{what} can't be fetched from the hub: {why}")]
    Http {
        /// What was asked for.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// The WebSocket failed.
    #[error("the link to the hub failed: {0}")]
    Socket(#[from] Box<tungstenite::Error>),
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
    Thread(#[from] std::io::Error),
}

/// The scene of a large campus with furniture; more is not sent to a twin.
const MAX_SCENE_BYTES: u64 = 512 * 1024 * 1024;
const MAX_CATALOGUE_BYTES: u64 = 256 * 1024 * 1024;
/// An answer about drills; a list of whole frames of a large campus is the largest.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// What a layer may take of a school's network, bytes a second.
const LAYER_BYTES_S: f64 = 400_000.0;
/// Events that wait for the next frame; a full queue holds the sockets back.
const EVENTS_WAITING: usize = 1024;
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(15);
/// The hub sends its clock and status every few seconds even if nothing else happens.
const SILENCE_S: u64 = 30;

/// The link of desktops: one thread for the WebSocket, one for queries over HTTP.
pub struct NativeHub {
    events: Mutex<Receiver<Event>>,
    messages: tokio::sync::mpsc::Sender<ClientMessage>,
    queries: SyncSender<Query>,
    world: tokio::sync::watch::Sender<World>,
    base: String,
}

/// What the thread for HTTP is asked.
enum Query {
    History(HistoryQuery),
    Drill(Ask),
}

impl NativeHub {
    /// Starts to connect to a hub at an address such as `http://127.0.0.1:7373`. Everything from
    /// then on comes as events.
    ///
    /// # Errors
    /// [`NetError::Address`] for an address that is none, [`NetError::Thread`] where none starts.
    pub fn connect(address: &str) -> Result<Self, NetError> {
        let base = address.trim_end_matches('/').to_owned();
        let socket_url = match base.split_once("://") {
            Some(("http", rest)) if !rest.is_empty() => format!("ws://{rest}/api/v1/ws"),
            Some(("https", rest)) if !rest.is_empty() => format!("wss://{rest}/api/v1/ws"),
            _ => return Err(NetError::Address(address.to_owned())),
        };
        let (events_in, events) = sync_channel(EVENTS_WAITING);
        let (messages, messages_out) = tokio::sync::mpsc::channel(64);
        let (queries, queries_out) = sync_channel(64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (world, worlds) = tokio::sync::watch::channel(World::Live);
        let link = Link {
            base: base.clone(),
            socket_url,
            events: events_in.clone(),
            scene_known: None,
            worlds,
            layers: BTreeMap::new(),
        };
        let shown = base.clone();
        std::thread::Builder::new()
            .name("hub-link".into())
            .spawn(move || runtime.block_on(link.run(messages_out)))?;
        std::thread::Builder::new()
            .name("hub-history".into())
            .spawn(move || answer_queries(&base, &queries_out, &events_in))?;
        Ok(Self { events: Mutex::new(events), messages, queries, world, base: shown })
    }
}

impl Hub for NativeHub {
    fn poll(&self) -> Option<Event> {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).try_recv().ok()
    }

    fn send(&self, message: ClientMessage) -> bool {
        self.messages.try_send(message).is_ok()
    }

    fn ask_history(&self, query: HistoryQuery) -> bool {
        self.query(Query::History(query))
    }

    fn ask(&self, ask: Ask) -> bool {
        self.query(Query::Drill(ask))
    }

    fn follow(&self, world: World) {
        self.world.send_replace(world);
    }

    fn address(&self) -> &str {
        &self.base
    }
}

impl NativeHub {
    fn query(&self, query: Query) -> bool {
        !matches!(self.queries.try_send(query), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
    }
}

/// One agent a thread: its connections are kept open between queries.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().into()
}

fn get(agent: &ureq::Agent, url: &str, what: &'static str, limit: u64) -> Result<Vec<u8>, NetError> {
    let failed = |why: ureq::Error| NetError::Http { what, why: why.to_string() };
    let mut answer = agent.get(url).call().map_err(failed)?;
    answer.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)
}

fn answer_queries(base: &str, queries: &Receiver<Query>, events: &SyncSender<Event>) {
    let agent = agent();
    while let Ok(query) = queries.recv() {
        let event = match query {
            Query::History(query) => {
                let request = agent
                    .get(format!("{base}/api/v1/history/buckets"))
                    .query("point", &query.path)
                    .query("from_us", query.from_us.to_string())
                    .query("to_us", query.to_us.to_string())
                    .query("width_s", query.width_s.to_string());
                let answer = request.call().and_then(|mut a| a.body_mut().read_json::<BucketsAnswer>()).ok();
                Event::History { point: query.point, answer }
            }
            Query::Drill(ask) => answer_drill(&agent, base, ask).unwrap_or_else(Event::Refused),
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Asks or tells something of drills; what the hub says where it refuses.
fn answer_drill(agent: &ureq::Agent, base: &str, ask: Ask) -> Result<Event, String> {
    let url = |path: &str| format!("{base}/api/v1/{path}");
    let posted = |path: &str, body: serde_json::Result<serde_json::Value>| -> Result<Vec<u8>, String> {
        let body = body.map_err(|why| why.to_string())?;
        said(agent.post(url(path)).config().http_status_as_error(false).build().send_json(body))
    };
    let got = |path: &str, id: &str, at_s: Option<f64>| -> Result<Vec<u8>, String> {
        let mut request = agent.get(url(path)).config().http_status_as_error(false).build();
        if !id.is_empty() {
            request = request.query("id", id);
        }
        if let Some(at_s) = at_s {
            request = request.query("at_s", at_s.to_string());
        }
        said(request.call())
    };
    let read = |why: serde_json::Error| why.to_string();
    Ok(match ask {
        Ask::Drills => {
            Event::Drills(serde_json::from_slice::<Vec<DrillInfo>>(&got("drills", "", None)?).map_err(read)?)
        }
        Ask::Rehearsals => Event::Rehearsals(
            serde_json::from_slice::<Vec<RehearsalInfo>>(&got("rehearsals", "", None)?).map_err(read)?,
        ),
        Ask::State(id) => Event::Rehearsal(Box::new(
            serde_json::from_slice::<RehearsalState>(&got("rehearsals/state", &id, None)?).map_err(read)?,
        )),
        Ask::Begin(request) => {
            let info = posted("rehearsals", serde_json::to_value(request))?;
            Event::Began(Box::new(serde_json::from_slice(&info).map_err(read)?))
        }
        Ask::Branch(request) => {
            let info = posted("rehearsals/branch", serde_json::to_value(request))?;
            Event::Began(Box::new(serde_json::from_slice(&info).map_err(read)?))
        }
        Ask::Pace(request) => {
            posted("rehearsals/pace", serde_json::to_value(request)).map(|_| Event::Done)?
        }
        Ask::Act(request) => posted("rehearsals/act", serde_json::to_value(request)).map(|_| Event::Done)?,
        Ask::End(id) => {
            posted("rehearsals/end", serde_json::to_value(RehearsalRequest { id })).map(|_| Event::Done)?
        }
        Ask::Frames(id, at_s) => {
            Event::Frames { at_s, frames: frames(&got("rehearsals/frames", &id, Some(at_s))?)? }
        }
    })
}

/// The body of an answer, or what the hub says instead.
fn said(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, String> {
    let mut answer = answer.map_err(|why| why.to_string())?;
    let ok = answer.status().is_success();
    let body = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER_BYTES)
        .read_to_vec()
        .map_err(|why| why.to_string())?;
    if ok {
        return Ok(body);
    }
    let said = serde_json::from_slice::<ApiError>(&body).map(|error| error.message);
    Err(said.unwrap_or_else(|_| answer.status().to_string()))
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
    base: String,
    socket_url: String,
    events: SyncSender<Event>,
    /// The version of the catalogue whose scene is already here.
    scene_known: Option<String>,
    /// Which world is to be followed.
    worlds: tokio::sync::watch::Receiver<World>,
    /// How each layer stood at its last frame, which the next builds on.
    layers: BTreeMap<u32, LayerState>,
}

/// Why a life of the link ended without a fault.
enum Ended {
    /// The twin has gone.
    TwinGone,
    /// Another world is to be followed.
    OtherWorld,
}

impl Link {
    async fn run(mut self, mut messages: tokio::sync::mpsc::Receiver<ClientMessage>) {
        let mut wait = FIRST_RETRY;
        loop {
            let mut was_live = false;
            let ended = self.once(&mut messages, &mut was_live).await;
            if was_live {
                wait = FIRST_RETRY;
            }
            let why = match ended {
                Err(why) => why.to_string(),
                Ok(Ended::TwinGone) => return,
                Ok(Ended::OtherWorld) => {
                    wait = FIRST_RETRY;
                    while messages.try_recv().is_ok() {}
                    continue;
                }
            };
            if self.events.send(Event::Cut { why, retry_s: wait.as_secs_f64() }).is_err() {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_RETRY);
            // What was meant for the world before the cut must not reach the one after it.
            while messages.try_recv().is_ok() {}
        }
    }

    /// One life of the link, from fetching the catalogue to the cut.
    async fn once(
        &mut self,
        messages: &mut tokio::sync::mpsc::Receiver<ClientMessage>,
        was_live: &mut bool,
    ) -> Result<Ended, NetError> {
        if !self.fetch()? {
            return Ok(Ended::TwinGone);
        }
        self.layers.clear();
        let world = self.worlds.borrow_and_update().clone();
        let url = match &world {
            World::Live => self.socket_url.clone(),
            World::Rehearsal(id) => format!("{}?world={id}", self.socket_url),
            World::Past { at_us, rate } => {
                format!("{}?world=past&at_us={at_us}&rate={rate}", self.socket_url)
            }
        };
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        config.max_frame_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        let (socket, _) =
            tokio_tungstenite::connect_async_with_config(&url, Some(config), true).await.map_err(Box::new)?;
        let (mut out, mut incoming) = socket.split();
        let hello = ClientMessage::hello(concat!("campanile-twin ", env!("CARGO_PKG_VERSION")));
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
                wish = messages.recv() => match wish {
                    Some(message) => out.send(text_of(&message)?).await.map_err(Box::new)?,
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

    /// Fetches the catalogue, and the scene where it is not the one already here. `false`: the
    /// twin has gone.
    fn fetch(&mut self) -> Result<bool, NetError> {
        let agent = agent();
        let url = format!("{}/api/v1/catalogue", self.base);
        let bytes = get(&agent, &url, "the catalogue", MAX_CATALOGUE_BYTES)?;
        let catalogue: Catalogue =
            serde_json::from_slice(&bytes).map_err(|why| NetError::Unreadable(why.to_string()))?;
        let version = catalogue.version.clone();
        let is_new = self.scene_known.as_ref() != Some(&version);
        if self.events.send(Event::Catalogue(Box::new(catalogue))).is_err() {
            return Ok(false);
        }
        if is_new {
            let url = format!("{}/api/v1/scene.glb", self.base);
            let scene = get(&agent, &url, "the scene", MAX_SCENE_BYTES)?;
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
    use super::*;

    #[test]
    fn an_address_that_is_none_is_refused_at_once() {
        for address in ["", "127.0.0.1:7373", "ftp://x", "http://"] {
            assert!(matches!(NativeHub::connect(address), Err(NetError::Address(_))), "{address}");
        }
    }

    #[test]
    fn a_hub_that_is_not_there_is_a_cut_with_the_reason() {
        // Port 9 (discard) is closed on any machine that runs tests.
        let hub = NativeHub::connect("http://127.0.0.1:9").unwrap();
        let began = std::time::Instant::now();
        loop {
            match hub.poll() {
                Some(Event::Cut { why, retry_s }) => {
                    assert!(why.contains("the catalogue can't be fetched"), "{why}");
                    assert_eq!(retry_s, 0.5);
                    return;
                }
                Some(other) => unreachable!("nothing else can come: {other:?}"),
                None => assert!(began.elapsed().as_secs() < 20, "the news has to come"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
