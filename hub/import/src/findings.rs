//! What an importer found in its source and did about it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Examples kept of one code; the rest is counted.
const EXAMPLES: usize = 10;

/// Which element of OpenStreetMap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElementKind {
    /// A point.
    Node,
    /// A line or ring of nodes.
    Way,
    /// A group of elements with roles.
    Relation,
}

/// An element of OpenStreetMap by kind and number. New ones of an editor have negative numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct OsmId {
    /// Node, way or relation.
    pub kind: ElementKind,
    /// Its number.
    pub id: i64,
}

impl fmt::Display for OsmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ElementKind::Node => "node",
            ElementKind::Way => "way",
            ElementKind::Relation => "relation",
        };
        write!(f, "{kind} {}", self.id)
    }
}

/// Something in the source that is broken or had to be guessed, and what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable code; `docs/import.md` lists them.
    pub code: &'static str,
    /// The element, where it is about one.
    pub osm: Option<OsmId>,
    /// The line of the source, where known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What was done.
    pub done: String,
}

/// All findings: at most ten examples of each code, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// How many of each code.
    pub counts: BTreeMap<&'static str, usize>,
    /// The first of each code, in the order found.
    pub examples: Vec<Finding>,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(
        &mut self,
        code: &'static str,
        about: impl Into<Option<(OsmId, usize)>>,
        what: impl Into<String>,
        done: impl Into<String>,
    ) {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= EXAMPLES {
            let (osm, line) = about.into().unzip();
            let line = line.filter(|line| *line > 0);
            self.examples.push(Finding { code, osm, line, what: what.into(), done: done.into() });
        }
    }

    /// Adds those of a part of the work.
    pub(crate) fn absorb(&mut self, other: Findings) {
        for finding in other.examples {
            let here = self.examples.iter().filter(|f| f.code == finding.code).count();
            if here < EXAMPLES {
                self.examples.push(finding);
            }
        }
        for (code, count) in other.counts {
            *self.counts.entry(code).or_default() += count;
        }
    }
}
