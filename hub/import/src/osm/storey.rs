//! One storey: spaces that share their vertices, walls, and doors, so that everything can be reached.

use std::collections::{BTreeMap, BTreeSet};

use campanile_model::{Leaf, Opening, OpeningKind, PointMm, Space, SpaceUse, Swing, Wall};

use super::layout::Piece;
use crate::polygon::{Polygon, edges, length, to_segment, union};

/// Corners nearer than this are one, and a corner nearer than this to an edge lies on it: cuts are rounded to whole
/// millimetres on each side by itself.
const SAME_MM: f64 = 2.0;
/// A room smaller or narrower than this goes to its neighbour.
const LEAST_ROOM_M2: f64 = 5.0;
const LEAST_WIDTH_M: f64 = 0.9;
/// From the end of a wall to a jamb.
const JAMB_MM: i32 = 100;
/// A room larger than this has two doors where its wall allows (GB 50099-2011, 8.8.1: for more than 50 people).
const TWO_DOORS_M2: f64 = 65.0;

/// A ground storey has a door to the outside for each share of this size, and the ends of corridors have up to so many.
const EXIT_SHARE_M2: f64 = 1200.0;
const USUAL_EXITS: usize = 4;
const MOST_EXITS: usize = 24;

/// The vertices of a building, each place once.
#[derive(Debug, Default)]
pub(crate) struct Vertices {
    index: BTreeMap<PointMm, u32>,
    pub list: Vec<PointMm>,
}

impl Vertices {
    pub fn of(&mut self, p: PointMm) -> u32 {
        *self.index.entry(p).or_insert_with(|| {
            self.list.push(p);
            self.list.len() as u32 - 1
        })
    }

    pub fn ring(&mut self, ring: &[PointMm]) -> Vec<u32> {
        ring.iter().map(|p| self.of(*p)).collect()
    }
}

/// Makes corners that are one by rounding the same, and puts the corners of neighbours into edges.
pub(crate) fn stitch(cells: &mut Vec<(Polygon, Piece)>) {
    let all: Vec<usize> = (0..cells.len()).collect();
    stitch_some(cells, &all);
}

/// Corners by squares of the plan: few are looked at for what is near.
struct Corners(BTreeMap<(i32, i32), BTreeSet<PointMm>>);

impl Corners {
    /// About the size of a room.
    const SIDE_MM: i32 = 8192;

    fn of(cells: &[(Polygon, Piece)], which: &[usize]) -> Self {
        let mut squares: BTreeMap<(i32, i32), BTreeSet<PointMm>> = BTreeMap::new();
        for p in which.iter().flat_map(|i| cells[*i].0.rings()).flatten() {
            squares.entry(Self::square(*p)).or_default().insert(*p);
        }
        Self(squares)
    }

    fn square(p: PointMm) -> (i32, i32) {
        (p[0].div_euclid(Self::SIDE_MM), p[1].div_euclid(Self::SIDE_MM))
    }

    /// Those in a box. The squares of a row lie beside each other in the map.
    fn within(&self, low: PointMm, high: PointMm) -> impl Iterator<Item = PointMm> {
        let ((left, down), (right, up)) = (Self::square(low), Self::square(high));
        (left..=right)
            .flat_map(move |x| self.0.range((x, down)..=(x, up)))
            .flat_map(|(_, corners)| corners.iter().copied())
            .filter(move |p| (0..2).all(|i| (low[i]..=high[i]).contains(&p[i])))
    }
}

/// [`stitch`] of some cells, by index ascending: what of the others' corners lies near theirs is to be among them.
fn stitch_some(cells: &mut Vec<(Polygon, Piece)>, which: &[usize]) {
    let mut places: BTreeMap<(i32, i32), Vec<PointMm>> = BTreeMap::new();
    let mut snap = |p: PointMm| -> PointMm {
        let (cx, cy) = (p[0].div_euclid(4), p[1].div_euclid(4));
        for x in cx - 1..=cx + 1 {
            for y in cy - 1..=cy + 1 {
                for q in places.get(&(x, y)).into_iter().flatten() {
                    if length(p, *q) <= SAME_MM {
                        return *q;
                    }
                }
            }
        }
        places.entry((cx, cy)).or_default().push(p);
        p
    };
    for i in which {
        let polygon = &mut cells[*i].0;
        for ring in std::iter::once(&mut polygon.outline).chain(&mut polygon.holes) {
            for p in ring.iter_mut() {
                *p = snap(*p);
            }
            ring.dedup();
            if ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
        }
        polygon.holes.retain(|h| h.len() > 2);
    }
    let is_something = |p: &Polygon| p.outline.len() > 2 && p.area_m2() > 1e-3;
    let some: Vec<usize> = which.iter().copied().filter(|i| is_something(&cells[*i].0)).collect();
    let corners = Corners::of(cells, &some);
    for i in &some {
        let polygon = &mut cells[*i].0;
        for ring in std::iter::once(&mut polygon.outline).chain(&mut polygon.holes) {
            let mut whole = Vec::with_capacity(ring.len());
            for (a, b) in edges(ring) {
                whole.push(a);
                let reach = SAME_MM as i32;
                let low = [a[0].min(b[0]) - reach, a[1].min(b[1]) - reach];
                let high = [a[0].max(b[0]) + reach, a[1].max(b[1]) + reach];
                let total = length(a, b);
                let mut between: Vec<(f64, PointMm)> = corners
                    .within(low, high)
                    .filter_map(|p| {
                        let (away, along) = to_segment(p, a, b);
                        (away <= SAME_MM && along > SAME_MM && along < total - SAME_MM).then_some((along, p))
                    })
                    .collect();
                between.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
                whole.extend(between.into_iter().map(|(_, p)| p));
            }
            *ring = whole;
        }
    }
    // What has become nothing goes; a ring may have come to pass one of its own corners twice.
    let changed: BTreeSet<usize> = which.iter().copied().collect();
    let kept: BTreeSet<usize> = some.into_iter().collect();
    *cells = std::mem::take(cells)
        .into_iter()
        .enumerate()
        .filter(|(i, _)| !changed.contains(i) || kept.contains(i))
        .flat_map(|(i, (polygon, piece))| {
            let parts = if changed.contains(&i) { polygon.into_simple() } else { vec![polygon] };
            parts.into_iter().map(move |p| (p, piece))
        })
        .collect();
}

/// The cells, by index ascending, whose boxes come nearer to a box than corners that are one.
fn near(cells: &[(Polygon, Piece)], (low, high): (PointMm, PointMm)) -> Vec<usize> {
    let reach = 2 * SAME_MM as i32;
    let meets = |p: &Polygon| {
        let (from, to) = p.bounds();
        (0..2).all(|i| from[i] <= high[i] + reach && to[i] >= low[i] - reach)
    };
    cells.iter().enumerate().filter(|(_, (p, _))| meets(p)).map(|(i, _)| i).collect()
}

/// Which cells lie along each edge.
type Edges = BTreeMap<(PointMm, PointMm), Vec<usize>>;

fn edge_users(cells: &[(Polygon, Piece)], which: &[usize]) -> Edges {
    let mut found = Edges::new();
    for i in which {
        for (a, b) in cells[*i].0.rings().flat_map(|r| edges(r)) {
            found.entry((a.min(b), a.max(b))).or_default().push(*i);
        }
    }
    found
}

/// Gives what is too small for a room to its neighbours, and makes one of corridors that touch.
pub(crate) fn merge(cells: &mut Vec<(Polygon, Piece)>) {
    stitch(cells);
    let (ways, mut rest): (Vec<_>, Vec<_>) =
        cells.drain(..).partition(|(_, piece)| *piece == Piece::Corridor);
    let ways: Vec<Polygon> = ways.into_iter().map(|(p, _)| p).collect();
    rest.extend(union(&ways).into_iter().filter(|_| !ways.is_empty()).map(|p| (p, Piece::Corridor)));
    *cells = rest;
    stitch(cells);
    let mut kept: BTreeSet<PointMm> = BTreeSet::new();
    loop {
        let small = cells
            .iter()
            .enumerate()
            .filter(|(_, (p, piece))| {
                let (area, width) = (p.area_m2(), 2.0 * p.area_m2() / p.perimeter_m());
                let least = if *piece == Piece::Room { LEAST_ROOM_M2 } else { 1.5 };
                !matches!(piece, Piece::Stair(_))
                    && (area < least || width < LEAST_WIDTH_M * if *piece == Piece::Room { 1.0 } else { 0.5 })
                    && !kept.contains(&p.outline[0])
            })
            .min_by(|a, b| a.1.0.area_m2().total_cmp(&b.1.0.area_m2()).then(a.0.cmp(&b.0)))
            .map(|(i, _)| i);
        let Some(small) = small else { break };
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        let beside = near(cells, cells[small].0.bounds());
        for ((a, b), users) in edge_users(cells, &beside).iter().filter(|(_, users)| users.contains(&small)) {
            for other in users.iter().filter(|u| **u != small) {
                *shared.entry(*other).or_default() += length(*a, *b);
            }
        }
        let mut neighbours: Vec<(usize, f64)> = shared.into_iter().collect();
        // A stair keeps its shape if anything else can grow.
        let stair = |i: usize| matches!(cells[i].1, Piece::Stair(_));
        neighbours.sort_by(|a, b| stair(a.0).cmp(&stair(b.0)).then(b.1.total_cmp(&a.1)));
        let joined = neighbours.into_iter().find_map(|(other, _)| {
            let one = union(&[cells[small].0.clone(), cells[other].0.clone()]);
            (one.len() == 1).then(|| (other, one.into_iter().next().unwrap_or_default()))
        });
        match joined {
            Some((other, polygon)) => {
                let around = polygon.bounds();
                cells[other].0 = polygon;
                cells.remove(small);
                // All else is stitched already.
                let which = near(cells, around);
                stitch_some(cells, &which);
            }
            None => {
                kept.insert(cells[small].0.outline[0]);
            }
        }
    }
}

/// What a storey needs to be known to be built.
pub(crate) struct StoreySpec<'a> {
    /// 1 at the ground, 2 above it, -1 the first cellar.
    pub level: i32,
    pub height_mm: i32,
    pub use_of_room: &'a dyn Fn(f64) -> SpaceUse,
    /// Where doors to the outside are mapped, and how wide.
    pub entrances: &'a [(PointMm, i32)],
    pub exterior: &'a str,
    /// Posts and beams instead of walls.
    pub open: bool,
    /// Whether people come in here from the outside.
    pub exits: bool,
    pub windows: bool,
    /// Indices of stairs that have a floor below them.
    pub open_below: &'a dyn Fn(usize) -> bool,
    /// The outer rings of the storey: edges that lie on none of them face a courtyard.
    pub outer: &'a [Vec<PointMm>],
}

/// The parts of a storey.
#[derive(Debug, Default)]
pub(crate) struct StoreyParts {
    pub spaces: Vec<Space>,
    pub walls: Vec<Wall>,
    pub openings: Vec<Opening>,
    /// Pairs of spaces that could not be joined by a door and have no wall between them instead.
    pub open_joints: usize,
}

struct Edge {
    a: PointMm,
    b: PointMm,
    spaces: Vec<usize>,
    length: i32,
    /// Places taken by openings, from and to along the edge.
    taken: Vec<[i32; 2]>,
    outer: bool,
    wall: bool,
}

/// Builds a storey from its cells.
pub(crate) fn build(
    cells: &[(Polygon, Piece)],
    spec: &StoreySpec<'_>,
    vertices: &mut Vertices,
) -> StoreyParts {
    let mut parts = StoreyParts::default();
    let prefix = if spec.level < 0 { format!("b{}", -spec.level) } else { spec.level.to_string() };
    let (mut rooms, mut ways) = (0, 0);
    for (polygon, piece) in cells {
        let (id, use_) = match piece {
            Piece::Stair(i) => (format!("stair-{}", i + 1), SpaceUse::Stair),
            Piece::Corridor => {
                ways += 1;
                (format!("corridor-{ways}"), SpaceUse::Corridor)
            }
            Piece::Room => {
                rooms += 1;
                (format!("{prefix}{rooms:02}"), (spec.use_of_room)(polygon.area_m2()))
            }
        };
        parts.spaces.push(Space {
            id,
            use_,
            outline: vertices.ring(&polygon.outline),
            holes: polygon.holes.iter().map(|h| vertices.ring(h)).collect(),
            floor_offset_mm: 0,
            ceiling_mm: None,
            open_to_below: matches!(piece, Piece::Stair(i) if (spec.open_below)(*i)),
            finishes: None,
            occupancy: None,
        });
    }
    let mut all: Vec<Edge> = edge_users(cells, &(0..cells.len()).collect::<Vec<_>>())
        .into_iter()
        .map(|((a, b), spaces)| {
            let middle = [a[0] + (b[0] - a[0]) / 2, a[1] + (b[1] - a[1]) / 2];
            let on_outer = |ring: &Vec<PointMm>| edges(ring).any(|(c, d)| to_segment(middle, c, d).0 <= 20.0);
            let outer = spaces.len() == 1 && spec.outer.iter().any(on_outer);
            let length = length(a, b).floor() as i32;
            Edge { a, b, spaces, length, taken: Vec::new(), outer, wall: true }
        })
        .collect();
    let mut placer = Placer { parts: &mut parts, vertices, spec, counts: BTreeMap::new() };
    if spec.open {
        placer.posts(&mut all);
    } else {
        if spec.exits {
            placer.entrances(&mut all, cells);
        }
        placer.inner_doors(&mut all, cells);
        if spec.exits {
            placer.exits(&mut all, cells);
        }
        if spec.windows {
            placer.windows(&mut all);
        }
    }
    for edge in all.iter().filter(|e| e.wall) {
        let stair = edge.spaces.iter().any(|i| parts.spaces[*i].use_ == SpaceUse::Stair);
        let construction = match (edge.spaces.len(), spec.open) {
            (_, true) => "post",
            (1, _) if spec.level < 0 => "cellar-wall",
            (1, _) => spec.exterior,
            _ if stair => "fire-wall",
            _ => "partition-wall",
        };
        parts.walls.push(Wall {
            a: vertices.of(edge.a),
            b: vertices.of(edge.b),
            construction: construction.to_owned(),
            thickness_mm: None,
            height_mm: None,
        });
    }
    parts
}

struct Placer<'a, 'b> {
    parts: &'a mut StoreyParts,
    vertices: &'a mut Vertices,
    spec: &'a StoreySpec<'b>,
    counts: BTreeMap<String, usize>,
}

#[derive(Clone, Copy)]
struct Kind {
    prefix: &'static str,
    kind: OpeningKind,
    leaf: Leaf,
    size_mm: [i32; 2],
    sill_mm: i32,
    construction: Option<&'static str>,
    exit: bool,
    fire: bool,
}

const ROOM_DOOR: Kind = Kind {
    prefix: "d",
    kind: OpeningKind::Door,
    leaf: Leaf::Single,
    size_mm: [1000, 2100],
    sill_mm: 0,
    construction: Some("timber-door"),
    exit: false,
    fire: false,
};
const FIRE_DOOR: Kind = Kind {
    leaf: Leaf::Double,
    size_mm: [1500, 2100],
    construction: Some("fire-door"),
    fire: true,
    ..ROOM_DOOR
};
const EXIT_DOOR: Kind = Kind {
    prefix: "x",
    leaf: Leaf::Double,
    size_mm: [1800, 2300],
    construction: Some("glass-door"),
    exit: true,
    ..ROOM_DOOR
};
const WINDOW: Kind = Kind {
    prefix: "w",
    kind: OpeningKind::Window,
    leaf: Leaf::Sliding,
    size_mm: [2100, 1800],
    sill_mm: 900,
    construction: Some("window"),
    exit: false,
    fire: false,
};

impl Placer<'_, '_> {
    /// Puts an opening with its near jamb at `at` along the edge, if the place is free.
    fn put(&mut self, edge: &mut Edge, at: i32, space: usize, kind: &Kind) -> bool {
        let [width, height] = kind.size_mm;
        let height = height.min(self.spec.height_mm - 300 - kind.sill_mm);
        let fits = at >= JAMB_MM && at + width <= edge.length - JAMB_MM && height >= 400 && width > 0;
        if !fits || edge.taken.iter().any(|[from, to]| at < to + JAMB_MM && at + width > from - JAMB_MM) {
            return false;
        }
        edge.taken.push([at, at + width]);
        let stem = format!("{}-{}", kind.prefix, self.parts.spaces[space].id);
        let count = self.counts.entry(stem.clone()).or_default();
        *count += 1;
        self.parts.openings.push(Opening {
            id: format!("{stem}-{count}"),
            kind: kind.kind,
            wall: [self.vertices.of(edge.a), self.vertices.of(edge.b)],
            at_mm: at,
            width_mm: width,
            height_mm: height,
            sill_mm: kind.sill_mm,
            leaf: kind.leaf,
            construction: kind.construction.map(str::to_owned),
            fire_rating_min: kind.fire.then_some(60),
            self_closing: kind.fire,
            swing: matches!(kind.leaf, Leaf::Single | Leaf::Double).then_some(Swing::LeftNear),
            exit: kind.exit,
        });
        true
    }

    /// A door of the wanted width near a place, else a narrower one.
    fn door_at(&mut self, edge: &mut Edge, middle: i32, space: usize, kind: &Kind) -> bool {
        for width in [kind.size_mm[0], 1200, 1000, 900, 800].into_iter().filter(|w| *w <= kind.size_mm[0]) {
            let leaf = if width < 1200 && kind.leaf == Leaf::Double { Leaf::Single } else { kind.leaf };
            let at = (middle - width / 2).clamp(JAMB_MM, (edge.length - JAMB_MM - width).max(JAMB_MM));
            if self.put(edge, at, space, &Kind { size_mm: [width, kind.size_mm[1]], leaf, ..*kind }) {
                return true;
            }
        }
        false
    }

    /// Doors where they are mapped.
    fn entrances(&mut self, all: &mut [Edge], cells: &[(Polygon, Piece)]) {
        for (place, width) in self.spec.entrances {
            let mut near: Vec<(f64, f64, usize)> = all
                .iter()
                .enumerate()
                .filter(|(_, e)| e.spaces.len() == 1)
                .map(|(i, e)| {
                    let (away, along) = to_segment(*place, e.a, e.b);
                    (away, along, i)
                })
                .filter(|(away, ..)| *away < 2500.0)
                .collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
            for (_, along, i) in near.into_iter().take(4) {
                let space = all[i].spaces[0];
                let kind = Kind { size_mm: [*width, EXIT_DOOR.size_mm[1]], ..EXIT_DOOR };
                if self.door_at(&mut all[i], along as i32, space, &kind) {
                    // Who comes in stands in a hall, not in a class.
                    let use_ = &mut self.parts.spaces[space].use_;
                    if *use_ == SpaceUse::Classroom && cells[space].0.area_m2() < 90.0 && cells.len() > 3 {
                        *use_ = SpaceUse::Lobby;
                    }
                    break;
                }
            }
        }
    }

    /// Rooms open to a corridor or hall where they have one, and then whatever is still apart is joined.
    fn inner_doors(&mut self, all: &mut [Edge], cells: &[(Polygon, Piece)]) {
        let is_way = |parts: &StoreyParts, i: usize| {
            cells[i].1 == Piece::Corridor || parts.spaces[i].use_ == SpaceUse::Lobby
        };
        let mut group: Vec<usize> = (0..cells.len()).collect();
        fn root(group: &mut [usize], mut i: usize) -> usize {
            while group[i] != i {
                group[i] = group[group[i]];
                i = group[i];
            }
            i
        }
        let rooms: Vec<usize> = (0..cells.len()).filter(|i| !is_way(self.parts, *i)).collect();
        for room in rooms {
            let mut walls: Vec<usize> = (0..all.len())
                .filter(|e| {
                    let spaces = &all[*e].spaces;
                    spaces.len() == 2
                        && spaces.contains(&room)
                        && spaces.iter().any(|s| *s != room && is_way(self.parts, *s))
                })
                .collect();
            walls.sort_by_key(|e| (-all[*e].length, *e));
            let stair = matches!(cells[room].1, Piece::Stair(_));
            let kind = if stair { FIRE_DOOR } else { ROOM_DOOR };
            for e in walls {
                let other = all[e].spaces.iter().copied().find(|s| *s != room).unwrap_or(room);
                let long = all[e].length;
                let two = !stair && cells[room].0.area_m2() > TWO_DOORS_M2 && long >= 5000;
                let middle = if stair || long < 4000 { long / 2 } else { 1100 };
                if self.door_at(&mut all[e], middle, room, &kind) {
                    if two {
                        self.door_at(&mut all[e], long - 1100, room, &kind);
                    }
                    let (a, b) = (root(&mut group, room), root(&mut group, other));
                    group[a.max(b)] = a.min(b);
                    break;
                }
            }
        }
        loop {
            let mut apart: Vec<usize> = (0..all.len())
                .filter(|e| {
                    all[*e].spaces.len() == 2 && {
                        let (a, b) = (all[*e].spaces[0], all[*e].spaces[1]);
                        root(&mut group, a) != root(&mut group, b)
                    }
                })
                .collect();
            // Through a stair only where there is no other way.
            let stairs =
                |e: &Edge| e.spaces.iter().filter(|s| matches!(cells[**s].1, Piece::Stair(_))).count();
            apart.sort_by_key(|e| (stairs(&all[*e]), -all[*e].length, *e));
            let Some(first) = apart.first().copied() else { break };
            let mut done = None;
            for e in &apart {
                let stair = stairs(&all[*e]) > 0;
                let both_ways = all[*e].spaces.iter().all(|s| cells[*s].1 == Piece::Corridor);
                let kind = if stair || both_ways { FIRE_DOOR } else { ROOM_DOOR };
                let (room, middle) = (all[*e].spaces[1], all[*e].length / 2);
                if self.door_at(&mut all[*e], middle, room, &kind) {
                    done = Some(*e);
                    break;
                }
            }
            let e = done.unwrap_or_else(|| {
                // Too short for a door: nothing stands between the two.
                all[first].wall = false;
                self.parts.open_joints += 1;
                first
            });
            let (a, b) = (root(&mut group, all[e].spaces[0]), root(&mut group, all[e].spaces[1]));
            group[a.max(b)] = a.min(b);
        }
    }

    /// Ways out of each part of the storey: corridors at their ends, else the longest outer walls.
    fn exits(&mut self, all: &mut [Edge], cells: &[(Polygon, Piece)]) {
        let groups = joined(cells.len(), all, &self.parts.openings, self.vertices);
        let mut with_exit: BTreeMap<usize, usize> = BTreeMap::new();
        for e in all.iter().filter(|e| e.spaces.len() == 1) {
            let wall = [self.vertices.of(e.a), self.vertices.of(e.b)];
            let here = self.parts.openings.iter().filter(|o| o.exit && o.wall == wall).count();
            if here > 0 {
                *with_exit.entry(groups[e.spaces[0]]).or_default() += here;
            }
        }
        for group in groups.iter().copied().collect::<BTreeSet<usize>>() {
            let area: f64 =
                (0..cells.len()).filter(|i| groups[*i] == group).map(|i| cells[i].0.area_m2()).sum();
            let mapped = with_exit.get(&group).copied().unwrap_or(0);
            let wanted = ((area / EXIT_SHARE_M2).ceil() as usize).clamp(1, MOST_EXITS);
            let mut walls: Vec<usize> = (0..all.len())
                .filter(|e| all[*e].spaces.len() == 1 && groups[all[*e].spaces[0]] == group)
                .collect();
            let rank = |e: &Edge| {
                let way = match cells[e.spaces[0]].1 {
                    Piece::Corridor => 0,
                    Piece::Stair(_) => 2,
                    Piece::Room => 1,
                };
                (!e.outer, e.length < 1100, way, -e.length)
            };
            walls.sort_by_key(|e| (rank(&all[*e]), *e));
            let mut found = mapped;
            for e in walls {
                // The ends of corridors are doors where nobody mapped any, others where there are too few.
                let corridor = cells[all[e].spaces[0]].1 == Piece::Corridor;
                let usual = mapped == 0 && corridor && all[e].outer && found < USUAL_EXITS;
                let few = found < wanted && (found == 0 || all[e].outer);
                if usual || few {
                    let (space, middle) = (all[e].spaces[0], all[e].length / 2);
                    found += usize::from(self.door_at(&mut all[e], middle, space, &EXIT_DOOR));
                }
            }
            // All walls are short, as of a round hut: the longest is as much of a door as it can be.
            let longest = (0..all.len())
                .filter(|e| all[*e].spaces.len() == 1 && groups[all[*e].spaces[0]] == group)
                .max_by_key(|e| (all[*e].taken.is_empty(), all[*e].length, std::cmp::Reverse(*e)));
            if let (0, Some(e)) = (found, longest) {
                let (space, width) = (all[e].spaces[0], all[e].length - 2 * JAMB_MM);
                let size_mm = [width, ROOM_DOOR.size_mm[1]];
                let narrow = Kind { size_mm, leaf: Leaf::Single, ..EXIT_DOOR };
                self.put(&mut all[e], JAMB_MM, space, &narrow);
            }
        }
    }

    fn windows(&mut self, all: &mut [Edge]) {
        for edge in all.iter_mut().filter(|e| e.spaces.len() == 1) {
            let space = edge.spaces[0];
            let free = edge.length - 2 * JAMB_MM;
            let width = WINDOW.size_mm[0].min(free - 400);
            if width < 600 {
                continue;
            }
            let height = WINDOW.size_mm[1].min(self.spec.height_mm - WINDOW.sill_mm - 600);
            let count = ((free + 900) / (width + 900)).clamp(1, 60);
            for i in 0..count {
                // Evenly: the middles at odd shares of the length.
                let middle = i64::from(edge.length) * i64::from(2 * i + 1) / i64::from(2 * count);
                let kind = Kind { size_mm: [width, height], ..WINDOW };
                self.put(edge, middle as i32 - width / 2, space, &kind);
            }
        }
    }

    /// Posts and a beam: every wall is a gap but for its ends and its top.
    fn posts(&mut self, all: &mut [Edge]) {
        let height = self.spec.height_mm - 300;
        for edge in all.iter_mut() {
            let free = edge.length - 2 * JAMB_MM;
            let bays = ((free + 7000) / 7300).max(1);
            let width = (free - (bays - 1) * 300) / bays;
            let kind = Kind {
                prefix: "g",
                kind: OpeningKind::Gap,
                leaf: Leaf::None,
                size_mm: [width, height],
                construction: None,
                exit: true,
                ..ROOM_DOOR
            };
            // Above the ground nobody may step out: a parapet stands in the gap.
            let upper = Kind {
                kind: OpeningKind::Window,
                size_mm: [width, height - 1100],
                sill_mm: 1100,
                exit: false,
                ..kind
            };
            let kind = if self.spec.level > 1 { upper } else { kind };
            let space = edge.spaces[0];
            for bay in 0..bays {
                self.put(edge, JAMB_MM + bay * (width + 300), space, &kind);
            }
        }
    }
}

/// The group of each space: those that doors, gaps and open edges join.
fn joined(count: usize, all: &[Edge], openings: &[Opening], vertices: &mut Vertices) -> Vec<usize> {
    let doors: BTreeSet<(u32, u32)> = openings
        .iter()
        .filter(|o| matches!(o.kind, OpeningKind::Door | OpeningKind::Gap))
        .map(|o| (o.wall[0], o.wall[1]))
        .collect();
    let mut groups: Vec<usize> = (0..count).collect();
    for e in all.iter().filter(|e| e.spaces.len() == 2) {
        if e.wall && !doors.contains(&(vertices.of(e.a), vertices.of(e.b))) {
            continue;
        }
        let (a, b) = (groups[e.spaces[0]], groups[e.spaces[1]]);
        for g in &mut groups {
            if *g == a.max(b) {
                *g = a.min(b);
            }
        }
    }
    groups
}
