//! What is shipped beside the program: interpreters of scripts, and plugins of the house.

use std::path::PathBuf;

use crate::manifest::Kind;

/// Where it lies: the first that is there of `$CAMPANILE_PLUGINS`, `plugins` beside the program or beside its folder,
/// and `/usr/lib/campanile/plugins`.
pub fn shipped_dir() -> Option<PathBuf> {
    let asked = std::env::var_os("CAMPANILE_PLUGINS").map(PathBuf::from);
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(PathBuf::from));
    let near = beside.into_iter().flat_map(|dir| [dir.join("plugins"), dir.join("../plugins")]);
    let system = PathBuf::from("/usr/lib/campanile/plugins");
    asked.into_iter().chain(near).chain([system]).find(|dir| dir.is_dir())
}

/// The component there that runs scripts of Rhai of a kind.
pub fn interpreter_file(kind: Kind) -> &'static str {
    match kind {
        Kind::Rule => "rhai-rule.wasm",
        Kind::Activity => "rhai-activity.wasm",
        Kind::Drill => "rhai-drill.wasm",
    }
}
