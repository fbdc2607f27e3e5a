//! Control messages: JSON texts on the WebSocket.

use campanile_model::{Glob, GlobError, Path, Priority};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::plugins::PanelShown;
use crate::{AlarmInfo, JsonValue, LayerInfo, PROTOCOL_VERSION, limits};

/// From a client to the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message: who speaks which version. Said again, it only chooses another language.
    Hello {
        /// [`PROTOCOL_VERSION`] of the client.
        protocol: u16,
        /// The client's name and version, such as `campanile-twin 0.1.0`.
        client: String,
        /// The language of what the hub says to people, as in `Accept-Language`: `zh-CN` or `en`; absent: English.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// Follow the points whose paths match any of the globs. The same id again replaces it.
    Subscribe(Subscription),
    /// Follow a layer of a rehearsal. The same id again replaces it.
    SubscribeLayer(LayerSubscription),
    /// Look at another moment of the past, at another pace: on a connection to the world `past`.
    Seek {
        /// The moment, microseconds UTC.
        at_us: i64,
        /// How many of its seconds pass in one, at most 3600; 0 stands.
        rate: f64,
    },
    /// Follow no longer.
    Unsubscribe {
        /// The id given to [`ClientMessage::Subscribe`] or [`ClientMessage::SubscribeLayer`].
        id: u32,
    },
    /// Write a slot of a point's priority array.
    Write {
        /// A number of the client's choosing that the answer repeats.
        request: u64,
        /// Which point.
        point: Path,
        /// What it should be.
        value: JsonValue,
        /// Which slot, 1 to 16.
        priority: u8,
        /// After how many seconds the slot empties by itself; absent: never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expiry_s: Option<f64>,
        /// Why: kept in the audit record.
        reason: String,
    },
    /// Empty a slot of a point's priority array.
    Relinquish {
        /// A number of the client's choosing that the answer repeats.
        request: u64,
        /// Which point.
        point: Path,
        /// Which slot, 1 to 16.
        priority: u8,
        /// Why: kept in the audit record.
        reason: String,
    },
    /// Acknowledge an alarm.
    Acknowledge {
        /// A number of the client's choosing that the answer repeats.
        request: u64,
        /// [`AlarmInfo::id`].
        alarm: String,
        /// What was seen or done: kept in the audit record.
        #[serde(default)]
        comment: String,
    },
    /// Hide an alarm for a time.
    Shelve {
        /// A number of the client's choosing that the answer repeats.
        request: u64,
        /// [`AlarmInfo::id`].
        alarm: String,
        /// For how many seconds; at most a week.
        for_s: f64,
        /// Why: kept in the audit record.
        reason: String,
    },
    /// Take an alarm from the shelf before its time.
    Unshelve {
        /// A number of the client's choosing that the answer repeats.
        request: u64,
        /// [`AlarmInfo::id`].
        alarm: String,
    },
}

/// What a client follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// A number of the client's choosing that data frames repeat.
    pub id: u32,
    /// Globs over point paths: `*` is one segment, `**` any number.
    pub globs: Vec<String>,
    /// At most how many frames a second; absent: as fast as the client reads. Values between are
    /// conflated: the client gets the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate_hz: Option<f64>,
}

/// A layer that a client follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerSubscription {
    /// A number of the client's choosing, other than those of its other subscriptions.
    pub id: u32,
    /// [`crate::LayerInfo::id`].
    pub layer: String,
    /// At most how many frames a second; absent: as fast as the client reads and the world moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate_hz: Option<f64>,
    /// At most how many bytes a second over some seconds; a whole frame may be larger, and is then followed by a pause.
    /// Absent: no limit but the client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes_s: Option<f64>,
}

impl Subscription {
    /// The globs, read.
    ///
    /// # Errors
    /// [`GlobError`] for the first that isn't one.
    pub fn read_globs(&self) -> Result<Vec<Glob>, GlobError> {
        self.globs.iter().map(|text| Glob::new(text)).collect()
    }
}

/// From the hub to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ServerMessage {
    /// The first message.
    Hello {
        /// [`PROTOCOL_VERSION`] of the hub.
        protocol: u16,
        /// The hub's name and version, such as `campanile 0.1.0`.
        server: String,
        /// The id of the campus.
        campus: String,
        /// [`crate::Catalogue::version`].
        catalogue: String,
        /// The world that this connection follows; `live` is the real campus, `simulated` a moment
        /// that device models made.
        world: String,
    },
    /// The client's hello was accepted.
    Welcome {
        /// Who the hub takes the client for.
        actor: String,
        /// Whether the client may write and acknowledge.
        can_operate: bool,
    },
    /// The layers of the world that this connection follows, in the order by which frames name them.
    Layers {
        /// What they are.
        layers: Vec<LayerInfo>,
    },
    /// A subscription was accepted; its snapshot follows.
    Subscribed {
        /// The id of the subscription.
        id: u32,
        /// How many points match; of a layer, how many cells, numbers or people it has.
        points: u32,
    },
    /// A subscription has ended.
    Unsubscribed {
        /// The id of the subscription.
        id: u32,
    },
    /// Every alarm in force; replaces what the client knew.
    AlarmList {
        /// The alarms, the most urgent first.
        alarms: Vec<AlarmInfo>,
    },
    /// One alarm changed; one whose state is normal leaves the list.
    AlarmChanged {
        /// How it stands now.
        alarm: Box<AlarmInfo>,
    },
    /// Every panel that plugins show to this client; replaces what it knew.
    PanelList {
        /// The panels.
        panels: Vec<PanelShown>,
    },
    /// A plugin shows a panel anew, or no longer.
    PanelShown {
        /// The panel.
        panel: Box<PanelShown>,
    },
    /// A plugin was added, removed or changed, or it has failed or works again: ask for the list.
    PluginsChanged,
    /// The commands of a point changed.
    CommandState(CommandState),
    /// The answer to a write, relinquish or acknowledge.
    Result {
        /// The number of the request.
        request: u64,
        /// Whether it was done.
        ok: bool,
        /// Why not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<RejectReason>,
        /// Why not, and how to mend it, for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// The world's clock.
    Clock {
        /// The world's time, microseconds UTC.
        time_us: i64,
        /// How many seconds of the world pass in one real second; 0 is paused.
        rate: f64,
    },
    /// The health of the hub and its links to the field.
    Status(HubState),
    /// Something the client sent can't be served. The connection stays unless the code says so.
    Error {
        /// What kind of error.
        code: ErrorCode,
        /// What, where and how to mend it, for people.
        message: String,
    },
}

/// The commands in force of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct CommandState {
    /// Which point.
    #[schema(value_type = String)]
    pub point: Path,
    /// The filled slots, the strongest first.
    pub slots: Vec<Slot>,
    /// The value in force: of the strongest slot, else the safe value.
    pub effective: JsonValue,
    /// Whether the field has confirmed it by read-back; absent where nothing is read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// Until when the value before stays in force, because the point's least interval is not over, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until_us: Option<i64>,
}

/// One filled slot of a priority array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Slot {
    /// 1 to 16.
    pub priority: u8,
    /// What it asks for.
    pub value: JsonValue,
    /// Who filled it, such as `person:operator`.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When it was filled, microseconds UTC.
    pub since_us: i64,
    /// When it empties by itself, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_us: Option<i64>,
}

/// How the hub is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct HubState {
    /// The links to the field: broker by broker.
    pub links: Vec<LinkState>,
    /// Points of the campus.
    pub points: u32,
    /// Points whose value is stale or has never come; without those that a plugin is still to derive.
    pub stale_points: u32,
    /// Samples taken in since the hub started.
    pub samples: u64,
    /// Messages that could not be read since the hub started.
    pub malformed: u64,
    /// Topics that nothing is bound to, seen since the hub started.
    pub unknown_topics: u64,
    /// Samples that wait to be written.
    pub history_queue: u64,
    /// Clients connected.
    pub clients: u32,
}

/// How one link to the field is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct LinkState {
    /// Its name, such as `mqtt://127.0.0.1:1883`.
    pub name: String,
    /// Whether it is up.
    pub connected: bool,
    /// What went wrong last, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Why a request was turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RejectReason {
    /// No such point or alarm.
    NotFound,
    /// The point can't be commanded.
    NotCommandable,
    /// The value's type or choice doesn't fit.
    WrongType,
    /// The value is outside the point's limits.
    OutOfLimits,
    /// The last command is too recent.
    TooSoon,
    /// The slot is weaker than the point allows, or isn't from 1 to 16.
    Priority,
    /// An interlock forbids it.
    Interlock,
    /// A reason has to be given, or it is too long.
    Reason,
    /// The expiry is not positive or too far away.
    Expiry,
    /// The client may not do this.
    NotAllowed,
    /// The alarm is not in a state in which that can be done.
    State,
    /// The hub is too busy; try again.
    Busy,
}

/// What kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The client speaks another version; the hub closes.
    Version,
    /// The message can't be read.
    Malformed,
    /// The message is too large, or there are too many subscriptions or globs.
    TooLarge,
    /// A glob can't be read.
    Glob,
    /// The client has to say hello first; the hub closes.
    HelloFirst,
    /// There is no such thing.
    NotFound,
    /// Something failed in the hub.
    Internal,
    /// Nobody is signed in, or the session or token has ended.
    SignInRequired,
    /// Name and password, or the class code, are not right.
    WrongSignIn,
    /// The role may not do this.
    NotAllowed,
    /// A one-time password has to be changed first.
    PasswordChangeRequired,
    /// The request comes from a page of another site, or names another host.
    WrongOrigin,
    /// Too many requests or attempts: wait as long as `Retry-After` says.
    TooMany,
    /// It can't be done to what is there: it exists already, or it is the last of its kind.
    Conflict,
    /// The hub is too busy, or could not store it; try again.
    Busy,
}

/// Why a control message can't be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It is longer than its limit.
    #[error("the message has {bytes} bytes, at most {limit} may come")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is not JSON of a known shape.
    #[error("the message can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is out of its limits.
    #[error("{field}: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl ClientMessage {
    /// The hello of this version.
    pub fn hello(client: impl Into<String>) -> Self {
        Self::Hello { protocol: PROTOCOL_VERSION, client: client.into(), language: None }
    }

    /// The hello of a client whose person reads a language.
    pub fn hello_in(client: impl Into<String>, language: impl Into<String>) -> Self {
        Self::Hello { protocol: PROTOCOL_VERSION, client: client.into(), language: Some(language.into()) }
    }

    /// The JSON text.
    ///
    /// # Errors
    /// [`MessageError::Json`] where a number is not finite.
    pub fn encode(&self) -> Result<String, MessageError> {
        Ok(serde_json::to_string(self)?)
    }

    /// Reads and checks a JSON text from a client.
    ///
    /// # Errors
    /// [`MessageError`] where it is too long, not of a known shape, or a field is out of limits.
    pub fn decode(text: &str) -> Result<Self, MessageError> {
        check_length(text, limits::MAX_CLIENT_MESSAGE_BYTES)?;
        let message: Self = serde_json::from_str(text)?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), MessageError> {
        let err = |field, why: String| Err(MessageError::Field { field, why });
        match self {
            Self::Subscribe(subscription) => {
                if subscription.globs.is_empty() || subscription.globs.len() > limits::MAX_GLOBS {
                    return err("globs", format!("1 to {} may stand", limits::MAX_GLOBS));
                }
                if subscription.max_rate_hz.is_some_and(|r| !(r > 0.0 && r <= 1000.0)) {
                    return err("max_rate_hz", "it has to be above 0 and at most 1000".into());
                }
            }
            Self::SubscribeLayer(subscription) => {
                if subscription.layer.len() > limits::MAX_REASON_BYTES {
                    return err("layer", "it is too long to be the id of a layer".into());
                }
                if subscription.max_rate_hz.is_some_and(|r| !(r > 0.0 && r <= 1000.0)) {
                    return err("max_rate_hz", "it has to be above 0 and at most 1000".into());
                }
                if subscription.max_bytes_s.is_some_and(|b| !(100.0..=1e9).contains(&b)) {
                    return err("max_bytes_s", "it has to be from 100 to 1e9".into());
                }
            }
            Self::Write { priority, expiry_s, reason, .. } => {
                check_priority(*priority)?;
                check_reason(reason)?;
                if expiry_s.is_some_and(|s| !(s > 0.0 && s <= limits::MAX_EXPIRY_S)) {
                    return err("expiry_s", format!("above 0, at most {}", limits::MAX_EXPIRY_S));
                }
            }
            Self::Relinquish { priority, reason, .. } => {
                check_priority(*priority)?;
                check_reason(reason)?;
            }
            Self::Acknowledge { alarm, comment, .. } => {
                check_alarm(alarm)?;
                if comment.len() > limits::MAX_REASON_BYTES {
                    return err("comment", format!("at most {} bytes", limits::MAX_REASON_BYTES));
                }
            }
            Self::Shelve { alarm, reason, .. } => {
                check_alarm(alarm)?;
                check_reason(reason)?;
            }
            Self::Unshelve { alarm, .. } => check_alarm(alarm)?,
            Self::Hello { client, language, .. } => {
                let longest = limits::MAX_REASON_BYTES;
                if client.len() > longest {
                    return err("client", format!("at most {longest} bytes"));
                }
                if language.as_ref().is_some_and(|tag| tag.len() > longest) {
                    return err("language", format!("at most {longest} bytes"));
                }
            }
            Self::Seek { rate, .. } => {
                if !(0.0..=3600.0).contains(rate) {
                    return err("rate", "it has to be from 0 to 3600".into());
                }
            }
            Self::Unsubscribe { .. } => {}
        }
        Ok(())
    }
}

impl ServerMessage {
    /// The JSON text.
    ///
    /// # Errors
    /// [`MessageError::Json`] where a number is not finite.
    pub fn encode(&self) -> Result<String, MessageError> {
        Ok(serde_json::to_string(self)?)
    }

    /// Reads a JSON text from a hub.
    ///
    /// # Errors
    /// [`MessageError`] where it is too long or not of a known shape.
    pub fn decode(text: &str) -> Result<Self, MessageError> {
        check_length(text, limits::MAX_SERVER_MESSAGE_BYTES)?;
        Ok(serde_json::from_str(text)?)
    }

    /// The answer that a request was done.
    pub fn done(request: u64) -> Self {
        Self::Result { request, ok: true, reason: None, message: String::new() }
    }

    /// The answer that a request was turned down.
    pub fn rejected(request: u64, reason: RejectReason, message: impl Into<String>) -> Self {
        Self::Result { request, ok: false, reason: Some(reason), message: message.into() }
    }
}

fn check_length(text: &str, limit: usize) -> Result<(), MessageError> {
    if text.len() > limit { Err(MessageError::TooLong { bytes: text.len(), limit }) } else { Ok(()) }
}

fn check_priority(priority: u8) -> Result<(), MessageError> {
    match Priority::new(priority) {
        Some(_) => Ok(()),
        None => {
            Err(MessageError::Field { field: "priority", why: format!("{priority} is not from 1 to 16") })
        }
    }
}

/// A command without a why is worth nothing in an audit.
fn check_alarm(alarm: &str) -> Result<(), MessageError> {
    if alarm.len() > 2 * Path::MAX_LEN {
        let why = "it is too long to be the id of an alarm".to_owned();
        return Err(MessageError::Field { field: "alarm", why });
    }
    Ok(())
}

fn check_reason(reason: &str) -> Result<(), MessageError> {
    let why = if reason.trim().is_empty() {
        "say why: it is kept in the record"
    } else if reason.len() > limits::MAX_REASON_BYTES {
        "it is longer than 500 bytes"
    } else {
        return Ok(());
    };
    Err(MessageError::Field { field: "reason", why: why.into() })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn client_messages_read_as_written() {
        let write = ClientMessage::Write {
            request: 7,
            point: Path::new("teaching-a/2f/201/ac/setpoint").unwrap(),
            value: JsonValue::Number(26.0),
            priority: 8,
            expiry_s: Some(3600.0),
            reason: "hot".into(),
        };
        let text = write.encode().unwrap();
        expect![[r#"{"type":"write","request":7,"point":"teaching-a/2f/201/ac/setpoint","value":26.0,"priority":8,"expiry_s":3600.0,"reason":"hot"}"#]]
        .assert_eq(&text);
        assert_eq!(ClientMessage::decode(&text).unwrap(), write);
        let hello = ClientMessage::hello_in("twin", "zh-CN").encode().unwrap();
        expect![[r#"{"type":"hello","protocol":1,"client":"twin","language":"zh-CN"}"#]].assert_eq(&hello);
        let silent = r#"{"type":"hello","protocol":1,"client":"twin"}"#;
        assert_eq!(ClientMessage::decode(silent).unwrap(), ClientMessage::hello("twin"));
        let subscribe = r#"{"type":"subscribe","id":1,"globs":["**/co2"]}"#;
        let ClientMessage::Subscribe(subscription) = ClientMessage::decode(subscribe).unwrap() else {
            unreachable!("a subscription was read")
        };
        assert!(subscription.read_globs().unwrap()[0].matches("a/b/co2"));
    }

    #[test]
    fn what_a_client_must_not_send_is_refused_with_the_field() {
        for (text, expected) in [
            (r#"{"type":"subscribe","id":1,"globs":[]}"#, "globs: 1 to 64 may stand"),
            (
                r#"{"type":"write","request":1,"point":"a/b","value":1,"priority":17,"reason":"x"}"#,
                "priority: 17 is not from 1 to 16",
            ),
            (
                r#"{"type":"write","request":1,"point":"a/b","value":1,"priority":8,"reason":" "}"#,
                "reason: say why: it is kept in the record",
            ),
            (
                r#"{"type":"write","request":1,"point":"a/b","value":1,"priority":8,"expiry_s":-1,"reason":"x"}"#,
                "expiry_s: above 0, at most 31622400",
            ),
            (
                r#"{"type":"relinquish","request":1,"point":"A b","priority":8,"reason":"x"}"#,
                "the message can't be read: 'A b' is not a path: segments of lower-case letters a-z, digits and '-', joined by '/', at most 200 bytes",
            ),
        ] {
            assert_eq!(ClientMessage::decode(text).unwrap_err().to_string(), expected, "{text}");
        }
        let long = format!(r#"{{"type":"hello","protocol":1,"client":"{}"}}"#, "x".repeat(70_000));
        assert!(ClientMessage::decode(&long).unwrap_err().to_string().contains("at most 65536"));
    }

    #[test]
    fn server_messages_read_as_written() {
        for message in [
            ServerMessage::Hello {
                protocol: 1,
                server: "campanile 0.1.0".into(),
                campus: "school".into(),
                catalogue: "c0ffee".into(),
                world: "live".into(),
            },
            ServerMessage::done(3),
            ServerMessage::rejected(4, RejectReason::OutOfLimits, "16 to 30"),
            ServerMessage::Clock { time_us: 1, rate: 60.0 },
            ServerMessage::Status(HubState::default()),
            ServerMessage::CommandState(CommandState {
                point: Path::new("a/b").unwrap(),
                slots: vec![Slot {
                    priority: 8,
                    value: JsonValue::Bool(true),
                    actor: "person:operator".into(),
                    reason: "test".into(),
                    since_us: 5,
                    expires_us: None,
                }],
                effective: JsonValue::Bool(true),
                confirmed: Some(false),
                held_until_us: None,
            }),
        ] {
            assert_eq!(ServerMessage::decode(&message.encode().unwrap()).unwrap(), message);
        }
    }
}
