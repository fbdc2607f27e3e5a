//! The director of a drill: a plugin in the folder `director` of its own, a script as a rule.
//!
//! It touches nothing but the rehearsal and is part of the campus as its drill is, so that nobody has to approve it.

use std::path::Path as FsPath;
use std::sync::Arc;

use campanile_model::Campus;
use campanile_plugins::{Approval, Budget, Kind, Package, ReadyError, Runtime, Saved, Seat};

/// The folder of a drill's director.
pub const DIRECTOR: &str = "director";

/// The director of the drill in a folder, if it has one. `runtime` gives the engine of plugins, which is not needed
/// where there is none.
///
/// # Errors
/// What is wrong with it, for people.
pub fn director(
    dir: &FsPath,
    campus: &Arc<Campus>,
    runtime: impl FnOnce() -> Result<Arc<Runtime>, ReadyError>,
) -> Result<Option<Seat>, ReadyError> {
    let folder = dir.join(DIRECTOR);
    if !folder.is_dir() {
        return Ok(None);
    }
    let package = Package::pack(&folder)?;
    if package.manifest.kind != Kind::Drill {
        return Err(ReadyError::Kind { place: folder.display().to_string(), wanted: "drill" });
    }
    let runtime = runtime()?;
    let approval = Approval::of_all(&package, "drill");
    let (compiled, grants) = package.ready(&runtime, campus.clone(), &approval)?;
    Ok(Some(Seat::new(runtime, compiled, grants, Budget::Fuel, Saved::default())))
}
