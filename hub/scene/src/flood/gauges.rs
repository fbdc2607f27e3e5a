//! Which points show water, and where.

use campanile_model::{Campus, EntityKind, Point, PointId};

use super::FloodSite;
use super::ground::free_cell;
use crate::geometry::{centroid, metres, ring};

/// A point that shows water.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// The point.
    pub point: PointId,
    /// Its path.
    pub path: String,
    /// What it shows.
    pub at: GaugeAt,
}

/// What a gauge shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GaugeAt {
    /// The rain.
    Rain,
    /// The level of a stage, m above datum.
    Stage(u32),
    /// The level at a cell, m above datum: a pond.
    Level(u32),
    /// The depth in a room, m, or whether there is any.
    Room(u32),
    /// The depth over an inlet: the drain by index and the inlet in it.
    Inlet {
        /// The drain.
        drain: u32,
        /// The inlet.
        inlet: u32,
    },
    /// The level outside the outfall of a drain.
    Outfall(u32),
}

/// Whether a point measures standing water (not what a tank holds, which is a point of the tank's).
pub fn is_level(point: &Point) -> bool {
    ["water-level", "river-level"].contains(&point.quantity.as_str())
}

pub fn add(campus: &Campus, site: &mut FloodSite) {
    for point in &campus.points {
        let Some(entity) = campus.entities.get(point.entity) else { continue };
        let at = match entity.kind {
            _ if point.quantity == "rain" => Some(GaugeAt::Rain),
            EntityKind::Water if is_level(point) => water(campus, site, entity.path.as_str()),
            EntityKind::Space if is_level(point) => room(site, entity.path.as_str()),
            EntityKind::Node if is_level(point) => node(campus, site, entity.path.as_str()),
            // A detector on the floor of the room that it is in.
            EntityKind::Equipment if point.quantity == "water-detected" => {
                entity.parent.and_then(|p| room(site, campus.entities[p].path.as_str()))
            }
            _ => None,
        };
        if let Some(at) = at {
            site.gauges.push(Gauge { point: point.id, path: point.path.to_string(), at });
        }
    }
}

fn room(site: &FloodSite, path: &str) -> Option<GaugeAt> {
    site.room_of.get(path).map(|r| GaugeAt::Room(*r))
}

fn water(campus: &Campus, site: &FloodSite, path: &str) -> Option<GaugeAt> {
    if let Some(stage) = site.input.stages.iter().position(|s| s.id == path) {
        return Some(GaugeAt::Stage(stage as u32));
    }
    let out = &campus.plan.outside;
    let water = out.waters.iter().find(|w| path.strip_prefix("site/") == Some(w.id.as_str()))?;
    free_cell(&site.input, centroid(&ring(&out.vertices, &water.outline))).map(GaugeAt::Level)
}

/// A node of a drain: its inlet, the outfall, or else the ground at it.
fn node(campus: &Campus, site: &FloodSite, path: &str) -> Option<GaugeAt> {
    let (network, id) = path.strip_prefix("net/")?.split_once('/')?;
    let drain = site.input.drains.iter().position(|d| d.id.strip_prefix("net/") == Some(network))?;
    if let Some(inlet) = site.inlet_nodes[drain].iter().position(|n| n == path) {
        return Some(GaugeAt::Inlet { drain: drain as u32, inlet: inlet as u32 });
    }
    let node = campus.network(network)?.nodes.iter().find(|n| n.id == id)?;
    if node.parent.is_none() {
        return Some(GaugeAt::Outfall(drain as u32));
    }
    free_cell(&site.input, metres(node.at?)).map(GaugeAt::Level)
}
