//! What never changes while a world runs: of each point what the world checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_model::{
    AlarmCondition, AlarmPriority, Campus, Names, Path, PointCondition, PointId, Priority, Value, ValueTest,
    ValueType,
};

/// A value is stale when it is older than this many expected periods.
pub const STALE_PERIODS: f64 = 3.0;

/// A point as the world sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSpec {
    /// The type of its values; samples of another are refused.
    pub value_type: ValueType,
    /// The number of choices of a choice.
    pub choices: u16,
    /// The valid range; a number outside is uncertain.
    pub range: Option<[f64; 2]>,
    /// After how many microseconds without a new value it is stale, and how long to wait for one.
    pub stale_after_us: i64,
    /// Its source says what changes, and when it goes, as those of Sparkplug B do: silence makes it not stale.
    pub by_exception: bool,
    /// The smallest step; read-back within half of it confirms.
    pub resolution: Option<f64>,
    /// How it can be commanded.
    pub command: Option<Commandable>,
}

/// How a point can be commanded.
#[derive(Clone, Debug, PartialEq)]
pub struct Commandable {
    /// The lowest and highest number.
    pub limits: Option<[f64; 2]>,
    /// The shortest time between two changes of the value in force, microseconds.
    pub min_interval_us: i64,
    /// The value where no slot is filled.
    pub safe: Value,
    /// The weakest slot that may command it.
    pub weakest: Priority,
    /// The point that shows what the device did.
    pub readback: PointId,
    /// What forbids commands of it, or takes it over.
    pub interlocks: Vec<LockSpec>,
}

/// A condition on the value of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The point.
    pub point: PointId,
    /// What its value has to be.
    pub test: ValueTest,
}

/// An interlock of a point; see [`campanile_model::Interlock`].
#[derive(Clone, Debug, PartialEq)]
pub struct LockSpec {
    /// Its id.
    pub id: Arc<str>,
    /// What is told to whom it refuses.
    pub names: Names,
    /// When it holds.
    pub when: Condition,
    /// The value that may not be commanded; `None`: any.
    pub forbid: Option<Value>,
    /// The value that the point is taken to for as long as it holds.
    pub trip: Option<Value>,
    /// Whether it refuses while the condition can't be known.
    pub block_unknown: bool,
}

/// When an alarm is suppressed by design.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressSpec {
    /// The condition.
    pub when: Condition,
    /// For how long after it the alarm stays suppressed, microseconds.
    pub hold_us: i64,
}

/// An alarm rule of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// Names the alarm for good: the point's path, `#` and the rule's id.
    pub id: Arc<str>,
    /// The point.
    pub point: PointId,
    /// Which of the point's rules.
    pub index: usize,
    /// How urgent it is.
    pub priority: AlarmPriority,
    /// When it is raised.
    pub condition: AlarmCondition,
    /// Of a deviation, the point to compare with.
    pub other: Option<PointId>,
    /// How far the value has to come back, in the point's unit.
    pub deadband: f64,
    /// How long the condition has to hold, microseconds.
    pub on_delay_us: i64,
    /// How long it has to be gone, microseconds.
    pub off_delay_us: i64,
    /// When it is suppressed by design.
    pub suppress: Option<SuppressSpec>,
}

/// What every sample is checked against: kept apart from [`PointSpec`] and small, because at a million points in
/// scattered order the speed of a world is the number of cache lines that a sample touches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    /// The valid range; without one, everything.
    pub low: f64,
    pub high: f64,
    pub stale_after_us: i64,
    pub choices: u16,
    pub value_type: ValueType,
    /// Whether a sample of the point needs more than being stored.
    pub watched: bool,
}

/// The static part of a world.
#[derive(Debug, Default)]
pub struct Schema {
    pub(crate) points: Vec<PointSpec>,
    pub(crate) paths: Vec<Path>,
    pub(crate) rules: Vec<RuleSpec>,
    /// Of each point the rules to look at when it changes; empty ranges are the rule.
    pub(crate) rules_of: BTreeMap<PointId, Vec<u32>>,
    pub(crate) commands_read_by: BTreeMap<PointId, Vec<PointId>>,
    /// Of each point the commanded points whose interlocks look at it.
    pub(crate) locks_of: BTreeMap<PointId, Vec<PointId>>,
    pub(crate) checks: Vec<Check>,
}

impl Schema {
    /// The schema of points and rules; paths name the points in what is saved.
    pub fn new(points: Vec<PointSpec>, paths: Vec<Path>, rules: Vec<RuleSpec>) -> Self {
        let mut rules_of: BTreeMap<PointId, Vec<u32>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let suppressed_by = rule.suppress.as_ref().map(|s| s.when.point);
            for point in [Some(rule.point), rule.other, suppressed_by].into_iter().flatten() {
                let rules = rules_of.entry(point).or_default();
                if rules.last() != Some(&(index as u32)) {
                    rules.push(index as u32);
                }
            }
        }
        let mut commands_read_by: BTreeMap<PointId, Vec<PointId>> = BTreeMap::new();
        let mut locks_of: BTreeMap<PointId, Vec<PointId>> = BTreeMap::new();
        for (index, point) in points.iter().enumerate() {
            if let Some(command) = &point.command {
                for lock in command.interlocks.iter().filter(|lock| lock.trip.is_some()) {
                    let guarded = locks_of.entry(lock.when.point).or_default();
                    if guarded.last() != Some(&PointId(index as u32)) {
                        guarded.push(PointId(index as u32));
                    }
                }
                commands_read_by.entry(command.readback).or_default().push(PointId(index as u32));
            }
        }
        let mut watched = vec![false; points.len()];
        for point in rules_of.keys().chain(commands_read_by.keys()).chain(locks_of.keys()) {
            if let Some(flag) = watched.get_mut(point.index()) {
                *flag = true;
            }
        }
        let check = |(spec, watched): (&PointSpec, bool)| {
            let [low, high] = spec.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
            let (choices, value_type) = (spec.choices, spec.value_type);
            let stale_after_us = if spec.by_exception { i64::MAX } else { spec.stale_after_us };
            Check { low, high, stale_after_us, choices, value_type, watched }
        };
        let checks = points.iter().zip(watched).map(check).collect();
        Self { points, paths, rules, rules_of, commands_read_by, locks_of, checks }
    }

    /// The schema of a campus.
    pub fn of(campus: &Campus) -> Self {
        let micros = |seconds: f64| (seconds * 1e6) as i64;
        // What a campus that was checked names is there.
        let condition = |c: &PointCondition| {
            Some(Condition { point: campus.point_id(c.point.as_str())?, test: c.test.clone() })
        };
        let mut points = Vec::with_capacity(campus.points.len());
        let mut rules = Vec::new();
        for point in &campus.points {
            let command = point.command.as_ref().map(|c| Commandable {
                limits: c.limits,
                min_interval_us: micros(c.min_interval_s),
                safe: c.safe.clone(),
                weakest: c.weakest_priority.or(Priority::new(16)).unwrap_or(Priority::MANUAL_OPERATOR),
                readback: c.readback.as_ref().and_then(|p| campus.point_id(p.as_str())).unwrap_or(point.id),
                interlocks: point
                    .interlocks
                    .iter()
                    .filter_map(|lock| {
                        Some(LockSpec {
                            id: lock.id.as_str().into(),
                            names: lock.names.clone(),
                            when: condition(&lock.when)?,
                            forbid: lock.forbid.clone(),
                            trip: lock.trip.clone(),
                            block_unknown: lock.block_unknown,
                        })
                    })
                    .collect(),
            });
            points.push(PointSpec {
                value_type: point.value_type,
                choices: point.choices.len() as u16,
                range: point.range,
                stale_after_us: micros(point.period_s * STALE_PERIODS),
                by_exception: point.binding.as_ref().is_some_and(|b| b.sparkplug.is_some()),
                resolution: point.resolution,
                command,
            });
            for (index, rule) in point.alarms.iter().enumerate() {
                let other = match &rule.condition {
                    AlarmCondition::Deviation { from, .. } => campus.point_id(from.as_str()),
                    _ => None,
                };
                rules.push(RuleSpec {
                    id: format!("{}#{}", point.path, rule.id).into(),
                    point: point.id,
                    index,
                    priority: rule.priority,
                    condition: rule.condition.clone(),
                    other,
                    deadband: rule.deadband,
                    on_delay_us: micros(rule.on_delay_s),
                    off_delay_us: micros(rule.off_delay_s),
                    suppress: rule.suppress.as_ref().and_then(|s| {
                        Some(SuppressSpec { when: condition(&s.when)?, hold_us: micros(s.hold_s) })
                    }),
                });
            }
        }
        Self::new(points, campus.points.iter().map(|p| p.path.clone()).collect(), rules)
    }

    /// A hash of all that is checked: two schemas with the same give the same world from the same inputs.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        // Debug text of ordered, plain data is one text a schema.
        hasher.update(format!("{:?}{:?}{:?}", self.points, self.paths, self.rules).as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// The points.
    pub fn points(&self) -> &[PointSpec] {
        &self.points
    }

    /// The alarm rules; an alarm is named by its index here within a run, by [`RuleSpec::id`] for good.
    pub fn rules(&self) -> &[RuleSpec] {
        &self.rules
    }

    /// The alarm with this id.
    pub fn rule(&self, id: &str) -> Option<u32> {
        self.rules.iter().position(|r| &*r.id == id).map(|i| i as u32)
    }
}
