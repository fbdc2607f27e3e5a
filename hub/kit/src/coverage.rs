//! Which of what a manifest asks for a plugin has used, in all its scenarios together.

use std::collections::BTreeSet;

use campanile_model::{Campus, Glob, Names, PointId};
use campanile_plugins::Manifest;

use crate::run::Ran;

/// One thing that a manifest asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where it stands in the manifest, as a JSON pointer.
    pub at: String,
    /// How people call it.
    pub names: Names,
    /// Whether a scenario has used it.
    pub used: bool,
}

/// What is used of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// Everything that it asks for, in order.
    pub items: Vec<Item>,
}

impl Coverage {
    /// What a manifest asks for, none of it used yet.
    pub fn new(manifest: &Manifest) -> Self {
        let mut items = Vec::new();
        let mut ask = |at: String, zh: String, en: String| {
            items.push(Item { at, names: Names::new(zh, en), used: false });
        };
        let (subscribe, capability) = (&manifest.subscribe, &manifest.capability);
        let commands = capability.command.as_ref().map_or(&[][..], |c| &c.points);
        for (at, globs, zh, en) in [
            ("/subscribe/points", &subscribe.points[..], "订阅测点", "samples of"),
            ("/subscribe/alarms", &subscribe.alarms, "订阅报警", "alarms of"),
            ("/capability/read", &capability.read, "读取", "reading"),
            ("/capability/command/points", commands, "控制", "commanding"),
        ] {
            for (i, glob) in globs.iter().enumerate() {
                ask(format!("{at}/{i}"), format!("{zh} {glob}"), format!("{en} {glob}"));
            }
        }
        for (asks, at, zh, en) in [
            (subscribe.tick_s.is_some(), "/subscribe/tick_s", "定时运行", "ticks"),
            (capability.history, "/capability/history", "读取历史", "history"),
            (capability.activities, "/capability/activities", "学习活动", "activities"),
            (capability.drill, "/capability/drill", "演练", "drills"),
        ] {
            if asks {
                ask(at.to_owned(), zh.to_owned(), en.to_owned());
            }
        }
        for (list, zh, en, ids) in [
            (
                "derived",
                "导出测点",
                "derived point",
                manifest.derived.iter().map(|x| &x.id).collect::<Vec<_>>(),
            ),
            ("alarm", "报警", "alarm", manifest.alarm.iter().map(|x| &x.id).collect()),
            ("record", "记录", "record", manifest.record.iter().map(|x| &x.id).collect()),
            ("panel", "面板", "panel", manifest.panel.iter().map(|x| &x.id).collect()),
        ] {
            for (i, id) in ids.into_iter().enumerate() {
                ask(format!("/{list}/{i}"), format!("{zh} {id}"), format!("{en} {id}"));
            }
        }
        Self { items }
    }

    /// Takes in what happened in a scenario.
    pub fn take(&mut self, ran: &Ran, campus: &Campus, manifest: &Manifest) {
        let used = used(ran, campus, manifest);
        for item in &mut self.items {
            item.used |= used.contains(&item.at);
        }
    }

    /// What no scenario has used.
    pub fn unused(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.used)
    }
}

fn used(ran: &Ran, campus: &Campus, manifest: &Manifest) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let given = &ran.given;
    let mut mark = |at: &str, globs: &[String], paths: &mut dyn Iterator<Item = &str>| {
        let mut left: Vec<(usize, Glob)> =
            globs.iter().enumerate().filter_map(|(i, text)| Some((i, Glob::new(text).ok()?))).collect();
        for path in paths {
            left.retain(|(i, glob)| {
                let matches = glob.matches(path);
                if matches {
                    used.insert(format!("{at}/{i}"));
                }
                !matches
            });
        }
    };
    let path = |point: &PointId| campus.get_point(*point).map_or("", |p| p.path.as_str());
    let (subscribe, capability) = (&manifest.subscribe, &manifest.capability);
    let effects = || ran.happened.iter().map(|one| &one.outcome.effects);
    mark("/subscribe/points", &subscribe.points, &mut given.sampled.iter().map(path));
    mark("/subscribe/alarms", &subscribe.alarms, &mut given.heard.iter().map(|entity| &**entity));
    mark("/capability/read", &capability.read, &mut given.sampled.union(&given.read).map(path));
    let commands = capability.command.as_ref().map_or(&[][..], |c| &c.points);
    let commanded = effects().flat_map(|effects| &effects.intents).map(|intent| path(&intent.point));
    mark("/capability/command/points", commands, &mut commanded.into_iter());
    if given.ticked {
        used.insert("/subscribe/tick_s".to_owned());
    }
    for (capability, calls) in [("history", "history."), ("activities", "activities."), ("drill", "drills.")]
    {
        if given.called.iter().any(|call| call.starts_with(calls)) {
            used.insert(format!("/capability/{capability}"));
        }
    }
    for effects in effects() {
        let indices = [
            ("derived", effects.derived.iter().map(|(index, ..)| *index).collect::<Vec<_>>()),
            ("alarm", effects.alarms.iter().map(|change| change.alarm).collect()),
            ("record", effects.records.iter().map(|(index, _)| *index).collect()),
            ("panel", effects.panels.keys().map(|(index, _)| *index).collect()),
        ];
        for (list, indices) in indices {
            used.extend(indices.into_iter().map(|index| format!("/{list}/{index}")));
        }
    }
    used
}
