// Surfaces as a processor can draw them that has to stand in for a graphics card: one sun, light from the sky, haze. The
// standard shader of the renderer runs all of its branches there for every pixel, also those of textures and lamps that
// nothing here has: it takes ten times as long.
#import bevy_pbr::{
    forward_io::{VertexOutput, FragmentOutput},
    mesh_view_bindings::{view, lights, fog},
    pbr_bindings::material,
    pbr_types::{
        STANDARD_MATERIAL_FLAGS_UNLIT_BIT, STANDARD_MATERIAL_FLAGS_FOG_ENABLED_BIT,
        STANDARD_MATERIAL_FLAGS_ALPHA_MODE_RESERVED_BITS, STANDARD_MATERIAL_FLAGS_ALPHA_MODE_OPAQUE,
    },
}

const PI: f32 = 3.14159265;

@fragment
fn fragment(in: VertexOutput, @builtin(front_facing) is_front: bool) -> FragmentOutput {
    let flags = material.flags;
    var colour = material.base_color;
#ifdef VERTEX_COLORS
    colour *= in.color;
#endif
    if (flags & STANDARD_MATERIAL_FLAGS_ALPHA_MODE_RESERVED_BITS) == STANDARD_MATERIAL_FLAGS_ALPHA_MODE_OPAQUE {
        colour.a = 1.0;
    }
    if (flags & STANDARD_MATERIAL_FLAGS_UNLIT_BIT) == 0u {
        let normal = normalize(select(-in.world_normal, in.world_normal, is_front));
        let towards_sun = max(dot(normal, lights.directional_lights[0].direction_to_light), 0.0);
        // A matt surface: Lambert's law.
        let light = lights.directional_lights[0].color.rgb * (towards_sun / PI) + lights.ambient_color.rgb;
        colour = vec4(colour.rgb * light * view.exposure, colour.a);
    }
#ifdef DISTANCE_FOG
    if (flags & STANDARD_MATERIAL_FLAGS_FOG_ENABLED_BIT) != 0u {
        let far = distance(in.world_position.xyz, view.world_position);
        let share = clamp((far - fog.be.x) / (fog.be.y - fog.be.x), 0.0, 1.0) * fog.base_color.a;
        colour = vec4(mix(colour.rgb, fog.base_color.rgb, share), colour.a);
    }
#endif
    var out: FragmentOutput;
    out.color = colour;
    return out;
}
