//! `docs/plugins/reference.md` is made from the contract: this makes it, and holds it against the file. The names that it
//! gives in each language are looked up in the SDK of that language.
//!
//!     UPDATE=1 cargo test -p campanile-plugin-build --test reference
//!
//! writes it anew.

#![allow(clippy::unwrap_used)]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use wit_bindgen_core::{
    Files,
    wit_parser::{
        Docs, Function, Handle, Interface, InterfaceId, PackageId, Resolve, Type, TypeDef, TypeDefKind,
        TypeOwner, WorldItem, WorldKey,
    },
};

/// The kinds of plugin, as worlds of the contract.
const WORLDS: [&str; 3] = ["rule", "activity", "drill"];
/// The languages, in the order of the tables.
const LANGUAGES: [Language; 5] =
    [Language::Rust, Language::C, Language::Python, Language::JavaScript, Language::Rhai];

const HEAD: &str = r#"# Reference

<!-- Made from sdk/wit by sdk/build/tests/reference.rs. Change the contract, not this page. -->

All that a plugin can be told and can ask for: the contract `PACKAGE`, as it stands in [`sdk/wit/`](../../sdk/wit). This page
is made from it. How to begin is in the [tutorial](tutorial.md), how things are done in the [cookbook](cookbook.md), and what is
different from language to language in [languages.md](languages.md).

## How it is written

Names and types are the contract's own. `list<T>`, `option<T>` and `tuple<A, B>` are what they say; `result<T, denial>` gives a
`T` or is denied. A `denial` has changed nothing.

| contract | Rust | C | Python | JavaScript | Rhai |
|---|---|---|---|---|---|
| function `points.by-path` | `points::by_path` | `campanile_plugin_points_by_path` | `points.by_path` | `points.byPath` | `points::by_path` |
| what the hub calls: `on-tick` | `fn on_tick` of `Plugin` | `exports_campanile_plugin_handler_on_tick` | `def on_tick` of a `Plugin` | `onTick` of what `rule` is given | `fn on_tick` |
| field `period-s` | `period_s` | `period_s` | `period_s` | `periodS` | `period_s` |
| record `points.info` | `points::Info` | `campanile_plugin_points_info_t` | `points.Info` | an object | a value with these properties |
| case `not-begun` of an enum | `Stage::NotBegun` | `CAMPANILE_PLUGIN_DRILLS_STAGE_NOT_BEGUN` | `Stage.NOT_BEGUN` | `"not-begun"` | `"not-begun"` |
| `value` | `Value`; `21.5.into()` | a tag and a union | `float`, `bool`, `Choice`, `str` | number, boolean, `choice(1)`, string | number, `true`, `choice(1)`, text |
| `batch` | `&[Sample]` | `campanile_batch_sample(batch, i)` | a list of `Sample` | an array of `Sample` | samples |
| `words` | `Words::new(zh, en)` | two strings | `Words(zh, en)` | `words(zh, en)` | `words(zh, en)` |
| `time` | `i64` | `int64_t` | `int` | number | whole number |
| `option`, none | `None` | `is_some` is false | `None` | `undefined` | `()` |
| `result`, denied | `Err(Denial)` | false, and the denial is written | raises `Denial` | throws `Denial` | throws; `err.kind` in `catch` |
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Rust,
    C,
    Python,
    JavaScript,
    Rhai,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("sdk/wit")).unwrap();
    (resolve, package)
}

/// `on-tick` as `onTick`.
fn camel(name: &str) -> String {
    let mut parts = name.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |word, part| {
        let (letter, rest) = part.split_at(1);
        word + &letter.to_uppercase() + rest
    })
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// How a function that a plugin calls is called. What a language can't name so is named here.
fn spelt(language: Language, interface: &str, function: &str) -> String {
    let module = snake(interface);
    match (language, interface, function) {
        (Language::Python, "alarms", "raise") => "alarms.raise_".to_owned(),
        (Language::Python, "drills", "ask") => "drills.ask_trainees".to_owned(),
        (Language::JavaScript, "log", "write") => "log.info".to_owned(),
        (Language::Rhai, "log", "write") => "log::info".to_owned(),
        (Language::Rust | Language::Rhai, ..) => format!("{module}::{}", snake(function)),
        (Language::C, ..) => format!("campanile_plugin_{module}_{}", snake(function)),
        (Language::Python, ..) => format!("{module}.{}", snake(function)),
        (Language::JavaScript, ..) => format!("{}.{}", camel(interface), camel(function)),
    }
}

/// How a function that a plugin has is named.
fn heard(language: Language, interface: &str, function: &str) -> String {
    match language {
        Language::C => format!("exports_campanile_plugin_{}_{}", snake(interface), snake(function)),
        Language::JavaScript => camel(function),
        Language::Rust | Language::Python | Language::Rhai => snake(function),
    }
}

/// A type as the contract writes it.
fn type_words(resolve: &Resolve, ty: &Type) -> String {
    let of = |ty: &Type| type_words(resolve, ty);
    let id = match ty {
        Type::Id(id) => *id,
        Type::Bool => return "bool".to_owned(),
        Type::String => return "string".to_owned(),
        plain => return format!("{plain:?}").to_lowercase(),
    };
    let def = &resolve.types[id];
    if let Some(name) = &def.name {
        return name.clone();
    }
    match &def.kind {
        TypeDefKind::Option(inner) => format!("option<{}>", of(inner)),
        TypeDefKind::List(inner) => format!("list<{}>", of(inner)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Result(result) => {
            let part = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), of);
            format!("result<{}, {}>", part(&result.ok), part(&result.err))
        }
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => of(&Type::Id(*id)),
        other => panic!("the contract has {other:?}, which this page can't write"),
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameter =
        |p: &wit_bindgen_core::wit_parser::Param| format!("{}: {}", p.name, type_words(resolve, &p.ty));
    let parameters: Vec<String> = function.params.iter().map(parameter).collect();
    let result = function.result.as_ref().map(|ty| format!(" -> {}", type_words(resolve, ty)));
    format!("{}: func({}){}", function.name, parameters.join(", "), result.unwrap_or_default())
}

fn paragraphs(docs: &Docs) -> &str {
    docs.contents.as_deref().unwrap_or_default().trim()
}

/// The same in one line, for a cell of a table.
fn cell(docs: &Docs) -> String {
    paragraphs(docs).split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The interfaces of a package in the order in which worlds have them: those that the hub calls, those that it is asked by.
fn interfaces(resolve: &Resolve, package: PackageId) -> (Vec<InterfaceId>, Vec<InterfaceId>) {
    let (mut exports, mut imports) = (Vec::new(), Vec::new());
    for world in WORLDS {
        let world = &resolve.worlds[resolve.packages[package].worlds[world]];
        for (items, into) in [(&world.exports, &mut exports), (&world.imports, &mut imports)] {
            for item in items.values() {
                let WorldItem::Interface { id, .. } = item else {
                    panic!("a world has more than interfaces")
                };
                if !into.contains(id) && resolve.interfaces[*id].name.as_deref() != Some("types") {
                    into.push(*id);
                }
            }
        }
    }
    (exports, imports)
}

fn name_of(interface: &Interface) -> &str {
    interface.name.as_deref().unwrap_or_default()
}

fn reference(resolve: &Resolve, package: PackageId) -> String {
    let (exports, imports) = interfaces(resolve, package);
    let mut page = HEAD.replace("PACKAGE", &resolve.packages[package].name.to_string());
    worlds(resolve, package, &exports, &imports, &mut page);
    page += "\n## What the hub calls\n";
    for id in exports {
        interface(resolve, &resolve.interfaces[id], heard, &mut page);
    }
    page += "\n## What a plugin asks for\n";
    for id in imports {
        interface(resolve, &resolve.interfaces[id], spelt, &mut page);
    }
    page += "\n## What they share\n";
    let types = resolve.packages[package].interfaces["types"];
    interface(resolve, &resolve.interfaces[types], spelt, &mut page);
    page
}

/// Which kind of plugin has what.
fn worlds(
    resolve: &Resolve,
    package: PackageId,
    exports: &[InterfaceId],
    imports: &[InterfaceId],
    page: &mut String,
) {
    let worlds = WORLDS.map(|world| &resolve.worlds[resolve.packages[package].worlds[world]]);
    *page += "\n## Kinds of plugin\n\n";
    for world in worlds {
        let _ = writeln!(page, "- **{}**: {}", world.name, cell(&world.docs));
    }
    let _ = writeln!(page, "\n| interface | {} |\n|---|---|---|---|", WORLDS.join(" | "));
    for (id, is_heard) in exports.iter().map(|id| (id, true)).chain(imports.iter().map(|id| (id, false))) {
        let name = name_of(&resolve.interfaces[*id]);
        let has = worlds.map(|world| {
            let items = if is_heard { &world.exports } else { &world.imports };
            if items.contains_key(&WorldKey::Interface(*id)) { "✓" } else { "–" }
        });
        let what = if is_heard { " (the hub calls it)" } else { "" };
        let _ = writeln!(page, "| [`{name}`](#{name}){what} | {} |", has.join(" | "));
    }
}

fn interface(
    resolve: &Resolve,
    interface: &Interface,
    name: fn(Language, &str, &str) -> String,
    page: &mut String,
) {
    let module = name_of(interface);
    let _ = writeln!(page, "\n### {module}\n\n{}", paragraphs(&interface.docs));
    if !interface.functions.is_empty() {
        let languages = LANGUAGES.map(|language| format!("{language:?}")).join(" | ");
        let _ = writeln!(page, "\n| {module} | {languages} |\n|---|---|---|---|---|---|");
        for function in interface.functions.values() {
            let names = LANGUAGES.map(|language| format!("`{}`", name(language, module, &function.name)));
            let _ = writeln!(page, "| `{}` | {} |", function.name, names.join(" | "));
        }
    }
    for function in interface.functions.values() {
        let _ = writeln!(page, "\n#### {module}.{}\n", function.name);
        let _ =
            writeln!(page, "```wit\n{}\n```\n\n{}", signature(resolve, function), paragraphs(&function.docs));
    }
    for id in interface.types.values() {
        define(resolve, module, &resolve.types[*id], page);
    }
}

/// A type of an interface; one that it only uses is defined elsewhere.
fn define(resolve: &Resolve, module: &str, def: &TypeDef, page: &mut String) {
    let name = def.name.as_deref().unwrap_or_default();
    let mut table = |what: &str, head: &str, rows: Vec<String>| {
        let _ = writeln!(page, "\n#### {module}: {what} {name}\n");
        if !paragraphs(&def.docs).is_empty() {
            let _ = writeln!(page, "{}\n", paragraphs(&def.docs));
        }
        if !rows.is_empty() {
            let _ = writeln!(
                page,
                "| {head} |\n|{}\n{}",
                "---|".repeat(head.split('|').count()),
                rows.join("\n")
            );
        }
    };
    match &def.kind {
        TypeDefKind::Record(record) => {
            let row = |field: &wit_bindgen_core::wit_parser::Field| {
                format!("| `{}` | `{}` | {} |", field.name, type_words(resolve, &field.ty), cell(&field.docs))
            };
            table("record", "field | type | what", record.fields.iter().map(row).collect());
        }
        TypeDefKind::Enum(of) => {
            let row = |case: &wit_bindgen_core::wit_parser::EnumCase| {
                format!("| `{}` | {} |", case.name, cell(&case.docs))
            };
            table("enum", "case | what", of.cases.iter().map(row).collect());
        }
        TypeDefKind::Variant(of) => {
            let row = |case: &wit_bindgen_core::wit_parser::Case| {
                let holds =
                    case.ty.as_ref().map_or_else(String::new, |ty| format!("`{}`", type_words(resolve, ty)));
                format!("| `{}` | {holds} | {} |", case.name, cell(&case.docs))
            };
            table("variant", "case | holds | what", of.cases.iter().map(row).collect());
        }
        TypeDefKind::Type(Type::Id(id)) if matches!(resolve.types[*id].owner, TypeOwner::Interface(_)) => {}
        TypeDefKind::Type(ty) => table(&format!("`{}`", type_words(resolve, ty)), "", Vec::new()),
        other => panic!("the contract has {other:?}, which this page can't write"),
    }
}

#[test]
fn the_reference_is_that_of_the_contract() {
    let (resolve, package) = contract();
    let made = reference(&resolve, package);
    let file = root().join("docs/plugins/reference.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &made).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let differs = made.lines().zip(found.lines()).position(|(a, b)| a != b);
    assert!(
        made == found,
        "docs/plugins/reference.md is not that of sdk/wit from line {} on. Write it anew:\n  \
         UPDATE=1 cargo test -p campanile-plugin-build --test reference",
        differs.unwrap_or_else(|| made.lines().count().min(found.lines().count())) + 1
    );
}

/// A part of a source file, from a line that begins so to a line that is so.
fn between(text: &str, begins: &str, ends: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(begins)).peekable();
    let first = lines.next().unwrap_or_default().to_owned();
    if first.ends_with(';') {
        return first;
    }
    lines.take_while(|line| *line != ends).fold(first, |part, line| part + "\n" + line)
}

fn has_word(text: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The header of the bindings for C of a world, as the build makes it.
fn header(world: &str) -> String {
    let (mut resolve, package) = contract();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files).unwrap();
    let is_header = |name: &str| name.ends_with(".h");
    files
        .iter()
        .filter(|(name, _)| is_header(name))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

/// The part of the SDK of a language that has an interface; of C all that the build makes.
fn sources(language: Language, interface: &str) -> String {
    let sdk = root().join("sdk");
    let read =
        |file: String| fs::read_to_string(sdk.join(&file)).unwrap_or_else(|why| panic!("{file}: {why}"));
    let module = snake(interface);
    match language {
        Language::Rust => read(format!("rust/src/capabilities/{module}.rs")),
        Language::C => WORLDS.map(header).concat(),
        Language::Python => read(format!("python/campanile_plugin/{module}.py")),
        Language::JavaScript => ["core", "keeping", "rule", "activity", "drill"]
            .map(|file| {
                between(
                    &read(format!("js/{file}.js")),
                    &format!("export const {} = {{", camel(interface)),
                    "};",
                )
            })
            .concat(),
        Language::Rhai if interface == "panels" => read("rhai/src/panels.rs".to_owned()),
        Language::Rhai => {
            let text = read("rhai/src/capabilities.rs".to_owned());
            // At the top, or in the module of those that only some worlds have.
            ["", "    pub "]
                .map(|indent| {
                    let end = format!("{}}}", " ".repeat(indent.len().min(4)));
                    between(&text, &format!("{indent}fn {module}_module"), &end)
                })
                .concat()
        }
    }
}

/// Each name that the page gives is there, in the SDK of its language.
#[test]
fn the_languages_have_the_names_that_the_reference_gives() {
    let (resolve, package) = contract();
    let (_, imports) = interfaces(&resolve, package);
    let headers = WORLDS.map(header).concat();
    for id in imports {
        let interface = &resolve.interfaces[id];
        let module = name_of(interface);
        for language in LANGUAGES {
            let text = if language == Language::C { headers.clone() } else { sources(language, module) };
            for function in interface.functions.keys() {
                let name = spelt(language, module, function);
                let last = name.rsplit([':', '.']).next().unwrap();
                assert!(has_word(&text, last), "{language:?} has no {name}: mend `spelt` or the SDK");
            }
        }
    }
}
