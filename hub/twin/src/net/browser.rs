//! The link of a page that the hub itself serves: `fetch` and `WebSocket` of the browser, whose cookie is the session.
//!
//! All of it runs on the page's one thread. What belongs to the browser stays within the tasks that are spawned here;
//! [`BrowserHub`] has queues alone, as its trait wants something that can be sent.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campanile_client::{Answer, ClientError, Proof, Request};
use campanile_protocol::people::{Me, Secret};
use campanile_protocol::{ClientMessage, limits};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use tokio::sync::{Notify, mpsc, watch};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, BinaryType, CloseEvent, Event as DomEvent, Headers, MessageEvent, RequestCache,
    RequestCredentials, RequestInit, RequestMode, RequestRedirect, Response, WebSocket,
};

use super::asks::Query;
use super::link::{Link, Said, TwinGone, Wire};
use super::{
    Ask, Credentials, EVENTS_WAITING, HistoryQuery, Hub, NAME, NetError, QUERIES_WAITING, WISHES_WAITING,
    Wish,
};
use crate::state::{Event, World};

/// The longest wait until an answer begins.
const PATIENCE: Duration = Duration::from_secs(60);
/// What may wait of a WebSocket: a tab that nobody looks at draws nothing, and a browser can't be told to hold a socket
/// back. Beyond it the link is cut, and made anew when there is room.
const MESSAGES_WAITING: usize = 1024;
const BYTES_WAITING: usize = 32 << 20;

/// The hub that has served the page.
pub struct BrowserHub {
    address: String,
    inbox: Arc<Inbox>,
    wishes: mpsc::Sender<Wish>,
    queries: mpsc::Sender<Query>,
    world: watch::Sender<World>,
    language: Arc<Mutex<&'static str>>,
}

/// Events for the next frame.
#[derive(Default)]
struct Inbox {
    events: Mutex<VecDeque<Event>>,
    room: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inbox {
    async fn put(&self, event: Event) {
        loop {
            {
                let mut events = lock(&self.events);
                if events.len() < EVENTS_WAITING {
                    events.push_back(event);
                    return;
                }
            }
            self.room.notified().await;
        }
    }
}

impl BrowserHub {
    /// Starts to connect to the hub at an origin, such as `https://hub.school.example:7373`. Everything from then on comes
    /// as events.
    pub fn connect(origin: String, language: &'static str) -> Self {
        let inbox = Arc::new(Inbox::default());
        let (wishes, wishes_out) = mpsc::channel(WISHES_WAITING);
        let (queries, mut queries_out) = mpsc::channel::<Query>(QUERIES_WAITING);
        let (world, worlds) = watch::channel(World::Live);
        let language = Arc::new(Mutex::new(language));
        let wire = || BrowserWire {
            origin: origin.clone(),
            inbox: inbox.clone(),
            language: language.clone(),
            proof: RefCell::default(),
        };
        spawn_local(Link::new(wire(), worlds).run(wishes_out));
        let asker = wire();
        spawn_local(async move {
            while let Some(query) = queries_out.recv().await {
                let answer = match query.request() {
                    Ok(request) => asker.ask(&request).await,
                    Err(why) => Err(why),
                };
                asker.inbox.put(query.event(answer)).await;
            }
        });
        Self { address: origin, inbox, wishes, queries, world, language }
    }
}

impl Hub for BrowserHub {
    fn poll(&self) -> Option<Event> {
        let event = lock(&self.inbox.events).pop_front();
        if event.is_some() {
            self.inbox.room.notify_one();
        }
        event
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
        &self.address
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
        *lock(&self.language) = tag;
        // Where the link is down, the hello of the next one says it.
        self.send(ClientMessage::hello_in(NAME, tag));
    }
}

struct BrowserWire {
    origin: String,
    inbox: Arc<Inbox>,
    language: Arc<Mutex<&'static str>>,
    /// Whether there is a session: what is in it the browser does not tell a page.
    proof: RefCell<Proof>,
}

/// What a browser says of a failure.
fn words(why: &JsValue) -> String {
    let error = why.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    error.or_else(|| why.as_string()).unwrap_or_else(|| "the browser does not say why".to_owned())
}

fn failed(why: &JsValue) -> NetError {
    NetError::Link(words(why))
}

/// Waits. In a tab that nobody looks at it may take a second more.
async fn sleep(time: Duration) {
    let ms = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    let timer = Promise::new(&mut |done, _| {
        if let Some(window) = web_sys::window() {
            // A page that is being closed has no timers, and nobody waits.
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&done, ms);
        }
    });
    // A timer does not fail.
    let _ = JsFuture::from(timer).await;
}

impl BrowserWire {
    async fn fetch(&self, request: &Request) -> Result<Answer, ClientError> {
        let unreachable =
            |why: &JsValue| ClientError::Unreachable { hub: self.origin.clone(), why: words(why) };
        let headers = Headers::new().map_err(|why| unreachable(&why))?;
        let init = RequestInit::new();
        init.set_method(request.method.name());
        // As on desktops: nothing is kept, and who redirects is no hub.
        init.set_mode(RequestMode::SameOrigin);
        init.set_credentials(RequestCredentials::SameOrigin);
        init.set_cache(RequestCache::NoStore);
        init.set_redirect(RequestRedirect::Error);
        headers.set("accept-language", self.language()).map_err(|why| unreachable(&why))?;
        if let Some(body) = &request.body {
            headers.set("content-type", "application/json").map_err(|why| unreachable(&why))?;
            init.set_body(&JsValue::from_str(body));
        }
        init.set_headers(&headers);
        let aborter = AbortController::new().map_err(|why| unreachable(&why))?;
        init.set_signal(Some(&aborter.signal()));
        let window = web_sys::window().ok_or_else(|| unreachable(&JsValue::NULL))?;
        let url = format!("{}{}", self.origin, request.target);
        let answer = tokio::select! {
            answer = JsFuture::from(window.fetch_with_str_and_init(&url, &init)) => answer,
            () = sleep(PATIENCE) => {
                aborter.abort();
                let why = JsValue::from_str("it took too long");
                return Err(unreachable(&why));
            }
        };
        let answer: Response = answer.map_err(|why| unreachable(&why))?.unchecked_into();
        let too_long = || ClientError::Unreadable(format!("it has more than {} bytes", request.limit));
        let said = answer.headers().get("content-length").ok().flatten();
        if said.and_then(|text| text.parse::<u64>().ok()).is_some_and(|bytes| bytes > request.limit) {
            aborter.abort();
            return Err(too_long());
        }
        let body = answer.array_buffer().map_err(|why| unreachable(&why))?;
        let body = JsFuture::from(body).await.map_err(|why| unreachable(&why))?;
        let bytes = Uint8Array::new(&body);
        if u64::from(bytes.length()) > request.limit {
            return Err(too_long());
        }
        Ok(Answer { status: answer.status(), bytes: bytes.to_vec() })
    }
}

impl Wire for BrowserWire {
    type Out = Rc<Socket>;
    type In = Rc<Socket>;

    fn language(&self) -> &'static str {
        *lock(&self.language)
    }

    fn proof(&self) -> Proof {
        self.proof.borrow().clone()
    }

    fn forget(&self) {
        *self.proof.borrow_mut() = Proof::Nothing;
    }

    async fn ask(&self, request: &Request) -> Result<Answer, ClientError> {
        let answer = self.fetch(request).await?;
        if answer.status == 200 {
            *self.proof.borrow_mut() = Proof::Session(Secret::new(""));
        }
        Ok(answer)
    }

    async fn begin(&self, request: &Request) -> Result<Me, ClientError> {
        self.ask(request).await?.read()
    }

    async fn sign_out(&self) {
        // Where the hub does not hear it, the session ends there by itself. There may be one of an earlier visit.
        if let Ok(request) = Request::sign_out() {
            let _ = self.fetch(&request).await;
        }
        self.forget();
    }

    async fn open(&self, world: &World) -> Result<(Self::Out, Self::In), NetError> {
        // http and https become ws and wss.
        let url = format!("ws{}/api/v1/ws{}", self.origin.trim_start_matches("http"), world.query());
        let socket = Rc::new(Socket::open(&url)?);
        while socket.is_connecting() {
            socket.heard.news.notified().await;
        }
        if socket.is_open() {
            return Ok((socket.clone(), socket));
        }
        // A browser does not tell a page why; the hub does.
        Err(match world {
            World::Live => NetError::Closed,
            World::Rehearsal(id) => {
                let request = Request::get("/api/v1/rehearsals/state").query("id", id);
                match self.fetch(&request).await?.taken() {
                    Ok(_) => NetError::Closed,
                    Err(why) => NetError::NoWorld(why.to_string()),
                }
            }
            World::Past { .. } => NetError::NoWorld("the hub does not open this moment".to_owned()),
        })
    }

    async fn say(&self, out: &mut Self::Out, text: String) -> Result<(), NetError> {
        out.socket.send_with_str(&text).map_err(|why| failed(&why))
    }

    async fn hear(&self, incoming: &mut Self::In) -> Result<Said, NetError> {
        loop {
            if let Some(said) = incoming.heard.take() {
                return said;
            }
            if !incoming.is_open() {
                return Err(NetError::Closed);
            }
            incoming.heard.news.notified().await;
        }
    }

    async fn sleep(&self, time: Duration) {
        sleep(time).await;
    }

    async fn tell(&self, event: Event) -> Result<(), TwinGone> {
        // A page takes the twin and all of this with it when it is closed.
        self.inbox.put(event).await;
        Ok(())
    }
}

/// What has come by a WebSocket and was not looked at yet.
#[derive(Default)]
struct Heard {
    queue: RefCell<VecDeque<Result<Said, NetError>>>,
    bytes: Cell<usize>,
    news: Notify,
}

impl Heard {
    fn put(&self, said: Result<Said, NetError>) {
        self.bytes.set(self.bytes.get() + said.as_ref().map_or(0, Said::bytes));
        self.queue.borrow_mut().push_back(said);
        self.news.notify_one();
    }

    fn take(&self) -> Option<Result<Said, NetError>> {
        let said = self.queue.borrow_mut().pop_front()?;
        self.bytes.set(self.bytes.get() - said.as_ref().map_or(0, Said::bytes));
        Some(said)
    }

    fn is_full(&self) -> bool {
        self.queue.borrow().len() >= MESSAGES_WAITING || self.bytes.get() > BYTES_WAITING
    }
}

impl Said {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A WebSocket with what listens to it.
struct Socket {
    socket: WebSocket,
    heard: Rc<Heard>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
    _on_open: Closure<dyn FnMut(DomEvent)>,
}

impl Socket {
    fn open(url: &str) -> Result<Self, NetError> {
        let socket = WebSocket::new(url).map_err(|why| failed(&why))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let heard = Rc::new(Heard::default());
        let (into, own) = (heard.clone(), socket.clone());
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            let said = match data.dyn_ref::<ArrayBuffer>() {
                Some(buffer) => Said::Bytes(Uint8Array::new(buffer).to_vec()),
                None => Said::Text(data.as_string().unwrap_or_default()),
            };
            let too_long = said.bytes() > limits::MAX_SERVER_MESSAGE_BYTES;
            if too_long || into.is_full() {
                let why = if too_long { "a message is too long" } else { "the page was not looked at" };
                into.put(Err(NetError::Link(why.to_owned())));
                own.set_onmessage(None);
                // It is closing in any case.
                let _ = own.close();
                return;
            }
            into.put(Ok(said));
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let into = heard.clone();
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |_| into.news.notify_one());
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let into = heard.clone();
        let on_open = Closure::<dyn FnMut(DomEvent)>::new(move |_| into.news.notify_one());
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        Ok(Self { socket, heard, _on_message: on_message, _on_close: on_close, _on_open: on_open })
    }

    fn is_connecting(&self) -> bool {
        self.socket.ready_state() == WebSocket::CONNECTING
    }

    fn is_open(&self) -> bool {
        self.socket.ready_state() == WebSocket::OPEN
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What listens is gone.
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.socket.set_onopen(None);
        let _ = self.socket.close();
    }
}
