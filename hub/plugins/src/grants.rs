//! What a plugin may do on a campus: what its manifest asks for, where a person has approved it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_model::{Actor, Campus, Glob, PointId, Priority};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extend::derived_points;
use crate::manifest::{Capabilities, Manifest};

/// What a person has approved. It may be less than what the manifest asks for, never more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The hash of the package that was seen, BLAKE3 in hexadecimal.
    pub package: String,
    /// What it may do.
    pub capability: Capabilities,
    /// Settings that differ from the manifest's.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Who approved it.
    pub by: String,
}

/// A number that is no handle.
const NONE: u32 = u32::MAX;

/// What a plugin may do, found on a campus. Made once; shared by all its instances.
#[derive(Debug)]
pub struct Grants {
    /// The campus.
    pub campus: Arc<Campus>,
    /// The manifest.
    pub manifest: Arc<Manifest>,
    /// The settings in force, in the order of the manifest.
    pub settings: Vec<(String, String)>,
    /// Whether it reads what was.
    pub history: bool,
    /// Whether it keeps missions, points and proposals.
    pub activities: bool,
    /// Whether it directs a drill.
    pub drill: bool,
    /// The strongest and the weakest slot that it may write.
    pub band: Option<(Priority, Priority)>,
    /// By handle: which point, and whether it may command it.
    seen: Vec<Seen>,
    /// By point: its handle.
    handles: Vec<u32>,
    /// The same of those whose samples it is told of: looked up for each sample that there is.
    told: Vec<u32>,
    /// Entities of whose alarms it is told, by path; an empty one is the campus.
    alarms: BTreeSet<String>,
    /// What it derives, by entity for each `[[derived]]`, and the points where the campus has them.
    derived: Vec<BTreeMap<Arc<str>, Option<PointId>>>,
    /// Who commands in its name.
    pub(crate) actor: Actor,
    /// The clock on the wall of the campus.
    pub(crate) zone: TimeZone,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    point: PointId,
    commandable: bool,
}

/// The points that globs of both match; in a set by index.
fn both(campus: &Campus, asked: &[String], approved: &[String]) -> Vec<bool> {
    let matched = |globs: &[String]| {
        let mut is = vec![false; campus.points.len()];
        for point in globs.iter().flat_map(|glob| campus.points_matching(glob)) {
            if let Some(is) = is.get_mut(point.index()) {
                *is = true;
            }
        }
        is
    };
    matched(asked).into_iter().zip(matched(approved)).map(|(a, b)| a && b).collect()
}

impl Grants {
    /// Finds on a campus what a manifest asks for and an approval grants.
    pub fn new(campus: Arc<Campus>, manifest: Arc<Manifest>, approval: &Approval) -> Self {
        let (asked, given) = (&manifest.capability, &approval.capability);
        let commands = |c: &Capabilities| c.command.as_ref().map_or(Vec::new(), |c| c.points.clone());
        let commandable = both(&campus, &commands(asked), &commands(given));
        // Who commands a point sees it.
        let mut readable = both(&campus, &asked.read, &given.read);
        readable.iter_mut().zip(&commandable).for_each(|(readable, commandable)| *readable |= commandable);
        let mut subscribed = both(&campus, &manifest.subscribe.points, &manifest.subscribe.points);
        let mut derived = vec![BTreeMap::new(); manifest.derived.len()];
        for (index, entity, path) in derived_points(&campus, &manifest) {
            let point = campus.point_id(path.as_str());
            derived[usize::from(index)].insert(entity.map_or("", |e| e.path.as_str()).into(), point);
            // What it derives itself is no news to it, or it would never come to an end.
            if let Some(own) = point {
                subscribed[own.index()] = false;
            }
        }
        let band = asked.command.as_ref().zip(given.command.as_ref()).and_then(|(asked, given)| {
            let strongest = asked.priority[0].max(given.priority[0]).max(9);
            let weakest = asked.priority[1].min(given.priority[1]);
            Some((Priority::new(strongest)?, Priority::new(weakest)?)).filter(|(s, w)| s <= w)
        });
        let mut seen = Vec::new();
        let mut handles = vec![NONE; campus.points.len()];
        let mut told = handles.clone();
        for (index, point) in campus.points.iter().enumerate() {
            if readable[index] {
                handles[index] = seen.len() as u32;
                if subscribed[index] {
                    told[index] = handles[index];
                }
                let commandable = commandable[index] && band.is_some() && point.command.is_some();
                seen.push(Seen { point: point.id, commandable });
            }
        }
        let globs: Vec<Glob> =
            manifest.subscribe.alarms.iter().filter_map(|glob| Glob::new(glob).ok()).collect();
        let entities = campus.entities.iter().map(|entity| entity.path.as_str());
        let mut alarms: BTreeSet<String> =
            entities.filter(|path| globs.iter().any(|glob| glob.matches(path))).map(str::to_owned).collect();
        if manifest.subscribe.alarms.iter().any(|glob| glob == "**") {
            alarms.insert(String::new());
        }
        let setting = |id: &str, default: &str| {
            approval.settings.get(id).map_or_else(|| default.to_owned(), Clone::clone)
        };
        Self {
            settings: manifest.setting.iter().map(|s| (s.id.clone(), setting(&s.id, &s.default))).collect(),
            history: asked.history && given.history,
            activities: asked.activities && given.activities,
            drill: asked.drill && given.drill,
            band,
            alarms,
            derived,
            actor: Actor::Plugin(manifest.id.as_str().into()),
            zone: TimeZone::get(&campus.timezone).unwrap_or(TimeZone::UTC),
            seen,
            handles,
            told,
            campus,
            manifest,
        }
    }

    /// The point of a handle, where it is one of this plugin's.
    pub fn point(&self, handle: u32) -> Option<PointId> {
        self.seen.get(handle as usize).map(|seen| seen.point)
    }

    /// The handle of a point, where the plugin may see it.
    pub fn handle(&self, point: PointId) -> Option<u32> {
        self.handles.get(point.index()).copied().filter(|handle| *handle != NONE)
    }

    /// The handle of a point of whose samples the plugin is told.
    pub fn subscribed(&self, point: PointId) -> Option<u32> {
        self.told.get(point.index()).copied().filter(|handle| *handle != NONE)
    }

    /// Whether the plugin may command the point of a handle.
    pub fn commandable(&self, handle: u32) -> bool {
        self.seen.get(handle as usize).is_some_and(|seen| seen.commandable)
    }

    /// The point of a `[[derived]]` by its index, for an entity where it says `each` (else an empty one), where the
    /// campus has it: `plugin/ID/DERIVED` or `plugin/ID/DERIVED/ENTITY`.
    pub fn derived(&self, index: u16, entity: &str) -> Option<PointId> {
        self.derived.get(usize::from(index))?.get(entity).copied().flatten()
    }

    /// The entity for which a `[[derived]]` may be given, as it is kept.
    pub(crate) fn derived_for(&self, index: u16, entity: &str) -> Option<&Arc<str>> {
        self.derived.get(usize::from(index))?.get_key_value(entity).map(|(entity, _)| entity)
    }

    /// The points that it sees, by handle.
    pub fn points(&self) -> impl Iterator<Item = PointId> {
        self.seen.iter().map(|seen| seen.point)
    }

    /// Whether the plugin is told of alarms of an entity; an empty one is the campus itself.
    pub fn hears_alarms_of(&self, entity: &str) -> bool {
        self.alarms.contains(entity)
    }

    /// How many points it sees.
    pub fn count(&self) -> usize {
        self.seen.len()
    }
}
