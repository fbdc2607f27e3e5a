//! What comes out of the model: the fundamental diagram, flows through doors, no deadlocks; and random plans.

#![allow(clippy::unwrap_used)]

mod plans;

use campanile_crowd::*;
use plans::*;
use proptest::prelude::*;

/// Weidmann (1993), m/s at people a m².
fn weidmann(density: f64) -> f64 {
    1.34 * (1.0 - (-1.913 * (1.0 / density - 1.0 / 5.4)).exp())
}

/// Density and speed in the middle of a corridor that was filled evenly, 5 to 12 s after all were told to
/// walk: the
/// thinning from its end hasn't come there yet.
fn corridor(density: f64) -> (f64, f64) {
    let (l, w) = (80.0, 5.0);
    let input = CrowdInput {
        spaces: vec![room("corridor", 0.0, 0.0, l, w)],
        goals: vec![gate("end", 0, l - 1.0, 0.0, l, w)],
        profiles: vec![walker(1.34)],
        groups: vec![group("people", 0, (density * l * w) as u32)],
        seed: 1,
        ..CrowdInput::default()
    };
    let mut crowd = Crowd::new(input.clone()).unwrap();
    send_all(&mut crowd, &input);
    crowd.step(5.0, 1);
    let (mut speed, mut count) = (0.0, 0.0);
    for _ in 0..35 {
        for p in crowd.people().filter(|p| p.state == State::Walking && (25.0..50.0).contains(&p.at[0])) {
            speed += p.speed_m_s * p.heading[0];
            count += 1.0;
        }
        crowd.step(0.2, 1);
    }
    (count / 35.0 / (25.0 * w), speed / count)
}

/// The mean error against Weidmann's diagram, as a share.
fn diagram(densities: &[f64]) -> f64 {
    let mut sum = 0.0;
    for &wanted in densities {
        let (density, speed) = corridor(wanted);
        let error = speed / weidmann(density) - 1.0;
        println!("{{\"density\": {density:.2}, \"speed\": {speed:.3}, \"error\": {error:.3}}}");
        sum += error.abs();
    }
    sum / densities.len() as f64
}

#[test]
fn speed_falls_with_density_as_weidmann_has_it() {
    let error = diagram(&[0.5, 1.0, 2.0]);
    assert!(error <= 0.08, "{error:.3}");
}

#[test]
#[ignore = "part of `make verify`: half a minute"]
fn verify_the_whole_fundamental_diagram() {
    let error = diagram(&[0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]);
    println!("{{\"fundamental_diagram_mean_error\": {error:.3}}}");
    assert!(error <= 0.08, "{error:.3}");
}

#[test]
#[ignore = "part of `make verify`: minutes"]
fn verify_doors_pass_what_the_page_says_and_never_jam() {
    for width in [0.8, 0.9, 1.2, 1.8, 2.4, 4.8] {
        let mut flows = Vec::new();
        for seed in 0..20 {
            let input = door_room(200, width, seed);
            let mut crowd = Crowd::new(input.clone()).unwrap();
            send_all(&mut crowd, &input);
            let mut passed = Vec::new();
            while crowd.under_way() > 0 && crowd.time_s() < 600.0 {
                crowd.step(0.25, 1);
                let DoorCount { forth, back, .. } = crowd.doors()[0];
                passed.resize((forth - back) as usize, crowd.time_s());
            }
            assert_eq!(crowd.groups()[0].left, 200, "{width} m, seed {seed}: some are stuck");
            flows.push(140.0 / (passed[179] - passed[39]) / width);
        }
        let mean = flows.iter().sum::<f64>() / flows.len() as f64;
        let (least, most) = flows.iter().fold((f64::INFINITY, 0.0_f64), |m, &f| (m.0.min(f), m.1.max(f)));
        println!(
            "{{\"door_m\": {width}, \"flow_per_m_s\": {mean:.2}, \"least\": {least:.2}, \"most\": {most:.2}}}"
        );
        assert!((1.2..=1.9).contains(&mean), "{width} m: {mean}");
    }
}

#[test]
#[ignore = "part of `make verify`: half a minute"]
fn verify_a_school_empties() {
    let input = campanile_crowd::bench::school();
    assert!(input.spaces.len() > 460);
    let mut crowd = Crowd::new(input.clone()).unwrap();
    assert_eq!(crowd.people().len(), 2080);
    send_all(&mut crowd, &input);
    assert!(crowd.notes().is_empty(), "{:?}", crowd.notes());
    run(&mut crowd, 1200.0);
    println!(
        "{{\"school_s\": {:.0}, \"walked_m\": {:.0}}}",
        last(&crowd),
        crowd.people().map(|p| p.walked_m).sum::<f64>()
    );
    let left: Vec<Person> = crowd.people().filter(|p| p.state != State::Arrived).take(5).collect();
    assert!(left.is_empty(), "after {} s: {left:?}", crowd.time_s());
    check(&crowd, &input);
}

/// A house of so many rooms a side, drawn at random: rooms of 6 m with notches and blocks, doors of random
/// places and
/// widths between them, thick walls or none.
#[derive(Clone, Debug)]
struct House {
    rooms: u32,
    draws: Vec<f64>,
    radius: f64,
    people: u32,
    seed: u64,
}

impl House {
    fn draw(&self, k: usize) -> f64 {
        self.draws[k % self.draws.len()]
    }

    fn input(&self) -> CrowdInput {
        let n = self.rooms;
        let wall = if self.draw(0) < 0.3 { 0.0 } else { 0.1 };
        let mut profile = adult();
        profile.radius_m = self.radius;
        let mut input = CrowdInput { profiles: vec![profile], seed: self.seed, ..CrowdInput::default() };
        for k in 0..n * n {
            let d = |i: usize| self.draw(k as usize * 5 + i);
            let (x, y) = (f64::from(k % n) * 6.0, f64::from(k / n) * 6.0);
            let (x0, y0, x1, y1) = (x + wall, y + wall, x + 6.0 - wall, y + 6.0 - wall);
            let outline = if d(1) < 0.4 {
                vec![[x0, y0], [x1, y0], [x1, y + 4.0], [x + 4.0, y + 4.0], [x + 4.0, y1], [x0, y1]]
            } else {
                rect(x0, y0, x1, y1)
            };
            let (bx, by) = (x + 1.2 + d(2), y + 1.2 + d(3));
            // The goal's own room has its middle free.
            let holes =
                if d(4) < 0.4 && k + 1 < n * n { vec![hole(bx, by, bx + 0.9, by + 0.9)] } else { vec![] };
            input.spaces.push(level(&format!("{k}"), outline, holes, 0.0));
            input.groups.push(group(&format!("{k}"), k, self.people));
        }
        let mut draws = (0..).map(|k| self.draw(3 * k + 1));
        for k in 0..n * n {
            for (other, east) in [(k + 1, true), (k + n, false)] {
                let (there, chance) =
                    (if east { k % n + 1 < n } else { k / n + 1 < n }, draws.next().unwrap());
                let (at, width) = (1.8 + draws.next().unwrap() * 0.4, 0.7 + draws.next().unwrap() * 0.9);
                if !there || chance < 0.15 {
                    continue;
                }
                let (x, y) = (f64::from(k % n) * 6.0, f64::from(k / n) * 6.0);
                let ends = |off: f64| {
                    let (c, a, b) = (6.0 + off, at, at + width);
                    if east { ([x + c, y + a], [x + c, y + b]) } else { ([x + a, y + c], [x + b, y + c]) }
                };
                let side = |space, (a, b)| DoorSide { space, a, b };
                let (from, to) = (side(k, ends(-wall)), side(other, ends(wall)));
                input.doors.push(Door { id: format!("{k}-{other}"), from, to, open: true });
            }
        }
        let last = n * n - 1;
        let area = if self.draw(2) < 0.3 {
            vec![]
        } else {
            rect(
                6.0 * f64::from(n) - 5.5,
                6.0 * f64::from(n) - 5.5,
                6.0 * f64::from(n) - 3.0,
                6.0 * f64::from(n) - 3.0,
            )
        };
        input.goals.push(Goal { id: "end".into(), space: last, area, leaves: self.draw(1) < 0.7 });
        input
    }
}

fn houses() -> impl Strategy<Value = House> {
    let draws = proptest::collection::vec(0.0..1.0_f64, 40..80);
    (2_u32..4, draws, 0.13..0.28_f64, 1_u32..12, any::<u64>())
        .prop_map(|(rooms, draws, radius, people, seed)| House { rooms, draws, radius, people, seed })
}

/// The side of the line from `a` to `b` on which `c` lies.
fn side(a: Point, b: Point, c: Point) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn nearest(a: Point, b: Point, p: Point) -> Point {
    let ab = [b[0] - a[0], b[1] - a[1]];
    let t = ((p[0] - a[0]) * ab[0] + (p[1] - a[1]) * ab[1]) / (ab[0] * ab[0] + ab[1] * ab[1]);
    let t = t.clamp(0.0, 1.0);
    [a[0] + ab[0] * t, a[1] + ab[1] * t]
}

/// Nobody's body is in a wall, and nobody's step led through one.
fn check_walls(input: &CrowdInput, before: &[Person], now: &[Person]) {
    for (was, p) in before.iter().zip(now).filter(|(_, p)| p.state != State::Left) {
        for ring in rings(&input.spaces[p.space as usize]) {
            for i in 0..ring.len() {
                let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
                if was.space == p.space {
                    let (from, to) = (was.in_space, p.in_space);
                    let through = side(a, b, from) * side(a, b, to) < 0.0
                        && side(from, to, a) * side(from, to, b) < 0.0;
                    let off = side(a, b, to).abs().min(side(a, b, from).abs());
                    assert!(!through || off < 1e-6, "through a wall: {was:?} {p:?}");
                }
                let near = nearest(a, b, p.in_space);
                let d = (near[0] - p.in_space[0]).hypot(near[1] - p.in_space[1]);
                let sides = input.doors.iter().flat_map(|d| [&d.from, &d.to]).filter(|s| s.space == p.space);
                let in_opening = |s: &DoorSide| {
                    let q = nearest(s.a, s.b, near);
                    (q[0] - near[0]).hypot(q[1] - near[1]) < 1e-6
                };
                let opening = sides.into_iter().any(in_opening);
                assert!(opening || d >= 0.95 * p.radius_m, "{d} m from a wall: {p:?}");
            }
        }
    }
}

fn walk_through(house: &House, seconds: f64) {
    let input = house.input();
    let mut crowd = Crowd::new(input.clone()).unwrap();
    send_all(&mut crowd, &input);
    let steps = (seconds / 0.05) as usize;
    let mut before: Vec<Person> = crowd.people().collect();
    for k in 0..steps {
        if k % 200 == 100 && !input.doors.is_empty() {
            let draw = |i: usize| house.draw(k / 200 + i);
            let door = &input.doors[(draw(0) * input.doors.len() as f64) as usize];
            crowd.apply(&Change::Door { id: door.id.clone(), open: draw(1) < 0.5 }).unwrap();
            let share = (0..9).map(|c| if draw(c) < 0.2 { 0.0 } else { draw(c) }).collect();
            let space = (draw(2) * input.spaces.len() as f64) as u32;
            let [x, y] = [f64::from(space % house.rooms) * 6.0, f64::from(space / house.rooms) * 6.0];
            let share = Slowness::Grid { origin_m: [x, y], cell_m: 2.0, nx: 3, share };
            crowd.apply(&Change::Slow { space, share }).unwrap();
        }
        crowd.step(0.05, 1);
        let now: Vec<Person> = crowd.people().collect();
        check_walls(&input, &before, &now);
        before = now;
        if k % 20 == 0 {
            check(&crowd, &input);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn whatever_the_plan_nobody_is_lost_or_in_a_wall(house in houses()) {
        walk_through(&house, 40.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    #[ignore = "part of `make verify`: minutes"]
    fn verify_random_plans(house in houses()) {
        walk_through(&house, 60.0);
    }
}

#[test]
#[ignore = "prints what this machine can carry"]
fn verify_bench() {
    for figure in campanile_crowd::bench::run().unwrap() {
        println!("{{\"{}\": {:.3}}} {} (goal: {})", figure.name, figure.value, figure.unit, figure.goal);
    }
}
