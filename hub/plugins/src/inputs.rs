//! What a call did, as inputs of its world.

use std::sync::Arc;

use campanile_model::{Names, Quality, Sample, Timestamp, Value};
use campanile_world::{Input, Notification};

use crate::grants::Grants;
use crate::turn::Effects;

impl Effects {
    /// What the world is to take of these effects, in order: derived values, commands, alarms. Records, panels and what
    /// goes to people are not the world's.
    pub fn inputs(&self, grants: &Grants, now: Timestamp) -> Vec<Input> {
        let manifest = &grants.manifest;
        let mut inputs = Vec::new();
        let sample = |(index, entity, value, quality): &(u16, Arc<str>, Value, Quality)| {
            let point = grants.derived(*index, entity)?;
            Some(Sample { point, time: now, value: value.clone(), quality: *quality })
        };
        let samples: Vec<Sample> = self.derived.iter().filter_map(sample).collect();
        if !samples.is_empty() {
            inputs.push(Input::Samples { samples });
        }
        inputs.extend(self.intents.iter().map(|intent| Input::Intend { intent: Box::new(intent.clone()) }));
        inputs.extend(self.alarms.iter().filter_map(|change| {
            let spec = manifest.alarm.get(usize::from(change.alarm))?;
            let said = Notification {
                plugin: manifest.id.as_str().into(),
                alarm: spec.id.as_str().into(),
                entity: change.entity.clone(),
                names: Names::new(&spec.zh, &spec.en),
                priority: spec.priority,
                detail: change.raised.clone(),
            };
            Some(Input::Notify { said: Box::new(said) })
        }));
        inputs
    }
}

/// What ends the alarms of a plugin that stand: it is removed, or begins anew.
pub fn ended(grants: &Grants, standing: impl IntoIterator<Item = (u16, Arc<str>)>) -> Vec<Input> {
    let over =
        standing.into_iter().map(|(alarm, entity)| crate::turn::AlarmChange { alarm, entity, raised: None });
    Effects { alarms: over.collect(), ..Effects::default() }.inputs(grants, Timestamp(0))
}
