//! Puts meshes, materials and nodes into one binary glTF file.

use std::collections::BTreeMap;

use gltf_json as json;
use json::validation::{Checked, USize64};
use serde::Serialize;

use crate::SceneError;
use crate::mesh::Mesh;

/// A finished binary glTF 2.0 file.
#[derive(Clone, Debug)]
pub struct Glb {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is in it.
    pub stats: Stats,
}

/// What a scene consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Nodes of the tree.
    pub nodes: usize,
    /// Nodes that have the path of an entity of their own.
    pub entities: usize,
    /// Meshes; nodes share them.
    pub meshes: usize,
    /// Primitives, each of one material.
    pub primitives: usize,
    /// Materials.
    pub materials: usize,
    /// Vertices stored.
    pub vertices: usize,
    /// Triangles stored.
    pub triangles: usize,
    /// Triangles drawn, shared meshes counted at each use.
    pub triangles_drawn: usize,
}

/// How a surface looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Surface {
    pub name: String,
    /// Linear RGBA.
    pub colour: [f32; 4],
    pub roughness: f32,
    pub metallic: f32,
    pub double_sided: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MeshId(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(usize);

/// A node to be added.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewNode {
    pub name: String,
    /// The path of its entity; empty for a part of its parent's.
    pub path: String,
    pub kind: &'static str,
    /// The path of its storey.
    pub storey: Option<String>,
    pub mesh: Option<MeshId>,
    /// In glTF axes, metres.
    pub translation: Option<[f32; 3]>,
    /// Turn about the upright axis, degrees counter-clockwise seen from above.
    pub turn_deg: f64,
    pub scale: Option<[f32; 3]>,
}

#[derive(Serialize)]
struct Extras<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    storey: Option<&'a str>,
}

/// The twin's limit too.
const MAX_VERTICES: usize = 20_000_000;
const MAX_NODES: usize = 1_000_000;

#[derive(Default)]
pub(crate) struct Document {
    root: json::Root,
    children: Vec<Vec<u32>>,
    positions: Vec<u8>,
    normals: Vec<u8>,
    indices: Vec<u8>,
    stats: Stats,
    triangles_of: Vec<usize>,
    materials: BTreeMap<String, usize>,
}

impl Document {
    /// The number of a material; one name is one material.
    pub fn material(&mut self, surface: &Surface) -> usize {
        if let Some(known) = self.materials.get(&surface.name) {
            return *known;
        }
        let blend = surface.colour[3] < 1.0;
        let alpha_mode = if blend { json::material::AlphaMode::Blend } else { json::material::AlphaMode::Opaque };
        let index = self.root.materials.len();
        self.root.materials.push(json::Material {
            name: Some(surface.name.clone()),
            alpha_mode: Checked::Valid(alpha_mode),
            double_sided: surface.double_sided,
            pbr_metallic_roughness: json::material::PbrMetallicRoughness {
                base_color_factor: json::material::PbrBaseColorFactor(surface.colour),
                metallic_factor: json::material::StrengthFactor(surface.metallic),
                roughness_factor: json::material::StrengthFactor(surface.roughness),
                ..Default::default()
            },
            ..Default::default()
        });
        self.materials.insert(surface.name.clone(), index);
        index
    }

    /// Adds a mesh of one primitive a surface; `None` where nothing would be drawn.
    pub fn mesh(&mut self, name: &str, parts: &[(&Surface, &Mesh)]) -> Result<Option<MeshId>, SceneError> {
        let mut primitives = Vec::new();
        let mut triangles = 0;
        for (surface, mesh) in parts.iter().filter(|(_, mesh)| !mesh.is_empty()) {
            let material = self.material(surface);
            primitives.push(self.primitive(mesh, material)?);
            triangles += mesh.indices.len() / 3;
        }
        if primitives.is_empty() {
            return Ok(None);
        }
        self.stats.primitives += primitives.len();
        self.stats.triangles += triangles;
        self.triangles_of.push(triangles);
        self.root.meshes.push(json::Mesh {
            extensions: None,
            extras: None,
            name: Some(name.to_owned()),
            primitives,
            weights: None,
        });
        Ok(Some(MeshId(self.root.meshes.len() - 1)))
    }

    fn primitive(&mut self, mesh: &Mesh, material: usize) -> Result<json::mesh::Primitive, SceneError> {
        let count = mesh.positions.len();
        self.stats.vertices += count;
        if self.stats.vertices > MAX_VERTICES {
            return Err(SceneError::TooLarge { what: "vertices", limit: MAX_VERTICES });
        }
        let (mut min, mut max) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        for p in &mesh.positions {
            if p.iter().any(|c| !c.is_finite()) {
                return Err(SceneError::NotFinite);
            }
            for k in 0..3 {
                min[k] = min[k].min(p[k]);
                max[k] = max[k].max(p[k]);
            }
        }
        let position = self.accessor(0, self.positions.len(), count, Some((min, max)));
        let normal = self.accessor(1, self.normals.len(), count, None);
        self.positions.extend(mesh.positions.iter().flatten().flat_map(|c| c.to_le_bytes()));
        self.normals.extend(mesh.normals.iter().flatten().flat_map(|c| c.to_le_bytes()));
        let small = count <= usize::from(u16::MAX);
        let kind = if small { json::accessor::ComponentType::U16 } else { json::accessor::ComponentType::U32 };
        let indices = json::Index::push(&mut self.root.accessors, json::Accessor {
            buffer_view: Some(json::Index::new(2)),
            byte_offset: Some(USize64::from(self.indices.len())),
            count: USize64::from(mesh.indices.len()),
            component_type: Checked::Valid(json::accessor::GenericComponentType(kind)),
            type_: Checked::Valid(json::accessor::Type::Scalar),
            ..accessor()
        });
        if small {
            self.indices.extend(mesh.indices.iter().flat_map(|i| (*i as u16).to_le_bytes()));
        } else {
            self.indices.extend(mesh.indices.iter().flat_map(|i| i.to_le_bytes()));
        }
        self.indices.resize(self.indices.len().next_multiple_of(4), 0);
        Ok(json::mesh::Primitive {
            attributes: BTreeMap::from([
                (Checked::Valid(json::mesh::Semantic::Positions), position),
                (Checked::Valid(json::mesh::Semantic::Normals), normal),
            ]),
            extensions: None,
            extras: None,
            indices: Some(indices),
            material: Some(json::Index::new(material as u32)),
            mode: Checked::Valid(json::mesh::Mode::Triangles),
            targets: None,
        })
    }

    fn accessor(
        &mut self,
        view: u32,
        offset: usize,
        count: usize,
        bounds: Option<([f32; 3], [f32; 3])>,
    ) -> json::Index<json::Accessor> {
        json::Index::push(&mut self.root.accessors, json::Accessor {
            buffer_view: Some(json::Index::new(view)),
            byte_offset: Some(USize64::from(offset)),
            count: USize64::from(count),
            component_type: Checked::Valid(json::accessor::GenericComponentType(json::accessor::ComponentType::F32)),
            type_: Checked::Valid(json::accessor::Type::Vec3),
            min: bounds.map(|(min, _)| json::Value::from(min.to_vec())),
            max: bounds.map(|(_, max)| json::Value::from(max.to_vec())),
            ..accessor()
        })
    }

    /// Adds a node; without a parent it is a root of the scene.
    pub fn node(&mut self, parent: Option<NodeId>, new: NewNode) -> Result<NodeId, SceneError> {
        let index = self.root.nodes.len();
        if index >= MAX_NODES {
            return Err(SceneError::TooLarge { what: "nodes", limit: MAX_NODES });
        }
        if !new.path.is_empty() {
            self.stats.entities += 1;
        }
        if let Some(MeshId(mesh)) = new.mesh {
            self.stats.triangles_drawn += self.triangles_of.get(mesh).copied().unwrap_or(0);
        }
        let extras = Extras { path: &new.path, kind: new.kind, storey: new.storey.as_deref() };
        let half = (new.turn_deg / 2.0).to_radians();
        let (sin, cos) = libm::sincos(half);
        let rotation = json::scene::UnitQuaternion([0.0, sin as f32, 0.0, cos as f32]);
        self.root.nodes.push(json::Node {
            name: Some(new.name),
            extras: Some(raw(&extras)?),
            mesh: new.mesh.map(|MeshId(mesh)| json::Index::new(mesh as u32)),
            translation: new.translation,
            rotation: (new.turn_deg != 0.0).then_some(rotation),
            scale: new.scale,
            ..Default::default()
        });
        self.children.push(Vec::new());
        if let Some(children) = parent.and_then(|NodeId(p)| self.children.get_mut(p)) {
            children.push(index as u32);
        }
        Ok(NodeId(index))
    }

    /// The finished file with one scene whose root is the first node.
    pub fn finish(mut self, name: &str, extras: &impl Serialize) -> Result<Glb, SceneError> {
        for (node, children) in self.root.nodes.iter_mut().zip(&self.children) {
            if !children.is_empty() {
                node.children = Some(children.iter().map(|c| json::Index::new(*c)).collect());
            }
        }
        let mut stats = self.stats;
        stats.nodes = self.root.nodes.len();
        stats.meshes = self.root.meshes.len();
        stats.materials = self.root.materials.len();
        let mut offset = 0;
        let targets = [json::buffer::Target::ArrayBuffer, json::buffer::Target::ElementArrayBuffer];
        for (bytes, target, stride) in [
            (&self.positions, targets[0], Some(12)),
            (&self.normals, targets[0], Some(12)),
            (&self.indices, targets[1], None),
        ] {
            self.root.buffer_views.push(json::buffer::View {
                buffer: json::Index::new(0),
                byte_length: USize64::from(bytes.len()),
                byte_offset: Some(USize64::from(offset)),
                byte_stride: stride.map(json::buffer::Stride),
                target: Some(Checked::Valid(target)),
                name: None,
                extensions: None,
                extras: None,
            });
            offset += bytes.len();
        }
        let binary = [self.positions, self.normals, self.indices].concat();
        self.root.buffers.push(json::Buffer {
            byte_length: USize64::from(binary.len()),
            name: None,
            uri: None,
            extensions: None,
            extras: None,
        });
        self.root.asset.generator = Some("campanile".to_owned());
        self.root.extras = Some(raw(extras)?);
        self.root.scenes.push(json::Scene {
            extensions: None,
            extras: None,
            name: Some(name.to_owned()),
            nodes: vec![json::Index::new(0)],
        });
        self.root.scene = Some(json::Index::new(0));
        let mut text = json::serialize::to_vec(&self.root).map_err(SceneError::Json)?;
        text.resize(text.len().next_multiple_of(4), b' ');
        let total = 12 + 8 + text.len() + 8 + binary.len();
        let size = |n: usize| {
            u32::try_from(n).map_err(|_| SceneError::TooLarge { what: "bytes", limit: u32::MAX as usize })
        };
        let mut bytes = Vec::with_capacity(total);
        bytes.extend(b"glTF");
        bytes.extend(2u32.to_le_bytes());
        bytes.extend(size(total)?.to_le_bytes());
        for (kind, chunk) in [(b"JSON", &text), (b"BIN\0", &binary)] {
            bytes.extend(size(chunk.len())?.to_le_bytes());
            bytes.extend(kind);
            bytes.extend(chunk);
        }
        Ok(Glb { bytes, stats })
    }
}

fn raw(value: &impl Serialize) -> Result<Box<serde_json::value::RawValue>, SceneError> {
    serde_json::value::to_raw_value(value).map_err(SceneError::Json)
}

fn accessor() -> json::Accessor {
    json::Accessor {
        buffer_view: None,
        byte_offset: None,
        count: USize64(0),
        component_type: Checked::Valid(json::accessor::GenericComponentType(json::accessor::ComponentType::F32)),
        extensions: None,
        extras: None,
        type_: Checked::Valid(json::accessor::Type::Vec3),
        min: None,
        max: None,
        name: None,
        normalized: false,
        sparse: None,
    }
}
