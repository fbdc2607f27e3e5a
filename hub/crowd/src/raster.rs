//! Walking times over a space by the fast marching method (Sethian 1996), for spaces with corners or
//! obstacles.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Point;
use crate::door::Side;
use crate::geometry::{Segment, along, bounds, distance};
use crate::ground::Ground;
use crate::slow::{LEAST_SHARE, Slow};

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

/// In what a cell leads to: its four neighbours in the order west, east, south, north, a bit each, ...
const NEIGHBOURS: [u8; 4] = [1, 2, 4, 8];
/// ... and whether the middle of an opening is near.
const NEAR_OPENING: u8 = 16;

/// The cells of a space.
#[derive(Clone, Debug)]
pub(crate) struct Raster {
    pub min: Point,
    pub cell_m: f64,
    pub nx: usize,
    pub ny: usize,
    pub flags: Vec<u8>,
    /// To which neighbours one can go, and whether an opening is near.
    links: Vec<u8>,
    /// How much longer a metre counts in a cell.
    weight: Vec<f32>,
    /// Cells near the middle of an opening, ascending, each with the side and how far it is, m.
    near_openings: Vec<(u32, Side, f64)>,
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

/// How long a metre takes in each cell, s: less than nought where the cell is as good as a wall.
pub(crate) type Costs = Vec<f64>;

/// A march on its way: it settles cell after cell in the order of their times.
///
/// Exits may be added until it has passed their time; then it is as if they had been there from the start.
#[derive(Clone, Debug)]
pub(crate) struct March {
    times: Times,
    done: Vec<bool>,
    // Times aren't negative, so that their bits are in their order.
    open: BinaryHeap<Reverse<(u64, u32)>>,
}

impl March {
    pub fn new(raster: &Raster) -> Self {
        let n = raster.flags.len();
        let times =
            Times { time: vec![f64::INFINITY; n], exit: vec![u16::MAX; n], heading: vec![[0.0; 2]; n] };
        Self { times, done: vec![false; n], open: BinaryHeap::new() }
    }

    pub fn add(&mut self, seeds: &[Seed]) {
        for &(cell, time, exit) in seeds {
            if time < self.times.time[cell] && !self.done[cell] {
                self.times.time[cell] = time;
                self.times.exit[cell] = exit;
                self.open.push(Reverse((time.to_bits(), cell as u32)));
            }
        }
    }

    /// No cell is settled before this time (its bits); none where it has come to its end.
    pub fn next(&self) -> Option<u64> {
        self.open.peek().map(|next| next.0.0)
    }

    /// Goes on by one cell of the list; its number and time where that settles it.
    pub fn step(&mut self, raster: &Raster, costs: &Costs) -> Option<(usize, f64)> {
        let Reverse((bits, cell)) = self.open.pop()?;
        let cell = cell as usize;
        if self.done[cell] || bits != self.times.time[cell].to_bits() {
            return None;
        }
        self.done[cell] = true;
        for way in 0..4 {
            let Some(other) = raster.neighbour(cell, way) else { continue };
            if !self.done[other] && raster.update(&mut self.times, &self.done, other, costs) {
                self.open.push(Reverse((self.times.time[other].to_bits(), other as u32)));
            }
        }
        Some((cell, self.times.time[cell]))
    }

    /// Goes on to the end.
    pub fn finish(mut self, raster: &Raster, costs: &Costs) -> Times {
        while self.next().is_some() {
            self.step(raster, costs);
        }
        self.times
    }
}

impl Raster {
    /// The cells of a space with the middles of its openings.
    pub fn new(ground: &Ground, openings: impl Iterator<Item = (Side, Point)>) -> Self {
        let [min, max] = bounds(&ground.rings);
        let (w, h) = (max[0] - min[0], max[1] - min[1]);
        let fits = SIDES.iter().find(|(side, most)| w * h / (side * side) <= *most);
        let cell_m = fits.map_or_else(|| (w * h / SIDES[1].1).sqrt(), |s| s.0);
        let (nx, ny) = ((w / cell_m) as usize + 1, (h / cell_m) as usize + 1);
        let mut raster = Self {
            min,
            cell_m,
            nx,
            ny,
            flags: vec![0; nx * ny],
            links: vec![0; nx * ny],
            weight: vec![1.0; nx * ny],
            near_openings: Vec::new(),
        };
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
        raster.link();
        for (side, middle) in openings {
            let near: Vec<usize> = raster.around(middle, 1.5 * cell_m).collect();
            for cell in near {
                raster.links[cell] |= NEAR_OPENING;
                raster.near_openings.push((cell as u32, side, distance(raster.centre_of(cell), middle)));
            }
        }
        raster.near_openings.sort_by_key(|&(cell, side, _)| (cell, side));
        raster
    }

    /// The openings near a cell, and how far off their middles are, m.
    pub fn openings_near(&self, cell: usize) -> impl Iterator<Item = (Side, f64)> + '_ {
        let near = self.links[cell] & NEAR_OPENING != 0;
        let of = |c: u32| self.near_openings.partition_point(|o| o.0 < c);
        let list = if near { of(cell as u32)..of(cell as u32 + 1) } else { 0..0 };
        self.near_openings[list].iter().map(|&(_, side, off)| (side, off))
    }

    /// How long a metre takes in each cell.
    pub fn costs(&self, slow: &Slow) -> Costs {
        let cost = |cell: usize| {
            let told = if self.is_inside(cell) { slow.told(self.centre_of(cell)) } else { 1.0 };
            let cost = f64::from(self.weight[cell]) / told.max(LEAST_SHARE);
            if told <= 0.0 { -cost } else { cost }
        };
        (0..self.flags.len()).map(cost).collect()
    }

    /// Marks to which neighbours one can go.
    fn link(&mut self) {
        let (nx, ny) = (self.nx, self.ny);
        for j in 0..ny {
            for i in 0..nx {
                let cell = j * nx + i;
                let leads = |other: usize, holder: usize, wall: u8| {
                    self.is_inside(other) && self.flags[holder] & wall == 0
                };
                let ways = [
                    i > 0 && leads(cell - 1, cell - 1, WALL_EAST),
                    i + 1 < nx && leads(cell + 1, cell, WALL_EAST),
                    j > 0 && leads(cell - nx, cell - nx, WALL_NORTH),
                    j + 1 < ny && leads(cell + nx, cell, WALL_NORTH),
                ];
                let bits = ways.into_iter().zip(NEIGHBOURS).filter(|w| w.0).map(|w| w.1).sum::<u8>();
                self.links[cell] |= bits;
            }
        }
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
        if self.links[cell] & NEIGHBOURS[way] == 0 {
            return None;
        }
        Some(match way {
            0 => cell - 1,
            1 => cell + 1,
            2 => cell - self.nx,
            _ => cell + self.nx,
        })
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

    /// Marches from the exits over the space.
    pub fn march(&self, costs: &Costs, seeds: &[Seed]) -> Times {
        let mut march = March::new(self);
        march.add(seeds);
        march.finish(self, costs)
    }

    /// A cell's time from its settled neighbours; whether it became less.
    fn update(&self, times: &mut Times, done: &[bool], cell: usize, costs: &Costs) -> bool {
        let (cost, drowned) = (costs[cell].abs(), costs[cell] < 0.0);
        // The better of the two neighbours of each axis: its time, its cell, the direction to it.
        let best = |ways: [usize; 2]| {
            let mut best: Option<(f64, usize, f64)> = None;
            for (way, sign) in ways.into_iter().zip([-1.0, 1.0]) {
                let Some(other) = self.neighbour(cell, way).filter(|&o| done[o]) else { continue };
                // Deep water leads nobody on but those who are in it.
                if !drowned && costs[other] < 0.0 {
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
