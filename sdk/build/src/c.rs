use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wit_bindgen_core::{
    Files,
    wit_parser::{Resolve, SourceMap},
};

use crate::{Error, Language, Place, finish, manifest::Manifest, read, sdk, source::Source, write};

const FLAGS: [&str; 10] = [
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
    // A function that is nowhere is found by the linker, which says so in one way for all.
    "-Wno-implicit-function-declaration",
];
const CLANG: &str = "on Debian: apt-get install clang lld (14 or newer); CC names another clang";

/// Compiles the C sources in a directory (and in its `src`) to a core module. What is generated stays in `target/c`,
/// where editors find the headers.
pub(crate) fn module(dir: &Path, arguments: &[String]) -> Result<Vec<u8>, Error> {
    let sources = sources(dir)?;
    if sources.is_empty() {
        return Err(Error::NoSource(dir.into()));
    }
    let generated = dir.join("target/c");
    fs::create_dir_all(&generated).map_err(|source| Error::File { path: generated.clone(), source })?;
    let shim = sdk::folder(dir, "c", "c/campanile_shim.c", &generated)?.join("c");
    let world = Manifest::read(dir)?.kind;
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
    clang.args(FLAGS).arg("-isystem").arg(shim.join("include")).arg("-isystem").arg(&generated);
    clang.args(arguments).args(sources);
    clang.arg(generated.join(format!("{snake}.c"))).arg(generated.join(format!("{snake}_component_type.o")));
    clang.arg(shim.join("campanile_shim.c")).arg("-o").arg(&module);
    let (status, _, stderr) = finish(&mut clang, CLANG)?;
    let said = String::from_utf8_lossy(&stderr);
    if status.success() {
        // Warnings.
        eprint!("{said}");
        return read(&module);
    }
    if let Some(refused) = undefined(&said, dir) {
        return Err(refused);
    }
    eprint!("{said}");
    Err(Error::Failed { tool: clang.get_program().to_string_lossy().into_owned(), status })
}

/// A function or a header that no plugin has, as the compiler and the linker say it.
fn undefined(said: &str, dir: &Path) -> Option<Error> {
    for line in said.lines() {
        if let Some((place, header)) = line.split_once(": fatal error: '") {
            let (header, _) = header.split_once("' file not found")?;
            let mut parts = place.split(':');
            let place = Place { path: parts.next()?.into(), line: parts.next()?.parse().ok()? };
            return Some(Error::Outside { place, call: format!("#include <{header}>"), mend: mend(header) });
        }
        if let Some((_, function)) = line.split_once("undefined symbol: ") {
            let function = function.trim();
            let sources = Source::of(Language::C, dir).ok()?;
            let found = sources.iter().find_map(|source| {
                Some(Place { path: source.path.clone(), line: source.line_of_use(&format!("{function}("))? })
            });
            return Some(Error::ForeignImport {
                import: format!("env.{function}"),
                hint: format!("{function} is declared and nowhere defined; {}", mend(function)),
                place: found,
            });
        }
    }
    None
}

/// What a plugin has instead of a function or a header of the C library.
fn mend(name: &str) -> &'static str {
    match name.trim_end_matches(".h") {
        "printf" | "fprintf" | "puts" | "putchar" | "stdio" => {
            "lines for people go to campanile_plugin_log_write"
        }
        "sprintf" | "snprintf" => "put the text together by hand, as the template does",
        "fopen" | "open" | "read" | "write" | "fcntl" | "unistd" => {
            "there are no files: what must last is kept by campanile_plugin_store_set"
        }
        "time" | "clock" | "gettimeofday" | "clock_gettime" | "sys/time" => {
            "the time of the world is told by campanile_plugin_clock_now"
        }
        "rand" | "srand" | "random" | "getrandom" => {
            "make random numbers of a seed that is kept by campanile_plugin_store_set"
        }
        "socket" | "connect" | "sys/socket" => {
            "there is no network: a plugin sees the campus and nothing else"
        }
        _ => {
            "a plugin has no C library but stdlib.h (malloc, calloc, realloc, free, abort) and string.h (memcpy, memset, \
             memcmp, strlen): write it, or bring its source"
        }
    }
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

/// The header, the glue and the object file with the contract.
fn bindings(world: &str) -> Result<Files, String> {
    let mut sources = SourceMap::new();
    for (name, bytes) in sdk::files(&["wit"]).filter(|(name, _)| name.ends_with(".wit")) {
        sources.push(Path::new(name), String::from_utf8_lossy(bytes));
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
