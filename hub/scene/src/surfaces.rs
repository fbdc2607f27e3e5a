//! The named surfaces of a scene: fixed ones, and one a construction of the plan.

use campanile_model::{ConstructionKind, Cover, GreenKind, Plan};

use crate::document::Surface;

/// A surface by sRGB colour and opacity.
pub(crate) fn surface(name: &str, rgb: u32, alpha: f32, roughness: f32, metallic: f32) -> Surface {
    let [_, r, g, b] = rgb.to_be_bytes();
    Surface {
        name: name.to_owned(),
        colour: [linear(r), linear(g), linear(b), alpha],
        roughness,
        metallic,
        double_sided: false,
    }
}

fn linear(byte: u8) -> f32 {
    let c = f64::from(byte) / 255.0;
    let c = if c <= 0.040_45 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) };
    c as f32
}

/// The surface of a construction; concrete grey where the plan doesn't have it.
pub(crate) fn construction(plan: &Plan, id: &str) -> Surface {
    let Some(found) = plan.constructions.get(id) else { return concrete() };
    let rgb = found.colour.strip_prefix('#').and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let glass = found.kind == ConstructionKind::Glazing;
    let (alpha, roughness) = if glass { (0.38, 0.08) } else { (1.0, 0.85) };
    surface(id, rgb.unwrap_or(0x00B8_B8B4), alpha, found.roughness.unwrap_or(roughness), 0.0)
}

pub(crate) fn concrete() -> Surface {
    surface("concrete", 0x00B9_B6AF, 1.0, 0.9, 0.0)
}

pub(crate) fn steel() -> Surface {
    surface("steel", 0x00A9_AEB2, 1.0, 0.4, 0.8)
}

pub(crate) fn aluminium() -> Surface {
    surface("aluminium", 0x00E4_E6E6, 1.0, 0.5, 0.1)
}

pub(crate) fn dark_metal() -> Surface {
    surface("dark-metal", 0x0047_4E52, 1.0, 0.5, 0.4)
}

pub(crate) fn wood() -> Surface {
    surface("wood", 0x00C6_9A63, 1.0, 0.7, 0.0)
}

pub(crate) fn glass() -> Surface {
    surface("glass", 0x008F_B9CC, 0.38, 0.08, 0.0)
}

pub(crate) fn solar() -> Surface {
    surface("solar-cells", 0x0016_2743, 1.0, 0.25, 0.2)
}

pub(crate) fn white() -> Surface {
    surface("white-paint", 0x00F4_F4F0, 1.0, 0.6, 0.0)
}

pub(crate) fn black() -> Surface {
    surface("dark-plastic", 0x0024_2629, 1.0, 0.6, 0.0)
}

pub(crate) fn board() -> Surface {
    surface("blackboard", 0x0022_4A3B, 1.0, 0.8, 0.0)
}

pub(crate) fn blue() -> Surface {
    surface("blue-plastic", 0x003F_76A8, 1.0, 0.6, 0.0)
}

pub(crate) fn red() -> Surface {
    surface("red", 0x00CC_2F2A, 1.0, 0.6, 0.0)
}

pub(crate) fn green_sign() -> Surface {
    surface("green-sign", 0x0011_8A4B, 1.0, 0.6, 0.0)
}

pub(crate) fn bedding() -> Surface {
    surface("bedding", 0x00DC_E4EC, 1.0, 0.9, 0.0)
}

pub(crate) fn water() -> Surface {
    surface("water", 0x003E_7C8C, 0.82, 0.06, 0.0)
}

pub(crate) fn bark() -> Surface {
    surface("bark", 0x0070_5A45, 1.0, 0.95, 0.0)
}

pub(crate) fn floor() -> Surface {
    surface("floor", 0x00D8_D3C6, 1.0, 0.6, 0.0)
}

pub(crate) fn grass() -> Surface {
    cover(Cover::Grass)
}

/// The surface of a ground cover.
pub(crate) fn cover(cover: Cover) -> Surface {
    let (name, rgb) = match cover {
        Cover::Grass => ("grass", 0x0083_A45C),
        Cover::Asphalt => ("asphalt", 0x0062_6466),
        Cover::Concrete => ("concrete-paving", 0x00BC_B9B1),
        Cover::Paving => ("paving", 0x00CD_C3B2),
        Cover::PermeablePaving => ("permeable-paving", 0x00BF_B29D),
        Cover::Soil => ("soil", 0x008C_6E50),
        Cover::Track => ("track-red", 0x00B6_4E3F),
        Cover::Turf => ("turf", 0x005E_9A4B),
        Cover::Court => ("court", 0x0046_7F6C),
        Cover::Gravel => ("gravel", 0x00AA_A59A),
        Cover::Sand => ("sand", 0x00E0_CC9C),
        Cover::Deck => ("deck", 0x00A8_7F56),
        Cover::Crop => ("crop", 0x007F_9A45),
        Cover::Planting => ("planting", 0x006B_8B4F),
    };
    surface(name, rgb, 1.0, 0.95, 0.0)
}

/// The surface of what grows.
pub(crate) fn green(kind: GreenKind) -> Surface {
    let (name, rgb) = match kind {
        GreenKind::Lawn => ("lawn", 0x0078_A055),
        GreenKind::Bed => ("flowers", 0x00C9_6F8E),
        GreenKind::Hedge => ("hedge", 0x004C_7A3C),
        GreenKind::Shrubs => ("shrubs", 0x0058_8645),
        GreenKind::Farm => ("vegetables", 0x006F_9E3C),
        GreenKind::Reeds => ("reeds", 0x00A2_A65C),
        GreenKind::RainGarden => ("rain-garden", 0x0066_8F5E),
    };
    surface(name, rgb, 1.0, 0.95, 0.0)
}
