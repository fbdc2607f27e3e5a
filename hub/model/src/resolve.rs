//! From the two files to one [`Campus`]: kinds × entities expanded and cross-referenced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path as FsPath;

use crate::entities::{Entities, MAX_ENTITIES, Selection, default_names, id_mend, plan_entities, read_globs};
use crate::points::{
    alarm_rule, as_alarm, both_names, check_brick, check_condition, check_uses, make_point, to_value,
    value_mend,
};
use crate::problem::Report;
use crate::suggest::did_you_mean;
use crate::{
    AlarmCondition, Campus, CampusFile, ConditionSpec, Entity, EntityKind, Interlock, Names, OneOrMany, Path,
    Plan, Point, PointCondition, PointUse, ScalarSpec, SuppressWhen, UnknownSpec, Value, ValueTest,
};

/// More equipment of one kind in one place is a slip.
const MAX_COUNT: u32 = 10_000;
/// More points than any campus has; a runaway rule stops here.
const MAX_POINTS: usize = 2_000_000;

/// The campus while it is put together.
pub(crate) struct Resolver<'a> {
    pub file: &'a CampusFile,
    pub entities: Entities,
    pub points: Vec<Point>,
    pub point_paths: HashMap<Path, usize>,
    pub report: &'a mut Report,
}

/// Checks what `campus.toml` says without regard to the plan.
pub(crate) fn check_file(file: &CampusFile, report: &mut Report) {
    if Path::new(&file.id).is_err() || file.id.contains('/') {
        report.campus("bad-id", "/id", format!("'{}' isn't an id", file.id), id_mend(&file.id));
    }
    both_names(&file.zh, &file.en, "", report);
    if jiff::tz::TimeZone::get(&file.timezone).is_err() {
        report.campus(
            "timezone",
            "/timezone",
            format!("'{}' is no time zone of the IANA database", file.timezone),
            did_you_mean(
                &file.timezone,
                [
                    "Asia/Shanghai",
                    "Asia/Hong_Kong",
                    "Asia/Urumqi",
                    "Asia/Taipei",
                    "UTC",
                    "Europe/London",
                    "America/New_York",
                ],
            ),
        );
    }
    crate::points::check_kinds(file, report);
    for (id, spec) in &file.equipment {
        let at = format!("/equipment/{}", crate::toml_doc::escape(id));
        if Path::new(id).is_err() || id.contains('/') {
            report.campus("bad-id", &at, format!("'{id}' isn't an id"), id_mend(id));
        }
        both_names(&spec.zh, &spec.en, &at, report);
        check_brick(&spec.brick, &format!("{at}/brick"), report);
        check_uses(&spec.points, file, &format!("{at}/points"), report);
    }
    for (i, rule) in file.place.iter().enumerate() {
        let at = format!("/place/{i}");
        check_uses(&rule.points, file, &format!("{at}/points"), report);
        for (e, item) in rule.equipment.iter().enumerate() {
            let at = format!("{at}/equipment/{e}");
            if !file.equipment.contains_key(&item.kind) {
                report.campus(
                    "unknown-equipment-kind",
                    &at,
                    format!("the kind of equipment '{}' doesn't exist", item.kind),
                    did_you_mean(&item.kind, file.equipment.keys().map(String::as_str)),
                );
            }
            if item.count.is_some_and(|n| n == 0 || n > MAX_COUNT) {
                report.campus(
                    "count",
                    &at,
                    "the count is 0 or too large",
                    format!("Give a count from 1 to {MAX_COUNT}."),
                );
            }
            if item.zh.is_some() || item.en.is_some() {
                both_names(&item.zh, &item.en, &at, report);
            }
        }
    }
    for (i, rule) in file.name.iter().enumerate() {
        let at = format!("/name/{i}");
        both_names(&rule.zh, &rule.en, &at, report);
        check_brick(&rule.brick, &format!("{at}/brick"), report);
    }
    for (n, network) in file.network.iter().enumerate() {
        for (i, node) in network.node.iter().enumerate() {
            let at = format!("/network/{n}/node/{i}");
            check_uses(&node.points, file, &format!("{at}/points"), report);
            check_brick(&node.brick, &format!("{at}/brick"), report);
            crate::points::check_submeter(&node.submeter, &format!("{at}/submeter"), report);
        }
    }
}

/// Puts the campus together; whether it may be used, the report says.
pub(crate) fn resolve(plan: Plan, file: &CampusFile, dir: &FsPath, report: &mut Report) -> Campus {
    let mut entities = Entities::default();
    plan_entities(&plan, &mut entities, report);
    let mut resolver = Resolver { file, entities, points: Vec::new(), point_paths: HashMap::new(), report };
    resolver.places(0, true);
    let before_networks = resolver.entities.list.len();
    let networks = resolver.networks(before_networks);
    resolver.places(before_networks, false);
    resolver.unmatched_places();
    resolver.names();
    resolver.alarms();
    resolver.suppressions();
    resolver.interlocks();
    resolver.references();
    // Points of one entity lie together, in the order of the entities.
    let mut order: Vec<usize> = (0..resolver.points.len()).collect();
    order.sort_by_key(|&i| resolver.points[i].entity);
    let mut slots: Vec<Option<Point>> = resolver.points.drain(..).map(Some).collect();
    resolver.points = order.iter().filter_map(|&i| slots[i].take()).collect();
    resolver.bindings();
    let Resolver { entities, points, report, .. } = resolver;
    let mut campus = Campus {
        id: file.id.clone(),
        names: Names::new(file.zh.as_deref().unwrap_or(&file.id), file.en.as_deref().unwrap_or(&file.id)),
        timezone: file.timezone.clone(),
        plan,
        entities: entities.list,
        points,
        networks: Vec::new(),
        root_dir: dir.to_owned(),
        weather_file: file.weather.clone(),
        attribution: file.attribution.iter().map(crate::Attribution::names).collect(),
        simulation: serde_json::to_value(&file.simulation).unwrap_or_default(),
        index: Default::default(),
    };
    campus.reindex();
    campus.networks = crate::networks::finish(networks, &campus, report);
    crate::networks::check_downpipes(&campus, report);
    campus
}

impl Resolver<'_> {
    /// Applies every `[[place]]` to the entities from `from` on.
    fn places(&mut self, from: usize, first: bool) {
        let file = self.file;
        for (i, rule) in file.place.iter().enumerate() {
            let at = format!("/place/{i}/at");
            let selection =
                Selection { at: &rule.at, except: &rule.except, use_: &rule.use_, kinds: &rule.entity };
            // Later entities come from earlier rules too, so a rule sees what is there by then.
            let from = if first { 0 } else { from };
            for (n, entity) in self.entities.select(&selection, from, &at, None).into_iter().enumerate() {
                self.add_points(&rule.points, entity, &format!("/place/{i}/points"));
                for (e, item) in rule.equipment.iter().enumerate() {
                    self.add_equipment(item, entity, n + 1, &format!("/place/{i}/equipment/{e}"));
                }
            }
        }
    }

    /// Reports the globs of `[[place]]` that match nothing, once everything is there.
    fn unmatched_places(&mut self) {
        let file = self.file;
        for (i, rule) in file.place.iter().enumerate() {
            let selection =
                Selection { at: &rule.at, except: &rule.except, use_: &rule.use_, kinds: &rule.entity };
            self.entities.select(&selection, 0, &format!("/place/{i}/at"), Some(self.report));
        }
    }

    pub fn add_points(&mut self, uses: &[PointUse], entity: usize, at: &str) {
        let path = self.entities.list[entity].path.clone();
        for (i, one) in uses.iter().enumerate() {
            if self.points.len() >= MAX_POINTS {
                self.report.campus(
                    "too-many",
                    at,
                    format!("there are more than {MAX_POINTS} points"),
                    "Narrow the globs.",
                );
                return;
            }
            let Some(point) = make_point(one, self.file, entity, &path) else { continue };
            if self.point_paths.contains_key(&point.path) {
                self.report.campus(
                    "duplicate-id",
                    &format!("{at}/{i}"),
                    format!("the point '{}' is there already", point.path),
                    "Give one of the two points an id of its own, or narrow one rule's globs.",
                );
                continue;
            }
            self.point_paths.insert(point.path.clone(), self.points.len());
            self.points.push(point);
        }
    }

    fn add_equipment(&mut self, item: &crate::EquipmentUse, place: usize, position: usize, at: &str) {
        let Some(spec) = self.file.equipment.get(&item.kind) else { return };
        let id = item.id.as_deref().unwrap_or(&item.kind);
        let count = item.count.unwrap_or(1).min(MAX_COUNT);
        for n in 1..=count {
            if self.entities.list.len() >= MAX_ENTITIES {
                self.report.campus(
                    "too-many",
                    at,
                    format!("there are more than {MAX_ENTITIES} entities"),
                    "Narrow the globs.",
                );
                return;
            }
            let id = if item.count.is_some() { format!("{id}-{n}") } else { id.to_owned() };
            let joined = if id.contains('/') { None } else { self.entities.list[place].path.join(&id).ok() };
            let Some(path) = joined else {
                self.report.campus("bad-id", at, format!("'{id}' isn't an id"), id_mend(&id));
                return;
            };
            let entity = Entity {
                path,
                names: Names::default(),
                kind: EntityKind::Equipment,
                brick: spec.brick.clone().unwrap_or_default(),
                parent: Some(place),
                class: item.kind.clone(),
            };
            match self.entities.add(entity, None) {
                Ok(index) => {
                    self.entities.position[index] = if item.count.is_some() { n as usize } else { position };
                    let kind = || format!("/equipment/{}", crate::toml_doc::escape(&item.kind));
                    self.entities.own_names[index] = match (&item.zh, &item.en) {
                        (Some(zh), Some(en)) => Some((at.to_owned(), Names::new(zh, en))),
                        _ => match (&spec.zh, &spec.en, item.count) {
                            (Some(zh), Some(en), Some(_)) => {
                                Some((kind(), Names::new(format!("{zh} {{i}}"), format!("{en} {{i}}"))))
                            }
                            (Some(zh), Some(en), None) => Some((kind(), Names::new(zh, en))),
                            _ => None,
                        },
                    };
                    self.add_points(&spec.points, index, &format!("/equipment/{}/points", item.kind));
                }
                Err(other) => {
                    let what = format!("the path '{}' is taken", self.entities.list[other].path);
                    self.report.campus(
                        "duplicate-id",
                        at,
                        what,
                        "Give it an id of its own, or narrow one rule's globs.",
                    );
                }
            }
        }
    }

    /// Names every entity: the last rule that matches, else its own names, else the usual ones.
    fn names(&mut self) {
        let file = self.file;
        let mut chosen: Vec<Option<usize>> = vec![None; self.entities.list.len()];
        let none = OneOrMany::default();
        for (r, rule) in file.name.iter().enumerate() {
            let selection = Selection { at: &rule.at, except: &none, use_: &rule.use_, kinds: &rule.entity };
            let picked = self.entities.select(&selection, 0, &format!("/name/{r}/at"), Some(self.report));
            for (n, entity) in picked.into_iter().enumerate() {
                chosen[entity] = Some(r);
                self.entities.position[entity] = n + 1;
                if let Some(brick) = &rule.brick {
                    self.entities.list[entity].brick.clone_from(brick);
                }
            }
        }
        let mut unnamed: BTreeMap<EntityKind, (usize, Path)> = BTreeMap::new();
        for (i, chosen) in chosen.into_iter().enumerate() {
            let kind = self.entities.list[i].kind;
            let by_rule = chosen.and_then(|r| {
                let rule = &file.name[r];
                Some((format!("/name/{r}"), Names::new(rule.zh.as_ref()?, rule.en.as_ref()?)))
            });
            let own = self.entities.own_names[i].clone();
            let (at, template) = by_rule.or(own).unwrap_or_else(|| (String::new(), default_names(kind)));
            if chosen.is_none() && matches!(kind, EntityKind::Building | EntityKind::Space) {
                unnamed.entry(kind).or_insert_with(|| (0, self.entities.list[i].path.clone())).0 += 1;
            }
            let names = if i == 0 && chosen.is_none() {
                Ok(Names::new(file.zh.as_deref().unwrap_or("校园"), file.en.as_deref().unwrap_or("Campus")))
            } else {
                self.entities.render_names(i, &template)
            };
            match names {
                Ok(names) => self.entities.list[i].names = names,
                Err((field, why)) => {
                    let what = format!("{why} at '{}'", self.entities.list[i].path);
                    self.report.campus("bad-template", &format!("{at}/{field}"), what, NAME_WORDS);
                }
            }
        }
        for (kind, (count, path)) in unnamed {
            self.report.campus_warning(
                "missing-name",
                "",
                format!("{count} of the kind {kind:?} have only a usual name, such as '{path}'"),
                "Add a [[name]] that matches them.",
            );
        }
    }

    fn alarms(&mut self) {
        let file = self.file;
        for (r, rule) in file.alarm.iter().enumerate() {
            let at = format!("/alarm/{r}");
            both_names(&rule.zh, &rule.en, &at, self.report);
            if rule.deadband < 0.0 || rule.on_delay_s < 0.0 || rule.off_delay_s < 0.0 {
                self.report.campus(
                    "alarm-number",
                    &at,
                    "a deadband or delay is negative",
                    "Give numbers from 0.",
                );
            }
            let alarm = as_alarm(rule);
            let picked = self.matching_points(&rule.points, &OneOrMany::default(), &format!("{at}/points"));
            let mut checked: Vec<String> = Vec::new();
            for i in picked {
                let point = &mut self.points[i];
                let Some(kind) = file.kind.get(&point.quantity) else { continue };
                if !checked.contains(&point.quantity) {
                    checked.push(point.quantity.clone());
                    check_condition(&alarm, kind, &at, self.report);
                }
                let Some(made) = point.path.parent().and_then(|e| alarm_rule(&alarm, kind, &e)) else {
                    continue;
                };
                // A rule refines an alarm of the kind by the same id.
                match point.alarms.iter_mut().find(|a| a.id == made.id) {
                    Some(old) => *old = made,
                    None => point.alarms.push(made),
                }
            }
        }
    }

    /// What suppresses alarms: kinds' first, then those of rules, which may refine them.
    fn suppressions(&mut self) {
        let file = self.file;
        let mut found: Vec<(usize, String, SuppressWhen)> = Vec::new();
        let mut lost = BTreeSet::new();
        for i in 0..self.points.len() {
            let Some(kind) = file.kind.get(&self.points[i].quantity) else { continue };
            for (a, alarm) in kind.alarm.iter().enumerate() {
                let Some(spec) = &alarm.suppress else { continue };
                let at = format!("/kind/{}/alarm/{a}/suppress", self.points[i].quantity);
                let when = self.condition(&spec.when, i, &at, &mut lost);
                found.extend(
                    when.map(|when| (i, alarm.id.clone(), SuppressWhen { when, hold_s: spec.hold_s })),
                );
            }
        }
        for (r, rule) in file.alarm.iter().enumerate() {
            let Some(spec) = &rule.suppress else { continue };
            let at = format!("/alarm/{r}/suppress");
            if spec.hold_s < 0.0 {
                self.report.campus("alarm-number", &at, "hold_s is negative", "Give a number from 0.");
            }
            // Globs that match nothing have been reported with the alarm itself.
            let mut unheard = Report::default();
            let globs = read_globs(&rule.points, &at, false, &mut unheard);
            for i in 0..self.points.len() {
                if !globs.iter().any(|g| g.matches(self.points[i].path.as_str())) {
                    continue;
                }
                let when = self.condition(&spec.when, i, &at, &mut lost);
                found.extend(
                    when.map(|when| (i, rule.id.clone(), SuppressWhen { when, hold_s: spec.hold_s })),
                );
            }
        }
        for (point, id, suppress) in found {
            if let Some(alarm) = self.points[point].alarms.iter_mut().find(|a| a.id == id) {
                alarm.suppress = Some(suppress);
            }
        }
    }

    fn interlocks(&mut self) {
        let file = self.file;
        let mut lost = BTreeSet::new();
        for (r, rule) in file.interlock.iter().enumerate() {
            let at = format!("/interlock/{r}");
            both_names(&rule.zh, &rule.en, &at, self.report);
            if file.interlock.iter().take(r).any(|other| other.id == rule.id) {
                self.report.campus(
                    "duplicate-id",
                    &at,
                    format!("there is another interlock '{}'", rule.id),
                    "Give each its own id.",
                );
            }
            for i in self.matching_points(&rule.points, &OneOrMany::default(), &format!("{at}/points")) {
                let Some(kind) = file.kind.get(&self.points[i].quantity) else { continue };
                if self.points[i].command.is_none() {
                    let what = format!("'{}' can't be commanded", self.points[i].path);
                    if lost.insert((at.clone(), "not-commandable")) {
                        self.report.campus("not-commandable", &at, what, "Name points with a command.");
                    }
                    continue;
                }
                let mut value = |scalar: &Option<ScalarSpec>, key: &str| -> Option<Value> {
                    let value = to_value(scalar.as_ref()?, kind);
                    if value.is_none() && lost.insert((format!("{at}/{key}"), "value-type")) {
                        let what = "the value doesn't suit the type of the point";
                        self.report.campus("value-type", &format!("{at}/{key}"), what, value_mend(kind));
                    }
                    value
                };
                let (forbid, trip) = (value(&rule.forbid, "forbid"), value(&rule.trip, "trip"));
                let Some(when) = self.condition(&rule.when, i, &format!("{at}/when"), &mut lost) else {
                    continue;
                };
                let names = Names::new(
                    rule.zh.as_deref().unwrap_or(&rule.id),
                    rule.en.as_deref().unwrap_or(&rule.id),
                );
                let block_unknown = rule.unknown == UnknownSpec::Block;
                let made = Interlock { id: rule.id.clone(), names, when, forbid, trip, block_unknown };
                self.points[i].interlocks.push(made);
            }
        }
    }

    /// A condition elsewhere, of a point; `None` where it can't be, which is reported once a place.
    fn condition(
        &mut self,
        spec: &ConditionSpec,
        of: usize,
        at: &str,
        lost: &mut BTreeSet<(String, &'static str)>,
    ) -> Option<PointCondition> {
        let entity = self.points[of].path.parent();
        let path = match &entity {
            Some(entity) if !spec.point.contains('/') => entity.join(&spec.point),
            _ => Path::new(&spec.point),
        };
        let found = path.ok().and_then(|p| Some((self.point_paths.get(&p).copied()?, p)));
        let Some((other, point)) = found else {
            if lost.insert((at.to_owned(), "unknown-point")) {
                let siblings =
                    self.points.iter().filter(|p| p.path.parent() == entity).map(|p| p.path.leaf());
                let mend = if spec.point.contains('/') {
                    did_you_mean(&spec.point, self.points.iter().map(|p| p.path.as_str()))
                } else {
                    did_you_mean(&spec.point, siblings)
                };
                let what = format!("'{}' is no point, seen from '{}'", spec.point, self.points[of].path);
                self.report.campus("unknown-point", at, what, mend);
            }
            return None;
        };
        let kind = self.file.kind.get(&self.points[other].quantity)?;
        let numeric = kind.value == crate::ValueType::Number;
        let test = match (spec.above, spec.below, &spec.is) {
            (Some(limit), None, None) if numeric => Some(ValueTest::Above(limit)),
            (None, Some(limit), None) if numeric => Some(ValueTest::Below(limit)),
            (None, None, Some(value)) => to_value(value, kind).map(ValueTest::Is),
            _ => None,
        };
        if test.is_none() && lost.insert((at.to_owned(), "condition")) {
            self.report.campus(
                "condition",
                at,
                "the condition is not exactly one of above, below and is, or doesn't suit the type of its point",
                if numeric { "Give above, below or is, a number.".to_owned() } else { value_mend(kind) },
            );
        }
        Some(PointCondition { point, test: test? })
    }

    /// The points whose paths match, in order. Globs that match nothing are reported.
    pub fn matching_points(&mut self, texts: &OneOrMany, except: &OneOrMany, at: &str) -> Vec<usize> {
        let except = read_globs(except, at, false, self.report);
        let globs = read_globs(texts, at, true, self.report);
        let whole = globs.len() == texts.as_slice().len();
        let mut chosen = vec![false; self.points.len()];
        for (g, glob) in globs.iter().enumerate() {
            let mut any = false;
            for (i, point) in self.points.iter().enumerate() {
                if glob.matches(point.path.as_str()) {
                    any = true;
                    chosen[i] = true;
                }
            }
            if !any && whole {
                let mend =
                    crate::entities::empty_glob(glob, &mut self.points.iter().map(|p| p.path.as_str()));
                let at = crate::entities::glob_pointer(texts, at, g);
                self.report.campus("glob-empty", &at, format!("'{glob}' matches no point"), mend);
            }
        }
        (0..self.points.len())
            .filter(|&i| chosen[i] && !except.iter().any(|g| g.matches(self.points[i].path.as_str())))
            .collect()
    }

    /// Points that other points name have to exist.
    fn references(&mut self) {
        let mut missing: BTreeMap<(String, &'static str, &'static str), Path> = BTreeMap::new();
        for point in &self.points {
            if let Some(path) = point.command.as_ref().and_then(|c| c.readback.as_ref())
                && !self.point_paths.contains_key(path)
            {
                missing
                    .entry((point.quantity.clone(), "unknown-readback", "/command/readback"))
                    .or_insert_with(|| path.clone());
            }
            for alarm in &point.alarms {
                if let AlarmCondition::Deviation { from, .. } = &alarm.condition
                    && !self.point_paths.contains_key(from)
                {
                    missing
                        .entry((point.quantity.clone(), "unknown-point", "/alarm"))
                        .or_insert_with(|| from.clone());
                }
            }
        }
        for ((kind, code, tail), path) in missing {
            let entity = path.parent().unwrap_or_else(|| path.clone());
            let siblings: Vec<&str> = self
                .points
                .iter()
                .filter(|p| p.path.parent().as_ref() == Some(&entity))
                .map(|p| p.path.leaf())
                .collect();
            self.report.campus(
                code,
                &format!("/kind/{kind}{tail}"),
                format!("the point '{path}' doesn't exist"),
                did_you_mean(path.leaf(), siblings),
            );
        }
    }
}

/// The words of a name template, as a mend.
pub(crate) const NAME_WORDS: &str = "Words are {id}, {ID}, {n} (the number in the id), {i} (the position), {parent}, {building}, {storey}, {space}; each only where there is one.";
