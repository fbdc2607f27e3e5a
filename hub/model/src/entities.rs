//! From plan and places to entities: paths, names and Brick classes.

use std::collections::HashMap;

use crate::problem::Report;
use crate::suggest::did_you_mean;
use crate::template::{number_in, render};
use crate::{Building, Entity, EntityKind, Glob, Names, OneOrMany, OpeningKind, Path, Plan, SpaceUse};

/// More entities than any campus has; a runaway template stops here.
pub(crate) const MAX_ENTITIES: usize = 1_000_000;

/// The entities while they are collected.
#[derive(Default)]
pub(crate) struct Entities {
    pub list: Vec<Entity>,
    /// What a space is for, by entity.
    pub uses: Vec<Option<SpaceUse>>,
    /// The entity's own name templates, which a name rule overrides, and the table of `campus.toml` that has them, by
    /// entity.
    pub own_names: Vec<Option<(String, Names)>>,
    /// The index of the entity whose words `{building}`, `{space}`, … mean, by entity.
    pub context: Vec<usize>,
    /// The position among those that the same rule made, from 1, by entity.
    pub position: Vec<usize>,
    by_path: HashMap<Path, usize>,
}

impl Entities {
    pub fn get(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Adds an entity; where its path is taken, gives the index of the entity that has it.
    pub fn add(&mut self, entity: Entity, use_: Option<SpaceUse>) -> Result<usize, usize> {
        if let Some(other) = self.get(entity.path.as_str()) {
            return Err(other);
        }
        let index = self.list.len();
        self.by_path.insert(entity.path.clone(), index);
        self.list.push(entity);
        self.uses.push(use_);
        self.own_names.push(None);
        self.context.push(index);
        self.position.push(1);
        Ok(index)
    }

    /// The entity itself or the nearest one above it of a kind.
    pub fn ancestor(&self, entity: usize, kind: EntityKind) -> Option<usize> {
        let mut at = Some(entity);
        while let Some(i) = at {
            let found = self.list.get(i)?;
            if found.kind == kind {
                return Some(i);
            }
            at = found.parent;
        }
        None
    }

    /// What a word of an id, path or topic template stands for at an entity.
    pub fn id_word(&self, entity: usize, word: &str) -> Option<String> {
        let here = self.list.get(entity)?;
        let leaf = |kind| self.ancestor(entity, kind).map(|i| self.list[i].path.leaf().to_owned());
        Some(match word {
            "id" => here.path.leaf().to_owned(),
            "path" | "entity" => here.path.to_string(),
            "slug" => here.path.as_str().replace('/', "-"),
            "n" => number_in(here.path.leaf())?,
            "i" => self.position[entity].to_string(),
            "parent" => self.list[here.parent?].path.leaf().to_owned(),
            "building" => leaf(EntityKind::Building)?,
            "storey" => leaf(EntityKind::Storey)?,
            "space" => leaf(EntityKind::Space)?,
            _ => return None,
        })
    }

    /// What a word of a name template stands for at an entity, in one language.
    fn name_word(&self, entity: usize, word: &str, pick: fn(&Names) -> &str) -> Option<String> {
        let about = self.context[entity];
        let name = |i: usize| Some(pick(&self.list.get(i)?.names).to_owned());
        let of = |kind| self.ancestor(about, kind).and_then(name);
        Some(match word {
            "id" => self.list[entity].path.leaf().to_owned(),
            "ID" => self.list[entity].path.leaf().to_uppercase(),
            "n" => number_in(self.list[entity].path.leaf())?,
            "i" => self.position[entity].to_string(),
            "parent" if about == entity => name(self.list[entity].parent?)?,
            "parent" => name(about)?,
            "building" => of(EntityKind::Building)?,
            "storey" => of(EntityKind::Storey)?,
            "space" => of(EntityKind::Space)?,
            _ => return None,
        })
    }

    /// Fills a pair of name templates at an entity.
    /// The error has the field of the template that is wrong, and why.
    pub fn render_names(&self, entity: usize, template: &Names) -> Result<Names, (&'static str, String)> {
        let zh = render(&template.zh, |word| self.name_word(entity, word, |n| &n.zh));
        let zh = zh.map_err(|why| ("zh-CN", why))?;
        let en = render(&template.en, |word| self.name_word(entity, word, |n| &n.en));
        let en = en.map_err(|why| ("en", why))?;
        Ok(Names { zh, en })
    }
}

/// Which entities a rule is about.
pub(crate) struct Selection<'a> {
    pub at: &'a OneOrMany,
    pub except: &'a OneOrMany,
    pub use_: &'a [SpaceUse],
    pub kinds: &'a [EntityKind],
}

/// Globs that can be read; others are reported at `pointer`, as is an empty list if `needed`.
pub(crate) fn read_globs(texts: &OneOrMany, pointer: &str, needed: bool, report: &mut Report) -> Vec<Glob> {
    let mut globs = Vec::new();
    for (i, text) in texts.as_slice().iter().enumerate() {
        match Glob::new(text) {
            Ok(glob) => globs.push(glob),
            Err(err) => {
                let at = glob_pointer(texts, pointer, i);
                report.campus(
                    "bad-glob",
                    &at,
                    err.to_string(),
                    "Write it such as '*/2f/**' or 'teaching-a/2f/201'.",
                );
            }
        }
    }
    if needed && texts.as_slice().is_empty() {
        report.campus("bad-glob", pointer, "the list of globs is empty", "Give at least one.");
    }
    globs
}

pub(crate) fn glob_pointer(texts: &OneOrMany, pointer: &str, i: usize) -> String {
    match texts {
        OneOrMany::One(_) => pointer.to_owned(),
        OneOrMany::Many(_) => format!("{pointer}/{i}"),
    }
}

/// The paths that a glob without wildcards may have meant.
pub(crate) fn empty_glob(glob: &Glob, paths: &mut dyn Iterator<Item = &str>) -> String {
    match glob.literal() {
        Some(path) => did_you_mean(path, paths),
        None => "Correct the glob, or leave the rule out: `*` stands for one segment, `**` for any number."
            .to_owned(),
    }
}

impl Entities {
    /// The entities from `from` on that a rule is about, in order. A glob that matches nothing
    /// (in all the entities) is reported at `<pointer>/<field>`.
    pub fn select(
        &self,
        rule: &Selection<'_>,
        from: usize,
        pointer: &str,
        report: Option<&mut Report>,
    ) -> Vec<usize> {
        let mut quiet = Report::default();
        let (loud, report) = (report.is_some(), report.unwrap_or(&mut quiet));
        let except = read_globs(rule.except, &format!("{pointer}/except"), false, report);
        let mut chosen = vec![false; self.list.len()];
        let globs = read_globs(rule.at, pointer, true, report);
        let all_read = globs.len() == rule.at.as_slice().len();
        for (g, glob) in globs.iter().enumerate() {
            let mut any = false;
            if let Some(path) = glob.literal() {
                if let Some(i) = self.get(path) {
                    any = true;
                    chosen[i] = true;
                }
            } else {
                for (i, entity) in self.list.iter().enumerate() {
                    if glob.matches(entity.path.as_str()) {
                        any = true;
                        chosen[i] = true;
                    }
                }
            }
            if !any && loud && all_read {
                let mend = empty_glob(glob, &mut self.list.iter().map(|e| e.path.as_str()));
                report.campus(
                    "glob-empty",
                    &glob_pointer(rule.at, pointer, g),
                    format!("'{glob}' matches no entity"),
                    mend,
                );
            }
        }
        let picked: Vec<usize> = (from..self.list.len())
            .filter(|&i| {
                chosen[i]
                    && (rule.use_.is_empty() || self.uses[i].is_some_and(|u| rule.use_.contains(&u)))
                    && (rule.kinds.is_empty() || rule.kinds.contains(&self.list[i].kind))
                    && !except.iter().any(|g| g.matches(self.list[i].path.as_str()))
            })
            .collect();
        if picked.is_empty() && loud && chosen.contains(&true) {
            report.campus(
                "glob-empty",
                pointer,
                "what the globs match has another use or kind, or is excepted",
                "Correct 'use', 'entity' or 'except', or leave the rule out.",
            );
        }
        picked
    }
}

/// Adds the entities of the plan. Bad and duplicate ids are reported.
pub(crate) fn plan_entities(plan: &Plan, entities: &mut Entities, report: &mut Report) {
    let mut adder = Adder { entities, report };
    let site = adder.add("site", None, EntityKind::Site, "Site", None, "/site".to_owned());
    for (b, building) in plan.buildings.iter().enumerate() {
        let at = format!("/buildings/{b}");
        if matches!(building.id.as_str(), "site" | "net") {
            let what = format!("the id '{}' is taken by the house", building.id);
            adder.report.plan("bad-id", format!("{at}/id"), what, "Choose another id.");
            continue;
        }
        let here = adder.add(&building.id, None, EntityKind::Building, "Building", None, at.clone());
        if here.is_some() {
            adder.building(building, here, &at);
        }
    }
    let o = &plan.outside;
    let mut each = |kind, brick, list: &str, ids: &mut dyn Iterator<Item = &String>| {
        for (i, id) in ids.enumerate() {
            adder.add(id, site, kind, brick, None, format!("/outside/{list}/{i}"));
        }
    };
    each(EntityKind::Ground, "Outdoor_Area", "grounds", &mut o.grounds.iter().map(|x| &x.id));
    each(EntityKind::Road, "Outdoor_Area", "roads", &mut o.roads.iter().map(|x| &x.id));
    each(EntityKind::Water, "Outdoor_Area", "waters", &mut o.waters.iter().map(|x| &x.id));
    each(EntityKind::Green, "Outdoor_Area", "greens", &mut o.greens.iter().map(|x| &x.id));
    each(EntityKind::Tree, "", "trees", &mut o.trees.iter().map(|x| &x.id));
    each(EntityKind::Fence, "", "fences", &mut o.fences.iter().map(|x| &x.id));
    each(EntityKind::Gate, "", "gates", &mut o.gates.iter().map(|x| &x.id));
    each(
        EntityKind::AssemblyPoint,
        "Outdoor_Area",
        "assembly_points",
        &mut o.assembly_points.iter().map(|x| &x.id),
    );
    each(EntityKind::Barrier, "", "barriers", &mut o.barriers.iter().map(|x| &x.id));
    each(EntityKind::Object, "", "objects", &mut o.objects.iter().map(|x| &x.id));
}

struct Adder<'a> {
    entities: &'a mut Entities,
    report: &'a mut Report,
}

impl Adder<'_> {
    fn add(
        &mut self,
        id: &str,
        parent: Option<usize>,
        kind: EntityKind,
        brick: &str,
        use_: Option<SpaceUse>,
        at: String,
    ) -> Option<usize> {
        let path = match parent {
            Some(p) if !id.contains('/') => self.entities.list[p].path.join(id),
            None if !id.contains('/') => Path::new(id),
            _ => Path::new("/"),
        };
        let Ok(path) = path else {
            self.report.plan("bad-id", format!("{at}/id"), format!("'{id}' isn't an id"), id_mend(id));
            return None;
        };
        if self.entities.list.len() >= MAX_ENTITIES {
            return None;
        }
        let entity = Entity {
            path,
            names: Names::default(),
            kind,
            brick: brick.to_owned(),
            parent,
            class: String::new(),
        };
        match self.entities.add(entity, use_) {
            Ok(index) => Some(index),
            Err(other) => {
                let other = &self.entities.list[other].path;
                let what = format!("the path '{other}' is taken");
                self.report.plan(
                    "duplicate-id",
                    format!("{at}/id"),
                    what,
                    "Give each thing in the same place an id of its own.",
                );
                None
            }
        }
    }

    fn building(&mut self, building: &Building, here: Option<usize>, at: &str) {
        for (s, storey) in building.storeys.iter().enumerate() {
            let at = format!("{at}/storeys/{s}");
            let Some(floor) = self.add(&storey.id, here, EntityKind::Storey, "Floor", None, at.clone())
            else {
                continue;
            };
            for (i, space) in storey.spaces.iter().enumerate() {
                let brick = brick_of_use(space.use_);
                self.add(
                    &space.id,
                    Some(floor),
                    EntityKind::Space,
                    brick,
                    Some(space.use_),
                    format!("{at}/spaces/{i}"),
                );
            }
            for (i, opening) in storey.openings.iter().enumerate() {
                let kind = match opening.kind {
                    OpeningKind::Door => EntityKind::Door,
                    OpeningKind::Window => EntityKind::Window,
                    OpeningKind::Hatch => EntityKind::Hatch,
                    OpeningKind::Gap => EntityKind::Gap,
                };
                self.add(&opening.id, Some(floor), kind, "", None, format!("{at}/openings/{i}"));
            }
        }
        for (i, stair) in building.stairs.iter().enumerate() {
            self.add(&stair.id, here, EntityKind::Stair, "Staircase", None, format!("{at}/stairs/{i}"));
        }
        for (i, shaft) in building.shafts.iter().enumerate() {
            self.add(&shaft.id, here, EntityKind::Shaft, "Vertical_Space", None, format!("{at}/shafts/{i}"));
        }
        for (i, roof) in building.roofs.iter().enumerate() {
            self.add(&roof.id, here, EntityKind::Roof, "Rooftop", None, format!("{at}/roofs/{i}"));
        }
    }
}

/// An id that is near to the wrong one.
pub(crate) fn id_mend(id: &str) -> String {
    let mut near: String = id
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(60)
        .collect();
    near = near.split('-').filter(|s| !s.is_empty()).collect::<Vec<_>>().join("-");
    let rule = "Use lower-case letters a-z, digits and '-'; a whole path has at most 200 bytes";
    if near.is_empty() { format!("{rule}.") } else { format!("{rule}, such as '{near}'.") }
}

/// The usual Brick class of a space by its use.
fn brick_of_use(use_: SpaceUse) -> &'static str {
    match use_ {
        SpaceUse::Corridor => "Hallway",
        SpaceUse::Stair => "Staircase",
        SpaceUse::Lobby => "Lobby",
        SpaceUse::Lift => "Elevator_Shaft",
        SpaceUse::Shaft => "Vertical_Space",
        SpaceUse::Office => "Office",
        SpaceUse::Meeting => "Conference_Room",
        SpaceUse::Laboratory => "Laboratory",
        SpaceUse::Library => "Library",
        SpaceUse::Kitchen => "Food_Service_Room",
        SpaceUse::Dining => "Cafeteria",
        SpaceUse::Store | SpaceUse::ColdStore | SpaceUse::ChemicalStore => "Storage_Room",
        SpaceUse::Plant => "Mechanical_Room",
        SpaceUse::Electrical => "Electrical_Room",
        SpaceUse::Toilet => "Restroom",
        SpaceUse::Washroom => "Ablutions_Room",
        SpaceUse::Gym | SpaceUse::Dance => "Exercise_Room",
        SpaceUse::Changing => "Sports_Service_Room",
        SpaceUse::Hall => "Auditorium",
        SpaceUse::Workshop => "Workshop",
        SpaceUse::Clinic => "Medical_Room",
        SpaceUse::Server => "Server_Room",
        SpaceUse::Guard => "Security_Service_Room",
        SpaceUse::Broadcast => "Broadcast_Room",
        SpaceUse::Shop => "Retail_Room",
        SpaceUse::Parking => "Parking_Structure",
        _ => "Room",
    }
}

/// The usual names of what has no rule of its own.
pub(crate) fn default_names(kind: EntityKind) -> Names {
    let (zh, en) = match kind {
        EntityKind::Site => ("校园", "Campus"),
        EntityKind::Building => ("建筑 {id}", "Building {id}"),
        EntityKind::Storey => ("{parent}{id}", "{parent}, {ID}"),
        EntityKind::Space => ("{id} 室", "Room {id}"),
        EntityKind::Door => ("门 {id}", "Door {id}"),
        EntityKind::Window => ("窗 {id}", "Window {id}"),
        EntityKind::Hatch => ("洞口 {id}", "Hatch {id}"),
        EntityKind::Gap => ("门洞 {id}", "Gap {id}"),
        EntityKind::Stair => ("{parent}楼梯 {id}", "{parent}, stair {id}"),
        EntityKind::Shaft => ("{parent}井道 {id}", "{parent}, shaft {id}"),
        EntityKind::Roof => ("{parent}屋面 {id}", "{parent}, roof {id}"),
        EntityKind::Ground => ("场地 {id}", "Ground {id}"),
        EntityKind::Road => ("道路 {id}", "Road {id}"),
        EntityKind::Water => ("水体 {id}", "Water {id}"),
        EntityKind::Green => ("绿地 {id}", "Green {id}"),
        EntityKind::Tree => ("树木 {id}", "Tree {id}"),
        EntityKind::Fence => ("围栏 {id}", "Fence {id}"),
        EntityKind::Gate => ("校门 {id}", "Gate {id}"),
        EntityKind::AssemblyPoint => ("集合点 {id}", "Assembly point {id}"),
        EntityKind::Barrier => ("挡水板 {id}", "Flood barrier {id}"),
        EntityKind::Object => ("设施 {id}", "Object {id}"),
        EntityKind::Equipment => ("设备 {id}", "Equipment {id}"),
        EntityKind::Network => ("管网 {id}", "Network {id}"),
        EntityKind::Node => ("节点 {id}", "Node {id}"),
        EntityKind::Plugin => ("插件 {id}", "Plugin {id}"),
    };
    Names::new(zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_brick_classes_exist() {
        for use_ in [
            SpaceUse::Corridor,
            SpaceUse::Washroom,
            SpaceUse::Parking,
            SpaceUse::Broadcast,
            SpaceUse::Dining,
            SpaceUse::Other,
        ] {
            assert!(crate::tables::is_brick_class(brick_of_use(use_)), "{use_:?}");
        }
        for class in ["Site", "Building", "Floor", "Outdoor_Area", "Staircase", "Vertical_Space", "Rooftop"] {
            assert!(crate::tables::is_brick_class(class), "{class}");
        }
    }
}
