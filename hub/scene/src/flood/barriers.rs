//! Barriers: from a line of the plan to the faces that it closes.
//!
//! A face is closed where the way between the middles of its two cells crosses the line. So whatever way water takes
//! from cell to cell, it can't come from one side of the line to the other but through a closed face, and there is no
//! gap at corners. Of a cell at a door the threshold counts in place of the middle: a barrier just before a door keeps
//! that cell dry although its middle may lie on the other side.

use campanile_flood::{Barrier, Face};
use campanile_model::{Campus, EntityKind};

use super::ground::ground_storeys;
use super::rooms::{Doors, judged};
use super::{FloodSite, LeftOut, switch};
use crate::geometry::{Point, distance, metres, nearest_on};
use crate::topology;

/// An end this near to a building is joined to it, m: such barriers have posts at the wall.
const JOIN_M: f64 = 2.5;

pub fn add(campus: &Campus, doors: &Doors, site: &mut FloodSite) {
    let walls: Vec<(Point, Point)> = campus
        .plan
        .buildings
        .iter()
        .flat_map(|b| ground_storeys(b).flat_map(|s| topology::outer_edges(b, s)))
        .collect();
    for barrier in &campus.plan.outside.barriers {
        let path = format!("site/{}", barrier.id);
        let vertex = |i: u32| campus.plan.outside.vertices.get(i as usize).map(|v| metres(*v));
        let (Some(a), Some(b)) = (vertex(barrier.a), vertex(barrier.b)) else { continue };
        let line = joined(a, b, &walls, site.input.cell_m);
        let faces = faces(site, doors, &line);
        if faces.is_empty() {
            let why = "no face between two free cells of the grid lies on its line".to_owned();
            site.left_out.push(LeftOut { path, why });
            continue;
        }
        let height_m = f64::from(barrier.height_mm) / 1e3;
        site.input.barriers.push(Barrier { id: path.clone(), faces, height_m, up: false });
        let entity = campus.entity_index(&path);
        let named = super::Switch { path, command: None, report: None };
        let is = |i: &usize| campus.entities.get(*i).is_some_and(|e| e.kind == EntityKind::Barrier);
        site.barriers.push(entity.filter(is).map_or(named, |i| switch(campus, i)));
    }
}

/// The barrier's line, led on into a building at each end that stands before one.
fn joined(a: Point, b: Point, walls: &[(Point, Point)], cell_m: f64) -> Vec<Point> {
    let into = |end: Point| {
        let nearest = walls.iter().map(|(p, q)| nearest_on(end, *p, *q));
        let foot = nearest.min_by(|p, q| distance(end, *p).total_cmp(&distance(end, *q)))?;
        let away = distance(end, foot);
        (away > 1e-6 && away <= JOIN_M).then(|| {
            let on = 1.0 + cell_m / away;
            [end[0] + (foot[0] - end[0]) * on, end[1] + (foot[1] - end[1]) * on]
        })
    };
    into(a).into_iter().chain([a, b]).chain(into(b)).collect()
}

/// To the left of a line (positive), or on it or to its right.
fn is_left(a: Point, b: Point, p: Point) -> bool {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0.0
}

/// Whether the way from `p` to `q` crosses the segment; what touches its ends crosses, what only touches its side has
/// one side of it, always the same.
fn crosses(a: Point, b: Point, p: Point, q: Point) -> bool {
    let cross = |o: Point, d: Point, r: Point| (d[0] - o[0]) * (r[1] - o[1]) - (d[1] - o[1]) * (r[0] - o[0]);
    is_left(a, b, p) != is_left(a, b, q) && cross(p, q, a) * cross(p, q, b) <= 0.0
}

fn faces(site: &FloodSite, doors: &Doors, line: &[Point]) -> Vec<Face> {
    let input = &site.input;
    let free = |c: usize| !input.blocked[c];
    let mut faces = std::collections::BTreeSet::new();
    for pair in line.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        // A cell's judged point is at most some cells from its middle.
        let reach = 4.0 * input.cell_m;
        let span = |k: usize, n: usize| {
            let cell = |x: f64| libm::floor((x - input.origin_m[k]) / input.cell_m);
            let from = cell(a[k].min(b[k]) - reach).max(0.0) as usize;
            from..((cell(a[k].max(b[k]) + reach) + 1.0).max(0.0) as usize).min(n)
        };
        for j in span(1, input.ny) {
            for i in span(0, input.nx) {
                let c = j * input.nx + i;
                if !free(c) {
                    continue;
                }
                let p = judged(site, doors, c as u32);
                let mut test = |other: usize, face: Face| {
                    if free(other) && crosses(a, b, p, judged(site, doors, other as u32)) {
                        faces.insert(face);
                    }
                };
                if i + 1 < input.nx {
                    test(c + 1, Face::East(c as u32));
                }
                if j + 1 < input.ny {
                    test(c + input.nx, Face::North(c as u32));
                }
            }
        }
    }
    faces.into_iter().collect()
}
