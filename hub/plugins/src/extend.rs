//! A campus with what its plugins add to it: a place of each, and the points that it derives.

use campanile_model::{
    Accumulation, Campus, Entity, EntityKind, Glob, Names, Path, Point, PointId, PointKind, ValueType,
};

use crate::manifest::{DerivedSpec, Manifest};

/// The most points that one plugin derives.
pub const MOST_DERIVED: usize = 2000;
/// A plugin derives now and then: a value is old only after a day without another.
const PERIOD_S: f64 = 8.0 * 3600.0;

/// The path of a derived point: `plugin/PLUGIN/DERIVED`, with the path of the entity that it is for behind it.
pub fn derived_path(plugin: &str, derived: &str, entity: &str) -> String {
    let slash = if entity.is_empty() { "" } else { "/" };
    format!("plugin/{plugin}/{derived}{slash}{entity}")
}

/// The entities for which there is a point of their own; one without a path where there is one point for all.
fn derived_for<'a>(campus: &'a Campus, spec: &DerivedSpec) -> Vec<Option<&'a Entity>> {
    if spec.each.is_empty() {
        return vec![None];
    }
    let globs: Vec<Glob> = spec.each.iter().filter_map(|glob| Glob::new(glob).ok()).collect();
    let of = |entity: &&Entity| globs.iter().any(|glob| glob.matches(entity.path.as_str()));
    // What a plugin adds is nobody's place.
    let own = |entity: &&Entity| !entity.path.as_str().starts_with("plugin/");
    campus.entities.iter().filter(own).filter(of).map(Some).collect()
}

/// The points that a plugin derives on a campus: the index of the `[[derived]]`, the entity where it is for one, the
/// path. In the order of its manifest; what is over [`MOST_DERIVED`] is left out.
pub(crate) fn derived_points<'a>(
    campus: &'a Campus,
    manifest: &Manifest,
) -> Vec<(u16, Option<&'a Entity>, Path)> {
    let mut points = Vec::new();
    for (index, spec) in (0..).zip(&manifest.derived) {
        for entity in derived_for(campus, spec) {
            let path = derived_path(&manifest.id, &spec.id, entity.map_or("", |e| e.path.as_str()));
            if let Ok(path) = Path::new(&path) {
                points.push((index, entity, path));
            }
        }
    }
    points.truncate(MOST_DERIVED);
    points
}

/// The campus with the points that plugins derive, behind its own: these keep their numbers.
pub fn extended<'a>(campus: &Campus, plugins: impl IntoIterator<Item = &'a Manifest>) -> Campus {
    let mut campus = campus.clone();
    for manifest in plugins {
        let Ok(place) = Path::new(format!("plugin/{}", manifest.id)) else { continue };
        if manifest.derived.is_empty() || campus.entity(place.as_str()).is_some() {
            continue;
        }
        let at = campus.entities.len();
        // What is derived for a place is shown there.
        let points: Vec<Point> = derived_points(&campus, manifest)
            .into_iter()
            .map(|(index, of, path)| {
                let spec = &manifest.derived[usize::from(index)];
                let (names, entity) = match of {
                    None => (Names::new(&spec.zh, &spec.en), at),
                    Some(of) => (
                        Names::new(
                            format!("{}·{}", of.names.zh, spec.zh),
                            format!("{}: {}", of.names.en, spec.en),
                        ),
                        campus.entity_index(of.path.as_str()).unwrap_or(at),
                    ),
                };
                point(path, entity, names, spec)
            })
            .collect();
        campus.entities.push(Entity {
            path: place,
            names: manifest.names(),
            // As the networks, it is part of the campus and of no place in it.
            kind: EntityKind::Plugin,
            brick: String::new(),
            parent: None,
            class: "plugin".to_owned(),
        });
        campus.points.extend(points);
        campus.reindex();
    }
    campus
}

fn point(path: Path, entity: usize, names: Names, spec: &DerivedSpec) -> Point {
    Point {
        id: PointId(0),
        path,
        entity,
        names,
        kind: PointKind::Derived,
        quantity: format!("plugin-{}", spec.id),
        value_type: ValueType::Number,
        choices: Vec::new(),
        accumulation: Accumulation::Gauge,
        brick: String::new(),
        unit: if spec.unit.is_empty() { "1".to_owned() } else { spec.unit.clone() },
        range: None,
        period_s: PERIOD_S,
        resolution: None,
        submeter: None,
        command: None,
        alarms: Vec::new(),
        interlocks: Vec::new(),
        binding: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: &str = r#"
format = "campanile-plugin/1"
id = "watch"
version = "1.0.0"
api = "0.1.0"
kind = "rule"
zh-CN = "看"
en = "Watch"
summary = { zh-CN = "看。", en = "Watches." }
vendor = "Tinglan"
[[derived]]
id = "all"
zh-CN = "合计"
en = "All"
unit = "kW.h"
[[derived]]
id = "lost"
zh-CN = "未计量"
en = "Unaccounted"
each = ["net/water/*"]
"#;

    /// The campus' own points keep their numbers; a plugin's come behind, one for each place that is asked for.
    #[test]
    fn a_campus_is_extended_by_what_its_plugins_derive() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
        let campus = campanile_model::open(&dir).unwrap();
        let manifest = Manifest::read(std::path::Path::new("plugin.toml"), WATCH).unwrap();
        let more = extended(&campus, [&manifest]);
        assert_eq!(more.points[..campus.points.len()], campus.points[..]);
        let all = more.point(more.point_id("plugin/watch/all").unwrap());
        assert_eq!((all.unit.as_str(), all.kind), ("kW.h", PointKind::Derived));
        assert_eq!(more.entities[all.entity].names, Names::new("看", "Watch"));
        let water = campus.network("water").unwrap();
        for node in &water.nodes {
            let place = &campus.entities[node.entity].path;
            let point = more.point(more.point_id(&format!("plugin/watch/lost/{place}")).unwrap());
            assert_eq!(more.entities[point.entity].path, *place);
        }
        assert_eq!(more.points.len(), campus.points.len() + 1 + water.nodes.len());
        let again = extended(&more, [&manifest]);
        assert_eq!(again.points.len(), more.points.len(), "once is enough");
    }
}
