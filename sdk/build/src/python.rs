use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, cache, finish, manifest::Manifest, read, run, sdk, write};

/// The tool, and the version that makes components of this contract.
const VERSION: &str = "0.25.1";
const MEND: &str = "Python 3.10 or newer with venv and pip is needed once (on Debian: apt-get install python3-venv), or \
                    componentize-py 0.25.1 on PATH";

/// Makes a component of `app.py` and what it imports. What is generated stays in `target/python`.
pub(crate) fn component(dir: &Path) -> Result<Vec<u8>, Error> {
    let target = dir.join("target/python");
    let world = Manifest::read(dir)?.kind;
    // A copy, since Python leaves what it has compiled beside the source.
    sdk::stage(dir, &target, &["py"])?;
    let sdk = sdk::folder(&target, "python", "campanile_plugin", &target)?;
    for (path, bytes) in sdk::files(&["wit"]) {
        write(&target.join("contract").join(path), bytes)?;
    }
    let out = target.join("plugin.wasm");
    let mut tool = Command::new(tool()?);
    tool.arg("--quiet").arg("--wit-path").arg(target.join("contract/sdk/wit")).args(["--world", &world]);
    // What would read the machine does nothing instead; what it would be for is refused before, with its line.
    tool.args(["componentize", "--stub-wasi", "campanile_entry"]);
    tool.arg("--python-path").arg(&target).arg("--python-path").arg(sdk).arg("--output").arg(&out);
    // Packages of an environment that happens to be active are not the plugin's.
    tool.env_remove("VIRTUAL_ENV").env_remove("PYTHONPATH");
    run(&mut tool, MEND)?;
    read(&out)
}

/// Where the tool is: as `COMPONENTIZE_PY` says, on PATH in the right version, else fetched once into the cache.
fn tool() -> Result<PathBuf, Error> {
    if let Some(tool) = env::var_os("COMPONENTIZE_PY") {
        return Ok(tool.into());
    }
    let own = cache().join(format!("python-{VERSION}"));
    let tool = own.join(if cfg!(windows) { "Scripts/componentize-py.exe" } else { "bin/componentize-py" });
    let is_right = |tool: &Path| {
        let said = finish(Command::new(tool).arg("--version"), MEND);
        said.is_ok_and(|(_, stdout, _)| String::from_utf8_lossy(&stdout).trim().ends_with(VERSION))
    };
    if tool.is_file() && is_right(&tool) {
        return Ok(tool);
    }
    let on_path = PathBuf::from("componentize-py");
    if is_right(&on_path) {
        return Ok(on_path);
    }
    eprintln!("fetching componentize-py {VERSION} into {} (once)", own.display());
    // What an interrupted attempt has left.
    if own.exists() {
        fs::remove_dir_all(&own).map_err(|source| Error::File { path: own.clone(), source })?;
    }
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    run(Command::new(python).args(["-m", "venv"]).arg(&own), MEND)?;
    let pip = tool.with_file_name(if cfg!(windows) { "pip.exe" } else { "pip" });
    let package = format!("componentize-py=={VERSION}");
    run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check", &package]), MEND)?;
    Ok(tool)
}
