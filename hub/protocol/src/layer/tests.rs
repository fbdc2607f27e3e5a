use proptest::prelude::*;

use super::*;

fn frame(state: LayerState) -> LayerFrame {
    LayerFrame { layer: 3, number: 7, time: Timestamp(1_234_567), state }
}

#[test]
fn a_still_layer_costs_its_head() {
    let water = LayerState::Grid((0..10_000u32).map(|i| (i % 7) as u16 * 100).collect());
    let whole = frame(water.clone()).encode(None).unwrap();
    let still = frame(water.clone()).encode(Some(&water)).unwrap();
    assert_eq!(still.len(), HEADER + 3, "a run over all cells");
    assert_eq!(LayerFrame::decode(&still, Some(&water)).unwrap(), frame(water.clone()));
    assert_eq!(LayerFrame::decode(&whole, None).unwrap(), frame(water));
}

#[test]
fn people_who_walk_cost_four_bytes() {
    let people: Vec<Agent> =
        (0..2_080u16).map(|i| Agent { x: i, y: 2 * i, z: 90, ..Agent::default() }).collect();
    let mut moved = people.clone();
    for agent in &mut moved {
        agent.x += 5;
        agent.y -= agent.y.min(3);
    }
    let was = LayerState::Agents(people);
    let bytes = frame(LayerState::Agents(moved.clone())).encode(Some(&was)).unwrap();
    assert_eq!(bytes.len(), HEADER + 4 * 2_080);
    assert_eq!(LayerFrame::decode(&bytes, Some(&was)).unwrap().state, LayerState::Agents(moved));
}

#[test]
fn what_differs_needs_what_it_differs_from() {
    let was = LayerState::Zones(vec![1, 2, 3]);
    let bytes = frame(LayerState::Zones(vec![1, 5, 3])).encode(Some(&was)).unwrap();
    let missing = Err(LayerError::Base { layer: 3, number: 7 });
    assert_eq!(LayerFrame::decode(&bytes, None), missing);
    assert_eq!(LayerFrame::decode(&bytes, Some(&LayerState::Zones(vec![1]))), missing);
    assert_eq!(LayerFrame::decode(&bytes, Some(&LayerState::Grid(vec![1, 2, 3]))), missing);
}

#[test]
fn a_frame_that_is_broken_says_where() {
    let was = LayerState::Grid(vec![0; 4]);
    let good = frame(LayerState::Grid(vec![0, 9, 0, 0])).encode(Some(&was)).unwrap();
    let cases: &[(&str, Vec<u8>)] = &[
        ("not a frame", b"CF".to_vec()),
        ("layout 9", [&b"CL\x09"[..], &good[3..]].concat()),
        ("ends too early", good[..good.len() - 1].to_vec()),
        ("more follows", [&good[..], &[1]].concat()),
        ("a run of more", [&good[..HEADER], &[0, 200, 1]].concat()),
        ("outside 0 to", [&good[..HEADER], &[1]].concat()),
        ("more than 32 bits", [&good[..HEADER], &[255; 6]].concat()),
        ("at most", {
            let mut large = good.clone();
            large[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
            large
        }),
    ];
    for (expected, bytes) in cases {
        let why = LayerFrame::decode(bytes, Some(&was)).unwrap_err().to_string();
        assert!(why.contains(expected), "{expected}: {why}");
    }
}

fn agents(n: usize) -> impl Strategy<Value = Vec<Agent>> {
    let one =
        (any::<u16>(), any::<u16>(), 0..200u16, any::<u8>(), 0..5u8).prop_map(|(x, y, z, heading, state)| {
            Agent { x, y, z, heading, state: AgentState::of(state).unwrap() }
        });
    proptest::collection::vec(one, n)
}

proptest! {
    #[test]
    fn grids_come_back(pairs in proptest::collection::vec((0..4u16, 0..4u16), 0..300), spike in any::<u16>()) {
        let (mut now, was): (Vec<u16>, Vec<u16>) = pairs.into_iter().unzip();
        if let Some(x) = now.first_mut() { *x = spike; }
        let was = LayerState::Grid(was);
        let frame = frame(LayerState::Grid(now));
        for before in [None, Some(&was)] {
            let bytes = frame.encode(before).unwrap();
            prop_assert_eq!(&LayerFrame::decode(&bytes, before).unwrap(), &frame);
        }
    }

    #[test]
    fn people_come_back(now in agents(20), was in agents(20), same in 0..20usize) {
        let mut now = now;
        now[..same].copy_from_slice(&was[..same]);
        let was = LayerState::Agents(was);
        let frame = frame(LayerState::Agents(now));
        for before in [None, Some(&was)] {
            let bytes = frame.encode(before).unwrap();
            prop_assert_eq!(&LayerFrame::decode(&bytes, before).unwrap(), &frame);
        }
    }

    #[test]
    fn hostile_bytes_are_errors(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..3u8) {
        let mut all = b"CL\x01".to_vec();
        all.extend([kind, 0, 0, 0, 0]);
        all.extend([0; 16]);
        all.extend(20u32.to_le_bytes());
        all.extend(bytes);
        let before = match kind {
            0 => LayerState::Grid(vec![5; 20]),
            1 => LayerState::Zones(vec![5; 20]),
            _ => LayerState::Agents(vec![Agent::default(); 20]),
        };
        if let Ok(frame) = LayerFrame::decode(&all, Some(&before)) {
            prop_assert_eq!(frame.state.count(), 20);
        }
    }
}
