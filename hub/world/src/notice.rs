//! Alarms that plugins raise: they live as those of the campus' rules do, only that a plugin says when they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_model::{AlarmPriority, Names};
use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;

/// What a plugin says of one of its alarms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The plugin.
    pub plugin: Arc<str>,
    /// The alarm among the plugin's.
    pub alarm: Arc<str>,
    /// The path of the entity that it is for; empty: the campus.
    pub entity: Arc<str>,
    /// The names of the alarm.
    pub names: Names,
    /// How urgent it is.
    pub priority: AlarmPriority,
    /// What people have to know; none: it is over.
    pub detail: Option<Names>,
}

impl Notification {
    /// The id of the alarm: `plugin/PLUGIN#ALARM@ENTITY`.
    pub fn id(&self) -> String {
        format!("plugin/{}#{}@{}", self.plugin, self.alarm, self.entity)
    }
}

/// An alarm of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Names it for good.
    pub id: Arc<str>,
    /// What its plugin said of it last; the detail stays when it is over.
    pub said: Notification,
    /// Where it stands.
    pub alarm: Alarm,
}

/// The alarms of plugins. One keeps its place for as long as the world runs, whatever becomes of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Notices {
    list: Vec<Notice>,
    ids: BTreeMap<Arc<str>, u32>,
}

impl Notices {
    pub fn list(&self) -> &[Notice] {
        &self.list
    }

    pub fn get_mut(&mut self, place: usize) -> Option<&mut Notice> {
        self.list.get_mut(place)
    }

    pub fn place(&self, id: &str) -> Option<u32> {
        self.ids.get(id).copied()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Notice> {
        self.list.iter_mut()
    }

    /// Takes one up, in place of one of the same id; its place.
    pub fn put(&mut self, notice: Notice) -> u32 {
        if let Some(place) = self.place(&notice.id) {
            if let Some(there) = self.list.get_mut(place as usize) {
                *there = notice;
            }
            return place;
        }
        let place = self.list.len() as u32;
        self.ids.insert(notice.id.clone(), place);
        self.list.push(notice);
        place
    }
}
