//! Everything outdoors, from shapes in metres to shared vertices.

use std::collections::BTreeMap;

use campanile_model as model;
use campanile_model::{Names, Outside, PointMm};

use crate::description::{AtM, OutsideSpec, ShapeSpec, TrackSpec};
use crate::layout::mm;

/// Segments of a half circle of the running track: a chord is within 2 cm of the arc.
const ARC_SEGMENTS: u32 = 32;

/// The outdoors and what it is called.
pub(crate) struct Made {
    pub outside: Outside,
    pub names: Vec<(String, Names)>,
}

struct Maker {
    indices: BTreeMap<PointMm, u32>,
    made: Made,
}

impl Maker {
    fn vertex(&mut self, at: AtM) -> u32 {
        let at = [mm(at[0]), mm(at[1])];
        let vertices = &mut self.made.outside.vertices;
        *self.indices.entry(at).or_insert_with(|| {
            vertices.push(at);
            vertices.len() as u32 - 1
        })
    }

    fn line(&mut self, line: &[AtM]) -> Vec<u32> {
        line.iter().map(|p| self.vertex(*p)).collect()
    }

    fn name(&mut self, id: &str, zh: &str, en: &str) {
        self.made.names.push((format!("site/{id}"), Names::new(zh, en)));
    }

    /// The rings of a shape with an id, a name and an outline each.
    fn shapes<K>(&mut self, shape: &ShapeSpec<K>) -> Vec<(String, Vec<u32>)> {
        let [columns, rows, dx, dy] = shape.grid.unwrap_or([1.0, 1.0, 0.0, 0.0]);
        let (columns, rows) = (columns as u32, rows as u32);
        let mut out = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let shift = [f64::from(column) * dx, f64::from(row) * dy];
                let ring = shape.rect.map_or_else(|| shape.ring.clone(), rectangle);
                let ring: Vec<AtM> = ring.iter().map(|p| [p[0] + shift[0], p[1] + shift[1]]).collect();
                let outline = self.line(&ring);
                if columns * rows == 1 {
                    self.name(&shape.id, &shape.zh, &shape.en);
                    out.push((shape.id.clone(), outline));
                } else {
                    let n = row * columns + column + 1;
                    let id = format!("{}-{n}", shape.id);
                    self.name(&id, &format!("{}{n}", shape.zh), &format!("{} {n}", shape.en));
                    out.push((id, outline));
                }
            }
        }
        out
    }
}

fn rectangle([x0, y0, x1, y1]: [f64; 4]) -> Vec<AtM> {
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

/// An oval with straights to the north, counter-clockwise.
fn oval(track: &TrackSpec, radius_m: f64) -> Vec<AtM> {
    let mut ring = Vec::new();
    for (end, start_deg) in [(0.5, 0.0), (-0.5, 180.0)] {
        let middle_y = track.at[1] + end * track.straight_m;
        for i in 0..=ARC_SEGMENTS {
            let angle = (start_deg + 180.0 * f64::from(i) / f64::from(ARC_SEGMENTS)).to_radians();
            ring.push([track.at[0] + radius_m * libm::cos(angle), middle_y + radius_m * libm::sin(angle)]);
        }
    }
    ring
}

pub(crate) fn make(spec: &OutsideSpec) -> Made {
    let made = Made { outside: Outside::default(), names: Vec::new() };
    let mut m = Maker { indices: BTreeMap::new(), made };
    for track in &spec.track {
        let outer = m.line(&oval(track, track.radius_m + f64::from(track.lanes) * track.lane_m));
        let inner = m.line(&oval(track, track.radius_m));
        let hole: Vec<u32> = inner.iter().rev().copied().collect();
        m.name(&track.id, &track.zh, &track.en);
        let field = format!("{}-field", track.id);
        m.name(&field, &format!("{}内场", track.zh), &format!("{}, infield", track.en));
        m.made.outside.grounds.push(model::Ground {
            id: track.id.clone(),
            cover: model::Cover::Track,
            outline: outer,
            holes: vec![hole],
        });
        m.made.outside.grounds.push(model::Ground {
            id: field,
            cover: model::Cover::Turf,
            outline: inner,
            holes: vec![],
        });
    }
    for ground in &spec.ground {
        for (id, outline) in m.shapes(ground) {
            m.made.outside.grounds.push(model::Ground { id, cover: ground.kind, outline, holes: vec![] });
        }
    }
    for road in &spec.road {
        let line = m.line(&road.line);
        m.name(&road.id, &road.zh, &road.en);
        let cover = road.cover.unwrap_or(model::Cover::Asphalt);
        m.made.outside.roads.push(model::Road {
            id: road.id.clone(),
            line,
            width_mm: mm(road.size_m),
            cover,
        });
    }
    for water in &spec.water {
        let outline = m.line(&water.ring);
        m.name(&water.id, &water.zh, &water.en);
        m.made.outside.waters.push(model::Water {
            id: water.id.clone(),
            kind: water.kind,
            outline,
            bed_mm: mm(water.bed_m),
            level_mm: mm(water.level_m),
        });
    }
    for green in &spec.green {
        for (id, outline) in m.shapes(green) {
            let height_mm = mm(green.height_m);
            m.made.outside.greens.push(model::Green { id, kind: green.kind, outline, height_mm });
        }
    }
    lines_and_pairs(spec, &mut m);
    scattered(spec, &mut m);
    m.made
}

fn lines_and_pairs(spec: &OutsideSpec, m: &mut Maker) {
    for fence in &spec.fence {
        let line = m.line(&fence.line);
        m.name(&fence.id, &fence.zh, &fence.en);
        m.made.outside.fences.push(model::Fence { id: fence.id.clone(), line, height_mm: mm(fence.size_m) });
    }
    for gate in &spec.gate {
        let (a, b) = (m.vertex(gate.a), m.vertex(gate.b));
        m.name(&gate.id, &gate.zh, &gate.en);
        m.made.outside.gates.push(model::Gate { id: gate.id.clone(), a, b, kind: gate.kind });
    }
    for barrier in &spec.barrier {
        let (a, b) = (m.vertex(barrier.a), m.vertex(barrier.b));
        m.name(&barrier.id, &barrier.zh, &barrier.en);
        let height_mm = mm(barrier.height_m);
        m.made.outside.barriers.push(model::Barrier { id: barrier.id.clone(), a, b, height_mm });
    }
    for place in &spec.assembly {
        let outline = m.line(&rectangle(place.rect));
        m.name(&place.id, &place.zh, &place.en);
        let capacity = place.capacity;
        m.made.outside.assembly_points.push(model::AssemblyPoint { id: place.id.clone(), outline, capacity });
    }
}

/// Points evenly from `from` to `to`.
fn along(from: AtM, to: AtM, count: u32) -> impl Iterator<Item = (u32, PointMm)> {
    (0..count).map(move |i| {
        let t = if count > 1 { f64::from(i) / f64::from(count - 1) } else { 0.0 };
        (i + 1, [mm(from[0] + t * (to[0] - from[0])), mm(from[1] + t * (to[1] - from[1]))])
    })
}

fn scattered(spec: &OutsideSpec, m: &mut Maker) {
    for row in &spec.trees {
        for (n, at) in along(row.from, row.to, row.count) {
            let id = format!("{}-{n}", row.id);
            m.name(&id, &format!("{}{n}", row.zh), &format!("{} {n}", row.en));
            // Trees of a row differ by up to a tenth, by a rule rather than by chance.
            let size = |metres: f64| mm(metres * (0.9 + 0.05 * f64::from((n * 7) % 5)));
            m.made.outside.trees.push(model::Tree {
                id,
                species: row.species.clone(),
                at,
                height_mm: size(row.size_m[0]),
                crown_mm: size(row.size_m[1]),
                trunk_mm: size(row.size_m[2]),
            });
        }
    }
    for object in &spec.object {
        for (n, at) in along(object.at, object.to.unwrap_or(object.at), object.count) {
            let (id, zh, en) = if object.count == 1 {
                (object.id.clone(), object.zh.clone(), object.en.clone())
            } else {
                (format!("{}-{n}", object.id), format!("{}{n}", object.zh), format!("{} {n}", object.en))
            };
            m.name(&id, &zh, &en);
            m.made.outside.objects.push(model::Object {
                id,
                kind: object.kind,
                at,
                heading_deg: object.heading_deg,
                size_mm: object.size_m.map(mm),
            });
        }
    }
}
