//! The site as a whole: its boundary, and buildings that stand in one another.

use campanile_model::{Building, Place, Plan, PointMm, Severity};

use super::area_m2;
use super::building::Outline;
use crate::findings::Findings;
use crate::polygon::{Polygon, bounds, intersection, tidy, union};

/// Corners of the school's area nearer to a straight line than this are left out of the boundary.
const TIDY_MM: f64 = 100.0;
/// Buildings that share less than this, or less than this part of the smaller, are neighbours drawn roughly.
const SHARED_M2: f64 = 2.0;
const SHARED_PART: f64 = 0.05;

/// The school's area with the buildings that reach over its edge; where more stands outside of it, the rectangle,
/// widened to hold everything.
pub(crate) fn boundary(
    plan: &Plan,
    campus: Option<&Outline>,
    rectangle: Polygon,
    findings: &mut Findings,
) -> Vec<PointMm> {
    let buildings = plan.buildings.iter().flat_map(|b| &b.vertices);
    let points = plan.outside.trees.iter().map(|t| &t.at).chain(plan.outside.objects.iter().map(|o| &o.at));
    let (low, high) = bounds(buildings.chain(points).chain(&rectangle.outline).copied());
    let around_all = super::rectangle(low, high).outline;
    let Some((campus, area)) = campus.and_then(|c| Some((c, largest(&c.area)?))) else { return around_all };
    let area = Polygon::of(tidy(&area.outline, TIDY_MM));
    let over = plan
        .buildings
        .iter()
        .map(footprint)
        .filter(|f| !intersection(f, std::slice::from_ref(&area)).is_empty());
    let whole: Vec<Polygon> = std::iter::once(area.clone()).chain(over.flatten()).collect();
    let outline = largest(&union(&whole)).map_or(area.outline, |p| p.outline.clone());
    // The plan's own checks have the last word on the ring, and on what is outside of it.
    let mut probe = plan.clone();
    probe.site.boundary = outline.clone();
    let problems = campanile_model::check_plan(&probe);
    if problems.iter().any(|p| p.severity == Severity::Error) {
        return around_all;
    }
    let outside = |list: &str| {
        let within = |place: &Place| matches!(place, Place::Pointer(at) if at.starts_with(list));
        problems.iter().filter(|p| p.code == "outside-boundary" && within(&p.place)).count()
    };
    let (buildings, others) = (outside("/buildings/"), outside("/outside/"));
    if buildings + others == 0 {
        return outline;
    }
    findings.add(
        "outside-campus",
        (campus.osm, campus.line),
        format!(
            "{buildings} of {} buildings and {others} trees and objects stand outside of the school's area",
            plan.buildings.len()
        ),
        "the boundary was made a rectangle around all; --only-campus leaves them out",
    );
    around_all
}

fn largest(areas: &[Polygon]) -> Option<&Polygon> {
    areas.iter().max_by(|a, b| a.area_m2().total_cmp(&b.area_m2()))
}

/// All that a building covers, on any storey.
fn footprint(building: &Building) -> Vec<Polygon> {
    let spaces = building.storeys.iter().flat_map(|s| &s.spaces).map(|s| &s.outline);
    let rings = spaces.chain(building.roofs.iter().map(|r| &r.outline));
    let place = |i: &u32| building.vertices.get(*i as usize).copied();
    union(&rings.map(|ring| Polygon::of(ring.iter().filter_map(place).collect())).collect::<Vec<_>>())
}

/// Names buildings that stand in one another on the ground: a bridge or a tunnel has a layer of its own.
pub(crate) fn overlaps(buildings: &[Outline], findings: &mut Findings) {
    let layer = |o: &Outline| {
        let tags = ["layer", "building:min_level", "min_height", "location"];
        tags.map(|k| o.tags.get(k).cloned())
    };
    let boxes: Vec<(PointMm, PointMm)> =
        buildings.iter().map(|o| bounds(o.area.iter().flat_map(|p| p.outline.iter().copied()))).collect();
    let mut order: Vec<usize> = (0..buildings.len()).collect();
    order.sort_by_key(|i| boxes[*i].0);
    for (n, i) in order.iter().enumerate() {
        let (_, high) = boxes[*i];
        for j in order[n + 1..].iter().take_while(|j| boxes[**j].0[0] < high[0]) {
            let (low_y, high_y) = (boxes[*j].0[1].max(boxes[*i].0[1]), boxes[*j].1[1].min(high[1]));
            if low_y >= high_y || layer(&buildings[*i]) != layer(&buildings[*j]) {
                continue;
            }
            let (a, b) = (&buildings[*i.max(j)], &buildings[*i.min(j)]);
            let shared = area_m2(&intersection(&a.area, &b.area));
            if shared > SHARED_M2 && shared > SHARED_PART * area_m2(&a.area).min(area_m2(&b.area)) {
                findings.add(
                    "overlap",
                    (a.osm, a.line),
                    format!("it stands in {} by {shared:.0} m²", b.osm),
                    "both were made as they are drawn",
                );
            }
        }
    }
}
