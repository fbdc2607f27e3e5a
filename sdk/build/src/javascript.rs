use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, cache, manifest::Manifest, read, run, sdk, write};

/// The tool, and the version that makes components of this contract.
const VERSION: &str = "0.23.0";
const MEND: &str = "Node.js 20 or newer with npm is needed (https://nodejs.org)";
/// What the cache is asked for; the second is the tool's own tool, whose newer versions nobody has tried.
const PACKAGES: &str = r#"{
  "private": true,
  "dependencies": { "@bytecodealliance/componentize-js": "0.23.0" },
  "overrides": { "@bytecodealliance/jco": "1.15.1" }
}
"#;

/// Makes a component of `index.js` and what it imports. All of it is put together in `target/js`.
pub(crate) fn component(dir: &Path) -> Result<Vec<u8>, Error> {
    let target = dir.join("target/js");
    let world = Manifest::read(dir)?.kind;
    sdk::stage(dir, &target, &["js", "mjs"])?;
    sdk::folder(&target, "js", "core.js", &target)?;
    for (path, bytes) in sdk::files(&["wit"]) {
        write(&target.join("contract").join(path), bytes)?;
    }
    let tool = tool()?.join("node_modules/@bytecodealliance/componentize-js/src/componentize.js");
    write(&target.join("build.mjs"), script(&tool, &world).as_bytes())?;
    run(Command::new(node()).current_dir(&target).arg("build.mjs"), MEND)?;
    read(&target.join("plugin.wasm"))
}

fn node() -> std::ffi::OsString {
    env::var_os("NODE").unwrap_or_else(|| "node".into())
}

/// What runs the tool. Without all of its features no WASI is left: what they are for is in the contract.
fn script(tool: &Path, world: &str) -> String {
    format!(
        r#"import {{ writeFileSync }} from "node:fs";
import {{ pathToFileURL }} from "node:url";

const {{ componentize }} = await import(pathToFileURL({tool:?}));
const {{ component }} = await componentize({{
  sourcePath: "index.js",
  witPath: "contract/sdk/wit",
  worldName: "{world}",
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
}});
writeFileSync("plugin.wasm", component);
"#
    )
}

/// Where the tool is: as `COMPONENTIZE_JS` says (a folder with its `node_modules`), else fetched once into the cache.
fn tool() -> Result<PathBuf, Error> {
    if let Some(folder) = env::var_os("COMPONENTIZE_JS") {
        return Ok(folder.into());
    }
    let own = cache().join(format!("js-{VERSION}"));
    let ready = own.join("ready");
    if ready.is_file() {
        return Ok(own);
    }
    eprintln!("fetching componentize-js {VERSION} into {} (once, some minutes)", own.display());
    write(&own.join("package.json"), PACKAGES.as_bytes())?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let quiet = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new(npm).current_dir(&own).args(quiet), MEND)?;
    write(&ready, b"")?;
    Ok(own)
}
