//! What flows where: from grid and sun over buildings to what uses it; and water from the main down to each branch.

use std::collections::BTreeMap;

use campanile_protocol::{NetworkInfo, NetworkKind, NodeInfo, ValueType};

use crate::period::Range;
use crate::state::{Index, State, Stretched};

/// What flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flowing {
    /// Electricity.
    Energy,
    /// Supplied water.
    Water,
}

impl Flowing {
    fn kind(self) -> NetworkKind {
        match self {
            Self::Energy => NetworkKind::Electricity,
            Self::Water => NetworkKind::Water,
        }
    }

    /// The network, where the campus has one.
    pub fn network(self, index: &Index) -> Option<&NetworkInfo> {
        index.catalogue.networks.iter().find(|network| network.kind == self.kind())
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// What flows now: kW, or L/s.
    Now,
    /// What has flowed over a stretch of time: kWh, or m³.
    Over(Range),
}

/// What something in the picture is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A place or node, by entity.
    Entity(u32),
    /// A use after JGJ/T 285, by the last two signs of its code, such as `A1`.
    Use(String),
    /// What no meter below has counted.
    Rest,
    /// What was lost on the way to the first meters.
    Losses,
}

/// A box of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// What it is.
    pub what: What,
    /// In which column, from the left.
    pub column: usize,
    /// How much goes through it.
    pub amount: f64,
}

/// A ribbon between two boxes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ribbon {
    /// From which, by index.
    pub from: usize,
    /// To which, by index.
    pub to: usize,
    /// How much.
    pub amount: f64,
}

/// What a picture of flows is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flows {
    /// The boxes, by column.
    pub stations: Vec<Station>,
    /// The ribbons.
    pub ribbons: Vec<Ribbon>,
    /// How many meters have said nothing of this stretch of time.
    pub silent: usize,
}

/// A network as a tree.
pub struct Tree<'a> {
    /// Its nodes.
    pub nodes: &'a [NodeInfo],
    children: Vec<Vec<usize>>,
}

/// The parts of a sub-metering code of JGJ/T 285 behind the ten signs of place and building, where they are there: the
/// kind of energy and the use.
fn code(node: &NodeInfo) -> Option<(&str, &str)> {
    let code = node.submeter.as_deref()?;
    let tail = if code.len() > 10 { code.get(10..)? } else { code };
    tail.split_at_checked(2)
}

/// Whether a node makes rather than takes: a generator, or a meter of energy kind 13.
fn generates(node: &NodeInfo) -> bool {
    node.kind == "generator" || code(node).is_some_and(|(energy, _)| energy == "13")
}

/// The use that a sub-metering code names, such as `A1`.
fn use_of(node: &NodeInfo) -> Option<String> {
    let (_, of) = code(node)?;
    matches!(of.as_bytes(), [b'A'..=b'D', b'1'..=b'9']).then(|| of.to_owned())
}

impl<'a> Tree<'a> {
    /// The tree of a network.
    pub fn of(network: &'a NetworkInfo) -> Self {
        let mut children = vec![Vec::new(); network.nodes.len()];
        for (i, node) in network.nodes.iter().enumerate() {
            // Parents come before their children, so no node is in itself.
            if let Some(list) =
                node.parent.and_then(|p| children.get_mut(p as usize).filter(|_| (p as usize) < i))
            {
                list.push(i);
            }
        }
        Self { nodes: &network.nodes, children }
    }

    /// The nodes right below a node.
    pub fn below(&self, node: usize) -> &[usize] {
        self.children.get(node).map_or(&[], Vec::as_slice)
    }

    /// The nodes without a parent.
    pub fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().enumerate().filter(|(_, node)| node.parent.is_none()).map(|(i, _)| i)
    }

    fn all_below(&self, node: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = self.below(node).to_vec();
        while let Some(next) = open.pop() {
            found.push(next);
            open.extend(self.below(next));
        }
        found
    }

    /// The feeders: nodes of that kind, else the ones right below the roots.
    fn feeders(&self) -> Vec<usize> {
        let named: Vec<usize> = (0..self.nodes.len()).filter(|i| self.nodes[*i].kind == "feeder").collect();
        if named.is_empty() {
            self.roots().flat_map(|root| self.below(root).to_vec()).collect()
        } else {
            named
        }
    }
}

/// The point whose live value is what flows through a node: the first of its own in kW or W, or in L/s or m³/h.
pub fn flow_point(index: &Index, entity: u32, flowing: Flowing) -> Option<u32> {
    let units: &[&str] = match flowing {
        Flowing::Energy => &["kW", "W"],
        Flowing::Water => &["L/s", "m3/h"],
    };
    index.points_of(entity).iter().copied().find(|&point| {
        index.point(point).is_some_and(|info| {
            info.value_type == ValueType::Number
                && info.command.is_none()
                && units.contains(&info.unit.as_str())
        })
    })
}

/// What is wanted of the past for a picture.
pub fn wanted(index: &Index, flowing: Flowing, counted: Counted) -> Vec<Stretched> {
    let (Some(network), Counted::Over(range)) = (flowing.network(index), counted) else { return Vec::new() };
    // Of those right above others first: they are what is looked at first.
    let meters = network.nodes.iter().filter_map(|node| node.meter);
    meters.map(|point| Stretched { point, range }).collect()
}

/// How much has gone, or goes, through a node; `None` where nothing says so.
pub fn amount_of(
    index: &Index,
    state: &State,
    node: &NodeInfo,
    flowing: Flowing,
    counted: Counted,
) -> Option<f64> {
    match counted {
        Counted::Now => {
            let point = flow_point(index, node.entity, flowing)?;
            let scale = match index.point(point)?.unit.as_str() {
                "W" => 1e-3,
                "m3/h" => 1.0 / 3.6,
                _ => 1.0,
            };
            Some(state.live_number(point)? * scale)
        }
        Counted::Over(range) => {
            let answer = state.history(node.meter?, range)?;
            let amounts = || answer.buckets.iter().filter_map(|b| b.consumption);
            (amounts().count() > 0).then(|| amounts().sum())
        }
    }
}

/// Whether a node could be counted.
fn has_meter(index: &Index, node: &NodeInfo, flowing: Flowing, counted: Counted) -> bool {
    match counted {
        Counted::Now => flow_point(index, node.entity, flowing).is_some(),
        Counted::Over(_) => node.meter.is_some(),
    }
}

/// Less than this part of a box is not drawn as the rest of it.
const SMALLEST_REST: f64 = 0.01;

/// The picture of electricity: sources, buildings, uses.
pub fn energy(index: &Index, state: &State, counted: Counted) -> Option<Flows> {
    let network = Flowing::Energy.network(index)?;
    let tree = Tree::of(network);
    let amount = |i: usize| amount_of(index, state, &tree.nodes[i], Flowing::Energy, counted);
    let mut flows = Flows::default();
    let mut grid = 0.0;
    let mut bands: BTreeMap<(usize, What, What), f64> = BTreeMap::new();
    let mut add = |column: usize, from: What, to: What, amount: f64| {
        if amount > 0.0 {
            *bands.entry((column, from, to)).or_default() += amount;
        }
    };
    let feeders = tree.feeders();
    let root = tree.roots().find(|root| !generates(&tree.nodes[*root]))?;
    let source = What::Entity(tree.nodes[root].entity);
    for &feeder in &feeders {
        let node = &tree.nodes[feeder];
        if generates(node) {
            continue;
        }
        let place = match node.serves.as_slice() {
            [one] => What::Entity(*one),
            _ => What::Entity(node.entity),
        };
        let net = amount(feeder);
        flows.silent += usize::from(net.is_none());
        let net = net.unwrap_or(0.0);
        grid += net;
        add(0, source.clone(), place.clone(), net);
        let below = tree.all_below(feeder);
        let mut made = 0.0;
        for &i in below.iter().filter(|i| generates(&tree.nodes[**i])) {
            let by_sun = amount(i).unwrap_or(0.0).max(0.0);
            add(0, What::Entity(tree.nodes[i].entity), place.clone(), by_sun);
            made += by_sun;
        }
        let whole = (net + made).max(0.0);
        let mut counted_below = 0.0;
        // Of a branch only the first meter with a use counts, or it would count twice.
        let mut open = tree.below(feeder).to_vec();
        while let Some(i) = open.pop() {
            let node = &tree.nodes[i];
            if generates(node) {
                continue;
            }
            match use_of(node).filter(|_| has_meter(index, node, Flowing::Energy, counted)) {
                Some(of) => {
                    let used = amount(i);
                    flows.silent += usize::from(used.is_none());
                    let used = used.unwrap_or(0.0).max(0.0);
                    counted_below += used;
                    add(1, place.clone(), What::Use(of), used);
                }
                None => open.extend(tree.below(i)),
            }
        }
        match use_of(node) {
            // A feeder for one use alone.
            Some(of) if counted_below == 0.0 => add(1, place, What::Use(of), whole),
            _ if whole - counted_below > SMALLEST_REST * whole => {
                add(1, place, What::Rest, whole - counted_below);
            }
            _ => {}
        }
    }
    // What the boards above have counted and no feeder has.
    let (mut above, mut open) = (0.0, vec![root]);
    while let Some(i) = open.pop() {
        match amount(i) {
            Some(counted) => above += counted,
            None => open.extend(tree.below(i).iter().filter(|i| !feeders.contains(i))),
        }
    }
    if above - grid > SMALLEST_REST * above {
        add(0, source, What::Losses, above - grid);
    }
    assemble(&mut flows, bands);
    (!flows.ribbons.is_empty()).then_some(flows)
}

/// Boxes and ribbons of what flows from what to what, the larger above the smaller.
fn assemble(flows: &mut Flows, bands: BTreeMap<(usize, What, What), f64>) {
    let mut through: BTreeMap<(usize, What), f64> = BTreeMap::new();
    for (column, from, to) in bands.keys() {
        let out: f64 = bands.iter().filter(|((c, f, _), _)| c == column && f == from).map(|(_, a)| a).sum();
        let entry = through.entry((*column, from.clone())).or_default();
        *entry = entry.max(out);
        let into: f64 = bands.iter().filter(|((c, _, t), _)| c == column && t == to).map(|(_, a)| a).sum();
        let entry = through.entry((column + 1, to.clone())).or_default();
        *entry = entry.max(into);
    }
    let mut stations: Vec<Station> =
        through.into_iter().map(|((column, what), amount)| Station { what, column, amount }).collect();
    stations.sort_by(|a, b| {
        let last = |s: &Station| matches!(s.what, What::Rest | What::Losses);
        a.column.cmp(&b.column).then(last(a).cmp(&last(b))).then(b.amount.total_cmp(&a.amount))
    });
    let at = |column: usize, what: &What| stations.iter().position(|s| s.column == column && s.what == *what);
    let mut ribbons: Vec<Ribbon> = bands
        .iter()
        .filter_map(|((column, from, to), amount)| {
            Some(Ribbon { from: at(*column, from)?, to: at(column + 1, to)?, amount: *amount })
        })
        .collect();
    ribbons.sort_by_key(|ribbon| (ribbon.from, ribbon.to));
    flows.stations = stations;
    flows.ribbons = ribbons;
}

/// A branch of water.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The node's entity.
    pub entity: u32,
    /// How deep it is below the main.
    pub depth: usize,
    /// What has gone through it, m³, or goes, L/s.
    pub amount: Option<f64>,
    /// What the meters below it have not counted, as part of it; `None` where it or one of them says nothing.
    pub lost: Option<f64>,
    /// The least of the hours from one to five in the night, L/h, and as part of the mean hour of the day.
    pub night: Option<(f64, f64)>,
}

/// The branches of water from the main down.
pub fn water(index: &Index, state: &State, counted: Counted, hour_of: impl Fn(i64) -> u8) -> Vec<Branch> {
    let Some(network) = Flowing::Water.network(index) else { return Vec::new() };
    let tree = Tree::of(network);
    let amount = |i: usize| amount_of(index, state, &tree.nodes[i], Flowing::Water, counted);
    let mut branches = Vec::new();
    let mut open: Vec<(usize, usize)> = tree.roots().map(|root| (root, 0)).collect();
    open.reverse();
    while let Some((i, depth)) = open.pop() {
        let node = &tree.nodes[i];
        let own = amount(i);
        let metered: Vec<Option<f64>> =
            first_metered(&tree, index, i, counted).into_iter().map(amount).collect();
        let below: Option<f64> = metered.iter().copied().sum();
        let lost = match (own, below) {
            (Some(own), Some(below)) if !metered.is_empty() && own > 0.0 => Some((own - below) / own),
            _ => None,
        };
        let night = match counted {
            Counted::Over(range) => node.meter.and_then(|meter| {
                let buckets = &state.history(meter, range)?.buckets;
                let amounts: Vec<(i64, f64)> =
                    buckets.iter().filter_map(|b| Some((b.start_us, b.consumption?))).collect();
                let mean = amounts.iter().map(|(_, a)| a).sum::<f64>() / amounts.len().max(1) as f64;
                let nights = amounts.iter().filter(|(at, _)| (1..5).contains(&hour_of(*at))).map(|(_, a)| *a);
                let least = nights.min_by(f64::total_cmp)?;
                Some((least * 1000.0, if mean > 0.0 { least / mean } else { 0.0 }))
            }),
            Counted::Now => None,
        };
        branches.push(Branch { entity: node.entity, depth, amount: own, lost, night });
        open.extend(tree.below(i).iter().rev().map(|&child| (child, depth + 1)));
    }
    branches
}

/// What flows from each node of water into those below it.
pub fn water_flows(index: &Index, state: &State, counted: Counted) -> Option<Flows> {
    let network = Flowing::Water.network(index)?;
    let tree = Tree::of(network);
    let mut flows = Flows::default();
    let mut open: Vec<(usize, Option<usize>, usize)> = tree.roots().map(|root| (root, None, 0)).collect();
    while let Some((i, above, column)) = open.pop() {
        let Some(node) = tree.nodes.get(i) else { continue };
        // Through what has no meter flows what flows into those below.
        let own = amount_of(index, state, node, Flowing::Water, counted);
        let below = || {
            let metered = first_metered(&tree, index, i, counted);
            metered
                .into_iter()
                .filter_map(|i| amount_of(index, state, tree.nodes.get(i)?, Flowing::Water, counted))
                .sum()
        };
        let amount = own.unwrap_or_else(below);
        let station = flows.stations.len();
        flows.stations.push(Station { what: What::Entity(node.entity), column, amount });
        if let Some(from) = above
            && amount > 0.0
        {
            flows.ribbons.push(Ribbon { from, to: station, amount });
        }
        open.extend(tree.below(i).iter().map(|&child| (child, Some(station), column + 1)));
    }
    (!flows.ribbons.is_empty()).then_some(flows)
}

/// The nearest nodes below that are metered.
fn first_metered(tree: &Tree<'_>, index: &Index, node: usize, counted: Counted) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = tree.below(node).to_vec();
    while let Some(i) = open.pop() {
        if has_meter(index, &tree.nodes[i], Flowing::Water, counted) {
            found.push(i);
        } else {
            open.extend(tree.below(i));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use campanile_protocol::rest::{Bucket, BucketsAnswer};
    use campanile_protocol::{EntityKind, NetworkInfo};

    use super::*;
    use crate::period::Period;
    use crate::state::Event;
    use crate::state::tests::{catalogue, point};

    const TODAY: Range = Range::Calendar { period: Period::Day, ago: 0 };

    fn node(entity: u32, kind: &str, parent: Option<u32>, meter: Option<u32>, code: &str) -> NodeInfo {
        let submeter = (!code.is_empty()).then(|| code.to_owned());
        NodeInfo { entity, kind: kind.into(), parent, meter, submeter, place: None, serves: Vec::new() }
    }

    /// A campus whose entities from 4 on are nodes; each that has one has a meter of its own.
    fn campus(kind: NetworkKind, nodes: &[(&str, Option<u32>, bool, &str)]) -> (State, Index) {
        let mut catalogue = catalogue();
        catalogue.points.clear();
        let mut list = Vec::new();
        for (i, (of, parent, metered, code)) in nodes.iter().enumerate() {
            let mut entity = catalogue.entities[2].clone();
            entity.path = campanile_protocol::Path::new(format!("net/x/n{i}")).unwrap();
            entity.kind = EntityKind::Node;
            catalogue.entities.push(entity);
            let entity = catalogue.entities.len() as u32 - 1;
            let meter = metered.then(|| {
                let mut meter = point(&format!("net/x/n{i}/energy"), entity, "energy");
                meter.is_consumption = true;
                catalogue.points.push(meter);
                catalogue.points.len() as u32 - 1
            });
            list.push(node(entity, of, *parent, meter, code));
        }
        catalogue.networks = vec![NetworkInfo { entity: 0, kind, nodes: list }];
        let mut state = State::default();
        state.apply(Event::Catalogue(Box::new(catalogue.clone())), 0.0);
        (state, Index::new(catalogue))
    }

    fn counts(state: &mut State, meter: u32, hours: &[f64]) {
        let bucket = |(hour, amount): (usize, &f64)| Bucket {
            start_us: hour as i64 * 3_600_000_000,
            consumption: Some(*amount),
            ..Bucket::default()
        };
        let buckets = hours.iter().enumerate().map(bucket).collect();
        let answer = Some(BucketsAnswer { unit: String::new(), width_s: 3600.0, buckets });
        state.apply(Event::History { of: Stretched { point: meter, range: TODAY }, answer }, 0.0);
    }

    #[test]
    fn energy_goes_from_grid_and_sun_over_buildings_to_uses() {
        let nodes = [
            ("source", None, false, ""),
            ("board", Some(0), true, "01"),
            ("feeder", Some(1), true, "01"),
            ("feeder", Some(1), true, "01A3"),
            ("generator", Some(2), true, "13"),
            ("board", Some(2), false, ""),
            ("item", Some(5), true, "01A1"),
            ("item", Some(5), true, "01B2"),
            ("circuit", Some(6), true, "01A1"),
        ];
        let (mut state, index) = campus(NetworkKind::Electricity, &nodes);
        // Meters: board 100, feeder 70, outdoor 20, sun 30, lights 40, air-conditioning 50, a circuit of the lights 10.
        for (meter, amount) in [100.0, 70.0, 20.0, 30.0, 40.0, 50.0, 10.0].into_iter().enumerate() {
            counts(&mut state, meter as u32, &[amount / 2.0, amount / 2.0]);
        }
        let flows = energy(&index, &state, Counted::Over(TODAY)).unwrap();
        assert_eq!(flows.silent, 0);
        let (grid, building, outdoor, sun) = (4, 6, 7, 8);
        let of = |from: What, to: What| {
            let is = |s: usize, what: &What| flows.stations[s].what == *what;
            flows.ribbons.iter().find(|r| is(r.from, &from) && is(r.to, &to)).map(|r| r.amount)
        };
        let entity = What::Entity;
        for (from, to, expected) in [
            (entity(grid), entity(building), Some(70.0)),
            (entity(sun), entity(building), Some(30.0)),
            (entity(grid), entity(outdoor), Some(20.0)),
            (entity(grid), What::Losses, Some(10.0)),
            (entity(building), What::Use("A1".into()), Some(40.0)),
            (entity(building), What::Use("B2".into()), Some(50.0)),
            (entity(building), What::Rest, Some(10.0)),
            (entity(outdoor), What::Use("A3".into()), Some(20.0)),
        ] {
            assert_eq!(of(from.clone(), to.clone()), expected, "{from:?} {to:?}");
        }
        for (i, station) in flows.stations.iter().enumerate().filter(|(_, s)| s.column == 1) {
            let out: f64 = flows.ribbons.iter().filter(|r| r.from == i).map(|r| r.amount).sum();
            assert!(
                station.what == What::Losses || (out - station.amount).abs() < 1e-9,
                "{station:?} gives on {out}"
            );
        }
    }

    #[test]
    fn a_leak_shows_in_the_night_and_between_the_meters() {
        let nodes =
            [("source", None, true, "02"), ("branch", Some(0), true, "02"), ("branch", Some(0), true, "02")];
        let (mut state, index) = campus(NetworkKind::Water, &nodes);
        let day = |night: f64, noon: f64| -> Vec<f64> {
            (0..24).map(|h| if (1..5).contains(&h) { night } else { noon }).collect()
        };
        counts(&mut state, 0, &day(0.5, 3.0));
        counts(&mut state, 1, &day(0.0, 1.0));
        counts(&mut state, 2, &day(0.4, 1.5));
        let branches = water(&index, &state, Counted::Over(TODAY), |us| (us / 3_600_000_000) as u8);
        assert_eq!(branches.iter().map(|b| b.depth).collect::<Vec<_>>(), [0, 1, 1]);
        let lost = branches[0].lost.unwrap();
        assert!((lost - (62.0 - 20.0 - 31.6) / 62.0).abs() < 1e-9, "{lost}");
        assert_eq!(branches[1].night.map(|(least, _)| least), Some(0.0));
        let (least, part) = branches[2].night.unwrap();
        assert!((least - 400.0).abs() < 1e-9 && part > 0.29, "{least} {part}");
        assert!(
            energy(&index, &state, Counted::Over(TODAY)).is_none(),
            "a campus without the network has no picture"
        );
    }
}
