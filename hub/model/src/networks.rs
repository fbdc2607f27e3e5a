//! Networks: nodes from entities, parents, meters, and checks of trees and inverts.

use std::collections::{BTreeMap, HashMap};

use crate::entities::{Selection, id_mend};
use crate::points::both_names;
use crate::problem::Report;
use crate::resolve::Resolver;
use crate::suggest::did_you_mean;
use crate::template::render;
use crate::{
    Campus, Entity, EntityKind, Glob, Names, Network, NetworkKind, NetworkSpec, Node, NodeSpec, Path, PointId,
};

/// The words of an id template, as a mend.
const ID_WORDS: &str = "Words are {id}, {path}, {slug} (the path with '-'), {n}, {i}, {parent}, {building}, {storey}, {space}, of the entity that 'each' gives; each only where there is one.";

/// A node before its references are looked up.
struct Draft {
    node: Node,
    parent: Option<String>,
    meter: Option<String>,
    at: String,
}

/// A network whose meters still have to be looked up.
pub(crate) struct Linked {
    pub network: Network,
    /// By node: its meter as written, and the pointer to its table in `campus.toml`.
    sources: Vec<(Option<String>, String)>,
}

impl Resolver<'_> {
    /// Makes the networks and their entities. Nodes are made for entities before `before` only.
    pub(crate) fn networks(&mut self, before: usize) -> Vec<Linked> {
        let file = self.file;
        let mut networks = Vec::new();
        for (n, spec) in file.network.iter().enumerate() {
            let at = format!("/network/{n}");
            let names = both_names(&spec.zh, &spec.en, &at, self.report);
            let path = Path::new(format!("net/{}", spec.id)).ok().filter(|_| !spec.id.contains('/'));
            let Some(path) = path else {
                self.report.campus(
                    "bad-id",
                    &format!("{at}/id"),
                    format!("'{}' isn't an id", spec.id),
                    id_mend(&spec.id),
                );
                continue;
            };
            let entity = entity_of(path, EntityKind::Network, None, String::new(), String::new());
            let Ok(root) = self.entities.add(entity, None) else {
                self.report.campus(
                    "duplicate-id",
                    &format!("{at}/id"),
                    format!("there are two networks '{}'", spec.id),
                    "Give each an id of its own.",
                );
                continue;
            };
            self.entities.own_names[root] = names.clone().map(|names| (at.clone(), names));
            let drafts = self.drafts(spec, root, before, &at);
            let (nodes, sources) = self.link(drafts, spec);
            let network =
                Network { id: spec.id.clone(), kind: spec.kind, names: names.unwrap_or_default(), nodes };
            networks.push(Linked { network, sources });
        }
        networks
    }

    fn drafts(&mut self, spec: &NetworkSpec, root: usize, before: usize, at: &str) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for (i, node) in spec.node.iter().enumerate() {
            let at = format!("{at}/node/{i}");
            if node.zh.is_some() || node.en.is_some() {
                both_names(&node.zh, &node.en, &at, self.report);
            }
            match &node.each {
                None => drafts.extend(self.draft(node, root, None, 1, &at)),
                Some(each) => {
                    let selection =
                        Selection { at: each, except: &node.except, use_: &node.use_, kinds: &node.entity };
                    let picked =
                        self.entities.select(&selection, 0, &format!("{at}/each"), Some(self.report));
                    for (n, about) in picked.into_iter().filter(|e| *e < before).enumerate() {
                        drafts.extend(self.draft(node, root, Some(about), n + 1, &at));
                    }
                }
            }
        }
        drafts
    }

    fn draft(
        &mut self,
        spec: &NodeSpec,
        root: usize,
        about: Option<usize>,
        position: usize,
        at: &str,
    ) -> Option<Draft> {
        let mut faults: Vec<(String, String)> = Vec::new();
        let mut fill = |template: &str, field: &str| {
            let word_of = |word: &str| match (about, word) {
                (_, "i") => Some(position.to_string()),
                (Some(about), _) => self.entities.id_word(about, word),
                (None, _) => None,
            };
            render(template, word_of).map_err(|why| faults.push((format!("{at}/{field}"), why))).ok()
        };
        let id = fill(&spec.id, "id");
        let parent = spec.parent.as_deref().map(|p| fill(p, "parent"));
        let place = spec.place.as_deref().map(|p| fill(p, "place"));
        let meter = spec.meter.as_deref().map(|m| fill(m, "meter"));
        let serves: Vec<_> = spec.serves.as_slice().iter().map(|s| fill(s, "serves")).collect();
        for (at, why) in faults {
            let here = about.map_or_else(
                || "a node without 'each'".to_owned(),
                |i| format!("'{}'", self.entities.list[i].path),
            );
            self.report.campus("bad-template", &at, format!("{why} at {here}"), ID_WORDS);
        }
        let id = id?;
        let path = self.entities.list[root].path.join(&id).ok().filter(|_| !id.contains('/'));
        let Some(path) = path else {
            self.report.campus("bad-id", &format!("{at}/id"), format!("'{id}' isn't an id"), id_mend(&id));
            return None;
        };
        let brick = spec.brick.clone().unwrap_or_default();
        let entity = entity_of(path.clone(), EntityKind::Node, Some(root), brick, spec.kind.clone());
        let Ok(index) = self.entities.add(entity, None) else {
            self.report.campus(
                "duplicate-id",
                &format!("{at}/id"),
                format!("the node '{path}' is there already"),
                "Give each node an id of its own.",
            );
            return None;
        };
        self.entities.context[index] = about.unwrap_or(index);
        self.entities.position[index] = position;
        self.entities.own_names[index] = match (&spec.zh, &spec.en) {
            (Some(zh), Some(en)) => Some((at.to_owned(), Names::new(zh, en))),
            _ => None,
        };
        self.add_points(&spec.points, index, &format!("{at}/points"));
        let place = match place {
            Some(place) => self.place(place?, &format!("{at}/place")),
            None => about.map(|i| self.entities.list[i].path.clone()),
        };
        let serves = self.serves(&serves.into_iter().flatten().collect::<Vec<_>>(), &format!("{at}/serves"));
        let node = Node {
            id,
            entity: index,
            kind: spec.kind.clone(),
            parent: None,
            names: Names::default(),
            at: spec.at,
            invert_mm: spec.invert_mm,
            ground_mm: spec.ground_mm,
            place,
            serves,
            meter: None,
            submeter: spec.submeter.clone(),
            rating: spec.rating,
            pipe: spec.pipe.clone(),
        };
        if spec
            .pipe
            .as_ref()
            .is_some_and(|p| [p.diameter_mm, p.length_mm, p.roughness].iter().any(|x| *x <= 0.0))
        {
            self.report.campus(
                "pipe",
                &format!("{at}/pipe"),
                "a number of the pipe isn't above 0",
                "Give diameter_mm, length_mm and roughness.",
            );
        }
        let parent = match parent {
            Some(parent) => Some(parent?),
            None => None,
        };
        Some(Draft { node, parent, meter: meter.flatten(), at: at.to_owned() })
    }

    fn place(&mut self, path: String, at: &str) -> Option<Path> {
        if let Some(i) = self.entities.get(&path) {
            return Some(self.entities.list[i].path.clone());
        }
        let mend = did_you_mean(&path, self.entities.list.iter().map(|e| e.path.as_str()));
        self.report.campus("unknown-entity", at, format!("the entity '{path}' doesn't exist"), mend);
        None
    }

    fn serves(&mut self, globs: &[String], at: &str) -> Vec<Path> {
        let mut served = Vec::new();
        for text in globs {
            let Ok(glob) = Glob::new(text) else {
                self.report.campus(
                    "bad-glob",
                    at,
                    format!("'{text}' is not a glob"),
                    "Write it such as '{path}' or '{building}/**'.",
                );
                continue;
            };
            let before = served.len();
            match glob.literal() {
                Some(path) => {
                    served.extend(self.entities.get(path).map(|i| self.entities.list[i].path.clone()))
                }
                None => served.extend(
                    self.entities
                        .list
                        .iter()
                        .filter(|e| glob.matches(e.path.as_str()))
                        .map(|e| e.path.clone()),
                ),
            }
            if served.len() == before {
                let mend = crate::entities::empty_glob(
                    &glob,
                    &mut self.entities.list.iter().map(|e| e.path.as_str()),
                );
                self.report.campus("glob-empty", at, format!("'{glob}' matches no entity"), mend);
            }
        }
        served
    }

    /// Looks parents up and sorts parents before children.
    fn link(&mut self, drafts: Vec<Draft>, spec: &NetworkSpec) -> (Vec<Node>, Vec<(Option<String>, String)>) {
        let index: HashMap<String, usize> =
            drafts.iter().enumerate().map(|(i, d)| (d.node.id.clone(), i)).collect();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
        let mut roots = Vec::new();
        for (i, draft) in drafts.iter().enumerate() {
            match &draft.parent {
                None => roots.push(i),
                Some(parent) => match index.get(parent) {
                    Some(&p) => children[p].push(i),
                    None => {
                        let mend = did_you_mean(parent, drafts.iter().map(|d| d.node.id.as_str()));
                        let what = format!(
                            "'{}' has no node '{parent}', the parent of '{}'",
                            spec.id, draft.node.id
                        );
                        self.report.campus(
                            "network-unknown-parent",
                            &format!("{}/parent", draft.at),
                            what,
                            mend,
                        );
                    }
                },
            }
        }
        for &i in roots.iter().filter(|&&i| children[i].is_empty() && drafts.len() > 1) {
            let what = format!("the node '{}' has no parent and no children", drafts[i].node.id);
            self.report.campus("network-orphan", &drafts[i].at, what, "Give its parent, or leave it out.");
        }
        let mut order = roots;
        let mut next = 0;
        while next < order.len() {
            let here = order[next];
            order.extend(&children[here]);
            next += 1;
        }
        let mut place: Vec<Option<usize>> = vec![None; drafts.len()];
        for (at, &i) in order.iter().enumerate() {
            place[i] = Some(at);
        }
        self.report_cycles(&drafts, &index, &place);
        let parents: Vec<Option<usize>> = drafts
            .iter()
            .map(|d| d.parent.as_ref().and_then(|p| index.get(p)).and_then(|p| place[*p]))
            .collect();
        let mut slots: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
        let mut nodes = Vec::with_capacity(order.len());
        let mut sources = Vec::with_capacity(order.len());
        for i in order {
            let Some(mut draft) = slots[i].take() else { continue };
            draft.node.parent = parents[i];
            nodes.push(draft.node);
            sources.push((draft.meter, draft.at));
        }
        (nodes, sources)
    }

    /// What no root leads to and whose parents all exist goes round in a circle.
    fn report_cycles(&mut self, drafts: &[Draft], index: &HashMap<String, usize>, place: &[Option<usize>]) {
        let mut seen = vec![false; drafts.len()];
        for start in (0..drafts.len()).filter(|&i| place[i].is_none()) {
            let mut walk = vec![start];
            let mut at = start;
            while !seen[at] {
                seen[at] = true;
                let Some(&up) = drafts[at].parent.as_ref().and_then(|p| index.get(p)) else { break };
                if let Some(from) = walk.iter().position(|&w| w == up) {
                    let ring: Vec<&str> = walk[from..].iter().map(|&w| drafts[w].node.id.as_str()).collect();
                    let what = format!("the nodes {} are each other's parents", ring.join(" → "));
                    self.report.campus(
                        "network-cycle",
                        &format!("{}/parent", drafts[up].at),
                        what,
                        "One of them has to hang on another node, or on none as the source.",
                    );
                    break;
                }
                walk.push(up);
                at = up;
            }
        }
    }
}

fn entity_of(path: Path, kind: EntityKind, parent: Option<usize>, brick: String, class: String) -> Entity {
    Entity { path, names: Names::default(), kind, brick, parent, class }
}

/// Looks meters up once points have their ids, and checks meters and inverts.
pub(crate) fn finish(linked: Vec<Linked>, campus: &Campus, report: &mut Report) -> Vec<Network> {
    let mut metered: BTreeMap<PointId, String> = BTreeMap::new();
    let mut networks = Vec::with_capacity(linked.len());
    for Linked { mut network, sources } in linked {
        for (node, (meter, at)) in network.nodes.iter_mut().zip(&sources) {
            if let Some(entity) = campus.entities.get(node.entity) {
                node.names = entity.names.clone();
            }
            let Some(meter) = meter else { continue };
            let at = format!("{at}/meter");
            let own = format!("net/{}/{}/{meter}", network.id, node.id);
            let Some(id) = campus.point_id(&own).or_else(|| campus.point_id(meter)) else {
                let mine = campus.points_of(node.entity).iter().map(|p| campus.point(*p).path.leaf());
                let what =
                    format!("the node '{}' has no point '{meter}', nor is that a point's path", node.id);
                report.campus("unknown-meter", &at, what, did_you_mean(meter, mine));
                continue;
            };
            node.meter = Some(id);
            if let Some(other) = metered.insert(id, node.id.clone()) {
                let what = format!(
                    "the meter '{}' is that of '{other}' and of '{}'",
                    campus.point(id).path,
                    node.id
                );
                report.campus("network-duplicate-meter", &at, what, "A meter measures at one node.");
            }
        }
        check_inverts(&network, &sources, report);
        networks.push(network);
    }
    networks
}

fn check_inverts(network: &Network, sources: &[(Option<String>, String)], report: &mut Report) {
    for (node, (_, at)) in network.nodes.iter().zip(sources) {
        let at = format!("{at}/invert_mm");
        if let (Some(invert), Some(ground)) = (node.invert_mm, node.ground_mm)
            && invert >= ground
        {
            let what = format!("the invert of '{}' isn't below the ground at it", node.id);
            report.campus("drain-cover", &at, what, "Both are above datum; the invert is the lower.");
        }
        let Some(parent) = node.parent.and_then(|p| network.nodes.get(p)) else { continue };
        if network.kind != NetworkKind::Drain || node.kind.contains("pump") {
            continue;
        }
        if let (Some(here), Some(below)) = (node.invert_mm, parent.invert_mm)
            && here < below
        {
            report.campus(
                "drain-uphill",
                &at,
                format!(
                    "the drain runs uphill: '{}' at {here} mm flows to '{}' at {below} mm",
                    node.id, parent.id
                ),
                format!("Raise it to {below} mm or more, lower '{}', or make it a pump.", parent.id),
            );
        }
    }
}

/// The downpipes of roofs end at nodes of drains.
pub(crate) fn check_downpipes(campus: &Campus, report: &mut Report) {
    let drains = || campus.networks.iter().filter(|n| n.kind == NetworkKind::Drain).flat_map(|n| &n.nodes);
    for (b, building) in campus.plan.buildings.iter().enumerate() {
        for (r, roof) in building.roofs.iter().enumerate() {
            for (d, pipe) in roof.downpipes.iter().enumerate() {
                if !drains().any(|n| n.id == pipe.drain) {
                    report.plan(
                        "unknown-drain",
                        format!("/buildings/{b}/roofs/{r}/downpipes/{d}/drain"),
                        format!("no drain has a node '{}'", pipe.drain),
                        did_you_mean(&pipe.drain, drains().map(|n| n.id.as_str())),
                    );
                }
            }
        }
    }
}
