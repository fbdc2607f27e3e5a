//! Lists of points: what they add, and what they say of their faults.

#![allow(clippy::unwrap_used)]

use campanile_import::points::{Added, RowProblem, add, template};
use campanile_model::{Campus, load};

/// The little school of the model's tests.
fn school() -> (tempfile::TempDir, Campus, String) {
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/scene");
    let dir = tempfile::tempdir().unwrap();
    let plan = std::fs::read_to_string(from.join("plan.json")).unwrap();
    std::fs::write(dir.path().join("plan.json"), plan).unwrap();
    std::fs::write(dir.path().join("terrain.tif"), b"").unwrap();
    std::fs::write(dir.path().join("weather.epw"), b"").unwrap();
    let text = std::fs::read_to_string(from.join("campus.toml")).unwrap();
    std::fs::write(dir.path().join("campus.toml"), &text).unwrap();
    let loaded = load(dir.path());
    (dir, loaded.campus.unwrap_or_else(|| panic!("{:#?}", loaded.problems)), text)
}

fn try_add(csv: &str) -> Result<Added, Vec<RowProblem>> {
    let (_dir, campus, text) = school();
    add(csv.as_bytes(), &text, &campus)
}

/// A space of the school, and one of its kinds.
fn space_and_kind() -> (String, String) {
    let (_dir, campus, _) = school();
    let space = campus.entities.iter().find(|e| e.kind == campanile_model::EntityKind::Space).unwrap();
    (space.path.to_string(), campus.points[0].quantity.clone())
}

#[test]
fn points_come_in_and_comments_stay() {
    let (dir, campus, text) = school();
    let text = format!("# The first line.\n{text}\n# The last line.\n");
    let (space, kind) = space_and_kind();
    let csv = format!(
        "\u{feff}entity,kind,id,topic,pointer,scale,unit,name_zh,name_en\r\n\
         {space},{kind},extra,field/1,/a,0.1,,,\r\n\
         # a comment\r\n\
         {space},radon,,field/2,-,,Bq/m3,氡,\"Radon, in air\"\r\n"
    );
    let added = add(csv.as_bytes(), &text, &campus).unwrap();
    assert_eq!(added.points, [format!("{space}/extra"), format!("{space}/radon")]);
    assert_eq!((added.kinds.as_slice(), added.bound), (&["radon".to_owned()][..], 2));
    for line in text.lines().filter(|l| l.contains('#')) {
        assert!(added.campus_toml.contains(line), "lost: {line}");
    }
    std::fs::write(dir.path().join("campus.toml"), &added.campus_toml).unwrap();
    let loaded = load(dir.path());
    let campus = loaded.campus.unwrap_or_else(|| panic!("{:#?}\n{}", loaded.problems, added.campus_toml));
    let extra = campus.point(campus.point_id(&format!("{space}/extra")).unwrap());
    let binding = extra.binding.as_ref().unwrap();
    assert_eq!(
        (binding.topic.as_str(), binding.value_pointer.as_str(), binding.scale),
        ("field/1", "/a", 0.1)
    );
    let radon = campus.point(campus.point_id(&format!("{space}/radon")).unwrap());
    assert_eq!(
        (radon.names.en.as_str(), radon.binding.as_ref().unwrap().value_pointer.as_str()),
        ("Radon, in air", "")
    );
}

#[test]
fn all_faults_come_at_once_with_their_lines() {
    let (space, kind) = space_and_kind();
    let wrong = format!("{space}x");
    let csv = format!(
        "entity,kind,id,topic,scale\n{wrong},{kind},a,t/1,\n{space},no-such-kind,b,t/2,\n{space},{kind},C,t/3,\n\
         {space},{kind},d,t/#,\n{space},{kind},e,t/5,ten\n{space},{kind},f,t/6,1\n{space},{kind},f,t/7,1\n\
         {space},{kind},g,t/6,1\n{space},{kind},h,,2\n"
    );
    let problems = try_add(&csv).unwrap_err();
    let lines: Vec<u64> = problems.iter().map(|p| p.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 8, 9, 10], "{problems:#?}");
    assert_eq!(problems[0].mend, format!("Did you mean '{space}'?"));
}

#[test]
fn a_file_that_is_no_list_says_so() {
    for (csv, word) in [
        ("", "empty"),
        ("entity;kind\na;b\n", "isn't known"),
        ("entity,knd\n", "isn't known"),
        ("entity\n", "missing"),
        ("entity,kind,kind\n", "twice"),
        ("entity,kind\n", "no row"),
        ("entity,kind\na,b,c\n", "3 fields"),
    ] {
        let problems = try_add(csv).unwrap_err();
        assert!(problems.iter().any(|p| p.what.contains(word)), "{csv}: {problems:?}");
    }
    let (_dir, campus, text) = school();
    let latin = add(b"entity,kind\n\xe9,b\n", &text, &campus).unwrap_err();
    assert_eq!(latin[0].line, 2);
}

#[test]
fn the_template_is_a_list() {
    let problems = try_add(&template(None)).unwrap_err();
    // Its places are made up; nothing else is wrong with it.
    assert!(
        problems.iter().all(|p| p.column.as_deref() == Some("entity") || p.what.contains("kind of point")),
        "{problems:?}"
    );
}

#[test]
fn the_template_of_a_campus_can_be_added_to_it() {
    let (_dir, campus, text) = school();
    let csv = template(Some(&campus));
    let added = add(csv.as_bytes(), &text, &campus).unwrap_or_else(|p| panic!("{p:#?}\n{csv}"));
    assert_eq!(added.points.len(), 3, "{:?}", added.points);
}
