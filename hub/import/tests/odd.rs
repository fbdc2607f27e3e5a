//! Odd and hostile maps: each is survived, what is wrong with it is named, and what comes out is sound.

#![allow(clippy::unwrap_used)]

mod common;

use campanile_import::osm::{Options, import};
use campanile_model::PointMm;
use common::*;

/// A square school of three storeys, to which oddities are added.
fn school() -> String {
    rectangle(1, 0.0, 0.0, 40.0, 16.0, "building=school building:levels=2")
}

/// `type role way` members and tags.
fn relation(id: i64, members: &[(&str, &str, i64)], tags: &str) -> String {
    let members: String = members
        .iter()
        .map(|(kind, role, id)| format!("<member type=\"{kind}\" ref=\"{id}\" role=\"{role}\"/>"))
        .collect();
    format!("<relation id=\"{id}\">{members}{}</relation>\n", tags_xml(tags))
}

const LEVELS: &str = "building=yes building:levels=2";

/// What it is, the map, the codes that name its oddity, and how many buildings come out.
fn oddities() -> Vec<(&'static str, String, &'static [&'static str], usize)> {
    let multipolygon = "type=multipolygon building=school building:levels=2";
    let circle = |n: usize, r: f64, x: f64| -> Vec<(f64, f64)> {
        let angles = (0..n).map(|i| i as f64 / n as f64 * std::f64::consts::TAU);
        angles.map(|a| (x + r * a.cos(), r * a.sin())).collect()
    };
    vec![
        ("no campus, one building", school(), &[], 1),
        (
            "only relations",
            rectangle(2, 0.0, 0.0, 50.0, 40.0, "")
                + &rectangle(3, 15.0, 12.0, 20.0, 14.0, "")
                + &relation(9, &[("way", "outer", 2), ("way", "inner", 3)], multipolygon),
            &[],
            1,
        ),
        (
            "a campus that is a relation of two areas",
            school()
                + &rectangle(2, -20.0, -20.0, 90.0, 60.0, "")
                + &rectangle(3, 200.0, 0.0, 50.0, 50.0, "")
                + &rectangle(4, 210.0, 10.0, 20.0, 20.0, LEVELS)
                + &relation(
                    9,
                    &[("way", "outer", 2), ("way", "outer", 3)],
                    "type=multipolygon amenity=school name=Two",
                ),
            &["outside-campus"],
            2,
        ),
        (
            "a relation that holds itself and others",
            school() + &relation(9, &[("relation", "outer", 9), ("way", "outer", 1)], multipolygon),
            &[],
            1,
        ),
        ("a relation of nothing", school() + &relation(9, &[], multipolygon), &["no-area"], 1),
        (
            "a hole that touches the outline",
            rectangle(2, 0.0, 0.0, 60.0, 50.0, "")
                + &rectangle(3, 0.0, 15.0, 30.0, 20.0, "")
                + &relation(9, &[("way", "outer", 2), ("way", "inner", 3)], multipolygon),
            &[],
            1,
        ),
        (
            "a hole that touches the outline in a corner",
            rectangle(2, 0.0, 0.0, 60.0, 50.0, "")
                + &ring(3, &[(0.0, 25.0), (20.0, 15.0), (20.0, 35.0)], "")
                + &relation(9, &[("way", "outer", 2), ("way", "inner", 3)], multipolygon),
            &[],
            1,
        ),
        (
            "two holes that meet in a corner",
            rectangle(2, 0.0, 0.0, 80.0, 70.0, "")
                + &rectangle(3, 15.0, 15.0, 20.0, 20.0, "")
                + &rectangle(4, 35.0, 35.0, 20.0, 20.0, "")
                + &relation(
                    9,
                    &[("way", "outer", 2), ("way", "inner", 3), ("way", "inner", 4)],
                    multipolygon,
                ),
            &[],
            1,
        ),
        (
            "a hole as large as its outline",
            school()
                + &rectangle(2, 60.0, 0.0, 30.0, 30.0, "")
                + &rectangle(3, 60.0, 0.0, 30.0, 30.0, "")
                + &relation(9, &[("way", "outer", 2), ("way", "inner", 3)], multipolygon),
            &[],
            1,
        ),
        (
            "a bow tie",
            school() + &ring(2, &[(60.0, 0.0), (90.0, 30.0), (90.0, 0.0), (60.0, 30.0)], LEVELS),
            &["self-intersection"],
            2,
        ),
        (
            "a ring that touches itself in a corner",
            school()
                + &ring(
                    2,
                    &[
                        (60.0, 0.0),
                        (80.0, 0.0),
                        (80.0, 20.0),
                        (100.0, 20.0),
                        (100.0, 40.0),
                        (80.0, 40.0),
                        (80.0, 20.0),
                        (60.0, 20.0),
                    ],
                    LEVELS,
                ),
            &["self-intersection"],
            2,
        ),
        (
            "a pentagram",
            school()
                + &ring(2, &(0..5).map(|i| circle(5, 30.0, 120.0)[i * 2 % 5]).collect::<Vec<_>>(), LEVELS),
            &["self-intersection"],
            2,
        ),
        (
            "a building:part without a building",
            rectangle(2, 0.0, 0.0, 30.0, 14.0, "building:part=yes building:levels=3"),
            &[],
            1,
        ),
        (
            "parts that leave a gap below",
            rectangle(2, 0.0, 0.0, 40.0, 20.0, LEVELS)
                + &rectangle(
                    3,
                    0.0,
                    0.0,
                    20.0,
                    20.0,
                    "building:part=yes building:levels=6 building:min_level=4",
                ),
            &[],
            1,
        ),
        (
            "a part that is turned and far larger than its building",
            rectangle(2, 0.0, 0.0, 20.0, 20.0, LEVELS)
                + &ring(
                    3,
                    &[(-30.0, 10.0), (10.0, -30.0), (50.0, 10.0), (10.0, 50.0)],
                    "building:part=yes building:levels=4",
                ),
            &[],
            1,
        ),
        ("a sliver", school() + &rectangle(2, 0.0, 30.0, 40.0, 0.02, "building=yes"), &["no-area"], 1),
        (
            "a thin wall of a building",
            school() + &rectangle(2, 0.0, 30.0, 40.0, 0.3, "building=yes"),
            &["no-building"],
            1,
        ),
        ("a stamp", school() + &rectangle(2, 0.0, 30.0, 0.2, 0.2, "building=yes"), &[], 1),
        ("a triangle", school() + &ring(2, &[(60.0, 0.0), (90.0, 0.0), (70.0, 25.0)], LEVELS), &[], 2),
        ("a needle", school() + &ring(2, &[(60.0, 0.0), (160.0, 1.0), (60.0, 2.0)], LEVELS), &[], 2),
        ("out and back", school() + &way(2, &[100, 101, 100], "building=yes"), &["no-area"], 1),
        ("one node, four times", school() + &way(2, &[100, 100, 100, 100], "building=yes"), &["no-area"], 1),
        (
            "every node twice",
            school()
                + &node(900, 60.0, 0.0, "")
                + &node(901, 90.0, 0.0, "")
                + &node(902, 90.0, 20.0, "")
                + &node(903, 60.0, 20.0, "")
                + &way(2, &[900, 900, 901, 901, 902, 902, 903, 903, 900, 900], LEVELS),
            &[],
            2,
        ),
        (
            "two nodes at each place",
            school()
                + &ring(
                    2,
                    &[(60.0, 0.0), (60.0, 0.0), (90.0, 0.0), (90.0, 0.0), (90.0, 20.0), (60.0, 20.0)],
                    LEVELS,
                ),
            &[],
            2,
        ),
        ("the same building twice", school() + &rectangle(2, 0.0, 0.0, 40.0, 16.0, LEVELS), &["overlap"], 2),
        ("buildings that overlap", school() + &rectangle(2, 30.0, 8.0, 40.0, 16.0, LEVELS), &["overlap"], 2),
        (
            "missing nodes",
            school() + &way(2, &[100, 7, 101, 8, 102, 9, 100], LEVELS),
            &["missing-node", "overlap"],
            2,
        ),
        ("all nodes missing", school() + &way(2, &[71, 72, 73, 71], LEVELS), &["missing-node", "no-area"], 1),
        (
            "levels and heights in words",
            school()
                + &rectangle(2, 60.0, 0.0, 30.0, 12.0, "building=school building:levels=2;3 height=12~m")
                + &rectangle(3, 60.0, 30.0, 30.0, 12.0, "building=school building:levels=two height=40'")
                + &rectangle(4, 60.0, 60.0, 30.0, 12.0, "building=school building:levels=1.5 height=about~9")
                + &rectangle(5, 60.0, 90.0, 30.0, 12.0, "building=school building:levels=0 height=-3")
                + &rectangle(6, 60.0, 120.0, 30.0, 12.0, "building=school building:levels=1e9 height=1e308"),
            &["bad-value"],
            6,
        ),
        (
            "a skyscraper and a well",
            rectangle(
                2,
                0.0,
                0.0,
                40.0,
                40.0,
                "building=yes building:levels=160 building:levels:underground=10",
            ) + &rectangle(3, 60.0, 0.0, 3.0, 3.0, "building=yes building:levels=60"),
            &[],
            2,
        ),
        ("a circle of 500 corners", ring(2, &circle(500, 30.0, 0.0), LEVELS), &[], 1),
        (
            "a ring drawn clockwise",
            ring(2, &[(0.0, 0.0), (0.0, 20.0), (40.0, 20.0), (40.0, 0.0)], LEVELS),
            &[],
            1,
        ),
        (
            "names of every kind",
            school()
                + &rectangle(2, 60.0, 0.0, 30.0, 12.0, &format!("{LEVELS} name={}", "长".repeat(300)))
                + &rectangle(
                    3,
                    60.0,
                    30.0,
                    30.0,
                    12.0,
                    &format!("{LEVELS} name=&lt;b&gt;&amp;{{n}}[[name]]"),
                )
                + &rectangle(4, 60.0, 60.0, 30.0, 12.0, &format!("{LEVELS} name=site"))
                + &rectangle(5, 60.0, 90.0, 30.0, 12.0, &format!("{LEVELS} name=net"))
                + &rectangle(6, 60.0, 120.0, 30.0, 12.0, &format!("{LEVELS} name=x~w7"))
                + &rectangle(7, 60.0, 150.0, 30.0, 12.0, &format!("{LEVELS} name=X"))
                + &rectangle(8, 60.0, 180.0, 30.0, 12.0, &format!("{LEVELS} name=x"))
                + &rectangle(9, 60.0, 210.0, 30.0, 12.0, &format!("{LEVELS} name=🏫 ref=🏫")),
            &[],
            9,
        ),
        (
            "a building that reaches over the school's edge, and trees beyond it",
            rectangle(2, 0.0, 0.0, 100.0, 80.0, "amenity=school name=Edge")
                + &rectangle(3, 80.0, 10.0, 40.0, 20.0, LEVELS)
                + &node(900, 10.0, 40.0, "natural=tree")
                + &node(901, 110.0, 40.0, "natural=tree"),
            &["outside-campus"],
            1,
        ),
        (
            "a school whose area crosses itself",
            ring(2, &[(0.0, 0.0), (80.0, 60.0), (80.0, 0.0), (0.0, 60.0)], "amenity=school name=Twist")
                + &rectangle(3, 60.0, 20.0, 15.0, 15.0, LEVELS),
            &["self-intersection"],
            1,
        ),
        (
            "outdoors of no size",
            school()
                + &way(2, &[100, 100], "highway=service")
                + &way(3, &[100], "barrier=fence")
                + &way(4, &[100, 101, 100], "natural=water")
                + &way(5, &[], "landuse=grass")
                + &way(6, &[100, 101, 100, 101], "barrier=hedge"),
            &["no-area", "no-geometry"],
            1,
        ),
    ]
}

/// Its rooms took minutes.
#[test]
fn a_building_with_a_corner_eleven_kilometres_away_is_not_divided() {
    let corners = [(0.0, 0.0), (40.0, -11_000.0), (40.0, 30.0), (0.0, 30.0)];
    for (body, why) in
        [(ring(1, &corners, LEVELS), "m long"), (rectangle(1, 0.0, 0.0, 900.0, 900.0, LEVELS), "m² of floor")]
    {
        let found = made(&body, true);
        let said = format!("{:?}", found.findings);
        assert!(found.findings.counts.contains_key("not-divided") && said.contains(why), "{said}");
        assert_eq!(found.counts.buildings, 1);
    }
}

#[test]
fn every_oddity_is_survived_and_named() {
    for (name, body, expected, buildings) in oddities() {
        for rooms in [true, false] {
            println!("{name}, rooms: {rooms}");
            let found = made(&body, rooms);
            for code in expected {
                assert!(found.findings.counts.contains_key(code), "{name}: no {code} in {:?}", codes(&found));
            }
            assert_eq!(found.counts.buildings, buildings, "{name}: {:?}", found.findings);
        }
    }
}

#[test]
fn the_school_alone_can_be_taken() {
    let body = rectangle(2, 0.0, 0.0, 100.0, 80.0, "amenity=school name=Alone")
        + &rectangle(3, 10.0, 10.0, 40.0, 20.0, LEVELS)
        // Half over the edge, but more within; a neighbour; one that only touches.
        + &rectangle(4, 80.0, 10.0, 30.0, 20.0, LEVELS)
        + &rectangle(5, 150.0, 10.0, 30.0, 20.0, LEVELS)
        + &rectangle(6, 100.0, 40.0, 30.0, 20.0, LEVELS)
        + &node(900, 10.0, 60.0, "natural=tree")
        + &node(901, 140.0, 60.0, "natural=tree");
    let taken = |only_campus: bool| {
        let options = Options { rooms: true, only_campus, ..Options::default() };
        let found = import(osm(&body).as_bytes(), &options).unwrap();
        sound(&found);
        (found.counts.buildings, found.counts.trees, found.findings.counts.contains_key("outside-campus"))
    };
    assert_eq!(taken(false), (4, 2, true));
    assert_eq!(taken(true), (2, 1, false));
    // Where no school is mapped nothing is left out, and that is said.
    let options = Options { only_campus: true, ..Options::default() };
    let found = import(osm(&school()).as_bytes(), &options).unwrap();
    assert_eq!((found.counts.buildings, codes(&found)), (1, vec![("no-campus", 1)]));
}

#[test]
fn the_boundary_is_the_schools_where_all_stands_in_it() {
    let area = rectangle(2, 0.0, 0.0, 100.0, 80.0, "amenity=school name=Hill");
    let size = |ring: &[PointMm]| {
        let span =
            |k: usize| ring.iter().map(|p| p[k]).max().unwrap() - ring.iter().map(|p| p[k]).min().unwrap();
        [span(0), span(1)].map(|mm| (f64::from(mm) / 1e3).round() as i32)
    };
    for (name, building, corners, expected) in [
        ("within", rectangle(3, 10.0, 10.0, 40.0, 20.0, LEVELS), 4, [100, 80]),
        ("over the edge", rectangle(3, 80.0, 10.0, 40.0, 20.0, LEVELS), 8, [120, 80]),
        ("outside", rectangle(3, 180.0, 10.0, 40.0, 20.0, LEVELS), 4, [260, 120]),
    ] {
        let boundary = made(&(area.clone() + &building), true).plan.site.boundary;
        // A degree of latitude is a little shorter than the snippets' metres.
        let off = [0, 1].map(|k| (size(&boundary)[k] - expected[k]).abs());
        assert!(boundary.len() == corners && off.iter().all(|mm| *mm <= 1), "{name}: {boundary:?}");
    }
}

/// A building of 40 by 16 m with its south-west corner at a place, as nodes of degrees.
fn at(lat: f64, lon: f64) -> String {
    let (north, east) = (16.0 * M, 40.0 * M / lat.to_radians().cos().abs().max(0.01));
    let turned = |lon: f64| (lon + 180.0).rem_euclid(360.0) - 180.0;
    let corners = [(0.0, 0.0), (0.0, east), (north, east), (north, 0.0)];
    let nodes: String = corners
        .iter()
        .enumerate()
        .map(|(i, (n, e))| {
            format!("<node id=\"{}\" lat=\"{}\" lon=\"{}\"/>", i + 1, lat + n, turned(lon + e))
        })
        .collect();
    nodes + &way(1, &[1, 2, 3, 4, 1], "building=school building:levels=2")
}

#[test]
fn the_ends_of_the_earth_have_the_same_building() {
    for (place, lat, lon) in [
        ("the equator at Greenwich", 0.0, 0.0),
        ("across the 180th meridian", -16.8, 179.9998),
        ("the southern hemisphere", -54.8, -68.3),
        ("Svalbard", 78.22, 15.65),
        ("beside the pole", 89.0, 0.0),
        ("Antarctica", -77.85, 166.67),
    ] {
        let found = made(&at(lat, lon), true);
        assert_eq!(found.counts.buildings, 1, "{place}");
        let vertices = &found.plan.buildings[0].vertices;
        let width =
            vertices.iter().map(|v| v[0]).max().unwrap() - vertices.iter().map(|v| v[0]).min().unwrap();
        assert!((width - 40_000).abs() < 300, "{place}: {width} mm");
        let inside = found.plan.site.boundary.iter().any(|p| p[0].abs() > 20_000);
        assert!(inside, "{place}: {:?}", found.plan.site.boundary);
    }
    // Far from one another, one of the two is near the middle of nothing; neither breaks anything.
    let far = at(10.0, 20.0) + &at(-40.0, 170.0).replace("id=\"", "id=\"9").replace("ref=\"", "ref=\"9");
    made(&far, true);
}

#[test]
fn files_with_the_wrong_name_are_told_what_is_accepted() {
    let gz = b"\x1f\x8b\x08\x00\x00\x00\x00\x00".as_slice();
    for (name, bytes, is, mend) in [
        ("empty", b"".as_slice(), "empty", "OSM XML"),
        ("Overpass JSON", b"{\"version\":0.6,\"elements\":[]}".as_slice(), "JSON", "[out:xml]"),
        ("GeoJSON", b"{\"type\":\"FeatureCollection\",\"features\":[]}".as_slice(), "GeoJSON", "OSM XML"),
        ("PBF", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x7c".as_slice(), "PBF", "osmium cat"),
        ("o5m", b"\xff\xe0\x04o5m2".as_slice(), "o5m", "osmium cat"),
        ("gzip", gz, "compressed", "Unpack"),
        ("xz", b"\xfd7zXZ\x00".as_slice(), "compressed", "Unpack"),
        ("zstd", b"\x28\xb5\x2f\xfd".as_slice(), "compressed", "Unpack"),
        ("7z", b"7z\xbc\xaf\x27\x1c".as_slice(), "compressed", "Unpack"),
        ("GeoPackage", b"SQLite format 3\x00".as_slice(), "SQLite", "OSM XML"),
        ("picture", b"\x89PNG\r\n\x1a\n".as_slice(), "PNG", "OSM XML"),
        ("KML", b"<?xml version=\"1.0\"?><kml></kml>".as_slice(), "<kml>", "OSM XML"),
        ("GPX", b"<gpx></gpx>".as_slice(), "<gpx>", "OSM XML"),
        ("zeros", b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00".as_slice(), "", "OSM XML"),
    ] {
        let error = import(bytes, &Options::default()).map(|_| ()).unwrap_err();
        assert!(error.what.contains(is), "{name}: {error}");
        assert!(error.mend.contains(mend), "{name}: {}", error.mend);
    }
}

#[test]
fn buildings_without_a_name_are_called_by_use_and_number() {
    let plain = |id: i64, tags: &str| rectangle(id, 60.0 * id as f64, 0.0, 30.0, 12.0, tags);
    let body = [
        (1, "building=school"),
        (2, "building=school ref=1"),
        (3, "building=school"),
        (4, "building=yes addr:housenumber=7"),
        (5, "building=dormitory ref=B"),
        (6, "building=greenhouse"),
        (7, "building=yes"),
        (8, "building=house addr:housenumber=12 addr:street=Clemson~Court"),
        (9, "building=house addr:housenumber=12号 addr:street=中山路"),
        (10, "building=college addr:housenumber=51 addr:street=Mannakee~Street"),
        (11, "building=college addr:housenumber=51 addr:street=Mannakee~Street"),
        (12, "building=yes amenity=library"),
        (13, "building=yes name:en=Old~Hall"),
        (14, "building=yes name=求是楼"),
        (15, "building=yes name=Школа name:en=School"),
        (16, "building=yes ref=教一"),
        (17, "building=yes"),
    ]
    .map(|(id, tags)| plain(id, &format!("{tags} building:levels=1")))
    .concat();
    let text = made(&body, false).campus_toml;
    for (id, zh, en) in [
        ("building-w1", "2号教学楼", "Teaching building 2"),
        ("building-w2", "1号教学楼", "Teaching building 1"),
        ("building-w3", "3号教学楼", "Teaching building 3"),
        ("building-w4", "7号楼", "Building 7"),
        ("b", "B号宿舍楼", "Dormitory B"),
        ("building-w6", "温室", "Greenhouse"),
        ("building-w7", "1号楼", "Building 1"),
        ("building-w8", "Clemson Court 12号", "12 Clemson Court"),
        ("building-w9", "中山路12号", "中山路12号"),
        ("building-w10", "4号教学楼", "Teaching building 4"),
        ("building-w11", "5号教学楼", "Teaching building 5"),
        ("building-w12", "图书馆", "Library"),
        ("old-hall", "Old Hall", "Old Hall"),
        ("building-w14", "求是楼", "求是楼"),
        ("school", "School", "School"),
        ("building-w16", "教一", "教一"),
        ("building-w17", "2号楼", "Building 2"),
    ] {
        let rule = format!("at = \"{id}\"\nzh-CN = \"{zh}\"\nen = \"{en}\"\n");
        assert!(text.contains(&rule), "{id}: no\n{rule}in\n{text}");
    }
}
