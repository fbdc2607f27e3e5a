//! Which equipment a campus has: told by Brick class, kind and id, never by the names of one campus.

use std::collections::BTreeMap;

use campanile_model::{Campus, Entity, EntityKind, NetworkKind, SpaceUse};

use crate::flows::{Item, Load, Source};
use crate::machine::{Kind, Machine, PumpUse};
use crate::models::Models;
use crate::noise::key;
use crate::room::{Ac, Room};

/// The words that say what an entity or point is, as one text: ` wall air conditioner ac ac-1 `.
pub(crate) fn words(parts: &[&str]) -> String {
    let mut text = String::from(" ");
    for part in parts {
        text.extend(part.chars().map(|c| if c == '_' || c == '-' { ' ' } else { c.to_ascii_lowercase() }));
        text.push(' ');
    }
    text
}

/// Whether one of the words (each a whole word, or several in a row) is in a text of [`words`].
pub(crate) fn has(text: &str, any: &[&str]) -> bool {
    any.iter().any(|w| {
        text.match_indices(w).any(|(at, _)| {
            // A word may go on with a digit or an s: `pumps`, `ac 1`.
            let after = text[at + w.len()..].trim_start_matches('s');
            text[..at].ends_with(' ') && after.starts_with(|c: char| c == ' ' || c.is_ascii_digit())
        })
    })
}

fn of_entity(entity: &Entity) -> String {
    words(&[&entity.brick, &entity.class, entity.path.leaf()])
}

/// Whether an entity is an air-conditioner of a room.
pub(crate) fn is_ac(entity: &Entity) -> bool {
    let text = of_entity(entity);
    entity.kind == EntityKind::Equipment
        && has(
            &text,
            &[
                "ac",
                "air conditioner",
                "air conditioning unit",
                "aircon",
                "fcu",
                "fan coil",
                "fan coil unit",
                "vrf",
                "split",
                "multi split",
            ],
        )
}

/// Whether an entity is the lighting of a room or a street lamp.
pub(crate) fn is_light(entity: &Entity) -> bool {
    entity.kind == EntityKind::Equipment
        && has(&of_entity(entity), &["light", "lighting", "lamp", "luminaire"])
}

/// Entities with a sensor in soil.
pub(crate) fn beds(campus: &Campus) -> BTreeMap<usize, f64> {
    let soil = |p: &&campanile_model::Point| has(&words(&[&p.quantity, &p.brick, p.path.leaf()]), &["soil"]);
    let mut beds: BTreeMap<usize, f64> =
        campus.points.iter().filter(soil).map(|p| (p.entity, 24.0)).collect();
    for (i, entity) in campus.entities.iter().enumerate() {
        if entity.kind == EntityKind::Equipment && is_valve(entity) {
            beds.insert(entity.parent.unwrap_or(i), 24.0);
        }
    }
    beds
}

fn is_valve(entity: &Entity) -> bool {
    has(&of_entity(entity), &["irrigation", "sprinkler valve"])
}

/// The machines of a campus; air-conditioners go into their rooms.
pub(crate) fn machines(
    campus: &Campus,
    room_of: &[Option<usize>],
    beds: &BTreeMap<usize, f64>,
    rooms: &mut [Room],
) -> (Vec<Machine>, BTreeMap<usize, (usize, usize)>) {
    let (mut machines, mut acs) = (Vec::new(), BTreeMap::new());
    let network_of = network_kinds(campus);
    for (i, entity) in campus.entities.iter().enumerate() {
        let room = room_of[i];
        if let (true, Some(r)) = (is_ac(entity), room) {
            acs.insert(i, (r, rooms[r].state.acs.len()));
            rooms[r].state.acs.push(Ac::new());
            continue;
        }
        let equipment = match entity.kind {
            EntityKind::Equipment => true,
            EntityKind::Node => {
                matches!(network_of.get(&i), Some(NetworkKind::Drain | NetworkKind::Ventilation))
            }
            _ => false,
        };
        if equipment && let Some(kind) = machine_kind(campus, entity, room, beds, network_of.get(&i)) {
            machines.push(Machine::new(i, key(entity.path.as_str()), kind, room));
        }
    }
    (machines, acs)
}

/// The kind of network of each entity that is a node.
fn network_kinds(campus: &Campus) -> BTreeMap<usize, NetworkKind> {
    campus.networks.iter().flat_map(|n| n.nodes.iter().map(|node| (node.entity, n.kind))).collect()
}

fn machine_kind(
    campus: &Campus,
    entity: &Entity,
    room: Option<usize>,
    beds: &BTreeMap<usize, f64>,
    network: Option<&NetworkKind>,
) -> Option<Kind> {
    let text = of_entity(entity);
    let is = |any: &[&str]| has(&text, any);
    let path = words(&[&entity.path.as_str().replace('/', " ")]);
    Some(if is(&["freezer", "frozen"]) {
        Kind::Cold(-18.0)
    } else if is(&[
        "fridge",
        "refrigerator",
        "refrigeration system",
        "cold room",
        "cooler",
        "chiller cabinet",
    ]) {
        Kind::Cold(4.0)
    } else if is(&["pump"]) && !is(&["heat pump"]) {
        Kind::Pump(if has(&path, &["fire"]) {
            PumpUse::Fire
        } else if network == Some(&NetworkKind::Drain) || has(&path, &["sump", "storm", "drain", "sewage"]) {
            PumpUse::Sump
        } else if has(&path, &["hot water", "circulation", "heating"]) {
            PumpUse::Circulation
        } else {
            PumpUse::Booster
        })
    } else if is(&["elevator", "lift", "lift car"]) {
        let (low, high) = floors(campus, entity);
        Kind::Lift(low, high)
    } else if is(&["fan", "hood", "exhaust fan", "air handler", "makeup air unit", "unit"])
        && !is(&["smoke"])
        && (entity.kind == EntityKind::Equipment && is(&["fan", "hood"])
            || network == Some(&NetworkKind::Ventilation))
    {
        Kind::Fan
    } else if is(&["heat pump"]) {
        Kind::HeatPump
    } else if is(&["hot water tank", "hot water storage tank", "boiler", "water heater"]) {
        Kind::HotTank
    } else if is(&["tank", "cistern"]) {
        Kind::Tank
    } else if is(&["warmer", "bain marie", "hot cabinet", "holding"]) {
        Kind::Hot(68.0, 1500.0)
    } else if is(&["steamer", "oven"]) {
        Kind::Hot(98.0, 9000.0)
    } else if is(&["dishwasher"]) {
        Kind::Hot(84.0, 12_000.0)
    } else if is(&["disinfector", "disinfection", "steriliser"]) {
        Kind::Hot(125.0, 3000.0)
    } else if is(&["range", "stove", "cooker"]) {
        Kind::Range
    } else if is(&["ups", "battery energy storage system"]) {
        Kind::Ups
    } else if is(&["inverter", "photovoltaic inverter"]) {
        Kind::Inverter
    } else if is(&["bin", "waste", "waste storage", "waste meter", "plate waste"]) {
        Kind::Scale(true)
    } else if is(&["scale"]) {
        Kind::Scale(false)
    } else if is_valve(entity) {
        entity.parent.filter(|p| beds.contains_key(p)).map(Kind::Valve)?
    } else if room.is_none() && is_light(entity) {
        Kind::Lamp
    } else {
        return None;
    })
}

/// The floors of the building that an entity is in.
fn floors(campus: &Campus, entity: &Entity) -> (f64, f64) {
    let id = entity.path.as_str().split('/').next().unwrap_or_default();
    let levels =
        campus.plan.buildings.iter().filter(|b| b.id == id).flat_map(|b| &b.storeys).map(|s| s.level);
    let (low, high) = levels.fold((i32::MAX, i32::MIN), |(a, b), l| (a.min(l), b.max(l)));
    if low > high { (1.0, 3.0) } else { (f64::from(low), f64::from(high)) }
}

/// Everything that takes electricity, water, hot water or gas.
pub(crate) fn sources(models: &Models) -> Vec<Source> {
    use SpaceUse as U;
    let mut sources = Vec::new();
    let mut add = |entity, kind, item, load, mean| {
        sources.push(Source { entity, kind, item, load, dead: false, value: 0.0, mean });
    };
    let (power, water) = (NetworkKind::Electricity, NetworkKind::Water);
    for (r, room) in models.rooms.iter().enumerate() {
        let (entity, use_, area) = (room.spec.entity, room.spec.use_, room.spec.area_m2);
        let way = matches!(use_, U::Corridor | U::Stair | U::Lobby);
        add(entity, power, if way { Item::Corridor } else { Item::Light }, Load::RoomLights(r), 0.9 * area);
        add(entity, power, Item::Plug, Load::RoomPlugs(r), 0.6 * area);
        if matches!(use_, U::Server | U::Kitchen | U::Dining) {
            let mean = if use_ == U::Server { 3500.0 } else { 15.0 * area };
            add(entity, power, Item::Special, Load::RoomSpecial(r), mean);
        }
        if matches!(use_, U::Toilet | U::Washroom | U::Dormitory | U::Laboratory | U::Art | U::Kitchen) {
            add(entity, water, Item::Fluid, Load::RoomWater(r), 2e-6);
        }
        if matches!(use_, U::Washroom | U::Dormitory | U::Kitchen) {
            add(entity, NetworkKind::Heat, Item::Fluid, Load::RoomHotWater(r), 1e-6);
        }
        if use_ == U::Kitchen {
            add(entity, NetworkKind::Gas, Item::Fluid, Load::RoomGas(r), 1e-4);
        }
    }
    for (&entity, &(room, ac)) in &models.ac_of {
        let area = models.rooms[room].spec.area_m2 / models.rooms[room].state.acs.len().max(1) as f64;
        add(entity, power, Item::Ac, Load::RoomAc(room, ac), 4.0 * area);
    }
    for (m, machine) in models.machines.iter().enumerate() {
        let item = match machine.kind {
            Kind::Cold(_) | Kind::Hot(..) => Item::Special,
            Kind::Pump(_) => Item::Pump,
            Kind::Lift(..) => Item::Lift,
            Kind::Fan => Item::Fan,
            Kind::HeatPump => Item::HeatPlant,
            Kind::Lamp => Item::Outdoor,
            _ => {
                if let Kind::Valve(_) = machine.kind {
                    add(machine.entity, water, Item::Fluid, Load::MachineWater(m), 3e-6);
                }
                continue;
            }
        };
        add(machine.entity, power, item, Load::Machine(m), machine.mean_w());
    }
    sources
}
