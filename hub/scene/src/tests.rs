use std::collections::BTreeMap;

use campanile_model::{Campus, Plan};
use serde_json::{Value, json};

use crate::build;

/// Two rooms side by side, a door between them, a window to the outside, and a tree twice.
fn campus() -> Campus {
    let plan: Plan = serde_json::from_value(json!({
        "format": "campanile-plan/1",
        "site": {"latitude_deg": 31.2, "longitude_deg": 121.4, "datum": "test", "boundary": [[-20000, -20000], [20000, -20000], [20000, 20000], [-20000, 20000]]},
        "constructions": {
            "brick": {"kind": "wall", "colour": "#aa5533", "layers": [{"material": "brick", "thickness_mm": 200, "conductivity_w_mk": 0.8, "density_kg_m3": 1800, "specific_heat_j_kgk": 900}]},
            "slab": {"kind": "slab", "colour": "#999999"},
        },
        "buildings": [{
            "id": "hut", "use": "school",
            "vertices": [[0, 0], [4000, 0], [8000, 0], [8000, 5000], [4000, 5000], [0, 5000]],
            "storeys": [{
                "id": "1f", "level": 1, "floor_mm": 0, "height_mm": 3600, "ceiling_mm": 3400, "slab": "slab",
                "spaces": [
                    {"id": "a", "use": "store", "outline": [0, 1, 4, 5]},
                    {"id": "b", "use": "classroom", "outline": [1, 2, 3, 4]},
                ],
                "walls": [
                    {"a": 0, "b": 1, "construction": "brick"}, {"a": 1, "b": 2, "construction": "brick"},
                    {"a": 2, "b": 3, "construction": "brick"}, {"a": 3, "b": 4, "construction": "brick"},
                    {"a": 4, "b": 5, "construction": "brick"}, {"a": 5, "b": 0, "construction": "brick"},
                    {"a": 1, "b": 4, "construction": "brick"},
                ],
                "openings": [
                    {"id": "door", "kind": "door", "wall": [1, 4], "at_mm": 500, "width_mm": 1000, "height_mm": 2100, "leaf": "single"},
                    {"id": "window", "kind": "window", "wall": [1, 0], "at_mm": 1000, "width_mm": 1500, "height_mm": 1600, "sill_mm": 900, "leaf": "fixed"},
                ],
            }],
            "roofs": [{"id": "roof", "kind": "gable", "outline": [0, 2, 3, 5], "base_mm": 3600, "pitch_deg": 30.0, "ridge_deg": 0.0, "construction": "slab"}],
        }],
        "outside": {"trees": [
            {"id": "t1", "species": "ginkgo", "at": [-5000, -5000], "height_mm": 8000, "crown_mm": 4000, "trunk_mm": 300},
            {"id": "t2", "species": "ginkgo", "at": [-9000, -5000], "height_mm": 9000, "crown_mm": 5000, "trunk_mm": 300},
        ]},
    }))
    .unwrap();
    let mut campus = Campus::default();
    campus.id = "test".into();
    campus.plan = plan;
    campus
}

struct Read {
    document: gltf::Document,
    buffer: Vec<u8>,
}

fn read() -> Read {
    let scene = build(&campus(), None).unwrap();
    let file = gltf::Gltf::from_slice(&scene.bytes).unwrap();
    let buffer = file.blob.clone().unwrap();
    Read { document: file.document, buffer }
}

fn extras(node: &gltf::Node<'_>) -> Value {
    serde_json::from_str(node.extras().as_ref().unwrap().get()).unwrap()
}

impl Read {
    fn node(&self, path: &str, kind: &str) -> gltf::Node<'_> {
        let is = |n: &gltf::Node<'_>| extras(n)["path"] == path && extras(n)["kind"] == kind;
        self.document.nodes().find(is).unwrap_or_else(|| panic!("no {kind} {path}"))
    }

    /// Triangles of a node, in glTF axes.
    fn triangles(&self, node: &gltf::Node<'_>) -> Vec<[[f64; 3]; 3]> {
        let mut found = Vec::new();
        for primitive in node.mesh().unwrap().primitives() {
            let reader = primitive.reader(|_| Some(&self.buffer));
            let positions: Vec<_> = reader.read_positions().unwrap().map(|p| p.map(f64::from)).collect();
            let indices: Vec<_> = reader.read_indices().unwrap().into_u32().collect();
            found.extend(indices.chunks_exact(3).map(|t| [0, 1, 2].map(|i| positions[t[i] as usize])));
        }
        found
    }
}

fn volume(triangles: &[[[f64; 3]; 3]]) -> f64 {
    triangles
        .iter()
        .map(|[a, b, c]| {
            (a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
                + a[2] * (b[0] * c[1] - b[1] * c[0]))
                / 6.0
        })
        .sum()
}

#[test]
fn every_entity_is_there_once_with_its_path() {
    let read = read();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for node in read.document.nodes() {
        let extras = extras(&node);
        if !["walls", "slab", "furniture", "terrain"].contains(&extras["kind"].as_str().unwrap()) {
            *seen.entry(extras["path"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    for path in [
        "site",
        "hut",
        "hut/1f",
        "hut/1f/a",
        "hut/1f/b",
        "hut/1f/door",
        "hut/1f/window",
        "hut/roof",
        "site/t1",
        "site/t2",
    ] {
        assert_eq!(seen.get(path), Some(&1), "{path}");
    }
}

#[test]
fn walls_are_closed_solids_with_their_openings_cut() {
    let read = read();
    let node = read.node("hut/1f", "walls");
    let got = volume(&read.triangles(&node));
    // Of each wall: length with its reach into the walls it meets (half of 0.2 m less 2 mm at each end), 0.2 m thick,
    // up to the slab above.
    let (height, thick, reach) = (3.6 - 0.2, 0.2, 2.0 * 0.098);
    let lengths = [4.0, 4.0, 5.0, 4.0, 4.0, 5.0, 5.0];
    let solid: f64 = lengths.iter().map(|l| (l + reach) * thick * height).sum();
    let cut = thick * (1.0 * 2.1 + 1.5 * 1.6);
    assert!((got - (solid - cut)).abs() < 1e-3, "{got} is not {}", solid - cut);
    // Nothing of the walls stands within the window: its middle is 4 − 1.75 m along x.
    let inside = |p: &[f64; 3]| (p[0] - 2.25).abs() < 0.7 && (p[1] - 1.7).abs() < 0.75 && p[2].abs() < 0.2;
    assert!(!read.triangles(&node).iter().flatten().any(inside));
}

#[test]
fn a_gable_roof_has_its_height() {
    let read = read();
    let triangles = read.triangles(&read.node("hut/roof", "roof"));
    let top = triangles.iter().flatten().map(|p| p[1]).fold(f64::MIN, f64::max);
    let ridge = 3.6 + 2.5 * (30.0_f64).to_radians().tan();
    assert!((top - ridge).abs() < 1e-4, "{top} is not {ridge}");
    let half_prism = 8.0 * 5.0 * (ridge - 3.6) / 2.0;
    assert!((volume(&triangles) - half_prism).abs() < 1e-2);
}

#[test]
fn trees_and_desks_share_their_meshes() {
    let read = read();
    let mesh = |path: &str| read.node(path, "tree").mesh().unwrap().index();
    assert_eq!(mesh("site/t1"), mesh("site/t2"));
    let desks: Vec<_> = read.document.nodes().filter(|n| n.name() == Some("desk")).collect();
    assert!(
        desks.len() >= 3
            && desks.iter().all(|d| d.mesh().unwrap().index() == desks[0].mesh().unwrap().index())
    );
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_none_is_an_error() {
    assert_eq!(build(&campus(), None).unwrap().bytes, build(&campus(), None).unwrap().bytes);
    assert!(build(&Campus::default(), None).unwrap_err().to_string().contains("nothing to draw"));
}

#[test]
fn areas_and_volumes_are_within_the_walls() {
    let campus = campus();
    let building = &campus.plan.buildings[0];
    let storey = &building.storeys[0];
    let area = crate::topology::net_area_m2(building, storey, &storey.spaces[0], &campus.plan.constructions);
    assert!((area - 3.8 * 4.8).abs() < 1e-9, "{area}");
    let volume = crate::topology::volume_m3(building, storey, &storey.spaces[0], &campus.plan.constructions);
    assert!((volume - 3.8 * 4.8 * 3.4).abs() < 1e-9);
    let sides = crate::topology::Edges::of(storey).sides(1, 4);
    assert_eq!((sides.left, sides.right), (Some(0), Some(1)));
}
