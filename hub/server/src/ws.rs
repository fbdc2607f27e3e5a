//! The WebSocket: one task a connection, a listener a subscription.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use campanile_model::Timestamp;
use campanile_protocol::rest::Outcome;
use campanile_protocol::{
    ClientMessage, DataFrame, ErrorCode, FrameKind, LayerSubscription, PROTOCOL_VERSION, RejectReason,
    ServerMessage, Subscription, limits,
};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};

use crate::api::{Ask, Failure};
use crate::channel::Channel;
use crate::clients::{Client, PointSet};
use crate::live::{AlarmAct, Live, Wish};
use crate::lookback::{self, Seek};
use crate::people::pace::Pace;
use crate::people::{Caller, People};
use crate::rehearsals::Rehearsals;
use crate::roles::{self, Permission};
use crate::words::{Arg, Language, say};
use crate::ws_layers::{self, LayerFeed};

/// The pace of clock and status messages.
const STATUS_PERIOD: Duration = Duration::from_secs(1);
/// The most samples in one frame of a snapshot: small enough to keep the sink responsive.
const SNAPSHOT_CHUNK: usize = 16_384;

/// Which world a client wants to follow.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldQuery {
    /// The id of a rehearsal; the live world where left out.
    #[serde(default)]
    world: Option<String>,
    /// Of the world `past`: the moment, microseconds UTC; now where left out.
    #[serde(default)]
    at_us: Option<i64>,
    /// Of the world `past`: how many of its seconds pass in one; 0 where left out.
    #[serde(default)]
    rate: f64,
}

/// Takes a client onto the WebSocket.
pub async fn upgrade(
    State(live): State<Arc<Live>>,
    Extension(rehearsals): Extension<Arc<Rehearsals>>,
    Ask(query): Ask<WorldQuery>,
    Extension(people): Extension<Arc<People>>,
    Extension(caller): Extension<Caller>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let mut seeks = None;
    let channel = match query.world.as_deref() {
        None | Some("live" | "simulated") => live.channel.clone(),
        Some("past") => {
            let at = query.at_us.map_or_else(|| live.view().time, Timestamp);
            if !(0.0..=lookback::MAX_RATE).contains(&query.rate) {
                let text = say("malformed-rate", &[("most", &lookback::MAX_RATE)]);
                return Err(Failure::new(StatusCode::BAD_REQUEST, ErrorCode::Malformed, text));
            }
            let seek = Seek { at, rate: query.rate };
            let room = live.look_backs.clone().try_acquire_owned().map_err(|_| {
                let text = say("too-many-look-backs", &[("most", &lookback::MOST)]);
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TooMany, text).after(30)
            })?;
            let (channel, sender) = lookback::start(live.clone(), seek, room).map_err(Failure::internal)?;
            seeks = Some(sender);
            channel
        }
        Some(id) => rehearsals.channel(id).ok_or_else(|| {
            let text = say("not-found-rehearsal-open", &[("id", &id)]);
            Failure::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, text)
        })?,
    };
    let room = people.sockets.clone().try_acquire_owned().map_err(|_| {
        let text = say("too-many-sockets", &[]);
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TooMany, text).after(30)
    })?;
    Ok(upgrade
        .max_message_size(limits::MAX_CLIENT_MESSAGE_BYTES)
        .max_frame_size(limits::MAX_CLIENT_MESSAGE_BYTES)
        .on_upgrade(move |socket| async move {
            let (sink, stream) = socket.split();
            let (burst, per_second) = people.limits.messages;
            let mut session = Session {
                live,
                channel,
                people,
                caller,
                sink,
                language: Language::default(),
                subscriptions: BTreeMap::new(),
                layers: BTreeMap::new(),
                sequence: 0,
                pace: Pace::new(burst, per_second),
                seeks,
            };
            // An error here is a connection that has gone; there is nobody to tell.
            if let Err(why) = session.run(stream).await {
                tracing::debug!(%why, "a client has gone");
            }
            for feed in session.subscriptions.values() {
                session.channel.clients.leave(&feed.client);
            }
            session.live.connections.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            drop(room);
        }))
}

struct Feed {
    client: Arc<Client>,
    min_interval: Duration,
    due: Instant,
    /// In which epoch of the world a snapshot was sent.
    snapshot_of: Option<u64>,
    conflated_before: u64,
}

struct Session {
    live: Arc<Live>,
    /// The world that this connection follows.
    channel: Arc<Channel>,
    people: Arc<People>,
    caller: Caller,
    sink: SplitSink<WebSocket, Message>,
    /// Of what is said to people, as the client's hello asked.
    language: Language,
    subscriptions: BTreeMap<u32, Feed>,
    layers: BTreeMap<u32, LayerFeed>,
    sequence: u64,
    /// Of what the client says, pings too.
    pace: Pace<()>,
    /// Of a look back, where its moment and pace are set.
    seeks: Option<crossbeam_channel::Sender<Seek>>,
}

type Gone = axum::Error;

impl Session {
    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(self.people.limits.socket, self.sink.send(message)).await {
            Ok(sent) => sent,
            Err(_) => Err(axum::Error::new("the client takes nothing")),
        }
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), Gone> {
        match message.encode() {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(why) => {
                tracing::error!(%why, "a message could not be written");
                Ok(())
            }
        }
    }

    async fn run(&mut self, mut stream: SplitStream<WebSocket>) -> Result<(), Gone> {
        let live = self.live.clone();
        live.connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.say(&ServerMessage::Hello {
            protocol: PROTOCOL_VERSION,
            server: crate::server_name(),
            campus: live.campus.id.clone(),
            catalogue: live.catalogue.version.clone(),
            world: self.channel.world.clone(),
        })
        .await?;
        if !self.greeted(&mut stream).await? {
            return self.send(Message::Close(None)).await;
        }
        let channel = self.channel.clone();
        let mut events = channel.events.subscribe();
        let mut moved = channel.layers_moved();
        let acts = if channel.real { Permission::Command } else { Permission::Rehearse };
        let can_operate = roles::may(self.caller.role, acts);
        self.say(&ServerMessage::Welcome { actor: self.caller.by.actor.clone(), can_operate }).await?;
        self.say_what_holds().await?;
        let layers = channel.layer_infos();
        if !layers.is_empty() {
            self.say(&ServerMessage::Layers { layers: layers.to_vec() }).await?;
        }
        let mut ticks = tokio::time::interval(STATUS_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let changed = next_due(&self.subscriptions);
            tokio::select! {
                incoming = stream.next() => match incoming {
                    Some(Ok(_)) if self.pace.take(&(), std::time::Instant::now()).is_err() => {
                        let text = self.language.say("too-many-messages", &[]);
                        self.error(ErrorCode::TooMany, text).await?;
                        return self.send(Message::Close(None)).await;
                    }
                    Some(Ok(Message::Text(text))) => {
                        self.language.speaking(self.take(text.as_str())).await?;
                    }
                    Some(Ok(Message::Binary(_))) => {
                        let text = self.language.say("malformed-binary", &[]);
                        self.error(ErrorCode::Malformed, text).await?;
                    }
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Err(why)) => return Err(why),
                },
                event = events.recv() => match event {
                    // What is shown to one person is nobody else's to see.
                    Ok(ServerMessage::PanelShown { panel })
                        if panel.person.as_ref().is_some_and(|who| *who != self.caller.person()) => {}
                    Ok(event) => self.say(&event).await?,
                    // The client was too slow for the events: it gets the whole list anew.
                    Err(RecvError::Lagged(_)) => {
                        self.say_what_holds().await?;
                    }
                    Err(RecvError::Closed) => return self.send(Message::Close(None)).await,
                },
                id = changed => self.serve(id).await?,
                (id, count) = ws_layers::next_due(&self.layers, &mut moved) => self.serve_layer(id, count).await?,
                _ = ticks.tick() => {
                    if self.people.role_now(&self.caller).is_none() {
                        let text = self.language.say("sign-in-required-ended", &[]);
                        self.error(ErrorCode::SignInRequired, text).await?;
                        return self.send(Message::Close(None)).await;
                    }
                    let time_us = channel.view().time.0;
                    self.say(&ServerMessage::Clock { time_us, rate: channel.rate() }).await?;
                    self.say(&ServerMessage::Status(live.hub_state_of(&channel))).await?;
                }
            }
        }
    }

    /// The alarms in force and the commands of every point that has one.
    async fn say_what_holds(&mut self) -> Result<(), Gone> {
        let view = self.channel.view();
        self.say(&ServerMessage::AlarmList { alarms: view.alarms.to_vec() }).await?;
        for state in view.commands.values() {
            self.say(&ServerMessage::CommandState(state.clone())).await?;
        }
        let panels = self.channel.panels_of(&self.caller.person());
        if !panels.is_empty() {
            self.say(&ServerMessage::PanelList { panels }).await?;
        }
        Ok(())
    }

    /// Waits for the client's hello; false where it speaks another version or says something else.
    async fn greeted(&mut self, stream: &mut SplitStream<WebSocket>) -> Result<bool, Gone> {
        let first = tokio::time::timeout(self.people.limits.socket, stream.next()).await;
        let Ok(Some(Ok(Message::Text(text)))) = first else { return Ok(false) };
        match ClientMessage::decode(text.as_str()) {
            Ok(ClientMessage::Hello { protocol: PROTOCOL_VERSION, client, language }) => {
                self.speak(language);
                tracing::info!(client, "a client has joined");
                Ok(true)
            }
            Ok(ClientMessage::Hello { protocol, language, .. }) => {
                self.speak(language);
                let args: [Arg<'_>; 2] = [("hub", &PROTOCOL_VERSION), ("client", &protocol)];
                let text = self.language.say("version", &args);
                self.error(ErrorCode::Version, text).await?;
                Ok(false)
            }
            Ok(_) => {
                let example = r#"{"type":"hello","protocol":1,"client":"…"}"#;
                let text = self.language.say("hello-first", &[("example", &example)]);
                self.error(ErrorCode::HelloFirst, text).await?;
                Ok(false)
            }
            Err(why) => {
                let text = self.language.say("malformed", &[("why", &why)]);
                self.error(ErrorCode::Malformed, text).await?;
                Ok(false)
            }
        }
    }

    /// From now on people are spoken to in the language that a hello names.
    fn speak(&mut self, language: Option<String>) {
        self.language = language.as_deref().map(Language::wanted).unwrap_or_default();
    }

    async fn error(&mut self, code: ErrorCode, message: String) -> Result<(), Gone> {
        self.say(&ServerMessage::Error { code, message }).await
    }

    async fn take(&mut self, text: &str) -> Result<(), Gone> {
        let message = match ClientMessage::decode(text) {
            Ok(message) => message,
            Err(why) => {
                let text = self.language.say("malformed", &[("why", &why)]);
                return self.error(ErrorCode::Malformed, text).await;
            }
        };
        self.people.seen(&self.caller);
        // The role as it is now, not as it was when the client joined.
        let role = self.people.role_now(&self.caller);
        if !role.is_some_and(|role| roles::may(role, roles::message_needs(&message, self.channel.real))) {
            return self.refuse(&message).await;
        }
        match message {
            ClientMessage::Hello { protocol: PROTOCOL_VERSION, language, .. } => {
                self.speak(language);
                Ok(())
            }
            ClientMessage::Hello { .. } => {
                let text = self.language.say("malformed-hello", &[]);
                self.error(ErrorCode::Malformed, text).await
            }
            ClientMessage::Subscribe(subscription) => self.subscribe(subscription).await,
            ClientMessage::SubscribeLayer(subscription) => self.subscribe_layer(&subscription).await,
            ClientMessage::Seek { at_us, rate } => {
                let Some(seeks) = &self.seeks else {
                    let text = self.language.say("conflict-seek", &[]);
                    return self.error(ErrorCode::Conflict, text).await;
                };
                // A full queue has newer moments in it soon; one that is lost in a drag is not missed.
                let _ = seeks.try_send(Seek { at: Timestamp(at_us), rate });
                Ok(())
            }
            ClientMessage::Unsubscribe { id } => {
                if let Some(feed) = self.subscriptions.remove(&id) {
                    self.channel.clients.leave(&feed.client);
                }
                self.layers.remove(&id);
                self.say(&ServerMessage::Unsubscribed { id }).await
            }
            ClientMessage::Write { request, point, value, priority, expiry_s, reason } => {
                let body = Wish { point, value: Some(value), priority, expiry_s, reason };
                let outcome = self.channel.command(&self.caller.by, body).await;
                self.reply(request, outcome).await
            }
            ClientMessage::Relinquish { request, point, priority, reason } => {
                let body = Wish { point, value: None, priority, expiry_s: None, reason };
                let outcome = self.channel.command(&self.caller.by, body).await;
                self.reply(request, outcome).await
            }
            ClientMessage::Acknowledge { request, alarm, comment } => {
                let outcome =
                    self.channel.alarm(&self.caller.by, alarm, AlarmAct::Acknowledge { comment }).await;
                self.reply(request, outcome).await
            }
            ClientMessage::Shelve { request, alarm, for_s, reason } => {
                let outcome =
                    self.channel.alarm(&self.caller.by, alarm, AlarmAct::Shelve { for_s, reason }).await;
                self.reply(request, outcome).await
            }
            ClientMessage::Unshelve { request, alarm } => {
                let outcome = self.channel.alarm(&self.caller.by, alarm, AlarmAct::Unshelve).await;
                self.reply(request, outcome).await
            }
        }
    }

    /// What the role may not do; kept in the audit record.
    async fn refuse(&mut self, message: &ClientMessage) -> Result<(), Gone> {
        let role = self.caller.role;
        let text = self.language.say("not-allowed", &[("role", &role)]);
        let (act, request) = match message {
            ClientMessage::Write { request, .. } => ("write", *request),
            ClientMessage::Relinquish { request, .. } => ("relinquish", *request),
            ClientMessage::Acknowledge { request, .. } => ("acknowledge", *request),
            ClientMessage::Shelve { request, .. } => ("shelve", *request),
            ClientMessage::Unshelve { request, .. } => ("unshelve", *request),
            _ => return self.error(ErrorCode::NotAllowed, text).await,
        };
        let detail = serde_json::json!({"subject": format!("WebSocket: {act}"), "role": role});
        let entry = self.caller.by.audit(crate::live::wall_clock(), "refused", "", detail);
        if self.live.keep(vec![entry]).await.is_err() {
            tracing::warn!("a refusal could not be kept");
        }
        self.say(&ServerMessage::rejected(request, RejectReason::NotAllowed, text)).await
    }

    async fn reply(&mut self, request: u64, outcome: Outcome) -> Result<(), Gone> {
        let message = match outcome {
            Outcome { ok: true, .. } => ServerMessage::done(request),
            Outcome { reason, message, .. } => {
                ServerMessage::rejected(request, reason.unwrap_or(RejectReason::Busy), message)
            }
        };
        self.say(&message).await
    }

    async fn subscribe(&mut self, subscription: Subscription) -> Result<(), Gone> {
        let id = subscription.id;
        if self.subscriptions.len() >= limits::MAX_SUBSCRIPTIONS && !self.subscriptions.contains_key(&id) {
            let text = self.language.say("too-large-subscriptions", &[("count", &limits::MAX_SUBSCRIPTIONS)]);
            return self.error(ErrorCode::TooLarge, text).await;
        }
        if let Err(why) = subscription.read_globs() {
            let text = self.language.say("glob", &[("why", &why)]);
            return self.error(ErrorCode::Glob, text).await;
        }
        let campus = &self.channel.campus;
        let mut points = PointSet::empty(campus.points.len());
        for glob in &subscription.globs {
            campus.points_matching(glob).into_iter().for_each(|p| points.insert(p));
        }
        let count = points.iter().count() as u32;
        let client = match self.subscriptions.remove(&id) {
            Some(feed) => feed.client,
            None => self.channel.clients.join(campus.points.len()),
        };
        let min_interval =
            subscription.max_rate_hz.map_or(Duration::ZERO, |hz| Duration::from_secs_f64(1.0 / hz));
        client.subscribe(points);
        let feed = Feed {
            conflated_before: client.conflated(),
            client,
            min_interval,
            due: Instant::now(),
            snapshot_of: None,
        };
        self.subscriptions.insert(id, feed);
        self.say(&ServerMessage::Subscribed { id, points: count }).await
    }

    async fn subscribe_layer(&mut self, subscription: &LayerSubscription) -> Result<(), Gone> {
        let id = subscription.id;
        if self.layers.len() >= limits::MAX_SUBSCRIPTIONS && !self.layers.contains_key(&id) {
            let text = self.language.say("too-large-layers", &[("count", &limits::MAX_SUBSCRIPTIONS)]);
            return self.error(ErrorCode::TooLarge, text).await;
        }
        let Some((feed, count)) = LayerFeed::new(subscription, &self.channel) else {
            let text = self.language.say("not-found-layer", &[("layer", &subscription.layer)]);
            return self.error(ErrorCode::NotFound, text).await;
        };
        self.layers.insert(id, feed);
        self.say(&ServerMessage::Subscribed { id, points: count }).await
    }

    async fn serve_layer(&mut self, id: u32, count: u64) -> Result<(), Gone> {
        let Some(feed) = self.layers.get_mut(&id) else { return Ok(()) };
        match feed.frame(&self.channel, count) {
            Some(bytes) => self.send(Message::Binary(bytes.into())).await,
            None => Ok(()),
        }
    }

    /// Sends what changed for one subscription since it was last served.
    async fn serve(&mut self, id: u32) -> Result<(), Gone> {
        let Some(feed) = self.subscriptions.get_mut(&id) else { return Ok(()) };
        feed.due = Instant::now() + feed.min_interval;
        // The set first, then the view: a change between the two is sent twice rather than never.
        let points = feed.client.take_dirty();
        let view = self.channel.view();
        let epoch = Some(self.channel.epoch());
        let kind = if feed.snapshot_of == epoch { FrameKind::Delta } else { FrameKind::Snapshot };
        feed.snapshot_of = epoch;
        let conflated_now = feed.client.conflated();
        let mut conflated = u32::try_from(conflated_now - feed.conflated_before).unwrap_or(u32::MAX);
        feed.conflated_before = conflated_now;
        let samples: Vec<_> = points.iter().filter_map(|point| view.sample(point)).collect();
        if samples.is_empty() && kind == FrameKind::Delta {
            return Ok(());
        }
        let mut chunks: Vec<_> = samples.chunks(SNAPSHOT_CHUNK).map(<[_]>::to_vec).collect();
        if chunks.is_empty() {
            chunks.push(Vec::new());
        }
        let last = chunks.len() - 1;
        for (index, samples) in chunks.into_iter().enumerate() {
            let frame = DataFrame {
                kind,
                more: index < last && kind == FrameKind::Snapshot,
                subscription: id,
                sequence: self.sequence,
                time: view.time,
                conflated: std::mem::take(&mut conflated),
                samples,
            };
            self.sequence += 1;
            match frame.encode() {
                Ok(bytes) => self.send(Message::Binary(bytes.into())).await?,
                Err(why) => tracing::error!(%why, "a frame could not be written"),
            }
        }
        Ok(())
    }
}

/// The next subscription that has something to tell and is due.
async fn next_due(subscriptions: &BTreeMap<u32, Feed>) -> u32 {
    let waits = subscriptions.iter().map(|(id, feed)| {
        Box::pin(async move {
            tokio::time::sleep_until(feed.due).await;
            feed.client.woken.notified().await;
            *id
        })
    });
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    futures_util::future::select_all(waits).await.0
}
