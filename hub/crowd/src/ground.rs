//! A space made ready: its walls, its openings, what is near a point, and where its plane lies in the plan.

use crate::geometry::{
    self, Segment, along, bounds, convex, cross, distance, dot, edges, inside, left, sub, unit,
};
use crate::{Point, Shape};

/// The side of a cell of [`Grid`], m: neighbours within it are found in nine cells.
pub(crate) const CELL_M: f64 = 1.0;
/// Walls are listed in every cell within this of them, m: more than the largest body and a step.
const WALL_REACH_M: f64 = 0.75;
/// Openings likewise: people see each other through an opening within it.
pub(crate) const OPENING_REACH_M: f64 = 1.5;

/// Square cells over a space's plane.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub min: Point,
    pub nx: usize,
    pub ny: usize,
}

impl Grid {
    fn over([min, max]: [Point; 2]) -> Self {
        let cells = |i: usize| ((max[i] - min[i]) / CELL_M) as usize + 1;
        Self { min, nx: cells(0), ny: cells(1) }
    }

    pub fn len(&self) -> usize {
        self.nx * self.ny
    }

    /// The column or row of a coordinate, at the edge where it lies outside.
    fn clamped(&self, x: f64, axis: usize) -> usize {
        let n = if axis == 0 { self.nx } else { self.ny };
        (((x - self.min[axis]) / CELL_M).max(0.0) as usize).min(n - 1)
    }

    pub fn cell(&self, p: Point) -> usize {
        self.clamped(p[1], 1) * self.nx + self.clamped(p[0], 0)
    }

    /// Columns and rows of the cells that a box touches: first and last of each.
    pub fn range(&self, [min, max]: [Point; 2]) -> [usize; 4] {
        [self.clamped(min[0], 0), self.clamped(max[0], 0), self.clamped(min[1], 1), self.clamped(max[1], 1)]
    }
}

/// For each cell the numbers of the things near it.
#[derive(Clone, Debug)]
struct Index {
    first: Vec<u32>,
    items: Vec<u32>,
}

impl Index {
    fn new(grid: &Grid, things: &[Segment], reach: f64) -> Self {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        // From a cell's centre to its corner.
        let half = CELL_M * std::f64::consts::FRAC_1_SQRT_2;
        for (number, thing) in things.iter().enumerate() {
            let lo = [thing.a[0].min(thing.b[0]) - reach, thing.a[1].min(thing.b[1]) - reach];
            let hi = [thing.a[0].max(thing.b[0]) + reach, thing.a[1].max(thing.b[1]) + reach];
            let [i0, i1, j0, j1] = grid.range([lo, hi]);
            for j in j0..=j1 {
                for i in i0..=i1 {
                    let c = along(grid.min, [i as f64 + 0.5, j as f64 + 0.5], CELL_M);
                    if distance(thing.nearest(c), c) <= reach + half {
                        pairs.push(((j * grid.nx + i) as u32, number as u32));
                    }
                }
            }
        }
        pairs.sort_unstable();
        let mut first = vec![0_u32; grid.len() + 1];
        for &(cell, _) in &pairs {
            first[cell as usize + 1] += 1;
        }
        for i in 1..first.len() {
            first[i] += first[i - 1];
        }
        Self { first, items: pairs.into_iter().map(|p| p.1).collect() }
    }

    fn near(&self, cell: usize) -> &[u32] {
        &self.items[self.first[cell] as usize..self.first[cell + 1] as usize]
    }
}

/// An end-to-end piece of a stair's middle line.
#[derive(Clone, Debug)]
struct Flight {
    from: [f64; 3],
    to: [f64; 3],
    /// The way along the slope to its start, m.
    start: f64,
    length: f64,
}

/// A space made ready.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// Outline and holes; the inside is to the left of every edge.
    pub rings: Vec<Vec<Point>>,
    /// Whether everything in it sees everything.
    pub convex: bool,
    /// The walls without the openings.
    pub walls: Vec<Segment>,
    /// Its sides of doors: twice the door's number, one more for the `to` side.
    pub sides: Vec<u32>,
    pub grid: Grid,
    near_walls: Index,
    near_sides: Index,
    z_m: f64,
    flights: Vec<Flight>,
    width_m: f64,
}

impl Ground {
    /// A space and its sides of doors, each oriented along its edge.
    pub fn new(shape: &Shape, sides: &[(u32, Segment)]) -> Self {
        let rings = rings(shape);
        let openings: Vec<Segment> = sides.iter().map(|s| s.1).collect();
        let walls: Vec<Segment> =
            rings.iter().flat_map(|r| edges(r)).flat_map(|e| split(e, &openings)).collect();
        let grid = Grid::over(bounds(&rings));
        let (z_m, flights, width_m) = match shape {
            Shape::Level { z_m, .. } => (*z_m, Vec::new(), 0.0),
            Shape::Stair { line, width_m } => (0.0, flights(line), *width_m),
        };
        Self {
            convex: rings.len() == 1 && convex(&rings[0]),
            near_walls: Index::new(&grid, &walls, WALL_REACH_M),
            near_sides: Index::new(&grid, &openings, OPENING_REACH_M),
            sides: sides.iter().map(|s| s.0).collect(),
            rings,
            walls,
            grid,
            z_m,
            flights,
            width_m,
        }
    }

    pub fn is_stair(&self) -> bool {
        !self.flights.is_empty()
    }

    /// The walls within a step and a body of a point.
    pub fn walls_near(&self, p: Point) -> impl Iterator<Item = &Segment> {
        self.near_walls.near(self.grid.cell(p)).iter().map(|&w| &self.walls[w as usize])
    }

    /// The sides of doors within [`OPENING_REACH_M`] of a point.
    pub fn sides_near(&self, p: Point) -> impl Iterator<Item = u32> {
        self.near_sides.near(self.grid.cell(p)).iter().map(|&s| self.sides[s as usize])
    }

    pub fn holds(&self, p: Point) -> bool {
        inside(&self.rings, p)
    }

    /// Where a line from west to east at this height passes the edges, ascending.
    pub fn cuts(&self, y: f64) -> Vec<f64> {
        let passes = |e: &Segment| (e.a[1] > y) != (e.b[1] > y);
        let all = self.rings.iter().flat_map(|r| edges(r)).filter(passes);
        let mut cuts: Vec<f64> =
            all.map(|e| e.a[0] + (y - e.a[1]) / (e.b[1] - e.a[1]) * (e.b[0] - e.a[0])).collect();
        cuts.sort_by(f64::total_cmp);
        cuts
    }

    /// Whether nothing stands between two points of a space.
    pub fn sees(&self, p: Point, q: Point) -> bool {
        self.convex || !self.walls.iter().any(|w| w.meets(p, q))
    }

    pub fn area_m2(&self) -> f64 {
        self.rings.iter().map(|r| geometry::area2(r)).sum::<f64>() / 2.0
    }

    fn flight(&self, s: f64) -> Option<&Flight> {
        self.flights.iter().rev().find(|f| f.start <= s).or(self.flights.first())
    }

    /// A point of the plane in the plan: x, y and the height of the floor.
    pub fn in_plan(&self, p: Point) -> [f64; 3] {
        let Some(flight) = self.flight(p[0]) else { return [p[0], p[1], self.z_m] };
        let t = (p[0] - flight.start) / flight.length;
        let at: [f64; 3] = std::array::from_fn(|i| flight.from[i] + (flight.to[i] - flight.from[i]) * t);
        let n = left(self.direction_in_plan(p, [1.0, 0.0]));
        let off = p[1] - self.width_m / 2.0;
        [at[0] + n[0] * off, at[1] + n[1] * off, at[2]]
    }

    /// A direction of the plane in the plan.
    pub fn direction_in_plan(&self, p: Point, e: Point) -> Point {
        let Some(flight) = self.flight(p[0]) else { return e };
        let d = sub([flight.to[0], flight.to[1]], [flight.from[0], flight.from[1]]);
        let d = unit(d).unwrap_or([1.0, 0.0]);
        let n = left(d);
        [d[0] * e[0] + n[0] * e[1], d[1] * e[0] + n[1] * e[1]]
    }
}

/// The rings of a space in its plane.
pub(crate) fn rings(shape: &Shape) -> Vec<Vec<Point>> {
    match shape {
        Shape::Level { outline, holes, .. } => {
            std::iter::once(outline).chain(holes).map(|r| without_straight_corners(r)).collect()
        }
        Shape::Stair { line, width_m } => {
            let l = flights(line).last().map_or(0.0, |f| f.start + f.length);
            vec![vec![[0.0, 0.0], [l, 0.0], [l, *width_m], [0.0, *width_m]]]
        }
    }
}

/// A ring without the corners at which it goes straight on, so that an opening may lie across one.
fn without_straight_corners(ring: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = ring.to_vec();
    let mut i = 0;
    while kept.len() > 3 && i < kept.len() {
        let n = kept.len();
        let (a, b, c) = (kept[(i + n - 1) % n], kept[i], kept[(i + 1) % n]);
        let on_its_way = distance(Segment { a, b: c }.nearest(b), b) < 1e-6;
        if on_its_way {
            kept.remove(i);
        } else {
            i += 1;
        }
    }
    kept
}

fn flights(line: &[[f64; 3]]) -> Vec<Flight> {
    let mut start = 0.0;
    let mut flights = Vec::new();
    for pair in line.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let d2: f64 = (0..3).map(|i| (to[i] - from[i]) * (to[i] - from[i])).sum();
        let length = d2.sqrt();
        if length > 0.0 {
            flights.push(Flight { from, to, start, length });
            start += length;
        }
    }
    flights
}

/// An opening laid onto the edge it lies on, in that edge's direction: the inside is to its left. None where
/// no
/// edge is within `slack` of both ends.
pub(crate) fn on_edge(rings: &[Vec<Point>], a: Point, b: Point, slack: f64) -> Option<Segment> {
    let off = |e: &Segment| distance(e.nearest(a), a).max(distance(e.nearest(b), b));
    let edge = rings.iter().flat_map(|r| edges(r)).min_by(|e, f| off(e).total_cmp(&off(f)))?;
    if off(&edge) > slack {
        return None;
    }
    let d = sub(edge.b, edge.a);
    let (a, b) = (edge.nearest(a), edge.nearest(b));
    Some(if dot(sub(b, a), d) < 0.0 { Segment { a: b, b: a } } else { Segment { a, b } })
}

/// What is left of an edge beside the openings on it.
fn split(edge: Segment, openings: &[Segment]) -> Vec<Segment> {
    let Some(d) = unit(sub(edge.b, edge.a)) else { return Vec::new() };
    let end = distance(edge.a, edge.b);
    let foot = |p: Point| dot(sub(p, edge.a), d);
    let lies_on = |o: &&Segment| {
        let on = |p: Point| cross(d, sub(p, edge.a)).abs() < 1e-6 && (-1e-6..=end + 1e-6).contains(&foot(p));
        on(o.a) && on(o.b) && dot(sub(o.b, o.a), d) > 0.0
    };
    let mut gaps: Vec<[f64; 2]> = openings.iter().filter(lies_on).map(|o| [foot(o.a), foot(o.b)]).collect();
    gaps.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut from = 0.0;
    let mut walls = Vec::new();
    for [a, b] in gaps.into_iter().chain([[end, end]]) {
        // A jamb is a wall however short: nobody passes beside an opening.
        if a > from + 1e-9 {
            walls.push(Segment { a: along(edge.a, d, from), b: along(edge.a, d, a) });
        }
        from = f64::max(from, b);
    }
    walls
}
