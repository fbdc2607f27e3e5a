//! What came of a run: everything that a report or a comparison needs, as one file.

use campanile_model::{Names, Path};
use serde::{Deserialize, Serialize};

use crate::drill_file::{Effect, LevelSpec};
use crate::play::{By, Message};
use crate::rehearsal::Rehearsal;
use crate::score::{Judged, judge};
use crate::tally::{IN_WATER_M, Row};

/// The format of the file.
pub const FORMAT: &str = "campanile-outcome/1";

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Always [`FORMAT`].
    pub format: String,
    /// The campus.
    pub campus: Names,
    /// What has to be shown with every picture of it.
    pub attribution: Vec<Names>,
    /// The drill's id.
    pub drill: String,
    /// Its names.
    pub names: Names,
    /// What it is about.
    pub summary: Names,
    /// The seed.
    pub seed: u64,
    /// The hash of the final state, in hexadecimal digits.
    pub hash: String,
    /// When it began, microseconds UTC.
    pub start_us: i64,
    /// The campus' time zone.
    pub timezone: String,
    /// The seconds that were run.
    pub ran_s: f64,
    /// The levels of warning.
    pub levels: Vec<LevelSpec>,
    /// What was decided, in order, and what the plan has.
    pub decisions: Vec<Decision>,
    /// What was said.
    pub messages: Vec<Message>,
    /// How it stood at each minute.
    pub rows: Vec<Row>,
    /// The objectives.
    pub score: Vec<Judged>,
    /// Rooms that were wet.
    pub rooms: Vec<WetRoom>,
    /// The people.
    pub people: Exposure,
    /// The water outdoors.
    pub water: Option<WaterMap>,
    /// The outlines of the campus, for maps.
    pub outlines: Vec<Outline>,
}

/// A decision, or one that the plan has and nobody took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The action.
    pub action: String,
    /// Its names.
    pub names: Names,
    /// Whose it is.
    pub role: Names,
    /// Who began it; nobody did.
    pub by: Option<By>,
    /// When it was asked for, seconds from the start.
    pub asked_s: Option<f64>,
    /// When it had its effect.
    pub done_s: Option<f64>,
    /// When the plan has it begun.
    pub planned_s: Option<f64>,
    /// Whether it issues a warning, of which level.
    pub level: Option<String>,
}

/// A room that was wet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WetRoom {
    /// Its path.
    pub path: Path,
    /// Its names.
    pub names: Names,
    /// When water first stood in it, seconds from the start.
    pub wet_s: f64,
    /// The greatest depth, m.
    pub depth_m: f64,
    /// Its volume then, m³.
    pub volume_m3: f64,
}

/// How people were exposed to water.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// How many there are.
    pub people: u32,
    /// How many were ever in water of more than 0.1 m.
    pub in_water: u32,
    /// How many were ever in water of moderate hazard (0.75), significant (1.25), extreme (2).
    pub hazard: [u32; 3],
    /// Of each group its room, how many people, how many ever in water and endangered, and the longest minutes in water.
    pub groups: Vec<GroupExposure>,
}

/// How a group was exposed to water.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupExposure {
    /// Its id: the path of its room, and what follows.
    pub group: String,
    /// The names of the room.
    pub names: Names,
    /// How many people.
    pub people: u32,
    /// How many were ever in water of more than 0.1 m.
    pub in_water: u32,
    /// How many were ever endangered.
    pub endangered: u32,
    /// The longest that one of them was in water, minutes.
    pub longest_min: f64,
}

/// The water outdoors over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaterMap {
    /// Cells from west to east.
    pub nx: usize,
    /// Cells from south to north.
    pub ny: usize,
    /// The side of a cell, m.
    pub cell_m: f64,
    /// The south-west corner, m.
    pub origin_m: [f64; 2],
    /// The greatest depth of each cell, cm, row by row from the south.
    pub max_cm: Vec<u16>,
    /// When water first stood there, minutes; 65,535: never.
    pub arrival_min: Vec<u16>,
    /// Cells of rivers and ponds, which are wet anyway.
    pub waters: Vec<u32>,
    /// Water in and out over the run, m³, by name.
    pub balance_m3: Vec<(String, f64)>,
}

/// A line on a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// `site`, `building`, `water` or `barrier`.
    pub kind: String,
    /// What it is.
    pub names: Names,
    /// Its corners, m.
    pub corners_m: Vec<[f64; 2]>,
}

impl Outcome {
    /// What has come of a rehearsal so far.
    pub fn of(rehearsal: &mut Rehearsal) -> Self {
        let hash = rehearsal.hash().iter().map(|b| format!("{b:02x}")).collect();
        let rehearsal = &*rehearsal;
        let (site, drill) = (rehearsal.site(), rehearsal.drill());
        Self {
            format: FORMAT.to_owned(),
            campus: site.campus.names.clone(),
            attribution: site.campus.attribution.clone(),
            drill: drill.file.id.clone(),
            names: drill.names(),
            summary: drill.file.summary.clone(),
            seed: rehearsal.seed(),
            hash,
            start_us: rehearsal.start.0,
            timezone: site.campus.timezone.clone(),
            ran_s: rehearsal.now_s(),
            levels: drill.file.level.clone(),
            decisions: decisions(rehearsal),
            messages: rehearsal.play().messages.clone(),
            rows: rehearsal.tally().rows.clone(),
            score: judge(rehearsal),
            rooms: wet_rooms(rehearsal),
            people: exposure(rehearsal),
            water: water(rehearsal),
            outlines: site.outlines(),
        }
    }

    /// Points earned, and how many could be.
    pub fn points(&self) -> (f64, f64) {
        (self.score.iter().map(|j| j.points).sum(), self.score.iter().map(|j| j.of).sum())
    }
}

fn decisions(rehearsal: &Rehearsal) -> Vec<Decision> {
    let (drill, play) = (rehearsal.drill(), rehearsal.play());
    let planned = |action: usize| {
        let defaults = drill.file.default.iter().zip(&play.planned_s);
        defaults.filter(|(d, _)| drill.action(&d.action) == Some(action)).find_map(|(_, at)| *at)
    };
    let decision = |action: usize| {
        let spec = drill.file.action.get(action)?;
        let role = drill.file.role.iter().find(|r| r.id == spec.role);
        Some(Decision {
            action: spec.id.clone(),
            names: Names::new(&spec.zh, &spec.en),
            role: role.map_or_else(|| Names::new("", ""), |r| Names::new(&r.zh, &r.en)),
            by: None,
            asked_s: None,
            done_s: None,
            planned_s: planned(action),
            level: match &spec.effect {
                Effect::Warn { level } => Some(level.clone()),
                _ => None,
            },
        })
    };
    let mut found: Vec<Decision> = play
        .begun
        .iter()
        .filter_map(|begun| {
            Some(Decision {
                by: Some(begun.by.clone()),
                asked_s: Some(begun.asked_s),
                done_s: begun.done_s,
                ..decision(begun.action)?
            })
        })
        .collect();
    let missed = (0..drill.file.action.len()).filter(|a| planned(*a).is_some() && !play.is_begun(*a));
    found.extend(missed.filter_map(decision));
    found
}

fn wet_rooms(rehearsal: &Rehearsal) -> Vec<WetRoom> {
    let (site, tally) = (rehearsal.site(), rehearsal.tally());
    let Some(part) = &site.flood else { return Vec::new() };
    let mut found: Vec<WetRoom> = (0..part.input.rooms.len())
        .filter_map(|room| {
            let path = site.room_path(room)?;
            let wet_s = tally.room_wet_s.get(room).copied().flatten()?;
            let depth_m = f64::from(tally.room_max_m.get(room).copied()?);
            let volume_m3 = depth_m * part.input.rooms.get(room).map_or(0.0, |r| r.area_m2);
            let names = site.names(&path);
            Some(WetRoom { path, names, wet_s: f64::from(wet_s), depth_m, volume_m3 })
        })
        .collect();
    found.sort_by(|a, b| b.volume_m3.total_cmp(&a.volume_m3).then_with(|| a.path.cmp(&b.path)));
    found
}

fn exposure(rehearsal: &Rehearsal) -> Exposure {
    let (site, tally) = (rehearsal.site(), rehearsal.tally());
    let (Some(crowd), Some(part)) = (rehearsal.crowd(), &site.crowd) else { return Exposure::default() };
    let above = |hazard: f64| tally.hazard.iter().filter(|h| f64::from(**h) >= hazard).count() as u32;
    let groups = part.input.groups.iter().map(|group| GroupExposure {
        group: group.id.clone(),
        names: group_names(site, &group.id),
        people: 0,
        in_water: 0,
        endangered: 0,
        longest_min: 0.0,
    });
    let mut groups: Vec<GroupExposure> = groups.collect();
    for (i, person) in crowd.people().enumerate() {
        let Some(group) = groups.get_mut(person.group as usize) else { continue };
        let wet_s = tally.wet_s.get(i).copied().unwrap_or(0.0);
        let hazard = tally.hazard.get(i).copied().unwrap_or(0.0);
        group.people += 1;
        group.in_water += u32::from(wet_s > 0.0);
        group.endangered += u32::from(f64::from(hazard) >= crate::tally::ENDANGERED);
        group.longest_min = group.longest_min.max(f64::from(wet_s) / 60.0);
    }
    Exposure {
        people: tally.hazard.len() as u32,
        in_water: tally.wet_s.iter().filter(|s| **s > 0.0).count() as u32,
        hazard: [above(0.75), above(1.25), above(2.0)],
        groups,
    }
}

/// The names of the room that a group is named by: its own, or that of the longest path that begins its id.
fn group_names(site: &crate::site::Site, id: &str) -> Names {
    let mut path = id;
    loop {
        if let Some(entity) = site.campus.entity(path) {
            return entity.names.clone();
        }
        match path.rsplit_once(['/', ':']) {
            Some((before, _)) => path = before,
            None => return Names::new(id, id),
        }
    }
}

fn water(rehearsal: &Rehearsal) -> Option<WaterMap> {
    let (flood, part) = (rehearsal.flood()?, rehearsal.site().flood.as_ref()?);
    let minutes = |s: &f64| if s.is_finite() { (s / 60.0).round().min(65_534.0) as u16 } else { u16::MAX };
    Some(WaterMap {
        nx: part.input.nx,
        ny: part.input.ny,
        cell_m: part.input.cell_m,
        origin_m: part.input.origin_m,
        max_cm: flood.max_depth_m().iter().map(|d| (d * 100.0).round().min(65_535.0) as u16).collect(),
        arrival_min: flood.arrival_s().iter().map(minutes).collect(),
        waters: rehearsal.site().waters.iter().copied().collect(),
        balance_m3: flood.balance().terms().map(|(name, m3)| (name.to_owned(), m3)).collect(),
    })
}

/// Whether a depth in cm counts as flooded ground.
pub fn is_flooded(cm: u16) -> bool {
    f64::from(cm) / 100.0 >= IN_WATER_M
}
