//! `campanile-plugin-build DIR OUT`: the plugin in a directory as a component. `campanile-plugin-build --new LANGUAGE KIND
//! DIR`: a plugin to begin from. What `campanile plugin` does with a terminal and a hub, for scripts that build the SDK.

use std::{env, path::Path, process::ExitCode};

use campanile_plugin_build::{Built, Project, build_with, imports, template};

const USAGE: &str = "Builds the plugin in a directory (Rust, C, Python or JavaScript) as a component.

Usage: campanile-plugin-build DIR OUT [ARGUMENTS OF THE COMPILER]
       campanile-plugin-build --new rust|c|python|js|rhai rule|activity|drill DIR
Example: campanile-plugin-build my-plugin my-plugin.wasm";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let made = match arguments.as_slice() {
        ["--new", language, kind, dir] => new(language, kind, Path::new(dir)),
        [dir, out, more @ ..] if !dir.starts_with('-') => make(Path::new(dir), Path::new(out), more),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match made {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Made = Result<String, Box<dyn std::error::Error>>;

fn make(dir: &Path, out: &Path, more: &[&str]) -> Made {
    let more: Vec<String> = more.iter().map(|&argument| argument.to_owned()).collect();
    match build_with(dir, &more)? {
        Built::Component(component) => {
            std::fs::write(out, &component).map_err(|error| format!("{}: {error}", out.display()))?;
            let imports = imports(&component)?.join(", ");
            Ok(format!("{}: {} bytes, imports {imports}", out.display(), component.len()))
        }
        Built::Script(file) => Ok(format!("{}: a script, run as it is", file.display())),
    }
}

fn new(language: &str, kind: &str, dir: &Path) -> Made {
    let id = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let project = Project { id: &id, zh: &id, en: &id, kind: kind.parse()? };
    let files = template(language.parse()?, &project);
    for (path, bytes) in &files {
        let path = dir.join(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, bytes)?;
    }
    Ok(format!("{}: {} files", dir.display(), files.len()))
}
