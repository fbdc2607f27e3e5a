//! Where people stand: at the start, and once they have arrived.

use crate::Point;
use crate::draw::{Purpose, bits, share};
use crate::error::InputError;
use crate::geometry::{bounds, centre, distance, nearest_of_area};
use crate::people::People;
use crate::plan::Plan;

/// What people keep between each other and from walls at the start, m, where there is room for no more.
const APART_M: f64 = 0.02;
/// The spacings tried for those who have arrived, m: loose first.
const STANDING_M: [f64; 4] = [1.2, 0.95, 0.75, 0.6];

/// Places in rows, each row shifted by half against the next, that keep `margin` from walls and openings.
fn lattice(plan: &Plan, space: u32, area: &[Point], spacing: f64, margin: f64) -> Vec<Point> {
    let ground = &plan.grounds[space as usize];
    let [min, max] = if area.is_empty() { bounds(&ground.rings) } else { bounds(&[area.to_vec()]) };
    let rise = spacing * 0.75_f64.sqrt();
    let mut places = Vec::new();
    // Rows in the middle of what is left over, so that both edges are as near.
    let rows = ((max[1] - min[1] - 2.0 * margin) / rise).max(0.0) as usize;
    let south = (min[1] + max[1] - rows as f64 * rise) / 2.0;
    for row in 0..=rows {
        let y = south + row as f64 * rise;
        let cuts = ground.cuts(y);
        for span in cuts.chunks_exact(2) {
            let (west, east) = (span[0].max(min[0]) + margin, span[1].min(max[0]) - margin);
            let shift = if row % 2 == 1 { spacing / 2.0 } else { 0.0 };
            let mut k = 0.0;
            while west + shift + k * spacing <= east {
                let p = [west + shift + k * spacing, y];
                let within = area.is_empty() || distance(nearest_of_area(area, p), p) == 0.0;
                if within && plan.stands_clear(space, p, margin) {
                    places.push(p);
                }
                k += 1.0;
            }
        }
    }
    places
}

/// Puts all people of a space where they are at the start.
pub(crate) fn at_start(plan: &Plan, space: u32, who: &[u32], people: &mut People) -> Result<(), InputError> {
    let seed = plan.input.seed;
    let radius = who.iter().map(|&i| people.radius[i as usize]).fold(0.0, f64::max);
    let least = 2.0 * radius + APART_M;
    let area = plan.grounds[space as usize].area_m2();
    let mut spacing = ((area / who.len() as f64).sqrt() * 1.1).max(least);
    let mut places = lattice(plan, space, &[], spacing, radius + APART_M);
    while places.len() < who.len() {
        if spacing <= least {
            let group = people.group[who[0] as usize] as usize;
            let name = &plan.input.spaces[space as usize].id;
            let what = format!("{} people in space {name:?}, which holds {}", who.len(), places.len());
            let mend = "put some of them elsewhere, or draw the space larger";
            return Err(InputError::new(format!("groups[{group}].people"), what, mend));
        }
        spacing = (spacing * 0.95).max(least);
        places = lattice(plan, space, &[], spacing, radius + APART_M);
    }
    // Who stands where is drawn: the places in the order of a draw each.
    let mut order: Vec<(u64, usize)> =
        (0..places.len()).map(|k| (bits(seed, Purpose::Place, u64::from(space), k as u64), k)).collect();
    order.sort_unstable();
    let slack = ((spacing - least) / 2.0).clamp(0.0, 0.5);
    for (&i, &(_, k)) in who.iter().zip(&order) {
        let turn = 2.0 * std::f64::consts::PI * share(seed, Purpose::Shift, u64::from(i), 0);
        let off = slack * share(seed, Purpose::Shift, u64::from(i), 1).sqrt();
        let p = [places[k][0] + off * libm::cos(turn), places[k][1] + off * libm::sin(turn)];
        let good = plan.grounds[space as usize].holds(p) && plan.stands_clear(space, p, radius + APART_M);
        people.at[i as usize] = if good { p } else { places[k] };
        people.heading[i as usize] = [libm::cos(turn), libm::sin(turn)];
        people.space[i as usize] = space;
    }
    Ok(())
}

/// The places of a goal for those who stay, in the order in which they are taken: those far from the doors
/// first
/// in a whole space, from the middle outwards in a part of one. So nobody has to pass those who stand.
pub(crate) fn standing(plan: &Plan, goal: u32, people: usize) -> Vec<Point> {
    let goal = plan.goal(goal);
    let radius = plan.input.profiles.iter().map(|p| p.radius_m).fold(0.1, f64::max);
    let mut places = Vec::new();
    for spacing in STANDING_M.into_iter().filter(|&s| s > 2.0 * radius + 0.05) {
        places = lattice(plan, goal.space, &goal.area, spacing, radius + 0.1);
        if places.len() >= people {
            break;
        }
    }
    let middle = centre(&goal.area);
    let doors = &plan.grounds[goal.space as usize].sides;
    let rank = |p: &Point| {
        if !goal.area.is_empty() {
            return distance(*p, middle);
        }
        let off = doors.iter().map(|&d| distance(*p, plan.openings[d as usize].middle()));
        -off.fold(f64::INFINITY, f64::min)
    };
    places
        .sort_by(|a, b| rank(a).total_cmp(&rank(b)).then(a[0].total_cmp(&b[0])).then(a[1].total_cmp(&b[1])));
    places
}
