//! Whether an input makes sense: everything is looked at before anything is computed.

use crate::door::Opening;
use crate::error::InputError;
use crate::geometry::{Segment, area2, bounds, convex, distance, dot, edges};
use crate::ground::{on_edge, rings};
use crate::{CrowdInput, Door, DoorSide, Goal, Group, Point, Profile, Shape, Slowness};

/// How far the ends of an opening may be from the edge of their space, m.
const EDGE_SLACK_M: f64 = 0.05;
/// How much wider one side of a door may be than the other, m.
const WIDTH_SLACK_M: f64 = 0.02;
/// The most people of one crowd.
pub(crate) const MOST_PEOPLE: u64 = 1_000_000;
/// The farthest a coordinate may be from the origin, m: beyond it, millimetres are lost.
const FARTHEST_M: f64 = 1e6;
/// The longest side of the box around a space, m: what is kept for each of its cells must fit the memory.
const LARGEST_M: f64 = 5000.0;

type Checked<T> = Result<T, InputError>;

/// A number within limits, or the error that names it.
fn number(field: String, value: f64, [least, most]: [f64; 2], unit: &str) -> Checked<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(InputError::new(
        field,
        format!("{value}{unit}"),
        format!("give a number from {least} to {most}{unit}"),
    ))
}

fn index(field: String, value: u32, count: usize, of: &str) -> Checked<()> {
    if (value as usize) < count {
        return Ok(());
    }
    Err(InputError::new(
        field,
        format!("{of} {value}, of {count}"),
        format!("name one of the {of}s there are"),
    ))
}

fn points(field: &str, points: &[Point]) -> Checked<()> {
    for (i, p) in points.iter().enumerate() {
        for c in p {
            number(format!("{field}[{i}]"), *c, [-FARTHEST_M, FARTHEST_M], " m")?;
        }
    }
    Ok(())
}

fn ring(field: &str, ring: &[Point], counter_clockwise: bool) -> Checked<()> {
    points(field, ring)?;
    if ring.len() < 3 {
        return Err(InputError::new(field, format!("{} corners", ring.len()), "give at least three"));
    }
    let wanted = if counter_clockwise { 1.0 } else { -1.0 };
    let area = area2(ring) / 2.0 * wanted;
    if area <= 1e-6 {
        let (way, other) = if counter_clockwise {
            ("counter-clockwise", "clockwise")
        } else {
            ("clockwise", "counter-clockwise")
        };
        let what = format!("it encloses {area:.6} m², counted {way}");
        return Err(InputError::new(
            field,
            what,
            format!("list its corners {way}, not {other}, without repeats"),
        ));
    }
    let n = ring.len();
    let all: Vec<Segment> = edges(ring).collect();
    // Long rings are checked along x, so that it stays quick.
    let mut order: Vec<usize> = (0..n).collect();
    let low = |s: &Segment| s.a[0].min(s.b[0]);
    order.sort_by(|&i, &j| low(&all[i]).total_cmp(&low(&all[j])).then(i.cmp(&j)));
    for (k, &i) in order.iter().enumerate() {
        let high = all[i].a[0].max(all[i].b[0]);
        for &j in order[k + 1..].iter().take_while(|&&j| low(&all[j]) <= high) {
            let neighbours = (i + 1) % n == j || (j + 1) % n == i;
            if !neighbours && all[i].meets(all[j].a, all[j].b) {
                let (i, j) = (i.min(j), i.max(j));
                let what = format!("its edges {i} and {j} (each from that corner on) meet");
                return Err(InputError::new(field, what, "draw a ring that doesn't touch itself"));
            }
        }
    }
    Ok(())
}

fn space(field: &str, shape: &Shape) -> Checked<()> {
    shape_itself(field, shape)?;
    let [min, max] = bounds(&rings(shape));
    let side = (max[0] - min[0]).max(max[1] - min[1]);
    number(format!("{field} (the longest side of its box)"), side, [0.2, LARGEST_M], " m")
}

fn shape_itself(field: &str, shape: &Shape) -> Checked<()> {
    match shape {
        Shape::Level { outline, holes, z_m } => {
            ring(&format!("{field}.outline"), outline, true)?;
            for (i, hole) in holes.iter().enumerate() {
                ring(&format!("{field}.holes[{i}]"), hole, false)?;
            }
            number(format!("{field}.z_m"), *z_m, [-FARTHEST_M, FARTHEST_M], " m")
        }
        Shape::Stair { line, width_m } => {
            for (i, p) in line.iter().enumerate() {
                for c in p {
                    number(format!("{field}.line[{i}]"), *c, [-FARTHEST_M, FARTHEST_M], " m")?;
                }
            }
            number(format!("{field}.width_m"), *width_m, [0.3, 1000.0], " m")?;
            let corners = &rings(shape)[0];
            if line.len() < 2 || corners[1][0] < 0.2 {
                let what = format!("{} points, {:.2} m long", line.len(), corners[1][0]);
                return Err(InputError::new(
                    format!("{field}.line"),
                    what,
                    "give two points or more, 0.2 m or more",
                ));
            }
            Ok(())
        }
    }
}

fn side(input: &CrowdInput, field: &str, side: &DoorSide) -> Checked<Segment> {
    index(format!("{field}.space"), side.space, input.spaces.len(), "space")?;
    points(field, &[side.a, side.b])?;
    number(format!("{field} (its width)"), distance(side.a, side.b), [0.3, 1000.0], " m")?;
    let space = &input.spaces[side.space as usize];
    on_edge(&rings(&space.shape), side.a, side.b, EDGE_SLACK_M).ok_or_else(|| {
        let what = format!("it doesn't lie on one edge of space {:?}", space.id);
        InputError::new(field, what, format!("put both ends within {EDGE_SLACK_M} m of the same edge"))
    })
}

fn door(input: &CrowdInput, i: usize, door: &Door) -> Checked<[Opening; 2]> {
    let from = side(input, &format!("doors[{i}].from"), &door.from)?;
    let to = side(input, &format!("doors[{i}].to"), &door.to)?;
    if door.from.space == door.to.space {
        let what = format!("it joins space {:?} to itself", input.spaces[door.from.space as usize].id);
        return Err(InputError::new(format!("doors[{i}]"), what, "join two spaces"));
    }
    let widths = [distance(from.a, from.b), distance(to.a, to.b)];
    if (widths[0] - widths[1]).abs() > WIDTH_SLACK_M {
        let what = format!("its sides are {:.3} and {:.3} m wide", widths[0], widths[1]);
        return Err(InputError::new(format!("doors[{i}]"), what, "give both sides the same width"));
    }
    Ok(Opening::pair(door, [from, to]))
}

fn goal(input: &CrowdInput, i: usize, goal: &Goal) -> Checked<()> {
    index(format!("goals[{i}].space"), goal.space, input.spaces.len(), "space")?;
    let field = format!("goals[{i}].area");
    if goal.area.is_empty() {
        return Ok(());
    }
    ring(&field, &goal.area, true)?;
    if !convex(&goal.area) {
        return Err(InputError::new(field, "it isn't convex", "make two goals of it, or draw it wider"));
    }
    let space = &input.spaces[goal.space as usize];
    if !crate::geometry::inside(&rings(&space.shape), crate::geometry::centre(&goal.area)) {
        let what = format!("its middle lies outside space {:?}", space.id);
        return Err(InputError::new(field, what, "draw it inside the space, in the space's plane"));
    }
    Ok(())
}

fn profile(i: usize, profile: &Profile) -> Checked<()> {
    let field = format!("profiles[{i}].speed_m_s");
    let [mean, deviation, least, most] = profile.speed_m_s;
    for speed in [mean, least, most] {
        number(field.clone(), speed, [0.05, 10.0], " m/s")?;
    }
    number(format!("{field} (deviation)"), deviation, [0.0, 10.0], " m/s")?;
    if !(least <= mean && mean <= most) {
        let what = format!("mean {mean} isn't between least {least} and most {most}");
        return Err(InputError::new(field, what, "order them: mean, deviation, least, most"));
    }
    number(format!("profiles[{i}].radius_m"), profile.radius_m, [0.1, 0.5], " m")?;
    for share in profile.stairs {
        number(format!("profiles[{i}].stairs"), share, [0.05, 2.0], "")?;
    }
    Ok(())
}

fn group(input: &CrowdInput, i: usize, group: &Group) -> Checked<()> {
    index(format!("groups[{i}].space"), group.space, input.spaces.len(), "space")?;
    for (k, &(profile, _)) in group.people.iter().enumerate() {
        index(format!("groups[{i}].people[{k}]"), profile, input.profiles.len(), "profile")?;
    }
    let [least, most] = group.premovement_s;
    let field = format!("groups[{i}].premovement_s");
    for t in [least, most] {
        number(field.clone(), t, [0.0, 1e6], " s")?;
    }
    if least > most {
        let what = format!("the least, {least} s, is more than the most, {most} s");
        return Err(InputError::new(field, what, "give the least first"));
    }
    Ok(())
}

fn names<'a>(list: &str, ids: impl Iterator<Item = &'a str>) -> Checked<()> {
    let mut seen = std::collections::BTreeMap::new();
    for (i, id) in ids.enumerate() {
        if let Some(first) = seen.insert(id, i) {
            let what = format!("{id:?} is the name of {list}[{first}] too");
            return Err(InputError::new(format!("{list}[{i}].id"), what, "give each a name of its own"));
        }
    }
    Ok(())
}

/// Two doors can't be in the same place: which would people take?
fn apart(input: &CrowdInput, openings: &[Opening]) -> Checked<()> {
    let name =
        |side: usize| format!("doors[{}].{}", side / 2, if side.is_multiple_of(2) { "from" } else { "to" });
    let mut of_space: Vec<Vec<usize>> = vec![Vec::new(); input.spaces.len()];
    for (side, opening) in openings.iter().enumerate() {
        of_space[opening.space as usize].push(side);
    }
    for sides in of_space {
        for (k, &i) in sides.iter().enumerate() {
            for &j in &sides[k + 1..] {
                let (a, b) = (&openings[i], &openings[j]);
                let free = distance(a.middle(), b.middle()) - (a.width + b.width) / 2.0;
                if free < -WIDTH_SLACK_M && dot(a.d, b.d) > 0.99 && a.segment.meets(b.segment.a, b.segment.b)
                {
                    let what = format!("it overlaps {} by {:.2} m", name(i), -free);
                    return Err(InputError::new(name(j), what, "put the two doors beside each other"));
                }
            }
        }
    }
    Ok(())
}

/// Checks all of an input and gives its doors made ready, two sides each.
pub(crate) fn input(input: &CrowdInput) -> Checked<Vec<Opening>> {
    for (i, s) in input.spaces.iter().enumerate() {
        space(&format!("spaces[{i}].shape"), &s.shape)?;
    }
    let mut openings = Vec::with_capacity(2 * input.doors.len());
    for (i, d) in input.doors.iter().enumerate() {
        openings.extend(door(input, i, d)?);
    }
    apart(input, &openings)?;
    for (i, g) in input.goals.iter().enumerate() {
        goal(input, i, g)?;
    }
    for (i, p) in input.profiles.iter().enumerate() {
        profile(i, p)?;
    }
    for (i, g) in input.groups.iter().enumerate() {
        group(input, i, g)?;
    }
    // Spaces and profiles are known by index: equal names do no harm there.
    names("doors", input.doors.iter().map(|d| d.id.as_str()))?;
    names("goals", input.goals.iter().map(|g| g.id.as_str()))?;
    names("groups", input.groups.iter().map(|g| g.id.as_str()))?;
    let people: u64 = input.groups.iter().flat_map(|g| &g.people).map(|&(_, n)| u64::from(n)).sum();
    if people > MOST_PEOPLE {
        let mend = format!("at most {MOST_PEOPLE} walk in one crowd");
        return Err(InputError::new("groups", format!("{people} people"), mend));
    }
    Ok(openings)
}

/// Checks how fast people can walk.
pub(crate) fn slowness(share: &Slowness) -> Checked<()> {
    match share {
        Slowness::Whole(share) => number("slow.share".into(), *share, [0.0, 1.0], ""),
        Slowness::Grid { origin_m, cell_m, nx, share } => {
            points("slow.origin_m", &[*origin_m])?;
            number("slow.cell_m".into(), *cell_m, [0.01, 1e4], " m")?;
            if *nx == 0 || share.is_empty() || share.len() % nx != 0 {
                let what = format!("{} shares in rows of {nx}", share.len());
                return Err(InputError::new(
                    "slow.share",
                    what,
                    "give whole rows of nx shares, at least one",
                ));
            }
            for (i, s) in share.iter().enumerate() {
                number(format!("slow.share[{i}]"), *s, [0.0, 1.0], "")?;
            }
            Ok(())
        }
    }
}
