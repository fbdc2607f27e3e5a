//! Outdoors: terrain with its covers draped on it, roads, water, trees, fences, objects.

use std::collections::BTreeMap;

use campanile_formats::Grid;
use campanile_model::{Cover, GreenKind, Object, ObjectKind, Plan};

use crate::geometry::{Point, Polygon, bounds, clip_to, contains, distance, edges, metres, ring};
use crate::glb::{Glb, Node};
use crate::material::Materials;
use crate::mesh::Mesh;

/// The ground: a terrain grid, or a level plane at 0.
pub struct Ground<'a> {
    grid: Option<&'a Grid>,
}

impl<'a> Ground<'a> {
    pub fn new(grid: Option<&'a Grid>) -> Self {
        Self { grid }
    }

    /// The height of the ground at a point, metres above datum.
    pub fn height(&self, p: Point) -> f64 {
        self.grid.and_then(|g| g.sample_bilinear(p[0], p[1])).map_or(0.0, f64::from)
    }

    /// The side of a terrain cell, and the corner that cells count from.
    fn cells(&self) -> (Point, Point) {
        self.grid.map_or(([5.0, 5.0], [0.0, 0.0]), |g| {
            let (width, height) = g.cell_m;
            ([width, height], [g.origin.0 + width / 2.0, g.origin.1 - height / 2.0])
        })
    }

    /// A polygon laid on the ground, cut by the terrain's cells so that it follows every facet.
    fn drape(&self, mesh: &mut Mesh, material: &str, polygon: &Polygon, lift: f64) {
        let (cell, origin) = self.cells();
        let (low, high) = bounds(&polygon.outline);
        let index = |x: f64, axis: usize| libm::floor((x - origin[axis]) / cell[axis]) as i64;
        for row in index(low[1], 1)..=index(high[1], 1) {
            for column in index(low[0], 0)..=index(high[0], 0) {
                let corner = [origin[0] + column as f64 * cell[0], origin[1] + row as f64 * cell[1]];
                let to = [corner[0] + cell[0], corner[1] + cell[1]];
                let piece = Polygon { outline: clip_to(&polygon.outline, corner, to), holes: Vec::new() };
                if piece.outline.len() < 3 {
                    continue;
                }
                let holes: Vec<Vec<Point>> = polygon
                    .holes
                    .iter()
                    .map(|hole| clip_to(hole, corner, to))
                    .filter(|hole| hole.len() > 2 && crate::geometry::area2(hole).abs() > 1e-9)
                    .collect();
                // A hole that reaches the cell's edge leaves a shape that is no polygon with holes: the middle decides.
                if !holes.is_empty() {
                    let middle = crate::geometry::centroid(&piece.outline);
                    if polygon.holes.iter().any(|hole| contains(hole, middle)) {
                        continue;
                    }
                }
                for t in crate::geometry::triangulate(&piece) {
                    mesh.triangle(material, t.map(|p| [p[0], p[1], self.height(p) + lift]));
                }
            }
        }
    }
}

pub fn cover(cover: Cover) -> &'static str {
    match cover {
        Cover::Grass => "grass",
        Cover::Asphalt => "asphalt",
        Cover::Concrete => "concrete",
        Cover::Paving => "paving",
        Cover::PermeablePaving => "permeable-paving",
        Cover::Soil => "soil",
        Cover::Track => "track",
        Cover::Turf => "turf",
        Cover::Court => "court",
        Cover::Gravel => "gravel",
        Cover::Sand => "sand",
        Cover::Deck => "deck",
        Cover::Crop => "crop",
        Cover::Planting => "planting",
    }
}

/// All nodes of the outdoors.
pub fn outside(glb: &mut Glb, materials: &mut Materials, plan: &Plan, ground: &Ground<'_>) -> Vec<usize> {
    let out = &plan.outside;
    let points = |indices: &[u32]| ring(&out.vertices, indices);
    let mut nodes = Vec::new();
    let mut add = |glb: &mut Glb, materials: &mut Materials, id: &str, kind, mesh: &Mesh| {
        let path = format!("site/{id}");
        let mesh = glb.mesh(&path, mesh, materials);
        nodes.push(glb.node(Node { name: id.to_owned(), path, kind, mesh, ..Node::default() }));
    };
    add(glb, materials, "terrain", "terrain", &terrain(plan, ground));
    for (index, g) in out.grounds.iter().enumerate() {
        let mut mesh = Mesh::default();
        let polygon =
            Polygon { outline: points(&g.outline), holes: g.holes.iter().map(|h| points(h)).collect() };
        // Later covers lie on earlier ones.
        ground.drape(&mut mesh, cover(g.cover), &polygon, 0.015 + 0.004 * index.min(8) as f64);
        add(glb, materials, &g.id, "ground", &mesh);
    }
    for road in &out.roads {
        let mut mesh = Mesh::default();
        let line = points(&road.line);
        let half = f64::from(road.width_mm) / 2e3;
        for pair in line.windows(2) {
            ground.drape(
                &mut mesh,
                cover(road.cover),
                &Polygon { outline: band(pair[0], pair[1], half), holes: vec![] },
                0.055,
            );
        }
        // A disc at each bend closes the joint.
        for p in line.iter().skip(1).take(line.len().saturating_sub(2)) {
            ground.drape(
                &mut mesh,
                cover(road.cover),
                &Polygon { outline: disc(*p, half, 12), holes: vec![] },
                0.056,
            );
        }
        add(glb, materials, &road.id, "road", &mesh);
    }
    for water in &out.waters {
        let mut mesh = Mesh::default();
        let polygon = Polygon { outline: points(&water.outline), holes: vec![] };
        mesh.level("water", &polygon, f64::from(water.level_mm) / 1e3);
        add(glb, materials, &water.id, "water", &mesh);
    }
    for green in &out.greens {
        let mut mesh = Mesh::default();
        let outline = points(&green.outline);
        let height = f64::from(green.height_mm) / 1e3;
        let material = match green.kind {
            GreenKind::Lawn => "grass",
            GreenKind::Farm => "crop",
            GreenKind::Reeds | GreenKind::RainGarden => "leaf-mid",
            GreenKind::Bed => "planting",
            GreenKind::Hedge | GreenKind::Shrubs => "leaf-dark",
        };
        ground.drape(
            &mut mesh,
            material,
            &Polygon { outline: outline.clone(), holes: vec![] },
            0.06 + height,
        );
        if height > 0.0 {
            for (a, b) in edges(&outline) {
                let low = [ground.height(a), ground.height(b)];
                mesh.upright(material, a, b, low, [low[0] + height + 0.06, low[1] + height + 0.06]);
            }
        }
        add(glb, materials, &green.id, "green", &mesh);
    }
    for fence in &out.fences {
        let mut mesh = Mesh::default();
        fence_mesh(&mut mesh, &points(&fence.line), f64::from(fence.height_mm) / 1e3, ground);
        add(glb, materials, &fence.id, "fence", &mesh);
    }
    for gate in &out.gates {
        let mut mesh = Mesh::default();
        if let [a, b] = points(&[gate.a, gate.b])[..] {
            let (za, zb) = (ground.height(a), ground.height(b));
            mesh.post("plaster", a, 0.8, za - 0.3, za + 2.6);
            mesh.post("plaster", b, 0.8, zb - 0.3, zb + 2.6);
            let z = za.max(zb);
            let count = (distance(a, b) / 0.35) as usize;
            for i in 1..count {
                let t = i as f64 / count as f64;
                let p = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
                mesh.post("steel", p, 0.05, z, z + 1.4);
            }
            mesh.bar("steel", a, b, 0.04, z + 0.2, z + 0.28);
            mesh.bar("steel", a, b, 0.04, z + 1.3, z + 1.38);
        }
        add(glb, materials, &gate.id, "gate", &mesh);
    }
    for barrier in &out.barriers {
        let mut mesh = Mesh::default();
        if let [a, b] = points(&[barrier.a, barrier.b])[..] {
            let z = ground.height(a).min(ground.height(b));
            mesh.bar("steel", a, b, 0.06, z - 0.1, z + f64::from(barrier.height_mm) / 1e3);
        }
        add(glb, materials, &barrier.id, "barrier", &mesh);
    }
    for place in &out.assembly_points {
        let mut mesh = Mesh::default();
        let outline = points(&place.outline);
        for (a, b) in edges(&outline) {
            ground.drape(&mut mesh, "marking", &Polygon { outline: band(a, b, 0.12), holes: vec![] }, 0.07);
        }
        add(glb, materials, &place.id, "assembly-point", &mesh);
    }
    for object in &out.objects {
        let mut mesh = Mesh::default();
        object_mesh(&mut mesh, object, ground.height(metres(object.at)));
        add(glb, materials, &object.id, "object", &mesh);
    }
    nodes.extend(trees(glb, materials, plan, ground));
    nodes
}

/// The terrain itself, left out under buildings so that cellars and sunk floors are free.
fn terrain(plan: &Plan, ground: &Ground<'_>) -> Mesh {
    let mut mesh = Mesh::default();
    let footprints: Vec<Vec<Point>> = plan
        .buildings
        .iter()
        .flat_map(|b| {
            b.storeys
                .iter()
                .filter(|s| s.level <= 1)
                .flat_map(|s| &s.spaces)
                .map(|s| ring(&b.vertices, &s.outline))
        })
        .collect();
    let waters: Vec<(Vec<Point>, f64)> = plan
        .outside
        .waters
        .iter()
        .map(|w| (ring(&plan.outside.vertices, &w.outline), f64::from(w.bed_mm) / 1e3))
        .collect();
    let built = |p: Point| footprints.iter().any(|f| contains(f, p));
    // Under water the ground is its bed at the most, so that the surface shows whatever the grid says.
    let height = |p: Point| {
        let bed = waters.iter().find(|(outline, _)| contains(outline, p)).map(|(_, bed)| *bed);
        bed.map_or_else(|| ground.height(p), |bed| bed.min(ground.height(p)))
    };
    let Some(grid) = ground.grid else {
        let outline = plan.site.boundary.iter().map(|p| metres(*p)).collect();
        mesh.level("grass", &Polygon { outline, holes: vec![] }, 0.0);
        return mesh;
    };
    let (cell, origin) = ground.cells();
    for row in 0..grid.rows.saturating_sub(1) {
        for column in 0..grid.cols.saturating_sub(1) {
            let x = origin[0] + column as f64 * cell[0];
            let y = origin[1] - row as f64 * cell[1];
            let corners = [[x, y - cell[1]], [x + cell[0], y - cell[1]], [x + cell[0], y], [x, y]];
            if corners.iter().all(|p| built(*p)) {
                continue;
            }
            mesh.quad("grass", corners.map(|p| [p[0], p[1], height(p)]));
        }
    }
    mesh
}

pub fn band(a: Point, b: Point, half: f64) -> Vec<Point> {
    let length = distance(a, b).max(1e-9);
    let n = [-(b[1] - a[1]) / length * half, (b[0] - a[0]) / length * half];
    vec![
        [a[0] - n[0], a[1] - n[1]],
        [b[0] - n[0], b[1] - n[1]],
        [b[0] + n[0], b[1] + n[1]],
        [a[0] + n[0], a[1] + n[1]],
    ]
}

fn disc(at: Point, radius: f64, sides: usize) -> Vec<Point> {
    (0..sides)
        .map(|i| {
            let angle = std::f64::consts::TAU * i as f64 / sides as f64;
            [at[0] + radius * libm::cos(angle), at[1] + radius * libm::sin(angle)]
        })
        .collect()
}

fn fence_mesh(mesh: &mut Mesh, line: &[Point], height: f64, ground: &Ground<'_>) {
    const SPACING: f64 = 2.5;
    for pair in line.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let count = libm::ceil(distance(a, b) / SPACING).max(1.0) as usize;
        let at = |i: usize| {
            let t = i as f64 / count as f64;
            [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
        };
        for i in 0..count {
            let (p, q) = (at(i), at(i + 1));
            let z = ground.height(p).max(ground.height(q));
            mesh.post("steel", p, 0.08, ground.height(p) - 0.2, z + height);
            for rail in [0.15, height - 0.15] {
                mesh.bar("steel", p, q, 0.015, z + rail, z + rail + 0.04);
            }
            for bar in 1..8 {
                let t = f64::from(bar) / 8.0;
                let r = [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])];
                mesh.post("steel", r, 0.02, z + 0.15, z + height - 0.1);
            }
        }
    }
}

fn object_mesh(mesh: &mut Mesh, object: &Object, z: f64) {
    let at = metres(object.at);
    let size = object.size_mm.map(|s| f64::from(s) / 1e3);
    let angle = object.heading_deg.to_radians();
    let u = [libm::cos(angle), libm::sin(angle)];
    let along = |s: f64, d: f64| [at[0] + u[0] * s - u[1] * d, at[1] + u[1] * s + u[0] * d];
    let (half, top) = (size[0] / 2.0, z + size[2]);
    match object.kind {
        ObjectKind::Lamp => {
            mesh.post("steel", at, 0.12, z, top);
            mesh.post("frame", at, 0.4, top, top + 0.25);
        }
        ObjectKind::Flagpole => {
            mesh.post("steel", at, 0.1, z, top);
            mesh.bar("red", along(0.05, 0.0), along(1.8, 0.0), 0.01, top - 1.3, top - 0.1);
        }
        ObjectKind::Bench => {
            mesh.bar("wood", along(-half, 0.0), along(half, 0.0), size[1] / 2.0, z + 0.4, z + 0.45);
            mesh.post("concrete", along(-half * 0.8, 0.0), 0.15, z, z + 0.4);
            mesh.post("concrete", along(half * 0.8, 0.0), 0.15, z, z + 0.4);
        }
        ObjectKind::Basketball => {
            mesh.post("steel", at, 0.2, z, z + 3.0);
            mesh.bar("steel", at, along(1.2, 0.0), 0.06, z + 2.9, z + 3.0);
            mesh.bar("frame", along(1.2, -0.9), along(1.2, 0.9), 0.02, z + 2.9, z + 3.95);
            mesh.bar("red", along(1.25, -0.22), along(1.25, 0.22), 0.02, z + 3.05, z + 3.1);
        }
        ObjectKind::Goal => {
            mesh.post("frame", along(0.0, -half), 0.1, z, top);
            mesh.post("frame", along(0.0, half), 0.1, z, top);
            mesh.bar("frame", along(0.0, -half), along(0.0, half), 0.05, top - 0.1, top);
        }
        ObjectKind::TableTennis => {
            mesh.bar("court", along(-half, 0.0), along(half, 0.0), size[1] / 2.0, z + 0.72, z + 0.76);
            mesh.post("concrete", at, 0.6, z, z + 0.72);
        }
        ObjectKind::BicycleStand => {
            let bays = (size[0] / 0.8) as usize;
            for i in 0..=bays {
                let s = -half + i as f64 * 0.8;
                mesh.bar("steel", along(s, -0.4), along(s, 0.4), 0.02, z, z + 0.7);
            }
            mesh.bar("steel", along(-half, 0.0), along(half, 0.0), size[1] / 2.0, top - 0.08, top);
            for s in [-half + 0.2, half - 0.2] {
                mesh.post("steel", along(s, size[1] / 2.0 - 0.15), 0.1, z, top);
            }
        }
        ObjectKind::WeatherStation => {
            mesh.post("steel", at, 0.08, z, top);
            mesh.post("frame", [at[0], at[1]], 0.35, top - 1.2, top - 0.8);
        }
        ObjectKind::Waste => mesh.bar("marking", along(-half, 0.0), along(half, 0.0), size[1] / 2.0, z, top),
        ObjectKind::Board => {
            mesh.bar("frame", along(-half, 0.0), along(half, 0.0), 0.04, z + 0.8, top);
            mesh.post("steel", along(-half, 0.0), 0.1, z, top);
            mesh.post("steel", along(half, 0.0), 0.1, z, top);
        }
        ObjectKind::Compost => mesh.bar("wood", along(-half, 0.0), along(half, 0.0), size[1] / 2.0, z, top),
        ObjectKind::Tank => mesh.prism("steel", &disc(at, half, 16), z, top),
        ObjectKind::Sculpture | ObjectKind::Box => {
            mesh.bar("concrete", along(-half, 0.0), along(half, 0.0), size[1] / 2.0, z, top);
        }
    }
}

/// Trees: one mesh a habit, scaled by crown and height.
fn trees(glb: &mut Glb, materials: &mut Materials, plan: &Plan, ground: &Ground<'_>) -> Vec<usize> {
    let mut meshes: BTreeMap<&'static str, Option<usize>> = BTreeMap::new();
    plan.outside
        .trees
        .iter()
        .enumerate()
        .map(|(index, tree)| {
            let species = tree.species.to_lowercase();
            let leaf = if species.contains("ginkgo") {
                "leaf-ginkgo"
            } else if ["camphor", "cinnamomum", "osmanthus", "magnolia", "bamboo", "pine"]
                .iter()
                .any(|s| species.contains(s))
            {
                "leaf-dark"
            } else {
                "leaf-mid"
            };
            let mesh = *meshes.entry(leaf).or_insert_with(|| glb.mesh(leaf, &tree_mesh(leaf), materials));
            let at = metres(tree.at);
            let (crown, height) = (tree.crown_mm as f32 / 1e3, tree.height_mm as f32 / 1e3);
            // A golden-angle turn keeps neighbours from looking alike.
            let turn = (index as f64 * 2.399_963) % std::f64::consts::TAU;
            let place = crate::mesh::gltf([at[0], at[1], ground.height(at) - 0.05]);
            glb.node(Node {
                name: tree.id.clone(),
                path: format!("site/{}", tree.id),
                kind: "tree",
                mesh,
                placed: Some((place, turn, [crown, height, crown])),
                ..Node::default()
            })
        })
        .collect()
}

/// A tree of height 1 and crown width 1: a tapering trunk and three rounded masses of leaves.
fn tree_mesh(leaf: &str) -> Mesh {
    let mut mesh = Mesh::default();
    frustum(&mut mesh, "bark", [0.0, 0.0], [0.0, 0.5], [0.045, 0.025], 6);
    for (at, low, high, radius) in
        [([0.0, 0.0], 0.30, 0.86, 0.46), ([0.12, 0.08], 0.52, 1.0, 0.30), ([-0.14, -0.06], 0.45, 0.92, 0.30)]
    {
        blob(&mut mesh, leaf, at, [low, high], radius);
    }
    mesh
}

fn frustum(mesh: &mut Mesh, material: &str, at: Point, z: [f64; 2], radius: [f64; 2], sides: usize) {
    let (low, high) = (disc(at, radius[0], sides), disc(at, radius[1], sides));
    for i in 0..sides {
        let j = (i + 1) % sides;
        let lift = |p: Point, z: f64| [p[0], p[1], z];
        mesh.quad(
            material,
            [lift(low[i], z[0]), lift(low[j], z[0]), lift(high[j], z[1]), lift(high[i], z[1])],
        );
    }
}

/// A rounded mass: an ellipsoid in facets.
fn blob(mesh: &mut Mesh, material: &str, at: Point, z: [f64; 2], radius: f64) {
    const RINGS: usize = 5;
    const SIDES: usize = 8;
    let level = |i: usize| {
        let angle = std::f64::consts::PI * (i as f64 / RINGS as f64 - 0.5);
        let middle = (z[0] + z[1]) / 2.0;
        (middle + (z[1] - z[0]) / 2.0 * libm::sin(angle), (radius * libm::cos(angle)).max(0.0))
    };
    for i in 0..RINGS {
        let ((low, inner), (high, outer)) = (level(i), level(i + 1));
        frustum(mesh, material, at, [low, high], [inner, outer], SIDES);
    }
}
