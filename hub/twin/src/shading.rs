//! How surfaces are drawn: as well as a graphics card can, or as a processor can that stands in for one.

use bevy::prelude::*;
use bevy::render::renderer::RenderAdapterInfo;
use bevy::shader::Shader;

/// How surfaces are drawn.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shading {
    /// With shadows, smooth edges and the renderer's own materials.
    Fine,
    /// Without, and with a shader of its own.
    Plain,
}

/// Where the renderer has the shader of its materials.
const STANDARD: &str = "embedded://bevy_pbr/render/pbr.wgsl";

/// Whether a processor draws in a graphics card's stead.
pub fn is_software(adapter: &RenderAdapterInfo) -> bool {
    ["llvmpipe", "lavapipe", "SwiftShader", "Basic Render"].iter().any(|name| adapter.name.contains(name))
}

/// Chooses how to draw, before anything is made that depends on it. The plain shader is for what a browser offers, where a
/// processor takes seconds for the other; on desktops it manages some pictures a second.
pub fn choose_shading(mut commands: Commands<'_, '_>, adapter: Res<'_, RenderAdapterInfo>) {
    let is_plain = cfg!(target_arch = "wasm32") && is_software(&adapter);
    commands.insert_resource(if is_plain { Shading::Plain } else { Shading::Fine });
}

/// Puts the plain shader in the place of the renderer's own once that is there; pipelines are made anew then.
pub fn plain_shader_system(
    shading: Res<'_, Shading>,
    server: Res<'_, AssetServer>,
    mut shaders: ResMut<'_, Assets<Shader>>,
    mut standard: Local<'_, Option<Handle<Shader>>>,
    mut is_done: Local<'_, bool>,
) {
    if *is_done || *shading == Shading::Fine {
        return;
    }
    let handle = standard.get_or_insert_with(|| server.load(STANDARD));
    if shaders.contains(&*handle) {
        let plain = Shader::from_wgsl(include_str!("plain.wgsl"), "campanile_twin/plain.wgsl");
        // An asset that has gone is not drawn with.
        let _ = shaders.insert(&*handle, plain);
        *is_done = true;
    }
}
