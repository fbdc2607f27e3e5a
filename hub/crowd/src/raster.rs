//! Walking times over a space by the fast marching method (Sethian 1996), for spaces with corners or
//! obstacles.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Point;
use crate::geometry::{Segment, along, bounds, distance};
use crate::ground::Ground;
use crate::slow::Slow;

/// The side of a cell, m: fine as long as there are at most so many cells.
const SIDES: [(f64, f64); 2] = [(0.25, 100_000.0), (0.5, 800_000.0)];
/// People keep this far from walls where there is room, m.
const KEEP_OFF_M: f64 = 0.35;
/// How much longer a way counts that goes right along a wall.
const ALONG_WALL: f64 = 3.0;

const INSIDE: u8 = 1;
/// The way to the eastern or northern neighbour is walled off.
const WALL_EAST: u8 = 2;
const WALL_NORTH: u8 = 4;
/// A wall is about: look before believing a neighbour.
pub(crate) const NEAR_WALL: u8 = 8;

/// The cells of a space.
#[derive(Clone, Debug)]
pub(crate) struct Raster {
    pub min: Point,
    pub cell_m: f64,
    pub nx: usize,
    pub ny: usize,
    pub flags: Vec<u8>,
    /// How much longer a metre counts in a cell.
    weight: Vec<f32>,
}

/// A cell where a walk ends: the cell, the time from there on, and the number of the exit.
pub(crate) type Seed = (usize, f64, u16);

/// Times of walking at 1 m/s from each cell to the best exit.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// Infinite where there is no way.
    pub time: Vec<f64>,
    /// Which exit.
    pub exit: Vec<u16>,
    /// Where to head.
    pub heading: Vec<[f32; 2]>,
}

impl Raster {
    pub fn new(ground: &Ground) -> Self {
        let [min, max] = bounds(&ground.rings);
        let (w, h) = (max[0] - min[0], max[1] - min[1]);
        let fits = SIDES.iter().find(|(side, most)| w * h / (side * side) <= *most);
        let cell_m = fits.map_or_else(|| (w * h / SIDES[1].1).sqrt(), |s| s.0);
        let (nx, ny) = ((w / cell_m) as usize + 1, (h / cell_m) as usize + 1);
        let mut raster = Self { min, cell_m, nx, ny, flags: vec![0; nx * ny], weight: vec![1.0; nx * ny] };
        raster.fill(ground);
        let mut clear = vec![f64::INFINITY; nx * ny];
        for wall in &ground.walls {
            raster.wall(wall, &mut clear);
        }
        for (cell, clear) in clear.into_iter().enumerate() {
            if clear < KEEP_OFF_M {
                raster.weight[cell] = (ALONG_WALL - (ALONG_WALL - 1.0) * clear / KEEP_OFF_M) as f32;
            }
        }
        raster
    }

    /// Marks the cells whose middle lies in the space, row by row.
    fn fill(&mut self, ground: &Ground) {
        for j in 0..self.ny {
            let y = self.min[1] + (j as f64 + 0.5) * self.cell_m;
            let cuts = ground.cuts(y);
            let mut passed = 0;
            for i in 0..self.nx {
                let x = self.min[0] + (i as f64 + 0.5) * self.cell_m;
                while passed < cuts.len() && cuts[passed] <= x {
                    passed += 1;
                }
                if passed % 2 == 1 {
                    self.flags[j * self.nx + i] |= INSIDE;
                }
            }
        }
    }

    /// Marks what a wall cuts off and how near it is.
    fn wall(&mut self, wall: &Segment, clear: &mut [f64]) {
        let reach = (2.0 * self.cell_m).max(KEEP_OFF_M);
        let lo = [wall.a[0].min(wall.b[0]) - reach, wall.a[1].min(wall.b[1]) - reach];
        let hi = [wall.a[0].max(wall.b[0]) + reach, wall.a[1].max(wall.b[1]) + reach];
        let ([i0, j0], [i1, j1]) = (self.clamped(lo), self.clamped(hi));
        for j in j0..=j1 {
            for i in i0..=i1 {
                let (cell, c) = (j * self.nx + i, self.centre(i, j));
                let off = distance(wall.nearest(c), c);
                clear[cell] = clear[cell].min(off);
                if off > reach {
                    continue;
                }
                self.flags[cell] |= NEAR_WALL;
                if wall.meets(c, [c[0] + self.cell_m, c[1]]) {
                    self.flags[cell] |= WALL_EAST;
                }
                if wall.meets(c, [c[0], c[1] + self.cell_m]) {
                    self.flags[cell] |= WALL_NORTH;
                }
            }
        }
    }

    /// Column and row of a point, at the edge where it lies outside.
    fn clamped(&self, p: Point) -> [usize; 2] {
        let n = [self.nx, self.ny];
        std::array::from_fn(|k| (((p[k] - self.min[k]) / self.cell_m).max(0.0) as usize).min(n[k] - 1))
    }

    pub fn cell(&self, p: Point) -> usize {
        let [i, j] = self.clamped(p);
        j * self.nx + i
    }

    fn centre(&self, i: usize, j: usize) -> Point {
        along(self.min, [i as f64 + 0.5, j as f64 + 0.5], self.cell_m)
    }

    pub fn centre_of(&self, cell: usize) -> Point {
        self.centre(cell % self.nx, cell / self.nx)
    }

    pub fn is_inside(&self, cell: usize) -> bool {
        self.flags[cell] & INSIDE != 0
    }

    /// The cells whose middle is within `reach` of a point, inside the space.
    pub fn around(&self, p: Point, reach: f64) -> impl Iterator<Item = usize> + '_ {
        let [i0, j0] = self.clamped([p[0] - reach, p[1] - reach]);
        let [i1, j1] = self.clamped([p[0] + reach, p[1] + reach]);
        let cells = (j0..=j1).flat_map(move |j| (i0..=i1).map(move |i| j * self.nx + i));
        cells.filter(move |&c| self.is_inside(c) && distance(self.centre_of(c), p) <= reach)
    }

    /// The neighbour in a direction (west, east, south, north), where no wall is between.
    fn neighbour(&self, cell: usize, way: usize) -> Option<usize> {
        let (i, j) = (cell % self.nx, cell / self.nx);
        let (other, wall) = match way {
            0 => ((i > 0).then(|| cell - 1)?, WALL_EAST),
            1 => ((i + 1 < self.nx).then(|| cell + 1)?, WALL_EAST),
            2 => ((j > 0).then(|| cell - self.nx)?, WALL_NORTH),
            _ => ((j + 1 < self.ny).then(|| cell + self.nx)?, WALL_NORTH),
        };
        let holder = if way.is_multiple_of(2) { other } else { cell };
        (self.is_inside(other) && self.flags[holder] & wall == 0).then_some(other)
    }

    /// Whether one can walk straight from a cell to a point in the same space without coming near a wall.
    pub fn clear_line(&self, cell: usize, to: Point) -> bool {
        let from = self.centre_of(cell);
        let steps = (distance(from, to) / (self.cell_m * 0.5)) as usize + 1;
        let mut last = cell;
        for k in 1..=steps {
            let t = k as f64 / steps as f64;
            let here = self.cell([from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t]);
            if here == last {
                continue;
            }
            let beside = (0..4).any(|way| self.neighbour(last, way) == Some(here));
            let across = || {
                (0..4)
                    .filter_map(|way| self.neighbour(last, way))
                    .any(|mid| (0..4).any(|way| self.neighbour(mid, way) == Some(here)))
            };
            // The opening itself has walls beside it: the last half metre may be near them.
            let roomy = self.weight[here] < 1.5 || distance(self.centre_of(here), to) < 0.75;
            if !(beside || across()) || !roomy {
                // The end lies on the edge of the space: its own cell may be outside.
                return k == steps && distance(self.centre_of(last), to) < self.cell_m * 1.5;
            }
            last = here;
        }
        true
    }

    /// The time at which a metre is walked in a cell, s at 1 m/s, and whether the cell is as good as a wall.
    fn cost(&self, cell: usize, slow: &Slow) -> (f64, bool) {
        let p = self.centre_of(cell);
        (f64::from(self.weight[cell]) / slow.walked(p), slow.told(p) <= 0.0)
    }

    /// Marches from the exits over the space.
    pub fn march(&self, slow: &Slow, seeds: &[Seed]) -> Times {
        let n = self.flags.len();
        let mut times =
            Times { time: vec![f64::INFINITY; n], exit: vec![u16::MAX; n], heading: vec![[0.0; 2]; n] };
        let mut done = vec![false; n];
        // Times aren't negative, so that their bits are in their order.
        let mut open: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
        for &(cell, time, exit) in seeds {
            if time < times.time[cell] {
                times.time[cell] = time;
                times.exit[cell] = exit;
                open.push(Reverse((time.to_bits(), cell as u32)));
            }
        }
        while let Some(Reverse((bits, cell))) = open.pop() {
            let cell = cell as usize;
            if done[cell] || bits != times.time[cell].to_bits() {
                continue;
            }
            done[cell] = true;
            for way in 0..4 {
                let Some(other) = self.neighbour(cell, way) else { continue };
                if !done[other] && self.update(&mut times, &done, other, slow) {
                    open.push(Reverse((times.time[other].to_bits(), other as u32)));
                }
            }
        }
        times
    }

    /// A cell's time from its settled neighbours; whether it became less.
    fn update(&self, times: &mut Times, done: &[bool], cell: usize, slow: &Slow) -> bool {
        let (cost, drowned) = self.cost(cell, slow);
        // The better of the two neighbours of each axis: its time, its cell, the direction to it.
        let best = |ways: [usize; 2]| {
            let mut best: Option<(f64, usize, f64)> = None;
            for (way, sign) in ways.into_iter().zip([-1.0, 1.0]) {
                let Some(other) = self.neighbour(cell, way).filter(|&o| done[o]) else { continue };
                // Deep water leads nobody on but those who are in it.
                if !drowned && slow.is_grid() && slow.told(self.centre_of(other)) <= 0.0 {
                    continue;
                }
                if best.is_none_or(|b| times.time[other] < b.0) {
                    best = Some((times.time[other], other, sign));
                }
            }
            best
        };
        let step = cost * self.cell_m;
        let (x, y) = (best([0, 1]), best([2, 3]));
        let one = |t: Option<(f64, usize, f64)>| t.map_or(f64::INFINITY, |t| t.0);
        let (a, b) = (one(x), one(y));
        let (time, via, heading) = if (a - b).abs() < step {
            let time = (a + b + (2.0 * step * step - (a - b) * (a - b)).sqrt()) * 0.5;
            let (x, y) = (x.unwrap_or_default(), y.unwrap_or_default());
            (time, if a <= b { x.1 } else { y.1 }, [(time - a) * x.2, (time - b) * y.2])
        } else if a < b {
            (a + step, x.unwrap_or_default().1, [x.unwrap_or_default().2, 0.0])
        } else if b < a {
            (b + step, y.unwrap_or_default().1, [0.0, y.unwrap_or_default().2])
        } else {
            return false;
        };
        if time >= times.time[cell] {
            return false;
        }
        let l = (heading[0] * heading[0] + heading[1] * heading[1]).sqrt();
        times.time[cell] = time;
        times.exit[cell] = times.exit[via];
        times.heading[cell] = [(heading[0] / l) as f32, (heading[1] / l) as f32];
        true
    }
}
