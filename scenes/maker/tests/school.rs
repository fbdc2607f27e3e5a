//! The demo school: what was committed is what the description makes, and it is a whole school.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use campanile_formats::geotiff;
use campanile_maker::{Files, make, read};
use campanile_model::{
    Campus, EntityKind, NetworkKind, OpeningKind, Plan, PointKind, PointMm, SpaceUse, Storey,
};

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../shanghai-school")
}

fn made() -> Files {
    let (school, systems) = read(&folder().join("school.toml")).unwrap();
    make(&school, &systems).unwrap()
}

fn plan() -> Plan {
    serde_json::from_str(&made().plan_json).unwrap()
}

fn campus() -> Campus {
    let loaded = campanile_model::load(&folder());
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    loaded.campus.unwrap()
}

#[test]
fn the_committed_files_are_made_from_the_description() {
    let made = made();
    let read = |name: &str| std::fs::read(folder().join(name)).unwrap();
    let remake = "make it again: campanile-maker campus scenes/shanghai-school/school.toml --out scenes/shanghai-school";
    assert!(read("plan.json") == made.plan_json.as_bytes(), "plan.json differs; {remake}");
    assert!(read("campus.toml") == made.campus_toml.as_bytes(), "campus.toml differs; {remake}");
    assert!(read("terrain.tif") == made.terrain_tif, "terrain.tif differs; {remake}");
    assert!(made.plan_json.len() < 3_000_000, "plan.json is {} bytes", made.plan_json.len());
}

#[test]
fn the_campus_loads_and_is_as_large_as_a_school() {
    let campus = campus();
    let count = |kind: EntityKind| campus.entities.iter().filter(|e| e.kind == kind).count();
    let rooms = rooms_with_door_and_window(&campus.plan);
    println!(
        "{} spaces, {rooms} rooms with door and window, {} entities, {} points",
        count(EntityKind::Space),
        campus.entities.len(),
        campus.points.len()
    );
    assert!(rooms >= 250, "{rooms} rooms");
    assert!(campus.points.len() >= 2500, "{} points", campus.points.len());
    assert!(count(EntityKind::Tree) >= 150);
    let classrooms = |n: &&campanile_model::Space| n.use_ == SpaceUse::Classroom;
    let spaces = || campus.plan.buildings.iter().flat_map(|b| &b.storeys).flat_map(|s| &s.spaces);
    assert_eq!(spaces().filter(classrooms).count(), 45);
    let pupils: u32 = spaces().filter(classrooms).filter_map(|s| s.occupancy).sum();
    assert!((1800..=2000).contains(&pupils), "{pupils} pupils");
    let beds: u32 = spaces().filter(|s| s.use_ == SpaceUse::Dormitory).filter_map(|s| s.occupancy).sum();
    assert!((300..=400).contains(&beds), "{beds} beds");
}

#[test]
fn points_of_every_kind_are_there_and_usable() {
    let campus = campus();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for point in &campus.points {
        *kinds.entry(&point.quantity).or_default() += 1;
        assert!(point.binding.is_some(), "{} is bound to nothing", point.path);
        assert!(point.period_s > 0.0);
        let commandable = matches!(point.kind, PointKind::Setpoint | PointKind::Command);
        assert_eq!(point.command.is_some(), commandable, "{}", point.path);
        if commandable {
            assert!(point.binding.as_ref().unwrap().command.is_some(), "{} can't be sent", point.path);
        }
    }
    println!("{kinds:#?}");
    for kind in [
        "temperature",
        "co2",
        "presence",
        "window-open",
        "ac-setpoint",
        "ac-mode",
        "lift-floor",
        "pump-on",
        "energy",
        "water-volume",
        "gas-volume",
        "heat-pump-on",
        "fridge-temperature",
        "freezer-temperature",
        "smoke-alarm",
        "heat-alarm",
        "call-alarm",
        "fire-door-closed",
        "barrier-up",
        "circuit-limit",
        "lights-on",
        "soil-moisture",
        "river-level",
        "rain",
        "wind-speed",
        "pv-power",
        "water-level",
        "weight",
    ] {
        assert!(kinds.contains_key(kind), "no point of the kind '{kind}'");
    }
    let codes: BTreeSet<&str> = campus.points.iter().filter_map(|p| p.submeter.as_deref()).collect();
    for code in
        ["01A1", "01A2", "01A3", "01B1", "01B2", "01C1", "01C2", "01C3", "01D1", "01D3", "02", "03", "13"]
    {
        assert!(codes.contains(code), "no meter of {code}");
    }
}

#[test]
fn everything_has_names_in_both_languages() {
    let campus = campus();
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let names = campus.entities.iter().map(|e| (e.path.as_str(), &e.names));
    let points = campus.points.iter().map(|p| (p.path.as_str(), &p.names));
    for (path, names) in names.chain(points) {
        assert!(!names.en.trim().is_empty(), "{path} has no English name");
        assert!(!chinese(&names.en), "{path}: '{}' isn't English", names.en);
        // A quantity may be named by its symbol alone.
        assert!(chinese(&names.zh), "{path}: '{}' isn't Chinese", names.zh);
        assert!(!names.zh.contains(['{', '}']) && !names.en.contains(['{', '}']), "{path}: {names:?}");
    }
    assert_eq!(campus.entity("teaching-a/2f/207").unwrap().names.zh, "三年级三班");
}

#[test]
fn leak_stands_only_in_the_simulation() {
    let campus = campus();
    let node = campus.simulation["leak"]["node"].as_str().unwrap();
    assert!(campus.entity(node).is_some(), "{node} isn't a node");
    assert!(campus.points.iter().all(|p| !p.path.as_str().contains("hidden")));
}

#[test]
fn drains_fall_to_their_outfall() {
    let campus = campus();
    for network in campus.networks.iter().filter(|n| n.kind == NetworkKind::Drain) {
        assert_eq!(network.nodes.iter().filter(|n| n.parent.is_none()).count(), 1, "{}", network.id);
        for node in &network.nodes {
            let Some(parent) = node.parent.map(|p| &network.nodes[p]) else { continue };
            let (upper, lower) = (node.invert_mm.unwrap(), parent.invert_mm.unwrap());
            assert!(upper > lower, "{}: {} at {upper} to {} at {lower} mm", network.id, node.id, parent.id);
            assert!(upper < node.ground_mm.unwrap(), "{} lies above ground", node.id);
        }
    }
    let storm = campus.network("storm").unwrap();
    let nodes: BTreeSet<&str> = storm.nodes.iter().map(|n| n.id.as_str()).collect();
    for roof in campus.plan.buildings.iter().flat_map(|b| &b.roofs) {
        assert!(roof.downpipes.len() >= 4);
        assert!(roof.downpipes.iter().all(|d| nodes.contains(d.drain.as_str())));
    }
}

#[test]
fn terrain_has_relief_and_meets_the_floors_at_the_doors() {
    let made = made();
    let plan = plan();
    let grid = geotiff::read(&made.terrain_tif).unwrap();
    let (low, high) = grid.values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(low < 1.0 && high > 5.5, "from {low} to {high} m");
    let height = |p: [f64; 2]| grid.sample_bilinear(p[0], p[1]).unwrap() as f64;
    assert!(height([236.0, 180.0]) < height([20.0, 100.0]) - 0.8, "the corner isn't low");
    for building in &plan.buildings {
        for storey in building.storeys.iter().filter(|s| s.level == 1) {
            for door in storey.openings.iter().filter(|o| o.exit) {
                let [a, b] = door.wall.map(|v| building.vertices[v as usize].map(f64::from));
                let length = ((b[0] - a[0]).powi(2) + (b[1] - a[1]).powi(2)).sqrt();
                let t = (f64::from(door.at_mm) + f64::from(door.width_mm) / 2.0) / length;
                let ground = height([0, 1].map(|k| (a[k] + t * (b[k] - a[k])) / 1000.0));
                let step = f64::from(storey.floor_mm) / 1000.0 - ground;
                assert!((0.0..=0.2).contains(&step), "{}/{}: a step of {step:.3} m", building.id, door.id);
            }
        }
    }
}

/// Twice the area of a ring.
fn double_area(ring: &[PointMm]) -> i64 {
    let pairs = ring.iter().zip(ring.iter().cycle().skip(1));
    pairs.map(|(a, b)| i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1])).sum()
}

/// How deep two convex rings lie in each other, millimetres; at most 0 where they don't.
fn depth_mm(a: &[PointMm], b: &[PointMm]) -> f64 {
    let mut depth = f64::MAX;
    for ring in [a, b] {
        for (p, q) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let (dx, dy) = (f64::from(q[0] - p[0]), f64::from(q[1] - p[1]));
            let length = dx.hypot(dy);
            let along = |r: &PointMm| (f64::from(r[1]) * dx - f64::from(r[0]) * dy) / length;
            let span = |ring: &[PointMm]| {
                ring.iter().map(along).fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)))
            };
            let ((al, ah), (bl, bh)) = (span(a), span(b));
            depth = depth.min(ah.min(bh) - al.max(bl));
        }
    }
    depth
}

#[test]
fn spaces_tile_each_storey() {
    let (school, _) = read(&folder().join("school.toml")).unwrap();
    for (building, spec) in plan().buildings.iter().zip(&school.building) {
        for storey in &building.storeys {
            let ring = |s: &campanile_model::Space| -> Vec<PointMm> {
                s.outline.iter().map(|v| building.vertices[*v as usize]).collect()
            };
            let rings: Vec<Vec<PointMm>> = storey.spaces.iter().map(ring).collect();
            for (i, a) in rings.iter().enumerate() {
                assert!(double_area(a) > 0, "{}/{} runs clockwise", building.id, storey.spaces[i].id);
                for (j, b) in rings[..i].iter().enumerate() {
                    let depth = depth_mm(a, b);
                    let (i, j) = (&storey.spaces[i].id, &storey.spaces[j].id);
                    assert!(depth <= 2.0, "{}/{}: {i} and {j} overlap by {depth} mm", building.id, storey.id);
                }
            }
            // The rows of the description, less what lies outside, give the area that rooms have to fill.
            let rows = spec.storey.iter().find(|s| s.levels.contains(&storey.level)).unwrap();
            let wanted_m2: f64 = rows
                .row
                .iter()
                .map(|row| {
                    let outside: f64 = row
                        .rooms
                        .iter()
                        .filter_map(|r| r.strip_prefix("- "))
                        .map(|w| w.split(' ').next().unwrap().parse::<f64>().unwrap())
                        .sum();
                    row.depth_m * (spec.length_m - outside)
                })
                .sum();
            let area_m2: f64 = rings.iter().map(|r| double_area(r) as f64 / 2e6).sum();
            assert!(
                (area_m2 - wanted_m2).abs() < 0.2,
                "{}/{}: {area_m2} m² of {wanted_m2} m²",
                building.id,
                storey.id
            );
        }
    }
}

/// The spaces at an edge of a storey.
fn at_edge(storey: &Storey, wall: [u32; 2]) -> Vec<usize> {
    let uses = |outline: &[u32]| {
        outline.iter().zip(outline.iter().cycle().skip(1)).any(|(a, b)| [*a, *b] == wall || [*b, *a] == wall)
    };
    (0..storey.spaces.len()).filter(|i| uses(&storey.spaces[*i].outline)).collect()
}

fn rooms_with_door_and_window(plan: &Plan) -> usize {
    let mut rooms = 0;
    for storey in plan.buildings.iter().flat_map(|b| &b.storeys) {
        let mut has = vec![(false, false); storey.spaces.len()];
        for opening in &storey.openings {
            for i in at_edge(storey, opening.wall) {
                has[i].0 |= opening.kind == OpeningKind::Door;
                has[i].1 |= opening.kind == OpeningKind::Window;
            }
        }
        let not_a_room = [SpaceUse::Corridor, SpaceUse::Stair, SpaceUse::Lift, SpaceUse::Toilet];
        rooms += has
            .iter()
            .zip(&storey.spaces)
            .filter(|((door, window), s)| *door && *window && !not_a_room.contains(&s.use_))
            .count();
    }
    rooms
}

#[test]
fn every_room_reaches_an_exit() {
    for building in &plan().buildings {
        let mut index = BTreeMap::new();
        for storey in &building.storeys {
            for space in &storey.spaces {
                let next = index.len();
                index.insert((storey.id.as_str(), space.id.as_str()), next);
            }
        }
        let mut ways: Vec<Vec<usize>> = vec![Vec::new(); index.len()];
        let mut queue = VecDeque::new();
        for storey in &building.storeys {
            let node = |i: usize| index[&(storey.id.as_str(), storey.spaces[i].id.as_str())];
            let walls: BTreeSet<[u32; 2]> =
                storey.walls.iter().map(|w| [w.a.min(w.b), w.a.max(w.b)]).collect();
            let mut edges: BTreeSet<[u32; 2]> = BTreeSet::new();
            for space in &storey.spaces {
                let ring = space.outline.iter().zip(space.outline.iter().cycle().skip(1));
                edges.extend(ring.map(|(a, b)| [*a.min(b), *a.max(b)]).filter(|e| !walls.contains(e)));
            }
            let walked = [OpeningKind::Door, OpeningKind::Gap];
            edges.extend(storey.openings.iter().filter(|o| walked.contains(&o.kind)).map(|o| o.wall));
            for edge in edges {
                match at_edge(storey, edge)[..] {
                    [a, b] => {
                        ways[node(a)].push(node(b));
                        ways[node(b)].push(node(a));
                    }
                    [a] if storey.level == 1 => queue.push_back(node(a)),
                    _ => {}
                }
            }
        }
        for stair in &building.stairs {
            let a = index[&(stair.from.as_str(), stair.space_from.as_str())];
            let b = index[&(stair.to.as_str(), stair.space_to.as_str())];
            ways[a].push(b);
            ways[b].push(a);
        }
        assert!(!queue.is_empty(), "{} has no exit", building.id);
        let mut reached = vec![false; index.len()];
        while let Some(i) = queue.pop_front() {
            if !std::mem::replace(&mut reached[i], true) {
                queue.extend(&ways[i]);
            }
        }
        for (key, i) in &index {
            assert!(reached[*i], "{}/{}/{} reaches no exit", building.id, key.0, key.1);
        }
    }
}

#[test]
fn classrooms_and_stairs_are_as_the_code_wants() {
    for building in &plan().buildings {
        for storey in &building.storeys {
            for (i, space) in storey.spaces.iter().enumerate() {
                if space.use_ != SpaceUse::Classroom {
                    continue;
                }
                let here = |o: &&campanile_model::Opening| at_edge(storey, o.wall).contains(&i);
                let of = |kind: OpeningKind| {
                    storey.openings.iter().filter(here).filter(move |o| o.kind == kind).collect::<Vec<_>>()
                };
                let doors = of(OpeningKind::Door);
                assert_eq!(doors.len(), 2, "{}/{}", building.id, space.id);
                assert!(doors.iter().all(|d| d.width_mm >= 900));
                let sides: BTreeSet<[u32; 2]> = of(OpeningKind::Window).iter().map(|w| w.wall).collect();
                assert!(sides.len() >= 2, "{}/{} has windows on one side only", building.id, space.id);
            }
        }
        for stair in &building.stairs {
            let floor = |id: &str| building.storeys.iter().find(|s| s.id == id).unwrap().floor_mm;
            let rise: f64 = stair.flights.iter().map(|f| f64::from(f.steps) * f.riser_mm).sum();
            assert!((rise - f64::from(floor(&stair.to) - floor(&stair.from))).abs() < 1e-6, "{}", stair.id);
            assert_eq!(stair.flights.len(), 2);
            assert!(
                stair
                    .flights
                    .iter()
                    .all(|f| f.riser_mm <= 150.0 && f.tread_mm >= 260.0 && f.width_mm >= 1200)
            );
        }
    }
}
