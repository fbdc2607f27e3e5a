//! The JSON Schemas of the two files.

use serde_json::Value;

use crate::{CampusFile, Plan};

/// The JSON Schema (2020-12) of `plan.json`.
pub fn plan_schema() -> Value {
    schemars::schema_for!(Plan).to_value()
}

/// The JSON Schema (2020-12) of `campus.toml`, as of the JSON that the TOML stands for.
pub fn campus_schema() -> Value {
    schemars::schema_for!(CampusFile).to_value()
}
