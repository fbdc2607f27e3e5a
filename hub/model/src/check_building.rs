//! Checks of buildings: rings, sharing of edges, walls, openings, storeys, stairs, roofs.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::geometry::{self, MAX_COORDINATE_MM, Side, cross_properly, on_segment, side_of};
use crate::problem::Report;
use crate::suggest::did_you_mean;
use crate::{Building, ConstructionKind, OpeningKind, Plan, PointMm, RoofKind, SpaceUse, Storey};

/// Rounding of levels, in millimetres, that is no mistake.
const LEVEL_TOLERANCE_MM: i32 = 1;
/// Risers are often not whole millimetres; a flight may be off by this much in all.
const STAIR_TOLERANCE_MM: f64 = 5.0;

pub(crate) fn check_buildings(plan: &Plan, report: &mut Report) {
    for (b, building) in plan.buildings.iter().enumerate() {
        let at = format!("/buildings/{b}");
        if !check_vertices(&building.vertices, &at, true, report) {
            continue;
        }
        check_levels(building, &at, report);
        for (s, storey) in building.storeys.iter().enumerate() {
            let at = format!("{at}/storeys/{s}");
            construction(
                plan,
                &storey.slab,
                &[ConstructionKind::Slab, ConstructionKind::Ground],
                &format!("{at}/slab"),
                report,
            );
            let rings = check_rings(building, storey, &at, report);
            let edges = check_sharing(storey, &rings, &at, report);
            // A broken ring would make its walls and doors look wrong too.
            let whole = rings.iter().all(|r| r.outline.is_some());
            check_walls(plan, building, storey, whole.then_some(&edges), &at, report);
            check_openings(plan, building, storey, &edges, &at, report);
            if whole {
                check_reach(building, storey, &edges, &at, report);
            }
        }
        check_stairs(building, &at, report);
        check_shafts_and_roofs(plan, building, &at, report);
    }
}

/// Vertices in range, and no two at one place. False where geometry can't be trusted at all.
pub(crate) fn check_vertices(vertices: &[PointMm], at: &str, shared: bool, report: &mut Report) -> bool {
    let mut first: HashMap<PointMm, usize> = HashMap::with_capacity(vertices.len());
    let mut ok = true;
    for (i, vertex) in vertices.iter().enumerate() {
        if vertex.iter().any(|c| c.unsigned_abs() > MAX_COORDINATE_MM as u32) {
            ok = false;
            report.plan(
                "coordinate-range",
                format!("{at}/vertices/{i}"),
                "the vertex is more than 100 km from the origin",
                "Coordinates are local millimetres from the site's origin.",
            );
        }
        if let Some(other) = first.insert(*vertex, i).filter(|_| shared) {
            report.plan(
                "duplicate-vertex",
                format!("{at}/vertices/{i}"),
                format!("vertices {other} and {i} are at the same place, so neighbours don't share edges"),
                format!("Use vertex {other} in both places and leave this one out."),
            );
        }
    }
    ok
}

fn construction(plan: &Plan, id: &str, kinds: &[ConstructionKind], at: &str, report: &mut Report) {
    match plan.constructions.get(id) {
        None => report.plan(
            "unknown-construction",
            at,
            format!("the construction '{id}' doesn't exist"),
            did_you_mean(id, plan.constructions.keys().map(String::as_str)),
        ),
        Some(found) if !kinds.contains(&found.kind) => report.plan(
            "construction-kind",
            at,
            format!("the construction '{id}' is a {:?}", found.kind).to_lowercase(),
            format!(
                "Use one of the kind {}.",
                kinds.iter().map(|k| format!("{k:?}").to_lowercase()).collect::<Vec<_>>().join(" or ")
            ),
        ),
        Some(_) => {}
    }
}

fn check_levels(building: &Building, at: &str, report: &mut Report) {
    if building.storeys.is_empty() {
        report.plan(
            "no-storey",
            at,
            format!("the building '{}' has no storey", building.id),
            "Add a storey.",
        );
    }
    for (s, storey) in building.storeys.iter().enumerate() {
        let at = format!("{at}/storeys/{s}");
        if storey.height_mm <= 0 || storey.ceiling_mm <= 0 || storey.ceiling_mm > storey.height_mm {
            report.plan(
                "storey-height",
                format!("{at}/ceiling_mm"),
                format!(
                    "a clear height of {} mm doesn't fit a storey of {} mm",
                    storey.ceiling_mm, storey.height_mm
                ),
                "Both are above 0, and the clear height is at most the height from floor to floor.",
            );
        }
        let Some(above) = building.storeys.get(s + 1) else { continue };
        let next_at =
            format!("{}/floor_mm", at.replace(&format!("/storeys/{s}"), &format!("/storeys/{}", s + 1)));
        if above.level <= storey.level {
            report.plan(
                "storey-order",
                next_at.replace("/floor_mm", "/level"),
                format!("the level {} follows the level {}", above.level, storey.level),
                "List the storeys from the lowest up.",
            );
        }
        let top = i64::from(storey.floor_mm) + i64::from(storey.height_mm);
        let gap = i64::from(above.floor_mm) - top;
        if gap.abs() > i64::from(LEVEL_TOLERANCE_MM) {
            let what = if gap > 0 { "lies above" } else { "overlaps" };
            report.plan(
                "storey-gap",
                next_at,
                format!("the storey '{}' {what} the top of '{}' by {} mm", above.id, storey.id, gap.abs()),
                format!(
                    "Set its floor_mm to {top}, or the height_mm of '{}' to {}.",
                    storey.id,
                    i64::from(above.floor_mm) - i64::from(storey.floor_mm)
                ),
            );
        }
    }
}

/// A space's rings that are whole: the outline and the holes.
struct Rings {
    outline: Option<Vec<PointMm>>,
    holes: Vec<Vec<PointMm>>,
}

fn check_rings(building: &Building, storey: &Storey, at: &str, report: &mut Report) -> Vec<Rings> {
    let mut all = Vec::new();
    for (i, space) in storey.spaces.iter().enumerate() {
        let outline = check_ring(
            &space.outline,
            &building.vertices,
            false,
            &format!("{at}/spaces/{i}/outline"),
            report,
        );
        let mut holes = Vec::new();
        for (h, hole) in space.holes.iter().enumerate() {
            let at = format!("{at}/spaces/{i}/holes/{h}");
            let Some(hole) = check_ring(hole, &building.vertices, true, &at, report) else { continue };
            if outline.as_ref().is_some_and(|o| hole.iter().any(|p| side_of(*p, o) == Side::Outside)) {
                report.plan(
                    "hole-outside",
                    at,
                    "the hole reaches outside of the outline",
                    "Holes lie within the outline.",
                );
            }
            holes.push(hole);
        }
        all.push(Rings { outline, holes });
    }
    all
}

/// Checks a ring of vertex indices and gives its corners if it is whole.
pub(crate) fn check_ring(
    indices: &[u32],
    vertices: &[PointMm],
    hole: bool,
    at: &str,
    report: &mut Report,
) -> Option<Vec<PointMm>> {
    let mut faults = Vec::new();
    let ring = geometry::ring(indices, vertices, hole, &mut faults);
    for fault in faults {
        let at = fault.position.map_or_else(|| at.to_owned(), |i| format!("{at}/{i}"));
        report.plan(fault.code, at, fault.what, fault.mend);
    }
    ring
}

/// An undirected edge by the lower and the higher vertex index.
fn edge_key(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

/// Which spaces use each edge.
type Edges = BTreeMap<(u32, u32), Vec<usize>>;

/// Neighbours have to share whole edges, each edge at most one space a side.
fn check_sharing(storey: &Storey, rings: &[Rings], at: &str, report: &mut Report) -> Edges {
    let mut edges: Edges = BTreeMap::new();
    let mut directed: HashMap<(u32, u32), usize> = HashMap::new();
    let mut overlapping: HashSet<(usize, usize)> = HashSet::new();
    let overlap = |report: &mut Report,
                   seen: &mut HashSet<(usize, usize)>,
                   i: usize,
                   j: usize,
                   why: String| {
        let (i, j) = (i.min(j), i.max(j));
        if i != j && seen.insert((i, j)) {
            report.plan(
                "space-overlap",
                format!("{at}/spaces/{j}/outline"),
                format!("the spaces '{}' and '{}' overlap: {why}", storey.spaces[i].id, storey.spaces[j].id),
                "Spaces of a storey meet at edges; cut one out of the other.",
            );
        }
    };
    let mut segments: Vec<(PointMm, PointMm, usize)> = Vec::new();
    for (i, (space, rings)) in storey.spaces.iter().zip(rings).enumerate() {
        if rings.outline.is_none() {
            continue;
        }
        let loops = std::iter::once(&space.outline).chain(&space.holes);
        for ring in loops {
            for (&a, &b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let users = edges.entry(edge_key(a, b)).or_default();
                if !users.contains(&i) {
                    users.push(i);
                }
                if let Some(other) = directed.insert((a, b), i) {
                    let why = format!("both lie on the same side of the edge {a}-{b}");
                    overlap(report, &mut overlapping, other, i, why);
                }
            }
        }
        for ring in rings.outline.iter().chain(&rings.holes) {
            segments.extend(geometry::edges(ring).map(|(a, b)| (a, b, i)));
        }
    }
    segments.sort_by_key(|(a, b, _)| a[0].min(b[0]));
    for (k, &(a, b, i)) in segments.iter().enumerate() {
        for &(c, d, j) in &segments[k + 1..] {
            if c[0].min(d[0]) > a[0].max(b[0]) {
                break;
            }
            if i == j || c[1].min(d[1]) > a[1].max(b[1]) || a[1].min(b[1]) > c[1].max(d[1]) {
                continue;
            }
            if cross_properly(a, b, c, d) {
                overlap(
                    report,
                    &mut overlapping,
                    i,
                    j,
                    format!("their edges cross near [{}, {}]", c[0], c[1]),
                );
            } else {
                let inner = |p: PointMm, a: PointMm, b: PointMm| p != a && p != b && on_segment(p, a, b);
                let split = [(c, a, b, i, j), (d, a, b, i, j), (a, c, d, j, i), (b, c, d, j, i)]
                    .into_iter()
                    .find(|(p, a, b, ..)| inner(*p, *a, *b));
                if let Some((p, _, _, long, other)) = split {
                    report.plan(
                        "edge-not-shared",
                        format!("{at}/spaces/{long}/outline"),
                        format!(
                            "the corner [{}, {}] of '{}' lies within an edge of '{}'",
                            p[0], p[1], storey.spaces[other].id, storey.spaces[long].id
                        ),
                        format!(
                            "Put that corner's vertex into the outline of '{}' too.",
                            storey.spaces[long].id
                        ),
                    );
                }
            }
        }
    }
    check_containment(rings, |i, j| {
        overlap(report, &mut overlapping, i, j, "one lies within the other".to_owned());
    });
    edges
}

/// With no crossing edges, spaces can overlap only where an edge of one runs inside the other.
fn check_containment(rings: &[Rings], mut found: impl FnMut(usize, usize)) {
    // Doubled coordinates keep the middles of edges whole.
    let double = |ring: &[PointMm]| {
        ring.iter().map(|p| [p[0].saturating_mul(2), p[1].saturating_mul(2)]).collect::<Vec<_>>()
    };
    let bounds = |ring: &[PointMm]| {
        let range = |k: usize| {
            let values = ring.iter().map(move |p| p[k]);
            (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
        };
        (range(0), range(1))
    };
    let outlines: Vec<_> =
        rings.iter().map(|r| r.outline.as_deref().map(|o| (double(o), bounds(o)))).collect();
    for (i, inner) in rings.iter().enumerate() {
        let (Some(ring), Some((_, (ix, iy)))) = (&inner.outline, &outlines[i]) else { continue };
        for (j, outer) in outlines.iter().enumerate() {
            let Some((outline, (jx, jy))) = outer else { continue };
            if i == j || ix.0 < jx.0 || ix.1 > jx.1 || iy.0 < jy.0 || iy.1 > jy.1 {
                continue;
            }
            let holes: Vec<_> = rings[j].holes.iter().map(|h| double(h)).collect();
            let within = geometry::edges(ring).any(|(a, b)| {
                let middle = [a[0].saturating_add(b[0]), a[1].saturating_add(b[1])];
                side_of(middle, outline) == Side::Inside
                    && holes.iter().all(|h| side_of(middle, h) == Side::Outside)
            });
            if within {
                found(i, j);
            }
        }
    }
}

fn check_walls(
    plan: &Plan,
    building: &Building,
    storey: &Storey,
    edges: Option<&Edges>,
    at: &str,
    report: &mut Report,
) {
    let mut seen: HashMap<(u32, u32), usize> = HashMap::new();
    for (i, wall) in storey.walls.iter().enumerate() {
        let at = format!("{at}/walls/{i}");
        let kinds = [ConstructionKind::Wall, ConstructionKind::Glazing, ConstructionKind::Ground];
        construction(plan, &wall.construction, &kinds, &format!("{at}/construction"), report);
        let layers = plan.constructions.get(&wall.construction).map_or(1.0, |c| c.thickness_mm());
        if wall.thickness_mm.map_or(layers, f64::from) <= 0.0 || wall.height_mm.is_some_and(|h| h <= 0) {
            report.plan(
                "wall-size",
                &at,
                "the wall has no thickness or no height",
                "Give thickness_mm and height_mm above 0, or layers to the construction.",
            );
        }
        if let Some(bad) = [wall.a, wall.b].into_iter().find(|v| building.vertices.get(*v as usize).is_none())
        {
            let mend = format!("Use an index from 0 to {}.", building.vertices.len().saturating_sub(1));
            report.plan("vertex-index", &at, format!("vertex {bad} doesn't exist"), mend);
            continue;
        }
        if edges.is_some_and(|e| !e.contains_key(&edge_key(wall.a, wall.b))) {
            report.plan(
                "wall-off-edge",
                &at,
                format!("the wall {}-{} isn't on an edge of a space of '{}'", wall.a, wall.b, storey.id),
                "Put it on an edge of a space's ring: a wall runs from one vertex to the next.",
            );
        }
        if let Some(other) = seen.insert(edge_key(wall.a, wall.b), i) {
            report.plan(
                "duplicate-wall",
                &at,
                format!("the edge already has wall {other}"),
                "Leave one of them out.",
            );
        }
    }
}

fn check_openings(
    plan: &Plan,
    building: &Building,
    storey: &Storey,
    edges: &Edges,
    at: &str,
    report: &mut Report,
) {
    let walls: HashMap<(u32, u32), usize> =
        storey.walls.iter().enumerate().map(|(i, w)| (edge_key(w.a, w.b), i)).collect();
    let mut by_wall: BTreeMap<(u32, u32), Vec<(i64, usize)>> = BTreeMap::new();
    for (i, opening) in storey.openings.iter().enumerate() {
        let at = format!("{at}/openings/{i}");
        let [from, to] = opening.wall;
        if let Some(id) = &opening.construction {
            let kinds: &[ConstructionKind] = match opening.kind {
                OpeningKind::Window => &[ConstructionKind::Glazing],
                _ => &[ConstructionKind::Door, ConstructionKind::Glazing],
            };
            construction(plan, id, kinds, &format!("{at}/construction"), report);
        }
        let key = edge_key(from, to);
        let (Some(&wall), Some(a), Some(b)) =
            (walls.get(&key), building.vertices.get(from as usize), building.vertices.get(to as usize))
        else {
            let near: Vec<String> = storey
                .walls
                .iter()
                .filter(|w| [w.a, w.b].iter().any(|v| [from, to].contains(v)))
                .map(|w| format!("{}-{}", w.a, w.b))
                .take(4)
                .collect();
            let mend = if near.is_empty() {
                "Add the wall first.".to_owned()
            } else {
                format!("Walls there: {}.", near.join(", "))
            };
            report.plan(
                "opening-without-wall",
                format!("{at}/wall"),
                format!("'{}' has no wall {from}-{to}", storey.id),
                mend,
            );
            continue;
        };
        if opening.width_mm <= 0 || opening.height_mm <= 0 {
            report.plan(
                "opening-size",
                &at,
                "the opening has no width or no height",
                "Give width_mm and height_mm above 0.",
            );
            continue;
        }
        let length = geometry::length_mm(*a, *b);
        let end = i64::from(opening.at_mm) + i64::from(opening.width_mm);
        if opening.at_mm < 0 || end as f64 > length + 0.5 {
            report.plan(
                "opening-outside-wall",
                format!("{at}/at_mm"),
                format!("the opening reaches from {} to {end} mm on a wall of {length:.0} mm", opening.at_mm),
                format!("Move it or make it narrower: at_mm + width_mm is at most {length:.0}."),
            );
        }
        let height = storey.walls[wall].height_mm.unwrap_or(storey.height_mm);
        if i64::from(opening.sill_mm) + i64::from(opening.height_mm) > i64::from(height) {
            report.plan(
                "opening-too-high",
                format!("{at}/height_mm"),
                format!(
                    "the lintel at {} mm is above the wall of {height} mm",
                    i64::from(opening.sill_mm) + i64::from(opening.height_mm)
                ),
                format!("sill_mm + height_mm is at most {height}."),
            );
        }
        // One direction for all openings of the wall.
        let near = if from <= to { i64::from(opening.at_mm) } else { length.round() as i64 - end };
        by_wall.entry(key).or_default().push((near, i));
        if matches!(opening.kind, OpeningKind::Door | OpeningKind::Gap)
            && edges.get(&key).is_some_and(|spaces| spaces.len() < 2)
            && storey.level > 1
            && !leads_somewhere(plan, building, storey, key, near, opening.width_mm)
        {
            report.plan(
                "door-nowhere",
                &at,
                format!(
                    "'{}' leads outside {} mm above the datum, where nothing is",
                    opening.id, storey.floor_mm
                ),
                "Put a space (a terrace, a bridge) on the other side, or make it a window.",
            );
        }
    }
    for placed in by_wall.values_mut() {
        placed.sort_unstable();
        for (k, &(near, i)) in placed.iter().enumerate() {
            for &(next, j) in &placed[k + 1..] {
                let (p, q) = (&storey.openings[i], &storey.openings[j]);
                if next >= near + i64::from(p.width_mm) {
                    break;
                }
                let apart = p.sill_mm.saturating_add(p.height_mm) <= q.sill_mm
                    || q.sill_mm.saturating_add(q.height_mm) <= p.sill_mm;
                if !apart {
                    report.plan(
                        "opening-overlap",
                        format!("{at}/openings/{}", i.max(j)),
                        format!("the openings '{}' and '{}' overlap", p.id, q.id),
                        "Move one of them along the wall.",
                    );
                }
            }
        }
    }
}

/// Whether half a metre outside of an opening there is a space or a flat roof at its height.
fn leads_somewhere(
    plan: &Plan,
    building: &Building,
    storey: &Storey,
    wall: (u32, u32),
    near: i64,
    width: i32,
) -> bool {
    let (Some(a), Some(b)) = (building.vertices.get(wall.0 as usize), building.vertices.get(wall.1 as usize))
    else {
        return true;
    };
    let length = geometry::length_mm(*a, *b).max(1.0);
    let along = (near as f64 + f64::from(width) / 2.0) / length;
    let (dx, dy) = (f64::from(b[0] - a[0]), f64::from(b[1] - a[1]));
    let middle = [f64::from(a[0]) + dx * along, f64::from(a[1]) + dy * along];
    let out = [-dy / length * 500.0, dx / length * 500.0];
    let probes = [1.0, -1.0].map(|s| [(middle[0] + s * out[0]) as i32, (middle[1] + s * out[1]) as i32]);
    let level = |mm: i32| (i64::from(mm) - i64::from(storey.floor_mm)).abs() <= 300;
    let inside = |outline: &[u32], vertices: &[PointMm]| {
        let ring: Option<Vec<PointMm>> = outline.iter().map(|v| vertices.get(*v as usize).copied()).collect();
        ring.is_some_and(|r| probes.iter().any(|p| side_of(*p, &r) != Side::Outside))
    };
    plan.buildings.iter().any(|other| {
        let spaces = other
            .storeys
            .iter()
            .filter(|s| level(s.floor_mm) && (other.id != building.id || s.id != storey.id));
        spaces.flat_map(|s| &s.spaces).any(|s| inside(&s.outline, &other.vertices))
            || other.roofs.iter().any(|r| level(r.base_mm) && inside(&r.outline, &other.vertices))
    })
}

/// Every space has a way in, as a warning.
fn check_reach(building: &Building, storey: &Storey, edges: &Edges, at: &str, report: &mut Report) {
    let walls: HashSet<(u32, u32)> = storey.walls.iter().map(|w| edge_key(w.a, w.b)).collect();
    let doors: HashSet<(u32, u32)> = storey
        .openings
        .iter()
        .filter(|o| matches!(o.kind, OpeningKind::Door | OpeningKind::Gap))
        .map(|o| edge_key(o.wall[0], o.wall[1]))
        .collect();
    let mut reached = vec![false; storey.spaces.len()];
    for (key, users) in edges {
        if doors.contains(key) || (users.len() > 1 && !walls.contains(key)) {
            for &i in users {
                reached[i] = true;
            }
        }
    }
    for (i, space) in storey.spaces.iter().enumerate() {
        let needs_none = space.open_to_below || matches!(space.use_, SpaceUse::Shaft | SpaceUse::Lift);
        let by_stair = building.stairs.iter().any(|s| {
            (s.from == storey.id && s.space_from == space.id) || (s.to == storey.id && s.space_to == space.id)
        });
        if !reached[i] && !needs_none && !by_stair {
            report.plan_warning(
                "space-without-door",
                format!("{at}/spaces/{i}"),
                format!("the space '{}' has no door, gap or open edge", space.id),
                "Add a door, or leave out a wall to a neighbour.",
            );
        }
    }
}

fn check_stairs(building: &Building, at: &str, report: &mut Report) {
    for (i, stair) in building.stairs.iter().enumerate() {
        let at = format!("{at}/stairs/{i}");
        let mut find = |id: &str, field: &str, space: &str, space_field: &str| {
            let Some(storey) = building.storeys.iter().find(|s| s.id == id) else {
                let mend = did_you_mean(id, building.storeys.iter().map(|s| s.id.as_str()));
                report.plan(
                    "unknown-storey",
                    format!("{at}/{field}"),
                    format!("'{}' has no storey '{id}'", building.id),
                    mend,
                );
                return None;
            };
            let Some(room) = storey.spaces.iter().find(|s| s.id == space) else {
                let mend = did_you_mean(space, storey.spaces.iter().map(|s| s.id.as_str()));
                report.plan(
                    "unknown-space",
                    format!("{at}/{space_field}"),
                    format!("'{id}' has no space '{space}'"),
                    mend,
                );
                return Some(storey.floor_mm);
            };
            Some(storey.floor_mm.saturating_add(room.floor_offset_mm))
        };
        let from = find(&stair.from, "from", &stair.space_from, "space_from");
        let to = find(&stair.to, "to", &stair.space_to, "space_to");
        let bad = stair.flights.iter().position(|f| {
            let sizes = [f.tread_mm, f.riser_mm, f64::from(f.width_mm)];
            f.steps == 0 || sizes.iter().any(|x| !x.is_finite() || *x <= 0.0) || !f.heading_deg.is_finite()
        });
        if let Some(f) = bad.or(stair.flights.is_empty().then_some(0)) {
            report.plan(
                "stair-flight",
                format!("{at}/flights/{f}"),
                "the flight has no steps, tread, riser or width",
                "Give each above 0.",
            );
            continue;
        }
        let (Some(from), Some(to)) = (from, to) else { continue };
        let rise = f64::from(to) - f64::from(from);
        let tops: Vec<f64> =
            stair.flights.iter().map(|f| f64::from(f.base_mm) + f64::from(f.steps) * f.riser_mm).collect();
        let top = tops.iter().copied().fold(f64::MIN, f64::max);
        if (top - rise).abs() > STAIR_TOLERANCE_MM {
            report.plan(
                "stair-height",
                format!("{at}/flights"),
                format!("the flights end {top:.0} mm above '{}', but '{}' is {rise:.0} mm above it", stair.from, stair.to),
                "Change the number of steps or their riser_mm, so that the last flight ends at the upper floor.",
            );
        }
        for (f, flight) in stair.flights.iter().enumerate() {
            let base = f64::from(flight.base_mm);
            let rests = base.abs() <= STAIR_TOLERANCE_MM
                || tops.iter().any(|t| (t - base).abs() <= STAIR_TOLERANCE_MM);
            if !rests {
                report.plan(
                    "stair-height",
                    format!("{at}/flights/{f}/base_mm"),
                    format!("the flight starts at {base:.0} mm, where no other ends"),
                    "A flight starts at the lower floor or where another flight ends.",
                );
            }
        }
    }
}

fn check_shafts_and_roofs(plan: &Plan, building: &Building, at: &str, report: &mut Report) {
    for (i, shaft) in building.shafts.iter().enumerate() {
        let at = format!("{at}/shafts/{i}");
        check_ring(&shaft.outline, &building.vertices, false, &format!("{at}/outline"), report);
        for (id, field) in [(&shaft.from, "from"), (&shaft.to, "to")] {
            if !building.storeys.iter().any(|s| s.id == *id) {
                let mend = did_you_mean(id, building.storeys.iter().map(|s| s.id.as_str()));
                report.plan(
                    "unknown-storey",
                    format!("{at}/{field}"),
                    format!("'{}' has no storey '{id}'", building.id),
                    mend,
                );
            }
        }
    }
    for (i, roof) in building.roofs.iter().enumerate() {
        let at = format!("{at}/roofs/{i}");
        check_ring(&roof.outline, &building.vertices, false, &format!("{at}/outline"), report);
        let kinds = [ConstructionKind::Roof, ConstructionKind::Slab];
        construction(plan, &roof.construction, &kinds, &format!("{at}/construction"), report);
        let (low, high) = if roof.kind == RoofKind::Flat { (0.0, 10.0) } else { (1.0, 75.0) };
        if !(low..=high).contains(&roof.pitch_deg) {
            report.plan(
                "roof-pitch",
                format!("{at}/pitch_deg"),
                format!(
                    "a pitch of {}° doesn't suit a {} roof",
                    roof.pitch_deg,
                    format!("{:?}", roof.kind).to_lowercase()
                ),
                format!("Use {low} to {high} degrees."),
            );
        }
        if roof
            .solar
            .as_ref()
            .is_some_and(|s| s.peak_w <= 0.0 || s.area_m2 <= 0.0 || !(0.0..=90.0).contains(&s.tilt_deg))
        {
            report.plan(
                "solar",
                format!("{at}/solar"),
                "the array has no power or area, or an odd tilt",
                "Give peak_w and area_m2 above 0 and tilt_deg from 0 to 90.",
            );
        }
    }
}
