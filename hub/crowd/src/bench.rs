//! What this machine can carry: the cost of a person's step in a jam, and of a campus that is evacuated.

use std::hint::black_box;
use std::time::Instant;

use crate::{
    Change, Crowd, CrowdInput, Door, DoorSide, Goal, Group, InputError, Point, Profile, Shape, Space,
};

/// One measured figure.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it should reach, in words.
    pub goal: &'static str,
    /// What it is compared with.
    pub reference: &'static str,
}

fn rect([x0, y0]: Point, [x1, y1]: Point) -> Vec<Point> {
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

fn level(id: String, outline: Vec<Point>, holes: Vec<Vec<Point>>, z_m: f64) -> Space {
    Space { id, shape: Shape::Level { outline, holes, z_m } }
}

fn door(id: String, [from, to]: [u32; 2], [a, b]: [Point; 2], [c, d]: [Point; 2]) -> Door {
    Door { id, from: DoorSide { space: from, a, b }, to: DoorSide { space: to, a: c, b: d }, open: true }
}

fn adult() -> Profile {
    Profile { id: "adult".into(), speed_m_s: [1.34, 0.26, 0.7, 2.0], radius_m: 0.2, stairs: [0.5, 0.6] }
}

/// A room with so many people before a door of 4.8 m.
fn hall(people: u32) -> CrowdInput {
    let side = (f64::from(people) / 1.25).sqrt();
    let gap = [[side, side / 2.0 - 2.4], [side, side / 2.0 + 2.4]];
    CrowdInput {
        spaces: vec![
            level("hall".into(), rect([0.0, 0.0], [side, side]), vec![], 0.0),
            level("outside".into(), rect([side, -5.0], [side + 15.0, side + 5.0]), vec![], 0.0),
        ],
        doors: vec![door("door".into(), [0, 1], gap, gap)],
        goals: vec![Goal {
            id: "away".into(),
            space: 1,
            area: rect([side + 13.0, -5.0], [side + 15.0, side + 5.0]),
            leaves: true,
        }],
        profiles: vec![adult()],
        groups: vec![Group {
            id: "people".into(),
            space: 0,
            people: vec![(0, people)],
            premovement_s: [0.0, 0.0],
        }],
        seed: 1,
    }
}

/// A school: eight buildings of four storeys with twelve classrooms of two doors each and two staircases,
/// 465 spaces
/// in all; 2,080 people in 52 classes, who go to a yard.
pub fn school() -> CrowdInput {
    let mut input = CrowdInput { profiles: vec![adult()], seed: 1, ..CrowdInput::default() };
    let mut holes = Vec::new();
    let mut mains = Vec::new();
    for building in 0..8_u32 {
        let at = [f64::from(building % 2) * 80.0 + 20.0, f64::from(building / 2) * 40.0 + 20.0];
        holes.push(vec![at, [at[0], at[1] + 17.0], [at[0] + 52.0, at[1] + 17.0], [at[0] + 52.0, at[1]]]);
        let mut below: Option<u32> = None;
        for storey in 0..4_u32 {
            let corridor = add_storey(&mut input, building, storey, at);
            match below {
                Some(below) => (0..2).for_each(|end| add_stair(&mut input, below, corridor, storey, at, end)),
                None => mains.push((corridor, at)),
            }
            below = Some(corridor);
        }
    }
    let outside = input.spaces.len() as u32;
    input.spaces.push(level("outside".into(), rect([0.0, 0.0], [240.0, 186.0]), holes, 0.0));
    for (n, (corridor, [x, y])) in mains.into_iter().enumerate() {
        let (inner, outer) = (x + 2.0, x);
        let gap = |x: f64| [[x, y + 7.4], [x, y + 9.2]];
        input.doors.push(door(format!("main {n}"), [corridor, outside], gap(inner), gap(outer)));
    }
    input.goals.push(Goal {
        id: "yard".into(),
        space: outside,
        area: rect([180.0, 20.0], [235.0, 170.0]),
        leaves: false,
    });
    input
}

fn add_storey(input: &mut CrowdInput, building: u32, storey: u32, [x, y]: Point) -> u32 {
    let (corridor, z) = (input.spaces.len() as u32, f64::from(storey) * 3.6);
    let name = format!("{building}/{storey}");
    let outline = rect([x + 2.0, y + 7.2], [x + 50.0, y + 9.6]);
    input.spaces.push(level(format!("{name}/corridor"), outline, vec![], z));
    for room in 0..12_u32 {
        let space = input.spaces.len() as u32;
        let west = x + 2.0 + f64::from(room % 6) * 8.0;
        let (south, wall, own) = if room < 6 { (y, y + 7.2, y + 7.0) } else { (y + 9.8, y + 9.6, y + 9.8) };
        let outline = rect([west + 0.1, south], [west + 7.9, south + 7.0]);
        input.spaces.push(level(format!("{name}/{room}"), outline, vec![], z));
        for (n, gap) in [west + 0.5, west + 6.5].into_iter().enumerate() {
            let ends = |y: f64| [[gap, y], [gap + 0.9, y]];
            input.doors.push(door(format!("{name}/{room}/{n}"), [space, corridor], ends(own), ends(wall)));
        }
        // Every seventh room or so has a class: 52 of 384.
        let number = (building * 4 + storey) * 12 + room;
        if number.is_multiple_of(7) && input.groups.len() < 52 {
            input.groups.push(Group {
                id: format!("{name}/{room}"),
                space,
                people: vec![(0, 40)],
                premovement_s: [10.0, 40.0],
            });
        }
    }
    corridor
}

/// A stair at the western (0) or eastern end of a corridor, beyond its southern or northern half.
fn add_stair(input: &mut CrowdInput, below: u32, above: u32, storey: u32, [x, y]: Point, end: u32) {
    let stair = input.spaces.len() as u32;
    let z = f64::from(storey - 1) * 3.6;
    let (at, out) = if end == 0 { (x + 2.0, -1.0) } else { (x + 50.0, 1.0) };
    // Up to a landing and back: the lower end on the one half of the corridor's end wall, the upper on the
    // other.
    let line = vec![[at, y + 7.7, z], [at + 4.0 * out, y + 7.7, z + 1.8], [at, y + 7.7, z + 3.6]];
    let length = 2.0 * (4.0_f64 * 4.0 + 1.8 * 1.8).sqrt();
    input.spaces.push(Space { id: format!("stair {stair}"), shape: Shape::Stair { line, width_m: 1.2 } });
    if end == 0 && storey == 1 {
        return side_stair(input, stair, below, above, [at, y], length);
    }
    // The stair from below ends beside the one that goes on up.
    let (foot, head) = (7.2, 8.4);
    let gap = |from: f64| [[at, y + from], [at, y + from + 1.2]];
    let own = |s: f64| [[s, 0.0], [s, 1.2]];
    input.doors.push(door(format!("foot {stair}"), [below, stair], gap(foot), own(0.0)));
    input.doors.push(door(format!("head {stair}"), [above, stair], gap(head), own(length)));
}

/// On the lowest storey the main door is where the western stair would start: it starts on the corridor's
/// long side.
fn side_stair(input: &mut CrowdInput, stair: u32, below: u32, above: u32, [at, y]: Point, length: f64) {
    let own = |s: f64| [[s, 0.0], [s, 1.2]];
    // Between the first room's doors there is wall enough.
    let foot = [[at + 3.0, y + 7.2], [at + 4.2, y + 7.2]];
    input.doors.push(door(format!("foot {stair}"), [below, stair], foot, own(0.0)));
    let head = [[at, y + 8.4], [at, y + 9.6]];
    input.doors.push(door(format!("head {stair}"), [above, stair], head, own(length)));
}

fn start(input: CrowdInput) -> Result<Crowd, InputError> {
    let goals: Vec<String> = input.goals.iter().map(|g| g.id.clone()).collect();
    let groups: Vec<String> = input.groups.iter().map(|g| g.id.clone()).collect();
    let mut crowd = Crowd::new(input)?;
    for group in groups {
        crowd.apply(&Change::Send { group, goals: goals.clone() })?;
    }
    Ok(crowd)
}

/// Runs until nobody is under way: wall time, s, and steps of people.
fn evacuate(crowd: &mut Crowd, threads: usize) -> (f64, f64) {
    let (began, mut steps) = (Instant::now(), 0.0);
    while crowd.under_way() > 0 && crowd.time_s() < 3600.0 {
        steps += crowd.groups().iter().map(|g| f64::from(g.walking)).sum::<f64>() * 20.0;
        crowd.step(1.0, threads);
    }
    (began.elapsed().as_secs_f64(), steps)
}

/// Measures on one core, and the school on two as well.
///
/// # Errors
/// None, as long as the inputs made here are good; a test makes sure.
pub fn run() -> Result<Vec<Figure>, InputError> {
    let mut hall = start(hall(2000))?;
    let (wall, steps) = evacuate(&mut hall, 1);
    let mut figures = vec![
        Figure {
            name: "agent_step_us",
            value: wall / steps * 1e6,
            unit: "µs",
            goal: "<= 1 on one core",
            reference: "2,000 people through a door of 4.8 m, step 0.05 s, averaged over the evacuation",
        },
        Figure {
            name: "hall_times_real_time",
            value: hall.time_s() / wall,
            unit: "×",
            goal: "",
            reference: "the same run",
        },
    ];
    let began = Instant::now();
    let crowd = start(school())?;
    let opened = began.elapsed().as_secs_f64();
    for (threads, name) in [(1, "school_times_real_time"), (2, "school_times_real_time_two_threads")] {
        let mut crowd = crowd.clone();
        let (wall, _) = evacuate(&mut crowd, threads);
        figures.push(Figure {
            name,
            value: crowd.time_s() / wall,
            unit: "×",
            goal: if threads == 1 { ">= 20 on one core" } else { "" },
            reference: "2,080 people, 465 spaces, ways found, until all stand in the yard",
        });
    }
    let mut open = crowd.clone();
    open.step(0.05, 1);
    let began = Instant::now();
    let bytes = black_box(open.save()).len();
    let saved = began.elapsed().as_secs_f64();
    for (name, value, unit, reference) in [
        ("school_open_ms", opened * 1e3, "ms", "465 spaces checked and made ready, 2,080 people placed"),
        ("school_save_ms", saved * 1e3, "ms", "state and checksum"),
        ("school_save_kib", bytes as f64 / 1024.0, "KiB", ""),
    ] {
        figures.push(Figure { name, value, unit, goal: "", reference });
    }
    Ok(figures)
}
