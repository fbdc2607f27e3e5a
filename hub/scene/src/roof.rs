//! Roofs. A pitched roof is the lowest of planes that rise from its eaves: one plane a mono, two a gable, one for each
//! edge a hip.

use campanile_model::{Building, Roof, RoofKind};

use crate::geometry::{Point, Polygon, bounds, centroid, clip, distance, edges, ring};
use crate::material::construction;
use crate::mesh::Mesh;

/// Thickness of a flat roof's build-up and of a parapet, metres.
const FLAT_M: f64 = 0.25;
const PARAPET_M: f64 = 0.2;

pub fn roof(building: &Building, roof: &Roof) -> Mesh {
    let outline = ring(&building.vertices, &roof.outline);
    let base = f64::from(roof.base_mm) / 1e3;
    let material = construction(&roof.construction);
    let mut mesh = Mesh::default();
    if outline.len() < 3 {
        return mesh;
    }
    if roof.kind == RoofKind::Flat {
        mesh.prism(&material, &outline, base, base + FLAT_M);
        let parapet = f64::from(roof.parapet_mm) / 1e3;
        if parapet > 0.0 {
            for (a, b) in edges(&outline) {
                // Inside the eaves, so that walls below and parapet show one face.
                let (u, length) = ([b[0] - a[0], b[1] - a[1]], distance(a, b).max(1e-9));
                let n = [-u[1] / length * PARAPET_M / 2.0, u[0] / length * PARAPET_M / 2.0];
                let shift = |p: Point| [p[0] + n[0], p[1] + n[1]];
                mesh.bar(
                    "plaster",
                    shift(a),
                    shift(b),
                    PARAPET_M / 2.0,
                    base + FLAT_M,
                    base + FLAT_M + parapet,
                );
            }
        }
        if roof.solar.is_some() {
            panels(&mut mesh, &outline, &|_| base + FLAT_M + 0.4);
        }
        return mesh;
    }
    let planes = planes(roof, &outline, base);
    for (i, plane) in planes.iter().enumerate() {
        let face = planes
            .iter()
            .enumerate()
            .filter(|(j, _)| *j != i)
            .fold(outline.clone(), |face, (_, other)| clip(&face, |p| other(p) - plane(p)));
        if face.len() < 3 {
            continue;
        }
        for t in crate::geometry::triangulate(&Polygon { outline: face.clone(), holes: Vec::new() }) {
            mesh.triangle(&material, t.map(|p| [p[0], p[1], plane(p)]));
        }
        for (a, b) in edges(&face).filter(|(a, b)| on_outline(&outline, *a, *b)) {
            if plane(a) - base > 1e-6 || plane(b) - base > 1e-6 {
                mesh.upright("plaster", a, b, [base; 2], [plane(a), plane(b)]);
            }
        }
        if roof.solar.is_some() {
            panels(&mut mesh, &face, &|p| plane(p) + 0.12);
        }
    }
    mesh.ceiling(&material, &Polygon { outline, holes: Vec::new() }, base);
    mesh
}

type Plane = Box<dyn Fn(Point) -> f64>;

fn planes(roof: &Roof, outline: &[Point], base: f64) -> Vec<Plane> {
    let slope = libm::tan(roof.pitch_deg.to_radians());
    let ridge = [libm::cos(roof.ridge_deg.to_radians()), libm::sin(roof.ridge_deg.to_radians())];
    let across = [-ridge[1], ridge[0]];
    let along = |p: Point, n: Point| p[0] * n[0] + p[1] * n[1];
    let (low, high) = outline
        .iter()
        .map(|p| along(*p, across))
        .fold((f64::MAX, f64::MIN), |(low, high), d| (low.min(d), high.max(d)));
    let rising =
        move |from: f64, n: Point| -> Plane { Box::new(move |p| base + slope * (along(p, n) - from)) };
    match roof.kind {
        RoofKind::Flat => Vec::new(),
        RoofKind::Mono => vec![rising(low, across)],
        RoofKind::Gable => vec![rising(low, across), rising(-high, [-across[0], -across[1]])],
        RoofKind::Hip => edges(outline)
            .map(|(a, b)| {
                let length = distance(a, b).max(1e-9);
                let n = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
                rising(along(a, n), n)
            })
            .collect(),
    }
}

fn on_outline(outline: &[Point], a: Point, b: Point) -> bool {
    let near = |p: Point, (c, d): (Point, Point)| {
        let length = distance(c, d).max(1e-9);
        ((d[0] - c[0]) * (p[1] - c[1]) - (d[1] - c[1]) * (p[0] - c[0])).abs() / length < 1e-6
    };
    edges(outline).any(|edge| near(a, edge) && near(b, edge))
}

/// Rows of photovoltaic modules over a face, away from its edges.
fn panels(mesh: &mut Mesh, face: &[Point], height: &dyn Fn(Point) -> f64) {
    const MODULE: [f64; 2] = [1.1, 1.8];
    const PITCH: [f64; 2] = [1.15, 1.95];
    let middle = centroid(face);
    let inner: Vec<Point> = face
        .iter()
        .map(|p| [middle[0] + (p[0] - middle[0]) * 0.9, middle[1] + (p[1] - middle[1]) * 0.9])
        .collect();
    let (low, high) = bounds(&inner);
    let count = |axis: usize| (((high[axis] - low[axis]) / PITCH[axis]) as usize).min(200);
    for i in 0..count(0) {
        for j in 0..count(1) {
            let at = [low[0] + i as f64 * PITCH[0], low[1] + j as f64 * PITCH[1]];
            let corners = [
                at,
                [at[0] + MODULE[0], at[1]],
                [at[0] + MODULE[0], at[1] + MODULE[1]],
                [at[0], at[1] + MODULE[1]],
            ];
            if corners.iter().all(|p| crate::geometry::contains(&inner, *p)) {
                mesh.quad("solar", corners.map(|p| [p[0], p[1], height(p)]));
            }
        }
    }
}
