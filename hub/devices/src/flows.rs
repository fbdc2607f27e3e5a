//! Supply networks: what each node carries is what it feeds, what its branches carry, and what is lost.
//!
//! Electricity in W, water, hot water and gas in m³/s. So every tree of meters balances: a parent's reading is
//! the sum of its children's, its own loads and its losses, whatever the campus.

use campanile_model::{Campus, EntityKind, Network, NetworkKind, Node, Path};

/// What a load is for, after JGJ/T 285.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Light,
    Plug,
    Corridor,
    Outdoor,
    Ac,
    HeatPlant,
    Lift,
    Pump,
    Fan,
    Special,
    /// Water, hot water or gas.
    Fluid,
}

/// Something that takes from a network.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Where it is.
    pub entity: usize,
    pub kind: NetworkKind,
    pub item: Item,
    pub load: Load,
    /// Whether its circuit has no supply.
    pub dead: bool,
    /// Now: W or m³/s.
    pub value: f64,
    /// Over a year, for where a counter stands at the start.
    pub mean: f64,
}

/// Where a load's value comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    RoomLights(usize),
    RoomPlugs(usize),
    RoomSpecial(usize),
    RoomAc(usize, usize),
    RoomWater(usize),
    RoomHotWater(usize),
    RoomGas(usize),
    Machine(usize),
    MachineWater(usize),
    /// A load nobody described: so much at full activity.
    Unknown(f64),
    /// The hidden leak.
    Leak(f64),
    /// A solar array: peak W, tilt and azimuth in degrees.
    Solar([f64; 3]),
}

/// One network's flows.
#[derive(Clone, Debug)]
pub(crate) struct FlowTree {
    pub network: usize,
    /// Of each node its own sources.
    pub own: Vec<Vec<usize>>,
    /// Of each node the sources that hang on it beside its meter: fans of an air network where they stand.
    pub unmetered: Vec<Vec<usize>>,
    /// Of each node its flow now, seen by its meter; of a generator what it generates.
    pub flow: Vec<f64>,
    parent: Vec<Option<usize>>,
    loss: Vec<f64>,
    generates: Vec<bool>,
}

/// Losses of a transformer, and of a board's wiring, as shares of what they pass on (orders of magnitude of
/// GB/T 10228 transformers at half load, and of 1 % drop allowed on a feeder).
const TRANSFORMER_LOSS: f64 = 0.012;
const WIRING_LOSS: f64 = 0.004;

/// The part of a sub-metering code after area and building: energy kind and item.
fn code(text: &str) -> (&str, &str) {
    let tail = if text.len() > 10 && text.is_char_boundary(10) { &text[10..] } else { text };
    if tail.len() >= 2 && tail.is_char_boundary(2) { tail.split_at(2) } else { (tail, "") }
}

/// Whether a meter with this code counts such a load.
pub(crate) fn counts(submeter: Option<&str>, item: Item) -> bool {
    let Some(text) = submeter else { return true };
    let (energy, part) = code(text);
    if energy != "01" || part.is_empty() {
        return energy != "13";
    }
    let wanted: &[Item] = match (part.as_bytes().first(), part.as_bytes().get(1)) {
        (Some(b'A'), Some(b'1')) => &[Item::Light, Item::Plug],
        (Some(b'A'), Some(b'2')) => &[Item::Corridor],
        (Some(b'A'), Some(b'3')) => &[Item::Outdoor],
        (Some(b'A'), _) => &[Item::Light, Item::Plug, Item::Corridor, Item::Outdoor],
        (Some(b'B'), Some(b'1')) => &[Item::HeatPlant],
        (Some(b'B'), Some(b'2')) => &[Item::Ac],
        (Some(b'B'), _) => &[Item::Ac, Item::HeatPlant],
        (Some(b'C'), Some(b'1')) => &[Item::Lift],
        (Some(b'C'), Some(b'2')) => &[Item::Pump],
        (Some(b'C'), Some(b'3')) => &[Item::Fan],
        (Some(b'C'), _) => &[Item::Lift, Item::Pump, Item::Fan],
        _ => &[Item::Special],
    };
    wanted.contains(&item)
}

/// Whether a node makes rather than takes.
pub(crate) fn generates(node: &Node) -> bool {
    let words = ["solar", "pv", "photovoltaic", "generator"];
    node.submeter.as_deref().is_some_and(|c| code(c).0 == "13")
        || words.iter().any(|w| node.kind.split('-').any(|k| k == *w))
}

/// Whether a network of this kind is a tree of flows here; drains and air are modelled otherwise.
pub(crate) fn is_flow(kind: NetworkKind) -> bool {
    matches!(kind, NetworkKind::Electricity | NetworkKind::Water | NetworkKind::Gas | NetworkKind::Heat)
}

/// The entities that a node feeds: what it says, else the place that its id begins with, else where it stands.
fn scope(campus: &Campus, node: &Node) -> Vec<usize> {
    if !node.serves.is_empty() {
        return node.serves.iter().filter_map(|p| campus.entity_index(p.as_str())).collect();
    }
    let by_name = campus
        .entities
        .iter()
        .enumerate()
        .filter(|(_, e)| matches!(e.kind, EntityKind::Building | EntityKind::Storey | EntityKind::Space))
        .filter(|(_, e)| begins_with_slug(&node.id, e.path.as_str()))
        .max_by_key(|(_, e)| e.path.as_str().len());
    let found = by_name.map(|(i, _)| i);
    found.or_else(|| node.place.as_ref().and_then(|p| campus.entity_index(p.as_str()))).into_iter().collect()
}

/// Where a node of a network stands, or the first place that it serves.
fn stands(campus: &Campus, entity: usize) -> Option<&Path> {
    let node = campus.networks.iter().flat_map(|n| &n.nodes).find(|n| n.entity == entity)?;
    node.place.as_ref().or(node.serves.first())
}

/// Whether an id is a path with `-` for `/`, or goes on from it after a `-`.
fn begins_with_slug(id: &str, path: &str) -> bool {
    id.len() >= path.len()
        && id.bytes().zip(path.bytes()).all(|(a, b)| a == b || a == b'-' && b == b'/')
        && matches!(id.as_bytes().get(path.len()), None | Some(b'-'))
}

/// Whether a circuit's name narrows what it feeds.
fn named_for(node: &Node, item: Item) -> bool {
    let has = |words: &[&str]| words.iter().any(|w| node.id.contains(w));
    match item {
        Item::Light => !has(&["socket", "plug", "outlet"]),
        Item::Plug => !has(&["light", "lamp"]),
        _ => node.kind != "circuit" || !has(&["socket", "plug", "outlet", "light", "lamp"]),
    }
}

impl FlowTree {
    /// The tree of a network. Each source is taken by the lowest node that feeds it; a leaf that feeds nothing
    /// known gets a load of its own, appended to `sources`.
    pub(crate) fn new(campus: &Campus, index: usize, network: &Network, sources: &mut Vec<Source>) -> Self {
        let n = network.nodes.len();
        let mut at: Vec<Vec<usize>> = vec![Vec::new(); campus.entities.len()];
        for (s, source) in sources.iter().enumerate().filter(|(_, s)| s.kind == network.kind) {
            if !matches!(source.load, Load::Solar(_))
                && let Some(list) = at.get_mut(source.entity)
            {
                list.push(s);
            }
        }
        let has_child: Vec<bool> =
            (0..n).map(|i| network.nodes.iter().any(|c| c.parent == Some(i))).collect();
        let mut own = vec![Vec::new(); n];
        for (i, node) in network.nodes.iter().enumerate().rev() {
            if generates(node) {
                let load = solar(campus, node);
                own[i].push(sources.len());
                sources.push(Source {
                    entity: node.entity,
                    kind: network.kind,
                    item: Item::Special,
                    // Some 1,000 kWh a year and kW, spread over the hours.
                    mean: load[0] * 1000.0 / 8760.0,
                    load: Load::Solar(load),
                    dead: false,
                    value: 0.0,
                });
                continue;
            }
            let mut stack = scope(campus, node);
            stack.push(node.entity);
            while let Some(entity) = stack.pop() {
                if let Some(list) = at.get_mut(entity) {
                    list.retain(|&s| {
                        let item = sources[s].item;
                        let take = counts(node.submeter.as_deref(), item) && named_for(node, item);
                        if take {
                            own[i].push(s);
                        }
                        !take
                    });
                }
                stack.extend(campus.children_of(entity).iter().map(|&c| c as usize));
            }
            if own[i].is_empty() && !has_child[i] && node.meter.is_some() {
                let full = unknown_load(network.kind, node);
                own[i].push(sources.len());
                sources.push(Source {
                    entity: node.entity,
                    kind: network.kind,
                    item: Item::Special,
                    load: Load::Unknown(full),
                    dead: false,
                    value: 0.0,
                    mean: 0.2 * full,
                });
            }
        }
        for list in &mut own {
            list.sort_unstable();
        }
        let mut unmetered = vec![Vec::new(); n];
        let mut left: Vec<(usize, &Path)> = match network.kind {
            NetworkKind::Electricity => at
                .concat()
                .into_iter()
                .filter_map(|s| Some((s, stands(campus, sources[s].entity)?)))
                .collect(),
            _ => Vec::new(),
        };
        for (i, node) in network.nodes.iter().enumerate().rev() {
            if left.is_empty() {
                break;
            }
            let scope = scope(campus, node);
            left.retain(|&(s, place)| {
                let item = sources[s].item;
                let near = scope.iter().any(|&e| place.is_within(&campus.entities[e].path));
                let take = near && counts(node.submeter.as_deref(), item) && named_for(node, item);
                if take {
                    unmetered[i].push(s);
                }
                !take
            });
        }
        let loss = network.nodes.iter().map(|node| match (network.kind, node.kind.as_str()) {
            (NetworkKind::Electricity, "transformer") => TRANSFORMER_LOSS,
            (NetworkKind::Electricity, _) => WIRING_LOSS,
            _ => 0.0,
        });
        Self {
            network: index,
            own,
            unmetered,
            flow: vec![0.0; n],
            parent: network.nodes.iter().map(|node| node.parent).collect(),
            loss: loss.collect(),
            generates: network.nodes.iter().map(generates).collect(),
        }
    }

    /// Adds a leak at a node.
    pub(crate) fn leak(&mut self, node: usize, entity: usize, flow_m3_s: f64, sources: &mut Vec<Source>) {
        if let Some(list) = self.own.get_mut(node) {
            list.push(sources.len());
            sources.push(Source {
                entity,
                kind: NetworkKind::Water,
                item: Item::Fluid,
                load: Load::Leak(flow_m3_s),
                dead: false,
                value: flow_m3_s,
                mean: flow_m3_s,
            });
        }
    }

    /// The flows of all nodes from what the sources take, by `of`: their value now or their mean.
    pub(crate) fn sum(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut flow: Vec<f64> = self.own.iter().map(|list| list.iter().map(|&s| of(s)).sum()).collect();
        let mut through = vec![0.0; flow.len()];
        // Parents come before children, so backwards every child is done before its parent.
        for i in (0..flow.len()).rev() {
            flow[i] += through[i] + self.loss[i] * f64::abs(through[i]);
            if let Some(p) = self.parent[i]
                && let Some(sum) = through.get_mut(p)
            {
                *sum += if self.generates[i] { -flow[i] } else { flow[i] };
            }
        }
        flow
    }
}

/// Peak, tilt and azimuth of the array behind a node: of the roofs it names, else of its rating in kW.
fn solar(campus: &Campus, node: &Node) -> [f64; 3] {
    let mut roofs = Vec::new();
    for building in &campus.plan.buildings {
        for roof in &building.roofs {
            let path = format!("{}/{}", building.id, roof.id);
            let named = node.serves.iter().chain(&node.place).any(|p| p.as_str() == path);
            if let (true, Some(array)) = (named, &roof.solar) {
                roofs.push([array.peak_w, array.tilt_deg, array.azimuth_deg]);
            }
        }
    }
    let peak: f64 = roofs.iter().map(|r| r[0]).sum();
    match roofs.first() {
        Some(&[_, tilt, azimuth]) => [peak, tilt, azimuth],
        None => [node.rating.map_or(50_000.0, |kw| kw * 1000.0), 15.0, 180.0],
    }
}

/// What a leaf takes at full activity when the campus doesn't say what it feeds.
fn unknown_load(kind: NetworkKind, node: &Node) -> f64 {
    match kind {
        // A third of what the breaker would carry.
        NetworkKind::Electricity => node.rating.map_or(1500.0, |amperes| 0.3 * 230.0 * amperes),
        NetworkKind::Gas => 4.0 / 3600.0,
        _ => 0.15 / 3600.0,
    }
}
