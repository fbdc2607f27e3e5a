//! The scene in the renderer: its materials, its parts, and where its nodes belong.

use bevy::prelude::*;

use crate::orbit::Bounds;
use crate::parts::{Build, Parts, Seconds, despawn};
use crate::scene_file::{MaterialData, SceneFile};
use crate::state::Index;
use crate::storeys::{NodePlace, Storeys};

/// The scene once it is built.
#[derive(Resource, Default)]
pub struct Scene3d {
    /// The file, without the meshes' arrays.
    pub file: SceneFile,
    /// A scene that waits for the catalogue, which says what storeys there are.
    waiting: Option<SceneFile>,
    /// The materials that drawn parts share, by their names in the file.
    pub named_materials: Vec<(String, Handle<StandardMaterial>)>,
    /// The storeys.
    pub storeys: Storeys,
    pub(crate) places: Vec<NodePlace>,
    /// Counts the scenes built.
    pub generation: u64,
    /// Counts the times that storeys were found.
    pub indexed: u64,
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
    fn reindex(&mut self, index: &Index, parts: &mut Parts) {
        self.storeys = Storeys::find(index, &self.file);
        self.places = self.file.nodes.iter().map(|node| self.storeys.place(node)).collect();
        for part in &mut parts.list {
            let node = part.pieces.first().and_then(|piece| self.places.get(piece.node));
            part.place = node.cloned().unwrap_or_default();
        }
        self.indexed += 1;
    }

    /// Takes a scene that has come; it is built once the catalogue is there too.
    pub fn take(&mut self, file: SceneFile) {
        self.waiting = Some(file);
    }
}

/// Builds the scene that waits, in the place of the one before, and finds the storeys of a catalogue that has changed.
pub fn build_scene(
    index: &Index,
    scene: &mut Scene3d,
    parts: &mut Parts,
    commands: &mut Commands<'_, '_>,
    meshes: &mut Assets<Mesh>,
    materials: &mut Assets<StandardMaterial>,
) {
    let Some(file) = scene.waiting.take() else {
        scene.reindex(index, parts);
        return;
    };
    despawn(parts, commands);
    let in_file: Vec<Handle<StandardMaterial>> =
        file.materials.iter().map(|material| materials.add(material_of(material))).collect();
    let names = file.materials.iter().map(|material| material.name.clone());
    scene.named_materials = names.zip(in_file.iter().cloned()).collect();
    scene.file = file;
    scene.reindex(index, parts);
    let of_water = scene
        .file
        .nodes
        .iter()
        .filter(|node| node.kind == "water")
        .flat_map(|node| &node.meshes)
        .filter_map(|&mesh| in_file.get(scene.file.meshes.get(mesh)?.material?))
        .find_map(|handle| materials.get(handle))
        .cloned()
        .unwrap_or_default();
    let build = Build {
        file: &mut scene.file,
        storeys: &scene.storeys,
        places: &scene.places,
        materials: &in_file,
        plain: materials.add(StandardMaterial { perceptual_roughness: 0.9, ..default() }),
        water: materials.add(StandardMaterial {
            base_color: Color::srgb(0.36, 0.58, 0.66),
            perceptual_roughness: 0.12,
            reflectance: 0.6,
            alpha_mode: AlphaMode::Opaque,
            ..of_water
        }),
        seconds: Seconds {
            lit: materials.add(StandardMaterial {
                base_color: Color::srgb(1.0, 0.87, 0.58),
                unlit: true,
                fog_enabled: false,
                ..default()
            }),
            // Unlit, so that a colour in the picture is the colour in the legend.
            painted: materials.add(StandardMaterial { unlit: true, ..default() }),
        },
    };
    *parts = build.spawn(commands, meshes);
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
