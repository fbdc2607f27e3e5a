//! Geometry of ways and multipolygons: nodes to places, ways to rings, rings to areas.

use std::collections::BTreeSet;

use campanile_model::PointMm;

use super::projection::Projection;
use super::read::{Extract, Relation, Way};
use crate::findings::{ElementKind, Findings, OsmId};
use crate::polygon::{Polygon, difference, even_odd, tidy, union};

/// Nothing farther from the middle belongs to a campus.
pub(crate) const LIMIT_M: f64 = 20_000.0;
/// Corners nearer to a straight line than this are left out.
const TIDY_MM: f64 = 30.0;
/// A ring that is longer is made plainer; the plan allows 5,000.
const LONGEST_RING: usize = 4000;

pub(crate) fn way_id(id: i64) -> OsmId {
    OsmId { kind: ElementKind::Way, id }
}

/// The places of a way's nodes; those that are missing are named.
pub(crate) fn places(
    extract: &Extract,
    projection: &Projection,
    id: i64,
    way: &Way,
    findings: &mut Findings,
) -> Vec<(i64, PointMm)> {
    let mut found = Vec::with_capacity(way.nodes.len());
    let mut missing: Vec<i64> = Vec::new();
    let mut far = 0;
    for node in &way.nodes {
        match extract.nodes.get(node) {
            None => missing.push(*node),
            Some(n) => match projection.point(n.lat, n.lon, LIMIT_M) {
                Some(p) => found.push((*node, p)),
                None => far += 1,
            },
        }
    }
    if !missing.is_empty() {
        let few: Vec<String> = missing.iter().take(3).map(i64::to_string).collect();
        let more = if missing.len() > 3 { ", …" } else { "" };
        findings.add(
            "missing-node",
            (way_id(id), way.line),
            format!("{} of its nodes aren't in the file: {}{more}", missing.len(), few.join(", ")),
            "the way was drawn through the others",
        );
    }
    if far > 0 {
        findings.add(
            "too-far",
            (way_id(id), way.line),
            format!("{far} of its nodes are more than {} km from the middle of the extract", LIMIT_M / 1e3),
            "they were left out",
        );
    }
    found.dedup_by_key(|(_, p)| *p);
    found
}

/// A ring of nodes, closed if it wasn't.
fn close(nodes: &[(i64, PointMm)], about: (OsmId, usize), findings: &mut Findings) -> Vec<PointMm> {
    let mut ring: Vec<PointMm> = nodes.iter().map(|(_, p)| *p).collect();
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    } else if ring.len() > 2 {
        findings.add("unclosed-ring", about, "the ring isn't closed", "it was closed with a straight line");
    }
    ring
}

fn areas_of(rings: &[Vec<PointMm>], about: (OsmId, usize), findings: &mut Findings) -> Vec<Polygon> {
    let mut found = Vec::new();
    for ring in rings {
        let mut plain = tidy(ring, TIDY_MM);
        let mut tolerance = TIDY_MM;
        while plain.len() > LONGEST_RING {
            tolerance *= 2.0;
            plain = tidy(ring, tolerance);
        }
        if plain.is_empty() {
            findings.add("no-area", about, "its ring encloses nothing", "it was left out");
            continue;
        }
        let pieces = even_odd(std::slice::from_ref(&plain));
        if pieces.len() > 1 || pieces.first().is_some_and(|p| !p.holes.is_empty()) {
            findings.add(
                "self-intersection",
                about,
                "its ring crosses or touches itself",
                format!("it was taken as the {} pieces that it encloses", pieces.len()),
            );
        }
        found.extend(pieces);
    }
    found
}

/// The area of a closed way.
pub(crate) fn of_way(
    extract: &Extract,
    projection: &Projection,
    id: i64,
    way: &Way,
    findings: &mut Findings,
) -> Vec<Polygon> {
    let about = (way_id(id), way.line);
    let nodes = places(extract, projection, id, way, findings);
    let ring = close(&nodes, about, findings);
    areas_of(&[ring], about, findings)
}

/// The area of a multipolygon: its outer rings less its inner ones.
pub(crate) fn of_relation(
    extract: &Extract,
    projection: &Projection,
    id: i64,
    relation: &Relation,
    findings: &mut Findings,
) -> Vec<Polygon> {
    let about = (OsmId { kind: ElementKind::Relation, id }, relation.line);
    let mut missing: Vec<i64> = Vec::new();
    let mut lines: [Vec<Vec<(i64, PointMm)>>; 2] = Default::default();
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    for member in relation.members.iter().filter(|m| m.kind == ElementKind::Way && seen.insert(m.id)) {
        match extract.ways.get(&member.id) {
            None => missing.push(member.id),
            Some(way) => {
                let nodes = places(extract, projection, member.id, way, findings);
                if nodes.len() > 1 {
                    lines[usize::from(member.role == "inner")].push(nodes);
                }
            }
        }
    }
    if !missing.is_empty() {
        let few: Vec<String> = missing.iter().take(3).map(i64::to_string).collect();
        findings.add(
            "missing-member",
            about,
            format!("{} of its ways aren't in the file: {}", missing.len(), few.join(", ")),
            "its area was made of the others",
        );
    }
    let [outer, inner] = lines.map(|lines| {
        let rings: Vec<Vec<PointMm>> =
            join(lines).iter().map(|chain| close(chain, about, findings)).filter(|r| r.len() > 2).collect();
        areas_of(&rings, about, findings)
    });
    if outer.is_empty() {
        findings.add("no-area", about, "it has no outer ring", "it was left out");
        return Vec::new();
    }
    difference(&union(&outer), &inner)
}

/// Ways that share ends become one.
fn join(mut lines: Vec<Vec<(i64, PointMm)>>) -> Vec<Vec<(i64, PointMm)>> {
    let mut done = Vec::new();
    lines.reverse();
    while let Some(mut chain) = lines.pop() {
        loop {
            let (first, last) = (chain[0].1, chain[chain.len() - 1].1);
            if first == last && chain.len() > 2 {
                break;
            }
            let next = lines.iter().rposition(|l| l[0].1 == last || l[l.len() - 1].1 == last);
            let Some(next) = next else { break };
            let mut line = lines.remove(next);
            if line[0].1 != last {
                line.reverse();
            }
            chain.extend(line.into_iter().skip(1));
        }
        done.push(chain);
    }
    done
}
