//! Named materials: those of the house, and those of the plan's constructions.

use std::collections::BTreeMap;

use campanile_model::Construction;
use serde_json::{Value, json};

/// A material of the house: name, sRGB colour, opacity, roughness, metalness.
const HOUSE: &[(&str, &str, f64, f64, f64)] = &[
    ("plaster", "#efece4", 1.0, 0.9, 0.0),
    ("concrete", "#b9b6ae", 1.0, 0.9, 0.0),
    ("floor", "#d9cfbd", 1.0, 0.8, 0.0),
    ("glass", "#9fc3d6", 0.35, 0.08, 0.0),
    ("frame", "#f4f4f1", 1.0, 0.5, 0.0),
    ("door", "#a9825a", 1.0, 0.6, 0.0),
    ("steel", "#8d9499", 1.0, 0.45, 0.7),
    ("solar", "#1c2b4a", 1.0, 0.25, 0.3),
    ("grass", "#7fa05a", 1.0, 1.0, 0.0),
    ("asphalt", "#5c5e60", 1.0, 0.95, 0.0),
    ("paving", "#c2b8a6", 1.0, 0.9, 0.0),
    ("permeable-paving", "#b3a48e", 1.0, 0.95, 0.0),
    ("soil", "#8a6b4d", 1.0, 1.0, 0.0),
    ("track", "#b5533c", 1.0, 0.9, 0.0),
    ("turf", "#5f9a4c", 1.0, 1.0, 0.0),
    ("court", "#4c7f9b", 1.0, 0.85, 0.0),
    ("gravel", "#aaa397", 1.0, 1.0, 0.0),
    ("sand", "#dcc999", 1.0, 1.0, 0.0),
    ("deck", "#a57f56", 1.0, 0.8, 0.0),
    ("crop", "#8fae4f", 1.0, 1.0, 0.0),
    ("planting", "#5d8a48", 1.0, 1.0, 0.0),
    ("line", "#f2f2ee", 1.0, 0.8, 0.0),
    ("water", "#4f8fa8", 0.82, 0.12, 0.0),
    ("bark", "#6e5540", 1.0, 1.0, 0.0),
    ("leaf-dark", "#42693a", 1.0, 1.0, 0.0),
    ("leaf-mid", "#5f8a44", 1.0, 1.0, 0.0),
    ("leaf-ginkgo", "#86a746", 1.0, 1.0, 0.0),
    ("wood", "#c69c6d", 1.0, 0.7, 0.0),
    ("board", "#2f4f45", 1.0, 0.8, 0.0),
    ("linen", "#dfe6ea", 1.0, 0.9, 0.0),
    ("red", "#b8433a", 1.0, 0.6, 0.0),
    ("marking", "#3e8e5a", 1.0, 0.8, 0.0),
];

/// The materials used, numbered by first use.
#[derive(Debug, Default)]
pub struct Materials {
    known: BTreeMap<String, (String, f64, f64, f64)>,
    used: Vec<String>,
}

impl Materials {
    pub fn new(constructions: &BTreeMap<String, Construction>) -> Self {
        let house = HOUSE.iter().map(|(n, c, a, r, m)| ((*n).to_owned(), ((*c).to_owned(), *a, *r, *m)));
        let plan = constructions.iter().map(|(id, c)| {
            let opacity = if c.kind == campanile_model::ConstructionKind::Glazing { 0.35 } else { 1.0 };
            (construction(id), (c.colour.clone(), opacity, c.roughness.map_or(0.85, f64::from), 0.0))
        });
        Self { known: house.chain(plan).collect(), used: Vec::new() }
    }

    /// The number of a material in the file.
    pub fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.used.iter().position(|n| n == name) {
            return index;
        }
        self.used.push(name.to_owned());
        self.used.len() - 1
    }

    /// The materials as glTF.
    pub fn list(&self) -> Vec<Value> {
        self.used
            .iter()
            .map(|name| {
                let fallback = ("#cccccc".to_owned(), 1.0, 0.9, 0.0);
                let (colour, alpha, roughness, metal) = self.known.get(name).unwrap_or(&fallback);
                let [r, g, b] = linear(colour);
                let mut json = json!({"name": name, "pbrMetallicRoughness": {
                    "baseColorFactor": [r, g, b, alpha], "roughnessFactor": roughness, "metallicFactor": metal}});
                if *alpha < 1.0 {
                    json["alphaMode"] = json!("BLEND");
                }
                json
            })
            .collect()
    }
}

/// The name of a construction's material.
pub fn construction(id: &str) -> String {
    format!("construction/{id}")
}

/// `#rrggbb` as linear components (IEC 61966-2-1); grey where it is none, which the check has reported.
fn linear(colour: &str) -> [f64; 3] {
    let byte = |i: usize| {
        colour.get(1 + 2 * i..3 + 2 * i).and_then(|t| u8::from_str_radix(t, 16).ok()).unwrap_or(200)
    };
    [0, 1, 2].map(|i| {
        let c = f64::from(byte(i)) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
    })
}
