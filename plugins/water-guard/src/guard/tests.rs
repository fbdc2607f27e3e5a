//! A small campus, day after day: a leak here or there, a meter that is stuck, a holiday, a tank that fills
//! at night.

use super::*;
use crate::{
    register::{Dial, Told},
    tree::{Pipe, meters},
};

const INLET: usize = 0;
const DORMITORY: usize = 1;
const FLOORS: [usize; 3] = [2, 3, 4];
const CANTEEN: usize = 5;
const KITCHEN: usize = 6;
const GARDEN: usize = 7;

/// Local midnight of the first day, at UTC+8.
const START_S: i64 = 20_000 * 86_400 - 8 * 3_600;
const DIAL: Dial = Dial { resolution_l: 1.0, rollover_l: Some(1e9) };

/// What goes on beside school days as they are.
#[derive(Default)]
struct Story {
    /// L/h that run away at a node, from a day on to before another.
    leaks: Vec<(usize, f64, i64, i64)>,
    /// A register that stands still from a day on to before another.
    stuck: Option<(usize, i64, i64)>,
    /// A register that is made to fall by so many litres at noon of a day.
    back: Option<(usize, f64, i64)>,
    /// A register that can't be reached from a day on to before another.
    silent: Option<(usize, i64, i64)>,
    /// Days on which nobody is there.
    holidays: Vec<i64>,
    /// Meters err by so many per cent, in turn more and less.
    error_pct: f64,
    /// Meters are read so many seconds after the others, in turn.
    late_s: i64,
    /// The canteen has a tank that takes 1,500 L/h from 1 to 4 o'clock and gives them back by day.
    tank: bool,
    /// A meter that counts a part of what passes.
    slow: Option<(usize, f64)>,
    allowed: Option<(usize, f64)>,
}

/// What is taken behind a meter and measured by none below it, L/h.
fn use_l_h(story: &Story, node: usize, day: i64, hour: f64) -> f64 {
    let school = !story.holidays.contains(&day);
    let by_day = (7.0..18.0).contains(&hour) && school;
    let usual = match node {
        _ if FLOORS.contains(&node) && school => match hour {
            _ if (6.0..7.0).contains(&hour) || (20.0..22.0).contains(&hour) => 1_200.0,
            _ if !(6.0..22.0).contains(&hour) => 12.0,
            _ => 60.0,
        },
        // Taps of the dining hall, without a meter of their own.
        CANTEEN if by_day => 200.0,
        KITCHEN if by_day => 900.0,
        GARDEN if (5.0..6.0).contains(&hour) => 2_000.0,
        _ => 0.0,
    };
    let tank = match hour {
        _ if node != CANTEEN || !story.tank => 0.0,
        _ if (1.0..4.0).contains(&hour) => 1_500.0,
        _ if (7.0..18.0).contains(&hour) => -4_500.0 / 11.0,
        _ => 0.0,
    };
    let leaks = story.leaks.iter().filter(|(at, _, from, to)| *at == node && (*from..*to).contains(&day));
    usual + tank + leaks.map(|leak| leak.1).sum::<f64>()
}

fn guard(story: &Story) -> Guard {
    let parents = [
        None,
        Some(INLET),
        Some(DORMITORY),
        Some(DORMITORY),
        Some(DORMITORY),
        Some(INLET),
        Some(CANTEEN),
        Some(INLET),
    ];
    let places = meters(&parents.map(|parent| Pipe { parent, metered: true }));
    let mut allowed_l_h = vec![None; places.len()];
    if let Some((node, l_h)) = story.allowed {
        allowed_l_h[node] = Some(l_h);
    }
    Guard {
        dials: vec![DIAL; places.len()],
        places,
        allowed_l_h,
        rules: Rules { floor_l_h: 15.0, night_share: 0.1, nights: 2, error_share: 0.02 },
        night_s: (7_200, 14_400),
    }
}

/// Runs for some days, and gives what was found with the day, the first being 0; and what is remembered in
/// the end.
fn run(story: &Story, days: i64) -> (Vec<(i64, Finding)>, Vec<Branch>) {
    let guard = guard(story);
    let n = guard.places.len();
    let (mut registers, mut branches) = (vec![Register::default(); n], vec![Branch::default(); n]);
    let owed = vec![Owed::default(); n];
    let (mut closed, mut found) = (Closed::default(), Vec::new());
    let (mut passed, mut shown) = (vec![50_000.0; n], vec![50_000.0; n]);
    let step_s = 300;
    for step in 0..days * 86_400 / step_s {
        let now_s = START_S + (step + 1) * step_s;
        let day = (step * step_s).div_euclid(86_400);
        let hour = (step * step_s).rem_euclid(86_400) as f64 / 3_600.0;
        let mut through: Vec<f64> = (0..n).map(|node| use_l_h(story, node, day, hour)).collect();
        for node in (1..n).rev() {
            let above = guard.places[node].parent.unwrap();
            through[above] += through[node];
        }
        for node in 0..n {
            let part = story.slow.filter(|(at, _)| *at == node).map_or(1.0, |(_, part)| part);
            let error = part + story.error_pct / 100.0 * if node % 2 == 0 { 1.0 } else { -1.0 };
            passed[node] += through[node] * error * step_s as f64 / 3_600.0;
            let stuck = story.stuck.is_some_and(|(at, from, to)| at == node && (from..to).contains(&day));
            if stuck {
                passed[node] = shown[node];
            }
            if let Some((at, litres, on)) = story.back
                && at == node
                && on == day
                && hour == 12.0
            {
                passed[node] -= litres;
            }
            shown[node] = passed[node];
            if story.silent.is_some_and(|(at, from, to)| at == node && (from..to).contains(&day)) {
                continue;
            }
            // A display shows whole litres.
            let read_s = now_s + story.late_s * (node as i64 % 3);
            if let Told::Back(litres) = registers[node].read(&DIAL, read_s, passed[node].floor()) {
                branches[node].back_day = Some(20_000 + day);
                found.push((day, Finding::Back(node, litres)));
            }
        }
        let midnight_s = START_S + (now_s - START_S).div_euclid(86_400) * 86_400;
        let moment = Moment { now_s, day: 20_000 + (now_s - START_S).div_euclid(86_400), midnight_s };
        let day = moment.day - 20_000;
        found.extend(
            guard.look(&registers, &owed, &mut branches, &mut closed, moment).into_iter().map(|f| (day, f)),
        );
    }
    (found, branches)
}

/// What was found, in short: first findings of leaks only.
fn short(found: &[(i64, Finding)]) -> Vec<(i64, &'static str, usize)> {
    let one = |(day, finding): &(i64, Finding)| {
        Some(match finding {
            Finding::Leak(.., false) => return None,
            Finding::Leak(i, leak, ..) => match leak.place {
                Where::Fixtures => (*day, "fixtures", *i),
                Where::Pipe => (*day, "pipe", *i),
                Where::Taps => (*day, "taps", *i),
            },
            Finding::Mended(i, _) => (*day, "mended", *i),
            Finding::Stuck(i, _) => (*day, "stuck", *i),
            Finding::Moves(i) => (*day, "moves", *i),
            Finding::Back(i, _) => (*day, "back", *i),
            Finding::Forward(i) => (*day, "forward", *i),
        })
    };
    found.iter().filter_map(one).collect()
}

/// Each story, what is found on which day, and at which meter.
#[test]
fn every_leak_is_found_where_it_is_and_nothing_else() {
    let leak = |node, l_h| Story { leaks: vec![(node, l_h, 0, 99)], ..Story::default() };
    let table: Vec<(&str, Story, Vec<(i64, &str, usize)>)> = vec![
        ("school days as they are", Story::default(), vec![]),
        ("in the fixtures of a floor", leak(FLOORS[1], 216.0), vec![(2, "fixtures", FLOORS[1])]),
        ("a running cistern, 32 L/h", leak(GARDEN, 32.0), vec![(2, "fixtures", GARDEN)]),
        (
            "in the pipe between the building's meter and the floors",
            leak(DORMITORY, 80.0),
            vec![(2, "pipe", DORMITORY)],
        ),
        ("where taps have no meter of their own", leak(CANTEEN, 120.0), vec![(2, "taps", CANTEEN)]),
        ("in the main", leak(INLET, 150.0), vec![(2, "pipe", INLET)]),
        (
            "two at once",
            Story { leaks: vec![(KITCHEN, 100.0, 0, 99), (DORMITORY, 90.0, 0, 99)], ..Story::default() },
            vec![(2, "pipe", DORMITORY), (2, "fixtures", KITCHEN)],
        ),
        (
            "a small one on a busy branch, which the first quiet days show",
            Story { holidays: vec![5, 6], ..leak(KITCHEN, 60.0) },
            vec![(7, "fixtures", KITCHEN)],
        ),
        (
            "mended after five days",
            Story { leaks: vec![(GARDEN, 100.0, 0, 5)], ..Story::default() },
            vec![(2, "fixtures", GARDEN), (5, "mended", GARDEN)],
        ),
        ("one night only", Story { leaks: vec![(KITCHEN, 500.0, 3, 4)], ..Story::default() }, vec![]),
        (
            "a branch that rightly takes water at night",
            Story { allowed: Some((KITCHEN, 300.0)), ..leak(KITCHEN, 250.0) },
            vec![],
        ),
        ("a tank that fills at night", Story { tank: true, ..Story::default() }, vec![]),
        ("holidays", Story { holidays: vec![2, 3, 4, 5], ..Story::default() }, vec![]),
        (
            "holidays with a leak",
            Story { holidays: vec![1, 2, 3], ..leak(FLOORS[2], 100.0) },
            vec![(2, "fixtures", FLOORS[2])],
        ),
        ("meters that err by 2 %, each its own way", Story { error_pct: 2.0, ..Story::default() }, vec![]),
        (
            "a leak under meters that err",
            Story { error_pct: 2.0, ..leak(DORMITORY, 80.0) },
            vec![(2, "pipe", DORMITORY)],
        ),
        ("meters read one after the other", Story { late_s: 90, ..Story::default() }, vec![]),
        (
            "a leak under meters read one after the other",
            Story { late_s: 90, ..leak(DORMITORY, 80.0) },
            vec![(2, "pipe", DORMITORY)],
        ),
    ];
    for (name, story, expected) in table {
        assert_eq!(short(&run(&story, 9).0), expected, "{name}");
    }
}

#[test]
fn a_meter_that_stands_still_is_told_from_a_holiday() {
    let stuck = Story { stuck: Some((FLOORS[0], 4, 7)), ..Story::default() };
    // It is told when the first day that it missed is over, and moves with the first water after that.
    assert_eq!(short(&run(&stuck, 10).0), [(5, "stuck", FLOORS[0]), (7, "moves", FLOORS[0])]);
    let quiet = Story { holidays: vec![4, 5, 6], ..Story::default() };
    assert_eq!(short(&run(&quiet, 10).0), []);
    // The floor's water has passed the building's meter: nobody is sent to look for a leak there.
    let (_, branches) = run(&stuck, 7);
    assert!(branches[DORMITORY].leak.is_none());
}

#[test]
fn the_flow_of_the_meter_itself_shows_a_stuck_register_within_the_hour() {
    let guard = guard(&Story::default());
    let n = guard.places.len();
    let (mut registers, mut branches) = (vec![Register::default(); n], vec![Branch::default(); n]);
    let (mut owed, mut found) = (vec![Owed::default(); n], Vec::new());
    for step in 0..12 {
        let now_s = START_S + 300 * step;
        registers[KITCHEN].read(&DIAL, now_s, 7.0);
        owed[KITCHEN].look(&registers[KITCHEN], 0.25, now_s);
        found.extend(guard.watch(&registers, &owed, &mut branches, now_s));
    }
    assert_eq!(
        found,
        [Finding::Stuck(KITCHEN, 150.0)],
        "75 L every five minutes, told from 100 L on, and once"
    );
    registers[KITCHEN].read(&DIAL, START_S + 4_000, 9.0);
    assert_eq!(guard.watch(&registers, &owed, &mut branches, START_S + 4_000), [Finding::Moves(KITCHEN)]);
}

#[test]
fn water_that_runs_back_is_told_at_once_and_judges_nobody_meanwhile() {
    let story = Story { back: Some((FLOORS[1], 250.0, 3)), ..Story::default() };
    let (found, _) = run(&story, 8);
    assert_eq!(short(&found), [(3, "back", FLOORS[1]), (5, "forward", FLOORS[1])]);
}

/// What is not known is not judged: no balance is made up for the time that a meter could not be reached.
#[test]
fn a_silent_meter_accuses_nobody() {
    let story = Story { silent: Some((FLOORS[1], 2, 4)), ..Story::default() };
    let (found, branches) = run(&story, 8);
    assert_eq!(short(&found), []);
    assert!(branches[FLOORS[1]].nights.len() < branches[GARDEN].nights.len());
}

/// A branch that has shown for days that it takes little at night is held to that: a leak that the general
/// share would still have allowed is found.
#[test]
fn a_branch_is_held_to_what_it_has_shown() {
    let story = Story { leaks: vec![(KITCHEN, 45.0, 8, 99)], ..Story::default() };
    let mean_l_h = 900.0 * 11.0 / 24.0;
    assert!(45.0 < 15.0 + 0.1 * mean_l_h, "the general share alone would allow it");
    assert_eq!(short(&run(&story, 12).0), [(10, "fixtures", KITCHEN)]);
}

/// Children that measure more than their parent: a wrong tree, or a meter that counts too little. Said, not
/// judged.
#[test]
fn a_tree_that_does_not_balance_says_so() {
    let story = Story { slow: Some((DORMITORY, 0.8)), ..Story::default() };
    let (found, branches) = run(&story, 4);
    assert_eq!(short(&found), []);
    assert!(branches[DORMITORY].unbalanced && !branches[INLET].unbalanced);
}
