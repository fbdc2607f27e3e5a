//! Whether everyone can leave a building: what a drill takes for granted.

use std::collections::{BTreeMap, BTreeSet};

use campanile_model::{Building, OpeningKind};

/// The spaces, as `storey/space`, from which no way through doors, gaps, open edges and stairs leads to a door to the
/// outside at the ground: at level 1, or of what lies wholly below ground, at its first level.
pub(crate) fn trapped(building: &Building) -> Vec<String> {
    let ground = if building.storeys.iter().any(|s| s.level == 1) { 1 } else { -1 };
    let mut numbers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for storey in &building.storeys {
        for space in &storey.spaces {
            let next = numbers.len();
            numbers.insert((&storey.id, &space.id), next);
        }
    }
    let mut next_to: Vec<Vec<usize>> = vec![Vec::new(); numbers.len()];
    let mut join = |a: usize, b: usize| {
        next_to[a].push(b);
        next_to[b].push(a);
    };
    let mut free: BTreeSet<usize> = BTreeSet::new();
    for storey in &building.storeys {
        let key = |[a, b]: [u32; 2]| (a.min(b), a.max(b));
        let mut edges: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        for space in &storey.spaces {
            let number = numbers[&(storey.id.as_str(), space.id.as_str())];
            for ring in std::iter::once(&space.outline).chain(&space.holes) {
                for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                    edges.entry(key([*a, *b])).or_default().push(number);
                }
            }
        }
        let walls: BTreeSet<_> = storey.walls.iter().map(|w| key([w.a, w.b])).collect();
        let walked = |kind| matches!(kind, OpeningKind::Door | OpeningKind::Gap);
        let doors: BTreeSet<_> =
            storey.openings.iter().filter(|o| walked(o.kind)).map(|o| key(o.wall)).collect();
        for (edge, spaces) in edges {
            let door = doors.contains(&edge);
            match spaces[..] {
                [one] if door && storey.level == ground => drop(free.insert(one)),
                [a, b] if door || !walls.contains(&edge) => join(a, b),
                _ => {}
            }
        }
    }
    for stair in &building.stairs {
        let at = |storey: &str, space: &str| numbers.get(&(storey, space)).copied();
        if let (Some(a), Some(b)) = (at(&stair.from, &stair.space_from), at(&stair.to, &stair.space_to)) {
            join(a, b);
        }
    }
    let mut open: Vec<usize> = free.iter().copied().collect();
    while let Some(here) = open.pop() {
        open.extend(next_to[here].iter().copied().filter(|next| free.insert(*next)));
    }
    let lost = numbers.into_iter().filter(|(_, number)| !free.contains(number));
    lost.map(|((storey, space), _)| format!("{storey}/{space}")).collect()
}
