use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wit_bindgen_core::{
    Files,
    wit_parser::{Resolve, SourceMap},
};

use crate::{Error, read, run, write};

const WIT: [(&str, &str); 3] = [
    ("types.wit", include_str!("../../wit/types.wit")),
    ("capabilities.wit", include_str!("../../wit/capabilities.wit")),
    ("worlds.wit", include_str!("../../wit/worlds.wit")),
];
/// The few functions of the C library that generated bindings call, and their headers.
const SHIM: [(&str, &str); 3] = [
    ("campanile_shim.c", include_str!("../../c/campanile_shim.c")),
    ("stdlib.h", include_str!("../../c/include/stdlib.h")),
    ("string.h", include_str!("../../c/include/string.h")),
];
const FLAGS: [&str; 9] = [
    "--target=wasm32-unknown-unknown",
    "-std=c17",
    "-O2",
    "-nostdlib",
    // The headers of the machine's own C library promise what is not there.
    "-nostdlibinc",
    "-ffreestanding",
    // Else a loop in the shim's memcpy becomes a call of memcpy.
    "-fno-builtin",
    // With the stack first, one that overflows traps; else it would run into the data.
    "-Wl,--no-entry,--strip-debug,--stack-first,-z,stack-size=131072",
    "-Wall",
];
const CLANG: &str = "on Debian: apt-get install clang lld (14 or newer); CC names another clang";

#[derive(serde::Deserialize)]
struct Manifest {
    kind: String,
}

/// Compiles the C sources in a directory (and in its `src`) to a core module. What is generated stays in `target/c`,
/// where editors find the headers.
pub(crate) fn module(dir: &Path) -> Result<Vec<u8>, Error> {
    let sources = sources(dir)?;
    if sources.is_empty() {
        return Err(Error::NoSource(dir.into()));
    }
    let generated = dir.join("target/c");
    fs::create_dir_all(&generated).map_err(|source| Error::File { path: generated.clone(), source })?;
    for (name, text) in SHIM {
        write(&generated.join(name), text.as_bytes())?;
    }
    let world = world(dir)?;
    let bindings = bindings(&world).map_err(|message| Error::Manifest {
        path: dir.join("plugin.toml"),
        message: format!("kind: {message}"),
    })?;
    for (name, bytes) in bindings.iter() {
        write(&generated.join(name), bytes)?;
    }

    let snake = world.replace('-', "_");
    let module = generated.join("plugin.wasm");
    let mut clang = Command::new(std::env::var_os("CC").unwrap_or_else(|| "clang".into()));
    clang.args(FLAGS).arg("-isystem").arg(&generated).args(sources);
    clang.arg(generated.join(format!("{snake}.c"))).arg(generated.join(format!("{snake}_component_type.o")));
    clang.arg(generated.join("campanile_shim.c")).arg("-o").arg(&module);
    run(&mut clang, CLANG)?;
    read(&module)
}

fn sources(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut sources = Vec::new();
    for folder in [dir.to_owned(), dir.join("src")].iter().filter(|folder| folder.is_dir()) {
        let unreadable = |source| Error::File { path: folder.clone(), source };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "c") {
                sources.push(path);
            }
        }
    }
    // The order of a directory is the machine's; the same source is to give the same component.
    sources.sort();
    Ok(sources)
}

/// C says nowhere else which world it is for.
fn world(dir: &Path) -> Result<String, Error> {
    let path = dir.join("plugin.toml");
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let manifest: Manifest =
        toml::from_str(&text).map_err(|error| Error::Manifest { path, message: error.to_string() })?;
    Ok(manifest.kind)
}

/// The header, the glue and the object file with the contract.
fn bindings(world: &str) -> Result<Files, String> {
    let mut sources = SourceMap::new();
    for (name, text) in WIT {
        sources.push(Path::new(name), text);
    }
    let mut resolve = Resolve::default();
    let mut files = Files::default();
    let group = sources.parse().map_err(|(_, error)| error.to_string())?;
    let package = resolve.push_group(group).map_err(|error| error.to_string())?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|error| format!("{error:#}"))?;
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).map_err(|error| format!("{error:#}"))?;
    Ok(files)
}
