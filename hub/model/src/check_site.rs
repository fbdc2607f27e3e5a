//! Checks of the site and of everything outdoors.

use crate::check_building::{check_ring, check_vertices};
use crate::geometry::{Side, fault_of_corners, side_of};
use crate::problem::Report;
use crate::{Plan, PointMm};

pub(crate) fn check_site(plan: &Plan, report: &mut Report) {
    let site = &plan.site;
    if !(-90.0..=90.0).contains(&site.latitude_deg) || !(-180.0..=180.0).contains(&site.longitude_deg) {
        report.plan(
            "site-position",
            "/site",
            "the latitude or longitude isn't on Earth",
            "Give WGS 84 degrees: latitude -90 to 90, longitude -180 to 180.",
        );
    }
    let mut boundary = Some(site.boundary.as_slice());
    if let Some(fault) = fault_of_corners(&site.boundary, false) {
        let at =
            fault.position.map_or_else(|| "/site/boundary".to_owned(), |i| format!("/site/boundary/{i}"));
        report.plan(fault.code, at, fault.what, fault.mend);
        boundary = None;
    }
    for (id, construction) in &plan.constructions {
        let at = format!("/constructions/{}", crate::toml_doc::escape(id));
        if !is_colour(&construction.colour) {
            report.plan(
                "colour",
                format!("{at}/colour"),
                format!("'{}' isn't a colour", construction.colour),
                "Write it as '#rrggbb'.",
            );
        }
        for (i, layer) in construction.layers.iter().enumerate() {
            let numbers =
                [layer.thickness_mm, layer.conductivity_w_mk, layer.density_kg_m3, layer.specific_heat_j_kgk];
            if numbers.iter().any(|x| *x <= 0.0) {
                report.plan(
                    "layer",
                    format!("{at}/layers/{i}"),
                    "a number of the layer isn't above 0",
                    "Thickness, conductivity, density and specific heat are above 0.",
                );
            }
        }
        let share = |x: Option<f64>| x.is_some_and(|x| !(0.0..=1.0).contains(&x));
        if share(construction.solar_transmittance)
            || share(construction.roughness.map(f64::from))
            || construction.u_value_w_m2k.is_some_and(|u| u <= 0.0)
        {
            report.plan(
                "construction-number",
                &at,
                "a number of the construction is out of range",
                "solar_transmittance and roughness are from 0 to 1, u_value_w_m2k is above 0.",
            );
        }
    }
    check_outside(plan, boundary, report);
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn check_outside(plan: &Plan, boundary: Option<&[PointMm]>, report: &mut Report) {
    let outside = &plan.outside;
    if !check_vertices(&outside.vertices, "/outside", false, report) {
        return;
    }
    let ring = |outline: &[u32], hole: bool, at: String, report: &mut Report| {
        check_ring(outline, &outside.vertices, hole, &at, report);
    };
    for (i, ground) in outside.grounds.iter().enumerate() {
        ring(&ground.outline, false, format!("/outside/grounds/{i}/outline"), report);
        for (h, hole) in ground.holes.iter().enumerate() {
            ring(hole, true, format!("/outside/grounds/{i}/holes/{h}"), report);
        }
    }
    for (i, water) in outside.waters.iter().enumerate() {
        ring(&water.outline, false, format!("/outside/waters/{i}/outline"), report);
        if water.bed_mm >= water.level_mm {
            report.plan(
                "water-level",
                format!("/outside/waters/{i}/level_mm"),
                format!("the level {} mm isn't above the bed {} mm", water.level_mm, water.bed_mm),
                "Both are above datum; the level is the higher.",
            );
        }
    }
    for (i, green) in outside.greens.iter().enumerate() {
        ring(&green.outline, false, format!("/outside/greens/{i}/outline"), report);
    }
    for (i, place) in outside.assembly_points.iter().enumerate() {
        ring(&place.outline, false, format!("/outside/assembly_points/{i}/outline"), report);
    }
    let mut line = |indices: &[u32], size_mm: i32, at: String| {
        if let Some(bad) = indices.iter().find(|v| outside.vertices.get(**v as usize).is_none()) {
            let mend = format!(
                "Use an index from 0 to {}, or add the vertex.",
                outside.vertices.len().saturating_sub(1)
            );
            report.plan("vertex-index", &at, format!("vertex {bad} doesn't exist"), mend);
        }
        if indices.len() < 2 || indices.windows(2).any(|w| w[0] == w[1]) {
            report.plan(
                "line-short",
                &at,
                "the line has no length",
                "Give at least two vertices, none twice in a row.",
            );
        }
        if size_mm <= 0 {
            report.plan("size", &at, "the width or height isn't above 0", "Give it in millimetres.");
        }
    };
    for (i, road) in outside.roads.iter().enumerate() {
        line(&road.line, road.width_mm, format!("/outside/roads/{i}"));
    }
    for (i, fence) in outside.fences.iter().enumerate() {
        line(&fence.line, fence.height_mm, format!("/outside/fences/{i}"));
    }
    for (i, gate) in outside.gates.iter().enumerate() {
        line(&[gate.a, gate.b], 1, format!("/outside/gates/{i}"));
    }
    for (i, barrier) in outside.barriers.iter().enumerate() {
        line(&[barrier.a, barrier.b], barrier.height_mm, format!("/outside/barriers/{i}"));
    }
    let Some(boundary) = boundary else { return };
    let mut within = |at_mm: PointMm, what: &str, at: String| {
        if side_of(at_mm, boundary) == Side::Outside {
            report.plan_warning(
                "outside-boundary",
                at,
                format!("{what} stands outside of the site's boundary"),
                "Move it, or widen the boundary.",
            );
        }
    };
    for (i, tree) in outside.trees.iter().enumerate() {
        within(tree.at, &format!("the tree '{}'", tree.id), format!("/outside/trees/{i}/at"));
    }
    for (i, object) in outside.objects.iter().enumerate() {
        within(object.at, &format!("the object '{}'", object.id), format!("/outside/objects/{i}/at"));
    }
    for (b, building) in plan.buildings.iter().enumerate() {
        if let Some(i) = building.vertices.iter().position(|v| side_of(*v, boundary) == Side::Outside) {
            within(
                building.vertices[i],
                &format!("a corner of '{}'", building.id),
                format!("/buildings/{b}/vertices/{i}"),
            );
        }
    }
    for (i, tree) in outside.trees.iter().enumerate() {
        if [tree.height_mm, tree.crown_mm, tree.trunk_mm].iter().any(|x| *x <= 0) {
            report.plan(
                "size",
                format!("/outside/trees/{i}"),
                "a size of the tree isn't above 0",
                "Give height_mm, crown_mm and trunk_mm.",
            );
        }
    }
    for (i, object) in outside.objects.iter().enumerate() {
        if object.size_mm.iter().any(|x| *x <= 0) {
            report.plan(
                "size",
                format!("/outside/objects/{i}/size_mm"),
                "a size of the object isn't above 0",
                "Give length, width and height in millimetres.",
            );
        }
    }
}
