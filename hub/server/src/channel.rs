//! What a client follows: the newest state of a world, what happens in it, and the way in for people's wishes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use campanile_model::{Campus, Intent, Priority, Timestamp};
use campanile_protocol::rest::Outcome;
use campanile_protocol::{LayerInfo, LayerState, RejectReason, ServerMessage, limits};
use campanile_world::Refusal;
use tokio::sync::{broadcast, oneshot, watch};

use crate::clients::Clients;
use crate::live::{AlarmAct, NOT_STORED, Wish};
use crate::people::By;
use crate::view::{View, reject_reason};

/// Alarm and command messages that a client may be behind before it gets the whole list anew.
const EVENTS: usize = 4096;

/// Takes wishes of people to the one thread that may change a world.
pub trait Hands: Send + Sync {
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
        let Some(id) = self.campus.point_id(request.point.as_str()) else {
            return refused(RejectReason::NotFound, format!("there is no point '{}'", request.point));
        };
        let point = self.campus.point(id);
        let Some(priority) = Priority::new(request.priority) else {
            return refused(
                RejectReason::Priority,
                format!("priority {} is not from 1 to 16", request.priority),
            );
        };
        if request.expiry_s.is_some_and(|s| !(s > 0.0 && s <= limits::MAX_EXPIRY_S)) {
            return refused(RejectReason::Expiry, "expiry_s has to be above 0 and at most a year".to_owned());
        }
        let value = match &request.value {
            None => None,
            Some(json) => {
                match json.to_value(point.value_type, point.choices.iter().map(|c| c.id.as_str())) {
                    Ok(value) => Some(value),
                    Err(why) => return refused(RejectReason::WrongType, why.to_string()),
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
            return refused(RejectReason::Busy, "the hub is too busy; try again".to_owned());
        }
        match answer.await {
            Ok(Ok(())) => Outcome { ok: true, reason: None, message: String::new() },
            Ok(Err(why)) => refused(reject_reason(&why), why.to_string()),
            Err(_) => refused(RejectReason::Busy, NOT_STORED.to_owned()),
        }
    }

    /// Does something to an alarm.
    pub async fn alarm(&self, by: &By, alarm: String, act: AlarmAct) -> Outcome {
        let refused =
            |reason, message: &str| Outcome { ok: false, reason: Some(reason), message: message.to_owned() };
        if let Some((reason, why)) = act.refusal() {
            return refused(reason, why);
        }
        let wrong_state = act.wrong_state();
        let (reply, answer) = oneshot::channel();
        if !self.hands.alarm(alarm, by.clone(), act, reply) {
            return refused(RejectReason::Busy, "the hub is too busy; try again");
        }
        match answer.await {
            Ok(Ok(())) => Outcome { ok: true, reason: None, message: String::new() },
            Ok(Err(RejectReason::NotFound)) => refused(RejectReason::NotFound, "there is no such alarm"),
            Ok(Err(reason)) => refused(reason, wrong_state),
            Err(_) => refused(RejectReason::Busy, NOT_STORED),
        }
    }
}
