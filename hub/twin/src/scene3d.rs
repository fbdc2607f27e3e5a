//! The scene in the renderer: meshes, materials, and what a slice hides.

use bevy::asset::RenderAssetUsages;
use bevy::light::NotShadowCaster;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use crate::app::Twin;
use crate::orbit::Bounds;
use crate::scene_file::{MaterialData, MeshData, SceneFile};
use crate::sight::Own;
use crate::storeys::{NodePlace, Storeys};

/// Which node of the scene file an entity draws.
#[derive(Component)]
pub struct DrawnNode(pub usize);

/// A pane of glass, with what it is made of by day.
#[derive(Component)]
pub struct Glass(pub Handle<StandardMaterial>);

/// The scene once it is built.
#[derive(Resource, Default)]
pub struct Scene3d {
    /// The file, without the meshes' arrays.
    pub file: SceneFile,
    /// Everything drawn, for the next scene to remove.
    drawn: Vec<Entity>,
    /// The floors of the spaces, with the material of each.
    pub floors: Vec<Floor>,
    /// The materials that drawn parts share, by their names in the file.
    pub named_materials: Vec<(String, Handle<StandardMaterial>)>,
    /// The storeys; empty until the catalogue has come too.
    pub storeys: Storeys,
    pub(crate) places: Vec<NodePlace>,
    /// Counts the scenes built.
    pub generation: u64,
    /// Counts the times that storeys were found.
    pub indexed: u64,
}

/// The floor of a space.
pub struct Floor {
    /// The path of the space.
    pub path: String,
    /// Its own material, so that it has its own colour.
    pub material: Handle<StandardMaterial>,
    /// The colour where nothing colours it.
    pub own_colour: Color,
}

impl Scene3d {
    /// The bounds of the buildings and what people built, without terrain and far river.
    pub fn campus_bounds(&self) -> Bounds {
        let built = |kind: &str| matches!(kind, "space" | "wall" | "roof" | "slab" | "storey" | "building");
        let fold = |only_built: bool| {
            self.file
                .nodes
                .iter()
                .filter(|n| !only_built || built(&n.kind))
                .fold(Bounds::EMPTY, |all, n| all.union(n.bounds))
        };
        let built = fold(true);
        if built.is_empty() { fold(false) } else { built }
    }

    /// Finds storeys and places anew, when the scene or the catalogue has changed.
    pub fn reindex(&mut self, twin: &Twin) {
        if let Some(index) = &twin.state.index {
            self.storeys = Storeys::find(index, &self.file);
        }
        self.places = self.file.nodes.iter().map(|node| self.storeys.place(node)).collect();
        self.indexed += 1;
    }
}

/// Replaces the scene by another.
pub fn build_scene(
    file: SceneFile,
    scene: &mut Scene3d,
    commands: &mut Commands<'_, '_>,
    meshes: &mut Assets<Mesh>,
    materials: &mut Assets<StandardMaterial>,
) {
    for entity in scene.drawn.drain(..) {
        commands.entity(entity).despawn();
    }
    scene.floors.clear();
    let mesh_materials: Vec<Option<usize>> = file.meshes.iter().map(|m| m.material).collect();
    let shared_materials: Vec<Handle<StandardMaterial>> =
        file.materials.iter().map(|m| materials.add(material_of(m))).collect();
    let names = file.materials.iter().map(|m| m.name.clone());
    scene.named_materials = names.zip(shared_materials.iter().cloned()).collect();
    let plain = materials.add(StandardMaterial { perceptual_roughness: 0.9, ..default() });
    let mut file = file;
    let handles: Vec<Handle<Mesh>> =
        std::mem::take(&mut file.meshes).into_iter().map(|m| meshes.add(mesh_of(m))).collect();
    for (i, node) in file.nodes.iter().enumerate() {
        let transform = Transform::from_matrix(node.transform);
        for &mesh in &node.meshes {
            let material_index = mesh_materials.get(mesh).copied().flatten();
            let mut material = material_index.and_then(|m| shared_materials.get(m)).unwrap_or(&plain).clone();
            let mut own = materials.get(&material).cloned().unwrap_or_default();
            match node.kind.as_str() {
                "space" => {
                    let own_colour = own.base_color;
                    material = materials.add(own);
                    scene.floors.push(Floor {
                        path: node.path.clone(),
                        material: material.clone(),
                        own_colour,
                    });
                }
                "water" => {
                    own.base_color = Color::srgb(0.36, 0.58, 0.66);
                    own.perceptual_roughness = 0.12;
                    own.reflectance = 0.6;
                    own.alpha_mode = AlphaMode::Opaque;
                    material = materials.add(own);
                }
                _ => {}
            }
            let Some(handle) = handles.get(mesh) else { continue };
            let own = Own { material: material.clone(), height_m: transform.translation.y };
            let mut entity = commands.spawn((
                Mesh3d(handle.clone()),
                MeshMaterial3d(material),
                transform,
                DrawnNode(i),
                own,
            ));
            let is_glass = material_index.and_then(|m| file.materials.get(m)).is_some_and(|m| m.blend);
            if is_glass && node.kind == "opening" {
                let by_day = material_index.and_then(|m| shared_materials.get(m)).unwrap_or(&plain).clone();
                entity.insert(Glass(by_day));
            }
            if is_glass || matches!(node.kind.as_str(), "space" | "water" | "ground") {
                entity.insert(NotShadowCaster);
            }
            scene.drawn.push(entity.id());
        }
    }
    scene.file = file;
    scene.generation += 1;
}

fn material_of(data: &MaterialData) -> StandardMaterial {
    let [r, g, b, a] = data.base_colour;
    StandardMaterial {
        base_color: Color::LinearRgba(LinearRgba::new(r, g, b, if data.blend { a } else { 1.0 })),
        perceptual_roughness: data.roughness.clamp(0.089, 1.0),
        metallic: data.metallic,
        reflectance: if data.blend { 0.7 } else { 0.25 },
        alpha_mode: if data.blend { AlphaMode::Blend } else { AlphaMode::Opaque },
        double_sided: data.double_sided,
        cull_mode: if data.double_sided { None } else { Some(bevy::render::render_resource::Face::Back) },
        ..default()
    }
}

fn mesh_of(data: MeshData) -> Mesh {
    let has_normals = !data.normals.is_empty();
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, data.positions)
        .with_inserted_indices(Indices::U32(data.indices));
    if !data.colours.is_empty() {
        mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, data.colours);
    }
    if has_normals {
        mesh.insert_attribute(Mesh::ATTRIBUTE_NORMAL, data.normals);
    } else {
        // Flat normals need vertices of their own.
        mesh.duplicate_vertices();
        mesh.compute_flat_normals();
    }
    mesh
}
