//! Drills and rehearsals in the words of the protocol.

use campanile_model::Names;
use campanile_protocol::rehearsal::{
    BegunAction, DrillAction, DrillInfo, DrillMessage, DrillObjective, DrillQuestion, DrillRole, DrillRow,
    RehearsalInfo, RehearsalState, Scored, WarningLevel,
};
use campanile_rehearsal::{By, Drill, Effect, Rehearsal, judge};

/// A drill for who chooses one.
pub fn drill_info(drill: &Drill) -> DrillInfo {
    let file = &drill.file;
    DrillInfo {
        id: file.id.clone(),
        names: drill.names(),
        summary: file.summary.clone(),
        start_us: drill.start.0,
        duration_s: file.duration_min * 60.0,
        levels: file
            .level
            .iter()
            .map(|l| WarningLevel {
                id: l.id.clone(),
                names: Names::new(&l.zh, &l.en),
                colour: l.colour.clone(),
                rain_1h_mm: l.rain_1h_mm,
                rain_6h_mm: l.rain_6h_mm,
                measures: l.measures.clone(),
            })
            .collect(),
        roles: file
            .role
            .iter()
            .map(|r| DrillRole { id: r.id.clone(), names: Names::new(&r.zh, &r.en), people: r.people })
            .collect(),
        actions: file
            .action
            .iter()
            .map(|a| DrillAction {
                id: a.id.clone(),
                names: Names::new(&a.zh, &a.en),
                role: a.role.clone(),
                people: a.people,
                minutes: a.minutes,
                level: match &a.effect {
                    Effect::Warn { level } => Some(level.clone()),
                    _ => None,
                },
            })
            .collect(),
        objectives: file
            .objective
            .iter()
            .map(|o| DrillObjective { id: o.id.clone(), names: Names::new(&o.zh, &o.en), points: o.points })
            .collect(),
        rain_mm_h: drill.rain().iter().flat_map(|rain| &rain.corners).map(|(s, r)| [*s, r * 3.6e6]).collect(),
        river_m: file.river.iter().flat_map(|r| &r.level_m).map(|[m, z]| [m * 60.0, *z]).collect(),
        people: drill.people(),
        problems: Vec::new(),
    }
}

/// A drill that can't be rehearsed, and why.
pub fn broken_drill(dir: &std::path::Path, problems: &campanile_model::Problems) -> DrillInfo {
    let id = dir.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
    DrillInfo {
        names: Names::new(&id, &id),
        summary: Names::default(),
        start_us: 0,
        duration_s: 0.0,
        levels: Vec::new(),
        roles: Vec::new(),
        actions: Vec::new(),
        objectives: Vec::new(),
        rain_mm_h: Vec::new(),
        river_m: Vec::new(),
        people: 0,
        problems: problems.0.iter().map(ToString::to_string).collect(),
        id,
    }
}

/// How a rehearsal stands.
pub fn state(rehearsal: &Rehearsal, info: RehearsalInfo) -> RehearsalState {
    let (drill, play, tally) = (rehearsal.drill(), rehearsal.play(), rehearsal.tally());
    let file = &drill.file;
    let action = |index: usize| file.action.get(index).map_or_else(String::new, |a| a.id.clone());
    RehearsalState {
        level: play.level.and_then(|l| file.level.get(l)).map(|l| l.id.clone()),
        begun: play
            .begun
            .iter()
            .map(|b| BegunAction {
                action: action(b.action),
                by: match &b.by {
                    By::Person { name } => name.clone(),
                    By::Player | By::Event { .. } => String::new(),
                },
                asked_s: b.asked_s,
                from_s: b.from_s,
                done_s: b.done_s,
            })
            .collect(),
        declined: play.declined.iter().map(|index| action(*index)).collect(),
        free: file.role.iter().map(|r| play.free(drill, &r.id)).collect(),
        messages: play
            .messages
            .iter()
            .map(|m| DrillMessage { at_s: m.at_s, from: m.from.clone(), text: m.text.clone() })
            .collect(),
        questions: play
            .asked
            .iter()
            .map(|asked| DrillQuestion {
                id: asked.id.clone(),
                at_s: asked.at_s,
                question: asked.question.clone(),
                answers: asked.answers.clone(),
                answer: asked.decided.as_ref().map(|(answer, ..)| *answer),
                by: asked.decided.as_ref().map_or_else(String::new, |(_, by, _)| by.clone()),
            })
            .collect(),
        rain_1h_mm: tally.rain_mm(3600.0),
        river_m: rehearsal.site().river_m(rehearsal.now_s()),
        rows: tally
            .rows
            .iter()
            .map(|r| DrillRow {
                at_s: r.at_s,
                rain_mm_h: r.rain_mm_h,
                river_m: r.river_m,
                rooms_m3: r.rooms_m3,
                flooded_m2: r.flooded_m2,
                walking: r.walking,
                arrived: r.arrived + r.left,
                in_water: r.in_water,
                endangered: r.endangered,
            })
            .collect(),
        score: judge(rehearsal)
            .into_iter()
            .map(|j| Scored { id: j.id, names: j.names, points: j.points, of: j.of, reason: j.reason })
            .collect(),
        info,
    }
}
