//! The published JSON Schemas are those of the types.

#![allow(clippy::unwrap_used)]

use std::path::Path;

/// Set this variable to write the schemas instead of comparing them.
const UPDATE: &str = "CAMPANILE_UPDATE_SCHEMAS";

#[test]
fn published_schemas_are_up_to_date() {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../docs/schema");
    for (name, schema) in [
        ("plan.schema.json", campanile_model::plan_schema()),
        ("campus.schema.json", campanile_model::campus_schema()),
    ] {
        let file = folder.join(name);
        let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os(UPDATE).is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(found == wanted, "docs/schema/{name} is out of date: run with {UPDATE}=1 to write it");
    }
}
