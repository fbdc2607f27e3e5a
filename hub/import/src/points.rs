//! A list of points (CSV) into a `campus.toml`, whose comments and order stay as they are.
//!
//! Each row adds one point to one entity and says where it is found in the field. Rows become `[[place]]` and
//! `[[bind]]` tables at the end of the file; kinds that don't exist yet are made from the row. All problems are given
//! at once, by row; with any of them nothing is added.

use std::collections::{BTreeMap, BTreeSet};

use campanile_model::{Campus, EntityKind, Path, did_you_mean};
use serde::Serialize;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

/// The largest list that is read.
pub const MAX_CSV_BYTES: u64 = 16 << 20;
/// Rows that one list may have; more are better said by a rule in `campus.toml`.
const MAX_ROWS: usize = 100_000;

/// The columns, what each means, and whether each row needs it.
pub const COLUMNS: &[(&str, bool, &str)] = &[
    (
        "entity",
        true,
        "path of the place or equipment, such as main-hall/1f/101; `campanile check` and the twin show them",
    ),
    (
        "kind",
        true,
        "id of the kind of point in campus.toml, such as temperature; a new one needs unit, name_zh, name_en",
    ),
    ("id", false, "id of the point where it isn't the kind's: a second sensor in a room needs one"),
    (
        "topic",
        false,
        "MQTT topic it publishes to; without one the point is bound by the rules that campus.toml has",
    ),
    (
        "pointer",
        false,
        "JSON pointer to the value in the message, such as /data/temp; /value if empty, - for a bare value",
    ),
    ("scale", false, "the point's value is the field's × scale + offset; 1 if left out"),
    ("offset", false, "see scale; 0 if left out"),
    ("time_pointer", false, "JSON pointer to the time; without it the time of arrival counts"),
    ("time_format", false, "unix-ms (if left out), unix-s or rfc3339"),
    ("quality_pointer", false, "JSON pointer to the quality"),
    ("period_s", false, "seconds between two values; the kind's, or 300 for a new kind"),
    ("min", false, "lowest valid value, in the point's unit"),
    ("max", false, "highest valid value"),
    ("name_zh", false, "the name in Chinese, where it isn't the kind's; with name_en"),
    ("name_en", false, "the name in English; with name_zh"),
    ("unit", false, "of a new kind: UCUM, such as Cel, kW.h, [ppm], %"),
    ("class", false, "of a new kind: sensor (if left out) or meter"),
    ("accumulation", false, "of a new kind: gauge (if left out), counter or interval"),
    ("brick", false, "of a new kind: a class of Brick 1.4"),
];

/// What is wrong with a row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowProblem {
    /// The line of the file, from 1; the header is line 1.
    pub line: u64,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// What a list would add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The new text of `campus.toml`.
    #[serde(skip)]
    pub campus_toml: String,
    /// The paths of the points added.
    pub points: Vec<String>,
    /// The ids of the kinds made.
    pub kinds: Vec<String>,
    /// How many have a topic of their own.
    pub bound: usize,
}

/// An example list with every column, for a room and a building of the campus where one is given; lines that begin
/// with `#` are comments.
pub fn template(campus: Option<&Campus>) -> String {
    let room = campus.and_then(|c| c.entities.iter().find(|e| e.kind == EntityKind::Space));
    let room = room.map_or_else(|| "main-hall/1f/101".to_owned(), |e| e.path.to_string());
    let building = room.split('/').next().unwrap_or(&room);
    let mut text =
        String::from("# Points of a campus, one a line. Lines that begin with # are comments.\n# Columns:\n");
    for (name, needed, meaning) in COLUMNS {
        let needed = if *needed { " (needed)" } else { "" };
        text.push_str(&format!("#   {name}{needed}: {meaning}\n"));
    }
    text.push_str(&format!(
        "# Columns may be left out and come in any order. A text with a comma stands in quotes.\n\
         entity,kind,id,topic,pointer,scale,offset,unit,class,accumulation,name_zh,name_en\n\
         {room},temperature,,school/101/air,/temp,0.1,0,,,,,\n\
         {room},temperature,window,school/101/window,/temp,,,,,,窗边温度,\"Temperature, window\"\n\
         {building},gas,,school/gas,/total,,,m3,meter,counter,用气量,Gas used\n"
    ));
    text
}

#[derive(Default)]
struct Row {
    line: u64,
    cells: BTreeMap<&'static str, String>,
}

impl Row {
    fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(|c| c.trim()).filter(|c| !c.is_empty())
    }
}

struct Checking<'a> {
    campus: &'a Campus,
    problems: Vec<RowProblem>,
}

impl Checking<'_> {
    fn problem(&mut self, line: u64, column: Option<&str>, what: impl Into<String>, mend: impl Into<String>) {
        let column = column.map(str::to_owned);
        self.problems.push(RowProblem { line, column, what: what.into(), mend: mend.into() });
    }

    fn number(&mut self, row: &Row, column: &'static str) -> Option<f64> {
        let text = row.get(column)?;
        let found = text.parse::<f64>().ok().filter(|x| x.is_finite());
        if found.is_none() {
            self.problem(
                row.line,
                Some(column),
                format!("'{text}' is no number"),
                "Write it such as 0.1, without a unit.",
            );
        }
        found
    }

    fn word(&mut self, row: &Row, column: &'static str, known: &[&str]) -> Option<String> {
        let text = row.get(column)?;
        if known.contains(&text) {
            return Some(text.to_owned());
        }
        self.problem(
            row.line,
            Some(column),
            format!("'{text}' isn't known"),
            did_you_mean(text, known.iter().copied()),
        );
        None
    }

    fn pointer(&mut self, row: &Row, column: &'static str) -> Option<String> {
        let text = row.get(column)?;
        if text == "-" {
            return Some(String::new());
        }
        if !text.starts_with('/') {
            self.problem(
                row.line,
                Some(column),
                format!("'{text}' is no JSON pointer"),
                format!("A pointer begins with '/', such as '/{text}'."),
            );
        }
        Some(text.to_owned())
    }
}

/// Adds the points of a list to the text of a `campus.toml`. `campus` is what that text and its plan give now.
///
/// # Errors
/// Every problem of the list, by row. Nothing is added then.
pub fn add(csv: &[u8], campus_toml: &str, campus: &Campus) -> Result<Added, Vec<RowProblem>> {
    let mut checking = Checking { campus, problems: Vec::new() };
    let rows = checking.rows(csv);
    let mut doc = match campus_toml.parse::<DocumentMut>() {
        Ok(doc) => doc,
        Err(why) => {
            checking.problem(
                0,
                None,
                format!("campus.toml can't be read: {why}"),
                "Mend it first; `campanile check` says where.",
            );
            return Err(checking.problems);
        }
    };
    let known: BTreeSet<String> = doc
        .get("kind")
        .and_then(Item::as_table_like)
        .map(|t| t.iter().map(|(k, _)| k.to_owned()).collect())
        .unwrap_or_default();
    let mut kinds: BTreeMap<String, (u64, Table)> = BTreeMap::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut places: BTreeMap<(String, u64), (Table, String)> = BTreeMap::new();
    let mut topics: BTreeMap<(String, String), String> = campus
        .points
        .iter()
        .filter_map(|p| {
            Some((
                (p.binding.as_ref()?.topic.clone(), p.binding.as_ref()?.value_pointer.clone()),
                p.path.to_string(),
            ))
        })
        .collect();
    let mut binds: Vec<Table> = Vec::new();
    let mut points = Vec::new();
    for row in &rows {
        let before = checking.problems.len();
        let entity = checking.entity(row);
        let kind = checking.kind(row, &known, &mut kinds);
        let id = row.get("id").or(row.get("kind")).unwrap_or_default().to_owned();
        if let Some(wrong) = row.get("id").filter(|id| id.contains('/') || Path::new(id).is_err()) {
            checking.problem(
                row.line,
                Some("id"),
                format!("'{wrong}' isn't an id"),
                "Use lower-case letters a-z, digits and '-'.",
            );
        }
        let (min, max) = (checking.number(row, "min"), checking.number(row, "max"));
        let period = checking.number(row, "period_s");
        if period.is_some_and(|p| p <= 0.0) {
            checking.problem(
                row.line,
                Some("period_s"),
                "a period isn't above 0",
                "Give the seconds between two values.",
            );
        }
        match (min, max) {
            (Some(low), Some(high)) if low >= high => checking.problem(
                row.line,
                Some("min"),
                format!("the range from {low} to {high} is empty"),
                "Give the lower number as min.",
            ),
            (Some(_), None) | (None, Some(_)) => {
                checking.problem(
                    row.line,
                    Some("max"),
                    "min and max come together",
                    "Give both, or neither.",
                );
            }
            _ => {}
        }
        let names = (row.get("name_zh"), row.get("name_en"));
        if names.0.is_some() != names.1.is_some() {
            checking.problem(
                row.line,
                Some("name_en"),
                "one of the two names is missing",
                "Give name_zh and name_en, or neither.",
            );
        }
        let path = entity.as_ref().map(|e| format!("{e}/{id}"));
        if let Some(path) = &path {
            if campus.point_id(path).is_some() {
                checking.problem(
                    row.line,
                    None,
                    format!("the point '{path}' is in campus.toml already"),
                    "Leave the row out, or give the point an id of its own.",
                );
            }
            if let Some(first) = seen.insert(path.clone(), row.line) {
                checking.problem(
                    row.line,
                    None,
                    format!("the point '{path}' stands in line {first} already"),
                    "Leave one out, or give it an id of its own.",
                );
            }
        }
        let bind = checking.bind(row, path.as_deref(), &mut topics);
        let (Some(entity), Some(kind), Some(path)) = (entity, kind, path) else { continue };
        if checking.problems.len() > before {
            continue;
        }
        let mut point = toml_edit::InlineTable::new();
        point.insert("kind", kind.as_str().into());
        if id != kind {
            point.insert("id", id.as_str().into());
        }
        let made_here = kinds.get(&kind).is_some_and(|(line, _)| *line == row.line);
        if let ((Some(zh), Some(en)), false) = (names, made_here) {
            point.insert("zh-CN", zh.into());
            point.insert("en", en.into());
        }
        if let (Some(low), Some(high), false) = (min, max, made_here) {
            point.insert("range", toml_edit::Value::Array(Array::from_iter([low, high])));
        }
        if let (Some(period), false) = (period, made_here) {
            point.insert("period_s", period.into());
        }
        let mut place = Table::new();
        place.insert("at", value(&entity));
        let plain = point.len() == 1;
        let one =
            if plain { toml_edit::Value::from(kind.as_str()) } else { toml_edit::Value::InlineTable(point) };
        place.insert("points", value(Array::from_iter([one])));
        places.insert((entity, row.line), (place, path.clone()));
        binds.extend(bind);
        points.push(path);
    }
    if rows.is_empty() && checking.problems.is_empty() {
        checking.problem(
            1,
            None,
            "the list has no row",
            "Write a row a point below the header; `--template` prints an example.",
        );
    }
    if !checking.problems.is_empty() {
        checking.problems.sort_by_key(|p| p.line);
        return Err(checking.problems);
    }
    let bound = binds.len();
    let made: Vec<String> = kinds.keys().cloned().collect();
    // One rule an entity.
    let mut merged: BTreeMap<String, Table> = BTreeMap::new();
    for ((entity, _), (place, _)) in places {
        match merged.get_mut(&entity) {
            Some(table) => {
                let more = place.get("points").and_then(Item::as_array).cloned().unwrap_or_default();
                if let Some(array) = table.get_mut("points").and_then(Item::as_array_mut) {
                    more.iter().for_each(|v| array.push(v.clone()));
                }
            }
            None => {
                merged.insert(entity, place);
            }
        }
    }
    for (id, (_, table)) in kinds {
        let all = doc.entry("kind").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        if let Some(all) = all.as_table_like_mut() {
            all.insert(&id, Item::Table(table));
        }
    }
    let shape = |doc: &DocumentMut, key: &str| {
        doc.get(key).is_none_or(|item| item.is_array_of_tables() || item.as_array().is_some())
    };
    for (key, tables) in [("place", merged.into_values().collect::<Vec<_>>()), ("bind", binds)] {
        if !shape(&doc, key) {
            let line = RowProblem {
                line: 0,
                column: None,
                what: format!("'{key}' in campus.toml is no list"),
                mend: "`campanile check` says how to mend it.".to_owned(),
            };
            return Err(vec![line]);
        }
        append(&mut doc, key, tables);
    }
    Ok(Added { campus_toml: doc.to_string(), points, kinds: made, bound })
}

/// Adds tables to a list that is written as `[[key]]` or as `key = [ … ]`.
fn append(doc: &mut DocumentMut, key: &str, tables: Vec<Table>) {
    if tables.is_empty() {
        return;
    }
    let item = doc.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(list) = item.as_array_of_tables_mut() {
        tables.into_iter().for_each(|t| list.push(t));
    } else if let Some(array) = item.as_array_mut() {
        for table in tables {
            let mut entry = toml_edit::Value::InlineTable(table.into_inline_table());
            entry.decor_mut().set_prefix("\n    ");
            array.push_formatted(entry);
        }
        array.set_trailing_comma(true);
        array.set_trailing("\n");
    }
}

impl Checking<'_> {
    /// The rows with their lines; what keeps the list from being read is reported.
    fn rows(&mut self, csv: &[u8]) -> Vec<Row> {
        let csv = csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv);
        if csv.len() as u64 > MAX_CSV_BYTES {
            self.problem(
                1,
                None,
                format!("the list has more than {} MiB", MAX_CSV_BYTES >> 20),
                "Say such points by rules in campus.toml.",
            );
            return Vec::new();
        }
        if let Err(why) = std::str::from_utf8(csv) {
            let line = csv[..why.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64 + 1;
            self.problem(
                line,
                None,
                "the list isn't UTF-8",
                "Save it as UTF-8; a spreadsheet calls it 'CSV UTF-8'.",
            );
            return Vec::new();
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(csv);
        let mut columns: Option<Vec<Option<&'static str>>> = None;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(why) => {
                    let line = why.position().map_or(0, csv::Position::line);
                    self.problem(
                        line,
                        None,
                        format!("the row can't be read: {why}"),
                        "Check its quotes and commas.",
                    );
                    break;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            if record.iter().all(str::is_empty) {
                continue;
            }
            let Some(columns) = &columns else {
                columns = Some(self.header(&record, line));
                continue;
            };
            if rows.len() >= MAX_ROWS {
                self.problem(
                    line,
                    None,
                    format!("the list has more than {MAX_ROWS} rows"),
                    "Say such points by rules in campus.toml.",
                );
                break;
            }
            if record.len() > columns.len() {
                let what =
                    format!("the row has {} fields, but the header has {}", record.len(), columns.len());
                self.problem(line, None, what, "A text with a comma stands in quotes: \"a, b\".");
                continue;
            }
            let cells = columns
                .iter()
                .zip(record.iter())
                .filter_map(|(c, cell)| Some(((*c)?, cell.to_owned())))
                .collect();
            rows.push(Row { line, cells });
        }
        if columns.is_none() && self.problems.is_empty() {
            self.problem(
                1,
                None,
                "the list is empty",
                "Begin with a header; `campanile import points --template` prints an example.",
            );
        }
        rows
    }

    fn header(&mut self, record: &csv::StringRecord, line: u64) -> Vec<Option<&'static str>> {
        let mut found: Vec<Option<&'static str>> = Vec::new();
        for name in record.iter() {
            let column = COLUMNS.iter().map(|c| c.0).find(|c| c.eq_ignore_ascii_case(name));
            match column {
                None => {
                    let semicolon = record.len() == 1 && name.contains([';', '\t']);
                    let mend = if semicolon {
                        "Separate the fields with commas.".to_owned()
                    } else {
                        did_you_mean(name, COLUMNS.iter().map(|c| c.0))
                    };
                    self.problem(line, Some(name), format!("the column '{name}' isn't known"), mend);
                }
                Some(c) if found.contains(&Some(c)) => {
                    self.problem(line, Some(c), format!("the column '{c}' stands twice"), "Leave one out.");
                }
                Some(_) => {}
            }
            found.push(column);
        }
        for (needed, _, meaning) in COLUMNS.iter().filter(|c| c.1 && !found.contains(&Some(c.0))) {
            self.problem(
                line,
                Some(needed),
                format!("the column '{needed}' is missing"),
                format!("Add it: {meaning}."),
            );
        }
        found
    }

    fn entity(&mut self, row: &Row) -> Option<String> {
        let Some(text) = row.get("entity") else {
            if self.problems.iter().all(|p| p.column.as_deref() != Some("entity") || p.line == row.line) {
                self.problem(
                    row.line,
                    Some("entity"),
                    "the entity is missing",
                    "Give the path of a place, such as main-hall/1f/101.",
                );
            }
            return None;
        };
        if self.campus.entity(text).is_none() {
            let mend = did_you_mean(text, self.campus.entities.iter().map(|e| e.path.as_str()));
            self.problem(row.line, Some("entity"), format!("there is no entity '{text}'"), mend);
            return None;
        }
        Some(text.to_owned())
    }

    fn kind(
        &mut self,
        row: &Row,
        known: &BTreeSet<String>,
        made: &mut BTreeMap<String, (u64, Table)>,
    ) -> Option<String> {
        let Some(id) = row.get("kind") else {
            if self.problems.iter().all(|p| p.column.as_deref() != Some("kind") || p.line == row.line) {
                self.problem(
                    row.line,
                    Some("kind"),
                    "the kind is missing",
                    "Give the id of a kind, such as temperature.",
                );
            }
            return None;
        };
        if known.contains(id) || made.contains_key(id) {
            return Some(id.to_owned());
        }
        if id.contains('/') || Path::new(id).is_err() {
            self.problem(
                row.line,
                Some("kind"),
                format!("'{id}' isn't an id"),
                "Use lower-case letters a-z, digits and '-'.",
            );
            return None;
        }
        let (Some(unit), Some(zh), Some(en)) = (row.get("unit"), row.get("name_zh"), row.get("name_en"))
        else {
            let near = did_you_mean(id, known.iter().map(String::as_str));
            self.problem(
                row.line,
                Some("kind"),
                format!("there is no kind of point '{id}'"),
                format!("{near} A new kind needs unit, name_zh and name_en in its first row."),
            );
            return None;
        };
        if !campanile_model::is_ucum_unit(unit) {
            self.problem(
                row.line,
                Some("unit"),
                format!("'{unit}' is no unit of UCUM"),
                "Write it such as 'Cel', 'kW.h', 'm3/h' or '1' for none.",
            );
        }
        let mut table = Table::new();
        table.insert("zh-CN", value(zh));
        table.insert("en", value(en));
        if let Some(class) = self.word(row, "class", &["sensor", "meter"]).filter(|c| c != "sensor") {
            table.insert("kind", value(class));
        }
        if let Some(how) =
            self.word(row, "accumulation", &["gauge", "counter", "interval"]).filter(|a| a != "gauge")
        {
            table.insert("accumulation", value(how));
        }
        if let Some(brick) = row.get("brick") {
            table.insert("brick", value(brick));
        }
        table.insert("unit", value(unit));
        if let (Some(low), Some(high)) = (
            row.get("min").and_then(|x| x.parse::<f64>().ok()),
            row.get("max").and_then(|x| x.parse::<f64>().ok()),
        ) {
            table.insert("range", value(Array::from_iter([low, high])));
        }
        table.insert(
            "period_s",
            value(row.get("period_s").and_then(|x| x.parse::<f64>().ok()).unwrap_or(300.0)),
        );
        made.insert(id.to_owned(), (row.line, table));
        Some(id.to_owned())
    }

    fn bind(
        &mut self,
        row: &Row,
        path: Option<&str>,
        topics: &mut BTreeMap<(String, String), String>,
    ) -> Option<Table> {
        let pointer = self.pointer(row, "pointer");
        let (time, quality) = (self.pointer(row, "time_pointer"), self.pointer(row, "quality_pointer"));
        let format = self.word(row, "time_format", &["unix-ms", "unix-s", "rfc3339"]);
        let (scale, offset) = (self.number(row, "scale"), self.number(row, "offset"));
        if scale == Some(0.0) {
            self.problem(
                row.line,
                Some("scale"),
                "a scale of 0 loses every value",
                "Give the factor from the field's unit to the point's.",
            );
        }
        let Some(topic) = row.get("topic") else {
            let about = ["pointer", "scale", "offset", "time_pointer", "time_format", "quality_pointer"];
            if let Some(column) = about.into_iter().find(|c| row.get(c).is_some()) {
                self.problem(
                    row.line,
                    Some(column),
                    format!("'{column}' says how a message is read, but there is no topic"),
                    "Give the topic, or leave the column empty.",
                );
            }
            return None;
        };
        if topic.contains(['+', '#', '{', '}']) {
            self.problem(
                row.line,
                Some("topic"),
                format!("'{topic}' is no topic to publish to"),
                "Give one whole topic, without '+', '#' and braces.",
            );
        }
        let path = path?;
        // Where no pointer is given a message is `{"value": …}`, as in campus.toml.
        let pointer = pointer.unwrap_or_else(|| "/value".to_owned());
        if let Some(other) = topics.insert((topic.to_owned(), pointer.clone()), path.to_owned()) {
            self.problem(
                row.line,
                Some("topic"),
                format!("'{other}' is bound to '{topic}' at '{pointer}' too"),
                "Give one of them another topic or pointer.",
            );
        }
        let mut table = Table::new();
        table.insert("points", value(path));
        table.insert("topic", value(topic));
        table.insert("value", value(pointer));
        for (key, text) in [("time", time), ("time_format", format), ("quality", quality)] {
            if let Some(text) = text {
                table.insert(key, value(text));
            }
        }
        for (key, number) in [("scale", scale), ("offset", offset)] {
            if let Some(number) = number {
                table.insert(key, value(number));
            }
        }
        Some(table)
    }
}
