//! Large campuses of odd buildings, drawn from a seed: whatever they are, the plan is sound and everyone can leave.

#![allow(clippy::unwrap_used)]

mod common;

use campanile_import::osm::{Imported, Options, import};
use common::*;

/// SplitMix64 (Steele, Lea, Flood 2014): a sequence that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

type Ring = Vec<(f64, f64)>;

/// An outline around the origin, of one of the kinds that maps have.
fn outline(dice: &mut Dice) -> Ring {
    let (w, d) = (dice.between(4.0, 90.0), dice.between(3.0, 40.0));
    let t = dice.between(3.0, 18.0).min(w / 2.5).min(d / 1.2);
    let mut ring: Ring = match dice.below(11) {
        0 | 1 => vec![(0.0, 0.0), (w, 0.0), (w, d), (0.0, d)],
        2 => vec![(0.0, 0.0), (w, 0.0), (w, t), (t, t), (t, d + t), (0.0, d + t)],
        3 => vec![
            (0.0, 0.0),
            (w, 0.0),
            (w, d + t),
            (w - t, d + t),
            (w - t, t),
            (t, t),
            (t, d + t),
            (0.0, d + t),
        ],
        4 => {
            let m = (w - t) / 2.0;
            vec![(0.0, 0.0), (w, 0.0), (w, t), (m + t, t), (m + t, t + d), (m, t + d), (m, t), (0.0, t)]
        }
        // A comb of wings.
        5 => {
            let teeth = 2 + dice.below(5) as usize;
            let step = w / teeth as f64;
            let mut ring = vec![(0.0, -t), (w, -t)];
            for i in (0..teeth).rev() {
                let (a, b) = (step * i as f64, step * (i as f64 + 0.55));
                ring.extend(
                    [(b, 0.0), (b, d), (a, d), (a, 0.0)]
                        .into_iter()
                        .skip(usize::from(i + 1 == teeth && b >= w)),
                );
            }
            ring
        }
        // Round, star-shaped, or bent at random.
        6..=8 => {
            let n = 3 + dice.below(30) as usize;
            let wild = dice.pick(&[0.0, 0.2, 0.7]);
            (0..n)
                .map(|i| {
                    let angle = std::f64::consts::TAU * i as f64 / n as f64;
                    let r = w / 2.0 * (1.0 - dice.between(0.0, 1.0) * wild);
                    (r * angle.cos(), r * angle.sin() * dice.pick(&[1.0, 1.0, 0.8]))
                })
                .collect()
        }
        // Corners anywhere: it crosses itself.
        9 => (0..4 + dice.below(6)).map(|_| (dice.between(0.0, w), dice.between(0.0, d))).collect(),
        // Stairs of steps along one side.
        _ => {
            let n = 2 + dice.below(6) as usize;
            let mut ring = vec![(0.0, 0.0), (w, 0.0)];
            for i in (0..n).rev() {
                let y = d * (n - i) as f64 / n as f64;
                ring.extend([(w * (i + 1) as f64 / n as f64, y), (w * i as f64 / n as f64, y)]);
            }
            ring
        }
    };
    // Drawn by hand: no corner is quite where it should be.
    let shake = dice.pick(&[0.0, 0.05, 0.4]);
    for p in &mut ring {
        p.0 += dice.between(-shake, shake);
        p.1 += dice.between(-shake, shake);
    }
    let angle: f64 = dice.pick(&[0.0, 0.0, 0.3, std::f64::consts::FRAC_PI_4, 1.2]);
    ring.into_iter()
        .map(|(x, y)| (x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()))
        .collect()
}

fn tags(dice: &mut Dice) -> String {
    let mut tags = format!(
        "building={}",
        dice.pick(&[
            "yes",
            "school",
            "university",
            "dormitory",
            "house",
            "roof",
            "garage",
            "college",
            "greenhouse",
            "office",
            "church"
        ])
    );
    let extra = [
        format!("building:levels={}", dice.pick(&["1", "2", "3", "4", "5", "7", "2.5", "2;3", "x"])),
        format!("height={}", dice.pick(&["3", "9", "12 m", "40'", "200", "-1"]).replace(' ', "~")),
        "building:levels:underground=1".to_owned(),
        format!("roof:shape={}", dice.pick(&["gabled", "hipped", "skillion", "dome", "flat"])),
        "building:min_level=1".to_owned(),
        "min_height=3.5".to_owned(),
        "building:colour=#aabbcc".to_owned(),
        format!("addr:housenumber={}", dice.below(30)),
        "name=楼".to_owned(),
        "layer=-1".to_owned(),
    ];
    for (tag, often) in extra.iter().zip([6, 3, 1, 2, 1, 1, 1, 2, 1, 1]) {
        if dice.below(10) < often {
            tags += &format!(" {tag}");
        }
    }
    tags
}

/// A campus of so many buildings, some with a courtyard, a part, an entrance, or in the way of their neighbour.
fn campus(seed: u64, buildings: usize) -> String {
    let mut dice = Dice(seed);
    let side = (buildings as f64).sqrt().ceil() as usize;
    let mut body = String::new();
    if dice.below(2) == 0 {
        let reach = side as f64 * dice.between(40.0, 130.0);
        body += &rectangle(900_000, -50.0, -50.0, reach, reach, "amenity=school name=Generated");
    }
    for i in 0..buildings {
        let id = 10 * (i as i64 + 1);
        let spread = dice.pick(&[120.0, 120.0, 120.0, 112.0]);
        let (x, y) = (spread * (i % side) as f64, spread * (i / side) as f64);
        let place =
            |ring: &Ring, by: f64| -> Ring { ring.iter().map(|(a, b)| (x + a * by, y + b * by)).collect() };
        let shape = outline(&mut dice);
        let tags = tags(&mut dice);
        match dice.below(12) {
            0 => {
                body += &ring(id, &place(&shape, 1.0), "");
                body += &ring(id + 1, &place(&shape, dice.pick(&[0.3, 0.6, 1.0])), "");
                body += &format!(
                    "<relation id=\"{id}\"><member type=\"way\" ref=\"{id}\" role=\"outer\"/>\
                     <member type=\"way\" ref=\"{}\" role=\"inner\"/>{}</relation>\n",
                    id + 1,
                    tags_xml(&format!("type=multipolygon {tags}"))
                );
            }
            1 => {
                body += &ring(id, &place(&shape, 1.0), &tags);
                let levels = 1 + dice.below(6);
                let part = format!("building:part=yes building:levels={levels}");
                body += &ring(id + 1, &place(&shape, dice.between(0.2, 1.1)), &part);
            }
            2 => {
                body += &ring(id, &place(&shape, 1.0), &tags);
                body += &ring(id + 1, &place(&outline(&mut dice), 1.0), "building=yes");
            }
            _ => body += &ring(id, &place(&shape, 1.0), &tags),
        }
        if dice.below(4) == 0 {
            let (a, b) = place(&shape, 1.0)[0];
            body += &node(1_000_000_000 + id, a, b, "entrance=main");
        }
        if dice.below(3) == 0 {
            let (a, b) = (x + dice.between(-60.0, 60.0), y + dice.between(-60.0, 60.0));
            body += &node(2_000_000_000 + id, a, b, "natural=tree");
        }
    }
    body
}

fn drawn(seed: u64, buildings: usize) -> Imported {
    println!("seed {seed}");
    let text = osm(&campus(seed, buildings));
    let found = import(text.as_bytes(), &Options { rooms: true, ..Options::default() }).unwrap();
    sound(&found);
    found
}

#[test]
fn a_campus_of_hundreds_of_odd_buildings_is_sound_and_everyone_can_leave() {
    let found = drawn(20_261_125, 300);
    let c = &found.counts;
    assert!(c.buildings > 280 && c.spaces > 5_000 && c.stairs > 300, "{c:?}");
    // What falls back to undivided storeys is the exception.
    let why: Vec<_> = found.findings.examples.iter().filter(|f| f.code == "not-divided").collect();
    let whole = found.findings.counts.get("not-divided").copied().unwrap_or(0);
    assert!(whole * 100 <= c.buildings, "{whole} of {}: {why:#?}", c.buildings);
}

#[test]
fn many_small_campuses_are_sound_too() {
    for seed in 1..=25 {
        drawn(seed, 16);
    }
}
