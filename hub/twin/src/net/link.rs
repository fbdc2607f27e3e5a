//! The link to a hub, as long as the twin lives: who the person is, the catalogue, the scene, then the WebSocket of a
//! world until it is cut, and again. The same on desktops and in a browser, over a [`Wire`].

use std::collections::BTreeMap;
use std::time::Duration;

use campanile_client::{Answer, ClientError, Proof, Request};
use campanile_protocol::people::{Me, Secret};
use campanile_protocol::{
    Catalogue, ClientMessage, DataFrame, LayerFrame, LayerState, LayerSubscription, PROTOCOL_VERSION,
    ServerMessage, Subscription, is_layer_frame,
};
use tokio::sync::{mpsc, watch};

use super::{Credentials, NAME, NetError, Wish};
use crate::state::{Asked, Event, Why, World};

/// The scene of a large campus with furniture; more is not sent to a twin.
const MAX_SCENE_BYTES: u64 = 512 * 1024 * 1024;
const MAX_CATALOGUE_BYTES: u64 = 256 * 1024 * 1024;
/// What a layer may take of a school's network, bytes a second.
const LAYER_BYTES_S: f64 = 400_000.0;
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(15);
/// The hub sends its clock and status every few seconds even if nothing else happens.
const SILENCE_S: u64 = 30;

/// How things go to the hub and back.
pub(super) trait Wire {
    /// What is said to the hub.
    type Out;
    /// What is heard of it.
    type In;

    /// The language of what the hub says to people, a BCP 47 tag.
    fn language(&self) -> &'static str;
    /// By what the hub knows who asks.
    fn proof(&self) -> Proof;
    /// Forgets it.
    fn forget(&self);
    /// Asks or tells something; a refusal is an answer.
    async fn ask(&self, request: &Request) -> Result<Answer, ClientError>;
    /// Asks for a session.
    async fn begin(&self, request: &Request) -> Result<Me, ClientError>;
    /// Ends the session.
    async fn sign_out(&self);
    /// Opens the WebSocket of a world.
    async fn open(&self, world: &World) -> Result<(Self::Out, Self::In), NetError>;
    /// Says something.
    async fn say(&self, out: &mut Self::Out, text: String) -> Result<(), NetError>;
    /// What is said next. May be dropped while it waits, and loses nothing.
    async fn hear(&self, incoming: &mut Self::In) -> Result<Said, NetError>;
    /// Waits.
    async fn sleep(&self, time: Duration);
    /// Tells the twin; waits where too much waits for it.
    async fn tell(&self, event: Event) -> Result<(), TwinGone>;
}

/// What the hub has said on a WebSocket.
pub(super) enum Said {
    /// A message.
    Text(String),
    /// A frame.
    Bytes(Vec<u8>),
}

/// The twin has gone; the link ends.
pub(super) struct TwinGone;

/// Why a life of the link ended.
enum Ended {
    /// The twin has gone.
    TwinGone,
    /// Another world is to be followed.
    OtherWorld,
    /// By a fault, or because the person has to say who they are.
    Failed(NetError),
}

impl From<TwinGone> for Ended {
    fn from(_: TwinGone) -> Self {
        Self::TwinGone
    }
}

impl From<NetError> for Ended {
    fn from(why: NetError) -> Self {
        Self::Failed(why)
    }
}

impl From<ClientError> for Ended {
    fn from(why: ClientError) -> Self {
        Self::Failed(why.into())
    }
}

pub(super) struct Link<W> {
    wire: W,
    /// The version of the catalogue whose scene is already here.
    scene_known: Option<String>,
    /// Which world is to be followed.
    worlds: watch::Receiver<World>,
    /// How each layer stood at its last frame, which the next builds on.
    layers: BTreeMap<u32, LayerState>,
}

impl<W: Wire> Link<W> {
    pub(super) fn new(wire: W, worlds: watch::Receiver<World>) -> Self {
        Self { wire, scene_known: None, worlds, layers: BTreeMap::new() }
    }

    /// Lives as long as the twin.
    pub(super) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>) {
        // Only that the twin has gone ends it.
        let TwinGone = self.live(&mut wishes).await;
    }

    async fn live(&mut self, wishes: &mut mpsc::Receiver<Wish>) -> TwinGone {
        let mut wait = FIRST_RETRY;
        loop {
            let mut was_live = false;
            let ended = self.once(wishes, &mut was_live).await;
            if was_live {
                wait = FIRST_RETRY;
            }
            let why = match ended {
                Ended::Failed(NetError::NoWorld(why)) => {
                    if self.wire.tell(Event::WorldGone(why)).await.is_err() {
                        return TwinGone;
                    }
                    // The twin answers by following the present.
                    tokio::select! {
                        _ = self.worlds.changed() => {}
                        () = self.wire.sleep(LONGEST_RETRY) => {}
                    }
                    self.worlds.mark_changed();
                    continue;
                }
                Ended::Failed(why) => why,
                Ended::TwinGone => return TwinGone,
                Ended::OtherWorld => {
                    wait = FIRST_RETRY;
                    // What was meant for the world before must not reach the next.
                    self.drop_wishes(wishes).await;
                    continue;
                }
            };
            if let Some(why) = self.why_ask(&why) {
                if self.admit(wishes, why).await.is_err() {
                    return TwinGone;
                }
                continue;
            }
            let cut = Event::Cut { why: why.to_string(), retry_s: wait.as_secs_f64() };
            if self.wire.tell(cut).await.is_err() {
                return TwinGone;
            }
            self.wire.sleep(wait).await;
            wait = (wait * 2).min(LONGEST_RETRY);
            // What was meant for the world before the cut must not reach the one after it.
            self.drop_wishes(wishes).await;
        }
    }

    /// Of what waits to be said only the farewell is heeded.
    async fn drop_wishes(&self, wishes: &mut mpsc::Receiver<Wish>) {
        while let Ok(wish) = wishes.try_recv() {
            if let Wish::SignOut = wish {
                self.wire.sign_out().await;
            }
        }
    }

    /// Whether a link ended because the hub has to know who the person is.
    fn why_ask(&self, ended: &NetError) -> Option<Why> {
        match ended {
            NetError::SignedOut => Some(Why::First),
            NetError::Client(why) if why.wants_sign_in() => Some(match self.wire.proof() {
                Proof::Nothing => Why::First,
                Proof::Token(_) => Why::Token,
                Proof::Session(_) => Why::Ended,
            }),
            _ => None,
        }
    }

    /// Asks the person who they are until the hub lets them in.
    async fn admit(&mut self, wishes: &mut mpsc::Receiver<Wish>, why: Why) -> Result<(), TwinGone> {
        self.wire.forget();
        self.wire.tell(Event::Asked { what: Asked::Person, why }).await?;
        // The name and the one-time password of who has to choose their own.
        let mut once: Option<(String, Secret)> = None;
        loop {
            let answer = match wishes.recv().await.ok_or(TwinGone)? {
                Wish::Say(_) => continue,
                Wish::SignOut => {
                    once = None;
                    self.wire.sign_out().await;
                    self.wire.tell(Event::Asked { what: Asked::Person, why: Why::First }).await?;
                    continue;
                }
                Wish::SignIn(Credentials::Account { name, password }) => {
                    let answer = self.begin(Request::sign_in(&name, password.clone())).await;
                    let changes = answer.as_ref().is_ok_and(|me| me.must_change_password);
                    once = changes.then_some((name, password));
                    answer
                }
                Wish::SignIn(Credentials::Class { code, nickname }) => {
                    self.begin(Request::join(code, &nickname)).await
                }
                Wish::SignIn(Credentials::OwnPassword(new)) => match &once {
                    None => continue,
                    Some((name, old)) => self.change_password(name, old, new).await,
                },
            };
            let (what, why) = match answer {
                Ok(Me { must_change_password: false, .. }) => return Ok(()),
                Ok(_) => (Asked::OwnPassword, Why::First),
                Err(why) => {
                    // Once the password is changed, what failed was to sign in with it.
                    let in_session = once.is_some() && self.wire.proof() != Proof::Nothing;
                    let what = if in_session { Asked::OwnPassword } else { Asked::Person };
                    (what, Why::Said(why.to_string()))
                }
            };
            self.wire.tell(Event::Asked { what, why }).await?;
        }
    }

    async fn begin(&self, request: Result<Request, ClientError>) -> Result<Me, ClientError> {
        self.wire.begin(&request?).await
    }

    async fn change_password(&self, name: &str, old: &Secret, new: Secret) -> Result<Me, ClientError> {
        self.wire.ask(&Request::change_password(old.clone(), new.clone())?).await?.taken()?;
        // All their sessions have ended, this one too.
        self.wire.forget();
        self.begin(Request::sign_in(name, new)).await
    }

    /// One life of the link, from fetching the catalogue to the cut.
    async fn once(&mut self, wishes: &mut mpsc::Receiver<Wish>, was_live: &mut bool) -> Ended {
        let Err(ended) = self.followed(wishes, was_live).await;
        ended
    }

    async fn followed(
        &mut self,
        wishes: &mut mpsc::Receiver<Wish>,
        was_live: &mut bool,
    ) -> Result<std::convert::Infallible, Ended> {
        self.fetch().await?;
        self.layers.clear();
        let world = self.worlds.borrow_and_update().clone();
        let (mut out, mut incoming) = self.wire.open(&world).await?;
        let hello = ClientMessage::hello_in(NAME, self.wire.language());
        let subscribe = ClientMessage::Subscribe(Subscription {
            id: 1,
            globs: vec!["**".into()],
            max_rate_hz: Some(10.0),
        });
        for message in [hello, subscribe] {
            self.wire.say(&mut out, text_of(&message)?).await?;
        }
        loop {
            tokio::select! {
                other = self.worlds.changed() => {
                    other.map_err(|_| TwinGone)?;
                    let next = self.worlds.borrow_and_update().clone();
                    match (&world, &next) {
                        // In the past only the moment changes.
                        (World::Past { .. }, World::Past { at_us, rate }) => {
                            let seek = ClientMessage::Seek { at_us: *at_us, rate: *rate };
                            self.wire.say(&mut out, text_of(&seek)?).await?;
                        }
                        (now, next) if now == next => {}
                        _ => {
                            self.worlds.mark_changed();
                            return Err(Ended::OtherWorld);
                        }
                    }
                }
                wish = wishes.recv() => match wish.ok_or(TwinGone)? {
                    Wish::Say(message) => self.wire.say(&mut out, text_of(&message)?).await?,
                    Wish::SignOut => {
                        self.wire.sign_out().await;
                        return Err(NetError::SignedOut.into());
                    }
                    // Somebody is in already.
                    Wish::SignIn(_) => {}
                },
                came = self.wire.hear(&mut incoming) => {
                    let event = self.read(came?)?;
                    let subscriptions = layers_of(&event);
                    if !std::mem::replace(was_live, true) {
                        self.wire.tell(Event::Linked).await?;
                    }
                    self.wire.tell(event).await?;
                    for wanted in subscriptions {
                        self.wire.say(&mut out, text_of(&wanted)?).await?;
                    }
                }
                () = self.wire.sleep(Duration::from_secs(SILENCE_S)) => {
                    return Err(NetError::Silent(SILENCE_S).into());
                }
            }
        }
    }

    /// Fetches who the person is, the catalogue, and the scene where it is not the one already here.
    async fn fetch(&mut self) -> Result<(), Ended> {
        let me: Me = self.wire.ask(&Request::me()).await?.read()?;
        if me.must_change_password {
            // A page that was loaded anew has forgotten the one-time password, which the hub wants with the new one.
            self.wire.sign_out().await;
            return Err(NetError::SignedOut.into());
        }
        self.wire.tell(Event::Known(Box::new(me))).await?;
        let request = Request::get("/api/v1/catalogue").limit(MAX_CATALOGUE_BYTES);
        let catalogue: Catalogue = self.wire.ask(&request).await?.read()?;
        let version = catalogue.version.clone();
        self.wire.tell(Event::Catalogue(Box::new(catalogue))).await?;
        if self.scene_known.as_ref() != Some(&version) {
            let request = Request::get("/api/v1/scene.glb").limit(MAX_SCENE_BYTES);
            let scene = self.wire.ask(&request).await?.taken()?;
            self.scene_known = Some(version);
            self.wire.tell(Event::Scene(scene)).await?;
        }
        Ok(())
    }

    fn read(&mut self, said: Said) -> Result<Event, NetError> {
        let unreadable = |why: String| NetError::Unreadable(why);
        match said {
            Said::Text(text) => {
                let message = ServerMessage::decode(&text).map_err(|why| unreadable(why.to_string()))?;
                if let ServerMessage::Hello { protocol, catalogue, .. } = &message {
                    if *protocol != PROTOCOL_VERSION {
                        return Err(NetError::Version { hub: *protocol });
                    }
                    if self.scene_known.as_ref() != Some(catalogue) {
                        return Err(unreadable("the campus changed while it was fetched".into()));
                    }
                }
                Ok(Event::Message(message))
            }
            Said::Bytes(bytes) if is_layer_frame(&bytes) => {
                let head = LayerFrame::head(&bytes).map_err(|why| unreadable(why.to_string()))?;
                let before = self.layers.get(&head.layer);
                let frame = LayerFrame::decode(&bytes, before).map_err(|why| unreadable(why.to_string()))?;
                self.layers.insert(frame.layer, frame.state.clone());
                Ok(Event::Layer(frame))
            }
            Said::Bytes(bytes) => {
                DataFrame::decode(&bytes).map(Event::Frame).map_err(|why| unreadable(why.to_string()))
            }
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

fn text_of(message: &ClientMessage) -> Result<String, NetError> {
    message.encode().map_err(|why| NetError::Unreadable(why.to_string()))
}
