//! The seam to the hub: the only module with threads and sockets.
//!
//! [`Hub`] is what the rest of the twin sees. What is asked ([`asks`]) and how the link lives ([`link`]) is the same
//! everywhere; `native` goes to the hub from a desktop, `browser` from a page that the hub itself serves.

mod asks;
#[cfg(target_arch = "wasm32")]
mod browser;
mod link;
#[cfg(not(target_arch = "wasm32"))]
mod native;

use campanile_client::ClientError;
use campanile_protocol::people::Secret;
use campanile_protocol::rehearsal::{ActRequest, BranchRequest, DecideRequest, SetPace, StartRehearsal};
use campanile_protocol::{ClientMessage, PROTOCOL_VERSION};

use crate::plugins::PluginAsk;
use crate::state::{Event, Stretched, World};

#[cfg(target_arch = "wasm32")]
pub use browser::BrowserHub;
#[cfg(not(target_arch = "wasm32"))]
pub use native::NativeHub;

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
    /// How alarms turned from one moment to another, microseconds UTC.
    Journal(i64, i64),
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
    /// Which point and when, repeated in the answer.
    pub of: Stretched,
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
    /// No connection, or it broke.
    #[error("the link to the hub failed: {0}")]
    Link(String),
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

/// Events that wait for the next frame.
pub(crate) const EVENTS_WAITING: usize = 1024;
/// Wishes and queries that wait for the link.
const WISHES_WAITING: usize = 64;
const QUERIES_WAITING: usize = 64;

/// What the twin calls itself.
#[cfg(not(target_arch = "wasm32"))]
const NAME: &str = concat!("campanile-twin ", env!("CARGO_PKG_VERSION"));
#[cfg(target_arch = "wasm32")]
const NAME: &str = concat!("campanile-twin ", env!("CARGO_PKG_VERSION"), " (browser)");
