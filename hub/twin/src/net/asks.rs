//! What panels ask of the hub, as requests, and what its answers are to them. Nothing here goes anywhere.

use campanile_client::{Answer, ClientError, Request};
use campanile_protocol::LayerFrame;
use campanile_protocol::plugins::{ChangeScript, PluginLogs, PluginsAnswer, ScriptAnswer};
use campanile_protocol::rehearsal::RehearsalRequest;
use campanile_protocol::rest::JournalAnswer;

use super::{Ask, HistoryQuery};
use crate::plugins::{Order, PluginAsk, PluginNews, Tried};
use crate::state::Event;

/// An answer about drills; a list of whole frames of a large campus is the largest.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// The largest icon of a plugin.
const MAX_ICON_BYTES: u64 = 64 * 1024;

/// What is asked beside the link, one after the other.
#[derive(Clone, Debug)]
pub(super) enum Query {
    History(HistoryQuery),
    Ask(Ask),
}

impl Query {
    /// What the hub is asked or told.
    pub(super) fn request(&self) -> Result<Request, ClientError> {
        match self {
            Self::History(HistoryQuery { path, from_us, to_us, width_s, .. }) => {
                Ok(Request::get("/api/v1/history/buckets")
                    .query("point", path)
                    .query("from_us", &from_us.to_string())
                    .query("to_us", &to_us.to_string())
                    .query("width_s", &width_s.to_string()))
            }
            Self::Ask(ask) => request(ask),
        }
    }

    /// What the answer is to the panels.
    pub(super) fn event(self, answer: Result<Answer, ClientError>) -> Event {
        match self {
            Self::History(HistoryQuery { of, .. }) => {
                Event::History { of, answer: answer.and_then(Answer::read).ok() }
            }
            Self::Ask(Ask::Plugin(ask)) => Event::Plugin(news(ask, answer)),
            Self::Ask(ask) => event(ask, answer).unwrap_or_else(|why| Event::Refused(why.to_string())),
        }
    }
}

fn request(ask: &Ask) -> Result<Request, ClientError> {
    const AT: &str = "/api/v1/rehearsals";
    let told = |what: &str| format!("{AT}/{what}");
    match ask {
        Ask::Drills => Ok(Request::get("/api/v1/drills")),
        Ask::Rehearsals => Ok(Request::get(AT)),
        Ask::State(id) => Ok(Request::get(&told("state")).query("id", id)),
        Ask::Begin(start) => Request::post(AT, start),
        Ask::Branch(branch) => Request::post(&told("branch"), branch),
        Ask::Pace(pace) => Request::post(&told("pace"), pace),
        Ask::Act(act) => Request::post(&told("act"), act),
        Ask::Decide(decision) => Request::post(&told("decide"), decision),
        Ask::End(id) => Request::post(&told("end"), &RehearsalRequest { id: id.clone() }),
        Ask::Frames(id, at_s) => Ok(Request::get(&told("frames"))
            .query("id", id)
            .query("at_s", &at_s.to_string())
            .limit(MAX_ANSWER_BYTES)),
        Ask::Plugin(ask) => request_of_plugins(ask),
        Ask::Journal(from_us, to_us) => Ok(Request::get("/api/v1/alarms/journal")
            .query("from_us", &from_us.to_string())
            .query("to_us", &to_us.to_string())
            .query("limit", "500")),
    }
}

fn event(ask: Ask, answer: Result<Answer, ClientError>) -> Result<Event, ClientError> {
    let answer = answer?;
    Ok(match ask {
        Ask::Drills => Event::Drills(answer.read()?),
        Ask::Rehearsals => Event::Rehearsals(answer.read()?),
        Ask::State(_) => Event::Rehearsal(Box::new(answer.read()?)),
        Ask::Begin(_) | Ask::Branch(_) => Event::Began(Box::new(answer.read()?)),
        Ask::Pace(_) | Ask::Act(_) | Ask::Decide(_) | Ask::End(_) | Ask::Plugin(_) => {
            answer.taken().map(|_| Event::Done)?
        }
        Ask::Journal(..) => Event::Journal(answer.read::<JournalAnswer>()?.turns),
        Ask::Frames(_, at_s) => {
            let frames = frames(&answer.taken()?).map_err(ClientError::Unreadable)?;
            Event::Frames { at_s, frames }
        }
    })
}

fn request_of_plugins(ask: &PluginAsk) -> Result<Request, ClientError> {
    const AT: &str = "/api/v1/plugins";
    let at = |what: &str| format!("{AT}/{what}");
    let of = |what: &str, id: &str| Request::get(&at(what)).query("plugin", id);
    match ask {
        PluginAsk::List => Ok(Request::get(AT)),
        PluginAsk::Icon(id) => Ok(of("icon", id).limit(MAX_ICON_BYTES)),
        PluginAsk::Log(id, after) => {
            let request = of("logs", id);
            Ok(match after {
                Some(number) => request.query("after", &number.to_string()),
                None => request,
            })
        }
        PluginAsk::Script(id) => Ok(of("script", id)),
        PluginAsk::Tell(order) => match order {
            Order::Use(used) => Request::post(&at("panel"), used),
            Order::Approve(approval) => Request::post(&at("approve"), approval),
            Order::Stop(request) => Request::post(&at("stop"), request),
            Order::Start(request) => Request::post(&at("start"), request),
            Order::Settings(settings) => Request::post(&at("settings"), settings),
            Order::Script(change) => Request::post(&at("script"), change),
        },
    }
}

/// What came of something of plugins: what is refused belongs beside what was asked.
fn news(ask: PluginAsk, answer: Result<Answer, ClientError>) -> PluginNews {
    let said = |why: ClientError| why.to_string();
    match ask {
        PluginAsk::List => {
            let list = answer.and_then(Answer::read::<PluginsAnswer>);
            PluginNews::List(list.map(|answer| answer.plugins).map_err(said))
        }
        PluginAsk::Icon(id) => PluginNews::Icon(id, answer.and_then(Answer::taken).ok()),
        PluginAsk::Log(id, _) => {
            let logs = answer.and_then(Answer::read::<PluginLogs>);
            PluginNews::Log(id, logs.map(|logs| logs.lines).map_err(said))
        }
        PluginAsk::Script(id) => PluginNews::Script(id, answer.and_then(Answer::read).map_err(said)),
        PluginAsk::Tell(order) => {
            let errand = order.errand();
            let done = match order {
                Order::Script(change) => match answer.and_then(Answer::read) {
                    Ok(ScriptAnswer { error }) => {
                        let ChangeScript { plugin, text, check_only, .. } = change;
                        return PluginNews::Tried(Tried { plugin, text, check_only, error });
                    }
                    Err(why) => Err(why),
                },
                _ => answer.and_then(Answer::taken).map(drop),
            };
            PluginNews::Came(errand, done.err().map(said))
        }
    }
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
