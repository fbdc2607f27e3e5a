//! Lists the files of the SDK, which go into the program and from there into each project: nothing has to be fetched.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Folders of the SDK and what they are called in a project.
const FOLDERS: [(&str, &str); 5] =
    [("wit", "sdk/wit"), ("rust", "sdk/rust"), ("c", "sdk/c"), ("python", "sdk"), ("js", "sdk")];

fn main() -> io::Result<()> {
    let sdk = PathBuf::from("..");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    // Copied, so that what was built in one checkout does not look into it from another that shares its target folder.
    let copies = out.join("sdk");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    let mut list = String::new();
    for (folder, name) in FOLDERS {
        let root = sdk.join(folder);
        println!("cargo::rerun-if-changed={}", root.display());
        let mut files = Vec::new();
        walk(&root, &mut files)?;
        // The order of a directory is the machine's.
        files.sort();
        for file in files {
            let inner = file.strip_prefix(&root).map_err(io::Error::other)?;
            let inner = inner.to_string_lossy().replace('\\', "/");
            let copy = copies.join(folder).join(&inner);
            fs::create_dir_all(copy.parent().unwrap_or(&copies))?;
            fs::copy(&file, &copy)?;
            list +=
                &format!("    ({folder:?}, {:?}, include_bytes!({:?})),\n", format!("{name}/{inner}"), copy);
        }
    }
    fs::write(out.join("files.rs"), format!("[\n{list}]\n"))
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "__pycache__", "node_modules"].contains(&name.as_str()) {
            walk(&path, files)?;
        } else if path.is_file() && name != "Cargo.lock" {
            files.push(path);
        }
    }
    Ok(())
}
