//! `campanile-twin`: the campus in 3D, in a window, as a picture, or in a page of the hub.

#[cfg(not(target_arch = "wasm32"))]
mod command;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    command::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {
    campanile_twin::run_page();
}
