//! A drill as its director sees it in a call.

use std::collections::BTreeMap;

use campanile_model::Glob;
use campanile_plugins::{Progress, Situation, Stage};

use crate::rehearsal::Rehearsal;

/// How a drill stood when a call began.
pub(crate) struct OnStage {
    situation: Situation,
    /// Of each space that has water to be in, its path and the depth, m.
    depths: Vec<(String, f64)>,
    actions: BTreeMap<String, Progress>,
}

impl OnStage {
    /// As it stands now.
    pub fn of(rehearsal: &Rehearsal) -> Self {
        let (site, play) = (rehearsal.site(), rehearsal.play());
        let now_s = rehearsal.now_s();
        let file = &site.drill.file;
        let level = play.level.and_then(|level| file.level.get(level));
        let depths = rehearsal.room_depths();
        let spaces = site.flood.iter().flat_map(|flood| &flood.room_of);
        let progress = |(index, spec): (usize, &crate::ActionSpec)| {
            let is = match (play.done_s(index), play.is_begun(index)) {
                (Some(_), _) => Progress::Done,
                (None, true) => Progress::Begun,
                (None, false) => Progress::NotBegun,
            };
            (spec.id.clone(), is)
        };
        Self {
            situation: Situation {
                at_s: now_s,
                rain_1h_mm: rehearsal.tally().rain_mm(3600.0),
                rain_6h_mm: rehearsal.tally().rain_mm(6.0 * 3600.0),
                river_m: site.river_m(now_s),
                warned: level.map(|level| level.id.as_str().into()),
            },
            depths: spaces
                .map(|(path, room)| (path.clone(), depths.get(*room as usize).copied().unwrap_or(0.0)))
                .collect(),
            actions: file.action.iter().enumerate().map(progress).collect(),
        }
    }
}

impl Stage for OnStage {
    fn situation(&self) -> Situation {
        self.situation.clone()
    }

    fn depth_m(&self, glob: &Glob) -> f64 {
        let wet = self.depths.iter().filter(|(path, _)| glob.matches(path));
        wet.map(|(_, depth)| *depth).fold(0.0, f64::max)
    }

    fn progress(&self, action: &str) -> Option<Progress> {
        self.actions.get(action).copied()
    }
}
