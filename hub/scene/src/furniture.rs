//! Furniture by the use of a space: nodes that share a mesh, so that a renderer draws them as instances.

use std::collections::BTreeMap;

use campanile_model::{Building, Space, SpaceUse, Storey};

use crate::geometry::{Point, bounds};
use crate::glb::{Glb, Node};
use crate::material::Materials;
use crate::mesh::Mesh;
use crate::topology;

/// The meshes made so far, by piece.
#[derive(Debug, Default)]
pub struct Furniture {
    meshes: BTreeMap<&'static str, Option<usize>>,
}

/// A piece to stand in a space: which, where from the low corner of the space, turned how.
struct Piece {
    what: &'static str,
    at: Point,
    turn: f64,
}

impl Furniture {
    pub fn furnish(
        &mut self,
        glb: &mut Glb,
        materials: &mut Materials,
        building: &Building,
        storey: &Storey,
        space: &Space,
        storey_path: &str,
    ) -> Vec<usize> {
        let outline = topology::polygon(building, space).outline;
        // Only rectangles are furnished, however they lie: in other shapes a guess would stand in walls.
        let angle = lie(&outline);
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let upright: Vec<Point> =
            outline.iter().map(|[x, y]| [x * cos + y * sin, y * cos - x * sin]).collect();
        let (low, high) = bounds(&upright);
        let area = (high[0] - low[0]) * (high[1] - low[1]);
        if (crate::geometry::area2(&outline) / 2.0 - area).abs() > 0.05 * area {
            return Vec::new();
        }
        let size = [high[0] - low[0], high[1] - low[1]];
        let z = f64::from(storey.floor_mm + space.floor_offset_mm) / 1e3 + 0.005;
        pieces(space.use_, size)
            .into_iter()
            .map(|piece| {
                let mesh = *self
                    .meshes
                    .entry(piece.what)
                    .or_insert_with(|| glb.mesh(piece.what, &mesh_of(piece.what), materials));
                let [x, y] = [low[0] + piece.at[0], low[1] + piece.at[1]];
                let at = crate::mesh::gltf([x * cos - y * sin, x * sin + y * cos, z]);
                glb.node(Node {
                    name: piece.what.to_owned(),
                    path: format!("{storey_path}/{}", space.id),
                    kind: "furniture",
                    storey: Some(storey_path.to_owned()),
                    mesh,
                    placed: Some((at, piece.turn + angle, [1.0; 3])),
                    ..Node::default()
                })
            })
            .collect()
    }
}

/// How a room lies: the direction of its longest wall against the nearest axis, radians from -45° to 45°.
fn lie(outline: &[Point]) -> f64 {
    let longest = crate::geometry::edges(outline).max_by(|(a, b), (c, d)| {
        crate::geometry::distance(*a, *b).total_cmp(&crate::geometry::distance(*c, *d))
    });
    let Some((a, b)) = longest else { return 0.0 };
    let angle = libm::atan2(b[1] - a[1], b[0] - a[0]);
    let quarter = std::f64::consts::FRAC_PI_2;
    let turn = angle - libm::round(angle / quarter) * quarter;
    // A millimetre over a wall is no turn.
    if turn.abs() < 1e-4 { 0.0 } else { turn }
}

/// A grid of pieces within margins: at most `columns` × `rows`.
fn grid(
    what: &'static str,
    size: Point,
    margin: [f64; 4],
    pitch: Point,
    most: [usize; 2],
    turn: f64,
) -> Vec<Piece> {
    let [left, bottom, right, top] = margin;
    let fit = |axis: usize, low: f64, high: f64| {
        let room = size[axis] - low - high;
        if room < 0.0 { 0 } else { ((room / pitch[axis]) as usize + 1).min(most[axis]) }
    };
    let (columns, rows) = (fit(0, left, right), fit(1, bottom, top));
    let mut found = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let at = [left + column as f64 * pitch[0], bottom + row as f64 * pitch[1]];
            found.push(Piece { what, at, turn });
        }
    }
    found
}

fn pieces(use_: SpaceUse, size: Point) -> Vec<Piece> {
    let turned = std::f64::consts::FRAC_PI_2;
    match use_ {
        SpaceUse::Classroom | SpaceUse::Music | SpaceUse::Art => {
            // Pupils look along x towards the board at the low end.
            let mut found = grid("desk", size, [2.6, 1.1, 0.8, 1.1], [1.0, 1.15], [7, 6], turned);
            found.push(Piece { what: "blackboard", at: [0.22, size[1] / 2.0], turn: turned });
            found.push(Piece { what: "teacher-desk", at: [1.3, size[1] / 2.0], turn: turned });
            found
        }
        SpaceUse::Computer | SpaceUse::Laboratory => {
            grid("bench", size, [2.4, 1.4, 1.2, 1.4], [2.2, 1.7], [5, 4], 0.0)
        }
        SpaceUse::Dormitory => {
            grid("bunk", size, [0.75, 1.3, 0.75, 1.3], [(size[0] - 1.5).max(0.9), 2.15], [2, 3], turned)
        }
        // Rows look along x towards the stage at the low end.
        SpaceUse::Hall => grid("chair", size, [4.0, 1.4, 1.0, 1.4], [0.95, 0.58], [22, 30], turned),
        SpaceUse::Activity => grid("dining-table", size, [2.0, 1.6, 2.0, 1.6], [2.8, 2.2], [5, 4], 0.0),
        SpaceUse::Dining => grid("dining-table", size, [2.0, 1.6, 2.0, 1.6], [2.6, 1.9], [14, 12], 0.0),
        SpaceUse::Library => grid("bookcase", size, [1.6, 1.5, 1.6, 1.5], [1.9, 2.6], [9, 5], turned),
        SpaceUse::Office | SpaceUse::Meeting => {
            grid("teacher-desk", size, [1.2, 1.3, 1.2, 1.3], [1.9, 1.8], [5, 4], 0.0)
        }
        SpaceUse::Kitchen | SpaceUse::Preparation => {
            grid("bench", size, [1.4, 1.4, 1.4, 1.4], [2.4, 2.0], [5, 4], 0.0)
        }
        SpaceUse::ColdStore | SpaceUse::Store => {
            grid("shelf", size, [1.0, 0.6, 1.0, 0.6], [1.4, 1.6], [5, 4], 0.0)
        }
        _ => Vec::new(),
    }
}

/// A piece about its middle, on the floor; its front looks to −y.
fn mesh_of(what: &str) -> Mesh {
    let mut m = Mesh::default();
    let mut block = |material: &str, x: [f64; 2], y: [f64; 2], z: [f64; 2]| {
        m.prism(material, &[[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]], z[0], z[1]);
    };
    match what {
        "desk" => {
            block("wood", [-0.3, 0.3], [-0.2, 0.2], [0.70, 0.74]);
            block("steel", [-0.28, -0.25], [-0.18, 0.18], [0.0, 0.70]);
            block("steel", [0.25, 0.28], [-0.18, 0.18], [0.0, 0.70]);
            block("wood", [-0.19, 0.19], [-0.62, -0.28], [0.41, 0.44]);
            block("wood", [-0.19, 0.19], [-0.64, -0.61], [0.55, 0.82]);
            block("steel", [-0.17, 0.17], [-0.60, -0.57], [0.0, 0.41]);
        }
        "blackboard" => block("board", [-2.0, 2.0], [-0.03, 0.03], [0.9, 2.2]),
        "teacher-desk" => {
            block("wood", [-0.7, 0.7], [-0.35, 0.35], [0.72, 0.76]);
            block("wood", [-0.66, 0.66], [0.30, 0.33], [0.1, 0.72]);
            block("steel", [-0.68, -0.64], [-0.32, 0.32], [0.0, 0.72]);
            block("steel", [0.64, 0.68], [-0.32, 0.32], [0.0, 0.72]);
        }
        "bench" => {
            block("steel", [-0.9, 0.9], [-0.4, 0.4], [0.80, 0.86]);
            block("plaster", [-0.85, 0.85], [-0.35, 0.35], [0.05, 0.80]);
        }
        "bunk" => {
            for z in [0.35, 1.55] {
                block("linen", [-0.95, 0.95], [-0.43, 0.43], [z, z + 0.15]);
            }
            for (x, y) in [(-0.95, -0.43), (0.92, -0.43), (-0.95, 0.40), (0.92, 0.40)] {
                block("steel", [x, x + 0.04], [y, y + 0.04], [0.0, 2.0]);
            }
        }
        "chair" => {
            block("red", [-0.24, 0.24], [-0.22, 0.24], [0.40, 0.46]);
            block("red", [-0.24, 0.24], [-0.28, -0.22], [0.46, 0.92]);
            block("steel", [-0.04, 0.04], [-0.04, 0.04], [0.0, 0.40]);
        }
        "dining-table" => {
            block("wood", [-0.9, 0.9], [-0.35, 0.35], [0.72, 0.76]);
            block("steel", [-0.05, 0.05], [-0.3, 0.3], [0.0, 0.72]);
            block("wood", [-0.9, 0.9], [-0.75, -0.48], [0.42, 0.45]);
            block("wood", [-0.9, 0.9], [0.48, 0.75], [0.42, 0.45]);
        }
        "bookcase" => {
            block("wood", [-0.9, 0.9], [-0.25, 0.25], [0.0, 1.9]);
            block("red", [-0.85, 0.85], [-0.26, 0.26], [0.4, 0.65]);
            block("board", [-0.85, 0.85], [-0.26, 0.26], [1.1, 1.35]);
        }
        _ => {
            block("steel", [-0.6, 0.6], [-0.25, 0.25], [0.0, 0.06]);
            block("steel", [-0.6, 0.6], [-0.25, 0.25], [0.9, 0.94]);
            block("wood", [-0.5, 0.5], [-0.2, 0.2], [0.06, 0.6]);
            block("steel", [-0.6, 0.6], [-0.25, 0.25], [1.8, 1.84]);
        }
    }
    m
}
