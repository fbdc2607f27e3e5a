//! What the plan says about a room that its air cares for: size, walls, windows.

use std::collections::BTreeMap;

use campanile_model::{Building, Campus, OpeningKind, Plan, PointMm, Space, SpaceUse, Storey};

use crate::noise::key;
use crate::occupancy;
use crate::settings::Settings;

/// A space as the room model sees it.
#[derive(Clone, Debug)]
pub(crate) struct RoomSpec {
    /// Its entity.
    pub entity: usize,
    pub use_: SpaceUse,
    pub key: u64,
    pub area_m2: f64,
    pub volume_m3: f64,
    /// Walls and roof to the outside, W/K.
    pub opaque_w_k: f64,
    /// Glass and doors to the outside, W/K.
    pub light_w_k: f64,
    /// Windows to the outside: area × solar transmittance in m², azimuth in degrees from north.
    pub windows: Vec<[f64; 2]>,
    /// Persons that it is made for.
    pub capacity: f64,
    /// What its people set cooling to, °C.
    pub cooling_to_c: f64,
    pub cellar: bool,
    /// The index of its building in the plan.
    pub building: usize,
}

/// U-values where the plan's constructions don't say, W/(m²K): an insulated masonry wall, double glazing, a roof,
/// as JGJ 134 asks of the hot-summer, cold-winter zone (to be checked against the current standard).
const WALL_U: f64 = 1.0;
const GLASS_U: f64 = 2.8;
const ROOF_U: f64 = 0.6;
/// Resistance of the two surfaces of a wall, m²K/W (ISO 6946).
const SURFACES: f64 = 0.17;

fn u_value(plan: &Plan, construction: Option<&str>, otherwise: f64) -> f64 {
    let Some(c) = construction.and_then(|id| plan.constructions.get(id)) else { return otherwise };
    if let Some(u) = c.u_value_w_m2k {
        return u;
    }
    let resistance: f64 =
        c.layers.iter().map(|l| l.thickness_mm / 1000.0 / l.conductivity_w_mk.max(1e-3)).sum();
    if c.layers.is_empty() { otherwise } else { 1.0 / (SURFACES + resistance) }
}

/// Every space of the plan, in the plan's order.
pub(crate) fn rooms(campus: &Campus, settings: &Settings) -> Vec<RoomSpec> {
    let mut rooms = Vec::new();
    for (b, building) in campus.plan.buildings.iter().enumerate() {
        let top = building.storeys.iter().map(|s| s.level).max().unwrap_or(0);
        for storey in &building.storeys {
            let mut shared: BTreeMap<[u32; 2], u32> = BTreeMap::new();
            for edge in storey.spaces.iter().flat_map(edges) {
                *shared.entry(sorted(edge)).or_default() += 1;
            }
            for space in &storey.spaces {
                let path = format!("{}/{}/{}", building.id, storey.id, space.id);
                let Some(entity) = campus.entity_index(&path) else { continue };
                let mut room = room(&campus.plan, building, storey, space, &shared, settings);
                (room.entity, room.key, room.building) = (entity, key(&path), b);
                room.cooling_to_c = cooling_to_c(room.use_, room.key, settings);
                if storey.level == top {
                    room.opaque_w_k += room.area_m2 * ROOF_U;
                }
                rooms.push(room);
            }
        }
    }
    rooms
}

/// What people set cooling to where the campus doesn't say, and what a server room is kept at, °C.
const COOLING_TO_C: f64 = 26.0;

fn cooling_to_c(use_: SpaceUse, key: u64, settings: &Settings) -> f64 {
    let habits = &settings.cooling_to_c;
    let pick = usize::try_from(key >> 32).unwrap_or(0).checked_rem(habits.len());
    match pick.and_then(|i| habits.get(i)) {
        Some(&c) if use_ != SpaceUse::Server && c.is_finite() => c.clamp(16.0, 30.0),
        _ => COOLING_TO_C,
    }
}

fn edges(space: &Space) -> impl Iterator<Item = [u32; 2]> + '_ {
    std::iter::once(&space.outline)
        .chain(&space.holes)
        .flat_map(|ring| (0..ring.len()).map(move |i| [ring[i], ring[(i + 1) % ring.len()]]))
}

fn sorted([a, b]: [u32; 2]) -> [u32; 2] {
    [a.min(b), a.max(b)]
}

fn room(
    plan: &Plan,
    building: &Building,
    storey: &Storey,
    space: &Space,
    shared: &BTreeMap<[u32; 2], u32>,
    settings: &Settings,
) -> RoomSpec {
    let at = |i: u32| -> PointMm { building.vertices.get(i as usize).copied().unwrap_or_default() };
    let double_area: f64 = edges(space)
        .map(|[a, b]| {
            let ([ax, ay], [bx, by]) = (at(a), at(b));
            f64::from(ax) * f64::from(by) - f64::from(bx) * f64::from(ay)
        })
        .sum();
    let area_m2 = (double_area / 2e6).abs().max(1.0);
    let height_m = f64::from(space.ceiling_mm.unwrap_or(storey.ceiling_mm)).max(2000.0) / 1000.0;
    let cellar = storey.level < 0;
    let (mut opaque_w_k, mut light_w_k, mut windows) = (0.0, 0.0, Vec::new());
    for [a, b] in edges(space).filter(|&e| shared.get(&sorted(e)) == Some(&1)) {
        let ([ax, ay], [bx, by]) = (at(a), at(b));
        let (dx, dy) = (f64::from(bx - ax), f64::from(by - ay));
        // Outlines run counter-clockwise, so outside is to the right.
        let azimuth = (libm::atan2(dy, -dx).to_degrees() + plan.site.bearing_deg).rem_euclid(360.0);
        let mut wall_m2 = libm::hypot(dx, dy) / 1000.0 * height_m;
        for opening in storey.openings.iter().filter(|o| sorted(o.wall) == sorted([a, b])) {
            let area = f64::from(opening.width_mm) * f64::from(opening.height_mm) / 1e6;
            wall_m2 = (wall_m2 - area).max(0.0);
            light_w_k += area * u_value(plan, opening.construction.as_deref(), GLASS_U);
            if opening.kind == OpeningKind::Window {
                let glass = opening.construction.as_ref().and_then(|id| plan.constructions.get(id));
                windows.push([area * glass.and_then(|c| c.solar_transmittance).unwrap_or(0.4), azimuth]);
            }
        }
        let wall = storey.walls.iter().find(|w| sorted([w.a, w.b]) == sorted([a, b]));
        opaque_w_k += wall_m2 * u_value(plan, wall.map(|w| w.construction.as_str()), WALL_U);
    }
    if cellar {
        // Earth keeps it near the year's mean: walls count little and windows are none.
        (opaque_w_k, windows) = (opaque_w_k * 0.4, Vec::new());
    }
    let capacity = match (space.occupancy, settings.occupancy.get(&space.use_)) {
        (Some(n), _) => f64::from(n),
        (None, Some(&n)) => n.max(0.0),
        (None, None) => occupancy::capacity(space.use_, area_m2),
    };
    RoomSpec {
        entity: 0,
        use_: space.use_,
        key: 0,
        area_m2,
        volume_m3: area_m2 * height_m,
        opaque_w_k,
        light_w_k,
        windows,
        capacity,
        cooling_to_c: COOLING_TO_C,
        cellar,
        building: 0,
    }
}
