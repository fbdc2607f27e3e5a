//! What is known of each edge node: the session of births, data and deaths of sections 5 and 6.
//!
//! No I/O and no clock: messages and moments go in; samples, presence and wanted rebirths come out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_model::{Campus, PointId, Quality, Sample, SparkplugMetric, Timestamp, Value, ValueType};
use serde::Serialize;

use super::payload::{Metric, Payload, Raw, datatype};
use super::value::{Refusal, raw, scalar, time};
use crate::parse::{Why, value_of};
use crate::topics::Target;
use crate::{GatewayError, Presence};

/// The most aliases kept of a node.
const MAX_ALIASES: usize = 100_000;
/// The longest pause between two requests for a birth.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Bound metrics told that a birth didn't have.
const MISSING_TOLD: usize = 8;
/// tck-id-operational-behavior-data-commands-ncmd-rebirth-name.
pub(super) const REBIRTH: &str = "Node Control/Rebirth";
/// tck-id-payloads-nbirth-bdseq: the number of the session, 0 to 255, in NBIRTH and NDEATH.
pub(super) const BD_SEQ: &str = "bdSeq";

/// A node and what is bound to it, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Group and node, such as `school/plant-room`.
    pub node: String,
    /// Whether it is there; `null` before anything was heard.
    pub online: Option<bool>,
    /// The number of its session, from its birth.
    pub bd_seq: Option<u64>,
    /// The number of its last message, 0 to 255.
    pub last_seq: Option<u8>,
    /// When its last message came.
    pub last_heard: Option<Timestamp>,
    /// Its births (NBIRTH).
    pub births: u64,
    /// Its deaths (NDEATH).
    pub deaths: u64,
    /// Deaths of sessions before the present one, which came late and changed nothing.
    pub late_deaths: u64,
    /// Messages of it that were lost, by jumps of the sequence numbers: each jump counts once.
    pub gaps: u64,
    /// Births that it was asked for.
    pub rebirths_asked: u64,
    /// Metrics that came before the birth that says what they are, so that they could not be used.
    pub before_birth: u64,
    /// The devices behind it that points are bound to.
    pub devices: Vec<DeviceStatus>,
    /// Bound metrics that are not in the birth of their node or device, at most eight: are they spelled as there?
    pub missing: Vec<String>,
}

/// A device behind a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeviceStatus {
    /// The device.
    pub device: String,
    /// Whether it is there; `null` before anything was heard.
    pub online: Option<bool>,
    /// Its births (DBIRTH).
    pub births: u64,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Read.
    Read,
    /// No point is bound to this node.
    Unknown,
    /// A command, ours or another's.
    Command,
    /// Kept by the broker, although no message of a node may be (section 6.4: retain is false for all but STATE).
    Retained,
}

/// Where what was read goes.
pub(crate) struct Out<'a> {
    pub samples: &'a mut Vec<Sample>,
    pub presence: &'a mut Vec<Presence>,
    /// Called for everything that can't be used.
    pub refused: &'a mut dyn FnMut(Refusal),
    /// Samples told late.
    pub historical: u64,
    /// Metrics without a value.
    pub nulls: u64,
}

#[derive(Debug)]
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    index: HashMap<Box<str>, u32>,
    bound: Vec<Bound>,
    by_point: HashMap<PointId, u32>,
    first_pause: Duration,
    /// Nodes that a birth is wanted of.
    wanting: BTreeSet<u32>,
}

#[derive(Debug)]
struct Node {
    group: Box<str>,
    node: Box<str>,
    /// The node itself, then the devices that are bound.
    parts: Vec<Part>,
    born: bool,
    bd_seq: Option<u64>,
    seq: Option<u8>,
    /// A message was lost: one that gave an alias another meaning may be among them.
    gap: bool,
    aliases: HashMap<u64, Alias>,
    asked: Option<Instant>,
    pause: Duration,
    status: NodeStatus,
}

/// A node's own metrics, or those of a device.
#[derive(Debug)]
struct Part {
    device: Option<Box<str>>,
    names: HashMap<Box<str>, u32>,
    points: Arc<[PointId]>,
    death_topic: Arc<str>,
    born: bool,
    online: Option<bool>,
    births: u64,
}

#[derive(Debug)]
struct Alias {
    part: usize,
    /// `None` for a metric that no point is bound to, and for an alias that two metrics claim.
    bound: Option<u32>,
}

#[derive(Debug)]
struct Bound {
    place: SparkplugMetric,
    target: Target,
    part: usize,
    /// As the birth says.
    datatype: Option<u32>,
    alias: Option<u64>,
    /// The last value, which a null makes bad.
    last: Option<Value>,
}

impl Nodes {
    pub fn new(campus: &Campus, first_pause: Duration) -> Self {
        let mut nodes = Self {
            nodes: Vec::new(),
            index: HashMap::new(),
            bound: Vec::new(),
            by_point: HashMap::new(),
            first_pause,
            wanting: BTreeSet::new(),
        };
        let mut points: BTreeMap<(u32, usize), Vec<PointId>> = BTreeMap::new();
        for point in &campus.points {
            let Some(binding) = &point.binding else { continue };
            let Some(place) = &binding.sparkplug else { continue };
            let node = nodes.node(place);
            let part = nodes.nodes[node as usize].part(place);
            let at = nodes.bound.len() as u32;
            nodes.nodes[node as usize].parts[part].names.insert(place.metric.as_str().into(), at);
            points.entry((node, part)).or_default().push(point.id);
            nodes.by_point.insert(point.id, at);
            nodes.bound.push(Bound {
                place: place.clone(),
                target: Target::new(point, binding),
                part,
                datatype: None,
                alias: None,
                last: None,
            });
        }
        for ((node, part), ids) in points {
            nodes.nodes[node as usize].parts[part].points = ids.into();
        }
        nodes
    }

    fn node(&mut self, place: &SparkplugMetric) -> u32 {
        let id = format!("{}/{}", place.group, place.node);
        let fresh = self.nodes.len() as u32;
        let at = *self.index.entry(id.as_str().into()).or_insert(fresh);
        if at == fresh {
            let itself = SparkplugMetric { device: None, ..place.clone() };
            self.nodes.push(Node {
                group: place.group.as_str().into(),
                node: place.node.as_str().into(),
                parts: vec![Part::new(&itself)],
                born: false,
                bd_seq: None,
                seq: None,
                gap: false,
                aliases: HashMap::new(),
                asked: None,
                pause: self.first_pause,
                status: NodeStatus { node: id, ..NodeStatus::default() },
            });
        }
        at
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A filter a node: it covers births, data and deaths of the node and its devices, and commands come back by it.
    pub fn filters(&self) -> impl Iterator<Item = String> {
        let namespace = SparkplugMetric::NAMESPACE;
        self.nodes.iter().map(move |n| format!("{namespace}/{}/+/{}/#", n.group, n.node))
    }

    pub fn bound_points(&self) -> u64 {
        self.bound.len() as u64
    }

    /// A new connection. Messages of QoS 0 are not kept for who is away, so every node is asked for its birth.
    pub fn connected(&mut self) {
        self.wanting.extend(0..self.nodes.len() as u32);
    }

    /// The connection is lost, and with it what the nodes say of changes and deaths: their metrics are stale until the
    /// births that come when it is back (section 5.1: metrics of nodes at a broker that
    /// the host has lost are stale).
    pub fn disconnected(&mut self, now: Timestamp, after_samples: usize, presence: &mut Vec<Presence>) {
        for node in &mut self.nodes {
            node.born = false;
            node.seq = None;
            node.aliases.clear();
            for part in &mut node.parts {
                part.born = false;
                if part.online == Some(true) {
                    presence.push(part.say(false, now, after_samples));
                }
            }
        }
        for bound in &mut self.bound {
            bound.datatype = None;
            bound.alias = None;
        }
    }

    /// The requests for births that are due (tck-id-operational-behavior-data-commands-ncmd-rebirth-verb, -name,
    /// -value): topic and message. A node is asked again only if it gives a reason again, and after a pause that
    /// doubles up to five minutes, so that one that can't do better is not driven in circles.
    pub fn requests(&mut self, now: Instant, wall: Timestamp) -> Vec<(String, Vec<u8>)> {
        let mut requests = Vec::new();
        let first_pause = self.first_pause;
        self.wanting.retain(|at| {
            let Some(node) = self.nodes.get_mut(*at as usize) else { return false };
            if let Some(asked) = node.asked {
                let since = now.saturating_duration_since(asked);
                if since < node.pause {
                    return true;
                }
                let calm = since > node.pause * 4;
                node.pause = if calm { first_pause } else { (node.pause * 2).min(LONGEST_PAUSE) };
            }
            node.asked = Some(now);
            node.status.rebirths_asked += 1;
            let namespace = SparkplugMetric::NAMESPACE;
            let topic = format!("{namespace}/{}/NCMD/{}", node.group, node.node);
            let rebirth = Metric::new(REBIRTH, datatype::BOOLEAN, Raw::Boolean(true));
            requests.push((topic, command_payload(rebirth, wall)));
            false
        });
        requests
    }

    /// Whether a birth is wanted of any node, so that [`Nodes::requests`] has to be asked again.
    pub fn are_wanting(&self) -> bool {
        !self.wanting.is_empty()
    }

    /// Reads a message below `spBv1.0`. `again` if the broker says that it delivers it for a second time.
    pub fn take(
        &mut self,
        topic: &str,
        bytes: &[u8],
        (retained, again): (bool, bool),
        arrival: Timestamp,
        out: &mut Out<'_>,
    ) -> Taken {
        let mut levels = topic.split('/').skip(1);
        let (group, verb, node) = (levels.next(), levels.next(), levels.next());
        let (device, rest) = (levels.next(), levels.next());
        let (Some(group), Some(verb), Some(name), None) = (group, verb, node, rest) else {
            return Taken::Unknown;
        };
        let Some(&at) = self.index.get(format!("{group}/{name}").as_str()) else { return Taken::Unknown };
        // tck-id-topic-structure: device IDs stand in topics of devices, and only there.
        match verb {
            "NCMD" | "DCMD" => return Taken::Command,
            "NBIRTH" | "NDEATH" | "NDATA" if device.is_none() => {}
            "DBIRTH" | "DDEATH" | "DDATA" if device.is_some() => {}
            _ => return Taken::Unknown,
        }
        if retained {
            return Taken::Retained;
        }
        let payload = match Payload::decode(bytes) {
            Ok(payload) => payload,
            Err(why) => {
                (out.refused)(Refusal::Malformed(why));
                return Taken::Read;
            }
        };
        let Some(state) = self.nodes.get_mut(at as usize) else { return Taken::Unknown };
        state.status.last_heard = Some(arrival);
        let mut turn = Turn { node: state, bound: &mut self.bound, payload: &payload, arrival, again, out };
        let wanted = match verb {
            "NBIRTH" => turn.node_birth(),
            "NDEATH" => turn.node_death(),
            _ if !turn.node.born => {
                // Section 5.15: whatever comes before the birth is a reason to ask for one.
                turn.node.status.before_birth += payload.metrics.len() as u64;
                verb != "DDEATH"
            }
            verb => {
                let gap = turn.sequence();
                let part = turn.node.parts.iter().position(|p| p.device.as_deref() == device);
                // A device that nothing is bound to counts for the sequence alone.
                let wanted = part.is_some_and(|part| match verb {
                    "DBIRTH" => turn.device_birth(part),
                    "DDEATH" => turn.device_death(part),
                    _ => turn.data(part),
                });
                gap || wanted
            }
        };
        if wanted {
            self.wanting.insert(at);
        } else if verb == "NBIRTH" {
            self.wanting.remove(&at);
        }
        Taken::Read
    }

    /// The topic and message of a command (tck-id-topics-ncmd-topic, tck-id-topics-dcmd-topic): by alias where the
    /// birth gave one (tck-id-payloads-alias-data-cmd-requirement), in the type of the birth, without a sequence
    /// number (tck-id-payloads-ncmd-seq). `None` is a null: the device decides.
    pub fn command(
        &self,
        campus: &Campus,
        id: PointId,
        value: Option<&Value>,
        wall: Timestamp,
    ) -> Result<(String, Vec<u8>), GatewayError> {
        let point = campus.get_point(id).ok_or(GatewayError::UnknownPoint(id.0))?;
        let unbound = || GatewayError::Unbound { point: point.path.clone(), what: "metric" };
        let bound = self.by_point.get(&id).and_then(|at| self.bound.get(*at as usize)).ok_or_else(unbound)?;
        let command = point.binding.as_ref().and_then(|b| b.command.as_ref()).ok_or_else(unbound)?;
        let unborn = || GatewayError::Unborn { point: point.path.clone(), topic: bound.place.topic("BIRTH") };
        let kind = bound.datatype.ok_or_else(unborn)?;
        let fault = |why| GatewayError::Value { point: point.path.clone(), why };
        let raw = value.map(|v| raw(point, &bound.target, kind, v).map_err(fault)).transpose()?;
        let metric = Metric {
            name: bound.alias.is_none().then(|| bound.place.metric.as_str().into()),
            alias: bound.alias,
            is_null: raw.is_none(),
            value: raw,
            ..Metric::default()
        };
        Ok((command.topic.clone(), command_payload(metric, wall)))
    }

    pub fn status(&self) -> Vec<NodeStatus> {
        self.nodes.iter().map(|n| n.status(&self.bound)).collect()
    }
}

fn command_payload(metric: Metric<'_>, wall: Timestamp) -> Vec<u8> {
    // tck-id-payloads-ncmd-timestamp, tck-id-payloads-dcmd-timestamp.
    let ms = u64::try_from(wall.0 / 1000).ok();
    let metrics = vec![Metric { timestamp: ms, ..metric }];
    Payload { timestamp: ms, seq: None, metrics }.encode()
}

impl Part {
    fn new(place: &SparkplugMetric) -> Self {
        Self {
            device: place.device.as_deref().map(Into::into),
            names: HashMap::new(),
            points: Arc::default(),
            death_topic: place.topic("DEATH").into(),
            born: false,
            online: None,
            births: 0,
        }
    }

    /// That it came or went.
    fn say(&mut self, online: bool, time: Timestamp, after_samples: usize) -> Presence {
        self.online = Some(online);
        Presence { topic: self.death_topic.clone(), online, points: self.points.clone(), time, after_samples }
    }
}

impl Node {
    fn part(&mut self, place: &SparkplugMetric) -> usize {
        let same = |p: &Part| p.device.as_deref() == place.device.as_deref();
        self.parts.iter().position(same).unwrap_or_else(|| {
            self.parts.push(Part::new(place));
            self.parts.len() - 1
        })
    }

    fn status(&self, bound: &[Bound]) -> NodeStatus {
        let unborn = |at: &&u32| bound.get(**at as usize).is_some_and(|b| b.datatype.is_none());
        let mut missing: Vec<String> = self
            .parts
            .iter()
            .filter(|p| p.born)
            .flat_map(|p| p.names.values().filter(unborn))
            .filter_map(|at| bound.get(*at as usize))
            .map(|b| match &b.place.device {
                Some(device) => format!("{device}: {}", b.place.metric),
                None => b.place.metric.clone(),
            })
            .collect();
        missing.sort_unstable();
        missing.truncate(MISSING_TOLD);
        NodeStatus {
            online: self.parts.first().and_then(|p| p.online),
            bd_seq: self.bd_seq,
            last_seq: self.seq,
            devices: self
                .parts
                .iter()
                .filter_map(|p| {
                    let device = p.device.as_deref()?.to_owned();
                    Some(DeviceStatus { device, online: p.online, births: p.births })
                })
                .collect(),
            missing,
            ..self.status.clone()
        }
    }
}

/// One message of a node. Its methods answer whether a birth is wanted.
struct Turn<'t, 'o> {
    node: &'t mut Node,
    bound: &'t mut [Bound],
    payload: &'t Payload<'t>,
    arrival: Timestamp,
    again: bool,
    out: &'t mut Out<'o>,
}

impl Turn<'_, '_> {
    /// tck-id-payloads-sequence-num-incrementing: one more than the message before, after 255 comes 0. One that the
    /// broker delivers again was counted when it first came. The specification's Reorder Timeout is 0 here: one
    /// connection to one broker keeps the order.
    fn sequence(&mut self) -> bool {
        if self.again {
            return false;
        }
        let Some(seq) = self.payload.seq.and_then(|s| u8::try_from(s).ok()) else {
            self.malformed("it has no sequence number from 0 to 255");
            return false;
        };
        let jumped = self.node.seq.is_some_and(|last| seq != last.wrapping_add(1));
        self.node.seq = Some(seq);
        if jumped {
            self.node.gap = true;
            self.node.status.gaps += 1;
        }
        jumped
    }

    fn malformed(&mut self, why: impl Into<Why>) {
        (self.out.refused)(Refusal::Malformed(why.into()));
    }

    fn session_number(&self) -> Option<u64> {
        let metric = self.payload.metrics.iter().find(|m| m.name.as_deref() == Some(BD_SEQ))?;
        match metric.value {
            Some(Raw::Long(n)) => Some(n),
            Some(Raw::Int(n)) => Some(u64::from(n)),
            _ => None,
        }
    }

    fn node_birth(&mut self) -> bool {
        let bd_seq = self.session_number();
        let fresh = !self.node.born || self.node.bd_seq != bd_seq;
        self.node.status.births += 1;
        self.node.born = true;
        self.node.bd_seq = bd_seq;
        self.node.gap = false;
        // tck-id-payloads-sequence-num-zero-nbirth; one that begins elsewhere is followed from there.
        self.node.seq = Some(self.payload.seq.and_then(|s| u8::try_from(s).ok()).unwrap_or(0));
        for part in 0..self.node.parts.len() {
            self.forget(part);
            // The devices of the session before are gone until their own births. A birth that was asked for within a
            // session says nothing against them.
            if part > 0 && fresh && self.node.parts[part].online == Some(true) {
                self.say(part, false);
            }
        }
        self.birth(0, fresh)
    }

    fn device_birth(&mut self, part: usize) -> bool {
        self.forget(part);
        self.birth(part, false)
    }

    fn birth(&mut self, part: usize, fresh: bool) -> bool {
        let state = &mut self.node.parts[part];
        state.born = true;
        state.births += 1;
        if fresh || state.online != Some(true) {
            self.say(part, true);
        }
        let payload = self.payload;
        for metric in &payload.metrics {
            let Some(name) = metric.name.as_deref() else {
                self.malformed("a metric of a birth has no name");
                continue;
            };
            let bound = self.node.parts[part].names.get(name).copied();
            if let Some(alias) = metric.alias {
                self.learn(alias, name, part, bound);
            }
            let Some(at) = bound else { continue };
            let state = &mut self.bound[at as usize];
            state.datatype = Some(metric.datatype.unwrap_or(datatype::UNKNOWN));
            state.alias = metric.alias;
            self.sample(at, metric, false);
        }
        false
    }

    /// tck-id-payloads-alias-uniqueness: an alias stands for one metric of a node and its devices.
    fn learn(&mut self, alias: u64, name: &str, part: usize, bound: Option<u32>) {
        if let Some(there) = self.node.aliases.get_mut(&alias) {
            // A value by this alias could be of either, and a wrong value is worse than none.
            there.bound = None;
            self.malformed(format!("the alias {alias} of '{}' stands for another metric, too", short(name)));
            return;
        }
        if self.node.aliases.len() == MAX_ALIASES {
            self.malformed(format!("the node has more than {MAX_ALIASES} aliases"));
            return;
        }
        self.node.aliases.insert(alias, Alias { part, bound });
    }

    /// Forgets what the birth before said of a part.
    fn forget(&mut self, part: usize) {
        self.node.aliases.retain(|_, alias| alias.part != part);
        self.node.parts[part].born = false;
        for at in self.node.parts[part].names.values() {
            let bound = &mut self.bound[*at as usize];
            bound.datatype = None;
            bound.alias = None;
        }
    }

    /// Says that a part came or went.
    fn say(&mut self, part: usize, online: bool) {
        let said = self.node.parts[part].say(online, self.arrival, self.out.samples.len());
        self.out.presence.push(said);
    }

    /// tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline and its fellows. The will of
    /// a session that is over may come after the next one's birth: its bdSeq tells (section 6.4.22).
    fn node_death(&mut self) -> bool {
        if self.node.born && self.session_number() != self.node.bd_seq {
            self.node.status.late_deaths += 1;
            return false;
        }
        self.node.status.deaths += 1;
        self.node.born = false;
        self.node.seq = None;
        for part in 0..self.node.parts.len() {
            self.forget(part);
            if self.node.parts[part].online != Some(false) {
                self.say(part, false);
            }
        }
        false
    }

    /// tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale.
    fn device_death(&mut self, part: usize) -> bool {
        self.forget(part);
        self.say(part, false);
        false
    }

    fn data(&mut self, part: usize) -> bool {
        if !self.node.parts[part].born {
            self.node.status.before_birth += self.payload.metrics.len() as u64;
            return true;
        }
        let mut wanted = false;
        let payload = self.payload;
        for metric in &payload.metrics {
            let (bound, doubtful) = match (metric.name.as_deref(), metric.alias) {
                (Some(name), _) => (self.node.parts[part].names.get(name).copied(), false),
                (None, Some(alias)) => match self.node.aliases.get(&alias) {
                    Some(known) => (known.bound, self.node.gap),
                    None => {
                        // Section 5.15: an alias that no birth named is a reason to ask for one.
                        self.malformed(format!("no birth says what the alias {alias} stands for"));
                        wanted = true;
                        continue;
                    }
                },
                (None, None) => {
                    self.malformed("a metric has neither name nor alias");
                    continue;
                }
            };
            let Some(at) = bound else { continue };
            let state = &self.bound[at as usize];
            if state.part != part {
                self.malformed(format!("'{}' belongs to another device", short(&state.place.metric)));
                continue;
            }
            if state.datatype.is_none() {
                // Bound, and by name, but not in the birth.
                wanted = true;
                if metric.datatype.is_none() {
                    self.malformed(format!(
                        "'{}' was not in the birth",
                        short(&self.bound[at as usize].place.metric)
                    ));
                    continue;
                }
            }
            self.sample(at, metric, doubtful);
        }
        wanted
    }

    /// A sample of a bound metric. `doubtful` where what its alias stands for may have changed unheard.
    fn sample(&mut self, at: u32, metric: &Metric<'_>, doubtful: bool) {
        let bound = &mut self.bound[at as usize];
        let name = |why: Why| -> Why { format!("'{}': {why}", short(&bound.place.metric)).into() };
        let moment = match metric.timestamp.or(self.payload.timestamp).map(time) {
            None => self.arrival,
            Some(Ok(time)) => time,
            Some(Err(why)) => return (self.out.refused)(Refusal::Malformed(name(why))),
        };
        let kind = metric.datatype.filter(|k| *k != datatype::UNKNOWN).or(bound.datatype).unwrap_or_default();
        let value = match &metric.value {
            _ if metric.is_null => None,
            None => {
                return (self.out.refused)(Refusal::Malformed(name(
                    "it has no value and is not null".into(),
                )));
            }
            Some(raw) => match scalar(raw, kind, bound.target.value_type) {
                Ok(scalar) => match value_of(&scalar, &bound.target) {
                    Ok(value) => Some(value),
                    Err(why) => return (self.out.refused)(Refusal::Malformed(name(why))),
                },
                Err(Refusal::Malformed(why)) => return (self.out.refused)(Refusal::Malformed(name(why))),
                Err(Refusal::Unsupported(why)) => return (self.out.refused)(Refusal::Unsupported(name(why))),
            },
        };
        let quality = match (&value, metric.quality) {
            // tck-id-payloads-metric-is-null: a null is no value; the last one is kept as bad.
            (None, _) | (_, Some(0)) => Quality::Bad,
            (_, Some(500)) => Quality::Stale,
            _ if doubtful => Quality::Uncertain,
            _ => Quality::Good,
        };
        self.out.historical += u64::from(metric.is_historical);
        let value = value.unwrap_or_else(|| {
            self.out.nulls += 1;
            bound.last.clone().unwrap_or_else(|| nothing(bound.target.value_type))
        });
        if !metric.is_historical {
            bound.last = Some(value.clone());
        }
        self.out.samples.push(Sample { point: bound.target.point, time: moment, value, quality });
    }
}

/// What stands in a bad sample where there never was a value.
fn nothing(of: ValueType) -> Value {
    match of {
        ValueType::Number => Value::Number(0.0),
        ValueType::Bool => Value::Bool(false),
        ValueType::Choice => Value::Choice(0),
        ValueType::Text => Value::Text("".into()),
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
