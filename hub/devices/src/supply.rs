//! Supply: what hangs on a circuit or board that is off has no power.
//!
//! A load hangs on the node of electricity whose meter counts it (see [`crate::flows`]), and a node on its
//! parents. So a switch anywhere above stops a machine: its power is 0, its status says so, its sensors go
//! on. Switches work at the next step of the models. Waters, valves, gas and batteries (UPS, emergency
//! lights' voltage) do not ask for power here.

use std::collections::BTreeSet;

use campanile_model::NetworkKind;

use crate::flows::Load;
use crate::models::Models;

impl Models {
    /// Whether the switch of a node of electricity is off: it was told so, or its supply is cut.
    pub(crate) fn is_off(&self, entity: usize) -> bool {
        self.off.contains(&entity) || self.overrides.cut.contains(&entity)
    }

    /// Finds the nodes without supply and tells what hangs on them.
    pub(crate) fn energise(&mut self) {
        let mut dead = BTreeSet::new();
        for network in self.campus.networks.iter().filter(|n| n.kind == NetworkKind::Electricity) {
            // Parents come before children.
            for node in &network.nodes {
                let above = node.parent.is_some_and(|p| dead.contains(&network.nodes[p].entity));
                if above || self.is_off(node.entity) {
                    dead.insert(node.entity);
                }
            }
        }
        if dead != self.dead {
            self.dead = dead;
            self.tell_supply();
        }
    }

    /// Tells every load whether its node is one of the dead.
    pub(crate) fn tell_supply(&mut self) {
        let campus = self.campus.clone();
        for tree in &self.trees {
            for (n, node) in campus.networks[tree.network].nodes.iter().enumerate() {
                let dead = self.dead.contains(&node.entity);
                for &s in tree.own[n].iter().chain(&tree.unmetered[n]) {
                    self.sources[s].dead = dead;
                    match self.sources[s].load {
                        Load::RoomLights(r) => self.rooms[r].dead.lights = dead,
                        Load::RoomPlugs(r) => self.rooms[r].dead.plugs = dead,
                        Load::RoomSpecial(r) => self.rooms[r].dead.special = dead,
                        Load::RoomAc(r, ac) => self.rooms[r].state.acs[ac].dead = dead,
                        Load::Machine(m) => self.machines[m].dead = dead,
                        _ => {}
                    }
                }
            }
        }
    }
}
