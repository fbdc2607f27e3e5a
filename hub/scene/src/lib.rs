//! One plan, for every eye: what is derived from a checked campus and never drawn twice.
//!
//! [`build`] makes the 3D scene: a binary glTF 2.0 with walls whose openings are cut, slabs, stairs, roofs, ground,
//! water, trees and furniture. Every node has `extras`: `path` (the entity's path; of a part, the path of what it is
//! part of), `kind`, and of what belongs to a storey the path `storey`. Axes are glTF's: metres, y up, x the plan's
//! x, z the plan's −y. The scene's `extras` have the site and the named `views`.
//!
//! [`topology`] has what engines need of the same plan: which spaces lie on each side of a wall, net areas, volumes.
//! [`flood_input`] and [`crowd_input`] make the inputs of the engines, with maps from their indices to paths;
//! [`design_storm`] is the rain. `docs/engine-inputs.md` says what is derived from what.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod building;
mod crowd;
mod flood;
mod furniture;
mod geometry;
mod glb;
mod material;
mod mesh;
mod outside;
mod roof;
mod storm;
mod tables;
#[cfg(test)]
mod tests;
pub mod topology;
mod wall;

use campanile_formats::Grid;
use campanile_model::Campus;
use serde_json::json;

use crate::glb::{Glb, Node};

pub use crowd::{CrowdOptions, CrowdSite, Hour, crowd_input};
pub use flood::{FloodOptions, FloodSite, Gauge, GaugeAt, LeftOut, Switch, flood_input};
pub use geometry::{Point, Polygon};
pub use storm::design_storm;
pub use tables::{
    FloodTables, InletTable, InputError, OpeningTable, PeopleTables, ProfileTable, PumpTable, StaffTable,
    StormTable,
};

/// A scene as a binary glTF file.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is in it.
    pub stats: Stats,
}

/// What is in a scene.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Nodes.
    pub nodes: usize,
    /// Meshes; nodes that share one are drawn as instances.
    pub meshes: usize,
    /// Materials.
    pub materials: usize,
    /// Triangles in the file.
    pub triangles_stored: usize,
    /// Triangles drawn, counting instances.
    pub triangles_drawn: usize,
}

/// Why a scene can't be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// There is nothing to draw.
    #[error(
        "the campus {0} has no building and no ground: there is nothing to draw; add buildings to plan.json"
    )]
    Empty(String),
    /// A file of 4 GiB and more can't be written as binary glTF.
    #[error("the scene would have {0} bytes; binary glTF holds 4 GiB: divide the campus")]
    TooLarge(usize),
}

/// Builds the scene of a campus on its terrain (on a level plane at 0 m where there is none).
///
/// # Errors
/// [`SceneError`] where there is nothing to draw, or too much.
pub fn build(campus: &Campus, terrain: Option<&Grid>) -> Result<Scene, SceneError> {
    let plan = &campus.plan;
    if plan.buildings.is_empty() && plan.site.boundary.is_empty() && terrain.is_none() {
        return Err(SceneError::Empty(campus.id.clone()));
    }
    let ground = outside::Ground::new(terrain);
    let mut glb = Glb::default();
    let mut materials = material::Materials::new(&plan.constructions);
    let mut furniture = furniture::Furniture::default();
    let mut context = building::Context {
        glb: &mut glb,
        materials: &mut materials,
        constructions: &plan.constructions,
        furniture: &mut furniture,
    };
    let mut children: Vec<usize> =
        plan.buildings.iter().map(|b| building::building(&mut context, b)).collect();
    children.extend(outside::outside(&mut glb, &mut materials, plan, &ground));
    let site =
        Node { name: campus.id.clone(), path: "site".to_owned(), kind: "site", children, ..Node::default() };
    let root = glb.node(site);
    let extras = json!({
        "campus": campus.id,
        "site": {
            "latitude_deg": plan.site.latitude_deg,
            "longitude_deg": plan.site.longitude_deg,
            "bearing_deg": plan.site.bearing_deg,
        },
        "views": views(campus, &ground),
    });
    let (bytes, stats) = glb.write(
        root,
        &materials,
        extras,
        &campus.attribution.iter().map(|line| line.en.as_str()).collect::<Vec<_>>().join("; "),
    );
    if u32::try_from(bytes.len()).is_err() {
        return Err(SceneError::TooLarge(bytes.len()));
    }
    Ok(Scene { bytes, stats })
}

/// Named cameras: `overview`, `gate`, `river`, and one a building; eye and target in glTF axes.
fn views(campus: &Campus, ground: &outside::Ground<'_>) -> Vec<serde_json::Value> {
    let plan = &campus.plan;
    let view = |name: &str, eye: [f64; 3], target: [f64; 3]| json!({"name": name, "eye": mesh::gltf(eye), "target": mesh::gltf(target)});
    let outline: Vec<Point> = plan.site.boundary.iter().map(|p| geometry::metres(*p)).collect();
    let (low, high) = geometry::bounds(&outline);
    let middle = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
    let reach = (high[0] - low[0]).max(high[1] - low[1]);
    let mut found = Vec::new();
    if !outline.is_empty() {
        let eye = [middle[0] - reach * 0.35, middle[1] - reach * 0.72, reach * 0.5];
        found.push(view("overview", eye, [middle[0], middle[1], 0.0]));
    }
    let vertex = |i: u32| plan.outside.vertices.get(i as usize).map_or([0.0; 2], |v| geometry::metres(*v));
    // From without, looking in over what is named; "in" is towards the middle of the site.
    let mut towards = |name: &str, at: Point, back: f64, up: f64| {
        let away = geometry::distance(at, middle).max(1.0);
        let u = [(at[0] - middle[0]) / away, (at[1] - middle[1]) / away];
        let z = ground.height(at);
        let eye = [at[0] + u[0] * back, at[1] + u[1] * back, z + up];
        let target = [at[0] - u[0] * back, at[1] - u[1] * back, z + 3.0];
        found.push(view(name, eye, target));
    };
    if let Some(gate) = plan.outside.gates.first() {
        let (a, b) = (vertex(gate.a), vertex(gate.b));
        towards("gate", [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0], 32.0, 12.0);
    }
    if let Some(river) = plan.outside.waters.iter().find(|w| w.kind == campanile_model::WaterKind::River) {
        towards(
            "river",
            geometry::centroid(&geometry::ring(&plan.outside.vertices, &river.outline)),
            25.0,
            18.0,
        );
    }
    for b in &plan.buildings {
        let (low, high, top) = building::extent(b);
        let size = (high[0] - low[0]).max(high[1] - low[1]).max(top);
        let at = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
        let eye = [at[0] - size * 0.55, at[1] - size * 0.95, top + size * 0.55];
        found.push(view(&b.id, eye, [at[0], at[1], top / 2.0]));
    }
    found
}
