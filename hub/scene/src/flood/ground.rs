//! The grid: how far it reaches, the bed, its roughness, what is built on, and water at its usual level.

use campanile_flood::{FloodInput, Series, Stage};
use campanile_formats::Grid;
use campanile_model::{Building, Campus, Cover, GreenKind, Storey, Water, WaterKind};

use super::{FloodOptions, LeftOut};
use crate::geometry::{Point, Polygon, bounds, contains, distance, metres, ring};
use crate::outside::cover as cover_name;
use crate::tables::{FloodTables, InputError};
use crate::topology;

/// The most cells: a square kilometre at a quarter of a metre.
const MOST_CELLS: usize = 16_000_000;
/// Of a river only this much beyond the campus belongs to the grid, m.
const WATER_REACH_M: f64 = 30.0;

/// The parts of the input that are fields.
pub struct Ground {
    pub nx: usize,
    pub ny: usize,
    pub origin: Point,
    pub bed: Vec<f64>,
    pub manning: Vec<f64>,
    pub level: Vec<f64>,
    pub blocked: Vec<bool>,
    pub stages: Vec<Stage>,
    pub places: Vec<String>,
    pub place_of: Vec<u16>,
    pub left_out: Vec<LeftOut>,
}

pub fn cell_at(input: &FloodInput, p: Point) -> Option<u32> {
    let i = libm::floor((p[0] - input.origin_m[0]) / input.cell_m);
    let j = libm::floor((p[1] - input.origin_m[1]) / input.cell_m);
    let inside = i >= 0.0 && j >= 0.0 && i < input.nx as f64 && j < input.ny as f64;
    inside.then(|| (j as usize * input.nx + i as usize) as u32)
}

pub fn centre(input: &FloodInput, cell: u32) -> Point {
    let (i, j) = (cell as usize % input.nx, cell as usize / input.nx);
    [input.origin_m[0] + (i as f64 + 0.5) * input.cell_m, input.origin_m[1] + (j as f64 + 0.5) * input.cell_m]
}

/// The free cell nearest to a point, the point's own first.
pub fn free_cell(input: &FloodInput, p: Point) -> Option<u32> {
    let clamp = |x: f64, k: usize, n: usize| {
        x.clamp(input.origin_m[k] + 1e-6, input.origin_m[k] + n as f64 * input.cell_m - 1e-6)
    };
    let start = cell_at(input, [clamp(p[0], 0, input.nx), clamp(p[1], 1, input.ny)])?;
    let (ci, cj) = ((start as usize % input.nx) as i64, (start as usize / input.nx) as i64);
    // Rings of growing size; one beyond the first hit, whose corner may be farther than the next ring's side.
    let mut best: Option<(f64, u32)> = None;
    for r in 0..=input.nx.max(input.ny) as i64 {
        for j in cj - r..=cj + r {
            for i in ci - r..=ci + r {
                let on_ring = (i - ci).abs() == r || (j - cj).abs() == r;
                let inside = i >= 0 && j >= 0 && i < input.nx as i64 && j < input.ny as i64;
                if !on_ring || !inside {
                    continue;
                }
                let cell = (j as usize * input.nx + i as usize) as u32;
                let away = distance(centre(input, cell), p);
                if !input.blocked[cell as usize] && best.is_none_or(|(d, _)| away < d) {
                    best = Some((away, cell));
                }
            }
        }
        if best.is_some_and(|(d, _)| d <= r as f64 * input.cell_m) {
            break;
        }
    }
    best.map(|(_, cell)| cell)
}

/// The level at which people walk in from outside: the lowest above 0, else the highest there is.
pub fn ground_level(building: &Building) -> i32 {
    let levels = || building.storeys.iter().map(|s| s.level);
    levels().filter(|l| *l > 0).min().or_else(|| levels().max()).unwrap_or(1)
}

pub fn ground_storeys(building: &Building) -> impl Iterator<Item = &Storey> {
    let level = ground_level(building);
    building.storeys.iter().filter(move |s| s.level == level)
}

/// South-west and north-east corner of what the grid has to cover.
fn extent(campus: &Campus, margin: f64) -> Option<(Point, Point)> {
    let plan = &campus.plan;
    let mut points: Vec<Point> = plan.site.boundary.iter().map(|p| metres(*p)).collect();
    for b in &plan.buildings {
        points.extend(b.vertices.iter().map(|p| metres(*p)));
    }
    let own = (!points.is_empty()).then(|| bounds(&points));
    for water in &plan.outside.waters {
        for p in ring(&plan.outside.vertices, &water.outline) {
            points.push(own.map_or(p, |(low, high)| {
                [0, 1].map(|k| p[k].clamp(low[k] - WATER_REACH_M, high[k] + WATER_REACH_M))
            }));
        }
    }
    let (low, high) = (!points.is_empty()).then(|| bounds(&points))?;
    Some((low.map(|x| x - margin), high.map(|x| x + margin)))
}

pub fn make(
    campus: &Campus,
    terrain: Option<&Grid>,
    options: &FloodOptions,
    tables: &FloodTables,
) -> Result<Ground, InputError> {
    let cell = options.cell_m;
    if !(0.25..=50.0).contains(&cell) {
        return Err(InputError::Cell(cell));
    }
    let of_terrain = terrain.map(|g| {
        let (width, depth) = (g.cols as f64 * g.cell_m.0, g.rows as f64 * g.cell_m.1);
        ([g.origin.0, g.origin.1 - depth], [g.origin.0 + width, g.origin.1])
    });
    let margin = options.margin_m.max(0.0);
    let (mut low, mut high) = match (extent(campus, margin), of_terrain) {
        (Some((low, high)), Some((tl, th))) => {
            ([0, 1].map(|k: usize| low[k].max(tl[k])), [0, 1].map(|k: usize| high[k].min(th[k])))
        }
        (Some(both), None) | (None, Some(both)) => both,
        (None, None) => return Err(InputError::NoGround(campus.id.clone())),
    };
    // Cells lie on whole multiples of their side, so that a margin doesn't shift them.
    low = low.map(|x| libm::floor(x / cell + 1e-9) * cell);
    high = high.map(|x| libm::ceil(x / cell - 1e-9) * cell);
    let count = |k: usize| libm::round((high[k] - low[k]) / cell).max(0.0);
    if count(0) < 1.0 || count(1) < 1.0 {
        return Err(InputError::NoGround(campus.id.clone()));
    }
    if count(0) * count(1) > MOST_CELLS as f64 {
        let (width_m, depth_m) = (high[0] - low[0], high[1] - low[1]);
        return Err(InputError::TooManyCells { width_m, depth_m, cell_m: cell, most: MOST_CELLS });
    }
    let (nx, ny) = (count(0) as usize, count(1) as usize);
    let fields = Fields { nx, ny, cell, origin: low };
    let bed = fields.bed(terrain);
    let n = |name: &str| {
        tables.roughness.get(name).or_else(|| tables.roughness.get("other")).copied().unwrap_or(0.03)
    };
    let mut ground = Ground {
        nx,
        ny,
        origin: low,
        level: bed.clone(),
        bed,
        manning: vec![n("other"); nx * ny],
        blocked: vec![false; nx * ny],
        stages: Vec::new(),
        places: vec!["site".to_owned()],
        place_of: vec![0; nx * ny],
        left_out: Vec::new(),
    };
    covers(campus, &fields, &mut ground, &n);
    waters(campus, options, &fields, &mut ground);
    for b in &campus.plan.buildings {
        for space in ground_storeys(b).flat_map(|s| &s.spaces) {
            fields.each(&topology::polygon(b, space), |c| ground.blocked[c] = true);
        }
    }
    Ok(ground)
}

struct Fields {
    nx: usize,
    ny: usize,
    cell: f64,
    origin: Point,
}

impl Fields {
    fn centre(&self, i: usize, j: usize) -> Point {
        [self.origin[0] + (i as f64 + 0.5) * self.cell, self.origin[1] + (j as f64 + 0.5) * self.cell]
    }

    /// Calls with every cell whose middle is in a polygon.
    fn each(&self, polygon: &Polygon, mut f: impl FnMut(usize)) {
        if polygon.outline.len() < 3 {
            return;
        }
        let (low, high) = bounds(&polygon.outline);
        let from = |k: usize| libm::floor((low[k] - self.origin[k]) / self.cell).max(0.0) as usize;
        let to = |k: usize, n: usize| {
            (libm::ceil((high[k] - self.origin[k]) / self.cell).max(0.0) as usize).min(n)
        };
        for j in from(1)..to(1, self.ny) {
            for i in from(0)..to(0, self.nx) {
                let p = self.centre(i, j);
                if contains(&polygon.outline, p) && !polygon.holes.iter().any(|h| contains(h, p)) {
                    f(j * self.nx + i);
                }
            }
        }
    }

    /// Heights at the middles of the cells; the mean over the cell where the terrain is finer. Holes of the terrain get
    /// the height of the nearest cell that has one.
    fn bed(&self, terrain: Option<&Grid>) -> Vec<f64> {
        let Some(grid) = terrain else { return vec![0.0; self.nx * self.ny] };
        let finer = grid.cell_m.0 < 0.75 * self.cell && grid.cell_m.1 < 0.75 * self.cell;
        let mut bed: Vec<Option<f64>> = Vec::with_capacity(self.nx * self.ny);
        for j in 0..self.ny {
            for i in 0..self.nx {
                let p = self.centre(i, j);
                let mean = if finer { self.mean(grid, p) } else { None };
                bed.push(mean.or_else(|| grid.sample_bilinear(p[0], p[1]).map(f64::from)));
            }
        }
        self.fill(bed)
    }

    fn mean(&self, grid: &Grid, p: Point) -> Option<f64> {
        let half = self.cell / 2.0;
        let column = |x: f64| libm::ceil((x - grid.origin.0) / grid.cell_m.0 - 0.5).max(0.0) as usize;
        let row = |y: f64| libm::ceil((grid.origin.1 - y) / grid.cell_m.1 - 0.5).max(0.0) as usize;
        let (mut sum, mut count) = (0.0, 0.0);
        for r in row(p[1] + half)..row(p[1] - half) {
            for c in column(p[0] - half)..column(p[0] + half) {
                sum += f64::from(grid.get(c, r)?);
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum / count)
    }

    fn fill(&self, mut bed: Vec<Option<f64>>) -> Vec<f64> {
        let mut queue: std::collections::VecDeque<usize> =
            (0..bed.len()).filter(|c| bed[*c].is_some()).collect();
        while let Some(c) = queue.pop_front() {
            let (i, j) = (c % self.nx, c / self.nx);
            let near = [
                (i > 0).then(|| c - 1),
                (i + 1 < self.nx).then(|| c + 1),
                (j > 0).then(|| c - self.nx),
                (j + 1 < self.ny).then(|| c + self.nx),
            ];
            for other in near.into_iter().flatten() {
                if bed[other].is_none() {
                    bed[other] = bed[c];
                    queue.push_back(other);
                }
            }
        }
        bed.into_iter().map(|h| h.unwrap_or(0.0)).collect()
    }
}

fn green_name(kind: GreenKind) -> &'static str {
    match kind {
        GreenKind::Lawn => "lawn",
        GreenKind::Bed => "bed",
        GreenKind::Hedge => "hedge",
        GreenKind::Shrubs => "shrubs",
        GreenKind::Farm => "farm",
        GreenKind::Reeds => "reeds",
        GreenKind::RainGarden => "rain-garden",
    }
}

/// Roughness and places: later covers lie on earlier ones, as they are drawn. Kerbs of roads are not in the plan.
fn covers(campus: &Campus, fields: &Fields, ground: &mut Ground, n: &impl Fn(&str) -> f64) {
    let out = &campus.plan.outside;
    let points = |indices: &[u32]| ring(&out.vertices, indices);
    let mut paint = |id: &str, polygons: &[Polygon], n: f64| {
        let place = ground.places.len().min(usize::from(u16::MAX)) as u16;
        ground.places.push(format!("site/{id}"));
        for polygon in polygons {
            fields.each(polygon, |c| {
                ground.manning[c] = n;
                ground.place_of[c] = place;
            });
        }
    };
    let name = |cover: Cover| n(cover_name(cover));
    for g in &out.grounds {
        let holes = g.holes.iter().map(|h| points(h)).collect();
        paint(&g.id, &[Polygon { outline: points(&g.outline), holes }], name(g.cover));
    }
    for road in &out.roads {
        let half = f64::from(road.width_mm) / 2e3;
        let bands: Vec<Polygon> = points(&road.line)
            .windows(2)
            .filter(|w| distance(w[0], w[1]) > 1e-6)
            .map(|w| Polygon { outline: crate::outside::band(w[0], w[1], half), holes: Vec::new() })
            .collect();
        paint(&road.id, &bands, name(road.cover));
    }
    for green in &out.greens {
        let polygon = Polygon { outline: points(&green.outline), holes: Vec::new() };
        paint(&green.id, &[polygon], n(green_name(green.kind)));
    }
    for water in &out.waters {
        let polygon = Polygon { outline: points(&water.outline), holes: Vec::new() };
        paint(&water.id, &[polygon], n("water"));
    }
}

/// Beds and levels of waters. A river's level is imposed; a pond is water like any other, at its level at the start.
fn waters(campus: &Campus, options: &FloodOptions, fields: &Fields, ground: &mut Ground) {
    for water in &campus.plan.outside.waters {
        let path = format!("site/{}", water.id);
        let outline = ring(&campus.plan.outside.vertices, &water.outline);
        let mut cells = Vec::new();
        fields.each(&Polygon { outline, holes: Vec::new() }, |c| cells.push(c as u32));
        if cells.is_empty() {
            ground.left_out.push(LeftOut { path, why: "no cell of the grid lies in it".to_owned() });
            continue;
        }
        lower(water, &cells, &mut ground.bed);
        let usual = f64::from(water.level_mm) / 1e3;
        let series = options.levels_m.get(&path).cloned();
        let level = series.as_ref().and_then(|s| s.corners.first()).map_or(usual, |c| c.1);
        for c in &cells {
            let c = *c as usize;
            ground.level[c] = ground.bed[c].max(level);
        }
        if water.kind == WaterKind::River {
            let level_m = series.unwrap_or(Series { corners: vec![(0.0, usual)] });
            ground.stages.push(Stage { id: path, cells, level_m });
        }
    }
    // Dry cells stand at their bed.
    for (level, bed) in ground.level.iter_mut().zip(&ground.bed) {
        *level = level.max(*bed);
    }
}

/// Takes the bed down to the water's, unless the terrain has it already: a terrain that was measured over water, or
/// none at all, shows a level plane where the bed should be.
fn lower(water: &Water, cells: &[u32], bed: &mut [f64]) {
    let (deep, level) = (f64::from(water.bed_mm) / 1e3, f64::from(water.level_mm) / 1e3);
    let lowest = cells.iter().map(|c| bed[*c as usize]).fold(f64::MAX, f64::min);
    if lowest > deep + 0.3 * (level - deep) {
        for c in cells {
            bed[*c as usize] = bed[*c as usize].min(deep);
        }
    }
}
