use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, read, run};

const TARGET: &str = "wasm32-unknown-unknown";
const RUSTUP: &str = "Rust is installed from https://rustup.rs";

/// What of cargo's messages is of use here.
#[derive(serde::Deserialize)]
struct Message {
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Compiles the crate in a directory to a core module.
pub(crate) fn module(dir: &Path) -> Result<Vec<u8>, Error> {
    check_target(dir)?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(dir).args(["build", "--release", "--lib", "--target", TARGET]);
    cargo.arg("--message-format=json-render-diagnostics");
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
