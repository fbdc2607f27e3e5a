//! The link of desktops: one thread for the WebSocket, one for queries over HTTP.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campanile_client::{Answer, Client, ClientError, Proof, Request};
use campanile_protocol::people::Me;
use campanile_protocol::rest::ApiError;
use campanile_protocol::{ClientMessage, limits};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::asks::Query;
use super::link::{Link, Said, TwinGone, Wire};
use super::{
    Ask, Credentials, EVENTS_WAITING, HistoryQuery, Hub, NAME, NetError, QUERIES_WAITING, WISHES_WAITING,
    Wish,
};
use crate::state::{Event, World};

/// The hub of a desktop.
pub struct NativeHub {
    client: Arc<Client>,
    events: Mutex<Receiver<Event>>,
    wishes: mpsc::Sender<Wish>,
    queries: SyncSender<Query>,
    world: watch::Sender<World>,
}

impl NativeHub {
    /// Starts to connect to a hub. Everything from then on comes as events.
    ///
    /// # Errors
    /// [`NetError::Thread`] where none starts.
    pub fn connect(client: Client) -> Result<Self, NetError> {
        let client = Arc::new(client);
        // A full queue holds the sockets back.
        let (events_in, events) = sync_channel(EVENTS_WAITING);
        let (wishes, wishes_out) = mpsc::channel(WISHES_WAITING);
        let (queries, queries_out) = sync_channel(QUERIES_WAITING);
        let (world, worlds) = watch::channel(World::Live);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NetError::Thread)?;
        let link = Link::new(NativeWire { client: client.clone(), events: events_in.clone() }, worlds);
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

fn answer_queries(client: &Client, queries: &Receiver<Query>, events: &SyncSender<Event>) {
    while let Ok(query) = queries.recv() {
        let answer = query.request().and_then(|request| client.run(&request));
        if events.send(query.event(answer)).is_err() {
            return;
        }
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
        self.queries.try_send(Query::History(query)).is_ok()
    }

    fn ask(&self, ask: Ask) -> bool {
        self.queries.try_send(Query::Ask(ask)).is_ok()
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

/// A connection, with TLS or without.
trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

type Socket = WebSocketStream<Box<dyn Io>>;

struct NativeWire {
    client: Arc<Client>,
    events: SyncSender<Event>,
}

fn failed(why: impl std::fmt::Display) -> NetError {
    NetError::Link(why.to_string())
}

/// The link has a thread of its own, so that what blocks holds up nothing else.
impl Wire for NativeWire {
    type Out = SplitSink<Socket, Message>;
    type In = SplitStream<Socket>;

    fn language(&self) -> &'static str {
        self.client.language()
    }

    fn proof(&self) -> Proof {
        self.client.proof()
    }

    fn forget(&self) {
        self.client.forget();
    }

    async fn ask(&self, request: &Request) -> Result<Answer, ClientError> {
        self.client.run(request)
    }

    async fn begin(&self, request: &Request) -> Result<Me, ClientError> {
        self.client.begin(request)
    }

    async fn sign_out(&self) {
        self.client.sign_out();
    }

    async fn open(&self, world: &World) -> Result<(Self::Out, Self::In), NetError> {
        let address = self.client.socket()?;
        let connected = tokio::net::TcpStream::connect((address.host.as_str(), address.port)).await;
        let stream = connected.map_err(failed)?;
        // A command should not wait for the next packet.
        stream.set_nodelay(true).map_err(failed)?;
        let stream: Box<dyn Io> = match address.tls {
            None => Box::new(stream),
            Some((config, name)) => {
                let connector = tokio_rustls::TlsConnector::from(config);
                Box::new(connector.connect(name, stream).await.map_err(failed)?)
            }
        };
        let mut request = (address.url + &world.query()).into_client_request().map_err(failed)?;
        if let Some((name, value)) = self.client.proof_header()? {
            request.headers_mut().insert(name, value);
        }
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        config.max_frame_size = Some(limits::MAX_SERVER_MESSAGE_BYTES);
        match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket.split()),
            // The hub is there and lets us in, but that world is not: it says why.
            Err(tungstenite::Error::Http(answer)) if *world != World::Live => {
                let said = answer.body().as_deref().and_then(|b| serde_json::from_slice::<ApiError>(b).ok());
                let why = said.map_or_else(|| answer.status().to_string(), |error| error.message);
                Err(NetError::NoWorld(why))
            }
            Err(why) => Err(failed(why)),
        }
    }

    async fn say(&self, out: &mut Self::Out, text: String) -> Result<(), NetError> {
        out.send(Message::Text(text.into())).await.map_err(failed)
    }

    async fn hear(&self, incoming: &mut Self::In) -> Result<Said, NetError> {
        loop {
            match incoming.next().await.ok_or(NetError::Closed)?.map_err(failed)? {
                Message::Text(text) => return Ok(Said::Text(text.as_str().to_owned())),
                Message::Binary(bytes) => return Ok(Said::Bytes(bytes.into())),
                Message::Close(_) => return Err(NetError::Closed),
                // The library answers pings itself.
                _ => {}
            }
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn tell(&self, event: Event) -> Result<(), TwinGone> {
        self.events.send(event).map_err(|_| TwinGone)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use campanile_client::Access;
    use campanile_protocol::people::Secret;

    use super::*;
    use crate::state::{Asked, Why};

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
