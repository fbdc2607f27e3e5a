//! The resolved campus: everything expanded and cross-referenced, which every other crate reads.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Glob, Names, Path, Plan, PointId, Priority, Quality, Value, ValueType};

/// A campus as loaded from its folder: geometry, entities, points and networks.
///
/// The order of [`Campus::entities`] and [`Campus::points`] follows the two files, so the same
/// files always give the same [`PointId`]s.
#[derive(Clone, Debug, Default)]
pub struct Campus {
    /// The id of the campus.
    pub id: String,
    /// Its names.
    pub names: Names,
    /// The IANA time zone, such as `Asia/Shanghai`.
    pub timezone: String,
    /// The geometry.
    pub plan: Plan,
    /// Every entity; parents come before children. The first is the site.
    pub entities: Vec<Entity>,
    /// Every point; `points[i].id == PointId(i)`.
    pub points: Vec<Point>,
    /// The networks.
    pub networks: Vec<Network>,
    /// The folder that the campus was read from.
    pub root_dir: PathBuf,
    /// The EPW weather file in that folder.
    pub weather_file: Option<String>,
    /// What must be shown with every picture, a line each.
    pub attribution: Vec<Names>,
    /// The table `[simulation]` of `campus.toml`, for the device models; JSON `null` if absent.
    pub simulation: serde_json::Value,
    pub(crate) index: Index,
}

/// Look-ups by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub points: HashMap<Path, u32>,
    pub entities: HashMap<Path, u32>,
    pub children: Vec<Vec<u32>>,
    pub points_of: Vec<Vec<PointId>>,
}

impl Campus {
    /// The id of the point with this path.
    pub fn point_id(&self, path: &str) -> Option<PointId> {
        self.index.points.get(path).map(|&i| PointId(i))
    }

    /// A point by id.
    ///
    /// # Panics
    /// If `id` comes from another campus and is out of range, as indexing does; see
    /// [`Campus::get_point`] for ids from outside.
    pub fn point(&self, id: PointId) -> &Point {
        &self.points[id.index()]
    }

    /// A point by id, or `None` where the id is not of this campus.
    pub fn get_point(&self, id: PointId) -> Option<&Point> {
        self.points.get(id.index())
    }

    /// The entity with this path.
    pub fn entity(&self, path: &str) -> Option<&Entity> {
        self.entity_index(path).and_then(|i| self.entities.get(i))
    }

    /// The index in [`Campus::entities`] of the entity with this path.
    pub fn entity_index(&self, path: &str) -> Option<usize> {
        self.index.entities.get(path).map(|&i| i as usize)
    }

    /// The points of the entity at this index (not those of the entities below it), in order.
    pub fn points_of(&self, entity: usize) -> &[PointId] {
        self.index.points_of.get(entity).map_or(&[], Vec::as_slice)
    }

    /// The indices of the entities whose parent is the entity at this index.
    pub fn children_of(&self, entity: usize) -> &[u32] {
        self.index.children.get(entity).map_or(&[], Vec::as_slice)
    }

    /// The points whose path matches a glob (see [`Glob`]), in the order of their ids. None where
    /// the text is not a glob.
    pub fn points_matching(&self, glob: &str) -> Vec<PointId> {
        let Ok(glob) = Glob::new(glob) else { return Vec::new() };
        if let Some(path) = glob.literal() {
            return self.point_id(path).into_iter().collect();
        }
        self.points.iter().filter(|p| glob.matches(p.path.as_str())).map(|p| p.id).collect()
    }

    /// The network with this id.
    pub fn network(&self, id: &str) -> Option<&Network> {
        self.networks.iter().find(|n| n.id == id)
    }

    /// Rebuilds the look-ups from [`Campus::entities`] and [`Campus::points`], and numbers the
    /// points by their position. For campuses made in code rather than loaded.
    pub fn reindex(&mut self) {
        let mut index = Index {
            points: HashMap::with_capacity(self.points.len()),
            entities: HashMap::with_capacity(self.entities.len()),
            children: vec![Vec::new(); self.entities.len()],
            points_of: vec![Vec::new(); self.entities.len()],
        };
        for (i, entity) in self.entities.iter().enumerate() {
            index.entities.insert(entity.path.clone(), i as u32);
            if let Some(children) = entity.parent.and_then(|p| index.children.get_mut(p)) {
                children.push(i as u32);
            }
        }
        for (i, point) in self.points.iter_mut().enumerate() {
            point.id = PointId(i as u32);
            index.points.insert(point.path.clone(), i as u32);
            if let Some(points) = index.points_of.get_mut(point.entity) {
                points.push(point.id);
            }
        }
        self.index = index;
    }
}

/// Something that has a path: a place, a part of a building, equipment, a node of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its path.
    pub path: Path,
    /// Its names.
    pub names: Names,
    /// What it is.
    pub kind: EntityKind,
    /// Its Brick class without prefix, such as `Room`; empty where Brick has none.
    pub brick: String,
    /// The index of the entity it is in; `None` for the site and for buildings.
    pub parent: Option<usize>,
    /// For equipment the id of its kind in `campus.toml`, for a network node its kind, else empty.
    pub class: String,
}

/// What an entity is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    /// The campus itself; its path is `site`.
    Site,
    /// A building.
    Building,
    /// A storey.
    Storey,
    /// A space.
    Space,
    /// A door.
    Door,
    /// A window.
    Window,
    /// A hatch.
    Hatch,
    /// A gap in a wall.
    Gap,
    /// A stair or ramp.
    Stair,
    /// A shaft.
    Shaft,
    /// A roof.
    Roof,
    /// Ground cover.
    Ground,
    /// A road.
    Road,
    /// A river or pond.
    Water,
    /// A green.
    Green,
    /// A tree.
    Tree,
    /// A fence.
    Fence,
    /// A gate.
    Gate,
    /// An assembly point.
    AssemblyPoint,
    /// A flood barrier.
    Barrier,
    /// An object outdoors.
    Object,
    /// Equipment from `campus.toml`.
    Equipment,
    /// A network of `campus.toml`, path `net/<network>`.
    Network,
    /// A node of a network, path `net/<network>/<node>`.
    Node,
    /// A plugin of the hub, path `plugin/<plugin>`: what it derives for no place belongs to it.
    Plugin,
}

/// One point: a value with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its dense index.
    pub id: PointId,
    /// Its path: the entity's path and one more segment.
    pub path: Path,
    /// The index of its entity in [`Campus::entities`].
    pub entity: usize,
    /// Its names, without the entity's.
    pub names: Names,
    /// What it is.
    pub kind: PointKind,
    /// The id of its kind in `campus.toml`, such as `co2`.
    pub quantity: String,
    /// The type of its value.
    pub value_type: ValueType,
    /// The labels of a choice, by index; empty for other types.
    pub choices: Vec<Choice>,
    /// Whether values stand alone, add up or are amounts.
    pub accumulation: Accumulation,
    /// Its Brick class without prefix, such as `CO2_Sensor`; empty where Brick has none.
    pub brick: String,
    /// Its unit in UCUM, such as `Cel` or `kW.h`; `1` for what has none.
    pub unit: String,
    /// The valid range, in its unit.
    pub range: Option<[f64; 2]>,
    /// The expected period in seconds; a value older than three of them is stale.
    pub period_s: f64,
    /// The smallest step, in its unit.
    pub resolution: Option<f64>,
    /// The sub-metering code of a meter, such as `01A1` (see `docs/scene-format.md`).
    pub submeter: Option<String>,
    /// How it is commanded, if it can be.
    pub command: Option<CommandSpec>,
    /// Its alarms.
    pub alarms: Vec<AlarmRule>,
    /// What forbids commands of it, or takes it over, while something holds elsewhere.
    pub interlocks: Vec<Interlock>,
    /// Where it is found in the field.
    pub binding: Option<Binding>,
}

/// What a point is.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PointKind {
    /// Measured.
    #[default]
    Sensor,
    /// Measured for an account: energy, water.
    Meter,
    /// A wanted value that can be commanded.
    Setpoint,
    /// A switch or position that can be commanded.
    Command,
    /// Computed in the hub.
    Derived,
}

/// A labelled choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its id, which is also what the field sends.
    pub id: String,
    /// Its names.
    pub names: Names,
}

/// Whether a point's values stand alone, add up or are amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Accumulation {
    /// A value at a moment.
    #[default]
    Gauge,
    /// A register that only grows.
    Counter {
        /// The value at which it starts again from 0, in the point's unit; `None`: it doesn't.
        rollover: Option<f64>,
    },
    /// The amount since the value before.
    Interval,
}

/// How a point is commanded.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandSpec {
    /// The lowest and highest number that may be commanded.
    pub limits: Option<[f64; 2]>,
    /// The shortest time between two commands, seconds.
    pub min_interval_s: f64,
    /// The value where no slot of the priority array is filled.
    pub safe: Value,
    /// The sensor that shows what the device did; `None`: the point itself.
    pub readback: Option<Path>,
    /// The weakest slot that may command it; `None`: any.
    pub weakest_priority: Option<Priority>,
}

/// One alarm of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmRule {
    /// Its id among the point's alarms.
    pub id: String,
    /// Its names.
    pub names: Names,
    /// How urgent it is.
    pub priority: AlarmPriority,
    /// When it is raised.
    pub condition: AlarmCondition,
    /// How far the value has to come back before it returns to normal, in the point's unit.
    pub deadband: f64,
    /// How long the condition has to hold before the alarm is raised, seconds.
    pub on_delay_s: f64,
    /// How long it has to be gone before the alarm returns to normal, seconds.
    pub off_delay_s: f64,
    /// While what holds elsewhere the alarm means nothing (suppression by design).
    pub suppress: Option<SuppressWhen>,
}

/// When an alarm is suppressed by design.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressWhen {
    /// The condition elsewhere.
    pub when: PointCondition,
    /// For how long after that the alarm stays suppressed, seconds.
    pub hold_s: f64,
}

/// A condition on the value of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointCondition {
    /// The point.
    pub point: Path,
    /// What its value has to be.
    pub test: ValueTest,
}

/// What a value has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTest {
    /// A number above it, in the point's unit.
    Above(f64),
    /// A number below it, in the point's unit.
    Below(f64),
    /// This one.
    Is(Value),
}

impl ValueTest {
    /// Whether a value passes.
    pub fn passes(&self, value: &Value) -> bool {
        match self {
            Self::Above(limit) => value.as_f64().is_some_and(|x| x > *limit),
            Self::Below(limit) => value.as_f64().is_some_and(|x| x < *limit),
            Self::Is(wanted) => value == wanted,
        }
    }
}

/// While a condition holds elsewhere, commands of a point are refused, or it is taken over.
#[derive(Clone, Debug, PartialEq)]
pub struct Interlock {
    /// Its id.
    pub id: String,
    /// Its names: what is told to whom it refuses.
    pub names: Names,
    /// When it holds.
    pub when: PointCondition,
    /// The value that may not be commanded; `None`: any.
    pub forbid: Option<Value>,
    /// The value that the point is taken to, in slot 5 (critical equipment), for as long as it holds.
    pub trip: Option<Value>,
    /// Whether it refuses while the condition can't be known (stale, bad or never heard).
    pub block_unknown: bool,
}

/// How urgent an alarm is, after ISA-18.2.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmPriority {
    /// Life or the campus is at risk now.
    Critical,
    /// Act at once.
    High,
    /// Act soon.
    #[default]
    Medium,
    /// Act when there is time.
    Low,
}

/// When an alarm is raised.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmCondition {
    /// The value is above a limit.
    High {
        /// In the point's unit.
        limit: f64,
    },
    /// The value is below a limit.
    Low {
        /// In the point's unit.
        limit: f64,
    },
    /// The value is exactly this one: a bool, a choice or a text.
    Is {
        /// The value.
        value: Value,
    },
    /// The value differs from another point's by more than a limit.
    Deviation {
        /// The point it should follow.
        from: Path,
        /// In the point's unit.
        limit: f64,
    },
    /// No value has come for longer than the period allows.
    Stale,
    /// The value has risen from its lowest within a time.
    Rises(Change),
    /// The value has fallen from its highest within a time.
    Falls(Change),
    /// The value can't be trusted.
    Quality {
        /// This quality or a worse one: uncertain or bad.
        worst: Quality,
    },
}

/// A change within a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// By more than this, in the point's unit.
    pub by: f64,
    /// Within this, seconds.
    pub within_s: f64,
}

/// Where a point is found in the field.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The MQTT topic, fully expanded.
    pub topic: String,
    /// JSON pointer to the value within the message (or within each element of an array); `""`
    /// where the message is the bare value.
    pub value_pointer: String,
    /// JSON pointer to the time; `None`: the time of arrival.
    pub time_pointer: Option<String>,
    /// How the time is written.
    pub time_format: TimeFormat,
    /// JSON pointer to the quality: `good`, `uncertain`, `bad` or `stale`, or 0 to 3.
    pub quality_pointer: Option<String>,
    /// JSON pointer to an array of samples of this point in one message.
    pub array_pointer: Option<String>,
    /// The point's value is the field's times `scale` plus `offset`.
    pub scale: f64,
    /// See [`Binding::scale`].
    pub offset: f64,
    /// Where commands go; `None`: none go out.
    pub command: Option<CommandBinding>,
    /// The topic of the device's last will: the payload `offline` makes the point stale.
    pub presence_topic: Option<String>,
    /// Where the point is a metric of Sparkplug B: then `topic` is that of its DATA messages,
    /// commands go to the metric itself, and the pointers mean nothing.
    pub sparkplug: Option<SparkplugMetric>,
}

/// A metric of a Sparkplug B edge node or of a device behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SparkplugMetric {
    /// The group ID.
    pub group: String,
    /// The edge node ID, which is unique within its group.
    pub node: String,
    /// The device ID; `None` for a metric of the node itself.
    pub device: Option<String>,
    /// The metric's name, as in the birth certificate.
    pub metric: String,
}

impl SparkplugMetric {
    /// The first part of every Sparkplug B topic (tck-id-topic-structure-namespace-a).
    pub const NAMESPACE: &'static str = "spBv1.0";

    /// The topic of a message about the metric's node or device; `verb` is without its first letter: `BIRTH`,
    /// `DATA`, `DEATH`, `CMD`.
    pub fn topic(&self, verb: &str) -> String {
        let Self { group, node, device, .. } = self;
        match device {
            None => format!("{}/{group}/N{verb}/{node}", Self::NAMESPACE),
            Some(device) => format!("{}/{group}/D{verb}/{node}/{device}", Self::NAMESPACE),
        }
    }
}

/// How a time is written in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// Seconds since 1970-01-01T00:00:00Z, with or without a fraction.
    UnixS,
    /// Milliseconds since then.
    #[default]
    UnixMs,
    /// `2026-09-01T08:00:00+08:00`.
    Rfc3339,
}

/// Where commands of a point go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandBinding {
    /// The MQTT topic, fully expanded.
    pub topic: String,
    /// JSON pointer to where the value stands in the message, such as `/value`; `""`: the message
    /// is the bare value. The field's value is the point's minus `offset` over `scale`.
    pub value_pointer: String,
}

/// A network: a tree of nodes from its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its id; its path is `net/<id>`.
    pub id: String,
    /// What flows in it.
    pub kind: NetworkKind,
    /// Its names.
    pub names: Names,
    /// The nodes; a parent comes before its children. Flow is from parent to child, of a drain
    /// from child to parent: the parentless node of a drain is its outfall.
    pub nodes: Vec<Node>,
}

/// What flows in a network.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// Electricity.
    Electricity,
    /// Drinking or other supplied water.
    Water,
    /// Rain or foul water by gravity.
    Drain,
    /// Air.
    Ventilation,
    /// Fuel gas.
    Gas,
    /// Hot or chilled water for heating and cooling.
    Heat,
}

/// A node of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its id; its path is `net/<network>/<id>`.
    pub id: String,
    /// The index of its entity in [`Campus::entities`].
    pub entity: usize,
    /// What it is: `transformer`, `board`, `circuit`, `inlet`, `manhole`, `outfall`, …
    pub kind: String,
    /// The index of its parent in [`Network::nodes`].
    pub parent: Option<usize>,
    /// Its names.
    pub names: Names,
    /// Where it stands.
    pub at: Option<[i32; 2]>,
    /// The bottom of the pipe at it, above datum, millimetres.
    pub invert_mm: Option<i32>,
    /// The cover or ground at it, above datum, millimetres.
    pub ground_mm: Option<i32>,
    /// The place where it is, by path.
    pub place: Option<Path>,
    /// The entities it serves, by path.
    pub serves: Vec<Path>,
    /// Its meter.
    pub meter: Option<PointId>,
    /// The sub-metering code of what it feeds.
    pub submeter: Option<String>,
    /// Its rating: kVA of a transformer, A of a circuit, m³/h of a pump.
    pub rating: Option<f64>,
    /// The pipe to its parent.
    pub pipe: Option<Pipe>,
}

/// A pipe or duct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipe {
    /// Inner diameter, millimetres.
    pub diameter_mm: f64,
    /// Length, millimetres.
    pub length_mm: f64,
    /// Manning's roughness, s/m^(1/3).
    #[serde(default = "default_roughness")]
    pub roughness: f64,
}

/// Manning's n of plastic pipe.
fn default_roughness() -> f64 {
    0.011
}
