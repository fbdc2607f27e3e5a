//! A drill: what `drill.toml` says, checked and found on a campus.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use campanile_model::{
    Campus, Findings, Glob, Names, Path, Place, PointId, Problem, Problems, Severity, Timestamp, Value,
    ValueType, did_you_mean, read_toml_checked,
};

use campanile_flood::Series;
use campanile_scene::{CrowdOptions, Hour, StormTable, crowd_input, design_storm};

use crate::drill_file::{DrillFile, Effect, Measure, When};

/// The name of the file of a drill in its folder.
pub const DRILL_FILE: &str = "drill.toml";
/// A drill file has a few kilobytes.
const MAX_DRILL_BYTES: u64 = 1 << 20;
/// Corners of a design storm, seconds.
const STORM_STEP_S: f64 = 30.0;
/// A drill of more than a day is a mistake in the unit.
const MAX_MINUTES: f64 = 24.0 * 60.0;

/// A drill on a campus.
#[derive(Clone, Debug)]
pub struct Drill {
    /// As written.
    pub file: DrillFile,
    /// Its folder.
    pub dir: PathBuf,
    /// When it begins.
    pub start: Timestamp,
    /// What each action does, found on the campus; in the order of the file.
    pub effects: Vec<Found>,
    /// Where each condition and measure looks, by the glob as written, is found by the site of the rehearsal.
    pub campus: Arc<Campus>,
}

/// The effect of an action, found on a campus.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// The index of the level that is issued.
    Warn(usize),
    /// Points and what they are commanded to.
    Command(Vec<(PointId, Value)>),
    /// Nodes of the electricity networks, and whether they have supply afterwards.
    Power(Vec<Path>, bool),
    /// Globs over groups, and over the goals that they are sent to.
    Send(Vec<Glob>, Vec<Glob>),
    /// Globs over groups that stay.
    Hold(Vec<Glob>),
}

impl Drill {
    /// Reads a drill from its folder and finds on the campus what it names.
    ///
    /// # Errors
    /// Every problem of the file, with its line and its mend.
    pub fn open(dir: &FsPath, campus: &Arc<Campus>) -> Result<Self, Problems> {
        let file = dir.join(DRILL_FILE);
        let whole = |what: String, mend: &str| {
            Problems(vec![Problem {
                severity: Severity::Error,
                code: "unreadable",
                file: file.clone(),
                place: Place::Whole,
                what,
                mend: mend.to_owned(),
            }])
        };
        let size = std::fs::metadata(&file).map(|m| m.len());
        match size {
            Ok(size) if size > MAX_DRILL_BYTES => {
                return Err(whole(format!("the file has {size} bytes"), "A drill file has at most 1 MiB."));
            }
            Err(why) => {
                let mend =
                    "Name the folder of a drill: it has a drill.toml, as those under a campus' drills/.";
                return Err(whole(format!("the file can't be read: {why}"), mend));
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(&file)
            .map_err(|why| whole(format!("the file can't be read: {why}"), "Save it as UTF-8 text."))?;
        Self::read(&file, &text, campus)
    }

    /// Reads a drill from the text of its file.
    ///
    /// # Errors
    /// Every problem of the file, with its line and its mend.
    pub fn read(path: &FsPath, text: &str, campus: &Arc<Campus>) -> Result<Self, Problems> {
        let mut start = Timestamp(0);
        let mut effects = Vec::new();
        let file: DrillFile = read_toml_checked(path, text, |file: &DrillFile, findings| {
            let mut check = Check { file, campus, findings };
            start = check.all();
            effects = check.effects();
        })?;
        let dir = path.parent().unwrap_or(FsPath::new("")).to_owned();
        Ok(Self { file, dir, start, effects, campus: campus.clone() })
    }

    /// No drill: a time in which nothing is practised.
    pub fn plain(campus: Arc<Campus>, start: Timestamp, duration_s: f64, barrier_s: f64) -> Self {
        let file = DrillFile {
            format: DrillFile::FORMAT.to_owned(),
            id: "plain".to_owned(),
            duration_min: duration_s / 60.0,
            barrier_s,
            ..DrillFile::default()
        };
        Self { file, dir: PathBuf::new(), start, effects: Vec::new(), campus }
    }

    /// Its names.
    pub fn names(&self) -> Names {
        Names::new(&self.file.zh, &self.file.en)
    }

    /// Its rain over time, m/s, where it has any of its own.
    pub fn rain(&self) -> Option<Series> {
        if let Some(storm) = &self.file.storm {
            // Both were checked when the drill was read.
            let table = StormTable::shipped(&storm.formula).ok()?;
            let mut series =
                design_storm(&table, storm.return_period_a, storm.duration_min, STORM_STEP_S).ok()?;
            let begins_s = storm.begins_min * 60.0;
            series.corners.iter_mut().for_each(|(t, _)| *t += begins_s);
            // Before it begins it does not rain.
            series.corners.insert(0, (begins_s, 0.0));
            return Some(series);
        }
        let corners = self.file.rain.iter().map(|[minute, mm_h]| (minute * 60.0, mm_h / 3.6e6));
        (!self.file.rain.is_empty()).then(|| Series { corners: corners.collect() })
    }

    /// What the school does at the start, by the usual timetable.
    pub fn hour(&self) -> Hour {
        // It was read when the drill was.
        let start = self.file.start.parse::<jiff::civil::DateTime>().unwrap_or_default();
        Hour::of_minute(
            u32::from(start.hour().unsigned_abs()) * 60 + u32::from(start.minute().unsigned_abs()),
        )
    }

    /// How many people take part.
    pub fn people(&self) -> u32 {
        let Some(spec) = &self.file.crowd else { return 0 };
        let hour = spec.hour.map_or_else(|| self.hour(), Into::into);
        let options = CrowdOptions { hour, staff: spec.staff, ..CrowdOptions::default() };
        // A campus that can't be walked on has nobody; the rehearsal says why.
        let site = crowd_input(&self.campus, &options).unwrap_or_default();
        site.input.groups.iter().flat_map(|g| &g.people).map(|(_, n)| n).sum()
    }

    /// How many barriers it has.
    pub fn barriers(&self) -> u64 {
        (self.file.duration_min * 60.0 / self.file.barrier_s).round() as u64
    }

    /// The index of an action.
    pub fn action(&self, id: &str) -> Option<usize> {
        self.file.action.iter().position(|a| a.id == id)
    }

    /// Each level of warning's index by id.
    pub fn level(&self, id: &str) -> Option<usize> {
        self.file.level.iter().position(|l| l.id == id)
    }
}

/// The folders of drills of a campus, by name: those under `drills/` that have a drill file.
pub fn drills_of(campus_dir: &FsPath) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(campus_dir.join("drills"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.join(DRILL_FILE).is_file())
        .collect();
    found.sort();
    found
}

struct Check<'a, 'r> {
    file: &'a DrillFile,
    campus: &'a Campus,
    findings: &'a mut Findings<'r>,
}

impl Check<'_, '_> {
    fn wrong(&mut self, code: &'static str, at: &str, what: String, mend: impl Into<String>) {
        self.findings.error(code, at, what, mend);
    }

    /// Everything but effects; the moment of the start.
    fn all(&mut self) -> Timestamp {
        let file = self.file;
        if file.format != DrillFile::FORMAT {
            let mend = format!("This program reads '{}'.", DrillFile::FORMAT);
            self.wrong("wrong-format", "/format", format!("the format '{}' isn't known", file.format), mend);
        }
        if !is_id(&file.id) {
            self.wrong("bad-id", "/id", format!("'{}' isn't an id", file.id), ID_MEND);
        }
        self.number("/duration_min", file.duration_min, 1.0, MAX_MINUTES);
        self.number("/barrier_s", file.barrier_s, 0.1, 60.0);
        if let Some(flood) = &file.flood {
            self.number("/flood/cell_m", flood.cell_m, 0.25, 50.0);
            self.number("/flood/margin_m", flood.margin_m, 0.0, 2000.0);
        }
        if let Some(storm) = &file.storm {
            self.number("/storm/return_period_a", storm.return_period_a, 1.0, 1000.0);
            self.number("/storm/duration_min", storm.duration_min, 5.0, MAX_MINUTES);
            self.number("/storm/begins_min", storm.begins_min, 0.0, MAX_MINUTES);
            if let Err(why) = StormTable::shipped(&storm.formula) {
                let mend = "Name a city of the table of design storms.";
                self.wrong("unknown-formula", "/storm/formula", why.to_string(), mend);
            }
            if !file.rain.is_empty() {
                let what = "there is a design storm and rain as it fell".to_owned();
                self.wrong("two-rains", "/rain", what, "Keep one of [storm] and rain.");
            }
        }
        self.corners("/rain", &file.rain, 0.0, 500.0);
        if let Some(river) = &file.river {
            let known: Vec<&str> = self.campus.plan.outside.waters.iter().map(|w| w.id.as_str()).collect();
            if !known.contains(&river.water.as_str()) {
                let mend = did_you_mean(&river.water, known);
                self.wrong(
                    "unknown-water",
                    "/river/water",
                    format!("the plan has no water '{}'", river.water),
                    mend,
                );
            }
            self.corners("/river/level_m", &river.level_m, -100.0, 9000.0);
        }
        self.ids();
        self.levels_and_roles();
        self.conditions();
        self.objectives();
        self.start()
    }

    fn start(&mut self) -> Timestamp {
        let wrong = |check: &mut Self, why: String| {
            let what = format!("'{}' is no local time: {why}", check.file.start);
            check.wrong("bad-time", "/start", what, "Write YYYY-MM-DDTHH:MM, such as 2026-06-24T09:30.");
            Timestamp(0)
        };
        let zone = jiff::tz::TimeZone::get(&self.campus.timezone);
        match (self.file.start.parse::<jiff::civil::DateTime>(), zone) {
            (Ok(civil), Ok(zone)) => match zone.to_ambiguous_timestamp(civil).compatible() {
                Ok(time) => Timestamp(time.as_microsecond()),
                Err(why) => wrong(self, why.to_string()),
            },
            (Err(why), _) | (_, Err(why)) => wrong(self, why.to_string()),
        }
    }

    fn number(&mut self, at: &str, x: f64, low: f64, high: f64) {
        if !(low..=high).contains(&x) {
            let mend = format!("Give a number from {low} to {high}.");
            self.wrong("out-of-range", at, format!("{x} is out of range"), mend);
        }
    }

    fn corners(&mut self, at: &str, corners: &[[f64; 2]], low: f64, high: f64) {
        let mut last = f64::NEG_INFINITY;
        for (i, [minute, y]) in corners.iter().enumerate() {
            let at = format!("{at}/{i}");
            if !(minute.is_finite() && *minute >= last) {
                let mend = "List the corners in order of time, each as [minutes, value].";
                self.wrong("order", &at, format!("minute {minute} comes before the one above"), mend);
            }
            last = *minute;
            self.number(&at, *y, low, high);
        }
    }

    fn ids(&mut self) {
        let file = self.file;
        let lists: [(&str, Vec<&String>); 5] = [
            ("level", file.level.iter().map(|x| &x.id).collect()),
            ("role", file.role.iter().map(|x| &x.id).collect()),
            ("action", file.action.iter().map(|x| &x.id).collect()),
            ("event", file.event.iter().map(|x| &x.id).collect()),
            ("objective", file.objective.iter().map(|x| &x.id).collect()),
        ];
        for (list, ids) in lists {
            for (i, id) in ids.iter().enumerate() {
                let at = format!("/{list}/{i}/id");
                if !is_id(id) {
                    self.wrong("bad-id", &at, format!("'{id}' isn't an id"), ID_MEND);
                }
                if ids[..i].contains(id) {
                    self.wrong(
                        "duplicate-id",
                        &at,
                        format!("there are two of '{id}'"),
                        "Give each an id of its own.",
                    );
                }
            }
        }
    }

    fn levels_and_roles(&mut self) {
        let file = self.file;
        for (i, level) in file.level.iter().enumerate() {
            let hex = level.colour.strip_prefix('#').filter(|h| h.len() == 6);
            if !hex.is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit())) {
                let at = format!("/level/{i}/colour");
                self.wrong(
                    "bad-colour",
                    &at,
                    format!("'{}' is no colour", level.colour),
                    "Write #rrggbb, such as #f0b000.",
                );
            }
        }
        for (i, action) in file.action.iter().enumerate() {
            let at = format!("/action/{i}");
            self.number(&format!("{at}/minutes"), action.minutes, 0.0, MAX_MINUTES);
            let role = file.role.iter().find(|r| r.id == action.role);
            match role {
                None => {
                    let mend = did_you_mean(&action.role, file.role.iter().map(|r| r.id.as_str()));
                    self.wrong(
                        "unknown-role",
                        &format!("{at}/role"),
                        format!("there is no role '{}'", action.role),
                        mend,
                    );
                }
                Some(role) if role.people < action.people => {
                    let what =
                        format!("it takes {} people, and '{}' has {}", action.people, role.id, role.people);
                    self.wrong(
                        "too-few",
                        &format!("{at}/people"),
                        what,
                        "Give the role more people, or the action fewer.",
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn conditions(&mut self) {
        let file = self.file;
        for (i, event) in file.event.iter().enumerate() {
            self.when(&format!("/event/{i}/when"), &event.when);
            for (k, action) in event.begin.iter().enumerate() {
                self.known_action(&format!("/event/{i}/begin/{k}"), action);
            }
        }
        for (i, default) in file.default.iter().enumerate() {
            self.known_action(&format!("/default/{i}/action"), &default.action);
            self.when(&format!("/default/{i}/when"), &default.when);
        }
    }

    fn objectives(&mut self) {
        let file = self.file;
        for (i, objective) in file.objective.iter().enumerate() {
            let at = format!("/objective/{i}");
            if !(objective.good.is_finite() && objective.bad.is_finite() && objective.good < objective.bad) {
                let what = format!("good is {} and bad is {}", objective.good, objective.bad);
                self.wrong(
                    "order",
                    &format!("{at}/good"),
                    what,
                    "Less is better in every measure: good lies below bad.",
                );
            }
            self.number(&format!("{at}/points"), objective.points, 0.0, 1000.0);
            let measure = format!("{at}/measure");
            match &objective.measure {
                Measure::WaterIn { spaces } | Measure::LiveInWater { spaces, .. } => {
                    self.spaces(&format!("{measure}/spaces"), spaces);
                }
                Measure::Done { action } => self.known_action(&format!("{measure}/action"), action),
                Measure::DoneAfter { action, when } => {
                    self.known_action(&format!("{measure}/action"), action);
                    self.when(&format!("{measure}/when"), when);
                }
                Measure::Exposed { .. } | Measure::PersonMinutes { .. } => {}
            }
        }
    }

    fn when(&mut self, at: &str, when: &When) {
        if *when == When::default() {
            let mend = "Give at least one of at_min, rain_1h_mm, rain_6h_mm, river_m, water, issued, done, not_begun.";
            self.wrong("empty", at, "the condition says nothing, so it would hold at once".to_owned(), mend);
        }
        if let Some(water) = &when.water {
            self.spaces(&format!("{at}/water/spaces"), &water.spaces);
        }
        if let Some(id) = &when.issued
            && !self.file.level.iter().any(|l| &l.id == id)
        {
            let mend = did_you_mean(id, self.file.level.iter().map(|l| l.id.as_str()));
            self.wrong("unknown-level", &format!("{at}/issued"), format!("there is no level '{id}'"), mend);
        }
        for (key, id) in [("done", &when.done), ("not_begun", &when.not_begun)] {
            if let Some(id) = id {
                self.known_action(&format!("{at}/{key}"), id);
            }
        }
    }

    fn known_action(&mut self, at: &str, id: &str) {
        if !self.file.action.iter().any(|a| a.id == id) {
            let mend = did_you_mean(id, self.file.action.iter().map(|a| a.id.as_str()));
            self.wrong("unknown-action", at, format!("there is no action '{id}'"), mend);
        }
    }

    fn globs(&mut self, at: &str, texts: &[String]) -> Vec<Glob> {
        let mut globs = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            match Glob::new(text) {
                Ok(glob) => globs.push(glob),
                Err(why) => {
                    let mend = "A path, with * for one segment and ** for any number.";
                    self.wrong("bad-glob", &format!("{at}/{i}"), why.to_string(), mend);
                }
            }
        }
        if texts.is_empty() {
            let mend = "Name at least one path or glob.";
            self.wrong("empty", at, "the list is empty".to_owned(), mend);
        }
        globs
    }

    fn spaces(&mut self, at: &str, texts: &[String]) {
        for (i, glob) in self.globs(at, texts).iter().enumerate() {
            if !self.campus.entities.iter().any(|e| glob.matches(e.path.as_str())) {
                let mend = "Look for the paths of rooms in plan.json: <building>/<storey>/<space>.";
                self.wrong(
                    "matches-nothing",
                    &format!("{at}/{i}"),
                    format!("'{}' matches no room", glob.as_str()),
                    mend,
                );
            }
        }
    }

    fn effects(&mut self) -> Vec<Found> {
        let file = self.file;
        let each = file.action.iter().enumerate();
        each.map(|(i, action)| self.effect(&format!("/action/{i}/effect"), &action.effect)).collect()
    }

    fn effect(&mut self, at: &str, effect: &Effect) -> Found {
        match effect {
            Effect::Warn { level } => {
                let index = self.file.level.iter().position(|l| &l.id == level);
                if index.is_none() {
                    let mend = did_you_mean(level, self.file.level.iter().map(|l| l.id.as_str()));
                    self.wrong(
                        "unknown-level",
                        &format!("{at}/level"),
                        format!("there is no level '{level}'"),
                        mend,
                    );
                }
                Found::Warn(index.unwrap_or(0))
            }
            Effect::Command { points, value } => {
                let globs = self.globs(&format!("{at}/points"), points);
                Found::Command(self.commands(at, &globs, value))
            }
            Effect::Power { nodes, on } => {
                let globs = self.globs(&format!("{at}/nodes"), nodes);
                let mut found = Vec::new();
                for (i, glob) in globs.iter().enumerate() {
                    let before = found.len();
                    let paths = self
                        .campus
                        .networks
                        .iter()
                        .filter(|n| n.kind == campanile_model::NetworkKind::Electricity);
                    let paths =
                        paths.flat_map(|n| &n.nodes).filter_map(|n| self.campus.entities.get(n.entity));
                    found.extend(paths.filter(|e| glob.matches(e.path.as_str())).map(|e| e.path.clone()));
                    if found.len() == before {
                        let mend = "Name nodes of an electricity network: net/<network>/<node>.";
                        let what = format!("'{}' matches no node of an electricity network", glob.as_str());
                        self.wrong("matches-nothing", &format!("{at}/nodes/{i}"), what, mend);
                    }
                }
                Found::Power(found, *on)
            }
            Effect::Send { groups, to } => {
                let groups = self.globs(&format!("{at}/groups"), groups);
                Found::Send(groups, self.globs(&format!("{at}/to"), to))
            }
            Effect::Hold { groups } => Found::Hold(self.globs(&format!("{at}/groups"), groups)),
        }
    }

    fn commands(&mut self, at: &str, globs: &[Glob], value: &serde_json::Value) -> Vec<(PointId, Value)> {
        let mut found = Vec::new();
        for (i, glob) in globs.iter().enumerate() {
            let points: Vec<_> = self
                .campus
                .points
                .iter()
                .filter(|p| p.command.is_some() && glob.matches(p.path.as_str()))
                .collect();
            if points.is_empty() {
                let what = format!("'{}' matches no point that can be commanded", glob.as_str());
                let mend = "`campanile points` lists the points with their paths.";
                self.wrong("matches-nothing", &format!("{at}/points/{i}"), what, mend);
            }
            for point in points {
                match value_of(point, value) {
                    Some(value) => found.push((point.id, value)),
                    None => {
                        let what = format!("{value} is no value of {}, a {:?}", point.path, point.value_type);
                        let mend =
                            "Write true or false, a number, or the id of a choice, as the point has it.";
                        self.wrong("wrong-type", &format!("{at}/value"), what, mend);
                    }
                }
            }
        }
        found.sort_by_key(|(point, _)| *point);
        found.dedup_by_key(|(point, _)| *point);
        found
    }
}

const ID_MEND: &str = "Use lower-case letters, digits and -.";

fn is_id(text: &str) -> bool {
    Path::new(text).is_ok() && !text.contains('/')
}

fn value_of(point: &campanile_model::Point, value: &serde_json::Value) -> Option<Value> {
    match point.value_type {
        ValueType::Bool => value.as_bool().map(Value::Bool),
        ValueType::Number => value.as_f64().map(Value::Number),
        ValueType::Text => value.as_str().map(|t| Value::Text(t.into())),
        ValueType::Choice => {
            let id = value.as_str()?;
            point.choices.iter().position(|c| c.id == id).map(|i| Value::Choice(i as u16))
        }
    }
}
