//! Cases of RiMEA 4.1.1, small enough for every test run. Tolerances are those of the guideline where it
//! states one.

#![allow(clippy::unwrap_used)]

mod plans;

use campanile_crowd::*;
use plans::*;

/// One person of this speed from one end of a space to the other; the time, s.
fn alone(spaces: Vec<Space>, doors: Vec<Door>, start: u32, goal: Goal, speed: f64) -> f64 {
    let input = CrowdInput {
        spaces,
        doors,
        goals: vec![goal],
        profiles: vec![walker(speed)],
        groups: vec![group("one", start, 1)],
        seed: 3,
    };
    let mut crowd = Crowd::new(input.clone()).unwrap();
    send_all(&mut crowd, &input);
    run(&mut crowd, 300.0);
    assert_eq!(crowd.groups()[0].left, 1);
    last(&crowd)
}

#[test]
fn t1_a_corridor_takes_its_time() {
    // 40 m at 1.33 m/s: 26 to 34 s. The lobby is a square metre before the corridor.
    let spaces = vec![room("lobby", -1.0, 0.0, 0.0, 2.0), room("corridor", 0.0, 0.0, 41.0, 2.0)];
    let doors = vec![door("mouth", 0, 1, [0.0, 0.0], [0.0, 2.0])];
    let t = alone(spaces, doors, 0, gate("end", 1, 40.0, 0.0, 41.0, 2.0), 1.33);
    assert!((26.0..=34.0).contains(&t), "{t} s");
}

#[test]
fn t2_t3_stairs_take_their_time_up_and_down() {
    // 10 m along the slope at 1.33 m/s × 0.5 up and × 0.6 down, and 1 m of landing at most on either side.
    let stair = Space {
        id: "stair".into(),
        shape: Shape::Stair { line: vec![[1.0, 1.0, 0.0], [9.0, 1.0, 6.0]], width_m: 2.0 },
    };
    let spaces = vec![
        room("below", 0.0, 0.0, 1.0, 2.0),
        stair,
        level("above", rect(9.0, 0.0, 10.0, 2.0), vec![], 6.0),
    ];
    let side = |space, a, b| DoorSide { space, a, b };
    let doors = vec![
        Door {
            id: "foot".into(),
            from: side(0, [1.0, 0.0], [1.0, 2.0]),
            to: side(1, [0.0, 0.0], [0.0, 2.0]),
            open: true,
        },
        Door {
            id: "head".into(),
            from: side(1, [10.0, 0.0], [10.0, 2.0]),
            to: side(2, [9.0, 0.0], [9.0, 2.0]),
            open: true,
        },
    ];
    let up = alone(spaces.clone(), doors.clone(), 0, gate("top", 2, 9.3, 0.0, 10.0, 2.0), 1.33);
    let down = alone(spaces, doors, 2, gate("bottom", 0, 0.0, 0.0, 0.7, 2.0), 1.33);
    let (least_up, least_down) = (10.0 / (1.33 * 0.5), 10.0 / (1.33 * 0.6));
    assert!((least_up..least_up + 1.5).contains(&up), "up {up} s, {least_up} s on the stair");
    assert!((least_down..least_down + 1.5).contains(&down), "down {down} s, {least_down} s on the stair");
}

#[test]
fn t5_nobody_sets_off_before_its_time() {
    let mut class = group("class", 0, 10);
    class.premovement_s = [10.0, 100.0];
    let input = CrowdInput {
        spaces: vec![room("room", 0.0, 0.0, 8.0, 5.0)],
        goals: vec![gate("out", 0, 7.0, 2.0, 8.0, 3.0)],
        profiles: vec![adult()],
        groups: vec![class],
        ..CrowdInput::default()
    };
    let mut crowd = Crowd::new(input.clone()).unwrap();
    let home: Vec<Person> = crowd.people().collect();
    send_all(&mut crowd, &input);
    let mut set_off = vec![None; 10];
    while crowd.under_way() > 0 && crowd.time_s() < 200.0 {
        crowd.step(0.5, 1);
        for (p, home) in crowd.people().zip(&home) {
            if set_off[p.id as usize].is_none() && p.in_space != home.in_space {
                set_off[p.id as usize] = Some(crowd.time_s());
            }
        }
    }
    let times: Vec<f64> = set_off.into_iter().flatten().collect();
    assert_eq!(times.len(), 10);
    assert!(times.iter().all(|t| (10.0..=101.0).contains(t)), "{times:?}");
    // Drawn evenly: not all alike.
    let (least, most) = times.iter().fold((f64::INFINITY, 0.0_f64), |m, &t| (m.0.min(t), m.1.max(t)));
    assert!(most - least > 30.0, "{times:?}");
}

#[test]
fn t6_people_go_round_a_corner_and_through_no_wall() {
    let l = vec![[0.0, 0.0], [12.0, 0.0], [12.0, 12.0], [10.0, 12.0], [10.0, 2.0], [0.0, 2.0]];
    let input = CrowdInput {
        spaces: vec![room("start", -6.0, 0.0, 0.0, 2.0), level("corner", l.clone(), vec![], 0.0)],
        doors: vec![door("mouth", 0, 1, [0.0, 0.0], [0.0, 2.0])],
        goals: vec![gate("end", 1, 10.0, 11.0, 12.0, 12.0)],
        profiles: vec![adult()],
        groups: vec![group("twenty", 0, 20)],
        seed: 6,
    };
    let mut crowd = Crowd::new(input.clone()).unwrap();
    send_all(&mut crowd, &input);
    while crowd.under_way() > 0 && crowd.time_s() < 120.0 {
        crowd.step(0.05, 1);
        for p in crowd.people().filter(|p| p.space == 1 && p.state == State::Walking) {
            let [x, y] = p.in_space;
            // In one of the two arms, a body's radius (less a hair) from their walls.
            let e = 0.2 - 1e-5;
            let first = (0.0..=12.0 - e).contains(&x) && (e..=2.0 - e).contains(&y);
            let second = (10.0 + e..=12.0 - e).contains(&x) && (e..=12.0).contains(&y);
            let corner = (x - 10.0).hypot(y - 2.0) >= e && x < 12.0 && y > 0.0 && (x > 10.0 || y < 2.0);
            assert!(first || second || corner, "{x} {y}");
        }
    }
    assert_eq!(crowd.groups()[0].left, 20, "all are round the corner after {} s", crowd.time_s());
}

/// 1,000 people in a hall of 30 m × 20 m with four exits of 1 m, as drawn in the guideline.
fn hall(open: usize) -> CrowdInput {
    let mut spaces = vec![room("hall", 0.0, 0.0, 30.0, 20.0)];
    let (mut doors, mut goals) = (Vec::new(), Vec::new());
    for (k, (x, y)) in [(9.5, 20.0), (19.5, 0.0), (19.5, 20.0), (9.5, 0.0)].into_iter().enumerate() {
        let (y0, y1) = if y > 0.0 { (20.0, 26.0) } else { (-6.0, 0.0) };
        spaces.push(room(&format!("yard {k}"), x - 4.0, y0, x + 5.0, y1));
        let mut exit = door(&format!("exit {k}"), 0, k as u32 + 1, [x, y], [x + 1.0, y]);
        exit.open = k < open;
        doors.push(exit);
        let (far0, far1) = if y > 0.0 { (25.0, 26.0) } else { (-6.0, -5.0) };
        goals.push(gate(&format!("yard {k}"), k as u32 + 1, x - 4.0, far0, x + 5.0, far1));
    }
    CrowdInput {
        spaces,
        doors,
        goals,
        profiles: vec![adult()],
        groups: vec![group("people", 0, 1000)],
        seed: 9,
    }
}

#[test]
#[ignore = "half a minute: `cargo nextest run -p campanile-crowd --run-ignored all`"]
fn t9_closing_two_of_four_exits_about_doubles_the_time() {
    let times = [4, 2].map(|open| {
        let input = hall(open);
        let mut crowd = Crowd::new(input.clone()).unwrap();
        send_all(&mut crowd, &input);
        run(&mut crowd, 2000.0);
        assert_eq!(crowd.groups()[0].left, 1000);
        last(&crowd)
    });
    let ratio = times[1] / times[0];
    println!("{{\"rimea_9\": {{\"four_exits_s\": {:.0}, \"two_exits_s\": {:.0}}}}}", times[0], times[1]);
    assert!((1.7..=2.3).contains(&ratio), "{times:?}");
}

#[test]
fn t14_a_closed_door_sends_people_the_other_way() {
    // Two doors: a near one and a far one. Halfway the near one shuts.
    let input = CrowdInput {
        spaces: vec![
            room("room", 0.0, 0.0, 20.0, 10.0),
            room("outside", 20.0, -10.0, 30.0, 30.0),
            room("corridor", 0.0, 10.0, 20.0, 12.0),
        ],
        doors: vec![
            door("near", 0, 1, [20.0, 4.0], [20.0, 6.0]),
            door("side", 0, 2, [1.0, 10.0], [3.0, 10.0]),
            door("far", 2, 1, [20.0, 10.2], [20.0, 11.8]),
        ],
        goals: vec![gate("street", 1, 29.0, -10.0, 30.0, 30.0)],
        profiles: vec![adult()],
        groups: vec![group("class", 0, 45)],
        seed: 14,
    };
    let mut crowd = Crowd::new(input.clone()).unwrap();
    send_all(&mut crowd, &input);
    crowd.step(8.0, 1);
    let before = crowd.doors()[0].forth;
    assert!(before > 0 && crowd.doors()[1].forth == 0);
    crowd.apply(&Change::Door { id: "near".into(), open: false }).unwrap();
    run(&mut crowd, 300.0);
    let doors = crowd.doors();
    assert_eq!(crowd.groups()[0].left, 45);
    assert_eq!(doors[0].forth, before, "nobody passes a closed door");
    // One who makes room may step back through a door.
    for door in &doors[1..] {
        assert_eq!(door.forth - door.back, 45 - before);
        assert!(door.back <= 10, "{doors:?}");
    }
}

#[test]
fn t15_counterflow_passes() {
    let input = CrowdInput {
        spaces: vec![
            room("west", 0.0, 0.0, 10.0, 10.0),
            room("corridor", 10.0, 4.0, 20.0, 6.0),
            room("east", 20.0, 0.0, 30.0, 10.0),
        ],
        doors: vec![door("w", 0, 1, [10.0, 4.0], [10.0, 6.0]), door("e", 1, 2, [20.0, 4.0], [20.0, 6.0])],
        goals: vec![gate("east", 2, 29.0, 0.0, 30.0, 10.0), gate("west", 0, 0.0, 0.0, 1.0, 10.0)],
        profiles: vec![adult()],
        groups: vec![group("eastward", 0, 100), group("westward", 2, 50)],
        seed: 15,
    };
    let mut crowd = Crowd::new(input).unwrap();
    send(&mut crowd, "eastward", &["east"]);
    send(&mut crowd, "westward", &["west"]);
    run(&mut crowd, 600.0);
    let left: Vec<u32> = crowd.groups().iter().map(|g| g.left).collect();
    println!("{{\"counterflow_100_50_s\": {:.0}}}", last(&crowd));
    assert_eq!(left, [100, 50], "after {} s", crowd.time_s());
}
