//! Reading a campus folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path as FsPath, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::{Place, Problem, Problems, Report, Severity};
use crate::suggest::did_you_mean;
use crate::{Campus, CampusFile, Plan, check_building, check_site, resolve, schema, shape, toml_doc};

/// The name of the file of geometry.
pub const PLAN_FILE: &str = "plan.json";
/// The name of the file of everything else.
pub const CAMPUS_FILE: &str = "campus.toml";
/// A plan of a campus has a few megabytes.
const MAX_PLAN_BYTES: u64 = 256 << 20;
/// Kinds × entities keep the file short; parsing TOML costs far more a byte than JSON.
const MAX_CAMPUS_BYTES: u64 = 8 << 20;

/// What [`load`] found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The campus, if no problem is an error.
    pub campus: Option<Campus>,
    /// Every problem, errors first.
    pub problems: Vec<Problem>,
}

/// Reads `plan.json` and `campus.toml` in a folder, checks them and resolves them.
///
/// Never stops at the first problem: only a file that can't be read or parsed keeps what depends
/// on it from being checked.
pub fn load(dir: &FsPath) -> Loaded {
    load_from(dir, &|path, limit| {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// As [`load`], with both files at hand, such as from an archive. The files that they name are looked for in `dir`.
pub fn load_bytes(dir: &FsPath, plan: &[u8], campus: &[u8]) -> Loaded {
    load_from(dir, &|path, _| Ok(if path.ends_with(PLAN_FILE) { plan } else { campus }.to_vec()))
}

/// Gives the bytes of a file, at most one more than the limit.
type Source<'a> = &'a dyn Fn(&FsPath, u64) -> std::io::Result<Vec<u8>>;

fn load_from(dir: &FsPath, source: Source<'_>) -> Loaded {
    let mut report = Report::new(dir.join(PLAN_FILE), dir.join(CAMPUS_FILE));
    let plan = read_plan(source, &mut report);
    let file = read_campus(source, &mut report);
    if let Some(plan) = &plan {
        check_site::check_site(plan, &mut report);
        check_building::check_buildings(plan, &mut report);
        check_files(dir, plan, file.as_ref(), &mut report);
    }
    if let Some(file) = &file {
        resolve::check_file(file, &mut report);
    }
    let campus = match (plan, file) {
        (Some(plan), Some(file)) => Some(resolve::resolve(plan, &file, dir, &mut report)),
        _ => None,
    };
    if campus.is_none() && report.is_empty() {
        let whole = dir.join(PLAN_FILE);
        report.add(
            Severity::Error,
            "unreadable",
            whole,
            Place::Whole,
            "the file can't be used, and no place in it can be named".to_owned(),
            "Compare it with docs/schema/plan.schema.json, whose path an editor can be told.",
        );
    }
    let problems = report.finish();
    let usable = problems.iter().all(|p| p.severity == Severity::Warning);
    Loaded { campus: campus.filter(|_| usable), problems }
}

/// Checks a plan that is not in a file yet, as [`load`] does: what makes plans can ask before it writes.
pub fn check_plan(plan: &Plan) -> Vec<Problem> {
    let mut report = Report::new(PLAN_FILE.into(), CAMPUS_FILE.into());
    check_site::check_site(plan, &mut report);
    check_building::check_buildings(plan, &mut report);
    report.finish()
}

/// Reads a campus folder, or gives every problem that keeps it from being used.
///
/// # Errors
/// [`Problems`], with warnings too, where [`load`] found an error.
pub fn open(dir: &FsPath) -> Result<Campus, Problems> {
    let loaded = load(dir);
    loaded.campus.ok_or(Problems(loaded.problems))
}

fn read_text(source: Source<'_>, path: &FsPath, limit: u64, report: &mut Report) -> Option<String> {
    let fail = |report: &mut Report, code, what: String, mend: &str| {
        report.add(Severity::Error, code, path.to_owned(), Place::Whole, what, mend);
        None
    };
    let bytes = match source(path, limit) {
        Ok(bytes) => bytes,
        Err(err) => {
            return fail(
                report,
                "unreadable",
                format!("the file can't be read: {err}"),
                "A campus folder has plan.json and campus.toml.",
            );
        }
    };
    if bytes.len() as u64 > limit {
        return fail(
            report,
            "too-large",
            format!("the file has more than {limit} bytes"),
            "Say things by kinds and globs rather than one by one.",
        );
    }
    match String::from_utf8(bytes) {
        // Some editors put a mark before UTF-8; it means nothing.
        Ok(text) => Some(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(err) => fail(
            report,
            "syntax",
            format!("the file isn't UTF-8 at byte {}", err.utf8_error().valid_up_to()),
            "Save it as UTF-8.",
        ),
    }
}

fn read_plan(source: Source<'_>, report: &mut Report) -> Option<Plan> {
    let path = report.plan_file.clone();
    let text = read_text(source, &path, MAX_PLAN_BYTES, report)?;
    let error = match serde_json::from_str::<Plan>(&text) {
        Ok(plan) => {
            return (plan.format == Plan::FORMAT || wrong_format(&plan.format, Plan::FORMAT, report, true))
                .then_some(plan);
        }
        Err(err) => err,
    };
    let place = Place::Line { line: error.line(), column: error.column() };
    // A wrong key or type is found before a fault of syntax further down: without the syntax nothing else is sure.
    let fault = error.to_string();
    let parsed = if error.is_data() { serde_json::from_str(&text) } else { Err(error) };
    let mut value: Value = match parsed {
        Ok(value) => value,
        Err(error) => {
            report.add(
                Severity::Error,
                "syntax",
                path,
                Place::Line { line: error.line(), column: error.column() },
                format!("the JSON can't be read: {error}"),
                "Correct it at this place; a comma, quote or bracket is often missing just before. JSON has no \
                 comments and no NaN.",
            );
            return None;
        }
    };
    if let Some(format) = value.get("format").and_then(Value::as_str).filter(|f| *f != Plan::FORMAT) {
        wrong_format(format, Plan::FORMAT, report, true);
        return None;
    }
    let faults = shape::faults(&value, &schema::plan_schema());
    for fault in &faults {
        report.plan(fault.code, fault.pointer.clone(), fault.what.clone(), fault.mend.clone());
    }
    if faults.is_empty() {
        report.add(Severity::Error, "wrong-type", path, place, fault, "Correct the value at this place.");
    }
    shape::prune(&mut value, &faults);
    serde_json::from_value(value).ok()
}

fn read_campus(source: Source<'_>, report: &mut Report) -> Option<CampusFile> {
    let path = report.campus_file.clone();
    let text = read_text(source, &path, MAX_CAMPUS_BYTES, report)?;
    let value = toml_value(&text, report)?;
    if let Some(format) = value.get("format").and_then(Value::as_str).filter(|f| *f != CampusFile::FORMAT) {
        wrong_format(format, CampusFile::FORMAT, report, false);
        return None;
    }
    toml_shape(value, &schema::campus_schema, report)
}

/// Reads a TOML file of any type of ours as carefully as `campus.toml`: every unknown key, wrong type and bad value is
/// named with its line and its mend.
///
/// # Errors
/// Every [`Problem`], in order of place.
pub fn read_toml<T: DeserializeOwned + JsonSchema>(file: &FsPath, text: &str) -> Result<T, Problems> {
    read_toml_checked(file, text, |_, _| {})
}

/// What a check of a file's meaning finds.
pub struct Findings<'a> {
    report: &'a mut Report,
}

impl Findings<'_> {
    /// An error at the value that a JSON pointer names: what is wrong, without a full stop, and the mend, as a sentence.
    pub fn error(&mut self, code: &'static str, pointer: &str, what: String, mend: impl Into<String>) {
        self.report.campus(code, pointer, what, mend);
    }

    /// A warning at the value that a JSON pointer names.
    pub fn warning(&mut self, code: &'static str, pointer: &str, what: String, mend: impl Into<String>) {
        self.report.campus_warning(code, pointer, what, mend);
    }

    /// Where the value that a JSON pointer names stands, or the nearest around it.
    pub fn place(&self, pointer: &str) -> Place {
        self.report.toml.value_place(pointer)
    }
}

/// As [`read_toml`], and then looks at what the shape can't tell.
///
/// # Errors
/// Every [`Problem`], in order of place.
pub fn read_toml_checked<T: DeserializeOwned + JsonSchema>(
    file: &FsPath,
    text: &str,
    check: impl FnOnce(&T, &mut Findings<'_>),
) -> Result<T, Problems> {
    let mut report = Report::new(PathBuf::new(), file.to_owned());
    let read = toml_value(text, &mut report)
        .and_then(|value| toml_shape(value, &|| schemars::schema_for!(T).to_value(), &mut report));
    if let Some(read) = &read {
        check(read, &mut Findings { report: &mut report });
    }
    match read {
        Some(read) if report.is_empty() => Ok(read),
        _ => {
            let mut problems = report.finish();
            problems.sort_by(|a, b| a.place.cmp(&b.place));
            Err(Problems(problems))
        }
    }
}

/// The document as JSON, with its places kept in the report; nothing where it isn't TOML.
fn toml_value(text: &str, report: &mut Report) -> Option<Value> {
    let doc = toml_doc::parse(text);
    report.toml = doc.places;
    if doc.syntax.is_empty() {
        return Some(doc.value);
    }
    let path = report.campus_file.clone();
    for (place, what) in doc.syntax {
        report.add(
            Severity::Error,
            "syntax",
            path.clone(),
            place,
            format!("the TOML can't be read: {what}"),
            "Correct it at this place.",
        );
    }
    None
}

/// The document as a type; where it does not fit, each fault is reported and what can be read is given.
fn toml_shape<T: DeserializeOwned>(
    mut value: Value,
    schema: &dyn Fn() -> Value,
    report: &mut Report,
) -> Option<T> {
    let error = match T::deserialize(&value) {
        Ok(file) => return Some(file),
        Err(err) => err,
    };
    let path = report.campus_file.clone();
    let schema = schema();
    let faults = shape::faults(&value, &schema);
    for fault in &faults {
        if fault.code == "unknown-field" {
            let place = report.toml.key_place(&fault.pointer);
            report.add(
                Severity::Error,
                fault.code,
                path.clone(),
                place,
                fault.what.clone(),
                fault.mend.clone(),
            );
        } else {
            report.campus(fault.code, &fault.pointer, fault.what.clone(), fault.mend.clone());
        }
    }
    let bad_values = bad_values::<T>(&value, &faults, &schema, report);
    if faults.is_empty() && bad_values == 0 {
        report.campus("wrong-type", "", error.to_string(), "Correct the value.");
    }
    shape::prune(&mut value, &faults);
    T::deserialize(&value).ok()
}

/// Finds values of the right type that the type's own reading refuses, such as an address that is none: each outermost
/// key is tried alone, where serde comes to the value before it misses other keys. Gives how many there are.
fn bad_values<T: DeserializeOwned>(
    value: &Value,
    known: &[shape::Fault],
    schema: &Value,
    report: &mut Report,
) -> usize {
    let mut count = 0;
    for (key, value) in value.as_object().into_iter().flatten() {
        let pointer = format!("/{}", toml_doc::escape(key));
        let inside = |at: &str| {
            at.strip_prefix(&*pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if known.iter().any(|fault| inside(&fault.pointer)) {
            continue;
        }
        let alone = Value::Object([(key.clone(), value.clone())].into_iter().collect());
        let Err(why) = T::deserialize(&alone) else { continue };
        let why = why.to_string();
        if !why.starts_with("missing field") {
            let text = schema["properties"][key]["description"].as_str().unwrap_or_default();
            report.campus("wrong-value", &pointer, why, format!("It says: {}", text.replace('\n', " ")));
            count += 1;
        }
    }
    count
}

/// Reports a wrong format; always false, for use in conditions.
fn wrong_format(found: &str, wanted: &str, report: &mut Report, plan: bool) -> bool {
    let what = format!("the format '{found}' isn't read by this version");
    let mend = format!(
        "Write format = \"{wanted}\" if the file is of that format, or use the version that made it."
    );
    if plan {
        report.plan("format-version", "/format", what, mend);
    } else {
        report.campus("format-version", "/format", what, mend);
    }
    false
}

/// The files that the two name have to lie beside them.
fn check_files(dir: &FsPath, plan: &Plan, file: Option<&CampusFile>, report: &mut Report) {
    let beside = |name: &str| {
        let plain = !name.is_empty() && !name.contains(['/', '\\']) && name != "..";
        plain && dir.join(name).is_file()
    };
    let present = || -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().take(200);
        let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort();
        names
    };
    if let Some(name) = plan.terrain.as_deref().filter(|name| !beside(name)) {
        let names = present();
        report.plan(
            "file-missing",
            "/terrain",
            format!("there is no file '{name}' beside plan.json"),
            did_you_mean(name, names.iter().map(String::as_str)),
        );
    }
    if let Some(name) = file.and_then(|f| f.weather.as_deref()).filter(|name| !beside(name)) {
        let names = present();
        report.campus(
            "file-missing",
            "/weather",
            format!("there is no file '{name}' beside campus.toml"),
            did_you_mean(name, names.iter().map(String::as_str)),
        );
    }
}
