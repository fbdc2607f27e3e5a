//! Flat-shaded meshes by material.

use std::collections::BTreeMap;

use crate::geometry::{Point, Polygon, distance, edges, triangulate};

/// A corner in plan metres, z up.
pub type Corner = [f64; 3];

/// Triangles of one material.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surface {
    pub positions: Vec<[f32; 3]>,
    pub normals: Vec<[f32; 3]>,
    pub indices: Vec<u32>,
}

/// Surfaces by material, in order of its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    pub surfaces: BTreeMap<String, Surface>,
}

/// From plan axes (z up) to glTF's (y up), in metres.
pub fn gltf(p: Corner) -> [f32; 3] {
    [p[0] as f32, p[2] as f32, -p[1] as f32]
}

impl Mesh {
    pub fn is_empty(&self) -> bool {
        self.surfaces.values().all(|s| s.indices.is_empty())
    }

    /// A triangle, counter-clockwise seen from outside; one without area is left out.
    pub fn triangle(&mut self, material: &str, corners: [Corner; 3]) {
        let [a, b, c] = corners;
        let (u, v) = (sub(b, a), sub(c, a));
        let n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        let length = libm::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
        if length < 1e-9 {
            return;
        }
        let normal = gltf([n[0] / length, n[1] / length, n[2] / length]);
        let surface = self.surfaces.entry(material.to_owned()).or_default();
        for corner in corners {
            surface.indices.push(surface.positions.len() as u32);
            surface.positions.push(gltf(corner));
            surface.normals.push(normal);
        }
    }

    /// A flat quad, counter-clockwise seen from outside.
    pub fn quad(&mut self, material: &str, [a, b, c, d]: [Corner; 4]) {
        self.triangle(material, [a, b, c]);
        self.triangle(material, [a, c, d]);
    }

    /// A level polygon that is seen from above.
    pub fn level(&mut self, material: &str, polygon: &Polygon, z: f64) {
        for t in triangulate(polygon) {
            self.triangle(material, t.map(|p| [p[0], p[1], z]));
        }
    }

    /// A level polygon that is seen from below.
    pub fn ceiling(&mut self, material: &str, polygon: &Polygon, z: f64) {
        for [a, b, c] in triangulate(polygon) {
            self.triangle(material, [a, c, b].map(|p| [p[0], p[1], z]));
        }
    }

    /// A box along a line: `half` to each side of it, from `low` to `high`.
    pub fn bar(&mut self, material: &str, a: Point, b: Point, half: f64, low: f64, high: f64) {
        let length = distance(a, b);
        if length < 1e-6 || high - low < 1e-6 {
            return;
        }
        let n = [-(b[1] - a[1]) / length * half, (b[0] - a[0]) / length * half];
        let ring = [
            [a[0] - n[0], a[1] - n[1]],
            [b[0] - n[0], b[1] - n[1]],
            [b[0] + n[0], b[1] + n[1]],
            [a[0] + n[0], a[1] + n[1]],
        ];
        self.prism(material, &ring, low, high);
    }

    /// An upright box around a point.
    pub fn post(&mut self, material: &str, at: Point, size: f64, low: f64, high: f64) {
        let half = size / 2.0;
        self.bar(material, [at[0] - half, at[1]], [at[0] + half, at[1]], half, low, high);
    }

    /// A prism over a counter-clockwise ring.
    pub fn prism(&mut self, material: &str, ring: &[Point], low: f64, high: f64) {
        let polygon = Polygon { outline: ring.to_vec(), holes: Vec::new() };
        self.level(material, &polygon, high);
        self.ceiling(material, &polygon, low);
        for (a, b) in edges(ring) {
            self.upright(material, a, b, [low, low], [high, high]);
        }
    }

    /// An upright quad over the edge from `a` to `b`, seen from the right of it (from outside a counter-clockwise
    /// ring).
    pub fn upright(&mut self, material: &str, a: Point, b: Point, low: [f64; 2], high: [f64; 2]) {
        self.quad(
            material,
            [[a[0], a[1], low[0]], [b[0], b[1], low[1]], [b[0], b[1], high[1]], [a[0], a[1], high[0]]],
        );
    }
}

fn sub(a: Corner, b: Corner) -> Corner {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}
