//! A binary glTF 2.0 file from nodes and meshes.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::material::Materials;
use crate::mesh::Mesh;

/// A node on its way into the file.
#[derive(Debug, Default)]
pub struct Node {
    pub name: String,
    /// The entity's path, of parts the path of what they are part of.
    pub path: String,
    pub kind: &'static str,
    /// Of what belongs to a storey, the storey's path.
    pub storey: Option<String>,
    pub mesh: Option<usize>,
    /// Translation, rotation about the vertical axis (radians, counter-clockwise from above) and scale.
    pub placed: Option<([f32; 3], f64, [f32; 3])>,
    pub children: Vec<usize>,
}

/// Collects nodes and meshes and writes the file.
#[derive(Debug, Default)]
pub struct Glb {
    nodes: Vec<Node>,
    meshes: Vec<Value>,
    accessors: Vec<Value>,
    views: Vec<Value>,
    bytes: Vec<u8>,
    /// The meshes there are, so that the same shape is stored once.
    known: HashMap<Mesh, usize>,
    triangles: usize,
    drawn_triangles: Vec<usize>,
}

const FLOAT: u32 = 5126;
const SHORT: u32 = 5123;
const INT: u32 = 5125;
const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_BUFFER: u32 = 34963;

impl Glb {
    /// Adds a node and gives its index.
    pub fn node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds a mesh, or finds the same shape among those there are; none where it is empty.
    pub fn mesh(&mut self, name: &str, mesh: &Mesh, materials: &mut Materials) -> Option<usize> {
        if mesh.is_empty() {
            return None;
        }
        if let Some(known) = self.known.get(mesh) {
            return Some(*known);
        }
        self.known.insert(mesh.clone(), self.meshes.len());
        let mut primitives = Vec::new();
        let mut triangles = 0;
        for (material, surface) in mesh.surfaces.iter().filter(|(_, s)| !s.indices.is_empty()) {
            let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
            for p in &surface.positions {
                for axis in 0..3 {
                    low[axis] = low[axis].min(p[axis]);
                    high[axis] = high[axis].max(p[axis]);
                }
            }
            let floats =
                |rows: &[[f32; 3]]| rows.iter().flatten().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
            let count = surface.positions.len();
            let position = self.accessor(
                floats(&surface.positions),
                ARRAY_BUFFER,
                json!({
                "componentType": FLOAT, "count": count, "type": "VEC3", "min": low, "max": high}),
            );
            let normal = self.accessor(
                floats(&surface.normals),
                ARRAY_BUFFER,
                json!({
                "componentType": FLOAT, "count": count, "type": "VEC3"}),
            );
            let (bytes, component): (Vec<u8>, u32) = if count <= usize::from(u16::MAX) {
                (surface.indices.iter().flat_map(|i| (*i as u16).to_le_bytes()).collect(), SHORT)
            } else {
                (surface.indices.iter().flat_map(|i| i.to_le_bytes()).collect(), INT)
            };
            let indices = self.accessor(
                bytes,
                ELEMENT_BUFFER,
                json!({
                "componentType": component, "count": surface.indices.len(), "type": "SCALAR"}),
            );
            triangles += surface.indices.len() / 3;
            primitives.push(json!({
                "attributes": {"POSITION": position, "NORMAL": normal},
                "indices": indices, "material": materials.index(material)}));
        }
        self.triangles += triangles;
        self.drawn_triangles.push(triangles);
        self.meshes.push(json!({"name": name, "primitives": primitives}));
        Some(self.meshes.len() - 1)
    }

    fn accessor(&mut self, bytes: Vec<u8>, target: u32, mut accessor: Value) -> usize {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
        self.views.push(
            json!({"buffer": 0, "byteOffset": self.bytes.len(), "byteLength": bytes.len(), "target": target}),
        );
        self.bytes.extend(bytes);
        accessor["bufferView"] = json!(self.views.len() - 1);
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    /// Writes the file; `root` is the index of the root node, `extras` go to the scene.
    pub fn write(
        mut self,
        root: usize,
        materials: &Materials,
        extras: Value,
        copyright: &str,
    ) -> (Vec<u8>, crate::Stats) {
        let drawn = self.nodes.iter().filter_map(|n| n.mesh).map(|m| self.drawn_triangles[m]).sum();
        let stats = crate::Stats {
            nodes: self.nodes.len(),
            meshes: self.meshes.len(),
            materials: materials.list().len(),
            triangles_stored: self.triangles,
            triangles_drawn: drawn,
        };
        let nodes: Vec<Value> = self.nodes.iter().map(node_json).collect();
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
        let mut asset = json!({"version": "2.0", "generator": "campanile scene build"});
        if !copyright.is_empty() {
            asset["copyright"] = json!(copyright);
        }
        let document = json!({
            "asset": asset,
            "scene": 0,
            "scenes": [{"nodes": [root], "extras": extras}],
            "nodes": nodes,
            "meshes": self.meshes,
            "materials": materials.list(),
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self.bytes.len()}],
        });
        let mut text = document.to_string().into_bytes();
        while !text.len().is_multiple_of(4) {
            text.push(b' ');
        }
        let total = 12 + 8 + text.len() + 8 + self.bytes.len();
        let mut file = Vec::with_capacity(total);
        let word = |file: &mut Vec<u8>, n: usize| file.extend((n as u32).to_le_bytes());
        file.extend(b"glTF");
        word(&mut file, 2);
        word(&mut file, total);
        word(&mut file, text.len());
        file.extend(b"JSON");
        file.extend(text);
        word(&mut file, self.bytes.len());
        file.extend(b"BIN\0");
        file.extend(self.bytes);
        (file, stats)
    }
}

fn node_json(node: &Node) -> Value {
    let mut extras = json!({"path": node.path, "kind": node.kind});
    if let Some(storey) = &node.storey {
        extras["storey"] = json!(storey);
    }
    let mut json = json!({"name": node.name, "extras": extras});
    if let Some(mesh) = node.mesh {
        json["mesh"] = json!(mesh);
    }
    if !node.children.is_empty() {
        json["children"] = json!(node.children);
    }
    if let Some((translation, angle, scale)) = &node.placed {
        json["translation"] = json!(translation);
        if *angle != 0.0 {
            json["rotation"] =
                json!([0.0, libm::sin(angle / 2.0) as f32, 0.0, libm::cos(angle / 2.0) as f32]);
        }
        if *scale != [1.0; 3] {
            json["scale"] = json!(scale);
        }
    }
    json
}
