//! The score: each objective, what was measured, and why it earns what it earns.

use campanile_model::Names;
use serde::{Deserialize, Serialize};

use crate::drill_file::Measure;
use crate::rehearsal::Rehearsal;

/// An objective judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its id.
    pub id: String,
    /// Its names.
    pub names: Names,
    /// What was measured.
    pub value: f64,
    /// The unit, for people.
    pub unit: Names,
    /// Points earned.
    pub points: f64,
    /// Points that could be.
    pub of: f64,
    /// Why.
    pub reason: Names,
}

/// Every objective of a rehearsal as it stands now.
pub fn judge(rehearsal: &Rehearsal) -> Vec<Judged> {
    let file = &rehearsal.drill().file;
    file.objective
        .iter()
        .enumerate()
        .map(|(i, objective)| {
            let (value, late) = measured(rehearsal, i, &objective.measure);
            let share = ((objective.bad - value) / (objective.bad - objective.good)).clamp(0.0, 1.0);
            let unit = unit(&objective.measure);
            let verdict = match (share >= 1.0, share <= 0.0) {
                (true, _) => Names::new("达标，得满分", "met: all points"),
                (_, true) => Names::new("未达标，不得分", "missed: no points"),
                _ => Names::new("部分达标，按比例得分", "met in part: points in proportion"),
            };
            let reason = Names::new(
                format!(
                    "实测 {value:.1} {}；不超过 {} 得满分，达到 {} 不得分。{}{}",
                    unit.zh, objective.good, objective.bad, late.zh, verdict.zh
                ),
                format!(
                    "measured {value:.1} {}; all points up to {}, none from {}. {}{}",
                    unit.en, objective.good, objective.bad, late.en, verdict.en
                ),
            );
            Judged {
                id: objective.id.clone(),
                names: Names::new(&objective.zh, &objective.en),
                value,
                unit,
                points: share * objective.points,
                of: objective.points,
                reason,
            }
        })
        .collect()
}

/// The measure of an objective, and what has to be said about it.
fn measured(rehearsal: &Rehearsal, index: usize, measure: &Measure) -> (f64, Names) {
    let whole_min = rehearsal.drill().file.duration_min;
    let done = |id: &str| rehearsal.drill().action(id).and_then(|a| rehearsal.play().done_s(a));
    let never = || Names::new("始终未完成。", "Never done. ");
    match measure {
        Measure::Done { action } => match done(action) {
            Some(at) => (at / 60.0, Names::new("", "")),
            None => (whole_min, never()),
        },
        Measure::DoneAfter { action, .. } => {
            let held = rehearsal.play().held_s.get(index).copied().flatten();
            match (done(action), held) {
                (_, None) => (0.0, Names::new("条件未出现。", "The condition never held. ")),
                (Some(at), Some(from)) => (((at - from) / 60.0).max(0.0), Names::new("", "")),
                (None, Some(_)) => (whole_min, never()),
            }
        }
        _ => (rehearsal.tally().measures.get(index).copied().unwrap_or(0.0), Names::new("", "")),
    }
}

fn unit(measure: &Measure) -> Names {
    match measure {
        Measure::WaterIn { .. } => Names::new("立方米", "m³"),
        Measure::Exposed { .. } => Names::new("人", "people"),
        Measure::PersonMinutes { .. } => Names::new("人·分钟", "person-minutes"),
        Measure::LiveInWater { .. } | Measure::Done { .. } | Measure::DoneAfter { .. } => {
            Names::new("分钟", "min")
        }
    }
}
