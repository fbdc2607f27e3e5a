//! The little school loads as written; and each way of breaking it is named with place and mend.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use campanile_model::{
    Accumulation, AlarmCondition, Campus, Place, Plan, PointKind, Problem, Severity, Value, load, open,
};

const PLAN: &str = include_str!("scene/plan.json");
const CAMPUS: &str = include_str!("scene/campus.toml");

fn folder(plan: &str, campus: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plan.json"), plan).unwrap();
    std::fs::write(dir.path().join("campus.toml"), campus).unwrap();
    std::fs::write(dir.path().join("terrain.tif"), b"II*").unwrap();
    dir
}

fn little_school() -> Campus {
    let dir = folder(PLAN, CAMPUS);
    let loaded = load(dir.path());
    assert_eq!(loaded.problems, [], "the scene of the tests is valid");
    loaded.campus.unwrap()
}

/// Which file a row of the table changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum File {
    Plan,
    Campus,
}
use File::{Campus as C, Plan as P};

/// A way to break the scene: in which file, what text becomes what, and what is then reported:
/// code, place (a JSON pointer, or the text whose line is meant), and words of the mend.
type Row = (File, &'static str, &'static str, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    // the shape of the files
    (P, "\"Wusong\",", "\"Wusong\"", "syntax", "line", "comma, quote or bracket"),
    (C, "unit = \"[ppm]\"", "unit = [ppm", "syntax", "line", "at this place"),
    (
        P,
        "\"bearing_deg\"",
        "\"baering_deg\"",
        "unknown-field",
        "/site/baering_deg",
        "Did you mean 'bearing_deg'?",
    ),
    (C, "unit = \"[ppm]\"", "units = \"[ppm]\"", "unknown-field", "units = ", "Did you mean 'unit'?"),
    (P, "\"datum\": \"Wusong\",", "", "missing-field", "/site", "Add 'datum': The name of the height datum"),
    (
        P,
        "\"use\": \"classroom\", \"outline\": [0, 1, 4, 5]",
        "\"use\": \"clasroom\", \"outline\": [0, 1, 4, 5]",
        "unknown-value",
        "/buildings/0/storeys/0/spaces/0/use",
        "Did you mean 'classroom'?",
    ),
    (
        P,
        "\"level\": 2",
        "\"level\": \"two\"",
        "wrong-type",
        "/buildings/0/storeys/1/level",
        "number of the storey",
    ),
    (
        C,
        "priority = \"low\"",
        "priority = \"lo\"",
        "unknown-value",
        "priority = \"lo\"",
        "Did you mean 'low'?",
    ),
    (P, "campanile-plan/1", "campanile-plan/9", "format-version", "/format", "campanile-plan/1"),
    (C, "campanile-campus/1", "campanile-campus/0", "format-version", "format = ", "campanile-campus/1"),
    (P, "\"terrain.tif\"", "\"terain.tif\"", "file-missing", "/terrain", "Did you mean 'terrain.tif'?"),
    // ids
    (
        P,
        "\"id\": \"101\"",
        "\"id\": \"Room 101\"",
        "bad-id",
        "/buildings/0/storeys/0/spaces/0/id",
        "such as 'room-101'",
    ),
    (
        P,
        "\"id\": \"102\"",
        "\"id\": \"101\"",
        "duplicate-id",
        "/buildings/0/storeys/0/spaces/1/id",
        "an id of its own",
    ),
    (
        C,
        "id = \"outfall\"\n",
        "id = \"mh-1\"\n",
        "duplicate-id",
        "id = \"mh-1\"\nkind = \"manhole\"",
        "Give each node",
    ),
    (P, "\"flat-roof\": {", "\"wood-door\": {", "wrong-type", "line", "Correct the value"),
    // rings
    (
        P,
        "[1, 2, 3, 4], \"occ",
        "[1, 2, 3, 44], \"occ",
        "vertex-index",
        "/buildings/0/storeys/0/spaces/1/outline/3",
        "from 0 to 7",
    ),
    (
        P,
        "[1, 2, 3, 4], \"occ",
        "[1, 2], \"occ",
        "ring-short",
        "/buildings/0/storeys/0/spaces/1/outline",
        "at least three",
    ),
    (
        P,
        "[1, 2, 3, 4], \"occ",
        "[1, 3, 2, 4], \"occ",
        "ring-self-intersection",
        "/buildings/0/storeys/0/spaces/1/outline/2",
        "order around",
    ),
    (
        P,
        "[1, 2, 3, 4], \"occ",
        "[4, 3, 2, 1], \"occ",
        "ring-orientation",
        "/buildings/0/storeys/0/spaces/1/outline",
        "outlines run counter-clockwise",
    ),
    (
        P,
        "[1, 2, 3, 4], \"occ",
        "[0, 1, 2], \"occ",
        "ring-zero-area",
        "/buildings/0/storeys/0/spaces/1/outline",
        "one line",
    ),
    (P, "[0, 10000]]", "[0, 0]]", "duplicate-vertex", "/buildings/0/vertices/7", "Use vertex 0"),
    (
        P,
        "[0, 10000]]",
        "[0, 2000000000]]",
        "coordinate-range",
        "/buildings/0/vertices/7",
        "local millimetres",
    ),
    // spaces, walls, openings
    (
        P,
        "[1, 2, 3, 4], \"occ",
        "[0, 2, 3, 4, 5], \"occ",
        "space-overlap",
        "/buildings/0/storeys/0/spaces/1/outline",
        "cut one out",
    ),
    (
        P,
        "[0, 1, 2, 3, 4, 5]",
        "[0, 2, 3, 5]",
        "edge-not-shared",
        "/buildings/0/storeys/1/spaces/0/outline",
        "into the outline of '201'",
    ),
    (
        P,
        "{\"a\": 1, \"b\": 4",
        "{\"a\": 0, \"b\": 4",
        "wall-off-edge",
        "/buildings/0/storeys/0/walls/6",
        "one vertex to the next",
    ),
    (
        P,
        "{\"a\": 1, \"b\": 4",
        "{\"a\": 1, \"b\": 0",
        "duplicate-wall",
        "/buildings/0/storeys/0/walls/6",
        "Leave one",
    ),
    (
        P,
        "\"at_mm\": 1000",
        "\"at_mm\": 7000",
        "opening-outside-wall",
        "/buildings/0/storeys/0/openings/2/at_mm",
        "at most 9000",
    ),
    (
        P,
        "\"wall\": [3, 4]",
        "\"wall\": [3, 5]",
        "opening-without-wall",
        "/buildings/0/storeys/0/openings/1/wall",
        "Walls there: 2-3, 3-4, 4-5, 5-0",
    ),
    (
        P,
        "\"wall\": [0, 1], \"at_mm\": 1000",
        "\"wall\": [5, 4], \"at_mm\": 6000",
        "opening-overlap",
        "/buildings/0/storeys/0/openings/2",
        "along the wall",
    ),
    (
        P,
        "\"height_mm\": 1800",
        "\"height_mm\": 2800",
        "opening-too-high",
        "/buildings/0/storeys/0/openings/2/height_mm",
        "at most 3600",
    ),
    (
        P,
        "\"wall\": [4, 5], \"at_mm\": 500, \"width_mm\": 1000, \"height_mm\": 2100, \"leaf\": \"single\", \"construction\": \"wood-door\"}\n          ]\n        }\n      ],",
        "\"wall\": [0, 1], \"at_mm\": 500, \"width_mm\": 1000, \"height_mm\": 2100, \"leaf\": \"single\", \"construction\": \"wood-door\"}\n          ]\n        }\n      ],",
        "door-nowhere",
        "/buildings/0/storeys/1/openings/0",
        "make it a window",
    ),
    (
        P,
        "{\"a\": 0, \"b\": 1, \"construction\": \"brick-wall\"}",
        "{\"a\": 0, \"b\": 1, \"construction\": \"brick-wal\"}",
        "unknown-construction",
        "/buildings/0/storeys/0/walls/0/construction",
        "Did you mean 'brick-wall'?",
    ),
    (
        P,
        "\"construction\": \"double-glazing\"",
        "\"construction\": \"brick-wall\"",
        "construction-kind",
        "/buildings/0/storeys/0/openings/2/construction",
        "glazing",
    ),
    (
        P,
        "\"kind\": \"door\", \"wall\": [3, 4]",
        "\"kind\": \"hatch\", \"wall\": [3, 4]",
        "space-without-door",
        "/buildings/0/storeys/0/spaces/1",
        "Add a door",
    ),
    // storeys, stairs, roofs
    (
        P,
        "\"floor_mm\": 7600",
        "\"floor_mm\": 7500",
        "storey-gap",
        "/buildings/0/storeys/1/floor_mm",
        "floor_mm to 7600, or the height_mm of '1f' to 3500",
    ),
    (P, "\"level\": 2", "\"level\": 1", "storey-order", "/buildings/0/storeys/1/level", "lowest up"),
    (
        P,
        "\"steps\": 12, \"tread_mm\": 280, \"riser_mm\": 150, \"width_mm\": 1200}\n",
        "\"steps\": 11, \"tread_mm\": 280, \"riser_mm\": 150, \"width_mm\": 1200}\n",
        "stair-height",
        "/buildings/0/stairs/0/flights",
        "number of steps",
    ),
    (P, "\"to\": \"2f\"", "\"to\": \"3f\"", "unknown-storey", "/buildings/0/stairs/0/to", "Did you mean"),
    (
        P,
        "\"space_to\": \"corridor\"",
        "\"space_to\": \"coridor\"",
        "unknown-space",
        "/buildings/0/stairs/0/space_to",
        "Did you mean 'corridor'?",
    ),
    (
        P,
        "\"pitch_deg\": 1.0",
        "\"pitch_deg\": 40.0",
        "roof-pitch",
        "/buildings/0/roofs/0/pitch_deg",
        "0 to 10",
    ),
    (
        P,
        "\"drain\": \"mh-1\"",
        "\"drain\": \"mh-2\"",
        "unknown-drain",
        "/buildings/0/roofs/0/downpipes/0/drain",
        "Did you mean 'mh-1'?",
    ),
    (
        P,
        "\"at\": [-8000, -8000]",
        "\"at\": [-80000, -8000]",
        "outside-boundary",
        "/outside/trees/0/at",
        "boundary",
    ),
    (P, "#b5651d", "brown", "colour", "/constructions/brick-wall/colour", "#rrggbb"),
    // networks
    (C, "invert_mm = 1800", "invert_mm = 1400", "drain-uphill", "invert_mm = 1400", "to 1500 mm or more"),
    (C, "ground_mm = 3900", "ground_mm = 900", "drain-cover", "invert_mm = 1800", "the invert is the lower"),
    (
        C,
        "parent = \"outfall\"",
        "parent = \"mh-1\"",
        "network-cycle",
        "parent = \"mh-1\"",
        "hang on another node",
    ),
    (C, "parent = \"outfall\"\n", "", "network-orphan", "[[network.node]]\nid = \"mh-1\"", "Give its parent"),
    (
        C,
        "parent = \"outfall\"",
        "parent = \"outfal\"",
        "network-unknown-parent",
        "parent = \"outfal\"",
        "Did you mean 'outfall'?",
    ),
    (
        C,
        "points = [{ kind = \"energy\", submeter = \"01A1\" }]\nmeter = \"energy\"",
        "meter = \"net/electricity/transformer/energy\"",
        "network-duplicate-meter",
        "meter = \"net/",
        "at one node",
    ),
    (
        C,
        "rating = 630\npoints = [\"energy\"]\nmeter = \"energy\"",
        "points = [\"energy\"]\nmeter = \"enrgy\"",
        "unknown-meter",
        "meter = \"enrgy\"",
        "Did you mean 'energy'?",
    ),
    // points
    (
        C,
        "points = [\"co2\",",
        "points = [\"c02\",",
        "unknown-point-kind",
        "points = [\"c02\"",
        "Did you mean 'co2'?",
    ),
    (
        C,
        "equipment = [{ kind = \"ac\" }]",
        "equipment = [{ kind = \"acs\" }]",
        "unknown-equipment-kind",
        "equipment = [{ kind = \"acs\"",
        "Did you mean 'ac'?",
    ),
    (C, "unit = \"[ppm]\"", "unit = \"ppm\"", "unknown-unit", "unit = \"ppm\"", "In UCUM it is '[ppm]'."),
    (C, "CO2_Sensor", "Co2_Sensor", "unknown-brick", "brick = \"Co2_Sensor\"", "Did you mean 'CO2_Sensor'?"),
    (C, "range = [-10, 50]", "range = [50, -10]", "range-reversed", "range = [50", "[-10, 50]"),
    (
        C,
        "limits = [20, 28]",
        "limits = [20, 99]",
        "limits-beyond-range",
        "command = { limits",
        "Narrow the limits",
    ),
    (
        C,
        "rollover = 1000000",
        "rollover = 10\nrange = [0, 1000000]",
        "rollover",
        "rollover = ",
        "End the range at 10",
    ),
    (
        C,
        "when = { above = 1500 }",
        "when = { above = 99999 }",
        "alarm-beyond-range",
        "when = { above",
        "within the range",
    ),
    (C, "safe = 26,", "safe = 30,", "safe-out-of-limits", "command = { limits", "widen the limits"),
    (C, "safe = \"off\"", "safe = \"dry\"", "value-type", "command = { safe", "off, cool"),
    (
        C,
        "readback = \"temperature\"",
        "readback = \"temprature\"",
        "unknown-readback",
        "command = { limits",
        "Did you mean 'temperature'?",
    ),
    (C, "period_s = 900", "period_s = 0", "period", "period_s = 0", "seconds between"),
    (
        C,
        "submeter = \"01A1\"",
        "submeter = \"1A1\"",
        "submeter-code",
        "points = [{ kind = \"energy\"",
        "Correct the code",
    ),
    (
        C,
        "when = { above = 35 }",
        "when = { is = true }",
        "alarm-condition",
        "when = { is = true }",
        "Use above",
    ),
    (
        C,
        "when = { above = 35 }",
        "when = { rises = { by = 0, within_s = 60 } }",
        "alarm-number",
        "when = { rises",
        "above 0",
    ),
    (C, "hold_s = 900", "hold_s = -1", "alarm-number", "suppress = ", "from 0"),
    (
        C,
        "101/ac/mode\", is",
        "101/ac/mod\", is",
        "unknown-point",
        "suppress = ",
        "Did you mean 'teaching-a/1f/101/ac/mode'?",
    ),
    (C, "is = \"cool\" }", "is = \"cold\" }", "condition", "suppress = ", "off, cool"),
    (
        C,
        "point = \"temperature\", below",
        "point = \"temprature\", below",
        "unknown-point",
        "when = { point = \"temp",
        "Did you mean 'temperature'?",
    ),
    (C, "below = 18", "below = 18, above = 30", "condition", "when = { point = \"temp", "above, below or is"),
    (C, "forbid = \"cool\"", "forbid = \"heat\"", "value-type", "forbid = ", "off, cool"),
    (
        C,
        "points = \"**/ac/mode\"",
        "points = \"**/ac/temperature\"",
        "not-commandable",
        "[[interlock]]",
        "with a command",
    ),
    (C, "zh-CN = \"温度\"\n", "", "missing-translation", "[kind.temperature]", "zh-CN"),
    (C, "Asia/Shanghai", "Asia/Shanghia", "timezone", "timezone = ", "Did you mean 'Asia/Shanghai'?"),
    // globs, templates, bindings
    (
        C,
        "at = \"teaching-a\"",
        "at = \"teaching-b\"",
        "glob-empty",
        "at = \"teaching-b\"",
        "Did you mean 'teaching-a'?",
    ),
    (C, "at = \"teaching-a\"", "at = \"teaching//a\"", "bad-glob", "at = \"teaching//a\"", "such as"),
    (C, "zh-CN = \"{id}室\"", "zh-CN = \"{room}室\"", "bad-template", "\"{room}室\"", "Words are"),
    (C, "en = \"Air conditioner\"", "en = \"AC {nn}\"", "bad-template", "\"AC {nn}\"", "Words are"),
    (
        C,
        "equipment = [{ kind = \"ac\" }]",
        "equipment = [{ kind = \"ac\", zh-CN = \"{x}\", en = \"AC\" }]",
        "bad-template",
        "\"{x}\"",
        "Words are",
    ),
    (C, "en = \"Storm drain\"", "en = \"Storm {y}\"", "bad-template", "\"Storm {y}\"", "Words are"),
    (C, "zh-CN = \"{parent}回路\"", "zh-CN = \"{z}回路\"", "bad-template", "\"{z}回路\"", "Words are"),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "topic = \"meters\"",
        "topic-collision",
        "topic = \"meters\"",
        "Put {entity}",
    ),
    (C, "topic = \"meters/{id}\"", "topic = \"meters/#\"", "bad-topic", "topic = \"meters/#\"", "no '#'"),
    (
        C,
        "value = \"/{point}\"",
        "value = \"{point}\"",
        "bad-pointer",
        "value = \"{point}\"",
        "such as '/value'",
    ),
    // Sparkplug B
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "value = \"/{point}\"",
        "missing-field",
        "[[bind]]\npoints = \"net/**\"",
        "sparkplug = {",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "topic = \"spBv1.0/g/NDATA/n\"\nvalue = \"/{point}\"",
        "bad-topic",
        "topic = \"spBv1.0",
        "instead of the topic",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"a+b\", node = \"n\", metric = \"{slug}/{point}\" }",
        "sparkplug",
        "sparkplug = { group = \"a+b\", node = \"n\", metric = \"{slug}/{point}\" }",
        "none of '+', '/' and '#'",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"a/b\", node = \"n\", metric = \"{slug}/{point}\" }",
        "sparkplug",
        "sparkplug = { group = \"a/b\", node = \"n\", metric = \"{slug}/{point}\" }",
        "none of '+', '/' and '#'",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"#\", node = \"n\", metric = \"{slug}/{point}\" }",
        "sparkplug",
        "sparkplug = { group = \"#\", node = \"n\", metric = \"{slug}/{point}\" }",
        "none of '+', '/' and '#'",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"STATE\", node = \"n\", metric = \"{slug}/{point}\" }",
        "sparkplug",
        "sparkplug = { group = \"STATE\", node = \"n\", metric = \"{slug}/{point}\" }",
        "STATE",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"{entity}\", metric = \"{slug}/{point}\" }",
        "sparkplug",
        "sparkplug = { group = \"g\", node = \"{entity}\", metric = \"{slug}/{point}\" }",
        "rather than {entity}",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", device = \"\", metric = \"{slug}/{point}\" }",
        "sparkplug",
        "sparkplug = { group = \"g\", node = \"n\", device = \"\", metric = \"{slug}/{point}\" }",
        "1 to 255 bytes",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"\" }",
        "sparkplug",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"\" }",
        "1 to 1,024 bytes",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"Node Control/Rebirth\" }",
        "sparkplug",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"Node Control/Rebirth\" }",
        "measures or obeys",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"energy\" }",
        "topic-collision",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"energy\" }",
        "Put {point}",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"{room}\" }",
        "bad-template",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"{room}\" }",
        "Words are",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", metric = \"{slug}/{point}\" }\nquality = \"/q9\"",
        "sparkplug",
        "quality = \"/q9\"",
        "Leave it out",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", metric = \"m\" }",
        "missing-field",
        "sparkplug = { group = \"g\", metric = \"m\" }",
        "Add 'node'",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", metric = 5 }",
        "wrong-type",
        "sparkplug = { group = \"g\", node = \"n\", metric = 5 }",
        "",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = { group = \"g\", node = \"n\", name = \"x\" }",
        "unknown-field",
        "sparkplug = { group = \"g\", node = \"n\", name = \"x\" }",
        "",
    ),
    (
        C,
        "topic = \"meters/{id}\"\nvalue = \"/{point}\"",
        "sparkplug = \"g/n\"",
        "wrong-type",
        "sparkplug = \"g/n\"",
        "",
    ),
    (
        C,
        "[[bind]]\npoints = \"**\"",
        "[[bind]]\npoints = \"**/co2\"",
        "binding-missing",
        "[kind.temperature]",
        "Add a [[bind]]",
    ),
    (
        C,
        "[[name]]\nat = \"teaching-a\"\nzh-CN = \"教学楼A\"\nen = \"Teaching block A\"\n",
        "",
        "missing-name",
        "format = ",
        "Add a [[name]]",
    ),
];

#[test]
fn every_broken_scene_is_named_with_place_and_mend() {
    let mut failures = Vec::new();
    for &(file, from, to, code, place, mend) in ROWS {
        let (plan, campus) = match file {
            P => (PLAN.replacen(from, to, 1), CAMPUS.to_owned()),
            C => (PLAN.to_owned(), CAMPUS.replacen(from, to, 1)),
        };
        let changed = if file == P { plan != PLAN } else { campus != CAMPUS };
        assert!(changed, "the row for '{code}' changes nothing: {from}");
        let dir = folder(&plan, &campus);
        let loaded = load(dir.path());
        let text = if file == P { &plan } else { &campus };
        let name = if file == P { "plan.json" } else { "campus.toml" };
        let hit = |p: &Problem| {
            p.code == code && p.file.ends_with(name) && is_at(&p.place, place, text) && p.mend.contains(mend)
        };
        let errors = loaded.problems.iter().any(|p| p.severity == Severity::Error);
        if !loaded.problems.iter().any(hit) || errors == loaded.campus.is_some() {
            let found: Vec<String> = loaded.problems.iter().map(Problem::to_string).collect();
            failures.push(format!("{code} at {place} ({mend}) isn't among:\n    {}", found.join("\n    ")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A pointer is compared as it is; a text stands for the line where it is found.
fn is_at(found: &Place, wanted: &str, text: &str) -> bool {
    match found {
        Place::Pointer(pointer) => pointer == wanted,
        Place::Line { .. } if wanted == "line" => true,
        Place::Line { line, .. } => {
            text.find(wanted).is_some_and(|at| text[..at].matches('\n').count() + 1 == *line)
        }
        Place::Whole => false,
    }
}

#[test]
fn codes_of_the_table_are_many() {
    let mut codes: Vec<&str> = ROWS.iter().map(|r| r.3).collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() >= 25, "{}", codes.len());
}

#[test]
fn every_problem_of_a_scene_is_reported_at_once() {
    let plan = PLAN
        .replace("\"pitch_deg\": 1.0", "\"pitch_deg\": 40.0")
        .replace("\"floor_mm\": 7600", "\"floor_mm\": 7500")
        .replace("\"bearing_deg\"", "\"baering_deg\"")
        .replace("#b5651d", "brown");
    let campus = CAMPUS
        .replace("[ppm]", "ppm")
        .replace("Asia/Shanghai", "Shanghai")
        .replace("rating = 630", "raiting = 630")
        .replace("at = \"teaching-a\"", "at = \"nowhere\"");
    let dir = folder(&plan, &campus);
    let codes: Vec<&str> = load(dir.path()).problems.iter().map(|p| p.code).collect();
    for code in
        ["roof-pitch", "storey-gap", "stair-height", "colour", "unknown-unit", "timezone", "glob-empty"]
    {
        assert!(codes.contains(&code), "{code} isn't in {codes:?}");
    }
    assert_eq!(codes.iter().filter(|c| **c == "unknown-field").count(), 2, "one in each file: {codes:?}");
}

#[test]
fn kinds_and_places_become_points() {
    let campus = little_school();
    // Three classrooms: co2 and air each, an air-conditioner of three points each; a meter each
    // and the transformer's.
    assert_eq!(campus.points.len(), 3 * 2 + 3 * 3 + 3 + 1);
    let co2 = campus.point(campus.point_id("teaching-a/2f/201/co2").unwrap());
    assert_eq!((co2.unit.as_str(), co2.range, co2.kind), ("[ppm]", Some([0.0, 5000.0]), PointKind::Sensor));
    assert_eq!(co2.alarms[0].condition, AlarmCondition::High { limit: 1500.0 });
    let air = campus.point(campus.point_id("teaching-a/2f/201/air").unwrap());
    assert_eq!((air.quantity.as_str(), air.range, air.alarms.len()), ("temperature", Some([0.0, 45.0]), 1));
    assert_eq!(campus.point(campus.point_id("teaching-a/1f/101/air").unwrap()).alarms.len(), 0);
    let setpoint = campus.point(campus.point_id("teaching-a/1f/101/ac/setpoint").unwrap());
    let command = setpoint.command.as_ref().unwrap();
    assert_eq!(command.safe, Value::Number(26.0));
    assert_eq!(command.readback.as_ref().unwrap().as_str(), "teaching-a/1f/101/ac/temperature");
    let binding = setpoint.binding.as_ref().unwrap();
    assert_eq!(binding.topic, "campus/teaching-a/1f/101/ac/setpoint");
    assert_eq!(binding.command.as_ref().unwrap().topic, "campus/teaching-a/1f/101/ac/setpoint/set");
    assert_eq!(binding.presence_topic.as_deref(), Some("campus/teaching-a/presence"));
    let mode = campus.point(campus.point_id("teaching-a/1f/101/ac/mode").unwrap());
    assert_eq!(mode.command.as_ref().unwrap().safe, Value::Choice(0));
    for (i, point) in campus.points.iter().enumerate() {
        assert_eq!(point.id.index(), i);
        assert!(campus.points_of(point.entity).contains(&point.id));
    }
}

#[test]
fn networks_become_trees() {
    let campus = little_school();
    let net = campus.network("electricity").unwrap();
    assert_eq!(net.nodes.len(), 4);
    assert_eq!((net.nodes[0].id.as_str(), net.nodes[0].parent), ("transformer", None));
    let circuit = net.nodes.iter().find(|n| n.id == "teaching-a-2f-201").unwrap();
    assert_eq!(circuit.parent, Some(0));
    assert_eq!(circuit.serves.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["teaching-a/2f/201/ac"]);
    assert_eq!((circuit.names.zh.as_str(), circuit.names.en.as_str()), ("201室回路", "Room 201, circuit"));
    let meter = campus.point(circuit.meter.unwrap());
    assert_eq!(meter.path.as_str(), "net/electricity/teaching-a-2f-201/energy");
    assert_eq!(meter.accumulation, Accumulation::Counter { rollover: Some(1_000_000.0) });
    assert_eq!(meter.submeter.as_deref(), Some("01A1"));
    assert_eq!(meter.binding.as_ref().unwrap().value_pointer, "/energy");
    let drain = campus.network("storm").unwrap();
    assert_eq!(drain.nodes[1].parent, Some(0));
    assert_eq!(drain.nodes[1].pipe.as_ref().unwrap().diameter_mm, 300.0);
}

#[test]
fn entities_are_named_in_both_languages() {
    let campus = little_school();
    for (path, zh, en) in [
        ("site", "小学校", "Little School"),
        ("teaching-a/2f", "教学楼A2层", "Teaching block A, floor 2"),
        ("teaching-a/1f/101", "101室", "Room 101"),
        ("teaching-a/1f/101/ac", "空调", "Air conditioner"),
        ("teaching-a/1f/101-door", "门 101-door", "Door 101-door"),
        ("site/tree-1", "树木 tree-1", "Tree tree-1"),
    ] {
        let names = &campus.entity(path).unwrap().names;
        assert_eq!((names.zh.as_str(), names.en.as_str()), (zh, en), "{path}");
    }
}

#[test]
fn globs_pick_points() {
    let campus = little_school();
    for (glob, count) in [
        ("**/co2", 3),
        ("teaching-a/1f/**/co2", 2),
        ("teaching-a/*/*/co2", 3),
        ("teaching-a/1f/101/*", 2),
        ("teaching-a/1f/101/**", 5),
        ("net/electricity/*/energy", 4),
        ("teaching-a/2f/201/co2", 1),
        ("**/{co2,air}", 6),
        ("nothing/**", 0),
    ] {
        assert_eq!(campus.points_matching(glob).len(), count, "{glob}");
    }
}

#[test]
fn a_plan_survives_a_round_trip() {
    let plan: Plan = serde_json::from_str(PLAN).unwrap();
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(plan, again);
}

#[test]
fn a_point_is_bound_to_a_metric_and_commanded_by_it() {
    let campus = CAMPUS.replacen(
        "[[alarm]]\npoints",
        "[[bind]]\npoints = \"teaching-a/**/setpoint\"\nscale = 0.1\nsparkplug = { group = \"{campus}\", node = \"{building}\", \
         device = \"{slug}\", metric = \"AC/{point}\" }\n\n[[alarm]]\npoints",
        1,
    );
    let dir = folder(PLAN, &campus);
    let loaded = load(dir.path());
    assert_eq!(loaded.problems, []);
    let campus = loaded.campus.unwrap();
    let bound: Vec<_> = campus.points.iter().filter_map(|p| p.binding.as_ref()).collect();
    let metrics: Vec<_> = bound.iter().filter(|b| b.sparkplug.is_some()).collect();
    assert!(!metrics.is_empty() && metrics.len() < bound.len());
    let device = metrics[0].sparkplug.as_ref().unwrap().device.clone().unwrap();
    assert!(device.starts_with("teaching-a-"));
    assert_eq!(metrics[0].topic, format!("spBv1.0/{}/DDATA/teaching-a/{device}", campus.id));
    let command = metrics[0].command.as_ref().unwrap();
    assert_eq!(command.topic, format!("spBv1.0/{}/DCMD/teaching-a/{device}", campus.id));
    assert_eq!((command.value_pointer.as_str(), metrics[0].scale), ("AC/setpoint", 0.1));
}

#[test]
fn the_same_files_give_the_same_campus() {
    let (a, b) = (little_school(), little_school());
    let paths = |c: &Campus| c.points.iter().map(|p| p.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&a), paths(&b));
    assert_eq!(a.entities, b.entities);
}

#[test]
fn a_large_campus_loads_quickly() {
    // 600 copies of the building: 1,800 classrooms, 10,800 points, a plan of 1.4 MB.
    let mut plan: serde_json::Value = serde_json::from_str(PLAN).unwrap();
    let first = plan["buildings"][0].clone();
    for n in 1..600 {
        let mut copy = first.clone();
        copy["id"] = format!("teaching-{n}").into();
        plan["buildings"].as_array_mut().unwrap().push(copy);
    }
    let dir = folder(&plan.to_string(), CAMPUS);
    let started = std::time::Instant::now();
    let loaded = load(dir.path());
    let took = started.elapsed();
    let points = loaded.campus.map_or(0, |c| c.points.len());
    println!("{points} points and {} bytes of plan in {took:?}", plan.to_string().len());
    assert_eq!(points, 1 + 600 * 3 * 6, "{:?}", loaded.problems.first());
    // Far above what it takes, so that a busy machine doesn't fail it; what is quadratic would.
}

#[test]
fn a_missing_folder_names_both_files() {
    let problems = open(Path::new("/nowhere/at/all")).unwrap_err().0;
    let files: Vec<PathBuf> = problems.iter().map(|p| p.file.clone()).collect();
    assert_eq!(problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["unreadable", "unreadable"]);
    assert!(files[0].ends_with("plan.json") && files[1].ends_with("campus.toml"));
}

/// A fault that ends the file beyond a fault that does not must not hide both.
#[test]
fn a_cut_off_file_is_never_in_order() {
    for plan in
        ["", "[[", "{\"a\":", "[1,2", "{}}", "[]x", "null", "3", "{\"comment\":\"x\"", "{\"format\":\"x\"}"]
    {
        let dir = folder(plan, CAMPUS);
        let loaded = load(dir.path());
        assert!(loaded.campus.is_none(), "{plan}");
        assert!(loaded.problems.iter().any(|p| p.severity == Severity::Error), "{plan}");
    }
    let cut = PLAN.replacen("\"bearing_deg\"", "\"baering_deg\"", 1);
    let cut = cut.trim_end().trim_end_matches('}');
    let dir = folder(cut, CAMPUS);
    let problems = load(dir.path()).problems;
    assert!(problems.iter().any(|p| p.code == "syntax"), "{problems:?}");
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let dir = folder(&format!("\u{feff}{PLAN}"), &format!("\u{feff}{CAMPUS}"));
    assert_eq!(load(dir.path()).problems, []);
}
