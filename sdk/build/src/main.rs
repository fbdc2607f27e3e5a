//! `campanile-plugin-build DIR OUT`: the plugin in a directory as a component.

use std::{env, path::Path, process::ExitCode};

use campanile_plugin_build::{build, imports};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [dir, out] = arguments.as_slice() else {
        eprintln!(
            "Builds the plugin in a directory (Rust or C) as a component.\n\n\
             Usage: campanile-plugin-build DIR OUT\n\
             Example: campanile-plugin-build my-plugin my-plugin.wasm"
        );
        return ExitCode::from(2);
    };
    match make(Path::new(dir), Path::new(out)) {
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

fn make(dir: &Path, out: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let component = build(dir)?;
    std::fs::write(out, &component).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(format!("{}: {} bytes, imports {}", out.display(), component.len(), imports(&component)?.join(", ")))
}
