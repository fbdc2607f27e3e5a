//! Bindings: which topic and place in a message each point has.

use std::collections::{BTreeMap, HashMap};

use crate::resolve::Resolver;
use crate::template::render;
use crate::{BindRule, Binding, CommandBinding, Point, PointKind, SparkplugMetric, SparkplugSpec};

/// The longest topic that MQTT can carry.
const MAX_TOPIC: usize = 65_535;

/// The longest name of a Sparkplug metric that the gateway reads.
const MAX_METRIC: usize = 1024;

const TOPIC_WORDS: &str = "Words are {entity} (its path), {point} (the point's id), {kind}, {campus}, {slug}, {id}, {n}, {parent}, {building}, {storey}, {space}; each only where there is one.";

impl Resolver<'_> {
    /// Binds every point by the last rule that matches it, and reports what is missing or clashes.
    pub(crate) fn bindings(&mut self) {
        let file = self.file;
        let mut chosen: Vec<Option<usize>> = vec![None; self.points.len()];
        for (r, rule) in file.bind.iter().enumerate() {
            let at = format!("/bind/{r}");
            for (field, pointer) in [
                ("value", Some(&rule.value)),
                ("time", rule.time.as_ref()),
                ("quality", rule.quality.as_ref()),
                ("array", rule.array.as_ref()),
                ("command_value", Some(&rule.command_value)),
            ] {
                if pointer.is_some_and(|p| !p.is_empty() && !p.starts_with('/')) {
                    self.report.campus(
                        "bad-pointer",
                        &format!("{at}/{field}"),
                        "a JSON pointer starts with '/'",
                        "Write it such as '/value', or '' for the whole message.",
                    );
                }
            }
            if rule.scale == 0.0 {
                self.report.campus(
                    "scale",
                    &format!("{at}/scale"),
                    "a scale of 0 loses every value",
                    "Give the factor from the field's unit to the point's.",
                );
            }
            self.one_protocol(rule, &at);
            for i in self.matching_points(&rule.points, &rule.except, &format!("{at}/points")) {
                chosen[i] = Some(r);
            }
        }
        let mut missing: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (i, rule) in chosen.iter().enumerate() {
            match rule {
                Some(r) => {
                    let made = self.bind(&file.bind[*r], i, &format!("/bind/{r}"));
                    self.points[i].binding = made;
                }
                None if self.points[i].kind == PointKind::Derived => {}
                None => missing.entry(self.points[i].quantity.clone()).or_insert((0, i)).0 += 1,
            }
        }
        for (kind, (count, i)) in missing {
            self.report.campus_warning(
                "binding-missing",
                &format!("/kind/{kind}"),
                format!(
                    "{count} points of the kind '{kind}' are bound to nothing, such as '{}'",
                    self.points[i].path
                ),
                "Add a [[bind]] whose globs match them.",
            );
        }
        self.clashes(&chosen);
    }

    /// A rule has a topic or a metric, and beside a metric nothing that only JSON messages need.
    fn one_protocol(&mut self, rule: &BindRule, at: &str) {
        if rule.sparkplug.is_none() {
            match rule.topic.as_deref() {
                None => self.report.campus(
                    "missing-field",
                    at,
                    "a [[bind]] has neither 'topic' nor 'sparkplug'",
                    "Add 'topic' for messages in JSON, or 'sparkplug = { group = …, node = …, metric = … }'.",
                ),
                Some(topic) if topic.split('/').next() == Some(SparkplugMetric::NAMESPACE) => self.report.campus(
                    "bad-topic",
                    &format!("{at}/topic"),
                    "messages below 'spBv1.0' are Sparkplug B, not JSON",
                    "Write 'sparkplug = { group = …, node = …, device = …, metric = … }' instead of the topic.",
                ),
                Some(_) => {}
            }
            return;
        }
        for (field, there) in [
            ("topic", rule.topic.is_some()),
            ("time", rule.time.is_some()),
            ("quality", rule.quality.is_some()),
            ("array", rule.array.is_some()),
            ("command_topic", rule.command_topic.is_some()),
            ("presence", rule.presence.is_some()),
        ] {
            if there {
                self.report.campus(
                    "sparkplug",
                    &format!("{at}/{field}"),
                    format!("'{field}' means nothing beside 'sparkplug'"),
                    "Leave it out: topics, times, qualities, commands and births and deaths are as Sparkplug says.",
                );
            }
        }
    }

    fn bind(&mut self, rule: &BindRule, i: usize, at: &str) -> Option<Binding> {
        let point = &self.points[i];
        let mut faults = Vec::new();
        let mut fill = |template: &str, field: &str, wrong: fn(&str) -> Option<Fault>| {
            let word_of = |word: &str| match word {
                "point" => Some(point.path.leaf().to_owned()),
                "kind" => Some(point.quantity.clone()),
                "campus" => Some(self.file.id.clone()),
                _ => self.entities.id_word(point.entity, word),
            };
            let fault = match render(template, word_of) {
                Err(why) => ("bad-template", format!("{why} at '{}'", point.path), TOPIC_WORDS),
                Ok(text) => match wrong(&text) {
                    None => return Some(text),
                    Some(fault) => fault,
                },
            };
            faults.push((field.to_owned(), fault));
            None
        };
        let binding = match &rule.sparkplug {
            Some(spec) => {
                let metric = sparkplug(spec, &mut fill);
                metric.map(|metric| Binding {
                    topic: metric.topic("DATA"),
                    value_pointer: metric.metric.clone(),
                    time_pointer: None,
                    time_format: rule.time_format,
                    quality_pointer: None,
                    array_pointer: None,
                    scale: rule.scale,
                    offset: rule.offset,
                    command: point.command.is_some().then(|| CommandBinding {
                        topic: metric.topic("CMD"),
                        value_pointer: metric.metric.clone(),
                    }),
                    presence_topic: None,
                    sparkplug: Some(metric),
                })
            }
            None => {
                let topic = rule.topic.as_deref().and_then(|t| fill(t, "topic", no_topic));
                let value_pointer = fill(&rule.value, "value", anything);
                let command_topic = rule.command_topic.as_deref().filter(|_| point.command.is_some());
                let command = command_topic.and_then(|t| fill(t, "command_topic", no_topic));
                let command_value = fill(&rule.command_value, "command_value", anything);
                let presence = rule.presence.as_deref().and_then(|t| fill(t, "presence", no_topic));
                topic.zip(value_pointer).map(|(topic, value_pointer)| Binding {
                    topic,
                    value_pointer,
                    time_pointer: rule.time.clone(),
                    time_format: rule.time_format,
                    quality_pointer: rule.quality.clone(),
                    array_pointer: rule.array.clone(),
                    scale: rule.scale,
                    offset: rule.offset,
                    command: command
                        .zip(command_value)
                        .map(|(topic, value_pointer)| CommandBinding { topic, value_pointer }),
                    presence_topic: presence,
                    sparkplug: None,
                })
            }
        };
        for (field, (code, what, mend)) in faults {
            self.report.campus(code, &format!("{at}/{field}"), what, mend);
        }
        binding
    }

    /// Two points may share a topic only with different places in its message.
    fn clashes(&mut self, chosen: &[Option<usize>]) {
        let mut places: HashMap<(&str, &str, Option<&str>), usize> = HashMap::new();
        let mut commands: HashMap<(&str, &str), usize> = HashMap::new();
        let mut found: Vec<(usize, usize, String)> = Vec::new();
        for (i, point) in self.points.iter().enumerate() {
            let Some(binding) = &point.binding else { continue };
            let key =
                (binding.topic.as_str(), binding.value_pointer.as_str(), binding.array_pointer.as_deref());
            if let Some(other) = places.insert(key, i) {
                let place = match &binding.sparkplug {
                    None => format!("the topic '{}' at '{}'", binding.topic, binding.value_pointer),
                    Some(metric) => format!("the metric '{}' of '{}'", metric.metric, binding.topic),
                };
                found.push((other, i, place));
                if binding.sparkplug.is_some() {
                    // Its command would go to the same metric: once is enough.
                    continue;
                }
            }
            let Some(command) = &binding.command else { continue };
            if let Some(other) = commands.insert((&command.topic, &command.value_pointer), i) {
                found.push((
                    other,
                    i,
                    format!("the command topic '{}' at '{}'", command.topic, command.value_pointer),
                ));
            }
        }
        let path = |i: usize| self.points.get(i).map(|p: &Point| p.path.to_string()).unwrap_or_default();
        for (a, b, place) in found {
            let rule = chosen.get(b).copied().flatten().unwrap_or_default();
            let sparkplug = self.file.bind.get(rule).is_some_and(|r| r.sparkplug.is_some());
            let (field, mend) = if sparkplug {
                ("sparkplug", "Put {point} and, where several entities share a device, {id} into the metric.")
            } else {
                ("topic", "Put {entity} and {point} into the topic, or {point} into the pointer.")
            };
            self.report.campus(
                "topic-collision",
                &format!("/bind/{rule}/{field}"),
                format!("'{}' and '{}' are both bound to {place}", path(a), path(b)),
                mend,
            );
        }
    }
}

/// Code, what is wrong, and how to mend it.
type Fault = (&'static str, String, &'static str);

fn anything(_: &str) -> Option<Fault> {
    None
}

fn no_topic(text: &str) -> Option<Fault> {
    let bad = text.is_empty() || text.len() > MAX_TOPIC || text.contains(['+', '#', '\0']);
    bad.then(|| {
        (
            "bad-topic",
            format!("'{text}' is no MQTT topic to publish to"),
            "A topic has no '+', no '#' and isn't empty.",
        )
    })
}

/// tck-id-topic-structure-namespace-valid-group-id, -valid-edge-node-id, -valid-device-id: any text in UTF-8 but
/// for `+`, `/` and `#`. A group `STATE` would be the topic of host applications.
fn no_sparkplug_id(text: &str) -> Option<Fault> {
    let bad = text.is_empty()
        || text.len() > 255
        || text.contains(['+', '/', '#'])
        || text.chars().any(char::is_control);
    bad.then(|| {
        (
            "sparkplug",
            format!("'{text}' is no ID of Sparkplug"),
            "An ID has 1 to 255 bytes and none of '+', '/' and '#': use a word such as {slug} rather than {entity}.",
        )
    })
}

fn no_group(text: &str) -> Option<Fault> {
    if text == "STATE" {
        let mend =
            "Topics below 'spBv1.0/STATE' say whether host applications are there: name the group otherwise.";
        return Some(("sparkplug", "'STATE' is no group of Sparkplug".to_owned(), mend));
    }
    no_sparkplug_id(text)
}

fn no_metric(text: &str) -> Option<Fault> {
    let bad = text.is_empty() || text.len() > MAX_METRIC || text.chars().any(char::is_control);
    let reserved =
        text.starts_with("Node Control/") || text.starts_with("Device Control/") || text == "bdSeq";
    if reserved {
        let mend = "Bind a metric that the device measures or obeys; the hub itself asks for births.";
        return Some((
            "sparkplug",
            format!("'{text}' belongs to the session of Sparkplug, not to a point"),
            mend,
        ));
    }
    bad.then(|| {
        let mend = "A metric has the name of its birth certificate, 1 to 1,024 bytes.";
        ("sparkplug", format!("'{text}' is no name of a metric"), mend)
    })
}

/// The metric of a point; all its faults are told.
fn sparkplug(
    spec: &SparkplugSpec,
    fill: &mut impl FnMut(&str, &str, fn(&str) -> Option<Fault>) -> Option<String>,
) -> Option<SparkplugMetric> {
    let group = fill(&spec.group, "sparkplug/group", no_group);
    let node = fill(&spec.node, "sparkplug/node", no_sparkplug_id);
    let device = spec.device.as_deref().map(|d| fill(d, "sparkplug/device", no_sparkplug_id));
    let metric = fill(&spec.metric, "sparkplug/metric", no_metric);
    let device = match device {
        None => None,
        Some(filled) => Some(filled?),
    };
    Some(SparkplugMetric { group: group?, node: node?, device, metric: metric? })
}
