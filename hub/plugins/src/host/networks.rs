//! What feeds what.

use std::collections::BTreeSet;

use campanile_model::{Network, NetworkKind};

use super::{Answer, Given, HostState, MOST_ITEMS, words_out};
use crate::bindings::networks::{Host, NetworkKind as Kind, Node};
use crate::bindings::types::Denial;
use crate::grants::Grants;

impl Host for HostState {
    fn nodes(&mut self, kind: Kind) -> Answer<Vec<Node>> {
        let items = self.grants.campus.networks.iter().map(|network| network.nodes.len()).sum();
        let kind = match kind {
            Kind::Electricity => NetworkKind::Electricity,
            Kind::Water => NetworkKind::Water,
            Kind::Drain => NetworkKind::Drain,
            Kind::Ventilation => NetworkKind::Ventilation,
            Kind::Gas => NetworkKind::Gas,
            Kind::Heat => NetworkKind::Heat,
        };
        self.asked("networks.nodes", items, |_, grants| nodes(grants, kind))
    }
}

fn nodes(grants: &Grants, kind: NetworkKind) -> Given<Vec<Node>> {
    let mut nodes = Vec::new();
    for network in grants.campus.networks.iter().filter(|network| network.kind == kind) {
        add(grants, network, &mut nodes);
    }
    if nodes.len() > MOST_ITEMS {
        return Err(Denial::Quota(MOST_ITEMS as u64));
    }
    Ok(nodes)
}

/// Adds the nodes of a network that have a point of the plugin, and those above such ones.
fn add(grants: &Grants, network: &Network, nodes: &mut Vec<Node>) {
    let meters = |entity| -> Vec<u32> {
        grants.campus.points_of(entity).iter().filter_map(|point| grants.handle(*point)).collect()
    };
    let mut told = BTreeSet::new();
    // Children come after their parents, so backwards each has been asked before its parent.
    for (index, node) in network.nodes.iter().enumerate().rev() {
        if told.contains(&index) || !meters(node.entity).is_empty() {
            told.insert(index);
            told.extend(node.parent);
        }
    }
    let mut places = vec![None; network.nodes.len()];
    for index in told {
        let node = &network.nodes[index];
        let Some(entity) = grants.campus.entities.get(node.entity) else { continue };
        places[index] = Some(nodes.len() as u32);
        nodes.push(Node {
            path: entity.path.as_str().to_owned(),
            names: words_out(&node.names),
            parent: node.parent.and_then(|parent| places[parent]),
            meters: meters(node.entity),
            serves: node.serves.iter().map(|path| path.as_str().to_owned()).collect(),
        });
    }
}
