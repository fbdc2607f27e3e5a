//! Wrong inputs and damaged bytes give errors that name the place.

#![allow(clippy::unwrap_used)]

mod plans;

use campanile_crowd::*;
use plans::*;
use proptest::prelude::*;

fn good() -> CrowdInput {
    let mut input = door_room(20, 1.2, 1);
    input.spaces.push(Space {
        id: "stair".into(),
        shape: Shape::Stair { line: vec![[20.0, 0.0, 0.0], [24.0, 0.0, 2.0]], width_m: 1.5 },
    });
    let l = 4.0_f64.hypot(2.0);
    input.doors.push(Door {
        id: "foot".into(),
        from: DoorSide { space: 1, a: [20.0, -0.75], b: [20.0, 0.75] },
        to: DoorSide { space: 2, a: [0.0, 0.0], b: [0.0, 1.5] },
        open: true,
    });
    input.goals.push(Goal { id: "top".into(), space: 2, area: rect(l - 1.0, 0.0, l, 1.5), leaves: false });
    input
}

#[test]
fn every_wrong_field_is_named() {
    type Spoil = fn(&mut CrowdInput);
    let table: &[(&str, Spoil)] = &[
        ("spaces[0].shape.outline", |i| i.spaces[0] = level("r", vec![[0.0, 0.0], [1.0, 0.0]], vec![], 0.0)),
        ("spaces[0].shape.outline", |i| i.spaces[0] = level("r", hole(0.0, 0.0, 10.0, 10.0), vec![], 0.0)),
        ("spaces[0].shape.outline[2]", |i| {
            i.spaces[0] = level("r", vec![[0.0, 0.0], [10.0, 0.0], [f64::NAN, 10.0]], vec![], 0.0);
        }),
        ("spaces[0].shape.outline", |i| {
            let crossed = vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [4.0, -1.0], [0.0, 10.0]];
            i.spaces[0] = level("r", crossed, vec![], 0.0);
        }),
        ("spaces[0].shape.holes[0]", |i| {
            i.spaces[0] = level("r", rect(0.0, 0.0, 10.0, 10.0), vec![rect(2.0, 2.0, 3.0, 3.0)], 0.0);
        }),
        ("spaces[0].shape (the longest side of its box)", |i| i.spaces[0] = room("r", 0.0, 0.0, 1e5, 10.0)),
        ("spaces[0].shape.z_m", |i| {
            i.spaces[0] = level("r", rect(0.0, 0.0, 10.0, 10.0), vec![], f64::INFINITY)
        }),
        ("spaces[2].shape.line", |i| {
            i.spaces[2].shape = Shape::Stair { line: vec![[0.0, 0.0, 0.0]], width_m: 1.5 };
        }),
        ("spaces[2].shape.width_m", |i| {
            i.spaces[2].shape = Shape::Stair { line: vec![[0.0; 3], [4.0, 0.0, 2.0]], width_m: 0.0 };
        }),
        ("doors[0].from.space", |i| i.doors[0].from.space = 9),
        ("doors[0].from", |i| i.doors[0].from.a = [9.0, 4.4]),
        ("doors[0].to (its width)", |i| i.doors[0].to.b = i.doors[0].to.a),
        ("doors[0]", |i| i.doors[0].to.b[1] += 0.5),
        ("doors[0]", |i| i.doors[0].to = i.doors[0].from.clone()),
        ("doors[2].from", |i| {
            let again = Door { id: "again".into(), ..i.doors[0].clone() };
            i.doors.push(again);
        }),
        ("doors[1].id", |i| i.doors[1].id = "door".into()),
        ("goals[0].space", |i| i.goals[0].space = 3),
        ("goals[0].area", |i| i.goals[0].area = rect(100.0, 0.0, 101.0, 1.0)),
        ("goals[0].area", |i| {
            i.goals[0].area = vec![[11.0, 0.0], [19.0, 0.0], [19.0, 8.0], [18.0, 1.0]];
        }),
        ("profiles[0].speed_m_s", |i| i.profiles[0].speed_m_s = [1.0, 0.1, 1.2, 1.5]),
        ("profiles[0].speed_m_s (deviation)", |i| i.profiles[0].speed_m_s[1] = f64::NAN),
        ("profiles[0].radius_m", |i| i.profiles[0].radius_m = 0.0),
        ("profiles[0].stairs", |i| i.profiles[0].stairs[1] = -1.0),
        ("groups[0].space", |i| i.groups[0].space = u32::MAX),
        ("groups[0].people[0]", |i| i.groups[0].people[0].0 = 1),
        ("groups[0].people", |i| i.groups[0].people[0].1 = 2_000),
        ("groups", |i| i.groups[0].people = vec![(0, u32::MAX); 8]),
        ("groups[0].premovement_s", |i| i.groups[0].premovement_s = [5.0, 1.0]),
        ("groups[0].premovement_s", |i| i.groups[0].premovement_s = [0.0, f64::INFINITY]),
    ];
    assert!(Crowd::new(good()).is_ok());
    for (k, (field, spoil)) in table.iter().enumerate() {
        let mut input = good();
        spoil(&mut input);
        let error = Crowd::new(input).expect_err(field);
        assert_eq!(&error.field, field, "case {k}: {error}");
        assert!(!error.what.is_empty() && !error.mend.is_empty());
    }
}

#[test]
fn a_wrong_change_changes_nothing() {
    let mut crowd = Crowd::new(good()).unwrap();
    let before = crowd.hash();
    let slow = |space, share| Change::Slow { space, share };
    let grid = |nx, share| Slowness::Grid { origin_m: [0.0, 0.0], cell_m: 1.0, nx, share };
    for (field, change) in [
        ("group", Change::Hold { group: "nobody".into() }),
        ("group", Change::Send { group: "nobody".into(), goals: vec!["out".into()] }),
        ("send.goals", Change::Send { group: "people".into(), goals: vec!["out".into(), "nowhere".into()] }),
        ("send.goals", Change::Send { group: "people".into(), goals: vec![] }),
        ("door.id", Change::Door { id: "gap".into(), open: false }),
        ("slow.space", slow(7, Slowness::Whole(0.5))),
        ("slow.share", slow(0, Slowness::Whole(1.5))),
        ("slow.share", slow(0, grid(3, vec![1.0; 4]))),
        ("slow.share", slow(0, grid(0, vec![]))),
        ("slow.share[1]", slow(0, grid(2, vec![1.0, f64::NAN]))),
    ] {
        let error = crowd.apply(&change).expect_err(field);
        assert_eq!(error.field, field, "{error}");
    }
    assert_eq!(crowd.hash(), before);
    crowd.step(f64::NAN, 0);
    crowd.step(f64::INFINITY, 1);
    crowd.step(-5.0, 1);
    assert_eq!(crowd.time_s(), 0.0);
}

#[test]
fn damaged_bytes_are_refused() {
    let input = good();
    let mut crowd = Crowd::new(input.clone()).unwrap();
    send_all(&mut crowd, &input);
    crowd.step(4.0, 1);
    let saved = crowd.save();
    for cut in [0, 1, 8, 11, 12, 44, 100, saved.len() - 33, saved.len() - 1] {
        assert!(Crowd::restore(input.clone(), &saved[..cut]).is_err(), "cut at {cut}");
    }
    for at in (0..saved.len()).step_by(97) {
        let mut bytes = saved.clone();
        bytes[at] ^= 0x40;
        assert!(Crowd::restore(input.clone(), &bytes).is_err(), "bit flipped at {at}");
    }
    let mut later = saved.clone();
    later[8] = 9;
    assert_eq!(
        Crowd::restore(input.clone(), &later).unwrap_err(),
        RestoreError::Version { found: 9, known: 1 }
    );
    let mut other = input;
    other.seed = 2;
    assert_eq!(Crowd::restore(other, &saved).unwrap_err(), RestoreError::OtherInput);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Bytes whose checksum is right, yet whose content is not.
    #[test]
    fn no_bytes_panic(at in 12_usize..2000, value: u8, garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
        let input = good();
        prop_assert!(Crowd::restore(input.clone(), &garbage).is_err());
        let crowd = Crowd::new(input.clone()).unwrap();
        let mut bytes = crowd.save();
        let body = bytes.len() - 32;
        bytes[at % body] = value;
        let hash = blake3::hash(&bytes[..body]);
        bytes[body..].copy_from_slice(hash.as_bytes());
        if let Ok(mut crowd) = Crowd::restore(input.clone(), &bytes) {
            send_all(&mut crowd, &input);
            crowd.step(2.0, 1);
            let _ = crowd.save();
        }
    }
}
