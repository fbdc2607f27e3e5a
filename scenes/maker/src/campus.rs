//! `campus.toml`: a head, names, the systems as written, and the drains.

use std::fmt::Write;

use campanile_model::{CampusFile, Names, Plan};

use crate::description::School;
use crate::drains::Drains;
use crate::layout::chinese_number;

/// A text as TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn name_line(out: &mut String, at: &str, names: &Names) {
    // Writing to a String can't fail.
    let _ = writeln!(
        out,
        "    {{ at = {}, zh-CN = {}, en = {} }},",
        quoted(at),
        quoted(&names.zh),
        quoted(&names.en)
    );
}

/// The text of `campus.toml`.
pub(crate) fn text(
    school: &School,
    plan: &Plan,
    names: &[(String, Names)],
    systems: &str,
    drains: &[Drains],
) -> String {
    let mut out = String::from(
        "# Made by `campanile-maker campus` from school.toml (names, drains) and systems.toml (kinds,\n\
         # equipment, places, networks). Change those and make it again.\n\n",
    );
    let _ = writeln!(out, "format = {}", quoted(CampusFile::FORMAT));
    for (key, value) in [
        ("id", &school.id),
        ("zh-CN", &school.zh),
        ("en", &school.en),
        ("timezone", &school.timezone),
        ("weather", &school.weather),
    ] {
        let _ = writeln!(out, "{key} = {}", quoted(value));
    }
    let _ = writeln!(out, "attribution = [");
    for line in &school.attribution {
        let _ = writeln!(out, "    {{ zh-CN = {}, en = {} }},", quoted(&line.zh), quoted(&line.en));
    }
    let _ = writeln!(out, "]\n\nname = [");
    name_line(&mut out, "site", &Names::new(&*school.zh, &*school.en));
    for (kind, zh, en) in [
        ("door", "{parent} 门 {id}", "Door {id}, {parent}"),
        ("window", "{parent} 窗 {id}", "Window {id}, {parent}"),
        ("gap", "{parent} 门洞 {id}", "Gap {id}, {parent}"),
    ] {
        if has_opening(plan, kind) {
            let _ = writeln!(
                out,
                "    {{ at = \"*/*/*\", entity = [\"{kind}\"], zh-CN = {}, en = {} }},",
                quoted(zh),
                quoted(en)
            );
        }
    }
    for building in &plan.buildings {
        for storey in &building.storeys {
            let (zh, en) = storey_words(storey.level);
            let path = format!("{}/{}", building.id, storey.id);
            let template = Names::new(format!("{{parent}}{zh}"), format!("{{parent}}, {en}"));
            name_line(&mut out, &path, &template);
        }
    }
    for (at, names) in names {
        name_line(&mut out, at, names);
    }
    let _ = writeln!(out, "]\n\n{}", systems.trim());
    for network in drains {
        write_drains(&mut out, network);
    }
    out
}

fn has_opening(plan: &Plan, kind: &str) -> bool {
    let openings = plan.buildings.iter().flat_map(|b| &b.storeys).flat_map(|s| &s.openings);
    openings.map(|o| format!("{:?}", o.kind).to_lowercase()).any(|k| k == kind)
}

fn storey_words(level: i32) -> (String, String) {
    let n = level.unsigned_abs();
    if level < 0 {
        (format!("地下{}层", chinese_number(n)), format!("basement {n}"))
    } else {
        (format!("{}层", chinese_number(n)), format!("floor {level}"))
    }
}

fn write_drains(out: &mut String, network: &Drains) {
    let _ = writeln!(
        out,
        "\n[[network]]\nid = {}\nkind = \"drain\"\nzh-CN = {}\nen = {}\nnode = [",
        quoted(&network.id),
        quoted(&network.names.zh),
        quoted(&network.names.en)
    );
    for node in &network.nodes {
        let (zh, en) = kind_words(&node.kind);
        let _ = write!(
            out,
            "    {{ id = {}, kind = {}, zh-CN = {}, en = {}, at = [{}, {}], invert_mm = {}, ground_mm = {}",
            quoted(&node.id),
            quoted(&node.kind),
            quoted(&format!("{zh} {}", node.id)),
            quoted(&format!("{en} {}", node.id)),
            node.at[0],
            node.at[1],
            node.invert_mm,
            node.ground_mm
        );
        if let Some(parent) = node.parent.and_then(|p| network.nodes.get(p)) {
            let _ = write!(out, ", parent = {}", quoted(&parent.id));
        }
        if let Some((diameter, length, n)) = node.pipe {
            let _ = write!(
                out,
                ", pipe = {{ diameter_mm = {diameter:.1}, length_mm = {length:.1}, roughness = {n} }}"
            );
        }
        if let Some(rating) = node.rating {
            let _ = write!(out, ", rating = {rating:.1}");
        }
        if !node.serves.is_empty() {
            let serves: Vec<String> = node.serves.iter().map(|s| quoted(s)).collect();
            let _ = write!(out, ", serves = [{}]", serves.join(", "));
        }
        let points = match node.kind.as_str() {
            "pump" => "\"pump-on\", \"pump-running\", \"power\", \"water-level\", \"pump-fault\"",
            "outfall" | "septic-tank" | "grease-trap" => "\"water-level\"",
            // Every second manhole has a gauge: a school measures a few places, not all.
            "inlet" if node.id.ends_with(['1', '3', '5']) => "\"water-level\"",
            _ => "",
        };
        if !points.is_empty() {
            let _ = write!(out, ", points = [{points}]");
        }
        let _ = writeln!(out, " }},");
    }
    let _ = writeln!(out, "]");
}

fn kind_words(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "outfall" => ("排放口", "Outfall"),
        "inlet" => ("雨水口", "Inlet"),
        "pump" => ("排涝泵站", "Pump station"),
        "septic-tank" => ("化粪池", "Septic tank"),
        "grease-trap" => ("隔油池", "Grease interceptor"),
        _ => ("检查井", "Manhole"),
    }
}
