//! TOML as JSON values, with the place of every one of them.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::problem::Place;

/// Where the values of a TOML document stand.
#[derive(Debug, Default)]
pub(crate) struct TomlPlaces {
    root: Node,
    lines: Lines,
}

#[derive(Debug, Default)]
struct Node {
    key: Range<usize>,
    value: Range<usize>,
    children: BTreeMap<String, Node>,
}

/// A parsed document, or everything that keeps it from being one.
pub(crate) struct TomlDoc {
    pub value: Value,
    pub places: TomlPlaces,
    /// What the parser objects to, with places.
    pub syntax: Vec<(Place, String)>,
}

pub(crate) fn parse(text: &str) -> TomlDoc {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let syntax = errors
        .iter()
        .map(|e| (e.span().map_or(Place::Whole, |span| lines.place(span.start)), e.message().to_owned()))
        .collect();
    let mut root = Node { key: table.span(), value: table.span(), children: BTreeMap::new() };
    let value = convert_table(table.get_ref(), &mut root);
    TomlDoc { value, places: TomlPlaces { root, lines }, syntax }
}

fn convert_table(table: &DeTable<'_>, node: &mut Node) -> Value {
    let mut map = serde_json::Map::new();
    for (key, value) in table {
        let mut child = Node { key: key.span(), value: value.span(), children: BTreeMap::new() };
        map.insert(key.get_ref().to_string(), convert(value.get_ref(), &mut child));
        node.children.insert(key.get_ref().to_string(), child);
    }
    Value::Object(map)
}

/// Infinities and NaN, which JSON lacks, become texts, so that the check of shapes names them.
fn convert(value: &DeValue<'_>, node: &mut Node) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(&n.as_str().replace('_', ""), n.radix())
            .map_or_else(|_| Value::String(n.as_str().to_owned()), Value::from),
        DeValue::Float(x) => x
            .as_str()
            .replace('_', "")
            .parse()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or_else(|| Value::String(x.as_str().to_owned()), Value::Number),
        DeValue::Boolean(b) => Value::Bool(*b),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(array) => {
            let mut items = Vec::new();
            for (i, item) in array.iter().enumerate() {
                let mut child = Node { key: item.span(), value: item.span(), children: BTreeMap::new() };
                items.push(convert(item.get_ref(), &mut child));
                node.children.insert(i.to_string(), child);
            }
            Value::Array(items)
        }
        DeValue::Table(table) => convert_table(table, node),
    }
}

impl TomlPlaces {
    /// The place of the value at a JSON pointer, or of the nearest value around it.
    pub fn value_place(&self, pointer: &str) -> Place {
        let node = self.find(pointer);
        self.lines.place(node.value.start)
    }

    /// The place of the key of the value at a JSON pointer.
    pub fn key_place(&self, pointer: &str) -> Place {
        self.lines.place(self.find(pointer).key.start)
    }

    fn find(&self, pointer: &str) -> &Node {
        let mut node = &self.root;
        for step in pointer.split('/').skip(1) {
            match node.children.get(&unescape(step)) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }
}

/// A key as a step of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Offsets to lines and columns.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Self { text: text.to_owned(), starts }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |head| head.chars().count()) + 1;
        Place::Line { line, column }
    }
}
