//! Drains by gravity: nodes along lines, inverts from the outfall up, downpipes to the nearest node.

use campanile_model::{Downpipe, Names, Plan, PointMm};

use crate::description::{AtM, DrainLineSpec, DrainSpec};
use crate::error::MakeError;
use crate::layout::mm;
use crate::terrain::Land;

/// Downpipes stand at most this far apart along the eaves.
const DOWNPIPE_STEP_MM: f64 = 16_000.0;
/// Manning's n of plastic pipe.
const ROUGHNESS: f64 = 0.011;

/// A node of a network of drains.
pub(crate) struct Node {
    pub id: String,
    pub kind: String,
    pub parent: Option<usize>,
    pub at: PointMm,
    pub invert_mm: i32,
    pub ground_mm: i32,
    pub pipe: Option<(f64, f64, f64)>,
    pub serves: Vec<String>,
    /// Of a pump, m³/h.
    pub rating: Option<f64>,
}

/// A network of drains.
pub(crate) struct Drains {
    pub id: String,
    pub names: Names,
    pub nodes: Vec<Node>,
}

pub(crate) fn make(spec: &DrainSpec, land: &Land<'_>) -> Result<Drains, MakeError> {
    let place = format!("drains '{}'", spec.id);
    let ground_mm = |at: AtM| mm(land.height_m(at));
    let mut nodes = vec![Node {
        id: "outfall".to_owned(),
        kind: "outfall".to_owned(),
        parent: None,
        at: spec.outfall.map(mm),
        invert_mm: mm(spec.invert_m),
        ground_mm: ground_mm(spec.outfall),
        pipe: None,
        serves: Vec::new(),
        rating: None,
    }];
    for line in &spec.line {
        add_line(&place, spec, line, &mut nodes, &ground_mm)?;
    }
    for node in nodes.iter().skip(1) {
        if node.invert_mm + 300 > node.ground_mm {
            return Err(MakeError::at(
                place,
                format!("the pipe at '{}' is less than 0.3 m below ground", node.id),
                "lower the outfall or the slope, or shorten the line",
            ));
        }
    }
    Ok(Drains { id: spec.id.clone(), names: Names::new(&*spec.zh, &*spec.en), nodes })
}

/// From the lower end up, so that every pipe falls towards the outfall.
fn add_line(
    place: &str,
    spec: &DrainSpec,
    line: &DrainLineSpec,
    nodes: &mut Vec<Node>,
    ground_mm: &impl Fn(AtM) -> i32,
) -> Result<(), MakeError> {
    let Some(mut parent) = nodes.iter().position(|n| n.id == line.joins) else {
        return Err(MakeError::at(
            place,
            format!("the line '{}' joins '{}', which isn't above it in the list", line.id, line.joins),
            "write a node such as 'main-2', of a line that stands before this one",
        ));
    };
    for (i, at) in line.nodes.iter().enumerate().rev() {
        let below = &nodes[parent];
        let at_mm = at.map(mm);
        let length_mm =
            libm::hypot(f64::from(at_mm[0] - below.at[0]), f64::from(at_mm[1] - below.at[1])).round();
        let invert_mm = below.invert_mm + (length_mm * spec.slope).ceil().max(1.0) as i32;
        let lowest = i + 1 == line.nodes.len();
        let kind = line.last.as_ref().filter(|_| lowest).unwrap_or(&line.kind);
        let rating = spec.pump_m3_h.filter(|_| kind == "pump");
        nodes.push(Node {
            id: format!("{}-{}", line.id, i + 1),
            kind: kind.clone(),
            parent: Some(parent),
            at: at_mm,
            invert_mm,
            ground_mm: ground_mm(*at),
            pipe: Some((line.diameter_m * 1000.0, length_mm, ROUGHNESS)),
            serves: if i == 0 { line.serves.clone() } else { Vec::new() },
            rating,
        });
        parent = nodes.len() - 1;
    }
    Ok(())
}

/// Gives every roof downpipes at its corners and along long eaves.
pub(crate) fn downpipes(plan: &mut Plan, storm: &Drains) {
    for building in &mut plan.buildings {
        for roof in &mut building.roofs {
            let ring: Vec<PointMm> =
                roof.outline.iter().filter_map(|v| building.vertices.get(*v as usize).copied()).collect();
            for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let (dx, dy) = (f64::from(b[0] - a[0]), f64::from(b[1] - a[1]));
                let pieces = (libm::hypot(dx, dy) / DOWNPIPE_STEP_MM).ceil().max(1.0);
                for i in 0..pieces as u32 {
                    let t = f64::from(i) / pieces;
                    let at = [a[0] + (dx * t).round() as i32, a[1] + (dy * t).round() as i32];
                    if let Some(drain) = nearest(storm, at) {
                        roof.downpipes.push(Downpipe { at, drain });
                    }
                }
            }
        }
    }
}

fn nearest(storm: &Drains, at: PointMm) -> Option<String> {
    let far2 = |n: &&Node| {
        let (dx, dy) = (i64::from(n.at[0] - at[0]), i64::from(n.at[1] - at[1]));
        dx * dx + dy * dy
    };
    storm.nodes.iter().filter(|n| n.kind == "inlet").min_by_key(far2).map(|n| n.id.clone())
}
