//! What clients are shown of a rehearsal: its layers, quantised.

use campanile_crowd::State;
use campanile_model::Names;
use campanile_protocol::{Agent, AgentKind, AgentState, LayerInfo, LayerShape, LayerState, ZoneField};

use crate::rehearsal::Rehearsal;
use crate::site::Site;

/// Depth of water, m a step.
const DEPTH_STEP_M: f64 = 0.01;
/// Places of people, m a step: a fifth of a body's breadth, and 3 km across.
const PLACE_STEP_M: f64 = 0.05;
/// The lowest storey that is shown, m below the plan's datum.
const LOWEST_M: f64 = -50.0;
/// The ground's height, m a step.
const GROUND_STEP_M: f64 = 0.01;

fn step(x: f64, unit: f64) -> u16 {
    (x / unit).round().clamp(0.0, f64::from(u16::MAX)) as u16
}

/// The layers of a drill on a campus, in a fixed order: water outdoors, water in rooms, people.
pub fn infos(site: &Site) -> Vec<LayerInfo> {
    let mut found = Vec::new();
    if let Some(part) = &site.flood {
        let lowest = part.input.bed_m.iter().copied().fold(f64::INFINITY, f64::min);
        found.push(LayerInfo {
            id: "water".to_owned(),
            names: Names::new("积水深度", "Depth of water"),
            shape: LayerShape::Grid {
                nx: part.input.nx as u32,
                ny: part.input.ny as u32,
                cell_m: part.input.cell_m,
                origin_m: part.input.origin_m,
                ground: part.input.bed_m.iter().map(|z| step(z - lowest, GROUND_STEP_M)).collect(),
                ground_from_m: lowest,
                step: DEPTH_STEP_M,
                unit: "m".to_owned(),
            },
        });
        let rooms = 0..part.input.rooms.len();
        let spaces = rooms.filter_map(|room| site.room_path(room)).collect();
        let depth = ZoneField { id: "depth".to_owned(), step: DEPTH_STEP_M, unit: "m".to_owned() };
        found.push(LayerInfo {
            id: "rooms".to_owned(),
            names: Names::new("室内积水", "Water in rooms"),
            shape: LayerShape::Zones { spaces, fields: vec![depth] },
        });
    }
    if let Some(part) = &site.crowd {
        let mut kinds: Vec<AgentKind> = Vec::new();
        for (profile, count) in part.input.groups.iter().flat_map(|g| &g.people) {
            let id = part.input.profiles.get(*profile as usize).map_or("", |p| &p.id);
            match kinds.last_mut() {
                Some(last) if last.id == id => last.count += count,
                _ => kinds.push(AgentKind { id: id.to_owned(), count: *count }),
            }
        }
        found.push(LayerInfo {
            id: "people".to_owned(),
            names: Names::new("人员", "People"),
            shape: LayerShape::Agents {
                origin_m: [site.corner_m[0], site.corner_m[1], LOWEST_M],
                step_m: PLACE_STEP_M,
                kinds,
            },
        });
    }
    found
}

/// The way a person faces, 256 to a turn, in sixteenths: enough to see, and it changes less often.
fn heading([x, y]: [f64; 2]) -> u8 {
    let sixteenth = (libm::atan2(y, x) / std::f64::consts::TAU * 16.0).round() as i32;
    (sixteenth.rem_euclid(16) * 16) as u8
}

/// How the layers stand, in the order of [`infos`].
pub fn states(rehearsal: &Rehearsal) -> Vec<LayerState> {
    let mut found = Vec::new();
    if let Some(flood) = rehearsal.flood() {
        found.push(LayerState::Grid(flood.depth_m().iter().map(|d| step(*d, DEPTH_STEP_M)).collect()));
        found.push(LayerState::Zones(flood.rooms().map(|r| step(r.depth_m, DEPTH_STEP_M)).collect()));
    }
    if let Some(crowd) = rehearsal.crowd() {
        let corner = rehearsal.site().corner_m;
        let endangered = &rehearsal.tally().endangered;
        let agents = crowd.people().enumerate().map(|(i, person)| {
            let state = match person.state {
                State::Left => AgentState::Left,
                _ if endangered.get(i).copied().unwrap_or(false) => AgentState::Endangered,
                State::Walking => AgentState::Walking,
                State::Arrived => AgentState::Arrived,
                State::Waiting => AgentState::Waiting,
            };
            Agent {
                x: step(person.at[0] - corner[0], PLACE_STEP_M),
                y: step(person.at[1] - corner[1], PLACE_STEP_M),
                z: step(person.at[2] - LOWEST_M, PLACE_STEP_M),
                heading: heading(person.heading),
                state,
            }
        });
        found.push(LayerState::Agents(agents.collect()));
    }
    found
}
