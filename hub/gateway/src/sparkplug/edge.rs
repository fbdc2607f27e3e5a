//! An edge node of Sparkplug B: what its births, data and death say, and what commands ask of it. The other side of
//! [`super::nodes`], and like it without I/O and clock.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use campanile_model::{Campus, Point, PointId, Quality, Sample, SparkplugMetric, Timestamp, ValueType};

use super::nodes::{BD_SEQ, REBIRTH};
use super::payload::{Metric, Payload, Raw, datatype};
use super::value::{Refusal, raw, scalar};
use crate::parse::{Why, value_of};
use crate::topics::Target;
use crate::{FieldCommand, GatewayError};

/// The most metrics of one message.
const MOST_IN_ONE: usize = 500;
/// A reading older than this is no value of now, microseconds.
const LATE_US: i64 = 60 * Timestamp::SECOND;

/// Topic and payload. Published with QoS 0, not retained (tck-id-topics-nbirth-mqtt and its fellows).
pub(crate) type Message = (String, Vec<u8>);

/// A value of a metric on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// Which of the node's metrics.
    metric: usize,
    time: Timestamp,
    value: Raw<'static>,
    quality: Quality,
}

/// What a command message asks for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Asked {
    pub rebirth: bool,
    pub commands: Vec<FieldCommand>,
    /// What can't be obeyed, and why.
    pub refused: Vec<Why>,
}

/// The metrics of a node and its devices, which never change.
#[derive(Debug)]
pub(crate) struct Layout {
    campus: Arc<Campus>,
    /// The node itself, then its devices. Of each its place (the metric means nothing) and its metrics.
    parts: Vec<(SparkplugMetric, Vec<usize>)>,
    metrics: Vec<Bound>,
    by_point: HashMap<PointId, usize>,
}

#[derive(Debug)]
struct Bound {
    part: usize,
    name: String,
    kind: u32,
    target: Target,
    commanded: bool,
}

impl Layout {
    /// The nodes of those of `points` that are bound to metrics.
    pub fn all(campus: &Arc<Campus>, points: &[PointId]) -> Vec<Self> {
        let mut nodes: BTreeMap<(&str, &str), Self> = BTreeMap::new();
        for point in points.iter().filter_map(|id| campus.get_point(*id)) {
            let Some(place) = point.binding.as_ref().and_then(|b| b.sparkplug.as_ref()) else { continue };
            nodes
                .entry((&place.group, &place.node))
                .or_insert_with(|| Self {
                    campus: campus.clone(),
                    parts: vec![(SparkplugMetric { device: None, ..place.clone() }, Vec::new())],
                    metrics: Vec::new(),
                    by_point: HashMap::new(),
                })
                .add(point, place);
        }
        nodes.into_values().collect()
    }

    fn add(&mut self, point: &Point, place: &SparkplugMetric) {
        let Some(binding) = &point.binding else { return };
        if self.by_point.contains_key(&point.id) {
            return;
        }
        let metric = self.metrics.len();
        let part = self.parts.iter().position(|(p, _)| p.device == place.device).unwrap_or_else(|| {
            self.parts.push((place.clone(), Vec::new()));
            self.parts.len() - 1
        });
        self.parts[part].1.push(metric);
        self.by_point.insert(point.id, metric);
        self.metrics.push(Bound {
            part,
            name: place.metric.clone(),
            kind: match point.value_type {
                ValueType::Number => datatype::DOUBLE,
                ValueType::Bool => datatype::BOOLEAN,
                ValueType::Choice | ValueType::Text => datatype::STRING,
            },
            target: Target::new(point, binding),
            commanded: binding.command.is_some(),
        });
    }

    /// Its points.
    pub fn points(&self) -> impl Iterator<Item = PointId> {
        self.by_point.keys().copied()
    }

    /// Group and node, such as `school/plant-room`.
    pub fn id(&self) -> String {
        let (place, _) = &self.parts[0];
        format!("{}/{}", place.group, place.node)
    }

    /// A sample as its metric tells it.
    ///
    /// # Errors
    /// [`GatewayError::Unbound`], [`GatewayError::Value`].
    pub fn reading(&self, sample: &Sample) -> Result<Reading, GatewayError> {
        let point = self.campus.get_point(sample.point).ok_or(GatewayError::UnknownPoint(sample.point.0))?;
        let metric = *self
            .by_point
            .get(&sample.point)
            .ok_or_else(|| GatewayError::Unbound { point: point.path.clone(), what: "metric" })?;
        let Bound { kind, target, .. } = &self.metrics[metric];
        let value = raw(point, target, *kind, &sample.value)
            .map_err(|why| GatewayError::Value { point: point.path.clone(), why })?;
        Ok(Reading { metric, time: sample.time, value, quality: sample.quality })
    }

    /// Filters for the commands of the node and its devices.
    pub fn filters(&self) -> Vec<String> {
        let (node, _) = &self.parts[0];
        let devices = format!("{}/{}/DCMD/{}/+", SparkplugMetric::NAMESPACE, node.group, node.node);
        let there = (self.parts.len() > 1).then_some(devices);
        [node.topic("CMD")].into_iter().chain(there).collect()
    }

    /// What a command message asks for; `None` for one that is not for this node.
    pub fn asked(&self, topic: &str, bytes: &[u8]) -> Option<Asked> {
        let part = self.parts.iter().position(|(place, _)| place.topic("CMD") == topic)?;
        let payload = match Payload::decode(bytes) {
            Ok(payload) => payload,
            Err(why) => return Some(Asked { refused: vec![why], ..Asked::default() }),
        };
        let mut asked = Asked::default();
        for metric in &payload.metrics {
            if part == 0 && metric.name.as_deref() == Some(REBIRTH) {
                // tck-id-operational-behavior-data-commands-ncmd-rebirth-value.
                asked.rebirth |= metric.value == Some(Raw::Boolean(true));
                continue;
            }
            match self.command(part, metric) {
                Ok(command) => asked.commands.push(command),
                Err(why) => asked.refused.push(why),
            }
        }
        Some(asked)
    }

    fn command(&self, part: usize, metric: &Metric<'_>) -> Result<FieldCommand, Why> {
        let of_name = |name: &str| {
            let same = |at: &&usize| self.metrics[**at].name == name;
            self.parts[part].1.iter().find(same).copied()
        };
        let (at, called) = match (metric.name.as_deref(), metric.alias) {
            (Some(name), _) => (of_name(name), format!("'{name}'")),
            (None, Some(alias)) => (at_alias(alias), format!("the alias {alias}")),
            (None, None) => return Err("a metric has neither name nor alias".into()),
        };
        let bound = at
            .and_then(|at| self.metrics.get(at))
            .filter(|b| b.part == part)
            .ok_or_else(|| Why::from(format!("{called} was not in the birth")))?;
        let name = &bound.name;
        if !bound.commanded {
            return Err(format!("'{name}' can't be commanded").into());
        }
        let value = match &metric.value {
            _ if metric.is_null => None,
            None => return Err(format!("'{name}' has no value and is not null").into()),
            Some(raw) => {
                let kind = metric.datatype.filter(|k| *k != datatype::UNKNOWN).unwrap_or(bound.kind);
                let told = |why: Why| Why::from(format!("'{name}': {why}"));
                let scalar = scalar(raw, kind, bound.target.value_type)
                    .map_err(|(Refusal::Malformed(why) | Refusal::Unsupported(why))| told(why))?;
                Some(value_of(&scalar, &bound.target).map_err(told)?)
            }
        };
        Ok(FieldCommand { point: bound.target.point, value })
    }
}

/// Aliases count from 1, as 0 is what a field that isn't there reads as in some writers.
fn alias_of(metric: usize) -> u64 {
    metric as u64 + 1
}

fn at_alias(alias: u64) -> Option<usize> {
    usize::try_from(alias).ok()?.checked_sub(1)
}

/// One node's session: from a CONNECT with its will to the death.
#[derive(Debug)]
pub(crate) struct EdgeSession {
    layout: Arc<Layout>,
    last: Vec<Option<Reading>>,
    bd_seq: Option<u8>,
    seq: u8,
}

impl EdgeSession {
    pub fn new(layout: Arc<Layout>) -> Self {
        let last = vec![None; layout.metrics.len()];
        Self { layout, last, bd_seq: None, seq: 0 }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether there is a value to be born with.
    pub fn has_values(&self) -> bool {
        self.last.iter().any(Option::is_some)
    }

    /// A new CONNECT: the next `bdSeq` (tck-id-topics-nbirth-bdseq-increment), from 0 and after 255 again, and the
    /// will that has it (tck-id-payloads-ndeath-bdseq; without a number of its own, tck-id-payloads-ndeath-seq).
    pub fn connect(&mut self) -> Message {
        self.bd_seq = Some(self.bd_seq.map_or(0, |n| n.wrapping_add(1)));
        self.death()
    }

    /// NDEATH of the session.
    pub fn death(&self) -> Message {
        let payload = Payload { metrics: vec![self.session_number()], ..Payload::default() };
        (self.layout.parts[0].0.topic("DEATH"), payload.encode())
    }

    fn session_number(&self) -> Metric<'static> {
        Metric::new(BD_SEQ, datatype::INT64, Raw::Long(self.bd_seq.unwrap_or_default().into()))
    }

    /// Takes the first value of each metric that has none, so that there is one to be born with.
    pub fn learn(&mut self, readings: &[Reading]) {
        for reading in readings {
            self.last[reading.metric].get_or_insert_with(|| reading.clone());
        }
    }

    /// NBIRTH and then the DBIRTHs (tck-id-payloads-dbirth-order), with every metric (tck-id-topics-nbirth-metric-reqs)
    /// and its value of now; one without a value yet is null. The sequence begins anew at 0
    /// (tck-id-topics-nbirth-seq-num); an answer to a request has the `bdSeq` that it had
    /// (tck-id-operational-behavior-data-commands-rebirth-action-3).
    pub fn births(&mut self, now: Timestamp) -> Vec<Message> {
        self.seq = 0;
        let layout = self.layout.clone();
        let mut messages = Vec::with_capacity(layout.parts.len());
        for (part, (place, metrics)) in layout.parts.iter().enumerate() {
            let mut told = Vec::with_capacity(metrics.len() + 2);
            if part == 0 {
                // Without an alias: tck-id-operational-behavior-data-commands-rebirth-name-aliases.
                let rebirth = Metric::new(REBIRTH, datatype::BOOLEAN, Raw::Boolean(false));
                told.extend([self.session_number(), rebirth].map(|m| Metric { timestamp: ms(now), ..m }));
            }
            told.extend(metrics.iter().map(|&at| {
                let bound = &layout.metrics[at];
                let value = match &self.last[at] {
                    Some(reading) => metric(reading),
                    None => Metric { timestamp: ms(now), is_null: true, ..Metric::default() },
                };
                Metric {
                    name: Some(bound.name.as_str().into()),
                    alias: Some(alias_of(at)),
                    datatype: Some(bound.kind),
                    ..value
                }
            }));
            let message = (place.topic("BIRTH"), self.payload(told, now));
            messages.push(message);
        }
        messages
    }

    /// NDATA and DDATA by alias. A value of now that is the last one is not said again
    /// (tck-id-operational-behavior-data-publish-nbirth-change, -dbirth-change); what was measured longer ago, or
    /// before the last one, is said as historical.
    pub fn data(&mut self, readings: &[Reading], now: Timestamp) -> Vec<Message> {
        let layout = self.layout.clone();
        let mut open: Vec<Vec<Metric<'static>>> = vec![Vec::new(); layout.parts.len()];
        let mut messages = Vec::new();
        for reading in readings {
            let last = &mut self.last[reading.metric];
            if last.as_ref() == Some(reading) {
                continue;
            }
            let newest = last.as_ref().is_none_or(|l| l.time <= reading.time);
            let historical = !newest || reading.time.0 < now.0.saturating_sub(LATE_US);
            let same = |l: &Reading| l.value == reading.value && l.quality == reading.quality;
            if !historical && last.as_ref().is_some_and(same) {
                continue;
            }
            if newest {
                *last = Some(reading.clone());
            }
            let part = layout.metrics[reading.metric].part;
            let alias = Some(alias_of(reading.metric));
            open[part].push(Metric { alias, is_historical: historical, ..metric(reading) });
            if open[part].len() == MOST_IN_ONE {
                let metrics = std::mem::take(&mut open[part]);
                messages.push((layout.parts[part].0.topic("DATA"), self.payload(metrics, now)));
            }
        }
        for (metrics, (place, _)) in open.into_iter().zip(&layout.parts).filter(|(m, _)| !m.is_empty()) {
            messages.push((place.topic("DATA"), self.payload(metrics, now)));
        }
        messages
    }

    /// The next message's payload: its number is one more than the one before, 0 after 255
    /// (tck-id-payloads-sequence-num-incrementing).
    fn payload(&mut self, metrics: Vec<Metric<'_>>, now: Timestamp) -> Vec<u8> {
        let seq = Some(u64::from(self.seq));
        self.seq = self.seq.wrapping_add(1);
        Payload { timestamp: ms(now), seq, metrics }.encode()
    }
}

fn metric(reading: &Reading) -> Metric<'static> {
    Metric {
        timestamp: ms(reading.time),
        value: Some(reading.value.clone()),
        // tck-id-payloads-propertyset-quality-value-value has three words; what is doubtful is nearest to the last.
        quality: match reading.quality {
            Quality::Good => None,
            Quality::Bad => Some(0),
            Quality::Uncertain | Quality::Stale => Some(500),
        },
        ..Metric::default()
    }
}

fn ms(time: Timestamp) -> Option<u64> {
    u64::try_from(time.0 / 1000).ok()
}
