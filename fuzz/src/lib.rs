//! Hostile bytes for every reader: a function a reader, which panics where the reader breaks a promise.
//!
//! The functions know nothing of a fuzzer: `fuzz_targets/` gives them to libFuzzer, and `tests/tests/fuzz_regressions.rs`
//! of the main workspace, which takes in this file, gives them the seeds and every input that once broke something.
//!
//! A new reader takes its seat thus: a function here and its name in
//! [`TARGETS`], a `[[bin]]` with a file in `fuzz_targets/`, seeds in `seeds/NAME/`, words in `dict/NAME.dict`.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use campanile_formats::csv_series::{FoldPolicy, GapPolicy, TimeFormat};
use campanile_formats::{CsvConfig, Epw, EpwHour, EpwLocation, LocalCsv, epw as epw_file, geotiff as tiff};
use campanile_formats::{epw::EpwHeaders, esri_ascii as asc};
use campanile_gateway::MessageReader;
use campanile_model::{Campus, Glob, Loaded, Timestamp, Value, load_bytes};
use campanile_plugins::{Approval, Grants, Manifest, Package, PackageError, Trust};
use campanile_protocol::{ClientMessage, DataFrame, LayerFrame, ServerMessage};

/// A name, and what takes the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by name.
pub const TARGETS: &[Target] = &[
    ("plan", plan),
    ("campus", campus),
    ("geotiff", geotiff),
    ("esri_ascii", esri_ascii),
    ("epw", epw),
    ("csv", csv),
    ("payload", payload),
    ("frame", frame),
    ("message", message),
    ("osm", osm),
    ("points", points),
    ("sparkplug", sparkplug),
    ("record", record),
    ("layer", layer),
    ("drill", drill),
    ("plugin_manifest", plugin_manifest),
    ("plugin_package", plugin_package),
];

/// The files on either side of the one that is bent.
const PLAN: &str = include_str!("../seeds/plan/little.json");
const CAMPUS: &str = include_str!("../seeds/campus/little.toml");
/// A round trip of more than this is slow and teaches nothing new.
const ROUND_TRIP_CELLS: usize = 1 << 16;

/// Where the terrain that the seeds name lies, so that a good plan makes a campus.
fn folder() -> &'static Path {
    static DIR: OnceLock<std::path::PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("campanile-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for temporary files");
        std::fs::write(dir.join("terrain.tif"), b"II*").expect("room for a file of three bytes");
        dir
    })
}

/// What holds of every campus, whatever it was read from.
fn judge(loaded: &Loaded) {
    let errors = loaded.problems.iter().any(|p| p.severity == campanile_model::Severity::Error);
    assert_eq!(loaded.campus.is_some(), !errors, "a campus is usable, or an error says why not");
    for problem in &loaded.problems {
        assert!(!problem.what.is_empty() && !problem.mend.is_empty(), "{problem}");
    }
    let Some(campus) = &loaded.campus else { return };
    for point in &campus.points {
        assert_eq!(campus.point(point.id).path, point.path);
    }
    // What the check lets through has to be drawn, or refused in words.
    let _ = campanile_scene::build(campus, None);
    let _ = MessageReader::new(campus);
}

/// `plan.json`.
pub fn plan(data: &[u8]) {
    judge(&load_bytes(folder(), data, CAMPUS.as_bytes()));
}

/// `campus.toml`.
pub fn campus(data: &[u8]) {
    judge(&load_bytes(folder(), PLAN.as_bytes(), data));
}

/// GeoTIFF.
pub fn geotiff(data: &[u8]) {
    let Ok(grid) = tiff::read(data) else { return };
    grid.check().expect("a reader gives a grid that is in order");
    let _ = grid.sample_bilinear(grid.origin.0 + grid.cell_m.0, grid.origin.1 - grid.cell_m.1);
    if grid.values.len() <= ROUND_TRIP_CELLS {
        let written = tiff::write(&grid).expect("what was read can be written");
        let again = tiff::read(&written).expect("what was written can be read");
        assert_eq!(written, tiff::write(&again).expect("and written again"), "the same bytes");
    }
}

/// ESRI ASCII grids.
pub fn esri_ascii(data: &[u8]) {
    let Ok(grid) = asc::read(&String::from_utf8_lossy(data)) else { return };
    grid.check().expect("a reader gives a grid that is in order");
    let _ = grid.sample_bilinear(grid.origin.0 + grid.cell_m.0, grid.origin.1 - grid.cell_m.1);
}

/// EPW: the input alone, and where its lines are in order, as the first lines of a whole year.
pub fn epw(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = match epw_file::read(&text) {
        // Reading a year is slow: only an input whose every line is good is worth it.
        Err(campanile_formats::EpwError::RowCount { .. }) => {
            let kept = text.lines().count();
            let rest = year().lines().skip(kept).flat_map(|line| [line, "\n"]);
            epw_file::read(&text.lines().flat_map(|line| [line, "\n"]).chain(rest).collect::<String>())
        }
        other => other,
    };
    let Ok(read) = read else { return };
    for hour in [0.0, 0.5, 17.25, 8759.9, -3.0, 1e12, f64::MAX] {
        let _ = read.at(hour);
    }
    let written = epw_file::write(&read).expect("what was read can be written");
    let again = epw_file::read(&written).expect("what was written can be read");
    assert_eq!(written, epw_file::write(&again).expect("and written again"), "the same text");
}

/// A year in which everything is missing.
fn year() -> &'static str {
    static YEAR: OnceLock<String> = OnceLock::new();
    const DAYS: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    YEAR.get_or_init(|| {
        let days = (1..).zip(DAYS).flat_map(|(month, days)| (1..=days).map(move |day| (month, day)));
        let hours = days.flat_map(|(month, day)| (1..=24).map(move |hour| (month, day, hour)));
        let hours =
            hours.map(|(month, day, hour)| EpwHour { year: 2026, month, day, hour, ..EpwHour::default() });
        let headers =
            EpwHeaders { data_periods: "1,1,Data,Sunday,1/1,12/31".to_owned(), ..EpwHeaders::default() };
        let empty = Epw { location: EpwLocation::default(), headers, hours: hours.collect() };
        epw_file::write(&empty).expect("an empty year can be written")
    })
}

/// CSV with local time; the first two bytes choose how it is read.
pub fn csv(data: &[u8]) {
    let [how, zone, text @ ..] = data else { return };
    const ZONES: [&str; 6] =
        ["Europe/London", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Apia", "UTC"];
    let pick = |shift: u8| usize::from(how >> shift & 3);
    let config = CsvConfig {
        fold: [FoldPolicy::ByOrder, FoldPolicy::Earlier, FoldPolicy::Later, FoldPolicy::Reject][pick(0)],
        gap: [GapPolicy::Reject, GapPolicy::ShiftForward][pick(2) % 2],
        time_format: match pick(4) {
            0 => TimeFormat::Pattern("%d.%m.%Y %H:%M".to_owned()),
            1 => TimeFormat::Pattern("%Y-%m-%dT%H:%M:%S%z".to_owned()),
            _ => TimeFormat::Auto,
        },
        ..CsvConfig::new("t", ZONES[usize::from(*zone) % ZONES.len()])
    };
    let Ok(mut rows) = LocalCsv::open(text, config) else { return };
    let width = rows.columns().len();
    let mut last_line = 1;
    for row in rows.by_ref() {
        let Ok(row) = row else { continue };
        assert_eq!(row.values.len(), width);
        assert!(row.line > last_line, "lines go up");
        assert!(row.values.iter().flatten().all(|v| v.is_finite()));
        last_line = row.line;
    }
    assert!(rows.stats().rows + rows.stats().errors <= text.len() as u64);
}

/// What a campus is bound to in every shape that a binding can have.
const BINDINGS: &str = r#"
[[bind]]
points = "**/co2"
topic = "bare/{entity}"
value = ""
[[bind]]
points = "**/air"
topic = "tree/{entity}"
value = "/a/0/v"
time = "/a/0/t"
time_format = "rfc3339"
quality = "/q"
[[bind]]
points = "**/setpoint"
topic = "array/{entity}"
array = "/items"
value = "/v"
time = "/t"
time_format = "unix-s"
scale = 0.1
offset = -40
"#;

fn reader() -> &'static (MessageReader, Vec<String>) {
    static READER: OnceLock<(MessageReader, Vec<String>)> = OnceLock::new();
    READER.get_or_init(|| {
        let text = format!("{CAMPUS}\n{BINDINGS}");
        let loaded = load_bytes(folder(), PLAN.as_bytes(), text.as_bytes());
        let campus = loaded.campus.unwrap_or_else(|| panic!("{:#?}", loaded.problems));
        let reader = MessageReader::new(&campus);
        let topics = reader.topics().map(str::to_owned).collect();
        (reader, topics)
    })
}

/// A message of the field; the first byte chooses the topic.
pub fn payload(data: &[u8]) {
    let [which, message @ ..] = data else { return };
    let (reader, topics) = reader();
    let topic = &topics[usize::from(*which) % topics.len()];
    let arrival = Timestamp(1_700_000_000_000_000);
    let (samples, _) = reader.read(topic, message, arrival);
    for sample in samples {
        assert!(sample.time.0 < 300_000_000_000_000_000, "{sample:?}");
        match &sample.value {
            Value::Number(x) => assert!(x.is_finite()),
            Value::Text(text) => assert!(text.len() <= Value::MAX_TEXT),
            Value::Bool(_) | Value::Choice(_) => {}
        }
    }
}

/// OpenStreetMap extracts, with rooms: what is made of one is sound, whatever was broken in it.
pub fn osm(data: &[u8]) {
    // Larger buildings are slow and teach nothing new.
    let most_floor_m2 = Some(20_000.0);
    let options = campanile_import::osm::Options { rooms: true, most_floor_m2, ..Default::default() };
    if let Ok(made) = campanile_import::osm::import(data, &options) {
        let problems = campanile_model::check_plan(&made.plan);
        let error = problems.iter().find(|p| p.severity == campanile_model::Severity::Error);
        assert!(error.is_none(), "{error:?}");
    }
}

/// Lists of points for a campus.
pub fn points(data: &[u8]) {
    static CAMPUS_READ: OnceLock<Option<campanile_model::Campus>> = OnceLock::new();
    let read = || load_bytes(folder(), PLAN.as_bytes(), CAMPUS.as_bytes()).campus;
    let campus = CAMPUS_READ.get_or_init(read).as_ref().expect("the seeds are in order");
    match campanile_import::points::add(data, CAMPUS, campus) {
        Ok(_) => {}
        Err(problems) => assert!(!problems.is_empty(), "a list is taken, or is told why not"),
    }
}

/// Payloads of Sparkplug B: what is read and written again is read the same.
pub fn sparkplug(data: &[u8]) {
    use campanile_gateway::sparkplug::Payload;
    let Ok(payload) = Payload::decode(data) else { return };
    let written = payload.encode();
    let again = Payload::decode(&written).expect("what is written can be read");
    assert_eq!(again.encode(), written);
}

/// Records of a world's inputs.
pub fn record(data: &[u8]) {
    static SCHEMA: OnceLock<std::sync::Arc<campanile_world::Schema>> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let campus = load_bytes(folder(), PLAN.as_bytes(), CAMPUS.as_bytes()).campus;
        std::sync::Arc::new(campanile_world::Schema::of(&campus.expect("the seeds are in order")))
    });
    // The checksums of frames would keep all but whole frames out: the bytes are the bodies of frames instead.
    let mut bytes = Vec::new();
    let world = campanile_world::World::new(schema.clone(), Timestamp(0));
    let started = campanile_world::Recorder::start(&mut bytes, "little-school", &world);
    started.expect("memory takes what is written");
    for (kind, body) in data.split(|b| *b == b'\n').map(|line| line.split_first().unwrap_or((&0, &[]))) {
        bytes.push(kind % 8);
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&blake3::hash(body).as_bytes()[..4]);
    }
    let _ = campanile_world::replay(&bytes[..], "little-school", schema, |_| true);
    let _ = campanile_world::replay(data, "little-school", schema, |_| true);
}

/// Data frames.
pub fn frame(data: &[u8]) {
    let Ok(read) = DataFrame::decode(data) else { return };
    let written = match read.encode() {
        Ok(written) => written,
        // Texts may share their bytes in a frame that others wrote; written apart they may be too many.
        Err(campanile_protocol::FrameError::TooLarge { .. }) => return,
        Err(why) => panic!("what was read can be written: {why}"),
    };
    assert_eq!(DataFrame::decode(&written).expect("what was written can be read"), read);
}

/// Frames of layers, one after the other as a connection brings them: two bytes say how long the next one is.
pub fn layer(data: &[u8]) {
    let _ = frames_taken(data);
}

/// How many frames of layers were taken.
pub fn frames_taken(mut data: &[u8]) -> usize {
    let mut before = std::collections::BTreeMap::new();
    let mut taken = 0;
    while let [low, high, rest @ ..] = data {
        let (frame, next) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes([*low, *high]))));
        data = next;
        let Ok(head) = LayerFrame::head(frame) else { continue };
        let was = before.get(&head.layer);
        let Ok(read) = LayerFrame::decode(frame, was) else { continue };
        assert_eq!((read.layer, read.number, read.time), (head.layer, head.number, head.time));
        // A run of many numbers is short, and writing them all is slow and teaches nothing new.
        for was in [was, None].into_iter().filter(|_| read.state.count() <= ROUND_TRIP_CELLS) {
            let written = read.encode(was).expect("what was read can be written");
            assert_eq!(LayerFrame::decode(&written, was).expect("what was written can be read"), read);
        }
        before.insert(head.layer, read.state);
        taken += 1;
    }
    taken
}

/// `drill.toml`, for the campus of the seeds.
pub fn drill(data: &[u8]) {
    let _ = drill_is_taken(&String::from_utf8_lossy(data));
}

/// The campus of the seeds.
fn little() -> &'static Arc<Campus> {
    static LITTLE: OnceLock<Arc<Campus>> = OnceLock::new();
    let read = || load_bytes(folder(), PLAN.as_bytes(), CAMPUS.as_bytes()).campus;
    LITTLE.get_or_init(|| Arc::new(read().expect("the seeds are in order")))
}

/// Whether it is a drill.
pub fn drill_is_taken(text: &str) -> bool {
    match campanile_rehearsal::Drill::read(Path::new("drill.toml"), text, little()) {
        Ok(drill) => {
            let _ = (drill.rain(), drill.hour(), drill.people(), drill.barriers());
            true
        }
        Err(problems) => {
            for problem in &problems.0 {
                assert!(!problem.what.is_empty() && !problem.mend.is_empty(), "{problem}");
            }
            false
        }
    }
}

/// `plugin.toml`.
pub fn plugin_manifest(data: &[u8]) {
    let _ = manifest_is_taken(&String::from_utf8_lossy(data));
}

/// Whether it is a plugin's manifest; what it asks for is found on the campus of the seeds.
pub fn manifest_is_taken(text: &str) -> bool {
    match Manifest::read(Path::new("plugin.toml"), text) {
        Ok(manifest) => {
            judge_manifest(manifest);
            true
        }
        Err(problems) => {
            for problem in &problems.0 {
                assert!(!problem.what.is_empty() && !problem.mend.is_empty(), "{problem}");
            }
            false
        }
    }
}

fn judge_manifest(manifest: Manifest) {
    assert_eq!(manifest.version().to_string(), manifest.version, "a version is written in one way");
    assert_ne!(manifest.component_file().is_some(), manifest.script.is_some(), "a component or a script");
    let approval = Approval {
        plugin: manifest.id.clone(),
        version: manifest.version.clone(),
        package: String::new(),
        capability: manifest.capability.clone(),
        settings: std::collections::BTreeMap::new(),
        by: String::new(),
    };
    let grants = Grants::new(little().clone(), Arc::new(manifest), &approval);
    for point in grants.points() {
        let handle = grants.handle(point).expect("a point that is seen has a handle");
        assert_eq!(grants.point(handle), Some(point));
        assert!(!grants.commandable(handle) || grants.band.is_some_and(|(strongest, _)| strongest.get() > 8));
    }
}

/// Packages of plugins.
pub fn plugin_package(data: &[u8]) {
    let _ = package_is_taken(data);
}

/// Whether it is a package; then it is written and read again, and nobody's.
pub fn package_is_taken(data: &[u8]) -> bool {
    let package = match Package::read(data) {
        Ok(package) => package,
        Err(PackageError::Problems(problems)) => {
            assert!(problems.0.iter().all(|problem| !problem.mend.is_empty()), "{problems}");
            return false;
        }
        Err(why) => {
            assert!(!why.to_string().is_empty());
            return false;
        }
    };
    assert!(package.verify(&Trust::default()).is_err(), "nobody is trusted");
    assert!(package.component().is_some() || package.script().is_some());
    let written = package.bytes().expect("what was read can be written");
    let again = Package::read(&written).expect("what was written can be read");
    assert_eq!(again.hash, package.hash);
    assert_eq!(again.bytes().expect("and written again"), written, "the same bytes");
    judge_manifest(Manifest::clone(&package.manifest));
    true
}

/// Messages of clients and of the hub.
pub fn message(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(read) = ClientMessage::decode(&text) {
        let written = read.encode().expect("what was read can be written");
        // Escapes may make it longer than it came.
        if written.len() <= campanile_protocol::limits::MAX_CLIENT_MESSAGE_BYTES {
            assert_eq!(ClientMessage::decode(&written).expect("what was written can be read"), read);
        }
        if let ClientMessage::Subscribe(subscription) = &read {
            for glob in subscription.globs.iter().filter_map(|glob| Glob::new(glob).ok()) {
                let _ = glob.matches("teaching-a/2f/203/ac/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/setpoint");
            }
        }
    }
    if let Ok(read) = ServerMessage::decode(&text) {
        let written = read.encode().expect("what was read can be written");
        assert_eq!(ServerMessage::decode(&written).expect("what was written can be read"), read);
    }
}
