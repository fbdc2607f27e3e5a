use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::Error;

/// What a plugin may import.
pub const CONTRACT: &str = "campanile:plugin/*@0.1.0";

fn is_contract(import: &str) -> bool {
    import.strip_prefix("campanile:plugin/").is_some_and(|rest| rest.ends_with("@0.1.0"))
}

/// Makes a component of a core module that carries the contract (as `wit-bindgen` writes it), validates it, and refuses
/// one that imports anything outside [`CONTRACT`].
pub fn component(core: &[u8]) -> Result<Vec<u8>, Error> {
    // The encoder would refuse these as well, but can't say where they come from.
    refuse_foreign(imports(core)?)?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(core)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| Error::NotAPlugin(format!("{error:#}")))?;
    checked(component)
}

/// Refuses a component that imports anything outside [`CONTRACT`]: what a tool says of its own work is not asked.
pub(crate) fn checked(component: Vec<u8>) -> Result<Vec<u8>, Error> {
    refuse_foreign(imports(&component)?)?;
    Ok(component)
}

fn refuse_foreign(imports: Vec<String>) -> Result<(), Error> {
    match imports.into_iter().find(|import| !is_contract(import)) {
        Some(import) => Err(Error::ForeignImport { hint: hint(&import).into(), import, place: None }),
        None => Ok(()),
    }
}

/// What pulls an import in, as a rule.
fn hint(import: &str) -> &'static str {
    if import.starts_with("wasi") {
        "this is WASI. Rust: build for wasm32-unknown-unknown, not wasm32-wasip1 or wasip2, and leave out crates that \
         link C against wasi-libc. C: leave out wasi-libc (printf, fopen, time, rand). The time is in `clock`, lines for \
         people go to `log`, and what must last to `store`"
    } else if import.starts_with("__wbindgen") || import.starts_with("wbg") {
        "this is wasm-bindgen, for browsers. It comes by the features `js` or `wasm_js` of getrandom, `wasmbind` of \
         chrono, or by web-time, instant or js-sys: `cargo tree -i wasm-bindgen` shows by which"
    } else if import.starts_with("env") {
        "a function is declared and nowhere defined: a crate that expects a C library, or a C function that \
         campanile_shim.c does not have"
    } else {
        "a plugin has no other way to the outside"
    }
}

/// What a core module or a component imports, by the name of the interface (of a core module: of the module; where that
/// is not an interface, with the name of the function).
pub fn imports(wasm: &[u8]) -> Result<Vec<String>, Error> {
    let unreadable = |error: wasmparser::BinaryReaderError| Error::NotAPlugin(error.to_string());
    let mut imports = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(unreadable)? {
            // What is inside a component imports from that component.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import.map_err(unreadable)?;
                    imports.push(if is_contract(import.module) {
                        import.module.to_owned()
                    } else {
                        format!("{}.{}", import.module, import.name)
                    });
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(unreadable)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    imports.sort();
    imports.dedup();
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{EntityType, ImportSection, Module, TypeSection};

    fn core_importing(module: &str, function: &str) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import(module, function, EntityType::Function(0));
        let mut core = Module::new();
        core.section(&types).section(&imports);
        core.finish()
    }

    fn refusal(module: &str, function: &str) -> String {
        component(&core_importing(module, function)).unwrap_err().to_string()
    }

    #[test]
    fn a_foreign_import_is_named_with_what_pulls_it_in() {
        let wasi = refusal("wasi_snapshot_preview1", "fd_write");
        assert!(wasi.contains("`wasi_snapshot_preview1.fd_write`") && wasi.contains("wasi-libc"), "{wasi}");
        let component_model_wasi = refusal("wasi:clocks/wall-clock@0.2.0", "now");
        assert!(component_model_wasi.contains("this is WASI"), "{component_model_wasi}");
        let browser = refusal("__wbindgen_placeholder__", "__wbindgen_throw");
        assert!(browser.contains("getrandom"), "{browser}");
        let undefined = refusal("env", "sqrt");
        assert!(undefined.contains("`env.sqrt`") && undefined.contains("nowhere defined"), "{undefined}");
    }

    #[test]
    fn another_version_of_the_contract_is_foreign() {
        assert!(
            refusal("campanile:plugin/log@0.2.0", "write").contains("`campanile:plugin/log@0.2.0.write`")
        );
    }

    #[test]
    fn a_module_without_the_contract_is_no_plugin() {
        let error = component(&core_importing("campanile:plugin/log@0.1.0", "write")).unwrap_err();
        assert!(matches!(error, Error::NotAPlugin(_)), "{error}");
        assert!(matches!(component(b"text"), Err(Error::NotAPlugin(_))));
    }
}
