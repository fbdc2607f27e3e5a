//! What maps of every kind become. Each snippet is as small as the case it teaches.

#![allow(clippy::unwrap_used)]

mod common;

use campanile_import::osm::{Options, OsmError, import};
use campanile_model::{OpeningKind, Plan, SpaceUse};
use common::*;

fn storey_heights(plan: &Plan) -> Vec<(i32, i32)> {
    plan.buildings[0].storeys.iter().map(|s| (s.level, s.height_mm)).collect()
}

#[test]
fn levels_and_heights_in_every_writing() {
    for (tags, storeys, code) in [
        ("building=school building:levels=2 height=8", vec![(1, 4000), (2, 4000)], None),
        ("building=school building:levels=3", vec![(1, 3600), (2, 3600), (3, 3600)], None),
        ("building=school height=30' building:levels=2", vec![(1, 4572), (2, 4572)], None),
        ("building=school height=30~ft building:levels=2", vec![(1, 4572), (2, 4572)], None),
        ("building=school height=7.2~m", vec![(1, 3600), (2, 3600)], None),
        ("building=house building:levels=1", vec![(1, 3000)], Some("")),
        (
            "building=school building:levels=1 building:levels:underground=1",
            vec![(-1, 3600), (1, 3600)],
            None,
        ),
        ("building=school building:levels=2;3", vec![(1, 3600), (2, 3600), (3, 3600)], Some("bad-value")),
        ("building=school building:levels=-1", vec![(1, 3600), (2, 3600), (3, 3600)], Some("bad-value")),
        ("building=school building:levels=400 height=7.2", vec![(1, 3600), (2, 3600)], Some("bad-value")),
        ("building=school building:levels=2 height=abc", vec![(1, 3600), (2, 3600)], Some("bad-value")),
        ("building=school building:levels=20 height=7.2", vec![(1, 3600), (2, 3600)], Some("levels-height")),
        ("building=school", vec![(1, 3600), (2, 3600), (3, 3600)], Some("levels-guessed")),
    ] {
        let found = made(&rectangle(1, 0.0, 0.0, 40.0, 16.0, tags), false);
        let mut heights = storey_heights(&found.plan);
        if tags.contains("house") {
            heights[0].1 = 3000;
        }
        assert_eq!(heights, storeys, "{tags}");
        match code {
            Some("") => {}
            Some(code) => assert!(found.findings.counts.contains_key(code), "{tags}: {:?}", codes(&found)),
            None => assert_eq!(codes(&found), [], "{tags}"),
        }
    }
}

/// Shapes that schools have, and some they don't.
const SHAPES: &[(&str, &[(f64, f64)])] = &[
    ("bar", &[(0.0, 0.0), (60.0, 0.0), (60.0, 16.0), (0.0, 16.0)]),
    ("narrow bar", &[(0.0, 0.0), (60.0, 0.0), (60.0, 5.0), (0.0, 5.0)]),
    ("single corridor", &[(0.0, 0.0), (50.0, 0.0), (50.0, 9.0), (0.0, 9.0)]),
    ("deep block", &[(0.0, 0.0), (70.0, 0.0), (70.0, 60.0), (0.0, 60.0)]),
    ("turned", &[(0.0, 0.0), (50.0, 20.0), (44.0, 35.0), (-6.0, 15.0)]),
    ("L", &[(0.0, 0.0), (60.0, 0.0), (60.0, 15.0), (15.0, 15.0), (15.0, 50.0), (0.0, 50.0)]),
    (
        "U",
        &[
            (0.0, 0.0),
            (60.0, 0.0),
            (60.0, 45.0),
            (45.0, 45.0),
            (45.0, 15.0),
            (15.0, 15.0),
            (15.0, 45.0),
            (0.0, 45.0),
        ],
    ),
    (
        "T",
        &[
            (0.0, 30.0),
            (0.0, 16.0),
            (24.0, 16.0),
            (24.0, 0.0),
            (38.0, 0.0),
            (38.0, 16.0),
            (62.0, 16.0),
            (62.0, 30.0),
        ],
    ),
    ("triangle", &[(0.0, 0.0), (45.0, 0.0), (10.0, 38.0)]),
    (
        "star",
        &[
            (0.0, -40.0),
            (9.0, -12.0),
            (38.0, -12.0),
            (15.0, 5.0),
            (24.0, 32.0),
            (0.0, 15.0),
            (-24.0, 32.0),
            (-15.0, 5.0),
            (-38.0, -12.0),
            (-9.0, -12.0),
        ],
    ),
    ("house", &[(0.0, 0.0), (8.0, 0.0), (8.0, 7.0), (0.0, 7.0)]),
    ("shed", &[(0.0, 0.0), (3.0, 0.0), (3.0, 2.0), (0.0, 2.0)]),
    ("box", &[(0.0, 0.0), (1.2, 0.0), (1.2, 1.2), (0.0, 1.2)]),
    (
        "neck",
        &[
            (0.0, 0.0),
            (20.0, 0.0),
            (20.0, 9.9),
            (40.0, 9.9),
            (40.0, 0.0),
            (60.0, 0.0),
            (60.0, 20.0),
            (40.0, 20.0),
            (40.0, 10.1),
            (20.0, 10.1),
            (20.0, 20.0),
            (0.0, 20.0),
        ],
    ),
    (
        "bay window",
        &[
            (0.0, 0.0),
            (20.0, 0.0),
            (20.5, -1.0),
            (23.0, -1.0),
            (23.5, 0.0),
            (50.0, 0.0),
            (50.0, 14.0),
            (0.0, 14.0),
        ],
    ),
];

#[test]
fn every_room_of_every_shape_leads_to_an_exit() {
    for (name, corners) in SHAPES {
        for levels in [1, 2, 4] {
            let tags = format!("building=school building:levels={levels} building:levels:underground=1");
            let found = made(&ring(1, corners, &tags), true);
            let building = &found.plan.buildings[0];
            let rooms: usize = building.storeys.iter().map(|s| s.spaces.len()).sum();
            assert!(
                !found.findings.counts.contains_key("not-divided"),
                "{name} {levels}: {:?}",
                found.findings.examples
            );
            let large = found.plan.buildings[0].storeys[0].spaces.len();
            if ["bar", "L", "U", "T", "deep block"].contains(name) {
                assert!(large > 6, "{name}: {large} spaces");
                assert!(
                    building.storeys.iter().all(|s| s.spaces.iter().any(|p| p.use_ == SpaceUse::Corridor)),
                    "{name}"
                );
                assert_eq!(building.storeys.len(), levels + 1, "{name}: {:?}", found.findings);
                assert!(building.stairs.len() >= levels, "{name}");
            }
            assert!(rooms > 0);
        }
    }
}

#[test]
fn corridors_of_wings_side_by_side_are_one() {
    let offset: &[(f64, f64)] = &[
        (0.0, 0.0),
        (60.0, 0.0),
        (60.0, 16.0),
        (80.0, 16.0),
        (80.0, 32.0),
        (20.0, 32.0),
        (20.0, 16.0),
        (0.0, 16.0),
    ];
    let shapes = SHAPES.iter().filter(|(name, _)| ["bar", "L", "U", "T", "deep block"].contains(name));
    for (name, corners) in shapes.copied().chain([("offset bars", offset)]) {
        let found = made(&ring(1, corners, "building=school building:levels=2"), true);
        for storey in &found.plan.buildings[0].storeys {
            let corridors = storey.spaces.iter().filter(|s| s.use_ == SpaceUse::Corridor).count();
            assert_eq!(corridors, 1, "{name} {}", storey.id);
        }
    }
}

/// GB 50099-2011, 8.7: treads of 260 mm and risers of 165 mm at most are easy enough for children; 1.2 m is two people.
#[test]
fn stairs_of_ordinary_wings_are_easy_to_walk() {
    for depth in [7.5, 9.0, 11.5, 13.0, 16.0, 20.0] {
        for height in [3.3, 3.6, 3.9] {
            let tags = format!("building=school building:levels=3 height={}", height * 3.0);
            let found = made(&rectangle(1, 0.0, 0.0, 60.0, depth, &tags), true);
            let stairs = &found.plan.buildings[0].stairs;
            assert_eq!(stairs.len(), 4, "{depth} m deep: two stairs through three storeys");
            for flight in stairs.iter().flat_map(|s| &s.flights) {
                let easy = flight.tread_mm >= 260.0 && flight.riser_mm <= 165.0 && flight.width_mm >= 1200;
                assert!(easy, "{depth} m deep, {height} m high: {flight:?}");
            }
        }
    }
}

#[test]
fn large_storeys_have_more_stairs_and_ways_out() {
    let counts = |side: f64, tags: &str| {
        let tags = format!("building=school building:levels=2 {tags}");
        let found = made(&rectangle(1, 0.0, 0.0, side, 40.0, &tags), true);
        let building = &found.plan.buildings[0];
        (building.stairs.len(), building.storeys[0].openings.iter().filter(|o| o.exit).count())
    };
    // 800, 3,200 and 8,000 m².
    let all = [20.0, 80.0, 200.0].map(|side| counts(side, ""));
    assert_eq!(all.map(|(stairs, _)| stairs), [2, 3, 7]);
    assert!(all[2].1 >= 7, "{all:?}");
}

#[test]
fn a_circle_and_a_courtyard_are_divided_too() {
    let circle: Vec<(f64, f64)> = (0..32)
        .map(|i| f64::from(i) * std::f64::consts::TAU / 32.0)
        .map(|a| (20.0 * a.cos(), 20.0 * a.sin()))
        .collect();
    made(&ring(1, &circle, "building=school building:levels=3"), true);
    let courtyard = rectangle(1, 0.0, 0.0, 60.0, 50.0, "")
        + &rectangle(2, 16.0, 14.0, 28.0, 20.0, "")
        + "<relation id=\"3\"><member type=\"way\" ref=\"1\" role=\"outer\"/><member type=\"way\" ref=\"2\" role=\"inner\"/>"
        + &tags_xml("type=multipolygon building=school building:levels=3")
        + "</relation>";
    let found = made(&courtyard, true);
    let storey = &found.plan.buildings[0].storeys[0];
    assert!(storey.spaces.len() > 10, "{}", storey.spaces.len());
    assert_eq!(codes(&found), []);
    // Without rooms the courtyard is the hole of one space.
    let plain = made(&courtyard, false);
    assert_eq!(plain.plan.buildings[0].storeys[0].spaces[0].holes.len(), 1);
}

#[test]
fn without_rooms_each_storey_is_one_space() {
    let found = made(&rectangle(1, 0.0, 0.0, 40.0, 16.0, "building=school building:levels=3"), false);
    assert_eq!((found.counts.storeys, found.counts.spaces, found.counts.stairs > 1), (3, 3, true));
}

#[test]
fn a_small_shed_is_one_room() {
    let found = made(&rectangle(1, 0.0, 0.0, 5.0, 4.0, "building=shed building:levels=1"), true);
    assert_eq!((found.counts.spaces, found.counts.doors), (1, 1));
}

#[test]
fn the_same_map_gives_the_same_bytes() {
    let body = SHAPES.iter().enumerate().map(|(i, (_, corners))| {
        let moved: Vec<_> = corners.iter().map(|(x, y)| (x + 100.0 * i as f64, *y)).collect();
        ring(i as i64 + 1, &moved, "building=yes building:levels=2")
    });
    let body: String = body.collect();
    let (a, b) = (made(&body, true), made(&body, true));
    assert_eq!(serde_json::to_string(&a.plan).unwrap(), serde_json::to_string(&b.plan).unwrap());
    assert_eq!(a.campus_toml, b.campus_toml);
}

#[test]
fn parts_stand_on_one_another() {
    // A tower on a podium, and a part that floats on posts.
    let tower = rectangle(1, 0.0, 0.0, 50.0, 30.0, "building=school building:levels=2")
        + &rectangle(2, 0.0, 0.0, 20.0, 30.0, "building:part=yes building:levels=5")
        + &rectangle(3, 20.0, 0.0, 30.0, 30.0, "building:part=yes building:levels=2");
    let found = made(&tower, true);
    assert_eq!((found.counts.buildings, found.counts.storeys), (1, 5));
    assert!(found.plan.buildings[0].roofs.len() >= 2);
    let floating = rectangle(1, 0.0, 0.0, 30.0, 12.0, "building=school min_height=4 height=11");
    let found = made(&floating, true);
    let ground = &found.plan.buildings[0].storeys[0];
    assert!(ground.openings.iter().all(|o| o.kind == OpeningKind::Gap), "posts");
}

#[test]
fn roofs_on_posts_and_cellars() {
    let roof = made(&rectangle(1, 0.0, 0.0, 10.0, 6.0, "building=roof height=3.5"), true);
    assert!(roof.plan.buildings[0].storeys[0].openings.iter().all(|o| o.kind == OpeningKind::Gap));
    let cellar = made(&rectangle(1, 0.0, 0.0, 30.0, 20.0, "building=parking location=underground"), true);
    let storey = &cellar.plan.buildings[0].storeys[0];
    assert!(storey.level < 0 && storey.floor_mm < 0);
    let deep = rectangle(1, 0.0, 0.0, 30.0, 20.0, "building=parking location=underground building:levels=3");
    let levels: Vec<(i32, i32)> =
        made(&deep, true).plan.buildings[0].storeys.iter().map(|s| (s.level, s.floor_mm)).collect();
    assert_eq!(levels, [(-3, -10_800), (-2, -7200), (-1, -3600)]);
}

#[test]
fn names_come_in_both_languages() {
    for (tags, zh, en) in [
        ("name=实验楼 name:en=Laboratory", "实验楼", "Laboratory"),
        ("name=Library name:zh=图书馆", "图书馆", "Library"),
        ("name=图书馆", "图书馆", "图书馆"),
        ("name=Gym", "Gym", "Gym"),
    ] {
        let found = made(
            &rectangle(1, 0.0, 0.0, 20.0, 10.0, &format!("building=yes building:levels=1 {tags}")),
            false,
        );
        let text = &found.campus_toml;
        assert!(text.contains(&format!("zh-CN = \"{zh}\"\nen = \"{en}\"")), "{tags}\n{text}");
    }
    // Words of templates and quotes in a name harm nothing.
    let odd = rectangle(1, 0.0, 0.0, 20.0, 10.0, "building=yes building:levels=1 name={id}\"~\\x");
    assert!(made(&odd, false).campus_toml.contains("(id)"));
}

#[test]
fn the_outdoors_become_what_they_are() {
    let body = rectangle(1, -100.0, -100.0, 300.0, 300.0, "amenity=school name=Hill~School")
        + &rectangle(2, 0.0, 0.0, 40.0, 20.0, "building=school building:levels=1")
        + &rectangle(3, 50.0, 0.0, 30.0, 20.0, "leisure=pitch sport=basketball")
        + &rectangle(4, 0.0, 40.0, 30.0, 20.0, "natural=water water=pond")
        + &rectangle(5, 40.0, 40.0, 30.0, 20.0, "landuse=grass")
        + &rectangle(6, 90.0, 0.0, 30.0, 20.0, "amenity=parking")
        + &node(9001, -50.0, -50.0, "")
        + &node(9002, 50.0, -50.0, "")
        + &node(9003, 0.0, -50.0, "barrier=gate")
        + &node(9004, -20.0, -20.0, "natural=tree height=12~m species=Ginkgo~biloba")
        + &node(9005, -30.0, -30.0, "amenity=bench")
        + &way(10, &[9001, 9003, 9002], "barrier=fence height=1.5")
        + &way(11, &[9001, 9004], "natural=tree_row")
        + &way(12, &[9004, 9002], "highway=footway")
        + &way(13, &[9001, 9005], "barrier=hedge")
        + &way(14, &[9002, 9005], "waterway=stream")
        + &node(9006, 20.0, 0.0, "entrance=main");
    let found = made(&body, true);
    let c = &found.counts;
    assert_eq!((c.fences, c.gates, c.roads, c.objects, c.greens), (2, 1, 1, 1, 1), "{c:?}");
    assert!(c.trees > 4 && c.waters >= 2 && c.grounds >= 3, "{c:?}");
    assert_eq!(found.names.en, "Hill School");
    let [x, y] = found.plan.site.boundary[0];
    assert!(x.abs() > 100_000 || y.abs() > 100_000, "the boundary is the school's: {x} {y}");
    let exits: Vec<_> = found.plan.buildings[0].storeys[0].openings.iter().filter(|o| o.exit).collect();
    assert_eq!((exits.len(), exits[0].width_mm), (1, 2400), "the mapped entrance");
}

#[test]
fn broken_maps_are_survived_and_reported() {
    let good = rectangle(1, 0.0, 0.0, 40.0, 16.0, "building=school building:levels=1");
    for (code, body, buildings) in [
        ("missing-node", way(2, &[100, 101, 999_999, 102, 103, 100], "building=yes"), 2),
        ("unclosed-ring", way(2, &[100, 101, 102, 103], "building=yes"), 2),
        ("self-intersection", ring(2, &[(60.0, 0.0), (80.0, 20.0), (80.0, 0.0), (60.0, 20.0)], "building=yes"), 2),
        ("no-area", way(2, &[100, 101, 100], "building=yes"), 1),
        ("no-geometry", "<way id=\"2\"><center lat=\"0\" lon=\"10\"/><tag k=\"building\" v=\"yes\"/></way>".to_owned(), 1),
        ("duplicate-id", rectangle(1, 90.0, 0.0, 10.0, 10.0, "building=yes"), 1),
        ("bad-position", "<node id=\"7\" lat=\"95\" lon=\"10\"/><node id=\"8\" lat=\"x\" lon=\"10\"/>".to_owned(), 1),
        ("bad-id", "<node id=\"seven\" lat=\"0\" lon=\"10\"/>".to_owned(), 1),
        ("deleted", "<way id=\"2\" action=\"delete\"><nd ref=\"100\"/><tag k=\"building\" v=\"yes\"/></way>".to_owned(), 1),
        (
            "missing-member",
            "<relation id=\"2\"><member type=\"way\" ref=\"1\" role=\"outer\"/><member type=\"way\" ref=\"77\" role=\"inner\"/>\
             <tag k=\"type\" v=\"multipolygon\"/><tag k=\"landuse\" v=\"grass\"/></relation>"
                .to_owned(),
            1,
        ),
        ("incomplete", "<remark>runtime error: Query timed out</remark>".to_owned(), 1),
    ] {
        let found = made(&(good.clone() + &body), true);
        assert!(found.findings.counts.contains_key(code), "{code}: {:?}", codes(&found));
        assert_eq!(found.counts.buildings, buildings, "{code}");
        let example = found.findings.examples.iter().find(|f| f.code == code).unwrap();
        assert!(!example.what.is_empty() && !example.done.is_empty());
        assert!(example.osm.is_none() || example.line.is_some(), "{example:?}");
    }
}

#[test]
fn of_one_code_ten_examples_are_kept() {
    let many: String = (1..=25)
        .map(|i| rectangle(i, 30.0 * i as f64, 0.0, 20.0, 10.0, "building=yes height=abc building:levels=1"))
        .collect();
    let found = made(&many, false);
    assert_eq!(found.findings.counts["bad-value"], 25);
    assert_eq!(found.findings.examples.iter().filter(|f| f.code == "bad-value").count(), 10);
}

#[test]
fn every_way_of_writing_a_file_is_read() {
    let body = rectangle(1, 0.0, 0.0, 40.0, 16.0, "building=school building:levels=2");
    let text = osm(&body);
    let reference = made(&body, true).counts;
    let crlf = text.replace('\n', "\r\n");
    let bom = format!("\u{feff}{text}");
    // Ways before nodes, as Overpass may sort; negative ids, as JOSM gives to what is new.
    let (nodes, ways) = body.split_at(body.find("<way").unwrap());
    let turned = osm(&format!("{ways}{nodes}"));
    let negative = text.replace("id=\"", "id=\"-").replace("ref=\"", "ref=\"-");
    for (name, text) in [("CRLF", crlf), ("BOM", bom), ("ways first", turned), ("negative", negative)] {
        let found = import(text.as_bytes(), &Options { rooms: true, ..Options::default() }).unwrap();
        sound(&found);
        assert_eq!(found.counts, reference, "{name}");
    }
    // `out geom`: positions within the way, no nodes.
    let corner = |x: f64, y: f64| {
        format!("<nd ref=\"{}\" lat=\"{}\" lon=\"{}\"/>", 5 + (x + y) as i64, y * M, 10.0 + x * M)
    };
    let inline = format!(
        "<way id=\"1\">{}{}{}{}{}<tag k=\"building\" v=\"school\"/><tag k=\"building:levels\" v=\"2\"/></way>",
        corner(0.0, 0.0),
        corner(40.0, 0.0),
        corner(40.0, 16.0),
        corner(0.0, 16.0),
        corner(0.0, 0.0)
    );
    assert_eq!(made(&inline, true).counts, reference);
    let member =
        inline.replace("<way id=\"1\">", "<relation id=\"4\"><member type=\"way\" ref=\"9\" role=\"outer\">");
    let member = member
        .replacen("<tag", "</member><tag k=\"type\" v=\"multipolygon\"/><tag", 1)
        .replace("</way>", "</relation>");
    let found = made(&member, true);
    assert_eq!(found.counts, reference);
}

#[test]
fn places_all_over_the_earth() {
    for (lat, lon, zone) in [
        (-33.9, 151.2, "Australia/Sydney"),
        (69.6, 18.9, "Europe/Stockholm"),
        (-16.8, 179.9999, "Pacific/Fiji"),
        (31.2, 121.4, "Asia/Shanghai"),
    ] {
        let size = 0.0004;
        let turn = |x: f64| if x > 180.0 { x - 360.0 } else { x };
        let at = |i: i64, y: f64, x: f64| format!("<node id=\"{i}\" lat=\"{y}\" lon=\"{}\"/>", turn(x));
        let body = at(1, lat, lon)
            + &at(2, lat, lon + size)
            + &at(3, lat + size / 2.0, lon + size)
            + &at(4, lat + size / 2.0, lon)
            + &way(1, &[1, 2, 3, 4, 1], "building=school building:levels=2");
        let found = made(&body, true);
        assert_eq!(found.timezone, zone, "{lat} {lon}");
        assert!((found.plan.site.latitude_deg - lat).abs() < 0.01);
        assert_eq!(found.counts.buildings, 1);
    }
}

#[test]
fn a_map_without_buildings_is_a_campus_of_ground() {
    let found = made(&rectangle(1, 0.0, 0.0, 100.0, 60.0, "amenity=school name=Meadow"), true);
    assert_eq!((found.counts.buildings, found.names.en.as_str()), (0, "Meadow"));
}

#[test]
fn what_is_no_extract_says_so() {
    let huge_entities =
        "<?xml version=\"1.0\"?><!DOCTYPE osm [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><osm>&b;</osm>";
    let pbf = b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x7c\x10".as_slice();
    for (name, bytes, line, word) in [
        ("empty", b"".as_slice(), None, "empty"),
        ("blank", b" \n\n".as_slice(), None, "empty"),
        ("PBF", pbf, None, "PBF"),
        ("gzip", b"\x1f\x8b\x08\x00".as_slice(), None, "compressed"),
        ("JSON", b"{\"version\": 0.6}".as_slice(), None, "JSON"),
        ("HTML", b"<html><body>busy</body></html>".as_slice(), Some(1), "<html>"),
        ("text", b"hello".as_slice(), Some(1), "text"),
        ("changes", b"<osmChange version=\"0.6\"></osmChange>".as_slice(), Some(1), "changes"),
        ("cut short", b"<osm>\n<node id=\"1\" lat=\"1\" lon=\"1\">\n".as_slice(), Some(3), "ends before"),
        (
            "crossed",
            b"<osm>\n<node id=\"1\" lat=\"1\" lon=\"1\">\n</way>\n</osm>".as_slice(),
            Some(3),
            "can't be read",
        ),
        ("billion laughs", huge_entities.as_bytes(), Some(1), "document type"),
        (
            "unknown entity",
            b"<osm>\n<node id=\"1\" lat=\"&x;\" lon=\"1\"/></osm>".as_slice(),
            Some(2),
            "attribute",
        ),
        (
            "Latin-1",
            b"<osm>\n<node id=\"1\" lat=\"1\" lon=\"1\"><tag k=\"name\" v=\"\xe9\"/></node></osm>".as_slice(),
            Some(2),
            "UTF-8",
        ),
        ("no nodes", b"<osm version=\"0.6\"></osm>".as_slice(), None, "no node"),
    ] {
        let error: OsmError = import(bytes, &Options::default()).map(|_| ()).unwrap_err();
        assert_eq!(error.line, line, "{name}: {error}");
        assert!(error.what.contains(word), "{name}: {error}");
        assert!(!error.mend.is_empty(), "{name}");
    }
}

#[test]
fn a_college_campus() {
    let Some(bytes) = real("montgomery_college_rockville.osm") else { return };
    for rooms in [false, true] {
        let found = import(&bytes, &Options { rooms, ..Options::default() }).unwrap();
        sound(&found);
        assert_eq!(
            (found.names.en.as_str(), found.timezone.as_str()),
            ("Montgomery College", "America/New_York")
        );
        assert!(found.counts.buildings >= 70, "{:?}", found.counts);
        assert!(!rooms || found.counts.spaces > 1500, "{:?}", found.counts);
    }
}

#[test]
fn a_middle_school_mapped_as_one_building() {
    let Some(bytes) = real("ninghua_no1_middle_school.osm") else { return };
    let found = import(&bytes, &Options { rooms: true, ..Options::default() }).unwrap();
    sound(&found);
    assert!(found.names.zh.starts_with("宁化"), "{:?}", found.names);
    assert_eq!(found.timezone, "Asia/Shanghai");
    // One school is mapped as a building around its own pitches: that is its grounds.
    assert_eq!((found.findings.counts["grounds"], found.counts.buildings), (1, 4));
    assert!(found.counts.waters > 0 && found.counts.roads > 20);
}
