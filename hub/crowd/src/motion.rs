//! One step of one person: a speed from the space ahead, and the heading that leads on best.
//!
//! The model is of first order, as the collision-free speed model of Tordeux, Chraibi and Seyfried (2016):
//! the
//! speed follows from how far a person could walk before touching somebody. Its speed is that of Weidmann
//! (1993) in
//! Kladek's form, taken at the area that the space ahead gives. All is computed from where everybody was
//! before the
//! step; since nobody goes more than a fraction of the way to a touch, no two bodies ever overlap.

use crate::cells::Cells;
use crate::door::{Side, door_of, twin};
use crate::draw::{Purpose, bits};
use crate::field::Exit;
use crate::geometry::{Segment, TOUCH, along, disc, dot, sub, unit};
use crate::people::People;
use crate::plan::Plan;
use crate::sight::{Other, Scratch};
use crate::slow::Slow;
use crate::speed::Speeds;
use crate::{Point, State};

/// A step, s.
pub(crate) const STEP_S: f64 = 0.05;
/// Nobody uses up the way to a touch in less than this, s.
pub(crate) const TOUCH_S: f64 = 0.3;
/// Likewise the way to a wall, s.
pub(crate) const WALL_S: f64 = 0.2;
/// Headings tried when the best is taken, as cosine and sine: to the right before to the left.
const TURNS: [[f64; 2]; 8] = [
    [0.955_336, -0.295_520],
    [0.955_336, 0.295_520],
    [0.825_336, -0.564_642],
    [0.825_336, 0.564_642],
    [0.581_683, -0.813_416],
    [0.581_683, 0.813_416],
    [0.267_499, -0.963_558],
    [0.267_499, 0.963_558],
];
/// What keeping the heading is worth, as a share of the speed.
const STEADY: f64 = 0.05;
/// Steps after which one who hardly moves tries another way.
const STUCK: u16 = 20;
/// What people keep between them beyond a touch, m: two who move at once can't overlap.
pub(crate) const ELBOW_M: f64 = 0.02;
/// One who can't go on keeps this from those who are before it, m, ...
const ROOM_M: f64 = 0.08;
/// ... and makes that room within this, s.
const ROOM_S: f64 = 0.5;

/// What a step is computed from.
pub(crate) struct Before<'a> {
    pub plan: &'a Plan,
    pub people: &'a People,
    pub cells: &'a Cells,
    pub open: &'a [bool],
    pub slow: &'a [Slow],
    pub speeds: &'a Speeds,
    /// The way to walk, by person.
    pub field: &'a (dyn Fn(usize) -> Option<&'a crate::field::Field> + Sync),
    /// The place of one who has arrived.
    pub place: &'a (dyn Fn(usize) -> Option<Point> + Sync),
    pub steps: u64,
}

/// What a step leads to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Move {
    pub at: Point,
    pub space: u32,
    pub heading: Point,
    pub speed: f64,
    /// How far it went, m.
    pub went: f64,
    pub through: Option<Side>,
    /// The time left at 1 m/s, s; infinite where there is no way.
    pub left_s: f64,
}

/// Where a person wants to go.
pub(crate) struct Wish {
    pub heading: Point,
    /// Free speed there, m/s.
    pub speed: f64,
    pub exit: Option<Exit>,
    left_s: f64,
}

impl Before<'_> {
    fn wish(&self, who: usize) -> Option<Wish> {
        let (plan, people) = (self.plan, self.people);
        let (p, space) = (people.at[who], people.space[who]);
        let mut speed = people.free[who] * self.slow[space as usize].walked(p);
        if people.state[who] == State::Arrived {
            let to = sub((self.place)(who)?, p);
            let heading = unit(to)?;
            speed = speed.min(dot(to, heading) / 0.5);
            return Some(Wish { heading, speed, exit: None, left_s: 0.0 });
        }
        let way = (self.field)(who)?.way(plan, p, people.radius[who])?;
        if plan.grounds[space as usize].is_stair() {
            speed *= plan.profile(people.profile[who]).stairs[usize::from(way.heading[0] < 0.0)];
        }
        Some(Wish { heading: way.heading, speed, exit: Some(way.exit), left_s: way.left_s })
    }

    /// Moves a person by one step.
    pub fn step(&self, who: usize, scratch: &mut Scratch) -> Move {
        let people = self.people;
        let (p, space) = (people.at[who], people.space[who]);
        let stay =
            Move { at: p, space, heading: people.heading[who], left_s: f64::INFINITY, ..Move::default() };
        let Some(wish) = self.wish(who) else { return stay };
        let stay = Move { left_s: wish.left_s, ..stay };
        self.look_about(who, &wish, scratch);
        // Nobody is led through a door that isn't on its way, but may give way through it.
        let walls = scratch.walls.len();
        scratch.walls.append(&mut scratch.openings);
        let radius = people.radius[who];
        let heading = along_walls(p, wish.heading, radius, &scratch.walls);
        let Some(heading) = heading else { return stay };
        let (mut e, mut speed) = self.choose(who, heading, wish.speed, scratch);
        if speed < 0.1 * wish.speed {
            scratch.walls.truncate(walls);
            (e, speed) = self.give_way(who, heading, wish.speed, scratch).unwrap_or((e, speed));
        }
        let clear = scratch.walls.iter().map(|w| w.contact(p, e, radius)).fold(f64::INFINITY, f64::min);
        let went = (speed * STEP_S).min(clear - TOUCH / 2.0);
        if went <= 0.0 {
            return stay;
        }
        let there = Move { at: along(p, e, went), heading: e, speed: went / STEP_S, went, ..stay };
        self.through_openings(p, there)
    }

    /// The heading and speed that lead on best.
    fn choose(&self, who: usize, wish: Point, free: f64, scratch: &Scratch) -> (Point, f64) {
        let people = self.people;
        let (p, radius, before) = (people.at[who], people.radius[who], people.heading[who]);
        let speed = |e: Point, worth: f64| self.speed(e, worth, free, p, radius, scratch);
        let straight = speed(wish, 0.0);
        let worth = |e: Point, speed: f64| speed * (dot(e, wish) + STEADY * dot(e, before));
        let mut best = (wish, straight, worth(wish, straight));
        if straight < 0.9 * free {
            let slid = past_others(wish, &scratch.others);
            let turned = TURNS.iter().map(|[c, s]| [c * wish[0] - s * wish[1], s * wish[0] + c * wish[1]]);
            for e in slid.into_iter().chain(turned) {
                // No speed makes this heading the best.
                let each = worth(e, 1.0);
                if each * free <= best.2 {
                    continue;
                }
                let speed = speed(e, best.2 / each);
                if speed * each > best.2 {
                    best = (e, speed, speed * each);
                }
            }
        }
        (best.0, best.1)
    }

    /// What one does who can't go on: makes room, or after a while tries another way.
    fn give_way(&self, who: usize, wish: Point, free: f64, scratch: &Scratch) -> Option<(Point, f64)> {
        let tries = self.people.stuck[who] > STUCK;
        let room = self.give_room(who, free, scratch);
        room.or_else(|| tries.then(|| self.jostle(who, wish, free, scratch)).flatten())
    }

    /// One who can't go on makes room for those who are nearer to where they go: so no two wait for each
    /// other.
    fn give_room(&self, who: usize, free: f64, scratch: &Scratch) -> Option<(Point, f64)> {
        let (mut away, mut least) = ([0.0, 0.0], f64::INFINITY);
        for other in scratch.others.iter().filter(|o| o.first) {
            if other.gap < ROOM_M {
                away = along(away, other.to, (other.gap - ROOM_M) / (other.gap + other.apart).max(1e-3));
                least = least.min(other.gap);
            }
        }
        let people = self.people;
        let e = along_walls(people.at[who], unit(away)?, people.radius[who], &scratch.walls)?;
        let speed = ((ROOM_M - least) / ROOM_S).min(0.5 * free);
        Some((e, self.clear_speed(e, people.at[who], people.radius[who], scratch).min(speed)))
    }

    /// One who is stuck takes a small step aside or back now and then, so that arches before doors give way.
    fn jostle(&self, who: usize, wish: Point, free: f64, scratch: &Scratch) -> Option<(Point, f64)> {
        // The same for half a second; one in four.
        let drawn = bits(self.plan.input.seed, Purpose::Jostle, who as u64, self.steps / 10);
        if !drawn.is_multiple_of(4) {
            return None;
        }
        let angle = std::f64::consts::PI * (0.4 + 1.2 * ((drawn >> 11) as f64 / (1_u64 << 53) as f64));
        let (c, s) = (libm::cos(angle), libm::sin(angle));
        let e = [c * wish[0] - s * wish[1], s * wish[0] + c * wish[1]];
        let people = self.people;
        let speed = self.clear_speed(e, people.at[who], people.radius[who], scratch);
        Some((e, speed.min(0.3 * free)))
    }

    /// The speed at which one touches nobody, whatever one would like.
    fn clear_speed(&self, e: Point, p: Point, radius: f64, scratch: &Scratch) -> f64 {
        let walls = scratch.walls.iter().map(|w| w.contact(p, e, radius) / WALL_S);
        let others = scratch.others.iter().map(|o| disc(o.to, e, o.apart) / TOUCH_S);
        walls.chain(others).fold(f64::INFINITY, f64::min)
    }

    /// The speed in a direction; anything less than `least` may be given as nought.
    fn speed(&self, e: Point, least: f64, free: f64, p: Point, radius: f64, scratch: &Scratch) -> f64 {
        let mut speed = free;
        for wall in &scratch.walls {
            speed = speed.min(wall.contact(p, e, radius) / WALL_S);
        }
        if speed <= least {
            return 0.0;
        }
        let mut clear = f64::INFINITY;
        // Nearer than this to a touch the speed is less than `least`.
        let useless = self.speeds.clear_for(least / free).max(least * TOUCH_S);
        for other in &scratch.others {
            // They are in order: nobody farther on is touched sooner.
            if other.gap >= clear {
                break;
            }
            let a = dot(other.to, e);
            let room = other.apart * other.apart - (other.d2 - a * a);
            if a <= 0.0 || room <= 0.0 {
                continue;
            }
            clear = clear.min((a - room.sqrt()).max(0.0));
            if clear < useless {
                return 0.0;
            }
        }
        speed.min(free * self.speeds.share(clear)).min(clear / TOUCH_S)
    }

    /// Follows a move through an opening, if it leads through one.
    fn through_openings(&self, p: Point, there: Move) -> Move {
        let ground = &self.plan.grounds[there.space as usize];
        let crossing = ground.sides_near(p).filter(|&s| self.open[door_of(s)]).filter_map(|side| {
            let opening = &self.plan.openings[side as usize];
            opening.crossed(p, there.at).map(|t| (t, side))
        });
        let Some((t, side)) = crossing.min_by(|a, b| a.0.total_cmp(&b.0)) else { return there };
        let opening = &self.plan.openings[side as usize];
        let beyond = &self.plan.openings[twin(side) as usize];
        let mut at = opening.through(there.at);
        let again = self.plan.grounds[beyond.space as usize].sides_near(at).filter(|&s| s != twin(side));
        let from = opening.through(along(p, sub(there.at, p), t));
        if again.into_iter().any(|s| self.plan.openings[s as usize].crossed(from, at).is_some()) {
            // One opening a step: those right behind it wait for the next.
            at = along(from, beyond.inward(), 1e-9);
        }
        Move { at, space: beyond.space, heading: opening.turned(there.heading), through: Some(side), ..there }
    }
}

/// A heading without what leads into those who are touched.
fn past_others(wish: Point, others: &[Other]) -> Option<Point> {
    let mut e = wish;
    for _ in 0..2 {
        for other in others {
            if other.gap < 0.03 {
                let d = (other.gap + other.apart).max(1e-3);
                let n = [other.to[0] / d, other.to[1] / d];
                // A hair more than all of it, so that rounding doesn't lead into anybody.
                let into = dot(e, n);
                if into > 0.0 {
                    e = along(e, n, -into * 1.001);
                }
            }
        }
    }
    unit(e)
}

/// A heading without what leads into the walls that are touched; none in a corner.
fn along_walls(p: Point, wish: Point, radius: f64, walls: &[Segment]) -> Option<Point> {
    let mut e = wish;
    for _ in 0..2 {
        for wall in walls {
            let off = sub(p, wall.nearest(p));
            let Some(n) = unit(off) else { continue };
            let into = dot(e, n);
            if into < 0.0 && dot(off, n) <= radius + 0.01 {
                e = along(e, n, -into);
            }
        }
    }
    // A hair away from the wall, so that rounding doesn't lead into it.
    unit(e)
}
