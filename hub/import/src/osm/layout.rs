//! How a building is divided: wings, corridors along them, rooms of a classroom's width beside the corridors, stairs.
//!
//! The rule of the house, from what schools are built like (docs/import.md): a wing is cut off at each inner corner;
//! a wing of 11 m or more has a corridor in its middle, of 7 m or more at one side, a narrower one has none; rooms are
//! about 8 m wide; stairs stand at the ends of a corridor; corridors of wings that touch are joined.

use campanile_model::PointMm;

use crate::polygon::{Polygon, edges, slice};

/// The width of a corridor with rooms at both sides, and with rooms at one (GB 50099-2011, 8.2.3: at least 2.4 and 1.8).
const CORRIDOR_MM: f64 = 2400.0;
const SIDE_CORRIDOR_MM: f64 = 2000.0;
/// From this depth on a wing has a corridor at its side, and in its middle.
const SIDE_FROM_MM: f64 = 7000.0;
const MIDDLE_FROM_MM: f64 = 11_000.0;
/// One corridor serves rooms up to this depth at each side.
const DEEPEST_ROOM_MM: f64 = 11_000.0;
/// The width that rooms come near to: a classroom of 45 pupils is about 8 by 8 m.
const ROOM_MM: f64 = 8000.0;
/// What is smaller than this has one room.
const ONE_ROOM_M2: f64 = 50.0;
/// No wing smaller or (as twice its area by its perimeter) narrower than this is cut off.
const LEAST_WING_M2: f64 = 30.0;
const LEAST_WING_M: f64 = 1.2;
/// Cutting more wings off than this makes no building plainer.
const MAX_WINGS: usize = 40;
/// How far cuts reach over the edge, so that they surely run from edge to edge.
const OVER_MM: f64 = 2000.0;
/// The width of a stair's room, and the least and most of its depth.
const STAIR_MM: [f64; 2] = [3200.0, 2700.0];
const STAIR_DEPTH_MM: [f64; 2] = [4700.0, 12_000.0];
/// Two flights of a storey of 3.6 m at 280 by 150 mm, 1.4 m wide, with their landings (GB 50099-2011, 8.7).
const EASY_STAIR_MM: [f64; 2] = [3200.0, 6200.0];
/// A storey larger than this has two stairs, where they fit (GB 50016-2014, 5.5.8), and one for each further share of
/// this size: from a room to the nearest of two stairs no one should walk more than about 35 m (5.5.17).
const TWO_STAIRS_M2: f64 = 400.0;
const STAIR_SHARE_M2: f64 = 1200.0;
/// More stairs on one storey make no building safer.
const MOST_STAIRS: f64 = 24.0;

/// Axes along the building's walls: `u` along, `v` to the left of it, in millimetres.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    cos: f64,
    sin: f64,
}

impl Frame {
    /// The direction that most of the length of the walls has, to a quarter turn.
    pub fn of(polygon: &Polygon) -> Self {
        // Turned four times, directions a quarter turn apart add up.
        let (mut c, mut s) = (0.0, 0.0);
        for (a, b) in polygon.rings().flat_map(|r| edges(r)) {
            let (dx, dy) = (f64::from(b[0] - a[0]), f64::from(b[1] - a[1]));
            let angle = 4.0 * libm::atan2(dy, dx);
            let weight = dx * dx + dy * dy;
            c += weight * libm::cos(angle);
            s += weight * libm::sin(angle);
        }
        let angle = libm::atan2(s, c) / 4.0;
        Self { cos: libm::cos(angle), sin: libm::sin(angle) }
    }

    pub fn local(&self, p: PointMm) -> [f64; 2] {
        let (x, y) = (f64::from(p[0]), f64::from(p[1]));
        [x * self.cos + y * self.sin, y * self.cos - x * self.sin]
    }

    pub fn place(&self, [u, v]: [f64; 2]) -> PointMm {
        [(u * self.cos - v * self.sin).round() as i32, (u * self.sin + v * self.cos).round() as i32]
    }

    fn turned(&self) -> Self {
        Self { cos: -self.sin, sin: self.cos }
    }

    /// The direction of `u`, degrees counter-clockwise from `+x`.
    pub fn heading_deg(&self) -> f64 {
        libm::atan2(self.sin, self.cos).to_degrees()
    }

    fn bounds(&self, polygon: &Polygon) -> Rect {
        let mut rect = Rect { low: [f64::MAX; 2], high: [f64::MIN; 2] };
        for p in polygon.outline.iter().map(|p| self.local(*p)) {
            rect.low = [rect.low[0].min(p[0]), rect.low[1].min(p[1])];
            rect.high = [rect.high[0].max(p[0]), rect.high[1].max(p[1])];
        }
        rect
    }
}

/// A rectangle along a frame's axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub low: [f64; 2],
    pub high: [f64; 2],
}

impl Rect {
    pub fn size(&self) -> [f64; 2] {
        [self.high[0] - self.low[0], self.high[1] - self.low[1]]
    }

    fn contains(&self, p: [f64; 2]) -> bool {
        (0..2).all(|k| p[k] >= self.low[k] && p[k] <= self.high[k])
    }

    pub fn inset(&self, by: f64) -> Rect {
        Rect { low: self.low.map(|x| x + by), high: self.high.map(|x| x - by) }
    }

    pub fn corners(&self, frame: &Frame) -> Vec<PointMm> {
        let ([a, b], [c, d]) = (self.low, self.high);
        [[a, b], [c, b], [c, d], [a, d]].map(|p| frame.place(p)).to_vec()
    }
}

/// A strip of rooms along a wing.
#[derive(Clone, Debug)]
struct Strip {
    v: [f64; 2],
    /// The cuts between its rooms.
    cuts_u: Vec<f64>,
    /// Where stairs stand, `u` from and to.
    stairs: Vec<[f64; 2]>,
    /// Whether the corridor lies at the low side.
    corridor_low: bool,
}

/// A part of a building with straight axes of its own.
#[derive(Clone, Debug)]
struct Wing {
    frame: Frame,
    area: Polygon,
    rect: Rect,
    /// Corridors along it, as `v` from and to.
    bands: Vec<[f64; 2]>,
    /// A corridor across, as `u` from and to, where there are several along.
    across: Option<[f64; 2]>,
    strips: Vec<Strip>,
}

/// A stair: its room, and which way it goes up from its door.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub frame: Frame,
    pub rect: Rect,
    /// Whether the door is at the low side of `v`.
    pub door_low: bool,
    /// How many of the levels, from the lowest, it joins.
    pub levels: usize,
}

/// How a building is divided, the same on each level.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    wings: Vec<Wing>,
    /// Corridors that run on into another wing: the frame and the rectangle.
    links: Vec<(Frame, Rect)>,
    pub cores: Vec<Core>,
}

/// A stair with the wing and the strip that it stands in.
type Placed = (usize, usize, Core);

/// What a piece of a storey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    Room,
    Corridor,
    /// A stair, by its index in [`Layout::cores`].
    Stair(usize),
}

impl Layout {
    /// Plans a building with these areas on its levels, from the lowest up. With `halls` nothing is divided but stairs
    /// are placed all the same.
    pub fn new(levels: &[Vec<Polygon>], halls: bool) -> Self {
        let mut layout = Layout::default();
        // The largest level shows the whole of the building.
        let area = |level: &Vec<Polygon>| level.iter().map(Polygon::area_m2).sum::<f64>();
        let Some(widest) =
            levels.iter().max_by(|a, b| area(a).total_cmp(&area(b)).then(std::cmp::Ordering::Greater))
        else {
            return layout;
        };
        for shape in widest {
            let frame = Frame::of(shape);
            let pieces =
                if shape.area_m2() < ONE_ROOM_M2 { vec![shape.clone()] } else { cut_wings(shape, &frame) };
            layout.wings.extend(pieces.into_iter().map(|piece| Wing::new(piece, frame, halls)));
        }
        if !halls {
            layout.links = links(&layout.wings, widest);
        }
        if levels.len() > 1 {
            layout.place_stairs(levels);
        }
        layout
    }

    /// Stairs so that every shape above the lowest level has one that stands on the same place on all levels below.
    fn place_stairs(&mut self, levels: &[Vec<Polygon>]) {
        for (index, level) in levels.iter().enumerate().skip(1).rev() {
            for shape in level {
                let area = shape.area_m2();
                let wanted = match area > TWO_STAIRS_M2 {
                    true => (area / STAIR_SHARE_M2).ceil().clamp(2.0, MOST_STAIRS) as usize,
                    false => 1,
                };
                let mut candidates = None;
                for _ in 0..wanted {
                    let here: Vec<&Core> = self
                        .cores
                        .iter()
                        .filter(|c| c.levels > index && within(&c.rect.inset(50.0), &c.frame, shape))
                        .collect();
                    if here.len() >= wanted {
                        break;
                    }
                    let away: Vec<PointMm> = here.iter().map(|c| c.rect.corners(&c.frame)[0]).collect();
                    let candidates = candidates.get_or_insert_with(|| self.candidates(levels, index, shape));
                    let Some((wing, strip, core)) = self.farthest(candidates, &away) else { break };
                    self.wings[wing].strips[strip].stairs.push([core.rect.low[0], core.rect.high[0]]);
                    self.cores.push(core);
                }
            }
        }
        for wing in &mut self.wings {
            for strip in &mut wing.strips {
                strip.make_room_for_stairs();
            }
        }
    }

    /// The places where a stair up to level `index` within `shape` can stand on all levels below.
    fn candidates(&self, levels: &[Vec<Polygon>], index: usize, shape: &Polygon) -> Vec<Placed> {
        let mut found = Vec::new();
        for (w, wing) in self.wings.iter().enumerate() {
            for (s, strip) in wing.strips.iter().enumerate() {
                for rect in strip.stair_rects(wing) {
                    let crossed = wing.across.is_some_and(|[a, b]| rect.low[0] < b && rect.high[0] > a)
                        || self.links.iter().any(|(frame, link)| overlaps(frame, link, &wing.frame, &rect));
                    let fits = |shape: &Polygon| within(&rect.inset(50.0), &wing.frame, shape);
                    if crossed || !fits(shape) || !levels[..index].iter().all(|level| level.iter().any(fits))
                    {
                        continue;
                    }
                    let tops = levels[index..].iter().take_while(|level| level.iter().any(fits)).count();
                    let (frame, door_low) = (wing.frame, strip.corridor_low);
                    found.push((w, s, Core { frame, rect, door_low, levels: index + tops }));
                }
            }
        }
        found
    }

    /// The best of them: easy to walk, at a corridor, then farthest from the stairs that stand.
    fn farthest(&self, candidates: &[Placed], away: &[PointMm]) -> Option<Placed> {
        let mut best: Option<((bool, bool, i64), &Placed)> = None;
        for placed in candidates {
            let (w, s, core) = placed;
            let wing = &self.wings[*w];
            let beside = |[a, b]: &[f64; 2]| core.rect.low[0] < b + 1.0 && core.rect.high[0] > a - 1.0;
            if wing.strips[*s].stairs.iter().any(beside) {
                continue;
            }
            let at = core.rect.corners(&core.frame)[0];
            let apart = away.iter().map(|p| crate::polygon::length(*p, at) as i64).min().unwrap_or_default();
            let [a, b] = core.rect.size();
            let easy = a.min(b) > EASY_STAIR_MM[0] - 1.0 && a.max(b) > EASY_STAIR_MM[1] - 1.0;
            let rank = (easy, !wing.bands.is_empty(), apart);
            if best.is_none_or(|(r, _)| rank > r) {
                best = Some((rank, placed));
            }
        }
        best.map(|(_, found)| found.clone())
    }

    /// The pieces of one level's shape, with what each is.
    pub fn divide(&self, shape: &Polygon, level: usize) -> Vec<(Polygon, Piece)> {
        let mut found = Vec::new();
        for (w, wing) in self.wings.iter().enumerate() {
            // Wings are cut by the same lines again, so that storeys of other outlines fit.
            for part in
                crate::polygon::intersection(std::slice::from_ref(shape), std::slice::from_ref(&wing.area))
            {
                self.divide_wing(w, &part, level, &mut found);
            }
        }
        // What stands out of the widest level, if anything does, is a room.
        let areas: Vec<Polygon> = self.wings.iter().map(|w| w.area.clone()).collect();
        for rest in crate::polygon::difference(std::slice::from_ref(shape), &areas) {
            found.push((rest, Piece::Room));
        }
        found
    }

    fn divide_wing(&self, w: usize, part: &Polygon, level: usize, found: &mut Vec<(Polygon, Piece)>) {
        let wing = &self.wings[w];
        let (frame, rect) = (&wing.frame, &wing.rect);
        let along =
            |v: f64| [frame.place([rect.low[0] - OVER_MM, v]), frame.place([rect.high[0] + OVER_MM, v])];
        let mut lines: Vec<f64> = wing.bands.iter().flatten().copied().collect();
        lines.extend(wing.strips.iter().flat_map(|s| s.v));
        lines.retain(|v| *v > rect.low[1] + 1.0 && *v < rect.high[1] - 1.0);
        lines.sort_by(f64::total_cmp);
        lines.dedup_by(|a, b| (*a - *b).abs() < 1.0);
        let cuts: Vec<[PointMm; 2]> = lines.into_iter().map(along).collect();
        for piece in slice(part, &cuts) {
            let at = local_inner(frame, &piece);
            if wing.bands.iter().any(|[a, b]| at[1] > *a && at[1] < *b) {
                found.push((piece, Piece::Corridor));
                continue;
            }
            let Some(strip) = wing.strips.iter().find(|s| at[1] >= s.v[0] && at[1] <= s.v[1]) else {
                found.push((piece, Piece::Room));
                continue;
            };
            let across =
                |u: f64| [frame.place([u, strip.v[0] - OVER_MM]), frame.place([u, strip.v[1] + OVER_MM])];
            let mut cuts: Vec<[PointMm; 2]> = Vec::new();
            let mut ways: Vec<(Frame, Rect)> = Vec::new();
            if let Some([a, b]) = wing.across {
                cuts.extend([across(a), across(b)]);
                ways.push((*frame, Rect { low: [a, strip.v[0]], high: [b, strip.v[1]] }));
            }
            for (link_frame, link) in &self.links {
                if overlaps(
                    link_frame,
                    link,
                    frame,
                    &Rect { low: [rect.low[0], strip.v[0]], high: [rect.high[0], strip.v[1]] },
                ) && piece_touches(&piece, link_frame, link)
                {
                    let far = |v: f64| {
                        [
                            link_frame.place([link.low[0] - 60_000.0, v]),
                            link_frame.place([link.high[0] + 60_000.0, v]),
                        ]
                    };
                    cuts.extend([far(link.low[1]), far(link.high[1])]);
                    ways.push((*link_frame, *link));
                }
            }
            let ways_at = |p: &Polygon| {
                let inner = p.inner_point();
                let inner = [inner[0] as i32, inner[1] as i32];
                ways.iter().any(|(f, r)| r.inset(-60.0).contains(f.local(inner)))
            };
            let free_of_ways = |u: f64| {
                let middle = frame.place([u, (strip.v[0] + strip.v[1]) / 2.0]);
                !ways.iter().any(|(f, r)| r.inset(-1500.0).contains(f.local(middle)))
            };
            let stairs: Vec<(usize, [f64; 2])> = self
                .cores
                .iter()
                .enumerate()
                .filter(|(_, c)| c.levels > level && strip.stairs.contains(&[c.rect.low[0], c.rect.high[0]]))
                .filter(|(_, c)| c.rect.low[1] >= strip.v[0] - 1.0 && c.rect.high[1] <= strip.v[1] + 1.0)
                .filter(|(_, c)| same_frame(&c.frame, frame) && wing_holds(wing, c))
                .map(|(i, c)| (i, [c.rect.low[0], c.rect.high[0]]))
                .collect();
            cuts.extend(strip.cuts_u.iter().filter(|u| free_of_ways(**u)).map(|u| across(*u)));
            for (_, [a, b]) in &stairs {
                for u in [*a, *b] {
                    if u > rect.low[0] + 50.0 && u < rect.high[0] - 50.0 && !strip.cuts_u.contains(&u) {
                        cuts.push(across(u));
                    }
                }
            }
            for cell in slice(&piece, &cuts) {
                let at = local_inner(frame, &cell);
                let kind = if ways_at(&cell) {
                    Piece::Corridor
                } else if let Some((i, _)) = stairs.iter().find(|(_, [a, b])| at[0] > *a && at[0] < *b) {
                    Piece::Stair(*i)
                } else {
                    Piece::Room
                };
                found.push((cell, kind));
            }
        }
    }
}

fn same_frame(a: &Frame, b: &Frame) -> bool {
    (a.cos - b.cos).abs() < 1e-9 && (a.sin - b.sin).abs() < 1e-9
}

fn wing_holds(wing: &Wing, core: &Core) -> bool {
    let middle = [(core.rect.low[0] + core.rect.high[0]) / 2.0, (core.rect.low[1] + core.rect.high[1]) / 2.0];
    wing.area.contains(core.frame.place(middle).map(f64::from))
}

fn local_inner(frame: &Frame, piece: &Polygon) -> [f64; 2] {
    let inner = piece.inner_point();
    frame.local([inner[0].round() as i32, inner[1].round() as i32])
}

/// Whether a rectangle lies wholly within a shape.
fn within(rect: &Rect, frame: &Frame, shape: &Polygon) -> bool {
    let corners = rect.corners(frame);
    corners.iter().all(|c| shape.contains(c.map(f64::from)))
        && !shape.rings().flatten().any(|p| rect.contains(frame.local(*p)))
        && !shape.rings().flat_map(|r| edges(r)).any(|(a, b)| crosses(a, b, &corners))
}

fn crosses(a: PointMm, b: PointMm, ring: &[PointMm]) -> bool {
    let side = |p: PointMm, q: PointMm, r: PointMm| {
        ((i64::from(q[0]) - i64::from(p[0])) * (i64::from(r[1]) - i64::from(p[1]))
            - (i64::from(q[1]) - i64::from(p[1])) * (i64::from(r[0]) - i64::from(p[0])))
        .signum()
    };
    edges(ring).any(|(c, d)| side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0)
}

/// Whether two rectangles share an area: no side of either has the other wholly beyond it.
fn overlaps(frame: &Frame, rect: &Rect, other: &Frame, with: &Rect) -> bool {
    let apart = |frame: &Frame, rect: &Rect, corners: &[PointMm]| {
        let at: Vec<[f64; 2]> = corners.iter().map(|p| frame.local(*p)).collect();
        (0..2).any(|k| at.iter().all(|p| p[k] <= rect.low[k]) || at.iter().all(|p| p[k] >= rect.high[k]))
    };
    let with = with.inset(20.0);
    !apart(frame, rect, &with.corners(other)) && !apart(other, &with, &rect.corners(frame))
}

fn piece_touches(piece: &Polygon, frame: &Frame, rect: &Rect) -> bool {
    let area = Polygon::of(rect.corners(frame));
    crate::polygon::intersection(std::slice::from_ref(piece), &[area]).iter().any(|p| p.area_m2() > 0.05)
}

impl Wing {
    fn new(area: Polygon, frame: Frame, halls: bool) -> Self {
        let upright = frame.bounds(&area).size();
        let frame = if upright[0] >= upright[1] { frame } else { frame.turned() };
        let rect = frame.bounds(&area);
        let [_, depth] = rect.size();
        let mut wing = Wing { frame, area, rect, bands: Vec::new(), across: None, strips: Vec::new() };
        let (low, high) = (rect.low[1], rect.high[1]);
        let count = (depth / (2.0 * DEEPEST_ROOM_MM + CORRIDOR_MM)).ceil().clamp(1.0, 20.0) as usize;
        if !halls && count > 1 && wing.area.area_m2() >= ONE_ROOM_M2 {
            let middle = (rect.low[0] + rect.high[0]) / 2.0;
            wing.across = Some([middle - CORRIDOR_MM / 2.0, middle + CORRIDOR_MM / 2.0]);
        }
        let cuts_u = room_cuts(&rect, wing.across);
        let strip = |v: [f64; 2], corridor_low: bool, cut: bool| Strip {
            v,
            cuts_u: if cut { cuts_u.clone() } else { Vec::new() },
            stairs: Vec::new(),
            corridor_low,
        };
        if halls || wing.area.area_m2() < ONE_ROOM_M2 || depth < SIDE_FROM_MM {
            let cut = !halls && wing.area.area_m2() >= ONE_ROOM_M2;
            wing.strips.push(strip([low, high], true, cut));
        } else if depth < MIDDLE_FROM_MM {
            wing.bands.push([low, low + SIDE_CORRIDOR_MM]);
            wing.strips.push(strip([low + SIDE_CORRIDOR_MM, high], true, true));
        } else {
            let share = depth / count as f64;
            for i in 0..count {
                let middle = low + share * (i as f64 + 0.5);
                let band = [middle - CORRIDOR_MM / 2.0, middle + CORRIDOR_MM / 2.0];
                wing.strips.push(strip([middle - share / 2.0, band[0]], false, true));
                wing.strips.push(strip([band[1], middle + share / 2.0], true, true));
                wing.bands.push(band);
            }
        }
        wing
    }
}

/// The cuts between rooms: even on each side of a corridor across.
fn room_cuts(rect: &Rect, across: Option<[f64; 2]>) -> Vec<f64> {
    let even = |from: f64, to: f64| {
        let count = ((to - from) / ROOM_MM).round().clamp(1.0, 500.0) as usize;
        (1..count).map(move |i| from + (to - from) * i as f64 / count as f64)
    };
    let (low, high) = (rect.low[0], rect.high[0]);
    match across {
        Some([a, b]) => even(low, a).chain(even(b, high)).collect(),
        None => even(low, high).collect(),
    }
}

impl Strip {
    /// Rectangles that a stair could take, from the ends inwards.
    fn stair_rects(&self, wing: &Wing) -> Vec<Rect> {
        let (from, to) = (wing.rect.low[0], wing.rect.high[0]);
        let depth = self.v[1] - self.v[0];
        // A strip too shallow for a stair across it has one along it.
        let along = depth < STAIR_DEPTH_MM[0];
        let lengths: &[f64] = if along { &[6400.0, 5200.0, 4200.0, 3200.0] } else { &STAIR_MM };
        let mut found = Vec::new();
        let [narrow, long] = EASY_STAIR_MM;
        if !along && depth < long {
            // Not deep enough for easy flights across: they run along the outer wall.
            let v = if self.corridor_low {
                [self.v[1] - narrow, self.v[1]]
            } else {
                [self.v[0], self.v[0] + narrow]
            };
            let steps = ((to - from - long) / 1000.0).floor().clamp(-1.0, 200.0) as i32;
            let lows = (0..=steps).map(|step| {
                let offset = f64::from(step / 2) * 1000.0;
                if step % 2 == 0 { from + offset } else { to - long - offset }
            });
            found.extend(lows.map(|low| Rect { low: [low, v[0]], high: [low + long, v[1]] }));
        }
        let trims: [(f64, f64); 6] =
            [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1), (0.2, 0.2), (0.25, 0.0), (0.0, 0.25)];
        for length in lengths {
            let steps = (((to - from - length) / 1000.0).floor().max(-1.0) + 1.0).min(200.0) as usize;
            for step in 0..steps {
                // From both ends by turns.
                let offset = (step / 2) as f64 * 1000.0;
                let low = if step % 2 == 0 { from + offset } else { to - length - offset };
                for (a, b) in trims {
                    let (mut low_v, mut high_v) = (self.v[0] + depth * a, self.v[1] - depth * b);
                    if !along && high_v - low_v > STAIR_DEPTH_MM[1] {
                        if self.corridor_low {
                            high_v = low_v + STAIR_DEPTH_MM[1]
                        } else {
                            low_v = high_v - STAIR_DEPTH_MM[1]
                        }
                    }
                    found.push(Rect { low: [low, low_v], high: [low + length, high_v] });
                }
                if found.len() > 1500 {
                    return found;
                }
            }
        }
        // The smallest buildings: all there is.
        found.push(Rect { low: [from, self.v[0]], high: [to, self.v[1]] });
        let middle = [(from + to) / 2.0, (self.v[0] + self.v[1]) / 2.0];
        for (du, dv) in [(1600.0, 2500.0), (2500.0, 1600.0), (900.0, 1800.0), (1800.0, 900.0), (800.0, 800.0)]
        {
            found
                .push(Rect { low: [middle[0] - du, middle[1] - dv], high: [middle[0] + du, middle[1] + dv] });
        }
        found
    }

    /// Rooms are shared out anew between the stairs.
    fn make_room_for_stairs(&mut self) {
        if self.stairs.is_empty() || self.cuts_u.is_empty() {
            return;
        }
        let stairs = &self.stairs;
        self.cuts_u.retain(|u| !stairs.iter().any(|[a, b]| *u > a - 2200.0 && *u < b + 2200.0));
    }
}

/// Cuts wings off at inner corners, each along the shortest way across.
fn cut_wings(shape: &Polygon, frame: &Frame) -> Vec<Polygon> {
    let mut done = Vec::new();
    let mut open = vec![shape.clone()];
    while let Some(piece) = open.pop() {
        let cut = if done.len() + open.len() < MAX_WINGS { best_cut(&piece, frame) } else { None };
        match cut {
            Some(parts) => open.extend(parts.into_iter().rev()),
            None => done.push(piece),
        }
    }
    done.sort_by_key(|p| p.outline.iter().min().copied());
    done
}

/// What is thinner than this is the fault of walls that aren't quite straight, not a wing.
const SLIVER_M: f64 = 0.3;

fn best_cut(piece: &Polygon, frame: &Frame) -> Option<Vec<Polygon>> {
    let mut cuts: Vec<(i64, [PointMm; 2])> = Vec::new();
    for (r, ring) in piece.rings().enumerate() {
        let n = ring.len();
        for i in 0..n {
            let (before, here, after) = (ring[(i + n - 1) % n], ring[i], ring[(i + 1) % n]);
            let (p, q) = (
                [f64::from(here[0] - before[0]), f64::from(here[1] - before[1])],
                [f64::from(after[0] - here[0]), f64::from(after[1] - here[1])],
            );
            let turn = libm::atan2(p[0] * q[1] - p[1] * q[0], p[0] * q[0] + p[1] * q[1]);
            // Outlines run counter-clockwise and holes clockwise: to the right is an inner corner in both.
            if turn > -0.35 {
                continue;
            }
            let (c, s) = (frame.cos, frame.sin);
            for d in [[c, s], [-s, c], [-c, -s], [s, -c]] {
                let Some((reach, end)) = ray(piece, here, d) else { continue };
                // From an outer corner a cut runs to the other side; one from a courtyard runs on behind it, because a
                // single cut would only open the ring.
                let back = if r == 0 { 3.0 } else { 1e6 };
                let start = [0, 1].map(|k| (f64::from(here[k]) - d[k] * back).round() as i32);
                cuts.push((reach as i64, [start, end]));
            }
        }
    }
    cuts.sort_unstable();
    cuts.into_iter().take(60).find_map(|(_, cut)| {
        let mut parts = slice(piece, &[cut]);
        parts.retain(|p| 2.0 * p.area_m2() / p.perimeter_m() > SLIVER_M);
        let is_wing =
            |p: &Polygon| p.area_m2() >= LEAST_WING_M2 && 2.0 * p.area_m2() / p.perimeter_m() >= LEAST_WING_M;
        (parts.len() > 1 && parts.iter().all(is_wing)).then_some(parts)
    })
}

/// How far it is from a corner through the inside to the next edge, and a place just beyond.
fn ray(piece: &Polygon, from: PointMm, d: [f64; 2]) -> Option<(f64, PointMm)> {
    let start = from.map(f64::from);
    let ahead = |t: f64| [start[0] + d[0] * t, start[1] + d[1] * t];
    if !piece.contains(ahead(400.0)) {
        return None;
    }
    let mut nearest = f64::MAX;
    for (a, b) in piece.rings().flat_map(|r| edges(r)) {
        let e = [f64::from(b[0] - a[0]), f64::from(b[1] - a[1])];
        let w = [f64::from(a[0]) - start[0], f64::from(a[1]) - start[1]];
        let det = d[0] * -e[1] + e[0] * d[1];
        if det.abs() < 1e-9 {
            continue;
        }
        let t = (w[0] * -e[1] + e[0] * w[1]) / det;
        let s = (d[0] * w[1] - d[1] * w[0]) / det;
        if t > 200.0 && (-1e-6..=1.0 + 1e-6).contains(&s) {
            nearest = nearest.min(t);
        }
    }
    (nearest < f64::MAX).then(|| (nearest, ahead(nearest + 3.0).map(|x| x.round() as i32)))
}

/// Corridors run on through the neighbouring wing to its corridor; wings that are still apart then are joined by
/// corridors across, so that no way leads through rooms where it needn't.
fn links(wings: &[Wing], shapes: &[Polygon]) -> Vec<(Frame, Rect)> {
    let mut groups: Vec<usize> = (0..wings.len()).collect();
    let mut join = |a: usize, b: usize| {
        let (a, b) = (groups[a], groups[b]);
        groups.iter_mut().filter(|g| **g == a.max(b)).for_each(|g| *g = a.min(b));
        a != b
    };
    let mut found = Vec::new();
    for (i, wing) in wings.iter().enumerate() {
        for [a, b] in &wing.bands {
            let v = (a + b) / 2.0;
            for (end, sign) in [(wing.rect.low[0], -1.0), (wing.rect.high[0], 1.0)] {
                if let Some((reach, other)) = walk(wings, shapes, i, [end, v], [sign, 0.0], 0.0) {
                    let to = end + sign * reach;
                    let rect = Rect { low: [end.min(to) - 50.0, *a], high: [end.max(to) + 50.0, *b] };
                    found.push((wing.frame, rect));
                    join(i, other);
                }
            }
        }
    }
    // Where along the wing, which two corridors, and the piece between them.
    type Across = ((i64, i64), usize, usize, (Frame, Rect));
    let mut across: Vec<Across> = Vec::new();
    for (i, wing) in wings.iter().enumerate() {
        let half = SIDE_CORRIDOR_MM / 2.0;
        let (low, high) = (wing.rect.low[0] + half, wing.rect.high[0] - half);
        let cuts = wing.strips.iter().flat_map(|s| s.cuts_u.iter().copied());
        let on = wing.across.map(|[a, b]| (a + b) / 2.0);
        let mut places: Vec<f64> =
            cuts.chain(on).chain([low, high]).filter(|u| *u >= low && *u <= high).collect();
        places.sort_by(f64::total_cmp);
        places.dedup_by(|a, b| (*a - *b).abs() < 1.0);
        for [a, b] in &wing.bands {
            for (u, (edge, sign)) in places.iter().flat_map(|u| [(*a, -1.0), (*b, 1.0)].map(|e| (*u, e))) {
                let Some((reach, other)) = walk(wings, shapes, i, [u, edge], [0.0, sign], half) else {
                    continue;
                };
                let to = edge + sign * reach;
                // Along the corridor across, `u` is the wing's `v` and `v` its `u` turned round.
                let rect =
                    Rect { low: [edge.min(to) - 50.0, -u - half], high: [edge.max(to) + 50.0, -u + half] };
                let aside = (u - (low + high) / 2.0).abs();
                across.push(((reach as i64, aside as i64), i, other, (wing.frame.turned(), rect)));
            }
        }
    }
    across.sort_by_key(|(rank, i, other, _)| (*rank, *i, *other));
    found.extend(across.into_iter().filter(|(_, i, other, _)| join(*i, *other)).map(|(.., link)| link));
    found
}

/// How far it is from a place in a wing's axes, within the shapes, to the corridor of another wing, and which.
fn walk(
    wings: &[Wing],
    shapes: &[Polygon],
    from: usize,
    start: [f64; 2],
    towards: [f64; 2],
    half_width: f64,
) -> Option<(f64, usize)> {
    const STEP_MM: f64 = 200.0;
    const FARTHEST_MM: f64 = 30_000.0;
    let frame = &wings[from].frame;
    let at = |reach: f64, aside: f64| {
        frame.place([0, 1].map(|k| start[k] + towards[k] * reach + towards[1 - k] * aside))
    };
    let inside = |p: PointMm| shapes.iter().any(|s| s.contains(p.map(f64::from)));
    let in_band = |p: PointMm| {
        wings.iter().enumerate().position(|(i, w)| {
            let at = w.frame.local(p);
            i != from
                && w.bands.iter().any(|[a, b]| at[1] >= *a && at[1] <= *b)
                && w.area.contains(p.map(f64::from))
        })
    };
    let mut reach = STEP_MM;
    while reach <= FARTHEST_MM && [0.0, -half_width, half_width].iter().all(|s| inside(at(reach, *s))) {
        if let Some(other) = in_band(at(reach, 0.0)) {
            return Some((reach, other));
        }
        reach += STEP_MM;
    }
    None
}
