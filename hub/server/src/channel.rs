//! What a client follows: the newest state of a world, what happens in it, and the way in for people's wishes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arc_swap::ArcSwap;
use campanile_model::{Campus, Intent, Point, Priority, Timestamp, ValueType};
use campanile_protocol::plugins::PanelShown;
use campanile_protocol::rest::Outcome;
use campanile_protocol::{LayerInfo, LayerState, RejectReason, ServerMessage, limits};
use campanile_world::Refusal;
use tokio::sync::{broadcast, oneshot, watch};

use crate::clients::Clients;
use crate::live::{AlarmAct, NOT_STORED, Wish};
use crate::people::By;
use crate::view::{View, reject_reason};
use crate::words::{Language, say};

/// Alarm and command messages that a client may be behind before it gets the whole list anew.
const EVENTS: usize = 4096;

/// Takes wishes of people to the one thread that may change a world.
pub trait Hands: Send + Sync {
    /// Where nobody can act in the world: the key of what is said instead.
    fn bound(&self) -> Option<&'static str> {
        None
    }
    /// A wish to command; answered when it is decided and kept. False where there is no room for it.
    fn intend(&self, intent: Box<Intent>, by: By, reply: oneshot::Sender<Result<(), Refusal>>) -> bool;
    /// What a person does to an alarm, by its id; answered as above.
    fn alarm(
        &self,
        alarm: String,
        by: By,
        act: AlarmAct,
        reply: oneshot::Sender<Result<(), RejectReason>>,
    ) -> bool;
}

/// How the layers of a world stand at a moment.
#[derive(Debug, Default)]
pub struct LayerStates {
    /// The world's time.
    pub time: Timestamp,
    /// In the order of the infos.
    pub states: Vec<LayerState>,
}

/// The layers of a world: what they are, and how they stand.
#[derive(Default)]
struct Layers {
    infos: RwLock<Arc<Vec<LayerInfo>>>,
    states: ArcSwap<LayerStates>,
}

/// By plugin, panel and person.
type PanelKey = (String, String, Option<String>);

/// Views of a panel that are one person's alone.
const MOST_VIEWS: usize = 200;

/// What a client follows.
pub struct Channel {
    /// `live`, `simulated`, or the id of a rehearsal or of a look back.
    pub world: String,
    /// Whether what is done here is done to a real campus.
    pub real: bool,
    /// The campus.
    pub campus: Arc<Campus>,
    /// The listeners.
    pub clients: Clients,
    /// Alarms and commands as they change.
    pub events: broadcast::Sender<ServerMessage>,
    pub(crate) view: ArcSwap<View>,
    /// How fast its clock goes against the wall's, as bits.
    rate: AtomicU64,
    layers: Layers,
    /// What plugins show, by plugin, panel and, where it is for one person alone, who that is.
    panels: Mutex<BTreeMap<PanelKey, Arc<PanelShown>>>,
    /// Counts the states of the layers.
    moved: watch::Sender<u64>,
    /// Counts how often the world became another, so that a client has to forget what it knew.
    epoch: AtomicU64,
    hands: Box<dyn Hands>,
}

impl Channel {
    /// A channel of a world as it is.
    pub fn new(
        world: String,
        real: bool,
        campus: Arc<Campus>,
        view: View,
        rate: f64,
        hands: Box<dyn Hands>,
    ) -> Self {
        Self {
            world,
            real,
            campus,
            clients: Clients::default(),
            events: broadcast::channel(EVENTS).0,
            view: ArcSwap::from_pointee(view),
            rate: AtomicU64::new(rate.to_bits()),
            layers: Layers::default(),
            panels: Mutex::default(),
            moved: watch::channel(0).0,
            epoch: AtomicU64::new(0),
            hands,
        }
    }

    /// The newest state.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// How many seconds of the world pass in one real second; 0 is paused.
    pub fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    /// From now on another rate.
    pub fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// What the layers are.
    pub fn layer_infos(&self) -> Arc<Vec<LayerInfo>> {
        self.layers.infos.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The world has layers from now on.
    pub fn set_layer_infos(&self, infos: Vec<LayerInfo>) {
        *self.layers.infos.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(infos);
    }

    /// How the layers stand.
    pub fn layer_states(&self) -> Arc<LayerStates> {
        self.layers.states.load_full()
    }

    /// The layers have moved on.
    pub fn set_layer_states(&self, time: Timestamp, states: Vec<LayerState>) {
        self.layers.states.store(Arc::new(LayerStates { time, states }));
        self.moved.send_modify(|n| *n += 1);
    }

    /// Wakes when the layers move on.
    pub fn layers_moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    fn panels_(&self) -> MutexGuard<'_, BTreeMap<PanelKey, Arc<PanelShown>>> {
        self.panels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_panel(&self, panel: PanelShown) {
        // Nobody listening is no error.
        drop(self.events.send(ServerMessage::PanelShown { panel: Box::new(panel) }));
    }

    /// A plugin shows a panel anew: to all, which ends every view of a person's own, or to one person. The same again
    /// changes nothing, so that a plugin may show what it has at every tick.
    pub fn show_panel(&self, panel: PanelShown) {
        let key = (panel.plugin.clone(), panel.panel.clone(), panel.person.clone());
        let of_panel = |other: &PanelKey| (&other.0, &other.1) == (&key.0, &key.1);
        let mut panels = self.panels_();
        if panels.get(&key).is_some_and(|shown| shown.nodes == panel.nodes) {
            return;
        }
        if panel.person.is_none() {
            panels.retain(|other, _| !of_panel(other));
        }
        if panel.nodes.is_empty() {
            panels.remove(&key);
        } else {
            panels.insert(key.clone(), Arc::new(panel.clone()));
            // One view too many: another, by name, gives way, and its person sees what all see.
            let own = |other: &&PanelKey| of_panel(other) && other.2.is_some();
            if panels.keys().filter(own).count() > MOST_VIEWS {
                let other = panels.keys().find(|other| own(other) && **other != key).cloned();
                other.map(|other| panels.remove(&other));
            }
        }
        drop(panels);
        self.tell_panel(panel);
    }

    /// The panels of a plugin are gone.
    pub fn remove_panels(&self, plugin: &str) {
        let mut panels = self.panels_();
        let keys: Vec<PanelKey> = panels.keys().filter(|key| key.0 == plugin).cloned().collect();
        let gone: Vec<Arc<PanelShown>> = keys.iter().filter_map(|key| panels.remove(key)).collect();
        drop(panels);
        for panel in gone {
            self.tell_panel(PanelShown { nodes: Vec::new(), ..(*panel).clone() });
        }
    }

    /// The panels that a person may see: those of all, and views of their own.
    pub fn panels_of(&self, person: &str) -> Vec<PanelShown> {
        let panels = self.panels_();
        let seen = panels.iter().filter(|((.., who), _)| who.as_deref().is_none_or(|who| who == person));
        seen.map(|(_, panel)| (**panel).clone()).collect()
    }

    /// The panel that a person uses.
    pub fn panel(&self, plugin: &str, panel: &str, person: &str) -> Option<Arc<PanelShown>> {
        let panels = self.panels_();
        let at = |who: Option<String>| panels.get(&(plugin.to_owned(), panel.to_owned(), who)).cloned();
        at(Some(person.to_owned())).or_else(|| at(None))
    }

    /// How often the world has become another.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The world is another now, as after a jump in time: clients get everything anew.
    pub fn jumped(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.clients.mark_all();
        let alarms = self.view().alarms.to_vec();
        // Nobody listening is no error.
        drop(self.events.send(ServerMessage::AlarmList { alarms }));
    }

    /// Writes or relinquishes a slot.
    pub async fn command(&self, by: &By, request: Wish) -> Outcome {
        let refused = |reason, message: String| Outcome { ok: false, reason: Some(reason), message };
        if let Some(why) = self.hands.bound() {
            return refused(RejectReason::NotAllowed, say(why, &[]));
        }
        let Some(id) = self.campus.point_id(request.point.as_str()) else {
            return refused(RejectReason::NotFound, say("not-found-point", &[("point", &request.point)]));
        };
        let point = self.campus.point(id);
        let Some(priority) = Priority::new(request.priority) else {
            return refused(RejectReason::Priority, say("priority", &[("priority", &request.priority)]));
        };
        if request.expiry_s.is_some_and(|s| !(s > 0.0 && s <= limits::MAX_EXPIRY_S)) {
            return refused(RejectReason::Expiry, say("expiry", &[]));
        }
        let value = match &request.value {
            None => None,
            Some(json) => {
                match json.to_value(point.value_type, point.choices.iter().map(|c| c.id.as_str())) {
                    Ok(value) => Some(value),
                    Err(_) => return refused(RejectReason::WrongType, wrong_type(point)),
                }
            }
        };
        let expires = request.expiry_s.map(|s| self.view().time.plus_micros((s * 1e6) as i64));
        let intent = Intent {
            point: id,
            priority,
            value,
            expires,
            actor: by.world_actor(),
            reason: request.reason.into(),
        };
        let (reply, answer) = oneshot::channel();
        if !self.hands.intend(Box::new(intent), by.clone(), reply) {
            return refused(RejectReason::Busy, say("busy", &[]));
        }
        match answer.await {
            Ok(Ok(())) => Outcome { ok: true, reason: None, message: String::new() },
            Ok(Err(why)) => refused(reject_reason(&why), refusal_text(&why, point)),
            Err(_) => refused(RejectReason::Busy, say(NOT_STORED, &[])),
        }
    }

    /// Does something to an alarm.
    pub async fn alarm(&self, by: &By, alarm: String, act: AlarmAct) -> Outcome {
        let refused = |reason, key| Outcome { ok: false, reason: Some(reason), message: say(key, &[]) };
        if let Some(why) = self.hands.bound() {
            return refused(RejectReason::NotAllowed, why);
        }
        if let Some((reason, why)) = act.refusal() {
            return refused(reason, why);
        }
        let wrong_state = act.wrong_state();
        let (reply, answer) = oneshot::channel();
        if !self.hands.alarm(alarm, by.clone(), act, reply) {
            return refused(RejectReason::Busy, "busy");
        }
        match answer.await {
            Ok(Ok(())) => Outcome { ok: true, reason: None, message: String::new() },
            Ok(Err(RejectReason::NotFound)) => refused(RejectReason::NotFound, "not-found-alarm"),
            Ok(Err(reason)) => refused(reason, wrong_state),
            Err(_) => refused(RejectReason::Busy, NOT_STORED),
        }
    }
}

fn wrong_type(point: &Point) -> String {
    match point.value_type {
        ValueType::Number => say("wrong-type-number", &[]),
        ValueType::Bool => say("wrong-type-bool", &[]),
        ValueType::Choice => {
            let ids: Vec<&str> = point.choices.iter().map(|c| c.id.as_str()).collect();
            say("wrong-type-choice", &[("choices", &ids.join(", "))])
        }
        ValueType::Text => say("wrong-type-text", &[]),
    }
}

/// A refusal of the world for people.
fn refusal_text(why: &Refusal, point: &Point) -> String {
    match why {
        Refusal::UnknownPoint => say("not-found-point", &[("point", &point.path)]),
        Refusal::NotCommandable => say("not-commandable", &[]),
        Refusal::WrongType { .. } => wrong_type(point),
        Refusal::OutOfLimits { value, low, high } => {
            say("out-of-limits", &[("value", value), ("low", low), ("high", high)])
        }
        Refusal::TooSoon { wait_s } => say("too-soon", &[("seconds", &format!("{wait_s:.0}"))]),
        Refusal::TooWeak { priority, weakest } => {
            say("priority-weak", &[("priority", priority), ("weakest", weakest)])
        }
        Refusal::Interlocked { id, zh, en, unknown } => {
            let (own, other) = match Language::spoken() {
                Language::English => (en, zh),
                Language::Chinese => (zh, en),
            };
            let name = if own.is_empty() { other } else { own };
            let key = if *unknown { "interlock-unknown" } else { "interlock" };
            say(key, &[("id", id), ("name", name)])
        }
        Refusal::Expired => say("expiry-past", &[]),
        Refusal::Reason => say("reason", &[]),
        Refusal::NothingThere(slot) => say("not-found-slot", &[("slot", slot)]),
        other => other.to_string(),
    }
}
