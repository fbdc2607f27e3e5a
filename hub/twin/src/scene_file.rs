//! Reads a `.glb` from memory into plain arrays. It knows nothing of the renderer.

use std::collections::BTreeMap;

use bevy::math::{Mat4, Vec3};
use serde::Deserialize;

use crate::orbit::Bounds;

/// A whole scene: meshes and materials by index, and the nodes that use them.
#[derive(Debug, Default)]
pub struct SceneFile {
    /// The meshes; many nodes may share one.
    pub meshes: Vec<MeshData>,
    /// The materials.
    pub materials: Vec<MaterialData>,
    /// The nodes that draw something, with their place in the world.
    pub nodes: Vec<NodeData>,
    /// What each entity's nodes span, by path.
    pub bounds: BTreeMap<String, Bounds>,
}

/// Triangles of one material.
#[derive(Debug, Default)]
pub struct MeshData {
    /// Vertices, metres.
    pub positions: Vec<[f32; 3]>,
    /// Their normals; empty where the file has none.
    pub normals: Vec<[f32; 3]>,
    /// Their colours, linear; empty where the file has none.
    pub colours: Vec<[f32; 4]>,
    /// Three a triangle.
    pub indices: Vec<u32>,
    /// Index into [`SceneFile::materials`].
    pub material: Option<usize>,
}

/// How a surface looks.
#[derive(Clone, Debug, PartialEq)]
pub struct MaterialData {
    /// Its name in the file.
    pub name: String,
    /// Linear RGBA.
    pub base_colour: [f32; 4],
    /// 0 mirror to 1 matt.
    pub roughness: f32,
    /// 0 or 1.
    pub metallic: f32,
    /// Whether it is blended by its alpha.
    pub blend: bool,
    /// Whether both sides are drawn.
    pub double_sided: bool,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeData {
    /// From the mesh to the world.
    pub transform: Mat4,
    /// Indices into [`SceneFile::meshes`].
    pub meshes: Vec<usize>,
    /// The path of its entity; empty where it has none.
    pub path: String,
    /// What it is, such as `space` or `roof`; empty where the file doesn't say.
    pub kind: String,
    /// The path of the storey that it belongs to, if the file says.
    pub storey: Option<String>,
    /// What it spans in the world.
    pub bounds: Bounds,
}

/// The extras of a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Extras {
    path: String,
    kind: String,
    storey: Option<String>,
}

/// Why a scene can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// It is not glTF.
    #[error("the scene is not a binary glTF file: {0}")]
    Gltf(#[from] gltf::Error),
    /// It has no scene.
    #[error("the glTF file has no scene")]
    NoScene,
    /// An accessor reaches beyond its buffer.
    #[error("accessor {0} of the glTF file reaches beyond the data: build the scene again")]
    OutOfData(usize),
    /// It is larger than the twin can draw.
    #[error("the scene has more {what} than {limit}: split or simplify it")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// An index names no vertex.
    #[error("mesh {0} of the glTF file names a vertex that it doesn't have: build the scene again")]
    Index(usize),
}

const MAX_VERTICES: usize = 20_000_000;
const MAX_NODES: usize = 1_000_000;
const MAX_DEPTH: usize = 64;

impl SceneFile {
    /// Reads a `.glb`.
    ///
    /// # Errors
    /// [`SceneError`] where it isn't one, reaches beyond its data, or is too large.
    pub fn read(bytes: &[u8]) -> Result<Self, SceneError> {
        let file = gltf::Gltf::from_slice(bytes)?;
        let blob = file.blob.as_deref().unwrap_or(&[]);
        check_accessors(&file.document, blob.len())?;
        let mut scene = SceneFile {
            materials: file.document.materials().map(|m| read_material(&m)).collect(),
            ..Self::default()
        };
        let mut first_mesh = Vec::new();
        let mut vertices = 0;
        for mesh in file.document.meshes() {
            let start = scene.meshes.len();
            for primitive in mesh.primitives() {
                if primitive.mode() != gltf::mesh::Mode::Triangles {
                    continue;
                }
                let data = read_primitive(&primitive, blob, mesh.index())?;
                vertices += data.positions.len();
                if vertices > MAX_VERTICES {
                    return Err(SceneError::TooLarge { what: "vertices", limit: MAX_VERTICES });
                }
                scene.meshes.push(data);
            }
            first_mesh.push(start..scene.meshes.len());
        }
        let root = file.document.default_scene().or_else(|| file.document.scenes().next());
        for node in root.ok_or(SceneError::NoScene)?.nodes() {
            scene.add_node(&node, Mat4::IDENTITY, &Extras::default(), &first_mesh, 0)?;
        }
        Ok(scene)
    }

    fn add_node(
        &mut self,
        node: &gltf::Node<'_>,
        parent: Mat4,
        inherited: &Extras,
        meshes: &[std::ops::Range<usize>],
        depth: usize,
    ) -> Result<(), SceneError> {
        if depth > MAX_DEPTH {
            return Err(SceneError::TooLarge { what: "levels of nodes", limit: MAX_DEPTH });
        }
        let transform = parent * Mat4::from_cols_array_2d(&node.transform().matrix());
        let own: Extras =
            node.extras().as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        // A part of an entity without a path of its own belongs to the entity.
        let extras = Extras {
            kind: if own.kind.is_empty() { inherited.kind.clone() } else { own.kind },
            path: if own.path.is_empty() { inherited.path.clone() } else { own.path },
            storey: own.storey.or_else(|| inherited.storey.clone()),
        };
        if let Some(range) = node.mesh().and_then(|mesh| meshes.get(mesh.index())) {
            if self.nodes.len() >= MAX_NODES {
                return Err(SceneError::TooLarge { what: "nodes", limit: MAX_NODES });
            }
            let mut bounds = Bounds::EMPTY;
            for mesh in &self.meshes[range.clone()] {
                for position in &mesh.positions {
                    bounds.include(transform.transform_point3(Vec3::from_array(*position)));
                }
            }
            if !extras.path.is_empty() && !bounds.is_empty() {
                let all = self.bounds.entry(extras.path.clone()).or_insert(Bounds::EMPTY);
                *all = all.union(bounds);
            }
            self.nodes.push(NodeData {
                transform,
                meshes: range.clone().collect(),
                path: extras.path.clone(),
                kind: extras.kind.clone(),
                storey: extras.storey.clone(),
                bounds,
            });
        }
        for child in node.children() {
            self.add_node(&child, transform, &extras, meshes, depth + 1)?;
        }
        Ok(())
    }

    /// What an entity and everything in it span.
    pub fn bounds_within(&self, path: &str) -> Option<Bounds> {
        let below = format!("{path}/");
        let inside = self.bounds.range(below.clone()..).take_while(|(p, _)| p.starts_with(&below));
        let all = self.bounds.get(path).into_iter().chain(inside.map(|(_, b)| b));
        let union = all.copied().fold(Bounds::EMPTY, Bounds::union);
        (!union.is_empty()).then_some(union)
    }
}

/// The reader of the `gltf` crate slices by these numbers, so they are checked first.
fn check_accessors(document: &gltf::Document, blob_len: usize) -> Result<(), SceneError> {
    for accessor in document.accessors() {
        let out = || SceneError::OutOfData(accessor.index());
        if accessor.sparse().is_some() {
            return Err(out());
        }
        let Some(view) = accessor.view() else { continue };
        let view_end = view.offset().checked_add(view.length()).ok_or_else(out)?;
        let stride = view.stride().unwrap_or(accessor.size());
        let reach = accessor
            .count()
            .checked_sub(1)
            .and_then(|n| n.checked_mul(stride))
            .and_then(|n| n.checked_add(accessor.offset()))
            .and_then(|n| n.checked_add(accessor.size()))
            .ok_or_else(out)?;
        if view_end > blob_len || reach > view.length() || view.buffer().index() != 0 {
            return Err(out());
        }
    }
    Ok(())
}

fn read_material(material: &gltf::Material<'_>) -> MaterialData {
    let pbr = material.pbr_metallic_roughness();
    MaterialData {
        name: material.name().unwrap_or_default().to_owned(),
        base_colour: pbr.base_color_factor(),
        roughness: pbr.roughness_factor(),
        metallic: pbr.metallic_factor(),
        blend: material.alpha_mode() == gltf::material::AlphaMode::Blend,
        double_sided: material.double_sided(),
    }
}

fn read_primitive(primitive: &gltf::Primitive<'_>, blob: &[u8], mesh: usize) -> Result<MeshData, SceneError> {
    let reader = primitive.reader(|buffer| (buffer.index() == 0).then_some(blob));
    let positions: Vec<[f32; 3]> = reader.read_positions().map(Iterator::collect).unwrap_or_default();
    let indices: Vec<u32> = match reader.read_indices() {
        Some(indices) => indices.into_u32().collect(),
        None => (0..positions.len() as u32).collect(),
    };
    let n = positions.len();
    if indices.iter().any(|i| *i as usize >= n) || !indices.len().is_multiple_of(3) {
        return Err(SceneError::Index(mesh));
    }
    let normals: Vec<[f32; 3]> = reader.read_normals().map(Iterator::collect).unwrap_or_default();
    let colours: Vec<[f32; 4]> =
        reader.read_colors(0).map(|c| c.into_rgba_f32().collect()).unwrap_or_default();
    Ok(MeshData {
        normals: if normals.len() == n { normals } else { Vec::new() },
        colours: if colours.len() == n { colours } else { Vec::new() },
        positions,
        indices,
        material: primitive.material().index(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A `.glb` of one triangle of a metre that a JSON of nodes may use as mesh 0.
    pub(crate) fn glb(nodes: &str) -> Vec<u8> {
        let mut bin: Vec<u8> = Vec::new();
        for x in [0f32, 0., 0., 1., 0., 0., 0., 0., 1.] {
            bin.extend_from_slice(&x.to_le_bytes());
        }
        bin.extend_from_slice(&[0, 0, 1, 0, 2, 0, 0, 0]);
        let json = format!(
            r#"{{"asset":{{"version":"2.0"}},"scene":0,"scenes":[{{"nodes":[0]}}],"nodes":{nodes},
            "meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}},"indices":1,"material":0}}]}}],
            "materials":[{{"name":"brick","pbrMetallicRoughness":{{"baseColorFactor":[0.5,0.2,0.1,1.0]}}}}],
            "accessors":[{{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3","min":[0,0,0],"max":[1,0,1]}},
            {{"bufferView":1,"componentType":5123,"count":3,"type":"SCALAR"}}],
            "bufferViews":[{{"buffer":0,"byteLength":36}},{{"buffer":0,"byteOffset":36,"byteLength":6}}],
            "buffers":[{{"byteLength":{}}}]}}"#,
            bin.len()
        );
        pack(&json, &bin)
    }

    fn pack(json: &str, bin: &[u8]) -> Vec<u8> {
        let mut json = json.as_bytes().to_vec();
        json.resize(json.len().next_multiple_of(4), b' ');
        let mut out = b"glTF".to_vec();
        out.extend_from_slice(&2u32.to_le_bytes());
        out.extend_from_slice(&((12 + 8 + json.len() + 8 + bin.len()) as u32).to_le_bytes());
        for (kind, chunk) in [(b"JSON", json.as_slice()), (b"BIN\0", bin)] {
            out.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
            out.extend_from_slice(kind);
            out.extend_from_slice(chunk);
        }
        out
    }

    pub(crate) const NODES: &str = r#"[{"translation":[10,0,0],"children":[1,2],"extras":{"path":"a","kind":"building"}},
        {"mesh":0,"translation":[0,3,0],"extras":{"path":"a/1f/101","kind":"space","storey":"a/1f"}},
        {"mesh":0,"scale":[2,2,2]}]"#;

    #[test]
    fn nodes_have_their_place_and_their_entity() {
        let scene = SceneFile::read(&glb(NODES)).unwrap();
        assert_eq!(scene.meshes.len(), 1, "both nodes share the mesh");
        assert_eq!(scene.meshes[0].indices, [0, 1, 2]);
        assert_eq!(scene.materials[0].base_colour, [0.5, 0.2, 0.1, 1.0]);
        let [space, part] = scene.nodes.as_slice() else { unreachable!("two nodes draw") };
        assert_eq!((space.path.as_str(), space.storey.as_deref()), ("a/1f/101", Some("a/1f")));
        assert_eq!(space.bounds.min, Vec3::new(10.0, 3.0, 0.0));
        assert_eq!((part.path.as_str(), part.kind.as_str()), ("a", "building"), "inherited");
        let whole = scene.bounds_within("a").unwrap();
        assert_eq!((whole.min, whole.max), (Vec3::new(10., 0., 0.), Vec3::new(12., 3., 2.)));
        assert_eq!(scene.bounds_within("b"), None);
    }

    #[test]
    fn broken_files_are_errors() {
        assert!(matches!(SceneFile::read(b"not a scene"), Err(SceneError::Gltf(_))));
        let good = String::from_utf8_lossy(&glb(NODES)).into_owned();
        let json = &good[good.find('{').unwrap()..=good.rfind('}').unwrap()];
        let bin = &glb(NODES)[glb(NODES).len() - 44..];
        let far = json.replace(r#""count":3,"type":"VEC3""#, r#""count":3000,"type":"VEC3""#);
        assert!(matches!(SceneFile::read(&pack(&far, bin)), Err(SceneError::OutOfData(0))));
        let mut wrong = bin.to_vec();
        wrong[36] = 9;
        assert!(matches!(SceneFile::read(&pack(json, &wrong)), Err(SceneError::Index(0))));
    }
}
