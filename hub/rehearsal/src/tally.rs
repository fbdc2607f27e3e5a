//! What is measured while a drill runs.

use campanile_crowd::{Crowd, State};
use campanile_flood::Flood;
use campanile_model::Path;
use serde::{Deserialize, Serialize};

use crate::drill_file::Measure;
use crate::site::Site;

/// Who is in water deeper than this is in the water, m.
pub const IN_WATER_M: f64 = 0.1;
/// Hazard from which a person counts as endangered: moderate after DEFRA FD2320.
pub const ENDANGERED: f64 = 0.75;

/// How the drill stood at a minute, for curves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Seconds from the start.
    pub at_s: f64,
    /// Rain, mm/h.
    pub rain_mm_h: f64,
    /// The level of the river, m.
    pub river_m: Option<f64>,
    /// Water in rooms, m³.
    pub rooms_m3: f64,
    /// Cells outdoors (but waters of the plan) with more than [`IN_WATER_M`], m².
    pub flooded_m2: f64,
    /// People walking.
    pub walking: u32,
    /// People at their goal.
    pub arrived: u32,
    /// People who have left.
    pub left: u32,
    /// People in water.
    pub in_water: u32,
    /// People endangered.
    pub endangered: u32,
}

/// What is measured while a drill runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Rain fallen up to the end of each barrier, mm.
    fallen_mm: Vec<f64>,
    /// When each of these was, seconds from the start.
    fallen_s: Vec<f64>,
    /// Of each objective its measure so far.
    pub measures: Vec<f64>,
    /// Nodes of the electricity networks whose supply is cut.
    pub cut: Vec<Path>,
    /// Of each person the greatest hazard so far.
    pub hazard: Vec<f32>,
    /// Of each person the seconds in water.
    pub wet_s: Vec<f32>,
    /// Of each room the greatest depth so far, m.
    pub room_max_m: Vec<f32>,
    /// Of each room when water first stood in it, seconds from the start.
    pub room_wet_s: Vec<Option<f32>>,
    /// People in water, and endangered, at the last barrier.
    pub now_in_water: [u32; 2],
    /// Who is endangered now.
    pub endangered: Vec<bool>,
    /// How the drill stood at each minute.
    pub rows: Vec<Row>,
    /// What walkers were told of the water, by space.
    pub(crate) slowed: Vec<Vec<u8>>,
}

impl Tally {
    /// Nothing measured yet.
    pub fn new(site: &Site, people: usize) -> Self {
        let rooms = site.flood.as_ref().map_or(0, |part| part.input.rooms.len());
        Self {
            measures: vec![0.0; site.drill.file.objective.len()],
            hazard: vec![0.0; people],
            wet_s: vec![0.0; people],
            endangered: vec![false; people],
            room_max_m: vec![0.0; rooms],
            room_wet_s: vec![None; rooms],
            ..Self::default()
        }
    }

    /// Rain in the last so many seconds, mm.
    pub fn rain_mm(&self, within_s: f64) -> f64 {
        let (Some(now_s), Some(now_mm)) = (self.fallen_s.last(), self.fallen_mm.last()) else { return 0.0 };
        let from = now_s - within_s;
        let before = self.fallen_s.partition_point(|t| *t <= from);
        let then_mm = before.checked_sub(1).and_then(|i| self.fallen_mm.get(i)).copied().unwrap_or(0.0);
        now_mm - then_mm
    }

    pub(crate) fn rained(&mut self, now_s: f64, rain_m_s: f64, dt_s: f64) {
        let fallen = self.fallen_mm.last().copied().unwrap_or(0.0) + rain_m_s * dt_s * 1000.0;
        self.fallen_mm.push(fallen);
        self.fallen_s.push(now_s);
    }

    pub(crate) fn supply(&mut self, site: &Site, node: &Path, on: bool) {
        if on {
            self.cut.retain(|cut| cut != node);
        } else if !self.cut.contains(node) && site.campus.entity(node.as_str()).is_some() {
            self.cut.push(node.clone());
        }
    }

    pub(crate) fn rooms(&mut self, site: &Site, depths: &[f64], dt_s: f64, now_s: f64) {
        for (room, depth) in depths.iter().enumerate() {
            let (Some(most), Some(wet)) = (self.room_max_m.get_mut(room), self.room_wet_s.get_mut(room))
            else {
                continue;
            };
            *most = most.max(*depth as f32);
            if *depth >= crate::site::WET_M && wet.is_none() {
                *wet = Some(now_s as f32);
            }
        }
        for (i, objective) in site.drill.file.objective.iter().enumerate() {
            match &objective.measure {
                Measure::WaterIn { spaces } => {
                    let volume: f64 = site.rooms(spaces).map(|room| site.volume_m3(room, depths)).sum();
                    self.measures[i] = self.measures[i].max(volume);
                }
                Measure::LiveInWater { spaces, depth_m } => {
                    let live = site.rooms(spaces).any(|room| {
                        depths.get(room).is_some_and(|d| d >= depth_m) && !site.is_cut(room, &self.cut)
                    });
                    self.measures[i] += if live { dt_s / 60.0 } else { 0.0 };
                }
                _ => {}
            }
        }
    }

    /// Of each person the depth of water that they are in and its hazard.
    pub(crate) fn people(&mut self, site: &Site, in_water: &[[f32; 2]], dt_s: f64) {
        self.now_in_water = [0, 0];
        for (i, [depth, hazard]) in in_water.iter().enumerate() {
            let wet = f64::from(*depth) >= IN_WATER_M;
            let endangered = f64::from(*hazard) >= ENDANGERED;
            self.now_in_water[0] += u32::from(wet);
            self.now_in_water[1] += u32::from(endangered);
            if let Some(worst) = self.hazard.get_mut(i) {
                *worst = worst.max(*hazard);
                self.wet_s[i] += if wet { dt_s as f32 } else { 0.0 };
                self.endangered[i] = endangered;
            }
        }
        for (i, objective) in site.drill.file.objective.iter().enumerate() {
            match &objective.measure {
                Measure::PersonMinutes { depth_m } => {
                    let wet = in_water.iter().filter(|[d, _]| f64::from(*d) >= *depth_m).count();
                    self.measures[i] += wet as f64 * dt_s / 60.0;
                }
                Measure::Exposed { hazard } => {
                    let exposed = self.hazard.iter().filter(|h| f64::from(**h) >= *hazard);
                    self.measures[i] = exposed.count() as f64;
                }
                _ => {}
            }
        }
    }

    /// A row a minute.
    pub(crate) fn row(&mut self, site: &Site, flood: Option<&Flood>, crowd: Option<&Crowd>, now_s: f64) {
        let due = self.rows.last().is_none_or(|last| now_s >= last.at_s + 60.0 - 1e-9);
        if !due {
            return;
        }
        let mut row = Row {
            at_s: now_s,
            rain_mm_h: site.rain_m_s(now_s) * 3.6e6,
            river_m: site.river_m(now_s),
            in_water: self.now_in_water[0],
            endangered: self.now_in_water[1],
            ..Row::default()
        };
        if let Some(flood) = flood {
            row.rooms_m3 = flood.rooms().map(|room| room.volume_m3).sum();
            row.flooded_m2 = site.flooded_m2(flood);
        }
        if let Some(crowd) = crowd {
            for person in crowd.people() {
                match person.state {
                    State::Walking => row.walking += 1,
                    State::Arrived => row.arrived += 1,
                    State::Left => row.left += 1,
                    _ => {}
                }
            }
        }
        self.rows.push(row);
    }
}
