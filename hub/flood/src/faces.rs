//! Faces that aren't plain: walls, edges and barriers, in the order of the rows.

use std::collections::BTreeMap;

use crate::terrain::Terrain;
use crate::{Edge, Face, FloodInput};

/// What stands at a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Wall,
    /// The edge of the grid, where water leaves freely.
    Open,
    /// A thin weir with its crest above the datum, m.
    Crest(f64),
}

/// A face that isn't plain, by its place along its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Special {
    pub(crate) at: u32,
    pub(crate) kind: Kind,
}

/// Special faces by row, each row's in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    starts: Vec<usize>,
    list: Vec<Special>,
}

impl Rows {
    fn build(rows: usize, faces: usize, kind: impl Fn(usize, usize) -> Option<Kind>) -> Self {
        let mut built = Self { starts: vec![0], list: Vec::new() };
        for row in 0..rows {
            let of_row =
                (0..faces).filter_map(|at| kind(row, at).map(|kind| Special { at: at as u32, kind }));
            built.list.extend(of_row);
            built.starts.push(built.list.len());
        }
        built
    }

    /// Those of a row from `low` to before `high`.
    pub(crate) fn within(&self, row: usize, low: usize, high: usize) -> &[Special] {
        let list = &self.list[self.starts[row]..self.starts[row + 1]];
        let begin = list.partition_point(|s| (s.at as usize) < low);
        let end = list.partition_point(|s| (s.at as usize) < high);
        &list[begin..end.max(begin)]
    }
}

/// All special faces. Face `(f, j)` of `x` lies between cells `f - 1` and `f` of row `j`; face `(i, f)` of
/// `y` between rows `f - 1` and `f`.
#[derive(Clone, Debug)]
pub(crate) struct Faces {
    pub(crate) x: Rows,
    pub(crate) y: Rows,
}

impl Faces {
    /// As they are with those barriers up.
    pub(crate) fn new(input: &FloodInput, terrain: &Terrain, up: &[bool]) -> Self {
        let crests = crests(input, terrain, up);
        let [west, east, south, north] = input.edges;
        let (nx, ny) = (terrain.nx, terrain.ny);
        let edge = |edge: Edge, cell: usize| match edge {
            Edge::Open if !terrain.blocked(cell) => Some(Kind::Open),
            Edge::Open | Edge::Wall => Some(Kind::Wall),
        };
        let inside = |low: usize, high: usize, face: Face| match (terrain.blocked(low), terrain.blocked(high))
        {
            (true, true) => None,
            (false, false) => crests.get(&face).copied(),
            _ => Some(Kind::Wall),
        };
        let x = Rows::build(ny, nx + 1, |j, f| match f {
            0 => edge(west, j * nx),
            f if f == nx => edge(east, j * nx + nx - 1),
            f => inside(j * nx + f - 1, j * nx + f, Face::East((j * nx + f - 1) as u32)),
        });
        let y = Rows::build(ny + 1, nx, |f, i| match f {
            0 => edge(south, i),
            f if f == ny => edge(north, (ny - 1) * nx + i),
            f => inside((f - 1) * nx + i, f * nx + i, Face::North(((f - 1) * nx + i) as u32)),
        });
        Self { x, y }
    }
}

/// The highest crest of every face that a barrier closes.
fn crests(input: &FloodInput, terrain: &Terrain, up: &[bool]) -> BTreeMap<Face, Kind> {
    let mut heights: BTreeMap<Face, f64> = BTreeMap::new();
    for (barrier, _) in input.barriers.iter().zip(up).filter(|(_, up)| **up) {
        for &face in &barrier.faces {
            let (low, high) = sides(face, terrain.nx);
            let crest = terrain.bed[low].max(terrain.bed[high]) + barrier.height_m;
            let held = heights.entry(face).or_insert(f64::NEG_INFINITY);
            *held = held.max(crest);
        }
    }
    let kind = |crest: f64| if crest.is_finite() { Kind::Crest(crest) } else { Kind::Wall };
    heights.into_iter().map(|(face, crest)| (face, kind(crest))).collect()
}

/// The cells on both sides of a face.
pub(crate) fn sides(face: Face, nx: usize) -> (usize, usize) {
    match face {
        Face::East(cell) => (cell as usize, cell as usize + 1),
        Face::North(cell) => (cell as usize, cell as usize + nx),
    }
}
