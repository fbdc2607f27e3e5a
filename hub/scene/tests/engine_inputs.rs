//! The engines' inputs of the demo school and of campuses made by hand.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;

use campanile_crowd::{CrowdInput, Shape};
use campanile_flood::{End, Face, Field, FloodInput};
use campanile_formats::{Grid, geotiff};
use campanile_model::{Campus, Plan};
use campanile_scene::{
    CrowdOptions, FloodOptions, FloodSite, GaugeAt, Hour, InputError, crowd_input, flood_input, topology,
};
use expect_test::expect;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../scenes/shanghai-school")
}

fn demo() -> (Campus, Grid) {
    let campus = campanile_model::open(&folder()).unwrap();
    (campus, geotiff::read(&std::fs::read(folder().join("terrain.tif")).unwrap()).unwrap())
}

fn demo_flood() -> (Campus, FloodSite) {
    let (campus, terrain) = demo();
    let site = flood_input(&campus, Some(&terrain), &FloodOptions::default()).unwrap();
    (campus, site)
}

/// A hut of two storeys: a room and a hall below, a room above the hall's stair; a store without a door.
fn hut() -> Value {
    let walls = |storey: &[[u32; 2]]| -> Vec<Value> {
        storey.iter().map(|[a, b]| json!({"a": a, "b": b, "construction": "brick"})).collect()
    };
    let around = [[0, 1], [1, 2], [2, 3], [3, 7], [7, 6], [6, 5], [5, 4], [4, 0], [1, 5], [2, 6]];
    let spaces = json!([
        {"id": "room", "use": "classroom", "outline": [0, 1, 5, 4], "occupancy": 30},
        {"id": "hall", "use": "stair", "outline": [1, 2, 6, 5]},
        {"id": "store", "use": "store", "outline": [2, 3, 7, 6]},
    ]);
    let door = |id: &str, wall: [u32; 2]| json!({"id": id, "kind": "door", "wall": wall, "at_mm": 500, "width_mm": 1000, "height_mm": 2100, "leaf": "single"});
    json!({
        "format": "campanile-plan/1",
        "site": {"latitude_deg": 31.2, "longitude_deg": 121.4, "datum": "test", "boundary": []},
        "constructions": {
            "brick": {"kind": "wall", "colour": "#aa5533", "layers": [{"material": "brick", "thickness_mm": 200, "conductivity_w_mk": 0.8, "density_kg_m3": 1800, "specific_heat_j_kgk": 900}]},
            "slab": {"kind": "slab", "colour": "#999999"},
        },
        "buildings": [{
            "id": "hut", "use": "school",
            "vertices": [[0, 0], [6000, 0], [9000, 0], [12000, 0], [0, 8000], [6000, 8000], [9000, 8000], [12000, 8000]],
            "storeys": [
                {"id": "1f", "level": 1, "floor_mm": 150, "height_mm": 3600, "ceiling_mm": 3400, "slab": "slab",
                 "spaces": spaces, "walls": walls(&around),
                 "openings": [door("in", [1, 2]), door("across", [1, 5])]},
                {"id": "2f", "level": 2, "floor_mm": 3750, "height_mm": 3600, "ceiling_mm": 3400, "slab": "slab",
                 "spaces": spaces, "walls": walls(&around), "openings": [door("up", [5, 1])]},
            ],
            "stairs": [{
                "id": "steps", "from": "1f", "to": "2f", "space_from": "hall", "space_to": "hall",
                "flights": [{"start": [7500, 2000], "heading_deg": 90.0, "base_mm": 0, "steps": 20, "tread_mm": 280.0, "riser_mm": 180.0, "width_mm": 1200}],
            }],
        }],
    })
}

fn campus(plan: Value) -> Campus {
    let plan: Plan = serde_json::from_value(plan).unwrap();
    let mut campus = Campus::default();
    campus.id = "test".into();
    campus.plan = plan;
    campus
}

fn hash<T: serde::Serialize>(input: &T) -> blake3::Hash {
    blake3::hash(&serde_json::to_vec(input).unwrap())
}

// ---------------------------------------------------------------- flood

#[test]
fn the_demo_school_gives_a_flood() {
    let (_, site) = demo_flood();
    let input = &site.input;
    let count = |f: &dyn Fn(&campanile_flood::Link) -> bool| input.links.iter().filter(|l| f(l)).count();
    expect![[r#"
        140 × 120 cells, 2185 blocked, 145 rooms, 192 links, 35 of them to the ground, 56 roof shares,
        37 inlets, 0.701 m³/s at 0.95 m of head, 3 pumps, 10 barriers, 42 gauges, 41 places, 0 left out
    "#]].assert_eq(&format!(
        "{} × {} cells, {} blocked, {} rooms, {} links, {} of them to the ground, {} roof shares,\n\
         {} inlets, {:.3} m³/s at {:.2} m of head, {} pumps, {} barriers, {} gauges, {} places, {} left out\n",
        input.nx,
        input.ny,
        input.blocked.iter().filter(|b| **b).count(),
        input.rooms.len(),
        input.links.len(),
        count(&|l| matches!(l.a, End::Cell(_))),
        input.roofs.len(),
        input.drains[0].inlets.len(),
        input.drains[0].capacity_m3_s,
        input.drains[0].design_head_m,
        input.pumps.len(),
        input.barriers.len(),
        site.gauges.len(),
        site.places.len(),
        site.left_out.len(),
    ));
    assert_eq!(input.stages[0].id, "site/river");
    assert_eq!((input.drains[0].outside, input.drains[0].flap), (Some(0), true));
}

#[test]
fn fields_fit_the_grid_and_indices_what_they_point_to() {
    let (_, site) = demo_flood();
    let input = &site.input;
    let cells = input.nx * input.ny;
    let field =
        |f: &Field| matches!(f, Field::Cells(v) if v.len() == cells && v.iter().all(|x| x.is_finite()));
    assert!(input.bed_m.len() == cells && input.blocked.len() == cells && site.place_of.len() == cells);
    assert!(field(&input.manning) && field(&input.stage_m));
    assert!(input.bed_m.iter().all(|h| (0.5..7.0).contains(h)));
    let free = |c: u32| !input.blocked[c as usize];
    for link in &input.links {
        for end in [link.a, link.b] {
            match end {
                End::Cell(c) => assert!(free(c), "{} leads into a building", link.id),
                End::Room(r) => assert!((r as usize) < input.rooms.len()),
            }
        }
    }
    assert!(input.drains.iter().flat_map(|d| &d.inlets).all(|i| free(i.cell)));
    assert!(input.roofs.iter().all(|r| free(r.to)));
    for (c, place) in site.place_of.iter().enumerate() {
        let c = c as u32;
        assert_eq!(site.cell_at(site.centre(c)), Some(c));
        assert!(usize::from(*place) < site.places.len());
    }
    assert_eq!(site.place(site.cell_at([156.0, 90.0]).unwrap()), Some("site/main-road"));
    let unique: BTreeSet<&str> = input.links.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(unique.len(), input.links.len(), "names of links");
}

#[test]
fn rooms_have_the_floor_area_of_their_spaces_and_roofs_that_of_the_plan() {
    let (campus, site) = demo_flood();
    let mut net = 0.0;
    let mut merged = 0;
    for b in &campus.plan.buildings {
        for storey in b.storeys.iter().filter(|s| s.level <= 1) {
            for space in &storey.spaces {
                if space.open_to_below {
                    merged += 1;
                } else {
                    net += topology::net_area_m2(b, storey, space, &campus.plan.constructions);
                }
            }
        }
    }
    let rooms: f64 = site.input.rooms.iter().map(|r| r.area_m2).sum();
    assert!((rooms - net).abs() < 1e-6, "{rooms} of {net} m²");
    assert!(merged >= 2, "the canteen's stair and lift go down to the cellar");
    assert_eq!(site.room_of.len(), site.input.rooms.len() + merged);
    assert_eq!(site.room_of["canteen/1f/stair-e"], site.room_of["canteen/b1/stair-e"]);
    let outline = |b: &campanile_model::Building, ring: &[u32]| {
        let p: Vec<[f64; 2]> =
            ring.iter().map(|v| b.vertices[*v as usize].map(|x| f64::from(x) / 1e3)).collect();
        (0..p.len())
            .map(|i| p[i][0] * p[(i + 1) % p.len()][1] - p[(i + 1) % p.len()][0] * p[i][1])
            .sum::<f64>()
            / 2.0
    };
    let plan: f64 =
        campus.plan.buildings.iter().flat_map(|b| b.roofs.iter().map(|r| outline(b, &r.outline))).sum();
    let roofs: f64 = site.input.roofs.iter().map(|r| r.area_m2).sum();
    assert!((roofs - plan).abs() < 1e-6, "{roofs} of {plan} m²");
    // The roofs stand where the cells are blocked: rain falls once on everything.
    let blocked = site.input.blocked.iter().filter(|b| **b).count() as f64 * 4.0;
    assert!((blocked / roofs - 1.0).abs() < 0.03, "{blocked} blocked, {roofs} m² of roofs");
}

#[test]
fn thresholds_are_plausible() {
    let (_, site) = demo_flood();
    let input = &site.input;
    for link in &input.links {
        for end in [link.a, link.b] {
            match end {
                End::Cell(c) => {
                    let step = link.sill_m - input.bed_m[c as usize];
                    assert!((-1e-9..0.35).contains(&step), "{}: a step of {step:.3} m", link.id);
                }
                End::Room(r) => {
                    let room = &input.rooms[r as usize];
                    let over = link.sill_m - room.floor_m;
                    assert!(
                        (-1e-9..=room.height_m).contains(&over),
                        "{}: {over} m over {}",
                        link.id,
                        room.id
                    );
                }
            }
        }
        assert!(link.width_m > 0.3 && link.height_m > 0.3 && link.open > 0.0 && link.open <= 1.0, "{link:?}");
    }
}

#[test]
fn switches_and_gauges_are_points_of_the_campus() {
    let (campus, site) = demo_flood();
    for (switch, id) in site.barriers.iter().zip(site.input.barriers.iter().map(|b| &b.id)) {
        assert_eq!(switch.path, *id);
        assert_eq!(campus.point(switch.command.unwrap()).quantity, "barrier-up");
        assert_eq!(campus.point(switch.report.unwrap()).quantity, "barrier-raised");
    }
    let pumps: Vec<&str> = site.input.pumps.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(pumps, ["net/storm/main-8", "canteen/b1/sump/pump-1", "canteen/b1/sump/pump-2"]);
    for (switch, id) in site.pumps.iter().zip(&pumps) {
        assert_eq!(switch.path, *id);
        assert_eq!(campus.point(switch.command.unwrap()).quantity, "pump-on");
        assert_eq!(campus.point(switch.report.unwrap()).quantity, "pump-running");
    }
    let at = |path: &str| site.gauges.iter().find(|g| g.path == path).map(|g| g.at);
    assert_eq!(at("site/river/river-level"), Some(GaugeAt::Stage(0)));
    assert_eq!(at("site/weather-station/rain"), Some(GaugeAt::Rain));
    assert_eq!(at("net/storm/outfall/water-level"), Some(GaugeAt::Outfall(0)));
    assert_eq!(at("canteen/b1/sump/water-level"), Some(GaugeAt::Room(site.room_of["canteen/b1/sump"])));
    assert!(matches!(at("net/storm/low-1/water-level"), Some(GaugeAt::Inlet { drain: 0, .. })));
    assert!(matches!(at("site/pond/water-level"), Some(GaugeAt::Level(_))));
    assert!(site.gauges.iter().all(|g| campus.point(g.point).path.as_str() == g.path));
}

/// The lowest level of the river at which its water comes to a room, if it has all the time: over each face and
/// threshold on the way it has to rise above the ground, sill or crest.
fn spill_level(input: &FloodInput, room: u32, up: &dyn Fn(&str) -> bool) -> f64 {
    let cells = input.nx * input.ny;
    let mut crest: BTreeMap<Face, f64> = BTreeMap::new();
    for barrier in input.barriers.iter().filter(|b| up(&b.id)) {
        for face in &barrier.faces {
            let held = crest.entry(*face).or_insert(0.0);
            *held = held.max(barrier.height_m);
        }
    }
    let mut ways: Vec<Vec<(usize, f64)>> = vec![Vec::new(); cells + input.rooms.len()];
    let mut join = |a: usize, b: usize, level: f64| {
        ways[a].push((b, level));
        ways[b].push((a, level));
    };
    for c in 0..cells {
        let east = (c % input.nx + 1 < input.nx).then_some((c + 1, Face::East(c as u32)));
        let north = (c + input.nx < cells).then_some((c + input.nx, Face::North(c as u32)));
        for (other, face) in [east, north].into_iter().flatten() {
            if !input.blocked[c] && !input.blocked[other] {
                let ground = input.bed_m[c].max(input.bed_m[other]);
                join(c, other, ground + crest.get(&face).copied().unwrap_or(0.0));
            }
        }
    }
    let index = |end: End| match end {
        End::Cell(c) => c as usize,
        End::Room(r) => cells + r as usize,
    };
    for link in &input.links {
        join(index(link.a), index(link.b), link.sill_m);
    }
    // The way whose highest place is lowest; heights as whole micrometres, to be ordered.
    let micro = |level: f64| (level * 1e6) as i64;
    let mut best = vec![i64::MAX; ways.len()];
    let mut queue = BinaryHeap::new();
    for c in &input.stages[0].cells {
        best[*c as usize] = i64::MIN;
        queue.push((std::cmp::Reverse(i64::MIN), *c as usize));
    }
    while let Some((std::cmp::Reverse(level), here)) = queue.pop() {
        if level > best[here] {
            continue;
        }
        for (to, over) in &ways[here] {
            let reached = level.max(micro(*over));
            if reached < best[*to] {
                best[*to] = reached;
                queue.push((std::cmp::Reverse(reached), *to));
            }
        }
    }
    best[cells + room as usize] as f64 / 1e6
}

#[test]
fn barriers_at_the_low_corner_keep_the_river_out_of_the_cellar() {
    let (_, site) = demo_flood();
    let pumps = site.room_of["canteen/b1/fire-pumps"];
    let level = |up: &dyn Fn(&str) -> bool| spill_level(&site.input, pumps, up);
    // Without barriers the river comes over the bank at the low corner, and the cellar's door is its threshold.
    let open = level(&|_| false);
    assert!((4.43..4.45).contains(&open), "open: {open}");
    // With the barriers at the river up, the dike and they hold until nearly 5 m.
    let river = |id: &str| id == "site/barrier-low-corner" || id == "site/barrier-river-gate";
    let held = level(&river);
    assert!(held >= 4.75, "held: {held}");
    // One of them alone is no use.
    for only in ["site/barrier-low-corner", "site/barrier-river-gate"] {
        let one = level(&|id| id == only);
        assert!(one < held - 0.1, "{only} alone: {one}");
    }
    // The other buildings' ground floors lie higher than the canteen's.
    let classroom = spill_level(&site.input, site.room_of["teaching-a/1f/101"], &|_| false);
    assert!((4.49..4.51).contains(&classroom), "{classroom}");
}

#[test]
fn no_way_leads_through_a_barrier() {
    // Lines right across an empty campus at many angles: what is on one side stays there.
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % 4_000) as i32
    };
    for _ in 0..200 {
        let angle = f64::from(draw()) / 4_000.0 * std::f64::consts::PI;
        let (x, y) = (18_000 + draw(), 18_000 + draw());
        let (dx, dy) = ((angle.cos() * 90_000.0) as i32, (angle.sin() * 90_000.0) as i32);
        let campus = campus(json!({
            "format": "campanile-plan/1",
            "site": {"latitude_deg": 31.2, "longitude_deg": 121.4, "datum": "test", "boundary": [[0, 0], [40000, 0], [40000, 40000], [0, 40000]]},
            "outside": {
                "vertices": [[x - dx, y - dy], [x + dx, y + dy]],
                "barriers": [{"id": "b", "a": 0, "b": 1, "height_mm": 500}],
            },
        }));
        let options = FloodOptions { margin_m: 0.0, ..FloodOptions::default() };
        let site = flood_input(&campus, None, &options).unwrap();
        let input = &site.input;
        let closed: BTreeSet<Face> = input.barriers[0].faces.iter().copied().collect();
        let side = |c: usize| {
            let p = site.centre(c as u32);
            f64::from(dx) * (p[1] - f64::from(y) / 1e3) - f64::from(dy) * (p[0] - f64::from(x) / 1e3) > 0.0
        };
        for c in 0..input.nx * input.ny {
            let east = (c % input.nx + 1 < input.nx).then_some((c + 1, Face::East(c as u32)));
            let north = (c + input.nx < input.nx * input.ny).then_some((c + input.nx, Face::North(c as u32)));
            for (other, face) in [east, north].into_iter().flatten() {
                assert_eq!(side(c) != side(other), closed.contains(&face), "{angle} {face:?}");
            }
        }
    }
}

#[test]
fn a_campus_of_a_hut_alone_gives_a_flood() {
    let site = flood_input(&campus(hut()), None, &FloodOptions::default()).unwrap();
    let input = &site.input;
    assert_eq!(input.rooms.len(), 3);
    assert!((input.rooms[0].area_m2 - 5.8 * 7.8).abs() < 1e-9);
    // Without roofs the rain of the house runs off at its corners.
    assert!((input.roofs.iter().map(|r| r.area_m2).sum::<f64>() - 96.0).abs() < 1e-9);
    let ids: Vec<&str> = input.links.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(ids, ["hut/1f/in", "hut/1f/across"]);
    assert!((input.links[0].sill_m - 0.15).abs() < 1e-12);
    assert!(input.stages.is_empty() && input.drains.is_empty() && site.left_out.is_empty());
    assert!(input.bed_m.iter().all(|h| *h == 0.0));
}

#[test]
fn terrain_is_averaged_where_it_is_finer_and_its_holes_are_filled() {
    // Half a metre of terrain in stripes of 0 and 1 m, with a hole.
    let mut values: Vec<f32> = (0..80 * 80).map(|i| (i % 2) as f32).collect();
    for row in 20..30 {
        values[row * 80 + 20..row * 80 + 30].fill(-9999.0);
    }
    let grid =
        Grid { cols: 80, rows: 80, cell_m: (0.5, 0.5), origin: (-10.0, 30.0), nodata: Some(-9999.0), values };
    let site = flood_input(&campus(hut()), Some(&grid), &FloodOptions::default()).unwrap();
    assert_eq!((site.input.nx, site.input.ny), (20, 19));
    assert!(site.input.bed_m.iter().all(|h| (h - 0.5).abs() < 1e-9));
}

#[test]
fn what_cannot_be_flooded_is_told() {
    let (_, terrain) = demo();
    let none = Campus::default();
    let empty = flood_input(&none, None, &FloodOptions::default()).unwrap_err();
    assert!(matches!(empty, InputError::NoGround(_)), "{empty}");
    assert!(
        flood_input(&none, Some(&terrain), &FloodOptions::default()).is_ok(),
        "a terrain alone is ground"
    );
    for cell_m in [0.0, f64::NAN, 1e9] {
        let options = FloodOptions { cell_m, ..FloodOptions::default() };
        assert!(matches!(flood_input(&none, Some(&terrain), &options), Err(InputError::Cell(_))));
    }
    let mut far = hut();
    far["buildings"][0]["vertices"][7] = json!([90_000_000, 90_000_000]);
    let large = flood_input(&campus(far), None, &FloodOptions::default()).unwrap_err();
    assert!(large.to_string().contains("coarser"), "{large}");
}

// ---------------------------------------------------------------- crowd

/// How far a point lies from the nearest edge of a level space, m.
fn from_edge(shape: &Shape, p: [f64; 2]) -> f64 {
    let Shape::Level { outline, holes, .. } = shape else { return 0.0 };
    let edges = std::iter::once(outline)
        .chain(holes)
        .flat_map(|r| (0..r.len()).map(move |i| (r[i], r[(i + 1) % r.len()])));
    edges
        .map(|(a, b)| {
            let d = [b[0] - a[0], b[1] - a[1]];
            let t = ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / (d[0] * d[0] + d[1] * d[1]);
            let t = t.clamp(0.0, 1.0);
            (p[0] - a[0] - t * d[0]).hypot(p[1] - a[1] - t * d[1])
        })
        .fold(f64::MAX, f64::min)
}

fn check_crowd(input: &CrowdInput) {
    let length = |s: &campanile_crowd::DoorSide| (s.a[0] - s.b[0]).hypot(s.a[1] - s.b[1]);
    for door in &input.doors {
        let (from, to) = (length(&door.from), length(&door.to));
        assert!(from >= 0.4 - 1e-9 && (from - to).abs() < 2e-3, "{}: {from} and {to} m wide", door.id);
        for side in [&door.from, &door.to] {
            let space = &input.spaces[side.space as usize];
            for p in [side.a, side.b] {
                match &space.shape {
                    Shape::Level { .. } => assert!(from_edge(&space.shape, p) < 2e-3, "{} at {p:?}", door.id),
                    Shape::Stair { line, width_m } => {
                        let way =
                            |w: &[[f64; 3]]| (0..3).map(|k| (w[1][k] - w[0][k]).powi(2)).sum::<f64>().sqrt();
                        let end: f64 = line.windows(2).map(way).sum();
                        assert!(
                            (p[0].abs() < 1e-9 || (p[0] - end).abs() < 1e-9)
                                && p[1] > -1e-9
                                && p[1] < width_m + 1e-9
                        );
                    }
                }
            }
        }
    }
    for space in &input.spaces {
        if let Shape::Stair { line, .. } = &space.shape {
            assert!(line.windows(2).all(|w| w[1][2] >= w[0][2] - 1e-9), "{} goes down", space.id);
        }
    }
    let ids: BTreeSet<&str> = input.doors.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(ids.len(), input.doors.len(), "names of doors");
}

#[test]
fn the_demo_school_gives_a_crowd() {
    let (campus, _) = demo();
    let site = crowd_input(&campus, &CrowdOptions::default()).unwrap();
    let input = &site.input;
    check_crowd(input);
    let people = |profile: &str| {
        let index = input.profiles.iter().position(|p| p.id == profile).unwrap() as u32;
        input.groups.iter().flat_map(|g| &g.people).filter(|p| p.0 == index).map(|p| p.1).sum::<u32>()
    };
    expect![[r#"
        507 spaces, 42 of them stairs, 644 doors, 216 goals: 4 assembly points, 4 gates, 207 on upper storeys
        116 groups: 630 pupils of grades 1 to 3, 630 of 4 to 6, 630 of 7 to 9, 180 adults
    "#]].assert_eq(&format!(
        "{} spaces, {} of them stairs, {} doors, {} goals: {} assembly points, {} gates, {} on upper storeys\n\
         {} groups: {} pupils of grades 1 to 3, {} of 4 to 6, {} of 7 to 9, {} adults\n",
        input.spaces.len(),
        input.spaces.iter().filter(|s| matches!(s.shape, Shape::Stair { .. })).count(),
        input.doors.len(),
        input.goals.len(),
        site.assembly.len(),
        site.gates.len(),
        site.storeys.values().map(Vec::len).sum::<usize>(),
        input.groups.len(),
        people("pupil-1-3"),
        people("pupil-4-6"),
        people("pupil-7-9"),
        people("adult"),
    ));
    assert_eq!(site.unreachable, Vec::<String>::new());
    assert_eq!(site.left_out, []);
}

#[test]
fn walkable_areas_are_net_areas() {
    let (campus, _) = demo();
    let site = crowd_input(&campus, &CrowdOptions::default()).unwrap();
    let area = |ring: &[[f64; 2]]| {
        (0..ring.len())
            .map(|i| {
                let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
                a[0] * b[1] - b[0] * a[1]
            })
            .sum::<f64>()
            / 2.0
    };
    let mut compared = 0;
    for b in &campus.plan.buildings {
        for storey in &b.storeys {
            for space in storey.spaces.iter().filter(|s| s.use_ != campanile_model::SpaceUse::Stair) {
                let Some(index) = site.space_of.get(&format!("{}/{}/{}", b.id, storey.id, space.id)) else {
                    continue;
                };
                let Shape::Level { outline, holes, .. } = &site.input.spaces[*index as usize].shape else {
                    continue;
                };
                let walked = area(outline) + holes.iter().map(|h| area(h)).sum::<f64>();
                let net = topology::net_area_m2(b, storey, space, &campus.plan.constructions);
                // Corners where a wall ends at an open side are taken by the wall here, by none there.
                assert!(
                    (walked - net).abs() < 0.002 * net + 0.15,
                    "{}/{}: {walked} of {net}",
                    storey.id,
                    space.id
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn hours_move_the_classes() {
    let (campus, _) = demo();
    let at = |hour: Hour| crowd_input(&campus, &CrowdOptions { hour, ..CrowdOptions::default() }).unwrap();
    let count = |site: &campanile_scene::CrowdSite, within: &str| {
        let spaces = &site.input.spaces;
        let here = site.input.groups.iter().filter(|g| spaces[g.space as usize].id.starts_with(within));
        here.flat_map(|g| &g.people).map(|p| p.1).sum::<u32>()
    };
    let lunch = at(Hour::Lunch);
    assert!(count(&lunch, "canteen/") > 600, "{}", count(&lunch, "canteen/"));
    assert!(count(&at(Hour::SportsBreak), "site") > 1_800);
    let night = at(Hour::Night);
    assert!((330..=345).contains(&count(&night, "dormitory/")), "{}", count(&night, "dormitory/"));
    assert_eq!(Hour::of_minute(600), Hour::SportsBreak);
    assert_eq!(Hour::of_minute(1_400), Hour::Night);
    let told = CrowdOptions {
        counts: BTreeMap::from([("teaching-a/1f/101".to_owned(), 7), ("nowhere".to_owned(), 1)]),
        ..CrowdOptions::default()
    };
    let told = crowd_input(&campus, &told).unwrap();
    assert_eq!(told.input.groups.iter().find(|g| g.id == "teaching-a/1f/101").unwrap().people[0].1, 7);
    assert_eq!(told.left_out[0].path, "nowhere");
}

#[test]
fn a_stair_joins_its_storeys_and_a_room_without_a_door_is_told() {
    let site = crowd_input(&campus(hut()), &CrowdOptions::default()).unwrap();
    check_crowd(&site.input);
    assert_eq!(site.unreachable, ["hut/1f/store", "hut/2f/store"]);
    assert_eq!(site.left_out, []);
    let stair = &site.input.spaces[site.space_of["hut/steps"] as usize];
    let Shape::Stair { line, width_m } = &stair.shape else { panic!("{stair:?}") };
    assert_eq!(*width_m, 1.2);
    assert!((line[0][2] - 0.15).abs() < 1e-9 && (line[1][2] - 3.75).abs() < 1e-9);
    // The hall below ends at the foot of the stair, the one above begins at its head.
    let bounds = |path: &str| {
        let Shape::Level { outline, .. } = &site.input.spaces[site.space_of[path] as usize].shape else {
            panic!()
        };
        outline.iter().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p[1]), h.max(p[1])))
    };
    assert_eq!(bounds("hut/1f/hall"), (0.1, 2.0));
    // The door above lies at y = 7 m, before the head of the stair at 7.32 m: nothing is cut, and people step off at
    // the nearest edge.
    assert_eq!(bounds("hut/2f/hall"), (0.1, 7.9));
    assert!(site.input.goals.iter().any(|g| g.id == "site" && !g.leaves));
    assert_eq!(site.storeys["hut/2f"], ["hut/2f/room"]);
}

#[test]
fn the_same_campus_gives_the_same_inputs() {
    let (a, terrain) = demo();
    let (b, _) = demo();
    let flood = |c: &Campus| hash(&flood_input(c, Some(&terrain), &FloodOptions::default()).unwrap().input);
    assert_eq!(flood(&a), flood(&b));
    let crowd = |c: &Campus| hash(&crowd_input(c, &CrowdOptions::default()).unwrap().input);
    assert_eq!(crowd(&a), crowd(&b));
    let finer = FloodOptions { cell_m: 1.0, ..FloodOptions::default() };
    let fine = flood_input(&a, Some(&terrain), &finer).unwrap();
    assert_eq!((fine.input.nx, fine.input.ny), (280, 240));
}
