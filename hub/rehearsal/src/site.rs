//! Where a drill takes place: the campus as its engines see it, and what ties points, rooms and people together.

use std::collections::BTreeSet;
use std::sync::Arc;

use campanile_flood::{Flood, Series};
use campanile_formats::{Epw, Grid};
use campanile_model::{Building, Campus, Glob, Names, NetworkKind, Path, Timestamp};
use campanile_scene::{
    CrowdOptions, CrowdSite, FloodOptions, FloodSite, InputError, crowd_input, flood_input,
};
use campanile_world::Schema;

use crate::drill::{Drill, Found};
use crate::outcome::Outline;
use crate::tally::IN_WATER_M;

/// Water of at least this depth makes a room wet, m.
pub const WET_M: f64 = 0.005;
/// Ground around the campus that belongs to everything, m.
const MARGIN_M: f64 = 20.0;

/// The campus of a drill.
pub struct Site {
    /// The campus.
    pub campus: Arc<Campus>,
    /// The drill.
    pub drill: Drill,
    /// What its worlds check.
    pub schema: Arc<Schema>,
    /// The weather of its devices.
    pub weather: Epw,
    /// The rain of the drill, m/s, where it has any of its own.
    pub rain: Option<Series>,
    /// The level of its river, m.
    pub river: Option<Series>,
    /// The water.
    pub flood: Option<FloodSite>,
    /// The people.
    pub crowd: Option<CrowdSite>,
    /// Where the water is that people in each space of the crowd stand in.
    pub wet: Vec<Wet>,
    /// The south-west corner of everything, m.
    pub corner_m: [f64; 2],
    /// Cells of rivers and ponds, which are wet anyway.
    pub waters: BTreeSet<u32>,
    /// The nodes of the electricity networks that feed each room of the flood, up to the source.
    fed_by: Vec<Vec<Path>>,
}

/// Where a space's water is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wet {
    /// It can't be wet.
    Dry,
    /// In a room of the flood.
    Room(usize),
    /// On the grid.
    Outside,
}

/// Why a drill can't take place on a campus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// An engine's input can't be made.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An action sends or holds nobody, or sends people nowhere.
    #[error("the action '{action}': {globs:?} matches no {what}; {what}s are for example {known}")]
    MatchesNothing {
        /// Which action.
        action: String,
        /// Of what.
        what: &'static str,
        /// The globs.
        globs: Vec<String>,
        /// Some that there are.
        known: String,
    },
}

/// Whether every action about people finds people and goals.
fn check_people(drill: &Drill, crowd: &CrowdSite) -> Result<(), SiteError> {
    let check =
        |action: &str, what: &'static str, globs: &[Glob], names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<&String> = names.collect();
            if names.iter().any(|name| globs.iter().any(|glob| glob.matches(name))) {
                return Ok(());
            }
            Err(SiteError::MatchesNothing {
                action: action.to_owned(),
                what,
                globs: globs.iter().map(|glob| glob.as_str().to_owned()).collect(),
                known: names.iter().take(4).map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
            })
        };
    for (spec, found) in drill.file.action.iter().zip(&drill.effects) {
        if let Found::Send(groups, _) | Found::Hold(groups) = found {
            check(&spec.id, "group", groups, &mut crowd.input.groups.iter().map(|g| &g.id))?;
        }
        if let Found::Send(_, goals) = found {
            check(&spec.id, "goal", goals, &mut crowd.input.goals.iter().map(|g| &g.id))?;
        }
    }
    Ok(())
}

/// The value of a series at a time: linear between its corners, constant before and after.
pub fn at(series: &Series, seconds: f64) -> f64 {
    let corners = &series.corners;
    let after = corners.partition_point(|(t, _)| *t <= seconds);
    match (after.checked_sub(1).and_then(|i| corners.get(i)), corners.get(after)) {
        (Some((t0, y0)), Some((t1, y1))) if t1 > t0 => y0 + (y1 - y0) * (seconds - t0) / (t1 - t0),
        (Some((_, y)), _) | (None, Some((_, y))) => *y,
        (None, None) => 0.0,
    }
}

impl Site {
    /// The campus of a drill, its terrain and weather at hand.
    ///
    /// # Errors
    /// [`SiteError`] where an engine's input can't be made of the campus, or an action finds nobody.
    pub fn build(
        campus: Arc<Campus>,
        drill: Drill,
        terrain: Option<&Grid>,
        weather: Epw,
    ) -> Result<Self, SiteError> {
        let rain = drill.rain();
        let river =
            drill.file.river.as_ref().map(|r| Series {
                corners: r.level_m.iter().map(|[minute, z]| (minute * 60.0, *z)).collect(),
            });
        let flood = match &drill.file.flood {
            None => None,
            Some(spec) => {
                let levels_m = drill.file.river.iter().zip(&river);
                let options = FloodOptions {
                    cell_m: spec.cell_m,
                    margin_m: spec.margin_m,
                    rain_m_s: rain.clone().unwrap_or_default(),
                    levels_m: levels_m.map(|(r, s)| (format!("site/{}", r.water), s.clone())).collect(),
                    ..FloodOptions::default()
                };
                Some(flood_input(&campus, terrain, &options)?)
            }
        };
        let crowd = match &drill.file.crowd {
            None => None,
            Some(spec) => {
                let hour = spec.hour.map_or_else(|| drill.hour(), Into::into);
                let options = CrowdOptions { hour, staff: spec.staff, ..CrowdOptions::default() };
                let crowd = crowd_input(&campus, &options)?;
                check_people(&drill, &crowd)?;
                Some(crowd)
            }
        };
        let wet = crowd.as_ref().map_or_else(Vec::new, |crowd| wet(crowd, flood.as_ref()));
        let low = |axis: usize| {
            let corners = campus.plan.site.boundary.iter().map(|p| f64::from(p[axis]) / 1e3);
            corners.fold(0.0, f64::min) - MARGIN_M
        };
        let corner_m = flood.as_ref().map_or_else(|| [low(0), low(1)], |f| f.input.origin_m);
        let waters = flood.as_ref().map_or_else(BTreeSet::new, |f| water_cells(&campus, f));
        let fed_by = flood.as_ref().map_or_else(Vec::new, |f| fed_by(&campus, f));
        let schema = Arc::new(Schema::of(&campus));
        Ok(Self { schema, rain, river, flood, crowd, wet, corner_m, waters, fed_by, weather, drill, campus })
    }

    /// A time on a campus with its device models and nothing else: no drill, no engines. What a plugin is tried on.
    pub fn plain(
        campus: Arc<Campus>,
        start: Timestamp,
        duration_s: f64,
        barrier_s: f64,
        weather: Epw,
    ) -> Self {
        let drill = Drill::plain(campus.clone(), start, duration_s, barrier_s);
        let low = |axis: usize| {
            let corners = campus.plan.site.boundary.iter().map(|p| f64::from(p[axis]) / 1e3);
            corners.fold(0.0, f64::min) - MARGIN_M
        };
        Self {
            schema: Arc::new(Schema::of(&campus)),
            corner_m: [low(0), low(1)],
            rain: None,
            river: None,
            flood: None,
            crowd: None,
            wet: Vec::new(),
            waters: BTreeSet::new(),
            fed_by: Vec::new(),
            weather,
            drill,
            campus,
        }
    }

    /// The rain at a moment of the drill, m/s.
    pub fn rain_m_s(&self, now_s: f64) -> f64 {
        self.rain.as_ref().map_or(0.0, |rain| at(rain, now_s))
    }

    /// The level of the river at a moment of the drill, m, where it has one.
    pub fn river_m(&self, now_s: f64) -> Option<f64> {
        self.river.as_ref().map(|series| at(series, now_s))
    }

    /// The rooms of the flood that globs match, ascending.
    pub fn rooms(&self, globs: &[String]) -> impl Iterator<Item = usize> + '_ {
        // They were checked when the drill was read.
        let globs: Vec<Glob> = globs.iter().filter_map(|text| Glob::new(text).ok()).collect();
        let spaces = self.flood.iter().flat_map(|f| &f.room_of);
        let rooms: BTreeSet<usize> = spaces
            .filter(|(path, _)| globs.iter().any(|g| g.matches(path)))
            .map(|(_, room)| *room as usize)
            .collect();
        rooms.into_iter()
    }

    /// The path of a room of the flood: that of its lowest space.
    pub fn room_path(&self, room: usize) -> Option<Path> {
        let spaces = self.flood.as_ref()?.room_spaces.get(room)?;
        Path::new(spaces.first()?).ok()
    }

    /// Water in a room at its depth, m³.
    pub fn volume_m3(&self, room: usize, depths: &[f64]) -> f64 {
        let area = self.flood.as_ref().and_then(|f| f.input.rooms.get(room)).map_or(0.0, |r| r.area_m2);
        depths.get(room).copied().unwrap_or(0.0) * area
    }

    /// Whether the supply of a room is cut, given the nodes that are.
    pub fn is_cut(&self, room: usize, cut: &[Path]) -> bool {
        self.fed_by.get(room).is_some_and(|nodes| nodes.iter().any(|node| cut.contains(node)))
    }

    /// Ground under water beside rivers and ponds, m².
    pub fn flooded_m2(&self, flood: &Flood) -> f64 {
        let Some(site) = &self.flood else { return 0.0 };
        let wet = flood.depth_m().iter().enumerate();
        let count =
            wet.filter(|(cell, d)| **d >= IN_WATER_M && !self.waters.contains(&(*cell as u32))).count();
        count as f64 * site.input.cell_m * site.input.cell_m
    }

    /// The names of an entity; its path where it has none.
    pub fn names(&self, path: &Path) -> Names {
        self.campus
            .entity(path.as_str())
            .map_or_else(|| Names::new(path.as_str(), path.as_str()), |entity| entity.names.clone())
    }

    /// The outlines of the campus, for maps.
    pub fn outlines(&self) -> Vec<Outline> {
        let plan = &self.campus.plan;
        let metres = |p: &campanile_model::PointMm| [f64::from(p[0]) / 1e3, f64::from(p[1]) / 1e3];
        let outside = |i: &u32| plan.outside.vertices.get(*i as usize).map(metres);
        let named = |kind: &str, path: &str, corners_m: Vec<[f64; 2]>| Outline {
            kind: kind.to_owned(),
            names: self.campus.entity(path).map_or_else(|| Names::new(path, path), |e| e.names.clone()),
            corners_m,
        };
        let mut found = vec![named("site", "site", plan.site.boundary.iter().map(metres).collect())];
        for water in &plan.outside.waters {
            let corners = water.outline.iter().filter_map(outside).collect();
            found.push(named("water", &format!("site/{}", water.id), corners));
        }
        for building in &plan.buildings {
            for corners in footprints(building) {
                found.push(named("building", &building.id, corners));
            }
        }
        for barrier in &plan.outside.barriers {
            let corners = [barrier.a, barrier.b].iter().filter_map(outside).collect();
            found.push(named("barrier", &format!("site/{}", barrier.id), corners));
        }
        found
    }
}

/// The rings around the ground storey of a building, m.
fn footprints(building: &Building) -> Vec<Vec<[f64; 2]>> {
    let ground = building.storeys.iter().filter(|s| s.level > 0).map(|s| s.level).min();
    let storeys = building.storeys.iter().filter(|s| Some(s.level) == ground);
    let mut edges: Vec<_> =
        storeys.flat_map(|s| campanile_scene::topology::outer_edges(building, s)).collect();
    let mut rings = Vec::new();
    while let Some((first, mut end)) = edges.pop() {
        let mut ring = vec![first];
        while end != first {
            let Some(next) = edges.iter().position(|(from, _)| *from == end) else { break };
            let (from, to) = edges.swap_remove(next);
            ring.push(from);
            end = to;
        }
        rings.push(ring);
    }
    rings
}

fn wet(crowd: &CrowdSite, flood: Option<&FloodSite>) -> Vec<Wet> {
    let Some(flood) = flood else { return vec![Wet::Dry; crowd.input.spaces.len()] };
    let place = |(index, space): (usize, &campanile_crowd::Space)| {
        if crowd.outside == Some(index as u32) {
            return Wet::Outside;
        }
        match space.shape {
            // People on a stair are above the water of the room at its foot for all but its first steps.
            campanile_crowd::Shape::Stair { .. } => Wet::Dry,
            campanile_crowd::Shape::Level { .. } => {
                flood.room_of.get(&space.id).map_or(Wet::Dry, |room| Wet::Room(*room as usize))
            }
        }
    };
    crowd.input.spaces.iter().enumerate().map(place).collect()
}

fn water_cells(campus: &Campus, flood: &FloodSite) -> BTreeSet<u32> {
    let waters: BTreeSet<String> =
        campus.plan.outside.waters.iter().map(|w| format!("site/{}", w.id)).collect();
    let cells = 0..flood.place_of.len() as u32;
    cells.filter(|cell| flood.place(*cell).is_some_and(|path| waters.contains(path))).collect()
}

/// Of each room the nodes of the electricity networks that serve it or something around it, with all above them.
fn fed_by(campus: &Campus, flood: &FloodSite) -> Vec<Vec<Path>> {
    let networks = || campus.networks.iter().filter(|n| n.kind == NetworkKind::Electricity);
    let mut found = Vec::new();
    for spaces in &flood.room_spaces {
        let mut nodes: BTreeSet<Path> = BTreeSet::new();
        for network in networks() {
            for node in &network.nodes {
                let serves = node.serves.iter().any(|served| {
                    spaces
                        .iter()
                        .any(|space| space == served.as_str() || space.starts_with(&format!("{served}/")))
                });
                let mut at = serves.then_some(node);
                while let Some(node) = at {
                    nodes.extend(campus.entities.get(node.entity).map(|e| e.path.clone()));
                    at = node.parent.and_then(|p| network.nodes.get(p));
                }
            }
        }
        found.push(nodes.into_iter().collect());
    }
    found
}
