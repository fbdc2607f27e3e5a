//! Bindings: which topic and place in a message each point has.

use std::collections::{BTreeMap, HashMap};

use crate::resolve::Resolver;
use crate::template::render;
use crate::{BindRule, Binding, CommandBinding, Point, PointKind};

/// The longest topic that MQTT can carry.
const MAX_TOPIC: usize = 65_535;

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

    fn bind(&mut self, rule: &BindRule, i: usize, at: &str) -> Option<Binding> {
        let point = &self.points[i];
        let mut faults = Vec::new();
        let mut fill = |template: &str, field: &str, topic: bool| {
            let word_of = |word: &str| match word {
                "point" => Some(point.path.leaf().to_owned()),
                "kind" => Some(point.quantity.clone()),
                "campus" => Some(self.file.id.clone()),
                _ => self.entities.id_word(point.entity, word),
            };
            match render(template, word_of) {
                Err(why) => {
                    faults.push((
                        field.to_owned(),
                        "bad-template",
                        format!("{why} at '{}'", point.path),
                        TOPIC_WORDS,
                    ));
                    None
                }
                Ok(text)
                    if topic
                        && (text.is_empty() || text.len() > MAX_TOPIC || text.contains(['+', '#', '\0'])) =>
                {
                    faults.push((
                        field.to_owned(),
                        "bad-topic",
                        format!("'{text}' is no MQTT topic to publish to"),
                        "A topic has no '+', no '#' and isn't empty.",
                    ));
                    None
                }
                Ok(text) => Some(text),
            }
        };
        let topic = fill(&rule.topic, "topic", true);
        let value_pointer = fill(&rule.value, "value", false);
        let command_topic = rule.command_topic.as_deref().filter(|_| point.command.is_some());
        let command = command_topic.and_then(|t| fill(t, "command_topic", true));
        let command_value = fill(&rule.command_value, "command_value", false);
        let presence = rule.presence.as_deref().and_then(|t| fill(t, "presence", true));
        for (field, code, what, mend) in faults {
            self.report.campus(code, &format!("{at}/{field}"), what, mend);
        }
        Some(Binding {
            topic: topic?,
            value_pointer: value_pointer?,
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
        })
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
                found.push((
                    other,
                    i,
                    format!("the topic '{}' at '{}'", binding.topic, binding.value_pointer),
                ));
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
            self.report.campus(
                "topic-collision",
                &format!("/bind/{rule}/topic"),
                format!("'{}' and '{}' are both bound to {place}", path(a), path(b)),
                "Put {entity} and {point} into the topic, or {point} into the pointer.",
            );
        }
    }
}
