//! From rectangles to a building of the plan: shared vertices, rings, walls, lifts and roofs.

use std::collections::BTreeMap;

use campanile_model::{
    Building, Finishes, Names, PointMm, Roof, RoofKind, Shaft, ShaftKind, Space, SpaceUse, Storey, Wall,
};

use crate::description::{BuildingSpec, School};
use crate::error::MakeError;
use crate::layout::{Corner, StoreyLayout, mm, storeys};
use crate::openings::openings;
use crate::stairs::stairs;

/// The height of the screen around a shed.
pub(crate) const SCREEN_MM: i32 = 1200;

/// A building and what its parts are called.
pub(crate) struct Made {
    pub building: Building,
    /// Names by path.
    pub names: Vec<(String, Names)>,
    /// The corners of its footprint in site millimetres.
    pub footprint: Vec<PointMm>,
}

/// Turns and shifts corners from the building's axes to the site's, each only once.
pub(crate) struct Frame {
    at: PointMm,
    sin: f64,
    cos: f64,
    pub turn_deg: f64,
    indices: BTreeMap<Corner, u32>,
    vertices: Vec<PointMm>,
}

impl Frame {
    fn new(spec: &BuildingSpec) -> Self {
        let turn = spec.turn_deg.to_radians();
        Self {
            at: [mm(spec.at[0]), mm(spec.at[1])],
            sin: libm::sin(turn),
            cos: libm::cos(turn),
            turn_deg: spec.turn_deg,
            indices: BTreeMap::new(),
            vertices: Vec::new(),
        }
    }

    /// A corner in site millimetres.
    pub fn place(&self, (x, y): Corner) -> PointMm {
        let (x, y) = (f64::from(x), f64::from(y));
        let turned = [x * self.cos - y * self.sin, x * self.sin + y * self.cos];
        [self.at[0] + turned[0].round() as i32, self.at[1] + turned[1].round() as i32]
    }

    /// The index of the vertex at a corner.
    pub fn vertex(&mut self, corner: Corner) -> u32 {
        let next = self.vertices.len() as u32;
        let index = *self.indices.entry(corner).or_insert(next);
        if index == next {
            self.vertices.push(self.place(corner));
        }
        index
    }
}

/// A piece of wall line between two corners, and the one or two rooms at it.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub a: Corner,
    pub b: Corner,
    pub rooms: Vec<usize>,
}

impl Edge {
    pub fn length_mm(&self) -> i32 {
        (self.b.0 - self.a.0).abs() + (self.b.1 - self.a.1).abs()
    }
}

/// The rings of the rooms, with every corner of a neighbour on them, and the edges they share.
pub(crate) fn rings_and_edges(storey: &StoreyLayout<'_>) -> (Vec<Vec<Corner>>, Vec<Edge>) {
    let mut corners: Vec<Corner> =
        storey.rooms.iter().flat_map(|r| [r.low, (r.high.0, r.low.1), r.high, (r.low.0, r.high.1)]).collect();
    corners.sort_unstable();
    corners.dedup();
    let mut edges: BTreeMap<(Corner, Corner), Vec<usize>> = BTreeMap::new();
    let mut rings = Vec::new();
    for (i, room) in storey.rooms.iter().enumerate() {
        let ((x0, y0), (x1, y1)) = (room.low, room.high);
        let on =
            |keep: &dyn Fn(&Corner) -> bool| corners.iter().copied().filter(|c| keep(c)).collect::<Vec<_>>();
        let south = on(&|c| c.1 == y0 && c.0 >= x0 && c.0 < x1);
        let east = on(&|c| c.0 == x1 && c.1 >= y0 && c.1 < y1);
        let mut north = on(&|c| c.1 == y1 && c.0 > x0 && c.0 <= x1);
        let mut west = on(&|c| c.0 == x0 && c.1 > y0 && c.1 <= y1);
        north.reverse();
        west.reverse();
        let ring: Vec<Corner> = [south, east, north, west].concat();
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            edges.entry((*a.min(b), *a.max(b))).or_default().push(i);
        }
        rings.push(ring);
    }
    (rings, edges.into_iter().map(|((a, b), rooms)| Edge { a, b, rooms }).collect())
}

/// Whether people walk through spaces of this use to get elsewhere.
pub(crate) fn is_way(use_: SpaceUse) -> bool {
    matches!(use_, SpaceUse::Corridor | SpaceUse::Lobby)
}

/// The construction of the wall on an edge; `None`: it is open.
fn wall_construction(school: &School, storey: &StoreyLayout<'_>, edge: &Edge) -> Option<&'static str> {
    let uses: Vec<SpaceUse> = edge.rooms.iter().map(|r| storey.rooms[*r].use_).collect();
    let fire = |u: &SpaceUse| school.uses.get(u).is_some_and(|s| s.fire);
    match uses[..] {
        [SpaceUse::Parking] => Some("screen"),
        [_] if storey.level < 0 => Some("cellar-wall"),
        [SpaceUse::ColdStore] => Some("cold-panel"),
        [_] => Some("exterior-wall"),
        [a, b] if is_way(a) && is_way(b) => None,
        _ if uses.contains(&SpaceUse::ColdStore) => Some("cold-panel"),
        _ if uses.iter().any(fire) => Some("fire-wall"),
        _ if uses.contains(&SpaceUse::Toilet) || uses.contains(&SpaceUse::Washroom) => Some("wet-wall"),
        _ => Some("partition-wall"),
    }
}

/// Makes a building.
pub(crate) fn make(school: &School, spec: &BuildingSpec) -> Result<Made, MakeError> {
    let layouts = storeys(school, spec)?;
    let mut frame = Frame::new(spec);
    let mut names = vec![(spec.id.clone(), Names::new(&*spec.zh, &*spec.en))];
    let mut made = Vec::new();
    let mut footprint = Vec::new();
    let lowest = layouts[0].level;
    for storey in &layouts {
        let (rings, edges) = rings_and_edges(storey);
        let mut spaces = Vec::new();
        for (room, ring) in storey.rooms.iter().zip(&rings) {
            let use_ = school.uses.get(&room.use_);
            let area_m2 = f64::from(room.high.0 - room.low.0) * f64::from(room.high.1 - room.low.1) / 1e6;
            let people = |u: &crate::description::UseSpec| {
                u.people.or_else(|| u.m2_per_person.map(|m2| (area_m2 / m2).floor().max(1.0) as u32))
            };
            let open = matches!(room.use_, SpaceUse::Stair | SpaceUse::Lift)
                && storey.level != lowest
                && below(&layouts, storey.level, &room.id);
            names.push((format!("{}/{}/{}", spec.id, storey.id, room.id), room.names.clone()));
            spaces.push(Space {
                id: room.id.clone(),
                use_: room.use_,
                outline: ring.iter().map(|c| frame.vertex(*c)).collect(),
                holes: Vec::new(),
                floor_offset_mm: 0,
                ceiling_mm: use_.and_then(|u| u.ceiling_m).map(mm).filter(|c| *c < mm(storey.spec.ceiling_m)),
                open_to_below: open,
                finishes: use_.map(|u| Finishes {
                    floor: u.floor.clone(),
                    wall: "paint".to_owned(),
                    ceiling: "paint".to_owned(),
                }),
                occupancy: use_.and_then(people),
            });
        }
        let walls = edges
            .iter()
            .filter_map(|e| {
                let construction = wall_construction(school, storey, e)?.to_owned();
                let height_mm = (construction == "screen").then_some(SCREEN_MM);
                Some(Wall {
                    a: frame.vertex(e.a),
                    b: frame.vertex(e.b),
                    construction,
                    thickness_mm: None,
                    height_mm,
                })
            })
            .collect();
        let openings = openings(school, spec, storey, &edges, &mut frame)?;
        if storey.level == 1 {
            footprint = outer_ring(&edges);
        }
        made.push(Storey {
            id: storey.id.clone(),
            level: storey.level,
            floor_mm: storey.floor_mm,
            height_mm: storey.height_mm,
            ceiling_mm: mm(storey.spec.ceiling_m),
            slab: if storey.level == lowest { "ground-slab" } else { "floor-slab" }.to_owned(),
            spaces,
            walls,
            openings,
        });
    }
    let stairs = stairs(spec, &layouts, &frame)?;
    for stair in &stairs {
        names.push((
            format!("{}/{}", spec.id, stair.id),
            Names::new(format!("{}楼梯 {}", spec.zh, stair.id), format!("{}, stair {}", spec.en, stair.id)),
        ));
    }
    let shafts = lifts(&layouts, &mut frame);
    for shaft in &shafts {
        names.push((
            format!("{}/{}", spec.id, shaft.id),
            Names::new(format!("{}电梯井", spec.zh), format!("{}, lift shaft", spec.en)),
        ));
    }
    let roof = roof(spec, &layouts, &mut frame);
    names.push((
        format!("{}/roof", spec.id),
        Names::new(format!("{}屋面", spec.zh), format!("{}, roof", spec.en)),
    ));
    let footprint = corners_of(&footprint).iter().map(|c| frame.place(*c)).collect();
    let building = Building {
        id: spec.id.clone(),
        use_: spec.use_.clone(),
        vertices: frame.vertices,
        storeys: made,
        stairs,
        shafts,
        roofs: vec![roof],
    };
    Ok(Made { building, names, footprint })
}

/// Whether a storey just below has a room of the same id.
fn below(layouts: &[StoreyLayout<'_>], level: i32, id: &str) -> bool {
    let under = if level == 1 { -1 } else { level - 1 };
    layouts.iter().any(|s| s.level == under && s.rooms.iter().any(|r| r.id == id))
}

fn lifts(layouts: &[StoreyLayout<'_>], frame: &mut Frame) -> Vec<Shaft> {
    let mut shafts: Vec<Shaft> = Vec::new();
    for storey in layouts {
        for room in storey.rooms.iter().filter(|r| r.use_ == SpaceUse::Lift) {
            let id = format!("shaft-{}", room.id);
            match shafts.iter_mut().find(|s| s.id == id) {
                Some(shaft) => shaft.to.clone_from(&storey.id),
                None => {
                    let (low, high) = (room.low, room.high);
                    let ring = [low, (high.0, low.1), high, (low.0, high.1)];
                    shafts.push(Shaft {
                        id,
                        kind: ShaftKind::Lift,
                        outline: ring.iter().map(|c| frame.vertex(*c)).collect(),
                        from: storey.id.clone(),
                        to: storey.id.clone(),
                    });
                }
            }
        }
    }
    shafts
}

/// The outer ring of a storey, counter-clockwise, from the edges that only one room has.
fn outer_ring(edges: &[Edge]) -> Vec<Corner> {
    let outer: Vec<(Corner, Corner)> =
        edges.iter().filter(|e| e.rooms.len() == 1).map(|e| (e.a, e.b)).collect();
    let Some(start) = outer.iter().map(|e| e.0).min() else { return Vec::new() };
    // From the south-western corner eastwards the inside lies to the left.
    let (mut ring, mut here, mut heading) = (vec![start], start, (1, 0));
    for _ in 0..outer.len() {
        let toward = |e: &(Corner, Corner)| {
            let other = if e.0 == here {
                e.1
            } else if e.1 == here {
                e.0
            } else {
                return None;
            };
            Some((((other.0 - here.0).signum(), (other.1 - here.1).signum()), other))
        };
        // Sharpest right turn last: the footprint stays to the left at corners that touch.
        let turns = [heading, (-heading.1, heading.0), (heading.1, -heading.0)];
        let options: Vec<_> = outer.iter().filter_map(toward).collect();
        let next = turns.iter().find_map(|t| options.iter().find(|(d, _)| d == t));
        let Some((direction, other)) = next else { break };
        (heading, here) = (*direction, *other);
        if here == start {
            break;
        }
        ring.push(here);
    }
    ring
}

/// A ring without the corners at which it goes straight on.
fn corners_of(ring: &[Corner]) -> Vec<Corner> {
    let n = ring.len();
    let bends = |i: usize| {
        let (p, q, r) = (ring[(i + n - 1) % n], ring[i], ring[(i + 1) % n]);
        !((p.0 == q.0 && q.0 == r.0) || (p.1 == q.1 && q.1 == r.1))
    };
    (0..n).filter(|i| bends(*i)).map(|i| ring[i]).collect()
}

fn roof(spec: &BuildingSpec, layouts: &[StoreyLayout<'_>], frame: &mut Frame) -> Roof {
    let mut ring = Vec::new();
    let mut base_mm = mm(spec.floor_m);
    if let Some(top) = layouts.last() {
        ring = corners_of(&outer_ring(&rings_and_edges(top).1));
        base_mm = top.floor_mm + top.height_mm;
    }
    Roof {
        id: "roof".to_owned(),
        kind: spec.roof.kind,
        outline: ring.iter().map(|c| frame.vertex(*c)).collect(),
        base_mm,
        pitch_deg: spec.roof.pitch_deg,
        // Ridges run with the rows; a mono roof falls to the south.
        ridge_deg: if spec.roof.kind == RoofKind::Mono { frame.turn_deg - 90.0 } else { frame.turn_deg },
        parapet_mm: mm(spec.roof.parapet_m),
        construction: "roof".to_owned(),
        downpipes: Vec::new(),
        solar: spec.roof.solar.clone(),
    }
}
