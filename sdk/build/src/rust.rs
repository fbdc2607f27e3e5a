use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Language, Place, finish, read, run, source::Source};

const TARGET: &str = "wasm32-unknown-unknown";
const RUSTUP: &str = "Rust is installed from https://rustup.rs";

/// What of cargo's messages is of use here.
#[derive(serde::Deserialize)]
struct Message {
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

fn cargo(dir: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(dir);
    cargo
}

/// Compiles the crate in a directory to a core module.
pub(crate) fn module(dir: &Path, arguments: &[String]) -> Result<Vec<u8>, Error> {
    check_target(dir)?;
    let mut cargo = cargo(dir);
    cargo.args(["build", "--release", "--lib", "--target", TARGET]);
    cargo.arg("--message-format=json-render-diagnostics").args(arguments);
    let messages = run(&mut cargo, RUSTUP)?;
    // The crate itself is built last.
    let module = messages
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .flat_map(|message| message.filenames)
        .rfind(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    read(&module.ok_or_else(|| Error::NoModule(dir.into()))?)
}

/// Cargo's own words for a missing target are a page on `core` that can't be found.
fn check_target(dir: &Path) -> Result<(), Error> {
    // Set where the standard library is built from its source, as with Debian's Rust.
    if env::var_os("CARGO_UNSTABLE_BUILD_STD").is_some() {
        return Ok(());
    }
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let libraries =
        run(rustc.current_dir(dir).args(["--print", "target-libdir", "--target", TARGET]), RUSTUP)?;
    if Path::new(String::from_utf8_lossy(&libraries).trim()).is_dir() { Ok(()) } else { Err(Error::NoTarget) }
}

/// Says of a foreign import where it comes from: the line that calls it, else the crates that bring it in.
pub(crate) fn located(error: Error, dir: &Path) -> Error {
    let Error::ForeignImport { import, mut hint, .. } = error else { return error };
    let function = import.rsplit('.').next().unwrap_or(&import).to_owned();
    let place = Source::of(Language::Rust, dir).ok().and_then(|sources| {
        // Declared in an `extern` block: what is looked for is the call.
        sources.iter().find_map(|source| {
            Some(Place { path: source.path.clone(), line: source.line_of_use(&format!("{function}("))? })
        })
    });
    if place.is_none()
        && import.starts_with("__wbindgen")
        && let Some(way) = brought_by(dir, "wasm-bindgen")
    {
        hint = format!("{hint}. Here it comes by {way}");
    }
    Error::ForeignImport { import, hint, place }
}

/// The crates through which a crate comes, from it to the plugin.
fn brought_by(dir: &Path, name: &str) -> Option<String> {
    let mut tree = cargo(dir);
    tree.args(["tree", "--invert", name, "--target", TARGET, "--edges", "normal", "--prefix", "depth"]);
    let (status, stdout, _) = finish(tree.stdin(Stdio::null()), RUSTUP).ok()?;
    let text = status.success().then(|| String::from_utf8_lossy(&stdout).into_owned())?;
    let mut way: Vec<&str> = Vec::new();
    for line in text.lines() {
        let digits = line.chars().take_while(char::is_ascii_digit).count();
        let depth: usize = line[..digits].parse().ok()?;
        if depth < way.len() {
            // The first way is enough.
            break;
        }
        way.push(line[digits..].split(" (").next().unwrap_or_default());
    }
    Some(way.join(" ← "))
}
