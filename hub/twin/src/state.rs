//! What the twin knows of the campus: a pure reducer from the hub's messages to a view model.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use campanile_protocol::people::Me;
use campanile_protocol::rehearsal::{DrillInfo, RehearsalInfo, RehearsalState};
use campanile_protocol::rest::{AlarmTurn, BucketsAnswer};
use campanile_protocol::{
    AlarmInfo, Catalogue, CommandState, DataFrame, EntityKind, HubState, LayerFrame, LayerInfo, LayerState,
    Names, Path, PointInfo, Quality, ServerMessage, Value,
};

use crate::period::Range;
use crate::plugins::{PluginNews, Plugins};

/// What comes from the seam to the hub.
#[derive(Debug)]
pub enum Event {
    /// The catalogue was fetched.
    Catalogue(Box<Catalogue>),
    /// The 3D scene was fetched.
    Scene(Vec<u8>),
    /// The WebSocket is open and the hub has greeted.
    Linked,
    /// The link is cut, or was never there.
    Cut {
        /// Why, for people.
        why: String,
        /// After how many seconds it is tried again.
        retry_s: f64,
    },
    /// Whom the hub takes the person for.
    Known(Box<Me>),
    /// The hub lets nobody in before the person says something.
    Asked {
        /// What.
        what: Asked,
        /// Why it is asked now.
        why: Why,
    },
    /// A control message.
    Message(ServerMessage),
    /// Values.
    Frame(DataFrame),
    /// A layer has moved on.
    Layer(LayerFrame),
    /// The drills of the campus.
    Drills(Vec<DrillInfo>),
    /// The rehearsals there are.
    Rehearsals(Vec<RehearsalInfo>),
    /// How a rehearsal stands.
    Rehearsal(Box<RehearsalState>),
    /// A rehearsal was begun or branched.
    Began(Box<RehearsalInfo>),
    /// The layers of the rehearsal as they were at a moment.
    Frames {
        /// Seconds from the start.
        at_s: f64,
        /// Whole frames.
        frames: Vec<LayerFrame>,
    },
    /// How alarms turned, the newest first.
    Journal(Vec<AlarmTurn>),
    /// Something of plugins.
    Plugin(PluginNews),
    /// What was told was done.
    Done,
    /// The hub said no, and why.
    Refused(String),
    /// The world that was followed is not there, or not for now, and why.
    WorldGone(String),
    /// The answer to a query of history; `None` where it failed.
    History {
        /// Which point and when.
        of: Stretched,
        /// Its buckets.
        answer: Option<BucketsAnswer>,
    },
}

/// Which world the twin follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum World {
    /// The real campus, or a moment that device models made.
    #[default]
    Live,
    /// A rehearsal, by its id.
    Rehearsal(String),
    /// The real campus as it was.
    Past {
        /// The moment, microseconds UTC.
        at_us: i64,
        /// How many of its seconds pass in one; 0 stands.
        rate: f64,
    },
}

impl World {
    /// What the address of its WebSocket has behind the path.
    pub fn query(&self) -> String {
        match self {
            Self::Live => String::new(),
            Self::Rehearsal(id) => format!("?world={id}"),
            Self::Past { at_us, rate } => format!("?world=past&at_us={at_us}&rate={rate}"),
        }
    }
}

/// A layer as it came last, and as it was before, to go from one to the other smoothly.
#[derive(Clone, Debug)]
pub struct Layer {
    /// As it came last.
    pub state: LayerState,
    /// As it was before.
    pub before: Option<LayerState>,
    /// When the last came, in the app's seconds, and how long after the one before.
    pub came_s: f64,
    /// How long after the one before it came, s.
    pub apart_s: f64,
    /// Counts its frames.
    pub count: u64,
}

/// What a person is asked at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Who they are.
    Person,
    /// A password of their own.
    OwnPassword,
}

/// Why a person is asked at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing was said yet.
    First,
    /// The hub does not take the token that was given to the twin.
    Token,
    /// Their session has ended.
    Ended,
    /// What they said was refused, in the hub's words.
    Said(String),
}

/// How the link to the hub is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Link {
    /// It is being made for the first time.
    #[default]
    Connecting,
    /// It is up.
    Live,
    /// It is down.
    Cut {
        /// Why, for people.
        why: String,
        /// When it is tried again, in the app's seconds.
        retry_at_s: f64,
    },
    /// It waits at the door for the person.
    Door {
        /// What they are asked.
        asked: Asked,
        /// Why.
        why: Why,
        /// Whether they have answered, and the hub has not yet.
        is_answered: bool,
    },
}

/// The last value of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct LastValue {
    /// When it was measured, microseconds UTC.
    pub time_us: i64,
    /// What was measured.
    pub value: Value,
    /// How far the hub trusts it.
    pub quality: Quality,
}

/// A point over a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretched {
    /// Which point, by index.
    pub point: u32,
    /// When.
    pub range: Range,
}

/// What is known of a point over a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// When it was asked for, in the app's seconds.
    pub asked_s: f64,
    /// What came; `None` while nothing has.
    pub answer: Option<BucketsAnswer>,
    /// Whether the answer, or the news that there is none, has come.
    pub settled: bool,
}

/// A short message to the person, gone after a few seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When it came, in the app's seconds.
    pub at_s: f64,
    /// `None`: it was done; else why not.
    pub why: Option<String>,
}

/// The catalogue with look-ups.
#[derive(Debug, Default)]
pub struct Index {
    /// As the hub sent it.
    pub catalogue: Catalogue,
    entities: BTreeMap<String, u32>,
    children: Vec<Vec<u32>>,
    points_of: Vec<Vec<u32>>,
    points: HashMap<Path, u32>,
    entity_words: Vec<String>,
    point_words: Vec<String>,
}

impl Index {
    /// Indexes a catalogue. References out of range are left out.
    pub fn new(catalogue: Catalogue) -> Self {
        let n = catalogue.entities.len();
        let (mut children, mut points_of) = (vec![Vec::new(); n], vec![Vec::new(); n]);
        let mut entities = BTreeMap::new();
        for (i, entity) in catalogue.entities.iter().enumerate() {
            entities.insert(entity.path.as_str().to_owned(), i as u32);
            if let Some(list) = entity.parent.and_then(|p| children.get_mut(p as usize)) {
                list.push(i as u32);
            }
        }
        for (i, point) in catalogue.points.iter().enumerate() {
            if let Some(list) = points_of.get_mut(point.entity as usize) {
                list.push(i as u32);
            }
        }
        let points = catalogue.points.iter().zip(0..).map(|(point, i)| (point.path.clone(), i)).collect();
        let entity_words: Vec<String> = catalogue
            .entities
            .iter()
            .map(|e| format!("{} {} {} {}", e.names.en, e.names.zh, e.path.as_str(), e.brick).to_lowercase())
            .collect();
        let point_words = catalogue
            .points
            .iter()
            .map(|p| {
                let place = catalogue.entities.get(p.entity as usize);
                let (en, zh) = place.map_or(("", ""), |place| (&place.names.en, &place.names.zh));
                let Names { en: name_en, zh: name_zh, .. } = &p.names;
                format!("{en} {name_en} {zh} {name_zh} {} {}", p.path.as_str(), p.brick).to_lowercase()
            })
            .collect();
        Self { catalogue, entities, children, points_of, points, entity_words, point_words }
    }

    /// The index of the entity with this path.
    pub fn entity(&self, path: &str) -> Option<u32> {
        self.entities.get(path).copied()
    }

    /// The indices of the entities in an entity.
    pub fn children(&self, entity: u32) -> &[u32] {
        self.children.get(entity as usize).map_or(&[], Vec::as_slice)
    }

    /// The indices of the points of an entity itself.
    pub fn points_of(&self, entity: u32) -> &[u32] {
        self.points_of.get(entity as usize).map_or(&[], Vec::as_slice)
    }

    /// The nearest entity of a kind: this one or one that it is in.
    pub fn within(&self, entity: u32, kind: EntityKind) -> Option<u32> {
        let mut here = Some(entity);
        // Parents come before children, so the index falls and the walk ends.
        while let Some(i) = here {
            let info = self.catalogue.entities.get(i as usize)?;
            if info.kind == kind {
                return Some(i);
            }
            here = info.parent.filter(|p| *p < i);
        }
        None
    }

    /// The nearest entity at or above a path: `a/b/c` finds `a/b` where only that is known.
    pub fn nearest(&self, path: &str) -> Option<u32> {
        let mut rest = path;
        loop {
            if let Some(found) = self.entity(rest) {
                return Some(found);
            }
            rest = rest.rsplit_once('/')?.0;
        }
    }

    /// The index of the point with this path.
    pub fn point_at(&self, path: &str) -> Option<u32> {
        self.points.get(path).copied()
    }

    /// By entity what can be searched for: its names, path and class, in small letters.
    pub fn entity_words(&self) -> &[String] {
        &self.entity_words
    }

    /// By point what can be searched for: names of its entity and its own, path and class, in small letters.
    pub fn point_words(&self) -> &[String] {
        &self.point_words
    }

    /// A point by index.
    pub fn point(&self, index: u32) -> Option<&PointInfo> {
        self.catalogue.points.get(index as usize)
    }
}

/// Everything that the twin shows.
#[derive(Debug, Default)]
pub struct State {
    /// How the link is.
    pub link: Link,
    /// The catalogue, once it has come.
    pub index: Option<Arc<Index>>,
    /// The last value of each point, by index.
    pub values: Vec<Option<LastValue>>,
    /// The alarms in force, by id.
    pub alarms: BTreeMap<String, AlarmInfo>,
    /// How alarms turned, the newest first, as far as was asked.
    pub journal: Vec<AlarmTurn>,
    /// The commands in force, by point path.
    pub commands: BTreeMap<String, CommandState>,
    /// The hub's health.
    pub hub: HubState,
    /// What was asked of the past.
    pub histories: BTreeMap<Stretched, History>,
    /// Short messages.
    pub notices: Vec<Notice>,
    /// Whether the values are made by device models rather than measured.
    pub is_simulated: bool,
    /// Whom the hub takes the person for, once it has said.
    pub me: Option<Me>,
    /// Whether the hub lets this client write.
    pub can_operate: bool,
    /// Whether the whole first snapshot has come since the link was made.
    pub has_snapshot: bool,
    /// Whether the list of alarms has come since the link was made.
    pub has_alarms: bool,
    /// Frames with values taken in.
    pub frames: u64,
    /// Which world the hub says that this is.
    pub world: String,
    /// What the layers are.
    pub layer_infos: Vec<LayerInfo>,
    /// How they stand, by index.
    pub layers: BTreeMap<u32, Layer>,
    /// The layers of a moment that is looked back at, and its second.
    pub looked_back: Option<(f64, BTreeMap<u32, LayerState>)>,
    /// The drills of the campus, once asked for.
    pub drills: Option<Vec<DrillInfo>>,
    /// The rehearsals there are.
    pub rehearsals: Vec<RehearsalInfo>,
    /// How the rehearsal that is followed stands.
    pub rehearsal: Option<Box<RehearsalState>>,
    /// A rehearsal that was just begun, to be followed once it is open.
    pub began: Option<String>,
    /// Plugins and their panels.
    pub plugins: Plugins,
    clock: Option<Clock>,
    changed: Vec<u32>,
    is_changed: Vec<bool>,
    everything_changed: bool,
    in_snapshot: bool,
}

/// The world's time when a message came.
#[derive(Clone, Copy, Debug)]
struct Clock {
    time_us: i64,
    at_s: f64,
    rate: f64,
}

/// What a message calls for outside of the state.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// The scene has come: build it.
    BuildScene(Vec<u8>),
    /// The catalogue has come: rooms and storeys have to be found again.
    Reindex,
    /// The world that was followed is not there: the present is shown.
    BackToLive,
}

impl State {
    /// Takes in an event at a moment of the app's clock in seconds.
    pub fn apply(&mut self, event: Event, now_s: f64) -> Option<Effect> {
        match event {
            Event::Catalogue(catalogue) => {
                let n = catalogue.points.len();
                // Another catalogue numbers its points anew: what was known means nothing.
                if self.index.as_ref().is_none_or(|old| old.catalogue.version != catalogue.version) {
                    self.values = vec![None; n];
                    self.is_changed = vec![false; n];
                    self.changed.clear();
                    self.histories.clear();
                }
                self.index = Some(Arc::new(Index::new(*catalogue)));
                self.everything_changed = true;
                return Some(Effect::Reindex);
            }
            Event::Scene(bytes) => return Some(Effect::BuildScene(bytes)),
            Event::Linked => {
                self.link = Link::Live;
                self.has_snapshot = false;
                self.in_snapshot = false;
                self.has_alarms = false;
                self.everything_changed = true;
                self.plugins.link();
            }
            Event::Cut { why, retry_s } => {
                self.link = Link::Cut { why, retry_at_s: now_s + retry_s };
                self.everything_changed = true;
            }
            Event::Known(me) => {
                self.me = Some(*me);
                if let Link::Door { .. } = self.link {
                    self.link = Link::Connecting;
                }
            }
            Event::Asked { what, why } => {
                self.link = Link::Door { asked: what, why, is_answered: false };
                self.forget();
            }
            Event::Message(message) => self.apply_message(message, now_s),
            Event::Frame(frame) => self.apply_frame(frame, now_s),
            Event::Layer(frame) => self.apply_layer(frame, now_s),
            Event::Drills(drills) => self.drills = Some(drills),
            Event::Rehearsals(list) => self.rehearsals = list,
            Event::Rehearsal(state) => self.rehearsal = Some(state),
            Event::Began(info) => {
                self.began = Some(info.id.clone());
                self.rehearsals.push(*info);
            }
            Event::Frames { at_s, frames } => {
                let states = frames.into_iter().map(|frame| (frame.layer, frame.state)).collect();
                self.looked_back = Some((at_s, states));
            }
            Event::Journal(turns) => self.journal = turns,
            Event::Plugin(news) => self.plugins.apply(news, now_s),
            Event::Done => {}
            Event::WorldGone(why) => {
                self.notices.push(Notice { at_s: now_s, why: Some(why) });
                return Some(Effect::BackToLive);
            }
            Event::Refused(why) => self.notices.push(Notice { at_s: now_s, why: Some(why) }),
            Event::History { of, answer } => {
                let history = self.histories.entry(of).or_default();
                history.settled = true;
                if answer.is_some() {
                    history.answer = answer;
                }
            }
        }
        None
    }

    /// What one person saw is not for the next.
    fn forget(&mut self) {
        self.me = None;
        self.can_operate = false;
        self.values.fill(None);
        self.alarms.clear();
        self.journal.clear();
        self.commands.clear();
        self.histories.clear();
        self.notices.clear();
        self.drills = None;
        self.rehearsals.clear();
        self.rehearsal = None;
        self.layers.clear();
        self.looked_back = None;
        self.hub = HubState::default();
        self.plugins = Plugins::default();
        self.everything_changed = true;
    }

    fn apply_message(&mut self, message: ServerMessage, now_s: f64) {
        match message {
            ServerMessage::Hello { world, .. } => {
                if self.world != world {
                    // Another world: what was known of the one before is not its.
                    self.values.iter_mut().for_each(|value| *value = None);
                    self.alarms.clear();
                    self.commands.clear();
                    self.layer_infos.clear();
                    self.layers.clear();
                    self.looked_back = None;
                    self.rehearsal = None;
                    self.plugins.show_all(Vec::new());
                    self.everything_changed = true;
                }
                self.is_simulated = world == "simulated";
                self.world = world;
            }
            ServerMessage::Layers { layers } => {
                self.layer_infos = layers;
                self.layers.clear();
            }
            ServerMessage::Welcome { can_operate, .. } => self.can_operate = can_operate,
            ServerMessage::AlarmList { alarms } => {
                self.alarms = alarms.into_iter().map(|alarm| (alarm.id.clone(), alarm)).collect();
                self.has_alarms = true;
            }
            ServerMessage::AlarmChanged { alarm } => {
                if alarm.state.is_in_force() {
                    self.alarms.insert(alarm.id.clone(), *alarm);
                } else {
                    self.alarms.remove(&alarm.id);
                }
            }
            ServerMessage::PanelList { panels } => self.plugins.show_all(panels),
            ServerMessage::PanelShown { panel } => self.plugins.show(*panel),
            ServerMessage::PluginsChanged => self.plugins.outdate(),
            ServerMessage::CommandState(state) => {
                self.commands.insert(state.point.as_str().to_owned(), state);
            }
            ServerMessage::Result { ok, message, reason, .. } => {
                let why = match (ok, message.is_empty(), reason) {
                    (true, ..) => None,
                    (false, true, Some(reason)) => Some(format!("{reason:?}")),
                    (false, ..) => Some(message),
                };
                self.notices.push(Notice { at_s: now_s, why });
            }
            ServerMessage::Error { message, .. } => {
                self.notices.push(Notice { at_s: now_s, why: Some(message) });
            }
            ServerMessage::Clock { time_us, rate } => {
                self.clock = Some(Clock { time_us, at_s: now_s, rate });
            }
            ServerMessage::Status(hub) => self.hub = hub,
            // Greetings are the seam's business; what a newer hub adds is not for this twin.
            _ => {}
        }
        // The oldest go: nobody reads a hundred notices.
        let surplus = self.notices.len().saturating_sub(8);
        self.notices.drain(..surplus);
    }

    fn apply_layer(&mut self, frame: LayerFrame, now_s: f64) {
        let before = self.layers.remove(&frame.layer);
        let (came_s, count) = before.as_ref().map_or((now_s, 0), |layer| (layer.came_s, layer.count));
        let layer = Layer {
            state: frame.state,
            before: before.map(|layer| layer.state),
            came_s: now_s,
            apart_s: (now_s - came_s).clamp(0.05, 2.0),
            count: count + 1,
        };
        self.layers.insert(frame.layer, layer);
    }

    /// The layer with an id, and where it lies: as it is, or as it was at the moment looked back at.
    pub fn layer(&self, id: &str) -> Option<(&LayerInfo, &LayerState, Option<&Layer>)> {
        let index = self.layer_infos.iter().position(|info| info.id == id)?;
        let info = self.layer_infos.get(index)?;
        if let Some(state) = self.looked_back.as_ref().and_then(|(_, states)| states.get(&(index as u32))) {
            return Some((info, state, None));
        }
        let layer = self.layers.get(&(index as u32))?;
        Some((info, &layer.state, Some(layer)))
    }

    fn apply_frame(&mut self, frame: DataFrame, now_s: f64) {
        let rate = self.clock.map_or(1.0, |clock| clock.rate);
        self.clock = Some(Clock { time_us: frame.time.0, at_s: now_s, rate });
        self.frames += 1;
        // A snapshot replaces what was known; its later frames go on with it.
        if frame.kind == campanile_protocol::FrameKind::Snapshot
            && !std::mem::replace(&mut self.in_snapshot, frame.more)
        {
            self.values.iter_mut().for_each(|value| *value = None);
            self.everything_changed = true;
        }
        if frame.kind == campanile_protocol::FrameKind::Snapshot && !frame.more {
            self.has_snapshot = true;
        }
        for sample in frame.samples {
            let i = sample.point.index();
            // A frame of another catalogue than ours can only name points that we don't have.
            let (Some(slot), Some(is_changed)) = (self.values.get_mut(i), self.is_changed.get_mut(i)) else {
                continue;
            };
            *slot = Some(LastValue { time_us: sample.time.0, value: sample.value, quality: sample.quality });
            if !*is_changed {
                *is_changed = true;
                self.changed.push(i as u32);
            }
        }
    }

    /// The points that changed since the last call; `None` when all may have.
    pub fn take_changed(&mut self) -> Option<Vec<u32>> {
        for &i in &self.changed {
            if let Some(flag) = self.is_changed.get_mut(i as usize) {
                *flag = false;
            }
        }
        let changed = std::mem::take(&mut self.changed);
        if std::mem::take(&mut self.everything_changed) { None } else { Some(changed) }
    }

    /// The world's time now, microseconds UTC; `None` until the hub has said it. It stands still
    /// while the link is cut: what the world does then is not known.
    pub fn time_us(&self, now_s: f64) -> Option<i64> {
        let clock = self.clock?;
        let elapsed_s = if self.link == Link::Live { now_s - clock.at_s } else { 0.0 };
        Some(clock.time_us.saturating_add((elapsed_s * clock.rate * 1e6) as i64))
    }

    /// The last value of a point.
    pub fn value(&self, point: u32) -> Option<&LastValue> {
        self.values.get(point as usize)?.as_ref()
    }

    /// How far a value may be trusted now: nothing is live over a cut link.
    pub fn quality(&self, value: &LastValue) -> Quality {
        if self.link == Link::Live { value.quality } else { Quality::Stale }
    }

    /// The number to colour by: of a value that may be trusted at least with care.
    pub fn live_number(&self, point: u32) -> Option<f64> {
        let value = self.value(point)?;
        match self.quality(value) {
            Quality::Good | Quality::Uncertain => value.value.as_f64(),
            Quality::Bad | Quality::Stale => None,
        }
    }

    /// The alarms in force: what waits for a person first, then by priority, the latest first.
    pub fn alarms_by_urgency(&self) -> Vec<&AlarmInfo> {
        let mut alarms: Vec<&AlarmInfo> = self.alarms.values().collect();
        alarms.sort_by_key(|a| {
            (!a.state.needs_acknowledgement(), a.priority, std::cmp::Reverse(a.raised_us), a.id.clone())
        });
        alarms
    }

    /// What to ask of the past now: what is wanted and was never asked for, or is older than a minute. Marks it as asked.
    pub fn histories_to_ask(&mut self, wanted: &[Stretched], now_s: f64) -> Vec<Stretched> {
        const MOST_IN_FLIGHT: usize = 6;
        const MOST_KEPT: usize = 1200;
        let in_flight = self.histories.values().filter(|h| !h.settled && now_s - h.asked_s < 20.0).count();
        let mut ask = Vec::new();
        for &of in wanted {
            if in_flight + ask.len() >= MOST_IN_FLIGHT {
                break;
            }
            let history = self.histories.get(&of);
            // What has not come while the world was followed is asked for sooner than what has grown old.
            if history.is_none_or(|h| now_s - h.asked_s > 60.0) {
                let entry = self.histories.entry(of).or_default();
                entry.asked_s = now_s;
                entry.settled = false;
                ask.push(of);
            }
        }
        if self.histories.len() > MOST_KEPT {
            let mut ages: Vec<f64> = self.histories.values().map(|h| h.asked_s).collect();
            ages.sort_by(f64::total_cmp);
            let oldest = ages.get(MOST_KEPT / 4).copied().unwrap_or(0.0);
            self.histories.retain(|of, h| h.asked_s > oldest || wanted.contains(of));
        }
        ask
    }

    /// What has come of a point over a stretch of time.
    pub fn history(&self, point: u32, range: Range) -> Option<&BucketsAnswer> {
        self.histories.get(&Stretched { point, range })?.answer.as_ref()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use campanile_protocol::{
        AlarmPriority, AlarmState, EntityInfo, FrameKind, FrameSample, Names, Path, PointId, PointKind,
        SiteInfo, Timestamp, ValueType,
    };

    use super::*;
    use crate::plugins::tests::{panel, plugin};

    fn entity(path: &str, kind: EntityKind, parent: Option<u32>) -> EntityInfo {
        let names = Names::new(format!("{path} 中"), path);
        EntityInfo { path: Path::new(path).unwrap(), names, kind, brick: String::new(), parent, place: None }
    }

    pub(crate) fn point(path: &str, entity: u32, quantity: &str) -> PointInfo {
        PointInfo {
            path: Path::new(path).unwrap(),
            entity,
            names: Names::new("二氧化碳", "CO₂"),
            kind: PointKind::Sensor,
            quantity: quantity.into(),
            value_type: ValueType::Number,
            is_consumption: false,
            choices: Vec::new(),
            unit: "[ppm]".into(),
            range: Some([0.0, 5000.0]),
            period_s: 60.0,
            resolution: Some(1.0),
            brick: String::new(),
            submeter: None,
            command: None,
            alarms: Vec::new(),
        }
    }

    pub(crate) fn catalogue() -> Catalogue {
        Catalogue {
            version: "1".into(),
            campus: "test".into(),
            names: Names::new("试验学校", "Test School"),
            timezone: "Asia/Shanghai".into(),
            site: SiteInfo { latitude_deg: 31.2, longitude_deg: 121.5, bearing_deg: 0.0 },
            entities: vec![
                entity("a", EntityKind::Building, None),
                entity("a/1f", EntityKind::Storey, Some(0)),
                entity("a/1f/101", EntityKind::Space, Some(1)),
                entity("a/1f/101/ac", EntityKind::Equipment, Some(2)),
            ],
            points: vec![point("a/1f/101/co2", 2, "co2"), point("a/1f/101/ac/co2", 3, "co2")],
            networks: Vec::new(),
            attribution: vec![Names { zh: "试验数据".into(), en: "Test data".into() }],
        }
    }

    fn frame(kind: FrameKind, more: bool, values: &[(u32, f64)]) -> Event {
        let sample = |&(point, x): &(u32, f64)| FrameSample {
            point: PointId(point),
            time: Timestamp(7),
            value: Value::Number(x),
            quality: Quality::Good,
        };
        let samples = values.iter().map(sample).collect();
        let time = Timestamp(1_000_000);
        Event::Frame(DataFrame { kind, more, subscription: 1, sequence: 0, time, conflated: 0, samples })
    }

    pub(crate) fn alarm(id: &str, priority: AlarmPriority, state: AlarmState, raised_us: i64) -> AlarmInfo {
        AlarmInfo {
            id: id.into(),
            point: Path::new("a/1f/101/co2").unwrap(),
            entity: Path::new("a/1f/101").unwrap(),
            rule: "high".into(),
            names: Names::new("过高", "Too high"),
            detail: None,
            priority,
            state,
            raised_us,
            changed_us: raised_us,
            value: None,
            limit: Some(1500.0),
            acknowledged_by: None,
            comment: None,
            hidden_until_us: None,
            hidden_by: None,
            hidden_reason: None,
        }
    }

    pub(crate) fn live_state() -> State {
        let mut state = State::default();
        assert_eq!(state.apply(Event::Catalogue(Box::new(catalogue())), 0.0), Some(Effect::Reindex));
        state.apply(Event::Linked, 0.0);
        state.apply(frame(FrameKind::Snapshot, false, &[(0, 800.0)]), 0.0);
        state
    }

    #[test]
    fn values_come_and_only_what_changed_is_told() {
        let mut state = live_state();
        assert_eq!(state.take_changed(), None, "after a new catalogue everything may have changed");
        state.apply(frame(FrameKind::Delta, false, &[(1, 5.0), (1, 6.0), (99, 1.0)]), 1.0);
        assert_eq!(state.take_changed(), Some(vec![1]), "each once, unknown points not at all");
        assert_eq!(state.take_changed(), Some(vec![]));
        assert_eq!(state.live_number(1), Some(6.0), "the later of two wins");
    }

    #[test]
    fn nothing_is_live_over_a_cut_link() {
        let mut state = live_state();
        assert_eq!(state.live_number(0), Some(800.0));
        assert_eq!(state.time_us(2.0), Some(3_000_000), "one second and two more");
        state.apply(Event::Cut { why: "gone".into(), retry_s: 2.0 }, 3.0);
        assert_eq!(state.live_number(0), None);
        assert_eq!(state.quality(state.value(0).unwrap()), Quality::Stale);
        assert_eq!(state.take_changed(), None, "every room has to be painted anew");
        assert_eq!(state.time_us(100.0), Some(1_000_000), "the clock stands");
        state.apply(Event::Linked, 4.0);
        assert!(!state.has_snapshot, "until the new snapshot has come");
        state.apply(frame(FrameKind::Snapshot, true, &[]), 4.0);
        assert!(!state.has_snapshot, "more frames follow");
        state.apply(frame(FrameKind::Snapshot, false, &[(0, 700.0)]), 4.0);
        assert!(state.has_snapshot);
    }

    #[test]
    fn another_catalogue_forgets_values_and_the_same_keeps_them() {
        let mut state = live_state();
        state.apply(Event::Catalogue(Box::new(catalogue())), 1.0);
        assert!(state.value(0).is_some());
        let other = Catalogue { version: "2".into(), ..catalogue() };
        state.apply(Event::Catalogue(Box::new(other)), 1.0);
        assert!(state.value(0).is_none());
    }

    #[test]
    fn alarms_come_change_and_go_and_the_urgent_stand_first() {
        let mut state = live_state();
        use AlarmState::{Acknowledged, Normal, Unacknowledged};
        let alarms = vec![
            alarm("low", AlarmPriority::Low, Unacknowledged, 3),
            alarm("seen", AlarmPriority::Critical, Acknowledged, 9),
            alarm("high", AlarmPriority::High, Unacknowledged, 1),
        ];
        state.apply(Event::Message(ServerMessage::AlarmList { alarms }), 0.0);
        let ids = |state: &State| -> Vec<String> {
            state.alarms_by_urgency().iter().map(|a| a.id.clone()).collect()
        };
        assert_eq!(ids(&state), ["high", "low", "seen"]);
        let gone = alarm("high", AlarmPriority::High, Normal, 1);
        state.apply(Event::Message(ServerMessage::AlarmChanged { alarm: Box::new(gone) }), 0.0);
        assert_eq!(ids(&state), ["low", "seen"]);
    }

    #[test]
    fn at_the_door_nothing_is_left_of_who_was_in_before() {
        let mut state = live_state();
        let me = Me {
            actor: "person:anna".into(),
            role: campanile_protocol::people::Role::Operator,
            nickname: None,
            must_change_password: false,
        };
        state.apply(Event::Known(Box::new(me.clone())), 0.0);
        assert_eq!((state.me.as_ref(), &state.link), (Some(&me), &Link::Live));
        let alarms = vec![alarm("x", AlarmPriority::High, AlarmState::Unacknowledged, 0)];
        state.apply(Event::Message(ServerMessage::AlarmList { alarms }), 0.0);
        state.apply(Event::Message(ServerMessage::Welcome { actor: "x".into(), can_operate: true }), 0.0);
        let panel = Box::new(panel("quiz", Some("anna"), "Right!"));
        state.apply(Event::Message(ServerMessage::PanelShown { panel }), 0.0);
        state.apply(Event::Plugin(PluginNews::List(Ok(vec![plugin("quest", "activity")]))), 0.0);
        assert_eq!((state.plugins.list.is_some(), state.plugins.panels().count()), (true, 1));
        state.apply(Event::Asked { what: Asked::Person, why: Why::Ended }, 1.0);
        assert!(state.value(0).is_none() && state.alarms.is_empty() && state.me.is_none());
        assert!(!state.can_operate);
        assert!(state.plugins.list.is_none() && state.plugins.panels().count() == 0);
        state.apply(Event::Known(Box::new(me)), 2.0);
        assert_eq!(state.link, Link::Connecting);
    }

    #[test]
    fn panels_are_those_of_the_world_that_is_followed() {
        let mut state = live_state();
        let hello = |world: &str| {
            Event::Message(ServerMessage::Hello {
                protocol: 1,
                server: "campanile".into(),
                campus: "test".into(),
                catalogue: "1".into(),
                world: world.into(),
            })
        };
        let panels =
            |state: &State| -> Vec<String> { state.plugins.panels().map(|k| k.panel.clone()).collect() };
        state.apply(hello("live"), 0.0);
        let shown = vec![panel("quiz", None, "Question 1"), panel("league", None, "7-2 leads")];
        state.apply(Event::Message(ServerMessage::PanelList { panels: shown }), 0.0);
        assert_eq!(panels(&state), ["league", "quiz"]);
        let gone = Box::new(panel("league", None, ""));
        state.apply(Event::Message(ServerMessage::PanelShown { panel: gone }), 0.0);
        assert_eq!(panels(&state), ["quiz"]);
        state.apply(hello("live"), 1.0);
        assert_eq!(panels(&state), ["quiz"], "the same world goes on");
        state.apply(hello("rainstorm-1"), 2.0);
        assert!(panels(&state).is_empty());
    }

    #[test]
    fn answers_become_notices() {
        let mut state = live_state();
        let rejected =
            ServerMessage::rejected(1, campanile_protocol::RejectReason::OutOfLimits, "16 to 30 may be set");
        state.apply(Event::Message(rejected), 5.0);
        state.apply(Event::Message(ServerMessage::done(2)), 6.0);
        let whys: Vec<_> = state.notices.iter().map(|n| n.why.as_deref()).collect();
        assert_eq!(whys, [Some("16 to 30 may be set"), None]);
    }

    #[test]
    fn histories_are_asked_once_a_minute_and_few_at_a_time() {
        let mut state = live_state();
        let of = |point| Stretched { point, range: Range::LastDay };
        let wanted: Vec<Stretched> = (0..20).map(of).collect();
        assert_eq!(state.histories_to_ask(&wanted, 0.0).len(), 6);
        assert!(state.histories_to_ask(&wanted, 1.0).is_empty(), "six are in flight");
        state.apply(Event::History { of: of(0), answer: Some(BucketsAnswer::default()) }, 2.0);
        assert_eq!(state.histories_to_ask(&wanted, 2.0), [of(6)]);
        assert_eq!(state.histories_to_ask(&[of(0)], 61.0), [of(0)], "a minute later again");
        for n in 0..2000u32 {
            state.histories_to_ask(&[of(n)], 100.0 + 30.0 * f64::from(n));
        }
        assert!(state.histories.len() <= 1201, "old ones are let go");
        assert!(state.histories.contains_key(&of(1999)));
    }

    #[test]
    fn places_are_found_upwards() {
        let index = Index::new(catalogue());
        assert_eq!(index.within(3, EntityKind::Building), Some(0));
        assert_eq!(index.within(3, EntityKind::Roof), None);
        assert_eq!(index.nearest("a/1f/101/window-3"), Some(2));
        assert_eq!(index.nearest("nowhere"), None);
        assert_eq!(index.children(2), [3]);
        assert_eq!(index.points_of(2), [0]);
        assert_eq!((index.point_at("a/1f/101/ac/co2"), index.point_at("a/1f/101")), (Some(1), None));
    }
}
