//! OSM XML 0.6 to elements, with every fault of the file survived or named.
//!
//! Reads what the editing API, JOSM and Overpass write: elements in any order, `out geom` (positions within ways and
//! relations), negative ids and `action="delete"` of unsaved edits. Nothing is expanded but the five entities of XML
//! and numbers, so no document can grow while it is read.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::findings::{ElementKind, Findings, OsmId};

/// The largest file that is read: a whole city. A campus has less than a hundredth.
pub const MAX_OSM_BYTES: u64 = 256 << 20;

/// Why a file is no extract that can be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", line.map(|l| format!("line {l}: ")).unwrap_or_default())]
pub struct OsmError {
    /// The line, where the fault has one.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl OsmError {
    pub(crate) fn new(
        line: impl Into<Option<usize>>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { line: line.into(), what: what.into(), mend: mend.into() }
    }
}

/// The tags of an element; of two with one key the first counts.
pub(crate) type Tags = BTreeMap<String, String>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub lat: f64,
    pub lon: f64,
    pub tags: Tags,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    pub line: usize,
    pub nodes: Vec<i64>,
    pub tags: Tags,
    /// Only known from within a relation (`out geom`); the way itself, if it comes, replaces it.
    pub borrowed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub kind: ElementKind,
    pub id: i64,
    pub role: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Relation {
    pub line: usize,
    pub members: Vec<Member>,
    pub tags: Tags,
}

/// Degrees: south, west, north, east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub south: f64,
    pub west: f64,
    pub north: f64,
    pub east: f64,
}

/// The elements of a file by number, so that every walk over them has one order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extract {
    pub bounds: Option<Bounds>,
    pub nodes: BTreeMap<i64, Node>,
    pub ways: BTreeMap<i64, Way>,
    pub relations: BTreeMap<i64, Relation>,
}

/// Reads a file. Faults within it go to `findings`.
pub(crate) fn read(bytes: &[u8], findings: &mut Findings) -> Result<Extract, OsmError> {
    let text = text_of(bytes)?;
    let mut reading = Reading {
        extract: Extract::default(),
        findings,
        current: None,
        in_place: BTreeMap::new(),
        member_nodes: None,
        made: BTreeMap::new(),
    };
    let mut reader = Reader::from_str(text);
    let mut lines = Lines { text, at: 0, line: 1 };
    let (mut depth, mut root_seen, mut closed) = (0_usize, false, false);
    loop {
        let before = lines.of(reader.buffer_position() as usize);
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(why) => {
                let line = lines.of(reader.error_position() as usize).max(before);
                return Err(OsmError::new(
                    line,
                    format!("the XML can't be read: {why}"),
                    "The file may be cut short or edited by hand: download or save it again.",
                ));
            }
        };
        let line = match &event {
            // The position after an event ends it; its own line is where its text begins.
            Event::Start(_) | Event::Empty(_) => before,
            _ => lines.of(reader.buffer_position() as usize),
        };
        match event {
            Event::Start(start) => {
                if depth == 0 {
                    root(&start, line, root_seen)?;
                    root_seen = true;
                } else {
                    reading.open(&start, line)?;
                }
                depth += 1;
            }
            Event::Empty(start) => {
                if depth == 0 {
                    root(&start, line, root_seen)?;
                    (root_seen, closed) = (true, true);
                } else {
                    reading.open(&start, line)?;
                    reading.close(start.name().as_ref());
                }
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                closed |= depth == 0;
                if depth > 0 {
                    reading.close(end.name().as_ref());
                }
            }
            Event::DocType(_) => {
                return Err(OsmError::new(
                    line,
                    "the file has a document type, which OSM files don't have and which could define entities that grow without end",
                    "Download the extract again, or take out the <!DOCTYPE …>.",
                ));
            }
            Event::Text(text) if depth == 0 && text.iter().any(|b| !b.is_ascii_whitespace()) => {
                return Err(not_osm(line, "text stands where XML should begin"));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !root_seen {
        return Err(not_osm(None, "there is no <osm> element in the file"));
    }
    if !closed {
        return Err(OsmError::new(
            lines.of(text.len()),
            "the file ends before </osm>",
            "It was cut short: download or save it again.",
        ));
    }
    for (id, (lat, lon)) in std::mem::take(&mut reading.in_place) {
        // A node of its own has tags and counts more.
        reading.extract.nodes.entry(id).or_insert_with(|| Node { lat, lon, tags: Tags::new() });
    }
    Ok(reading.extract)
}

fn not_osm(line: impl Into<Option<usize>>, what: &str) -> OsmError {
    OsmError::new(
        line,
        what,
        "Give an OSM XML file: openstreetmap.org → Export, or Overpass with [out:xml] and `out geom;`.",
    )
}

/// How packed files begin: gzip, bzip2, zip, xz, zstd, 7z.
const PACKED: [&[u8]; 6] =
    [b"\x1f\x8b", b"BZh", b"PK\x03\x04", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf"];
/// How other files begin that maps are kept in, or that are taken for a map by mistake.
const OTHERS: [(&[u8], &str); 5] = [
    (b"SQLite format 3", "an SQLite file (GeoPackage, MBTiles)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"%PDF", "a PDF"),
    (b"\x00\x00\x27\x0a", "a shapefile"),
];

/// Names what is clearly something else, then asks for UTF-8.
fn text_of(bytes: &[u8]) -> Result<&str, OsmError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let convert = |from: &str| format!("Convert it first, such as `osmium cat {from} -o extract.osm`.");
    let head = &bytes[..bytes.len().min(64)];
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(not_osm(None, "the file is empty"));
    }
    if bytes.len() as u64 > MAX_OSM_BYTES {
        return Err(too_large());
    }
    if head.windows(9).any(|w| w == b"OSMHeader") {
        return Err(OsmError::new(None, "this is a PBF file, not OSM XML", convert("extract.osm.pbf")));
    }
    if head.starts_with(b"\xff\xe0") {
        return Err(OsmError::new(None, "this is an o5m file, not OSM XML", convert("extract.o5m")));
    }
    if PACKED.iter().any(|magic| head.starts_with(magic)) {
        return Err(OsmError::new(
            None,
            "this is a compressed file",
            "Unpack it first (gunzip, bunzip2, unxz or unzip) and give the OSM XML file in it.",
        ));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(not_osm(None, &format!("this is {what}, not OSM XML")));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(OsmError::new(None, "the file is UTF-16", "Save it as UTF-8."));
    }
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if first.is_some_and(|b| *b == b'{' || *b == b'[') {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
        return Err(
            match ["FeatureCollection", "\"Feature\"", "\"geometry\""].iter().any(|w| start.contains(w)) {
                true => not_osm(None, "this is GeoJSON, not OSM XML"),
                false => OsmError::new(
                    None,
                    "this is JSON, not OSM XML",
                    "In Overpass write [out:xml] instead of [out:json].",
                ),
            },
        );
    }
    std::str::from_utf8(bytes).map_err(|why| {
        let line = bytes[..why.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        OsmError::new(
            line,
            "the file isn't UTF-8",
            "Save it as UTF-8, or give the XML file of an OSM extract.",
        )
    })
}

pub(crate) fn too_large() -> OsmError {
    OsmError::new(
        None,
        format!("the file has more than {} MiB", MAX_OSM_BYTES >> 20),
        "Cut the campus out: openstreetmap.org → Export, or `osmium extract --bbox west,south,east,north`.",
    )
}

fn root(start: &BytesStart<'_>, line: usize, seen: bool) -> Result<(), OsmError> {
    match start.name().as_ref() {
        _ if seen => Err(not_osm(line, "a second element stands after </osm>")),
        b"osm" => Ok(()),
        b"osmChange" => Err(OsmError::new(
            line,
            "this is a file of changes (osmChange), not an extract",
            "Export the area itself, or apply the changes to an extract with `osmium apply-changes`.",
        )),
        other => {
            let name = String::from_utf8_lossy(&other[..other.len().min(40)]).into_owned();
            Err(not_osm(line, &format!("the file begins with <{name}>, not with <osm>")))
        }
    }
}

/// Lines by offset; offsets only grow, so the text is walked once.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the first character at or after `offset` that isn't white space.
    fn of(&mut self, offset: usize) -> usize {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        if offset > self.at {
            self.line += bytes[self.at..offset].iter().filter(|b| **b == b'\n').count();
            self.at = offset;
        }
        self.line
    }
}

enum Current {
    Node(i64, Node),
    Way(i64, Way),
    Relation(i64, Relation),
    /// What is deleted or broken: its children are passed over.
    Nothing,
}

struct Reading<'a> {
    extract: Extract,
    findings: &'a mut Findings,
    current: Option<Current>,
    /// Positions that ways and relations give of their nodes.
    in_place: BTreeMap<i64, (f64, f64)>,
    /// The positions within the member that is open.
    member_nodes: Option<Vec<i64>>,
    /// The numbers given to nodes that have none, by position.
    made: BTreeMap<(u64, u64), i64>,
}

type Attributes = BTreeMap<String, String>;

impl Reading<'_> {
    fn attributes(&self, start: &BytesStart<'_>, line: usize) -> Result<Attributes, OsmError> {
        let mut found = Attributes::new();
        for attribute in start.attributes() {
            let broken = |why: String| {
                OsmError::new(
                    line,
                    format!("an attribute can't be read: {why}"),
                    "Correct the line, or download the extract again.",
                )
            };
            let attribute = attribute.map_err(|why| broken(why.to_string()))?;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|why| broken(why.to_string()))?;
            let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            found.insert(key, value.into_owned());
        }
        Ok(found)
    }

    fn open(&mut self, start: &BytesStart<'_>, line: usize) -> Result<(), OsmError> {
        let attributes = self.attributes(start, line)?;
        let name = start.name();
        match (name.as_ref(), &mut self.current) {
            (b"bounds" | b"bound", None) => self.bounds(&attributes, line),
            (b"node" | b"way" | b"relation", None) => {
                self.current =
                    Some(self.element(name.as_ref(), &attributes, line).unwrap_or(Current::Nothing));
            }
            (b"tag", Some(current)) => {
                let tags = match current {
                    Current::Node(_, node) => &mut node.tags,
                    Current::Way(_, way) => &mut way.tags,
                    Current::Relation(_, relation) => &mut relation.tags,
                    Current::Nothing => return Ok(()),
                };
                if let (Some(key), Some(value)) = (attributes.get("k"), attributes.get("v")) {
                    tags.entry(key.clone()).or_insert_with(|| value.trim().to_owned());
                }
            }
            (b"nd", Some(Current::Way(..) | Current::Relation(..))) => self.nd(&attributes),
            (b"member", Some(Current::Relation(id, relation))) => {
                let kind = match attributes.get("type").map(String::as_str) {
                    Some("node") => Some(ElementKind::Node),
                    Some("way") => Some(ElementKind::Way),
                    Some("relation") => Some(ElementKind::Relation),
                    _ => None,
                };
                let number = attributes.get("ref").and_then(|r| r.trim().parse().ok());
                let role = attributes.get("role").cloned().unwrap_or_default();
                let about = (OsmId { kind: ElementKind::Relation, id: *id }, line);
                match kind.zip(number) {
                    Some((kind, number)) => {
                        relation.members.push(Member { kind, id: number, role });
                        self.member_nodes = Some(Vec::new());
                    }
                    None => self.findings.add(
                        "bad-reference",
                        about,
                        "a member has no type or no number",
                        "the member is left out",
                    ),
                }
            }
            (b"remark", None) => self.findings.add(
                "incomplete",
                None,
                format!("the server left a remark at line {line}: its answer may be incomplete"),
                "what is there was imported",
            ),
            _ => {}
        }
        Ok(())
    }

    fn bounds(&mut self, attributes: &Attributes, line: usize) {
        let get = |key: &str| attributes.get(key).and_then(|v| v.trim().parse::<f64>().ok());
        let all = [get("minlat"), get("minlon"), get("maxlat"), get("maxlon")];
        if let [Some(south), Some(west), Some(north), Some(east)] = all
            && on_earth(south, west)
            && on_earth(north, east)
            && south < north
            && west != east
        {
            // JOSM lists one for each download: the first is the one that was asked for first.
            let bounds = Bounds { south, west, north, east };
            self.extract.bounds.get_or_insert(bounds);
        } else {
            self.findings.add(
                "bad-position",
                None,
                format!("the bounds at line {line} aren't an area on Earth"),
                "the area was taken from the elements",
            );
        }
    }

    fn element(&mut self, name: &[u8], attributes: &Attributes, line: usize) -> Option<Current> {
        let kind = match name {
            b"node" => ElementKind::Node,
            b"way" => ElementKind::Way,
            _ => ElementKind::Relation,
        };
        let Some(id) = attributes.get("id").and_then(|id| id.trim().parse::<i64>().ok()) else {
            self.findings.add(
                "bad-id",
                None,
                format!("an element at line {line} has no whole number as its id"),
                "the element is left out",
            );
            return None;
        };
        let about = (OsmId { kind, id }, line);
        if attributes.get("action").is_some_and(|a| a == "delete")
            || attributes.get("visible").is_some_and(|v| v == "false")
        {
            self.findings.add("deleted", about, "the element is marked as deleted", "it is left out");
            return None;
        }
        let taken = match kind {
            ElementKind::Node => self.extract.nodes.contains_key(&id),
            ElementKind::Way => self.extract.ways.get(&id).is_some_and(|way| !way.borrowed),
            ElementKind::Relation => self.extract.relations.contains_key(&id),
        };
        if taken {
            self.findings.add(
                "duplicate-id",
                about,
                "the id stands here a second time",
                "the first was kept",
            );
            return None;
        }
        Some(match kind {
            ElementKind::Node => {
                let get = |key: &str| attributes.get(key).and_then(|v| v.trim().parse::<f64>().ok());
                let Some((lat, lon)) = get("lat").zip(get("lon")).filter(|(lat, lon)| on_earth(*lat, *lon))
                else {
                    self.findings.add(
                        "bad-position",
                        about,
                        "the node has no latitude and longitude on Earth",
                        "the node is left out",
                    );
                    return None;
                };
                Current::Node(id, Node { lat, lon, tags: Tags::new() })
            }
            ElementKind::Way => Current::Way(id, Way { line, ..Way::default() }),
            ElementKind::Relation => Current::Relation(id, Relation { line, ..Relation::default() }),
        })
    }

    /// A node of a way, or of a way within a relation (`out geom`).
    fn nd(&mut self, attributes: &Attributes) {
        let get = |key: &str| attributes.get(key).and_then(|v| v.trim().parse::<f64>().ok());
        let position = get("lat").zip(get("lon")).filter(|(lat, lon)| on_earth(*lat, *lon));
        let number = attributes.get("ref").and_then(|r| r.trim().parse::<i64>().ok());
        let id = match (number, position) {
            (Some(id), _) => id,
            (None, Some(position)) => {
                // The same place twice is the same corner, or a ring would never close.
                let next = i64::MIN + self.made.len() as i64;
                *self.made.entry((position.0.to_bits(), position.1.to_bits())).or_insert(next)
            }
            // `out geom` of a clipped area leaves nodes outside of it without a position.
            (None, None) => return,
        };
        if let Some((lat, lon)) = position {
            self.in_place.entry(id).or_insert((lat, lon));
        }
        match (&mut self.current, &mut self.member_nodes) {
            (Some(Current::Way(_, way)), _) => way.nodes.push(id),
            (Some(Current::Relation(..)), Some(nodes)) => nodes.push(id),
            _ => {}
        }
    }

    fn close(&mut self, name: &[u8]) {
        match name {
            b"member" => {
                let nodes = self.member_nodes.take().unwrap_or_default();
                if let Some(Current::Relation(_, relation)) = &self.current
                    && let Some(member) = relation.members.last()
                    && member.kind == ElementKind::Way
                    && !nodes.is_empty()
                {
                    let way = Way { line: relation.line, nodes, tags: Tags::new(), borrowed: true };
                    self.extract.ways.entry(member.id).or_insert(way);
                }
            }
            b"node" | b"way" | b"relation" => match self.current.take() {
                Some(Current::Node(id, node)) => {
                    self.extract.nodes.insert(id, node);
                }
                Some(Current::Way(id, way)) => {
                    self.extract.ways.insert(id, way);
                }
                Some(Current::Relation(id, relation)) => {
                    self.extract.relations.insert(id, relation);
                }
                _ => {}
            },
            _ => {}
        }
    }
}

fn on_earth(lat: f64, lon: f64) -> bool {
    (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)
}
