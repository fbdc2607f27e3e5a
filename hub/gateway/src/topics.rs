//! Which topics a campus is bound to, compiled for reading messages.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use campanile_model::{Binding, Campus, Point, PointId, TimeFormat, ValueType};

/// Keys of a flat message that are looked for without building a tree of the message.
pub(crate) const FLAT_KEYS: usize = 8;

/// What to do with the messages of each topic.
#[derive(Debug)]
pub(crate) struct TopicTable {
    /// Entries by topic.
    pub index: HashMap<Box<str>, u32>,
    pub entries: Vec<Entry>,
    /// Topics of outgoing commands, which a wildcard may bring back.
    pub commands: BTreeSet<Box<str>>,
    pub bound_points: u64,
    pub bound_topics: u64,
}

/// A topic.
#[derive(Debug)]
pub(crate) struct Entry {
    pub topic: Arc<str>,
    pub shape: Shape,
    pub targets: Vec<Target>,
    /// Points that are stale while this says `offline`.
    pub presence: Option<Arc<[PointId]>>,
}

/// How to read the messages of a topic.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The whole message is the value of one point.
    Bare,
    /// An object whose members of these names are all that is needed.
    Flat(Vec<Box<str>>),
    /// Anything else.
    Tree,
}

/// A point bound to a topic.
#[derive(Debug)]
pub(crate) struct Target {
    pub point: PointId,
    pub value_type: ValueType,
    pub choices: Vec<Box<str>>,
    pub scale: f64,
    pub offset: f64,
    pub time_format: TimeFormat,
    /// Indices into the keys of [`Shape::Flat`].
    pub flat: FlatSlots,
    pub value_pointer: Box<str>,
    pub time_pointer: Option<Box<str>>,
    pub quality_pointer: Option<Box<str>>,
    pub array_pointer: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlatSlots {
    pub value: usize,
    pub time: Option<usize>,
    pub quality: Option<usize>,
}

impl Target {
    pub fn new(point: &Point, binding: &Binding) -> Self {
        Self {
            point: point.id,
            value_type: point.value_type,
            choices: point.choices.iter().map(|c| c.id.as_str().into()).collect(),
            scale: binding.scale,
            offset: binding.offset,
            time_format: binding.time_format,
            flat: FlatSlots::default(),
            value_pointer: binding.value_pointer.as_str().into(),
            time_pointer: binding.time_pointer.as_deref().map(Into::into),
            quality_pointer: binding.quality_pointer.as_deref().map(Into::into),
            array_pointer: binding.array_pointer.as_deref().map(Into::into),
        }
    }

    /// The field's number in the point's unit. Untouched where there is nothing to convert, so that
    /// values pass bit by bit.
    pub fn to_point(&self, field: f64) -> f64 {
        if self.scale == 1.0 && self.offset == 0.0 { field } else { field * self.scale + self.offset }
    }

    /// The point's number as the field writes it.
    pub fn to_field(&self, value: f64) -> f64 {
        if self.scale == 1.0 && self.offset == 0.0 { value } else { (value - self.offset) / self.scale }
    }
}

impl TopicTable {
    pub fn new(campus: &Campus) -> Self {
        let mut table = Self {
            index: HashMap::new(),
            entries: Vec::new(),
            commands: BTreeSet::new(),
            bound_points: 0,
            bound_topics: 0,
        };
        let mut presence: BTreeMap<&str, Vec<PointId>> = BTreeMap::new();
        for point in &campus.points {
            let Some(binding) = &point.binding else { continue };
            if binding.sparkplug.is_some() {
                // Nodes have a table of their own.
                continue;
            }
            table.bound_points += 1;
            let entry = table.entry(&binding.topic);
            entry.targets.push(Target::new(point, binding));
            if let Some(command) = &binding.command {
                table.commands.insert(command.topic.as_str().into());
            }
            if let Some(topic) = &binding.presence_topic {
                presence.entry(topic).or_default().push(point.id);
            }
        }
        table.bound_topics = table.entries.len() as u64;
        for (topic, points) in presence {
            table.entry(topic).presence = Some(points.into());
        }
        for entry in &mut table.entries {
            entry.shape = shape(&mut entry.targets);
        }
        table
    }

    fn entry(&mut self, topic: &str) -> &mut Entry {
        let fresh = self.entries.len() as u32;
        let at = *self.index.entry(topic.into()).or_insert(fresh);
        if at == fresh {
            self.entries.push(Entry {
                topic: topic.into(),
                shape: Shape::Tree,
                targets: Vec::new(),
                presence: None,
            });
        }
        &mut self.entries[at as usize]
    }
}

/// The cheapest way to read what the targets need.
fn shape(targets: &mut [Target]) -> Shape {
    if let [one] = &*targets
        && one.value_pointer.is_empty()
        && one.array_pointer.is_none()
        && one.time_pointer.is_none()
        && one.quality_pointer.is_none()
    {
        return Shape::Bare;
    }
    let mut keys: Vec<Box<str>> = Vec::new();
    for target in targets {
        if target.array_pointer.is_some() {
            return Shape::Tree;
        }
        let mut slot = |pointer: &str| {
            let key = flat_key(pointer)?;
            Some(keys.iter().position(|k| **k == *key).unwrap_or_else(|| {
                keys.push(key.into());
                keys.len() - 1
            }))
        };
        let mut optional = |pointer: &Option<Box<str>>| match pointer {
            None => Some(None),
            Some(pointer) => slot(pointer).map(Some),
        };
        let (Some(time), Some(quality)) = (optional(&target.time_pointer), optional(&target.quality_pointer))
        else {
            return Shape::Tree;
        };
        let Some(value) = slot(&target.value_pointer) else { return Shape::Tree };
        target.flat = FlatSlots { value, time, quality };
    }
    if keys.len() > FLAT_KEYS { Shape::Tree } else { Shape::Flat(keys) }
}

/// The key of a pointer to a member of the outermost object.
pub(crate) fn flat_key(pointer: &str) -> Option<String> {
    let key = pointer.strip_prefix('/')?;
    (!key.contains('/')).then(|| key.replace("~1", "/").replace("~0", "~"))
}

/// The topics of last wills that the bindings of a campus name, in order.
pub fn presence_topics(campus: &Campus) -> Vec<String> {
    let topics: BTreeSet<&str> = campus
        .points
        .iter()
        .filter_map(|p| p.binding.as_ref().and_then(|b| b.presence_topic.as_deref()))
        .collect();
    topics.into_iter().map(str::to_owned).collect()
}

/// The points of a campus that are bound to metrics of Sparkplug B.
pub fn metric_points(campus: &Campus) -> Vec<PointId> {
    let bound = |p: &&Point| p.binding.as_ref().is_some_and(|b| b.sparkplug.is_some());
    campus.points.iter().filter(bound).map(|p| p.id).collect()
}

/// The smallest set of topic filters without overlap that covers topics: for each first level the
/// longest common prefix with `#`, or the topic itself where it is alone.
pub fn subscription_filters<'a>(topics: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut roots: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for topic in topics.into_iter().collect::<BTreeSet<_>>() {
        roots.entry(topic.split('/').next().unwrap_or(topic)).or_default().push(topic);
    }
    let mut filters = Vec::with_capacity(roots.len());
    for topics in roots.values() {
        let Some((first, rest)) = topics.split_first() else { continue };
        if rest.is_empty() {
            filters.push((*first).to_owned());
            continue;
        }
        let first: Vec<&str> = first.split('/').collect();
        let mut common = first.len();
        for topic in rest {
            let same = first.iter().zip(topic.split('/')).take_while(|(a, b)| **a == *b).count();
            common = common.min(same);
        }
        // `a/#` covers `a` itself, too.
        filters.push(format!("{}/#", first[..common.max(1)].join("/")));
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_cover_every_topic_once() {
        for (topics, expected) in [
            (vec![], vec![]),
            (vec!["a/b"], vec!["a/b"]),
            (vec!["a/b", "a/b"], vec!["a/b"]),
            (vec!["campus/x/co2", "campus/x/t", "campus/y/t"], vec!["campus/#"]),
            (vec!["campus/x/co2", "campus/x/t", "meters/1"], vec!["campus/x/#", "meters/1"]),
            (vec!["a", "a/b"], vec!["a/#"]),
            (vec!["/a/b", "/a/c"], vec!["/a/#"]),
            (vec!["ab/x", "abc/x"], vec!["ab/x", "abc/x"]),
        ] {
            assert_eq!(subscription_filters(topics.clone()), expected, "{topics:?}");
        }
    }

    #[test]
    fn pointers_to_outer_members_are_told_from_deeper_ones() {
        assert_eq!(flat_key("/value"), Some("value".to_owned()));
        assert_eq!(flat_key("/a~1b~0"), Some("a/b~".to_owned()));
        assert_eq!(flat_key("/a/b"), None);
        assert_eq!(flat_key(""), None);
    }
}
