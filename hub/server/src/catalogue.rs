//! The campus in the words of the API.

use std::collections::HashMap;

use campanile_model::{Accumulation, AlarmCondition, Campus, EntityKind};
use campanile_protocol::{
    AlarmRuleInfo, Catalogue, ChoiceInfo, CommandInfo, EntityInfo, JsonValue, NetworkInfo, NodeInfo, Place,
    PointInfo, SiteInfo,
};

/// The catalogue of a campus; its version is a hash of its content.
pub fn catalogue(campus: &Campus) -> Catalogue {
    let site = &campus.plan.site;
    let mut catalogue = Catalogue {
        version: String::new(),
        campus: campus.id.clone(),
        names: campus.names.clone(),
        timezone: campus.timezone.clone(),
        site: SiteInfo {
            latitude_deg: site.latitude_deg,
            longitude_deg: site.longitude_deg,
            bearing_deg: site.bearing_deg,
        },
        entities: campus
            .entities
            .iter()
            .map(|e| EntityInfo {
                path: e.path.clone(),
                names: e.names.clone(),
                kind: e.kind,
                brick: e.brick.clone(),
                parent: e.parent.map(|p| p as u32),
                place: None,
            })
            .collect(),
        points: campus.points.iter().map(point).collect(),
        networks: networks(campus),
        attribution: campus.attribution.clone(),
    };
    place_nodes(campus, &mut catalogue);
    // FNV-1a: the version tells catalogues apart, it keeps no secret.
    let text = serde_json::to_vec(&catalogue).unwrap_or_default();
    let hash =
        text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    catalogue.version = format!("{hash:016x}");
    catalogue
}

/// Nodes of networks have no part in the scene: they say themselves where they stand.
fn place_nodes(campus: &Campus, catalogue: &mut Catalogue) {
    for node in campus.networks.iter().flat_map(|n| &n.nodes) {
        let (Some(at), Some(entity)) = (node.at, catalogue.entities.get_mut(node.entity)) else { continue };
        if entity.kind == EntityKind::Node {
            let z = node.ground_mm.or(node.invert_mm).unwrap_or(0);
            entity.place = Some(Place {
                x_m: f64::from(at[0]) / 1e3,
                y_m: f64::from(at[1]) / 1e3,
                z_m: f64::from(z) / 1e3,
                radius_m: 3.0,
            });
        }
    }
}

fn networks(campus: &Campus) -> Vec<NetworkInfo> {
    let known: HashMap<&str, u32> = campus.entities.iter().map(|e| e.path.as_str()).zip(0..).collect();
    let node = |node: &campanile_model::Node| NodeInfo {
        entity: node.entity as u32,
        kind: node.kind.clone(),
        parent: node.parent.map(|p| p as u32),
        meter: node.meter.map(|p| p.0),
        submeter: node.submeter.clone(),
        place: node.place.as_ref().and_then(|path| known.get(path.as_str()).copied()),
        serves: node.serves.iter().filter_map(|path| known.get(path.as_str()).copied()).collect(),
    };
    campus
        .networks
        .iter()
        .filter_map(|network| {
            let entity = *known.get(format!("net/{}", network.id).as_str())?;
            Some(NetworkInfo { entity, kind: network.kind, nodes: network.nodes.iter().map(node).collect() })
        })
        .collect()
}

fn point(p: &campanile_model::Point) -> PointInfo {
    let json = |v| JsonValue::from_value(v, p.choices.iter().map(|c| c.id.as_str()));
    PointInfo {
        path: p.path.clone(),
        entity: p.entity as u32,
        names: p.names.clone(),
        kind: p.kind,
        quantity: p.quantity.clone(),
        value_type: p.value_type,
        is_consumption: p.accumulation != Accumulation::Gauge,
        choices: p.choices.iter().map(|c| ChoiceInfo { id: c.id.clone(), names: c.names.clone() }).collect(),
        unit: p.unit.clone(),
        range: p.range,
        period_s: p.period_s,
        resolution: p.resolution,
        brick: p.brick.clone(),
        submeter: p.submeter.clone(),
        command: p.command.as_ref().map(|c| CommandInfo {
            limits: c.limits,
            min_interval_s: c.min_interval_s,
            safe: json(&c.safe),
            readback: c.readback.clone(),
            weakest_priority: c.weakest_priority.map(|p| p.get()),
        }),
        alarms: p
            .alarms
            .iter()
            .map(|a| AlarmRuleInfo {
                id: a.id.clone(),
                names: a.names.clone(),
                priority: a.priority,
                high: match a.condition {
                    AlarmCondition::High { limit } => Some(limit),
                    _ => None,
                },
                low: match a.condition {
                    AlarmCondition::Low { limit } => Some(limit),
                    _ => None,
                },
            })
            .collect(),
    }
}
