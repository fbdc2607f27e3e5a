//! Walls with real openings, and what fills the openings.

use std::collections::BTreeMap;

use campanile_model::{Building, Construction, Leaf, Opening, OpeningKind, Storey};

use crate::geometry::{Point, distance, metres};
use crate::material::construction;
use crate::mesh::Mesh;
use crate::topology::{Edges, thickness_m};

/// What a wall's end gives way to another wall, so that their faces never lie in one plane, metres.
const SHY: f64 = 0.002;

/// A line with a thickness: the frame that a wall and its openings are drawn in.
struct Line {
    a: Point,
    u: Point,
    n: Point,
    length: f64,
    half: f64,
}

impl Line {
    fn new(a: Point, b: Point, half: f64) -> Self {
        let length = distance(a, b).max(1e-9);
        let u = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
        Self { a, u, n: [-u[1], u[0]], length, half }
    }

    /// The point `s` along and `d` to the left.
    fn at(&self, s: f64, d: f64) -> Point {
        [self.a[0] + self.u[0] * s + self.n[0] * d, self.a[1] + self.u[1] * s + self.n[1] * d]
    }

    /// A box between two stations, `half` to each side.
    fn bar(&self, mesh: &mut Mesh, material: &str, s: [f64; 2], half: f64, z: [f64; 2]) {
        mesh.bar(material, self.at(s[0], 0.0), self.at(s[1], 0.0), half, z[0], z[1]);
    }
}

/// An opening within its wall, in metres from the wall's first vertex and from datum.
#[derive(Clone, Copy, Debug)]
struct Gap {
    s: [f64; 2],
    z: [f64; 2],
}

fn gap(opening: &Opening, storey: &Storey, wall: [u32; 2], length: f64) -> Gap {
    let (at, width) = (f64::from(opening.at_mm) / 1e3, f64::from(opening.width_mm) / 1e3);
    let s = if opening.wall == wall { [at, at + width] } else { [length - at - width, length - at] };
    let low = f64::from(storey.floor_mm + opening.sill_mm) / 1e3;
    Gap { s, z: [low, low + f64::from(opening.height_mm) / 1e3] }
}

/// What fills an opening, drawn in its own frame: along x from its first jamb, z up from its sill. So all windows of
/// one size are one mesh.
#[derive(Clone, Debug, Default)]
pub struct Filling {
    pub mesh: Mesh,
    /// Where the first jamb meets the sill, on the wall's middle line.
    pub at: [f64; 3],
    /// The wall's direction, radians counter-clockwise from east.
    pub angle: f64,
}

/// The walls of a storey as closed solids with their openings cut, and each opening's filling.
pub fn walls(
    building: &Building,
    storey: &Storey,
    slab_m: f64,
    constructions: &BTreeMap<String, Construction>,
) -> (Mesh, Vec<Filling>) {
    let point = |i: u32| building.vertices.get(i as usize).map_or([0.0; 2], |v| metres(*v));
    let sides = Edges::of(storey);
    let mut at_vertex: BTreeMap<u32, Vec<(usize, f64)>> = BTreeMap::new();
    for (index, wall) in storey.walls.iter().enumerate() {
        let thickness = thickness_m(wall, constructions);
        at_vertex.entry(wall.a).or_default().push((index, thickness));
        at_vertex.entry(wall.b).or_default().push((index, thickness));
    }
    let mut openings_of: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (index, opening) in storey.openings.iter().enumerate() {
        let [a, b] = opening.wall;
        openings_of.entry((a.min(b), a.max(b))).or_default().push(index);
    }
    let mut solid = Mesh::default();
    let mut fillings = vec![Filling::default(); storey.openings.len()];
    let low = f64::from(storey.floor_mm) / 1e3;
    for (index, wall) in storey.walls.iter().enumerate() {
        let (a, b) = (point(wall.a), point(wall.b));
        let line = Line::new(a, b, thickness_m(wall, constructions) / 2.0);
        let height = wall.height_mm.unwrap_or(storey.height_mm);
        let high = low + f64::from(height) / 1e3 - if wall.height_mm.is_none() { slab_m } else { 0.0 };
        let outside = construction(&wall.construction);
        let faces = sides.sides(wall.a, wall.b);
        let face = |space: Option<usize>| if space.is_some() { "plaster" } else { outside.as_str() };
        let (left, right) = (face(faces.left), face(faces.right));
        // Ends reach into the walls they meet, so that corners are closed.
        let reach = |vertex: u32| {
            let others = at_vertex.get(&vertex).into_iter().flatten().filter(|(other, _)| *other != index);
            others.map(|(_, t)| t / 2.0).fold(0.0_f64, f64::max) - SHY
        };
        let span = [-reach(wall.a).max(0.0), line.length + reach(wall.b).max(0.0)];
        let mine = openings_of.get(&(wall.a.min(wall.b), wall.a.max(wall.b)));
        let mut gaps: Vec<(usize, Gap)> = mine
            .into_iter()
            .flatten()
            .map(|i| (*i, gap(&storey.openings[*i], storey, [wall.a, wall.b], line.length)))
            .collect();
        gaps.sort_by(|x, y| x.1.s[0].total_cmp(&y.1.s[0]));
        solid_with_gaps(&mut solid, &line, span, [low, high], &gaps, [left, right, &outside]);
        for (opening, gap) in gaps {
            fillings[opening] = filling(&storey.openings[opening], &line, gap, high);
        }
    }
    (solid, fillings)
}

/// A wall cut into upright columns at its openings' jambs; above and below each opening stands what is left.
fn solid_with_gaps(
    mesh: &mut Mesh,
    line: &Line,
    span: [f64; 2],
    z: [f64; 2],
    gaps: &[(usize, Gap)],
    [left, right, edge]: [&str; 3],
) {
    let mut blocks: Vec<([f64; 2], [f64; 2])> = Vec::new();
    let mut from = span[0];
    for (_, gap) in gaps {
        blocks.push(([from, gap.s[0]], z));
        blocks.push((gap.s, [z[0], gap.z[0]]));
        blocks.push((gap.s, [gap.z[1].min(z[1]), z[1]]));
        from = gap.s[1];
    }
    blocks.push(([from, span[1]], z));
    for (s, z) in blocks {
        if s[1] - s[0] < 1e-6 || z[1] - z[0] < 1e-6 {
            continue;
        }
        let h = line.half;
        let [near, far] = [[line.at(s[0], -h), line.at(s[1], -h)], [line.at(s[0], h), line.at(s[1], h)]];
        mesh.upright(right, near[0], near[1], [z[0]; 2], [z[1]; 2]);
        mesh.upright(left, far[1], far[0], [z[0]; 2], [z[1]; 2]);
        mesh.upright(edge, near[1], far[1], [z[0]; 2], [z[1]; 2]);
        mesh.upright(edge, far[0], near[0], [z[0]; 2], [z[1]; 2]);
        let lift = |p: Point, z: f64| [p[0], p[1], z];
        mesh.quad(edge, [lift(near[0], z[1]), lift(near[1], z[1]), lift(far[1], z[1]), lift(far[0], z[1])]);
        mesh.quad(edge, [lift(near[0], z[0]), lift(far[0], z[0]), lift(far[1], z[0]), lift(near[1], z[0])]);
    }
}

/// Frame and pane of a window, frame and leaf of a door.
fn filling(opening: &Opening, line: &Line, gap: Gap, wall_top: f64) -> Filling {
    // To the micrometre, or sums of storey heights would make each storey's windows a mesh of their own.
    let exact = |x: f64| libm::round(x * 1e6) / 1e6;
    let (width, height) = (exact(gap.s[1] - gap.s[0]), exact(gap.z[1].min(wall_top) - gap.z[0]));
    let own = Line { a: [0.0; 2], u: [1.0, 0.0], n: [0.0, 1.0], length: width, half: exact(line.half) };
    let mut mesh = Mesh::default();
    if height > 0.0 {
        fill(&mut mesh, opening, &own, [width, height]);
    }
    let [x, y] = line.at(gap.s[0], 0.0);
    Filling { mesh, at: [x, y, gap.z[0]], angle: libm::atan2(line.u[1], line.u[0]) }
}

fn fill(mesh: &mut Mesh, opening: &Opening, line: &Line, [width, height]: [f64; 2]) {
    const FRAME: f64 = 0.05;
    let z = [0.0, height];
    let [s0, s1] = [0.0, width];
    let material = opening.construction.as_deref().map(construction);
    match opening.kind {
        OpeningKind::Gap => {}
        OpeningKind::Window => {
            let depth = 0.035;
            for (s, z) in [
                ([s0, s1], [z[0], z[0] + FRAME]),
                ([s0, s1], [z[1] - FRAME, z[1]]),
                ([s0, s0 + FRAME], [z[0] + FRAME, z[1] - FRAME]),
                ([s1 - FRAME, s1], [z[0] + FRAME, z[1] - FRAME]),
            ] {
                line.bar(mesh, "frame", s, depth, z);
            }
            // A mullion about every 1.2 m.
            let lights = libm::ceil((s1 - s0) / 1.3) as usize;
            for i in 1..lights {
                let s = s0 + (s1 - s0) * i as f64 / lights as f64;
                line.bar(mesh, "frame", [s - 0.02, s + 0.02], depth, [z[0] + FRAME, z[1] - FRAME]);
            }
            line.bar(mesh, "glass", [s0 + FRAME, s1 - FRAME], 0.006, [z[0] + FRAME, z[1] - FRAME]);
        }
        OpeningKind::Door | OpeningKind::Hatch => {
            line.bar(mesh, "frame", [s0, s0 + FRAME], line.half + 0.01, z);
            line.bar(mesh, "frame", [s1 - FRAME, s1], line.half + 0.01, z);
            line.bar(mesh, "frame", [s0 + FRAME, s1 - FRAME], line.half + 0.01, [z[1] - FRAME, z[1]]);
            if opening.leaf == Leaf::None {
                return;
            }
            let leaf = if opening.fire_rating_min.is_some() {
                "red".to_owned()
            } else {
                material.unwrap_or_else(|| "door".to_owned())
            };
            let top = z[1] - FRAME;
            let middle = (s0 + s1) / 2.0;
            if opening.leaf == Leaf::Double {
                line.bar(mesh, &leaf, [s0 + FRAME, middle - 0.005], 0.022, [z[0] + 0.01, top]);
                line.bar(mesh, &leaf, [middle + 0.005, s1 - FRAME], 0.022, [z[0] + 0.01, top]);
            } else {
                line.bar(mesh, &leaf, [s0 + FRAME, s1 - FRAME], 0.022, [z[0] + 0.01, top]);
            }
        }
    }
}
