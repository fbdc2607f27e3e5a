//! Roofs, drains and pumps.

use std::collections::BTreeMap;

use campanile_flood::{Drain, End, FloodInput, Inlet, Pump, PumpFrom, Roof};
use campanile_model::{Building, Campus, EntityKind, Network, NetworkKind, Node};

use super::ground::{free_cell, ground_storeys};
use super::{FloodSite, LeftOut, switch};
use crate::geometry::{Point, area2, contains, distance, edges, metres, ring};
use crate::tables::FloodTables;
use crate::topology;

/// Water this near to an outfall is what stands outside it, m.
const OUTFALL_REACH_M: f64 = 20.0;

fn place(node: &Node) -> Option<Point> {
    node.at.map(metres)
}

fn is_inlet(node: &Node) -> bool {
    node.kind.contains("inlet")
}

pub fn add(campus: &Campus, tables: &FloodTables, site: &mut FloodSite) {
    for network in campus.networks.iter().filter(|n| n.kind == NetworkKind::Drain) {
        // Foul drains have manholes with lids: no water comes in from the ground.
        if network.nodes.iter().any(is_inlet) {
            drain(campus, network, tables, site);
        }
    }
    for building in &campus.plan.buildings {
        roofs(campus, building, site);
    }
    sumps(campus, tables, site);
}

/// Manning's discharge of a full pipe, m³/s.
pub fn full_bore_m3_s(diameter_m: f64, slope: f64, roughness: f64) -> f64 {
    let area = std::f64::consts::PI * diameter_m * diameter_m / 4.0;
    area * libm::pow(diameter_m / 4.0, 2.0 / 3.0) * libm::sqrt(slope.max(0.0)) / roughness
}

/// The discharge of the full pipe from a node to its parent, m³/s.
fn pipe_m3_s(network: &Network, node: &Node) -> Option<f64> {
    let pipe = node.pipe.as_ref()?;
    let parent = &network.nodes[node.parent?];
    let fall = f64::from(node.invert_mm?) - f64::from(parent.invert_mm?);
    let flow = full_bore_m3_s(pipe.diameter_mm / 1e3, fall / pipe.length_mm, pipe.roughness);
    (flow > 0.0).then_some(flow)
}

fn drain(campus: &Campus, network: &Network, tables: &FloodTables, site: &mut FloodSite) {
    let path = format!("net/{}", network.id);
    let nodes = &network.nodes;
    let Some((end, outfall)) = nodes.iter().enumerate().find(|(_, n)| n.parent.is_none()) else { return };
    let last: Vec<f64> =
        nodes.iter().filter(|n| n.parent == Some(end)).filter_map(|n| pipe_m3_s(network, n)).collect();
    let (false, Some(outfall_mm)) = (last.is_empty(), outfall.invert_mm) else {
        let why = "its last pipe has no size or fall, or its outfall no invert".to_owned();
        site.left_out.push(LeftOut { path, why });
        return;
    };
    let mut inlets = Vec::new();
    let mut names = Vec::new();
    for node in nodes.iter().filter(|n| is_inlet(n)) {
        let at = format!("{path}/{}", node.id);
        match place(node).and_then(|p| free_cell(&site.input, p)) {
            Some(cell) => {
                let (perimeter_m, area_m2) = (tables.inlet.perimeter_m, tables.inlet.area_m2);
                inlets.push(Inlet { cell, perimeter_m, area_m2 });
                names.push(at);
            }
            None => site.left_out.push(LeftOut { path: at, why: "it has no place in the grid".to_owned() }),
        }
    }
    let outfall_m = f64::from(outfall_mm) / 1e3;
    // Full pipes all the way run with the fall of the longest way: that much head gives the full discharge.
    let highest = nodes.iter().filter_map(|n| n.invert_mm).max().unwrap_or(outfall_mm);
    let design_head_m = (f64::from(highest) / 1e3 - outfall_m).max(0.1);
    let index = site.input.drains.len() as u32;
    site.input.drains.push(Drain {
        id: path.clone(),
        inlets,
        capacity_m3_s: last.iter().sum(),
        outfall_m,
        design_head_m,
        outside: place(outfall).and_then(|p| stage_at(campus, &site.input, p)),
        flap: true,
    });
    site.inlet_nodes.push(names);
    for node in nodes.iter().filter(|n| n.kind.contains("pump")) {
        let rated = node.rating.map(|m3_h| m3_h / 3600.0).or_else(|| pipe_m3_s(network, node));
        let Some(capacity_m3_s) = rated.filter(|q| *q > 0.0) else { continue };
        site.pumps.push(switch(campus, node.entity));
        let id = format!("{path}/{}", node.id);
        let from = PumpFrom::Drain(index);
        site.input.pumps.push(Pump { id, from, to: None, capacity_m3_s, on: false });
    }
}

/// The river at an outfall: the stage whose water is nearest, if near.
fn stage_at(campus: &Campus, input: &FloodInput, p: Point) -> Option<u32> {
    let out = &campus.plan.outside;
    let away = |id: &str| {
        let water = out.waters.iter().find(|w| id.strip_prefix("site/") == Some(w.id.as_str()))?;
        let outline = ring(&out.vertices, &water.outline);
        if contains(&outline, p) {
            return Some(0.0);
        }
        edges(&outline).map(|(a, b)| crate::geometry::to_segment(p, a, b)).min_by(f64::total_cmp)
    };
    let stages = input.stages.iter().enumerate().filter_map(|(i, s)| Some((away(&s.id)?, i as u32)));
    stages.filter(|s| s.0 <= OUTFALL_REACH_M).min_by(|a, b| a.0.total_cmp(&b.0)).map(|s| s.1)
}

/// Rain of a roof goes to the inlets that its downpipes name, to that which serves it, or down beside the building.
fn roofs(campus: &Campus, building: &Building, site: &mut FloodSite) {
    let outlines: Vec<(String, Vec<Point>, Vec<&str>)> = if building.roofs.is_empty() {
        ground_storeys(building)
            .flat_map(|s| &s.spaces)
            .map(|s| (building.id.clone(), ring(&building.vertices, &s.outline), Vec::new()))
            .collect()
    } else {
        building
            .roofs
            .iter()
            .map(|r| {
                let drains = r.downpipes.iter().map(|d| d.drain.as_str()).collect();
                (format!("{}/{}", building.id, r.id), ring(&building.vertices, &r.outline), drains)
            })
            .collect()
    };
    let nodes = || campus.networks.iter().filter(|n| n.kind == NetworkKind::Drain).flat_map(|n| &n.nodes);
    let mut shares: BTreeMap<(String, u32), f64> = BTreeMap::new();
    for (id, outline, drains) in outlines {
        let area = area2(&outline).abs() / 2.0;
        let named = drains.iter().filter_map(|d| nodes().find(|n| n.id == *d && is_inlet(n)));
        let mut ends: Vec<Point> = named.filter_map(place).collect();
        if ends.is_empty() {
            let serves = |n: &&Node| is_inlet(n) && n.serves.iter().any(|p| p.as_str() == id);
            ends = nodes().filter(serves).filter_map(place).collect();
        }
        if ends.is_empty() {
            ends.clone_from(&outline);
        }
        let share = area / ends.len().max(1) as f64;
        for end in ends {
            if let Some(cell) = free_cell(&site.input, end) {
                *shares.entry((id.clone(), cell)).or_default() += share;
            }
        }
    }
    site.input.roofs.extend(shares.into_iter().map(|((id, to), area_m2)| Roof { id, area_m2, to }));
}

/// Pumps in a room that measures its water level drain that room, to the nearest inlet or the ground before the house.
fn sumps(campus: &Campus, tables: &FloodTables, site: &mut FloodSite) {
    for (index, entity) in campus.entities.iter().enumerate() {
        if entity.kind != EntityKind::Equipment || !entity.class.contains("pump") {
            continue;
        }
        let Some(parent) = entity.parent else { continue };
        let space = campus.entities[parent].path.as_str();
        let gauged = campus.points_of(parent).iter().any(|p| super::gauges::is_level(campus.point(*p)));
        let (true, Some(&room)) = (gauged, site.room_of.get(space)) else { continue };
        let Some(p) = middle(campus, space) else { continue };
        let inlets = site.input.drains.iter().flat_map(|d| &d.inlets).map(|i| i.cell);
        let centre = |c: u32| super::ground::centre(&site.input, c);
        let nearest = inlets.min_by(|a, b| distance(centre(*a), p).total_cmp(&distance(centre(*b), p)));
        let to = nearest.or_else(|| free_cell(&site.input, p)).map(End::Cell);
        site.pumps.push(switch(campus, index));
        site.input.pumps.push(Pump {
            id: entity.path.to_string(),
            from: PumpFrom::End(End::Room(room)),
            to,
            capacity_m3_s: tables.pump.sump_m3_h / 3600.0,
            on: false,
        });
    }
}

/// A point within a space, by path.
fn middle(campus: &Campus, path: &str) -> Option<Point> {
    let mut parts = path.split('/');
    let (building, storey, space) = (parts.next()?, parts.next()?, parts.next()?);
    let building = campus.plan.buildings.iter().find(|b| b.id == building)?;
    let storey = building.storeys.iter().find(|s| s.id == storey)?;
    let space = storey.spaces.iter().find(|s| s.id == space)?;
    super::rooms::inside(&topology::polygon(building, space))
}
