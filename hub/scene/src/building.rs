//! A building: its storeys with slabs, spaces, walls and openings; its stairs, shafts and roofs.

use std::collections::BTreeMap;

use campanile_model::{Building, Construction, Flight, Space, SpaceUse, Stair, Storey};

use crate::furniture::Furniture;
use crate::geometry::{Point, Polygon, bounds, metres, ring};
use crate::glb::{Glb, Node};
use crate::material::{Materials, construction};
use crate::mesh::Mesh;
use crate::{roof, topology, wall};

/// How far a space's floor lies above its slab, so that the two never lie in one plane, metres.
const FLOOR_LIFT: f64 = 0.004;

pub struct Context<'a> {
    pub glb: &'a mut Glb,
    pub materials: &'a mut Materials,
    pub constructions: &'a BTreeMap<String, Construction>,
    pub furniture: &'a mut Furniture,
}

pub fn building(context: &mut Context<'_>, building: &Building) -> usize {
    let path = building.id.clone();
    let lowest = building.storeys.iter().map(|s| s.level).min().unwrap_or(0);
    let mut children: Vec<usize> =
        building.storeys.iter().map(|s| storey(context, building, s, s.level == lowest)).collect();
    for stair in &building.stairs {
        let level = building.storeys.iter().find(|s| s.id == stair.from);
        let mesh = stair_mesh(stair, level.map_or(0.0, |s| f64::from(s.floor_mm) / 1e3));
        children.push(part(context, &stair.id, format!("{path}/{}", stair.id), "stair", None, &mesh));
    }
    for shaft in &building.shafts {
        let node = Node {
            name: shaft.id.clone(),
            path: format!("{path}/{}", shaft.id),
            kind: "shaft",
            ..Node::default()
        };
        children.push(context.glb.node(node));
    }
    for r in &building.roofs {
        let mesh = roof::roof(building, r);
        children.push(part(context, &r.id, format!("{path}/{}", r.id), "roof", None, &mesh));
    }
    context.glb.node(Node { name: path.clone(), path, kind: "building", children, ..Node::default() })
}

fn part(
    context: &mut Context<'_>,
    name: &str,
    path: String,
    kind: &'static str,
    storey: Option<&str>,
    mesh: &Mesh,
) -> usize {
    let mesh = context.glb.mesh(&path, mesh, context.materials);
    context.glb.node(Node {
        name: name.to_owned(),
        path,
        kind,
        storey: storey.map(str::to_owned),
        mesh,
        ..Node::default()
    })
}

fn storey(context: &mut Context<'_>, building: &Building, storey: &Storey, lowest: bool) -> usize {
    let path = format!("{}/{}", building.id, storey.id);
    let floor = f64::from(storey.floor_mm) / 1e3;
    let slab_m = context.constructions.get(&storey.slab).map(|c| c.thickness_mm() / 1e3).filter(|t| *t > 0.0);
    let slab_m = slab_m.unwrap_or(0.2);
    let mut children = Vec::new();
    let mut slab = Mesh::default();
    for space in &storey.spaces {
        let polygon = topology::polygon(building, space);
        let z = floor + f64::from(space.floor_offset_mm) / 1e3;
        let mut surface = Mesh::default();
        for piece in floor_pieces(building, storey, space, &polygon, lowest) {
            surface.level("floor", &piece, z + FLOOR_LIFT);
            slab.level("concrete", &piece, z);
            slab.ceiling("plaster", &piece, floor - slab_m);
        }
        let node = part(context, &space.id, format!("{path}/{}", space.id), "space", Some(&path), &surface);
        children.push(node);
        children.extend(context.furniture.furnish(
            context.glb,
            context.materials,
            building,
            storey,
            space,
            &path,
        ));
    }
    for (a, b) in topology::outer_edges(building, storey) {
        slab.upright(&construction(&storey.slab), a, b, [floor - slab_m; 2], [floor; 2]);
    }
    children.push(part(context, "slab", path.clone(), "slab", Some(&path), &slab));
    let (solid, fillings) = wall::walls(building, storey, slab_m, context.constructions);
    children.push(part(context, "walls", path.clone(), "walls", Some(&path), &solid));
    for (opening, filling) in storey.openings.iter().zip(fillings) {
        let path_of_opening = format!("{path}/{}", opening.id);
        let mesh = context.glb.mesh(&path_of_opening, &filling.mesh, context.materials);
        children.push(context.glb.node(Node {
            name: opening.id.clone(),
            path: path_of_opening,
            kind: "opening",
            storey: Some(path.clone()),
            placed: mesh.map(|_| (crate::mesh::gltf(filling.at), filling.angle, [1.0; 3])),
            mesh,
            ..Node::default()
        }));
    }
    context.glb.node(Node {
        name: storey.id.clone(),
        storey: Some(path.clone()),
        path,
        kind: "storey",
        children,
        ..Node::default()
    })
}

/// Where a space has a floor: not over a shaft or an open well, and not where the stair from below comes up.
fn floor_pieces(
    building: &Building,
    storey: &Storey,
    space: &Space,
    polygon: &Polygon,
    lowest: bool,
) -> Vec<Polygon> {
    if space.open_to_below || (!lowest && matches!(space.use_, SpaceUse::Lift | SpaceUse::Shaft)) {
        return Vec::new();
    }
    let arriving = building.stairs.iter().filter(|s| s.to == storey.id && s.space_to == space.id);
    let well: Vec<Point> = arriving
        .flat_map(|s| {
            s.flights
                .iter()
                .flat_map(footprint)
                .chain(s.landings.iter().flat_map(|l| l.outline.iter().map(|p| metres(*p))))
        })
        .collect();
    if well.is_empty() {
        return vec![polygon.clone()];
    }
    // The rest of the space around the rectangle that the stair takes.
    let (low, high) = bounds(&well);
    let far = 1e6;
    let sides = [
        ([-far, -far], [low[0], far]),
        ([high[0], -far], [far, far]),
        ([low[0], -far], [high[0], low[1]]),
        ([low[0], high[1]], [high[0], far]),
    ];
    sides
        .into_iter()
        .map(|(low, high)| Polygon {
            outline: crate::geometry::clip_to(&polygon.outline, low, high),
            // A courtyard stays open on each side of the stair.
            holes: polygon
                .holes
                .iter()
                .map(|hole| crate::geometry::clip_to(hole, low, high))
                .filter(|hole| hole.len() > 2)
                .collect(),
        })
        .filter(|p| p.outline.len() > 2 && crate::geometry::area2(&p.outline) > 0.02)
        .collect()
}

/// The corners of a flight on the plan.
fn footprint(flight: &Flight) -> Vec<Point> {
    let (u, n, start) = frame(flight);
    let run = f64::from(flight.steps) * flight.tread_mm / 1e3;
    let half = f64::from(flight.width_mm) / 2e3;
    let at = |s: f64, d: f64| [start[0] + u[0] * s + n[0] * d, start[1] + u[1] * s + n[1] * d];
    vec![at(0.0, -half), at(run, -half), at(run, half), at(0.0, half)]
}

fn frame(flight: &Flight) -> (Point, Point, Point) {
    let angle = flight.heading_deg.to_radians();
    let u = [libm::cos(angle), libm::sin(angle)];
    (u, [-u[1], u[0]], metres(flight.start))
}

/// Steps as blocks on a soffit, and landings.
fn stair_mesh(stair: &Stair, floor: f64) -> Mesh {
    const WAIST: f64 = 0.15;
    let mut mesh = Mesh::default();
    for flight in &stair.flights {
        let (u, _, start) = frame(flight);
        let (tread, riser) = (flight.tread_mm / 1e3, flight.riser_mm / 1e3);
        let base = floor + f64::from(flight.base_mm) / 1e3;
        let half = f64::from(flight.width_mm) / 2e3;
        for step in 0..flight.steps {
            let (s, top) = (f64::from(step) * tread, base + f64::from(step + 1) * riser);
            let at = |s: f64| [start[0] + u[0] * s, start[1] + u[1] * s];
            let low = (top - riser - WAIST).max(floor);
            mesh.bar("concrete", at(s), at(s + tread), half, low, top);
        }
        for side in [-1.0, 1.0] {
            let d = side * (half - 0.03);
            for step in (0..=flight.steps).step_by(3) {
                let s = f64::from(step) * tread;
                let at = [start[0] + u[0] * s - u[1] * d, start[1] + u[1] * s + u[0] * d];
                let z = base + f64::from(step) * riser;
                mesh.post("steel", at, 0.03, z, z + 0.9);
            }
        }
    }
    for landing in &stair.landings {
        let mut outline: Vec<Point> = landing.outline.iter().map(|p| metres(*p)).collect();
        if crate::geometry::area2(&outline) < 0.0 {
            outline.reverse();
        }
        let top = floor + f64::from(landing.level_mm) / 1e3;
        mesh.prism("concrete", &outline, top - WAIST, top);
    }
    mesh
}

/// The storey's outline box, for views.
pub fn extent(building: &Building) -> (Point, Point, f64) {
    let all: Vec<u32> = (0..building.vertices.len() as u32).collect();
    let (low, high) = bounds(&ring(&building.vertices, &all));
    let top = building.storeys.iter().map(|s| f64::from(s.floor_mm + s.height_mm) / 1e3).fold(0.0, f64::max);
    (low, high, top)
}
