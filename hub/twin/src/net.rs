//! The seam to the hub: the only module with threads and sockets.
//!
//! [`Hub`] is what the rest of the twin sees; [`NativeHub`] is the one for desktops. A browser has
//! its own WebSocket and `fetch` and gets another implementation of the same trait.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campanile_client::{Client, ClientError, Proof};
use campanile_protocol::people::{Me, Secret};
use campanile_protocol::{
    Catalogue, ClientMessage, DataFrame, PROTOCOL_VERSION, ServerMessage, Subscription, limits,
};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc as wishes;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::state::{Asked, Event, Why};

/// A link to a hub that keeps itself up.
pub trait Hub: Send + Sync + 'static {
    /// The next event, if one waits. Never blocks.
    fn poll(&self) -> Option<Event>;
    /// Sends a control message. `false`: the link is down or too busy, and it was not sent.
    fn send(&self, message: ClientMessage) -> bool;
    /// Asks for the history of a point; [`Event::History`] answers. `false`: too busy, not asked.
    fn ask_history(&self, query: HistoryQuery) -> bool;
    /// Proves who the person is; [`Event::Known`] or [`Event::Asked`] answers.
    fn sign_in(&self, credentials: Credentials);
    /// Ends the person's session; [`Event::Asked`] follows.
    fn sign_out(&self);
    /// Chooses the language of what the hub says to people, a BCP 47 tag.
    fn set_language(&self, tag: &'static str);
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
/// Events that wait for the next frame; a full queue holds the sockets back.
const EVENTS_WAITING: usize = 1024;
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
    queries: SyncSender<HistoryQuery>,
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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NetError::Thread)?;
        let link = Link { client: client.clone(), events: events_in.clone(), scene_known: None };
        std::thread::Builder::new()
            .name("hub-link".into())
            .spawn(move || runtime.block_on(link.run(wishes_out)))
            .map_err(NetError::Thread)?;
        let asked = client.clone();
        std::thread::Builder::new()
            .name("hub-history".into())
            .spawn(move || answer_queries(&asked, &queries_out, &events_in))
            .map_err(NetError::Thread)?;
        Ok(Self { client, events: Mutex::new(events), wishes, queries })
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
        !matches!(self.queries.try_send(query), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
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

fn answer_queries(client: &Client, queries: &Receiver<HistoryQuery>, events: &SyncSender<Event>) {
    while let Ok(HistoryQuery { point, path, from_us, to_us, width_s }) = queries.recv() {
        let query = [
            ("point", path),
            ("from_us", from_us.to_string()),
            ("to_us", to_us.to_string()),
            ("width_s", width_s.to_string()),
        ];
        let answer = client.get("/api/v1/history/buckets", &query).ok();
        if events.send(Event::History { point, answer }).is_err() {
            return;
        }
    }
}

struct Link {
    client: Arc<Client>,
    events: SyncSender<Event>,
    /// The version of the catalogue whose scene is already here.
    scene_known: Option<String>,
}

/// The twin has gone; the link ends.
struct TwinGone;

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
            let Err(why) = ended else { return };
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
            while let Ok(wish) = wishes.try_recv() {
                if let Wish::SignOut = wish {
                    self.client.sign_out();
                }
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

    /// Opens the WebSocket.
    async fn open(&self) -> Result<WebSocketStream<Box<dyn Io>>, NetError> {
        let address = self.client.socket()?;
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
        let mut request = address.url.into_client_request().map_err(Box::new)?;
        if let Some((name, value)) = self.client.proof_header()? {
            request.headers_mut().insert(name, value);
        }
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        config.max_frame_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        Ok(opened.map_err(Box::new)?.0)
    }

    /// One life of the link, from fetching the catalogue to the cut.
    async fn once(
        &mut self,
        wishes: &mut wishes::Receiver<Wish>,
        was_live: &mut bool,
    ) -> Result<TwinGone, NetError> {
        if !self.fetch()? {
            return Ok(TwinGone);
        }
        let (mut out, mut incoming) = self.open().await?.split();
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
                wish = wishes.recv() => match wish {
                    Some(Wish::Say(message)) => out.send(text_of(&message)?).await.map_err(Box::new)?,
                    Some(Wish::SignOut) => {
                        self.client.sign_out();
                        return Err(NetError::SignedOut);
                    }
                    // Somebody is in already.
                    Some(Wish::SignIn(_)) => {}
                    None => return Ok(TwinGone),
                },
                came = tokio::time::timeout(Duration::from_secs(SILENCE_S), incoming.next()) => {
                    let message = came.map_err(|_| NetError::Silent(SILENCE_S))?.ok_or(NetError::Closed)?;
                    let Some(event) = self.read(message.map_err(Box::new)?)? else { continue };
                    let first = !std::mem::replace(was_live, true);
                    if first && self.events.send(Event::Linked).is_err() || self.events.send(event).is_err() {
                        return Ok(TwinGone);
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
        let bytes = self.client.fetch("/api/v1/catalogue", MAX_CATALOGUE_BYTES)?;
        let catalogue: Catalogue =
            serde_json::from_slice(&bytes).map_err(|why| NetError::Unreadable(why.to_string()))?;
        let version = catalogue.version.clone();
        let is_new = self.scene_known.as_ref() != Some(&version);
        if self.events.send(Event::Catalogue(Box::new(catalogue))).is_err() {
            return Ok(false);
        }
        if is_new {
            let scene = self.client.fetch("/api/v1/scene.glb", MAX_SCENE_BYTES)?;
            self.scene_known = Some(version);
            return Ok(self.events.send(Event::Scene(scene)).is_ok());
        }
        Ok(true)
    }

    fn read(&self, message: Message) -> Result<Option<Event>, NetError> {
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
            Message::Binary(bytes) => DataFrame::decode(&bytes)
                .map(|frame| Some(Event::Frame(frame)))
                .map_err(|why| unreadable(why.to_string())),
            Message::Close(_) => Err(NetError::Closed),
            // The library answers pings itself.
            _ => Ok(None),
        }
    }
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
