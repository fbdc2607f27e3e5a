//! Flat-shaded meshes by material.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use crate::geometry::{Point, Polygon, distance, edges, triangulate};

/// A corner in plan metres, z up.
pub type Corner = [f64; 3];

/// Triangles of one material. A vertex is stored once for all triangles that share its place and normal.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    pub positions: Vec<[f32; 3]>,
    pub normals: Vec<[f32; 3]>,
    pub indices: Vec<u32>,
    known: HashMap<[u32; 6], u32>,
}

impl Surface {
    fn vertex(&mut self, position: [f32; 3], normal: [f32; 3]) -> u32 {
        let bits = |[x, y, z]: [f32; 3]| [x.to_bits(), y.to_bits(), z.to_bits()];
        let ([a, b, c], [d, e, f]) = (bits(position), bits(normal));
        *self.known.entry([a, b, c, d, e, f]).or_insert_with(|| {
            self.positions.push(position);
            self.normals.push(normal);
            self.positions.len() as u32 - 1
        })
    }

    /// Everything that makes it what it is, in bits: two of the same bits are the same.
    fn bits(&self) -> impl Iterator<Item = u32> + '_ {
        let floats = self.positions.iter().chain(&self.normals).flatten().map(|x| x.to_bits());
        self.indices.iter().copied().chain(floats)
    }
}

impl PartialEq for Surface {
    fn eq(&self, other: &Self) -> bool {
        self.bits().eq(other.bits())
    }
}

impl Eq for Surface {}

impl Hash for Surface {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().for_each(|b| state.write_u32(b));
    }
}

/// Surfaces by material, in order of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mesh {
    pub surfaces: BTreeMap<String, Surface>,
}

/// From plan axes (z up) to glTF's (y up), in metres. Zero has one sign, so that equal corners have equal bits.
pub fn gltf(p: Corner) -> [f32; 3] {
    [p[0] as f32 + 0.0, p[2] as f32 + 0.0, -p[1] as f32 + 0.0]
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
            let vertex = surface.vertex(gltf(corner), normal);
            surface.indices.push(vertex);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prism_is_closed_and_faces_outwards() {
        let mut mesh = Mesh::default();
        mesh.prism("x", &[[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]], 0.0, 3.0);
        let surface = &mesh.surfaces["x"];
        let corner = |i: u32| surface.positions[i as usize].map(f64::from);
        let mut edges: BTreeMap<[[i64; 3]; 2], i32> = BTreeMap::new();
        let mut volume = 0.0;
        for t in surface.indices.chunks(3) {
            let [a, b, c] = [corner(t[0]), corner(t[1]), corner(t[2])];
            volume += (a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
                + a[2] * (b[0] * c[1] - b[1] * c[0]))
                / 6.0;
            for (p, q) in [(a, b), (b, c), (c, a)] {
                let key = |p: Corner| p.map(|x| (x * 1e3) as i64);
                *edges.entry([key(p), key(q)]).or_default() += 1;
                *edges.entry([key(q), key(p)]).or_default() -= 1;
            }
        }
        assert!(edges.values().all(|n| *n == 0), "each edge is walked once each way");
        // Positive: the faces look outwards.
        assert!((volume - 6.0).abs() < 1e-9, "{volume}");
        // Six faces of four corners, each with the normal of its face.
        assert_eq!((surface.positions.len(), surface.indices.len()), (24, 36));
    }
}
