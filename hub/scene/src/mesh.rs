//! Triangles under construction. Input is in plan axes (x east, y north, z up) and metres; what is
//! kept is in glTF axes (x east, y up, z south).

use std::collections::HashMap;

use crate::plane::{self, P2};

/// A point or vector in plan axes, metres.
pub(crate) type P3 = [f64; 3];

/// Welded, indexed triangles with normals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    pub positions: Vec<[f32; 3]>,
    pub normals: Vec<[f32; 3]>,
    pub indices: Vec<u32>,
    /// Vertices by place (0.1 mm) and normal (1/1000). Only looked up, so its order doesn't matter.
    known: HashMap<[i32; 6], u32>,
}

pub(crate) fn sub(a: P3, b: P3) -> P3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn cross3(a: P3, b: P3) -> P3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(crate) fn unit(a: P3) -> P3 {
    let l = (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]).sqrt();
    if l > 1e-12 { [a[0] / l, a[1] / l, a[2] / l] } else { [0.0, 0.0, 1.0] }
}

/// From plan axes to glTF's.
pub(crate) fn y_up(p: P3) -> [f32; 3] {
    // Adding zero turns -0 into 0.
    [p[0] as f32, p[2] as f32, (-p[1] + 0.0) as f32]
}

fn metres(p: P2) -> P2 {
    [p[0] / 1000.0, p[1] / 1000.0]
}

impl Mesh {
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    pub fn vertex(&mut self, p: P3, normal: P3) -> u32 {
        let place = p.map(|c| (c * 1e4).round() as i32);
        let turn = normal.map(|c| (c * 1e3).round() as i32);
        let key = [place[0], place[1], place[2], turn[0], turn[1], turn[2]];
        let next = self.positions.len() as u32;
        let index = *self.known.entry(key).or_insert(next);
        if index == next {
            self.positions.push(y_up(p));
            self.normals.push(y_up(normal));
        }
        index
    }

    fn triangle(&mut self, t: [u32; 3]) {
        if t[0] != t[1] && t[1] != t[2] && t[2] != t[0] {
            self.indices.extend(t);
        }
    }

    /// A planar convex polygon that runs counter-clockwise seen from outside.
    pub fn polygon(&mut self, corners: &[P3]) {
        let n = corners.len();
        // Newell's sum doesn't mind corners on one line.
        let mut normal = [0.0; 3];
        for i in 0..n {
            let turn = cross3(sub(corners[i], corners[0]), sub(corners[(i + 1) % n], corners[0]));
            for k in 0..3 {
                normal[k] += turn[k];
            }
        }
        let normal = unit(normal);
        let ids: Vec<u32> = corners.iter().map(|p| self.vertex(*p, normal)).collect();
        for i in 1..n.saturating_sub(1) {
            self.triangle([ids[0], ids[i], ids[i + 1]]);
        }
    }

    /// A polygon with its own smooth normals.
    pub fn smooth(&mut self, corners: &[(P3, P3)]) {
        let ids: Vec<u32> = corners.iter().map(|(p, normal)| self.vertex(*p, *normal)).collect();
        for i in 1..ids.len().saturating_sub(1) {
            self.triangle([ids[0], ids[i], ids[i + 1]]);
        }
    }

    /// A level area at a height, facing up. Rings in millimetres.
    pub fn level(&mut self, rings: &[Vec<P2>], z: f64) {
        self.sheet(rings, |_| z, true);
    }

    fn sheet(&mut self, rings: &[Vec<P2>], z: impl Fn(P2) -> f64, up: bool) {
        let (points, found) = plane::triangles(rings);
        let normal = [0.0, 0.0, if up { 1.0 } else { -1.0 }];
        let mut ids = Vec::with_capacity(points.len());
        for p in points {
            let m = metres(p);
            ids.push(self.vertex([m[0], m[1], z(p)], normal));
        }
        for [a, b, c] in found {
            self.triangle(if up { [ids[a], ids[b], ids[c]] } else { [ids[a], ids[c], ids[b]] });
        }
    }

    /// A solid between two heights. Rings in millimetres, the outline counter-clockwise, holes clockwise.
    pub fn prism(&mut self, rings: &[Vec<P2>], z0: f64, z1: f64) {
        self.sheet(rings, |_| z1, true);
        self.sheet(rings, |_| z0, false);
        for ring in rings {
            let n = ring.len();
            for i in 0..n {
                let (a, b) = (metres(ring[i]), metres(ring[(i + 1) % n]));
                self.polygon(&[[a[0], a[1], z0], [b[0], b[1], z0], [b[0], b[1], z1], [a[0], a[1], z1]]);
            }
        }
    }

    /// A profile in (along, height), metres, counter-clockwise seen from the right, drawn out across.
    /// `origin` and `u` are the foot in plan metres and the way along; `left` and `right` are how far
    /// it reaches to both sides.
    pub fn extrude(&mut self, profile: &[P2], origin: P3, u: P2, left: f64, right: f64) {
        let place = |p: P2, side: f64| {
            let q = plane::step([origin[0], origin[1]], u, p[0], side);
            [q[0], q[1], origin[2] + p[1]]
        };
        let (points, found) = plane::triangles(&[profile.to_vec()]);
        for [a, b, c] in found {
            self.polygon(&[place(points[a], -right), place(points[b], -right), place(points[c], -right)]);
            self.polygon(&[place(points[a], left), place(points[c], left), place(points[b], left)]);
        }
        let n = profile.len();
        for i in 0..n {
            let (a, b) = (profile[i], profile[(i + 1) % n]);
            self.polygon(&[place(a, left), place(b, left), place(b, -right), place(a, -right)]);
        }
    }

    /// A box by two corners in plan axes, metres.
    pub fn cuboid(&mut self, min: P3, max: P3) {
        let rings = [vec![
            [min[0] * 1e3, min[1] * 1e3],
            [max[0] * 1e3, min[1] * 1e3],
            [max[0] * 1e3, max[1] * 1e3],
            [min[0] * 1e3, max[1] * 1e3],
        ]];
        self.prism(&rings, min[2], max[2]);
    }

    /// A turned body: rings of (radius, height), metres, from the bottom up, around `(x, y)`.
    pub fn turned(&mut self, centre: P2, sides: usize, profile: &[P2]) {
        let at = |i: usize, r: f64, z: f64| {
            let u = plane::heading(360.0 * (i % sides) as f64 / sides as f64);
            [centre[0] + u[0] * r, centre[1] + u[1] * r, z]
        };
        for pair in profile.windows(2) {
            let ([r0, z0], [r1, z1]) = (pair[0], pair[1]);
            let slope = (r0 - r1, z1 - z0);
            for i in 0..sides {
                let normal = |k: usize| {
                    let u = plane::heading(360.0 * (k % sides) as f64 / sides as f64);
                    unit([u[0] * slope.1, u[1] * slope.1, slope.0])
                };
                let mut corners =
                    vec![(at(i, r0, z0), normal(i)), (at(i + 1, r0, z0), normal(i + 1))];
                if r1 > 0.0 {
                    corners.push((at(i + 1, r1, z1), normal(i + 1)));
                }
                corners.push((at(i, r1, z1), normal(i)));
                if r0 <= 0.0 {
                    corners.remove(1);
                }
                self.smooth(&corners);
            }
        }
        for (end, up) in [(profile.first(), false), (profile.last(), true)] {
            if let Some([r, z]) = end.copied().filter(|p| p[0] > 0.0) {
                let mut ring: Vec<P3> = (0..sides).map(|i| at(i, r, z)).collect();
                if !up {
                    ring.reverse();
                }
                self.polygon(&ring);
            }
        }
    }

    /// A round bar between two points, metres.
    pub fn bar(&mut self, a: P3, b: P3, radius: f64, sides: usize) {
        let along = unit(sub(b, a));
        let side = unit(cross3(along, if along[2].abs() < 0.9 { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] }));
        let other = cross3(along, side);
        let out = |i: usize| {
            let u = plane::heading(360.0 * (i % sides) as f64 / sides as f64);
            [0, 1, 2].map(|k| side[k] * u[0] + other[k] * u[1])
        };
        let at = |p: P3, o: P3| [0, 1, 2].map(|k| p[k] + o[k] * radius);
        for i in 0..sides {
            let (n, m) = (out(i), out(i + 1));
            self.smooth(&[(at(a, n), n), (at(a, m), m), (at(b, m), m), (at(b, n), n)]);
        }
        self.polygon(&(0..sides).rev().map(|i| at(a, out(i))).collect::<Vec<_>>());
        self.polygon(&(0..sides).map(|i| at(b, out(i))).collect::<Vec<_>>());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The volume in m³ and the number of edges without a partner that runs the other way.
    pub(crate) fn volume_and_open_edges(mesh: &Mesh) -> (f64, usize) {
        let key = |i: u32| mesh.positions[i as usize].map(|c| (f64::from(c) * 1e4).round() as i64);
        let mut edges: BTreeMap<_, i32> = BTreeMap::new();
        let mut volume = 0.0;
        for t in mesh.indices.chunks_exact(3) {
            let p = [t[0], t[1], t[2]].map(|i| mesh.positions[i as usize].map(f64::from));
            let c = cross3(p[1], p[2]);
            volume += (p[0][0] * c[0] + p[0][1] * c[1] + p[0][2] * c[2]) / 6.0;
            for k in 0..3 {
                let (a, b) = (key(t[k]), key(t[(k + 1) % 3]));
                *edges.entry(if a < b { (a, b) } else { (b, a) }).or_default() += if a < b { 1 } else { -1 };
            }
        }
        (volume, edges.values().filter(|n| **n != 0).count())
    }

    #[test]
    fn solids_are_closed_and_have_their_volume() {
        let mut prism = Mesh::default();
        let square = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b]];
        let hole = square(1000.0, 2000.0).into_iter().rev().collect();
        prism.prism(&[square(0.0, 3000.0), hole], 1.0, 3.0);
        let mut profile = Mesh::default();
        profile.extrude(&[[0.0, 0.0], [2.0, 0.0], [2.0, 1.0]], [5.0, 5.0, 0.0], [0.0, 1.0], 1.0, 0.5);
        let mut cone = Mesh::default();
        cone.turned([1.0, 1.0], 64, &[[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]);
        let mut bar = Mesh::default();
        bar.bar([0.0; 3], [0.0, 3.0, 0.0], 0.5, 64);
        let pi = std::f64::consts::PI;
        for (name, mesh, exact) in [
            ("prism", prism, 16.0),
            ("profile", profile, 1.5),
            ("cone", cone, pi * 4.0 / 3.0),
            ("bar", bar, pi * 0.75),
        ] {
            let (volume, open) = volume_and_open_edges(&mesh);
            assert_eq!(open, 0, "{name}");
            assert!((volume / exact - 1.0).abs() < 0.003, "{name}: {volume}, should be {exact}");
        }
    }

    #[test]
    fn equal_vertices_are_one() {
        let mut mesh = Mesh::default();
        mesh.cuboid([0.0; 3], [1.0; 3]);
        assert_eq!((mesh.positions.len(), mesh.indices.len()), (24, 36));
        mesh.cuboid([0.0; 3], [1.0; 3]);
        assert_eq!(mesh.positions.len(), 24);
    }
}
