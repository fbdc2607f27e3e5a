//! Who and what is about a person: people near and ahead, also through doors, and walls within a step.

use crate::Point;
use crate::State;
use crate::door::{Side, door_of, twin};
use crate::field::Exit;
use crate::geometry::{Segment, TOUCH, along, distance, dot, left, sub};
use crate::motion::{Before, ELBOW_M, WALL_S, Wish};

/// Everybody within this is seen, m.
const NEAR_M: f64 = 1.0;
/// Through a door that isn't on the way, this far, m: enough not to touch anybody in it.
const BESIDE_M: f64 = 0.75;
/// Whoever is this near beyond a door counts even where the jamb hides it, m.
const CORNER_M: f64 = 0.75;
/// Ahead people are seen this far, m.
const AHEAD_M: f64 = 3.0;
/// With so many near, those farther ahead don't matter.
const CROWDED: usize = 8;

/// Somebody about: where, seen from the person, and how near their middles may come.
pub(crate) struct Other {
    pub to: Point,
    /// The square of the distance.
    pub d2: f64,
    pub apart: f64,
    /// The way to a touch if one went straight for it.
    pub gap: f64,
    /// Whether it is nearer to where it goes.
    pub first: bool,
}

/// Lists used again for every person.
#[derive(Default)]
pub(crate) struct Scratch {
    pub others: Vec<Other>,
    pub walls: Vec<Segment>,
    /// Open doors that aren't on the way.
    pub openings: Vec<Segment>,
}

impl Before<'_> {
    /// Lists who and what is about a person.
    pub fn look_about(&self, who: usize, wish: &Wish, scratch: &mut Scratch) {
        let (plan, people) = (self.plan, self.people);
        let (p, space, radius) = (people.at[who], people.space[who], people.radius[who]);
        let ground = &plan.grounds[space as usize];
        scratch.others.clear();
        scratch.walls.clear();
        scratch.openings.clear();
        let reach = radius + WALL_S * wish.speed.max(1.0);
        let is_near = |w: &Segment| distance(w.nearest(p), p) <= reach;
        scratch.walls.extend(ground.walls_near(p).filter(|w| is_near(w)));
        let others = &mut scratch.others;
        self.people_in(space, who, p, NEAR_M, |_, d2| d2 <= NEAR_M * NEAR_M, others);
        for side in ground.sides_near(p) {
            let opening = &plan.openings[side as usize];
            let off = distance(opening.segment.nearest(p), p);
            let (open, ahead) = (self.open[door_of(side)], wish.exit == Some(Exit::Door(side)));
            let sees = if ahead { [NEAR_M, AHEAD_M] } else { [BESIDE_M, BESIDE_M] };
            if open && off <= sees[0] {
                self.people_beyond(side, who, p, sees[1], others);
            }
            if off <= reach {
                if !open {
                    scratch.walls.push(opening.segment);
                    continue;
                }
                self.walls_beyond(side, p, reach, &mut scratch.walls);
                if !ahead {
                    scratch.openings.push(opening.segment);
                }
            }
        }
        if others.len() < CROWDED {
            let e = wish.heading;
            let strip =
                |to: Point, d2: f64| d2 > NEAR_M * NEAR_M && dot(to, e) > 0.0 && dot(to, left(e)).abs() < 1.0;
            self.people_ahead(space, who, p, e, strip, others);
        }
        others.sort_by(|a, b| a.gap.total_cmp(&b.gap));
    }

    fn add(&self, who: usize, other: usize, to: Point, others: &mut Vec<Other>) {
        let people = self.people;
        let first = people.state[other] == State::Walking
            && (people.left_s[other], other) < (people.left_s[who], who);
        let apart = people.radius[who] + people.radius[other] + ELBOW_M;
        let d2 = dot(to, to);
        others.push(Other { to, d2, apart, gap: d2.sqrt() - apart, first });
    }

    /// Adds those of the space within a box of half side `reach`, where `counts` says so.
    fn people_in(
        &self,
        space: u32,
        who: usize,
        p: Point,
        reach: f64,
        counts: impl Fn(Point, f64) -> bool,
        others: &mut Vec<Other>,
    ) {
        let of = [[p[0] - reach, p[1] - reach], [p[0] + reach, p[1] + reach]];
        self.cells.within(self.plan, space, of, |other| {
            let to = sub(self.people.at[other], p);
            if other != who && counts(to, dot(to, to)) {
                self.add(who, other, to, others);
            }
        });
    }

    fn people_ahead(
        &self,
        space: u32,
        who: usize,
        p: Point,
        e: Point,
        counts: impl Fn(Point, f64) -> bool,
        others: &mut Vec<Other>,
    ) {
        let end = along(p, e, AHEAD_M);
        let of = [
            [p[0].min(end[0]) - 0.5, p[1].min(end[1]) - 0.5],
            [p[0].max(end[0]) + 0.5, p[1].max(end[1]) + 0.5],
        ];
        self.cells.within(self.plan, space, of, |other| {
            let to = sub(self.people.at[other], p);
            if other != who && counts(to, dot(to, to)) {
                self.add(who, other, to, others);
            }
        });
    }

    /// Adds those who are seen through an opening.
    fn people_beyond(&self, side: Side, who: usize, p: Point, reach: f64, others: &mut Vec<Other>) {
        let (here, there) = (&self.plan.openings[side as usize], &self.plan.openings[twin(side) as usize]);
        let q = here.through(p);
        let of = [[q[0] - reach, q[1] - reach], [q[0] + reach, q[1] + reach]];
        self.cells.within(self.plan, there.space, of, |other| {
            let to = there.turned(sub(self.people.at[other], q));
            let d2 = dot(to, to);
            if d2 > reach * reach {
                return;
            }
            if here.crossed(p, along(p, to, 1.0)).is_some() {
                self.add(who, other, to, others);
            } else if d2 <= CORNER_M * CORNER_M {
                // Hidden behind the jamb, but a step could lead round it. Walls keep the two apart until then.
                self.add(who, other, to, others);
                if let Some(hidden) = others.last_mut() {
                    hidden.apart -= ELBOW_M;
                    hidden.gap += ELBOW_M;
                    hidden.first = false;
                }
            }
        });
    }

    /// Adds the walls beyond an opening, so that nobody is squeezed into them in the doorway.
    fn walls_beyond(&self, side: Side, p: Point, reach: f64, walls: &mut Vec<Segment>) {
        let (here, there) = (&self.plan.openings[side as usize], &self.plan.openings[twin(side) as usize]);
        let q = here.through(p);
        for wall in self.plan.grounds[there.space as usize].walls_near(q) {
            let wall = Segment { a: there.through(wall.a), b: there.through(wall.b) };
            let beyond = |c: Point| dot(here.inward(), sub(c, here.segment.a)) <= TOUCH;
            if beyond(wall.a) && beyond(wall.b) && distance(wall.nearest(p), p) <= reach {
                walls.push(wall);
            }
        }
    }
}
